//! The store between processes: shared, killed at any instant, out of room.
//!
//! Each test starts this binary again as the processes it needs; what those do is in [`worker`].

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a failed set-up is a failed test; workers talk through pipes"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nsci_snapshotter::content::{Expected, verify};
use nsci_snapshotter::gc::{Kind, Policy, PruneOptions};
use nsci_snapshotter::hostdir;
use nsci_snapshotter::lease::{Lease, Ref};
use nsci_snapshotter::lock::{KeyLock, Wait};
use nsci_snapshotter::pattern::Filter;
use nsci_snapshotter::record::{Record, Refs};
use nsci_snapshotter::volume::{Sharing, VolumeName};
use nsci_snapshotter::{Digest, LayerId, RecordKey, Store};

const JOB: &str = "NSCI_TEST_JOB";
const BASE: &str = "NSCI_TEST_BASE";
const SEED: &str = "NSCI_TEST_SEED";

fn open(base: &Path) -> Store {
    Store::open(base, "test").unwrap()
}

/// A command that runs this binary as a worker.
fn worker_command(program: &str, arguments: &[&str], job: &str, base: &Path, seed: u64) -> Command {
    let mut command = Command::new(program);
    command
        .args(arguments)
        .args(["--ignored", "--exact", "--nocapture", "worker"])
        .env(JOB, job)
        .env(BASE, base)
        .env(SEED, seed.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn start(job: &str, base: &Path, seed: u64) -> Child {
    let this = std::env::current_exe().unwrap();
    worker_command(this.to_str().unwrap(), &[], job, base, seed)
        .spawn()
        .unwrap()
}

/// Waits until the worker prints `ready`.
fn await_ready(child: &mut Child) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    let found = lines.map(Result::unwrap).any(|line| line.contains("ready"));
    assert!(found, "the worker ended before it was ready");
}

fn succeed(child: Child) {
    let output = child.wait_with_output().unwrap();
    let text = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&text)
    );
}

#[derive(Debug)]
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }
}

#[test]
#[ignore = "a process that other tests start"]
fn worker() {
    let base = PathBuf::from(std::env::var_os(BASE).expect("started by a test"));
    let seed: u64 = std::env::var(SEED).unwrap().parse().unwrap();
    match std::env::var(JOB).unwrap().as_str() {
        "churn" => churn(&base, seed),
        "build" => build(&base),
        "hold" => hold(&base),
        "download" => download(&base),
        "fill" => fill(&base),
        other => panic!("no job {other}"),
    }
}

fn content(number: u64) -> Vec<u8> {
    format!("content {number} ")
        .repeat(200 + usize::try_from(number).unwrap())
        .into_bytes()
}

fn digest_of(store: &Store, bytes: &[u8]) -> Digest {
    // The store computes it; which blob that leaves behind does not matter to the tests.
    store.content().put_bytes(bytes).unwrap().digest().clone()
}

/// Makes a tree whose every file holds the tree's name, as an unpacker would.
fn make_tree(store: &Store, number: u64) -> LayerId {
    let id = LayerId::of(format!("tree {number}"));
    let tmp = store.tmp_path().unwrap();
    fs::create_dir_all(tmp.join("fs")).unwrap();
    for file in 0..8 {
        fs::write(tmp.join("fs").join(file.to_string()), id.as_str()).unwrap();
    }
    fs::write(tmp.join("layer.json"), format!("{{\"size\":{}}}", 8 * 4096)).unwrap();
    let target = store.layout().tree(&id);
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    // Another process may have made it.
    if fs::rename(&tmp, target).is_err() {
        fs::remove_dir_all(&tmp).unwrap();
    }
    id
}

/// Does everything a store can do, for ever.
fn churn(base: &Path, seed: u64) {
    let store = open(base);
    let mut random = Random(seed * 7919 + 1);
    let host = base.join(format!("host-{seed}"));
    fs::create_dir_all(&host).unwrap();
    loop {
        let lease = Lease::open(&store).unwrap();
        let number = random.below(12);
        match random.below(7) {
            0 => {
                let id = make_tree(&store, number);
                let blob = store
                    .content()
                    .put_bytes(&content(number))
                    .unwrap()
                    .digest()
                    .clone();
                lease
                    .hold(&[Ref::Tree(id.clone()), Ref::Blob(blob.clone())])
                    .unwrap();
                let refs = Refs {
                    trees: vec![id],
                    blobs: vec![blob],
                };
                let record = Record {
                    refs,
                    body: content(number),
                    ..Record::default()
                };
                store
                    .records()
                    .put(&RecordKey::of(number.to_string()), &record)
                    .unwrap();
            }
            1 => {
                let key = RecordKey::of(number.to_string());
                if let Some(record) = store.records().get(&lease, &key).unwrap() {
                    assert_eq!(record.body, content(number));
                    // Held, so it stays whatever the others collect.
                    for reference in record.refs.to_vec() {
                        assert!(
                            reference.exists(store.layout()),
                            "{reference} was taken while held"
                        );
                    }
                }
            }
            2 => {
                let bytes = content(number);
                let digest: Digest = digest_of(&store, &bytes);
                let expected = Expected {
                    digest,
                    size: Some(bytes.len() as u64),
                };
                let mut writer = store.content().writer(Some(&expected)).unwrap();
                let offset = usize::try_from(writer.offset()).unwrap();
                for piece in bytes[offset..].chunks(700) {
                    writer.write_all(piece).unwrap();
                }
                writer.commit().unwrap();
            }
            3 => {
                let policy = Policy {
                    max_used: Some(random.below(400_000)),
                    ..Policy::default()
                };
                store.collect(&policy).unwrap();
            }
            4 => {
                store
                    .prune(&PruneOptions {
                        keep_bytes: Some(200_000),
                        ..PruneOptions::default()
                    })
                    .unwrap();
            }
            5 => {
                fs::write(host.join(number.to_string()), content(random.below(50))).unwrap();
                let scan =
                    hostdir::scan(&host, &Filter::default(), Some(&store.stat_cache())).unwrap();
                hostdir::import(&store, &lease, &scan).unwrap();
            }
            _ => {
                let name = VolumeName {
                    namespace: "churn".to_owned(),
                    key: number.to_string(),
                };
                let volume = store
                    .volumes()
                    .open(&name, Sharing::Shared, &mut |_| Wait::GiveUp);
                if let Ok(volume) = volume {
                    fs::write(volume.path().join(seed.to_string()), "x").unwrap();
                }
                drop(KeyLock::acquire(&store, &number.to_string()).unwrap());
                store.sweep().unwrap();
            }
        }
    }
}

/// Everything that has a name is whole.
fn check(store: &Store) {
    let lease = Lease::open(store).unwrap();
    for entry in store.list().unwrap() {
        match entry.kind {
            Kind::Blob => {
                let digest: Digest = entry.id.parse().unwrap();
                verify(&store.content().path(&digest), &digest).unwrap();
            }
            Kind::Layer => {
                let id: LayerId = entry.id.parse().unwrap();
                assert!(
                    store.layout().tree_info(&id).is_file(),
                    "{id} has a description"
                );
                let files: Vec<_> = fs::read_dir(store.layout().tree_fs(&id)).unwrap().collect();
                let description = fs::read_to_string(store.layout().tree_info(&id)).unwrap();
                if !description.contains("host") {
                    assert_eq!(files.len(), 8);
                    for file in files {
                        assert_eq!(
                            fs::read_to_string(file.unwrap().path()).unwrap(),
                            id.as_str()
                        );
                    }
                }
            }
            Kind::Record => {
                let key: RecordKey = entry.id.parse().unwrap();
                if let Some(record) = store.records().get(&lease, &key).unwrap() {
                    let known = (0..12).any(|number| record.body == content(number));
                    assert!(known, "{key} holds what was put");
                }
            }
            Kind::Volume | Kind::HostCache | Kind::Partial => {}
        }
    }
}

#[test]
fn processes_killed_at_any_instant_leave_only_what_can_be_swept() {
    let base = tempfile::tempdir().unwrap();
    let mut random = Random(20_251);
    let mut seen = 0;
    for round in 0..25 {
        let mut children: Vec<Child> = (0..3)
            .map(|number| start("churn", base.path(), round * 3 + number + 1))
            .collect();
        // How long they live is the point, not a wait for anything.
        std::thread::sleep(Duration::from_millis(20 + random.below(130)));
        for child in &mut children {
            child.kill().unwrap();
        }
        for mut child in children {
            child.wait().unwrap();
            let mut said = String::new();
            child
                .stderr
                .as_mut()
                .unwrap()
                .read_to_string(&mut said)
                .unwrap();
            assert!(!said.contains("panicked"), "round {round}: {said}");
        }
        let store = open(base.path());
        store.sweep().unwrap();
        let layout = store.layout();
        for directory in [layout.tmp(), layout.locks()] {
            assert_eq!(
                fs::read_dir(&directory).unwrap().count(),
                0,
                "{}",
                directory.display()
            );
        }
        check(&store);
        seen += store.list().unwrap().len();
    }
    assert!(seen > 100, "the processes did something: {seen}");

    let store = open(base.path());
    store
        .prune(&PruneOptions {
            all: true,
            ..PruneOptions::default()
        })
        .unwrap();
    assert_eq!(store.list().unwrap(), []);
    assert_eq!(fs::read_dir(store.layout().leases()).unwrap().count(), 0);
}

/// Builds the result of one key unless another process has.
fn build(base: &Path) {
    let store = open(base);
    let lease = Lease::open(&store).unwrap();
    let key = RecordKey::of("shared");
    let _lock = KeyLock::acquire(&store, key.as_str()).unwrap();
    if store.records().get(&lease, &key).unwrap().is_some() {
        return;
    }
    let mut log = fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(base.join("built"))
        .unwrap();
    log.write_all(b"x").unwrap();
    let id = make_tree(&store, 1);
    lease.hold(&[Ref::Tree(id.clone())]).unwrap();
    let refs = Refs {
        trees: vec![id],
        blobs: vec![],
    };
    store
        .records()
        .put(
            &key,
            &Record {
                refs,
                ..Record::default()
            },
        )
        .unwrap();
}

#[test]
fn processes_that_want_the_same_key_build_it_once() {
    let base = tempfile::tempdir().unwrap();
    let children: Vec<Child> = (0..8)
        .map(|seed| start("build", base.path(), seed))
        .collect();
    children.into_iter().for_each(succeed);
    assert_eq!(fs::read(base.path().join("built")).unwrap(), b"x");
}

/// Holds a tree until standard input ends.
fn hold(base: &Path) {
    let store = open(base);
    let lease = Lease::open(&store).unwrap();
    assert_eq!(lease.hold(&[Ref::Tree(LayerId::of("tree 1"))]).unwrap(), []);
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}

#[test]
fn lease_of_another_process_protects_until_it_is_killed() {
    let base = tempfile::tempdir().unwrap();
    let store = open(base.path());
    let id = make_tree(&store, 1);
    let mut child = start("hold", base.path(), 0);
    await_ready(&mut child);
    let everything = PruneOptions {
        all: true,
        ..PruneOptions::default()
    };
    store.prune(&everything).unwrap();
    assert!(store.layout().tree(&id).exists());
    assert!(store.list().unwrap().iter().all(|entry| entry.in_use));

    child.kill().unwrap();
    child.wait().unwrap();
    store.prune(&everything).unwrap();
    assert!(!store.layout().tree(&id).exists());
}

/// Receives part of a blob and is killed.
fn download(base: &Path) {
    let store = open(base);
    let bytes = content(7);
    let expected = Expected {
        digest: expected_digest(base),
        size: Some(bytes.len() as u64),
    };
    let mut writer = store.content().writer(Some(&expected)).unwrap();
    writer.write_all(&bytes[..1000]).unwrap();
    println!("ready");
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    drop(writer);
}

fn expected_digest(base: &Path) -> Digest {
    fs::read_to_string(base.join("digest"))
        .unwrap()
        .parse()
        .unwrap()
}

#[test]
fn download_of_a_killed_process_is_resumed() {
    let base = tempfile::tempdir().unwrap();
    let store = open(base.path());
    let bytes = content(7);
    let digest = digest_of(&store, &bytes);
    store.content().remove(&digest).unwrap();
    fs::write(base.path().join("digest"), digest.to_string()).unwrap();
    let mut child = start("download", base.path(), 0);
    await_ready(&mut child);
    child.kill().unwrap();
    child.wait().unwrap();

    store.sweep().unwrap();
    let expected = Expected {
        digest: digest.clone(),
        size: Some(bytes.len() as u64),
    };
    let mut writer = store.content().writer(Some(&expected)).unwrap();
    assert_eq!(writer.offset(), 1000);
    writer.write_all(&bytes[1000..]).unwrap();
    writer.commit().unwrap();
    assert_eq!(store.content().read(&digest).unwrap().unwrap(), bytes);
}

/// Fills a small filesystem, then makes room.
fn fill(base: &Path) {
    let store = open(base);
    let mut stored = Vec::new();
    let error = loop {
        let bytes = vec![u8::try_from(stored.len() % 251).unwrap(); 20_000 + stored.len()];
        match store.content().put_bytes(&bytes) {
            Ok(written) => stored.push(written.digest().clone()),
            Err(error) => break error,
        }
        assert!(stored.len() < 1000, "the filesystem is never full");
    };
    assert!(error.is_out_of_space(), "{error}");
    let host = base.join("host");
    fs::create_dir(&host).ok();
    for digest in &stored {
        verify(&store.content().path(digest), digest).unwrap();
    }
    assert_eq!(fs::read_dir(store.tmp().unwrap()).unwrap().count(), 0);

    let report = store.prune(&PruneOptions::default()).unwrap();
    assert_eq!(report.removed.len(), stored.len());
    store.content().put_bytes(&[1; 20_000]).unwrap();
    assert_eq!(store.list().unwrap().len(), 1);
}

#[test]
fn full_disk_is_reported_and_pruned_free() {
    let base = tempfile::tempdir().unwrap();
    let this = std::env::current_exe().unwrap();
    let script = "mount -t tmpfs -o size=512k,mode=700 none \"$NSCI_TEST_BASE\" && exec \"$@\"";
    let inside = [
        "--user",
        "--map-root-user",
        "--mount",
        "sh",
        "-c",
        script,
        "sh",
        this.to_str().unwrap(),
    ];
    let child = worker_command("unshare", &inside, "fill", base.path(), 0).spawn();
    succeed(child.expect("unshare(1) is needed to make a small filesystem"));
}
