//! Copies what was scanned into a tree of the store.
//!
//! The tree is named by the scan's digest, so what is there already is not copied again. Every file is verified against its
//! hash on the way: a tree never holds anything but what its name says, whatever happens to the directory meanwhile.
//! Modification times are those of the first directory that had this content. Owner is the invoking user, root inside.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::SystemTime;

use rustix::fs::{AtFlags, Mode, OFlags, Timespec, Timestamps};
use rustix::io::Errno;
use serde::Serialize;

use super::hash::hash_reader;
use super::{FileStat, Moment, Node, NodeKind, Scan, open_below, threads};
use crate::error::{Error, Result};
use crate::layer::{AppliedLayer, LayerId};
use crate::layout::Store;
use crate::lease::{Lease, Ref};
use crate::lock::{open_directory, unique_name};
use crate::power::boot_id;
use crate::record::{rename_into, touch};

/// A `layer.json` as this module writes it.
#[derive(Debug, Serialize)]
struct LayerInfo<'a> {
    #[serde(flatten)]
    layer: &'a AppliedLayer,
    kind: &'static str,
    /// The keeper takes a layer for complete if it was written in this boot or is marked as flushed.
    boot: String,
    /// The keeper's word for a tree that was written as a whole.
    origin: &'static str,
    /// Seconds since 1970.
    created: u64,
    description: String,
}

/// Files taken by a thread at a time.
const CHUNK: usize = 32;
/// Up to this size a file is read and written in one piece, hashed in between; above, the kernel copies it.
const SMALL: u64 = 128 * 1024;

impl Scan {
    /// The tree that [`import`] makes of this.
    #[must_use]
    pub fn layer_id(&self) -> LayerId {
        LayerId::of(format!("nsci host layer 1 {}", self.digest.to_hex()))
    }
}

/// Makes a tree of what was scanned, held by `lease`, or finds it made.
///
/// # Errors
/// [`Error::ChangedWhileReading`] if a file is not what it was when it was scanned: scan and try again.
pub fn import(store: &Store, lease: &Lease, scan: &Scan) -> Result<AppliedLayer> {
    let id = scan.layer_id();
    if lease.hold(&[Ref::Tree(id.clone())])?.is_empty()
        && let Some(layer) = existing(store, &id)
    {
        return Ok(layer);
    }
    let tmp = store.tmp_path()?;
    let result = copy_all(scan, &tmp).and_then(|size| publish(store, scan, id, &tmp, size));
    if result.is_err() {
        // What cannot be removed is still in this process's directory, whose remains are swept.
        fs::remove_dir_all(&tmp).ok();
    }
    result
}

fn existing(store: &Store, id: &LayerId) -> Option<AppliedLayer> {
    let path = store.layout().tree_info(id);
    let text = fs::read(&path).ok()?;
    touch(&path, fs::metadata(&path).ok()?.modified().ok()?);
    serde_json::from_slice(&text).ok()
}

fn publish(store: &Store, scan: &Scan, id: LayerId, tmp: &Path, size: u64) -> Result<AppliedLayer> {
    let entries = scan.nodes.len() as u64;
    let digest = scan.digest.to_hex().to_string();
    let layer = AppliedLayer {
        id,
        size,
        entries,
        diff_id: None,
        digest,
    };
    let now = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or_default();
    let info = LayerInfo {
        layer: &layer,
        kind: "host",
        boot: boot_id(),
        origin: "commit",
        created: now.as_secs(),
        description: format!("host directory {}", scan.root.display()),
    };
    let text = serde_json::to_vec(&info).map_err(|source| Error::Encode {
        what: "layer",
        source,
    })?;
    let path = tmp.join("layer.json");
    fs::write(&path, text).map_err(|error| Error::io("write", &path, error))?;
    match rename_into(tmp, &store.layout().tree(&layer.id)) {
        Err(Error::Io { source, .. })
            if matches!(
                Errno::from_io_error(&source),
                Some(Errno::NOTEMPTY | Errno::EXIST)
            ) =>
        {
            // Another process was faster. Its tree has the same name, so the same content.
            fs::rename(tmp, store.layout().trash().join(unique_name()))
                .map_err(|error| Error::io("move to the trash", tmp, error))?;
        }
        other => other?,
    }
    Ok(layer)
}

/// What all threads that copy share.
struct Copier<'a> {
    scan: &'a Scan,
    source: Arc<File>,
    target: File,
    target_path: &'a Path,
    /// Permission bits this process's new files never get.
    umask: u32,
    /// Whether the filesystem shares extents between files. Assumed until it refuses.
    clones: AtomicBool,
}

/// Copies everything to `tmp/fs` and returns the bytes it takes.
fn copy_all(scan: &Scan, tmp: &Path) -> Result<u64> {
    let mut private = fs::DirBuilder::new();
    private.mode(0o777);
    let make = |path: &Path| {
        private
            .create(path)
            .map_err(|error| Error::io("create directory", path, error))
    };
    make(tmp)?;
    let target_path = tmp.join("fs");
    make(&target_path)?;
    let failed = |error: io::Error| Error::io("open", &target_path, error);
    let target = open_directory(&target_path).map_err(failed)?;
    let umask = 0o777 & !target.metadata().map_err(failed)?.mode();
    for path in [tmp, &target_path] {
        fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755))
            .map_err(|error| Error::io("set mode of", path, error))?;
    }
    copy_to(scan, target, &target_path, umask)
}

/// Copies everything to a directory that is there and empty, and returns the bytes it takes. The process must have no umask.
///
/// # Errors
/// As [`import`].
pub(crate) fn copy_into(scan: &Scan, target_path: &Path) -> Result<u64> {
    let target =
        open_directory(target_path).map_err(|error| Error::io("open", target_path, error))?;
    copy_to(scan, target, target_path, 0)
}

fn copy_to(scan: &Scan, target: File, target_path: &Path, umask: u32) -> Result<u64> {
    let copier = Copier {
        scan,
        source: scan.open()?,
        target,
        target_path,
        umask,
        clones: AtomicBool::new(true),
    };
    copier.directories_and_links()?;
    copier.files()?;
    copier.finish_directories()?;
    let block = 4096;
    Ok(scan
        .nodes
        .iter()
        .map(|node| match node.kind {
            NodeKind::Directory => block,
            NodeKind::File => node.stat.size.next_multiple_of(block),
            NodeKind::Symlink => 0,
        })
        .sum())
}

impl Copier<'_> {
    fn failed(&self, action: &str, node: &Node, error: impl Into<io::Error>) -> Error {
        Error::io(action, self.target_path.join(self.scan.path(node)), error)
    }

    fn of_kind(&self, kind: NodeKind) -> impl DoubleEndedIterator<Item = &Node> {
        self.scan.nodes.iter().filter(move |node| node.kind == kind)
    }

    fn directories_and_links(&self) -> Result<()> {
        // Parents come before what is in them.
        for node in self.of_kind(NodeKind::Directory) {
            rustix::fs::mkdirat(&self.target, self.scan.path(node), Mode::RWXU)
                .map_err(|error| self.failed("create directory", node, error))?;
        }
        for node in self.of_kind(NodeKind::Symlink) {
            let path = self.scan.path(node);
            rustix::fs::symlinkat(self.scan.target(node), &self.target, path)
                .and_then(|()| {
                    let times = times(node.stat.modified);
                    rustix::fs::utimensat(&self.target, path, &times, AtFlags::SYMLINK_NOFOLLOW)
                })
                .map_err(|error| self.failed("create link", node, error))?;
        }
        Ok(())
    }

    /// Modes and times last: creating something in a directory changes its time and needs its write permission.
    fn finish_directories(&self) -> Result<()> {
        for node in self.of_kind(NodeKind::Directory).rev() {
            let path = self.scan.path(node);
            let mode = Mode::from_bits_truncate(node.mode);
            rustix::fs::chmodat(&self.target, path, mode, AtFlags::empty())
                .and_then(|()| {
                    let times = times(node.stat.modified);
                    rustix::fs::utimensat(&self.target, path, &times, AtFlags::SYMLINK_NOFOLLOW)
                })
                .map_err(|error| self.failed("set mode of", node, error))?;
        }
        Ok(())
    }

    fn files(&self) -> Result<()> {
        let files: Vec<&Node> = self.of_kind(NodeKind::File).collect();
        let next = AtomicUsize::new(0);
        let work = || -> Result<()> {
            let mut buffer = vec![0; usize::try_from(SMALL).expect("it fits") + 1];
            loop {
                let start = next.fetch_add(CHUNK, Ordering::Relaxed);
                let chunk = files
                    .get(start..files.len().min(start + CHUNK))
                    .unwrap_or_default();
                if chunk.is_empty() {
                    return Ok(());
                }
                for node in chunk {
                    if let Err(error) = self.file(node, &mut buffer) {
                        // Nothing is left for the others to do.
                        next.store(files.len(), Ordering::Relaxed);
                        return Err(error);
                    }
                }
            }
        };
        thread::scope(|scope| {
            let helpers = (files.len() / (CHUNK * 2)).min(threads() - 1);
            let running: Vec<_> = (0..helpers).map(|_| scope.spawn(work)).collect();
            let mut result = work();
            for helper in running {
                let helped = helper
                    .join()
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                result = result.and(helped);
            }
            result
        })
    }

    fn file(&self, node: &Node, buffer: &mut [u8]) -> Result<()> {
        let changed = || Error::ChangedWhileReading {
            path: self.scan.root.join(self.scan.source(node)),
        };
        let mut source = match open_below(
            &self.source,
            self.scan.source(node),
            OFlags::RDONLY | OFlags::NONBLOCK,
        ) {
            Ok(source) => source,
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => return Err(changed()),
            Err(error) => {
                return Err(Error::io(
                    "open",
                    self.scan.root.join(self.scan.source(node)),
                    error,
                ));
            }
        };
        let flags =
            OFlags::CREATE | OFlags::EXCL | OFlags::RDWR | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let mode = Mode::from_bits_truncate(node.mode & 0o777);
        let mut target = rustix::fs::openat(&self.target, self.scan.path(node), flags, mode)
            .map(File::from)
            .map_err(|error| self.failed("create", node, error))?;
        let same = if node.stat.size <= SMALL {
            copy_small(&mut source, &mut target, node, buffer)
        } else {
            self.copy_large(&mut source, &mut target, node, buffer)
        };
        if !same.map_err(|error| self.failed("copy to", node, error))? {
            return Err(changed());
        }
        if node.mode & 0o7000 != 0 || node.mode & self.umask != 0 {
            rustix::fs::fchmod(&target, Mode::from_bits_truncate(node.mode))
                .map_err(|error| self.failed("set mode of", node, error))?;
        }
        rustix::fs::futimens(&target, &times(node.stat.modified))
            .map_err(|error| self.failed("set time of", node, error))
    }

    /// Copies without the bytes passing through here; false if they may not be the ones that were hashed.
    fn copy_large(
        &self,
        source: &mut File,
        target: &mut File,
        node: &Node,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        let cloned = self.clones.load(Ordering::Relaxed)
            && match rustix::fs::ioctl_ficlone(&*target, &*source) {
                Ok(()) => true,
                Err(_) => {
                    self.clones.store(false, Ordering::Relaxed);
                    false
                }
            };
        if !cloned {
            copy_range(source, target, node.stat.size)?;
        }
        let after = FileStat::of(&rustix::fs::fstat(&*source)?);
        if after == node.stat && node.stat.changed.is_settled(self.scan.started) {
            return Ok(target.metadata()?.len() == node.stat.size);
        }
        // Its times cannot tell whether it changed, so the copy itself has to.
        io::Seek::rewind(target)?;
        let (hash, length) = hash_reader(target, buffer, u64::MAX)?;
        Ok(length == node.stat.size && hash == node.hash)
    }
}

/// Copies a file that fits into the buffer; false if it is not the one that was hashed.
fn copy_small(
    source: &mut File,
    target: &mut File,
    node: &Node,
    buffer: &mut [u8],
) -> io::Result<bool> {
    let mut length = 0;
    loop {
        match source.read(&mut buffer[length..]) {
            Ok(0) => break,
            // One byte more than expected is enough to know.
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if length as u64 >= node.stat.size {
            break;
        }
    }
    let content = &buffer[..length];
    if length as u64 != node.stat.size || *blake3::hash(content).as_bytes() != node.hash {
        return Ok(false);
    }
    target.write_all(content)?;
    Ok(true)
}

fn copy_range(source: &mut File, target: &mut File, size: u64) -> io::Result<()> {
    let mut left = size;
    while left > 0 {
        let wanted = usize::try_from(left.min(1 << 30)).expect("a gigabyte fits");
        match rustix::fs::copy_file_range(&*source, None, &*target, None, wanted) {
            // Shorter than it was; the caller sees that.
            Ok(0) => return Ok(()),
            Ok(count) => left -= count as u64,
            Err(Errno::INTR) => {}
            // Between filesystems, or on one that cannot.
            Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => {
                return io::copy(&mut source.take(left), target).map(drop);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn times(modified: Moment) -> Timestamps {
    let time = Timespec {
        tv_sec: modified.seconds,
        tv_nsec: modified.nanoseconds.into(),
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
