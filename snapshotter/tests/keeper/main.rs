//! The keeper as the engine uses it: a process in a user namespace with subordinate ids.
//!
//! `cargo test` starts this outside; it runs itself again under util-linux `unshare`, as the first
//! user of `/etc/subuid` when started by root. Arguments filter tests by name; `--bench` measures.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::exit,
    reason = "this is a test"
)]
#![expect(clippy::print_stderr, reason = "this is a test")]

mod bench;
mod captures;
mod hostile;
mod lab;
mod pack;
mod rules;

use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.first().map(String::as_str) {
        Some("--keeper") => {
            let control: OwnedFd = std::io::stdin().as_fd().try_clone_to_owned().unwrap();
            let (root, mounts) = (args[1].clone().into(), args[2].clone().into());
            nsci_snapshotter::keeper::serve(control, root, mounts).unwrap();
        }
        Some("--inside") => std::process::exit(run(&args[1..])),
        _ => enter(&args),
    }
}

/// Runs this program again as root of a user namespace.
fn enter(args: &[String]) -> ! {
    let mut command = if rustix::process::getuid().is_root() {
        let subuid = std::fs::read_to_string("/etc/subuid").unwrap_or_default();
        let user = subuid.split(':').next().filter(|user| !user.is_empty());
        let user = user.expect("tests as root need a user with ids in /etc/subuid");
        let mut command = Command::new("runuser");
        command.args(["-u", user, "--", "unshare"]);
        command
    } else {
        Command::new("unshare")
    };
    command.args(["--user", "--map-root-user", "--map-auto", "--mount"]);
    command
        .arg(std::env::current_exe().unwrap())
        .arg("--inside")
        .args(args);
    let error = command.exec();
    eprintln!("cannot start unshare of util-linux 2.38: {error}");
    std::process::exit(1);
}

fn run(args: &[String]) -> i32 {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    if args.iter().any(|arg| arg == "--bench") {
        bench::run();
        return 0;
    }
    let wanted: Vec<&String> = args.iter().filter(|arg| !arg.starts_with('-')).collect();
    let (mut passed, mut failed) = (0, Vec::new());
    let all = rules::TESTS.iter().chain(hostile::TESTS).chain(pack::TESTS);
    let all = all.chain(captures::TESTS);
    for (name, test) in all {
        if !wanted.is_empty() && !wanted.iter().any(|part| name.contains(part.as_str())) {
            continue;
        }
        match catch_unwind(AssertUnwindSafe(test)) {
            Ok(()) => passed += 1,
            Err(_) => failed.push(*name),
        }
    }
    for name in &failed {
        println!("FAILED {name}");
    }
    println!("{passed} passed, {} failed", failed.len());
    i32::from(!failed.is_empty())
}
