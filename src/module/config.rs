//! Module configuration files: `dagger.json` of every era, `nsci.json` (the same format), `dagger-module.toml` and
//! `dagger.toml`, whose workspace is read as a module without code that uses the workspace's modules.
//!
//! Main type: [`ModuleConfig`], one shape for all of them. Parsing takes text; [`find_up`] and
//! [`ModuleConfig::load`] do the reading. Never resolves dependencies and never writes.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

/// File names of a module's configuration, the preferred one first.
pub const FILE_NAMES: [&str; 4] = [
    "nsci.json",
    "dagger.json",
    "dagger-module.toml",
    "dagger.toml",
];

/// Engine version assumed when the file names one that is no version.
const UNKNOWN_ENGINE_VERSION: &str = "v0.11.9";
/// Last engine that wrote a `dagger.json` without its version.
const UNVERSIONED_ENGINE: &str = "v0.9.11";

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

/// A path as seen from a directory, as configurations have it. Both are absolute.
pub fn relative(from: &Path, to: &Path) -> String {
    let from: Vec<Component<'_>> = from.components().collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

/// Removes `.` and `..` by text.
pub fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
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

    /// Removes the module called `name`, or with that source, from the text of a JSON configuration; `None` if there
    /// is none in that role.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the text is not a valid configuration.
    pub fn without_dependency(
        path: &Path,
        text: &str,
        role: Role,
        name: &str,
    ) -> Result<Option<String>, ConfigError> {
        let document = Document { path, text };
        let mut value = document.parse_json()?;
        let config = document.config(&value)?;
        let used = config.used(role).iter();
        let Some(at) = used.into_iter().position(|used| used.is_called(name)) else {
            return Ok(None);
        };
        let root = value
            .as_object_mut()
            .expect("a parsed configuration is an object");
        let list = root.get_mut(role.key()).and_then(Json::as_array_mut);
        let left = list.map_or(0, |list| {
            list.remove(at);
            list.len()
        });
        if left == 0 {
            root.remove(role.key());
        }
        let text = serde_json::to_string_pretty(&value).expect("a JSON value can be written");
        Ok(Some(text + "\n"))
    }

    /// The text of a JSON configuration, changed to say this; what this does not know stays.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the text is not a valid configuration, or could not say this.
    pub fn rewritten(&self, path: &Path, text: &str) -> Result<String, ConfigError> {
        let document = Document { path, text };
        let mut value = document.parse_json()?;
        let before = document.config(&value)?;
        let root = value
            .as_object_mut()
            .expect("a parsed configuration is an object");
        let mut set = |key: &str, member: Option<Json>| match member {
            Some(member) => drop(root.insert(key.to_owned(), member)),
            None => drop(root.remove(key)),
        };
        if self.name != before.name {
            set("name", Some(self.name.as_str().into()));
        }
        if self.engine_version != before.engine_version {
            set(
                "engineVersion",
                self.engine_version.as_deref().map(Json::from),
            );
        }
        if self.source != before.source {
            set("source", Some(self.source.as_str().into()));
        }
        if self.include != before.include {
            set("include", Some(self.include.clone().into()));
            set("exclude", None);
        }
        if self.sdk != before.sdk {
            let old = root.remove("runtime").or_else(|| root.remove("sdk"));
            if let Some(sdk) = &self.sdk {
                root.insert("sdk".into(), sdk_member(old, sdk));
            }
        }
        for role in Role::ALL {
            let (then, now) = (before.used(role), self.used(role));
            if then == now {
                continue;
            }
            let mut entries = entries(root.remove(role.key()), then, now);
            let member = match role {
                Role::Blueprint => entries.pop(),
                _ => Some(entries)
                    .filter(|list| !list.is_empty())
                    .map(Json::Array),
            };
            if let Some(member) = member {
                root.insert(role.key().into(), member);
            }
        }
        let text = serde_json::to_string_pretty(&value).expect("a JSON value can be written");
        Self::parse(path, &text)?;
        Ok(text + "\n")
    }

    /// Adds a module in a role; one of the same name or place makes way, and leaves its customizations.
    pub fn add_used(&mut self, role: Role, mut dependency: Dependency) {
        let list = match role {
            Role::Dependency => &mut self.dependencies,
            Role::Toolchain => &mut self.toolchains,
            Role::Blueprint => {
                self.blueprint = Some(dependency);
                return;
            }
        };
        let name = dependency.display_name();
        let same = |known: &&mut Dependency| {
            known.source == dependency.source || known.display_name() == name
        };
        match list.iter_mut().find(same) {
            Some(known) => {
                dependency.customizations = std::mem::take(&mut known.customizations);
                *known = dependency;
            }
            None => list.push(dependency),
        }
    }

    /// Removes the modules in a role that these names mean.
    pub fn remove_used(&mut self, role: Role, names: &[String]) {
        let stays = |known: &Dependency| !names.iter().any(|name| known.is_called(name));
        match role {
            Role::Dependency => self.dependencies.retain(stays),
            Role::Toolchain => self.toolchains.retain(stays),
            Role::Blueprint => self.blueprint = self.blueprint.take().filter(stays),
        }
    }

    /// Sets text members of a JSON configuration, keeping all else as it is.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the text is not a valid configuration.
    pub fn with_members(
        path: &Path,
        text: &str,
        members: &[(&str, Json)],
    ) -> Result<String, ConfigError> {
        let document = Document { path, text };
        let mut value = document.parse_json()?;
        document.config(&value)?;
        let root = value
            .as_object_mut()
            .expect("a parsed configuration is an object");
        for (name, member) in members {
            root.insert((*name).to_owned(), member.clone());
        }
        let text = serde_json::to_string_pretty(&value).expect("a JSON value can be written");
        Ok(text + "\n")
    }

    /// Adds or replaces a module it uses in the text of a JSON configuration, keeping all else as it is.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] if the text is not a valid configuration, or would no longer be one.
    pub fn with_dependency(
        path: &Path,
        text: &str,
        role: Role,
        dependency: &Dependency,
    ) -> Result<String, ConfigError> {
        let document = Document { path, text };
        let mut value = document.parse_json()?;
        document.config(&value)?;
        let root = value
            .as_object_mut()
            .expect("a parsed configuration is an object");
        if role == Role::Blueprint {
            let entry = root.entry(role.key()).or_insert(Json::Null);
            write_entry(entry, dependency);
        } else {
            let list = root
                .entry(role.key())
                .or_insert_with(|| Json::Array(vec![]))
                .as_array_mut()
                .expect("a parsed configuration has a list here");
            let same = |other: &Json| match (other.get("name"), &dependency.name) {
                (Some(theirs), Some(ours)) => theirs == ours.as_str(),
                _ => other.get("source").unwrap_or(other) == dependency.source.as_str(),
            };
            let at = list.iter().position(same).unwrap_or_else(|| {
                list.push(Json::Null);
                list.len() - 1
            });
            write_entry(&mut list[at], dependency);
        }
        let text = serde_json::to_string_pretty(&value).expect("a JSON value can be written");
        Self::parse(path, &text)?;
        Ok(text + "\n")
    }
}

/// What a member that names an SDK says afterwards; what else it says stays.
fn sdk_member(old: Option<Json>, sdk: &Sdk) -> Json {
    let mut member = match old {
        Some(Json::Object(member)) => member,
        _ => Map::new(),
    };
    member.insert("source".into(), sdk.source.as_str().into());
    match &sdk.pin {
        Some(pin) => member.insert("pin".into(), pin.as_str().into()),
        None => member.remove("pin"),
    };
    for (name, value) in [("config", &sdk.config), ("experimental", &sdk.experimental)] {
        match value.is_empty() {
            true => member.remove(name),
            false => member.insert(name.into(), Json::Object(value.clone())),
        };
    }
    Json::Object(member)
}

/// The entries of modules in one role: what else an entry that was there says stays.
fn entries(old: Option<Json>, before: &[Dependency], now: &[Dependency]) -> Vec<Json> {
    let old = match old {
        Some(Json::Array(old)) => old,
        other => other.into_iter().collect(),
    };
    let entry = |used: &Dependency| {
        let same = |known: &Dependency| {
            known.source == used.source || (known.name.is_some() && known.name == used.name)
        };
        let at = before.iter().position(same);
        let mut entry = at.and_then(|at| old.get(at)).cloned().unwrap_or(Json::Null);
        write_entry(&mut entry, used);
        entry
    };
    now.iter().map(entry).collect()
}

/// Writes what names a module; what else an entry says stays.
fn write_entry(entry: &mut Json, dependency: &Dependency) {
    let known = match entry.take() {
        Json::Object(known) => known,
        _ => Map::new(),
    };
    let mut written = Map::new();
    if let Some(name) = &dependency.name {
        written.insert("name".into(), name.as_str().into());
    }
    written.insert("source".into(), dependency.source.as_str().into());
    if let Some(pin) = &dependency.pin {
        written.insert("pin".into(), pin.as_str().into());
    }
    let naming = ["name", "source", "pin"];
    let rest = known.into_iter();
    written.extend(rest.filter(|(key, _)| !naming.contains(&key.as_str())));
    *entry = Json::Object(written);
}

/// Numbers of a version such as `v0.18.2`; `None` if it is none.
fn version_numbers(version: &str) -> Option<(u64, u64, u64)> {
    let version = version.strip_prefix('v').unwrap_or(version);
    let numbers = version.split(['-', '+']).next()?;
    let mut parts = numbers.split('.').map(|part| part.parse().ok());
    let numbers = (parts.next()??, parts.next()??, parts.next()??);
    parts.next().is_none().then_some(numbers)
}

/// A file's text while it is being understood; knows how to point at a place in it.
struct Document<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Document<'_> {
    fn is_dagger_json(&self) -> bool {
        self.path.file_name() == Some("dagger.json".as_ref())
    }

    fn parse_json(&self) -> Result<Json, ConfigError> {
        let text = self.text.strip_prefix('\u{feff}').unwrap_or(self.text);
        serde_json::from_str(text).map_err(|error| {
            let message = error.to_string();
            // The library appends the place, which we put in front.
            let message = message
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned();
            self.invalid_at(error.line().max(1), error.column().max(1), message)
        })
    }

    fn parse_toml(&self) -> Result<Json, ConfigError> {
        let parsed: Result<Json, _> = toml::from_str(self.text);
        let mut value = parsed.map_err(|error| {
            let (line, column) = self.place(error.span().map_or(0, |span| span.start));
            self.invalid_at(line, column, error.message().to_owned())
        })?;
        if let Some(root) = value.as_object_mut() {
            if let Some(runtime) = root.remove("runtime") {
                root.insert("sdk".into(), runtime);
            }
            if let Some(Json::Object(modules)) = root.remove("modules") {
                let named = |(name, module): (String, Json)| {
                    let mut entry = match module {
                        Json::Object(entry) => entry,
                        source => Map::from_iter([("source".to_owned(), source)]),
                    };
                    entry.insert("name".into(), name.into());
                    Json::Object(entry)
                };
                root.insert(
                    "dependencies".into(),
                    modules.into_iter().map(named).collect(),
                );
            }
        }
        Ok(value)
    }

    fn config(&self, value: &Json) -> Result<ModuleConfig, ConfigError> {
        let Json::Object(root) = value else {
            return Err(self.invalid_at(1, 1, "expected an object".into()));
        };
        let sdk = match root.get("sdk").or_else(|| root.get("runtime")) {
            None | Some(Json::Null) => None,
            Some(value) => self.sdk(value)?,
        };
        let mut include = self.strings(root, "include")?;
        include.extend(self.strings(root, "exclude")?.into_iter().map(|pattern| {
            pattern
                .strip_prefix('!')
                .map_or_else(|| format!("!{pattern}"), str::to_owned)
        }));
        let codegen = root.get("codegen").and_then(Json::as_object);
        let config = ModuleConfig {
            name: self.string(root, "name")?.unwrap_or_default(),
            sdk,
            source: self.source(root)?,
            root: self.string(root, "root")?.filter(|root| !root.is_empty()),
            include,
            dependencies: self.dependencies(root, "dependencies")?,
            engine_version: match self.string(root, "engineVersion")? {
                Some(version) => engine_version(version),
                None => self.is_dagger_json().then(|| UNVERSIONED_ENGINE.to_owned()),
            },
            toolchains: self.dependencies(root, "toolchains")?,
            blueprint: match root.get("blueprint") {
                None | Some(Json::Null) => None,
                Some(value) => Some(self.dependency("blueprint", value)?),
            },
            clients: self.clients(root)?,
            automatic_gitignore: codegen
                .and_then(|codegen| codegen.get("automaticGitignore"))
                .and_then(Json::as_bool),
            disable_default_function_caching: root
                .get("disableDefaultFunctionCaching")
                .and_then(Json::as_bool)
                .unwrap_or(false),
        };
        if config.name.is_empty() && (config.sdk.is_some() || config.blueprint.is_some()) {
            return Err(self.invalid_at(1, 1, "the module has no `name`".into()));
        }
        self.check_blueprint(root, &config)?;
        Ok(config)
    }

    /// A module that takes its functions from another has no code, so nothing that belongs to code.
    fn check_blueprint(
        &self,
        root: &Map<String, Json>,
        config: &ModuleConfig,
    ) -> Result<(), ConfigError> {
        if config.blueprint.is_none() {
            return Ok(());
        }
        let has_source = root.get("source").and_then(Json::as_str);
        let other = if config.sdk.is_some() {
            "sdk"
        } else if !config.dependencies.is_empty() {
            "dependencies"
        } else if has_source.is_some_and(|source| !source.is_empty()) {
            "source"
        } else {
            return Ok(());
        };
        let message = format!(
            "`blueprint` and `{other}` exclude each other: a module with a blueprint has no code of its own"
        );
        Err(self.invalid("blueprint", &message))
    }

    fn sdk(&self, value: &Json) -> Result<Option<Sdk>, ConfigError> {
        let sdk = match value {
            Json::String(source) => Sdk {
                source: source.clone(),
                ..Sdk::default()
            },
            Json::Object(object) => Sdk {
                source: self.string(object, "source")?.unwrap_or_default(),
                pin: self.string(object, "pin")?,
                config: match object.get("config") {
                    None | Some(Json::Null) => Map::new(),
                    Some(Json::Object(config)) => config.clone(),
                    Some(_) => return Err(self.invalid("config", "`sdk.config` must be an object")),
                },
                experimental: match object.get("experimental") {
                    Some(Json::Object(features)) => features.clone(),
                    _ => Map::new(),
                },
            },
            _ => return Err(self.invalid("sdk", "`sdk` must be a name or an object with `source`")),
        };
        Ok(Some(sdk).filter(|sdk| !sdk.source.is_empty()))
    }

    fn source(&self, root: &Map<String, Json>) -> Result<String, ConfigError> {
        let source = self.string(root, "source")?.unwrap_or_default();
        normalise(&source).ok_or_else(|| {
            self.invalid(
                "source",
                "`source` must be a relative path inside the module's directory",
            )
        })
    }

    fn dependencies(
        &self,
        root: &Map<String, Json>,
        key: &str,
    ) -> Result<Vec<Dependency>, ConfigError> {
        match root.get(key) {
            None | Some(Json::Null) => Ok(vec![]),
            Some(Json::Array(list)) => list
                .iter()
                .map(|value| self.dependency(key, value))
                .collect(),
            Some(_) => Err(self.invalid(key, &format!("`{key}` must be a list"))),
        }
    }

    fn dependency(&self, key: &str, value: &Json) -> Result<Dependency, ConfigError> {
        let dependency = match value {
            Json::String(source) => Dependency {
                source: source.clone(),
                ..Dependency::default()
            },
            Json::Object(object) => Dependency {
                name: self.string(object, "name")?.filter(|name| !name.is_empty()),
                source: self.string(object, "source")?.unwrap_or_default(),
                pin: self.string(object, "pin")?.filter(|pin| !pin.is_empty()),
                customizations: self.customizations(object)?,
            },
            _ => Dependency::default(),
        };
        if dependency.source.is_empty() {
            let message = format!("each of `{key}` must be a reference or an object with `source`");
            return Err(self.invalid(key, &message));
        }
        Ok(dependency)
    }

    fn customizations(
        &self,
        object: &Map<String, Json>,
    ) -> Result<Vec<Customization>, ConfigError> {
        let key = "customizations";
        let one = |value: &Json| {
            let Json::Object(entry) = value else {
                return Err(self.invalid(key, "each of `customizations` must be an object"));
            };
            let argument = self.string(entry, "argument")?.unwrap_or_default();
            if argument.is_empty() {
                let message = "each of `customizations` must name an `argument`";
                return Err(self.invalid(key, message));
            }
            let present = |name: &str| -> Result<Option<String>, ConfigError> {
                Ok(self.string(entry, name)?.filter(|text| !text.is_empty()))
            };
            Ok(Customization {
                function: self.strings(entry, "function")?,
                argument,
                default: entry.get("default").filter(|it| !it.is_null()).cloned(),
                default_path: present("defaultPath")?,
                default_address: present("defaultAddress")?,
                ignore: self.strings(entry, "ignore")?,
            })
        };
        match object.get(key) {
            None | Some(Json::Null) => Ok(vec![]),
            Some(Json::Array(list)) => list.iter().map(one).collect(),
            Some(_) => Err(self.invalid(key, "`customizations` must be a list")),
        }
    }

    fn clients(&self, root: &Map<String, Json>) -> Result<Vec<Client>, ConfigError> {
        let Some(Json::Array(list)) = root.get("clients") else {
            return Ok(vec![]);
        };
        list.iter()
            .map(|value| match value {
                Json::Object(object) => Ok(Client {
                    generator: self.string(object, "generator")?.unwrap_or_default(),
                    directory: self.string(object, "directory")?.unwrap_or_default(),
                }),
                _ => Err(self.invalid("clients", "each of `clients` must be an object")),
            })
            .collect()
    }

    fn string(&self, object: &Map<String, Json>, key: &str) -> Result<Option<String>, ConfigError> {
        match object.get(key) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.invalid(key, &format!("`{key}` must be text"))),
        }
    }

    fn strings(&self, object: &Map<String, Json>, key: &str) -> Result<Vec<String>, ConfigError> {
        let wrong = || self.invalid(key, &format!("`{key}` must be a list of text"));
        match object.get(key) {
            None | Some(Json::Null) => Ok(vec![]),
            Some(Json::Array(list)) => list
                .iter()
                .map(|value| value.as_str().map(str::to_owned).ok_or_else(wrong))
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// An error at the first place `key` stands in the text.
    fn invalid(&self, key: &str, message: &str) -> ConfigError {
        let quoted = self.text.find(&format!("\"{key}\""));
        let (line, column) = self.place(quoted.or_else(|| self.text.find(key)).unwrap_or(0));
        self.invalid_at(line, column, message.to_owned())
    }

    fn invalid_at(&self, line: usize, column: usize, message: String) -> ConfigError {
        ConfigError::Invalid {
            path: self.path.to_owned(),
            line,
            column,
            message,
        }
    }

    fn place(&self, offset: usize) -> (usize, usize) {
        let before = &self.text[..offset];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        (
            before.matches('\n').count() + 1,
            before[line_start..].chars().count() + 1,
        )
    }
}

/// Empty means current, and what is no version stands for the last engine that wrote none.
fn engine_version(version: String) -> Option<String> {
    match version.as_str() {
        "" | "latest" => None,
        _ if version_numbers(&version).is_none() => Some(UNKNOWN_ENGINE_VERSION.to_owned()),
        _ if version.starts_with('v') => Some(version),
        _ => Some(format!("v{version}")),
    }
}

/// A relative path without `.` and `..`; `None` if it leaves where it starts.
fn normalise(path: &str) -> Option<String> {
    let mut parts = Vec::new();
    for component in Path::new(path).components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn json(text: &str) -> ModuleConfig {
        ModuleConfig::parse(Path::new("dagger.json"), text).expect("valid")
    }

    fn error(name: &str, text: &str) -> String {
        ModuleConfig::parse(Path::new(name), text)
            .expect_err("invalid")
            .to_string()
    }

    #[test]
    fn every_era_of_the_format_is_read() {
        let v0_9 = json(
            r#"{"name":"ci","sdk":"go","root":"..","exclude":["vendor","!keep"],
                "dependencies":["github.com/x/y/z@abc","../dep"]}"#,
        );
        assert_eq!(v0_9.root.as_deref(), Some(".."));
        assert_eq!(v0_9.engine_version_numbers(), Some((0, 9, 11)));
        assert_eq!(v0_9.source, ".");
        assert_eq!(v0_9.include, ["!vendor", "keep"]);
        assert_eq!(v0_9.dependencies[1].source, "../dep");

        let v0_11 = json(
            r#"{"name":"ci","sdk":"python","source":"./dagger/","engineVersion":"v0.11.9",
                "dependencies":[{"name":"go","source":"github.com/x/go","pin":"0123"}],"views":[]}"#,
        );
        assert_eq!(v0_11.source, "dagger");
        assert_eq!(v0_11.engine_version_numbers(), Some((0, 11, 9)));
        assert_eq!(v0_11.dependencies[0].pin.as_deref(), Some("0123"));

        let v0_18 = json(
            r#"{"$schema":"https://example.org/s.json","name":"ci","engineVersion":"0.18.2",
                "sdk":{"source":"python","config":{"useUv":false}},
                "codegen":{"automaticGitignore":false},"disableDefaultFunctionCaching":true,
                "clients":[{"generator":"go","directory":"./sdk"}],
                "toolchains":[{"source":"github.com/x/lint","customizations":[
                  {"function":["test"],"argument":"source","defaultPath":"/","ignore":["*.md"]}]}]}"#,
        );
        let sdk = v0_18.sdk.expect("has an SDK");
        assert_eq!(
            (sdk.source.as_str(), &sdk.config["useUv"]),
            ("python", &Json::Bool(false))
        );
        assert_eq!(v0_18.engine_version.as_deref(), Some("v0.18.2"));
        assert_eq!(v0_18.automatic_gitignore, Some(false));
        assert!(v0_18.disable_default_function_caching);
        assert_eq!(v0_18.toolchains[0].source, "github.com/x/lint");
        let customization = Customization {
            function: vec!["test".into()],
            argument: "source".into(),
            default_path: Some("/".into()),
            ignore: vec!["*.md".into()],
            ..Customization::default()
        };
        assert_eq!(v0_18.toolchains[0].customizations, [customization]);
        let v0_18 = json(r#"{"name":"ci","blueprint":{"source":"../b"}}"#);
        assert_eq!(v0_18.blueprint.expect("has a blueprint").source, "../b");

        let v1 = ModuleConfig::parse(
            Path::new("dagger-module.toml"),
            "name = \"ci\"\nengineVersion = \"v1.0.0\"\n[runtime]\nsource = \"go\"\n\
             [[dependencies]]\nsource = \"../dep\"\n",
        )
        .expect("valid");
        assert_eq!(v1.sdk.expect("has an SDK").source, "go");
        let own = ModuleConfig::parse(Path::new("nsci.json"), r#"{"name":"ci","sdk":"go"}"#);
        assert_eq!(own.expect("valid").engine_version, None);
        assert_eq!(v1.dependencies[0].source, "../dep");
    }

    #[test]
    fn engine_version_is_lenient_but_a_newer_one_is_refused() {
        for (text, version) in [
            ("", None),
            ("dev", Some("v0.11.9")),
            ("v0.9.3", Some("v0.9.3")),
        ] {
            let config = json(&format!(
                r#"{{"name":"a","sdk":"go","engineVersion":"{text}"}}"#
            ));
            assert_eq!(config.engine_version.as_deref(), version, "{text}");
        }
        let newer = json(r#"{"name":"a","sdk":"go","engineVersion":"v2.0.0"}"#);
        assert_eq!(
            newer
                .check_engine("v1.0.0-beta.1")
                .expect_err("too new")
                .to_string(),
            "module `a` requires engine v2.0.0, but this is v1.0.0-beta.1"
        );
        newer.check_engine("v2.0.0").expect("the same is enough");
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (name, text, expected) in [
            (
                "dagger.json",
                "{\n  \"name\": \"a\",,\n}",
                "dagger.json:2:15: key must be a string",
            ),
            ("dagger.json", "[]", "dagger.json:1:1: expected an object"),
            (
                "dagger.json",
                "{\"sdk\":\"go\"}",
                "dagger.json:1:1: the module has no `name`",
            ),
            (
                "dagger.json",
                "{\n \"name\": 3}",
                "dagger.json:2:2: `name` must be text",
            ),
            (
                "dagger.json",
                "{\"name\":\"a\",\n\"source\":\"../x\"}",
                "dagger.json:2:1: `source` must be a relative path inside the module's directory",
            ),
            (
                "nsci.json",
                "{\"name\":\"a\",\n \"dependencies\":[{}]}",
                "nsci.json:2:2: each of `dependencies` must be a reference or an object with `source`",
            ),
            (
                "dagger.json",
                "{\"name\":\"a\",\n \"blueprint\":\"../b\", \"sdk\":\"go\"}",
                "dagger.json:2:2: `blueprint` and `sdk` exclude each other: a module with a blueprint has no code of its own",
            ),
            (
                "dagger.json",
                "{\"name\":\"a\",\"blueprint\":\"../b\", \"dependencies\":[\"../c\"]}",
                "dagger.json:1:13: `blueprint` and `dependencies` exclude each other: a module with a blueprint has no code of its own",
            ),
            (
                "dagger.json",
                "{\"toolchains\":[{\"source\":\"b\",\n\"customizations\":[{\"default\":1}]}]}",
                "dagger.json:2:1: each of `customizations` must name an `argument`",
            ),
        ] {
            assert_eq!(error(name, text), expected);
        }
        assert!(error("dagger-module.toml", "name = \n").starts_with("dagger-module.toml:1:8: "));
    }

    #[test]
    fn nearest_configuration_is_found() {
        let directory = tempfile::tempdir().expect("can create");
        let deep = directory.path().join("a/b");
        std::fs::create_dir_all(&deep).expect("can create");
        std::fs::write(directory.path().join("dagger.json"), "{}").expect("can write");
        assert_eq!(find_up(&deep), Some(directory.path().join("dagger.json")));
        std::fs::write(directory.path().join("a/nsci.json"), "{}").expect("can write");
        assert_eq!(find_up(&deep), Some(directory.path().join("a/nsci.json")));
    }

    #[test]
    fn dependency_is_added_and_replaced_without_touching_the_rest() {
        let path = Path::new("dagger.json");
        let text = r#"{"name":"ci","unknown":1,"sdk":"go"}"#;
        let mut dependency = Dependency {
            name: Some("go".into()),
            source: "github.com/x/go".into(),
            ..Dependency::default()
        };
        let role = Role::Dependency;
        let added = ModuleConfig::with_dependency(path, text, role, &dependency).expect("valid");
        dependency.pin = Some("0123".into());
        let pinned = ModuleConfig::with_dependency(path, &added, role, &dependency).expect("valid");
        assert!(pinned.contains("\"unknown\": 1"), "{pinned}");
        assert_eq!(json(&pinned).dependencies, [dependency]);
    }
    #[test]
    fn toolchain_keeps_its_customizations_when_it_is_pinned() {
        let path = Path::new("dagger.json");
        let text = r#"{"name":"ci","toolchains":[{"name":"lint","source":"github.com/x/lint",
            "pin":"0","customizations":[{"argument":"level","default":"2"}]}]}"#;
        let moved = Dependency {
            pin: Some("1".into()),
            customizations: vec![],
            ..json(text).toolchains[0].clone()
        };
        let role = Role::Toolchain;
        let pinned = ModuleConfig::with_dependency(path, text, role, &moved).expect("valid");
        let toolchain = &json(&pinned).toolchains[0];
        assert_eq!(toolchain.pin.as_deref(), Some("1"));
        assert_eq!(toolchain.customizations[0].argument, "level");
        let gone = ModuleConfig::without_dependency(path, &pinned, role, "lint").expect("valid");
        assert!(json(&gone.expect("was there")).toolchains.is_empty());
        let other = Role::Dependency;
        let gone = ModuleConfig::without_dependency(path, &pinned, other, "lint").expect("valid");
        assert_eq!(gone, None, "it is no dependency");
    }

    #[test]
    fn blueprint_is_set_replaced_and_removed() {
        let path = Path::new("dagger.json");
        let blueprint = |source: &str| Dependency {
            source: source.into(),
            ..Dependency::default()
        };
        let role = Role::Blueprint;
        let with = |text: &str, source| {
            ModuleConfig::with_dependency(path, text, role, &blueprint(source))
        };
        let set = with(r#"{"name":"ci"}"#, "../a").expect("valid");
        let replaced = with(&set, "../b").expect("valid");
        assert_eq!(json(&replaced).blueprint, Some(blueprint("../b")));
        let gone = ModuleConfig::without_dependency(path, &replaced, role, "../b").expect("valid");
        assert_eq!(gone.as_deref(), Some("{\n  \"name\": \"ci\"\n}\n"));
        with(r#"{"name":"ci","sdk":"go"}"#, "../a").expect_err("a module with code");
    }
    #[test]
    fn configuration_is_rewritten_where_it_changed() {
        let path = Path::new("dagger.json");
        let text = r#"{"name":"ci","unknown":1,"sdk":{"source":"go","debug":true},
            "dependencies":["../a",{"name":"b","source":"../b","note":"kept"}],
            "toolchains":[{"name":"lint","source":"../lint","customizations":[{"argument":"level"}]}]}"#;
        let same = json(text).rewritten(path, text).expect("valid");
        assert_eq!(json(&same), json(text));
        let mut changed = json(text);
        changed.name = "other".into();
        let sdk = changed.sdk.as_mut().expect("has an SDK");
        sdk.experimental.insert("SELF_CALLS".into(), true.into());
        changed.remove_used(Role::Dependency, &["../a".to_owned()]);
        let moved = |name: &str| Dependency {
            name: Some(name.into()),
            source: format!("github.com/x/{name}"),
            pin: Some("1".into()),
            ..Dependency::default()
        };
        changed.add_used(Role::Dependency, moved("b"));
        changed.add_used(Role::Dependency, moved("c"));
        changed.add_used(Role::Toolchain, moved("lint"));
        assert_eq!(changed.toolchains[0].customizations.len(), 1);
        let written = changed.rewritten(path, text).expect("valid");
        assert_eq!(json(&written), changed);
        for kept in ["\"unknown\": 1", "\"debug\": true", "\"note\": \"kept\""] {
            assert!(written.contains(kept), "{kept}: {written}");
        }
        changed.remove_used(Role::Toolchain, &["lint".to_owned()]);
        let written = changed.rewritten(path, &written).expect("valid");
        assert!(!written.contains("toolchains"), "{written}");
        let mut bare = json(r#"{"name":"ci"}"#);
        bare.add_used(Role::Blueprint, moved("b"));
        let written = bare.rewritten(path, r#"{"name":"ci"}"#).expect("valid");
        assert_eq!(json(&written).blueprint, Some(moved("b")));
        bare.sdk = changed.sdk;
        bare.rewritten(path, r#"{"name":"ci"}"#)
            .expect_err("code and a blueprint");
    }
    #[test]
    fn paths_are_relative_to_the_configuration() {
        for (from, to, wanted) in [
            ("/a/b", "/a/b/c", "c"),
            ("/a/b", "/a/c/d", "../c/d"),
            ("/a", "/a", "."),
            ("/a/b", "/a", ".."),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), wanted);
        }
    }
}
