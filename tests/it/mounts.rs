//! Mounts and secrets: what a step sees, what stays and what never shows.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixListener;
use std::path::Path;

use crate::support::{IMAGE, Nsci, from, nest, quoted, sh};

#[test]
fn mounts_live_along_the_chain_but_not_in_the_tree() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let directory = session.id("directory withNewFile(path: \"f\", contents: \"one\\n\")");
    let file =
        session.id("directory withNewFile(path: \"f\", contents: \"file\\n\") file(path: \"f\")");
    let alpine = format!("container {}", from(IMAGE));
    let mounted = format!("{alpine} withMountedDirectory(path: \"/m\", source: {directory})");
    let rows = [
        (format!("{mounted} {} stdout", sh("cat /m/f")), "one\n"),
        (
            format!(
                "{mounted} {} {} stdout",
                sh("echo two > /m/g"),
                sh("cat /m/f /m/g")
            ),
            "one\ntwo\n",
        ),
        (
            format!(
                "{mounted} {} directory(path: \"/m\") file(path: \"g\") contents",
                sh("echo two > /m/g")
            ),
            "two\n",
        ),
        (
            format!(
                "{mounted} {} withoutMount(path: \"/m\") {} stdout",
                sh("echo two > /m/g"),
                sh("ls /m 2>&1 || echo gone")
            ),
            "ls: /m: No such file or directory\ngone\n",
        ),
        (
            format!(
                "{alpine} withMountedFile(path: \"/mf\", source: {file}) {} stdout",
                sh("cat /mf")
            ),
            "file\n",
        ),
        (
            format!(
                "{alpine} withMountedFile(path: \"/mf\", source: {file}) {} {} stdout",
                sh("echo more >> /mf"),
                sh("cat /mf")
            ),
            "file\nmore\n",
        ),
        (
            format!(
                "{alpine} withMountedTemp(path: \"/t\") {} {} stdout",
                sh("echo x > /t/x; stat -f -c %T /t > /kind"),
                sh("ls /t; cat /kind")
            ),
            "tmpfs\n",
        ),
        (
            format!(
                "{alpine} withMountedDirectory(path: \"/m\", source: {directory}, owner: \"9:9\") {} stdout",
                sh("stat -c %u:%g /m/f")
            ),
            "9:9\n",
        ),
        (
            format!(
                "{mounted} withNewFile(path: \"/m/n\", contents: \"n\\n\") {} stdout",
                sh("cat /m/f /m/n")
            ),
            "one\nn\n",
        ),
    ];
    for (chain, wanted) in rows {
        assert_eq!(session.text(&chain), wanted, "{chain}");
    }
    let rootfs = format!(
        "{mounted} {} rootfs exists(path: \"/m/g\")",
        sh("echo two > /m/g")
    );
    assert_eq!(session.leaf(&rootfs), serde_json::json!(false));
}

#[test]
fn cache_volume_is_shared_between_runs() {
    let nsci = Nsci::new();
    let run = |key: &str, script: &str| {
        let session = nsci.session();
        let volume = session.id(&format!("cacheVolume(key: {})", quoted(key)));
        session.text(&format!(
            "container {} withMountedCache(path: \"/c\", cache: {volume}) {} stdout",
            from(IMAGE),
            sh(script)
        ))
    };
    assert_eq!(run("k", "echo 1 >> /c/f; cat /c/f"), "1\n");
    assert_eq!(run("k", "echo 2 >> /c/f; cat /c/f; :"), "1\n2\n");
    assert_eq!(run("other", "ls /c"), "");
    // What else was pruned may go, volumes stay until they are asked for.
    nsci.run(&["cache", "prune"]).ok();
    assert_eq!(run("k", "cat /c/f"), "1\n2\n");
    nsci.run(&["cache", "prune", "--all"]).ok();
    assert_eq!(run("k", "ls /c; true"), "");
}

/// A text that is nowhere else.
const SECRET: &str = "s3cr3t-Pa55/word";

#[test]
fn secret_reaches_the_step_and_nothing_else() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let secret = session.id(&format!(
        "setSecret(name: \"s\", plaintext: {})",
        quoted(SECRET)
    ));
    let with = |mount: &str, script: &str| {
        session.text(&format!(
            "container {} {mount} {} stdout",
            from(IMAGE),
            sh(script)
        ))
    };
    let file = format!("withMountedSecret(path: \"/run/s\", source: {secret})");
    let variable = format!("withSecretVariable(name: \"S\", secret: {secret})");
    let rows = [
        (&file, "stat -c '%a %u:%g' /run/s", "400 0:0\n"),
        (&file, "wc -c < /run/s", "16\n"),
        (&file, "cat /run/s", "***"),
        (&variable, "echo \"-$S-\"", "-***-\n"),
        (&variable, "echo ${#S}", "16\n"),
        // In pieces, with a pause so that they are read one by one.
        (
            &variable,
            "printf 's3cr3t'; sleep 0.2; printf -- '-Pa55/word\\n'",
            "***\n",
        ),
        (&variable, "printf '%s' \"$S$S\"", "******"),
        (&variable, "printf 's3cr3t-x'", "s3cr3t-x"),
    ];
    for (mount, script, wanted) in rows {
        assert_eq!(with(mount, script), wanted, "{script}");
    }
    let owned =
        format!("withMountedSecret(path: \"/s\", source: {secret}, mode: 288, owner: \"3:4\")");
    assert_eq!(with(&owned, "stat -c '%a %u:%g' /s"), "440 3:4\n");
    session.end();
    assert!(
        !contains(&nsci.store(), SECRET.as_bytes()),
        "the secret is in the store"
    );
}

#[test]
fn secret_in_a_failure_is_hidden_too() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let secret = session.id(&format!(
        "setSecret(name: \"s\", plaintext: {})",
        quoted(SECRET)
    ));
    let chain = format!(
        "container {} withSecretVariable(name: \"S\", secret: {secret}) {} stdout",
        from(IMAGE),
        sh("echo $S; echo $S >&2; exit 1")
    );
    let answer = session.answer(&nest(&chain)).to_string();
    assert!(
        answer.contains("***") && !answer.contains(SECRET),
        "{answer}"
    );
}

#[test]
fn secrets_come_from_variables_files_and_commands() {
    let nsci = Nsci::new();
    let path = nsci.write("token", SECRET);
    for uri in [
        "env://TOKEN".to_owned(),
        format!("file://{}", path.display()),
        "cmd://printf s3cr3t-Pa55/word".to_owned(),
    ] {
        let mut command = nsci.command(&["session"]);
        command.env("TOKEN", SECRET);
        let session = crate::support::Session::start(command);
        let secret = session.id(&format!("secret(uri: {})", quoted(&uri)));
        let chain = format!(
            "container {} withSecretVariable(name: \"S\", secret: {secret}) {} stdout",
            from(IMAGE),
            sh("echo ${#S} $S")
        );
        assert_eq!(session.text(&chain), "16 ***\n", "{uri}");
    }
}

/// Says to a socket what it is told, and what it is.
const TALK: &str = "
import os, socket, stat, sys
both = [socket.socket(socket.AF_UNIX) for _ in range(2)]
for one in both:
    one.connect('/run/host.sock')
said = []
for one, word in zip(both, sys.argv[1:]):
    one.sendall(word.encode())
    one.shutdown(socket.SHUT_WR)
for one in reversed(both):
    said.append(one.makefile().read())
info = os.stat('/run/host.sock')
print(*said, info.st_uid, info.st_gid, oct(stat.S_IMODE(info.st_mode)))
";

#[test]
fn socket_belongs_to_who_is_named() {
    let nsci = Nsci::new();
    let path = nsci.home().join("host.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for client in listener.incoming() {
            std::thread::spawn(move || {
                let (mut client, mut text) = (client.unwrap(), String::new());
                client.read_to_string(&mut text).unwrap();
                write!(client, "heard-{text}").unwrap();
            });
        }
    });
    let session = nsci.session();
    let socket = |path: &Path| {
        let path = quoted(path.to_str().unwrap());
        session.id(&format!("host unixSocket(path: {path})"))
    };
    let id = socket(&path);
    let chain = |user: &str, source: &str, owner: &str| {
        format!(
            "container {} withUser(name: \"{user}\") \
             withUnixSocket(path: \"/run/host.sock\", source: {source}{owner}) \
             withExec(args: [\"python3\", \"-c\", {}, \"one\", \"two\"]) stdout",
            from("python:3.11-slim"),
            quoted(TALK)
        )
    };
    for (user, owner, wanted) in [
        ("1000:50", ", owner: \"1000:50\"", "1000 50 0o600"),
        ("1000", ", owner: \"1000\"", "1000 1000 0o600"),
        ("nobody", ", owner: \"nobody\"", "65534 65534 0o600"),
        ("1000:33", ", inheritOwner: true", "1000 33 0o600"),
        ("0", ", owner: \"1000\"", "1000 1000 0o600"),
    ] {
        let said = session.text(&chain(user, &id, owner));
        assert_eq!(
            said,
            format!("heard-two heard-one {wanted}\n"),
            "{user}{owner}"
        );
    }
    // Without an owner it is the host's, as it is there.
    let said = session.text(&chain("0", &id, ""));
    assert!(said.starts_with("heard-two heard-one "), "{said}");
    for (user, owner) in [("1000", ""), ("1001", ", owner: \"1000\"")] {
        let answer = session.answer(&nest(&chain(user, &id, owner)));
        let stderr = &answer["errors"][0]["extensions"]["stderr"];
        assert!(stderr.to_string().contains("Permission denied"), "{answer}");
    }
    let file = nsci.write("file", "");
    for (path, why) in [
        (nsci.home().join("nothing"), "No such file"),
        (file, "is no socket"),
    ] {
        let asked = chain("1000", &socket(&path), ", owner: \"1000\"");
        let answer = session.answer(&nest(&asked));
        let message = answer["errors"][0]["message"].to_string();
        let named = message.contains(path.to_str().unwrap());
        assert!(named && message.contains(why), "{answer}");
    }
    session.end();
}

fn contains(dir: &Path, needle: &[u8]) -> bool {
    let entries = fs::read_dir(dir).map(|entries| entries.flatten().collect::<Vec<_>>());
    entries.unwrap_or_default().iter().any(|entry| {
        let kind = entry.file_type().unwrap();
        if kind.is_dir() {
            return contains(&entry.path(), needle);
        }
        let bytes = if kind.is_file() {
            fs::read(entry.path()).unwrap_or_default()
        } else {
            Vec::new()
        };
        bytes.windows(needle.len()).any(|window| window == needle)
    })
}
