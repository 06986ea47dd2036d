//! New layers from old ones, sharing file content by hard links: squashing and differences.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::{AtFlags, Mode, OFlags, mkdirat, openat};
use rustix::io::Errno;

use crate::digest::{self, Scope};
use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::layer::draft::{Manifest, Origin, Workspace};
use crate::layer::{AppliedLayer, LayerId, settle};
use crate::upper::{self, Slot, Upper, copy_entry};
use crate::view::{Node, View};

/// Makes one layer of a whole stack.
pub(crate) fn squash(space: &Workspace, layers: &[LayerId]) -> Result<AppliedLayer> {
    let names: Vec<&str> = layers.iter().map(LayerId::as_str).collect();
    let id = LayerId::of(format!("squash {}", names.join(" ")));
    if let Some(manifest) = space.find(&id)? {
        return Ok(manifest.layer);
    }
    let view = space.view(layers)?;
    let draft = space.draft()?;
    upper::copy_root(&view, &draft.fs())?;
    let mut tally = Tally::default();
    let root = view.root()?;
    fill(&view, Path::new(""), &root, &draft.fs(), &mut tally)?;
    fsops::utimes_at(
        rustix::fs::CWD,
        draft.fs().as_os_str(),
        &fsops::times_of(&root.stat),
    )?;
    let digest = id.to_string();
    let layer = AppliedLayer {
        id,
        size: tally.copied,
        entries: tally.entries,
        diff_id: None,
        digest,
    };
    publish(space, &draft, layer, Origin::Squash)
}

fn publish(
    space: &Workspace,
    draft: &crate::layer::draft::Draft,
    layer: AppliedLayer,
    origin: Origin,
) -> Result<AppliedLayer> {
    let (devices, implied) = (Vec::new(), Vec::new());
    let mut manifest = Manifest {
        layer,
        origin,
        boot: String::new(),
        devices,
        implied,
    };
    space.publish(draft, &mut manifest)?;
    Ok(manifest.layer)
}

/// What writing a tree took.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    entries: u64,
    /// Bytes that are not shared with another layer.
    copied: u64,
    shared: Shared,
}

/// Reproduces the content of a directory in `target`.
pub(crate) fn fill(
    view: &View,
    rel: &Path,
    dir: &Node,
    target: &Path,
    tally: &mut Tally,
) -> Result<()> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let fd = openat(rustix::fs::CWD, target, flags, Mode::empty()).context("open", target)?;
    for (name, node) in view.read_dir(rel, dir)? {
        let child = rel.join(&name);
        tally.entries += 1;
        if settle::copy_marks_of_file(view, &child, &node, &fd, &name)? {
            continue;
        }
        if node.is_dir() {
            make_dir_like(view, &child, &node, &fd, &name)?;
            settle::copy_marks_of_dir(view, &child, &node, &fd, &name)?;
            fill(view, &child, &node, &target.join(&name), tally)?;
            fsops::utimes_at(&fd, &name, &fsops::times_of(&node.stat))?;
        } else {
            let dir = fd.try_clone().context("duplicate", "descriptor")?;
            if !link_or_copy(
                view,
                &child,
                &node,
                &Slot { dir, name },
                &mut tally.shared,
                node.root,
            )? {
                tally.copied += node.stat.st_size.cast_unsigned();
            }
        }
    }
    Ok(())
}

fn make_dir_like(
    view: &View,
    rel: &Path,
    node: &Node,
    dir: &std::os::fd::OwnedFd,
    name: &OsStr,
) -> Result<()> {
    mkdirat(dir, name, fsops::mode_of(node.mode())).context("create", rel)?;
    fsops::chown_at(dir, name, node.stat.st_uid, node.stat.st_gid)?;
    fsops::chmod_at(dir, name, node.mode())?;
    fsops::copy_xattrs(&view.root_of(node).path.join(rel), dir, name)
}

/// Which inodes a new layer shares, so that names are hard links of each other in it only if they
/// were in the source.
///
/// Without this, the same file copied to two places would be one file with two names.
#[derive(Debug, Default)]
pub(crate) struct Shared(HashMap<(u64, u64), usize>);

impl Shared {
    /// Whether the part `tag` of the layer may link to this inode; the first one to ask may.
    fn allow(&mut self, node: &Node, tag: usize) -> bool {
        *self
            .0
            .entry((node.stat.st_dev, node.stat.st_ino))
            .or_insert(tag)
            == tag
    }
}

/// Puts a layer's file into a free place: as a link, else as a copy. Tells whether it is a link.
pub(crate) fn link_or_copy(
    view: &View,
    rel: &Path,
    node: &Node,
    slot: &Slot,
    shared: &mut Shared,
    tag: usize,
) -> Result<bool> {
    let root = view.root_of(node);
    if !shared.allow(node, tag) {
        copy_entry(root, rel, node, slot, false)?;
        return Ok(false);
    }
    match rustix::fs::linkat(&root.fd, rel, &slot.dir, &slot.name, AtFlags::empty()) {
        Ok(()) => Ok(true),
        // Another file system, too many names, or a file system without hard links.
        Err(Errno::XDEV | Errno::MLINK | Errno::PERM | Errno::NOTSUP) => {
            copy_entry(root, rel, node, slot, false)?;
            Ok(false)
        }
        Err(errno) => Err(Error::io("link", root.path.join(rel), errno)),
    }
}

/// Makes a layer of what `upper` has beyond `lower`.
pub(crate) fn diff(
    space: &Workspace,
    lower: &[LayerId],
    upper: &[LayerId],
) -> Result<Option<AppliedLayer>> {
    let (old, new) = (space.view(lower)?, space.view(upper)?);
    let draft = space.draft()?;
    upper::copy_root(&new, &draft.fs())?;
    let out = Upper::new(&new, draft.fs())?;
    let mut differ = Differ {
        old,
        new,
        out,
        changed: false,
        tally: Tally::default(),
    };
    let (before, after) = (differ.old.root()?, differ.new.root()?);
    differ.changed = !differ.same_attributes(Path::new(""), &before, &after)?;
    differ.dir(Path::new(""), &before, &after)?;
    if !differ.changed {
        return Ok(None);
    }
    let plain = View::plain(draft.fs())?;
    let summary = digest::tree(&plain, Path::new(""), &plain.root()?, Scope::Layer)?;
    let layer = AppliedLayer {
        id: LayerId::of(summary.digest.as_bytes()),
        size: summary.size,
        entries: summary.entries,
        diff_id: None,
        digest: summary.digest.to_hex().to_string(),
    };
    publish(space, &draft, layer, Origin::Diff).map(Some)
}

struct Differ {
    old: View,
    new: View,
    /// On top of `new`, so that directories are copied up with the attributes they have there.
    out: Upper,
    changed: bool,
    tally: Tally,
}

impl Differ {
    fn dir(&mut self, rel: &Path, before: &Node, after: &Node) -> Result<()> {
        if self.same_layers(before, after) {
            return Ok(());
        }
        let mut old: std::collections::BTreeMap<_, _> =
            self.old.read_dir(rel, before)?.into_iter().collect();
        for (name, after) in self.new.read_dir(rel, after)? {
            let child = rel.join(&name);
            match old.remove(&name) {
                Some(before) if before.is_dir() && after.is_dir() => {
                    if !self.same_attributes(&child, &before, &after)? {
                        self.out.copy_up_dirs(&child, &mut Vec::new())?;
                        self.changed = true;
                    }
                    self.dir(&child, &before, &after)?;
                }
                Some(before) if self.same_file(&child, &before, &after)? => {}
                before => self.put(&child, &after, before.is_some())?,
            }
        }
        for name in old.into_keys() {
            self.changed = true;
            self.out.copy_up_dirs(rel, &mut Vec::new())?;
            let slot = self.out.slot(&rel.join(&name))?;
            fsops::make_whiteout(&slot.dir, &slot.name)?;
        }
        Ok(())
    }

    /// Whether two directories are made of the same layers, so that nothing below can differ.
    fn same_layers(&self, before: &Node, after: &Node) -> bool {
        let paths = |view: &View, node: &Node| -> Vec<std::path::PathBuf> {
            node.live
                .iter()
                .map(|&index| view.roots[index].path.clone())
                .collect()
        };
        paths(&self.old, before) == paths(&self.new, after)
    }

    fn put(&mut self, rel: &Path, node: &Node, replaces: bool) -> Result<()> {
        self.changed = true;
        self.out
            .copy_up_dirs(rel.parent().unwrap_or(Path::new("")), &mut Vec::new())?;
        let slot = self.out.slot(rel)?;
        if !node.is_dir() {
            let shared = &mut self.tally.shared;
            return link_or_copy(&self.new, rel, node, &slot, shared, node.root).map(drop);
        }
        make_dir_like(&self.new, rel, node, &slot.dir, &slot.name)?;
        if replaces {
            fsops::make_opaque(&slot.dir, &slot.name)?;
        }
        let target = self.out.view.roots[0].path.join(rel);
        fill(&self.new, rel, node, &target, &mut self.tally)?;
        fsops::utimes_at(&slot.dir, &slot.name, &fsops::times_of(&node.stat))
    }

    fn same_attributes(&self, rel: &Path, before: &Node, after: &Node) -> Result<bool> {
        let key = |node: &Node| (node.stat.st_mode, node.stat.st_uid, node.stat.st_gid);
        if key(before) != key(after) {
            return Ok(false);
        }
        let xattrs = |view: &View, node: &Node| -> Result<Vec<_>> {
            let path = view.root_of(node).path.join(rel);
            let mut names = fsops::xattr_names(&path)?;
            names.sort();
            names
                .into_iter()
                .map(|name| Ok((fsops::xattr(&path, &name)?, name)))
                .collect()
        };
        Ok(xattrs(&self.old, before)? == xattrs(&self.new, after)?)
    }

    fn same_file(&self, rel: &Path, before: &Node, after: &Node) -> Result<bool> {
        if (before.stat.st_dev, before.stat.st_ino) == (after.stat.st_dev, after.stat.st_ino) {
            return Ok(true);
        }
        if before.stat.st_size != after.stat.st_size || !self.same_attributes(rel, before, after)? {
            return Ok(false);
        }
        if after.is_symlink() {
            let target = |view: &View, node: &Node| view.root_of(node).read_link(rel);
            return Ok(
                target(&self.old, before)?.as_bytes() == target(&self.new, after)?.as_bytes()
            );
        }
        let hash = |view: &View, node: &Node| digest::tree(view, rel, node, Scope::ContentOnly);
        Ok(hash(&self.old, before)?.digest == hash(&self.new, after)?.digest)
    }
}
