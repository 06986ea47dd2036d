//! Directories and files: what is put in is there, what is taken out is not, and what is saved is on the host.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};

use serde_json::{Value, json};

use crate::support::{IMAGE, Nsci, Session, from, quoted, sh};

/// A directory with a few files of different kinds.
const TREE: &str = "directory withNewFile(path: \"a.txt\", contents: \"A\") withNewFile(path: \"b.rs\", contents: \"B\") \
     withNewFile(path: \"d/c.txt\", contents: \"C\") withNewFile(path: \"d/e/f.rs\", contents: \"F\")";

/// One row for each rule of how directories are put together: chain on [`TREE`], what it gives.
#[test]
fn directories_are_put_together() {
    let rows: Vec<(&str, Value)> = vec![
        ("entries", json!(["a.txt", "b.rs", "d/"])),
        ("entries(path: \"d\")", json!(["c.txt", "e/"])),
        ("directory(path: \"d/e\") entries", json!(["f.rs"])),
        ("glob(pattern: \"**/*.rs\")", json!(["b.rs", "d/e/f.rs"])),
        ("glob(pattern: \"*.txt\")", json!(["a.txt"])),
        (
            "filter(include: [\"**/*.txt\"]) glob(pattern: \"**/*\")",
            json!(["a.txt", "d/", "d/c.txt"]),
        ),
        ("filter(exclude: [\"d\"]) entries", json!(["a.txt", "b.rs"])),
        (
            "filter(exclude: [\"**\", \"!a.txt\"]) entries",
            json!(["a.txt"]),
        ),
        (
            "withoutFile(path: \"a.txt\") entries",
            json!(["b.rs", "d/"]),
        ),
        (
            "withoutFiles(paths: [\"a.txt\", \"b.rs\"]) entries",
            json!(["d/"]),
        ),
        (
            "withoutDirectory(path: \"d\") entries",
            json!(["a.txt", "b.rs"]),
        ),
        (
            "withNewDirectory(path: \"n/m\") entries(path: \"n\")",
            json!(["m/"]),
        ),
        (
            "withNewFile(path: \"a.txt\", contents: \"new\") file(path: \"a.txt\") contents",
            json!("new"),
        ),
        (
            "withSymlink(target: \"a.txt\", linkName: \"l\") file(path: \"l\") contents",
            json!("A"),
        ),
        ("exists(path: \"d/c.txt\")", json!(true)),
        ("exists(path: \"nosuch\")", json!(false)),
        (
            "exists(path: \"d\", expectedType: REGULAR_TYPE)",
            json!(false),
        ),
        ("file(path: \"d/c.txt\") name", json!("c.txt")),
        ("file(path: \"d/c.txt\") size", json!(1)),
        (
            "file(path: \"a.txt\") withName(name: \"z\") name",
            json!("z"),
        ),
    ];
    let nsci = Nsci::new();
    for (chain, wanted) in rows {
        assert_eq!(nsci.leaf(&format!("{TREE} {chain}")), wanted, "{chain}");
    }
}

#[test]
fn directories_are_copied_into_containers_and_compared() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let tree = session.id(TREE);
    let file = session.id(&format!("{TREE} file(path: \"a.txt\")"));
    let alpine = format!("container {}", from(IMAGE));
    let put = |flags: &str| {
        let chain = format!("{alpine} withDirectory(path: \"/put\", source: {tree}{flags})");
        session.text(&format!(
            "{chain} {} stdout",
            sh("cd /put && find . -type f | sort | xargs")
        ))
    };
    for (flags, wanted) in [
        ("", "./a.txt ./b.rs ./d/c.txt ./d/e/f.rs\n"),
        (", include: [\"*.rs\", \"d/e\"]", "./b.rs ./d/e/f.rs\n"),
        (", exclude: [\"**/*.rs\"]", "./a.txt ./d/c.txt\n"),
        (", include: [\"d\"], exclude: [\"d/e\"]", "./d/c.txt\n"),
    ] {
        assert_eq!(put(flags), wanted, "{flags}");
    }
    let owner = format!(
        "{alpine} withDirectory(path: \"/o\", source: {tree}, owner: \"12:34\") {} stdout",
        sh("stat -c %u:%g /o/a.txt")
    );
    assert_eq!(session.text(&owner), "12:34\n");
    let mode = format!(
        "{alpine} withFile(path: \"/f\", source: {file}, permissions: 448) {} stdout",
        sh("stat -c %a /f; cat /f")
    );
    assert_eq!(session.text(&mode), "700\nA");
    let more = session.id(&format!(
        "{TREE} withNewFile(path: \"d/new\", contents: \"N\")"
    ));
    let diff = session.leaf(&format!(
        "{TREE} diff(other: {more}) glob(pattern: \"**/*\")"
    ));
    assert_eq!(diff, json!(["d/", "d/new"]));
    let both = format!(
        "directory withDirectory(path: \"x\", source: {tree}) withFile(path: \"y\", source: {file}) entries"
    );
    assert_eq!(session.leaf(&both), json!(["x/", "y"]));
    let same = |chain: &str| session.text(&format!("{chain} digest"));
    assert_eq!(
        same(TREE),
        same(&format!(
            "{TREE} withNewFile(path: \"z\", contents: \"\") withoutFile(path: \"z\")"
        ))
    );
}

#[test]
fn container_files_are_written_and_removed() {
    let nsci = Nsci::new();
    let new = "withNewFile(path: \"/n/f\", contents: \"x\\n\", permissions: 384, owner: \"7:8\")";
    for (chain, wanted) in [
        (
            format!("{new} {} stdout", sh("stat -c '%a %u:%g' /n/f; cat /n/f")),
            "600 7:8\nx\n",
        ),
        (
            format!("{new} withoutFile(path: \"/n/f\") {} stdout", sh("ls /n")),
            "",
        ),
        (
            format!(
                "{new} withoutDirectory(path: \"/n\") {} stdout",
                sh("ls -d /n || echo gone")
            ),
            "gone\n",
        ),
        (
            format!(
                "withoutFile(path: \"/etc/os-release\") withoutFile(path: \"/etc/passwd\") {} stdout",
                sh("ls /etc/passwd 2>&1 || echo gone")
            ),
            "ls: /etc/passwd: No such file or directory\ngone\n",
        ),
        (
            format!("{} file(path: \"/made\") contents", sh("echo made > /made")),
            "made\n",
        ),
        (
            format!(
                "{} directory(path: \"/dir\") file(path: \"f\") contents",
                sh("mkdir /dir; echo f > /dir/f")
            ),
            "f\n",
        ),
        (
            format!(
                "{} file(path: \"/link\") contents",
                sh("echo t > /target; ln -s /target /link")
            ),
            "t\n",
        ),
        (
            format!("{} rootfs file(path: \"/r\") contents", sh("echo r > /r")),
            "r\n",
        ),
        (
            format!(
                "withSymlink(target: \"/etc/os-release\", linkName: \"/l\") {} stdout",
                sh("readlink /l")
            ),
            "/etc/os-release\n",
        ),
    ] {
        assert_eq!(nsci.alpine(&chain), wanted, "{chain}");
    }
}

#[test]
fn host_directories_obey_their_patterns() {
    let nsci = Nsci::new();
    for (path, contents) in [
        ("src/keep.txt", "k"),
        ("src/.git/HEAD", "h"),
        ("src/sub/a.rs", "a"),
        ("src/sub/b.log", "b"),
    ] {
        nsci.write(path, contents);
    }
    symlink("keep.txt", nsci.home().join("src/link")).unwrap();
    for (flags, wanted) in [
        (
            "",
            json!([
                ".git",
                ".git/HEAD",
                "keep.txt",
                "link",
                "sub",
                "sub/a.rs",
                "sub/b.log"
            ]),
        ),
        (
            ", exclude: [\".git\", \"**/*.log\"]",
            json!(["keep.txt", "link", "sub", "sub/a.rs"]),
        ),
        (
            ", include: [\"sub\"], exclude: [\"**/*.log\"]",
            json!(["sub", "sub/a.rs"]),
        ),
    ] {
        let chain = format!("host directory(path: \"src\"{flags}) glob(pattern: \"**/*\")");
        let mut found = nsci.leaf(&chain);
        found
            .as_array_mut()
            .unwrap()
            .sort_by_key(ToString::to_string);
        let names: Vec<String> = found
            .as_array()
            .unwrap()
            .iter()
            .map(|name| name.as_str().unwrap().trim_end_matches('/').to_owned())
            .collect();
        assert_eq!(json!(names), wanted, "{flags}");
    }
    assert_eq!(
        nsci.leaf("host directory(path: \"src\") file(path: \"link\") contents"),
        json!("k")
    );
    assert_eq!(
        nsci.leaf("host file(path: \"src/keep.txt\") contents"),
        json!("k")
    );
}

/// A step that makes one file of each kind below `/out`.
const OUT: &str = "mkdir -p /out/sub; echo f > /out/f; chmod 755 /out/f; ln -s f /out/l; ln -s /etc/passwd /out/abs; \
     echo s > /out/sub/s; chown 5:5 /out/sub/s";

#[test]
fn export_writes_directories_and_files_to_the_host() {
    let nsci = Nsci::new();
    let made = format!("container {} {}", from(IMAGE), sh(OUT));
    let path = nsci.home().join("saved");
    let export = |flags: &str| {
        let to = quoted(path.to_str().unwrap());
        nsci.text(&format!(
            "{made} directory(path: \"/out\") export(path: {to}{flags})"
        ));
    };
    export("");
    assert_eq!(nsci.read("saved/f"), "f\n");
    assert_eq!(nsci.read("saved/sub/s"), "s\n");
    assert_eq!(
        fs::metadata(path.join("f")).unwrap().permissions().mode() & 0o777,
        0o755
    );
    assert_eq!(fs::read_link(path.join("l")).unwrap().to_str(), Some("f"));
    assert_eq!(
        fs::read_link(path.join("abs")).unwrap().to_str(),
        Some("/etc/passwd")
    );
    // Files belong to whoever exports; others stay unless they are to be wiped.
    fs::write(path.join("own"), "o").unwrap();
    export("");
    assert_eq!(nsci.read("saved/own"), "o");
    export(", wipe: true");
    assert!(!path.join("own").exists());
    assert_eq!(nsci.read("saved/f"), "f\n");
    nsci.text(&format!(
        "{made} file(path: \"/out/f\") export(path: \"one\")"
    ));
    assert_eq!(nsci.read("one"), "f\n");
}

#[test]
fn export_does_not_write_through_links_of_the_tree() {
    let nsci = Nsci::new();
    nsci.write("victim/f", "safe");
    let victim = nsci.home().join("victim");
    let to = quoted(nsci.home().join("saved").to_str().unwrap());
    let session = nsci.session();
    let chain = |script: &str| {
        format!(
            "container {} {} directory(path: \"/out\")",
            from(IMAGE),
            sh(script)
        )
    };
    session.text(&format!(
        "{} export(path: {to})",
        chain(&format!("mkdir /out; ln -s {} /out/d", victim.display()))
    ));
    let answer = export_over(
        &session,
        &chain("mkdir -p /out/d; echo bad > /out/d/f"),
        &to,
    );
    assert_eq!(nsci.read("victim/f"), "safe", "{answer}");
}

fn export_over(session: &Session, chain: &str, to: &str) -> Value {
    session.answer(&crate::support::nest(&format!(
        "{chain} export(path: {to})"
    )))
}

/// Tall stacks of layers are merged to be mounted; what a layer took away must stay away.
#[test]
fn what_was_removed_stays_removed_in_long_chains() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let files = |range: std::ops::Range<u32>| -> String {
        range
            .map(|n| format!(" withNewFile(path: \"/f/{n}\", contents: \"{n}\")"))
            .collect()
    };
    let first = sh("mkdir /d && echo old > /d/old");
    let start = format!("container {} {first}", from(IMAGE));
    // Each part ends where a JSON answer is as deep as readers allow.
    let parts = [
        format!("{} withoutFile(path: \"/f/3\")", files(0..40)),
        format!(
            "{} withoutFile(path: \"/etc/alpine-release\") withoutFile(path: \"/f/4\")",
            files(40..90)
        ),
        // A directory made anew hides what the one before it had.
        format!(
            "{} withoutDirectory(path: \"/d\") withNewFile(path: \"/d/new\", contents: \"\") {}",
            files(90..150),
            files(150..170)
        ),
    ];
    let mut chain = start;
    for part in parts {
        let id = session.leaf(&format!("{chain} {part} id"));
        chain = format!("loadContainerFromID(id: {id})");
    }
    let script = "ls /f | wc -l; ls /d /etc/alpine-release /f/3 /f/4 2>/dev/null; cat /f/0 /f/169";
    let seen = session.leaf(&format!("{chain} {} stdout", sh(script)));
    assert_eq!(seen, "168\n/d:\nnew\n0169");
    // Edits and reads see the same as commands do.
    let release = "rootfs exists(path: \"etc/alpine-release\")";
    assert_eq!(session.leaf(&format!("{chain} {release}")), json!(false));
    let entries = "directory(path: \"/d\") entries";
    assert_eq!(session.leaf(&format!("{chain} {entries}")), json!(["new"]));
}
