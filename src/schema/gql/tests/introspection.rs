//! What clients learn about the schema.

use std::collections::{HashMap, HashSet};

use serde_json::{Value, json};

use super::toy::{data, executor, run_at};
use crate::schema::gql::{Request, View, docs};

/// What graphql-core asks, with everything that newer clients add.
const FULL: &str = r"
query IntrospectionQuery {
  __schema {
    description
    queryType { name kind } mutationType { name kind } subscriptionType { name kind }
    types { ...FullType }
    directives { name description isRepeatable locations args(includeDeprecated: true) { ...InputValue } }
  }
}
fragment FullType on __Type {
  kind name description specifiedByURL isOneOf
  directives { ...Applied }
  fields(includeDeprecated: true) {
    name description args(includeDeprecated: true) { ...InputValue } type { ...TypeRef }
    isDeprecated deprecationReason directives { ...Applied }
  }
  inputFields(includeDeprecated: true) { ...InputValue }
  interfaces { ...TypeRef }
  enumValues(includeDeprecated: true) { name description isDeprecated deprecationReason directives { ...Applied } }
  possibleTypes { ...TypeRef }
}
fragment InputValue on __InputValue {
  name description type { ...TypeRef } defaultValue isDeprecated deprecationReason directives { ...Applied }
}
fragment Applied on _DirectiveApplication { name args { name value } }
fragment TypeRef on __Type {
  kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name
  ofType { kind name ofType { kind name ofType { kind name } } } } } } }
}
";

async fn full(view: View) -> Value {
    let mut json = run_at(view, Request::new(FULL)).await.to_json();
    assert!(json.get("errors").is_none(), "{json}");
    json["data"]["__schema"].take()
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn by_name<'v>(values: &'v Value, name: &str) -> &'v Value {
    list(values)
        .iter()
        .find(|value| value["name"] == name)
        .unwrap_or(&Value::Null)
}

fn spelled(ty: &Value) -> String {
    match ty["kind"].as_str() {
        Some("NON_NULL") => format!("{}!", spelled(&ty["ofType"])),
        Some("LIST") => format!("[{}]", spelled(&ty["ofType"])),
        _ => ty["name"].as_str().unwrap_or("?").to_owned(),
    }
}

/// Every type reference anywhere below a value.
fn references(value: &Value, found: &mut HashSet<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| references(item, found)),
        Value::Object(fields) => {
            if fields.contains_key("kind") && !fields.contains_key("fields") {
                let name = spelled(value);
                found.insert(name.trim_matches(['[', ']', '!']).to_owned());
            }
            fields.values().for_each(|field| references(field, found));
        }
        _ => {}
    }
}

#[tokio::test]
async fn introspection_is_complete_in_every_view() {
    for view in [View::LATEST, View::new(0, 18, 19), View::new(0, 9, 3)] {
        let schema = full(view).await;
        let types: HashMap<&str, &Value> = list(&schema["types"])
            .iter()
            .filter_map(|ty| Some((ty["name"].as_str()?, ty)))
            .collect();
        assert_eq!(
            types.len(),
            list(&schema["types"]).len(),
            "names are unique"
        );
        let mut found = HashSet::new();
        references(&schema, &mut found);
        for name in found {
            assert!(
                types.contains_key(name.as_str()),
                "{view}: `{name}` is referred to but not listed"
            );
        }
        for directive in list(&schema["directives"]) {
            assert!(directive["args"].is_array(), "{directive}");
            for location in list(&directive["locations"]) {
                assert_ne!(location, "DIRECTIVE_DEFINITION");
            }
        }
        for ty in types.values() {
            let kind = ty["kind"].as_str().unwrap_or_default();
            let has = |key: &str| ty[key].is_array();
            assert_eq!(
                has("fields"),
                matches!(kind, "OBJECT" | "INTERFACE"),
                "{ty}"
            );
            assert_eq!(
                has("interfaces"),
                matches!(kind, "OBJECT" | "INTERFACE"),
                "{ty}"
            );
            assert_eq!(has("possibleTypes"), kind == "INTERFACE", "{ty}");
            assert_eq!(has("enumValues"), kind == "ENUM", "{ty}");
            assert_eq!(has("inputFields"), kind == "INPUT_OBJECT", "{ty}");
            for field in list(&ty["fields"]) {
                assert!(
                    !field["name"].as_str().unwrap_or("__").starts_with("__"),
                    "{field}"
                );
                assert!(field["args"].is_array() && field["directives"].is_array());
            }
        }
        assert_eq!(schema["mutationType"], Value::Null);
    }
}

#[tokio::test]
async fn ids_are_shown_as_the_view_knows_them() {
    for (view, id, loader, source, implements) in [
        (
            View::LATEST,
            "ID!",
            "ID!",
            "ID!",
            json!([{"name": "Node"}, {"name": "Syncer"}, {"name": "Exportable"}]),
        ),
        (
            View::new(0, 21, 9),
            "ContainerID!",
            "ContainerID!",
            "DirectoryID!",
            json!([]),
        ),
    ] {
        let schema = full(view).await;
        let container = by_name(&schema["types"], "Container");
        assert_eq!(spelled(&by_name(&container["fields"], "id")["type"]), id);
        let with_directory = by_name(&container["fields"], "withDirectory");
        let arg = by_name(&with_directory["args"], "source");
        assert_eq!(spelled(&arg["type"]), source);
        let expected =
            json!([{"name": "expectedType", "args": [{"name": "name", "value": "\"Directory\""}]}]);
        assert_eq!(arg["directives"], expected);
        let query = by_name(&schema["types"], "Query");
        let load = by_name(&query["fields"], "loadContainerFromID");
        assert_eq!(spelled(&by_name(&load["args"], "id")["type"]), loader);
        let names: Vec<Value> = list(&container["interfaces"])
            .iter()
            .map(|ty| json!({"name": ty["name"]}))
            .collect();
        let mut names = Value::Array(names);
        let mut implements = implements;
        for value in [&mut names, &mut implements] {
            if let Some(list) = value.as_array_mut() {
                list.sort_by_key(|entry| entry["name"].to_string());
            }
        }
        assert_eq!(names, implements, "{view}");
    }
}

#[tokio::test]
async fn details_are_told() {
    let container = data(
        "{__type(name:\"Container\"){description fields{name args{name defaultValue isDeprecated directives{name}}}}}",
    )
    .await;
    let container = &container["__type"];
    assert!(
        container["description"]
            .as_str()
            .is_some_and(|doc| doc.starts_with("A container."))
    );
    let exec = by_name(&container["fields"], "withExec");
    assert_eq!(
        exec["args"],
        json!([
            {"name": "args", "defaultValue": null, "isDeprecated": false, "directives": []},
            {"name": "expand", "defaultValue": "false", "isDeprecated": false, "directives": [{"name": "experimental"}]},
            {"name": "redirectStdout", "defaultValue": null, "isDeprecated": false, "directives": []},
            {"name": "skipEntrypoint", "defaultValue": "true", "isDeprecated": true, "directives": [{"name": "deprecated"}]},
        ])
    );
    for (query, want) in [
        ("{__type(name:\"Nope\"){name}}", json!({"__type": null})),
        (
            "{__type(name:\"Protocol\"){enumValues{name}}}",
            json!({"__type": {"enumValues": [{"name": "TCP"}, {"name": "UDP"}]}}),
        ),
        (
            "{__type(name:\"Protocol\"){enumValues(includeDeprecated:true){name isDeprecated directives{args{value}}}}}",
            json!({"__type": {"enumValues": [
                {"name": "TCP", "isDeprecated": false, "directives": []},
                {"name": "TCP_PROTOCOL", "isDeprecated": true, "directives": [{"args": [{"value": "\"TCP\""}]}]},
                {"name": "UDP", "isDeprecated": false, "directives": []}]}}),
        ),
        (
            "{__type(name:\"ContainerID\"){kind name}}",
            json!({"__type": {"kind": "SCALAR", "name": "ContainerID"}}),
        ),
        (
            "{__type(name:\"Query\"){__typename kind}}",
            json!({"__type": {"__typename": "__Type", "kind": "OBJECT"}}),
        ),
        (
            "{__schemaVersion __schema{queryType{name}}}",
            json!({"__schemaVersion": "v1.0.0", "__schema": {"queryType": {"name": "Query"}}}),
        ),
    ] {
        assert_eq!(data(query).await, want, "{query}");
    }
}

#[tokio::test]
async fn hidden_and_outdated_fields_are_not_shown() {
    for (view, shown) in [(View::new(0, 12, 0), true), (View::LATEST, false)] {
        let schema = full(view).await;
        let fields = &by_name(&schema["types"], "Query")["fields"];
        assert_eq!(by_name(fields, "old").is_object(), shown, "{view}");
        assert!(by_name(fields, "secretly").is_null());
        assert_eq!(
            list(fields)
                .iter()
                .filter(|field| field["name"] == "renamed")
                .count(),
            1
        );
    }
}

#[tokio::test]
async fn introspection_is_answered_from_memory_the_second_time() {
    let (executor, _) = executor(View::LATEST);
    let first = executor.execute(&Request::new(FULL)).await;
    let second = executor.execute(&Request::new(FULL)).await;
    assert!(std::sync::Arc::ptr_eq(&first.body, &second.body));
    // A request that also runs resolvers is never kept.
    let mixed = Request::new("{version __schema{queryType{name}}}");
    let (first, second) = (
        executor.execute(&mixed).await,
        executor.execute(&mixed).await,
    );
    assert!(!std::sync::Arc::ptr_eq(&first.body, &second.body));
}

#[tokio::test]
async fn exponential_introspection_is_stopped() {
    let deep = format!(
        "{}{{name}}{}",
        "{type{ofType{fields".repeat(40),
        "}".repeat(120)
    );
    let query = format!("{{__schema{{types{{fields{deep}}}}}}}");
    let json = run_at(View::LATEST, Request::new(query)).await.to_json();
    assert_eq!(
        json["errors"][0]["message"],
        "the response has too many values"
    );
    assert_eq!(json["data"], Value::Null);
}

#[test]
fn documentation_lists_and_prints_every_field() {
    let (executor, _) = executor(View::LATEST);
    let table = executor.schema().table();
    let fields = docs::fields(table, View::LATEST);
    let exec = fields
        .iter()
        .find(|field| field.ty == "Container" && field.field == "withExec");
    assert_eq!(
        exec.map(|field| field.signature.as_str()),
        Some(
            "(args: [String!]!, expand: Boolean = false, redirectStdout: String, skipEntrypoint: Boolean = true): Container!"
        )
    );
    assert!(
        fields
            .iter()
            .all(|field| !field.field.starts_with("load") && !field.ty.starts_with('_'))
    );
    let sdl = docs::sdl(table, View::LATEST);
    for part in [
        "type Container implements Syncer & Exportable & Node {",
        "    source: ID! @expectedType(name: \"Directory\")\n",
        "  sync: ID! @expectedType(name: \"Container\")\n",
        "enum Protocol {\n  \"Streams.\"\n  TCP\n",
        "input Pair {\n  name: String!\n  value: String = \"none\"\n}",
        "directive @expectedType(name: String!) on ARGUMENT_DEFINITION | FIELD_DEFINITION",
    ] {
        assert!(sdl.contains(part), "{part}\n{sdl}");
    }
}
