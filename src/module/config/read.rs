//! The text of a configuration of any format and era as a [`ModuleConfig`].

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::paths::normalise;
use super::{Client, ConfigError, Customization, Dependency, ModuleConfig, Sdk, version_numbers};

/// Engine version assumed when the file names one that is no version.
const UNKNOWN_ENGINE_VERSION: &str = "v0.11.9";
/// Last engine that wrote a `dagger.json` without its version.
const UNVERSIONED_ENGINE: &str = "v0.9.11";

/// A file's text while it is being understood; knows how to point at a place in it.
pub(super) struct Document<'a> {
    pub(super) path: &'a Path,
    pub(super) text: &'a str,
}

impl Document<'_> {
    fn is_dagger_json(&self) -> bool {
        self.path.file_name() == Some("dagger.json".as_ref())
    }

    pub(super) fn parse_json(&self) -> Result<Json, ConfigError> {
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

    pub(super) fn parse_toml(&self) -> Result<Json, ConfigError> {
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

    pub(super) fn config(&self, value: &Json) -> Result<ModuleConfig, ConfigError> {
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
    pub(super) fn invalid(&self, key: &str, message: &str) -> ConfigError {
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

    pub(super) fn place(&self, offset: usize) -> (usize, usize) {
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
