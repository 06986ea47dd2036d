//! Declares the API: types, fields, arguments, documentation and resolvers in one place.
//!
//! ```ignore
//! let mut container = registry.object::<Container>("Container");
//! container.doc("A container.");
//! container.field("withExec", "Container!", |f| {
//!     f.doc("Runs a command.")
//!         .arg("args: [String!]!", "Command and arguments.")
//!         .arg("expand: Boolean = false", "Replace `$VAR` in `args`.")
//!         .arg("source: DirectoryID", "Working directory.")
//!         .resolve(|ctx, this, args| {
//!             let source: Option<Directory> = ctx.optional_object(args, "source")?;
//!             Ok(this.with_exec(args.decode()?, source)?) // a `Container`, see `objects!`
//!         })
//! });
//! container.field("stdout", "String!", |f| {
//!     f.doc("What the last command printed.")
//!         .resolve_async(|ctx, this, _args| async move { this.stdout(ctx.backend()).await })
//! });
//! ```
//!
//! Types are written as in GraphQL. `FooID` for an object `Foo` means: an id that must name a `Foo`; clients see `ID`
//! with `@expectedType`, or the old scalar, by view. Every object gets `id`, and `Query` gets `loadFooFromID` and
//! `node`, unless [`ObjectBuilder::without_id`] is called. Nothing is checked until [`Schema::build`](super::Schema::build).

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use super::error::{FieldError, SchemaError};
use super::exec::Ctx;
use super::lexer::ParseError;
use super::parser::{parse_argument, parse_type};
use super::table::{
    Action, Applied, ArgDef, Current, DirectiveDef, EnumValueDef, FieldDef, Marks, ScalarKind,
    Text, TypeDef, TypeKind, TypeRef, TypeTable,
};
use super::value::{Args, Resolved};
use super::view::View;

/// What the machinery must know about the values it moves around.
pub trait Backend: Send + Sync + 'static {
    /// Any object of the API, usually an enum of `Arc`s: cloning must be cheap.
    type Object: Clone + Send + Sync + 'static;
    /// Who asks: identity, permissions, the module it runs in.
    type Client: Send + Sync + 'static;

    /// The name of the object's type.
    fn type_name<'a>(&self, object: &'a Self::Object) -> &'a str;

    /// The object's id, loadable by any later request.
    ///
    /// # Errors
    /// If the object cannot be referred to.
    fn id(&self, client: &Self::Client, object: &Self::Object) -> Result<String, FieldError>;

    /// The object with this id.
    ///
    /// # Errors
    /// If there is none.
    fn load(&self, client: &Self::Client, id: &str) -> Result<Self::Object, FieldError>;
}

/// Gets a concrete value out of a backend's object.
pub trait FromObject<O>: Sized {
    /// The value, if the object is of this kind.
    fn from_object(object: &O) -> Option<&Self>;
}

impl<O> FromObject<O> for O {
    fn from_object(object: &O) -> Option<&Self> {
        Some(object)
    }
}

pub(crate) type Outcome<B> = Result<Resolved<<B as Backend>::Object>, FieldError>;
pub(crate) type OutcomeFuture<B> = Pin<Box<dyn Future<Output = Outcome<B>> + Send>>;

type PureFn<B> =
    dyn Fn(&Ctx<B>, &<B as Backend>::Object, &Args) -> Outcome<B> + Send + Sync + 'static;
type AsyncFn<B> =
    dyn Fn(&Ctx<B>, &<B as Backend>::Object, Args) -> OutcomeFuture<B> + Send + Sync + 'static;

/// How a declared field is answered.
pub(crate) enum Resolver<B: Backend> {
    /// At once, without waiting.
    Pure(Arc<PureFn<B>>),
    /// By work that waits.
    Async(Arc<AsyncFn<B>>),
}

impl<B: Backend> Clone for Resolver<B> {
    fn clone(&self) -> Self {
        match self {
            Self::Pure(run) => Self::Pure(Arc::clone(run)),
            Self::Async(run) => Self::Async(Arc::clone(run)),
        }
    }
}

/// Types under declaration. Cloning one and adding to the copy is how modules extend the API.
pub struct Registry<B: Backend> {
    pub(crate) table: TypeTable,
    pub(crate) resolvers: Vec<Resolver<B>>,
    pub(crate) problems: Vec<SchemaError>,
}

impl<B: Backend> Clone for Registry<B> {
    fn clone(&self) -> Self {
        Self {
            table: self.table.clone(),
            resolvers: self.resolvers.clone(),
            problems: self.problems.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for Registry<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry")
            .field("types", &self.table.types.len())
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Default for Registry<B> {
    fn default() -> Self {
        Self::new()
    }
}

impl<B: Backend> Registry<B> {
    /// A registry with GraphQL's own scalars, `JSON`, `Platform` and `Void`, and the known directives.
    pub fn new() -> Self {
        let mut registry = Self {
            table: TypeTable::default(),
            resolvers: Vec::new(),
            problems: Vec::new(),
        };
        registry.open("Query", || TypeKind::Object {
            fields: Vec::new(),
            idable: true,
        });
        for (name, kind, doc) in [
            ("String", ScalarKind::String, "UTF-8 text."),
            ("Int", ScalarKind::Int, "A signed whole number."),
            ("Float", ScalarKind::Float, "A number with a fraction."),
            ("Boolean", ScalarKind::Boolean, "`true` or `false`."),
            ("ID", ScalarKind::Id, "An opaque name of an object."),
            (
                "JSON",
                ScalarKind::Json,
                "Any JSON value, written as JSON text.",
            ),
            (
                "Platform",
                ScalarKind::Text,
                "Operating system and architecture, such as `linux/amd64`.",
            ),
            ("Void", ScalarKind::Void, "No value; always null."),
        ] {
            registry.scalar(name, kind, doc);
        }
        super::directives::declare(&mut registry);
        registry
    }

    /// Opens the object type `name`; its fields' parent values are `T`s.
    pub fn object<T: FromObject<B::Object> + 'static>(
        &mut self,
        name: impl Into<Text>,
    ) -> ObjectBuilder<'_, B, T> {
        let kind = || TypeKind::Object {
            fields: Vec::new(),
            idable: true,
        };
        let position = self.open(name, kind);
        ObjectBuilder {
            registry: self,
            position,
            parent: PhantomData,
        }
    }

    /// Opens the root type.
    pub fn query<T: FromObject<B::Object> + 'static>(&mut self) -> ObjectBuilder<'_, B, T> {
        self.object("Query")
    }

    /// Opens the interface `name`; fields get no resolvers, objects implement it by having them.
    pub fn interface(&mut self, name: impl Into<Text>) -> ObjectBuilder<'_, B, B::Object> {
        let position = self.open(name, || TypeKind::Interface { fields: Vec::new() });
        ObjectBuilder {
            registry: self,
            position,
            parent: PhantomData,
        }
    }

    /// Opens the enum `name`.
    pub fn enumeration(&mut self, name: impl Into<Text>) -> EnumBuilder<'_> {
        let position = self.open(name, || TypeKind::Enum { values: Vec::new() });
        EnumBuilder {
            ty: &mut self.table.types[position],
        }
    }

    /// Opens the input object `name`.
    pub fn input(&mut self, name: impl Into<Text>) -> InputBuilder<'_> {
        let position = self.open(name, || TypeKind::Input { fields: Vec::new() });
        InputBuilder {
            ty: &mut self.table.types[position],
            problems: &mut self.problems,
        }
    }

    /// Declares a scalar.
    pub fn scalar(&mut self, name: impl Into<Text>, kind: ScalarKind, doc: impl Into<Text>) {
        let position = self.open(name, || TypeKind::Scalar(kind));
        self.table.types[position].marks.doc = doc.into();
    }

    /// Declares a directive, for introspection; `args` are written as for [`FieldBuilder::arg`].
    pub fn directive(
        &mut self,
        name: impl Into<Text>,
        doc: impl Into<Text>,
        locations: &[&'static str],
        args: &[&str],
    ) {
        let name = name.into();
        let read = |text: &&str| argument(&format!("@{name}"), text, &mut self.problems);
        let args = args.iter().filter_map(read).collect();
        let locations = locations.iter().map(|&location| location.into()).collect();
        self.table.directives.push(DirectiveDef {
            name,
            doc: doc.into(),
            locations,
            args,
        });
    }

    /// Whether a type of this name is declared.
    pub fn has_type(&self, name: &str) -> bool {
        self.table.get(name).is_some()
    }

    fn open(&mut self, name: impl Into<Text>, kind: impl FnOnce() -> TypeKind) -> usize {
        let name = name.into();
        let kind = kind();
        if let Some(&position) = self.table.index.get(&name) {
            let existing = &self.table.types[position].kind;
            if std::mem::discriminant(existing) != std::mem::discriminant(&kind) {
                self.problems.push(SchemaError::Duplicate {
                    place: name.into_owned(),
                });
            }
            return position;
        }
        let position = self.table.types.len();
        self.table.index.insert(name.clone(), position);
        self.table.types.push(TypeDef {
            name,
            kind,
            marks: Marks::default(),
            related: Vec::new(),
            by_name: Default::default(),
        });
        position
    }
}

/// Adds fields to an object or interface.
#[derive(Debug)]
pub struct ObjectBuilder<'r, B: Backend, T> {
    registry: &'r mut Registry<B>,
    position: usize,
    parent: PhantomData<fn() -> T>,
}

impl<B: Backend, T: FromObject<B::Object> + 'static> ObjectBuilder<'_, B, T> {
    /// Says what the type is.
    pub fn doc(&mut self, doc: impl Into<Text>) -> &mut Self {
        self.ty().marks.doc = doc.into();
        self
    }

    /// Says why the type may still change.
    pub fn experimental(&mut self, why: impl Into<Text>) -> &mut Self {
        self.ty().marks.experimental = Some(why.into());
        self
    }

    /// Puts a directive on the type; values are GraphQL literals.
    pub fn directive(
        &mut self,
        name: impl Into<Text>,
        args: &[(&'static str, String)],
    ) -> &mut Self {
        let applied = applied(name, args);
        self.ty().marks.directives.push(applied);
        self
    }

    /// Objects of this type cannot be held by id.
    pub fn without_id(&mut self) -> &mut Self {
        if let TypeKind::Object { idable, .. } = &mut self.ty().kind {
            *idable = false;
        }
        self
    }

    /// Declares a field: its name, its type as in GraphQL, and the rest through the builder.
    pub fn field(
        &mut self,
        name: impl Into<Text>,
        ty: &str,
        build: impl FnOnce(FieldBuilder<B, T>) -> FieldBuilder<B, T>,
    ) -> &mut Self {
        let name = name.into();
        let place = format!("{}.{name}", self.ty().name);
        let ty = parse_type(ty).unwrap_or_else(|error| {
            self.registry.problems.push(syntax(&place, ty, &error));
            TypeRef::Named("String".into())
        });
        let def = FieldDef {
            name,
            args: Vec::new(),
            ty,
            expected: None,
            marks: Marks::default(),
            action: Action::Abstract,
        };
        let fresh = FieldBuilder {
            def,
            resolver: None,
            place,
            problems: Vec::new(),
            parent: PhantomData,
        };
        let mut built = build(fresh);
        self.registry.problems.append(&mut built.problems);
        if let Some(resolver) = built.resolver {
            built.def.action = Action::User(self.registry.resolvers.len());
            self.registry.resolvers.push(resolver);
        }
        if let TypeKind::Object { fields, .. } | TypeKind::Interface { fields } =
            &mut self.ty().kind
        {
            fields.push(built.def);
        }
        self
    }

    fn ty(&mut self) -> &mut TypeDef {
        &mut self.registry.table.types[self.position]
    }
}

/// Describes one field.
pub struct FieldBuilder<B: Backend, T> {
    def: FieldDef,
    resolver: Option<Resolver<B>>,
    place: String,
    problems: Vec<SchemaError>,
    parent: PhantomData<fn() -> T>,
}

impl<B: Backend, T> fmt::Debug for FieldBuilder<B, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FieldBuilder")
            .field("place", &self.place)
            .finish_non_exhaustive()
    }
}

impl<B: Backend, T: FromObject<B::Object> + 'static> FieldBuilder<B, T> {
    /// Says what the field gives.
    #[must_use]
    pub fn doc(mut self, doc: impl Into<Text>) -> Self {
        self.def.marks.doc = doc.into();
        self
    }

    /// Adds an argument, written as in GraphQL with its default: `expand: Boolean = false`.
    #[must_use]
    pub fn arg(self, declaration: &str, doc: impl Into<Text>) -> Self {
        self.arg_with(declaration, doc, |arg| arg)
    }

    /// Adds an argument that only older clients give.
    #[must_use]
    pub fn older_arg(self, declaration: &str, doc: impl Into<Text>) -> Self {
        self.arg_with(declaration, doc, ArgBuilder::gone)
    }

    /// Adds an argument that newer clients must give, while older ones may give another one.
    #[must_use]
    pub fn newer_arg(self, declaration: &str, doc: impl Into<Text>) -> Self {
        self.arg_with(declaration, doc, ArgBuilder::required_now)
    }

    /// Adds an argument that carries more than documentation.
    #[must_use]
    pub fn arg_with(
        mut self,
        declaration: &str,
        doc: impl Into<Text>,
        build: impl FnOnce(ArgBuilder) -> ArgBuilder,
    ) -> Self {
        if let Some(mut def) = argument(&self.place, declaration, &mut self.problems) {
            def.marks.doc = doc.into();
            self.def.args.push(build(ArgBuilder { def }).def);
        }
        self
    }

    /// Says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<Text>) -> Self {
        self.def.marks.deprecated = Some(why.into());
        self
    }

    /// Says why the field may still change.
    #[must_use]
    pub fn experimental(mut self, why: impl Into<Text>) -> Self {
        self.def.marks.experimental = Some(why.into());
        self
    }

    /// Accepts the field but does not show it.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.def.marks.hidden = true;
        self
    }

    /// The first view that has this field.
    #[must_use]
    pub fn since(mut self, major: u32, minor: u32, patch: u32) -> Self {
        self.def.marks.views.since = Some(View::new(major, minor, patch));
        self
    }

    /// The first view that no longer has this field (in this form).
    #[must_use]
    pub fn until(mut self, major: u32, minor: u32, patch: u32) -> Self {
        self.def.marks.views.until = Some(View::new(major, minor, patch));
        self
    }

    /// Puts a directive on the field; values are GraphQL literals.
    #[must_use]
    pub fn directive(mut self, name: impl Into<Text>, args: &[(&'static str, String)]) -> Self {
        self.def.marks.directives.push(applied(name, args));
        self
    }

    /// Answers the field at once: builds the graph, never waits.
    #[must_use]
    pub fn resolve<R, F>(mut self, run: F) -> Self
    where
        R: Into<Resolved<B::Object>>,
        F: Fn(&Ctx<B>, &T, &Args) -> Result<R, FieldError> + Send + Sync + 'static,
    {
        let place: Arc<str> = self.place.as_str().into();
        self.resolver = Some(Resolver::Pure(Arc::new(move |ctx, object, args| {
            run(ctx, parent::<B, T>(object, &place)?, args).map(Into::into)
        })));
        self
    }

    /// Answers the field by work that waits; it runs beside its siblings.
    #[must_use]
    pub fn resolve_async<R, F, Fut>(mut self, run: F) -> Self
    where
        T: Clone + Send,
        R: Into<Resolved<B::Object>>,
        F: Fn(Ctx<B>, T, Args) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<R, FieldError>> + Send + 'static,
    {
        let place: Arc<str> = self.place.as_str().into();
        self.resolver = Some(Resolver::Async(Arc::new(
            move |ctx, object, args| match parent::<B, T>(object, &place) {
                Ok(this) => {
                    let future = run(ctx.clone(), this.clone(), args);
                    Box::pin(async move { future.await.map(Into::into) })
                }
                Err(error) => Box::pin(std::future::ready(Err(error))),
            },
        )));
        self
    }
}

fn parent<'o, B: Backend, T: FromObject<B::Object>>(
    object: &'o B::Object,
    place: &str,
) -> Result<&'o T, FieldError> {
    T::from_object(object)
        .ok_or_else(|| FieldError::new(format!("{place} was asked of an object of another type")))
}

/// Describes one argument.
#[derive(Debug)]
pub struct ArgBuilder {
    def: ArgDef,
}

impl ArgBuilder {
    /// Generated clients must give it. It is optional for older ones, which give another one.
    #[must_use]
    pub fn required_now(mut self) -> Self {
        self.def.current = Current::Required;
        self
    }

    /// Generated clients have it with this default. Older ones mean something else by leaving it out.
    #[must_use]
    pub fn default_now(mut self, default: impl Into<Text>) -> Self {
        self.def.current = Current::Default(default.into());
        self
    }

    /// Generated clients do not have it: it is an older form of another one.
    #[must_use]
    pub fn gone(mut self) -> Self {
        self.def.current = Current::Gone;
        self
    }

    /// Says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<Text>) -> Self {
        self.def.marks.deprecated = Some(why.into());
        self
    }

    /// Says why the argument may still change.
    #[must_use]
    pub fn experimental(mut self, why: impl Into<Text>) -> Self {
        self.def.marks.experimental = Some(why.into());
        self
    }

    /// Accepts the argument but does not show it.
    #[must_use]
    pub fn hidden(mut self) -> Self {
        self.def.marks.hidden = true;
        self
    }

    /// The first view that has this argument.
    #[must_use]
    pub fn since(mut self, major: u32, minor: u32, patch: u32) -> Self {
        self.def.marks.views.since = Some(View::new(major, minor, patch));
        self
    }

    /// The first view that no longer has this argument (in this form).
    #[must_use]
    pub fn until(mut self, major: u32, minor: u32, patch: u32) -> Self {
        self.def.marks.views.until = Some(View::new(major, minor, patch));
        self
    }

    /// Puts a directive on the argument; values are GraphQL literals.
    #[must_use]
    pub fn directive(mut self, name: impl Into<Text>, args: &[(&'static str, String)]) -> Self {
        self.def.marks.directives.push(applied(name, args));
        self
    }
}

/// Adds values to an enum.
#[derive(Debug)]
pub struct EnumBuilder<'r> {
    ty: &'r mut TypeDef,
}

impl EnumBuilder<'_> {
    /// Says what the enum is about.
    pub fn doc(&mut self, doc: impl Into<Text>) -> &mut Self {
        self.ty.marks.doc = doc.into();
        self
    }

    /// Puts a directive on the enum; values are GraphQL literals.
    pub fn directive(
        &mut self,
        name: impl Into<Text>,
        args: &[(&'static str, String)],
    ) -> &mut Self {
        self.ty.marks.directives.push(applied(name, args));
        self
    }

    /// Adds a value.
    pub fn value(&mut self, name: impl Into<Text>, doc: impl Into<Text>) -> &mut Self {
        self.value_with(name, doc, |value| value)
    }

    /// Adds a value that carries more than documentation.
    pub fn value_with(
        &mut self,
        name: impl Into<Text>,
        doc: impl Into<Text>,
        build: impl FnOnce(EnumValueBuilder) -> EnumValueBuilder,
    ) -> &mut Self {
        let marks = Marks {
            doc: doc.into(),
            ..Marks::default()
        };
        let def = EnumValueDef {
            name: name.into(),
            legacy: Vec::new(),
            marks,
        };
        let built = build(EnumValueBuilder { def });
        if let TypeKind::Enum { values } = &mut self.ty.kind {
            values.push(built.def);
        }
        self
    }
}

/// Describes one value of an enum.
#[derive(Debug)]
pub struct EnumValueBuilder {
    def: EnumValueDef,
}

impl EnumValueBuilder {
    /// Accepts an older spelling as well.
    #[must_use]
    pub fn alias(mut self, spelling: impl Into<Text>) -> Self {
        self.def.legacy.push((spelling.into(), None));
        self
    }

    /// Accepts an older spelling, and answers with it in views before the given one.
    #[must_use]
    pub fn alias_before(mut self, spelling: impl Into<Text>, view: (u32, u32, u32)) -> Self {
        self.def
            .legacy
            .push((spelling.into(), Some(View::new(view.0, view.1, view.2))));
        self
    }

    /// Says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, why: impl Into<Text>) -> Self {
        self.def.marks.deprecated = Some(why.into());
        self
    }

    /// Puts a directive on the value; values are GraphQL literals.
    #[must_use]
    pub fn directive(mut self, name: impl Into<Text>, args: &[(&'static str, String)]) -> Self {
        self.def.marks.directives.push(applied(name, args));
        self
    }
}

/// Adds fields to an input object.
#[derive(Debug)]
pub struct InputBuilder<'r> {
    ty: &'r mut TypeDef,
    problems: &'r mut Vec<SchemaError>,
}

impl InputBuilder<'_> {
    /// Says what the input is.
    pub fn doc(&mut self, doc: impl Into<Text>) -> &mut Self {
        self.ty.marks.doc = doc.into();
        self
    }

    /// Adds a field, written as for [`FieldBuilder::arg`].
    pub fn field(&mut self, declaration: &str, doc: impl Into<Text>) -> &mut Self {
        let place = self.ty.name.to_string();
        if let Some(mut def) = argument(&place, declaration, self.problems) {
            def.marks.doc = doc.into();
            if let TypeKind::Input { fields } = &mut self.ty.kind {
                fields.push(def);
            }
        }
        self
    }
}

fn applied(name: impl Into<Text>, args: &[(&'static str, String)]) -> Applied {
    let args = args
        .iter()
        .map(|(name, value)| ((*name).into(), value.clone()))
        .collect();
    Applied {
        name: name.into(),
        args,
    }
}

fn syntax(place: &str, text: &str, error: &ParseError) -> SchemaError {
    SchemaError::Syntax {
        place: place.to_owned(),
        text: text.to_owned(),
        why: error.message.clone(),
    }
}

fn argument(place: &str, text: &str, problems: &mut Vec<SchemaError>) -> Option<ArgDef> {
    match parse_argument(text) {
        Ok((name, ty, default)) => Some(ArgDef {
            name: name.into(),
            ty,
            expected: None,
            default_text: default.map(|(written, _)| written.into()),
            default: None,
            current: Current::default(),
            marks: Marks::default(),
        }),
        Err(error) => {
            problems.push(syntax(place, text, &error));
            None
        }
    }
}
