//! Services of the host: an address of the session's network at which the proxy leads out to them.

use super::{
    super::{sandbox::Live, world::World},
    Tasks, session_socket,
};
use crate::{
    error::{Error, Kind, Result},
    graph::{PortForward, Protocol, Service},
    service::{Endpoint, Running, udp},
};
use nsci_runtime::{SocketKind, network};
use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4},
    sync::Arc,
};
use tokio::{net::UdpSocket, sync::watch};

/// Opens the way from the session's network to the host's ports.
pub(super) async fn launch(
    world: &World,
    service: &Service,
    host: &str,
    ports: &[PortForward],
) -> Result<Running> {
    let live = world.live().await?;
    live.need_network("a service of the host")?;
    let Some(proxy) = live.proxy() else {
        return Err(Error::new(
            Kind::Host,
            "services of the host need the way out of the sandbox, which this kernel does not offer",
        ));
    };
    let address = live.next_host_address().ok_or_else(|| {
        Error::invalid("this session already reaches 254 services of the host, which is the most")
    })?;
    let mut tasks = Tasks::default();
    for forward in ports {
        let to = resolve(host, forward.backend).await?;
        let front = forward.frontend.unwrap_or(forward.backend);
        let inside = SocketAddrV4::new(network::host_ip(address), front);
        let lent = match forward.protocol {
            Protocol::Tcp => proxy.forward(inside, to),
            Protocol::Udp => lend_udp(&live, inside, to, &mut tasks).await,
        };
        lent.map_err(|error| {
            let what = format!("cannot lend port {front} of the host");
            Error::caused(Kind::Host, what, error)
        })?;
    }
    let fronts: Vec<u16> = ports
        .iter()
        .map(|forward| forward.frontend.unwrap_or(forward.backend))
        .collect();
    let (over, ended) = watch::channel(None);
    let (closing, opened) = (live.clone(), fronts.clone());
    Ok(Running {
        addresses: vec![network::host_ip(address).into()],
        endpoint: Endpoint {
            host: service.host_name(),
            ports: fronts,
        },
        ended,
        stop: Box::new(move |_| {
            if let Some(proxy) = closing.proxy() {
                for port in &opened {
                    proxy.unforward(SocketAddrV4::new(network::host_ip(address), *port));
                }
            }
            over.send_replace(Some(crate::service::Ended::default()));
        }),
        keep: Box::new(tasks),
        inside: None,
    })
}

/// Answers datagrams at an address of the session with those of the host.
async fn lend_udp(
    live: &Arc<Live>,
    inside: SocketAddrV4,
    to: SocketAddr,
    tasks: &mut Tasks,
) -> io::Result<()> {
    let socket = session_socket(live, SocketKind::Udp).await;
    let socket = socket.map_err(io::Error::other)?;
    rustix::net::bind(&socket, &inside)?;
    let front = UdpSocket::from_std(socket.into())?;
    let any: IpAddr = match to {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let dial = move || async move {
        let socket = UdpSocket::bind((any, 0)).await?;
        socket.connect(to).await?;
        Ok(socket)
    };
    tasks.spawn(udp::relay(front, dial));
    Ok(())
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr> {
    let failed = |error| Error::caused(Kind::Outside, format!("cannot find host `{host}`"), error);
    let mut found = tokio::net::lookup_host((host, port))
        .await
        .map_err(failed)?;
    let all: Vec<SocketAddr> = found.by_ref().collect();
    let first = all.iter().find(|address| address.is_ipv4()).or(all.first());
    first
        .copied()
        .ok_or_else(|| Error::new(Kind::Outside, format!("host `{host}` has no address")))
}
