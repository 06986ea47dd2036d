//! Blobs of layers: remembered, fetched, packed, or packed otherwise.

use std::fs::File;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use nsci_snapshotter::keeper::PackLayer;
use nsci_snapshotter::record::Refs;
use nsci_snapshotter::{Digest, LayerId, content};

use super::{BlobRecord, Origin};
use crate::error::{Error, Kind, Result};
use crate::exporter::{self, History, LayerBlob, Packed};
use crate::graph::{Key, LayerCompression, fingerprint};
use crate::ops::files::store_error;
use crate::ops::image::{Found, source_error};
use crate::ops::world::{World, blocking};
use crate::source::{self, Layer};

/// Tries to fetch a blob whose stream breaks.
const FETCH_TRIES: u32 = 5;

pub(super) fn packing(compression: source::Compression) -> LayerCompression {
    match compression {
        source::Compression::None => LayerCompression::None,
        source::Compression::Gzip => LayerCompression::Gzip,
        source::Compression::Zstd => LayerCompression::Zstd,
    }
}

fn io_error(what: &'static str) -> impl FnOnce(std::io::Error) -> Error {
    move |error| Error::caused(Kind::Host, what, error)
}

impl World {
    /// What a layer is as a blob, and where that comes from.
    pub(super) async fn layer_blob(
        &self,
        id: &LayerId,
        wanted: Option<LayerCompression>,
    ) -> Result<(LayerBlob, Origin)> {
        if let Some((found, layer)) = self.images.layer(self, id).await? {
            let own = packing(layer.compression);
            match wanted {
                Some(other) if other != own => {
                    let record = self.repacked(&found, &layer, other).await?;
                    return known(&record, None, Origin::Repacked(found, layer, other));
                }
                _ => {}
            }
            let blob = LayerBlob {
                digest: layer.digest().clone(),
                size: layer.size(),
                diff_id: layer.diff_id.clone(),
                compression: own,
                history: None,
            };
            return Ok((blob, Origin::Image(found, layer)));
        }
        if let Some(record) = self.stored(id)
            && wanted.is_none_or(|wanted| wanted == record.compression)
        {
            return known(&record, None, Origin::Stored);
        }
        let compression = wanted.unwrap_or(LayerCompression::Gzip);
        let record = self.packed(id, compression).await?;
        let history = History {
            created_by: "nsci".into(),
            created: record.newest,
        };
        known(
            &record,
            Some(history),
            Origin::Packed(id.clone(), compression),
        )
    }

    /// The blob that a layer of an archive came from, if it is still there.
    fn stored(&self, id: &LayerId) -> Option<BlobRecord> {
        let record: BlobRecord = self.cache.recall("layer-blob", &blob_key(id))?;
        let digest = record.digest.parse().ok()?;
        (self.cache.hold_blob(&digest)).then_some(record)
    }

    /// Remembers the blob that a layer of an archive came from.
    pub(super) fn note_stored(&self, id: &LayerId, layer: &Layer) {
        let record = BlobRecord {
            digest: layer.digest().to_string(),
            size: layer.size(),
            diff_id: layer.diff_id.to_string(),
            compression: packing(layer.compression),
            newest: 0,
        };
        let refs = Refs {
            blobs: vec![layer.digest().clone()],
            ..Refs::default()
        };
        let what = format!("blob of {}", layer.digest());
        self.cache.remember(
            "layer-blob",
            &blob_key(id),
            &record,
            refs,
            &what,
            Duration::ZERO,
        );
    }

    async fn packed(&self, id: &LayerId, compression: LayerCompression) -> Result<BlobRecord> {
        let key = fingerprint(
            "packed-layer",
            &(id, self.facts.source_date_epoch, compression),
        );
        if let Some(record) = self.cache.recall("packed-layer", &key) {
            return Ok(record);
        }
        let record = self.pack(id, compression).await?;
        let what = format!("packed layer {}", record.digest);
        self.remember_blob("packed-layer", &key, &record, &what);
        Ok(record)
    }

    /// Blobs that can be made again hold nothing in the store.
    fn remember_blob(&self, domain: &str, key: &Key, record: &BlobRecord, what: &str) {
        let refs = Refs::default();
        self.cache
            .remember(domain, key, record, refs, what, Duration::ZERO);
    }

    /// Packs a layer into the store.
    async fn pack(&self, id: &LayerId, compression: LayerCompression) -> Result<BlobRecord> {
        self.images.ensure(self, std::slice::from_ref(id)).await?;
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
            .map_err(|error| io_error("cannot pack a layer")(error.into()))?;
        // More room means fewer wake-ups; a kernel that refuses keeps its own size.
        rustix::pipe::fcntl_setpipe_size(&write, 1 << 20).ok();
        let ask = PackLayer {
            id: id.clone(),
            epoch: self.facts.source_date_epoch,
        };
        let store = Arc::clone(self.store());
        let compress = blocking(move || {
            let mut writer = store.content().writer(None).map_err(store_error)?;
            let packed = exporter::compress(File::from(read), &mut writer, compression)
                .map_err(io_error("cannot pack a layer"))?;
            Ok((writer, packed))
        });
        let keeper = self.keeper(move |keeper| keeper.pack_layer(ask, write));
        let (done, (writer, packed)) = futures_util::future::try_join(keeper, compress).await?;
        let descriptor = writer.commit().map_err(store_error)?;
        self.cache.hold_blob(descriptor.digest());
        Ok(BlobRecord {
            digest: descriptor.digest().to_string(),
            size: descriptor.size(),
            diff_id: packed.diff_id.to_string(),
            compression,
            newest: done.newest,
        })
    }

    async fn repacked(
        &self,
        found: &Found,
        layer: &Layer,
        compression: LayerCompression,
    ) -> Result<BlobRecord> {
        let key = fingerprint("repacked-layer", &(layer.digest().to_string(), compression));
        if let Some(record) = self.cache.recall("repacked-layer", &key) {
            return Ok(record);
        }
        let record = self.repack(found, layer, compression).await?;
        let what = format!("layer {} packed otherwise", layer.digest());
        self.remember_blob("repacked-layer", &key, &record, &what);
        Ok(record)
    }

    /// Packs an image's layer otherwise; its archive stays as it is, to the bit.
    async fn repack(
        &self,
        found: &Found,
        layer: &Layer,
        compression: LayerCompression,
    ) -> Result<BlobRecord> {
        let from = self.fetch(found, layer).await?;
        let (store, own) = (Arc::clone(self.store()), packing(layer.compression));
        let repack = move || -> Result<(Digest, u64, Packed)> {
            let mut writer = store.content().writer(None).map_err(store_error)?;
            let archive = exporter::decompress(from, own);
            let packed = archive
                .and_then(|archive| exporter::compress(archive, &mut writer, compression))
                .map_err(io_error("cannot pack a layer otherwise"))?;
            let descriptor = writer.commit().map_err(store_error)?;
            Ok((descriptor.digest().clone(), descriptor.size(), packed))
        };
        let (digest, size, packed) = blocking(repack).await?;
        if packed.diff_id != layer.diff_id {
            return Err(Error::new(
                Kind::Outside,
                format!(
                    "layer {} of {} should unpack to {} but is {}",
                    layer.digest(),
                    found.resolved.name,
                    layer.diff_id,
                    packed.diff_id
                ),
            ));
        }
        self.cache.hold_blob(&digest);
        Ok(BlobRecord {
            digest: digest.to_string(),
            size,
            diff_id: packed.diff_id.to_string(),
            compression,
            newest: 0,
        })
    }

    /// The blob of an image's layer, from the store or from where the image is.
    pub(super) async fn fetch(&self, found: &Found, layer: &Layer) -> Result<File> {
        let digest = layer.digest();
        let expected = content::Expected {
            digest: digest.clone(),
            size: Some(layer.size()),
        };
        for tried in 1.. {
            if self.cache.hold_blob(digest)
                && let Some(file) = self.store().content().open(digest).map_err(store_error)?
            {
                return Ok(file);
            }
            match self.fetch_once(found, layer, &expected).await {
                Err(error) if tried < FETCH_TRIES && *error.kind() == Kind::Outside => {}
                other => other?,
            }
        }
        unreachable!("the last try returns")
    }

    async fn fetch_once(
        &self,
        found: &Found,
        layer: &Layer,
        expected: &content::Expected,
    ) -> Result<()> {
        let mut writer = self
            .store()
            .content()
            .writer(Some(expected))
            .map_err(store_error)?;
        let body = found.blobs.open(&layer.descriptor, writer.offset()).await;
        let mut body = body.map_err(source_error)?;
        loop {
            let piece = body.next().await.map_err(|error| {
                let what = format!("cannot fetch layer {}", expected.digest);
                Error::caused(Kind::Outside, what, error)
            })?;
            let Some(piece) = piece else { break };
            writer
                .write_all(piece)
                .map_err(io_error("cannot write the store"))?;
        }
        match writer.commit() {
            Ok(_) => Ok(()),
            Err(error @ nsci_snapshotter::Error::SizeMismatch { .. }) => {
                let what = format!("cannot fetch layer {}", expected.digest);
                Err(Error::caused(Kind::Outside, what, error))
            }
            Err(error) => Err(store_error(error)),
        }
    }

    /// Opens the blob of a layer, making it again if the store lost it.
    pub(super) async fn open_blob(&self, blob: &LayerBlob, origin: &Origin) -> Result<File> {
        if self.cache.hold_blob(&blob.digest)
            && let Some(file) = self
                .store()
                .content()
                .open(&blob.digest)
                .map_err(store_error)?
        {
            return Ok(file);
        }
        let made = match origin {
            Origin::Image(found, layer) => return self.fetch(found, layer).await,
            Origin::Repacked(found, layer, other) => self.repack(found, layer, *other).await?,
            Origin::Packed(id, compression) => self.pack(id, *compression).await?,
            Origin::Stored => return Err(lost(&blob.digest)),
        };
        if made.digest != blob.digest.to_string() {
            return Err(Error::internal(format!(
                "a layer was {} and is now {}",
                blob.digest, made.digest
            ))
            .hint("run the command again"));
        }
        let file = self.store().content().open(&blob.digest);
        file.map_err(store_error)?.ok_or_else(|| lost(&blob.digest))
    }
}

fn lost(digest: &Digest) -> Error {
    Error::internal(format!("blob is no longer in the store: {digest}"))
        .hint("run the command again")
}

fn known(
    record: &BlobRecord,
    history: Option<History>,
    origin: Origin,
) -> Result<(LayerBlob, Origin)> {
    let blob = record
        .blob(history)
        .ok_or_else(|| Error::internal("a record of a layer is damaged"))?;
    Ok((blob, origin))
}

fn blob_key(id: &LayerId) -> Key {
    fingerprint("layer-blob", id)
}
