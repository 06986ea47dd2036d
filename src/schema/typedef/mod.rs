//! Types as objects of the API: what SDKs register a module with, and what clients read of one.
//!
//! Both ways use the plain descriptions of [`crate::module`]. What an SDK registers has the names of its source; what
//! is read of a loaded module or of the schema has those of the API ([`published`], [`of_table`]).

mod build;
mod read;

use super::{
    api::Api,
    gql::{self, FieldError, Registry, TypeTable, View},
    object::TypeDefValue,
};
use crate::module::{
    Arg, EnumMember, EnumType, Field, Function, InterfaceType, ModuleTypes, ObjectType, TypeKind,
    TypeRef,
};
use serde::{Deserialize, Serialize};

/// What a type definition defines.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub enum Definition {
    /// Nothing yet.
    #[default]
    Unset,
    /// A type without parts of its own, or one that is only named.
    Plain(TypeKind),
    /// A list.
    List(Box<TypeDefValue>),
    /// An object.
    Object(Box<ObjectType>),
    /// An interface.
    Interface(InterfaceType),
    /// An enum.
    Enum(EnumType),
    /// A scalar, and what it is.
    Scalar(String, String),
    /// An input object: name and fields.
    Input(String, Vec<Field>),
}

impl TypeDefValue {
    /// The type by reference, as functions and fields have it.
    fn reference(&self) -> TypeRef {
        let kind = match &self.definition {
            Definition::Unset => TypeKind::Void,
            Definition::Plain(kind) => kind.clone(),
            Definition::List(of) => TypeKind::List {
                of: Box::new(of.reference()),
            },
            Definition::Object(ty) => TypeKind::Object {
                name: ty.name.clone(),
            },
            Definition::Interface(ty) => TypeKind::Interface {
                name: ty.name.clone(),
            },
            Definition::Enum(ty) => TypeKind::Enum {
                name: ty.name.clone(),
            },
            Definition::Scalar(name, _) | Definition::Input(name, _) => {
                TypeKind::Scalar { name: name.clone() }
            }
        };
        TypeRef {
            kind,
            optional: self.optional,
        }
    }

    /// The definition of a type that is only referred to, found in the schema if it is there.
    fn of_reference(ty: &TypeRef, table: &TypeTable) -> Self {
        let definition = match &ty.kind {
            TypeKind::List { of } => Definition::List(Box::new(Self::of_reference(of, table))),
            TypeKind::Object { name } => of_table(table, name).unwrap_or_else(|| {
                Definition::Object(Box::new(ObjectType {
                    name: name.clone(),
                    ..ObjectType::default()
                }))
            }),
            TypeKind::Interface { name } => of_table(table, name).unwrap_or_else(|| {
                Definition::Interface(InterfaceType {
                    name: name.clone(),
                    ..InterfaceType::default()
                })
            }),
            TypeKind::Enum { name } => of_table(table, name).unwrap_or_else(|| {
                Definition::Enum(EnumType {
                    name: name.clone(),
                    ..EnumType::default()
                })
            }),
            TypeKind::Scalar { name } => Definition::Scalar(name.clone(), String::new()),
            plain => Definition::Plain(plain.clone()),
        };
        Self {
            optional: ty.optional,
            definition,
        }
    }

    fn kind(&self) -> &'static str {
        match &self.definition {
            Definition::Unset => "VOID_KIND",
            Definition::List(_) => "LIST_KIND",
            Definition::Object(_) => "OBJECT_KIND",
            Definition::Interface(_) => "INTERFACE_KIND",
            Definition::Enum(_) => "ENUM_KIND",
            Definition::Scalar(..) => "SCALAR_KIND",
            Definition::Input(..) => "INPUT_KIND",
            Definition::Plain(kind) => match kind {
                TypeKind::String => "STRING_KIND",
                TypeKind::Integer => "INTEGER_KIND",
                TypeKind::Float => "FLOAT_KIND",
                TypeKind::Boolean => "BOOLEAN_KIND",
                TypeKind::Void => "VOID_KIND",
                TypeKind::Object { .. } => "OBJECT_KIND",
                TypeKind::Enum { .. } => "ENUM_KIND",
                TypeKind::Interface { .. } => "INTERFACE_KIND",
                TypeKind::Scalar { .. } => "SCALAR_KIND",
                TypeKind::List { .. } => "LIST_KIND",
            },
        }
    }

    fn name(&self) -> String {
        match &self.definition {
            Definition::Object(ty) => ty.name.clone(),
            Definition::Interface(ty) => ty.name.clone(),
            Definition::Enum(ty) => ty.name.clone(),
            Definition::Scalar(name, _) | Definition::Input(name, _) => name.clone(),
            Definition::Plain(kind) => TypeRef::new(kind.clone())
                .named()
                .unwrap_or_default()
                .to_owned(),
            Definition::Unset | Definition::List(_) => String::new(),
        }
    }

    fn object_mut(&mut self, what: &str) -> Result<&mut ObjectType, FieldError> {
        match &mut self.definition {
            Definition::Object(ty) => Ok(ty),
            _ => Err(FieldError::new(format!(
                "cannot add a {what}: the type is no object"
            ))),
        }
    }
}

/// A module's object as clients see it, by the names of the API.
pub(super) fn published(types: &ModuleTypes, object: &ObjectType) -> ObjectType {
    ObjectType {
        name: object.api_name.clone(),
        fields: object
            .fields
            .iter()
            .map(|field| Field {
                name: field.api_name.clone(),
                ty: renamed(types, &field.ty),
                ..field.clone()
            })
            .collect(),
        functions: object
            .functions
            .iter()
            .map(|f| published_function(types, f))
            .collect(),
        constructor: object
            .constructor
            .as_ref()
            .map(|f| published_function(types, f)),
        ..object.clone()
    }
}

/// A module's interface as clients see it.
pub(super) fn published_interface(types: &ModuleTypes, interface: &InterfaceType) -> InterfaceType {
    InterfaceType {
        name: interface.api_name.clone(),
        functions: interface
            .functions
            .iter()
            .map(|f| published_function(types, f))
            .collect(),
        ..interface.clone()
    }
}

/// A module's enum as clients see it.
pub(super) fn published_enum(ty: &EnumType) -> EnumType {
    EnumType {
        name: ty.api_name.clone(),
        members: ty
            .members
            .iter()
            .map(|member| EnumMember {
                name: member.api_name.clone(),
                ..member.clone()
            })
            .collect(),
        ..ty.clone()
    }
}

fn published_function(types: &ModuleTypes, function: &Function) -> Function {
    Function {
        name: function.api_name.clone(),
        args: function
            .args
            .iter()
            .map(|arg| Arg {
                name: arg.api_name.clone(),
                ty: renamed(types, &arg.ty),
                ..arg.clone()
            })
            .collect(),
        returns: renamed(types, &function.returns),
        ..function.clone()
    }
}

fn renamed(types: &ModuleTypes, ty: &TypeRef) -> TypeRef {
    let name = |name: &String| types.api_name(name).unwrap_or(name).to_owned();
    let kind = match &ty.kind {
        TypeKind::Object { name: old } => TypeKind::Object { name: name(old) },
        TypeKind::Enum { name: old } => TypeKind::Enum { name: name(old) },
        TypeKind::Interface { name: old } => TypeKind::Interface { name: name(old) },
        TypeKind::List { of } => TypeKind::List {
            of: Box::new(renamed(types, of)),
        },
        other => other.clone(),
    };
    TypeRef {
        kind,
        optional: ty.optional,
    }
}

/// The definition of a type of the schema.
pub(super) fn of_table(table: &TypeTable, name: &str) -> Option<Definition> {
    let ty = table.get(name)?;
    let description = ty.marks.doc.to_string();
    let name = name.to_owned();
    Some(match &ty.kind {
        gql::TypeKind::Object { fields, .. } => Definition::Object(Box::new(ObjectType {
            name,
            description,
            functions: functions(fields, table),
            ..ObjectType::default()
        })),
        gql::TypeKind::Interface { fields } => Definition::Interface(InterfaceType {
            name,
            description,
            functions: functions(fields, table),
            ..InterfaceType::default()
        }),
        gql::TypeKind::Enum { values } => Definition::Enum(EnumType {
            name,
            description,
            members: values
                .iter()
                .map(|value| EnumMember {
                    name: value.name.to_string(),
                    value: value.name.to_string(),
                    description: value.marks.doc.to_string(),
                    ..EnumMember::default()
                })
                .collect(),
            ..EnumType::default()
        }),
        gql::TypeKind::Input { fields } => Definition::Input(
            name,
            fields
                .iter()
                .map(|field| Field {
                    name: field.name.to_string(),
                    api_name: field.name.to_string(),
                    cli_name: String::new(),
                    description: field.marks.doc.to_string(),
                    ty: reference(&field.ty, field.expected.as_deref(), table),
                    deprecated: None,
                })
                .collect(),
        ),
        gql::TypeKind::Scalar(_) => Definition::Scalar(name, description),
    })
}

fn functions(fields: &[gql::FieldDef], table: &TypeTable) -> Vec<Function> {
    let shown = fields.iter().filter(|field| {
        !field.marks.hidden
            && !field.name.starts_with("__")
            && field.marks.views.contains(View::LATEST)
    });
    shown
        .map(|field| Function {
            name: field.name.to_string(),
            description: field.marks.doc.to_string(),
            returns: reference(&field.ty, field.expected.as_deref(), table),
            deprecated: field.marks.deprecated.as_ref().map(ToString::to_string),
            args: field
                .args
                .iter()
                .filter(|arg| !arg.marks.hidden && arg.marks.views.contains(View::LATEST))
                .map(|arg| Arg {
                    name: arg.name.to_string(),
                    api_name: arg.name.to_string(),
                    cli_name: String::new(),
                    description: arg.marks.doc.to_string(),
                    ty: reference(&arg.ty, arg.expected.as_deref(), table),
                    default: arg.default.clone(),
                    default_path: None,
                    default_address: None,
                    ignore: Vec::new(),
                    deprecated: arg.marks.deprecated.as_ref().map(ToString::to_string),
                })
                .collect(),
            ..Function::default()
        })
        .collect()
}

fn reference(ty: &gql::TypeRef, expected: Option<&str>, table: &TypeTable) -> TypeRef {
    let kind = match ty.nullable() {
        gql::TypeRef::List(of) => TypeKind::List {
            of: Box::new(reference(of, expected, table)),
        },
        named => {
            let name = expected.unwrap_or_else(|| named.name()).to_owned();
            match (name.as_str(), table.get(&name).map(|ty| &ty.kind)) {
                ("String" | "ID", _) => TypeKind::String,
                ("Int", _) => TypeKind::Integer,
                ("Float", _) => TypeKind::Float,
                ("Boolean", _) => TypeKind::Boolean,
                ("Void", _) => TypeKind::Void,
                (_, Some(gql::TypeKind::Object { .. })) => TypeKind::Object { name },
                (_, Some(gql::TypeKind::Interface { .. })) => TypeKind::Interface { name },
                (_, Some(gql::TypeKind::Enum { .. })) => TypeKind::Enum { name },
                _ => TypeKind::Scalar { name },
            }
        }
    };
    TypeRef {
        kind,
        optional: !ty.is_non_null(),
    }
}

/// Declares the types.
pub(super) fn declare(registry: &mut Registry<Api>) {
    kinds(registry);
    build::roots(registry);
    read::type_def(registry);
    build::builders(registry);
    read::function(registry);
    build::function_builders(registry);
    read::argument(registry);
    read::parts(registry);
    read::source_map(registry);
}

fn kinds(registry: &mut Registry<Api>) {
    let mut kind = registry.enumeration("TypeDefKind");
    kind.doc("What kind of type a definition is of.");
    for (name, doc) in [
        ("STRING", "Text."),
        ("INTEGER", "A whole number."),
        ("FLOAT", "A number."),
        ("BOOLEAN", "True or false."),
        ("SCALAR", "Text with a meaning."),
        ("LIST", "A list."),
        ("OBJECT", "An object."),
        ("INTERFACE", "What several objects have in common."),
        ("INPUT", "A structured argument."),
        ("VOID", "Nothing."),
        ("ENUM", "A closed set of values."),
    ] {
        kind.value(format!("{name}_KIND"), doc);
        kind.value(name, doc);
    }
    let mut policy = registry.enumeration("FunctionCachePolicy");
    policy.doc("How long a function's answers are used again.");
    policy
        .value(
            "Default",
            "As long as nothing that it depends on changes, and no longer than its time to live.",
        )
        .value("PerSession", "While the session lasts.")
        .value("Never", "Not at all.");
}
