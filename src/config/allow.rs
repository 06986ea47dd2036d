//! Destinations that steps may reach, or may not.

use super::parsed;
use serde::{Deserialize, Deserializer};
use std::net::IpAddr;
use std::str::FromStr;

/// One destination: `10.0.0.0/8`, `127.0.0.1:5432`, `[::1]:80`, `db.internal:5432`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRule {
    /// Whom it is about.
    pub host: AllowHost,
    /// One port, or all.
    pub port: Option<u16>,
}

/// Whom an [`AllowRule`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowHost {
    /// An address, or all that share its first `bits`.
    Net {
        /// First address.
        address: IpAddr,
        /// Length of the prefix.
        bits: u8,
    },
    /// A host name, compared without case.
    Name(String),
}

impl AllowRule {
    /// Whether an address and port fall under this rule; names never match an address.
    #[must_use]
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        let AllowHost::Net { address: net, bits } = &self.host else {
            return false;
        };
        self.port.is_none_or(|p| p == port) && same_prefix(*net, address, *bits)
    }
}

fn same_prefix(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let differing = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= u32::from(bits)
}

impl FromStr for AllowRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a host, address or network with optional port");
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self {
                host: AllowHost::single(address),
                port: None,
            });
        }
        if let Some((net, bits)) = text.split_once('/') {
            let address: IpAddr = net.parse().map_err(|_| refuse())?;
            let bits: u8 = bits.parse().map_err(|_| refuse())?;
            if bits > if address.is_ipv4() { 32 } else { 128 } {
                return Err(refuse());
            }
            return Ok(Self {
                host: AllowHost::Net { address, bits },
                port: None,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| refuse())?)),
            None => (text, None),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        let host = if let Ok(address) = bare.parse() {
            AllowHost::single(address)
        } else if !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        {
            AllowHost::Name(host.to_ascii_lowercase())
        } else {
            return Err(refuse());
        };
        Ok(Self { host, port })
    }
}

impl AllowHost {
    fn single(address: IpAddr) -> Self {
        Self::Net {
            address,
            bits: if address.is_ipv4() { 32 } else { 128 },
        }
    }
}

impl<'de> Deserialize<'de> for AllowRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allow_rules_cover_addresses_and_ports() {
        let cases = [
            ("10.0.0.0/8", "10.9.9.9", 1, true),
            ("10.0.0.0/8", "11.0.0.1", 1, false),
            ("127.0.0.1:5432", "127.0.0.1", 5432, true),
            ("127.0.0.1:5432", "127.0.0.1", 5433, false),
            ("[::1]:80", "::1", 80, true),
            ("0.0.0.0/0", "1.2.3.4", 1, true),
            ("0.0.0.0/0", "::1", 1, false),
            ("db.internal", "1.2.3.4", 1, false),
        ];
        for (rule, address, port, covered) in cases {
            let rule: AllowRule = rule.parse().unwrap();
            assert_eq!(
                rule.covers(address.parse().unwrap(), port),
                covered,
                "{rule:?}"
            );
        }
        for bad in ["", "10.0.0.0/33", "x:y", "[::1", "a b"] {
            assert!(bad.parse::<AllowRule>().is_err(), "{bad}");
        }
    }
}
