//! `nsci` on macOS. On Linux it is built as `nsci-vm` for tests, and for whoever wants a virtual machine there.
#![forbid(unsafe_code)]

use std::ffi::OsString;
use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use nsci_vm::{Failure, Front, Signals, Surroundings};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code.into(),
        Err(failure) => {
            // Nobody is left to tell that standard error is closed.
            writeln!(io::stderr(), "nsci: {failure}").ok();
            failure.code.number().into()
        }
    }
}

fn run() -> Result<u8, Failure> {
    let signals = Signals::take()
        .map_err(|error| Failure::failed(format!("cannot take signals over: {error}")))?;
    let args: Vec<OsString> = std::env::args_os().skip(1).collect();
    let front = Front::new(surroundings()?, signals);
    front.run(&args, |text| {
        // A reader that went away has read enough.
        io::stdout().write_all(text.as_bytes()).ok();
    })
}

#[expect(
    clippy::disallowed_methods,
    reason = "the one place that reads the working directory; links lead to where the package manager put the program"
)]
fn surroundings() -> Result<Surroundings, Failure> {
    let cwd = std::env::current_dir()
        .map_err(|error| Failure::usage(format!("cannot tell the working directory: {error}")))?;
    let exe = std::env::current_exe().and_then(std::fs::canonicalize);
    let exe = exe.map_err(|error| Failure::failed(format!("cannot tell where I am: {error}")))?;
    Ok(Surroundings {
        env: std::env::vars_os().collect(),
        cwd,
        beside: exe.parent().map(Into::into).unwrap_or_default(),
        terminals: [
            io::stdin().is_terminal(),
            io::stdout().is_terminal(),
            io::stderr().is_terminal(),
        ],
    })
}
