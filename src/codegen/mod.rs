//! Clients in other languages, generated from the schema.
//!
//! [`schema`] is a schema as generators want it, read from an introspection answer or from the engine's
//! own type table. What it writes is plain text; nothing here runs, asks or stores anything.

pub mod schema;

pub use schema::Schema;
