//! Which destinations a step may reach through the proxy. Pure decisions; nothing here opens a socket.

use std::collections::HashSet;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;

use crate::network::{GATEWAY, GATEWAY6, PREFIX, PREFIX6};

/// A destination, or a network of them, that a policy speaks of.
///
/// Written `192.0.2.7`, `192.0.2.0/24`, `192.0.2.7:5000`, `10.0.0.0/8:443`, `fd00::1`, `[fd00::1]:5000` or
/// `[fd00::/8]:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Destination {
    network: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

/// Text that does not name a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address, network or address with port")]
pub struct ParseDestinationError {
    text: String,
}

impl Destination {
    /// Grants one port of one address.
    #[must_use]
    pub const fn address(address: SocketAddr) -> Self {
        let prefix = if address.is_ipv4() { 32 } else { 128 };
        Self {
            network: address.ip(),
            prefix,
            port: Some(address.port()),
        }
    }

    fn covers(&self, destination: SocketAddr) -> bool {
        self.port.is_none_or(|port| port == destination.port())
            && within(destination.ip(), self.network, self.prefix)
    }
}

impl FromStr for Destination {
    type Err = ParseDestinationError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_destination(text).ok_or_else(|| ParseDestinationError {
            text: text.to_owned(),
        })
    }
}

fn parse_destination(text: &str) -> Option<Destination> {
    let (network, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (network, port) = rest.split_once(']')?;
            let port = if port.is_empty() {
                None
            } else {
                Some(port.strip_prefix(':')?)
            };
            (network, port)
        }
        None if text.matches(':').count() > 1 => (text, None),
        None => text
            .split_once(':')
            .map_or((text, None), |(network, port)| (network, Some(port))),
    };
    let port = port.map(str::parse).transpose().ok()?;
    let (ip, prefix) = match network.split_once('/') {
        Some((ip, prefix)) => (ip, Some(prefix.parse::<u8>().ok()?)),
        None => (network, None),
    };
    let network: IpAddr = ip.parse().ok()?;
    let longest = if network.is_ipv4() { 32 } else { 128 };
    let prefix = prefix.unwrap_or(longest);
    (prefix <= longest).then_some(Destination {
        network,
        prefix,
        port,
    })
}

fn within(ip: IpAddr, network: IpAddr, prefix: u8) -> bool {
    match (ip, network) {
        (IpAddr::V4(ip), IpAddr::V4(network)) => {
            let differing = ip.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        (IpAddr::V6(ip), IpAddr::V6(network)) => {
            let differing = ip.to_bits() ^ network.to_bits();
            differing.leading_zeros() >= u32::from(prefix)
        }
        _ => false,
    }
}

/// What the steps of a session may reach.
///
/// By default everything but the host itself, link-local addresses (cloud metadata among them) and addresses that
/// name no single machine.
#[derive(Debug, Clone, Default)]
pub struct Policy {
    /// Granted although refused by default or by `deny`.
    pub allow: Vec<Destination>,
    /// Granted to whatever addresses these names turn out to have, but never the host's loopback and the link.
    pub allow_names: Vec<NameRule>,
    /// Refused although reachable by default.
    pub deny: Vec<Destination>,
    /// Names that are not answered, in lower case.
    pub deny_names: Vec<String>,
    /// Addresses that names of `allow_names` had so far, with the port granted.
    pub learned: HashSet<(IpAddr, Option<u16>)>,
}

/// A name that is granted, perhaps for one port only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameRule {
    /// In lower case.
    pub name: String,
    /// One port, or all.
    pub port: Option<u16>,
}

/// Names have more addresses over time, but not that many.
const LEARNED: usize = 4096;

/// Why a connection was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Refusal {
    /// The host's loopback.
    Loopback,
    /// Link-local, where cloud metadata services live.
    LinkLocal,
    /// Unspecified, multicast, broadcast or reserved.
    NotAMachine,
    /// An address inside the session.
    Inside,
    /// The configuration refuses it.
    Denied,
    /// One of the host's own addresses.
    Host,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "it is the host's loopback",
            Self::LinkLocal => "it is link-local",
            Self::NotAMachine => "it is not the address of a machine",
            Self::Inside => "it is inside the session",
            Self::Denied => "the configuration denies it",
            Self::Host => "it is the host itself",
        })
    }
}

/// What to do with a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Connect(SocketAddr),
    /// Connect unless the destination turns out to be this host.
    ConnectIfElsewhere(SocketAddr),
    Refuse(Refusal),
}

impl Policy {
    pub(crate) fn decide(&self, destination: SocketAddr) -> Decision {
        let destination = SocketAddr::new(destination.ip().to_canonical(), destination.port());
        let ip = destination.ip();
        if within(ip, GATEWAY.into(), PREFIX) || within(ip, GATEWAY6.into(), PREFIX6) {
            return Decision::Refuse(Refusal::Inside);
        }
        // No grant can make sense of these, and connecting to 0.0.0.0 would reach the host's loopback.
        if names_no_machine(ip) {
            return Decision::Refuse(Refusal::NotAMachine);
        }
        if self.allow.iter().any(|allow| allow.covers(destination)) || self.has_learned(destination)
        {
            return Decision::Connect(destination);
        }
        match ip {
            _ if self.deny.iter().any(|deny| deny.covers(destination)) => {
                Decision::Refuse(Refusal::Denied)
            }
            _ if ip.is_loopback() => Decision::Refuse(Refusal::Loopback),
            _ if is_link_local(ip) => Decision::Refuse(Refusal::LinkLocal),
            _ => Decision::ConnectIfElsewhere(destination),
        }
    }

    fn has_learned(&self, destination: SocketAddr) -> bool {
        let ip = destination.ip();
        self.learned.contains(&(ip, None)) || self.learned.contains(&(ip, Some(destination.port())))
    }

    /// Takes note of the addresses that a name has.
    ///
    /// Whoever answers for a name must not be able to lead steps to the host's loopback or to a metadata service.
    pub(crate) fn learn(&mut self, name: &str, addresses: &[IpAddr]) {
        for rule in self.allow_names.iter().filter(|rule| rule.name == name) {
            for ip in addresses.iter().map(IpAddr::to_canonical) {
                if !ip.is_loopback() && !is_link_local(ip) && self.learned.len() < LEARNED {
                    self.learned.insert((ip, rule.port));
                }
            }
        }
    }

    /// Whether a name may be asked for, and whether its addresses matter.
    pub(crate) fn judge(&self, name: &str) -> (bool, bool) {
        let denied = self.deny_names.iter().any(|denied| denied == name);
        let granted = self.allow_names.iter().any(|rule| rule.name == name);
        (!denied, granted)
    }
}

fn names_no_machine(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.octets()[0] == 0 || ip.octets()[0] >= 224,
        IpAddr::V6(ip) => ip.is_unspecified() || ip.is_multicast(),
    }
}

fn is_link_local(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => within(ip.into(), Ipv4Addr::new(169, 254, 0, 0).into(), 16),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decide(allow: &[&str], destination: &str) -> Decision {
        let allow = allow.iter().map(|text| text.parse().unwrap()).collect();
        Policy {
            allow,
            ..Policy::default()
        }
        .decide(destination.parse().unwrap())
    }

    #[test]
    fn host_only_destinations_are_refused_by_default() {
        for (destination, reason) in [
            ("127.0.0.1:80", Refusal::Loopback),
            ("127.255.0.9:80", Refusal::Loopback),
            ("[::1]:80", Refusal::Loopback),
            ("[::ffff:127.0.0.1]:80", Refusal::Loopback),
            ("169.254.169.254:80", Refusal::LinkLocal),
            ("[::ffff:169.254.169.254]:80", Refusal::LinkLocal),
            ("[fe80::1]:80", Refusal::LinkLocal),
            ("0.0.0.0:80", Refusal::NotAMachine),
            ("0.1.2.3:80", Refusal::NotAMachine),
            ("[::]:80", Refusal::NotAMachine),
            ("224.0.0.1:80", Refusal::NotAMachine),
            ("255.255.255.255:80", Refusal::NotAMachine),
            ("[ff02::1]:80", Refusal::NotAMachine),
            ("10.88.0.1:4000", Refusal::Inside),
            ("10.88.4.4:80", Refusal::Inside),
            ("[::ffff:10.88.0.1]:80", Refusal::Inside),
            ("[fd6e:7363:6900::7]:80", Refusal::Inside),
        ] {
            assert_eq!(
                decide(&[], destination),
                Decision::Refuse(reason),
                "{destination}"
            );
        }
    }

    #[test]
    fn other_machines_are_reached_if_they_are_not_this_host() {
        for destination in ["192.0.2.1:80", "10.1.2.3:443", "[2001:db8::1]:22"] {
            let address = destination.parse().unwrap();
            assert_eq!(
                decide(&[], destination),
                Decision::ConnectIfElsewhere(address)
            );
        }
    }

    #[test]
    fn grants_open_what_they_name_and_no_more() {
        let open = |allow: &str, destination: &str| {
            matches!(decide(&[allow], destination), Decision::Connect(_))
        };
        assert!(open("127.0.0.1:5000", "127.0.0.1:5000"));
        assert!(!open("127.0.0.1:5000", "127.0.0.1:5001"));
        assert!(!open("127.0.0.1:5000", "127.0.0.2:5000"));
        assert!(open("169.254.169.254", "169.254.169.254:80"));
        assert!(open("10.0.0.0/8:443", "10.9.9.9:443"));
        assert!(!open("10.0.0.0/8:443", "11.9.9.9:443"));
        assert!(open("0.0.0.0/0", "127.0.0.1:1"));
        assert!(!open("0.0.0.0/0", "0.0.0.0:1"));
        assert!(!open("0.0.0.0/0", "10.88.0.1:1"));
        assert!(open("[::1]:80", "[::1]:80"));
        assert!(open("fe80::/10", "[fe80::5]:80"));
        assert!(open("[fd00::/8]:443", "[fd12::5]:443"));
    }

    #[test]
    fn denials_are_weaker_than_grants() {
        let policy = Policy {
            deny: vec![
                "0.0.0.0/0".parse().unwrap(),
                "[2001:db8::/32]:25".parse().unwrap(),
            ],
            allow: vec!["192.0.2.7:443".parse().unwrap()],
            ..Policy::default()
        };
        for (destination, denied) in [
            ("192.0.2.7:443", false),
            ("192.0.2.7:80", true),
            ("127.0.0.1:80", true),
            ("[2001:db8::1]:25", true),
            ("[2001:db8::1]:26", false),
        ] {
            let refused = Decision::Refuse(Refusal::Denied);
            let decision = policy.decide(destination.parse().unwrap());
            assert_eq!(decision == refused, denied, "{destination}");
        }
    }

    #[test]
    fn names_grant_their_addresses_and_never_the_loopback() {
        let mut policy = Policy {
            deny: vec!["0.0.0.0/0".parse().unwrap()],
            allow_names: vec![NameRule {
                name: "db.internal".to_owned(),
                port: Some(5432),
            }],
            deny_names: vec!["ads.example".to_owned()],
            ..Policy::default()
        };
        let reaches = |policy: &Policy, destination: &str| {
            matches!(
                policy.decide(destination.parse().unwrap()),
                Decision::Connect(_)
            )
        };
        let addresses = ["192.0.2.9", "127.0.0.1", "169.254.169.254"].map(|ip| ip.parse().unwrap());
        policy.learn("other.internal", &addresses);
        assert!(!reaches(&policy, "192.0.2.9:5432"));
        policy.learn("db.internal", &addresses);
        assert!(reaches(&policy, "192.0.2.9:5432"));
        assert!(!reaches(&policy, "192.0.2.9:5433"));
        assert!(!reaches(&policy, "127.0.0.1:5432"));
        assert!(!reaches(&policy, "169.254.169.254:5432"));
        assert_eq!(policy.judge("db.internal"), (true, true));
        assert_eq!(policy.judge("ads.example"), (false, false));
    }

    #[test]
    fn malformed_grants_are_refused() {
        for text in [
            "",
            "x",
            "1.2.3.4/33",
            "1.2.3.4:",
            "1.2.3.4:99999",
            "[::1",
            "[::1]x",
            "::1/129",
            "1.2.3/8",
        ] {
            assert!(text.parse::<Destination>().is_err(), "{text}");
        }
    }
}
