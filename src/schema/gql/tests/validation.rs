//! What is refused before anything runs, and declarations that contradict each other.

use super::toy::{Container, Toy, refusal, registry, run, run_at};
use crate::schema::gql::{Registry, Request, Schema, View};

#[tokio::test]
async fn mistakes_are_named_with_a_suggestion() {
    for (query, why) in [
        (
            "{container{frm(address:\"a\"){id}}}",
            "type \"Container\" has no field \"frm\"; did you mean \"from\"?",
        ),
        (
            "{container{from(adress:\"a\",address:\"b\"){id}}}",
            "unknown argument \"adress\" on field \"Container.from\"; did you mean \"address\"?",
        ),
        (
            "{container{from{id}}}",
            "argument \"address\" of type \"String!\" is required on field \"Container.from\"",
        ),
        (
            "{container{from(address:null){id}}}",
            "argument \"address\" of type \"String!\" is required on field \"Container.from\"",
        ),
        (
            "{container{from(address:\"a\",address:\"b\"){id}}}",
            "argument \"address\" is given twice on field \"Container.from\"",
        ),
        (
            "{container{from(address:\"\\q\"){id}}}",
            "syntax error: unknown escape in string",
        ),
        (
            "{container{loadContainerFromID(id:\"\"){id}}}",
            "type \"Container\" has no field \"loadContainerFromID\"",
        ),
        (
            "{loadContainerFromID(id:\"\"){id}}",
            "argument \"id\" of type \"ID!\" is required on field \"Query.loadContainerFromID\"",
        ),
        (
            "{version{length}}",
            "field \"Query.version\" gives \"String!\", which has no fields to select",
        ),
        (
            "{container{labels}}",
            "field \"Container.labels\" gives \"[Label!]!\": select fields of it",
        ),
        (
            "{version version:protocol}",
            "\"version\" is selected twice with different meaning; use an alias",
        ),
        ("{...F}", "there is no fragment \"F\""),
        (
            "{...F} fragment F on Query{...G} fragment G on Query{...F}",
            "fragment \"F\" contains itself",
        ),
        (
            "{... on Contaner{id}}",
            "there is no type \"Contaner\"; did you mean \"Container\"?",
        ),
        (
            "{... on String{id}}",
            "a fragment cannot be on \"String\", which has no fields",
        ),
        ("{version @loud}", "there is no directive \"@loud\""),
        (
            "{version @skip}",
            "directive \"@skip\": needs exactly the argument \"if\"",
        ),
        ("mutation{version}", "there are only queries, no mutation"),
        (
            "query A{version} query B{version}",
            "the request has several operations; say which by operationName",
        ),
        ("", "syntax error: there is no operation in the request"),
        ("{version", "syntax error: expected a field, found the end"),
        ("{}", "syntax error: expected a field, found `}`"),
        ("{container{}}", "syntax error: expected a field, found `}`"),
        (
            "{version}}",
            "syntax error: expected a query or fragment, found `}`",
        ),
        (
            "subscribe{version}",
            "syntax error: expected a query or fragment, found `subscribe`",
        ),
    ] {
        let found = refusal(query).await;
        assert!(
            found.iter().any(|message| message == why),
            "{query}: {found:?}"
        );
    }
}

#[tokio::test]
async fn all_mistakes_of_a_request_are_reported() {
    let found = refusal("{a b c:version(x:1)}").await;
    assert_eq!(found.len(), 3, "{found:?}");
    let json = run("{version\n  nope}").await.to_json();
    assert_eq!(json["errors"][0]["locations"][0]["line"], 2);
    assert_eq!(json["data"], serde_json::Value::Null);
}

#[tokio::test]
async fn operation_name_chooses() {
    let request = Request {
        query: "query A{version} query B{protocol}".to_owned(),
        operation_name: Some("B".to_owned()),
        variables: None,
    };
    let response = run_at(View::LATEST, request).await;
    assert_eq!(response.to_json()["data"]["protocol"], "TCP");
}

#[tokio::test]
async fn bodies_of_all_clients_are_read() {
    for body in [
        r#"{"query":"{version}"}"#,
        r#"{"query":"query{version}","variables":null}"#,
        r#"{"query":"query{version}","operationName":""}"#,
        r#"{"query":"{version}","operationName":null,"variables":{},"extensions":{}}"#,
    ] {
        let request: Request = serde_json::from_str(body).expect("a body of a client");
        assert!(run_at(View::LATEST, request).await.executed, "{body}");
    }
}

#[test]
fn contradicting_declarations_are_reported() {
    type Change = fn(&mut Registry<Toy>);
    let cases: [(Change, &str); 9] = [
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "Strng!", |f| f.resolve(|_, _, _| Ok("x")));
            },
            "Container.x: there is no type `Strng`",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "[String!", |f| f.resolve(|_, _, _| Ok("x")));
            },
            "Container.x: cannot read `[String!`: expected `]`, found the end",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "String!", |f| f);
            },
            "Container.x: has no resolver",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("from", "String!", |f| f.resolve(|_, _, _| Ok("x")));
            },
            "Container.from: declared twice",
        ),
        (
            |reg| {
                reg.enumeration("Container");
            },
            "Container: declared twice",
        ),
        (
            |reg| {
                reg.enumeration("Empty");
            },
            "Empty: has no values",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "String!", |f| {
                        f.arg("a: Int = \"x\"", "").resolve(|_, _, _| Ok("x"))
                    });
            },
            "Container.x(a:): default \"x\": expected Int, got \"x\"",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "String!", |f| {
                        f.arg("a: Directory", "").resolve(|_, _, _| Ok("x"))
                    });
            },
            "Container.x(a:): takes the object Directory",
        ),
        (
            |reg| {
                reg.object::<Container>("Container")
                    .field("x", "Pair!", |f| f.resolve(|_, _, _| Ok("x")));
            },
            "Container.x: gives the input Pair!",
        ),
    ];
    for (change, want) in cases {
        let mut reg = registry();
        change(&mut reg);
        let problems = Schema::build(reg).expect_err(want);
        let found: Vec<String> = problems.iter().map(ToString::to_string).collect();
        assert!(
            found.iter().any(|problem| problem == want),
            "{want}: {found:?}"
        );
    }
}

#[test]
fn a_registry_can_be_extended_after_a_copy_was_built() {
    let base = registry();
    let mut extended = base.clone();
    extended
        .object::<Container>("Module")
        .field("hello", "String!", |f| f.resolve(|_, _, _| Ok("hi")));
    let schema = Schema::build(extended).expect("valid");
    assert!(
        schema
            .table()
            .get("Query")
            .is_some_and(|ty| ty.field("loadModuleFromID", View::LATEST).is_some())
    );
    let schema = Schema::build(base).expect("valid");
    assert!(schema.table().get("Module").is_none());
}
