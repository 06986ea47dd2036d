//! The hidden roles this executable plays inside of a sandbox.

use std::io::Write as _;
use std::path::PathBuf;
use std::process::ExitCode;

use nsci_snapshotter::keeper;

/// Role of the process that works on trees of files; the engine starts it under this name with the store and a
/// directory of the session's own tmpfs to mount in.
pub(crate) const KEEPER: &str = "nsci-keeper";

/// Plays the role named by the first word, if it is one.
pub(crate) fn dispatch(words: &[String]) -> Option<ExitCode> {
    if let Some(code) = nsci_runtime::roles::dispatch(words) {
        return Some(code);
    }
    match words {
        [role, root, mounts] if role == KEEPER => {
            Some(keep(PathBuf::from(root), PathBuf::from(mounts)))
        }
        _ => None,
    }
}

fn keep(root: PathBuf, mounts: PathBuf) -> ExitCode {
    let served = nsci_runtime::roles::inherited_socket()
        .map_err(|error| error.to_string())
        .and_then(|socket| keeper::serve(socket, root, mounts).map_err(|error| error.to_string()));
    match served {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error is the engine's; there is nobody else to tell.
            writeln!(std::io::stderr(), "nsci keeper: {error}").ok();
            ExitCode::FAILURE
        }
    }
}
