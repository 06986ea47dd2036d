//! The way out of a session: a TCP proxy that steps do not see.
//!
//! [`Proxy`] lives in the engine, in the host's network namespace. The packet rules of the session turn every
//! outgoing connection to its listener; it asks the kernel where the connection was meant to go, asks the
//! [`Policy`], connects there as the host would and splices in both directions. One thread serves all
//! connections. It never looks into the data.
//!
//! # References
//! - [splice(2)](https://man7.org/linux/man-pages/man2/splice.2.html)

mod flow;
mod policy;

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use rustix::buffer::spare_capacity;
use rustix::event::epoll::{self, CreateFlags, EventData, EventFlags};
use rustix::event::{EventfdFlags, Timespec, eventfd};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, sockopt};

use crate::netlink::{Socket, route};
use flow::{End, Flow, Pipes, Progress};
use policy::Decision;
pub use policy::{Allow, ParseAllowError, Policy, Refusal};

/// How long a destination may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(30);
/// How long to wait for a descriptor to come free.
const STARVED_PAUSE: Duration = Duration::from_millis(20);
const TICK: Duration = Duration::from_secs(1);
/// Descriptors left to the rest of the process, and those of one connection: two sockets and two pipes.
const RESERVED_FDS: u64 = 128;
const FDS_PER_CONNECTION: u64 = 6;
const CONNECTIONS: u64 = 4096;
const ACCEPTS_PER_TURN: usize = 64;

const LISTENER: u64 = 0;
const WAKE: u64 = 1;
const FIRST_ID: u64 = 2;

/// Something about a connection that a user may want to know.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The policy forbids the destination; the step saw a reset.
    Refused {
        /// The step.
        client: SocketAddr,
        /// Where it wanted to go.
        destination: SocketAddr,
        /// Why it may not.
        reason: Refusal,
    },
    /// The destination could not be reached; the step saw a reset.
    Unreachable {
        /// The step.
        client: SocketAddr,
        /// Where it wanted to go.
        destination: SocketAddr,
        /// What the kernel said.
        error: io::Error,
    },
}

/// Told of every [`Event`], on the proxy's thread; must not block.
pub type Observer = Arc<dyn Fn(&Event) + Send + Sync>;

/// Counters since the start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Stats {
    /// Connections open now.
    pub open: u64,
    /// Connections that came in.
    pub accepted: u64,
    /// Connections the policy refused.
    pub refused: u64,
    /// Bytes that left the session, of connections already closed.
    pub sent: u64,
    /// Bytes that came into the session, of connections already closed.
    pub received: u64,
}

#[derive(Debug, Default)]
struct Counters {
    open: AtomicU64,
    accepted: AtomicU64,
    refused: AtomicU64,
    sent: AtomicU64,
    received: AtomicU64,
}

/// A connection to make on behalf of the engine.
#[derive(Debug)]
struct Tunnel {
    client: OwnedFd,
    socket: OwnedFd,
    to: SocketAddr,
}

struct Shared {
    wake: OwnedFd,
    stop: AtomicBool,
    policy: RwLock<Policy>,
    tunnels: Mutex<Vec<Tunnel>>,
    counters: Counters,
}

impl Shared {
    fn wake(&self) {
        // A full counter is a wake-up already.
        rustix::io::write(&self.wake, &1u64.to_ne_bytes()).ok();
    }

    fn tunnels(&self) -> MutexGuard<'_, Vec<Tunnel>> {
        self.tunnels.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A running proxy; dropping it closes every connection and ends its thread.
#[must_use]
pub struct Proxy {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Serves the listener of a session from the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the process has no descriptors or threads left.
    pub fn start(listener: OwnedFd, policy: Policy, observer: Observer) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            wake: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
            stop: AtomicBool::new(false),
            policy: RwLock::new(policy),
            tunnels: Mutex::default(),
            counters: Counters::default(),
        });
        let server = Server::new(listener, Arc::clone(&shared), observer)?;
        let thread = std::thread::Builder::new()
            .name("nsci-proxy".to_owned())
            .spawn(move || server.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }

    /// Changes what the next connections may reach.
    pub fn update(&self, change: impl FnOnce(&mut Policy)) {
        change(
            &mut self
                .shared
                .policy
                .write()
                .unwrap_or_else(PoisonError::into_inner),
        );
    }

    /// Grants a service of the host from now on; see [`Policy::expose`].
    pub fn expose(&self, service: SocketAddr) -> Option<SocketAddrV4> {
        let mut inside = None;
        self.update(|policy| inside = policy.expose(service));
        inside
    }

    /// Leads connections that steps make to `inside` to a service of the host.
    pub fn forward(&self, inside: SocketAddrV4, to: SocketAddr) {
        self.update(|policy| {
            policy.forward.insert(inside, to);
        });
    }

    /// Ends what [`Self::forward`] began; connections already made go on.
    pub fn unforward(&self, inside: SocketAddrV4) {
        self.update(|policy| {
            policy.forward.remove(&inside);
        });
    }

    /// Connects `socket` and joins it with `client`, a connection the engine accepted.
    ///
    /// With a socket from [`crate::network::tcp_socket`] this is how a port of the host leads into a step. The
    /// engine asked for it, so the policy is not. A `client` whose destination cannot be reached is reset.
    pub fn tunnel(&self, client: OwnedFd, socket: OwnedFd, to: SocketAddr) {
        self.shared.tunnels().push(Tunnel { client, socket, to });
        self.shared.wake();
    }

    /// What the proxy has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Stats {
            open: read(&counters.open),
            accepted: read(&counters.accepted),
            refused: read(&counters.refused),
            sent: read(&counters.sent),
            received: read(&counters.received),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        self.shared.wake();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook already.
            thread.join().ok();
        }
    }
}

/// A connection from the step's end to the destination's.
#[derive(Debug)]
struct Connection {
    near: End,
    far: End,
    up: Flow,
    down: Flow,
    /// Set until the far end is connected.
    pending: Option<Pending>,
    queued: bool,
}

#[derive(Debug)]
struct Pending {
    client: SocketAddr,
    destination: SocketAddr,
    deadline: Instant,
}

struct Server {
    listener: OwnedFd,
    epoll: OwnedFd,
    routes: Option<Socket>,
    shared: Arc<Shared>,
    observer: Observer,
    connections: HashMap<u64, Connection>,
    next_id: u64,
    limit: usize,
    accepting: bool,
    /// Connections that have more to do without waiting.
    ready: VecDeque<u64>,
    /// Connections that wait for a descriptor.
    starved: Vec<u64>,
    pipes: Pipes,
}

impl Server {
    fn new(listener: OwnedFd, shared: Arc<Shared>, observer: Observer) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&listener, true)?;
        watch(&epoll, &listener, LISTENER, EventFlags::IN)?;
        watch(&epoll, &shared.wake, WAKE, EventFlags::IN)?;
        Ok(Self {
            listener,
            epoll,
            routes: Socket::route().ok(),
            shared,
            observer,
            connections: HashMap::new(),
            next_id: FIRST_ID,
            limit: connection_limit(),
            accepting: true,
            ready: VecDeque::new(),
            starved: Vec::new(),
            pipes: Pipes::default(),
        })
    }

    fn run(mut self) {
        // Splicing to a peer that closed raises it, and the process may not ignore it.
        SigSet::from(Signal::SIGPIPE).thread_block().ok();
        let mut events = Vec::with_capacity(256);
        let mut last_tick = Instant::now();
        while !self.shared.stop.load(Ordering::Acquire) {
            let timeout = self.timeout();
            events.clear();
            match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout.as_ref()) {
                Ok(_) | Err(Errno::INTR) => {}
                // Nothing but a programming error makes waiting fail; without it there is nothing to serve.
                Err(_) => return,
            }
            for event in &events {
                self.dispatch(event.data.u64(), event.flags);
            }
            self.take_turns();
            if last_tick.elapsed() >= TICK {
                last_tick = Instant::now();
                self.expire(last_tick);
            }
            self.shared
                .counters
                .open
                .store(self.connections.len() as u64, Ordering::Relaxed);
            self.resume_accepting();
        }
    }

    /// How long nothing can happen without the poller knowing.
    fn timeout(&self) -> Option<Timespec> {
        let wait = if !self.ready.is_empty() {
            Duration::ZERO
        } else if !self.starved.is_empty() || (!self.accepting && self.has_room()) {
            STARVED_PAUSE
        } else if self
            .connections
            .values()
            .any(|connection| connection.pending.is_some())
        {
            TICK
        } else {
            return None;
        };
        Some(Timespec::try_from(wait).expect("a second fits"))
    }

    fn dispatch(&mut self, token: u64, flags: EventFlags) {
        match token {
            LISTENER => self.accept_some(),
            WAKE => self.open_tunnels(),
            _ => self.socket_ready(token, flags),
        }
    }

    fn has_room(&self) -> bool {
        self.connections.len() < self.limit
    }

    fn accept_some(&mut self) {
        for _ in 0..ACCEPTS_PER_TURN {
            if !self.has_room() {
                return self.pause_accepting();
            }
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            match rustix::net::acceptfrom_with(&self.listener, flags) {
                Ok((socket, peer)) => {
                    self.shared
                        .counters
                        .accepted
                        .fetch_add(1, Ordering::Relaxed);
                    if let Some(client) = peer.and_then(|peer| SocketAddr::try_from(peer).ok()) {
                        self.admit(socket, client);
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::MFILE | Errno::NFILE | Errno::NOBUFS | Errno::NOMEM) => {
                    return self.pause_accepting();
                }
                // The client gave up before it was accepted; the next one may not have.
                Err(_) => {}
            }
        }
    }

    fn pause_accepting(&mut self) {
        if epoll::delete(&self.epoll, &self.listener).is_ok() {
            self.accepting = false;
        }
    }

    fn resume_accepting(&mut self) {
        if !self.accepting
            && self.has_room()
            && watch(&self.epoll, &self.listener, LISTENER, EventFlags::IN).is_ok()
        {
            self.accepting = true;
        }
    }

    /// Decides on a connection that came in, and starts it.
    fn admit(&mut self, socket: OwnedFd, client: SocketAddr) {
        let Ok(destination) = sockopt::ip_original_dst(&socket).map(SocketAddr::V4) else {
            return reset(&socket);
        };
        let target = match self.decide(destination) {
            Ok(target) => target,
            Err(reason) => {
                self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
                (self.observer)(&Event::Refused {
                    client,
                    destination,
                    reason,
                });
                return reset(&socket);
            }
        };
        match outgoing(target) {
            Ok(far) => self.connect(socket, client, far, target),
            Err(errno) => self.unreachable(&socket, client, target, errno),
        }
    }

    fn decide(&self, destination: SocketAddr) -> Result<SocketAddr, Refusal> {
        let policy = self
            .shared
            .policy
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        match policy.decide(destination) {
            Decision::Connect(to) => Ok(to),
            Decision::ConnectIfElsewhere(to) if self.is_elsewhere(to) => Ok(to),
            Decision::ConnectIfElsewhere(_) => Err(Refusal::Host),
            Decision::Refuse(reason) => Err(reason),
        }
    }

    /// Whether an address is not this host's. Without an answer from the kernel it might be.
    fn is_elsewhere(&self, to: SocketAddr) -> bool {
        let leaves = self
            .routes
            .as_ref()
            .map(|socket| route::leaves_this_machine(socket, to.ip()));
        match leaves {
            Some(Ok(leaves)) => leaves,
            // No route at all is not this host either; connecting will say so.
            Some(Err(error)) => matches!(
                error.source.kind(),
                io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable
            ),
            None => false,
        }
    }

    fn open_tunnels(&mut self) {
        let mut count = [0; 8];
        rustix::io::read(&self.shared.wake, &mut count).ok();
        let tunnels = std::mem::take(&mut *self.shared.tunnels());
        for Tunnel { client, socket, to } in tunnels {
            let ready = rustix::io::ioctl_fionbio(&client, true)
                .and_then(|()| rustix::io::ioctl_fionbio(&socket, true));
            let peer = rustix::net::getpeername(&client)
                .ok()
                .flatten()
                .and_then(|peer| SocketAddr::try_from(peer).ok())
                .unwrap_or(to);
            match ready {
                Ok(()) => self.connect(client, peer, socket, to),
                Err(errno) => self.unreachable(&client, peer, to, errno),
            }
        }
    }

    fn connect(&mut self, near: OwnedFd, client: SocketAddr, far: OwnedFd, to: SocketAddr) {
        match rustix::net::connect(&far, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return self.unreachable(&near, client, to, errno),
        }
        let id = self.next_id;
        self.next_id += 2;
        tune(&near);
        tune(&far);
        let events = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        let watched = watch(&self.epoll, &near, id, events)
            .and_then(|()| watch(&self.epoll, &far, id + 1, events));
        if let Err(errno) = watched {
            return self.unreachable(&near, client, to, errno);
        }
        let deadline = Instant::now() + CONNECT_TIMEOUT;
        let connection = Connection {
            near: End::new(near),
            far: End::new(far),
            up: Flow::default(),
            down: Flow::default(),
            pending: Some(Pending {
                client,
                destination: to,
                deadline,
            }),
            queued: false,
        };
        self.connections.insert(id, connection);
    }

    fn unreachable(&self, near: &OwnedFd, client: SocketAddr, to: SocketAddr, errno: Errno) {
        reset(near);
        let error = errno.into();
        (self.observer)(&Event::Unreachable {
            client,
            destination: to,
            error,
        });
    }

    fn socket_ready(&mut self, token: u64, flags: EventFlags) {
        let (id, is_far) = (token & !1, token & 1 == 1);
        // Closed by an earlier event of the same batch.
        let Some(connection) = self.connections.get_mut(&id) else {
            return;
        };
        let gone = flags.intersects(EventFlags::ERR | EventFlags::HUP);
        if let Some(pending) = &connection.pending {
            if is_far && (gone || flags.contains(EventFlags::OUT)) {
                let verdict = sockopt::socket_error(&connection.far.socket);
                if let Err(errno) = verdict.and_then(|result| result) {
                    let (client, destination) = (pending.client, pending.destination);
                    if let Some(connection) = self.connections.remove(&id) {
                        self.unreachable(&connection.near.socket, client, destination, errno);
                    }
                    return;
                }
                connection.pending = None;
            } else if !is_far && gone {
                self.connections.remove(&id);
                return;
            }
        }
        // An end that has said all it had to say and is then reset can tell no other way.
        let said = if is_far {
            &connection.down
        } else {
            &connection.up
        };
        if flags.contains(EventFlags::ERR) && connection.pending.is_none() && said.has_ended() {
            return self.close(id, true);
        }
        let end = if is_far {
            &mut connection.far
        } else {
            &mut connection.near
        };
        end.readable |= gone || flags.intersects(EventFlags::IN | EventFlags::RDHUP);
        end.writable |= gone || flags.contains(EventFlags::OUT);
        if connection.pending.is_none() && !connection.queued {
            connection.queued = true;
            self.ready.push_back(id);
        }
    }

    /// Gives every connection that can go on one turn.
    fn take_turns(&mut self) {
        self.ready.extend(self.starved.drain(..));
        for _ in 0..self.ready.len() {
            let Some(id) = self.ready.pop_front() else {
                return;
            };
            let Some(connection) = self.connections.get_mut(&id) else {
                continue;
            };
            connection.queued = false;
            let Connection {
                near,
                far,
                up,
                down,
                ..
            } = connection;
            let turns = up
                .pump(near, far, &mut self.pipes)
                .and_then(|up| Ok((up, down.pump(far, near, &mut self.pipes)?)));
            match turns {
                Ok((Progress::Done, Progress::Done)) => self.close(id, false),
                Ok((up, down)) if up == Progress::More || down == Progress::More => {
                    connection.queued = true;
                    self.ready.push_back(id);
                }
                Ok((up, down)) if up == Progress::Starved || down == Progress::Starved => {
                    connection.queued = true;
                    self.starved.push(id);
                }
                Ok(_) => {}
                Err(_) => self.close(id, true),
            }
        }
    }

    fn close(&mut self, id: u64, broken: bool) {
        let Some(connection) = self.connections.remove(&id) else {
            return;
        };
        if broken {
            reset(&connection.near.socket);
            reset(&connection.far.socket);
        }
        let counters = &self.shared.counters;
        counters
            .sent
            .fetch_add(connection.up.moved, Ordering::Relaxed);
        counters
            .received
            .fetch_add(connection.down.moved, Ordering::Relaxed);
    }

    fn expire(&mut self, now: Instant) {
        let late = |connection: &Connection| {
            connection
                .pending
                .as_ref()
                .is_some_and(|pending| pending.deadline <= now)
        };
        for (_, connection) in self
            .connections
            .extract_if(|_, connection| late(connection))
        {
            if let Some(Pending {
                client,
                destination,
                ..
            }) = connection.pending
            {
                reset(&connection.near.socket);
                let error = Errno::TIMEDOUT.into();
                (self.observer)(&Event::Unreachable {
                    client,
                    destination,
                    error,
                });
            }
        }
    }
}

fn watch(epoll: &OwnedFd, fd: impl AsFd, token: u64, flags: EventFlags) -> Result<(), Errno> {
    epoll::add(epoll, fd, EventData::new_u64(token), flags)
}

/// So many connections that their descriptors fit beside everything else the process has open.
fn connection_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let room = limit
        .current
        .unwrap_or(u64::MAX)
        .saturating_sub(RESERVED_FDS)
        / FDS_PER_CONNECTION;
    usize::try_from(room.clamp(16, CONNECTIONS)).expect("4096 fits")
}

fn outgoing(to: SocketAddr) -> Result<OwnedFd, Errno> {
    let family = if to.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, SocketType::STREAM, flags, None)
}

/// Forwards small writes at once, and notices peers that vanished: a step's namespace can end without a word.
fn tune(socket: &OwnedFd) {
    let tuned = sockopt::set_tcp_nodelay(socket, true)
        .and_then(|()| sockopt::set_socket_keepalive(socket, true))
        .and_then(|()| sockopt::set_tcp_keepidle(socket, Duration::from_secs(30)))
        .and_then(|()| sockopt::set_tcp_keepintvl(socket, Duration::from_secs(10)))
        .and_then(|()| sockopt::set_tcp_keepcnt(socket, 3));
    // A connection without these still works.
    tuned.ok();
}

/// Makes closing the socket a reset, so that the peer sees a failure and not an empty answer.
fn reset(socket: &OwnedFd) {
    // A socket that cannot be reset is closed all the same.
    sockopt::set_socket_linger(socket, Some(Duration::ZERO)).ok();
}
