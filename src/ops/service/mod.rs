//! Services as operations: their values, who is bound to them, and how the session starts them.
//!
//! [`crate::service`] decides when an instance starts and stops; this module is how: [`container`] runs a command,
//! [`tunnel`] listens on the host, [`host`] lets steps reach the host.

mod container;
mod health;
mod host;
mod tunnel;

use super::{
    exec, files,
    paths::expand_vars,
    sandbox::{Live, sandbox_error},
    world::{World, blocking},
};
use crate::{
    error::{Error, Kind, Result},
    graph::{
        Container, Exec, Port, PortForward, Protocol, Service, ServiceBinding, ServiceKind,
        ServiceOp, Value, fingerprint,
    },
    service::{Instance, Launcher, Running, Stop, Use},
};
use futures_util::future::{BoxFuture, FutureExt, try_join_all};
use nsci_runtime::SocketKind;
use std::{
    net::IpAddr,
    os::fd::OwnedFd,
    sync::{Arc, Weak},
};
use tokio::task::AbortHandle;

/// Work that serves open ports; it ends with this.
#[derive(Default)]
struct Tasks(Vec<AbortHandle>);

impl Tasks {
    fn spawn(&mut self, work: impl Future<Output = ()> + Send + 'static) {
        self.0.push(tokio::spawn(work).abort_handle());
    }
}

impl Drop for Tasks {
    fn drop(&mut self) {
        for task in &self.0 {
            task.abort();
        }
    }
}

/// A socket of the session's network, to be bound or connected.
async fn session_socket(live: &Arc<Live>, kind: SocketKind) -> Result<OwnedFd> {
    let live = Arc::clone(live);
    blocking(move || live.session.socket_in_session(kind).map_err(sandbox_error)).await
}

/// Starts the services of a session in its sandbox.
pub(super) struct SessionLauncher(pub(super) Weak<World>);

impl Launcher for SessionLauncher {
    fn launch<'a>(&'a self, service: &'a Service) -> BoxFuture<'a, Result<Running>> {
        async move {
            let world = self
                .0
                .upgrade()
                .ok_or_else(|| Error::new(Kind::Cancelled, "the session has ended"))?;
            match &service.kind {
                ServiceKind::Container { container, exec } => {
                    container::launch(&world, service, container, exec).await
                }
                ServiceKind::Tunnel { to, ports, native } => {
                    tunnel::launch(&world, service, to, ports, *native).await
                }
                ServiceKind::Host { host, ports } => {
                    host::launch(&world, service, host, ports).await
                }
            }
        }
        .boxed()
    }
}

/// A service's port that is open on this host while this lives.
#[derive(Debug)]
pub(super) struct Reached {
    /// How addresses in the service begin: scheme, host and port.
    pub(super) inside: String,
    /// What they begin with here.
    pub(super) outside: String,
    /// Host and port inside.
    pub(super) host: String,
    _used: Use,
}

impl Reached {
    /// An address in the service, as it is written here.
    pub(super) fn address(&self, url: &str) -> String {
        match url.strip_prefix(&self.inside) {
            Some(rest) => format!("{}{rest}", self.outside),
            None => url.to_owned(),
        }
    }
}

/// Where host and port are in an address.
#[derive(Debug, PartialEq)]
struct Authority {
    start: usize,
    end: usize,
    port: u16,
}

impl Authority {
    fn of(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let length = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let login = rest[..length].rfind('@').map_or(0, |at| at + 1);
        let host = &rest[login..length];
        let port = match host.rsplit_once(':') {
            Some((_, port)) if !port.ends_with(']') => port.parse().ok()?,
            _ => match scheme {
                "http" => 80,
                "https" => 443,
                "git" => 9418,
                "ssh" => 22,
                _ => return None,
            },
        };
        let start = scheme.len() + "://".len();
        Some(Self {
            start: start + login,
            end: start + length,
            port,
        })
    }
}

/// Services that a command was bound to, kept running while it does.
#[derive(Clone, Debug, Default)]
pub(super) struct Bound(Arc<Vec<(String, Use)>>);

impl Bound {
    /// Names for the command's hosts file.
    pub(super) fn hosts(&self) -> Vec<(IpAddr, String)> {
        self.0
            .iter()
            .flat_map(|(alias, used)| {
                let addresses = used.instance().addresses().iter();
                addresses.map(move |address| (*address, alias.clone()))
            })
            .collect()
    }

    /// A command's failure, with what became of the services it may have needed.
    pub(super) fn explain(&self, error: Error) -> Error {
        if !matches!(error.kind(), Kind::Exec(_)) {
            return error;
        }
        self.0.iter().fold(error, |error, (alias, used)| {
            let Some(ended) = used.instance().ended() else {
                return error;
            };
            let words = ended.last_words();
            let said = if words.is_empty() {
                "it said nothing".to_owned()
            } else {
                format!("its last words:\n{words}")
            };
            error.note(format!(
                "service `{alias}` had {}; {said}",
                past(&ended.how())
            ))
        })
    }
}

/// `ended with …` and `was stopped` as what had happened before.
fn past(how: &str) -> String {
    match how.strip_prefix("was ") {
        Some(rest) => format!("been {rest}"),
        None => how.replacen("could not run", "failed to run", 1),
    }
}

/// Carries out an operation that makes a service.
pub(super) async fn run(world: &World, op: &ServiceOp, inputs: &[Value]) -> Result<Value> {
    let service = match op {
        ServiceOp::Of(exec) => of_container(world, files::container(&inputs[0])?, exec).await?,
        ServiceOp::Hostname { name } => {
            check_name(name, "host name")?;
            let service = service(&inputs[0])?.clone();
            Service {
                digest: fingerprint("service-named", &(&service.digest, name)),
                hostname: Some(name.clone()),
                ..service
            }
        }
        ServiceOp::Tunnel { ports, native } => tunnel(service(&inputs[0])?.clone(), ports, *native),
        ServiceOp::Host { host, ports } => {
            if ports.is_empty() {
                return Err(Error::invalid(
                    "no ports are given for a service of the host",
                ));
            }
            Service {
                digest: fingerprint("service-host", &(host, ports)),
                kind: ServiceKind::Host {
                    host: host.clone(),
                    ports: ports.clone(),
                },
                hostname: None,
            }
        }
    };
    Ok(Value::Service(Box::new(service)))
}

/// Ports of the host that lead to a service.
fn tunnel(to: Service, ports: &[PortForward], native: bool) -> Service {
    Service {
        digest: fingerprint("service-tunnel", &(&to.digest, ports, native)),
        kind: ServiceKind::Tunnel {
            to: Box::new(to),
            ports: ports.to_vec(),
            native,
        },
        hostname: None,
    }
}

async fn of_container(world: &World, container: &Container, exec: &Exec) -> Result<Service> {
    let identity = exec::identity(world, exec, container).await?;
    let config = &container.config;
    let told = (&identity, &config.ports, &config.stop_signal);
    Ok(Service {
        digest: fingerprint("service", &told),
        kind: ServiceKind::Container {
            container: Box::new(container.clone()),
            exec: exec.clone(),
        },
        hostname: None,
    })
}

/// Binds a service to a container under a name.
pub(super) fn bind(inputs: &[Value], alias: &str) -> Result<Value> {
    let mut container = files::container(&inputs[0])?.clone();
    let alias = expand_vars(alias, &container);
    check_name(&alias, "alias")?;
    let service = service(&inputs[1])?.clone();
    if matches!(service.kind, ServiceKind::Tunnel { .. }) {
        return Err(Error::invalid("a tunnel cannot be bound to a container")
            .hint("bind the service that the tunnel leads to"));
    }
    container.services.retain(|bound| bound.alias != alias);
    container.services.push(ServiceBinding { alias, service });
    Ok(Value::Container(Box::new(container)))
}

/// Refuses what is no host name, before it gets into a hosts file.
fn check_name(name: &str, what: &str) -> Result<()> {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    if name.len() <= 253 && name.split('.').all(is_label) {
        return Ok(());
    }
    Err(
        Error::invalid(format!("`{name}` is no {what} for a service"))
            .hint("use letters, digits, `-` and `_`, such as `db`"),
    )
}

/// The service that an input is.
fn service(value: &Value) -> Result<&Service> {
    match value {
        Value::Service(service) => Ok(service),
        other => Err(Error::internal(format!(
            "expected a service, got {other:?}"
        ))),
    }
}

impl World {
    /// Starts the services that a container is bound to.
    pub(super) async fn bind(&self, bindings: &[ServiceBinding]) -> Result<Bound> {
        if bindings.is_empty() {
            return Ok(Bound::default());
        }
        let acquire = bindings.iter().map(|binding| async move {
            let used = self.services.acquire(&binding.service).await?;
            Ok::<_, Error>((binding.alias.clone(), used))
        });
        Ok(Bound(Arc::new(try_join_all(acquire).await?)))
    }

    /// Starts a service, to run until it is stopped or the session ends.
    ///
    /// # Errors
    /// If it cannot be started or ends before it is ready.
    pub async fn start_service(&self, service: &Service) -> Result<Arc<Instance>> {
        self.services.start(service).await
    }

    /// Stops a service, whoever uses it.
    pub async fn stop_service(&self, service: &Service, kill: bool) {
        let how = if kill { Stop::Kill } else { Stop::Gently };
        self.services.stop(service, how).await;
    }

    /// Host name and port where whoever started a service reaches it; the first port if none is named.
    ///
    /// # Errors
    /// If it has no port, or is a tunnel that cannot be opened.
    pub async fn service_endpoint(
        &self,
        service: &Service,
        port: Option<u16>,
    ) -> Result<(String, u16)> {
        let none = || {
            Error::invalid(format!("service `{}` declares no port", service.title()))
                .hint("name one, or declare it with withExposedPort")
        };
        if matches!(service.kind, ServiceKind::Tunnel { .. }) {
            let instance = self.start_service(service).await?;
            let endpoint = instance.endpoint();
            let first = endpoint.ports.first().copied();
            return Ok((endpoint.host.clone(), port.or(first).ok_or_else(none)?));
        }
        let first = service.ports().first().map(|port| port.port);
        Ok((service.host_name(), port.or(first).ok_or_else(none)?))
    }

    /// The ports that a service declares; those that an open tunnel listens on.
    ///
    /// # Errors
    /// If a tunnel cannot be opened.
    pub async fn service_ports(&self, service: &Service) -> Result<Vec<Port>> {
        let ports = service.ports();
        if !matches!(service.kind, ServiceKind::Tunnel { .. }) {
            return Ok(ports);
        }
        let instance = self.start_service(service).await?;
        let open = instance.endpoint().ports.iter();
        Ok(ports
            .into_iter()
            .zip(open)
            .map(|(declared, &port)| Port { port, ..declared })
            .collect())
    }

    /// Opens a service's ports on the host and keeps them open until it ends or nobody waits any more.
    ///
    /// # Errors
    /// If it cannot be started, a port is taken, or the service fails.
    pub async fn up(&self, service: &Service, ports: &[PortForward], random: bool) -> Result<()> {
        let native = ports.is_empty() && !random;
        let tunnel = tunnel(service.clone(), ports, native);
        let _open = self.services.acquire(&tunnel).await?;
        let backend = self.services.acquire(service).await?;
        let ended = backend.instance().wait().await;
        match ended.exit_code {
            Some(0) | None if ended.fault.is_none() => Ok(()),
            _ => Err(crate::service::died_early(
                service,
                &ended,
                "it was stopped",
            )),
        }
    }

    /// Keeps a service running and opens the port of it that an address names; returns the address on this host.
    ///
    /// # Errors
    /// If the service cannot be started, or the address has no port that can be told.
    pub(super) async fn reach(&self, service: &Service, url: &str) -> Result<Reached> {
        let at = Authority::of(url).ok_or_else(|| {
            Error::invalid(format!(
                "`{url}` does not say which port of the service it means"
            ))
            .hint("write it as http://NAME:PORT/…")
        })?;
        let port = PortForward {
            frontend: None,
            backend: at.port,
            protocol: Protocol::Tcp,
        };
        let open = tunnel(service.clone(), &[port], false);
        let used = self.services.acquire(&open).await?;
        let front = used.instance().endpoint().ports.first().copied();
        let front = front.ok_or_else(|| Error::internal("a tunnel opened no port"))?;
        let place = format!("127.0.0.1:{front}");
        Ok(Reached {
            inside: url[..at.end].to_owned(),
            outside: format!("{}{place}", &url[..at.start]),
            host: url[at.start..at.end].to_owned(),
            _used: used,
        })
    }

    /// Stops all services, those first that others are not built on.
    pub async fn stop_services(&self) {
        self.services.stop_all().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_of_addresses() {
        for (url, found) in [
            ("http://www/x", Some((7, 10, 80))),
            ("http://www:8080", Some((7, 15, 8080))),
            ("http://u:p@www:81/x", Some((11, 17, 81))),
            ("git://[::1]/x", Some((6, 11, 9418))),
            ("svn://www/x", None),
            ("http://www:x/", None),
            ("/a/path", None),
        ] {
            let found = found.map(|(start, end, port)| Authority { start, end, port });
            assert_eq!(Authority::of(url), found, "{url}");
        }
    }

    #[test]
    fn names_that_would_break_a_hosts_file_are_refused() {
        for good in ["db", "my_db", "a.b-c", "DB1"] {
            check_name(good, "alias").unwrap();
        }
        for bad in ["", ".", "a b", "a\n1.2.3.4 b", "a..b", &"x".repeat(64)] {
            check_name(bad, "alias").unwrap_err();
        }
    }
}
