//! One direction of a proxied connection: socket to pipe to socket, without a copy to user space.

use std::os::fd::OwnedFd;

use rustix::io::Errno;
use rustix::net::Shutdown;
use rustix::pipe::{PipeFlags, SpliceFlags};

/// Bytes one direction may move before the others get their turn.
const TURN: usize = 4 << 20;
/// Most bytes asked of one splice.
const CHUNK: usize = 1 << 20;
/// A pipe's size in bytes. The kernel holds one page reference per slot, and a slot of a socket's data is up to
/// 32 KiB long, so this is far more data than it says. More would soon exceed what one user's pipes may hold.
const PIPE_SIZE: usize = 256 << 10;
/// Empty pipes kept for reuse.
const SPARE: usize = 32;

/// A socket and what the poller last said about it.
#[derive(Debug)]
pub(crate) struct End {
    pub(crate) socket: OwnedFd,
    pub(crate) readable: bool,
    pub(crate) writable: bool,
}

impl End {
    pub(crate) fn new(socket: OwnedFd) -> Self {
        Self {
            socket,
            readable: false,
            writable: false,
        }
    }
}

#[derive(Debug)]
struct Pipe {
    read: OwnedFd,
    write: OwnedFd,
}

/// Empty pipes; a direction holds one only while it has data in it.
#[derive(Debug, Default)]
pub(crate) struct Pipes {
    spare: Vec<Pipe>,
}

impl Pipes {
    fn take(&mut self) -> Result<Pipe, Errno> {
        if let Some(pipe) = self.spare.pop() {
            return Ok(pipe);
        }
        let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // A user at the limit of pipe memory keeps small pipes: slower, not wrong.
        rustix::pipe::fcntl_setpipe_size(&write, PIPE_SIZE).ok();
        Ok(Pipe { read, write })
    }

    fn give(&mut self, pipe: Pipe) {
        if self.spare.len() < SPARE {
            self.spare.push(pipe);
        }
    }
}

/// What a direction needs next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// Word from the poller.
    Idle,
    /// Another turn; there is more to move right now.
    More,
    /// A descriptor for a pipe; the process has none left.
    Starved,
    /// Nothing: all data and the end of it are delivered.
    Done,
}

/// The state of one direction.
#[derive(Debug, Default)]
pub(crate) struct Flow {
    pipe: Option<Pipe>,
    queued: usize,
    ended: bool,
    done: bool,
    /// Bytes delivered so far.
    pub(crate) moved: u64,
}

impl Flow {
    /// Whether the source has said that no more will come.
    pub(crate) const fn has_ended(&self) -> bool {
        self.ended
    }

    /// Moves what can be moved.
    ///
    /// # Errors
    /// When either socket failed; both are then to be reset.
    pub(crate) fn pump(
        &mut self,
        from: &mut End,
        to: &mut End,
        pipes: &mut Pipes,
    ) -> Result<Progress, Errno> {
        let limit = self.moved + TURN as u64;
        while !self.done {
            if self.moved >= limit {
                return Ok(Progress::More);
            }
            let filled = match self.fill(from, pipes) {
                Err(Errno::MFILE | Errno::NFILE) => return Ok(Progress::Starved),
                filled => filled?,
            };
            let drained = self.drain(to)?;
            if self.queued == 0
                && let Some(pipe) = self.pipe.take()
            {
                pipes.give(pipe);
            }
            if self.ended && self.queued == 0 {
                self.finish(to)?;
            } else if !filled && !drained {
                return Ok(Progress::Idle);
            }
        }
        Ok(Progress::Done)
    }

    /// Takes from the socket; true if anything came, or may come once the pipe is empty.
    fn fill(&mut self, from: &mut End, pipes: &mut Pipes) -> Result<bool, Errno> {
        if self.ended || !from.readable {
            return Ok(false);
        }
        if self.pipe.is_none() {
            self.pipe = Some(pipes.take()?);
        }
        let pipe = self.pipe.as_ref().expect("a pipe was just taken");
        match splice(&from.socket, &pipe.write, CHUNK) {
            Ok(0) => self.ended = true,
            Ok(length) => self.queued += length,
            // With data in the pipe this may as well mean that the pipe is full.
            Err(Errno::AGAIN) => {
                from.readable = self.queued > 0;
                return Ok(false);
            }
            Err(errno) => return Err(errno),
        }
        Ok(true)
    }

    fn drain(&mut self, to: &mut End) -> Result<bool, Errno> {
        let Some(pipe) = self
            .pipe
            .as_ref()
            .filter(|_| self.queued > 0 && to.writable)
        else {
            return Ok(false);
        };
        match splice(&pipe.read, &to.socket, self.queued) {
            Ok(length) => {
                self.queued -= length;
                self.moved += length as u64;
                Ok(true)
            }
            Err(Errno::AGAIN) => {
                to.writable = false;
                Ok(false)
            }
            Err(errno) => Err(errno),
        }
    }

    fn finish(&mut self, to: &End) -> Result<(), Errno> {
        self.done = true;
        match rustix::net::shutdown(&to.socket, Shutdown::Write) {
            // The other side has closed entirely and wants no end of data.
            Ok(()) | Err(Errno::NOTCONN) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}

/// Splices without `SPLICE_F_MORE`, which would hold small writes back for up to 200 ms.
fn splice(from: &OwnedFd, to: &OwnedFd, length: usize) -> Result<usize, Errno> {
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    rustix::io::retry_on_intr(|| rustix::pipe::splice(from, None, to, None, length, flags))
}
