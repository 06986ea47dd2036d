//! The hidden roles this executable plays when it starts itself again.
//!
//! [`dispatch`] must be the first thing `main` does: the roles need a process without threads.

use std::os::fd::OwnedFd;
use std::process::ExitCode;

use crate::{probe, spawner, sys};

/// Role of the session's PID 1; the first command-line argument.
pub const SPAWNER: &str = "nsci-spawner";

/// Role of a process that tries one kernel feature and reports.
pub const PROBE: &str = "nsci-probe";

/// Plays the role named by the first argument, if it is one of this crate's.
///
/// `args` are the command-line arguments without the program's name. `None` means that the caller should go on; roles
/// started with [`crate::Session::spawn_child`] are the caller's own.
#[must_use]
pub fn dispatch(args: &[String]) -> Option<ExitCode> {
    match args.split_first() {
        Some((role, rest)) if role == SPAWNER => Some(spawner::main(rest)),
        Some((role, rest)) if role == PROBE => Some(probe::main(rest)),
        _ => None,
    }
}

/// The socket of a process started with [`crate::Session::spawn_child`]; can be taken once.
///
/// # Errors
/// [`crate::Error::Protocol`] if there is none, or it was taken before.
pub fn inherited_socket() -> Result<OwnedFd, crate::Error> {
    sys::inherited_socket()
}
