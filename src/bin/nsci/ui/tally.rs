//! What happened, in numbers, for the last line.

use std::collections::HashSet;
use std::time::Duration;

use nsci::event::{Event, Outcome, StepId};

use super::text;

/// Counts of one command.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Steps that belong to the engine alone and are not counted.
    hidden: HashSet<StepId>,
    pub(super) steps: usize,
    pub(super) cached: usize,
    pub(super) failed: usize,
    pub(super) fetched: u64,
}

impl Tally {
    /// Counts an event; `internal` counts the engine's own steps too.
    pub(super) fn event(&mut self, event: &Event, internal: bool) {
        match event {
            Event::StepStarted {
                id, internal: true, ..
            } if !internal => {
                self.hidden.insert(*id);
            }
            Event::StepFinished {
                id,
                cached,
                outcome,
                ..
            } => {
                if self.hidden.remove(id) {
                    return;
                }
                self.steps += 1;
                self.cached += usize::from(*cached);
                self.failed += usize::from(matches!(outcome, Outcome::Failed { .. }));
            }
            Event::PullDone { fetched, .. } => self.fetched += fetched,
            _ => {}
        }
    }

    /// Whether a step is one of those not counted.
    pub(super) fn is_hidden(&self, id: StepId) -> bool {
        self.hidden.contains(&id)
    }

    /// The last line, without its end; nothing if nothing happened.
    pub(super) fn summary(&self, at: Duration, ok: bool) -> Option<String> {
        if self.steps == 0 && self.fetched == 0 {
            return None;
        }
        let result = if ok { "done" } else { "failed" };
        let mut parts = vec![text::count(self.steps, "step")];
        if self.cached > 0 {
            parts.push(format!("{} cached", self.cached));
        }
        if self.failed > 0 {
            parts.push(format!("{} failed", self.failed));
        }
        if self.fetched > 0 {
            parts.push(format!("{} fetched", text::bytes(self.fetched)));
        }
        Some(format!(
            "{result} in {}: {}",
            text::duration(at),
            parts.join(", ")
        ))
    }
}
