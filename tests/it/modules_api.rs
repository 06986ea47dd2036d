//! Modules through the API: read by clients, registered by SDKs that nsci does not bring.

use serde_json::json;

use crate::support::Nsci;

const LEVELS: &str = r#"
import enum
from typing import Annotated

import dagger
from dagger import Doc, dag, enum_type, field, function, object_type


@enum_type
class Level(enum.Enum):
    LOW = "low"
    HIGH = "high"


@object_type
class Levels:
    """Levels of things."""

    start: int = field(default=1)

    @function
    def up(self, by: Annotated[int, Doc("How far")] = 2, level: Level = Level.LOW) -> int:
        """Go up."""
        return self.start + by

    @function
    def names(self) -> list[str]:
        return ["a"]
"#;

#[test]
fn clients_load_read_and_serve_modules() {
    let nsci = Nsci::new();
    nsci.write(
        "mods/levels/dagger.json",
        r#"{"name": "levels", "sdk": "python"}"#,
    );
    nsci.write("mods/levels/main.py", LEVELS);
    let session = nsci.session();
    let before = session.answer("{__type(name:\"Levels\"){name}}");
    assert_eq!(before["data"]["__type"], json!(null), "{before}");
    let source = session.answer(
        "{moduleSource(refString:\"mods/levels\"){kind moduleName configExists sourceSubpath sdk{source} \
         asModule{name description objects{kind asObject{name description fields{name} constructor{args{name defaultValue}} \
         functions{name description returnType{kind optional asList{elementTypeDef{kind}}} \
         args{name description defaultValue typeDef{kind asEnum{name}}}}}} enums{asEnum{name members{name value}}}}}}",
    );
    let source = &source["data"]["moduleSource"];
    assert_eq!(source["kind"], "LOCAL_SOURCE", "{source}");
    assert_eq!(source["moduleName"], "levels");
    assert_eq!(source["sdk"]["source"], "python");
    let object = &source["asModule"]["objects"][0]["asObject"];
    assert_eq!(object["name"], "Levels", "{source}");
    assert_eq!(object["fields"], json!([{"name": "start"}]));
    let up = &object["functions"][0];
    assert_eq!(
        (&up["name"], &up["description"]),
        (&json!("up"), &json!("Go up."))
    );
    assert_eq!(up["args"][0]["description"], "How far");
    assert_eq!(up["args"][0]["defaultValue"], "2");
    assert_eq!(
        up["args"][1]["typeDef"],
        json!({"kind": "ENUM_KIND", "asEnum": {"name": "LevelsLevel"}})
    );
    assert_eq!(
        object["functions"][1]["returnType"]["asList"]["elementTypeDef"]["kind"],
        "STRING_KIND"
    );
    let members = &source["asModule"]["enums"][0]["asEnum"]["members"];
    assert_eq!(members[1], json!({"name": "HIGH", "value": "high"}));
    let served = session.answer("{moduleSource(refString:\"mods/levels\"){asModule{serve}}}");
    assert_eq!(served["errors"], json!(null), "{served}");
    let called = session.answer("{levels(start:3){up(by:4)}}");
    assert_eq!(called["data"]["levels"]["up"], 7, "{called}");
    let defs = session.answer(
        "{currentTypeDefs(hideCore:true){name kind asObject{sourceModuleName functions{name}}}}",
    );
    let text = defs.to_string();
    assert!(
        text.contains("\"LevelsLevel\"") && text.contains("\"sourceModuleName\":\"levels\""),
        "{text}"
    );
    assert!(!text.contains("\"Container\",\"kind\""), "{text}");
    let none = session.answer("{moduleSource(refString:\"mods\"){asModule{name}}}");
    assert!(
        none["errors"][0]["message"]
            .as_str()
            .unwrap()
            .contains("no module found"),
        "{none}"
    );
    let exists =
        session.answer("{moduleSource(refString:\"mods\",allowNotExists:true){configExists}}");
    assert_eq!(exists["data"]["moduleSource"]["configExists"], false);
}

#[test]
fn types_are_built_as_sdks_build_them() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let id = |query: &str| {
        let answer = session.answer(query);
        assert_eq!(answer["errors"], json!(null), "{query}: {answer}");
        let mut value = &answer["data"];
        while let Some(next) = value.as_object().and_then(|fields| fields.values().next()) {
            value = next;
        }
        value
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned()
    };
    let string = id("{typeDef{withKind(kind:STRING_KIND){withOptional(optional:true){id}}}}");
    let list = id(&format!(
        "{{typeDef{{withListOf(elementType:\"{string}\"){{id}}}}}}"
    ));
    let function = id(&format!(
        "{{function(name:\"Say\",returnType:\"{list}\"){{withDescription(description:\"Says.\"){{withArg(name:\"who\",typeDef:\"{string}\",\
         defaultValue:\"\\\"me\\\"\",defaultPath:\"\",ignore:[]){{withCachePolicy(policy:Never){{withCheck{{id}}}}}}}}}}}}"
    ));
    let object = id(&format!(
        "{{typeDef{{withObject(name:\"Talker\",description:\"Talks.\"){{withField(name:\"Name\",typeDef:\"{string}\"){{withFunction(function:\"{function}\"){{id}}}}}}}}}}"
    ));
    let members = id(
        "{typeDef{withEnum(name:\"Mood\"){withEnumMember(name:\"GOOD\",value:\"good\"){withEnumValue(value:\"BAD\"){id}}}}}",
    );
    let module = id(&format!(
        "{{module{{withDescription(description:\"All.\"){{withObject(object:\"{object}\"){{withEnum(enum:\"{members}\"){{id}}}}}}}}}}"
    ));
    let read = session.answer(&format!(
        "{{loadModuleFromID(id:\"{module}\"){{description objects{{asObject{{name functions{{name args{{name defaultValue typeDef{{kind optional}}}} \
         returnType{{kind asList{{elementTypeDef{{kind optional}}}}}}}}}}}} enums{{asEnum{{values{{name value}}}}}}}}}}"
    ));
    let read = &read["data"]["loadModuleFromID"];
    assert_eq!(read["objects"][0]["asObject"]["name"], "Talker", "{read}");
    let say = &read["objects"][0]["asObject"]["functions"][0];
    assert_eq!(say["args"][0]["defaultValue"], "\"me\"");
    assert_eq!(
        say["args"][0]["typeDef"],
        json!({"kind": "STRING_KIND", "optional": true})
    );
    assert_eq!(
        say["returnType"]["asList"]["elementTypeDef"],
        json!({"kind": "STRING_KIND", "optional": true})
    );
    assert_eq!(
        read["enums"][0]["asEnum"]["values"],
        json!([{"name": "GOOD", "value": "good"}, {"name": "BAD", "value": "BAD"}])
    );
    for (query, wanted) in [
        (format!("{{typeDef{{withKind(kind:STRING){{withFunction(function:\"{function}\"){{id}}}}}}}}"), "no object"),
        ("{typeDef{withEnum(name:\"E\"){withEnumValue(value:\"A\"){withEnumValue(value:\"A\"){id}}}}}".to_owned(), "already"),
        (format!("{{module{{withObject(object:\"{members}\"){{id}}}}}}"), "of no object"),
        ("{currentFunctionCall{name}}".to_owned(), "no function call"),
    ] {
        let answer = session.answer(&query);
        assert!(answer["errors"][0]["message"].as_str().unwrap_or_default().contains(wanted), "{query}: {answer}");
    }
}

/// A module that is the SDK of others: their code is lines of `name: text`, their functions give the texts.
const LINES_SDK: &str = r#"
import dagger
from dagger import dag, function, object_type

RUNTIME = '''
import base64, json, os, sys, urllib.request

def ask(query):
    port, token = os.environ["DAGGER_SESSION_PORT"], os.environ["DAGGER_SESSION_TOKEN"]
    auth = base64.b64encode(f"{token}:".encode()).decode()
    request = urllib.request.Request(f"http://127.0.0.1:{port}/query", json.dumps({"query": query}).encode(),
        {"Content-Type": "application/json", "Authorization": f"Basic {auth}"})
    answer = json.load(urllib.request.urlopen(request))
    if answer.get("errors"):
        sys.exit(str(answer["errors"]))
    value = answer["data"]
    while isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    return value

lines = dict(line.split(": ", 1) for line in open("/src/code.txt").read().splitlines())
call = ask("query{currentFunctionCall{parentName name parent inputArgs{name value}}}")["parentName"]
whole = ask("query{currentFunctionCall{id}}")
name = ask("query{currentFunctionCall{name}}")
args = {arg["name"]: json.loads(arg["value"]) for arg in ask("query{currentFunctionCall{inputArgs{name value}}}")}
if not call:
    text = ask("query{typeDef{withKind(kind:STRING_KIND){id}}}")
    object = ask('query{typeDef{withObject(name:"Greetings"){id}}}')
    for key in lines:
        function = ask('query{function(name:"%s",returnType:"%s"){withArg(name:"who",typeDef:"%s",defaultValue:"\\\\"you\\\\""){id}}}' % (key, text, text))
        object = ask('query{loadTypeDefFromID(id:"%s"){withFunction(function:"%s"){id}}}' % (object, function))
    made = ask('query{module{withObject(object:"%s"){id}}}' % object)
    ask("query{currentFunctionCall{returnValue(value:%s)}}" % json.dumps(json.dumps(made)))
elif lines.get(name) == "fail":
    error = ask('query{error(message:"it fails"){withValue(name:"line",value:"7"){id}}}')
    ask('query{currentFunctionCall{returnError(error:"%s")}}' % error)
    sys.exit(2)
elif name:
    ask("query{currentFunctionCall{returnValue(value:%s)}}" % json.dumps(json.dumps(lines[name] + ", " + args["who"])))
'''


@object_type
class LinesSdk:
    @function
    async def module_runtime(self, mod_source: dagger.ModuleSource, introspection_json: dagger.File) -> dagger.Container:
        schema = await introspection_json.contents()
        if "__schema" not in schema:
            raise ValueError("no schema")
        path = await mod_source.source_subpath()
        return (
            dag.container()
            .from_("python:3.13-slim")
            .with_new_file("/runtime.py", RUNTIME)
            .with_directory("/src", mod_source.context_directory().directory(path))
            .with_workdir("/scratch")
            .with_entrypoint(["python", "/runtime.py"])
        )
"#;

#[test]
fn module_is_the_sdk_of_another() {
    let nsci = Nsci::new();
    nsci.write(
        "sdk/dagger.json",
        r#"{"name": "lines-sdk", "sdk": "python"}"#,
    );
    nsci.write("sdk/main.py", LINES_SDK);
    nsci.write(
        "greetings/dagger.json",
        r#"{"name": "greetings", "sdk": {"source": "../sdk"}}"#,
    );
    nsci.write(
        "greetings/code.txt",
        "hello: Hello\nbye: Good bye\nwrong: fail\n",
    );
    let call = |words: &[&str]| nsci.run(&[&["-s", "-m", "greetings", "call"], words].concat());
    let listed = nsci.run(&["-s", "-m", "greetings", "functions"]).ok().out;
    assert!(
        listed.contains("hello") && listed.contains("bye"),
        "{listed}"
    );
    assert_eq!(call(&["hello"]).ok().out.trim_end(), "Hello, you");
    assert_eq!(
        call(&["bye", "--who=me"]).ok().out.trim_end(),
        "Good bye, me"
    );
    call(&["wrong"]).failed(1, &["it fails"]);
    // It is used like any other.
    nsci.write(
        "user/dagger.json",
        r#"{"name": "user", "sdk": "python", "dependencies": ["../greetings"]}"#,
    );
    nsci.write(
        "user/main.py",
        "from dagger import dag, function, object_type\n\n\n@object_type\nclass User:\n    @function\n    async def say(self) -> str:\n        return await dag.greetings().hello(who='all')\n",
    );
    assert_eq!(
        nsci.run(&["-s", "-m", "user", "call", "say"])
            .ok()
            .out
            .trim_end(),
        "Hello, all"
    );
    nsci.write("none/dagger.json", r#"{"name": "none", "sdk": "../user"}"#);
    nsci.run(&["-s", "-m", "none", "functions"])
        .failed(2, &["module `user` is no SDK", "moduleRuntime"]);
    nsci.write(
        "odd/dagger.json",
        "{\"name\": \"odd\",\n \"sdk\": \"cobol\"}",
    );
    nsci.run(&["-s", "-m", "odd", "functions"])
        .failed(2, &["odd/dagger.json:2:9: unknown SDK `cobol`"]);
}
