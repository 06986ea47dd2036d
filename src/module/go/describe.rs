//! What the declarations of a Go package mean: the types it offers, and how each function is called.
//!
//! Main function: [`describe`]. Starts at the main object and follows what its functions mention, so types
//! that are nobody's business stay private. [`functions`] reads functions, [`types`] the types they mention.

mod functions;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use super::comment::Comment;
use super::package::{GoObject, Package};
use super::syntax::{ConstDecl, File, FuncDecl, GoType, StructField, TypeDecl};
use crate::module::names;
use crate::module::python::StaticError;
use crate::module::typedef::{Field, ObjectType, SourceLocation};

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
