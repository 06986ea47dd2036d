//! What a TypeScript file declares, as plain data.
//!
//! Main type: [`File`]. Only what types of the API can depend on is kept: declarations at the top level,
//! imports, exports, documentation. [`super::lower`] makes it from source text; what it means is
//! [`super::describe`]'s affair.

use serde_json::Value as Json;

/// A file of a module.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    /// Path relative to the source directory.
    pub(super) path: String,
    /// Documentation of the file as a whole.
    pub(super) doc: Option<String>,
    /// Names taken from other files or packages.
    pub(super) imports: Vec<Import>,
    /// Names given to other files.
    pub(super) exports: Vec<Export>,
    /// Files whose every name is handed on.
    pub(super) stars: Vec<String>,
    /// Files and packages that are needed when it runs, or may be.
    pub(super) needs: Vec<String>,
    /// What is declared at the top level, in order.
    pub(super) declarations: Vec<Declaration>,
}

/// A name taken from elsewhere.
#[derive(Clone, Debug)]
pub(super) struct Import {
    /// Name in this file.
    pub(super) local: String,
    /// Name there; `None` for everything at once, `default` for the default.
    pub(super) imported: Option<String>,
    /// Where it is from, as written.
    pub(super) source: String,
}

/// A name given to other files.
#[derive(Clone, Debug)]
pub(super) struct Export {
    /// Name there.
    pub(super) exported: String,
    /// Name in this file, or in `source`.
    pub(super) local: String,
    /// File it is handed on from.
    pub(super) source: Option<String>,
}

/// Something declared at the top level.
#[derive(Clone, Debug)]
pub(super) struct Declaration {
    /// Name; empty for an unnamed default export.
    pub(super) name: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column, from 1.
    pub(super) column: u32,
    /// Documentation.
    pub(super) doc: Doc,
    /// What it is.
    pub(super) kind: DeclarationKind,
}

/// What a [`Declaration`] declares.
#[derive(Clone, Debug)]
pub(super) enum DeclarationKind {
    /// A class.
    Class(Class),
    /// An enum.
    Enum(Vec<Member>),
    /// An interface, with the interfaces it extends.
    Interface(Vec<Signature>, Vec<Type>),
    /// A type alias.
    Alias(Type),
    /// A constant and its value.
    Constant(Expr),
    /// A type with parameters, which the API has no place for.
    Generic,
}

/// A comment that documents something.
#[derive(Clone, Debug, Default)]
pub(super) struct Doc {
    /// What it says before the first tag.
    pub(super) text: String,
    /// Descriptions of parameters by name.
    pub(super) params: Vec<(String, String)>,
    /// Why not to use it; may be empty.
    pub(super) deprecated: Option<String>,
}

impl Doc {
    /// What is said about a parameter.
    pub(super) fn param(&self, name: &str) -> &str {
        let found = self.params.iter().find(|(param, _)| param == name);
        found.map_or("", |(_, text)| text)
    }
}

/// A class.
#[derive(Clone, Debug, Default)]
pub(super) struct Class {
    /// Decorators in order.
    pub(super) decorators: Vec<Decorator>,
    /// Class it extends.
    pub(super) extends: Option<Type>,
    /// Parameters of its constructor, if it has one, with its documentation.
    pub(super) constructor: Option<(Vec<Param>, Doc, u32)>,
    /// Properties that its constructor sets, with the parameters they are set to; `None` if it does more.
    pub(super) stores: Option<Vec<(String, String)>>,
    /// Properties and methods in order.
    pub(super) members: Vec<ClassMember>,
}

/// A property or method of a class.
#[derive(Clone, Debug)]
pub(super) struct ClassMember {
    /// Name.
    pub(super) name: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// Column, from 1.
    pub(super) column: u32,
    /// Documentation.
    pub(super) doc: Doc,
    /// Decorators in order.
    pub(super) decorators: Vec<Decorator>,
    /// Whether it belongs to the class, not to its instances.
    pub(super) is_static: bool,
    /// Whether it is `private` or `protected`, or has a `#` name.
    pub(super) is_hidden: bool,
    /// What it is.
    pub(super) kind: MemberKind,
}

/// What a [`ClassMember`] is.
#[derive(Clone, Debug)]
pub(super) enum MemberKind {
    /// A property: its type, whether it may be missing, its first value.
    Property(Option<Type>, bool, Option<Expr>),
    /// A method: its parameters and the type of its result.
    Method(Vec<Param>, Option<Type>),
    /// A property that is computed.
    Getter(Option<Type>),
    /// A `#` property, which no other call sees.
    Secret,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Param {
    /// Name; empty if it is taken apart.
    pub(super) name: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// What a comment at it says.
    pub(super) doc: Doc,
    /// Decorators in order.
    pub(super) decorators: Vec<Decorator>,
    /// Its type.
    pub(super) ty: Option<Type>,
    /// Whether it may be left out.
    pub(super) optional: bool,
    /// Whether it takes all that follow.
    pub(super) rest: bool,
    /// Its default.
    pub(super) default: Option<Expr>,
    /// Whether it is a property too.
    pub(super) is_property: bool,
}

/// A decorator: the name called, and what with.
#[derive(Clone, Debug)]
pub(super) struct Decorator {
    /// Path of names, such as `func` or `dagger.func`.
    pub(super) path: Vec<String>,
    /// Arguments.
    pub(super) args: Vec<Expr>,
    /// Line, from 1.
    pub(super) line: u32,
}

/// A member of an enum.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Name.
    pub(super) name: String,
    /// Documentation.
    pub(super) doc: Doc,
    /// Value; `None` counts on from the one before.
    pub(super) value: Option<Expr>,
    /// Line, from 1.
    pub(super) line: u32,
}

/// A member of an interface or object type.
#[derive(Clone, Debug)]
pub(super) struct Signature {
    /// Name; empty for calls, constructions and indexes.
    pub(super) name: String,
    /// Line, from 1.
    pub(super) line: u32,
    /// Documentation.
    pub(super) doc: Doc,
    /// Whether it may be missing.
    pub(super) optional: bool,
    /// Its type; a function for methods.
    pub(super) ty: Option<Type>,
}

/// A type as it is written.
#[derive(Clone, Debug)]
pub(super) struct Type {
    /// What it says.
    pub(super) kind: TypeKind,
    /// Line, from 1.
    pub(super) line: u32,
}

/// What a [`Type`] says.
#[derive(Clone, Debug)]
pub(super) enum TypeKind {
    /// `string`, also for literals of that type.
    String,
    /// `number`, also for literals of that type.
    Number,
    /// `boolean`, also for literals of that type.
    Boolean,
    /// `void`.
    Void,
    /// `null` or `undefined`.
    Nothing,
    /// `this`.
    This,
    /// A name with what it is given.
    Name(Vec<String>, Vec<Type>),
    /// A list.
    Array(Box<Type>),
    /// One of several.
    Union(Vec<Type>),
    /// An object.
    Object(Vec<Signature>),
    /// A function.
    Function(Vec<Param>, Option<Box<Type>>),
    /// Anything else, as written.
    Other(String),
}

/// A value as it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    /// A text, number, boolean or null.
    Literal(Json),
    /// `undefined`.
    Undefined,
    /// A name, or a member of one.
    Path(Vec<String>),
    /// A list.
    Array(Vec<Self>),
    /// An object.
    Object(Vec<(String, Self)>),
    /// A new object of a class.
    New(Vec<String>),
    /// Anything else, which only running can tell.
    Other,
}

/// A mistake in a file.
#[derive(Clone, Debug)]
pub(super) struct Mistake {
    /// Line, from 1.
    pub(super) line: u32,
    /// What is wrong.
    pub(super) message: String,
}
