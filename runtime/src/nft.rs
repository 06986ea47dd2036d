//! The packet rules of a session, loaded through nfnetlink in one transaction.
//!
//! They turn every outgoing TCP connection of a step towards the proxy's listener and answer everything else that
//! would leave with "unreachable", so that a program that tries UDP or ICMP learns it at once. As `nft` would
//! print them, for listener port 4000:
//!
//! ```text
//! table ip nsci {
//!   chain redirect_in  { type nat hook prerouting priority -100
//!     iif nsci0 meta l4proto tcp ip daddr != 10.88.0.0/16 redirect to :4000
//!     iif nsci0 meta l4proto tcp ip daddr 10.88.255.0/24 redirect to :4000
//!     iif nsci0 meta l4proto tcp ip daddr 10.88.0.1 tcp dport != 53 redirect to :4000 }
//!   chain redirect_out { type nat hook output priority -100
//!     oif nsci0 meta l4proto tcp ip daddr != 10.88.0.0/16 redirect to :4000 }
//!   chain reject_in    { type filter hook prerouting priority 0
//!     iif nsci0 ip daddr != 10.88.0.0/16 ip daddr < 224.0.0.0 reject with icmp port-unreachable }
//!   chain reject_out   { type filter hook output priority 0
//!     oif nsci0 ip daddr != 10.88.0.0/16 ip daddr < 224.0.0.0 reject with icmp port-unreachable }
//! }
//! ```
//!
//! # References
//! - [nft(8)](https://www.netfilter.org/projects/nftables/manpage.html)

use std::net::Ipv4Addr;

use crate::netlink::{Attributes, CREATE, Error, Request, Socket};

const SUBSYSTEM: u16 = 10;
const BATCH_BEGIN: u16 = 16;
const BATCH_END: u16 = 17;
const NEW_TABLE: u16 = SUBSYSTEM << 8;
const NEW_CHAIN: u16 = (SUBSYSTEM << 8) | 3;
const NEW_RULE: u16 = (SUBSYSTEM << 8) | 6;
const APPEND: u16 = 0x800;

const FAMILY_IPV4: u8 = 2;
const HOOK_PREROUTING: u32 = 0;
const HOOK_OUTPUT: u32 = 3;
const PRIORITY_DSTNAT: i32 = -100;
const PRIORITY_FILTER: i32 = 0;

const LIST_ELEM: u16 = 1;
const DATA_VALUE: u16 = 1;
/// The one 16-byte register that every expression here loads and tests.
const REGISTER: u32 = 1;
const META_IIF: u32 = 4;
const META_OIF: u32 = 5;
const META_L4PROTO: u32 = 16;
const BASE_NETWORK: u32 = 1;
const BASE_TRANSPORT: u32 = 2;
const CMP_EQ: u32 = 0;
const CMP_NEQ: u32 = 1;
const CMP_LT: u32 = 2;
const TCP: u8 = 6;
const PORT_UNREACHABLE: u8 = 3;

const TABLE: &str = "nsci";

/// What the rules need to know of the session's network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Interface number of the bridge.
    pub(crate) bridge: u32,
    /// Address of the bridge.
    pub(crate) gateway: Ipv4Addr,
    /// The session's own network.
    pub(crate) inside: (Ipv4Addr, u8),
    /// Addresses inside it that stand for host services.
    pub(crate) host_block: (Ipv4Addr, u8),
    /// Port of the gateway that is served there and not by the proxy.
    pub(crate) dns_port: u16,
    /// Port of the proxy's listener.
    pub(crate) proxy_port: u16,
}

/// Loads the rules into the network namespace of the calling thread; all of them or none.
pub(crate) fn load(plan: &Plan) -> Result<(), Error> {
    Socket::netfilter()?.send(&batch(plan))
}

fn batch(plan: &Plan) -> Request {
    let mut batch = Request::new();
    batch.unanswered(BATCH_BEGIN, &head(0, SUBSYSTEM));
    batch.message(
        "create nft table",
        NEW_TABLE,
        CREATE,
        &head(FAMILY_IPV4, 0),
        |table| {
            table.text(1, TABLE);
        },
    );
    chain(
        &mut batch,
        "redirect_in",
        "nat",
        HOOK_PREROUTING,
        PRIORITY_DSTNAT,
    );
    chain(
        &mut batch,
        "redirect_out",
        "nat",
        HOOK_OUTPUT,
        PRIORITY_DSTNAT,
    );
    chain(
        &mut batch,
        "reject_in",
        "filter",
        HOOK_PREROUTING,
        PRIORITY_FILTER,
    );
    chain(
        &mut batch,
        "reject_out",
        "filter",
        HOOK_OUTPUT,
        PRIORITY_FILTER,
    );
    let bridge = plan.bridge;
    rule(&mut batch, "redirect_in", |rule| {
        rule.interface(META_IIF, bridge);
        rule.tcp();
        rule.daddr(CMP_NEQ, plan.inside);
        rule.redirect(plan.proxy_port);
    });
    rule(&mut batch, "redirect_in", |rule| {
        rule.interface(META_IIF, bridge);
        rule.tcp();
        rule.daddr(CMP_EQ, plan.host_block);
        rule.redirect(plan.proxy_port);
    });
    rule(&mut batch, "redirect_in", |rule| {
        rule.interface(META_IIF, bridge);
        rule.tcp();
        rule.daddr(CMP_EQ, (plan.gateway, 32));
        rule.payload(BASE_TRANSPORT, 2, 2);
        rule.compare(CMP_NEQ, &plan.dns_port.to_be_bytes());
        rule.redirect(plan.proxy_port);
    });
    rule(&mut batch, "redirect_out", |rule| {
        rule.interface(META_OIF, bridge);
        rule.tcp();
        rule.daddr(CMP_NEQ, plan.inside);
        rule.redirect(plan.proxy_port);
    });
    for (name, key) in [("reject_in", META_IIF), ("reject_out", META_OIF)] {
        rule(&mut batch, name, |rule| {
            rule.interface(key, bridge);
            rule.daddr(CMP_NEQ, plan.inside);
            rule.payload(BASE_NETWORK, 16, 4);
            rule.compare(CMP_LT, &[224, 0, 0, 0]);
            rule.reject();
        });
    }
    batch.unanswered(BATCH_END, &head(0, SUBSYSTEM));
    batch
}

fn head(family: u8, resource: u16) -> [u8; 4] {
    let [high, low] = resource.to_be_bytes();
    [family, 0, high, low]
}

fn chain(batch: &mut Request, name: &str, kind: &str, hook: u32, priority: i32) {
    let action = format!("create nft chain {name} of type {kind}");
    batch.message(action, NEW_CHAIN, CREATE, &head(FAMILY_IPV4, 0), |chain| {
        chain.text(1, TABLE);
        chain.text(3, name);
        chain.nest(4, |place| {
            place.put(1, &hook.to_be_bytes());
            place.put(2, &priority.to_be_bytes());
        });
        chain.text(7, kind);
    });
}

fn rule(batch: &mut Request, chain: &str, fill: impl FnOnce(&mut Expressions<'_, '_>)) {
    let action = format!("add nft rule to chain {chain}");
    batch.message(
        action,
        NEW_RULE,
        CREATE | APPEND,
        &head(FAMILY_IPV4, 0),
        |rule| {
            rule.text(1, TABLE);
            rule.text(2, chain);
            rule.nest(4, |list| fill(&mut Expressions { list }));
        },
    );
}

/// The expressions of one rule; each either goes on or ends the rule for the packet.
struct Expressions<'a, 'b> {
    list: &'a mut Attributes<'b>,
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

    fn tcp(&mut self) {
        self.meta(META_L4PROTO);
        self.compare(CMP_EQ, &[TCP]);
    }

    fn daddr(&mut self, operator: u32, (network, prefix): (Ipv4Addr, u8)) {
        self.payload(BASE_NETWORK, 16, 4);
        if prefix < 32 {
            let mask = !(u32::MAX >> prefix);
            self.add("bitwise", |bitwise| {
                bitwise.put(1, &REGISTER.to_be_bytes());
                bitwise.put(2, &REGISTER.to_be_bytes());
                bitwise.put(3, &4u32.to_be_bytes());
                bitwise.nest(4, |data| data.put(DATA_VALUE, &mask.to_be_bytes()));
                bitwise.nest(5, |data| data.put(DATA_VALUE, &[0; 4]));
            });
        }
        self.compare(operator, &network.octets());
    }

    fn redirect(&mut self, port: u16) {
        self.add("immediate", |immediate| {
            immediate.put(1, &REGISTER.to_be_bytes());
            immediate.nest(2, |data| data.put(DATA_VALUE, &port.to_be_bytes()));
        });
        self.add("redir", |redir| redir.put(1, &REGISTER.to_be_bytes()));
    }

    fn reject(&mut self) {
        self.add("reject", |reject| {
            reject.put(1, &0u32.to_be_bytes());
            reject.put(2, &[PORT_UNREACHABLE]);
        });
    }
}
