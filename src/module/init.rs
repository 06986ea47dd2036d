//! Files of a new module.
//!
//! Main functions: [`go`] and [`python`]. They name what is to be written; writing, and refusing to overwrite, is up to
//! the command.

use serde_json::json;

use super::names;

/// A file of a new module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewFile {
    /// Path relative to the directory the module is made in.
    pub path: String,
    /// Contents.
    pub contents: String,
}

/// Name of a module made in a directory of this name.
///
/// Letters, digits and dashes are kept; anything else becomes a dash.
pub fn module_name(directory: &str) -> String {
    let mut name = String::with_capacity(directory.len());
    for c in directory.chars() {
        if c.is_ascii_alphanumeric() {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    let name = name.trim_end_matches('-');
    if name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        format!("module-{name}").trim_end_matches('-').to_owned()
    }
}

/// A new Python module; `source` is the directory of its code, relative to the configuration.
///
/// A module needs no more than the code. The project file is there for editors and for requirements.
pub fn python(name: &str, source: &str, engine_version: &str) -> Vec<NewFile> {
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let source = if source.is_empty() { "." } else { source };
    let config = json!({
        "name": name,
        "engineVersion": engine_version,
        "sdk": { "source": "python" },
        "source": source,
    });
    let config = serde_json::to_string_pretty(&config).expect("a JSON value can be written");
    let inside = |path: &str| {
        if source == "." {
            path.to_owned()
        } else {
            format!("{source}/{path}")
        }
    };
    let class = names::pascal(name);
    vec![
        NewFile {
            path: "dagger.json".into(),
            contents: config + "\n",
        },
        NewFile {
            path: inside("pyproject.toml"),
            contents: PYTHON_PROJECT.replace("@name@", &names::kebab(name)),
        },
        NewFile {
            path: inside("main.py"),
            contents: PYTHON_MAIN.replace("@class@", &class),
        },
    ]
}

/// A new Go module; `source` is the directory of its code, relative to the configuration.
///
/// The code needs no `go.mod` to run; it is there for editors, together with what `develop` generates.
pub fn go(name: &str, source: &str, engine_version: &str) -> Vec<NewFile> {
    let source = source.trim_start_matches("./").trim_end_matches('/');
    let source = if source.is_empty() { "." } else { source };
    let config = json!({
        "name": name,
        "engineVersion": engine_version,
        "sdk": { "source": "go" },
        "source": source,
    });
    let config = serde_json::to_string_pretty(&config).expect("a JSON value can be written");
    let inside = |path: &str| {
        if source == "." {
            path.to_owned()
        } else {
            format!("{source}/{path}")
        }
    };
    let kebab = names::kebab(name);
    vec![
        NewFile {
            path: "dagger.json".into(),
            contents: config + "\n",
        },
        NewFile {
            path: inside("go.mod"),
            contents: format!("module dagger/{kebab}\n\ngo 1.23\n"),
        },
        NewFile {
            path: inside("main.go"),
            contents: GO_MAIN
                .replace("@module@", &kebab)
                .replace("@type@", &names::pascal(name)),
        },
    ]
}

const GO_MAIN: &str = r#"// Pipelines of this project.
package main

import (
	"context"

	"dagger/@module@/internal/dagger"
)

type @type@ struct{}

// Echo returns a container that has printed the text.
func (m *@type@) Echo(text string) *dagger.Container {
	return dag.Container().
		From("alpine:latest").
		WithExec([]string{"echo", text})
}

// Find lists the lines in a directory that match a pattern.
func (m *@type@) Find(ctx context.Context, source *dagger.Directory, pattern string) (string, error) {
	return dag.Container().
		From("alpine:latest").
		WithMountedDirectory("/mnt", source).
		WithWorkdir("/mnt").
		WithExec([]string{"grep", "-rn", pattern, "."}).
		Stdout(ctx)
}
"#;

const PYTHON_PROJECT: &str = r#"[project]
name = "@name@"
version = "0.1.0"
requires-python = ">=3.11"
# The SDK comes with nsci; list only what your own code imports.
dependencies = []
"#;

const PYTHON_MAIN: &str = r#""""Pipelines of this project."""

import dagger
from dagger import dag, function, object_type


@object_type
class @class@:
    @function
    def echo(self, text: str) -> dagger.Container:
        """Return a container that has printed the text."""
        return dag.container().from_("alpine:latest").with_exec(["echo", text])

    @function
    async def find(self, source: dagger.Directory, pattern: str) -> str:
        """List the lines in a directory that match a pattern."""
        return await (
            dag.container()
            .from_("alpine:latest")
            .with_mounted_directory("/mnt", source)
            .with_workdir("/mnt")
            .with_exec(["grep", "-rn", pattern, "."])
            .stdout()
        )
"#;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{config::ModuleConfig, python as reader};
    use std::path::Path;

    #[test]
    fn new_python_module_is_one() {
        for (source, prefix) in [(".", ""), ("./ci/", "ci/")] {
            let files = python("my-project", source, "v0.18.0");
            let config = ModuleConfig::parse(Path::new("dagger.json"), &files[0].contents)
                .expect("its configuration is valid");
            assert_eq!(config.source, if prefix.is_empty() { "." } else { "ci" });
            let sources = files[1..]
                .iter()
                .map(|file| {
                    let path = file
                        .path
                        .strip_prefix(prefix)
                        .expect("is in the source directory");
                    (path.to_owned(), file.contents.clone())
                })
                .collect();
            let types = reader::read(&config.name, &sources).expect("its code can be read");
            assert_eq!(types.main_object, "MyProject");
            let functions: Vec<_> = types.objects[0]
                .functions
                .iter()
                .map(|f| f.api_name.as_str())
                .collect();
            assert_eq!(functions, ["echo", "find"]);
        }
    }

    #[test]
    fn module_is_named_after_its_directory() {
        for (directory, name) in [
            ("myproject", "myproject"),
            ("My App!", "My-App"),
            ("9lives", "module-9lives"),
            ("..", "module"),
        ] {
            assert_eq!(module_name(directory), name);
        }
    }
}
