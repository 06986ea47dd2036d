//! [`World`]: what operations work with, and the solver's way to them.

use super::{
    configure, docker,
    download::Downloads,
    exec, export, files, host,
    image::Images,
    lend::{Client, Gateway, Terminal},
    sandbox::{Live, Sandbox},
    service::{self, SessionLauncher},
};
use crate::{
    cache::Cache,
    config::CacheConfig,
    error::{Error, Result},
    event::{Event, Events, Outcome, StepId},
    graph::{
        Configure, ExecMeta, Key, Mount, MountKind, MountSource, Op, Output, SecretRef, Snapshot,
        Tree, Value, Vertex, fingerprint,
    },
    service::{IDLE_GRACE, Services},
    solver::{KeyOf, Solver, Worker},
    source::{Downloader, git::NamedCommit, git_log::CommitInfo, git_modules::GitModules},
};
use futures_util::future::{BoxFuture, FutureExt};
use nsci_snapshotter::{Store, gc::Policy, keeper::Client as Keeper, lock::KeyLock};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::sync::OnceCell;

/// What steps get to see of the host; part of no key.
#[derive(Clone, Debug, Default)]
pub struct HostFacts {
    /// Proxy variables and the like, set in every step that does not set them itself.
    pub env: Vec<(String, String)>,
    /// Certificate bundle that steps trust.
    pub ca_bundle: Option<PathBuf>,
    /// Latest time in images that are written, in seconds since 1970 (`SOURCE_DATE_EPOCH`).
    pub source_date_epoch: Option<i64>,
}

/// What a [`World`] is made of.
pub struct WorldParts {
    /// Remembered results.
    pub cache: Arc<Cache>,
    /// Images.
    pub images: Images,
    /// Processes.
    pub sandbox: Sandbox,
    /// Who lends secrets.
    pub client: Arc<dyn Client>,
    /// The client's terminal.
    pub terminal: Arc<dyn Terminal>,
    /// The command that looks at a step that failed, if the user wants to.
    pub on_failure: Option<Vec<String>>,
    /// Where events go.
    pub events: Events,
    /// What steps see of the host.
    pub facts: HostFacts,
    /// How large the store may grow.
    pub limits: CacheConfig,
    /// Fetches files by address.
    pub downloader: Downloader,
    /// Repositories.
    pub git: GitModules,
}

impl fmt::Debug for WorldParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WorldParts").finish_non_exhaustive()
    }
}

/// Everything that operations work with. One for each session.
pub struct World {
    pub(super) cache: Arc<Cache>,
    pub(super) images: Images,
    pub(super) sandbox: Sandbox,
    pub(super) client: Arc<dyn Client>,
    pub(super) terminal: Arc<dyn Terminal>,
    pub(super) on_failure: Option<Vec<String>>,
    pub(super) events: Events,
    pub(super) facts: Arc<HostFacts>,
    pub(super) gateway: OnceLock<Arc<dyn Gateway>>,
    pub(super) services: Services<SessionLauncher>,
    pub(super) host_dirs: host::Scans,
    pub(super) users: Mutex<HashMap<Key, nsci_snapshotter::keeper::User>>,
    /// What lower parts of tall stacks were merged into.
    pub(super) merged: Mutex<HashMap<Vec<nsci_snapshotter::LayerId>, nsci_snapshotter::LayerId>>,
    next_step: AtomicU64,
    started: Instant,
    limits: CacheConfig,
    pub(super) downloads: Downloads,
    pub(super) git: GitModules,
    pub(super) git_refs: Mutex<HashMap<Key, Arc<OnceCell<Vec<NamedCommit>>>>>,
    /// Registries that are services of this session, open on the host.
    pub(super) registries: Mutex<Vec<service::Reached>>,
    /// What commits of a repository say.
    pub(super) git_commits: Mutex<HashMap<(Key, String), CommitInfo>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

impl World {
    /// Puts the parts together. Called where a tokio runtime is, which services' timers run on.
    pub fn new(parts: WorldParts) -> Arc<Self> {
        let runtime = tokio::runtime::Handle::current();
        Arc::new_cyclic(|this| Self {
            cache: parts.cache,
            images: parts.images,
            sandbox: parts.sandbox,
            client: parts.client,
            terminal: parts.terminal,
            on_failure: parts.on_failure,
            events: parts.events,
            facts: Arc::new(parts.facts),
            gateway: OnceLock::new(),
            services: Services::new(SessionLauncher(this.clone()), runtime, IDLE_GRACE),
            host_dirs: host::Scans::default(),
            users: Mutex::default(),
            merged: Mutex::default(),
            next_step: AtomicU64::new(1),
            started: Instant::now(),
            limits: parts.limits,
            downloads: Downloads::new(parts.downloader),
            git: parts.git,
            git_refs: Mutex::default(),
            registries: Mutex::default(),
            git_commits: Mutex::default(),
        })
    }

    /// Says who serves the API to commands that may call it. Only the first call counts.
    pub fn set_gateway(&self, gateway: Arc<dyn Gateway>) {
        drop(self.gateway.set(gateway));
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        self.cache.store()
    }

    /// Remembered results.
    pub fn cache(&self) -> &Cache {
        &self.cache
    }

    /// Images.
    pub fn images(&self) -> &Images {
        &self.images
    }

    /// Where events go.
    pub fn events(&self) -> &Events {
        &self.events
    }

    /// Whether processes were needed so far.
    pub fn used_sandbox(&self) -> bool {
        self.sandbox.is_live()
    }

    /// The running sandbox.
    pub(super) async fn live(&self) -> Result<Arc<Live>> {
        self.sandbox.live().await
    }

    /// Ends the run on disk: what took long to make survives a power cut, and what is too much goes.
    ///
    /// Waiting for the disk can take longer than a short run did. What a short run made is given up
    /// in a power cut (and only then): the next start finds it unmarked and makes it again. What cannot be collected now is collected later.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn settle_disk(&self) -> Result<()> {
        if !self.sandbox.is_live() {
            return Ok(());
        }
        if self.started.elapsed() >= WORTH_SYNCING {
            self.keeper(Keeper::sync).await?;
        }
        let (store, limits) = (Arc::clone(self.store()), self.limits.clone());
        let trash = blocking(move || collect_if_due(&store, &limits)).await?;
        if trash {
            self.keeper(Keeper::empty_trash).await?;
        }
        Ok(())
    }

    /// Runs a blocking call against the keeper on a thread that may block.
    pub(super) async fn keeper<T: Send + 'static>(
        &self,
        call: impl FnOnce(&Keeper) -> Result<T, nsci_snapshotter::Error> + Send + 'static,
    ) -> Result<T> {
        let live = self.live().await?;
        blocking(move || call(&live.keeper).map_err(files::keeper_error)).await
    }

    /// The bytes of an output.
    ///
    /// # Errors
    /// If the store lost them, or if there are more than an answer can carry.
    pub fn output(&self, output: &Output) -> Result<String> {
        /// What an answer can carry.
        const LIMIT: u64 = 128 << 20;
        match output {
            Output::Inline(text) => Ok(text.clone()),
            Output::Blob(digest) => {
                let lost = || Error::internal(format!("output {digest} is no longer in the store"));
                let name = digest.parse().map_err(|_| lost())?;
                let blob = self.store().content().open(&name).ok().flatten();
                let mut blob = blob.ok_or_else(lost)?;
                let size = blob.metadata().map_or(0, |metadata| metadata.len());
                if size > LIMIT {
                    return Err(Error::invalid(format!(
                        "the command wrote {size} bytes, more than the {LIMIT} that an answer can carry"
                    ))
                    .hint("write them to a file with redirectStdout and export that"));
                }
                let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or(0));
                std::io::Read::read_to_end(&mut blob, &mut bytes).map_err(|_| lost())?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
        }
    }

    /// Announces a step; the guard says how it ended.
    pub(super) fn step(&self, name: impl Into<Arc<str>>, internal: bool) -> Step {
        let id = StepId(self.next_step.fetch_add(1, Ordering::Relaxed));
        self.events.emit(Event::StepStarted {
            id,
            parent: None,
            name: name.into(),
            internal,
        });
        Step {
            id,
            events: self.events.clone(),
            start: Instant::now(),
            ended: false,
        }
    }

    /// Announces something that was remembered.
    pub fn note_cached(&self, name: &str) {
        self.step(name, false).done(true);
    }

    /// What stands for a secret's value in keys.
    ///
    /// # Errors
    /// If the value must be fetched and cannot be.
    pub async fn secret_identity(&self, secret: &SecretRef) -> Result<Key> {
        match secret {
            SecretRef::Named { scope, name } => Ok(Key::of("secret-name", [scope, name])),
            SecretRef::Uri {
                cache_key: Some(key),
                ..
            } => Ok(Key::of("secret-key", [key])),
            SecretRef::Uri { .. } => {
                let value = self.client.secret(secret).await?;
                let salt = self.salt()?;
                let keyed = blake3::keyed_hash(&salt, value.bytes());
                Ok(Key::of("secret-value", [keyed.as_bytes()]))
            }
        }
    }

    /// Takes the lock under which a key is built, or the result if somebody else built it meanwhile.
    pub(super) async fn build_lock(&self, key: &Key, inputs: &[Value]) -> Result<Build> {
        let free = KeyLock::try_acquire(self.store(), key.as_str()).map_err(files::store_error)?;
        let lock = match free {
            Some(lock) => lock,
            None => {
                let (store, name) = (Arc::clone(self.store()), key.clone());
                let wait = move || KeyLock::acquire(&store, name.as_str());
                blocking(move || wait().map_err(files::store_error)).await?
            }
        };
        Ok(match self.cache.recall::<Effects>("effects", key) {
            Some(effects) => Build::Done(effects.onto(inputs)),
            None => Build::Ours(lock),
        })
    }

    /// A random value of this store, so that hashes of secrets mean nothing elsewhere.
    fn salt(&self) -> Result<[u8; 32]> {
        host::store_salt(self.store())
    }
}

/// Who builds a key.
pub(super) enum Build {
    /// We do, while the lock is held.
    Ours(KeyLock),
    /// Somebody else did.
    Done(Value),
}

/// Runs a call that blocks on a thread for it.
pub(super) async fn blocking<T: Send + 'static>(
    call: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(call)
        .await
        .map_err(|error| Error::caused(crate::error::Kind::Internal, "a task ended early", error))?
}

/// A run this long is not made again lightly.
const WORTH_SYNCING: Duration = Duration::from_secs(20);

/// How long the store is left alone between two collections.
const COLLECT_EVERY: Duration = Duration::from_secs(3600);

/// Collects garbage if that was not done for a while; whether trees wait to be deleted.
fn collect_if_due(store: &Store, limits: &CacheConfig) -> Result<bool> {
    let stamp = store.layout().root().join("collected");
    let age = std::fs::metadata(&stamp)
        .and_then(|meta| meta.modified())
        .ok();
    let age = age.and_then(|at| at.elapsed().ok());
    if age.is_some_and(|age| age < COLLECT_EVERY) {
        return Ok(false);
    }
    let fresh = age.is_none();
    std::fs::write(&stamp, b"").map_err(|error| {
        Error::caused(crate::error::Kind::Host, "cannot write the store", error)
    })?;
    if fresh {
        return Ok(false);
    }
    let disk = rustix::fs::statvfs(store.layout().root()).map_err(|error| {
        Error::caused(crate::error::Kind::Host, "cannot look at the disk", error)
    })?;
    let capacity = disk.f_blocks.saturating_mul(disk.f_frsize);
    let usual = Policy::usual(capacity);
    let policy = Policy {
        max_used: Some(limits.max_size.of(capacity)),
        min_free: Some(limits.min_free.of(capacity)),
        reserved: limits.reserved.of(capacity),
        keep_duration: limits.max_age.or(usual.keep_duration),
    };
    let report = store.collect(&policy).map_err(files::store_error)?;
    Ok(report.trash_waiting)
}

/// A step under way; dropping it without an end counts as cancelled.
pub(super) struct Step {
    pub(super) id: StepId,
    events: Events,
    start: Instant,
    ended: bool,
}

impl Step {
    pub(super) fn done(self, cached: bool) {
        self.end(cached, Outcome::Done);
    }

    pub(super) fn failed(self, error: &Error) {
        self.end(
            false,
            Outcome::Failed {
                message: error.full_message(),
            },
        );
    }

    /// Ends the step as the result says.
    pub(super) fn result<T>(self, result: Result<T>) -> Result<T> {
        match &result {
            Ok(_) => self.done(false),
            Err(error) => self.failed(error),
        }
        result
    }

    fn end(mut self, cached: bool, outcome: Outcome) {
        self.ended = true;
        let duration = self.start.elapsed();
        self.events.emit(Event::StepFinished {
            id: self.id,
            cached,
            duration,
            outcome,
        });
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        if !self.ended {
            let duration = self.start.elapsed();
            let outcome = Outcome::Cancelled;
            self.events.emit(Event::StepFinished {
                id: self.id,
                cached: false,
                duration,
                outcome,
            });
        }
    }
}

/// What an operation did to files, apart from what its input carried along.
#[derive(Debug, Serialize, Deserialize)]
enum Effects {
    Container {
        rootfs: Snapshot,
        /// Mounts with files, by target.
        mounts: Vec<(String, Snapshot)>,
        /// What was said, for a command.
        last: Option<ExecMeta>,
    },
    Other(Value),
}

impl Effects {
    fn of(op: &Op, value: &Value) -> Self {
        let Value::Container(container) = value else {
            return Self::Other(value.clone());
        };
        let files = |mount: &Mount| match &mount.kind {
            MountKind::Directory { tree, .. } => Some(tree.snapshot.clone()),
            MountKind::File(file) => Some(file.snapshot.clone()),
            _ => None,
        };
        let mounts = container.mounts.iter();
        Self::Container {
            rootfs: container.rootfs.clone(),
            mounts: mounts
                .filter_map(|m| Some((m.target.clone(), files(m)?)))
                .collect(),
            last: container.last.clone().filter(|_| matches!(op, Op::Exec(_))),
        }
    }

    fn onto(self, inputs: &[Value]) -> Value {
        let (rootfs, mounts, last) = match self {
            Self::Container {
                rootfs,
                mounts,
                last,
            } => (rootfs, mounts, last),
            Self::Other(value) => return value,
        };
        let Some(Value::Container(container)) = inputs.first() else {
            return Value::Directory(Tree::whole(rootfs));
        };
        let mut container = container.clone();
        container.rootfs = rootfs;
        container.last = last.or(container.last);
        for mount in &mut container.mounts {
            let Some((_, new)) = mounts.iter().find(|(at, _)| *at == mount.target) else {
                continue;
            };
            match &mut mount.kind {
                MountKind::Directory { tree, .. } => tree.snapshot.clone_from(new),
                MountKind::File(file) => file.snapshot.clone_from(new),
                _ => {}
            }
        }
        Value::Container(container)
    }
}

/// What a user calls the operation.
pub(super) fn describe(op: &Op) -> String {
    match op {
        Op::From { address } => format!("from {address}"),
        Op::Exec(exec) => format!("withExec {}", shorten(&exec.args.join(" "))),
        Op::GitTree(ask) => format!("git {}", ask.name),
        Op::HostDirectory { path, .. } => format!("host.directory {path}"),
        Op::HostFile { path, .. } => format!("host.file {path}"),
        Op::Captured { .. } => "workdir".into(),
        Op::Edit(edit) => files::describe(edit),
        Op::Diff => "diff".into(),
        Op::Filter { .. } => "filter".into(),
        Op::EditFile { .. } => "file".into(),
        Op::Replace { .. } => "withReplaced".into(),
        Op::Patch { .. } => "withPatch".into(),
        Op::AsPatch => "asPatch".into(),
        Op::WithChanges => "withChanges".into(),
        Op::Merge { .. } => "withChangeset".into(),
        other => format!("{other:?}")
            .split([' ', '(', '{'])
            .next()
            .unwrap_or_default()
            .to_owned(),
    }
}

pub(super) fn shorten(text: &str) -> String {
    let line: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    match line.char_indices().nth(120) {
        Some((at, _)) => format!("{}…", &line[..at]),
        None => line,
    }
}

/// Whether the operation is something a user waits for, rather than bookkeeping.
fn is_visible(op: &Op) -> bool {
    matches!(op, Op::Exec(_))
}

impl Worker for World {
    type Error = Error;

    fn identity<'a>(&'a self, vertex: &'a Arc<Vertex>) -> BoxFuture<'a, Result<Option<Key>>> {
        async move {
            match vertex.op() {
                Op::From { address } => {
                    let platform = platform_of(vertex);
                    let image = self.images.resolve(self, address, &platform).await?;
                    Ok(Some(Key::of("image", [image.manifest_digest.to_string()])))
                }
                op @ (Op::HostDirectory { .. } | Op::HostFile { .. }) => {
                    Ok(Some(self.scan_of(op).await?.key()))
                }
                Op::Http(ask) => Ok(Some(self.http_identity(ask).await?)),
                Op::GitTree(ask) if vertex.inputs().is_empty() => {
                    Ok(Some(self.git_identity(ask).await?))
                }
                Op::Configure(Configure::SecretEnv { secret, .. })
                | Op::Mount {
                    source: MountSource::Secret { secret, .. },
                    ..
                } => Ok(Some(self.secret_identity(secret).await?)),
                _ => Ok(None),
            }
        }
        .boxed()
    }

    fn lower<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        solver: &'a Solver<Self>,
    ) -> BoxFuture<'a, Result<Arc<Vertex>>> {
        async move {
            match (vertex.op(), vertex.inputs()) {
                (Op::DockerBuild(build), [context]) => {
                    docker::vertex(self, build, context, solver).await
                }
                (op, _) => Err(Error::internal(format!("{op:?} stands for itself"))),
            }
        }
        .boxed()
    }

    fn recall(&self, key: KeyOf<'_>, vertex: &Arc<Vertex>) -> Option<Value> {
        let value = match key {
            KeyOf::Definition(key) => self.cache.recall("value", key)?,
            KeyOf::Content(key, inputs) => {
                self.cache.recall::<Effects>("effects", key)?.onto(inputs)
            }
        };
        self.step(describe(vertex.op()), !is_visible(vertex.op()))
            .done(true);
        Some(value)
    }

    fn remember(&self, key: KeyOf<'_>, vertex: &Arc<Vertex>, value: &Value) {
        let refs = self
            .cache
            .refs(value, |layer| self.images.knows_layer(&self.cache, layer));
        let what = describe(vertex.op());
        match key {
            KeyOf::Definition(key) => {
                self.cache
                    .remember("value", key, value, refs, &what, Duration::ZERO);
            }
            KeyOf::Content(key, _) => {
                let effects = Effects::of(vertex.op(), value);
                self.cache
                    .remember("effects", key, &effects, refs, &what, Duration::ZERO);
            }
        }
    }

    fn content_key<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
    ) -> BoxFuture<'a, Result<Option<Key>>> {
        async move {
            match vertex.op() {
                Op::Exec(exec) => exec::content_key(self, exec, inputs).await.map(Some),
                // A name may mean another commit tomorrow.
                Op::GitTree(ask) if inputs.is_empty() => {
                    let parts = [
                        fingerprint("content-op", vertex.op()),
                        self.git_identity(ask).await?,
                    ];
                    Ok(Some(Key::of("content", &parts)))
                }
                op => {
                    let mut parts = vec![fingerprint("content-op", op)];
                    for (at, input) in inputs.iter().enumerate() {
                        parts.push(files::content_digest(self, op, at, input).await?);
                    }
                    Ok(Some(Key::of("content", &parts)))
                }
            }
        }
        .boxed()
    }

    fn run<'a>(
        &'a self,
        vertex: &'a Arc<Vertex>,
        inputs: &'a [Value],
        key: Option<&'a Key>,
    ) -> BoxFuture<'a, Result<Value>> {
        async move {
            match vertex.op() {
                Op::Scratch { platform } => Ok(Value::Container(Box::new(
                    crate::graph::Container::scratch(platform.clone()),
                ))),
                Op::From { address } => {
                    let container = files::container(&inputs[0])?;
                    self.images.from(self, container, address).await
                }
                Op::Exec(exec) => {
                    let Some(key) = key else {
                        return exec::run(self, exec, inputs).await;
                    };
                    // Another process that runs the same thing right now finishes it for both; if
                    // it failed, we try.
                    let lock = match self.build_lock(key, inputs).await? {
                        Build::Ours(lock) => lock,
                        Build::Done(value) => return Ok(value),
                    };
                    let value = exec::run(self, exec, inputs).await?;
                    // Whoever waits for the lock looks for this when it gets it.
                    self.remember(KeyOf::Content(key, inputs), vertex, &value);
                    drop(lock);
                    Ok(value)
                }
                Op::Import { tag } => export::import(self, tag, inputs).await,
                Op::Tarball(format) => export::tarball(self, *format, inputs).await,
                Op::Manifest(format) => export::manifest(self, *format, inputs).await,
                Op::Layer { id, format } => export::layer(self, id, *format, inputs).await,
                Op::Configure(change) => {
                    let mut container = files::container(&inputs[0])?.clone();
                    let identity = match change {
                        Configure::SecretEnv { secret, .. } => {
                            Some(self.secret_identity(secret).await?)
                        }
                        _ => None,
                    };
                    configure::apply(&mut container, change, identity.as_ref());
                    Ok(Value::Container(Box::new(container)))
                }
                Op::Service(op) => service::run(self, op, inputs).await,
                Op::BindService { alias } => service::bind(inputs, alias),
                op => files::run(self, op, inputs).await,
            }
        }
        .boxed()
    }
}

/// The platform at the bottom of a chain.
fn platform_of(vertex: &Arc<Vertex>) -> String {
    let mut current = vertex;
    loop {
        match current.op() {
            Op::Scratch { platform } => return platform.clone(),
            Op::DockerBuild(build) => return build.platform.clone(),
            _ => {}
        }
        match current.inputs().first() {
            Some(below) => current = below,
            None => return crate::ops::image::host_platform(),
        }
    }
}
