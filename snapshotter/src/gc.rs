//! Garbage collection: what is in the store, what is used, and what goes first when there is too much.
//!
//! A collection marks what leases of living processes hold and what is too young to judge, then moves victims into `trash/`
//! by rename, under the exclusive collection lock and in small batches. It never deletes trees itself, as their files have
//! other owners: [`Report::trash_waiting`] tells that the keeper has something to empty. Objects go least recently used
//! first; the records that need an object go with it, so no record is kept that would be a miss.

use std::collections::HashSet;
use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use rustix::fs::FlockOperation;

use crate::error::{Error, Result};
use crate::layout::{Layout, Store};
use crate::lease::{Living, living};
use crate::lock::{
    Discarded, GcLock, discard_directory, open_directory, still_names, try_flock, unique_name,
};
use crate::meta::Rows;
use crate::power;
use crate::volume;

mod survey;

use survey::Survey;
pub(crate) use survey::{children, grandchildren};

/// Sort of object in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A tree of files.
    Layer,
    /// A blob.
    Blob,
    /// A cache record.
    Record,
    /// A cache volume.
    Volume,
    /// A stat cache of a host directory.
    HostCache,
    /// An interrupted download.
    Partial,
}

impl Kind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Layer,
        Self::Blob,
        Self::Record,
        Self::Volume,
        Self::HostCache,
        Self::Partial,
    ];

    /// The word for it in tables and filters.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Layer => "layer",
            Self::Blob => "blob",
            Self::Record => "record",
            Self::Volume => "volume",
            Self::HostCache => "hostcache",
            Self::Partial => "partial",
        }
    }

    /// The kind a word stands for.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

/// One object of the store, as listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Its name: an id, a digest or a key.
    pub id: String,
    /// Bytes on disk.
    pub size: u64,
    /// When it was made.
    pub created: SystemTime,
    /// When it was last used, itself or through a record, within an hour.
    pub last_used: SystemTime,
    /// Whether a running process holds it.
    pub in_use: bool,
    /// How long the most expensive record that needs it took to make.
    pub cost: Duration,
    /// How many records need it.
    pub needed_by: usize,
    /// What it is for, for people; may be empty.
    pub description: String,
}

/// How much there is of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Usage {
    /// Count and bytes by kind; kinds there is nothing of are missing.
    pub by_kind: Vec<(Kind, usize, u64)>,
    /// All bytes.
    pub total: u64,
    /// Bytes of what nothing holds.
    pub reclaimable: u64,
}

/// When a collection runs and how far it goes. Limits are bytes; a limit of nothing is no limit.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// The store may be this large.
    pub max_used: Option<u64>,
    /// The store may always be this large: nothing is collected below it, whatever the other limits say.
    pub reserved: u64,
    /// This much of the filesystem should stay free.
    pub min_free: Option<u64>,
    /// What was not used for this long goes even if there is room.
    pub keep_duration: Option<Duration>,
}

impl Policy {
    /// The usual policy for a filesystem of `capacity` bytes: at most 75 % of it used by the store, 20 % kept free, a tenth
    /// of it but no more than 10 GB reserved, and nothing kept that was not used for sixty days.
    #[must_use]
    pub fn usual(capacity: u64) -> Self {
        const DAY: u64 = 86_400;
        Self {
            max_used: Some(capacity / 100 * 75),
            reserved: (capacity / 10).min(10_000_000_000),
            min_free: Some(capacity / 100 * 20),
            keep_duration: Some(Duration::from_secs(60 * DAY)),
        }
    }
}

/// What the user asks to remove.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Remove cache volumes too; without it only what can be made again from its inputs.
    pub all: bool,
    /// Only these kinds; all if empty. Naming [`Kind::Volume`] does what `all` does for volumes.
    pub kinds: Vec<Kind>,
    /// Only objects whose name starts with this.
    pub id: Option<String>,
    /// Only what was not used for this long.
    pub unused_for: Option<Duration>,
    /// Stop as soon as the store is this small.
    pub keep_bytes: Option<u64>,
}

/// What a collection did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// What went.
    pub removed: Vec<(Kind, String)>,
    /// Bytes that went; those of trees are free once the trash is empty.
    pub freed: u64,
    /// Bytes that stayed.
    pub left: u64,
    /// Whether the keeper should empty the trash.
    pub trash_waiting: bool,
}

/// What a sweep found left behind by dead processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many things were removed or moved into the trash.
    pub count: usize,
    /// Whether the keeper should empty the trash.
    pub trash_waiting: bool,
}

/// What was made or used within this time is never collected: its maker may not hold a lease on it yet.
pub const GRACE: Duration = Duration::from_secs(600);
/// What can be fetched or copied again cheaply goes first once it was not used for this long.
const CHEAP_AFTER: Duration = Duration::from_secs(48 * 3600);
/// Interrupted downloads are kept this long.
const PARTIAL_KEPT: Duration = Duration::from_secs(24 * 3600);
/// Victims moved under one hold of the lock, so that nobody waits long for a lease.
const BATCH: usize = 64;

impl Store {
    /// Everything in the store, the most recently used first.
    ///
    /// # Errors
    /// [`Error::Io`] if a directory cannot be listed.
    pub fn list(&self) -> Result<Vec<Entry>> {
        let mut entries = self.survey()?.entries;
        entries.sort_by(|left, right| {
            right
                .last_used
                .cmp(&left.last_used)
                .then_with(|| left.id.cmp(&right.id))
        });
        Ok(entries)
    }

    /// How much is in the store.
    ///
    /// # Errors
    /// [`Error::Io`] if a directory cannot be listed.
    pub fn usage(&self) -> Result<Usage> {
        let entries = self.survey()?.entries;
        let mut usage = Usage::default();
        for kind in Kind::ALL {
            let sizes: Vec<u64> = entries
                .iter()
                .filter(|entry| entry.kind == kind)
                .map(|entry| entry.size)
                .collect();
            if !sizes.is_empty() {
                usage.by_kind.push((kind, sizes.len(), sizes.iter().sum()));
            }
        }
        usage.total = entries.iter().map(|entry| entry.size).sum();
        usage.reclaimable = entries
            .iter()
            .filter(|entry| !entry.in_use)
            .map(|entry| entry.size)
            .sum();
        Ok(usage)
    }

    /// Remembers what a layer or blob is for, to show in listings. Lost with the index.
    ///
    /// # Errors
    /// [`Error::Index`] if the index cannot be written; nothing depends on it.
    pub fn describe(&self, kind: Kind, id: &str, text: &str) -> Result<()> {
        self.index().note(kind, id, text)
    }

    /// Collects what `policy` wants gone. Meant for the end of a run, or when the disk is full.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be listed or a victim not be moved.
    pub fn collect(&self, policy: &Policy) -> Result<Report> {
        let survey = self.survey()?;
        let free = free_bytes(self.layout().root())?;
        let target = target(policy, survey.total(), free);
        let now = SystemTime::now();
        let expired = |entry: &Entry| {
            policy
                .keep_duration
                .is_some_and(|keep| idle(entry, now) > keep)
        };
        self.evict(&survey, |entry, left| {
            entry_is_old(entry, now, GRACE)
                && left > policy.reserved
                && (left > target || expired(entry))
        })
    }

    /// Removes what `options` ask for and nothing holds.
    ///
    /// # Errors
    /// [`Error::Io`] if the store cannot be listed or a victim not be moved.
    pub fn prune(&self, options: &PruneOptions) -> Result<Report> {
        let survey = self.survey()?;
        let now = SystemTime::now();
        let wanted = |entry: &Entry, left: u64| {
            let of_kind = if options.kinds.is_empty() {
                options.all || entry.kind != Kind::Volume
            } else {
                options.kinds.contains(&entry.kind)
            };
            of_kind
                && options
                    .id
                    .as_ref()
                    .is_none_or(|id| entry.id.starts_with(id.as_str()))
                && options.unused_for.is_none_or(|age| idle(entry, now) >= age)
                && options.keep_bytes.is_none_or(|keep| left > keep)
        };
        self.evict(&survey, wanted)
    }

    /// Moves away what dead processes left unfinished, and after a boot what a power cut may have spoilt. Quick when there
    /// is nothing; belongs at the start of every run, before anything is looked up.
    ///
    /// # Errors
    /// [`Error::Io`] if a directory cannot be listed.
    pub fn sweep(&self) -> Result<Swept> {
        let layout = self.layout();
        let mut swept = Swept {
            count: power::recover(layout)?,
            ..Swept::default()
        };
        for (path, meta) in children(&layout.tmp())? {
            swept.count += usize::from(sweep_tmp(layout, &path, &meta)?);
        }
        for (path, meta) in children(&layout.partial())? {
            if meta.len() == 0 || age(&meta) > PARTIAL_KEPT {
                swept.count += usize::from(remove_unlocked(&path)?);
            }
        }
        for (path, _) in children(&layout.locks())? {
            swept.count += usize::from(remove_unlocked(&path)?);
        }
        swept.trash_waiting = trash_waiting(layout)?;
        Ok(swept)
    }

    fn survey(&self) -> Result<Survey> {
        Survey::take(self)
    }

    /// Moves, in order, the victims that are `unwanted`; that is asked with the bytes left at the time.
    fn evict(&self, survey: &Survey, unwanted: impl Fn(&Entry, u64) -> bool) -> Result<Report> {
        let mut report = Report {
            left: survey.total(),
            ..Report::default()
        };
        let mut gone = HashSet::new();
        let order = survey.order();
        let mut position = 0;
        while position < order.len() {
            let guard = GcLock::exclusive(self.layout())?;
            let living = living(self.layout())?;
            let mut moved = 0;
            while position < order.len() && moved < BATCH {
                let index = order[position];
                position += 1;
                let entry = &survey.entries[index];
                if gone.contains(&index) || !unwanted(entry, report.left) {
                    continue;
                }
                moved += 1;
                self.evict_one(survey, index, &living, &mut gone, &mut report)?;
            }
            drop(guard);
        }
        report.trash_waiting = trash_waiting(self.layout())?;
        // Rows of what is gone only cost room, and the disk may be full.
        self.index().update(&Rows::new(), &report.removed).ok();
        Ok(report)
    }

    /// Moves one object, and before it the records that need it.
    fn evict_one(
        &self,
        survey: &Survey,
        index: usize,
        living: &Living,
        gone: &mut HashSet<usize>,
        report: &mut Report,
    ) -> Result<()> {
        let entry = &survey.entries[index];
        if survey
            .reference(index)
            .is_some_and(|reference| living.held.contains(reference))
        {
            return Ok(());
        }
        // What somebody made a moment ago may be on its way into a lease and a record.
        let unsettled = entry.needed_by == 0 && !entry_is_old(entry, SystemTime::now(), GRACE);
        if unsettled && living.leases > 0 && entry.kind != Kind::Volume {
            return Ok(());
        }
        let records = survey.needed_by.get(&index).map_or(&[][..], Vec::as_slice);
        for &victim in records.iter().chain([&index]) {
            if gone.contains(&victim) {
                continue;
            }
            let object = &survey.entries[victim];
            if remove(self.layout(), object, &survey.paths[victim])? {
                gone.insert(victim);
                report.freed += object.size;
                report.left = report.left.saturating_sub(object.size);
                report.removed.push((object.kind, object.id.clone()));
            }
        }
        Ok(())
    }
}

/// How many bytes the store should have at most.
fn target(policy: &Policy, used: u64, free: u64) -> u64 {
    let mut target = policy.max_used.unwrap_or(u64::MAX);
    if let Some(min_free) = policy.min_free
        && free < min_free
    {
        target = target.min(used.saturating_sub(min_free - free));
    }
    target.max(policy.reserved)
}

fn free_bytes(path: &Path) -> Result<u64> {
    let stat =
        rustix::fs::statvfs(path).map_err(|error| Error::io("stat filesystem of", path, error))?;
    Ok(stat.f_bavail.saturating_mul(stat.f_frsize))
}

fn idle(entry: &Entry, now: SystemTime) -> Duration {
    now.duration_since(entry.last_used).unwrap_or_default()
}

fn entry_is_old(entry: &Entry, now: SystemTime, grace: Duration) -> bool {
    idle(entry, now) > grace
}

fn age(meta: &Metadata) -> Duration {
    meta.modified()
        .ok()
        .and_then(|then| then.elapsed().ok())
        .unwrap_or_default()
}

/// Removes one object from where it is found; false if somebody came to use it.
fn remove(layout: &Layout, entry: &Entry, path: &Path) -> Result<bool> {
    let outcome = match entry.kind {
        Kind::Layer => fs::rename(path, layout.trash().join(unique_name())),
        Kind::Volume => match entry.id.parse() {
            Ok(id) => return volume::trash(layout, &id),
            Err(_) => return Ok(false),
        },
        Kind::Partial => return remove_unlocked(path),
        Kind::Blob | Kind::Record | Kind::HostCache => fs::remove_file(path),
    };
    match outcome {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(Error::io("move to the trash", path, error))
        }
        _ => Ok(true),
    }
}

fn trash_waiting(layout: &Layout) -> Result<bool> {
    let trash = layout.trash();
    let mut entries = fs::read_dir(&trash).map_err(|error| Error::io("list", &trash, error))?;
    Ok(entries.next().is_some())
}

/// Takes away the temporary directory of a dead process.
fn sweep_tmp(layout: &Layout, path: &Path, meta: &Metadata) -> Result<bool> {
    if !meta.is_dir() {
        // A `format` file whose writer died; a living writer needs it for microseconds.
        return Ok(age(meta) > GRACE && fs::remove_file(path).is_ok());
    }
    let Ok(lock) = open_directory(path) else {
        return Ok(false);
    };
    if !try_flock(&lock, path, FlockOperation::NonBlockingLockExclusive)?
        || !still_names(path, &lock)?
    {
        return Ok(false);
    }
    match discard_directory(path, &layout.trash()) {
        Ok(Discarded::Removed | Discarded::Trashed) => Ok(true),
        Err(error) => Err(Error::io("move to the trash", path, error)),
    }
}

/// Removes a file that is locked while in use, if it is not.
fn remove_unlocked(path: &Path) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    if !try_flock(&file, path, FlockOperation::NonBlockingLockExclusive)?
        || !still_names(path, &file)?
    {
        return Ok(false);
    }
    Ok(fs::remove_file(path).is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::layer::LayerId;
    use crate::layout::RecordKey;
    use crate::lease::{Lease, Ref};
    use crate::lock::Wait;
    use crate::record::{Record, Refs};
    use crate::volume::{Sharing, VolumeName};

    struct Fixture {
        _base: tempfile::TempDir,
        store: Store,
    }

    const HOUR: u64 = 3600;

    impl Fixture {
        fn new() -> Self {
            let base = tempfile::tempdir().unwrap();
            let store = Store::open(base.path(), "t").unwrap();
            Self { _base: base, store }
        }

        /// A tree of `size` bytes, by its own word, last used `hours` ago.
        fn tree(&self, name: &str, size: u64, hours: u64) -> LayerId {
            let id = LayerId::of(name);
            fs::create_dir_all(self.store.layout().tree_fs(&id)).unwrap();
            let info = self.store.layout().tree_info(&id);
            fs::write(&info, format!("{{\"size\":{size},\"created\":5}}")).unwrap();
            set_used(&info, hours);
            id
        }

        fn record(&self, name: &str, trees: &[&LayerId], cost: u64, hours: u64) -> RecordKey {
            let key = RecordKey::of(name);
            let refs = Refs {
                trees: trees.iter().map(|&id| id.clone()).collect(),
                blobs: vec![],
            };
            let record = Record {
                refs,
                description: name.to_owned(),
                cost: Duration::from_secs(cost),
                body: vec![],
            };
            self.store.records().put(&key, &record).unwrap();
            set_used(&self.store.layout().record(&key), hours);
            key
        }

        fn names(&self, kind: Kind) -> Vec<String> {
            let mut names: Vec<String> = self
                .store
                .list()
                .unwrap()
                .into_iter()
                .filter(|entry| entry.kind == kind)
                .map(|entry| entry.id)
                .collect();
            names.sort();
            names
        }

        fn has(&self, id: &LayerId) -> bool {
            self.store.layout().tree(id).exists()
        }
    }

    fn set_used(path: &Path, hours: u64) {
        let then = SystemTime::now() - Duration::from_secs(hours * HOUR);
        File::open(path).unwrap().set_modified(then).unwrap();
    }

    #[test]
    fn list_tells_use_through_records_and_leases_with_and_without_the_index() {
        let fixture = Fixture::new();
        let base = fixture.tree("base", 1000, 50);
        fixture.record("exec make", &[&base], 30, 2);
        let lease = Lease::open(&fixture.store).unwrap();
        lease.hold(&[Ref::Tree(base.clone())]).unwrap();
        fixture
            .store
            .describe(Kind::Layer, base.as_str(), "alpine")
            .unwrap();
        let find = || {
            let entries = fixture.store.list().unwrap();
            entries
                .into_iter()
                .find(|entry| entry.kind == Kind::Layer)
                .unwrap()
        };
        let entry = find();
        assert_eq!((entry.size, entry.needed_by, entry.in_use), (1000, 1, true));
        assert_eq!(
            (entry.cost, entry.description.as_str()),
            (Duration::from_secs(30), "alpine")
        );
        assert_eq!(entry.created, UNIX_EPOCH + Duration::from_secs(5));
        assert!(idle(&entry, SystemTime::now()) < Duration::from_secs(3 * HOUR));
        assert_eq!(find(), entry, "rows of the index say the same");

        fs::remove_file(fixture.store.layout().meta_db()).unwrap();
        let reopened = Fixture {
            store: Store::open(fixture._base.path(), "t").unwrap(),
            ..fixture
        };
        let rebuilt = reopened.store.list().unwrap();
        let rebuilt = rebuilt
            .iter()
            .find(|entry| entry.kind == Kind::Layer)
            .unwrap();
        assert_eq!((rebuilt.size, rebuilt.needed_by), (1000, 1));
        assert_eq!(rebuilt.description, "", "only the note is lost");
    }

    #[test]
    fn usage_adds_up() {
        let fixture = Fixture::new();
        fixture.tree("a", 1000, 1);
        let held = fixture.tree("b", 500, 1);
        fixture.store.content().put_bytes(&[1; 10_000]).unwrap();
        let lease = Lease::open(&fixture.store).unwrap();
        lease.hold(&[Ref::Tree(held)]).unwrap();
        let usage = fixture.store.usage().unwrap();
        assert!(usage.by_kind.contains(&(Kind::Layer, 2, 1500)), "{usage:?}");
        assert_eq!(
            usage.total,
            usage.by_kind.iter().map(|(_, _, bytes)| bytes).sum::<u64>()
        );
        assert_eq!(usage.reclaimable, usage.total - 500);
    }

    #[test]
    fn least_recently_used_goes_first_and_only_as_much_as_needed() {
        let fixture = Fixture::new();
        let trees: Vec<LayerId> = (1..=5)
            .map(|hours| fixture.tree(&format!("t{hours}"), 1 << 20, hours))
            .collect();
        let policy = Policy {
            max_used: Some(3 << 20),
            ..Policy::default()
        };
        let report = fixture.store.collect(&policy).unwrap();
        assert_eq!(report.removed.len(), 2, "{report:?}");
        assert_eq!(report.freed, 2 << 20);
        assert!(report.trash_waiting);
        let left: Vec<bool> = trees.iter().map(|id| fixture.has(id)).collect();
        assert_eq!(left, [true, true, true, false, false]);
        assert!(fixture.store.collect(&policy).unwrap().removed.is_empty());
    }

    #[test]
    fn reserved_space_is_never_collected() {
        let fixture = Fixture::new();
        fixture.tree("a", 1 << 20, 5000);
        let policy = Policy {
            max_used: Some(0),
            reserved: 2 << 20,
            min_free: Some(u64::MAX),
            keep_duration: Some(Duration::ZERO),
        };
        assert!(fixture.store.collect(&policy).unwrap().removed.is_empty());
        let report = fixture
            .store
            .collect(&Policy {
                reserved: 0,
                ..policy
            })
            .unwrap();
        assert_eq!(report.removed.len(), 1);
    }

    #[test]
    fn what_was_not_used_for_long_goes_without_pressure() {
        let fixture = Fixture::new();
        let (old, new) = (fixture.tree("old", 10, 100), fixture.tree("new", 10, 10));
        let keep_duration = Some(Duration::from_secs(50 * HOUR));
        fixture
            .store
            .collect(&Policy {
                keep_duration,
                ..Policy::default()
            })
            .unwrap();
        assert_eq!((fixture.has(&old), fixture.has(&new)), (false, true));
    }

    #[test]
    fn cheap_goes_before_expensive_within_the_hour() {
        let fixture = Fixture::new();
        let (cheap, dear) = (
            fixture.tree("cheap", 1 << 20, 5),
            fixture.tree("dear", 1 << 20, 5),
        );
        fixture.record("c", &[&cheap], 1, 5);
        fixture.record("d", &[&dear], 600, 5);
        fixture
            .store
            .collect(&Policy {
                max_used: Some(3 << 19),
                ..Policy::default()
            })
            .unwrap();
        assert_eq!((fixture.has(&cheap), fixture.has(&dear)), (false, true));
    }

    #[test]
    fn record_goes_with_the_tree_it_needs() {
        let fixture = Fixture::new();
        let (shared, own) = (
            fixture.tree("shared", 1 << 20, 90),
            fixture.tree("own", 1 << 20, 90),
        );
        fixture.record("old", &[&shared, &own], 1, 80);
        let recent = fixture.record("recent", &[&shared], 1, 2);
        fixture
            .store
            .collect(&Policy {
                max_used: Some(3 << 19),
                ..Policy::default()
            })
            .unwrap();
        assert_eq!((fixture.has(&shared), fixture.has(&own)), (true, false));
        assert_eq!(fixture.names(Kind::Record), [recent.as_str()]);
    }

    #[test]
    fn held_and_new_objects_stay() {
        let fixture = Fixture::new();
        let held = fixture.tree("held", 10, 100);
        let fresh = fixture.tree("fresh", 10, 0);
        let other = fixture.tree("other", 10, 100);
        let lease = Lease::open(&fixture.store).unwrap();
        lease.hold(&[Ref::Tree(held.clone())]).unwrap();
        fixture
            .store
            .prune(&PruneOptions {
                all: true,
                ..PruneOptions::default()
            })
            .unwrap();
        assert_eq!(
            [&held, &fresh, &other].map(|id| fixture.has(id)),
            [true, true, false]
        );
        drop(lease);
        fixture
            .store
            .prune(&PruneOptions {
                all: true,
                ..PruneOptions::default()
            })
            .unwrap();
        assert_eq!([&held, &fresh].map(|id| fixture.has(id)), [false, false]);
    }

    #[test]
    fn prune_removes_what_was_asked_for_and_no_more() {
        let fill = || {
            let fixture = Fixture::new();
            fixture.tree("a", 10, 100);
            fixture.tree("b", 10, 1);
            fixture.store.content().put_bytes(b"blob").unwrap();
            let name = VolumeName {
                namespace: "n".to_owned(),
                key: "go".to_owned(),
            };
            drop(
                fixture
                    .store
                    .volumes()
                    .open(&name, Sharing::Shared, &mut |_| Wait::GiveUp)
                    .unwrap(),
            );
            fixture
        };
        let default = PruneOptions::default;
        let unused_for = Some(Duration::from_secs(50 * HOUR));
        let id = Some(LayerId::of("b").as_str()[..8].to_owned());
        // options, then what is left: layers, blobs, volumes
        let table = [
            (default(), (0, 0, 1)),
            (
                PruneOptions {
                    all: true,
                    ..default()
                },
                (0, 0, 0),
            ),
            (
                PruneOptions {
                    kinds: vec![Kind::Layer],
                    ..default()
                },
                (0, 1, 1),
            ),
            (
                PruneOptions {
                    kinds: vec![Kind::Volume],
                    ..default()
                },
                (2, 1, 0),
            ),
            (
                PruneOptions {
                    unused_for,
                    ..default()
                },
                (1, 1, 1),
            ),
            (PruneOptions { id, ..default() }, (1, 1, 1)),
            (
                PruneOptions {
                    keep_bytes: Some(u64::MAX),
                    ..default()
                },
                (2, 1, 1),
            ),
        ];
        for (options, left) in table {
            let fixture = fill();
            fixture.store.prune(&options).unwrap();
            let count = |kind| fixture.names(kind).len();
            assert_eq!(
                (count(Kind::Layer), count(Kind::Blob), count(Kind::Volume)),
                left,
                "{options:?}"
            );
        }
    }

    #[test]
    fn sweep_takes_what_the_dead_left_and_nothing_of_the_living() {
        let fixture = Fixture::new();
        let layout = fixture.store.layout();
        assert_eq!(fixture.store.sweep().unwrap(), Swept::default());
        let mine = fixture.store.tmp_path().unwrap();
        fs::create_dir(&mine).unwrap();
        let held = crate::lock::KeyLock::acquire(&fixture.store, "k").unwrap();
        for dead in ["1-empty", "2-full/work"] {
            fs::create_dir_all(layout.tmp().join(dead)).unwrap();
        }
        fs::write(layout.locks().join("stale"), "").unwrap();
        for (name, hours) in [("sha256-old", 30), ("sha256-new", 2)] {
            fs::write(layout.partial().join(name), "x").unwrap();
            set_used(&layout.partial().join(name), hours);
        }
        let swept = fixture.store.sweep().unwrap();
        assert_eq!(
            swept,
            Swept {
                count: 4,
                trash_waiting: true
            }
        );
        assert!(mine.exists() && layout.partial().join("sha256-new").exists());
        assert!(
            crate::lock::KeyLock::try_acquire(&fixture.store, "k")
                .unwrap()
                .is_none()
        );
        drop(held);
    }

    #[test]
    fn target_follows_the_tightest_limit_above_what_is_reserved() {
        let policy = Policy {
            max_used: Some(100),
            reserved: 10,
            min_free: Some(50),
            keep_duration: None,
        };
        // used, free, target
        for (used, free, expected) in [
            (500, 90, 100),
            (500, 40, 100),
            (60, 40, 50),
            (60, 0, 10),
            (5, 0, 10),
        ] {
            assert_eq!(target(&policy, used, free), expected, "{used} {free}");
        }
        assert_eq!(target(&Policy::default(), 5, 0), u64::MAX);
    }
}
