//! Caching: what makes a command run again, and what does not. Each command says something that no other run of it
//! would say, so what it says tells whether it ran.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::Table;
use crate::support::{quoted, sh};

/// A command that says something else each time; `mark` tells it from those of other rows.
fn dice(mark: &str) -> String {
    format!(
        "{} stdout",
        sh(&format!("cat /proc/sys/kernel/random/uuid # {mark}"))
    )
}

#[test]
fn a_command_runs_again_only_for_what_it_sees() {
    let mut table = Table::new();
    let rows = [
        ("the same chain", "", "", true),
        ("another argument", "", "withExec(args: [\"true\"])", true),
        (
            "a variable",
            "",
            "withEnvVariable(name: \"A\", value: \"1\")",
            false,
        ),
        (
            "a variable's value",
            "withEnvVariable(name: \"A\", value: \"1\")",
            "withEnvVariable(name: \"A\", value: \"2\")",
            false,
        ),
        ("the user", "", "withUser(name: \"nobody\")", false),
        (
            "the working directory",
            "",
            "withWorkdir(path: \"/tmp\")",
            false,
        ),
        (
            "a file",
            "",
            "withNewFile(path: \"/f\", contents: \"\")",
            false,
        ),
        (
            "a file written again the same way",
            "withNewFile(path: \"/f\", contents: \"x\")",
            "withNewFile(path: \"/f\", contents: \"y\") withNewFile(path: \"/f\", contents: \"x\")",
            false,
        ),
        ("a label", "", "withLabel(name: \"a\", value: \"b\")", true),
        (
            "an annotation",
            "",
            "withAnnotation(name: \"a\", value: \"b\")",
            true,
        ),
        ("a declared port", "", "withExposedPort(port: 80)", true),
        (
            "an entrypoint that is not used",
            "",
            "withEntrypoint(args: [\"x\"])",
            true,
        ),
        (
            "default arguments that are not used",
            "",
            "withDefaultArgs(args: [\"x\"])",
            true,
        ),
        (
            "a variable that decides nothing",
            "withVolatileVariable(name: \"BUILD\", value: \"1\")",
            "withVolatileVariable(name: \"BUILD\", value: \"2\")",
            true,
        ),
        (
            "memory that is mounted",
            "",
            "withMountedTemp(path: \"/t\")",
            false,
        ),
        ("a platform that is the same", "", "", true),
    ];
    for (at, (rule, one, other, same)) in rows.iter().enumerate() {
        let dice = dice(&at.to_string());
        table.same(
            rule,
            *same,
            &format!("ALPINE {one} {dice}"),
            &format!("ALPINE {other} {dice}"),
        );
    }
    let secret = table.id("setSecret(name: \"pw\", plaintext: \"p\")");
    let auth = format!(
        "withRegistryAuth(address: \"registry.example\", username: \"u\", secret: {secret})"
    );
    let (a, b) = (
        table.id("cacheVolume(key: \"a\")"),
        table.id("cacheVolume(key: \"b\")"),
    );
    let volume = |id: &str| format!("withMountedCache(path: \"/c\", cache: {id})");
    let write = format!("{} {}", volume(&a), sh("date +%N > /c/now"));
    table
        .same(
            "credentials of a registry",
            true,
            &format!("ALPINE {}", dice("auth")),
            &format!("ALPINE {auth} {}", dice("auth")),
        )
        .same(
            "another cache volume",
            false,
            &format!("ALPINE {} {}", volume(&a), dice("volume")),
            &format!("ALPINE {} {}", volume(&b), dice("volume")),
        )
        .same(
            "what is in a cache volume",
            true,
            &format!("ALPINE {} {}", volume(&a), dice("contents")),
            &format!("ALPINE {write} withoutMount(path: \"/c\") {} {}", volume(&a), dice("contents")),
        )
        .is(
            "a volatile variable is seen by commands",
            &format!("ALPINE withVolatileVariable(name: \"V\", value: \"x\") {} stdout", sh("echo $V")),
            "x\n",
        )
        .is(
            "until it is removed",
            &format!(
                "ALPINE withVolatileVariable(name: \"V\", value: \"x\") withoutVolatileVariable(name: \"V\") {} stdout",
                sh("echo $V # gone")
            ),
            "\n",
        )
        .is(
            "and is no variable of the container",
            "ALPINE withVolatileVariable(name: \"V\", value: \"x\") envVariable(name: \"V\")",
            serde_json::Value::Null,
        );
    table.hold();
}

#[test]
fn files_of_the_host_count_by_content() {
    let mut table = Table::new();
    let home = table.nsci.home().to_owned();
    let path = |name: &str| quoted(&home.join(name).display().to_string());
    for dir in ["one", "two", "three", "four"] {
        table.nsci.write(&format!("{dir}/file"), "content");
    }
    table.nsci.write("two/file.log", "noise");
    table.nsci.write("three/file", "other");
    fs::set_permissions(home.join("four/file"), fs::Permissions::from_mode(0o755)).unwrap();
    let old = filetime(&home.join("one/file"));
    assert!(old.is_ok(), "{old:?}");
    let with = |table: &Table, args: &str, mark: &str| {
        let id = table.id(&format!("host directory({args})"));
        format!(
            "ALPINE withDirectory(path: \"/src\", source: {id}) {}",
            dice(mark)
        )
    };
    let one = with(&table, &format!("path: {}", path("one")), "tree");
    let moved = format!("path: {}, exclude: [\"*.log\"]", path("two"));
    for (rule, args, same) in [
        (
            "a moved tree is the same, and what is excluded does not count",
            moved,
            true,
        ),
        ("content counts", format!("path: {}", path("three")), false),
        (
            "permissions count",
            format!("path: {}", path("four")),
            false,
        ),
        (
            "so does what is not excluded",
            format!("path: {}", path("two")),
            false,
        ),
    ] {
        let other = with(&table, &args, "tree");
        table.same(rule, same, &one, &other);
    }
    // A session sees a directory as it was first, unless it is told to look again.
    let read = |args: &str| {
        format!(
            "host directory(path: {}{args}) file(path: \"file\") contents",
            path("one")
        )
    };
    let file = |args: &str| format!("host file(path: {}{args}) contents", path("one/file"));
    let address = |args: &str| {
        format!(
            "address(value: {}) directory{args} file(path: \"file\") contents",
            path("one")
        )
    };
    table.is("a directory is read", &read(""), "content").is(
        "a file is read",
        &file(""),
        "content",
    );
    table.nsci.write("one/file", "changed");
    table
        .is("once in a session", &read(""), "content")
        .is("a file too", &file(""), "content")
        .is("and again on demand", &read(", noCache: true"), "changed")
        .is("a file too", &file(", noCache: true"), "changed")
        .is("by address as well", &address("(noCache: true)"), "changed")
        .is("which changes nothing for others", &read(""), "content");
    table.nsci.write("one/file", "changed again");
    table
        .is("each time", &read(", noCache: true"), "changed again")
        .is("of a file too", &file(", noCache: true"), "changed again")
        .hold();
}

/// Makes a file old: times do not count.
fn filetime(path: &std::path::Path) -> std::io::Result<()> {
    let file = fs::File::options().write(true).open(path)?;
    file.set_modified(std::time::SystemTime::UNIX_EPOCH)
}

#[test]
fn failures_and_secrets() {
    let mut table = Table::new();
    let home = table.nsci.home().to_owned();
    let volume = table.id("cacheVolume(key: \"tries\")");
    let flaky = format!(
        "ALPINE withMountedCache(path: \"/c\", cache: {volume}) {} stdout",
        sh("echo x >> /c/tries; test $(wc -l < /c/tries) -ge 2 && echo good")
    );
    let first = table.id("setSecret(name: \"token\", plaintext: \"first-value\")");
    let length = |id: &str, mark: &str| {
        format!(
            "ALPINE withSecretVariable(name: \"T\", secret: {id}) {}",
            dice(mark)
        )
    };
    let before = table.answer(&length(&first, "named"));
    let second = table.id("setSecret(name: \"token\", plaintext: \"second-value\")");
    let after = table.answer(&length(&second, "named"));
    let same = before.is_ok() && before == after;
    table
        .note(
            "a secret's name is what counts, not its value",
            "setSecret",
            same,
            &format!("{before:?} {after:?}"),
        )
        .fails("a command that failed", &flaky, &["exit"])
        .is("is tried again", &flaky, "good\n")
        .is("one that went well is not", &flaky, "good\n")
        .is(
            "which the volume shows",
            &format!(
                "ALPINE withMountedCache(path: \"/c\", cache: {volume}) {} stdout",
                sh("wc -l < /c/tries")
            ),
            "2\n",
        );
    table.nsci.write("secret", "one");
    table.nsci.write("same", "one");
    table.nsci.write("other", "two");
    let uri = |table: &Table, name: &str, more: &str| {
        let at = home.join(name).display().to_string();
        table.id(&format!("secret(uri: \"file://{at}\"{more})"))
    };
    let (one, same, other) = (
        uri(&table, "secret", ""),
        uri(&table, "same", ""),
        uri(&table, "other", ""),
    );
    let (k1, k2) = (
        uri(&table, "secret", ", cacheKey: \"k\""),
        uri(&table, "other", ", cacheKey: \"k\""),
    );
    table
        .same(
            "a secret with an address counts by value",
            true,
            &length(&one, "uri"),
            &length(&same, "uri"),
        )
        .same(
            "another value is another command",
            false,
            &length(&one, "uri"),
            &length(&other, "uri"),
        )
        .same(
            "unless a key is given for it",
            true,
            &length(&k1, "key"),
            &length(&k2, "key"),
        )
        .hold();
}

#[test]
fn calls_are_one_object() {
    let mut table = Table::new();
    table
        .same(
            "equal calls have one id",
            true,
            "ALPINE withEnvVariable(name: \"A\", value: \"1\") id",
            "ALPINE withEnvVariable(name: \"A\", value: \"1\") id",
        )
        .same(
            "arguments count",
            false,
            "ALPINE withEnvVariable(name: \"A\", value: \"1\") id",
            "ALPINE withEnvVariable(name: \"A\", value: \"2\") id",
        );
    // The same in one request at the same time.
    let run = |alias: &str| {
        format!(
            "{alias}: {}",
            dice("together").replace(" stdout", "{stdout}")
        )
    };
    let document = format!(
        "{{container{{from(address: \"alpine:latest\"){{{} {}}}}}}}",
        run("a"),
        run("b")
    );
    let answer = table.session.answer(&document);
    let from = &answer["data"]["container"]["from"];
    let together = from["a"]["stdout"].is_string() && from["a"] == from["b"];
    table
        .note(
            "equal commands at the same time are one",
            &document,
            together,
            &answer.to_string(),
        )
        .hold();
}
