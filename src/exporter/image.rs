//! Manifests and indexes: bytes that name the parts of an image by digest.
//!
//! # References
//! - OCI image-spec 1.1, [manifest](https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md),
//!   [image index](https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md)

use std::sync::Arc;

use oci_spec::image::Digest;
use serde_json::{Map, Value, json};
use sha2::Digest as _;

use super::config::{self, Base, History};
use super::{Compression, MediaTypes};
use crate::graph::{Annotation, ImageConfig};

/// A layer that is packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerBlob {
    /// Digest of the blob.
    pub digest: Digest,
    /// Bytes of the blob.
    pub size: u64,
    /// Digest of the archive in it.
    pub diff_id: Digest,
    /// How it is packed.
    pub compression: Compression,
    /// How it was made; nothing for layers of an image below, whose configuration says so.
    pub history: Option<History>,
}

/// What an image is made of.
#[derive(Debug)]
pub struct ImageSpec<'a> {
    /// `os/arch[/variant]`.
    pub platform: &'a str,
    /// What the container says.
    pub config: &'a ImageConfig,
    /// Layers, lowest first.
    pub layers: &'a [LayerBlob],
    /// The image below.
    pub base: Option<Base>,
    /// Annotations of the manifest.
    pub annotations: &'a [Annotation],
    /// Whose names the parts have.
    pub media_types: MediaTypes,
    /// Time that the image is said to be of, in seconds since 1970.
    pub epoch: Option<i64>,
}

/// Bytes with the digest that names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// sha256 of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// What they are.
    pub media_type: String,
}

impl Blob {
    /// Names bytes.
    #[must_use]
    pub fn new(bytes: Vec<u8>, media_type: &str) -> Self {
        let text = format!("sha256:{}", hex::encode(sha2::Sha256::digest(&bytes)));
        Self {
            digest: text.parse().expect("a hash in hexadecimal is a digest"),
            bytes: bytes.into(),
            media_type: media_type.to_owned(),
        }
    }

    fn descriptor(&self) -> Map<String, Value> {
        descriptor(&self.media_type, &self.digest, self.bytes.len() as u64)
    }
}

/// An image for one platform.
#[derive(Debug, Clone)]
pub struct Image {
    /// `os/arch[/variant]`.
    pub platform: String,
    /// The manifest.
    pub manifest: Blob,
    /// The configuration.
    pub config: Blob,
    /// The layers, lowest first.
    pub layers: Vec<LayerBlob>,
}

/// One image, or one for each of several platforms.
#[derive(Debug, Clone)]
pub struct Index {
    /// The images.
    pub images: Vec<Image>,
    /// What lists them, if there are several.
    pub list: Option<Blob>,
}

impl Index {
    /// What a reference to it points at.
    #[must_use]
    pub fn top(&self) -> &Blob {
        self.list.as_ref().unwrap_or(&self.images[0].manifest)
    }
}

fn descriptor(media_type: &str, digest: &Digest, size: u64) -> Map<String, Value> {
    let mut map = Map::new();
    map.insert("mediaType".into(), media_type.into());
    map.insert("digest".into(), digest.to_string().into());
    map.insert("size".into(), size.into());
    map
}

/// Makes configuration and manifest.
#[must_use]
pub fn assemble(spec: &ImageSpec<'_>) -> Image {
    let types = spec.media_types;
    let config = Blob::new(config::write(spec), types.config());
    let layers = spec.layers.iter().map(|layer| {
        let media_type = types.layer(layer.compression);
        Value::Object(descriptor(media_type, &layer.digest, layer.size))
    });
    let mut manifest = Map::new();
    manifest.insert("schemaVersion".into(), 2.into());
    manifest.insert("mediaType".into(), types.manifest().into());
    manifest.insert("config".into(), Value::Object(config.descriptor()));
    manifest.insert("layers".into(), layers.collect());
    // Docker's format knows no annotations.
    if types == MediaTypes::Oci && !spec.annotations.is_empty() {
        manifest.insert("annotations".into(), annotations(spec.annotations));
    }
    let bytes = serde_json::to_vec(&manifest).expect("JSON with text keys can be written");
    Image {
        platform: spec.platform.to_owned(),
        manifest: Blob::new(bytes, types.manifest()),
        config,
        layers: spec.layers.to_vec(),
    }
}

fn annotations(list: &[Annotation]) -> Value {
    let mut list: Vec<&Annotation> = list.iter().collect();
    list.sort_by(|a, b| a.name.cmp(&b.name));
    let entries = list
        .into_iter()
        .map(|note| (note.name.clone(), Value::from(note.value.clone())));
    Value::Object(entries.collect())
}

/// Puts images of several platforms under one digest; a single one needs no list.
#[must_use]
pub fn index(images: Vec<Image>, types: MediaTypes) -> Index {
    if images.len() == 1 {
        return Index { images, list: None };
    }
    let entries = images.iter().map(|image| {
        let mut entry = image.manifest.descriptor();
        let mut parts = image.platform.split('/');
        let mut platform = Map::new();
        let os = parts.next().unwrap_or("linux").to_owned();
        platform.insert(
            "architecture".into(),
            parts.next().unwrap_or_default().into(),
        );
        platform.insert("os".into(), os.into());
        if let Some(variant) = parts.next() {
            platform.insert("variant".into(), variant.into());
        }
        entry.insert("platform".into(), Value::Object(platform));
        Value::Object(entry)
    });
    let entries: Vec<Value> = entries.collect();
    let list = json!({
        "schemaVersion": 2,
        "mediaType": types.index(),
        "manifests": entries,
    });
    let bytes = serde_json::to_vec(&list).expect("JSON with text keys can be written");
    let list = Some(Blob::new(bytes, types.index()));
    Index { images, list }
}

#[cfg(test)]
mod tests;
