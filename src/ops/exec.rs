//! Runs a command: plan, prepare, run, commit.

use super::{
    configure::DEFAULT_PATH,
    files,
    host::{Seed, open_volume},
    lend::{GatewayGuard, Nested},
    paths::{absolute, expand_vars},
    sandbox::{Live, sandbox_error},
    scrub::Scrubber,
    spool::Spool,
    world::{HostFacts, World, blocking, describe},
};
use crate::{
    error::{Error, ExecFailure, Result},
    event::{Event, Events, StepId, Stream},
    graph::{
        CacheSharing, Container, Exec, ExecMeta, Key, Mount, MountKind, Op, Output, Ownership,
        Snapshot, Value, fingerprint,
    },
};
use nsci_runtime::{
    Cancel, Exit, RootFs, Stdin, Stdio, StepEvent, StepMount, StepSpec, network,
    spec::{Capabilities, Network, Seccomp},
};
use nsci_snapshotter::{
    LayerId, Store,
    keeper::{
        Active, Commit, Ensure, EnsureKind, Furnish, Mount as KeeperMount, Mounted, Prepare,
        TempFile, User,
    },
    volume::{Sharing, VolumeDir, VolumeName},
};
use serde::Serialize;
use std::{path::PathBuf, sync::Arc, time::Duration};

/// How long a cancelled command may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);
/// A stack of layers this high is merged before it is mounted again.
const MAX_LAYERS: usize = 96;
/// Port of the API inside a step.
const API_PORT: u16 = 37_501;
/// Where steps find the certificates that the host trusts.
const CA_TARGET: &str = "/run/nsci/ca-certificates.crt";
/// Variables that programs read to find certificates.
const CA_VARIABLES: [&str; 6] = [
    "SSL_CERT_FILE",
    "CURL_CA_BUNDLE",
    "REQUESTS_CA_BUNDLE",
    "PIP_CERT",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
];

/// A module function to run: a command that talks to the API and leaves no files.
#[derive(Debug)]
pub struct FunctionRun {
    /// The container with the module's runtime.
    pub container: Container,
    /// How the command identifies itself.
    pub nested: Nested,
    /// What the user reads.
    pub name: String,
}

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
}

/// The content key of a command on a container.
pub(super) async fn content_key(world: &World, exec: &Exec, inputs: &[Value]) -> Result<Key> {
    let container = files::container(&inputs[0])?;
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

/// The command line: what was asked, or the defaults, with the entrypoint if wanted.
fn arguments(exec: &Exec, container: &Container) -> Result<Vec<String>> {
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

/// Runs `withExec` and returns the container after it.
pub(super) async fn run(world: &World, exec: &Exec, inputs: &[Value]) -> Result<Value> {
    let container = files::container(&inputs[0])?;
    let nested = if exec.nesting {
        let gateway = world.gateway.get().ok_or_else(|| {
            Error::internal("this session serves no API to commands").hint("use nsci run")
        })?;
        Some(gateway.nested()?)
    } else {
        None
    };
    let step = world.step(describe(&Op::Exec(Box::new(exec.clone()))), false);
    let result = run_step(
        world,
        Request {
            exec,
            container,
            nested,
            keep: true,
        },
        step.id,
    )
    .await;
    let ran = step.result(result)?;
    Ok(Value::Container(Box::new(ran)))
}

impl World {
    /// Runs a module function's command. What it writes is dropped; its answer came through the API.
    ///
    /// # Errors
    /// As for a command.
    pub async fn run_function(&self, run: FunctionRun) -> Result<ExecMeta> {
        let exec = Exec {
            use_entrypoint: true,
            nesting: true,
            ..Exec::default()
        };
        let step = self.step(run.name.clone(), false);
        let request = Request {
            exec: &exec,
            container: &run.container,
            nested: Some(run.nested),
            keep: false,
        };
        let result = run_step(self, request, step.id).await;
        let ran = step.result(result)?;
        Ok(ran.last.expect("a command that ran has said something"))
    }
}

struct Request<'a> {
    exec: &'a Exec,
    container: &'a Container,
    nested: Option<Nested>,
    /// Whether what the command writes is kept.
    keep: bool,
}

async fn run_step(world: &World, request: Request<'_>, id: StepId) -> Result<Container> {
    let args = arguments(request.exec, request.container)?;
    let secrets = resolve_secrets(world, request.container).await?;
    let rootfs = world.mountable(&request.container.rootfs).await?;
    let mut mounts = Vec::new();
    for mount in &request.container.mounts {
        mounts.push(plan_mount(world, mount).await?);
    }
    let live = world.live().await?;
    let user = world
        .user(&request.container.rootfs, &request.container.config.user)
        .await?;
    let stdin = read_stdin(world, request.exec, request.container).await?;
    let cancel = Cancel::new().map_err(sandbox_error)?;
    let job = Job {
        plan: Plan {
            args,
            rootfs,
            mounts,
            user,
            container: request.container.clone(),
            exec: request.exec.clone(),
            keep: request.keep,
            nested: request.nested,
            stdin,
        },
        secrets,
        live,
        store: Arc::clone(world.store()),
        facts: Arc::clone(&world.facts),
        gateway: world.gateway.get().cloned(),
        events: world.events.clone(),
        id,
        cancel: cancel.clone(),
    };
    let stop_when_dropped = StopOnDrop(Some(cancel));
    let result = blocking(move || job.run()).await;
    stop_when_dropped.disarm();
    result
}

/// Ends the command when nobody waits for it any more.
struct StopOnDrop(Option<Cancel>);

impl StopOnDrop {
    fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel(GRACE);
        }
    }
}

/// Values of the secrets that a command sees.
struct Secrets {
    env: Vec<(String, String)>,
    /// By mount target.
    files: Vec<(String, Vec<u8>)>,
    all: Vec<Vec<u8>>,
}

async fn resolve_secrets(world: &World, container: &Container) -> Result<Secrets> {
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

async fn read_stdin(world: &World, exec: &Exec, container: &Container) -> Result<Option<Vec<u8>>> {
    match (exec.stdin.is_empty(), exec.redirect_stdin.is_empty()) {
        (true, true) => Ok(None),
        (false, true) => Ok(Some(exec.stdin.clone().into_bytes())),
        (true, false) => {
            let path = absolute(container.workdir(), &exec.redirect_stdin);
            let file = files::select_file(container, &path)?;
            world.read_file(&file).await.map(Some)
        }
        (false, false) => Err(Error::invalid("stdin and redirectStdin cannot both be set")),
    }
}

/// A mount with its layers ready.
enum PlannedMount {
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
    },
}

impl PlannedMount {
    fn target(&self) -> &str {
        match self {
            Self::Tree { target, .. }
            | Self::Volume { target, .. }
            | Self::Temp { target, .. }
            | Self::Secret { target, .. }
            | Self::Socket { target, .. } => target,
        }
    }
}

async fn plan_mount(world: &World, mount: &Mount) -> Result<PlannedMount> {
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
        MountKind::Socket { socket, .. } => PlannedMount::Socket {
            target,
            path: PathBuf::from(&socket.path),
        },
    })
}

impl World {
    /// The layers of a state, present on disk and few enough to be mounted.
    pub(super) async fn mountable(&self, snapshot: &Snapshot) -> Result<Vec<LayerId>> {
        self.images.ensure(self, &snapshot.layers).await?;
        let layers = self.images.settle(self, &snapshot.layers).await?;
        if layers.len() <= MAX_LAYERS {
            return Ok(layers);
        }
        // Image layers at the bottom stay apart, because other stacks share them.
        let (keep, merge) = layers.split_at(MAX_LAYERS / 4);
        let (keep, merge) = (keep.to_vec(), merge.to_vec());
        let merged = self.keeper(move |keeper| keeper.squash(&merge)).await?;
        Ok(keep.into_iter().chain([merged.id]).collect())
    }

    /// Finds a user in a root file system.
    pub(super) async fn user(&self, rootfs: &Snapshot, name: &str) -> Result<User> {
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

/// A command with everything it needs, ready for a thread that may block.
struct Job {
    plan: Plan,
    secrets: Secrets,
    live: Arc<Live>,
    store: Arc<Store>,
    facts: Arc<HostFacts>,
    gateway: Option<Arc<dyn super::lend::Gateway>>,
    events: Events,
    id: StepId,
    cancel: Cancel,
}

struct Plan {
    args: Vec<String>,
    rootfs: Vec<LayerId>,
    mounts: Vec<PlannedMount>,
    user: User,
    container: Container,
    exec: Exec,
    keep: bool,
    nested: Option<Nested>,
    stdin: Option<Vec<u8>>,
}

impl Job {
    fn run(self) -> Result<Container> {
        let mut volumes = Vec::new();
        let prepared = self.prepare(&mut volumes)?;
        let ran = self.execute(&prepared);
        let result = match ran {
            Ok(meta) => self.commit(prepared, meta),
            Err(error) => {
                prepared.discard(&self.live);
                Err(error)
            }
        };
        drop(volumes);
        result
    }

    fn prepare(&self, volumes: &mut Vec<Box<dyn std::any::Any>>) -> Result<Prepared> {
        let keeper = &self.live.keeper;
        let mut mounts = Mounts {
            live: &self.live,
            list: Vec::new(),
        };
        let mut binds = Vec::new();
        let mut ensure = vec![Ensure {
            path: self.plan.container.workdir().to_owned(),
            kind: EnsureKind::Dir,
            uid: 0,
            gid: 0,
            mode: 0o755,
        }];
        let mut temp = Vec::new();
        for planned in &self.plan.mounts {
            let (bind, kind) = self.attach(planned, &mut mounts, &mut temp, volumes)?;
            binds.push(bind);
            ensure.push(stub(planned.target(), kind));
        }
        let index = self.live.next_address();
        let address = network::step_ip(index);
        for (path, text) in [
            ("/etc/resolv.conf", network::resolv_conf::<&str>(&[])),
            (
                "/etc/hosts",
                network::hosts_file("dagger", Some(address.into()), &[]),
            ),
            ("/etc/hostname", "dagger\n".to_owned()),
        ] {
            binds.push(Bind::Temp {
                at: temp.len(),
                readonly: false,
            });
            temp.push(TempFile {
                data: text.into_bytes(),
                mode: 0o644,
                uid: 0,
                gid: 0,
            });
            ensure.push(stub(path, EnsureKind::File));
        }
        if let Some(bundle) = &self.facts.ca_bundle {
            binds.push(Bind::Path {
                source: bundle.clone(),
                readonly: true,
            });
            ensure.push(stub(CA_TARGET, EnsureKind::File));
        }
        let prepare = Prepare {
            layers: self.plan.rootfs.clone(),
            ensure,
            files: temp,
        };
        let active = keeper.prepare(prepare).map_err(files::keeper_error)?;
        let spec = self.spec(&active, &binds, index);
        let mounted = mounts.keep();
        Ok(Prepared {
            active,
            mounted,
            spec,
        })
    }

    /// Makes a mount's source; returns what to bind and what its target must be.
    fn attach(
        &self,
        planned: &PlannedMount,
        mounts: &mut Mounts<'_>,
        temp: &mut Vec<TempFile>,
        volumes: &mut Vec<Box<dyn std::any::Any>>,
    ) -> Result<(Bind, EnsureKind)> {
        Ok(match planned {
            PlannedMount::Tree {
                target,
                layers,
                path,
                writable,
                keep,
            } => {
                let mount = KeeperMount {
                    layers: layers.clone(),
                    subpath: path.clone(),
                    writable: *writable,
                };
                let mounted = self.live.keeper.mount(mount).map_err(files::keeper_error)?;
                let is_dir = mounted.kind == nsci_snapshotter::keeper::FileKind::Dir;
                let bind = Bind::Path {
                    source: mounted.source.clone(),
                    readonly: !writable,
                };
                mounts.list.push(AttachedTree {
                    target: target.clone(),
                    mounted,
                    keep: *keep,
                });
                (
                    bind,
                    if is_dir {
                        EnsureKind::Dir
                    } else {
                        EnsureKind::File
                    },
                )
            }
            PlannedMount::Volume {
                name,
                sharing,
                owner,
                seed,
                ..
            } => {
                let sharing = match sharing {
                    CacheSharing::Shared => Sharing::Shared,
                    CacheSharing::Private => Sharing::Private,
                    CacheSharing::Locked => Sharing::Locked,
                };
                let cancelled = || self.cancel.is_cancelled();
                let open = open_volume(&self.store, name, sharing, &cancelled)?;
                let source = open.path().to_owned();
                self.furnish(&open, *owner, seed.as_ref())?;
                volumes.push(Box::new(open));
                (
                    Bind::Path {
                        source,
                        readonly: false,
                    },
                    EnsureKind::Dir,
                )
            }
            PlannedMount::Temp { size, .. } => (Bind::Tmpfs { size: *size }, EnsureKind::Dir),
            PlannedMount::Secret {
                target,
                mode,
                owner,
            } => {
                let data = self.secrets.files.iter().find(|(at, _)| at == target);
                let data = data.map(|(_, data)| data.clone()).unwrap_or_default();
                let bind = Bind::Temp {
                    at: temp.len(),
                    readonly: true,
                };
                temp.push(TempFile {
                    data,
                    mode: *mode,
                    uid: owner.0,
                    gid: owner.1,
                });
                (bind, EnsureKind::File)
            }
            PlannedMount::Socket { path, .. } => (
                Bind::Path {
                    source: path.clone(),
                    readonly: false,
                },
                EnsureKind::File,
            ),
        })
    }

    /// Fills an empty volume and gives its root to its owner.
    fn furnish(
        &self,
        volume: &VolumeDir,
        owner: Option<(u32, u32)>,
        seed: Option<&Seed>,
    ) -> Result<()> {
        if owner.is_none() && seed.is_none() {
            return Ok(());
        }
        let empty = volume.is_empty().map_err(files::store_error)?;
        let fill = Furnish {
            path: volume.path().to_owned(),
            owner,
            seed: seed
                .filter(|_| empty)
                .map(|seed| (seed.layers.clone(), seed.path.clone())),
        };
        self.live.keeper.furnish(fill).map_err(files::keeper_error)
    }

    fn spec(&self, active: &Active, binds: &[Bind], index: u32) -> StepSpec {
        let plan = &self.plan;
        let root = RootFs::Overlay {
            lowers: active.lowers.clone(),
            upper: active.upper.clone(),
            work: active.work.clone(),
        };
        let mut spec = StepSpec::new(root, plan.args.clone());
        spec.env = self.environment();
        spec.cwd = plan.container.workdir().to_owned();
        spec.uid = plan.user.uid;
        spec.gid = plan.user.gid;
        spec.additional_gids = plan.user.additional_gids.clone();
        // The first thing that had to exist is the working directory, the others are the mounts.
        let targets = active.ensured.iter().skip(1);
        spec.mounts = targets
            .zip(binds)
            .map(|(ensured, bind)| bind.at(PathBuf::from(&ensured.path), &active.files))
            .collect();
        spec.init = !plan.exec.no_init;
        spec.network = Network::Isolated;
        spec.net_index = Some(index);
        if plan.exec.insecure {
            spec.capabilities = Capabilities::All;
            spec.seccomp = Seccomp::Off;
            spec.mask_paths = false;
        }
        if plan.nested.is_some() {
            spec.listeners = vec![API_PORT];
        }
        spec
    }

    fn environment(&self) -> Vec<(String, String)> {
        let container = &self.plan.container;
        let mut env: Vec<(String, String)> = container
            .config
            .env
            .iter()
            .map(|var| (var.name.clone(), var.value.clone()))
            .collect();
        env.extend(self.secrets.env.iter().cloned());
        let home = self
            .plan
            .user
            .home
            .clone()
            .unwrap_or_else(|| "/".to_owned());
        let mut defaults = vec![
            ("PATH".to_owned(), DEFAULT_PATH.to_owned()),
            ("HOME".into(), home),
        ];
        if let Some(nested) = &self.plan.nested {
            defaults.push(("DAGGER_SESSION_PORT".into(), API_PORT.to_string()));
            defaults.push(("DAGGER_SESSION_TOKEN".into(), nested.token.clone()));
        }
        defaults.extend(self.facts.env.iter().cloned());
        if self.facts.ca_bundle.is_some() {
            defaults.extend(CA_VARIABLES.map(|name| (name.to_owned(), CA_TARGET.to_owned())));
        }
        for (name, value) in defaults {
            if !env.iter().any(|(known, _)| *known == name) {
                env.push((name, value));
            }
        }
        env
    }

    fn execute(&self, prepared: &Prepared) -> Result<ExecMeta> {
        let mut streams = Streams::new(self);
        let mut guard: Option<GatewayGuard> = None;
        let mut fault: Option<Error> = None;
        let stdio = Stdio {
            stdin: match &self.plan.stdin {
                Some(bytes) => Stdin::Bytes(bytes.clone()),
                None => Stdin::Null,
            },
            ..Stdio::default()
        };
        let finished = self
            .live
            .session
            .run(&prepared.spec, stdio, &self.cancel, &mut |event| {
                let outcome = match event {
                    StepEvent::Stdout(bytes) => streams.stdout.write(&mut streams.combined, bytes),
                    StepEvent::Stderr(bytes) => streams.stderr.write(&mut streams.combined, bytes),
                    StepEvent::Listener { socket, .. } => {
                        match (&self.gateway, &self.plan.nested) {
                            (Some(gateway), Some(nested)) => gateway
                                .serve(socket, nested.clone())
                                .map(|served| guard = Some(served)),
                            _ => Ok(()),
                        }
                    }
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    fault.get_or_insert(error);
                    self.cancel.cancel(GRACE);
                }
            });
        drop(guard);
        streams.finish()?;
        if let Some(error) = fault {
            return Err(error);
        }
        let exit_code = match finished {
            Ok(finished) => exit_code(finished.exit),
            Err(error) => match error.exit_code() {
                Some(code) => {
                    let text = format!("{error}\n");
                    streams
                        .stderr
                        .write(&mut streams.combined, text.as_bytes())?;
                    code
                }
                None => return Err(sandbox_error(error)),
            },
        };
        if !self.plan.exec.expect.accepts(exit_code) {
            return Err(Error::exec(ExecFailure {
                cmd: self.plan.args.clone(),
                exit_code,
                stdout: streams.stdout.spool.tail(),
                stderr: streams.stderr.spool.tail(),
            }));
        }
        streams.into_meta(exit_code)
    }

    fn commit(&self, prepared: Prepared, meta: ExecMeta) -> Result<Container> {
        let mut container = self.plan.container.clone();
        let redirects = self.redirects(&meta)?;
        container.last = Some(meta);
        if !self.plan.keep {
            prepared.discard(&self.live);
            return Ok(container);
        }
        let keeper = &self.live.keeper;
        // The working directory stays, as it does for Docker; mount points do not.
        let stubs = prepared
            .active
            .ensured
            .iter()
            .skip(1)
            .flat_map(|e| e.created.clone())
            .collect();
        let commit = Commit {
            id: prepared.active.id.clone(),
            stubs,
        };
        let root = keeper.commit(commit).map_err(files::keeper_error)?;
        if let Some(layer) = root {
            container.rootfs = container.rootfs.with(layer.id);
        }
        for tree in prepared.mounted {
            if !tree.keep {
                keeper
                    .unmount(&tree.mounted.id)
                    .map_err(files::keeper_error)?;
                continue;
            }
            let commit = Commit {
                id: tree.mounted.id.clone(),
                stubs: Vec::new(),
            };
            let layer = keeper.commit(commit).map_err(files::keeper_error)?;
            if let Some(layer) = layer {
                keep_mount(&mut container, &tree.target, layer.id);
            }
        }
        for (path, data) in redirects {
            let edit = nsci_snapshotter::keeper::Edit::WriteFile {
                path,
                data: nsci_snapshotter::keeper::Data::Bytes(data),
                mode: 0o644,
                uid: self.plan.user.uid,
                gid: self.plan.user.gid,
                mtime: None,
            };
            let layer = keeper
                .edit(&container.rootfs.layers, vec![edit])
                .map_err(files::keeper_error)?;
            if let Some(layer) = layer {
                container.rootfs = container.rootfs.with(layer.id);
            }
        }
        Ok(container)
    }

    fn redirects(&self, meta: &ExecMeta) -> Result<Vec<(String, Vec<u8>)>> {
        let exec = &self.plan.exec;
        let mut list = Vec::new();
        for (path, output) in [
            (&exec.redirect_stdout, &meta.stdout),
            (&exec.redirect_stderr, &meta.stderr),
        ] {
            if !path.is_empty() {
                let path = absolute(self.plan.container.workdir(), path);
                list.push((path, self.output_bytes(output)?));
            }
        }
        Ok(list)
    }

    fn output_bytes(&self, output: &Output) -> Result<Vec<u8>> {
        match output {
            Output::Inline(text) => Ok(text.clone().into_bytes()),
            Output::Blob(digest) => {
                let lost = || Error::internal(format!("output {digest} is not in the store"));
                let digest = digest.parse().map_err(|_| lost())?;
                self.store
                    .content()
                    .read(&digest)
                    .map_err(files::store_error)?
                    .ok_or_else(lost)
            }
        }
    }
}

fn keep_mount(container: &mut Container, target: &str, layer: LayerId) {
    let mount = container
        .mounts
        .iter_mut()
        .find(|mount| mount.target == target);
    match mount.map(|mount| &mut mount.kind) {
        Some(MountKind::Directory { tree, .. }) => tree.snapshot = tree.snapshot.with(layer),
        Some(MountKind::File(file)) => file.snapshot = file.snapshot.with(layer),
        _ => {}
    }
}

fn stub(path: &str, kind: EnsureKind) -> Ensure {
    let mode = if matches!(kind, EnsureKind::Dir) {
        0o755
    } else {
        0o644
    };
    Ensure {
        path: path.to_owned(),
        kind,
        uid: 0,
        gid: 0,
        mode,
    }
}

fn exit_code(exit: Exit) -> i32 {
    exit.shell_code()
}

/// What a mount binds, before its target is resolved.
enum Bind {
    Path {
        source: PathBuf,
        readonly: bool,
    },
    /// One of the temporary files, by position.
    Temp {
        at: usize,
        readonly: bool,
    },
    Tmpfs {
        size: Option<u64>,
    },
}

impl Bind {
    fn at(&self, target: PathBuf, files: &[PathBuf]) -> StepMount {
        match self {
            Self::Path { source, readonly } => StepMount::Bind {
                source: source.clone(),
                target,
                readonly: *readonly,
            },
            Self::Temp { at, readonly } => StepMount::Bind {
                source: files[*at].clone(),
                target,
                readonly: *readonly,
            },
            Self::Tmpfs { size } => StepMount::Tmpfs {
                target,
                size: *size,
                mode: 0o1777,
            },
        }
    }
}

struct AttachedTree {
    target: String,
    mounted: Mounted,
    keep: bool,
}

/// Trees attached so far; detached again unless kept.
struct Mounts<'a> {
    live: &'a Live,
    list: Vec<AttachedTree>,
}

impl Mounts<'_> {
    fn keep(mut self) -> Vec<AttachedTree> {
        std::mem::take(&mut self.list)
    }
}

impl Drop for Mounts<'_> {
    fn drop(&mut self) {
        for tree in &self.list {
            // Only reached when preparing failed; that error is the one to show.
            drop(self.live.keeper.unmount(&tree.mounted.id));
        }
    }
}

struct Prepared {
    active: Active,
    mounted: Vec<AttachedTree>,
    spec: StepSpec,
}

impl Prepared {
    /// Throws away what was written. What cannot be thrown away now is swept later.
    fn discard(self, live: &Live) {
        drop(live.keeper.discard(&self.active.id));
        for tree in &self.mounted {
            drop(live.keeper.unmount(&tree.mounted.id));
        }
    }
}

/// Both output streams of a command, scrubbed, kept and shown.
struct Streams {
    stdout: StreamEnd,
    stderr: StreamEnd,
    combined: Spool,
}

struct StreamEnd {
    scrubber: Scrubber,
    spool: Spool,
    events: Events,
    id: StepId,
    stream: Stream,
}

impl Streams {
    fn new(job: &Job) -> Self {
        let end = |stream| StreamEnd {
            scrubber: Scrubber::new(job.secrets.all.iter().map(Vec::as_slice)),
            spool: Spool::new(Arc::clone(&job.store)),
            events: job.events.clone(),
            id: job.id,
            stream,
        };
        Self {
            stdout: end(Stream::Stdout),
            stderr: end(Stream::Stderr),
            combined: Spool::new(Arc::clone(&job.store)),
        }
    }

    fn finish(&mut self) -> Result<()> {
        for end in [&mut self.stdout, &mut self.stderr] {
            let rest = end.scrubber.finish();
            end.show(&mut self.combined, &rest)?;
        }
        Ok(())
    }

    fn into_meta(self, exit_code: i32) -> Result<ExecMeta> {
        Ok(ExecMeta {
            exit_code,
            stdout: self.stdout.spool.finish()?,
            stderr: self.stderr.spool.finish()?,
            combined: self.combined.finish()?,
        })
    }
}

impl StreamEnd {
    fn write(&mut self, combined: &mut Spool, bytes: &[u8]) -> Result<()> {
        let clean = self.scrubber.push(bytes);
        self.show(combined, &clean)
    }

    fn show(&mut self, combined: &mut Spool, clean: &[u8]) -> Result<()> {
        if clean.is_empty() {
            return Ok(());
        }
        self.spool.write(clean)?;
        combined.write(clean)?;
        self.events.emit(Event::Log {
            id: self.id,
            stream: self.stream,
            bytes: clean.into(),
        });
        Ok(())
    }
}
