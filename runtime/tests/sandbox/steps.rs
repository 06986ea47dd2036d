//! What a step sees and how its end is told.

use std::io::{Read as _, Write as _};
use std::os::fd::AsFd as _;
use std::time::{Duration, Instant};

use nsci_runtime::spec::{Capabilities, Network, TerminalSize};
use nsci_runtime::{Cancel, Error, Exit, Stdin, Stdio, StepEvent, StepMount, StepSpec};
use rustix::fs::{Mode, OFlags};

use crate::Test;
use crate::support::{Lab, run, run_with};

pub(crate) const TESTS: &[Test] = &[
    ("output_and_exit_code_arrive", output_and_exit_code_arrive),
    ("a_killing_signal_is_told", a_killing_signal_is_told),
    (
        "a_missing_command_is_an_error_of_its_own",
        a_missing_command_is_an_error_of_its_own,
    ),
    ("a_missing_directory_is_named", a_missing_directory_is_named),
    (
        "environment_and_directory_are_exact",
        environment_and_directory_are_exact,
    ),
    ("large_requests_arrive", large_requests_arrive),
    ("stdin_bytes_are_read", stdin_bytes_are_read),
    (
        "megabytes_of_output_are_complete",
        megabytes_of_output_are_complete,
    ),
    (
        "ids_are_mapped_and_files_can_change_owner",
        ids_are_mapped_and_files_can_change_owner,
    ),
    (
        "a_step_runs_as_its_user_with_its_groups",
        a_step_runs_as_its_user_with_its_groups,
    ),
    (
        "mounts_appear_and_readonly_holds",
        mounts_appear_and_readonly_holds,
    ),
    ("writes_land_in_the_upper", writes_land_in_the_upper),
    ("a_terminal_works", a_terminal_works),
    (
        "without_init_the_command_is_pid_1",
        without_init_the_command_is_pid_1,
    ),
    (
        "listeners_reach_into_the_step",
        listeners_reach_into_the_step,
    ),
    (
        "a_command_joins_a_running_step",
        a_command_joins_a_running_step,
    ),
    (
        "unused_networks_serve_the_next_step",
        unused_networks_serve_the_next_step,
    ),
    (
        "host_network_needs_a_session_without_its_own",
        host_network_needs_a_session_without_its_own,
    ),
    ("eight_steps_run_at_once", eight_steps_run_at_once),
    ("usage_is_reported", usage_is_reported),
];

fn output_and_exit_code_arrive() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(&session, &lab.sh("echo out; echo err >&2; exit 7"));
    assert_eq!(ran.exit(), Exit::Code(7));
    assert_eq!(
        (ran.stdout.as_str(), ran.stderr.as_str()),
        ("out\n", "err\n")
    );
}

fn a_killing_signal_is_told() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(&session, &lab.sh("kill -9 $$"));
    assert_eq!(ran.exit(), Exit::Signal(9));
    assert_eq!(ran.exit().shell_code(), 137);
}

fn a_missing_command_is_an_error_of_its_own() {
    let lab = Lab::new();
    let session = lab.session();
    std::fs::write(lab.rootfs().join("bin/plain"), "#!/bin/sh\n").unwrap();
    let script = lab.rootfs().join("bin/orphan");
    std::fs::write(&script, "#!/no/such/interpreter\n").unwrap();
    std::fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for init in [true, false] {
        let told = |command: &str| {
            let mut step = lab.step(&[command]);
            step.init = init;
            let error = run(&session, &step).result.unwrap_err();
            (error.exit_code(), error.to_string())
        };
        assert_eq!(
            told("foo"),
            (
                Some(127),
                "exec: \"foo\": executable file not found in $PATH".to_owned()
            )
        );
        assert_eq!(
            told("/x/foo"),
            (
                Some(127),
                "exec: \"/x/foo\": no such file or directory".to_owned()
            )
        );
        assert_eq!(
            told("plain"),
            (Some(126), "exec: \"plain\": permission denied".to_owned())
        );
        assert_eq!(told("orphan").0, Some(126));
    }
}

fn a_missing_directory_is_named() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.step(&["true"]);
    step.cwd = "/no/where".to_owned();
    match run(&session, &step).result {
        Err(Error::Workdir { path, reason }) => {
            assert_eq!(path, "/no/where");
            assert!(reason.contains("No such file"), "{reason}");
        }
        other => panic!("{other:?}"),
    }
}

fn environment_and_directory_are_exact() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.step(&["env"]);
    step.env.push(("B".to_owned(), "2=2".to_owned()));
    step.env.push(("A".to_owned(), String::new()));
    let ran = run(&session, &step);
    assert_eq!(ran.ok(), "PATH=/usr/bin:/bin\nB=2=2\nA=\nHOME=/root");
    let mut step = lab.sh("pwd; hostname; cat /proc/1/comm");
    step.cwd = "/tmp".to_owned();
    assert_eq!(run(&session, &step).ok(), "/tmp\ndagger\nnsci-init");
}

fn large_requests_arrive() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.sh("echo ${#V0} ${#V19}");
    for number in 0..20 {
        step.env.push((format!("V{number}"), "x".repeat(50_000)));
    }
    assert_eq!(run(&session, &step).ok(), "50000 50000");
}

fn stdin_bytes_are_read() {
    let lab = Lab::new();
    let session = lab.session();
    let stdio = Stdio {
        stdin: Stdin::Bytes(b"hello".to_vec()),
        ..Stdio::default()
    };
    let cancel = Cancel::new().unwrap();
    let ran = run_with(&session, &lab.step(&["cat"]), stdio, &cancel, &mut |_| {});
    assert_eq!(ran.ok(), "hello");
    assert_eq!(run(&session, &lab.step(&["cat"])).ok(), "");
}

fn megabytes_of_output_are_complete() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh("dd if=/dev/zero bs=1M count=8 2>/dev/null; echo end"),
    );
    assert_eq!(ran.stdout.len(), (8 << 20) + 4);
}

fn ids_are_mapped_and_files_can_change_owner() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh("touch /tmp/f; chown 33:1000 /tmp/f; stat -c %u:%g /tmp/f; chown 65535 /tmp/f; stat -c %u /tmp/f"),
    );
    assert_eq!(ran.ok(), "33:1000\n65535");
}

fn a_step_runs_as_its_user_with_its_groups() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step =
        lab.sh("id -u; id -g; id -G; echo $HOME; echo to > /dev/stdout; test -w /etc || echo no");
    step.uid = 33;
    step.gid = 34;
    step.additional_gids = vec![44, 55];
    assert_eq!(run(&session, &step).ok(), "33\n34\n34 44 55\n/home\nto\nno");
}

fn mounts_appear_and_readonly_holds() {
    let lab = Lab::new();
    let session = lab.session();
    let shared = lab.directory.path().join("shared");
    std::fs::create_dir(&shared).unwrap();
    std::fs::write(shared.join("file"), "content").unwrap();
    let mut step = lab.sh(
        "cat /ro/file /one; echo new > /ro/x && echo bad; echo > /one && echo bad; echo w > /rw/written; \
         stat -f -c %T /scratch; stat -c %a /scratch; echo ok",
    );
    let bind = |source: std::path::PathBuf, target: &str, readonly| StepMount::Bind {
        source,
        target: target.into(),
        readonly,
    };
    step.mounts = vec![
        bind(shared.clone(), "/ro", true),
        bind(shared.clone(), "/rw", false),
        bind(shared.join("file"), "/one", true),
        StepMount::Tmpfs {
            target: "/scratch".into(),
            size: Some(1 << 20),
            mode: 0o1777,
        },
    ];
    assert_eq!(run(&session, &step).ok(), "contentcontenttmpfs\n1777\nok");
    assert_eq!(
        std::fs::read_to_string(shared.join("written")).unwrap(),
        "w\n"
    );
    let mut step = lab.sh("echo x > /new || echo refused");
    step.readonly = true;
    assert_eq!(run(&session, &step).ok(), "refused");
}

fn writes_land_in_the_upper() {
    let lab = Lab::new();
    let session = lab.session();
    let step = lab.sh("echo data > /tmp/made");
    run(&session, &step).ok();
    let nsci_runtime::RootFs::Overlay { upper, .. } = &step.root else {
        unreachable!()
    };
    assert_eq!(
        std::fs::read_to_string(upper.join("tmp/made")).unwrap(),
        "data\n"
    );
    assert!(!lab.rootfs().join("tmp/made").exists());
}

fn a_terminal_works() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.sh("tty; stty size; read line; echo got $line; exit 3");
    step.terminal = Some(TerminalSize {
        rows: 33,
        columns: 101,
    });
    let (sender, receiver) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let master: std::fs::File = receiver.recv().unwrap();
        (&master).write_all(b"typed\n").unwrap();
        let mut text = Vec::new();
        // The end of a terminal is an input/output error.
        drop((&master).read_to_end(&mut text));
        String::from_utf8_lossy(&text).into_owned()
    });
    let cancel = Cancel::new().unwrap();
    let ran = run_with(&session, &step, Stdio::default(), &cancel, &mut |event| {
        if let StepEvent::Terminal(master) = event {
            sender
                .send(master.as_fd().try_clone_to_owned().unwrap().into())
                .unwrap();
        }
    });
    assert_eq!(ran.exit(), Exit::Code(3));
    let text = reader.join().unwrap();
    assert!(
        text.contains("/dev/pts/0") && text.contains("33 101"),
        "{text:?}"
    );
    assert!(text.contains("got typed"), "{text:?}");
}

fn without_init_the_command_is_pid_1() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.sh("echo $$; exit 4");
    step.init = false;
    let ran = run(&session, &step);
    assert_eq!((ran.exit(), ran.stdout.as_str()), (Exit::Code(4), "1\n"));
}

fn listeners_reach_into_the_step() {
    let lab = Lab::new();
    let session = lab.session();
    let mut step = lab.sh("echo ping | nc 127.0.0.1 8123");
    step.listeners = vec![8123];
    let mut server = None;
    let cancel = Cancel::new().unwrap();
    let ran = run_with(&session, &step, Stdio::default(), &cancel, &mut |event| {
        if let StepEvent::Listener { port, socket } = event {
            assert_eq!(*port, 8123);
            let listener =
                std::net::TcpListener::from(socket.as_fd().try_clone_to_owned().unwrap());
            server = Some(std::thread::spawn(move || {
                let (mut stream, _) = listener.accept().unwrap();
                let mut line = [0; 5];
                stream.read_exact(&mut line).unwrap();
                stream.write_all(b"pong\n").unwrap();
                line
            }));
        }
    });
    assert_eq!(ran.ok(), "pong");
    assert_eq!(&server.unwrap().join().unwrap(), b"ping\n");
}

fn a_command_joins_a_running_step() {
    // What a process of the step is made of.
    const TELL: &str = "for kind in mnt pid net ipc uts; do readlink /proc/self/ns/$kind; done; hostname; pwd; id -u
        grep -E '^(Cap|NoNewPrivs|Seccomp:|Groups)' /proc/self/status; cat /tmp/word; echo $WORD; ls -A / /dev";
    let lab = Lab::new();
    let session = lab.session();
    for uid in [0, 33] {
        let mut step = lab.sh(&format!(
            "echo made > /tmp/word; {TELL}; echo ready; while :; do sleep 0.05; done"
        ));
        step.uid = uid;
        step.gid = uid;
        step.cwd = "/tmp".to_owned();
        step.env.push(("WORD".to_owned(), "said".to_owned()));
        let cancel = Cancel::new().unwrap();
        let (pid, pids) = std::sync::mpsc::channel();
        let (ready, is_ready) = std::sync::mpsc::channel();
        std::thread::scope(|scope| {
            let running = scope.spawn(|| {
                let mut told = Vec::new();
                run_with(
                    &session,
                    &step,
                    Stdio::default(),
                    &cancel,
                    &mut |event| match event {
                        StepEvent::Started { pid: init, .. } => pid.send(*init).unwrap(),
                        StepEvent::Stdout(bytes) => {
                            told.extend_from_slice(bytes);
                            if told.ends_with(b"ready\n") {
                                ready.send(()).unwrap();
                            }
                        }
                        _ => {}
                    },
                )
            });
            let init = pids.recv().unwrap();
            is_ready.recv().unwrap();
            let mut joining = step.clone();
            joining.args = lab.sh(&format!("{TELL}; echo ready; exit 3")).args;
            let mut said = Vec::new();
            let joined = session.join(
                init,
                &joining,
                Stdio::default(),
                &Cancel::new().unwrap(),
                &mut |event| {
                    if let StepEvent::Stdout(bytes) = event {
                        said.extend_from_slice(bytes);
                    }
                },
            );
            assert_eq!(joined.unwrap().exit, Exit::Code(3));
            let root = session.root_of(init).unwrap();
            assert_eq!(read_below(&root, "tmp/word"), "made\n");
            cancel.cancel(Duration::ZERO);
            let ran = running.join().unwrap();
            assert_eq!(String::from_utf8_lossy(&said), ran.stdout);
            assert!(ran.stdout.contains("made\nsaid\n"), "{}", ran.stdout);
            // Nobody is there any more.
            let late = session.join(
                init,
                &joining,
                Stdio::default(),
                &Cancel::new().unwrap(),
                &mut |_| {},
            );
            assert!(matches!(late, Err(Error::Container { .. })), "{late:?}");
            let late = session.root_of(init);
            assert!(matches!(late, Err(Error::SessionStart { .. })), "{late:?}");
        });
    }
}

/// A file below a directory of a step.
fn read_below(root: &std::os::fd::OwnedFd, path: &str) -> String {
    let file = rustix::fs::openat(root, path, OFlags::RDONLY, Mode::empty()).unwrap();
    std::io::read_to_string(std::fs::File::from(file)).unwrap()
}

fn unused_networks_serve_the_next_step() {
    const TELL: &str = "readlink /proc/self/ns/net; ip -4 -o address show dev eth0 | cut -d' ' -f7";
    // Leaves a connection behind that the kernel keeps for a minute.
    const TALK: &str =
        "nc -l -p 8080 </dev/null & until nc 127.0.0.1 8080 </dev/null; do :; done; wait";
    let lab = Lab::new();
    let session = lab.session();
    let tell = |script: &str, prepare: &dyn Fn(&mut StepSpec)| {
        let place = session.place();
        let mut step = lab.sh(&format!("{TELL}; {script}"));
        step.network = Network::Isolated;
        step.net_index = Some(place.index());
        step.leaves_network = true;
        prepare(&mut step);
        let told = run(&session, &step).ok().to_owned();
        (place.index(), told)
    };
    let plain = |_: &mut StepSpec| {};
    let first = tell("true", &plain);
    assert!(first.1.ends_with("10.88.0.2/16"), "{first:?}");
    assert_eq!(tell("true", &plain), first);
    assert_eq!(tell(TALK, &plain), first);
    let second = tell("true", &plain);
    assert_ne!(second, first, "one with a connection is not used again");
    // A step with every capability may have changed anything.
    assert_eq!(
        tell("true", &|step| step.capabilities = Capabilities::All),
        second
    );
    let third = tell("true", &plain);
    assert_ne!(third.1, second.1);
    // A step that leaves nothing takes what it finds all the same.
    assert_eq!(tell("true", &|step| step.leaves_network = false), third);
    let third = tell("true", &plain);
    // Of two at the same time each has its own.
    let place = session.place();
    assert_eq!(place.index(), third.0);
    assert_ne!(tell("true", &plain).1, third.1);
}

fn host_network_needs_a_session_without_its_own() {
    let lab = Lab::new();
    let mut step = lab.sh("ls /sys/class/net | wc -l; test -d /sys/fs/cgroup && echo mounted");
    step.network = Network::Host;
    let ran = run(&lab.session_with(false), &step);
    let count: usize = ran.ok().lines().next().unwrap().trim().parse().unwrap();
    assert_eq!(count, std::fs::read_dir("/sys/class/net").unwrap().count());
    let refused = run(&lab.session(), &step).result.unwrap_err();
    assert!(matches!(refused, Error::InvalidStep { .. }), "{refused:?}");
}

fn eight_steps_run_at_once() {
    let lab = Lab::new();
    let session = lab.session();
    let steps: Vec<_> = (0..8)
        .map(|n| lab.sh(&format!("sleep 2; echo {n}; exit {n}")))
        .collect();
    let begin = Instant::now();
    std::thread::scope(|scope| {
        for (number, step) in steps.iter().enumerate() {
            let session = &session;
            scope.spawn(move || {
                let ran = run(session, step);
                assert_eq!(ran.exit(), Exit::Code(i32::try_from(number).unwrap()));
                assert_eq!(ran.stdout, format!("{number}\n"));
            });
        }
    });
    assert!(
        begin.elapsed() < Duration::from_secs(12),
        "ran one after the other"
    );
}

fn usage_is_reported() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh("dd if=/dev/zero of=/dev/null bs=1M count=2000 2>/dev/null"),
    );
    let finished = ran.result.unwrap();
    assert!(
        finished.system_time > Duration::from_millis(1),
        "{finished:?}"
    );
    assert!(finished.max_rss > 100_000, "{finished:?}");
}
