//! What `package.json` says about running a module.
//!
//! Main type: [`Package`]: the image asked for, and the packages the module needs beside the SDK.

use std::collections::BTreeMap;

use serde_json::{Map, Value as Json, json};

use crate::module::config::ModuleConfig;
use crate::module::python::StaticError;

/// Image of TypeScript modules that ask for nothing else.
pub const NODE_IMAGE: &str = "node:20-slim";

/// Major versions of Node there are images of, the preferred one first.
const NODE_VERSIONS: [u32; 5] = [20, 22, 24, 25, 18];

/// Packages that the engine brings or makes unnecessary.
const OURS: [&str; 8] = [
    "@dagger.io/dagger",
    "nsci",
    "typescript",
    "tsx",
    "ts-node",
    "@types/node",
    "tslib",
    "reflect-metadata",
];

/// The parts of `package.json` that matter.
#[derive(Clone, Debug, Default)]
pub(super) struct Package {
    base_image: Option<String>,
    runtime: Option<String>,
    engine: Option<String>,
    dependencies: Map<String, Json>,
    lock: Option<Json>,
}

impl Package {
    /// Reads `package.json` and its lock, if they are there.
    ///
    /// # Errors
    /// [`StaticError::Invalid`] if one cannot be understood, or asks for what cannot be had.
    pub(super) fn read(files: &BTreeMap<String, String>) -> Result<Self, StaticError> {
        let Some(root) = parse(files, "package.json")? else {
            return Ok(Self::default());
        };
        let tool = root.get("nsci").or_else(|| root.get("dagger"));
        let text = |value: Option<&Json>| value.and_then(Json::as_str).map(str::to_owned);
        let mut dependencies = root
            .get("dependencies")
            .and_then(Json::as_object)
            .cloned()
            .unwrap_or_default();
        dependencies.retain(|name, _| !OURS.contains(&name.as_str()));
        for (name, version) in &dependencies {
            let version = version.as_str().unwrap_or_default();
            if ["file:", "link:", "workspace:", "portal:"]
                .iter()
                .any(|kind| version.starts_with(kind))
            {
                return Err(StaticError::Invalid {
                    file: "package.json".into(),
                    line: line_with(&files["package.json"], &format!("\"{name}\"")),
                    message: format!(
                        "`{name}` is a local package, which cannot be installed; import its files by path"
                    ),
                });
            }
        }
        let lock = if dependencies.is_empty() {
            None
        } else {
            parse(files, "package-lock.json")?
        };
        Ok(Self {
            base_image: text(tool.and_then(|tool| tool.get("baseImage"))),
            runtime: text(tool.and_then(|tool| tool.get("runtime"))),
            engine: text(root.get("engines").and_then(|engines| engines.get("node"))),
            dependencies,
            lock: lock.filter(|lock| lock["packages"].is_object()),
        })
    }

    /// The image that functions run in.
    pub(super) fn image(&self, config: &ModuleConfig) -> String {
        let configured = config
            .sdk
            .as_ref()
            .and_then(|sdk| sdk.config.get("baseImage"));
        if let Some(image) = configured.and_then(Json::as_str) {
            return image.to_owned();
        }
        if let Some(image) = &self.base_image {
            return image.clone();
        }
        let runtime = self
            .runtime
            .as_deref()
            .and_then(|runtime| runtime.strip_prefix("node@"));
        if let Some(version) = runtime {
            return format!("node:{version}-slim");
        }
        let fitting = self.engine.as_deref().and_then(|range| {
            let mut versions = NODE_VERSIONS.into_iter();
            versions.find(|version| satisfies(*version, range))
        });
        fitting.map_or_else(
            || NODE_IMAGE.to_owned(),
            |version| format!("node:{version}-slim"),
        )
    }

    /// `package.json` and, if there is one, `package-lock.json` for installing what the module needs;
    /// `None` if it needs nothing.
    pub(super) fn to_install(&self) -> Option<(String, Option<String>)> {
        if self.dependencies.is_empty() {
            return None;
        }
        let manifest = json!({
            "name": "module",
            "private": true,
            "type": "module",
            "dependencies": self.dependencies,
        });
        let lock = self
            .lock
            .as_ref()
            .map(|lock| self.own_lock(lock).to_string());
        Some((manifest.to_string(), lock))
    }

    /// The lock without what is ours, so that it fits the list of packages that is left.
    fn own_lock(&self, lock: &Json) -> Json {
        let mut packages = lock["packages"].as_object().cloned().unwrap_or_default();
        packages.retain(|path, package| {
            let is_ours = OURS
                .iter()
                .any(|name| path.strip_prefix("node_modules/") == Some(name));
            // Packages outside of `node_modules` are local ones: the copy of the SDK.
            let is_local = !path.is_empty() && !path.starts_with("node_modules/");
            // What others need stays, also if it is ours when named here.
            let is_needed = is_ours && !package["link"].as_bool().unwrap_or(false) && {
                let name = path.trim_start_matches("node_modules/");
                lock["packages"]
                    .as_object()
                    .into_iter()
                    .flatten()
                    .any(|(of, other)| {
                        !of.is_empty()
                            && ["dependencies", "peerDependencies"]
                                .iter()
                                .any(|kind| other[kind].get(name).is_some())
                    })
            };
            (!is_ours || is_needed) && !is_local
        });
        packages.insert(
            String::new(),
            json!({ "name": "module", "dependencies": self.dependencies }),
        );
        json!({
            "name": "module",
            "lockfileVersion": lock["lockfileVersion"],
            "requires": true,
            "packages": packages,
        })
    }
}

fn parse(files: &BTreeMap<String, String>, file: &str) -> Result<Option<Json>, StaticError> {
    let Some(text) = files.get(file) else {
        return Ok(None);
    };
    let parsed = serde_json::from_str(text).map_err(|error| StaticError::Invalid {
        file: file.to_owned(),
        line: u32::try_from(error.line()).unwrap_or(u32::MAX),
        message: {
            let message = error.to_string();
            message
                .split(" at line ")
                .next()
                .unwrap_or_default()
                .to_owned()
        },
    })?;
    Ok(Some(parsed))
}

fn line_with(text: &str, needle: &str) -> u32 {
    let at = text.lines().position(|line| line.contains(needle));
    u32::try_from(at.unwrap_or(0) + 1).unwrap_or(u32::MAX)
}

/// Whether a major version is in a range such as `>=20 <23 || 18.x`; what is not understood restricts nothing.
fn satisfies(version: u32, range: &str) -> bool {
    range.split("||").any(|part| {
        let words = part
            .replace(">= ", ">=")
            .replace("< ", "<")
            .replace("> ", ">");
        words.split_whitespace().all(|clause| {
            let digits = clause
                .find(|c: char| c.is_ascii_digit())
                .unwrap_or(clause.len());
            let (operator, bound) = clause.split_at(digits);
            let mut numbers = bound.split('.').map_while(|part| part.parse::<u32>().ok());
            let Some(major) = numbers.next() else {
                return true;
            };
            let has_rest = numbers.any(|number| number > 0);
            match operator {
                ">=" => version >= major,
                ">" => version > major || (has_rest && version == major),
                "<" => version < major || (has_rest && version == major),
                "<=" => version <= major,
                "" | "=" | "^" | "~" | "v" => version == major,
                _ => true,
            }
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(manifest: &str) -> Package {
        let files = BTreeMap::from([("package.json".to_owned(), manifest.to_owned())]);
        Package::read(&files).expect("valid")
    }

    #[test]
    fn image_follows_what_the_package_asks_for() {
        let config = ModuleConfig::default();
        for (manifest, image) in [
            ("{}", NODE_IMAGE),
            (r#"{"engines": {"node": ">=18"}}"#, "node:20-slim"),
            (r#"{"engines": {"node": ">=22.3"}}"#, "node:22-slim"),
            (r#"{"engines": {"node": "^18.1 || >= 24"}}"#, "node:24-slim"),
            (r#"{"engines": {"node": "18.x"}}"#, "node:18-slim"),
            (r#"{"engines": {"node": "*"}}"#, "node:20-slim"),
            (r#"{"dagger": {"runtime": "node@22.1"}}"#, "node:22.1-slim"),
            (r#"{"dagger": {"baseImage": "my/node:1"}}"#, "my/node:1"),
        ] {
            assert_eq!(package(manifest).image(&config), image, "{manifest}");
        }
    }

    #[test]
    fn what_the_engine_brings_is_not_installed() {
        let manifest = r#"{"dependencies": {"typescript": "^5", "@dagger.io/dagger": "./sdk"}}"#;
        assert_eq!(package(manifest).to_install(), None);
        let manifest = r#"{"dependencies": {"typescript": "^5", "semver": "^7"}}"#;
        let (manifest, lock) = package(manifest)
            .to_install()
            .expect("something to install");
        assert!(
            manifest.contains("semver") && !manifest.contains("typescript"),
            "{manifest}"
        );
        assert_eq!(lock, None);
    }

    #[test]
    fn lock_is_made_to_fit() {
        let lock = r#"{"lockfileVersion": 3, "packages": {
            "": {"dependencies": {"@dagger.io/dagger": "./sdk", "semver": "^7", "typescript": "5"}},
            "node_modules/@dagger.io/dagger": {"resolved": "sdk", "link": true},
            "node_modules/typescript": {"version": "5.0.0"},
            "node_modules/tslib": {"version": "2.0.0"},
            "node_modules/semver": {"version": "7.0.0", "dependencies": {"tslib": "2"}},
            "sdk": {"version": "0.0.0"}}}"#;
        let files = BTreeMap::from([
            (
                "package.json".to_owned(),
                r#"{"dependencies": {"semver": "^7", "typescript": "5", "@dagger.io/dagger": "./sdk"}}"#
                    .to_owned(),
            ),
            ("package-lock.json".to_owned(), lock.to_owned()),
        ]);
        let package = Package::read(&files).expect("valid");
        let (_, lock) = package.to_install().expect("something to install");
        let lock: Json = serde_json::from_str(&lock.expect("there is one")).expect("JSON");
        let mut paths: Vec<_> = lock["packages"]
            .as_object()
            .expect("object")
            .keys()
            .collect();
        paths.sort();
        assert_eq!(paths, ["", "node_modules/semver", "node_modules/tslib"]);
        assert_eq!(
            lock["packages"][""]["dependencies"],
            json!({"semver": "^7"})
        );
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (manifest, message) in [
            ("{\n  \"name\": \n}", "package.json:3: expected value"),
            (
                "{\"dependencies\": {\n\"mine\": \"file:../mine\"}}",
                "package.json:2: `mine` is a local package",
            ),
        ] {
            let files = BTreeMap::from([("package.json".to_owned(), manifest.to_owned())]);
            let error = Package::read(&files).expect_err("invalid").to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
