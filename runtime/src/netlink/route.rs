//! Links, addresses, neighbours and routes.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::{Attributes, CREATE, Error, REPLACE, Request, Socket, attribute, messages};

const RTM_NEWLINK: u16 = 16;
const RTM_NEWADDR: u16 = 20;
const RTM_NEWROUTE: u16 = 24;
const RTM_GETROUTE: u16 = 26;
const RTM_NEWNEIGH: u16 = 28;
const RTM_NEWRULE: u16 = 32;

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_PID: u16 = 19;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const IFLA_NUM_TX_QUEUES: u16 = 31;
const IFLA_NUM_RX_QUEUES: u16 = 32;
const IFLA_BR_FORWARD_DELAY: u16 = 1;
const IFLA_BR_MCAST_SNOOPING: u16 = 23;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_BROADCAST: u16 = 4;
const RTA_DST: u16 = 1;
const RTA_OIF: u16 = 4;
const RTA_GATEWAY: u16 = 5;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const FRA_PRIORITY: u16 = 6;
const FRA_FWMARK: u16 = 10;
const FR_ACT_TO_TBL: u8 = 1;
/// The kernel's group of messages about IPv6 addresses, as a bit.
const IPV6_ADDRESSES: u32 = 0x100;
/// Leave out the search for duplicates, which keeps an address from use for a second.
const IFA_F_NODAD: u8 = 2;
/// Any number that the kernel has no name for.
const TABLE_DIVERT: u8 = 100;

const IFF_UP: u32 = 1;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
const TABLE_MAIN: u8 = 254;
const TABLE_LOCAL: u8 = 255;
const PROTOCOL_STATIC: u8 = 4;
const SCOPE_UNIVERSE: u8 = 0;
const SCOPE_LINK: u8 = 253;
const SCOPE_HOST: u8 = 254;
const RTN_UNICAST: u8 = 1;
const RTN_LOCAL: u8 = 2;

/// The loopback interface is the first of every namespace.
pub(crate) const LOOPBACK: u32 = 1;

/// A pair of interfaces, one end of which goes to the namespace of a thread.
#[derive(Debug)]
pub(crate) struct Pair<'a> {
    pub(crate) name: &'a str,
    pub(crate) index: u32,
    pub(crate) bridge: u32,
    pub(crate) peer_name: &'a str,
    pub(crate) peer_index: u32,
    pub(crate) peer_mac: [u8; 6],
    /// The thread in whose network namespace the peer appears, as the sender of the request numbers it.
    pub(crate) peer_thread: i32,
}

fn link_head(index: u32, up: bool) -> [u8; 16] {
    let mut head = [0; 16];
    let flags = if up { IFF_UP } else { 0 };
    head[4..8].copy_from_slice(&index.to_ne_bytes());
    head[8..12].copy_from_slice(&flags.to_ne_bytes());
    head[12..16].copy_from_slice(&flags.to_ne_bytes());
    head
}

impl Request {
    /// Brings an interface up.
    pub(crate) fn up(&mut self, name: &str, index: u32) {
        let action = format!("bring up interface {name}");
        self.message(action, RTM_NEWLINK, 0, &link_head(index, true), |_| {});
    }

    /// Creates a bridge that forwards at once, and brings it up.
    ///
    /// Without a fixed hardware address a bridge takes that of its lowest port, and every step that comes or
    /// goes would make the others' neighbour tables wrong.
    pub(crate) fn bridge(&mut self, name: &str, index: u32, mac: [u8; 6]) {
        let action = format!("create bridge {name}");
        self.message(
            action,
            RTM_NEWLINK,
            CREATE,
            &link_head(index, true),
            |link| {
                link.text(IFLA_IFNAME, name);
                link.put(IFLA_ADDRESS, &mac);
                link.nest(IFLA_LINKINFO, |info| {
                    info.text(IFLA_INFO_KIND, "bridge");
                    info.nest(IFLA_INFO_DATA, |data| {
                        data.put(IFLA_BR_FORWARD_DELAY, &0u32.to_ne_bytes());
                        data.put(IFLA_BR_MCAST_SNOOPING, &[0]);
                    });
                });
            },
        );
    }

    /// Creates a pair: this end is up and a port of the bridge, the other end is down in another namespace.
    ///
    /// Asking for the peer to be up in the same message makes the kernel open it before it knows its
    /// partner, which fails with `ENOTCONN` and takes 15 to 20 ms to undo.
    pub(crate) fn pair(&mut self, pair: &Pair<'_>) {
        let action = format!("create interfaces {} and {}", pair.name, pair.peer_name);
        // By default every processor gets a queue at both ends: all cost here, since no queue is ever full.
        let one_queue = |end: &mut Attributes<'_>| {
            end.put(IFLA_NUM_TX_QUEUES, &1u32.to_ne_bytes());
            end.put(IFLA_NUM_RX_QUEUES, &1u32.to_ne_bytes());
        };
        let peer = |peer: &mut Attributes<'_>| {
            one_queue(peer);
            peer.text(IFLA_IFNAME, pair.peer_name);
            peer.put(IFLA_ADDRESS, &pair.peer_mac);
            peer.put(IFLA_NET_NS_PID, &pair.peer_thread.to_ne_bytes());
        };
        self.message(
            action,
            RTM_NEWLINK,
            CREATE,
            &link_head(pair.index, true),
            |link| {
                one_queue(link);
                link.text(IFLA_IFNAME, pair.name);
                link.put(IFLA_MASTER, &pair.bridge.to_ne_bytes());
                link.nest(IFLA_LINKINFO, |info| {
                    info.text(IFLA_INFO_KIND, "veth");
                    info.nest(IFLA_INFO_DATA, |data| {
                        let head = link_head(pair.peer_index, false);
                        data.nest_after(VETH_INFO_PEER, &head, peer);
                    });
                });
            },
        );
    }

    /// Gives an interface an address.
    pub(crate) fn address(&mut self, index: u32, ip: impl Into<IpAddr>, prefix: u8) {
        let ip = ip.into();
        let (family, flags) = match ip {
            IpAddr::V4(_) => (AF_INET, 0),
            IpAddr::V6(_) => (AF_INET6, IFA_F_NODAD),
        };
        let mut head = [family, prefix, flags, SCOPE_UNIVERSE, 0, 0, 0, 0];
        head[4..8].copy_from_slice(&index.to_ne_bytes());
        let action = format!("add address {ip}/{prefix}");
        self.message(action, RTM_NEWADDR, CREATE, &head, |address| {
            address.put(IFA_LOCAL, &octets(ip));
            address.put(IFA_ADDRESS, &octets(ip));
            if let IpAddr::V4(ip) = ip
                && prefix < 31
            {
                let broadcast = ip.to_bits() | (u32::MAX >> prefix);
                address.put(IFA_BROADCAST, &broadcast.to_be_bytes());
            }
        });
    }

    /// Says which hardware address an address has, so that nobody has to ask for it and wait.
    pub(crate) fn neighbour(
        &mut self,
        index: u32,
        ip: impl Into<IpAddr>,
        mac: [u8; 6],
        known: Known,
    ) {
        let ip = ip.into();
        let mut head = [family(ip), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head[4..8].copy_from_slice(&index.to_ne_bytes());
        head[8..10].copy_from_slice(&(known as u16).to_ne_bytes());
        let action = format!("add neighbour {ip}");
        // One that is there already, of an earlier owner of the address, is replaced.
        self.message(action, RTM_NEWNEIGH, REPLACE, &head, |neighbour| {
            neighbour.put(NDA_DST, &octets(ip));
            neighbour.put(NDA_LLADDR, &mac);
        });
    }

    /// Sends everything without a better route to a gateway.
    pub(crate) fn default_route(&mut self, index: u32, gateway: impl Into<IpAddr>) {
        let gateway = gateway.into();
        let head = route_head(family(gateway), 0, TABLE_MAIN, SCOPE_UNIVERSE, RTN_UNICAST);
        self.message("add default route", RTM_NEWROUTE, CREATE, &head, |route| {
            route.put(RTA_GATEWAY, &octets(gateway));
            route.put(RTA_OIF, &index.to_ne_bytes());
        });
    }

    /// Sends everything without a better route onto the wire of an interface.
    pub(crate) fn wire_route(&mut self, index: u32, family: AddressVersion) {
        let head = route_head(family as u8, 0, TABLE_MAIN, SCOPE_LINK, RTN_UNICAST);
        let action = "add default route without gateway";
        self.message(action, RTM_NEWROUTE, CREATE, &head, |route| {
            route.put(RTA_OIF, &index.to_ne_bytes());
        });
    }

    /// Makes every packet with a mark one for this namespace itself.
    pub(crate) fn divert(&mut self, family: AddressVersion, mark: u32) {
        let rule = [
            family as u8,
            0,
            0,
            0,
            TABLE_DIVERT,
            0,
            0,
            FR_ACT_TO_TBL,
            0,
            0,
            0,
            0,
        ];
        self.message("add routing rule", RTM_NEWRULE, CREATE, &rule, |rule| {
            rule.put(FRA_FWMARK, &mark.to_ne_bytes());
            rule.put(FRA_PRIORITY, &1u32.to_ne_bytes());
        });
        let route = route_head(family as u8, 0, TABLE_DIVERT, SCOPE_HOST, RTN_LOCAL);
        let action = "add route for diverted packets";
        self.message(action, RTM_NEWROUTE, CREATE, &route, |route| {
            route.put(RTA_OIF, &LOOPBACK.to_ne_bytes());
        });
    }

    /// Makes every address of a block one of this namespace's own.
    pub(crate) fn local_block(&mut self, index: u32, block: Ipv4Addr, prefix: u8) {
        let head = route_head(AF_INET, prefix, TABLE_LOCAL, SCOPE_HOST, RTN_LOCAL);
        let action = format!("add local route {block}/{prefix}");
        self.message(action, RTM_NEWROUTE, CREATE, &head, |route| {
            route.put(RTA_DST, &block.octets());
            route.put(RTA_OIF, &index.to_ne_bytes());
        });
    }
}

/// For how long a neighbour's hardware address may be taken for granted; as netlink numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Known {
    /// As if the neighbour had just told it: to be asked again some day, and forgotten when it is gone.
    Now = 0x02,
    /// For ever.
    Always = 0x80,
}

/// Waits for IPv6 addresses to be in use.
///
/// The kernel answers a request for an address at once, but leaves it to a worker to listen for neighbours that ask
/// for it and to accept packets to it. What arrives until then is lost, and asked for again only after a second.
#[derive(Debug)]
pub(crate) struct AddressWatch {
    socket: Socket,
}

impl AddressWatch {
    /// Listens in the network namespace of the calling thread, to addresses that are added after this.
    pub(crate) fn start() -> Result<Self, Error> {
        Socket::listening(IPV6_ADDRESSES, "watch IPv6 addresses").map(|socket| Self { socket })
    }

    /// Returns when an address is in use; false if it is not when `patience` is over.
    pub(crate) fn wait_for(&self, ip: Ipv6Addr, patience: Duration) -> Result<bool, Error> {
        let failed = |source| Error::new(format!("wait for address {ip}"), source);
        let deadline = Instant::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let left = Timespec::try_from(left).expect("patience is seconds");
            let mut fds = [PollFd::new(&self.socket, PollFlags::IN)];
            match rustix::event::poll(&mut fds, Some(&left)) {
                Ok(0) => return Ok(false),
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(source) => return Err(failed(source)),
            }
            let heard = self.socket.receive().map_err(failed)?;
            if messages(&heard).any(|message| {
                let address = message
                    .body
                    .get(8..)
                    .and_then(|attributes| attribute(attributes, IFA_ADDRESS));
                message.kind == RTM_NEWADDR && address == Some(&ip.octets())
            }) {
                return Ok(true);
            }
        }
    }
}

/// A version of IP, as netlink numbers it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressVersion {
    /// Version 4.
    V4 = AF_INET as isize,
    /// Version 6.
    V6 = AF_INET6 as isize,
}

fn family(ip: IpAddr) -> u8 {
    if ip.is_ipv4() { AF_INET } else { AF_INET6 }
}

fn octets(ip: IpAddr) -> Vec<u8> {
    match ip {
        IpAddr::V4(ip) => ip.octets().to_vec(),
        IpAddr::V6(ip) => ip.octets().to_vec(),
    }
}

fn route_head(family: u8, prefix: u8, table: u8, scope: u8, kind: u8) -> [u8; 12] {
    [
        family,
        prefix,
        0,
        0,
        table,
        PROTOCOL_STATIC,
        scope,
        kind,
        0,
        0,
        0,
        0,
    ]
}

/// Whether packets to `ip` leave this machine; false for its own, broadcast and multicast addresses.
///
/// The routing table is asked rather than the list of interfaces, because it also knows secondary addresses
/// and whole blocks that were made local.
pub(crate) fn leaves_this_machine(socket: &Socket, ip: IpAddr) -> Result<bool, Error> {
    let prefix = if ip.is_ipv4() { 32 } else { 128 };
    let mut request = Request::new();
    let head = [family(ip), prefix, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    request.message(
        format!("find the route to {ip}"),
        RTM_GETROUTE,
        0,
        &head,
        |route| {
            route.put(RTA_DST, &octets(ip));
        },
    );
    let answer = socket.ask(&request)?;
    Ok(answer.get(7) == Some(&RTN_UNICAST))
}
