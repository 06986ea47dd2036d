//! Changes: said in the words of the keeper, and carried out by it.

use super::{
    super::{
        copy,
        paths::{absolute, below, expand_vars},
        world::World,
    },
    check_name, file,
    places::place,
    tree,
};
use crate::{
    error::{Error, Result},
    graph::{Copy, Edit, File, Mount, MountKind, Ownership, Snapshot, Tree, Value},
};
use nsci_snapshotter::keeper::{self, Data, Edit as KeeperEdit};

impl World {
    /// Applies changes to a state.
    pub(in crate::ops) async fn edit(
        &self,
        base: &Snapshot,
        edits: Vec<KeeperEdit>,
    ) -> Result<Snapshot> {
        let layers = self.mountable(base).await?;
        let layer = self
            .keeper(move |keeper| keeper.edit(&layers, edits))
            .await?;
        Ok(layer.map_or_else(|| base.clone(), |layer| base.with(layer.id)))
    }

    /// A state whose root is the tree.
    pub(in crate::ops) async fn flatten(&self, tree: &Tree) -> Result<Snapshot> {
        if tree.path == "/" {
            return Ok(tree.snapshot.clone());
        }
        self.copy_part(tree, &[], &[], false).await
    }

    pub(in crate::ops) async fn copy_part(
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

    pub(super) async fn copy_owned(&self, tree: &Tree, owner: (u32, u32)) -> Result<Snapshot> {
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

    pub(super) async fn copy_of(
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
}

/// Where a change goes: a state, and how it becomes the result again.
struct Target {
    snapshot: Snapshot,
    /// Absolute path in the state of what the change is relative to.
    base: String,
    /// Mount of the container that the state belongs to.
    mount: Option<String>,
}

pub(super) async fn apply(world: &World, edit: &Edit, inputs: &[Value]) -> Result<Value> {
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

pub(super) fn write_file(
    path: String,
    contents: &str,
    mode: u32,
    (uid, gid): (u32, u32),
) -> KeeperEdit {
    KeeperEdit::WriteFile {
        path,
        data: Data::Bytes(contents.as_bytes().to_vec()),
        mode,
        uid,
        gid,
        mtime: None,
    }
}
