//! What commands that need the engine share: its session, the progress display around it and its end.

use std::fs;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::thread::available_parallelism;

use nsci::event::Events;
use nsci::schema::gql::{Request, Response};
use nsci::session::{LoadedModule, Session};
use nsci_runtime::{IdMap, IdMapProblem};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::args::Globals;
use crate::output::Output;
use crate::report::{Failure, RequestError};
use crate::settings::{Settings, Surroundings};
use crate::signals::{interrupted, interruptible};
use crate::terminal::UserTerminal;
use crate::ui::Ui;

/// Stack of the threads that answer requests: SDKs nest hundreds of levels.
const STACK: usize = 64 << 20;

/// What a command works with.
#[derive(Debug)]
pub(crate) struct App {
    /// What was typed and what surrounds the process.
    pub(crate) settings: Settings,
    /// Name the command was called by.
    pub(crate) program: String,
    /// Where events go.
    pub(crate) events: Events,
    /// The user's terminal.
    terminal: Arc<UserTerminal>,
    /// The session, once there is one.
    opened: OnceLock<Arc<Session>>,
}

/// A session of the engine, and what stands in its way.
#[derive(Debug)]
pub(crate) struct Engine {
    /// The session.
    pub(crate) session: Arc<Session>,
    problem: Option<IdMapProblem>,
    events: Events,
}

/// Who minds signals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signals {
    /// They cancel the command.
    Cancel,
    /// The command knows what to do.
    Own,
}

/// Runs a command that needs the engine, with progress and interrupts, and gives what is to be printed.
///
/// # Errors
/// Those of the command; second, whether the output of a failed step was shown and stays visible.
pub(crate) fn run<F, W>(
    program: &str,
    globals: &Globals,
    signals: Signals,
    work: W,
) -> Result<Output, (Failure, bool)>
where
    W: FnOnce(Arc<App>) -> F,
    F: Future<Output = Result<Output, Failure>> + Send + 'static,
{
    let early = |failure| (failure, false);
    let around = Surroundings::read().map_err(early)?;
    let settings = Settings::new(globals, around).map_err(early)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(available_parallelism().map_or(2, |n| n.get().max(2)))
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|error| early(Failure::internal("cannot start threads").because(&error)))?;
    let state_base = settings.state_base();
    let own_state = state_base.join(settings.around.pid.to_string());
    let mut ui = Ui::start(settings.mode, settings.detail);
    let terminal = UserTerminal::new(ui.curtain(), settings.around.var("TERM"));
    let terminal = Arc::new(terminal);
    let app = App {
        settings,
        program: program.to_owned(),
        events: ui.events(),
        terminal: Arc::clone(&terminal),
        opened: OnceLock::new(),
    };
    let app = Arc::new(app);
    let work = work(Arc::clone(&app));
    // Not on this thread, whose stack is small.
    let task = match signals {
        Signals::Cancel => runtime.spawn(interruptible(work)),
        Signals::Own => runtime.spawn(work),
    };
    let result = runtime.block_on(task).unwrap_or_else(|error| {
        Err(Failure::internal("a fault ended the command early").because(&error))
    });
    if let Some(session) = app.opened.get() {
        // Databases like to be told, however the run ended; a second interrupt does not wait for them.
        runtime.block_on(async {
            tokio::select! {
                () = session.stop_services() => {}
                () = interrupted() => {}
            }
        });
    }
    terminal.settle();
    if let (Some(session), Ok(_)) = (app.opened.get(), &result)
        && let Err(error) = runtime.block_on(session.close())
    {
        app.events.warn(format!(
            "the cache may not survive a restart: {}",
            error.full_message()
        ));
    }
    // A chosen exit code alone says nothing against the steps.
    ui.finish(matches!(result, Ok(_) | Err(Failure::Code(_))));
    runtime.shutdown_background();
    sweep(&state_base, &own_state);
    result.map_err(|failure| (failure, ui.keeps_failed_output()))
}

impl App {
    /// Opens a session.
    ///
    /// # Errors
    /// If the store cannot be used.
    pub(crate) async fn engine(&self) -> Result<Engine, Failure> {
        let (id_map, problem) = match IdMap::detect() {
            Ok(map) => (map, None),
            Err(problem) => (IdMap::single(), Some(problem)),
        };
        let terminal = Arc::clone(&self.terminal) as _;
        let events = self.events.clone();
        let settings = self.settings.session(id_map, events, terminal)?;
        let session = Session::open(settings).await?;
        self.opened.get_or_init(|| Arc::clone(&session));
        Ok(Engine {
            session,
            problem,
            events: self.events.clone(),
        })
    }

    /// Loads the module that was asked for, or the one around the working directory.
    ///
    /// # Errors
    /// If there is none, or it is wrong.
    pub(crate) async fn module(&self, engine: &Engine) -> Result<Arc<LoadedModule>, Failure> {
        let settings = &self.settings;
        let reference = settings.module.as_deref().unwrap_or(".");
        self.module_at(engine, reference).await
    }

    /// Loads the module that a reference names.
    ///
    /// # Errors
    /// If there is none, or it is wrong.
    pub(crate) async fn module_at(
        &self,
        engine: &Engine,
        reference: &str,
    ) -> Result<Arc<LoadedModule>, Failure> {
        let workdir = &self.settings.workdir;
        let mut found = engine.session.find_module(workdir, reference).await?;
        if found.origin.is_none() {
            found.directory = module_directory(&found.directory, reference)?;
        }
        Ok(engine.session.load_module(&found).await?)
    }
}

fn module_directory(path: &Path, reference: &str) -> Result<PathBuf, Failure> {
    match fs::metadata(path) {
        Ok(meta) if meta.is_dir() => Ok(path.to_owned()),
        // The configuration itself stands for its module.
        Ok(_) => Ok(path.parent().map_or_else(|| path.to_owned(), PathBuf::from)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Failure::usage(format!(
            "no module at {reference}: there is no such directory"
        ))),
        Err(error) => {
            Err(Failure::usage(format!("cannot read module {reference}")).because(&error))
        }
    }
}

impl Engine {
    /// Runs a request and gives its `data`.
    ///
    /// # Errors
    /// The request's errors.
    pub(crate) async fn request(&self, query: String) -> Result<Value, Failure> {
        let answer = Answer::read(&self.session.execute(&Request::new(query)).await)?;
        match answer.errors.is_empty() {
            true => Ok(answer.data.unwrap_or_default()),
            false => Err(Failure::Request(answer.errors)),
        }
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        if !self.session.used_sandbox() {
            return;
        }
        if let Some(problem) = &self.problem {
            self.events.warn(format!(
                "only one user id is available to containers: {problem}; {}",
                problem.hint()
            ));
        }
    }
}

/// Removes this session's mount point, and those of sessions that ended without a chance to do so.
fn sweep(base: &Path, own: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let is_pid = name
            .to_string_lossy()
            .bytes()
            .all(|byte| byte.is_ascii_digit());
        let path = entry.path();
        if is_pid && (path == own || !Path::new("/proc").join(&name).exists()) {
            // Mount points are empty; a directory that is not stays.
            fs::remove_dir(path).ok();
        }
    }
}

/// A response, read.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    /// What was asked for.
    #[serde(default)]
    pub(crate) data: Option<Value>,
    /// What went wrong.
    #[serde(default)]
    pub(crate) errors: Vec<RequestError>,
}

impl Answer {
    /// Reads a response.
    ///
    /// # Errors
    /// If it is none, which is nsci's own fault.
    pub(crate) fn read(response: &Response) -> Result<Self, Failure> {
        let mut reader = serde_json::Deserializer::from_slice(&response.body);
        // Chains nest as deep as they are long; this runs on a thread with a large stack.
        reader.disable_recursion_limit();
        Self::deserialize(&mut reader)
            .map_err(|error| Failure::internal("the response cannot be read").because(&error))
    }
}

/// The request of a document with variables.
pub(crate) fn request(query: String, variables: Map<String, Value>) -> Request {
    Request {
        variables: Some(variables),
        ..Request::new(query)
    }
}
