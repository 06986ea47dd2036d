//! Services of the host: an address of the session's network at which the proxy leads out to them.

use super::super::world::World;
use crate::{
    error::{Error, Kind, Result},
    graph::{PortForward, Protocol, Service},
    service::{Endpoint, Running},
};
use nsci_runtime::network;
use std::net::{SocketAddr, SocketAddrV4};
use tokio::sync::watch;

/// Opens the way from the session's network to the host's ports.
pub(super) async fn launch(
    world: &World,
    service: &Service,
    host: &str,
    ports: &[PortForward],
) -> Result<Running> {
    if let Some(udp) = ports.iter().find(|port| port.protocol == Protocol::Udp) {
        return Err(Error::invalid(format!(
            "UDP port {} of the host cannot be lent to containers yet",
            udp.backend
        ))
        .hint("only TCP ports of the host can"));
    }
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
    for forward in ports {
        let to = resolve(host, forward.backend).await?;
        let front = forward.frontend.unwrap_or(forward.backend);
        let inside = SocketAddrV4::new(network::host_ip(address), front);
        proxy.forward(inside, to).map_err(|error| {
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
        keep: Box::new(()),
        inside: None,
    })
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
