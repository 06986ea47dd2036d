//! Module configuration files: `dagger.json` of every era, `nsci.json` (the same format), `dagger-module.toml` and
//! `dagger.toml`, whose workspace is read as a module without code that uses the workspace's modules.
//!
//! Main type: [`ModuleConfig`], one shape for all of them. Parsing takes text; [`find_up`] and
//! [`ModuleConfig::load`] do the reading. Never resolves dependencies and never writes.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use read::Document;

pub use paths::{clean, relative};

mod edit;
mod paths;
mod read;
#[cfg(test)]
mod tests;

/// File names of a module's configuration, the preferred one first.
pub const FILE_NAMES: [&str; 4] = [
    "nsci.json",
    "dagger.json",
    "dagger-module.toml",
    "dagger.toml",
];

/// What a module's configuration file says, whichever format and era it is of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleConfig {
    /// Name of the module.
    pub name: String,
    /// What runs its functions; a module without one only bundles dependencies.
    pub sdk: Option<Sdk>,
    /// Directory of the source, relative to the file, normalised; `.` by default.
    pub source: String,
    /// Directory the module may read from, relative to the file, where a 0.9 file sets one.
    pub root: Option<String>,
    /// Patterns of the context that are loaded with the source; one starting with `!` leaves out.
    pub include: Vec<String>,
    /// Modules it uses.
    pub dependencies: Vec<Dependency>,
    /// Version of the API its code is written for; `None` is the current one.
    pub engine_version: Option<String>,
    /// Modules whose functions are offered beside its own.
    pub toolchains: Vec<Dependency>,
    /// Module it takes its functions from.
    pub blueprint: Option<Dependency>,
    /// Clients generated for programs beside the module.
    pub clients: Vec<Client>,
    /// Whether generated files are put into `.gitignore`.
    pub automatic_gitignore: Option<bool>,
    /// Functions without a policy of their own are not cached across sessions.
    pub disable_default_function_caching: bool,
}

/// What runs a module's functions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sdk {
    /// `go`, `python`, `typescript`, or the reference of a module that implements an SDK.
    pub source: String,
    /// Commit the reference is pinned to.
    pub pin: Option<String>,
    /// Settings that belong to the SDK.
    pub config: Map<String, Json>,
    /// Features that are switched on or off, by name.
    pub experimental: Map<String, Json>,
}

/// A module this one uses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dependency {
    /// Name it is used by; `None` leaves it to the dependency.
    pub name: Option<String>,
    /// Path or git reference.
    pub source: String,
    /// Commit the reference is pinned to.
    pub pin: Option<String>,
    /// What a toolchain gets where a caller gives nothing.
    pub customizations: Vec<Customization>,
}

/// Another default of an argument, said by the module that offers a toolchain.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Customization {
    /// Functions that lead to the argument from the main object; none for the constructor's.
    pub function: Vec<String>,
    /// The argument.
    pub argument: String,
    /// Value.
    pub default: Option<Json>,
    /// Path of a directory or file.
    pub default_path: Option<String>,
    /// Address of an object.
    pub default_address: Option<String>,
    /// Patterns left out of a directory.
    pub ignore: Vec<String>,
}

/// What a module uses another one as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Its code calls it.
    Dependency,
    /// It is offered beside the module's own functions.
    Toolchain,
    /// It is what the module consists of.
    Blueprint,
}

impl Role {
    /// Every role, in the order of the files.
    pub const ALL: [Self; 3] = [Self::Dependency, Self::Blueprint, Self::Toolchain];

    /// Member of the configuration that names such modules.
    pub fn key(self) -> &'static str {
        match self {
            Self::Dependency => "dependencies",
            Self::Toolchain => "toolchains",
            Self::Blueprint => "blueprint",
        }
    }

    /// One such module, in messages.
    pub fn noun(self) -> &'static str {
        match self {
            Self::Dependency => "dependency",
            Self::Toolchain => "toolchain",
            Self::Blueprint => "blueprint",
        }
    }
}

impl Dependency {
    /// The name it is used by, or what its reference ends in.
    pub fn display_name(&self) -> &str {
        match &self.name {
            Some(name) => name,
            None => {
                let path = self.source.split('@').next().unwrap_or(&self.source);
                path.trim_end_matches('/')
                    .rsplit('/')
                    .next()
                    .unwrap_or(path)
            }
        }
    }

    /// Whether a user who says `name` means this one.
    pub fn is_called(&self, name: &str) -> bool {
        let plain = |text: &str| {
            text.trim_start_matches("./")
                .trim_end_matches('/')
                .to_owned()
        };
        let unversioned = |text: &str| plain(text.split('@').next().unwrap_or(text));
        match &self.name {
            Some(own) if own == name => true,
            _ => {
                unversioned(&self.source) == unversioned(name)
                    || (self.name.is_none() && self.display_name() == name)
            }
        }
    }
}

/// Where a text stands in quotes in a file, as `path:line:column`; the file itself if it does not.
pub fn place_in(path: &Path, wanted: &str) -> String {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let offset = text
        .find(&format!("\"{wanted}\""))
        .or_else(|| text.find(wanted));
    match offset {
        None => path.display().to_string(),
        Some(offset) => {
            let (line, column) = Document { path, text: &text }.place(offset);
            format!("{}:{line}:{column}", path.display())
        }
    }
}

/// A client generated for programs beside the module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Client {
    /// Language or module that generates it.
    pub generator: String,
    /// Directory it is written to.
    pub directory: String,
}

/// Why a configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Cause.
        source: std::io::Error,
    },
    /// The text is not of the format, or says something it cannot.
    #[error("{path}:{line}:{column}: {message}")]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
        /// What is wrong.
        message: String,
    },
    /// The module is written for an engine newer than this one.
    #[error("module `{module}` requires engine {required}, but this is {current}")]
    EngineTooOld {
        /// Module name.
        module: String,
        /// Version its configuration asks for.
        required: String,
        /// Version of this engine.
        current: String,
    },
}

/// Path of the nearest configuration file in `start` or a directory above it.
///
/// `start` must be absolute for directories above it to be seen.
pub fn find_up(start: &Path) -> Option<PathBuf> {
    start.ancestors().find_map(in_directory)
}

/// Path of the configuration file of a directory itself.
pub fn in_directory(directory: &Path) -> Option<PathBuf> {
    FILE_NAMES
        .iter()
        .map(|name| directory.join(name))
        .find(|path| path.is_file())
}

impl ModuleConfig {
    /// Reads and parses a configuration file.
    ///
    /// # Errors
    /// [`ConfigError::Read`] or [`ConfigError::Invalid`].
    pub fn load(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|source| ConfigError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &text)
    }

    /// Parses the text of a configuration file; `path` tells the format and appears in errors.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with the place in the text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let document = Document { path, text };
        let value = if path
            .extension()
            .is_some_and(|extension| extension == "toml")
        {
            document.parse_toml()?
        } else {
            document.parse_json()?
        };
        document.config(&value)
    }

    /// Version of the API the module's code is written for, as semantic version numbers.
    pub fn engine_version_numbers(&self) -> Option<(u64, u64, u64)> {
        self.engine_version.as_deref().and_then(version_numbers)
    }

    /// Refuses a module written for an engine newer than `current`, such as `v0.21.0`.
    ///
    /// # Errors
    /// [`ConfigError::EngineTooOld`].
    pub fn check_engine(&self, current: &str) -> Result<(), ConfigError> {
        match (self.engine_version_numbers(), version_numbers(current)) {
            (Some(required), Some(ours)) if required > ours => Err(ConfigError::EngineTooOld {
                module: self.name.clone(),
                required: self.engine_version.clone().unwrap_or_default(),
                current: current.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// The modules it uses in a role.
    pub fn used(&self, role: Role) -> &[Dependency] {
        match role {
            Role::Dependency => &self.dependencies,
            Role::Toolchain => &self.toolchains,
            Role::Blueprint => self.blueprint.as_slice(),
        }
    }
}

/// Numbers of a version such as `v0.18.2`; `None` if it is none.
fn version_numbers(version: &str) -> Option<(u64, u64, u64)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers = version.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    let numbers = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(numbers)
}
