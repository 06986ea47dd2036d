//! Bounds what waits to be shown: a step that says more than the display can write must not fill the memory.
//!
//! Nothing waits for the display. What a step says while too much is waiting is left out of the display, with a
//! note of how much that was; results have all of it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use nsci::event::{Event, StepId, Stream};

use super::text;

/// Bytes of output that may wait.
const LIMIT: usize = 16 << 20;

/// Output on its way to the display.
#[derive(Debug, Default)]
pub(super) struct Backlog {
    waiting: AtomicUsize,
    left_out: Mutex<HashMap<StepId, u64>>,
}

impl Backlog {
    /// What is to be shown of an event.
    pub(super) fn admit(&self, event: Event) -> impl Iterator<Item = Event> + use<> {
        let (note, event) = match &event {
            Event::Log { id, bytes, .. } => {
                let size = bytes.len();
                if self.waiting.load(Ordering::Relaxed) > LIMIT {
                    *self.left_out().entry(*id).or_default() += size as u64;
                    (None, None)
                } else {
                    self.waiting.fetch_add(size, Ordering::Relaxed);
                    (self.note(*id), Some(event))
                }
            }
            Event::StepFinished { id, .. } => (self.note(*id), Some(event)),
            _ => (None, Some(event)),
        };
        note.into_iter().chain(event)
    }

    /// Takes note that an event was shown.
    pub(super) fn shown(&self, event: &Event) {
        if let Event::Log { bytes, .. } = event {
            self.waiting.fetch_sub(bytes.len(), Ordering::Relaxed);
        }
    }

    fn left_out(&self) -> std::sync::MutexGuard<'_, HashMap<StepId, u64>> {
        self.left_out.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says how much of a step's output was left out since the last note.
    fn note(&self, id: StepId) -> Option<Event> {
        let amount = self.left_out().remove(&id)?;
        let text = format!("\n[{} of output not shown here]\n", text::bytes(amount));
        self.waiting.fetch_add(text.len(), Ordering::Relaxed);
        Some(Event::Log {
            id,
            stream: Stream::Stderr,
            bytes: text.into_bytes().into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(size: usize) -> Event {
        Event::Log {
            id: StepId(1),
            stream: Stream::Stdout,
            bytes: vec![b'x'; size].into(),
        }
    }

    #[test]
    fn a_flood_is_cut_and_told() {
        let backlog = Backlog::default();
        let first: Vec<Event> = backlog.admit(log(LIMIT + 1)).collect();
        assert_eq!(first.len(), 1);
        assert_eq!(backlog.admit(log(5_000_000)).count(), 0);
        assert_eq!(backlog.admit(log(1_000_000)).count(), 0);
        backlog.shown(&first[0]);
        let then: Vec<Event> = backlog.admit(log(1)).collect();
        assert_eq!(then.len(), 2);
        let Event::Log { bytes, .. } = &then[0] else {
            panic!("{then:?}");
        };
        assert_eq!(
            String::from_utf8_lossy(bytes),
            "\n[6.0 MB of output not shown here]\n"
        );
        assert_eq!(backlog.admit(log(1)).count(), 1);
        then.iter().for_each(|event| backlog.shown(event));
        backlog.shown(&log(1));
        assert_eq!(backlog.waiting.load(Ordering::Relaxed), 0);
    }
}
