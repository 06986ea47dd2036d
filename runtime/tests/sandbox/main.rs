//! Tests of the sandbox against the running kernel.
//!
//! The executable starts itself again as the spawner, so it has a `main` of its own: roles first, then the tests. Run it
//! as an unprivileged user with subordinate ids and again as root; both maps are then covered. Every test runs with each
//! executor.

#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]
#![expect(clippy::print_stdout, reason = "this is a test harness")]

#[path = "../support/mod.rs"]
mod support;

mod life;
mod security;
mod steps;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::ExitCode;
use std::time::Instant;

use nsci_runtime::ExecutorKind;

/// A named test.
type Test = (&'static str, fn());

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = support::dispatch(&args) {
        return code;
    }
    match args.first().map(String::as_str) {
        Some("echo-child") => return life::echo_child(),
        Some("doomed-engine") => {
            support::use_executor(args[1].parse().unwrap());
            return life::doomed_engine();
        }
        _ => {}
    }
    let tests: Vec<Test> = [steps::TESTS, security::TESTS, life::TESTS].concat();
    if args.iter().any(|arg| arg == "--list") {
        for (name, _) in tests {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    let (left_out, wanted): (Vec<&str>, Vec<&str>) = args
        .iter()
        .map(String::as_str)
        .partition(|arg| arg.starts_with("--skip="));
    let left_out: Vec<&str> = left_out.iter().map(|arg| &arg["--skip=".len()..]).collect();
    let mut failed = 0;
    for (kind, (name, test)) in [ExecutorKind::Native, ExecutorKind::Libcontainer]
        .into_iter()
        .flat_map(|kind| tests.iter().map(move |test| (kind, *test)))
    {
        support::use_executor(kind);
        let full = format!("{kind:?}: {name}");
        let any = |parts: &[&str]| parts.iter().any(|part| full.contains(part));
        if !wanted.is_empty() && !any(&wanted) || any(&left_out) {
            continue;
        }
        let begin = Instant::now();
        let passed = catch_unwind(AssertUnwindSafe(test)).is_ok();
        println!(
            "{full} ... {} ({:?})",
            if passed { "ok" } else { "FAILED" },
            begin.elapsed()
        );
        failed += u32::from(!passed);
    }
    if failed > 0 {
        println!("{failed} failed");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
