//! The types a module offers, as its SDK or the static readers describe them.
//!
//! Main type: [`ModuleTypes`]. Descriptions carry *original* names, those of the source, which are
//! what a function call is dispatched by; [`ModuleTypes::finish`] derives the names of the API and the
//! command line and checks what only the whole module can tell. Values are plain and serialisable, so a description can be cached
//! and compared. Never reads source: see [`super::python`].

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

use super::names;

/// Everything a module adds to the API.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleTypes {
    /// Name of the module, as its configuration has it.
    #[serde(default)]
    pub name: String,
    /// What the module is for, from the documentation in its source.
    #[serde(default)]
    pub description: String,
    /// Original name of the object the module's constructor returns.
    #[serde(default)]
    pub main_object: String,
    /// Objects in source order, the main object included.
    #[serde(default)]
    pub objects: Vec<ObjectType>,
    /// Enums in source order.
    #[serde(default)]
    pub enums: Vec<EnumType>,
    /// Interfaces in source order.
    #[serde(default)]
    pub interfaces: Vec<InterfaceType>,
}

/// An object with state and functions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectType {
    /// Name in the source.
    pub name: String,
    /// Name in the schema, prefixed with the module's. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Why it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// State that is visible in the API; the rest of the state is the SDK's own affair.
    #[serde(default)]
    pub fields: Vec<Field>,
    /// Functions in source order.
    #[serde(default)]
    pub functions: Vec<Function>,
    /// How the object is made; only the main object's is called by the engine.
    #[serde(default)]
    pub constructor: Option<Function>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}

/// A piece of an object's state shown in the API; read from stored state without running code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Field {
    /// Key in the stored state.
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Name on the command line. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub cli_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Type of the value.
    #[serde(rename = "type")]
    pub ty: TypeRef,
    /// Why it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
}

/// A function of an object or interface, or a constructor (whose names are empty).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Name the SDK dispatches by; empty for a constructor.
    #[serde(default)]
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Name on the command line. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub cli_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Arguments in source order, without the receiver.
    #[serde(default)]
    pub args: Vec<Arg>,
    /// Type of the result.
    pub returns: TypeRef,
    /// How long results may be reused; `None` leaves it to the engine.
    #[serde(default)]
    pub cache: Option<CachePolicy>,
    /// Runs with `nsci check`.
    #[serde(default)]
    pub check: bool,
    /// Runs with `nsci generate`.
    #[serde(default)]
    pub generate: bool,
    /// Starts with `nsci up`.
    #[serde(default)]
    pub up: bool,
    /// Is an agent.
    #[serde(default)]
    pub agent: bool,
    /// A constructor that runs no code of the user's: its arguments are the object's state, so the
    /// engine can make the object itself.
    #[serde(default)]
    pub trivial: bool,
    /// Why it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}

/// An argument of a [`Function`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Arg {
    /// Name the SDK knows it by.
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Name of the flag. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub cli_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Type of the value.
    #[serde(rename = "type")]
    pub ty: TypeRef,
    /// Value when none is given. `Some(Null)` is a declared default of nothing.
    #[serde(
        default,
        deserialize_with = "present",
        skip_serializing_if = "Option::is_none"
    )]
    pub default: Option<Json>,
    /// Directory or file taken from the module's context when none is given.
    #[serde(default)]
    pub default_path: Option<String>,
    /// Address the object is made from when none is given.
    #[serde(default)]
    pub default_address: Option<String>,
    /// Patterns left out when a directory is passed.
    #[serde(default)]
    pub ignore: Vec<String>,
    /// Why it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
}

impl Arg {
    /// Whether a caller must give it.
    pub fn is_required(&self) -> bool {
        !self.ty.optional
            && self.default.is_none()
            && self.default_path.is_none()
            && self.default_address.is_none()
    }
}

/// A closed set of values.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// Name in the source.
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Members in source order.
    pub members: Vec<EnumMember>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}

/// One value of an [`EnumType`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumMember {
    /// Name in the source; what crosses the border of a function call.
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Value behind the name, for people.
    #[serde(default)]
    pub value: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Why it should no longer be used.
    #[serde(default)]
    pub deprecated: Option<String>,
}

/// Functions an object must have to be accepted where the interface is asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterfaceType {
    /// Name in the source.
    pub name: String,
    /// Name in the schema. Set by [`ModuleTypes::finish`].
    #[serde(default)]
    pub api_name: String,
    /// Documentation.
    #[serde(default)]
    pub description: String,
    /// Functions in source order.
    #[serde(default)]
    pub functions: Vec<Function>,
    /// Where it is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<SourceLocation>,
}

/// How long a function's results may be reused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "policy")]
pub enum CachePolicy {
    /// Kept across sessions, for `ttl` (such as `10m`) if given.
    Default {
        /// Time to live in Go's duration syntax.
        #[serde(default)]
        ttl: Option<String>,
    },
    /// Kept for the session.
    PerSession,
    /// Runs each time.
    Never,
}

impl CachePolicy {
    /// Reads what module authors write: `never`, `session`, or a time to live such as `10m`.
    pub fn parse(text: &str) -> Self {
        match text {
            "never" => Self::Never,
            "session" => Self::PerSession,
            "" | "default" => Self::Default { ttl: None },
            ttl => Self::Default {
                ttl: Some(ttl.to_owned()),
            },
        }
    }
}

/// The type of a value; names of objects, enums and interfaces are original names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct TypeRef {
    /// What it is.
    #[serde(flatten)]
    pub kind: TypeKind,
    /// Whether null is a value too.
    #[serde(default)]
    pub optional: bool,
}

/// What a [`TypeRef`] refers to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind")]
pub enum TypeKind {
    /// Text.
    String,
    /// Whole number.
    Integer,
    /// Number.
    Float,
    /// True or false.
    Boolean,
    /// Nothing.
    #[default]
    Void,
    /// Object of the core API, a dependency, or this module.
    Object {
        /// Type name: original if it is this module's, else the schema's.
        name: String,
    },
    /// Enum of the core API, a dependency, or this module.
    Enum {
        /// Type name: original if it is this module's, else the schema's.
        name: String,
    },
    /// Interface of this module or a dependency.
    Interface {
        /// Type name: original if it is this module's, else the schema's.
        name: String,
    },
    /// Scalar other than the built-in ones, passed as text.
    Scalar {
        /// Type name, such as `Platform`.
        name: String,
    },
    /// List.
    List {
        /// Type of the elements.
        of: Box<TypeRef>,
    },
}

impl TypeRef {
    /// A type that has no null.
    pub fn new(kind: TypeKind) -> Self {
        Self {
            kind,
            optional: false,
        }
    }

    /// An object type.
    pub fn object(name: impl Into<String>) -> Self {
        Self::new(TypeKind::Object { name: name.into() })
    }

    /// A list type.
    pub fn list(of: Self) -> Self {
        Self::new(TypeKind::List { of: Box::new(of) })
    }

    /// The same type with null as a value.
    #[must_use]
    pub fn optional(self) -> Self {
        Self {
            optional: true,
            ..self
        }
    }

    /// Replaces an object type, also inside lists, by what `kind_of` says it is.
    fn replace_objects(&mut self, kind_of: &impl Fn(&str) -> Option<TypeKind>) {
        match &mut self.kind {
            TypeKind::List { of } => of.replace_objects(kind_of),
            TypeKind::Object { name } => {
                if let Some(kind) = kind_of(name) {
                    self.kind = kind;
                }
            }
            _ => {}
        }
    }

    /// Name of the object, enum, interface or scalar inside any lists.
    pub fn named(&self) -> Option<&str> {
        match &self.kind {
            TypeKind::Object { name }
            | TypeKind::Enum { name }
            | TypeKind::Interface { name }
            | TypeKind::Scalar { name } => Some(name),
            TypeKind::List { of } => of.named(),
            _ => None,
        }
    }

    /// The type in the schema's notation, with this module's names as the schema has them.
    pub fn graphql(&self, types: &ModuleTypes) -> String {
        let inner = match &self.kind {
            TypeKind::String => "String".to_owned(),
            TypeKind::Integer => "Int".to_owned(),
            TypeKind::Float => "Float".to_owned(),
            TypeKind::Boolean => "Boolean".to_owned(),
            TypeKind::Void => "Void".to_owned(),
            TypeKind::Object { name }
            | TypeKind::Enum { name }
            | TypeKind::Interface { name }
            | TypeKind::Scalar { name } => types.api_name(name).unwrap_or(name).to_owned(),
            TypeKind::List { of } => format!("[{}]", of.graphql(types)),
        };
        // Void is null and nothing else.
        if self.optional || self.kind == TypeKind::Void {
            inner
        } else {
            inner + "!"
        }
    }
}

/// A place in a module's source; lines and columns count from 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceLocation {
    /// Path relative to the module's source directory.
    pub file: String,
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

/// Why a module's types cannot be served.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TypeError {
    /// Neither an object named after the module nor a single candidate.
    #[error("module `{module}` has no main object: expected an object `{expected}`, found {found}")]
    NoMainObject {
        /// Module name.
        module: String,
        /// Name the object should have.
        expected: String,
        /// Objects there are.
        found: String,
    },
    /// The API keeps the name for itself.
    #[error("`{object}.{name}` cannot be used: the API reserves the name `{api_name}`")]
    Reserved {
        /// Type it is in.
        object: String,
        /// Name in the source.
        name: String,
        /// Name in the API.
        api_name: String,
    },
    /// Two things have one name in the API.
    #[error(
        "{what} `{first}` and `{second}` of `{within}` have the same name in the API: {api_name}"
    )]
    Clash {
        /// Kind of thing.
        what: &'static str,
        /// One.
        first: String,
        /// The other.
        second: String,
        /// Type or module they are in.
        within: String,
        /// The name they share.
        api_name: String,
    },
    /// A constructor returns something else.
    #[error("the constructor of `{object}` must return `{object}`")]
    Constructor {
        /// Object whose constructor it is.
        object: String,
    },
}

/// Field names every object of the API has already.
const RESERVED_FIELDS: [&str; 1] = ["id"];

impl ModuleTypes {
    /// Name of this module's type in the schema; `None` if the module has no such type.
    pub fn api_name(&self, original: &str) -> Option<&str> {
        let objects = self.objects.iter().map(|t| (&t.name, &t.api_name));
        let enums = self.enums.iter().map(|t| (&t.name, &t.api_name));
        let interfaces = self.interfaces.iter().map(|t| (&t.name, &t.api_name));
        objects
            .chain(enums)
            .chain(interfaces)
            .find(|(name, _)| *name == original)
            .map(|(_, api_name)| api_name.as_str())
    }

    /// Object by its original name.
    pub fn object(&self, original: &str) -> Option<&ObjectType> {
        self.objects.iter().find(|object| object.name == original)
    }

    /// Object by its name in the schema.
    pub fn object_by_api_name(&self, api_name: &str) -> Option<&ObjectType> {
        self.objects
            .iter()
            .find(|object| object.api_name == api_name)
    }

    /// Enum by its original name.
    pub fn enum_type(&self, original: &str) -> Option<&EnumType> {
        self.enums.iter().find(|ty| ty.name == original)
    }

    /// The object the module's constructor returns.
    pub fn main(&self) -> Option<&ObjectType> {
        self.object(&self.main_object)
    }

    /// Query field that constructs the module: its name in lower camel case.
    pub fn constructor_field(&self) -> String {
        names::lower_camel(&self.name)
    }

    /// Derives the names of the API and the command line, finds the main object and checks the whole.
    ///
    /// # Errors
    /// [`TypeError`] naming what is missing, reserved or doubled.
    pub fn finish(mut self, module_name: &str) -> Result<Self, TypeError> {
        module_name.clone_into(&mut self.name);
        self.main_object = self.find_main_object()?;
        self.derive_names();
        self.check()?;
        Ok(self)
    }

    /// The same types under another name of the module, where two modules of one name meet.
    ///
    /// # Errors
    /// [`TypeError`] if they clash under that name.
    pub fn renamed(mut self, module_name: &str) -> Result<Self, TypeError> {
        module_name.clone_into(&mut self.name);
        self.derive_names();
        self.check()?;
        Ok(self)
    }

    fn derive_names(&mut self) {
        let module_name = self.name.clone();
        let main = self.main_object.clone();
        let namespaced = |name: &str| names::namespaced(&module_name, &main, name);
        for object in &mut self.objects {
            object.api_name = namespaced(&object.name);
            for field in &mut object.fields {
                field.api_name = names::lower_camel(&field.name);
                field.cli_name = names::kebab(&field.name);
            }
            object.functions.iter_mut().for_each(name_function);
            if let Some(constructor) = &mut object.constructor {
                constructor.name.clear();
                name_function(constructor);
            }
        }
        for interface in &mut self.interfaces {
            interface.api_name = namespaced(&interface.name);
            interface.functions.iter_mut().for_each(name_function);
        }
        for ty in &mut self.enums {
            ty.api_name = namespaced(&ty.name);
            for member in &mut ty.members {
                member.api_name = names::enum_member(&member.name);
            }
        }
    }

    /// Corrects what types of other modules are, which a reader of this module's source cannot know.
    ///
    /// `kind_of` is asked for each name that is neither this module's nor taken for a core type other
    /// than an object, and answers with its kind if it is no object.
    pub fn classify_foreign(&mut self, kind_of: impl Fn(&str) -> Option<TypeKind>) {
        let own: Vec<String> = self
            .objects
            .iter()
            .map(|object| object.name.clone())
            .collect();
        let foreign = |name: &str| {
            if own.iter().any(|own| own == name) {
                None
            } else {
                kind_of(name)
            }
        };
        let correct = |ty: &mut TypeRef| ty.replace_objects(&foreign);
        let functions = self
            .objects
            .iter_mut()
            .flat_map(|object| object.functions.iter_mut().chain(&mut object.constructor));
        let functions =
            functions.chain(self.interfaces.iter_mut().flat_map(|ty| &mut ty.functions));
        for function in functions {
            correct(&mut function.returns);
            function
                .args
                .iter_mut()
                .for_each(|arg| correct(&mut arg.ty));
        }
        let fields = self
            .objects
            .iter_mut()
            .flat_map(|object| &mut object.fields);
        fields.for_each(|field| correct(&mut field.ty));
    }

    /// The same description without places in the source, for comparing two readers' results.
    #[must_use]
    pub fn without_sources(mut self) -> Self {
        for object in &mut self.objects {
            object.source = None;
            object
                .functions
                .iter_mut()
                .chain(&mut object.constructor)
                .for_each(|f| f.source = None);
        }
        for interface in &mut self.interfaces {
            interface.source = None;
            interface.functions.iter_mut().for_each(|f| f.source = None);
        }
        self.enums.iter_mut().for_each(|ty| ty.source = None);
        self
    }

    /// The object named after the module; failing that, the only one that has functions.
    fn find_main_object(&self) -> Result<String, TypeError> {
        let expected = names::pascal(&self.name);
        let named = |object: &&ObjectType| names::pascal(&object.name) == expected;
        if let Some(object) = self.objects.iter().find(named) {
            return Ok(object.name.clone());
        }
        let mut candidates = self
            .objects
            .iter()
            .filter(|object| !object.functions.is_empty());
        match (candidates.next(), candidates.next()) {
            (Some(only), None) => Ok(only.name.clone()),
            _ => Err(TypeError::NoMainObject {
                module: self.name.clone(),
                expected,
                found: self.object_list(),
            }),
        }
    }

    fn object_list(&self) -> String {
        if self.objects.is_empty() {
            return "none".to_owned();
        }
        let names: Vec<_> = self
            .objects
            .iter()
            .map(|object| format!("`{}`", object.name))
            .collect();
        names.join(", ")
    }

    fn check(&self) -> Result<(), TypeError> {
        let types = (self
            .objects
            .iter()
            .map(|t| (t.name.as_str(), t.api_name.as_str())))
        .chain(
            self.enums
                .iter()
                .map(|t| (t.name.as_str(), t.api_name.as_str())),
        )
        .chain(
            self.interfaces
                .iter()
                .map(|t| (t.name.as_str(), t.api_name.as_str())),
        );
        no_clash("types", &self.name, types)?;
        for object in &self.objects {
            let fields = object
                .fields
                .iter()
                .map(|f| (f.name.as_str(), f.api_name.as_str()));
            let functions = object
                .functions
                .iter()
                .map(|f| (f.name.as_str(), f.api_name.as_str()));
            check_members(&object.name, fields.chain(functions))?;
            check_args(&object.functions)?;
            if let Some(constructor) = &object.constructor {
                let own = TypeKind::Object {
                    name: object.name.clone(),
                };
                if constructor.returns.kind != own {
                    return Err(TypeError::Constructor {
                        object: object.name.clone(),
                    });
                }
            }
        }
        for interface in &self.interfaces {
            let functions = interface.functions.iter();
            let functions = functions.map(|f| (f.name.as_str(), f.api_name.as_str()));
            check_members(&interface.name, functions)?;
            check_args(&interface.functions)?;
        }
        for ty in &self.enums {
            let members = ty
                .members
                .iter()
                .map(|m| (m.name.as_str(), m.api_name.as_str()));
            no_clash("enum members", &ty.name, members)?;
        }
        Ok(())
    }
}

fn name_function(function: &mut Function) {
    function.api_name = names::lower_camel(&function.name);
    function.cli_name = names::kebab(&function.name);
    for arg in &mut function.args {
        arg.api_name = names::lower_camel(&arg.name);
        arg.cli_name = names::kebab(&arg.name);
    }
}

fn check_members<'a>(
    object: &str,
    members: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Result<(), TypeError> {
    for (name, api_name) in members.clone() {
        if RESERVED_FIELDS.contains(&api_name) {
            return Err(TypeError::Reserved {
                object: object.to_owned(),
                name: name.to_owned(),
                api_name: api_name.to_owned(),
            });
        }
    }
    no_clash("fields", object, members)
}

fn check_args(functions: &[Function]) -> Result<(), TypeError> {
    for function in functions {
        let args = function
            .args
            .iter()
            .map(|arg| (arg.name.as_str(), arg.api_name.as_str()));
        no_clash("arguments", &function.name, args)?;
    }
    Ok(())
}

fn no_clash<'a>(
    what: &'static str,
    within: &str,
    names: impl Iterator<Item = (&'a str, &'a str)>,
) -> Result<(), TypeError> {
    let mut seen: std::collections::HashMap<&str, &str> = std::collections::HashMap::new();
    for (name, api_name) in names {
        if let Some(first) = seen.insert(api_name, name) {
            return Err(TypeError::Clash {
                what,
                first: first.to_owned(),
                second: name.to_owned(),
                within: within.to_owned(),
                api_name: api_name.to_owned(),
            });
        }
    }
    Ok(())
}

/// Keeps a present `null` apart from an absent key.
fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Json>, D::Error> {
    Json::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn object(name: &str, functions: &[&str]) -> ObjectType {
        ObjectType {
            name: name.into(),
            functions: functions
                .iter()
                .map(|name| Function {
                    name: (*name).into(),
                    ..Function::default()
                })
                .collect(),
            ..ObjectType::default()
        }
    }

    fn module(objects: Vec<ObjectType>) -> ModuleTypes {
        ModuleTypes {
            objects,
            ..ModuleTypes::default()
        }
    }

    #[test]
    fn main_object_is_named_after_the_module_or_the_only_candidate() {
        for (objects, main) in [
            (
                vec![object("Other", &["a"]), object("MyProject", &[])],
                Some("MyProject"),
            ),
            (
                vec![object("MyApp", &["build"]), object("Report", &[])],
                Some("MyApp"),
            ),
            (vec![object("A", &["a"]), object("B", &["b"])], None),
            (vec![], None),
        ] {
            let finished = module(objects).finish("my-project");
            assert_eq!(
                finished
                    .as_ref()
                    .ok()
                    .map(|types| types.main_object.as_str()),
                main
            );
        }
    }

    #[test]
    fn names_are_derived_for_schema_and_command_line() {
        let mut app = object("MyApp", &["build_with_uv"]);
        app.functions[0].args.push(Arg {
            name: "base_image".into(),
            api_name: String::new(),
            cli_name: String::new(),
            description: String::new(),
            ty: TypeRef::new(TypeKind::String),
            default: None,
            default_path: None,
            default_address: None,
            ignore: vec![],
            deprecated: None,
        });
        let types = module(vec![app, object("Report", &[])])
            .finish("ci")
            .expect("valid");
        assert_eq!(types.objects[0].api_name, "Ci");
        assert_eq!(types.objects[1].api_name, "CiReport");
        let function = &types.objects[0].functions[0];
        assert_eq!(
            (function.api_name.as_str(), function.cli_name.as_str()),
            ("buildWithUv", "build-with-uv")
        );
        assert_eq!(function.args[0].cli_name, "base-image");
        let list = TypeRef::list(TypeRef::object("Report")).optional();
        assert_eq!(list.graphql(&types), "[CiReport!]");
    }

    #[test]
    fn types_of_other_modules_are_classified_later() {
        let mut ci = object("Ci", &["a", "b"]);
        ci.functions[0].returns = TypeRef::list(TypeRef::object("LintLevel")).optional();
        ci.functions[1].returns = TypeRef::object("Ci");
        let mut types = module(vec![ci]);
        types.classify_foreign(|name| {
            Some(TypeKind::Enum {
                name: name.to_owned(),
            })
        });
        let level = TypeRef::new(TypeKind::Enum {
            name: "LintLevel".into(),
        });
        assert_eq!(
            types.objects[0].functions[0].returns,
            TypeRef::list(level).optional()
        );
        assert_eq!(types.objects[0].functions[1].returns, TypeRef::object("Ci"));
    }

    #[test]
    fn reserved_and_doubled_names_are_refused() {
        let reserved = module(vec![object("Ci", &["id"])]).finish("ci");
        assert!(
            matches!(reserved, Err(TypeError::Reserved { .. })),
            "{reserved:?}"
        );
        let doubled = module(vec![object("Ci", &["a_b", "aB"])]).finish("ci");
        assert!(
            matches!(doubled, Err(TypeError::Clash { .. })),
            "{doubled:?}"
        );
    }

    #[test]
    fn null_default_survives_serialisation() {
        let arg: Arg = serde_json::from_str(
            r#"{"name":"a","type":{"kind":"List","of":{"kind":"Object","name":"File"},"optional":true},"default":null}"#,
        )
        .expect("valid");
        assert_eq!(arg.default, Some(Json::Null));
        assert_eq!(arg.ty, TypeRef::list(TypeRef::object("File")).optional());
        let again: Arg =
            serde_json::from_value(serde_json::to_value(&arg).expect("plain")).expect("valid");
        assert_eq!(again, arg);
        assert!(!arg.is_required());
    }
}
