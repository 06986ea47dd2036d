//! Loads modules: configuration, types read from source, and how functions are run.

use crate::{
    error::{Error, Kind, Result},
    graph::{Configure, Exec, Op, Vertex},
    module::{ModuleConfig, ModuleTypes, RuntimePlan, StaticError, config, python, runtime_plan},
    schema::{Api, ModuleSpec},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// A module as the command sees it.
#[derive(Clone, Debug)]
pub struct LoadedModule {
    /// Name in this session.
    pub name: String,
    /// Directory of its configuration.
    pub dir: PathBuf,
    /// Its types.
    pub types: ModuleTypes,
    /// Name of the field of `Query` that makes its main object.
    pub query_field: String,
    /// Its configuration.
    pub config: ModuleConfig,
}

impl LoadedModule {
    pub(super) fn new(spec: &ModuleSpec) -> Self {
        Self {
            name: spec.name.clone(),
            dir: spec.directory.clone(),
            types: spec.types.clone(),
            query_field: spec.query_field(),
            config: spec.config.clone(),
        }
    }
}

/// Loads the module that a directory is in.
pub(super) async fn load(api: &Arc<Api>, directory: &Path) -> Result<ModuleSpec> {
    let file = config::find_up(directory).ok_or_else(|| {
        Error::invalid(format!(
            "no module found in {} or above",
            directory.display()
        ))
        .hint("`nsci init --sdk=python` makes one; -m names another directory")
    })?;
    let config = ModuleConfig::load(&file)
        .map_err(|error| Error::caused(Kind::Invalid, "cannot load the module", error))?;
    let root = file.parent().unwrap_or(Path::new("/")).to_owned();
    let sdk = config.sdk.as_ref().map(|sdk| sdk.source.as_str());
    match sdk {
        Some("python") => load_python(api, config.clone(), root).await,
        Some(other @ ("go" | "typescript")) => Err(Error::invalid(format!(
            "modules written with the {other} SDK are not supported yet"
        ))
        .hint("Python modules are")),
        Some(other) => Err(Error::invalid(format!(
            "unknown SDK `{other}` in {}",
            file.display()
        ))),
        None => Err(Error::invalid(format!("{} names no SDK", file.display()))
            .hint("add \"sdk\": \"python\"")),
    }
}

async fn load_python(api: &Arc<Api>, config: ModuleConfig, root: PathBuf) -> Result<ModuleSpec> {
    let source = root.join(&config.source);
    let files = python::collect(&source).map_err(|error| {
        let what = format!("cannot read the module's sources in {}", source.display());
        Error::caused(Kind::Invalid, what, error)
    })?;
    let plan =
        runtime_plan::python(&config, &files).map_err(|error| static_error(&config, error))?;
    let mut spec = ModuleSpec {
        name: config.name.clone(),
        types: ModuleTypes::default(),
        plan,
        context: context(&root),
        source,
        directory: root,
        config,
    };
    spec.types = match python::read(&spec.name, &files) {
        Ok(types) => types,
        Err(StaticError::NeedsRuntime { .. }) => describe(api, &spec).await?,
        Err(error) => return Err(static_error(&spec.config, error)),
    };
    Ok(spec)
}

fn static_error(config: &ModuleConfig, error: StaticError) -> Error {
    Error::caused(
        Kind::Invalid,
        format!("cannot load module `{}`", config.name),
        error,
    )
}

/// Asks the module itself, where its types cannot be told from the source.
async fn describe(api: &Arc<Api>, spec: &ModuleSpec) -> Result<ModuleTypes> {
    let RuntimePlan { args, .. } = &spec.plan;
    let runtime = crate::schema::runtime(spec)?;
    let entrypoint = Configure::Entrypoint {
        args: None,
        keep_default_args: false,
    };
    let container = Vertex::new(Op::Configure(entrypoint), vec![runtime]);
    let args = args
        .iter()
        .cloned()
        .chain(["--describe".to_owned()])
        .collect();
    let exec = Op::Exec(Box::new(Exec {
        args,
        ..Exec::default()
    }));
    let described = Vertex::new(exec, vec![container]);
    let engine = api.engine();
    let meta = engine.last_exec(&described).await?;
    let text = engine.world().output(&meta.stdout)?;
    let types: ModuleTypes = serde_json::from_str(&text).map_err(|error| {
        Error::caused(
            Kind::Internal,
            "the module's description cannot be read",
            error,
        )
    })?;
    types
        .finish(&spec.name)
        .map_err(|error| Error::caused(Kind::Invalid, "the module's types are wrong", error))
}

/// The directory that absolute default paths are relative to: the repository, or the module itself.
fn context(root: &Path) -> PathBuf {
    root.ancestors()
        .find(|directory| directory.join(".git").exists())
        .unwrap_or(root)
        .to_owned()
}
