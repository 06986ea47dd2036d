//! Ends of all kinds: killed clients, closed inputs, hosts that lack something. Nothing is left, and the next run is right.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use crate::support::{
    IMAGE, Nsci, Ran, Session, binary, from, nest, post, processes, script, wait_until,
};

fn pid(id: u32) -> Pid {
    Pid::from_raw(id.cast_signed()).unwrap()
}

/// Starts a document in the background.
fn start(nsci: &Nsci, chain: &str) -> Child {
    let mut command = nsci.command(&["--progress", "json", "query", &nest(chain)]);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).spawn().unwrap()
}

/// Waits until nothing runs that was started for these tests' home.
fn nothing_is_left(nsci: &Nsci) {
    let home = nsci.home().to_str().unwrap().to_owned();
    wait_until("the end of all processes", || processes(&home).is_empty());
    let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&home), "{mounts}");
}

/// Waits until a step runs that has `name` on its command line.
fn until_step_runs(name: &str) {
    wait_until("the step", || {
        let running = processes(name);
        running
            .iter()
            .any(|line| line.contains(&format!(" sleep {name}")))
    });
}

#[test]
fn killed_client_leaves_nothing() {
    for (signal, time) in [
        (Signal::KILL, "7301"),
        (Signal::TERM, "7302"),
        (Signal::INT, "7303"),
    ] {
        let nsci = Nsci::new();
        let mut child = start(&nsci, &script(&format!("(sleep {time} &); sleep {time}")));
        until_step_runs(time);
        kill_process(pid(child.id()), signal).unwrap();
        child.wait().unwrap();
        wait_until("the end of the step", || {
            processes(&format!("sleep {time}")).is_empty()
        });
        nothing_is_left(&nsci);
        assert_eq!(nsci.text(&script("echo right")), "right\n");
    }
}

#[test]
fn interrupted_command_ends_with_130() {
    let nsci = Nsci::new();
    let child = start(&nsci, &script("sleep 7311"));
    until_step_runs("7311");
    kill_process_group(pid(child.id()), Signal::INT).unwrap();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 130, "{ran:#?}");
}

#[test]
fn client_killed_at_any_time_of_a_pull_leaves_a_store_that_works() {
    let nsci = Nsci::new();
    let chain = format!(
        "container {} withExec(args: [\"python\", \"-c\", \"print(6 * 7)\"]) stdout",
        from("python:3.11-slim")
    );
    for kind in ["pull-started", "pull-progress"] {
        let mut child = start(&nsci, &chain);
        let events = std::io::BufReader::new(child.stderr.take().unwrap());
        let seen = std::io::BufRead::lines(events).any(|line| line.unwrap().contains(kind));
        kill_process(pid(child.id()), Signal::KILL).unwrap();
        child.wait().unwrap();
        nothing_is_left(&nsci);
        assert!(seen, "the pull was over before {kind}");
    }
    assert_eq!(nsci.text(&chain), "42\n");
}

#[test]
fn session_serves_until_its_input_ends() {
    let nsci = Nsci::new();
    let session = nsci.session();
    assert!(session.line.ends_with("}\n"), "{:?}", session.line);
    assert_eq!(session.text(&script("echo hi")), "hi\n");
    let (port, token) = (session.port, session.token.clone());
    assert_eq!(post(port, "wrong", "{ version }").0, 401);
    assert_eq!(post(port, &token, "{ version }").0, 200);
    assert_eq!(session.end(), (Some(0), String::new()));
    nothing_is_left(&nsci);

    let mut session = nsci.session();
    session.text("version");
    kill_process(pid(session.pid()), Signal::TERM).unwrap();
    assert_eq!(session.wait(), (Some(0), String::new()));
    nothing_is_left(&nsci);
}

#[test]
fn client_that_dies_takes_its_session_along() {
    let nsci = Nsci::new();
    // A shell that is the client: its death closes the session's input.
    let mut command = nsci.command_of("/bin/sh".as_ref(), &["-c", "sleep 1000 | \"$BIN\" session"]);
    command
        .env("BIN", binary())
        .stdout(Stdio::piped())
        .process_group(0);
    let mut shell = command.spawn().unwrap();
    let mut line = String::new();
    let mut output = std::io::BufReader::new(shell.stdout.take().unwrap());
    std::io::BufRead::read_line(&mut output, &mut line).unwrap();
    assert!(line.contains("session_token"), "{line}");
    kill_process_group(pid(shell.id()), Signal::KILL).unwrap();
    shell.wait().unwrap();
    nothing_is_left(&nsci);
}

#[test]
fn usual_directories_are_searched_when_path_names_nothing() {
    let nsci = Nsci::new();
    let mut command = nsci.command(&["-s", "query", &nest(&script("true"))]);
    Ran::from(command.env("PATH", "/nonexistent").output().unwrap()).ok();
}

#[test]
fn store_that_cannot_be_written_is_named() {
    let nsci = Nsci::new();
    let file = nsci.write("file", "");
    let mut command = nsci.command(&[
        "-s",
        "query",
        &nest(&format!("container {} platform", from(IMAGE))),
    ]);
    let ran = Ran::from(
        command
            .env("NSCI_DATA_DIR", file.join("store"))
            .output()
            .unwrap(),
    );
    assert!(ran.code != 0 && ran.err.contains("file/store"), "{ran:#?}");
}

#[test]
fn run_ends_its_program_with_itself() {
    let nsci = Nsci::new();
    // A number of this run's own, so that nothing an earlier one left is taken for it.
    let seconds = (100_000 + std::process::id()).to_string();
    let mut command: Command = nsci.command(&["-s", "run", "sleep", &seconds]);
    let mut child = command.spawn().unwrap();
    wait_until("the program", || {
        let itself = |line: &String| line.split(' ').nth(1) == Some("sleep");
        processes(&format!("sleep {seconds}")).iter().any(itself)
    });
    kill_process(pid(child.id()), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(143));
    nothing_is_left(&nsci);
}

#[test]
fn step_may_leave_processes_behind_and_none_stays() {
    let nsci = Nsci::new();
    let session: Session = nsci.session();
    session.text(&script("(sleep 7331 &) ; echo done"));
    wait_until("the end of the step's processes", || {
        processes("sleep 7331").is_empty()
    });
    session.end();
    nothing_is_left(&nsci);
}
