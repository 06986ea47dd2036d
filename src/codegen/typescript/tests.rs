//! The checked-in client is what the generator writes. `NSCI_BLESS=1` rewrites it.

use super::*;
use serde_json::{Value as Json, json};
use std::path::Path;

/// The schema that clients are made from, with the documentation that was taken from the engine.
fn documented() -> Schema {
    let read = |path: &str| -> Json {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
        let text = std::fs::read_to_string(path).expect("is checked in");
        serde_json::from_str(&text).expect("is JSON")
    };
    let mut schema = Schema::from_introspection(&read("sdk/schema.json")).expect("is a schema");
    let notes = read("sdk/descriptions.json");
    let note = |name: &str, text: &mut String| {
        if let (true, Some(known)) = (text.is_empty(), notes[name].as_str()) {
            known.clone_into(text);
        }
    };
    for ty in schema.types.values_mut() {
        let owner = ty.name.clone();
        note(&owner, &mut ty.description);
        match &mut ty.kind {
            Kind::Object(fields) | Kind::Interface(fields) => {
                for field in fields {
                    let name = format!("{owner}.{}", field.name);
                    note(&name, &mut field.description);
                    for arg in &mut field.args {
                        note(&format!("{name}.{}", arg.name), &mut arg.description);
                    }
                }
            }
            Kind::Input(fields) => {
                for field in fields {
                    note(&format!("{owner}.{}", field.name), &mut field.description);
                }
            }
            Kind::Enum(values) => {
                for value in values {
                    note(&format!("{owner}.{}", value.name), &mut value.description);
                }
            }
            Kind::Scalar => {}
        }
    }
    schema
}

#[test]
fn checked_in_client_is_what_the_generator_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/typescript/src/client.gen.ts");
    let written = core(&documented());
    if std::env::var_os("NSCI_BLESS").is_some() {
        std::fs::write(&path, &written).expect("can be written");
    }
    let checked_in = std::fs::read_to_string(&path).expect("is checked in");
    let mut lines = written.lines().zip(checked_in.lines());
    let differs = lines.find(|(written, checked_in)| written != checked_in);
    assert_eq!(differs, None, "NSCI_BLESS=1 writes it anew");
    assert_eq!(written.len(), checked_in.len());
}

fn schema(types: Json) -> Schema {
    Schema::from_introspection(&json!({ "__schema": { "types": types } })).expect("is a schema")
}

fn object(name: &str, fields: Json) -> Json {
    json!({ "kind": "OBJECT", "name": name, "description": "", "fields": fields })
}

fn named(kind: &str, name: &str) -> Json {
    json!({ "kind": "NON_NULL", "ofType": { "kind": kind, "name": name } })
}

#[test]
fn dependencies_extend_the_client() {
    let container = object("Container", json!([]));
    let plain = schema(json!([object("Query", json!([])), container]));
    assert!(dependencies(&plain, &plain).ends_with("export {}\n"));
    let hello = json!({
        "name": "hello", "description": "Greets.", "type": named("OBJECT", "Hello"),
        "args": [
            { "name": "function", "description": "Which.", "type": named("SCALAR", "String") },
            { "name": "level", "type": { "kind": "ENUM", "name": "HelloLevel" } },
        ],
    });
    let build = json!({ "name": "build", "type": named("OBJECT", "Container"), "args": [] });
    let level = json!({
        "kind": "ENUM", "name": "HelloLevel",
        "enumValues": [{ "name": "VERY_LOW", "description": "Not much." }],
    });
    let seen = schema(json!([
        object("Query", json!([hello])),
        container,
        object("Hello", json!([build])),
        level,
    ]));
    let written = dependencies(&seen, &plain);
    for part in [
        "declare module \"./client.gen.js\" {\n  interface Client {",
        "    /**\n     * Greets.\n     *\n     * @param function_ Which.\n     */\n",
        "core.Client.prototype.hello = function (this: core.Client, function_: string, opts?: ClientHelloOpts): Hello {",
        "return new Hello(this, \"hello\", { function: function_, ...opts }, [\"level\"])",
        "export interface ClientHelloOpts {",
        "export class Hello extends BaseObject {",
        "  build(): core.Container {\n    return new core.Container(this, \"build\")\n  }",
        "  /** Not much. */\n  VeryLow = \"VERY_LOW\",",
    ] {
        assert!(written.contains(part), "no {part} in {written}");
    }
}

#[test]
fn members_of_enums_are_in_camel_case() {
    for (name, wanted) in [
        ("LOCKED", "Locked"),
        ("LEAVE_CONFLICT_MARKERS", "LeaveConflictMarkers"),
        ("OCIMediaTypes", "OCIMediaTypes"),
        ("Gzip", "Gzip"),
    ] {
        assert_eq!(member_name(name), wanted);
    }
}
