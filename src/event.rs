//! What the engine tells the outside while it works: progress, logs and warnings.
//!
//! Events leave sideways through one [`Events`] handle; nothing ever waits for whoever listens, and no
//! event carries a secret. Renderers and telemetry consume them; results never travel this way.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Number of a step, unique within one session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StepId(pub u64);

/// Which of a step's two output streams bytes came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// How a step ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It did what it was asked.
    Done,
    /// It failed; the message is what the user is shown.
    Failed {
        /// One or more lines, without a trailing newline.
        message: String,
    },
    /// Nobody wanted the result any more.
    Cancelled,
}

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// Layers of an image are about to be fetched.
    PullStarted {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Number of layers, present ones included.
        layers: usize,
        /// Compressed size of all layers, in bytes.
        bytes: u64,
    },
    /// Part of a layer has arrived; sent at most a few times a second per layer.
    PullProgress {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Digest of the compressed layer.
        layer: Arc<str>,
        /// Bytes received so far.
        bytes: u64,
        /// Compressed size of the layer.
        total: u64,
    },
    /// Every layer of an image is unpacked, or the pull ended early.
    PullDone {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Bytes that came over the wire.
        fetched: u64,
        /// Time since [`Event::PullStarted`].
        duration: Duration,
        /// How it ended.
        outcome: Outcome,
    },
    /// An image is about to be written to a registry.
    PushStarted {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Number of layers, of all platforms.
        layers: usize,
        /// Compressed size of all layers, in bytes.
        bytes: u64,
    },
    /// Part of a layer was sent; told at most a few times a second per layer.
    PushProgress {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Digest of the compressed layer.
        layer: Arc<str>,
        /// Bytes sent so far.
        bytes: u64,
        /// Compressed size of the layer.
        total: u64,
    },
    /// An image is in the registry, or will not get there.
    PushDone {
        /// Normal form of the reference.
        image: Arc<str>,
        /// Bytes that went over the wire.
        sent: u64,
        /// Blobs that the registry had, or took over from another of its repositories.
        kept: usize,
        /// Time since [`Event::PushStarted`].
        duration: Duration,
        /// How it ended.
        outcome: Outcome,
    },
    /// A step begins.
    StepStarted {
        /// The step.
        id: StepId,
        /// The step it belongs to, for nesting.
        parent: Option<StepId>,
        /// What the user reads, such as `withExec go test ./...`.
        name: Arc<str>,
        /// Plumbing of the engine, hidden unless asked for.
        internal: bool,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        id: StepId,
        /// Its result came from the cache.
        cached: bool,
        /// Time since [`Event::StepStarted`].
        duration: Duration,
        /// How it ended.
        outcome: Outcome,
    },
    /// Output of a step.
    Log {
        /// The step.
        id: StepId,
        /// Stream the bytes came from.
        stream: Stream,
        /// Raw bytes, not necessarily whole lines or UTF-8. Secrets are already masked.
        bytes: Arc<[u8]>,
    },
    /// Something the user should know that stops nothing.
    Warning {
        /// Lower-case, no trailing period.
        message: String,
    },
}

/// Receiver of events.
///
/// [`emit`](Self::emit) is called from many threads and must return at once: a slow consumer drops or
/// queues, it never blocks the sender.
pub trait EventSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

impl<F: Fn(Event) + Send + Sync> EventSink for F {
    fn emit(&self, event: Event) {
        self(event);
    }
}

/// Cheap, clonable handle to the sink of a session.
#[derive(Clone)]
pub struct Events(Arc<dyn EventSink>);

impl Events {
    /// Wraps a sink.
    pub fn new(sink: impl EventSink + 'static) -> Self {
        Self(Arc::new(sink))
    }

    /// A handle whose events go nowhere.
    #[must_use]
    pub fn none() -> Self {
        Self::new(|_event| {})
    }

    /// Sends one event.
    pub fn emit(&self, event: Event) {
        self.0.emit(event);
    }

    /// Sends a [`Event::Warning`].
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warning {
            message: message.into(),
        });
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    #[test]
    fn closure_is_a_sink() {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = {
            let seen = Arc::clone(&seen);
            Events::new(move |event| seen.lock().unwrap().push(event))
        };
        events.clone().warn("low disk");
        assert_eq!(
            *seen.lock().unwrap(),
            [Event::Warning {
                message: "low disk".into()
            }]
        );
    }
}
