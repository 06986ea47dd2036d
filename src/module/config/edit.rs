//! Changes to a configuration and to the text of one; what is not understood stays as it is.

use std::path::Path;

use serde_json::{Map, Value as Json};

use super::read::Document;
use super::{ConfigError, Dependency, ModuleConfig, Role, Sdk};

impl ModuleConfig {
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
