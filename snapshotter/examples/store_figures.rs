//! Measures the store: `cargo run --release -p nsci-snapshotter --example store_figures -- DIRECTORY [FILES]`.
//!
//! Works in a new directory below DIRECTORY, which it leaves for the caller to remove: deleting many files right before
//! others are made distorts what is measured.

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "prints figures or fails"
)]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use nsci_snapshotter::hostdir::{import, scan};
use nsci_snapshotter::lease::Lease;
use nsci_snapshotter::pattern::Filter;
use nsci_snapshotter::record::Record;
use nsci_snapshotter::{RecordKey, Store};

fn time<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let start = Instant::now();
    let result = work();
    (start.elapsed(), result)
}

/// The middle of some repetitions.
fn median(mut work: impl FnMut()) -> Duration {
    let mut times: Vec<Duration> = (0..7).map(|_| time(&mut work).0).collect();
    times.sort();
    times[3]
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let directory = arguments.next().expect("a directory");
    let files: usize = arguments
        .next()
        .map_or(100_000, |text| text.parse().unwrap());
    let base = Path::new(&directory).join(format!("figures-{}", std::process::id()));
    fs::create_dir_all(&base).unwrap();
    let (opened, store) = time(|| Store::open(&base, "figures").unwrap());
    let again = median(|| drop(Store::open(&base, "figures").unwrap()));
    println!("store: create {opened:?}, open {again:?}");
    let sweep = median(|| assert_eq!(store.sweep().unwrap().count, 0));
    println!("sweep with nothing to do: {sweep:?}");
    let (leased, lease) = time(|| Lease::open(&store).unwrap());
    println!("lease: {leased:?}");
    records(&store, &lease);
    blob(&store);
    host(&store, &lease, &base, files);
}

fn records(store: &Store, lease: &Lease) {
    const COUNT: u32 = 5000;
    let record = Record {
        body: vec![7; 300],
        description: "exec make".to_owned(),
        ..Record::default()
    };
    let keys: Vec<RecordKey> = (0..COUNT)
        .map(|number| RecordKey::of(number.to_string()))
        .collect();
    let put = time(|| {
        keys.iter()
            .for_each(|key| store.records().put(key, &record).unwrap());
    })
    .0;
    let get = time(|| {
        keys.iter()
            .for_each(|key| drop(store.records().get(lease, key).unwrap().unwrap()));
    })
    .0;
    println!("record: put {:?}, get {:?}", put / COUNT, get / COUNT);
    let (first, _) = time(|| store.list().unwrap());
    let later = median(|| drop(store.list().unwrap()));
    println!("list of {COUNT} records: {first:?} without index, {later:?} with");
}

fn blob(store: &Store) {
    let piece = vec![3; 1 << 20];
    let taken = time(|| {
        let mut writer = store.content().writer(None).unwrap();
        (0..512).for_each(|_| writer.write_all(&piece).unwrap());
        writer.commit().unwrap();
    });
    println!(
        "blob: {:.0} MB/s with sha256",
        512.0 * 1.048_576 / taken.0.as_secs_f64()
    );
}

fn host(store: &Store, lease: &Lease, base: &Path, files: usize) {
    let root = base.join("host");
    for number in 0..files {
        let directory = root.join(format!("package{}/src{}", number / 400, number / 10 % 40));
        if number % 10 == 0 {
            fs::create_dir_all(&directory).unwrap();
        }
        fs::write(
            directory.join(format!("module_{number}.rs")),
            format!("{number}\n").repeat(300),
        )
        .unwrap();
    }
    // Files newer than this would be read again each time.
    std::thread::sleep(Duration::from_millis(2500));
    let find = median(|| {
        let output = Command::new("find")
            .args(["-type", "f"])
            .current_dir(&root)
            .stdout(Stdio::piped())
            .output();
        assert!(output.unwrap().status.success());
    });
    let cache = store.stat_cache();
    let all = Filter::default();
    let (cold, first) = time(|| scan(&root, &all, Some(&cache)).unwrap());
    let warm = median(|| {
        assert_eq!(
            scan(&root, &all, Some(&cache))
                .unwrap()
                .stats()
                .hashed_files,
            0
        );
    });
    println!(
        "host directory, {} files, {} directories:",
        first.stats().files,
        first.stats().directories
    );
    println!(
        "  find -type f {find:?}; scan cold {cold:?} ({} MB)",
        first.stats().bytes / 1_000_000
    );
    println!(
        "  scan warm {warm:?}: {:.2} times find",
        warm.as_secs_f64() / find.as_secs_f64()
    );
    let filter = Filter::new(
        &["**/*.rs".to_owned()],
        &["package1*".to_owned(), "**/node_modules".to_owned()],
    )
    .unwrap();
    scan(&root, &filter, Some(&cache)).unwrap();
    let filtered = median(|| drop(scan(&root, &filter, Some(&cache)).unwrap()));
    println!("  scan warm with patterns {filtered:?}");
    let (imported, _) = time(|| import(store, lease, &first).unwrap());
    println!(
        "  import {imported:?}; again {:?}",
        median(|| drop(import(store, lease, &first).unwrap()))
    );
}
