//! Both ways to read a schema.

use super::*;
use serde_json::json;

fn core() -> std::sync::Arc<crate::schema::gql::Schema<crate::schema::Api>> {
    crate::schema::build(crate::schema::core()).expect("the core is valid")
}

fn published() -> Schema {
    let text = include_str!("../../../sdk/schema.json");
    let answer = serde_json::from_str(text).expect("is JSON");
    Schema::from_introspection(&answer).expect("is an introspection answer")
}

#[test]
fn answer_and_table_read_the_same() {
    let table = Schema::from_table(core().table(), View::LATEST);
    let published = published();
    let field = |schema: &Schema, ty: &str, name: &str| {
        let found = schema.fields(ty).iter().find(|field| field.name == name);
        found.cloned().expect("both have it")
    };
    for (ty, name) in [
        ("Container", "withMountedCache"),
        ("Query", "setSecret"),
        ("Container", "sync"),
    ] {
        let (mut ours, mut theirs) = (field(&table, ty, name), field(&published, ty, name));
        for field in [&mut ours, &mut theirs] {
            field.description.clear();
            field.args.sort_by(|a, b| a.name.cmp(&b.name));
            field
                .args
                .iter_mut()
                .for_each(|arg| arg.description.clear());
        }
        assert_eq!(ours.ty, theirs.ty);
        for arg in &ours.args {
            assert!(
                theirs.args.contains(arg),
                "{ty}.{name}: {arg:?} is not in {theirs:?}"
            );
        }
    }
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
    let core = published();
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

#[test]
fn documentation_fills_gaps_only() {
    let mut schema = published();
    let known = Schema::from_table(core().table(), View::LATEST).descriptions();
    schema.describe(&|name| known.get(name).cloned());
    let from = schema
        .fields("Container")
        .iter()
        .find(|field| field.name == "from")
        .cloned();
    let from = from.expect("is there");
    assert!(!from.description.is_empty());
    assert!(!from.args[0].description.is_empty());
}
