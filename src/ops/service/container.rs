//! A container's command as a service: started in a thread of its own, watched, found ready.

use super::{
    super::{
        exec::{self, Request, StopOnDrop},
        sandbox::Live,
        world::{Step, World, blocking},
    },
    health::Health,
};
use crate::{
    error::{Error, Kind, Result},
    graph::{Container, Exec, Protocol, Service},
    service::{
        Ended, Endpoint, NameTable, Running, STOP_GRACE, Stop, died_early,
        health::{Backoff, Check},
        signals,
    },
};
use futures_util::future::try_join_all;
use nsci_runtime::Cancel;
use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::sync::{oneshot, watch};

/// How long one attempt to connect may take.
const DIAL: Duration = Duration::from_secs(1);
/// When somebody who waits for a port is told what for.
const PATIENCE: Duration = Duration::from_secs(15);

/// Starts the command and waits until its ports accept connections.
pub(super) async fn launch(
    world: &World,
    service: &Service,
    container: &Container,
    exec: &Exec,
) -> Result<Running> {
    let live = world.live().await?;
    live.need_network("a service")?;
    let step = world.step(format!("service {}", service.title()), false);
    let request = Request {
        exec,
        container,
        nested: world.nested(exec)?,
        keep: false,
        hostname: service.host_name(),
    };
    let planned = exec::plan(world, &request, step.id).await;
    let job = match planned {
        Ok(job) => job,
        Err(error) => return step.result(Err(error)),
    };
    let cancel = job.cancel.clone();
    let keep = Box::new(job.services().clone());
    let stop_when_dropped = StopOnDrop::new(&cancel);
    let (started, mut address) = oneshot::channel();
    let (over, ended) = watch::channel(None);
    let title = service.title();
    std::thread::Builder::new()
        .name("nsci-service".into())
        .spawn(move || {
            let end = job.serve(|address, inside| {
                // Whoever waited may have given up; then it is being stopped.
                started.send((address, inside, Instant::now())).ok();
            });
            finish(step, &title, &end);
            over.send_replace(Some(end));
        })
        .map_err(|error| Error::caused(Kind::Host, "cannot start a thread", error))?;
    let mut dead = ended.clone();
    let address = tokio::select! {
        // One that has started and ended at once has started.
        biased;
        address = &mut address => address.ok(),
        _ = dead.wait_for(Option::is_some) => None,
    };
    let dead_before = |what: &str| died_early(service, &end_of(&ended), what);
    let Some((address, inside, begun)) = address else {
        // The word of its end may still be on its way.
        let _end = dead.wait_for(Option::is_some).await;
        return Err(dead_before("it was ready"));
    };
    let named = Named::new(world.sandbox.names(), service.host_name(), address);
    let ports: Vec<u16> = container
        .config
        .ports
        .iter()
        .filter(|port| port.protocol == Protocol::Tcp && !port.skip_healthcheck)
        .map(|port| port.port)
        .collect();
    let ready = try_join_all(ports.iter().map(|&port| {
        let at = SocketAddr::new(address, port);
        wait_for_port(world, &live, service, at, ended.clone())
    }));
    ready
        .await
        .map_err(|port| dead_before(&format!("it accepted connections on port {port}")))?;
    let config = &container.config;
    let check = config.healthcheck.as_ref();
    if let Some(check) = check.and_then(|check| Check::of(check, config.shell.as_deref())) {
        let healthy = Health {
            world,
            service,
            inside: inside.clone(),
            check,
            begun,
        }
        .wait();
        tokio::select! {
            healthy = healthy => healthy?,
            _ = dead.wait_for(Option::is_some) => return Err(dead_before("it was healthy")),
        }
    }
    stop_when_dropped.disarm();
    let signal = container.config.stop_signal.as_deref();
    Ok(Running {
        addresses: vec![address],
        endpoint: Endpoint {
            host: service.host_name(),
            ports: container
                .config
                .ports
                .iter()
                .map(|port| port.port)
                .collect(),
        },
        ended,
        stop: stopper(cancel, signal.map_or(signals::TERM, signals::number)),
        keep: Box::new((keep, named)),
        inside: Some(Box::new(inside)),
    })
}

fn end_of(ended: &watch::Receiver<Option<Ended>>) -> Ended {
    ended.borrow().clone().unwrap_or_default()
}

/// Ends the service's step: being stopped is no failure.
fn finish(step: Step, title: &str, end: &Ended) {
    match (&end.fault, end.exit_code) {
        (None, None | Some(0)) => step.done(false),
        _ => step.failed(&Error::invalid(format!("service `{title}` {}", end.how()))),
    }
}

fn stopper(cancel: Cancel, signal: i32) -> Box<dyn Fn(Stop) + Send + Sync> {
    Box::new(move |how| match how {
        Stop::Gently => cancel.cancel_with(signal, STOP_GRACE),
        Stop::Kill => cancel.cancel_with(signals::KILL, Duration::ZERO),
    })
}

/// Dials until somebody answers; the port as an error if the service ends first.
async fn wait_for_port(
    world: &World,
    live: &Arc<Live>,
    service: &Service,
    at: SocketAddr,
    mut ended: watch::Receiver<Option<Ended>>,
) -> Result<(), u16> {
    let begun = Instant::now();
    let mut told = false;
    for pause in Backoff::default() {
        let dialled = Arc::clone(live);
        let dial =
            blocking(move || Ok(dialled.session.connect_in_session_within(at, DIAL).is_ok()));
        tokio::select! {
            answered = dial => if answered.unwrap_or(false) {
                return Ok(());
            },
            _ = ended.wait_for(Option::is_some) => return Err(at.port()),
        }
        if !told && begun.elapsed() >= PATIENCE {
            told = true;
            world.events.warn(format!(
                "still waiting for service `{}` to accept connections on port {}",
                service.title(),
                at.port()
            ));
        }
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            _ = ended.wait_for(Option::is_some) => return Err(at.port()),
        }
    }
    unreachable!("pauses never run out")
}

/// A host name, known while this lives.
struct Named {
    names: Arc<NameTable>,
    name: String,
    addresses: Vec<IpAddr>,
}

impl Named {
    fn new(names: &Arc<NameTable>, name: String, address: IpAddr) -> Self {
        let addresses = vec![address];
        names.set_host(&name, &addresses);
        Self {
            names: Arc::clone(names),
            name,
            addresses,
        }
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.names.remove_host(&self.name, &self.addresses);
    }
}
