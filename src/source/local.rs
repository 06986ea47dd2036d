//! Images in files: OCI layouts as directories or archives, and what `docker save` writes. Needs no other program.
//!
//! [`LocalImages`] lists what a file holds and resolves one of it. Bytes are checked as those of a registry are.
//!
//! # References
//! - OCI image-spec 1.1, [image layout](https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md)
//! - [docker save](https://docs.docker.com/reference/cli/docker/image/save/)

use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use oci_spec::image::{Descriptor, Digest};
use serde::Deserialize;
use serde_json::json;

use super::blob_body::{BlobBody, BlobSource};
use super::image::{
    Document, Hasher, IndexEntry, Manifest, OCI_MANIFEST, Parts, choose, sha256, verify,
};
use super::pull::BoxFuture;
use super::{BlobStore, Error, Platform, Resolved};

const MAX_DOCUMENT: u64 = 32 << 20;
const MAX_INDEX_DEPTH: usize = 3;
const MAX_LINKS: usize = 8;

/// Where something is in a file.
#[derive(Debug, Clone, Copy)]
struct Span {
    offset: u64,
    length: u64,
}

#[derive(Debug)]
enum Place {
    Dir(PathBuf),
    Archive {
        file: Arc<File>,
        spans: HashMap<String, Span>,
        links: HashMap<String, String>,
    },
}

/// The images of a layout or archive.
#[derive(Debug, Clone)]
pub struct LocalImages {
    place: Arc<Place>,
    /// How people call it.
    name: Arc<str>,
}

#[derive(Deserialize)]
struct LayoutIndex {
    manifests: Vec<LayoutEntry>,
}

#[derive(Deserialize)]
struct LayoutEntry {
    digest: Digest,
    platform: Option<LayoutPlatform>,
    #[serde(default)]
    annotations: HashMap<String, String>,
}

#[derive(Deserialize)]
struct LayoutPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl LayoutEntry {
    /// Every name that it goes by.
    fn names(&self) -> impl Iterator<Item = &str> {
        let keys = [
            "org.opencontainers.image.ref.name",
            "io.containerd.image.name",
        ];
        keys.into_iter()
            .filter_map(|key| self.annotations.get(key).map(String::as_str))
    }

    fn is_called(&self, wanted: &str) -> bool {
        self.names().any(|name| is_called(name, wanted))
    }
}

/// Whether a name is the one wanted, or has it as its tag.
fn is_called(name: &str, wanted: &str) -> bool {
    name == wanted
        || name
            .rsplit_once(':')
            .is_some_and(|(_, tag)| !tag.contains('/') && tag == wanted)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Saved {
    config: String,
    repo_tags: Option<Vec<String>>,
    #[serde(default)]
    layers: Vec<String>,
}

impl LocalImages {
    /// Opens a directory in the shape of an OCI layout.
    #[must_use]
    pub fn layout(dir: PathBuf) -> Self {
        Self {
            name: dir.display().to_string().into(),
            place: Arc::new(Place::Dir(dir)),
        }
    }

    /// Reads the table of contents of an uncompressed archive; `name` is for messages. Blocks.
    ///
    /// # Errors
    /// [`Error::Malformed`] if it is none.
    pub fn archive(file: File, name: &str) -> Result<Self, Error> {
        let malformed = |error: io::Error| Error::Malformed {
            what: format!("image archive {name}"),
            reason: error.to_string(),
        };
        let mut spans = HashMap::new();
        let mut links = HashMap::new();
        let mut archive = tar::Archive::new(&file);
        for entry in archive.entries_with_seek().map_err(malformed)? {
            let entry = entry.map_err(malformed)?;
            let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let path = path.trim_start_matches("./").to_owned();
            let kind = entry.header().entry_type();
            if kind.is_file() {
                let span = Span {
                    offset: entry.raw_file_position(),
                    length: entry.size(),
                };
                spans.insert(path, span);
            } else if kind.is_symlink() || kind.is_hard_link() {
                let target = entry.link_name_bytes().unwrap_or_default();
                let target = String::from_utf8_lossy(&target).into_owned();
                let base = path.rsplit_once('/').map_or("", |(dir, _)| dir);
                let target = match kind.is_symlink() {
                    true => join(base, &target),
                    false => target,
                };
                links.insert(path, target);
            }
        }
        let file = Arc::new(file);
        Ok(Self {
            place: Arc::new(Place::Archive { file, spans, links }),
            name: name.into(),
        })
    }

    /// Finds an image: the one called `wanted` (a name or a tag), or the only one if that is empty. Blocks.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NoPlatform`], [`Error::Malformed`], [`Error::Unsupported`].
    pub fn resolve(
        &self,
        wanted: &str,
        platform: &Platform,
    ) -> Result<(Resolved, LocalBlobs), Error> {
        if let Some(bytes) = self.read("index.json")? {
            return self.resolve_layout(&bytes, wanted, platform);
        }
        match self.read("manifest.json")? {
            Some(bytes) => self.resolve_saved(&bytes, wanted),
            None => Err(self.malformed("it holds neither index.json nor manifest.json")),
        }
    }

    fn resolve_layout(
        &self,
        index: &[u8],
        wanted: &str,
        platform: &Platform,
    ) -> Result<(Resolved, LocalBlobs), Error> {
        let index: LayoutIndex = serde_json::from_slice(index)
            .map_err(|error| self.malformed(&format!("index.json: {error}")))?;
        let called = |entry: &&LayoutEntry| wanted.is_empty() || entry.is_called(wanted);
        let found: Vec<&LayoutEntry> = index.manifests.iter().filter(called).collect();
        let names = || index.manifests.iter().flat_map(LayoutEntry::names);
        let digest = match found.as_slice() {
            [] => return Err(self.not_found(wanted, names())),
            [only] => only.digest.clone(),
            several if several.iter().all(|entry| entry.platform.is_some()) => {
                let entries: Vec<IndexEntry> = several.iter().map(|e| index_entry(e)).collect();
                choose(&self.name, &entries, platform)?.digest.clone()
            }
            _ => return Err(self.several(names())),
        };
        self.descend(digest, platform)
    }

    fn descend(&self, top: Digest, platform: &Platform) -> Result<(Resolved, LocalBlobs), Error> {
        let mut digest = top.clone();
        for _ in 0..MAX_INDEX_DEPTH {
            let bytes = self.document(&digest)?;
            match Document::parse(&self.name, &bytes, None)? {
                Document::Index(entries) => {
                    digest = choose(&self.name, &entries, platform)?.digest.clone();
                }
                Document::Manifest(manifest) => {
                    let config_bytes = self.document(manifest.config.digest())?.into();
                    let resolved = Resolved::assemble(Parts {
                        name: Arc::clone(&self.name),
                        digest: top,
                        manifest_digest: digest,
                        manifest_bytes: bytes.into(),
                        manifest,
                        config_bytes,
                    })?;
                    return Ok((resolved, self.blobs(HashMap::new())));
                }
            }
        }
        Err(self.malformed(&format!("indexes are nested deeper than {MAX_INDEX_DEPTH}")))
    }

    /// What `docker save` of older versions writes has no manifest; one is made of what is there.
    fn resolve_saved(&self, list: &[u8], wanted: &str) -> Result<(Resolved, LocalBlobs), Error> {
        let list: Vec<Saved> = serde_json::from_slice(list)
            .map_err(|error| self.malformed(&format!("manifest.json: {error}")))?;
        let tags = |saved: &Saved| saved.repo_tags.clone().unwrap_or_default();
        let called =
            |saved: &&Saved| wanted.is_empty() || tags(saved).iter().any(|t| is_called(t, wanted));
        let found: Vec<&Saved> = list.iter().filter(called).collect();
        let all: Vec<String> = list.iter().flat_map(tags).collect();
        let saved = match found.as_slice() {
            [] => return Err(self.not_found(wanted, all.iter().map(String::as_str))),
            [only] => only,
            _ => return Err(self.several(all.iter().map(String::as_str))),
        };
        let config_bytes = self
            .read(&saved.config)?
            .ok_or_else(|| self.malformed(&format!("{} is missing", saved.config)))?;
        let mut places = HashMap::new();
        let mut layers = Vec::new();
        for path in &saved.layers {
            let (descriptor, media_type) = self.saved_layer(path)?;
            layers.push(json!({
                "mediaType": media_type, "digest": descriptor.0.to_string(), "size": descriptor.1,
            }));
            places.insert(descriptor.0, path.clone());
        }
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {
                "mediaType": "application/vnd.oci.image.config.v1+json",
                "digest": sha256(&config_bytes).to_string(), "size": config_bytes.len(),
            },
            "layers": layers,
        });
        let bytes = manifest.to_string().into_bytes();
        let Document::Manifest(manifest) = Document::parse(&self.name, &bytes, None)? else {
            return Err(self.malformed("it holds no manifest"));
        };
        let digest = sha256(&bytes);
        let resolved = Resolved::assemble(Parts {
            name: Arc::clone(&self.name),
            digest: digest.clone(),
            manifest_digest: digest,
            manifest_bytes: bytes.into(),
            manifest: Box::<Manifest>::clone(&manifest),
            config_bytes: config_bytes.into(),
        })?;
        Ok((resolved, self.blobs(places)))
    }

    /// Digest, size and media type of a layer that only has a path.
    fn saved_layer(&self, path: &str) -> Result<((Digest, u64), &'static str), Error> {
        let missing = || self.malformed(&format!("{path} is missing"));
        let (file, span) = self
            .place
            .find(path)
            .map_err(|e| self.io(e))?
            .ok_or_else(missing)?;
        let mut hasher = Hasher::for_digest(&sha256(b""))?;
        let mut buffer = vec![0; 256 << 10];
        let mut start = [0_u8; 4];
        let mut at = 0;
        while at < span.length {
            let want = usize::try_from(span.length - at)
                .unwrap_or(usize::MAX)
                .min(buffer.len());
            file.read_exact_at(&mut buffer[..want], span.offset + at)
                .map_err(|e| self.io(e))?;
            if at == 0 {
                let first = want.min(4);
                start[..first].copy_from_slice(&buffer[..first]);
            }
            hasher.update(&buffer[..want]);
            at += want as u64;
        }
        let media_type = match start {
            [0x1f, 0x8b, ..] => "application/vnd.oci.image.layer.v1.tar+gzip",
            [0x28, 0xb5, 0x2f, 0xfd] => "application/vnd.oci.image.layer.v1.tar+zstd",
            _ => "application/vnd.oci.image.layer.v1.tar",
        };
        Ok(((hasher.finish(), span.length), media_type))
    }

    /// Every name that an image of it goes by, in order.
    ///
    /// # Errors
    /// [`Error::Malformed`].
    pub fn names(&self) -> Result<Vec<String>, Error> {
        if let Some(bytes) = self.read("index.json")? {
            let index: LayoutIndex = serde_json::from_slice(&bytes)
                .map_err(|error| self.malformed(&format!("index.json: {error}")))?;
            let names = index.manifests.iter().filter_map(|e| e.names().last());
            return Ok(names.map(str::to_owned).collect());
        }
        let bytes = self
            .read("manifest.json")?
            .unwrap_or_else(|| b"[]".to_vec());
        let list: Vec<Saved> = serde_json::from_slice(&bytes)
            .map_err(|error| self.malformed(&format!("manifest.json: {error}")))?;
        let tags = list.into_iter().flat_map(|saved| saved.repo_tags);
        Ok(tags.flatten().collect())
    }

    fn blobs(&self, places: HashMap<Digest, String>) -> LocalBlobs {
        LocalBlobs {
            images: self.clone(),
            places: Arc::new(places),
        }
    }

    /// A manifest, index or configuration, checked.
    fn document(&self, digest: &Digest) -> Result<Vec<u8>, Error> {
        let path = blob_path(digest);
        let bytes = self
            .read(&path)?
            .ok_or_else(|| self.malformed(&format!("{path} is missing")))?;
        verify(|| format!("{path} of {}", self.name), &bytes, digest)?;
        Ok(bytes)
    }

    fn read(&self, path: &str) -> Result<Option<Vec<u8>>, Error> {
        let Some((file, span)) = self.place.find(path).map_err(|e| self.io(e))? else {
            return Ok(None);
        };
        if span.length > MAX_DOCUMENT {
            return Err(self.malformed(&format!("{path} has {} bytes", span.length)));
        }
        let mut bytes = vec![0; usize::try_from(span.length).unwrap_or(0)];
        file.read_exact_at(&mut bytes, span.offset)
            .map_err(|e| self.io(e))?;
        Ok(Some(bytes))
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io {
            action: format!("read {}", self.name),
            source,
        }
    }

    fn malformed(&self, reason: &str) -> Error {
        Error::Malformed {
            what: format!("image archive {}", self.name),
            reason: reason.to_owned(),
        }
    }

    fn not_found<'a>(&self, wanted: &str, names: impl Iterator<Item = &'a str>) -> Error {
        let names: Vec<&str> = names.collect();
        let problem = match names.as_slice() {
            [] => "it names none of its images".to_owned(),
            names => format!("it holds {}", names.join(", ")),
        };
        let url = self.name.to_string();
        Error::NotFound {
            image: wanted.to_owned(),
            tried: super::Tried(vec![super::Attempt { url, problem }]),
        }
    }

    fn several<'a>(&self, names: impl Iterator<Item = &'a str>) -> Error {
        let names: Vec<&str> = names.collect();
        Error::Unsupported {
            what: format!("image archive {} without a tag", self.name),
            reason: format!("it holds several images: {}", names.join(", ")),
        }
    }
}

fn index_entry(entry: &LayoutEntry) -> IndexEntry {
    let platform = entry.platform.as_ref();
    IndexEntry {
        digest: entry.digest.clone(),
        platform: platform.map(|p| Platform::new(&p.os, &p.architecture, p.variant.as_deref())),
    }
}

fn blob_path(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.digest())
}

/// A path relative to a directory, `..` resolved.
fn join(base: &str, path: &str) -> String {
    let mut parts: Vec<&str> = base.split('/').filter(|part| !part.is_empty()).collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.join("/")
}

impl Place {
    fn find(&self, path: &str) -> io::Result<Option<(Arc<File>, Span)>> {
        match self {
            Self::Dir(dir) => {
                let relative = Path::new(path);
                let plain = relative
                    .components()
                    .all(|part| matches!(part, std::path::Component::Normal(_)));
                if !plain {
                    return Ok(None);
                }
                let file = match File::open(dir.join(relative)) {
                    Ok(file) => file,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                    Err(error) => return Err(error),
                };
                let length = file.metadata()?.len();
                Ok(Some((Arc::new(file), Span { offset: 0, length })))
            }
            Self::Archive { file, spans, links } => {
                let mut path = path;
                for _ in 0..MAX_LINKS {
                    if let Some(span) = spans.get(path) {
                        return Ok(Some((Arc::clone(file), *span)));
                    }
                    match links.get(path) {
                        Some(target) => path = target,
                        None => return Ok(None),
                    }
                }
                Ok(None)
            }
        }
    }
}

/// Layers of an image in a file.
#[derive(Debug, Clone)]
pub struct LocalBlobs {
    images: LocalImages,
    /// Paths of blobs that are not where their digest says.
    places: Arc<HashMap<Digest, String>>,
}

impl BlobSource for LocalBlobs {
    fn open<'a>(
        &'a self,
        blob: &'a Descriptor,
        offset: u64,
    ) -> BoxFuture<'a, Result<BlobBody, Error>> {
        let path = match self.places.get(blob.digest()) {
            Some(path) => path.clone(),
            None => blob_path(blob.digest()),
        };
        let images = &self.images;
        Box::pin(async move {
            let found = images.place.find(&path).map_err(|e| images.io(e))?;
            let (file, span) =
                found.ok_or_else(|| images.malformed(&format!("{path} is missing")))?;
            let skip = offset.min(span.length);
            let (start, length) = (span.offset + skip, span.length - skip);
            Ok(BlobBody::part(file, start, length))
        })
    }
}

/// Layers whose blobs are in the store.
#[derive(Debug, Clone)]
pub struct StoredBlobs(pub Arc<dyn BlobStore>);

impl BlobSource for StoredBlobs {
    fn open<'a>(
        &'a self,
        blob: &'a Descriptor,
        offset: u64,
    ) -> BoxFuture<'a, Result<BlobBody, Error>> {
        Box::pin(async move {
            let path = self.0.path(blob.digest());
            let failed = Error::io(format!("read {}", path.display()));
            let file = File::open(&path).map_err(failed)?;
            let length = blob.size().saturating_sub(offset);
            Ok(BlobBody::part(Arc::new(file), offset, length))
        })
    }
}

#[cfg(test)]
mod tests;
