//! Planning: everything a command needs, looked up before anything of it exists on disk.

use super::super::{files, host::Seed, lend::Nested, paths::expand_vars, world::World};
use crate::{
    error::{Error, Result},
    graph::{CacheSharing, Container, Exec, Mount, MountKind, Ownership, Snapshot, fingerprint},
};
use nsci_snapshotter::{LayerId, keeper::User, volume::VolumeName};
use std::path::PathBuf;

/// A stack of layers this high is merged before it is mounted again.
const MAX_LAYERS: usize = 96;

/// How many of the lowest layers are merged when there are more.
const MERGED_LAYERS: usize = 64;

/// A command and all it refers to.
pub(super) struct Plan {
    pub(super) args: Vec<String>,
    pub(super) rootfs: Vec<LayerId>,
    pub(super) mounts: Vec<PlannedMount>,
    pub(super) user: User,
    pub(super) container: Container,
    pub(super) exec: Exec,
    pub(super) keep: bool,
    pub(super) nested: Option<Nested>,
    pub(super) hostname: String,
    pub(super) stdin: Option<Vec<u8>>,
}

/// The command line: what was asked, or the defaults, with the entrypoint if wanted.
pub(super) fn arguments(exec: &Exec, container: &Container) -> Result<Vec<String>> {
    let config = &container.config;
    let mut args = if exec.args.is_empty() {
        config.cmd.clone().unwrap_or_default()
    } else if exec.expand {
        exec.args
            .iter()
            .map(|arg| expand_vars(arg, container))
            .collect()
    } else {
        exec.args.clone()
    };
    if exec.use_entrypoint
        && let Some(entrypoint) = &config.entrypoint
    {
        args.splice(0..0, entrypoint.iter().cloned());
    }
    if args.is_empty() {
        return Err(Error::invalid("no command has been set")
            .hint("pass arguments, or set them with withDefaultArgs or withEntrypoint"));
    }
    if let Some(bad) = args.iter().find(|arg| arg.contains('\0')) {
        return Err(Error::invalid(format!(
            "argument {bad:?} contains a NUL byte"
        )));
    }
    Ok(args)
}

/// Values of the secrets that a command sees.
pub(super) struct Secrets {
    pub(super) env: Vec<(String, String)>,
    /// By mount target.
    pub(super) files: Vec<(String, Vec<u8>)>,
    pub(super) all: Vec<Vec<u8>>,
}

pub(super) async fn resolve_secrets(world: &World, container: &Container) -> Result<Secrets> {
    let mut secrets = Secrets {
        env: Vec::new(),
        files: Vec::new(),
        all: Vec::new(),
    };
    for variable in &container.secret_env {
        let value = world.client.secret(&variable.secret).await?;
        let text = String::from_utf8(value.bytes().to_vec()).map_err(|_| {
            Error::invalid(format!("secret for variable {} is no text", variable.name))
                .hint("mount it as a file with withMountedSecret")
        })?;
        secrets.all.push(value.bytes().to_vec());
        secrets.env.push((variable.name.clone(), text));
    }
    for mount in &container.mounts {
        if let MountKind::Secret { secret, .. } = &mount.kind {
            let value = world.client.secret(secret).await?;
            secrets.all.push(value.bytes().to_vec());
            secrets
                .files
                .push((mount.target.clone(), value.bytes().to_vec()));
        }
    }
    Ok(secrets)
}

pub(super) async fn read_stdin(
    world: &World,
    exec: &Exec,
    container: &Container,
) -> Result<Option<Vec<u8>>> {
    match (exec.stdin.is_empty(), exec.redirect_stdin.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(exec.stdin.clone().into_bytes())),
        (true, false) => {
            let path = files::place(container, &exec.redirect_stdin, exec.expand);
            let file = files::select_file(container, &path)?;
            world.read_file(&file).await.map(Some)
        }
        (false, false) => Err(Error::invalid("stdin and redirectStdin cannot both be set")),
    }
}

/// A mount with its layers ready.
pub(super) enum PlannedMount {
    Tree {
        target: String,
        layers: Vec<LayerId>,
        path: String,
        writable: bool,
        keep: bool,
    },
    Volume {
        target: String,
        name: VolumeName,
        sharing: CacheSharing,
        owner: Option<(u32, u32)>,
        seed: Option<Seed>,
    },
    Temp {
        target: String,
        size: Option<u64>,
    },
    Secret {
        target: String,
        mode: u32,
        owner: (u32, u32),
    },
    Socket {
        target: String,
        path: PathBuf,
        /// The owner, if it is not the host's.
        owner: Option<(u32, u32)>,
    },
}

impl PlannedMount {
    pub(super) fn target(&self) -> &str {
        match self {
            Self::Tree { target, .. }
            | Self::Volume { target, .. }
            | Self::Temp { target, .. }
            | Self::Secret { target, .. }
            | Self::Socket { target, .. } => target,
        }
    }
}

pub(super) async fn plan_mount(world: &World, mount: &Mount) -> Result<PlannedMount> {
    let target = mount.target.clone();
    Ok(match &mount.kind {
        MountKind::Directory { tree, readonly } => PlannedMount::Tree {
            target,
            layers: world.mountable(&tree.snapshot).await?,
            path: tree.path.clone(),
            writable: !readonly,
            keep: !readonly,
        },
        MountKind::File(file) => PlannedMount::Tree {
            target,
            layers: world.mountable(&file.snapshot).await?,
            path: file.path.clone(),
            writable: true,
            keep: true,
        },
        MountKind::Cache {
            volume,
            sharing,
            owner,
            seed,
        } => {
            let name = World::volume_name(volume);
            let seed = world.seed(seed.as_ref()).await?;
            let owner = match owner {
                Ownership::Unchanged => None,
                owner => Some(world.owner(owner).await?),
            };
            PlannedMount::Volume {
                target,
                name,
                sharing: *sharing,
                owner,
                seed,
            }
        }
        MountKind::Temp { size } => PlannedMount::Temp {
            target,
            size: *size,
        },
        MountKind::Secret { owner, mode, .. } => PlannedMount::Secret {
            target,
            mode: *mode,
            owner: world.owner(owner).await?,
        },
        MountKind::Socket { socket, owner } => PlannedMount::Socket {
            target,
            path: PathBuf::from(&socket.path),
            owner: match owner {
                Ownership::Unchanged => None,
                owner => Some(world.owner(owner).await?),
            },
        },
    })
}

impl World {
    /// The layers of a state, present on disk and few enough to be mounted.
    pub(in crate::ops) async fn mountable(&self, snapshot: &Snapshot) -> Result<Vec<LayerId>> {
        self.images.ensure(self, &snapshot.layers).await?;
        let layers = self.images.settle(self, &snapshot.layers).await?;
        self.shortened(layers).await
    }

    /// The stack with its lower part merged, as often as it takes to be mounted.
    ///
    /// Only a part with nothing below it can be merged: what a layer hides is then gone for good. Parts
    /// have a fixed length, so the next command of a chain finds them merged already.
    async fn shortened(&self, mut layers: Vec<LayerId>) -> Result<Vec<LayerId>> {
        while layers.len() > MAX_LAYERS {
            let rest = layers.split_off(MERGED_LAYERS);
            let below = layers;
            let known = {
                let merged = self
                    .merged
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                merged.get(&below).cloned()
            };
            let merged = match known {
                Some(merged) => merged,
                None => {
                    let ask = below.clone();
                    let merged = self.keeper(move |keeper| keeper.squash(&ask)).await?.id;
                    self.cache.hold_layers(std::slice::from_ref(&merged));
                    let mut all = self
                        .merged
                        .lock()
                        .unwrap_or_else(std::sync::PoisonError::into_inner);
                    all.insert(below, merged.clone());
                    merged
                }
            };
            layers = std::iter::once(merged).chain(rest).collect();
        }
        Ok(layers)
    }

    /// Finds a user in a root file system.
    pub(in crate::ops) async fn user(&self, rootfs: &Snapshot, name: &str) -> Result<User> {
        let key = fingerprint("user", &(&rootfs.digest, name));
        let known = |world: &Self| {
            let users = world
                .users
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            users.get(&key).cloned()
        };
        if let Some(user) = known(self) {
            return Ok(user);
        }
        let layers = self.mountable(rootfs).await?;
        let name = name.to_owned();
        let user = self
            .keeper(move |keeper| keeper.lookup_user(&layers, &name))
            .await?;
        let mut users = self
            .users
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        users.insert(key, user.clone());
        Ok(user)
    }
}
