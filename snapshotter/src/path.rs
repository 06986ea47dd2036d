//! Paths from outside, resolved inside a root.
//!
//! `..` stops at the root and links, absolute ones too, lead to places inside it, as if by chroot.
//! The trees looked at here change under nobody's hands: layers are immutable and an upper directory
//! belongs to the keeper while no step runs on it.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::view::{Node, View};

/// Links followed before a path is taken for a loop, as in the kernel.
const MAX_LINKS: usize = 40;
/// The longest name.
const MAX_NAME: usize = 255;
/// The longest path; the kernel's limit is for one call, trees may be deeper than callers need.
const MAX_PATH: usize = 4096;

/// A path without links and `..`, relative to the root.
#[derive(Debug, Clone)]
pub(crate) struct Resolved {
    pub(crate) path: PathBuf,
    /// What is there.
    pub(crate) node: Option<Node>,
}

impl Resolved {
    /// The path as callers see it.
    pub(crate) fn absolute(&self) -> String {
        absolute(&self.path)
    }
}

/// A path relative to the root, as callers see it.
pub(crate) fn absolute(rel: &Path) -> String {
    format!("/{}", rel.display())
}

/// Resolves a path; `follow` says whether a link at its very end is followed.
///
/// What does not exist is appended as it stands, so the result says where it would be created.
pub(crate) fn resolve(view: &View, path: &Path, follow: bool) -> Result<Resolved> {
    let text = path.as_os_str();
    if text.len() > MAX_PATH || text.as_bytes().contains(&0) {
        return Err(invalid(path, "it is too long or has a NUL"));
    }
    let mut todo: VecDeque<OsString> = names(text);
    let mut stack: Vec<(OsString, Option<Node>)> = Vec::new();
    let root = view.root()?;
    let mut links = 0;
    while let Some(name) = todo.pop_front() {
        if name == ".." {
            stack.pop();
            continue;
        }
        if name.len() > MAX_NAME {
            return Err(invalid(path, "a name is longer than 255 bytes"));
        }
        let rel: PathBuf = stack.iter().map(|(name, _)| name).chain([&name]).collect();
        let parent = stack.last().map_or(Some(&root), |(_, node)| node.as_ref());
        let node = match parent {
            Some(parent) if parent.is_dir() => view.child(parent, &rel)?,
            Some(_) => {
                return Err(Error::NotADirectory {
                    path: text.to_string_lossy().into(),
                });
            }
            None => None,
        };
        match node {
            Some(node) if node.is_symlink() && (follow || !todo.is_empty()) => {
                links += 1;
                if links > MAX_LINKS {
                    return Err(invalid(path, "too many levels of symbolic links"));
                }
                let target = view.root_of(&node).read_link(&rel)?;
                if target.as_bytes().first() == Some(&b'/') {
                    stack.clear();
                }
                for name in names(&target).into_iter().rev() {
                    todo.push_front(name);
                }
            }
            node => stack.push((name, node)),
        }
    }
    let node = match stack.last() {
        None => Some(root),
        Some((_, node)) => node.clone(),
    };
    Ok(Resolved {
        path: stack.into_iter().map(|(name, _)| name).collect(),
        node,
    })
}

/// Resolves a path that has to exist.
pub(crate) fn existing(view: &View, path: &str, follow: bool) -> Result<(PathBuf, Node)> {
    let resolved = resolve(view, Path::new(path), follow)?;
    match resolved.node {
        Some(node) => Ok((resolved.path, node)),
        None => Err(Error::NotFound {
            path: path.to_owned(),
        }),
    }
}

fn names(path: &OsStr) -> VecDeque<OsString> {
    path.as_bytes()
        .split(|&byte| byte == b'/')
        .filter(|name| !name.is_empty() && *name != b".")
        .map(|name| OsStr::from_bytes(name).to_owned())
        .collect()
}

fn invalid(path: &Path, reason: &str) -> Error {
    let mut text = path.to_string_lossy().into_owned();
    if text.len() > 256 {
        text = text.chars().take(256).chain(['…']).collect();
    }
    Error::InvalidPath {
        path: text,
        reason: reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn links_and_dots_stay_inside() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        fs::create_dir_all(root.join("a/b")).unwrap();
        fs::write(root.join("a/file"), "").unwrap();
        symlink("/a", root.join("abs")).unwrap();
        symlink("../../../..", root.join("a/up")).unwrap();
        symlink("loop", root.join("loop")).unwrap();
        symlink("nowhere/x", root.join("dangling")).unwrap();
        let view = View::plain(root.to_owned()).unwrap();
        for (path, expected) in [
            ("", ""),
            ("/", ""),
            ("../../a", "a"),
            ("abs/b", "a/b"),
            ("abs/../abs/./b/", "a/b"),
            ("a/up/a/file", "a/file"),
            ("a/up/etc/passwd", "etc/passwd"),
            ("dangling/y", "nowhere/x/y"),
            ("new/../other", "other"),
        ] {
            let resolved = resolve(&view, Path::new(path), true).unwrap();
            assert_eq!(resolved.path, Path::new(expected), "{path}");
        }
        assert_eq!(
            resolve(&view, Path::new("abs"), false).unwrap().path,
            Path::new("abs")
        );
        for path in [
            "loop",
            "a/file/x",
            "a\0b",
            &"x".repeat(256),
            &"x/".repeat(3000),
        ] {
            assert!(resolve(&view, Path::new(path), true).is_err(), "{path}");
        }
    }
}
