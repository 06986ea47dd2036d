//! Turns an image layer's archive into a directory usable as an overlay lower layer.
//!
//! Nothing an archive says reaches outside its directory: parents are opened by `openat2` inside
//! the root, the last name is never followed, `..` is refused. What was created is addressed by
//! descriptor. Two streams that disagree on a name end like with tar: the later entry wins.
//!
//! Device nodes cannot be made in a user namespace. They are left out and recorded in `layer.json`.
//!
//! # References
//! - OCI image-spec 1.1, [layers](https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md)
//! - [openat2(2)](https://man7.org/linux/man-pages/man2/openat2.2.html)

use std::collections::{HashMap, VecDeque};
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, ResolveFlags, Timespec, Timestamps, mkdirat, openat, openat2,
    unlinkat,
};
use rustix::io::Errno;

use super::archive::{Archive, Entry, Kind};
use super::draft::{Device, Manifest, Origin, Workspace};
use super::stream::Chunks;
use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::keeper::ApplyLayer;
use crate::layer::{AppliedLayer, LayerId};

/// Open parent directories kept; several layers are applied at once within one descriptor limit.
const MAX_CACHED: usize = 96;
/// Links followed on the way to a parent.
const MAX_LINKS: usize = 40;

/// Unpacks a layer unless it is there already.
pub(crate) fn apply(space: &Workspace, ask: ApplyLayer, stream: OwnedFd) -> Result<AppliedLayer> {
    if let Some(manifest) = space.find(&ask.id)? {
        return Ok(manifest.layer);
    }
    let draft = space.large_draft()?;
    let chunks = Chunks::start(stream, ask.compression, ask.diff_id.is_some())?;
    let mut applier = Applier::new(&draft.fs())?;
    let mut archive = Archive::new(chunks);
    while let Some(entry) = archive.next()? {
        applier.entry(&entry, &mut archive)?;
    }
    applier.finish()?;
    let diff_id = archive.finish()?;
    if let (Some(expected), Some(found)) = (&ask.diff_id, &diff_id)
        && expected != found
    {
        return Err(Error::DigestMismatch {
            what: format!("archive of layer {}", ask.id),
            expected: expected.clone(),
            actual: found.clone(),
        });
    }
    let digest = LayerId::of(diff_id.as_ref().unwrap_or(&format!("blob {}", ask.id))).into();
    let (size, entries) = (applier.size, applier.entries);
    let layer = AppliedLayer {
        id: ask.id,
        size,
        entries,
        diff_id,
        digest,
    };
    let mut manifest = Manifest {
        layer,
        origin: Origin::Archive,
        boot: String::new(),
        devices: applier.devices,
        implied: applier.implied,
    };
    space.publish(&draft, &mut manifest)?;
    Ok(manifest.layer)
}

/// An open directory of the layer.
#[derive(Debug)]
struct Dir {
    fd: OwnedFd,
    /// Whether new entries get its group.
    setgid: bool,
}

/// The tree while it grows.
#[derive(Debug)]
struct Applier {
    root: Arc<Dir>,
    cache: HashMap<PathBuf, Arc<Dir>>,
    /// Times to set once nothing more is created below.
    dir_times: HashMap<PathBuf, Timestamps>,
    size: u64,
    entries: u64,
    devices: Vec<Device>,
    implied: Vec<String>,
}

impl Applier {
    fn new(fs: &Path) -> Result<Self> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let fd = openat(rustix::fs::CWD, fs, flags, Mode::empty()).context("open", fs)?;
        Ok(Self {
            root: Arc::new(Dir { fd, setgid: false }),
            cache: HashMap::new(),
            dir_times: HashMap::new(),
            size: 0,
            entries: 0,
            devices: Vec::new(),
            implied: Vec::new(),
        })
    }

    fn entry(&mut self, entry: &Entry, archive: &mut Archive) -> Result<()> {
        if entry.kind == Kind::Unknown {
            return Ok(());
        }
        let path = clean(&entry.path)?;
        let Some(name) = path.file_name() else {
            return self.root_entry(entry);
        };
        let parent_path = path.parent().unwrap_or(Path::new(""));
        if let Some(hidden) = name.as_bytes().strip_prefix(b".wh.") {
            return self.whiteout(parent_path, OsStr::from_bytes(hidden), &path);
        }
        if matches!(entry.kind, Kind::Char | Kind::Block) {
            self.devices.push(device(entry, &path));
            return Ok(());
        }
        owner(entry)?;
        let parent = self.parent(parent_path)?;
        self.entries += 1;
        match entry.kind {
            Kind::Dir => self.dir(&parent, name, &path, entry),
            Kind::File => self.file(&parent, name, &path, entry, archive),
            Kind::Hardlink => self.hardlink(&parent, name, &path, entry),
            Kind::Symlink => {
                let link = link_text(entry, &path)?;
                self.create(&parent, name, |dir| rustix::fs::symlinkat(link, dir, name))
                    .context("create link", &path)?;
                self.finish_special(&parent, name, entry)
            }
            Kind::Fifo => {
                let mode = fsops::mode_of(entry.mode);
                self.create(&parent, name, |dir| rustix::fs::mkfifoat(dir, name, mode))
                    .context("create FIFO", &path)?;
                fsops::chmod_at(&parent.fd, name, entry.mode)?;
                self.finish_special(&parent, name, entry)
            }
            Kind::Char | Kind::Block | Kind::Unknown => Ok(()),
        }
    }

    /// The archive's own root: its permissions and owner, never another kind of file.
    fn root_entry(&mut self, entry: &Entry) -> Result<()> {
        if entry.kind != Kind::Dir {
            return Err(refused(
                &entry.path,
                "the root of a layer must be a directory",
            ));
        }
        owner(entry)?;
        let root = Arc::clone(&self.root);
        self.dir_attributes(&root, OsStr::new("."), entry)?;
        self.dir_times.insert(PathBuf::new(), times(entry));
        Ok(())
    }

    fn dir(&mut self, parent: &Dir, name: &OsStr, path: &Path, entry: &Entry) -> Result<()> {
        match mkdirat(&parent.fd, name, fsops::mode_of(entry.mode)) {
            Ok(()) => {}
            Err(Errno::EXIST) => {
                let stat = fsops::stat_at(&parent.fd, name)?;
                let stat = stat.ok_or_else(|| Error::io("create", path, Errno::NOENT))?;
                if FileType::from_raw_mode(stat.st_mode) != FileType::Directory {
                    let hidden = fsops::is_whiteout(&stat);
                    self.remove(parent, name).context("replace", path)?;
                    mkdirat(&parent.fd, name, fsops::mode_of(entry.mode))
                        .context("create", path)?;
                    if hidden {
                        fsops::make_opaque(&parent.fd, name)?;
                    }
                }
            }
            Err(errno) => return Err(Error::io("create", path, errno)),
        }
        self.dir_attributes(parent, name, entry)?;
        self.dir_times.insert(path.to_owned(), times(entry));
        Ok(())
    }

    fn dir_attributes(&self, parent: &Dir, name: &OsStr, entry: &Entry) -> Result<()> {
        let (uid, gid) = owner(entry)?;
        fsops::chown_at(&parent.fd, name, uid, gid)?;
        fsops::chmod_at(&parent.fd, name, entry.mode)?;
        set_xattrs(parent, name, entry)
    }

    fn file(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        path: &Path,
        entry: &Entry,
        archive: &mut Archive,
    ) -> Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = fsops::mode_of(entry.mode);
        let file = self
            .create(parent, name, |dir| openat(dir, name, flags, mode))
            .context("create", path)?;
        match &entry.sparse {
            None => write_data(&file, archive).context("write", path)?,
            Some(map) => write_sparse(&file, map, entry.size, archive).context("write", path)?,
        }?;
        self.size += entry
            .sparse
            .as_ref()
            .map_or(entry.size, |map| map.iter().map(|m| m.1).sum());
        let (uid, gid) = owner(entry)?;
        // New files belong to 0:0 already, which most of an image's files do.
        if uid != 0 || gid != 0 || parent.setgid {
            fsops::chown_at(&parent.fd, name, uid, gid)?;
        }
        if entry.mode & 0o7000 != 0 {
            rustix::fs::fchmod(&file, mode).context("chmod", path)?;
        }
        for (attribute, value) in content_xattrs(entry) {
            set_file_xattr(&file, attribute, value).context("set attribute of", path)?;
        }
        rustix::fs::futimens(&file, &times(entry)).context("set times of", path)
    }

    fn hardlink(&mut self, parent: &Dir, name: &OsStr, path: &Path, entry: &Entry) -> Result<()> {
        let target = clean(&entry.link)?;
        let Some(target_name) = target.file_name() else {
            return Err(refused(&entry.path, "a hard link to the root"));
        };
        if target == path {
            return Ok(());
        }
        let missing = || {
            refused(
                &entry.path,
                &format!("hard link to missing `{}`", target.display()),
            )
        };
        let target_dir = target.parent().unwrap_or(Path::new(""));
        let from = self.open_parent(target_dir)?.ok_or_else(missing)?;
        let stat = fsops::stat_at(&from.fd, target_name)?.ok_or_else(missing)?;
        let kind = FileType::from_raw_mode(stat.st_mode);
        if kind == FileType::Directory || kind == FileType::CharacterDevice {
            return Err(refused(
                &entry.path,
                "a hard link to a directory or whiteout",
            ));
        }
        self.create(parent, name, |dir| {
            rustix::fs::linkat(&from.fd, target_name, dir, name, AtFlags::empty())
        })
        .context("link", path)
    }

    fn finish_special(&self, parent: &Dir, name: &OsStr, entry: &Entry) -> Result<()> {
        let (uid, gid) = owner(entry)?;
        if uid != 0 || gid != 0 || parent.setgid {
            fsops::chown_at(&parent.fd, name, uid, gid)?;
        }
        set_xattrs(parent, name, entry)?;
        fsops::utimes_at(&parent.fd, name, &times(entry))
    }

    /// A whiteout hides lower layers only: what this layer itself brings stays.
    fn whiteout(&mut self, parent_path: &Path, hidden: &OsStr, path: &Path) -> Result<()> {
        if hidden == ".wh..opq" {
            let parent = self.parent(parent_path)?;
            self.entries += 1;
            return fsops::make_opaque(&parent.fd, OsStr::new("."));
        }
        if hidden.as_bytes().starts_with(b".wh.") {
            // Housekeeping of aufs, which other engines skip too.
            return Ok(());
        }
        if hidden.is_empty() || hidden == "." || hidden == ".." {
            return Err(refused(
                path.as_os_str().as_bytes(),
                "a whiteout of nothing",
            ));
        }
        let parent = self.parent(parent_path)?;
        self.entries += 1;
        match fsops::stat_at(&parent.fd, hidden)? {
            None => fsops::make_whiteout(&parent.fd, hidden),
            Some(stat) if FileType::from_raw_mode(stat.st_mode) == FileType::Directory => {
                fsops::make_opaque(&parent.fd, hidden)
            }
            Some(_) => Ok(()),
        }
    }

    /// Creates an entry, removing what stands in its place.
    fn create<T>(
        &mut self,
        parent: &Dir,
        name: &OsStr,
        make: impl Fn(&OwnedFd) -> Result<T, Errno>,
    ) -> Result<T, Errno> {
        match make(&parent.fd) {
            Err(Errno::EXIST) => {
                self.remove(parent, name)?;
                make(&parent.fd)
            }
            other => other,
        }
    }

    fn remove(&mut self, parent: &Dir, name: &OsStr) -> Result<(), Errno> {
        // Directories kept open may be the one that goes, or be reached through a link that goes.
        self.cache.clear();
        match unlinkat(&parent.fd, name, AtFlags::empty()) {
            Err(Errno::ISDIR) => fsops::remove_tree(&parent.fd, name).map(drop),
            other => other,
        }
    }

    /// The directory an entry goes to, made if the archive has not mentioned it.
    fn parent(&mut self, path: &Path) -> Result<Arc<Dir>> {
        match self.open_parent(path)? {
            Some(dir) => Ok(dir),
            None => self.make_parent(path),
        }
    }

    /// The directory at a path, links resolved inside the root; `None` if there is none yet.
    fn open_parent(&mut self, path: &Path) -> Result<Option<Arc<Dir>>> {
        if path.as_os_str().is_empty() {
            return Ok(Some(Arc::clone(&self.root)));
        }
        if let Some(dir) = self.cache.get(path) {
            return Ok(Some(Arc::clone(dir)));
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        match openat2(&self.root.fd, path, flags, Mode::empty(), resolve) {
            Ok(fd) => Ok(Some(self.remember(path, fd)?)),
            Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => Ok(None),
            Err(errno) => Err(Error::io("open", path, errno)),
        }
    }

    fn remember(&mut self, path: &Path, fd: OwnedFd) -> Result<Arc<Dir>> {
        let stat = rustix::fs::fstat(&fd).context("stat", path)?;
        let dir = Arc::new(Dir {
            fd,
            setgid: stat.st_mode & 0o2000 != 0,
        });
        if self.cache.len() >= MAX_CACHED {
            self.cache.clear();
        }
        self.cache.insert(path.to_owned(), Arc::clone(&dir));
        Ok(dir)
    }

    /// Walks to a directory name by name, making what is missing, also behind links of this layer
    /// that lead to directories only a lower layer has.
    fn make_parent(&mut self, path: &Path) -> Result<Arc<Dir>> {
        let mut todo: VecDeque<OsString> = path.iter().map(OsStr::to_owned).collect();
        let mut stack: Vec<(OsString, OwnedFd)> = Vec::new();
        let mut links = 0;
        while let Some(name) = todo.pop_front() {
            if name == ".." {
                stack.pop();
                continue;
            }
            let here = stack
                .last()
                .map_or(self.root.fd.as_fd(), |(_, fd)| fd.as_fd());
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let opened = openat(here, &name, flags, Mode::empty());
            let fd = match opened {
                Ok(fd) => fd,
                Err(Errno::NOENT) => {
                    mkdirat(here, &name, Mode::from_raw_mode(0o755)).context("create", path)?;
                    let whole: PathBuf =
                        stack.iter().map(|(name, _)| name).chain([&name]).collect();
                    self.implied.push(whole.to_string_lossy().into_owned());
                    openat(here, &name, flags, Mode::empty()).context("open", path)?
                }
                Err(Errno::LOOP | Errno::NOTDIR) => {
                    let stat = fsops::stat_at(here, &name)?;
                    let stat = stat.ok_or_else(|| Error::io("open", path, Errno::NOENT))?;
                    match FileType::from_raw_mode(stat.st_mode) {
                        FileType::Symlink => {
                            links += 1;
                            if links > MAX_LINKS {
                                return Err(refused(
                                    path.as_os_str().as_bytes(),
                                    "a loop of links",
                                ));
                            }
                            let target = rustix::fs::readlinkat(here, &name, Vec::new())
                                .context("read link", path)?;
                            let target = target.as_bytes();
                            if target.starts_with(b"/") {
                                stack.clear();
                            }
                            let names = target.split(|&byte| byte == b'/');
                            let names = names.filter(|name| !name.is_empty() && *name != b".");
                            for name in names.rev() {
                                todo.push_front(OsStr::from_bytes(name).to_owned());
                            }
                            continue;
                        }
                        FileType::CharacterDevice if stat.st_rdev == 0 => {
                            unlinkat(here, &name, AtFlags::empty()).context("replace", path)?;
                            mkdirat(here, &name, Mode::from_raw_mode(0o755))
                                .context("create", path)?;
                            fsops::make_opaque(here, &name)?;
                            openat(here, &name, flags, Mode::empty()).context("open", path)?
                        }
                        _ => {
                            let reason = "a parent that is not a directory";
                            return Err(refused(path.as_os_str().as_bytes(), reason));
                        }
                    }
                }
                Err(errno) => return Err(Error::io("open", path, errno)),
            };
            stack.push((name, fd));
        }
        match stack.pop() {
            Some((_, fd)) => self.remember(path, fd),
            None => Ok(Arc::clone(&self.root)),
        }
    }

    /// Sets the times of directories, now that nothing changes them any more.
    fn finish(&mut self) -> Result<()> {
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | ResolveFlags::NO_XDEV;
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.cache.clear();
        for (path, times) in std::mem::take(&mut self.dir_times) {
            let path = crate::view::at(&path);
            match openat2(&self.root.fd, path, flags, Mode::empty(), resolve) {
                Ok(fd) => rustix::fs::futimens(&fd, &times).context("set times of", path)?,
                // Replaced by a later entry.
                Err(Errno::NOENT | Errno::NOTDIR | Errno::LOOP) => {}
                Err(errno) => return Err(Error::io("open", path, errno)),
            }
        }
        Ok(())
    }
}

/// A path inside the root: absolute names and `.` are fine, a way out or a NUL is not.
fn clean(path: &[u8]) -> Result<PathBuf> {
    let mut cleaned = PathBuf::new();
    if path.contains(&0) {
        return Err(refused(path, "a name with a NUL"));
    }
    for name in path.split(|&byte| byte == b'/') {
        match name {
            b"" | b"." => {}
            b".." if cleaned.pop() => {}
            b".." => return Err(refused(path, "a path that leaves the layer")),
            name => cleaned.push(OsStr::from_bytes(name)),
        }
    }
    Ok(cleaned)
}

fn refused(path: &[u8], reason: &str) -> Error {
    let path: String = String::from_utf8_lossy(path).chars().take(256).collect();
    Error::InvalidLayer {
        reason: format!("`{}` is {reason}", path.escape_debug()),
    }
}

fn link_text<'a>(entry: &'a Entry, path: &Path) -> Result<&'a OsStr> {
    if entry.link.is_empty() || entry.link.contains(&0) {
        return Err(refused(
            path.as_os_str().as_bytes(),
            "a link without a target",
        ));
    }
    Ok(OsStr::from_bytes(&entry.link))
}

fn owner(entry: &Entry) -> Result<(u32, u32)> {
    let id = |value: u64| u32::try_from(value).ok().filter(|&id| id != u32::MAX);
    match (id(entry.uid), id(entry.gid)) {
        (Some(uid), Some(gid)) => Ok((uid, gid)),
        _ => Err(refused(&entry.path, "owned by an id out of range")),
    }
}

fn times(entry: &Entry) -> Timestamps {
    let time = Timespec {
        tv_sec: entry.mtime.0,
        tv_nsec: entry.mtime.1.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

fn device(entry: &Entry, path: &Path) -> Device {
    Device {
        path: path.to_string_lossy().into_owned(),
        kind: if entry.kind == Kind::Char {
            "char"
        } else {
            "block"
        }
        .to_owned(),
        major: entry.device.0,
        minor: entry.device.1,
        mode: entry.mode & 0o7777,
        uid: entry.uid,
        gid: entry.gid,
    }
}

fn content_xattrs(entry: &Entry) -> impl Iterator<Item = (&OsStr, &[u8])> {
    let xattrs = entry
        .xattrs
        .iter()
        .map(|(name, value)| (name.as_os_str(), &value[..]));
    xattrs.filter(|(name, _)| fsops::is_content_xattr(name))
}

fn set_xattrs(parent: &Dir, name: &OsStr, entry: &Entry) -> Result<()> {
    for (attribute, value) in content_xattrs(entry) {
        fsops::set_xattr(fsops::fd_path(&parent.fd, name), attribute, value)?;
    }
    Ok(())
}

fn set_file_xattr(file: &OwnedFd, name: &OsStr, value: &[u8]) -> Result<(), Errno> {
    match rustix::fs::fsetxattr(file, name, value, rustix::fs::XattrFlags::empty()) {
        // `trusted.*` and the like belong to the host's administrator.
        Ok(()) | Err(Errno::NOTSUP | Errno::PERM) => Ok(()),
        Err(errno) => Err(errno),
    }
}

/// Writes the current entry's data; the outer error is the disk's, the inner the archive's.
fn write_data(file: &OwnedFd, archive: &mut Archive) -> Result<Result<()>, Errno> {
    loop {
        let data = match archive.data() {
            Ok(data) => data,
            Err(error) => return Ok(Err(error)),
        };
        if data.is_empty() {
            return Ok(Ok(()));
        }
        let written = match rustix::io::write(file, data) {
            Err(Errno::INTR) => 0,
            other => other?,
        };
        archive.consume(written);
    }
}

fn write_sparse(
    file: &OwnedFd,
    map: &[(u64, u64)],
    size: u64,
    archive: &mut Archive,
) -> Result<Result<()>, Errno> {
    rustix::fs::ftruncate(file, size)?;
    for &(mut offset, length) in map {
        let end = offset + length;
        while offset < end {
            let data = match archive.data() {
                Ok(data) => data,
                Err(error) => return Ok(Err(error)),
            };
            let want = usize::try_from(end - offset)
                .unwrap_or(usize::MAX)
                .min(data.len());
            let written = rustix::io::pwrite(file, &data[..want], offset)?;
            archive.consume(written);
            offset += written as u64;
        }
    }
    Ok(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entry_paths_stay_inside() {
        for (path, expected) in [
            ("./a/b", "a/b"),
            ("//a", "a"),
            ("a/../b", "b"),
            ("./", ""),
            ("/", ""),
            ("a//b/", "a/b"),
        ] {
            assert_eq!(
                clean(path.as_bytes()).unwrap(),
                Path::new(expected),
                "{path}"
            );
        }
        for path in ["..", "../a", "a/../../b", "./../x", "a\0b"] {
            assert!(clean(path.as_bytes()).is_err(), "{path}");
        }
    }
}
