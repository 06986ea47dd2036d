//! Dockerfiles: `Directory.dockerBuild`, and `Container.build` of older clients.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldError, Registry},
    object::{ContainerRef, DirectoryRef},
    query::host_platform,
    shared::{Field, Made},
};
use crate::graph::{DockerBuild, Op, SecretRef, SocketRef, Vertex};
use serde::Deserialize;
use std::sync::Arc;

/// A value for an `ARG`.
#[derive(Deserialize)]
struct BuildArg {
    name: String,
    value: String,
}

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut arg = registry.input("BuildArg");
    arg.doc("A value for an `ARG` of a Dockerfile.");
    arg.field("name: String!", "Name.")
        .field("value: String!", "Value.");
    registry
        .object::<DirectoryRef>("Directory")
        .field("dockerBuild", "Container!", |f| {
            shared(f.doc("Builds the directory's Dockerfile."))
                .arg(
                    "platform: Platform",
                    "Platform of the result; the host's by default.",
                )
                .arg("ssh: SocketID", "Socket for `RUN --mount=type=ssh`.")
                .resolve(|ctx, this, args| {
                    let platform: Option<String> = args.get("platform")?;
                    let platform = match platform {
                        Some(text) => text
                            .parse::<crate::source::Platform>()
                            .map_err(|error| FieldError::new(error.to_string()))?
                            .to_string(),
                        None => host_platform(),
                    };
                    let ssh = ctx.optional_object::<SocketRef>(args, "ssh")?;
                    build(ctx, args, &this.0, platform, ssh)
                })
        });
    registry
        .object::<ContainerRef>("Container")
        .field("build", "Container!", |f| {
            shared(f.doc("Builds a Dockerfile in place of this container."))
                .arg("context: DirectoryID!", "The build context.")
                .deprecated("Use `Directory.dockerBuild`.")
                .resolve(|ctx, this, args| {
                    let context: DirectoryRef = ctx.object(args, "context")?;
                    let platform = platform_of(&this.0).unwrap_or_else(host_platform);
                    build(ctx, args, &context.0, platform, None)
                })
        });
}

/// Arguments of both ways to build.
fn shared<T: super::gql::FromObject<super::Object> + 'static>(field: Field<T>) -> Field<T> {
    field
        .arg(
            "dockerfile: String = \"Dockerfile\"",
            "Path of the Dockerfile in the context.",
        )
        .arg("buildArgs: [BuildArg!] = []", "Values of `ARG`s.")
        .arg(
            "target: String = \"\"",
            "The stage to build; the last by default.",
        )
        .arg(
            "secrets: [SecretID!] = []",
            "Secrets for `RUN --mount=type=secret`; a secret's name is its id there.",
        )
        .arg(
            "noInit: Boolean = false",
            "Whether commands are process 1 themselves.",
        )
}

fn build(
    ctx: &Ctx,
    args: &Args,
    context: &Arc<Vertex>,
    platform: String,
    ssh: Option<SocketRef>,
) -> Result<ContainerRef, FieldError> {
    let values: Vec<BuildArg> = args.get_or_default("buildArgs")?;
    let secrets: Vec<SecretRef> = ctx.objects(args, "secrets")?;
    let build = DockerBuild {
        dockerfile: args.get("dockerfile")?,
        platform,
        args: values
            .into_iter()
            .map(|arg| (arg.name, arg.value))
            .collect(),
        target: args.get("target")?,
        secrets: secrets
            .into_iter()
            .map(|secret| (mount_id(&secret), secret))
            .collect(),
        ssh,
        no_init: args.get_or_default("noInit")?,
    };
    let op = Op::DockerBuild(Box::new(build));
    Ok(ContainerRef::made(Vertex::new(
        op,
        vec![Arc::clone(context)],
    )))
}

/// What a mount calls a secret: its name, or what its address ends with.
fn mount_id(secret: &SecretRef) -> String {
    match secret {
        SecretRef::Named { name, .. } => name.clone(),
        SecretRef::Uri { uri, .. } => {
            let rest = uri.split_once("://").map_or(uri.as_str(), |(_, rest)| rest);
            rest.rsplit('/').next().unwrap_or(rest).to_owned()
        }
    }
}

fn platform_of(container: &Arc<Vertex>) -> Option<String> {
    let mut current = container;
    loop {
        if let Op::Scratch { platform } = current.op() {
            return Some(platform.clone());
        }
        current = current.inputs().first()?;
    }
}
