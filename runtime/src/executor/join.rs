//! A further command in a step that runs already: its namespaces are entered instead of made.
//!
//! The command gets the user, the capabilities and the filter that its own [`crate::StepSpec`] says, and no more of the
//! session than any command of the step: nothing is mounted, and what is open is closed before it starts.

use std::os::fd::OwnedFd;
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sched::CloneFlags;
use rustix::fs::{Mode, OFlags};
use rustix::process::{DumpableBehavior, Pid, PidfdFlags};

use super::native::{
    OPEN_TERMINAL, Step, become_user, granted, namespaces, other_side, place_streams, reopen_null,
    take_terminal,
};
use super::{Created, Job};
use crate::spec::{self, Network, StepSpec, TerminalSize};
use crate::wire::{self, Failure};
use crate::{Error, sys};

/// Starts a job's command in the step whose first process is `init`.
///
/// The calling process moves into the step's namespaces too, save that of processes.
pub(crate) fn create(job: &Job<'_>, init: Pid) -> Result<Box<dyn Created>, Error> {
    let spec = spec::to_oci(job.step, "/".as_ref(), job.place.features)?;
    let mut flags = namespaces(&spec)?;
    if job.step.network != Network::Host {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    // Processes of the step will see the command's; none may look into what it is before it starts.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(|source| Error::io("protect a command from the step it joins", source))?;
    enter(init, flags)?;
    let console = job.step.terminal.map(|_| wire::pair()).transpose()?;
    match sys::fork().map_err(|source| Error::io("join a running step", source))? {
        sys::Fork::Parent(pid) => Ok(Box::new(Step {
            pid,
            console: console.map(|(ours, _)| ours),
        })),
        sys::Fork::Child => {
            // A panic must not unwind into the copy of the helper below.
            let console = console.as_ref().map(|(_, theirs)| theirs);
            let built = catch_unwind(AssertUnwindSafe(|| settle(job, &spec, console)));
            match built {
                Ok(Ok(())) => job.init.run(),
                Ok(Err(error)) => job.init.refuse(Failure::from_error(&error)),
                Err(_) => job.init.refuse(Failure::Other {
                    message: "a joining command panicked".to_owned(),
                }),
            }
        }
    }
}

/// The root directory of the step whose first process is `init`, as the step sees it: with all that is mounted there.
///
/// The calling process moves into the step's mount namespace.
pub(crate) fn root_of(init: Pid) -> Result<OwnedFd, Error> {
    enter(init, CloneFlags::CLONE_NEWNS)?;
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open("/", flags, Mode::empty())
        .map_err(|source| Error::io("open the root of a running step", source))
}

/// Moves this process into namespaces of the step whose first process is `init`.
fn enter(init: Pid, namespaces: CloneFlags) -> Result<(), Error> {
    let outside = root()?;
    rustix::process::pidfd_open(init, PidfdFlags::empty())
        .map_err(std::io::Error::from)
        .and_then(|process| Ok(nix::sched::setns(process, namespaces)?))
        .map_err(|source| Error::io("join a running step", source))?;
    // A step that is still being built has the session's root, which is none of the caller's business.
    if root()? == outside {
        return Err(Error::Container {
            message: "the step to join is not ready".to_owned(),
        });
    }
    Ok(())
}

/// What tells this process's root from others.
fn root() -> Result<(u64, u64), Error> {
    let stat = rustix::fs::stat("/").map_err(|source| Error::io("look at the root", source))?;
    Ok((stat.st_dev, stat.st_ino))
}

/// Everything between entering and the command, in the command's process.
fn settle(
    job: &Job<'_>,
    spec: &oci_spec::runtime::Spec,
    console: Option<&OwnedFd>,
) -> Result<(), Error> {
    let io = |what: &'static str| move |source: rustix::io::Errno| Error::io(what, source);
    rustix::process::setsid().map_err(io("start a process session"))?;
    match (console, job.step.terminal) {
        (Some(console), Some(size)) => open_terminal(job.step, size, console)?,
        _ => place_streams(&job.stdio)?,
    }
    reopen_null()?;
    if job.step.no_new_privs {
        rustix::thread::set_no_new_privs(true).map_err(io("give up new privileges"))?;
    }
    become_user(job.step, &granted(spec)).map_err(io("become the step's user"))?;
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(io("protect a command from the step it joins"))
}

/// Opens a pair of the step's terminal file system, in which this process already is.
fn open_terminal(step: &StepSpec, size: TerminalSize, console: &OwnedFd) -> Result<(), Error> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::open("/dev/pts/ptmx", flags, Mode::empty())
        .map_err(|source| Error::io(OPEN_TERMINAL, source))?;
    let slave = other_side(&master, step, size)?;
    take_terminal(&master, &slave, console)
}
