//! Values that are no files: JSON, variables of files, addresses, errors, what is known of a file.

use serde_json::json;

use super::Table;

#[test]
fn json_is_taken_apart_and_put_together() {
    let mut table = Table::new();
    let text = r#"{\"a\":{\"b\":[1,true,\"x\"]},\"n\":7}"#;
    let value = format!("json withContents(contents: \"{text}\")");
    let seven = table.id("json newInteger(value: 7)");
    table
        .is("a fresh value is null", "json contents", "null")
        .is(
            "contents are JSON text",
            &format!("{value} contents"),
            r#"{"a":{"b":[1,true,"x"]},"n":7}"#,
        )
        .is(
            "names keep their order",
            &format!("{value} fields"),
            json!(["a", "n"]),
        )
        .is(
            "fields are found by path",
            &format!("{value} field(path: [\"a\", \"b\"]) contents"),
            r#"[1,true,"x"]"#,
        )
        .is(
            "elements can be loaded one by one",
            &format!("{value} field(path: [\"a\", \"b\"]) asArray {{contents}}"),
            json!([{"contents": "1"}, {"contents": "true"}, {"contents": "\"x\""}]),
        )
        .is(
            "integers",
            &format!("{value} field(path: [\"n\"]) asInteger"),
            7,
        )
        .is(
            "strings",
            "json newString(value: \"q\\\"\") asString",
            "q\"",
        )
        .is("booleans", "json newBoolean(value: true) asBoolean", true)
        .is(
            "a field is set, objects on the way are made",
            &format!("json withField(path: [\"x\", \"y\"], value: {seven}) contents"),
            r#"{"x":{"y":7}}"#,
        )
        .is(
            "pretty text is indented as asked",
            &format!("json withField(path: [\"x\"], value: {seven}) contents(pretty: true, indent: \"\\t\")"),
            "{\n\t\"x\": 7\n}",
        )
        .is(
            "a file is read as JSON",
            "file(name: \"j\", contents: \"[1]\") asJSON contents",
            "[1]",
        )
        .fails(
            "a file that is no JSON is refused",
            "file(name: \"j\", contents: \"nope\") asJSON contents",
            &["j is not JSON"],
        )
        .fails(
            "a wrong type is named",
            "json newInteger(value: 7) asString",
            &["7 is not a string"],
        )
        .fails(
            "a missing field is named",
            "json field(path: [\"a\", \"b\"]) contents",
            &["a.b"],
        )
        .hold();
}

#[test]
fn env_files_are_read_and_written() {
    let mut table = Table::new();
    let text = "# c\\nA=1\\nexport B=\\\"$A two\\\"\\nC='$A'\\nAPP_X=9\\n";
    let file = format!("file(name: \".env\", contents: \"{text}\") asEnvFile");
    let id = table.id(&file);
    table
        .is("values lose their quotes and know other variables", &format!("{file} get(name: \"B\")"), "1 two")
        .is("raw values are as written", &format!("{file} get(name: \"B\", raw: true)"), "\"$A two\"")
        .is("single quotes are literal", &format!("{file} get(name: \"C\")"), "$A")
        .is("a variable exists", &format!("{file} exists(name: \"A\")"), true)
        .is("a variable does not exist", &format!("{file} exists(name: \"Z\")"), false)
        .is("it can be taken away", &format!("{file} withoutVariable(name: \"A\") exists(name: \"A\")"), false)
        .fails("a missing one is named", &format!("{file} get(name: \"Z\")"), &["Z"])
        .is(
            "a prefix makes a namespace",
            &format!("{file} namespace(prefix: \"APP_\") variables {{name value}}"),
            json!([{"name": "X", "value": "9"}]),
        )
        .is(
            "what is set can refer to others",
            "envFile withVariable(name: \"A\", value: \"dog\") withVariable(name: \"S\", value: \"the $A\") get(name: \"S\")",
            "the dog",
        )
        .is(
            "it is a file again",
            "envFile withVariable(name: \"A\", value: \"x\\ny\") asFile contents",
            "A=\"x\\ny\"\n",
        )
        .is("the file has its name", "envFile asFile name", ".env")
        .is(
            "a container takes all variables",
            &format!("ALPINE withEnvFileVariables(source: {id}) envVariable(name: \"B\")"),
            "1 two",
        )
        .fails(
            "a line that is none is named",
            "file(name: \"e\", contents: \"A=1\\nnonsense\") asEnvFile exists(name: \"A\")",
            &["e:2", "nonsense"],
        )
        .hold();
}

#[test]
fn what_functions_are_told_is_for_them_alone() {
    let mut table = Table::new();
    let refused = ["no function call is being served"];
    table
        .fails("a program has no module", "currentModule name", &refused)
        .fails(
            "and no working directory of one",
            "currentModule workdir(path: \".\") entries",
            &refused,
        )
        .fails(
            "nor files in it",
            "currentModule workdirFile(path: \"f\") contents",
            &refused,
        )
        .hold();
}

#[test]
fn addresses_name_things_of_the_host() {
    let mut table = Table::new();
    table.nsci.write("d/f.txt", "F");
    table.nsci.write("d/g.log", "G");
    table
        .is("an address is kept", "address(value: \"x\") value", "x")
        .is(
            "a directory by path, with patterns",
            "address(value: \"d\") directory(exclude: [\"*.log\"]) entries",
            json!(["f.txt"]),
        )
        .is(
            "a file by path",
            "address(value: \"./d/f.txt\") file contents",
            "F",
        )
        .is(
            "a container by image",
            "address(value: \"alpine:3.20\") container withExec(args: [\"echo\", \"hi\"]) stdout",
            "hi\n",
        )
        .is(
            "a secret by URI",
            "address(value: \"file://d/f.txt\") secret plaintext",
            "F",
        )
        .fails(
            "what is no path is refused",
            "address(value: \"gopher://x\") file contents",
            &["gopher://x"],
        )
        .hold();
}

#[test]
fn errors_carry_values() {
    Table::new()
        .is("message", "error(message: \"boom\") message", "boom")
        .is(
            "values",
            "error(message: \"boom\") withValue(name: \"n\", value: \"[1]\") values {name value}",
            json!([{"name": "n", "value": "[1]"}]),
        )
        .fails(
            "withError fails where something is asked of the directory",
            "directory withError(err: \"broken by hand\") entries",
            &["broken by hand"],
        )
        .fails(
            "and of the container",
            "container withError(err: \"broken by hand\") rootfs entries",
            &["broken by hand"],
        )
        .is(
            "no message, no error",
            "directory withError(err: \"\") entries",
            json!([]),
        )
        .hold();
}

#[test]
fn files_are_described_without_reading_them() {
    let tree = "directory withNewFile(path: \"d/f\", contents: \"12345\", permissions: 384) \
                withSymlink(target: \"d/f\", linkName: \"l\")";
    let stat = |of: &str| format!("{of} {{name size permissions fileType}}");
    let file = json!({"name": "f", "size": 5, "permissions": 0o600, "fileType": "REGULAR"});
    let mut table = Table::new();
    table
        .is("a file", &stat(&format!("{tree} stat(path: \"d/f\")")), file.clone())
        .is("a File object", &stat(&format!("{tree} file(path: \"d/f\") stat")), file)
        .is("a directory", &format!("{tree} stat(path: \"d\") fileType"), "DIRECTORY")
        .is("a link is followed", &format!("{tree} stat(path: \"l\") fileType"), "REGULAR")
        .is(
            "unless it is asked for",
            &format!("{tree} stat(path: \"l\", doNotFollowSymlinks: true) fileType"),
            "SYMLINK",
        )
        .is("nothing is null", &format!("{tree} stat(path: \"nosuch\") {{name}}"), json!(null))
        .is(
            "variables in a container's paths",
            "ALPINE withEnvVariable(name: \"D\", value: \"/etc\") stat(path: \"$D/passwd\", expand: true) name",
            "passwd",
        )
        .hold();
}
