//! Modules that take their functions from another one, or offer others beside their own.

use std::process::Command;

use serde_json::{Value, json};

use crate::support::{Nsci, Ran};

/// A module whose functions look at the files of whoever has them.
const BASE: &str = r#"
"""What every project needs."""

from typing import Annotated

import dagger
from dagger import DefaultPath, Ignore, check, dag, field, function, object_type


@object_type
class Part:
    text: str = field(default="")


@object_type
class Base:
    prefix: str = "seen"
    limit: int = 1

    @function
    async def all(self, source: Annotated[dagger.Directory, DefaultPath("/"), Ignore([".git"])]) -> list[str]:
        """List the repository."""
        return await source.entries()

    @function
    async def here(self, source: Annotated[dagger.Directory, DefaultPath(".")]) -> list[str]:
        return await source.entries()

    @function
    @check
    async def note(self, file: Annotated[dagger.File, DefaultPath("note.txt")]) -> str:
        """Read the note."""
        return f"{self.prefix} {self.limit}: {await file.contents()}"

    @function
    def part(self) -> Part:
        return Part(text=self.prefix)

    @function
    async def own(self) -> str:
        return await dag.base(prefix="self").part().text()

    @function
    def level(self, level: int = 1, word: str = "none") -> str:
        return f"{level + 1} {word}"
"#;

fn base(nsci: &Nsci, directory: &str) {
    let config = r#"{"name": "base", "sdk": "python"}"#;
    nsci.write(&format!("{directory}/dagger.json"), config);
    nsci.write(&format!("{directory}/main.py"), BASE);
    nsci.write(&format!("{directory}/note.txt"), "of the base");
}

/// A repository with a project `app`, which has this configuration, and the module `base`.
fn project(nsci: &Nsci, config: &Value) {
    nsci.write("repo/.git/HEAD", "");
    nsci.write("repo/top.txt", "");
    nsci.write("repo/app/note.txt", "of the app");
    nsci.write("repo/app/dagger.json", &config.to_string());
    base(nsci, "base");
}

fn app(nsci: &Nsci, words: &[&str]) -> Ran {
    nsci.run(&[&["-s", "-m", "repo/app"], words].concat())
}

fn rows(nsci: &Nsci, rows: &[(&str, &str)]) {
    for (words, wanted) in rows {
        let words: Vec<&str> = ["call"].into_iter().chain(words.split(' ')).collect();
        let said = app(nsci, &words).ok().out;
        assert_eq!(said.trim_end(), *wanted, "{words:?}");
    }
}

fn config(nsci: &Nsci, path: &str) -> Value {
    serde_json::from_str(&nsci.read(path)).unwrap()
}

fn git(nsci: &Nsci, directory: &str, args: &[&str]) -> String {
    let user = ["-c", "user.name=t", "-c", "user.email=t@example.org"];
    let output = Command::new("git")
        .args(user)
        .args(["-c", "init.defaultBranch=main"])
        .args(args)
        .current_dir(nsci.home().join(directory))
        .env("HOME", nsci.home())
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Puts the module `base` into a repository that is found as `github.com/acme/base`; gives its commit.
fn hosted(nsci: &Nsci) -> String {
    base(nsci, "hosting/acme/base");
    let repository = "hosting/acme/base";
    git(nsci, repository, &["init", "--quiet"]);
    git(nsci, repository, &["add", "."]);
    git(nsci, repository, &["commit", "--quiet", "-m", "one"]);
    let rule = format!("url.file://{}/hosting/.insteadOf", nsci.home().display());
    let rule = ["config", "--global", &rule, "https://github.com/"];
    git(nsci, ".", &rule);
    git(nsci, repository, &["rev-parse", "HEAD"])
}

fn change(nsci: &Nsci) -> String {
    let repository = "hosting/acme/base";
    nsci.write(
        "hosting/acme/base/main.py",
        &BASE.replace("\"seen\"", "\"looked at\""),
    );
    git(nsci, repository, &["commit", "--quiet", "-am", "two"]);
    git(nsci, repository, &["rev-parse", "HEAD"])
}

#[test]
fn blueprint_works_on_the_files_of_the_module_that_names_it() {
    let nsci = Nsci::new();
    let named = json!({"name": "app", "blueprint": {"name": "base", "source": "../../base"}});
    project(&nsci, &named);
    rows(
        &nsci,
        &[
            ("all", "app\ntop.txt"),
            ("here", "dagger.json\nnote.txt"),
            ("note", "seen 1: of the app"),
            ("--prefix=read note", "read 1: of the app"),
            ("part text", "seen"),
            ("own", "self"),
        ],
    );
    let listed = app(&nsci, &["functions"]).ok().out;
    assert!(listed.contains("List the repository."), "{listed}");
    let checked = app(&nsci, &["check"]).ok().out;
    assert_eq!(checked, "✔ note\n");
    let typed = app(&nsci, &["shell", "-c", "note"]).ok().out;
    assert_eq!(typed.trim_end(), "seen 1: of the app");
    let shown = app(&nsci, &["config"]).ok().out;
    assert!(shown.contains("../../base"), "{shown}");
    app(&nsci, &["develop"]).failed(2, &["has no code of its own"]);
    // Its types bear the name of the module that has them.
    let asked = nsci.run_with_input(
        &["-s", "-m", "repo/app", "query"],
        "{ app { note part { __typename text } } }",
    );
    let answer: Value = serde_json::from_str(&asked.ok().out).unwrap();
    assert_eq!(
        answer["app"],
        json!({"note": "seen 1: of the app", "part": {"__typename": "AppPart", "text": "seen"}})
    );
    // The blueprint itself still works on its own.
    let own = nsci.run(&["-s", "-m", "base", "call", "note"]).ok().out;
    assert_eq!(own.trim_end(), "seen 1: of the base");
}

#[test]
fn module_with_a_blueprint_is_used_like_any_other() {
    let nsci = Nsci::new();
    project(&nsci, &json!({"name": "app", "blueprint": "../../base"}));
    let code = "import dagger\nfrom dagger import dag, function, object_type\n\n\n@object_type\nclass User:\n    @function\n    \
                async def both(self) -> list[str]:\n        return [await dag.app().note(), await dag.base().note()]\n";
    nsci.write("user/main.py", code);
    let used = json!({"name": "user", "sdk": "python", "dependencies": ["../repo/app", "../base"]});
    nsci.write("user/dagger.json", &used.to_string());
    let said = nsci.run(&["-s", "-m", "user", "call", "both"]).ok().out;
    assert_eq!(said.trim_end(), "seen 1: of the app\nseen 1: of the base");
}

#[test]
fn module_is_made_from_a_blueprint_and_updated() {
    let nsci = Nsci::new();
    base(&nsci, "base");
    nsci.write("app/note.txt", "new");
    let init = |words: &[&str]| nsci.run(&[&["-s", "init"], words].concat());
    let made = init(&["--blueprint=base", "--include=*.txt", "--name=mine", "app"]).ok();
    assert!(made.out.contains("Initialized module mine"), "{made:#?}");
    let written = config(&nsci, "app/dagger.json");
    assert_eq!(
        written["blueprint"],
        json!({"name": "base", "source": "../base"})
    );
    assert_eq!(written["include"], json!(["*.txt"]));
    let said = nsci.run(&["-s", "-m", "app", "call", "note"]).ok().out;
    assert_eq!(said.trim_end(), "seen 1: new");
    init(&["--blueprint=base", "app"]).failed(2, &["dagger.json exists already"]);
    init(&["--blueprint=base", "--sdk=go", "x"]).failed(2, &["exclude each other"]);
    init(&["--blueprint=nothing", "x"]).failed(2, &["no module at nothing"]);
    // One that cannot be a blueprint leaves nothing behind.
    init(&["--blueprint=app", "x"]).failed(2, &["takes its functions from a blueprint itself"]);
    assert!(!nsci.home().join("x/dagger.json").exists());

    let before = hosted(&nsci);
    init(&["--blueprint=github.com/acme/base@main", "far"]).ok();
    let written = config(&nsci, "far/dagger.json");
    assert_eq!(written["blueprint"]["source"], "github.com/acme/base@main");
    assert_eq!(written["blueprint"]["pin"], before);
    nsci.write("far/note.txt", "far");
    let note = || nsci.run(&["-s", "-m", "far", "call", "note"]).ok().out;
    assert_eq!(note().trim_end(), "seen 1: far");
    let after = change(&nsci);
    assert_eq!(note().trim_end(), "seen 1: far", "the pin holds");
    let said = nsci.run(&["-s", "-m", "far", "update"]).ok().out;
    assert!(
        said.contains(&format!("Updated blueprint base: from {before} to {after}")),
        "{said}"
    );
    assert_eq!(note().trim_end(), "looked at 1: far");
}

/// One row for each mistake: the configuration, and what is said.
#[test]
fn mistakes_of_blueprints_are_told() {
    for (config, wanted) in [
        (
            json!({"name": "app", "blueprint": "../../base", "sdk": "go"}),
            &["dagger.json:1:", "`blueprint` and `sdk` exclude each other"][..],
        ),
        (
            json!({"name": "app", "blueprint": "../../gone"}),
            &["cannot load blueprint `gone`: there is no directory"],
        ),
        (
            json!({"name": "app", "blueprint": "github.com/x/y"}),
            &["blueprint `y` has no pin", "`nsci update y`"],
        ),
        (
            json!({"name": "app", "blueprint": "../../chained"}),
            &[
                "blueprint `chained` takes its functions from a blueprint itself",
                "../base",
            ],
        ),
        (
            json!({"name": "app", "blueprint": "../../bundle"}),
            &["blueprint `bundle` has no functions"],
        ),
        (
            json!({"name": "app", "blueprint": "."}),
            &["modules depend on each other: app → app"],
        ),
    ] {
        let nsci = Nsci::new();
        project(&nsci, &config);
        let chained = r#"{"name": "chained", "blueprint": "../base"}"#;
        nsci.write("chained/dagger.json", chained);
        nsci.write("bundle/dagger.json", r#"{"dependencies": ["../base"]}"#);
        app(&nsci, &["functions"]).failed(2, wanted);
    }
}

#[test]
fn toolchains_are_offered_beside_the_functions() {
    let nsci = Nsci::new();
    project(&nsci, &json!({"name": "app", "sdk": "python"}));
    nsci.write(
        "repo/app/main.py",
        "from dagger import function, object_type\n\n\n@object_type\nclass App:\n    @function\n    \
         def hello(self) -> str:\n        return 'hello'\n",
    );
    let toolchain = |words: &[&str]| app(&nsci, &[&["toolchain"], words].concat());
    let said = toolchain(&["install", "--name=lint", "base"]).ok().out;
    assert!(said.contains("Installed toolchain lint"), "{said}");
    assert_eq!(
        config(&nsci, "repo/app/dagger.json")["toolchains"],
        json!([{"name": "lint", "source": "../../base"}])
    );
    let listed = toolchain(&["list"]).ok().out;
    assert!(
        listed.contains("lint") && listed.contains("../../base"),
        "{listed}"
    );
    let listed = app(&nsci, &["functions"]).ok().out;
    for wanted in ["hello", "lint", "What every project needs."] {
        assert!(listed.contains(wanted), "{wanted}: {listed}");
    }
    rows(
        &nsci,
        &[
            ("hello", "hello"),
            ("lint note", "seen 1: of the app"),
            ("lint --prefix=read note", "read 1: of the app"),
            ("lint all", "app\ntop.txt"),
            ("lint part text", "seen"),
        ],
    );
    let checked = app(&nsci, &["check"]).ok().out;
    assert_eq!(checked, "✔ lint:note\n");
    let typed = app(&nsci, &["shell", "-c", "lint | note"]).ok().out;
    assert_eq!(typed.trim_end(), "seen 1: of the app");
    let asked = nsci.run_with_input(
        &["-s", "-m", "repo/app", "query"],
        "{ app { hello lint(prefix: \"by\") { note } } }",
    );
    let answer: Value = serde_json::from_str(&asked.ok().out).unwrap();
    assert_eq!(
        answer["app"],
        json!({"hello": "hello", "lint": {"note": "by 1: of the app"}})
    );
    app(&nsci, &["uninstall", "lint"]).failed(2, &["nsci toolchain uninstall lint"]);
    toolchain(&["uninstall", "lint"]).ok();
    assert_eq!(
        config(&nsci, "repo/app/dagger.json").get("toolchains"),
        None
    );
    toolchain(&["uninstall", "lint"]).failed(2, &["uses no toolchain `lint`"]);
    toolchain(&["install", "--name=hello", "base"])
        .failed(2, &["has a function and a toolchain called `hello`"]);
}

#[test]
fn toolchains_need_no_code_and_go_with_a_blueprint() {
    let nsci = Nsci::new();
    let mut named =
        json!({"name": "app", "toolchains": [{"name": "lint", "source": "../../base"}]});
    project(&nsci, &named);
    let ask = |query: &str| {
        let ran = nsci.run_with_input(&["-s", "-m", "repo/app", "query"], query);
        serde_json::from_str::<Value>(&ran.ok().out).unwrap()
    };
    rows(&nsci, &[("lint note", "seen 1: of the app")]);
    let listed = app(&nsci, &["functions"]).ok().out;
    assert!(listed.contains("lint"), "{listed}");
    assert_eq!(app(&nsci, &["check"]).ok().out, "✔ lint:note\n");
    let answer = ask("{ app { lint { note } } }");
    assert_eq!(answer["app"]["lint"]["note"], "seen 1: of the app");

    named["blueprint"] = json!("../../base");
    nsci.write("repo/app/dagger.json", &named.to_string());
    rows(
        &nsci,
        &[
            ("note", "seen 1: of the app"),
            ("lint note", "seen 1: of the app"),
        ],
    );
    let checked = app(&nsci, &["check"]).ok().out;
    assert_eq!(checked, "✔ note\n✔ lint:note\n");
    let answer = ask("{ app { note lint { part { text } } } }");
    assert_eq!(answer["app"]["lint"]["part"]["text"], "seen");
}

#[test]
fn toolchains_are_customized() {
    let nsci = Nsci::new();
    let customized = |customizations: Value| {
        json!({"name": "app", "toolchains": [
            {"name": "lint", "source": "../../base", "customizations": customizations},
            {"name": "plain", "source": "../../base"},
        ]})
    };
    let customizations = json!([
        {"argument": "prefix", "default": "custom"},
        {"argument": "limit", "default": "7"},
        {"function": ["note"], "argument": "file", "defaultPath": "/docs/other.txt"},
        {"function": ["all"], "argument": "source", "ignore": ["*.txt", ".git"]},
        {"function": ["level"], "argument": "level", "default": 4},
    ]);
    project(&nsci, &customized(customizations));
    nsci.write("repo/docs/other.txt", "other");
    rows(
        &nsci,
        &[
            ("lint note", "custom 7: other"),
            ("lint --limit=2 note", "custom 2: other"),
            ("lint all", "app\ndocs"),
            ("lint level", "5 none"),
            ("lint level --level=1 --word=x", "2 x"),
            // The same module under another name is as it was.
            ("plain note", "seen 1: of the app"),
            ("plain all", "app\ndocs\ntop.txt"),
        ],
    );
    for (customization, wanted) in [
        (
            json!([{"function": ["fix"], "argument": "x", "default": "1"}]),
            "cannot customize `lint`: module `lint` has no function `fix`",
        ),
        (
            json!([{"argument": "suffix", "default": "1"}]),
            "the constructor of module `lint` has no argument `suffix`",
        ),
        (
            json!([{"argument": "limit", "default": "many"}]),
            "\"many\" is no value for the argument `limit`, which takes Int!",
        ),
    ] {
        let config = customized(customization);
        nsci.write("repo/app/dagger.json", &config.to_string());
        app(&nsci, &["functions"]).failed(2, &["dagger.json:1:", wanted]);
    }
}

#[test]
fn toolchains_from_git_are_pinned_and_updated() {
    let nsci = Nsci::new();
    project(&nsci, &json!({"name": "app"}));
    let before = hosted(&nsci);
    let toolchain = |words: &[&str]| app(&nsci, &[&["toolchain"], words].concat());
    toolchain(&["install", "github.com/acme/base"]).ok();
    let mut written = config(&nsci, "repo/app/dagger.json");
    assert_eq!(written["toolchains"][0]["pin"], before);
    written["toolchains"][0]["customizations"] = json!([{"argument": "limit", "default": "3"}]);
    nsci.write("repo/app/dagger.json", &written.to_string());
    let after = change(&nsci);
    rows(&nsci, &[("base note", "seen 3: of the app")]);
    let said = toolchain(&["update"]).ok().out;
    assert!(
        said.contains(&format!("Updated toolchain base: from {before} to {after}")),
        "{said}"
    );
    rows(&nsci, &[("base note", "looked at 3: of the app")]);
    toolchain(&["update", "other"]).failed(2, &["uses no toolchain `other`", "it uses base"]);
}
