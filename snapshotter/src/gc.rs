//! Garbage collection: what is in the store, what is used, and what goes first when there is too much.
//!
//! A collection marks what leases of living processes hold and what is too young to judge, then moves victims into `trash/`
//! by rename, under the exclusive collection lock and in small batches. It never deletes trees itself, as their files have
//! other owners: [`Report::trash_waiting`] tells that the keeper has something to empty. Objects go least recently used
//! first; the records that need an object go with it, so no record is kept that would be a miss.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::error::{Error, Result};
use crate::layout::{Layout, Store};
use crate::lease::{Living, living};
use crate::lock::{GcLock, unique_name};
use crate::meta::Rows;
use crate::volume;

mod survey;
mod sweep;
#[cfg(test)]
mod tests;

use survey::Survey;
pub(crate) use survey::{children, grandchildren};
pub use sweep::Swept;
use sweep::remove_unlocked;

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

/// What was made or used within this time is never collected: its maker may not hold a lease on it yet.
pub const GRACE: Duration = Duration::from_secs(600);
/// What can be fetched or copied again cheaply goes first once it was not used for this long.
const CHEAP_AFTER: Duration = Duration::from_secs(48 * 3600);
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
