//! [`Session`]: the engine put together, and the two ways to ask it.

use super::{
    load::{self, LoadedModule},
    server::{Handler, Metadata, Server},
};
use crate::{
    cache::Cache,
    config::{AllowHost, Config, ExecutorName},
    engine::{ClientHost, Engine, Secrets},
    error::{Error, Kind, Result},
    event::Events,
    ops::{
        Gateway, GatewayGuard, HostFacts, Images, Nested, Sandbox, SandboxConfig, World, WorldParts,
    },
    schema::{
        self, Api, Caller, ModuleSpec, Object, Root, declare_module,
        gql::{Executor, Registry, Request, Response, Schema, View},
    },
    source::{AuthSources, ProxyOptions},
};
use nsci_runtime::{ExecutorKind, IdMap, proxy};
use nsci_snapshotter::Store;
use std::{
    fmt,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock, Weak},
};

/// What a session is made of, read by the command from its surroundings.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// Directory of the store.
    pub store_dir: PathBuf,
    /// Directory on a tmpfs for run-time state.
    pub state_dir: PathBuf,
    /// The configuration file's contents.
    pub config: Config,
    /// Where registry credentials are.
    pub auth: AuthSources,
    /// Where skopeo and the signature policies are.
    pub policy: ProxyOptions,
    /// The client's surroundings.
    pub host: ClientHost,
    /// What steps see of the host.
    pub facts: HostFacts,
    /// The ids of the sandbox.
    pub id_map: IdMap,
    /// Where events go.
    pub events: Events,
    /// The generation of the API that the client speaks.
    pub view: View,
}

/// A client's session.
pub struct Session {
    state: Arc<State>,
}

/// What requests share.
struct State {
    api: Arc<Api>,
    registry: RwLock<Registry<Api>>,
    schema: RwLock<Arc<Schema<Api>>>,
    view: RwLock<View>,
    runtime: tokio::runtime::Handle,
    main: Arc<Caller>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").finish_non_exhaustive()
    }
}

impl Session {
    /// Opens the store and puts the engine together. Starts no process and asks no network.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub async fn open(settings: SessionSettings) -> Result<Arc<Self>> {
        let fingerprint = settings.id_map.fingerprint();
        let store = Store::open(&settings.store_dir, &fingerprint).map_err(|error| {
            let place = settings.store_dir.display().to_string();
            Error::caused(Kind::Host, format!("cannot use the store {place}"), error)
                .hint("NSCI_DATA_DIR names another directory")
        })?;
        store
            .sweep()
            .map_err(|error| Error::caused(Kind::Host, "cannot clean up the store", error))?;
        let store = Arc::new(store);
        let cache = Cache::open(Arc::clone(&store))
            .map_err(|error| Error::caused(Kind::Host, "cannot use the store", error))?;
        let images = Images::new(
            &settings.config,
            settings.auth,
            settings.policy,
            &store,
            &settings.events,
        );
        let sandbox = SandboxConfig {
            state_dir: settings.state_dir,
            id_map: settings.id_map,
            policy: policy(&settings.config),
            executor: match settings.config.sandbox.executor {
                ExecutorName::Native => ExecutorKind::Native,
                ExecutorName::Libcontainer => ExecutorKind::Libcontainer,
            },
        };
        let secrets = Arc::new(Secrets::new(settings.host));
        let world = World::new(WorldParts {
            cache: Arc::new(cache),
            images,
            sandbox: Sandbox::new(sandbox, Arc::clone(&store)),
            client: Arc::clone(&secrets) as _,
            events: settings.events,
            facts: settings.facts,
            limits: settings.config.cache.clone(),
        });
        let registry = schema::core();
        let core = build(registry.clone())?;
        let engine = Engine::new(Arc::clone(&world), secrets);
        let state = Arc::new(State {
            api: Api::new(engine),
            registry: RwLock::new(registry),
            schema: RwLock::new(core),
            view: RwLock::new(settings.view),
            runtime: tokio::runtime::Handle::current(),
            main: Caller::main(),
        });
        world.set_gateway(Arc::new(Door {
            state: Arc::downgrade(&state),
        }));
        Ok(Arc::new(Self { state }))
    }

    /// Answers a request of the main client.
    pub async fn execute(&self, request: &Request) -> Response {
        self.state.executor(&self.state.main).execute(request).await
    }

    /// Says which generation of the API the main client speaks.
    pub fn set_view(&self, view: View) {
        *self
            .state
            .view
            .write()
            .unwrap_or_else(PoisonError::into_inner) = view;
    }

    /// The API, modules included.
    pub fn schema(&self) -> Arc<Schema<Api>> {
        self.state.schema()
    }

    /// Serves the API to the main client until the server is dropped or shut down.
    ///
    /// # Errors
    /// If the listener cannot be used.
    pub fn serve(&self, listener: std::net::TcpListener, token: &str) -> Result<Server> {
        let handler = Arc::new(Requests {
            state: Arc::clone(&self.state),
        });
        Server::on(listener, handler, Arc::clone(&self.state.main), token)
            .map_err(|error| Error::caused(Kind::Host, "cannot serve the API", error))
    }

    /// Loads the module that a directory is in, and adds it to the API.
    ///
    /// # Errors
    /// If there is no module, or its configuration or sources are wrong.
    pub async fn load_module(&self, directory: &Path) -> Result<Arc<LoadedModule>> {
        let spec = Arc::new(load::load(&self.state.api, directory).await?);
        self.state.install(&spec)?;
        Ok(Arc::new(LoadedModule::new(&spec)))
    }

    /// Stops all services; call it when nobody asks any more, whatever became of the requests.
    pub async fn stop_services(&self) {
        self.state.api.engine().world().stop_services().await;
    }

    /// Ends the session's work on disk; call it when the last answer was given.
    ///
    /// # Errors
    /// If the store cannot be written.
    pub async fn close(&self) -> Result<()> {
        self.state.api.engine().world().settle_disk().await
    }

    /// Whether anything had to run, rather than be remembered.
    pub fn used_sandbox(&self) -> bool {
        self.state.api.engine().world().used_sandbox()
    }
}

impl State {
    fn schema(&self) -> Arc<Schema<Api>> {
        Arc::clone(&self.schema.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn install(&self, spec: &Arc<ModuleSpec>) -> Result<()> {
        let mut registry = self
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let mut extended = registry.clone();
        declare_module(&mut extended, spec);
        let schema = build(extended.clone())?;
        *registry = extended;
        *self.schema.write().unwrap_or_else(PoisonError::into_inner) = schema;
        Ok(())
    }

    fn executor(&self, caller: &Arc<Caller>) -> Executor<Api> {
        let view = *self.view.read().unwrap_or_else(PoisonError::into_inner);
        // Functions run with the SDK of this nsci, whatever the main client speaks.
        let view = if caller.is_function() {
            View::LATEST
        } else {
            view
        };
        let (api, caller) = (Arc::clone(&self.api), Arc::clone(caller));
        Executor::new(self.schema(), api, caller, view, Object::Query(Root))
    }
}

fn build(registry: Registry<Api>) -> Result<Arc<Schema<Api>>> {
    schema::build(registry).map_err(|error| {
        Error::invalid(error.message)
            .hint("a module's types clash with each other or with the core's")
    })
}

/// What steps may reach beyond the outside world, in the proxy's words. Names are looked up when
/// the session starts to use the network; only addresses can be told here.
fn policy(config: &Config) -> proxy::Policy {
    let mut policy = proxy::Policy::default();
    for rule in &config.network.allow {
        let AllowHost::Net { address, bits } = &rule.host else {
            continue;
        };
        let text = match rule.port {
            Some(port) => format!("[{address}/{bits}]:{port}"),
            None => format!("{address}/{bits}"),
        };
        policy.allow.extend(text.parse::<proxy::Allow>());
    }
    policy
}

/// Answers HTTP requests.
struct Requests {
    state: Arc<State>,
}

impl Handler for Requests {
    type Client = Caller;

    async fn handle(&self, client: Arc<Caller>, request: Request, _: Metadata) -> Response {
        self.state.executor(&client).execute(&request).await
    }
}

/// Lets commands and functions into the API.
struct Door {
    state: Weak<State>,
}

impl Gateway for Door {
    fn nested(&self) -> Result<Nested> {
        Ok(Nested {
            token: schema::new_token()?,
            context: Caller::nested(),
        })
    }

    fn serve(&self, listener: OwnedFd, nested: Nested) -> Result<GatewayGuard> {
        let gone = || Error::internal("the session has ended");
        let state = self.state.upgrade().ok_or_else(gone)?;
        let caller = nested
            .context
            .downcast::<Caller>()
            .map_err(|_| Error::internal("a nested client of unknown kind"))?;
        // Called on a thread of a step, so the runtime has to be named.
        let _entered = state.runtime.enter();
        let handler = Arc::new(Requests {
            state: Arc::clone(&state),
        });
        let server = Server::on(listener.into(), handler, caller, &nested.token)
            .map_err(|error| Error::caused(Kind::Host, "cannot serve the API to a step", error))?;
        Ok(Box::new(server))
    }
}
