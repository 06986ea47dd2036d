//! The nsci command: reads what was typed, has the engine do it, and shows what came of it.
//!
//! ```text
//! args → settings → commands → chain, output, ui, report → exit_code
//! ```
//!
//! The only place that prints, reads the environment and decides exit codes. Data goes to standard output, all else
//! to standard error. The same executable also plays the roles that the sandbox is made of.
#![forbid(unsafe_code)]

mod app;
mod args;
mod chain;
mod commands;
mod exit_code;
mod output;
mod report;
mod roles;
mod settings;
mod shell;
mod signals;
mod terminal;
mod ui;

use std::process::ExitCode;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

fn main() -> ExitCode {
    write_no_core_dumps();
    let mut words = std::env::args_os().map(|word| word.to_string_lossy().into_owned());
    let program = words.next().unwrap_or_default();
    let words: Vec<String> = words.collect();
    // Before anything else: roles need a process without threads.
    if let Some(code) = roles::dispatch(&words) {
        return code;
    }
    commands::main(&program, &words).into()
}

/// Keeps secrets in memory: neither this process nor, unless it asks for it, a step leaves an image of itself on disk.
fn write_no_core_dumps() {
    let limit = Rlimit {
        current: Some(0),
        ..getrlimit(Resource::Core)
    };
    // Lowering a limit is always allowed; where it is not, dumping is the least of the problems.
    setrlimit(Resource::Core, limit).ok();
}
