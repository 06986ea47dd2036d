//! Where things are on disk, and the names they go by.
//!
//! [`Layout`] only computes paths; [`Store`] is an opened layout that the other modules hang their operations on. Neither
//! looks into the files; [`crate::format`] draws them.

use std::fmt;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};
use std::{fs, io};

use serde::{Deserialize, Serialize};

pub use oci_spec::image::Digest;

use crate::error::{Error, Result};
use crate::layer::LayerId;
use crate::lock::TmpSpace;
use crate::meta::Index;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        ///
        /// Written as 64 lower-case hexadecimal digits.
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(String);

        impl $name {
            /// Names the thing after the blake3 hash of `content`.
            #[must_use]
            pub fn of(content: impl AsRef<[u8]>) -> Self {
                blake3::hash(content.as_ref()).into()
            }

            /// The 64 digits.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<blake3::Hash> for $name {
            fn from(hash: blake3::Hash) -> Self {
                Self(hash.to_hex().to_string())
            }
        }

        impl TryFrom<String> for $name {
            type Error = Error;

            fn try_from(text: String) -> Result<Self> {
                let hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
                if text.len() == 64 && text.bytes().all(hex) {
                    return Ok(Self(text));
                }
                Err(Error::InvalidId { what: $what, text })
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// Names one cache record.
    RecordKey,
    "a record key"
);
id!(
    /// Names one cache volume; made from its namespace and key, never the key itself.
    VolumeId,
    "a volume id"
);

/// Where everything of one store is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout below `root`, which need not exist.
    #[must_use]
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// The directory everything is in.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// All blobs.
    #[must_use]
    pub fn blobs(&self) -> PathBuf {
        self.root.join("blobs")
    }

    /// The file of one blob. A digest's text never holds a `/`.
    #[must_use]
    pub fn blob(&self, digest: &Digest) -> PathBuf {
        let hex = digest.digest();
        let fan = hex.get(..2).unwrap_or("xx");
        self.root
            .join("blobs")
            .join(digest.algorithm().as_ref())
            .join(fan)
            .join(hex)
    }

    /// All trees.
    #[must_use]
    pub fn trees(&self) -> PathBuf {
        self.root.join("trees")
    }

    /// The directory of one tree: holds `fs/` and `layer.json`.
    #[must_use]
    pub fn tree(&self, id: &LayerId) -> PathBuf {
        let hex = id.as_str();
        self.root.join("trees").join(&hex[..2]).join(hex)
    }

    /// The files of one tree, what an overlay uses as a lower directory.
    #[must_use]
    pub fn tree_fs(&self, id: &LayerId) -> PathBuf {
        self.tree(id).join("fs")
    }

    /// The description of one tree.
    #[must_use]
    pub fn tree_info(&self, id: &LayerId) -> PathBuf {
        self.tree(id).join("layer.json")
    }

    /// All cache records.
    #[must_use]
    pub fn records(&self) -> PathBuf {
        self.root.join("records")
    }

    /// The file of one cache record.
    #[must_use]
    pub fn record(&self, key: &RecordKey) -> PathBuf {
        let hex = key.as_str();
        self.root.join("records").join(&hex[..2]).join(hex)
    }

    /// All cache volumes.
    #[must_use]
    pub fn volumes(&self) -> PathBuf {
        self.root.join("volumes")
    }

    /// The directory of one cache volume: holds `volume.json` and its copies.
    #[must_use]
    pub fn volume(&self, id: &VolumeId) -> PathBuf {
        self.root.join("volumes").join(id.as_str())
    }

    /// What is to be deleted. Anything in it may be removed at any time, but only inside the user namespace.
    #[must_use]
    pub fn trash(&self) -> PathBuf {
        self.root.join("trash")
    }

    /// Work in progress: one directory for each process, see [`Store::tmp`].
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// Downloads that can be resumed, by digest.
    #[must_use]
    pub fn partial(&self) -> PathBuf {
        self.root.join("partial")
    }

    /// Lock files of [`crate::lock::KeyLock`].
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// Lease files of running processes.
    #[must_use]
    pub fn leases(&self) -> PathBuf {
        self.root.join("leases")
    }

    /// Stat caches of host directories.
    #[must_use]
    pub fn hostdirs(&self) -> PathBuf {
        self.root.join("hostdirs")
    }

    /// The index.
    #[must_use]
    pub fn meta_db(&self) -> PathBuf {
        self.root.join("meta.db")
    }

    /// Held shared to add to a lease, exclusively to collect garbage.
    #[must_use]
    pub fn gc_lock(&self) -> PathBuf {
        self.root.join("gc.lock")
    }

    /// Names the format; present once the directories are.
    #[must_use]
    pub fn format_file(&self) -> PathBuf {
        self.root.join("format")
    }

    fn directories(&self) -> [PathBuf; 10] {
        [
            self.blobs(),
            self.trees(),
            self.records(),
            self.volumes(),
            self.trash(),
            self.tmp(),
            self.partial(),
            self.locks(),
            self.leases(),
            self.hostdirs(),
        ]
    }
}

/// An opened store. Cheap to clone; clones share the index and the process's temporary directory.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    tmp: OnceLock<TmpSpace>,
    index: Index,
}

/// What the `format` file holds.
const FORMAT: &str = "nsci store v1\n";

impl Store {
    /// Opens, creating it where missing, the store of one id mapping below `base`.
    ///
    /// `fingerprint` names the mapping of user ids: files in trees and volumes have owners that mean something only under
    /// the mapping they were written with, so each mapping has a store of its own at `base/v1/<fingerprint>`.
    ///
    /// # Errors
    /// [`Error::UnusableStore`] if the directory belongs to another user, others may write to it, or it is on a network
    /// filesystem; [`Error::InvalidId`] if `fingerprint` is not made of letters, digits, `-` and `_`.
    pub fn open(base: &Path, fingerprint: &str) -> Result<Self> {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
        if fingerprint.is_empty() || fingerprint.len() > 128 || !fingerprint.bytes().all(plain) {
            return Err(Error::InvalidId {
                what: "a fingerprint of an id mapping",
                text: fingerprint.to_owned(),
            });
        }
        let layout = Layout::new(base.join("v1").join(fingerprint));
        match fs::read_to_string(layout.format_file()) {
            Ok(format) if format == FORMAT => check_usable(layout.root())?,
            Ok(_) => {
                return Err(Error::UnusableStore {
                    path: layout.root,
                    reason: "it was written by another version of nsci".to_owned(),
                });
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(&layout)?,
            Err(error) => return Err(Error::io("open store", layout.root(), error)),
        }
        let index = Index::new(layout.meta_db());
        Ok(Self {
            inner: Arc::new(Inner {
                layout,
                tmp: OnceLock::new(),
                index,
            }),
        })
    }

    /// Where things are.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    /// A directory of this process for work in progress, on the store's filesystem.
    ///
    /// Whatever is left in it when the process ends, however it ends, is moved into the trash by a later
    /// [`sweep`](Self::sweep). Finished work is renamed out of it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be made.
    pub fn tmp(&self) -> Result<&Path> {
        if self.inner.tmp.get().is_none() {
            let made = TmpSpace::create(&self.inner.layout)?;
            // A second thread may have been faster; its directory is used and ours is removed by the drop.
            drop(self.inner.tmp.set(made));
        }
        Ok(self.inner.tmp.get().expect("it was set above").path())
    }

    /// A path in [`tmp`](Self::tmp) that nothing else uses. Nothing is created.
    ///
    /// # Errors
    /// As [`tmp`](Self::tmp).
    pub fn tmp_path(&self) -> Result<PathBuf> {
        self.tmp()?;
        Ok(self.inner.tmp.get().expect("tmp() made it").fresh_path())
    }

    pub(crate) fn index(&self) -> &Index {
        &self.inner.index
    }
}

/// Makes the directories, then the `format` file that says so.
fn create(layout: &Layout) -> Result<()> {
    let mut private = fs::DirBuilder::new();
    private.recursive(true).mode(0o700);
    private
        .create(layout.root())
        .map_err(|error| Error::io("create store", layout.root(), error))?;
    check_usable(layout.root())?;
    for directory in layout.directories() {
        private
            .create(&directory)
            .map_err(|error| Error::io("create directory", &directory, error))?;
    }
    // Several processes may do this at once; each writes the same bytes under its own name.
    let unique = layout.tmp().join(format!(".format-{}", std::process::id()));
    fs::write(&unique, FORMAT).map_err(|error| Error::io("write", &unique, error))?;
    fs::rename(&unique, layout.format_file())
        .map_err(|error| Error::io("rename into place", layout.format_file(), error))
}

/// Filesystems where `flock` or `rename` between hosts cannot be relied on; numbers of statfs(2).
const NETWORK_FILESYSTEMS: [(u32, &str); 5] = [
    (0x6969, "NFS"),
    (0xff53_4d42, "CIFS"),
    (0xfe53_4d42, "SMB"),
    (0x517b, "SMB"),
    (0x5346_414f, "AFS"),
];

fn check_usable(root: &Path) -> Result<()> {
    let refuse = |reason: String| {
        Err(Error::UnusableStore {
            path: root.to_owned(),
            reason,
        })
    };
    let meta = fs::symlink_metadata(root).map_err(|error| Error::io("open store", root, error))?;
    let me = rustix::process::geteuid().as_raw();
    if meta.uid() != me {
        return refuse(format!(
            "it belongs to user {} and this is user {me}",
            meta.uid()
        ));
    }
    if meta.mode() & 0o022 != 0 {
        return refuse(format!(
            "others may write to it (mode {:03o})",
            meta.mode() & 0o777
        ));
    }
    let filesystem = rustix::fs::statfs(root)
        .map_err(|error| Error::io("open store", root, error))?
        .f_type;
    // The kernel's number is 32 bits wide; the C type is not.
    match NETWORK_FILESYSTEMS
        .iter()
        .find(|(magic, _)| i64::from(*magic) == filesystem & 0xffff_ffff)
    {
        Some((_, name)) => refuse(format!(
            "it is on {name}, where locks and renames between hosts are unsafe; choose a local directory"
        )),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_64_lower_case_hex_digits_name_a_record() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(good.parse::<RecordKey>().unwrap().as_str(), good);
        let quoted = format!("\"{good}\"");
        assert_eq!(
            serde_json::from_str::<RecordKey>(&quoted)
                .unwrap()
                .to_string(),
            good
        );
        for bad in [
            "",
            "..",
            &good[1..],
            &good.to_uppercase(),
            &format!("{good}0"),
            "../../etc/passwd",
        ] {
            assert!(bad.parse::<RecordKey>().is_err(), "{bad}");
        }
    }

    #[test]
    fn stores_of_two_mappings_share_nothing() {
        let base = tempfile::tempdir().unwrap();
        let one = Store::open(base.path(), "a").unwrap();
        let two = Store::open(base.path(), "b").unwrap();
        assert_ne!(one.layout().root(), two.layout().root());
        assert!(one.layout().trees().is_dir() && two.layout().trees().is_dir());
        Store::open(base.path(), "a").expect("a store can be opened again");
    }

    #[test]
    fn store_others_can_write_to_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "a").unwrap();
        fs::set_permissions(store.layout().root(), fs::Permissions::from_mode(0o777)).unwrap();
        let error = Store::open(base.path(), "a").unwrap_err();
        assert!(matches!(error, Error::UnusableStore { .. }), "{error}");
    }

    #[test]
    fn store_of_another_version_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "a").unwrap();
        fs::write(store.layout().format_file(), "nsci store v9\n").unwrap();
        assert!(matches!(
            Store::open(base.path(), "a"),
            Err(Error::UnusableStore { .. })
        ));
    }

    #[test]
    fn fingerprint_cannot_leave_the_base() {
        let base = tempfile::tempdir().unwrap();
        for bad in ["", "..", "a/b", "a b"] {
            assert!(Store::open(base.path(), bad).is_err(), "{bad}");
        }
    }
}
