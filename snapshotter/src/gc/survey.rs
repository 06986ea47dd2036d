//! What is in the store at one moment, and what goes first.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, Read as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::{CHEAP_AFTER, Entry, Kind, idle};
use crate::error::{Error, Result};
use crate::layout::{Layout, Store};
use crate::lease::{Ref, living};
use crate::lock::GcLock;
use crate::meta::{Row, Rows};
use crate::record::{Refs, decode};
use crate::volume;

/// What is in the store at one moment.
pub(super) struct Survey {
    pub(super) entries: Vec<Entry>,
    /// Where each entry is.
    pub(super) paths: Vec<PathBuf>,
    references: Vec<Option<Ref>>,
    /// The records that need an object, by index.
    pub(super) needed_by: HashMap<usize, Vec<usize>>,
}

impl Survey {
    pub(super) fn take(store: &Store) -> Result<Self> {
        let layout = store.layout();
        // The index saves reading; without it everything is read.
        let known = store.index().load().unwrap_or_default();
        let notes = store.index().notes().unwrap_or_default();
        let mut found = Found {
            known,
            ..Found::default()
        };
        found.layers(layout)?;
        found.blobs(layout)?;
        found.records(layout)?;
        found.volumes(layout)?;
        found.flat(Kind::HostCache, &layout.hostdirs())?;
        found.flat(Kind::Partial, &layout.partial())?;
        found.remember(store);

        let guard = GcLock::exclusive(layout)?;
        let held = living(layout)?.held;
        found.probe_volumes(layout)?;
        drop(guard);
        Ok(found.into_survey(&notes, &held))
    }

    pub(super) fn total(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).sum()
    }

    pub(super) fn reference(&self, index: usize) -> Option<&Ref> {
        self.references[index].as_ref()
    }

    /// Indices, the first to go first: what is cheap to get again and was idle for long; then by last use, to the hour, and
    /// within the hour by what a byte cost to make.
    pub(super) fn order(&self) -> Vec<usize> {
        let now = SystemTime::now();
        let key = |index: &usize| {
            let entry = &self.entries[*index];
            let unneeded = entry.needed_by == 0 && entry.kind != Kind::Record;
            let cheap = matches!(entry.kind, Kind::Volume | Kind::HostCache | Kind::Partial)
                || entry.cost.is_zero()
                || unneeded;
            let late = !(cheap && idle(entry, now) > CHEAP_AFTER);
            let hour = idle(entry, now).as_secs() / 3600;
            let cost_of_gigabyte =
                entry.cost.as_millis() * 1_000_000_000 / u128::from(entry.size.max(1));
            (late, std::cmp::Reverse(hour), cost_of_gigabyte)
        };
        let mut order: Vec<usize> = (0..self.entries.len()).collect();
        order.sort_by_cached_key(key);
        order
    }
}

/// A survey being taken.
#[derive(Default)]
struct Found {
    known: Rows,
    fresh: Rows,
    entries: Vec<Entry>,
    paths: Vec<PathBuf>,
    references: Vec<Option<Ref>>,
    /// Index of a record, and what it needs.
    needs: Vec<(usize, Refs)>,
}

/// What this module reads of a `layer.json`; other fields are its writer's.
#[derive(Debug, Default, Deserialize)]
struct LayerInfo {
    #[serde(default)]
    size: u64,
    #[serde(default)]
    created: Option<i64>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    origin: Option<String>,
    #[serde(default)]
    description: Option<String>,
}

impl Found {
    fn layers(&mut self, layout: &Layout) -> Result<()> {
        for (path, directory) in grandchildren(&layout.trees())? {
            let Some(id) = name_of(&path).and_then(|name| name.parse().ok()) else {
                continue;
            };
            let info_path = path.join("layer.json");
            let meta = fs::metadata(&info_path).unwrap_or(directory);
            self.object(Kind::Layer, &path, &meta, Some(Ref::Tree(id)), |row| {
                let text = fs::read(&info_path).unwrap_or_default();
                let info: LayerInfo = serde_json::from_slice(&text).unwrap_or_default();
                row.size = info.size;
                row.created = info.created.unwrap_or(row.created);
                row.description = info
                    .description
                    .or(info.kind)
                    .or(info.origin)
                    .unwrap_or_default();
            });
        }
        Ok(())
    }

    fn blobs(&mut self, layout: &Layout) -> Result<()> {
        for (algorithm, _) in children(&layout.blobs())? {
            let Some(algorithm_name) = name_of(&algorithm) else {
                continue;
            };
            for (path, meta) in grandchildren(&algorithm)? {
                let digest =
                    name_of(&path).and_then(|hex| format!("{algorithm_name}:{hex}").parse().ok());
                let Some(digest) = digest else { continue };
                self.object(Kind::Blob, &path, &meta, Some(Ref::Blob(digest)), |_| {});
            }
        }
        Ok(())
    }

    fn records(&mut self, layout: &Layout) -> Result<()> {
        for (path, meta) in grandchildren(&layout.records())? {
            let Some(key) = name_of(&path).and_then(|name| name.parse().ok()) else {
                continue;
            };
            let row = self.object(Kind::Record, &path, &meta, Some(Ref::Record(key)), |row| {
                let mut bytes = Vec::new();
                let read = File::open(&path).and_then(|mut file| file.read_to_end(&mut bytes));
                if read.is_ok()
                    && let Some((head, _)) = decode(&bytes)
                {
                    row.cost_ms = head.cost_ms;
                    row.description = head.description;
                    row.refs = serde_json::to_string(&head.refs).unwrap_or_default();
                }
            });
            let refs: Refs = serde_json::from_str(&row).unwrap_or_default();
            self.needs.push((self.entries.len() - 1, refs));
        }
        Ok(())
    }

    fn volumes(&mut self, layout: &Layout) -> Result<()> {
        for volume in volume::list(layout)? {
            let path = layout.volume(&volume.id);
            let Ok(meta) = fs::metadata(path.join("volume.json")).or_else(|_| fs::metadata(&path))
            else {
                continue;
            };
            let name = volume
                .name
                .map(|name| format!("{} ({})", name.key, name.namespace));
            self.object(
                Kind::Volume,
                &path,
                &meta,
                Some(Ref::Volume(volume.id.clone())),
                |row| {
                    row.size = size_below(&path);
                    row.description = name.unwrap_or_default();
                },
            );
        }
        Ok(())
    }

    fn probe_volumes(&mut self, layout: &Layout) -> Result<()> {
        for (entry, reference) in self.entries.iter_mut().zip(&self.references) {
            if let Some(Ref::Volume(id)) = reference {
                entry.in_use = volume::is_in_use(layout, id)?;
            }
        }
        Ok(())
    }

    fn flat(&mut self, kind: Kind, directory: &Path) -> Result<()> {
        for (path, meta) in children(directory)? {
            self.object(kind, &path, &meta, None, |_| {});
        }
        Ok(())
    }

    /// Adds one object, from the index if its file is as it was, and returns the JSON of what it needs.
    fn object(
        &mut self,
        kind: Kind,
        path: &Path,
        meta: &Metadata,
        reference: Option<Ref>,
        read: impl FnOnce(&mut Row),
    ) -> String {
        let id = match &reference {
            Some(Ref::Blob(digest)) => digest.to_string(),
            _ => name_of(path).unwrap_or_default().to_owned(),
        };
        let stamp = meta
            .mtime()
            .wrapping_mul(1_000_000_000)
            .wrapping_add(meta.mtime_nsec())
            ^ meta.ino().cast_signed().rotate_left(32)
            ^ meta.size().cast_signed();
        let key = (kind, id);
        let row = match self.known.remove(&key) {
            Some(row) if row.stamp == stamp => row,
            earlier => {
                let created = earlier.map_or_else(|| created(meta), |row| row.created);
                let mut row = Row {
                    stamp,
                    size: meta.blocks() * 512,
                    created,
                    cost_ms: 0,
                    description: String::new(),
                    refs: String::new(),
                };
                read(&mut row);
                self.fresh.insert(key.clone(), row.clone());
                row
            }
        };
        self.entries.push(Entry {
            kind,
            id: key.1,
            size: row.size,
            created: time(row.created),
            last_used: meta.modified().unwrap_or(UNIX_EPOCH),
            in_use: false,
            cost: Duration::from_millis(row.cost_ms),
            needed_by: 0,
            description: row.description,
        });
        self.paths.push(path.to_owned());
        self.references.push(reference);
        row.refs
    }

    /// Writes what was read to the index. What is left of the known rows is gone from the disk.
    fn remember(&mut self, store: &Store) {
        let gone: Vec<_> = self.known.drain().map(|(key, _)| key).collect();
        // The disk may be full, which is when a collection is needed most.
        store.index().update(&self.fresh, &gone).ok();
    }

    /// Joins objects with the records that need them and with the leases.
    fn into_survey(
        mut self,
        notes: &HashMap<(Kind, String), String>,
        held: &HashSet<Ref>,
    ) -> Survey {
        let by_reference: HashMap<Ref, usize> = self
            .references
            .iter()
            .enumerate()
            .filter_map(|(index, reference)| Some((reference.clone()?, index)))
            .collect();
        let mut needed_by: HashMap<usize, Vec<usize>> = HashMap::new();
        for (record, refs) in &self.needs {
            let (cost, last_used) = (self.entries[*record].cost, self.entries[*record].last_used);
            for reference in refs.to_vec() {
                let Some(&object) = by_reference.get(&reference) else {
                    continue;
                };
                needed_by.entry(object).or_default().push(*record);
                let entry = &mut self.entries[object];
                entry.needed_by += 1;
                entry.cost = entry.cost.max(cost);
                entry.last_used = entry.last_used.max(last_used);
            }
        }
        for (entry, reference) in self.entries.iter_mut().zip(&self.references) {
            entry.in_use |= reference
                .as_ref()
                .is_some_and(|reference| held.contains(reference));
            if let Some(note) = notes.get(&(entry.kind, entry.id.clone())) {
                entry.description.clone_from(note);
            }
        }
        Survey {
            entries: self.entries,
            paths: self.paths,
            references: self.references,
            needed_by,
        }
    }
}

fn created(meta: &Metadata) -> i64 {
    let when = meta
        .created()
        .or_else(|_| meta.modified())
        .unwrap_or(UNIX_EPOCH);
    let seconds = when
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
        .as_secs();
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

fn time(seconds: i64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(u64::try_from(seconds).unwrap_or(0))
}

fn name_of(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

/// What is in a directory, with what the filesystem says of each. Things that vanish meanwhile are left out.
pub(crate) fn children(directory: &Path) -> Result<Vec<(PathBuf, Metadata)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(Error::io("list", directory, error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| Error::io("list", directory, error))?;
        if let Ok(meta) = entry.metadata() {
            found.push((entry.path(), meta));
        }
    }
    Ok(found)
}

/// What is in the directories named by two digits.
pub(crate) fn grandchildren(directory: &Path) -> Result<Vec<(PathBuf, Metadata)>> {
    let mut found = Vec::new();
    for (fan, meta) in children(directory)? {
        if meta.is_dir() {
            found.extend(children(&fan)?);
        }
    }
    Ok(found)
}

/// Bytes on disk of what this user can see below `directory`; what a step made unreadable is not counted.
fn size_below(directory: &Path) -> u64 {
    let mut total = 0;
    let mut pending = vec![directory.to_owned()];
    while let Some(directory) = pending.pop() {
        for (path, meta) in children(&directory).unwrap_or_default() {
            total += meta.blocks() * 512;
            if meta.is_dir() {
                pending.push(path);
            }
        }
    }
    total
}
