//! Changes and parts of file systems, and what can be read from them.

mod edits;
mod owners;
mod places;
mod read;

pub(super) use self::places::{place, place_mut, select_file};

use self::{
    edits::{apply, write_file},
    places::select_from,
};

use super::{
    changes::{self, Which},
    copy,
    world::World,
};
use crate::{
    error::{Error, Kind, Result},
    graph::{
        Container, Edit, File, Key, Mount, MountKind, MountSource, OnConflict, Op, Snapshot, Tree,
        Value, fingerprint,
    },
};
use nsci_snapshotter::keeper::{self, Edit as KeeperEdit};

/// An error of the keeper as the user meets it.
pub(super) fn keeper_error(error: nsci_snapshotter::Error) -> Error {
    use nsci_snapshotter::Error as E;
    let kind = match &error {
        E::NotFound { .. }
        | E::NotADirectory { .. }
        | E::IsADirectory { .. }
        | E::InvalidPath { .. }
        | E::UnknownUser { .. } => return Error::invalid(error.to_string()),
        E::ChangedWhileReading { .. } => {
            return Error::invalid(error.to_string())
                .hint("let what writes to it finish before its files are taken");
        }
        E::DigestMismatch { .. } | E::InvalidLayer { .. } => Kind::Outside,
        E::Io { source, .. }
            if source.raw_os_error() == Some(rustix::io::Errno::NOSPC.raw_os_error()) =>
        {
            return Error::caused(Kind::Host, "no space left for nsci's store", error)
                .hint("`nsci cache prune` frees what no run needs");
        }
        E::Io { .. } => Kind::Host,
        _ => Kind::Internal,
    };
    Error::caused(kind, "cannot work on files", error)
}

/// An error of the store as the user meets it.
pub(super) fn store_error(error: nsci_snapshotter::Error) -> Error {
    keeper_error(error)
}

/// What the user calls the change.
pub(super) fn describe(edit: &Edit) -> String {
    match edit {
        Edit::Directory(copy) => format!("withDirectory {}", copy.path),
        Edit::File(copy) => format!("withFile {}", copy.path),
        Edit::Files(copy) => format!("withFiles {}", copy.path),
        Edit::Copy(copy) => format!("copy {} {}", copy.sources.join(" "), copy.to.path),
        Edit::NewFile { to, .. } => format!("withNewFile {}", to.path),
        Edit::NewDirectory(to) => format!("withNewDirectory {}", to.path),
        Edit::Remove { paths, .. } => format!("without {}", paths.join(" ")),
        Edit::Symlink { path, .. } => format!("withSymlink {path}"),
        Edit::Timestamps { .. } => "withTimestamps".into(),
        Edit::Chown { path, .. } => format!("chown {path}"),
    }
}

/// The container that an input is.
pub(super) fn container(value: &Value) -> Result<&Container> {
    match value {
        Value::Container(container) => Ok(container),
        other => Err(Error::internal(format!(
            "expected a container, got {other:?}"
        ))),
    }
}

pub(super) fn tree(value: &Value) -> Result<&Tree> {
    match value {
        Value::Directory(tree) => Ok(tree),
        other => Err(Error::internal(format!(
            "expected a directory, got {other:?}"
        ))),
    }
}

fn file(value: &Value) -> Result<&File> {
    match value {
        Value::File(file) => Ok(file),
        other => Err(Error::internal(format!("expected a file, got {other:?}"))),
    }
}

/// Hash of what an operation can see of its input.
pub(super) async fn content_digest(
    world: &World,
    op: &Op,
    at: usize,
    input: &Value,
) -> Result<Key> {
    match input {
        Value::Container(container) => {
            let mut mounts = Vec::new();
            for mount in &container.mounts {
                if let MountKind::Directory { tree, .. } = &mount.kind {
                    mounts.push((&mount.target, world.tree_digest(tree).await?));
                }
            }
            let config = &container.config;
            let seen = (
                &container.rootfs.digest,
                mounts,
                &config.workdir,
                &config.user,
                &config.env,
            );
            Ok(fingerprint("seen-container", &seen))
        }
        // The receiver of a change keeps its place in a state, so that place counts too.
        Value::Directory(tree) if at == 0 && matches!(op, Op::Edit(_)) => Ok(fingerprint(
            "seen-place",
            &(&tree.snapshot.digest, &tree.path),
        )),
        Value::Directory(tree) => match op {
            Op::Edit(Edit::Copy(copy)) => copy::seen(world, copy, tree).await,
            _ => world.tree_digest(tree).await,
        },
        Value::File(file) => Ok(fingerprint(
            "seen-file",
            &(world.file_digest(file).await?, file.name()),
        )),
        Value::Service(service) => Ok(service.digest.clone()),
    }
}

/// Carries out an operation on files.
pub(super) async fn run(world: &World, op: &Op, inputs: &[Value]) -> Result<Value> {
    match op {
        Op::EmptyDirectory => Ok(Value::Directory(Tree::whole(Snapshot::empty()))),
        Op::HostDirectory { .. } => {
            let scan = world.scan_of(op).await?;
            world
                .import(&scan)
                .await
                .map(|snapshot| Value::Directory(Tree::whole(snapshot)))
        }
        Op::HostFile { .. } => {
            let scan = world.scan_of(op).await?;
            let snapshot = world.import(&scan).await?;
            Ok(Value::File(File {
                snapshot,
                path: format!("/{}", scan.name()),
            }))
        }
        Op::Captured { snapshot, file } => Ok(match file {
            None => Value::Directory(Tree::whole(snapshot.clone())),
            Some(name) => Value::File(File {
                snapshot: snapshot.clone(),
                path: format!("/{name}"),
            }),
        }),
        Op::Http(ask) => world.http_file(ask).await.map(Value::File),
        Op::GitTree(ask) => world.git_tree(ask, inputs.first()).await,
        Op::Mount {
            target,
            source,
            expand,
        } => {
            let mut container = container(&inputs[0])?.clone();
            let target = place(&container, target, *expand);
            let kind = mount_kind(world, source, &container, inputs.get(1)).await?;
            container.mounts.retain(|mount| mount.target != target);
            container.mounts.push(Mount { target, kind });
            Ok(Value::Container(Box::new(container)))
        }
        Op::Unmount { target, expand } => {
            let mut container = container(&inputs[0])?.clone();
            let target = place(&container, target, *expand);
            container.mounts.retain(|mount| mount.target != target);
            Ok(Value::Container(Box::new(container)))
        }
        Op::WithRootfs => {
            let mut container = container(&inputs[0])?.clone();
            container.rootfs = world.flatten(tree(&inputs[1])?).await?;
            container.last = None;
            Ok(Value::Container(Box::new(container)))
        }
        Op::Select(select) => select_from(&inputs[0], select),
        Op::Edit(edit) => apply(world, edit, inputs).await,
        Op::Diff => {
            let lower = world.flatten(tree(&inputs[0])?).await?;
            let upper = world.flatten(tree(&inputs[1])?).await?;
            let (lower, upper) = (
                world.mountable(&lower).await?,
                world.mountable(&upper).await?,
            );
            let layer = world
                .keeper(move |keeper| keeper.diff(&lower, &upper))
                .await?;
            Ok(Value::Directory(Tree::whole(Snapshot::of(
                layer.map(|layer| layer.id),
            ))))
        }
        Op::Filter {
            include,
            exclude,
            gitignore,
        } => {
            let tree = tree(&inputs[0])?;
            let snapshot = world.copy_part(tree, include, exclude, *gitignore).await?;
            Ok(Value::Directory(Tree::whole(snapshot)))
        }
        Op::NewFile {
            name,
            contents,
            permissions,
        } => {
            check_name(name)?;
            let edit = write_file(format!("/{name}"), contents, *permissions, (0, 0));
            let snapshot = world.edit(&Snapshot::empty(), vec![edit]).await?;
            Ok(Value::File(File {
                snapshot,
                path: format!("/{name}"),
            }))
        }
        Op::RenameFile { name } => {
            check_name(name)?;
            let path = format!("/{name}");
            let copy = world.copy_of(file(&inputs[0])?, &path, None, None).await?;
            let snapshot = world.edit(&Snapshot::empty(), vec![copy]).await?;
            Ok(Value::File(File { snapshot, path }))
        }
        Op::EditFile { timestamp, owner } => {
            let source = file(&inputs[0])?;
            let path = format!("/{}", source.name());
            let owner = match owner {
                Some(owner) => Some(world.numeric_owner(owner)?),
                None => None,
            };
            let mut edits = vec![world.copy_of(source, &path, owner, None).await?];
            if let Some(seconds) = timestamp {
                edits.push(KeeperEdit::Timestamps {
                    path: path.clone(),
                    seconds: *seconds,
                });
            }
            let snapshot = world.edit(&Snapshot::empty(), edits).await?;
            Ok(Value::File(File { snapshot, path }))
        }
        Op::Replace {
            search,
            replacement,
            all,
            first_from,
        } => {
            let which = match (all, first_from) {
                (true, _) => Which::All,
                (false, Some(line)) => Which::From(*line),
                (false, None) => Which::Only,
            };
            let source = file(&inputs[0])?;
            let file = changes::replaced(world, source, search, replacement, which).await?;
            Ok(Value::File(file))
        }
        Op::Patch { on_conflict } => {
            let text = world.read_file(file(&inputs[1])?).await?;
            let mark = *on_conflict == OnConflict::LeaveMarkers;
            let patched = world.apply_patch(tree(&inputs[0])?, &text, mark).await?;
            Ok(Value::Directory(Tree::whole(patched)))
        }
        Op::AsPatch => {
            let [before, after] = changes::trees(inputs)?;
            let file = changes::patch_file(world, before, after).await?;
            Ok(Value::File(file))
        }
        Op::WithChanges => {
            let [base, before, after] = changes::trees(inputs)?;
            let changed = world.with_changes(base, before, after).await?;
            Ok(Value::Directory(Tree::whole(changed)))
        }
        Op::Merge { on_conflict } => {
            let [before, after, their_before, their_after] = changes::trees(inputs)?;
            let theirs = (their_before, their_after);
            let merged = world
                .merge_changes((before, after), theirs, *on_conflict)
                .await?;
            Ok(Value::Directory(Tree::whole(merged)))
        }
        Op::Fail { message } => Err(Error::new(Kind::Function(Vec::new()), message.clone())),
        Op::Scratch { .. }
        | Op::From { .. }
        | Op::Import { .. }
        | Op::Tarball(_)
        | Op::Manifest(_)
        | Op::Layer { .. }
        | Op::Exec(_)
        | Op::Configure(_)
        | Op::Service(_)
        | Op::BindService { .. }
        | Op::DockerBuild(_) => Err(Error::internal(format!("{op:?} is no operation on files"))),
    }
}

fn check_name(name: &str) -> Result<()> {
    if name.is_empty() || name.contains('/') || name == "." || name == ".." {
        return Err(Error::invalid(format!("`{name}` is no file name")));
    }
    if name.len() > 255 {
        return Err(Error::invalid(format!(
            "file name of {} bytes is too long: {name}",
            name.len()
        ))
        .hint("file systems allow 255 bytes"));
    }
    Ok(())
}

async fn mount_kind(
    world: &World,
    source: &MountSource,
    container: &Container,
    input: Option<&Value>,
) -> Result<MountKind> {
    let missing = || Error::internal("a mount lacks its source");
    Ok(match source {
        MountSource::Directory { owner, readonly } => {
            let mut tree = tree(input.ok_or_else(missing)?)?.clone();
            if let Some(owner) = world.owner_in(container, owner).await? {
                tree = Tree::whole(world.copy_owned(&tree, owner).await?);
            }
            MountKind::Directory {
                tree,
                readonly: *readonly,
            }
        }
        MountSource::Bind { readonly } => {
            let tree = tree(input.ok_or_else(missing)?)?.clone();
            let stat = match tree.path.as_str() {
                "/" => None,
                _ => world.stat(&tree, "/", true).await?,
            };
            match stat {
                Some(stat) if stat.kind != keeper::FileKind::Dir => MountKind::File(File {
                    snapshot: tree.snapshot,
                    path: stat.path,
                }),
                _ => MountKind::Directory {
                    tree,
                    readonly: *readonly,
                },
            }
        }
        MountSource::File { owner } => {
            let mut source = file(input.ok_or_else(missing)?)?.clone();
            if let Some(owner) = world.owner_in(container, owner).await? {
                let path = format!("/{}", source.name());
                let copy = world.copy_of(&source, &path, Some(owner), None).await?;
                source = File {
                    snapshot: world.edit(&Snapshot::empty(), vec![copy]).await?,
                    path,
                };
            }
            MountKind::File(source)
        }
        MountSource::Cache {
            volume,
            sharing,
            owner,
        } => MountKind::Cache {
            volume: volume.clone(),
            sharing: *sharing,
            owner: world.numeric(container, owner).await?,
            seed: input.map(tree).transpose()?.cloned(),
        },
        MountSource::Temp { size } => MountKind::Temp { size: *size },
        MountSource::Secret {
            secret,
            owner,
            mode,
        } => MountKind::Secret {
            secret: secret.clone(),
            identity: world.secret_identity(secret).await?,
            owner: world.numeric(container, owner).await?,
            mode: *mode,
        },
        MountSource::Socket { socket, owner } => MountKind::Socket {
            socket: socket.clone(),
            owner: world.numeric(container, owner).await?,
        },
    })
}
