//! Modules: what they are made of and how their code is run, as plain data.
//!
//! Reads `dagger.json` ([`config`]), reads the types a module offers from its source without running
//! it ([`python`]), names them ([`names`], [`typedef`]), finds the marked ones
//! ([`marked`]), understands flags ([`flag`]), encodes the
//! values that cross the border of a function call ([`call`]) and describes the container a function
//! runs in ([`runtime_plan`]). What differs between languages is asked of [`sdk::SdkKind`].
//! It never runs anything, never talks to a network and never reads the environment.

pub mod call;
pub mod config;
pub mod customize;
pub mod flag;
pub mod go;
pub mod init;
pub mod marked;
pub mod names;
pub mod python;
pub mod reference;
pub mod runtime_plan;
pub mod sdk;
pub mod sdk_go;
pub mod sdk_python;
pub mod sdk_typescript;
pub mod typedef;
pub mod typescript;

/// Names what reads modules and generates code for them: what another nsci made of the same source may differ.
pub const GENERATOR: &str = env!("NSCI_GENERATOR");

pub use call::{CallRequest, InputArg, Value};
pub use config::{ConfigError, Customization, Dependency, ModuleConfig, Role, Sdk};
pub use customize::{CustomizeError, customize};
pub use flag::{FlagError, FlagValue};
pub use python::StaticError;
pub use reference::{GitReference, ModuleReference};
pub use runtime_plan::RuntimePlan;
pub use sdk::SdkKind;
pub use typedef::{
    Arg, CachePolicy, EnumMember, EnumType, Field, Function, InterfaceType, ModuleTypes,
    ObjectType, SourceLocation, TypeError, TypeKind, TypeRef,
};
