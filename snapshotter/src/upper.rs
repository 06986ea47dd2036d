//! An upper directory, written without being mounted.
//!
//! What overlayfs would do on a write is done here by hand: parents are copied up with their
//! attributes, removing something of a lower layer leaves a whiteout, a directory made over a
//! whiteout is opaque. No mount, no copy-up of whole files, and content can come in by hard link.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, unlinkat};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::keeper::{Ensure, EnsureKind, Ensured};
use crate::path::{self, Resolved, absolute};
use crate::read;
use crate::view::{Node, Root, View, at};

/// An upper directory and what it lies on.
#[derive(Debug)]
pub(crate) struct Upper {
    /// The lower layers and the upper, which is root 0.
    pub(crate) view: View,
    top: Arc<Root>,
}

/// The directory that holds an entry, and the entry's name in it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) dir: OwnedFd,
    pub(crate) name: std::ffi::OsString,
}

/// Makes an upper directory's root look like the one below it.
pub(crate) fn copy_root(lower: &View, upper: &Path) -> Result<()> {
    let node = lower.root()?;
    let from = &lower.root_of(&node).path;
    let stat = fs::symlink_metadata(upper).context("stat", upper)?;
    let dir = openat(
        rustix::fs::CWD,
        upper,
        OFlags::PATH | OFlags::CLOEXEC,
        Mode::empty(),
    )
    .context("open", upper)?;
    let name = OsStr::new(".");
    let owner = |meta: &fs::Metadata| {
        use std::os::unix::fs::MetadataExt as _;
        (meta.uid(), meta.gid(), meta.mode() & 0o7777)
    };
    let (uid, gid, mode) = owner(&stat);
    if (uid, gid) != (node.stat.st_uid, node.stat.st_gid) {
        fsops::chown_at(&dir, name, node.stat.st_uid, node.stat.st_gid)?;
    }
    if mode != node.mode() {
        fsops::chmod_at(&dir, name, node.mode())?;
    }
    fsops::copy_xattrs(from, &dir, name)?;
    fsops::utimes_at(&dir, name, &fsops::times_of(&node.stat))
}

impl Upper {
    /// Takes the upper directory `fs` on top of `lower`.
    pub(crate) fn new(lower: &View, fs: PathBuf) -> Result<Self> {
        let top = Arc::new(Root::open(fs, true)?);
        Ok(Self {
            view: lower.under(Arc::clone(&top)),
            top,
        })
    }

    /// Resolves a path in the merged tree.
    pub(crate) fn resolve(&self, path: &str, follow: bool) -> Result<Resolved> {
        path::resolve(&self.view, Path::new(path), follow)
    }

    /// Makes sure a resolved directory is in the upper; missing ones become 0755 of root.
    pub(crate) fn copy_up_dirs(&self, rel: &Path, created: &mut Vec<String>) -> Result<()> {
        let mut node = self.view.root()?;
        let mut here = PathBuf::new();
        for name in rel {
            here.push(name);
            node = match self.view.child(&node, &here)? {
                Some(child) if child.is_dir() => {
                    if child.root != 0 {
                        self.copy_up_dir(&here, &child)?;
                    }
                    child
                }
                Some(_) => {
                    return Err(Error::NotADirectory {
                        path: absolute(&here),
                    });
                }
                None => {
                    self.make_dir(&here, 0o755, 0, 0)?;
                    created.push(absolute(&here));
                    let made = self.view.child(&node, &here)?;
                    made.ok_or_else(|| Error::io("create", &here, Errno::NOENT))?
                }
            };
            if node.live.first() != Some(&0) {
                node.live.insert(0, 0);
            }
        }
        Ok(())
    }

    fn copy_up_dir(&self, rel: &Path, node: &Node) -> Result<()> {
        let slot = self.slot(rel)?;
        let from = self.view.root_of(node).path.join(rel);
        mkdirat(&slot.dir, &slot.name, fsops::mode_of(node.mode())).context("create", rel)?;
        fsops::chown_at(&slot.dir, &slot.name, node.stat.st_uid, node.stat.st_gid)?;
        fsops::chmod_at(&slot.dir, &slot.name, node.mode())?;
        fsops::copy_xattrs(&from, &slot.dir, &slot.name)?;
        fsops::utimes_at(&slot.dir, &slot.name, &fsops::times_of(&node.stat))
    }

    /// Opens the upper's directory of an entry; it must have been copied up.
    pub(crate) fn slot(&self, rel: &Path) -> Result<Slot> {
        let parent = at(rel.parent().unwrap_or(Path::new("")));
        let name = rel.file_name().unwrap_or(OsStr::new(".")).to_owned();
        let dir = self.top.open_dir(parent).context("open", parent)?;
        Ok(Slot { dir, name })
    }

    /// Makes a directory where the merged tree has nothing.
    pub(crate) fn make_dir(&self, rel: &Path, mode: u32, uid: u32, gid: u32) -> Result<()> {
        let slot = self.slot(rel)?;
        let hidden = self.clear_whiteout(&slot)?;
        mkdirat(&slot.dir, &slot.name, fsops::mode_of(mode)).context("create", rel)?;
        fsops::chown_at(&slot.dir, &slot.name, uid, gid)?;
        fsops::chmod_at(&slot.dir, &slot.name, mode)?;
        if hidden {
            fsops::make_opaque(&slot.dir, &slot.name)?;
        }
        Ok(())
    }

    fn clear_whiteout(&self, slot: &Slot) -> Result<bool> {
        match unlinkat(&slot.dir, &slot.name, AtFlags::empty()) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::ISDIR) => Ok(false),
            Err(errno) => Err(Error::io("replace", &slot.name, errno)),
        }
    }

    /// Frees the place of a resolved path for a new file or link; its parents are made.
    pub(crate) fn place(&self, target: &Resolved) -> Result<Slot> {
        if target.node.as_ref().is_some_and(Node::is_dir) || target.path.as_os_str().is_empty() {
            return Err(Error::IsADirectory {
                path: target.absolute(),
            });
        }
        let parent = target.path.parent().unwrap_or(Path::new(""));
        self.copy_up_dirs(parent, &mut Vec::new())?;
        let slot = self.slot(&target.path)?;
        self.clear_whiteout(&slot)?;
        Ok(slot)
    }

    /// Removes what is at a resolved path.
    pub(crate) fn remove(&self, target: &Resolved) -> Result<()> {
        if target.node.is_none() {
            return Ok(());
        }
        if target.path.as_os_str().is_empty() {
            let node = self.view.root()?;
            for (name, _) in self.view.read_dir(Path::new(""), &node)? {
                let path = PathBuf::from(name);
                let node = self.view.lookup(&path)?;
                self.remove(&Resolved { path, node })?;
            }
            return Ok(());
        }
        let parent = target.path.parent().unwrap_or(Path::new(""));
        let above = self.view.lookup(parent)?;
        let above = above.ok_or_else(|| Error::NotFound {
            path: target.absolute(),
        })?;
        let lower: Vec<usize> = above
            .live
            .iter()
            .copied()
            .filter(|&index| index != 0)
            .collect();
        let covered = self.view.pick(&lower, &target.path)?.is_some();
        self.copy_up_dirs(parent, &mut Vec::new())?;
        let slot = self.slot(&target.path)?;
        fsops::remove_tree(&slot.dir, &slot.name).context("remove", &target.path)?;
        if covered {
            fsops::make_whiteout(&slot.dir, &slot.name)?;
        }
        Ok(())
    }

    /// Makes sure the upper has its own copy of an entry, so that its attributes can change.
    pub(crate) fn copy_up(&self, rel: &Path, node: &Node) -> Result<Slot> {
        if rel.as_os_str().is_empty() {
            return self.slot(rel);
        }
        self.copy_up_dirs(rel.parent().unwrap_or(Path::new("")), &mut Vec::new())?;
        if node.is_dir() {
            // It may have been copied up for its children after `node` was looked up.
            if self.top.stat(rel)?.is_none() {
                self.copy_up_dir(rel, node)?;
            }
            return self.slot(rel);
        }
        let slot = self.slot(rel)?;
        // A file linked from a layer is the layer's own.
        if node.root != 0 || node.stat.st_nlink > 1 {
            let root = self.view.root_of(node);
            copy_entry(root, rel, node, &slot, true)?;
        }
        Ok(slot)
    }

    /// Makes what a step needs to find.
    pub(crate) fn ensure(&self, ask: &Ensure) -> Result<Ensured> {
        let target = self.resolve(&ask.path, true)?;
        let mut created = Vec::new();
        let kind = match (&target.node, ask.kind) {
            (Some(node), EnsureKind::Dir) if !node.is_dir() => {
                return Err(Error::NotADirectory {
                    path: ask.path.clone(),
                });
            }
            (Some(node), EnsureKind::File) if node.is_dir() => {
                return Err(Error::IsADirectory {
                    path: ask.path.clone(),
                });
            }
            (Some(node), _) => read::kind_of(node),
            (None, kind) => {
                let parent = target.path.parent().unwrap_or(Path::new(""));
                self.copy_up_dirs(parent, &mut created)?;
                created.push(target.absolute());
                if kind == EnsureKind::File {
                    let slot = self.place(&target)?;
                    let file = create_file(&slot, ask.mode)?;
                    finish_file(&slot, &file, ask.mode, ask.uid, ask.gid)?;
                    crate::keeper::FileKind::File
                } else {
                    self.make_dir(&target.path, ask.mode, ask.uid, ask.gid)?;
                    crate::keeper::FileKind::Dir
                }
            }
        };
        Ok(Ensured {
            path: target.absolute(),
            kind,
            created,
        })
    }

    /// Removes mount points made only for a step, and directories copied up only for them.
    pub(crate) fn remove_stubs(&self, stubs: &[String]) -> Result<()> {
        let mut stubs: Vec<PathBuf> = stubs
            .iter()
            .map(|stub| Path::new(stub).components().filter_map(normal).collect())
            .collect();
        stubs.sort_by_key(|stub| std::cmp::Reverse(stub.iter().count()));
        for stub in &stubs {
            self.remove_stub(stub)?;
        }
        for stub in &stubs {
            self.restore_parents(stub)?;
        }
        Ok(())
    }

    /// Removes a stub if it is still what was made: an empty file or directory nothing lies under.
    fn remove_stub(&self, stub: &Path) -> Result<()> {
        let Some(stat) = self.in_upper(stub)? else {
            return Ok(());
        };
        let parent = stub.parent().unwrap_or(Path::new(""));
        let Some(above) = self.view.lookup(parent)? else {
            return Ok(());
        };
        let lower: Vec<usize> = above
            .live
            .iter()
            .copied()
            .filter(|&index| index != 0)
            .collect();
        if self.view.pick(&lower, stub)?.is_some() {
            return Ok(());
        }
        let slot = self.slot(stub)?;
        let flags = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => AtFlags::REMOVEDIR,
            FileType::RegularFile if stat.st_size == 0 => AtFlags::empty(),
            _ => return Ok(()),
        };
        match unlinkat(&slot.dir, &slot.name, flags) {
            Ok(()) | Err(Errno::NOTEMPTY | Errno::NOENT) => Ok(()),
            Err(errno) => Err(Error::io("remove", stub, errno)),
        }
    }

    /// Removes directories of the upper that say nothing: empty, and like the one they cover.
    fn restore_parents(&self, stub: &Path) -> Result<()> {
        let mut rel = stub.parent();
        while let Some(dir) = rel.filter(|dir| !dir.as_os_str().is_empty()) {
            rel = dir.parent();
            let Some(stat) = self.in_upper(dir)? else {
                continue;
            };
            let node = self.view.lookup(dir)?;
            let Some(below) = node.and_then(|node| node.live.get(1).copied()) else {
                return Ok(());
            };
            let below = self.view.roots[below].stat(dir)?;
            let same = below.is_some_and(|below| {
                (below.st_mode, below.st_uid, below.st_gid)
                    == (stat.st_mode, stat.st_uid, stat.st_gid)
            });
            if !same {
                return Ok(());
            }
            let slot = self.slot(dir)?;
            match unlinkat(&slot.dir, &slot.name, AtFlags::REMOVEDIR) {
                Ok(()) => {}
                Err(Errno::NOTEMPTY | Errno::NOENT | Errno::NOTDIR) => return Ok(()),
                Err(errno) => return Err(Error::io("remove", dir, errno)),
            }
        }
        Ok(())
    }

    /// What the upper itself has at a path, provided no link is on the way.
    fn in_upper(&self, rel: &Path) -> Result<Option<rustix::fs::Stat>> {
        let mut stat = None;
        let mut here = PathBuf::new();
        for name in rel {
            here.push(name);
            stat = self.top.stat(&here)?;
            match &stat {
                None => return Ok(None),
                Some(stat)
                    if here != rel
                        && FileType::from_raw_mode(stat.st_mode) != FileType::Directory =>
                {
                    return Ok(None);
                }
                Some(_) => {}
            }
        }
        Ok(stat)
    }

    /// Whether the step wrote nothing: no entries, and the root is as it was made.
    pub(crate) fn is_untouched(&self) -> Result<bool> {
        let fd = self
            .top
            .open_dir(Path::new(""))
            .context("open", &self.top.path)?;
        let entries = rustix::fs::Dir::read_from(&fd).context("read", &self.top.path)?;
        for entry in entries {
            let entry = entry.context("read", &self.top.path)?;
            if entry.file_name() != c"." && entry.file_name() != c".." {
                return Ok(false);
            }
        }
        let root = self.view.root()?;
        let Some(&below) = root.live.get(1) else {
            return Ok(true);
        };
        let below = self.view.roots[below].stat(Path::new(""))?;
        Ok(below.is_some_and(|below| {
            (below.st_mode, below.st_uid, below.st_gid)
                == (root.stat.st_mode, root.stat.st_uid, root.stat.st_gid)
        }))
    }
}

fn normal(component: std::path::Component<'_>) -> Option<&OsStr> {
    match component {
        std::path::Component::Normal(name) => Some(name),
        _ => None,
    }
}

/// Creates a file in a free place.
pub(crate) fn create_file(slot: &Slot, mode: u32) -> Result<OwnedFd> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(&slot.dir, &slot.name, flags, fsops::mode_of(mode)).context("create", &slot.name)
}

/// Gives a written file its owner, then its permissions, which a change of owner would cut.
pub(crate) fn finish_file(
    slot: &Slot,
    file: &OwnedFd,
    mode: u32,
    uid: u32,
    gid: u32,
) -> Result<()> {
    fsops::chown_at(&slot.dir, &slot.name, uid, gid)?;
    rustix::fs::fchmod(file, fsops::mode_of(mode)).context("chmod", &slot.name)
}

/// Copies one file, link or FIFO with all its attributes, replacing what is there.
///
/// With `same_name` the place may hold the source itself, so the copy is made aside and renamed.
pub(crate) fn copy_entry(
    root: &Root,
    rel: &Path,
    node: &Node,
    slot: &Slot,
    same_name: bool,
) -> Result<()> {
    let aside = Slot {
        dir: slot.dir.try_clone().context("duplicate", "descriptor")?,
        name: if same_name {
            ".nsci-copy-up".into()
        } else {
            slot.name.clone()
        },
    };
    match node.file_type() {
        FileType::RegularFile => {
            let from = root.open_file(rel).context("open", root.path.join(rel))?;
            let file = create_file(&aside, node.mode())?;
            fsops::copy_content(&from, &file, node.stat.st_size.cast_unsigned())
                .context("copy", root.path.join(rel))?;
            finish_file(
                &aside,
                &file,
                node.mode(),
                node.stat.st_uid,
                node.stat.st_gid,
            )?;
        }
        FileType::Symlink => {
            let target = root.read_link(rel)?;
            rustix::fs::symlinkat(&target, &aside.dir, &aside.name).context("create link", rel)?;
            fsops::chown_at(&aside.dir, &aside.name, node.stat.st_uid, node.stat.st_gid)?;
        }
        FileType::Fifo => {
            rustix::fs::mkfifoat(&aside.dir, &aside.name, fsops::mode_of(node.mode()))
                .context("create FIFO", rel)?;
            fsops::chown_at(&aside.dir, &aside.name, node.stat.st_uid, node.stat.st_gid)?;
            fsops::chmod_at(&aside.dir, &aside.name, node.mode())?;
        }
        // Sockets mean nothing without their process, devices cannot be made.
        _ => return Ok(()),
    }
    fsops::copy_xattrs(&root.path.join(rel), &aside.dir, &aside.name)?;
    fsops::utimes_at(&aside.dir, &aside.name, &fsops::times_of(&node.stat))?;
    if same_name {
        rustix::fs::renameat(&aside.dir, &aside.name, &slot.dir, &slot.name)
            .context("replace", rel)?;
    }
    Ok(())
}
