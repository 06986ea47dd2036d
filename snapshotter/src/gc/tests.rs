//! Collections of small stores, and what they leave.

use std::fs::File;
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
