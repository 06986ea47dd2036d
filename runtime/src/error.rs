//! What can go wrong when a session or a step is started.
//!
//! A command that ran and failed is not an error; see [`crate::Exit`].

use std::io;
use std::path::PathBuf;

use crate::idmap::IdMapProblem;

/// Why a session could not be started or a step could not be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A system call failed; `what` completes "cannot …".
    #[error("cannot {what}")]
    Io {
        /// What was attempted, with its object.
        what: String,
        /// The system's answer.
        source: io::Error,
    },
    /// No usable id mapping.
    #[error(transparent)]
    IdMap(#[from] IdMapProblem),
    /// Limits were asked for and cannot be had.
    #[error(transparent)]
    Limits(#[from] crate::cgroup::LimitProblem),
    /// `newuidmap` or `newgidmap` refused.
    #[error("{tool} refused the id mapping: {output}")]
    MapTool {
        /// The tool that failed.
        tool: String,
        /// Its message, or its exit status when it said nothing.
        output: String,
    },
    /// The kernel or a security policy refuses user namespaces.
    #[error("cannot create a user namespace: {reason}")]
    UserNamespace {
        /// The cause as found by the child.
        reason: String,
    },
    /// The state directory belongs to someone else or is reachable by others.
    #[error("refusing state directory {}: {reason}", path.display())]
    StateDir {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The spawner could not set up the session.
    #[error("cannot set up the sandbox session: {message}")]
    SessionStart {
        /// The spawner's own words.
        message: String,
    },
    /// The spawner is gone; every step of the session is dead.
    #[error("the sandbox session has ended")]
    SessionLost,
    /// A message between the engine and the spawner made no sense.
    #[error("sandbox protocol violated: {message}")]
    Protocol {
        /// What was wrong.
        message: String,
    },
    /// The command does not exist in the step's file system.
    #[error("exec: {command:?}: {}", if command.contains('/') {
        "no such file or directory"
    } else {
        "executable file not found in $PATH"
    })]
    CommandNotFound {
        /// `args[0]` as given.
        command: String,
    },
    /// The command exists and cannot be executed.
    #[error("exec: {command:?}: {reason}")]
    CommandNotExecutable {
        /// `args[0]` as given.
        command: String,
        /// The system's answer.
        reason: String,
    },
    /// The working directory cannot be entered.
    #[error("cannot enter working directory {path:?}: {reason}")]
    Workdir {
        /// The directory as given.
        path: String,
        /// The system's answer.
        reason: String,
    },
    /// The step asks for something that cannot be given.
    #[error("invalid step: {reason}")]
    InvalidStep {
        /// What is wrong.
        reason: String,
    },
    /// The container could not be created.
    #[error("cannot create the step's container: {message}")]
    Container {
        /// The runtime's chain of causes.
        message: String,
    },
    /// The network of a step or of the session could not be set up.
    #[error("cannot set up the network: {message}")]
    Network {
        /// The failing operation and its cause.
        message: String,
    },
    /// The step was cancelled and is gone.
    #[error("the step was cancelled")]
    Cancelled,
}

impl From<crate::network::Error> for Error {
    fn from(error: crate::network::Error) -> Self {
        Self::Network {
            message: format!("{}: {}", error.action, error.source),
        }
    }
}

impl Error {
    /// Wraps an [`io::Error`]; `what` completes "cannot …".
    pub(crate) fn io(what: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self::Io {
            what: what.into(),
            source: source.into(),
        }
    }

    /// The exit code a shell would report for a command that could not be executed.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match self {
            Self::CommandNotFound { .. } => Some(127),
            Self::CommandNotExecutable { .. } => Some(126),
            _ => None,
        }
    }
}

/// Discards a result whose failure changes nothing; the call site says why.
pub(crate) fn ignore<T, E>(_: Result<T, E>) {}
