//! Images that the store knows by name: those that were pulled, and those that came out of archives.
//!
//! What came from a registry can be had from there again, so its name is only a note. What was imported is called
//! `localhost/…`, its blobs stay in the store as long as it is used now and then, and `from` finds it there.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use nsci_snapshotter::Digest;
use nsci_snapshotter::record::Refs;
use serde::{Deserialize, Serialize};

use super::{ExportedImage, Origin};
use crate::error::{Error, Kind, Result};
use crate::exporter::{Blob, Image, Index, LayerBlob};
use crate::graph::fingerprint;
use crate::ops::files::store_error;
use crate::ops::image::{Found, source_error};
use crate::ops::world::World;
use crate::source::{ImageRef, LocalImages, Platform, Reference, Transport};

/// Host of images that are in no registry.
pub(in crate::ops) const LOCAL: &str = "localhost";

/// An image with a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedImage {
    /// Normal form of the reference.
    pub name: String,
    /// `os/arch[/variant]`.
    pub platform: String,
    /// Digest that the name stood for, of an index or a manifest.
    pub digest: String,
    /// Digest of the manifest for the platform.
    pub manifest: String,
    /// Compressed size of its layers, in bytes.
    pub size: u64,
    /// Digests of its blobs.
    blobs: Vec<String>,
}

impl NamedImage {
    fn of(name: String, found: &Found) -> Self {
        let resolved = &found.resolved;
        let layers = resolved.layers.iter().map(crate::source::Layer::digest);
        let blobs = [&resolved.manifest_digest, &resolved.config_digest]
            .into_iter()
            .chain(layers);
        Self {
            name,
            platform: resolved.platform.to_string(),
            digest: resolved.digest.to_string(),
            manifest: resolved.manifest_digest.to_string(),
            size: resolved.size(),
            blobs: blobs.map(ToString::to_string).collect(),
        }
    }
}

impl World {
    fn names_dir(&self) -> PathBuf {
        self.store().layout().root().join("images")
    }

    fn name_file(&self, name: &str, platform: &str) -> PathBuf {
        let key = fingerprint("image-name", &(name, platform));
        self.names_dir().join(key.as_str())
    }

    /// Notes what a name stands for. A store that cannot be written shows elsewhere.
    pub(in crate::ops) fn note_name(&self, reference: &Reference, found: &Found) {
        let tagged = reference.tag().unwrap_or("latest");
        let name = format!("{}:{tagged}", reference.name());
        let image = NamedImage::of(name, found);
        let file = self.name_file(&image.name, &image.platform);
        let known = std::fs::read(&file).ok();
        let text = serde_json::to_vec(&image).unwrap_or_default();
        if known.as_deref() == Some(&text[..]) {
            return;
        }
        std::fs::create_dir_all(self.names_dir()).ok();
        let draft = file.with_extension(std::process::id().to_string());
        if std::fs::write(&draft, &text).is_ok() {
            std::fs::rename(&draft, &file).ok();
        }
    }

    /// The images that have names, sorted.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn named_images(&self) -> Result<Vec<NamedImage>> {
        let dir = self.names_dir();
        let failed = |error| Error::caused(Kind::Host, "cannot read the store", error);
        let entries = match std::fs::read_dir(&dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let read = |path: PathBuf| serde_json::from_slice(&std::fs::read(path).ok()?).ok();
        let mut images: Vec<NamedImage> = entries
            .flatten()
            .filter_map(|entry| read(entry.path()))
            .collect();
        images.sort_by(|a, b| (&a.name, &a.platform).cmp(&(&b.name, &b.platform)));
        Ok(images)
    }

    /// Blobs of an image that are in the store, and how many it has.
    #[must_use]
    pub fn kept_blobs(&self, image: &NamedImage) -> (usize, usize) {
        let has = |digest: &&String| {
            let digest = digest.parse::<Digest>();
            digest.is_ok_and(|digest| self.store().content().has(&digest))
        };
        (image.blobs.iter().filter(has).count(), image.blobs.len())
    }

    /// Fetches an image with all its layers.
    ///
    /// # Errors
    /// If there is none, or it cannot be fetched.
    pub async fn pull_image(&self, address: &str, platform: &str) -> Result<NamedImage> {
        let found = self.images.find(self, address, platform).await?;
        self.images.ensure(self, &found.layer_ids()).await?;
        Ok(NamedImage::of(found.resolved.name.to_string(), &found))
    }

    /// Puts an image as it is into a registry, under its own name or another.
    ///
    /// # Errors
    /// As [`World::publish`].
    pub async fn push_image(
        &self,
        address: &str,
        platform: &str,
        target: Option<&str>,
    ) -> Result<String> {
        let found = self.images.find(self, address, platform).await?;
        let image = as_it_is(&found);
        self.publish(&image, target.unwrap_or(address)).await
    }

    /// Writes an image as it is to an archive on the host.
    ///
    /// # Errors
    /// As [`World::export_image`].
    pub async fn save_image(&self, address: &str, platform: &str, path: &Path) -> Result<String> {
        let found = self.images.find(self, address, platform).await?;
        let name = Reference::parse(address).ok();
        self.export_image(&as_it_is(&found), path, name.as_ref())
            .await
    }

    /// Takes an image out of an archive, a layout or another tool's storage; `source` is a path, or `transport:place`.
    ///
    /// # Errors
    /// If there is no such image, or no name is known for it.
    pub async fn import_image(
        &self,
        source: &str,
        host: impl Fn(&str) -> PathBuf,
        tag: &str,
        name: Option<&str>,
        platform: &str,
    ) -> Result<NamedImage> {
        let (found, given) = match ImageRef::parse(source) {
            Ok(ImageRef::Transport {
                transport: transport @ (Transport::ContainersStorage | Transport::DockerDaemon),
                location,
            }) => {
                let address = format!("{transport}:{location}");
                let found = self.images.find(self, &address, platform).await?;
                (found, Some(location))
            }
            Ok(ImageRef::Transport { location, .. }) => {
                let (path, wanted) = split_location(&location);
                self.open_image_file(&host(path), wanted.unwrap_or(tag), platform)
                    .await?
            }
            _ => self.open_image_file(&host(source), tag, platform).await?,
        };
        let name = name.map(str::to_owned).or(given).ok_or_else(|| {
            Error::invalid(format!("{source} does not say how its image is called"))
                .hint("give it a name: nsci image import FILE NAME")
        })?;
        let reference = local_name(&name)?;
        self.images.unpack(self, &found).await?;
        self.fetch_all(&found).await?;
        self.keep(&reference, &found)?;
        Ok(NamedImage::of(reference.to_string(), &found))
    }

    /// The address under which an image of the host is found: by its name if nsci knows it, else in one of the host's
    /// container tools, whose image is taken over.
    ///
    /// # Errors
    /// If nobody knows it.
    pub async fn host_image(&self, name: &str, platform: &str) -> Result<String> {
        let asked = Reference::parse(name).map_err(|error| Error::invalid(error.to_string()))?;
        let platform_of: Platform = platform.parse().map_err(source_error)?;
        if self.imported_image(&asked, &platform_of)?.is_some() {
            return Ok(name.to_owned());
        }
        let mut tried = Vec::new();
        for source in [
            format!("containers-storage:{asked}"),
            format!("docker-daemon:{asked}"),
        ] {
            let host = |path: &str| PathBuf::from(path);
            let local = format!("{LOCAL}/{}", asked.repository());
            let local = format!("{local}:{}", asked.tag().unwrap_or("latest"));
            match self
                .import_image(&source, host, "", Some(&local), platform)
                .await
            {
                Ok(image) => return Ok(image.name),
                Err(error) => tried.push(format!("{source}: {}", error.full_message())),
            }
        }
        Err(Error::new(
            Kind::Invalid,
            format!("no image `{name}` on this host:\n{}", tried.join("\n")),
        )
        .hint("`nsci image import` takes images out of archives; `from` asks registries"))
    }

    async fn open_image_file(
        &self,
        path: &Path,
        tag: &str,
        platform: &str,
    ) -> Result<(Arc<Found>, Option<String>)> {
        let images = if path.is_dir() {
            LocalImages::layout(path.to_owned())
        } else {
            let file = std::fs::File::open(path).map_err(|error| {
                let what = format!("cannot read {}", path.display());
                Error::caused(Kind::Invalid, what, error)
            })?;
            self.open_archive(file, &path.display().to_string()).await?
        };
        let names = images.names().map_err(source_error)?;
        let found = self.local_image(&images, tag, platform).await?;
        let name = match (names.as_slice(), tag) {
            ([only], _) => Some(only.clone()),
            (_, "") => None,
            (_, tag) => Some(tag.to_owned()),
        };
        // A bare tag says nothing about what it is a tag of.
        Ok((found, name.filter(|name| name.contains([':', '/']))))
    }

    /// Keeps the manifest and configuration of an image beside its layers, under a name.
    fn keep(&self, reference: &Reference, found: &Found) -> Result<()> {
        let content = self.store().content();
        let resolved = &found.resolved;
        for bytes in [&resolved.manifest, &resolved.config_bytes] {
            content.put_bytes(bytes).map_err(store_error)?;
        }
        self.note_name(reference, found);
        let image = NamedImage::of(String::new(), found);
        let refs = Refs {
            blobs: image
                .blobs
                .iter()
                .flat_map(|digest| digest.parse())
                .collect(),
            ..Refs::default()
        };
        let key = fingerprint("image-name", &resolved.manifest_digest.to_string());
        let what = format!("image {reference}");
        self.cache
            .remember("image-name", &key, &image, refs, &what, Duration::ZERO);
        Ok(())
    }

    /// An image that was imported under a name; nothing if there is none, as for every image of a registry.
    pub(in crate::ops) fn imported_image(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Option<Found>> {
        if reference.registry() != LOCAL {
            return Ok(None);
        }
        let manifest = match reference.digest() {
            Some(digest) => Some(digest.to_string()),
            None => {
                let name = reference.to_string();
                let images = self.named_images()?;
                let all = images.into_iter().filter(|image| image.name == name);
                let all: Vec<NamedImage> = all.collect();
                let exact = all.iter().find(|i| i.platform == platform.to_string());
                exact.or(all.first()).map(|image| image.manifest.clone())
            }
        };
        let Some(digest) = manifest.and_then(|digest| digest.parse::<Digest>().ok()) else {
            return Ok(None);
        };
        let key = fingerprint("image-name", &digest.to_string());
        let lost = || {
            Error::invalid(format!("image {reference} is no longer in the store"))
                .hint("import it again")
        };
        let image: NamedImage = self.cache.recall("image-name", &key).ok_or_else(lost)?;
        let (kept, all) = self.kept_blobs(&image);
        if kept != all {
            return Err(lost());
        }
        let resolved = self
            .images
            .resolve_stored(&reference.to_string(), &digest)
            .map_err(source_error)?
            .ok_or_else(lost)?;
        let blobs = self.images.stored_blobs();
        Ok(Some(Found { resolved, blobs }))
    }

    /// Forgets a name; whether it was known. What nothing else needs goes with the next collection.
    ///
    /// # Errors
    /// If the name is none.
    pub fn remove_image(&self, address: &str) -> Result<bool> {
        let reference = Reference::parse(address).map_err(|e| Error::invalid(e.to_string()))?;
        let local = local_name(address)?.to_string();
        let mut known = false;
        for image in self.named_images()? {
            if image.name == reference.to_string() || image.name == local {
                let file = self.name_file(&image.name, &image.platform);
                known |= std::fs::remove_file(file).is_ok();
            }
        }
        Ok(known)
    }
}

/// `path[:name]` of a transport.
fn split_location(location: &str) -> (&str, Option<&str>) {
    match location.split_once(':') {
        Some((path, name)) => (path, Some(name)),
        None => (location, None),
    }
}

/// A name on the host of images that are in no registry; names of registries keep their last part.
fn local_name(name: &str) -> Result<Reference> {
    let invalid = |error: crate::source::reference::ParseError| Error::invalid(error.to_string());
    let parsed = Reference::parse(name).map_err(invalid)?;
    if parsed.registry() == LOCAL {
        return Ok(parsed);
    }
    let repository = parsed.repository();
    let repository = match parsed.registry() {
        "docker.io" => repository.strip_prefix("library/").unwrap_or(repository),
        _ => repository,
    };
    let tag = parsed.tag().unwrap_or("latest");
    Reference::parse(&format!("{LOCAL}/{repository}:{tag}")).map_err(invalid)
}

/// An image to be written as it came, bytes of manifest and configuration included.
fn as_it_is(found: &Arc<Found>) -> ExportedImage {
    let resolved = &found.resolved;
    let layers: Vec<LayerBlob> = resolved
        .layers
        .iter()
        .map(|layer| LayerBlob {
            digest: layer.digest().clone(),
            size: layer.size(),
            diff_id: layer.diff_id.clone(),
            compression: super::blobs::packing(layer.compression),
            history: None,
        })
        .collect();
    let origins = resolved.layers.iter().map(|layer| {
        let origin = Origin::Image(Arc::clone(found), layer.clone());
        (layer.digest().clone(), origin)
    });
    let origins = origins.collect();
    let image = Image {
        platform: resolved.platform.to_string(),
        manifest: Blob {
            digest: resolved.manifest_digest.clone(),
            bytes: Arc::clone(&resolved.manifest),
            media_type: resolved.media_type.clone(),
        },
        config: Blob {
            digest: resolved.config_digest.clone(),
            bytes: Arc::clone(&resolved.config_bytes),
            media_type: String::new(),
        },
        layers,
    };
    let index = Index {
        images: vec![image],
        list: None,
    };
    ExportedImage { index, origins }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_imports_are_on_the_local_host() {
        for (name, want) in [
            ("app", "localhost/app:latest"),
            ("app:1", "localhost/app:1"),
            ("docker.io/library/app:1", "localhost/app:1"),
            ("docker.io/org/app:1", "localhost/org/app:1"),
            ("ghcr.io/org/app:1", "localhost/org/app:1"),
            ("localhost/app:1", "localhost/app:1"),
        ] {
            assert_eq!(local_name(name).unwrap().to_string(), want, "{name}");
        }
        assert!(local_name("NOT A NAME").is_err());
    }
}
