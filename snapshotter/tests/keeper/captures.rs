//! What snapshots of file systems in use hold.

use std::fs;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

use nsci_snapshotter::hostdir;
use nsci_snapshotter::keeper::{Capture, CaptureKind, FileKind, Mount};
use nsci_snapshotter::pattern::Filter;
use nsci_snapshotter::{AppliedLayer, Error};
use rustix::fs::{Mode, OFlags};
use rustix::mount::MountFlags;

use crate::lab::{Lab, add, dir, link};

pub(crate) const TESTS: &[(&str, fn())] = &[
    (
        "captures_see_what_the_kernel_joins",
        captures_see_what_the_kernel_joins,
    ),
    (
        "captures_are_named_as_host_directories",
        captures_are_named_as_host_directories,
    ),
    ("captures_are_filtered", captures_are_filtered),
    (
        "captures_stay_below_their_root",
        captures_stay_below_their_root,
    ),
    (
        "captures_leave_the_kernel_out",
        captures_leave_the_kernel_out,
    ),
    (
        "a_captured_file_keeps_its_name",
        a_captured_file_keeps_its_name,
    ),
];

fn open(path: &Path) -> OwnedFd {
    rustix::fs::open(path, OFlags::PATH | OFlags::DIRECTORY, Mode::empty()).unwrap()
}

fn everything() -> CaptureKind {
    CaptureKind::Dir {
        include: Vec::new(),
        exclude: Vec::new(),
        gitignore: false,
    }
}

impl Lab {
    fn capture(&self, root: &Path, path: &str, kind: CaptureKind) -> Result<AppliedLayer, Error> {
        let path = path.to_owned();
        let root = open(root);
        self.keeper.capture(Capture { path, kind }, root.as_fd())
    }
}

fn captures_see_what_the_kernel_joins() {
    let lab = Lab::new();
    let below = lab.layer(|tar| {
        dir(tar, "work", 0o755);
        add(tar, "work/kept", "below");
        add(tar, "work/gone", "below");
        add(tar, "work/changed", "below");
        dir(tar, "work/mounted", 0o755);
    });
    let mounted = lab.keeper.mount(Mount {
        layers: vec![below.id],
        subpath: String::new(),
        writable: true,
    });
    let mounted = mounted.unwrap();
    let work = mounted.path.join("work");
    fs::remove_file(work.join("gone")).unwrap();
    fs::write(work.join("changed"), "above").unwrap();
    fs::write(work.join("secret"), "of a user").unwrap();
    chown(work.join("secret"), Some(33), Some(33)).unwrap();
    fs::set_permissions(work.join("secret"), fs::Permissions::from_mode(0o600)).unwrap();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        work.join("pipe"),
        rustix::fs::FileType::Fifo,
        Mode::RWXU,
        0,
    )
    .unwrap();
    let volume = work.join("mounted");
    rustix::mount::mount("tmpfs", &volume, "tmpfs", MountFlags::empty(), None).unwrap();
    fs::write(volume.join("inside"), "of the volume").unwrap();

    let taken = lab.capture(&mounted.path, "/work", everything()).unwrap();
    // What is written later is in later snapshots only.
    fs::write(work.join("changed"), "later").unwrap();
    let layers = [taken.id.clone()];
    let names = lab.names(&layers, "/");
    assert_eq!(names, ["changed", "kept", "mounted", "secret"]);
    assert_eq!(lab.text(&layers, "/kept"), "below");
    assert_eq!(lab.text(&layers, "/changed"), "above");
    assert_eq!(lab.text(&layers, "/mounted/inside"), "of the volume");
    let stat = lab.keeper.stat(&layers, "/secret", true).unwrap().unwrap();
    assert_eq!((stat.uid, stat.mode), (0, 0o600));
    let again = lab.capture(&mounted.path, "/work", everything()).unwrap();
    assert_ne!(again.id, taken.id);
    assert_eq!(lab.text(&[again.id], "/changed"), "later");
    rustix::mount::unmount(&volume, rustix::mount::UnmountFlags::DETACH).unwrap();
    lab.keeper.unmount(&mounted.id).unwrap();
}

fn captures_are_named_as_host_directories() {
    let lab = Lab::new();
    let root = lab.dir.path().join("root");
    fs::create_dir_all(root.join("in/deep")).unwrap();
    fs::write(root.join("in/deep/file"), "text").unwrap();
    let taken = lab.capture(&root, "/in", everything()).unwrap();
    let all = Filter::new(&[], &[]).unwrap();
    let scan = hostdir::scan(&root.join("in"), &all, None).unwrap();
    assert_eq!(taken.id, scan.layer_id());
    assert_eq!(lab.capture(&root, "/in", everything()).unwrap(), taken);
}

fn captures_are_filtered() {
    let lab = Lab::new();
    let root = lab.dir.path().join("root");
    fs::create_dir_all(root.join("a/b")).unwrap();
    for name in [
        "a/keep.txt",
        "a/b/keep.txt",
        "a/drop.txt",
        "a/b/other",
        "a/b/x.log",
    ] {
        fs::write(root.join(name), name).unwrap();
    }
    fs::write(root.join("a/.gitignore"), "*.log\n").unwrap();
    let taken = |include: &[&str], exclude: &[&str], gitignore| {
        let list = |patterns: &[&str]| patterns.iter().map(ToString::to_string).collect();
        let kind = CaptureKind::Dir {
            include: list(include),
            exclude: list(exclude),
            gitignore,
        };
        let layer = lab.capture(&root, "/a", kind).unwrap();
        let entries = lab.keeper.walk(&[layer.id], "/").unwrap();
        let files = entries.into_iter().filter(|at| at.kind == FileKind::File);
        files.map(|entry| entry.name).collect::<Vec<_>>()
    };
    let texts = taken(&["**/*.txt"], &["drop.txt"], false);
    assert_eq!(texts, ["b/keep.txt", "keep.txt"]);
    let tracked = taken(&[], &["*.txt"], true);
    assert_eq!(tracked, [".gitignore", "b/keep.txt", "b/other"]);
    let bad = CaptureKind::Dir {
        include: vec!["[".into()],
        exclude: Vec::new(),
        gitignore: false,
    };
    let refused = lab.capture(&root, "/a", bad);
    assert!(
        matches!(refused, Err(Error::InvalidPattern { .. })),
        "{refused:?}"
    );
}

fn captures_stay_below_their_root() {
    let lab = Lab::new();
    let root = lab.dir.path().join("root");
    let outside = lab.dir.path().join("outside");
    fs::create_dir_all(root.join("in")).unwrap();
    fs::create_dir_all(&outside).unwrap();
    fs::write(outside.join("file"), "outside").unwrap();
    symlink(&outside, root.join("absolute")).unwrap();
    symlink("../outside", root.join("relative")).unwrap();
    symlink("/in", root.join("inside")).unwrap();
    symlink("loop", root.join("loop")).unwrap();
    fs::write(root.join("in/file"), "inside").unwrap();
    for path in ["/absolute", "/relative", "/../outside"] {
        let taken = lab.capture(&root, path, everything());
        assert!(
            matches!(taken, Err(Error::NotFound { .. })),
            "{path}: {taken:?}"
        );
    }
    let taken = lab.capture(&root, "/inside", everything()).unwrap();
    assert_eq!(lab.text(&[taken.id], "/file"), "inside");
    let file = lab.capture(&root, "/in/file", everything());
    assert!(matches!(file, Err(Error::NotADirectory { .. })), "{file:?}");
    for path in ["/absolute/file", "/relative/file"] {
        let taken = lab.capture(&root, path, CaptureKind::File);
        assert!(
            matches!(taken, Err(Error::NotFound { .. })),
            "{path}: {taken:?}"
        );
    }
    let looping = lab.capture(&root, "/loop", CaptureKind::File);
    assert!(matches!(looping, Err(Error::Io { .. })), "{looping:?}");
}

fn captures_leave_the_kernel_out() {
    let lab = Lab::new();
    let root = lab.dir.path().join("root");
    fs::create_dir_all(root.join("proc")).unwrap();
    fs::write(root.join("file"), "text").unwrap();
    symlink("/proc/self/root", root.join("magic")).unwrap();
    symlink("/proc/self/environ", root.join("environ")).unwrap();
    symlink("/proc/sys", root.join("sys")).unwrap();
    rustix::mount::mount_bind_recursive("/proc", root.join("proc")).unwrap();
    let taken = lab.capture(&root, "/", everything()).unwrap();
    let names = lab.names(&[taken.id], "/");
    assert_eq!(names, ["environ", "file", "magic", "sys"]);
    let refused = lab.capture(&root, "/sys", everything());
    assert!(
        matches!(refused, Err(Error::InvalidPath { .. })),
        "{refused:?}"
    );
    let magic = lab.capture(&root, "/magic", everything());
    assert!(matches!(magic, Err(Error::Io { .. })), "{magic:?}");
    let environ = lab.capture(&root, "/environ", CaptureKind::File);
    assert!(environ.is_err(), "{environ:?}");
    rustix::mount::unmount(root.join("proc"), rustix::mount::UnmountFlags::DETACH).unwrap();
}

fn a_captured_file_keeps_its_name() {
    let lab = Lab::new();
    let below = lab.layer(|tar| {
        dir(tar, "work", 0o755);
        add(tar, "work/file-1", "text");
        link(tar, "work/file", "../work/file-1");
        link(tar, "directory", "work");
    });
    let mounted = lab.keeper.mount(Mount {
        layers: vec![below.id],
        ..Mount::default()
    });
    let mounted = mounted.unwrap();
    for path in ["/work/file", "/directory/file", "/directory/../work/file"] {
        let taken = lab.capture(&mounted.path, path, CaptureKind::File).unwrap();
        let layers = [taken.id];
        assert_eq!(lab.names(&layers, "/"), ["file"], "{path}");
        assert_eq!(lab.text(&layers, "/file"), "text", "{path}");
    }
    for path in ["/work", "/directory", "/"] {
        let taken = lab.capture(&mounted.path, path, CaptureKind::File);
        assert!(
            matches!(taken, Err(Error::IsADirectory { .. })),
            "{path}: {taken:?}"
        );
    }
    lab.keeper.unmount(&mounted.id).unwrap();
}
