//! Snapshots of file systems that are in use, named by content as directories of the host are.
//!
//! What is read is what the processes there see: layers, what was written since, and what is mounted, joined by the
//! kernel. The kernel's own file systems are left out, which the keeper could read with other rights than theirs.

use std::ffi::OsString;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use rustix::fs::{Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use crate::error::{Context as _, Error, Result};
use crate::hostdir::{self, Scan};
use crate::keeper::{Capture, CaptureKind};
use crate::layer::AppliedLayer;
use crate::layer::draft::{Manifest, Origin, Workspace};
use crate::pattern::Filter;

/// How often something that changes while it is copied is read anew.
const TRIES: usize = 3;
/// How many links are followed, as the kernel does.
const MAX_LINKS: usize = 40;
/// Where the kernel's own file systems are mounted.
const NO_FILES: [&str; 4] = ["proc", "sys", "sys/fs/cgroup", "dev"];

/// Makes a layer of a part of the file system whose root is open as `root`.
pub(crate) fn capture(space: &Workspace, ask: &Capture, root: &OwnedFd) -> Result<AppliedLayer> {
    let place = Place {
        root,
        path: Path::new(&ask.path),
        without: kernel_devices(root),
    };
    for _ in 1..TRIES {
        match attempt(space, ask, &place) {
            Err(Error::ChangedWhileReading { .. }) => {}
            other => return other,
        }
    }
    attempt(space, ask, &place)
}

fn attempt(space: &Workspace, ask: &Capture, place: &Place<'_>) -> Result<AppliedLayer> {
    let scan = match &ask.kind {
        CaptureKind::File => place.scan_file()?,
        CaptureKind::Dir {
            include,
            exclude,
            gitignore,
        } => {
            let filter = Filter::new(include, exclude)?.with_gitignore(*gitignore);
            let base = place.directory(place.path)?;
            hostdir::scan_open(base, place.path, &filter, &place.without)?
        }
    };
    if let Some(known) = space.find(&scan.layer_id())? {
        return Ok(known.layer);
    }
    let draft = space.large_draft()?;
    let size = hostdir::copy_into(&scan, &draft.fs())?;
    let layer = AppliedLayer {
        id: scan.layer_id(),
        size,
        entries: scan.entries().len() as u64,
        diff_id: None,
        digest: scan.digest().to_hex().to_string(),
    };
    let mut manifest = Manifest {
        layer,
        origin: Origin::Commit,
        boot: String::new(),
        devices: Vec::new(),
        implied: Vec::new(),
    };
    space.publish(&draft, &mut manifest)?;
    Ok(manifest.layer)
}

/// The devices of file systems that are not made of files.
fn kernel_devices(root: &OwnedFd) -> Vec<u64> {
    let own = rustix::fs::fstat(root).map_or(0, |stat| stat.st_dev);
    let device = |path: &&str| {
        let opened = open_in(root, Path::new(path), OFlags::PATH | OFlags::NOFOLLOW).ok()?;
        Some(rustix::fs::fstat(opened).ok()?.st_dev)
    };
    let all = NO_FILES.iter().filter_map(device);
    all.filter(|at| *at != own).collect()
}

/// Opens something as a process does that has `root` for its root.
fn open_in(root: &OwnedFd, path: &Path, flags: OFlags) -> rustix::io::Result<File> {
    let flags = flags | OFlags::CLOEXEC;
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
            // Something on the way was renamed at this moment.
            Err(Errno::AGAIN | Errno::INTR) => {}
            opened => return opened.map(File::from),
        }
    }
}

/// What is captured, and of which file system.
struct Place<'a> {
    root: &'a OwnedFd,
    path: &'a Path,
    without: Vec<u64>,
}

impl Place<'_> {
    fn open(&self, path: &Path, flags: OFlags) -> Result<File> {
        let named = || path.display().to_string();
        match open_in(self.root, path, flags) {
            Err(Errno::NOENT) => Err(Error::NotFound { path: named() }),
            Err(Errno::NOTDIR) => Err(Error::NotADirectory { path: named() }),
            opened => opened.context("open", path),
        }
    }

    fn directory(&self, path: &Path) -> Result<File> {
        let directory = self.open(path, OFlags::RDONLY | OFlags::DIRECTORY)?;
        let stat = rustix::fs::fstat(&directory).context("look at", path)?;
        if self.without.contains(&stat.st_dev) {
            return Err(Error::InvalidPath {
                path: path.display().to_string(),
                reason: "it is the kernel's, there are no files to take".into(),
            });
        }
        Ok(directory)
    }

    /// Scans a file, or the one that a link leads to, under the name that was asked for.
    fn scan_file(&self) -> Result<Scan> {
        let directory_error = || Error::IsADirectory {
            path: self.path.display().to_string(),
        };
        let (parent, source) = self.followed()?;
        let (Some(source), Some(name)) = (source, self.path.file_name()) else {
            return Err(directory_error());
        };
        let base = self.directory(&parent)?;
        let stat = rustix::fs::statat(&base, &source, rustix::fs::AtFlags::SYMLINK_NOFOLLOW)
            .context("look at", self.path)?;
        if rustix::fs::FileType::from_raw_mode(stat.st_mode).is_dir() {
            return Err(directory_error());
        }
        hostdir::scan_file_open(base, &parent, &source, name)
    }

    /// The directory and the name that the path stands for in the end; no name if it is a directory for sure.
    fn followed(&self) -> Result<(PathBuf, Option<OsString>)> {
        let mut path = self.path.to_owned();
        for _ in 0..MAX_LINKS {
            let parent = path.parent().unwrap_or(Path::new("/")).to_owned();
            let name = path.file_name().map(ToOwned::to_owned);
            let found = self.open(&path, OFlags::PATH | OFlags::NOFOLLOW)?;
            let stat = rustix::fs::fstat(&found).context("look at", &path)?;
            if !rustix::fs::FileType::from_raw_mode(stat.st_mode).is_symlink() {
                return Ok((parent, name));
            }
            let target = rustix::fs::readlinkat(&found, "", Vec::new()).context("read", &path)?;
            path = parent.join(hostdir::as_path(target.to_bytes()));
        }
        Err(Error::io("follow", self.path, Errno::LOOP))
    }
}
