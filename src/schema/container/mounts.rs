//! What is mounted for a container's commands.

use crate::{
    graph::{CacheSharing, MountSource, Op, Ownership, SocketRef, Vertex},
    schema::{
        api::Api,
        cache_volume::sharing,
        gql::{Args, FieldError, Registry},
        object::{CacheVolumeRef, ContainerRef, DirectoryRef, FileRef},
        shared::{CommonArgs, Made, WriteArgs, ownership},
    },
};
use std::sync::Arc;

pub(super) fn declare(registry: &mut Registry<Api>) {
    files(registry);
    volumes(registry);
    lent(registry);
    without(registry);
}

fn files(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withMountedDirectory", "Container!", |f| {
            f.doc("Mounts a directory. What commands write to it stays for later commands of the chain.")
                .path("Mount point.")
                .arg("source: DirectoryID!", "The directory.")
                .written()
                .arg("readOnly: Boolean = false", "Let commands only read it.")
                .resolve(|ctx, this, args| {
                    let source: DirectoryRef = ctx.object(args, "source")?;
                    let owner = ownership(args);
                    let readonly = args.flag("readOnly");
                    let kind = MountSource::Directory { owner, readonly };
                    mount(this, args, kind, Some(source.0))
                })
        })
        .field("withMountedFile", "Container!", |f| {
            f.doc("Mounts a file. What commands write to it stays for later commands of the chain.")
                .path("Mount point.")
                .arg("source: FileID!", "The file.")
                .written()
                .resolve(|ctx, this, args| {
                    let source: FileRef = ctx.object(args, "source")?;
                    let owner = ownership(args);
                    mount(this, args, MountSource::File { owner }, Some(source.0))
                })
        });
}

fn volumes(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withMountedCache", "Container!", |f| {
            f.doc("Mounts a cache volume. Its contents are no part of the container.")
                .path("Mount point.")
                .arg("cache: CacheVolumeID!", "The volume.")
                .arg(
                    "source: DirectoryID",
                    "What seeds the volume when it is empty.",
                )
                .arg(
                    "sharing: CacheSharingMode = SHARED",
                    "Who may use it at the same time; what the volume says if SHARED.",
                )
                .written()
                .resolve(|ctx, this, args| {
                    let cache: CacheVolumeRef = ctx.object(args, "cache")?;
                    let seed: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
                    let sharing = match sharing(args) {
                        CacheSharing::Shared => cache.sharing,
                        asked => asked,
                    };
                    let owner = match ownership(args) {
                        Ownership::Unchanged if !cache.owner.is_empty() => {
                            Ownership::Named(cache.owner)
                        }
                        asked => asked,
                    };
                    let kind = MountSource::Cache {
                        volume: cache.volume,
                        sharing,
                        owner,
                    };
                    let seed = seed.or(cache.source);
                    mount(this, args, kind, seed.map(|seed| seed.0))
                })
        })
        .field("withMountedTemp", "Container!", |f| {
            f.doc("Mounts memory that is dropped after each command.")
                .path("Mount point.")
                .arg("size: Int", "Limit in bytes.")
                .expand()
                .resolve(|_, this, args| {
                    let size = args.get("size")?;
                    mount(this, args, MountSource::Temp { size }, None)
                })
        });
}

fn lent(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withMountedSecret", "Container!", |f| {
            f.doc("Mounts a secret as a file in memory.")
                .path("Mount point.")
                .arg("source: SecretID!", "The secret.")
                .written()
                .arg("mode: Int = 256", "Permission bits, such as 256 for 0400.")
                .resolve(|ctx, this, args| {
                    let secret = ctx.object(args, "source")?;
                    let kind = MountSource::Secret {
                        secret,
                        owner: ownership(args),
                        mode: args.get("mode")?,
                    };
                    mount(this, args, kind, None)
                })
        })
        .field("withUnixSocket", "Container!", |f| {
            f.doc("Mounts a Unix socket of the host; with an owner, a socket of that user that leads to it.")
                .path("Mount point.")
                .arg("source: SocketID!", "The socket.")
                .written()
                .resolve(|ctx, this, args| {
                    let socket: SocketRef = ctx.object(args, "source")?;
                    let owner = ownership(args);
                    mount(this, args, MountSource::Socket { socket, owner }, None)
                })
        });
}

fn without(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    for (field, doc) in [
        ("withoutMount", "Takes away what is mounted at a path."),
        (
            "withoutUnixSocket",
            "Takes away a socket mounted at a path.",
        ),
    ] {
        container.field(field, "Container!", |f| {
            f.doc(doc)
                .path("Mount point.")
                .expand()
                .resolve(|_, this, args| {
                    let target = args.get("path")?;
                    let expand = args.flag("expand");
                    Ok(this.then(Op::Unmount { target, expand }, None))
                })
        });
    }
    container.field("mounts", "[String!]!", |f| {
        f.doc("The paths that something is mounted at.")
            .resolve_async(|ctx, this, _| async move {
                let container = ctx.backend().engine().container(&this.0).await?;
                let targets = container.mounts.into_iter().map(|mount| mount.target);
                Ok(targets.collect::<Vec<_>>())
            })
    });
}

fn mount(
    this: &ContainerRef,
    args: &Args,
    source: MountSource,
    input: Option<Arc<Vertex>>,
) -> Result<ContainerRef, FieldError> {
    let op = Op::Mount {
        target: args.get("path")?,
        source,
        expand: args.flag("expand"),
    };
    Ok(this.then(op, input))
}
