//! Progress as a live view: what ended scrolls away above, what runs is redrawn below.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use nsci::event::{Event, Outcome, StepId, Stream};

use super::plain::ending;
use super::tally::Tally;
use super::text::{self, Lines};
use super::{Detail, Renderer};

/// Lines of output shown below a step while it runs.
const LIVE_LINES: usize = 4;
/// Lines of output kept of a step, and shown if it fails.
const KEPT_LINES: usize = 40;
/// Cells of a progress bar.
const BAR: u64 = 20;

/// The renderer.
pub(super) struct Tty {
    detail: Detail,
    color: bool,
    size: fn() -> (usize, usize),
    tally: Tally,
    steps: BTreeMap<StepId, Step>,
    pulls: BTreeMap<Arc<str>, Transfer>,
    pushes: BTreeMap<Arc<str>, Transfer>,
    /// Lines that are ready to scroll away.
    ended: String,
    /// Lines that the last drawing left below.
    drawn: usize,
    frame: usize,
}

struct Step {
    name: String,
    depth: usize,
    since: Duration,
    lines: VecDeque<String>,
    stdout: Lines,
    stderr: Lines,
}

/// Layers on their way in or out.
struct Transfer {
    since: Duration,
    total: u64,
    layers: HashMap<Arc<str>, u64>,
}

/// How text is set off; only ever besides words or marks that say the same.
#[derive(Clone, Copy)]
enum Style {
    Good,
    Bad,
    Busy,
    Faint,
}

impl Tty {
    pub(super) fn new(detail: Detail, color: bool, size: fn() -> (usize, usize)) -> Self {
        Self {
            detail,
            color,
            size,
            tally: Tally::default(),
            steps: BTreeMap::new(),
            pulls: BTreeMap::new(),
            pushes: BTreeMap::new(),
            ended: String::new(),
            drawn: 0,
            frame: 0,
        }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if !self.color {
            return text.to_owned();
        }
        let code = match style {
            Style::Good => 32,
            Style::Bad => 31,
            Style::Busy => 36,
            Style::Faint => 2,
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn started(&mut self, at: Duration, id: StepId, parent: Option<StepId>, name: &str) {
        let depth = parent
            .and_then(|parent| self.steps.get(&parent))
            .map_or(0, |step| step.depth + 1);
        let step = Step {
            name: text::one_line(name),
            depth: depth.min(8),
            since: at,
            lines: VecDeque::new(),
            stdout: Lines::default(),
            stderr: Lines::default(),
        };
        self.steps.insert(id, step);
    }

    fn finished(&mut self, id: StepId, cached: bool, duration: Duration, outcome: &Outcome) {
        let Some(mut step) = self.steps.remove(&id) else {
            return;
        };
        for rest in [step.stdout.rest(), step.stderr.rest()]
            .into_iter()
            .flatten()
        {
            step.keep(rest);
        }
        let failed = matches!(outcome, Outcome::Failed { .. });
        if !failed && !self.detail.successes {
            return;
        }
        let (style, mark) = match outcome {
            Outcome::Done => (Style::Good, "✔"),
            Outcome::Failed { .. } => (Style::Bad, "✘"),
            Outcome::Cancelled => (Style::Faint, "–"),
        };
        let (width, _) = (self.size)();
        let how = ending(cached, duration, outcome);
        let indent = "  ".repeat(step.depth);
        let room = width.saturating_sub(indent.len() + how.chars().count() + 4);
        let line = format!(
            "{indent}{} {} {}\n",
            self.paint(style, mark),
            text::fit(&step.name, room),
            self.paint(Style::Faint, &how)
        );
        self.ended.push_str(&line);
        if failed || (self.detail.keep_logs && self.detail.logs) {
            for line in &step.lines {
                let line = self.paint(Style::Faint, &format!("{indent}  │ {line}"));
                _ = writeln!(self.ended, "{line}");
            }
        }
    }

    fn transfer_done(&mut self, line: &str, bytes: &str, duration: Duration, outcome: &Outcome) {
        if !self.detail.successes {
            return;
        }
        let (style, mark) = match outcome {
            Outcome::Done => (Style::Good, "✔"),
            _ => (Style::Bad, "✘"),
        };
        let how = format!("{}, {bytes}", ending(false, duration, outcome));
        let line = format!(
            "{} {line} {}\n",
            self.paint(style, mark),
            self.paint(Style::Faint, &how)
        );
        self.ended.push_str(&line);
    }

    /// The lines of what runs now, not wider or higher than the terminal.
    fn live(&self, at: Duration) -> Vec<String> {
        let (width, height) = (self.size)();
        let mut lines = Vec::new();
        for (image, pull) in &self.pulls {
            lines.push(self.transfer_line(at, ("↓", "pull"), image, pull, width));
        }
        for (image, push) in &self.pushes {
            lines.push(self.transfer_line(at, ("↑", "push"), image, push, width));
        }
        for step in self.steps.values() {
            let spinner = ["⠋", "⠙", "⠸", "⠴", "⠦", "⠇"][self.frame % 6];
            let time = text::duration(at.saturating_sub(step.since));
            let indent = "  ".repeat(step.depth);
            let room = width.saturating_sub(indent.len() + time.len() + 4);
            let name = text::fit(&step.name, room);
            let mark = self.paint(Style::Busy, spinner);
            lines.push(format!(
                "{indent}{mark} {name} {}",
                self.paint(Style::Faint, &time)
            ));
            if self.detail.logs {
                let from = step.lines.len().saturating_sub(LIVE_LINES);
                for line in step.lines.iter().skip(from) {
                    let line = text::fit(&format!("{indent}  │ {line}"), width.saturating_sub(1));
                    lines.push(self.paint(Style::Faint, &line));
                }
            }
        }
        let most = height.saturating_sub(2).max(1);
        if lines.len() > most {
            let more = lines.len() - most + 1;
            lines.truncate(most - 1);
            lines.push(format!("… {more} more lines"));
        }
        lines
    }

    fn transfer_line(
        &self,
        at: Duration,
        (mark, verb): (&str, &str),
        image: &str,
        pull: &Transfer,
        width: usize,
    ) -> String {
        let got: u64 = pull.layers.values().sum();
        let total = pull.total.max(got).max(1);
        let filled = usize::try_from(got * BAR / total).unwrap_or(0);
        let bar: String = "█".repeat(filled) + &"░".repeat(BAR as usize - filled);
        let time = text::duration(at.saturating_sub(pull.since));
        let numbers = format!("{} of {} {time}", text::bytes(got), text::bytes(pull.total));
        let room = width.saturating_sub(BAR as usize + numbers.chars().count() + 10);
        let image = text::fit(image, room);
        format!(
            "{} {verb} {image} {bar} {numbers}",
            self.paint(Style::Busy, mark)
        )
    }

    fn draw(&mut self, lines: &[String], out: &mut String) {
        if self.drawn > 0 {
            _ = write!(out, "\u{1b}[{}F\u{1b}[J", self.drawn);
        }
        out.push_str(&self.ended);
        self.ended.clear();
        for line in lines {
            _ = writeln!(out, "{line}");
        }
        self.drawn = lines.len();
    }
}

impl Step {
    fn keep(&mut self, line: String) {
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

impl Renderer for Tty {
    fn event(&mut self, at: Duration, event: &Event, _: &mut String) {
        self.tally.event(event, self.detail.internal);
        match event {
            Event::StepStarted {
                id, parent, name, ..
            } if !self.tally.is_hidden(*id) => {
                self.started(at, *id, *parent, name);
            }
            Event::StepFinished {
                id,
                cached,
                duration,
                outcome,
            } => {
                self.finished(*id, *cached, *duration, outcome);
            }
            Event::Log { id, stream, bytes } => {
                if let Some(step) = self.steps.get_mut(id) {
                    let lines = match stream {
                        Stream::Stdout => step.stdout.push(bytes),
                        Stream::Stderr => step.stderr.push(bytes),
                    };
                    for line in lines {
                        step.keep(line);
                    }
                }
            }
            Event::PullStarted { image, bytes, .. } => {
                let pull = Transfer {
                    since: at,
                    total: *bytes,
                    layers: HashMap::new(),
                };
                self.pulls.insert(Arc::clone(image), pull);
            }
            Event::PullProgress {
                image,
                layer,
                bytes,
                ..
            } => {
                if let Some(pull) = self.pulls.get_mut(image) {
                    pull.layers.insert(Arc::clone(layer), *bytes);
                }
            }
            Event::PullDone {
                image,
                fetched,
                duration,
                outcome,
            } if self.pulls.remove(image).is_some() => {
                let bytes = format!("{} fetched", text::bytes(*fetched));
                self.transfer_done(&format!("pull {image}"), &bytes, *duration, outcome);
            }
            Event::PushStarted { image, bytes, .. } => {
                let push = Transfer {
                    since: at,
                    total: *bytes,
                    layers: HashMap::new(),
                };
                self.pushes.insert(Arc::clone(image), push);
            }
            Event::PushProgress {
                image,
                layer,
                bytes,
                ..
            } => {
                if let Some(push) = self.pushes.get_mut(image) {
                    push.layers.insert(Arc::clone(layer), *bytes);
                }
            }
            Event::PushDone {
                image,
                sent,
                duration,
                outcome,
                ..
            } if self.pushes.remove(image).is_some() => {
                let bytes = format!("{} sent", text::bytes(*sent));
                self.transfer_done(&format!("push {image}"), &bytes, *duration, outcome);
            }
            Event::Warning { message } => {
                let word = self.paint(Style::Bad, "warning:");
                _ = writeln!(self.ended, "{word} {}", text::plain_text(message));
            }
            _ => {}
        }
    }

    fn tick(&mut self, at: Duration, out: &mut String) {
        self.frame += 1;
        let lines = if self.detail.successes {
            self.live(at)
        } else {
            Vec::new()
        };
        if lines.is_empty() && self.drawn == 0 && self.ended.is_empty() {
            return;
        }
        self.draw(&lines, out);
    }

    fn pause(&mut self, out: &mut String) {
        self.draw(&[], out);
    }

    fn finish(&mut self, at: Duration, ok: bool, out: &mut String) {
        self.draw(&[], out);
        if self.detail.successes
            && let Some(summary) = self.tally.summary(at, ok)
        {
            let style = if ok { Style::Good } else { Style::Bad };
            _ = writeln!(out, "{}", self.paint(style, &summary));
        }
    }
}
