//! `Directory`: a tree of files.

use super::{
    api::Api,
    container::filtered,
    gql::{Args, FieldError, Registry},
    object::{DirectoryRef, FileRef},
    query::required,
};
use crate::{
    engine::Engine,
    graph::{Copy, Edit, Op, Ownership, Select, Tree, Vertex},
};
use nsci_snapshotter::keeper::FileKind;
use std::sync::Arc;

const OWNER: &str =
    "Owner as `user[:group]`; names are looked up in the directory's own /etc/passwd.";

/// The next directory of a chain.
fn then(this: &DirectoryRef, op: Op, more: impl IntoIterator<Item = Arc<Vertex>>) -> DirectoryRef {
    let inputs = std::iter::once(Arc::clone(&this.0)).chain(more).collect();
    DirectoryRef(Vertex::new(op, inputs))
}

fn edited(
    this: &DirectoryRef,
    edit: Edit,
    more: impl IntoIterator<Item = Arc<Vertex>>,
) -> DirectoryRef {
    then(this, Op::Edit(edit), more)
}

fn copy(args: &Args) -> Result<Copy, FieldError> {
    let owner = match args.str("owner") {
        Some(owner) if !owner.is_empty() => Ownership::Named(owner.to_owned()),
        _ => Ownership::Unchanged,
    };
    Ok(Copy {
        path: args.get("path")?,
        owner,
        permissions: args.get("permissions")?,
        expand: false,
    })
}

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut kinds = registry.enumeration("ExistsType");
    kinds.doc("What something at a path has to be.");
    kinds
        .value("REGULAR_TYPE", "A regular file.")
        .value("DIRECTORY_TYPE", "A directory.")
        .value("SYMLINK_TYPE", "A symbolic link.");
    changes(registry);
    parts(registry);
    answers(registry);
}

fn changes(registry: &mut Registry<Api>) {
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .doc("A directory with all that is below it.")
        .field("withDirectory", "Directory!", |f| {
            f.doc("Merges another directory into this one.")
                .arg("path: String!", "Destination.")
                .arg("source: DirectoryID", "The directory.")
                .arg("directory: DirectoryID", "The same under its older name.")
                .arg("exclude: [String!] = []", "Patterns of what to leave out.")
                .arg(
                    "include: [String!] = []",
                    "Patterns of what to take; everything by default.",
                )
                .arg(
                    "gitignore: Boolean = false",
                    "Leave out what `.gitignore` files name.",
                )
                .arg("owner: String = \"\"", OWNER)
                .arg("permissions: Int", "Permission bits of the files.")
                .resolve(|ctx, this, args| {
                    let source: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
                    let older: Option<DirectoryRef> = ctx.optional_object(args, "directory")?;
                    let source = filtered(required(source.or(older), "source")?, args)?;
                    Ok(edited(this, Edit::Directory(copy(args)?), [source.0]))
                })
        })
        .field("withFile", "Directory!", |f| {
            f.doc("Copies a file into the directory.")
                .arg(
                    "path: String!",
                    "Destination; a directory if it ends in `/`.",
                )
                .arg("source: FileID!", "The file.")
                .arg("permissions: Int", "Permission bits.")
                .arg("owner: String = \"\"", OWNER)
                .resolve(|ctx, this, args| {
                    let source: FileRef = ctx.object(args, "source")?;
                    Ok(edited(this, Edit::File(copy(args)?), [source.0]))
                })
        })
        .field("withFiles", "Directory!", |f| {
            f.doc("Copies files into a directory, under their names.")
                .arg("path: String!", "Destination directory.")
                .arg("sources: [FileID!]!", "The files.")
                .arg("permissions: Int", "Permission bits.")
                .resolve(|ctx, this, args| {
                    let sources: Vec<FileRef> = ctx.objects(args, "sources")?;
                    let sources = sources.into_iter().map(|file| file.0);
                    Ok(edited(this, Edit::Files(copy(args)?), sources))
                })
        })
        .field("withNewFile", "Directory!", |f| {
            f.doc("Writes a file.")
                .arg("path: String!", "Destination.")
                .arg("contents: String!", "Contents.")
                .arg(
                    "permissions: Int = 420",
                    "Permission bits, such as 420 for 0644.",
                )
                .resolve(|_, this, args| {
                    let edit = Edit::NewFile {
                        to: copy(args)?,
                        contents: args.get("contents")?,
                    };
                    Ok(edited(this, edit, None))
                })
        })
        .field("withNewDirectory", "Directory!", |f| {
            f.doc("Makes a directory with its parents.")
                .arg("path: String!", "Path.")
                .arg(
                    "permissions: Int",
                    "Permission bits; 493 (0755) by default.",
                )
                .resolve(|_, this, args| Ok(edited(this, Edit::NewDirectory(copy(args)?), None)))
        })
        .field("withoutFile", "Directory!", |f| {
            f.doc("Removes a file; nothing there is fine.")
                .arg("path: String!", "Path or pattern.")
                .resolve(|_, this, args| Ok(remove(this, vec![args.get("path")?])))
        })
        .field("withoutFiles", "Directory!", |f| {
            f.doc("Removes files; nothing there is fine.")
                .arg("paths: [String!]!", "Paths or patterns.")
                .resolve(|_, this, args| Ok(remove(this, args.get("paths")?)))
        })
        .field("withoutDirectory", "Directory!", |f| {
            f.doc("Removes a directory with all that is in it; nothing there is fine.")
                .arg("path: String!", "Path or pattern.")
                .resolve(|_, this, args| Ok(remove(this, vec![args.get("path")?])))
        })
        .field("withSymlink", "Directory!", |f| {
            f.doc("Makes a symbolic link.")
                .arg("target: String!", "What the link says.")
                .arg("linkName: String!", "Where the link is.")
                .resolve(|_, this, args| {
                    let edit = Edit::Symlink {
                        target: args.get("target")?,
                        path: args.get("linkName")?,
                        expand: false,
                    };
                    Ok(edited(this, edit, None))
                })
        })
        .field("withTimestamps", "Directory!", |f| {
            f.doc("Sets all modification times.")
                .arg("timestamp: Int!", "Seconds since 1970.")
                .resolve(|_, this, args| {
                    Ok(edited(
                        this,
                        Edit::Timestamps {
                            seconds: args.get("timestamp")?,
                        },
                        None,
                    ))
                })
        })
        .field("chown", "Directory!", |f| {
            f.doc("Changes the owner of a path and all below it.")
                .arg("path: String!", "Path.")
                .arg("owner: String!", OWNER)
                .resolve(|_, this, args| {
                    let edit = Edit::Chown {
                        path: args.get("path")?,
                        owner: args.get("owner")?,
                    };
                    Ok(edited(this, edit, None))
                })
        })
        .field("pipeline", "Directory!", |f| {
            f.doc("Does nothing (older clients).")
                .arg("name: String!", "Ignored.")
                .arg("description: String", "Ignored.")
                .arg("labels: [PipelineLabel!]", "Ignored.")
                .deprecated("Spans show what belongs together.")
                .resolve(|_, this, _| Ok(this.clone()))
        });
}

fn remove(this: &DirectoryRef, paths: Vec<String>) -> DirectoryRef {
    edited(
        this,
        Edit::Remove {
            paths,
            expand: false,
        },
        None,
    )
}

fn parts(registry: &mut Registry<Api>) {
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .field("directory", "Directory!", |f| {
            f.doc("A directory below this one.")
                .arg("path: String!", "Path.")
                .resolve(|_, this, args| {
                    let select = Select::Directory {
                        path: args.get("path")?,
                        expand: false,
                    };
                    Ok(then(this, Op::Select(select), None))
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file below this directory.")
                .arg("path: String!", "Path.")
                .resolve(|_, this, args| {
                    let select = Select::File {
                        path: args.get("path")?,
                        expand: false,
                    };
                    Ok(FileRef(Vertex::new(
                        Op::Select(select),
                        vec![Arc::clone(&this.0)],
                    )))
                })
        })
        .field("filter", "Directory!", |f| {
            f.doc("The part of the directory that patterns let through.")
                .arg("exclude: [String!] = []", "Patterns of what to leave out.")
                .arg(
                    "include: [String!] = []",
                    "Patterns of what to take; everything by default.",
                )
                .arg(
                    "gitignore: Boolean = false",
                    "Leave out what `.gitignore` files name.",
                )
                .resolve(|_, this, args| filtered(this.clone(), args))
        })
        .field("diff", "Directory!", |f| {
            f.doc("The other directory without what is the same in this one.")
                .arg("other: DirectoryID!", "The other directory.")
                .resolve(|ctx, this, args| {
                    let other: DirectoryRef = ctx.object(args, "other")?;
                    Ok(then(this, Op::Diff, [other.0]))
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
                .arg("path: String!", "Path.")
                .arg("expectedType: ExistsType", "What it has to be.")
                .arg(
                    "doNotFollowSymlinks: Boolean = false",
                    "Look at a link itself.",
                )
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

/// Whether something of the wanted type is at a path.
pub(super) async fn exists(
    engine: &Engine,
    tree: &Tree,
    path: &str,
    args: &Args,
) -> Result<bool, FieldError> {
    let follow = !args.flag("doNotFollowSymlinks");
    let Some(stat) = engine.world().stat(tree, path, follow).await? else {
        return Ok(false);
    };
    Ok(match args.str("expectedType") {
        Some("REGULAR_TYPE") => stat.kind == FileKind::File,
        Some("DIRECTORY_TYPE") => stat.kind == FileKind::Dir,
        Some("SYMLINK_TYPE") => stat.kind == FileKind::Symlink,
        _ => true,
    })
}
