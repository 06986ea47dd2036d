//! Answers `__schema` and `__type` from the type table.
//!
//! Clients differ in what they ask (the 2021 form, the current one, and code generators' `directives`), and some
//! refuse a schema that is not valid by graphql-core's rules. Views before [`PLAIN_ID_SINCE`] see a scalar `FooID`
//! per object and no interfaces; later ones see `ID` with `@expectedType`. Everything else is the same for all.

use serde_json::Value;

use super::error::SchemaError;
use super::parser::{parse_argument, parse_type};
use super::table::{
    Action, Applied, ArgDef, Current, DirectiveDef, EnumValueDef, FieldDef, Marks, PLAIN_ID_SINCE,
    Text, TypeDef, TypeKind, TypeRef, TypeTable,
};
use super::value::{Args, Resolved};
use super::view::View;

/// Name, type and argument.
type MetaField = (&'static str, &'static str, &'static str);

/// The types of introspection: name, then fields with type and argument.
const TYPES: &[(&str, &[MetaField])] = &[
    (
        "__Schema",
        &[
            ("description", "String", ""),
            ("types", "[__Type!]!", ""),
            ("queryType", "__Type!", ""),
            ("mutationType", "__Type", ""),
            ("subscriptionType", "__Type", ""),
            ("directives", "[__Directive!]!", ""),
        ],
    ),
    (
        "__Type",
        &[
            ("kind", "__TypeKind!", ""),
            ("name", "String", ""),
            ("description", "String", ""),
            ("specifiedByURL", "String", ""),
            ("fields", "[__Field!]", "includeDeprecated: Boolean = false"),
            ("interfaces", "[__Type!]", ""),
            ("possibleTypes", "[__Type!]", ""),
            (
                "enumValues",
                "[__EnumValue!]",
                "includeDeprecated: Boolean = false",
            ),
            // Clients of the 2021 form do not ask for deprecated arguments, yet use them.
            (
                "inputFields",
                "[__InputValue!]",
                "includeDeprecated: Boolean = true",
            ),
            ("ofType", "__Type", ""),
            ("isOneOf", "Boolean", ""),
            ("directives", "[_DirectiveApplication!]!", ""),
        ],
    ),
    (
        "__Field",
        &[
            ("name", "String!", ""),
            ("description", "String", ""),
            (
                "args",
                "[__InputValue!]!",
                "includeDeprecated: Boolean = true",
            ),
            ("type", "__Type!", ""),
            ("isDeprecated", "Boolean!", ""),
            ("deprecationReason", "String", ""),
            ("directives", "[_DirectiveApplication!]!", ""),
        ],
    ),
    (
        "__InputValue",
        &[
            ("name", "String!", ""),
            ("description", "String", ""),
            ("type", "__Type!", ""),
            ("defaultValue", "String", ""),
            ("isDeprecated", "Boolean!", ""),
            ("deprecationReason", "String", ""),
            ("directives", "[_DirectiveApplication!]!", ""),
        ],
    ),
    (
        "__EnumValue",
        &[
            ("name", "String!", ""),
            ("description", "String", ""),
            ("isDeprecated", "Boolean!", ""),
            ("deprecationReason", "String", ""),
            ("directives", "[_DirectiveApplication!]!", ""),
        ],
    ),
    (
        "__Directive",
        &[
            ("name", "String!", ""),
            ("description", "String", ""),
            ("isRepeatable", "Boolean!", ""),
            ("locations", "[__DirectiveLocation!]!", ""),
            (
                "args",
                "[__InputValue!]!",
                "includeDeprecated: Boolean = true",
            ),
        ],
    ),
    (
        "_DirectiveApplication",
        &[
            ("name", "String!", ""),
            ("args", "[_DirectiveApplicationArg!]!", ""),
        ],
    ),
    (
        "_DirectiveApplicationArg",
        &[("name", "String!", ""), ("value", "String", "")],
    ),
];

const KINDS: &[&str] = &[
    "SCALAR",
    "OBJECT",
    "INTERFACE",
    "UNION",
    "ENUM",
    "INPUT_OBJECT",
    "LIST",
    "NON_NULL",
];

const LOCATIONS: &[&str] = &[
    "QUERY",
    "MUTATION",
    "SUBSCRIPTION",
    "FIELD",
    "FRAGMENT_DEFINITION",
    "FRAGMENT_SPREAD",
    "INLINE_FRAGMENT",
    "VARIABLE_DEFINITION",
    "SCHEMA",
    "SCALAR",
    "OBJECT",
    "FIELD_DEFINITION",
    "ARGUMENT_DEFINITION",
    "INTERFACE",
    "UNION",
    "ENUM",
    "ENUM_VALUE",
    "INPUT_OBJECT",
    "INPUT_FIELD_DEFINITION",
];

/// Something introspection talks about.
#[derive(Clone, Debug)]
pub(crate) enum Meta<'s> {
    Schema,
    Type(&'s TypeDef),
    /// The scalar an old view has for ids of this object.
    IdScalar(&'s TypeDef),
    /// A list or non-null type.
    Wrapped(TypeRef),
    Field(&'s TypeDef, &'s FieldDef),
    Arg(&'s ArgDef),
    /// With another spelling, if it is not listed by its name.
    EnumValue(&'s EnumValueDef, Option<&'s Text>),
    Directive(&'s DirectiveDef),
    Applied(Applied),
    AppliedArg(Text, String),
}

type Answer<'s> = Resolved<Meta<'s>>;

/// Adds the types of introspection, and the two fields that lead to them.
pub(crate) fn declare(table: &mut TypeTable, problems: &mut Vec<SchemaError>) {
    for (name, fields) in TYPES {
        let fields = fields
            .iter()
            .map(|(name, ty, arg)| meta_field(name, ty, arg))
            .collect();
        push(
            table,
            name,
            TypeKind::Object {
                fields,
                idable: false,
            },
        );
    }
    for (name, values) in [("__TypeKind", KINDS), ("__DirectiveLocation", LOCATIONS)] {
        let value = |name: &&'static str| EnumValueDef {
            name: Text::Borrowed(name),
            legacy: Vec::new(),
            marks: Marks::default(),
        };
        push(
            table,
            name,
            TypeKind::Enum {
                values: values.iter().map(value).collect(),
            },
        );
    }
    let query = table.types.iter_mut().find(|ty| ty.name == "Query");
    let Some(TypeDef {
        kind: TypeKind::Object { fields, .. },
        ..
    }) = query
    else {
        let why = "must be an object".to_owned();
        problems.push(SchemaError::Invalid {
            place: "Query".to_owned(),
            why,
        });
        return;
    };
    fields.push(meta_field("__schema", "__Schema!", ""));
    fields.push(meta_field("__type", "__Type", "name: String!"));
}

fn push(table: &mut TypeTable, name: &'static str, kind: TypeKind) {
    table.types.push(TypeDef {
        name: name.into(),
        kind,
        marks: Marks {
            doc: "Part of introspection.".into(),
            ..Marks::default()
        },
        related: Vec::new(),
        by_name: Default::default(),
    });
}

fn meta_field(name: &'static str, ty: &str, arg: &str) -> FieldDef {
    let arg = (!arg.is_empty()).then(|| {
        let (name, ty, default) = parse_argument(arg).expect("written above");
        ArgDef {
            name: name.into(),
            ty,
            expected: None,
            default_text: default.map(|(text, _)| text.into()),
            default: None,
            current: Current::default(),
            marks: Marks::default(),
        }
    });
    FieldDef {
        name: name.into(),
        args: arg.into_iter().collect(),
        ty: parse_type(ty).expect("written above"),
        expected: None,
        marks: Marks {
            hidden: name.starts_with("__"),
            ..Marks::default()
        },
        action: Action::Meta,
    }
}

/// `__schema` and `__type` of the root.
pub(crate) fn root<'s>(table: &'s TypeTable, name: &str, args: &Args) -> Answer<'s> {
    match name {
        "__schema" => Resolved::Object(Meta::Schema),
        _ => args
            .str("name")
            .map_or(Resolved::Null, |name| find(table, name)),
    }
}

fn find<'s>(table: &'s TypeTable, name: &str) -> Answer<'s> {
    if let Some(ty) = table.get(name) {
        return Resolved::Object(Meta::Type(ty));
    }
    let object = name.strip_suffix("ID").and_then(|name| table.get(name));
    Resolved::optional(object.filter(|ty| ty.is_idable()).map(Meta::IdScalar))
}

/// One field of one thing.
pub(crate) fn field<'s>(
    table: &'s TypeTable,
    view: View,
    of: &Meta<'s>,
    name: &str,
    args: &Args,
) -> Answer<'s> {
    let look = Look {
        table,
        view,
        deprecated: args.flag("includeDeprecated"),
    };
    match of {
        Meta::Schema => look.schema(name),
        Meta::Type(ty) => look.ty(ty, name),
        Meta::IdScalar(ty) => look.id_scalar(ty, name),
        Meta::Wrapped(ty) => look.wrapped(ty, name),
        Meta::Field(owner, def) => look.field(owner, def, name),
        Meta::Arg(def) => look.arg(def, name),
        Meta::EnumValue(def, spelling) => look.enum_value(def, *spelling, name),
        Meta::Directive(def) => look.directive(def, name),
        Meta::Applied(applied) => match name {
            "name" => text(&applied.name),
            _ => list(
                applied
                    .args
                    .iter()
                    .cloned()
                    .map(|(name, value)| Meta::AppliedArg(name, value)),
            ),
        },
        Meta::AppliedArg(arg, value) => text(if name == "name" { arg } else { value }),
    }
}

fn text<'s>(text: &str) -> Answer<'s> {
    Resolved::Value(Value::from(text))
}

fn optional_text<'s>(value: &str) -> Answer<'s> {
    if value.is_empty() {
        Resolved::Null
    } else {
        text(value)
    }
}

fn list<'s>(items: impl IntoIterator<Item = Meta<'s>>) -> Answer<'s> {
    Resolved::List(items.into_iter().map(Resolved::Object).collect())
}

/// What marks answer in the same way for every kind of declaration.
fn marked<'s>(marks: &Marks, expected: Option<&Text>, name: &str) -> Answer<'s> {
    match name {
        "description" => optional_text(&marks.doc),
        "isDeprecated" => Resolved::from(marks.deprecated.is_some()),
        "deprecationReason" => marks.deprecated.as_deref().map_or(Resolved::Null, text),
        "directives" => list(applications(marks, expected).into_iter().map(Meta::Applied)),
        _ => Resolved::Null,
    }
}

/// Every directive on a declaration, also those that have a mark of their own.
pub(crate) fn applications(marks: &Marks, expected: Option<&Text>) -> Vec<Applied> {
    let quoted = |name: &'static str, arg: &'static str, value: &str| Applied {
        name: name.into(),
        args: vec![(arg.into(), Value::from(value).to_string())],
    };
    let deprecated = marks
        .deprecated
        .as_deref()
        .map(|why| quoted("deprecated", "reason", why));
    let experimental = marks
        .experimental
        .as_deref()
        .map(|why| quoted("experimental", "reason", why));
    let expected = expected.map(|object| quoted("expectedType", "name", object));
    let own = [deprecated, experimental, expected].into_iter().flatten();
    own.chain(marks.directives.iter().cloned()).collect()
}

/// The type as `view` shows it.
pub(crate) fn shown(
    table: &TypeTable,
    view: View,
    ty: &TypeRef,
    expected: Option<&Text>,
) -> TypeRef {
    match expected {
        Some(object)
            if view < PLAIN_ID_SINCE && table.get(object).is_some_and(TypeDef::is_idable) =>
        {
            ty.renamed(format!("{object}ID"))
        }
        _ => ty.clone(),
    }
}

#[derive(Clone, Copy)]
struct Look<'s> {
    table: &'s TypeTable,
    view: View,
    deprecated: bool,
}

impl<'s> Look<'s> {
    fn visible(self, marks: &Marks) -> bool {
        let wanted = self.deprecated || marks.deprecated.is_none();
        wanted && !marks.hidden && marks.views.contains(self.view)
    }

    fn old(self) -> bool {
        self.view < PLAIN_ID_SINCE
    }

    fn args(self, args: &'s [ArgDef]) -> Answer<'s> {
        list(
            args.iter()
                .filter(|arg| self.visible(&arg.marks))
                .map(Meta::Arg),
        )
    }

    fn reference(self, ty: TypeRef) -> Answer<'s> {
        match ty {
            TypeRef::Named(name) => find(self.table, &name),
            wrapped => Resolved::Object(Meta::Wrapped(wrapped)),
        }
    }

    fn schema(self, name: &str) -> Answer<'s> {
        match name {
            "types" => {
                let all = self.table.types.iter().map(Meta::Type);
                let idable = self
                    .table
                    .types
                    .iter()
                    .filter(|ty| self.old() && ty.is_idable());
                list(all.chain(idable.map(Meta::IdScalar)))
            }
            "queryType" => find(self.table, "Query"),
            "directives" => list(self.table.directives.iter().map(Meta::Directive)),
            _ => Resolved::Null,
        }
    }

    fn ty(self, ty: &'s TypeDef, name: &str) -> Answer<'s> {
        match name {
            "kind" => text(match ty.kind {
                TypeKind::Scalar(_) => "SCALAR",
                TypeKind::Object { .. } => "OBJECT",
                TypeKind::Interface { .. } => "INTERFACE",
                TypeKind::Enum { .. } => "ENUM",
                TypeKind::Input { .. } => "INPUT_OBJECT",
            }),
            "name" => text(&ty.name),
            "fields" if ty.is_composite() => {
                let fields = ty
                    .fields()
                    .iter()
                    .filter(|field| self.visible(&field.marks));
                list(fields.map(|field| Meta::Field(ty, field)))
            }
            "interfaces" if ty.is_composite() => {
                let implements = matches!(ty.kind, TypeKind::Object { .. }) && !self.old();
                list(self.related(ty, implements))
            }
            "possibleTypes" if matches!(ty.kind, TypeKind::Interface { .. }) => {
                list(self.related(ty, !self.old()))
            }
            "enumValues" => match &ty.kind {
                TypeKind::Enum { values } => list(self.enum_values(values)),
                _ => Resolved::Null,
            },
            "inputFields" => match &ty.kind {
                TypeKind::Input { fields } => self.args(fields),
                _ => Resolved::Null,
            },
            "isOneOf" => match &ty.kind {
                TypeKind::Input { .. } => Resolved::from(false),
                _ => Resolved::Null,
            },
            other => marked(&ty.marks, None, other),
        }
    }

    fn related(self, ty: &'s TypeDef, any: bool) -> impl Iterator<Item = Meta<'s>> {
        let names = if any { ty.related.as_slice() } else { &[] };
        names
            .iter()
            .filter_map(move |name| self.table.get(name))
            .map(Meta::Type)
    }

    /// Each value, followed by its other spellings: clients look names up before they send them.
    fn enum_values(self, values: &'s [EnumValueDef]) -> impl Iterator<Item = Meta<'s>> {
        values
            .iter()
            .filter(move |value| self.visible(&value.marks))
            .flat_map(move |value| {
                let spellings = value.legacy.iter().filter(move |_| self.deprecated);
                let spellings = spellings.map(move |(name, _)| Meta::EnumValue(value, Some(name)));
                std::iter::once(Meta::EnumValue(value, None)).chain(spellings)
            })
    }

    fn id_scalar(self, ty: &'s TypeDef, name: &str) -> Answer<'s> {
        match name {
            "kind" => text("SCALAR"),
            "name" => text(&format!("{}ID", ty.name)),
            "description" => text(&format!("Names an object of type {}.", ty.name)),
            "directives" => Resolved::List(Vec::new()),
            _ => Resolved::Null,
        }
    }

    fn wrapped(self, ty: &TypeRef, name: &str) -> Answer<'s> {
        match (name, ty) {
            ("kind", TypeRef::List(_)) => text("LIST"),
            ("kind", _) => text("NON_NULL"),
            ("ofType", TypeRef::List(inner) | TypeRef::NonNull(inner)) => {
                self.reference((**inner).clone())
            }
            ("directives", _) => Resolved::List(Vec::new()),
            _ => Resolved::Null,
        }
    }

    fn field(self, owner: &'s TypeDef, def: &'s FieldDef, name: &str) -> Answer<'s> {
        match name {
            "name" => text(&def.name),
            "args" => self.args(&def.args),
            "type" => {
                let own = (def.action == Action::Id).then_some(&owner.name);
                let expected = def.expected.as_ref().or(own);
                self.reference(shown(self.table, self.view, &def.ty, expected))
            }
            other => marked(&def.marks, def.expected.as_ref(), other),
        }
    }

    fn arg(self, def: &'s ArgDef, name: &str) -> Answer<'s> {
        match name {
            "name" => text(&def.name),
            "type" => self.reference(shown(self.table, self.view, &def.ty, def.expected.as_ref())),
            "defaultValue" => def.default_text.as_deref().map_or(Resolved::Null, text),
            other => marked(&def.marks, def.expected.as_ref(), other),
        }
    }

    fn enum_value(self, def: &'s EnumValueDef, spelling: Option<&Text>, name: &str) -> Answer<'s> {
        match (name, spelling) {
            ("name", _) => text(spelling.unwrap_or(&def.name)),
            ("isDeprecated", Some(_)) => Resolved::from(true),
            ("deprecationReason", Some(_)) => text(&format!("Use {}.", def.name)),
            ("directives", Some(_)) => {
                let value = Value::from(&*def.name).to_string();
                let args = vec![("value".into(), value)];
                list([Meta::Applied(Applied {
                    name: "enumValue".into(),
                    args,
                })])
            }
            _ => marked(&def.marks, None, name),
        }
    }

    fn directive(self, def: &'s DirectiveDef, name: &str) -> Answer<'s> {
        match name {
            "name" => text(&def.name),
            "description" => optional_text(&def.doc),
            "isRepeatable" => Resolved::from(false),
            "locations" => Resolved::from(
                def.locations
                    .iter()
                    .map(ToString::to_string)
                    .collect::<Vec<_>>(),
            ),
            "args" => self.args(&def.args),
            _ => Resolved::Null,
        }
    }
}
