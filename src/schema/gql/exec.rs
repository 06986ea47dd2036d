//! Runs a validated document.
//!
//! The response is a flat list of [`Node`]s; a work list says which objects still have fields to resolve. Pure
//! resolvers are called on the spot, waiting ones run as tasks beside each other, and whichever finishes adds nodes
//! and work. So nothing recurses however deep a query nests, and dropping the executor's future (the client hung up)
//! aborts what it started.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::task::Poll;

use serde_json::Value;
use tokio::task::JoinSet;

use super::coerce::Coercion;
use super::error::FieldError;
use super::introspect::{self, Meta};
use super::parser::{Document, SelectionKind, Set, parse_document, position};
use super::registry::{Backend, FromObject, Outcome, OutcomeFuture, Resolver};
use super::request::{ErrorEntry, Location, Request, Response};
use super::schema::Schema;
use super::table::{Action, FieldDef, TypeDef, TypeKind, TypeRef};
use super::validate::{Plan, Planned, Step, plan};
use super::value::{Args, Resolved};
use super::view::View;

/// Most values one response may hold.
const MAX_NODES: usize = 500_000;
/// Objects resolved before other tasks of the thread get a turn.
const TURN: usize = 512;

struct Shared<B: Backend> {
    schema: Arc<Schema<B>>,
    backend: Arc<B>,
    client: Arc<B::Client>,
    view: View,
}

/// What a resolver may know about the request; cheap to clone.
pub struct Ctx<B: Backend>(Arc<Shared<B>>);

impl<B: Backend> Clone for Ctx<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Backend> fmt::Debug for Ctx<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ctx")
            .field("view", &self.0.view)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Ctx<B> {
    /// The engine.
    pub fn backend(&self) -> &Arc<B> {
        &self.0.backend
    }

    /// Who asks.
    pub fn client(&self) -> &Arc<B::Client> {
        &self.0.client
    }

    /// The generation of the API the client speaks.
    pub fn view(&self) -> View {
        self.0.view
    }

    /// The API that the request runs against.
    pub fn schema(&self) -> &Arc<Schema<B>> {
        &self.0.schema
    }

    /// Whether the client speaks an API older than this version.
    pub fn before(&self, major: u32, minor: u32, patch: u32) -> bool {
        self.0.view < View::new(major, minor, patch)
    }

    /// The object whose id is in argument `name`.
    ///
    /// # Errors
    /// If the argument is absent, or its id unknown or of another type.
    pub fn object<T: FromObject<B::Object> + Clone>(
        &self,
        args: &Args,
        name: &str,
    ) -> Result<T, FieldError> {
        self.optional_object(args, name)?
            .ok_or_else(|| FieldError::new(format!("argument `{name}` is not given")))
    }

    /// The object whose id is in argument `name`, if it is given.
    ///
    /// # Errors
    /// If the id is unknown or of another type.
    pub fn optional_object<T: FromObject<B::Object> + Clone>(
        &self,
        args: &Args,
        name: &str,
    ) -> Result<Option<T>, FieldError> {
        args.str(name)
            .map(|id| self.load(id, args.expected(name)))
            .transpose()
    }

    /// The objects whose ids are in argument `name`; none if it is absent.
    ///
    /// # Errors
    /// If an id is unknown or of another type.
    pub fn objects<T: FromObject<B::Object> + Clone>(
        &self,
        args: &Args,
        name: &str,
    ) -> Result<Vec<T>, FieldError> {
        let ids: Vec<String> = args.get_or_default(name)?;
        ids.iter()
            .map(|id| self.load(id, args.expected(name)))
            .collect()
    }

    /// The object with this id, which must be of the type `expected`.
    ///
    /// # Errors
    /// If the id is unknown or of another type.
    pub fn load<T: FromObject<B::Object> + Clone>(
        &self,
        id: &str,
        expected: Option<&str>,
    ) -> Result<T, FieldError> {
        let object = self.load_any(id, expected)?;
        T::from_object(&object).cloned().ok_or_else(|| {
            let actual = self.0.backend.type_name(&object);
            wrong_id(expected.unwrap_or("another"), actual)
        })
    }

    fn load_any(&self, id: &str, expected: Option<&str>) -> Result<B::Object, FieldError> {
        if id.is_empty() {
            return Err(FieldError::new("the id is empty"));
        }
        let object = self.0.backend.load(&self.0.client, id)?;
        let actual = self.0.backend.type_name(&object);
        match expected {
            Some(expected) if !self.0.schema.table.fits(actual, expected) => {
                Err(wrong_id(expected, actual))
            }
            _ => Ok(object),
        }
    }
}

fn wrong_id(expected: &str, actual: &str) -> FieldError {
    FieldError::new(format!("expected \"{expected}\" ID, got {actual} ID"))
}

/// Answers requests of one client.
pub struct Executor<B: Backend> {
    ctx: Ctx<B>,
    root: B::Object,
}

impl<B: Backend> Clone for Executor<B> {
    fn clone(&self) -> Self {
        Self {
            ctx: self.ctx.clone(),
            root: self.root.clone(),
        }
    }
}

impl<B: Backend> fmt::Debug for Executor<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor")
            .field("view", &self.ctx.0.view)
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Executor<B> {
    /// An executor for `client`, which sees the API as of `view`; `root` is the parent of `Query`'s fields.
    pub fn new(
        schema: Arc<Schema<B>>,
        backend: Arc<B>,
        client: Arc<B::Client>,
        view: View,
        root: B::Object,
    ) -> Self {
        Self {
            ctx: Ctx(Arc::new(Shared {
                schema,
                backend,
                client,
                view,
            })),
            root,
        }
    }

    /// The API that requests run against.
    pub fn schema(&self) -> &Arc<Schema<B>> {
        self.ctx.schema()
    }

    /// Runs one request. Waiting resolvers need a tokio runtime; dropping the future aborts them.
    pub async fn execute(&self, request: &Request) -> Response {
        let Ctx(shared) = &self.ctx;
        let table = &shared.schema.table;
        // Cheap guess first: only such requests are worth looking up.
        let introspects = request.query.contains("__schema") || request.query.contains("__type");
        let keepable = introspects
            && request
                .variables
                .as_ref()
                .is_none_or(serde_json::Map::is_empty);
        if keepable && let Some(body) = shared.schema.answer(shared.view, &request.query) {
            return Response {
                executed: true,
                body,
            };
        }
        let document = match parse_document(&request.query) {
            Ok(document) => document,
            Err(error) => {
                let (line, column) = position(&request.query, error.offset);
                let locations = vec![Location { line, column }];
                let message = error.to_string();
                return Response::refused(&[ErrorEntry {
                    message,
                    locations,
                    ..ErrorEntry::default()
                }]);
            }
        };
        let operation = request.operation_name.as_deref();
        let sent = request.variables.as_ref();
        let plan = match plan(
            table,
            shared.view,
            &request.query,
            &document,
            operation,
            sent,
        ) {
            Ok(plan) => plan,
            Err(errors) => return Response::refused(&errors),
        };
        let keepable = keepable && document.operations.len() == 1 && only_meta(&plan);
        let mut run = Run::new(&self.ctx, &request.query, &document, &plan);
        run.start(self.root.clone());
        run.finish().await;
        let clean = run.errors.is_empty();
        let body: Arc<[u8]> = run.into_body().into();
        if keepable && clean {
            shared
                .schema
                .keep_answer(shared.view, &request.query, Arc::clone(&body));
        }
        Response {
            executed: true,
            body,
        }
    }
}

fn only_meta(plan: &Plan<'_>) -> bool {
    plan.steps.iter().all(|step| match step {
        Step::Field(planned) => {
            matches!(planned.field.action, Action::Meta | Action::SchemaVersion)
        }
        Step::Skipped | Step::TypeName | Step::Fragment => true,
    })
}

/// What fields are asked of.
enum Parent<'s, O> {
    Object(O),
    Meta(Meta<'s>),
}

/// What is selected of an object: one set, or several when a key was selected more than once.
#[derive(Clone, Debug)]
enum Sets {
    One(Set),
    Many(Vec<Set>),
}

impl Sets {
    fn as_slice(&self) -> &[Set] {
        match self {
            Self::One(set) => std::slice::from_ref(set),
            Self::Many(sets) => sets,
        }
    }

    fn is_empty(&self) -> bool {
        self.as_slice().iter().all(|set| set.is_empty())
    }
}

struct Work<'s, O> {
    node: u32,
    parent: Parent<'s, O>,
    ty: &'s TypeDef,
    sets: Sets,
}

#[derive(Clone, Copy)]
enum Key<'a> {
    Root,
    Name(&'a str),
    Index(u32),
}

enum State {
    Pending,
    Null,
    Leaf(Value),
    Object(std::ops::Range<u32>),
    List(std::ops::Range<u32>),
}

/// One value of the response.
struct Node<'a> {
    parent: u32,
    key: Key<'a>,
    nullable: bool,
    state: State,
    /// Where the field stands in the request.
    offset: u32,
}

/// A field whose resolver has not answered yet.
struct Waiting<'s> {
    field: &'s FieldDef,
    sets: Sets,
}

struct Run<'s, 'a, B: Backend> {
    ctx: &'s Ctx<B>,
    text: &'a str,
    document: &'a Document<'a>,
    plan: &'a Plan<'s>,
    nodes: Vec<Node<'a>>,
    work: Vec<Work<'s, B::Object>>,
    tasks: JoinSet<(u32, Outcome<B>)>,
    waiting: HashMap<u32, Waiting<'s>>,
    errors: Vec<(u32, ErrorEntry)>,
}

/// A response key with every selection of it.
struct Group<'a> {
    key: &'a str,
    first: usize,
    sets: Sets,
}

impl<'s, 'a, B: Backend> Run<'s, 'a, B> {
    fn new(ctx: &'s Ctx<B>, text: &'a str, document: &'a Document<'a>, plan: &'a Plan<'s>) -> Self {
        Self {
            ctx,
            text,
            document,
            plan,
            nodes: Vec::with_capacity(document.selections.len() + 1),
            work: Vec::new(),
            tasks: JoinSet::new(),
            waiting: HashMap::new(),
            errors: Vec::new(),
        }
    }

    fn start(&mut self, root: B::Object) {
        let node = Node {
            parent: 0,
            key: Key::Root,
            nullable: true,
            state: State::Pending,
            offset: 0,
        };
        self.nodes.push(node);
        let ty = self
            .schema()
            .table
            .get("Query")
            .expect("every schema has Query");
        let sets = Sets::One(self.plan.set);
        self.work.push(Work {
            node: 0,
            parent: Parent::Object(root),
            ty,
            sets,
        });
    }

    fn schema(&self) -> &'s Schema<B> {
        &self.ctx.0.schema
    }

    async fn finish(&mut self) {
        loop {
            let mut done = 0;
            while let Some(work) = self.work.pop() {
                self.object(work);
                done += 1;
                if done % TURN == 0 {
                    tokio::task::yield_now().await;
                }
            }
            match self.tasks.join_next().await {
                Some(Ok((node, outcome))) => {
                    let waiting = self.waiting.remove(&node).expect("each task was noted");
                    self.outcome(node, waiting.field, waiting.sets, outcome);
                }
                // Tasks catch panics themselves, and only dropping the set aborts them.
                Some(Err(_)) => {}
                None => return,
            }
        }
    }

    /// Resolves the selected fields of one object.
    fn object(&mut self, work: Work<'s, B::Object>) {
        let groups = self.collect(&work);
        let start = self.next_node();
        for group in &groups {
            let nullable = match &self.plan.steps[group.first] {
                Step::Field(planned) => !planned.field.ty.is_non_null(),
                _ => false,
            };
            let offset = self.document.selections[group.first].offset;
            self.nodes.push(Node {
                parent: work.node,
                key: Key::Name(group.key),
                nullable,
                state: State::Pending,
                offset: u32::try_from(offset).unwrap_or(u32::MAX),
            });
        }
        self.nodes[work.node as usize].state = State::Object(start..self.next_node());
        if self.nodes.len() > MAX_NODES {
            self.work.clear();
            self.tasks.abort_all();
            self.fail(
                work.node,
                FieldError::new("the response has too many values"),
            );
            return self.set(0, State::Null);
        }
        let mut later = std::mem::take(&mut self.work);
        for (node, group) in (start..).zip(groups) {
            self.field(node, &work, group);
        }
        // The list is a stack: what was found now comes first, in document order.
        self.work.reverse();
        later.append(&mut self.work);
        self.work = later;
    }

    fn next_node(&self) -> u32 {
        u32::try_from(self.nodes.len()).expect("MAX_NODES is below 2^32")
    }

    /// Lists the response keys selected of an object, in order, fragments unfolded.
    fn collect(&self, work: &Work<'s, B::Object>) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        let mut index: HashMap<&str, usize> = HashMap::new();
        let mut seen: HashSet<&str> = HashSet::new();
        let mut open: Vec<std::ops::Range<usize>> = work
            .sets
            .as_slice()
            .iter()
            .rev()
            .map(|set| set.positions())
            .collect();
        while let Some(mut range) = open.pop() {
            let Some(at) = range.next() else { continue };
            open.push(range);
            let selection = &self.document.selections[at];
            if matches!(self.plan.steps[at], Step::Skipped) {
                continue;
            }
            match &selection.kind {
                SelectionKind::Field { alias, name, .. } => {
                    let key = alias.unwrap_or(name);
                    // A lone field needs no lookup; chains consist of them.
                    let known = if groups.is_empty() {
                        None
                    } else {
                        index.get(key).copied()
                    };
                    if let Some(known) = known {
                        merge(&mut groups[known].sets, selection.set);
                        continue;
                    }
                    if open.len() > 1 || !open[0].is_empty() || !groups.is_empty() {
                        index.insert(key, groups.len());
                    }
                    groups.push(Group {
                        key,
                        first: at,
                        sets: Sets::One(selection.set),
                    });
                }
                SelectionKind::Inline { on } => {
                    if on.is_none_or(|on| self.schema().table.fits(&work.ty.name, on)) {
                        open.push(selection.set.positions());
                    }
                }
                SelectionKind::Spread { name } => {
                    let fragment = self.document.fragment(name).expect("validated");
                    if seen.insert(name) && self.schema().table.fits(&work.ty.name, fragment.on) {
                        open.push(fragment.set.positions());
                    }
                }
            }
        }
        groups
    }

    fn field(&mut self, node: u32, work: &Work<'s, B::Object>, group: Group<'a>) {
        let plan = self.plan;
        let planned = match &plan.steps[group.first] {
            Step::TypeName => {
                self.set(node, State::Leaf(Value::from(&*work.ty.name)));
                return;
            }
            Step::Field(planned) => planned,
            Step::Skipped | Step::Fragment => unreachable!("only fields are collected"),
        };
        if std::ptr::eq(planned.parent, work.ty) {
            return self.resolve(node, work, planned.field, &planned.args, group.sets);
        }
        // Selected through an interface: the object's own field may have more arguments and defaults.
        match self.concrete(work.ty, planned, group.first) {
            Ok((field, args)) => self.resolve(node, work, field, &args, group.sets),
            Err(error) => self.fail(node, error),
        }
    }

    fn concrete(
        &self,
        ty: &'s TypeDef,
        planned: &Planned<'s>,
        at: usize,
    ) -> Result<(&'s FieldDef, Args), FieldError> {
        let view = self.ctx.view();
        let name = &planned.field.name;
        let field = ty.field(name, view).ok_or_else(|| {
            FieldError::new(format!("type \"{}\" has no field \"{name}\"", ty.name))
        })?;
        let SelectionKind::Field { args, .. } = &self.document.selections[at].kind else {
            unreachable!("only fields are planned")
        };
        let table = &self.schema().table;
        let coercion = Coercion {
            table,
            view,
            variables: &self.plan.variables,
        };
        let args = coercion.arguments(&ty.name, field, args);
        args.map(|args| (field, args))
            .map_err(|reasons| FieldError::new(reasons.join("; ")))
    }

    fn resolve(
        &mut self,
        node: u32,
        work: &Work<'s, B::Object>,
        field: &'s FieldDef,
        args: &Args,
        sets: Sets,
    ) {
        let object = match &work.parent {
            Parent::Object(object) => object,
            Parent::Meta(meta) => {
                let answer = introspect::field(
                    &self.schema().table,
                    self.ctx.view(),
                    meta,
                    &field.name,
                    args,
                );
                return self.meta(node, &field.ty, answer, &sets);
            }
        };
        let ctx = self.ctx;
        let outcome = match field.action {
            Action::User(number) => match &self.schema().resolvers[number] {
                Resolver::Pure(run) => {
                    let run = AssertUnwindSafe(|| run(ctx, object, args));
                    catch_unwind(run).unwrap_or_else(|_| Err(panicked()))
                }
                Resolver::Async(run) => {
                    let run = AssertUnwindSafe(|| run(ctx, object, args.clone()));
                    match catch_unwind(run) {
                        Ok(future) => {
                            self.waiting.insert(node, Waiting { field, sets });
                            self.tasks.spawn(guard::<B>(node, future));
                            return;
                        }
                        Err(_) => Err(panicked()),
                    }
                }
            },
            Action::Id => ctx.0.backend.id(&ctx.0.client, object).map(Into::into),
            Action::Node => ctx
                .load_any(args.str("id").unwrap_or_default(), None)
                .map(Resolved::Object),
            Action::Load => {
                let id = args.str("id").unwrap_or_default();
                ctx.load_any(id, Some(field.ty.name()))
                    .map(Resolved::Object)
            }
            Action::SchemaVersion => Ok(Resolved::from(ctx.view().to_string())),
            Action::Meta => {
                let answer = introspect::root(&self.schema().table, &field.name, args);
                return self.meta(node, &field.ty, answer, &sets);
            }
            Action::Abstract => Err(FieldError::new("the field has no resolver")),
        };
        self.outcome(node, field, sets, outcome);
    }

    fn outcome(&mut self, node: u32, field: &'s FieldDef, sets: Sets, outcome: Outcome<B>) {
        match outcome {
            Ok(resolved) => self.complete(node, &field.ty, resolved, &sets),
            Err(error) => self.fail(node, error),
        }
    }

    /// Fits what a resolver gave to the field's type.
    fn complete(&mut self, node: u32, ty: &'s TypeRef, resolved: Resolved<B::Object>, sets: &Sets) {
        match (ty.nullable(), resolved) {
            (_, Resolved::Null | Resolved::Value(Value::Null)) => self.null(node, ty),
            (TypeRef::List(inner), Resolved::List(items)) => {
                if let Some(values) = self.leaves(inner, &items) {
                    return self.set(node, State::Leaf(values));
                }
                let start = self.elements(node, inner, items.len());
                for (child, item) in (start..).zip(items) {
                    self.complete(child, inner, item, sets);
                }
            }
            (TypeRef::List(inner), Resolved::Value(Value::Array(items))) => {
                let items = items.into_iter().map(Resolved::Value).collect();
                self.complete(node, ty, Resolved::List(items), sets);
                debug_assert!(inner.name() == ty.name(), "a list is named as its elements");
            }
            (TypeRef::Named(name), Resolved::Object(object)) => {
                self.enter(node, name, object, sets);
            }
            (TypeRef::Named(name), Resolved::Value(value)) => match self.leaf(name, value) {
                Ok(value) => self.set(node, State::Leaf(value)),
                Err(error) => self.fail(node, error),
            },
            (_, Resolved::List(_)) => self.mismatch(node, ty, "a list"),
            (_, Resolved::Object(_)) => self.mismatch(node, ty, "an object"),
            (_, Resolved::Value(_)) => self.mismatch(node, ty, "a value"),
        }
    }

    fn mismatch(&mut self, node: u32, ty: &TypeRef, got: &str) {
        self.fail(
            node,
            FieldError::new(format!("the field promises {ty} but resolved to {got}")),
        );
    }

    /// Adds the nodes of a list's elements.
    fn elements(&mut self, node: u32, inner: &TypeRef, count: usize) -> u32 {
        let start = self.next_node();
        let offset = self.nodes[node as usize].offset;
        let nullable = !inner.is_non_null();
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        self.nodes.extend((0..count).map(|index| Node {
            parent: node,
            key: Key::Index(index),
            nullable,
            state: State::Pending,
            offset,
        }));
        self.set(node, State::List(start..start + count));
        start
    }

    /// A list of plain leaves as one value; keeps long listings cheap.
    fn leaves(&self, inner: &TypeRef, items: &[Resolved<B::Object>]) -> Option<Value> {
        let TypeRef::Named(name) = inner.nullable() else {
            return None;
        };
        if !matches!(self.schema().table.get(name)?.kind, TypeKind::Scalar(_)) {
            return None;
        }
        let values = items.iter().map(|item| match item {
            Resolved::Value(value) if !value.is_null() => Some(value.clone()),
            _ => None,
        });
        values.collect::<Option<Vec<_>>>().map(Value::Array)
    }

    fn leaf(&self, name: &str, value: Value) -> Result<Value, FieldError> {
        let ty = self
            .schema()
            .table
            .get(name)
            .expect("checked when the schema was built");
        let TypeKind::Enum { values } = &ty.kind else {
            return if ty.is_composite() {
                Err(FieldError::new(format!(
                    "the field promises {name} but resolved to a value"
                )))
            } else {
                Ok(value)
            };
        };
        let found = values
            .iter()
            .find(|known| value.as_str() == Some(&known.name));
        let found = found
            .ok_or_else(|| FieldError::new(format!("{value} is not a value of enum {name}")))?;
        let view = self.ctx.view();
        let old = found
            .legacy
            .iter()
            .find(|(_, until)| until.is_some_and(|until| view < until));
        Ok(old.map_or(value, |(spelling, _)| Value::from(&**spelling)))
    }

    /// Queues an object's fields.
    fn enter(&mut self, node: u32, promised: &str, object: B::Object, sets: &Sets) {
        let ctx = self.ctx;
        let table = &self.schema().table;
        let name = ctx.0.backend.type_name(&object);
        let Some(ty) = table.get(name).filter(|_| table.fits(name, promised)) else {
            let message = format!("the field promises {promised} but resolved to {name}");
            return self.fail(node, FieldError::new(message));
        };
        if sets.is_empty() {
            match ctx.0.backend.id(&ctx.0.client, &object) {
                Ok(id) => self.set(node, State::Leaf(Value::from(id))),
                Err(error) => self.fail(node, error),
            }
            return;
        }
        self.work.push(Work {
            node,
            parent: Parent::Object(object),
            ty,
            sets: sets.clone(),
        });
    }

    /// The same as [`Run::complete`] for introspection.
    fn meta(&mut self, node: u32, ty: &'s TypeRef, answer: Resolved<Meta<'s>>, sets: &Sets) {
        match (ty.nullable(), answer) {
            (_, Resolved::Null) => self.null(node, ty),
            (_, Resolved::Value(value)) => self.set(node, State::Leaf(value)),
            (TypeRef::List(inner), Resolved::List(items)) => {
                let start = self.elements(node, inner, items.len());
                for (child, item) in (start..).zip(items) {
                    self.meta(child, inner, item, sets);
                }
            }
            (named, Resolved::Object(meta)) => {
                let ty = self
                    .schema()
                    .table
                    .get(named.name())
                    .expect("introspection is declared");
                self.work.push(Work {
                    node,
                    parent: Parent::Meta(meta),
                    ty,
                    sets: sets.clone(),
                });
            }
            (_, Resolved::List(_)) => self.mismatch(node, ty, "a list"),
        }
    }

    fn set(&mut self, node: u32, state: State) {
        self.nodes[node as usize].state = state;
    }

    fn null(&mut self, node: u32, ty: &TypeRef) {
        if self.nodes[node as usize].nullable {
            self.set(node, State::Null);
        } else if ty.name() == "Void" {
            // Older declarations promise `Void!`; it is null all the same.
            self.set(node, State::Leaf(Value::Null));
        } else {
            self.fail(
                node,
                FieldError::new(format!("the field promises {ty} but has no value")),
            );
        }
    }

    /// Records an error and nulls the nearest value that may be null.
    fn fail(&mut self, node: u32, error: FieldError) {
        let entry = ErrorEntry {
            message: error.message,
            path: self.path(node),
            locations: self.location(node),
            extensions: error.extensions,
        };
        self.errors.push((node, entry));
        let mut at = node;
        while !self.nodes[at as usize].nullable {
            at = self.nodes[at as usize].parent;
        }
        self.set(at, State::Null);
    }

    fn path(&self, node: u32) -> Vec<Value> {
        let mut path = Vec::new();
        let mut at = node;
        loop {
            let current = &self.nodes[at as usize];
            match current.key {
                Key::Root => break,
                Key::Name(name) => path.push(Value::from(name)),
                Key::Index(index) => path.push(Value::from(index)),
            }
            at = current.parent;
        }
        path.reverse();
        path
    }

    fn location(&self, node: u32) -> Vec<Location> {
        let (line, column) = position(self.text, self.nodes[node as usize].offset as usize);
        vec![Location { line, column }]
    }

    fn into_body(mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(256);
        out.extend_from_slice(b"{\"data\":");
        write_nodes(&self.nodes, &mut out);
        if !self.errors.is_empty() {
            self.errors.sort_by_key(|(node, _)| *node);
            let errors: Vec<&ErrorEntry> = self.errors.iter().map(|(_, entry)| entry).collect();
            out.extend_from_slice(b",\"errors\":");
            serde_json::to_writer(&mut out, &errors).expect("errors are plain data");
        }
        out.push(b'}');
        out
    }
}

fn merge(sets: &mut Sets, set: Set) {
    match sets {
        Sets::One(first) => *sets = Sets::Many(vec![*first, set]),
        Sets::Many(all) => all.push(set),
    }
}

/// Turns a resolver's panic into an error of its field.
async fn guard<B: Backend>(node: u32, mut future: OutcomeFuture<B>) -> (u32, Outcome<B>) {
    let outcome = std::future::poll_fn(move |cx| {
        let poll = AssertUnwindSafe(|| future.as_mut().poll(cx));
        catch_unwind(poll).unwrap_or_else(|_| Poll::Ready(Err(panicked())))
    });
    (node, outcome.await)
}

fn panicked() -> FieldError {
    FieldError::new("internal error: a resolver panicked")
}

/// Writes the response's data as JSON, without recursion.
fn write_nodes(nodes: &[Node<'_>], out: &mut Vec<u8>) {
    // What is still to be written: values, and the text between them.
    enum Todo {
        Node(u32),
        Children(std::ops::Range<u32>, u8),
    }
    let mut todo = vec![Todo::Node(0)];
    while let Some(next) = todo.pop() {
        match next {
            Todo::Node(at) => match &nodes[at as usize].state {
                // Pending is left only where an ancestor was nulled, and those are not entered.
                State::Null | State::Pending => out.extend_from_slice(b"null"),
                State::Leaf(value) => {
                    serde_json::to_writer(&mut *out, value).expect("values are plain data");
                }
                State::Object(children) => {
                    out.push(b'{');
                    todo.push(Todo::Children(children.clone(), b'}'));
                }
                State::List(children) => {
                    out.push(b'[');
                    todo.push(Todo::Children(children.clone(), b']'));
                }
            },
            Todo::Children(mut children, close) => {
                let Some(child) = children.next() else {
                    out.push(close);
                    continue;
                };
                if !matches!(out.last(), Some(b'{' | b'[')) {
                    out.push(b',');
                }
                if let Key::Name(name) = nodes[child as usize].key {
                    // Names need no escaping: letters, digits and underscores.
                    out.push(b'"');
                    out.extend_from_slice(name.as_bytes());
                    out.extend_from_slice(b"\":");
                }
                todo.push(Todo::Children(children, close));
                todo.push(Todo::Node(child));
            }
        }
    }
}
