//! The user's terminal, lent to shells in containers.
//!
//! While a shell has it, the progress display is silent, keys go through unchanged (Ctrl-C included) and the shell's
//! side has the window's size. However the shell ends, the terminal is as it was before.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;

use nsci::error::{Error, Kind, Result};
use nsci::ops::{NoTerminal, Screen, Terminal, TerminalSize};
use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd, poll};
use rustix::fs::{Mode, OFlags};
use rustix::io::Errno;
use rustix::termios::{OptionalActions, Termios};
use tokio::signal::unix::{SignalKind, signal};

use crate::ui::Curtain;

/// The terminal of this process, if it has one.
#[derive(Debug)]
pub(crate) struct UserTerminal {
    curtain: Curtain,
    kind: String,
    busy: Arc<Busy>,
}

/// Whether a shell has the terminal.
#[derive(Debug, Default)]
struct Busy {
    taken: Mutex<bool>,
    free: Condvar,
}

impl Busy {
    fn take(&self) {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = self
            .free
            .wait_while(taken, |taken| *taken)
            .unwrap_or_else(PoisonError::into_inner);
        *taken = true;
    }

    fn give_back(&self) {
        *self.taken.lock().unwrap_or_else(PoisonError::into_inner) = false;
        self.free.notify_one();
    }
}

impl UserTerminal {
    /// The terminal; `kind` is the environment's `TERM`.
    pub(crate) fn new(curtain: Curtain, kind: Option<&str>) -> Self {
        Self {
            curtain,
            kind: kind.unwrap_or("xterm").to_owned(),
            busy: Arc::default(),
        }
    }

    /// Waits until no shell has it. Before the process ends, or the terminal would stay as a shell needs it.
    pub(crate) fn settle(&self) {
        self.busy.take();
        self.busy.give_back();
    }
}

/// The terminal that the user looks at: standard input, or that of the session where a program has standard input.
fn open() -> Result<OwnedFd> {
    let cannot = |error: io::Error| Error::caused(Kind::Host, "cannot use the terminal", error);
    if io::stdin().is_terminal() {
        return io::stdin().as_fd().try_clone_to_owned().map_err(cannot);
    }
    if io::stderr().is_terminal() {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        return rustix::fs::open("/dev/tty", flags, Mode::empty())
            .map_err(|error| cannot(error.into()));
    }
    NoTerminal.take().map(|_| unreachable!("it has none"))
}

/// Asks the user for a line that the terminal does not show.
///
/// # Errors
/// If there is no terminal.
pub(crate) fn ask(question: &str) -> Result<String> {
    let cannot = |error: Errno| Error::caused(Kind::Host, "cannot use the terminal", error);
    let tty = open()?;
    let before = rustix::termios::tcgetattr(&tty).map_err(cannot)?;
    let mut silent = before.clone();
    silent.local_modes -= rustix::termios::LocalModes::ECHO;
    rustix::termios::tcsetattr(&tty, OptionalActions::Flush, &silent).map_err(cannot)?;
    write_all(&tty, question.as_bytes()).map_err(cannot)?;
    let mut line = Vec::new();
    let mut byte = [0];
    let read = loop {
        match rustix::io::read(&tty, &mut byte) {
            Ok(1) if byte[0] != b'\n' => line.push(byte[0]),
            Ok(_) => break Ok(()),
            Err(Errno::INTR) => {}
            Err(errno) => break Err(errno),
        }
    };
    rustix::termios::tcsetattr(&tty, OptionalActions::Flush, &before).map_err(cannot)?;
    write_all(&tty, b"\n").and(read).map_err(cannot)?;
    String::from_utf8(line).map_err(|_| Error::invalid("what was typed is no text"))
}

impl Terminal for UserTerminal {
    fn take(&self) -> Result<Box<dyn Screen>> {
        let cannot = |error: Errno| Error::caused(Kind::Host, "cannot use the terminal", error);
        let tty = open()?;
        self.busy.take();
        let mut taken = Taken {
            tty,
            before: None,
            relay: None,
            kind: self.kind.clone(),
            curtain: self.curtain.clone(),
            busy: Arc::clone(&self.busy),
        };
        self.curtain.close();
        let before = rustix::termios::tcgetattr(&taken.tty).map_err(cannot)?;
        taken.before = Some(before);
        Ok(Box::new(taken))
    }
}

/// The terminal while a shell has it.
struct Taken {
    tty: OwnedFd,
    before: Option<Termios>,
    relay: Option<JoinHandle<()>>,
    kind: String,
    curtain: Curtain,
    busy: Arc<Busy>,
}

impl Screen for Taken {
    fn size(&self) -> TerminalSize {
        let size = rustix::termios::tcgetwinsize(&self.tty);
        size.map_or(
            TerminalSize {
                rows: 24,
                columns: 80,
            },
            |size| TerminalSize {
                rows: size.ws_row,
                columns: size.ws_col,
            },
        )
    }

    fn kind(&self) -> String {
        self.kind.clone()
    }

    fn say(&mut self, line: &str) {
        // With the terminal gone there is nobody left to tell.
        let text = format!("{}\r\n", line.replace('\n', "\r\n"));
        rustix::io::write(&self.tty, text.as_bytes()).ok();
    }

    fn join(&mut self, shell: OwnedFd) -> Result<()> {
        let cannot = |error: io::Error| Error::caused(Kind::Host, "cannot use the terminal", error);
        let tty = self.tty.try_clone().map_err(cannot)?;
        let resized = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|error| cannot(error.into()))?;
        if let Some(before) = &self.before {
            let mut raw = before.clone();
            raw.make_raw();
            rustix::termios::tcsetattr(&tty, OptionalActions::Drain, &raw)
                .map_err(|error| cannot(error.into()))?;
        }
        let bell = resized.try_clone().map_err(cannot)?;
        let ringer = tokio::runtime::Handle::try_current().ok().map(|runtime| {
            runtime.spawn(async move {
                let Ok(mut changes) = signal(SignalKind::window_change()) else {
                    return;
                };
                while changes.recv().await.is_some() {
                    rustix::io::write(&bell, &1_u64.to_ne_bytes()).ok();
                }
            })
        });
        let relay = std::thread::Builder::new()
            .name("terminal".into())
            .spawn(move || {
                // An error is a side that has gone, and with it the reason to go on.
                relay(&tty, shell, &resized).ok();
                if let Some(ringer) = ringer {
                    ringer.abort();
                }
            })
            .map_err(cannot)?;
        self.relay = Some(relay);
        Ok(())
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        if let Some(relay) = self.relay.take() {
            // A panic there has been reported; the terminal is put right all the same.
            relay.join().ok();
        }
        if let Some(before) = &self.before {
            // What was typed ahead was for the shell.
            rustix::termios::tcsetattr(&self.tty, OptionalActions::Flush, before).ok();
        }
        self.curtain.open();
        self.busy.give_back();
    }
}

/// Carries bytes both ways until the shell's side closes or the terminal goes away.
fn relay(tty: &OwnedFd, shell: OwnedFd, resized: &OwnedFd) -> Result<(), Errno> {
    rustix::io::ioctl_fionbio(&shell, true)?;
    let mut typed: Vec<u8> = Vec::new();
    let mut buffer = [0; 16 * 1024];
    follow_size(tty, &shell);
    loop {
        // A shell that does not read must not keep us from reading what it writes.
        let keys = if typed.len() < 4096 {
            PollFlags::IN
        } else {
            PollFlags::empty()
        };
        let shell_wants = if typed.is_empty() {
            PollFlags::IN
        } else {
            PollFlags::IN | PollFlags::OUT
        };
        let mut fds = [
            PollFd::new(tty, keys),
            PollFd::new(&shell, shell_wants),
            PollFd::new(resized, PollFlags::IN),
        ];
        match poll(&mut fds, None) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let [keys, output, size] = fds.map(|fd| fd.revents());
        if !size.is_empty() {
            rustix::io::read(resized, &mut buffer[..8]).ok();
            follow_size(tty, &shell);
        }
        if output.intersects(PollFlags::IN | PollFlags::HUP | PollFlags::ERR) {
            match rustix::io::read(&shell, &mut buffer) {
                // This is how the last process that had the other side open says goodbye.
                Ok(0) | Err(Errno::IO) => return Ok(()),
                Ok(length) => write_all(tty, &buffer[..length])?,
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        if output.contains(PollFlags::OUT) && !typed.is_empty() {
            match rustix::io::write(&shell, &typed) {
                Ok(length) => drop(typed.drain(..length)),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
        if keys.intersects(PollFlags::IN | PollFlags::HUP) {
            match rustix::io::read(tty, &mut buffer) {
                Ok(0) => return Ok(()),
                Ok(length) => typed.extend_from_slice(&buffer[..length]),
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(errno) => return Err(errno),
            }
        }
    }
}

fn write_all(to: &OwnedFd, mut bytes: &[u8]) -> Result<(), Errno> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(length) => bytes = &bytes[length..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => {
                poll(&mut [PollFd::new(to, PollFlags::OUT)], None)?;
            }
            Err(errno) => return Err(errno),
        }
    }
    Ok(())
}

fn follow_size(tty: &OwnedFd, shell: &OwnedFd) {
    if let Ok(size) = rustix::termios::tcgetwinsize(tty)
        && size.ws_col > 0
    {
        // The kernel tells the shell's foreground group.
        rustix::termios::tcsetwinsize(shell, size).ok();
    }
}
