//! What a Python program's declarations mean.
//!
//! Main type: [`Program`]: every file the entry point imports, in import order, with what each name in
//! it stands for. Descriptions are made after all files are known, as Python evaluates annotations.

mod functions;
mod load;
mod state;
mod types;

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use super::StaticError;
use super::syntax::{Class, Expr, Function};
use crate::module::names;
use crate::module::typedef::{
    EnumMember, EnumType, Field, Function as FunctionType, InterfaceType, ModuleTypes, ObjectType,
    SourceLocation, TypeRef,
};

/// Enums of the core API; all other names of the SDK that are no scalars are objects.
pub(in crate::module) const CORE_ENUMS: [&str; 18] = [
    "CacheSharingMode",
    "ChangesetMergeConflict",
    "ChangesetsMergeConflict",
    "DiffStatKind",
    "ExistsType",
    "FileType",
    "FunctionCachePolicy",
    "ImageLayerCompression",
    "ImageMediaTypes",
    "LLMContentBlockKind",
    "LLMMessageRole",
    "ModuleSourceExperimentalFeature",
    "ModuleSourceKind",
    "NetworkProtocol",
    "PatchConflict",
    "RegistryProtocol",
    "ReturnType",
    "TypeDefKind",
];

/// Scalars of the core API beside the built-in ones.
pub(in crate::module) const CORE_SCALARS: [&str; 3] = ["ID", "JSON", "Platform"];

/// What a name in a file stands for.
#[derive(Clone, Debug)]
enum Binding {
    /// Something outside of the program, by its full name.
    External(String),
    /// A file of the program.
    File(String),
    /// A class of the program.
    Class(usize),
    /// The value of an assignment.
    Value(Expr),
    /// A function; of no interest as a name.
    Function,
}

/// What a class is to the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Object,
    Interface,
    Enum,
    Plain,
}

#[derive(Debug)]
struct ClassInfo {
    file: String,
    class: Class,
    role: Role,
    name: String,
    doc: Option<String>,
    deprecated: Option<String>,
}

#[derive(Debug)]
struct FunctionInfo {
    file: String,
    function: Function,
}

/// What an annotation says beside the type.
#[derive(Clone, Debug, Default)]
struct Metadata {
    doc: Option<String>,
    name: Option<String>,
    default_path: Option<String>,
    default_address: Option<String>,
    ignore: Vec<String>,
    deprecated: Option<String>,
    present: bool,
}

/// Where in the source something stands, for errors and descriptions.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    file: &'a str,
    line: u32,
    /// Class around it, for `Self`.
    owner: Option<usize>,
}

impl Place<'_> {
    fn invalid(self, message: impl Into<String>) -> StaticError {
        StaticError::Invalid {
            file: self.file.into(),
            line: self.line,
            message: message.into(),
        }
    }

    fn needs_runtime(self, reason: impl Into<String>) -> StaticError {
        StaticError::NeedsRuntime {
            file: self.file.into(),
            line: self.line,
            reason: reason.into(),
        }
    }
}

/// A program's declarations and what its names stand for.
#[derive(Debug)]
pub(super) struct Program<'a> {
    files: &'a BTreeMap<String, String>,
    root: String,
    doc: Option<String>,
    /// Names bound in each file that was imported.
    scopes: HashMap<String, HashMap<String, Binding>>,
    classes: Vec<ClassInfo>,
    functions: Vec<FunctionInfo>,
}

impl Program<'_> {
    /// Describes everything the program declares.
    pub(super) fn describe(&self, module: &str) -> Result<ModuleTypes, StaticError> {
        let mut types = ModuleTypes {
            name: module.to_owned(),
            description: self.doc.as_deref().map(clean).unwrap_or_default(),
            ..ModuleTypes::default()
        };
        for (at, class) in self.classes.iter().enumerate() {
            match class.role {
                Role::Object => types.objects.push(self.object(at, class)?),
                Role::Interface => types.interfaces.push(self.interface(at, class)?),
                Role::Enum => types.enums.push(self.enum_type(class)?),
                Role::Plain => {}
            }
        }
        self.add_loose_functions(module, &mut types)?;
        Ok(types)
    }

    /// Functions outside of classes belong to the main object, which is made up if there is none.
    fn add_loose_functions(
        &self,
        module: &str,
        types: &mut ModuleTypes,
    ) -> Result<(), StaticError> {
        if self.functions.is_empty() {
            return Ok(());
        }
        let mut functions = Vec::new();
        for info in &self.functions {
            let place = Place {
                file: &info.file,
                line: info.function.line,
                owner: None,
            };
            functions.extend(self.function(place, &info.function, false)?);
        }
        let main_name = names::pascal(module);
        let wanted = main_name.to_lowercase();
        let named = |object: &ObjectType| object.name.replace('_', "").to_lowercase() == wanted;
        let candidates = types
            .objects
            .iter()
            .filter(|object| !object.functions.is_empty())
            .count();
        let main = match types.objects.iter().position(named) {
            Some(main) => Some(main),
            None if candidates == 1 => types
                .objects
                .iter()
                .position(|object| !object.functions.is_empty()),
            None => None,
        };
        match main {
            Some(main) => types.objects[main].functions.extend(functions),
            None => types.objects.push(ObjectType {
                constructor: Some(FunctionType {
                    returns: TypeRef::object(main_name.clone()),
                    trivial: true,
                    ..FunctionType::default()
                }),
                name: main_name,
                functions,
                ..ObjectType::default()
            }),
        }
        Ok(())
    }

    /// A class and the program's classes it derives from, bases first.
    fn lineage(&self, at: usize) -> Result<Vec<usize>, StaticError> {
        let class = &self.classes[at];
        let place = Place {
            file: &class.file,
            line: class.class.line,
            owner: Some(at),
        };
        let mut lineage = Vec::new();
        for base in class.class.bases.iter().rev() {
            if let Some(parent) = self.class_of(&class.file, base) {
                if parent == at {
                    return Err(place.invalid("a class cannot derive from itself"));
                }
                for ancestor in self.lineage(parent)? {
                    if !lineage.contains(&ancestor) {
                        lineage.push(ancestor);
                    }
                }
                continue;
            }
            let base = if let Expr::Subscript(base, _) = base {
                base
            } else {
                base
            };
            match self.path(&class.file, base).as_deref() {
                Some(
                    "builtins.object" | "builtins.str" | "builtins.int" | "typing.Protocol"
                    | "typing.Generic" | "abc.ABC" | "dagger.Enum" | "enum.Enum" | "enum.StrEnum"
                    | "enum.IntEnum",
                ) => {}
                _ => {
                    let message = format!("the base class `{}` is not in the source", shown(base));
                    return Err(place.needs_runtime(message));
                }
            }
        }
        lineage.push(at);
        Ok(lineage)
    }

    fn object(&self, at: usize, class: &ClassInfo) -> Result<ObjectType, StaticError> {
        let attributes = self.attributes(at)?;
        let mut fields = Vec::new();
        for attribute in attributes.iter().filter(|attribute| attribute.public) {
            let annotation = attribute.annotation();
            let mut metadata = Metadata::default();
            let ty = self.type_of(attribute.place, annotation, &mut metadata)?;
            fields.push(Field {
                name: attribute.key.clone(),
                api_name: String::new(),
                cli_name: String::new(),
                description: metadata.doc.or_else(|| attribute.doc()).unwrap_or_default(),
                ty,
                deprecated: attribute.deprecated.clone().or(metadata.deprecated),
            });
        }
        Ok(ObjectType {
            name: class.name.clone(),
            api_name: String::new(),
            description: class.doc.as_deref().map(clean).unwrap_or_default(),
            deprecated: class.deprecated.clone(),
            fields,
            functions: self.methods(at)?,
            constructor: Some(self.constructor(at, class, &attributes)?),
            source: Some(location(&class.file, class.class.line, class.class.column)),
        })
    }

    fn interface(&self, at: usize, class: &ClassInfo) -> Result<InterfaceType, StaticError> {
        Ok(InterfaceType {
            name: class.name.clone(),
            api_name: String::new(),
            description: class.doc.as_deref().map(clean).unwrap_or_default(),
            functions: self.methods(at)?,
            source: Some(location(&class.file, class.class.line, class.class.column)),
        })
    }

    fn enum_type(&self, class: &ClassInfo) -> Result<EnumType, StaticError> {
        let takes_docs = class
            .class
            .bases
            .iter()
            .any(|base| self.path(&class.file, base).as_deref() == Some("dagger.Enum"));
        let mut members: Vec<EnumMember> = Vec::new();
        for attribute in &class.class.attributes {
            let place = Place {
                file: &class.file,
                line: attribute.line,
                owner: None,
            };
            let Some(value) = &attribute.value else {
                continue;
            };
            if attribute.name.starts_with('_') {
                continue;
            }
            let (value, own_doc) = match self.constant(place, value)? {
                Json::Array(parts) if takes_docs => {
                    let doc = parts.get(1).and_then(Json::as_str).map(str::to_owned);
                    (parts.first().cloned().unwrap_or_default(), doc)
                }
                value => (value, None),
            };
            let value = match value {
                Json::String(text) => text,
                Json::Number(number) if number.is_i64() => number.to_string(),
                _ => {
                    return Err(
                        place.needs_runtime("the member's value is neither text nor number")
                    );
                }
            };
            // A second name for a value is no member of its own.
            if members.iter().any(|member| member.value == value) {
                continue;
            }
            let doc = own_doc
                .filter(|doc| !doc.is_empty())
                .or_else(|| attribute.doc.clone());
            members.push(EnumMember {
                name: attribute.name.clone(),
                value,
                description: doc.map(|doc| clean(&doc)).unwrap_or_default(),
                ..EnumMember::default()
            });
        }
        Ok(EnumType {
            name: class.name.clone(),
            api_name: String::new(),
            description: class.doc.as_deref().map(clean).unwrap_or_default(),
            members,
            source: Some(location(&class.file, class.class.line, class.class.column)),
        })
    }
}

fn location(file: &str, line: u32, column: u32) -> SourceLocation {
    SourceLocation {
        file: file.to_owned(),
        line,
        column,
    }
}

/// Keywords are written with an underscore at the end, which is not part of the name.
fn without_underscores(name: &str) -> &str {
    match name.trim_end_matches('_') {
        "" => name,
        trimmed => trimmed,
    }
}

fn first_part(path: &str) -> &str {
    path.split('.').next().unwrap_or(path)
}

/// Directory a relative import with so many dots starts from, with a slash at the end unless empty.
fn package_of(file: &str, dots: usize) -> String {
    let mut directory = file;
    for _ in 0..dots {
        directory = directory.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    if directory.is_empty() {
        String::new()
    } else {
        format!("{directory}/")
    }
}

/// One name for what has several: the SDK's modules, and typing's older homes.
fn canonical(path: &str) -> String {
    const SDK: [&str; 4] = [
        "dagger.mod.",
        "dagger.client.gen.",
        "dagger.client.base.",
        "dagger.",
    ];
    let path = path
        .strip_prefix("nsci")
        .filter(|rest| rest.is_empty() || rest.starts_with('.'))
        .map_or_else(|| path.to_owned(), |rest| format!("dagger{rest}"));
    if let Some(name) = SDK.iter().find_map(|module| path.strip_prefix(module)) {
        return format!("dagger.{name}");
    }
    match path.strip_prefix("typing_extensions.") {
        Some(name) => format!("typing.{name}"),
        None => path,
    }
}

fn is_list(path: &str) -> bool {
    let name = path.rsplit('.').next().unwrap_or_default();
    let home = path.strip_suffix(name).unwrap_or_default();
    match home {
        "builtins." => matches!(name, "list" | "set"),
        "typing." => matches!(
            name,
            "List" | "Sequence" | "Iterable" | "Collection" | "MutableSequence" | "Set"
        ),
        "collections.abc." => {
            matches!(
                name,
                "Sequence" | "Iterable" | "Collection" | "MutableSequence"
            )
        }
        _ => false,
    }
}

fn shown(expr: &Expr) -> String {
    match expr {
        Expr::Name(name) => name.clone(),
        Expr::Attr(object, name) => format!("{}.{name}", shown(object)),
        Expr::Subscript(base, arguments) => {
            let arguments: Vec<_> = arguments.iter().map(shown).collect();
            format!("{}[{}]", shown(base), arguments.join(", "))
        }
        Expr::None => "None".into(),
        Expr::Str(text) | Expr::Other(text) => text.clone(),
        _ => "…".into(),
    }
}

/// Takes the indentation out of a docstring.
fn clean(text: &str) -> String {
    let text = text.replace('\t', "        ");
    let (first, rest) = text
        .split_once('\n')
        .map_or((text.as_str(), None), |(a, b)| (a, Some(b)));
    let mut lines = vec![first.trim()];
    if let Some(rest) = rest {
        let indentation = |line: &str| line.len() - line.trim_start().len();
        let filled = rest.split('\n').filter(|line| !line.trim().is_empty());
        let margin = filled.map(indentation).min().unwrap_or(0);
        lines.extend(
            rest.split('\n')
                .map(|line| line.get(margin..).unwrap_or_default().trim_end()),
        );
    }
    lines.join("\n").trim_matches('\n').to_owned()
}
