//! `Host`: the machine of the main client.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldError, Registry},
    object::{ContainerRef, DirectoryRef, FileRef, HostRef},
    query::scratch,
    shared::{CommonArgs, Made},
};
use crate::graph::{Op, SecretRef, SocketRef, Vertex};
use std::sync::Arc;

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut host = registry.object::<HostRef>("Host");
    host.doc("The host that the client runs on. Functions and nested commands have none.")
        .field("directory", "Directory!", |f| {
            f.doc("A directory of the host, as it is now.")
                .arg(
                    "path: String!",
                    "Path; relative to the client's working directory.",
                )
                .patterns()
                .no_cache()
                .resolve_async(|ctx, _, args| async move {
                    host_directory(&ctx, &args.get::<String>("path")?, &args).await
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file of the host, as it is now.")
                .arg(
                    "path: String!",
                    "Path; relative to the client's working directory.",
                )
                .no_cache()
                .resolve_async(|ctx, _, args| async move {
                    host_file(&ctx, &args.get::<String>("path")?, &args).await
                })
        })
        .field("findUp", "String", |f| {
            f.doc("The nearest file or directory of a name in the client's working directory or above it, \
                   relative to the working directory; null if there is none.")
                .arg("name: String!", "The name.")
                .no_cache()
                .resolve(|ctx, _, args| {
                    let api = ctx.backend();
                    let workdir = api.host_path(ctx.client(), ".")?;
                    let name: String = args.get("name")?;
                    Ok(api.engine().find_up_on_host(&workdir, &name))
                })
        })
        .field("containerImage", "Container!", |f| {
            f.doc("An image of the client's host: one that nsci imported or pulled, or one of its container tools.")
                .arg("name: String!", "Its name there.")
                .resolve_async(|ctx, _, args| async move {
                    let api = ctx.backend();
                    api.host_path(ctx.client(), ".")?;
                    let name: String = args.get("name")?;
                    let base = ContainerRef::made(scratch(None)?);
                    let container = api.engine().container(base.vertex()).await?;
                    let world = api.engine().world();
                    let address = world.host_image(&name, &container.platform).await?;
                    Ok(base.then(Op::From { address }, None))
                })
        })
        .field("unixSocket", "Socket!", |f| {
            f.doc("A Unix socket of the host.")
                .arg("path: String!", "Path.")
                .resolve(|ctx, _, args| {
                    let path: String = args.get("path")?;
                    let path = ctx.backend().host_path(ctx.client(), &path)?;
                    Ok(SocketRef {
                        path: path.to_string_lossy().into_owned(),
                    })
                })
        })
        .field("setSecretFile", "Secret!", |f| {
            f.doc("A secret from a file of the host (older clients).")
                .arg("name: String!", "Name.")
                .arg("path: String!", "Path.")
                .deprecated("Use `secret(uri: \"file://…\")`.")
                .resolve(|ctx, _, args| {
                    let path: String = args.get("path")?;
                    let path = ctx.backend().host_path(ctx.client(), &path)?;
                    Ok(SecretRef::Uri {
                        uri: format!("file://{}", path.display()),
                        cache_key: None,
                    })
                })
        });
}

/// A directory of the host, by path and the arguments of [`CommonArgs::patterns`] and
/// [`CommonArgs::no_cache`].
pub(super) async fn host_directory(
    ctx: &Ctx,
    path: &str,
    args: &Args,
) -> Result<DirectoryRef, FieldError> {
    let op = Op::HostDirectory {
        path: host_path(ctx, path)?,
        include: args.get_or_default("include")?,
        exclude: args.get_or_default("exclude")?,
        gitignore: args.flag("gitignore"),
        state: None,
    };
    Ok(DirectoryRef(as_wanted(ctx, op, args).await?))
}

/// A file of the host, by path and the argument of [`CommonArgs::no_cache`].
pub(super) async fn host_file(ctx: &Ctx, path: &str, args: &Args) -> Result<FileRef, FieldError> {
    let path = host_path(ctx, path)?;
    let op = Op::HostFile { path, state: None };
    Ok(FileRef(as_wanted(ctx, op, args).await?))
}

fn host_path(ctx: &Ctx, path: &str) -> Result<String, FieldError> {
    let path = ctx.backend().host_path(ctx.client(), path)?;
    Ok(path.to_string_lossy().into_owned())
}

/// What the session saw first, or what is there now.
async fn as_wanted(ctx: &Ctx, op: Op, args: &Args) -> Result<Arc<Vertex>, FieldError> {
    let op = match args.flag("noCache") {
        true => ctx.backend().engine().world().read_again(op).await?,
        false => op,
    };
    Ok(Vertex::new(op, vec![]))
}
