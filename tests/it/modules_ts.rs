//! Modules in TypeScript: read from source, transpiled, run with the embedded SDK.

use serde_json::json;

use crate::support::{Nsci, Ran, repository};

/// A module with a function for each kind of value.
const KINDS: &str = r#"
import { dag, Container, Directory, File, Secret, func, object } from "@dagger.io/dagger"
import { readFileSync } from "node:fs"
import { Level } from "./level"

type Pair = { first: string; second?: number }

@object()
class Kinds {
  @func() greeting: string
  constructor(greeting = "hello", private readonly mark: string = "") {
    this.greeting = greeting
  }

  /** Greet. */
  @func()
  text(name = "you"): string {
    return `${this.greeting}, ${name}${this.mark}`
  }

  @func() number(a: number, b = 2): number { return a + b }
  @func() many(names: string[]): string[] { return names.map((name) => name.toUpperCase()) }
  @func() maybe(flag?: boolean): boolean { return flag !== true }
  @func() async length(token: Secret): Promise<number> { return (await token.plaintext()).length }
  @func() async read(file: File): Promise<string> { return file.contents() }
  @func() tree(): Directory { return dag.directory().withNewFile("made.txt", "made") }
  @func() again(): Kinds { return new Kinds(this.greeting + "!", "?") }
  @func() level(level: Level = Level.Low): Level { return level === Level.Low ? Level.High : Level.Low }
  @func() pair(): Pair { return { first: "a", second: 2 } }
  @func() pairs(): Pair[] { return [{ first: "a" }, { first: "b" }] }
  @func() nothing(): void { console.log("said aside") }
  @func() async container(): Promise<Container> { return dag.container().from("alpine:3.20") }
  @func() data(): string { return readFileSync(new URL("data.txt", import.meta.url), "utf8") }

  @func()
  fails(): string {
    throw new Error("this went wrong")
  }

  @func()
  async step(): Promise<string> {
    return dag.container().from("alpine:3.20").withExec(["sh", "-c", "exit 9"]).stdout()
  }
}
"#;

fn kinds(nsci: &Nsci) {
    nsci.write(
        "module/dagger.json",
        r#"{"name": "kinds", "sdk": "typescript", "source": "."}"#,
    );
    nsci.write("module/src/index.ts", KINDS);
    nsci.write(
        "module/src/level.ts",
        "export enum Level { Low = \"l\", High = \"h\" }\n",
    );
    nsci.write("module/src/data.txt", "beside the source");
    nsci.write("in.txt", "file");
}

fn call(nsci: &Nsci, module: &str, words: &str) -> Ran {
    let words: Vec<&str> = ["-s", "-m", module, "call"]
        .into_iter()
        .chain(words.split(' '))
        .collect();
    let mut command = nsci.command(&words);
    Ran::from(command.env("TOKEN", "123456").output().unwrap())
}

/// One row for each kind of value: words after `call`, what is printed.
#[test]
fn values_of_every_kind_go_in_and_out() {
    let nsci = Nsci::new();
    kinds(&nsci);
    for (words, wanted) in [
        ("text", "hello, you"),
        ("text --name=me", "hello, me"),
        ("--greeting=hi --mark=. text --name me", "hi, me."),
        ("greeting", "hello"),
        ("number --a=40", "42"),
        ("number --a 1 --b=-3", "-2"),
        ("many --names=a,b", "A\nB"),
        ("maybe", "true"),
        ("maybe --flag", "false"),
        ("length --token=env:TOKEN", "6"),
        ("read --file=in.txt", "file"),
        ("tree entries", "made.txt"),
        ("again text", "hello!, you?"),
        ("level", "HIGH"),
        ("level --level=high", "LOW"),
        ("pair first", "a"),
        ("pair second", "2"),
        ("nothing", ""),
        ("container platform", "linux/amd64"),
        ("data", "beside the source"),
        ("--json number --a=1", "3"),
    ] {
        let ran = call(&nsci, "module", words).ok();
        assert_eq!(ran.out.trim_end(), wanted, "{words}");
    }
    let many = call(&nsci, "module", "--json many --names=a,b").ok();
    assert_eq!(many.json(), json!(["A", "B"]));
    call(&nsci, "module", "number --a=x").failed(2, &["--a", "x"]);
    call(&nsci, "module", "level --level=middle").failed(2, &["middle"]);
    let failed = call(&nsci, "module", "fails").failed(1, &["Error: this went wrong"]);
    assert!(!failed.err.contains("Error: Error:"), "{failed:#?}");
    call(&nsci, "module", "step").failed(9, &["exit code: 9"]);
}

#[test]
fn errors_name_the_lines_of_the_source() {
    let nsci = Nsci::new();
    kinds(&nsci);
    let line = KINDS
        .lines()
        .position(|line| line.contains("throw new"))
        .unwrap()
        + 1;
    let place = format!("at Kinds.fails (/module/src/src/index.ts:{line}:");
    nsci.run(&["--progress", "plain", "-m", "module", "call", "fails"])
        .failed(1, &["Error: this went wrong", &place]);
    nsci.run(&["--progress", "plain", "-m", "module", "call", "nothing"])
        .failed(0, &["said aside"]);
}

#[test]
fn example_lies_beside_its_application() {
    let nsci = Nsci::new();
    let app = repository().join("examples/typescript-app");
    let module = app.to_str().unwrap();
    let listed = nsci.run(&["-s", "-m", module, "functions"]).ok();
    for function in ["build", "test", "lint"] {
        assert!(listed.out.contains(function), "{listed:#?}");
    }
    let source = format!("--source={module}");
    let test = nsci
        .run(&["-s", "-m", module, "call", "test", &source])
        .ok();
    assert!(test.out.contains("pass 1"), "{test:#?}");
    let lint = nsci
        .run(&["-s", "-m", module, "call", "lint", &source])
        .ok();
    assert!(lint.out.contains("clean"), "{lint:#?}");
    nsci.run(&[
        "-s",
        "-m",
        module,
        "call",
        "build",
        &source,
        "directory",
        "--path=dist",
        "export",
        "--path=out",
    ])
    .ok();
    assert!(nsci.read("out/app.js").contains("hello"));
}

/// One row for each thing that the tour shows: words after `call`, what is printed.
#[test]
fn tour_shows_what_modules_can_do() {
    let nsci = Nsci::new();
    let tour = repository().join("examples/typescript-tour");
    let tour = tour.to_str().unwrap();
    for (words, wanted) in [
        ("greet --name=you --times=2", "hello, you\nhello, you"),
        ("half --value=3", "1.5"),
        ("length --token=env:TOKEN", "6"),
        ("sources", "src"),
        ("run --commands=true,false ok", "false"),
        ("run --commands=true,false --level=quick ok", "true"),
        ("together --commands=pwd,pwd", "/\n\n/"),
        ("image", "alpine:3.20"),
        ("again again count", "2"),
        ("notes --first=a add --line=b text", "a\nb"),
        ("notes add --line=b lines", "b"),
    ] {
        let ran = call(&nsci, tour, words).ok();
        assert_eq!(ran.out.trim_end(), wanted, "{words}: {ran:#?}");
    }
    let now = || call(&nsci, tour, "now").ok().out;
    assert_ne!(now(), now());
}

#[test]
fn new_module_works_as_it_is() {
    let nsci = Nsci::new();
    nsci.run(&["-s", "init", "--sdk=typescript", "fresh"]).ok();
    assert!(nsci.read("fresh/dagger.json").contains("typescript"));
    let listed = nsci.run(&["-s", "-m", "fresh", "functions"]).ok();
    assert!(listed.out.contains("echo"), "{listed:#?}");
    let said = nsci
        .run(&["-s", "-m", "fresh", "call", "echo", "--text=hi", "stdout"])
        .ok();
    assert_eq!(said.out.trim_end(), "hi");
}

/// One row for each place a module's code may be in: `source`, file, import of the SDK.
#[test]
fn code_is_found_where_people_put_it() {
    for (source, file, sdk) in [
        (".", "index.ts", "@dagger.io/dagger"),
        (".", "src/index.ts", "nsci"),
        ("dagger", "dagger/index.ts", "@dagger.io/dagger"),
        (".dagger", ".dagger/src/index.ts", "@dagger.io/dagger"),
        ("ci", "ci/pipeline.mts", "@dagger.io/dagger"),
    ] {
        let nsci = Nsci::new();
        let config =
            json!({ "name": "my-ci", "sdk": { "source": "typescript" }, "source": source });
        // The store is in the home, so the module is beside it.
        nsci.write("repo/dagger.json", &config.to_string());
        let code = format!(
            "import {{ func, object }} from \"{sdk}\"\n@object() class MyCi {{ @func() hi(): string {{ return \"hi\" }} }}\n"
        );
        nsci.write(&format!("repo/{file}"), &code);
        // What does not belong to the module may lie about.
        nsci.write("repo/app/server.ts", "this is no TypeScript at all {");
        let said = nsci.run(&["-s", "-m", "repo", "call", "hi"]).ok();
        assert_eq!(said.out.trim_end(), "hi", "{file}");
    }
}

#[test]
fn functions_of_other_modules_are_called() {
    let nsci = Nsci::new();
    nsci.write(
        "tool/dagger.json",
        r#"{"name": "tool", "sdk": "python", "source": "."}"#,
    );
    nsci.write(
        "tool/main.py",
        r#"
import dagger
from dagger import dag, function, field, object_type


@object_type
class Tool:
    name: str = field(default="tool")

    @function
    def base(self, image: str = "alpine:3.20") -> dagger.Container:
        return dag.container().from_(image)

    @function
    def describe(self, what: list[str]) -> str:
        return f"{self.name}: {', '.join(what)}"
"#,
    );
    nsci.write(
        "user/dagger.json",
        r#"{"name": "user", "sdk": "typescript", "source": ".", "dependencies": [{"name": "tool", "source": "../tool"}]}"#,
    );
    nsci.write(
        "user/index.ts",
        r#"
import { dag, Container, Tool, func, object } from "@dagger.io/dagger"

@object()
class User {
  @func()
  async say(): Promise<string> {
    const tool: Tool = dag.tool({ name: "mine" })
    return tool.describe(["a", await tool.base().withExec(["echo", "-n", "b"]).stdout()])
  }

  @func()
  base(): Container {
    return dag.tool().base({ image: "alpine:3.19" })
  }

  @func()
  tool(): Tool {
    return dag.tool({ name: "handed on" })
  }
}
"#,
    );
    for (words, wanted) in [
        ("say", "mine: a, b"),
        ("base platform", "linux/amd64"),
        ("tool name", "handed on"),
        ("tool describe --what=x", "handed on: x"),
    ] {
        let ran = call(&nsci, "user", words).ok();
        assert_eq!(ran.out.trim_end(), wanted, "{words}: {ran:#?}");
    }
}

/// One row for each mistake: source, what is said.
#[test]
fn mistakes_name_file_and_line() {
    for (source, said) in [
        (
            "@object() class App {\n  @func() a(x: any): void {}\n}",
            "index.ts:3: `any` is not a type",
        ),
        (
            "@object() class App {\n  @func() a() {}\n}",
            "index.ts:3: the result needs a type",
        ),
        (
            "@object() class App {\n  @func() a(: void {}\n}",
            "index.ts:3: ",
        ),
        ("class App {}", "module `app` has no main object"),
    ] {
        let nsci = Nsci::new();
        nsci.write(
            "dagger.json",
            r#"{"name": "app", "sdk": "typescript", "source": "."}"#,
        );
        let code = format!("import {{ func, object }} from \"@dagger.io/dagger\"\n{source}\n");
        nsci.write("index.ts", &code);
        nsci.run(&["-s", "functions"]).failed(2, &[said]);
    }
}

#[test]
fn reading_a_module_starts_nothing() {
    let nsci = Nsci::new();
    kinds(&nsci);
    let listed = nsci
        .run(&["--progress", "json", "-m", "module", "functions", "--json"])
        .ok();
    assert!(listed.json().as_array().unwrap().len() > 10);
    assert_eq!(listed.steps(), []);
}

#[test]
fn same_call_is_answered_from_the_cache() {
    let nsci = Nsci::new();
    kinds(&nsci);
    let steps = || {
        let ran = nsci.run(&[
            "--progress",
            "json",
            "-m",
            "module",
            "call",
            "number",
            "--a=5",
        ]);
        ran.ok().steps()
    };
    let (first, second) = (steps(), steps());
    let call = |steps: &[(String, bool)]| {
        let found = steps.iter().find(|(name, _)| name.contains("kinds.number"));
        found.map(|(_, cached)| *cached)
    };
    assert_eq!(
        (call(&first), call(&second)),
        (Some(false), Some(true)),
        "{first:?} {second:?}"
    );
}

/// What a module needs beside the SDK comes from the registry of packages, once for each list of them.
#[test]
fn packages_of_a_module_are_installed_once() {
    let nsci = Nsci::new();
    nsci.write(
        "module/dagger.json",
        r#"{"name": "uses", "sdk": "typescript"}"#,
    );
    let package = |version: &str| {
        format!(
            r#"{{"type": "module", "dependencies": {{"semver": "{version}", "typescript": "^5"}}}}"#
        )
    };
    nsci.write("module/package.json", &package("7.6.3"));
    let source = |more: &str| {
        format!(
            "import {{ func, object }} from \"@dagger.io/dagger\"\nimport semver from \"semver\"\n\n@object()\n\
             export class Uses {{\n  @func() next(version: string): string {{ return semver.inc(version, \"minor\") ?? \"\" }}\n{more}}}\n"
        )
    };
    nsci.write("module/src/index.ts", &source(""));
    let installs = |ran: &Ran| {
        let steps = ran.steps().into_iter();
        steps
            .filter(|(name, cached)| name.contains("npm install") && !cached)
            .count()
    };
    let call = |version: &str| {
        let words = [
            "--progress",
            "json",
            "-m",
            "module",
            "call",
            "next",
            "--version",
            version,
        ];
        nsci.run(&words).ok()
    };
    let first = call("1.2.3");
    assert_eq!(
        (first.out.trim_end(), installs(&first)),
        ("1.3.0", 1),
        "{first:#?}"
    );
    let second = call("2.0.0");
    assert_eq!(
        (second.out.trim_end(), installs(&second)),
        ("2.1.0", 0),
        "{second:#?}"
    );
    nsci.write(
        "module/src/index.ts",
        &source("  @func() more(): string { return \"\" }\n"),
    );
    let third = call("3.0.0");
    assert_eq!(
        (third.out.trim_end(), installs(&third)),
        ("3.1.0", 0),
        "{third:#?}"
    );
    nsci.write("module/package.json", &package("7.0.0-nothing"));
    let words = ["-s", "-m", "module", "call", "next", "--version=1.0.0"];
    nsci.run(&words).failed(1, &["semver@7.0.0-nothing"]);
}
