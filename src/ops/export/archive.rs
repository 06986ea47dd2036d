//! Archives of images on disk.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Read};
use std::path::{Path, PathBuf};

use nsci_snapshotter::Digest;

use super::ExportedImage;
use crate::error::{Error, Kind, Result};
use crate::exporter::archive::{Layout, Naming, write};
use crate::ops::files::store_error;
use crate::ops::world::{World, blocking};
use crate::source::Reference;

/// A file that is removed when dropped.
#[derive(Debug)]
pub(super) struct TempFile {
    pub(super) path: PathBuf,
}

impl Drop for TempFile {
    fn drop(&mut self) {
        // In a directory of this process, which is swept when that has ended.
        std::fs::remove_file(&self.path).ok();
    }
}

impl World {
    /// Writes an image to a file of the host, whose directory is made if there is none; returns where.
    ///
    /// # Errors
    /// If the file cannot be written or a layer cannot be had.
    pub async fn export_image(
        &self,
        image: &ExportedImage,
        path: &Path,
        name: Option<&Reference>,
    ) -> Result<String> {
        let failed = |error: io::Error| {
            let what = format!("cannot export to {}", path.display());
            Error::caused(Kind::Host, what, error)
        };
        if path.is_dir() {
            return Err(Error::invalid(format!(
                "cannot export a container to {}: it is a directory",
                path.display()
            ))
            .hint("a container is exported as an archive; name a file such as image.tar"));
        }
        let file_name = path.file_name().unwrap_or_default().to_string_lossy();
        let parent = path.parent().unwrap_or(Path::new("/"));
        std::fs::create_dir_all(parent).map_err(failed)?;
        // Beside the target, so that nobody ever sees half of an archive.
        let temporary = TempFile {
            path: parent.join(format!(".{file_name}.nsci-{}", std::process::id())),
        };
        let file = File::create(&temporary.path).map_err(failed)?;
        self.write_archive(image, file, name, Layout::Oci).await?;
        std::fs::rename(&temporary.path, path).map_err(failed)?;
        Ok(path.display().to_string())
    }

    /// Writes an image into a temporary file of the store.
    pub(super) async fn temporary_archive(
        &self,
        image: &ExportedImage,
        name: Option<&Reference>,
        layout: Layout,
    ) -> Result<TempFile> {
        let path = self.store().tmp_path().map_err(store_error)?;
        let temporary = TempFile { path };
        let file = File::create(&temporary.path)
            .map_err(|error| Error::caused(Kind::Host, "cannot write the store", error))?;
        self.write_archive(image, file, name, layout).await?;
        Ok(temporary)
    }

    async fn write_archive(
        &self,
        image: &ExportedImage,
        to: File,
        name: Option<&Reference>,
        layout: Layout,
    ) -> Result<()> {
        let mut files: HashMap<Digest, File> = HashMap::new();
        for layer in image.index.images.iter().flat_map(|image| &image.layers) {
            if !files.contains_key(&layer.digest) {
                let file = self.open_blob(layer, &image.origins[&layer.digest]).await?;
                files.insert(layer.digest.clone(), file);
            }
        }
        let index = image.index.clone();
        let epoch = self.facts.source_date_epoch.unwrap_or(0);
        let (name, tag) = (
            name.map(ToString::to_string),
            name.and_then(|name| name.tag().map(str::to_owned)),
        );
        blocking(move || {
            let naming = Naming {
                name: name.as_deref(),
                tag: tag.as_deref(),
                layout,
            };
            let out = BufWriter::with_capacity(1 << 20, to);
            let mut open = |layer: &crate::exporter::LayerBlob| -> io::Result<Box<dyn Read>> {
                let file = files.remove(&layer.digest).ok_or(io::ErrorKind::NotFound)?;
                Ok(Box::new(file))
            };
            write(out, &index, &naming, epoch, &mut open)
                .map_err(|error| Error::caused(Kind::Host, "cannot write an image archive", error))
        })
        .await
    }
}
