//! Image archives: a tar that is an OCI image layout and, for a single image, what `docker load` reads as well.
//!
//! Blobs stand in the order of their digests and every entry has the same time, so equal images are equal archives.
//!
//! # References
//! - OCI image-spec 1.1, [image layout](https://github.com/opencontainers/image-spec/blob/v1.1.0/image-layout.md)

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use oci_spec::image::Digest;
use serde_json::{Map, Value, json};
use tar::{Builder, EntryType, Header};

use super::image::{Blob, Index, LayerBlob};

const LAYOUT: &[u8] = br#"{"imageLayoutVersion":"1.0.0"}"#;

/// How an archive names its image.
#[derive(Debug, Clone, Default)]
pub struct Naming<'a> {
    /// The whole name, such as `docker.io/library/app:1`.
    pub name: Option<&'a str>,
    /// Its tag.
    pub tag: Option<&'a str>,
    /// Which tools are to read it.
    pub layout: Layout,
}

/// What an archive looks like.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Layout {
    /// An OCI layout, with Docker's table of contents besides where there is one image.
    #[default]
    Oci,
    /// Docker's table of contents alone, for tools that would rather not look at it otherwise.
    Docker,
}

enum Content<'a> {
    Blob(&'a Blob),
    Layer(&'a LayerBlob),
}

/// Writes an archive; `open` yields the blob of a layer.
///
/// # Errors
/// Those of the writer and of `open`, and if a layer is not as long as it should be.
pub fn write(
    out: impl Write,
    index: &Index,
    naming: &Naming<'_>,
    epoch: i64,
    open: &mut dyn FnMut(&LayerBlob) -> io::Result<Box<dyn Read>>,
) -> io::Result<()> {
    let mut tar = Tar {
        out: Builder::new(out),
        mtime: epoch.max(0).cast_unsigned(),
    };
    tar.dir("blobs/")?;
    tar.dir("blobs/sha256/")?;
    for (path, content) in blobs(index) {
        match content {
            Content::Blob(blob) => tar.file(&path, &*blob.bytes, blob.bytes.len() as u64)?,
            Content::Layer(layer) => tar.file(&path, open(layer)?, layer.size)?,
        }
    }
    if naming.layout == Layout::Oci {
        tar.bytes("index.json", &layout_index(index, naming))?;
    }
    if let [image] = index.images.as_slice() {
        let layers: Vec<String> = image.layers.iter().map(|l| place(&l.digest)).collect();
        let tags: Option<Vec<&str>> = naming.name.map(|name| vec![name]);
        let manifest = json!([{
            "Config": place(&image.config.digest),
            "RepoTags": tags,
            "Layers": layers,
        }]);
        tar.bytes("manifest.json", manifest.to_string().as_bytes())?;
    }
    if naming.layout == Layout::Oci {
        tar.bytes("oci-layout", LAYOUT)?;
    }
    tar.out.into_inner()?.flush()
}

fn place(digest: &Digest) -> String {
    format!("blobs/{}/{}", digest.algorithm(), digest.digest())
}

fn blobs(index: &Index) -> BTreeMap<String, Content<'_>> {
    let mut blobs = BTreeMap::new();
    for image in &index.images {
        for blob in [&image.manifest, &image.config] {
            blobs.insert(place(&blob.digest), Content::Blob(blob));
        }
        for layer in &image.layers {
            blobs.insert(place(&layer.digest), Content::Layer(layer));
        }
    }
    if let Some(list) = &index.list {
        blobs.insert(place(&list.digest), Content::Blob(list));
    }
    blobs
}

fn layout_index(index: &Index, naming: &Naming<'_>) -> Vec<u8> {
    let top = index.top();
    let mut entry = json!({
        "mediaType": top.media_type,
        "digest": top.digest.to_string(),
        "size": top.bytes.len(),
    });
    let mut notes = Map::new();
    if let Some(name) = naming.name {
        notes.insert("io.containerd.image.name".into(), name.into());
    }
    if let Some(tag) = naming.tag {
        notes.insert("org.opencontainers.image.ref.name".into(), tag.into());
    }
    if !notes.is_empty() {
        entry["annotations"] = Value::Object(notes);
    }
    let layout = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [entry],
    });
    layout.to_string().into_bytes()
}

struct Tar<W: Write> {
    out: Builder<W>,
    mtime: u64,
}

impl<W: Write> Tar<W> {
    fn header(&self, kind: EntryType, mode: u32, size: u64) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_mode(mode);
        header.set_uid(0);
        header.set_gid(0);
        header.set_mtime(self.mtime);
        header.set_size(size);
        header
    }

    fn dir(&mut self, path: &str) -> io::Result<()> {
        let mut header = self.header(EntryType::Directory, 0o755, 0);
        self.out.append_data(&mut header, path, io::empty())
    }

    fn file(&mut self, path: &str, content: impl Read, size: u64) -> io::Result<()> {
        let mut header = self.header(EntryType::Regular, 0o644, size);
        let mut counted = Counted {
            inner: content.take(size),
            read: 0,
        };
        self.out.append_data(&mut header, path, &mut counted)?;
        if counted.read == size {
            return Ok(());
        }
        Err(io::Error::other(format!(
            "{path} has {} bytes instead of {size}",
            counted.read
        )))
    }

    fn bytes(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        self.file(path, bytes, bytes.len() as u64)
    }
}

struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.read += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exporter::{Compression, ImageSpec, MediaTypes, assemble, index};
    use crate::graph::ImageConfig;

    fn image(layer: &[u8], platform: &str) -> crate::exporter::Image {
        let blob = Blob::new(layer.to_vec(), "");
        let layers = [LayerBlob {
            digest: blob.digest.clone(),
            size: layer.len() as u64,
            diff_id: blob.digest,
            compression: Compression::None,
            history: None,
        }];
        assemble(&ImageSpec {
            platform,
            config: &ImageConfig::default(),
            layers: &layers,
            base: None,
            annotations: &[],
            media_types: MediaTypes::Oci,
            epoch: None,
        })
    }

    fn written(index: &Index, layer: &'static [u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        let naming = Naming {
            name: Some("docker.io/library/app:1"),
            tag: Some("1"),
            layout: Layout::Oci,
        };
        let mut open = |_: &LayerBlob| Ok(Box::new(layer) as Box<dyn Read>);
        write(&mut out, index, &naming, 7, &mut open)?;
        Ok(out)
    }

    fn files(archive: &[u8]) -> BTreeMap<String, Vec<u8>> {
        let mut archive = tar::Archive::new(archive);
        let entries = archive.entries().unwrap();
        entries
            .map(|entry| {
                let mut entry = entry.unwrap();
                assert_eq!(entry.header().mtime().unwrap(), 7);
                let mut data = Vec::new();
                entry.read_to_end(&mut data).unwrap();
                (entry.path().unwrap().display().to_string(), data)
            })
            .collect()
    }

    #[test]
    fn archive_is_a_layout_and_loads_into_docker() {
        let index = index(vec![image(b"layer", "linux/amd64")], MediaTypes::Oci);
        let files = files(&written(&index, b"layer").unwrap());
        let json = |path: &str| -> Value { serde_json::from_slice(&files[path]).unwrap() };
        let layout = json("index.json");
        let top = &layout["manifests"][0];
        assert_eq!(top["annotations"]["org.opencontainers.image.ref.name"], "1");
        let blob = |digest: &Value| {
            let digest = digest.as_str().unwrap().replace(':', "/");
            json(&format!("blobs/{digest}"))
        };
        assert_eq!(top["digest"], index.top().digest.to_string());
        assert_eq!(blob(&top["digest"])["schemaVersion"], 2);
        let docker = json("manifest.json");
        assert_eq!(docker[0]["RepoTags"], json!(["docker.io/library/app:1"]));
        assert_eq!(files[docker[0]["Layers"][0].as_str().unwrap()], b"layer");
        assert!(files.contains_key(docker[0]["Config"].as_str().unwrap()));
        assert_eq!(files["oci-layout"], LAYOUT);
    }

    #[test]
    fn several_platforms_make_no_docker_archive() {
        let images = vec![
            image(b"layer", "linux/amd64"),
            image(b"layer", "linux/arm64"),
        ];
        let index = index(images, MediaTypes::Oci);
        let files = files(&written(&index, b"layer").unwrap());
        assert!(!files.contains_key("manifest.json"));
        // Two manifests, two configurations, the list, one layer.
        let blobs = files
            .keys()
            .filter(|path| path.starts_with("blobs/sha256/"));
        assert_eq!(blobs.filter(|path| !path.ends_with('/')).count(), 6);
    }

    #[test]
    fn layer_of_another_length_is_refused() {
        let index = index(vec![image(b"layer", "linux/amd64")], MediaTypes::Oci);
        let error = written(&index, b"lay").unwrap_err();
        assert!(
            error.to_string().contains("3 bytes instead of 5"),
            "{error}"
        );
    }
}
