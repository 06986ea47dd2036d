//! `ModuleSource`: where a module is, before and after it is loaded.

use super::{FoundModule, introspection, loaded_value};
use crate::{
    module::{ConfigError, Dependency, ModuleConfig, ModuleReference, Role, Sdk, config},
    schema::{
        Ctx,
        api::Api,
        gql::{FieldError, ObjectBuilder, Registry},
        modules::{ModuleOrigin, ModuleSpec, host_directory},
        object::{ChangesetRef, DirectoryRef, ModuleSourceValue, Object, SdkConfigValue},
        runtime::with_file,
    },
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

pub(super) fn module_source(registry: &mut Registry<Api>) {
    let mut source = registry.object::<ModuleSourceValue>("ModuleSource");
    source
        .doc("The source of a module.")
        .field("asModule", "Module!", |f| {
            f.doc("The module, loaded.")
                .resolve_async(|ctx, this, _| async move {
                    load(&ctx, &this).await.map(|module| loaded_value(&module))
                })
        })
        .field("sync", "ModuleSourceID!", |f| {
            f.doc("Makes sure that it can be read.")
                .resolve(|ctx, this, _| Ok(ctx.backend().keep(&Object::ModuleSource(this.clone()))))
        })
        .field("moduleName", "String!", |f| {
            f.doc("The module's name.")
                .resolve(|_, this, _| Ok(this.config.name.clone()))
        })
        .field("moduleOriginalName", "String!", |f| {
            f.doc("The name in its configuration.")
                .resolve(|_, this, _| Ok(this.config.name.clone()))
        })
        .field("engineVersion", "String!", |f| {
            f.doc("Version of the API that it is written for.")
                .resolve(|_, this, _| Ok(this.config.engine_version.clone().unwrap_or_default()))
        })
        .field("configExists", "Boolean!", |f| {
            f.doc("Whether there is a configuration.")
                .resolve(|_, this, _| Ok(this.exists))
        })
        .field("kind", "ModuleSourceKind!", |f| {
            f.doc("Where it is.").resolve(|_, this, _| {
                Ok(if this.origin.is_some() {
                    "GIT_SOURCE"
                } else {
                    "LOCAL_SOURCE"
                })
            })
        })
        .field("sdk", "SDKConfig", |f| {
            f.doc("What the module is written with.")
                .resolve(|_, this, _| {
                    Ok(this
                        .config
                        .sdk
                        .as_ref()
                        .map(|sdk| SdkConfigValue(sdk.source.clone())))
                })
        })
        .field("dependencies", "[ModuleSource!]!", |f| {
            f.doc("The sources of modules that it uses.")
                .resolve_async(
                    |ctx, this, _| async move { used(&ctx, &this, Role::Dependency).await },
                )
        })
        .field("toolchains", "[ModuleSource!]!", |f| {
            f.doc("The sources of modules that it offers beside its own functions.")
                .resolve_async(
                    |ctx, this, _| async move { used(&ctx, &this, Role::Toolchain).await },
                )
        })
        .field("blueprint", "ModuleSource!", |f| {
            f.doc("The source of the module that it takes its functions from.")
                .resolve_async(|ctx, this, _| async move {
                    let found = used(&ctx, &this, Role::Blueprint).await?.pop();
                    found.ok_or_else(|| {
                        let name = &this.config.name;
                        FieldError::new(format!("module `{name}` has no blueprint"))
                    })
                })
        })
        .field("digest", "String!", |f| {
            f.doc("What tells its contents from others.")
                .resolve_async(|ctx, this, _| async move {
                    let vertex = host_directory(&this.directory, vec![".git".into()]);
                    Ok(ctx
                        .backend()
                        .engine()
                        .definition_key(&vertex)
                        .await?
                        .to_string())
                })
        })
        .field("introspectionSchemaJSON", "File!", |f| {
            f.doc("The API as the module's code sees it, as an answer to an introspection query.")
                .resolve_async(|ctx, this, _| async move {
                    let module = load(&ctx, &this).await?;
                    introspection(&ctx, Some(&module)).await
                })
        });
}

pub(super) fn source_places(registry: &mut Registry<Api>) {
    let mut source = registry.object::<ModuleSourceValue>("ModuleSource");
    let origin = |this: &ModuleSourceValue, of: fn(&ModuleOrigin) -> String| {
        this.origin.as_ref().map(of).unwrap_or_default()
    };
    source
        .field("asString", "String!", |f| {
            f.doc("Its reference.")
                .resolve(|_, this, _| Ok(this.reference.clone()))
        })
        .field("contextDirectory", "Directory!", |f| {
            f.doc("The directory that the module may read from.")
                .resolve(|_, this, _| {
                    Ok(DirectoryRef(host_directory(
                        &this.context,
                        vec![".git".into()],
                    )))
                })
        })
        .field("directory", "Directory!", |f| {
            f.doc("A directory of the module's source.")
                .arg("path: String!", "Path, relative to the source.")
                .resolve(|_, this, args| {
                    let path: String = args.get("path")?;
                    let base = this.directory.join(&this.config.source);
                    let full = base.join(path.trim_start_matches('/'));
                    if path.split('/').any(|part| part == "..") {
                        return Err(FieldError::new(format!(
                            "{path} leads out of the module's source"
                        )));
                    }
                    Ok(DirectoryRef(host_directory(&full, vec![".git".into()])))
                })
        })
        .field("generatedContextDirectory", "Directory!", |f| {
            f.doc("The context with what is generated for the module: its configuration, if that was changed here.")
                .resolve(|_, this, _| Ok(generated(this)?.after))
        })
        .field("generatedContextChangeset", "Changeset!", |f| {
            f.doc("What is generated for the module, as a change of its context.")
                .resolve(|_, this, _| generated(this))
        })
        .field("localContextDirectoryPath", "String!", |f| {
            f.doc("Path of the context on the host.")
                .resolve(|_, this, _| Ok(this.context.display().to_string()))
        })
        .field("sourceRootSubpath", "String!", |f| {
            f.doc("Path of the configuration's directory in the context.")
                .resolve(|_, this, _| Ok(relative(&this.context, &this.directory)))
        })
        .field("originalSubpath", "String!", |f| {
            f.doc("Path of the reference in the context.")
                .resolve(|_, this, _| Ok(relative(&this.context, &this.directory)))
        })
        .field("sourceSubpath", "String!", |f| {
            f.doc("Path of the code in the context.")
                .resolve(|_, this, _| {
                    let source: PathBuf = this
                        .directory
                        .join(&this.config.source)
                        .components()
                        .collect();
                    Ok(relative(&this.context, &source))
                })
        })
        .field("repoRootPath", "String!", |f| {
            f.doc("Root of the repository, without scheme.")
                .resolve(move |_, this, _| {
                    Ok(origin(this, |origin| {
                        let end = origin.address.len().saturating_sub(origin.subpath.len());
                        origin.address[..end].trim_end_matches('/').to_owned()
                    }))
                })
        })
        .field("cloneRef", "String!", |f| {
            f.doc("What is cloned.")
                .resolve(move |_, this, _| Ok(origin(this, |origin| origin.url.clone())))
        })
        .field("commit", "String!", |f| {
            f.doc("The commit.")
                .resolve(move |_, this, _| Ok(origin(this, |origin| origin.commit.clone())))
        })
        .field("pin", "String!", |f| {
            f.doc("The commit that it is pinned to.")
                .resolve(move |_, this, _| Ok(origin(this, |origin| origin.commit.clone())))
        })
        .field("version", "String!", |f| {
            f.doc("The branch, tag or commit that was asked for.")
                .resolve(move |_, this, _| {
                    Ok(origin(this, |origin| {
                        origin.version.clone().unwrap_or_default()
                    }))
                })
        })
        .field("htmlRepoURL", "String!", |f| {
            f.doc("Where the repository can be seen.")
                .resolve(move |_, this, _| {
                    Ok(origin(this, |origin| {
                        origin.url.trim_end_matches(".git").to_owned()
                    }))
                })
        })
        .field("htmlURL", "String!", |f| {
            f.doc("Where the source can be seen.")
                .resolve(move |_, this, _| {
                    Ok(origin(this, |origin| {
                        let repository = origin.url.trim_end_matches(".git");
                        format!("{repository}/tree/{}/{}", origin.commit, origin.subpath)
                    }))
                })
        });
}

pub(super) fn source_builders(registry: &mut Registry<Api>) {
    let mut source = registry.object::<ModuleSourceValue>("ModuleSource");
    source
        .field("withName", "ModuleSource!", |f| {
            f.doc("Gives the module another name.")
                .arg("name: String!", "The name.")
                .resolve(|_, this, args| {
                    let mut made = this.clone();
                    made.config.name = args.get("name")?;
                    Ok(made)
                })
        })
        .field("withSDK", "ModuleSource!", |f| {
            f.doc("Says what the module is written with.")
                .arg("source: String!", "Name or reference of the SDK.")
                .resolve(|_, this, args| {
                    let mut made = this.clone();
                    made.config.sdk = Some(Sdk {
                        source: args.get("source")?,
                        ..Sdk::default()
                    });
                    Ok(made)
                })
        })
        .field("withEngineVersion", "ModuleSource!", |f| {
            f.doc("Says which version of the API the module is written for.")
                .arg("version: String!", "The version.")
                .resolve(|_, this, args| {
                    let mut made = this.clone();
                    made.config.engine_version = args.get("version")?;
                    Ok(made)
                })
        })
        .field("withSourceSubpath", "ModuleSource!", |f| {
            f.doc("Says where the code is.")
                .arg("path: String!", "Path, relative to the configuration.")
                .resolve(|_, this, args| {
                    let mut made = this.clone();
                    made.config.source = args.get("path")?;
                    Ok(made)
                })
        })
        .field("withIncludes", "ModuleSource!", |f| {
            f.doc("Adds patterns of what is loaded with the source.")
                .arg("patterns: [String!]!", "The patterns.")
                .resolve(|_, this, args| {
                    let mut made = this.clone();
                    made.config
                        .include
                        .extend(args.get::<Vec<String>>("patterns")?);
                    Ok(made)
                })
        });
    dependencies(&mut source);
    toolchains(&mut source);
    blueprint(&mut source);
    features(registry);
}

type Builder<'r> = ObjectBuilder<'r, Api, ModuleSourceValue>;

fn dependencies(source: &mut Builder<'_>) {
    const ROLE: Role = Role::Dependency;
    source
        .field("withDependencies", "ModuleSource!", |f| {
            f.doc("Adds modules that it uses.")
                .arg("dependencies: [ModuleSourceID!]!", "Their sources.")
                .resolve(|ctx, this, args| {
                    with_used(this, ROLE, &ctx.objects(args, "dependencies")?)
                })
        })
        .field("withUpdateDependencies", "ModuleSource!", |f| {
            f.doc("Pins modules from git that it uses to where they are now.")
                .arg(
                    "dependencies: [String!]!",
                    "Names or references; all if there are none.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let names: Vec<String> = args.get("dependencies")?;
                    updated(&ctx, this, ROLE, &names).await
                })
        })
        .field("withoutDependencies", "ModuleSource!", |f| {
            f.doc("Removes modules that it uses.")
                .arg("dependencies: [String!]!", "Names or references.")
                .resolve(|_, this, args| {
                    let names: Vec<String> = args.get("dependencies")?;
                    let mut made = this.clone();
                    made.config.remove_used(ROLE, &names);
                    Ok(made)
                })
        });
}

fn toolchains(source: &mut Builder<'_>) {
    const ROLE: Role = Role::Toolchain;
    source
        .field("withToolchains", "ModuleSource!", |f| {
            f.doc("Adds modules that are offered beside its own functions.")
                .arg("toolchains: [ModuleSourceID!]!", "Their sources.")
                .resolve(|ctx, this, args| with_used(this, ROLE, &ctx.objects(args, "toolchains")?))
        })
        .field("withUpdateToolchains", "ModuleSource!", |f| {
            f.doc("Pins toolchains from git to where they are now.")
                .arg(
                    "toolchains: [String!]!",
                    "Names or references; all if there are none.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let names: Vec<String> = args.get("toolchains")?;
                    updated(&ctx, this, ROLE, &names).await
                })
        })
        .field("withoutToolchains", "ModuleSource!", |f| {
            f.doc("Removes toolchains.")
                .arg("toolchains: [String!]!", "Names or references.")
                .resolve(|_, this, args| {
                    let names: Vec<String> = args.get("toolchains")?;
                    let mut made = this.clone();
                    made.config.remove_used(ROLE, &names);
                    Ok(made)
                })
        });
}

fn blueprint(source: &mut Builder<'_>) {
    const ROLE: Role = Role::Blueprint;
    source
        .field("withBlueprint", "ModuleSource!", |f| {
            f.doc("Takes the functions from another module.")
                .arg("blueprint: ModuleSourceID!", "Its source.")
                .resolve(|ctx, this, args| {
                    if this.config.sdk.is_some() || !this.config.dependencies.is_empty() {
                        return Err(FieldError::new(format!(
                            "module `{}` has code of its own and cannot have a blueprint",
                            this.config.name
                        )));
                    }
                    with_used(this, ROLE, &[ctx.object(args, "blueprint")?])
                })
        })
        .field("withUpdateBlueprint", "ModuleSource!", |f| {
            f.doc("Pins a blueprint from git to where it is now; without one nothing happens.")
                .resolve_async(|ctx, this, _| async move { updated(&ctx, this, ROLE, &[]).await })
        })
        .field("withoutBlueprint", "ModuleSource!", |f| {
            f.doc("Takes the functions from no other module.")
                .resolve(|_, this, _| {
                    let mut made = this.clone();
                    made.config.blueprint = None;
                    Ok(made)
                })
        });
}

fn features(registry: &mut Registry<Api>) {
    registry
        .enumeration("ModuleSourceExperimentalFeature")
        .doc("What a module's SDK may be asked to try.")
        .value(
            "SELF_CALLS",
            "The module's code calls its own functions through the API; here it always may.",
        );
    const FEATURES: &str = "features: [ModuleSourceExperimentalFeature!]!";
    let mut source = registry.object::<ModuleSourceValue>("ModuleSource");
    source
        .field("withExperimentalFeatures", "ModuleSource!", |f| {
            f.doc("Switches features of the module's SDK on.")
                .arg(FEATURES, "The features.")
                .resolve(|_, this, args| {
                    switched(this, &args.get::<Vec<String>>("features")?, true)
                })
        })
        .field("withoutExperimentalFeatures", "ModuleSource!", |f| {
            f.doc("Switches features of the module's SDK off.")
                .arg(FEATURES, "The features; all if there are none.")
                .resolve(|_, this, args| {
                    switched(this, &args.get::<Vec<String>>("features")?, false)
                })
        });
}

fn switched(
    source: &ModuleSourceValue,
    features: &[String],
    on: bool,
) -> Result<ModuleSourceValue, FieldError> {
    let mut made = source.clone();
    let Some(sdk) = &mut made.config.sdk else {
        return Err(FieldError::new(format!(
            "module `{}` has no SDK",
            source.config.name
        )));
    };
    if features.is_empty() && !on {
        sdk.experimental.clear();
    }
    for feature in features {
        sdk.experimental.insert(feature.clone(), on.into());
    }
    Ok(made)
}

/// The source with these modules added in a role.
fn with_used(
    source: &ModuleSourceValue,
    role: Role,
    added: &[ModuleSourceValue],
) -> Result<ModuleSourceValue, FieldError> {
    let mut made = source.clone();
    for used in added {
        let (reference, pin) = match &used.origin {
            None if source.origin.is_some() => {
                return Err(FieldError::new(format!(
                    "module `{}` is from git and cannot use {}, which is on this host",
                    source.config.name, used.reference
                )));
            }
            None => (config::relative(&source.directory, &used.directory), None),
            Some(origin) => {
                let version = origin.version.as_ref();
                let version = version.filter(|version| **version != origin.commit);
                let reference = version.map_or_else(
                    || origin.address.clone(),
                    |version| format!("{}@{version}", origin.address),
                );
                (reference, Some(origin.commit.clone()))
            }
        };
        let name = used.config.name.clone();
        let dependency = Dependency {
            name: Some(name).filter(|name| !name.is_empty()),
            source: reference,
            pin,
            ..Dependency::default()
        };
        made.config.add_used(role, dependency);
    }
    Ok(made)
}

/// The source with pins of modules in a role moved to where their versions are now.
async fn updated(
    ctx: &Ctx,
    mut source: ModuleSourceValue,
    role: Role,
    names: &[String],
) -> Result<ModuleSourceValue, FieldError> {
    let known = source.config.used(role).to_vec();
    if let Some(name) = names
        .iter()
        .find(|name| !known.iter().any(|known| known.is_called(name)))
    {
        return Err(FieldError::new(format!(
            "module `{}` has no {} `{name}`",
            source.config.name,
            role.noun()
        )));
    }
    for used in known {
        if !names.is_empty() && !names.iter().any(|name| used.is_called(name)) {
            continue;
        }
        let ModuleReference::Git(git) = reference(&source, &used)? else {
            continue;
        };
        let modules = ctx.backend().modules()?;
        let found = modules.find(used.source.clone(), String::new()).await?;
        let pinned = Dependency {
            pin: found.origin.map(|origin| origin.commit),
            source: match git.commit() {
                Some(_) => git.address,
                None => used.source.clone(),
            },
            ..used
        };
        source.config.add_used(role, pinned);
    }
    Ok(source)
}

fn reference(source: &ModuleSourceValue, used: &Dependency) -> Result<ModuleReference, FieldError> {
    let is_directory = source.directory.join(&used.source).is_dir();
    ModuleReference::parse(&used.source, is_directory)
        .map_err(|error| FieldError::new(error.to_string()))
}

/// The sources of the modules that a configuration names in a role.
async fn used(
    ctx: &Ctx,
    this: &ModuleSourceValue,
    role: Role,
) -> Result<Vec<ModuleSourceValue>, FieldError> {
    let mut found = Vec::new();
    for used in this.config.used(role) {
        let place = match reference(this, used)? {
            ModuleReference::Git(_) => {
                let pin = used.pin.clone().unwrap_or_default();
                let modules = ctx.backend().modules()?;
                modules.find(used.source.clone(), pin).await?
            }
            ModuleReference::Local(path) => {
                let directory = config::clean(&this.directory.join(path));
                let origin = this.origin.as_ref().map(|origin| ModuleOrigin {
                    subpath: config::relative(&this.context, &directory),
                    ..origin.clone()
                });
                FoundModule {
                    context: Some(this.context.clone()).filter(|_| origin.is_some()),
                    directory,
                    origin,
                    config: None,
                }
            }
        };
        found.push(source(&used.source, place, &true)?);
    }
    Ok(found)
}

/// The context of a module as it is, and with its configuration as it was changed here.
fn generated(source: &ModuleSourceValue) -> Result<ChangesetRef, FieldError> {
    let before = host_directory(&source.context, vec![".git".into()]);
    let file = config::in_directory(&source.directory)
        .unwrap_or_else(|| source.directory.join("dagger.json"));
    let wrong = |error: ConfigError| FieldError::new(error.to_string());
    let text = match changed(source)? {
        None => None,
        Some(text) => Some(source.config.rewritten(&file, &text).map_err(wrong)?),
    };
    let after = match text {
        None => Arc::clone(&before),
        Some(text) => {
            let path = relative(&source.context, &file);
            with_file(Arc::clone(&before), &path, &text)
        }
    };
    Ok(ChangesetRef {
        before: DirectoryRef(before),
        after: DirectoryRef(after),
    })
}

/// The text of the configuration's file, if that says something else than the source does.
fn changed(source: &ModuleSourceValue) -> Result<Option<String>, FieldError> {
    let wrong = |error: ConfigError| FieldError::new(error.to_string());
    let Some(file) = config::in_directory(&source.directory) else {
        let is_default = *source.config == ModuleConfig::default();
        return Ok(Some("{}".to_owned()).filter(|_| !is_default));
    };
    let text = std::fs::read_to_string(&file)
        .map_err(|error| FieldError::new(format!("cannot read {}: {error}", file.display())))?;
    let written = ModuleConfig::parse(&file, &text).map_err(wrong)?;
    Ok(Some(text).filter(|_| written != *source.config))
}

pub(super) fn source(
    reference: &str,
    found: FoundModule,
    stay: &bool,
) -> Result<ModuleSourceValue, FieldError> {
    let file = match found.origin.is_some() || *stay {
        true => config::in_directory(&found.directory),
        false => config::find_up(&found.directory),
    };
    let config = match &file {
        None => ModuleConfig::default(),
        Some(file) => {
            ModuleConfig::load(file).map_err(|error| FieldError::new(error.to_string()))?
        }
    };
    let directory = file
        .as_deref()
        .and_then(Path::parent)
        .map_or_else(|| found.directory.clone(), Path::to_owned);
    let repository = directory
        .ancestors()
        .find(|directory| directory.join(".git").exists());
    Ok(ModuleSourceValue {
        reference: reference.to_owned(),
        context: found
            .context
            .unwrap_or_else(|| repository.unwrap_or(&directory).to_owned()),
        directory,
        origin: found.origin,
        config: Box::new(config),
        exists: file.is_some(),
    })
}

fn relative(base: &Path, path: &Path) -> String {
    match path.strip_prefix(base) {
        Ok(inside) if inside.as_os_str().is_empty() => ".".to_owned(),
        Ok(inside) => inside.to_string_lossy().into_owned(),
        Err(_) => path.to_string_lossy().into_owned(),
    }
}

async fn load(ctx: &Ctx, source: &ModuleSourceValue) -> Result<Arc<ModuleSpec>, FieldError> {
    let found = FoundModule {
        directory: source.directory.clone(),
        origin: source.origin.clone(),
        context: Some(source.context.clone()).filter(|_| source.origin.is_some()),
        config: changed(source)?.map(|_| source.config.clone()),
    };
    Ok(ctx.backend().modules()?.load(found).await?)
}
