//! What requests answer.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::toy::{data, executor, run, run_at};
use crate::schema::gql::{Request, View};

#[tokio::test]
async fn answers_have_exactly_the_selected_keys() {
    for (query, want) in [
        ("{version}", json!({"version": "v1.2.3"})),
        ("query Named { v: version }", json!({"v": "v1.2.3"})),
        (
            "{container{from(address:\"a\"){withExec(args:[\"echo\",\"hi\"]){stdout}}}}",
            json!({"container": {"from": {"withExec": {"stdout": "echo hi"}}}}),
        ),
        (
            "{container{a: from(address:\"a\"){steps} b: from(address:\"b\"){steps}}}",
            json!({"container": {"a": {"steps": ["a"]}, "b": {"steps": ["b"]}}}),
        ),
        ("{maybe{steps}}", json!({"maybe": null})),
        (
            "{nothing nothingPromised}",
            json!({"nothing": null, "nothingPromised": null}),
        ),
        ("{grid}", json!({"grid": [[1, 2], [], [3]]})),
        ("{container{label}}", json!({"container": {"label": null}})),
        (
            "{__typename container{__typename rootfs{__typename}}}",
            json!({"__typename": "Query", "container": {"__typename": "Container", "rootfs": {"__typename": "Directory"}}}),
        ),
        (
            "{container{from(address:\"x\"){built{labels{name value}}}}}",
            json!({"container": {"from": {"built": {"labels": [{"name": "x", "value": "X"}, {"name": "built", "value": "BUILT"}]}}}}),
        ),
        (
            "{container{labels{name}}}",
            json!({"container": {"labels": []}}),
        ),
        ("{secretly}", json!({"secretly": "here"})),
    ] {
        assert_eq!(data(query).await, want, "{query}");
    }
}

#[tokio::test]
async fn keys_come_in_the_order_asked() {
    let response = run("{b:version container{z:steps a:steps} a:version}").await;
    let want = r#"{"data":{"b":"v1.2.3","container":{"z":[],"a":[]},"a":"v1.2.3"}}"#;
    assert_eq!(String::from_utf8_lossy(&response.body), want);
}

#[tokio::test]
async fn fragments_and_directives_choose_fields() {
    for (query, want) in [
        (
            "{...F} fragment F on Query {version ...G} fragment G on Query {protocol}",
            json!({"version": "v1.2.3", "protocol": "TCP"}),
        ),
        (
            "{... on Query {version} ... {protocol} ... on Container {steps}}",
            json!({"version": "v1.2.3", "protocol": "TCP"}),
        ),
        (
            "{a:version @skip(if:true) b:version @include(if:true) c:version @include(if:false) @skip(if:false)}",
            json!({"b": "v1.2.3"}),
        ),
        (
            "{... @skip(if:true) {version} protocol}",
            json!({"protocol": "TCP"}),
        ),
        (
            "{...F @include(if:false) protocol} fragment F on Query {version}",
            json!({"protocol": "TCP"}),
        ),
        (
            "{container{rootfs{name}} container{steps rootfs{id}}}",
            json!({"container": {"rootfs": {"name": "/", "id": "directory:/"}, "steps": []}}),
        ),
        (
            "{version ...F version} fragment F on Query {version}",
            json!({"version": "v1.2.3"}),
        ),
    ] {
        assert_eq!(data(query).await, want, "{query}");
    }
}

#[tokio::test]
async fn objects_load_by_id_in_every_way() {
    for (query, want) in [
        (
            "{container{from(address:\"a\"){id}}}",
            json!({"container": {"from": {"id": "container:a"}}}),
        ),
        (
            "{container{from(address:\"a\")}}",
            json!({"container": {"from": "container:a"}}),
        ),
        (
            "{container{from(address:\"a\"){sync}}}",
            json!({"container": {"from": {"sync": "container:a"}}}),
        ),
        (
            "{loadContainerFromID(id:\"container:a,b\"){steps}}",
            json!({"loadContainerFromID": {"steps": ["a", "b"]}}),
        ),
        (
            "{node(id:\"container:a\"){id __typename ... on Container{steps} ... on Directory{name}}}",
            json!({"node": {"id": "container:a", "__typename": "Container", "steps": ["a"]}}),
        ),
        (
            "{node(id:\"container:a\"){... on Syncer{sync} ... on Exportable{export(path:\"/x\")}}}",
            json!({"node": {"sync": "container:a", "export": "/x"}}),
        ),
        (
            "{node(id:\"directory:/\"){... on Exportable{export(path:\"/x\")} ... on Directory{name}}}",
            json!({"node": {"name": "/"}}),
        ),
        (
            "{container(id:\"container:q\"){steps}}",
            json!({"container": {"steps": ["q"]}}),
        ),
        (
            "{container(id:\"\"){steps}}",
            json!({"container": {"steps": []}}),
        ),
        (
            "{container{withDirectory(source:\"directory:d\",others:[\"directory:e\"]){steps}}}",
            json!({"container": {"withDirectory": {"steps": ["dir=d+e"]}}}),
        ),
        ("{id}", json!({"id": "query:"})),
    ] {
        assert_eq!(data(query).await, want, "{query}");
    }
}

#[tokio::test]
async fn views_choose_between_forms_of_a_field() {
    for (view, query, want) in [
        (View::new(0, 11, 9), "{renamed}", json!({"renamed": true})),
        (View::new(0, 12, 0), "{renamed}", json!({"renamed": "new"})),
        (View::new(0, 12, 0), "{old}", json!({"old": "old"})),
        (View::new(0, 13, 0), "{old}", Value::Null),
        (
            View::new(0, 18, 10),
            "{protocol}",
            json!({"protocol": "TCP_PROTOCOL"}),
        ),
        (
            View::new(0, 18, 11),
            "{protocol}",
            json!({"protocol": "TCP"}),
        ),
        (
            View::new(0, 9, 3),
            "{__schemaVersion}",
            json!({"__schemaVersion": "v0.9.3"}),
        ),
    ] {
        let response = run_at(view, Request::new(query)).await;
        assert_eq!(response.to_json()["data"], want, "{view} {query}");
    }
}

#[tokio::test]
async fn siblings_and_list_elements_run_beside_each_other() {
    let (executor, toy) = executor(View::LATEST);
    let fields: String = (0..20)
        .map(|n| format!("f{n}: container{{built{{stdout}}}} "))
        .collect();
    let response = executor
        .execute(&Request::new(format!("{{{fields}}}")))
        .await;
    assert_eq!(
        response.to_json()["data"]["f19"]["built"]["stdout"],
        "built"
    );
    assert!(toy.most.load(Ordering::SeqCst) >= 20, "{toy:?}");
}

#[tokio::test]
async fn dropping_the_future_stops_what_runs() {
    let (executor, toy) = executor(View::LATEST);
    let request = Request::new("{a: container{stdout} b: container{stdout}}");
    let hurried = tokio::time::timeout(Duration::from_millis(5), executor.execute(&request)).await;
    assert!(hurried.is_err());
    tokio::time::sleep(Duration::from_millis(60)).await;
    assert_eq!(
        (
            toy.most.load(Ordering::SeqCst),
            toy.finished.load(Ordering::SeqCst)
        ),
        (2, 0)
    );
}

#[test]
fn deep_nesting_needs_no_stack() {
    // Threads get 2 MiB by default; this proves much less is enough, also in a debug build.
    let thread = std::thread::Builder::new()
        .stack_size(256 * 1024)
        .spawn(|| {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            runtime.expect("a runtime starts").block_on(async {
                for depth in [1000, 9000] {
                    let chain = "{a:from(address:\"x\")".repeat(depth);
                    let query = format!("{{container{chain}{{__typename}}{}}}", "}".repeat(depth));
                    let body = run(&query).await.body;
                    assert!(body.ends_with(b"}}}}}"), "{depth}");
                    assert_eq!(body.iter().filter(|&&b| b == b'{').count(), depth + 3);
                }
                for unit in [
                    "{... on Query",
                    "{x:container{from(address:\"a\")",
                    "{__schema{types",
                ] {
                    let query = format!("{}{{version}}{}", unit.repeat(20_000), "}".repeat(40_000));
                    assert!(!run(&query).await.executed, "{unit}");
                }
                let branching = "{from(address:\"x\"){steps} a:from(address:\"y\")".repeat(2000);
                let query = format!("{{container{branching}{{steps}}{}}}", "}".repeat(2000));
                assert!(run(&query).await.executed);
            });
        });
    thread
        .expect("a thread starts")
        .join()
        .expect("no stack overflow");
}

#[tokio::test]
async fn a_typical_request_takes_microseconds() {
    let (executor, _) = executor(View::LATEST);
    let request = Request::new(
        "{container{from(address:\"alpine\"){withExec(args:[\"echo\",\"hi\"]){withExec(args:[\"a\"]){id}}}}}",
    );
    let start = Instant::now();
    for _ in 0..200 {
        assert!(executor.execute(&request).await.executed);
    }
    // Generous: an unoptimised build on a busy machine; the release build is some 20 times faster.
    assert!(
        start.elapsed() / 200 < Duration::from_millis(2),
        "{:?}",
        start.elapsed() / 200
    );
}
