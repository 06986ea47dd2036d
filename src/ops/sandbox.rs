//! The sandbox of this process: namespaces, keeper, proxy and name server, started together when
//! the first operation needs them and gone with the process.

use crate::{
    error::{Error, Kind, Result},
    event::Events,
    service::NameTable,
};
use nsci_runtime::{
    ExecutorKind, IdMap, IdMapKind, Limits, Session, SessionConfig, dns, network, proxy,
    spec::{Network, Seccomp},
};
use nsci_snapshotter::{Store, keeper};
use std::{
    fmt,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
};
use tokio::sync::OnceCell;

/// What a sandbox needs to start.
#[derive(Clone, Debug)]
pub struct SandboxConfig {
    /// Directory on a tmpfs for run-time state.
    pub state_dir: PathBuf,
    /// The ids of the session.
    pub id_map: IdMap,
    /// Whether steps have more than a loopback device.
    pub network: bool,
    /// What steps may reach.
    pub policy: proxy::Policy,
    /// What builds the steps.
    pub executor: ExecutorKind,
    /// What each step may use.
    pub limits: Limits,
}

/// The sandbox, started or not.
pub struct Sandbox {
    config: SandboxConfig,
    store: Arc<Store>,
    names: Arc<NameTable>,
    events: Events,
    live: OnceCell<Arc<Live>>,
}

impl fmt::Debug for Sandbox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sandbox")
            .field("live", &self.live.initialized())
            .finish_non_exhaustive()
    }
}

/// What answers the steps' packets.
#[derive(Default)]
struct Servers {
    proxy: Option<proxy::Proxy>,
    _dns: Option<dns::Server>,
}

/// The sandbox while it runs. Fields are dropped in this order: servers before what they serve.
pub(super) struct Live {
    servers: Servers,
    has_network: bool,
    /// What each step may use.
    pub(super) limits: Limits,
    /// Which calls steps may make.
    pub(super) filter: Seccomp,
    pub(super) keeper: keeper::Client,
    pub(super) session: Session,
    next_host: AtomicU32,
}

const SHARED_PROC: &str = "the container around hides parts of /proc, so steps see its processes and each other's; \
    `nsci doctor` says how to change that";

/// Addresses that can stand for services of the host.
const HOST_ADDRESSES: u32 = 254;

impl Live {
    /// The way out of the session's network, if this kernel offers one.
    pub(super) fn proxy(&self) -> Option<&proxy::Proxy> {
        self.servers.proxy.as_ref()
    }

    /// Which network steps get.
    pub(super) fn network(&self) -> Network {
        if self.has_network {
            Network::Isolated
        } else {
            Network::None
        }
    }

    /// Refuses what makes no sense without a network.
    pub(super) fn need_network(&self, what: &str) -> Result<()> {
        if self.has_network {
            return Ok(());
        }
        Err(Error::new(
            Kind::Host,
            format!("{what} cannot be reached without a network"),
        )
        .hint("the configuration says network.mode = \"none\""))
    }

    /// A place in the block that stands for services of the host; none when all are taken.
    pub(super) fn next_host_address(&self) -> Option<u8> {
        let place = self.next_host.fetch_add(1, Ordering::Relaxed);
        u8::try_from(place)
            .ok()
            .filter(|place| u32::from(*place) < HOST_ADDRESSES)
    }
}

impl Sandbox {
    /// A sandbox that does not run yet.
    pub fn new(config: SandboxConfig, store: Arc<Store>, events: Events) -> Self {
        // Other sessions cannot ask for this one's names, so it is enough that people can tell them apart.
        let session = format!("s{}", std::process::id());
        Self {
            config,
            store,
            names: Arc::new(NameTable::new(&session)),
            events,
            live: OnceCell::new(),
        }
    }

    /// The names by which steps find services.
    pub(super) fn names(&self) -> &Arc<NameTable> {
        &self.names
    }

    /// Whether it runs.
    pub fn is_live(&self) -> bool {
        self.live.initialized()
    }

    /// The running sandbox, started if need be.
    pub(super) async fn live(&self) -> Result<Arc<Live>> {
        let start = || async {
            let config = self.config.clone();
            let (store, names) = (Arc::clone(&self.store), Arc::clone(&self.names));
            let live = tokio::task::spawn_blocking(move || start(config, &store, names))
                .await
                .map_err(|error| {
                    Error::caused(Kind::Internal, "cannot start the sandbox", error)
                })??;
            if !live.session.has_own_proc() {
                self.events.warn(SHARED_PROC);
            }
            Ok(live)
        };
        self.live.get_or_try_init(start).await.cloned()
    }
}

fn start(config: SandboxConfig, store: &Store, names: Arc<NameTable>) -> Result<Arc<Live>> {
    let names: Arc<dyn dns::Names> = Arc::new(SessionNames(names));
    // With one id no owner can change; programs that try must not fail for it.
    let filter = match config.id_map.kind {
        IdMapKind::Single => Seccomp::FakeRoot,
        IdMapKind::Subordinate | IdMapKind::Root => Seccomp::Default,
    };
    let mounts = config
        .state_dir
        .join("keeper")
        .to_string_lossy()
        .into_owned();
    let session = Session::start(SessionConfig {
        state_dir: config.state_dir,
        id_map: config.id_map,
        // Also where steps have none: then it hides the host's interfaces.
        network: true,
        executor: config.executor,
        limits: config.limits,
    })
    .map_err(sandbox_error)?;
    let root = store.layout().root().to_string_lossy().into_owned();
    let control = session
        .spawn_child("nsci-keeper", &[root, mounts])
        .map_err(sandbox_error)?;
    let keeper = keeper::Client::new(control);
    keeper
        .ping()
        .map_err(|error| Error::caused(Kind::Host, "cannot start the sandbox", error))?;
    let servers = if config.network {
        serve_network(&session, config.policy, names)?
    } else {
        Servers::default()
    };
    Ok(Arc::new(Live {
        servers,
        has_network: config.network,
        limits: config.limits,
        filter,
        keeper,
        session,
        next_host: AtomicU32::new(0),
    }))
}

/// Starts what answers the steps' packets: the way out and the name server.
fn serve_network(
    session: &Session,
    policy: proxy::Policy,
    names: Arc<dyn dns::Names>,
) -> Result<Servers> {
    let failed = |error| Error::caused(Kind::Host, "cannot serve the sandbox's network", error);
    let Some(sockets) = network::EngineSockets::from_named(session.network_fds()) else {
        return Ok(Servers::default());
    };
    let (udp, tcp, files) = (sockets.dns_udp, sockets.dns_tcp, dns::HostFiles::default());
    let Some(listener) = sockets.proxy else {
        let dns = dns::Server::start(udp, tcp, names, files).map_err(failed)?;
        return Ok(Servers {
            proxy: None,
            _dns: Some(dns),
        });
    };
    let entrances = proxy::Entrances {
        listeners: [listener].into_iter().chain(sockets.proxy6).collect(),
        relays: sockets.relay.into_iter().chain(sockets.relay6).collect(),
        sockets: session.sockets().map_err(sandbox_error)?,
    };
    let proxy = proxy::Proxy::start(entrances, policy, Arc::new(|_| {})).map_err(failed)?;
    let gate = Arc::new(proxy.name_gate());
    let dns = dns::Server::start_behind(udp, tcp, names, files, gate).map_err(failed)?;
    Ok(Servers {
        proxy: Some(proxy),
        _dns: Some(dns),
    })
}

/// The session's names, as the name server asks for them.
struct SessionNames(Arc<NameTable>);

impl dns::Names for SessionNames {
    fn lookup(&self, step: std::net::IpAddr, name: &str) -> Option<Vec<std::net::IpAddr>> {
        self.0.lookup(step, name)
    }

    fn owns(&self, name: &str) -> bool {
        self.0.owns(name)
    }
}

/// An error of the sandbox as the user meets it.
pub(super) fn sandbox_error(error: nsci_runtime::Error) -> Error {
    match error {
        nsci_runtime::Error::Cancelled => Error::new(Kind::Cancelled, "cancelled"),
        nsci_runtime::Error::IdMap(problem) => {
            let hint = problem.hint();
            Error::caused(Kind::Host, "cannot set up the sandbox", problem).hint(hint)
        }
        nsci_runtime::Error::Limits(problem) => {
            let hint = problem.hint();
            Error::caused(Kind::Host, "cannot enforce the configured limits", problem).hint(hint)
        }
        error => Error::caused(Kind::Host, "cannot run in the sandbox", error)
            .hint("`nsci doctor` says what this host lacks"),
    }
}
