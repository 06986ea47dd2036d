//! Images: what references mean in this session, and their layers on disk when they are needed.
//!
//! `from` only learns an image's configuration and the names of its layers; a layer is fetched when
//! something is about to mount it. So a run whose steps are all remembered pulls nothing.

use super::{configure, sandbox::Live, world::World};
use crate::{
    cache::Cache,
    config::Config,
    error::{Error, Kind, Result},
    event::Events,
    graph::{
        Annotation, Container, EnvVar, Healthcheck, ImageConfig, Key, Port, Protocol, SecretRef,
        Snapshot, Value, fingerprint,
    },
    source::{
        self, AuthSources, BlobStore, BlobWrite, ClientOptions, Compression, Credential, Delivery,
        FileTags, ImageRef, LayerJob, LayerUnpacker, Platform, ProxyClient, ProxyOptions, Puller,
        Reference, RegistryAuth, RegistryClient, Resolved, Sources, StoredBlobs, TagStore,
        UnpackJob, UnpackStream,
    },
};
use futures_util::future::{BoxFuture, FutureExt};
use nsci_snapshotter::{
    Digest, LayerId, Store, content,
    keeper::{self, ApplyLayer},
    lock::KeyLock,
    record::Refs,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fmt,
    io::{self, Read, Write},
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// The platform that images are chosen for unless told otherwise.
pub(super) fn host_platform() -> String {
    Platform::host().to_string()
}

/// Credentials given by `withRegistryAuth`.
#[derive(Clone, Debug)]
struct GivenAuth {
    address: String,
    username: String,
    secret: SecretRef,
}

/// What was asked for: address and platform.
type Asked = (String, String);
/// A look-up, done or under way.
type Lookup = Arc<OnceCell<Arc<Found>>>;

/// An image found in this session.
pub(super) struct Found {
    pub(super) resolved: Resolved,
    pub(super) blobs: Arc<dyn source::BlobSource>,
}

impl fmt::Debug for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Found").field(&self.resolved.name).finish()
    }
}

impl Found {
    /// Its layers as the store names them, lowest first.
    pub(super) fn layer_ids(&self) -> Vec<LayerId> {
        let layers = self.resolved.layers.iter();
        layers.map(|layer| layer_id(&layer.diff_id)).collect()
    }
}

/// Where an image is, if it is in a registry.
pub(super) fn reference_of(found: &Found) -> Option<Reference> {
    match ImageRef::parse(&found.resolved.name) {
        Ok(ImageRef::Registry(reference)) => Some(reference),
        _ => None,
    }
}

/// What a record says about an image layer: which image has it.
#[derive(Debug, Serialize, Deserialize)]
struct Origin {
    image: String,
    platform: String,
}

/// The images of a session.
pub struct Images {
    sources: Sources,
    puller: Puller,
    blobs: Arc<Blobs>,
    unpacker: Arc<Unpacker>,
    given: Mutex<Vec<GivenAuth>>,
    found: Mutex<HashMap<Asked, Lookup>>,
    origins: Mutex<HashMap<LayerId, Arc<Found>>>,
    /// Image layers as they were unpacked, and as they are stacked.
    settled: Mutex<HashMap<Vec<LayerId>, Vec<LayerId>>>,
}

impl fmt::Debug for Images {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Images").finish_non_exhaustive()
    }
}

impl Images {
    /// Images as the configuration says where to find them.
    ///
    /// `policy` says where skopeo and the signature policies are.
    pub fn new(
        config: &Config,
        auth: AuthSources,
        policy: ProxyOptions,
        store: &Arc<Store>,
        events: &Events,
    ) -> Self {
        let tags = (!config.tag_ttl.is_zero()).then(|| {
            Arc::new(FileTags::new(store.layout().root().join("tags"))) as Arc<dyn TagStore>
        });
        let own_blobs = Arc::new(Blobs {
            store: Arc::clone(store),
        });
        let blobs: Arc<dyn BlobStore> = Arc::clone(&own_blobs) as _;
        let unpacker = Arc::new(Unpacker {
            store: Arc::clone(store),
            live: OnceLock::new(),
        });
        let puller = Puller::new(
            Arc::clone(&blobs),
            Arc::clone(&unpacker) as Arc<dyn LayerUnpacker>,
            config.pull.clone(),
            events.clone(),
        );
        let options = ClientOptions {
            config: config.clone(),
            auth,
            blobs,
            tags,
            events: events.clone(),
        };
        let registry = RegistryClient::new(options);
        let sources = Sources {
            registry,
            proxy: ProxyClient::new(policy),
        };
        Self {
            sources,
            puller,
            blobs: own_blobs,
            unpacker,
            given: Mutex::default(),
            found: Mutex::default(),
            origins: Mutex::default(),
            settled: Mutex::default(),
        }
    }

    /// Adds credentials for a registry, or for repositories of it.
    pub fn add_auth(&self, address: &str, username: &str, secret: SecretRef) {
        let mut given = lock(&self.given);
        given.retain(|known| known.address != address);
        let (address, username) = (address.to_owned(), username.to_owned());
        given.push(GivenAuth {
            address,
            username,
            secret,
        });
    }

    /// Takes credentials away again.
    pub fn remove_auth(&self, address: &str) {
        lock(&self.given).retain(|known| known.address != address);
    }

    /// Reaches a registry another way from now on. What was found there before is looked up anew.
    pub(super) fn route(&self, registry: &str, route: source::Route) {
        self.sources.registry.route(registry, route);
        lock(&self.found).retain(|(address, _), _| {
            !matches!(ImageRef::parse(address), Ok(ImageRef::Registry(known)) if known.registry() == registry)
        });
    }

    /// What a reference means. A tag is asked for once in a session.
    pub(super) async fn resolve(
        &self,
        world: &World,
        address: &str,
        platform: &str,
    ) -> Result<Arc<FoundImage>> {
        let found = self.find(world, address, platform).await?;
        Ok(Arc::new(FoundImage {
            manifest_digest: found.resolved.manifest_digest.clone(),
        }))
    }

    pub(super) async fn find(
        &self,
        world: &World,
        address: &str,
        platform: &str,
    ) -> Result<Arc<Found>> {
        let cell = Arc::clone(
            lock(&self.found)
                .entry((address.to_owned(), platform.to_owned()))
                .or_default(),
        );
        cell.get_or_try_init(|| self.look_up(world, address, platform))
            .await
            .cloned()
    }

    async fn look_up(&self, world: &World, address: &str, platform: &str) -> Result<Arc<Found>> {
        let step = world.step(format!("resolve {address}"), true);
        let result = self.ask(world, address, platform).await;
        step.result(result)
    }

    async fn ask(&self, world: &World, address: &str, platform: &str) -> Result<Arc<Found>> {
        let platform: Platform = platform.parse().map_err(source_error)?;
        let image = ImageRef::parse(address)
            .map_err(|error| source_error(source::Error::Reference(error)))?;
        if let ImageRef::Registry(reference) = &image
            && let Some(found) = world.imported_image(reference, &platform)?
        {
            let found = Arc::new(found);
            self.note_origins(world, &found);
            return Ok(found);
        }
        let auth = self.explicit(world).await?;
        let (resolved, blobs) = self
            .sources
            .resolve(&image, &platform, &auth)
            .await
            .map_err(source_error)?;
        let found = Arc::new(Found { resolved, blobs });
        self.note_origins(world, &found);
        if let ImageRef::Registry(reference) = &image
            && reference.tag().is_some()
        {
            world.note_name(reference, &found);
        }
        Ok(found)
    }

    pub(super) async fn explicit(&self, world: &World) -> Result<Vec<RegistryAuth>> {
        let given = lock(&self.given).clone();
        let mut list = Vec::with_capacity(given.len());
        for auth in given {
            let value = world.client.secret(&auth.secret).await?;
            let password = String::from_utf8_lossy(value.bytes()).trim_end().to_owned();
            list.push(RegistryAuth {
                address: auth.address,
                credential: Credential::Basic {
                    username: auth.username,
                    password,
                },
            });
        }
        Ok(list)
    }

    fn note_origins(&self, world: &World, found: &Arc<Found>) {
        let mut origins = lock(&self.origins);
        for layer in &found.resolved.layers {
            let id = layer_id(&layer.diff_id);
            world.cache.note_image_layer(&id);
            let origin = Origin {
                image: pinned(&found.resolved),
                platform: found.resolved.platform.to_string(),
            };
            let key = layer_key(&id);
            if world.cache.recall::<Origin>("layer", &key).is_none() {
                let what = format!("layer of {}", found.resolved.name);
                let (refs, none) = (Refs::default(), Duration::ZERO);
                world
                    .cache
                    .remember("layer", &key, &origin, refs, &what, none);
            }
            origins.insert(id, Arc::clone(found));
        }
    }

    /// Whether a layer belongs to an image that is known, so that it can be pulled again.
    pub(super) fn knows_layer(&self, cache: &Cache, layer: &LayerId) -> bool {
        lock(&self.origins).contains_key(layer)
            || cache.recall::<Origin>("layer", &layer_key(layer)).is_some()
    }

    /// The container with an image's file system and configuration.
    pub(super) async fn from(
        &self,
        world: &World,
        container: &Container,
        address: &str,
    ) -> Result<Value> {
        let found = self.find(world, address, &container.platform).await?;
        let resolved = &found.resolved;
        let mut next = container.clone();
        next.rootfs = Snapshot::of(resolved.layers.iter().map(|layer| layer_id(&layer.diff_id)));
        next.config =
            configure::merge_image(std::mem::take(&mut next.config), image_config(resolved));
        next.image_ref = Some(pinned(resolved));
        next.last = None;
        Ok(Value::Container(Box::new(next)))
    }

    /// Makes sure that layers are on disk and stay there while this process runs.
    pub(super) async fn ensure(&self, world: &World, layers: &[LayerId]) -> Result<()> {
        let gone = world.cache.hold_layers(layers);
        if gone.is_empty() {
            return Ok(());
        }
        let live = world.live().await?;
        drop(self.unpacker.live.set(live));
        let mut images: Vec<Arc<Found>> = Vec::new();
        for layer in &gone {
            let found = self.origin(world, layer).await?;
            if !images.iter().any(|known| Arc::ptr_eq(known, &found)) {
                images.push(found);
            }
        }
        for found in images {
            self.puller
                .pull(&found.resolved, Arc::clone(&found.blobs))
                .await
                .map_err(source_error)?;
        }
        let gone = world.cache.hold_layers(layers);
        match gone.first() {
            None => Ok(()),
            Some(layer) => Err(Error::internal(format!(
                "layer was pulled but is gone: {layer}"
            ))),
        }
    }

    /// Fits image layers to each other where they are stacked: each was unpacked on its own.
    pub(super) async fn settle(&self, world: &World, layers: &[LayerId]) -> Result<Vec<LayerId>> {
        let count = layers
            .iter()
            .take_while(|id| self.knows_layer(&world.cache, id))
            .count();
        let (image, rest) = layers.split_at(count);
        if image.len() < 2 {
            return Ok(layers.to_vec());
        }
        let known = lock(&self.settled).get(image).cloned();
        let mut stack = match known {
            Some(stack) => stack,
            None => {
                let ask = image.to_vec();
                let settled = world.keeper(move |keeper| keeper.settle(&ask)).await?;
                let settled: Vec<LayerId> = settled.into_iter().map(|layer| layer.id).collect();
                world.cache.hold_layers(&settled);
                lock(&self.settled).insert(image.to_vec(), settled.clone());
                settled
            }
        };
        stack.extend_from_slice(rest);
        Ok(stack)
    }

    /// The image that a layer belongs to, and the layer as that image has it; nothing for layers of no image.
    pub(super) async fn layer(
        &self,
        world: &World,
        layer: &LayerId,
    ) -> Result<Option<(Arc<Found>, source::Layer)>> {
        if !self.knows_layer(&world.cache, layer) {
            return Ok(None);
        }
        let found = self.origin(world, layer).await?;
        let is_it = |known: &&source::Layer| layer_id(&known.diff_id) == *layer;
        let own = found.resolved.layers.iter().find(is_it).cloned();
        Ok(own.map(|own| (found, own)))
    }

    /// An image whose manifest and configuration are in the store.
    pub(super) fn resolve_stored(
        &self,
        name: &str,
        manifest: &Digest,
    ) -> Result<Option<Resolved>, source::Error> {
        let read = |digest: &Digest| self.blobs.store.content().read(digest).ok().flatten();
        match read(manifest) {
            Some(bytes) => Resolved::of_manifest(name, bytes, read),
            None => Ok(None),
        }
    }

    /// Layers whose blobs are in the store.
    pub(super) fn stored_blobs(&self) -> Arc<dyn source::BlobSource> {
        let blobs: Arc<dyn BlobStore> = Arc::clone(&self.blobs) as _;
        Arc::new(StoredBlobs(blobs))
    }

    /// Talks to registries.
    pub(super) fn registry(&self) -> &RegistryClient {
        &self.sources.registry
    }

    /// Looks a tag up anew when it is asked for next: it was written to.
    pub(super) fn forget_tag(&self, reference: &Reference) {
        let name = reference.to_string();
        lock(&self.found).retain(|_, found| {
            found
                .get()
                .is_none_or(|found| *found.resolved.name != *name)
        });
    }

    /// Unpacks all layers of an image and keeps them while this process runs.
    pub(super) async fn unpack(&self, world: &World, found: &Arc<Found>) -> Result<()> {
        let live = world.live().await?;
        drop(self.unpacker.live.set(live));
        self.puller
            .pull(&found.resolved, Arc::clone(&found.blobs))
            .await
            .map_err(source_error)?;
        match world.cache.hold_layers(&found.layer_ids()).first() {
            None => Ok(()),
            Some(layer) => Err(Error::internal(format!(
                "layer was unpacked but is gone: {layer}"
            ))),
        }
    }

    async fn origin(&self, world: &World, layer: &LayerId) -> Result<Arc<Found>> {
        if let Some(found) = lock(&self.origins).get(layer) {
            return Ok(Arc::clone(found));
        }
        let lost = || {
            Error::internal(format!("layer is no longer in the store: {layer}"))
                .hint("run the command again; if that does not help, `nsci cache prune`")
        };
        let origin: Origin = world
            .cache
            .recall("layer", &layer_key(layer))
            .ok_or_else(lost)?;
        self.find(world, &origin.image, &origin.platform).await
    }
}

/// The part of a found image that makes a key.
pub(super) struct FoundImage {
    pub(super) manifest_digest: Digest,
}

/// The reference with the digest that it meant.
fn pinned(resolved: &Resolved) -> String {
    let name = resolved.name.split('@').next().unwrap_or(&resolved.name);
    format!("{name}@{}", resolved.digest)
}

/// Name of an image layer: its content, as the unpacker verifies it.
fn layer_id(diff_id: &Digest) -> LayerId {
    LayerId::of(format!("oci-layer {diff_id}"))
}

fn layer_key(layer: &LayerId) -> Key {
    fingerprint("layer", layer)
}

pub(super) fn image_config(resolved: &Resolved) -> ImageConfig {
    let Some(config) = resolved.config.config() else {
        return ImageConfig::default();
    };
    let env = config.env().iter().flatten().map(|var| {
        let (name, value) = var.split_once('=').unwrap_or((var, ""));
        EnvVar {
            name: name.to_owned(),
            value: value.to_owned(),
        }
    });
    let mut labels: Vec<Annotation> = config
        .labels()
        .iter()
        .flatten()
        .map(|(name, value)| Annotation {
            name: name.clone(),
            value: value.clone(),
        })
        .collect();
    labels.sort_by(|a, b| a.name.cmp(&b.name));
    let extra: DockerConfig = serde_json::from_slice(&resolved.config_bytes).unwrap_or_default();
    ImageConfig {
        env: env.collect(),
        workdir: config.working_dir().clone().unwrap_or_default(),
        user: config.user().clone().unwrap_or_default(),
        entrypoint: config.entrypoint().clone(),
        cmd: config.cmd().clone(),
        labels,
        ports: config
            .exposed_ports()
            .iter()
            .flatten()
            .filter_map(|port| read_port(port))
            .collect(),
        volumes: config.volumes().clone().unwrap_or_default(),
        stop_signal: config.stop_signal().clone(),
        shell: extra.config.shell,
        on_build: extra.config.on_build.unwrap_or_default(),
        healthcheck: extra.config.healthcheck,
    }
}

/// What Docker adds to the OCI configuration.
#[derive(Default, Deserialize)]
struct DockerConfig {
    #[serde(default)]
    config: DockerFields,
}

#[derive(Default, Deserialize)]
struct DockerFields {
    #[serde(rename = "Shell")]
    shell: Option<Vec<String>>,
    #[serde(rename = "OnBuild")]
    on_build: Option<Vec<String>>,
    #[serde(rename = "Healthcheck")]
    healthcheck: Option<Healthcheck>,
}

/// Reads `8080`, `8080/tcp` or `53/udp`.
fn read_port(text: &str) -> Option<Port> {
    let (number, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = if protocol.eq_ignore_ascii_case("udp") {
        Protocol::Udp
    } else {
        Protocol::Tcp
    };
    let port = number.parse().ok()?;
    Some(Port {
        port,
        protocol,
        description: None,
        skip_healthcheck: false,
    })
}

/// An error of a source as the user meets it.
pub(super) fn source_error(error: source::Error) -> Error {
    use source::Error as E;
    let kind = match &error {
        E::Reference(_) | E::NoPlatform { .. } | E::Unsupported { .. } => Kind::Invalid,
        E::Io { .. } => Kind::Host,
        E::Cancelled => Kind::Cancelled,
        _ => Kind::Outside,
    };
    let hint = match &error {
        E::NotFound { .. } => Some("check the name and the tag; private images need credentials"),
        E::Unreachable { .. } => {
            Some("check the network; mirrors are set with NSCI_REGISTRY_MIRRORS")
        }
        _ => None,
    };
    let text = error.to_string();
    let error = match std::error::Error::source(&error) {
        Some(cause) => {
            let cause = io::Error::other(cause.to_string());
            Error::caused(kind, text, cause)
        }
        None => Error::new(kind, text),
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

/// The store's blobs as the sources see them.
#[derive(Debug)]
struct Blobs {
    store: Arc<Store>,
}

impl BlobStore for Blobs {
    fn has(&self, digest: &Digest) -> bool {
        self.store.content().has(digest)
    }

    fn open(&self, digest: &Digest) -> io::Result<Option<Box<dyn Read + Send>>> {
        let file = self
            .store
            .content()
            .open(digest)
            .map_err(io::Error::other)?;
        Ok(file.map(|file| Box::new(file) as Box<dyn Read + Send>))
    }

    fn writer(&self, digest: &Digest, size: u64) -> io::Result<Option<Box<dyn BlobWrite>>> {
        let expected = content::Expected {
            digest: digest.clone(),
            size: Some(size),
        };
        let writer = self
            .store
            .content()
            .writer(Some(&expected))
            .map_err(io::Error::other)?;
        Ok(Some(Box::new(Writing { writer })))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.store.content().path(digest)
    }
}

struct Writing {
    writer: content::BlobWriter,
}

/// Reads back what a writer has.
struct Replay<'a> {
    writer: &'a content::BlobWriter,
    at: u64,
}

impl Read for Replay<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self
            .writer
            .read_at(buffer, self.at)
            .map_err(io::Error::other)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl BlobWrite for Writing {
    fn offset(&self) -> u64 {
        self.writer.offset()
    }

    fn replay(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(Replay {
            writer: &self.writer,
            at: 0,
        }))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.writer.write_all(bytes)
    }

    fn reset(&mut self) -> io::Result<()> {
        self.writer.restart().map_err(io::Error::other)
    }

    fn verifies(&self) -> bool {
        true
    }

    fn commit(self: Box<Self>) -> io::Result<()> {
        self.writer.commit().map(drop).map_err(|error| match error {
            nsci_snapshotter::Error::DigestMismatch { .. } => {
                io::Error::new(io::ErrorKind::InvalidData, error)
            }
            error => io::Error::other(error),
        })
    }
}

/// Hands layers to the keeper.
struct Unpacker {
    store: Arc<Store>,
    live: OnceLock<Arc<Live>>,
}

impl LayerUnpacker for Unpacker {
    fn begin(&self, layer: &LayerJob) -> Result<Option<UnpackStream>, source::BoxError> {
        let id = layer_id(&layer.diff_id);
        let present = || self.store.layout().tree(&id).exists();
        if present() {
            return Ok(None);
        }
        // Another process may be unpacking the same layer; then it does so for both.
        let lock = KeyLock::acquire(&self.store, &format!("layer-{id}"))?;
        if present() {
            return Ok(None);
        }
        let live = Arc::clone(self.live.get().ok_or("the sandbox does not run")?);
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        // More room means fewer wake-ups; a kernel that refuses keeps its own size.
        rustix::pipe::fcntl_setpipe_size(&write, 1 << 20).ok();
        let apply = ApplyLayer {
            id,
            compression: match layer.compression {
                Compression::None => keeper::Compression::None,
                Compression::Gzip => keeper::Compression::Gzip,
                Compression::Zstd => keeper::Compression::Zstd,
            },
            diff_id: Some(layer.diff_id.to_string()),
        };
        let (told, outcome) = tokio::sync::oneshot::channel();
        std::thread::Builder::new()
            .name("nsci-unpack".into())
            .spawn(move || {
                let result = live.keeper.apply_layer(apply, read);
                drop(lock);
                // Nobody listens when the pull was cancelled.
                drop(told.send(result.map(drop)));
            })?;
        Ok(Some(UnpackStream {
            pipe: write,
            job: Box::new(Unpacking { outcome }),
        }))
    }
}

struct Unpacking {
    outcome: tokio::sync::oneshot::Receiver<Result<(), nsci_snapshotter::Error>>,
}

impl UnpackJob for Unpacking {
    fn finish(
        self: Box<Self>,
        _delivery: Delivery,
    ) -> BoxFuture<'static, Result<(), source::BoxError>> {
        // The keeper publishes nothing whose hash is not the expected one, so a stream that was
        // given up cannot leave a layer behind.
        async move {
            match self.outcome.await {
                Ok(result) => result.map_err(Into::into),
                Err(_) => Err("the unpacker ended early".into()),
            }
        }
        .boxed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_images() {
        for (text, want) in [
            ("8080", Some((8080, Protocol::Tcp))),
            ("53/udp", Some((53, Protocol::Udp))),
            ("80/TCP", Some((80, Protocol::Tcp))),
            ("http", None),
            ("70000", None),
        ] {
            assert_eq!(
                read_port(text).map(|port| (port.port, port.protocol)),
                want,
                "{text}"
            );
        }
    }
}
