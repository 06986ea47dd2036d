//! Cache records: small immutable files, one for each cache key.
//!
//! A record says which objects a result is made of ([`Refs`], which garbage collection reads) and carries a body that only
//! the caller understands. It is never believed without proof: a record that is torn, or that names an object which is
//! gone, is a miss.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::{Timespec, Timestamps, UTIME_NOW, UTIME_OMIT};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layer::LayerId;
use crate::layout::{Digest, RecordKey, Store};
use crate::lease::{Lease, Ref};

/// The objects a record needs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refs {
    /// Trees of files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trees: Vec<LayerId>,
    /// Blobs.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blobs: Vec<Digest>,
}

impl Refs {
    /// All of them.
    #[must_use]
    pub fn to_vec(&self) -> Vec<Ref> {
        let trees = self.trees.iter().cloned().map(Ref::Tree);
        trees
            .chain(self.blobs.iter().cloned().map(Ref::Blob))
            .collect()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trees.is_empty() && self.blobs.is_empty()
    }
}

/// What is known about a result.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// What must be in the store for the record to mean anything.
    pub refs: Refs,
    /// What made it, for people.
    pub description: String,
    /// How long it took to make, for choosing what to collect first.
    pub cost: Duration,
    /// The result itself, as the caller wrote it.
    pub body: Vec<u8>,
}

/// The part of a record this crate reads.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Head {
    #[serde(default)]
    pub(crate) refs: Refs,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) description: String,
    #[serde(default)]
    pub(crate) cost_ms: u64,
}

const MAGIC: &[u8; 8] = b"nscirec1";
/// Magic, then blake3 of all that follows.
const PREFIX: usize = 8 + 32;

/// A use within this time of the last one is not noted, so that a hit seldom writes.
pub(crate) const TOUCH_GRANULARITY: Duration = Duration::from_secs(3600);

/// The records of a store.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    store: &'a Store,
}

impl Store {
    /// The cache records.
    #[must_use]
    pub fn records(&self) -> Records<'_> {
        Records { store: self }
    }
}

impl Records<'_> {
    /// The record under `key`, its objects held by `lease`; nothing if there is none that can be relied on.
    ///
    /// # Errors
    /// [`Error::Io`] if a file that is there cannot be read, or the lease not be written.
    pub fn get(&self, lease: &Lease, key: &RecordKey) -> Result<Option<Record>> {
        let path = self.store.layout().record(key);
        let Some((bytes, last_use)) = read(&path)? else {
            return Ok(None);
        };
        let Some((head, body)) = decode(&bytes) else {
            remove(&path)?;
            return Ok(None);
        };
        if !lease.hold(&head.refs.to_vec())?.is_empty() {
            remove(&path)?;
            return Ok(None);
        }
        touch(&path, last_use);
        Ok(Some(Record {
            refs: head.refs,
            description: head.description,
            cost: Duration::from_millis(head.cost_ms),
            body: body.to_vec(),
        }))
    }

    /// Puts `record` under `key`, in place of an earlier one.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be written; then the earlier one stays.
    pub fn put(&self, key: &RecordKey, record: &Record) -> Result<()> {
        let bytes = encode(record)?;
        publish_bytes(self.store, &self.store.layout().record(key), &bytes)
    }

    /// Forgets the record under `key`.
    ///
    /// # Errors
    /// [`Error::Io`] if it is there and cannot be removed.
    pub fn remove(&self, key: &RecordKey) -> Result<()> {
        remove(&self.store.layout().record(key))
    }
}

/// Writes a whole file under a temporary name and renames it to `path`.
pub(crate) fn publish_bytes(store: &Store, path: &Path, bytes: &[u8]) -> Result<()> {
    let tmp = store.tmp_path()?;
    let write = || -> io::Result<()> {
        let mut file = File::create_new(&tmp)?;
        file.write_all(bytes)
    };
    let result = write()
        .map_err(|error| Error::io("write", &tmp, error))
        .and_then(|()| rename_into(&tmp, path));
    if result.is_err() {
        fs::remove_file(&tmp).ok();
    }
    result
}

/// Renames to `path`, making the directory it is in when that is missing.
pub(crate) fn rename_into(from: &Path, path: &Path) -> Result<()> {
    let failed = |error| Error::io("rename into place", path, error);
    match fs::rename(from, path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let parent = path.parent().expect("paths in the store have a parent");
            fs::create_dir_all(parent)
                .map_err(|error| Error::io("create directory", parent, error))?;
            fs::rename(from, path).map_err(failed)
        }
        other => other.map_err(failed),
    }
}

fn read(path: &Path) -> Result<Option<(Vec<u8>, SystemTime)>> {
    let read = || -> io::Result<(Vec<u8>, SystemTime)> {
        let mut file = File::open(path)?;
        let meta = file.metadata()?;
        let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or(0) + 1);
        file.read_to_end(&mut bytes)?;
        Ok((bytes, meta.modified()?))
    };
    match read() {
        Ok(read) => Ok(Some(read)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io("read", path, error)),
    }
}

fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("remove", path, error))
        }
        _ => Ok(()),
    }
}

/// Notes a use now, in the modification time, unless one was noted lately.
///
/// Failing to is no reason to fail the use: the object is then collected a little earlier than it should be.
pub(crate) fn touch(path: &Path, last_use: SystemTime) {
    if last_use.elapsed().is_ok_and(|age| age < TOUCH_GRANULARITY) {
        return;
    }
    let now = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_NOW,
    };
    let omit = Timespec {
        tv_sec: 0,
        tv_nsec: UTIME_OMIT,
    };
    let times = Timestamps {
        last_access: omit,
        last_modification: now,
    };
    rustix::fs::utimensat(rustix::fs::CWD, path, &times, rustix::fs::AtFlags::empty()).ok();
}

fn encode(record: &Record) -> Result<Vec<u8>> {
    let head = Head {
        refs: record.refs.clone(),
        description: record.description.clone(),
        cost_ms: u64::try_from(record.cost.as_millis()).unwrap_or(u64::MAX),
    };
    let head = serde_json::to_vec(&head).map_err(|source| Error::Encode {
        what: "record",
        source,
    })?;
    let head_len = u32::try_from(head.len()).expect("a head is far smaller than 4 GiB");
    let mut bytes = Vec::with_capacity(PREFIX + 4 + head.len() + record.body.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[0; 32]);
    bytes.extend_from_slice(&head_len.to_le_bytes());
    bytes.extend_from_slice(&head);
    bytes.extend_from_slice(&record.body);
    let sum = blake3::hash(&bytes[PREFIX..]);
    bytes[8..PREFIX].copy_from_slice(sum.as_bytes());
    Ok(bytes)
}

/// Takes a record's bytes apart; nothing if they are not exactly what was written.
pub(crate) fn decode(bytes: &[u8]) -> Option<(Head, &[u8])> {
    let rest = bytes.strip_prefix(MAGIC)?;
    let (sum, content) = rest.split_at_checked(32)?;
    if blake3::hash(content).as_bytes() != sum {
        return None;
    }
    let (head_len, content) = content.split_first_chunk::<4>()?;
    let head_len = usize::try_from(u32::from_le_bytes(*head_len)).ok()?;
    let (head, body) = content.split_at_checked(head_len)?;
    Some((serde_json::from_slice(head).ok()?, body))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        (base, store)
    }

    fn record(body: &[u8]) -> Record {
        Record {
            description: "exec make".to_owned(),
            cost: Duration::from_millis(1500),
            body: body.to_vec(),
            ..Record::default()
        }
    }

    fn key() -> RecordKey {
        RecordKey::of("key")
    }

    #[test]
    fn record_comes_back_as_it_was_put() {
        let (_base, store) = open();
        let lease = Lease::open(&store).unwrap();
        assert_eq!(store.records().get(&lease, &key()).unwrap(), None);
        for body in [&b""[..], b"{}", &[0; 100_000]] {
            store.records().put(&key(), &record(body)).unwrap();
            assert_eq!(
                store.records().get(&lease, &key()).unwrap(),
                Some(record(body))
            );
        }
        store.records().remove(&key()).unwrap();
        assert_eq!(store.records().get(&lease, &key()).unwrap(), None);
    }

    #[test]
    fn record_torn_anywhere_is_a_miss_and_is_removed() {
        let (_base, store) = open();
        let lease = Lease::open(&store).unwrap();
        let path = store.layout().record(&key());
        let whole = encode(&record(b"result")).unwrap();
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut broken: Vec<Vec<u8>> = (0..whole.len()).map(|at| whole[..at].to_vec()).collect();
        broken.extend((0..whole.len()).map(|at| {
            let mut flipped = whole.clone();
            flipped[at] ^= 1;
            flipped
        }));
        broken.push([&whole[..], b"x"].concat());
        for bytes in broken {
            fs::write(&path, &bytes).unwrap();
            assert_eq!(store.records().get(&lease, &key()).unwrap(), None);
            assert!(!path.exists());
        }
    }

    #[test]
    fn record_of_a_missing_tree_or_blob_is_a_miss() {
        let (_base, store) = open();
        let lease = Lease::open(&store).unwrap();
        let tree = LayerId::of("c");
        let wanted = Record {
            refs: Refs {
                trees: vec![tree.clone()],
                blobs: vec![],
            },
            ..record(b"")
        };
        store.records().put(&key(), &wanted).unwrap();
        assert_eq!(store.records().get(&lease, &key()).unwrap(), None);

        fs::create_dir_all(store.layout().tree_fs(&tree)).unwrap();
        store.records().put(&key(), &wanted).unwrap();
        assert_eq!(store.records().get(&lease, &key()).unwrap(), Some(wanted));
    }

    #[test]
    fn use_is_noted_once_an_hour() {
        let (_base, store) = open();
        let lease = Lease::open(&store).unwrap();
        store.records().put(&key(), &record(b"")).unwrap();
        let path = store.layout().record(&key());
        let set = |age: u64| {
            let then = SystemTime::now() - Duration::from_secs(age);
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_modified(then)
                .unwrap();
            then
        };
        let modified = || fs::metadata(&path).unwrap().modified().unwrap();

        let lately = set(600);
        store.records().get(&lease, &key()).unwrap().unwrap();
        assert_eq!(modified(), lately);
        set(7200);
        store.records().get(&lease, &key()).unwrap().unwrap();
        assert!(modified().elapsed().unwrap() < Duration::from_secs(60));
    }
}
