//! How steps and sessions end.

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Command, ExitCode};
use std::time::{Duration, Instant};

use nsci_runtime::{Cancel, Error, Exit, IdMap, Session, SessionConfig, Stdio, StepEvent};
use rustix::net::{RecvFlags, SendFlags};

use crate::Test;
use crate::support::{Lab, eventually, executor, remove_tree, run, run_with};

pub(crate) const TESTS: &[Test] = &[
    (
        "a_daemonised_grandchild_does_not_hold_the_step",
        a_daemonised_grandchild_does_not_hold_the_step,
    ),
    ("orphans_are_reaped", orphans_are_reaped),
    ("cancel_terminates_then_kills", cancel_terminates_then_kills),
    (
        "cancel_before_the_start_runs_nothing",
        cancel_before_the_start_runs_nothing,
    ),
    (
        "a_killed_engine_leaves_nothing",
        a_killed_engine_leaves_nothing,
    ),
    (
        "a_dropped_session_leaves_nothing",
        a_dropped_session_leaves_nothing,
    ),
    (
        "steps_of_a_lost_session_say_so",
        steps_of_a_lost_session_say_so,
    ),
    (
        "state_is_cleaned_after_each_step",
        state_is_cleaned_after_each_step,
    ),
    ("descriptors_do_not_pile_up", descriptors_do_not_pile_up),
    (
        "a_child_role_talks_over_its_socket",
        a_child_role_talks_over_its_socket,
    ),
    (
        "connections_are_made_inside_the_session",
        connections_are_made_inside_the_session,
    ),
    ("the_single_map_works", the_single_map_works),
    (
        "probes_find_this_machine_usable",
        probes_find_this_machine_usable,
    ),
    (
        "limits_hold_or_are_refused_clearly",
        limits_hold_or_are_refused_clearly,
    ),
    (
        "a_stopped_helper_can_be_cancelled",
        a_stopped_helper_can_be_cancelled,
    ),
    (
        "a_killed_helper_fails_only_its_step",
        a_killed_helper_fails_only_its_step,
    ),
    (
        "interrupts_of_the_terminal_are_for_the_engine_alone",
        interrupts_of_the_terminal_are_for_the_engine_alone,
    ),
];

fn a_daemonised_grandchild_does_not_hold_the_step() {
    let lab = Lab::new();
    let session = lab.session();
    let begin = Instant::now();
    let ran = run(
        &session,
        &lab.sh("setsid sh -c 'trap \"\" TERM HUP; sleep 60; echo late' & echo done"),
    );
    assert_eq!(ran.ok(), "done");
    assert!(begin.elapsed() < Duration::from_secs(30));
    eventually("the grandchild is gone", || living(&session).is_empty());
}

fn orphans_are_reaped() {
    let lab = Lab::new();
    let session = lab.session();
    let ran = run(
        &session,
        &lab.sh("for i in 1 2 3 4 5; do sh -c 'true & exit'; done; sleep 0.1; ps -o stat | grep -c Z || true"),
    );
    assert_eq!(ran.ok(), "0");
}

fn cancel_terminates_then_kills() {
    let lab = Lab::new();
    let session = lab.session();
    let cases = [
        (
            "trap 'echo term; exit 0' TERM; echo ready; while :; do sleep 0.02; done",
            20,
            "ready\nterm\n",
        ),
        (
            "trap '' TERM; echo ready; while :; do sleep 0.02; done",
            0,
            "ready\n",
        ),
    ];
    for init in [true, false] {
        for (script, grace, expected) in cases {
            let mut step = lab.sh(script);
            step.init = init;
            let cancel = Cancel::new().unwrap();
            let begin = Instant::now();
            let ran = run_with(&session, &step, Stdio::default(), &cancel, &mut |event| {
                if matches!(event, StepEvent::Stdout(b"ready\n")) {
                    cancel.cancel(Duration::from_secs(grace));
                }
            });
            assert!(matches!(ran.result, Err(Error::Cancelled)), "{ran:?}");
            assert_eq!(ran.stdout, expected);
            assert!(
                begin.elapsed() < Duration::from_secs(15),
                "{script} took {:?}",
                begin.elapsed()
            );
        }
    }
    eventually("nothing is left", || living(&session).is_empty());
}

fn cancel_before_the_start_runs_nothing() {
    let lab = Lab::new();
    let session = lab.session();
    let cancel = Cancel::new().unwrap();
    cancel.cancel(Duration::ZERO);
    let ran = run_with(
        &session,
        &lab.sh("echo ran"),
        Stdio::default(),
        &cancel,
        &mut |_| {},
    );
    assert!(
        matches!(ran.result, Err(Error::Cancelled)) && ran.stdout.is_empty(),
        "{ran:?}"
    );
}

/// A process that starts a session and two stubborn steps, then waits to be killed.
pub(crate) fn doomed_engine() -> ExitCode {
    let lab = Lab::new();
    let session = lab.session();
    println!("{}", lab.directory.path().display());
    println!("{}", session.spawner_pid());
    let stubborn = "setsid sh -c 'trap \"\" TERM HUP INT; sleep 1000' & trap '' TERM HUP INT; echo up; sleep 1000; true";
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                run_with(
                    &session,
                    &lab.sh(stubborn),
                    Stdio::default(),
                    &Cancel::new().unwrap(),
                    &mut |event| {
                        if matches!(event, StepEvent::Stdout(_)) {
                            println!("up");
                        }
                    },
                )
            });
        }
    });
    ExitCode::FAILURE
}

/// Kills the process even if the test fails first.
struct Doomed(std::process::Child);

impl Drop for Doomed {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn a_killed_engine_leaves_nothing() {
    let engine = Command::new("/proc/self/exe")
        .args(["doomed-engine", &format!("{:?}", executor()).to_lowercase()])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut engine = Doomed(engine);
    let mut lines = BufReader::new(engine.0.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap);
    let directory = PathBuf::from(lines.next().unwrap());
    let spawner: u32 = lines.next().unwrap().parse().unwrap();
    assert_eq!(
        [lines.next(), lines.next()],
        [Some("up".to_owned()), Some("up".to_owned())]
    );
    // Spawner, and per step: helper, init, shell and two sleeps, one of them in a session of its own.
    eventually("all processes run", || descendants(spawner).len() >= 11);
    let doomed = descendants(spawner);
    let begin = Instant::now();
    engine.0.kill().unwrap();
    eventually("all processes are gone", || {
        doomed
            .iter()
            .all(|(pid, start)| start_time(*pid) != Some(*start))
    });
    println!("  gone {:?} after the kill", begin.elapsed());
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(
        !mounts.contains(directory.to_str().unwrap()),
        "a mount leaked"
    );
    assert_eq!(
        std::fs::read_dir(directory.join("state")).unwrap().count(),
        0
    );
    remove_tree(&directory);
    assert!(!directory.exists());
}

fn a_dropped_session_leaves_nothing() {
    let lab = Lab::new();
    let session = lab.session();
    run(&session, &lab.sh("true")).ok();
    let doomed = descendants(session.spawner_pid());
    assert!(!doomed.is_empty());
    drop(session);
    // Dropping waits for PID 1, which ends last.
    assert!(
        doomed
            .iter()
            .all(|(pid, start)| start_time(*pid) != Some(*start)),
        "{doomed:?}"
    );
}

fn steps_of_a_lost_session_say_so() {
    let lab = Lab::new();
    let session = lab.session();
    let spawner =
        rustix::process::Pid::from_raw(i32::try_from(session.spawner_pid()).unwrap()).unwrap();
    let cancel = Cancel::new().unwrap();
    let ran = run_with(
        &session,
        &lab.sh("echo up; sleep 1000"),
        Stdio::default(),
        &cancel,
        &mut |event| {
            if matches!(event, StepEvent::Stdout(_)) {
                rustix::process::kill_process(spawner, rustix::process::Signal::KILL).unwrap();
            }
        },
    );
    assert!(matches!(ran.result, Err(Error::SessionLost)), "{ran:?}");
    let again = run(&session, &lab.sh("true"));
    assert!(matches!(again.result, Err(Error::SessionLost)), "{again:?}");
}

fn state_is_cleaned_after_each_step() {
    let lab = Lab::new();
    let session = lab.session();
    let mut seen = Vec::new();
    for command in ["true", "no-such-command"] {
        drop(run(&session, &lab.step(&[command])));
    }
    let root = format!(
        "/proc/{}/root{}",
        session.spawner_pid(),
        lab.state_dir().display()
    );
    eventually("the state directory is empty", || {
        seen = std::fs::read_dir(&root)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        seen.is_empty()
    });
}

fn descriptors_do_not_pile_up() {
    let lab = Lab::new();
    let session = lab.session();
    let count = |pid: u32| {
        std::fs::read_dir(format!("/proc/{pid}/fd"))
            .unwrap()
            .count()
    };
    run(&session, &lab.sh("true")).ok();
    let before = (count(std::process::id()), count(session.spawner_pid()));
    for _ in 0..20 {
        run(&session, &lab.sh("true")).ok();
        drop(run(&session, &lab.step(&["no-such-command"])));
    }
    assert_eq!(
        (count(std::process::id()), count(session.spawner_pid())),
        before
    );
}

/// Sends back what it receives, and its ids.
pub(crate) fn echo_child() -> ExitCode {
    let socket = nsci_runtime::roles::inherited_socket().unwrap();
    let mut buffer = [0; 64];
    let (count, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
    let text = format!(
        "{} {} {}",
        String::from_utf8_lossy(&buffer[..count]),
        rustix::process::getuid().as_raw(),
        std::env::args().nth(2).unwrap(),
    );
    rustix::net::send(&socket, text.as_bytes(), SendFlags::empty()).unwrap();
    ExitCode::SUCCESS
}

fn a_child_role_talks_over_its_socket() {
    let lab = Lab::new();
    let session = lab.session();
    let socket = session
        .spawn_child("echo-child", &["argument".to_owned()])
        .unwrap();
    rustix::net::send(&socket, b"hello", SendFlags::empty()).unwrap();
    let mut buffer = [0; 64];
    let (count, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
    assert_eq!(&buffer[..count], b"hello 0 argument");
    let (count, _) = rustix::net::recv(&socket, &mut buffer[..], RecvFlags::empty()).unwrap();
    assert_eq!(count, 0, "the socket closes with the child");
}

fn connections_are_made_inside_the_session() {
    let lab = Lab::new();
    // Without a network of its own, the session sees the host's loopback.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let plain = lab.session_with(false);
    plain.connect_in_session(address).unwrap();
    assert!(
        lab.session().connect_in_session(address).is_err(),
        "reached the host from inside"
    );
}

fn the_single_map_works() {
    let lab = Lab::new();
    let session = Session::start(SessionConfig {
        state_dir: lab.state_dir(),
        id_map: IdMap::single(),
        network: true,
        executor: executor(),
        limits: nsci_runtime::Limits::default(),
    })
    .unwrap();
    let mut step = lab.sh("id -u; touch /tmp/f; chown 33 /tmp/f && stat -c %u /tmp/f");
    step.seccomp = nsci_runtime::spec::Seccomp::FakeRoot;
    assert_eq!(run(&session, &step).ok(), "0\n0");
    let ran = run(&session, &lab.sh("touch /tmp/f; chown 33 /tmp/f"));
    assert_eq!(ran.exit(), Exit::Code(1));
}

/// Processes of the session besides its PID 1.
fn living(session: &Session) -> Vec<(u32, u64)> {
    let mut all = descendants(session.spawner_pid());
    all.retain(|(pid, _)| *pid != session.spawner_pid());
    all
}

/// A process and everything below it, with start times so that a reused pid is not mistaken.
fn descendants(root: u32) -> Vec<(u32, u64)> {
    let mut all = vec![root];
    let mut next = 0;
    while next < all.len() {
        let path = format!("/proc/{0}/task/{0}/children", all[next]);
        next += 1;
        let children = std::fs::read_to_string(path).unwrap_or_default();
        all.extend(
            children
                .split_whitespace()
                .map(|pid| pid.parse::<u32>().unwrap()),
        );
    }
    all.into_iter()
        .filter_map(|pid| start_time(pid).map(|start| (pid, start)))
        .collect()
}

/// When a process started; `None` once it is gone or only a zombie.
fn start_time(pid: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    (fields[0] != "Z").then(|| fields[19].parse().unwrap())
}

fn probes_find_this_machine_usable() {
    let lab = Lab::new();
    let findings = nsci_runtime::probe::all(&lab.directory.path().join("cache"));
    for finding in &findings {
        let wanted = match finding.name.as_str() {
            "tun" | "fuse" | "limits" => continue,
            _ => nsci_runtime::probe::Level::Good,
        };
        assert_eq!(finding.level, wanted, "{finding:?}");
    }
    assert_eq!(findings.len(), 12);
    let refused = nsci_runtime::probe::overlay(std::path::Path::new("/proc/no"));
    assert_eq!(refused.level, nsci_runtime::probe::Level::Fatal);
    assert!(refused.fix.is_some());
}

/// The last resort: a helper that no longer answers is killed with everything below it.
fn a_stopped_helper_can_be_cancelled() {
    let lab = Lab::new();
    let session = lab.session();
    let cancel = Cancel::new().unwrap();
    let ran = run_with(
        &session,
        &lab.sh("echo up; sleep 1000; true"),
        Stdio::default(),
        &cancel,
        &mut |event| {
            if matches!(event, StepEvent::Stdout(_)) {
                let (helper, _) = living(&session)[0];
                let helper =
                    rustix::process::Pid::from_raw(i32::try_from(helper).unwrap()).unwrap();
                rustix::process::kill_process(helper, rustix::process::Signal::STOP).unwrap();
                cancel.cancel(Duration::ZERO);
            }
        },
    );
    assert!(matches!(ran.result, Err(Error::Cancelled)), "{ran:?}");
    eventually("nothing is left", || living(&session).is_empty());
    run(&session, &lab.sh("true")).ok();
}

fn a_killed_helper_fails_only_its_step() {
    let lab = Lab::new();
    let session = lab.session();
    let cancel = Cancel::new().unwrap();
    let script = lab.sh("echo up; sleep 1000; true");
    let ran = run_with(&session, &script, Stdio::default(), &cancel, &mut |event| {
        if matches!(event, StepEvent::Stdout(_)) {
            let (helper, _) = living(&session)[0];
            let helper = rustix::process::Pid::from_raw(i32::try_from(helper).unwrap()).unwrap();
            rustix::process::kill_process(helper, rustix::process::Signal::KILL).unwrap();
        }
    });
    assert!(
        matches!(ran.result, Err(Error::Container { .. })),
        "{ran:?}"
    );
    run(&session, &lab.sh("true")).ok();
    eventually("nothing is left", || living(&session).is_empty());
}

fn interrupts_of_the_terminal_are_for_the_engine_alone() {
    let lab = Lab::new();
    let session = lab.session();
    let own = rustix::process::getpgrp();
    let cancel = Cancel::new().unwrap();
    let mut outside = 0;
    let script = lab.sh("echo up; sleep 0.1; umask");
    let ran = run_with(&session, &script, Stdio::default(), &cancel, &mut |event| {
        if matches!(event, StepEvent::Stdout(b"up\n")) {
            for (pid, _) in descendants(session.spawner_pid()) {
                let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
                assert_ne!(rustix::process::getpgid(Some(pid)), Ok(own));
                outside += 1;
            }
        }
    });
    assert_eq!(ran.ok(), "up\n0022");
    assert!(outside >= 4, "{outside}");
}

/// What this machine's control groups allow is enforced, and what they do not is an error before anything runs.
fn limits_hold_or_are_refused_clearly() {
    use nsci_runtime::{LimitProblem, Limits};
    let lab = Lab::new();
    let start = |limits: Limits| {
        Session::start(SessionConfig {
            state_dir: lab.state_dir(),
            id_map: IdMap::detect().unwrap(),
            network: false,
            executor: executor(),
            limits,
        })
    };
    let found = nsci_runtime::probe::limits();
    let has =
        |name: &str| found.level == nsci_runtime::probe::Level::Good && found.detail.contains(name);
    let pids = Limits {
        pids: Some(8),
        ..Limits::default()
    };
    let memory = Limits {
        memory: Some(48 << 20),
        ..Limits::default()
    };
    for (name, limits) in [("pids", pids), ("memory", memory)] {
        let session = match start(limits) {
            Ok(session) => {
                assert!(has(name), "{found:?}");
                session
            }
            Err(Error::Limits(problem)) => {
                assert!(!has(name), "{problem}: {found:?}");
                assert!(!problem.hint().is_empty());
                let said = problem.to_string();
                match problem {
                    LimitProblem::NoController { names, .. } => assert_eq!(names, name),
                    LimitProblem::NotDelegated { .. } => assert!(said.contains("delegated")),
                    LimitProblem::NoHierarchy | LimitProblem::Shared { .. } => {}
                    other => panic!("{other:?}"),
                }
                continue;
            }
            Err(other) => panic!("{other:?}"),
        };
        let mut bomb = match name {
            "pids" => lab.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 1 & done; wait"),
            _ => lab.sh("x=x; while :; do x=$x$x; done"),
        };
        bomb.limits = limits;
        let ran = run(&session, &bomb);
        if name == "pids" {
            assert!(ran.stderr.contains("fork"), "{ran:?}");
        } else {
            assert!(ran.result.unwrap().out_of_memory);
        }
        // The next step starts afresh, and one without limits has none.
        let mut calm = lab.sh("echo calm");
        calm.limits = limits;
        let ran = run(&session, &calm);
        assert_eq!(ran.ok(), "calm");
        assert!(!ran.result.unwrap().out_of_memory);
        run(
            &session,
            &lab.sh("for i in 1 2 3 4 5 6 7 8 9 10 11 12; do sleep 0.1 & done; wait"),
        )
        .ok();
    }
    let mut limited = lab.sh("true");
    limited.limits = pids;
    let refused = run(&lab.session(), &limited).result;
    assert!(
        matches!(refused, Err(Error::InvalidStep { .. })),
        "{refused:?}"
    );
}
