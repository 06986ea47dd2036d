//! Fits layers unpacked on their own to the layers they lie on.
//!
//! An archive need not list the directories its files are in. Unpacked alone, such a directory
//! becomes 0755 of root and would cover what a lower layer says of it, or even hide a link: a
//! layer with only `bin/tool`, on an image where `/bin` leads to `/usr/bin`, would take the shell
//! away. Layers unpack in parallel, so this is put right afterwards, in the rare case that it
//! matters, by a corrected copy that shares its files.

use std::ffi::OsStr;
use std::fs;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use super::draft::{Draft, Manifest, Origin, Workspace};
use super::{AppliedLayer, LayerId};
use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::path;
use crate::squash::{Tally, fill};
use crate::upper::{self, Upper};
use crate::view::{Node, OPAQUE, View};

/// A directory that has to be like, or to be at, what lower layers have.
struct Fix {
    from: PathBuf,
    to: PathBuf,
    like: Node,
}

/// Yields the layers, bottom first, corrected where needed.
pub(crate) fn settle(space: &Workspace, layers: &[LayerId]) -> Result<Vec<AppliedLayer>> {
    let mut settled: Vec<AppliedLayer> = Vec::with_capacity(layers.len());
    for id in layers {
        let manifest = space.find(id)?;
        let manifest = manifest.ok_or_else(|| Error::UnknownLayer { id: id.to_string() })?;
        let below: Vec<LayerId> = settled.iter().map(|layer| layer.id.clone()).collect();
        settled.push(match manifest.implied.is_empty() || below.is_empty() {
            true => manifest.layer,
            false => fit(space, &below, manifest)?,
        });
    }
    Ok(settled)
}

fn fit(space: &Workspace, below: &[LayerId], manifest: Manifest) -> Result<AppliedLayer> {
    let lower = space.view(below)?;
    let fixes = find(&lower, &manifest.implied)?;
    if fixes.is_empty() {
        return Ok(manifest.layer);
    }
    let names: Vec<&str> = below.iter().map(LayerId::as_str).collect();
    let id = LayerId::of(format!("settle {} {}", names.join(" "), manifest.layer.id));
    if let Some(existing) = space.find(&id)? {
        return Ok(existing.layer);
    }
    let draft = space.draft()?;
    reproduce(&space.layout.tree(&manifest.layer.id).join("fs"), &draft)?;
    for fix in fixes {
        apply(&lower, &draft, &fix)?;
    }
    let digest = id.to_string();
    let layer = AppliedLayer {
        id,
        size: 0,
        digest,
        ..manifest.layer
    };
    let implied = Vec::new();
    let mut manifest = Manifest {
        layer,
        origin: Origin::Archive,
        implied,
        ..manifest
    };
    space.publish(&draft, &mut manifest)?;
    Ok(manifest.layer)
}

/// The directories that are wrong as they are, parents first.
fn find(lower: &View, implied: &[String]) -> Result<Vec<Fix>> {
    let mut fixes = Vec::new();
    for text in implied {
        let from = PathBuf::from(text);
        let target = match path::resolve(lower, &from, true) {
            Err(Error::NotADirectory { .. } | Error::InvalidPath { .. }) => continue,
            other => other?,
        };
        let Some(like) = target.node.filter(Node::is_dir) else {
            continue;
        };
        let attributes = (like.mode(), like.stat.st_uid, like.stat.st_gid);
        let xattrs = fsops::xattr_names(&lower.root_of(&like).path.join(&target.path))?;
        if target.path != from || attributes != (0o755, 0, 0) || !xattrs.is_empty() {
            fixes.push(Fix {
                from,
                to: target.path,
                like,
            });
        }
    }
    fixes.sort_by_key(|fix| fix.from.iter().count());
    Ok(fixes)
}

/// Copies a layer as it is, whiteouts and marks included.
fn reproduce(from: &Path, draft: &Draft) -> Result<()> {
    let plain = View::plain(from.to_owned())?;
    upper::copy_root(&plain, &draft.fs())?;
    if plain.is_marked(Path::new("")) {
        fsops::make_opaque(rustix::fs::CWD, draft.fs().as_os_str())?;
    }
    fill(
        &plain,
        Path::new(""),
        &plain.root()?,
        &draft.fs(),
        &mut Tally::default(),
    )
}

fn apply(lower: &View, draft: &Draft, fix: &Fix) -> Result<()> {
    let upper = Upper::new(lower, draft.fs())?;
    if fix.from != fix.to {
        match upper.copy_up_dirs(&fix.to, &mut Vec::new()) {
            // The layer has something else on the way, which then hides the lower directory.
            Err(Error::NotADirectory { .. }) => return Ok(()),
            other => other?,
        }
        let (from, to) = (draft.fs().join(&fix.from), draft.fs().join(&fix.to));
        // Moved already together with a parent.
        if fs::symlink_metadata(&from).is_ok_and(|meta| meta.is_dir()) {
            merge(&from, &to)?;
        }
    }
    let slot = upper.slot(&fix.to)?;
    fsops::chown_at(
        &slot.dir,
        &slot.name,
        fix.like.stat.st_uid,
        fix.like.stat.st_gid,
    )?;
    fsops::chmod_at(&slot.dir, &slot.name, fix.like.mode())?;
    let source = lower.root_of(&fix.like).path.join(&fix.to);
    fsops::copy_xattrs(&source, &slot.dir, &slot.name)
}

/// Moves the content of a directory into another one and removes it.
fn merge(from: &Path, to: &Path) -> Result<()> {
    for entry in fs::read_dir(from).context("read", from)? {
        let name = entry.context("read", from)?.file_name();
        let (source, target) = (from.join(&name), to.join(&name));
        let is_dir = |path: &Path| fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir());
        if is_dir(&source) && is_dir(&target) {
            merge(&source, &target)?;
        } else {
            fsops::remove_path(&target)?;
            fs::rename(&source, &target).context("move", &source)?;
        }
    }
    fs::remove_dir(from).context("remove", from)
}

/// Makes a whiteout where a layer that is reproduced has one; tells whether it had.
///
/// Merged views show no whiteouts, so this finds some only in directories taken literally.
pub(crate) fn copy_marks_of_file(
    view: &View,
    rel: &Path,
    node: &Node,
    dir: &OwnedFd,
    name: &OsStr,
) -> Result<bool> {
    let marked = node.is_file() && node.stat.st_size == 0 && view.is_marked_whiteout(rel);
    let whiteout = fsops::is_whiteout(&node.stat) || marked;
    if whiteout {
        fsops::make_whiteout(dir, name)?;
    }
    Ok(whiteout)
}

/// Makes a directory opaque where a layer that is reproduced has an opaque one.
pub(crate) fn copy_marks_of_dir(
    view: &View,
    rel: &Path,
    node: &Node,
    dir: &OwnedFd,
    name: &OsStr,
) -> Result<()> {
    if view.is_marked(rel) {
        let value = fsops::xattr(&view.root_of(node).path.join(rel), OsStr::new(OPAQUE))?;
        let path = fsops::fd_path(dir, name);
        rustix::fs::lsetxattr(&path, OPAQUE, &value, rustix::fs::XattrFlags::empty())
            .context("mark opaque", rel)?;
    }
    Ok(())
}
