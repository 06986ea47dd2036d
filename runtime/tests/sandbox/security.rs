//! What a step must not be able to do.

use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

use nsci_runtime::StepEvent;
use nsci_runtime::spec::{Capabilities, Network, Seccomp, TerminalSize};
use nsci_runtime::{Cancel, Error, ExecutorKind, Exit, Stdio, StepMount};

use crate::Test;
use crate::support::{Lab, executor, run, run_with};

pub(crate) const TESTS: &[Test] = &[
    (
        "namespaces_and_mounts_are_refused",
        namespaces_and_mounts_are_refused,
    ),
    (
        "without_a_filter_nesting_works",
        without_a_filter_nesting_works,
    ),
    (
        "fake_root_pretends_to_change_owners",
        fake_root_pretends_to_change_owners,
    ),
    ("capabilities_are_exact", capabilities_are_exact),
    ("no_new_privs_only_when_asked", no_new_privs_only_when_asked),
    ("no_descriptors_leak", no_descriptors_leak),
    (
        "the_executable_cannot_be_reached_for_writing",
        the_executable_cannot_be_reached_for_writing,
    ),
    (
        "a_directory_outside_is_refused",
        a_directory_outside_is_refused,
    ),
    (
        "links_in_the_image_do_not_redirect_mounts",
        links_in_the_image_do_not_redirect_mounts,
    ),
    (
        "proc_is_masked_and_partly_readonly",
        proc_is_masked_and_partly_readonly,
    ),
    (
        "other_processes_are_invisible",
        other_processes_are_invisible,
    ),
    (
        "cgroups_and_sysfs_are_readonly",
        cgroups_and_sysfs_are_readonly,
    ),
    (
        "a_foreign_state_directory_is_refused",
        a_foreign_state_directory_is_refused,
    ),
    (
        "a_terminal_step_leaks_no_descriptor",
        a_terminal_step_leaks_no_descriptor,
    ),
    (
        "both_executors_show_the_same_world",
        both_executors_show_the_same_world,
    ),
];

fn namespaces_and_mounts_are_refused() {
    let lab = Lab::new();
    let session = lab.session();
    for flag in ["-U", "-m", "-n", "-p", "-i", "-u"] {
        let ran = run(&session, &lab.step(&["unshare", flag, "true"]));
        assert_eq!(ran.exit(), Exit::Code(1), "unshare {flag}");
        assert!(
            ran.stderr.contains("not permitted"),
            "unshare {flag}: {}",
            ran.stderr
        );
    }
    let ran = run(
        &session,
        &lab.sh("mount -t tmpfs x /tmp || mount -o bind /etc /tmp"),
    );
    assert_ne!(ran.exit(), Exit::Code(0));
    let ran = run(
        &session,
        &lab.sh("hostname other; hostname; grep Seccomp: /proc/self/status"),
    );
    assert_eq!(ran.ok(), "dagger\nSeccomp:\t2");
}

fn without_a_filter_nesting_works() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.sh("unshare -U id -u; mount -t tmpfs x /tmp && echo mounted");
    step.seccomp = Seccomp::Off;
    step.capabilities = Capabilities::All;
    step.mask_paths = false;
    assert_eq!(run(&session, &step).ok(), "65534\nmounted");
}

fn fake_root_pretends_to_change_owners() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step =
        lab.sh("touch /tmp/f; chown 33:33 /tmp/f && stat -c %u /tmp/f; mknod /tmp/c c 1 3 && su www -c 'id -u'");
    step.seccomp = Seccomp::FakeRoot;
    assert_eq!(run(&session, &step).ok(), "0\n0");
}

fn capabilities_are_exact() {
    let lab = Lab::new();
    let session = lab.session();
    let default = "00000000a80425fb";
    let none = "0000000000000000";
    for init in [true, false] {
        for (uid, effective) in [(0, default), (33, none)] {
            let mut step = lab.sh("grep Cap /proc/self/status; cat /proc/1/status | grep Cap");
            step.uid = uid;
            step.init = init;
            let expected = format!(
                "CapInh:\t{none}\nCapPrm:\t{effective}\nCapEff:\t{effective}\nCapBnd:\t{default}\nCapAmb:\t{none}"
            );
            let ran = run(&session, &step);
            assert_eq!(
                ran.ok(),
                format!("{expected}\n{expected}"),
                "uid {uid} init {init}"
            );
        }
    }
}

fn no_new_privs_only_when_asked() {
    let lab = Lab::new();
    let session = lab.session();
    for asked in [false, true] {
        let mut step = lab.sh("grep NoNewPrivs /proc/self/status");
        step.no_new_privs = asked;
        assert_eq!(
            run(&session, &step).ok(),
            format!("NoNewPrivs:\t{}", u8::from(asked))
        );
    }
}

fn no_descriptors_leak() {
    let lab = Lab::new();
    let session = lab.session();
    for init in [true, false] {
        let mut step =
            lab.sh("for fd in /proc/$$/fd/*; do test -e $fd && echo ${fd##*/}; done; true");
        step.init = init;
        let ran = run(&session, &step);
        assert_eq!(ran.ok(), "0\n1\n2", "init {init}");
    }
    let mut step = lab.sh("ls -l /proc/1/fd");
    step.seccomp = Seccomp::Off;
    step.capabilities = Capabilities::All;
    let ran = run(&session, &step);
    let open: Vec<&str> = ran
        .ok()
        .lines()
        .filter_map(|line| line.split(" -> ").nth(1))
        .collect();
    assert_eq!(open.len(), 4, "{open:?}");
    assert!(
        open.iter()
            .all(|target| *target == "/dev/null" || target.starts_with("pipe:")),
        "{open:?}"
    );
}

/// The pattern of CVE-2019-5736: reach the runtime's own executable through `/proc` and write to it.
fn the_executable_cannot_be_reached_for_writing() {
    let lab = Lab::new();
    let session = lab.session();
    let own = fs::metadata("/proc/self/exe").unwrap();
    let stamp = (own.len(), own.mtime(), own.mtime_nsec(), own.mode());
    for init in [true, false] {
        let mut step = lab.step(&["/proc/self/exe", "--list"]);
        step.init = init;
        // It would be our own dynamically linked executable, for which the image has no loader.
        let ran = run(&session, &step);
        assert!(
            ran.result.is_err() || ran.exit() != Exit::Code(0),
            "{ran:?}"
        );
    }
    let mut step = lab.sh(
        "ls -l /proc/1/exe >&2; for i in 1 2 3; do echo x >> /proc/1/exe && echo written; done; \
         dd if=/dev/zero of=/proc/1/exe bs=1 count=1 conv=notrunc && echo written; chmod 777 /proc/1/exe && echo changed; true",
    );
    let ran = run(&session, &step);
    assert_eq!(ran.ok(), "", "{}", ran.stderr);
    // Even with every capability, the mount it is on is read-only and out of reach.
    step.capabilities = Capabilities::All;
    step.seccomp = Seccomp::Off;
    step.root = lab.overlay();
    let ran = run(&session, &step);
    assert_eq!(ran.ok(), "", "{}", ran.stderr);
    assert!(
        ran.stderr.contains("Read-only") || ran.stderr.contains("busy"),
        "{}",
        ran.stderr
    );
    let now = fs::metadata("/proc/self/exe").unwrap();
    assert_eq!(
        (now.len(), now.mtime(), now.mtime_nsec(), now.mode()),
        stamp
    );
}

/// The pattern of CVE-2024-21626.
fn a_directory_outside_is_refused() {
    let lab = Lab::new();
    let session = lab.session();
    symlink("/proc/self/fd/7", lab.rootfs().join("link")).unwrap();
    for init in [true, false] {
        for directory in (3..25)
            .map(|n| format!("/proc/self/fd/{n}"))
            .chain(["/link".to_owned()])
        {
            let mut step = lab.sh("pwd");
            step.cwd = directory.clone();
            step.init = init;
            match run(&session, &step).result {
                Err(Error::Workdir { .. }) => {}
                other => panic!("{directory}: {other:?}"),
            }
        }
    }
}

fn links_in_the_image_do_not_redirect_mounts() {
    let lab = Lab::new();
    let victim = lab.directory.path().join("victim");
    fs::create_dir(&victim).unwrap();
    fs::write(victim.join("file"), "untouched").unwrap();
    let before = (
        fs::metadata(&victim).unwrap().mtime_nsec(),
        fs::read_dir(&victim).unwrap().count(),
    );
    let session = lab.session();
    for name in ["proc", "sys", "dev", "cache"] {
        for target in [
            victim.clone(),
            "../../victim".into(),
            "/proc/self/root".into(),
        ] {
            let step_root = lab.overlay();
            let nsci_runtime::RootFs::Overlay { upper, .. } = &step_root else {
                unreachable!()
            };
            symlink(&target, upper.join(name)).unwrap();
            let mut step = lab.sh("true");
            step.root = step_root.clone();
            step.mounts = vec![StepMount::Tmpfs {
                target: "/cache".into(),
                size: None,
                mode: 0o755,
            }];
            // Refused or kept inside: either is fine, as long as nothing outside changes.
            drop(run(&session, &step));
        }
    }
    let after = (
        fs::metadata(&victim).unwrap().mtime_nsec(),
        fs::read_dir(&victim).unwrap().count(),
    );
    assert_eq!(before, after);
    assert_eq!(
        fs::read_to_string(victim.join("file")).unwrap(),
        "untouched"
    );
}

fn proc_is_masked_and_partly_readonly() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh(
            "cat /proc/kcore /proc/keys /proc/timer_list /proc/interrupts 2>/dev/null | wc -c; ls /sys/firmware | wc -l; \
             for f in /proc/sys/kernel/domainname /proc/sysrq-trigger; do echo x 2>/dev/null > $f && echo wrote $f; done; true",
        ),
    );
    assert_eq!(ran.ok(), "0\n0");
}

fn other_processes_are_invisible() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh("ps -o comm | head -3; cat /proc/1/environ | wc -c"),
    );
    let lines: Vec<&str> = ran.stdout.lines().map(str::trim).collect();
    assert_eq!(lines[..3], ["COMMAND", "nsci-init", "sh"], "{ran:?}");
    assert_eq!(lines.last(), Some(&"0"), "the init's environment: {ran:?}");
}

fn cgroups_and_sysfs_are_readonly() {
    let lab = Lab::new();
    for (session, network) in [
        (lab.session(), Network::None),
        (lab.session_with(false), Network::Host),
    ] {
        let mut step = lab.sh(
            "mkdir /sys/fs/cgroup/x && echo made; mkdir /sys/fs/cgroup/unified/x && echo made; \
             echo 1 > /sys/fs/cgroup/cgroup.procs && echo moved; \
             echo 1 > /sys/kernel/mm/ksm/run && echo wrote; true",
        );
        step.network = network;
        assert_eq!(run(&session, &step).ok(), "", "{network:?}");
    }
}

fn a_foreign_state_directory_is_refused() {
    let lab = Lab::new();
    let start = |path: std::path::PathBuf| {
        nsci_runtime::Session::start(nsci_runtime::SessionConfig {
            state_dir: path,
            id_map: nsci_runtime::IdMap::detect().unwrap(),
            network: false,
            executor: executor(),
            limits: nsci_runtime::Limits::default(),
        })
        .err()
    };
    let open = lab.directory.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, PermissionsExt::from_mode(0o755)).unwrap();
    let link = lab.directory.path().join("link");
    let target = lab.directory.path().join("target");
    fs::create_dir(&target).unwrap();
    fs::set_permissions(&target, PermissionsExt::from_mode(0o700)).unwrap();
    symlink(&target, &link).unwrap();
    for path in [open, link] {
        let error = start(path.clone());
        assert!(
            matches!(error, Some(Error::StateDir { .. })),
            "{}: {error:?}",
            path.display()
        );
    }
}

/// The pattern of CVE-2025-52565, as far as it shows in descriptors.
fn a_terminal_step_leaks_no_descriptor() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step =
        lab.sh("for fd in /proc/$$/fd/*; do test -e $fd && echo ${fd##*/} >> /out; done; true");
    step.terminal = Some(TerminalSize {
        rows: 1,
        columns: 1,
    });
    let cancel = Cancel::new().unwrap();
    let mut master = None;
    let ran = run_with(&session, &step, Stdio::default(), &cancel, &mut |event| {
        if let StepEvent::Terminal(descriptor) = event {
            // Letting go of it would hang the terminal up.
            master = Some(descriptor.as_fd().try_clone_to_owned().unwrap());
        }
    });
    ran.ok();
    assert!(master.is_some());
    let nsci_runtime::RootFs::Overlay { upper, .. } = &step.root else {
        unreachable!()
    };
    let text = fs::read_to_string(upper.join("out")).unwrap();
    assert!(
        text.lines().all(|fd| ["0", "1", "2", "10"].contains(&fd)),
        "{text:?}"
    );
}

/// Neither executor gives a step anything that the other does not.
fn both_executors_show_the_same_world() {
    let lab = Lab::new();
    let shared = lab.directory.path().join("shared");
    fs::create_dir(&shared).unwrap();
    let look = "cut -d' ' -f 5,6 /proc/self/mountinfo; grep -v -e ^Pid -e ^PPid -e ^NSpid -e ^Tgid -e ^NS -e ^Vm -e ^Rss \
                -e ctxt -e ^Ngid -e ^Cpus -e ^Mems -e ^Sig -e ^Speculation -e ^x86 -e ^Hugetlb /proc/1/status /proc/self/status; \
                cat /proc/self/limits /proc/self/oom_score_adj /proc/self/uid_map /proc/self/cgroup; umask; hostname; \
                ls -ln /dev | sed 's/ [A-Z][a-z][a-z] .*[0-9]:[0-9][0-9] / /'; stat -f -c '%T %b %c' /dev /dev/shm; \
                stat -c '%a %u %n' / /proc /sys /dev /dev/pts /dev/shm /dev/mqueue /dev/ptmx /dev/pts/ptmx; \
                ls /sys/class/net; wc -c < /proc/kcore; ls /sys/firmware; cat /proc/self/sessionid; ps -o pid,pgid,sid,comm";
    for init in [true, false] {
        for (uid, no_new_privs, readonly) in [(0, false, false), (33, true, true)] {
            let views = [ExecutorKind::Native, ExecutorKind::Libcontainer].map(|kind| {
                let session = lab.session_of(kind);
                let mut step = lab.sh(look);
                (step.init, step.uid, step.no_new_privs, step.readonly) =
                    (init, uid, no_new_privs, readonly);
                step.mounts = vec![
                    StepMount::Bind {
                        source: shared.clone(),
                        target: "/mnt/a".into(),
                        readonly: true,
                    },
                    StepMount::Tmpfs {
                        target: "/mnt/b".into(),
                        size: Some(1 << 20),
                        mode: 0o700,
                    },
                ];
                let ran = run(&session, &step);
                assert!(ran.stdout.lines().count() > 60, "{ran:?}");
                let mut lines: Vec<String> = ran.stdout.lines().map(str::to_owned).collect();
                lines.sort();
                lines
            });
            let [native, reference] = &views;
            let only = |here: &[String], there: &[String]| -> Vec<String> {
                here.iter()
                    .filter(|line| !there.contains(line))
                    .cloned()
                    .collect()
            };
            assert_eq!(
                (only(native, reference), only(reference, native)),
                (vec![], vec![]),
                "init {init} uid {uid}"
            );
        }
    }
}
