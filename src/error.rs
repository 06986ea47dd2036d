//! The one error of the engine.
//!
//! Lower layers keep their own error types; here they become a [`Kind`] (what a caller or the
//! command branches on), a message and a hint. Cloning is cheap, because every caller that waits
//! for one failed step gets the same error.

use std::{error, fmt, sync::Arc};

/// Shorthand for results of the engine.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why something could not be done.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

struct Inner {
    kind: Kind,
    message: String,
    hint: Option<String>,
    source: Option<Box<dyn error::Error + Send + Sync>>,
}

/// What a caller can branch on.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Kind {
    /// A command ended with a code that was not expected.
    Exec(ExecFailure),
    /// A module function failed with an error of its own; the values travel with it.
    Function(Vec<(String, serde_json::Value)>),
    /// What was asked for does not exist or makes no sense.
    Invalid,
    /// The registry, the network or another outside party failed.
    Outside,
    /// The host lacks something that nsci needs.
    Host,
    /// Nobody wanted the result any more.
    Cancelled,
    /// A fault of nsci itself.
    Internal,
}

/// A command that failed.
#[derive(Clone, Debug, PartialEq)]
pub struct ExecFailure {
    /// The command.
    pub cmd: Vec<String>,
    /// Exit code; 128 + n after signal n.
    pub exit_code: i32,
    /// End of standard output.
    pub stdout: String,
    /// End of standard error.
    pub stderr: String,
}

impl Error {
    /// An error of a kind.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            source: None,
        }))
    }

    /// The request cannot be met as it is.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Kind::Invalid, message)
    }

    /// A fault of nsci itself.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Kind::Internal, message)
    }

    /// An error with a cause, which is shown after the message.
    pub fn caused(
        kind: Kind,
        message: impl Into<String>,
        source: impl error::Error + Send + Sync + 'static,
    ) -> Self {
        let source: Option<Box<dyn error::Error + Send + Sync>> = Some(Box::new(source));
        Self(Arc::new(Inner {
            kind,
            message: message.into(),
            hint: None,
            source,
        }))
    }

    /// A command that failed.
    pub fn exec(failure: ExecFailure) -> Self {
        let cmd = failure.cmd.join(" ");
        let message = format!(
            "process \"{cmd}\" did not complete successfully: exit code: {}",
            failure.exit_code
        );
        Self::new(Kind::Exec(failure), message)
    }

    /// The same error with something the user can do about it.
    #[must_use]
    pub fn hint(self, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self(Arc::new(match Arc::try_unwrap(self.0) {
            Ok(inner) => Inner { hint, ..inner },
            Err(shared) => Inner {
                kind: shared.kind.clone(),
                message: shared.message.clone(),
                hint,
                source: None,
            },
        }))
    }

    /// The same error with one more thing that the user should know.
    #[must_use]
    pub fn note(self, text: impl AsRef<str>) -> Self {
        Self(Arc::new(Inner {
            kind: self.0.kind.clone(),
            message: format!("{}\n{}", self.full_message(), text.as_ref()),
            hint: self.0.hint.clone(),
            source: None,
        }))
    }

    /// What a caller can branch on.
    pub fn kind(&self) -> &Kind {
        &self.0.kind
    }

    /// What the user can do about it.
    pub fn hint_text(&self) -> Option<&str> {
        self.0.hint.as_deref()
    }

    /// The message and its causes on one line, for clients that show only a message.
    pub fn full_message(&self) -> String {
        let mut text = self.0.message.clone();
        let mut cause = error::Error::source(self);
        while let Some(error) = cause {
            let more = error.to_string();
            if !text.contains(&more) {
                text.push_str(": ");
                text.push_str(&more);
            }
            cause = error.source();
        }
        text
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("message", &self.full_message())
            .finish_non_exhaustive()
    }
}

impl error::Error for Error {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        self.0
            .source
            .as_deref()
            .map(|source| source as &(dyn error::Error + 'static))
    }
}
