//! Datagrams on their way out: one thread that gives every exchange a socket at each end.
//!
//! The session's rules lead datagrams to any outside address to one socket, which learns from the kernel where each
//! was meant to go. The first of an exchange opens a socket to the destination, and one in the session that wears the
//! destination's address, so that the step sees answers come from where it sent to; the kernel leads the following
//! ones straight to it.

use std::collections::HashMap;
use std::io::{self, IoSliceMut};
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use nix::libc;
use nix::sys::socket::{ControlMessageOwned, MsgFlags, SockaddrStorage};
use rustix::buffer::spare_capacity;
use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, EventFlags};
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags, SocketType};

use super::{Event, Observer, Shared, outgoing, watch};
use crate::SocketKind;
use crate::netlink::Socket;

/// How long an exchange may be silent. RFC 4787 asks address translators for two minutes; programs that need longer
/// keep their exchanges alive.
const IDLE: Duration = Duration::from_secs(120);
const TICK: Duration = Duration::from_secs(5);
/// Exchanges at a time; the one that was silent longest makes room for a new one.
const EXCHANGES: usize = 1024;
const DATAGRAM: usize = 65_535;
/// Datagrams of one socket before the others get their turn.
const PER_TURN: usize = 64;

const ENTRANCE: u64 = 0;
const STOPPED: u64 = 1;
const FIRST_ID: u64 = 2;

/// Who sends where.
type Ends = (SocketAddr, SocketAddr);

/// One step's socket and one destination, talking.
struct Exchange {
    ends: Ends,
    /// In the session, wearing the destination's address.
    near: OwnedFd,
    /// In the host's network.
    far: OwnedFd,
    last: Instant,
}

/// What the thread works with.
pub(super) struct Relay {
    entrance: OwnedFd,
    epoll: OwnedFd,
    routes: Option<Socket>,
    shared: Arc<Shared>,
    observer: Observer,
    exchanges: HashMap<u64, Exchange>,
    by_ends: HashMap<Ends, u64>,
    next_id: u64,
    buffer: Vec<u8>,
}

impl Relay {
    pub(super) fn new(
        entrance: OwnedFd,
        shared: Arc<Shared>,
        observer: Observer,
    ) -> io::Result<Self> {
        let epoll = epoll::create(CreateFlags::CLOEXEC)?;
        rustix::io::ioctl_fionbio(&entrance, true)?;
        watch(&epoll, &entrance, ENTRANCE, EventFlags::IN)?;
        watch(&epoll, &shared.stopped, STOPPED, EventFlags::IN)?;
        Ok(Self {
            entrance,
            epoll,
            routes: Socket::route().ok(),
            shared,
            observer,
            exchanges: HashMap::new(),
            by_ends: HashMap::new(),
            next_id: FIRST_ID,
            buffer: vec![0; DATAGRAM],
        })
    }

    pub(super) fn run(mut self) {
        let mut events = Vec::with_capacity(64);
        let mut last_tick = Instant::now();
        while !self.shared.stop.load(Ordering::Acquire) {
            events.clear();
            let tick = Timespec::try_from(TICK).expect("seconds fit");
            let timeout = (!self.exchanges.is_empty()).then_some(&tick);
            match epoll::wait(&self.epoll, spare_capacity(&mut events), timeout) {
                Ok(_) | Err(Errno::INTR) => {}
                // Nothing but a programming error makes waiting fail; without it there is nothing to serve.
                Err(_) => return,
            }
            for event in &events {
                match event.data.u64() {
                    ENTRANCE => self.take_new(),
                    STOPPED => return,
                    token => self.pass_on(token),
                }
            }
            if last_tick.elapsed() >= TICK {
                last_tick = Instant::now();
                self.expire(last_tick);
            }
        }
    }

    /// Takes datagrams that belong to no exchange yet.
    fn take_new(&mut self) {
        for _ in 0..PER_TURN {
            let mut buffer = std::mem::take(&mut self.buffer);
            let received = receive(&self.entrance, &mut buffer);
            match received {
                Ok(Some((length, ends))) => {
                    if let Some(id) = self.exchange(ends) {
                        self.send_out(id, &buffer[..length]);
                    }
                }
                // Not diverted, but sent to the socket itself.
                Ok(None) => {}
                Err(_) => {
                    self.buffer = buffer;
                    return;
                }
            }
            self.buffer = buffer;
        }
    }

    /// The exchange between two ends, begun if it is allowed.
    fn exchange(&mut self, ends: Ends) -> Option<u64> {
        if let Some(id) = self.by_ends.get(&ends) {
            return Some(*id);
        }
        let (client, destination) = ends;
        let to = match self.shared.decide(destination, self.routes.as_ref()) {
            Ok(to) => to,
            Err(reason) => {
                (self.observer)(&Event::Refused {
                    client,
                    destination,
                    reason,
                });
                self.shared.counters.refused.fetch_add(1, Ordering::Release);
                return None;
            }
        };
        self.make_room();
        match self.begin(ends, to) {
            Ok(id) => Some(id),
            Err(error) => {
                (self.observer)(&Event::Unreachable {
                    client,
                    destination,
                    error,
                });
                None
            }
        }
    }

    fn begin(&mut self, ends: Ends, to: SocketAddr) -> io::Result<u64> {
        let (client, destination) = ends;
        let far = outgoing(to, SocketType::DGRAM)?;
        rustix::net::connect(&far, &to)?;
        let kind = if destination.is_ipv4() {
            SocketKind::Udp
        } else {
            SocketKind::Udp6
        };
        let near = self.shared.sockets.open(kind)?;
        nix::sys::socket::setsockopt(&near, nix::sys::socket::sockopt::IpTransparent, &true)?;
        rustix::net::sockopt::set_socket_reuseaddr(&near, true)?;
        rustix::net::bind(&near, &destination)?;
        rustix::net::connect(&near, &client)?;
        let id = self.next_id;
        self.next_id += 2;
        watch(&self.epoll, &near, id, EventFlags::IN)?;
        watch(&self.epoll, &far, id + 1, EventFlags::IN)?;
        let exchange = Exchange {
            ends,
            near,
            far,
            last: Instant::now(),
        };
        self.exchanges.insert(id, exchange);
        self.by_ends.insert(ends, id);
        let counters = &self.shared.counters;
        counters.exchanges.fetch_add(1, Ordering::Relaxed);
        Ok(id)
    }

    fn make_room(&mut self) {
        if self.exchanges.len() < EXCHANGES {
            return;
        }
        let oldest = self
            .exchanges
            .iter()
            .min_by_key(|(_, exchange)| exchange.last);
        if let Some(id) = oldest.map(|(id, _)| *id) {
            self.end(id);
        }
    }

    fn end(&mut self, id: u64) {
        if let Some(exchange) = self.exchanges.remove(&id) {
            self.by_ends.remove(&exchange.ends);
        }
    }

    fn send_out(&mut self, id: u64, datagram: &[u8]) {
        if let Some(exchange) = self.exchanges.get_mut(&id) {
            exchange.last = Instant::now();
            // Datagrams may be lost; those that the host cannot send now are.
            if rustix::net::send(&exchange.far, datagram, SendFlags::DONTWAIT).is_ok() {
                let sent = &self.shared.counters.sent;
                sent.fetch_add(datagram.len() as u64, Ordering::Relaxed);
            }
        }
    }

    /// Passes on what has come at one end of an exchange.
    fn pass_on(&mut self, token: u64) {
        let (id, is_far) = (token & !1, token & 1 == 1);
        for _ in 0..PER_TURN {
            let Some(exchange) = self.exchanges.get_mut(&id) else {
                return;
            };
            let (from, to) = if is_far {
                (&exchange.far, &exchange.near)
            } else {
                (&exchange.near, &exchange.far)
            };
            match rustix::net::recv(from, self.buffer.as_mut_slice(), RecvFlags::DONTWAIT) {
                Ok((length, _)) => {
                    exchange.last = Instant::now();
                    let counters = &self.shared.counters;
                    let counter = if is_far {
                        &counters.received
                    } else {
                        &counters.sent
                    };
                    if rustix::net::send(to, &self.buffer[..length], SendFlags::DONTWAIT).is_ok() {
                        counter.fetch_add(length as u64, Ordering::Relaxed);
                    }
                }
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                // One end is closed; a step that goes on sending begins anew.
                Err(_) => return self.end(id),
            }
        }
    }

    fn expire(&mut self, now: Instant) {
        let silent = |exchange: &Exchange| now.duration_since(exchange.last) >= IDLE;
        let late: Vec<u64> = self
            .exchanges
            .iter()
            .filter(|(_, exchange)| silent(exchange))
            .map(|(id, _)| *id)
            .collect();
        for id in late {
            self.end(id);
        }
    }
}

/// Receives one datagram with its sender and the destination it was meant for.
fn receive(socket: &OwnedFd, buffer: &mut [u8]) -> Result<Option<(usize, Ends)>, Errno> {
    let mut space = nix::cmsg_space!(libc::sockaddr_in6, libc::sockaddr_in);
    let mut room = [IoSliceMut::new(buffer)];
    let message = nix::sys::socket::recvmsg::<SockaddrStorage>(
        socket.as_raw_fd(),
        &mut room,
        Some(&mut space),
        MsgFlags::MSG_DONTWAIT,
    )
    .map_err(|errno| Errno::from_raw_os_error(errno as i32))?;
    let client = message.address.and_then(|address| {
        let v4 = address
            .as_sockaddr_in()
            .map(|ip| SocketAddr::V4(SocketAddrV4::from(*ip)));
        let v6 = || {
            let ip = address.as_sockaddr_in6()?;
            Some(SocketAddr::V6(SocketAddrV6::from(*ip)))
        };
        v4.or_else(v6)
    });
    let mut destination = None;
    for control in message
        .cmsgs()
        .map_err(|errno| Errno::from_raw_os_error(errno as i32))?
    {
        match control {
            ControlMessageOwned::Ipv4OrigDstAddr(ip) => {
                let ip = nix::sys::socket::SockaddrIn::from(ip);
                destination = Some(SocketAddr::V4(SocketAddrV4::from(ip)));
            }
            ControlMessageOwned::Ipv6OrigDstAddr(ip) => {
                let ip = nix::sys::socket::SockaddrIn6::from(ip);
                destination = Some(SocketAddr::V6(SocketAddrV6::from(ip)));
            }
            _ => {}
        }
    }
    Ok(client.zip(destination).map(|ends| (message.bytes, ends)))
}
