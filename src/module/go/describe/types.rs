//! Enums, interfaces, and what the types mean that a declaration mentions.

use super::super::package::{GoEnum, GoInterface, GoMethod, GoResult};
use super::super::syntax::{ConstDecl, File, GoType, Method, TypeDecl};
use super::{At, Reader, deprecated, is_context, is_exported, is_sdk};
use crate::module::names;
use crate::module::python::StaticError;
use crate::module::sdk_go::{self, Declared};
use crate::module::typedef::{EnumMember, EnumType, Function, InterfaceType, TypeKind, TypeRef};

impl<'a> Reader<'a> {
    /// Name under which a value of an enum of the package crosses the border; given its value or name.
    pub(super) fn member(&self, name: &str, value: &str) -> Option<String> {
        let members = self.members(name);
        let found = members.iter().find(|(constant, member, text)| {
            constant.name == value || member == value || text == value
        });
        found.map(|(_, member, _)| member.clone())
    }

    /// Constants of an enum, with the name each crosses the border by and its value.
    pub(super) fn members(&self, name: &str) -> Vec<(&'a ConstDecl, String, String)> {
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

    pub(super) fn enumeration(&mut self, declared: &TypeDecl) -> Result<(), StaticError> {
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

    pub(super) fn interface(
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
    pub(super) fn own_interface(&self, ty: &GoType) -> Option<(String, bool)> {
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
    pub(super) fn resolve(&mut self, at: At<'a>, ty: &GoType) -> Result<TypeRef, StaticError> {
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

    pub(super) fn unqualified(&mut self, at: At<'a>, name: &str) -> Result<TypeRef, StaticError> {
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
    pub(super) fn core(&mut self, at: At<'a>, name: &str) -> TypeRef {
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
    pub(super) fn spell(&self, ty: &GoType) -> String {
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
