//! A schema as generators of clients want it.
//!
//! Main type: [`Schema`]: types by name with documentation, defaults and deprecations, ids resolved to the
//! type they name. Read from an introspection answer ([`Schema::from_introspection`]) or from the type
//! table of a session ([`Schema::from_table`]), which give the same.

use crate::schema::gql::{TypeTable, View};
use serde_json::Value as Json;
use std::collections::BTreeMap;

mod read;

/// The types a client can be made for, by name; introspection's own are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Schema {
    /// Types by name.
    pub types: BTreeMap<String, Type>,
}

/// A type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// Name.
    pub name: String,
    /// Documentation; may be empty.
    pub description: String,
    /// What it is.
    pub kind: Kind,
}

/// What a [`Type`] is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Something with fields.
    Object(Vec<Field>),
    /// What several objects have in common.
    Interface(Vec<Field>),
    /// A closed set of values.
    Enum(Vec<EnumValue>),
    /// A structured argument.
    Input(Vec<Argument>),
    /// A text with a meaning of its own, or one of the built-in scalars.
    Scalar,
}

/// A field of an object or interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Name.
    pub name: String,
    /// Documentation; may be empty.
    pub description: String,
    /// Arguments in order.
    pub args: Vec<Argument>,
    /// Type of the answer.
    pub ty: TypeRef,
    /// Why not to use it any more.
    pub deprecated: Option<String>,
    /// Why not to rely on it yet.
    pub experimental: Option<String>,
}

/// An argument of a field, or a field of an input type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argument {
    /// Name.
    pub name: String,
    /// Documentation; may be empty.
    pub description: String,
    /// Type.
    pub ty: TypeRef,
    /// Value when none is given, in GraphQL's literal syntax.
    pub default: Option<String>,
    /// Why not to use it any more.
    pub deprecated: Option<String>,
}

impl Argument {
    /// Whether it must be given.
    pub fn is_required(&self) -> bool {
        !self.ty.nullable && self.default.is_none()
    }
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValue {
    /// Name.
    pub name: String,
    /// Documentation; may be empty.
    pub description: String,
    /// Why not to use it any more.
    pub deprecated: Option<String>,
}

/// A type as a field or argument refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeRef {
    /// What it refers to.
    pub of: Ref,
    /// Whether null is a value too.
    pub nullable: bool,
}

/// What a [`TypeRef`] refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ref {
    /// A type by its name.
    Named(String),
    /// The id of an object or interface of this name.
    Id(String),
    /// A list.
    List(Box<TypeRef>),
}

impl TypeRef {
    /// The name inside of any lists.
    pub fn name(&self) -> &str {
        match &self.of {
            Ref::Named(name) | Ref::Id(name) => name,
            Ref::List(of) => of.name(),
        }
    }
}

impl Schema {
    /// Reads an introspection answer, with or without the `data` and `__schema` around it.
    ///
    /// Both ways to write ids are understood: `ID` with `@expectedType`, and a scalar for each type.
    ///
    /// # Errors
    /// What is missing.
    pub fn from_introspection(answer: &Json) -> Result<Self, String> {
        read::introspection(answer)
    }

    /// Reads a type table as a view shows it.
    pub fn from_table(table: &TypeTable, view: View) -> Self {
        read::table(table, view)
    }

    /// The type of this name.
    pub fn get(&self, name: &str) -> Option<&Type> {
        self.types.get(name)
    }

    /// Fields of the object or interface of this name; empty if there is none.
    pub fn fields(&self, name: &str) -> &[Field] {
        match self.get(name).map(|ty| &ty.kind) {
            Some(Kind::Object(fields) | Kind::Interface(fields)) => fields,
            _ => &[],
        }
    }

    /// Whether the name is that of an object or interface.
    pub fn is_composite(&self, name: &str) -> bool {
        matches!(
            self.get(name).map(|ty| &ty.kind),
            Some(Kind::Object(_) | Kind::Interface(_))
        )
    }

    /// What this schema has beyond another: whole types, and fields of types that both have.
    ///
    /// With the core as the other it is what modules add.
    #[must_use]
    pub fn beyond(&self, core: &Self) -> Self {
        let mut types = BTreeMap::new();
        for (name, ty) in &self.types {
            let Some(known) = core.get(name) else {
                types.insert(name.clone(), ty.clone());
                continue;
            };
            let (Kind::Object(known) | Kind::Interface(known)) = &known.kind else {
                continue;
            };
            let added = |fields: &[Field]| -> Vec<Field> {
                let is_new = |field: &&Field| !known.iter().any(|k| k.name == field.name);
                fields.iter().filter(is_new).cloned().collect()
            };
            let kind = match &ty.kind {
                Kind::Object(fields) => Kind::Object(added(fields)),
                Kind::Interface(fields) => Kind::Interface(added(fields)),
                _ => continue,
            };
            if !matches!(&kind, Kind::Object(fields) | Kind::Interface(fields) if fields.is_empty())
            {
                types.insert(name.clone(), Type { kind, ..ty.clone() });
            }
        }
        Self { types }
    }
}

#[cfg(test)]
mod tests;
