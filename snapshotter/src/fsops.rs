//! Small file operations shared by everything that writes trees.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use rustix::fs::{
    AtFlags, CWD, Dir, FileType, Gid, Mode, OFlags, SeekFrom, Stat, Timespec, Timestamps, Uid,
    XattrFlags, openat, statat, unlinkat,
};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};
use crate::view::OVERLAY_XATTRS;

/// Larger than any attribute list the kernel hands out.
const XATTR_MAX: usize = 64 << 10;

/// The times of a file as they are.
pub(crate) fn times_of(stat: &Stat) -> Timestamps {
    let nsec = |value| i64::try_from(value).unwrap_or(0) as _;
    Timestamps {
        last_access: Timespec {
            tv_sec: stat.st_atime,
            tv_nsec: nsec(stat.st_atime_nsec),
        },
        last_modification: Timespec {
            tv_sec: stat.st_mtime,
            tv_nsec: nsec(stat.st_mtime_nsec),
        },
    }
}

/// Both times at a whole second.
pub(crate) fn times_at(seconds: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: seconds,
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}

/// Attribute names of a file that belong to its content: overlay's own and the host's labels do not.
pub(crate) fn xattr_names(path: &Path) -> Result<Vec<OsString>> {
    Ok(all_xattr_names(path)?
        .into_iter()
        .filter(|name| is_content_xattr(name))
        .collect())
}

/// Every attribute name of a file, itself and not what it links to.
pub(crate) fn all_xattr_names(path: &Path) -> Result<Vec<OsString>> {
    let mut small = [0_u8; 256];
    let large;
    let names = match rustix::fs::llistxattr(path, &mut small[..]) {
        Ok(0) | Err(Errno::NOTSUP) => return Ok(Vec::new()),
        Ok(len) => &small[..len],
        Err(Errno::RANGE) => {
            let mut buffer = vec![0; XATTR_MAX];
            let len = rustix::fs::llistxattr(path, &mut buffer[..])
                .context("list attributes of", path)?;
            buffer.truncate(len);
            large = buffer;
            &large[..]
        }
        Err(errno) => return Err(Error::io("list attributes of", path, errno)),
    };
    let names = names
        .split(|&byte| byte == 0)
        .filter(|name| !name.is_empty());
    Ok(names
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect())
}

/// Whether an attribute is part of what a layer says.
pub(crate) fn is_content_xattr(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let machinery: [&[u8]; 5] = [
        OVERLAY_XATTRS,
        b"trusted.overlay.",
        b"user.fuseoverlayfs.",
        b"security.selinux",
        b"security.evm",
    ];
    !machinery.iter().any(|prefix| name.starts_with(prefix))
}

/// The value of one attribute.
pub(crate) fn xattr(path: &Path, name: &OsStr) -> Result<Vec<u8>> {
    let mut value = vec![0; XATTR_MAX];
    let len =
        rustix::fs::lgetxattr(path, name, &mut value[..]).context("read attribute of", path)?;
    value.truncate(len);
    Ok(value)
}

/// The path by which the kernel finds a name in an open directory, for calls that take no descriptor.
pub(crate) fn fd_path(dir: impl AsFd, name: &OsStr) -> PathBuf {
    Path::new("/proc/self/fd")
        .join(dir.as_fd().as_raw_fd().to_string())
        .join(name)
}

/// Copies the attributes of `from` to an entry of an open directory.
pub(crate) fn copy_xattrs(from: &Path, dir: impl AsFd, name: &OsStr) -> Result<()> {
    for attribute in xattr_names(from)? {
        let value = xattr(from, &attribute)?;
        set_xattr(fd_path(&dir, name), &attribute, &value)?;
    }
    Ok(())
}

/// Sets one attribute; what the file system or the namespace does not take is dropped.
pub(crate) fn set_xattr(path: PathBuf, name: &OsStr, value: &[u8]) -> Result<()> {
    match rustix::fs::lsetxattr(&path, name, value, XattrFlags::empty()) {
        Ok(()) | Err(Errno::NOTSUP | Errno::PERM) => Ok(()),
        Err(errno) => Err(Error::io("set attribute of", path, errno)),
    }
}

/// Permissions for [`rustix`].
pub(crate) fn mode_of(bits: u32) -> Mode {
    Mode::from_raw_mode(bits & 0o7777)
}

/// Owner and group for [`rustix`]; `u32::MAX` would mean "leave as is" and is refused.
pub(crate) fn owner_of(uid: u32, gid: u32) -> Result<(Uid, Gid)> {
    if uid == u32::MAX || gid == u32::MAX {
        return Err(Error::io("give to", format!("{uid}:{gid}"), Errno::INVAL));
    }
    Ok((Uid::from_raw(uid), Gid::from_raw(gid)))
}

/// Whether the user namespace knows no subordinate ids.
fn has_one_id() -> bool {
    static ONE_ID: OnceLock<bool> = OnceLock::new();
    *ONE_ID.get_or_init(|| {
        let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
        map.lines().count() == 1 && map.split_whitespace().nth(2) == Some("1")
    })
}

/// Gives an entry of an open directory to someone, without following a link.
pub(crate) fn chown_at(dir: impl AsFd, name: &OsStr, uid: u32, gid: u32) -> Result<()> {
    let (user, group) = owner_of(uid, gid)?;
    let flags = AtFlags::SYMLINK_NOFOLLOW;
    match rustix::fs::chownat(dir, name, Some(user), Some(group), flags) {
        // Where there is only one id, everything belongs to it.
        Err(Errno::INVAL) if has_one_id() => Ok(()),
        other => other,
    }
    .context(&format!("give to {uid}:{gid}"), name)
}

/// Changes permissions of an entry that is no link.
pub(crate) fn chmod_at(dir: impl AsFd, name: &OsStr, mode: u32) -> Result<()> {
    rustix::fs::chmodat(dir, name, mode_of(mode), AtFlags::empty()).context("chmod", name)
}

/// Sets the times of an entry, without following a link.
pub(crate) fn utimes_at(dir: impl AsFd, name: &OsStr, times: &Timestamps) -> Result<()> {
    rustix::fs::utimensat(dir, name, times, AtFlags::SYMLINK_NOFOLLOW).context("set times of", name)
}

/// Copies the bytes of a file, sharing extents where the file system can, keeping holes.
pub(crate) fn copy_content(from: &OwnedFd, to: &OwnedFd, size: u64) -> Result<(), Errno> {
    if size == 0 || rustix::fs::ioctl_ficlone(to, from).is_ok() {
        return Ok(());
    }
    let mut offset = 0;
    while offset < size {
        let start = match rustix::fs::seek(from, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(Errno::NXIO) => break,
            Err(Errno::INVAL) => return copy_range(from, to, 0, u64::MAX),
            Err(errno) => return Err(errno),
        };
        let end = rustix::fs::seek(from, SeekFrom::Hole(start))?;
        copy_range(from, to, start, end)?;
        offset = end;
    }
    rustix::fs::ftruncate(to, size)
}

fn copy_range(from: &OwnedFd, to: &OwnedFd, start: u64, end: u64) -> Result<(), Errno> {
    let (mut read, mut written) = (start, start);
    while read < end {
        let want = usize::try_from(end - read)
            .unwrap_or(usize::MAX)
            .min(1 << 30);
        match rustix::fs::copy_file_range(from, Some(&mut read), to, Some(&mut written), want) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP) => {
                return copy_by_hand(from, to, read, end);
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn copy_by_hand(from: &OwnedFd, to: &OwnedFd, mut at: u64, end: u64) -> Result<(), Errno> {
    let mut buffer = vec![0; 256 << 10];
    while at < end {
        let want = usize::try_from(end - at)
            .unwrap_or(usize::MAX)
            .min(buffer.len());
        let got = rustix::io::pread(from, &mut buffer[..want], at)?;
        if got == 0 {
            return Ok(());
        }
        let mut done = 0;
        while done < got {
            done += rustix::io::pwrite(to, &buffer[done..got], at + done as u64)?;
        }
        at += got as u64;
    }
    Ok(())
}

/// Writes all that can be read from `from`.
pub(crate) fn pour(from: OwnedFd, to: &OwnedFd) -> std::io::Result<u64> {
    let mut from = File::from(from);
    let mut to = File::from(to.try_clone()?);
    let mut buffer = vec![0; 256 << 10];
    let mut total = 0;
    loop {
        let got = from.read(&mut buffer)?;
        if got == 0 {
            return Ok(total);
        }
        to.write_all(&buffer[..got])?;
        total += got as u64;
    }
}

/// Directories below each other that are open at once while a tree is removed.
const MAX_DEPTH: usize = 128;

/// Removes an entry and everything below it; nothing there is fine. Counts what went.
///
/// A step can nest directories deeper than any path, stack or descriptor limit reaches; what is
/// too deep is moved up first.
pub(crate) fn remove_tree(dir: impl AsFd, name: &OsStr) -> Result<u64, Errno> {
    let mut sunken = vec![name.to_owned()];
    let mut removed = 0;
    while let Some(name) = sunken.pop() {
        removed += remove_entry(dir.as_fd(), dir.as_fd(), &name, 0, &mut sunken)?;
    }
    Ok(removed)
}

fn remove_entry(
    top: BorrowedFd<'_>,
    dir: BorrowedFd<'_>,
    name: &OsStr,
    depth: usize,
    sunken: &mut Vec<OsString>,
) -> Result<u64, Errno> {
    match unlinkat(dir, name, AtFlags::empty()) {
        Ok(()) => return Ok(1),
        Err(Errno::NOENT) => return Ok(0),
        Err(Errno::ISDIR | Errno::PERM) => {}
        Err(errno) => return Err(errno),
    }
    if depth == MAX_DEPTH {
        let raised = OsString::from(format!(".nsci-{}", crate::layer::draft::unique()));
        rustix::fs::renameat(dir, name, top, &raised)?;
        sunken.push(raised);
        return Ok(0);
    }
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = match openat(dir, name, flags, Mode::empty()) {
        Err(Errno::ACCESS) => {
            rustix::fs::chmodat(dir, name, Mode::RWXU, AtFlags::empty())?;
            openat(dir, name, flags, Mode::empty())?
        }
        Err(Errno::NOENT) => return Ok(0),
        other => other?,
    };
    let names: Vec<OsString> = Dir::read_from(&fd)?
        .filter_map(|entry| entry.ok().map(|entry| entry.file_name().to_owned()))
        .map(|name| OsStr::from_bytes(name.to_bytes()).to_owned())
        .filter(|name| name != "." && name != "..")
        .collect();
    let mut removed = 0;
    for name in names {
        removed += remove_entry(top, fd.as_fd(), &name, depth + 1, sunken)?;
    }
    match unlinkat(dir, name, AtFlags::REMOVEDIR) {
        Ok(()) => Ok(removed + 1),
        Err(Errno::NOENT) => Ok(removed),
        Err(errno) => Err(errno),
    }
}

/// Removes a path and everything below it.
pub(crate) fn remove_path(path: &Path) -> Result<u64> {
    let parent = path.parent().unwrap_or(Path::new("/"));
    let name = path.file_name().unwrap_or(OsStr::new("."));
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    match openat(CWD, parent, flags, Mode::empty()) {
        Err(Errno::NOENT) => Ok(0),
        opened => opened
            .and_then(|dir| remove_tree(&dir, name))
            .context("remove", path),
    }
}

/// What an entry of an open directory is; `None` if it is not there.
pub(crate) fn stat_at(dir: impl AsFd, name: &OsStr) -> Result<Option<Stat>> {
    match statat(dir, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(Error::io("stat", name, errno)),
    }
}

/// Whether a file is a whiteout made of a device node.
pub(crate) fn is_whiteout(stat: &Stat) -> bool {
    FileType::from_raw_mode(stat.st_mode) == FileType::CharacterDevice && stat.st_rdev == 0
}

/// Makes a whiteout: a device node 0:0, or where that is forbidden an empty file with a mark.
pub(crate) fn make_whiteout(dir: impl AsFd, name: &OsStr) -> Result<()> {
    match rustix::fs::mknodat(&dir, name, FileType::CharacterDevice, Mode::empty(), 0) {
        Ok(()) => return Ok(()),
        Err(Errno::PERM) => {}
        Err(errno) => return Err(Error::io("make whiteout", name, errno)),
    }
    let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let file = openat(&dir, name, flags, Mode::empty()).context("make whiteout", name)?;
    rustix::fs::fsetxattr(&file, crate::view::XWHITEOUT, b"y", XattrFlags::empty())
        .context("mark whiteout", name)?;
    let parent = fd_path(&dir, OsStr::new("."));
    let mut value = [0_u8; 4];
    if rustix::fs::lgetxattr(&parent, crate::view::OPAQUE, &mut value[..]).is_err() {
        rustix::fs::lsetxattr(&parent, crate::view::OPAQUE, b"x", XattrFlags::empty())
            .context("mark directory of whiteout", name)?;
    }
    Ok(())
}

/// Makes a directory hide the layers below it.
pub(crate) fn make_opaque(dir: impl AsFd, name: &OsStr) -> Result<()> {
    rustix::fs::lsetxattr(
        fd_path(dir, name),
        crate::view::OPAQUE,
        b"y",
        XattrFlags::empty(),
    )
    .context("mark opaque", name)
}
