//! The front from outside, with a `limactl` whose machine is a directory: `tests/limactl`.
//!
//! What is put into the machine is a copy of this system's shell, so commands "inside" are scripts.
#![expect(
    clippy::unwrap_used,
    reason = "a host that cannot be set up is a failed test"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use yaml_rust2::YamlLoader;

const LIMACTL: &str = include_str!("limactl");

/// Beside this test, where scripts/test puts it for other users; else where cargo built it.
fn front() -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let beside = own.with_file_name("nsci-vm");
    match beside.is_file() {
        true => beside,
        false => env!("CARGO_BIN_EXE_nsci-vm").into(),
    }
}

/// Puts a program somewhere. By another process: while this one writes a file, what another test starts
/// would have it open too, and then it could not be executed.
fn install(from: &Path, to: &Path) {
    let mut install = Command::new("install");
    let status = install.args(["-m", "755"]).args([from, to]).status();
    assert!(status.unwrap().success(), "{}", from.display());
}

/// A host with Lima and a user.
struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    fn new() -> Self {
        let host = Self {
            dir: tempfile::tempdir().unwrap(),
        };
        for name in ["bin", "home/work", "guest", "run", "lima"] {
            fs::create_dir_all(host.path(name)).unwrap();
        }
        host.write("limactl", LIMACTL);
        install(&host.path("limactl"), &host.path("bin/limactl"));
        install(&front(), &host.path("bin/nsci"));
        install(Path::new("/bin/sh"), &host.linux_binary());
        host.write("version", "limactl version 2.0.3\n");
        host
    }

    /// One with a machine in this state.
    fn with_machine(state: &str) -> Self {
        let host = Self::new();
        host.nsci(&["vm", "start"]).output().unwrap();
        let list = fs::read_to_string(host.path("list")).unwrap();
        host.write("list", &list.replace("Running", state));
        fs::remove_file(host.path("log")).unwrap();
        host
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn linux_binary(&self) -> PathBuf {
        self.path(&format!("bin/nsci-linux-{}", std::env::consts::ARCH))
    }

    fn nsci(&self, args: &[&str]) -> Command {
        let mut command = Command::new(self.path("bin/nsci"));
        command
            .args(args)
            .current_dir(self.path("home/work"))
            .env_clear()
            .env(
                "PATH",
                format!("{}:/usr/bin:/bin", self.path("bin").display()),
            )
            .env("HOME", self.path("home"))
            .env("FAKE", self.dir.path())
            .stdin(Stdio::null());
        command
    }

    /// A script inside.
    fn script(&self, script: &str) -> Command {
        self.nsci(&["-c", script])
    }

    /// What limactl was called with, one call a line.
    fn log(&self) -> Vec<String> {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        log.lines().map(str::to_owned).collect()
    }

    fn calls(&self, start: &str) -> usize {
        self.log()
            .iter()
            .filter(|line| line.starts_with(start))
            .count()
    }

    /// Names of what commands left in the machine's memory.
    fn tickets(&self) -> Vec<String> {
        let names = fs::read_dir(self.path("run")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| !name.ends_with(".pid")).collect()
    }

    fn wait_for(&self, name: &str) {
        let began = Instant::now();
        while !self.path(name).exists() {
            assert!(began.elapsed() < Duration::from_secs(30), "no {name}");
            sleep(Duration::from_millis(10));
        }
    }
}

#[track_caller]
fn run(mut command: Command) -> (i32, String, String) {
    judge(&command.output().unwrap())
}

fn judge(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let code = output.status.code().unwrap_or(-1);
    (code, text(&output.stdout), text(&output.stderr))
}

fn signal(child: &Child, signal: Signal) {
    kill(Pid::from_raw(child.id().try_into().unwrap()), signal).unwrap();
}

#[test]
fn without_lima_it_says_how_to_get_it() {
    let host = Host::new();
    fs::remove_file(host.path("bin/limactl")).unwrap();
    let (code, out, err) = run(host.script("exit 0"));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("brew install lima"), "{err}");
}

#[test]
fn an_old_lima_is_refused_before_it_makes_anything() {
    let host = Host::new();
    host.write("version", "limactl version 1.2.1\n");
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!(code, 2, "{err}");
    assert!(
        err.contains("version 1.2") && err.contains("2.0 or later"),
        "{err}"
    );
    assert_eq!(host.calls("start"), 0);
}

#[test]
fn a_missing_machine_is_made_from_the_template() {
    let host = Host::new();
    let (code, out, err) = run(host.script("echo done"));
    assert_eq!((code, out.as_str()), (0, "done\n"), "{err}");
    assert!(err.contains("making the virtual machine nsci"), "{err}");
    assert!(
        err.contains("chatter of start"),
        "not on standard output: {err}"
    );
    assert_eq!(host.calls("start --tty=false --name nsci - "), 1);
    let template = fs::read_to_string(host.path("template")).unwrap();
    assert_eq!(template, nsci_vm::TEMPLATE);
}

#[test]
fn flags_are_for_machines_that_are_made() {
    let host = Host::new();
    let (code, _, err) = run(host.nsci(&["vm", "start", "--cpus=4", "--memory=8"]));
    assert_eq!(code, 0, "{err}");
    assert_eq!(
        host.calls("start --tty=false --name nsci --cpus=4 --memory=8 -"),
        1
    );
    let (code, _, err) = run(host.nsci(&["vm", "start", "--cpus=8"]));
    assert_eq!(code, 2);
    assert!(err.contains("nsci vm delete"), "{err}");
    assert_eq!(host.calls("start"), 1);
}

#[test]
fn a_stopped_machine_is_started() {
    let host = Host::with_machine("Stopped");
    let (code, out, err) = run(host.script("echo done"));
    assert_eq!((code, out.as_str()), (0, "done\n"), "{err}");
    assert_eq!(host.calls("start --tty=false nsci"), 1);
}

#[test]
fn a_machine_that_runs_is_used_in_three_calls() {
    let host = Host::with_machine("Running");
    run(host.script("exit 0"));
    fs::remove_file(host.path("log")).unwrap();
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!((code, err.as_str()), (0, ""));
    assert_eq!((host.calls("list"), host.calls("shell")), (1, 2));
    assert_eq!(host.calls("start") + host.calls("--version"), 0);
}

#[test]
fn a_broken_machine_is_left_alone() {
    let host = Host::with_machine("Broken");
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!(code, 1);
    assert!(
        err.contains("Broken") && err.contains("nsci vm delete"),
        "{err}"
    );
    assert_eq!(host.calls("start") + host.calls("shell"), 0);
}

#[test]
fn a_machine_that_does_not_start_is_an_error() {
    let host = Host::new();
    host.write("fail", "");
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!(code, 1);
    assert!(
        err.contains("no image") && err.contains("limactl start failed"),
        "{err}"
    );
}

#[test]
fn two_commands_make_one_machine() {
    let host = Host::new();
    let both = [host.script("echo one"), host.script("echo two")];
    let both = both.map(|mut command| command.stdout(Stdio::piped()).spawn().unwrap());
    let outs = both.map(|child| judge(&child.wait_with_output().unwrap()));
    assert_eq!(outs[0].1, "one\n");
    assert_eq!(outs[1].1, "two\n");
    assert_eq!(host.calls("start"), 1);
}

#[test]
fn outputs_are_apart_and_the_exit_code_is_the_commands() {
    let host = Host::with_machine("Running");
    for code in [0, 1, 2, 7, 130, 255] {
        let found = run(host.script(&format!("echo out; echo err >&2; exit {code}")));
        assert_eq!(found, (code, "out\n".to_owned(), "err\n".to_owned()));
    }
}

#[test]
fn arguments_arrive_as_they_are() {
    let host = Host::with_machine("Running");
    let odd = [
        "",
        "a b",
        "it's",
        "$HOME",
        "two\nlines",
        "X=1",
        "--",
        "*",
        "\\",
        "ü",
    ];
    let mut args = vec!["-c", "for a; do printf '[%s]' \"$a\"; done", "nsci"];
    args.extend(odd);
    let (_, out, err) = run(host.nsci(&args));
    let wanted: String = odd.iter().map(|arg| format!("[{arg}]")).collect();
    assert_eq!(out, wanted, "{err}");
}

#[test]
fn standard_input_arrives() {
    let host = Host::with_machine("Running");
    let mut command = host.script("cat");
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let long = "text\n".repeat(100_000);
    let mut stdin = child.stdin.take().unwrap();
    let text = long.clone();
    let writer = std::thread::spawn(move || std::io::Write::write_all(&mut stdin, text.as_bytes()));
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), long);
}

#[test]
fn it_runs_in_the_same_directory_with_the_same_home() {
    let host = Host::with_machine("Running");
    let (_, out, err) = run(host.script("pwd; echo $HOME; echo $NSCI_DATA_DIR"));
    let wanted = format!(
        "{}\n{}\n{}\n",
        host.path("home/work").display(),
        host.path("home").display(),
        host.path("guest/.local/share/nsci").display()
    );
    assert_eq!(out, wanted, "{err}");
}

#[test]
fn a_directory_that_the_machine_does_not_see_is_refused() {
    let host = Host::with_machine("Running");
    let mut command = host.script("pwd");
    command.current_dir("/");
    let (code, out, err) = run(command);
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(err.contains("does not see /;"), "{err}");
    assert!(
        err.contains(&host.path("home").display().to_string()),
        "{err}"
    );
}

#[test]
fn the_environment_arrives_and_is_in_no_command_line() {
    let host = Host::with_machine("Running");
    let mut command = host.script("echo \"$TOKEN\"; echo \"$TMPDIR\"; ls \"$XDG_RUNTIME_DIR\"");
    command
        .env("TOKEN", "s3cret\n'line'")
        .env("TMPDIR", "/outside");
    let (_, out, err) = run(command);
    assert!(out.starts_with("s3cret\n'line'\n\n"), "{out}{err}");
    assert!(!host.log().join("\n").contains("s3cret"));
    assert!(out.contains(".pid"), "asked while it runs: {out}");
    assert_eq!(host.tickets(), [""; 0]);
}

#[test]
fn what_killed_commands_left_is_swept_away() {
    let host = Host::with_machine("Running");
    host.write("run/nsci-ticket.abcdefgh.pid", "999999999");
    let old = host.path("run/nsci-ticket.abcdefgh");
    fs::write(&old, "export TOKEN=x").unwrap();
    let touched = Command::new("touch")
        .args(["-d", "2 hours ago"])
        .arg(&old)
        .status();
    assert!(touched.unwrap().success());
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!(code, 0, "{err}");
    assert!(!old.exists() && !host.path("run/nsci-ticket.abcdefgh.pid").exists());
}

#[test]
fn the_executable_is_put_there_once_for_each_content() {
    let host = Host::with_machine("Running");
    let put = || {
        let mut names: Vec<_> = fs::read_dir(host.path("guest/.local/lib/nsci"))
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        names.sort();
        names
    };
    run(host.script("exit 0"));
    let first = put();
    assert_eq!(first.len(), 1);
    let inode = |path: &Path| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(&first[0]);
    run(host.script("exit 0"));
    assert_eq!((put(), inode(&first[0])), (first.clone(), before));
    let mut other = fs::read(host.linux_binary()).unwrap();
    other.extend(b"a later version");
    fs::write(host.linux_binary(), other).unwrap();
    let (code, out, err) = run(host.script("echo new"));
    assert_eq!((code, out.as_str()), (0, "new\n"), "{err}");
    assert_eq!(put().len(), 2);
    assert!(put().contains(&first[0]));
}

#[test]
fn an_executable_for_something_else_is_refused() {
    let host = Host::with_machine("Running");
    host.write("mach-o", "\u{1}no executable for Linux");
    let mut command = host.script("exit 0");
    command.env("NSCI_LINUX_BINARY", host.path("mach-o"));
    let (code, _, err) = run(command);
    assert_eq!(code, 2);
    assert!(err.contains("is no executable for Linux on"), "{err}");
    fs::remove_file(host.linux_binary()).unwrap();
    let (code, _, err) = run(host.script("exit 0"));
    assert_eq!(code, 2);
    assert!(err.contains("NSCI_LINUX_BINARY"), "{err}");
}

#[test]
fn signals_reach_the_command() {
    let host = Host::with_machine("Running");
    for (sent, name, code) in [
        (Signal::SIGINT, "INT", 40),
        (Signal::SIGTERM, "TERM", 41),
        (Signal::SIGHUP, "HUP", 42),
    ] {
        let ready = host.path(&format!("home/ready-{name}"));
        let script = format!(
            "trap 'echo got {name}; exit {code}' {name}; : >{}; while :; do sleep 0.05; done",
            ready.display()
        );
        let mut command = host.script(&script);
        let child = command.stdout(Stdio::piped()).spawn().unwrap();
        host.wait_for(&format!("home/ready-{name}"));
        signal(&child, sent);
        let (found, out, _) = judge(&child.wait_with_output().unwrap());
        assert_eq!((found, out), (code, format!("got {name}\n")));
    }
}

#[test]
fn a_command_that_is_stopped_before_it_begins_never_runs() {
    let host = Host::with_machine("Running");
    host.write("wait", "");
    let child = host
        .script("echo ran")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    host.wait_for("waits");
    signal(&child, Signal::SIGTERM);
    let began = Instant::now();
    while !host.tickets().is_empty() {
        assert!(
            began.elapsed() < Duration::from_secs(30),
            "the ticket stays"
        );
        sleep(Duration::from_millis(10));
    }
    fs::remove_file(host.path("wait")).unwrap();
    let (code, out, _) = judge(&child.wait_with_output().unwrap());
    assert_eq!((code, out.as_str()), (143, ""));
}

#[test]
fn a_start_can_be_interrupted() {
    let host = Host::new();
    host.write("hang", "");
    let child = host
        .script("echo ran")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    host.wait_for("hangs");
    signal(&child, Signal::SIGINT);
    let (code, out, _) = judge(&child.wait_with_output().unwrap());
    assert_eq!((code, out.as_str()), (130, ""));
}

/// Runs nsci on a terminal, with a shell's redirections, and returns what the terminal showed.
fn on_a_terminal(host: &Host, script: &str, redirections: &str) -> (i32, String) {
    let line = format!(
        "{} -c '{script}' {redirections}",
        host.path("bin/nsci").display()
    );
    let nsci = host.nsci(&[]);
    let mut command = Command::new("script");
    command.args(["-qec", &line, "/dev/null"]);
    command.current_dir(host.path("home/work")).env_clear();
    command.envs(
        nsci.get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    command.env("SHELL", "/bin/sh").stdin(Stdio::null());
    let (code, out, _) = run(command);
    (code, out.replace('\r', ""))
}

#[test]
fn a_terminal_is_handed_on_whole_or_not_at_all() {
    let host = Host::with_machine("Running");
    let ask = "for fd in 0 1 2; do [ -t $fd ] && echo tty $fd || echo none $fd; done; exit 5";
    let (code, shown) = on_a_terminal(&host, ask, "");
    assert_eq!(code, 5, "{shown}");
    assert!(shown.contains("tty 0\ntty 1\ntty 2\n"), "{shown}");
    // Errors go elsewhere: output still reaches the terminal, and is no terminal inside.
    let (code, shown) = on_a_terminal(&host, &format!("echo err >&2; {ask}"), "2>../err");
    assert_eq!(code, 5, "{shown}");
    assert!(shown.contains("none 0\nnone 1\nnone 2\n"), "{shown}");
    assert_eq!(fs::read_to_string(host.path("home/err")).unwrap(), "err\n");
    // Output goes elsewhere.
    let (code, shown) = on_a_terminal(&host, ask, ">../out");
    assert_eq!((code, shown.as_str()), (5, ""));
    let out = fs::read_to_string(host.path("home/out")).unwrap();
    assert!(out.contains("none 0\nnone 1\ntty 2\n"), "{out}");
}

#[test]
fn the_machine_is_managed() {
    let host = Host::new();
    let (code, out, _) = run(host.nsci(&["vm", "status"]));
    assert_eq!((code, out.contains("state       none")), (0, true), "{out}");
    for (args, state) in [
        (&["vm", "start"][..], "running"),
        (&["vm", "start"], "running"),
        (&["vm", "stop"], "stopped"),
        (&["vm", "stop"], "stopped"),
        (&["vm", "delete"], "none"),
        (&["vm", "delete"], "none"),
    ] {
        let (code, out, err) = run(host.nsci(args));
        assert_eq!((code, out.as_str()), (0, ""), "{args:?}: {err}");
        let (_, status, _) = run(host.nsci(&["vm", "status"]));
        assert!(
            status.contains(&format!("state       {state}")),
            "{args:?}: {status}"
        );
    }
    assert_eq!(host.calls("start"), 1);
    assert_eq!((host.calls("stop nsci"), host.calls("delete")), (1, 1));
}

#[test]
fn a_shell_of_the_machine_is_not_nsci() {
    let host = Host::with_machine("Stopped");
    let (code, out, err) = run(host.nsci(&["vm", "shell", "sh", "-c", "pwd; exit 4"]));
    let wanted = format!("{}\n", host.path("home/work").display());
    assert_eq!((code, out), (4, wanted), "{err}");
    assert_eq!(host.calls("start"), 1);
}

#[test]
fn wrong_words_are_refused_and_help_needs_nothing() {
    let host = Host::new();
    fs::remove_file(host.path("bin/limactl")).unwrap();
    for args in [&["vm"][..], &["vm", "--help"], &["vm", "start", "--help"]] {
        let (code, out, err) = run(host.nsci(args));
        assert_eq!((code, err.as_str()), (0, ""), "{args:?}");
        assert!(out.contains("Usage: nsci vm"), "{out}");
    }
    for args in [&["vm", "frob"][..], &["vm", "stop", "now"]] {
        let (code, out, err) = run(host.nsci(args));
        assert_eq!((code, out.as_str()), (2, ""), "{args:?}");
        assert!(err.contains("nsci vm"), "{err}");
    }
}

#[test]
fn completion_never_starts_a_machine() {
    for host in [Host::new(), Host::with_machine("Stopped")] {
        let found = run(host.nsci(&["__complete", "c"]));
        assert_eq!(found, (0, String::new(), String::new()));
        assert_eq!(host.calls("start") + host.calls("shell"), 0);
    }
}

#[test]
fn the_template_says_what_nsci_needs() {
    let documents = YamlLoader::load_from_str(nsci_vm::TEMPLATE).unwrap();
    let [template] = &documents[..] else {
        panic!("{} documents", documents.len());
    };
    assert_eq!(template["minimumLimaVersion"].as_str(), Some("2.0.0"));
    for kind in ["system", "user"] {
        assert_eq!(
            template["containerd"][kind].as_bool(),
            Some(false),
            "{kind}"
        );
    }
    assert_eq!(template["ssh"]["forwardAgent"].as_bool(), Some(true));
    let mounts = template["mounts"].as_vec().unwrap();
    assert_eq!(mounts.len(), 1);
    assert_eq!(mounts[0]["location"].as_str(), Some("~"));
    assert_eq!(mounts[0]["writable"].as_bool(), Some(true));
    let script = template["provision"][0]["script"].as_str().unwrap();
    for package in ["uidmap", "git", "openssh-client", "ca-certificates"] {
        assert!(script.contains(package), "{package}");
    }
}

#[test]
fn scripts_of_the_template_are_shell() {
    let documents = YamlLoader::load_from_str(nsci_vm::TEMPLATE).unwrap();
    for part in ["provision", "probes"] {
        let script = documents[0][part][0]["script"].as_str().unwrap();
        assert!(script.starts_with("#!/bin/sh\n"), "{part}");
        let checked = Command::new("sh")
            .args(["-n", "-c", script])
            .output()
            .unwrap();
        assert!(checked.status.success(), "{part}: {checked:?}");
    }
}
