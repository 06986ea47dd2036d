//! Functions that are run because of what they are marked as: checks, generators and services of modules.

use serde_json::json;

use super::Table;
use crate::support::IMAGE;

const SOURCE: &str = r#"
import dagger
from dagger import check, dag, function, generate, object_type, up


def exec(script: str) -> dagger.Container:
    return dag.container().from_("@image@").with_exec(["sh", "-c", script])


def change(path: str, text: str) -> dagger.Changeset:
    old = dag.directory().with_new_file("old", "old")
    return old.with_new_file(path, text).changes(old)


@object_type
class Tests:
    @function
    @check
    def unit_tests(self) -> list[dagger.Container]:
        """Small | fast.

        More."""
        return [exec("true")]

    @function
    @check
    def broken(self) -> dagger.Container:
        return exec("cat /proc/sys/kernel/random/uuid >&2; exit 3")


@object_type
class Ci:
    @function
    @check
    def lint(self) -> str:
        return "fine"

    @function
    def tests(self) -> Tests:
        return Tests()

    @function
    @check
    def slow(self) -> dagger.Container:
        return exec("sleep 600")

    @function
    @check
    def needs(self, word: str) -> str:
        return word

    @function
    @generate
    def code(self) -> dagger.Changeset:
        """Code."""
        return change("code", "one")

    @function
    @generate
    def rival(self) -> dagger.Changeset:
        return change("code", "two")

    @function
    @generate
    def nothing(self) -> dagger.Changeset:
        return change("old", "old")

    @function
    @generate
    def docs(self) -> dagger.Directory:
        return dag.directory().with_new_file("docs/made.md", "made")

    @function
    @generate
    def text(self) -> str:
        return "text"

    @function
    @generate
    def bad(self) -> dagger.Directory:
        return exec("exit 7").directory("/")

    @function
    @up
    def web(self) -> dagger.Service:
        """The site."""
        return exec("true").as_service()

    @function
    @up
    def odd(self) -> str:
        return "no service"
"#;

const TOOL: &str = r#"
from dagger import check, function, object_type


@object_type
class Tool:
    @function
    @check
    def vet(self) -> str:
        return "fine"
"#;

const CI: &str = "moduleSource(refString: \"ci\") asModule";

fn table() -> Table {
    let table = Table::new();
    let nsci = &table.nsci;
    nsci.write(
        "ci/dagger.json",
        r#"{"name": "ci", "sdk": "python", "toolchains": [{"name": "myTool", "source": "../tool"}],
            "dependencies": [{"name": "lib", "source": "../lib"}]}"#,
    );
    nsci.write("ci/main.py", &SOURCE.replace("@image@", IMAGE));
    nsci.write("tool/dagger.json", r#"{"name": "tool", "sdk": "python"}"#);
    nsci.write("tool/main.py", TOOL);
    nsci.write("lib/dagger.json", r#"{"name": "lib", "sdk": "python"}"#);
    nsci.write("lib/main.py", &TOOL.replace("class Tool", "class Lib"));
    table
}

fn names(names: &[&str]) -> serde_json::Value {
    names.iter().map(|name| json!({ "name": name })).collect()
}

#[test]
fn checks_are_found_and_run() {
    let mut table = table();
    let unit = format!("{CI} check(name: \"unit-tests\")");
    let broken = format!("{CI} check(name: \"tests:broken\")");
    let stale = format!("{CI} check(name: \"code:up-to-date\")");
    let (named, ran) = (table.id(&broken), table.id(&format!("{unit} run")));
    table
        .is(
            "marked functions without required arguments, also of objects, toolchains and generators",
            &format!("{CI} checks list name"),
            names(&[
                "lint",
                "tests:unit-tests",
                "tests:broken",
                "slow",
                "my-tool:vet",
                "code:up-to-date",
                "rival:up-to-date",
                "nothing:up-to-date",
            ]),
        )
        .is(
            "without generators if they are not wanted",
            &format!("{CI} checks(include: [\"tests\", \"code\", \"my-tool:*\"], noGenerate: true) list name"),
            names(&["tests:unit-tests", "tests:broken", "my-tool:vet"]),
        )
        .is(
            "a generator's own name chooses it as a check",
            &format!("{CI} checks(include: [\"cod*\"]) list name"),
            names(&["code:up-to-date"]),
        )
        .is("one by its last name", &format!("{unit} name"), "tests:unit-tests")
        .is(
            "the fields that lead to it",
            &format!("{unit} path"),
            json!(["tests", "unitTests"]),
        )
        .is(
            "a toolchain's begin at the toolchain",
            &format!("{CI} check(name: \"vet\") path"),
            json!(["myTool", "vet"]),
        )
        .is(
            "what it is for",
            &format!("{unit} description"),
            "Small | fast.\n\nMore.",
        )
        .is("of a kind", &format!("{unit} checkType"), "check")
        .is("or the other", &format!("{stale} checkType"), "generate")
        .is("whose it is", &format!("{unit} originalModule name"), "ci")
        .is(
            "or which toolchain's",
            &format!("{CI} check(name: \"vet\") originalModule name"),
            "tool",
        )
        .fails(
            "no such check",
            &format!("{CI} check(name: \"nope\") name"),
            &["module `ci` has no check `nope`", "tests:unit-tests"],
        )
        .fails(
            "none at all",
            "moduleSource(refString: \"tool\") asModule generator(name: \"x\") name",
            &["module `tool` has no generators"],
        )
        .fails(
            "more than one",
            &format!("{CI} check(name: \"tests\") name"),
            &["several checks", "tests:unit-tests, tests:broken"],
        )
        .fails(
            "modules that are being built have none",
            "module checks list name",
            &["being built"],
        )
        .is("nothing is run unasked", &format!("{broken} completed"), false)
        .is("so it did not pass", &format!("{unit} passed"), false)
        .is("and shows nothing", &format!("{unit} resultEmoji"), "")
        .is("nor is there an error", &format!("{broken} error"), json!(null))
        .is("it passes", &format!("{unit} run passed"), true)
        .is("and shows it", &format!("{unit} run resultEmoji"), "🟢")
        .is("without error", &format!("{unit} run error"), json!(null))
        .is("or fails, which is no error", &format!("{broken} run passed"), false)
        .is("and is over", &format!("{broken} run completed"), true)
        .is("and shows that", &format!("{broken} run resultEmoji"), "🔴")
        .is(
            "the error says what any caller is told",
            &format!("{broken} run error {{ message values {{ name }} }}"),
            json!({
                "message": "process \"sh -c cat /proc/sys/kernel/random/uuid >&2; exit 3\" did not complete \
                    successfully: exit code: 3",
                "values": names(&["_type", "cmd", "exitCode", "stdout", "stderr"]),
            }),
        )
        .same(
            "it is run once in a session",
            true,
            &format!("{broken} run error values value"),
            &format!("loadCheckFromID(id: {named}) run error values value"),
        )
        .is(
            "a generator must have nothing to change",
            &format!("{stale} run error message"),
            "generator `code` would change code",
        )
        .is(
            "and passes if it has not",
            &format!("{CI} check(name: \"nothing\") run passed"),
            true,
        )
        .is(
            "a check keeps its outcome when it is named by id",
            &format!("loadCheckFromID(id: {ran}) passed"),
            true,
        )
        .hold();
}

#[test]
fn checks_are_run_together() {
    let mut table = table();
    let some = format!("{CI} checks(include: [\"lint\", \"tests\"])");
    let slow = format!("{CI} checks(include: [\"slow\", \"broken\"])");
    table
        .is(
            "all are run",
            &format!("{some} run list completed"),
            json!([{"completed": true}, {"completed": true}, {"completed": true}]),
        )
        .is(
            "and each has its outcome",
            &format!("{some} run list passed"),
            json!([{"passed": true}, {"passed": true}, {"passed": false}]),
        )
        .is(
            "what still runs when one fails is stopped, if so wanted",
            &format!("{slow} run(failFast: true) list {{ name completed passed }}"),
            json!([
                {"name": "tests:broken", "completed": true, "passed": false},
                {"name": "slow", "completed": false, "passed": false},
            ]),
        )
        .is(
            "a report before anything is run",
            &format!("{CI} checks(include: [\"unit-tests\"]) report contents"),
            "| check | type | description | result |\n| --- | --- | --- | --- |\n\
             | tests:unit-tests | check | Small \\| fast. |  |\n",
        )
        .is(
            "a report says why checks failed",
            &format!("{CI} checks(include: [\"lint\", \"code\"]) run report contents"),
            "| check | type | description | result |\n| --- | --- | --- | --- |\n\
             | lint | check |  | 🟢 |\n| code:up-to-date | generate | Code. | 🔴 |\n\
             \n## code:up-to-date\n\n    generator `code` would change code\n",
        )
        .hold();
}

#[test]
fn generators_make_changes() {
    let mut table = table();
    let code = format!("{CI} generator(name: \"code\")");
    let rivals = format!("{CI} generators(include: [\"docs\", \"code\", \"rival\"]) run");
    let friends = format!("{CI} generators(include: [\"docs\", \"code\", \"nothing\"]) run");
    table
        .is(
            "all that are marked",
            &format!("{CI} generators list name"),
            names(&["code", "rival", "nothing", "docs", "text", "bad"]),
        )
        .is(
            "the fields that lead to it",
            &format!("{code} path"),
            json!(["code"]),
        )
        .is("what it is for", &format!("{code} description"), "Code.")
        .is("whose it is", &format!("{code} originalModule name"), "ci")
        .is(
            "nothing is run unasked",
            &format!("{code} completed"),
            false,
        )
        .fails(
            "so there are no changes",
            &format!("{code} changes addedPaths"),
            &["generator `code` was not run", "`run` first"],
        )
        .fails(
            "nor is it known whether there are",
            &format!("{CI} generators(include: [\"code\"]) isEmpty"),
            &["generator `code` was not run"],
        )
        .is("it is run", &format!("{code} run completed"), true)
        .is(
            "and changes",
            &format!("{code} run changes addedPaths"),
            json!(["code"]),
        )
        .is("something", &format!("{code} run isEmpty"), false)
        .is(
            "or nothing",
            &format!("{CI} generator(name: \"nothing\") run isEmpty"),
            true,
        )
        .is(
            "a directory is all new",
            &format!("{CI} generator(name: \"docs\") run changes addedPaths"),
            json!(["docs/", "docs/made.md"]),
        )
        .fails(
            "other results are no changes",
            &format!("{CI} generator(name: \"text\") run completed"),
            &["generator `text` gives no Changeset or Directory"],
        )
        .fails(
            "one that fails is named",
            &format!("{CI} generators(include: [\"bad\", \"code\"]) run isEmpty"),
            &["generator `bad`: ", "exit code: 7"],
        )
        .is(
            "changes of several are one",
            &format!("{friends} changes addedPaths"),
            json!(["code", "docs/", "docs/made.md"]),
        )
        .is("that is not empty", &format!("{friends} isEmpty"), false)
        .is(
            "unless all are",
            &format!("{CI} generators(include: [\"nothing\"]) run isEmpty"),
            true,
        )
        .is(
            "or there is none",
            &format!("{CI} generators(include: [\"nope\"]) run changes isEmpty"),
            true,
        )
        .fails(
            "those that do not go together are named",
            &format!("{rivals} changes addedPaths"),
            &["generators `code` and `rival`: changes conflict in code"],
        )
        .fails(
            "also if only the same lines are a conflict",
            &format!("{rivals} changes(onConflict: FAIL) addedPaths"),
            &["generators `code` and `rival`: changes conflict in code"],
        )
        .is(
            "a module is loaded whole or not",
            &format!("{CI} generators loadFailures"),
            json!([]),
        )
        .hold();
}

#[test]
fn services_are_found() {
    let mut table = table();
    let web = format!("{CI} services(include: [\"web\"]) list");
    table
        .is(
            "all that are marked",
            &format!("{CI} services list name"),
            names(&["web", "odd"]),
        )
        .is(
            "the fields that lead to it",
            &format!("{web} path"),
            json!([{"path": ["web"]}]),
        )
        .is(
            "what it is for",
            &format!("{web} description"),
            json!([{"description": "The site."}]),
        )
        .is(
            "whose it is",
            &format!("{web} originalModule name"),
            json!([{"originalModule": {"name": "ci"}}]),
        )
        .fails(
            "what gives no service cannot be run",
            &format!("{CI} services(include: [\"odd\"]) run list name"),
            &["service `odd` gives no Service or Container"],
        )
        .hold();
}
