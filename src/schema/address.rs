//! `Address`: a text that names something, read as what the caller expects it to be.

use super::{
    Ctx,
    api::{Api, CallerKind},
    git,
    gql::{FieldError, Registry},
    host::{host_directory, host_file},
    object::{AddressRef, ContainerRef, Root},
    query::scratch,
    service,
    shared::{CommonArgs, Made},
};
use crate::graph::{Op, SecretRef, SocketRef};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry.query::<Root>().field("address", "Address!", |f| {
        f.doc("A text that names a container, directory, file, repository, service, secret or socket.")
            .arg("value: String!", "The address.")
            .resolve(|_, _, args| {
                let value = args.get("value")?;
                Ok(AddressRef { value })
            })
    });
    let mut address = registry.object::<AddressRef>("Address");
    address
        .doc("A text that names something; the field that is asked says what.")
        .field("value", "String!", |f| {
            f.doc("The address as it was given.")
                .resolve(|_, this, _| Ok(this.value.clone()))
        })
        .field("container", "Container!", |f| {
            f.doc("The container of an image reference.")
                .resolve(|_, this, _| {
                    let address = this.value.clone();
                    let base = ContainerRef::made(scratch(None)?);
                    Ok(base.then(Op::From { address }, None))
                })
        })
        .field("directory", "Directory!", |f| {
            f.doc("A directory of the host.")
                .patterns()
                .no_cache()
                .resolve_async(|ctx, this, args| async move {
                    host_directory(&ctx, local(&this)?, &args).await
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file of the host.")
                .patterns()
                .no_cache()
                .resolve_async(|ctx, this, args| async move {
                    host_file(&ctx, local(&this)?, &args).await
                })
        })
        .field("gitRepository", "GitRepository!", |f| {
            f.doc("A git repository.")
                .resolve(|ctx, this, _| git::repository_at(ctx, &this.value))
        })
        .field("gitRef", "GitRef!", |f| {
            f.doc("A branch, tag or commit of a git repository: `ADDRESS#NAME`; without a name what the repository is at.")
                .resolve(|ctx, this, _| {
                    let (url, name) = this.value.split_once('#').unwrap_or((&this.value, ""));
                    let repository = git::repository_at(ctx, url)?;
                    git::named(&repository, if name.is_empty() { "HEAD" } else { name })
                })
        })
        .field("service", "Service!", |f| {
            f.doc("A service of the host: `tcp://HOST:PORT` or `udp://HOST:PORT`.")
                .resolve(|ctx, this, _| service::at_address(ctx, &this.value))
        })
        .field("secret", "Secret!", |f| {
            f.doc("A secret by where it is, such as `env://NAME` or `file://path`.")
                .resolve(|ctx, this, _| secret(ctx, this))
        })
        .field("socket", "Socket!", |f| {
            f.doc("A Unix socket of the host, by path.")
                .resolve(|ctx, this, _| {
                    let path = this.value.strip_prefix("unix://").unwrap_or(&this.value);
                    let path = ctx.backend().host_path(ctx.client(), path)?;
                    let path = path.to_string_lossy().into_owned();
                    Ok(SocketRef { path })
                })
        });
}

/// The address as a path of the host.
fn local(address: &AddressRef) -> Result<&str, FieldError> {
    let path = address
        .value
        .strip_prefix("file://")
        .unwrap_or(&address.value);
    if path.contains("://") {
        return Err(FieldError::new(format!("`{path}` is no path of the host")));
    }
    Ok(path)
}

fn secret(ctx: &Ctx, address: &AddressRef) -> Result<SecretRef, FieldError> {
    match ctx.client().kind {
        CallerKind::Main => Ok(SecretRef::Uri {
            uri: address.value.clone(),
            cache_key: None,
        }),
        CallerKind::Nested | CallerKind::Function(_) => Err(FieldError::new(
            "functions cannot read secrets of the host; take a Secret as an argument",
        )),
    }
}
