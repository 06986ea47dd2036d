//! The command line: documents, exit codes, errors and what goes to which stream.

use serde_json::json;

use crate::support::{IMAGE, Nsci, Ran, binary, from, nest, script};

#[test]
fn query_prints_the_data() {
    let nsci = Nsci::new();
    let ran = nsci.chain(&script("echo hello")).ok();
    assert_eq!(
        ran.json(),
        json!({"container": {"from": {"withExec": {"stdout": "hello\n"}}}})
    );
}

#[test]
fn document_comes_from_argument_file_or_input() {
    let nsci = Nsci::new();
    let document = "query($c: String!) { directory { withNewFile(path: \"a\", contents: $c) { file(path: \"a\") { contents } } } }";
    nsci.write("d.graphql", document);
    let named = nsci.run(&["-s", "query", "--doc", "d.graphql", "--var", "c=x"]);
    let given = nsci.run(&["-s", "query", document, "--var-json", "{\"c\": \"x\"}"]);
    let piped = nsci.run_with_input(&["-s", "query", "--var", "c=x"], document);
    for ran in [named, given, piped] {
        let data = ran.ok().json();
        assert_eq!(
            data,
            json!({"directory": {"withNewFile": {"file": {"contents": "x"}}}})
        );
    }
}

/// A mistake names what is wrong and, where there is one, what was meant.
#[test]
fn mistakes_are_told_apart_by_exit_code_and_named() {
    let exec = format!("{} withExec(args: [\"nosuch\"]) stdout", from(IMAGE));
    let query = |chain: &str| vec!["query".to_owned(), nest(chain)];
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let rows: [(Vec<String>, i32, &[&str]); 14] = [
        (
            words("coal"),
            2,
            &["unknown command `coal`", "did you mean `call`?"],
        ),
        (words("query --nosuch"), 2, &["unknown flag: --nosuch"]),
        (words("cache lst"), 2, &["unknown command `cache lst`"]),
        (words("run"), 2, &["no program"]),
        (
            words("run nosuch-program"),
            2,
            &["cannot run `nosuch-program`"],
        ),
        (
            words("--progress loud query x"),
            2,
            &["`loud`", "expected auto, tty, plain or json"],
        ),
        (
            words("core container with-exe --args=a stdout"),
            2,
            &["`with-exe`", "`with-exec`"],
        ),
        (
            query("container fromm(address: \"x\") stdout"),
            1,
            &["no field \"fromm\"", "\"from\""],
        ),
        (
            query("container from(adress: \"x\") stdout"),
            1,
            &["adress", "address"],
        ),
        (vec!["query".into(), "{ x".into()], 1, &["syntax error"]),
        (
            query(&format!("container {exec}")),
            127,
            &["nosuch", "not found"],
        ),
        (
            query("container from(address: \"Bad Ref\") stdout"),
            1,
            &["`Bad Ref`"],
        ),
        (
            query("host directory(path: \"/nosuch\") entries"),
            1,
            &["/nosuch", "does not exist"],
        ),
        (
            query(&format!(
                "container {} file(path: \"/no\") contents",
                from(IMAGE)
            )),
            1,
            &["/no"],
        ),
    ];
    let nsci = Nsci::new();
    for (args, code, texts) in rows {
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let ran = nsci.run(&args).failed(code, texts);
        assert_eq!(ran.out, "", "{args:?}");
    }
}

#[test]
fn failed_step_hands_on_its_code_and_what_it_said() {
    let nsci = Nsci::new();
    let failing = "echo out; echo err >&2; exit 7";
    let ran = nsci.run(&["-s", "query", &nest(&script(failing))]);
    ran.failed(7, &["exit code: 7", "stdout:\n  out", "stderr:\n  err"]);
    // A failure is no result: it is run again, and told to every client in the same shape.
    let session = nsci.session();
    let answer = session.answer(&nest(&script(failing)));
    let error = &answer["errors"][0];
    assert_eq!(
        error["path"],
        json!(["container", "from", "withExec", "stdout"])
    );
    assert_eq!(
        error["extensions"],
        json!({"_type": "EXEC_ERROR", "cmd": ["sh", "-c", failing], "exitCode": 7, "stdout": "out", "stderr": "err"}),
        "{answer}"
    );
    assert!(error["message"].as_str().unwrap().contains("exit code: 7"));
}

#[test]
fn data_goes_to_stdout_and_all_else_to_stderr() {
    let nsci = Nsci::new();
    let ran = nsci
        .run(&[
            "--progress",
            "plain",
            "query",
            &nest(&script("echo one; echo two >&2")),
        ])
        .ok();
    assert!(ran.err.contains("two"), "{ran:#?}");
    assert!(!ran.out.contains("two"), "{ran:#?}");
    let silent = nsci
        .run(&["-s", "query", &nest(&script("echo three >&2"))])
        .ok();
    assert_eq!(silent.err, "");
}

#[test]
fn core_calls_are_chains_of_words() {
    let nsci = Nsci::new();
    let base = ["-s", "core", "container", "from", "--address", IMAGE];
    let run = |rest: &[&str]| nsci.run(&[&base, rest].concat()).ok();
    let exec = ["with-exec", "--args=echo,hi"];
    assert_eq!(run(&[&exec[..], &["stdout"]].concat()).out, "hi\n");
    let json = [
        "-s",
        "core",
        "--json",
        "container",
        "from",
        "--address",
        IMAGE,
        "with-exec",
        "--args=echo,hi",
        "stdout",
    ];
    assert_eq!(nsci.run(&json).ok().json(), json!("hi\n"));
    run(&["file", "--path=/etc/os-release", "export", "--path=release"]);
    assert!(nsci.read("release").contains("Alpine"));
    let saved = [
        "-s",
        "core",
        "-o",
        "saved",
        "container",
        "from",
        "--address",
        IMAGE,
        "file",
        "--path=/etc/os-release",
    ];
    nsci.run(&saved).ok();
    assert_eq!(nsci.read("saved"), nsci.read("release"));
}

#[test]
fn version_help_and_doctor_need_nothing() {
    let nsci = Nsci::new();
    assert!(
        nsci.run(&["version"])
            .ok()
            .out
            .contains(env!("CARGO_PKG_VERSION"))
    );
    let help = nsci.run(&["--help"]).ok().out;
    for command in [
        "call",
        "functions",
        "init",
        "query",
        "run",
        "session",
        "cache",
        "doctor",
    ] {
        assert!(help.contains(command), "{command}: {help}");
    }
    let doctor = nsci.run(&["doctor", "--json"]).ok().json();
    assert!(doctor.is_array() || doctor.is_object(), "{doctor}");
    assert!(nsci.run(&["doctor"]).ok().out.contains("kernel"));
}

#[test]
fn command_is_the_originals_by_another_name() {
    let nsci = Nsci::new();
    let link = nsci.home().join("dagger");
    std::os::unix::fs::symlink(binary(), &link).unwrap();
    let mut command = nsci.command_of(&link, &["-s", "query", &nest(&script("echo hi"))]);
    let ran = Ran::from(command.output().unwrap()).ok();
    assert!(ran.out.contains("hi"), "{ran:#?}");
    let help = nsci.command_of(&link, &["--help"]).output().unwrap();
    assert!(String::from_utf8_lossy(&help.stdout).contains("dagger"));
}

#[test]
fn run_gives_a_program_a_session_and_hands_on_its_code() {
    let nsci = Nsci::new();
    let client = format!(
        "curl -sS -u \"$DAGGER_SESSION_TOKEN:\" -H 'Content-Type: application/json' \
         -d '{}' http://127.0.0.1:$DAGGER_SESSION_PORT/query",
        json!({"query": nest(&script("echo hi"))})
    );
    let ran = nsci.run(&["-s", "run", "sh", "-c", &client]).ok();
    assert_eq!(
        ran.json(),
        json!({"data": {"container": {"from": {"withExec": {"stdout": "hi\n"}}}}})
    );
    for (script, code) in [
        ("exit 5", 5),
        ("kill -9 $$", 137),
        ("test \"$NSCI_SESSION_PORT\" -gt 0", 0),
    ] {
        assert_eq!(
            nsci.run(&["-s", "run", "sh", "-c", script]).code,
            code,
            "{script}"
        );
    }
}
