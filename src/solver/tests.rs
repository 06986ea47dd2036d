//! The solver on a worker that counts.

use super::*;
use crate::graph::{Configure, Container, Edit, Exec, Op};
use std::sync::atomic::{AtomicUsize, Ordering};
use tokio::sync::Notify;

#[derive(Default)]
struct Fake {
    runs: Mutex<Vec<String>>,
    records: Mutex<HashMap<Key, Value>>,
    world: Mutex<String>,
    /// Commands with this argument wait until told to go on.
    gate: Notify,
    waiting: Notify,
    stopped: Arc<AtomicUsize>,
}

struct CountDrop(Arc<AtomicUsize>);

impl Drop for CountDrop {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Fake {
    fn runs(&self) -> Vec<String> {
        std::mem::take(&mut *lock(&self.runs))
    }
}

fn state(env: &str) -> Value {
    let mut container = Container::scratch("linux/amd64".into());
    container.config.user = env.into();
    Value::Container(Box::new(container))
}

fn text(value: &Value) -> String {
    match value {
        Value::Container(container) => container.config.user.clone(),
        other => panic!("{other:?}"),
    }
}

fn text_of(key: KeyOf<'_>) -> &Key {
    match key {
        KeyOf::Definition(key) | KeyOf::Content(key, _) => key,
    }
}

impl Worker for Fake {
    type Error = String;

    fn identity<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
    ) -> BoxFuture<'a, Result<Option<Key>, String>> {
        let identity = matches!(vertex.op(), Op::From { .. })
            .then(|| Key::of("world", [lock(&self.world).as_bytes()]));
        futures_util::future::ready(Ok(identity)).boxed()
    }

    /// Stands for what its input is, run once more.
    fn lower<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        solver: &'a Solver<Self>,
    ) -> BoxFuture<'a, Result<Arc<Vertex>, String>> {
        async move {
            let input = &vertex.inputs()[0];
            let seen = text(&solver.solve(Arc::clone(input)).await?);
            lock(&self.runs).push(format!("lower {seen}"));
            Ok(exec(&format!("after-{seen}"), Arc::clone(input)))
        }
        .boxed()
    }

    fn recall(&self, key: KeyOf<'_>, _: &Arc<Vertex>) -> Option<Value> {
        lock(&self.records).get(text_of(key)).cloned()
    }

    fn remember(&self, key: KeyOf<'_>, _: &Arc<Vertex>, value: &Value) {
        lock(&self.records).insert(text_of(key).clone(), value.clone());
    }

    fn content_key<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
    ) -> BoxFuture<'a, Result<Option<Key>, String>> {
        let key = Key::of(
            "content",
            [fingerprint("op", vertex.op()), fingerprint("in", inputs)],
        );
        futures_util::future::ready(Ok(Some(key))).boxed()
    }

    fn run<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
        _: Option<&'a Key>,
    ) -> BoxFuture<'a, Result<Value, String>> {
        async move {
            let below = inputs.iter().map(text).collect::<Vec<_>>().join("+");
            match vertex.op() {
                Op::Exec(exec) => {
                    let name = exec.args.join(" ");
                    lock(&self.runs).push(name.clone());
                    if name == "wait" {
                        let _counted = CountDrop(Arc::clone(&self.stopped));
                        self.waiting.notify_one();
                        self.gate.notified().await;
                    }
                    if name == "fail" {
                        return Err("failed".to_owned());
                    }
                    // Whatever the command was given, `same` yields the same bytes.
                    Ok(state(if name == "same" { "same" } else { &name }))
                }
                Op::From { .. } => Ok(state(&lock(&self.world))),
                _ => Ok(state(&below)),
            }
        }
        .boxed()
    }
}

fn from() -> Arc<Vertex> {
    let scratch = Vertex::new(
        Op::Scratch {
            platform: "linux/amd64".into(),
        },
        vec![],
    );
    Vertex::new(
        Op::From {
            address: "a".into(),
        },
        vec![scratch],
    )
}

fn exec(name: &str, input: Arc<Vertex>) -> Arc<Vertex> {
    let exec = Exec {
        args: vec![name.into()],
        ..Exec::default()
    };
    Vertex::new(Op::Exec(Box::new(exec)), vec![input])
}

fn solver() -> (Arc<Fake>, Solver<Fake>) {
    let fake = Arc::new(Fake::default());
    (Arc::clone(&fake), Solver::new(fake))
}

#[tokio::test]
async fn chain_runs_once_per_session() {
    let (fake, solver) = solver();
    let chain = exec("b", exec("a", from()));
    solver.solve(Arc::clone(&chain)).await.unwrap();
    solver.solve(chain).await.unwrap();
    assert_eq!(fake.runs(), ["a", "b"]);
}

#[tokio::test]
async fn next_session_runs_nothing() {
    let (fake, first) = solver();
    first.solve(exec("b", exec("a", from()))).await.unwrap();
    fake.runs();
    let second = Solver::new(Arc::clone(&fake));
    second.solve(exec("b", exec("a", from()))).await.unwrap();
    assert_eq!(fake.runs(), [""; 0]);
    second.solve(exec("c", exec("a", from()))).await.unwrap();
    assert_eq!(fake.runs(), ["c"]);
}

#[tokio::test]
async fn changed_world_runs_again() {
    let (fake, first) = solver();
    first.solve(exec("a", from())).await.unwrap();
    *lock(&fake.world) = "new".into();
    let second = Solver::new(Arc::clone(&fake));
    second.solve(exec("a", from())).await.unwrap();
    assert_eq!(fake.runs(), ["a", "a"]);
}

#[tokio::test]
async fn same_bytes_cut_the_rebuild_short() {
    let (fake, first) = solver();
    first
        .solve(exec("later", exec("same", from())))
        .await
        .unwrap();
    fake.runs();
    *lock(&fake.world) = "new".into();
    let second = Solver::new(Arc::clone(&fake));
    second
        .solve(exec("later", exec("same", from())))
        .await
        .unwrap();
    assert_eq!(fake.runs(), ["same"], "`later` saw the same content");
}

#[tokio::test]
async fn equal_vertices_in_flight_run_once() {
    let (fake, solver) = solver();
    let (first, second) = (solver.clone(), solver.clone());
    let one = tokio::spawn(async move { first.solve(exec("wait", from())).await });
    fake.waiting.notified().await;
    let two = tokio::spawn(async move { second.solve(exec("wait", from())).await });
    tokio::task::yield_now().await;
    fake.gate.notify_one();
    assert_eq!(text(&one.await.unwrap().unwrap()), "wait");
    assert_eq!(text(&two.await.unwrap().unwrap()), "wait");
    assert_eq!(fake.runs(), ["wait"]);
}

#[tokio::test]
async fn waiter_that_leaves_does_not_stop_the_others() {
    let (fake, solver) = solver();
    let (first, second) = (solver.clone(), solver.clone());
    let one = tokio::spawn(async move { first.solve(exec("wait", from())).await });
    fake.waiting.notified().await;
    let two = tokio::spawn(async move { second.solve(exec("wait", from())).await });
    tokio::task::yield_now().await;
    one.abort();
    assert!(one.await.unwrap_err().is_cancelled());
    fake.gate.notify_one();
    assert_eq!(text(&two.await.unwrap().unwrap()), "wait");
    assert_eq!(fake.runs(), ["wait"]);
}

#[tokio::test]
async fn last_waiter_that_leaves_stops_the_run() {
    let (fake, solver) = solver();
    let first = solver.clone();
    let one = tokio::spawn(async move { first.solve(exec("wait", from())).await });
    fake.waiting.notified().await;
    one.abort();
    assert!(one.await.unwrap_err().is_cancelled());
    assert_eq!(fake.stopped.load(Ordering::SeqCst), 1);
    fake.gate.notify_one();
    assert_eq!(
        text(&solver.solve(exec("wait", from())).await.unwrap()),
        "wait"
    );
    assert_eq!(fake.runs(), ["wait", "wait"]);
}

#[tokio::test]
async fn failure_is_not_remembered() {
    let (fake, solver) = solver();
    assert_eq!(
        solver.solve(exec("fail", from())).await,
        Err("failed".to_owned())
    );
    assert_eq!(
        solver.solve(exec("fail", from())).await,
        Err("failed".to_owned())
    );
    assert_eq!(fake.runs(), ["fail", "fail"]);
}

#[tokio::test]
async fn side_inputs_are_solved() {
    let (fake, solver) = solver();
    let copy = Op::Edit(Edit::Directory(crate::graph::Copy::default()));
    let both = Vertex::new(copy, vec![exec("a", from()), exec("b", from())]);
    assert_eq!(text(&solver.solve(both).await.unwrap()), "a+b");
    assert_eq!(fake.runs(), ["a", "b"]);
}

#[tokio::test]
async fn chain_of_many_calls_does_not_recurse() {
    let (_, solver) = solver();
    let chain = (0..50_000).fold(from(), |input, n| {
        let env = Configure::Env {
            name: "N".into(),
            value: n.to_string(),
            expand: false,
        };
        Vertex::new(Op::Configure(env), vec![input])
    });
    solver.solve(exec("end", chain)).await.unwrap();
}
