//! The helper of one step: prepares its network, has it built, waits for its end and reports.
//!
//! Runs in a process forked for this one step: what an executor changes about its process or leaves behind when it
//! fails is gone with it.

use std::fs;
use std::io::Read as _;
use std::net::{IpAddr, TcpListener};
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::rc::Rc;

use nix::sched::CloneFlags;
use rustix::event::{PollFd, PollFlags};
use rustix::process::{Pid, PidfdFlags};

use crate::error::ignore;
use crate::executor::{self, Created, ExecutorKind, Job};
use crate::init::{Init, InitReport};
use crate::network::{self, SessionNetwork};
use crate::spec::{Capabilities, Features, Network, Seccomp, StepSpec};
use crate::wire::{self, Failure, StepControl, StepReply, StepRequest};
use crate::{Error, cgroup, seccomp, sys};

/// What the spawner lends to a helper.
pub(crate) struct Place<'a> {
    /// Private state of the session, on tmpfs.
    pub(crate) state_dir: &'a Path,
    /// The session's network, if it has one.
    pub(crate) network: Option<&'a SessionNetwork>,
    /// What steps may mount.
    pub(crate) features: Features,
    /// What builds the step.
    pub(crate) executor: ExecutorKind,
}

/// Runs the step that `socket` carries and returns the helper's exit code.
pub(crate) fn helper(socket: &OwnedFd, stdio: [OwnedFd; 3], place: &Place<'_>) -> i32 {
    // A panic must not unwind into the copy of the spawner's loop below.
    let ran = catch_unwind(AssertUnwindSafe(|| run(socket, stdio, place)));
    let failed = |failure| (StepReply::Failed(failure), None, None);
    let (last, network, _step) = match ran {
        Ok(Ok(ended)) => (ended.reply, ended.network, Some(ended.step)),
        Ok(Err(error)) => failed(Failure::from_error(&error)),
        Err(_) => failed(Failure::Other {
            message: "the helper panicked".to_owned(),
        }),
    };
    let network: Vec<_> = network.iter().map(AsFd::as_fd).collect();
    // If the engine is gone, nobody is left to tell.
    i32::from(wire::send(socket, &last, &network).is_err())
}

/// A step that is over.
struct Ended {
    reply: StepReply,
    /// Its network namespace, if another step may have it.
    network: Option<OwnedFd>,
    /// What the executor made, to be removed after the engine has heard of the end.
    step: Box<dyn Created>,
}

fn run(socket: &OwnedFd, stdio: [OwnedFd; 3], place: &Place<'_>) -> Result<Ended, Error> {
    let (request, fds) = wire::receive::<StepRequest>(socket)?.ok_or(Error::SessionLost)?;
    let mut fds = fds.into_iter();
    let network = request.has_network.then(|| fds.next()).flatten();
    let mut ways = fds.map(fs::File::from);
    let step = request.spec;
    let join = request.join.map(pid_of).transpose()?;
    let address = match (network, join) {
        (_, Some(_)) => None,
        (Some(network), None) => Some(reenter_network(&step, &network)?),
        (None, None) => enter_network(&step, place.network)?,
    };
    send_listeners(&step, socket)?;
    let (report, report_end) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)
        .map_err(|source| Error::io("create a pipe", source))?;
    let init = Init::new(&step, filter_of(&step)?, report_end);
    give_to_user(&step, &stdio);
    let job = Job {
        id: request.id,
        step: &step,
        place,
        stdio,
        init,
    };
    // What the executor starts from within the step's group stays there.
    enter_group(ways.next())?;
    let created = match join {
        Some(init) => executor::join::create(&job, init).inspect(|_| drop(job)),
        None => executor::of(place.executor).create(job),
    };
    enter_group(ways.next())?;
    let mut created = match created {
        Ok(created) => created,
        Err(error) => return Err(first_report(report).unwrap_or(error)),
    };
    let pid = created.pid();
    if let Some(master) = created.terminal()? {
        wire::send(socket, &StepReply::Terminal, &[master.as_fd()])?;
    }
    wire::send(
        socket,
        &StepReply::Started {
            pid: pid.as_raw_nonzero().get(),
            address,
        },
        &[],
    )?;
    if let Err(error) = created.start() {
        sys::kill_quietly(pid, rustix::process::Signal::KILL);
        sys::wait_for_end(pid);
        return Err(first_report(report).unwrap_or(error));
    }
    attend(socket, pid)?;
    let (status, usage) =
        sys::wait_with_usage(pid).map_err(|source| Error::io("wait for a step", source))?;
    let status = match last_report(report) {
        Some(InitReport::Failed(failure)) => {
            return Err(failure.into_error(|message| Error::Container { message }));
        }
        Some(InitReport::Ended { status }) => status,
        None => status,
    };
    let exited = StepReply::Exited {
        status,
        user_us: usage.user_us,
        system_us: usage.system_us,
        max_rss_kib: usage.max_rss_kib,
    };
    Ok(Ended {
        reply: exited,
        network: network_to_leave(&step),
        step: created,
    })
}

/// A step's first process by its number.
pub(crate) fn pid_of(pid: i32) -> Result<Pid, Error> {
    Pid::from_raw(pid).ok_or_else(|| Error::InvalidStep {
        reason: format!("{pid} is no process to join"),
    })
}

/// The network namespace of this process, if its step leaves it as it found it.
fn network_to_leave(step: &StepSpec) -> Option<OwnedFd> {
    let fit = step.leaves_network
        && step.network == Network::Isolated
        && step.capabilities == Capabilities::Default
        // Those sockets are in the engine's hands.
        && step.listeners.is_empty()
        && network::is_unused();
    let namespace = || fs::File::open("/proc/thread-self/ns/net").ok();
    fit.then(namespace).flatten().map(OwnedFd::from)
}

/// Moves this process into a control group, if the step has one.
fn enter_group(way: Option<fs::File>) -> Result<(), Error> {
    match way {
        Some(mut way) => cgroup::enter(&mut way)
            .map_err(|source| Error::io("enter the step's control group", source)),
        None => Ok(()),
    }
}

/// Moves this process, and so the step, into a network namespace that an earlier step in the same place has left.
fn reenter_network(step: &StepSpec, namespace: &OwnedFd) -> Result<IpAddr, Error> {
    let (Network::Isolated, Some(index)) = (step.network, step.net_index) else {
        return Err(Error::InvalidStep {
            reason: "only an isolated step with a network index has a place to use again"
                .to_owned(),
        });
    };
    nix::sched::setns(namespace, CloneFlags::CLONE_NEWNET)
        .map_err(|source| Error::io("enter a network namespace", source))?;
    Ok(network::step_ip(index).into())
}

/// Moves this process, and so the step, into the network the step asks for.
fn enter_network(
    step: &StepSpec,
    session: Option<&SessionNetwork>,
) -> Result<Option<IpAddr>, Error> {
    let unshare = || {
        nix::sched::unshare(CloneFlags::CLONE_NEWNET)
            .map_err(|source| Error::io("create a network namespace", source))
    };
    match (step.network, session) {
        (Network::Host, None) => Ok(None),
        (Network::Host, Some(_)) => Err(Error::InvalidStep {
            reason: "the host's network is not reachable from a session with its own".to_owned(),
        }),
        (Network::None, _) => {
            unshare()?;
            sys::loopback_up().map_err(|source| Error::io("bring loopback up", source))?;
            Ok(None)
        }
        (Network::Isolated, None) => Err(Error::InvalidStep {
            reason: "the session has no network for an isolated step".to_owned(),
        }),
        (Network::Isolated, Some(session)) => {
            let index = step.net_index.ok_or_else(|| Error::InvalidStep {
                reason: "an isolated step needs a network index".to_owned(),
            })?;
            let link = network::prepare_step(session)?;
            unshare()?;
            sys::loopback_up().map_err(|source| Error::io("bring loopback up", source))?;
            Ok(Some(link.attach(index)?.ip))
        }
    }
}

fn send_listeners(step: &StepSpec, socket: &OwnedFd) -> Result<(), Error> {
    for &port in &step.listeners {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .map_err(|source| Error::io(format!("listen on port {port} of the step"), source))?;
        let port = listener
            .local_addr()
            .map_err(|source| Error::io("read a listener's port", source))?
            .port();
        wire::send(socket, &StepReply::Listener { port }, &[listener.as_fd()])?;
    }
    Ok(())
}

fn filter_of(step: &StepSpec) -> Result<Vec<seccomp::Instruction>, Error> {
    match step.seccomp {
        Seccomp::Off => Ok(Vec::new()),
        Seccomp::Default => Ok(seccomp::program(seccomp::Profile::Default)),
        Seccomp::FakeRoot => Ok(seccomp::program(seccomp::Profile::FakeRoot)),
    }
}

/// Lets a user other than root reopen its streams through `/dev/stdout`, as other runtimes do.
fn give_to_user(step: &StepSpec, stdio: &[OwnedFd; 3]) {
    if step.uid == 0 {
        return;
    }
    for fd in stdio {
        let is_pipe = rustix::fs::fstat(fd)
            .is_ok_and(|stat| rustix::fs::FileType::from_raw_mode(stat.st_mode).is_fifo());
        if is_pipe {
            // Impossible with a single id, where there is no other user either.
            ignore(rustix::fs::fchown(
                fd,
                Some(rustix::fs::Uid::from_raw(step.uid)),
                None,
            ));
        }
    }
}

/// Waits for the step's end, passing on what the engine asks.
fn attend(socket: &OwnedFd, pid: Pid) -> Result<(), Error> {
    let process = rustix::process::pidfd_open(pid, PidfdFlags::empty())
        .map_err(|source| Error::io("watch a step", source))?;
    let mut listening = true;
    loop {
        let mut fds = vec![PollFd::new(&process, PollFlags::IN)];
        if listening {
            fds.push(PollFd::new(socket, PollFlags::IN));
        }
        match rustix::event::poll(&mut fds, None) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(source) => return Err(Error::io("wait for a step", source)),
        }
        let asked = fds.get(1).is_some_and(|fd| !fd.revents().is_empty());
        if !fds[0].revents().is_empty() {
            return Ok(());
        }
        if asked {
            match wire::receive::<StepControl>(socket)? {
                Some((StepControl::Signal(signal), _)) => {
                    // It may have ended in this moment.
                    ignore(sys::signal_pid(pid, signal));
                }
                None => {
                    listening = false;
                    sys::kill_quietly(pid, rustix::process::Signal::KILL);
                }
            }
        }
    }
}

/// What the init said before the container's creation failed.
fn first_report(report: OwnedFd) -> Option<Error> {
    match last_report(report)? {
        InitReport::Failed(failure) => {
            Some(failure.into_error(|message| Error::Container { message }))
        }
        InitReport::Ended { .. } => None,
    }
}

/// Reads the init's report; the init is dead or never lived, so nothing more will come.
fn last_report(report: OwnedFd) -> Option<InitReport> {
    rustix::io::ioctl_fionbio(&report, true).ok()?;
    let mut bytes = [0_u8; 4096];
    let count = fs::File::from(report).read(&mut bytes).ok()?;
    let line = bytes.get(..count)?.split(|byte| *byte == b'\n').next()?;
    serde_json::from_slice(line).ok()
}

/// Whether a step keeps the capability that its init needs for the filter.
pub(crate) fn keeps_all_capabilities(step: &StepSpec) -> bool {
    step.capabilities == Capabilities::All
}

/// Shares the filter between the copies libcontainer makes of an executor.
pub(crate) type SharedFilter = Rc<[seccomp::Instruction]>;
