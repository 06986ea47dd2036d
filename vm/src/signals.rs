//! Signals that reach the front, handed on to whatever works for it at the moment.

use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::{io, thread};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use signal_hook::iterator;

use crate::Code;

/// Signals that ask to stop.
const STOP: [Signal; 4] = [
    Signal::SIGINT,
    Signal::SIGTERM,
    Signal::SIGHUP,
    Signal::SIGQUIT,
];

/// After so many, the user does not want to wait for the machine any more.
const PATIENCE: u32 = 3;

/// What the machine says about a command that had not begun and now never will.
pub(crate) const NEVER_RAN: &str = "never ran";

/// Handles signals from its making on.
#[derive(Debug, Clone)]
pub struct Signals {
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    target: Target,
    last: Option<Signal>,
    count: u32,
    never_ran: bool,
}

/// Who gets them.
#[derive(Debug, Default)]
enum Target {
    /// The front itself, which ends.
    #[default]
    Front,
    /// A process that was started, or by its negative number a group.
    Child(Pid),
    /// The command in the machine: what is run with the signal's name as last argument.
    Inside(Command),
}

impl Signals {
    /// Takes the signals over; by handlers, which processes that are started do not inherit.
    ///
    /// # Errors
    /// If the system refuses.
    pub fn take() -> io::Result<Self> {
        let mut arriving = iterator::Signals::new(STOP.map(|signal| signal as i32))?;
        let signals = Self {
            state: Arc::default(),
        };
        let own = signals.clone();
        thread::Builder::new().spawn(move || {
            for signal in arriving.forever().flat_map(Signal::try_from) {
                own.handle(signal);
            }
        })?;
        Ok(signals)
    }

    /// Hands signals on to a process until the guard is dropped.
    pub(crate) fn to_child(&self, id: u32) -> Handing<'_> {
        self.to(i32::try_from(id).map_or(Target::Front, |id| Target::Child(Pid::from_raw(id))))
    }

    /// The same for a process and all that it started, if it leads a group of its own.
    pub(crate) fn to_group(&self, id: u32) -> Handing<'_> {
        self.to(i32::try_from(id).map_or(Target::Front, |id| Target::Child(Pid::from_raw(-id))))
    }

    /// Hands signals on by a command, which gets the signal's name as its last argument.
    pub(crate) fn to_inside(&self, command: Command) -> Handing<'_> {
        self.to(Target::Inside(command))
    }

    fn to(&self, target: Target) -> Handing<'_> {
        self.lock().target = target;
        Handing(self)
    }

    /// How the front ends after it was asked to stop; none if nobody asked.
    pub(crate) fn asked(&self) -> Option<Code> {
        self.lock().last.map(code)
    }

    /// The same, if the command inside was stopped before it began.
    pub(crate) fn stopped_early(&self) -> Option<Code> {
        let state = self.lock();
        state.last.filter(|_| state.never_ran).map(code)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps the state locked meanwhile, so that the front does not end before a signal arrived.
    fn handle(&self, signal: Signal) {
        let mut state = self.lock();
        state.last = Some(signal);
        state.count += 1;
        let is_over = match &mut state.target {
            Target::Front => true,
            Target::Child(pid) => {
                // One that has just ended needs none.
                kill(*pid, signal).ok();
                false
            }
            Target::Inside(command) => {
                let name = signal.as_str().trim_start_matches("SIG").to_owned();
                let mut once = Command::new(command.get_program());
                let answer = once.args(command.get_args()).arg(name).output();
                let said = answer.map(|answer| answer.stdout).unwrap_or_default();
                let never_ran = String::from_utf8_lossy(&said).contains(NEVER_RAN);
                state.never_ran |= never_ran;
                state.count >= PATIENCE
            }
        };
        if is_over {
            // Nothing runs that could be asked to stop, or it was asked often enough.
            std::process::exit(code(signal).number().into());
        }
    }
}

fn code(signal: Signal) -> Code {
    Code::Signal(u8::try_from(signal as i32).unwrap_or_default())
}

/// While it lives, signals go to somebody else than the front.
#[derive(Debug)]
#[must_use]
pub(crate) struct Handing<'a>(&'a Signals);

impl Drop for Handing<'_> {
    fn drop(&mut self) {
        self.0.lock().target = Target::Front;
    }
}
