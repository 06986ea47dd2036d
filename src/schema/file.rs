//! `File`: one file.

use super::{
    Ctx,
    api::Api,
    gql::{FieldError, Registry, Resolved},
    object::{FileRef, Object},
    shared::Made,
};
use crate::graph::{Op, Tree};

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut file = registry.object::<FileRef>("File");
    file.doc("A file.")
        .field("contents", "String!", |f| {
            f.doc("The text of the file, or some of its lines.")
                .arg("offsetLines: Int", "Lines to pass over.")
                .arg("limitLines: Int", "Most lines to return.")
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let (offset, limit) = (args.get("offsetLines")?, args.get("limitLines")?);
                    Ok(engine.contents(&file, offset, limit).await?)
                })
        })
        .field("size", "Int!", |f| {
            f.doc("Its size in bytes.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let place = Tree {
                        snapshot: file.snapshot.clone(),
                        path: file.path.clone(),
                    };
                    let stat = engine.world().stat(&place, "", true).await?;
                    let stat = stat.ok_or_else(|| {
                        FieldError::new(format!("no such file or directory: {}", file.path))
                    })?;
                    Ok(stat.size)
                })
        })
        .field("name", "String!", |f| {
            f.doc("Its name.").resolve_async(|ctx, this, _| async move {
                Ok(ctx
                    .backend()
                    .engine()
                    .file(&this.0)
                    .await?
                    .name()
                    .to_owned())
            })
        })
        .field("digest", "String!", |f| {
            f.doc("A hash of the file.")
                .arg(
                    "excludeMetadata: Boolean = false",
                    "Hash the contents alone.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let bare = args.flag("excludeMetadata");
                    let digest = engine
                        .world()
                        .public_digest(&file.snapshot, &file.path, bare)
                        .await?;
                    Ok(format!("blake3:{digest}"))
                })
        })
        .field("export", "String!", |f| {
            f.doc("Writes the file to the client's host; returns the absolute path.")
                .arg(
                    "path: String!",
                    "Destination; relative to the client's working directory.",
                )
                .arg(
                    "allowParentDirPath: Boolean = false",
                    "Write into the path if it is a directory.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let api = ctx.backend();
                    let path: String = args.get("path")?;
                    let host = api.host_path(ctx.client(), &path)?;
                    let file = api.engine().file(&this.0).await?;
                    let into = args.flag("allowParentDirPath");
                    let done = api.engine().export_file(&file, &host, into).await?;
                    Ok(exported(&ctx, done))
                })
        })
        .field("withName", "File!", |f| {
            f.doc("The file under another name.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let name = args.get("name")?;
                    Ok(this.then(Op::RenameFile { name }, None))
                })
        })
        .field("withReplaced", "File!", |f| {
            f.doc("The file with a text in it replaced; by default there has to be exactly one match.")
                .arg("search: String!", "What is replaced.")
                .arg("replacement: String!", "By what.")
                .arg("all: Boolean = false", "Replace every match.")
                .arg(
                    "firstFrom: Int",
                    "Replace the first match from this line on.",
                )
                .resolve(|_, this, args| {
                    let op = Op::Replace {
                        search: args.get("search")?,
                        replacement: args.get("replacement")?,
                        all: args.flag("all"),
                        first_from: args.get("firstFrom")?,
                    };
                    Ok(this.then(op, None))
                })
        })
        .field("withTimestamps", "File!", |f| {
            f.doc("Sets the modification time.")
                .arg("timestamp: Int!", "Seconds since 1970.")
                .resolve(|_, this, args| {
                    let (timestamp, owner) = (Some(args.get("timestamp")?), None);
                    Ok(this.then(Op::EditFile { timestamp, owner }, None))
                })
        })
        .field("chown", "File!", |f| {
            f.doc("Changes the owner.")
                .arg("owner: String!", "`uid[:gid]`, by number.")
                .resolve(|_, this, args| {
                    let (timestamp, owner) = (None, Some(args.get("owner")?));
                    Ok(this.then(Op::EditFile { timestamp, owner }, None))
                })
        })
        .field("sync", "FileID!", |f| {
            f.doc("Makes everything so far happen now.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    engine.world().file_digest(&file).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        });
}

/// What an export answers: the path, or just `true` to clients that expect that.
pub(super) fn exported(ctx: &Ctx, path: String) -> Resolved<Object> {
    if ctx.before(0, 12, 0) {
        true.into()
    } else {
        path.into()
    }
}
