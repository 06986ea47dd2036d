//! The packet rules of a session, loaded through nfnetlink in one transaction.
//!
//! They turn every outgoing TCP connection of a step towards the proxy's listener, divert datagrams to the relay's
//! socket, and answer everything else that would leave with "unreachable", so that a program that tries it learns it
//! at once. As `nft` would print them for IPv4, with listener port 4000 and relay port 5000:
//!
//! ```text
//! table ip nsci {
//!   chain divert_in    { type filter hook prerouting priority -150
//!     iif nsci0 meta l4proto udp ip daddr != 10.88.0.0/16 ip daddr < 224.0.0.0 tproxy to :5000 meta mark set 1 }
//!   chain redirect_in  { type nat hook prerouting priority -100
//!     iif nsci0 meta l4proto tcp ip daddr != 10.88.0.0/16 redirect to :4000 }
//!   chain redirect_out { type nat hook output priority -100
//!     oif nsci0 meta l4proto tcp ip daddr != 10.88.0.0/16 redirect to :4000 }
//!   chain reject_in    { type filter hook prerouting priority 0
//!     iif nsci0 ip daddr != 10.88.0.0/16 ip daddr < 224.0.0.0 meta mark != 1 reject with icmp port-unreachable }
//!   chain reject_out   { type filter hook output priority 0
//!     oif nsci0 ip daddr != 10.88.0.0/16 ip daddr < 224.0.0.0 meta mark != 1 reject with icmp port-unreachable }
//! }
//! ```
//!
//! # References
//! - [nft(8)](https://www.netfilter.org/projects/nftables/manpage.html)

use std::net::IpAddr;

use crate::netlink::{Attributes, CREATE, Error, Request, Socket};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = (SUBSYSTEM << 8) | 3;
const NEW_RULE: u16 = (SUBSYSTEM << 8) | 6;
const APPEND: u16 = 0x800;

const HOOK_PREROUTING: u32 = 0;
const HOOK_OUTPUT: u32 = 3;
const PRIORITY_DIVERT: i32 = -150;
const PRIORITY_DSTNAT: i32 = -100;
const PRIORITY_FILTER: i32 = 0;

const LIST_ELEM: u16 = 1;
const DATA_VALUE: u16 = 1;
/// The one 16-byte register that every expression here loads and tests.
const REGISTER: u32 = 1;
const META_MARK: u32 = 3;
const META_IIF: u32 = 4;
const META_OIF: u32 = 5;
const META_L4PROTO: u32 = 16;
const BASE_NETWORK: u32 = 1;
const CMP_EQ: u32 = 0;
const CMP_NEQ: u32 = 1;
const CMP_LT: u32 = 2;
const TCP: u8 = 6;
const UDP: u8 = 17;

const TABLE: &str = "nsci";

/// The mark of diverted datagrams; a routing rule makes marked packets the namespace's own.
pub(crate) const MARK: u32 = 1;

/// What differs between the versions of IP.
struct Family {
    number: u8,
    daddr: u32,
    /// First byte of the first multicast address.
    multicast: u8,
    port_unreachable: u8,
}

const IPV4: Family = Family {
    number: 2,
    daddr: 16,
    multicast: 224,
    port_unreachable: 3,
};
const IPV6: Family = Family {
    number: 10,
    daddr: 24,
    multicast: 255,
    port_unreachable: 4,
};

/// What the rules need to know of the session's network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Interface number of the bridge.
    pub(crate) bridge: u32,
    /// The session's own network; also says for which version of IP the rules are.
    pub(crate) inside: (IpAddr, u8),
    /// Port of the proxy's listener.
    pub(crate) proxy_port: u16,
    /// Port of the relay's socket, if datagrams may leave.
    pub(crate) relay_port: Option<u16>,
}

/// Loads the rules into the network namespace of the calling thread; all of them or none.
pub(crate) fn load(plan: &Plan) -> Result<(), Error> {
    Socket::netfilter()?.send(&batch(plan))
}

fn batch(plan: &Plan) -> Request {
    let family = if plan.inside.0.is_ipv4() { IPV4 } else { IPV6 };
    let mut batch = Batch {
        request: Request::new(),
        family,
    };
    batch.request.unanswered(BATCH_BEGIN, &head(0, SUBSYSTEM));
    batch.table();
    if let Some(port) = plan.relay_port {
        batch.chain("divert_in", "filter", HOOK_PREROUTING, PRIORITY_DIVERT);
        batch.rule("divert_in", |rule| {
            rule.interface(META_IIF, plan.bridge);
            rule.protocol(UDP);
            rule.leaves(plan.inside);
            rule.divert(port);
        });
    }
    for (name, hook, key) in [
        ("redirect_in", HOOK_PREROUTING, META_IIF),
        ("redirect_out", HOOK_OUTPUT, META_OIF),
    ] {
        batch.chain(name, "nat", hook, PRIORITY_DSTNAT);
        batch.rule(name, |rule| {
            rule.interface(key, plan.bridge);
            rule.protocol(TCP);
            rule.daddr(CMP_NEQ, plan.inside);
            rule.redirect(plan.proxy_port);
        });
    }
    for (name, hook, key) in [
        ("reject_in", HOOK_PREROUTING, META_IIF),
        ("reject_out", HOOK_OUTPUT, META_OIF),
    ] {
        batch.chain(name, "filter", hook, PRIORITY_FILTER);
        batch.rule(name, |rule| {
            rule.interface(key, plan.bridge);
            rule.leaves(plan.inside);
            rule.meta(META_MARK);
            rule.compare(CMP_NEQ, &MARK.to_ne_bytes());
            rule.reject();
        });
    }
    batch.request.unanswered(BATCH_END, &head(0, SUBSYSTEM));
    batch.request
}

fn head(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

/// A transaction about one table.
struct Batch {
    request: Request,
    family: Family,
}

impl Batch {
    fn table(&mut self) {
        let head = head(self.family.number, 0);
        self.request
            .message("create nft table", NEW_TABLE, CREATE, &head, |table| {
                table.text(1, TABLE);
            });
    }

    fn chain(&mut self, name: &str, kind: &str, hook: u32, priority: i32) {
        let action = format!("create nft chain {name} of type {kind}");
        let head = head(self.family.number, 0);
        self.request
            .message(action, NEW_CHAIN, CREATE, &head, |chain| {
                chain.text(1, TABLE);
                chain.text(3, name);
                chain.nest(4, |place| {
                    place.put(1, &hook.to_be_bytes());
                    place.put(2, &priority.to_be_bytes());
                });
                chain.text(7, kind);
            });
    }

    fn rule(&mut self, chain: &str, fill: impl FnOnce(&mut Expressions<'_, '_>)) {
        let action = format!("add nft rule to chain {chain}");
        let head = head(self.family.number, 0);
        let family = &self.family;
        self.request
            .message(action, NEW_RULE, CREATE | APPEND, &head, |rule| {
                rule.text(1, TABLE);
                rule.text(2, chain);
                rule.nest(4, |list| fill(&mut Expressions { list, family }));
            });
    }
}

/// The expressions of one rule; each either goes on or ends the rule for the packet.
struct Expressions<'a, 'b> {
    list: &'a mut Attributes<'b>,
    family: &'a Family,
}

impl Expressions<'_, '_> {
    fn add(&mut self, name: &str, fill: impl FnOnce(&mut Attributes<'_>)) {
        self.list.nest(LIST_ELEM, |expression| {
            expression.text(1, name);
            expression.nest(2, fill);
        });
    }

    fn meta(&mut self, key: u32) {
        self.add("meta", |meta| {
            meta.put(1, &REGISTER.to_be_bytes());
            meta.put(2, &key.to_be_bytes());
        });
    }

    fn compare(&mut self, operator: u32, value: &[u8]) {
        self.add("cmp", |cmp| {
            cmp.put(1, &REGISTER.to_be_bytes());
            cmp.put(2, &operator.to_be_bytes());
            cmp.nest(3, |data| data.put(DATA_VALUE, value));
        });
    }

    fn payload(&mut self, base: u32, offset: u32, length: u32) {
        self.add("payload", |payload| {
            payload.put(1, &REGISTER.to_be_bytes());
            payload.put(2, &base.to_be_bytes());
            payload.put(3, &offset.to_be_bytes());
            payload.put(4, &length.to_be_bytes());
        });
    }

    fn interface(&mut self, key: u32, index: u32) {
        self.meta(key);
        self.compare(CMP_EQ, &index.to_ne_bytes());
    }

    fn protocol(&mut self, number: u8) {
        self.meta(META_L4PROTO);
        self.compare(CMP_EQ, &[number]);
    }

    /// Goes on for single machines outside of the session's network and of the link.
    fn leaves(&mut self, inside: (IpAddr, u8)) {
        self.daddr(CMP_NEQ, inside);
        if inside.0.is_ipv6() {
            self.daddr(CMP_NEQ, (IpAddr::from([0xfe80, 0, 0, 0, 0, 0, 0, 0]), 10));
        }
        self.payload(BASE_NETWORK, self.family.daddr, 1);
        self.compare(CMP_LT, &[self.family.multicast]);
    }

    fn daddr(&mut self, operator: u32, (network, prefix): (IpAddr, u8)) {
        let (octets, mask) = match network {
            IpAddr::V4(ip) => (
                ip.octets().to_vec(),
                u32::MAX
                    .checked_shl(32 - u32::from(prefix))
                    .unwrap_or(0)
                    .to_be_bytes()
                    .to_vec(),
            ),
            IpAddr::V6(ip) => (
                ip.octets().to_vec(),
                u128::MAX
                    .checked_shl(128 - u32::from(prefix))
                    .unwrap_or(0)
                    .to_be_bytes()
                    .to_vec(),
            ),
        };
        let length = u32::try_from(octets.len()).expect("addresses are short");
        self.payload(BASE_NETWORK, self.family.daddr, length);
        self.add("bitwise", |bitwise| {
            bitwise.put(1, &REGISTER.to_be_bytes());
            bitwise.put(2, &REGISTER.to_be_bytes());
            bitwise.put(3, &length.to_be_bytes());
            bitwise.nest(4, |data| data.put(DATA_VALUE, &mask));
            bitwise.nest(5, |data| data.put(DATA_VALUE, &vec![0; octets.len()]));
        });
        self.compare(operator, &octets);
    }

    fn port(&mut self, port: u16) {
        self.add("immediate", |immediate| {
            immediate.put(1, &REGISTER.to_be_bytes());
            immediate.nest(2, |data| data.put(DATA_VALUE, &port.to_be_bytes()));
        });
    }

    fn redirect(&mut self, port: u16) {
        self.port(port);
        self.add("redir", |redir| redir.put(1, &REGISTER.to_be_bytes()));
    }

    /// Gives the packet to the socket on `port`, whatever its destination, and marks it.
    fn divert(&mut self, port: u16) {
        self.port(port);
        let family = u32::from(self.family.number);
        self.add("tproxy", |tproxy| {
            tproxy.put(1, &family.to_be_bytes());
            tproxy.put(3, &REGISTER.to_be_bytes());
        });
        self.add("immediate", |immediate| {
            immediate.put(1, &REGISTER.to_be_bytes());
            immediate.nest(2, |data| data.put(DATA_VALUE, &MARK.to_ne_bytes()));
        });
        self.add("meta", |meta| {
            meta.put(2, &META_MARK.to_be_bytes());
            meta.put(3, &REGISTER.to_be_bytes());
        });
    }

    fn reject(&mut self) {
        let code = self.family.port_unreachable;
        self.add("reject", |reject| {
            reject.put(1, &0u32.to_be_bytes());
            reject.put(2, &[code]);
        });
    }
}
