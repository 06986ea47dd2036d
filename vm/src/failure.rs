//! What can go wrong before the command runs inside, in words for the user.

use std::fmt;

/// How the front ends when it fails; the same numbers as those of nsci itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// 1: something outside failed.
    Failed,
    /// 2: what was typed, or the surroundings, are wrong.
    Usage,
    /// 128 and the signal's number.
    Signal(u8),
}

impl Code {
    /// The number the shell sees.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Signal(signal) => 128 | signal,
        }
    }
}

/// Why the command could not be run inside.
#[derive(Debug)]
pub struct Failure {
    /// What the shell sees.
    pub code: Code,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// Something outside failed.
    pub fn failed(message: impl Into<String>) -> Self {
        Self::new(Code::Failed, message)
    }

    /// What was typed is wrong.
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Code::Usage, message)
    }

    /// With a code of its own.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: None,
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.message)?;
        match &self.hint {
            Some(hint) => write!(out, "\n{hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
