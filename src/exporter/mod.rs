//! Images on their way out: configuration, manifest, index, layers packed and compressed, archives.
//!
//! [`assemble`] makes an [`Image`] of a container's configuration and its layers, [`compress()`] packs a layer's archive,
//! [`archive`] writes and reads image archives. Everything here is a function of its arguments: equal inputs give equal
//! bytes on every machine. It knows no registry and no store; [`crate::ops`] brings those together.

pub mod archive;
mod compress;
mod config;
mod image;
mod time;

pub use crate::graph::{ImageMediaTypes as MediaTypes, LayerCompression as Compression};
pub use compress::{Packed, compress, decompress};
pub use config::{Base, History};
pub use image::{Blob, Image, ImageSpec, Index, LayerBlob, assemble, index};
pub use time::rfc3339;

impl MediaTypes {
    /// Media type of a manifest.
    #[must_use]
    pub fn manifest(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.manifest.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.v2+json",
        }
    }

    /// Media type of an index.
    #[must_use]
    pub fn index(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.index.v1+json",
            Self::Docker => "application/vnd.docker.distribution.manifest.list.v2+json",
        }
    }

    /// Media type of a configuration.
    #[must_use]
    pub fn config(self) -> &'static str {
        match self {
            Self::Oci => "application/vnd.oci.image.config.v1+json",
            Self::Docker => "application/vnd.docker.container.image.v1+json",
        }
    }

    /// Media type of a layer.
    #[must_use]
    pub fn layer(self, compression: Compression) -> &'static str {
        match (self, compression) {
            (Self::Oci, Compression::None) => "application/vnd.oci.image.layer.v1.tar",
            (Self::Oci, Compression::Gzip) => "application/vnd.oci.image.layer.v1.tar+gzip",
            (Self::Oci, Compression::Zstd) => "application/vnd.oci.image.layer.v1.tar+zstd",
            (Self::Docker, Compression::None) => "application/vnd.docker.image.rootfs.diff.tar",
            (Self::Docker, Compression::Gzip) => {
                "application/vnd.docker.image.rootfs.diff.tar.gzip"
            }
            (Self::Docker, Compression::Zstd) => {
                "application/vnd.docker.image.rootfs.diff.tar.zstd"
            }
        }
    }
}
