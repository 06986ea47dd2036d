//! Stacked layers as one file system, merged here instead of by a mount.
//!
//! Layers never change, so walking them needs no kernel overlay: a name is looked up from the top
//! layer down, a whiteout hides what is below, an opaque directory ends the merge. That costs some
//! microseconds where a mount costs hundreds, and it tells in which layer a file really is, so that
//! copies can be hard links. Paths in here are relative to the root and free of links and `..`;
//! [`crate::path`] makes them so.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, Stat, openat, readlinkat, statat};
use rustix::io::Errno;

use crate::error::{Context as _, Result};

/// Marks a directory that hides the layers below it.
pub(crate) const OPAQUE: &str = "user.overlay.opaque";
/// Marks a file that stands for a whiteout where device nodes cannot be made.
pub(crate) const XWHITEOUT: &str = "user.overlay.whiteout";
/// What overlayfs itself writes to upper directories.
pub(crate) const OVERLAY_XATTRS: &[u8] = b"user.overlay.";

/// One directory of a stack.
#[derive(Debug)]
pub(crate) struct Root {
    /// Opened as a path only.
    pub(crate) fd: OwnedFd,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Whether whiteouts and opaque marks mean something here; not so in host directories.
    pub(crate) markers: bool,
}

/// A stack of directories, top first; at least one.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) roots: Vec<Arc<Root>>,
}

/// What a name stands for.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) stat: Stat,
    /// Index of the root that decides.
    pub(crate) root: usize,
    /// For a directory: every root that contributes, top first.
    pub(crate) live: Vec<usize>,
}

impl Node {
    pub(crate) fn file_type(&self) -> FileType {
        FileType::from_raw_mode(self.stat.st_mode)
    }

    pub(crate) fn is_dir(&self) -> bool {
        self.file_type() == FileType::Directory
    }

    pub(crate) fn is_file(&self) -> bool {
        self.file_type() == FileType::RegularFile
    }

    pub(crate) fn is_symlink(&self) -> bool {
        self.file_type() == FileType::Symlink
    }

    /// Permission bits with setuid, setgid and sticky.
    pub(crate) fn mode(&self) -> u32 {
        self.stat.st_mode & 0o7777
    }
}

/// The path to give to the kernel for one relative to a root.
pub(crate) fn at(rel: &Path) -> &Path {
    if rel.as_os_str().is_empty() {
        Path::new(".")
    } else {
        rel
    }
}

impl Root {
    pub(crate) fn open(path: PathBuf, markers: bool) -> Result<Self> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(CWD, &path, flags, Mode::empty()).context("open", &path)?;
        Ok(Self { fd, path, markers })
    }

    /// Opens a directory of this root for reading.
    pub(crate) fn open_dir(&self, rel: &Path) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        openat(&self.fd, at(rel), flags, Mode::empty())
    }

    /// Opens a file of this root for reading.
    pub(crate) fn open_file(&self, rel: &Path) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        openat(&self.fd, rel, flags, Mode::empty())
    }

    pub(crate) fn stat(&self, rel: &Path) -> Result<Option<Stat>> {
        match statat(&self.fd, at(rel), AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => Ok(Some(stat)),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(errno) => Err(crate::Error::io("stat", self.path.join(rel), errno)),
        }
    }

    pub(crate) fn read_link(&self, rel: &Path) -> Result<OsString> {
        let target = readlinkat(&self.fd, rel, Vec::new()).context("read link", rel)?;
        Ok(OsString::from(OsStr::from_bytes(target.as_bytes())))
    }

    fn is_whiteout(&self, rel: &Path, stat: &Stat) -> bool {
        if !self.markers {
            return false;
        }
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::CharacterDevice => stat.st_rdev == 0,
            FileType::RegularFile if stat.st_size == 0 => self.has_xattr(rel, XWHITEOUT).is_some(),
            _ => false,
        }
    }

    fn is_opaque(&self, rel: &Path) -> bool {
        self.markers && self.has_xattr(rel, OPAQUE) == Some(b'y')
    }

    /// The first byte of an attribute's value, if the file has it.
    fn has_xattr(&self, rel: &Path, name: &str) -> Option<u8> {
        let mut value = [0_u8; 8];
        match rustix::fs::lgetxattr(self.path.join(rel), name, &mut value[..]) {
            Ok(0) | Err(Errno::RANGE) => Some(0),
            Ok(_) => Some(value[0]),
            Err(_) => None,
        }
    }
}

impl View {
    /// Stacks directories, top first.
    pub(crate) fn new(roots: Vec<Arc<Root>>) -> Self {
        Self { roots }
    }

    /// One directory, its content taken literally.
    pub(crate) fn plain(path: PathBuf) -> Result<Self> {
        Ok(Self::new(vec![Arc::new(Root::open(path, false)?)]))
    }

    /// The same with one more directory on top.
    pub(crate) fn under(&self, top: Arc<Root>) -> Self {
        Self::new(
            [top]
                .into_iter()
                .chain(self.roots.iter().cloned())
                .collect(),
        )
    }

    /// The root directory.
    pub(crate) fn root(&self) -> Result<Node> {
        let all: Vec<usize> = (0..self.roots.len()).collect();
        let node = self.pick(&all, Path::new(""))?;
        Ok(node.expect("the root of a layer is a directory"))
    }

    /// What `rel`, a child of `parent`, is; `rel` is the whole path.
    pub(crate) fn child(&self, parent: &Node, rel: &Path) -> Result<Option<Node>> {
        self.pick(&parent.live, rel)
    }

    /// Merges what the roots `live` have at `rel`.
    pub(crate) fn pick(&self, live: &[usize], rel: &Path) -> Result<Option<Node>> {
        let mut found: Option<Node> = None;
        for &index in live {
            let root = &self.roots[index];
            let Some(stat) = root.stat(rel)? else {
                continue;
            };
            let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            match &mut found {
                Some(node) if is_dir => node.live.push(index),
                Some(_) => break,
                None if is_dir => {
                    found = Some(Node {
                        stat,
                        root: index,
                        live: vec![index],
                    });
                }
                None if root.is_whiteout(rel, &stat) => return Ok(None),
                None => {
                    return Ok(Some(Node {
                        stat,
                        root: index,
                        live: Vec::new(),
                    }));
                }
            }
            if index != *live.last().expect("the loop runs") && root.is_opaque(rel) {
                break;
            }
        }
        Ok(found)
    }

    /// Finds a path without following links; `None` also if a parent is no directory.
    pub(crate) fn lookup(&self, rel: &Path) -> Result<Option<Node>> {
        let mut node = self.root()?;
        let mut path = PathBuf::new();
        for name in rel {
            path.push(name);
            match self.child(&node, &path)? {
                Some(child) => node = child,
                None => return Ok(None),
            }
        }
        Ok(Some(node))
    }

    /// Lists a directory, sorted by the bytes of the names.
    pub(crate) fn read_dir(&self, rel: &Path, dir: &Node) -> Result<Vec<(OsString, Node)>> {
        let mut seen: BTreeMap<OsString, Slot> = BTreeMap::new();
        for &index in &dir.live {
            self.merge_dir(index, rel, dir.live.len() > 1, &mut seen)?;
        }
        let entries = seen.into_iter();
        Ok(entries
            .filter_map(|(name, slot)| slot.node.map(|node| (name, node)))
            .collect())
    }

    fn merge_dir(
        &self,
        index: usize,
        rel: &Path,
        merged: bool,
        seen: &mut BTreeMap<OsString, Slot>,
    ) -> Result<()> {
        let root = &self.roots[index];
        let fd = root.open_dir(rel).context("open", root.path.join(rel))?;
        for entry in Dir::read_from(&fd).context("read", root.path.join(rel))? {
            let entry = entry.context("read", root.path.join(rel))?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." || seen.get(name).is_some_and(|slot| slot.closed) {
                continue;
            }
            let stat = match statat(&fd, name, AtFlags::SYMLINK_NOFOLLOW) {
                Ok(stat) => stat,
                Err(Errno::NOENT) => continue,
                Err(errno) => {
                    return Err(crate::Error::io(
                        "stat",
                        root.path.join(rel).join(name),
                        errno,
                    ));
                }
            };
            let child = rel.join(name);
            let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
            if let Some(slot) = seen.get_mut(name) {
                slot.closed = !is_dir || root.is_opaque(&child);
                if let (true, Some(node)) = (is_dir, &mut slot.node) {
                    node.live.push(index);
                }
            } else if is_dir {
                let closed = merged && root.is_opaque(&child);
                let node = Some(Node {
                    stat,
                    root: index,
                    live: vec![index],
                });
                seen.insert(name.to_owned(), Slot { node, closed });
            } else {
                let hidden = root.is_whiteout(&child, &stat);
                let node = (!hidden).then(|| Node {
                    stat,
                    root: index,
                    live: Vec::new(),
                });
                seen.insert(name.to_owned(), Slot { node, closed: true });
            }
        }
        Ok(())
    }

    /// Whether a directory taken literally carries a mark that it is opaque.
    pub(crate) fn is_marked(&self, rel: &Path) -> bool {
        !self.roots[0].markers && self.roots[0].has_xattr(rel, OPAQUE).is_some()
    }

    /// Whether a file taken literally is marked as a whiteout.
    pub(crate) fn is_marked_whiteout(&self, rel: &Path) -> bool {
        !self.roots[0].markers && self.roots[0].has_xattr(rel, XWHITEOUT).is_some()
    }

    /// The root a node is in.
    pub(crate) fn root_of(&self, node: &Node) -> &Root {
        &self.roots[node.root]
    }

    /// Visits everything below a directory, parents first, sorted within each.
    ///
    /// `visit` tells whether to go down into a directory.
    pub(crate) fn walk(
        &self,
        rel: &Path,
        dir: &Node,
        visit: &mut dyn FnMut(&Path, &Node) -> Result<bool>,
    ) -> Result<()> {
        for (name, node) in self.read_dir(rel, dir)? {
            let child = rel.join(name);
            if visit(&child, &node)? && node.is_dir() {
                self.walk(&child, &node, visit)?;
            }
        }
        Ok(())
    }
}

/// A name while directories are merged.
struct Slot {
    /// What it is; `None` once a whiteout has hidden it.
    node: Option<Node>,
    /// Whether lower layers have no say.
    closed: bool,
}
