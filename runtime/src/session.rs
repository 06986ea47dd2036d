//! The engine's handle on the sandbox: starting it, running steps in it, ending it.
//!
//! All calls block and may be made from many threads at once; every step has a socket and pipes of its own, polled in
//! the caller's thread. The session ends with the [`Session`] value, or with the engine's process.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::pipe::PipeFlags;
use serde::{Deserialize, Serialize};

use crate::cgroup::{Delegation, Group, Limits};
use crate::error::ignore;
use crate::places::{Place, Places};
use crate::spawner::Setup;
use crate::spec::{Network, StepSpec};
use crate::wire::{self, Request, StartReply, StepControl, StepReply, StepRequest};
use crate::{Error, ExecutorKind, IdMap, network, sys};

/// What a session needs to start.
#[derive(Debug, Clone)]
pub struct SessionConfig {
    /// Directory for run-time state, private to the user; created if missing. Only a mount point: nothing is
    /// ever written to it on the host.
    pub state_dir: PathBuf,
    /// The ids of the session.
    pub id_map: IdMap,
    /// Whether the session has a network namespace of its own; without, only [`crate::spec::Network::Host`] and
    /// [`crate::spec::Network::None`] are possible.
    pub network: bool,
    /// What builds the steps.
    pub executor: ExecutorKind,
    /// Which limits steps may ask for; a session that cannot enforce them does not start.
    pub limits: Limits,
}

/// A running sandbox; dropping it kills everything inside.
#[derive(Debug)]
pub struct Session {
    control: OwnedFd,
    next_id: AtomicU64,
    network: Mutex<Vec<(String, OwnedFd)>>,
    places: Arc<Places>,
    spawner: rustix::process::Pid,
    watcher: Option<JoinHandle<()>>,
    start_time: Duration,
    delegation: Option<Delegation>,
    own_proc: bool,
}

/// What a socket carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum SocketKind {
    /// TCP over IPv4.
    Tcp,
    /// UDP over IPv4.
    Udp,
    /// UDP over IPv6.
    Udp6,
}

/// Where a step's standard input comes from.
#[derive(Debug, Default)]
pub enum Stdin {
    /// `/dev/null`.
    #[default]
    Null,
    /// A descriptor of the caller.
    Fd(OwnedFd),
    /// These bytes, as a read-only file.
    Bytes(Vec<u8>),
}

/// Where a step's output goes.
#[derive(Debug, Default)]
pub enum Output {
    /// To the caller, as [`StepEvent::Stdout`] or [`StepEvent::Stderr`].
    #[default]
    Events,
    /// To a descriptor of the caller.
    Fd(OwnedFd),
    /// Nowhere.
    Null,
}

/// A step's three standard streams; unused when the step has a terminal.
#[derive(Debug, Default)]
pub struct Stdio {
    /// Standard input.
    pub stdin: Stdin,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
}

/// What happens while a step runs.
#[derive(Debug)]
#[non_exhaustive]
pub enum StepEvent<'a> {
    /// The step's init exists and the command is about to start.
    Started {
        /// Its pid in the session's pid namespace.
        pid: i32,
        /// Its address on the session's network.
        address: Option<IpAddr>,
    },
    /// A socket listening inside the step, for [`StepSpec::listeners`]; arrives before `Started`.
    Listener {
        /// The port it listens on.
        port: u16,
        /// The socket.
        socket: OwnedFd,
    },
    /// The master side of the step's terminal; arrives before `Started`.
    Terminal(OwnedFd),
    /// Bytes of standard output.
    Stdout(&'a [u8]),
    /// Bytes of standard error.
    Stderr(&'a [u8]),
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// It returned this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

impl Exit {
    /// The code a shell would report: 128 plus the number of the killing signal.
    #[must_use]
    pub fn shell_code(self) -> i32 {
        match self {
            Self::Code(code) => code,
            Self::Signal(signal) => 128 + signal,
        }
    }
}

/// A finished step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finished {
    /// How the command ended.
    pub exit: Exit,
    /// CPU time in user mode, of the command and the descendants it waited for.
    pub user_time: Duration,
    /// CPU time in the kernel.
    pub system_time: Duration,
    /// Largest resident set of a single process, in bytes.
    pub max_rss: u64,
    /// Whether a process of the step was killed at the limit of memory.
    pub out_of_memory: bool,
}

/// Ends a running step from another thread.
#[derive(Debug, Clone)]
pub struct Cancel {
    inner: Arc<CancelInner>,
}

#[derive(Debug)]
struct CancelInner {
    event: OwnedFd,
    grace_ms: AtomicU64,
    signal: AtomicI32,
}

impl Cancel {
    /// A fresh handle; one may be shared by many steps.
    ///
    /// # Errors
    /// [`Error::Io`] if the process is out of descriptors.
    pub fn new() -> Result<Self, Error> {
        let event = rustix::event::eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)
            .map_err(|source| Error::io("create a cancel event", source))?;
        Ok(Self {
            inner: Arc::new(CancelInner {
                event,
                grace_ms: AtomicU64::new(0),
                signal: AtomicI32::new(sys::SIGTERM),
            }),
        })
    }

    /// Sends SIGTERM to the step, and SIGKILL to all of it when `grace` is over. Returns at once; the calls to
    /// [`Session::run`] return [`Error::Cancelled`] when the step is gone. Cannot be undone.
    pub fn cancel(&self, grace: Duration) {
        self.cancel_with(sys::SIGTERM, grace);
    }

    /// As [`Cancel::cancel`], with another signal than SIGTERM. Of several calls the first signal is the one sent.
    pub fn cancel_with(&self, signal: i32, grace: Duration) {
        self.inner.signal.store(signal, Ordering::Release);
        let millis = u64::try_from(grace.as_millis()).unwrap_or(u64::MAX);
        self.inner.grace_ms.store(millis, Ordering::Release);
        // Never read, so it stays readable for every step and any number of polls.
        rustix::io::write(&self.inner.event, &1_u64.to_ne_bytes())
            .expect("an event counter never overflows by a few increments");
    }

    /// Whether [`Cancel::cancel`] was called.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        let mut fds = [PollFd::new(&self.inner.event, PollFlags::IN)];
        rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default()))
            .is_ok_and(|ready| ready > 0)
    }

    fn grace(&self) -> Duration {
        Duration::from_millis(self.inner.grace_ms.load(Ordering::Acquire))
    }
}

/// How long a killed step may take to disappear before its helper is killed too.
const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// How long a connection inside the session may take.
const CONNECT_PATIENCE: Duration = Duration::from_secs(30);

/// How long a session may take to come up.
const START_PATIENCE: Duration = Duration::from_secs(30);

impl Session {
    /// Starts the sandbox: namespaces, id mapping, private mounts, spawner, network.
    ///
    /// # Errors
    /// [`Error::StateDir`], [`Error::MapTool`], [`Error::UserNamespace`], [`Error::SessionStart`], [`Error::Network`].
    pub fn start(config: SessionConfig) -> Result<Self, Error> {
        let begin = Instant::now();
        prepare_state_dir(&config.state_dir)?;
        let delegation = config
            .limits
            .any()
            .then(|| Delegation::new(&config.limits))
            .transpose()?;
        let (control, child_end) = wire::pair()?;
        let (report, outcome) = std::sync::mpsc::channel();
        let control_copy = duplicate(&control)?;
        // The spawner dies with the thread that created it, so that thread lives as long as the session.
        let watcher = std::thread::Builder::new()
            .name("nsci-session".to_owned())
            .spawn(move || {
                let launched = launch(&config, &control_copy, child_end);
                drop(control_copy);
                let spawner = launched.as_ref().map(|launched| launched.spawner).ok();
                let unheard = report.send(launched).is_err();
                if let (Some(pid), false) = (spawner, unheard) {
                    sys::wait_for_end(pid);
                }
            })
            .map_err(|source| Error::io("start the session thread", source))?;
        let Launched {
            spawner,
            network,
            own_proc,
        } = outcome.recv().map_err(|_| Error::SessionLost)??;
        Ok(Self {
            control,
            next_id: AtomicU64::new(1),
            network: Mutex::new(network),
            places: Arc::default(),
            spawner,
            watcher: Some(watcher),
            start_time: begin.elapsed(),
            delegation,
            own_proc,
        })
    }

    /// Whether steps see their own processes in `/proc` and no others.
    ///
    /// Where a container around us hides parts of its own `/proc`, no new one can be mounted, and steps get that one:
    /// it shows the processes of that container and of all steps, by their numbers there. The kernel lets a step look
    /// into processes of other steps with its user and capabilities, but not into those outside of the session, which
    /// are in another user namespace. Signals do not pass in any case.
    #[must_use]
    pub fn has_own_proc(&self) -> bool {
        self.own_proc
    }

    /// How long [`Session::start`] took.
    #[must_use]
    pub fn start_time(&self) -> Duration {
        self.start_time
    }

    /// The sockets the session's network wants the engine to serve. They can be taken once.
    #[must_use]
    pub fn network_fds(&self) -> Vec<(String, OwnedFd)> {
        self.network
            .lock()
            .map(|mut fds| std::mem::take(&mut *fds))
            .unwrap_or_default()
    }

    /// A place in the session's network for one step.
    #[must_use]
    pub fn place(&self) -> Place {
        self.places.take()
    }

    /// The spawner's pid in the engine's pid namespace.
    #[must_use]
    pub fn spawner_pid(&self) -> u32 {
        u32::try_from(self.spawner.as_raw_nonzero().get()).unwrap_or_default()
    }

    /// Starts this executable in `role` inside the session's namespaces and returns the socket to it.
    ///
    /// The child finds its end with `roles::inherited_socket`, inherits standard error, and is killed with the
    /// session.
    ///
    /// # Errors
    /// [`Error::SessionLost`] or [`Error::Io`].
    pub fn spawn_child(&self, role: &str, args: &[String]) -> Result<OwnedFd, Error> {
        let (ours, theirs) = wire::pair()?;
        let (reply, reply_end) = wire::pair()?;
        let request = Request::Child {
            role: role.to_owned(),
            args: args.to_vec(),
        };
        self.request(&request, &[reply_end.as_fd(), theirs.as_fd()])?;
        drop((theirs, reply_end));
        answer(&reply)?;
        Ok(ours)
    }

    /// A TCP connection to `address` made inside the session's network; the socket is non-blocking.
    ///
    /// # Errors
    /// [`Error::Io`] with the kernel's answer to the connection attempt.
    pub fn connect_in_session(&self, address: SocketAddr) -> Result<OwnedFd, Error> {
        self.connect_in_session_within(address, CONNECT_PATIENCE)
    }

    /// As [`Session::connect_in_session`], giving up after `patience`.
    ///
    /// # Errors
    /// [`Error::Io`] with the kernel's answer to the connection attempt, or that there was none.
    pub fn connect_in_session_within(
        &self,
        address: SocketAddr,
        patience: Duration,
    ) -> Result<OwnedFd, Error> {
        let (reply, reply_end) = wire::pair()?;
        self.request(&Request::Connect { address }, &[reply_end.as_fd()])?;
        drop(reply_end);
        let socket = answer(&reply)?.pop().ok_or_else(|| Error::Protocol {
            message: "no socket in the answer".to_owned(),
        })?;
        finish_connecting(&socket, address, patience)?;
        Ok(socket)
    }

    /// An unconnected, non-blocking socket in the session's network, to be connected to a step.
    ///
    /// # Errors
    /// [`Error::SessionLost`] or [`Error::Io`].
    pub fn socket_in_session(&self, kind: SocketKind) -> Result<OwnedFd, Error> {
        open_socket(&self.control, kind)
    }

    /// Opens sockets of the session's network for as long as the session lives.
    ///
    /// # Errors
    /// [`Error::Io`] if the process is out of descriptors.
    pub fn sockets(&self) -> Result<Arc<dyn crate::proxy::Sockets>, Error> {
        let control = duplicate(&self.control)?;
        Ok(Arc::new(SessionSockets { control }))
    }

    /// Runs one step to its end in the calling thread.
    ///
    /// `on_event` is called for everything that happens, in order; it should not block. A step whose command could not
    /// be started is an error, a command that failed is not.
    ///
    /// # Errors
    /// [`Error::CommandNotFound`], [`Error::CommandNotExecutable`], [`Error::Workdir`], [`Error::InvalidStep`],
    /// [`Error::Container`], [`Error::Network`], [`Error::Cancelled`], [`Error::SessionLost`].
    pub fn run(
        &self,
        step: &StepSpec,
        stdio: Stdio,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(StepEvent<'_>),
    ) -> Result<Finished, Error> {
        self.run_or_join(None, step, stdio, cancel, on_event)
    }

    /// Runs a further command inside of a step that runs, whose pid [`StepEvent::Started`] told.
    ///
    /// Of `step` all counts that a process is made of; file systems, host name and network are those of the running
    /// step. What the command leaves running goes on as part of that step.
    ///
    /// # Errors
    /// As [`Session::run`]; [`Error::Container`] while the running step is still being built.
    pub fn join(
        &self,
        running: i32,
        step: &StepSpec,
        stdio: Stdio,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(StepEvent<'_>),
    ) -> Result<Finished, Error> {
        let step = StepSpec {
            // The step has an init already.
            init: false,
            net_index: None,
            listeners: Vec::new(),
            ..step.clone()
        };
        self.run_or_join(Some(running), &step, stdio, cancel, on_event)
    }

    /// The root directory of a running step, whose pid [`StepEvent::Started`] told, with all that is mounted there.
    ///
    /// # Errors
    /// [`Error::SessionStart`] if the step is over or still being built, [`Error::SessionLost`].
    pub fn root_of(&self, running: i32) -> Result<OwnedFd, Error> {
        let (reply, reply_end) = wire::pair()?;
        self.request(&Request::Root { pid: running }, &[reply_end.as_fd()])?;
        drop(reply_end);
        answer(&reply)?.pop().ok_or_else(|| Error::Protocol {
            message: "no directory in the answer".to_owned(),
        })
    }

    fn run_or_join(
        &self,
        join: Option<i32>,
        step: &StepSpec,
        stdio: Stdio,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(StepEvent<'_>),
    ) -> Result<Finished, Error> {
        if cancel.is_cancelled() {
            return Err(Error::Cancelled);
        }
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let (socket, helper_end) = wire::pair()?;
        let group = self.group(id, step)?;
        let ways = group.as_ref().map(|(_, ways)| ways.each_ref());
        let ways = ways.iter().flatten().map(|way| way.as_fd());
        let place = step.net_index.filter(|_| step.network == Network::Isolated);
        let network = place.and_then(|index| self.places.namespace(index));
        let fds: Vec<BorrowedFd<'_>> = network.iter().map(AsFd::as_fd).chain(ways).collect();
        let request = StepRequest {
            id,
            spec: step.clone(),
            has_network: network.is_some(),
            join,
        };
        wire::send(&socket, &request, &fds)?;
        let stdin = open_stdin(stdio.stdin)?;
        let stdout = open_output(stdio.stdout)?;
        let stderr = open_output(stdio.stderr)?;
        self.request(
            &Request::Run { id },
            &[
                helper_end.as_fd(),
                stdin.as_fd(),
                stdout.write.as_fd(),
                stderr.write.as_fd(),
            ],
        )?;
        // Only the step may hold these now, or its end would never be seen.
        drop((helper_end, stdin, stdout.write, stderr.write));
        Running {
            session: self,
            id,
            place,
            socket,
            stdout: stdout.read,
            stderr: stderr.read,
            buffer: vec![0; 64 * 1024],
            deadline: Deadline::None,
        }
        .watch(cancel, on_event)
        .map(|finished| Finished {
            out_of_memory: group.is_some_and(|(group, _)| group.ran_out_of_memory()),
            ..finished
        })
    }

    /// The control group of a limited step, with the way in and the helper's way out.
    fn group(&self, id: u64, step: &StepSpec) -> Result<Option<(Group, [File; 2])>, Error> {
        if !step.limits.any() {
            return Ok(None);
        }
        let delegation = self.delegation.as_ref().ok_or_else(|| Error::InvalidStep {
            reason: "the session was started without limits".to_owned(),
        })?;
        let group = delegation.group(id, &step.limits)?;
        let ways = [group.way_in()?, delegation.way_out()?];
        Ok(Some((group, ways)))
    }

    /// Whether the spawner still runs.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        let mut fds = [PollFd::new(&self.control, PollFlags::empty())];
        let polled = rustix::event::poll(&mut fds, Some(&rustix::event::Timespec::default()));
        polled.is_ok() && fds[0].revents().is_empty()
    }

    fn request(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        send_request(&self.control, request, fds)
    }
}

fn send_request(control: &OwnedFd, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
    wire::send(control, request, fds).map_err(|error| match &error {
        Error::Io { source, .. }
            if matches!(
                source.kind(),
                io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset
            ) =>
        {
            Error::SessionLost
        }
        _ => error,
    })
}

fn open_socket(control: &OwnedFd, kind: SocketKind) -> Result<OwnedFd, Error> {
    let (reply, reply_end) = wire::pair()?;
    send_request(control, &Request::Socket { kind }, &[reply_end.as_fd()])?;
    drop(reply_end);
    answer(&reply)?.pop().ok_or_else(|| Error::Protocol {
        message: "no socket in the answer".to_owned(),
    })
}

/// A hand on the spawner that outlives the borrow of a session, but not the session.
struct SessionSockets {
    control: OwnedFd,
}

impl crate::proxy::Sockets for SessionSockets {
    fn open(&self, kind: SocketKind) -> io::Result<OwnedFd> {
        open_socket(&self.control, kind).map_err(io::Error::other)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        sys::kill_quietly(self.spawner, rustix::process::Signal::KILL);
        if let Some(watcher) = self.watcher.take() {
            // The thread only waits for the process just killed; it cannot have panicked with anything to report.
            ignore(watcher.join());
        }
    }
}

/// When the next, harsher means of ending a cancelled step is due.
#[derive(Debug, Clone, Copy)]
enum Deadline {
    /// Not cancelled.
    None,
    /// Told to terminate; to be killed then.
    Kill(Instant),
    /// Killed; its helper to be killed then.
    KillHelper(Instant),
    /// Nothing left to do but wait for the socket to close.
    Spent,
}

/// One step as its caller's thread watches it.
struct Running<'a> {
    session: &'a Session,
    id: u64,
    /// Where a network namespace that comes back belongs.
    place: Option<u32>,
    socket: OwnedFd,
    stdout: Option<OwnedFd>,
    stderr: Option<OwnedFd>,
    buffer: Vec<u8>,
    deadline: Deadline,
}

impl Running<'_> {
    fn watch(
        mut self,
        cancel: &Cancel,
        on_event: &mut dyn FnMut(StepEvent<'_>),
    ) -> Result<Finished, Error> {
        loop {
            let ready = self.poll(cancel)?;
            if ready.stdout {
                self.read_stdout(on_event)?;
            }
            if ready.stderr {
                self.read_stderr(on_event)?;
            }
            if ready.cancel {
                self.signal(cancel.inner.signal.load(Ordering::Acquire))?;
                self.deadline = Deadline::Kill(Instant::now() + cancel.grace());
            }
            let result = if ready.socket {
                self.on_reply(on_event)
            } else {
                None
            };
            if let Some(result) = result {
                // Everything the step ever wrote is in the pipes by now.
                while self.read_stdout(on_event)? {}
                while self.read_stderr(on_event)? {}
                return match self.deadline {
                    Deadline::None => result,
                    _ => Err(Error::Cancelled),
                };
            }
            self.enforce_deadline()?;
        }
    }

    fn poll<'a>(&'a self, cancel: &'a Cancel) -> Result<Ready, Error> {
        let mut fds = vec![PollFd::new(&self.socket, PollFlags::IN)];
        let mut watch = |fd: &'a Option<OwnedFd>| {
            fd.as_ref().map(|fd| {
                fds.push(PollFd::new(fd, PollFlags::IN));
                fds.len() - 1
            })
        };
        let stdout = watch(&self.stdout);
        let stderr = watch(&self.stderr);
        let listen = matches!(self.deadline, Deadline::None);
        if listen {
            fds.push(PollFd::new(&cancel.inner.event, PollFlags::IN));
        }
        let timeout = match self.deadline {
            Deadline::Kill(at) | Deadline::KillHelper(at) => {
                let left = at.saturating_duration_since(Instant::now());
                Some(rustix::event::Timespec {
                    tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
                    tv_nsec: i64::from(left.subsec_nanos()),
                })
            }
            Deadline::None | Deadline::Spent => None,
        };
        match rustix::event::poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(source) => return Err(Error::io("wait for a step", source)),
        }
        let is_ready = |index: usize| fds.get(index).is_some_and(|fd| !fd.revents().is_empty());
        Ok(Ready {
            socket: is_ready(0),
            stdout: stdout.is_some_and(is_ready),
            stderr: stderr.is_some_and(is_ready),
            cancel: listen && is_ready(fds.len() - 1),
        })
    }

    /// Reads once; false when nothing is left for now.
    fn read_stdout(&mut self, on_event: &mut dyn FnMut(StepEvent<'_>)) -> Result<bool, Error> {
        let count = read_some(&mut self.stdout, &mut self.buffer)?;
        if count > 0 {
            on_event(StepEvent::Stdout(&self.buffer[..count]));
        }
        Ok(count > 0)
    }

    fn read_stderr(&mut self, on_event: &mut dyn FnMut(StepEvent<'_>)) -> Result<bool, Error> {
        let count = read_some(&mut self.stderr, &mut self.buffer)?;
        if count > 0 {
            on_event(StepEvent::Stderr(&self.buffer[..count]));
        }
        Ok(count > 0)
    }

    /// Handles one packet; the step's result when it was the last.
    fn on_reply(
        &mut self,
        on_event: &mut dyn FnMut(StepEvent<'_>),
    ) -> Option<Result<Finished, Error>> {
        let (reply, mut fds) = match wire::receive::<StepReply>(&self.socket) {
            Ok(Some(packet)) => packet,
            Ok(None) if self.session.is_alive() => {
                let message = "the step's helper was killed".to_owned();
                return Some(Err(Error::Container { message }));
            }
            Ok(None) => return Some(Err(Error::SessionLost)),
            Err(error) => return Some(Err(error)),
        };
        match (reply, fds.pop()) {
            (StepReply::Started { pid, address }, _) => {
                on_event(StepEvent::Started { pid, address });
                None
            }
            (StepReply::Listener { port }, Some(socket)) => {
                on_event(StepEvent::Listener { port, socket });
                None
            }
            (StepReply::Terminal, Some(master)) => {
                on_event(StepEvent::Terminal(master));
                None
            }
            (
                StepReply::Exited {
                    status,
                    user_us,
                    system_us,
                    max_rss_kib,
                },
                network,
            ) => {
                if let (Some(place), Some(network)) = (self.place, network) {
                    self.session.places.leave(place, network);
                }
                Some(Ok(Finished {
                    exit: sys::exit_from_status(status),
                    user_time: Duration::from_micros(user_us),
                    system_time: Duration::from_micros(system_us),
                    max_rss: max_rss_kib * 1024,
                    out_of_memory: false,
                }))
            }
            (StepReply::Failed(failure), _) => Some(Err(
                failure.into_error(|message| Error::Container { message })
            )),
            (reply, _) => Some(Err(Error::Protocol {
                message: format!("unexpected answer {reply:?}"),
            })),
        }
    }

    fn signal(&self, signal: i32) -> Result<(), Error> {
        match wire::send(&self.socket, &StepControl::Signal(signal), &[]) {
            // The helper has just ended; its last words are still to be read.
            Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            other => other,
        }
    }

    fn enforce_deadline(&mut self) -> Result<(), Error> {
        let now = Instant::now();
        match self.deadline {
            Deadline::Kill(at) if now >= at => {
                self.signal(sys::SIGKILL)?;
                self.deadline = Deadline::KillHelper(now + KILL_PATIENCE);
            }
            Deadline::KillHelper(at) if now >= at => {
                self.session.request(&Request::Kill { id: self.id }, &[])?;
                self.deadline = Deadline::Spent;
            }
            _ => {}
        }
        Ok(())
    }
}

/// What a poll found.
struct Ready {
    socket: bool,
    stdout: bool,
    stderr: bool,
    cancel: bool,
}

/// Reads what there is; closes the descriptor at its end.
fn read_some(fd: &mut Option<OwnedFd>, buffer: &mut [u8]) -> Result<usize, Error> {
    let Some(open) = fd.as_ref() else {
        return Ok(0);
    };
    match rustix::io::read(open, &mut *buffer) {
        Ok(0) => {
            *fd = None;
            Ok(0)
        }
        Ok(count) => Ok(count),
        Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => Ok(0),
        Err(source) => Err(Error::io("read a step's output", source)),
    }
}

struct OutputEnds {
    read: Option<OwnedFd>,
    write: OwnedFd,
}

fn open_output(output: Output) -> Result<OutputEnds, Error> {
    match output {
        Output::Fd(write) => Ok(OutputEnds { read: None, write }),
        Output::Null => Ok(OutputEnds {
            read: None,
            write: open_null()?,
        }),
        Output::Events => {
            let (read, write) = rustix::pipe::pipe_with(PipeFlags::CLOEXEC)
                .map_err(|source| Error::io("create a pipe", source))?;
            rustix::io::ioctl_fionbio(&read, true)
                .map_err(|source| Error::io("prepare a pipe", source))?;
            // A larger buffer saves wake-ups; the user's quota may forbid it, which costs only speed.
            ignore(rustix::pipe::fcntl_setpipe_size(&write, 256 * 1024));
            Ok(OutputEnds {
                read: Some(read),
                write,
            })
        }
    }
}

fn open_stdin(stdin: Stdin) -> Result<OwnedFd, Error> {
    match stdin {
        Stdin::Null => open_null(),
        Stdin::Fd(fd) => Ok(fd),
        Stdin::Bytes(bytes) => wire::memory_file(c"stdin", &bytes),
    }
}

fn open_null() -> Result<OwnedFd, Error> {
    rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
        .map_err(|source| Error::io("open /dev/null", source))
}

fn duplicate(fd: &OwnedFd) -> Result<OwnedFd, Error> {
    fd.try_clone()
        .map_err(|source| Error::io("duplicate a descriptor", source))
}

fn answer(reply: &OwnedFd) -> Result<Vec<OwnedFd>, Error> {
    match wire::receive::<StepReply>(reply)? {
        Some((StepReply::Done, fds)) => Ok(fds),
        Some((StepReply::Failed(failure), _)) => {
            Err(failure.into_error(|message| Error::SessionStart { message }))
        }
        Some((other, _)) => Err(Error::Protocol {
            message: format!("unexpected answer {other:?}"),
        }),
        None => Err(Error::SessionLost),
    }
}

fn finish_connecting(
    socket: &OwnedFd,
    address: SocketAddr,
    patience: Duration,
) -> Result<(), Error> {
    let what = || format!("connect to {address} in the session");
    let mut fds = [PollFd::new(socket, PollFlags::OUT)];
    let patience = rustix::event::Timespec {
        tv_sec: i64::try_from(patience.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(patience.subsec_nanos()),
    };
    let ready = rustix::event::poll(&mut fds, Some(&patience))
        .map_err(|source| Error::io(what(), source))?;
    if ready == 0 {
        return Err(Error::io(what(), io::Error::from(io::ErrorKind::TimedOut)));
    }
    let outcome =
        rustix::net::sockopt::socket_error(socket).map_err(|source| Error::io(what(), source))?;
    outcome.map_err(|source| Error::io(what(), source))
}

/// Creates or checks a directory that only we can reach.
fn prepare_state_dir(path: &Path) -> Result<(), Error> {
    let refuse = |reason: String| Error::StateDir {
        path: path.to_owned(),
        reason,
    };
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(|error| refuse(error.to_string()))?;
    }
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) | Err(rustix::io::Errno::EXIST) => {}
        Err(error) => return Err(refuse(error.to_string())),
    }
    let flags = OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::RDONLY;
    let directory = rustix::fs::open(path, flags, Mode::empty())
        .map_err(|error| refuse(format!("cannot be opened as a directory: {error}")))?;
    let stat = rustix::fs::fstat(&directory).map_err(|error| refuse(error.to_string()))?;
    if stat.st_uid != rustix::process::geteuid().as_raw() {
        return Err(refuse(format!("it belongs to user {}", stat.st_uid)));
    }
    if stat.st_mode & 0o077 != 0 {
        return Err(refuse(format!(
            "its mode is {:o}, not 700",
            stat.st_mode & 0o7777
        )));
    }
    Ok(())
}

/// A session that came up.
struct Launched {
    spawner: rustix::process::Pid,
    network: Vec<(String, OwnedFd)>,
    own_proc: bool,
}

/// Starts the first stage, maps its ids and waits until the spawner it leaves behind is ready.
fn launch(
    config: &SessionConfig,
    control: &OwnedFd,
    child_end: OwnedFd,
) -> Result<Launched, Error> {
    let setup = Setup {
        state_dir: config.state_dir.clone(),
        network: config.network,
        host_has_ipv6: config.network && network::host_has_ipv6(),
        executor: config.executor,
    };
    let mut child = Command::new("/proc/self/exe")
        .arg0("nsci-spawner")
        .args(setup.arguments("enter")?)
        .env_clear()
        .stdin(child_end)
        .stdout(std::process::Stdio::null())
        .spawn()
        .map_err(|source| Error::io("start the spawner from /proc/self/exe", source))?;
    let result = converse(config, control, child.id());
    if result.is_err() {
        // It may already be gone; waiting is what matters.
        ignore(child.kill());
    }
    child
        .wait()
        .map_err(|source| Error::io("wait for the spawner's first stage", source))?;
    result
}

fn converse(config: &SessionConfig, control: &OwnedFd, child: u32) -> Result<Launched, Error> {
    let mut spawner = None;
    match await_ready(config, control, child, &mut spawner) {
        Ok(launched) => Ok(launched),
        Err(error) => {
            if let Some(pid) = spawner {
                sys::kill_quietly(pid, rustix::process::Signal::KILL);
                sys::wait_for_end(pid);
            }
            Err(error)
        }
    }
}

/// Leads both stages to the end; they share the socket, so the first's last word may come after the second's.
fn await_ready(
    config: &SessionConfig,
    control: &OwnedFd,
    child: u32,
    spawner: &mut Option<rustix::process::Pid>,
) -> Result<Launched, Error> {
    let deadline = Instant::now() + START_PATIENCE;
    let mut ready = None;
    loop {
        if let (Some(spawner), Some((network, own_proc))) =
            (*spawner, ready.take_if(|_| spawner.is_some()))
        {
            return Ok(Launched {
                spawner,
                network,
                own_proc,
            });
        }
        if !readable_before(control, deadline)? {
            return Err(Error::SessionStart {
                message: "no answer from the spawner".to_owned(),
            });
        }
        match wire::receive::<StartReply>(control)? {
            Some((StartReply::MapIds, _)) => {
                config.id_map.apply(child)?;
                wire::send(control, &StartReply::MapIds, &[])?;
            }
            Some((StartReply::Cloned { pid }, _)) => *spawner = rustix::process::Pid::from_raw(pid),
            Some((StartReply::Ready { network, own_proc }, fds)) => {
                ready = Some((network.into_iter().zip(fds).collect(), own_proc));
            }
            Some((StartReply::Failed(failure), _)) => {
                return Err(failure.into_error(|message| Error::SessionStart { message }));
            }
            None => {
                let message = "the spawner ended while starting".to_owned();
                return Err(Error::SessionStart { message });
            }
        }
    }
}

fn readable_before(fd: &OwnedFd, deadline: Instant) -> Result<bool, Error> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let timeout = rustix::event::Timespec {
            tv_sec: i64::try_from(left.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut fds = [PollFd::new(fd, PollFlags::IN)];
        match rustix::event::poll(&mut fds, Some(&timeout)) {
            Ok(ready) => return Ok(ready > 0),
            Err(rustix::io::Errno::INTR) => {}
            Err(source) => return Err(Error::io("wait for the spawner", source)),
        }
    }
}
