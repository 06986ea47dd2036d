//! `Directory`: a tree of files.

use super::{
    api::Api,
    files::{changed, exists},
    gql::Registry,
    object::DirectoryRef,
    shared::{CommonArgs, Made, copy, filtered, pipeline},
};
use crate::graph::{Edit, Op};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry
        .object::<DirectoryRef>("Directory")
        .doc("A directory with all that is below it.");
    changes(registry);
    parts(registry);
    answers(registry);
    pipeline::<DirectoryRef>(registry, "Directory");
}

fn changes(registry: &mut Registry<Api>) {
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .field("withNewDirectory", "Directory!", |f| {
            f.doc("Makes a directory with its parents.")
                .path("Path.")
                .permissions("Permission bits; 493 (0755) by default.")
                .resolve(|_, this, args| Ok(changed(this, Edit::NewDirectory(copy(args)?))))
        })
        .field("withTimestamps", "Directory!", |f| {
            f.doc("Sets all modification times.")
                .arg("timestamp: Int!", "Seconds since 1970.")
                .resolve(|_, this, args| {
                    let seconds = args.get("timestamp")?;
                    Ok(changed(this, Edit::Timestamps { seconds }))
                })
        })
        .field("chown", "Directory!", |f| {
            f.doc("Changes the owner of a path and all below it.")
                .path("Path.")
                .arg(
                    "owner: String!",
                    "`user[:group]`; names are looked up in the directory's own /etc/passwd.",
                )
                .resolve(|_, this, args| {
                    let (path, owner) = (args.get("path")?, args.get("owner")?);
                    Ok(changed(this, Edit::Chown { path, owner }))
                })
        });
}

fn parts(registry: &mut Registry<Api>) {
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .field("filter", "Directory!", |f| {
            f.doc("The part of the directory that patterns let through.")
                .patterns()
                .resolve(|_, this, args| filtered(this.clone(), args))
        })
        .field("diff", "Directory!", |f| {
            f.doc("The other directory without what is the same in this one.")
                .arg("other: DirectoryID!", "The other directory.")
                .resolve(|ctx, this, args| {
                    let other: DirectoryRef = ctx.object(args, "other")?;
                    Ok(this.then(Op::Diff, [other.0]))
                })
        });
}

fn answers(registry: &mut Registry<Api>) {
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .field("entries", "[String!]!", |f| {
            f.doc("The names in the directory, sorted; those of directories end in `/`.")
                .arg("path: String", "A directory below.")
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let path: Option<String> = args.get("path")?;
                    let mark = !ctx.before(0, 17, 0);
                    Ok(engine
                        .entries(&tree, &path.unwrap_or_default(), mark)
                        .await?)
                })
        })
        .field("glob", "[String!]!", |f| {
            f.doc("The paths that match a pattern, sorted; those of directories end in `/`.")
                .arg(
                    "pattern: String!",
                    "`*` matches within a name, `**` across names.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let pattern: String = args.get("pattern")?;
                    Ok(engine.glob(&tree, &pattern, !ctx.before(0, 17, 0)).await?)
                })
        })
        .field("name", "String!", |f| {
            f.doc("The directory's own name.")
                .resolve_async(|ctx, this, _| async move {
                    let tree = ctx.backend().engine().directory(&this.0).await?;
                    let name = tree.path.rsplit('/').next().unwrap_or_default();
                    Ok(if ctx.before(0, 17, 0) {
                        name.to_owned()
                    } else {
                        format!("{name}/")
                    })
                })
        })
        .field("findUp", "String", |f| {
            f.doc("The path of the nearest file or directory of a name in a directory or above it; null if there is none.")
                .arg("name: String!", "The name.")
                .arg("start: String!", "Path of the directory to begin in.")
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let (name, start): (String, String) = (args.get("name")?, args.get("start")?);
                    Ok(engine.find_up(&tree, &name, &start).await?)
                })
        })
        .field("digest", "String!", |f| {
            f.doc("A hash of all that is in the directory, modification times apart.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let digest = engine
                        .world()
                        .public_digest(&tree.snapshot, &tree.path, false)
                        .await?;
                    Ok(format!("blake3:{digest}"))
                })
        })
        .field("exists", "Boolean!", |f| {
            f.doc("Whether something is at a path.")
                .path("Path.")
                .arg("expectedType: ExistsType", "What it has to be.")
                .follow()
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let path: String = args.get("path")?;
                    exists(engine, &tree, &path, &args).await
                })
        })
        .field("export", "String!", |f| {
            f.doc("Writes the directory to the client's host; returns the absolute path.")
                .arg(
                    "path: String!",
                    "Destination; relative to the client's working directory.",
                )
                .arg(
                    "wipe: Boolean = false",
                    "Remove what is there and not in the directory.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let api = ctx.backend();
                    let path: String = args.get("path")?;
                    let host = api.host_path(ctx.client(), &path)?;
                    let tree = api.engine().directory(&this.0).await?;
                    let wipe = args.flag("wipe");
                    let done = api.engine().export_directory(&tree, &host, wipe).await?;
                    Ok(super::file::exported(&ctx, done))
                })
        })
        .field("sync", "DirectoryID!", |f| {
            f.doc("Makes everything so far happen now.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    if tree.path != "/" {
                        engine.entries(&tree, "", false).await?;
                    }
                    Ok(ctx.backend().keep(&this.into()))
                })
        });
}
