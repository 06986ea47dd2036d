//! Imports go down: holds the sources to the table in the documentation of `src/lib.rs`.
//!
//! Reads text, not a syntax tree: comments are dropped, then every `crate::name` and every path of `super` that leads
//! out of a module counts as a use of that module. Tests inside of a module are held to the same order.
#![expect(
    clippy::unwrap_used,
    reason = "a source tree that cannot be read is a failed test"
)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Height of each module, the lowest row of the table being 0.
type Table = BTreeMap<String, usize>;

fn repository() -> PathBuf {
    // Where cargo starts tests, or where they were built.
    match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(path) => path.into(),
        None => env!("CARGO_MANIFEST_DIR").into(),
    }
}

/// The rows between the fences of the first `text` block in a file's documentation.
fn table(lib: &str) -> Table {
    let rows: Vec<&str> = lib
        .lines()
        .skip_while(|line| *line != "//! ```text")
        .skip(1)
        .take_while(|line| *line != "//! ```")
        .map(|line| line.trim_start_matches("//!"))
        .collect();
    let heights = rows.iter().rev().enumerate();
    heights
        .flat_map(|(height, row)| row.split_whitespace().map(move |m| (m.to_owned(), height)))
        .collect()
}

/// Source without `//` comments. A `//` in a string cuts that line short, which hides nothing that is a path.
fn code(source: &str) -> String {
    let lines = source
        .lines()
        .map(|line| line.split("//").next().unwrap_or_default());
    lines.fold(String::new(), |mut text, line| {
        text.push_str(line);
        text.push('\n');
        text
    })
}

fn identifier(text: &str) -> &str {
    let end = text
        .find(|c: char| !c.is_alphanumeric() && c != '_')
        .unwrap_or(text.len());
    &text[..end]
}

/// First names of what `text`, which follows a `::`, begins with: one, or those of a group.
fn first_names(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let Some(group) = text.strip_prefix('{') else {
        return vec![identifier(text).to_owned()];
    };
    let (mut names, mut depth, mut at_start) = (Vec::new(), 0_usize, true);
    for (index, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => at_start = true,
            c if at_start && !c.is_whitespace() => {
                names.push(identifier(&group[index..]).to_owned());
                at_start = false;
            }
            _ => {}
        }
    }
    names
}

/// Modules of the crate that a source refers to. `depth` is how many `super` lead from the file to the crate.
fn uses(source: &str, depth: usize) -> Vec<String> {
    let code = code(source);
    let up = "super::".repeat(depth);
    let mut found = Vec::new();
    for prefix in ["crate::", up.as_str()] {
        for (at, _) in code.match_indices(prefix) {
            let before = code[..at].chars().next_back();
            let is_whole = before.is_none_or(|c| !c.is_alphanumeric() && !"_$:".contains(c));
            if is_whole {
                found.extend(first_names(&code[at + prefix.len()..]));
            }
        }
    }
    found
}

/// What is wrong with the uses of one module, as `other` names.
fn upward(table: &Table, module: &str, uses: &[String]) -> Vec<String> {
    let own = table[module];
    let is_wrong = |name: &&String| *name != module && table.get(*name).is_some_and(|h| *h >= own);
    uses.iter().filter(is_wrong).cloned().collect()
}

fn rust_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// `(module, how deep below the crate)` of a file of the library; none for its root.
fn place(src: &Path, file: &Path) -> Option<(String, usize)> {
    let path = file.strip_prefix(src).unwrap().with_extension("");
    let mut names: Vec<String> = path
        .iter()
        .map(|name| name.to_string_lossy().into_owned())
        .collect();
    if names.last().is_some_and(|name| name == "mod") {
        names.pop();
    }
    let module = names.first().filter(|name| *name != "lib")?.clone();
    Some((module, names.len()))
}

#[test]
fn imports_go_down() {
    let src = repository().join("src");
    let table = table(&fs::read_to_string(src.join("lib.rs")).unwrap());
    let mut wrong = Vec::new();
    let mut read = 0;
    for file in rust_files(&src) {
        if file.starts_with(src.join("bin")) {
            continue;
        }
        let Some((module, depth)) = place(&src, &file) else {
            continue;
        };
        let shown = file.strip_prefix(&src).unwrap().display().to_string();
        if !table.contains_key(&module) {
            wrong.push(format!("{shown}: `{module}` is not in the table of lib.rs"));
            continue;
        }
        let source = fs::read_to_string(&file).unwrap();
        read += 1;
        for name in upward(&table, &module, &uses(&source, depth)) {
            wrong.push(format!("{shown}: `{module}` may not use `{name}`"));
        }
    }
    assert!(read > 20, "only {read} files were found");
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn crates_do_not_see_each_other() {
    for (package, strangers) in [
        (
            "runtime",
            &["nsci-snapshotter", "nsci-vm", "nsci.workspace"][..],
        ),
        (
            "snapshotter",
            &["nsci-runtime", "nsci-vm", "nsci.workspace"],
        ),
        // Built for macOS, where the others do not compile.
        (
            "vm",
            &["nsci-runtime", "nsci-snapshotter", "nsci.workspace"],
        ),
    ] {
        let path = repository().join(package).join("Cargo.toml");
        let manifest = fs::read_to_string(path).unwrap();
        let is_own = |line: &&str| line.starts_with("name = ") || line.starts_with("description");
        for line in manifest.lines().filter(|line| !is_own(line)) {
            for stranger in strangers {
                assert!(
                    !line.starts_with(*stranger),
                    "{package} depends on {stranger}"
                );
            }
        }
    }
}

#[test]
fn table_has_every_module_once() {
    let table = table("//! x\n//!\n//! ```text\n//! top    peer\n//! middle\n//! low\n//! ```\n");
    let rows: Vec<(&str, usize)> = table.iter().map(|(m, h)| (m.as_str(), *h)).collect();
    assert_eq!(rows, [("low", 0), ("middle", 1), ("peer", 2), ("top", 2)]);
}

#[test]
fn upward_use_is_found_however_it_is_written() {
    let table: Table = [("top", 2), ("peer", 1), ("middle", 1), ("low", 0)]
        .map(|(module, height)| (module.to_owned(), height))
        .into();
    for (source, depth, wanted) in [
        ("use crate::top::Thing;", 1, &["top"][..]),
        ("fn f() { crate::top::go() }", 1, &["top"]),
        ("pub(in crate::top) fn f() {}", 1, &["top"]),
        ("use crate::{low::A, top};", 1, &["top"]),
        (
            "use crate::{\n    low::{A, top},\n    peer::{self, B},\n};",
            1,
            &["peer"],
        ),
        ("use super::top;", 1, &["top"]),
        ("use super::super::top;", 2, &["top"]),
        ("use super::top;", 2, &[]),
        ("use crate::{low, middle::C};", 1, &[]),
        (
            "// crate::top\n/// [`crate::top`]\nuse crate::low; // crate::top",
            1,
            &[],
        ),
        ("use other_crate::top;", 1, &[]),
        ("use crate::topmost;", 1, &[]),
    ] {
        assert_eq!(
            upward(&table, "middle", &uses(source, depth)),
            wanted,
            "{source}"
        );
    }
}

#[test]
fn files_know_their_module() {
    for (file, wanted) in [
        ("src/event.rs", Some(("event", 1))),
        ("src/ops/mod.rs", Some(("ops", 1))),
        ("src/ops/exec.rs", Some(("ops", 2))),
        ("src/schema/gql/mod.rs", Some(("schema", 2))),
        ("src/lib.rs", None),
    ] {
        let found = place(Path::new("src"), Path::new(file));
        let found = found
            .as_ref()
            .map(|(module, depth)| (module.as_str(), *depth));
        assert_eq!(found, wanted, "{file}");
    }
}
