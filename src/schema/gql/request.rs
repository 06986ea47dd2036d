//! A request as it arrives over HTTP, and the answer as it goes back.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The body of a request.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    /// The GraphQL document.
    pub query: String,
    /// Which of its operations to run; absent or empty if there is one.
    #[serde(default)]
    pub operation_name: Option<String>,
    /// Values of its variables.
    #[serde(default)]
    pub variables: Option<Map<String, Value>>,
}

impl Request {
    /// A request without variables.
    pub fn new(query: impl Into<String>) -> Self {
        Self {
            query: query.into(),
            operation_name: None,
            variables: None,
        }
    }
}

/// The answer to a request.
#[derive(Clone, PartialEq, Eq)]
pub struct Response {
    /// False if the request was refused before anything ran.
    pub executed: bool,
    /// JSON: `data` and `errors`.
    pub body: Arc<[u8]>,
}

impl Response {
    /// Refuses a request for these reasons.
    pub fn refused(errors: &[ErrorEntry]) -> Self {
        #[derive(Serialize)]
        struct Body<'a> {
            errors: &'a [ErrorEntry],
            data: (),
        }
        let body = serde_json::to_vec(&Body { errors, data: () });
        Self {
            executed: false,
            body: body.expect("errors are plain data").into(),
        }
    }

    /// The body as a JSON value.
    pub fn to_json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("a response is always JSON")
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("executed", &self.executed)
            .field("body", &String::from_utf8_lossy(&self.body))
            .finish()
    }
}

/// One entry of `errors`.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct ErrorEntry {
    /// What went wrong.
    pub message: String,
    /// Keys and indices from the root of the data.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub path: Vec<Value>,
    /// Where in the request.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub locations: Vec<Location>,
    /// Machine-readable detail.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub extensions: Map<String, Value>,
}

/// A place in the request's text, counted from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Location {
    /// Line.
    pub line: usize,
    /// Column in bytes.
    pub column: usize,
}
