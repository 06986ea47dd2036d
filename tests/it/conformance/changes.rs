//! What changed: changesets, patches, replaced text, search, patterns of `.gitignore` files.

use serde_json::json;

use super::Table;
use crate::support::quoted;

const OLD: &str = "directory withNewFile(path: \"keep\", contents: \"k\\n\") \
     withNewFile(path: \"edit\", contents: \"1\\n2\\n3\\n4\\n5\\n\") withNewFile(path: \"gone/a\", contents: \"a\\n\") \
     withNewFile(path: \"move\", contents: \"moved\\n\")";
const CHANGE: &str = "withNewFile(path: \"edit\", contents: \"1\\ntwo\\n3\\n4\\n5\\n\") withoutDirectory(path: \"gone\") \
     withNewFile(path: \"new/n\", contents: \"n\\n\") withoutFile(path: \"move\") \
     withNewFile(path: \"to/there\", contents: \"moved\\n\")";

#[test]
fn changesets_say_what_changed() {
    let mut table = Table::new();
    let old = table.id(OLD);
    let changes = format!("{OLD} {CHANGE} changes(from: {old})");
    let id = table.id(&changes);
    table
        .is(
            "what is new, directories with a slash",
            &format!("{changes} addedPaths"),
            json!(["new/", "new/n", "to/", "to/there"]),
        )
        .is("what is not what it was", &format!("{changes} modifiedPaths"), json!(["edit"]))
        .is(
            "what is gone, not what was in it",
            &format!("{changes} removedPaths"),
            json!(["gone/", "move"]),
        )
        .is("something changed", &format!("{changes} isEmpty"), false)
        .is("nothing changed", &format!("{OLD} changes(from: {old}) isEmpty"), true)
        .is(
            "times are no change",
            &format!("{OLD} withTimestamps(timestamp: 1) changes(from: {old}) isEmpty"),
            true,
        )
        .is("a fresh one is empty", "changeset isEmpty", true)
        .is(
            "the layer has what is new and modified",
            &format!("{changes} layer glob(pattern: \"**/*\")"),
            json!(["edit", "new/", "new/n", "to/", "to/there"]),
        )
        .is("before", &format!("{changes} before exists(path: \"gone\")"), true)
        .is("after", &format!("{changes} after exists(path: \"gone\")"), false)
        .is(
            "each file, moved ones found",
            &format!("{changes} diffStats {{path oldPath kind addedLines removedLines}}"),
            json!([
                {"path": "edit", "oldPath": null, "kind": "MODIFIED", "addedLines": 1, "removedLines": 1},
                {"path": "gone/a", "oldPath": null, "kind": "REMOVED", "addedLines": 0, "removedLines": 1},
                {"path": "new/n", "oldPath": null, "kind": "ADDED", "addedLines": 1, "removedLines": 0},
                {"path": "to/there", "oldPath": "move", "kind": "RENAMED", "addedLines": 0, "removedLines": 0},
            ]),
        )
        .is(
            "a change is applied elsewhere",
            &format!("directory withNewFile(path: \"gone/a\", contents: \"\") withNewFile(path: \"other\", contents: \"\") withChanges(changes: {id}) glob(pattern: \"**/*\")"),
            json!(["edit", "new/", "new/n", "other", "to/", "to/there"]),
        )
        .hold();
}

#[test]
fn patches_are_written_and_applied() {
    let mut table = Table::new();
    let old = table.id(OLD);
    let patch = format!("{OLD} {CHANGE} changes(from: {old}) asPatch");
    let file = table.id(&patch);
    table
        .is(
            "a patch makes the new of the old",
            &format!("{OLD} withPatchFile(patch: {file}) glob(pattern: \"**/*\")"),
            json!(["edit", "keep", "new/", "new/n", "to/", "to/there"]),
        )
        .is(
            "line by line",
            &format!("{OLD} withPatchFile(patch: {file}) file(path: \"edit\") contents"),
            "1\ntwo\n3\n4\n5\n",
        );
    let git = table.answer(&format!("{patch} contents"));
    let text = git.unwrap().as_str().unwrap().to_owned();
    assert!(
        text.contains("diff --git a/edit b/edit\n--- a/edit\n+++ b/edit\n@@ -1,5 +1,5 @@\n"),
        "{text}"
    );
    assert!(text.contains("deleted file mode 100644"), "{text}");
    let plain = quoted("--- edit\n+++ edit\n@@ -1,3 +1,3 @@\n 1\n-2\n+zwei\n 3\n");
    let wrong = quoted("--- a/edit\n+++ b/edit\n@@ -1,3 +1,3 @@\n 1\n-no\n+zwei\n 3\n");
    table
        .is(
            "plain unified patches too",
            &format!("{OLD} withPatch(patch: {plain}) file(path: \"edit\") contents"),
            "1\nzwei\n3\n4\n5\n",
        )
        .fails(
            "a patch that does not fit names the file",
            &format!("{OLD} withPatch(patch: {wrong}) entries"),
            &["cannot patch edit"],
        )
        .is(
            "or leaves both sides",
            &format!("{OLD} withPatch(patch: {wrong}, onConflict: LEAVE_CONFLICT_MARKERS) file(path: \"edit\") contents"),
            "<<<<<<< ours\n1\n2\n3\n=======\n1\nzwei\n3\n>>>>>>> theirs\n4\n5\n",
        )
        .fails(
            "what is no patch is refused",
            &format!("{OLD} withPatch(patch: \"hello\") entries"),
            &["cannot read the patch"],
        )
        .fails(
            "a patch does not leave the directory",
            &format!(
                "{OLD} withPatch(patch: {}) entries",
                quoted("--- a/../../etc/x\n+++ b/../../etc/x\n@@ -1 +1 @@\n-a\n+b\n")
            ),
            &["no such file"],
        )
        .hold();
}

#[test]
fn changes_are_merged() {
    let mut table = Table::new();
    let old = table.id(OLD);
    let change = |chain: &str| format!("{OLD} {chain} changes(from: {old})");
    let first = "withNewFile(path: \"edit\", contents: \"one\\n2\\n3\\n4\\n5\\n\")";
    let last = "withNewFile(path: \"edit\", contents: \"1\\n2\\n3\\n4\\nfive\\n\")";
    let clash = "withNewFile(path: \"edit\", contents: \"eins\\n2\\n3\\n4\\n5\\n\")";
    let (last, clash) = (table.id(&change(last)), table.id(&change(clash)));
    let other = table.id(&change("withNewFile(path: \"x\", contents: \"x\")"));
    let merged = |other: &str, policy: &str| {
        format!(
            "{} withChangeset(changes: {other}, onConflict: {policy}) after file(path: \"edit\") contents",
            change(first)
        )
    };
    table
        .is(
            "changes of different lines go together",
            &merged(&last, "FAIL"),
            "one\n2\n3\n4\nfive\n",
        )
        .fails(
            "unless any common file is a conflict",
            &merged(&last, "FAIL_EARLY"),
            &["conflict in edit"],
        )
        .fails(
            "the same lines are one",
            &merged(&clash, "FAIL"),
            &["conflict in edit"],
        )
        .is("ours", &merged(&clash, "PREFER_OURS"), "one\n2\n3\n4\n5\n")
        .is(
            "theirs",
            &merged(&clash, "PREFER_THEIRS"),
            "eins\n2\n3\n4\n5\n",
        )
        .is(
            "or both",
            &merged(&clash, "LEAVE_CONFLICT_MARKERS"),
            "<<<<<<< ours\none\n=======\neins\n>>>>>>> theirs\n2\n3\n4\n5\n",
        )
        .is(
            "several at once",
            &format!(
                "{} withChangesets(changes: [{other}, {last}]) addedPaths",
                change(first)
            ),
            json!(["x"]),
        )
        .hold();
}

#[test]
fn changes_are_exported() {
    let mut table = Table::new();
    let old = table.id(OLD);
    table.nsci.write("work/edit", "1\n2\n3\n4\n5\n");
    table.nsci.write("work/gone/a", "a\n");
    table.nsci.write("work/own", "o");
    let path = table.nsci.home().join("work");
    table
        .is(
            "the path is returned",
            &format!("{OLD} {CHANGE} changes(from: {old}) export(path: \"work\")"),
            path.to_str().unwrap(),
        )
        .hold();
    assert_eq!(table.nsci.read("work/edit"), "1\ntwo\n3\n4\n5\n");
    assert_eq!(table.nsci.read("work/own"), "o");
    assert!(!path.join("gone").exists());
}

#[test]
fn text_is_replaced_and_found() {
    let file = "file(name: \"f\", contents: \"a x\\nb x\\nc\\n\")";
    let tree = "directory withNewFile(path: \"a.txt\", contents: \"one\\ntwo Two\\n\") \
                withNewFile(path: \"d/b.rs\", contents: \"fn two() {}\\n\") \
                withNewFile(path: \".h/c\", contents: \"two\") withNewFile(path: \".gitignore\", contents: \"*.rs\\n\")";
    let search = |flags: &str, fields: &str| format!("{tree} search({flags}) {{{fields}}}");
    let files = |names: &[&str]| {
        let file = |name: &&str| json!({"filePath": name});
        serde_json::Value::Array(names.iter().map(file).collect())
    };
    Table::new()
        .fails(
            "one match, or say which",
            &format!("{file} withReplaced(search: \"x\", replacement: \"y\") contents"),
            &["more than once"],
        )
        .is("all", &format!("{file} withReplaced(search: \"x\", replacement: \"y\", all: true) contents"), "a y\nb y\nc\n")
        .is(
            "the first from a line on",
            &format!("{file} withReplaced(search: \"x\", replacement: \"y\", firstFrom: 2) contents"),
            "a x\nb y\nc\n",
        )
        .fails("none is an error", &format!("{file} withReplaced(search: \"z\", replacement: \"\") contents"), &["`z`"])
        .is(
            "a file is searched",
            &format!("{file} search(pattern: \"^b\") {{filePath lineNumber absoluteOffset matchedLines}}"),
            json!([{"filePath": "f", "lineNumber": 2, "absoluteOffset": 4, "matchedLines": "b x\n"}]),
        )
        .is("a directory, in order", &search("pattern: \"two\"", "filePath"), files(&[".h/c", "a.txt", "d/b.rs"]))
        .is(
            "every match in a line",
            &search("pattern: \"two\", insensitive: true, paths: [\"a.txt\"]", "submatches{text start end}"),
            json!([{"submatches": [{"text": "two", "start": 0, "end": 3}, {"text": "Two", "start": 4, "end": 7}]}]),
        )
        .is("texts are literal on demand", &search("pattern: \"two()\", literal: true", "filePath"), files(&["d/b.rs"]))
        .is("globs choose files", &search("pattern: \"two\", globs: [\"*.txt\"]", "filePath"), files(&["a.txt"]))
        .is("or leave them out", &search("pattern: \"two\", globs: [\"!*.txt\", \"!c\"]", "filePath"), files(&["d/b.rs"]))
        .is("hidden ones can be left out", &search("pattern: \"two\", skipHidden: true", "filePath"), files(&["a.txt", "d/b.rs"]))
        .is("ignored ones too", &search("pattern: \"two\", skipIgnored: true", "filePath"), files(&[".h/c", "a.txt"]))
        .is("there is a limit", &search("pattern: \"two\", limit: 1", "filePath"), files(&[".h/c"]))
        .is(
            "one result per file on demand",
            &search("pattern: \"o\", filesOnly: true, paths: [\"a.txt\"]", "filePath"),
            files(&["a.txt"]),
        )
        .is(
            "matches may span lines on demand",
            &search("pattern: \"one.two\", multiline: true, dotall: true", "matchedLines"),
            json!([{"matchedLines": "one\ntwo Two\n"}]),
        )
        .fails("a malformed pattern is named", &search("pattern: \"(\"", "filePath"), &["cannot search for `(`"])
        .hold();
}

#[test]
fn gitignore_files_count_everywhere() {
    let tree = "directory withNewFile(path: \".gitignore\", contents: \"*.log\\n/build\\n\") \
                withNewFile(path: \"a.log\", contents: \"\") withNewFile(path: \"build/x\", contents: \"\") \
                withNewFile(path: \"d/build/y\", contents: \"\") withNewFile(path: \"d/.gitignore\", contents: \"!b.log\\n\") \
                withNewFile(path: \"d/b.log\", contents: \"\")";
    let mut table = Table::new();
    let id = table.id(tree);
    let kept = json!([
        ".gitignore",
        "d/",
        "d/.gitignore",
        "d/b.log",
        "d/build/",
        "d/build/y"
    ]);
    table
        .is(
            "filter",
            &format!("{tree} filter(gitignore: true) glob(pattern: \"**/*\")"),
            kept.clone(),
        )
        .is(
            "withDirectory of a directory",
            &format!("directory withDirectory(path: \"/\", source: {id}, gitignore: true) glob(pattern: \"**/*\")"),
            kept.clone(),
        )
        .is(
            "withDirectory of a container",
            &format!("container withDirectory(path: \"/\", source: {id}, gitignore: true) directory(path: \"/\") glob(pattern: \"**/*\")"),
            kept,
        )
        .is(
            "patterns count as well",
            &format!("{tree} filter(gitignore: true, exclude: [\"d/build\"]) directory(path: \"d\") entries"),
            json!([".gitignore", "b.log"]),
        )
        .hold();
}
