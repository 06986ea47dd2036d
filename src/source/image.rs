//! Manifests, indexes and configs: bytes in, typed image out.
//!
//! Pure parsing and choosing; nothing here does I/O. OCI and Docker formats are read alike, because they
//! differ in media types only.
//!
//! # References
//! - OCI image-spec 1.1, [manifest](https://github.com/opencontainers/image-spec/blob/v1.1.0/manifest.md),
//!   [image index](https://github.com/opencontainers/image-spec/blob/v1.1.0/image-index.md)
//! - [containerd platform matching](https://github.com/containerd/platforms/blob/v1.0.0/compare.go)

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use oci_spec::image::{Descriptor, Digest, ImageConfiguration};
use serde::Deserialize;
use sha2::Digest as _;

use super::Error;

/// OCI image manifest.
pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
/// OCI image index.
pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// Docker image manifest, schema 2.
pub const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker manifest list.
pub const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// What an image runs on: `linux/amd64`, `linux/arm/v7`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Platform {
    /// Operating system in Go's words.
    pub os: String,
    /// Architecture in Go's words.
    pub arch: String,
    /// Variant, normalised: absent where it is the only one (`arm64`), present where it matters (`arm/v7`).
    pub variant: Option<String>,
}

impl Platform {
    /// Builds a platform from loose names such as `x86_64` or `aarch64`.
    #[must_use]
    pub fn new(os: &str, arch: &str, variant: Option<&str>) -> Self {
        let os = match os.to_ascii_lowercase().as_str() {
            "macos" => "darwin".to_owned(),
            other => other.to_owned(),
        };
        let arch = arch.to_ascii_lowercase();
        let variant = variant
            .filter(|v| !v.is_empty())
            .map(str::to_ascii_lowercase);
        let (arch, variant) = match (arch.as_str(), variant.as_deref()) {
            ("x86_64" | "x86-64" | "amd64", None | Some("v1")) => ("amd64", None),
            ("x86_64" | "x86-64", Some(v)) => ("amd64", Some(v)),
            ("aarch64" | "arm64", None | Some("8" | "v8")) => ("arm64", None),
            ("aarch64", Some(v)) => ("arm64", Some(v)),
            ("armhf", _) => ("arm", Some("v7")),
            ("armel", _) => ("arm", Some("v6")),
            ("arm", None | Some("7")) => ("arm", Some("v7")),
            ("arm", Some("6")) => ("arm", Some("v6")),
            ("arm", Some("5")) => ("arm", Some("v5")),
            ("i386" | "i686", _) => ("386", None),
            (arch, variant) => (arch, variant),
        };
        Self {
            os,
            arch: arch.to_owned(),
            variant: variant.map(str::to_owned),
        }
    }

    /// Linux on the machine this program was compiled for.
    #[must_use]
    pub fn host() -> Self {
        Self::new("linux", std::env::consts::ARCH, None)
    }

    /// How well `offered` serves `self`: 0 is exact, higher is an older variant, `None` not at all.
    fn distance(&self, offered: &Self) -> Option<u32> {
        if self.os != offered.os || self.arch != offered.arch {
            return None;
        }
        let level = |p: &Self| -> Option<u32> {
            match p.variant.as_deref() {
                None if p.arch == "arm64" => Some(8),
                None => Some(1),
                Some(v) => v.strip_prefix('v')?.split('.').next()?.parse().ok(),
            }
        };
        match (level(self), level(offered)) {
            _ if self.variant == offered.variant => Some(0),
            (Some(wanted), Some(have)) => wanted.checked_sub(have),
            _ => None,
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)?;
        match &self.variant {
            Some(variant) => write!(f, "/{variant}"),
            None => Ok(()),
        }
    }
}

impl FromStr for Platform {
    type Err = Error;

    /// Reads `os/arch[/variant]`, or an architecture alone, which means Linux.
    fn from_str(text: &str) -> Result<Self, Error> {
        let parts: Vec<&str> = text.trim().split('/').collect();
        let word = |w: &&str| {
            !w.is_empty()
                && w.bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        };
        match parts.as_slice() {
            _ if !parts.iter().all(word) => {}
            [arch] if *arch != "linux" => return Ok(Self::new("linux", arch, None)),
            [os, arch] => return Ok(Self::new(os, arch, None)),
            [os, arch, variant] => return Ok(Self::new(os, arch, Some(variant))),
            _ => {}
        }
        Err(Error::Malformed {
            what: format!("platform `{text}`"),
            reason: "it should look like linux/amd64 or linux/arm/v7".into(),
        })
    }
}

/// How a layer's tar is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Compression {
    /// Plain tar.
    None,
    /// gzip, possibly several members.
    Gzip,
    /// Zstandard, possibly several frames.
    Zstd,
}

/// One layer of a resolved image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    /// The compressed blob.
    pub descriptor: Descriptor,
    /// Digest of the uncompressed tar, as the config claims. Whoever unpacks must check it.
    pub diff_id: Digest,
    /// Packing, from the media type.
    pub compression: Compression,
}

impl Layer {
    /// Digest of the compressed blob.
    #[must_use]
    pub fn digest(&self) -> &Digest {
        self.descriptor.digest()
    }

    /// Size of the compressed blob in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.descriptor.size()
    }
}

/// An image for one platform: everything but the contents of its layers.
#[derive(Debug, Clone)]
pub struct Resolved {
    /// Normal form of the reference asked for.
    pub name: Arc<str>,
    /// What the reference points at, index or manifest; the digest `docker pull` reports.
    pub digest: Digest,
    /// The manifest of the chosen platform.
    pub manifest_digest: Digest,
    /// Its bytes.
    pub manifest: Arc<[u8]>,
    /// Its media type.
    pub media_type: String,
    /// The image config.
    pub config_digest: Digest,
    /// Its bytes; holds Docker's extensions that [`Resolved::config`] does not.
    pub config_bytes: Arc<[u8]>,
    /// Its parsed form.
    pub config: ImageConfiguration,
    /// Platform of the image itself.
    pub platform: Platform,
    /// Layers, lowest first.
    pub layers: Vec<Layer>,
}

impl Resolved {
    /// Compressed size of all layers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.layers.iter().map(Layer::size).sum()
    }

    /// Puts an image together from the bytes of its manifest; `config` finds its configuration.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Unsupported`]; [`Error::DigestMismatch`] if the configuration is another.
    pub fn of_manifest(
        name: &str,
        bytes: Vec<u8>,
        config: impl FnOnce(&Digest) -> Option<Vec<u8>>,
    ) -> Result<Option<Self>, Error> {
        let Document::Manifest(manifest) = Document::parse(name, &bytes, None)? else {
            return Ok(None);
        };
        let Some(config_bytes) = config(manifest.config.digest()) else {
            return Ok(None);
        };
        verify(
            || format!("config of {name}"),
            &config_bytes,
            manifest.config.digest(),
        )?;
        let digest = sha256(&bytes);
        Self::assemble(Parts {
            name: name.into(),
            digest: digest.clone(),
            manifest_digest: digest,
            manifest_bytes: bytes.into(),
            manifest,
            config_bytes: config_bytes.into(),
        })
        .map(Some)
    }

    /// Puts an image together from verified bytes.
    ///
    /// # Errors
    /// [`Error::Malformed`] and [`Error::Unsupported`].
    pub(crate) fn assemble(parts: Parts) -> Result<Self, Error> {
        let Parts {
            name,
            digest,
            manifest_digest,
            manifest_bytes,
            manifest,
            config_bytes,
        } = parts;
        let config: ImageConfiguration =
            serde_json::from_slice(&config_bytes).map_err(|e| Error::Malformed {
                what: format!("config of {name}"),
                reason: e.to_string(),
            })?;
        let layers = pair_layers(&name, &manifest, &config)?;
        let platform = Platform::new(
            &config.os().to_string(),
            &config.architecture().to_string(),
            config.variant().as_deref(),
        );
        Ok(Self {
            name,
            digest,
            manifest_digest,
            manifest: manifest_bytes,
            media_type: manifest.media_type,
            config_digest: manifest.config.digest().clone(),
            config_bytes,
            config,
            platform,
            layers,
        })
    }
}

/// What [`Resolved::assemble`] needs.
#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) name: Arc<str>,
    pub(crate) digest: Digest,
    pub(crate) manifest_digest: Digest,
    pub(crate) manifest_bytes: Arc<[u8]>,
    pub(crate) manifest: Box<Manifest>,
    pub(crate) config_bytes: Arc<[u8]>,
}

fn pair_layers(
    name: &str,
    manifest: &Manifest,
    config: &ImageConfiguration,
) -> Result<Vec<Layer>, Error> {
    let diff_ids = config.rootfs().diff_ids();
    if diff_ids.len() != manifest.layers.len() {
        return Err(Error::Malformed {
            what: format!("image {name}"),
            reason: format!(
                "the manifest has {} layers but the config {} diff ids",
                manifest.layers.len(),
                diff_ids.len()
            ),
        });
    }
    manifest
        .layers
        .iter()
        .zip(diff_ids)
        .map(|(descriptor, diff_id)| {
            let diff_id = diff_id.parse().map_err(|_| Error::Malformed {
                what: format!("config of {name}"),
                reason: format!("`{diff_id}` is not a digest"),
            })?;
            let compression = match compression(name, descriptor)? {
                // What docker-archive calls gzip is a plain tar; equal digests prove it.
                _ if *descriptor.digest() == diff_id => Compression::None,
                named => named,
            };
            Ok(Layer {
                descriptor: descriptor.clone(),
                diff_id,
                compression,
            })
        })
        .collect()
}

fn compression(name: &str, layer: &Descriptor) -> Result<Compression, Error> {
    let media_type = layer.media_type().to_string();
    let refuse = |reason: &str| Error::Unsupported {
        what: format!("layer {} of {name}", layer.digest()),
        reason: format!("{reason} (media type {media_type})"),
    };
    match media_type.as_str() {
        "application/vnd.oci.image.layer.v1.tar"
        | "application/vnd.docker.image.rootfs.diff.tar" => Ok(Compression::None),
        "application/vnd.oci.image.layer.v1.tar+gzip"
        | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Ok(Compression::Gzip),
        "application/vnd.oci.image.layer.v1.tar+zstd"
        | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Ok(Compression::Zstd),
        foreign if foreign.contains("nondistributable") || foreign.contains(".foreign.") => Err(
            refuse("it is a foreign layer that no registry may distribute"),
        ),
        sealed if sealed.ends_with("+encrypted") => Err(refuse("it is encrypted")),
        _ => Err(refuse("it is not a file-system layer")),
    }
}

/// A manifest of either format.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    pub(crate) media_type: String,
    pub(crate) config: Descriptor,
    pub(crate) layers: Vec<Descriptor>,
}

/// One line of an index.
#[derive(Debug, Clone)]
pub(crate) struct IndexEntry {
    pub(crate) digest: Digest,
    pub(crate) platform: Option<Platform>,
}

/// What a manifest URL can answer with.
#[derive(Debug, Clone)]
pub(crate) enum Document {
    Manifest(Box<Manifest>),
    Index(Vec<IndexEntry>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawDocument {
    schema_version: u32,
    media_type: Option<String>,
    config: Option<Descriptor>,
    layers: Option<Vec<Descriptor>>,
    manifests: Option<Vec<RawEntry>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RawEntry {
    digest: Digest,
    platform: Option<RawPlatform>,
    #[serde(default)]
    annotations: std::collections::HashMap<String, String>,
}

#[derive(Deserialize)]
struct RawPlatform {
    os: String,
    architecture: String,
    variant: Option<String>,
}

impl Document {
    /// Parses a manifest or an index; `content_type` is what the server called it, if anything.
    pub(crate) fn parse(
        image: &str,
        bytes: &[u8],
        content_type: Option<&str>,
    ) -> Result<Self, Error> {
        let malformed = |reason: String| Error::Malformed {
            what: format!("manifest of {image}"),
            reason,
        };
        let schema1 = || Error::Unsupported {
            what: format!("image {image}"),
            reason: "its manifest has the schema 1 format that Docker dropped in 2024; \
                     pull and push it again with a current tool"
                .into(),
        };
        if content_type.is_some_and(|t| t.contains("docker.distribution.manifest.v1+")) {
            return Err(schema1());
        }
        let raw: RawDocument = match serde_json::from_slice(bytes) {
            Ok(raw) => raw,
            Err(error) => return Err(malformed(error.to_string())),
        };
        if raw.schema_version == 1 {
            return Err(schema1());
        }
        if let Some(manifests) = raw.manifests {
            return Ok(Self::Index(
                manifests.into_iter().filter_map(entry).collect(),
            ));
        }
        let Some(config) = raw.config else {
            return Err(malformed("it has neither `manifests` nor `config`".into()));
        };
        let config_type = config.media_type().to_string();
        let is_image = matches!(
            config_type.as_str(),
            "application/vnd.oci.image.config.v1+json"
                | "application/vnd.docker.container.image.v1+json"
                | "application/octet-stream"
        );
        if !is_image {
            return Err(Error::Unsupported {
                what: format!("{image} as an image"),
                reason: format!("it is an artifact with config media type {config_type}"),
            });
        }
        let media_type = raw
            .media_type
            .or_else(|| content_type.map(str::to_owned))
            .unwrap_or_else(|| OCI_MANIFEST.to_owned());
        Ok(Self::Manifest(Box::new(Manifest {
            media_type,
            config,
            layers: raw.layers.unwrap_or_default(),
        })))
    }
}

/// Drops what is not an image: attestations of BuildKit say so, or claim an unknown platform.
fn entry(raw: RawEntry) -> Option<IndexEntry> {
    if raw.annotations.contains_key("vnd.docker.reference.type") {
        return None;
    }
    let platform = raw
        .platform
        .map(|p| Platform::new(&p.os, &p.architecture, p.variant.as_deref()));
    if platform
        .as_ref()
        .is_some_and(|p| p.os == "unknown" || p.arch == "unknown")
    {
        return None;
    }
    Some(IndexEntry {
        digest: raw.digest,
        platform,
    })
}

/// Picks the entry that suits `wanted` best; among equals the first, as the spec says.
pub(crate) fn choose<'a>(
    image: &str,
    entries: &'a [IndexEntry],
    wanted: &Platform,
) -> Result<&'a IndexEntry, Error> {
    let best = entries
        .iter()
        .filter_map(|e| Some((wanted.distance(e.platform.as_ref()?)?, e)))
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, e)| e);
    if let Some(best) = best {
        return Ok(best);
    }
    if let [only] = entries
        && only.platform.is_none()
    {
        return Ok(only);
    }
    let mut available: Vec<String> = entries
        .iter()
        .filter_map(|e| e.platform.as_ref())
        .map(ToString::to_string)
        .collect();
    available.dedup();
    Err(Error::NoPlatform {
        image: image.to_owned(),
        wanted: wanted.to_string(),
        available,
    })
}

/// Running digest in whichever algorithm a [`Digest`] names.
#[derive(Debug, Clone)]
pub(crate) enum Hasher {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    pub(crate) fn for_digest(digest: &Digest) -> Result<Self, Error> {
        match digest.algorithm().as_ref() {
            "sha256" => Ok(Self::Sha256(sha2::Sha256::new())),
            "sha512" => Ok(Self::Sha512(sha2::Sha512::new())),
            other => Err(Error::Unsupported {
                what: digest.to_string(),
                reason: format!("nsci cannot verify {other}"),
            }),
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(h) => h.update(bytes),
            Self::Sha512(h) => h.update(bytes),
        }
    }

    pub(crate) fn finish(self) -> Digest {
        let text = match self {
            Self::Sha256(h) => format!("sha256:{}", hex::encode(h.finalize())),
            Self::Sha512(h) => format!("sha512:{}", hex::encode(h.finalize())),
        };
        text.parse().expect("a hash in hexadecimal is a digest")
    }
}

/// Digest of bytes in memory.
#[must_use]
pub fn sha256(bytes: &[u8]) -> Digest {
    let mut hasher = Hasher::Sha256(sha2::Sha256::new());
    hasher.update(bytes);
    hasher.finish()
}

/// Refuses bytes that are not what `expected` names.
pub(crate) fn verify(
    what: impl FnOnce() -> String,
    bytes: &[u8],
    expected: &Digest,
) -> Result<(), Error> {
    let mut hasher = Hasher::for_digest(expected)?;
    hasher.update(bytes);
    let got = hasher.finish();
    if got == *expected {
        return Ok(());
    }
    Err(Error::DigestMismatch {
        what: what(),
        expected: expected.to_string(),
        got: got.to_string(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    fn platform(text: &str) -> Platform {
        text.parse().unwrap()
    }

    fn index(platforms: &[&str]) -> Vec<IndexEntry> {
        platforms
            .iter()
            .map(|p| IndexEntry {
                digest: sha256(p.as_bytes()),
                platform: Some(platform(p)),
            })
            .collect()
    }

    #[test]
    fn platforms_reach_their_normal_form() {
        let cases = [
            ("linux/amd64", "linux/amd64"),
            ("x86_64", "linux/amd64"),
            ("linux/arm64/v8", "linux/arm64"),
            ("linux/aarch64", "linux/arm64"),
            ("linux/arm", "linux/arm/v7"),
            ("linux/armhf", "linux/arm/v7"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("LINUX/AMD64", "linux/amd64"),
            ("windows/amd64", "windows/amd64"),
        ];
        for (input, normal) in cases {
            assert_eq!(platform(input).to_string(), normal);
        }
        for bad in ["", "linux", "a/b/c/d", "linux/", "li nux/x"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }

    #[test]
    fn nearest_variant_is_chosen() {
        let cases: [(&[&str], &str, Option<&str>); 8] = [
            (
                &["linux/arm64", "linux/amd64"],
                "linux/amd64",
                Some("linux/amd64"),
            ),
            (
                &["linux/arm/v6", "linux/arm/v7"],
                "linux/arm/v7",
                Some("linux/arm/v7"),
            ),
            (
                &["linux/arm/v5", "linux/arm/v6"],
                "linux/arm/v7",
                Some("linux/arm/v6"),
            ),
            (&["linux/arm/v7"], "linux/arm/v6", None),
            (
                &["linux/amd64", "linux/amd64/v3"],
                "linux/amd64/v2",
                Some("linux/amd64"),
            ),
            (&["linux/amd64/v3"], "linux/amd64", None),
            (&["windows/amd64"], "linux/amd64", None),
            (&["linux/arm64"], "linux/arm64/v8", Some("linux/arm64")),
        ];
        for (offered, wanted, chosen) in cases {
            let entries = index(offered);
            let got = choose("x", &entries, &platform(wanted)).ok();
            let got = got
                .and_then(|e| e.platform.as_ref())
                .map(ToString::to_string);
            assert_eq!(got.as_deref(), chosen, "{wanted} of {offered:?}");
        }
    }

    #[test]
    fn missing_platform_lists_what_there_is() {
        let error = choose(
            "a:1",
            &index(&["linux/arm64", "linux/s390x"]),
            &platform("linux/amd64"),
        )
        .unwrap_err();
        assert_eq!(
            error.to_string(),
            "image a:1 has nothing for linux/amd64\navailable: linux/arm64, linux/s390x"
        );
    }

    #[test]
    fn attestations_are_not_images() {
        let json = format!(
            r#"{{"schemaVersion":2,"manifests":[
            {{"mediaType":"m","digest":"{D}","size":1,"platform":{{"os":"unknown","architecture":"unknown"}}}},
            {{"mediaType":"m","digest":"{D}","size":1,"annotations":{{"vnd.docker.reference.type":"attestation-manifest"}}}},
            {{"mediaType":"m","digest":"{D}","size":1,"platform":{{"os":"linux","architecture":"amd64"}}}}]}}"#
        );
        match Document::parse("x", json.as_bytes(), None).unwrap() {
            Document::Index(entries) => assert_eq!(entries.len(), 1),
            Document::Manifest(m) => panic!("{m:?}"),
        }
    }

    #[test]
    fn unusable_documents_say_why() {
        let artifact = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"{D}","size":2}},"layers":[]}}"#
        );
        let cases = [
            (
                "{\"schemaVersion\":1,\"fsLayers\":[]}",
                None,
                "schema 1 format",
            ),
            (
                "{}",
                Some("application/vnd.docker.distribution.manifest.v1+prettyjws"),
                "schema 1",
            ),
            (
                "{\"schemaVersion\":2}",
                None,
                "neither `manifests` nor `config`",
            ),
            ("<html>", None, "manifest of x is malformed"),
            (
                artifact.as_str(),
                None,
                "an artifact with config media type application/vnd.cncf",
            ),
        ];
        for (text, content_type, wanted) in cases {
            let error = Document::parse("x", text.as_bytes(), content_type)
                .unwrap_err()
                .to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }

    fn assemble(layers: &[&str], diff_ids: usize) -> Result<Resolved, Error> {
        let layers: Vec<String> = layers
            .iter()
            .map(|t| format!(r#"{{"mediaType":"{t}","digest":"{D}","size":1}}"#))
            .collect();
        let json = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.docker.container.image.v1+json","digest":"{D}","size":2}},"layers":[{}]}}"#,
            layers.join(",")
        );
        let Document::Manifest(manifest) = Document::parse("x", json.as_bytes(), None)? else {
            panic!("an index")
        };
        let ids: Vec<String> = (0..diff_ids)
            .map(|n| format!("\"{}\"", sha256(&n.to_be_bytes())))
            .collect();
        // Nulls as Docker writes them.
        let config = format!(
            r#"{{"architecture":"amd64","os":"linux","container":"x","docker_version":"20",
            "config":{{"Hostname":"","ExposedPorts":null,"Env":null,"Cmd":["sh"],"Image":"","Volumes":null,
            "Entrypoint":null,"OnBuild":null,"Labels":null,"Healthcheck":{{"Test":["NONE"]}}}},
            "rootfs":{{"type":"layers","diff_ids":[{}]}},"history":[{{"created":"x","empty_layer":true}}]}}"#,
            ids.join(",")
        );
        Resolved::assemble(Parts {
            name: "x".into(),
            digest: D.parse().unwrap(),
            manifest_digest: D.parse().unwrap(),
            manifest_bytes: json.into_bytes().into(),
            manifest,
            config_bytes: config.into_bytes().into(),
        })
    }

    #[test]
    fn layers_pair_with_diff_ids() {
        let types = [
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.v1.tar",
        ];
        let image = assemble(&types, 3).unwrap();
        let got: Vec<Compression> = image.layers.iter().map(|l| l.compression).collect();
        assert_eq!(
            got,
            [Compression::Gzip, Compression::Zstd, Compression::None]
        );
        assert_eq!(image.platform.to_string(), "linux/amd64");
    }

    #[test]
    fn unusable_layers_say_why() {
        let cases = [
            (
                "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
                1,
                "foreign layer",
            ),
            (
                "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
                1,
                "foreign layer",
            ),
            (
                "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                1,
                "is encrypted",
            ),
            (
                "application/wasm",
                1,
                "not a file-system layer (media type application/wasm)",
            ),
            (
                "application/vnd.oci.image.layer.v1.tar",
                2,
                "has 1 layers but the config 2 diff ids",
            ),
        ];
        for (media_type, diff_ids, wanted) in cases {
            let error = assemble(&[media_type], diff_ids).unwrap_err().to_string();
            assert!(error.contains(wanted), "{error}");
        }
    }
}
