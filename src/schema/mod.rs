//! The API: what clients can ask for, and how each answer is found.
//!
//! [`gql`] is the machinery (parser, type table, executor) and knows nothing of containers. Each
//! other file declares one kind of object: fields, arguments, documentation and the resolver next
//! to them. Resolvers decode arguments and add to the graph; whatever waits asks the engine.

mod address;
mod api;
mod cache_volume;
mod call;
mod changeset;
mod container;
mod directory;
mod docker;
mod env_file;
mod file;
mod files;
mod git;
mod git_commit;
pub mod gql;
mod host;
mod interfaces;
mod json;
mod legacy;
mod marked;
mod module_api;
mod modules;
mod object;
mod query;
mod remote;
mod runtime;
mod search;
mod service;
mod shared;
mod stat;
mod terminal;
mod things;
mod typedef;

pub use api::{Api, Caller, CallerKind, FunctionCall};
pub(crate) use call::{new_token, register};
pub use marked::settled;
pub use module_api::{FoundModule, ModuleLoader, OWN};
pub use modules::{
    DefaultPaths, DependencySpec, Made, ModuleOrigin, ModuleSpec, declare_constructor,
    declare_types,
};
pub use object::{ContainerRef, FileRef, Instance, ModuleSourceValue, Object, Root, SavedObject};

pub(crate) use runtime::runtime;

use gql::{FieldError, Registry, Schema};
use std::sync::Arc;

/// What resolvers know of the request.
pub type Ctx = gql::Ctx<Api>;

/// The declarations of the core API.
pub fn core() -> Registry<Api> {
    let mut registry = Registry::new();
    query::declare(&mut registry);
    remote::declare(&mut registry);
    container::declare(&mut registry);
    files::declare(&mut registry);
    directory::declare(&mut registry);
    docker::declare(&mut registry);
    file::declare(&mut registry);
    git::declare(&mut registry);
    git_commit::declare(&mut registry);
    host::declare(&mut registry);
    service::declare(&mut registry);
    cache_volume::declare(&mut registry);
    address::declare(&mut registry);
    stat::declare(&mut registry);
    env_file::declare(&mut registry);
    json::declare(&mut registry);
    search::declare(&mut registry);
    changeset::declare(&mut registry);
    terminal::declare(&mut registry);
    things::declare(&mut registry);
    modules::declare(&mut registry);
    legacy::declare(&mut registry);
    typedef::declare(&mut registry);
    module_api::declare(&mut registry);
    marked::declare(&mut registry);
    interfaces::declare(&mut registry);
    registry
}

/// The schema of a registry.
///
/// # Errors
/// The first thing that is wrong with it: a module's types clash, or nsci itself is at fault.
pub fn build(registry: Registry<Api>) -> Result<Arc<Schema<Api>>, FieldError> {
    Schema::build(registry).map_err(|errors| {
        let text: Vec<String> = errors.iter().map(ToString::to_string).collect();
        FieldError::new(text.join("\n"))
    })
}
