//! Where paths lead: in the root file system of a container, in its mounts, in a part of a state.

use super::super::paths::{absolute, below, expand_vars};
use crate::{
    error::{Error, Result},
    graph::{Container, File, MountKind, Select, Snapshot, Tree, Value},
};

/// A container's path, absolute.
pub(in crate::ops) fn place(container: &Container, path: &str, expand: bool) -> String {
    if expand {
        absolute(container.workdir(), &expand_vars(path, container))
    } else {
        absolute(container.workdir(), path)
    }
}

pub(super) fn select_from(value: &Value, select: &Select) -> Result<Value> {
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
pub(in crate::ops) fn select_file(container: &Container, path: &str) -> Result<File> {
    let (snapshot, path) = locate(container, path)?;
    Ok(File { snapshot, path })
}

/// The path in a tree's state of a path relative to the tree, which it cannot leave.
pub(super) fn inside(tree: &Tree, path: &str) -> String {
    absolute(&tree.path, absolute("/", path).trim_start_matches('/'))
}

/// Where a container's absolute path really is: in its root file system or in a mount.
pub(super) fn locate(container: &Container, path: &str) -> Result<(Snapshot, String)> {
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
pub(in crate::ops) fn place_mut<'c>(
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::Mount;

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
