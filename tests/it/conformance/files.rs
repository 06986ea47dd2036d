//! Directories and files: what goes in, what comes out, who owns it and what it is called.

use serde_json::json;

use super::Table;
use crate::support::sh;

#[test]
fn paths_stay_inside_and_links_are_resolved_there() {
    Table::new()
        .is(
            "relative paths are below the working directory",
            "ALPINE withWorkdir(path: \"/w\") withNewFile(path: \"f\", contents: \"x\") file(path: \"/w/f\") contents",
            "x",
        )
        .is(
            "dots do not leave the root",
            "directory withNewFile(path: \"../../f\", contents: \"x\") file(path: \"f\") contents",
            "x",
        )
        .is(
            "nor a directory below it",
            "directory withNewFile(path: \"f\", contents: \"out\") withNewFile(path: \"d/f\", contents: \"in\") directory(path: \"d\") file(path: \"../f\") contents",
            "in",
        )
        .is(
            "absolute links are absolute in the root",
            "ALPINE withSymlink(target: \"/etc/hostname-of-mine\", linkName: \"/l\") withNewFile(path: \"/etc/hostname-of-mine\", contents: \"h\") file(path: \"/l\") contents",
            "h",
        )
        .is(
            "links on the way are followed when writing",
            "ALPINE withSymlink(target: \"/real\", linkName: \"/l\") withNewFile(path: \"/real/a\", contents: \"a\") withNewFile(path: \"/l/b\", contents: \"b\") directory(path: \"/real\") entries",
            json!(["a", "b"]),
        )
        .is(
            "variables in paths on demand",
            "ALPINE withEnvVariable(name: \"D\", value: \"/d\") withNewFile(path: \"$D/f\", contents: \"x\", expand: true) file(path: \"${D}/f\", expand: true) contents",
            "x",
        )
        .is(
            "literal otherwise",
            "ALPINE withEnvVariable(name: \"D\", value: \"/d\") withNewFile(path: \"/$D/f\", contents: \"x\") directory(path: \"/$D\") entries",
            json!(["f"]),
        )
        .fails(
            "a missing file is named",
            "directory file(path: \"no/such\") contents",
            &["no/such"],
        )
        .fails(
            "a directory is no file",
            "directory withNewDirectory(path: \"d\") file(path: \"d\") contents",
            &["d"],
        )
        .fails(
            "names of more than 255 bytes are refused",
            &format!("directory withNewFile(path: \"{}\", contents: \"\") entries", "n".repeat(256)),
            &["255"],
        )
        .hold();
}

#[test]
fn owners_and_permissions() {
    let mut table = Table::new();
    let file = table.id("file(name: \"f\", contents: \"x\", permissions: 448)");
    let tree = table
        .id("directory withNewFile(path: \"a\", contents: \"x\") withNewDirectory(path: \"s\")");
    let owned = table.id(
        "directory withNewFile(path: \"x/a\", contents: \"x\") withNewDirectory(path: \"x/s\") \
         chown(path: \"x\", owner: \"5:6\") directory(path: \"x\")",
    );
    let stat = |chain: &str, path: &str| {
        format!(
            "ALPINE {chain} {} stdout",
            sh(&format!("stat -c '%a %u:%g' {path}"))
        )
    };
    table
        .is(
            "files are 0644 of root",
            &stat("withNewFile(path: \"/f\", contents: \"\")", "/f"),
            "644 0:0\n",
        )
        .is(
            "their parents 0755",
            &stat("withNewFile(path: \"/p/q/f\", contents: \"\")", "/p"),
            "755 0:0\n",
        )
        .is(
            "permissions as asked",
            &stat(
                "withNewFile(path: \"/f\", contents: \"\", permissions: 320)",
                "/f",
            ),
            "500 0:0\n",
        )
        .is(
            "a copy keeps them",
            &stat(&format!("withFile(path: \"/f\", source: {file})"), "/f"),
            "700 0:0\n",
        )
        .is(
            "unless told",
            &stat(
                &format!("withFile(path: \"/f\", source: {file}, permissions: 256)"),
                "/f",
            ),
            "400 0:0\n",
        )
        .is(
            "owner by number, the group is the same",
            &stat(
                &format!("withFile(path: \"/f\", source: {file}, owner: \"77\")"),
                "/f",
            ),
            "700 77:77\n",
        )
        .is(
            "owner by name of the container",
            &stat(
                &format!("withDirectory(path: \"/d\", source: {tree}, owner: \"nobody\")"),
                "/d/a",
            ),
            "644 65534:65534\n",
        )
        .is(
            "user and group by name",
            &stat(
                "withNewFile(path: \"/f\", contents: \"\", owner: \"nobody:root\")",
                "/f",
            ),
            "644 65534:0\n",
        )
        .is(
            "the container's user inherits",
            &stat(
                "withUser(name: \"12\") withNewFile(path: \"/f\", contents: \"\", inheritOwner: true)",
                "/f",
            ),
            "644 12:12\n",
        )
        .fails(
            "an unknown owner is named",
            &stat(
                "withNewFile(path: \"/f\", contents: \"\", owner: \"whoever\")",
                "/f",
            ),
            &["whoever"],
        )
        .is(
            "permissions of a copied directory's files",
            &stat(
                &format!("withDirectory(path: \"/d\", source: {tree}, permissions: 256)"),
                "/d/a",
            ),
            "400 0:0\n",
        )
        .is(
            "chown of a directory is deep",
            &format!(
                "ALPINE withDirectory(path: \"/d\", source: {}) {} stdout",
                owned,
                sh("stat -c %u:%g /d/s")
            ),
            "5:6\n",
        )
        .hold();
}

#[test]
fn digests_are_of_contents() {
    let mut table = Table::new();
    let tree = "directory withNewFile(path: \"a\", contents: \"x\")";
    let same = [
        (
            "modification times do not count",
            true,
            "withTimestamps(timestamp: 1) digest",
        ),
        (
            "nor how it was made",
            true,
            "withNewFile(path: \"b\", contents: \"\") withoutFile(path: \"b\") digest",
        ),
        (
            "contents do",
            false,
            "withNewFile(path: \"a\", contents: \"y\") digest",
        ),
        (
            "and permissions",
            false,
            "withNewFile(path: \"a\", contents: \"x\", permissions: 256) digest",
        ),
    ];
    for (rule, equal, change) in same {
        table.same(
            rule,
            equal,
            &format!("{tree} digest"),
            &format!("{tree} {change}"),
        );
    }
    table
        .same(
            "a file's digest without metadata is of its contents alone",
            true,
            "file(name: \"a\", contents: \"x\") digest(excludeMetadata: true)",
            "file(name: \"b\", contents: \"x\", permissions: 256) digest(excludeMetadata: true)",
        )
        .hold();
}
