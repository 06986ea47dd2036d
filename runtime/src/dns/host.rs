//! What the host knows about names: its name servers and its hosts file, read again whenever they change.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const DNS_PORT: u16 = 53;
/// As many as a libc resolver asks.
const SERVERS: usize = 3;

/// Where the host keeps its resolver configuration.
#[derive(Debug, Clone)]
pub struct HostFiles {
    /// Usually `/etc/resolv.conf`.
    pub resolv_conf: PathBuf,
    /// Usually `/etc/hosts`.
    pub hosts: PathBuf,
}

impl Default for HostFiles {
    fn default() -> Self {
        Self {
            resolv_conf: "/etc/resolv.conf".into(),
            hosts: "/etc/hosts".into(),
        }
    }
}

/// A file's parsed content and the change it was read at.
#[derive(Debug)]
struct Watched<T> {
    path: PathBuf,
    changed: Option<SystemTime>,
    parse: fn(&str) -> T,
    value: T,
}

impl<T> Watched<T> {
    fn new(path: PathBuf, parse: fn(&str) -> T) -> Self {
        let changed = modified(&path);
        let value = parse(&read(&path));
        Self {
            path,
            changed,
            parse,
            value,
        }
    }

    fn get(&mut self) -> &T {
        let changed = modified(&self.path);
        if changed != self.changed {
            self.changed = changed;
            self.value = (self.parse)(&read(&self.path));
        }
        &self.value
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .ok()
}

/// A missing or unreadable file is an empty one, as for a libc resolver.
fn read(path: &Path) -> String {
    std::fs::read(path)
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}

/// The host's view of names.
#[derive(Debug)]
pub(crate) struct Host {
    servers: Watched<Vec<SocketAddr>>,
    names: Watched<HashMap<String, Vec<IpAddr>>>,
}

impl Host {
    pub(crate) fn new(files: HostFiles) -> Self {
        Self {
            servers: Watched::new(files.resolv_conf, parse_servers),
            names: Watched::new(files.hosts, parse_hosts),
        }
    }

    /// The servers to ask, in order.
    pub(crate) fn servers(&mut self) -> Vec<SocketAddr> {
        self.servers.get().clone()
    }

    /// The addresses the hosts file has for a name.
    pub(crate) fn lookup(&mut self, name: &str) -> Option<Vec<IpAddr>> {
        self.names.get().get(name).cloned()
    }
}

/// Reads `nameserver` lines. Without any, the machine itself is asked (resolv.conf(5)).
fn parse_servers(text: &str) -> Vec<SocketAddr> {
    let mut servers: Vec<SocketAddr> = text
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver"))
                .then(|| words.next())
                .flatten()
        })
        .filter_map(parse_server)
        .take(SERVERS)
        .collect();
    if servers.is_empty() {
        servers.push((Ipv4Addr::LOCALHOST, DNS_PORT).into());
    }
    servers
}

/// Reads an address; a link-local one may name its interface by number.
fn parse_server(text: &str) -> Option<SocketAddr> {
    let ip = text.parse::<IpAddr>().map(|ip| (ip, DNS_PORT).into());
    ip.or_else(|_| format!("[{text}]:{DNS_PORT}").parse()).ok()
}

/// Reads a hosts file, less the names of loopback: to a step those addresses mean itself, not the host.
fn parse_hosts(text: &str) -> HashMap<String, Vec<IpAddr>> {
    let mut names: HashMap<String, Vec<IpAddr>> = HashMap::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let Some(ip) = words.next().and_then(|word| word.parse::<IpAddr>().ok()) else {
            continue;
        };
        if ip.is_loopback() || ip.is_unspecified() {
            continue;
        }
        for name in words {
            names
                .entry(name.trim_end_matches('.').to_ascii_lowercase())
                .or_default()
                .push(ip);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn servers_are_read_in_order() {
        let text = "# x\nsearch a\nnameserver 127.0.0.53\n nameserver fd00::1 \nnameserver bad\noptions edns0\n";
        let expected: Vec<SocketAddr> = vec![
            "127.0.0.53:53".parse().unwrap(),
            "[fd00::1]:53".parse().unwrap(),
        ];
        assert_eq!(parse_servers(text), expected);
        assert_eq!(
            parse_servers("nameserver fe80::1%2"),
            ["[fe80::1%2]:53".parse().unwrap()]
        );
        assert_eq!(parse_servers(""), ["127.0.0.1:53".parse().unwrap()]);
    }

    #[test]
    fn hosts_file_is_read_without_loopback() {
        let text =
            "127.0.0.1 localhost self\n192.0.2.1 Mirror.Test mirror # c\n192.0.2.2 mirror\nbad x\n";
        let names = parse_hosts(text);
        assert_eq!(names.get("mirror.test").map(Vec::len), Some(1));
        assert_eq!(names.get("mirror").map(Vec::len), Some(2));
        assert!(
            !names.contains_key("self") && !names.contains_key("x") && !names.contains_key("c")
        );
    }

    #[test]
    fn changed_files_are_read_again() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("hosts");
        std::fs::write(&path, "192.0.2.1 old\n").unwrap();
        let files = HostFiles {
            hosts: path.clone(),
            ..HostFiles::default()
        };
        let mut host = Host::new(files);
        assert!(host.lookup("old").is_some());
        std::fs::write(&path, "192.0.2.1 new\n").unwrap();
        let file = std::fs::File::options().write(true).open(&path).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH).unwrap();
        assert!(host.lookup("old").is_none() && host.lookup("new").is_some());
    }
}
