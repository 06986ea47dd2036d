//! Parts of an image as files of the graph: its manifest, and blobs of its layers.

use nsci_snapshotter::keeper::{Data, Edit};

use super::import::variants;
use crate::error::{Error, Result};
use crate::graph::{File, ImageFormat, Snapshot, Value};
use crate::ops::world::World;

/// Carries out `manifest`.
pub(in crate::ops) async fn manifest(
    world: &World,
    format: ImageFormat,
    inputs: &[Value],
) -> Result<Value> {
    let image = world.image(&variants(inputs)?, format).await?;
    let bytes = image.index.images[0].manifest.bytes.to_vec();
    file(world, "manifest.json", Data::Bytes(bytes)).await
}

/// Carries out `layer`.
pub(in crate::ops) async fn layer(
    world: &World,
    id: &str,
    format: ImageFormat,
    inputs: &[Value],
) -> Result<Value> {
    let image = world.image(&variants(inputs)?, format).await?;
    let layers = &image.index.images[0].layers;
    let named = |digest: &nsci_snapshotter::Digest| digest.to_string() == id;
    let found = layers
        .iter()
        .find(|layer| named(&layer.digest) || named(&layer.diff_id));
    let Some(found) = found else {
        let known: Vec<String> = layers
            .iter()
            .map(|layer| layer.digest.to_string())
            .collect();
        return Err(Error::invalid(format!("the image has no layer `{id}`"))
            .hint(format!("its layers are {}", known.join(", "))));
    };
    let blob = world
        .open_blob(found, &image.origins[&found.digest])
        .await?;
    let name = found.digest.digest();
    file(world, name, Data::Fd(blob.into())).await
}

async fn file(world: &World, name: &str, data: Data) -> Result<Value> {
    let path = format!("/{name}");
    let edit = Edit::WriteFile {
        path: path.clone(),
        data,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: Some(world.facts.source_date_epoch.unwrap_or(0)),
    };
    let snapshot = world.edit(&Snapshot::empty(), vec![edit]).await?;
    Ok(Value::File(File { snapshot, path }))
}
