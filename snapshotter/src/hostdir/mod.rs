//! Host directories: what is in them, named by content, and their way into the store.
//!
//! [`scan`] walks a directory, reads what a [`StatCache`] does not know already and computes one digest over paths, types,
//! permission bits, contents and link targets; times, owners and inode numbers do not count. [`import`] copies what was
//! scanned into a tree. Nothing is followed out of the directory, and nothing in it is ever changed.

mod cache;
mod hash;
mod ignored;
mod import;
mod walk;

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use rustix::fs::{Mode, OFlags, ResolveFlags};

pub use cache::StatCache;
pub(crate) use ignored::ignored_below;
pub(crate) use import::copy_into;
pub use import::import;

use crate::error::{Error, Result};
use crate::pattern::Filter;

/// What a scan found. Entries are in the order of a walk: a directory before what is in it, siblings by the bytes of their
/// names.
#[derive(Debug, Clone)]
pub struct Scan {
    root: PathBuf,
    /// Set if no path of this process leads to the root.
    base: Option<Arc<File>>,
    /// Set for a scan of one file: what to open instead of the entry's path.
    file: Option<PathBuf>,
    names: Vec<u8>,
    nodes: Vec<Node>,
    digest: blake3::Hash,
    stats: ScanStats,
    started: Moment,
}

/// What a scan cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ScanStats {
    /// Files found.
    pub files: u64,
    /// Directories found.
    pub directories: u64,
    /// Symbolic links found.
    pub symlinks: u64,
    /// Sockets, pipes and devices left out.
    pub skipped: u64,
    /// Bytes in the files found.
    pub bytes: u64,
    /// Files that had to be read.
    pub hashed_files: u64,
    /// Bytes in them.
    pub hashed_bytes: u64,
}

/// One thing a scan found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry<'a> {
    /// Relative to the scanned directory.
    pub path: &'a Path,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// What it is.
    pub kind: EntryKind<'a>,
}

/// What an [`Entry`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind<'a> {
    /// A directory.
    Directory,
    /// A regular file.
    File {
        /// Bytes.
        size: u64,
        /// Of what is in it.
        hash: blake3::Hash,
    },
    /// A symbolic link.
    Symlink {
        /// Where it points, as it is written.
        target: &'a Path,
    },
}

impl Scan {
    /// What was scanned.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Names all that counts; equal for equal directories on any machine.
    #[must_use]
    pub fn digest(&self) -> &blake3::Hash {
        &self.digest
    }

    /// What the scan cost.
    #[must_use]
    pub fn stats(&self) -> &ScanStats {
        &self.stats
    }

    /// All that was found, in order.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = Entry<'_>> {
        self.nodes.iter().map(|node| Entry {
            path: self.path(node),
            mode: node.mode,
            kind: match node.kind {
                NodeKind::Directory => EntryKind::Directory,
                NodeKind::File => EntryKind::File {
                    size: node.stat.size,
                    hash: blake3::Hash::from_bytes(node.hash),
                },
                NodeKind::Symlink => EntryKind::Symlink {
                    target: self.target(node),
                },
            },
        })
    }

    fn path(&self, node: &Node) -> &Path {
        as_path(node.path.of(&self.names))
    }

    fn target(&self, node: &Node) -> &Path {
        as_path(node.target.of(&self.names))
    }

    /// The root, open.
    fn open(&self) -> Result<Arc<File>> {
        match &self.base {
            Some(base) => Ok(Arc::clone(base)),
            None => open_root(&self.root).map(Arc::new),
        }
    }

    /// What to open for a node, relative to the root.
    fn source<'a>(&'a self, node: &Node) -> &'a Path {
        self.file.as_deref().unwrap_or_else(|| self.path(node))
    }
}

/// A stretch of the bytes all names are kept in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Span {
    start: usize,
    len: usize,
}

impl Span {
    fn of(self, names: &[u8]) -> &[u8] {
        &names[self.start..self.start + self.len]
    }

    /// Appends `bytes` to `names`.
    fn push(names: &mut Vec<u8>, bytes: &[u8]) -> Self {
        let start = names.len();
        names.extend_from_slice(bytes);
        Self {
            start,
            len: bytes.len(),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum NodeKind {
    Directory,
    File,
    Symlink,
}

#[derive(Debug, Clone)]
struct Node {
    path: Span,
    target: Span,
    kind: NodeKind,
    mode: u32,
    stat: FileStat,
    hash: [u8; 32],
}

/// What tells whether a file is still the one that was read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct FileStat {
    ino: u64,
    size: u64,
    modified: Moment,
    changed: Moment,
}

/// Seconds and nanoseconds since 1970.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Moment {
    seconds: i64,
    nanoseconds: u32,
}

/// A file changed this shortly before a scan may change again without its times telling: clocks of filesystems tick every
/// few milliseconds at best and every two seconds at worst.
const RACY_SECONDS: i64 = 2;

impl Moment {
    fn now() -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let seconds = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        Self {
            seconds,
            nanoseconds: now.subsec_nanos(),
        }
    }

    /// Whether a file changed then and not since cannot have been changed unnoticed by a scan that started at `scan`.
    fn is_settled(self, scan: Self) -> bool {
        self < Self {
            seconds: scan.seconds - RACY_SECONDS,
            ..scan
        }
    }
}

impl FileStat {
    fn of(stat: &rustix::fs::Stat) -> Self {
        let moment = |seconds, nanoseconds| Moment {
            seconds,
            // Always below a thousand million; the type differs between architectures.
            nanoseconds: u32::try_from(nanoseconds).unwrap_or(0),
        };
        Self {
            ino: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified: moment(stat.st_mtime, stat.st_mtime_nsec),
            changed: moment(stat.st_ctime, stat.st_ctime_nsec),
        }
    }
}

/// Scans `root`, leaving out what `filter` does.
///
/// With a cache, files that did not change since they were last read are not read again; a file changed within the last two
/// seconds before a scan always is.
///
/// # Errors
/// [`Error::Io`] for what cannot be read, [`Error::ChangedWhileReading`] for a file that keeps changing.
pub fn scan(root: &Path, filter: &Filter, cache: Option<&StatCache>) -> Result<Scan> {
    let base = open_root(root)?;
    let mut scan = walk_through(root, &base, filter, &[])?;
    let mut known = cache.map(|cache| cache.load(root, filter));
    let pending = match &mut known {
        Some(known) => known.fill(&scan.names, &mut scan.nodes),
        None => hash::all_files(&scan.nodes),
    };
    finish(&mut scan, &base, &pending)?;
    if let (Some(cache), Some(known)) = (cache, &known) {
        cache.store(known, &scan, pending.len());
    }
    Ok(scan)
}

/// Scans a directory that is open, which messages call `root`; directories on the devices `without` are left out.
///
/// # Errors
/// As [`scan`].
pub(crate) fn scan_open(base: File, root: &Path, filter: &Filter, without: &[u64]) -> Result<Scan> {
    let mut scan = walk_through(root, &base, filter, without)?;
    let pending = hash::all_files(&scan.nodes);
    finish(&mut scan, &base, &pending)?;
    scan.base = Some(Arc::new(base));
    Ok(scan)
}

/// Finds all entries of a directory; its files are not read yet.
fn walk_through(root: &Path, base: &File, filter: &Filter, without: &[u64]) -> Result<Scan> {
    let started = Moment::now();
    let walked = walk::walk(root, base, filter, without)?;
    Ok(Scan {
        root: root.to_owned(),
        base: None,
        file: None,
        names: walked.names,
        nodes: walked.nodes,
        digest: blake3::Hash::from_bytes([0; 32]),
        stats: ScanStats {
            skipped: walked.skipped,
            ..ScanStats::default()
        },
        started,
    })
}

/// Scans one file as a directory that holds only it. A symbolic link is followed; the entry keeps the link's name.
///
/// # Errors
/// As [`scan`].
pub fn scan_file(path: &Path) -> Result<Scan> {
    let started = Moment::now();
    let failed = |error| Error::io("open", path, error);
    let name = path
        .file_name()
        .ok_or_else(|| failed(io::ErrorKind::IsADirectory.into()))?;
    // Without reading: a pipe would make this wait for ever.
    let handle = rustix::fs::open(path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
        .map_err(|error| failed(error.into()))?;
    let stat = regular(&handle, path)?;
    let number = std::os::fd::AsRawFd::as_raw_fd(&handle);
    let real = fs::read_link(format!("/proc/self/fd/{number}")).map_err(failed)?;
    let (Some(root), Some(real_name)) = (real.parent(), real.file_name()) else {
        return Err(failed(io::ErrorKind::NotFound.into()));
    };
    let mut scan = one_file(root, real_name, name, &stat, started);
    let base = open_root(root)?;
    finish(&mut scan, &base, &[0])?;
    Ok(scan)
}

/// Scans the file `source` of a directory that is open, which messages call `root`, as a directory that holds only it,
/// under the name `name`.
///
/// # Errors
/// As [`scan`].
pub(crate) fn scan_file_open(
    base: File,
    root: &Path,
    source: &OsStr,
    name: &OsStr,
) -> Result<Scan> {
    let started = Moment::now();
    let path = root.join(source);
    let handle = open_below(&base, Path::new(source), OFlags::PATH)
        .map_err(|error| Error::io("open", &path, error))?;
    let stat = regular(&handle, &path)?;
    let mut scan = one_file(root, source, name, &stat, started);
    finish(&mut scan, &base, &[0])?;
    scan.base = Some(Arc::new(base));
    Ok(scan)
}

/// What is known of an open file without reading it; anything but a file is refused.
fn regular(handle: impl AsFd, path: &Path) -> Result<rustix::fs::Stat> {
    let failed = |error| Error::io("open", path, error);
    let stat = rustix::fs::fstat(handle).map_err(|error| failed(error.into()))?;
    if rustix::fs::FileType::from_raw_mode(stat.st_mode) != rustix::fs::FileType::RegularFile {
        let error = io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file");
        return Err(failed(error));
    }
    Ok(stat)
}

/// A scan of one file that is not read yet.
fn one_file(
    root: &Path,
    source: &OsStr,
    name: &OsStr,
    stat: &rustix::fs::Stat,
    started: Moment,
) -> Scan {
    let mut names = Vec::new();
    let node = Node {
        path: Span::push(&mut names, name.as_bytes()),
        target: Span::default(),
        kind: NodeKind::File,
        mode: stat.st_mode & 0o7777,
        stat: FileStat::of(stat),
        hash: [0; 32],
    };
    Scan {
        root: root.to_owned(),
        base: None,
        file: Some(PathBuf::from(source)),
        names,
        nodes: vec![node],
        digest: blake3::Hash::from_bytes([0; 32]),
        stats: ScanStats::default(),
        started,
    }
}

/// Reads what is pending, then computes digest and figures.
fn finish(scan: &mut Scan, base: &File, pending: &[usize]) -> Result<()> {
    let hashed = {
        let path_of = |index: usize| scan.source(&scan.nodes[index]);
        hash::hash_files(&scan.root, base, &scan.nodes, pending, &path_of)?
    };
    for (index, stat, hash) in hashed {
        scan.stats.hashed_files += 1;
        scan.stats.hashed_bytes += stat.size;
        scan.nodes[index].stat = stat;
        scan.nodes[index].hash = hash;
    }
    for node in &scan.nodes {
        match node.kind {
            NodeKind::Directory => scan.stats.directories += 1,
            NodeKind::Symlink => scan.stats.symlinks += 1,
            NodeKind::File => {
                scan.stats.files += 1;
                scan.stats.bytes += node.stat.size;
            }
        }
    }
    scan.digest = hash::digest(&scan.names, &scan.nodes);
    Ok(())
}

fn open_root(root: &Path) -> Result<File> {
    // The user names the root, so links on the way to it are the user's.
    let flags = OFlags::DIRECTORY | OFlags::RDONLY | OFlags::CLOEXEC;
    rustix::fs::open(root, flags, Mode::empty())
        .map(File::from)
        .map_err(|error| Error::io("open", root, error))
}

/// Opens something below `base` without following any link, so that a directory exchanged for a link while it is scanned
/// leads nowhere.
fn open_below(base: &File, path: &Path, flags: OFlags) -> rustix::io::Result<File> {
    let flags = flags | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS | ResolveFlags::NO_MAGICLINKS;
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    loop {
        match rustix::fs::openat2(base, path, flags, Mode::empty(), resolve) {
            // Something on the way was renamed at this moment.
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => {}
            opened => return opened.map(File::from),
        }
    }
}

/// Bytes as a path.
pub(crate) fn as_path(bytes: &[u8]) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(bytes))
}

/// How many threads are worth starting.
fn threads() -> usize {
    // Asked once: the answer takes reading several files about cgroups.
    static COUNT: LazyLock<usize> = LazyLock::new(|| {
        std::thread::available_parallelism()
            .map_or(1, std::num::NonZero::get)
            .min(8)
    });
    *COUNT
}

#[cfg(test)]
mod tests;
