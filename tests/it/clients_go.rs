//! The official Go client, by its requests. Its modules cannot be had where these tests run, so what it sends is
//! written here in its form: one document without spaces, arguments as literals, enums bare, objects by id, an empty
//! operation name and absent or null variables.

use crate::support::{IMAGE, Nsci, Session, leaf, post_json};
use serde_json::{Value, json};
use std::thread;

/// A session as one generation of the client starts it.
struct Client {
    nsci: Nsci,
    session: Session,
    version: (u32, u32),
}

impl Client {
    fn connect(major: u32, minor: u32, patch: u32) -> Self {
        let nsci = Nsci::new();
        let work = nsci.home().display().to_string();
        let label = format!("dagger.io/sdk.version:{major}.{minor}.{patch}");
        let args = [
            "session",
            "--workdir",
            &work,
            "--label",
            "dagger.io/sdk.name:go",
            "--label",
            &label,
        ];
        let session = Session::start(nsci.command(&args));
        let client = Self {
            nsci,
            session,
            version: (major, minor),
        };
        if client.before(0, 12) {
            let asked = client.send(&format!(
                "query{{checkVersionCompatibility(version:\"{major}.{minor}.{patch}\")}}"
            ));
            assert_eq!(asked["data"]["checkVersionCompatibility"], true, "{asked}");
        }
        client
    }

    fn before(&self, major: u32, minor: u32) -> bool {
        self.version < (major, minor)
    }

    /// Whatever goes wrong in an operation, its client only reads answers with status 200.
    fn send(&self, document: &str) -> Value {
        let (port, token) = (self.session.port, &self.session.token);
        let mut request = json!({"query": document, "operationName": ""});
        if self.before(0, 13) {
            request["variables"] = Value::Null;
        }
        let (status, body) = post_json(port, token, &request);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// The end of a chain of selections, such as `container.stdout`.
    fn select(&self, chain: &[&str]) -> Value {
        let answer = self.send(&document(chain));
        assert_eq!(answer.get("errors"), None, "{chain:?}: {answer}");
        leaf(&answer["data"]).clone()
    }

    fn text(&self, chain: &[&str]) -> String {
        self.select(chain).as_str().unwrap().to_owned()
    }
}

fn document(chain: &[&str]) -> String {
    format!("query{{{}{}", chain.join("{"), "}".repeat(chain.len()))
}

fn from() -> String {
    format!("from(address:\"{IMAGE}\")")
}

fn pipeline(major: u32, minor: u32, patch: u32) {
    let client = Client::connect(major, minor, patch);
    let from = from();
    client.nsci.write("src/sub/in.txt", "in");
    // Objects go by their ids, which are asked for first.
    let source = client.text(&["host", "directory(path:\"src\",exclude:[\"*.log\"])", "id"]);
    let cache = client.text(&["cacheVolume(key:\"go\")", "id"]);
    let name = if client.before(0, 19) {
        "directory"
    } else {
        "source"
    };
    let mounted = [
        "container",
        &from,
        &format!("withDirectory(path:\"/src\",{name}:\"{source}\",owner:\"1:1\")"),
        &format!("withMountedCache(path:\"/cache\",cache:\"{cache}\",sharing:LOCKED)"),
        "withWorkdir(path:\"/src\")",
        "withEnvVariable(name:\"NAME\",value:\"you\")",
        "withExec(args:[\"sh\",\"-c\",\"find . -type f; echo \\\"$NAME\\\" | tee out\"])",
    ];
    let ask = |last: &[&str]| client.select(&[&mounted[..], last].concat());
    assert_eq!(ask(&["stdout"]), "./sub/in.txt\nyou\n");
    let slash = if client.before(0, 17) { "" } else { "/" };
    let entries = ask(&["directory(path:\".\")", "entries"]);
    assert_eq!(entries, json!(["out", format!("sub{slash}")]));
    let out = client.nsci.home().join("out").display().to_string();
    let exported = ask(&["file(path:\"out\")", &format!("export(path:\"{out}\")")]);
    let wanted = if client.before(0, 12) {
        json!(true)
    } else {
        json!(out)
    };
    assert_eq!(exported, wanted);
    assert_eq!(client.nsci.read("out"), "you\n");
    // `Sync` gives an id, and the client goes on from there.
    let synced = ask(&["sync"]);
    let synced = synced.as_str().unwrap();
    let loaded = if client.before(0, 22) {
        client.text(&[
            &format!("loadContainerFromID(id:\"{synced}\")"),
            "envVariable(name:\"NAME\")",
        ])
    } else {
        client.text(&[
            &format!("node(id:\"{synced}\")"),
            "... on Container",
            "envVariable(name:\"NAME\")",
        ])
    };
    assert_eq!(loaded, "you");
    lists(&client, &mounted);
    entrypoints(&client);
    failures(&client);
    let (code, rest) = client.session.end();
    assert_eq!((code, rest.as_str()), (Some(0), ""));
}

/// Lists of objects: first all ids in one answer, then each element by its own.
fn lists(client: &Client, container: &[&str]) {
    let answer = client.send(&document(&[container, &["envVariables", "id"]].concat()));
    let mut at = &answer["data"];
    while let Some(object) = at.as_object() {
        at = object.values().next().unwrap();
    }
    let names: Vec<String> = thread::scope(|scope| {
        let asked: Vec<_> = at
            .as_array()
            .unwrap()
            .iter()
            .map(|one| {
                let id = one["id"].as_str().unwrap();
                scope.spawn(move || {
                    client.text(&[&format!("loadEnvVariableFromID(id:\"{id}\")"), "name"])
                })
            })
            .collect();
        asked.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(names, ["PATH", "NAME"]);
}

fn entrypoints(client: &Client) {
    let from = from();
    let said = client.text(&[
        "container",
        &from,
        "withEntrypoint(args:[\"echo\",\"entry\"])",
        "withExec(args:[\"echo\",\"x\"])",
        "stdout",
    ]);
    let wanted = if client.before(0, 12) {
        "entry echo x\n"
    } else {
        "x\n"
    };
    assert_eq!(said, wanted);
    let skipped = if client.before(0, 13) {
        "skipEntrypoint:true"
    } else {
        "useEntrypoint:false"
    };
    let said = client.text(&[
        "container",
        &from,
        "withEntrypoint(args:[\"echo\",\"entry\"])",
        &format!("withExec(args:[\"echo\",\"x\"],{skipped})"),
        "stdout",
    ]);
    assert_eq!(said, "x\n");
}

fn failures(client: &Client) {
    let failed = client.send(&document(&[
        "container",
        &from(),
        "withExec(args:[\"sh\",\"-c\",\"echo half; echo no >&2; exit 6\"])",
        "sync",
    ]));
    let extensions = &failed["errors"][0]["extensions"];
    assert_eq!(extensions["_type"], "EXEC_ERROR", "{failed}");
    assert_eq!(extensions["exitCode"], 6);
    assert_eq!(extensions["stdout"], "half");
    assert_eq!(extensions["stderr"], "no");
    assert_eq!(extensions["cmd"][0], "sh");
    let wrong = client.send(&document(&["container", "from(address:\"\")", "sync"]));
    assert!(wrong["errors"][0]["message"].is_string(), "{wrong}");
}

#[test]
fn go_0_9_works() {
    pipeline(0, 9, 11);
}

#[test]
fn go_0_11_works() {
    pipeline(0, 11, 9);
}

#[test]
fn go_0_13_works() {
    pipeline(0, 13, 7);
}

#[test]
fn go_0_15_works() {
    pipeline(0, 15, 4);
}

#[test]
fn go_0_18_works() {
    pipeline(0, 18, 19);
}

#[test]
fn go_1_0_works() {
    pipeline(1, 0, 0);
}
