//! Reads files for their hashes, and hashes what a scan found as a whole.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use rustix::fs::{FileType, OFlags};
use rustix::io::Errno;

use super::{FileStat, Node, NodeKind, open_below, threads};
use crate::error::{Error, Result};

/// A file that was read: its index, what it was when it was read, and its hash.
pub(super) type Hashed = (usize, FileStat, [u8; 32]);

/// Files taken by a thread at a time.
const CHUNK: usize = 32;
/// A file is read again when it changed under way, this often.
const ATTEMPTS: usize = 3;

/// The indices of all files.
pub(super) fn all_files(nodes: &[Node]) -> Vec<usize> {
    let is_file = |index: &usize| nodes[*index].kind == NodeKind::File;
    (0..nodes.len()).filter(is_file).collect()
}

/// Reads the files `pending` on several threads.
pub(super) fn hash_files<'a>(
    root: &Path,
    base: &File,
    nodes: &[Node],
    pending: &[usize],
    path_of: &(dyn Fn(usize) -> &'a Path + Sync),
) -> Result<Vec<Hashed>> {
    let next = AtomicUsize::new(0);
    let results: Mutex<Result<Vec<Hashed>>> = Mutex::new(Ok(Vec::with_capacity(pending.len())));
    let work = || {
        let mut buffer = vec![0; 128 * 1024];
        loop {
            let start = next.fetch_add(CHUNK, Ordering::Relaxed);
            let chunk = pending
                .get(start..pending.len().min(start + CHUNK))
                .unwrap_or_default();
            if chunk.is_empty() {
                return;
            }
            let hashed: Result<Vec<Hashed>> = chunk
                .iter()
                .map(|&index| {
                    hash_file(root, base, path_of(index), &nodes[index].stat, &mut buffer)
                })
                .zip(chunk)
                .map(|(hashed, &index)| hashed.map(|(stat, hash)| (index, stat, hash)))
                .collect();
            let mut results = results.lock().unwrap_or_else(PoisonError::into_inner);
            match (&mut *results, hashed) {
                (Ok(all), Ok(hashed)) => all.extend(hashed),
                (Ok(_), Err(error)) => *results = Err(error),
                (Err(_), _) => return,
            }
        }
    };
    thread::scope(|scope| {
        let helpers = (pending.len() / (CHUNK * 2)).min(threads() - 1);
        for _ in 0..helpers {
            scope.spawn(work);
        }
        work();
    });
    results.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Reads one file until it stays the same from before the read to after it.
fn hash_file(
    root: &Path,
    base: &File,
    path: &Path,
    seen: &FileStat,
    buffer: &mut [u8],
) -> Result<(FileStat, [u8; 32])> {
    let changed = || Error::ChangedWhileReading {
        path: root.join(path),
    };
    let failed = |error: io::Error| Error::io("read", root.join(path), error);
    let mut seen = *seen;
    for _ in 0..ATTEMPTS {
        let mut file = match open_below(base, path, OFlags::RDONLY | OFlags::NONBLOCK) {
            Ok(file) => file,
            Err(Errno::NOENT | Errno::LOOP | Errno::NOTDIR | Errno::NXIO) => return Err(changed()),
            Err(error) => return Err(failed(error.into())),
        };
        let opened = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
        if FileType::from_raw_mode(opened.st_mode) != FileType::RegularFile {
            return Err(changed());
        }
        let (hash, length) =
            hash_reader(&mut file, buffer, FileStat::of(&opened).size).map_err(failed)?;
        let after = rustix::fs::fstat(&file).map_err(|error| failed(error.into()))?;
        let after = FileStat::of(&after);
        if after == seen && length == after.size {
            return Ok((after, hash));
        }
        // The next attempt has to find what this one left.
        seen = after;
    }
    Err(changed())
}

/// Hashes what comes from `file` up to `size` bytes, and says how many came.
pub(super) fn hash_reader(
    file: &mut File,
    buffer: &mut [u8],
    size: u64,
) -> io::Result<([u8; 32], u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut length = 0;
    while length < size {
        match file.read(buffer) {
            Ok(0) => break,
            Ok(count) => {
                hasher.update(&buffer[..count]);
                length += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((*hasher.finalize().as_bytes(), length))
}

/// The digest of a scan, drawn in [`crate::format`].
pub(super) fn digest(names: &[u8], nodes: &[Node]) -> blake3::Hash {
    const FLUSH: usize = 64 * 1024;
    let mut hasher = blake3::Hasher::new();
    // Gathered, as hashing many small pieces is several times slower.
    let mut buffer = Vec::with_capacity(FLUSH + 16 * 1024);
    buffer.extend_from_slice(b"nsci host tree 1\0");
    for node in nodes {
        let path = node.path.of(names);
        buffer.push(match node.kind {
            NodeKind::Directory => b'd',
            NodeKind::File => b'f',
            NodeKind::Symlink => b'l',
        });
        buffer.extend_from_slice(&node.mode.to_le_bytes());
        buffer.extend_from_slice(&(path.len() as u64).to_le_bytes());
        buffer.extend_from_slice(path);
        match node.kind {
            NodeKind::Directory => {}
            NodeKind::File => buffer.extend_from_slice(&node.hash),
            NodeKind::Symlink => {
                let target = node.target.of(names);
                buffer.extend_from_slice(&(target.len() as u64).to_le_bytes());
                buffer.extend_from_slice(target);
            }
        }
        if buffer.len() >= FLUSH {
            hasher.update(&buffer);
            buffer.clear();
        }
    }
    hasher.update(&buffer);
    hasher.finalize()
}
