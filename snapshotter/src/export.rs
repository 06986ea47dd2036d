//! Writes parts of a snapshot to the host, as the invoking user.
//!
//! Existing links at or below the target are replaced, never written through. Files appear under
//! their name complete or not at all. Owners are not carried over, nor are setuid and setgid bits,
//! which would mean something else on the host.

use std::collections::{HashMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, mkdirat, openat, renameat};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::keeper::{Export, ExportKind, Exported};
use crate::path;
use crate::view::{Node, View};

/// Permission bits that reach the host.
const MODE: u32 = 0o1777;
/// The name of a file that is not complete.
const PARTIAL: &str = ".nsci-export.partial";

/// Writes a file or the content of a directory.
pub(crate) fn export(view: &View, ask: &Export) -> Result<Exported> {
    if !ask.dst.is_absolute() {
        let reason = "the target of an export must be absolute".to_owned();
        return Err(Error::InvalidPath {
            path: ask.dst.to_string_lossy().into(),
            reason,
        });
    }
    let (rel, node) = path::existing(view, &ask.path, true)?;
    let exporter = |dir: &OwnedFd| -> Result<Exporter<'_>> {
        let base = dir.try_clone().context("duplicate", &ask.dst)?;
        Ok(Exporter {
            view,
            done: Exported::default(),
            base,
            links: HashMap::new(),
        })
    };
    match ask.kind {
        ExportKind::Dir { wipe } => {
            if !node.is_dir() {
                return Err(Error::NotADirectory {
                    path: ask.path.clone(),
                });
            }
            let dir = open_target(&ask.dst)?;
            let mut out = exporter(&dir)?;
            out.dir(&rel, &node, &dir, Path::new(""), wipe)?;
            out.done.path.clone_from(&ask.dst);
            Ok(out.done)
        }
        ExportKind::File { allow_parent_dir } => {
            if node.is_dir() {
                return Err(Error::IsADirectory {
                    path: ask.path.clone(),
                });
            }
            let target = file_target(&ask.dst, &rel, allow_parent_dir)?;
            let parent = target.parent().unwrap_or(Path::new("/"));
            fs::create_dir_all(parent).context("create", parent)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
            let dir = openat(CWD, parent, flags, Mode::empty()).context("open", parent)?;
            let name = target.file_name().expect("a file's target has a name");
            let mut out = exporter(&dir)?;
            out.file(&rel, &node, &dir, name, Path::new(name))?;
            out.done.path = target;
            Ok(out.done)
        }
    }
}

/// Opens the target directory, made if missing; a link is refused rather than followed.
fn open_target(target: &Path) -> Result<OwnedFd> {
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent).context("create", parent)?;
    }
    match mkdirat(CWD, target, Mode::from_raw_mode(0o755)) {
        Ok(()) | Err(Errno::EXIST) => {}
        Err(errno) => return Err(Error::io("create", target, errno)),
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    openat(CWD, target, flags, Mode::empty()).map_err(|errno| match errno {
        Errno::LOOP | Errno::NOTDIR => {
            let path = target.to_string_lossy().into_owned();
            match fs::symlink_metadata(target) {
                Ok(meta) if meta.is_symlink() => {
                    let reason = "it is a symbolic link, which exports do not follow".to_owned();
                    Error::InvalidPath { path, reason }
                }
                _ => Error::NotADirectory { path },
            }
        }
        errno => Error::io("open", target, errno),
    })
}

fn file_target(dst: &Path, source: &Path, allow_parent_dir: bool) -> Result<PathBuf> {
    let text = dst.to_string_lossy().into_owned();
    let wants_dir = dst.as_os_str().as_bytes().ends_with(b"/");
    let is_dir = fs::metadata(dst).is_ok_and(|meta| meta.is_dir());
    if (wants_dir || is_dir) && allow_parent_dir {
        return Ok(dst.join(source.file_name().unwrap_or(OsStr::new("file"))));
    }
    // A link is replaced whatever it leads to.
    let real_dir = fs::symlink_metadata(dst).is_ok_and(|meta| meta.is_dir());
    if real_dir || wants_dir || dst.file_name().is_none() {
        return Err(Error::IsADirectory { path: text });
    }
    Ok(dst.to_owned())
}

struct Exporter<'a> {
    view: &'a View,
    done: Exported,
    /// The directory exported to.
    base: OwnedFd,
    /// Files with several names in a layer, and where below `base` the first one went.
    links: HashMap<(usize, u64, u64), PathBuf>,
}

impl Exporter<'_> {
    fn dir(
        &mut self,
        rel: &Path,
        node: &Node,
        target: &OwnedFd,
        shown: &Path,
        wipe: bool,
    ) -> Result<()> {
        let entries = self.view.read_dir(rel, node)?;
        if wipe {
            self.wipe(target, &entries)?;
        }
        for (name, node) in &entries {
            let (child, shown) = (rel.join(name), shown.join(name));
            if !node.is_dir() {
                self.file(&child, node, target, name, &shown)?;
                continue;
            }
            let dir = self.make_dir(target, name).context("create", &shown)?;
            self.dir(&child, node, &dir, &shown, wipe)?;
            rustix::fs::fchmod(&dir, fsops::mode_of(node.mode() & MODE))
                .context("chmod", &shown)?;
            rustix::fs::futimens(&dir, &fsops::times_of(&node.stat))
                .context("set times of", &shown)?;
        }
        Ok(())
    }

    /// Opens a directory of the target; what is there and no directory is replaced.
    fn make_dir(&mut self, target: &OwnedFd, name: &OsStr) -> Result<OwnedFd, Errno> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        match openat(target, name, flags, Mode::empty()) {
            Err(Errno::NOENT) => {}
            Err(Errno::LOOP | Errno::NOTDIR) => {
                rustix::fs::unlinkat(target, name, AtFlags::empty())?;
            }
            other => return other,
        }
        mkdirat(target, name, Mode::RWXU)?;
        openat(target, name, flags, Mode::empty())
    }

    /// Removes what the source has not.
    fn wipe(&mut self, target: &OwnedFd, entries: &[(OsString, Node)]) -> Result<()> {
        let keep: HashSet<&OsStr> = entries.iter().map(|(name, _)| name.as_os_str()).collect();
        let mut doomed = Vec::new();
        for entry in Dir::read_from(target).context("read", "target of the export")? {
            let entry = entry.context("read", "target of the export")?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name != "." && name != ".." && !keep.contains(name) {
                doomed.push(name.to_owned());
            }
        }
        for name in doomed {
            self.done.removed += fsops::remove_tree(target, &name).context("remove", &name)?;
        }
        Ok(())
    }

    fn file(
        &mut self,
        rel: &Path,
        node: &Node,
        target: &OwnedFd,
        name: &OsStr,
        shown: &Path,
    ) -> Result<()> {
        let kind = node.file_type();
        if !matches!(
            kind,
            FileType::RegularFile | FileType::Symlink | FileType::Fifo
        ) {
            self.done.skipped.push(shown.to_string_lossy().into_owned());
            return Ok(());
        }
        let partial = OsStr::new(PARTIAL);
        fsops::remove_tree(target, partial).context("remove", shown)?;
        if let Some(at) = fsops::stat_at(target, name)?
            && FileType::from_raw_mode(at.st_mode) == FileType::Directory
        {
            fsops::remove_tree(target, name).context("replace", shown)?;
        }
        let linked = node.stat.st_nlink > 1 && kind == FileType::RegularFile;
        let inode = (node.root, node.stat.st_dev, node.stat.st_ino);
        if let (true, Some(first)) = (linked, self.links.get(&inode)) {
            rustix::fs::linkat(&self.base, first, target, partial, AtFlags::empty())
                .context("link", shown)?;
        } else {
            self.write(rel, node, target, partial)
                .map_err(|errno| Error::io("write", shown, errno))?;
            if kind == FileType::RegularFile {
                self.done.bytes += node.stat.st_size.cast_unsigned();
            }
        }
        renameat(target, partial, target, name).context("replace", shown)?;
        // Renaming one name of a file over another does nothing and leaves the first.
        fsops::remove_tree(target, partial).context("remove", shown)?;
        if linked && !self.links.contains_key(&inode) {
            self.links.insert(inode, shown.to_owned());
        }
        self.done.files += 1;
        Ok(())
    }

    fn write(&self, rel: &Path, node: &Node, dir: &OwnedFd, name: &OsStr) -> Result<(), Errno> {
        let root = self.view.root_of(node);
        let mode = fsops::mode_of(node.mode() & MODE);
        match node.file_type() {
            FileType::Symlink => {
                let link = rustix::fs::readlinkat(&root.fd, rel, Vec::new())?;
                rustix::fs::symlinkat(&link, dir, name)?;
            }
            FileType::Fifo => rustix::fs::mkfifoat(dir, name, mode)?,
            _ => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                let from = root.open_file(rel)?;
                let file = openat(dir, name, flags, mode)?;
                fsops::copy_content(&from, &file, node.stat.st_size.cast_unsigned())?;
                rustix::fs::fchmod(&file, mode)?;
            }
        }
        let times = fsops::times_of(&node.stat);
        rustix::fs::utimensat(dir, name, &times, AtFlags::SYMLINK_NOFOLLOW)
    }
}
