//! Changes to a file system, made in a fresh upper directory and frozen as a layer.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::{FileType, OFlags};

use crate::digest::{self, Scope};
use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::hostdir::ignored_below;
use crate::keeper::{Copy, Edit, Expect, Source};
use crate::layer::draft::{Draft, Manifest, Origin, Workspace};
use crate::layer::{AppliedLayer, LayerId};
use crate::path::{self, Resolved};
use crate::pattern::{Filter, Verdict};
use crate::read;
use crate::squash::{Shared, link_or_copy};
use crate::upper::{self, Slot, Upper, copy_entry, create_file, finish_file};
use crate::view::{Node, View};

/// Content of a file as it arrived.
#[derive(Debug)]
pub(crate) enum Content {
    Bytes(Vec<u8>),
    Fd(OwnedFd),
}

/// Applies changes in order and publishes the result; `None` if nothing changed.
pub(crate) fn edit(
    space: &Workspace,
    layers: &[LayerId],
    edits: Vec<Edit<Content>>,
) -> Result<Option<AppliedLayer>> {
    let lower = space.view(layers)?;
    let draft = space.draft()?;
    upper::copy_root(&lower, &draft.fs())?;
    let upper = Upper::new(&lower, draft.fs())?;
    let mut editor = Editor {
        space,
        upper,
        shared: Shared::default(),
        step: 0,
        times: None,
    };
    for edit in edits {
        editor.step += 1;
        editor.apply(edit)?;
    }
    freeze(
        space,
        &draft,
        &editor.upper,
        Origin::Edit,
        editor.times.as_ref(),
    )
}

/// Publishes an upper directory under the digest of its content; `None` if nothing is in it.
///
/// Times that were asked for are not part of the digest but have to be part of the name.
pub(crate) fn freeze(
    space: &Workspace,
    draft: &Draft,
    upper: &Upper,
    origin: Origin,
    times: Option<&blake3::Hasher>,
) -> Result<Option<AppliedLayer>> {
    if times.is_none() && upper.is_untouched()? {
        return Ok(None);
    }
    let plain = View::plain(draft.fs())?;
    let summary = digest::tree(&plain, Path::new(""), &plain.root()?, Scope::Layer)?;
    let id = match times {
        None => LayerId::of(summary.digest.as_bytes()),
        Some(times) => times
            .clone()
            .update(summary.digest.as_bytes())
            .finalize()
            .into(),
    };
    let layer = AppliedLayer {
        id,
        size: summary.size,
        entries: summary.entries,
        diff_id: None,
        digest: summary.digest.to_hex().to_string(),
    };
    let (devices, implied) = (Vec::new(), Vec::new());
    let mut manifest = Manifest {
        layer,
        origin,
        boot: String::new(),
        devices,
        implied,
    };
    space.publish(draft, &mut manifest)?;
    Ok(Some(manifest.layer))
}

struct Editor<'a> {
    space: &'a Workspace,
    upper: Upper,
    shared: Shared,
    /// Counts the edits, so that only names of one copy become links of each other.
    step: usize,
    /// The times that were asked for, once any were.
    times: Option<blake3::Hasher>,
}

impl Editor<'_> {
    fn apply(&mut self, edit: Edit<Content>) -> Result<()> {
        match edit {
            Edit::WriteFile {
                path,
                data,
                mode,
                uid,
                gid,
                mtime,
            } => self.write_file(&path, data, mode, (uid, gid), mtime),
            Edit::Copy(copy) => self.copy(&copy),
            Edit::Mkdir {
                path,
                mode,
                uid,
                gid,
            } => self.mkdir(&path, mode, uid, gid),
            Edit::Remove { path, glob } => self.remove(&path, glob),
            Edit::Symlink {
                target,
                path,
                uid,
                gid,
            } => self.symlink(&target, &path, uid, gid),
            Edit::Chown {
                path,
                uid,
                gid,
                recursive,
            } => self.each(&path, recursive, &mut |slot, node| {
                chown(slot, node, uid, gid)
            }),
            Edit::Chmod { path, mode } => {
                let resolved = self.upper.resolve(&path, true)?;
                let node = resolved.node.ok_or(Error::NotFound { path })?;
                let slot = self.upper.copy_up(&resolved.path, &node)?;
                fsops::chmod_at(&slot.dir, &slot.name, mode)
            }
            Edit::Timestamps { path, seconds } => self.timestamps(&path, seconds),
            Edit::Rename { from, to } => self.rename(&from, &to),
        }
    }

    /// Notes a time that was asked for.
    fn note_time(&mut self, path: &str, seconds: i64) {
        let hasher = self.times.get_or_insert_with(blake3::Hasher::new);
        hasher.update(&(path.len() as u64).to_le_bytes());
        hasher
            .update(path.as_bytes())
            .update(&seconds.to_le_bytes());
    }

    fn write_file(
        &mut self,
        path: &str,
        data: Content,
        mode: u32,
        (uid, gid): (u32, u32),
        mtime: Option<i64>,
    ) -> Result<()> {
        if path.ends_with('/') {
            return Err(Error::IsADirectory {
                path: path.to_owned(),
            });
        }
        let target = self.upper.resolve(path, true)?;
        let slot = self.upper.place(&target)?;
        let file = create_file(&slot, mode)?;
        match data {
            Content::Bytes(bytes) => {
                let file = file.try_clone().context("duplicate", path)?;
                std::io::Write::write_all(&mut std::fs::File::from(file), &bytes)
                    .context("write", path)?;
            }
            Content::Fd(fd) => fsops::pour(fd, &file).map(drop).context("write", path)?,
        }
        finish_file(&slot, &file, mode, uid, gid)?;
        if let Some(seconds) = mtime {
            self.note_time(path, seconds);
            rustix::fs::futimens(&file, &fsops::times_at(seconds)).context("set times of", path)?;
        }
        Ok(())
    }

    fn mkdir(&self, path: &str, mode: u32, uid: u32, gid: u32) -> Result<()> {
        let target = self.upper.resolve(path, true)?;
        match &target.node {
            Some(node) if node.is_dir() => Ok(()),
            Some(_) => Err(Error::NotADirectory {
                path: path.to_owned(),
            }),
            None => {
                let parent = target.path.parent().unwrap_or(Path::new(""));
                self.upper.copy_up_dirs(parent, &mut Vec::new())?;
                self.upper.make_dir(&target.path, mode, uid, gid)
            }
        }
    }

    fn symlink(&self, to: &str, path: &str, uid: u32, gid: u32) -> Result<()> {
        let target = self.upper.resolve(path, false)?;
        let slot = self.upper.place(&target)?;
        rustix::fs::symlinkat(to, &slot.dir, &slot.name).context("create link", path)?;
        fsops::chown_at(&slot.dir, &slot.name, uid, gid)
    }

    fn remove(&self, path: &str, glob: bool) -> Result<()> {
        if !glob {
            let target = match self.upper.resolve(path, false) {
                Err(Error::NotADirectory { .. }) => return Ok(()),
                other => other?,
            };
            return self.upper.remove(&target);
        }
        let matcher = read::matcher(path)?;
        let mut found = Vec::new();
        let root = self.upper.view.root()?;
        self.upper
            .view
            .walk(Path::new(""), &root, &mut |rel, node| {
                let matched = matcher.is_match(rel);
                if matched {
                    found.push(Resolved {
                        path: rel.to_owned(),
                        node: Some(node.clone()),
                    });
                }
                Ok(!matched)
            })?;
        found
            .iter()
            .try_for_each(|target| self.upper.remove(target))
    }

    fn timestamps(&mut self, path: &str, seconds: i64) -> Result<()> {
        self.note_time(path, seconds);
        let times = fsops::times_at(seconds);
        self.each(path, true, &mut |slot, _| {
            fsops::utimes_at(&slot.dir, &slot.name, &times)
        })
    }

    /// Changes attributes of an entry and, children first, of everything below.
    fn each(
        &self,
        path: &str,
        recursive: bool,
        change: &mut dyn FnMut(&Slot, &Node) -> Result<()>,
    ) -> Result<()> {
        let (rel, node) = path::existing(&self.upper.view, path, false)?;
        let mut all = vec![(rel.clone(), node.clone())];
        if recursive && node.is_dir() {
            self.upper.view.walk(&rel, &node, &mut |rel, node| {
                all.push((rel.to_owned(), node.clone()));
                Ok(true)
            })?;
        }
        for (rel, node) in all.iter().rev() {
            let slot = self.upper.copy_up(rel, node)?;
            change(&slot, node)?;
        }
        // Copying children up changed the times of the upper's directories again.
        for (rel, node) in all.iter().filter(|(_, node)| node.is_dir()).rev() {
            change(&self.upper.slot(rel)?, node)?;
        }
        Ok(())
    }

    fn rename(&mut self, from: &str, to: &str) -> Result<()> {
        let source = self.upper.resolve(from, false)?;
        let Some(node) = source.node.clone() else {
            return Err(Error::NotFound {
                path: from.to_owned(),
            });
        };
        let target = self.upper.resolve(to, false)?;
        if target.path == source.path {
            return Ok(());
        }
        if target.path.starts_with(&source.path) {
            let reason = "a directory cannot move into itself".to_owned();
            return Err(Error::InvalidPath {
                path: to.to_owned(),
                reason,
            });
        }
        let view = self.upper.view.clone();
        if node.is_dir() {
            self.upper.remove(&target)?;
            let target = self.upper.resolve(to, false)?;
            let job = Job::plain(view);
            self.copy_dir(&job, &source.path, &node, &target.path, true)?;
        } else {
            let slot = self.upper.place(&target)?;
            copy_entry(view.root_of(&node), &source.path, &node, &slot, false)?;
        }
        self.upper.remove(&self.upper.resolve(from, false)?)
    }

    fn copy(&mut self, ask: &Copy) -> Result<()> {
        let view = match &ask.source {
            Source::Layers(layers) => self.space.view(layers)?,
            Source::Host(path) => View::plain(path.clone())?,
        };
        let source = path::resolve(&view, Path::new(&ask.src_path), true)?;
        let Some(node) = source.node else {
            if ask.allow_missing {
                return Ok(());
            }
            return Err(Error::NotFound {
                path: ask.src_path.clone(),
            });
        };
        match ask.expect {
            Expect::File if node.is_dir() => {
                return Err(Error::IsADirectory {
                    path: ask.src_path.clone(),
                });
            }
            Expect::Dir if !node.is_dir() => {
                return Err(Error::NotADirectory {
                    path: ask.src_path.clone(),
                });
            }
            _ => {}
        }
        let ignored = match ask.gitignore && node.is_dir() {
            true => ignored_below(&view, &source.path, &node)?,
            false => HashSet::new(),
        };
        let job = Job {
            share: matches!(ask.source, Source::Layers(_)),
            view,
            base: source.path.clone(),
            filter: Filter::new(&ask.include, &ask.exclude)?,
            ignored,
            owner: ask.owner,
            mode: ask.mode,
        };
        if node.is_dir() {
            let target = self.upper.resolve(&ask.dst_path, true)?;
            return self.copy_dir(&job, &source.path, &node, &target.path, false);
        }
        let mut target = self.upper.resolve(&ask.dst_path, true)?;
        let into = target.node.as_ref().is_some_and(Node::is_dir) || ask.dst_path.ends_with('/');
        if into {
            let name = Path::new(&ask.src_path)
                .file_name()
                .unwrap_or(OsStr::new("file"));
            let inner = Path::new(&target.path).join(name);
            target = path::resolve(&self.upper.view, &inner, true)?;
        }
        let slot = self.upper.place(&target)?;
        self.copy_file(&job, &source.path, &node, slot)
    }

    /// Merges a directory into the target, which keeps its attributes if it exists and `outer`.
    fn copy_dir(
        &mut self,
        job: &Job,
        rel: &Path,
        node: &Node,
        target: &Path,
        whole: bool,
    ) -> Result<()> {
        let existing = self.upper.view.lookup(target)?;
        let existed = existing.is_some();
        match existing {
            Some(existing) if !existing.is_dir() => {
                return Err(Error::NotADirectory {
                    path: path::absolute(target),
                });
            }
            Some(_) if !whole => self.upper.copy_up_dirs(target, &mut Vec::new())?,
            _ => self.make_target(job, rel, node, target)?,
        }
        if existed {
            self.copy_entries(job, rel, node, target)?;
        } else {
            let fd = self.upper.view.roots[0]
                .open_dir(target)
                .context("open", target)?;
            self.copy_fresh(job, rel, node, &fd)?;
        }
        let slot = self.upper.slot(target)?;
        let times = fsops::times_of(&node.stat);
        fsops::utimes_at(&slot.dir, &slot.name, &times)
    }

    /// Makes the target directory look like the source.
    fn make_target(&self, job: &Job, rel: &Path, node: &Node, target: &Path) -> Result<()> {
        let (uid, gid) = job.owner.unwrap_or((node.stat.st_uid, node.stat.st_gid));
        let parent = target.parent().unwrap_or(Path::new(""));
        self.upper.copy_up_dirs(parent, &mut Vec::new())?;
        match self.upper.view.lookup(target)? {
            Some(_) => self.upper.copy_up_dirs(target, &mut Vec::new())?,
            None => self.upper.make_dir(target, node.mode(), uid, gid)?,
        }
        let slot = self.upper.slot(target)?;
        fsops::chown_at(&slot.dir, &slot.name, uid, gid)?;
        fsops::chmod_at(&slot.dir, &slot.name, node.mode())?;
        fsops::copy_xattrs(
            &job.view.root_of(node).path.join(rel),
            &slot.dir,
            &slot.name,
        )
    }

    fn copy_entries(&mut self, job: &Job, rel: &Path, dir: &Node, target: &Path) -> Result<()> {
        for (name, node) in job.view.read_dir(rel, dir)? {
            let (child, target) = (rel.join(&name), target.join(&name));
            match job.check(&child, &node) {
                Verdict::Exclude => {}
                Verdict::Include if node.is_dir() => {
                    self.copy_dir(job, &child, &node, &target, true)?;
                }
                Verdict::Include => {
                    let existing = self.upper.view.lookup(&target)?;
                    let place = Resolved {
                        path: target,
                        node: existing,
                    };
                    let slot = self.upper.place(&place)?;
                    self.copy_file(job, &child, &node, slot)?;
                }
                Verdict::Traverse => {
                    if self.wanted_below(job, &child, &node)? {
                        self.copy_dir(job, &child, &node, &target, true)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Copies into a directory that was just made, where nothing can be in the way.
    fn copy_fresh(&mut self, job: &Job, rel: &Path, dir: &Node, target: &OwnedFd) -> Result<()> {
        for (name, node) in job.view.read_dir(rel, dir)? {
            let child = rel.join(&name);
            let wanted = match job.check(&child, &node) {
                Verdict::Exclude => false,
                Verdict::Include => true,
                Verdict::Traverse => self.wanted_below(job, &child, &node)?,
            };
            if !wanted {
                continue;
            }
            if !node.is_dir() {
                let dir = target.try_clone().context("duplicate", "descriptor")?;
                self.copy_file(job, &child, &node, Slot { dir, name })?;
                continue;
            }
            let (uid, gid) = job.owner.unwrap_or((node.stat.st_uid, node.stat.st_gid));
            rustix::fs::mkdirat(target, &name, fsops::mode_of(node.mode()))
                .context("create", &child)?;
            fsops::chown_at(target, &name, uid, gid)?;
            fsops::chmod_at(target, &name, node.mode())?;
            fsops::copy_xattrs(&job.view.root_of(&node).path.join(&child), target, &name)?;
            let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
            let inner = rustix::fs::openat(target, &name, flags, rustix::fs::Mode::empty())
                .context("open", &child)?;
            self.copy_fresh(job, &child, &node, &inner)?;
            fsops::utimes_at(target, &name, &fsops::times_of(&node.stat))?;
        }
        Ok(())
    }

    /// Whether anything below a directory is copied; without, the directory is not made.
    fn wanted_below(&self, job: &Job, rel: &Path, dir: &Node) -> Result<bool> {
        for (name, node) in job.view.read_dir(rel, dir)? {
            let child = rel.join(name);
            match job.check(&child, &node) {
                Verdict::Include => return Ok(true),
                Verdict::Traverse if self.wanted_below(job, &child, &node)? => return Ok(true),
                _ => {}
            }
        }
        Ok(false)
    }

    fn copy_file(&mut self, job: &Job, rel: &Path, node: &Node, slot: Slot) -> Result<()> {
        let is_file = node.file_type() == FileType::RegularFile;
        let mut wanted = node.clone();
        if let Some((uid, gid)) = job.owner {
            (wanted.stat.st_uid, wanted.stat.st_gid) = (uid, gid);
        }
        if let (Some(mode), true) = (job.mode, is_file) {
            wanted.stat.st_mode = node.stat.st_mode & !0o7777 | mode & 0o7777;
        }
        let key = |node: &Node| (node.stat.st_mode, node.stat.st_uid, node.stat.st_gid);
        if job.share && key(&wanted) == key(node) && (is_file || node.is_symlink()) {
            return link_or_copy(&job.view, rel, node, &slot, &mut self.shared, self.step)
                .map(drop);
        }
        copy_entry(job.view.root_of(node), rel, &wanted, &slot, false)
    }
}

/// One copy.
struct Job {
    view: View,
    /// Patterns are relative to this.
    base: PathBuf,
    filter: Filter,
    /// What is not copied whatever the filter says.
    ignored: HashSet<PathBuf>,
    owner: Option<(u32, u32)>,
    mode: Option<u32>,
    /// Whether the source never changes, so that its files can be linked.
    share: bool,
}

impl Job {
    /// Whether an entry of the source is copied.
    fn check(&self, rel: &Path, node: &Node) -> Verdict {
        if self.ignored.contains(rel) {
            return Verdict::Exclude;
        }
        let below = rel.strip_prefix(&self.base).unwrap_or(rel);
        self.filter.check(below, node.is_dir())
    }

    fn plain(view: View) -> Self {
        let filter = Filter::default();
        Self {
            view,
            base: PathBuf::new(),
            filter,
            ignored: HashSet::new(),
            owner: None,
            mode: None,
            share: false,
        }
    }
}

fn chown(slot: &Slot, node: &Node, uid: u32, gid: u32) -> Result<()> {
    fsops::chown_at(&slot.dir, &slot.name, uid, gid)?;
    // The kernel drops setuid and setgid with the owner; chown(1) as root means to keep them.
    if node.mode() & 0o6000 != 0 && !node.is_symlink() {
        fsops::chmod_at(&slot.dir, &slot.name, node.mode())?;
    }
    Ok(())
}

/// Bytes that were sent as text.
pub(crate) fn from_hex(text: &str) -> Result<Content> {
    let bytes = hex::decode(text.as_bytes());
    bytes.map(Content::Bytes).map_err(|error| Error::Protocol {
        reason: error.to_string(),
    })
}

/// Refuses what no path may hold before anything is done with it.
pub(crate) fn check_text(text: &str) -> Result<()> {
    if text.as_bytes().contains(&0) || OsStr::new(text).as_bytes().len() > 4096 {
        let reason = "it is too long or has a NUL".to_owned();
        return Err(Error::InvalidPath {
            path: text.chars().take(256).collect(),
            reason,
        });
    }
    Ok(())
}
