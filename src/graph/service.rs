//! Services as values: what runs, who may reach it, and the name it has.

use super::{Container, Exec, Key, Port, Protocol};
use serde::{Deserialize, Serialize};

/// Something that can be reached while it runs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Service {
    /// What it is.
    pub kind: ServiceKind,
    /// Name that the user gave it; its digest makes one otherwise.
    pub hostname: Option<String>,
    /// Names everything that decides how it behaves; equal ones are one running instance.
    pub digest: Key,
}

/// What a service is made of.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServiceKind {
    /// A container's command that keeps running.
    Container {
        /// The container.
        container: Box<Container>,
        /// The command.
        exec: Exec,
    },
    /// Ports of the client's host that lead to a service.
    Tunnel {
        /// The service.
        to: Box<Service>,
        /// The ports; empty means all that the service declares.
        ports: Vec<PortForward>,
        /// Whether ports that are not listed keep their number on the host.
        native: bool,
    },
    /// A service of the client's host that containers reach.
    Host {
        /// Name or address of the machine, as the client knows it.
        host: String,
        /// The ports.
        ports: Vec<PortForward>,
    },
}

/// Where a port leads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PortForward {
    /// Port that is listened on; any free one if absent.
    pub frontend: Option<u16>,
    /// Port that connections are led to.
    pub backend: u16,
    /// Transport.
    #[serde(default)]
    pub protocol: Protocol,
}

/// A service under the name that one container reaches it by.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ServiceBinding {
    /// The name.
    pub alias: String,
    /// The service.
    pub service: Service,
}

impl Service {
    /// The host name: the user's, or 13 characters made of the digest, the same in every session.
    pub fn host_name(&self) -> String {
        self.hostname
            .clone()
            .unwrap_or_else(|| short_name(&self.digest))
    }

    /// What people read: the host name or the command.
    pub fn title(&self) -> String {
        match (&self.hostname, &self.kind) {
            (Some(name), _) => name.clone(),
            (None, ServiceKind::Container { container, exec }) => {
                let config = &container.config;
                let entrypoint = config.entrypoint.iter().flatten();
                let entrypoint = entrypoint.filter(|_| exec.use_entrypoint);
                let defaults = config.cmd.iter().flatten();
                let defaults = defaults.filter(|_| exec.args.is_empty());
                let words = entrypoint.chain(defaults).chain(&exec.args);
                words.map(String::as_str).collect::<Vec<_>>().join(" ")
            }
            (None, ServiceKind::Tunnel { to, .. }) => format!("tunnel to {}", to.title()),
            (None, ServiceKind::Host { host, .. }) => format!("{host} of the host"),
        }
    }

    /// The ports it declares.
    pub fn ports(&self) -> Vec<Port> {
        let forwarded = |ports: &[PortForward], front: bool| {
            ports
                .iter()
                .map(|forward| Port {
                    port: match forward.frontend {
                        Some(port) if front => port,
                        _ => forward.backend,
                    },
                    protocol: forward.protocol,
                    description: None,
                    skip_healthcheck: false,
                })
                .collect()
        };
        match &self.kind {
            ServiceKind::Container { container, .. } => container.config.ports.clone(),
            ServiceKind::Tunnel { to, ports, .. } if ports.is_empty() => to.ports(),
            ServiceKind::Tunnel { ports, .. } | ServiceKind::Host { ports, .. } => {
                forwarded(ports, true)
            }
        }
    }
}

/// 13 characters of base 32 (RFC 4648's hexadecimal alphabet, lower case), which no user would type.
fn short_name(digest: &Key) -> String {
    const ALPHABET: &[u8; 32] = b"0123456789abcdefghijklmnopqrstuv";
    let number = u64::from_str_radix(&digest.as_str()[..16], 16).unwrap_or_default();
    (0..13)
        .map(|place| char::from(ALPHABET[(number >> (place * 5)) as usize & 31]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service(hostname: Option<&str>, digest: &str) -> Service {
        Service {
            kind: ServiceKind::Host {
                host: "localhost".into(),
                ports: vec![PortForward {
                    frontend: Some(80),
                    backend: 8080,
                    protocol: Protocol::Tcp,
                }],
            },
            hostname: hostname.map(str::to_owned),
            digest: Key::of("test", [digest]),
        }
    }

    #[test]
    fn names_are_stable_and_fit_a_dns_label() {
        let name = service(None, "a").host_name();
        assert_eq!(name.len(), 13);
        assert!(
            name.bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        );
        assert_eq!(name, service(None, "a").host_name());
        assert_ne!(name, service(None, "b").host_name());
        assert_eq!(service(Some("db"), "a").host_name(), "db");
    }

    #[test]
    fn a_host_service_is_reached_at_its_front_ports() {
        let ports = service(None, "a").ports();
        assert_eq!(ports.iter().map(|p| p.port).collect::<Vec<_>>(), [80]);
    }
}
