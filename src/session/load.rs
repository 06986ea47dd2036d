//! Makes a module that was found ready to be called.
//!
//! What its source says comes from [`description`], or from the module that is its SDK.

use super::{description, modules::Modules};
use crate::{
    error::{Error, Result},
    graph::{Op, Vertex},
    module::{
        Dependency, ModuleConfig, ModuleTypes, RuntimePlan, SdkKind,
        config::{self, clean},
        customize,
        marked::{Mark, MarkedFunction, Used, marked},
        names::kebab,
    },
    schema::{
        self, Api, ContainerRef, DefaultPaths, DependencySpec, FileRef, Made, ModuleOrigin,
        ModuleSourceValue, ModuleSpec, Object,
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
    /// Whether the module that uses it offers it as a toolchain.
    pub is_toolchain: bool,
    has_functions: bool,
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
            is_toolchain: false,
            has_functions: spec.has_functions(),
        }
    }

    fn used(dependency: &DependencySpec) -> Self {
        Self {
            name: dependency.name.clone(),
            query_field: dependency.query_field(),
            is_toolchain: dependency.is_toolchain,
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
        let used = self.dependencies.iter().map(|used| Used {
            name: &used.name,
            types: &used.types,
            is_toolchain: used.is_toolchain,
        });
        marked(&self.types, self.has_functions(), used, mark)
    }

    /// Whether it has functions of its own, beside those of modules that it uses.
    pub fn has_functions(&self) -> bool {
        self.has_functions
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
    /// The module that offers it as a toolchain.
    pub(super) user: Option<User>,
    /// What counts instead of the configuration in its file.
    pub(super) config: Option<Box<ModuleConfig>>,
}

/// A module that offers another as a toolchain: that one works on its files, with the defaults it says.
#[derive(Clone, Debug)]
pub(super) struct User {
    /// What tells it from every other.
    pub(super) identity: String,
    /// Its configuration.
    pub(super) file: PathBuf,
    /// Where default paths lead.
    pub(super) place: DefaultPaths,
    /// What it says of the toolchain.
    pub(super) declared: Dependency,
}

impl User {
    /// Applies what is said of the toolchain's arguments.
    pub(super) fn customize(&self, types: &mut ModuleTypes) -> Result<()> {
        for wanted in &self.declared.customizations {
            customize(types, wanted).map_err(|error| {
                let place = config::place_in(&self.file, &wanted.argument);
                let name = self.declared.display_name();
                Error::invalid(format!("{place}: cannot customize `{name}`: {error}"))
                    .hint("`nsci functions` lists functions, --help their arguments")
            })?;
        }
        Ok(())
    }
}

impl Located {
    /// What tells the loaded module from every other: a toolchain is another one for each module that offers it.
    pub(super) fn instance(&self) -> String {
        match &self.user {
            None => self.identity.clone(),
            Some(user) => {
                let name = user.declared.display_name();
                format!("{} as {name} of {}", self.identity, user.identity)
            }
        }
    }

    /// Where default paths of what this module takes over or offers lead.
    pub(super) fn place(&self) -> DefaultPaths {
        DefaultPaths {
            root: self.context.clone(),
            base: self.root().to_owned(),
        }
    }

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
    let source = clean(&located.root().join(&config.source));
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
        defaults: DefaultPaths {
            root: located.context.clone(),
            base: source.clone(),
        },
        source,
        directory: located.root().to_owned(),
        blueprint: None,
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
        config: Box::new(spec.config.clone()),
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
