//! `Host`: the machine of the main client.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldError, Registry},
    object::{DirectoryRef, FileRef, HostRef},
    shared::CommonArgs,
};
use crate::graph::{Op, SecretRef, SocketRef, Vertex};

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
                .resolve(|ctx, _, args| {
                    host_directory(ctx, &args.get::<String>("path")?, args)
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file of the host, as it is now.")
                .arg(
                    "path: String!",
                    "Path; relative to the client's working directory.",
                )
                .no_cache()
                .resolve(|ctx, _, args| {
                    host_file(ctx, &args.get::<String>("path")?, args)
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
pub(super) fn host_directory(
    ctx: &Ctx,
    path: &str,
    args: &Args,
) -> Result<DirectoryRef, FieldError> {
    let op = Op::HostDirectory {
        path: host_path(ctx, path, args)?,
        include: args.get_or_default("include")?,
        exclude: args.get_or_default("exclude")?,
        gitignore: args.flag("gitignore"),
    };
    Ok(DirectoryRef(Vertex::new(op, vec![])))
}

/// A file of the host.
pub(super) fn host_file(ctx: &Ctx, path: &str, args: &Args) -> Result<FileRef, FieldError> {
    let path = host_path(ctx, path, args)?;
    Ok(FileRef(Vertex::new(Op::HostFile { path }, vec![])))
}

fn host_path(ctx: &Ctx, path: &str, args: &Args) -> Result<String, FieldError> {
    let api = ctx.backend();
    let path = api.host_path(ctx.client(), path)?;
    let path = path.to_string_lossy().into_owned();
    if args.flag("noCache") {
        api.engine().world().forget_host(&path);
    }
    Ok(path)
}
