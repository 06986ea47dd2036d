//! Tunnels: ports on the host's loopback that lead to a service.

use super::{
    super::{
        sandbox::{Live, sandbox_error},
        world::{Step, World, blocking},
    },
    Tasks, session_socket,
};
use crate::{
    error::{Error, Kind, Result},
    graph::{PortForward, Protocol, Service},
    service::{Ended, Endpoint, Running, udp},
};
use nsci_runtime::SocketKind;
use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    os::fd::OwnedFd,
    sync::Arc,
};
use tokio::{
    net::{TcpListener, UdpSocket},
    sync::watch,
};

/// Where tunnels listen.
const FRONT: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// Starts the service and listens on the host.
pub(super) async fn launch(
    world: &World,
    _: &Service,
    to: &Service,
    ports: &[PortForward],
    native: bool,
) -> Result<Running> {
    let backend = world.services.acquire(to).await?;
    let Some(&address) = backend.instance().addresses().first() else {
        return Err(Error::invalid("a tunnel cannot lead to a tunnel"));
    };
    let ports = wanted(to, ports, native)?;
    let live = world.live().await?;
    let mut doors = Doors::default();
    let mut fronts = Vec::new();
    for port in &ports {
        let front = SocketAddr::new(FRONT, port.frontend.unwrap_or(0));
        let back = SocketAddr::new(address, port.backend);
        let opened = match port.protocol {
            Protocol::Tcp => tcp(&live, front, back, &mut doors).await,
            Protocol::Udp => udp_port(&live, front, back, &mut doors).await,
        };
        let open = opened.map_err(|error| taken(front, error))?;
        fronts.push(open.port());
        doors.steps.push(world.step(
            format!("tunnel {open} → {} port {}", to.title(), port.backend),
            false,
        ));
    }
    let (over, ended) = watch::channel(None);
    let (inner, told) = (Arc::clone(backend.instance()), over.clone());
    // A tunnel to nothing is none.
    doors.tasks.spawn(async move {
        told.send_replace(Some(inner.wait().await));
    });
    Ok(Running {
        addresses: Vec::new(),
        endpoint: Endpoint {
            host: "localhost".into(),
            ports: fronts,
        },
        ended,
        stop: Box::new(move |_| {
            over.send_replace(Some(Ended::default()));
        }),
        keep: Box::new((doors, backend)),
        inside: None,
    })
}

/// What to listen on: what was asked for, and all other declared ports if `native`.
fn wanted(to: &Service, asked: &[PortForward], native: bool) -> Result<Vec<PortForward>> {
    let mut ports = asked.to_vec();
    let declared = to.ports();
    if native || asked.is_empty() {
        for port in &declared {
            let known = |p: &PortForward| p.backend == port.port && p.protocol == port.protocol;
            if !ports.iter().any(known) {
                ports.push(PortForward {
                    frontend: native.then_some(port.port),
                    backend: port.port,
                    protocol: port.protocol,
                });
            }
        }
    }
    if ports.is_empty() {
        return Err(
            Error::invalid(format!("service `{}` declares no port to open", to.title()))
                .hint("name one, such as `--ports 8080:80`, or declare it with withExposedPort"),
        );
    }
    Ok(ports)
}

/// What serves open ports; gone with it.
#[derive(Default)]
struct Doors {
    tasks: Tasks,
    steps: Vec<Step>,
}

impl Drop for Doors {
    fn drop(&mut self) {
        for step in self.steps.drain(..) {
            step.done(false);
        }
    }
}

fn taken(front: SocketAddr, error: io::Error) -> Error {
    let port = front.port();
    let hint = match error.kind() {
        io::ErrorKind::AddrInUse => {
            "something else listens there; choose another, as in `--ports 8080:80`"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege on the host; choose another, as in `--ports 8080:80`"
        }
        _ => "choose another port, as in `--ports 8080:80`",
    };
    Error::caused(
        Kind::Host,
        format!("cannot listen on port {port} of this host"),
        error,
    )
    .hint(hint)
}

async fn tcp(
    live: &Arc<Live>,
    front: SocketAddr,
    back: SocketAddr,
    doors: &mut Doors,
) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(front).await?;
    let open = listener.local_addr()?;
    let live = Arc::clone(live);
    doors.tasks.spawn(async move {
        // Only a listener that is broken for good ends this.
        while let Ok((client, _)) = listener.accept().await {
            let live = Arc::clone(&live);
            tokio::spawn(async move {
                // Whoever connected sees the connection close; there is nobody else to tell.
                join(live, client, back).await.ok();
            });
        }
    });
    Ok(open)
}

/// Joins a connection that came to the host with one to the service.
async fn join(live: Arc<Live>, mut client: tokio::net::TcpStream, back: SocketAddr) -> Result<()> {
    let broken = |error| Error::caused(Kind::Host, "a tunnel broke", error);
    let dialled = Arc::clone(&live);
    if live.proxy().is_some() {
        let socket = session_socket(&dialled, SocketKind::Tcp).await?;
        let client = OwnedFd::from(client.into_std().map_err(broken)?);
        if let Some(proxy) = live.proxy() {
            proxy.tunnel(client, socket, back);
        }
        return Ok(());
    }
    let dial = move || {
        let connected = dialled.session.connect_in_session(back);
        connected.map_err(sandbox_error)
    };
    let stream = std::net::TcpStream::from(blocking(dial).await?);
    let mut stream = tokio::net::TcpStream::from_std(stream).map_err(broken)?;
    tokio::io::copy_bidirectional(&mut client, &mut stream)
        .await
        .map_err(broken)?;
    Ok(())
}

async fn udp_port(
    live: &Arc<Live>,
    front: SocketAddr,
    back: SocketAddr,
    doors: &mut Doors,
) -> io::Result<SocketAddr> {
    let socket = UdpSocket::bind(front).await?;
    let open = socket.local_addr()?;
    let live = Arc::clone(live);
    let dial = move || {
        let live = Arc::clone(&live);
        async move {
            let socket = session_socket(&live, SocketKind::Udp)
                .await
                .map_err(io::Error::other)?;
            let socket = UdpSocket::from_std(std::net::UdpSocket::from(socket))?;
            socket.connect(back).await?;
            Ok(socket)
        }
    };
    doors.tasks.spawn(udp::relay(socket, dial));
    Ok(open)
}
