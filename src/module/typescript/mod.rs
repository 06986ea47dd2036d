//! Reads the types a TypeScript module offers from its source, and makes scripts of it, without running it.
//!
//! Main functions: [`read`], and [`Source::scripts`] of what it read. It follows imports as compilers do, understands the SDK's decorators, types and
//! documentation comments, and says what the SDK has to know about the module when a function runs. Nothing is
//! installed for it and nothing is started: [`transpile`] does what a compiler would in a container.

mod core;
mod describe;
mod doc;
mod functions;
mod init;
mod kinds;
mod lower;
mod lower_types;
mod package;
mod plan;
mod program;
mod resolve;
mod runtime;
mod syntax;
mod transpile;
mod types;

use std::path::Path;

pub use init::init;
pub use package::NODE_IMAGE;
pub use plan::plan;

use self::program::Program;
use self::resolve::{Resolved, is_declaration, is_typescript, relative, script_path};
use self::runtime::Runtime;
use super::python::StaticError;
use super::sdk::SourceFiles;
use super::typedef::ModuleTypes;

/// File, in the source directory, that tells the SDK about the module.
const DESCRIPTION: &str = ".nsci-module.json";

/// Script with the types of other modules that a module uses.
const DEPENDENCIES: &str = ".nsci-dependencies.mjs";

/// The same as source, for editors.
pub const DEPENDENCY_TYPES: &str = ".nsci-dependencies.gen.ts";

/// Script with these and the SDK.
const BOTH: &str = ".nsci-sdk.mjs";

/// Name by which scripts import the SDK.
const SDK: &str = "@dagger.io/dagger";

/// A module's source, read.
#[derive(Debug)]
pub struct Source<'a> {
    /// The types it offers.
    pub types: ModuleTypes,
    program: Program<'a>,
    files: &'a SourceFiles,
    runtime: Runtime,
}

/// Reads a module from its source files, by path relative to the source directory.
///
/// # Errors
/// Mistakes in the source, with file and line.
pub fn read<'a>(module: &str, files: &'a SourceFiles) -> Result<Source<'a>, StaticError> {
    let program = Program::load(&roots(module, files)?, files)?;
    let (types, mut runtime) = describe::Describer::describe(&program)?;
    let types = types.finish(module)?;
    for interface in &types.interfaces {
        if let Some(known) = runtime.interfaces.get_mut(&interface.name) {
            known.api_name.clone_from(&interface.api_name);
        }
    }
    Ok(Source {
        types,
        program,
        files,
        runtime,
    })
}

impl Source<'_> {
    /// What runs instead of the sources: path relative to the source directory, and contents.
    ///
    /// `dependencies` is the source of the types of other modules, if it uses any.
    ///
    /// # Errors
    /// Mistakes in the source, with file and line.
    pub fn scripts(
        &self,
        dependencies: Option<&str>,
    ) -> Result<Vec<(String, String)>, StaticError> {
        let mut runtime = self.runtime.clone();
        let mut scripts = Vec::new();
        if let Some(source) = dependencies {
            runtime.dependencies = Some(DEPENDENCIES.to_owned());
            scripts.push((DEPENDENCIES.to_owned(), dependency_script(source)?));
            scripts.push((DEPENDENCY_TYPES.to_owned(), source.to_owned()));
            let both = format!("export * from \"{SDK}\"\nexport * from \"./{DEPENDENCIES}\"\n");
            scripts.push((BOTH.to_owned(), both));
        }
        let description = serde_json::to_string(&runtime).expect("plain data can be written");
        scripts.push((DESCRIPTION.to_owned(), description));
        let read = self.program.files.iter();
        for file in read.filter(|file| is_typescript(&file.path)) {
            let sdk = match dependencies {
                Some(_) => relative(&file.path, BOTH),
                None => SDK.to_owned(),
            };
            let text = &self.files[&file.path];
            scripts.push(transpiled(&self.program, &file.path, text, &sdk)?);
        }
        Ok(scripts)
    }
}

/// The script with the types of other modules; it finds the SDK's own files in its package.
fn dependency_script(source: &str) -> Result<String, StaticError> {
    let import = |specifier: &str| {
        let file = specifier.strip_prefix("./")?;
        Some(format!("{SDK}/{file}"))
    };
    transpile::script("dependencies.gen.ts", source, &import).map_err(|mistake| {
        StaticError::Invalid {
            file: "dependencies.gen.ts".into(),
            line: mistake.line,
            message: mistake.message,
        }
    })
}

fn transpiled(
    program: &Program<'_>,
    path: &str,
    text: &str,
    sdk: &str,
) -> Result<(String, String), StaticError> {
    let import = |specifier: &str| match program.resolver().resolve(path, specifier) {
        Resolved::Sdk => Some(sdk.to_owned()),
        Resolved::File(file) if is_typescript(&file) => Some(relative(path, &script_path(&file))),
        Resolved::File(file) => Some(relative(path, &file)),
        Resolved::External => None,
    };
    let script =
        transpile::script(path, text, &import).map_err(|mistake| StaticError::Invalid {
            file: path.to_owned(),
            line: mistake.line,
            message: mistake.message,
        })?;
    Ok((script_path(path), script))
}

/// Patterns of what is no part of a module's source.
pub const EXCLUDED: &[&str] = &["**/node_modules", ".git"];

/// Makes a script of a file that imports nothing but scripts.
///
/// # Errors
/// A mistake in the source, with its line.
pub fn transpile(path: &str, text: &str) -> Result<String, StaticError> {
    transpile::script(path, text, &|_| None).map_err(|mistake| StaticError::Invalid {
        file: path.to_owned(),
        line: mistake.line,
        message: mistake.message,
    })
}

/// Files that declare something for the API; what they import is read with them.
///
/// A module may live beside the program it builds, so only files that mention both the SDK and its
/// decorators count.
fn roots(module: &str, files: &SourceFiles) -> Result<Vec<String>, StaticError> {
    let mut found: Vec<String> = files
        .iter()
        .filter(|(path, text)| is_typescript(path) && !is_test(path) && declares(text))
        .map(|(path, _)| path.clone())
        .collect();
    // Where the code is expected comes first, as what is declared there is.
    let rank = |path: &str| {
        let expected = ["src/index.ts", "index.ts", "src/main.ts", "main.ts"];
        let at = expected.iter().position(|name| *name == path);
        at.unwrap_or(expected.len())
    };
    found.sort_by_key(|path| rank(path));
    // Beside `src`, only what stands at the top may be the module's.
    let in_src = found.iter().any(|path| path.starts_with("src/"));
    if in_src {
        found.retain(|path| path.starts_with("src/") || !path.contains('/'));
    }
    if !found.is_empty() {
        return Ok(found);
    }
    let sources: Vec<&str> = ["src/index.ts", "index.ts"]
        .into_iter()
        .filter(|path| files.contains_key(*path))
        .collect();
    match sources.first() {
        Some(path) => Err(StaticError::Invalid {
            file: (*path).to_owned(),
            line: 1,
            message: "no class has `@object()` from \"@dagger.io/dagger\"".into(),
        }),
        None => Err(StaticError::NoSource {
            module: module.to_owned(),
            looked_for: "src/index.ts, index.ts, any file with `@object()`".into(),
        }),
    }
}

fn declares(text: &str) -> bool {
    let imports =
        resolve::SDK_NAMES.iter().any(|name| text.contains(name)) || text.contains("/sdk");
    imports && (text.contains("object") || text.contains("enumType")) && text.contains('@')
}

fn is_test(path: &str) -> bool {
    [".test.", ".spec."].iter().any(|part| path.contains(part))
}

/// Reads the files of a source directory that matter to a TypeScript module.
///
/// Skips hidden directories, installed packages and the copy of the SDK older tools leave.
///
/// # Errors
/// If a directory or file cannot be read or is not UTF-8.
pub fn collect(source: &Path) -> std::io::Result<SourceFiles> {
    let mut files = SourceFiles::new();
    collect_into(source, "", &mut files)?;
    Ok(files)
}

/// Whether a path relative to the source directory is a file [`read`] wants to see.
pub fn is_relevant(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let file = parts.next().unwrap_or_default();
    let skipped = |part: &str| part.starts_with('.') || matches!(part, "node_modules" | "dist");
    let config = ["package.json", "package-lock.json", "tsconfig.json"];
    let script = [".js", ".mjs", ".cjs"]
        .iter()
        .any(|end| file.ends_with(end));
    let wanted = config.contains(&path) || is_typescript(file) || is_declaration(file) || script;
    let is_ours = file.starts_with("__dagger.") || path.starts_with("sdk/");
    wanted && !is_ours && !parts.any(skipped)
}

fn collect_into(directory: &Path, prefix: &str, files: &mut SourceFiles) -> std::io::Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let Ok(name) = entry.file_name().into_string() else {
            continue;
        };
        let path = format!("{prefix}{name}");
        if entry.file_type()?.is_dir() {
            // Asked with a file that would be wanted, so that skipped directories are not entered.
            if is_relevant(&format!("{path}/a.ts")) {
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
