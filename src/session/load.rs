//! Makes a module that was found ready to be called.
//!
//! What its source says comes from [`description`], or from the module that is its SDK.

use super::{
    description,
    modules::{Modules, clean},
};
use crate::{
    error::{Error, Result},
    graph::{Op, Vertex},
    module::{
        ModuleConfig, ModuleTypes, RuntimePlan, SdkKind,
        marked::{Mark, MarkedFunction, marked},
        names::kebab,
    },
    schema::{
        self, Api, ContainerRef, DependencySpec, FileRef, Made, ModuleOrigin, ModuleSourceValue,
        ModuleSpec, Object,
    },
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
    /// Where it was fetched from, if not from this host.
    pub origin: Option<ModuleOrigin>,
    /// Files generated for its code: path in its source directory, contents.
    pub generated: Vec<(String, String)>,
    /// Modules it uses, by the names it uses them by.
    pub dependencies: Vec<Self>,
}

impl LoadedModule {
    pub(super) fn new(spec: &ModuleSpec) -> Self {
        Self {
            name: spec.name.clone(),
            dir: spec.directory.clone(),
            types: spec.types.clone(),
            query_field: spec.query_field(),
            config: spec.config.clone(),
            origin: spec.origin.clone(),
            generated: spec.generated.clone(),
            dependencies: spec.dependencies.iter().map(Self::used).collect(),
        }
    }

    fn used(dependency: &DependencySpec) -> Self {
        Self {
            name: dependency.name.clone(),
            query_field: dependency.query_field(),
            ..Self::new(&dependency.module)
        }
    }

    /// The module that is installed under this name.
    pub fn dependency(&self, name: &str) -> Option<&Self> {
        let wanted = kebab(name);
        self.dependencies
            .iter()
            .find(|dependency| kebab(&dependency.name) == wanted)
    }

    /// Its functions with a mark, and those of its toolchains.
    pub fn marked(&self, mark: Mark) -> Vec<MarkedFunction> {
        let used = self.dependencies.iter();
        let used = used.map(|used| (used.name.as_str(), &used.types));
        marked(&self.config, &self.types, used, mark)
    }

    /// Whether it has functions of its own.
    pub fn has_functions(&self) -> bool {
        !self.types.main_object.is_empty()
    }
}

/// A module that was found, not read yet.
#[derive(Clone, Debug)]
pub(super) struct Located {
    /// What tells it from every other.
    pub(super) identity: String,
    /// Its configuration.
    pub(super) file: PathBuf,
    /// Where it was fetched from.
    pub(super) origin: Option<ModuleOrigin>,
    /// The directory that it may read from; for one from git, the whole commit.
    pub(super) context: PathBuf,
}

impl Located {
    /// The directory of its configuration.
    pub(super) fn root(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("/"))
    }
}

/// What a module builds on.
#[derive(Debug)]
pub(super) struct Uses {
    /// Modules that its code may call.
    pub(super) dependencies: Vec<DependencySpec>,
    /// The module that is its SDK.
    pub(super) sdk: Option<Arc<ModuleSpec>>,
}

/// Makes a module ready to be called; what it builds on is loaded already.
pub(super) async fn load_one(
    modules: &Modules,
    api: &Arc<Api>,
    config: ModuleConfig,
    located: &Located,
    uses: Uses,
) -> Result<ModuleSpec> {
    let sdk = config
        .sdk
        .as_ref()
        .and_then(|named| SdkKind::find(&named.source).ok());
    let spec = ModuleSpec {
        name: config.name.clone(),
        identity: located.identity.clone(),
        origin: located.origin.clone(),
        dependencies: uses.dependencies,
        types: ModuleTypes::default(),
        sdk,
        plan: RuntimePlan::default(),
        runtime: None,
        generated: Vec::new(),
        made: Made::default(),
        context: located.context.clone(),
        source: clean(&located.root().join(&config.source)),
        directory: located.root().to_owned(),
        config,
    };
    match sdk {
        None => match uses.sdk {
            // It has no functions of its own and only brings others together.
            None => Ok(spec),
            Some(sdk) => load_by_module(modules, api, sdk, spec).await,
        },
        Some(sdk) => description::load(modules, api, sdk, spec).await,
    }
}

/// Loads a module whose SDK is a module itself: that makes the container, and the container's program registers
/// the types.
async fn load_by_module(
    modules: &Modules,
    api: &Arc<Api>,
    sdk: Arc<ModuleSpec>,
    mut spec: ModuleSpec,
) -> Result<ModuleSpec> {
    let source = ModuleSourceValue {
        reference: spec.directory.display().to_string(),
        directory: spec.directory.clone(),
        context: spec.context.clone(),
        origin: spec.origin.clone(),
        config: spec.config.clone(),
        exists: true,
    };
    let seen = modules.introspection(&spec.dependencies).await?;
    let file = Op::NewFile {
        name: "schema.json".into(),
        contents: seen,
        permissions: 0o644,
    };
    let source = api.keep(&Object::ModuleSource(source));
    let file = api.keep(&Object::File(FileRef(Vertex::new(file, vec![]))));
    let container = modules.module_runtime(&sdk, &source, &file).await?;
    let Some(Object::Container(ContainerRef(made))) = api.find(&container) else {
        return Err(Error::invalid(format!(
            "SDK `{}` gave no container to run `{}` in",
            sdk.name, spec.name
        )));
    };
    spec.runtime = Some(made);
    let spec = Arc::new(spec);
    let types = schema::register(api, &spec).await.map_err(|error| {
        Error::invalid(format!(
            "cannot load module `{}`: {}",
            spec.name, error.message
        ))
    })?;
    Ok(ModuleSpec {
        types,
        ..(*spec).clone()
    })
}
