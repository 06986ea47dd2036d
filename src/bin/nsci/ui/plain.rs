//! Progress as lines, for logs and pipes.
//!
//! Every step has a number; its lines begin with it, so that the output of steps that run at once can be told apart.
//! A step that ends at once, such as one from the cache, takes a single line.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use nsci::event::{Event, Outcome, StepId, Stream};

use super::tally::Tally;
use super::text::{self, Lines};
use super::{Detail, Renderer};

/// How long the start of a step is held back, in case it ends at once.
const HOLD: Duration = Duration::from_millis(60);

/// The renderer.
pub(super) struct Plain {
    detail: Detail,
    tally: Tally,
    steps: HashMap<StepId, Step>,
    pulls: HashMap<Arc<str>, u64>,
    pushes: HashMap<Arc<str>, u64>,
    last: u64,
}

struct Step {
    /// Given when the step is first shown, so that numbers appear in order.
    number: Option<u64>,
    name: String,
    /// When the start is written at the latest; nothing once it was.
    held: Option<Duration>,
    stdout: Lines,
    stderr: Lines,
}

impl Step {
    fn number(&mut self, last: &mut u64) -> u64 {
        *self.number.get_or_insert_with(|| {
            *last += 1;
            *last
        })
    }

    /// Shows the start unless it was shown, and gives the number.
    fn show_start(&mut self, last: &mut u64, out: &mut String) -> u64 {
        let number = self.number(last);
        if self.held.take().is_some() {
            _ = writeln!(out, "#{number} {}", self.name);
        }
        number
    }

    fn lines(&mut self, stream: Stream) -> &mut Lines {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

impl Plain {
    pub(super) fn new(detail: Detail) -> Self {
        Self {
            detail,
            tally: Tally::default(),
            steps: HashMap::new(),
            pulls: HashMap::new(),
            pushes: HashMap::new(),
            last: 0,
        }
    }

    fn log(&mut self, id: StepId, stream: Stream, bytes: &[u8], out: &mut String) {
        let Some(step) = self.steps.get_mut(&id) else {
            return;
        };
        let lines = step.lines(stream).push(bytes);
        if self.detail.logs && !lines.is_empty() {
            let number = step.show_start(&mut self.last, out);
            for line in lines {
                _ = writeln!(out, "#{number} | {line}");
            }
        }
    }

    fn finished(&mut self, id: StepId, how: &str, outcome: &Outcome, out: &mut String) {
        let Some(mut step) = self.steps.remove(&id) else {
            return;
        };
        let failed = matches!(outcome, Outcome::Failed { .. });
        for rest in [step.stdout.rest(), step.stderr.rest()]
            .into_iter()
            .flatten()
        {
            if self.detail.logs {
                let number = step.show_start(&mut self.last, out);
                _ = writeln!(out, "#{number} | {rest}");
            }
        }
        if !failed && !self.detail.successes {
            return;
        }
        let number = step.number(&mut self.last);
        match step.held {
            Some(_) => _ = writeln!(out, "#{number} {} {how}", step.name),
            None => _ = writeln!(out, "#{number} {how}"),
        }
        if let Outcome::Failed { message } = outcome {
            for line in message.lines() {
                _ = writeln!(out, "#{number} ! {}", text::plain_text(line));
            }
        }
    }
}

/// The word for how something ended.
pub(super) fn ending(cached: bool, duration: Duration, outcome: &Outcome) -> String {
    let time = text::duration(duration);
    match outcome {
        Outcome::Done if cached => "cached".to_owned(),
        Outcome::Done => format!("done {time}"),
        Outcome::Failed { .. } => format!("FAILED {time}"),
        Outcome::Cancelled => format!("cancelled {time}"),
    }
}

impl Renderer for Plain {
    fn event(&mut self, at: Duration, event: &Event, out: &mut String) {
        self.tally.event(event, self.detail.internal);
        match event {
            Event::StepStarted { id, name, .. } if !self.tally.is_hidden(*id) => {
                let step = Step {
                    number: None,
                    name: text::one_line(name),
                    held: Some(at + HOLD),
                    stdout: Lines::default(),
                    stderr: Lines::default(),
                };
                self.steps.insert(*id, step);
            }
            Event::StepFinished {
                id,
                cached,
                duration,
                outcome,
            } => {
                self.finished(*id, &ending(*cached, *duration, outcome), outcome, out);
            }
            Event::Log { id, stream, bytes } => self.log(*id, *stream, bytes, out),
            Event::PullStarted {
                image,
                layers,
                bytes,
            } if self.detail.successes => {
                self.last += 1;
                let number = self.last;
                self.pulls.insert(Arc::clone(image), number);
                let (layers, bytes) = (text::count(*layers, "layer"), text::bytes(*bytes));
                _ = writeln!(out, "#{number} pull {image}: {layers}, {bytes}");
            }
            Event::PullDone {
                image,
                fetched,
                duration,
                outcome,
            } => {
                if let Some(number) = self.pulls.remove(image) {
                    let how = ending(false, *duration, outcome);
                    _ = writeln!(out, "#{number} {how}, {} fetched", text::bytes(*fetched));
                }
            }
            Event::PushStarted {
                image,
                layers,
                bytes,
            } if self.detail.successes => {
                self.last += 1;
                let number = self.last;
                self.pushes.insert(Arc::clone(image), number);
                let (layers, bytes) = (text::count(*layers, "layer"), text::bytes(*bytes));
                _ = writeln!(out, "#{number} push {image}: {layers}, {bytes}");
            }
            Event::PushDone {
                image,
                sent,
                duration,
                outcome,
                ..
            } => {
                if let Some(number) = self.pushes.remove(image) {
                    let how = ending(false, *duration, outcome);
                    _ = writeln!(out, "#{number} {how}, {} sent", text::bytes(*sent));
                }
            }
            Event::Warning { message } => {
                _ = writeln!(out, "warning: {}", text::plain_text(message));
            }
            _ => {}
        }
    }

    fn tick(&mut self, at: Duration, out: &mut String) {
        if !self.detail.successes {
            return;
        }
        let due = |step: &Step| step.held.is_some_and(|held| held <= at);
        let due = self.steps.iter_mut().filter(|(_, step)| due(step));
        let mut due: Vec<(&StepId, &mut Step)> = due.collect();
        due.sort_by_key(|(id, _)| **id);
        for (_, step) in due {
            step.show_start(&mut self.last, out);
        }
    }

    fn finish(&mut self, at: Duration, ok: bool, out: &mut String) {
        if self.detail.successes
            && let Some(summary) = self.tally.summary(at, ok)
        {
            _ = writeln!(out, "{summary}");
        }
    }
}
