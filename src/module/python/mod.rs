//! Reads the types a Python module offers from its source, without running it.
//!
//! Main function: [`read`]. It follows imports inside the module as Python would, understands the
//! SDK's decorators and annotations under whatever name they were imported, and says the same as the
//! SDK's own `--describe`. Where only running can tell (a default that is computed, a base class from
//! a package) it says so with [`StaticError::NeedsRuntime`] and the engine asks the program instead.

mod describe;
mod syntax;

use std::collections::BTreeMap;
use std::path::Path;

use super::names;
pub(super) use describe::{CORE_ENUMS, CORE_SCALARS};

use super::typedef::{ModuleTypes, TypeError};

/// Why a module's types could not be read from its source.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StaticError {
    /// There is no file where a module's code is looked for.
    #[error("module `{module}` has no source: looked for {looked_for}")]
    NoSource {
        /// Module name.
        module: String,
        /// Paths tried.
        looked_for: String,
    },
    /// The source is wrong: running it would not help.
    #[error("{file}:{line}: {message}")]
    Invalid {
        /// Path relative to the source directory.
        file: String,
        /// Line, from 1.
        line: u32,
        /// What is wrong.
        message: String,
    },
    /// The source is fine for all we know, but only running it tells its types.
    #[error("{file}:{line}: {reason}")]
    NeedsRuntime {
        /// Path relative to the source directory.
        file: String,
        /// Line, from 1.
        line: u32,
        /// What cannot be read.
        reason: String,
    },
    /// The types contradict each other or the API.
    #[error(transparent)]
    Types(#[from] TypeError),
}

/// Where in a source directory the code of a Python module is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Directory to import from, relative to the source directory; `.` for itself.
    pub root: String,
    /// Name to import.
    pub import: String,
    /// File the import reads.
    pub file: String,
}

impl Layout {
    /// Finds the code: a package or file named after what the project declares, the module, or `main`,
    /// or else the only package; in `src` first, then at the top.
    ///
    /// A module may live beside the program it builds, so code that mentions the SDK is preferred.
    ///
    /// # Errors
    /// [`StaticError::NoSource`] with the paths tried.
    pub fn find(module: &str, files: &BTreeMap<String, String>) -> Result<Self, StaticError> {
        let mut names: Vec<String> = entry_point(files).into_iter().collect();
        names.push(names::snake(module).replace('-', "_"));
        names.push("main".into());
        let mut found = Vec::new();
        let mut looked_for = Vec::new();
        for root in ["src", "."] {
            for import in &names {
                for file in [
                    join(root, &format!("{import}/__init__.py")),
                    join(root, &format!("{import}.py")),
                ] {
                    if files.contains_key(&file) {
                        found.push(Self {
                            root: root.into(),
                            import: import.clone(),
                            file,
                        });
                    } else if !looked_for.contains(&file) {
                        looked_for.push(file);
                    }
                }
            }
        }
        found.extend(["src", "."].into_iter().filter_map(|root| {
            let import = only_package(files, root)?;
            let file = join(root, &format!("{import}/__init__.py"));
            Some(Self {
                root: root.into(),
                import,
                file,
            })
        }));
        let preferred = found
            .iter()
            .position(|layout| layout.mentions_sdk(files))
            .unwrap_or(0);
        if preferred < found.len() {
            return Ok(found.swap_remove(preferred));
        }
        Err(StaticError::NoSource {
            module: module.into(),
            looked_for: looked_for.join(", "),
        })
    }

    fn mentions_sdk(&self, files: &BTreeMap<String, String>) -> bool {
        let mentions = |text: &str| text.contains("dagger") || text.contains("nsci");
        match self.file.strip_suffix("__init__.py") {
            Some(package) => files
                .iter()
                .any(|(path, text)| path.starts_with(package) && mentions(text)),
            None => mentions(&files[&self.file]),
        }
    }
}

fn join(root: &str, path: &str) -> String {
    if root == "." {
        path.to_owned()
    } else {
        format!("{root}/{path}")
    }
}

/// Package the project declares as its main object's, or is named after.
fn entry_point(files: &BTreeMap<String, String>) -> Option<String> {
    let root: toml::Table = toml::from_str(files.get("pyproject.toml")?).ok()?;
    let project = root.get("project")?;
    let declared = project
        .get("entry-points")
        .and_then(|groups| groups.get("dagger.mod"))
        .and_then(|group| group.get("main_object"))
        .and_then(toml::Value::as_str)
        .and_then(|target| target.split(':').next())
        .map(|package| {
            package
                .split('.')
                .next()
                .unwrap_or(package)
                .trim()
                .to_owned()
        });
    declared.or_else(|| {
        Some(
            project
                .get("name")?
                .as_str()?
                .to_lowercase()
                .replace(['-', '.'], "_"),
        )
    })
}

fn only_package(files: &BTreeMap<String, String>, root: &str) -> Option<String> {
    let mut packages = files.keys().filter_map(|path| {
        let path = if root == "." {
            path
        } else {
            path.strip_prefix(root)?.strip_prefix('/')?
        };
        let package = path.strip_suffix("/__init__.py")?;
        (!package.contains('/') && package != "tests" && package != "test").then_some(package)
    });
    match (packages.next(), packages.next()) {
        (Some(only), None) => Some(only.to_owned()),
        _ => None,
    }
}

/// Reads a module's types from its source files, by path relative to the source directory.
///
/// # Errors
/// [`StaticError::NeedsRuntime`] if only running the code can tell; the other kinds are mistakes.
pub fn read(module: &str, files: &BTreeMap<String, String>) -> Result<ModuleTypes, StaticError> {
    let layout = Layout::find(module, files)?;
    Ok(describe::Program::load(&layout, files)?
        .describe(module)?
        .finish(module)?)
}

/// Reads the files of a source directory that matter to a Python module.
///
/// Skips hidden directories, virtual environments and the copy of the SDK older tools leave.
///
/// # Errors
/// If a directory or file cannot be read or is not UTF-8.
pub fn collect(source: &Path) -> std::io::Result<BTreeMap<String, String>> {
    let mut files = BTreeMap::new();
    collect_into(source, "", &mut files)?;
    Ok(files)
}

/// Whether a path relative to the source directory is a file [`read`] wants to see.
pub fn is_relevant(path: &str) -> bool {
    let mut parts = path.split('/').rev();
    let file = parts.next().unwrap_or_default();
    let skipped = |part: &str| {
        part.starts_with('.') || matches!(part, "node_modules" | "__pycache__" | "venv")
    };
    let wanted = file == "pyproject.toml" || file.ends_with(".py");
    wanted && !path.starts_with("sdk/") && !parts.any(skipped)
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
            if is_relevant(&format!("{path}/a.py")) {
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
