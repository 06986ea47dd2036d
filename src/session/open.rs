//! [`Session`]: the engine put together, and the two ways to ask it.

use super::{
    load::LoadedModule,
    modules::Modules,
    server::{Handler, Metadata, Server},
};
use crate::{
    cache::Cache,
    config::{AllowHost, Config, ExecutorName, NetworkMode},
    engine::{ClientHost, Engine, Secrets},
    error::{Error, Kind, Result},
    event::Events,
    ops::{
        FailedStep, Gateway, GatewayGuard, HostFacts, Images, Nested, Running, Sandbox,
        SandboxConfig, Terminal, World, WorldParts,
    },
    schema::{
        self, Api, Caller, CallerKind, FoundModule, ModuleLoader, ModuleSpec, OWN, Object, Root,
        gql::{ErrorEntry, Executor, Request, Response, Schema, View},
    },
    source::{AuthSources, Downloader, ProxyOptions, git_modules::GitModules},
};
use futures_util::future::{BoxFuture, FutureExt as _};
use nsci_runtime::{ExecutorKind, IdMap, Limits, proxy};
use nsci_snapshotter::Store;
use std::{
    collections::HashMap,
    fmt,
    os::fd::OwnedFd,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError, RwLock, Weak},
};

/// What a session is made of, read by the command from its surroundings.
#[derive(Clone)]
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
    /// The client's terminal.
    pub terminal: Arc<dyn Terminal>,
    /// The command that looks at a step that failed, if the user wants to.
    pub on_failure: Option<Vec<String>>,
    /// The generation of the API that the client gets, if that is decided.
    pub view: Option<View>,
}

impl fmt::Debug for SessionSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionSettings")
            .field("store_dir", &self.store_dir)
            .finish_non_exhaustive()
    }
}

/// A client's session.
pub struct Session {
    state: Arc<State>,
}

/// What requests share.
struct State {
    api: Arc<Api>,
    modules: Modules,
    /// What the main client may call beside the core.
    served: Mutex<Vec<(String, Arc<ModuleSpec>)>>,
    schema: RwLock<Arc<Schema<Api>>>,
    /// The API as functions of each module see it.
    module_schemas: Mutex<HashMap<String, SeenApi>>,
    runtime: tokio::runtime::Handle,
    main: Arc<Caller>,
}

/// The API as one module sees it.
struct SeenApi {
    /// How many modules there were when it was made.
    modules: usize,
    schema: Arc<Schema<Api>>,
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
            network: settings.config.network.mode == NetworkMode::Isolated,
            policy: policy(&settings.config),
            limits: Limits {
                memory: settings.config.sandbox.memory.map(|size| size.0),
                cpu_millis: settings.config.sandbox.cpus.map(|cpus| cpus.0),
                pids: settings.config.sandbox.pids.map(|count| count.get().into()),
            },
            executor: executor(settings.config.sandbox.executor)?,
        };
        let git = GitModules::new(settings.store_dir.join("git"), settings.host.env.clone());
        let secrets = Arc::new(Secrets::new(settings.host, settings.config.network.clone()));
        let world = World::new(WorldParts {
            cache: Arc::new(cache),
            images,
            sandbox: Sandbox::new(sandbox, Arc::clone(&store), settings.events.clone()),
            client: Arc::clone(&secrets) as _,
            terminal: settings.terminal,
            on_failure: settings.on_failure,
            events: settings.events,
            facts: settings.facts,
            limits: settings.config.cache.clone(),
            downloader: Downloader::new(settings.config.network.clone()),
            git: git.clone(),
        });
        let registry = schema::core();
        let core =
            schema::build(registry.clone()).map_err(|error| Error::internal(error.message))?;
        let engine = Engine::new(Arc::clone(&world), secrets);
        let api = Api::new(engine, core.table())?;
        let state = Arc::new(State {
            modules: Modules::new(Arc::clone(&api), registry, git),
            api,
            served: Mutex::default(),
            schema: RwLock::new(core),
            module_schemas: Mutex::default(),
            runtime: tokio::runtime::Handle::current(),
            main: Caller::main(),
        });
        let loader: Weak<State> = Arc::downgrade(&state);
        state.api.set_modules(loader);
        if let Some(view) = settings.view {
            state.main.fix_view(view);
        }
        world.set_gateway(Arc::new(Door {
            state: Arc::downgrade(&state),
        }));
        Ok(Arc::new(Self { state }))
    }

    /// Answers a request of the main client.
    pub async fn execute(&self, request: &Request) -> Response {
        self.state.execute(&self.state.main, request).await
    }

    /// Notes which generation of the API the main client seems to speak.
    pub fn learn_view(&self, view: View) {
        self.state.main.learn_view(view);
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

    /// Finds the module that a reference names: a path relative to `base`, or a directory of a git repository.
    ///
    /// # Errors
    /// If it is no reference, or its repository cannot be fetched.
    pub async fn find_module(&self, base: &Path, reference: &str) -> Result<FoundModule> {
        self.state.modules.find(base, reference, None).await
    }

    /// Loads a module, and adds it and the modules it uses to the API.
    ///
    /// # Errors
    /// If there is no module, or it or one that it builds on is wrong.
    pub async fn load_module(&self, found: &FoundModule) -> Result<Arc<LoadedModule>> {
        let spec = self.state.modules.load(found).await?;
        self.state.serve(&spec, true)?;
        Ok(Arc::new(LoadedModule::new(&spec)))
    }

    /// The steps that failed lately and can still be looked at, the last one last.
    pub fn failed_steps(&self) -> Vec<FailedStep> {
        self.world().failed_steps()
    }

    /// The failed step whose name begins so; the last one of all if nothing is said.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn failed_step(&self, begin: Option<&str>) -> Result<FailedStep> {
        self.world().failed_step(begin)
    }

    /// Secrets that a failed step needs and that only its program knew: scope and name.
    pub fn missing_secrets(&self, step: &FailedStep) -> Vec<(String, String)> {
        self.world().missing_secrets(step)
    }

    /// Gives a secret its value, as a program does with `setSecret`.
    ///
    /// # Errors
    /// If it is too long.
    pub fn set_secret(&self, scope: &str, name: &str, value: &str) -> Result<()> {
        let engine = self.state.api.engine();
        engine.secrets().set(scope, name, value).map(drop)
    }

    /// Opens a shell in what a failed step left.
    ///
    /// # Errors
    /// If it is gone, the client has no terminal, or the container no shell.
    pub async fn debug(&self, step: &FailedStep, cmd: Vec<String>) -> Result<()> {
        self.world().debug(step, cmd).await
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

    /// What operations work with.
    pub fn world(&self) -> &Arc<World> {
        self.state.api.engine().world()
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

    /// Lets the main client call a module, and those that it uses.
    fn serve(&self, spec: &Arc<ModuleSpec>, with_dependencies: bool) -> Result<()> {
        let mut served = self.served.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wanted = served.clone();
        let used = spec.dependencies.iter().filter(|_| with_dependencies);
        let used = used.map(|used| (used.query_field(), Arc::clone(&used.module)));
        for (field, module) in std::iter::once((spec.query_field(), Arc::clone(spec))).chain(used) {
            if wanted.iter().all(|(known, _)| *known != field) {
                wanted.push((field, module));
            }
        }
        let schema = self.modules.schema(&wanted)?;
        *served = wanted;
        *self.schema.write().unwrap_or_else(PoisonError::into_inner) = schema;
        Ok(())
    }

    /// The API as a module's functions see it: its own types, and what it directly depends on.
    fn module_schema(&self, spec: &Arc<ModuleSpec>) -> Result<Arc<Schema<Api>>> {
        let count = self.modules.all().len();
        let lock = || {
            self.module_schemas
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        };
        if let Some(seen) = lock().get(&spec.identity)
            && seen.modules == count
        {
            return Ok(Arc::clone(&seen.schema));
        }
        let used = spec.dependencies.iter();
        let mut constructors: Vec<_> = used
            .map(|used| (used.query_field(), Arc::clone(&used.module)))
            .collect();
        spec.offer_to_itself(&mut constructors);
        let schema = self.modules.schema(&constructors)?;
        let seen = SeenApi {
            modules: count,
            schema: Arc::clone(&schema),
        };
        lock().insert(spec.identity.clone(), seen);
        Ok(schema)
    }

    fn executor(&self, caller: &Arc<Caller>) -> Result<Executor<Api>> {
        // A nested command that says nothing speaks like the program that runs it.
        let view = caller.view().or_else(|| self.main.view());
        let view = view.unwrap_or(View::LATEST);
        let schema = match &caller.kind {
            CallerKind::Function(call) => self.module_schema(&call.module)?,
            CallerKind::Main | CallerKind::Nested => self.schema(),
        };
        let (api, caller) = (Arc::clone(&self.api), Arc::clone(caller));
        Ok(Executor::new(
            schema,
            api,
            caller,
            view,
            Object::Query(Root),
        ))
    }

    async fn execute(&self, caller: &Arc<Caller>, request: &Request) -> Response {
        match self.executor(caller) {
            Ok(executor) => executor.execute(request).await,
            Err(error) => Response::refused(&[ErrorEntry {
                message: error.full_message(),
                ..ErrorEntry::default()
            }]),
        }
    }
}

impl ModuleLoader for State {
    fn find(&self, reference: String, pin: String) -> BoxFuture<'_, Result<FoundModule>> {
        async move {
            let base = self.api.engine().secrets().host().workdir.clone();
            let pin = Some(pin.as_str()).filter(|pin| !pin.is_empty());
            self.modules.find(&base, &reference, pin).await
        }
        .boxed()
    }

    fn load(&self, found: FoundModule) -> BoxFuture<'_, Result<Arc<ModuleSpec>>> {
        async move { self.modules.load(&found).await }.boxed()
    }

    fn serve(&self, module: &Arc<ModuleSpec>, with_dependencies: bool) -> Result<()> {
        Self::serve(self, module, with_dependencies)
    }

    fn calling(&self, module: &Arc<ModuleSpec>) -> Result<Arc<Schema<Api>>> {
        let used = module.dependencies.iter();
        let used = used.map(|used| (used.query_field(), Arc::clone(&used.module)));
        let own = (OWN.to_owned(), Arc::clone(module));
        let constructors: Vec<_> = std::iter::once(own).chain(used).collect();
        self.modules.schema(&constructors)
    }

    fn loaded(&self, identity: &str) -> Option<Arc<ModuleSpec>> {
        let all = self.modules.all();
        all.into_iter().find(|spec| spec.identity == identity)
    }

    fn module_of(&self, type_name: &str) -> Option<String> {
        let has = |spec: &&Arc<ModuleSpec>| {
            let types = &spec.types;
            let objects = types.objects.iter().map(|ty| &ty.api_name);
            let enums = types.enums.iter().map(|ty| &ty.api_name);
            let interfaces = types.interfaces.iter().map(|ty| &ty.api_name);
            objects
                .chain(enums)
                .chain(interfaces)
                .any(|name| name == type_name)
        };
        let all = self.modules.all();
        all.iter().find(has).map(|spec| spec.name.clone())
    }

    fn introspection(&self, module: Option<&Arc<ModuleSpec>>) -> BoxFuture<'_, Result<String>> {
        let used = module.map_or_else(Vec::new, |module| module.dependencies.clone());
        async move { self.modules.introspection(&used).await }.boxed()
    }
}

/// What steps may reach beyond the outside world, in the proxy's words. Names are looked up when
/// the session starts to use the network; only addresses can be told here.
fn policy(config: &Config) -> proxy::Policy {
    let mut policy = proxy::Policy::default();
    for rule in &config.network.allow {
        match &rule.host {
            AllowHost::Net { address, bits } => {
                policy.allow.extend(destination(*address, *bits, rule.port));
            }
            AllowHost::Name(name) => policy.allow_names.push(proxy::NameRule {
                name: name.trim_end_matches('.').to_owned(),
                port: rule.port,
            }),
        }
    }
    for rule in &config.network.deny {
        match &rule.host {
            AllowHost::Net { address, bits } => {
                policy.deny.extend(destination(*address, *bits, rule.port));
            }
            AllowHost::Name(name) => {
                policy
                    .deny_names
                    .push(name.trim_end_matches('.').to_owned());
            }
        }
    }
    policy
}

fn destination(
    address: std::net::IpAddr,
    bits: u8,
    port: Option<u16>,
) -> std::result::Result<proxy::Destination, proxy::ParseDestinationError> {
    match port {
        Some(port) => format!("[{address}/{bits}]:{port}").parse(),
        None => format!("{address}/{bits}").parse(),
    }
}

/// Answers HTTP requests.
struct Requests {
    state: Arc<State>,
}

impl Handler for Requests {
    type Client = Caller;

    async fn handle(&self, client: Arc<Caller>, request: Request, _: Metadata) -> Response {
        self.state.execute(&client, &request).await
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
            running: Running::default(),
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

/// The executor that a name of the configuration means.
fn executor(name: ExecutorName) -> Result<ExecutorKind> {
    match name {
        ExecutorName::Native => Ok(ExecutorKind::Native),
        ExecutorName::Libcontainer if takes_layers_one_by_one() => Ok(ExecutorKind::Libcontainer),
        ExecutorName::Libcontainer => Err(Error::new(
            Kind::Host,
            "`sandbox.executor = \"libcontainer\"` needs Linux 6.5 or later",
        )
        .hint("take the setting out: the native executor needs Linux 5.12 only")),
    }
}

/// Whether the kernel is 6.5 or later, where an overlay's layers can be given one by one.
fn takes_layers_one_by_one() -> bool {
    let name = rustix::system::uname();
    let release = name.release().to_string_lossy();
    let mut numbers = release
        .split(|c: char| !c.is_ascii_digit())
        .filter_map(|part| part.parse::<u32>().ok());
    (numbers.next(), numbers.next()) >= (Some(6), Some(5))
}
