//! Layers: immutable directories that stack into root file systems.
//!
//! A layer lives in `trees/<aa>/<id>/`: `fs/` is usable as an overlayfs lower directory
//! (whiteouts are character devices 0:0, opaque directories carry `user.overlay.opaque=y`, files
//! belong to the ids of the session's user namespace) and `layer.json` describes it. It appears
//! by the rename of a complete temporary directory and never changes afterwards.

pub(crate) mod apply;
mod archive;
pub(crate) mod draft;
pub(crate) mod pack;
pub(crate) mod settle;
mod stream;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Names a layer: 64 lowercase hexadecimal digits of a blake3 hash.
///
/// Cheap to clone: a chain of a thousand steps names its lowest layer a thousand times.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Deserialize)]
#[serde(try_from = "String")]
pub struct LayerId(Arc<str>);

impl Serialize for LayerId {
    fn serialize<S: serde::Serializer>(&self, to: S) -> std::result::Result<S::Ok, S::Error> {
        to.serialize_str(&self.0)
    }
}

impl LayerId {
    /// Names the layer after the hash of `content` (for an image layer: its compressed digest).
    #[must_use]
    pub fn of(content: impl AsRef<[u8]>) -> Self {
        Self(blake3::hash(content.as_ref()).to_hex().as_str().into())
    }

    /// The 64 digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<blake3::Hash> for LayerId {
    fn from(hash: blake3::Hash) -> Self {
        Self(hash.to_hex().as_str().into())
    }
}

impl fmt::Display for LayerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for LayerId {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for LayerId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 64 && text.bytes().all(hex) {
            return Ok(Self(text.into()));
        }
        Err(Error::InvalidPath {
            path: text,
            reason: "a layer id is 64 hexadecimal digits".into(),
        })
    }
}

impl From<LayerId> for String {
    fn from(id: LayerId) -> Self {
        id.0.as_ref().into()
    }
}

/// A root file system: layers, bottom first, and the digest of what they say.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Snapshot {
    /// The layers, bottom first.
    pub layers: Vec<LayerId>,
    /// The blake3 chain of the layers' content digests, 64 hexadecimal digits.
    pub digest: String,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self::scratch()
    }
}

impl Snapshot {
    /// The empty file system.
    #[must_use]
    pub fn scratch() -> Self {
        Self {
            layers: Vec::new(),
            digest: blake3::hash(b"nsci scratch").to_hex().to_string(),
        }
    }

    /// The snapshot with one more layer on top.
    #[must_use]
    pub fn with(&self, layer: &AppliedLayer) -> Self {
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(self.digest.as_bytes())
            .update(layer.digest.as_bytes());
        let layers = self.layers.iter().chain([&layer.id]).cloned().collect();
        Self {
            layers,
            digest: hasher.finalize().to_hex().to_string(),
        }
    }
}

/// A layer that is in the store.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedLayer {
    /// Its name.
    pub id: LayerId,
    /// Bytes on disk, every inode once.
    pub size: u64,
    /// How many files, directories, links and whiteouts it holds.
    pub entries: u64,
    /// `sha256:<hex>` of the uncompressed archive, where it came from one and was hashed.
    pub diff_id: Option<String>,
    /// What the layer says, modification times aside: blake3, 64 hexadecimal digits.
    pub digest: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layer_id_accepts_only_lowercase_blake3() {
        assert!(LayerId::of("x").as_str().parse::<LayerId>().is_ok());
        for bad in [
            "",
            "abc",
            &"A".repeat(64),
            &"g".repeat(64),
            &format!("../{}", "a".repeat(61)),
        ] {
            assert!(bad.parse::<LayerId>().is_err(), "{bad}");
        }
    }

    #[test]
    fn snapshot_digest_depends_on_order() {
        let layer = |name: &str| AppliedLayer {
            id: LayerId::of(name),
            size: 0,
            entries: 0,
            diff_id: None,
            digest: LayerId::of(name).into(),
        };
        let (a, b) = (layer("a"), layer("b"));
        let scratch = Snapshot::scratch();
        assert_ne!(
            scratch.with(&a).with(&b).digest,
            scratch.with(&b).with(&a).digest
        );
        assert_eq!(scratch.with(&a).layers, [a.id]);
    }
}
