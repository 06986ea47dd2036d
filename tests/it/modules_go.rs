//! Modules in Go, called as users call them.
//!
//! Compiling is what takes time here, so what can share a store does.

use std::fs;

use serde_json::json;

use crate::support::{Nsci, Ran};

/// Copies examples, so that nothing is written into the repository.
fn examples(nsci: &Nsci, names: &[&str]) {
    for name in names {
        nsci.copy(&format!("examples/{name}"), name);
    }
}

/// Calls a function of a module: words after `call`.
fn call(nsci: &Nsci, module: &str, words: &str) -> Ran {
    let words: Vec<&str> = ["-s", "-m", module, "call"]
        .into_iter()
        .chain(words.split(' '))
        .collect();
    nsci.run(&words)
}

/// One row for each thing that a module can say: words after `call`, what is printed.
#[test]
fn everything_that_a_module_can_say() {
    let nsci = Nsci::new();
    examples(&nsci, &["go-tour", "go-service"]);
    let tour = |words: &str| call(&nsci, "go-tour", words);
    for (words, wanted) in [
        ("greet --name=you", "Hello, you!"),
        ("--greeting=Hi greet --name=you", "Hi, you!"),
        ("--greeting=Hi greeting", "Hi"),
        (
            "remember --name=a remember --name=b report --level=HIGH summary",
            "HIGH: a, b (1)",
        ),
        ("remember --name=a report level", "LOW"),
        (
            "remember --name=a remember --name=b reports summary",
            "HIGH: a (0)\nHIGH: b (0)",
        ),
        ("remember --name=a remember --name=b report names", "a\nb"),
        ("sum --numbers=1,2 --numbers=3", "6"),
        ("sum", "0"),
        ("scale --number=1.5", "3.00 kB (1000)"),
        (
            "scale --number=1.5 --unit=kibibyte --factor=1",
            "1.50 KiB (1024)",
        ),
        ("scale --number=1.5 --round --factor=3", "4 kB (1000)"),
        ("units", "KILOBYTE\nKIBIBYTE"),
        ("files", "main.go"),
        ("secret", "11 ***"),
        (
            "lists --files=go-tour/go.mod --files=go-tour/dagger.json directory --path=in entries",
            "dagger.json\ngo.mod",
        ),
        ("sharing --mode=locked", "true"),
    ] {
        assert_eq!(tour(words).ok().out.trim_end(), wanted, "{words}");
    }
    assert_eq!(
        tour("--json units").ok().json(),
        json!(["KILOBYTE", "KIBIBYTE"])
    );
    tour("fail --how=plain").failed(1, &["plain"]);
    tour("fail --how=values").failed(1, &["as expected: it does not work", "code", "7"]);
    tour("fail --how=panic").failed(1, &["panic: at the tour"]);
    tour("fail --how=exec").failed(3, &["code 3, \"out\", \"err\"", "exit code: 3"]);
    tour("greet").failed(2, &["name"]);
    tour("scale --number=much").failed(2, &["--number", "much"]);
    tour("report --level=WORST").failed(2, &["--level", "HIGH"]);
    // The second module finds the standard library compiled.
    let built = call(
        &nsci,
        "go-service",
        "build --source=go-service --main-package=./nothing size",
    );
    built.failed(1, &["nothing"]);
}

#[test]
fn program_is_built_tested_and_packed_by_its_module() {
    let nsci = Nsci::new();
    examples(&nsci, &["go-app", "go-monorepo", "modules"]);
    let app = |words: &str| call(&nsci, "go-app", words);
    let listed = nsci.run(&["-s", "-m", "go-app", "functions"]).ok().out;
    for name in ["build-image", "publish", "Test runs the unit tests", "ci "] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    let test = app("test --source=go-app").ok().out;
    assert!(test.contains("--- PASS: TestWords"), "{test}");
    let ran = nsci
        .run(&[
            "--progress",
            "json",
            "-m",
            "go-app",
            "call",
            "ci",
            "--source=go-app",
        ])
        .ok();
    assert!(
        ran.err.contains("checking go-app"),
        "what a function prints is shown: {ran:#?}"
    );
    let recalled = nsci
        .run(&[
            "--progress",
            "json",
            "-m",
            "go-app",
            "call",
            "ci",
            "--source=go-app",
        ])
        .ok();
    assert!(
        recalled.steps().iter().all(|(_, cached)| *cached),
        "{:?}",
        recalled.steps()
    );
    app("build-image --source=go-app file --path=/app export --path=words").ok();
    let counted = nsci
        .command_of(&nsci.home().join("words"), &[])
        .stdin(fs::File::open(nsci.write("text", "three little words")).unwrap())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&counted.stdout), "3\n");
    nsci.write("go-app/wrong.go", "package main\n\nfunc  wrong() {}\n");
    app("ci --source=go-app").failed(1, &["not formatted: wrong.go"]);
    call(&nsci, "go-monorepo", "ci --source=go-monorepo/services").ok();
    fs::remove_file(nsci.home().join("go-monorepo/services/service-c/name.txt")).unwrap();
    call(&nsci, "go-monorepo", "ci --source=go-monorepo/services")
        .failed(1, &["service-c: process"]);
}

#[test]
fn new_module_works_as_it_is() {
    let nsci = Nsci::new();
    nsci.run(&["-s", "init", "--sdk=go", "--name=fresh", "fresh"])
        .ok();
    assert!(nsci.read("fresh/dagger.json").contains("\"go\""));
    let said = call(&nsci, "fresh", "echo --text=hello stdout").ok();
    assert_eq!(said.out, "hello\n");
    let found = call(&nsci, "fresh", "find --source=fresh --pattern=Echo.returns")
        .ok()
        .out;
    assert!(found.contains("main.go:"), "{found}");
    nsci.run(&["-s", "init", "--sdk=go", "fresh"])
        .failed(2, &["dagger.json"]);
}

#[test]
fn mistakes_name_file_and_line() {
    let nsci = Nsci::new();
    nsci.write("ci/dagger.json", r#"{"name": "ci", "sdk": "go"}"#);
    let functions = |source: &str| {
        nsci.write("ci/main.go", source);
        nsci.run(&["-s", "-m", "ci", "functions"])
    };
    functions("package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A( {}\n")
        .failed(2, &["main.go:5: syntax error"]);
    functions(
        "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A() map[string]int { return nil }\n",
    )
    .failed(
        2,
        &["main.go:5: `map[string]int` cannot be part of the API"],
    );
    functions("package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A(p *Pulumi) {}\n")
        .failed(2, &["main.go:5: there is no type `Pulumi`"]);
    functions("package main\n\ntype A struct{}\n").failed(2, &["expected an object `Ci`", "`A`"]);
    // What only the compiler knows.
    nsci.write(
        "ci/main.go",
        "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A() string {\n\treturn 1\n}\n",
    );
    call(&nsci, "ci", "a").failed(1, &["./main.go:6:9: cannot use 1"]);
}

/// What a module needs may lie in it: nothing is downloaded, so a version that nobody has will do.
#[test]
fn vendored_packages_are_used_as_they_lie_there() {
    let nsci = Nsci::new();
    nsci.write("ci/dagger.json", r#"{"name": "ci", "sdk": "go"}"#);
    nsci.write(
        "ci/go.mod",
        "module ci\n\ngo 1.21\n\nrequire example.invalid/words v1.2.3\n",
    );
    nsci.write(
        "ci/vendor/modules.txt",
        "# example.invalid/words v1.2.3\n## explicit; go 1.21\nexample.invalid/words\n",
    );
    nsci.write(
        "ci/vendor/example.invalid/words/words.go",
        "package words\n\nfunc Upper(text string) string { return \"vendored \" + text }\n",
    );
    nsci.write(
        "ci/main.go",
        "package main\n\nimport \"example.invalid/words\"\n\ntype Ci struct{}\n\n\
         func (c *Ci) Say(text string) string { return words.Upper(text) }\n",
    );
    let said = call(&nsci, "ci", "say --text=you").ok();
    assert_eq!(said.out.trim_end(), "vendored you");
}
