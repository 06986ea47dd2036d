//! Which destinations a step may reach through the proxy. Pure decisions; nothing here opens a socket.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, SocketAddrV4};
use std::str::FromStr;

use crate::network::{DNS_PORT, GATEWAY, PREFIX, host_ip};

/// A destination that is granted although it would be refused.
///
/// Written `192.0.2.7`, `192.0.2.0/24`, `192.0.2.7:5000`, `10.0.0.0/8:443`, `fd00::1`, `[fd00::1]:5000` or
/// `[fd00::/8]:443`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allow {
    network: IpAddr,
    prefix: u8,
    port: Option<u16>,
}

/// Text that does not name a destination.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an address, network or address with port")]
pub struct ParseAllowError {
    text: String,
}

impl Allow {
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

impl FromStr for Allow {
    type Err = ParseAllowError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        parse_allow(text).ok_or_else(|| ParseAllowError {
            text: text.to_owned(),
        })
    }
}

fn parse_allow(text: &str) -> Option<Allow> {
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
    (prefix <= longest).then_some(Allow {
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
    /// Granted although refused by default.
    pub allow: Vec<Allow>,
    /// Address and port inside the session's network (the gateway's, or one of [`crate::network::host_ip`]) to
    /// the host service that answers there. Being listed is the grant.
    pub forward: HashMap<SocketAddrV4, SocketAddr>,
}

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
    /// An address inside the session at which nothing is forwarded.
    NotForwarded,
    /// One of the host's own addresses.
    Host,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Loopback => "it is the host's loopback",
            Self::LinkLocal => "it is link-local",
            Self::NotAMachine => "it is not the address of a machine",
            Self::NotForwarded => "nothing is forwarded there",
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
    /// Grants a service of the host and returns where steps find it: at the gateway if its port is free there.
    ///
    /// `None` when the port is taken at every address there is.
    pub fn expose(&mut self, service: SocketAddr) -> Option<SocketAddrV4> {
        let gateway = (service.port() != DNS_PORT).then_some(GATEWAY);
        let places = gateway.into_iter().chain((0..254).map(host_ip));
        let inside = places
            .map(|ip| SocketAddrV4::new(ip, service.port()))
            .find(|place| {
                self.forward
                    .get(place)
                    .is_none_or(|other| *other == service)
            })?;
        self.forward.insert(inside, service);
        Some(inside)
    }

    pub(crate) fn decide(&self, destination: SocketAddr) -> Decision {
        let destination = SocketAddr::new(destination.ip().to_canonical(), destination.port());
        if let SocketAddr::V4(inside) = destination
            && within(inside.ip().to_owned().into(), GATEWAY.into(), PREFIX)
        {
            return self
                .forward
                .get(&inside)
                .map_or(Decision::Refuse(Refusal::NotForwarded), |to| {
                    Decision::Connect(*to)
                });
        }
        let ip = destination.ip();
        // No grant can make sense of these, and connecting to 0.0.0.0 would reach the host's loopback.
        if names_no_machine(ip) {
            return Decision::Refuse(Refusal::NotAMachine);
        }
        if self.allow.iter().any(|allow| allow.covers(destination)) {
            return Decision::Connect(destination);
        }
        match ip {
            _ if ip.is_loopback() => Decision::Refuse(Refusal::Loopback),
            _ if is_link_local(ip) => Decision::Refuse(Refusal::LinkLocal),
            _ => Decision::ConnectIfElsewhere(destination),
        }
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
        let forward = [(
            "10.88.0.1:3128".parse().unwrap(),
            "127.0.0.1:3128".parse().unwrap(),
        )];
        Policy {
            allow,
            forward: forward.into(),
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
            ("10.88.0.1:4000", Refusal::NotForwarded),
            ("10.88.4.4:80", Refusal::NotForwarded),
            ("[::ffff:10.88.0.1]:80", Refusal::NotForwarded),
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
    fn forwards_lead_to_the_host_service() {
        let target = "127.0.0.1:3128".parse().unwrap();
        assert_eq!(decide(&[], "10.88.0.1:3128"), Decision::Connect(target));
    }

    #[test]
    fn exposed_services_do_not_displace_each_other() {
        let mut policy = Policy::default();
        let mut expose = |service: &str| policy.expose(service.parse().unwrap()).unwrap();
        assert_eq!(expose("127.0.0.1:3128"), "10.88.0.1:3128".parse().unwrap());
        assert_eq!(expose("127.0.0.1:3128"), "10.88.0.1:3128".parse().unwrap());
        assert_eq!(
            expose("127.0.0.2:3128"),
            "10.88.255.1:3128".parse().unwrap()
        );
        assert_eq!(expose("127.0.0.1:53"), "10.88.255.1:53".parse().unwrap());
        let target = "127.0.0.2:3128".parse().unwrap();
        assert_eq!(
            policy.decide("10.88.255.1:3128".parse().unwrap()),
            Decision::Connect(target)
        );
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
            assert!(text.parse::<Allow>().is_err(), "{text}");
        }
    }
}
