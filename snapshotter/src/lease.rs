//! Leases: what a running process uses and garbage collection must not take.
//!
//! A lease is a locked file that lists objects. It is written before an object is used, under a shared lock that a
//! collection holds exclusively while it decides and moves. A lease whose lock is free belongs to a dead process and
//! counts for nothing. A lease never makes an object exist: [`Lease::hold`] says which are missing.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};

use rustix::fs::{Access, FlockOperation};

use crate::error::{Error, Result};
use crate::layer::LayerId;
use crate::layout::{Digest, Layout, RecordKey, Store, VolumeId};
use crate::lock::{GcLock, flock, open_private, try_flock, unique_name};

/// One object of the store.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Ref {
    /// A tree of files.
    Tree(LayerId),
    /// A blob.
    Blob(Digest),
    /// A cache record.
    Record(RecordKey),
    /// A cache volume.
    Volume(VolumeId),
}

impl Ref {
    /// Where the object is, if it is.
    #[must_use]
    pub fn path(&self, layout: &Layout) -> PathBuf {
        match self {
            Self::Tree(id) => layout.tree(id),
            Self::Blob(digest) => layout.blob(digest),
            Self::Record(key) => layout.record(key),
            Self::Volume(id) => layout.volume(id),
        }
    }

    /// Whether the object is in the store.
    #[must_use]
    pub fn exists(&self, layout: &Layout) -> bool {
        rustix::fs::access(self.path(layout), Access::EXISTS).is_ok()
    }
}

impl fmt::Display for Ref {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tree(id) => write!(f, "tree {id}"),
            Self::Blob(digest) => write!(f, "blob {digest}"),
            Self::Record(key) => write!(f, "record {key}"),
            Self::Volume(id) => write!(f, "volume {id}"),
        }
    }
}

impl FromStr for Ref {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let invalid = || Error::InvalidId {
            what: "a reference",
            text: text.to_owned(),
        };
        let (kind, id) = text.split_once(' ').ok_or_else(invalid)?;
        match kind {
            "tree" => id.parse().map(Self::Tree),
            "blob" => id.parse().map(Self::Blob).map_err(|_| invalid()),
            "record" => id.parse().map(Self::Record),
            "volume" => id.parse().map(Self::Volume),
            _ => Err(invalid()),
        }
    }
}

/// Keeps objects from being collected until it is dropped or its process dies.
#[derive(Debug)]
pub struct Lease {
    store: Store,
    path: PathBuf,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    file: File,
    /// Separate from the file: locked shared for each addition. Threads take turns through the mutex.
    gc_lock: File,
    /// What is listed, and whether it was there when last looked at. What is there and listed stays there.
    listed: HashMap<Ref, bool>,
    /// Whether the file may end in half a line.
    torn: bool,
}

impl Lease {
    /// Starts an empty lease.
    ///
    /// # Errors
    /// [`Error::Io`] if its file cannot be made.
    pub fn open(store: &Store) -> Result<Self> {
        let layout = store.layout();
        let path = layout.leases().join(unique_name());
        // A collection in between would take the file for a dead one.
        let guard = GcLock::shared(layout)?;
        let file = open_private(&path)?;
        flock(&file, &path, FlockOperation::LockExclusive)?;
        drop(guard);
        let gc_lock = open_private(&layout.gc_lock())?;
        let state = State {
            file,
            gc_lock,
            listed: HashMap::new(),
            torn: false,
        };
        Ok(Self {
            store: store.clone(),
            path,
            state: Mutex::new(state),
        })
    }

    /// Keeps `refs` from now on and returns those that are not in the store.
    ///
    /// May be called before an object is made, so that it is safe from its first moment.
    ///
    /// # Errors
    /// [`Error::Io`] if the lease cannot be written; then nothing may be relied on.
    pub fn hold(&self, refs: &[Ref]) -> Result<Vec<Ref>> {
        let layout = self.store.layout();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let unsure: Vec<&Ref> = refs
            .iter()
            .filter(|reference| state.listed.get(*reference) != Some(&true))
            .collect();
        if unsure.is_empty() {
            return Ok(Vec::new());
        }
        flock(
            &state.gc_lock,
            &layout.gc_lock(),
            FlockOperation::LockShared,
        )?;
        let result = state.add(&unsure, layout);
        flock(&state.gc_lock, &layout.gc_lock(), FlockOperation::Unlock)?;
        result.map_err(|error| Error::io("write", &self.path, error))
    }
}

impl State {
    fn add(&mut self, refs: &[&Ref], layout: &Layout) -> io::Result<Vec<Ref>> {
        let mut lines = if self.torn {
            String::from("\n")
        } else {
            String::new()
        };
        for reference in refs
            .iter()
            .filter(|reference| !self.listed.contains_key(**reference))
        {
            lines.push_str(&format!("{reference}\n"));
        }
        if !lines.is_empty() {
            self.torn = true;
            self.file.write_all(lines.as_bytes())?;
            self.torn = false;
        }
        let mut missing = Vec::new();
        for reference in refs {
            let there = reference.exists(layout);
            self.listed.insert((*reference).clone(), there);
            if !there {
                missing.push((*reference).clone());
            }
        }
        Ok(missing)
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // Left behind, it is found dead and removed by the next collection.
        fs::remove_file(&self.path).ok();
    }
}

/// What all running processes use.
#[derive(Debug, Default)]
pub(crate) struct Living {
    pub(crate) held: HashSet<Ref>,
    /// How many leases there are.
    pub(crate) leases: usize,
}

/// Reads the leases of the living and removes those of the dead. The caller holds the collection lock exclusively.
pub(crate) fn living(layout: &Layout) -> Result<Living> {
    let directory = layout.leases();
    let mut living = Living::default();
    let entries = fs::read_dir(&directory).map_err(|error| Error::io("list", &directory, error))?;
    for entry in entries {
        let path = entry
            .map_err(|error| Error::io("list", &directory, error))?
            .path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("open", &path, error)),
        };
        if try_flock(&file, &path, FlockOperation::NonBlockingLockShared)? {
            fs::remove_file(&path).ok();
            continue;
        }
        let text = io::read_to_string(file).map_err(|error| Error::io("read", &path, error))?;
        living
            .held
            .extend(text.lines().filter_map(|line| line.parse::<Ref>().ok()));
        living.leases += 1;
    }
    Ok(living)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_survive_being_written() {
        let hex = "ab".repeat(32);
        for text in [
            format!("tree {hex}"),
            format!("blob sha256:{hex}"),
            format!("record {hex}"),
            format!("volume {hex}"),
        ] {
            assert_eq!(text.parse::<Ref>().unwrap().to_string(), text);
        }
        for bad in ["", "tree", "tree x", "blob sha256", "cake ab"] {
            assert!(bad.parse::<Ref>().is_err(), "{bad}");
        }
    }

    #[test]
    fn hold_names_what_is_missing_and_sees_it_once_it_is_there() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        let lease = Lease::open(&store).unwrap();
        let id = LayerId::of("a");
        assert_eq!(
            lease.hold(&[Ref::Tree(id.clone())]).unwrap(),
            [Ref::Tree(id.clone())]
        );
        fs::create_dir_all(store.layout().tree_fs(&id)).unwrap();
        assert!(lease.hold(&[Ref::Tree(id.clone())]).unwrap().is_empty());
    }

    #[test]
    fn only_leases_of_the_living_count() {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        let lease = Lease::open(&store).unwrap();
        let wanted = Ref::Tree(LayerId::of("a"));
        lease.hold(std::slice::from_ref(&wanted)).unwrap();
        let dead = Ref::Tree(LayerId::of("b"));
        let dead_path = store.layout().leases().join("dead");
        fs::write(&dead_path, format!("{dead}\n")).unwrap();

        let held = living(store.layout()).unwrap().held;
        assert_eq!(held, HashSet::from([wanted]));
        assert!(!dead_path.exists());
        drop(lease);
        assert!(living(store.layout()).unwrap().held.is_empty());
    }
}
