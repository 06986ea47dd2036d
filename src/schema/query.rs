//! `Query`: where every chain begins.

use super::{
    api::Api,
    gql::{FieldError, Registry, View},
    object::{ContainerRef, DirectoryRef, ErrorValue, FileRef, HostRef, Root},
    shared::pipeline,
};
use crate::graph::{Op, SecretRef, Vertex};
use std::sync::Arc;

/// Version of the API, as `version` says it.
pub(super) const API_VERSION: &str = "v0.21.7";

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut query = registry.query::<Root>();
    query
        .doc("The root of the API.")
        .field("container", "Container!", |f| {
            f.doc("An empty container, to be filled with `from`, `withRootfs` or `import`.")
                .arg("platform: Platform", "Platform of its image and commands; the host's by default.")
                .older_arg("id: ContainerID", "Loads this container instead (older clients).")
                .resolve(|ctx, _, args| {
                    if let Some(known) = ctx.optional_object::<ContainerRef>(args, "id")? {
                        return Ok(known);
                    }
                    let platform: Option<String> = args.get("platform")?;
                    Ok(ContainerRef(scratch(platform.as_deref())?))
                })
        })
        .field("directory", "Directory!", |f| {
            f.doc("An empty directory.")
                .older_arg("id: DirectoryID", "Loads this directory instead (older clients).")
                .resolve(|ctx, _, args| {
                    if let Some(known) = ctx.optional_object::<DirectoryRef>(args, "id")? {
                        return Ok(known);
                    }
                    Ok(DirectoryRef(Vertex::new(Op::EmptyDirectory, vec![])))
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file with the given contents.")
                .newer_arg("name: String", "Name of the file.")
                .newer_arg("contents: String", "Its contents.")
                .arg("permissions: Int = 420", "Permission bits, such as 420 for 0644.")
                .older_arg("id: FileID", "Loads this file instead (older clients).")
                .resolve(|ctx, _, args| {
                    if let Some(known) = ctx.optional_object::<FileRef>(args, "id")? {
                        return Ok(known);
                    }
                    let op = Op::NewFile {
                        name: required(args.get("name")?, "name")?,
                        contents: required(args.get("contents")?, "contents")?,
                        permissions: args.get::<Option<u32>>("permissions")?.unwrap_or(0o644),
                    };
                    Ok(FileRef(Vertex::new(op, vec![])))
                })
        })
        .field("host", "Host!", |f| {
            f.doc("The host that the client runs on.").resolve(|_, _, _| Ok(HostRef))
        })
        .field("setSecret", "Secret!", |f| {
            f.doc("Gives a secret a name. The name counts for caching, the value does not.")
                .arg("name: String!", "The name.")
                .arg("plaintext: String!", "The value, at most 128,000 bytes.")
                .resolve(|ctx, _, args| {
                    let (name, text): (String, String) = (args.get("name")?, args.get("plaintext")?);
                    ctx.backend().set_secret(ctx.client(), &name, &text)
                })
        })
        .field("secret", "Secret!", |f| {
            f.doc("A secret that the client fetches when a command needs it.")
                .newer_arg("uri: String", "Where it is: `env://NAME`, `file://path` or `cmd://command`.")
                .arg("cacheKey: String", "Stands for the value in cache keys.")
                .older_arg("id: SecretID", "Loads this secret instead (older clients).")
                .older_arg("name: String", "A secret set by name (older clients).")
                .older_arg("accessor: String", "Ignored (older clients).")
                .resolve(|ctx, _, args| {
                    if let Some(known) = ctx.optional_object::<SecretRef>(args, "id")? {
                        return Ok(known);
                    }
                    if let Some(name) = args.get::<Option<String>>("name")? {
                        return Ok(SecretRef::Named { scope: ctx.client().scope.clone(), name });
                    }
                    let uri: String = required(args.get("uri")?, "uri")?;
                    match ctx.client().kind {
                        super::CallerKind::Main => {
                            Ok(SecretRef::Uri { uri, cache_key: args.get("cacheKey")? })
                        }
                        _ => Err(FieldError::new(
                            "functions cannot read secrets of the host; take a Secret as an argument",
                        )),
                    }
                })
        })
        .field("defaultPlatform", "Platform!", |f| {
            f.doc("The platform of containers that ask for none.").resolve(|_, _, _| Ok(host_platform()))
        })
        .field("version", "String!", |f| {
            f.doc("The version of the API.").resolve(|_, _, _| Ok(API_VERSION))
        })
        .field("checkVersionCompatibility", "Boolean!", |f| {
            f.doc("Whether a client of this version is served; it always is.")
                .arg("version: String!", "The client's version.")
                .deprecated("Clients of any version are served.")
                .resolve(|ctx, _, args| {
                    let version: String = args.get("version")?;
                    match version.parse::<View>() {
                        Ok(view) => ctx.client().learn_view(view),
                        Err(_) if version.is_empty() || version == "n/a" => {}
                        Err(error) => return Err(FieldError::new(error.to_string())),
                    }
                    Ok(true)
                })
        })
        .field("error", "Error!", |f| {
            f.doc("An error for a function to return.")
                .arg("message: String!", "What went wrong.")
                .resolve(|_, _, args| {
                    Ok(ErrorValue { message: args.get("message")?, values: Vec::new() })
                })
        });
    pipeline::<Root>(registry, "Query");
    let mut label = registry.input("PipelineLabel");
    label.doc("A label of a pipeline (older clients).");
    label
        .field("name: String!", "Name.")
        .field("value: String!", "Value.");
}

/// The empty container of a platform, by default this machine's.
pub(super) fn scratch(platform: Option<&str>) -> Result<Arc<Vertex>, FieldError> {
    let platform = match platform {
        Some(text) => text
            .parse::<crate::source::Platform>()
            .map_err(|error| FieldError::new(error.to_string()))?
            .to_string(),
        None => host_platform(),
    };
    Ok(Vertex::new(Op::Scratch { platform }, vec![]))
}

/// The platform of this machine.
pub(super) fn host_platform() -> String {
    crate::source::Platform::host().to_string()
}

/// The value of an argument that only looks optional, because older clients use the field otherwise.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Result<T, FieldError> {
    value.ok_or_else(|| FieldError::new(format!("argument `{name}` is not given")))
}
