//! `GitRepository` and `GitRef`: repositories, what they name, and the files behind a name.

use super::{
    Ctx,
    api::Api,
    git_commit::of_digits,
    gql::{Args, FieldError, Registry},
    object::{DirectoryRef, GitRefRef, GitRepositoryRef, Root, ServiceRef},
    shared::{Field, Made},
};
use crate::graph::{GitRepository, GitTree, Op, Service, SocketRef, Vertex};
use std::sync::Arc;

pub(super) fn declare(registry: &mut Registry<Api>) {
    entrances(registry);
    repository(registry);
    reference(registry);
}

fn entrances(registry: &mut Registry<Api>) {
    registry.query::<Root>().field("git", "GitRepository!", |f| {
        f.doc("A git repository. The client's own git asks for it, with the credentials, agents and rules it has.")
            .arg("url: String!", "Its address: `https://…`, `ssh://…`, `git@host:…`, or a path of the client's host.")
            .arg("keepGitDir: Boolean = true", "Whether trees have their `.git` directory.")
            .arg("sshKnownHosts: String = \"\"", "Contents of a known-hosts file; hosts that it does not list are refused.")
            .arg("sshAuthSocket: SocketID", "Socket of an ssh agent.")
            .arg("httpAuthUsername: String = \"\"", "User name that goes with the token.")
            .arg("httpAuthToken: SecretID", "Password or token.")
            .arg("httpAuthHeader: SecretID", "Value of the `Authorization` header.")
            .arg("experimentalServiceHost: ServiceID", "The service that its host is.")
            .resolve_async(|ctx, _, args| async move {
                let url: String = args.get("url")?;
                let repository = GitRepository {
                    url: address(&ctx, &url)?,
                    username: args.get("httpAuthUsername")?,
                    token: ctx.optional_object(&args, "httpAuthToken")?,
                    header: ctx.optional_object(&args, "httpAuthHeader")?,
                    ssh_socket: ctx.optional_object::<SocketRef>(&args, "sshAuthSocket")?,
                    known_hosts: args.get("sshKnownHosts")?,
                    service: service_host(&ctx, &args).await?,
                };
                Ok(opened(repository, args.flag("keepGitDir")))
            })
    });
    registry
        .object::<DirectoryRef>("Directory")
        .field("asGit", "GitRepository!", |f| {
            f.doc("The directory as a git repository; it must have a `.git` directory.")
                .resolve(|_, this, _| {
                    let ask = GitTree {
                        name: "HEAD".into(),
                        depth: 1,
                        ..GitTree::default()
                    };
                    let vertex = Vertex::new(Op::GitTree(ask), vec![Arc::clone(&this.0)]);
                    Ok(GitRepositoryRef::made(vertex))
                })
        });
}

/// A repository at its head.
fn opened(repository: GitRepository, keep_git_dir: bool) -> GitRepositoryRef {
    let ask = GitTree {
        repository,
        name: "HEAD".into(),
        discard_git_dir: !keep_git_dir,
        depth: 1,
        tags: false,
    };
    GitRepositoryRef::made(Vertex::new(Op::GitTree(ask), vec![]))
}

/// The repository at an address.
pub(super) fn repository_at(ctx: &Ctx, url: &str) -> Result<GitRepositoryRef, FieldError> {
    let repository = GitRepository {
        url: address(ctx, url)?,
        ..GitRepository::default()
    };
    Ok(opened(repository, true))
}

/// The service that the host of an address is.
pub(super) async fn service_host(
    ctx: &Ctx,
    args: &Args,
) -> Result<Option<Box<Service>>, FieldError> {
    let service: Option<ServiceRef> = ctx.optional_object(args, "experimentalServiceHost")?;
    Ok(match service {
        Some(service) => Some(Box::new(ctx.backend().engine().service(&service.0).await?)),
        None => None,
    })
}

/// The address as git understands it: host names without a scheme are asked by https, paths are those of the client.
pub(super) fn address(ctx: &Ctx, url: &str) -> Result<String, FieldError> {
    if url.is_empty() || url.starts_with('-') || url.chars().any(char::is_control) {
        return Err(FieldError::new(format!(
            "`{url}` is no address of a repository"
        )));
    }
    let scp = || {
        let (host, rest) = url.split_once(':')?;
        (!host.contains('/') && !rest.starts_with("//")).then_some(())
    };
    if url.contains("://") || scp().is_some() {
        return Ok(url.to_owned());
    }
    if url.starts_with(['/', '.', '~']) {
        let path = ctx.backend().host_path(ctx.client(), url)?;
        return Ok(path.to_string_lossy().into_owned());
    }
    Ok(format!("https://{url}"))
}

/// What a vertex asks of its repository.
fn asked(vertex: &Arc<Vertex>) -> GitTree {
    match vertex.op() {
        Op::GitTree(ask) => ask.clone(),
        _ => GitTree::default(),
    }
}

/// The same repository under another name of it.
pub(super) fn named(repository: &GitRepositoryRef, name: &str) -> Result<GitRefRef, FieldError> {
    if name.is_empty() || name.starts_with('-') || name.chars().any(|c| c.is_control() || c == ' ')
    {
        return Err(FieldError::new(format!(
            "`{name}` is no name of a branch, tag or commit"
        )));
    }
    let ask = GitTree {
        name: name.to_owned(),
        ..asked(&repository.0)
    };
    Ok(GitRefRef::made(Vertex::new(
        Op::GitTree(ask),
        repository.0.inputs().to_vec(),
    )))
}

/// The repository of something that a vertex names.
pub(super) fn of_repository(vertex: &Arc<Vertex>) -> GitRepositoryRef {
    GitRepositoryRef(Arc::clone(vertex))
}

fn repository(registry: &mut Registry<Api>) {
    let mut repository = registry.object::<GitRepositoryRef>("GitRepository");
    repository
        .doc("A git repository.")
        .field("head", "GitRef!", |f| {
            f.doc("What the repository is at: for a remote one its default branch.")
                .resolve(|_, this, _| named(this, "HEAD"))
        })
        .field("ref", "GitRef!", |f| {
            f.doc("A branch, tag, commit or full name of a reference.")
                .arg("name: String!", "The name.")
                .resolve(|_, this, args| named(this, &args.get::<String>("name")?))
        })
        .field("branch", "GitRef!", |f| {
            f.doc("A branch.")
                .arg("name: String!", "Its name.")
                .resolve(|_, this, args| {
                    let name: String = args.get("name")?;
                    named(
                        this,
                        &format!("refs/heads/{}", name.trim_start_matches("refs/heads/")),
                    )
                })
        })
        .field("tag", "GitRef!", |f| {
            f.doc("A tag.")
                .arg("name: String!", "Its name.")
                .resolve(|_, this, args| {
                    let name: String = args.get("name")?;
                    named(
                        this,
                        &format!("refs/tags/{}", name.trim_start_matches("refs/tags/")),
                    )
                })
        })
        .field("commit", "GitRef!", |f| {
            f.doc("A commit.")
                .until(1, 0, 0)
                .arg("id: String!", "All digits of it.")
                .resolve(|_, this, args| named(this, &digits(args)?))
        })
        .field("commit", "GitCommit!", |f| {
            f.doc("A commit.")
                .since(1, 0, 0)
                .arg("id: String!", "All digits of it.")
                .resolve(|_, this, args| of_digits(this, &digits(args)?))
        })
        .field("branches", "[String!]!", |f| {
            f.doc("The names of the branches.")
                .arg(
                    "patterns: [String!]",
                    "Only those that match one of these patterns.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let patterns: Option<Vec<String>> = args.get("patterns")?;
                    names(&ctx, &this, "refs/heads/", &patterns.unwrap_or_default()).await
                })
        })
        .field("tags", "[String!]!", |f| {
            f.doc("The names of the tags.")
                .arg(
                    "patterns: [String!]",
                    "Only those that match one of these patterns.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let patterns: Option<Vec<String>> = args.get("patterns")?;
                    names(&ctx, &this, "refs/tags/", &patterns.unwrap_or_default()).await
                })
        })
        .field("url", "String", |f| {
            f.doc("The address; null for a directory.")
                .resolve(|_, this, _| {
                    let url = asked(&this.0).repository.url;
                    Ok((!url.is_empty()).then_some(url))
                })
        })
        .field("withAuthToken", "GitRepository!", |f| {
            f.doc("The repository with a token.")
                .arg("token: SecretID!", "The token.")
                .deprecated("Use `httpAuthToken` of `git`.")
                .resolve(|ctx, this, args| {
                    let token = Some(ctx.object(args, "token")?);
                    Ok(changed(this, |repository| repository.token = token))
                })
        })
        .field("withAuthHeader", "GitRepository!", |f| {
            f.doc("The repository with a header.")
                .arg("header: SecretID!", "Value of the `Authorization` header.")
                .deprecated("Use `httpAuthHeader` of `git`.")
                .resolve(|ctx, this, args| {
                    let header = Some(ctx.object(args, "header")?);
                    Ok(changed(this, |repository| repository.header = header))
                })
        });
}

/// The argument that names a commit.
fn digits(args: &Args) -> Result<String, FieldError> {
    let id: String = args.get("id")?;
    match matches!(id.len(), 40 | 64) && id.bytes().all(|b| b.is_ascii_hexdigit()) {
        true => Ok(id),
        false => Err(FieldError::new(format!(
            "`{id}` is no commit: write all 40 digits, or use `ref` for branches and tags"
        ))),
    }
}

fn changed(this: &GitRepositoryRef, change: impl FnOnce(&mut GitRepository)) -> GitRepositoryRef {
    let mut ask = asked(&this.0);
    change(&mut ask.repository);
    GitRepositoryRef::made(Vertex::new(Op::GitTree(ask), this.0.inputs().to_vec()))
}

async fn names(
    ctx: &Ctx,
    repository: &GitRepositoryRef,
    prefix: &str,
    patterns: &[String],
) -> Result<Vec<String>, FieldError> {
    let refs = ctx.backend().engine().git_refs(&repository.0).await?;
    let mut matchers = Vec::new();
    for pattern in patterns {
        let text = pattern.strip_prefix(prefix).unwrap_or(pattern);
        let glob = globset::Glob::new(text)
            .map_err(|error| FieldError::new(format!("`{pattern}` is no pattern: {error}")))?;
        matchers.push(glob.compile_matcher());
    }
    let names = refs.into_iter().filter_map(|known| {
        let name = known.name.strip_prefix(prefix)?.to_owned();
        (matchers.is_empty() || matchers.iter().any(|m| m.is_match(&name))).then_some(name)
    });
    Ok(names.collect())
}

/// Arguments of fields that give files of a commit.
pub(super) fn tree_args<T: super::gql::FromObject<super::Object> + 'static>(
    field: Field<T>,
) -> Field<T> {
    field
        .arg(
            "discardGitDir: Boolean = false",
            "Leave out the `.git` directory.",
        )
        .arg("depth: Int = 1", "Commits of history in `.git`; 0 for all.")
        .arg("includeTags: Boolean = false", "Have all tags in `.git`.")
}

/// The files of the commit that a vertex names.
pub(super) fn tree(vertex: &Arc<Vertex>, args: &Args) -> Result<DirectoryRef, FieldError> {
    let ask = asked_tree(vertex, args)?;
    let vertex = Vertex::new(Op::GitTree(ask), vertex.inputs().to_vec());
    Ok(DirectoryRef::made(vertex))
}

fn asked_tree(vertex: &Arc<Vertex>, args: &Args) -> Result<GitTree, FieldError> {
    let mut ask = asked(vertex);
    ask.discard_git_dir |= args.flag("discardGitDir");
    let depth: i64 = args.get("depth")?;
    ask.depth = u32::try_from(depth)
        .map_err(|_| FieldError::new(format!("depth is 0 or more, not {depth}")))?;
    ask.tags = args.flag("includeTags");
    Ok(ask)
}

fn reference(registry: &mut Registry<Api>) {
    let mut reference = registry.object::<GitRefRef>("GitRef");
    reference
        .doc("A name of a repository: a branch, a tag or a commit.")
        .field("tree", "Directory!", |f| {
            tree_args(f.doc("The files of the commit."))
                .older_arg(
                    "sshKnownHosts: String",
                    "Contents of a known-hosts file (older clients).",
                )
                .older_arg(
                    "sshAuthSocket: SocketID",
                    "Socket of an ssh agent (older clients).",
                )
                .resolve(|ctx, this, args| {
                    let mut ask = asked_tree(&this.0, args)?;
                    if let Some(known) = args.get::<Option<String>>("sshKnownHosts")? {
                        ask.repository.known_hosts = known;
                    }
                    if let Some(socket) = ctx.optional_object::<SocketRef>(args, "sshAuthSocket")? {
                        ask.repository.ssh_socket = Some(socket);
                    }
                    let vertex = Vertex::new(Op::GitTree(ask), this.0.inputs().to_vec());
                    Ok(DirectoryRef::made(vertex))
                })
        })
        .field("commit", "String!", |f| {
            f.doc("The commit.")
                .deprecated("Use `commitSHA`.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().git_commit(&this.0).await?.commit)
                })
        })
        .field("ref", "String!", |f| {
            f.doc("The full name, such as `refs/heads/main`; the commit where there is none.")
                .deprecated("Use `name`.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().git_commit(&this.0).await?.name)
                })
        });
}
