//! The two ways to read a [`Schema`].

use super::{Argument, EnumValue, Field, Kind, Ref, Schema, Type, TypeRef};
use crate::schema::gql::{self, TypeTable, View};
use serde_json::Value as Json;
use std::collections::BTreeMap;

/// Reads an introspection answer.
pub(super) fn introspection(answer: &Json) -> Result<Schema, String> {
    let root = answer.get("data").unwrap_or(answer);
    let root = root.get("__schema").unwrap_or(root);
    let list = root
        .get("types")
        .and_then(Json::as_array)
        .ok_or("an introspection answer has a list `types`")?;
    let composite: Vec<&str> = list
        .iter()
        .filter(|ty| matches!(text(ty, "kind"), "OBJECT" | "INTERFACE"))
        .map(|ty| text(ty, "name"))
        .collect();
    let reader = Answer { composite };
    let mut types = BTreeMap::new();
    for ty in list {
        let name = text(ty, "name");
        if name.starts_with("__") || name.starts_with("_D") || reader.object_of(name).is_some() {
            continue;
        }
        types.insert(name.to_owned(), reader.definition(ty)?);
    }
    Ok(Schema { types })
}

fn text<'a>(json: &'a Json, key: &str) -> &'a str {
    json.get(key).and_then(Json::as_str).unwrap_or_default()
}

fn elements<'a>(json: &'a Json, key: &str) -> &'a [Json] {
    json.get(key)
        .and_then(Json::as_array)
        .map_or(&[], Vec::as_slice)
}

/// Value of an argument of a directive put on a declaration.
fn directive(json: &Json, name: &str, arg: &str) -> Option<String> {
    let applied = elements(json, "directives")
        .iter()
        .find(|directive| text(directive, "name") == name)?;
    let arg = elements(applied, "args")
        .iter()
        .find(|known| text(known, "name") == arg)?;
    let literal = text(arg, "value");
    Some(serde_json::from_str(literal).unwrap_or_else(|_| literal.to_owned()))
}

fn deprecated(json: &Json) -> Option<String> {
    let is = json.get("isDeprecated").and_then(Json::as_bool);
    let reason = json.get("deprecationReason").and_then(Json::as_str);
    match (reason, is) {
        (Some(reason), _) => Some(reason.to_owned()),
        (None, Some(true)) => Some(directive(json, "deprecated", "reason").unwrap_or_default()),
        (None, _) => directive(json, "deprecated", "reason"),
    }
}

/// An answer under reading.
struct Answer<'a> {
    /// Names of objects and interfaces.
    composite: Vec<&'a str>,
}

impl Answer<'_> {
    /// The type whose ids a scalar stands for.
    fn object_of<'n>(&self, scalar: &'n str) -> Option<&'n str> {
        scalar
            .strip_suffix("ID")
            .filter(|object| self.composite.contains(object))
    }

    fn definition(&self, ty: &Json) -> Result<Type, String> {
        let fields = || {
            elements(ty, "fields")
                .iter()
                .map(|field| self.field(field))
                .collect::<Result<Vec<_>, _>>()
        };
        let kind = match text(ty, "kind") {
            "OBJECT" => Kind::Object(fields()?),
            "INTERFACE" => Kind::Interface(fields()?),
            "ENUM" => Kind::Enum(elements(ty, "enumValues").iter().map(enum_value).collect()),
            "INPUT_OBJECT" => Kind::Input(self.arguments(elements(ty, "inputFields"))?),
            _ => Kind::Scalar,
        };
        Ok(Type {
            name: text(ty, "name").to_owned(),
            description: text(ty, "description").to_owned(),
            kind,
        })
    }

    fn field(&self, field: &Json) -> Result<Field, String> {
        Ok(Field {
            name: text(field, "name").to_owned(),
            description: text(field, "description").to_owned(),
            args: self.arguments(elements(field, "args"))?,
            ty: self.type_ref(field)?,
            deprecated: deprecated(field),
            experimental: directive(field, "experimental", "reason"),
        })
    }

    fn arguments(&self, args: &[Json]) -> Result<Vec<Argument>, String> {
        args.iter()
            .map(|arg| {
                Ok(Argument {
                    name: text(arg, "name").to_owned(),
                    description: text(arg, "description").to_owned(),
                    ty: self.type_ref(arg)?,
                    default: arg
                        .get("defaultValue")
                        .and_then(Json::as_str)
                        .map(str::to_owned),
                    deprecated: deprecated(arg),
                })
            })
            .collect()
    }

    /// The type of a field or argument, which may carry `@expectedType`.
    fn type_ref(&self, carrier: &Json) -> Result<TypeRef, String> {
        let ty = carrier
            .get("type")
            .ok_or_else(|| format!("`{}` has no type", text(carrier, "name")))?;
        self.referred(ty, directive(carrier, "expectedType", "name").as_deref())
    }

    fn referred(&self, ty: &Json, expected: Option<&str>) -> Result<TypeRef, String> {
        let inner = || {
            let of = ty.get("ofType").filter(|of| of.is_object());
            self.referred(of.ok_or("a type is nested too deeply")?, expected)
        };
        Ok(match text(ty, "kind") {
            "NON_NULL" => TypeRef {
                nullable: false,
                ..inner()?
            },
            "LIST" => TypeRef {
                of: Ref::List(Box::new(inner()?)),
                nullable: true,
            },
            _ => TypeRef {
                of: reference(text(ty, "name"), expected, |name| self.object_of(name)),
                nullable: true,
            },
        })
    }
}

/// A named type, or the id of one.
fn reference<'n>(
    name: &'n str,
    expected: Option<&str>,
    object_of: impl Fn(&'n str) -> Option<&'n str>,
) -> Ref {
    match (name, expected, object_of(name)) {
        ("ID", Some(expected), _) => Ref::Id(expected.to_owned()),
        (_, _, Some(object)) => Ref::Id(object.to_owned()),
        _ => Ref::Named(name.to_owned()),
    }
}

fn enum_value(value: &Json) -> EnumValue {
    EnumValue {
        name: text(value, "name").to_owned(),
        description: text(value, "description").to_owned(),
        deprecated: deprecated(value),
    }
}

/// Reads a type table as a view shows it, without what only older clients write.
pub(super) fn table(table: &TypeTable, view: View) -> Schema {
    let shown = |marks: &gql::Marks| !marks.hidden && marks.views.contains(view);
    let arguments = |args: &[gql::ArgDef]| -> Vec<Argument> {
        args.iter()
            .filter(|arg| shown(&arg.marks) && arg.current != gql::Current::Gone)
            .map(argument)
            .collect()
    };
    let fields = |fields: &[gql::FieldDef]| -> Vec<Field> {
        fields
            .iter()
            .filter(|field| {
                // Clients have their own way to load objects.
                shown(&field.marks) && !field.name.starts_with("__") && !field.is_load()
            })
            .map(|field| Field {
                name: field.name.to_string(),
                description: field.marks.doc.to_string(),
                args: arguments(&field.args),
                ty: table_ref(&field.ty, field.expected.as_deref()),
                deprecated: field.marks.deprecated.as_deref().map(str::to_owned),
                experimental: field.marks.experimental.as_deref().map(str::to_owned),
            })
            .collect()
    };
    let listed = |ty: &&gql::TypeDef| {
        !ty.name.starts_with("__") && !ty.name.starts_with("_D") && shown(&ty.marks)
    };
    let types = table.types().iter().filter(listed).map(|ty| {
        let kind = match &ty.kind {
            gql::TypeKind::Scalar(_) => Kind::Scalar,
            gql::TypeKind::Object { fields: own, .. } => Kind::Object(fields(own)),
            gql::TypeKind::Interface { fields: own } => Kind::Interface(fields(own)),
            gql::TypeKind::Enum { values } => Kind::Enum(
                values
                    .iter()
                    .filter(|value| shown(&value.marks))
                    .map(|value| EnumValue {
                        name: value.name.to_string(),
                        description: value.marks.doc.to_string(),
                        deprecated: value.marks.deprecated.as_deref().map(str::to_owned),
                    })
                    .collect(),
            ),
            gql::TypeKind::Input { fields } => Kind::Input(arguments(fields)),
        };
        let name = ty.name.to_string();
        let ty = Type {
            name: name.clone(),
            description: ty.marks.doc.to_string(),
            kind,
        };
        (name, ty)
    });
    Schema {
        types: types.collect(),
    }
}

/// An argument as newer clients have it.
fn argument(arg: &gql::ArgDef) -> Argument {
    let declared = table_ref(&arg.ty, arg.expected.as_deref());
    let default = arg.default_text.as_deref().map(str::to_owned);
    let (ty, default) = match &arg.current {
        gql::Current::Required => (
            TypeRef {
                nullable: false,
                ..declared
            },
            None,
        ),
        gql::Current::Default(default) => (declared, Some(default.to_string())),
        gql::Current::AsDeclared | gql::Current::Gone => (declared, default),
    };
    Argument {
        name: arg.name.to_string(),
        description: arg.marks.doc.to_string(),
        ty,
        default,
        deprecated: arg.marks.deprecated.as_deref().map(str::to_owned),
    }
}

fn table_ref(ty: &gql::TypeRef, expected: Option<&str>) -> TypeRef {
    match ty {
        gql::TypeRef::NonNull(inner) => TypeRef {
            nullable: false,
            ..table_ref(inner, expected)
        },
        gql::TypeRef::List(inner) => TypeRef {
            of: Ref::List(Box::new(table_ref(inner, expected))),
            nullable: true,
        },
        gql::TypeRef::Named(name) => TypeRef {
            of: reference(name, expected, |_| None),
            nullable: true,
        },
    }
}
