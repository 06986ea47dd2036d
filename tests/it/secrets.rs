//! Secrets: where they come from, and everywhere that they must not be.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use crate::support::{IMAGE, Nsci, Session, from, nest, quoted, sh};

/// A text that is nowhere else, of two lines.
const SECRET: &str = "first-l1ne-0f-a-k3y\nsec0nd-l1ne-0f-a-k3y\n";

/// Files below a directory that have one of the texts in them, whatever owns them.
fn files_with(directory: &Path, texts: &[&[u8]], found: &mut Vec<String>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            files_with(&path, texts, found);
        } else if kind.is_file() {
            // Subordinate ids may own files that this user cannot read; those are of steps.
            let bytes = fs::read(&path).unwrap_or_default();
            let has = |text: &&[u8]| bytes.windows(text.len()).any(|window| window == *text);
            if texts.iter().any(has) {
                found.push(path.display().to_string());
            }
        }
    }
}

#[test]
fn secrets_are_nowhere_but_in_their_step() {
    let nsci = Nsci::new();
    nsci.write("secret", SECRET);
    let log = nsci.home().join("log");
    let mut command = nsci.command(&["-vv", "--progress", "json", "session"]);
    command.stderr(Stdio::from(fs::File::create(&log).unwrap()));
    let session = Session::start_quiet(command);
    let set = session.id(&format!(
        "setSecret(name: \"set\", plaintext: {})",
        quoted(SECRET)
    ));
    let file = session.id("secret(uri: \"file://secret\")");
    let keyed = session.id("secret(uri: \"file://secret\", cacheKey: \"k\")");
    let mut answers = format!("{set} {file} {keyed}");
    for secret in [&set, &file, &keyed] {
        let step = format!(
            "container {} withSecretVariable(name: \"S\", secret: {secret}) \
             withMountedSecret(path: \"/run/s\", source: {secret}) {}",
            from(IMAGE),
            // Whole, in two writes that are read apart, and on both streams.
            sh(
                "cat /run/s; printf 'first-l1ne'; sleep 0.2; printf -- '-0f-a-k3y\\nsec0nd'; \
                 sleep 0.2; printf -- '-l1ne-0f-a-k3y\\n'; echo \"$S\" >&2",
            )
        );
        assert_eq!(
            session.text(&format!("{step} stdout")),
            "******",
            "{secret}"
        );
        assert_eq!(
            session.text(&format!("{step} stderr")).trim(),
            "***",
            "{secret}"
        );
        let failing = format!("{step} {} stdout", sh("cat /run/s; cat /run/s >&2; exit 3"));
        answers.push_str(&session.answer(&nest(&failing)).to_string());
        answers.push_str(&session.text(&format!("{step} id")));
    }
    assert_eq!(session.end(), (Some(0), String::new()));
    let log = fs::read_to_string(log).unwrap();
    let (first, second) = SECRET.trim().split_once('\n').unwrap();
    for (place, text) in [("answers", &answers), ("events", &log)] {
        assert!(text.contains("***"), "{place}: {text}");
        assert!(
            !text.contains(first) && !text.contains(second),
            "{place}: {text}"
        );
    }
    let mut found = Vec::new();
    files_with(
        &nsci.store(),
        &[first.as_bytes(), second.as_bytes()],
        &mut found,
    );
    assert_eq!(found, [] as [String; 0]);
}

#[test]
fn nothing_dumps_core() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let limits = fs::read_to_string(format!("/proc/{}/limits", session.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let soft = core.unwrap().split_whitespace().nth(4);
    assert_eq!(soft, Some("0"), "{limits}");
    let step = session.text(&format!(
        "container {} {} stdout",
        from(IMAGE),
        sh("ulimit -Sc")
    ));
    assert_eq!(step, "0\n");
}

#[test]
fn providers_are_asked_or_named() {
    let nsci = Nsci::new();
    // A stand-in that answers like the real program.
    let op = nsci.write(
        "bin/op",
        "#!/bin/sh\n[ \"$*\" = 'read --no-newline op://v/i/f' ] && printf 0p-v4lue\n",
    );
    fs::set_permissions(&op, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = nsci.command(&["session"]);
    let path = format!(
        "{}:{}",
        op.parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    command.env("PATH", path).env("TOKEN", "v4riable");
    let session = Session::start(command);
    for (uri, wanted) in [
        ("op://v/i/f", "0p-v4lue"),
        ("env:TOKEN", "v4riable"),
        ("TOKEN", "v4riable"),
        ("cmd:printf $TOKEN", "v4riable"),
    ] {
        let value = session.text(&format!("secret(uri: {}) plaintext", quoted(uri)));
        assert_eq!(value, wanted, "{uri}");
    }
    for (uri, wanted) in [
        (
            "aws+sm://prod/key",
            "secret provider `aws+sm` is not supported yet",
        ),
        ("op://v/i/other", "`op read` failed"),
        ("env://TOKEM", "secret env var not found: \"TOK...\""),
        ("vault://a.b", "VAULT_ADDR"),
    ] {
        let answer = session.answer(&nest(&format!("secret(uri: {}) plaintext", quoted(uri))));
        let message = answer["errors"][0]["message"].as_str().unwrap_or_default();
        assert!(message.contains(wanted), "{uri}: {answer}");
    }
}

#[test]
fn changed_value_of_an_address_runs_the_step_again() {
    let nsci = Nsci::new();
    let run = |value: &str| {
        nsci.write("secret", value);
        let session = nsci.session();
        let secret = session.id("secret(uri: \"file://secret\")");
        let keyed = session.id("secret(uri: \"file://secret\", cacheKey: \"fixed\")");
        let stamp = |secret: &str| {
            session.text(&format!(
                "container {} withSecretVariable(name: \"S\", secret: {secret}) {} stdout",
                from(IMAGE),
                sh("cat /proc/sys/kernel/random/uuid")
            ))
        };
        (stamp(&secret), stamp(&keyed))
    };
    let (first, again, changed) = (run("one"), run("one"), run("two"));
    assert_eq!(first, again);
    assert_ne!(first.0, changed.0, "the value is part of the key");
    assert_eq!(first.1, changed.1, "the given key stands for it");
}
