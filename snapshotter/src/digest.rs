//! Names file trees by what they hold.
//!
//! The digest of a directory is the hash over its sorted entries: name, kind, permissions, owner,
//! attributes, and the digest of content. Modification times, inode numbers and which names share
//! an inode are left out, so equal results of two runs have equal digests.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use blake3::Hasher;
use rustix::fs::FileType;

use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::layer::draft::lock;
use crate::view::{Node, OPAQUE, OVERLAY_XATTRS, View};

/// Below this many bytes starting threads costs more than it brings.
const PARALLEL_FROM: u64 = 8 << 20;
const THREADS: usize = 4;
const BUFFER: usize = 256 << 10;

/// What is hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// A tree as a step sees it.
    Merged,
    /// The same, but only names, kinds, links, the executable bit and content.
    ContentOnly,
    /// One layer's directory as it is on disk, whiteouts and opaque marks included. Marks of
    /// overlayfs that mean nothing in a lower layer are removed on the way.
    Layer,
}

/// What was found while hashing.
#[derive(Debug, Clone)]
pub(crate) struct Summary {
    pub(crate) digest: blake3::Hash,
    /// Entries below the root.
    pub(crate) entries: u64,
    /// Bytes on disk, every inode once.
    pub(crate) size: u64,
}

/// Digests what is at `rel`.
pub(crate) fn tree(view: &View, rel: &Path, node: &Node, scope: Scope) -> Result<Summary> {
    let mut walk = Walk {
        view,
        scope,
        files: Vec::new(),
        entries: 0,
        size: 0,
        inodes: Vec::new(),
    };
    let item = walk.item(OsStr::new(""), rel, node)?;
    let hashes = hash_files(view, &walk.files)?;
    walk.inodes.sort_unstable();
    walk.inodes.dedup();
    let shared: u64 = walk.inodes.iter().map(|(_, bytes)| bytes).sum();
    Ok(Summary {
        digest: fold(&item, &hashes),
        entries: walk.entries - 1,
        size: walk.size + shared,
    })
}

struct Walk<'a> {
    view: &'a View,
    scope: Scope,
    files: Vec<(PathBuf, Node)>,
    entries: u64,
    size: u64,
    /// Inodes with several names, and their bytes.
    inodes: Vec<(u64, u64)>,
}

/// An entry whose content may still have to be hashed.
struct Item {
    header: Vec<u8>,
    content: Content,
}

enum Content {
    /// Index into the hashed files.
    File(usize),
    Inline(Vec<u8>),
    Dir(Vec<Item>),
}

impl Walk<'_> {
    fn item(&mut self, name: &OsStr, rel: &Path, node: &Node) -> Result<Item> {
        self.entries += 1;
        let bytes = u64::try_from(node.stat.st_blocks).unwrap_or(0) * 512;
        if node.stat.st_nlink > 1 && !node.is_dir() {
            self.inodes.push((node.stat.st_ino, bytes));
        } else {
            self.size += bytes;
        }
        let header = self.header(name, rel, node)?;
        let content = match node.file_type() {
            FileType::RegularFile if node.stat.st_size == 0 => Content::Inline(Vec::new()),
            FileType::RegularFile => {
                self.files.push((rel.to_owned(), node.clone()));
                Content::File(self.files.len() - 1)
            }
            FileType::Symlink => {
                let target = self.view.root_of(node).read_link(rel)?;
                Content::Inline(target.as_bytes().to_vec())
            }
            FileType::Directory => {
                let mut items = Vec::new();
                for (name, child) in self.view.read_dir(rel, node)? {
                    items.push(self.item(&name, &rel.join(&name), &child)?);
                }
                Content::Dir(items)
            }
            _ => Content::Inline(node.stat.st_rdev.to_le_bytes().to_vec()),
        };
        Ok(Item { header, content })
    }

    fn header(&self, name: &OsStr, rel: &Path, node: &Node) -> Result<Vec<u8>> {
        let mut header = Vec::with_capacity(64);
        let mut field = |bytes: &[u8]| {
            header.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
            header.extend_from_slice(bytes);
        };
        field(name.as_bytes());
        field(&(node.stat.st_mode & 0o170_000).to_le_bytes());
        if self.scope == Scope::ContentOnly {
            let executable = node.is_file() && node.mode() & 0o111 != 0;
            field(&[u8::from(executable)]);
            return Ok(header);
        }
        let mode = if node.is_symlink() { 0 } else { node.mode() };
        for number in [mode, node.stat.st_uid, node.stat.st_gid] {
            field(&number.to_le_bytes());
        }
        let path = self.view.root_of(node).path.join(rel);
        let mut names = fsops::all_xattr_names(&path)?;
        if !names.is_empty() {
            names.sort();
            for name in names.iter().filter(|name| fsops::is_content_xattr(name)) {
                field(name.as_bytes());
                field(&fsops::xattr(&path, name)?);
            }
            if self.scope == Scope::Layer {
                field(&layer_marks(&path, &names)?);
            }
        }
        Ok(header)
    }
}

/// The marks of overlayfs that matter in a lower layer; the others are removed.
fn layer_marks(path: &Path, names: &[OsString]) -> Result<Vec<u8>> {
    let mut marks = Vec::new();
    for name in names
        .iter()
        .filter(|name| name.as_bytes().starts_with(OVERLAY_XATTRS))
    {
        if name == OPAQUE || name == crate::view::XWHITEOUT {
            marks.extend_from_slice(name.as_bytes());
            marks.extend_from_slice(&fsops::xattr(path, name)?);
        } else {
            rustix::fs::lremovexattr(path, name).context("remove attribute of", path)?;
        }
    }
    Ok(marks)
}

/// Hashes the content of files, on several threads if there is much of it.
fn hash_files(view: &View, files: &[(PathBuf, Node)]) -> Result<Vec<blake3::Hash>> {
    let total: u64 = files
        .iter()
        .map(|(_, node)| node.stat.st_size.cast_unsigned())
        .sum();
    if total < PARALLEL_FROM || files.len() < 2 {
        let mut buffer = vec![0; BUFFER.min(usize::try_from(total).unwrap_or(BUFFER) + 1)];
        return files
            .iter()
            .map(|(rel, node)| hash_file(view, rel, node, &mut buffer))
            .collect();
    }
    let next = AtomicUsize::new(0);
    let hashes = Mutex::new(vec![blake3::Hash::from_bytes([0; 32]); files.len()]);
    let failure = Mutex::new(None);
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(|| {
                let mut buffer = vec![0; BUFFER];
                while let Some(index) = Some(next.fetch_add(1, Ordering::Relaxed))
                    && let Some((rel, node)) = files.get(index)
                {
                    match hash_file(view, rel, node, &mut buffer) {
                        Ok(hash) => lock(&hashes)[index] = hash,
                        Err(error) => {
                            next.store(files.len(), Ordering::Relaxed);
                            *lock(&failure) = Some(error);
                        }
                    }
                }
            });
        }
    });
    match failure.into_inner().unwrap_or_default() {
        Some(error) => Err(error),
        None => Ok(hashes.into_inner().expect("no thread panicked")),
    }
}

fn hash_file(view: &View, rel: &Path, node: &Node, buffer: &mut [u8]) -> Result<blake3::Hash> {
    let root = view.root_of(node);
    let file = root.open_file(rel).context("open", root.path.join(rel))?;
    let mut hasher = Hasher::new();
    loop {
        match rustix::io::read(&file, &mut *buffer) {
            Ok(0) => return Ok(hasher.finalize()),
            Ok(count) => {
                hasher.update(&buffer[..count]);
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(Error::io("read", root.path.join(rel), errno)),
        }
    }
}

fn fold(item: &Item, hashes: &[blake3::Hash]) -> blake3::Hash {
    let mut hasher = Hasher::new();
    hasher
        .update(&(item.header.len() as u64).to_le_bytes())
        .update(&item.header);
    match &item.content {
        Content::File(index) => {
            hasher.update(hashes[*index].as_bytes());
        }
        Content::Inline(bytes) => {
            hasher.update(blake3::hash(bytes).as_bytes());
        }
        Content::Dir(items) => {
            for item in items {
                hasher.update(fold(item, hashes).as_bytes());
            }
        }
    }
    hasher.finalize()
}
