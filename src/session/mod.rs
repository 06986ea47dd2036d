//! Sessions: one client's work, from opening the store to answering its requests.
//!
//! [`Session`] puts the engine together from plain settings, installs modules into the API and
//! answers requests, of the command in this process or of programs over HTTP ([`server`]). It
//! reads no environment; what the command read comes in as [`SessionSettings`].

mod description;
mod load;
mod modules;
mod open;
pub mod server;

pub use load::LoadedModule;

pub use open::{Session, SessionSettings};

pub use crate::schema::FoundModule;
