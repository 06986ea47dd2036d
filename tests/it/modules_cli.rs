//! Commands around modules: installing, listing, checking, generating, the shell and completion.

use std::process::Command;

use serde_json::Value;

use crate::support::{IMAGE, Nsci, Pty, Ran};

const TOOL: &str = r#"
"""Tools for tests."""

import dagger
from dagger import dag, function, object_type


@object_type
class Tool:
    greeting: str = "hello"

    @function
    def say(self, name: str) -> str:
        """Say something."""
        return f"{self.greeting}, {name}"

    @function
    def tree(self) -> dagger.Directory:
        return dag.directory().with_new_file("made", self.greeting)
"#;

fn tool(nsci: &Nsci, directory: &str) {
    nsci.write(
        &format!("{directory}/dagger.json"),
        "{\n  \"name\": \"tool\",\n  \"sdk\": \"python\"\n}\n",
    );
    nsci.write(&format!("{directory}/main.py"), TOOL);
}

fn config(nsci: &Nsci, path: &str) -> Value {
    serde_json::from_str(&nsci.read(path)).unwrap()
}

fn git(nsci: &Nsci, directory: &str, args: &[&str]) -> String {
    let output = Command::new("git")
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(nsci.home().join(directory))
        .env("HOME", nsci.home())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Runs the command in a directory below the home.
fn run_in(nsci: &Nsci, directory: &str, words: &[&str]) -> Ran {
    let mut command = nsci.command(words);
    command.current_dir(nsci.home().join(directory));
    command.output().unwrap().into()
}

#[test]
fn modules_are_installed_called_and_uninstalled() {
    let nsci = Nsci::new();
    tool(&nsci, "tools/tool");
    nsci.write("service/main.go", "package main\n");
    let ran = run_in(&nsci, "service", &["-s", "install", "../tools/tool"]).ok();
    assert!(ran.out.contains("Installed module tool"), "{ran:#?}");
    let written = config(&nsci, "service/dagger.json");
    assert_eq!(written["name"], "service");
    assert_eq!(written["dependencies"][0]["source"], "../tools/tool");
    let said = run_in(
        &nsci,
        "service",
        &["-s", "call", "tool", "say", "--name=you"],
    )
    .ok();
    assert_eq!(said.out.trim_end(), "hello, you");
    let flags = [
        "-s",
        "call",
        "tool",
        "--greeting=hi",
        "tree",
        "file",
        "--path=made",
        "contents",
    ];
    assert_eq!(run_in(&nsci, "service", &flags).ok().out.trim_end(), "hi");
    let listed = run_in(&nsci, "service", &["-s", "modules"]).ok().out;
    assert!(
        listed.contains("tool") && listed.contains("Tools for tests."),
        "{listed}"
    );
    let functions = run_in(&nsci, "service", &["-s", "functions"]).ok().out;
    assert!(functions.contains("tool"), "{functions}");
    // The same again changes nothing; another of that name needs a name.
    run_in(&nsci, "service", &["-s", "install", "../tools/tool"]).ok();
    assert_eq!(
        config(&nsci, "service/dagger.json")["dependencies"]
            .as_array()
            .unwrap()
            .len(),
        1
    );
    tool(&nsci, "tools/second");
    run_in(&nsci, "service", &["-s", "install", "../tools/second"]).failed(
        2,
        &["`tool` is the name of ../tools/tool already", "--name=NAME"],
    );
    run_in(
        &nsci,
        "service",
        &["-s", "mod", "use", "../tools/second", "--name=second"],
    )
    .ok();
    run_in(
        &nsci,
        "service",
        &["-s", "call", "second", "say", "--name=x"],
    )
    .ok();
    run_in(&nsci, "service", &["-s", "install", "../nowhere"]).failed(2, &["../nowhere"]);
    run_in(&nsci, "service", &["-s", "uninstall", "nope"])
        .failed(2, &["no module `nope`", "tool, second"]);
    run_in(&nsci, "service", &["-s", "uninstall", "tool"]).ok();
    let left = config(&nsci, "service/dagger.json");
    assert_eq!(left["dependencies"][0]["name"], "second", "{left}");
    run_in(&nsci, "service", &["-s", "call", "tool", "say"])
        .failed(2, &["no functions of its own", "second"]);
}

#[test]
fn modules_from_git_are_pinned_and_updated() {
    let nsci = Nsci::new();
    tool(&nsci, "hosting/acme/tools/tool");
    git(&nsci, "hosting/acme/tools", &["init", "--quiet"]);
    git(&nsci, "hosting/acme/tools", &["add", "."]);
    git(
        &nsci,
        "hosting/acme/tools",
        &["commit", "--quiet", "-m", "one"],
    );
    let first = git(&nsci, "hosting/acme/tools", &["rev-parse", "HEAD"]);
    let rule = format!("url.file://{}/hosting/.insteadOf", nsci.home().display());
    git(
        &nsci,
        ".",
        &["config", "--global", &rule, "https://github.com/"],
    );
    nsci.write(
        "ci/dagger.json",
        "{\n  \"name\": \"ci\",\n  \"license\": \"MIT\"\n}\n",
    );
    let reference = "github.com/acme/tools/tool@main";
    nsci.run(&["-s", "-m", "ci", "install", reference]).ok();
    let written = config(&nsci, "ci/dagger.json");
    assert_eq!(written["license"], "MIT");
    assert_eq!(written["dependencies"][0]["source"], reference);
    assert_eq!(written["dependencies"][0]["pin"], first.as_str());
    nsci.write(
        "hosting/acme/tools/tool/main.py",
        &TOOL.replace("hello", "hey"),
    );
    git(
        &nsci,
        "hosting/acme/tools",
        &["commit", "--quiet", "-am", "two"],
    );
    let second = git(&nsci, "hosting/acme/tools", &["rev-parse", "HEAD"]);
    let say = || {
        nsci.run(&["-s", "-m", "ci", "call", "tool", "say", "--name=x"])
            .ok()
            .out
    };
    assert_eq!(say().trim_end(), "hello, x");
    let ran = nsci.run(&["-s", "-m", "ci", "update"]).ok();
    assert!(
        ran.out.contains(&format!("from {first} to {second}")),
        "{ran:#?}"
    );
    assert_eq!(say().trim_end(), "hey, x");
    let again = nsci.run(&["-s", "-m", "ci", "update", "tool"]).ok();
    assert!(again.out.contains("already"), "{again:#?}");
    let listed = nsci
        .run(&["-s", "-m", "ci", "modules", "--json"])
        .ok()
        .json();
    assert_eq!(listed[0]["pin"], second.as_str());
    // What a user of an early version has: a reference with the commit, or without any.
    nsci.write(
        "old/dagger.json",
        r#"{"name": "old", "dependencies": ["github.com/acme/tools/tool"]}"#,
    );
    nsci.run(&["-s", "-m", "old", "functions"])
        .failed(2, &["has no pin", "nsci update tool"]);
    nsci.run(&["-s", "-m", "old", "update", "tool"]).ok();
    nsci.run(&["-s", "-m", "old", "call", "tool", "say", "--name=x"])
        .ok();
}

const MARKED: &str = r#"
import dagger
from dagger import check, dag, function, generate, object_type


@object_type
class Ci:
    @function
    @check
    def lint(self) -> str:
        """Look for mistakes."""
        return "fine"

    @function
    @check
    def unit(self) -> dagger.Container:
        return dag.container().from_("@image@").with_exec(["true"])

    @function
    @check
    async def broken(self) -> None:
        await dag.container().from_("@image@").with_exec(["sh", "-c", "echo why >&2; exit 3"]).sync()

    @function
    @generate
    def docs(self) -> dagger.Directory:
        return dag.directory().with_new_file("docs/made.md", "made")

    @function
    def other(self) -> str:
        return "x"
"#;

#[test]
fn checks_and_generators_are_run_by_their_marks() {
    let nsci = Nsci::new();
    nsci.write("ci/dagger.json", r#"{"name": "ci", "sdk": "python"}"#);
    nsci.write("ci/main.py", &MARKED.replace("@image@", IMAGE));
    let listed = nsci.run(&["-s", "-m", "ci", "check", "-l"]).ok().out;
    for name in ["lint", "Look for mistakes.", "unit", "broken"] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    assert!(
        !listed.contains("other") && !listed.contains("docs"),
        "{listed}"
    );
    let all = nsci
        .run(&["-s", "-m", "ci", "check"])
        .failed(1, &["broken", "exit code: 3", "why"]);
    assert!(
        all.out.contains("✔ lint") && all.out.contains("✔ unit") && all.out.contains("✘ broken"),
        "{all:#?}"
    );
    let some = nsci.run(&["-s", "-m", "ci", "check", "lint", "uni*"]).ok();
    assert_eq!(some.out, "✔ lint\n✔ unit\n");
    nsci.run(&["-s", "-m", "ci", "check", "nope"])
        .failed(2, &["no such checks", "lint"]);
    let made = nsci.run(&["-s", "-m", "ci", "generate"]).ok();
    assert_eq!(made.out, "✔ docs\n");
    assert_eq!(nsci.read("docs/made.md"), "made");
}

/// One row for each text of the shell: what is written, and what is printed.
#[test]
fn shell_pipes_functions() {
    let nsci = Nsci::new();
    tool(&nsci, "tool");
    nsci.write("src/a.txt", "text");
    for (text, wanted) in [
        ("say you", "hello, you"),
        ("say --name you", "hello, you"),
        ("tool --greeting hi | say you", "hi, you"),
        ("tool --greeting hi | tree | file made | contents", "hi"),
        ("x=$(say you); .echo \"$x!\"", "hello, you!"),
        ("t=$(tree)\n$t | entries", "made"),
        (
            "d=$(host | directory src)\n$d | file a.txt | contents",
            "text",
        ),
        (
            "directory | with-directory . $(host | directory src) | entries",
            "a.txt",
        ),
        (
            &format!("container | from {IMAGE} | with-exec echo one two | stdout"),
            "one two",
        ),
        (
            &format!("container | from {IMAGE} | with-exec -- sh -c 'echo $0 \"a b\"' | stdout"),
            "sh a b",
        ),
        (
            &format!(
                "c=$(container | from {IMAGE}); $c | with-directory /d $(tree) | file /d/made | contents"
            ),
            "hello",
        ),
        ("say $(say deep)", "hello, hello, deep"),
    ] {
        let ran = nsci.run(&["-s", "-m", "tool", "shell", "-c", text]).ok();
        assert_eq!(ran.out.trim_end(), wanted, "{text}");
    }
    let help = nsci
        .run(&["-s", "-m", "tool", "shell", "-c", ".help"])
        .ok()
        .out;
    assert!(
        help.contains("say <name>") && help.contains(".use"),
        "{help}"
    );
    let of = nsci
        .run(&["-s", "-m", "tool", "shell", "-c", "tree | .help"])
        .ok()
        .out;
    assert!(
        of.contains("entries") && of.contains("with-new-file"),
        "{of}"
    );
    let piped = nsci
        .run_with_input(
            &["-s", "-m", "tool", "shell"],
            "# a comment\nsay a\nsay b\n",
        )
        .ok();
    assert_eq!(piped.out, "hello, a\nhello, b\n");
    nsci.write("script", ".use ./tool\nsay file\n");
    assert_eq!(
        nsci.run(&["-s", "shell", "script"]).ok().out.trim_end(),
        "hello, file"
    );
    for (text, wanted) in [
        ("sya x", "did you mean `say`?"),
        ("say", "`say` needs <name>"),
        ("say a b", "takes no further argument: b"),
        ("say a |", "ends too early"),
        ("say $nope", "no variable `nope`"),
        ("tree | fiel x", "did you mean `file`?"),
        ("tree | say x", "no function `say` in Directory"),
        (".nope", "no command `.nope`"),
    ] {
        nsci.run(&["-s", "-m", "tool", "shell", "-c", text])
            .failed(2, &[wanted]);
    }
}

/// One row for each unfinished line: what is typed, what is offered and what is not.
#[test]
fn completion_knows_functions_and_flags() {
    let nsci = Nsci::new();
    tool(&nsci, "tool");
    let complete = |line: &str| {
        let words: Vec<&str> = ["__complete"].into_iter().chain(line.split(' ')).collect();
        let mut command = nsci.command(&words);
        command.current_dir(nsci.home().join("tool"));
        Ran::from(command.output().unwrap()).ok().out
    };
    for (line, offered, not) in [
        ("ca", vec!["call\t"], vec!["init"]),
        ("--pro", vec!["--progress"], vec!["call"]),
        ("--progress ", vec!["plain", "json"], vec!["call"]),
        ("cache ", vec!["prune"], vec!["call"]),
        (
            "call ",
            vec!["say\tSay something.", "tree"],
            vec!["greeting"],
        ),
        ("call --", vec!["--greeting=", "--output"], vec!["--name"]),
        ("call --greeting=x s", vec!["say"], vec!["tree"]),
        ("call --greeting x t", vec!["tree"], vec!["say"]),
        ("call say --n", vec!["--name="], vec!["--greeting"]),
        ("call tree ", vec!["entries", "export"], vec!["say"]),
        ("call tree file --p", vec!["--path="], vec![]),
        ("core container fr", vec!["from"], vec!["stdout"]),
        ("-m . call sa", vec!["say"], vec![]),
        ("install ", vec![":files"], vec![]),
    ] {
        let out = complete(line);
        for text in offered {
            assert!(out.contains(text), "{line}: no {text:?} in {out}");
        }
        for text in not {
            assert!(!out.contains(text), "{line}: {text:?} in {out}");
        }
    }
    for shell in ["bash", "zsh", "fish"] {
        let script = nsci.run(&["completion", shell]).ok().out;
        assert!(script.contains("__complete"), "{script}");
    }
    nsci.run(&["completion", "tcsh"])
        .failed(2, &["no completion for the shell `tcsh`"]);
    // The script as bash runs it.
    let test = "source <(\"$NSCI\" completion bash); COMP_WORDS=(\"$NSCI\" call s); COMP_CWORD=2; _nsci_complete; echo \"${COMPREPLY[@]}\"";
    let mut bash = nsci.command_of(std::path::Path::new("bash"), &["-c", test]);
    bash.current_dir(nsci.home().join("tool"))
        .env("NSCI", crate::support::binary());
    assert_eq!(Ran::from(bash.output().unwrap()).ok().out.trim_end(), "say");
}

#[test]
fn develop_writes_the_sdk_for_editors() {
    let nsci = Nsci::new();
    tool(&nsci, "tool");
    nsci.run(&["-s", "-m", "tool", "develop"]).ok();
    assert!(
        nsci.read("tool/sdk/src/dagger/__init__.py")
            .contains("import")
    );
    assert!(nsci.read("tool/.gitignore").contains("/sdk/src"));
    let again = nsci.run(&["-s", "-m", "tool", "mod", "sync"]).ok();
    assert!(again.out.contains("Wrote 0 file(s)"), "{again:#?}");
    nsci.run(&["-s", "-m", "tool", "call", "say", "--name=x"])
        .ok();
    nsci.write("bare/dagger.json", "{\"name\": \"bare\"}");
    nsci.run(&["-s", "-m", "bare", "develop"])
        .failed(2, &["no code of its own", "--sdk="]);
    nsci.run(&["-s", "-m", "bare", "develop", "--sdk=python"])
        .ok();
    assert!(
        nsci.run(&["-s", "-m", "bare", "functions"])
            .ok()
            .out
            .contains("echo")
    );
}

#[test]
fn configuration_is_shown() {
    let nsci = Nsci::new();
    tool(&nsci, "tool");
    let shown = nsci.run(&["-s", "-m", "tool", "config"]).ok().out;
    assert!(
        shown.contains("python") && shown.contains("tool"),
        "{shown}"
    );
    let json = nsci
        .run(&["-s", "-m", "tool", "config", "--json"])
        .ok()
        .json();
    assert_eq!(json["name"], "tool");
    assert_eq!(json["sdk"], "python");
}

#[test]
fn shell_is_typed_into() {
    let nsci = Nsci::new();
    tool(&nsci, "tool");
    let start = || Pty::start(nsci.command(&["-s", "-m", "tool", "shell"]));
    let mut pty = start();
    pty.wait_for("tool > ");
    pty.type_in("say you\r");
    pty.wait_for("hello, you");
    // A statement may take several lines, and a mistake ends nothing.
    pty.type_in("say $(\r");
    pty.wait_for("… > ");
    pty.type_in("say deep)\r");
    pty.wait_for("hello, hello, deep");
    pty.type_in("sya you\r");
    pty.wait_for("sya");
    pty.wait_for("did you mean `say`?");
    // Ctrl-C drops the line.
    pty.type_in("nonsense");
    pty.wait_for("nonsense");
    let prompts = || pty.shown().matches("tool > ").count();
    let before = prompts();
    pty.type_in("\u{3}");
    crate::support::wait_until("the next prompt", || prompts() > before);
    pty.type_in("say again\r");
    pty.wait_for("hello, again");
    pty.type_in(".exit\r");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(!shown.contains("panicked"), "{shown}");
    assert!(pty.is_sane());
    let mut again = start();
    again.wait_for("tool > ");
    let history = nsci.read(".local/state/nsci/history");
    assert!(
        history.contains("say again") && !history.contains("nonsense"),
        "{history}"
    );
    again.type_in("\u{4}");
    assert_eq!(again.end().0, Some(0));
}
