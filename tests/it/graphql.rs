//! What clients send and how it is answered: literals of every kind, variables, fragments, introspection, ids, and
//! requests of the Go library, which is not in reach here, as it sends them.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::thread;

use serde_json::{Value, json};

use crate::support::{IMAGE, Nsci, Session, from, nest, post, quoted, sh};

/// A connection that is kept open, as libraries do.
struct Connection<'s> {
    session: &'s Session,
    stream: BufReader<TcpStream>,
}

impl<'s> Connection<'s> {
    fn open(session: &'s Session) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", session.port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            session,
            stream: BufReader::new(stream),
        }
    }

    /// Sends a body; status and answer.
    fn post(&mut self, body: &Value) -> (u16, Value) {
        use base64::Engine as _;
        let user = format!("{}:", self.session.token);
        let auth = base64::engine::general_purpose::STANDARD.encode(user);
        let body = body.to_string();
        let request = format!(
            "POST /query HTTP/1.1\r\nHost: dagger\r\nUser-Agent: Go-http-client/1.1\r\nContent-Length: {}\r\n\
             Authorization: Basic {auth}\r\nContent-Type: application/json\r\nAccept-Encoding: gzip\r\n\r\n{body}",
            body.len()
        );
        self.stream.get_mut().write_all(request.as_bytes()).unwrap();
        let (mut status, mut length) = (0, 0);
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).unwrap();
            if let Some(rest) = line.strip_prefix("HTTP/1.1 ") {
                status = rest[..3].parse().unwrap();
            }
            if let Some(rest) = line.to_lowercase().strip_prefix("content-length: ") {
                length = rest.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.stream.read_exact(&mut answer).unwrap();
        (status, serde_json::from_slice(&answer).unwrap())
    }

    /// What a document with variables gives.
    fn ask(&mut self, query: &str, variables: Value) -> Value {
        self.post(&json!({"query": query, "variables": variables}))
            .1
    }
}

/// The first error of an answer.
#[track_caller]
fn error(answer: &Value) -> String {
    answer["errors"][0]["message"]
        .as_str()
        .unwrap_or_else(|| panic!("no error: {answer}"))
        .to_owned()
}

#[test]
fn requests_of_the_go_library_are_answered() {
    let nsci = Nsci::new();
    nsci.write("src/in.txt", "in\n");
    let session = nsci.session();
    let mut go = Connection::open(&session);
    // Its code generator leaves variables out and names no operation.
    let mut ask = |query: &str| {
        let (status, answer) = go.post(&json!({"query": query, "operationName": ""}));
        assert_eq!(status, 200, "{answer}");
        answer
    };
    let compatible = ask(r#"query{checkVersionCompatibility(version:"0.11.9")}"#);
    assert_eq!(compatible["data"]["checkVersionCompatibility"], true);
    let id = ask(r#"query{host{directory(exclude:["*.log"],path:"src"){id}}}"#);
    let directory = quoted(id["data"]["host"]["directory"]["id"].as_str().unwrap());
    let chain = |rest: &str| {
        let chain = format!(
            "container {} withDirectory(directory: {directory}, path: \"/src\") withWorkdir(path: \"/src\") {rest}",
            from(IMAGE)
        );
        format!("query{}", nest(&chain))
    };
    let ran = ask(&chain(
        "withExec(args: [\"cat\", \"in.txt\"], skipEntrypoint: true) stdout",
    ));
    let workdir = "/data/container/from/withDirectory/withWorkdir";
    let stdout = ran.pointer(&format!("{workdir}/withExec/stdout"));
    assert_eq!(stdout, Some(&json!("in\n")), "{ran}");
    // `Sync` gives an id, from which the object is made again.
    let synced = ask(&chain("sync"));
    let synced = synced.pointer(&format!("{workdir}/sync")).unwrap();
    let again = ask(&format!(
        "query{{loadContainerFromID(id:{synced}){{workdir}}}}"
    ));
    assert_eq!(
        again["data"]["loadContainerFromID"]["workdir"], "/src",
        "{again}"
    );
    let variables = ask(&chain("envVariables id"));
    let first = variables.pointer(&format!("{workdir}/envVariables/0/id"));
    let first = first.unwrap_or_else(|| panic!("{variables}"));
    let name = ask(&format!(
        "query{{loadEnvVariableFromID(id:{first}){{name}}}}"
    ));
    assert_eq!(
        name["data"]["loadEnvVariableFromID"]["name"], "PATH",
        "{name}"
    );
    // A failure is answered with 200, or the library could not tell what failed.
    let failed = ask(&chain(&format!(
        "{} sync",
        sh("echo out; echo err >&2; exit 5")
    )));
    let extensions = &failed["errors"][0]["extensions"];
    let wanted = json!({
        "_type": "EXEC_ERROR",
        "cmd": ["sh", "-c", "echo out; echo err >&2; exit 5"],
        "exitCode": 5,
        "stdout": "out",
        "stderr": "err",
    });
    assert_eq!(*extensions, wanted, "{failed}");
    assert_eq!(failed["errors"][0]["path"][0], "container", "{failed}");
}

#[test]
fn what_a_client_asks_about_its_version_decides() {
    let nsci = Nsci::new();
    let entries = "directory withNewDirectory(path: \"d\") entries";
    for (args, asked, wanted) in [
        (&[][..], None, "d/"),
        (&[], Some("0.9.3"), "d"),
        (&[], Some("v0.16.3"), "d"),
        (&["--label", "dagger.io/sdk.version:0.13.7"], None, "d"),
        (
            &["--label", "dagger.io/sdk.version:0.18.19"],
            Some("0.9.3"),
            "d",
        ),
        (&["--compat", "v0.21.0"], Some("0.9.3"), "d/"),
        (
            &[
                "--compat",
                "v0.12.0",
                "--label",
                "dagger.io/sdk.version:0.18.19",
            ],
            None,
            "d",
        ),
    ] {
        let words = [&["session"], args].concat();
        let session = Session::start(nsci.command(&words));
        if let Some(version) = asked {
            session.leaf(&format!(
                "checkVersionCompatibility(version: {})",
                quoted(version)
            ));
        }
        assert_eq!(session.leaf(entries), json!([wanted]), "{args:?} {asked:?}");
    }
    let session = nsci.session();
    let answer = session.answer(r#"{checkVersionCompatibility(version: "soon")}"#);
    assert!(
        error(&answer).contains("`soon` is not a version"),
        "{answer}"
    );
}

#[test]
fn values_are_taken_as_clients_write_them() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let mut client = Connection::open(&session);
    let port = |args: &str| {
        format!("{{container{{withExposedPort({args}){{exposedPorts{{port protocol}}}}}}}}")
    };
    let port_is = |port: u16, protocol: &str| json!([{"port": port, "protocol": protocol}]);
    let ports = "/data/container/withExposedPort/exposedPorts";
    let contents = "/data/file/contents";
    let modes = "/data/directory/withNewFile/file/contents";
    for (query, variables, pointer, wanted) in [
        (port("port: 80, protocol: UDP"), json!({}), ports, port_is(80, "UDP")),
        // PHP, Elixir and shells quote enums and numbers.
        (port(r#"port: "80", protocol: "UDP""#), json!({}), ports, port_is(80, "UDP")),
        (port(r#"port: "80", protocol: "udp""#), json!({}), ports, port_is(80, "UDP")),
        (port("port: 80.0"), json!({}), ports, port_is(80, "TCP")),
        (port("port: 8e1, description: null"), json!({}), ports, port_is(80, "TCP")),
        (
            format!("query($p: Int!, $k: NetworkProtocol){}", port("port: $p, protocol: $k")),
            json!({"p": "80", "k": "UDP"}),
            ports,
            port_is(80, "UDP"),
        ),
        (
            format!("query($p: Int = 81, $k: NetworkProtocol){}", port("port: $p, protocol: $k")),
            json!({}),
            ports,
            port_is(81, "TCP"),
        ),
        (
            "query Q($c: String!){file(name: \"f\", contents: $c){contents}}".into(),
            json!({"c": "a\"\\\n\u{1F680}"}),
            contents,
            json!("a\"\\\n\u{1F680}"),
        ),
        (
            r#"{file(name: "f", contents: """
                block "quoted"
                  text \""" end
            """){contents}}"#
                .into(),
            json!({}),
            contents,
            json!("block \"quoted\"\n  text \"\"\" end"),
        ),
        (
            r#"{file(name: "f", contents: "\u0041\u{1F680}\ud83d\ude80\t"){contents}}"#.into(),
            json!({}),
            contents,
            json!("A\u{1F680}\u{1F680}\t"),
        ),
        (
            r#"{directory{withNewFile(path: "f", contents: "x", permissions: "420"){file(path: "f"){contents}}}}"#
                .into(),
            json!({}),
            modes,
            json!("x"),
        ),
        // One value stands for a list of one.
        (
            r#"{container{withDefaultArgs(args: "one"){defaultArgs}}}"#.into(),
            json!({}),
            "/data/container/withDefaultArgs/defaultArgs",
            json!(["one"]),
        ),
        // An empty id is none.
        (r#"{container(id: ""){workdir}}"#.into(), json!({}), "/data/container/workdir", json!("/")),
        // A list whose elements are variables.
        (
            "query($a: String!){container{withDefaultArgs(args: [$a, \"b\"]){defaultArgs}}}".into(),
            json!({"a": "a"}),
            "/data/container/withDefaultArgs/defaultArgs",
            json!(["a", "b"]),
        ),
    ] {
        let answer = client.ask(&query, variables);
        assert_eq!(answer.pointer(pointer), Some(&wanted), "{query}: {answer}");
    }
    for (query, variables, wanted) in [
        (
            "{container{withExposedPort(port: \"x\"){id}}}",
            json!({}),
            "expected Int, got \"x\"",
        ),
        (
            "{container{withExposedPort(port: 80.5){id}}}",
            json!({}),
            "expected Int, got 80.5",
        ),
        (
            "{container{withExposedPort(protocol: TCP){id}}}",
            json!({}),
            "\"port\"",
        ),
        (
            "{container{withExposedPort(port: 1, protocol: TPC){id}}}",
            json!({}),
            "did you mean \"TCP\"?",
        ),
        (
            "{container{withExec(arg: []){id}}}",
            json!({}),
            "did you mean \"args\"?",
        ),
        ("{contaner{id}}", json!({}), "did you mean \"container\"?"),
        (
            "query($x: Int!){container{withExposedPort(port: $x){id}}}",
            json!({}),
            "$x",
        ),
        (
            "{container{withExposedPort(port: $x){id}}}",
            json!({}),
            "$x",
        ),
        ("{container{", json!({}), "expected"),
        ("mutation{container{id}}", json!({}), "mutation"),
        ("{container{from}}", json!({}), "address"),
        (
            "{a: version b: version c}",
            json!({}),
            "type \"Query\" has no field \"c\"",
        ),
    ] {
        let (status, answer) = client.post(&json!({"query": query, "variables": variables}));
        assert_eq!(status, 422, "{query}: {answer}");
        assert!(error(&answer).contains(wanted), "{query}: {answer}");
    }
}

#[test]
fn fragments_aliases_and_directives_select() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let container = session.id("container withWorkdir(path: \"/w\")");
    let mut client = Connection::open(&session);
    let node = |selection: &str| format!("{{node(id: {container}){{{selection}}}}}");
    for (query, wanted) in [
        (
            node("... on Container{workdir}"),
            json!({"node": {"workdir": "/w"}}),
        ),
        (
            node("__typename id ... on Directory{entries}"),
            json!({"node": {"__typename": "Container", "id": "?"}}),
        ),
        (
            node("... on Syncer{__typename} ... on Exportable{id} ... on Service{id}"),
            json!({"node": {"__typename": "Container", "id": "?"}}),
        ),
        (
            node("...{__typename}"),
            json!({"node": {"__typename": "Container"}}),
        ),
        (
            format!(
                "{} fragment F on Container{{dir: workdir ...G}} fragment G on Container{{user}}",
                node("...F")
            ),
            json!({"node": {"dir": "/w", "user": ""}}),
        ),
        (
            "{a: version @skip(if: true) b: defaultPlatform @include(if: false) __typename}".into(),
            json!({"__typename": "Query"}),
        ),
        (
            "{container{withWorkdir(path: \"/a\"){workdir} withWorkdir(path: \"/a\"){user}}}"
                .into(),
            json!({"container": {"withWorkdir": {"workdir": "/a", "user": ""}}}),
        ),
    ] {
        let mut answer = client.ask(&query, json!({}));
        if let Some(id) = answer.pointer_mut("/data/node/id") {
            *id = json!("?");
        }
        assert_eq!(answer["data"], wanted, "{query}: {answer}");
    }
    let query = "query($no: Boolean!){version @include(if: $no) __typename @skip(if: $no)}";
    assert_eq!(
        client.ask(query, json!({"no": false}))["data"],
        json!({"__typename": "Query"})
    );
    let unknown = client.ask("{version @later}", json!({}));
    assert!(error(&unknown).contains("@later"), "{unknown}");
}

#[test]
fn introspection_is_answered_in_its_old_and_new_form() {
    let nsci = Nsci::new();
    let both = "name args{name type{name ofType{name}}} isDeprecated";
    for (compat, argument) in [("v0.20.0", "DirectoryID"), ("v1.0.0", "ID")] {
        let session = Session::start(nsci.command(&["session", "--compat", compat]));
        // 2021, and with what came later.
        for fields in ["fields(includeDeprecated: true)", "fields"] {
            let query = format!("{{__type(name: \"Container\"){{kind {fields}{{{both}}}}}}}");
            let answer = session.answer(&query);
            let fields = answer["data"]["__type"]["fields"].as_array().unwrap();
            let with = fields
                .iter()
                .find(|field| field["name"] == "withMountedDirectory")
                .unwrap();
            let source = with["args"].as_array().unwrap();
            let source = source.iter().find(|arg| arg["name"] == "source").unwrap();
            assert_eq!(source["type"]["ofType"]["name"], argument, "{compat}");
        }
        let answer = session.answer(
            "{__schemaVersion __schema{queryType{name kind} mutationType{name} subscriptionType{name} \
             directives{name isRepeatable locations args(includeDeprecated: true){name defaultValue}} \
             types{kind name interfaces{name} possibleTypes{name} specifiedByURL isOneOf \
             fields(includeDeprecated: true){name directives{name args{name value}} \
             args(includeDeprecated: true){name defaultValue isDeprecated directives{name args{name value}}}} \
             inputFields(includeDeprecated: true){name defaultValue} enumValues(includeDeprecated: true){name}}}}",
        );
        assert_eq!(answer.get("errors"), None);
        let schema = &answer["data"]["__schema"];
        assert_eq!(schema["queryType"]["name"], "Query");
        assert_eq!(schema["mutationType"], Value::Null);
        assert_eq!(answer["data"]["__schemaVersion"], compat);
        let types = schema["types"].as_array().unwrap();
        let query = types.iter().find(|ty| ty["name"] == "Query").unwrap();
        let fields = query["fields"].as_array().unwrap();
        let has = |name: &str| fields.iter().any(|field| field["name"] == name);
        assert!(has("loadContainerFromID") && has("node"), "{compat}");
        let known: Vec<&str> = [
            "QUERY",
            "MUTATION",
            "SUBSCRIPTION",
            "FIELD",
            "FRAGMENT_DEFINITION",
            "FRAGMENT_SPREAD",
            "INLINE_FRAGMENT",
            "VARIABLE_DEFINITION",
            "SCHEMA",
            "SCALAR",
            "OBJECT",
            "FIELD_DEFINITION",
            "ARGUMENT_DEFINITION",
            "INTERFACE",
            "UNION",
            "ENUM",
            "ENUM_VALUE",
            "INPUT_OBJECT",
            "INPUT_FIELD_DEFINITION",
        ]
        .to_vec();
        for directive in schema["directives"].as_array().unwrap() {
            assert!(directive["args"].is_array(), "{directive}");
            for location in directive["locations"].as_array().unwrap() {
                assert!(known.contains(&location.as_str().unwrap()), "{directive}");
            }
        }
    }
}

#[test]
fn ids_are_opaque_typed_and_of_their_session() {
    let nsci = Nsci::new();
    let chain = "container withEnvVariable(name: \"A\", value: \"1\") withEnvVariable(name: \"B\", value: \"2\")";
    let (session, other) = (nsci.session(), nsci.session());
    let container = session.id(chain);
    assert_eq!(container, session.id(chain), "equal objects are one");
    assert!(container.len() < 80, "{container}");
    // Made by another session, even of the same object, an id means nothing.
    assert_ne!(container, other.id(chain));
    let answer = other.answer(&format!("{{node(id: {container}){{id}}}}"));
    assert!(error(&answer).contains("unknown object id"), "{answer}");

    let mut client = Connection::open(&session);
    let id: String = serde_json::from_str(&container).unwrap();
    for ty in ["ContainerID", "ID", "String"] {
        for field in ["loadContainerFromID", "container"] {
            let query = format!("query($id: {ty}!){{{field}(id: $id){{workdir}}}}");
            let answer = client.ask(&query, json!({"id": id}));
            assert_eq!(answer["data"][field]["workdir"], "/", "{query}: {answer}");
        }
    }
    let wrong = client.ask(
        "query($id: DirectoryID!){loadDirectoryFromID(id: $id){id}}",
        json!({"id": id}),
    );
    assert_eq!(error(&wrong), "expected \"Directory\" ID, got Container ID");
    let wrong = session.answer(&format!(
        "{{directory{{withDirectory(path: \"/\", source: {container}){{id}}}}}}"
    ));
    assert_eq!(error(&wrong), "expected \"Directory\" ID, got Container ID");
    let unknown = session.answer(r#"{loadContainerFromID(id: "Container:0123"){id}}"#);
    assert!(
        error(&unknown).contains("unknown object id `Container:0123`"),
        "{unknown}"
    );

    // Elements of lists have ids of their own.
    let query = format!("{{loadContainerFromID(id: {container}){{envVariables{{id}}}}}}");
    let ids = session.answer(&query)["data"]["loadContainerFromID"]["envVariables"].clone();
    let values: Vec<Value> = ids
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| {
            let query = format!(
                "{{node(id: {}){{... on EnvVariable{{value}}}}}}",
                entry["id"]
            );
            session.answer(&query)["data"]["node"]["value"].clone()
        })
        .collect();
    assert_eq!(values, [json!("1"), json!("2")]);
}

#[test]
fn nested_sessions_load_ids_they_are_given() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let file = session.id("file(name: \"f\", contents: \"passed on\\n\")");
    let request = |query: &str| {
        let body = quoted(&json!({"query": query}).to_string());
        format!(
            "wget -q -O - --header \"Authorization: Basic $(printf '%s:' \"$DAGGER_SESSION_TOKEN\" | base64 | tr -d '\\n')\" \
             --header 'Content-Type: application/json' --post-data {body} \
             http://127.0.0.1:$DAGGER_SESSION_PORT/query"
        )
    };
    let nested = |query: &str| {
        let script = quoted(&request(query));
        session.text(&format!(
            "container {} withExec(args: [\"sh\", \"-c\", {script}], experimentalPrivilegedNesting: true) stdout",
            from(IMAGE)
        ))
    };
    let found = nested(&format!("{{loadFileFromID(id: {file}){{contents}}}}"));
    assert!(found.contains("passed on"), "{found}");
    // What it makes can be used out here.
    let made = nested("{directory{withNewFile(path: \"a\", contents: \"from inside\"){id}}}");
    let made: Value = serde_json::from_str(&made).unwrap();
    let made = &made["data"]["directory"]["withNewFile"]["id"];
    let read = session.answer(&format!(
        "{{node(id: {made}){{... on Directory{{file(path: \"a\"){{contents}}}}}}}}"
    ));
    assert_eq!(
        read["data"]["node"]["file"]["contents"], "from inside",
        "{read}"
    );
}

#[test]
fn deep_and_many_requests_are_answered() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let chain: String = (0..1000)
        .map(|number| format!("withEnvVariable(name: \"V{number}\", value: \"{number}\") "))
        .collect();
    // Deeper than most parsers of JSON go, so it is looked at as text.
    let document = nest(&format!("container {chain} envVariable(name: \"V999\")"));
    let (status, body) = post(session.port, &session.token, &document);
    assert_eq!(status, 200, "{body}");
    assert!(body.contains("{\"envVariable\":\"999\"}"), "{body}");
    thread::scope(|scope| {
        for client in 0..8 {
            let session = &session;
            scope.spawn(move || {
                let mut connection = Connection::open(session);
                for number in 0..100 {
                    let text = format!("{client}-{number}");
                    let query = format!("{{file(name: \"f\", contents: \"{text}\"){{contents}}}}");
                    let answer = connection.ask(&query, Value::Null);
                    assert_eq!(
                        answer["data"]["file"]["contents"],
                        text.as_str(),
                        "{answer}"
                    );
                }
            });
        }
    });
    let deeper = format!("{{{}", "container{".repeat(50_000));
    let (status, answer) = Connection::open(&session).post(&json!({"query": deeper}));
    assert_eq!(status, 422, "{answer}");
}

#[test]
fn equal_requests_at_the_same_time_run_once() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let chain = format!(
        "container {} {} stdout",
        from(IMAGE),
        sh("cat /proc/sys/kernel/random/uuid")
    );
    let document = nest(&chain);
    let answers: Vec<Value> = thread::scope(|scope| {
        let asked: Vec<_> = (0..6)
            .map(|_| scope.spawn(|| session.answer(&document)))
            .collect();
        asked
            .into_iter()
            .map(|asked| asked.join().unwrap())
            .collect()
    });
    assert!(
        answers.iter().all(|answer| *answer == answers[0]),
        "{answers:?}"
    );
}
