//! Publishing: an image goes to a registry, as little of it as the registry lacks.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::future::{BoxFuture, FutureExt as _};
use futures_util::stream::{self, StreamExt as _, TryStreamExt as _};

use super::{ExportedImage, Origin};
use crate::error::{Error, Result};
use crate::event::{Event, Events, Outcome};
use crate::exporter::{Blob, LayerBlob};
use crate::graph::Service;
use crate::ops::image::{reference_of, source_error};
use crate::ops::world::{World, blocking};
use crate::source::{ImageRef, PushTarget, Pusher, Reference, Route, Sent, Slot};

/// Layers of one image on their way at the same time.
const PARALLEL: usize = 4;
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

/// How to reach a registry, besides what the configuration says.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Reach {
    /// Plain HTTP or TLS.
    pub plain_http: Option<bool>,
    /// Whether certificates are not checked.
    pub insecure: bool,
}

/// One push, counted.
struct Push<'a> {
    world: &'a World,
    pusher: Pusher,
    image: Arc<str>,
    sent: AtomicU64,
    kept: AtomicUsize,
}

impl World {
    /// Reaches the registry of an address as told from now on: through a service of the session, or by another protocol.
    ///
    /// A service is spoken to in plain HTTP unless told otherwise.
    ///
    /// # Errors
    /// If the address is none of a registry, or the service cannot be started.
    pub async fn route_registry(
        &self,
        address: &str,
        service: Option<&Service>,
        reach: Reach,
    ) -> Result<()> {
        let reference = Reference::parse(address);
        let reference = reference.map_err(|error| Error::invalid(error.to_string()))?;
        let registry = reference.registry();
        let mut route = Route {
            host: None,
            plain_http: reach.plain_http,
            insecure: reach.insecure,
        };
        if let Some(service) = service {
            let plain = *route.plain_http.get_or_insert(true);
            let scheme = if plain { "http" } else { "https" };
            let reached = self
                .reach(service, &format!("{scheme}://{registry}/"))
                .await?;
            let front = reached.outside.split_once("://");
            route.host = front.map(|(_, place)| place.to_owned());
            let mut open = self
                .registries
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            open.push(reached);
        }
        if route != Route::default() {
            self.images.route(registry, route);
        }
        Ok(())
    }

    /// Puts an image into a registry under a name; returns the name with the digest.
    ///
    /// # Errors
    /// If the name is none, or the registry does not take the image.
    pub async fn publish(&self, image: &ExportedImage, address: &str) -> Result<String> {
        let reference = match ImageRef::parse(address) {
            Ok(ImageRef::Registry(reference)) => reference,
            Ok(ImageRef::Transport { .. }) => {
                return Err(Error::invalid(format!("`{address}` is in no registry"))
                    .hint("write to files with export, to local tools with exportImage"));
            }
            Err(error) => return Err(Error::invalid(error.to_string())),
        };
        if reference.digest().is_some() {
            return Err(Error::invalid(format!(
                "cannot publish to `{address}`: a digest comes out of publishing, it cannot be chosen"
            )));
        }
        let auth = self.images.explicit(self).await?;
        let target = PushTarget::from(reference.clone());
        let push = Push {
            world: self,
            pusher: Pusher::new(self.images.registry().with_auth(&auth), target),
            image: reference.to_string().into(),
            sent: AtomicU64::new(0),
            kept: AtomicUsize::new(0),
        };
        push.run(image, reference.tag()).await?;
        self.images.forget_tag(&reference);
        Ok(reference.with_digest(image.digest().clone()).to_string())
    }
}

impl Push<'_> {
    async fn run(&self, image: &ExportedImage, tag: Option<&str>) -> Result<()> {
        let layers = image.index.images.iter().flat_map(|image| &image.layers);
        self.world.events.emit(Event::PushStarted {
            image: Arc::clone(&self.image),
            layers: layers.clone().count(),
            bytes: layers.map(|layer| layer.size).sum(),
        });
        let mut done = Done {
            image: &self.image,
            events: &self.world.events,
            started: Instant::now(),
            sent: &self.sent,
            kept: &self.kept,
            outcome: Outcome::Cancelled,
        };
        let result = self.put(image, tag).await;
        done.outcome = match &result {
            Ok(()) => Outcome::Done,
            Err(error) => Outcome::Failed {
                message: error.full_message(),
            },
        };
        result
    }

    async fn put(&self, image: &ExportedImage, tag: Option<&str>) -> Result<()> {
        let top = image.index.top();
        let tagged = self.pusher.tagged().await.map_err(source_error)?;
        if tagged.as_ref() == Some(&top.digest) {
            self.kept.fetch_add(image.origins.len(), Ordering::Relaxed);
            return Ok(());
        }
        let known = self.pusher.has_manifest(&top.digest).await;
        if known.map_err(source_error)? {
            self.kept.fetch_add(image.origins.len(), Ordering::Relaxed);
        } else {
            self.blobs(image).await?;
            if image.index.list.is_some() {
                for part in &image.index.images {
                    self.manifest(&part.manifest, None).await?;
                }
            }
        }
        self.manifest(top, tag).await
    }

    /// Layers and configurations, several at a time.
    async fn blobs(&self, image: &ExportedImage) -> Result<()> {
        let mut layers: Vec<&LayerBlob> =
            image.index.images.iter().flat_map(|i| &i.layers).collect();
        // The largest first, so that none of them is left for the end.
        layers.sort_by(|a, b| {
            b.size
                .cmp(&a.size)
                .then_with(|| a.digest.as_ref().cmp(b.digest.as_ref()))
        });
        layers.dedup_by(|a, b| a.digest == b.digest);
        let mut pushes: Vec<BoxFuture<'_, Result<()>>> = Vec::with_capacity(layers.len());
        for layer in layers {
            let origin = &image.origins[&layer.digest];
            pushes.push(self.layer(layer, origin).boxed());
        }
        let pushes = stream::iter(pushes).buffer_unordered(PARALLEL);
        pushes.try_collect::<Vec<()>>().await?;
        for part in &image.index.images {
            self.config(&part.config).await?;
        }
        Ok(())
    }

    async fn layer(&self, layer: &LayerBlob, origin: &Origin) -> Result<()> {
        let from = match origin {
            Origin::Image(found, _) => reference_of(found),
            _ => None,
        };
        let slot = self.pusher.slot(&layer.digest, from.as_ref()).await;
        let upload = match slot.map_err(source_error)? {
            Slot::Present | Slot::Mounted => {
                self.kept.fetch_add(1, Ordering::Relaxed);
                return Ok(());
            }
            Slot::Wanted(upload) => upload,
        };
        let file = Arc::new(self.world.open_blob(layer, origin).await?);
        let sent = self.progress(layer);
        self.pusher
            .upload(upload, &layer.digest, file, layer.size, sent)
            .await
            .map_err(source_error)?;
        self.sent.fetch_add(layer.size, Ordering::Relaxed);
        Ok(())
    }

    /// Tells of bytes as they are sent, not too often.
    fn progress(&self, layer: &LayerBlob) -> Sent {
        let (image, name) = (Arc::clone(&self.image), layer.digest.to_string());
        let (events, total, name) = (
            self.world.events.clone(),
            layer.size,
            Arc::<str>::from(name),
        );
        let state = Mutex::new((0_u64, Instant::now()));
        Arc::new(move |count| {
            let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
            // A part that is sent again was counted before.
            state.0 = (state.0 + count).min(total);
            if state.0 == total || state.1.elapsed() >= PROGRESS_EVERY {
                state.1 = Instant::now();
                events.emit(Event::PushProgress {
                    image: Arc::clone(&image),
                    layer: Arc::clone(&name),
                    bytes: state.0,
                    total,
                });
            }
        })
    }

    async fn config(&self, config: &Blob) -> Result<()> {
        let slot = self.pusher.slot(&config.digest, None).await;
        let Slot::Wanted(upload) = slot.map_err(source_error)? else {
            self.kept.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        };
        let bytes = Arc::clone(&config.bytes);
        let file = blocking(move || {
            let flags = rustix::fs::MemfdFlags::CLOEXEC;
            let file = rustix::fs::memfd_create("nsci-config", flags).map(std::fs::File::from);
            let written = file.map_err(std::io::Error::from).and_then(|mut file| {
                std::io::Write::write_all(&mut file, &bytes)?;
                Ok(file)
            });
            written.map_err(|error| {
                Error::caused(
                    crate::error::Kind::Host,
                    "cannot send a configuration",
                    error,
                )
            })
        })
        .await?;
        let size = config.bytes.len() as u64;
        self.pusher
            .upload(
                upload,
                &config.digest,
                Arc::new(file),
                size,
                Arc::new(|_| {}),
            )
            .await
            .map_err(source_error)?;
        self.sent.fetch_add(size, Ordering::Relaxed);
        Ok(())
    }

    async fn manifest(&self, manifest: &Blob, tag: Option<&str>) -> Result<()> {
        let Blob {
            digest,
            bytes,
            media_type,
        } = manifest;
        let put = self.pusher.manifest(digest, bytes, media_type, tag).await;
        put.map_err(source_error)?;
        self.sent.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }
}

/// Sends [`Event::PushDone`] when dropped, also by a cancelled push.
struct Done<'a> {
    image: &'a Arc<str>,
    events: &'a Events,
    started: Instant,
    sent: &'a AtomicU64,
    kept: &'a AtomicUsize,
    outcome: Outcome,
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.events.emit(Event::PushDone {
            image: Arc::clone(self.image),
            sent: self.sent.load(Ordering::Relaxed),
            kept: self.kept.load(Ordering::Relaxed),
            duration: self.started.elapsed(),
            outcome: self.outcome.clone(),
        });
    }
}
