//! Looking into snapshots.

use std::os::fd::OwnedFd;
use std::path::Path;

use globset::{GlobBuilder, GlobMatcher};
use rustix::fs::FileType;

use crate::error::{Context as _, Error, Result};
use crate::keeper::{DirEntry, FileKind, Stat};
use crate::path::{self, absolute};
use crate::view::{Node, View};

/// What a node is, for callers.
pub(crate) fn kind_of(node: &Node) -> FileKind {
    match node.file_type() {
        FileType::RegularFile => FileKind::File,
        FileType::Directory => FileKind::Dir,
        FileType::Symlink => FileKind::Symlink,
        _ => FileKind::Other,
    }
}

/// Describes what is at a path.
pub(crate) fn stat(view: &View, path: &str, follow: bool) -> Result<Option<Stat>> {
    let resolved = match path::resolve(view, Path::new(path), follow) {
        Ok(resolved) => resolved,
        Err(Error::NotADirectory { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let Some(node) = &resolved.node else {
        return Ok(None);
    };
    Ok(Some(describe(view, &resolved.path, node)?))
}

fn describe(view: &View, rel: &Path, node: &Node) -> Result<Stat> {
    let target = match node.is_symlink() {
        true => Some(
            view.root_of(node)
                .read_link(rel)?
                .to_string_lossy()
                .into_owned(),
        ),
        false => None,
    };
    Ok(Stat {
        kind: kind_of(node),
        mode: node.mode(),
        uid: node.stat.st_uid,
        gid: node.stat.st_gid,
        size: node.stat.st_size.cast_unsigned(),
        mtime: node.stat.st_mtime,
        target,
        path: absolute(rel),
    })
}

/// Opens a regular file.
pub(crate) fn open_file(view: &View, path: &str) -> Result<(Stat, OwnedFd)> {
    let (rel, node) = path::existing(view, path, true)?;
    if node.is_dir() {
        return Err(Error::IsADirectory {
            path: path.to_owned(),
        });
    }
    if !node.is_file() {
        let reason = "it is no regular file".to_owned();
        return Err(Error::InvalidPath {
            path: path.to_owned(),
            reason,
        });
    }
    let fd = view.root_of(&node).open_file(&rel).context("open", &rel)?;
    Ok((describe(view, &rel, &node)?, fd))
}

fn directory(view: &View, path: &str) -> Result<(std::path::PathBuf, Node)> {
    let (rel, node) = path::existing(view, path, true)?;
    if !node.is_dir() {
        return Err(Error::NotADirectory {
            path: path.to_owned(),
        });
    }
    Ok((rel, node))
}

fn entry(name: &Path, node: &Node) -> DirEntry {
    DirEntry {
        name: name.to_string_lossy().into_owned(),
        kind: kind_of(node),
        mode: node.mode(),
        uid: node.stat.st_uid,
        gid: node.stat.st_gid,
        size: node.stat.st_size.cast_unsigned(),
        mtime: node.stat.st_mtime,
    }
}

/// Lists a directory.
pub(crate) fn read_dir(view: &View, path: &str) -> Result<Vec<DirEntry>> {
    let (rel, dir) = directory(view, path)?;
    let entries = view.read_dir(&rel, &dir)?;
    Ok(entries
        .iter()
        .map(|(name, node)| entry(Path::new(name), node))
        .collect())
}

/// Lists everything below a directory.
pub(crate) fn walk(view: &View, path: &str) -> Result<Vec<DirEntry>> {
    collect(view, path, &|_| true)
}

/// Lists what matches a pattern below a directory.
pub(crate) fn glob(view: &View, path: &str, pattern: &str) -> Result<Vec<DirEntry>> {
    let matcher = matcher(pattern)?;
    collect(view, path, &|rel| matcher.is_match(rel))
}

/// A pattern where `*` stops at `/` and `**` does not.
pub(crate) fn matcher(pattern: &str) -> Result<GlobMatcher> {
    let cleaned = pattern.trim_start_matches("./").trim_start_matches('/');
    let glob = GlobBuilder::new(cleaned)
        .literal_separator(true)
        .backslash_escape(true)
        .build();
    glob.map(|glob| glob.compile_matcher())
        .map_err(|error| Error::InvalidPattern {
            pattern: pattern.to_owned(),
            reason: format!("cannot be used: {}", error.kind()),
        })
}

fn collect(view: &View, path: &str, wanted: &dyn Fn(&Path) -> bool) -> Result<Vec<DirEntry>> {
    let (rel, dir) = directory(view, path)?;
    let mut found = Vec::new();
    view.walk(&rel, &dir, &mut |child, node| {
        let below = child
            .strip_prefix(&rel)
            .expect("a walk stays below its start");
        if wanted(below) {
            found.push(entry(below, node));
        }
        Ok(true)
    })?;
    Ok(found)
}
