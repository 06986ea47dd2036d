//! The thread that serves connections: accepts, connects, and pumps between the two ends.

use std::collections::{HashMap, VecDeque};
use std::io;
use std::net::{SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::sys::signal::{SigSet, Signal};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventFlags};
use rustix::io::Errno;
use rustix::net::{SocketFlags, SocketType, sockopt};

use super::flow::{End, Flow, Pipes, Progress};
use super::{Command, Event, Observer, Shared, Tunnel, lock, outgoing, watch};
use crate::netlink::Socket;
use crate::network::LOSSLESS_CONTROL;

/// Connections that wait to be accepted.
pub(super) const BACKLOG: i32 = 4096;
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

const WAKE: u64 = 0;
const FIRST_ID: u64 = 2;
/// Tokens of listeners have this bit, those of connections never get so far.
const LISTENER: u64 = 1 << 63;

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

/// Where connections come from.
struct Entrance {
    socket: OwnedFd,
    /// Set where all connections lead to one service of the host.
    forward: Option<(SocketAddrV4, SocketAddr)>,
}

/// What the thread works with.
pub(super) struct Server {
    entrances: HashMap<u64, Entrance>,
    next_entrance: u64,
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
    pub(super) fn new(
        listeners: Vec<OwnedFd>,
        shared: Arc<Shared>,
        observer: Observer,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        watch(&epoll, &shared.wake, WAKE, EventFlags::IN)?;
        let mut server = Self {
            entrances: HashMap::new(),
            next_entrance: LISTENER,
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
        };
        for listener in listeners {
            server.enter(listener, None)?;
        }
        Ok(server)
    }

    fn enter(
        &mut self,
        socket: OwnedFd,
        forward: Option<(SocketAddrV4, SocketAddr)>,
    ) -> io::Result<()> {
        rustix::io::ioctl_fionbio(&socket, true)?;
        let token = self.next_entrance;
        self.next_entrance += 1;
        if self.accepting {
            watch(&self.epoll, &socket, token, EventFlags::IN)?;
        }
        self.entrances.insert(token, Entrance { socket, forward });
        Ok(())
    }

    pub(super) fn run(mut self) {
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
            WAKE => self.obey(),
            LISTENER.. => self.accept_some(token),
            _ => self.socket_ready(token, flags),
        }
    }

    fn has_room(&self) -> bool {
        self.connections.len() < self.limit
    }

    fn accept_some(&mut self, token: u64) {
        for _ in 0..ACCEPTS_PER_TURN {
            if !self.has_room() {
                return self.pause_accepting();
            }
            let Some(entrance) = self.entrances.get(&token) else {
                return;
            };
            let to = entrance.forward.map(|(_, to)| to);
            let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
            match rustix::net::acceptfrom_with(&entrance.socket, flags) {
                Ok((socket, peer)) => {
                    self.shared
                        .counters
                        .accepted
                        .fetch_add(1, Ordering::Relaxed);
                    if let Some(client) = peer.and_then(|peer| SocketAddr::try_from(peer).ok()) {
                        self.admit(socket, client, to);
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
        for entrance in self.entrances.values() {
            // One that is not watched is what is wanted.
            epoll::delete(&self.epoll, &entrance.socket).ok();
        }
        self.accepting = false;
    }

    fn resume_accepting(&mut self) {
        if self.accepting || !self.has_room() {
            return;
        }
        self.accepting = self.entrances.iter().all(|(token, entrance)| {
            let watched = watch(&self.epoll, &entrance.socket, *token, EventFlags::IN);
            matches!(watched, Ok(()) | Err(Errno::EXIST))
        });
    }

    /// Decides on a connection that came in, and starts it.
    fn admit(&mut self, socket: OwnedFd, client: SocketAddr, forward: Option<SocketAddr>) {
        let target = match forward {
            Some(to) => Ok(to),
            None => {
                let original = match client {
                    SocketAddr::V4(_) => sockopt::ip_original_dst(&socket).map(SocketAddr::V4),
                    SocketAddr::V6(_) => sockopt::ipv6_original_dst(&socket).map(SocketAddr::V6),
                };
                let Ok(destination) = original else {
                    return reset(&socket);
                };
                self.shared
                    .decide(destination, self.routes.as_ref())
                    .map_err(|reason| (destination, reason))
            }
        };
        let target = match target {
            Ok(target) => target,
            Err((destination, reason)) => {
                (self.observer)(&Event::Refused {
                    client,
                    destination,
                    reason,
                });
                self.shared.counters.refused.fetch_add(1, Ordering::Release);
                return reset(&socket);
            }
        };
        match outgoing(target, SocketType::STREAM) {
            Ok(far) => self.connect(socket, client, far, target),
            Err(errno) => self.unreachable(&socket, client, target, errno),
        }
    }

    /// Does what the engine asked for.
    fn obey(&mut self) {
        let mut count = [0; 8];
        rustix::io::read(&self.shared.wake, &mut count).ok();
        let commands = std::mem::take(&mut *lock(&self.shared.commands));
        for command in commands {
            match command {
                Command::Join(tunnel) => self.open_tunnel(tunnel),
                Command::Serve {
                    listener,
                    inside,
                    to,
                } => {
                    // Without a place in the poller nobody is served, and the listener closes.
                    self.enter(listener, Some((inside, to))).ok();
                }
                Command::Withdraw(inside) => self
                    .entrances
                    .retain(|_, entrance| entrance.forward.is_none_or(|(at, _)| at != inside)),
            }
        }
    }

    fn open_tunnel(&mut self, Tunnel { client, socket, to }: Tunnel) {
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

    fn connect(&mut self, near: OwnedFd, client: SocketAddr, far: OwnedFd, to: SocketAddr) {
        match rustix::net::connect(&far, &to) {
            Ok(()) | Err(Errno::INPROGRESS) => {}
            Err(errno) => return self.unreachable(&near, client, to, errno),
        }
        let id = self.next_id;
        self.next_id += 2;
        tune(&near, client);
        tune(&far, to);
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

/// Forwards small writes at once, and notices peers that vanished: a step's namespace can end without a word.
///
/// Across the host's own loopback nothing is lost, as inside.
fn tune(socket: &OwnedFd, peer: SocketAddr) {
    let tuned = sockopt::set_tcp_nodelay(socket, true)
        .and_then(|()| sockopt::set_socket_keepalive(socket, true))
        .and_then(|()| sockopt::set_tcp_keepidle(socket, Duration::from_secs(30)))
        .and_then(|()| sockopt::set_tcp_keepintvl(socket, Duration::from_secs(10)))
        .and_then(|()| sockopt::set_tcp_keepcnt(socket, 3));
    // A connection without these still works.
    tuned.ok();
    if peer.ip().is_loopback() {
        sockopt::set_tcp_congestion(socket, LOSSLESS_CONTROL).ok();
    }
}

/// Makes closing the socket a reset, so that the peer sees a failure and not an empty answer.
fn reset(socket: &OwnedFd) {
    // A socket that cannot be reset is closed all the same.
    sockopt::set_socket_linger(socket, Some(Duration::ZERO)).ok();
}
