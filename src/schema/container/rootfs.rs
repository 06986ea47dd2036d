//! Where a container's files come from, and questions about them.

use super::publish::{RegistryArgs as _, reach};
use crate::{
    graph::{Op, SecretRef, Select},
    schema::{
        api::Api,
        files::exists,
        gql::{FieldError, Registry},
        object::{ContainerRef, DirectoryRef},
        shared::{CommonArgs, Made},
    },
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    image(registry);
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withRootfs", "Container!", |f| {
            f.doc("Replaces the root file system and keeps the configuration.")
                .arg("directory: DirectoryID!", "The new root.")
                .resolve(|ctx, this, args| {
                    let root: DirectoryRef = ctx.object(args, "directory")?;
                    Ok(this.then(Op::WithRootfs, [root.0]))
                })
        })
        .field("rootfs", "Directory!", |f| {
            f.doc("The root file system, without mounts.")
                .resolve(|_, this, _| Ok(this.part::<DirectoryRef>(Op::Select(Select::Rootfs))))
        })
        .field("exists", "Boolean!", |f| {
            f.doc("Whether something is at a path.")
                .path("Path.")
                .arg("expectedType: ExistsType", "What it has to be.")
                .follow()
                .expand()
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let container = engine.container(&this.0).await?;
                    let path: String = args.get("path")?;
                    let place = engine
                        .world()
                        .locate(&container, &path, args.flag("expand"))?;
                    exists(engine, &place, "", &args).await
                })
        })
        .field("sync", "ContainerID!", |f| {
            f.doc("Makes everything so far happen now.")
                .resolve_async(|ctx, this, _| async move {
                    ctx.backend().engine().container(&this.0).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        });
}

fn image(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("from", "Container!", |f| {
            f.doc("The container with an image's files and configuration.")
                .arg(
                    "address: String!",
                    "Image reference, such as `alpine` or `ghcr.io/org/app:1.2`.",
                )
                .registry_args()
                .resolve_async(|ctx, this, args| async move {
                    let address: String = args.get("address")?;
                    reach(&ctx, &address, &args).await?;
                    Ok(this.then(Op::From { address }, None))
                })
        })
        .field("imageRef", "String!", |f| {
            f.doc("The image that the root file system came from, with its digest.")
                .resolve_async(|ctx, this, _| async move {
                    let image = ctx.backend().engine().container(&this.0).await?.image_ref;
                    image.ok_or_else(|| FieldError::new("the container was not made from an image"))
                })
        })
        .field("platform", "Platform!", |f| {
            f.doc("The platform of its image and commands.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().container(&this.0).await?.platform)
                })
        })
        .field("withRegistryAuth", "Container!", |f| {
            f.doc("Credentials for a registry, or for repositories of it. They count for no cache key.")
                .arg("address: String!", "Registry host, with or without a path.")
                .arg("username: String!", "User.")
                .arg("secret: SecretID!", "Password or token.")
                .resolve(|ctx, this, args| {
                    let secret: SecretRef = ctx.object(args, "secret")?;
                    let (address, user): (String, String) =
                        (args.get("address")?, args.get("username")?);
                    let images = ctx.backend().engine().world().images();
                    images.add_auth(&address, &user, secret);
                    Ok(this.clone())
                })
        })
        .field("withoutRegistryAuth", "Container!", |f| {
            f.doc("Forgets credentials for an address.")
                .arg("address: String!", "As it was given.")
                .resolve(|ctx, this, args| {
                    let address: String = args.get("address")?;
                    let images = ctx.backend().engine().world().images();
                    images.remove_auth(&address);
                    Ok(this.clone())
                })
        });
}
