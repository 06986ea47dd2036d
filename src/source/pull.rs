//! Streaming pull: every layer goes from the wire to its digest check, the blob store and the unpacker at
//! once.
//!
//! [`Puller::pull`] is the entry. Nothing is unpacked here; a [`LayerUnpacker`] takes the compressed bytes
//! from a pipe, and learns at the end whether they were the right ones.

use std::collections::{HashMap, HashSet};
use std::future::Future;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use oci_spec::image::Digest;
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::config::PullConfig;
use crate::event::{Event, Events, Outcome};

use super::blob_body::BlobSource;
use super::http::Patience;
use super::image::{Compression, Hasher, Layer};
use super::{BlobStore, BlobWrite, BoxError, Error, Resolved, Tried};

const PIPE_SIZE: usize = 1 << 20;
/// Chunks smaller than this are gathered, up to [`GATHER`], to save system calls.
const DIRECT: usize = 64 << 10;
const GATHER: usize = 256 << 10;
const PROGRESS_EVERY: Duration = Duration::from_millis(100);
/// A broken stream that brought at least this much does not count as a failure.
const ENOUGH: u64 = 4 << 20;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// A future in a box.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A layer to unpack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerJob {
    /// Digest of the compressed blob.
    pub digest: Digest,
    /// Digest the uncompressed tar must have; the unpacker checks it.
    pub diff_id: Digest,
    /// Packing.
    pub compression: Compression,
    /// Bytes the stream will have.
    pub size: u64,
}

/// Turns compressed layers into trees.
pub trait LayerUnpacker: Send + Sync {
    /// Prepares for a layer; `None` when it is unpacked already, and then nothing is fetched.
    ///
    /// Called on a thread that may block.
    ///
    /// # Errors
    /// The pull fails with it.
    fn begin(&self, layer: &LayerJob) -> Result<Option<UnpackStream>, BoxError>;
}

/// The way into an unpacker.
pub struct UnpackStream {
    /// Write end of a pipe. The compressed layer is written to it once, from first to last byte.
    pub pipe: OwnedFd,
    /// What happens after.
    pub job: Box<dyn UnpackJob>,
}

impl std::fmt::Debug for UnpackStream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("UnpackStream")
            .field("pipe", &self.pipe)
            .finish_non_exhaustive()
    }
}

/// An unpack under way. Dropping it is the same as [`Delivery::Abandoned`].
pub trait UnpackJob: Send {
    /// Told once the pipe is closed; resolves when the tree is in place, or is gone.
    ///
    /// End of file on the pipe alone means nothing: a tree may be published only after
    /// [`Delivery::Verified`]. After [`Delivery::Abandoned`], the error is the reason the unpacker had for
    /// closing its end, if it did.
    fn finish(self: Box<Self>, delivery: Delivery) -> BoxFuture<'static, Result<(), BoxError>>;
}

/// How a stream ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Delivery {
    /// Every byte was delivered, and together they have the right digest.
    Verified,
    /// Something went wrong; nothing delivered may be used.
    Abandoned,
}

/// What a pull came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PullStats {
    /// Bytes that came over the wire.
    pub fetched: u64,
    /// Layers unpacked by this pull; the others were there.
    pub unpacked: usize,
}

/// Brings layers of images to an unpacker; one per session.
pub struct Puller {
    blobs: Arc<dyn BlobStore>,
    unpacker: Arc<dyn LayerUnpacker>,
    events: Events,
    options: PullConfig,
    places: Arc<Semaphore>,
    /// One pull per layer at a time: images share layers.
    under_way: Mutex<HashMap<Digest, Weak<tokio::sync::Mutex<()>>>>,
}

impl std::fmt::Debug for Puller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Puller")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl Puller {
    /// Makes a puller; `options.parallel` layers are fetched at a time, over all images together.
    #[must_use]
    pub fn new(
        blobs: Arc<dyn BlobStore>,
        unpacker: Arc<dyn LayerUnpacker>,
        options: PullConfig,
        events: Events,
    ) -> Self {
        let places = Arc::new(Semaphore::new(options.parallel.max(1)));
        Self {
            blobs,
            unpacker,
            events,
            options,
            places,
            under_way: Mutex::default(),
        }
    }

    /// Fetches and unpacks every layer of an image that is not unpacked yet.
    ///
    /// Dropping the future stops everything; what was received stays in the blob store to be resumed.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`], [`Error::Unpack`], [`Error::Io`], and those of [`BlobSource::open`].
    pub async fn pull(
        &self,
        image: &Resolved,
        source: Arc<dyn BlobSource>,
    ) -> Result<PullStats, Error> {
        self.events.emit(Event::PullStarted {
            image: Arc::clone(&image.name),
            layers: image.layers.len(),
            bytes: image.size(),
        });
        let mut done = Done::new(image, &self.events);
        let result = self.pull_layers(image, source, &done.fetched).await;
        done.outcome = match &result {
            Ok(_) => Outcome::Done,
            Err(error) => Outcome::Failed {
                message: error.to_string(),
            },
        };
        result
    }

    async fn pull_layers(
        &self,
        image: &Resolved,
        source: Arc<dyn BlobSource>,
        fetched: &Arc<AtomicU64>,
    ) -> Result<PullStats, Error> {
        let mut seen = HashSet::new();
        let mut layers: Vec<&Layer> = image
            .layers
            .iter()
            .filter(|layer| seen.insert(layer.digest().clone()))
            .collect();
        // The largest decides when the pull ends, so it starts first.
        layers.sort_by_key(|layer| std::cmp::Reverse(layer.size()));
        let mut tasks = JoinSet::new();
        for layer in layers {
            let transfer = Transfer {
                image: Arc::clone(&image.name),
                layer: layer.clone(),
                source: Arc::clone(&source),
                blobs: Arc::clone(&self.blobs),
                unpacker: Arc::clone(&self.unpacker),
                events: self.events.clone(),
                retries: self.options.retries,
                fetched: Arc::clone(fetched),
            };
            tasks.spawn(transfer.scheduled(Arc::clone(&self.places), self.turn(layer.digest())));
        }
        let mut unpacked = 0;
        while let Some(joined) = tasks.join_next().await {
            if unwind(joined)?? {
                unpacked += 1;
            }
        }
        Ok(PullStats {
            fetched: fetched.load(Ordering::Relaxed),
            unpacked,
        })
    }

    fn turn(&self, digest: &Digest) -> Arc<tokio::sync::Mutex<()>> {
        let mut under_way = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        under_way.retain(|_, turn| turn.strong_count() > 0);
        if let Some(turn) = under_way.get(digest).and_then(Weak::upgrade) {
            return turn;
        }
        let turn = Arc::default();
        under_way.insert(digest.clone(), Arc::downgrade(&turn));
        turn
    }
}

/// Passes a panic on; a task that was aborted is a cancelled pull.
fn unwind<T>(joined: Result<T, tokio::task::JoinError>) -> Result<T, Error> {
    joined.map_err(|error| match error.try_into_panic() {
        Ok(panic) => std::panic::resume_unwind(panic),
        Err(_) => Error::Cancelled,
    })
}

/// Sends [`Event::PullDone`] when dropped, also by a cancelled pull.
struct Done<'a> {
    image: &'a Resolved,
    events: &'a Events,
    started: Instant,
    fetched: Arc<AtomicU64>,
    outcome: Outcome,
}

impl<'a> Done<'a> {
    fn new(image: &'a Resolved, events: &'a Events) -> Self {
        let outcome = Outcome::Cancelled;
        Self {
            image,
            events,
            started: Instant::now(),
            fetched: Arc::default(),
            outcome,
        }
    }
}

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.events.emit(Event::PullDone {
            image: Arc::clone(&self.image.name),
            fetched: self.fetched.load(Ordering::Relaxed),
            duration: self.started.elapsed(),
            outcome: self.outcome.clone(),
        });
    }
}

/// One layer on its way.
#[derive(Clone)]
struct Transfer {
    image: Arc<str>,
    layer: Layer,
    source: Arc<dyn BlobSource>,
    blobs: Arc<dyn BlobStore>,
    unpacker: Arc<dyn LayerUnpacker>,
    events: Events,
    retries: u32,
    fetched: Arc<AtomicU64>,
}

impl Transfer {
    /// Waits for its turn and a place, then runs on a thread of its own, where hashing and files may block.
    /// True if the layer was unpacked by this.
    async fn scheduled(
        self,
        places: Arc<Semaphore>,
        turn: Arc<tokio::sync::Mutex<()>>,
    ) -> Result<bool, Error> {
        let _turn = turn.lock().await;
        let _place = places.acquire().await.map_err(|_| Error::Cancelled)?;
        // Dropping this future drops `alive`, which ends the thread's work at its next wait.
        let (alive, cancelled) = oneshot::channel::<()>();
        let handle = tokio::runtime::Handle::current();
        let work = tokio::task::spawn_blocking(move || {
            handle.block_on(async {
                tokio::select! {
                    _ = cancelled => Err(Error::Cancelled),
                    result = self.run() => result,
                }
            })
        });
        let result = work.await;
        drop(alive);
        unwind(result)?
    }

    async fn run(self) -> Result<bool, Error> {
        let resumed = match self.attempt().await {
            Err(Failed {
                error: Error::DigestMismatch { .. },
                resumed: true,
            }) => self.attempt().await,
            result => result,
        };
        resumed.map_err(|failed| failed.error)
    }

    /// One unpack from first to last byte. A partial file that turns out wrong has been thrown away when this
    /// fails, so that another attempt starts clean.
    async fn attempt(&self) -> Result<bool, Failed> {
        let job = LayerJob {
            digest: self.layer.digest().clone(),
            diff_id: self.layer.diff_id.clone(),
            compression: self.layer.compression,
            size: self.layer.size(),
        };
        let begun = self
            .unpacker
            .begin(&job)
            .map_err(|source| self.unpack_error(source))?;
        let Some(UnpackStream { pipe, job }) = begun else {
            return Ok(false);
        };
        let mut sink = self.sink(pipe)?;
        let resumed = sink.resumed();
        let delivered = self.deliver(&mut sink).await;
        match delivered {
            Ok(()) => {
                drop(sink);
                let finished = job.finish(Delivery::Verified).await;
                finished.map_err(|source| self.unpack_error(source))?;
                Ok(true)
            }
            Err(error) => {
                let broken_pipe = matches!(&error, Error::Io { source, .. }
                    if source.kind() == io::ErrorKind::BrokenPipe);
                drop(sink);
                let reason = job.finish(Delivery::Abandoned).await;
                match reason {
                    Err(source) if broken_pipe => Err(self.unpack_error(source).into()),
                    _ => Err(Failed { error, resumed }),
                }
            }
        }
    }

    fn sink(&self, pipe: OwnedFd) -> Result<Sink, Error> {
        if rustix::pipe::fcntl_setpipe_size(&pipe, PIPE_SIZE).is_err() {
            // A smaller pipe works too, with more switching: the user's pipe quota may be used up.
        }
        let pipe = pipe::Sender::from_owned_fd(pipe).map_err(Error::io(format!(
            "write to the unpacker of {}",
            self.layer.digest()
        )))?;
        let digest = self.layer.digest();
        let writer = if self.blobs.has(digest) {
            None
        } else {
            self.blobs
                .writer(digest, self.layer.size())
                .map_err(self.blob_error("open"))?
        };
        Ok(Sink {
            pipe,
            hasher: match &writer {
                Some(writer) if writer.verifies() => None,
                _ => Some(Hasher::for_digest(digest)?),
            },
            writer,
            gathered: Vec::new(),
            received: 0,
            progress: Progress {
                image: Arc::clone(&self.image),
                layer: digest.to_string().into(),
                total: self.layer.size(),
                events: self.events.clone(),
                last: Instant::now(),
            },
            blob: self.blobs.path(digest).display().to_string(),
        })
    }

    async fn deliver(&self, sink: &mut Sink) -> Result<(), Error> {
        let digest = self.layer.digest();
        if sink.writer.is_none()
            && let Some(blob) = self.blobs.open(digest).map_err(self.blob_error("open"))?
        {
            self.copy(blob, sink).await?;
        } else {
            if let Some(mut writer) = sink.writer.take_if(|writer| writer.offset() > 0) {
                let copied = match writer.replay() {
                    Ok(partial) => self.copy(partial, sink).await,
                    Err(error) => Err(self.blob_error("read")(error)),
                };
                sink.writer = Some(writer);
                if matches!(copied, Err(Error::DigestMismatch { .. })) {
                    sink.forget().map_err(self.blob_error("truncate"))?;
                }
                copied?;
            }
            self.stream(sink).await?;
        }
        sink.flush().await?;
        self.check(sink)
    }

    /// From a file that is here already.
    async fn copy(
        &self,
        mut from: Box<dyn Read + Send + '_>,
        sink: &mut Sink,
    ) -> Result<(), Error> {
        let mut buffer = vec![0; GATHER];
        loop {
            let length = from.read(&mut buffer).map_err(self.blob_error("read"))?;
            if length == 0 {
                return Ok(());
            }
            self.refuse_excess(sink, length)?;
            sink.replay(&buffer[..length]).await?;
        }
    }

    /// From the wire, going on where a broken connection stopped.
    async fn stream(&self, sink: &mut Sink) -> Result<(), Error> {
        let patience = Patience {
            retries: self.retries,
            first_wait: FIRST_WAIT,
        };
        let mut failures = 0;
        while sink.received < self.layer.size() {
            let before = sink.received;
            let mut body = self
                .source
                .open(&self.layer.descriptor, sink.received)
                .await?;
            let broken = loop {
                match body.next().await {
                    Ok(Some(bytes)) => {
                        self.refuse_excess(sink, bytes.len())?;
                        self.fetched
                            .fetch_add(bytes.len() as u64, Ordering::Relaxed);
                        sink.accept(bytes).await?;
                    }
                    Ok(None) => break io::Error::other("the connection was closed early"),
                    Err(error) => break error,
                }
                if sink.received == self.layer.size() {
                    return Ok(());
                }
            };
            failures = if sink.received - before >= ENOUGH {
                0
            } else {
                failures + 1
            };
            if failures > self.retries {
                return Err(Error::Unreachable {
                    url: format!("layer {} of {}", self.layer.digest(), self.image),
                    source: Box::new(broken),
                    tried: Tried::default(),
                });
            }
            tokio::time::sleep(patience.wait(failures)).await;
        }
        Ok(())
    }

    fn refuse_excess(&self, sink: &mut Sink, length: usize) -> Result<(), Error> {
        let got = sink.received + length as u64;
        if got <= self.layer.size() {
            return Ok(());
        }
        sink.forget().map_err(self.blob_error("truncate"))?;
        Err(Error::DigestMismatch {
            what: format!("size of layer {} of {}", self.layer.digest(), self.image),
            expected: format!("{} bytes", self.layer.size()),
            got: "more".into(),
        })
    }

    /// Compares size and digest, then publishes the blob or throws it away.
    fn check(&self, sink: &mut Sink) -> Result<(), Error> {
        let expected = self.layer.digest();
        let mismatch = |got: String| Error::DigestMismatch {
            what: format!("layer of {}", self.image),
            expected: expected.to_string(),
            got,
        };
        let got = sink.hasher.take().map(Hasher::finish);
        if sink.received != self.layer.size() || got.as_ref().is_some_and(|got| got != expected) {
            sink.forget().map_err(self.blob_error("truncate"))?;
            let got = got.map_or_else(|| "something else".to_owned(), |got| got.to_string());
            return Err(mismatch(format!("{got} ({} bytes)", sink.received)));
        }
        if let Some(writer) = sink.writer.take() {
            writer.commit().map_err(|error| match error.kind() {
                io::ErrorKind::InvalidData => mismatch(error.to_string()),
                _ => self.blob_error("publish")(error),
            })?;
        }
        sink.progress.report(sink.received);
        Ok(())
    }

    fn blob_error(&self, verb: &str) -> impl FnOnce(io::Error) -> Error + use<> {
        Error::io(format!(
            "{verb} {}",
            self.blobs.path(self.layer.digest()).display()
        ))
    }

    fn unpack_error(&self, source: BoxError) -> Error {
        Error::Unpack {
            image: self.image.to_string(),
            layer: self.layer.digest().to_string(),
            source,
        }
    }
}

/// Why an attempt failed, and whether it had begun with an older partial file.
struct Failed {
    error: Error,
    resumed: bool,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self {
            error,
            resumed: false,
        }
    }
}

/// Where bytes go: unpacker, hash, blob file.
struct Sink {
    pipe: pipe::Sender,
    /// Absent where the writer hashes.
    hasher: Option<Hasher>,
    writer: Option<Box<dyn BlobWrite>>,
    gathered: Vec<u8>,
    received: u64,
    progress: Progress,
    blob: String,
}

impl Sink {
    fn resumed(&self) -> bool {
        self.writer.as_ref().is_some_and(|w| w.offset() > 0)
    }

    /// New bytes; small ones wait for more.
    async fn accept(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.received += bytes.len() as u64;
        if self.gathered.is_empty() && bytes.len() >= DIRECT {
            self.put(bytes).await?;
        } else {
            self.gathered.extend_from_slice(bytes);
            if self.gathered.len() >= GATHER {
                self.flush().await?;
            }
        }
        self.progress.maybe(self.received);
        Ok(())
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let mut gathered = std::mem::take(&mut self.gathered);
        if !gathered.is_empty() {
            self.put(&gathered).await?;
            gathered.clear();
            self.gathered = gathered;
        }
        Ok(())
    }

    async fn put(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(writer) = &mut self.writer {
            writer
                .append(bytes)
                .map_err(Error::io(format!("write {}", self.blob)))?;
        }
        self.hand_over(bytes).await
    }

    /// Bytes that the blob file has already.
    async fn replay(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.received += bytes.len() as u64;
        self.hand_over(bytes).await
    }

    async fn hand_over(&mut self, bytes: &[u8]) -> Result<(), Error> {
        if let Some(hasher) = &mut self.hasher {
            hasher.update(bytes);
        }
        let action = "hand a layer to the unpacker";
        self.pipe.write_all(bytes).await.map_err(Error::io(action))
    }

    fn forget(&mut self) -> io::Result<()> {
        match self.writer.take() {
            Some(mut writer) => writer.reset(),
            None => Ok(()),
        }
    }
}

struct Progress {
    image: Arc<str>,
    layer: Arc<str>,
    total: u64,
    events: Events,
    last: Instant,
}

impl Progress {
    fn maybe(&mut self, bytes: u64) {
        if self.last.elapsed() >= PROGRESS_EVERY {
            self.report(bytes);
        }
    }

    fn report(&mut self, bytes: u64) {
        self.last = Instant::now();
        self.events.emit(Event::PullProgress {
            image: Arc::clone(&self.image),
            layer: Arc::clone(&self.layer),
            bytes,
            total: self.total,
        });
    }
}
