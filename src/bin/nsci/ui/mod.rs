//! Progress on standard error.
//!
//! [`Ui`] owns a thread that turns [`Event`]s into text by one of three renderers: [`tty`] redraws a live view,
//! [`plain`] writes line after line, [`json`] one object per line. The engine's side only puts events into
//! a queue and never waits. Nothing here touches standard output, and colour never carries meaning alone.

mod backlog;
mod json;
mod plain;
mod tally;
pub(crate) mod text;
mod tty;

pub(crate) use text::plain_text;

use std::io::{self, Write as _};
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use backlog::Backlog;
use nsci::event::{Event, Events};

/// Time between two looks at what changed.
const TICK: Duration = Duration::from_millis(80);

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Not at all.
    Silent,
    /// A live view.
    Tty {
        /// Colour is welcome.
        color: bool,
    },
    /// Line after line.
    Plain,
    /// One JSON object per line.
    Json,
}

/// How much is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Detail {
    /// Steps that are the engine's own affair.
    pub(crate) internal: bool,
    /// Output of steps.
    pub(crate) logs: bool,
    /// Output of steps that went well stays visible in the live view.
    pub(crate) keep_logs: bool,
    /// Steps that went well.
    pub(crate) successes: bool,
}

impl Detail {
    /// What `-v` and `-q` ask for, as often as they were given.
    pub(crate) fn new(verbose: u8, quiet: u8) -> Self {
        Self {
            internal: verbose >= 1,
            keep_logs: verbose >= 2,
            logs: quiet == 0,
            successes: quiet < 2,
        }
    }
}

/// Turns events into text; `at` is the time since the start.
trait Renderer: Send {
    fn event(&mut self, at: Duration, event: &Event, out: &mut String);
    fn tick(&mut self, at: Duration, out: &mut String);
    fn finish(&mut self, at: Duration, ok: bool, out: &mut String);
    /// Takes away what would be redrawn: somebody else writes to the terminal next.
    fn pause(&mut self, _out: &mut String) {}
}

enum Message {
    Event(Event),
    Finish {
        ok: bool,
    },
    /// Write nothing from now on; answered when that holds.
    Pause(Sender<()>),
    Resume,
}

/// Silences the display while somebody else has the terminal.
#[derive(Debug, Clone)]
pub(crate) struct Curtain(Option<Sender<Message>>);

impl Curtain {
    /// Nothing is written any more when this returns. What happens meanwhile is shown later.
    pub(crate) fn close(&self) {
        let (done, wait) = mpsc::channel();
        if let Some(sender) = &self.0
            && sender.send(Message::Pause(done)).is_ok()
        {
            // A display that has gone writes nothing either.
            wait.recv().ok();
        }
    }

    /// The display goes on.
    pub(crate) fn open(&self) {
        if let Some(sender) = &self.0 {
            sender.send(Message::Resume).ok();
        }
    }
}

/// Progress display of one command.
#[derive(Debug)]
pub(crate) struct Ui {
    mode: Mode,
    sender: Option<Sender<Message>>,
    backlog: Arc<Backlog>,
    thread: Option<JoinHandle<()>>,
}

impl Ui {
    /// Starts the display; its thread starts with the first event.
    pub(crate) fn start(mode: Mode, detail: Detail) -> Self {
        let backlog = Arc::new(Backlog::default());
        let mut renderer: Box<dyn Renderer> = match mode {
            Mode::Silent => {
                return Self {
                    mode,
                    sender: None,
                    backlog,
                    thread: None,
                };
            }
            Mode::Tty { color } => Box::new(tty::Tty::new(detail, color, terminal_size)),
            Mode::Plain => Box::new(plain::Plain::new(detail)),
            Mode::Json => Box::new(json::Json::new(detail)),
        };
        let (sender, receiver) = mpsc::channel();
        let shown = Arc::clone(&backlog);
        let thread = std::thread::Builder::new()
            .name("progress".into())
            .spawn(move || run(renderer.as_mut(), &receiver, &shown))
            .ok();
        Self {
            mode,
            sender: Some(sender),
            backlog,
            thread,
        }
    }

    /// Where the engine sends its events.
    pub(crate) fn events(&self) -> Events {
        match self.sender.clone() {
            None => Events::none(),
            Some(sender) => {
                let backlog = Arc::clone(&self.backlog);
                Events::new(move |event| {
                    for event in backlog.admit(event) {
                        // A display that has gone misses nothing that matters.
                        drop(sender.send(Message::Event(event)));
                    }
                })
            }
        }
    }

    /// What silences it.
    pub(crate) fn curtain(&self) -> Curtain {
        Curtain(self.sender.clone())
    }

    /// Whether the output of failed steps was shown, and stayed visible.
    pub(crate) fn keeps_failed_output(&self) -> bool {
        matches!(self.mode, Mode::Tty { .. })
    }

    /// Shows how it ended and stops the display.
    pub(crate) fn finish(&mut self, ok: bool) {
        if let Some(sender) = self.sender.take() {
            // A send that fails means that the thread has gone, which is what is wanted.
            sender.send(Message::Finish { ok }).ok();
        }
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn run(renderer: &mut dyn Renderer, receiver: &mpsc::Receiver<Message>, backlog: &Backlog) {
    let start = Instant::now();
    let mut out = String::new();
    let mut next_tick = start + TICK;
    let mut paused = false;
    loop {
        let wait = next_tick.saturating_duration_since(Instant::now());
        match receiver.recv_timeout(wait) {
            Ok(Message::Event(event)) => {
                renderer.event(start.elapsed(), &event, &mut out);
                backlog.shown(&event);
            }
            Ok(Message::Finish { ok }) => {
                renderer.finish(start.elapsed(), ok, &mut out);
                write(&mut out);
                return;
            }
            Ok(Message::Pause(done)) => {
                renderer.pause(&mut out);
                write(&mut out);
                paused = true;
                done.send(()).ok();
            }
            Ok(Message::Resume) => paused = false,
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        if Instant::now() >= next_tick {
            if !paused {
                renderer.tick(start.elapsed(), &mut out);
            }
            next_tick = Instant::now() + TICK;
        }
        if !paused {
            write(&mut out);
        }
    }
}

fn write(out: &mut String) {
    if !out.is_empty() {
        // With standard error gone there is nobody left to tell.
        io::stderr().write_all(out.as_bytes()).ok();
        out.clear();
    }
}

/// Columns and rows of the terminal on standard error.
fn terminal_size() -> (usize, usize) {
    match rustix::termios::tcgetwinsize(io::stderr()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col.into(), size.ws_row.into()),
        _ => (80, 24),
    }
}

#[cfg(test)]
mod tests;
