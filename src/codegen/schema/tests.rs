//! Both ways to read a schema.

use super::*;
use serde_json::json;

/// The checked-in answer, from which clients outside of this program are made.
fn published() -> Json {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/sdk/schema.json");
    let written = answer(crate::codegen::core());
    if std::env::var_os("NSCI_BLESS").is_some() {
        let text = serde_json::to_string(&written).expect("is JSON") + "\n";
        std::fs::write(path, text).expect("can be written");
    }
    let text = std::fs::read_to_string(path).expect("is checked in");
    serde_json::from_str(&text).expect("is JSON")
}

/// A schema as an introspection answer.
fn answer(schema: &Schema) -> Json {
    let types: Vec<Json> = schema.types.values().map(written_type).collect();
    json!({"__schema": {"queryType": {"name": "Query"}, "types": types}})
}

fn written_type(ty: &Type) -> Json {
    let fields = |fields: &[Field]| fields.iter().map(written_field).collect::<Json>();
    let (kind, of, list) = match &ty.kind {
        Kind::Object(own) => ("OBJECT", "fields", fields(own)),
        Kind::Interface(own) => ("INTERFACE", "fields", fields(own)),
        Kind::Enum(values) => {
            let values = values.iter().map(|value| {
                json!({
                    "name": value.name,
                    "description": value.description,
                    "isDeprecated": value.deprecated.is_some(),
                    "directives": applied(&[("deprecated", "reason", &value.deprecated)]),
                })
            });
            ("ENUM", "enumValues", values.collect())
        }
        Kind::Input(own) => (
            "INPUT_OBJECT",
            "inputFields",
            own.iter().map(written_argument).collect(),
        ),
        Kind::Scalar => ("SCALAR", "fields", Json::Null),
    };
    json!({"kind": kind, "name": ty.name, "description": ty.description, of: list})
}

fn written_field(field: &Field) -> Json {
    json!({
        "name": field.name,
        "description": field.description,
        "args": field.args.iter().map(written_argument).collect::<Json>(),
        "type": written_ref(&field.ty),
        "isDeprecated": field.deprecated.is_some(),
        "directives": applied(&[
            ("deprecated", "reason", &field.deprecated),
            ("experimental", "reason", &field.experimental),
            ("expectedType", "name", &expected(&field.ty)),
        ]),
    })
}

fn written_argument(arg: &Argument) -> Json {
    json!({
        "name": arg.name,
        "description": arg.description,
        "type": written_ref(&arg.ty),
        "defaultValue": arg.default,
        "directives": applied(&[
            ("deprecated", "reason", &arg.deprecated),
            ("expectedType", "name", &expected(&arg.ty)),
        ]),
    })
}

fn applied(directives: &[(&str, &str, &Option<String>)]) -> Json {
    let put = directives.iter().filter_map(|(name, arg, value)| {
        let value = Json::from(value.as_deref()?).to_string();
        Some(json!({"name": name, "args": [{"name": arg, "value": value}]}))
    });
    put.collect()
}

fn expected(ty: &TypeRef) -> Option<String> {
    match &ty.of {
        Ref::Id(object) => Some(object.clone()),
        Ref::List(of) => expected(of),
        Ref::Named(_) => None,
    }
}

fn written_ref(ty: &TypeRef) -> Json {
    let inner = match &ty.of {
        Ref::List(of) => json!({"kind": "LIST", "name": null, "ofType": written_ref(of)}),
        of => {
            let name = match of {
                Ref::Named(name) => name,
                _ => "ID",
            };
            let core = crate::codegen::core();
            let kind = match core.get(name).map(|ty| &ty.kind) {
                Some(Kind::Object(_)) => "OBJECT",
                Some(Kind::Interface(_)) => "INTERFACE",
                Some(Kind::Enum(_)) => "ENUM",
                Some(Kind::Input(_)) => "INPUT_OBJECT",
                Some(Kind::Scalar) | None => "SCALAR",
            };
            json!({"kind": kind, "name": name, "ofType": null})
        }
    };
    match ty.nullable {
        true => inner,
        false => json!({"kind": "NON_NULL", "name": null, "ofType": inner}),
    }
}

#[test]
fn checked_in_answer_is_what_is_declared() {
    let published = Schema::from_introspection(&published()).expect("is an introspection answer");
    let declared = crate::codegen::core();
    for (name, ty) in &declared.types {
        assert_eq!(published.get(name), Some(ty), "NSCI_BLESS=1 writes it anew");
    }
    assert_eq!(published.types.len(), declared.types.len());
}

/// Older clients may leave out or rename what newer ones must give; generated clients are newer ones.
#[test]
fn older_forms_are_not_for_generated_clients() {
    let args = |ty: &str, field: &str| -> Vec<(String, bool)> {
        let fields = crate::codegen::core().fields(ty).iter();
        let found = fields.clone().find(|found| found.name == field);
        let args = &found.expect("is declared").args;
        let required = args.iter().map(|arg| (arg.name.clone(), arg.is_required()));
        required.collect()
    };
    let source = args("Directory", "withDirectory");
    assert!(source.contains(&("source".into(), true)), "{source:?}");
    assert!(!source.iter().any(|(name, _)| name == "directory"));
    let exec = args("Container", "withExec");
    assert!(exec.contains(&("useEntrypoint".into(), false)), "{exec:?}");
    assert!(!exec.iter().any(|(name, _)| name == "skipEntrypoint"));
    assert_eq!(args("Query", "secret")[0], ("uri".into(), true));
}

#[test]
fn ids_name_their_type_in_both_notations() {
    let ty = |name: &str, kind: &str| json!({"kind": kind, "name": name, "ofType": null});
    let arg = |name: &str, ty: Json, directives: Json| json!({"name": name, "type": ty, "defaultValue": null, "directives": directives});
    let expected =
        json!([{"name": "expectedType", "args": [{"name": "name", "value": "\"File\""}]}]);
    let list = json!({"kind": "LIST", "name": null, "ofType": ty("FileID", "SCALAR")});
    let answer = json!({"data": {"__schema": {"types": [
        {"kind": "OBJECT", "name": "File", "fields": [
            {"name": "join", "type": ty("File", "OBJECT"), "args": [
                arg("new", ty("ID", "SCALAR"), expected),
                arg("old", list, json!([])),
                arg("any", ty("ID", "SCALAR"), json!([])),
                arg("text", ty("GUID", "SCALAR"), json!([])),
            ]},
        ]},
        {"kind": "SCALAR", "name": "FileID"},
        {"kind": "SCALAR", "name": "GUID"},
        {"kind": "OBJECT", "name": "__Type", "fields": []},
    ]}}});
    let schema = Schema::from_introspection(&answer).expect("valid");
    assert_eq!(schema.types.keys().collect::<Vec<_>>(), ["File", "GUID"]);
    let of: Vec<_> = schema.fields("File")[0]
        .args
        .iter()
        .map(|arg| arg.ty.of.clone())
        .collect();
    let file = Ref::Id("File".into());
    let list = Ref::List(Box::new(TypeRef {
        of: file.clone(),
        nullable: true,
    }));
    assert_eq!(
        of,
        [
            file,
            list,
            Ref::Named("ID".into()),
            Ref::Named("GUID".into())
        ]
    );
}

#[test]
fn broken_answers_are_refused() {
    for (answer, wanted) in [
        (json!({}), "`types`"),
        (
            json!({"types": [{"kind": "OBJECT", "name": "A", "fields": [{"name": "b"}]}]}),
            "`b`",
        ),
        (
            json!({"types": [{"kind": "OBJECT", "name": "A", "fields": [{"name": "b", "type": {"kind": "LIST"}}]}]}),
            "too deeply",
        ),
    ] {
        let error = Schema::from_introspection(&answer).expect_err("is broken");
        assert!(error.contains(wanted), "{error}");
    }
}

#[test]
fn what_a_module_adds_is_told_apart() {
    let core = crate::codegen::core().clone();
    let mut more = core.clone();
    let string = TypeRef {
        of: Ref::Named("String".into()),
        nullable: false,
    };
    let field = Field {
        name: "hello".into(),
        description: "Greets.".into(),
        args: vec![],
        ty: string,
        deprecated: None,
        experimental: None,
    };
    let ty = Type {
        name: "Hello".into(),
        description: String::new(),
        kind: Kind::Object(vec![field.clone()]),
    };
    more.types.insert("Hello".into(), ty);
    if let Some(Kind::Object(fields)) = more.types.get_mut("Query").map(|ty| &mut ty.kind) {
        fields.push(field.clone());
    }
    let added = more.beyond(&core);
    assert_eq!(added.types.keys().collect::<Vec<_>>(), ["Hello", "Query"]);
    assert_eq!(added.fields("Query"), [field]);
}
