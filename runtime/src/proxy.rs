//! The way out of a session: a TCP proxy that steps do not see.
//!
//! [`Proxy`] lives in the engine, in the host's network namespace. The packet rules of the session turn every
//! outgoing connection to its listener; it asks the kernel where the connection was meant to go, asks the
//! [`Policy`], connects there as the host would and splices in both directions. One thread serves all
//! connections. Datagrams are relayed the same way, on another thread (`relay`). Nobody looks into the data.
//!
//! # References
//! - [splice(2)](https://man7.org/linux/man-pages/man2/splice.2.html)

mod flow;
mod policy;
mod relay;
mod server;

use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV4};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::thread::JoinHandle;

use rustix::event::{EventfdFlags, eventfd};
use rustix::io::Errno;

use crate::SocketKind;
use crate::netlink::{Socket, route};
use crate::network::{DNS_PORT, GATEWAY, host_ip};
use policy::Decision;
pub use policy::{Destination, NameRule, ParseDestinationError, Policy, Refusal};

/// Opens sockets in the session's network, not connected and not blocking.
pub trait Sockets: Send + Sync {
    /// Opens one.
    ///
    /// # Errors
    /// When the session is gone or out of descriptors.
    fn open(&self, kind: SocketKind) -> io::Result<OwnedFd>;
}

/// Where a session's traffic comes to the proxy; all of it in the session's network.
pub struct Entrances {
    /// Listeners that outgoing connections are led to.
    pub listeners: Vec<OwnedFd>,
    /// Sockets that outgoing datagrams are led to.
    pub relays: Vec<OwnedFd>,
    /// Where further sockets come from.
    pub sockets: Arc<dyn Sockets>,
}

impl fmt::Debug for Entrances {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entrances")
            .field("listeners", &self.listeners)
            .field("relays", &self.relays)
            .finish_non_exhaustive()
    }
}

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
    /// Exchanges of datagrams that were begun.
    pub exchanges: u64,
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
    exchanges: AtomicU64,
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

/// What the engine asks of the thread that serves.
enum Command {
    Join(Tunnel),
    /// Connections that this listener accepts lead to a service of the host.
    Serve {
        listener: OwnedFd,
        inside: SocketAddrV4,
        to: SocketAddr,
    },
    Withdraw(SocketAddrV4),
}

struct Shared {
    wake: OwnedFd,
    /// Readable for ever once the proxy stops.
    stopped: OwnedFd,
    stop: AtomicBool,
    policy: RwLock<Policy>,
    commands: Mutex<Vec<Command>>,
    counters: Counters,
    sockets: Arc<dyn Sockets>,
}

impl Shared {
    fn wake(&self) {
        // A full counter is a wake-up already.
        rustix::io::write(&self.wake, &1u64.to_ne_bytes()).ok();
    }

    fn command(&self, command: Command) {
        lock(&self.commands).push(command);
        self.wake();
    }

    /// Decides on a destination; `routes` knows the host's own addresses.
    fn decide(
        &self,
        destination: SocketAddr,
        routes: Option<&Socket>,
    ) -> Result<SocketAddr, Refusal> {
        let decision = self
            .policy
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .decide(destination);
        match decision {
            Decision::Connect(to) => Ok(to),
            Decision::ConnectIfElsewhere(to) if is_elsewhere(to, routes) => Ok(to),
            Decision::ConnectIfElsewhere(_) => Err(Refusal::Host),
            Decision::Refuse(reason) => Err(reason),
        }
    }
}

/// Whether an address is not this host's. Without an answer from the kernel it might be.
fn is_elsewhere(to: SocketAddr, routes: Option<&Socket>) -> bool {
    let leaves = routes.map(|socket| route::leaves_this_machine(socket, to.ip()));
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

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What the name server has to know of the policy, and the policy of it.
#[derive(Clone)]
pub struct NameGate {
    shared: Arc<Shared>,
}

impl fmt::Debug for NameGate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NameGate").finish_non_exhaustive()
    }
}

impl crate::dns::Gate for NameGate {
    fn judge(&self, name: &str) -> crate::dns::Verdict {
        let policy = self.shared.policy.read();
        let (may_ask, matters) = policy.unwrap_or_else(PoisonError::into_inner).judge(name);
        match (may_ask, matters) {
            (false, _) => crate::dns::Verdict::Refuse,
            (true, true) => crate::dns::Verdict::Report,
            (true, false) => crate::dns::Verdict::Answer,
        }
    }

    fn answered(&self, name: &str, addresses: &[IpAddr]) {
        let policy = self.shared.policy.write();
        policy
            .unwrap_or_else(PoisonError::into_inner)
            .learn(name, addresses);
    }
}

/// A running proxy; dropping it closes every connection and ends its thread.
#[must_use]
pub struct Proxy {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
    /// Where services of the host answer inside of the session.
    forwards: Mutex<HashMap<SocketAddrV4, SocketAddr>>,
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proxy")
            .field("stats", &self.stats())
            .finish_non_exhaustive()
    }
}

impl Proxy {
    /// Serves the entrances of a session from the network namespace of the calling thread.
    ///
    /// # Errors
    /// When the process has no descriptors or threads left.
    pub fn start(entrances: Entrances, policy: Policy, observer: Observer) -> io::Result<Self> {
        let event = || eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK);
        let shared = Arc::new(Shared {
            wake: event()?,
            stopped: event()?,
            stop: AtomicBool::new(false),
            policy: RwLock::new(policy),
            commands: Mutex::default(),
            counters: Counters::default(),
            sockets: entrances.sockets,
        });
        let mut proxy = Self {
            shared: Arc::clone(&shared),
            threads: Vec::new(),
            forwards: Mutex::default(),
        };
        let server =
            server::Server::new(entrances.listeners, Arc::clone(&shared), observer.clone())?;
        proxy.run("nsci-proxy", move || server.run())?;
        for socket in entrances.relays {
            let relay = relay::Relay::new(socket, Arc::clone(&shared), observer.clone())?;
            proxy.run("nsci-relay", move || relay.run())?;
        }
        Ok(proxy)
    }

    fn run(&mut self, name: &str, serve: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(serve)?;
        self.threads.push(thread);
        Ok(())
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

    /// The policy's say in what the name server answers.
    #[must_use]
    pub fn name_gate(&self) -> NameGate {
        NameGate {
            shared: Arc::clone(&self.shared),
        }
    }

    /// Grants a service of the host and returns where steps find it: at the gateway if its port is free there.
    ///
    /// # Errors
    /// When the port is taken at every address there is, or no socket can be opened.
    pub fn expose(&self, service: SocketAddr) -> io::Result<SocketAddrV4> {
        let gateway = (service.port() != DNS_PORT).then_some(GATEWAY);
        let places = gateway.into_iter().chain((0..254).map(host_ip));
        for ip in places {
            let place = SocketAddrV4::new(ip, service.port());
            let known = lock(&self.forwards).get(&place).copied();
            match known {
                Some(other) if other == service => return Ok(place),
                Some(_) => {}
                None => return self.forward(place, service).map(|()| place),
            }
        }
        Err(io::ErrorKind::AddrInUse.into())
    }

    /// Leads connections that steps make to `inside` (at the gateway, or a [`crate::network::host_ip`]) to a service
    /// of the host. Being listed is the grant.
    ///
    /// # Errors
    /// When `inside` is taken, no address of the session's network, or no socket can be opened.
    pub fn forward(&self, inside: SocketAddrV4, to: SocketAddr) -> io::Result<()> {
        let mut forwards = lock(&self.forwards);
        if forwards.get(&inside) == Some(&to) {
            return Ok(());
        }
        let listener = self.shared.sockets.open(SocketKind::Tcp)?;
        rustix::net::sockopt::set_socket_reuseaddr(&listener, true)?;
        rustix::net::bind(&listener, &inside)?;
        rustix::net::listen(&listener, server::BACKLOG)?;
        forwards.insert(inside, to);
        self.shared.command(Command::Serve {
            listener,
            inside,
            to,
        });
        Ok(())
    }

    /// Ends what [`Self::forward`] began; connections already made go on.
    pub fn unforward(&self, inside: SocketAddrV4) {
        if lock(&self.forwards).remove(&inside).is_some() {
            self.shared.command(Command::Withdraw(inside));
        }
    }

    /// Connects `socket` and joins it with `client`, a connection the engine accepted.
    ///
    /// With a socket from [`crate::network::tcp_socket`] this is how a port of the host leads into a step. The
    /// engine asked for it, so the policy is not. A `client` whose destination cannot be reached is reset.
    pub fn tunnel(&self, client: OwnedFd, socket: OwnedFd, to: SocketAddr) {
        self.shared
            .command(Command::Join(Tunnel { client, socket, to }));
    }

    /// What the proxy has done so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let counters = &self.shared.counters;
        let read = |counter: &AtomicU64| counter.load(Ordering::Acquire);
        Stats {
            open: read(&counters.open),
            accepted: read(&counters.accepted),
            exchanges: read(&counters.exchanges),
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
        // The counter was zero, so the write cannot fail.
        rustix::io::write(&self.shared.stopped, &1u64.to_ne_bytes()).ok();
        for thread in self.threads.drain(..) {
            // A panic there has been reported by the panic hook already.
            thread.join().ok();
        }
    }
}

/// A socket of this process's own network, for reaching `to`.
fn outgoing(to: SocketAddr, kind: rustix::net::SocketType) -> Result<OwnedFd, Errno> {
    use rustix::net::{AddressFamily, SocketFlags};
    let family = if to.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    rustix::net::socket_with(
        family,
        kind,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
}

fn watch(
    epoll: &OwnedFd,
    fd: impl AsFd,
    token: u64,
    flags: rustix::event::epoll::EventFlags,
) -> Result<(), Errno> {
    use rustix::event::epoll::{EventData, add};
    add(epoll, fd, EventData::new_u64(token), flags)
}
