//! Clients in other languages, generated from the schema.
//!
//! [`schema`] is a schema as generators want it, read from an introspection answer or from the engine's
//! own type table. [`files`] is what a module's source gets for each run. All is plain text; nothing here
//! runs, asks or stores anything.

pub mod go;
pub mod schema;
pub mod typescript;

pub use schema::Schema;

use crate::module::python::StaticError;
use crate::module::sdk::SourceFiles;
use crate::module::{ModuleConfig, SdkKind};
use crate::schema::gql::{TypeTable, View};
use std::sync::OnceLock;

/// Files that are written over a module's source before it runs: path and contents.
///
/// `seen` is the API as the module sees it.
///
/// # Errors
/// [`StaticError`] naming file and line of what is wrong with the source.
pub fn files(
    sdk: SdkKind,
    config: &ModuleConfig,
    sources: &SourceFiles,
    seen: &TypeTable,
) -> Result<Vec<(String, String)>, StaticError> {
    let schema = Schema::from_table(seen, View::LATEST);
    match sdk {
        SdkKind::Go => go::files(config, sources, &schema, core()),
        // Its client learns the types of other modules from the session.
        SdkKind::Python => Ok(vec![]),
        SdkKind::TypeScript => typescript::files(config, sources, &schema, core()),
    }
}

/// The API without modules.
fn core() -> &'static Schema {
    static CORE: OnceLock<Schema> = OnceLock::new();
    CORE.get_or_init(|| {
        let core = crate::schema::build(crate::schema::core()).expect("the core is valid");
        Schema::from_table(core.table(), View::LATEST)
    })
}
