//! How an image is written, as plain data.

use serde::{Deserialize, Serialize};

/// How a layer's archive is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum LayerCompression {
    /// Plain tar.
    None,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// Whose names an image's parts have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ImageMediaTypes {
    /// Those of the Open Container Initiative.
    #[default]
    Oci,
    /// Docker's, schema 2.
    Docker,
}

/// How an image is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ImageFormat {
    /// Packing of every layer; without it, layers of images stay as they are and new ones are gzip.
    pub compression: Option<LayerCompression>,
    /// Whose names the parts have.
    pub media_types: ImageMediaTypes,
}
