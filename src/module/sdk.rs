//! The SDKs modules are written with.
//!
//! Main type: [`SdkKind`], the one place that knows what differs between languages: which files matter,
//! how types are read from them, how functions are run, what a new module looks like. The rest of the
//! engine asks it and names no language. What is generated from the schema is `codegen`'s affair;
//! [`SdkKind::needs_codegen`] says whether there is any.

use std::collections::BTreeMap;
use std::path::Path;

use super::config::ModuleConfig;
use super::init::{self, NewFile};
use super::python::{self, StaticError};
use super::runtime_plan::{self, RuntimePlan};
use super::sdk_python;
use super::typedef::ModuleTypes;

/// Source files of a module by path relative to its source directory.
pub type SourceFiles = BTreeMap<String, String>;

/// An SDK that is embedded in the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdkKind {
    /// Python.
    Python,
}

/// A name that no embedded SDK has.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown SDK `{name}`")]
pub struct UnknownSdk {
    /// Name asked for.
    pub name: String,
}

impl SdkKind {
    /// Every SDK there is.
    pub const ALL: &[Self] = &[Self::Python];

    /// Name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
        }
    }

    /// The SDK that a configuration names; a version behind `@` means nothing here.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn find(source: &str) -> Result<Self, UnknownSdk> {
        let name = source.split('@').next().unwrap_or(source);
        Self::ALL
            .iter()
            .copied()
            .find(|sdk| sdk.name() == name)
            .ok_or_else(|| UnknownSdk {
                name: source.to_owned(),
            })
    }

    /// `--sdk=` and what may follow, for hints.
    pub fn choices() -> String {
        let names: Vec<_> = Self::ALL.iter().map(|sdk| sdk.name()).collect();
        names.join("|")
    }

    /// Reads the files of a source directory that matter to a module.
    ///
    /// # Errors
    /// If a directory or file cannot be read or is not UTF-8.
    pub fn collect(self, source: &Path) -> std::io::Result<SourceFiles> {
        match self {
            Self::Python => python::collect(source),
        }
    }

    /// Patterns of what is no part of a module's source: what tools leave behind, and what is
    /// generated again for each run.
    pub fn excluded(self) -> &'static [&'static str] {
        match self {
            Self::Python => &["**/__pycache__", ".git"],
        }
    }

    /// Reads a module's types from its source, without running it.
    ///
    /// # Errors
    /// [`StaticError::NeedsRuntime`] if only running the code can tell; the other kinds are mistakes.
    pub fn describe(self, module: &str, files: &SourceFiles) -> Result<ModuleTypes, StaticError> {
        match self {
            Self::Python => python::read(module, files),
        }
    }

    /// How the functions of a module are run.
    ///
    /// # Errors
    /// [`StaticError`] if the source is not laid out as the SDK wants it.
    pub fn plan(
        self,
        config: &ModuleConfig,
        files: &SourceFiles,
    ) -> Result<RuntimePlan, StaticError> {
        match self {
            Self::Python => runtime_plan::python(config, files),
        }
    }

    /// Files of the SDK: path below the directory they are copied to, and contents.
    pub fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Python => sdk_python::FILES,
        }
    }

    /// Whether running a module takes files that are generated from the schema it sees.
    pub fn needs_codegen(self) -> bool {
        match self {
            Self::Python => false,
        }
    }

    /// Where editors look for the SDK, relative to a module's source directory.
    pub fn editor_directory(self) -> &'static str {
        if self == Self::Python {
            "sdk/src"
        } else {
            "sdk"
        }
    }

    /// Files of a new module; `source` is the directory of its code, relative to the configuration.
    pub fn init(self, name: &str, source: &str, engine_version: &str) -> Vec<NewFile> {
        match self {
            Self::Python => init::python(name, source, engine_version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sdk_is_found_by_name_with_or_without_version() {
        for (source, wanted) in [
            ("python", Some(SdkKind::Python)),
            ("python@v0.18.2", Some(SdkKind::Python)),
            ("cobol", None),
            ("", None),
        ] {
            assert_eq!(SdkKind::find(source).ok(), wanted, "{source}");
        }
    }
}
