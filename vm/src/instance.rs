//! What `limactl list --json` says about a machine.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::Failure;

/// What a machine is doing.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum State {
    /// Runs.
    Running,
    /// Can be started.
    Stopped,
    /// Anything else, in Lima's words.
    Other(String),
}

impl From<String> for State {
    fn from(word: String) -> Self {
        match word.as_str() {
            "Running" => Self::Running,
            "Stopped" => Self::Stopped,
            _ => Self::Other(word),
        }
    }
}

impl State {
    /// The word for it.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::Running => "running",
            Self::Stopped => "stopped",
            Self::Other(word) if word.is_empty() => "unknown",
            Self::Other(word) => word,
        }
    }
}

/// A machine.
#[derive(Debug, Clone, Deserialize)]
pub struct Instance {
    /// Its name.
    pub name: String,
    /// What it is doing.
    #[serde(rename = "status")]
    pub state: State,
    /// Its processor, as `aarch64` or `x86_64`.
    #[serde(default)]
    pub arch: String,
    /// Number of processors.
    #[serde(default)]
    pub cpus: u32,
    /// Memory in bytes.
    #[serde(default)]
    pub memory: u64,
    /// Largest size of the disk in bytes.
    #[serde(default)]
    pub disk: u64,
    /// Where Lima keeps it.
    #[serde(default)]
    pub dir: PathBuf,
    #[serde(default)]
    config: Option<Config>,
}

#[derive(Debug, Clone, Default, Deserialize)]
struct Config {
    #[serde(default)]
    mounts: Option<Vec<Mount>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Mount {
    location: PathBuf,
    #[serde(default, rename = "mountPoint")]
    point: Option<PathBuf>,
}

impl Instance {
    /// The machine called `name` among those that are listed: one object after another.
    ///
    /// # Errors
    /// If that is not what Lima lists.
    pub fn find(listed: &str, name: &str) -> Result<Option<Self>, Failure> {
        for value in serde_json::Deserializer::from_str(listed).into_iter::<Self>() {
            let instance = value.map_err(|error| {
                Failure::failed(format!("cannot read what `limactl list` says: {error}"))
            })?;
            if instance.name == name {
                return Ok(Some(instance));
            }
        }
        Ok(None)
    }

    /// Where the host's `path` is inside, if the machine sees it.
    #[must_use]
    pub fn inside(&self, path: &Path) -> Option<PathBuf> {
        let mounts = self.config.as_ref()?.mounts.as_ref()?;
        // The innermost mount is the one that is seen.
        let mount = mounts
            .iter()
            .filter(|mount| path.starts_with(&mount.location))
            .max_by_key(|mount| mount.location.components().count())?;
        let rest = path.strip_prefix(&mount.location).ok()?;
        let point = mount.point.as_ref().unwrap_or(&mount.location);
        // Joining nothing would append a slash.
        match rest.as_os_str().is_empty() {
            true => Some(point.clone()),
            false => Some(point.join(rest)),
        }
    }

    /// The directories of the host that the machine sees.
    #[must_use]
    pub fn shared(&self) -> Vec<&Path> {
        let mounts = self
            .config
            .as_ref()
            .and_then(|config| config.mounts.as_deref());
        let mounts = mounts.unwrap_or_default().iter();
        mounts.map(|mount| mount.location.as_path()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(json: &str) -> Instance {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn a_machine_is_found_among_others() {
        let listed = concat!(
            r#"{"name":"default","status":"Stopped","dir":"/l/default"}"#,
            "\n",
            r#"{"name":"nsci","status":"Running","arch":"aarch64","cpus":4,"memory":4294967296,"disk":7,"vmType":"vz"}"#,
            "\n"
        );
        let found = Instance::find(listed, "nsci").unwrap().unwrap();
        assert_eq!(found.state, State::Running);
        assert_eq!((found.arch.as_str(), found.cpus), ("aarch64", 4));
        assert!(Instance::find(listed, "other").unwrap().is_none());
        assert!(Instance::find("", "nsci").unwrap().is_none());
    }

    #[test]
    fn states_that_are_not_known_keep_their_name() {
        for (json, word) in [
            ("Running", "running"),
            ("Stopped", "stopped"),
            ("Broken", "Broken"),
            ("", "unknown"),
        ] {
            let found = one(&format!(r#"{{"name":"nsci","status":"{json}"}}"#));
            assert_eq!(found.state.word(), word);
        }
    }

    #[test]
    fn words_that_are_no_list_are_an_error() {
        let error = Instance::find("oops", "nsci").unwrap_err();
        assert!(error.to_string().contains("limactl list"), "{error}");
    }

    #[test]
    fn paths_are_mapped_by_mounts() {
        let found = one(r#"{"name":"nsci","status":"Running","config":{"mounts":[
            {"location":"/Users/ann"},
            {"location":"/Users/ann/deep","mountPoint":"/deep"},
            {"location":"/Volumes/x","mountPoint":"/mnt/x"}]}}"#);
        for (outside, inside) in [
            ("/Users/ann", Some("/Users/ann")),
            ("/Users/ann/src/a b", Some("/Users/ann/src/a b")),
            ("/Users/ann/deep/er", Some("/deep/er")),
            ("/Volumes/x", Some("/mnt/x")),
            ("/Users/anna", None),
            ("/tmp", None),
        ] {
            let found = found.inside(Path::new(outside));
            assert_eq!(found.as_deref(), inside.map(Path::new), "{outside}");
        }
        assert_eq!(found.shared().len(), 3);
    }

    #[test]
    fn a_machine_without_mounts_sees_nothing() {
        for config in ["", r#","config":null"#, r#","config":{"mounts":null}"#] {
            let found = one(&format!(r#"{{"name":"n","status":"Stopped"{config}}}"#));
            assert_eq!(found.inside(Path::new("/Users/ann")), None, "{config}");
        }
    }
}
