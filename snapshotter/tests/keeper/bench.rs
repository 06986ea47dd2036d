//! Measurements, printed; run with `--bench`. `NSCI_BENCH_TAR` names an archive to unpack.

use std::time::Instant;

use nsci_snapshotter::LayerId;
use nsci_snapshotter::keeper::{ApplyLayer, Commit, Compression, Copy, Edit, Prepare};

use crate::lab::{Lab, add, tar};

fn report(what: &str, mut times: Vec<f64>) {
    times.sort_by(f64::total_cmp);
    let (min, median) = (times[0], times[times.len() / 2]);
    println!("{what}: min {min:.3} ms, median {median:.3} ms");
}

fn times(count: usize, mut work: impl FnMut(usize)) -> Vec<f64> {
    let one = |index| {
        let start = Instant::now();
        work(index);
        start.elapsed().as_secs_f64() * 1000.0
    };
    (0..count).map(one).collect()
}

pub(crate) fn run() {
    let lab = Lab::new();
    if let Some(path) = std::env::var_os("NSCI_BENCH_TAR") {
        for (what, hash) in [("unhashed", None), ("hashed", Some("sha256:0".to_owned()))] {
            let start = Instant::now();
            let ask = ApplyLayer {
                id: LayerId::of(what),
                compression: Compression::Auto,
                diff_id: hash,
            };
            let file = std::fs::File::open(&path).unwrap();
            // The wrong digest makes the second run do all the work and publish nothing.
            let result = lab.keeper.apply_layer(ask, file.into());
            let took = start.elapsed().as_secs_f64();
            let entries = result.map_or(0, |layer| layer.entries);
            println!("apply {what}: {took:.2} s, {entries} entries");
        }
        return;
    }
    let archive = tar(|tar| (0..50_000).for_each(|i| add(tar, &format!("d{}/f{i}", i % 500), "x")));
    let start = Instant::now();
    let base = lab.apply(&archive).unwrap();
    println!(
        "apply 50000 small files: {:.2} s",
        start.elapsed().as_secs_f64()
    );
    let layers = vec![base.id];
    report("ping", times(200, |_| lab.keeper.ping().unwrap()));
    let mut prepared = Vec::new();
    let prepare = || Prepare {
        layers: layers.clone(),
        ensure: vec![],
        ..Prepare::default()
    };
    report(
        "prepare",
        times(50, |_| {
            prepared.push(lab.keeper.prepare(prepare()).unwrap());
        }),
    );
    for (index, active) in prepared.iter().enumerate() {
        for file in 0..10 {
            std::fs::write(active.upper.join(format!("new{file}")), format!("{index}")).unwrap();
        }
    }
    let mut actives = prepared.into_iter();
    report(
        "commit of 10 files on 50000",
        times(50, |_| {
            let commit = Commit {
                id: actives.next().unwrap().id,
                stubs: vec![],
            };
            lab.keeper.commit(commit).unwrap().unwrap();
        }),
    );
    report(
        "edit WriteFile",
        times(100, |index| {
            let edit = Edit::WriteFile {
                path: "/etc/new".into(),
                data: format!("{index}").as_str().into(),
                mode: 0o644,
                uid: 0,
                gid: 0,
                mtime: None,
            };
            lab.keeper.edit(&layers, vec![edit]).unwrap().unwrap();
        }),
    );
    report(
        "stat",
        times(100, |_| {
            drop(lab.keeper.stat(&layers, "/d7/f7", true).unwrap());
        }),
    );
    report(
        "open",
        times(100, |_| {
            drop(lab.keeper.open_file(&layers, "/d7/f7").unwrap());
        }),
    );
    report(
        "copy of 50000 files by links",
        times(1, |_| {
            let copy = Edit::Copy(Box::new(Copy::all(layers.clone(), "/", "/copy")));
            lab.keeper.edit(&[], vec![copy]).unwrap();
        }),
    );
    report(
        "digest of 50000 files",
        times(2, |_| {
            drop(lab.keeper.tree_digest(&layers, "/", false).unwrap());
        }),
    );
    report(
        "squash of two layers of 50000",
        times(1, |_| {
            drop(
                lab.keeper
                    .squash(&[layers[0].clone(), layers[0].clone()])
                    .unwrap(),
            );
        }),
    );
}
