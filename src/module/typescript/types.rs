//! Types and values as TypeScript writes them, in terms of the API.

use serde_json::Value as Json;

use super::program::{Named, Place};
use super::syntax::{DeclarationKind, Expr, Signature, Type, TypeKind as Written};
use super::{core, describe::Describer};
use crate::module::python::StaticError;
use crate::module::typedef::{TypeKind, TypeRef};

/// How deep types and constants may refer to each other; more is a circle.
const DEEPEST: usize = 32;

/// What a declaration is as a type of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// A class with functions.
    Class,
    /// A type with nothing but fields.
    Data,
    /// A native enum.
    Enum,
    /// A class whose static members are the values.
    EnumClass,
    /// What objects may have in common.
    Interface,
}

impl Describer<'_, '_> {
    /// The type of the API that an annotation means.
    pub(super) fn type_ref(
        &mut self,
        file: usize,
        ty: &Type,
        owner: &str,
    ) -> Result<TypeRef, StaticError> {
        self.type_within(file, ty, owner, DEEPEST)
    }

    fn type_within(
        &mut self,
        file: usize,
        ty: &Type,
        owner: &str,
        left: usize,
    ) -> Result<TypeRef, StaticError> {
        let fail = |what: &str| Err(self.invalid(file, ty.line, what.to_owned()));
        if left == 0 {
            return fail("the type refers to itself");
        }
        let kind = match &ty.kind {
            Written::String => TypeKind::String,
            Written::Number => TypeKind::Integer,
            Written::Boolean => TypeKind::Boolean,
            Written::Void | Written::Nothing => TypeKind::Void,
            Written::This => TypeKind::Object { name: owner.into() },
            Written::Array(of) => {
                let of = self.type_within(file, of, owner, left - 1)?;
                TypeKind::List { of: Box::new(of) }
            }
            Written::Union(members) => return self.union(file, ty, members, owner, left),
            Written::Name(path, args) => return self.named(file, ty, path, args, owner, left),
            Written::Object(_) => {
                return fail("an object type needs a name: declare it with `type` or `interface`");
            }
            Written::Function(..) => return fail("a function is not a type the API has"),
            Written::Other(text) => return fail(&format!("`{text}` is not a type the API has")),
        };
        Ok(TypeRef::new(kind))
    }

    fn union(
        &mut self,
        file: usize,
        ty: &Type,
        members: &[Type],
        owner: &str,
        left: usize,
    ) -> Result<TypeRef, StaticError> {
        let mut optional = false;
        let mut found: Option<TypeRef> = None;
        for member in members {
            let member = self.type_within(file, member, owner, left - 1)?;
            if member.kind == TypeKind::Void {
                optional = true;
                continue;
            }
            optional |= member.optional;
            match &found {
                Some(known) if known.kind != member.kind => {
                    let what = "one of several types is not a type the API has";
                    return Err(self.invalid(file, ty.line, what.to_owned()));
                }
                _ => found = Some(member),
            }
        }
        let found = found.unwrap_or_default();
        Ok(TypeRef {
            optional: optional && found.kind != TypeKind::Void,
            ..found
        })
    }

    fn named(
        &mut self,
        file: usize,
        ty: &Type,
        path: &[String],
        args: &[Type],
        owner: &str,
        left: usize,
    ) -> Result<TypeRef, StaticError> {
        let shown = path.join(".");
        let (named, rest) = self.program.find(file, path);
        match (named, rest) {
            (Named::Sdk(name), []) => Ok(TypeRef::new(core::kind(&name))),
            // A member of an enum, as a type.
            (Named::Sdk(name), [_]) if core::is_enum(&name) => Ok(TypeRef::new(core::kind(&name))),
            (Named::Declared(place), rest) => self.declared(file, ty, place, rest, left),
            (Named::Other, []) => match (shown.as_str(), args) {
                ("Promise" | "PromiseLike" | "Awaited" | "Readonly", [of]) => {
                    self.type_within(file, of, owner, left - 1)
                }
                ("NonNullable", [of]) => {
                    let of = self.type_within(file, of, owner, left - 1)?;
                    Ok(TypeRef::new(of.kind))
                }
                ("Array" | "ReadonlyArray" | "Iterable", [of]) => Ok(TypeRef::list(
                    self.type_within(file, of, owner, left - 1)?,
                )),
                ("String", []) => Ok(TypeRef::new(TypeKind::String)),
                ("Number", []) => Ok(TypeRef::new(TypeKind::Integer)),
                ("Boolean", []) => Ok(TypeRef::new(TypeKind::Boolean)),
                _ => {
                    let what = format!(
                        "`{shown}` is not a type the API has; is it imported from \"@dagger.io/dagger\"?"
                    );
                    Err(self.invalid(file, ty.line, what))
                }
            },
            _ => {
                let what = format!("`{shown}` is not a type the API has");
                Err(self.invalid(file, ty.line, what))
            }
        }
    }

    fn declared(
        &mut self,
        file: usize,
        ty: &Type,
        place: Place,
        rest: &[String],
        left: usize,
    ) -> Result<TypeRef, StaticError> {
        let declaration = self.program.declaration(place);
        let name = declaration.name.clone();
        if let Some(role) = self.role(place) {
            let kind = match role {
                Role::Class | Role::Data if rest.is_empty() => TypeKind::Object { name },
                Role::Interface if rest.is_empty() => TypeKind::Interface { name },
                Role::Enum | Role::EnumClass if rest.len() <= 1 => TypeKind::Enum { name },
                _ => {
                    let what = format!("`{name}` has no type `{}`", rest.join("."));
                    return Err(self.invalid(file, ty.line, what));
                }
            };
            self.want(place);
            return Ok(TypeRef::new(kind));
        }
        match &declaration.kind {
            DeclarationKind::Alias(alias) if rest.is_empty() => {
                let alias = alias.clone();
                self.type_within(place.0, &alias, "", left - 1)
            }
            DeclarationKind::Class(_) => {
                let what = format!("class `{name}` is no type of the API: it has no `@object()`");
                Err(self.invalid(file, ty.line, what))
            }
            _ => {
                let what = format!("`{name}` is not a type the API has");
                Err(self.invalid(file, ty.line, what))
            }
        }
    }

    /// What a declaration is to the API; `None` if nothing by itself.
    pub(super) fn role(&self, place: Place) -> Option<Role> {
        let declaration = self.program.declaration(place);
        match &declaration.kind {
            DeclarationKind::Class(class) => {
                let has = |name| {
                    let found = self.program.decorated(place.0, &class.decorators, name);
                    found.is_some()
                };
                if has("object") {
                    Some(Role::Class)
                } else {
                    has("enumType").then_some(Role::EnumClass)
                }
            }
            DeclarationKind::Enum(_) => Some(Role::Enum),
            DeclarationKind::Interface(members, extends) => {
                let only_data = extends.is_empty() && is_data(members);
                Some(if only_data {
                    Role::Data
                } else {
                    Role::Interface
                })
            }
            DeclarationKind::Alias(alias) => match &alias.kind {
                Written::Object(members) if is_data(members) => Some(Role::Data),
                Written::Object(_) => Some(Role::Interface),
                _ => None,
            },
            _ => None,
        }
    }

    /// The type of a value that has no annotation, where the value tells.
    pub(super) fn type_of(&mut self, file: usize, value: &Expr) -> Option<TypeRef> {
        let kind = match value {
            Expr::Literal(Json::String(_)) => TypeKind::String,
            Expr::Literal(Json::Bool(_)) => TypeKind::Boolean,
            Expr::Literal(Json::Number(number)) if number.is_f64() => TypeKind::Float,
            Expr::Literal(Json::Number(_)) => TypeKind::Integer,
            Expr::Array(elements) => {
                let of = self.type_of(file, elements.first()?)?;
                TypeKind::List { of: Box::new(of) }
            }
            Expr::Path(path) => match self.program.find(file, path) {
                (Named::Sdk(name), [_]) if core::is_enum(&name) => core::kind(&name),
                (Named::Declared(place), rest) => match (self.role(place), rest) {
                    (Some(Role::Enum | Role::EnumClass), [_]) => {
                        self.want(place);
                        let name = self.program.declaration(place).name.clone();
                        TypeKind::Enum { name }
                    }
                    (None, []) => match &self.program.declaration(place).kind {
                        DeclarationKind::Constant(value) if value != &Expr::Path(path.clone()) => {
                            let value = value.clone();
                            return self.type_of(place.0, &value);
                        }
                        _ => return None,
                    },
                    _ => return None,
                },
                _ => return None,
            },
            Expr::New(path) => match self.program.find(file, path) {
                (Named::Declared(place), []) if self.role(place) == Some(Role::Class) => {
                    let name = self.program.declaration(place).name.clone();
                    TypeKind::Object { name }
                }
                _ => return None,
            },
            _ => return None,
        };
        Some(TypeRef::new(kind))
    }

    /// What a value is, if that can be told without running anything.
    pub(super) fn constant(&self, file: usize, value: &Expr) -> Option<Json> {
        self.constant_within(file, value, DEEPEST)
    }

    fn constant_within(&self, file: usize, value: &Expr, left: usize) -> Option<Json> {
        let left = left.checked_sub(1)?;
        match value {
            Expr::Literal(json) => Some(json.clone()),
            Expr::Array(elements) => elements
                .iter()
                .map(|element| self.constant_within(file, element, left))
                .collect(),
            Expr::Path(path) => match self.program.find(file, path) {
                (Named::Sdk(name), [member]) if core::is_enum(&name) => {
                    Some(crate::module::names::enum_member(member).into())
                }
                (Named::Declared(place), [member])
                    if matches!(self.role(place), Some(Role::Enum | Role::EnumClass)) =>
                {
                    Some(member.as_str().into())
                }
                (Named::Declared(place), []) => match &self.program.declaration(place).kind {
                    DeclarationKind::Constant(value) => self.constant_within(place.0, value, left),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        }
    }
}

fn is_data(members: &[Signature]) -> bool {
    let is_field = |member: &Signature| {
        let ty = member.ty.as_ref();
        !member.name.is_empty() && ty.is_some_and(|ty| !matches!(ty.kind, Written::Function(..)))
    };
    !members.is_empty() && members.iter().all(is_field)
}
