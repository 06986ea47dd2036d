//! Where images come from: registries natively, everything else through skopeo.
//!
//! [`mod@reference`] names an image, [`registry`] and
//! [`transports`] resolve it to a [`Resolved`], [`pull`] moves its layers to an
//! unpacker. Nothing here unpacks, mounts, prints or reads the environment; paths and settings come in as
//! values, credentials never go out through `Debug`, events or errors.

pub mod auth;
mod blob_body;
mod download;
mod endpoint;
mod error;
pub mod git;
pub mod git_log;
pub mod git_modules;
mod http;
pub mod image;
pub mod local;
mod payload;
pub mod policy;
pub mod pull;
pub mod push;
pub mod reference;
pub mod registry;
mod round;
mod store;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod token;
pub mod transports;

use std::sync::Arc;

pub(crate) use endpoint::Tls;
pub(crate) use http::{Call, Fault, Http, Patience};

pub use auth::{AuthSources, Credential, RegistryAuth};
pub use blob_body::{BlobBody, BlobSource, RegistryBlobs};
pub use download::{Body, Download, Downloader, Validators};
pub use endpoint::Route;
pub use error::{Attempt, BoxError, Error, Tried};
pub use image::{Compression, Layer, Platform, Resolved};
pub use local::{LocalBlobs, LocalImages, StoredBlobs};
pub use payload::{FilePart, Payload, Sent};
pub use pull::{Delivery, LayerJob, LayerUnpacker, PullStats, Puller, UnpackJob, UnpackStream};
pub use push::{PushTarget, Pusher, Slot, Upload};
pub use reference::{ImageRef, Reference, Transport};
pub use registry::{ClientOptions, RegistryClient};
pub use store::{BlobStore, BlobWrite, FileTags, TagStore};
pub use transports::{Opened, ProxyAccess, ProxyClient, ProxyOptions, open_transport};

/// Every place images come from, behind one call.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Registries, natively.
    pub registry: RegistryClient,
    /// The rest, through skopeo.
    pub proxy: ProxyClient,
}

impl Sources {
    /// Resolves any reference, with the way to its layers; `auth` holds the credentials of this call.
    ///
    /// # Errors
    /// Those of [`RegistryClient::resolve`] and [`ProxyClient::resolve`].
    pub async fn resolve(
        &self,
        image: &ImageRef,
        platform: &Platform,
        auth: &[RegistryAuth],
    ) -> Result<(Resolved, Arc<dyn BlobSource>), Error> {
        let client = self.registry.with_auth(auth);
        match image {
            ImageRef::Registry(reference) if !self.proxy.must_verify(image)? => {
                let resolved = client.resolve(reference, platform).await?;
                let reference = reference.clone();
                Ok((resolved, Arc::new(RegistryBlobs { client, reference })))
            }
            _ => {
                let access = match image {
                    ImageRef::Registry(reference) => client.proxy_access(reference).await?,
                    ImageRef::Transport { .. } => ProxyAccess::default(),
                };
                let (resolved, blobs) = self.proxy.resolve(image, platform, &access).await?;
                Ok((resolved, Arc::new(blobs)))
            }
        }
    }
}
