//! `Stat`: what is known of a file without opening it.

use super::{
    Ctx,
    api::Api,
    gql::{FieldError, Registry},
    object::{ContainerRef, DirectoryRef, FileRef, FileStat},
    shared::{CommonArgs, WriteArgs},
};
use crate::graph::Tree;
use nsci_snapshotter::keeper::FileKind;

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut kinds = registry.enumeration("FileType");
    kinds.doc("What something in a file system is.");
    kinds
        .value("UNKNOWN", "A device, pipe or socket.")
        .value_with("REGULAR", "A regular file.", |v| v.alias("REGULAR_TYPE"))
        .value_with("DIRECTORY", "A directory.", |v| v.alias("DIRECTORY_TYPE"))
        .value_with("SYMLINK", "A symbolic link.", |v| v.alias("SYMLINK_TYPE"));
    let mut stat = registry.object::<FileStat>("Stat");
    stat.doc("What is known of a file without opening it.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.name.clone()))
        })
        .field("size", "Int!", |f| {
            f.doc("Its size in bytes.")
                .resolve(|_, this, _| Ok(this.size))
        })
        .field("permissions", "Int!", |f| {
            f.doc("Its permission bits, such as 420 for 0644.")
                .resolve(|_, this, _| Ok(this.permissions))
        })
        .field("fileType", "FileType", |f| {
            f.doc("What it is.")
                .resolve(|_, this, _| Ok(this.kind.clone()))
        });
    fields(registry);
}

fn fields(registry: &mut Registry<Api>) {
    const DOC: &str = "What is at a path; null if nothing is.";
    registry
        .object::<ContainerRef>("Container")
        .field("stat", "Stat", |f| {
            f.doc(DOC).path("Path.").follow().expanded().resolve_async(
                |ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let container = engine.container(&this.0).await?;
                    let path: String = args.get("path")?;
                    let place = engine
                        .world()
                        .locate(&container, &path, args.flag("expand"))?;
                    look(&ctx, &place, &path, !args.flag("doNotFollowSymlinks")).await
                },
            )
        });
    registry
        .object::<DirectoryRef>("Directory")
        .field("stat", "Stat", |f| {
            f.doc(DOC)
                .path("Path.")
                .follow()
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let tree = engine.directory(&this.0).await?;
                    let path: String = args.get("path")?;
                    let place = engine.world().inside(&tree, &path);
                    look(&ctx, &place, &path, !args.flag("doNotFollowSymlinks")).await
                })
        });
    registry
        .object::<FileRef>("File")
        .field("stat", "Stat", |f| {
            f.doc("What is known of the file.")
                .resolve_async(|ctx, this, _| async move {
                    let file = ctx.backend().engine().file(&this.0).await?;
                    let name = file.name().to_owned();
                    let place = Tree {
                        snapshot: file.snapshot,
                        path: file.path,
                    };
                    look(&ctx, &place, &name, true).await
                })
        });
}

async fn look(
    ctx: &Ctx,
    place: &Tree,
    path: &str,
    follow: bool,
) -> Result<Option<FileStat>, FieldError> {
    let world = ctx.backend().engine().world();
    let Some(stat) = world.stat(place, "", follow).await? else {
        return Ok(None);
    };
    let name = path.trim_end_matches('/').rsplit('/').next();
    Ok(Some(FileStat {
        name: name.unwrap_or_default().to_owned(),
        kind: match stat.kind {
            FileKind::File => "REGULAR",
            FileKind::Dir => "DIRECTORY",
            FileKind::Symlink => "SYMLINK",
            FileKind::Other => "UNKNOWN",
        }
        .into(),
        permissions: stat.mode & 0o7777,
        size: stat.size,
    }))
}
