//! A step's file system, built from the session's mount namespace by descriptors.
//!
//! Everything that comes from the session is opened before the step's own files are looked at. Every target is
//! resolved inside of the step's root with links kept in it, so that nothing in an image or volume leads a mount
//! elsewhere.
//!
//! # References
//! - [openat2(2)](https://man7.org/linux/man-pages/man2/openat2.2.html)
//! - [move_mount(2)](https://man7.org/linux/man-pages/man2/move_mount.2.html)

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use oci_spec::runtime::{Mount, Spec};
use rustix::fs::{CWD, FileType, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags, MoveMountFlags, OpenTreeFlags,
    UnmountFlags, fsconfig_create, fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen,
    move_mount, open_tree, unmount,
};

use crate::spec::RootFs;
use crate::{Error, sys};

/// Devices every step has.
const DEVICES: [&str; 6] = ["null", "zero", "full", "random", "urandom", "tty"];

/// Links every step has in `/dev`.
const LINKS: [(&str, &str); 5] = [
    ("pts/ptmx", "ptmx"),
    ("/proc/self/fd", "fd"),
    ("/proc/self/fd/0", "stdin"),
    ("/proc/self/fd/1", "stdout"),
    ("/proc/self/fd/2", "stderr"),
];

/// How often a lookup is tried that a concurrent rename disturbed.
const LOOKUPS: usize = 64;

/// The root of a step's file system, mounted over the session's state directory in the step's mount namespace.
pub(super) struct Root {
    fd: OwnedFd,
}

/// A mount that has no place yet.
struct Detached {
    fd: OwnedFd,
    target: PathBuf,
    is_dir: bool,
    /// Part of every step: nothing of the image may stand in for its place.
    ours: bool,
}

impl Root {
    /// Mounts everything a specification asks for.
    pub(super) fn build(root: &RootFs, spec: &Spec, state_dir: &Path) -> Result<Self, Error> {
        let mounts = spec.mounts().as_deref().unwrap_or_default();
        // The first mount of an overlay step is its root, in the form libcontainer wants it.
        let (fd, mounts) = match root {
            RootFs::Overlay { .. } => {
                let fd = overlay(root, state_dir)?;
                (fd, mounts.get(1..).unwrap_or_default())
            }
            RootFs::Directory(path) => (clone_tree(CWD, path, true)?, mounts),
        };
        let devices = DEVICES
            .iter()
            .map(|name| clone_tree(CWD, Path::new("/dev").join(name), false))
            .collect::<Result<Vec<_>, _>>()?;
        let detached = mounts
            .iter()
            .map(Detached::open)
            .collect::<Result<Vec<_>, _>>()?;
        place(&fd, CWD, state_dir).map_err(|source| refused(Path::new("/"), source))?;
        let root = Self { fd };
        let mut dev: Option<&Detached> = None;
        for mount in &detached {
            match dev.zip(mount.target.strip_prefix("/dev").ok()) {
                // Fresh and ours, so there is nothing in it that could mislead.
                Some((dev, name)) if mount.ours => {
                    rustix::fs::mkdirat(&dev.fd, name, Mode::from_raw_mode(0o755))
                        .and_then(|()| place(&mount.fd, &dev.fd, name))
                        .map_err(|source| refused(&mount.target, source))?;
                }
                _ => root.attach(mount)?,
            }
            if mount.ours && mount.target == Path::new("/dev") {
                furnish_dev(&mount.fd, &devices)?;
                dev = Some(mount);
            }
        }
        let linux = spec.linux().as_ref();
        for path in paths(linux.and_then(|linux| linux.readonly_paths().as_ref())) {
            root.protect(path)?;
        }
        root.mask(paths(linux.and_then(|linux| linux.masked_paths().as_ref())))?;
        Ok(root)
    }

    /// Opens something of the root, following no link.
    pub(super) fn open(&self, path: impl AsRef<Path>, flags: OFlags) -> Result<OwnedFd, Error> {
        let path = path.as_ref();
        self.look(path, flags, ResolveFlags::NO_SYMLINKS)
            .map_err(|source| Error::io(format!("open {} of the step", path.display()), source))
    }

    /// Makes an open file appear at a path.
    pub(super) fn bind_descriptor(&self, file: &OwnedFd, path: &str) -> Result<(), Error> {
        let path = Path::new(path);
        self.reach(path, false, ResolveFlags::NO_SYMLINKS)
            .and_then(|target| {
                let flags = OpenTreeFlags::OPEN_TREE_CLONE
                    | OpenTreeFlags::OPEN_TREE_CLOEXEC
                    | OpenTreeFlags::AT_EMPTY_PATH;
                let tree = open_tree(file, "", flags)?;
                place(&tree, &target, "")
            })
            .map_err(|source| refused(path, source))
    }

    /// Makes the root read-only, but not what is mounted on it.
    pub(super) fn make_readonly(&self) -> Result<(), Error> {
        sys::set_mount_attributes(self.fd.as_fd(), MountAttrFlags::MOUNT_ATTR_RDONLY, false)
            .map_err(|source| Error::io("make the step's root read-only", source))
    }

    fn attach(&self, mount: &Detached) -> Result<(), Error> {
        let links = if mount.ours {
            ResolveFlags::NO_SYMLINKS
        } else {
            ResolveFlags::empty()
        };
        self.reach(&mount.target, mount.is_dir, links)
            .and_then(|target| place(&mount.fd, &target, ""))
            .map_err(|source| refused(&mount.target, source))
    }

    /// Makes a part of the step's file system read-only, if it exists.
    fn protect(&self, path: &Path) -> Result<(), Error> {
        let protect = |target: &OwnedFd| -> io::Result<()> {
            let flags = OpenTreeFlags::OPEN_TREE_CLONE
                | OpenTreeFlags::OPEN_TREE_CLOEXEC
                | OpenTreeFlags::AT_EMPTY_PATH
                | OpenTreeFlags::AT_RECURSIVE;
            let tree = open_tree(target, "", flags)?;
            sys::make_mount_readonly(tree.as_fd())?;
            Ok(place(&tree, target, "")?)
        };
        match self.look(path, OFlags::PATH, ResolveFlags::NO_SYMLINKS) {
            Ok(target) => protect(&target),
            Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(errno.into()),
        }
        .map_err(|source| Error::io(format!("protect {}", path.display()), source))
    }

    /// Hides parts of the step's file system: files behind the null device, directories behind an empty one.
    fn mask<'a>(&self, paths: impl Iterator<Item = &'a Path>) -> Result<(), Error> {
        let mut first: Option<OwnedFd> = None;
        for path in paths {
            let failed = |source: Errno| Error::io(format!("hide {}", path.display()), source);
            let target = match self.look(path, OFlags::PATH, ResolveFlags::NO_SYMLINKS) {
                Ok(target) => target,
                Err(Errno::NOENT) => continue,
                Err(errno) => return Err(failed(errno)),
            };
            if !is_dir(&target).map_err(failed)? {
                let null = clone_tree(CWD, "/dev/null", false)?;
                place(&null, &target, "").map_err(failed)?;
                continue;
            }
            // One empty directory serves all places, since nobody can write to it.
            let empty = match &first {
                Some(placed) => {
                    let flags = OpenTreeFlags::OPEN_TREE_CLONE
                        | OpenTreeFlags::OPEN_TREE_CLOEXEC
                        | OpenTreeFlags::AT_EMPTY_PATH;
                    open_tree(placed, "", flags).map_err(failed)?
                }
                None => new_mount(
                    "tmpfs",
                    &[("mode", "755")],
                    MountAttrFlags::MOUNT_ATTR_RDONLY,
                )
                .map_err(failed)?,
            };
            place(&empty, &target, "").map_err(failed)?;
            first.get_or_insert(empty);
        }
        Ok(())
    }

    /// Opens a target inside of the root; makes it, and directories above it, if there is none.
    fn reach(&self, path: &Path, is_dir: bool, links: ResolveFlags) -> Result<OwnedFd, Errno> {
        match self.look(path, OFlags::PATH, links) {
            Err(Errno::NOENT) => {}
            found => return found,
        }
        let name = path.file_name().ok_or(Errno::NOENT)?;
        let parent = self.reach(path.parent().unwrap_or(Path::new("")), true, links)?;
        let made = if is_dir {
            rustix::fs::mkdirat(&parent, name, Mode::from_raw_mode(0o755))
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            rustix::fs::openat(&parent, name, flags, Mode::from_raw_mode(0o644)).map(drop)
        };
        match made {
            // Something is there that leads nowhere; looking again says what.
            Ok(()) | Err(Errno::EXIST) => self.look(path, OFlags::PATH, links),
            Err(errno) => Err(errno),
        }
    }

    fn look(&self, path: &Path, flags: OFlags, links: ResolveFlags) -> Result<OwnedFd, Errno> {
        let relative = path.strip_prefix("/").unwrap_or(path);
        let relative = if relative.as_os_str().is_empty() {
            Path::new(".")
        } else {
            relative
        };
        let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS | links;
        let flags = flags | OFlags::CLOEXEC;
        let mut last = Errno::AGAIN;
        for _ in 0..LOOKUPS {
            match rustix::fs::openat2(&self.fd, relative, flags, Mode::empty(), resolve) {
                Err(Errno::AGAIN | Errno::INTR) => last = Errno::AGAIN,
                found => return found,
            }
        }
        Err(last)
    }
}

impl AsFd for Root {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Detached {
    /// Makes or opens a mount, without a place yet.
    fn open(mount: &Mount) -> Result<Self, Error> {
        let target = mount.destination().clone();
        let options = mount.options().as_deref().unwrap_or_default();
        let kind = mount.typ().as_deref().unwrap_or_default();
        let failed = |source: io::Error| refused(&target, source);
        if kind == "bind" {
            let source = mount.source().clone().unwrap_or_default();
            let recursive = options.iter().any(|option| option == "rbind");
            let fd = clone_tree(CWD, &source, recursive)?;
            let (attributes, _) = split(options);
            if !attributes.is_empty() {
                sys::set_mount_attributes(fd.as_fd(), attributes, true).map_err(failed)?;
            }
            let is_dir = is_dir(&fd).map_err(|errno| failed(errno.into()))?;
            let ours = target == Path::new("/sys") || target == Path::new("/proc");
            return Ok(Self {
                fd,
                target,
                is_dir,
                ours,
            });
        }
        let (attributes, parameters) = split(options);
        let fd = new_mount(kind, &parameters, attributes).map_err(|errno| failed(errno.into()))?;
        // A file system in memory elsewhere is one that the pipeline asked for.
        let ours = kind != "tmpfs" || target.starts_with("/dev");
        Ok(Self {
            fd,
            target,
            is_dir: true,
            ours,
        })
    }
}

/// Fills a new `/dev` with devices and links.
fn furnish_dev(dev: &OwnedFd, devices: &[OwnedFd]) -> Result<(), Error> {
    let mode = Mode::from_raw_mode(0o644);
    for (name, device) in DEVICES.iter().zip(devices) {
        rustix::fs::mknodat(dev, *name, FileType::RegularFile, mode, 0)
            .and_then(|()| place(device, dev, name))
            .map_err(|source| refused(&Path::new("/dev").join(name), source))?;
    }
    for (target, name) in LINKS {
        rustix::fs::symlinkat(target, dev, name)
            .map_err(|source| Error::io(format!("create the link /dev/{name}"), source))?;
    }
    Ok(())
}

/// Sorts mount options into attributes of the mount and parameters of the file system.
fn split(options: &[String]) -> (MountAttrFlags, Vec<(&str, &str)>) {
    let mut attributes = MountAttrFlags::empty();
    let mut parameters = Vec::new();
    for option in options {
        match option.as_str() {
            "ro" | "rro" => attributes |= MountAttrFlags::MOUNT_ATTR_RDONLY,
            "nosuid" => attributes |= MountAttrFlags::MOUNT_ATTR_NOSUID,
            "nodev" => attributes |= MountAttrFlags::MOUNT_ATTR_NODEV,
            "noexec" => attributes |= MountAttrFlags::MOUNT_ATTR_NOEXEC,
            "strictatime" => attributes |= MountAttrFlags::MOUNT_ATTR_STRICTATIME,
            // Everything in a session is private from the start.
            "rbind" | "rprivate" => {}
            other => parameters.push(other.split_once('=').unwrap_or((other, ""))),
        }
    }
    (attributes, parameters)
}

fn paths(list: Option<&Vec<String>>) -> impl Iterator<Item = &Path> {
    list.into_iter().flatten().map(Path::new)
}

fn refused(target: &Path, source: impl Into<io::Error>) -> Error {
    Error::io(
        format!("mount {} of the step", target.display()),
        source.into(),
    )
}

fn is_dir(fd: &OwnedFd) -> Result<bool, Errno> {
    Ok(FileType::from_raw_mode(rustix::fs::fstat(fd)?.st_mode).is_dir())
}

/// A new file system that is mounted nowhere yet.
fn new_mount(
    kind: &str,
    parameters: &[(&str, &str)],
    attributes: MountAttrFlags,
) -> Result<OwnedFd, Errno> {
    let context = fsopen(kind, FsOpenFlags::FSOPEN_CLOEXEC)?;
    for (key, value) in parameters {
        if value.is_empty() {
            fsconfig_set_flag(&context, *key)?;
        } else {
            fsconfig_set_string(&context, *key, *value)?;
        }
    }
    fsconfig_create(&context)?;
    fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
}

/// A copy of a mount of the session that is mounted nowhere yet.
fn clone_tree(base: impl AsFd, path: impl AsRef<Path>, recursive: bool) -> Result<OwnedFd, Error> {
    let path = path.as_ref();
    let mut flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    if recursive {
        flags |= OpenTreeFlags::AT_RECURSIVE;
    }
    open_tree(base, path, flags)
        .map_err(|source| Error::io(format!("open {} for a mount", path.display()), source))
}

fn place(mount: &OwnedFd, base: impl AsFd, path: impl AsRef<Path>) -> Result<(), Errno> {
    let path = path.as_ref();
    let mut flags = MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH;
    if path.as_os_str().is_empty() {
        flags |= MoveMountFlags::MOVE_MOUNT_T_EMPTY_PATH;
    }
    move_mount(mount, "", base, path, flags)
}

/// Mounts a step's overlay and takes it off again, to be placed with all it gets; `at` is any directory.
///
/// Its directories are named by descriptors: all names together must fit into a page, and kernels before 6.5 take
/// them no other way.
fn overlay(root: &RootFs, at: &Path) -> Result<OwnedFd, Error> {
    let RootFs::Overlay {
        lowers,
        upper,
        work,
    } = root
    else {
        unreachable!("only called for overlays")
    };
    let mut held = Vec::with_capacity(lowers.len() + 2);
    let mut name = |path: &Path| {
        let fd = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).map_err(
            |source| {
                Error::io(
                    format!("open {} for the step's overlay", path.display()),
                    source,
                )
            },
        )?;
        let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
        held.push(fd);
        Ok::<_, Error>(name)
    };
    let layers = lowers
        .iter()
        .map(|lower| name(lower))
        .collect::<Result<Vec<_>, _>>()?;
    let options = format!(
        "lowerdir={},upperdir={},workdir={},userxattr,volatile",
        layers.join(":"),
        name(upper)?,
        name(work)?
    );
    let options = CString::new(options).expect("names of descriptors have no NUL");
    let mount = || {
        rustix::mount::mount("overlay", at, "overlay", MountFlags::empty(), &*options)?;
        let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
        let tree = open_tree(CWD, at, flags)?;
        unmount(at, UnmountFlags::DETACH)?;
        Ok(tree)
    };
    mount().map_err(|source: Errno| Error::io("mount the step's overlay", source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_sorted() {
        let options = ["nosuid", "rbind", "rro", "mode=755", "newinstance"].map(str::to_owned);
        let (attributes, parameters) = split(&options);
        assert_eq!(
            attributes,
            MountAttrFlags::MOUNT_ATTR_NOSUID | MountAttrFlags::MOUNT_ATTR_RDONLY
        );
        assert_eq!(parameters, [("mode", "755"), ("newinstance", "")]);
    }
}
