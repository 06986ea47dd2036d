//! What clients may send for a declared type.

use serde_json::{Value, json};

use super::toy::{data, refusal, run_at};
use crate::schema::gql::{Request, View};

async fn echo(args: &str) -> Value {
    let data = data(&format!("{{echo({args})}}")).await;
    let text = data["echo"].as_str().expect("echo is a string").to_owned();
    serde_json::from_str(&text).expect("echo is JSON")
}

#[tokio::test]
async fn values_are_read_as_clients_write_them() {
    for (args, want) in [
        ("i: 3", json!({"i": 3})),
        ("i: \"3\"", json!({"i": 3})),
        ("i: 3.0", json!({"i": 3})),
        ("i: 5000000000", json!({"i": 5_000_000_000_i64})),
        ("f: 3", json!({"f": 3.0})),
        ("f: \"2.5\"", json!({"f": 2.5})),
        ("b: \"true\"", json!({"b": true})),
        ("s: 3", json!({"s": "3"})),
        ("s: true", json!({"s": "true"})),
        ("s: \"\"", json!({"s": ""})),
        ("s: \"\"\"\n  block 🎉\n  \"\"\"", json!({"s": "block 🎉"})),
        ("s: null", json!({})),
        ("j: \"{\\\"a\\\":1}\"", json!({"j": "{\"a\":1}"})),
        (
            "j: {a: [1, B, \"c\", null, 1.5]}",
            json!({"j": "{\"a\":[1,\"B\",\"c\",null,1.5]}"}),
        ),
        ("e: UDP", json!({"e": "UDP"})),
        ("e: \"UDP\"", json!({"e": "UDP"})),
        ("e: udp", json!({"e": "UDP"})),
        ("e: TCP_PROTOCOL", json!({"e": "TCP"})),
        ("l: 1", json!({"l": [1]})),
        ("l: [1, \"2\"]", json!({"l": [1, 2]})),
        ("l: []", json!({"l": []})),
        ("n: 1", json!({"n": [[1]]})),
        ("n: [[1, null], null]", json!({"n": [[1, null], null]})),
        (
            "p: {name: \"a\"}",
            json!({"p": [{"name": "a", "value": "none"}]}),
        ),
        ("d: null", json!({})),
        ("pl: \"linux/arm64\"", json!({"pl": "linux/arm64"})),
        ("ids: \"directory:a\"", json!({"ids": ["directory:a"]})),
    ] {
        let mut want = want;
        // `d` has a default, which fills in whenever it is not given.
        want.as_object_mut()
            .expect("an object")
            .entry("d")
            .or_insert(json!("TCP"));
        assert_eq!(echo(args).await, want, "{args}");
    }
}

#[tokio::test]
async fn wrong_values_are_refused_by_name() {
    for (args, why) in [
        (
            "i: \"x\"",
            "argument \"i\" on field \"Query.echo\": expected Int, got \"x\"",
        ),
        (
            "i: 1.5",
            "argument \"i\" on field \"Query.echo\": expected Int, got 1.5",
        ),
        (
            "i: 99999999999999999999",
            "argument \"i\" on field \"Query.echo\": expected Int, got 99999999999999999999",
        ),
        (
            "i: [1]",
            "argument \"i\" on field \"Query.echo\": expected Int, got a list",
        ),
        (
            "b: 1",
            "argument \"b\" on field \"Query.echo\": expected Boolean, got 1",
        ),
        (
            "s: bare",
            "argument \"s\" on field \"Query.echo\": expected String, got bare",
        ),
        (
            "s: {a: 1}",
            "argument \"s\" on field \"Query.echo\": expected String, got an object",
        ),
        (
            "e: UPD",
            "argument \"e\" on field \"Query.echo\": \"UPD\" is not a value of enum Protocol; did you mean \"UDP\"?",
        ),
        (
            "l: [1, null]",
            "argument \"l\" on field \"Query.echo\": expected Int, got null",
        ),
        (
            "p: [{value: \"b\"}]",
            "argument \"p\" on field \"Query.echo\": field \"name\" of Pair is required",
        ),
        (
            "p: [{nam: \"b\"}]",
            "argument \"p\" on field \"Query.echo\": Pair has no field \"nam\"; did you mean \"name\"?",
        ),
        (
            "pl: 3",
            "argument \"pl\" on field \"Query.echo\": expected Platform, got 3",
        ),
    ] {
        assert_eq!(refusal(&format!("{{echo({args})}}")).await, [why], "{args}");
    }
}

#[tokio::test]
async fn variables_work_under_old_and_new_type_names() {
    let send = |query: &str, variables: Value| {
        let variables = variables.as_object().cloned();
        run_at(
            View::LATEST,
            Request {
                query: query.to_owned(),
                operation_name: None,
                variables,
            },
        )
    };
    let from = "query($id: ContainerID!){container(id:$id){steps}}";
    for (query, variables, want) in [
        (
            from,
            json!({"id": "container:a"}),
            json!({"container": {"steps": ["a"]}}),
        ),
        (
            "query($id: ID){container(id:$id){steps}}",
            json!({}),
            json!({"container": {"steps": []}}),
        ),
        (
            "query($a: String = \"x\"){container{from(address:$a){steps}}}",
            json!({}),
            json!({"container": {"from": {"steps": ["x"]}}}),
        ),
        (
            "query($a: [String!]!){container{withExec(args:$a){steps}}}",
            json!({"a": ["b", "c"]}),
            json!({"container": {"withExec": {"steps": ["b c"]}}}),
        ),
        (
            "query($a: String!){container{withExec(args:[$a,\"z\"]){steps}}}",
            json!({"a": "b"}),
            json!({"container": {"withExec": {"steps": ["b z"]}}}),
        ),
        (
            "query($p: Pair!){container{withBuildArg(pair:$p){steps}}}",
            json!({"p": {"name": "n", "value": "v"}}),
            json!({"container": {"withBuildArg": {"steps": ["n=v"]}}}),
        ),
        (
            "query($v: String!){container{withBuildArg(pair:{name:\"n\",value:$v}){steps}}}",
            json!({"v": "v"}),
            json!({"container": {"withBuildArg": {"steps": ["n=v"]}}}),
        ),
        (
            "query($s: Boolean!){version @skip(if:$s) protocol}",
            json!({"s": true}),
            json!({"protocol": "TCP"}),
        ),
        (
            "query($e: Boolean){container{withExec(args:[\"a\"],expand:$e){steps}}}",
            json!({"e": null}),
            json!({"container": {"withExec": {"steps": ["a"]}}}),
        ),
    ] {
        let json = send(query, variables).await.to_json();
        assert_eq!(json["data"], want, "{query}: {json}");
    }
    for (query, variables, why) in [
        (
            from,
            json!({}),
            "variable \"$id\" of type \"ContainerID!\" was not sent",
        ),
        (
            "query($x: String){version}",
            json!({}),
            "variable \"$x\" is never used",
        ),
        (
            "{container{from(address:$x){id}}}",
            json!({"x": "a"}),
            "argument \"address\" on field \"Container.from\": variable \"$x\" is not defined",
        ),
        (
            "query($x: Strin!){container{from(address:$x){id}}}",
            json!({"x": "a"}),
            "variable \"$x\": there is no input type \"Strin\"",
        ),
        (
            "query($x: String!){container{withExec(args:[\"a\"],expand:$x){id}}}",
            json!({"x": "maybe"}),
            "argument \"expand\" on field \"Container.withExec\": expected Boolean, got \"maybe\"",
        ),
    ] {
        let response = send(query, variables).await;
        assert!(!response.executed, "{query}");
        assert_eq!(response.to_json()["errors"][0]["message"], why, "{query}");
    }
}
