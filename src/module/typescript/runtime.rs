//! What the SDK is told about a module when a function runs.
//!
//! Main type: [`Runtime`]. Scripts have no types any more; this says which files to load, and of what type
//! every argument, result and piece of state is. Names are original names.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::module::typedef::TypeRef;

/// A module, as the SDK sees it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Runtime {
    /// Scripts that declare objects, relative to the source directory.
    pub(super) files: Vec<String>,
    /// Script with the types of other modules, if there are any.
    pub(super) dependencies: Option<String>,
    /// Objects by name.
    pub(super) objects: BTreeMap<String, Object>,
    /// Values of the members of enums, by name.
    pub(super) enums: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
    /// Interfaces by name.
    pub(super) interfaces: BTreeMap<String, Interface>,
}

/// A type with state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Object {
    /// Class; `None` for objects without one.
    pub(super) class: Option<String>,
    /// Whether its source has a constructor, which has run already when there is state.
    #[serde(rename = "hasConstructor")]
    pub(super) has_constructor: bool,
    /// Parameters of its constructor; `None` if the engine makes it.
    pub(super) constructor: Option<Vec<Parameter>>,
    /// Functions by name.
    pub(super) functions: BTreeMap<String, Method>,
    /// Its state.
    pub(super) fields: Vec<StateField>,
}

/// A piece of state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct StateField {
    /// Name in the stored state.
    pub(super) key: String,
    /// Name of the property.
    pub(super) property: String,
    /// Its type; `None` if the API has no such type.
    #[serde(rename = "type")]
    pub(super) ty: Option<TypeRef>,
}

/// A function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Method {
    /// Name of the method or property.
    pub(super) property: String,
    /// Whether it is a property that is computed.
    pub(super) getter: bool,
    /// Parameters in order.
    pub(super) args: Vec<Parameter>,
    /// Type of the result.
    pub(super) returns: TypeRef,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Parameter {
    /// Name.
    pub(super) name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub(super) ty: TypeRef,
    /// Whether it takes all that follow.
    pub(super) rest: bool,
}

/// An interface.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Interface {
    /// Name in the schema.
    #[serde(rename = "apiName")]
    pub(super) api_name: String,
    /// Functions by name.
    pub(super) functions: BTreeMap<String, Method>,
}
