//! Dockerfiles: text in, vertices of our own graph out.
//!
//! [`lower`] reads a Dockerfile and says each instruction in the words of [`crate::graph`], so that
//! stages run in parallel, only what the target needs runs at all, and every step is cached like
//! any other. The one thing it asks of the world is the configuration of base images, through
//! [`Bases`]. Files are looked at later, when the graph is solved.

mod copy;
mod ignore;
mod instruction;
mod lines;
mod lower;
mod run;
mod stage;
mod words;

pub use self::{
    ignore::ignore_patterns,
    lower::{Bases, Build, lower},
};

use crate::error::Error;

/// What is wrong with a Dockerfile, and in which line.
#[derive(Debug)]
pub(crate) struct Problem {
    line: usize,
    message: String,
    hint: Option<String>,
}

impl Problem {
    fn at(line: usize, message: impl Into<String>) -> Self {
        Self {
            line,
            message: message.into(),
            hint: None,
        }
    }

    fn hint(self, hint: impl Into<String>) -> Self {
        Self {
            hint: Some(hint.into()),
            ..self
        }
    }

    /// The error as the user meets it; `file` is the name of the Dockerfile.
    fn into_error(self, file: &str) -> Error {
        let error = Error::invalid(format!("{file}:{}: {}", self.line, self.message));
        match self.hint {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests;
