//! The network of a session: one bridge, one address per step, one way out.
//!
//! [`session_setup`] runs once in the session's network namespace. It makes the bridge, loads the packet rules and
//! opens the listeners whose descriptors the engine serves from the host's namespace ([`crate::proxy`],
//! [`crate::dns`]). [`prepare_step`] and [`StepLink::attach`] connect one step. Nothing here starts a thread or
//! another program, so all of it may run in a single-threaded process between `fork` and `exec`.

use std::fmt::Write as _;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4};
use std::os::fd::OwnedFd;
use std::time::Duration;

use nix::sys::socket::sockopt;
use rustix::net::{AddressFamily, SocketFlags, SocketType};

pub use crate::netlink::Error;
use crate::netlink::route::{AddressVersion, AddressWatch, Known, LOOPBACK, Pair};
use crate::netlink::{Request, Socket};
use crate::{net_sys, nft};

/// The bridge's own address: gateway and name server of every step.
pub const GATEWAY: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 1);
/// Length of the prefix that all steps of a session share.
pub const PREFIX: u8 = 16;
/// The bridge's own IPv6 address, where the session has any.
pub const GATEWAY6: Ipv6Addr = ip6(GATEWAY);
/// Length of the IPv6 prefix that all steps of a session share.
pub const PREFIX6: u8 = 64;
/// First address of the block whose addresses stand for services of the host; see [`host_ip`].
pub const HOST_BLOCK: Ipv4Addr = Ipv4Addr::new(10, 88, 255, 0);

/// A unique local prefix of ours, as RFC 4193 has them.
const INSIDE6: Ipv6Addr = Ipv6Addr::new(0xfd6e, 0x7363, 0x6900, 0, 0, 0, 0, 0);
const INSIDE: Ipv4Addr = Ipv4Addr::new(10, 88, 0, 0);
const HOST_BLOCK_PREFIX: u8 = 24;
pub(crate) const DNS_PORT: u16 = 53;
const BRIDGE: &str = "nsci0";
/// Interface numbers are ours to choose in a namespace of ours; knowing them saves asking.
const BRIDGE_INDEX: u32 = 0x100;
const FIRST_PORT_INDEX: u32 = 0x1_0000;
const STEP_INDEX: u32 = 0x100;
const BACKLOG: i32 = 4096;
/// How long the kernel may take to put an IPv6 address to use. After that the first packets may be late.
const ADDRESS_PATIENCE: Duration = Duration::from_secs(2);
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

/// The IPv6 address of step `index`; its last 32 bits are those of [`step_ip`].
#[must_use]
pub const fn step_ip6(index: u32) -> Ipv6Addr {
    ip6(step_ip(index))
}

const fn ip6(ip: Ipv4Addr) -> Ipv6Addr {
    Ipv6Addr::from_bits(INSIDE6.to_bits() | ip.to_bits() as u128)
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
    /// Whether steps have IPv6 addresses on the session's network.
    pub ipv6: bool,
    /// The way out over IPv6, if there is one.
    proxy6: Option<OwnedFd>,
    relay: Option<OwnedFd>,
    relay6: Option<OwnedFd>,
    dns_udp: OwnedFd,
    dns_tcp: OwnedFd,
}

/// Descriptors of the session's network, on the engine's side.
#[derive(Debug)]
#[non_exhaustive]
pub struct EngineSockets {
    /// Listener for [`crate::proxy::Proxy`]; missing when egress is unavailable.
    pub proxy: Option<OwnedFd>,
    /// The same for IPv6.
    pub proxy6: Option<OwnedFd>,
    /// Socket that datagrams to the outside are diverted to.
    pub relay: Option<OwnedFd>,
    /// The same for IPv6.
    pub relay6: Option<OwnedFd>,
    /// Bound datagram socket for [`crate::dns::Server`].
    pub dns_udp: OwnedFd,
    /// Listener for [`crate::dns::Server`].
    pub dns_tcp: OwnedFd,
}

impl EngineSockets {
    const PROXY: &str = "proxy";
    const PROXY6: &str = "proxy6";
    const RELAY: &str = "relay";
    const RELAY6: &str = "relay6";
    const DNS_UDP: &str = "dns-udp";
    const DNS_TCP: &str = "dns-tcp";

    /// Sorts what [`SessionNetwork::engine_fds`] gave; `None` when a name server socket is missing.
    #[must_use]
    pub fn from_named(named: impl IntoIterator<Item = (String, OwnedFd)>) -> Option<Self> {
        let mut named: std::collections::HashMap<String, OwnedFd> = named.into_iter().collect();
        Some(Self {
            proxy: named.remove(Self::PROXY),
            proxy6: named.remove(Self::PROXY6),
            relay: named.remove(Self::RELAY),
            relay6: named.remove(Self::RELAY6),
            dns_udp: named.remove(Self::DNS_UDP)?,
            dns_tcp: named.remove(Self::DNS_TCP)?,
        })
    }
}

impl SessionNetwork {
    /// Duplicates the descriptors that the engine serves, with their names; see [`EngineSockets::from_named`].
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn engine_fds(&self) -> Result<Vec<(String, OwnedFd)>, Error> {
        let proxy = match &self.egress {
            Egress::Proxy(listener) => Some(listener),
            Egress::Unavailable(_) => None,
        };
        [
            (EngineSockets::DNS_UDP, Some(&self.dns_udp)),
            (EngineSockets::DNS_TCP, Some(&self.dns_tcp)),
            (EngineSockets::PROXY, proxy),
            (EngineSockets::PROXY6, self.proxy6.as_ref()),
            (EngineSockets::RELAY, self.relay.as_ref()),
            (EngineSockets::RELAY6, self.relay6.as_ref()),
        ]
        .into_iter()
        .filter_map(|(name, socket)| Some((name, socket?)))
        .map(|(name, socket)| Ok((name.to_owned(), socket.try_clone()?)))
        .collect::<io::Result<_>>()
        .map_err(|source| Error::new("duplicate the session's sockets", source))
    }
}

/// Congestion control where nothing is lost; every kernel has it.
pub(crate) const LOSSLESS_CONTROL: &str = "reno";

/// Builds the session's network in the network namespace of the calling thread, which must be a fresh one.
///
/// A kernel without address translation yields a network without egress, not an error; one without IPv6 a network
/// without that. `host_has_ipv6` says whether the host can reach others over IPv6: only then may steps try.
///
/// # Errors
/// When the namespace cannot be configured: no privilege over it, or a kernel without bridges.
pub fn session_setup(host_has_ipv6: bool) -> Result<SessionNetwork, Error> {
    settle_namespace();
    let mut request = Request::new();
    request.up("lo", LOOPBACK);
    request.bridge(BRIDGE, BRIDGE_INDEX, mac(GATEWAY));
    request.address(BRIDGE_INDEX, GATEWAY, PREFIX);
    request.local_block(BRIDGE_INDEX, HOST_BLOCK, HOST_BLOCK_PREFIX);
    request.wire_route(BRIDGE_INDEX, AddressVersion::V4);
    let socket = Socket::route()?;
    socket.send(&request)?;
    let watch = AddressWatch::start()?;
    let mut request = Request::new();
    request.address(BRIDGE_INDEX, GATEWAY6, PREFIX6);
    request.wire_route(BRIDGE_INDEX, AddressVersion::V6);
    let ipv6 = socket.send(&request).is_ok();

    let (egress, relay) = match egress(Ipv4Addr::UNSPECIFIED.into(), (INSIDE.into(), PREFIX)) {
        Ok((proxy, relay)) => (Egress::Proxy(proxy), relay),
        Err(error) => (Egress::Unavailable(error), None),
    };
    let (mut proxy6, mut relay6) = (None, None);
    if ipv6 && host_has_ipv6 && matches!(egress, Egress::Proxy(_)) {
        let ways = egress_6();
        // Without, steps keep to IPv4.
        (proxy6, relay6) = ways.map_or((None, None), |(proxy, relay)| (Some(proxy), relay));
    }
    let dns = SocketAddr::V4(SocketAddrV4::new(GATEWAY, DNS_PORT));
    let network = SessionNetwork {
        egress,
        ipv6,
        proxy6,
        relay,
        relay6,
        dns_udp: bound(SocketType::DGRAM, dns)?,
        dns_tcp: listener(dns)?,
    };
    if ipv6 {
        // Last, since the kernel has been at it in the meantime.
        watch.wait_for(GATEWAY6, ADDRESS_PATIENCE)?;
    }
    Ok(network)
}

/// Whether packets to the IPv6 internet leave this machine from the namespace of the calling thread.
pub(crate) fn host_has_ipv6() -> bool {
    // The name server that the root zone has had at this address since 2002; nothing is sent to it.
    let far = Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30);
    Socket::route()
        .and_then(|socket| crate::netlink::route::leaves_this_machine(&socket, far.into()))
        .unwrap_or(false)
}

/// Says how the calling thread's namespace, which has no interface yet, is to work.
///
/// Interfaces made next invent no addresses, which costs time and packets. Connections fill the way at once: a
/// namespace begins with the host's congestion control, and one that measures and paces (BBR) takes
/// half of the speed where no packet is ever lost.
fn settle_namespace() {
    // Without IPv6 there is no such file, and nothing to keep them from.
    std::fs::write("/proc/sys/net/ipv6/conf/default/addr_gen_mode", "1").ok();
    std::fs::write(
        "/proc/sys/net/ipv4/tcp_congestion_control",
        LOSSLESS_CONTROL,
    )
    .ok();
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

fn egress_6() -> Result<(OwnedFd, Option<OwnedFd>), Error> {
    egress(Ipv6Addr::UNSPECIFIED.into(), (INSIDE6.into(), PREFIX6))
}

/// Opens the sockets that lead out, and loads the rules that lead to them; datagrams only if the kernel can.
fn egress(any: IpAddr, inside: (IpAddr, u8)) -> Result<(OwnedFd, Option<OwnedFd>), Error> {
    // Redirection goes to the interface's address for steps and to loopback for the session itself.
    let listener = listener((any, 0).into())?;
    let plan = nft::Plan {
        bridge: BRIDGE_INDEX,
        inside,
        proxy_port: local_port(&listener)?,
        relay_port: None,
    };
    let relay = relay(any).and_then(|relay| {
        let relay_port = Some(local_port(&relay)?);
        nft::load(&nft::Plan { relay_port, ..plan })?;
        Ok(relay)
    });
    match relay {
        Ok(relay) => Ok((listener, Some(relay))),
        Err(_) => nft::load(&plan).map(|()| (listener, None)),
    }
}

/// Keeps the rules from being applied where frames cross the bridge; once, where packets arrive, is enough.
///
/// A packet that gets its socket on the bridge loses it on the way up.
fn no_rules_on_the_bridge() -> Result<(), Error> {
    for version in ["iptables", "ip6tables"] {
        let path = format!("/proc/sys/net/bridge/bridge-nf-call-{version}");
        match std::fs::write(&path, "0") {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Error::new(format!("write {path}"), error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// A socket that takes datagrams for any address, and the routes that lead them to it.
fn relay(any: IpAddr) -> Result<OwnedFd, Error> {
    no_rules_on_the_bridge()?;
    let socket = bound(SocketType::DGRAM, (any, 0).into())?;
    let failed = |source: nix::errno::Errno| Error::new("open a socket for datagrams", source);
    nix::sys::socket::setsockopt(&socket, sockopt::IpTransparent, &true).map_err(failed)?;
    let version = match any {
        IpAddr::V4(_) => {
            nix::sys::socket::setsockopt(&socket, sockopt::Ipv4OrigDstAddr, &true)
                .map_err(failed)?;
            AddressVersion::V4
        }
        IpAddr::V6(_) => {
            nix::sys::socket::setsockopt(&socket, sockopt::Ipv6OrigDstAddr, &true)
                .map_err(failed)?;
            AddressVersion::V6
        }
    };
    let mut request = Request::new();
    request.divert(version, nft::MARK);
    Socket::route()?.send(&request)?;
    Ok(socket)
}

fn local_port(socket: &OwnedFd) -> Result<u16, Error> {
    let address = rustix::net::getsockname(socket).and_then(SocketAddr::try_from);
    address
        .map(|address| address.port())
        .map_err(|source| Error::new("read a socket's port", source))
}

fn listener(address: SocketAddr) -> Result<OwnedFd, Error> {
    let socket = bound(SocketType::STREAM, address)?;
    rustix::net::listen(&socket, BACKLOG)
        .map_err(|source| Error::new(format!("listen on {address}"), source))?;
    Ok(socket)
}

fn bound(kind: SocketType, address: SocketAddr) -> Result<OwnedFd, Error> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    rustix::net::socket_with(family, kind, flags, None)
        .and_then(|socket| {
            if address.is_ipv6() {
                rustix::net::sockopt::set_ipv6_v6only(&socket, true)?;
            }
            rustix::net::bind(&socket, &address).map(|()| socket)
        })
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
    ipv6: bool,
    has_egress6: bool,
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
    /// The step's own IPv6 address, where the session has any.
    pub ip6: Option<Ipv6Addr>,
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
        ipv6: session.ipv6,
        has_egress6: session.proxy6.is_some(),
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
        let ip6 = self.ipv6.then(|| step_ip6(index));
        let port = format!("step{index}");
        settle_namespace();
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
        // Steps come and go, so what the session knows of them must be forgotten by itself.
        outside.neighbour(BRIDGE_INDEX, ip, mac(ip), Known::Now);
        if let Some(ip6) = ip6 {
            outside.neighbour(BRIDGE_INDEX, ip6, mac(ip), Known::Now);
        }
        self.session.send(&outside)?;

        let watch = AddressWatch::start()?;
        let mut inside = Request::new();
        inside.up("lo", LOOPBACK);
        inside.address(STEP_INDEX, ip, PREFIX);
        inside.up("eth0", STEP_INDEX);
        inside.neighbour(STEP_INDEX, GATEWAY, mac(GATEWAY), Known::Always);
        // Without rules nobody answers for the rest of the world; without a route the step is told so at once.
        if self.has_egress {
            inside.default_route(STEP_INDEX, GATEWAY);
        }
        if let Some(ip6) = ip6 {
            inside.address(STEP_INDEX, ip6, PREFIX6);
            inside.neighbour(STEP_INDEX, GATEWAY6, mac(GATEWAY), Known::Always);
            if self.has_egress6 {
                inside.default_route(STEP_INDEX, GATEWAY6);
            }
        }
        Socket::route()?.send(&inside)?;
        // The first packets would otherwise race with a kernel worker, and a lost one costs a second.
        for name in [port.as_str(), BRIDGE] {
            net_sys::settle_carrier(&self.session, name)
                .map_err(|source| Error::new(format!("settle interface {name}"), source))?;
        }
        if let Some(ip6) = ip6 {
            watch.wait_for(ip6, ADDRESS_PATIENCE)?;
        }
        Ok(StepAddress {
            ip: ip.into(),
            prefix: PREFIX,
            gateway: GATEWAY.into(),
            ip6,
        })
    }
}

/// Whether the network namespace of the calling thread holds no trace of anybody's connections: no socket that sends
/// or receives packets, and no TCP connection that the kernel keeps for a while after its end.
///
/// Such a namespace may serve another step: without `CAP_NET_ADMIN` nothing else of it can be changed. Other sockets
/// do not count, since the kernel is slow to forget those of netlink. False where it does not tell.
#[must_use]
pub fn is_unused() -> bool {
    let read = |name: &str| std::fs::read_to_string(format!("/proc/thread-self/net/{name}"));
    let idle = |name: &str| read(name).is_ok_and(|text| has_no_sockets(&text));
    // The list of packet sockets has a line for its head.
    idle("sockstat")
        && (idle("sockstat6") || read("if_inet6").is_err())
        && read("packet").is_ok_and(|text| text.lines().count() == 1)
}

/// Whether a table of sockets by protocol counts none.
fn has_no_sockets(table: &str) -> bool {
    let mut protocols = table
        .lines()
        .filter(|line| !line.starts_with("sockets:") && !line.starts_with("FRAG"))
        .peekable();
    protocols.peek().is_some()
        && protocols.all(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words
                .windows(2)
                .all(|pair| !["inuse", "tw"].contains(&pair[0]) || pair[1] == "0")
        })
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
    fn both_addresses_of_a_step_end_alike() {
        assert_eq!(step_ip6(0).to_string(), "fd6e:7363:6900::a58:2");
        assert_eq!(GATEWAY6.to_string(), "fd6e:7363:6900::a58:1");
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
    fn sockets_are_counted() {
        let text = "sockets: used 7\nTCP: inuse 0 orphan 3 tw 0 alloc 9 mem 1\nUDP: inuse 0 mem 4\nFRAG: inuse 1\n";
        assert!(has_no_sockets(text));
        assert!(!has_no_sockets(
            &text.replace("TCP: inuse 0", "TCP: inuse 1")
        ));
        assert!(!has_no_sockets(&text.replace("tw 0", "tw 1")));
        assert!(!has_no_sockets(
            &text.replace("UDP: inuse 0", "UDP: inuse 2")
        ));
        assert!(!has_no_sockets(""));
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
