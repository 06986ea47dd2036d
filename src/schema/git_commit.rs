//! `GitCommit`, and what a repository's history tells: logs, common ancestors, releases.

use super::{
    Ctx,
    api::Api,
    git::{named, of_repository, tree, tree_args},
    gql::{Args, FieldError, Registry},
    object::{GitCommitRef, GitRefRef, GitRepositoryRef},
    shared::Made,
};
use crate::source::{
    git::NamedCommit,
    git_log::{CommitInfo, Range},
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    commit(registry);
    signatures(registry);
    releases(registry);
    history(registry);
}

async fn info(ctx: &Ctx, this: &GitCommitRef) -> Result<CommitInfo, FieldError> {
    Ok(ctx.backend().engine().git_commit_info(&this.0).await?)
}

/// First line of a message, and what follows the empty line behind it.
fn parts(message: &str) -> (&str, &str) {
    let (first, rest) = message.split_once('\n').unwrap_or((message, ""));
    (first.trim_end(), rest.trim_start_matches('\n'))
}

fn commit(registry: &mut Registry<Api>) {
    let mut commit = registry.object::<GitCommitRef>("GitCommit");
    commit
        .doc("A commit of a repository.")
        .field("sha", "String!", |f| {
            f.doc("All digits of it.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().git_commit(&this.0).await?.commit)
                })
        })
        .field("shortSha", "String!", |f| {
            f.doc("Its first seven digits.")
                .resolve_async(|ctx, this, _| async move {
                    let mut commit = ctx.backend().engine().git_commit(&this.0).await?.commit;
                    commit.truncate(7);
                    Ok(commit)
                })
        })
        .field("message", "String!", |f| {
            f.doc("All of its message.")
                .resolve_async(|ctx, this, _| async move { Ok(info(&ctx, &this).await?.message) })
        })
        .field("messageHeadline", "String!", |f| {
            f.doc("The first line of its message.")
                .resolve_async(|ctx, this, _| async move {
                    let message = info(&ctx, &this).await?.message;
                    Ok(parts(&message).0.to_owned())
                })
        })
        .field("messageBody", "String!", |f| {
            f.doc("Its message without the first line.")
                .resolve_async(|ctx, this, _| async move {
                    let message = info(&ctx, &this).await?.message;
                    Ok(parts(&message).1.to_owned())
                })
        })
        .field("parentShas", "[String!]!", |f| {
            f.doc("The commits that it is based on.")
                .resolve_async(|ctx, this, _| async move { Ok(info(&ctx, &this).await?.parents) })
        })
        .field("tree", "Directory!", |f| {
            tree_args(f.doc("The files of the commit."))
                .resolve(|_, this, args| tree(&this.0, args))
        });
}

fn signatures(registry: &mut Registry<Api>) {
    type Part = fn(CommitInfo) -> String;
    let parts: [(&str, &'static str, Part); 6] = [
        ("authorName", "Who made the change.", |c| c.author.name),
        ("authorEmail", "Mail address of who made the change.", |c| {
            c.author.email
        }),
        (
            "authoredDate",
            "When the change was made, as ISO 8601 writes it.",
            |c| c.author.date,
        ),
        ("committerName", "Who made the commit.", |c| {
            c.committer.name
        }),
        (
            "committerEmail",
            "Mail address of who made the commit.",
            |c| c.committer.email,
        ),
        (
            "committedDate",
            "When the commit was made, as ISO 8601 writes it.",
            |c| c.committer.date,
        ),
    ];
    let mut commit = registry.object::<GitCommitRef>("GitCommit");
    for (name, doc, part) in parts {
        commit.field(name, "String!", |f| {
            f.doc(doc).resolve_async(move |ctx, this, _| async move {
                Ok(part(info(&ctx, &this).await?))
            })
        });
    }
}

fn releases(registry: &mut Registry<Api>) {
    const PRE: (&str, &str) = (
        "includePreRelease: Boolean = false",
        "Count versions such as `v1.0.0-rc.1` as well.",
    );
    fn tagged(
        this: &GitCommitRef,
        tag: Option<NamedCommit>,
    ) -> Result<Option<GitRefRef>, FieldError> {
        let repository = of_repository(&this.0);
        tag.map(|tag| named(&repository, &tag.name)).transpose()
    }
    let mut commit = registry.object::<GitCommitRef>("GitCommit");
    commit
        .field("releaseTag", "GitRef", |f| {
            f.doc("The tag that makes it a release, such as `v1.2.3`; null if it is none.")
                .arg(PRE.0, PRE.1)
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let at = engine.git_commit(&this.0).await?.commit;
                    let pre = args.flag("includePreRelease");
                    tagged(&this, engine.git_release(&this.0, Some(&at), pre).await?)
                })
        })
        .field("ancestorReleaseTag", "GitRef", |f| {
            f.doc(
                "The tag of the nearest release that it is or is based on; null if there is none.",
            )
            .arg(PRE.0, PRE.1)
            .resolve_async(|ctx, this, args| async move {
                let pre = args.flag("includePreRelease");
                let engine = ctx.backend().engine();
                tagged(&this, engine.git_release_below(&this.0, pre).await?)
            })
        });
    registry
        .object::<GitRepositoryRef>("GitRepository")
        .field("latestVersion", "GitRef!", |f| {
            f.doc("The tag of the newest release, such as `v1.2.3`.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let tag = engine.git_release(&this.0, None, false).await?;
                    let tag = tag.ok_or_else(|| {
                        FieldError::new(
                            "the repository has no tag that names a release, such as `v1.2.3`",
                        )
                    })?;
                    named(&this, &tag.name)
                })
        });
}

/// The commit with these digits, of the repository that a vertex is of.
pub(super) fn of_digits(
    repository: &GitRepositoryRef,
    sha: &str,
) -> Result<GitCommitRef, FieldError> {
    named(repository, sha).map(|name| GitCommitRef::made(name.0))
}

fn history(registry: &mut Registry<Api>) {
    let mut reference = registry.object::<GitRefRef>("GitRef");
    reference
        .field("name", "String!", |f| {
            f.doc("The full name, such as `refs/heads/main`; the commit where there is none.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().git_commit(&this.0).await?.name)
                })
        })
        .field("commitSHA", "String!", |f| {
            f.doc("All digits of the commit.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().git_commit(&this.0).await?.commit)
                })
        })
        .field("targetCommit", "GitCommit!", |f| {
            f.doc("The commit.")
                .resolve_async(|ctx, this, _| async move {
                    let found = ctx.backend().engine().git_commit(&this.0).await?;
                    of_digits(&of_repository(&this.0), &found.commit)
                })
        })
        .field("log", "[GitCommit!]!", |f| {
            f.doc("Commits, newest first.")
                .arg("limit: Int = 10", "How many.")
                .arg(
                    "paths: [String!]",
                    "Only those that changed one of these paths.",
                )
                .arg(
                    "base: GitRefID",
                    "Leave out this one and what it is based on.",
                )
                .resolve_async(|ctx, this, args| async move { log(&ctx, &this, &args).await })
        })
        .field("commonAncestor", "GitRef!", |f| {
            f.doc("The newest commit that this and another are based on.")
                .arg("other: GitRefID!", "The other.")
                .resolve_async(|ctx, this, args| async move {
                    let other: GitRefRef = ctx.object(&args, "other")?;
                    let engine = ctx.backend().engine();
                    let found = engine.git_merge_base(&this.0, &other.0).await?;
                    named(&of_repository(&this.0), &found)
                })
        });
}

async fn log(ctx: &Ctx, this: &GitRefRef, args: &Args) -> Result<Vec<GitCommitRef>, FieldError> {
    let limit: i64 = args.get("limit")?;
    let limit = usize::try_from(limit)
        .map_err(|_| FieldError::new(format!("limit is 0 or more, not {limit}")))?;
    if limit == 0 {
        return Ok(Vec::new());
    }
    let range = Range {
        paths: args.get_or_default("paths")?,
        limit: Some(limit),
        ..Range::default()
    };
    let base: Option<GitRefRef> = ctx.optional_object(args, "base")?;
    let engine = ctx.backend().engine();
    let base = base.as_ref().map(|base| &base.0);
    let commits = engine.git_log(&this.0, base, range).await?;
    let repository = of_repository(&this.0);
    let commits = commits.iter();
    commits
        .map(|commit| of_digits(&repository, &commit.sha))
        .collect()
}
