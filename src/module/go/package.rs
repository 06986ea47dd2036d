//! What there is to know of a module's package: its types, and what generated code must know to call them.
//!
//! Main type: [`Package`]. Plain data; [`describe`](super::describe) makes it.

use std::collections::{BTreeMap, BTreeSet};

use crate::module::typedef::{ModuleTypes, SourceLocation};

/// A module's package: its types, and what generated code must know to call it.
#[derive(Clone, Debug, Default)]
pub struct Package {
    /// The types it offers.
    pub types: ModuleTypes,
    /// Objects that are offered.
    pub objects: Vec<GoObject>,
    /// Interfaces that are asked for.
    pub interfaces: Vec<GoInterface>,
    /// Enums whose values are no names, so that they cross the border under others.
    pub enums: Vec<GoEnum>,
    /// Every name the package declares, and every name its files give to an import.
    pub declared: BTreeSet<String>,
    /// Every identifier its files mention.
    pub mentioned: BTreeSet<String>,
    /// Whether a file imports the generated package, so that core types are written with a prefix.
    pub prefixed: bool,
    /// Whether a file imports the generated package without a prefix.
    pub dotted: bool,
    /// Types that neither the package nor the core has, with where they are first mentioned.
    pub foreign: BTreeMap<String, SourceLocation>,
}

/// An object as generated code sees it.
#[derive(Clone, Debug, Default)]
pub struct GoObject {
    /// Name.
    pub name: String,
    /// Functions.
    pub functions: Vec<GoFunction>,
    /// `New`, if there is one.
    pub constructor: Option<GoFunction>,
    /// Fields that hold interfaces: name in Go, name in the state, name of the interface, whether a list.
    pub interface_fields: Vec<(String, String, String, bool)>,
}

/// A function as generated code calls it.
#[derive(Clone, Debug, Default)]
pub struct GoFunction {
    /// Name.
    pub name: String,
    /// Whether it wants a context first.
    pub context: bool,
    /// Other parameters in order.
    pub params: Vec<GoParam>,
    /// What it returns.
    pub result: GoResult,
}

/// A parameter as generated code passes it.
#[derive(Clone, Debug)]
pub enum GoParam {
    /// One argument.
    One {
        /// Name.
        name: String,
        /// Its type.
        ty: String,
        /// Whether a list is passed as many.
        variadic: bool,
        /// The interface it is, or is a list of.
        interface: Option<(String, bool)>,
    },
    /// A struct written in place, whose fields are arguments.
    Inline {
        /// Its type.
        ty: String,
        /// Name of each argument and of its field.
        fields: Vec<(String, String)>,
    },
}

/// What a function returns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum GoResult {
    /// Nothing.
    #[default]
    Nothing,
    /// Nothing, but it changes its receiver, which stands for the result.
    Receiver,
    /// An error.
    Error,
    /// A value.
    Value,
    /// A value and an error.
    ValueAndError,
}

/// An interface as generated code implements it.
#[derive(Clone, Debug)]
pub struct GoInterface {
    /// Name.
    pub name: String,
    /// Methods.
    pub methods: Vec<GoMethod>,
}

/// A method of an interface as generated code implements it.
#[derive(Clone, Debug)]
pub struct GoMethod {
    /// Name in Go.
    pub name: String,
    /// Name in the API.
    pub api_name: String,
    /// Whether it has a context.
    pub context: bool,
    /// Name in the API and type of each argument.
    pub args: Vec<(String, String)>,
    /// Type of the value it returns, if any.
    pub value: Option<String>,
    /// Whether that value is an object, named here, that is returned without asking.
    pub object: Option<String>,
    /// Whether it returns an error.
    pub error: bool,
}

/// An enum whose values are no names.
#[derive(Clone, Debug)]
pub struct GoEnum {
    /// Name.
    pub name: String,
    /// Name that crosses the border, and value, of each member.
    pub members: Vec<(String, String)>,
}
