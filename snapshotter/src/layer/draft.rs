//! Work in progress and its publication.
//!
//! A keeper owns one directory in `tmp/`, locked for as long as it lives: whoever gets the lock
//! knows that the owner is dead and what it left is garbage.

use std::collections::HashSet;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread;

use rustix::fs::{CWD, FlockOperation, Mode, OFlags};
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::layer::{AppliedLayer, LayerId};
use crate::layout::Layout;
use crate::view::{Root, View};

/// Where drafts of many files are, in the workspace.
const SPREAD: &str = "spread";

/// What a layer came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Origin {
    Archive,
    Commit,
    Edit,
    Diff,
    Squash,
}

/// A device node of an archive, which an unprivileged namespace cannot make.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Device {
    pub(crate) path: String,
    pub(crate) kind: String,
    pub(crate) major: u32,
    pub(crate) minor: u32,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
}

/// The content of `layer.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    #[serde(flatten)]
    pub(crate) layer: AppliedLayer,
    pub(crate) origin: Origin,
    /// The boot during which it was written: after a crash of the machine, a layer of an earlier
    /// boot counts only with a `synced` file beside this one.
    pub(crate) boot: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) devices: Vec<Device>,
    /// Directories the archive did not list but needed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) implied: Vec<String>,
}

/// A store as one keeper uses it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) layout: Layout,
    dir: PathBuf,
    _lock: File,
    empty: PathBuf,
    count: AtomicU64,
    boot: String,
    known: Mutex<HashSet<LayerId>>,
    unsynced: Mutex<Vec<LayerId>>,
    reaper: mpsc::Sender<PathBuf>,
}

/// A directory below the workspace that is deleted when dropped.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) dir: PathBuf,
    reaper: mpsc::Sender<PathBuf>,
}

impl Draft {
    /// What becomes the layer's directory.
    pub(crate) fn tree(&self) -> PathBuf {
        self.dir.join("tree")
    }

    /// The layer's files.
    pub(crate) fn fs(&self) -> PathBuf {
        self.dir.join("tree/fs")
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The reaper ends only with the process, which leaves the directory to the next sweep.
        self.reaper.send(std::mem::take(&mut self.dir)).ok();
    }
}

impl Workspace {
    /// Takes a directory of its own in the store; `empty` is an empty directory outside it.
    pub(crate) fn open(layout: Layout, empty: PathBuf) -> Result<Self> {
        for dir in [layout.root().join("trees"), layout.tmp(), layout.trash()] {
            fs::create_dir_all(&dir).context("create", &dir)?;
        }
        let (dir, lock) = claim(&layout)?;
        spread(&dir.join(SPREAD))?;
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id")
            .context("read", "/proc/sys/kernel/random/boot_id")?;
        let (reaper, doomed) = mpsc::channel::<PathBuf>();
        thread::Builder::new()
            .name("reaper".into())
            .spawn(move || {
                for path in doomed {
                    // What cannot be deleted now is swept with the whole directory later.
                    fsops::remove_path(&path).ok();
                }
            })
            .context("start", "reaper thread")?;
        Ok(Self {
            layout,
            dir,
            _lock: lock,
            empty,
            count: AtomicU64::new(0),
            boot: boot.trim().to_owned(),
            known: Mutex::default(),
            unsynced: Mutex::default(),
            reaper,
        })
    }

    /// Moves what dead keepers left behind to the trash.
    pub(crate) fn sweep(&self) -> Result<()> {
        let tmp = self.layout.tmp();
        for entry in fs::read_dir(&tmp).context("read", &tmp)?.flatten() {
            let path = entry.path();
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let Ok(lock) = rustix::fs::openat(CWD, &path, flags, Mode::empty()) else {
                continue;
            };
            if path != self.dir
                && rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok()
            {
                let trash = self.layout.trash().join(unique());
                // Another sweeper may have been faster.
                fs::rename(&path, trash).ok();
            }
        }
        Ok(())
    }

    /// Starts a layer.
    pub(crate) fn draft(&self) -> Result<Draft> {
        self.draft_in(&self.dir)
    }

    /// Starts a layer of many files.
    pub(crate) fn large_draft(&self) -> Result<Draft> {
        self.draft_in(&self.dir.join(SPREAD))
    }

    fn draft_in(&self, parent: &Path) -> Result<Draft> {
        let dir = parent.join(self.count.fetch_add(1, Ordering::Relaxed).to_string());
        for path in [dir.clone(), dir.join("tree"), dir.join("tree/fs")] {
            rustix::fs::mkdir(&path, Mode::from_raw_mode(0o755)).context("create", &path)?;
        }
        Ok(Draft {
            dir,
            reaper: self.reaper.clone(),
        })
    }

    /// The description of a layer that is complete, `None` for one that is not there.
    pub(crate) fn find(&self, id: &LayerId) -> Result<Option<Manifest>> {
        let tree = self.layout.tree(id);
        let path = tree.join("layer.json");
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Error::io("read", path, error)),
        };
        let Ok(manifest) = serde_json::from_slice::<Manifest>(&text) else {
            return Ok(None);
        };
        let good = manifest.boot == self.boot || tree.join("synced").exists();
        Ok(good.then_some(manifest))
    }

    /// Names a draft and makes it a layer; a layer of that name that exists already wins.
    pub(crate) fn publish(&self, draft: &Draft, manifest: &mut Manifest) -> Result<()> {
        manifest.boot.clone_from(&self.boot);
        let id = manifest.layer.id.clone();
        let text = serde_json::to_vec(manifest)
            .map_err(|error| Error::io("encode", "layer.json", std::io::Error::from(error)))?;
        let path = draft.tree().join("layer.json");
        fs::write(&path, text).context("write", &path)?;
        let target = self.layout.tree(&id);
        let parent = target
            .parent()
            .expect("trees are in a directory named by two digits");
        let mut tried = false;
        loop {
            match rustix::fs::rename(draft.tree(), &target) {
                Ok(()) => break,
                Err(Errno::NOENT) if !tried => {
                    tried = true;
                    fs::create_dir_all(parent).context("create", parent)?;
                }
                Err(Errno::EXIST | Errno::NOTEMPTY) => match self.find(&id)? {
                    Some(existing) => {
                        *manifest = existing;
                        return Ok(());
                    }
                    // Left by an earlier boot without being synced, so not to be trusted.
                    None => self.trash(&target)?,
                },
                Err(errno) => return Err(Error::io("publish", &target, errno)),
            }
        }
        lock(&self.unsynced).push(id.clone());
        lock(&self.known).insert(id);
        Ok(())
    }

    /// Makes everything published so far survive a crash of the machine.
    pub(crate) fn sync(&self) -> Result<()> {
        let ids = std::mem::take(&mut *lock(&self.unsynced));
        if ids.is_empty() {
            return Ok(());
        }
        let root = File::open(self.layout.root()).context("open", self.layout.root())?;
        rustix::fs::syncfs(&root).context("sync", self.layout.root())?;
        for id in ids {
            // A layer deleted meanwhile needs no mark.
            File::create(self.layout.tree(&id).join("synced")).ok();
        }
        Ok(())
    }

    /// Stacks layers, given bottom first.
    pub(crate) fn view(&self, layers: &[LayerId]) -> Result<View> {
        self.view_of(&self.lowers(layers)?)
    }

    /// Stacks directories, given top first.
    pub(crate) fn view_of(&self, lowers: &[PathBuf]) -> Result<View> {
        let open = |path: &PathBuf| Ok(std::sync::Arc::new(Root::open(path.clone(), true)?));
        Ok(View::new(lowers.iter().map(open).collect::<Result<_>>()?))
    }

    /// The directories of layers, top first; never empty.
    pub(crate) fn lowers(&self, layers: &[LayerId]) -> Result<Vec<PathBuf>> {
        let mut paths = Vec::with_capacity(layers.len().max(1));
        for id in layers.iter().rev() {
            let path = self.layout.tree(id).join("fs");
            let known = lock(&self.known).contains(id);
            if !path.is_dir() || (!known && self.find(id)?.is_none()) {
                return Err(Error::UnknownLayer { id: id.to_string() });
            }
            if !known {
                lock(&self.known).insert(id.clone());
            }
            paths.push(path);
        }
        if paths.is_empty() {
            paths.push(self.empty.clone());
        }
        Ok(paths)
    }

    /// Moves a directory to the trash; nothing there is fine.
    pub(crate) fn trash(&self, path: &Path) -> Result<()> {
        match fs::rename(path, self.layout.trash().join(unique())) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(Error::io("move to the trash", path, error))
            }
            _ => Ok(()),
        }
    }

    /// Moves a layer to the trash.
    pub(crate) fn delete(&self, id: &LayerId) -> Result<()> {
        lock(&self.known).remove(id);
        self.trash(&self.layout.tree(id))
    }

    /// Removes the workspace itself.
    pub(crate) fn close(&self) {
        // Left alone, the next keeper sweeps it.
        self.trash(&self.dir).ok();
    }
}

fn claim(layout: &Layout) -> Result<(PathBuf, File)> {
    loop {
        let dir = layout.tmp().join(unique());
        fs::create_dir(&dir).context("create", &dir)?;
        // Between these calls a sweeper may take the directory for an orphan.
        let Ok(lock) = File::open(&dir) else { continue };
        let locked = rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).is_ok();
        if locked && dir.exists() {
            return Ok((dir, lock));
        }
    }
}

/// Makes a directory whose subdirectories ext4 puts into block groups apart from each other.
///
/// Layers unpacked at the same time then do not wait for the same inode bitmap, and files are
/// rarely made where many were deleted a moment ago, which takes several times as long there.
fn spread(dir: &Path) -> Result<()> {
    fs::create_dir(dir).context("create", dir)?;
    let file = File::open(dir).context("open", dir)?;
    if let Ok(flags) = rustix::fs::ioctl_getflags(&file) {
        // A hint; file systems that do not know it place files well without.
        rustix::fs::ioctl_setflags(&file, flags | rustix::fs::IFlags::TOPDIR).ok();
    }
    Ok(())
}

/// A name nobody else comes up with.
pub(crate) fn unique() -> String {
    let mut random = [0; 16];
    // Short reads happen only before the pool is ready at boot; the buffer is then partly zero.
    rustix::rand::getrandom(&mut random, rustix::rand::GetRandomFlags::empty()).ok();
    hex::encode(random)
}

/// Locks a mutex whose data stays consistent when a thread panics.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
