//! Cache volumes: directories that outlive the steps that write to them.
//!
//! A volume is named by a hash of namespace and key; neither is ever used as a path. The directory given out belongs to the
//! invoking user, who is root inside; filling it at first and setting its owner is the keeper's task. Every user of a
//! directory holds a lock on it, which also keeps it from being collected.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::layout::{Layout, Store, VolumeId};
use crate::lock::{GcLock, Wait, open_private, poll, still_names, try_flock, unique_name};
use crate::record::{publish_bytes, touch};

/// How concurrent steps share a volume.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sharing {
    /// All use the same directory at the same time.
    #[default]
    Shared,
    /// All use the same directory, one after another.
    Locked,
    /// The first uses the volume's directory; whoever comes while it is in use gets another one, empty at first, which is
    /// kept and used again the next time there are that many at once. Nobody waits.
    Private,
}

/// What a volume is called by people.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VolumeName {
    /// Whose volume it is: keys of different namespaces are different volumes.
    pub namespace: String,
    /// Its name within the namespace.
    pub key: String,
}

impl VolumeName {
    /// The volume's id.
    #[must_use]
    pub fn id(&self) -> VolumeId {
        let mut hasher = blake3::Hasher::new();
        // The length keeps `a` + `bc` apart from `ab` + `c`.
        hasher.update(&(self.namespace.len() as u64).to_le_bytes());
        hasher
            .update(self.namespace.as_bytes())
            .update(self.key.as_bytes());
        hasher.finalize().into()
    }
}

/// A directory of a volume, in use until dropped.
#[derive(Debug)]
#[must_use = "the volume is in use only while this is held"]
pub struct VolumeDir {
    id: VolumeId,
    path: PathBuf,
    _lock: File,
}

impl VolumeDir {
    /// The volume.
    #[must_use]
    pub fn id(&self) -> &VolumeId {
        &self.id
    }

    /// The directory to mount.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing is in the directory, so that it is to be filled from the volume's source.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be listed.
    pub fn is_empty(&self) -> Result<bool> {
        match fs::read_dir(&self.path) {
            Ok(mut entries) => Ok(entries.next().is_none()),
            // Made unreadable by a step, so it was used.
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(false),
            Err(error) => Err(Error::io("list", &self.path, error)),
        }
    }
}

/// The cache volumes of a store.
#[derive(Debug, Clone, Copy)]
pub struct Volumes<'a> {
    store: &'a Store,
}

impl Store {
    /// The cache volumes.
    #[must_use]
    pub fn volumes(&self) -> Volumes<'_> {
        Volumes { store: self }
    }
}

/// One volume of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VolumeInfo {
    /// Its id.
    pub id: VolumeId,
    /// Its name; missing if the file that has it is broken.
    pub name: Option<VolumeName>,
    /// When it was last opened, within an hour.
    pub last_used: SystemTime,
}

const INFO: &str = "volume.json";
const MAIN: &str = "data";
/// Extension of the file that is locked while the directory of the same name is in use.
const LOCK: &str = "lock";

impl Volumes<'_> {
    /// Opens the volume `key` of `namespace`, making it if there is none.
    ///
    /// `wait` is asked again and again while a [`Sharing::Locked`] volume is in use by others, or a shared one is locked.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] once `wait` gives up, [`Error::Io`] if directories cannot be made.
    pub fn open(
        &self,
        name: &VolumeName,
        sharing: Sharing,
        wait: &mut dyn FnMut(Duration) -> Wait,
    ) -> Result<VolumeDir> {
        let id = name.id();
        let directory = self.store.layout().volume(&id);
        let lock = |subdirectory: &str, operation| {
            // Keeps the volume from being moved away, or probed for use, before it is locked.
            let _guard = GcLock::shared(self.store.layout())?;
            self.prepare(name, &directory)?;
            try_open(&id, &directory.join(subdirectory), operation)
        };
        let opened = match sharing {
            Sharing::Shared => poll(&name.key, wait, || {
                lock(MAIN, FlockOperation::NonBlockingLockShared)
            })?,
            Sharing::Locked => poll(&name.key, wait, || {
                lock(MAIN, FlockOperation::NonBlockingLockExclusive)
            })?,
            Sharing::Private => {
                let free = |number: usize| match number {
                    0 => lock(MAIN, FlockOperation::NonBlockingLockExclusive),
                    _ => lock(
                        &format!("private-{number}"),
                        FlockOperation::NonBlockingLockExclusive,
                    ),
                };
                (0..)
                    .find_map(|number| free(number).transpose())
                    .expect("some number is free")?
            }
        };
        let info = directory.join(INFO);
        if let Ok(last_use) = fs::metadata(&info).and_then(|meta| meta.modified()) {
            touch(&info, last_use);
        }
        Ok(opened)
    }

    /// All volumes.
    ///
    /// # Errors
    /// [`Error::Io`] if the directory cannot be listed.
    pub fn list(&self) -> Result<Vec<VolumeInfo>> {
        list(self.store.layout())
    }

    /// Moves a volume into the trash. Unknown ones are fine.
    ///
    /// # Errors
    /// [`Error::InUse`] if a step uses it.
    pub fn remove(&self, id: &VolumeId) -> Result<()> {
        let _guard = GcLock::exclusive(self.store.layout())?;
        if trash(self.store.layout(), id)? {
            return Ok(());
        }
        Err(Error::InUse {
            what: format!("cache volume {id}"),
        })
    }

    fn prepare(&self, name: &VolumeName, directory: &Path) -> Result<()> {
        if fs::symlink_metadata(directory.join(INFO)).is_ok() {
            return Ok(());
        }
        make_directory(directory, 0o700)?;
        let text = serde_json::to_vec(name).map_err(|source| Error::Encode {
            what: "volume",
            source,
        })?;
        publish_bytes(self.store, &directory.join(INFO), &text)
    }
}

/// Locks a directory of a volume; nothing if it is in use, or was moved away just now and has to be made again.
///
/// The lock is on a file beside it: the directory may be given to an owner who lets nobody else open it.
fn try_open(id: &VolumeId, path: &Path, operation: FlockOperation) -> Result<Option<VolumeDir>> {
    let lock_path = path.with_extension(LOCK);
    let moved_away = |error: &Error| matches!(error, Error::Io { source, .. } if source.kind() == io::ErrorKind::NotFound);
    let lock = match open_private(&lock_path) {
        Err(error) if moved_away(&error) => return Ok(None),
        other => other?,
    };
    if !try_flock(&lock, &lock_path, operation)? || !still_names(&lock_path, &lock)? {
        return Ok(None);
    }
    make_directory(path, 0o755)?;
    Ok(Some(VolumeDir {
        id: id.clone(),
        path: path.to_owned(),
        _lock: lock,
    }))
}

fn make_directory(path: &Path, mode: u32) -> Result<()> {
    match DirBuilder::new().mode(mode).create(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
            Err(Error::io("create directory", path, error))
        }
        _ => Ok(()),
    }
}

pub(crate) fn list(layout: &Layout) -> Result<Vec<VolumeInfo>> {
    let directory = layout.volumes();
    let failed = |error| Error::io("list", &directory, error);
    let mut found = Vec::new();
    for entry in fs::read_dir(&directory).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let Some(id) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok())
        else {
            continue;
        };
        let info = entry.path().join(INFO);
        let last_used = fs::metadata(&info)
            .or_else(|_| entry.metadata())
            .and_then(|meta| meta.modified())
            .unwrap_or(SystemTime::UNIX_EPOCH);
        let name = fs::read(&info)
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok());
        found.push(VolumeInfo {
            id,
            name,
            last_used,
        });
    }
    found.sort_by(|left, right| left.id.cmp(&right.id));
    Ok(found)
}

/// The locks on all directories of a volume, if nobody uses one.
fn lock_all(directory: &Path) -> Result<Option<Vec<File>>> {
    let failed = |error| Error::io("list", directory, error);
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Some(Vec::new())),
        Err(error) => return Err(failed(error)),
    };
    let mut locks = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_none_or(|extension| extension != LOCK) {
            continue;
        }
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(Error::io("open", &path, error)),
        };
        if !try_flock(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
            return Ok(None);
        }
        locks.push(file);
    }
    Ok(Some(locks))
}

/// Whether somebody uses the volume at this moment. The caller holds the collection lock exclusively.
pub(crate) fn is_in_use(layout: &Layout, id: &VolumeId) -> Result<bool> {
    Ok(lock_all(&layout.volume(id))?.is_none())
}

/// Moves a volume into the trash unless it is in use. The caller holds the collection lock exclusively.
pub(crate) fn trash(layout: &Layout, id: &VolumeId) -> Result<bool> {
    let directory = layout.volume(id);
    let Some(_locks) = lock_all(&directory)? else {
        return Ok(false);
    };
    match fs::rename(&directory, layout.trash().join(unique_name())) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("move to the trash", &directory, error))
        }
        _ => Ok(true),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_store() -> (tempfile::TempDir, Store) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        (base, store)
    }

    fn name(key: &str) -> VolumeName {
        VolumeName {
            namespace: "main".to_owned(),
            key: key.to_owned(),
        }
    }

    fn open(store: &Store, key: &str, sharing: Sharing) -> Result<VolumeDir> {
        store
            .volumes()
            .open(&name(key), sharing, &mut |_| Wait::GiveUp)
    }

    #[test]
    fn contents_stay_and_namespaces_do_not_mix() {
        let (_base, store) = open_store();
        let volume = open(&store, "../../etc", Sharing::Shared).unwrap();
        assert!(volume.path().starts_with(store.layout().volumes()) && volume.is_empty().unwrap());
        fs::write(volume.path().join("file"), "kept").unwrap();
        drop(volume);
        assert!(
            !open(&store, "../../etc", Sharing::Locked)
                .unwrap()
                .is_empty()
                .unwrap()
        );
        let pair = |namespace: &str, key: &str| {
            VolumeName {
                namespace: namespace.to_owned(),
                key: key.to_owned(),
            }
            .id()
        };
        assert_ne!(pair("a", "bc"), pair("ab", "c"));
    }

    #[test]
    fn sharing_modes_admit_whom_they_should() {
        use Sharing::{Locked, Private, Shared};
        // first user, second user, whether the second gets in, whether into the same directory
        let table = [
            (Shared, Shared, true, true),
            (Shared, Locked, false, false),
            (Locked, Shared, false, false),
            (Locked, Locked, false, false),
            (Private, Private, true, false),
            (Shared, Private, true, false),
            (Private, Locked, false, false),
        ];
        for (first, second, admitted, same) in table {
            let (_base, store) = open_store();
            let one = open(&store, "v", first).unwrap();
            let two = open(&store, "v", second);
            assert_eq!(two.is_ok(), admitted, "{first:?} {second:?}");
            if let Ok(two) = two {
                assert_eq!(one.path() == two.path(), same, "{first:?} {second:?}");
            }
        }
    }

    #[test]
    fn private_copies_are_used_again() {
        let (_base, store) = open_store();
        let (one, two) = (
            open(&store, "v", Sharing::Private).unwrap(),
            open(&store, "v", Sharing::Private).unwrap(),
        );
        let paths = [one.path().to_owned(), two.path().to_owned()];
        drop((one, two));
        let one = open(&store, "v", Sharing::Private).unwrap();
        let two = open(&store, "v", Sharing::Private).unwrap();
        assert_eq!(
            [one.path(), two.path()],
            [paths[0].as_path(), paths[1].as_path()]
        );
    }

    #[test]
    fn volume_whose_directory_cannot_be_opened_can_be_used_and_removed() {
        use std::os::unix::fs::PermissionsExt as _;
        let (_base, store) = open_store();
        let volume = open(&store, "v", Sharing::Locked).unwrap();
        let id = volume.id().clone();
        fs::set_permissions(volume.path(), fs::Permissions::from_mode(0o000)).unwrap();
        drop(volume);
        assert_eq!(open(&store, "v", Sharing::Shared).unwrap().id(), &id);
        store.volumes().remove(&id).unwrap();
        assert!(store.volumes().list().unwrap().is_empty());
    }

    #[test]
    fn volume_in_use_is_not_removed() {
        let (_base, store) = open_store();
        let volume = open(&store, "v", Sharing::Shared).unwrap();
        assert!(matches!(
            store.volumes().remove(volume.id()),
            Err(Error::InUse { .. })
        ));
        let listed = store.volumes().list().unwrap();
        assert_eq!(listed.len(), 1);
        assert_eq!(listed[0].name, Some(name("v")));
        drop(volume);
        store.volumes().remove(&listed[0].id).unwrap();
        assert!(store.volumes().list().unwrap().is_empty());
        assert!(
            open(&store, "v", Sharing::Locked)
                .unwrap()
                .is_empty()
                .unwrap()
        );
    }
}
