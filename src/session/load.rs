//! Loads modules: configuration, types read from source, and how functions are run.

use crate::{
    error::{Error, Kind, Result},
    graph::{Configure, Exec, Op, Vertex},
    module::{ModuleConfig, ModuleTypes, RuntimePlan, SdkKind, StaticError, config},
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
    let named = config.sdk.as_ref().ok_or_else(|| {
        Error::invalid(format!("{} names no SDK", file.display()))
            .hint(format!("add \"sdk\": \"{}\"", SdkKind::choices()))
    })?;
    let sdk = SdkKind::find(&named.source).map_err(|error| {
        Error::invalid(format!("{error} in {}", file.display()))
            .hint(format!("there are: {}", SdkKind::choices()))
    })?;
    load_from_source(api, sdk, config, root).await
}

async fn load_from_source(
    api: &Arc<Api>,
    sdk: SdkKind,
    config: ModuleConfig,
    root: PathBuf,
) -> Result<ModuleSpec> {
    let source = root.join(&config.source);
    let files = sdk.collect(&source).map_err(|error| {
        let what = format!("cannot read the module's sources in {}", source.display());
        Error::caused(Kind::Invalid, what, error)
    })?;
    let plan = sdk
        .plan(&config, &files)
        .map_err(|error| static_error(&config, error))?;
    let mut spec = ModuleSpec {
        name: config.name.clone(),
        types: ModuleTypes::default(),
        sdk,
        plan,
        generated: Vec::new(),
        context: context(&root),
        source,
        directory: root,
        config,
    };
    spec.types = match sdk.describe(&spec.name, &files) {
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
