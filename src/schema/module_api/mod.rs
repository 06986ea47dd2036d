//! Modules as objects of the API: `Module`, `ModuleSource` and what belongs to them.
//!
//! A [`ModuleValue`] is either being built by an SDK that registers its types, or stands for a module that is loaded.
//! Finding and loading are the session's work, behind [`ModuleLoader`].

mod source;

use super::{
    Ctx,
    api::Api,
    gql::{FieldError, Registry, Schema},
    modules::{ModuleOrigin, ModuleSpec},
    object::{
        DirectoryRef, FileRef, GeneratedCodeValue, ModuleSourceValue, ModuleValue, Object, Root,
        SdkConfigValue, TypeDefValue,
    },
    typedef::{Definition, published, published_enum, published_interface},
};
use crate::{
    error::{Error, Result},
    graph::{Op, Vertex},
    module::{ModuleConfig, ModuleTypes, names},
};
use futures_util::future::BoxFuture;
use std::{path::PathBuf, sync::Arc};

/// What a reference led to.
#[derive(Clone, Debug)]
pub struct FoundModule {
    /// Directory on this host.
    pub directory: PathBuf,
    /// Where it was fetched from.
    pub origin: Option<ModuleOrigin>,
    /// Directory that it may read from, if that is known already.
    pub context: Option<PathBuf>,
    /// What counts instead of the configuration in its file, if a client changed that.
    pub config: Option<Box<ModuleConfig>>,
}

/// What makes a module's main object in the API that [`ModuleLoader::calling`] gives; no module is called so.
pub const OWN: &str = "_own";

/// Finds and loads modules for the API.
pub trait ModuleLoader: Send + Sync {
    /// Finds what a reference names; relative paths are the main client's.
    fn find(&self, reference: String, pin: String) -> BoxFuture<'_, Result<FoundModule>>;

    /// Loads a module that was found.
    fn load(&self, found: FoundModule) -> BoxFuture<'_, Result<Arc<ModuleSpec>>>;

    /// Lets the main client call a module.
    ///
    /// # Errors
    /// If its types clash with what is there.
    fn serve(&self, module: &Arc<ModuleSpec>, with_dependencies: bool) -> Result<()>;

    /// The API in which a module's constructor is the field [`OWN`], beside those of the modules that it uses.
    ///
    /// # Errors
    /// If its types clash with what is there.
    fn calling(&self, module: &Arc<ModuleSpec>) -> Result<Arc<Schema<Api>>>;

    /// A loaded module by what tells it from others.
    fn loaded(&self, identity: &str) -> Option<Arc<ModuleSpec>>;

    /// Name of the module that a type of the API is of.
    fn module_of(&self, type_name: &str) -> Option<String>;

    /// The API as a module's code sees it, or as it is without modules, as an introspection answer.
    fn introspection(&self, module: Option<&Arc<ModuleSpec>>) -> BoxFuture<'_, Result<String>>;
}

impl ModuleValue {
    fn building(&self) -> Result<&ModuleTypes, FieldError> {
        match self {
            Self::Building(types) => Ok(types),
            Self::Loaded { name, .. } => Err(FieldError::new(format!(
                "module `{name}` is loaded; its types cannot be changed"
            ))),
        }
    }
}

/// The module that a value stands for; none while it is being built.
pub(super) fn spec(ctx: &Ctx, value: &ModuleValue) -> Result<Option<Arc<ModuleSpec>>, FieldError> {
    match value {
        ModuleValue::Building(_) => Ok(None),
        ModuleValue::Loaded { identity, name } => {
            let found = ctx.backend().modules()?.loaded(identity);
            found.map(Some).ok_or_else(|| {
                FieldError::new(format!("module `{name}` is not loaded in this session"))
            })
        }
    }
}

fn types(ctx: &Ctx, value: &ModuleValue) -> Result<ModuleTypes, FieldError> {
    Ok(match value {
        ModuleValue::Building(types) => (**types).clone(),
        ModuleValue::Loaded { .. } => spec(ctx, value)?
            .map(|spec| spec.types.clone())
            .unwrap_or_default(),
    })
}

pub(super) fn loaded_value(spec: &ModuleSpec) -> ModuleValue {
    ModuleValue::Loaded {
        identity: spec.identity.clone(),
        name: spec.config.name.clone(),
    }
}

fn source_of(spec: &ModuleSpec) -> ModuleSourceValue {
    ModuleSourceValue {
        reference: spec.origin.as_ref().map_or_else(
            || spec.directory.display().to_string(),
            |origin| origin.address.clone(),
        ),
        directory: spec.directory.clone(),
        context: spec.context.clone(),
        origin: spec.origin.clone(),
        config: Box::new(spec.config.clone()),
        exists: true,
    }
}

/// Declares modules.
pub(super) fn declare(registry: &mut Registry<Api>) {
    roots(registry);
    module(registry);
    module_types(registry);
    source::module_source(registry);
    source::source_places(registry);
    source::source_builders(registry);
    small(registry);
}

fn roots(registry: &mut Registry<Api>) {
    let mut kinds = registry.enumeration("ModuleSourceKind");
    kinds.doc("Where a module's source is.");
    for (name, doc) in [
        ("LOCAL", "A directory of the host."),
        ("GIT", "A repository."),
        ("DIR", "A directory of a pipeline."),
    ] {
        kinds.value(format!("{name}_SOURCE"), doc);
        kinds.value(name, doc);
    }
    let mut query = registry.query::<Root>();
    query
        .field("module", "Module!", |f| {
            f.doc("A module without types, to be filled by its SDK.")
                .resolve(|_, _, _| Ok(ModuleValue::Building(Box::default())))
        })
        .field("moduleSource", "ModuleSource!", |f| {
            f.doc("The source of a module, by reference.")
                .arg(
                    "refString: String!",
                    "A path of the host, or a directory of a repository.",
                )
                .arg("refPin: String = \"\"", "Commit to use.")
                .arg(
                    "disableFindUp: Boolean = false",
                    "Do not look in directories above.",
                )
                .arg(
                    "allowNotExists: Boolean = false",
                    "Do not mind if there is no configuration.",
                )
                .arg(
                    "requireKind: ModuleSourceKind",
                    "Refuse sources of another kind.",
                )
                .arg("stable: Boolean = false", "Ignored (older clients).")
                .resolve_async(|ctx, _, args| async move {
                    let api = ctx.backend();
                    if !matches!(ctx.client().kind, super::CallerKind::Main) {
                        return Err(FieldError::new(
                            "functions cannot load modules by reference; name them as dependencies",
                        ));
                    }
                    let reference: String = args.get("refString")?;
                    let kind: Option<String> = args.get("requireKind")?;
                    let found = api
                        .modules()?
                        .find(reference.clone(), args.get("refPin")?)
                        .await?;
                    let source = source::source(&reference, found, &args.flag("disableFindUp"))?;
                    let is_git = source.origin.is_some();
                    let wanted_git = kind.as_deref().map(|kind| kind.starts_with("GIT"));
                    if wanted_git.is_some_and(|wanted| wanted != is_git) {
                        return Err(FieldError::new(format!(
                            "{reference} is no module source of that kind"
                        )));
                    }
                    if !source.exists && !args.flag("allowNotExists") {
                        return Err(Error::invalid(format!(
                            "no module found in {} or above",
                            source.directory.display()
                        ))
                        .into());
                    }
                    Ok(source)
                })
        })
        .field("generatedCode", "GeneratedCode!", |f| {
            f.doc("What an SDK generated for a module.")
                .arg("code: DirectoryID!", "The module's source with it.")
                .resolve(|ctx, _, args| {
                    let DirectoryRef(code) = ctx.object(args, "code")?;
                    Ok(GeneratedCodeValue {
                        code: DirectoryRef(code),
                        generated: Vec::new(),
                        ignored: Vec::new(),
                    })
                })
        });
}

fn module(registry: &mut Registry<Api>) {
    let mut module = registry.object::<ModuleValue>("Module");
    module
        .doc("A module.")
        .field("name", "String!", |f| {
            f.doc("Its name.").resolve(|_, this, _| {
                Ok(match this {
                    ModuleValue::Building(types) => types.name.clone(),
                    ModuleValue::Loaded { name, .. } => name.clone(),
                })
            })
        })
        .field("description", "String!", |f| {
            f.doc("What it is for.")
                .resolve(|ctx, this, _| Ok(types(ctx, this)?.description))
        })
        .field("withDescription", "Module!", |f| {
            f.doc("Says what it is for.")
                .arg("description: String!", "What it is for.")
                .resolve(|_, this, args| {
                    let mut types = this.building()?.clone();
                    types.description = args.get("description")?;
                    Ok(ModuleValue::Building(Box::new(types)))
                })
        })
        .field("withObject", "Module!", |f| {
            f.doc("Adds an object.")
                .arg("object: TypeDefID!", "Its definition.")
                .resolve(|ctx, this, args| {
                    let ty: TypeDefValue = ctx.object(args, "object")?;
                    let mut types = this.building()?.clone();
                    match ty.definition {
                        Definition::Object(object) => types.objects.push(*object),
                        _ => {
                            return Err(FieldError::new(
                                "withObject: the definition is of no object",
                            ));
                        }
                    }
                    Ok(ModuleValue::Building(Box::new(types)))
                })
        })
        .field("withInterface", "Module!", |f| {
            f.doc("Adds an interface.")
                .arg("iface: TypeDefID!", "Its definition.")
                .resolve(|ctx, this, args| {
                    let ty: TypeDefValue = ctx.object(args, "iface")?;
                    let mut types = this.building()?.clone();
                    match ty.definition {
                        Definition::Interface(interface) => types.interfaces.push(interface),
                        _ => {
                            return Err(FieldError::new(
                                "withInterface: the definition is of no interface",
                            ));
                        }
                    }
                    Ok(ModuleValue::Building(Box::new(types)))
                })
        })
        .field("withEnum", "Module!", |f| {
            f.doc("Adds an enum.")
                .arg("enum: TypeDefID!", "Its definition.")
                .resolve(|ctx, this, args| {
                    let ty: TypeDefValue = ctx.object(args, "enum")?;
                    let mut types = this.building()?.clone();
                    match ty.definition {
                        Definition::Enum(ty) => types.enums.push(ty),
                        _ => return Err(FieldError::new("withEnum: the definition is of no enum")),
                    }
                    Ok(ModuleValue::Building(Box::new(types)))
                })
        })
        .field("sync", "ModuleID!", |f| {
            f.doc("Makes sure that it is loaded.")
                .resolve(|ctx, this, _| {
                    spec(ctx, this)?;
                    Ok(ctx.backend().keep(&Object::Module(this.clone())))
                })
        })
        .field("serve", "Void", |f| {
            f.doc("Lets the client call it.")
                .arg(
                    "includeDependencies: Boolean",
                    "And the modules that it uses.",
                )
                .arg("entrypoint: Boolean", "Ignored.")
                .resolve(|ctx, this, args| {
                    let module = spec(ctx, this)?.ok_or_else(|| {
                        FieldError::new("a module that is being built cannot be served")
                    })?;
                    let with = args
                        .get::<Option<bool>>("includeDependencies")?
                        .unwrap_or(false);
                    ctx.backend().modules()?.serve(&module, with)?;
                    Ok(())
                })
        });
}

fn module_types(registry: &mut Registry<Api>) {
    let mut module = registry.object::<ModuleValue>("Module");
    module
        .field("objects", "[TypeDef!]!", |f| {
            f.doc("Its objects.").resolve(|ctx, this, _| {
                let types = types(ctx, this)?;
                let shown = types.objects.iter().map(|object| match this {
                    ModuleValue::Building(_) => object.clone(),
                    ModuleValue::Loaded { .. } => published(&types, object),
                });
                Ok(shown
                    .map(|object| defined(Definition::Object(Box::new(object))))
                    .collect::<Vec<_>>())
            })
        })
        .field("interfaces", "[TypeDef!]!", |f| {
            f.doc("Its interfaces.").resolve(|ctx, this, _| {
                let types = types(ctx, this)?;
                let shown = types.interfaces.iter().map(|ty| match this {
                    ModuleValue::Building(_) => ty.clone(),
                    ModuleValue::Loaded { .. } => published_interface(&types, ty),
                });
                Ok(shown
                    .map(|ty| defined(Definition::Interface(ty)))
                    .collect::<Vec<_>>())
            })
        })
        .field("enums", "[TypeDef!]!", |f| {
            f.doc("Its enums.").resolve(|ctx, this, _| {
                let types = types(ctx, this)?;
                let shown = types.enums.iter().map(|ty| match this {
                    ModuleValue::Building(_) => ty.clone(),
                    ModuleValue::Loaded { .. } => published_enum(ty),
                });
                Ok(shown
                    .map(|ty| defined(Definition::Enum(ty)))
                    .collect::<Vec<_>>())
            })
        })
        .field("dependencies", "[Module!]!", |f| {
            f.doc("The modules that it uses.").resolve(|ctx, this, _| {
                let module = spec(ctx, this)?;
                let used = module.iter().flat_map(|module| &module.dependencies);
                Ok(used
                    .map(|used| loaded_value(&used.module))
                    .collect::<Vec<_>>())
            })
        })
        .field("source", "ModuleSource", |f| {
            f.doc("Its source; none while it is being built.")
                .resolve(|ctx, this, _| Ok(spec(ctx, this)?.map(|module| source_of(&module))))
        })
        .field("sdk", "SDKConfig", |f| {
            f.doc("What it is written with.").resolve(|ctx, this, _| {
                let module = spec(ctx, this)?;
                Ok(module
                    .and_then(|module| module.code().sdk.clone())
                    .map(|sdk| SdkConfigValue(sdk.source)))
            })
        })
        .field("introspectionSchemaJSON", "File!", |f| {
            f.doc("The API as its code sees it, as an answer to an introspection query.")
                .resolve_async(|ctx, this, _| async move {
                    let module = spec(&ctx, &this)?;
                    introspection(&ctx, module.as_ref()).await
                })
        });
}

async fn introspection(ctx: &Ctx, module: Option<&Arc<ModuleSpec>>) -> Result<FileRef, FieldError> {
    let contents = ctx.backend().modules()?.introspection(module).await?;
    let op = Op::NewFile {
        name: "schema.json".into(),
        contents,
        permissions: 0o644,
    };
    Ok(FileRef(Vertex::new(op, vec![])))
}

fn defined(definition: Definition) -> TypeDefValue {
    TypeDefValue {
        optional: false,
        definition,
    }
}

fn small(registry: &mut Registry<Api>) {
    let mut sdk = registry.object::<SdkConfigValue>("SDKConfig");
    sdk.doc("What a module is written with.")
        .field("source", "String!", |f| {
            f.doc("Name or reference of the SDK.")
                .resolve(|_, this, _| Ok(this.0.clone()))
        })
        .field("debug", "Boolean!", |f| {
            f.doc("Whether the SDK stops to be looked at.")
                .resolve(|_, _, _| Ok(false))
        });
    let mut code = registry.object::<GeneratedCodeValue>("GeneratedCode");
    code.doc("What an SDK generated for a module.")
        .field("code", "Directory!", |f| {
            f.doc("The module's source with it.")
                .resolve(|_, this, _| Ok(this.code.clone()))
        })
        .field("vcsGeneratedPaths", "[String!]!", |f| {
            f.doc("Paths that are generated.")
                .resolve(|_, this, _| Ok(this.generated.clone()))
        })
        .field("vcsIgnoredPaths", "[String!]!", |f| {
            f.doc("Paths that are not to be committed.")
                .resolve(|_, this, _| Ok(this.ignored.clone()))
        })
        .field("withVCSGeneratedPaths", "GeneratedCode!", |f| {
            f.doc("Says which paths are generated.")
                .arg("paths: [String!]!", "The paths.")
                .resolve(|_, this, args| {
                    Ok(GeneratedCodeValue {
                        generated: args.get("paths")?,
                        ..this.clone()
                    })
                })
        })
        .field("withVCSIgnoredPaths", "GeneratedCode!", |f| {
            f.doc("Says which paths are not to be committed.")
                .arg("paths: [String!]!", "The paths.")
                .resolve(|_, this, args| {
                    Ok(GeneratedCodeValue {
                        ignored: args.get("paths")?,
                        ..this.clone()
                    })
                })
        });
}

/// The types that an SDK registered, from the id of the module that it built.
pub(super) fn registered(api: &Api, id: &str, name: &str) -> Result<ModuleTypes, FieldError> {
    let Some(Object::Module(ModuleValue::Building(types))) = api.find(id) else {
        return Err(FieldError::new("the module's code registered no types"));
    };
    let mut types = *types;
    // Constructors have no name of their own, whatever the SDK calls them.
    for object in &mut types.objects {
        if let Some(constructor) = &mut object.constructor {
            constructor.name.clear();
        }
    }
    mark_own(&mut types);
    types
        .finish(name)
        .map_err(|error| FieldError::new(error.to_string()))
}

/// SDKs may name types in another spelling than they declare them.
fn mark_own(types: &mut ModuleTypes) {
    let own: Vec<String> = types
        .objects
        .iter()
        .map(|object| object.name.clone())
        .collect();
    let known = |name: &str| {
        own.iter()
            .find(|own| names::pascal(own) == names::pascal(name))
            .cloned()
    };
    types.classify_foreign(|name| known(name).map(|name| crate::module::TypeKind::Object { name }));
}
