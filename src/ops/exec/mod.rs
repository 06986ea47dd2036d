//! Runs a command: plan, prepare, run, commit.
//!
//! [`plan`] looks everything up, [`prepare`] makes the directories and says what the sandbox is to do, the sandbox
//! runs it while [`streams`] takes its output, and [`commit`] keeps what it wrote.

mod commit;
mod converse;
mod emulation;
mod identity;
mod plan;
mod prepare;
mod serve;
mod socket;
mod streams;

pub(super) use self::identity::{content_key, identity};

pub(super) use self::serve::Inside;

use self::{
    plan::{Plan, Secrets, arguments, plan_mount, read_stdin, resolve_secrets},
    prepare::Prepared,
    streams::Streams,
};
use super::{
    files,
    lend::{Gateway, GatewayGuard, Nested},
    sandbox::{Live, sandbox_error},
    service::Bound,
    world::{HostFacts, World, blocking, describe},
};
use crate::{
    error::{Error, ExecFailure, Kind, Result},
    event::{Events, StepId},
    graph::{Container, Exec, ExecMeta, Op, Value},
    service::NameTable,
};
use nsci_runtime::{Cancel, Stdin, Stdio, StepEvent};
use nsci_snapshotter::Store;
use std::{os::fd::OwnedFd, sync::Arc, time::Duration};

/// How long a cancelled command may take to end by itself.
const GRACE: Duration = Duration::from_secs(2);

/// A module function to run: a command that talks to the API and leaves no files.
#[derive(Debug)]
pub struct FunctionRun {
    /// The container with the module's runtime.
    pub container: Container,
    /// How the command identifies itself.
    pub nested: Nested,
    /// What the user reads.
    pub name: String,
}

/// Runs `withExec` and returns the container after it.
pub(super) async fn run(world: &World, exec: &Exec, inputs: &[Value]) -> Result<Value> {
    let container = files::container(&inputs[0])?;
    let nested = world.nested(exec)?;
    let step = world.step(describe(&Op::Exec(Box::new(exec.clone()))), false);
    let result = run_step(
        world,
        Request {
            exec,
            container,
            nested,
            keep: true,
            hostname: HOSTNAME.into(),
        },
        step.id,
    )
    .await;
    let ran = step.result(result)?;
    Ok(Value::Container(Box::new(ran)))
}

impl World {
    /// How the command identifies itself to the API, if it may call it.
    pub(super) fn nested(&self, exec: &Exec) -> Result<Option<Nested>> {
        if !exec.nesting {
            return Ok(None);
        }
        let gateway = self.gateway.get().ok_or_else(|| {
            Error::internal("this session serves no API to commands").hint("use nsci run")
        })?;
        gateway.nested().map(Some)
    }

    /// Runs a module function's command. What it writes is dropped; its answer came through the API.
    ///
    /// # Errors
    /// As for a command.
    pub async fn run_function(&self, run: FunctionRun) -> Result<ExecMeta> {
        let exec = Exec {
            use_entrypoint: true,
            nesting: true,
            ..Exec::default()
        };
        let step = self.step(run.name.clone(), false);
        let request = Request {
            exec: &exec,
            container: &run.container,
            nested: Some(run.nested),
            keep: false,
            hostname: HOSTNAME.into(),
        };
        let result = run_step(self, request, step.id).await;
        let ran = step.result(result)?;
        Ok(ran.last.expect("a command that ran has said something"))
    }
}

/// A command to run on a container.
pub(super) struct Request<'a> {
    pub(super) exec: &'a Exec,
    pub(super) container: &'a Container,
    pub(super) nested: Option<Nested>,
    /// Whether what the command writes is kept.
    pub(super) keep: bool,
    /// The name that the command's machine has.
    pub(super) hostname: String,
}

/// Host name of a command that has no other.
pub(super) const HOSTNAME: &str = "dagger";

/// Looks up all that a command needs, and starts the services it is bound to.
pub(super) async fn plan(world: &World, request: &Request<'_>, id: StepId) -> Result<Job> {
    emulation::check(&request.container.platform, &world.events)?;
    let args = arguments(request.exec, request.container)?;
    let secrets = resolve_secrets(world, request.container).await?;
    let (plan, services) = futures_util::try_join!(
        look_up(world, request, args),
        world.bind(&request.container.services),
    )?;
    Ok(Job {
        plan,
        secrets,
        services,
        live: world.live().await?,
        store: Arc::clone(world.store()),
        facts: Arc::clone(&world.facts),
        gateway: world.gateway.get().cloned(),
        names: Arc::clone(world.sandbox.names()),
        events: world.events.clone(),
        id,
        cancel: Cancel::new().map_err(sandbox_error)?,
    })
}

async fn look_up(world: &World, request: &Request<'_>, args: Vec<String>) -> Result<Plan> {
    let rootfs = world.mountable(&request.container.rootfs).await?;
    let mut mounts = Vec::new();
    for mount in &request.container.mounts {
        mounts.push(plan_mount(world, mount).await?);
    }
    let user = world
        .user(&request.container.rootfs, &request.container.config.user)
        .await?;
    let stdin = read_stdin(world, request.exec, request.container).await?;
    Ok(Plan {
        args,
        rootfs,
        mounts,
        user,
        container: request.container.clone(),
        exec: request.exec.clone(),
        keep: request.keep,
        nested: request.nested.clone(),
        hostname: request.hostname.clone(),
        stdin,
    })
}

async fn run_step(world: &World, request: Request<'_>, id: StepId) -> Result<Container> {
    let job = plan(world, &request, id).await?;
    let services = job.services.clone();
    let stop_when_dropped = StopOnDrop::new(&job.cancel);
    let ran = blocking(move || Ok(job.run())).await;
    stop_when_dropped.disarm();
    match ran? {
        Ok(container) => Ok(container),
        Err(Failed { error, left }) => {
            let error = services.explain(error);
            if let Some(left) = left {
                world.look_at(*left, request.exec, &error).await;
            }
            Err(error)
        }
    }
}

/// A command that failed.
struct Failed {
    error: Error,
    /// The container as it left it, if that is worth a look.
    left: Option<Box<Container>>,
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, left: None }
    }
}

/// Ends the command when nobody waits for it any more.
pub(super) struct StopOnDrop(Option<Cancel>);

impl StopOnDrop {
    pub(super) fn new(cancel: &Cancel) -> Self {
        Self(Some(cancel.clone()))
    }

    pub(super) fn disarm(mut self) {
        self.0 = None;
    }
}

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        if let Some(cancel) = &self.0 {
            cancel.cancel(GRACE);
        }
    }
}

/// A command with everything it needs, ready for a thread that may block.
pub(super) struct Job {
    plan: Plan,
    secrets: Secrets,
    services: Bound,
    live: Arc<Live>,
    store: Arc<Store>,
    facts: Arc<HostFacts>,
    gateway: Option<Arc<dyn Gateway>>,
    names: Arc<NameTable>,
    events: Events,
    id: StepId,
    /// Ends the command.
    pub(super) cancel: Cancel,
}

impl Job {
    fn run(self) -> Result<Container, Failed> {
        let mut volumes = Vec::new();
        let prepared = self.prepare(&mut volumes)?;
        let ran = self.execute(&prepared);
        let result = match ran {
            Ok(meta) => self.commit(prepared, meta).map_err(Failed::from),
            Err(error) if matches!(error.kind(), Kind::Exec(_)) => Err(Failed {
                left: self.salvage(prepared).map(Box::new),
                error,
            }),
            Err(error) => {
                prepared.discard(&self.live);
                Err(error.into())
            }
        };
        drop(volumes);
        result
    }

    fn stdio(&self) -> Stdio {
        Stdio {
            stdin: match &self.plan.stdin {
                Some(bytes) => Stdin::Bytes(bytes.clone()),
                None => Stdin::Null,
            },
            ..Stdio::default()
        }
    }

    /// Serves the API on a socket that listens inside of the step.
    fn open_door(&self, socket: OwnedFd) -> Result<Option<GatewayGuard>> {
        match (&self.gateway, &self.plan.nested) {
            (Some(gateway), Some(nested)) => gateway.serve(socket, nested.clone()).map(Some),
            _ => Ok(None),
        }
    }

    /// Lets those who serve the command find its files.
    fn note_start(&self, pid: i32) {
        if let Some(nested) = &self.plan.nested {
            let workdir = self.plan.container.workdir();
            nested.running.started(&self.live, pid, workdir);
        }
    }

    fn execute(&self, prepared: &Prepared) -> Result<ExecMeta> {
        let mut streams = Streams::new(self);
        let mut guard: Option<GatewayGuard> = None;
        let mut fault: Option<Error> = None;
        let stdio = self.stdio();
        let finished = self
            .live
            .session
            .run(&prepared.spec, stdio, &self.cancel, &mut |event| {
                let outcome = match event {
                    StepEvent::Stdout(bytes) => streams.stdout.write(&mut streams.combined, bytes),
                    StepEvent::Stderr(bytes) => streams.stderr.write(&mut streams.combined, bytes),
                    StepEvent::Listener { socket, .. } => {
                        self.open_door(socket).map(|served| guard = served)
                    }
                    StepEvent::Started { pid, .. } => {
                        self.note_start(pid);
                        Ok(())
                    }
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    fault.get_or_insert(error);
                    self.cancel.cancel(GRACE);
                }
            });
        if let Some(nested) = &self.plan.nested {
            nested.running.over();
        }
        drop(guard);
        streams.finish()?;
        if let Some(error) = fault {
            return Err(error);
        }
        let exit_code = match finished {
            Ok(finished) => {
                if let Some(text) = self.out_of_memory(&finished) {
                    streams
                        .stderr
                        .write(&mut streams.combined, text.as_bytes())?;
                }
                finished.exit.shell_code()
            }
            Err(error) => match error.exit_code() {
                Some(code) => {
                    let text = format!("{error}\n");
                    streams
                        .stderr
                        .write(&mut streams.combined, text.as_bytes())?;
                    code
                }
                None => return Err(sandbox_error(error)),
            },
        };
        if !self.plan.exec.expect.accepts(exit_code) {
            return Err(Error::exec(ExecFailure {
                cmd: self.plan.args.clone(),
                exit_code,
                stdout: streams.stdout.spool.tail(),
                stderr: streams.stderr.spool.tail(),
            }));
        }
        streams.into_meta(exit_code)
    }

    /// What a step is told that was stopped at its limit of memory; its exit code alone says little.
    fn out_of_memory(&self, finished: &nsci_runtime::Finished) -> Option<String> {
        let limit = self.live.limits.memory.filter(|_| finished.out_of_memory)?;
        Some(format!(
            "out of memory: a process of this step was killed at the limit of {limit} bytes (sandbox.memory)\n"
        ))
    }
}
