//! Locks between processes, and the temporary directory each process owns.
//!
//! Everything here is `flock(2)`: the kernel lets go of it when the holder dies, however it dies. Two handles in one
//! process exclude each other just as two processes do. Never `fcntl` locks, which any `close` of the file drops.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustix::fs::{FlockOperation, Mode, OFlags};

use crate::error::{Error, Result};
use crate::layout::{Layout, Store};

/// What a waiting caller wants next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// Try again.
    Continue,
    /// Return [`Error::LockTimeout`].
    GiveUp,
}

/// An exclusive lock on a name, held until dropped: one build of a key, one pull of a layer.
#[derive(Debug)]
#[must_use = "the lock is released when this is dropped"]
pub struct KeyLock {
    path: PathBuf,
    // Closed, and so unlocked, after `drop` has removed the name.
    _file: File,
}

impl KeyLock {
    /// Waits for the lock as long as it takes.
    ///
    /// # Errors
    /// [`Error::Io`] if the lock file cannot be used.
    pub fn acquire(store: &Store, name: &str) -> Result<Self> {
        loop {
            let (path, file) = open_lock_file(store.layout(), name)?;
            flock(&file, &path, FlockOperation::LockExclusive)?;
            if still_names(&path, &file)? {
                return Ok(Self { path, _file: file });
            }
        }
    }

    /// Takes the lock if it is free.
    ///
    /// # Errors
    /// [`Error::Io`] if the lock file cannot be used.
    pub fn try_acquire(store: &Store, name: &str) -> Result<Option<Self>> {
        loop {
            let (path, file) = open_lock_file(store.layout(), name)?;
            if !try_flock(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(None);
            }
            if still_names(&path, &file)? {
                return Ok(Some(Self { path, _file: file }));
            }
        }
    }

    /// Waits for the lock, asking `wait` with the time waited so far before each further try.
    ///
    /// # Errors
    /// [`Error::LockTimeout`] once `wait` gives up.
    pub fn acquire_with(
        store: &Store,
        name: &str,
        wait: &mut dyn FnMut(Duration) -> Wait,
    ) -> Result<Self> {
        poll(name, wait, || Self::try_acquire(store, name))
    }
}

impl Drop for KeyLock {
    fn drop(&mut self) {
        // While we hold the lock nobody else may remove the name, so it is ours. Whoever waits on this inode sees that the
        // name is gone and starts over. A name that stays is swept later.
        fs::remove_file(&self.path).ok();
    }
}

/// Calls `attempt` until it yields something or `wait` gives up, pausing a little longer each time.
pub(crate) fn poll<T>(
    name: &str,
    wait: &mut dyn FnMut(Duration) -> Wait,
    mut attempt: impl FnMut() -> Result<Option<T>>,
) -> Result<T> {
    const LONGEST: Duration = Duration::from_millis(20);
    let start = Instant::now();
    let mut pause = Duration::from_micros(200);
    loop {
        if let Some(taken) = attempt()? {
            return Ok(taken);
        }
        if wait(start.elapsed()) == Wait::GiveUp {
            return Err(Error::LockTimeout {
                name: name.to_owned(),
            });
        }
        // flock(2) has no timeout, so a wait that can be given up has to ask again and again.
        thread::sleep(pause);
        pause = (pause * 2).min(LONGEST);
    }
}

fn open_lock_file(layout: &Layout, name: &str) -> Result<(PathBuf, File)> {
    let file_name = blake3::hash(name.as_bytes()).to_hex();
    let path = layout.locks().join(&file_name.as_str()[..40]);
    let file = open_private(&path)?;
    Ok((path, file))
}

/// Opens `path` for reading and writing, making it if it is not there.
pub(crate) fn open_private(path: &Path) -> Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)
        .map_err(|error| Error::io("open", path, error))
}

/// Opens a directory itself, for locking or as the base of other calls.
pub(crate) fn open_directory(path: &Path) -> io::Result<File> {
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::RDONLY | OFlags::CLOEXEC;
    Ok(File::from(rustix::fs::open(path, flags, Mode::empty())?))
}

/// Waits for a lock on `file`; `path` is for the message.
pub(crate) fn flock(file: &File, path: &Path, operation: FlockOperation) -> Result<()> {
    rustix::io::retry_on_intr(|| rustix::fs::flock(file, operation))
        .map_err(|error| Error::io("lock", path, error))
}

/// Takes a lock on `file` if it is free; `operation` must be a non-blocking one.
pub(crate) fn try_flock(file: &File, path: &Path, operation: FlockOperation) -> Result<bool> {
    match rustix::io::retry_on_intr(|| rustix::fs::flock(file, operation)) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(Error::io("lock", path, error)),
    }
}

/// Whether `path` is still the file that was opened, and not removed or replaced since.
pub(crate) fn still_names(path: &Path, file: &File) -> Result<bool> {
    let opened = file
        .metadata()
        .map_err(|error| Error::io("stat", path, error))?;
    match fs::symlink_metadata(path) {
        Ok(named) => Ok(named.ino() == opened.ino() && named.dev() == opened.dev()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(Error::io("stat", path, error)),
    }
}

/// The lock that keeps garbage collection and the taking of leases apart.
#[derive(Debug)]
pub(crate) struct GcLock {
    _file: File,
}

impl GcLock {
    pub(crate) fn exclusive(layout: &Layout) -> Result<Self> {
        let path = layout.gc_lock();
        let file = open_private(&path)?;
        flock(&file, &path, FlockOperation::LockExclusive)?;
        Ok(Self { _file: file })
    }

    pub(crate) fn shared(layout: &Layout) -> Result<Self> {
        let path = layout.gc_lock();
        let file = open_private(&path)?;
        flock(&file, &path, FlockOperation::LockShared)?;
        Ok(Self { _file: file })
    }
}

/// A name no other process and no other call comes up with.
pub(crate) fn unique_name() -> String {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut random = [0; 8];
    // Before the kernel's pool is ready, and only then, fewer bytes come; pid and counter still tell names apart, and
    // every use creates its file exclusively.
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).ok();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{count}", std::process::id(), hex::encode(random))
}

/// The directory in `tmp/` that belongs to one process for as long as it lives.
///
/// The directory itself is locked. A sweeper that gets the lock knows that the owner is dead.
#[derive(Debug)]
pub(crate) struct TmpSpace {
    path: PathBuf,
    trash: PathBuf,
    count: AtomicU64,
    _lock: File,
}

impl TmpSpace {
    pub(crate) fn create(layout: &Layout) -> Result<Self> {
        loop {
            let path = layout.tmp().join(unique_name());
            match rustix::fs::mkdir(&path, Mode::RWXU) {
                Ok(()) => {}
                Err(rustix::io::Errno::EXIST) => continue,
                Err(error) => return Err(Error::io("create directory", &path, error)),
            }
            // Between mkdir and flock a sweeper may take the directory for an orphan; then another one is made.
            let lock = match open_directory(&path) {
                Ok(lock) => lock,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(Error::io("open", &path, error)),
            };
            if try_flock(&lock, &path, FlockOperation::NonBlockingLockExclusive)?
                && still_names(&path, &lock)?
            {
                let (trash, count) = (layout.trash(), AtomicU64::new(0));
                return Ok(Self {
                    path,
                    trash,
                    count,
                    _lock: lock,
                });
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn fresh_path(&self) -> PathBuf {
        self.path
            .join(self.count.fetch_add(1, Ordering::Relaxed).to_string())
    }
}

impl Drop for TmpSpace {
    fn drop(&mut self) {
        discard_directory(&self.path, &self.trash).ok();
    }
}

/// Removes an empty directory; one with something in it goes to the trash, as its files may have other owners.
pub(crate) fn discard_directory(path: &Path, trash: &Path) -> io::Result<Discarded> {
    match fs::remove_dir(path) {
        Ok(()) => Ok(Discarded::Removed),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            fs::rename(path, trash.join(unique_name()))?;
            Ok(Discarded::Trashed)
        }
        Err(error) => Err(error),
    }
}

/// What became of a directory that is not needed any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Discarded {
    Removed,
    Trashed,
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "test").unwrap();
        (base, store)
    }

    #[test]
    fn held_name_is_not_given_twice_and_other_names_are_free() {
        let (_base, store) = store();
        let held = KeyLock::acquire(&store, "a").unwrap();
        assert!(KeyLock::try_acquire(&store, "a").unwrap().is_none());
        assert!(KeyLock::try_acquire(&store, "b").unwrap().is_some());
        drop(held);
        assert!(KeyLock::try_acquire(&store, "a").unwrap().is_some());
        assert_eq!(
            fs::read_dir(store.layout().locks()).unwrap().count(),
            0,
            "lock files are removed"
        );
    }

    #[test]
    fn wait_can_be_given_up() {
        let (_base, store) = store();
        let _held = KeyLock::acquire(&store, "a").unwrap();
        let mut asked = 0;
        let result = KeyLock::acquire_with(&store, "a", &mut |_| {
            asked += 1;
            if asked == 3 {
                Wait::GiveUp
            } else {
                Wait::Continue
            }
        });
        assert!(matches!(result, Err(Error::LockTimeout { name }) if name == "a"));
        assert_eq!(asked, 3);
    }

    #[test]
    fn many_threads_take_turns_although_the_file_is_removed_each_time() {
        let (_base, store) = store();
        let inside = AtomicUsize::new(0);
        let total = AtomicUsize::new(0);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        let _held = KeyLock::acquire(&store, "turn").unwrap();
                        assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0);
                        total.fetch_add(1, Ordering::SeqCst);
                        inside.fetch_sub(1, Ordering::SeqCst);
                    }
                });
            }
        });
        assert_eq!(total.load(Ordering::SeqCst), 1600);
    }

    #[test]
    fn tmp_directory_goes_away_with_the_store_and_what_is_left_in_it_is_trash() {
        let (_base, store) = store();
        let layout = store.layout().clone();
        fs::write(store.tmp_path().unwrap(), "half").unwrap();
        drop(store);
        assert_eq!(fs::read_dir(layout.tmp()).unwrap().count(), 0);
        assert_eq!(fs::read_dir(layout.trash()).unwrap().count(), 1);
    }
}
