//! How a module's function is run in a container, as plain data.
//!
//! Main type: [`RuntimePlan`]: an image, steps that prepare it once, and the process each call starts.
//! [`python`] makes one for a Python module. The engine turns a plan into graph operations; nothing
//! here runs or reads anything.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::config::ModuleConfig;
use super::names;
use super::python::{Layout, StaticError};
use super::sdk::SdkKind;

/// What a function call needs around it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimePlan {
    /// Image reference the container starts from.
    pub base_image: String,
    /// Steps that prepare the image, each cached by its inputs, in order.
    pub setup: Vec<SetupStep>,
    /// Trees every call sees.
    pub mounts: Vec<PlanMount>,
    /// Environment of every call, beside the session's own variables.
    pub env: Vec<(String, String)>,
    /// Variables that calls see under another name, which is the first; `env` may then replace them.
    pub renamed: Vec<(String, String)>,
    /// Process every call starts.
    pub args: Vec<String>,
    /// Working directory of every call; an empty directory that belongs to the call.
    pub workdir: String,
}

/// A preparation of the image; its result is a layer below every call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SetupStep {
    /// Writes an embedded SDK into the image.
    CopySdk {
        /// Which.
        sdk: SdkKind,
        /// Directory it is written to.
        path: String,
    },
    /// Writes one small file into the image.
    WriteFile {
        /// Where.
        path: String,
        /// What.
        contents: String,
    },
    /// Runs a process as root, without access to the API.
    Exec {
        /// The process.
        args: Vec<String>,
        /// Cache volumes: path and key.
        caches: Vec<(String, String)>,
        /// Trees it sees; they are not part of the result.
        mounts: Vec<PlanMount>,
        /// Variables, which later steps and calls see too.
        env: Vec<(String, String)>,
        /// Working directory; the image's if there is none.
        workdir: Option<String>,
        /// Whether it needs the network.
        network: bool,
    },
}

/// A tree mounted into the container.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanMount {
    /// Where.
    pub path: String,
    /// What.
    pub source: PlanSource,
    /// Whether it can be written to; what is written is thrown away.
    pub writable: bool,
}

/// What a [`PlanMount`] shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum PlanSource {
    /// The module's source directory as it is.
    ModuleSource,
    /// The module's source directory with what is generated for it from the schema it sees.
    GeneratedSource,
}

/// Image of Python modules that ask for nothing else.
pub const PYTHON_IMAGE: &str = "python:3.13-slim";

/// Where the SDK is in the image of a Python module.
const PYTHON_SDK: &str = "/opt/nsci/sdk";

/// Where a module's source is in its container.
const SOURCE: &str = "/src";

/// Versions of Python there are images of, the preferred one first.
const PYTHON_VERSIONS: [(u32, u32); 6] = [(3, 13), (3, 14), (3, 12), (3, 11), (3, 10), (3, 9)];

/// Plan for a Python module whose source files are `files`, by path relative to the source directory.
///
/// Compiling the SDK to bytecode is part of the image, because mounted read-only it would be compiled
/// on every call. What the module requires beside the SDK itself is installed in a step of its own,
/// keyed by the list of requirements and nothing else.
///
/// # Errors
/// [`StaticError`] if there is no Python source or `pyproject.toml` cannot be understood.
pub fn python(
    config: &ModuleConfig,
    files: &BTreeMap<String, String>,
) -> Result<RuntimePlan, StaticError> {
    let layout = Layout::find(&config.name, files)?;
    let project = PyProject::parse(files)?;
    let mut setup = vec![
        SetupStep::CopySdk {
            sdk: SdkKind::Python,
            path: PYTHON_SDK.into(),
        },
        SetupStep::Exec {
            // Unchecked bytecode needs no look at the source's time, which copying does not keep.
            args: words(&[
                "python",
                "-m",
                "compileall",
                "-q",
                "--invalidation-mode",
                "unchecked-hash",
                PYTHON_SDK,
            ]),
            caches: vec![],
            mounts: vec![],
            env: vec![],
            workdir: None,
            network: false,
        },
    ];
    setup.extend(project.install_step());
    let root = if layout.root == "." {
        SOURCE.to_owned()
    } else {
        format!("{SOURCE}/{}", layout.root)
    };
    let env = [
        // Not the module's root: a file there named like one of Python's own would replace it.
        // The runtime adds the root when it has imported what it needs.
        ("PYTHONPATH", PYTHON_SDK.into()),
        ("PYTHONDONTWRITEBYTECODE", "1".into()),
        ("PYTHONUNBUFFERED", "1".into()),
        ("PYTHONUTF8", "1".into()),
        ("DAGGER_MODULE", config.name.clone()),
        ("DAGGER_MAIN_OBJECT", names::pascal(&config.name)),
        ("DAGGER_DEFAULT_PYTHON_PACKAGE", layout.import.clone()),
        ("NSCI_MODULE_ROOT", root),
    ];
    Ok(RuntimePlan {
        base_image: project.image(config),
        setup,
        mounts: vec![PlanMount {
            path: SOURCE.into(),
            source: PlanSource::ModuleSource,
            writable: false,
        }],
        env: env.map(|(name, value)| (name.to_owned(), value)).to_vec(),
        renamed: vec![],
        args: words(&["python", "-m", "dagger._runtime"]),
        workdir: "/scratch".into(),
    })
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// The parts of `pyproject.toml` that matter for running the module.
#[derive(Debug, Default)]
struct PyProject {
    requires_python: Option<String>,
    requirements: Vec<String>,
    base_image: Option<String>,
}

impl PyProject {
    fn parse(files: &BTreeMap<String, String>) -> Result<Self, StaticError> {
        let Some(text) = files.get("pyproject.toml") else {
            return Ok(Self::default());
        };
        let root: toml::Table = toml::from_str(text).map_err(|error| {
            let offset = error.span().map_or(0, |span| span.start);
            StaticError::Invalid {
                file: "pyproject.toml".into(),
                line: u32::try_from(text[..offset].matches('\n').count() + 1).unwrap_or(u32::MAX),
                message: error.message().to_owned(),
            }
        })?;
        let project = root.get("project");
        let tool = root
            .get("tool")
            .and_then(|tool| tool.get("nsci").or_else(|| tool.get("dagger")));
        let text = |table: Option<&toml::Value>, key: &str| {
            table
                .and_then(|table| table.get(key))
                .and_then(toml::Value::as_str)
                .map(str::to_owned)
        };
        let requirements = project
            .and_then(|project| project.get("dependencies"))
            .and_then(toml::Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(toml::Value::as_str)
            .filter(|requirement| !is_sdk(requirement))
            .map(str::to_owned)
            .collect();
        Ok(Self {
            requires_python: text(project, "requires-python"),
            requirements,
            base_image: text(tool, "base-image"),
        })
    }

    fn image(&self, config: &ModuleConfig) -> String {
        let configured = config
            .sdk
            .as_ref()
            .and_then(|sdk| sdk.config.get("baseImage"));
        if let Some(image) = configured.and_then(serde_json::Value::as_str) {
            return image.to_owned();
        }
        if let Some(image) = &self.base_image {
            return image.clone();
        }
        let asked = self.requires_python.as_deref();
        let fitting = asked.and_then(|range| {
            PYTHON_VERSIONS
                .into_iter()
                .find(|version| satisfies(*version, range))
        });
        fitting.map_or_else(
            || PYTHON_IMAGE.to_owned(),
            |(major, minor)| format!("python:{major}.{minor}-slim"),
        )
    }

    fn install_step(&self) -> Option<SetupStep> {
        if self.requirements.is_empty() {
            return None;
        }
        let mut args = words(&[
            "python",
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--root-user-action=ignore",
            "--",
        ]);
        args.extend(self.requirements.iter().cloned());
        Some(SetupStep::Exec {
            args,
            caches: vec![("/root/.cache/pip".into(), "nsci-python-pip".into())],
            mounts: vec![],
            env: vec![],
            workdir: None,
            network: true,
        })
    }
}

/// Whether a requirement is the SDK, which the engine brings itself.
fn is_sdk(requirement: &str) -> bool {
    let end = requirement
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(requirement.len());
    let name = requirement[..end]
        .to_ascii_lowercase()
        .replace(['_', '.'], "-");
    matches!(name.as_str(), "dagger-io" | "nsci")
}

/// Whether `X.Y` is in a range such as `>=3.10,<3.13`; a clause not understood restricts nothing.
fn satisfies(version: (u32, u32), range: &str) -> bool {
    range.split(',').map(str::trim).all(|clause| {
        let digits = clause
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(clause.len());
        let (operator, bound) = clause.split_at(digits);
        let mut numbers = bound.split('.').map_while(|part| part.parse::<u32>().ok());
        let Some(major) = numbers.next() else {
            return true;
        };
        let minor = numbers.next();
        let patch = numbers.next();
        let bound = (major, minor.unwrap_or(0));
        match operator.trim() {
            ">=" => version >= bound,
            ">" => version > bound || (patch.is_some() && version == bound),
            "<" => version < bound || (patch.is_some_and(|patch| patch > 0) && version == bound),
            "<=" => version <= bound,
            "==" | "===" => version.0 == major && minor.is_none_or(|minor| version.1 == minor),
            "!=" => patch.is_some() || version != bound,
            "~=" if patch.is_some() => version == bound,
            "~=" => version.0 == major && version >= bound,
            _ => true,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::config::Sdk;

    fn plan(pyproject: Option<&str>) -> RuntimePlan {
        let mut files = BTreeMap::from([("main.py".to_owned(), String::new())]);
        if let Some(text) = pyproject {
            files.insert("pyproject.toml".into(), text.into());
        }
        let config = ModuleConfig {
            name: "my-app".into(),
            sdk: Some(Sdk {
                source: "python".into(),
                ..Sdk::default()
            }),
            source: ".".into(),
            ..ModuleConfig::default()
        };
        python(&config, &files).expect("valid")
    }

    #[test]
    fn module_without_requirements_installs_nothing() {
        let plan = plan(Some(
            "[project]\nname='a'\ndependencies=['dagger-io>=0.9', 'Dagger_IO']\n",
        ));
        assert_eq!(plan.base_image, PYTHON_IMAGE);
        assert_eq!(plan.setup.len(), 2);
        assert!(
            plan.env
                .contains(&("DAGGER_MAIN_OBJECT".into(), "MyApp".into()))
        );
        assert!(
            plan.env
                .contains(&("NSCI_MODULE_ROOT".into(), "/src".into()))
        );
    }

    #[test]
    fn requirements_are_installed_in_a_step_of_their_own() {
        let plan = plan(Some(
            "[project]\ndependencies=['dagger-io', 'requests>=2']\n",
        ));
        let Some(SetupStep::Exec {
            args,
            network: true,
            ..
        }) = plan.setup.last()
        else {
            panic!("{plan:?}");
        };
        assert_eq!(&args[args.len() - 2..], ["--", "requests>=2"]);
    }

    #[test]
    fn image_follows_what_the_project_asks_for() {
        for (project, image) in [
            ("[project]\nrequires-python='>=3.11'", "python:3.13-slim"),
            (
                "[project]\nrequires-python='>=3.9,<3.12'",
                "python:3.11-slim",
            ),
            ("[project]\nrequires-python='==3.10.*'", "python:3.10-slim"),
            ("[project]\nrequires-python='~=3.12.1'", "python:3.12-slim"),
            ("[project]\nrequires-python='>=3.14'", "python:3.14-slim"),
            ("[tool.dagger]\nbase-image='my/python:1'", "my/python:1"),
        ] {
            assert_eq!(plan(Some(project)).base_image, image, "{project}");
        }
    }

    #[test]
    fn broken_project_file_is_pointed_at() {
        let files = BTreeMap::from([
            ("main.py".to_owned(), String::new()),
            (
                "pyproject.toml".to_owned(),
                "[project]\nname = \n".to_owned(),
            ),
        ]);
        let config = ModuleConfig {
            name: "a".into(),
            ..ModuleConfig::default()
        };
        let error = python(&config, &files).expect_err("invalid").to_string();
        assert!(error.starts_with("pyproject.toml:2: "), "{error}");
    }
}
