//! `Host`: the machine of the main client.

use super::{
    api::Api,
    gql::Registry,
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
                    let api = ctx.backend();
                    let path: String = args.get("path")?;
                    let path = api
                        .host_path(ctx.client(), &path)?
                        .to_string_lossy()
                        .into_owned();
                    if args.flag("noCache") {
                        api.engine().world().forget_host(&path);
                    }
                    let op = Op::HostDirectory {
                        path,
                        include: args.get_or_default("include")?,
                        exclude: args.get_or_default("exclude")?,
                        gitignore: args.flag("gitignore"),
                    };
                    Ok(DirectoryRef(Vertex::new(op, vec![])))
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
                    let path: String = args.get("path")?;
                    let path = ctx.backend().host_path(ctx.client(), &path)?;
                    let path = path.to_string_lossy().into_owned();
                    Ok(FileRef(Vertex::new(Op::HostFile { path }, vec![])))
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
