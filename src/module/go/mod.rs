//! Reads the types a Go module offers from its source, without running it.
//!
//! Main function: [`package`], for the types and what generated code must know to call them. Go says everything statically, so nothing is ever left to be asked at run time. `plan`
//! says how a module is compiled and run, [`requirements`] what becomes of its `go.mod`.

mod comment;
mod describe;
mod package;
mod plan;
pub mod requirements;
mod syntax;

use std::collections::BTreeMap;
use std::path::Path;

use super::python::StaticError;
pub use package::{
    GoEnum, GoFunction, GoInterface, GoMethod, GoObject, GoParam, GoResult, Package,
};
pub(super) use plan::plan;
pub use plan::{MODULE_SDK, SOURCE};

/// Patterns of what is generated for each run, and what older tools left.
pub const EXCLUDED: &[&str] = &[
    ".git",
    "dagger.gen.go",
    "internal/dagger",
    "internal/querybuilder",
    "internal/telemetry",
    "sdk",
];

/// Reads a module's package: the Go files at the top of the source directory.
///
/// # Errors
/// [`StaticError`] naming file and line of what is wrong.
pub fn package(module: &str, files: &BTreeMap<String, String>) -> Result<Package, StaticError> {
    let mut parsed = Vec::new();
    for (path, text) in files {
        if path.ends_with(".go") && !path.contains('/') && !is_ignored(text) {
            parsed.push(syntax::parse(path, text)?);
        }
    }
    if parsed.is_empty() {
        return Err(StaticError::NoSource {
            module: module.to_owned(),
            looked_for: "*.go".into(),
        });
    }
    if let Some(other) = parsed.iter().find(|file| file.package != "main") {
        return Err(StaticError::Invalid {
            file: other.path.clone(),
            line: 1,
            message: format!("a module's package is `main`, not `{}`", other.package),
        });
    }
    describe::describe(module, &parsed)
}

/// Whether a build constraint leaves a file out.
fn is_ignored(text: &str) -> bool {
    text.lines()
        .take_while(|line| !line.starts_with("package "))
        .any(|line| line.trim() == "//go:build ignore")
}

/// Whether a path relative to the source directory is a file that matters to a module.
pub fn is_relevant(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let file = parts.next().unwrap_or_default();
    let skipped =
        |part: &str| part.starts_with(['.', '_']) || matches!(part, "testdata" | "node_modules");
    let generated =
        path == "dagger.gen.go" || path.starts_with("internal/dagger/") || path.starts_with("sdk/");
    let source = file.ends_with(".go") && !file.ends_with("_test.go") && !generated;
    let wanted = source || matches!(path, "go.mod" | "go.sum" | "vendor/modules.txt");
    wanted && (!path.starts_with("vendor/") || path == "vendor/modules.txt") && !parts.any(skipped)
}

/// Reads the files of a source directory that matter to a Go module.
///
/// # Errors
/// If a directory or file cannot be read or is not UTF-8.
pub fn collect(source: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    collect_into(source, "", &mut files)?;
    Ok(files)
}

fn collect_into(
    directory: &Path,
    prefix: &str,
    files: &mut BTreeMap<String, String>,
) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            // Asked with a file that would be wanted, so that skipped directories are not entered.
            if path == "vendor" || is_relevant(&format!("{path}/a.go")) {
                collect_into(&entry.path(), &format!("{path}/"), files)?;
            }
        } else if is_relevant(&path) {
            files.insert(path, std::fs::read_to_string(entry.path())?);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
