//! Errors on their way from the keeper to the engine.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use crate::error::Error;

/// An error on its way to the other side.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireError {
    Io {
        action: String,
        path: PathBuf,
        errno: Option<i32>,
        message: String,
    },
    NotFound {
        path: String,
    },
    NotADirectory {
        path: String,
    },
    IsADirectory {
        path: String,
    },
    InvalidPath {
        path: String,
        reason: String,
    },
    DigestMismatch {
        what: String,
        expected: String,
        actual: String,
    },
    InvalidPattern {
        pattern: String,
        reason: String,
    },
    InvalidLayer {
        reason: String,
    },
    UnknownLayer {
        id: String,
    },
    UnknownActive {
        id: String,
    },
    TooManyLayers {
        count: usize,
        limit: usize,
    },
    UnknownUser {
        kind: String,
        name: String,
    },
    ChangedWhileReading {
        path: PathBuf,
    },
    Other {
        message: String,
    },
}

impl From<WireError> for Error {
    fn from(error: WireError) -> Self {
        match error {
            WireError::Io {
                action,
                path,
                errno,
                message,
            } => {
                let source =
                    errno.map_or_else(|| io::Error::other(message), io::Error::from_raw_os_error);
                Self::Io {
                    action,
                    path,
                    source,
                }
            }
            WireError::NotFound { path } => Self::NotFound { path },
            WireError::NotADirectory { path } => Self::NotADirectory { path },
            WireError::IsADirectory { path } => Self::IsADirectory { path },
            WireError::InvalidPath { path, reason } => Self::InvalidPath { path, reason },
            WireError::DigestMismatch {
                what,
                expected,
                actual,
            } => Self::DigestMismatch {
                what,
                expected,
                actual,
            },
            WireError::InvalidPattern { pattern, reason } => {
                Self::InvalidPattern { pattern, reason }
            }
            WireError::InvalidLayer { reason } => Self::InvalidLayer { reason },
            WireError::UnknownLayer { id } => Self::UnknownLayer { id },
            WireError::UnknownActive { id } => Self::UnknownActive { id },
            WireError::TooManyLayers { count, limit } => Self::TooManyLayers { count, limit },
            WireError::UnknownUser { kind, name } => Self::UnknownUser { kind, name },
            WireError::ChangedWhileReading { path } => Self::ChangedWhileReading { path },
            WireError::Other { message } => Self::Protocol { reason: message },
        }
    }
}

impl From<Error> for WireError {
    fn from(error: Error) -> Self {
        match error {
            Error::Io {
                action,
                path,
                source,
            } => Self::Io {
                action,
                path,
                errno: source.raw_os_error(),
                message: source.to_string(),
            },
            Error::NotFound { path } => Self::NotFound { path },
            Error::NotADirectory { path } => Self::NotADirectory { path },
            Error::IsADirectory { path } => Self::IsADirectory { path },
            Error::InvalidPath { path, reason } => Self::InvalidPath { path, reason },
            Error::DigestMismatch {
                what,
                expected,
                actual,
            } => Self::DigestMismatch {
                what,
                expected,
                actual,
            },
            Error::InvalidPattern { pattern, reason } => Self::InvalidPattern { pattern, reason },
            Error::InvalidLayer { reason } => Self::InvalidLayer { reason },
            Error::UnknownLayer { id } => Self::UnknownLayer { id },
            Error::UnknownActive { id } => Self::UnknownActive { id },
            Error::TooManyLayers { count, limit } => Self::TooManyLayers { count, limit },
            Error::UnknownUser { kind, name } => Self::UnknownUser { kind, name },
            Error::ChangedWhileReading { path } => Self::ChangedWhileReading { path },
            other => Self::Other {
                message: other.to_string(),
            },
        }
    }
}
