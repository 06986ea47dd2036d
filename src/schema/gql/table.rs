//! The type table: every type, field and argument of the API as plain data.
//!
//! Validation, introspection and documentation read it; it holds no resolver and no request state.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;

use serde_json::Value;

use super::view::{View, ViewRange};

/// Text that is usually a literal of the program, sometimes made by a module.
pub type Text = Cow<'static, str>;

/// First view in which ids are plain `ID`; before it each object has a scalar of its own.
pub(crate) const PLAIN_ID_SINCE: View = View::new(0, 22, 0);

/// A type as a field or argument refers to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TypeRef {
    /// A named type, nullable.
    Named(Text),
    /// A list, nullable.
    List(Box<Self>),
    /// Never null.
    NonNull(Box<Self>),
}

impl TypeRef {
    /// The name inside all wrappers.
    pub fn name(&self) -> &str {
        match self {
            Self::Named(name) => name,
            Self::List(inner) | Self::NonNull(inner) => inner.name(),
        }
    }

    /// Whether null is refused.
    pub fn is_non_null(&self) -> bool {
        matches!(self, Self::NonNull(_))
    }

    /// The type without an outer non-null mark.
    pub fn nullable(&self) -> &Self {
        match self {
            Self::NonNull(inner) => inner,
            other => other,
        }
    }

    /// The same wrappers around another name.
    #[must_use]
    pub fn renamed(&self, name: impl Into<Text>) -> Self {
        match self {
            Self::Named(_) => Self::Named(name.into()),
            Self::List(inner) => Self::List(Box::new(inner.renamed(name))),
            Self::NonNull(inner) => Self::NonNull(Box::new(inner.renamed(name))),
        }
    }
}

impl fmt::Display for TypeRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::List(inner) => write!(f, "[{inner}]"),
            Self::NonNull(inner) => write!(f, "{inner}!"),
        }
    }
}

/// A directive put on a declaration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Name without `@`.
    pub name: Text,
    /// Arguments; values in GraphQL literal syntax.
    pub args: Vec<(Text, String)>,
}

/// What every declaration may carry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// What it is for.
    pub doc: Text,
    /// Why not to use it any more.
    pub deprecated: Option<Text>,
    /// Why not to rely on it yet.
    pub experimental: Option<Text>,
    /// Accepted but not shown in introspection.
    pub hidden: bool,
    /// The views that have it.
    pub views: ViewRange,
    /// Other directives.
    pub directives: Vec<Applied>,
}

/// An argument or a field of an input object.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgDef {
    /// Name as clients write it.
    pub name: Text,
    /// Type; ids are `ID`.
    pub ty: TypeRef,
    /// For ids: the object they must name.
    pub expected: Option<Text>,
    /// The default as written in the declaration.
    pub default_text: Option<Text>,
    /// The default, coerced.
    pub default: Option<Value>,
    /// How generated clients have it.
    pub current: Current,
    /// Documentation, views and the like.
    pub marks: Marks,
}

/// How generated clients have an argument that is accepted in older forms as well.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Current {
    /// As it is declared.
    #[default]
    AsDeclared,
    /// It must be given; older clients give another one.
    Required,
    /// With this default; older clients mean something else by leaving it out.
    Default(Text),
    /// Not at all: it is an older form of another one.
    Gone,
}

/// How a field is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// Only promised, by an interface.
    Abstract,
    /// The resolver with this number.
    User(usize),
    /// The object's own id.
    Id,
    /// Any object by id.
    Node,
    /// An object of the field's type by id.
    Load,
    /// The active view.
    SchemaVersion,
    /// Part of introspection.
    Meta,
}

/// A field of an object or interface.
#[derive(Clone, Debug, PartialEq)]
pub struct FieldDef {
    /// Name as clients write it.
    pub name: Text,
    /// Arguments in order.
    pub args: Vec<ArgDef>,
    /// Type; ids are `ID`.
    pub ty: TypeRef,
    /// For ids: the object they name.
    pub expected: Option<Text>,
    /// Documentation, views and the like.
    pub marks: Marks,
    pub(crate) action: Action,
}

impl FieldDef {
    /// The argument called `name`.
    pub fn arg(&self, name: &str) -> Option<&ArgDef> {
        self.args.iter().find(|arg| arg.name == name)
    }

    /// Whether nsci adds this field by itself for loading objects by id.
    pub fn is_load(&self) -> bool {
        self.action == Action::Load
    }
}

/// A value of an enum.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnumValueDef {
    /// Name; what resolvers see.
    pub name: Text,
    /// Older spellings; a view before the given one gets them in answers too.
    pub legacy: Vec<(Text, Option<View>)>,
    /// Documentation, views and the like.
    pub marks: Marks,
}

/// How literals of a scalar are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScalarKind {
    /// Any text.
    String,
    /// 64-bit integers, also in quotes.
    Int,
    /// Numbers, also in quotes.
    Float,
    /// `true` and `false`, also in quotes.
    Boolean,
    /// Opaque text naming an object.
    Id,
    /// Text that is JSON; other literals are turned into it.
    Json,
    /// Text with a meaning of its own.
    Text,
    /// Nothing; only ever null.
    Void,
}

/// What a type is.
#[derive(Clone, Debug, PartialEq)]
pub enum TypeKind {
    /// A leaf.
    Scalar(ScalarKind),
    /// Something with fields.
    Object {
        /// Fields in order; one name may occur again for other views.
        fields: Vec<FieldDef>,
        /// Whether clients may hold and reload it by id.
        idable: bool,
    },
    /// What several objects have in common; implemented by having the fields.
    Interface {
        /// Fields in order.
        fields: Vec<FieldDef>,
    },
    /// A closed set of names.
    Enum {
        /// Values in order.
        values: Vec<EnumValueDef>,
    },
    /// A structured argument.
    Input {
        /// Fields in order.
        fields: Vec<ArgDef>,
    },
}

/// A type.
#[derive(Clone, Debug, PartialEq)]
pub struct TypeDef {
    /// Name.
    pub name: Text,
    /// What it is.
    pub kind: TypeKind,
    /// Documentation, views and the like.
    pub marks: Marks,
    /// Interfaces it fits, or objects that fit it.
    pub related: Vec<Text>,
    /// Field name → positions in the field list.
    pub(crate) by_name: HashMap<Text, Vec<usize>>,
}

impl TypeDef {
    /// Fields of an object or interface; empty for others.
    pub fn fields(&self) -> &[FieldDef] {
        match &self.kind {
            TypeKind::Object { fields, .. } | TypeKind::Interface { fields } => fields,
            _ => &[],
        }
    }

    /// The field `name` as `view` has it.
    pub fn field(&self, name: &str, view: View) -> Option<&FieldDef> {
        let fields = self.fields();
        self.by_name
            .get(name)?
            .iter()
            .map(|&position| &fields[position])
            .find(|field| field.marks.views.contains(view))
    }

    /// Whether a selection of sub-fields is needed.
    pub fn is_composite(&self) -> bool {
        matches!(
            self.kind,
            TypeKind::Object { .. } | TypeKind::Interface { .. }
        )
    }

    /// Whether this is an interface whose objects are held by id, as those of modules are.
    pub fn is_held_interface(&self) -> bool {
        matches!(self.kind, TypeKind::Interface { .. })
            && self.fields().iter().any(|field| field.name == "id")
            && self.fields().len() > 1
    }

    /// Whether this is an object with ids.
    pub fn is_idable(&self) -> bool {
        matches!(self.kind, TypeKind::Object { idable: true, .. })
    }
}

/// The declaration of a directive.
#[derive(Clone, Debug, PartialEq)]
pub struct DirectiveDef {
    /// Name without `@`.
    pub name: Text,
    /// What it is for.
    pub doc: Text,
    /// Where it may stand, in GraphQL's spelling.
    pub locations: Vec<Text>,
    /// Arguments.
    pub args: Vec<ArgDef>,
}

/// All types by name, in order of declaration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypeTable {
    pub(crate) types: Vec<TypeDef>,
    pub(crate) index: HashMap<Text, usize>,
    pub(crate) directives: Vec<DirectiveDef>,
}

impl TypeTable {
    /// The type called `name`.
    pub fn get(&self, name: &str) -> Option<&TypeDef> {
        self.index.get(name).map(|&position| &self.types[position])
    }

    /// Types in order of declaration.
    pub fn types(&self) -> &[TypeDef] {
        &self.types
    }

    /// Directives in order of declaration.
    pub fn directives(&self) -> &[DirectiveDef] {
        &self.directives
    }

    /// Whether an object called `object` may stand where `target` is asked for.
    pub fn fits(&self, object: &str, target: &str) -> bool {
        object == target
            || self.get(target).is_some_and(|ty| {
                matches!(ty.kind, TypeKind::Interface { .. })
                    && ty.related.iter().any(|name| name == object)
            })
    }
}
