use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::time::Duration;

use super::*;
use crate::layout::Store;
use crate::lease::Lease;

/// A host directory and a store to scan it with.
struct Fixture {
    _base: tempfile::TempDir,
    root: PathBuf,
    store: Store,
}

impl Fixture {
    fn new() -> Self {
        let base = tempfile::tempdir().unwrap();
        let root = base.path().join("host");
        fs::create_dir(&root).unwrap();
        let store = Store::open(&base.path().join("store"), "t").unwrap();
        Self {
            _base: base,
            root,
            store,
        }
    }

    fn write(&self, path: &str, content: &str) {
        let path = self.root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Makes files look as if they had been there for long, as far as the scan can tell: waits for the racy time to pass.
    fn settle(&self) {
        // ctime cannot be set, so there is nothing else to do than to let it become old.
        std::thread::sleep(Duration::from_millis(2100));
    }

    fn scan(&self) -> Scan {
        scan(
            &self.root,
            &Filter::default(),
            Some(&self.store.stat_cache()),
        )
        .unwrap()
    }

    fn scan_with(&self, include: &[&str], exclude: &[&str], gitignore: bool) -> Scan {
        let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        let filter = Filter::new(&own(include), &own(exclude))
            .unwrap()
            .with_gitignore(gitignore);
        scan(&self.root, &filter, None).unwrap()
    }
}

fn paths(scan: &Scan) -> Vec<&str> {
    scan.entries()
        .map(|entry| entry.path.to_str().unwrap())
        .collect()
}

#[test]
fn entries_come_in_the_order_of_a_walk() {
    let fixture = Fixture::new();
    for path in ["b", "a/z", "a/b/c", "a.b", "a-b/x"] {
        fixture.write(path, path);
    }
    let scan = fixture.scan();
    assert_eq!(
        paths(&scan),
        ["a", "a/b", "a/b/c", "a/z", "a-b", "a-b/x", "a.b", "b"]
    );
    assert_eq!((scan.stats().files, scan.stats().directories), (5, 3));
}

#[test]
fn digest_tells_content_mode_type_name_and_target_but_not_time() {
    let make = || {
        let fixture = Fixture::new();
        fixture.write("dir/file", "content");
        symlink("file", fixture.root.join("dir/link")).unwrap();
        fixture
    };
    let original = *make().scan().digest();
    assert_eq!(
        original,
        *make().scan().digest(),
        "another copy at another time is the same"
    );

    type Change = fn(&Path);
    let changes: [(&str, Change); 8] = [
        ("content", |root| {
            fs::write(root.join("dir/file"), "Content").unwrap();
        }),
        ("mode", |root| {
            fs::set_permissions(root.join("dir/file"), fs::Permissions::from_mode(0o755)).unwrap();
        }),
        ("directory mode", |root| {
            fs::set_permissions(root.join("dir"), fs::Permissions::from_mode(0o700)).unwrap();
        }),
        ("name", |root| {
            fs::rename(root.join("dir/file"), root.join("dir/fil")).unwrap();
        }),
        ("place", |root| {
            fs::rename(root.join("dir/file"), root.join("file")).unwrap();
        }),
        ("target", |root| {
            fs::remove_file(root.join("dir/link")).unwrap();
            symlink("fil", root.join("dir/link")).unwrap();
        }),
        ("type", |root| {
            fs::remove_file(root.join("dir/link")).unwrap();
            fs::write(root.join("dir/link"), "file").unwrap();
        }),
        ("empty directory", |root| {
            fs::create_dir(root.join("empty")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let fixture = make();
        change(&fixture.root);
        assert_ne!(*fixture.scan().digest(), original, "{what}");
    }
}

#[test]
fn unchanged_files_are_not_read_again() {
    let fixture = Fixture::new();
    for number in 0..100 {
        fixture.write(
            &format!("dir{}/file{number}", number % 7),
            &format!("{number}"),
        );
    }
    fixture.settle();
    let first = fixture.scan();
    assert_eq!(first.stats().hashed_files, 100);
    fixture.write("dir3/file3", "changed");
    let second = fixture.scan();
    assert_eq!(second.stats().hashed_files, 1);
    assert_ne!(first.digest(), second.digest());
    fixture.write("dir3/file3", "3");
    assert_eq!(fixture.scan().digest(), first.digest());
}

/// The length and the times stay the same to whatever the filesystem can tell; only reading helps.
#[test]
fn change_right_after_a_scan_is_seen_even_with_the_same_size_and_time() {
    let fixture = Fixture::new();
    let path = fixture.root.join("file");
    for round in 0..200 {
        fixture.write("file", &format!("{round:04}"));
        let before = fixture.scan();
        let modified = fs::metadata(&path).unwrap().modified().unwrap();
        fixture.write("file", &format!("{:04}", round + 1000));
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_modified(modified)
            .unwrap();
        let after = fixture.scan();
        assert_ne!(before.digest(), after.digest(), "round {round}");
    }
}

#[test]
fn changed_file_with_its_old_time_put_back_is_seen() {
    let fixture = Fixture::new();
    fixture.write("file", "one");
    fixture.settle();
    let before = fixture.scan();
    assert_eq!(
        fixture.scan().stats().hashed_files,
        0,
        "the cache is in use"
    );
    let path = fixture.root.join("file");
    let modified = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "two").unwrap();
    File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_modified(modified)
        .unwrap();
    assert_ne!(fixture.scan().digest(), before.digest());
}

#[test]
fn broken_cache_is_an_empty_cache() {
    let fixture = Fixture::new();
    fixture.write("file", "one");
    fixture.settle();
    let digest = *fixture.scan().digest();
    let cache = fs::read_dir(fixture.store.layout().hostdirs())
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    let whole = fs::read(&cache).unwrap();
    for at in 0..whole.len() {
        let mut broken = whole.clone();
        broken[at] ^= 0x40;
        for content in [&broken[..], &whole[..at]] {
            fs::write(&cache, content).unwrap();
            let scan = fixture.scan();
            assert_eq!(
                (*scan.digest(), scan.stats().hashed_files),
                (digest, 1),
                "byte {at}"
            );
        }
    }
}

#[test]
fn filter_cuts_branches_and_keeps_only_directories_with_something_in_them() {
    let fixture = Fixture::new();
    for path in [
        "src/main.go",
        "src/main.txt",
        "web/node_modules/x/y.go",
        "docs/a.md",
        "dir/keep",
        "dir/drop",
    ] {
        fixture.write(path, path);
    }
    let table: [(&[&str], &[&str], &[&str]); 5] = [
        (
            &["**/*.go"],
            &[],
            &[
                "src",
                "src/main.go",
                "web",
                "web/node_modules",
                "web/node_modules/x",
                "web/node_modules/x/y.go",
            ],
        ),
        (&["**/*.go"], &["**/node_modules"], &["src", "src/main.go"]),
        (
            &[],
            &["src", "web", "docs", "dir", "!dir/keep"],
            &["dir", "dir/keep"],
        ),
        (&["docs"], &[], &["docs", "docs/a.md"]),
        (&["nothing"], &[], &[]),
    ];
    for (include, exclude, expected) in table {
        assert_eq!(
            paths(&fixture.scan_with(include, exclude, false)),
            expected,
            "{include:?} {exclude:?}"
        );
    }
}

#[test]
fn nothing_below_an_excluded_directory_is_looked_at() {
    let fixture = Fixture::new();
    fs::create_dir(fixture.root.join("secret")).unwrap();
    let pipe = fixture.root.join("secret/pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        pipe,
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    // What cannot be imported is counted when it is met.
    assert_eq!(fixture.scan_with(&[], &[], false).stats().skipped, 1);
    assert_eq!(
        fixture.scan_with(&[], &["secret"], false).stats().skipped,
        0
    );
    assert_eq!(fixture.scan_with(&["src"], &[], false).stats().skipped, 0);
}

#[test]
fn gitignore_files_are_honoured_as_git_does() {
    let fixture = Fixture::new();
    fixture.write(
        ".gitignore",
        "# comment\n*.log\n/build\nout/\n!keep.log\nnested/*\n!nested/yes\r\n",
    );
    fixture.write("sub/.gitignore", "local\n!deep.log\n/anchored\n");
    for path in [
        "a.log",
        "keep.log",
        "build/x",
        "sub/build/x",
        "out/x",
        "sub/out/x",
        "file.out/x",
        "nested/yes",
        "nested/no",
        "sub/local",
        "local",
        "sub/deep.log",
        "sub/anchored",
        "sub/more/anchored",
        "build2",
    ] {
        fixture.write(path, path);
    }
    let with = fixture.scan_with(&[], &[], true);
    let files: Vec<&str> = with
        .entries()
        .filter(|entry| entry.kind != EntryKind::Directory)
        .map(|entry| entry.path.to_str().unwrap())
        .collect();
    assert_eq!(
        files,
        [
            ".gitignore",
            "build2",
            "file.out/x",
            "keep.log",
            "local",
            "nested/yes",
            "sub/.gitignore",
            "sub/build/x",
            "sub/deep.log",
            "sub/more/anchored",
        ]
    );
    assert!(fixture.scan_with(&[], &[], false).stats().files > files.len() as u64);
}

#[test]
fn special_files_are_left_out_and_links_are_not_followed() {
    let fixture = Fixture::new();
    fixture.write("file", "x");
    symlink("/", fixture.root.join("root")).unwrap();
    symlink("missing", fixture.root.join("dangling")).unwrap();
    let fifo = fixture.root.join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        Mode::RUSR,
        0,
    )
    .unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(fixture.root.join("socket")).unwrap();
    let scan = fixture.scan();
    assert_eq!(paths(&scan), ["dangling", "file", "root"]);
    assert_eq!((scan.stats().skipped, scan.stats().symlinks), (2, 2));
}

#[test]
fn names_that_are_not_text_and_deep_trees_are_fine() {
    let fixture = Fixture::new();
    let odd = std::ffi::OsStr::from_bytes(b"\xff\xfe\n");
    fs::write(fixture.root.join(odd), "x").unwrap();
    let deep: PathBuf = std::iter::repeat_n("d", 1500).collect();
    fs::create_dir_all(fixture.root.join(&deep)).unwrap();
    let scan = fixture.scan();
    assert_eq!(scan.stats().directories, 1500);
    assert!(scan.entries().any(|entry| entry.path == Path::new(odd)));
}

#[test]
fn directories_on_many_threads_give_what_one_gives() {
    let fixture = Fixture::new();
    for number in 0..600 {
        fixture.write(
            &format!("{}/{}/{number}", number % 40, number % 7),
            &number.to_string(),
        );
    }
    let scan = fixture.scan();
    let mut expected: Vec<PathBuf> = Vec::new();
    let mut pending = vec![fixture.root.clone()];
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                pending.push(path.clone());
            }
            expected.push(path.strip_prefix(&fixture.root).unwrap().to_owned());
        }
    }
    expected.sort();
    let found: Vec<PathBuf> = scan.entries().map(|entry| entry.path.to_owned()).collect();
    assert_eq!(found, expected);
}

#[test]
fn import_copies_everything_and_a_second_import_nothing() {
    let fixture = Fixture::new();
    fixture.write("dir/file", "content");
    fixture.write("big", &"0123456789abcdef".repeat(40_000));
    fixture.write("empty", "");
    symlink("dir/file", fixture.root.join("link")).unwrap();
    let mode = |path: &str, mode| {
        fs::set_permissions(fixture.root.join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode("dir/file", 0o4755);
    mode("big", 0o666);
    mode("dir", 0o555);
    let scan = fixture.scan();
    let lease = Lease::open(&fixture.store).unwrap();
    let layer = import(&fixture.store, &lease, &scan).unwrap();
    let tree = fixture.store.layout().tree_fs(&layer.id);
    assert_eq!(
        super::scan(&tree, &Filter::default(), None)
            .unwrap()
            .digest(),
        scan.digest()
    );
    let time = |root: &Path| {
        fs::metadata(root.join("dir/file"))
            .unwrap()
            .modified()
            .unwrap()
    };
    assert_eq!(time(&tree), time(&fixture.root));

    let info = fs::read(fixture.store.layout().tree_info(&layer.id)).unwrap();
    let read = serde_json::from_slice::<crate::layer::draft::Manifest>(&info).unwrap();
    assert_eq!(
        (read.layer, read.boot),
        (layer.clone(), crate::power::boot_id()),
        "the keeper accepts it"
    );

    let again = import(&fixture.store, &lease, &scan).unwrap();
    assert_eq!(layer, again);
    assert_eq!(
        fs::read_dir(fixture.store.tmp().unwrap()).unwrap().count(),
        0
    );
    mode("dir", 0o755);
    fs::set_permissions(tree.join("dir"), fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn import_refuses_what_changed_since_the_scan() {
    type Change = fn(&Path);
    let changes: [(&str, Change); 5] = [
        ("small", |root| {
            fs::write(root.join("small"), "Content").unwrap();
        }),
        ("large", |root| {
            fs::write(root.join("large"), "F".repeat(300_000)).unwrap();
        }),
        ("longer", |root| {
            fs::write(root.join("small"), "content and more").unwrap();
        }),
        ("gone", |root| fs::remove_file(root.join("small")).unwrap()),
        ("link", |root| {
            fs::remove_file(root.join("small")).unwrap();
            symlink("/etc/passwd", root.join("small")).unwrap();
        }),
    ];
    for (what, change) in changes {
        let fixture = Fixture::new();
        fixture.write("small", "content");
        fixture.write("large", &"f".repeat(300_000));
        let scan = fixture.scan();
        change(&fixture.root);
        let lease = Lease::open(&fixture.store).unwrap();
        let error = import(&fixture.store, &lease, &scan).unwrap_err();
        assert!(
            matches!(error, Error::ChangedWhileReading { .. }),
            "{what}: {error}"
        );
        assert_eq!(
            fs::read_dir(fixture.store.layout().trees())
                .unwrap()
                .count(),
            0,
            "{what}"
        );
        assert_eq!(
            fs::read_dir(fixture.store.tmp().unwrap()).unwrap().count(),
            0,
            "{what}"
        );
    }
}

#[test]
fn one_file_is_scanned_under_its_own_name_even_through_a_link() {
    let fixture = Fixture::new();
    fixture.write("real/target.txt", "content");
    symlink("real/target.txt", fixture.root.join("name.txt")).unwrap();
    let scan = scan_file(&fixture.root.join("name.txt")).unwrap();
    assert_eq!(paths(&scan), ["name.txt"]);
    let lease = Lease::open(&fixture.store).unwrap();
    let layer = import(&fixture.store, &lease, &scan).unwrap();
    let copy = fixture.store.layout().tree_fs(&layer.id).join("name.txt");
    assert_eq!(fs::read_to_string(copy).unwrap(), "content");
    assert!(scan_file(&fixture.root.join("real")).is_err());
    assert!(scan_file(&fixture.root.join("missing")).is_err());
}

#[test]
fn walk_survives_a_directory_that_changes_all_the_time() {
    let fixture = Fixture::new();
    for number in 0..50 {
        fixture.write(&format!("d{number}/f"), "x");
    }
    let stop = std::sync::atomic::AtomicBool::new(false);
    let mut unexpected = Vec::new();
    let outcomes = std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut number = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                let directory = fixture.root.join(format!("d{}", number % 50));
                fs::remove_dir_all(&directory).unwrap();
                if number % 3 == 0 {
                    symlink("/etc", &directory).unwrap();
                    fs::remove_file(&directory).unwrap();
                }
                fs::create_dir(&directory).unwrap();
                fs::write(directory.join("f"), "y").unwrap();
                number += 1;
            }
        });
        let mut outcomes: BTreeMap<bool, usize> = BTreeMap::new();
        for _ in 0..100 {
            match super::scan(&fixture.root, &Filter::default(), None) {
                Ok(scan) => {
                    if scan
                        .entries()
                        .any(|entry| entry.path.components().count() > 2)
                    {
                        unexpected.push("left the directory".to_owned());
                    }
                    *outcomes.entry(true).or_default() += 1;
                }
                Err(Error::ChangedWhileReading { .. }) => *outcomes.entry(false).or_default() += 1,
                Err(error) => unexpected.push(error.to_string()),
            }
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        outcomes
    });
    assert_eq!(unexpected, [""; 0]);
    assert_eq!(outcomes.values().sum::<usize>(), 100);
}
