//! What a Python program's declarations mean.
//!
//! Main type: [`Program`]: every file the entry point imports, in import order, with what each name in
//! it stands for. Descriptions are made after all files are known, as Python evaluates annotations.

use std::collections::{BTreeMap, HashMap};

use serde_json::Value as Json;

use super::syntax::{self, Attribute, Class, Expr, Function, Param, Statement};
use super::{Layout, StaticError};
use crate::module::names;
use crate::module::typedef::{
    Arg, CachePolicy, EnumMember, EnumType, Field, Function as FunctionType, InterfaceType,
    ModuleTypes, ObjectType, SourceLocation, TypeKind, TypeRef,
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

impl<'a> Program<'a> {
    /// Reads the entry point and what it imports.
    pub(super) fn load(
        layout: &Layout,
        files: &'a BTreeMap<String, String>,
    ) -> Result<Self, StaticError> {
        let mut program = Self {
            files,
            root: if layout.root == "." {
                String::new()
            } else {
                format!("{}/", layout.root)
            },
            doc: None,
            scopes: HashMap::new(),
            classes: vec![],
            functions: vec![],
        };
        program.doc = program.import_file(&layout.file)?;
        // A package may leave the import of its code to the runtime.
        let declared = !program.functions.is_empty()
            || program
                .classes
                .iter()
                .any(|class| class.role != Role::Plain);
        if !declared
            && let Some(package) = layout.file.strip_suffix("__init__.py")
            && let Some(main) = program.module_file(&format!("{package}main"))
        {
            program.import_file(&main)?;
        }
        Ok(program)
    }

    // Importing.

    /// File of a module given by its path without extension.
    fn module_file(&self, path: &str) -> Option<String> {
        [format!("{path}/__init__.py"), format!("{path}.py")]
            .into_iter()
            .find(|file| self.files.contains_key(file))
    }

    fn import_file(&mut self, path: &str) -> Result<Option<String>, StaticError> {
        if self.scopes.contains_key(path) {
            return Ok(None);
        }
        self.scopes.insert(path.to_owned(), HashMap::new());
        let file = syntax::parse(path, &self.files[path])?;
        for statement in file.statements {
            self.execute(path, statement)?;
        }
        Ok(file.doc)
    }

    fn bind(&mut self, file: &str, name: &str, binding: Binding) {
        let scope = self
            .scopes
            .get_mut(file)
            .expect("a file is entered before its names are bound");
        scope.insert(name.to_owned(), binding);
    }

    fn execute(&mut self, file: &str, statement: Statement) -> Result<(), StaticError> {
        match statement {
            Statement::Import { path, alias } => self.import(file, &path, alias)?,
            Statement::From {
                dots,
                path,
                names,
                star,
            } => {
                self.import_from(file, dots, &path, &names, star)?;
            }
            Statement::Assign { name, value } => self.bind(file, &name, Binding::Value(value)),
            Statement::Class(class) => self.declare_class(file, class)?,
            Statement::Function(function) => self.declare_function(file, function)?,
            Statement::Conditional { line } => {
                let place = Place {
                    file,
                    line,
                    owner: None,
                };
                return Err(place.needs_runtime("a declaration depends on a condition"));
            }
        }
        Ok(())
    }

    fn import(&mut self, file: &str, path: &str, alias: Option<String>) -> Result<(), StaticError> {
        let relative = format!("{}{}", self.root, path.replace('.', "/"));
        let Some(target) = self.module_file(&relative) else {
            let bound = alias.clone().unwrap_or_else(|| first_part(path).to_owned());
            let external = if alias.is_some() {
                path
            } else {
                first_part(path)
            };
            self.bind(file, &bound, Binding::External(external.to_owned()));
            return Ok(());
        };
        self.import_packages_of(&relative)?;
        self.import_file(&target)?;
        if let Some(alias) = alias {
            self.bind(file, &alias, Binding::File(target));
        } else if let Some(top) = self.module_file(&format!("{}{}", self.root, first_part(path))) {
            self.bind(file, first_part(path), Binding::File(top));
        }
        Ok(())
    }

    fn import_from(
        &mut self,
        file: &str,
        dots: usize,
        path: &str,
        names: &[(String, String)],
        star: bool,
    ) -> Result<(), StaticError> {
        let mut base = if dots == 0 {
            self.root.clone()
        } else {
            package_of(file, dots)
        };
        base.push_str(&path.replace('.', "/"));
        let base = base.trim_end_matches('/').to_owned();
        let Some(source) = self.module_file(&base) else {
            for (name, bound) in names {
                // A directory without `__init__.py` is a package too.
                match self.module_file(format!("{base}/{name}").trim_start_matches('/')) {
                    Some(target) if dots > 0 || !path.is_empty() => {
                        self.import_file(&target)?;
                        self.bind(file, bound, Binding::File(target));
                    }
                    _ => self.bind(file, bound, Binding::External(format!("{path}.{name}"))),
                }
            }
            return Ok(());
        };
        self.import_packages_of(&base)?;
        self.import_file(&source)?;
        if star {
            let all = self.scopes[&source].clone();
            for (name, binding) in all.into_iter().filter(|(name, _)| !name.starts_with('_')) {
                self.bind(file, &name, binding);
            }
        }
        for (name, bound) in names {
            let known = self.scopes[&source].get(name).cloned();
            let binding = match known {
                Some(binding) => binding,
                None => match self.module_file(&format!("{base}/{name}")) {
                    Some(target) => {
                        self.import_file(&target)?;
                        Binding::File(target)
                    }
                    None => Binding::External(format!("{path}.{name}")),
                },
            };
            self.bind(file, bound, binding);
        }
        Ok(())
    }

    /// Runs the `__init__.py` of the packages a module is in, as importing it does.
    fn import_packages_of(&mut self, module: &str) -> Result<(), StaticError> {
        let slashes: Vec<usize> = module.match_indices('/').map(|(at, _)| at).collect();
        for at in slashes {
            let init = format!("{}/__init__.py", &module[..at]);
            if module[..at].len() + 1 > self.root.len() && self.files.contains_key(&init) {
                self.import_file(&init)?;
            }
        }
        Ok(())
    }

    fn declare_class(&mut self, file: &str, class: Class) -> Result<(), StaticError> {
        let place = Place {
            file,
            line: class.line,
            owner: None,
        };
        let mut info = ClassInfo {
            file: file.to_owned(),
            role: Role::Plain,
            name: class.name.clone(),
            doc: None,
            deprecated: None,
            class,
        };
        for decorator in &info.class.decorators {
            let path = self.path(file, decorator.callee());
            let role = match path.as_deref() {
                Some("dagger.object_type") => Role::Object,
                Some("dagger.interface") => Role::Interface,
                Some("dagger.enum_type") => Role::Enum,
                Some("dataclasses.dataclass" | "typing.runtime_checkable" | "enum.unique") => {
                    continue;
                }
                _ => return Err(place.needs_runtime("the class has a decorator of its own making")),
            };
            info.role = role;
            let text = |name: &str| self.text_argument(place, decorator, name);
            if let Some(name) = text("name")? {
                info.name = name;
            }
            info.doc = text("doc")?;
            info.deprecated = text("deprecated")?;
        }
        let derives_enum = info
            .class
            .bases
            .iter()
            .any(|base| self.path(file, base).as_deref() == Some("dagger.Enum"));
        if info.role == Role::Plain && derives_enum {
            info.role = Role::Enum;
        }
        if info.doc.is_none() {
            info.doc = info.class.doc.clone();
        }
        let name = info.class.name.clone();
        self.classes.push(info);
        self.bind(file, &name, Binding::Class(self.classes.len() - 1));
        Ok(())
    }

    fn declare_function(&mut self, file: &str, function: Function) -> Result<(), StaticError> {
        let place = Place {
            file,
            line: function.line,
            owner: None,
        };
        let name = function.name.clone();
        if self.function_decorator(place, &function)?.is_some() {
            self.functions.push(FunctionInfo {
                file: file.to_owned(),
                function,
            });
        }
        self.bind(file, &name, Binding::Function);
        Ok(())
    }

    // Names.

    /// Full name of what an expression refers to outside of the program; `None` if it does not.
    fn path(&self, file: &str, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name) {
                Some(Binding::External(path)) => Some(canonical(path)),
                Some(Binding::Value(value)) if value != expr => self.path(file, value),
                Some(_) => None,
                None => Some(format!("builtins.{name}")),
            },
            Expr::Attr(object, name) => {
                if let Some(target) = self.file_of(file, object) {
                    return self.path(&target, &Expr::Name(name.clone()));
                }
                Some(canonical(&format!("{}.{name}", self.path(file, object)?)))
            }
            _ => None,
        }
    }

    /// File of the program an expression refers to.
    fn file_of(&self, file: &str, expr: &Expr) -> Option<String> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name) {
                Some(Binding::File(target)) => Some(target.clone()),
                _ => None,
            },
            Expr::Attr(object, name) => {
                let package = self.file_of(file, object)?;
                match self.scopes[&package].get(name) {
                    Some(Binding::File(target)) => Some(target.clone()),
                    _ => self.module_file(&format!("{}{name}", package_of(&package, 1))),
                }
            }
            _ => None,
        }
    }

    /// Class of the program an expression refers to.
    fn class_of(&self, file: &str, expr: &Expr) -> Option<usize> {
        match expr {
            Expr::Name(name) => match self.scopes[file].get(name)? {
                Binding::Class(at) => Some(*at),
                Binding::Value(value) if value != expr => self.class_of(file, value),
                _ => None,
            },
            Expr::Attr(object, name) => {
                self.class_of(&self.file_of(file, object)?, &Expr::Name(name.clone()))
            }
            _ => None,
        }
    }

    /// A keyword argument that must be text known from the source.
    fn text_argument(
        &self,
        place: Place<'_>,
        call: &Expr,
        name: &str,
    ) -> Result<Option<String>, StaticError> {
        match call.argument(name) {
            None | Some(Expr::None) => Ok(None),
            Some(value) => self.text(place, value).map(Some),
        }
    }

    fn text(&self, place: Place<'_>, expr: &Expr) -> Result<String, StaticError> {
        match self.constant(place, expr)? {
            Json::String(text) => Ok(text),
            other => Err(place.invalid(format!("expected text, found {other}"))),
        }
    }

    /// The value of an expression as a default.
    fn constant(&self, place: Place<'_>, expr: &Expr) -> Result<Json, StaticError> {
        match expr {
            Expr::None => Ok(Json::Null),
            Expr::Str(text) => Ok(text.as_str().into()),
            Expr::Int(number) => Ok((*number).into()),
            Expr::Float(number) => Ok((*number).into()),
            Expr::Bool(truth) => Ok((*truth).into()),
            Expr::List(elements) | Expr::Tuple(elements) => elements
                .iter()
                .map(|element| self.constant(place, element))
                .collect(),
            Expr::Name(name) => match self.scopes[place.file].get(name) {
                Some(Binding::Value(value)) if value != expr => self.constant(place, value),
                _ => {
                    Err(place.needs_runtime(format!("the value of `{name}` is not in the source")))
                }
            },
            Expr::Attr(object, member) => {
                if let Some(at) = self.class_of(place.file, object) {
                    let class = &self.classes[at];
                    let known = class.class.attributes.iter().any(|a| a.name == *member);
                    if class.role == Role::Enum && known {
                        return Ok(member.as_str().into());
                    }
                }
                match self.path(place.file, object) {
                    Some(path) if path.starts_with("dagger.") => Ok(member.as_str().into()),
                    _ => Err(place.needs_runtime(format!("the value of `{member}` is computed"))),
                }
            }
            _ => Err(place.needs_runtime("the value is computed")),
        }
    }

    // Types.

    /// The type an annotation stands for.
    fn type_of(
        &self,
        place: Place<'_>,
        expr: &Expr,
        metadata: &mut Metadata,
    ) -> Result<TypeRef, StaticError> {
        let what = |expr: &Expr| format!("`{}` is not a type the API has", shown(expr));
        if let Some(at) = self.class_of(place.file, expr) {
            return self.own_type(place, at);
        }
        match expr {
            Expr::None => Ok(TypeRef::new(TypeKind::Void)),
            Expr::Str(text) => self.type_of(place, &syntax::parse_expression(text), metadata),
            Expr::Or(left, right) => self.union(place, &[left, right], metadata),
            Expr::Subscript(base, arguments) => {
                let path = self.path(place.file, base).unwrap_or_default();
                match (path.as_str(), &arguments[..]) {
                    ("typing.Optional", [inner]) => {
                        Ok(self.type_of(place, inner, metadata)?.optional())
                    }
                    ("typing.Union", members) => {
                        self.union(place, &members.iter().collect::<Vec<_>>(), metadata)
                    }
                    ("typing.Annotated", [inner, notes @ ..]) => {
                        self.read_metadata(place, notes, metadata)?;
                        self.type_of(place, inner, metadata)
                    }
                    (path, [element]) if is_list(path) => self.list(place, element),
                    ("builtins.tuple" | "typing.Tuple", [element, Expr::Other(dots)])
                        if dots == "..." =>
                    {
                        self.list(place, element)
                    }
                    _ => Err(place.invalid(what(expr))),
                }
            }
            Expr::Name(name) => {
                if let Some(Binding::Value(value)) = self.scopes[place.file].get(name)
                    && value != expr
                {
                    return self.type_of(place, value, metadata);
                }
                self.external_type(place, expr)
            }
            Expr::Attr(object, name) => match self.file_of(place.file, object) {
                Some(file) => {
                    let there = Place {
                        file: &file,
                        ..place
                    };
                    self.type_of(there, &Expr::Name(name.clone()), metadata)
                }
                None => self.external_type(place, expr),
            },
            _ => Err(place.invalid(what(expr))),
        }
    }

    fn list(&self, place: Place<'_>, element: &Expr) -> Result<TypeRef, StaticError> {
        // What is said about the elements is not said about the list.
        Ok(TypeRef::list(self.type_of(
            place,
            element,
            &mut Metadata::default(),
        )?))
    }

    fn union(
        &self,
        place: Place<'_>,
        members: &[&Expr],
        metadata: &mut Metadata,
    ) -> Result<TypeRef, StaticError> {
        let some: Vec<_> = members
            .iter()
            .filter(|member| ***member != Expr::None)
            .collect();
        match some[..] {
            [inner] if some.len() < members.len() => {
                let mut inside = Metadata::default();
                let ty = self.type_of(place, inner, &mut inside)?.optional();
                if !metadata.present {
                    *metadata = inside;
                }
                Ok(ty)
            }
            _ => Err(place.invalid("a union of several types is not a type the API has")),
        }
    }

    fn own_type(&self, place: Place<'_>, at: usize) -> Result<TypeRef, StaticError> {
        let class = &self.classes[at];
        let name = class.name.clone();
        Ok(TypeRef::new(match class.role {
            Role::Object => TypeKind::Object { name },
            Role::Interface => TypeKind::Interface { name },
            Role::Enum => TypeKind::Enum { name },
            Role::Plain => {
                return Err(place.invalid(format!(
                    "`{name}` is not a type the API has: it is neither `@object_type`, `@interface` nor `@enum_type`"
                )));
            }
        }))
    }

    fn external_type(&self, place: Place<'_>, expr: &Expr) -> Result<TypeRef, StaticError> {
        let path = self.path(place.file, expr).unwrap_or_default();
        let kind = match path.as_str() {
            "builtins.str" => TypeKind::String,
            "builtins.int" => TypeKind::Integer,
            "builtins.float" => TypeKind::Float,
            "builtins.bool" => TypeKind::Boolean,
            "dagger.Void" | "types.NoneType" => TypeKind::Void,
            "typing.Self" => match place.owner {
                Some(owner) => return self.own_type(place, owner),
                None => return Err(place.invalid("`Self` outside of a class")),
            },
            _ => match path.strip_prefix("dagger.") {
                Some(name) if CORE_ENUMS.contains(&name) => TypeKind::Enum { name: name.into() },
                Some(name) if CORE_SCALARS.contains(&name) => {
                    TypeKind::Scalar { name: name.into() }
                }
                Some("Client") => TypeKind::Object {
                    name: "Query".into(),
                },
                Some(name) if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                    if name.ends_with("ID") {
                        TypeKind::Scalar { name: "ID".into() }
                    } else {
                        TypeKind::Object { name: name.into() }
                    }
                }
                _ => {
                    let message = format!("`{}` is not a type the API has", shown(expr));
                    let known = [
                        "builtins.",
                        "typing.",
                        "dagger.",
                        "collections.",
                        "pathlib.",
                    ];
                    return Err(if known.iter().any(|module| path.starts_with(module)) {
                        place.invalid(message)
                    } else {
                        place.needs_runtime(message)
                    });
                }
            },
        };
        Ok(TypeRef::new(kind))
    }

    fn read_metadata(
        &self,
        place: Place<'_>,
        notes: &[Expr],
        metadata: &mut Metadata,
    ) -> Result<(), StaticError> {
        metadata.present |= !notes.is_empty();
        for note in notes {
            let Expr::Call { args, .. } = note else {
                continue;
            };
            let path = self.path(place.file, note.callee()).unwrap_or_default();
            let value = |name: &str| args.first().or_else(|| note.argument(name));
            let text = |name: &str| value(name).map(|value| self.text(place, value)).transpose();
            match path.as_str() {
                "dagger.Doc" | "typing.Doc" => {
                    let doc = text("documentation")?.map(|doc| clean(&doc));
                    metadata.doc = metadata.doc.take().or(doc);
                }
                "dagger.Name" => metadata.name = metadata.name.take().or(text("name")?),
                "dagger.DefaultPath" => metadata.default_path = text("from_context")?,
                "dagger.DefaultAddress" => metadata.default_address = text("address")?,
                "dagger.Deprecated" => {
                    metadata.deprecated = Some(text("reason")?.unwrap_or_default());
                }
                "dagger.Ignore" => {
                    let patterns =
                        value("patterns").map_or(Ok(Json::Null), |v| self.constant(place, v))?;
                    let patterns = patterns.as_array().cloned().unwrap_or_default();
                    metadata.ignore = patterns
                        .iter()
                        .filter_map(Json::as_str)
                        .map(str::to_owned)
                        .collect();
                }
                "dagger.Arg" => {
                    let doc = args.get(1).or_else(|| note.argument("doc"));
                    let doc = doc.map(|doc| self.text(place, doc)).transpose()?;
                    metadata.doc = metadata.doc.take().or(doc.map(|doc| clean(&doc)));
                    metadata.name = metadata.name.take().or(text("name")?);
                }
                _ => {}
            }
        }
        Ok(())
    }

    // Descriptions.

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

    fn methods(&self, at: usize) -> Result<Vec<FunctionType>, StaticError> {
        let mut functions: Vec<(String, FunctionType)> = Vec::new();
        for ancestor in self.lineage(at)? {
            let class = &self.classes[ancestor];
            for method in &class.class.methods {
                let place = Place {
                    file: &class.file,
                    line: method.line,
                    owner: Some(at),
                };
                let known = functions.iter().position(|(name, _)| *name == method.name);
                match (self.function(place, method, true)?, known) {
                    (Some(function), Some(known)) => functions[known].1 = function,
                    (Some(function), None) => functions.push((method.name.clone(), function)),
                    (None, Some(known)) => {
                        functions.remove(known);
                    }
                    (None, None) => {}
                }
            }
        }
        Ok(functions
            .into_iter()
            .map(|(_, function)| function)
            .collect())
    }

    /// The decorator that offers a function; `None` if it is not offered.
    fn function_decorator<'f>(
        &self,
        place: Place<'_>,
        function: &'f Function,
    ) -> Result<Option<&'f Expr>, StaticError> {
        let mut found = None;
        let mut foreign = false;
        for decorator in &function.decorators {
            match self.path(place.file, decorator.callee()).as_deref() {
                Some("dagger.function") => found = Some(decorator),
                Some(
                    "dagger.check"
                    | "dagger.generate"
                    | "dagger.up"
                    | "dagger.agent"
                    | "builtins.classmethod"
                    | "abc.abstractmethod"
                    | "typing.override"
                    | "typing.overload",
                ) => {}
                _ => foreign = true,
            }
        }
        let looks_offered = function.decorators.iter().any(|decorator| {
            matches!(decorator.callee(), Expr::Attr(_, name) | Expr::Name(name) if name == "function")
        });
        if foreign && (found.is_some() || looks_offered) {
            return Err(place.needs_runtime("the function has a decorator of its own making"));
        }
        Ok(found)
    }

    fn function(
        &self,
        place: Place<'_>,
        function: &Function,
        bound: bool,
    ) -> Result<Option<FunctionType>, StaticError> {
        let Some(decorator) = self.function_decorator(place, function)? else {
            return Ok(None);
        };
        let text = |name: &str| self.text_argument(place, decorator, name);
        let marked = |mark: &str| {
            function.decorators.iter().any(|decorator| {
                let path = self.path(place.file, decorator.callee());
                path.is_some_and(|path| path.strip_prefix("dagger.") == Some(mark))
            })
        };
        let returns = match &function.returns {
            None => TypeRef::new(TypeKind::Void),
            Some(annotation) => self.type_of(place, annotation, &mut Metadata::default())?,
        };
        let name = text("name")?.unwrap_or_else(|| without_underscores(&function.name).to_owned());
        Ok(Some(FunctionType {
            name,
            api_name: String::new(),
            cli_name: String::new(),
            description: text("doc")?
                .or_else(|| function.doc.clone())
                .map(|doc| clean(&doc))
                .unwrap_or_default(),
            args: self.args(place, function, bound)?,
            returns,
            cache: text("cache")?.map(|cache| CachePolicy::parse(&cache)),
            check: marked("check"),
            generate: marked("generate"),
            up: marked("up"),
            agent: marked("agent"),
            trivial: false,
            deprecated: text("deprecated")?,
            source: Some(location(place.file, function.line, function.column)),
        }))
    }

    fn args(
        &self,
        place: Place<'_>,
        function: &Function,
        bound: bool,
    ) -> Result<Vec<Arg>, StaticError> {
        if function.variadic {
            let message = format!(
                "`{}`: *args and **kwargs cannot be part of the API",
                function.name
            );
            return Err(place.invalid(message));
        }
        let has_self = function
            .params
            .first()
            .is_some_and(|param| param.name == "self");
        let skip = usize::from(bound || has_self);
        function
            .params
            .iter()
            .skip(skip)
            .map(|param| self.arg(place, function, param))
            .collect()
    }

    fn arg(
        &self,
        place: Place<'_>,
        function: &Function,
        param: &Param,
    ) -> Result<Arg, StaticError> {
        let place = Place {
            line: param.line,
            ..place
        };
        let Some(annotation) = &param.annotation else {
            let message = format!("`{}`: argument `{}` has no type", function.name, param.name);
            return Err(place.invalid(message));
        };
        let default = param
            .default
            .as_ref()
            .map(|value| self.constant(place, value))
            .transpose()?;
        self.make_arg(place, &param.name, annotation, default)
    }

    fn make_arg(
        &self,
        place: Place<'_>,
        name: &str,
        annotation: &Expr,
        default: Option<Json>,
    ) -> Result<Arg, StaticError> {
        let mut metadata = Metadata::default();
        let mut ty = self.type_of(place, annotation, &mut metadata)?;
        ty.optional |= default == Some(Json::Null);
        Ok(Arg {
            name: metadata
                .name
                .unwrap_or_else(|| without_underscores(name).to_owned()),
            api_name: String::new(),
            cli_name: String::new(),
            description: metadata.doc.unwrap_or_default(),
            ty,
            default: default.filter(|default| !default.is_null()),
            default_path: metadata.default_path,
            default_address: metadata.default_address,
            ignore: metadata.ignore,
            deprecated: metadata.deprecated,
        })
    }

    fn constructor(
        &self,
        at: usize,
        class: &ClassInfo,
        attributes: &[StateAttribute<'_>],
    ) -> Result<FunctionType, StaticError> {
        let returns = TypeRef::object(class.name.clone());
        if let Some((place, own)) = self.own_constructor(at)? {
            return Ok(FunctionType {
                description: own.doc.as_deref().map(clean).unwrap_or_default(),
                args: self.args(place, own, true)?,
                returns,
                ..FunctionType::default()
            });
        }
        let mut args = Vec::new();
        let mut trivial = !self.has_method(at, "__post_init__")?;
        for attribute in attributes {
            if !attribute.init || attribute.raw.name.starts_with('_') {
                // What is not in the state takes its default, but callers see the state only.
                trivial &= !attribute.public && attribute.default.is_some();
                continue;
            }
            let (default, made) = self.attribute_default(attribute)?;
            let mut arg = self.make_arg(
                attribute.place,
                &attribute.raw.name,
                attribute.annotation(),
                default,
            )?;
            arg.ty.optional |= made;
            if attribute.public {
                arg.name.clone_from(&attribute.key);
            }
            if arg.description.is_empty() {
                arg.description = attribute.doc().unwrap_or_default();
            }
            arg.deprecated = arg.deprecated.or_else(|| attribute.deprecated.clone());
            trivial &= arg.name == attribute.key && !(attribute.public && made);
            args.push(arg);
        }
        Ok(FunctionType {
            args,
            returns,
            trivial,
            ..FunctionType::default()
        })
    }

    fn has_method(&self, at: usize, name: &str) -> Result<bool, StaticError> {
        let lineage = self.lineage(at)?;
        let mut methods = lineage
            .iter()
            .flat_map(|class| &self.classes[*class].class.methods);
        Ok(methods.any(|method| method.name == name))
    }

    /// The `create` class method, or else the `__init__`, of a class or what it derives from.
    fn own_constructor(&self, at: usize) -> Result<Option<(Place<'_>, &Function)>, StaticError> {
        let lineage = self.lineage(at)?;
        let find = |wanted: &dyn Fn(&str, &Function) -> bool| {
            lineage.iter().rev().find_map(|ancestor| {
                let class = &self.classes[*ancestor];
                let method = class
                    .class
                    .methods
                    .iter()
                    .find(|method| wanted(&class.file, method))?;
                Some((
                    Place {
                        file: &class.file,
                        line: method.line,
                        owner: Some(at),
                    },
                    method,
                ))
            })
        };
        let is_class_method = |file: &str, method: &Function| {
            method.decorators.iter().any(|decorator| {
                self.path(file, decorator).as_deref() == Some("builtins.classmethod")
            })
        };
        let create = find(&|file, method| method.name == "create" && is_class_method(file, method));
        Ok(create.or_else(|| find(&|_, method| method.name == "__init__")))
    }

    /// Annotated attributes of a class and what it derives from.
    fn attributes(&self, at: usize) -> Result<Vec<StateAttribute<'_>>, StaticError> {
        let mut found: Vec<StateAttribute<'_>> = Vec::new();
        for ancestor in self.lineage(at)? {
            let class = &self.classes[ancestor];
            for raw in &class.class.attributes {
                let Some(annotation) = &raw.annotation else {
                    continue;
                };
                if self.is_class_variable(&class.file, annotation) {
                    continue;
                }
                let place = Place {
                    file: &class.file,
                    line: raw.line,
                    owner: Some(at),
                };
                let attribute = self.attribute(place, raw)?;
                match found.iter().position(|known| known.raw.name == raw.name) {
                    Some(known) => found[known] = attribute,
                    None => found.push(attribute),
                }
            }
        }
        Ok(found)
    }

    fn is_class_variable(&self, file: &str, annotation: &Expr) -> bool {
        let parsed;
        let annotation = match annotation {
            Expr::Str(text) => {
                parsed = syntax::parse_expression(text);
                &parsed
            }
            other => other,
        };
        let base = if let Expr::Subscript(base, _) = annotation {
            base
        } else {
            annotation
        };
        let path = self.path(file, base);
        matches!(
            path.as_deref(),
            Some("typing.ClassVar" | "dataclasses.KW_ONLY")
        )
    }

    fn attribute<'p>(
        &'p self,
        place: Place<'p>,
        raw: &'p Attribute,
    ) -> Result<StateAttribute<'p>, StaticError> {
        let mut attribute = StateAttribute {
            raw,
            place,
            public: false,
            key: raw.name.clone(),
            init: true,
            default: raw.value.as_ref().map(Default::Value),
            deprecated: None,
        };
        let Some(call @ Expr::Call { .. }) = &raw.value else {
            return Ok(attribute);
        };
        let path = self.path(place.file, call.callee());
        let public = match path.as_deref() {
            Some("dagger.field") => true,
            Some("dataclasses.field") => false,
            _ => return Ok(attribute),
        };
        attribute.public = public;
        attribute.init = call.argument("init") != Some(&Expr::Bool(false));
        attribute.default = match (call.argument("default"), call.argument("default_factory")) {
            (_, Some(factory)) => Some(Default::Made(factory)),
            (Some(value), None) if public && self.is_callable(place, value) => {
                Some(Default::Made(value))
            }
            (Some(value), None) => Some(Default::Value(value)),
            (None, None) => None,
        };
        if public {
            attribute.deprecated = self.text_argument(place, call, "deprecated")?;
            attribute.key = self
                .text_argument(place, call, "name")?
                .unwrap_or_else(|| without_underscores(&raw.name).to_owned());
        }
        Ok(attribute)
    }

    fn is_callable(&self, place: Place<'_>, value: &Expr) -> bool {
        match value {
            Expr::Lambda(_) => true,
            Expr::Name(name) => {
                !matches!(self.scopes[place.file].get(name), Some(Binding::Value(_)))
            }
            _ => false,
        }
    }

    /// The default of an attribute, and whether a function makes it when the constructor runs.
    fn attribute_default(
        &self,
        attribute: &StateAttribute<'_>,
    ) -> Result<(Option<Json>, bool), StaticError> {
        let place = attribute.place;
        let factory = match attribute.default {
            None => return Ok((None, false)),
            Some(Default::Value(value)) => return Ok((Some(self.constant(place, value)?), false)),
            Some(Default::Made(factory)) => factory,
        };
        let value = match self.path(place.file, factory).as_deref() {
            Some("builtins.list" | "builtins.tuple") => Json::Array(vec![]),
            Some("builtins.str") => "".into(),
            Some("builtins.int") => 0.into(),
            Some("builtins.float") => 0.0.into(),
            Some("builtins.bool") => false.into(),
            _ => return Ok((None, true)),
        };
        Ok((Some(value), false))
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

/// An annotated attribute of an object.
#[derive(Debug)]
struct StateAttribute<'p> {
    raw: &'p Attribute,
    place: Place<'p>,
    public: bool,
    key: String,
    init: bool,
    default: Option<Default<'p>>,
    deprecated: Option<String>,
}

impl StateAttribute<'_> {
    fn annotation(&self) -> &Expr {
        self.raw
            .annotation
            .as_ref()
            .expect("attributes without a type are no state")
    }

    fn doc(&self) -> Option<String> {
        self.raw.doc.as_deref().map(clean)
    }
}

#[derive(Clone, Copy, Debug)]
enum Default<'p> {
    Value(&'p Expr),
    Made(&'p Expr),
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
