//! Clients in other languages, generated from the schema.
//!
//! [`schema`] is a schema as generators want it, read from an introspection answer or from the engine's
//! own type table. What it writes is plain text; nothing here runs, asks or stores anything.

pub mod schema;

pub use schema::Schema;

use crate::{
    module::{ModuleConfig, SdkKind},
    schema::gql::TypeTable,
};

/// Files that a module's code needs beside itself, made from the API that it sees: path in its source directory, and
/// contents.
pub fn files(sdk: SdkKind, _config: &ModuleConfig, _seen: &TypeTable) -> Vec<(String, String)> {
    match sdk {
        // Its client learns the types of other modules from the session.
        SdkKind::Python => Vec::new(),
    }
}
