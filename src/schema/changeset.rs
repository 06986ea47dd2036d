//! `Changeset`: what changed between two directories, and patches.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldError, ObjectBuilder, Registry},
    object::{ChangesetRef, DiffStat, DirectoryRef, FileRef, Root},
    shared::Made,
};
use crate::{
    graph::{OnConflict, Op, Tree, Vertex},
    ops::{ChangeKind, Changes},
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    enums(registry);
    registry
        .query::<Root>()
        .field("changeset", "Changeset!", |f| {
            f.doc("No change, to add others to.").resolve(|_, _, _| {
                Ok(all_of(DirectoryRef(Vertex::new(
                    Op::EmptyDirectory,
                    vec![],
                ))))
            })
        });
    directory(registry);
    let mut changes = registry.object::<ChangesetRef>("Changeset");
    changes.doc("What changed between two directories.");
    sides(&mut changes);
    paths(&mut changes);
    results(&mut changes);
    merges(&mut changes);
    stats(registry);
}

fn enums(registry: &mut Registry<Api>) {
    let mut kinds = registry.enumeration("DiffStatKind");
    kinds.doc("What became of a file.");
    kinds
        .value("ADDED", "It is new.")
        .value("MODIFIED", "It is not what it was.")
        .value("REMOVED", "It is gone.")
        .value("RENAMED", "It is elsewhere.");
    const EARLY: &str = "Fail if both changed a file, even in different places.";
    const FAIL: &str = "Fail if both changed the same lines.";
    let mut patch = registry.enumeration("PatchConflict");
    patch.doc("What to do where a patch does not fit.");
    patch.value("FAIL", "Fail.").value(
        "LEAVE_CONFLICT_MARKERS",
        "Leave both sides between conflict markers.",
    );
    let mut one = registry.enumeration("ChangesetMergeConflict");
    one.doc("What to do where two changes conflict.");
    one.value("FAIL_EARLY", EARLY)
        .value("FAIL", FAIL)
        .value(
            "LEAVE_CONFLICT_MARKERS",
            "Leave both sides between conflict markers.",
        )
        .value("PREFER_OURS", "Take the side that is added to.")
        .value("PREFER_THEIRS", "Take the side that is added.");
    let mut many = registry.enumeration("ChangesetsMergeConflict");
    many.doc("What to do where several changes conflict.");
    many.value("FAIL_EARLY", EARLY).value("FAIL", FAIL);
}

pub(super) fn policy(args: &Args) -> OnConflict {
    match args.str("onConflict") {
        Some("FAIL_EARLY") => OnConflict::FailEarly,
        Some("LEAVE_CONFLICT_MARKERS") => OnConflict::LeaveMarkers,
        Some("PREFER_OURS") => OnConflict::PreferOurs,
        Some("PREFER_THEIRS") => OnConflict::PreferTheirs,
        _ => OnConflict::Fail,
    }
}

fn directory(registry: &mut Registry<Api>) {
    const CONFLICT: (&str, &str) = (
        "onConflict: PatchConflict = FAIL",
        "What to do where the patch does not fit.",
    );
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory
        .field("changes", "Changeset!", |f| {
            f.doc("What makes this directory of an older one.")
                .arg("from: DirectoryID!", "The older one.")
                .resolve(|ctx, this, args| {
                    Ok(ChangesetRef {
                        before: ctx.object(args, "from")?,
                        after: this.clone(),
                    })
                })
        })
        .field("withChanges", "Directory!", |f| {
            f.doc("Applies a change: what it removed goes, what it added or modified becomes what it is there.")
                .arg("changes: ChangesetID!", "The change.")
                .resolve(|ctx, this, args| {
                    let changes: ChangesetRef = ctx.object(args, "changes")?;
                    let sides = [changes.before.0, changes.after.0];
                    Ok(this.then(Op::WithChanges, sides))
                })
        })
        .field("withPatch", "Directory!", |f| {
            f.doc("Applies a patch as `git diff` or `diff -u` write it.")
                .arg("patch: String!", "The patch.")
                .arg(CONFLICT.0, CONFLICT.1)
                .resolve(|_, this, args| {
                    let text = Op::NewFile {
                        name: "changes.patch".into(),
                        contents: args.get("patch")?,
                        permissions: 0o644,
                    };
                    let on_conflict = policy(args);
                    let text = Vertex::new(text, vec![]);
                    Ok(this.then(Op::Patch { on_conflict }, [text]))
                })
        })
        .field("withPatchFile", "Directory!", |f| {
            f.doc("Applies a patch from a file.")
                .arg("patch: FileID!", "The file.")
                .arg(CONFLICT.0, CONFLICT.1)
                .resolve(|ctx, this, args| {
                    let file: FileRef = ctx.object(args, "patch")?;
                    let on_conflict = policy(args);
                    Ok(this.then(Op::Patch { on_conflict }, [file.0]))
                })
        });
}

fn sides(changes: &mut ObjectBuilder<'_, Api, ChangesetRef>) {
    changes
        .field("before", "Directory!", |f| {
            f.doc("The older directory.")
                .resolve(|_, this, _| Ok(this.before.clone()))
        })
        .field("after", "Directory!", |f| {
            f.doc("The newer directory.")
                .resolve(|_, this, _| Ok(this.after.clone()))
        })
        .field("layer", "Directory!", |f| {
            f.doc("What was added and modified, alone.")
                .resolve(|_, this, _| Ok(this.before.then(Op::Diff, [this.after.0.clone()])))
        });
}

async fn both(ctx: &Ctx, this: &ChangesetRef) -> Result<(Tree, Tree), FieldError> {
    let engine = ctx.backend().engine();
    let (before, after) = futures_util::future::try_join(
        engine.directory(&this.before.0),
        engine.directory(&this.after.0),
    )
    .await?;
    Ok((before, after))
}

pub(super) async fn compared(ctx: &Ctx, this: &ChangesetRef) -> Result<Changes, FieldError> {
    let (before, after) = both(ctx, this).await?;
    Ok(ctx
        .backend()
        .engine()
        .world()
        .changes(&before, &after)
        .await?)
}

fn paths(changes: &mut ObjectBuilder<'_, Api, ChangesetRef>) {
    changes
        .field("addedPaths", "[String!]!", |f| {
            f.doc("Files and directories that are new; those of directories end in `/`.")
                .resolve_async(|ctx, this, _| async move { Ok(compared(&ctx, &this).await?.added) })
        })
        .field("modifiedPaths", "[String!]!", |f| {
            f.doc("Files that are not what they were.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(compared(&ctx, &this).await?.modified) },
                )
        })
        .field("removedPaths", "[String!]!", |f| {
            f.doc("Files and directories that are gone, not what was in those directories.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(compared(&ctx, &this).await?.removed) },
                )
        })
        .field("isEmpty", "Boolean!", |f| {
            f.doc("Whether nothing changed.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(compared(&ctx, &this).await?.is_empty()) },
                )
        });
}

fn results(changes: &mut ObjectBuilder<'_, Api, ChangesetRef>) {
    changes
        .field("asPatch", "File!", |f| {
            f.doc("The change as a patch in git's format.")
                .resolve(|_, this, _| {
                    let inputs = vec![this.before.0.clone(), this.after.0.clone()];
                    Ok(FileRef(Vertex::new(Op::AsPatch, inputs)))
                })
        })
        .field("diffStats", "[DiffStat!]!", |f| {
            f.doc("What became of each file.")
                .resolve_async(|ctx, this, _| async move {
                    let (before, after) = both(&ctx, &this).await?;
                    let world = ctx.backend().engine().world();
                    let changes = world.file_changes(&before, &after).await?;
                    Ok(changes.into_iter().map(stat).collect::<Vec<_>>())
                })
        })
        .field("export", "String!", |f| {
            f.doc("Applies the change to a directory of the client's host; returns its absolute path.")
                .arg(
                    "path: String!",
                    "The directory; relative to the client's working directory.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let api = ctx.backend();
                    let path: String = args.get("path")?;
                    let host = api.host_path(ctx.client(), &path)?;
                    let removed = compared(&ctx, &this).await?.removed;
                    let layer = this.before.then(Op::Diff, [this.after.0.clone()]);
                    let layer = api.engine().directory(&layer.0).await?;
                    Ok(api.engine().export_changes(&layer, &removed, &host).await?)
                })
        })
        .field("sync", "ChangesetID!", |f| {
            f.doc("Makes everything so far happen now.")
                .resolve_async(|ctx, this, _| async move {
                    both(&ctx, &this).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        });
}

fn merges(changes: &mut ObjectBuilder<'_, Api, ChangesetRef>) {
    changes
        .field("withChangeset", "Changeset!", |f| {
            f.doc("Adds another change to this one.")
                .arg("changes: ChangesetID!", "The other change.")
                .arg(
                    "onConflict: ChangesetMergeConflict = FAIL",
                    "What to do where they conflict.",
                )
                .resolve(|ctx, this, args| {
                    let other: ChangesetRef = ctx.object(args, "changes")?;
                    Ok(merge(this, &other, policy(args)))
                })
        })
        .field("withChangesets", "Changeset!", |f| {
            f.doc("Adds other changes to this one, in order.")
                .arg("changes: [ChangesetID!]!", "The other changes.")
                .arg(
                    "onConflict: ChangesetsMergeConflict = FAIL",
                    "What to do where they conflict.",
                )
                .resolve(|ctx, this, args| {
                    let others: Vec<ChangesetRef> = ctx.objects(args, "changes")?;
                    let add =
                        |all: ChangesetRef, other: &ChangesetRef| merge(&all, other, policy(args));
                    Ok(others.iter().fold(this.clone(), add))
                })
        });
}

/// The change that makes a directory of nothing.
pub(super) fn all_of(after: DirectoryRef) -> ChangesetRef {
    ChangesetRef {
        before: DirectoryRef(Vertex::new(Op::EmptyDirectory, vec![])),
        after,
    }
}

/// A change with another one added.
pub(super) fn merge(
    ours: &ChangesetRef,
    theirs: &ChangesetRef,
    on_conflict: OnConflict,
) -> ChangesetRef {
    let inputs = vec![
        ours.before.0.clone(),
        ours.after.0.clone(),
        theirs.before.0.clone(),
        theirs.after.0.clone(),
    ];
    ChangesetRef {
        before: ours.before.clone(),
        after: DirectoryRef(Vertex::new(Op::Merge { on_conflict }, inputs)),
    }
}

fn stat(change: crate::ops::FileChange) -> DiffStat {
    DiffStat {
        path: change.path,
        old_path: change.old_path,
        kind: match change.kind {
            ChangeKind::Added => "ADDED",
            ChangeKind::Modified => "MODIFIED",
            ChangeKind::Removed => "REMOVED",
            ChangeKind::Renamed => "RENAMED",
        }
        .into(),
        added: change.added,
        removed: change.removed,
    }
}

fn stats(registry: &mut Registry<Api>) {
    let mut stat = registry.object::<DiffStat>("DiffStat");
    stat.doc("What became of a file.")
        .field("path", "String!", |f| {
            f.doc("Where it is, or was.")
                .resolve(|_, this, _| Ok(this.path.clone()))
        })
        .field("oldPath", "String", |f| {
            f.doc("Where it was, if it was moved.")
                .resolve(|_, this, _| Ok(this.old_path.clone()))
        })
        .field("kind", "DiffStatKind!", |f| {
            f.doc("What became of it.")
                .resolve(|_, this, _| Ok(this.kind.clone()))
        })
        .field("addedLines", "Int!", |f| {
            f.doc("Lines that are new; none for what is no text.")
                .resolve(|_, this, _| Ok(this.added))
        })
        .field("removedLines", "Int!", |f| {
            f.doc("Lines that are gone; none for what is no text.")
                .resolve(|_, this, _| Ok(this.removed))
        });
}
