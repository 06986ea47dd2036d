//! What decides what a command leaves behind: its content key.

use super::{
    super::{files, world::World},
    plan::arguments,
};
use crate::{
    error::Result,
    graph::{Container, Exec, Key, MountKind, Value, fingerprint},
};
use serde::Serialize;

/// The part of a container and command that decides what comes out.
#[derive(Serialize)]
struct Identity<'a> {
    rootfs: &'a Key,
    exec: &'a Exec,
    args: Vec<String>,
    env: &'a [crate::graph::EnvVar],
    user: &'a str,
    workdir: &'a str,
    platform: &'a str,
    mounts: Vec<(String, Key)>,
    secrets: Vec<(&'a str, &'a Key)>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    services: Vec<(&'a str, &'a Key)>,
}

/// The content key of a command on a container.
pub(in crate::ops) async fn content_key(
    world: &World,
    exec: &Exec,
    inputs: &[Value],
) -> Result<Key> {
    identity(world, exec, files::container(&inputs[0])?).await
}

/// Names a command on a container by all that decides what it does.
pub(in crate::ops) async fn identity(
    world: &World,
    exec: &Exec,
    container: &Container,
) -> Result<Key> {
    let mut mounts = Vec::new();
    for mount in &container.mounts {
        mounts.push((
            mount.target.clone(),
            mount_digest(world, &mount.kind).await?,
        ));
    }
    let identity = Identity {
        rootfs: &container.rootfs.digest,
        exec,
        args: arguments(exec, container)?,
        env: &container.config.env,
        user: &container.config.user,
        workdir: container.workdir(),
        platform: &container.platform,
        mounts,
        secrets: container
            .secret_env
            .iter()
            .map(|s| (s.name.as_str(), &s.identity))
            .collect(),
        services: container
            .services
            .iter()
            .map(|bound| (bound.alias.as_str(), &bound.service.digest))
            .collect(),
    };
    Ok(fingerprint("exec", &identity))
}

async fn mount_digest(world: &World, kind: &MountKind) -> Result<Key> {
    Ok(match kind {
        MountKind::Directory { tree, readonly } => {
            let digest = world.tree_digest(tree).await?;
            fingerprint("mount-directory", &(digest, readonly))
        }
        MountKind::File(file) => world.file_digest(file).await?,
        // A volume's contents never count, nor does a secret's value or what a socket leads to.
        MountKind::Cache {
            volume,
            sharing,
            owner,
            ..
        } => fingerprint("mount-cache", &(volume, sharing, owner)),
        MountKind::Temp { size } => fingerprint("mount-temp", size),
        MountKind::Secret {
            identity,
            owner,
            mode,
            ..
        } => fingerprint("mount-secret", &(identity, owner, mode)),
        MountKind::Socket { socket, owner } => fingerprint("mount-socket", &(socket, owner)),
    })
}
