//! Overlay mounts.
//!
//! # References
//! - [overlayfs](https://docs.kernel.org/filesystems/overlayfs.html)
//! - [fsopen(2)](https://man7.org/linux/man-pages/man2/fsopen.2.html)

use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{
    FsMountFlags, FsOpenFlags, MountAttrFlags, MoveMountFlags, UnmountFlags, fsconfig_create,
    fsconfig_set_flag, fsconfig_set_string, fsmount, fsopen, move_mount, unmount,
};

use crate::error::{Context as _, Error, Result};

/// The most lower layers the kernel takes.
pub(crate) const MAX_LAYERS: usize = 500;
/// The longest string `fsconfig` takes.
const MAX_STRING: usize = 255;

/// Refuses a stack the kernel cannot mount.
pub(crate) fn check_depth(lowers: &[PathBuf]) -> Result<()> {
    if lowers.len() > MAX_LAYERS {
        return Err(Error::TooManyLayers {
            count: lowers.len(),
            limit: MAX_LAYERS,
        });
    }
    Ok(())
}

/// Stacks directories, top first, under an upper and a work directory or read-only, at `target`.
pub(crate) fn mount(
    lowers: &[PathBuf],
    writable: Option<(&Path, &Path)>,
    empty: &Path,
    target: &Path,
) -> Result<()> {
    check_depth(lowers)?;
    let overlay = fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).context("open", "overlay")?;
    // Descriptors that paths in /proc refer to until the mount is made.
    let mut held = Vec::new();
    let mut set = |key: &str, path: &Path| -> Result<()> {
        if path.as_os_str().len() <= MAX_STRING {
            return fsconfig_set_string(&overlay, key, path.as_os_str().as_bytes())
                .context(&format!("set {key} of overlay to"), path);
        }
        let fd: OwnedFd = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .context("open", path)?;
        let short = format!("/proc/self/fd/{}", fd.as_raw_fd());
        held.push(fd);
        fsconfig_set_string(&overlay, key, &short)
            .context(&format!("set {key} of overlay to"), path)
    };
    for lower in lowers {
        set("lowerdir+", lower)?;
    }
    // Without an upper the kernel wants two lower directories.
    if lowers.len() == 1 && writable.is_none() {
        set("lowerdir+", empty)?;
    }
    if let Some((upper, work)) = writable {
        set("upperdir", upper)?;
        set("workdir", work)?;
    }
    fsconfig_set_flag(&overlay, "userxattr").context("set userxattr of", "overlay")?;
    if writable.is_some() {
        fsconfig_set_flag(&overlay, "volatile").context("set volatile of", "overlay")?;
    }
    fsconfig_create(&overlay).context("mount overlay on", target)?;
    let attributes = MountAttrFlags::empty();
    let mounted = fsmount(&overlay, FsMountFlags::FSMOUNT_CLOEXEC, attributes)
        .context("mount overlay on", target)?;
    fs::create_dir_all(target).context("create", target)?;
    move_mount(
        &mounted,
        "",
        CWD,
        target,
        MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .context("mount overlay on", target)
}

/// Takes a mount away from its place; who still uses it keeps it.
pub(crate) fn detach(target: &Path) -> Result<()> {
    unmount(target, UnmountFlags::DETACH).context("unmount", target)?;
    fs::remove_dir(target).context("remove", target)
}
