//! `ModuleSource`: where a module is, before and after it is loaded.

use super::{FoundModule, introspection, loaded_value, source_of};
use crate::{
    module::{ModuleConfig, Sdk, config},
    schema::{
        Ctx,
        api::Api,
        gql::{FieldError, Registry},
        modules::{ModuleOrigin, ModuleSpec, host_directory},
        object::{DirectoryRef, ModuleSourceValue, Object, SdkConfigValue},
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
                .resolve_async(|ctx, this, _| async move {
                    let module = load(&ctx, &this).await?;
                    Ok(module
                        .dependencies
                        .iter()
                        .map(|used| source_of(&used.module))
                        .collect::<Vec<_>>())
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
            f.doc("The context with what is generated for the module.")
                .resolve(|_, this, _| {
                    Ok(DirectoryRef(host_directory(
                        &this.context,
                        vec![".git".into()],
                    )))
                })
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
        })
        .field("withoutDependencies", "ModuleSource!", |f| {
            f.doc("Removes modules that it uses.")
                .arg("dependencies: [String!]!", "Names or references.")
                .resolve(|_, this, args| {
                    let names: Vec<String> = args.get("dependencies")?;
                    let mut made = this.clone();
                    made.config
                        .dependencies
                        .retain(|known| !names.iter().any(|name| known.is_called(name)));
                    Ok(made)
                })
        });
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
        config: None,
    };
    Ok(ctx.backend().modules()?.load(found).await?)
}
