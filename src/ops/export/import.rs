//! Images out of archives, and archives as files of the graph.

use std::fs::File;
use std::io::{Read as _, Seek as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use nsci_snapshotter::LayerId;
use nsci_snapshotter::keeper::{Data, Edit};
use nsci_snapshotter::record::Refs;

use super::archive::TempFile;
use super::{StackRecord, stack_key};
use crate::error::{Error, Kind, Result};
use crate::exporter::archive::Layout;
use crate::exporter::{Compression, decompress};
use crate::graph::{Container, File as GraphFile, ImageFormat, Snapshot, Value};
use crate::ops::configure;
use crate::ops::files::{self, store_error};
use crate::ops::image::{Found, image_config, source_error};
use crate::ops::world::{World, blocking};
use crate::source::{LocalImages, Platform};

/// Name of the file that `asTarball` makes.
const TARBALL: &str = "container.tar";

/// Carries out `asTarball`.
pub(in crate::ops) async fn tarball(
    world: &World,
    format: ImageFormat,
    inputs: &[Value],
) -> Result<Value> {
    let containers = variants(inputs)?;
    let image = world.image(&containers, format).await?;
    let archive = world.temporary_archive(&image, None, Layout::Oci).await?;
    let file = File::open(&archive.path)
        .map_err(|error| Error::caused(Kind::Host, "cannot read the store", error))?;
    let edit = Edit::WriteFile {
        path: format!("/{TARBALL}"),
        data: Data::Fd(file.into()),
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: Some(world.facts.source_date_epoch.unwrap_or(0)),
    };
    let snapshot = world.edit(&Snapshot::empty(), vec![edit]).await?;
    Ok(Value::File(GraphFile {
        snapshot,
        path: format!("/{TARBALL}"),
    }))
}

/// The containers that make an image: an empty receiver only lends its place to the others.
pub(super) fn variants(inputs: &[Value]) -> Result<Vec<Container>> {
    let all: Vec<Container> = inputs
        .iter()
        .map(|input| files::container(input).cloned())
        .collect::<Result<_>>()?;
    Ok(all
        .into_iter()
        .filter(|container| !container.rootfs.layers.is_empty())
        .collect())
}

/// Carries out `import`.
pub(in crate::ops) async fn import(world: &World, tag: &str, inputs: &[Value]) -> Result<Value> {
    let container = files::container(&inputs[0])?;
    let Some(Value::File(file)) = inputs.get(1) else {
        return Err(Error::internal("an import needs a file"));
    };
    let layers = world.mountable(&file.snapshot).await?;
    let path = file.path.clone();
    let (_, fd) = world
        .keeper(move |keeper| keeper.open_file(&layers, &path))
        .await?;
    let archive = world.open_archive(fd.into(), file.name()).await?;
    let found = world
        .local_image(&archive, tag, &container.platform)
        .await?;
    world.imported(container, &found).await
}

impl World {
    /// Reads the table of contents of an archive, which may be compressed as a whole.
    pub(super) async fn open_archive(&self, mut file: File, name: &str) -> Result<LocalImages> {
        let (name, temporary) = (
            name.to_owned(),
            self.store().tmp_path().map_err(store_error)?,
        );
        blocking(move || {
            let failed = |error| Error::caused(Kind::Host, "cannot read an image archive", error);
            let mut start = [0; 4];
            let length = file.read(&mut start).map_err(failed)?;
            file.rewind().map_err(failed)?;
            let compression = match &start[..length] {
                [0x1f, 0x8b, ..] => Compression::Gzip,
                [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
                _ => Compression::None,
            };
            if compression != Compression::None {
                file = unpacked(file, compression, temporary).map_err(failed)?;
            }
            LocalImages::archive(file, &name).map_err(source_error)
        })
        .await
    }

    /// Resolves an image of an archive or layout.
    pub(super) async fn local_image(
        &self,
        images: &LocalImages,
        tag: &str,
        platform: &str,
    ) -> Result<Arc<Found>> {
        let platform: Platform = platform.parse().map_err(source_error)?;
        let (images, tag) = (images.clone(), tag.to_owned());
        let (resolved, blobs) =
            blocking(move || images.resolve(&tag, &platform).map_err(source_error)).await?;
        let blobs = Arc::new(blobs);
        Ok(Arc::new(Found { resolved, blobs }))
    }

    /// Makes sure that the blobs of all layers are in the store: those unpacked before may be gone.
    pub(super) async fn fetch_all(&self, found: &Arc<Found>) -> Result<()> {
        for layer in &found.resolved.layers {
            self.fetch(found, layer).await?;
        }
        Ok(())
    }

    /// The container with an image that is nowhere but in a file: its layers are unpacked now and kept as any others are.
    async fn imported(&self, container: &Container, found: &Arc<Found>) -> Result<Value> {
        let ids = found.layer_ids();
        self.images.unpack(self, found).await?;
        self.fetch_all(found).await?;
        let ask = ids.clone();
        let settled = self.keeper(move |keeper| keeper.settle(&ask)).await?;
        let settled: Vec<LayerId> = settled.into_iter().map(|layer| layer.id).collect();
        self.cache.hold_layers(&settled);
        for (id, layer) in settled.iter().zip(&found.resolved.layers) {
            self.note_stored(id, layer);
        }
        let config = self
            .store()
            .content()
            .put_bytes(&found.resolved.config_bytes);
        let config = config.map_err(store_error)?.digest().clone();
        let record = StackRecord {
            config: config.to_string(),
        };
        let refs = Refs {
            blobs: vec![config],
            ..Refs::default()
        };
        let what = format!("image {}", found.resolved.name);
        let key = stack_key(&settled);
        self.cache
            .remember("image-stack", &key, &record, refs, &what, Duration::ZERO);
        let mut next = container.clone();
        next.rootfs = Snapshot::of(settled);
        let own = image_config(&found.resolved);
        next.config = configure::merge_image(std::mem::take(&mut next.config), own);
        next.image_ref = None;
        next.last = None;
        Ok(Value::Container(Box::new(next)))
    }
}

/// The archive in a compressed file, in one without a name.
fn unpacked(
    file: File,
    compression: Compression,
    path: std::path::PathBuf,
) -> std::io::Result<File> {
    let mut options = File::options();
    let options = options.read(true).write(true).create_new(true);
    let mut to = options.open(&path)?;
    let _unlinked_at_the_end = TempFile { path };
    let mut from = decompress(file, compression)?;
    std::io::copy(&mut from, &mut to)?;
    to.flush()?;
    to.rewind()?;
    Ok(to)
}
