//! The SDKs modules are written with.
//!
//! Main type: [`SdkKind`], the one place that knows what differs between languages: which files matter,
//! how types are read from them, how functions are run, what a new module looks like. The rest of the
//! engine asks it and names no language. What is generated from the schema is `codegen`'s affair,
//! which is given the [`Analysis`] that the types come from.

use std::collections::BTreeMap;
use std::path::Path;

use super::config::ModuleConfig;
use super::go;
use super::init::{self, NewFile};
use super::python::{self, StaticError};
use super::runtime_plan::{self, RuntimePlan};
use super::typedef::ModuleTypes;
use super::typescript;
use super::{sdk_go, sdk_python, sdk_typescript};

/// Source files of a module by path relative to its source directory.
pub type SourceFiles = BTreeMap<String, String>;

/// An SDK that is embedded in the executable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SdkKind {
    /// Go.
    Go,
    /// Python.
    Python,
    /// TypeScript.
    TypeScript,
}

/// What there is to know of a module's source, read once.
#[derive(Debug)]
pub enum Analysis<'a> {
    /// A Go package.
    Go(Box<go::Package>),
    /// A Python program, of which only the types matter.
    Python(ModuleTypes),
    /// A TypeScript program.
    TypeScript(Box<typescript::Source<'a>>),
}

impl Analysis<'_> {
    /// The types that the module offers.
    pub fn types(&self) -> &ModuleTypes {
        match self {
            Self::Go(package) => &package.types,
            Self::Python(types) => types,
            Self::TypeScript(source) => &source.types,
        }
    }

    /// The same alone.
    pub fn into_types(self) -> ModuleTypes {
        match self {
            Self::Go(package) => package.types,
            Self::Python(types) => types,
            Self::TypeScript(source) => source.types,
        }
    }
}

/// Files of an SDK: path and contents.
#[derive(Clone, Copy, Debug)]
pub enum SdkFiles {
    /// As they are.
    Embedded(&'static [(&'static str, &'static str)]),
    /// Made of the SDK's sources, which takes a while.
    Made(fn() -> Vec<(String, String)>),
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
    pub const ALL: &[Self] = &[Self::Go, Self::Python, Self::TypeScript];

    /// Name in configurations and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Python => "python",
            Self::TypeScript => "typescript",
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
            Self::Go => go::collect(source),
            Self::Python => python::collect(source),
            Self::TypeScript => typescript::collect(source),
        }
    }

    /// Patterns of what is no part of a module's source: what tools leave behind, and what is
    /// generated again for each run.
    pub fn excluded(self) -> &'static [&'static str] {
        match self {
            Self::Go => go::EXCLUDED,
            Self::Python => &["**/__pycache__", ".git"],
            Self::TypeScript => typescript::EXCLUDED,
        }
    }

    /// Reads a module's source, without running it.
    ///
    /// # Errors
    /// [`StaticError::NeedsRuntime`] if only running the code can tell its types; the other kinds are mistakes.
    pub fn analyze<'a>(
        self,
        module: &str,
        files: &'a SourceFiles,
    ) -> Result<Analysis<'a>, StaticError> {
        Ok(match self {
            Self::Go => Analysis::Go(Box::new(go::package(module, files)?)),
            Self::Python => Analysis::Python(python::read(module, files)?),
            Self::TypeScript => Analysis::TypeScript(Box::new(typescript::read(module, files)?)),
        })
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
            Self::Go => Ok(go::plan(config, files)),
            Self::Python => runtime_plan::python(config, files),
            Self::TypeScript => typescript::plan(config, files),
        }
    }

    /// Files of the SDK: path below the directory they are copied to, and contents.
    pub fn files(self) -> SdkFiles {
        match self {
            Self::Go => SdkFiles::Embedded(sdk_go::FILES),
            Self::Python => SdkFiles::Embedded(sdk_python::FILES),
            Self::TypeScript => SdkFiles::Made(sdk_typescript::files),
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

    /// What becomes of a generated file that editors want to see: its contents, and whether it is the
    /// user's own file, which is not ignored. `existing` is what there is; `None` if editors need none.
    pub fn for_editor(
        self,
        path: &str,
        generated: &str,
        existing: Option<&str>,
    ) -> Option<(String, bool)> {
        match (self, path) {
            (Self::Go, "go.mod") => {
                let base = existing.unwrap_or(generated);
                let sdk = self.editor_directory();
                Some((go::requirements::for_editor(base, sdk), true))
            }
            (Self::Go, path) if path == "go.sum" || path.starts_with("vendor/") => None,
            // Editors see sources, not the scripts that are made of them.
            (Self::TypeScript, _) => None,
            _ => Some((generated.to_owned(), false)),
        }
    }

    /// Where the code of a new module goes, relative to its configuration, if nobody says.
    pub fn usual_source(self, beside_other_files: bool) -> &'static str {
        match self {
            // A directory of Go files is one package, and the module is one of its own.
            Self::Go if beside_other_files => "dagger",
            Self::Go | Self::Python | Self::TypeScript => ".",
        }
    }

    /// Files of the SDK that editors want to see, by path below [`Self::editor_directory`].
    ///
    /// `generated` is what is generated for the module.
    pub fn editor_files(self, generated: &[(String, String)]) -> Vec<(&str, &str)> {
        if let SdkFiles::Embedded(files) = self.files() {
            return files.to_vec();
        }
        let types = generated
            .iter()
            .find(|(path, _)| path == typescript::DEPENDENCY_TYPES);
        let source = |(path, contents): &(&'static str, &'static str)| {
            let own = types.filter(|_| *path == "dependencies.gen.ts");
            (
                *path,
                own.map_or(*contents, |(_, contents)| contents.as_str()),
            )
        };
        sdk_typescript::SOURCES.iter().map(source).collect()
    }

    /// Files of a new module; `source` is the directory of its code, relative to the configuration.
    pub fn init(self, name: &str, source: &str, engine_version: &str) -> Vec<NewFile> {
        match self {
            Self::Go => init::go(name, source, engine_version),
            Self::Python => init::python(name, source, engine_version),
            Self::TypeScript => typescript::init(name, source, engine_version),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{from_value, to_value};

    /// What is read of a module is kept as JSON between runs.
    #[test]
    fn what_is_read_of_every_example_survives_being_kept() {
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
        let mut read = 0;
        for example in ["go-tour", "python-tour", "typescript-tour"] {
            let config = ModuleConfig::load(&examples.join(example).join("dagger.json"));
            let config = config.expect("is a module");
            let sdk = config.sdk.as_ref().expect("has code");
            let sdk = SdkKind::find(&sdk.source).expect("is embedded");
            let source = examples.join(example).join(&config.source);
            let files = sdk.collect(&source).expect("can be read");
            let types = sdk.analyze(&config.name, &files).expect("is right");
            let types = types.into_types();
            read += types.objects.len();
            let kept = to_value(&types).expect("is plain data");
            assert_eq!(
                from_value::<ModuleTypes>(kept).ok(),
                Some(types),
                "{example}"
            );
            let plan = sdk.plan(&config, &files).expect("is right");
            let kept = to_value(&plan).expect("is plain data");
            assert_eq!(
                from_value::<RuntimePlan>(kept).ok(),
                Some(plan),
                "{example}"
            );
        }
        assert!(read > 3, "{read} objects");
    }

    #[test]
    fn sdk_is_found_by_name_with_or_without_version() {
        for (source, wanted) in [
            ("python", Some(SdkKind::Python)),
            ("go", Some(SdkKind::Go)),
            ("typescript", Some(SdkKind::TypeScript)),
            ("python@v0.18.2", Some(SdkKind::Python)),
            ("cobol", None),
            ("", None),
        ] {
            assert_eq!(SdkKind::find(source).ok(), wanted, "{source}");
        }
    }
}
