//! Turns a vertex into its value: looks it up, joins a run in flight, or runs it.
//!
//! The solver knows the world only through [`Worker`], so its tests count calls on a fake. A
//! vertex has two keys. The *definition key* hashes its operation and its inputs' definition
//! keys, plus what the world says where an operation names something outside (the digest behind
//! a tag, the content of a host directory); it is tried first and touches no data. The *content
//! key* hashes the operation and what the inputs really contain, so a rebuilt but identical
//! input still finds the old result.

use crate::graph::{Key, Value, Vertex, VertexId, fingerprint};
use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared, WeakShared, try_join_all},
};
use std::{
    collections::HashMap,
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// What the solver needs of the world.
pub trait Worker: Send + Sync + 'static {
    /// Why a vertex has no value.
    type Error: Clone + Send + Sync + 'static;

    /// What an operation that names something outside stands for now; `None` if it names nothing.
    fn identity<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
    ) -> BoxFuture<'a, Result<Option<Key>, Self::Error>>;

    /// What a vertex stands for whose operation [is lowered](crate::graph::Op::is_lowered). May solve others.
    fn lower<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        solver: &'a Solver<Self>,
    ) -> BoxFuture<'a, Result<Arc<Vertex>, Self::Error>>
    where
        Self: Sized;

    /// The remembered result of a key. Called for heavy operations only.
    fn recall(&self, key: KeyOf<'_>, vertex: &Arc<Vertex>) -> Option<Value>;

    /// Remembers a result under a key.
    fn remember(&self, key: KeyOf<'_>, vertex: &Arc<Vertex>, value: &Value);

    /// The key of an operation on these inputs' contents; `None` if it has none.
    fn content_key<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
    ) -> BoxFuture<'a, Result<Option<Key>, Self::Error>>;

    /// Runs the operation. Dropping the future stops it. `key` is the content key, if any.
    fn run<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
        key: Option<&'a Key>,
    ) -> BoxFuture<'a, Result<Value, Self::Error>>;
}

/// A key and what it was made of.
#[derive(Clone, Copy, Debug)]
pub enum KeyOf<'a> {
    /// A definition key: it says everything about the result.
    Definition(&'a Key),
    /// A content key: it says what was done to which content. What the inputs carry besides, such
    /// as labels that no command sees, may differ between two uses of the key.
    Content(&'a Key, &'a [Value]),
}

type Run<E> = BoxFuture<'static, Result<Value, E>>;

/// What this session knows of a vertex.
enum Known<E> {
    /// Somebody runs it; gone when all who waited went away.
    Running(WeakShared<Run<E>>),
    Done(Value),
}

/// Solves the vertices of one session. Cheap to clone.
pub struct Solver<W: Worker> {
    inner: Arc<Inner<W>>,
}

struct Inner<W: Worker> {
    worker: Arc<W>,
    vertices: Mutex<HashMap<VertexId, Known<W::Error>>>,
    definitions: Mutex<HashMap<VertexId, Key>>,
    lowered: Mutex<HashMap<VertexId, Lowered<W::Error>>>,
}

/// The vertex that another one stands for.
type Lowered<E> = Shared<BoxFuture<'static, Result<Arc<Vertex>, E>>>;

impl<W: Worker> Clone for Solver<W> {
    fn clone(&self) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
        }
    }
}

impl<W: Worker> fmt::Debug for Solver<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Solver").finish_non_exhaustive()
    }
}

impl<W: Worker> Solver<W> {
    /// A solver without memory.
    pub fn new(worker: Arc<W>) -> Self {
        Self {
            inner: Arc::new(Inner {
                worker,
                vertices: Mutex::default(),
                definitions: Mutex::default(),
                lowered: Mutex::default(),
            }),
        }
    }

    /// The value of a vertex.
    ///
    /// Equal vertices in flight run once. A caller that goes away does not stop what others wait
    /// for; the last one does.
    pub fn solve(&self, leaf: Arc<Vertex>) -> BoxFuture<'static, Result<Value, W::Error>> {
        let this = self.clone();
        async move {
            let (value, path) = this.descend(leaf).await?;
            // What is copied or mounted into the chain is made while the chain is.
            let sides = path
                .iter()
                .flat_map(|vertex| vertex.inputs().iter().skip(1));
            let sides = try_join_all(sides.map(|side| this.solve(Arc::clone(side))));
            let (value, _) =
                futures_util::future::try_join(this.ascend(value, &path), sides).await?;
            Ok(value)
        }
        .boxed()
    }

    /// Runs the vertices of a path that [`Self::descend`] found, the last first.
    async fn ascend(
        &self,
        mut value: Option<Value>,
        path: &[Arc<Vertex>],
    ) -> Result<Value, W::Error> {
        for vertex in path.iter().rev() {
            value = Some(self.shared(vertex, value).await?);
        }
        Ok(value.expect("a path that starts without a value has a vertex without inputs"))
    }

    /// Follows receivers down to a known value. Returns it and the vertices above it, leaf first;
    /// no value if the last vertex has no inputs.
    async fn descend(
        &self,
        leaf: Arc<Vertex>,
    ) -> Result<(Option<Value>, Vec<Arc<Vertex>>), W::Error> {
        let mut path = Vec::new();
        let mut current = leaf;
        loop {
            if current.op().is_lowered() {
                current = self.lowered(&current).await?;
                continue;
            }
            if let Some(known) = self.known(&current) {
                return Ok((Some(known.await?), path));
            }
            if current.op().is_heavy() {
                let key = self.definition_key(&current).await?;
                if let Some(value) = self.inner.worker.recall(KeyOf::Definition(&key), &current) {
                    self.settle(&current, &value);
                    return Ok((Some(value), path));
                }
            }
            let receiver = current.inputs().first().cloned();
            path.push(current);
            match receiver {
                Some(receiver) => current = receiver,
                None => return Ok((None, path)),
            }
        }
    }

    /// What a vertex stands for, found out once.
    async fn lowered(&self, vertex: &Arc<Vertex>) -> Result<Arc<Vertex>, W::Error> {
        let running = {
            let mut lowered = lock(&self.inner.lowered);
            let start = || {
                let (this, vertex) = (self.clone(), Arc::clone(vertex));
                async move { this.inner.worker.lower(&vertex, &this).await }
                    .boxed()
                    .shared()
            };
            lowered
                .entry(vertex.id().clone())
                .or_insert_with(start)
                .clone()
        };
        let result = running.await;
        if result.is_err() {
            lock(&self.inner.lowered).remove(vertex.id());
        }
        result
    }

    fn known(&self, vertex: &Vertex) -> Option<Shared<Run<W::Error>>> {
        match lock(&self.inner.vertices).get(vertex.id())? {
            Known::Running(weak) => weak.upgrade(),
            Known::Done(value) => Some(
                futures_util::future::ready(Ok(value.clone()))
                    .boxed()
                    .shared(),
            ),
        }
    }

    fn settle(&self, vertex: &Vertex, value: &Value) {
        lock(&self.inner.vertices).insert(vertex.id().clone(), Known::Done(value.clone()));
    }

    /// Runs one vertex whose receiver is known, joining a run in flight.
    async fn shared(
        &self,
        vertex: &Arc<Vertex>,
        receiver: Option<Value>,
    ) -> Result<Value, W::Error> {
        let run = {
            let mut vertices = lock(&self.inner.vertices);
            let running = match vertices.get(vertex.id()) {
                Some(Known::Done(value)) => return Ok(value.clone()),
                Some(Known::Running(weak)) => weak.upgrade(),
                None => None,
            };
            running.unwrap_or_else(|| {
                let (this, vertex) = (self.clone(), Arc::clone(vertex));
                let id = vertex.id().clone();
                let run = async move { this.evaluate(&vertex, receiver).await }
                    .boxed()
                    .shared();
                let weak = run
                    .downgrade()
                    .expect("a future that was not polled is not done");
                vertices.insert(id, Known::Running(weak));
                run
            })
        };
        let result = run.await;
        match &result {
            Ok(value) => self.settle(vertex, value),
            // A failure is told to all who waited, and tried again by who asks later.
            Err(_) => self.forget_failed(vertex),
        }
        result
    }

    fn forget_failed(&self, vertex: &Vertex) {
        let mut vertices = lock(&self.inner.vertices);
        let ended = matches!(
            vertices.get(vertex.id()),
            Some(Known::Running(weak)) if weak.upgrade().is_none_or(|run| run.peek().is_some())
        );
        if ended {
            vertices.remove(vertex.id());
        }
    }

    async fn evaluate(
        &self,
        vertex: &Arc<Vertex>,
        receiver: Option<Value>,
    ) -> Result<Value, W::Error> {
        let others = vertex
            .inputs()
            .iter()
            .skip(1)
            .map(|input| self.solve(Arc::clone(input)));
        let mut inputs: Vec<Value> = receiver.into_iter().collect();
        inputs.extend(try_join_all(others).await?);
        let worker = &self.inner.worker;
        if !vertex.op().is_heavy() {
            return worker.run(vertex, &inputs, None).await;
        }
        let content = worker.content_key(vertex, &inputs).await?;
        let known = content
            .as_ref()
            .and_then(|key| worker.recall(KeyOf::Content(key, &inputs), vertex));
        let value = match known {
            Some(value) => value,
            None => {
                let value = worker.run(vertex, &inputs, content.as_ref()).await?;
                if let Some(key) = &content {
                    worker.remember(KeyOf::Content(key, &inputs), vertex, &value);
                }
                value
            }
        };
        if content.is_some() {
            let definition = self.definition_key(vertex).await?;
            worker.remember(KeyOf::Definition(&definition), vertex, &value);
        }
        Ok(value)
    }

    /// What a vertex means besides what it says.
    fn identity<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
    ) -> BoxFuture<'a, Result<Option<Key>, W::Error>> {
        if !vertex.op().is_lowered() {
            return self.inner.worker.identity(vertex);
        }
        async move {
            let meant = self.lowered(vertex).await?;
            self.definition_key(&meant).await.map(Some)
        }
        .boxed()
    }

    /// The definition key of a vertex, computed for everything below it first.
    pub async fn definition_key(&self, vertex: &Arc<Vertex>) -> Result<Key, W::Error> {
        let order = {
            let known = lock(&self.inner.definitions);
            if let Some(key) = known.get(vertex.id()) {
                return Ok(key.clone());
            }
            unknown_below(vertex, &known)
        };
        let identities = try_join_all(order.iter().map(|vertex| self.identity(vertex))).await?;
        let mut known = lock(&self.inner.definitions);
        for (vertex, identity) in order.iter().zip(identities) {
            let own = fingerprint("definition-op", vertex.op());
            let below = vertex
                .inputs()
                .iter()
                .map(|input| known[input.id()].clone());
            let parts: Vec<Key> = std::iter::once(own).chain(below).chain(identity).collect();
            known.insert(vertex.id().clone(), Key::of("definition", &parts));
        }
        Ok(known[vertex.id()].clone())
    }
}

/// Vertices at and below `root` that are not in `known`, inputs before their users.
fn unknown_below(root: &Arc<Vertex>, known: &HashMap<VertexId, Key>) -> Vec<Arc<Vertex>> {
    let mut order = Vec::new();
    let mut seen = std::collections::HashSet::new();
    let mut stack = vec![(Arc::clone(root), false)];
    while let Some((vertex, ready)) = stack.pop() {
        if ready {
            order.push(vertex);
        } else if !known.contains_key(vertex.id()) && seen.insert(vertex.id().clone()) {
            stack.push((Arc::clone(&vertex), true));
            stack.extend(
                vertex
                    .inputs()
                    .iter()
                    .map(|input| (Arc::clone(input), false)),
            );
        }
    }
    order
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
