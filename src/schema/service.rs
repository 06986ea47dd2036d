//! `Service`: containers that keep running, tunnels to them, and services of the host.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldBuilder, FieldError, Registry},
    object::{ContainerRef, HostRef, ServiceRef},
    shared::Made,
};
use crate::{
    graph::{Exec, Op, PortForward, Protocol, Service, ServiceOp, Vertex},
    ops::Shell,
};
use serde::Deserialize;
use std::sync::Arc;

type OfContainer = FieldBuilder<Api, ContainerRef>;

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut forward = registry.input("PortForward");
    forward.doc("Where a port leads.");
    forward
        .field(
            "frontend: Int",
            "Port to listen on; any free one if absent.",
        )
        .field("backend: Int!", "Port that connections are led to.")
        .field("protocol: NetworkProtocol = TCP", "Transport.");
    of_containers(registry);
    of_the_host(registry);
    service(registry);
}

fn made(op: ServiceOp, inputs: Vec<Arc<Vertex>>) -> ServiceRef {
    ServiceRef(Vertex::new(Op::Service(op), inputs))
}

/// Arguments that say which command of a container becomes the service.
fn command_args(field: OfContainer) -> OfContainer {
    field
        .arg(
            "args: [String!] = []",
            "Command instead of the default one, which is the entrypoint with the default arguments.",
        )
        .arg(
            "useEntrypoint: Boolean = false",
            "Put the entrypoint in front of `args`.",
        )
        .arg(
            "experimentalPrivilegedNesting: Boolean = false",
            "Let the command call this API.",
        )
        .arg(
            "insecureRootCapabilities: Boolean = false",
            "All capabilities, inside nsci's user namespace.",
        )
        .arg(
            "expand: Boolean = false",
            "Replace `$VAR` and `${VAR}` by the container's variables.",
        )
        .arg(
            "noInit: Boolean = false",
            "Run the command as process 1, without an init that reaps.",
        )
}

fn of_containers(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("asService", "Service!", |f| {
            command_args(f.doc(
                "The container's command as a service. It starts when somebody needs it, once for all who do.",
            ))
            .resolve(as_service)
        })
        .field("withServiceBinding", "Container!", |f| {
            f.doc("Lets commands reach a service by a name. It runs while they do.")
                .arg("alias: String!", "The name.")
                .arg("service: ServiceID!", "The service.")
                .resolve(|ctx, this, args| {
                    let service = bound_service(ctx, args)?;
                    let alias = args.get("alias")?;
                    Ok(this.then(Op::BindService { alias }, Some(service.0)))
                })
        })
        .field("up", "Void", |f| {
            command_args(
                f.doc("Runs the container's command as a service and opens its ports on the host until it ends.")
                    .arg("ports: [PortForward!] = []", "Ports to open; by default all that are declared, by their numbers.")
                    .arg("random: Boolean = false", "Open free ports of the host's choice instead."),
            )
            .resolve_async(|ctx, this, args| async move {
                let service = as_service(&ctx, &this, &args)?;
                up(&ctx, &service, &args).await
            })
        })
        .field("hostname", "String!", |f| {
            f.doc("Host name of the container as a service (older clients).")
                .deprecated("Use `asService.hostname`.")
                .resolve_async(|ctx, this, _| async move {
                    let service = known(&ctx, &legacy_service(&this)).await?;
                    Ok(service.host_name())
                })
        })
        .field("endpoint", "String!", |f| {
            endpoint_args(f.doc("Address of the container as a service (older clients)."))
                .deprecated("Use `asService.endpoint`.")
                .resolve_async(|ctx, this, args| async move {
                    endpoint(&ctx, &legacy_service(&this), &args).await
                })
        });
}

fn of_the_host(registry: &mut Registry<Api>) {
    let mut host = registry.object::<HostRef>("Host");
    host.field("tunnel", "Service!", |f| {
        f.doc("Ports of the host's loopback that lead to a service while the tunnel runs.")
            .arg("service: ServiceID!", "The service.")
            .arg(
                "native: Boolean = false",
                "Open every declared port by its own number.",
            )
            .arg(
                "ports: [PortForward!] = []",
                "Ports to open; by default all that are declared, as free ports of the host.",
            )
            .resolve(|ctx, _, args| {
                on_host(ctx)?;
                let service: ServiceRef = ctx.object(args, "service")?;
                let op = ServiceOp::Tunnel {
                    ports: forwards(args)?,
                    native: args.flag("native"),
                };
                Ok(made(op, vec![service.0]))
            })
    })
    .field("service", "Service!", |f| {
        f.doc("A service of the host, for containers to be bound to.")
            .arg(
                "ports: [PortForward!]!",
                "Its ports; containers use the front ones.",
            )
            .arg(
                "host: String = \"localhost\"",
                "Name or address by which the host reaches it.",
            )
            .resolve(|ctx, _, args| {
                on_host(ctx)?;
                let op = ServiceOp::Host {
                    host: args.get("host")?,
                    ports: forwards(args)?,
                };
                Ok(made(op, vec![]))
            })
    });
}

/// The service of the host at `tcp://HOST:PORT` or `udp://HOST:PORT`.
pub(super) fn at_address(ctx: &Ctx, address: &str) -> Result<ServiceRef, FieldError> {
    on_host(ctx)?;
    let wrong = || {
        FieldError::new(format!(
            "`{address}` is no address of a service: write `tcp://HOST:PORT` or `udp://HOST:PORT`"
        ))
    };
    let (protocol, place) = match address.split_once("://") {
        Some(("tcp", place)) => (Protocol::Tcp, place),
        Some(("udp", place)) => (Protocol::Udp, place),
        _ => return Err(wrong()),
    };
    let (host, port) = place.rsplit_once(':').ok_or_else(wrong)?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().ok().filter(|port| *port != 0);
    let (Some(port), false) = (port, host.is_empty()) else {
        return Err(wrong());
    };
    let forward = PortForward {
        frontend: Some(port),
        backend: port,
        protocol,
    };
    let op = ServiceOp::Host {
        host: host.to_owned(),
        ports: vec![forward],
    };
    Ok(made(op, vec![]))
}

/// Refuses clients that have no host.
pub(super) fn on_host(ctx: &Ctx) -> Result<(), FieldError> {
    ctx.backend().host_path(ctx.client(), ".").map(drop)
}

fn service(registry: &mut Registry<Api>) {
    let mut service = registry.object::<ServiceRef>("Service");
    service
        .doc("Something that can be reached over the network while it runs.")
        .field("hostname", "String!", |f| {
            f.doc("The name by which all containers of the session reach it.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(known(&ctx, &this).await?.host_name()) },
                )
        })
        .field("endpoint", "String!", |f| {
            endpoint_args(f.doc("Where it is reached: `host:port`, or a URL."))
                .resolve_async(|ctx, this, args| async move { endpoint(&ctx, &this, &args).await })
        })
        .field("ports", "[Port!]!", |f| {
            f.doc("The ports it declares.")
                .resolve_async(|ctx, this, _| async move {
                    let service = known(&ctx, &this).await?;
                    let world = ctx.backend().engine().world();
                    Ok(world.service_ports(&service).await?)
                })
        })
        .field("withHostname", "Service!", |f| {
            f.doc("The service under a name that all containers of the session can use.")
                .arg("hostname: String!", "The name.")
                .resolve(|_, this, args| {
                    let name = args.get("hostname")?;
                    Ok(this.then(Op::Service(ServiceOp::Hostname { name }), None))
                })
        })
        .field("start", "ServiceID!", |f| {
            f.doc("Starts it and waits until it is ready. It runs until it is stopped or the session ends.")
                .resolve_async(|ctx, this, _| async move {
                    let service = known(&ctx, &this).await?;
                    ctx.backend().engine().world().start_service(&service).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        })
        .field("stop", "ServiceID!", |f| {
            f.doc("Stops it, whoever uses it.")
                .arg("kill: Boolean = false", "Kill it instead of asking.")
                .resolve_async(|ctx, this, args| async move {
                    let service = known(&ctx, &this).await?;
                    let kill = args.flag("kill");
                    ctx.backend().engine().world().stop_service(&service, kill).await;
                    Ok(ctx.backend().keep(&this.into()))
                })
        })
        .field("sync", "ServiceID!", |f| {
            f.doc("Makes everything it is built from happen now, without starting it.")
                .resolve_async(|ctx, this, _| async move {
                    known(&ctx, &this).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        })
        .field("terminal", "Service!", |f| {
            f.doc("Opens a shell in the running service, beside its command, and waits for the shell's end.")
                .arg(
                    "cmd: [String!] = []",
                    "The shell; by default the container's withDefaultTerminalCmd, or `sh`.",
                )
                .resolve_async(|ctx, this, args| async move {
                    let service = known(&ctx, &this).await?;
                    let shell = Shell {
                        cmd: args.get_or_default("cmd")?,
                        ..Shell::default()
                    };
                    let world = ctx.backend().engine().world();
                    world.shell_in_service(&service, &shell).await?;
                    Ok(this.clone())
                })
        })
        .field("up", "Void", |f| {
            f.doc("Runs it and opens its ports on the host until it ends.")
                .arg(
                    "ports: [PortForward!] = []",
                    "Ports to open; by default all that are declared, by their numbers.",
                )
                .arg(
                    "random: Boolean = false",
                    "Open free ports of the host's choice instead.",
                )
                .resolve_async(|ctx, this, args| async move { up(&ctx, &this, &args).await })
        });
}

async fn known(ctx: &Ctx, service: &ServiceRef) -> Result<Service, FieldError> {
    Ok(ctx.backend().engine().service(&service.0).await?)
}

async fn up(ctx: &Ctx, service: &ServiceRef, args: &Args) -> Result<(), FieldError> {
    on_host(ctx)?;
    let service = known(ctx, service).await?;
    let world = ctx.backend().engine().world();
    Ok(world
        .up(&service, &forwards(args)?, args.flag("random"))
        .await?)
}

fn endpoint_args<T: super::gql::FromObject<super::Object> + 'static>(
    field: FieldBuilder<Api, T>,
) -> FieldBuilder<Api, T> {
    field
        .arg("port: Int", "Port; the first that is declared if absent.")
        .arg(
            "scheme: String = \"\"",
            "Scheme of a URL, such as `http`; without one it is `host:port`.",
        )
}

async fn endpoint(ctx: &Ctx, service: &ServiceRef, args: &Args) -> Result<String, FieldError> {
    let service = known(ctx, service).await?;
    let port = args.get::<Option<i64>>("port")?;
    let port = port.map(|port| number(port, "port")).transpose()?;
    let world = ctx.backend().engine().world();
    let (host, port) = world.service_endpoint(&service, port).await?;
    let scheme: String = args.get_or_default("scheme")?;
    Ok(match scheme.as_str() {
        "" => format!("{host}:{port}"),
        scheme => format!("{scheme}://{host}:{port}"),
    })
}

/// The ports of an argument, as clients write them.
fn forwards(args: &Args) -> Result<Vec<PortForward>, FieldError> {
    #[derive(Deserialize)]
    struct Given {
        frontend: Option<i64>,
        backend: i64,
        #[serde(default)]
        protocol: Option<String>,
    }
    let given: Vec<Given> = args.get_or_default("ports")?;
    given
        .into_iter()
        .map(|port| {
            // 0 is how some clients say that they do not mind.
            let frontend = port.frontend.filter(|port| *port != 0);
            Ok(PortForward {
                frontend: frontend.map(|port| number(port, "frontend")).transpose()?,
                backend: number(port.backend, "backend")?,
                protocol: match port.protocol.as_deref() {
                    Some("UDP") => Protocol::Udp,
                    _ => Protocol::Tcp,
                },
            })
        })
        .collect()
}

fn number(port: i64, what: &str) -> Result<u16, FieldError> {
    u16::try_from(port)
        .ok()
        .filter(|port| *port != 0)
        .ok_or_else(|| FieldError::new(format!("{what} {port} is no port: ports are 1 to 65535")))
}

/// The service of a container, by the rules of the client's generation.
fn as_service(ctx: &Ctx, this: &ContainerRef, args: &Args) -> Result<ServiceRef, FieldError> {
    let given: Vec<String> = args.get_or_default("args")?;
    if given.is_empty() && ctx.before(0, 15, 0) {
        return Ok(legacy_service(this));
    }
    let exec = Exec {
        // A default command is the whole one, as the image means it.
        use_entrypoint: args.flag("useEntrypoint") || given.is_empty(),
        args: given,
        nesting: args.flag("experimentalPrivilegedNesting"),
        insecure: args.flag("insecureRootCapabilities"),
        expand: args.flag("expand"),
        no_init: args.flag("noInit"),
        ..Exec::default()
    };
    let op = ServiceOp::Of(Box::new(exec));
    Ok(made(op, vec![Arc::clone(&this.0)]))
}

/// What a service was before 0.15: the last command of the chain, not run but kept running, or the default one.
fn legacy_service(this: &ContainerRef) -> ServiceRef {
    let mut above = Vec::new();
    let mut current = &this.0;
    let found = loop {
        match (current.op(), current.inputs()) {
            (Op::Exec(exec), [below, ..]) => break Some((exec.clone(), Arc::clone(below))),
            (Op::Configure(_) | Op::BindService { .. } | Op::Mount { .. }, [below, ..]) => {
                above.push(Arc::clone(current));
                current = below;
            }
            _ => break None,
        }
    };
    let Some((exec, below)) = found else {
        let exec = Exec {
            use_entrypoint: true,
            ..Exec::default()
        };
        return made(ServiceOp::Of(Box::new(exec)), vec![Arc::clone(&this.0)]);
    };
    // What was configured after the command belongs to the service all the same.
    let container = above.iter().rev().fold(below, |below, vertex| {
        let others = vertex.inputs().iter().skip(1).cloned();
        let inputs = std::iter::once(below).chain(others).collect();
        Vertex::new(vertex.op().clone(), inputs)
    });
    made(ServiceOp::Of(exec), vec![container])
}

/// The service of a binding; older clients pass a container.
fn bound_service(ctx: &Ctx, args: &Args) -> Result<ServiceRef, FieldError> {
    let id: String = args.get("service")?;
    if !ctx.before(0, 9, 0) {
        return ctx.object(args, "service");
    }
    match ctx.load::<ContainerRef>(&id, None) {
        Ok(container) => Ok(legacy_service(&container)),
        Err(_) => ctx.object(args, "service"),
    }
}
