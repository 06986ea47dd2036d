//! What changed between two directories: listed, written as a patch, applied to and merged with others.

use super::{
    files,
    patch::{self, Content},
    world::World,
};
use crate::{
    error::{Error, Result},
    graph::{File, OnConflict, Snapshot, Tree},
};
use nsci_snapshotter::keeper::{Data, DirEntry, Edit, FileKind};
use std::collections::{BTreeMap, BTreeSet};

/// The paths that differ between two directories; those of directories end in `/`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Files and directories that are new.
    pub added: Vec<String>,
    /// Files that are not what they were.
    pub modified: Vec<String>,
    /// Files and directories that are gone; not what was in those directories.
    pub removed: Vec<String>,
}

impl Changes {
    /// Whether nothing differs.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.modified.is_empty() && self.removed.is_empty()
    }
}

/// What became of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    /// Its path now, or where it was.
    pub path: String,
    /// Where it was, if it was moved.
    pub old_path: Option<String>,
    /// What became of it.
    pub kind: ChangeKind,
    /// Lines that are new.
    pub added: usize,
    /// Lines that are gone.
    pub removed: usize,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Added,
    /// It is not what it was.
    Modified,
    /// It is gone.
    Removed,
    /// It is elsewhere.
    Renamed,
}

type Entries = BTreeMap<String, DirEntry>;

/// Two directories side by side.
struct Compared {
    before: Snapshot,
    after: Snapshot,
    old: Entries,
    new: Entries,
    changes: Changes,
}

impl Compared {
    /// All files that were there and are not, those in removed directories too.
    fn lost(&self) -> impl Iterator<Item = &str> {
        let gone = self.old.values().filter(|entry| {
            let now = self.new.get(&entry.name);
            entry.kind != FileKind::Dir && now.is_none_or(|now| now.kind == FileKind::Dir)
        });
        gone.map(|entry| entry.name.as_str())
    }

    /// The new files.
    fn gained(&self) -> impl Iterator<Item = &str> {
        let names = self.changes.added.iter();
        names
            .filter(|name| !name.ends_with('/'))
            .map(String::as_str)
    }

    /// Files that were changed in any way.
    fn touched(&self) -> BTreeSet<&str> {
        let modified = self.changes.modified.iter().map(String::as_str);
        self.lost().chain(self.gained()).chain(modified).collect()
    }
}

impl World {
    /// The paths that differ between two directories.
    ///
    /// # Errors
    /// If one cannot be read.
    pub async fn changes(&self, before: &Tree, after: &Tree) -> Result<Changes> {
        Ok(self.compare(before, after).await?.changes)
    }

    async fn compare(&self, before: &Tree, after: &Tree) -> Result<Compared> {
        let (before, after) = (self.flatten(before).await?, self.flatten(after).await?);
        let (old, new) = (self.walk(&before).await?, self.walk(&after).await?);
        let mut differing = BTreeSet::new();
        if before.digest != after.digest {
            let (lower, upper) = (
                self.mountable(&before).await?,
                self.mountable(&after).await?,
            );
            let layer = self
                .keeper(move |keeper| keeper.diff(&lower, &upper))
                .await?;
            let layer = Snapshot::of(layer.map(|layer| layer.id));
            differing.extend(self.walk(&layer).await?.into_keys());
        }
        let changes = list(&old, &new, &differing);
        Ok(Compared {
            before,
            after,
            old,
            new,
            changes,
        })
    }

    async fn walk(&self, state: &Snapshot) -> Result<Entries> {
        if state.layers.is_empty() {
            return Ok(Entries::new());
        }
        let layers = self.mountable(state).await?;
        let entries = self.keeper(move |keeper| keeper.walk(&layers, "/")).await?;
        let named = |entry: DirEntry| (entry.name.clone(), entry);
        Ok(entries.into_iter().map(named).collect())
    }

    /// A file or link, as patches know it.
    async fn content(
        &self,
        state: &Snapshot,
        entries: &Entries,
        path: &str,
    ) -> Result<Option<Content>> {
        let Some(entry) = entries.get(path) else {
            return Ok(None);
        };
        let file = File {
            snapshot: state.clone(),
            path: format!("/{path}"),
        };
        Ok(match entry.kind {
            FileKind::Dir | FileKind::Other => None,
            FileKind::Symlink => {
                let stat = self.stat(&Tree::whole(state.clone()), path, false).await?;
                let target = stat.and_then(|stat| stat.target).unwrap_or_default();
                Some(Content {
                    bytes: target.into_bytes(),
                    link: true,
                    executable: false,
                })
            }
            FileKind::File => Some(Content {
                bytes: self.read_file(&file).await?,
                link: false,
                executable: entry.mode & 0o100 != 0,
            }),
        })
    }

    /// What became of each file, moved ones found by their contents.
    ///
    /// # Errors
    /// If a directory cannot be read.
    pub async fn file_changes(&self, before: &Tree, after: &Tree) -> Result<Vec<FileChange>> {
        let both = self.compare(before, after).await?;
        let mut gone = BTreeMap::new();
        for path in both.lost() {
            if let Some(content) = self.content(&both.before, &both.old, path).await? {
                gone.insert(path.to_owned(), content);
            }
        }
        let mut list = Vec::new();
        let mut change = |path: &str, kind, old: &[u8], new: &[u8]| {
            let (added, removed) = patch::line_counts(old, new);
            list.push(FileChange {
                path: path.to_owned(),
                old_path: None,
                kind,
                added,
                removed,
            });
        };
        let mut moved = Vec::new();
        for path in both.gained() {
            let Some(content) = self.content(&both.after, &both.new, path).await? else {
                continue;
            };
            let source = gone
                .iter()
                .find(|(_, old)| !content.bytes.is_empty() && **old == content)
                .map(|(path, _)| path.clone());
            match source {
                Some(source) => {
                    gone.remove(&source);
                    moved.push((source, path.to_owned()));
                }
                None => change(path, ChangeKind::Added, b"", &content.bytes),
            }
        }
        for (path, content) in &gone {
            change(path, ChangeKind::Removed, &content.bytes, b"");
        }
        for path in &both.changes.modified {
            let old = self.content(&both.before, &both.old, path).await?;
            let new = self.content(&both.after, &both.new, path).await?;
            let bytes = |side: Option<Content>| side.map_or_else(Vec::new, |c| c.bytes);
            change(path, ChangeKind::Modified, &bytes(old), &bytes(new));
        }
        list.extend(moved.into_iter().map(|(old, path)| FileChange {
            path,
            old_path: Some(old),
            kind: ChangeKind::Renamed,
            added: 0,
            removed: 0,
        }));
        list.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(list)
    }

    /// The change as a patch in git's format.
    pub(super) async fn as_patch(&self, before: &Tree, after: &Tree) -> Result<Vec<u8>> {
        let both = self.compare(before, after).await?;
        let mut text = Vec::new();
        for path in both.touched() {
            let old = self.content(&both.before, &both.old, path).await?;
            let new = self.content(&both.after, &both.new, path).await?;
            patch::write(path, old.as_ref(), new.as_ref(), &mut text);
        }
        Ok(text)
    }

    /// Applies a patch to a directory.
    pub(super) async fn apply_patch(
        &self,
        tree: &Tree,
        text: &[u8],
        mark: bool,
    ) -> Result<Snapshot> {
        let base = self.flatten(tree).await?;
        let entries = self.walk(&base).await?;
        let changes = patch::read(text)
            .map_err(|error| Error::invalid(format!("cannot read the patch: {error}")))?;
        if changes.is_empty() && !text.trim_ascii().is_empty() {
            return Err(Error::invalid("the patch changes no file")
                .hint("it has to be in the format of `git diff` or `diff -u`"));
        }
        // What files came to be on the way, as a patch may name one twice.
        let mut made: BTreeMap<String, Option<Content>> = BTreeMap::new();
        for change in &changes {
            let mut before = None;
            if let Some(path) = &change.from {
                before = match made.get(path) {
                    Some(content) => content.clone(),
                    None => self.content(&base, &entries, path).await?,
                };
                if before.is_none() {
                    return Err(Error::invalid(format!("cannot patch {path}: no such file")));
                }
            }
            if let Some(path) = &change.to {
                let fresh = change.from.is_none() && entries.contains_key(path);
                if fresh && !mark {
                    return Err(Error::invalid(format!(
                        "cannot patch {path}: it exists already"
                    )));
                }
                let content = change
                    .apply(before.as_ref(), mark)
                    .map_err(|error| Error::invalid(format!("cannot patch {path}: {error}")))?;
                made.insert(path.clone(), Some(content));
            }
            if let (Some(path), true) = (&change.from, change.moves) {
                made.insert(path.clone(), None);
            }
        }
        let emptied = emptied(&entries, &made);
        let edits = made
            .into_iter()
            .map(|(path, content)| put(&path, content, entries.get(&path)))
            .chain(emptied.iter().map(|path| remove(path)));
        self.edit(&base, edits.collect()).await
    }

    /// Applies the change between two directories to another: what was removed goes, what was
    /// added or modified becomes what it is there.
    pub(super) async fn with_changes(
        &self,
        tree: &Tree,
        before: &Tree,
        after: &Tree,
    ) -> Result<Snapshot> {
        let base = self.flatten(tree).await?;
        let both = self.compare(before, after).await?;
        let edits = self.replay(&both).await?;
        self.edit(&base, edits).await
    }

    /// The edits that repeat a change elsewhere.
    async fn replay(&self, both: &Compared) -> Result<Vec<Edit>> {
        let mut edits: Vec<Edit> = both
            .changes
            .removed
            .iter()
            .map(|path| remove(path.trim_end_matches('/')))
            .collect();
        for path in both.changes.added.iter().chain(&both.changes.modified) {
            edits.push(self.take(&both.after, &both.new, path).await?);
        }
        Ok(edits)
    }

    /// Makes a path what it is in another state.
    async fn take(&self, state: &Snapshot, entries: &Entries, path: &str) -> Result<Edit> {
        let bare = path.trim_end_matches('/');
        if let Some(entry) = entries.get(bare)
            && entry.kind == FileKind::Dir
        {
            return Ok(Edit::Mkdir {
                path: format!("/{bare}"),
                mode: entry.mode,
                uid: entry.uid,
                gid: entry.gid,
            });
        }
        let layers = self.mountable(state).await?;
        let mut copy =
            nsci_snapshotter::keeper::Copy::all(layers, &format!("/{bare}"), &format!("/{bare}"));
        if let Some(entry) = entries.get(bare)
            && entry.kind == FileKind::Symlink
        {
            let stat = self.stat(&Tree::whole(state.clone()), bare, false).await?;
            return Ok(Edit::Symlink {
                target: stat.and_then(|stat| stat.target).unwrap_or_default(),
                path: format!("/{bare}"),
                uid: entry.uid,
                gid: entry.gid,
            });
        }
        copy.expect = nsci_snapshotter::keeper::Expect::File;
        Ok(Edit::Copy(Box::new(copy)))
    }

    /// Adds another change to a directory that was changed itself.
    pub(super) async fn merge_changes(
        &self,
        ours: (&Tree, &Tree),
        theirs: (&Tree, &Tree),
        policy: OnConflict,
    ) -> Result<Snapshot> {
        let ours = self.compare(ours.0, ours.1).await?;
        let theirs = self.compare(theirs.0, theirs.1).await?;
        let (our_paths, their_paths) = (ours.touched(), theirs.touched());
        let mut disputed = Vec::new();
        for &path in our_paths.intersection(&their_paths) {
            let our = self.content(&ours.after, &ours.new, path).await?;
            let their = self.content(&theirs.after, &theirs.new, path).await?;
            if our != their {
                disputed.push((path, our, their));
            }
        }
        if policy == OnConflict::FailEarly && !disputed.is_empty() {
            let paths: Vec<&str> = disputed.iter().map(|(path, ..)| *path).collect();
            return Err(conflict(&paths));
        }
        let known: BTreeSet<&str> = our_paths.intersection(&their_paths).copied().collect();
        let mut edits = Vec::new();
        for path in theirs.lost().filter(|path| !known.contains(path)) {
            edits.push(remove(path));
        }
        for path in &theirs.changes.removed {
            let kept = |name: &String| name.starts_with(path) && !theirs.old.contains_key(name);
            if path.ends_with('/') && !ours.new.keys().any(kept) {
                edits.push(remove(path.trim_end_matches('/')));
            }
        }
        for edit in self.replay(&theirs).await? {
            if matches!(edit, Edit::Remove { .. }) {
                continue;
            }
            let path = match &edit {
                Edit::Symlink { path, .. } => path.as_str(),
                Edit::Copy(copy) => &copy.dst_path,
                _ => "",
            };
            if !known.contains(path.trim_start_matches('/')) {
                edits.push(edit);
            }
        }
        let mut failed = Vec::new();
        for (path, our, their) in disputed {
            let base = self.content(&ours.before, &ours.old, path).await?;
            match merged(base.as_ref(), our.as_ref(), their.as_ref(), policy) {
                Some(content) => edits.push(put(path, content, ours.new.get(path))),
                None => failed.push(path),
            }
        }
        if !failed.is_empty() {
            return Err(conflict(&failed));
        }
        self.edit(&ours.after, edits).await
    }
}

/// The topmost directories that a patch leaves empty; git knows no empty directory either.
fn emptied(entries: &Entries, made: &BTreeMap<String, Option<Content>>) -> Vec<String> {
    let gone = |path: &str| matches!(made.get(path), Some(None));
    let left = |directory: &str| {
        let below = |path: &&String| {
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        let files = entries.values().filter(|entry| entry.kind != FileKind::Dir);
        let old = files.map(|entry| &entry.name).filter(below);
        let new = made.iter().filter(|(_, content)| content.is_some());
        old.into_iter().any(|path| !gone(path))
            || new.map(|(path, _)| path).any(|path| below(&path))
    };
    let mut found: BTreeSet<String> = BTreeSet::new();
    for (path, _) in made.iter().filter(|(_, content)| content.is_none()) {
        let mut top = None;
        let mut rest = path.as_str();
        while let Some((parent, _)) = rest.rsplit_once('/') {
            if left(parent) {
                break;
            }
            top = Some(parent);
            rest = parent;
        }
        found.extend(top.map(str::to_owned));
    }
    found.into_iter().collect()
}

fn conflict(paths: &[&str]) -> Error {
    Error::invalid(format!("changes conflict in {}", paths.join(", ")))
        .hint("onConflict says what to do with conflicts")
}

fn list(old: &Entries, new: &Entries, differing: &BTreeSet<String>) -> Changes {
    let shown = |entry: &DirEntry| match entry.kind {
        FileKind::Dir => format!("{}/", entry.name),
        _ => entry.name.clone(),
    };
    let is_dir = |entry: &DirEntry| entry.kind == FileKind::Dir;
    let mut changes = Changes::default();
    for entry in new.values() {
        match old.get(&entry.name) {
            Some(before) if is_dir(before) != is_dir(entry) => changes.added.push(shown(entry)),
            Some(_) if !is_dir(entry) && differing.contains(&entry.name) => {
                changes.modified.push(shown(entry));
            }
            Some(_) => {}
            None => changes.added.push(shown(entry)),
        }
    }
    for entry in old.values() {
        let gone = |name: &str| {
            let before = old.get(name);
            let now = new.get(name);
            before.is_some_and(|before| now.is_none_or(|now| is_dir(now) != is_dir(before)))
        };
        let below_gone = entry
            .name
            .rsplit_once('/')
            .is_some_and(|(parent, _)| gone(parent));
        if gone(&entry.name) && !below_gone {
            changes.removed.push(shown(entry));
        }
    }
    changes
}

fn remove(path: &str) -> Edit {
    Edit::Remove {
        path: format!("/{path}"),
        glob: false,
    }
}

/// Makes a file what a patch says; the owner stays, and permissions as far as patches know none.
fn put(path: &str, content: Option<Content>, was: Option<&DirEntry>) -> Edit {
    let Some(content) = content else {
        return remove(path);
    };
    let (uid, gid) = was.map_or((0, 0), |entry| (entry.uid, entry.gid));
    let path = format!("/{path}");
    if content.link {
        let target = String::from_utf8_lossy(&content.bytes).into_owned();
        return Edit::Symlink {
            target,
            path,
            uid,
            gid,
        };
    }
    let mode = was
        .filter(|entry| entry.kind == FileKind::File)
        .map_or(0o644, |entry| entry.mode);
    let mode = match content.executable {
        // Who may read it may run it.
        true => mode | (mode & 0o444) >> 2,
        false => mode & !0o111,
    };
    Edit::WriteFile {
        path,
        data: Data::Bytes(content.bytes),
        mode,
        uid,
        gid,
        mtime: None,
    }
}

/// What becomes of a file that both changed: `None` if the policy has no answer.
fn merged(
    base: Option<&Content>,
    ours: Option<&Content>,
    theirs: Option<&Content>,
    policy: OnConflict,
) -> Option<Option<Content>> {
    let (Some(our), Some(their)) = (ours, theirs) else {
        // One side removed what the other changed.
        return match policy {
            OnConflict::PreferOurs => Some(ours.cloned()),
            OnConflict::PreferTheirs => Some(theirs.cloned()),
            OnConflict::LeaveMarkers => Some(ours.or(theirs).cloned()),
            OnConflict::Fail | OnConflict::FailEarly => None,
        };
    };
    let text = |content: &Content| !content.link && !content.bytes.contains(&0);
    let bytes = if text(our) && text(their) {
        let base = base.map_or(&[][..], |base| &base.bytes);
        merge_text(base, &our.bytes, &their.bytes, policy)?
    } else {
        match policy {
            OnConflict::PreferTheirs => return Some(Some(their.clone())),
            OnConflict::PreferOurs | OnConflict::LeaveMarkers => return Some(Some(our.clone())),
            OnConflict::Fail | OnConflict::FailEarly => return None,
        }
    };
    let was = base.is_some_and(|base| base.executable);
    // Of two answers to one question the one that changed something counts.
    let executable = if our.executable == was {
        their.executable
    } else {
        our.executable
    };
    Some(Some(Content {
        bytes,
        link: false,
        executable,
    }))
}

fn merge_text(base: &[u8], ours: &[u8], theirs: &[u8], policy: OnConflict) -> Option<Vec<u8>> {
    /// No line of a file looks like this by accident.
    const LENGTH: usize = 61;
    let mut options = diffy::MergeOptions::new();
    options
        .set_conflict_style(diffy::ConflictStyle::Merge)
        .set_incomplete_hunk_style(diffy::IncompleteHunkStyle::Git);
    if !matches!(policy, OnConflict::LeaveMarkers) {
        options.set_conflict_marker_length(LENGTH);
    }
    let conflicting = match options.merge_bytes(base, ours, theirs) {
        Ok(bytes) => return Some(bytes),
        Err(bytes) => bytes,
    };
    let keep_ours = match policy {
        OnConflict::LeaveMarkers => return Some(conflicting),
        OnConflict::PreferOurs => true,
        OnConflict::PreferTheirs => false,
        OnConflict::Fail | OnConflict::FailEarly => return None,
    };
    let [open, middle, close] = [b'<', b'=', b'>'].map(|sign| vec![sign; LENGTH]);
    let mut out = Vec::new();
    // Which side the lines belong to: `None` outside of conflicts.
    let mut side = None;
    for line in conflicting.split_inclusive(|&byte| byte == b'\n') {
        if line.starts_with(&open) {
            side = Some(true);
        } else if line.starts_with(&middle) {
            side = Some(false);
        } else if line.starts_with(&close) {
            side = None;
        } else if side.is_none_or(|ours| ours == keep_ours) {
            out.extend_from_slice(line);
        }
    }
    Some(out)
}

/// The file that a patch is.
pub(super) async fn patch_file(world: &World, before: &Tree, after: &Tree) -> Result<File> {
    let text = world.as_patch(before, after).await?;
    let path = "/changes.patch".to_owned();
    let edit = Edit::WriteFile {
        path: path.clone(),
        data: Data::Bytes(text),
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: None,
    };
    let snapshot = world.edit(&Snapshot::empty(), vec![edit]).await?;
    Ok(File { snapshot, path })
}

/// A file's text with one part replaced by another.
pub(super) async fn replaced(
    world: &World,
    file: &File,
    search: &str,
    replacement: &str,
    which: Which,
) -> Result<File> {
    let bytes = world.read_file(file).await?;
    let text = String::from_utf8(bytes)
        .map_err(|_| Error::invalid(format!("{} is no text", file.name())))?;
    let text = replace(&text, search, replacement, which)
        .map_err(|error| Error::invalid(format!("{}: {error}", file.name())))?;
    let tree = Tree {
        snapshot: file.snapshot.clone(),
        path: file.path.clone(),
    };
    let stat = world.stat(&tree, "", true).await?;
    let (mode, uid, gid) = stat.map_or((0o644, 0, 0), |stat| (stat.mode, stat.uid, stat.gid));
    let path = format!("/{}", file.name());
    let edit = Edit::WriteFile {
        path: path.clone(),
        data: Data::Bytes(text.into_bytes()),
        mode,
        uid,
        gid,
        mtime: None,
    };
    let snapshot = world.edit(&Snapshot::empty(), vec![edit]).await?;
    Ok(File { snapshot, path })
}

/// Which matches are replaced.
#[derive(Clone, Copy, Debug)]
pub(super) enum Which {
    /// The only one.
    Only,
    /// All.
    All,
    /// The first from a line on, counted from 1.
    From(usize),
}

fn replace(text: &str, search: &str, new: &str, which: Which) -> Result<String, String> {
    if search.is_empty() {
        return Err("nothing to search for".into());
    }
    let start = match which {
        Which::From(line) => text
            .split_inclusive('\n')
            .take(line.saturating_sub(1))
            .map(str::len)
            .sum(),
        Which::All | Which::Only => 0,
    };
    let mut found = text[start..].match_indices(search);
    let Some((at, _)) = found.next() else {
        return Err(format!("`{search}` is not found"));
    };
    let at = start + at;
    match which {
        Which::All => return Ok(text.replace(search, new)),
        Which::Only if found.next().is_some() => {
            return Err(format!(
                "`{search}` is found more than once; say which is meant"
            ));
        }
        Which::Only | Which::From(_) => {}
    }
    Ok([&text[..at], new, &text[at + search.len()..]].concat())
}

/// The directory that a tree operand is.
pub(super) fn trees<const N: usize>(inputs: &[crate::graph::Value]) -> Result<[&Tree; N]> {
    let trees: Vec<&Tree> = inputs.iter().map(files::tree).collect::<Result<_>>()?;
    trees
        .try_into()
        .map_err(|_| Error::internal("an operation has the wrong number of inputs"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(names: &[&str]) -> Entries {
        let entry = |name: &&str| {
            let kind = match name.ends_with('/') {
                true => FileKind::Dir,
                false => FileKind::File,
            };
            let name = name.trim_end_matches('/').to_owned();
            let entry = DirEntry {
                name: name.clone(),
                kind,
                mode: 0o644,
                uid: 0,
                gid: 0,
                size: 0,
                mtime: 0,
            };
            (name, entry)
        };
        names.iter().map(entry).collect()
    }

    #[test]
    fn removed_directories_stand_for_what_was_in_them() {
        let old = entries(&["a", "d/", "d/x", "d/e/", "d/e/y", "k/", "k/z", "t"]);
        let new = entries(&["a", "k/", "n/", "n/q", "t/", "t/u"]);
        let differing = BTreeSet::from(["a".to_owned(), "k".to_owned()]);
        assert_eq!(
            list(&old, &new, &differing),
            Changes {
                added: ["n/", "n/q", "t/", "t/u"].map(Into::into).into(),
                modified: vec!["a".into()],
                removed: ["d/", "k/z", "t"].map(Into::into).into(),
            }
        );
    }

    #[test]
    fn texts_merge_as_the_policy_says() {
        let (base, ours, theirs) = (b"a\nb\nc\nd\ne\n", b"A\nb\nc\nd\nO\n", b"a\nb\nc\nd\nT\n");
        for (policy, want) in [
            (OnConflict::Fail, None),
            (OnConflict::PreferOurs, Some("A\nb\nc\nd\nO\n")),
            (OnConflict::PreferTheirs, Some("A\nb\nc\nd\nT\n")),
        ] {
            let got = merge_text(base, ours, theirs, policy);
            let got = got.map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(got.as_deref(), want, "{policy:?}");
        }
        let marked = merge_text(base, ours, theirs, OnConflict::LeaveMarkers).unwrap();
        let marked = String::from_utf8(marked).unwrap();
        assert!(
            marked.contains("<<<<<<< ours\nO\n=======\nT\n>>>>>>> theirs\n"),
            "{marked}"
        );
        assert_eq!(
            merge_text(base, b"A\nb\nc\nd\ne\n", theirs, OnConflict::Fail).as_deref(),
            Some(&b"A\nb\nc\nd\nT\n"[..])
        );
    }

    #[test]
    fn text_is_replaced_where_it_is_meant() {
        for (which, want) in [
            (Which::All, Some("y\ny b\n")),
            (Which::From(1), Some("y\nx b\n")),
            (Which::From(2), Some("x\ny b\n")),
            (Which::From(3), None),
            (Which::Only, None),
        ] {
            let got = replace("x\nx b\n", "x", "y", which).ok();
            assert_eq!(got.as_deref(), want, "{which:?}");
        }
        assert_eq!(replace("a", "b", "c", Which::All).ok(), None);
        assert_eq!(replace("ab", "b", "c", Which::Only).as_deref(), Ok("ac"));
    }
}
