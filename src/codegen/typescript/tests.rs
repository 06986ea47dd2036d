//! The checked-in client is what the generator writes. `NSCI_BLESS=1` rewrites it.

use super::*;
use serde_json::{Value as Json, json};
use std::path::Path;

#[test]
fn checked_in_client_is_what_the_generator_writes() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/typescript/src/client.gen.ts");
    let written = core(crate::codegen::core());
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
