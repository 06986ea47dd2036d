//! The network of a session: one bridge, one address per step, one way out.
//!
//! [`session_setup`] runs once in the session's network namespace. It makes the bridge, loads the packet rules and
//! opens the listeners whose descriptors the engine serves from the host's namespace ([`crate::proxy`],
//! [`crate::dns`]). [`prepare_step`] and [`StepLink::attach`] connect one step. Nothing here starts a thread or
//! another program, so all of it may run in a single-threaded process between `fork` and `exec`.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;

use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub use crate::netlink::Error;
use crate::netlink::route::{LOOPBACK, Pair};
use crate::netlink::{Request, Socket};
use crate::{net_sys, nft};

/// The bridge's own address: gateway and name server of every step.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
/// Length of the prefix that all steps of a session share.
pub const PREFIX: u8 = 16;
/// First address of the block whose addresses stand for services of the host; see [`host_ip`].
pub const HOST_BLOCK: Ipv4Addr = Ipv4Addr::new(10, 88, 255, 0);

const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 0);
const HOST_BLOCK_PREFIX: u8 = 24;
pub(crate) const DNS_PORT: u16 = 53;
const BRIDGE: &str = "nsci0";
/// Interface numbers are ours to choose in a namespace of ours; knowing them saves asking.
const BRIDGE_INDEX: u32 = 0x100;
const FIRST_PORT_INDEX: u32 = 0x1_0000;
const STEP_INDEX: u32 = 0x100;
const BACKLOG: i32 = 4096;
/// Addresses of a block of 256 that end neither in 0 nor in 255.
const PER_BLOCK: u32 = 254;
/// Every block of the network but the last, which is the host's, less the gateway.
const STEP_ADDRESSES: u32 = 255 * PER_BLOCK - 1;

/// The address of step `index`: 10.88.0.2, 10.88.0.3 and so on.
///
/// There are 64 769 of them, never the gateway's, never in the host block, never ending in 0 or 255; after the
/// last comes the first again.
#[must_use]
pub const fn step_ip(index: u32) -> Ipv4Addr {
    let place = index % STEP_ADDRESSES + 1;
    let block = place / PER_BLOCK;
    Ipv4Addr::from_bits(INSIDE.to_bits() + block * 256 + place % PER_BLOCK + 1)
}

/// An address that steps reach and the proxy answers for, to stand for service `index` of the host.
///
/// There are 254 of them, because the last of the block is the network's broadcast address.
#[must_use]
pub const fn host_ip(index: u8) -> Ipv4Addr {
    Ipv4Addr::from_bits(HOST_BLOCK.to_bits() + index as u32 % PER_BLOCK + 1)
}

/// Whether steps can leave the session's network.
#[derive(Debug)]
#[non_exhaustive]
pub enum Egress {
    /// Through the proxy on this listener.
    Proxy(OwnedFd),
    /// Not at all; steps still reach each other and the name server.
    Unavailable(Error),
}

/// The network that all steps of a session share.
#[derive(Debug)]
#[non_exhaustive]
pub struct SessionNetwork {
    /// The way out.
    pub egress: Egress,
    dns_udp: OwnedFd,
    dns_tcp: OwnedFd,
}

/// Descriptors of the session's network, on the engine's side.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineSockets {
    /// Listener for [`crate::proxy::Proxy`]; missing when egress is unavailable.
    pub proxy: Option<OwnedFd>,
    /// Bound datagram socket for [`crate::dns::Server`].
    pub dns_udp: OwnedFd,
    /// Listener for [`crate::dns::Server`].
    pub dns_tcp: OwnedFd,
}

impl EngineSockets {
    const PROXY: &str = "proxy";
    const DNS_UDP: &str = "dns-udp";
    const DNS_TCP: &str = "dns-tcp";

    /// Sorts what [`SessionNetwork::engine_fds`] gave; `None` when a name server socket is missing.
    #[must_use]
    pub fn from_named(named: impl IntoIterator<Item = (String, OwnedFd)>) -> Option<Self> {
        let (mut proxy, mut dns_udp, mut dns_tcp) = (None, None, None);
        for (name, fd) in named {
            match name.as_str() {
                Self::PROXY => proxy = Some(fd),
                Self::DNS_UDP => dns_udp = Some(fd),
                Self::DNS_TCP => dns_tcp = Some(fd),
                _ => {}
            }
        }
        Some(Self {
            proxy,
            dns_udp: dns_udp?,
            dns_tcp: dns_tcp?,
        })
    }
}

impl SessionNetwork {
    /// Duplicates the descriptors that the engine serves, with their names; see [`EngineSockets::from_named`].
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn engine_fds(&self) -> Result<Vec<(String, OwnedFd)>, Error> {
        let mut sockets = vec![
            (EngineSockets::DNS_UDP, &self.dns_udp),
            (EngineSockets::DNS_TCP, &self.dns_tcp),
        ];
        if let Egress::Proxy(listener) = &self.egress {
            sockets.push((EngineSockets::PROXY, listener));
        }
        sockets
            .into_iter()
            .map(|(name, socket)| Ok((name.to_owned(), socket.try_clone()?)))
            .collect::<io::Result<_>>()
            .map_err(|source| Error::new("duplicate the session's sockets", source))
    }
}

/// Builds the session's network in the network namespace of the calling thread, which must be a fresh one.
///
/// A kernel without address translation yields a network without egress, not an error.
///
/// # Errors
/// When the namespace cannot be configured: no privilege over it, or a kernel without bridges.
pub fn session_setup() -> Result<SessionNetwork, Error> {
    let mut request = Request::new();
    request.up("lo", LOOPBACK);
    request.bridge(BRIDGE, BRIDGE_INDEX, mac(GATEWAY));
    request.address(BRIDGE_INDEX, GATEWAY, PREFIX);
    request.local_block(BRIDGE_INDEX, HOST_BLOCK, HOST_BLOCK_PREFIX);
    request.default_route(BRIDGE_INDEX, None);
    Socket::route()?.send(&request)?;

    let dns = SocketAddrV4::new(GATEWAY, DNS_PORT);
    Ok(SessionNetwork {
        egress: egress().map_or_else(Egress::Unavailable, Egress::Proxy),
        dns_udp: bound(SocketType::DGRAM, dns)?,
        dns_tcp: listener(dns)?,
    })
}

/// Brings up the loopback interface of the calling thread's network namespace: all a step without network has.
///
/// # Errors
/// When the caller has no privilege over the namespace.
pub fn loopback_up() -> Result<(), Error> {
    let mut request = Request::new();
    request.up("lo", LOOPBACK);
    Socket::route()?.send(&request)
}

/// Opens a TCP socket in the network namespace of the calling thread, not connected and not blocking.
///
/// A socket keeps its namespace: the engine can connect it to a step although it lives in the host's namespace
/// itself ([`crate::proxy::Proxy::tunnel`]).
///
/// # Errors
/// When the process has no descriptors left.
pub fn tcp_socket() -> Result<OwnedFd, Error> {
    stream_socket().map_err(|source| Error::new("open a TCP socket", source))
}

fn egress() -> Result<OwnedFd, Error> {
    // Redirection goes to the interface's address for steps and to loopback for the session itself.
    let listener = listener(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0))?;
    let proxy_port = local_port(&listener)?;
    nft::load(&nft::Plan {
        bridge: BRIDGE_INDEX,
        gateway: GATEWAY,
        inside: (INSIDE, PREFIX),
        host_block: (HOST_BLOCK, HOST_BLOCK_PREFIX),
        dns_port: DNS_PORT,
        proxy_port,
    })?;
    Ok(listener)
}

fn local_port(socket: &OwnedFd) -> Result<u16, Error> {
    let address = rustix::net::getsockname(socket).and_then(SocketAddr::try_from);
    address
        .map(|address| address.port())
        .map_err(|source| Error::new("read the proxy listener's port", source))
}

fn listener(address: SocketAddrV4) -> Result<OwnedFd, Error> {
    let socket = bound(SocketType::STREAM, address)?;
    rustix::net::listen(&socket, BACKLOG)
        .map_err(|source| Error::new(format!("listen on {address}"), source))?;
    Ok(socket)
}

fn bound(kind: SocketType, address: SocketAddrV4) -> Result<OwnedFd, Error> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::INET, kind, flags, None)
        .and_then(|socket| rustix::net::bind(&socket, &address).map(|()| socket))
        .map_err(|source| Error::new(format!("bind {address}"), source))
}

fn stream_socket() -> rustix::io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(AddressFamily::INET, SocketType::STREAM, flags, None)
}

/// A locally administered hardware address made of an IP address, so that it needs no randomness and no state.
const fn mac(ip: Ipv4Addr) -> [u8; 6] {
    let [a, b, c, d] = ip.octets();
    [0x02, 0x4e, a, b, c, d]
}

/// A hand in the session's network namespace, kept while the step's process moves to its own.
#[derive(Debug)]
pub struct StepLink {
    session: Socket,
    has_egress: bool,
}

/// Where a step is in the session's network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StepAddress {
    /// The step's own address.
    pub ip: IpAddr,
    /// Length of the session network's prefix.
    pub prefix: u8,
    /// Way out, and name server.
    pub gateway: IpAddr,
}

/// Opens what [`StepLink::attach`] needs, while the calling thread is still in the session's namespace.
///
/// # Errors
/// When no netlink socket can be opened.
pub fn prepare_step(session: &SessionNetwork) -> Result<StepLink, Error> {
    let has_egress = matches!(session.egress, Egress::Proxy(_));
    Ok(StepLink {
        session: Socket::route()?,
        has_egress,
    })
}

impl StepLink {
    /// Connects the network namespace that the calling thread has just entered to the session's bridge.
    ///
    /// `index` must not have been used in this session before: it names the interface, and the kernel takes the
    /// old one away some time after its step has ended.
    ///
    /// # Errors
    /// When the kernel refuses; the namespace is then useless and must be dropped.
    pub fn attach(self, index: u32) -> Result<StepAddress, Error> {
        let ip = step_ip(index);
        let port = format!("step{index}");
        let mut outside = Request::new();
        outside.pair(&Pair {
            name: &port,
            index: FIRST_PORT_INDEX + index % (1 << 30),
            bridge: BRIDGE_INDEX,
            peer_name: "eth0",
            peer_index: STEP_INDEX,
            peer_mac: mac(ip),
            peer_thread: rustix::thread::gettid().as_raw_nonzero().get(),
        });
        self.session.send(&outside)?;

        let mut inside = Request::new();
        inside.up("lo", LOOPBACK);
        inside.address(STEP_INDEX, ip, PREFIX);
        inside.up("eth0", STEP_INDEX);
        // Without rules nobody answers for the rest of the world; without a route the step is told so at once.
        if self.has_egress {
            inside.default_route(STEP_INDEX, Some(GATEWAY));
        }
        Socket::route()?.send(&inside)?;
        // The first packets would otherwise race with a kernel worker, and a lost one costs a second.
        for name in [port.as_str(), BRIDGE] {
            net_sys::settle_carrier(&self.session, name)
                .map_err(|source| Error::new(format!("settle interface {name}"), source))?;
        }
        Ok(StepAddress {
            ip: ip.into(),
            prefix: PREFIX,
            gateway: GATEWAY.into(),
        })
    }
}

/// The `/etc/resolv.conf` of a step: the session's name server, and the domains to try for short names.
#[must_use]
pub fn resolv_conf<S: AsRef<str>>(search: &[S]) -> String {
    let mut text = String::new();
    if !search.is_empty() {
        let domains: Vec<&str> = search.iter().map(AsRef::as_ref).collect();
        writeln!(text, "search {}", domains.join(" ")).expect("a string takes all that is written");
    }
    writeln!(text, "nameserver {GATEWAY}").expect("a string takes all that is written");
    text
}

/// The `/etc/hosts` of a step; a step without network names itself by loopback.
#[must_use]
pub fn hosts_file(hostname: &str, ip: Option<IpAddr>, extra: &[(IpAddr, String)]) -> String {
    let own = ip.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let mut text =
        String::from("127.0.0.1\tlocalhost\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    let entries = std::iter::once((own, hostname))
        .chain(extra.iter().map(|(ip, name)| (*ip, name.as_str())))
        .filter(|(_, name)| !name.is_empty());
    for (ip, name) in entries {
        writeln!(text, "{ip}\t{name}").expect("a string takes all that is written");
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn step_addresses_are_distinct_and_usable() {
        let mut seen = HashSet::new();
        for index in 0..STEP_ADDRESSES {
            let ip = step_ip(index);
            let [a, b, c, d] = ip.octets();
            assert_eq!((a, b), (10, 88));
            assert!(c != 255 && d != 0 && d != 255, "{ip}");
            assert_ne!(ip, GATEWAY);
            assert!(seen.insert(ip), "{ip} twice");
        }
        assert_eq!(step_ip(0), Ipv4Addr::new(10, 88, 0, 2));
        assert_eq!(step_ip(253), Ipv4Addr::new(10, 88, 1, 1));
        assert_eq!(step_ip(STEP_ADDRESSES), step_ip(0));
        assert_eq!(step_ip(u32::MAX).octets()[0], 10);
    }

    #[test]
    fn resolver_file_names_the_gateway() {
        assert_eq!(resolv_conf::<&str>(&[]), "nameserver 10.88.0.1\n");
        assert_eq!(
            resolv_conf(&["a.test", "b"]),
            "search a.test b\nnameserver 10.88.0.1\n"
        );
    }

    #[test]
    fn hosts_file_names_the_step_and_its_services() {
        let extra = [(IpAddr::V4(step_ip(7)), "db".to_owned())];
        let text = hosts_file("build", Some(step_ip(0).into()), &extra);
        assert!(text.starts_with("127.0.0.1\tlocalhost\n"));
        assert!(
            text.ends_with("10.88.0.2\tbuild\n10.88.0.9\tdb\n"),
            "{text}"
        );
        assert!(hosts_file("solo", None, &[]).ends_with("127.0.0.1\tsolo\n"));
    }
}
