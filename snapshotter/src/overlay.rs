//! Overlay mounts.
//!
//! # References
//! - [overlayfs](https://docs.kernel.org/filesystems/overlayfs.html)
//! - [mount(2)](https://man7.org/linux/man-pages/man2/mount.2.html)

use std::ffi::CString;
use std::fs;
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::mount::{MountFlags, UnmountFlags, unmount};

use crate::error::{Context as _, Error, Result};

/// The most lower layers whose names are sure to fit into a page.
pub(crate) const MAX_LAYERS: usize = 180;

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
    // Names of descriptors are short: all together must fit into a page, and kernels before 6.5 take them no other way.
    let mut held = Vec::with_capacity(lowers.len() + 2);
    let mut name = |path: &Path| -> Result<String> {
        let fd: OwnedFd = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
            .context("open", path)?;
        let name = format!("/proc/self/fd/{}", fd.as_raw_fd());
        held.push(fd);
        Ok(name)
    };
    let mut layers = lowers
        .iter()
        .map(|lower| name(lower))
        .collect::<Result<Vec<_>>>()?;
    // Without an upper the kernel wants two lower directories.
    if lowers.len() == 1 && writable.is_none() {
        layers.push(name(empty)?);
    }
    let mut options = format!("userxattr,lowerdir={}", layers.join(":"));
    if let Some((upper, work)) = writable {
        let (upper, work) = (name(upper)?, name(work)?);
        options.push_str(&format!(",volatile,upperdir={upper},workdir={work}"));
    }
    let options = CString::new(options).expect("names of descriptors have no NUL");
    fs::create_dir_all(target).context("create", target)?;
    rustix::mount::mount("overlay", target, "overlay", MountFlags::empty(), &*options)
        .context("mount overlay on", target)
}

/// Takes a mount away from its place; who still uses it keeps it.
pub(crate) fn detach(target: &Path) -> Result<()> {
    unmount(target, UnmountFlags::DETACH).context("unmount", target)?;
    fs::remove_dir(target).context("remove", target)
}
