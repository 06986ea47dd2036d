//! Clients in other languages, generated from the schema.
//!
//! [`schema`] is a schema as generators want it, read from an introspection answer or from the engine's
//! own type table. [`files`] is what a module's source gets for each run. All is plain text; nothing here
//! runs, asks or stores anything.

pub mod go;
pub mod schema;
pub mod typescript;

pub use schema::Schema;

use crate::module::ModuleConfig;
use crate::module::python::StaticError;
use crate::module::sdk::{Analysis, SourceFiles};
use crate::schema::gql::View;
use std::sync::OnceLock;

/// Files that are written over a module's source before it runs: path and contents.
///
/// `seen` is the API as the module sees it, if there is more in it than the core.
/// `wrong` says what a mistake in the source is to the caller.
///
/// # Errors
/// A mistake in the source, with file and line, or that of `seen`.
pub fn files<E>(
    analysis: &Analysis<'_>,
    config: &ModuleConfig,
    sources: &SourceFiles,
    seen: Option<impl FnOnce() -> Result<Schema, E>>,
    wrong: impl FnOnce(StaticError) -> E,
) -> Result<Vec<(String, String)>, E> {
    let seen = seen.map(|seen| seen()).transpose()?;
    let made = match analysis {
        Analysis::Go(package) => go::files(
            config,
            package,
            sources,
            seen.as_ref().unwrap_or(core()),
            core(),
        ),
        // Its client learns the types of other modules from the session.
        Analysis::Python(_) => Ok(vec![]),
        Analysis::TypeScript(source) => {
            let types = seen.map(|seen| typescript::dependencies(&seen, core()));
            source.scripts(types.as_deref())
        }
    };
    made.map_err(wrong)
}

/// The API without modules.
fn core() -> &'static Schema {
    static CORE: OnceLock<Schema> = OnceLock::new();
    CORE.get_or_init(|| {
        let core = crate::schema::build(crate::schema::core()).expect("the core is valid");
        Schema::from_table(core.table(), View::LATEST)
    })
}
