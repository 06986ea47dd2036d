//! The two ways things go wrong: a field that fails while a query runs, and a schema that is declared wrongly.

use serde_json::{Map, Value};

/// Why a field has no value; becomes one entry of the response's `errors`.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
#[error("{message}")]
pub struct FieldError {
    /// What the client reads.
    pub message: String,
    /// Machine-readable detail, sent as is; empty means none.
    pub extensions: Map<String, Value>,
}

impl FieldError {
    /// An error that has only a message.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            extensions: Map::new(),
        }
    }

    /// Adds one extension key.
    #[must_use]
    pub fn with(mut self, key: impl Into<String>, value: impl Into<Value>) -> Self {
        self.extensions.insert(key.into(), value.into());
        self
    }
}

impl From<String> for FieldError {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}

impl From<&str> for FieldError {
    fn from(message: &str) -> Self {
        Self::new(message)
    }
}

/// What is wrong with a declaration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SchemaError {
    /// A type, argument or default could not be read.
    #[error("{place}: cannot read `{text}`: {why}")]
    Syntax {
        /// Type and field.
        place: String,
        /// The declaration as written.
        text: String,
        /// What the reader expected.
        why: String,
    },
    /// A name refers to nothing.
    #[error("{place}: there is no type `{name}`")]
    UnknownType {
        /// Type and field.
        place: String,
        /// The missing name.
        name: String,
    },
    /// Two declarations claim the same name.
    #[error("{place}: declared twice")]
    Duplicate {
        /// Type and field.
        place: String,
    },
    /// A declaration contradicts another or lacks a part.
    #[error("{place}: {why}")]
    Invalid {
        /// Type and field.
        place: String,
        /// What is wrong.
        why: String,
    },
}
