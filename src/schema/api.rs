//! [`Api`]: the session behind the resolvers: its engine, its objects by id, its modules.

use super::{
    gql::{Backend, FieldError, TypeTable, View},
    module_api::ModuleLoader,
    modules::ModuleSpec,
    object::{CurrentCall, CurrentModule, HostRef, Object, Outcome, Root},
};
use crate::{
    engine::Engine,
    error::{Error, Kind},
    graph::{Key, SecretRef, fingerprint},
    module::CallRequest,
    ops::Running,
};
use serde_json::json;
use std::{
    collections::{HashMap, HashSet},
    fmt,
    path::PathBuf,
    sync::{
        Arc, Mutex, OnceLock, PoisonError, Weak,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::sync::OnceCell;

/// A check of a session: what tells its module from others, and its path there.
type CheckKey = (String, Vec<String>);

/// A session as its resolvers see it.
pub struct Api {
    engine: Arc<Engine>,
    /// Makes ids that only this session can make: who holds one was given it.
    id_key: [u8; blake3::KEY_LEN],
    objects: Mutex<HashMap<String, Object>>,
    core_types: HashSet<String>,
    calls: Mutex<HashMap<Key, Arc<OnceCell<String>>>>,
    checks: Mutex<HashMap<CheckKey, Arc<OnceCell<Outcome>>>>,
    modules: OnceLock<Weak<dyn ModuleLoader>>,
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").finish_non_exhaustive()
    }
}

/// Who asks.
#[derive(Debug)]
pub struct Caller {
    /// What it is.
    pub kind: CallerKind,
    /// Where its names of secrets and cache volumes belong.
    pub scope: String,
    view: Mutex<KnownView>,
}

/// What is known of the generation of the API that a client speaks.
#[derive(Clone, Copy, Debug)]
enum KnownView {
    /// Nothing.
    Unknown,
    /// What the client let slip.
    Learnt(View),
    /// What was decided for it.
    Fixed(View),
}

/// What a caller is.
#[derive(Debug)]
pub enum CallerKind {
    /// The program that started the session, with the host it runs on.
    Main,
    /// A command of a pipeline that may call the API. It has no host.
    Nested,
    /// A module's function.
    Function(Box<FunctionCall>),
}

/// A call of a module's function while it is served.
#[derive(Debug)]
pub struct FunctionCall {
    /// The module.
    pub module: Arc<ModuleSpec>,
    /// What is called and with what.
    pub request: CallRequest,
    /// What came of it; the last answer counts.
    answer: Mutex<Option<Result<String, FieldError>>>,
    touched_secrets: AtomicBool,
    /// Where the function runs.
    pub(super) running: Running,
}

impl Caller {
    fn new(kind: CallerKind, scope: String, view: KnownView) -> Arc<Self> {
        let view = Mutex::new(view);
        Arc::new(Self { kind, scope, view })
    }

    /// The main client.
    pub fn main() -> Arc<Self> {
        Self::new(CallerKind::Main, "mainClient".into(), KnownView::Unknown)
    }

    /// A command that may call the API.
    pub fn nested() -> Arc<Self> {
        Self::new(CallerKind::Nested, "mainClient".into(), KnownView::Unknown)
    }

    /// A module's function.
    pub fn function(call: FunctionCall) -> Arc<Self> {
        let scope = call.module.scope();
        let view = KnownView::Fixed(call.module.view());
        Self::new(CallerKind::Function(Box::new(call)), scope, view)
    }

    /// The generation of the API that the caller is known to speak.
    pub fn view(&self) -> Option<View> {
        match *self.view.lock().unwrap_or_else(PoisonError::into_inner) {
            KnownView::Unknown => None,
            KnownView::Learnt(view) | KnownView::Fixed(view) => Some(view),
        }
    }

    /// Decides which generation of the API the caller gets.
    pub fn fix_view(&self, view: View) {
        let mut known = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        *known = KnownView::Fixed(view);
    }

    /// Notes which generation of the API the caller seems to speak; nothing that was decided changes.
    pub fn learn_view(&self, view: View) {
        let mut known = self.view.lock().unwrap_or_else(PoisonError::into_inner);
        if !matches!(*known, KnownView::Fixed(_)) {
            *known = KnownView::Learnt(view);
        }
    }

    /// Whether it is a module's function.
    pub fn is_function(&self) -> bool {
        matches!(self.kind, CallerKind::Function(_))
    }

    /// The call that this caller serves.
    ///
    /// # Errors
    /// If it serves none.
    pub fn call(&self) -> Result<&FunctionCall, FieldError> {
        match &self.kind {
            CallerKind::Function(call) => Ok(call),
            _ => Err(FieldError::new(
                "no function call is being served by this client",
            )),
        }
    }
}

impl FunctionCall {
    /// A call that was not answered yet.
    pub fn new(module: Arc<ModuleSpec>, request: CallRequest) -> Self {
        Self {
            module,
            request,
            answer: Mutex::default(),
            touched_secrets: AtomicBool::new(false),
            running: Running::default(),
        }
    }

    /// Whether the function set a secret, so that its answer means nothing in another session.
    pub fn touched_secrets(&self) -> bool {
        self.touched_secrets.load(Ordering::Relaxed)
    }

    /// Takes the answer: the result as JSON text, or an error.
    pub fn answer(&self, answer: Result<String, FieldError>) {
        *self.answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answer);
    }

    /// The answer, if there was one.
    pub fn take_answer(&self) -> Option<Result<String, FieldError>> {
        self.answer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Api {
    /// The API of an engine; `core` is what it has without modules.
    ///
    /// # Errors
    /// If the system has no random numbers.
    pub fn new(engine: Arc<Engine>, core: &TypeTable) -> Result<Arc<Self>, Error> {
        let mut id_key = [0; blake3::KEY_LEN];
        super::call::randomise(&mut id_key)?;
        let types = core.types().iter().map(|ty| ty.name.to_string());
        Ok(Arc::new(Self {
            engine,
            id_key,
            objects: Mutex::default(),
            core_types: types.collect(),
            calls: Mutex::default(),
            checks: Mutex::default(),
            modules: OnceLock::new(),
        }))
    }

    /// The engine.
    pub fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    /// Says who finds and loads modules; once, when the session is put together.
    pub fn set_modules(&self, modules: Weak<dyn ModuleLoader>) {
        // A second one would be a fault of the session's; the first stays.
        self.modules.set(modules).ok();
    }

    /// Who finds and loads modules.
    pub(super) fn modules(&self) -> Result<Arc<dyn ModuleLoader>, FieldError> {
        let modules = self.modules.get().and_then(Weak::upgrade);
        modules.ok_or_else(|| FieldError::new("the session has ended"))
    }

    /// Name of the module that a type of the API is of; empty for the core's.
    pub(super) fn module_of(&self, type_name: &str) -> String {
        if self.is_core_type(type_name) {
            return String::new();
        }
        self.modules()
            .ok()
            .and_then(|modules| modules.module_of(type_name))
            .unwrap_or_default()
    }

    /// Whether the API has a type of this name without any module.
    pub fn is_core_type(&self, name: &str) -> bool {
        self.core_types.contains(name)
    }

    /// Where the answer of a function call is kept while the session lasts.
    pub(super) fn call_cell(&self, key: &Key) -> Arc<OnceCell<String>> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(calls.entry(key.clone()).or_default())
    }

    /// Where the outcome of a check is kept while the session lasts.
    pub(super) fn check_cell(&self, check: CheckKey) -> Arc<OnceCell<Outcome>> {
        let mut checks = self.checks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(checks.entry(check).or_default())
    }

    /// Makes an object known by its id, and says the id.
    pub fn keep(&self, object: &Object) -> String {
        let name = object.graphql_type();
        let key = match (object.vertex(), object.save()) {
            (Some(vertex), _) => vertex.id().to_string(),
            (None, Some(saved)) => fingerprint("object", &saved).to_string(),
            (None, None) => return name.to_owned(),
        };
        let key = blake3::keyed_hash(&self.id_key, key.as_bytes()).to_hex();
        let id = format!("{name}:{}", &key[..40]);
        let mut objects = self.objects.lock().unwrap_or_else(PoisonError::into_inner);
        objects.entry(id.clone()).or_insert_with(|| object.clone());
        id
    }

    /// The object with an id.
    pub fn find(&self, id: &str) -> Option<Object> {
        match id {
            "Query" => return Some(Object::Query(Root)),
            "Host" => return Some(Object::Host(HostRef)),
            "FunctionCall" => return Some(Object::FunctionCall(CurrentCall)),
            "CurrentModule" => return Some(Object::CurrentModule(CurrentModule)),
            _ => {}
        }
        self.objects
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get(id)
            .cloned()
    }

    /// A path of the main client's host.
    ///
    /// # Errors
    /// If the caller has no host.
    pub fn host_path(&self, caller: &Caller, path: &str) -> Result<PathBuf, FieldError> {
        match caller.kind {
            CallerKind::Main => Ok(self.engine.secrets().host().path(path)),
            CallerKind::Nested | CallerKind::Function(_) => Err(FieldError::new(format!(
                "cannot use host path {path}: functions and nested commands have no host; \
                 pass a Directory or File argument instead"
            ))),
        }
    }

    /// A secret from a plaintext.
    pub(super) fn set_secret(
        &self,
        caller: &Caller,
        name: &str,
        plaintext: &str,
    ) -> Result<SecretRef, FieldError> {
        if let CallerKind::Function(call) = &caller.kind {
            call.touched_secrets.store(true, Ordering::Relaxed);
        }
        Ok(self.engine.secrets().set(&caller.scope, name, plaintext)?)
    }
}

impl Backend for Api {
    type Object = Object;
    type Client = Caller;

    fn type_name<'a>(&self, object: &'a Object) -> &'a str {
        object.graphql_type()
    }

    fn id(&self, _: &Caller, object: &Object) -> Result<String, FieldError> {
        Ok(self.keep(object))
    }

    fn load(&self, _: &Caller, id: &str) -> Result<Object, FieldError> {
        self.find(id).ok_or_else(|| {
            let shown: String = id.chars().take(80).collect();
            FieldError::new(format!(
                "unknown object id `{shown}`: ids are only good in their session"
            ))
        })
    }
}

impl From<Error> for FieldError {
    fn from(error: Error) -> Self {
        let mut message = error.full_message();
        if let Some(hint) = error.hint_text() {
            message.push_str("\nhint: ");
            message.push_str(hint);
        }
        match error.kind() {
            Kind::Exec(failure) => Self::new(message)
                .with("_type", "EXEC_ERROR")
                .with("cmd", json!(failure.cmd))
                .with("exitCode", failure.exit_code)
                .with("stdout", failure.stdout.as_str())
                .with("stderr", failure.stderr.as_str()),
            Kind::Function(values) => values
                .iter()
                .fold(Self::new(message), |error, (name, value)| {
                    error.with(name.clone(), value.clone())
                }),
            _ => Self::new(message),
        }
    }
}
