//! Files of containers and directories: the fields that both have.

use super::{
    api::Api,
    gql::{Args, FieldError, ObjectBuilder, Registry},
    object::{ContainerRef, DirectoryRef, FileRef},
    shared::{CommonArgs, Made, WriteArgs, copy, filtered, source_directory},
};
use crate::{
    engine::Engine,
    graph::{Edit, Op, Select, Tree},
};
use nsci_snapshotter::keeper::FileKind;

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut kinds = registry.enumeration("ExistsType");
    kinds.doc("What something at a path has to be.");
    kinds
        .value("REGULAR_TYPE", "A regular file.")
        .value("DIRECTORY_TYPE", "A directory.")
        .value("SYMLINK_TYPE", "A symbolic link.");
    shared::<ContainerRef>(registry);
    shared::<DirectoryRef>(registry);
}

fn shared<T: Made>(registry: &mut Registry<Api>) {
    let mut object = registry.object::<T>(T::NAME);
    copies(&mut object);
    additions(&mut object);
    removals(&mut object);
    parts(&mut object);
    object.field("withError", &T::promised(), |f| {
        f.doc(
            "Fails with a message when something is asked of it; an empty message changes nothing.",
        )
        .arg("err: String!", "The message.")
        .resolve(|_, this: &T, args| {
            let message: String = args.get("err")?;
            if message.is_empty() {
                return Ok(this.clone());
            }
            Ok(this.then(Op::Fail { message }, None))
        })
    });
}

fn copies<T: Made>(object: &mut ObjectBuilder<'_, Api, T>) {
    object
        .field("withDirectory", &T::promised(), |f| {
            f.doc("Merges a directory into this one: files are replaced, directories merged.")
                .path("Destination.")
                .newer_arg("source: DirectoryID", "The directory.")
                .older_arg("directory: DirectoryID", "The same under its older name.")
                .patterns()
                .written()
                .permissions("Permission bits of the files.")
                .resolve(|ctx, this: &T, args| {
                    let source = filtered(source_directory(ctx, args)?, args)?;
                    Ok(edited(this, Edit::Directory(copy(args)?), [source]))
                })
        })
        .field("withFile", &T::promised(), |f| {
            f.doc("Copies a file.")
                .path("Destination; a directory if it ends in `/`.")
                .arg("source: FileID!", "The file.")
                .permissions("Permission bits; those of the file by default.")
                .written()
                .resolve(|ctx, this: &T, args| {
                    let source: FileRef = ctx.object(args, "source")?;
                    Ok(edited(this, Edit::File(copy(args)?), [source]))
                })
        })
        .field("withFiles", &T::promised(), |f| {
            f.doc("Copies files into a directory, under their names.")
                .path("Destination directory.")
                .arg("sources: [FileID!]!", "The files.")
                .permissions("Permission bits; those of each file by default.")
                .written()
                .resolve(|ctx, this: &T, args| {
                    let sources: Vec<FileRef> = ctx.objects(args, "sources")?;
                    Ok(edited(this, Edit::Files(copy(args)?), sources))
                })
        });
}

fn additions<T: Made>(object: &mut ObjectBuilder<'_, Api, T>) {
    object
        .field("withNewFile", &T::promised(), |f| {
            // Clients of containers before 0.12 may leave the contents out.
            let contents = if T::CONFIGURED {
                "contents: String = \"\""
            } else {
                "contents: String!"
            };
            f.doc("Writes a file.")
                .path("Destination.")
                .newer_arg(contents, "Contents.")
                .arg(
                    "permissions: Int = 420",
                    "Permission bits, such as 420 for 0644.",
                )
                .written()
                .resolve(|_, this: &T, args| {
                    let edit = Edit::NewFile {
                        to: copy(args)?,
                        contents: args.get("contents")?,
                    };
                    Ok(changed(this, edit))
                })
        })
        .field("withSymlink", &T::promised(), |f| {
            f.doc("Makes a symbolic link.")
                .arg("target: String!", "What the link says.")
                .arg("linkName: String!", "Where the link is.")
                .expanded()
                .resolve(|_, this: &T, args| {
                    let edit = Edit::Symlink {
                        target: args.get("target")?,
                        path: args.get("linkName")?,
                        expand: args.flag("expand"),
                    };
                    Ok(changed(this, edit))
                })
        });
}

fn removals<T: Made>(object: &mut ObjectBuilder<'_, Api, T>) {
    for (field, doc) in [
        ("withoutFile", "Removes a file; nothing there is fine."),
        (
            "withoutDirectory",
            "Removes a directory with all that is in it; nothing there is fine.",
        ),
    ] {
        object.field(field, &T::promised(), |f| {
            f.doc(doc)
                .path("Path or pattern.")
                .expanded()
                .resolve(|_, this: &T, args| Ok(without(this, vec![args.get("path")?], args)))
        });
    }
    object.field("withoutFiles", &T::promised(), |f| {
        f.doc("Removes files; nothing there is fine.")
            .arg("paths: [String!]!", "Paths or patterns.")
            .expanded()
            .resolve(|_, this: &T, args| Ok(without(this, args.get("paths")?, args)))
    });
}

fn parts<T: Made>(object: &mut ObjectBuilder<'_, Api, T>) {
    object
        .field("directory", "Directory!", |f| {
            f.doc("A directory below; in a container, mounted ones included.")
                .path("Path.")
                .expanded()
                .resolve(|_, this: &T, args| {
                    let select = Select::Directory {
                        path: args.get("path")?,
                        expand: args.flag("expand"),
                    };
                    Ok(this.part::<DirectoryRef>(Op::Select(select)))
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file below; in a container, mounted ones included.")
                .path("Path.")
                .expanded()
                .resolve(|_, this: &T, args| {
                    let select = Select::File {
                        path: args.get("path")?,
                        expand: args.flag("expand"),
                    };
                    Ok(this.part::<FileRef>(Op::Select(select)))
                })
        });
}

/// A change that needs nothing else.
pub(super) fn changed<T: Made>(this: &T, edit: Edit) -> T {
    this.then(Op::Edit(edit), None)
}

/// A change that copies from other objects.
fn edited<T: Made, S: Made>(this: &T, edit: Edit, sources: impl IntoIterator<Item = S>) -> T {
    let sources = sources.into_iter().map(|source| source.vertex().clone());
    this.then(Op::Edit(edit), sources)
}

fn without<T: Made>(this: &T, paths: Vec<String>, args: &Args) -> T {
    let expand = args.flag("expand");
    changed(this, Edit::Remove { paths, expand })
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
