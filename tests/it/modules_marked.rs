//! Checks, generators and services as modules and the command use them; `conformance/marked.rs` has the rules.

use crate::support::{IMAGE, Nsci, Ran};

const CI: &str = r#"
import dagger
from dagger import check, dag, field, function, generate, object_type, up


@object_type
class Tests:
    @function
    @check
    def unit(self) -> dagger.Container:
        """Small tests."""
        return dag.container().from_("@image@").with_exec(["true"])

    @function
    @check
    async def broken(self) -> None:
        await dag.container().from_("@image@").with_exec(["sh", "-c", "echo why >&2; exit 3"]).sync()


@object_type
class Ci:
    inner: Tests = field(default=Tests)

    @function
    @check
    def lint(self) -> str:
        return "fine"

    @function
    def tests(self) -> Tests:
        return Tests()

    @function
    @generate
    def made(self) -> dagger.Changeset:
        old = dag.directory()
        return old.with_new_file("made", "by ci").changes(old)

    @function
    @up
    def web(self) -> dagger.Service:
        return dag.container().from_("@image@").as_service()
"#;

fn ci(nsci: &Nsci) {
    nsci.write("ci/dagger.json", r#"{"name": "ci", "sdk": "python"}"#);
    nsci.write("ci/main.py", &CI.replace("@image@", IMAGE));
}

/// A module that uses `ci`.
fn user(nsci: &Nsci, language: &str, more: &str, file: &str, source: &str) {
    ci(nsci);
    let config = format!(
        r#"{{"name": "user", "sdk": "{language}"{more}, "dependencies": [{{"source": "../ci"}}]}}"#
    );
    nsci.write("user/dagger.json", &config);
    nsci.write(&format!("user/{file}"), source);
}

fn call(nsci: &Nsci, function: &str) -> Ran {
    nsci.run(&["-s", "-m", "user", "call", function])
}

const GO: &str = r#"package main

import (
	"context"
	"fmt"
	"strings"

	"dagger/user/internal/dagger"
)

type User struct{}

type Parts struct{}

func (m *User) Parts() *Parts { return &Parts{} }

// +check
func (m *Parts) Whole() error { return nil }

// +generate
func (m *User) First() *dagger.Changeset {
	return dag.Directory().WithNewFile("first", "1").Changes(dag.Directory())
}

// +generate
func (m *User) Second() *dagger.Changeset {
	return dag.Directory().WithNewFile("second", "2").Changes(dag.Directory())
}

// Report runs the checks of the first module that this one uses.
func (m *User) Report(ctx context.Context) (string, error) {
	used, err := dag.CurrentModule().Dependencies(ctx)
	if err != nil {
		return "", err
	}
	checks, err := used[0].Checks().Run().List(ctx)
	if err != nil {
		return "", err
	}
	var lines []string
	for _, check := range checks {
		name, err := check.Name(ctx)
		if err != nil {
			return "", err
		}
		passed, err := check.Passed(ctx)
		if err != nil {
			return "", err
		}
		line := fmt.Sprintf("%s %t", name, passed)
		if !passed {
			why, err := check.Error().Message(ctx)
			if err != nil {
				return "", err
			}
			line += " " + why
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n"), nil
}

// Made runs this module's own generators.
func (m *User) Made(ctx context.Context) (string, error) {
	all := dag.CurrentModule().Generators().Run()
	entries, err := all.Changes().After().Entries(ctx)
	if err != nil {
		return "", err
	}
	some := dag.CurrentModule().Generators(dagger.CurrentModuleGeneratorsOpts{Include: []string{"s*"}})
	chosen, err := some.List(ctx)
	if err != nil {
		return "", err
	}
	name, err := chosen[0].Name(ctx)
	return fmt.Sprintf("%v %d %s", entries, len(chosen), name), err
}
"#;

#[test]
fn go_runs_checks_and_generators() {
    let nsci = Nsci::new();
    let version = r#", "engineVersion": "v0.21.0""#;
    user(&nsci, "go", version, "main.go", GO);
    let report = call(&nsci, "report").ok().out;
    let lines: Vec<&str> = report.lines().collect();
    for line in [
        "lint true",
        "tests:unit true",
        "inner:unit true",
        "made:up-to-date false generator `made` would change made",
    ] {
        assert!(lines.contains(&line), "{line}: {report}");
    }
    assert!(
        report.contains("tests:broken false process \"sh -c echo why >&2; exit 3\""),
        "{report}"
    );
    let made = call(&nsci, "made").ok().out;
    assert_eq!(made.trim_end(), "[first second] 1 second");
    let listed = nsci.run(&["-s", "-m", "user", "check", "-l"]).ok().out;
    assert!(listed.contains("parts:whole"), "{listed}");
    assert_eq!(
        nsci.run(&["-s", "-m", "user", "check", "whole"]).ok().out,
        "✔ parts:whole\n"
    );
}

const PYTHON: &str = r#"
import dagger
from dagger import dag, function, generate, object_type


@object_type
class User:
    @function
    async def report(self) -> str:
        used = await dag.current_module().dependencies()
        lines = []
        for check in await used[0].checks().run().list_():
            line = f"{await check.name()} {await check.passed()} {await check.result_emoji()}"
            if not await check.passed():
                line += f" {await check.error().message()}"
            lines.append(line)
        return "\n".join(lines)

    @function
    @generate
    def first(self) -> dagger.Directory:
        return dag.directory().with_new_file("first", "1")

    @function
    async def made(self) -> list[str]:
        return await dag.current_module().generators().run().changes().after().entries()

    @function
    async def serve(self) -> int:
        used = await dag.current_module().dependencies()
        return len(await used[0].services().run().list_())
"#;

/// To clients of an API that is older than generators as checks there are none.
#[test]
fn python_runs_checks_and_generators() {
    let nsci = Nsci::new();
    let version = r#", "engineVersion": "v0.20.0""#;
    user(&nsci, "python", version, "main.py", PYTHON);
    let report = call(&nsci, "report").ok().out;
    let lines: Vec<&str> = report.lines().collect();
    assert_eq!(lines.len(), 5, "{report}");
    assert_eq!(lines[0], "lint True 🟢", "{report}");
    assert!(
        lines.contains(&"tests:unit True 🟢") && report.contains("tests:broken False 🔴 process"),
        "{report}"
    );
    assert_eq!(call(&nsci, "made").ok().out, "first\n");
    call(&nsci, "serve").failed(1, &["have no host"]);
}

const TYPESCRIPT: &str = r#"
import { Changeset, check, dag, func, generate, object } from "@dagger.io/dagger"

@object()
export class User {
  @func()
  async report(): Promise<string[]> {
    const used = await dag.currentModule().dependencies()
    const group = used[0].checks({ include: ["tests"] }).run()
    const lines = []
    for (const one of await group.list()) {
      lines.push(`${await one.name()} ${await one.passed()}`)
    }
    return lines
  }

  @func()
  @generate()
  first(): Changeset {
    return dag.directory().withNewFile("first", "1").changes(dag.directory())
  }

  @func()
  @check()
  lint(): string {
    return "fine"
  }

  @func()
  async made(): Promise<string[]> {
    return await dag.currentModule().generators().run().changes().addedPaths()
  }
}
"#;

#[test]
fn typescript_runs_checks_and_generators() {
    let nsci = Nsci::new();
    user(&nsci, "typescript", "", "src/index.ts", TYPESCRIPT);
    assert_eq!(
        call(&nsci, "report").ok().out,
        "tests:unit true\ntests:broken false\n"
    );
    assert_eq!(call(&nsci, "made").ok().out, "first\n");
}

#[test]
fn the_command_reaches_objects_and_toolchains() {
    let nsci = Nsci::new();
    ci(&nsci);
    nsci.write(
        "all/dagger.json",
        r#"{"name": "all", "dependencies": [{"name": "theCi", "source": "../ci"}]}"#,
    );
    let check = |pattern: &str| nsci.run(&["-s", "-m", "all", "check", pattern]);
    assert_eq!(
        check("unit").ok().out,
        "✔ the-ci:tests:unit\n✔ the-ci:inner:unit\n"
    );
    assert_eq!(check("the-ci:lint").ok().out, "✔ the-ci:lint\n");
    let failed = check("the-ci:tests").failed(1, &["the-ci:tests:broken: ", "why"]);
    assert_eq!(failed.out, "✔ the-ci:tests:unit\n✘ the-ci:tests:broken\n");
    let words = ["__complete", "-m", "all", "check", "the-ci:t"];
    let completed = nsci.run(&words).ok().out;
    assert_eq!(
        completed,
        "the-ci:tests:unit\tSmall tests.\nthe-ci:tests:broken\t-\n"
    );
}
