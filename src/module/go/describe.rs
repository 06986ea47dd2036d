//! What the declarations of a Go package mean: the types it offers, and how each function is called.
//!
//! Main type: [`Package`]. Starts at the main object and follows what its functions mention, so types
//! that are nobody's business stay private.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::comment::Comment;
use super::syntax::{ConstDecl, File, FuncDecl, GoType, Method, Param, StructField, TypeDecl};
use crate::module::names;
use crate::module::python::StaticError;
use crate::module::sdk_go::{self, Declared};
use crate::module::typedef::{
    Arg, CachePolicy, EnumMember, EnumType, Field, Function, InterfaceType, ModuleTypes,
    ObjectType, SourceLocation, TypeKind, TypeRef,
};

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

/// Reads a package.
pub(super) fn describe(module: &str, files: &[File]) -> Result<Package, StaticError> {
    let mut reader = Reader::new(files);
    reader.check_names()?;
    let main = reader.main_object(module);
    for name in main {
        reader.reach(&name);
    }
    while let Some(name) = reader.pending.pop() {
        reader.declaration(&name)?;
    }
    let mut package = reader.package;
    let order = |name: &str| reader.order.iter().position(|known| known == name);
    package.types.objects.sort_by_key(|ty| order(&ty.name));
    package.types.enums.sort_by_key(|ty| order(&ty.name));
    package.types.interfaces.sort_by_key(|ty| order(&ty.name));
    let described = files.iter().find(|file| !file.comment.text.is_empty());
    package.types.description =
        described.map_or_else(String::new, |file| file.comment.text.clone());
    package.types = package.types.finish(module)?;
    Ok(package)
}

struct Reader<'a> {
    types: BTreeMap<&'a str, (&'a File, &'a TypeDecl)>,
    /// Names of types in source order.
    order: Vec<String>,
    functions: Vec<(&'a File, &'a FuncDecl)>,
    consts: Vec<&'a ConstDecl>,
    reached: BTreeSet<String>,
    pending: Vec<String>,
    package: Package,
}

/// Where a type is written, for messages.
#[derive(Clone, Copy)]
struct At<'a> {
    file: &'a File,
    line: u32,
}

impl At<'_> {
    fn invalid(self, message: impl Into<String>) -> StaticError {
        StaticError::Invalid {
            file: self.file.path.clone(),
            line: self.line,
            message: message.into(),
        }
    }

    fn place(self) -> SourceLocation {
        SourceLocation {
            file: self.file.path.clone(),
            line: self.line,
            column: 1,
        }
    }
}

/// Whether a path is that of the SDK, or of the package generated for a module.
fn is_sdk(path: &str) -> bool {
    path == "dagger.io/dagger" || path == "internal/dagger" || path.ends_with("/internal/dagger")
}

fn is_exported(name: &str) -> bool {
    name.starts_with(|c: char| c.is_uppercase())
}

impl<'a> Reader<'a> {
    fn new(files: &'a [File]) -> Self {
        let mut package = Package::default();
        for file in files {
            package.declared.extend(file.declared.iter().cloned());
            package.mentioned.extend(file.mentioned.iter().cloned());
            for (name, path) in &file.imports {
                match name.as_str() {
                    "." => package.dotted |= is_sdk(path),
                    "_" => {}
                    _ => drop(package.declared.insert(name.clone())),
                }
                package.prefixed |= is_sdk(path);
            }
        }
        let types = files
            .iter()
            .flat_map(|file| file.types.iter().map(move |ty| (file, ty)));
        let functions = files
            .iter()
            .flat_map(|file| file.functions.iter().map(move |f| (file, f)));
        Self {
            order: types.clone().map(|(_, ty)| ty.name.clone()).collect(),
            types: types
                .map(|(file, ty)| (ty.name.as_str(), (file, ty)))
                .collect(),
            functions: functions.collect(),
            consts: files.iter().flat_map(|file| &file.consts).collect(),
            reached: BTreeSet::new(),
            pending: Vec::new(),
            package,
        }
    }

    /// Refuses what generated code declares itself.
    fn check_names(&self) -> Result<(), StaticError> {
        for (file, function) in &self.functions {
            if function.receiver.is_none() && matches!(function.name.as_str(), "main" | "invoke") {
                let at = At {
                    file,
                    line: function.place.line,
                };
                return Err(at.invalid(format!(
                    "a module's package cannot declare `{}`: it is generated",
                    function.name
                )));
            }
        }
        Ok(())
    }

    fn methods(&self, name: &str) -> Vec<(&'a File, &'a FuncDecl)> {
        let is = |(_, function): &&(&File, &FuncDecl)| {
            function.receiver.as_deref() == Some(name)
                && is_exported(&function.name)
                && !function.generic
                && !matches!(function.name.as_str(), "MarshalJSON" | "UnmarshalJSON")
        };
        self.functions.iter().filter(is).copied().collect()
    }

    /// Names of the structs to begin with: the one named after the module; failing that, those with
    /// functions that no other mentions.
    fn main_object(&self, module: &str) -> Vec<String> {
        let expected = names::pascal(module);
        let is_struct = |name: &&str| {
            matches!(
                self.types.get(*name),
                Some((
                    _,
                    TypeDecl {
                        ty: GoType::Struct(_),
                        ..
                    }
                ))
            )
        };
        let structs: Vec<&str> = self
            .order
            .iter()
            .map(String::as_str)
            .filter(is_struct)
            .collect();
        if let Some(named) = structs.iter().find(|name| names::pascal(name) == expected) {
            return vec![(*named).to_owned()];
        }
        let with_functions: Vec<&str> = structs
            .iter()
            .copied()
            .filter(|name| is_exported(name) && !self.methods(name).is_empty())
            .collect();
        let mentions = |name: &str, other: &str| {
            self.methods(other).iter().any(|(_, function)| {
                let params = function.params.iter().map(|param| &param.ty);
                params.chain(&function.results).any(|ty| mentions(ty, name))
            })
        };
        let uses_api = |name: &str| {
            self.methods(name).iter().any(|(_, function)| {
                function.params.iter().any(|param| is_context(&param.ty))
                    || function.results.iter().any(
                        |ty| !matches!(ty, GoType::Named { name: result, .. } if result == name),
                    )
            })
        };
        let tops: Vec<&str> = with_functions
            .iter()
            .copied()
            .filter(|name| {
                uses_api(name)
                    && !with_functions
                        .iter()
                        .any(|other| other != name && mentions(name, other))
            })
            .collect();
        let chosen = match (tops.len(), with_functions.is_empty()) {
            (1, _) => tops,
            (_, false) => with_functions,
            // None will do; the error says which there are.
            (_, true) => structs,
        };
        chosen.into_iter().map(str::to_owned).collect()
    }

    fn reach(&mut self, name: &str) {
        if self.reached.insert(name.to_owned()) {
            self.pending.push(name.to_owned());
        }
    }

    fn declaration(&mut self, name: &str) -> Result<(), StaticError> {
        let Some(&(file, declared)) = self.types.get(name) else {
            return Ok(());
        };
        match &declared.ty {
            GoType::Struct(fields) => self.object(file, declared, fields),
            GoType::Interface(methods, _) => self.interface(file, declared, methods),
            _ => self.enumeration(declared),
        }
    }

    fn object(
        &mut self,
        file: &'a File,
        declared: &'a TypeDecl,
        fields: &'a [StructField],
    ) -> Result<(), StaticError> {
        let mut object = ObjectType {
            name: declared.name.clone(),
            description: declared.comment.text.clone(),
            deprecated: deprecated(&declared.comment),
            source: Some(declared.place.clone()),
            ..ObjectType::default()
        };
        let mut go = GoObject {
            name: declared.name.clone(),
            ..GoObject::default()
        };
        self.fields(file, fields, &mut object, &mut go)?;
        for (file, function) in self.methods(&declared.name) {
            let (described, callable) = self.function(file, function, &declared.name)?;
            object.functions.push(described);
            go.functions.push(callable);
        }
        let constructor = self.functions.iter().copied().find(|(_, function)| {
            function.receiver.is_none()
                && function.name == "New"
                && function
                    .results
                    .first()
                    .is_some_and(|ty| pointee(ty).0 == Some(&declared.name))
        });
        if let Some((file, function)) = constructor {
            let (mut described, callable) = self.function(file, function, &declared.name)?;
            described.name.clear();
            object.constructor = Some(described);
            go.constructor = Some(callable);
        }
        self.package.types.objects.push(object);
        self.package.objects.push(go);
        Ok(())
    }

    fn fields(
        &mut self,
        file: &'a File,
        fields: &'a [StructField],
        object: &mut ObjectType,
        go: &mut GoObject,
    ) -> Result<(), StaticError> {
        for field in fields {
            let at = At {
                file,
                line: field.line,
            };
            if field.name.is_empty() {
                let embedded = pointee(&field.ty)
                    .0
                    .and_then(|name| self.types.get(name.as_str()));
                if let Some(&(
                    file,
                    TypeDecl {
                        ty: GoType::Struct(fields),
                        ..
                    },
                )) = embedded
                {
                    self.fields(file, fields, object, go)?;
                }
                continue;
            }
            let key = field.json.as_ref().unwrap_or(&field.name);
            if !is_exported(&field.name) || key == "-" {
                continue;
            }
            if let Some((interface, list)) = self.own_interface(&field.ty) {
                self.reach(&interface);
                go.interface_fields
                    .push((field.name.clone(), key.clone(), interface, list));
            }
            if field.comment.flag("private") {
                continue;
            }
            let mut ty = self
                .resolve(at, &field.ty)
                .map_err(|error| private_hint(error, &field.name))?;
            ty.optional |= field.comment.flag("optional");
            object.fields.push(Field {
                name: key.clone(),
                api_name: String::new(),
                cli_name: String::new(),
                description: field.comment.text.clone(),
                ty,
                deprecated: deprecated(&field.comment),
            });
        }
        Ok(())
    }

    fn function(
        &mut self,
        file: &'a File,
        declared: &'a FuncDecl,
        owner: &str,
    ) -> Result<(Function, GoFunction), StaticError> {
        let at = At {
            file,
            line: declared.place.line,
        };
        let (returns, result) =
            self.results(at, &declared.results, declared.mutates.then_some(owner))?;
        let mut function = Function {
            name: declared.name.clone(),
            description: declared.comment.text.clone(),
            returns,
            cache: declared
                .comment
                .string("cache")
                .map(|text| CachePolicy::parse(&text)),
            check: declared.comment.flag("check"),
            generate: declared.comment.flag("generate"),
            up: declared.comment.flag("up"),
            agent: declared.comment.flag("agent"),
            deprecated: deprecated(&declared.comment),
            source: Some(declared.place.clone()),
            ..Function::default()
        };
        let mut go = GoFunction {
            name: declared.name.clone(),
            result,
            ..GoFunction::default()
        };
        let mut params = declared.params.as_slice();
        if let [first, rest @ ..] = params
            && is_context(&first.ty)
        {
            go.context = true;
            params = rest;
        }
        if let [
            Param {
                ty: GoType::Struct(fields),
                ..
            },
        ] = params
        {
            let mut named = Vec::new();
            let mut written = Vec::new();
            for field in fields {
                let at = At {
                    file,
                    line: field.line,
                };
                let name = names::lower_camel(&field.name);
                function
                    .args
                    .push(self.arg(at, &name, &field.ty, false, &field.comment)?);
                named.push((name, field.name.clone()));
                let ty = self.spell(&field.ty);
                written.push(match &field.json {
                    Some(json) => format!("{} {ty} `json:\"{json}\"`", field.name),
                    None => format!("{} {ty}", field.name),
                });
            }
            go.params.push(GoParam::Inline {
                ty: format!("struct {{ {} }}", written.join("; ")),
                fields: named,
            });
            return Ok((function, go));
        }
        for param in params {
            let at = At {
                file,
                line: param.line,
            };
            if param.name.is_empty() || param.name == "_" {
                return Err(at.invalid(format!("a parameter of `{}` has no name", declared.name)));
            }
            function.args.push(self.arg(
                at,
                &param.name,
                &param.ty,
                param.variadic,
                &param.comment,
            )?);
            let spelled = self.spell(&param.ty);
            let list = matches!(param.ty, GoType::List(_));
            let interface = self.own_interface(&param.ty);
            if list && param.variadic && interface.is_some() {
                return Err(at.invalid("a variadic parameter cannot be of lists of interfaces"));
            }
            go.params.push(GoParam::One {
                name: param.name.clone(),
                ty: if param.variadic {
                    format!("[]{spelled}")
                } else {
                    spelled
                },
                variadic: param.variadic,
                interface: interface.map(|(name, list)| (name, list || param.variadic)),
            });
        }
        Ok((function, go))
    }

    fn results(
        &mut self,
        at: At<'a>,
        results: &'a [GoType],
        changed: Option<&str>,
    ) -> Result<(TypeRef, GoResult), StaticError> {
        let is_error = |ty: &GoType| matches!(ty, GoType::Named { package: None, name, .. } if name == "error");
        Ok(match results {
            [] => match changed {
                Some(owner) => (TypeRef::object(owner), GoResult::Receiver),
                None => (TypeRef::default(), GoResult::Nothing),
            },
            [error] if is_error(error) => (TypeRef::default(), GoResult::Error),
            [value] => (self.resolve(at, value)?, GoResult::Value),
            [value, error] if is_error(error) => {
                (self.resolve(at, value)?, GoResult::ValueAndError)
            }
            _ => return Err(at.invalid("a function returns at most a value and an error")),
        })
    }

    fn arg(
        &mut self,
        at: At<'a>,
        name: &str,
        ty: &'a GoType,
        variadic: bool,
        comment: &Comment,
    ) -> Result<Arg, StaticError> {
        let mut resolved = self.resolve(at, ty)?;
        if variadic {
            resolved = TypeRef::list(resolved).optional();
        }
        resolved.optional |= comment.flag("optional");
        let default = match comment.get("default") {
            None => None,
            Some(text) => Some(self.default(at, &resolved, text)?),
        };
        let ignore = match comment.get("ignore") {
            None => vec![],
            Some(text) => serde_json::from_str(text).map_err(|_| {
                at.invalid(format!(
                    "`+ignore` wants a list such as [\"**/node_modules\"], not {text}"
                ))
            })?,
        };
        Ok(Arg {
            name: name.to_owned(),
            api_name: String::new(),
            cli_name: String::new(),
            description: comment.text.clone(),
            ty: resolved,
            default,
            default_path: comment.string("defaultPath"),
            default_address: comment.string("defaultAddress"),
            ignore,
            deprecated: deprecated(comment),
        })
    }

    fn default(&self, at: At<'a>, ty: &TypeRef, text: &str) -> Result<Json, StaticError> {
        let parsed: Option<Json> = serde_json::from_str(text).ok();
        let wrong = || at.invalid(format!("the default {text} is not of the argument's type"));
        let unquoted = || text.trim_matches('`').to_owned();
        Ok(match (&ty.kind, parsed) {
            (_, Some(Json::Null)) => Json::Null,
            (TypeKind::String | TypeKind::Scalar { .. }, Some(Json::String(text))) => text.into(),
            (TypeKind::String | TypeKind::Scalar { .. }, _) => unquoted().into(),
            (TypeKind::Enum { name }, parsed) => {
                let value = match parsed {
                    Some(Json::String(text)) => text,
                    _ => unquoted(),
                };
                self.member(name, &value).unwrap_or(value).into()
            }
            (TypeKind::Integer, Some(value)) if value.is_i64() => value,
            (TypeKind::Float, Some(value)) if value.is_number() => value,
            (TypeKind::Boolean, Some(value)) if value.is_boolean() => value,
            (TypeKind::List { .. }, Some(value)) if value.is_array() => value,
            (TypeKind::Object { .. } | TypeKind::Interface { .. }, _) => {
                return Err(
                    at.invalid("an object has no `+default`; use `+defaultPath` or `+optional`")
                );
            }
            _ => return Err(wrong()),
        })
    }

    /// Name under which a value of an enum of the package crosses the border; given its value or name.
    fn member(&self, name: &str, value: &str) -> Option<String> {
        let members = self.members(name);
        let found = members.iter().find(|(constant, member, text)| {
            constant.name == value || member == value || text == value
        });
        found.map(|(_, member, _)| member.clone())
    }

    /// Constants of an enum, with the name each crosses the border by and its value.
    fn members(&self, name: &str) -> Vec<(&'a ConstDecl, String, String)> {
        let of = |constant: &&&ConstDecl| constant.ty.as_deref() == Some(name);
        let members: Vec<(&ConstDecl, &str)> = self
            .consts
            .iter()
            .filter(of)
            .filter_map(|constant| Some((*constant, constant.text.as_deref()?)))
            .collect();
        let is_name = |text: &str| {
            text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        };
        let by_value = members.iter().all(|(_, text)| is_name(text));
        let named = |constant: &ConstDecl| {
            let short = constant
                .name
                .strip_prefix(name)
                .filter(|rest| is_name(rest));
            short.unwrap_or(&constant.name).to_owned()
        };
        members
            .into_iter()
            .map(|(constant, text)| {
                let member = if by_value {
                    text.to_owned()
                } else {
                    named(constant)
                };
                (constant, member, text.to_owned())
            })
            .collect()
    }

    fn enumeration(&mut self, declared: &TypeDecl) -> Result<(), StaticError> {
        let members = self.members(&declared.name);
        let mapped = members.iter().any(|(_, member, text)| member != text);
        if mapped {
            self.package.enums.push(GoEnum {
                name: declared.name.clone(),
                members: members
                    .iter()
                    .map(|(_, member, text)| (member.clone(), text.clone()))
                    .collect(),
            });
        }
        let member = |(constant, name, value): (&ConstDecl, String, String)| EnumMember {
            name,
            value,
            description: constant.comment.text.clone(),
            deprecated: deprecated(&constant.comment),
            ..EnumMember::default()
        };
        self.package.types.enums.push(EnumType {
            name: declared.name.clone(),
            description: declared.comment.text.clone(),
            members: members.into_iter().map(member).collect(),
            source: Some(declared.place.clone()),
            ..EnumType::default()
        });
        Ok(())
    }

    fn interface(
        &mut self,
        file: &'a File,
        declared: &'a TypeDecl,
        methods: &'a [Method],
    ) -> Result<(), StaticError> {
        let mut functions = Vec::new();
        let mut go = Vec::new();
        for method in methods {
            let at = At {
                file,
                line: method.line,
            };
            let (returns, result) = self.results(at, &method.results, None)?;
            let mut function = Function {
                name: method.name.clone(),
                description: method.comment.text.clone(),
                returns,
                ..Function::default()
            };
            let context = method
                .params
                .first()
                .is_some_and(|param| is_context(&param.ty));
            let mut args = Vec::new();
            for (at_, param) in method.params.iter().enumerate().skip(usize::from(context)) {
                let name = if param.name.is_empty() {
                    format!("arg{at_}")
                } else {
                    param.name.clone()
                };
                function.args.push(self.arg(
                    at,
                    &name,
                    &param.ty,
                    param.variadic,
                    &param.comment,
                )?);
                let ty = self.spell(&param.ty);
                let ty = if param.variadic {
                    format!("...{ty}")
                } else {
                    ty
                };
                args.push((names::lower_camel(&name), ty));
            }
            let value = matches!(result, GoResult::Value | GoResult::ValueAndError)
                .then(|| self.spell(&method.results[0]));
            let error = matches!(result, GoResult::Error | GoResult::ValueAndError);
            let object = matches!(
                function.returns.kind,
                TypeKind::Object { .. } | TypeKind::Interface { .. }
            ) && !error;
            let answers = error && context;
            if !object && !answers {
                return Err(at.invalid(format!(
                    "`{}` asks the engine, so it must take a context and return an error",
                    method.name
                )));
            }
            go.push(GoMethod {
                name: method.name.clone(),
                api_name: names::lower_camel(&method.name),
                context,
                args,
                object: value.clone().filter(|_| object),
                value,
                error,
            });
            functions.push(function);
        }
        self.package.types.interfaces.push(InterfaceType {
            name: declared.name.clone(),
            description: declared.comment.text.clone(),
            functions,
            source: Some(declared.place.clone()),
            ..InterfaceType::default()
        });
        self.package.interfaces.push(GoInterface {
            name: declared.name.clone(),
            methods: go,
        });
        Ok(())
    }

    /// The interface of the package that a type is, or is a list of.
    fn own_interface(&self, ty: &GoType) -> Option<(String, bool)> {
        match ty {
            GoType::List(of) => self.own_interface(of).map(|(name, _)| (name, true)),
            GoType::Named {
                package: None,
                name,
                ..
            } => match self.types.get(name.as_str()) {
                Some((
                    _,
                    TypeDecl {
                        ty: GoType::Interface(..),
                        ..
                    },
                )) => Some((name.clone(), false)),
                _ => None,
            },
            _ => None,
        }
    }

    /// The API's type for a type as written.
    fn resolve(&mut self, at: At<'a>, ty: &GoType) -> Result<TypeRef, StaticError> {
        match ty {
            GoType::List(of) => Ok(TypeRef::list(self.resolve(at, of)?)),
            GoType::Pointer(of) => {
                let inner = self.resolve(at, of)?;
                let object = matches!(
                    inner.kind,
                    TypeKind::Object { .. } | TypeKind::Interface { .. }
                );
                Ok(if object { inner } else { inner.optional() })
            }
            GoType::Named {
                package,
                name,
                args,
            } if name == "Optional" && args.len() == 1 => {
                let own = self.types.contains_key("Optional");
                if package.is_none() && !own {
                    return Ok(self.resolve(at, &args[0])?.optional());
                }
                Err(at.invalid("generic types cannot be part of the API"))
            }
            GoType::Named { args, .. } if !args.is_empty() => {
                Err(at.invalid("generic types cannot be part of the API"))
            }
            GoType::Named {
                package: None,
                name,
                ..
            } => self.unqualified(at, name),
            GoType::Named {
                package: Some(package),
                name,
                ..
            } => {
                let import = at.file.imports.iter().find(|(known, _)| known == package);
                match import {
                    Some((_, path)) if is_sdk(path) => Ok(self.core(at, name)),
                    _ => Err(at.invalid(format!(
                        "`{package}.{name}` cannot be part of the API: use types of this package or of the API"
                    ))),
                }
            }
            GoType::Struct(_) => Err(at.invalid("a struct needs a name to be part of the API")),
            GoType::Interface(..) => {
                Err(at.invalid("an interface needs a name to be part of the API"))
            }
            GoType::Other(text) => Err(at.invalid(format!("`{text}` cannot be part of the API"))),
        }
    }

    fn unqualified(&mut self, at: At<'a>, name: &str) -> Result<TypeRef, StaticError> {
        let Some(&(file, declared)) = self.types.get(name) else {
            return match builtin(name) {
                Some(kind) => Ok(TypeRef::new(kind)),
                None if is_exported(name) => Ok(self.core(at, name)),
                None => Err(at.invalid(format!("`{name}` cannot be part of the API"))),
            };
        };
        let owned = || name.to_owned();
        match &declared.ty {
            GoType::Struct(_) => {
                self.reach(name);
                Ok(TypeRef::object(name))
            }
            GoType::Interface(..) => {
                self.reach(name);
                Ok(TypeRef::new(TypeKind::Interface { name: owned() }))
            }
            _ if !self.members(name).is_empty() => {
                self.reach(name);
                Ok(TypeRef::new(TypeKind::Enum { name: owned() }))
            }
            other => {
                let is_own = matches!(other, GoType::Named { package: None, name: same, .. } if same == name);
                let of_sdk = matches!(
                    other,
                    GoType::Named {
                        package: Some(_),
                        ..
                    }
                );
                if is_own || (of_sdk && !declared.alias) {
                    return Err(at.invalid(format!("`{name}` cannot be part of the API")));
                }
                let there = At {
                    file,
                    line: declared.place.line,
                };
                self.resolve(there, other)
            }
        }
    }

    /// A type of the core or of another module.
    fn core(&mut self, at: At<'a>, name: &str) -> TypeRef {
        let owned = name.to_owned();
        TypeRef::new(match sdk_go::names().get(name) {
            Some(Declared::Enum) => TypeKind::Enum { name: owned },
            Some(Declared::Scalar) => TypeKind::Scalar { name: owned },
            Some(Declared::Object) => TypeKind::Object { name: owned },
            _ => {
                self.package
                    .foreign
                    .entry(owned.clone())
                    .or_insert_with(|| at.place());
                TypeKind::Object { name: owned }
            }
        })
    }

    /// A type as generated code writes it.
    fn spell(&self, ty: &GoType) -> String {
        match ty {
            GoType::List(of) => format!("[]{}", self.spell(of)),
            GoType::Pointer(of) => format!("*{}", self.spell(of)),
            GoType::Other(text) => text.clone(),
            GoType::Struct(_) => "struct{}".into(),
            GoType::Interface(..) => "any".into(),
            GoType::Named {
                package,
                name,
                args,
            } => {
                let prefix = match package {
                    Some(_) => "dagger.",
                    None if self.types.contains_key(name.as_str()) => "",
                    None if builtin(name).is_some() || name == "Optional" => "",
                    None => "dagger.",
                };
                let args: Vec<_> = args.iter().map(|arg| self.spell(arg)).collect();
                match args.is_empty() {
                    true => format!("{prefix}{name}"),
                    false => format!("{prefix}{name}[{}]", args.join(", ")),
                }
            }
        }
    }
}

fn builtin(name: &str) -> Option<TypeKind> {
    Some(match name {
        "string" => TypeKind::String,
        "bool" => TypeKind::Boolean,
        "float32" | "float64" => TypeKind::Float,
        "int" | "int8" | "int16" | "int32" | "int64" | "uint" | "uint8" | "uint16" | "uint32"
        | "uint64" | "byte" | "rune" => TypeKind::Integer,
        _ => return None,
    })
}

fn is_context(ty: &GoType) -> bool {
    matches!(ty, GoType::Named { package: Some(package), name, .. } if package == "context" && name == "Context")
}

/// The unqualified name a type or pointer has, and whether it is a pointer.
fn pointee(ty: &GoType) -> (Option<&String>, bool) {
    match ty {
        GoType::Named {
            package: None,
            name,
            ..
        } => (Some(name), false),
        GoType::Pointer(of) => (pointee(of).0, true),
        _ => (None, false),
    }
}

fn mentions(ty: &GoType, wanted: &str) -> bool {
    match ty {
        GoType::Named { name, args, .. } => {
            name == wanted || args.iter().any(|arg| mentions(arg, wanted))
        }
        GoType::Pointer(of) | GoType::List(of) => mentions(of, wanted),
        _ => false,
    }
}

fn deprecated(comment: &Comment) -> Option<String> {
    comment.string("deprecated").or_else(|| {
        let line = comment
            .text
            .lines()
            .find_map(|line| line.strip_prefix("Deprecated:"));
        line.map(|reason| reason.trim().to_owned())
    })
}

/// The same error with a way out for fields.
fn private_hint(error: StaticError, field: &str) -> StaticError {
    match error {
        StaticError::Invalid {
            file,
            line,
            message,
        } => StaticError::Invalid {
            file,
            line,
            message: format!("field `{field}`: {message}; `// +private` keeps it out of the API"),
        },
        other => other,
    }
}
