//! `.gitignore` files met on a walk, with git's rules: the nearest file that says something about a path decides, and
//! nothing below an ignored directory can be taken back.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use ignore::Match;
use ignore::gitignore::{Gitignore, GitignoreBuilder};
use rustix::fs::OFlags;
use rustix::io::Errno;

use super::open_below;
use crate::error::{Context as _, Result};
use crate::view::{Node, View};

/// The files that apply in one directory, nearest first.
#[derive(Debug, Clone)]
pub(super) struct Ignored(Option<Arc<Level>>);

#[derive(Debug)]
struct Level {
    rules: Gitignore,
    parent: Option<Arc<Self>>,
}

impl Ignored {
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// The files that apply in `directory`, which is at `path` below the root.
    pub(super) fn enter(&self, directory: &File, path: &Path) -> io::Result<Self> {
        let file = match open_below(
            directory,
            Path::new(".gitignore"),
            OFlags::RDONLY | OFlags::NONBLOCK,
        ) {
            Ok(file) => file,
            // git does not follow a link here either, and ignores what is not a file.
            Err(Errno::NOENT | Errno::LOOP | Errno::NXIO) => return Ok(self.clone()),
            Err(error) => return Err(error.into()),
        };
        if !file.metadata()?.is_file() {
            return Ok(self.clone());
        }
        self.with(file, path)
    }

    /// The same with the rules of a file in the directory at `path` below the root.
    fn with(&self, file: File, path: &Path) -> io::Result<Self> {
        let mut builder = GitignoreBuilder::new(path);
        let mut lines = BufReader::new(file);
        let mut line = Vec::new();
        let mut first = true;
        while lines.read_until(b'\n', &mut line)? > 0 {
            let text = String::from_utf8_lossy(&line);
            let text = text.trim_end_matches(['\n', '\r']);
            let text = if first {
                text.trim_start_matches('\u{feff}')
            } else {
                text
            };
            // A line git cannot use is skipped by git, too.
            builder.add_line(None, text).ok();
            first = false;
            line.clear();
        }
        let rules = builder.build().map_err(io::Error::other)?;
        if rules.is_empty() {
            return Ok(self.clone());
        }
        Ok(Self(Some(Arc::new(Level {
            rules,
            parent: self.0.clone(),
        }))))
    }

    /// Whether `path`, relative to the root, is ignored. The directories it is in are not.
    pub(super) fn covers(&self, path: &Path, is_dir: bool) -> bool {
        let mut level = self.0.as_ref();
        while let Some(here) = level {
            match here.rules.matched(path, is_dir) {
                Match::Ignore(_) => return true,
                Match::Whitelist(_) => return false,
                Match::None => level = here.parent.as_ref(),
            }
        }
        false
    }
}

/// The topmost paths of a snapshot's directory that `.gitignore` files in it name.
pub(crate) fn ignored_below(view: &View, base: &Path, dir: &Node) -> Result<HashSet<PathBuf>> {
    let mut found = HashSet::new();
    gather(view, base, base, dir, &Ignored::none(), &mut found)?;
    Ok(found)
}

fn gather(
    view: &View,
    base: &Path,
    rel: &Path,
    dir: &Node,
    above: &Ignored,
    found: &mut HashSet<PathBuf>,
) -> Result<()> {
    let entries = view.read_dir(rel, dir)?;
    let mut rules = above.clone();
    for (name, node) in &entries {
        if name == ".gitignore" && node.is_file() {
            let path = rel.join(name);
            let file = view.root_of(node).open_file(&path).context("open", &path)?;
            let at = rel.strip_prefix(base).unwrap_or(rel);
            rules = rules.with(file.into(), at).context("read", &path)?;
        }
    }
    for (name, node) in entries {
        let child = rel.join(name);
        let below = child.strip_prefix(base).unwrap_or(&child);
        if rules.covers(below, node.is_dir()) {
            found.insert(child);
        } else if node.is_dir() {
            gather(view, base, &child, &node, &rules, found)?;
        }
    }
    Ok(())
}
