//! What can go wrong on disk.

use std::io;
use std::path::{Path, PathBuf};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A failure, named so that callers can branch on it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused something.
    #[error("cannot {action} {}", path.display())]
    Io {
        /// What was attempted, as a verb.
        action: String,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A path does not exist in a snapshot or on the host.
    #[error("no such file or directory: {path}")]
    NotFound {
        /// The path as it was asked for.
        path: String,
    },
    /// Something that had to be a directory is not one.
    #[error("not a directory: {path}")]
    NotADirectory {
        /// The path as it was asked for.
        path: String,
    },
    /// Something that had to be a file is a directory.
    #[error("is a directory: {path}")]
    IsADirectory {
        /// The path as it was asked for.
        path: String,
    },
    /// A path, pattern or name that cannot be used.
    #[error("cannot use path `{path}`: {reason}")]
    InvalidPath {
        /// The offending text.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// Content is not what its digest says.
    #[error("{what} should be {expected} but is {actual}")]
    DigestMismatch {
        /// What was checked.
        what: String,
        /// The digest that was promised.
        expected: String,
        /// The digest of the bytes that came.
        actual: String,
    },
    /// A layer archive that is damaged or malicious.
    #[error("cannot unpack layer: {reason}")]
    InvalidLayer {
        /// What is wrong with it, naming the entry.
        reason: String,
    },
    /// A layer that is not in the store.
    #[error("layer is not in the store: {id}")]
    UnknownLayer {
        /// The missing layer.
        id: String,
    },
    /// A handle that was never given out, or was already committed or discarded.
    #[error("no active snapshot `{id}`")]
    UnknownActive {
        /// The handle.
        id: String,
    },
    /// More layers than overlayfs can stack.
    #[error("cannot stack {count} layers: the kernel takes {limit}, squash first")]
    TooManyLayers {
        /// How many were asked for.
        count: usize,
        /// How many there may be.
        limit: usize,
    },
    /// A user or group that is not in the snapshot's `/etc/passwd` or `/etc/group`.
    #[error("no {kind} `{name}` in the file system")]
    UnknownUser {
        /// `user` or `group`.
        kind: String,
        /// The name that was looked up.
        name: String,
    },
    /// The other side of the keeper's socket said something senseless.
    #[error("keeper protocol: {reason}")]
    Protocol {
        /// What was wrong.
        reason: String,
    },
    /// The keeper is gone.
    #[error("the keeper is not running")]
    Disconnected,
    /// The store directory is one nsci will not write to.
    #[error("cannot use {path} as a store: {reason}", path = .path.display())]
    UnusableStore {
        /// The directory.
        path: PathBuf,
        /// Why it is refused and what to do.
        reason: String,
    },
    /// A text that should name an object does not.
    #[error("`{text}` is not {what}")]
    InvalidId {
        /// What was expected, with its article: `a layer id`.
        what: &'static str,
        /// What was given.
        text: String,
    },
    /// A digest uses an algorithm this store cannot check.
    #[error("cannot verify digest algorithm `{algorithm}`, only sha256 and sha512")]
    UnsupportedDigest {
        /// The algorithm.
        algorithm: String,
    },
    /// Received content has the wrong length.
    #[error("content should have {expected} bytes but has {found}: {digest}")]
    SizeMismatch {
        /// What was asked for, or the computed digest.
        digest: String,
        /// Bytes announced.
        expected: u64,
        /// Bytes received.
        found: u64,
    },
    /// A file changed between being scanned and being copied; scan again.
    #[error("file changed while being read: {path}", path = .path.display())]
    ChangedWhileReading {
        /// The file.
        path: PathBuf,
    },
    /// An include or exclude pattern cannot be used.
    #[error("pattern `{pattern}` {reason}")]
    InvalidPattern {
        /// The pattern as given.
        pattern: String,
        /// Why not.
        reason: String,
    },
    /// The wait for a lock was given up by the caller.
    #[error("gave up waiting for lock `{name}`")]
    LockTimeout {
        /// The name that was asked for.
        name: String,
    },
    /// The object is in use by a running nsci.
    #[error("{what} is in use")]
    InUse {
        /// The object.
        what: String,
    },
    /// The index could not be read or written. It can be deleted at any time.
    #[error("cannot use index {path}", path = .path.display())]
    Index {
        /// The database file.
        path: PathBuf,
        /// Why not.
        source: rusqlite::Error,
    },
    /// A value could not be written as JSON.
    #[error("cannot encode {what}")]
    Encode {
        /// The value.
        what: &'static str,
        /// Why not.
        source: serde_json::Error,
    },
}

impl Error {
    /// Names an I/O failure: `cannot {action} {path}`.
    pub fn io(action: &str, path: impl AsRef<Path>, source: impl Into<io::Error>) -> Self {
        Self::Io {
            action: action.to_owned(),
            path: path.as_ref().to_owned(),
            source: source.into(),
        }
    }

    /// Whether the disk, or a quota on it, is full: collect garbage, then try again.
    #[must_use]
    pub fn is_out_of_space(&self) -> bool {
        matches!(
            self,
            Self::Io { source, .. } if matches!(
                source.kind(),
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            )
        )
    }

    /// The operating system's error number, if there is one.
    #[must_use]
    pub fn errno(&self) -> Option<i32> {
        match self {
            Self::Io { source, .. } => source.raw_os_error(),
            _ => None,
        }
    }
}

/// Attaches what was attempted to an I/O result.
pub(crate) trait Context<T> {
    /// Turns the error into `cannot {action} {path}`.
    fn context(self, action: &str, path: impl AsRef<Path>) -> Result<T>;
}

impl<T, E: Into<io::Error>> Context<T> for Result<T, E> {
    fn context(self, action: &str, path: impl AsRef<Path>) -> Result<T> {
        self.map_err(|source| Error::io(action, path, source))
    }
}
