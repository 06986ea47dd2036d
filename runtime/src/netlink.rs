//! The little of netlink that a session network needs, spoken straight to the kernel.
//!
//! [`Request`] packs any number of messages into one buffer and [`Socket::send`] hands them to the kernel in one
//! system call and collects every answer. Netlink is handled in the context of the sender, so all answers are
//! there when the call returns: nothing here ever waits, and nothing here starts another program.

use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;

/// Fail when the object exists and create it when it does not.
pub(crate) const CREATE: u16 = 0x400 | 0x200;

const HEADER: usize = 16;
const NESTED: u16 = 1 << 15;
/// Room for an error that repeats a whole request.
const ANSWER: usize = 32 * 1024;

/// What the kernel refused, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}")]
#[non_exhaustive]
pub struct Error {
    /// The step that failed, as an infinitive: `create bridge nsci0`.
    pub action: String,
    /// What the kernel answered.
    #[source]
    pub source: io::Error,
}

impl Error {
    pub(crate) fn new(action: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self {
            action: action.into(),
            source: source.into(),
        }
    }
}

/// The attributes of one message, or of one nest in it.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Attributes<'_> {
    /// Adds one attribute; the kernel wants each at a multiple of four.
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).expect("attributes written here are short");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        pad(self.bytes);
    }

    /// Adds a NUL-terminated string.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes);
    }

    /// Adds an attribute made of attributes.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Attributes<'_>)) {
        self.nest_after(kind, &[], fill);
    }

    /// Adds an attribute made of a fixed head and then attributes.
    pub(crate) fn nest_after(
        &mut self,
        kind: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.bytes.len();
        self.put(kind | NESTED, head);
        fill(&mut Attributes { bytes: self.bytes });
        let length = u16::try_from(self.bytes.len() - start).expect("nests written here are short");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// Messages that go to the kernel together.
#[derive(Debug, Default)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// What each message is for; the position is its sequence number. `None` marks one that is not answered.
    actions: Vec<Option<String>>,
}

impl Request {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a message whose success or failure the kernel reports.
    pub(crate) fn message(
        &mut self,
        action: impl Into<String>,
        kind: u16,
        flags: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        self.append(Some(action.into()), kind, flags | NLM_F_ACK, head, fill);
    }

    /// Adds a message that is answered only when it fails.
    pub(crate) fn unanswered(&mut self, kind: u16, head: &[u8]) {
        self.append(None, kind, 0, head, |_| {});
    }

    fn append(
        &mut self,
        action: Option<String>,
        kind: u16,
        flags: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.bytes.len();
        let sequence = u32::try_from(self.actions.len()).expect("requests are short");
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes
            .extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(head);
        pad(&mut self.bytes);
        fill(&mut Attributes {
            bytes: &mut self.bytes,
        });
        let length = u32::try_from(self.bytes.len() - start).expect("requests are short");
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        self.actions.push(action);
    }

    fn action(&self, sequence: u32) -> String {
        usize::try_from(sequence)
            .ok()
            .and_then(|index| self.actions.get(index))
            .cloned()
            .flatten()
            .unwrap_or_else(|| "use netlink".to_owned())
    }
}

/// A netlink socket; it belongs to the network namespace it was opened in, for ever.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Socket {
    /// Opens a socket for links, addresses and routes.
    pub(crate) fn route() -> Result<Self, Error> {
        Self::open(None, "open a route netlink socket")
    }

    /// Opens a socket for packet filters.
    pub(crate) fn netfilter() -> Result<Self, Error> {
        let protocol = rustix::net::netlink::NETFILTER;
        Self::open(Some(protocol), "open a netfilter netlink socket")
    }

    fn open(protocol: Option<rustix::net::Protocol>, action: &str) -> Result<Self, Error> {
        let flags = SocketFlags::CLOEXEC;
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)
            .map(|fd| Self { fd })
            .map_err(|source| Error::new(action, source))
    }

    /// Sends everything and returns when the kernel has done all of it, or refused some of it.
    pub(crate) fn send(&self, request: &Request) -> Result<(), Error> {
        let mut open = request.actions.iter().flatten().count();
        self.write(request)?;
        while open > 0 {
            let answer = self.read(request)?;
            for message in messages(&answer) {
                if message.kind != NLMSG_ERROR {
                    continue;
                }
                message
                    .verdict()
                    .map_err(|source| Error::new(request.action(message.sequence), source))?;
                open = open.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// Sends one question and returns the head and attributes of the first message that answers it.
    pub(crate) fn ask(&self, request: &Request) -> Result<Vec<u8>, Error> {
        self.write(request)?;
        let mut body = None;
        loop {
            let answer = self.read(request)?;
            for message in messages(&answer) {
                if message.kind == NLMSG_ERROR {
                    return match message.verdict() {
                        Ok(()) => body.ok_or_else(|| {
                            Error::new(request.action(0), io::ErrorKind::UnexpectedEof)
                        }),
                        Err(source) => Err(Error::new(request.action(0), source)),
                    };
                }
                body.get_or_insert_with(|| message.body.to_vec());
            }
        }
    }

    fn write(&self, request: &Request) -> Result<(), Error> {
        let failed = |source: rustix::io::Errno| Error::new(request.action(0), source);
        rustix::io::retry_on_intr(|| {
            rustix::net::send(&self.fd, &request.bytes, SendFlags::empty())
        })
        .map(drop)
        .map_err(failed)
    }

    fn read(&self, request: &Request) -> Result<Vec<u8>, Error> {
        let mut buffer = vec![0; ANSWER];
        let (length, _) = rustix::io::retry_on_intr(|| {
            rustix::net::recv(&self.fd, buffer.as_mut_slice(), RecvFlags::DONTWAIT)
        })
        .map_err(|source| Error::new(request.action(0), source))?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Message<'_> {
    /// Reads the error code of an acknowledgement.
    fn verdict(&self) -> io::Result<()> {
        match read_u32(self.body, 0).map(u32::cast_signed) {
            Some(0) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(read_u32(bytes, 0)?).ok()?;
        let body = bytes.get(HEADER..length)?;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let sequence = read_u32(bytes, 8)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind,
            sequence,
            body,
        })
    })
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Links, addresses and routes.
pub(crate) mod route {
    use super::{Attributes, CREATE, Error, IpAddr, Ipv4Addr, Request, Socket};

    const RTM_NEWLINK: u16 = 16;
    const RTM_NEWADDR: u16 = 20;
    const RTM_NEWROUTE: u16 = 24;
    const RTM_GETROUTE: u16 = 26;
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
    const FRA_PRIORITY: u16 = 6;
    const FRA_FWMARK: u16 = 10;
    const FR_ACT_TO_TBL: u8 = 1;
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_nests_know_their_length() {
        let mut request = Request::new();
        request.message("x", 7, 0, &[1, 2], |message| {
            message.nest(3, |nest| nest.text(4, "abcd"));
        });
        let bytes = &request.bytes;
        assert_eq!(bytes.len(), 36);
        assert_eq!(read_u32(bytes, 0), Some(36));
        assert_eq!(bytes[16..20], [1, 2, 0, 0]);
        assert_eq!(u16::from_ne_bytes([bytes[20], bytes[21]]), 16);
        assert_eq!(u16::from_ne_bytes([bytes[24], bytes[25]]), 9);
        assert_eq!(&bytes[28..36], b"abcd\0\0\0\0");
    }

    #[test]
    fn torn_answers_end_the_iteration() {
        let mut request = Request::new();
        request.message("x", NLMSG_ERROR, 0, &0u32.to_ne_bytes(), |_| {});
        for length in 0..request.bytes.len() {
            assert_eq!(
                messages(&request.bytes[..length]).count(),
                0,
                "{length} bytes"
            );
        }
        assert_eq!(messages(&request.bytes).count(), 1);
    }

    #[test]
    fn loopback_does_not_leave_this_machine() {
        let socket = Socket::route().expect("route netlink needs no privilege");
        let leaves = route::leaves_this_machine(&socket, Ipv4Addr::LOCALHOST.into());
        assert!(!leaves.expect("loopback has a route"));
    }
}
