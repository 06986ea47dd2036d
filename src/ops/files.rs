//! Changes and parts of file systems, and what can be read from them.

use super::{
    changes::{self, Which},
    copy,
    paths::{absolute, below, expand_vars},
    world::World,
};
use crate::{
    error::{Error, Kind, Result},
    graph::{
        Container, Copy, Edit, File, Key, Mount, MountKind, MountSource, OnConflict, Op, Ownership,
        Select, Snapshot, Tree, Value, fingerprint,
    },
};
use nsci_snapshotter::{
    LayerId,
    keeper::{self, Data, DirEntry, Edit as KeeperEdit, Export, ExportKind, Exported, Stat},
};
use std::{path::PathBuf, time::Duration};

/// An error of the keeper as the user meets it.
pub(super) fn keeper_error(error: nsci_snapshotter::Error) -> Error {
    use nsci_snapshotter::Error as E;
    let kind = match &error {
        E::NotFound { .. }
        | E::NotADirectory { .. }
        | E::IsADirectory { .. }
        | E::InvalidPath { .. }
        | E::UnknownUser { .. } => return Error::invalid(error.to_string()),
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

/// A container's path, absolute.
pub(super) fn place(container: &Container, path: &str, expand: bool) -> String {
    if expand {
        absolute(container.workdir(), &expand_vars(path, container))
    } else {
        absolute(container.workdir(), path)
    }
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

fn select_from(value: &Value, select: &Select) -> Result<Value> {
    Ok(match (value, select) {
        (Value::Container(container), Select::Rootfs) => {
            Value::Directory(Tree::whole(container.rootfs.clone()))
        }
        (Value::Container(container), Select::Directory { path, expand }) => {
            let (snapshot, path) = locate(container, &place(container, path, *expand))?;
            Value::Directory(Tree { snapshot, path })
        }
        (Value::Container(container), Select::File { path, expand }) => {
            Value::File(select_file(container, &place(container, path, *expand))?)
        }
        (Value::Directory(tree), Select::Directory { path, .. }) => Value::Directory(Tree {
            snapshot: tree.snapshot.clone(),
            path: inside(tree, path),
        }),
        (Value::Directory(tree), Select::File { path, .. }) => Value::File(File {
            snapshot: tree.snapshot.clone(),
            path: inside(tree, path),
        }),
        (other, select) => {
            return Err(Error::internal(format!(
                "cannot select {select:?} of {other:?}"
            )));
        }
    })
}

/// A file of a container, by absolute path.
pub(super) fn select_file(container: &Container, path: &str) -> Result<File> {
    let (snapshot, path) = locate(container, path)?;
    Ok(File { snapshot, path })
}

/// The path in a tree's state of a path relative to the tree, which it cannot leave.
fn inside(tree: &Tree, path: &str) -> String {
    absolute(&tree.path, absolute("/", path).trim_start_matches('/'))
}

/// Where a container's absolute path really is: in its root file system or in a mount.
fn locate(container: &Container, path: &str) -> Result<(Snapshot, String)> {
    let covering = container
        .mounts
        .iter()
        .filter_map(|mount| below(&mount.target, path).map(|rest| (mount, rest)))
        .max_by_key(|(mount, _)| mount.target.len());
    let Some((mount, rest)) = covering else {
        return Ok((container.rootfs.clone(), path.to_owned()));
    };
    match &mount.kind {
        MountKind::Directory { tree, .. } => Ok((tree.snapshot.clone(), inside(tree, rest))),
        MountKind::File(file) if rest.is_empty() => Ok((file.snapshot.clone(), file.path.clone())),
        kind => {
            let what = match kind {
                MountKind::Cache { .. } => "cache",
                MountKind::Temp { .. } => "tmpfs",
                MountKind::Secret { .. } => "secret",
                MountKind::Socket { .. } => "socket",
                MountKind::File(_) | MountKind::Directory { .. } => "file",
            };
            Err(
                Error::invalid(format!("{path}: cannot retrieve path from {what}")).hint(format!(
                    "{} is a {what} mount; copy the file out of it in a command",
                    mount.target
                )),
            )
        }
    }
}

/// The state that a container's absolute path is in, to be changed, and the path in it.
pub(super) fn place_mut<'c>(
    container: &'c mut Container,
    path: &str,
) -> Result<(&'c mut Snapshot, String)> {
    let covering = container
        .mounts
        .iter_mut()
        .filter(|mount| below(&mount.target, path).is_some())
        .max_by_key(|mount| mount.target.len());
    let Some(mount) = covering else {
        return Ok((&mut container.rootfs, path.to_owned()));
    };
    let rest = below(&mount.target, path).unwrap_or_default();
    match &mut mount.kind {
        MountKind::Directory { tree, .. } => {
            let path = inside(tree, rest);
            Ok((&mut tree.snapshot, path))
        }
        MountKind::File(file) if rest.is_empty() => {
            let path = file.path.clone();
            Ok((&mut file.snapshot, path))
        }
        _ => Err(Error::invalid(format!(
            "cannot write {path}: {} is a mount that only commands can write to",
            mount.target
        ))),
    }
}

/// Where a change goes: a state, and how it becomes the result again.
struct Target {
    snapshot: Snapshot,
    /// Absolute path in the state of what the change is relative to.
    base: String,
    /// Mount of the container that the state belongs to.
    mount: Option<String>,
}

async fn apply(world: &World, edit: &Edit, inputs: &[Value]) -> Result<Value> {
    let (receiver, sources) = inputs
        .split_first()
        .ok_or_else(|| Error::internal("no receiver"))?;
    let main = main_path(edit);
    let target = target_of(receiver, main)?;
    let edits = lower(world, edit, receiver, &target, sources).await?;
    let snapshot = world.edit(&target.snapshot, edits).await?;
    Ok(match receiver {
        Value::Container(container) => {
            let mut container = container.clone();
            match target.mount {
                None => container.rootfs = snapshot,
                Some(at) => {
                    for mount in &mut container.mounts {
                        if mount.target == at
                            && let MountKind::Directory { tree, .. } = &mut mount.kind
                        {
                            tree.snapshot = snapshot.clone();
                        }
                    }
                }
            }
            Value::Container(container)
        }
        Value::Directory(tree) => Value::Directory(Tree {
            snapshot,
            path: tree.path.clone(),
        }),
        Value::File(_) | Value::Service(_) => {
            return Err(Error::internal(
                "only containers and directories are edited in place",
            ));
        }
    })
}

/// The path that says which file system a change is about, with whether variables count.
fn main_path(edit: &Edit) -> (&str, bool) {
    match edit {
        Edit::Directory(to) | Edit::File(to) | Edit::Files(to) | Edit::NewDirectory(to) => {
            (&to.path, to.expand)
        }
        Edit::Copy(copy) => (&copy.to.path, copy.to.expand),
        Edit::NewFile { to, .. } => (&to.path, to.expand),
        Edit::Remove { paths, expand } => (paths.first().map_or("/", String::as_str), *expand),
        Edit::Symlink { path, expand, .. } => (path, *expand),
        Edit::Chown { path, .. } => (path, false),
        Edit::Timestamps { .. } => ("/", false),
    }
}

fn target_of(receiver: &Value, (path, expand): (&str, bool)) -> Result<Target> {
    match receiver {
        Value::Directory(tree) => Ok(Target {
            snapshot: tree.snapshot.clone(),
            base: tree.path.clone(),
            mount: None,
        }),
        Value::Container(container) => {
            let at = place(container, path, expand);
            let mount = container
                .mounts
                .iter()
                .filter(|mount| below(&mount.target, &at).is_some_and(|rest| !rest.is_empty()))
                .max_by_key(|mount| mount.target.len());
            match mount {
                Some(Mount {
                    target,
                    kind: MountKind::Directory { tree, .. },
                }) => Ok(Target {
                    snapshot: tree.snapshot.clone(),
                    base: tree.path.clone(),
                    mount: Some(target.clone()),
                }),
                Some(mount) => Err(Error::invalid(format!(
                    "cannot write {at}: {} is a mount that only commands can write to",
                    mount.target
                ))),
                None => Ok(Target {
                    snapshot: container.rootfs.clone(),
                    base: "/".into(),
                    mount: None,
                }),
            }
        }
        Value::File(_) | Value::Service(_) => Err(Error::internal(
            "only containers and directories are edited in place",
        )),
    }
}

/// Says a change in the keeper's words.
async fn lower(
    world: &World,
    edit: &Edit,
    receiver: &Value,
    target: &Target,
    sources: &[Value],
) -> Result<Vec<KeeperEdit>> {
    let resolve = |path: &str, expand: bool| -> String {
        let in_receiver = match receiver {
            Value::Container(container) => place(container, path, expand),
            _ => absolute("/", path),
        };
        let rest = match &target.mount {
            Some(mount) => below(mount, &in_receiver).unwrap_or_default().to_owned(),
            None => in_receiver.trim_start_matches('/').to_owned(),
        };
        let resolved = absolute(&target.base, &rest);
        // A trailing slash says that the destination is a directory.
        if path.ends_with('/') && resolved != "/" {
            resolved + "/"
        } else {
            resolved
        }
    };
    let owner = async |to: &Copy| world.owner_for(receiver, &to.owner).await;
    Ok(match edit {
        Edit::Directory(to) => {
            let source = tree(&sources[0])?;
            let mut copy = keeper::Copy::all(
                world.mountable(&source.snapshot).await?,
                &source.path,
                resolve(&to.path, to.expand).trim_end_matches('/'),
            );
            copy.owner = owner(to).await?;
            copy.mode = to.permissions;
            copy.expect = keeper::Expect::Dir;
            // An empty state has no root directory to copy; the destination is made all the same.
            copy.allow_missing = source.path == "/";
            let (uid, gid) = copy.owner.unwrap_or_default();
            let path = resolve(&to.path, to.expand);
            let mkdir = KeeperEdit::Mkdir {
                path,
                mode: 0o755,
                uid,
                gid,
            };
            vec![mkdir, KeeperEdit::Copy(Box::new(copy))]
        }
        Edit::File(to) => {
            let path = resolve(&to.path, to.expand);
            let owner = owner(to).await?;
            vec![
                world
                    .copy_of(file(&sources[0])?, &path, owner, to.permissions)
                    .await?,
            ]
        }
        Edit::Files(to) => {
            let owner = owner(to).await?;
            let directory = resolve(&to.path, to.expand);
            let mut edits = Vec::new();
            for source in sources {
                let source = file(source)?;
                let path = format!("{}/{}", directory.trim_end_matches('/'), source.name());
                edits.push(world.copy_of(source, &path, owner, to.permissions).await?);
            }
            edits
        }
        Edit::Copy(wanted) => {
            let to = copy::Destination {
                path: resolve(&wanted.to.path, wanted.to.expand),
                snapshot: &target.snapshot,
                owner: owner(&wanted.to).await?,
            };
            copy::edits(world, wanted, tree(&sources[0])?, &to).await?
        }
        Edit::NewFile { to, contents } => {
            let path = resolve(&to.path, to.expand);
            check_name(path.rsplit('/').next().unwrap_or_default())?;
            let owner = owner(to).await?.unwrap_or_default();
            vec![write_file(
                path,
                contents,
                to.permissions.unwrap_or(0o644),
                owner,
            )]
        }
        Edit::NewDirectory(to) => {
            let (uid, gid) = owner(to).await?.unwrap_or_default();
            let mode = to.permissions.unwrap_or(0o755);
            vec![KeeperEdit::Mkdir {
                path: resolve(&to.path, to.expand),
                mode,
                uid,
                gid,
            }]
        }
        Edit::Remove { paths, expand } => paths
            .iter()
            .map(|path| KeeperEdit::Remove {
                path: resolve(path, *expand).trim_end_matches('/').to_owned(),
                glob: path.contains(['*', '?', '[']),
            })
            .collect(),
        Edit::Symlink {
            target: says,
            path,
            expand,
        } => {
            let says = match receiver {
                Value::Container(container) if *expand => expand_vars(says, container),
                _ => says.clone(),
            };
            vec![KeeperEdit::Symlink {
                target: says,
                path: resolve(path, *expand),
                uid: 0,
                gid: 0,
            }]
        }
        Edit::Timestamps { seconds } => {
            vec![KeeperEdit::Timestamps {
                path: target.base.clone(),
                seconds: *seconds,
            }]
        }
        Edit::Chown { path, owner } => {
            let owner = Ownership::Named(owner.clone());
            let (uid, gid) = world.owner_for(receiver, &owner).await?.unwrap_or_default();
            vec![KeeperEdit::Chown {
                path: resolve(path, false),
                uid,
                gid,
                recursive: true,
            }]
        }
    })
}

fn write_file(path: String, contents: &str, mode: u32, (uid, gid): (u32, u32)) -> KeeperEdit {
    KeeperEdit::WriteFile {
        path,
        data: Data::Bytes(contents.as_bytes().to_vec()),
        mode,
        uid,
        gid,
        mtime: None,
    }
}

impl World {
    /// Applies changes to a state.
    pub(super) async fn edit(&self, base: &Snapshot, edits: Vec<KeeperEdit>) -> Result<Snapshot> {
        let layers = self.mountable(base).await?;
        let layer = self
            .keeper(move |keeper| keeper.edit(&layers, edits))
            .await?;
        Ok(layer.map_or_else(|| base.clone(), |layer| base.with(layer.id)))
    }

    /// A state whose root is the tree.
    pub(super) async fn flatten(&self, tree: &Tree) -> Result<Snapshot> {
        if tree.path == "/" {
            return Ok(tree.snapshot.clone());
        }
        self.copy_part(tree, &[], &[], false).await
    }

    pub(super) async fn copy_part(
        &self,
        tree: &Tree,
        include: &[String],
        exclude: &[String],
        gitignore: bool,
    ) -> Result<Snapshot> {
        if tree.snapshot.layers.is_empty() {
            return Ok(Snapshot::empty());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let mut copy = keeper::Copy::all(layers, &tree.path, "/");
        copy.include = include.to_vec();
        copy.exclude = exclude.to_vec();
        copy.gitignore = gitignore;
        copy.expect = keeper::Expect::Dir;
        self.edit(&Snapshot::empty(), vec![KeeperEdit::Copy(Box::new(copy))])
            .await
    }

    async fn copy_owned(&self, tree: &Tree, owner: (u32, u32)) -> Result<Snapshot> {
        let layers = self.mountable(&tree.snapshot).await?;
        let mut copy = keeper::Copy::all(layers, &tree.path, "/");
        copy.owner = Some(owner);
        let chown = KeeperEdit::Chown {
            path: "/".into(),
            uid: owner.0,
            gid: owner.1,
            recursive: false,
        };
        self.edit(
            &Snapshot::empty(),
            vec![KeeperEdit::Copy(Box::new(copy)), chown],
        )
        .await
    }

    async fn copy_of(
        &self,
        file: &File,
        path: &str,
        owner: Option<(u32, u32)>,
        mode: Option<u32>,
    ) -> Result<KeeperEdit> {
        let layers = self.mountable(&file.snapshot).await?;
        let mut copy = keeper::Copy::all(layers, &file.path, path);
        copy.owner = owner;
        copy.mode = mode;
        copy.expect = keeper::Expect::File;
        Ok(KeeperEdit::Copy(Box::new(copy)))
    }

    /// Ids of an owner given by number.
    fn numeric_owner(&self, owner: &str) -> Result<(u32, u32)> {
        parse_owner(owner).ok_or_else(|| {
            Error::invalid(format!("owner `{owner}` of a file must be given by number"))
                .hint("use uid or uid:gid")
        })
    }

    /// Ids of an owner that was made numeric before.
    pub(super) async fn owner(&self, owner: &Ownership) -> Result<(u32, u32)> {
        match owner {
            Ownership::Named(name) => self.numeric_owner(name),
            Ownership::Unchanged | Ownership::ContainerUser => Ok((0, 0)),
        }
    }

    /// The owner by number, so that it means the same in any later root file system.
    async fn numeric(&self, container: &Container, owner: &Ownership) -> Result<Ownership> {
        Ok(match self.owner_in(container, owner).await? {
            Some((uid, gid)) => Ownership::Named(format!("{uid}:{gid}")),
            None => Ownership::Unchanged,
        })
    }

    async fn owner_in(
        &self,
        container: &Container,
        owner: &Ownership,
    ) -> Result<Option<(u32, u32)>> {
        let name = match owner {
            Ownership::Unchanged => return Ok(None),
            Ownership::Named(name) => name,
            Ownership::ContainerUser => &container.config.user,
        };
        self.look_up(&container.rootfs, name).await.map(Some)
    }

    async fn owner_for(&self, receiver: &Value, owner: &Ownership) -> Result<Option<(u32, u32)>> {
        match (receiver, owner) {
            (Value::Container(container), owner) => self.owner_in(container, owner).await,
            (Value::Directory(tree), Ownership::Named(name)) => {
                self.look_up(&tree.snapshot, name).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn look_up(&self, rootfs: &Snapshot, name: &str) -> Result<(u32, u32)> {
        if let Some(ids) = parse_owner(name) {
            return Ok(ids);
        }
        let user = self.user(rootfs, name).await?;
        // The group defaults to the user's number, not to the user's primary group.
        Ok((
            user.uid,
            if name.contains(':') {
                user.gid
            } else {
                user.uid
            },
        ))
    }

    /// Hash of a directory's content.
    ///
    /// # Errors
    /// If there is no such directory.
    pub async fn tree_digest(&self, tree: &Tree) -> Result<Key> {
        if tree.path == "/" {
            return Ok(tree.snapshot.digest.clone());
        }
        self.place_digest(&tree.snapshot, &tree.path).await
    }

    /// Hash of a file's content.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn file_digest(&self, file: &File) -> Result<Key> {
        self.place_digest(&file.snapshot, &file.path).await
    }

    async fn place_digest(&self, snapshot: &Snapshot, path: &str) -> Result<Key> {
        let key = fingerprint("place", &(&snapshot.digest, path));
        if let Some(known) = self.cache.recall::<Key>("digest", &key) {
            return Ok(known);
        }
        let layers = self.mountable(snapshot).await?;
        let at = path.to_owned();
        let digest = self
            .keeper(move |keeper| keeper.tree_digest(&layers, &at, false))
            .await?;
        let digest = Key::of("content", [digest]);
        let refs = nsci_snapshotter::record::Refs::default();
        self.cache
            .remember("digest", &key, &digest, refs, "digest", Duration::ZERO);
        Ok(digest)
    }

    /// Hash of what is at a place, for users: without modification times, or without any metadata.
    ///
    /// # Errors
    /// If nothing is there.
    pub async fn public_digest(
        &self,
        snapshot: &Snapshot,
        path: &str,
        exclude_metadata: bool,
    ) -> Result<String> {
        let layers = self.mountable(snapshot).await?;
        let path = path.to_owned();
        self.keeper(move |keeper| keeper.tree_digest(&layers, &path, exclude_metadata))
            .await
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// If there is no such file, or it is larger than the API can carry.
    pub async fn read_file(&self, file: &File) -> Result<Vec<u8>> {
        /// What an answer can carry.
        const LIMIT: u64 = 128 << 20;
        let layers = self.mountable(&file.snapshot).await?;
        let path = file.path.clone();
        let (stat, fd) = self
            .keeper(move |keeper| keeper.open_file(&layers, &path))
            .await?;
        if stat.size > LIMIT {
            return Err(Error::invalid(format!(
                "{} has {} bytes, more than the {LIMIT} that contents can return",
                file.path, stat.size
            ))
            .hint("export it, or read it in a command"));
        }
        super::world::blocking(move || {
            let mut bytes = Vec::with_capacity(usize::try_from(stat.size).unwrap_or(0));
            std::io::Read::read_to_end(&mut std::fs::File::from(fd), &mut bytes)
                .map_err(|error| Error::caused(Kind::Host, "cannot read a file", error))?;
            Ok(bytes)
        })
        .await
    }

    /// The entries of a directory, sorted.
    ///
    /// # Errors
    /// If there is no such directory.
    pub async fn entries(&self, tree: &Tree, path: &str) -> Result<Vec<DirEntry>> {
        if tree.snapshot.layers.is_empty() && absolute("/", path) == "/" {
            return Ok(Vec::new());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let at = inside(tree, path);
        self.keeper(move |keeper| keeper.read_dir(&layers, &at))
            .await
    }

    /// What matches a pattern below a directory, sorted.
    ///
    /// # Errors
    /// If the pattern is malformed.
    pub async fn glob(&self, tree: &Tree, pattern: &str) -> Result<Vec<DirEntry>> {
        if tree.snapshot.layers.is_empty() {
            return Ok(Vec::new());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let (at, pattern) = (tree.path.clone(), pattern.to_owned());
        self.keeper(move |keeper| keeper.glob(&layers, &at, &pattern))
            .await
    }

    /// What is at a path of a directory; `None` if nothing is.
    ///
    /// # Errors
    /// If the place cannot be looked at.
    pub async fn stat(&self, tree: &Tree, path: &str, follow: bool) -> Result<Option<Stat>> {
        let layers = self.mountable(&tree.snapshot).await?;
        let at = inside(tree, path);
        self.keeper(move |keeper| keeper.stat(&layers, &at, follow))
            .await
    }

    /// The place that a container's path means.
    ///
    /// # Errors
    /// If the path is in a mount that has no files.
    pub fn locate(&self, container: &Container, path: &str, expand: bool) -> Result<Tree> {
        locate(container, &place(container, path, expand))
            .map(|(snapshot, path)| Tree { snapshot, path })
    }

    /// The place that a directory's path means.
    pub fn inside(&self, tree: &Tree, path: &str) -> Tree {
        Tree {
            snapshot: tree.snapshot.clone(),
            path: inside(tree, path),
        }
    }

    /// Writes a place to the host.
    ///
    /// # Errors
    /// If the place does not exist or the host refuses.
    pub async fn export(
        &self,
        snapshot: &Snapshot,
        path: &str,
        host: PathBuf,
        kind: ExportKind,
    ) -> Result<Exported> {
        let layers: Vec<LayerId> = self.mountable(snapshot).await?;
        let export = Export {
            layers,
            path: path.to_owned(),
            dst: host,
            kind,
        };
        let step = self.step(format!("export {}", export.dst.display()), true);
        let result = self.keeper(move |keeper| keeper.export(export)).await;
        step.result(result)
    }
}

/// Reads `uid` or `uid:gid`; the group defaults to the user.
fn parse_owner(owner: &str) -> Option<(u32, u32)> {
    let (uid, gid) = match owner.split_once(':') {
        Some((uid, gid)) => (uid.parse().ok()?, gid.parse().ok()?),
        None => (owner.parse().ok()?, owner.parse().ok()?),
    };
    Some((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_by_number() {
        for (owner, want) in [
            ("1000", Some((1000, 1000))),
            ("1000:50", Some((1000, 50))),
            ("nobody", None),
            ("1000:staff", None),
            ("4294967296", None),
            ("-1", None),
        ] {
            assert_eq!(parse_owner(owner), want, "{owner}");
        }
    }

    #[test]
    fn paths_of_mounts_are_found_in_the_mount() {
        let mut container = Container::scratch("linux/amd64".into());
        let tree = Tree {
            snapshot: Snapshot::empty(),
            path: "/sub".into(),
        };
        container.mounts.push(Mount {
            target: "/src".into(),
            kind: MountKind::Directory {
                tree,
                readonly: false,
            },
        });
        container.mounts.push(Mount {
            target: "/tmp/x".into(),
            kind: MountKind::Temp { size: None },
        });
        for (path, want) in [("/src/a", "/sub/a"), ("/src", "/sub"), ("/srcs", "/srcs")] {
            assert_eq!(locate(&container, path).unwrap().1, want, "{path}");
        }
        assert!(locate(&container, "/tmp/x/y").is_err());
    }

    #[test]
    fn tree_cannot_be_left() {
        let tree = Tree {
            snapshot: Snapshot::empty(),
            path: "/sub".into(),
        };
        for (path, want) in [("../x", "/sub/x"), ("/../../x", "/sub/x"), (".", "/sub")] {
            assert_eq!(inside(&tree, path), want, "{path}");
        }
    }
}
