//! Archives that mean harm.

use std::fs;
use std::path::PathBuf;

use nsci_snapshotter::keeper::{Commit, Prepare};
use nsci_snapshotter::{Error, Result};
use tar::EntryType;

use crate::lab::{Lab, Tar, add, dir, gzip, link, pax, raw, tar};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "escapes_are_refused_or_stay_inside",
        escapes_are_refused_or_stay_inside,
    ),
    ("odd_whiteouts_are_refused", odd_whiteouts_are_refused),
    ("root_must_be_a_directory", root_must_be_a_directory),
    ("damaged_archives_are_refused", damaged_archives_are_refused),
    ("sizes_have_one_meaning", sizes_have_one_meaning),
    ("fake_whiteouts_are_not_made", fake_whiteouts_are_not_made),
    (
        "fresh_layer_can_follow_a_refused_one",
        fresh_layer_can_follow_a_refused_one,
    ),
    (
        "bottomless_directories_are_survived",
        bottomless_directories_are_survived,
    ),
];

struct Victim {
    lab: Lab,
    dir: PathBuf,
}

impl Victim {
    fn new() -> Self {
        let lab = Lab::new();
        let dir = lab.dir.path().join("victim");
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join("file"), "safe").unwrap();
        Self { lab, dir }
    }

    /// Applies an archive, which may fail but must not reach outside.
    fn attack(&self, what: &str, build: impl Fn(&mut Tar)) -> Result<()> {
        let before = fs::metadata(&self.dir).unwrap();
        let result = self.lab.apply(&tar(build)).map(drop);
        let names: Vec<_> = fs::read_dir(&self.dir)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        assert_eq!(names, ["file"], "{what}");
        assert_eq!(
            fs::read_to_string(self.dir.join("file")).unwrap(),
            "safe",
            "{what}"
        );
        let after = fs::metadata(&self.dir).unwrap();
        assert_eq!(before.permissions(), after.permissions(), "{what}");
        assert_eq!(
            before.modified().unwrap(),
            after.modified().unwrap(),
            "{what}"
        );
        result
    }
}

fn escapes_are_refused_or_stay_inside() {
    let victim = Victim::new();
    let out = victim.dir.to_str().unwrap().to_owned();
    // Relative to the layer's directory: store/tmp/<keeper>/<n>/tree/fs.
    let up = "../../../../../../victim";
    let outside = |tar: &mut Tar| {
        pax(tar, &[("linkpath", out.as_bytes())]);
        link(tar, "out", "x");
    };
    type Build<'a> = Box<dyn Fn(&mut Tar) + 'a>;
    let refused: Vec<(&str, Build<'_>)> = vec![
        (
            "dots",
            Box::new(|tar| add(tar, "../../../../../../victim/new", "x")),
        ),
        ("dots inside", Box::new(|tar| add(tar, "a/../../x", "x"))),
        (
            "NUL",
            Box::new(|tar| {
                pax(tar, &[("path", b"a\0b")]);
                add(tar, "x", "x");
            }),
        ),
        (
            "hard link out",
            Box::new(|tar| {
                raw(
                    tar,
                    EntryType::Link,
                    "h",
                    "../../../../../../victim/file",
                    0o644,
                    b"",
                );
            }),
        ),
        (
            "hard link through a link",
            Box::new(|tar| {
                outside(tar);
                raw(tar, EntryType::Link, "h", "out/file", 0o644, b"");
            }),
        ),
        (
            "hard link to a directory",
            Box::new(|tar| {
                dir(tar, "d/", 0o755);
                raw(tar, EntryType::Link, "h", "d", 0o755, b"");
            }),
        ),
        (
            "loop",
            Box::new(|tar| {
                link(tar, "loop", "loop");
                add(tar, "loop/x", "x");
            }),
        ),
        (
            "file as parent",
            Box::new(|tar| {
                add(tar, "f", "x");
                add(tar, "f/x", "x");
            }),
        ),
        (
            "owner",
            Box::new(|tar| {
                pax(tar, &[("uid", b"4294967295")]);
                add(tar, "f", "x");
            }),
        ),
        (
            "name",
            Box::new(|tar| {
                pax(tar, &[("path", "x".repeat(300).as_bytes())]);
                add(tar, "f", "x");
            }),
        ),
    ];
    for (what, build) in &refused {
        let result = victim.attack(what, build);
        let refused = matches!(result, Err(Error::InvalidLayer { .. } | Error::Io { .. }));
        assert!(refused, "{what}: {result:?}");
    }
    let contained: Vec<(&str, Build<'_>)> = vec![
        (
            "absolute",
            Box::new(|tar| {
                pax(tar, &[("path", format!("{out}/new").as_bytes())]);
                add(tar, "x", "x");
            }),
        ),
        (
            "through an absolute link",
            Box::new(|tar| {
                outside(tar);
                add(tar, "out/new", "x");
            }),
        ),
        (
            "through a relative link",
            Box::new(|tar| {
                link(tar, "rel", up);
                add(tar, "rel/new", "x");
                dir(tar, "rel/d/", 0o777);
            }),
        ),
        (
            "directory over a link",
            Box::new(|tar| {
                outside(tar);
                dir(tar, "out/", 0o777);
            }),
        ),
        (
            "file over a link",
            Box::new(|tar| {
                pax(tar, &[("linkpath", format!("{out}/file").as_bytes())]);
                link(tar, "f", "x");
                add(tar, "f", "overwritten");
            }),
        ),
        (
            "whiteout through a link",
            Box::new(|tar| {
                outside(tar);
                add(tar, "out/.wh.file", "");
                add(tar, "out/.wh..wh..opq", "");
            }),
        ),
        (
            "swap",
            Box::new(|tar| {
                dir(tar, "d/", 0o755);
                add(tar, "d/x", "x");
                pax(tar, &[("linkpath", out.as_bytes())]);
                link(tar, "d", "x");
                add(tar, "d/new", "x");
            }),
        ),
        ("double slash", Box::new(|tar| add(tar, "//etc//x", "x"))),
    ];
    for (what, build) in &contained {
        let result = victim.attack(what, build);
        assert!(result.is_ok(), "{what}: {result:?}");
    }
}

fn odd_whiteouts_are_refused() {
    let victim = Victim::new();
    for name in [".wh.", ".wh...", ".wh..", "d/.wh..", "d/.wh..."] {
        let result = victim.attack(name, |tar| add(tar, name, ""));
        assert!(
            matches!(result, Err(Error::InvalidLayer { .. })),
            "{name}: {result:?}"
        );
    }
    for name in [
        ".wh..wh.plnk",
        ".wh..wh.aufs",
        "d/.wh..wh..opq",
        ".wh..hidden",
    ] {
        let result = victim.attack(name, |tar| add(tar, name, ""));
        assert!(result.is_ok(), "{name}: {result:?}");
    }
}

fn root_must_be_a_directory() {
    let victim = Victim::new();
    for (what, kind) in [("link", EntryType::Symlink), ("file", EntryType::Regular)] {
        for name in [".", "a/.."] {
            let result = victim.attack(what, |tar| raw(tar, kind, name, "/", 0o777, b""));
            assert!(
                matches!(result, Err(Error::InvalidLayer { .. })),
                "{what}: {result:?}"
            );
        }
    }
}

fn damaged_archives_are_refused() {
    let lab = Lab::new();
    let whole = tar(|tar| {
        add(tar, "a", &"x".repeat(5000));
        add(tar, "b", "y");
    });
    let packed = gzip(&whole);
    let mut flipped = whole.clone();
    flipped[20] ^= 1;
    let mut garbage = packed.clone();
    garbage.extend_from_slice(b"not gzip");
    let cases: Vec<(&str, Vec<u8>)> = vec![
        ("cut in data", whole[..2000].to_vec()),
        ("cut in header", whole[..300].to_vec()),
        ("checksum", flipped),
        ("cut gzip", packed[..packed.len() - 10].to_vec()),
        ("garbage after gzip", garbage),
        (
            "sparse map out of order",
            tar(|tar| {
                pax(
                    tar,
                    &[("GNU.sparse.map", b"10,5,3,2"), ("GNU.sparse.size", b"20")],
                );
                add(tar, "s", "1234567");
            }),
        ),
        (
            "sparse map beyond size",
            tar(|tar| {
                pax(
                    tar,
                    &[("GNU.sparse.map", b"10,5"), ("GNU.sparse.size", b"12")],
                );
                add(tar, "s", "12345");
            }),
        ),
        (
            "sparse size overflow",
            tar(|tar| {
                pax(
                    tar,
                    &[
                        ("GNU.sparse.map", b"18446744073709551615,5"),
                        ("GNU.sparse.size", b"9"),
                    ],
                );
                add(tar, "s", "12345");
            }),
        ),
        (
            "bad PAX length",
            tar(|tar| {
                raw(tar, EntryType::XHeader, "x", "", 0o644, b"999 path=x\n");
                add(tar, "f", "x");
            }),
        ),
    ];
    for (what, archive) in cases {
        let result = lab.apply(&archive);
        assert!(
            matches!(result, Err(Error::InvalidLayer { .. })),
            "{what}: {result:?}"
        );
    }
    assert_eq!(
        lab.apply(&whole[..whole.len() - 1024]).unwrap().entries,
        2,
        "no end mark is fine"
    );
}

/// A PAX size that differs from the header's must not let data be read as headers.
fn sizes_have_one_meaning() {
    let lab = Lab::new();
    let inner = tar(|tar| add(tar, "smuggled", "x"));
    let size = inner.len().to_string();
    let mut archive = tar(|tar| pax(tar, &[("size", size.as_bytes())]));
    archive.truncate(archive.len() - 1024);
    let mut header = tar::Header::new_gnu();
    header.set_size(0);
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_path("container").unwrap();
    header.set_mtime(0);
    header.set_cksum();
    archive.extend_from_slice(header.as_bytes());
    archive.extend_from_slice(&inner);
    archive.extend_from_slice(&[0; 1024]);
    let layer = lab.apply(&archive).unwrap();
    assert_eq!(lab.names(&[layer.id], "/"), ["container"]);
    let mut negative = tar::Header::new_gnu();
    negative.set_path("f").unwrap();
    negative.as_old_mut().size = [0xff; 12];
    negative.set_cksum();
    assert!(lab.apply(negative.as_bytes()).is_err());
}

fn fake_whiteouts_are_not_made() {
    let victim = Victim::new();
    let below = victim.lab.layer(|tar| add(tar, "f", "still here"));
    let above = victim.lab.layer(|tar| {
        raw(tar, EntryType::Char, "f", "", 0o666, b"");
        pax(tar, &[("SCHILY.xattr.user.overlay.whiteout", b"y")]);
        add(tar, "g", "");
        pax(tar, &[("SCHILY.xattr.user.overlay.redirect", b"/etc")]);
        dir(tar, "d/", 0o755);
    });
    let layers = [below.id, above.id];
    assert_eq!(victim.lab.text(&layers, "f"), "still here");
    assert_eq!(victim.lab.names(&layers, "/"), ["d", "f", "g"]);
}

fn fresh_layer_can_follow_a_refused_one() {
    let lab = Lab::new();
    for _ in 0..3 {
        assert!(lab.apply(&tar(|tar| add(tar, "..", "x"))).is_err());
    }
    let layer = lab.layer(|tar| add(tar, "f", "x"));
    assert_eq!(lab.text(&[layer.id], "f"), "x");
}

/// What a step may leave behind: directories nested deeper than any path reaches.
fn bottomless_directories_are_survived() {
    let lab = Lab::new();
    let active = lab.keeper.prepare(Prepare::default()).unwrap();
    let mut here = open_dir(rustix::fs::CWD, active.upper.to_str().unwrap());
    for _ in 0..3000 {
        rustix::fs::mkdirat(&here, "d", rustix::fs::Mode::RWXU).unwrap();
        here = open_dir(&here, "d");
    }
    let result = lab.keeper.commit(Commit {
        id: active.id,
        stubs: vec![],
    });
    assert!(matches!(result, Err(Error::Io { .. })), "{result:?}");
    let deepest = "d/".repeat(2000);
    let result = lab.apply(&tar(|tar| {
        pax(tar, &[("path", deepest.as_bytes())]);
        dir(tar, "x/", 0o755);
    }));
    assert!(result.is_ok(), "{result:?}");
    let layer = result.unwrap();
    assert_eq!(
        lab.keeper
            .walk(std::slice::from_ref(&layer.id), "/")
            .unwrap()
            .len(),
        2000
    );
    lab.keeper
        .delete_trees(std::slice::from_ref(&layer.id))
        .unwrap();
    // How much is left to delete depends on how far the thread is that sweeps after a start.
    lab.keeper.empty_trash().unwrap();
    assert!(!lab.keeper.has_layer(&layer.id).unwrap());
    lab.keeper.ping().unwrap();
}

fn open_dir(dir: impl std::os::fd::AsFd, name: &str) -> std::os::fd::OwnedFd {
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::DIRECTORY;
    rustix::fs::openat(dir, name, flags, rustix::fs::Mode::empty()).unwrap()
}
