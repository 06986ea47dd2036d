//! The stat cache: hashes of files by what the filesystem says of them.
//!
//! One file for each directory and filter, drawn in [`crate::format`]; entries in the order of a scan, so that looking all
//! of them up is one pass over both lists. Anything odd about it is taken as an empty cache.

use std::cmp::Ordering;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::walk::bytes;
use super::{FileStat, Moment, Node, NodeKind, Scan};
use crate::layout::Store;
use crate::lock::unique_name;
use crate::pattern::Filter;

const MAGIC: &[u8; 8] = b"nscistc1";
const PREFIX: usize = MAGIC.len() + 32;
/// Path length, inode, size, two times, hash; the path follows.
const FIXED: usize = 4 + 8 + 8 + 12 + 12 + 32;

/// Where stat caches are kept.
#[derive(Debug, Clone)]
pub struct StatCache {
    directory: PathBuf,
}

impl Store {
    /// The stat caches of this store.
    #[must_use]
    pub fn stat_cache(&self) -> StatCache {
        StatCache {
            directory: self.layout().hostdirs(),
        }
    }
}

/// One cache as it was read.
pub(super) struct Known {
    path: PathBuf,
    /// What follows the prefix; empty if there is nothing to rely on.
    entries: Vec<u8>,
    /// Whether every entry belonged to a file that was found, as it is.
    all_used: bool,
}

impl StatCache {
    pub(super) fn load(&self, root: &Path, filter: &Filter) -> Known {
        let mut name = blake3::Hasher::new();
        name.update(filter.fingerprint().as_bytes())
            .update(bytes(root));
        let path = self.directory.join(name.finalize().to_hex().as_str());
        let mut content = fs::read(&path).unwrap_or_default();
        let whole = content.len() >= PREFIX
            && content.starts_with(MAGIC)
            && content[MAGIC.len()..PREFIX] == *blake3::hash(&content[PREFIX..]).as_bytes();
        content.drain(..if whole { PREFIX } else { content.len() });
        Known {
            path,
            entries: content,
            all_used: false,
        }
    }

    /// Writes what a scan found, unless that is what the cache holds. Failing to costs time later and is no failure now.
    pub(super) fn store(&self, known: &Known, scan: &Scan, pending: usize) {
        if pending == 0 && known.all_used {
            return;
        }
        let settled = |node: &&Node| {
            node.kind == NodeKind::File && node.stat.changed.is_settled(scan.started)
        };
        let mut content =
            Vec::with_capacity(known.entries.len().max(scan.nodes.len() * 64) + PREFIX);
        content.extend_from_slice(MAGIC);
        content.extend_from_slice(&[0; 32]);
        for node in scan.nodes.iter().filter(settled) {
            encode(node, node.path.of(&scan.names), &mut content);
        }
        if content[PREFIX..] == known.entries[..] {
            return;
        }
        let sum = blake3::hash(&content[PREFIX..]);
        content[MAGIC.len()..PREFIX].copy_from_slice(sum.as_bytes());
        let tmp = self.directory.join(format!(".{}", unique_name()));
        let written = fs::File::create_new(&tmp)
            .and_then(|mut file| file.write_all(&content))
            .and_then(|()| fs::rename(&tmp, &known.path));
        if written.is_err() {
            fs::remove_file(&tmp).ok();
        }
    }
}

impl Known {
    /// Gives files their known hashes and returns the indices of those to read.
    pub(super) fn fill(&mut self, names: &[u8], nodes: &mut [Node]) -> Vec<usize> {
        let mut pending = Vec::new();
        let mut rest = &self.entries[..];
        let mut current = next(&mut rest);
        let mut all_used = true;
        for (index, node) in nodes.iter_mut().enumerate() {
            if node.kind != NodeKind::File {
                continue;
            }
            let path = node.path.of(names);
            while let Some(entry) = &current
                && walk_order(entry.path, path) == Ordering::Less
            {
                all_used = false;
                current = next(&mut rest);
            }
            match &current {
                Some(entry) if entry.path == path && entry.stat == node.stat => {
                    node.hash = entry.hash;
                    current = next(&mut rest);
                }
                _ => pending.push(index),
            }
        }
        self.all_used = all_used && current.is_none();
        pending
    }
}

/// The order of a walk: `a/b` before `a.b`, since `a` comes before `a.b`.
fn walk_order(left: &[u8], right: &[u8]) -> Ordering {
    if left == right {
        return Ordering::Equal;
    }
    left.split(|byte| *byte == b'/')
        .cmp(right.split(|byte| *byte == b'/'))
}

struct Entry<'a> {
    path: &'a [u8],
    stat: FileStat,
    hash: [u8; 32],
}

fn encode(node: &Node, path: &[u8], content: &mut Vec<u8>) {
    // A path the kernel gave is far shorter than 4 GiB; one that is not is an entry that never matches.
    content.extend_from_slice(&u32::try_from(path.len()).unwrap_or(0).to_le_bytes());
    content.extend_from_slice(&node.stat.ino.to_le_bytes());
    content.extend_from_slice(&node.stat.size.to_le_bytes());
    for moment in [node.stat.modified, node.stat.changed] {
        content.extend_from_slice(&moment.seconds.to_le_bytes());
        content.extend_from_slice(&moment.nanoseconds.to_le_bytes());
    }
    content.extend_from_slice(&node.hash);
    content.extend_from_slice(path);
}

/// Takes one entry off; nothing at the end, or where the bytes make no sense.
fn next<'a>(rest: &mut &'a [u8]) -> Option<Entry<'a>> {
    let (fixed, after) = rest.split_at_checked(FIXED)?;
    let u32_at = |at: usize| Some(u32::from_le_bytes(*fixed.get(at..)?.first_chunk()?));
    let u64_at = |at: usize| Some(u64::from_le_bytes(*fixed.get(at..)?.first_chunk()?));
    let moment_at = |at: usize| {
        Some(Moment {
            seconds: u64_at(at)?.cast_signed(),
            nanoseconds: u32_at(at + 8)?,
        })
    };
    let (path, after) = after.split_at_checked(usize::try_from(u32_at(0)?).ok()?)?;
    let entry = Entry {
        path,
        stat: FileStat {
            ino: u64_at(4)?,
            size: u64_at(12)?,
            modified: moment_at(20)?,
            changed: moment_at(32)?,
        },
        hash: *fixed.get(44..)?.first_chunk()?,
    };
    *rest = after;
    Some(entry)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_that_of_a_walk() {
        let sorted: [&[u8]; 6] = [b"a", b"a/b", b"a/b/c", b"a/c", b"a.b", b"b"];
        for pair in sorted.windows(2) {
            assert_eq!(walk_order(pair[0], pair[1]), Ordering::Less, "{pair:?}");
        }
    }
}
