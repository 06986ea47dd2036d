//! What layers, edits and exports do.

use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;
use std::{fs, thread};

use nsci_snapshotter::keeper::{
    ApplyLayer, Commit, Compression, Copy, Data, Edit, Ensure, EnsureKind, Expect, Export,
    ExportKind, FileKind, Mount, Prepare, Source,
};
use nsci_snapshotter::{AppliedLayer, Error, LayerId};
use sha2::{Digest as _, Sha256};
use tar::EntryType;

use crate::lab::{Lab, add, dir, file, gzip, link, pax, raw, tar};

pub(crate) const TESTS: &[(&str, fn())] = &[
    ("layer_is_readable", layer_is_readable),
    (
        "sockets_listen_for_their_owner",
        sockets_listen_for_their_owner,
    ),
    ("whiteout_hides_lower_file", whiteout_hides_lower_file),
    (
        "opaque_directory_hides_lower_content",
        opaque_directory_hides_lower_content,
    ),
    (
        "kernel_overlay_agrees_with_view",
        kernel_overlay_agrees_with_view,
    ),
    ("attributes_survive", attributes_survive),
    ("later_entries_win", later_entries_win),
    (
        "compressions_give_the_same_tree",
        compressions_give_the_same_tree,
    ),
    ("sparse_files_keep_holes", sparse_files_keep_holes),
    (
        "wrong_diff_id_publishes_nothing",
        wrong_diff_id_publishes_nothing,
    ),
    (
        "same_layer_applied_at_once_is_one",
        same_layer_applied_at_once_is_one,
    ),
    (
        "killed_keeper_leaves_only_garbage",
        killed_keeper_leaves_only_garbage,
    ),
    (
        "commit_names_content_not_times",
        commit_names_content_not_times,
    ),
    ("untouched_commit_is_nothing", untouched_commit_is_nothing),
    ("stubs_leave_no_trace", stubs_leave_no_trace),
    ("used_stubs_stay", used_stubs_stay),
    ("ensure_resolves_links_inside", ensure_resolves_links_inside),
    (
        "mounted_layers_can_be_committed",
        mounted_layers_can_be_committed,
    ),
    (
        "edits_resolve_inside_the_root",
        edits_resolve_inside_the_root,
    ),
    ("edit_keeps_parents", edit_keeps_parents),
    (
        "remove_and_recreate_hides_the_old",
        remove_and_recreate_hides_the_old,
    ),
    ("removing_with_patterns", removing_with_patterns),
    ("copy_filters_and_owners", copy_filters_and_owners),
    ("copy_shares_content", copy_shares_content),
    ("copy_from_host", copy_from_host),
    ("copy_merges_and_refuses", copy_merges_and_refuses),
    ("chown_chmod_and_times", chown_chmod_and_times),
    ("rename_moves", rename_moves),
    ("parallel_edits", parallel_edits),
    ("diff_applies_to_lower", diff_applies_to_lower),
    ("squash_is_equivalent", squash_is_equivalent),
    (
        "implied_directories_fit_the_layers_below",
        implied_directories_fit_the_layers_below,
    ),
    ("digests_name_content", digests_name_content),
    ("globs_and_walks", globs_and_walks),
    ("users_come_from_the_snapshot", users_come_from_the_snapshot),
    ("export_merges_and_wipes", export_merges_and_wipes),
    (
        "export_does_not_write_through_links",
        export_does_not_write_through_links,
    ),
    ("export_of_files", export_of_files),
    ("trash_is_emptied", trash_is_emptied),
    (
        "unsynced_layer_of_another_boot_is_missing",
        unsynced_layer_of_another_boot_is_missing,
    ),
    ("large_messages_arrive", large_messages_arrive),
];

fn write(path: &str, text: &str) -> Edit {
    let (path, data) = (path.to_owned(), Data::from(text));
    Edit::WriteFile {
        path,
        data,
        mode: 0o644,
        uid: 0,
        gid: 0,
        mtime: None,
    }
}

fn remove(path: &str) -> Edit {
    Edit::Remove {
        path: path.into(),
        glob: false,
    }
}

fn edited(lab: &Lab, layers: &[LayerId], edits: Vec<Edit>) -> Vec<LayerId> {
    let layer = lab.keeper.edit(layers, edits).unwrap().unwrap();
    layers.iter().cloned().chain([layer.id]).collect()
}

fn stat(lab: &Lab, layers: &[LayerId], path: &str) -> nsci_snapshotter::keeper::Stat {
    lab.keeper
        .stat(layers, path, false)
        .unwrap()
        .unwrap_or_else(|| panic!("no {path}"))
}

fn exists(lab: &Lab, layers: &[LayerId], path: &str) -> bool {
    lab.keeper.stat(layers, path, false).unwrap().is_some()
}

fn layer_is_readable() {
    let lab = Lab::new();
    let layer = lab.layer(|tar| {
        dir(tar, "./", 0o755);
        dir(tar, "./a/", 0o750);
        add(tar, "./a/b", "hello");
        link(tar, "l", "/a/b");
    });
    assert_eq!(layer.entries, 3);
    let layers = [layer.id];
    assert_eq!(lab.text(&layers, "/l"), "hello");
    assert_eq!(lab.text(&layers, "../../l"), "hello");
    assert_eq!(lab.names(&layers, "/"), ["a", "l"]);
    assert_eq!(stat(&lab, &layers, "l").target.as_deref(), Some("/a/b"));
    assert_eq!(stat(&lab, &layers, "a").mode, 0o750);
    assert!(matches!(
        lab.keeper.open_file(&layers, "/a"),
        Err(Error::IsADirectory { .. })
    ));
    assert!(matches!(
        lab.keeper.open_file(&layers, "/x"),
        Err(Error::NotFound { .. })
    ));
    assert!(matches!(
        lab.keeper.read_dir(&layers, "/l"),
        Err(Error::NotADirectory { .. })
    ));
    let unknown = [LayerId::of("unknown")];
    assert!(matches!(
        lab.keeper.read_dir(&unknown, "/"),
        Err(Error::UnknownLayer { .. })
    ));
    assert_eq!(lab.names(&[], "/"), [""; 0]);
}

/// Two layers: the upper hides `/d/gone` and everything old in `/o`.
fn stacked(lab: &Lab) -> Vec<LayerId> {
    let below = lab.layer(|tar| {
        dir(tar, "d/", 0o755);
        add(tar, "d/gone", "1");
        add(tar, "d/stays", "2");
        dir(tar, "o/", 0o755);
        add(tar, "o/old", "3");
        dir(tar, "dir/", 0o755);
        add(tar, "dir/x", "4");
        add(tar, "file", "5");
    });
    let above = lab.layer(|tar| {
        add(tar, "d/.wh.gone", "");
        add(tar, "d/new", "6");
        dir(tar, "o/", 0o755);
        add(tar, "o/young", "7");
        add(tar, "o/.wh..wh..opq", "");
        add(tar, "dir", "now a file");
        dir(tar, "file/", 0o755);
        add(tar, "file/in", "8");
    });
    vec![below.id, above.id]
}

fn whiteout_hides_lower_file() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    assert_eq!(lab.names(&layers, "/d"), ["new", "stays"]);
    assert!(!exists(&lab, &layers, "/d/gone"));
    assert_eq!(lab.text(&layers, "/dir"), "now a file");
    assert_eq!(lab.names(&layers, "/file"), ["in"]);
    let gone_and_back = lab.layer(|tar| {
        add(tar, ".wh.d", "");
        dir(tar, "d/", 0o755);
        add(tar, "d/only", "9");
    });
    let layers = [layers, vec![gone_and_back.id]].concat();
    assert_eq!(
        lab.names(&layers, "/d"),
        ["only"],
        "whiteout and directory of one layer"
    );
}

fn opaque_directory_hides_lower_content() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    assert_eq!(lab.names(&layers, "/o"), ["young"]);
}

fn kernel_overlay_agrees_with_view() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let mounted = lab
        .keeper
        .mount(Mount {
            layers: layers.clone(),
            ..Mount::default()
        })
        .unwrap();
    let mut seen: Vec<String> = Vec::new();
    let mut todo = vec![mounted.path.clone()];
    while let Some(path) = todo.pop() {
        for entry in fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            seen.push(
                path.strip_prefix(&mounted.path)
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .to_owned(),
            );
            if path.is_dir() {
                todo.push(path);
            }
        }
    }
    seen.sort();
    let mut ours: Vec<String> = lab
        .keeper
        .walk(&layers, "/")
        .unwrap()
        .into_iter()
        .map(|entry| entry.name)
        .collect();
    ours.sort();
    assert_eq!(seen, ours);
    lab.keeper.unmount(&mounted.id).unwrap();
    assert!(!mounted.path.exists());
    let single = lab.keeper.mount(Mount {
        layers: layers[..1].to_vec(),
        subpath: "d/stays".into(),
        writable: false,
    });
    let single = single.unwrap();
    assert_eq!(fs::read_to_string(&single.source).unwrap(), "2");
    assert_eq!(single.kind, FileKind::File);
}

fn attributes_survive() {
    let lab = Lab::new();
    let layer = lab.layer(|tar| {
        let mut header = tar::Header::new_gnu();
        header.set_uid(33);
        header.set_gid(44);
        header.set_mode(0o6755);
        header.set_size(1);
        header.set_mtime(5);
        pax(
            tar,
            &[
                ("SCHILY.xattr.user.mine", b"a\0b\n"),
                ("SCHILY.xattr.user.overlay.opaque", b"y"),
                ("SCHILY.xattr.trusted.overlay.opaque", b"y"),
                ("SCHILY.xattr.user.fuseoverlayfs.opaque", b"y"),
                ("mtime", b"1700000000.123456789"),
            ],
        );
        tar.append_data(&mut header, "suid", &b"x"[..]).unwrap();
        raw(tar, EntryType::Link, "hard", "./suid", 0o644, b"");
        raw(tar, EntryType::Fifo, "fifo", "", 0o600, b"");
        raw(tar, EntryType::Char, "null", "", 0o666, b"");
        dir(tar, "late/", 0o1777);
        add(tar, "late/file", "1");
        pax(tar, &[("path", "ü/".repeat(150).as_bytes())]);
        dir(tar, "short/", 0o755);
        let mut long = tar::Header::new_gnu();
        long.set_size(2);
        long.set_mode(0o644);
        tar.append_data(&mut long, format!("{}/f", "n".repeat(200)), &b"ab"[..])
            .unwrap();
    });
    let suid = fs::symlink_metadata(lab.fs(&layer).join("suid")).unwrap();
    assert_eq!(
        (suid.uid(), suid.gid(), suid.mode() & 0o7777),
        (33, 44, 0o6755)
    );
    assert_eq!(
        (suid.mtime(), suid.mtime_nsec(), suid.nlink()),
        (1_700_000_000, 123_456_789, 2)
    );
    let mut names = vec![0; 1024];
    let length = rustix::fs::listxattr(lab.fs(&layer).join("suid"), &mut names[..]).unwrap();
    assert_eq!(&names[..length], b"user.mine\0");
    let late = fs::symlink_metadata(lab.fs(&layer).join("late")).unwrap();
    assert_eq!(
        (late.mtime(), late.mode() & 0o7777),
        (1_600_000_000, 0o1777)
    );
    let layers = [layer.id.clone()];
    assert_eq!(stat(&lab, &layers, "fifo").kind, FileKind::Other);
    assert!(!exists(&lab, &layers, "null"));
    assert!(exists(&lab, &layers, &"ü/".repeat(150)));
    assert_eq!(lab.text(&layers, &format!("{}/f", "n".repeat(200))), "ab");
    let manifest = fs::read_to_string(lab.layout().tree(&layer.id).join("layer.json")).unwrap();
    assert!(manifest.contains(r#""path":"null""#), "{manifest}");
}

fn later_entries_win() {
    let lab = Lab::new();
    let layer = lab.layer(|tar| {
        add(tar, "twice", "old");
        add(tar, "twice", "new");
        dir(tar, "was-dir/", 0o755);
        add(tar, "was-dir/x", "1");
        add(tar, "was-dir", "file");
        add(tar, "was-file", "1");
        dir(tar, "was-file/", 0o711);
        add(tar, "was-file/in", "2");
        link(tar, "was-link", "twice");
        add(tar, "was-link", "own");
        dir(tar, "real/", 0o755);
        link(tar, "alias", "real");
        add(tar, "alias/through", "3");
        add(tar, "deep/er/file", "4");
        link(tar, "lower-only", "usr/bin");
        add(tar, "lower-only/tool", "5");
        dir(tar, "real/", 0o700);
    });
    let layers = [layer.id];
    for (path, text) in [
        ("twice", "new"),
        ("was-dir", "file"),
        ("was-file/in", "2"),
        ("was-link", "own"),
        ("real/through", "3"),
        ("deep/er/file", "4"),
        ("usr/bin/tool", "5"),
    ] {
        assert_eq!(lab.text(&layers, path), text, "{path}");
    }
    assert_eq!(stat(&lab, &layers, "real").mode, 0o700);
    assert_eq!(stat(&lab, &layers, "deep").mode, 0o755);
}

fn compressions_give_the_same_tree() {
    let lab = Lab::new();
    let plain = tar(|tar| (0..300).for_each(|i| add(tar, &format!("f{i}"), &"data".repeat(i * 7))));
    let (head, tail) = plain.split_at(70_000);
    let members = [gzip(head), gzip(tail)].concat();
    let frames = [
        zstd::encode_all(head, 1).unwrap(),
        zstd::encode_all(tail, 1).unwrap(),
    ]
    .concat();
    let digest = |archive: &[u8]| {
        let layer = lab.apply(archive).unwrap();
        lab.keeper.tree_digest(&[layer.id], "/", false).unwrap()
    };
    let expected = digest(&plain);
    for archive in [
        gzip(&plain),
        members,
        zstd::encode_all(&plain[..], 3).unwrap(),
        frames,
    ] {
        assert_eq!(digest(&archive), expected);
    }
}

fn sparse_files_keep_holes() {
    let lab = Lab::new();
    let mib = 1 << 20;
    /// Format, PAX records, and what precedes the data.
    type Sparse = (&'static str, Vec<(&'static str, Vec<u8>)>, Vec<u8>);
    let maps: [Sparse; 3] = [
        (
            "0.1",
            vec![
                (
                    "GNU.sparse.map",
                    format!("{mib},3,{},0", 2 * mib).into_bytes(),
                ),
                ("GNU.sparse.size", format!("{}", 2 * mib).into_bytes()),
                ("GNU.sparse.name", b"sparse".to_vec()),
            ],
            b"abc".to_vec(),
        ),
        (
            "0.0",
            vec![
                ("GNU.sparse.size", format!("{}", 2 * mib).into_bytes()),
                ("GNU.sparse.offset", format!("{mib}").into_bytes()),
                ("GNU.sparse.numbytes", b"3".to_vec()),
            ],
            b"abc".to_vec(),
        ),
        (
            "1.0",
            vec![
                ("GNU.sparse.major", b"1".to_vec()),
                ("GNU.sparse.minor", b"0".to_vec()),
                ("GNU.sparse.name", b"sparse".to_vec()),
                ("GNU.sparse.realsize", format!("{}", 2 * mib).into_bytes()),
            ],
            {
                let mut data = format!("1\n{mib}\n3\n").into_bytes();
                data.resize(512, 0);
                data.extend_from_slice(b"abc");
                data
            },
        ),
    ];
    for (version, records, data) in maps {
        let layer = lab.layer(|tar| {
            let records: Vec<(&str, &[u8])> = records.iter().map(|(k, v)| (*k, &v[..])).collect();
            pax(tar, &records);
            raw(tar, EntryType::Regular, "sparse", "", 0o644, &data);
            add(tar, "after", "next");
        });
        check_sparse(&lab, &layer, version);
    }
    let source = lab.dir.path().join("sparse");
    let out = fs::File::create(&source).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&out, b"abc", mib).unwrap();
    out.set_len(2 * mib).unwrap();
    fs::write(lab.dir.path().join("after"), "next").unwrap();
    for format in ["gnu", "posix"] {
        let archive = std::process::Command::new("tar")
            .args(["-S", &format!("--format={format}"), "-c", "sparse", "after"])
            .current_dir(lab.dir.path())
            .output()
            .unwrap();
        assert!(archive.status.success());
        let layer = lab.apply(&archive.stdout).unwrap();
        check_sparse(&lab, &layer, format);
    }
}

fn check_sparse(lab: &Lab, layer: &AppliedLayer, version: &str) {
    let path = lab.fs(layer).join("sparse");
    let meta = fs::metadata(&path).unwrap();
    assert_eq!(meta.len(), 2 << 20, "{version}");
    assert!(
        meta.blocks() * 512 < 1 << 20,
        "{version}: {} blocks",
        meta.blocks()
    );
    assert_eq!(
        &fs::read(&path).unwrap()[1 << 20..][..4],
        b"abc\0",
        "{version}"
    );
    assert_eq!(
        lab.text(std::slice::from_ref(&layer.id), "after"),
        "next",
        "{version}"
    );
}

fn wrong_diff_id_publishes_nothing() {
    let lab = Lab::new();
    let archive = tar(|tar| add(tar, "f", "x"));
    let right = format!("sha256:{}", hex(&Sha256::digest(&archive)));
    let ask = |diff_id: &str| ApplyLayer {
        id: LayerId::of("layer"),
        compression: Compression::Gzip,
        diff_id: Some(diff_id.to_owned()),
    };
    let wrong = format!("sha256:{}", "0".repeat(64));
    let result = lab.keeper.apply_layer(ask(&wrong), file(&gzip(&archive)));
    assert!(
        matches!(result, Err(Error::DigestMismatch { .. })),
        "{result:?}"
    );
    assert!(!lab.keeper.has_layer(&LayerId::of("layer")).unwrap());
    let layer = lab
        .keeper
        .apply_layer(ask(&right), file(&gzip(&archive)))
        .unwrap();
    assert_eq!(layer.diff_id, Some(right.clone()));
    assert!(lab.keeper.has_layer(&layer.id).unwrap());
    let again = lab
        .keeper
        .apply_layer(ask(&right), file(b"not read"))
        .unwrap();
    assert_eq!(again, layer);
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn same_layer_applied_at_once_is_one() {
    let lab = Lab::new();
    let archive = tar(|tar| (0..500).for_each(|i| add(tar, &format!("f{i}"), "x")));
    thread::scope(|scope| {
        let apply = || scope.spawn(|| lab.apply(&archive).unwrap());
        let all: Vec<_> = (0..6).map(|_| apply()).collect::<Vec<_>>();
        let all: Vec<AppliedLayer> = all.into_iter().map(|one| one.join().unwrap()).collect();
        assert!(all.iter().all(|layer| *layer == all[0]));
        assert_eq!(lab.names(std::slice::from_ref(&all[0].id), "/").len(), 500);
    });
}

fn killed_keeper_leaves_only_garbage() {
    let mut lab = Lab::new();
    let archive = tar(|tar| (0..2000).for_each(|i| add(tar, &format!("f{i}"), "some data")));
    let (read, write) = rustix::pipe::pipe().unwrap();
    let ask = || ApplyLayer {
        id: LayerId::of("l"),
        compression: Compression::None,
        diff_id: None,
    };
    let Lab { keeper, child, .. } = &mut lab;
    thread::scope(|scope| {
        let call = scope.spawn(|| keeper.apply_layer(ask(), read));
        let mut pipe = fs::File::from(write);
        pipe.write_all(&archive[..archive.len() / 2]).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(matches!(call.join().unwrap(), Err(Error::Disconnected)));
    });
    assert!(matches!(lab.keeper.ping(), Err(Error::Disconnected)));
    let trees = fs::read_dir(lab.layout().root().join("trees"))
        .unwrap()
        .count();
    assert_eq!(trees, 0);
    let (keeper, mut child) = lab.another();
    let layer = keeper.apply_layer(ask(), file(&archive)).unwrap();
    assert_eq!(layer.entries, 2000);
    assert_eq!(keeper.read_dir(&[layer.id], "/").unwrap().len(), 2000);
    keeper.empty_trash().unwrap();
    drop(keeper);
    assert!(child.wait().unwrap().success());
    assert_eq!(
        fs::read_dir(lab.layout().tmp()).unwrap().count(),
        0,
        "garbage was swept"
    );
}

fn commit_of(lab: &Lab, layers: &[LayerId], work: impl Fn(&Path)) -> Option<AppliedLayer> {
    let ask = Mount {
        layers: layers.to_vec(),
        subpath: String::new(),
        writable: true,
    };
    let mounted = lab.keeper.mount(ask).unwrap();
    work(&mounted.path);
    lab.keeper
        .commit(Commit {
            id: mounted.id,
            stubs: vec![],
        })
        .unwrap()
}

fn commit_names_content_not_times() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let work = |seconds: i64| {
        move |root: &Path| {
            fs::write(root.join("d/new"), "changed").unwrap();
            fs::remove_file(root.join("d/stays")).unwrap();
            fs::remove_dir_all(root.join("o")).unwrap();
            fs::create_dir(root.join("o")).unwrap();
            fs::set_permissions(root.join("dir"), fs::Permissions::from_mode(0o4755)).unwrap();
            let times = rustix::fs::Timespec {
                tv_sec: seconds,
                tv_nsec: 0,
            };
            let times = rustix::fs::Timestamps {
                last_access: times,
                last_modification: times,
            };
            let at = rustix::fs::AtFlags::empty();
            rustix::fs::utimensat(rustix::fs::CWD, root.join("d/new"), &times, at).unwrap();
        }
    };
    let first = commit_of(&lab, &layers, work(100)).unwrap();
    let second = commit_of(&lab, &layers, work(200)).unwrap();
    assert_eq!(first, second);
    let third = commit_of(&lab, &layers, |root| {
        fs::write(root.join("d/new"), "other").unwrap();
    });
    assert_ne!(first.id, third.unwrap().id);
    let all = [layers, vec![first.id.clone()]].concat();
    assert_eq!(lab.names(&all, "/d"), ["new"]);
    assert_eq!(lab.names(&all, "/o"), [""; 0]);
    assert_eq!(stat(&lab, &all, "dir").mode, 0o4755);
    let mut names = vec![0; 1024];
    let length = rustix::fs::listxattr(lab.fs(&first).join("d"), &mut names[..]).unwrap();
    assert_eq!(&names[..length], b"", "marks of the kernel are stripped");
}

fn untouched_commit_is_nothing() {
    let lab = Lab::new();
    let base = lab.layer(|tar| dir(tar, "./", 0o711));
    let layers = [base.id];
    let active = lab
        .keeper
        .prepare(Prepare {
            layers: layers.to_vec(),
            ensure: vec![],
            ..Prepare::default()
        })
        .unwrap();
    assert_eq!(fs::metadata(&active.upper).unwrap().mode() & 0o7777, 0o711);
    // The layer, and what every step finds below its layers.
    assert_eq!(active.lowers.len(), 2);
    let commit = |id: &str| {
        lab.keeper.commit(Commit {
            id: id.into(),
            stubs: vec![],
        })
    };
    assert!(commit(&active.id).unwrap().is_none());
    assert!(matches!(
        commit(&active.id),
        Err(Error::UnknownActive { .. })
    ));
    assert!(commit_of(&lab, &layers, |_| {}).is_none());
    let changed = commit_of(&lab, &layers, |root| {
        fs::set_permissions(root, fs::Permissions::from_mode(0o755)).unwrap();
    });
    assert_eq!(
        stat(&lab, &[layers[0].clone(), changed.unwrap().id], "/").mode,
        0o755
    );
    let active = lab.keeper.prepare(Prepare::default()).unwrap();
    assert_eq!(active.lowers.len(), 1, "scratch has an empty lower");
    lab.keeper.discard(&active.id).unwrap();
}

fn ensure(path: &str, kind: EnsureKind) -> Ensure {
    Ensure {
        path: path.into(),
        kind,
        uid: 7,
        gid: 8,
        mode: 0o750,
    }
}

fn stubs_leave_no_trace() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let ensure = vec![
        ensure("/d/mnt/deep", EnsureKind::Dir),
        ensure("/d/secret", EnsureKind::File),
        ensure("/d/stays", EnsureKind::Any),
    ];
    let active = lab
        .keeper
        .prepare(Prepare {
            layers: layers.clone(),
            ensure,
            ..Prepare::default()
        })
        .unwrap();
    assert_eq!(active.ensured[0].created, ["/d/mnt", "/d/mnt/deep"]);
    assert_eq!(active.ensured[1].created, ["/d/secret"]);
    assert_eq!(active.ensured[2].created, [""; 0]);
    let deep = fs::metadata(active.upper.join("d/mnt/deep")).unwrap();
    assert_eq!(
        (deep.uid(), deep.gid(), deep.mode() & 0o7777),
        (7, 8, 0o750)
    );
    let stubs = active
        .ensured
        .iter()
        .flat_map(|ensured| ensured.created.clone())
        .collect();
    assert!(
        lab.keeper
            .commit(Commit {
                id: active.id,
                stubs
            })
            .unwrap()
            .is_none()
    );
}

fn used_stubs_stay() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let victim = lab.dir.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("hosts"), "").unwrap();
    let ensure = vec![
        ensure("/m/used", EnsureKind::Dir),
        ensure("/opt/hosts", EnsureKind::File),
    ];
    let active = lab
        .keeper
        .prepare(Prepare {
            layers: layers.clone(),
            ensure,
            ..Prepare::default()
        })
        .unwrap();
    fs::write(active.upper.join("m/used/file"), "kept").unwrap();
    fs::remove_dir_all(active.upper.join("opt")).unwrap();
    symlink(&victim, active.upper.join("opt")).unwrap();
    let mut stubs: Vec<String> = active
        .ensured
        .iter()
        .flat_map(|ensured| ensured.created.clone())
        .collect();
    stubs.extend(["/../../..".into(), "/d/stays".into()]);
    let layer = lab
        .keeper
        .commit(Commit {
            id: active.id,
            stubs,
        })
        .unwrap()
        .unwrap();
    let all = [layers, vec![layer.id]].concat();
    assert_eq!(lab.text(&all, "/m/used/file"), "kept");
    assert_eq!(lab.text(&all, "/d/stays"), "2");
    assert!(
        victim.join("hosts").exists(),
        "cleaning up must not leave the upper"
    );
}

fn ensure_resolves_links_inside() {
    let lab = Lab::new();
    let base = lab.layer(|tar| {
        link(tar, "out", "/../../../victim");
        link(tar, "var", "real");
        dir(tar, "real/", 0o755);
        add(tar, "file", "x");
    });
    let layers = vec![base.id];
    let prepare = |ensure| {
        lab.keeper.prepare(Prepare {
            layers: layers.clone(),
            ensure,
            ..Prepare::default()
        })
    };
    let active = prepare(vec![
        ensure("/out/dir", EnsureKind::Dir),
        ensure("var/cache", EnsureKind::Dir),
    ])
    .unwrap();
    let paths: Vec<&str> = active
        .ensured
        .iter()
        .map(|ensured| &ensured.path[..])
        .collect();
    assert_eq!(paths, ["/victim/dir", "/real/cache"]);
    let result = prepare(vec![ensure("/file/x", EnsureKind::Dir)]);
    assert!(
        matches!(result, Err(Error::NotADirectory { .. })),
        "{result:?}"
    );
    let result = prepare(vec![ensure("/file", EnsureKind::Dir)]);
    assert!(
        matches!(result, Err(Error::NotADirectory { .. })),
        "{result:?}"
    );
    let result = prepare(vec![ensure("/real", EnsureKind::File)]);
    assert!(
        matches!(result, Err(Error::IsADirectory { .. })),
        "{result:?}"
    );
}

fn mounted_layers_can_be_committed() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let ask = Mount {
        layers: layers.clone(),
        subpath: "d".into(),
        writable: true,
    };
    let mounted = lab.keeper.mount(ask).unwrap();
    assert_eq!(mounted.source, mounted.path.join("d"));
    fs::write(mounted.source.join("added"), "by a step").unwrap();
    let layer = lab
        .keeper
        .commit(Commit {
            id: mounted.id,
            stubs: vec![],
        })
        .unwrap()
        .unwrap();
    assert!(!mounted.path.exists());
    assert_eq!(
        lab.text(&[layers, vec![layer.id]].concat(), "/d/added"),
        "by a step"
    );
}

fn edits_resolve_inside_the_root() {
    let lab = Lab::new();
    let victim = lab.dir.path().join("victim");
    fs::create_dir(&victim).unwrap();
    let out = victim.to_str().unwrap().to_owned();
    let base = lab.layer(|tar| {
        pax(tar, &[("linkpath", out.as_bytes())]);
        link(tar, "abs", "x");
        link(tar, "up", "../../../../../../tmp");
        link(tar, "loop", "loop");
        add(tar, "file", "x");
    });
    let layers = [base.id];
    let layers = edited(
        &lab,
        &layers,
        vec![
            write("/abs/f", "1"),
            write("../../up/g", "2"),
            Edit::Mkdir {
                path: "/abs/../up/d".into(),
                mode: 0o700,
                uid: 0,
                gid: 0,
            },
        ],
    );
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 0);
    assert_eq!(lab.text(&layers, &format!("{out}/f")), "1");
    assert_eq!(lab.text(&layers, "/tmp/g"), "2");
    assert!(
        lab.keeper
            .edit(&layers, vec![write("/loop/x", "")])
            .is_err()
    );
    assert!(
        lab.keeper
            .edit(&layers, vec![write("/file/x", "")])
            .is_err()
    );
    assert!(lab.keeper.edit(&layers, vec![write("/tmp", "")]).is_err());
    assert!(lab.keeper.edit(&layers, vec![write("a\0b", "")]).is_err());
}

fn edit_keeps_parents() {
    let lab = Lab::new();
    let base = lab.layer(|tar| {
        dir(tar, "t/", 0o1777);
        add(tar, "t/old", "x");
    });
    let layers = edited(
        &lab,
        &[base.id],
        vec![write("/t/new", "y"), write("/n/e/w", "z")],
    );
    assert_eq!(lab.names(&layers, "/t"), ["new", "old"]);
    assert_eq!(stat(&lab, &layers, "/t").mode, 0o1777);
    assert_eq!(stat(&lab, &layers, "/n/e").mode, 0o755);
    let nothing = lab
        .keeper
        .edit(&layers, vec![remove("/not/there")])
        .unwrap();
    assert!(nothing.is_none());
}

fn remove_and_recreate_hides_the_old() {
    let lab = Lab::new();
    let base = lab.layer(|tar| {
        dir(tar, "d/", 0o755);
        add(tar, "d/old", "x");
        add(tar, "f", "x");
    });
    let mkdir = Edit::Mkdir {
        path: "/d".into(),
        mode: 0o755,
        uid: 0,
        gid: 0,
    };
    let layers = edited(&lab, &[base.id], vec![remove("/d"), mkdir, remove("f")]);
    assert_eq!(lab.names(&layers, "/d"), [""; 0]);
    assert_eq!(lab.names(&layers, "/"), ["d"]);
    let layers = edited(
        &lab,
        &layers,
        vec![write("/d/x/y", "1"), remove("/d/x"), write("f", "2")],
    );
    assert_eq!(lab.names(&layers, "/d"), [""; 0]);
    assert_eq!(lab.text(&layers, "f"), "2");
    let layers = edited(&lab, &layers, vec![remove("/")]);
    assert_eq!(lab.names(&layers, "/"), [""; 0]);
}

fn removing_with_patterns() {
    let lab = Lab::new();
    let base = lab.layer(|tar| {
        for name in ["a.log", "b.txt", "sub/c.log", "sub/deep/d.log"] {
            add(tar, name, "x");
        }
    });
    let by = |path: &str| {
        vec![Edit::Remove {
            path: path.into(),
            glob: true,
        }]
    };
    let one = edited(&lab, std::slice::from_ref(&base.id), by("*.log"));
    assert_eq!(lab.names(&one, "/"), ["b.txt", "sub"]);
    assert_eq!(lab.names(&one, "/sub"), ["c.log", "deep"]);
    let all = edited(&lab, &[base.id], by("/**/*.log"));
    assert_eq!(lab.names(&all, "/sub/deep"), [""; 0]);
}

fn source_tree(lab: &Lab) -> Vec<LayerId> {
    let layer = lab.layer(|tar| {
        dir(tar, "src/", 0o750);
        add(tar, "src/main.rs", "fn");
        add(tar, "src/notes.md", "text");
        dir(tar, "src/target/", 0o755);
        add(tar, "src/target/keep.rs", "k");
        add(tar, "src/target/big.o", "o");
        dir(tar, "src/empty/", 0o700);
        link(tar, "src/link", "main.rs");
        raw(tar, EntryType::Link, "src/hard", "src/main.rs", 0o644, b"");
    });
    vec![layer.id]
}

fn copy_filters_and_owners() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let copied = |change: &dyn Fn(&mut Copy)| {
        let mut copy = Copy::all(source.clone(), "/src", "/dst");
        change(&mut copy);
        edited(&lab, &[], vec![Edit::Copy(Box::new(copy))])
    };
    let names = |layers: &[LayerId]| -> Vec<String> {
        lab.keeper
            .walk(layers, "/dst")
            .unwrap()
            .into_iter()
            .map(|entry| entry.name)
            .collect()
    };
    let strings = |list: &[&str]| list.iter().map(|text| (*text).to_owned()).collect();
    let only = copied(&|copy| copy.include = strings(&["**/*.rs"]));
    assert_eq!(names(&only), ["main.rs", "target", "target/keep.rs"]);
    let without = copied(&|copy| copy.exclude = strings(&["target", "hard", "!target/keep.rs"]));
    assert_eq!(
        names(&without),
        [
            "empty",
            "link",
            "main.rs",
            "notes.md",
            "target",
            "target/keep.rs"
        ]
    );
    let owned = copied(&|copy| (copy.owner, copy.mode) = (Some((5, 6)), Some(0o600)));
    for path in ["/dst", "/dst/main.rs", "/dst/link", "/dst/target/big.o"] {
        let stat = stat(&lab, &owned, path);
        assert_eq!((stat.uid, stat.gid), (5, 6), "{path}");
    }
    assert_eq!(stat(&lab, &owned, "/dst/main.rs").mode, 0o600);
    assert_eq!(stat(&lab, &owned, "/dst/target").mode, 0o755);
    let all = copied(&|_| {});
    assert_eq!(stat(&lab, &all, "/dst").mode, 0o750);
    assert_eq!(
        stat(&lab, &all, "/dst/link").target.as_deref(),
        Some("main.rs")
    );
    assert_eq!(stat(&lab, &all, "/dst/main.rs").mtime, 1_600_000_000);
}

fn copy_shares_content() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let copy = |dst: &str| Edit::Copy(Box::new(Copy::all(source.clone(), "/src", dst)));
    let layer = lab
        .keeper
        .edit(&[], vec![copy("/one"), copy("/two")])
        .unwrap()
        .unwrap();
    let inode = |path: &str| {
        fs::symlink_metadata(lab.fs(&layer).join(path))
            .unwrap()
            .ino()
    };
    let original = lab.layout().tree(&source[0]).join("fs/src/main.rs");
    assert_eq!(
        inode("one/main.rs"),
        fs::metadata(original).unwrap().ino(),
        "linked"
    );
    assert_eq!(
        inode("one/main.rs"),
        inode("one/hard"),
        "links inside are kept"
    );
    assert_ne!(
        inode("one/main.rs"),
        inode("two/main.rs"),
        "copies are not each other's links"
    );
    let chmod = Edit::Chmod {
        path: "/one/main.rs".into(),
        mode: 0o600,
    };
    edited(&lab, &[], vec![copy("/one"), chmod]);
    assert_eq!(
        stat(&lab, &source, "/src/main.rs").mode,
        0o644,
        "the source is not touched"
    );
}

fn copy_from_host() {
    let lab = Lab::new();
    let host = lab.dir.path().join("host");
    fs::create_dir_all(host.join("sub")).unwrap();
    fs::write(host.join("sub/.wh.x"), "not a whiteout").unwrap();
    symlink("/etc/passwd", host.join("escape")).unwrap();
    let copy = Copy {
        source: Source::Host(host.clone()),
        owner: Some((0, 0)),
        ..Copy::all(vec![], "/", "/in")
    };
    let layers = edited(&lab, &[], vec![Edit::Copy(Box::new(copy.clone()))]);
    assert_eq!(lab.text(&layers, "/in/sub/.wh.x"), "not a whiteout");
    assert_eq!(stat(&lab, &layers, "/in/escape").kind, FileKind::Symlink);
    fs::write(host.join("sub/.wh.x"), "changed").unwrap();
    assert_eq!(
        lab.text(&layers, "/in/sub/.wh.x"),
        "not a whiteout",
        "host files are copied"
    );
    let outside = Copy {
        src_path: "escape".into(),
        ..copy
    };
    let result = lab.keeper.edit(&[], vec![Edit::Copy(Box::new(outside))]);
    assert!(matches!(result, Err(Error::NotFound { .. })), "{result:?}");
}

fn copy_merges_and_refuses() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let base = lab.layer(|tar| {
        dir(tar, "dst/", 0o711);
        add(tar, "dst/mine", "m");
        add(tar, "dst/main.rs", "old");
        add(tar, "plain", "p");
        link(tar, "alias", "dst");
    });
    let base = [base.id];
    let copy =
        |src: &str, dst: &str| vec![Edit::Copy(Box::new(Copy::all(source.clone(), src, dst)))];
    let merged = edited(&lab, &base, copy("/src", "/alias"));
    assert_eq!(lab.text(&merged, "/dst/mine"), "m");
    assert_eq!(lab.text(&merged, "/dst/main.rs"), "fn");
    assert_eq!(
        stat(&lab, &merged, "/dst").mode,
        0o711,
        "an existing target keeps its mode"
    );
    let into = edited(&lab, &base, copy("/src/notes.md", "/dst"));
    assert_eq!(lab.text(&into, "/dst/notes.md"), "text");
    let into = edited(&lab, &base, copy("/src/notes.md", "/new/"));
    assert_eq!(lab.text(&into, "/new/notes.md"), "text");
    let over = edited(&lab, &base, copy("/src/notes.md", "/plain"));
    assert_eq!(lab.text(&over, "/plain"), "text");
    let error = lab.keeper.edit(&base, copy("/src", "/plain")).unwrap_err();
    assert!(matches!(error, Error::NotADirectory { .. }), "{error}");
    let error = lab.keeper.edit(&base, copy("/nope", "/x")).unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
    let wants_file = Copy {
        expect: Expect::File,
        ..Copy::all(source, "/src", "/x")
    };
    let error = lab
        .keeper
        .edit(&base, vec![Edit::Copy(Box::new(wants_file))])
        .unwrap_err();
    assert!(matches!(error, Error::IsADirectory { .. }), "{error}");
}

fn chown_chmod_and_times() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let chown = Edit::Chown {
        path: "/src".into(),
        uid: 9,
        gid: 10,
        recursive: true,
    };
    let chmod = Edit::Chmod {
        path: "/src/hard".into(),
        mode: 0o4711,
    };
    let owned = edited(&lab, &source, vec![chmod, chown]);
    for entry in lab.keeper.walk(&owned, "/src").unwrap() {
        assert_eq!((entry.uid, entry.gid), (9, 10), "{}", entry.name);
    }
    assert_eq!(stat(&lab, &owned, "/src/hard").mode, 0o4711);
    assert_eq!(lab.text(&owned, "/src/main.rs"), "fn");
    let at = |seconds| {
        vec![Edit::Timestamps {
            path: "/".into(),
            seconds,
        }]
    };
    let (old, new) = (edited(&lab, &source, at(0)), edited(&lab, &source, at(77)));
    assert_ne!(
        old, new,
        "times that were asked for have a name of their own"
    );
    for entry in lab.keeper.walk(&new, "/").unwrap() {
        assert_eq!(entry.mtime, 77, "{}", entry.name);
    }
    assert_eq!(
        lab.keeper.tree_digest(&old, "/", false).unwrap(),
        lab.keeper.tree_digest(&new, "/", false).unwrap()
    );
}

fn rename_moves() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let rename = |from: &str, to: &str| Edit::Rename {
        from: from.into(),
        to: to.into(),
    };
    let moved = edited(
        &lab,
        &source,
        vec![rename("/src/target", "/out"), rename("/src/link", "/l")],
    );
    assert_eq!(lab.names(&moved, "/"), ["l", "out", "src"]);
    assert_eq!(lab.names(&moved, "/out"), ["big.o", "keep.rs"]);
    assert_eq!(
        lab.names(&moved, "/src"),
        ["empty", "hard", "main.rs", "notes.md"]
    );
    assert!(
        lab.keeper
            .edit(&source, vec![rename("/src", "/src/in")])
            .is_err()
    );
    assert!(
        lab.keeper
            .edit(&source, vec![rename("/none", "/x")])
            .is_err()
    );
}

fn parallel_edits() {
    let lab = Lab::new();
    let base = source_tree(&lab);
    thread::scope(|scope| {
        for index in 0..100 {
            let (lab, base) = (&lab, &base);
            scope.spawn(move || {
                let text = format!("{}", index % 50);
                let layers = edited(lab, base, vec![write("/src/n", &text)]);
                assert_eq!(lab.text(&layers, "/src/n"), text);
            });
        }
    });
}

fn diff_applies_to_lower() {
    let lab = Lab::new();
    let lower = source_tree(&lab);
    let upper = edited(
        &lab,
        &lower,
        vec![
            write("/src/main.rs", "changed"),
            remove("/src/target"),
            write("/src/notes.md", "text"),
            write("/new/file", "n"),
            Edit::Chmod {
                path: "/src/empty".into(),
                mode: 0o711,
            },
        ],
    );
    let diff = lab.keeper.diff(&lower, &upper).unwrap().unwrap();
    let digest = |layers: &[LayerId]| lab.keeper.tree_digest(layers, "/", false).unwrap();
    let stacked = [lower.clone(), vec![diff.id.clone()]].concat();
    assert_eq!(digest(&stacked), digest(&upper));
    assert!(
        !lab.fs(&diff).join("src/notes.md").exists(),
        "what is equal is left out"
    );
    assert!(lab.keeper.diff(&lower, &lower).unwrap().is_none());
    let from_nothing = lab.keeper.diff(&[], &upper).unwrap().unwrap();
    assert_eq!(digest(&[from_nothing.id]), digest(&upper));
}

fn squash_is_equivalent() {
    let lab = Lab::new();
    let layers = stacked(&lab);
    let layers = edited(
        &lab,
        &layers,
        vec![
            write("/d/third", "3"),
            Edit::Copy(Box::new(Copy::all(layers.clone(), "/d", "/copy"))),
        ],
    );
    let squashed = lab.keeper.squash(&layers).unwrap();
    let digest = |layers: &[LayerId]| lab.keeper.tree_digest(layers, "/", false).unwrap();
    assert_eq!(digest(std::slice::from_ref(&squashed.id)), digest(&layers));
    assert_eq!(lab.keeper.squash(&layers).unwrap(), squashed);
    let inode = |path: &str| fs::metadata(lab.fs(&squashed).join(path)).unwrap().ino();
    assert_ne!(inode("d/new"), inode("copy/new"));
}

fn implied_directories_fit_the_layers_below() {
    let lab = Lab::new();
    let below = lab.layer(|tar| {
        dir(tar, "tmp/", 0o1777);
        dir(tar, "usr/bin/", 0o711);
        add(tar, "usr/bin/sh", "shell");
        link(tar, "bin", "usr/bin");
        dir(tar, "plain/", 0o755);
    });
    let above = lab.layer(|tar| {
        add(tar, "tmp/x", "1");
        add(tar, "bin/sub/tool", "2");
        add(tar, "bin/.wh.gone", "");
        add(tar, "plain/y", "3");
    });
    let harmless = lab.layer(|tar| add(tar, "plain/z", "4"));
    let ids = [below.id.clone(), above.id.clone(), harmless.id.clone()];
    let settled = lab.keeper.settle(&ids).unwrap();
    assert_eq!((&settled[0], &settled[2]), (&below, &harmless));
    assert_ne!(settled[1].id, above.id);
    let layers: Vec<LayerId> = settled.iter().map(|layer| layer.id.clone()).collect();
    assert_eq!(stat(&lab, &layers, "/tmp").mode, 0o1777);
    assert_eq!(stat(&lab, &layers, "/bin").kind, FileKind::Symlink);
    assert_eq!(lab.text(&layers, "/bin/sh"), "shell");
    assert_eq!(lab.text(&layers, "/usr/bin/sub/tool"), "2");
    assert_eq!(stat(&lab, &layers, "/usr/bin").mode, 0o711);
    let gone = fs::symlink_metadata(lab.fs(&settled[1]).join("usr/bin/gone")).unwrap();
    assert_eq!(gone.rdev(), 0, "whiteouts move along");
    assert_eq!(lab.keeper.settle(&ids).unwrap(), settled);
}

fn digests_name_content() {
    let lab = Lab::new();
    let layer = |mode: u32, owner: u64, mtime: u64, text: &str| {
        let layer = lab.layer(|tar| {
            let mut header = tar::Header::new_gnu();
            header.set_mode(mode);
            header.set_uid(owner);
            header.set_gid(0);
            header.set_mtime(mtime);
            header.set_size(text.len() as u64);
            tar.append_data(&mut header, "d/f", text.as_bytes())
                .unwrap();
        });
        [layer.id]
    };
    let digest = |layers: &[LayerId], loose| lab.keeper.tree_digest(layers, "/d", loose).unwrap();
    let base = layer(0o644, 0, 1, "x");
    assert_eq!(
        digest(&base, false),
        digest(&layer(0o644, 0, 2, "x"), false)
    );
    for other in [layer(0o600, 0, 1, "x"), layer(0o644, 5, 1, "x")] {
        assert_ne!(digest(&base, false), digest(&other, false));
        assert_eq!(digest(&base, true), digest(&other, true));
    }
    assert_ne!(digest(&base, true), digest(&layer(0o755, 0, 1, "x"), true));
    assert_ne!(digest(&base, true), digest(&layer(0o644, 0, 1, "y"), true));
    let big = "0123456789".repeat(1 << 20);
    let large = edited(&lab, &base, vec![write("/d/a", &big), write("/d/b", &big)]);
    let copy = edited(&lab, &base, vec![write("/d/a", &big), write("/d/b", &big)]);
    assert_eq!(digest(&large, false), digest(&copy, false));
}

fn globs_and_walks() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let names = |path: &str, pattern: &str| -> Vec<String> {
        let found = lab.keeper.glob(&source, path, pattern).unwrap();
        found.into_iter().map(|entry| entry.name).collect()
    };
    assert_eq!(names("/", "**/*.rs"), ["src/main.rs", "src/target/keep.rs"]);
    assert_eq!(names("/src", "*.rs"), ["main.rs"]);
    assert_eq!(
        names("/src", "target/*"),
        ["target/big.o", "target/keep.rs"]
    );
    assert_eq!(names("/src", "{main,none}.rs"), ["main.rs"]);
    assert!(matches!(
        lab.keeper.glob(&source, "/", "["),
        Err(Error::InvalidPattern { .. })
    ));
}

fn users_come_from_the_snapshot() {
    let lab = Lab::new();
    let image = lab.layer(|tar| {
        link(tar, "etc/passwd", "/usr/lib/passwd");
        add(
            tar,
            "usr/lib/passwd",
            "root:x:0:0::/root:/bin/sh\nci:x:1000:1001::/home/ci:\n",
        );
        raw(tar, EntryType::Fifo, "etc/group", "", 0o644, b"");
    });
    let user = lab.keeper.lookup_user(&[image.id], "ci").unwrap();
    assert_eq!(
        (user.uid, user.gid, user.home.as_deref()),
        (1000, 1001, Some("/home/ci"))
    );
    assert!(matches!(
        lab.keeper.lookup_user(&[], "ci"),
        Err(Error::UnknownUser { .. })
    ));
    assert_eq!(lab.keeper.lookup_user(&[], "5:6").unwrap().gid, 6);
}

fn export(
    lab: &Lab,
    layers: &[LayerId],
    path: &str,
    dst: &Path,
    kind: ExportKind,
) -> Result<nsci_snapshotter::keeper::Exported, Error> {
    let (layers, path, dst) = (layers.to_vec(), path.to_owned(), dst.to_owned());
    lab.keeper.export(Export {
        layers,
        path,
        dst,
        kind,
    })
}

fn export_merges_and_wipes() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let source = edited(
        &lab,
        &source,
        vec![Edit::Chown {
            path: "/src".into(),
            uid: 33,
            gid: 33,
            recursive: true,
        }],
    );
    let dst = lab.dir.path().join("a/b/out");
    fs::create_dir_all(dst.join("target/stale")).unwrap();
    fs::write(dst.join("mine"), "m").unwrap();
    let merged = export(&lab, &source, "/src", &dst, ExportKind::Dir { wipe: false }).unwrap();
    assert_eq!((merged.files, merged.removed), (6, 0));
    assert_eq!(fs::read_to_string(dst.join("main.rs")).unwrap(), "fn");
    let meta = fs::metadata(dst.join("main.rs")).unwrap();
    assert_eq!(
        (meta.uid(), meta.mode() & 0o7777, meta.mtime()),
        (0, 0o644, 1_600_000_000)
    );
    assert_eq!(
        fs::read_link(dst.join("link")).unwrap(),
        Path::new("main.rs")
    );
    assert!(dst.join("mine").exists() && dst.join("target/stale").exists());
    let wiped = export(&lab, &source, "/src", &dst, ExportKind::Dir { wipe: true }).unwrap();
    assert_eq!(wiped.removed, 2);
    assert!(!dst.join("mine").exists() && !dst.join("target/stale").exists());
    let plain = source_tree(&lab);
    export(&lab, &plain, "/src", &dst, ExportKind::Dir { wipe: true }).unwrap();
    let inode = |name: &str| fs::metadata(dst.join(name)).unwrap().ino();
    assert_eq!(inode("hard"), inode("main.rs"), "hard links are kept");
}

fn export_does_not_write_through_links() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let victim = lab.dir.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("file"), "safe").unwrap();
    let dst = lab.dir.path().join("out");
    fs::create_dir(&dst).unwrap();
    symlink(&victim, dst.join("target")).unwrap();
    symlink(victim.join("file"), dst.join("main.rs")).unwrap();
    export(&lab, &source, "/src", &dst, ExportKind::Dir { wipe: false }).unwrap();
    let one = dst.join("one");
    symlink(victim.join("file"), &one).unwrap();
    let kind = ExportKind::File {
        allow_parent_dir: false,
    };
    export(&lab, &source, "/src/main.rs", &one, kind).unwrap();
    assert_eq!(fs::read_to_string(&one).unwrap(), "fn");
    let whole = lab.dir.path().join("whole");
    symlink(&victim, &whole).unwrap();
    let result = export(
        &lab,
        &source,
        "/src",
        &whole,
        ExportKind::Dir { wipe: true },
    );
    assert!(
        matches!(result, Err(Error::InvalidPath { .. })),
        "{result:?}"
    );
    assert_eq!(fs::read_dir(&victim).unwrap().count(), 1);
    assert_eq!(fs::read_to_string(victim.join("file")).unwrap(), "safe");
}

fn export_of_files() {
    let lab = Lab::new();
    let source = source_tree(&lab);
    let dst = lab.dir.path().join("out");
    fs::create_dir(&dst).unwrap();
    let strict = ExportKind::File {
        allow_parent_dir: false,
    };
    let loose = ExportKind::File {
        allow_parent_dir: true,
    };
    let export = |path: &str, to: &Path, kind| export(&lab, &source, path, to, kind);
    let result = export("/src/main.rs", &dst, strict);
    assert!(
        matches!(result, Err(Error::IsADirectory { .. })),
        "{result:?}"
    );
    assert_eq!(
        export("/src/main.rs", &dst, loose).unwrap().path,
        dst.join("main.rs")
    );
    export("/src/main.rs", &dst.join("x/y/z"), strict).unwrap();
    assert_eq!(fs::read_to_string(dst.join("x/y/z")).unwrap(), "fn");
    assert!(matches!(
        export("/src", &dst, loose),
        Err(Error::IsADirectory { .. })
    ));
    assert!(matches!(
        export("/src/main.rs", Path::new("rel"), loose),
        Err(Error::InvalidPath { .. })
    ));
}

fn trash_is_emptied() {
    let lab = Lab::new();
    let layer = lab.layer(|tar| {
        raw(tar, EntryType::Directory, "locked/", "", 0, b"");
        add(tar, "locked/f", "x");
        (0..50).for_each(|i| add(tar, &format!("usr/lib/p{i}/f"), "x"));
    });
    lab.keeper
        .delete_trees(&[layer.id.clone(), LayerId::of("unknown")])
        .unwrap();
    assert!(!lab.keeper.has_layer(&layer.id).unwrap());
    assert!(lab.keeper.read_dir(&[layer.id], "/").is_err());
    assert!(lab.keeper.empty_trash().unwrap().entries > 100);
    assert_eq!(fs::read_dir(lab.layout().trash()).unwrap().count(), 0);
}

fn unsynced_layer_of_another_boot_is_missing() {
    let lab = Lab::new();
    let kept = lab.layer(|tar| add(tar, "kept", "x"));
    lab.keeper.sync().unwrap();
    let lost = lab.layer(|tar| add(tar, "lost", "x"));
    for layer in [&kept, &lost] {
        let path = lab.layout().tree(&layer.id).join("layer.json");
        let text = fs::read_to_string(&path).unwrap();
        let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap();
        fs::write(&path, text.replace(boot.trim(), "an earlier boot")).unwrap();
    }
    let (keeper, mut child) = lab.another();
    assert!(keeper.has_layer(&kept.id).unwrap());
    assert!(!keeper.has_layer(&lost.id).unwrap());
    let again = ApplyLayer {
        id: lost.id.clone(),
        compression: Compression::None,
        diff_id: None,
    };
    keeper
        .apply_layer(again, file(&tar(|tar| add(tar, "lost", "y"))))
        .unwrap();
    assert!(keeper.has_layer(&lost.id).unwrap());
    drop(keeper);
    child.wait().unwrap();
}

fn large_messages_arrive() {
    let lab = Lab::new();
    let archive = tar(|tar| (0..5000).for_each(|i| add(tar, &format!("{i:0>90}"), "x")));
    let layer = lab.apply(&archive).unwrap();
    assert_eq!(lab.names(&[layer.id], "/").len(), 5000);
    let text = "x".repeat(3 << 20);
    let data = Data::Fd(file(text.as_bytes()));
    let path = "/fd".to_owned();
    let by_fd = Edit::WriteFile {
        path,
        data,
        mode: 0o600,
        uid: 1,
        gid: 2,
        mtime: Some(5),
    };
    let layers = edited(
        &lab,
        &[],
        vec![write("/memfd", &text), by_fd, write("/small", "s")],
    );
    assert_eq!(lab.text(&layers, "/memfd"), text);
    assert_eq!(lab.text(&layers, "/fd"), text);
    assert_eq!(lab.text(&layers, "/small"), "s");
    let fd = stat(&lab, &layers, "/fd");
    assert_eq!((fd.uid, fd.gid, fd.mode, fd.mtime), (1, 2, 0o600, 5));
}

fn sockets_listen_for_their_owner() {
    let lab = Lab::new();
    let (made, listener) = lab.keeper.listen(33, 34, 0o600).unwrap();
    let meta = fs::metadata(&made.path).unwrap();
    assert_eq!(
        (meta.uid(), meta.gid(), meta.mode() & 0o7777),
        (33, 34, 0o600)
    );
    let listener = std::os::unix::net::UnixListener::from(listener);
    let mut client = std::os::unix::net::UnixStream::connect(&made.path).unwrap();
    client.write_all(b"word").unwrap();
    drop(client);
    let (inside, _) = listener.accept().unwrap();
    assert_eq!(std::io::read_to_string(inside).unwrap(), "word");
    lab.keeper.discard(&made.id).unwrap();
    assert!(!made.path.exists());
}
