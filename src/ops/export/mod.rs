//! Images of containers: their layers packed or taken as they came, put into a registry, an archive or another tool.
//!
//! [`World::image`] finds out what an image is, digests included, and packs what was never packed before. Blobs of layers
//! are made or fetched only when somebody has to be given them, so an image that is where it should be costs a few
//! questions. [`crate::exporter`] writes the bytes.

mod archive;
mod blobs;
mod import;
mod load;
mod names;
mod parts;
mod publish;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use nsci_snapshotter::{Digest, LayerId};
use serde::{Deserialize, Serialize};

use super::image::Found;
use super::paths::expand_vars;
use super::world::World;
use crate::error::{Error, Result};
use crate::exporter::{self, Base, ImageSpec, Index, LayerBlob};
use crate::graph::{Container, ImageFormat, Key, LayerCompression, fingerprint};
use crate::source::Layer;

pub(super) use import::{import, tarball};
pub use names::NamedImage;
pub(super) use parts::{layer, manifest};
pub use publish::Reach;

/// Most layers that other tools mount.
const MAX_LAYERS: usize = 120;

/// An image that can be written, and where its layers are.
#[derive(Debug)]
pub struct ExportedImage {
    index: Index,
    origins: HashMap<Digest, Origin>,
}

impl ExportedImage {
    /// What a reference to it points at.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        &self.index.top().digest
    }
}

/// Where the blob of a layer comes from.
#[derive(Debug, Clone)]
enum Origin {
    /// It is an image's.
    Image(Arc<Found>, Layer),
    /// It is an image's, packed otherwise.
    Repacked(Arc<Found>, Layer, LayerCompression),
    /// It came with an archive and is in the store.
    Stored,
    /// It is packed from a layer of the store.
    Packed(LayerId, LayerCompression),
}

/// What is remembered of a layer's blob.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct BlobRecord {
    digest: String,
    size: u64,
    diff_id: String,
    compression: LayerCompression,
    /// The newest time in a layer that was packed.
    newest: i64,
}

impl BlobRecord {
    fn blob(&self, history: Option<exporter::History>) -> Option<LayerBlob> {
        Some(LayerBlob {
            digest: self.digest.parse().ok()?,
            size: self.size,
            diff_id: self.diff_id.parse().ok()?,
            compression: self.compression,
            history,
        })
    }
}

/// What is remembered of the image that a stack of layers belongs to.
#[derive(Debug, Serialize, Deserialize)]
struct StackRecord {
    config: String,
}

fn stack_key(layers: &[LayerId]) -> Key {
    fingerprint("image-stack", layers)
}

impl World {
    /// A path with the container's variables put in.
    #[must_use]
    pub fn expanded(&self, path: &str, container: &Container) -> String {
        expand_vars(path, container)
    }

    /// The image of a container, or of several for as many platforms.
    ///
    /// # Errors
    /// If there is none, two are for one platform, or a layer cannot be packed.
    pub async fn image(
        &self,
        containers: &[Container],
        format: ImageFormat,
    ) -> Result<ExportedImage> {
        if containers.is_empty() {
            return Err(Error::invalid("the container is empty: it makes no image")
                .hint("fill it with from or withRootfs, or pass platformVariants"));
        }
        let mut platforms = HashSet::new();
        if let Some(twice) = containers.iter().find(|c| !platforms.insert(&c.platform)) {
            return Err(Error::invalid(format!(
                "two of the containers are for {}",
                twice.platform
            ))
            .hint("each of platformVariants must have a platform of its own"));
        }
        let mut images = Vec::with_capacity(containers.len());
        let mut origins = HashMap::new();
        for container in containers {
            images.push(self.assemble(container, format, &mut origins).await?);
        }
        let index = exporter::index(images, format.media_types);
        Ok(ExportedImage { index, origins })
    }

    async fn assemble(
        &self,
        container: &Container,
        format: ImageFormat,
        origins: &mut HashMap<Digest, Origin>,
    ) -> Result<exporter::Image> {
        let base = self.base(container).await;
        let ids = self.few_layers(container, base.as_ref()).await?;
        let mut layers = Vec::with_capacity(ids.len());
        for id in &ids {
            let (blob, origin) = self.layer_blob(id, format.compression).await?;
            origins.insert(blob.digest.clone(), origin);
            layers.push(blob);
        }
        Ok(exporter::assemble(&ImageSpec {
            platform: &container.platform,
            config: &container.config,
            layers: &layers,
            base,
            annotations: &container.annotations,
            media_types: format.media_types,
            epoch: self.facts.source_date_epoch,
        }))
    }

    /// The image that a container began with, if its layers are still at the bottom.
    async fn base(&self, container: &Container) -> Option<Base> {
        let ids = &container.rootfs.layers;
        if let Some(name) = &container.image_ref
            && let Ok(found) = self.images.find(self, name, &container.platform).await
            && ids.starts_with(&found.layer_ids())
            && let Ok(config) = serde_json::from_slice(&found.resolved.config_bytes)
        {
            let layers = found.resolved.layers.len();
            return Some(Base { config, layers });
        }
        (1..=ids.len()).rev().find_map(|layers| {
            let key = stack_key(&ids[..layers]);
            let record: StackRecord = self.cache.recall("image-stack", &key)?;
            let digest = record.config.parse().ok()?;
            let bytes = self.store().content().read(&digest).ok()??;
            let config = serde_json::from_slice(&bytes).ok()?;
            Some(Base { config, layers })
        })
    }

    /// A container's layers; where there are more than other tools take, its own are made one.
    async fn few_layers(&self, container: &Container, base: Option<&Base>) -> Result<Vec<LayerId>> {
        let all = &container.rootfs.layers;
        if all.len() <= MAX_LAYERS {
            return Ok(all.clone());
        }
        let kept = base.map_or(0, |base| base.layers).min(MAX_LAYERS - 1);
        let below = crate::graph::Snapshot::of(all[..kept].iter().cloned());
        let lower = self.mountable(&below).await?;
        let upper = self.mountable(&container.rootfs).await?;
        let one = self
            .keeper(move |keeper| keeper.diff(&lower, &upper))
            .await?;
        let own = one.map(|layer| layer.id);
        Ok(all[..kept].iter().cloned().chain(own).collect())
    }
}
