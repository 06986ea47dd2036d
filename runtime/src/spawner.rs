//! The session's PID 1: creates the namespaces, then forks one helper per step and reaps.
//!
//! It never has a second thread and never calls libcontainer itself. It comes up in two stages: *enter* makes the
//! namespaces and, once the engine has mapped the ids, clones *serve* as PID 1 from an executable no step can write to.

use std::collections::HashMap;
use std::ffi::CString;
use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use nix::sched::CloneFlags;
use nix::sys::signal::SigSet;
use nix::sys::signalfd::{SfdFlags, SignalFd};
use rustix::event::{PollFd, PollFlags};
use rustix::fs::{Mode, OFlags};
use rustix::mount::{MountFlags, MountPropagationFlags, OpenTreeFlags};
use rustix::process::{Pid, Signal, WaitOptions};
use serde::{Deserialize, Serialize};

use crate::error::ignore;
use crate::executor::{self, ExecutorKind};
use crate::network::{self, SessionNetwork};
use crate::session::SocketKind;
use crate::spec::Features;
use crate::wire::{self, Failure, Request, StartReply, StepReply};
use crate::{Error, roles, step, sys};

/// The cgroup2 view libcontainer expects.
const CGROUP_ROOT: &str = "/sys/fs/cgroup";

/// Plays the role; `args` are a stage and its arguments.
pub(crate) fn main(args: &[String]) -> ExitCode {
    let Ok(control) = sys::take_stdin() else {
        return ExitCode::FAILURE;
    };
    let outcome = match args {
        [stage, setup] => Setup::parse(setup).and_then(|setup| match stage.as_str() {
            "enter" => enter(&control, &setup),
            "serve" => serve(&control, setup),
            _ => Err(unknown_stage()),
        }),
        _ => Err(unknown_stage()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let failure = StartReply::Failed(Failure::from_error(&error));
            // If the engine is gone, nobody is left to tell.
            ignore(wire::send(&control, &failure, &[]));
            ExitCode::FAILURE
        }
    }
}

fn unknown_stage() -> Error {
    Error::Protocol {
        message: "unknown stage of the spawner".to_owned(),
    }
}

/// What both stages know of the session; travels as an argument.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Setup {
    /// Directory that a tmpfs is mounted on.
    pub(crate) state_dir: PathBuf,
    /// Whether the session has a network of its own.
    pub(crate) network: bool,
    /// Whether the host reaches others over IPv6.
    pub(crate) host_has_ipv6: bool,
    /// What builds the steps.
    pub(crate) executor: ExecutorKind,
}

impl Setup {
    /// The arguments of a stage.
    pub(crate) fn arguments(&self, stage: &str) -> Result<[String; 3], Error> {
        let setup = serde_json::to_string(self).map_err(|error| Error::Protocol {
            message: error.to_string(),
        })?;
        Ok([roles::SPAWNER.to_owned(), stage.to_owned(), setup])
    }

    fn parse(text: &str) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|error| Error::Protocol {
            message: error.to_string(),
        })
    }
}

/// First stage: namespaces, ids, mounts; leaves PID 1 behind as the engine's child and ends.
fn enter(control: &OwnedFd, setup: &Setup) -> Result<(), Error> {
    // Whatever the engine's own parent left open must not live on in the session.
    sys::close_on_exec_from(sys::CHILD_SOCKET);
    let mut flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWIPC
        | CloneFlags::CLONE_NEWUTS
        | CloneFlags::CLONE_NEWCGROUP;
    if setup.network {
        flags |= CloneFlags::CLONE_NEWNET;
    }
    nix::sched::unshare(flags).map_err(|errno| Error::UserNamespace {
        reason: explain_unshare(errno),
    })?;
    wire::send(control, &StartReply::MapIds, &[])?;
    match wire::receive::<StartReply>(control)? {
        Some((StartReply::MapIds, _)) => {}
        _ => return Err(Error::SessionLost),
    }
    become_root()?;
    prepare_mounts(&setup.state_dir)?;
    let executable = protected_executable()?;
    match sys::fork_sibling().map_err(|source| Error::io("clone the spawner", source))? {
        sys::Fork::Parent(pid) => {
            let pid = pid.as_raw_nonzero().get();
            wire::send(control, &StartReply::Cloned { pid }, &[])
        }
        sys::Fork::Child => {
            let error = exec_serve(control, &executable, setup);
            ignore(wire::send(
                control,
                &StartReply::Failed(Failure::from_error(&error)),
                &[],
            ));
            sys::exit_now(1)
        }
    }
}

fn explain_unshare(errno: nix::errno::Errno) -> String {
    match errno {
        nix::errno::Errno::ENOSPC => {
            "the limit of user namespaces is reached (sysctl user.max_user_namespaces)".to_owned()
        }
        nix::errno::Errno::EPERM => {
            "not permitted (seccomp, AppArmor or sysctl kernel.unprivileged_userns_clone)"
                .to_owned()
        }
        other => other.desc().to_lowercase(),
    }
}

fn become_root() -> Result<(), Error> {
    use rustix::process::{Gid, Uid};
    let what = "become root of the user namespace";
    rustix::thread::set_thread_res_gid(Gid::ROOT, Gid::ROOT, Gid::ROOT)
        .map_err(|source| Error::io(what, source))?;
    // Refused with a single id, where setgroups is denied for good; there the groups are harmless.
    ignore(rustix::thread::set_thread_groups(&[]));
    rustix::thread::set_thread_res_uid(Uid::ROOT, Uid::ROOT, Uid::ROOT)
        .map_err(|source| Error::io(what, source))
}

/// A mount tree that propagates nowhere, a private place for state, and one cgroup2 view.
fn prepare_mounts(state_dir: &Path) -> Result<(), Error> {
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::PRIVATE | MountPropagationFlags::REC,
    )
    .map_err(|source| Error::io("make the mount tree private", source))?;
    rustix::mount::mount(
        "tmpfs",
        state_dir,
        "tmpfs",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        c"mode=700",
    )
    .map_err(|source| Error::io(format!("mount tmpfs on {}", state_dir.display()), source))?;
    prepare_cgroups()
}

/// libcontainer fails on hybrid hierarchies it may not write to, and tolerates a read-only cgroup2.
fn prepare_cgroups() -> Result<(), Error> {
    let what = || format!("mount cgroup2 on {CGROUP_ROOT}");
    let mounted = rustix::mount::mount(
        "cgroup2",
        CGROUP_ROOT,
        "cgroup2",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC | MountFlags::RDONLY,
        None,
    );
    if mounted.is_ok() {
        return Ok(());
    }
    let unified = Path::new(CGROUP_ROOT).join("unified");
    let source = if unified.join("cgroup.controllers").exists() {
        unified
    } else if Path::new(CGROUP_ROOT).join("cgroup.controllers").exists() {
        PathBuf::from(CGROUP_ROOT)
    } else {
        return mounted.map_err(|source| Error::io(what(), source));
    };
    let flags = OpenTreeFlags::OPEN_TREE_CLONE
        | OpenTreeFlags::OPEN_TREE_CLOEXEC
        | OpenTreeFlags::AT_RECURSIVE;
    let tree = rustix::mount::open_tree(rustix::fs::CWD, &source, flags)
        .map_err(|source| Error::io(what(), source))?;
    sys::make_mount_readonly(tree.as_fd()).map_err(|source| Error::io(what(), source))?;
    rustix::mount::move_mount(
        &tree,
        "",
        rustix::fs::CWD,
        CGROUP_ROOT,
        rustix::mount::MoveMountFlags::MOVE_MOUNT_F_EMPTY_PATH,
    )
    .map_err(|source| Error::io(what(), source))
}

/// This executable in a form that cannot be written through `/proc/PID/exe`.
///
/// A detached read-only mount of the file costs microseconds. Where the file cannot be found by path any more
/// (replaced, deleted, or started from memory), a sealed copy does the same.
fn protected_executable() -> Result<OwnedFd, Error> {
    readonly_executable().or_else(|_| sealed_executable())
}

fn readonly_executable() -> io::Result<OwnedFd> {
    let path = fs::read_link("/proc/self/exe")?;
    let flags = OpenTreeFlags::OPEN_TREE_CLONE | OpenTreeFlags::OPEN_TREE_CLOEXEC;
    let tree = rustix::mount::open_tree(rustix::fs::CWD, &path, flags)?;
    sys::make_mount_readonly(tree.as_fd())?;
    let running = fs::metadata("/proc/self/exe")?;
    let found = rustix::fs::fstat(&tree)?;
    if (running.dev(), running.ino()) != (found.st_dev, found.st_ino) {
        return Err(io::ErrorKind::NotFound.into());
    }
    Ok(tree)
}

fn sealed_executable() -> Result<OwnedFd, Error> {
    use rustix::fs::{MemfdFlags, SealFlags};
    let what = "copy the executable into memory";
    let fd = rustix::fs::memfd_create(c"nsci", MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(|source| Error::io(what, source))?;
    let mut copy = fs::File::from(fd);
    let mut original =
        fs::File::open("/proc/self/exe").map_err(|source| Error::io(what, source))?;
    io::copy(&mut original, &mut copy).map_err(|source| Error::io(what, source))?;
    let fd = OwnedFd::from(copy);
    rustix::fs::fcntl_add_seals(
        &fd,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )
    .map_err(|source| Error::io(what, source))?;
    Ok(fd)
}

/// In PID 1 before its exec: gives it a `/proc` of its own namespace and starts the second stage.
fn exec_serve(control: &OwnedFd, executable: &OwnedFd, setup: &Setup) -> Error {
    let mounted = rustix::mount::mount(
        "proc",
        "/proc",
        "proc",
        MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC,
        None,
    );
    match mounted {
        // Refused where a container around us hides parts of its own: then that one has to do.
        Ok(()) | Err(rustix::io::Errno::PERM) => {}
        Err(source) => return Error::io("mount /proc", source),
    }
    if let Err(source) = sys::put_at(control.as_fd(), 0) {
        return Error::io("hand over the control socket", source);
    }
    let args = match setup.arguments("serve") {
        Ok(args) => args,
        Err(error) => return error,
    };
    let name = CString::from(c"nsci-spawner");
    let args = args.map(|arg| CString::new(arg).expect("JSON and our own words hold no NUL"));
    let args: Vec<CString> = std::iter::once(name).chain(args).collect();
    Error::io(
        "start the spawner's second stage",
        sys::exec_fd(executable.as_fd(), &args, &[]),
    )
}

/// What PID 1 keeps while it serves.
struct Spawner<'a> {
    control: &'a OwnedFd,
    children: SignalFd,
    setup: Setup,
    network: Option<SessionNetwork>,
    features: Features,
    helpers: HashMap<u64, Pid>,
}

/// Second stage: PID 1. Ends, and with it everything in the session, when the engine's socket closes.
fn serve(control: &OwnedFd, setup: Setup) -> Result<(), Error> {
    rustix::process::set_parent_process_death_signal(Some(Signal::KILL))
        .map_err(|source| Error::io("tie the spawner to the engine", source))?;
    std::env::set_current_dir("/").map_err(|source| Error::io("enter /", source))?;
    // A terminal's interrupt is the engine's to handle; it must not kill helpers under its hands.
    rustix::process::setsid().map_err(|source| Error::io("start a process session", source))?;
    rustix::process::umask(Mode::WGRP | Mode::WOTH);
    let mut mask = SigSet::empty();
    mask.add(nix::sys::signal::Signal::SIGCHLD);
    mask.thread_block()
        .map_err(|source| Error::io("block SIGCHLD", source))?;
    let children = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)
        .map_err(|source| Error::io("watch children", source))?;
    let network = if setup.network {
        Some(network::session_setup(setup.host_has_ipv6)?)
    } else {
        None
    };
    let mut spawner = Spawner {
        control,
        children,
        network,
        features: probe_features(&setup.state_dir),
        setup,
        helpers: HashMap::new(),
    };
    spawner.announce()?;
    while spawner.turn()? {}
    Ok(())
}

/// Tries the mounts a step would like, on a directory of the session's own.
fn probe_features(state_dir: &Path) -> Features {
    let target = state_dir.join("probe");
    if fs::create_dir(&target).is_err() {
        return Features {
            sysfs: false,
            cgroup2: false,
            proc: has_own_proc(),
        };
    }
    let works = |kind: &str| {
        let mounted = rustix::mount::mount(
            kind,
            &target,
            kind,
            MountFlags::RDONLY | MountFlags::NOSUID,
            None,
        )
        .is_ok();
        mounted && rustix::mount::unmount(&target, rustix::mount::UnmountFlags::DETACH).is_ok()
    };
    let features = Features {
        sysfs: works("sysfs"),
        cgroup2: works("cgroup2"),
        proc: has_own_proc(),
    };
    ignore(fs::remove_dir(&target));
    features
}

/// Whether `/proc` is that of the session's own pid namespace, in which the caller is the first process.
fn has_own_proc() -> bool {
    fs::read_link("/proc/self").is_ok_and(|pid| pid == Path::new("1"))
}

impl Spawner<'_> {
    fn announce(&self) -> Result<(), Error> {
        let named = self
            .network
            .as_ref()
            .map(SessionNetwork::engine_fds)
            .transpose()?
            .unwrap_or_default();
        let (names, fds): (Vec<String>, Vec<OwnedFd>) = named.into_iter().unzip();
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        wire::send(
            self.control,
            &StartReply::Ready {
                network: names,
                own_proc: self.features.proc,
            },
            &borrowed,
        )
    }

    /// Serves what is ready; false when the engine is gone.
    fn turn(&mut self) -> Result<bool, Error> {
        let (request, death) = {
            let mut fds = [
                PollFd::new(self.control, PollFlags::IN),
                PollFd::new(&self.children, PollFlags::IN),
            ];
            match rustix::event::poll(&mut fds, None) {
                Ok(_) | Err(rustix::io::Errno::INTR) => {}
                Err(source) => return Err(Error::io("wait for requests", source)),
            }
            (!fds[0].revents().is_empty(), !fds[1].revents().is_empty())
        };
        if death {
            self.reap();
        }
        if !request {
            return Ok(true);
        }
        match wire::receive::<Request>(self.control) {
            Ok(Some((request, fds))) => {
                self.handle(request, fds);
                Ok(true)
            }
            Ok(None) => Ok(false),
            Err(error) => Err(error),
        }
    }

    fn reap(&mut self) {
        while matches!(self.children.read_signal(), Ok(Some(_))) {}
        while let Ok(Some((pid, _))) = rustix::process::wait(WaitOptions::NOHANG) {
            self.helpers.retain(|_, helper| *helper != pid);
        }
    }

    fn handle(&mut self, request: Request, fds: Vec<OwnedFd>) {
        let mut fds = fds.into_iter();
        let reply = fds.next();
        match (request, reply) {
            (Request::Kill { id }, _) => {
                if let Some(helper) = self.helpers.get(&id) {
                    kill_tree(*helper);
                }
            }
            (Request::Run { id }, Some(socket)) => {
                if let Err(error) = self.run(id, &socket, fds) {
                    tell(
                        &socket,
                        &StepReply::Failed(Failure::from_error(&error)),
                        &[],
                    );
                }
            }
            (Request::Child { role, args }, Some(socket)) => {
                let reply = match self.start_child(&role, &args, fds.next()) {
                    Ok(()) => StepReply::Done,
                    Err(error) => StepReply::Failed(Failure::from_error(&error)),
                };
                tell(&socket, &reply, &[]);
            }
            (Request::Connect { address }, Some(socket)) => hand_over(&socket, connect(address)),
            (Request::Socket { kind }, Some(socket)) => hand_over(&socket, open_socket(kind)),
            (Request::Root { pid }, Some(socket)) => open_root(&socket, pid),
            // Without a socket for the answer there is nobody to answer.
            (_, None) => {}
        }
    }

    fn run(
        &mut self,
        id: u64,
        socket: &OwnedFd,
        stdio: impl Iterator<Item = OwnedFd>,
    ) -> Result<(), Error> {
        let stdio: [OwnedFd; 3] =
            stdio
                .collect::<Vec<_>>()
                .try_into()
                .map_err(|_| Error::Protocol {
                    message: "a step needs three standard streams".to_owned(),
                })?;
        match sys::fork().map_err(|source| Error::io("fork a step helper", source))? {
            sys::Fork::Parent(pid) => {
                self.helpers.insert(id, pid);
                Ok(())
            }
            sys::Fork::Child => {
                // A helper must not keep the session's socket open, or hear about its siblings.
                ignore(nix::unistd::close(self.control.as_raw_fd()));
                ignore(nix::unistd::close(self.children.as_raw_fd()));
                // What arrives before the step's init listens must wait for it, not be lost.
                sys::block_signals();
                let place = step::Place {
                    state_dir: &self.setup.state_dir,
                    network: self.network.as_ref(),
                    features: self.features,
                    executor: self.setup.executor,
                };
                sys::exit_now(step::helper(socket, stdio, &place))
            }
        }
    }

    fn start_child(
        &self,
        role: &str,
        args: &[String],
        socket: Option<OwnedFd>,
    ) -> Result<(), Error> {
        let socket = socket.ok_or_else(|| Error::Protocol {
            message: "a child needs a socket".to_owned(),
        })?;
        let mut argv = Vec::with_capacity(args.len() + 2);
        for arg in [role, role]
            .into_iter()
            .chain(args.iter().map(String::as_str))
        {
            argv.push(CString::new(arg).map_err(|_| Error::Protocol {
                message: format!("argument {arg:?} of a child holds a NUL"),
            })?);
        }
        // Not writable either: it is the same read-only mount or sealed file this process runs from.
        let executable = rustix::fs::open(
            "/proc/self/exe",
            OFlags::PATH | OFlags::CLOEXEC,
            Mode::empty(),
        )
        .map_err(|source| Error::io("open the executable", source))?;
        match sys::fork().map_err(|source| Error::io("fork a child", source))? {
            sys::Fork::Parent(_) => Ok(()),
            sys::Fork::Child => {
                sys::reset_signals();
                if sys::put_at(socket.as_fd(), sys::CHILD_SOCKET).is_ok() {
                    sys::close_on_exec_from(sys::CHILD_SOCKET + 1);
                    drop(sys::exec_fd(executable.as_fd(), &argv, &[]));
                }
                sys::exit_now(127)
            }
        }
    }
}

/// Answers somebody who may have stopped listening.
fn tell(socket: &OwnedFd, reply: &StepReply, fds: &[std::os::fd::BorrowedFd<'_>]) {
    ignore(wire::send(socket, reply, fds));
}

/// Answers with a descriptor, or with what went wrong.
fn hand_over(socket: &OwnedFd, made: Result<OwnedFd, Error>) {
    match made {
        Ok(fd) => tell(socket, &StepReply::Done, &[fd.as_fd()]),
        Err(error) => tell(socket, &StepReply::Failed(Failure::from_error(&error)), &[]),
    }
}

/// Answers with the root directory of a running step, opened by a process that enters the step for it.
fn open_root(socket: &OwnedFd, pid: i32) {
    match sys::fork() {
        Ok(sys::Fork::Parent(_)) => {}
        Ok(sys::Fork::Child) => {
            hand_over(socket, step::pid_of(pid).and_then(executor::join::root_of));
            sys::exit_now(0)
        }
        Err(source) => hand_over(socket, Err(Error::io("fork into a running step", source))),
    }
}

/// A socket of the session's network; it keeps that network wherever it goes.
fn open_socket(kind: SocketKind) -> Result<OwnedFd, Error> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let (family, kind) = match kind {
        SocketKind::Tcp => (AddressFamily::INET, SocketType::STREAM),
        SocketKind::Udp => (AddressFamily::INET, SocketType::DGRAM),
        SocketKind::Udp6 => (AddressFamily::INET6, SocketType::DGRAM),
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    rustix::net::socket_with(family, kind, flags, None)
        .map_err(|source| Error::io("open a socket in the session", source))
}

/// Starts connecting; the engine waits for the outcome on the socket itself.
fn connect(address: SocketAddr) -> Result<OwnedFd, Error> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let what = || format!("connect to {address} in the session");
    let family = if address.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let socket = rustix::net::socket_with(
        family,
        SocketType::STREAM,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
    .map_err(|source| Error::io(what(), source))?;
    match rustix::net::connect(&socket, &address) {
        Ok(()) | Err(rustix::io::Errno::INPROGRESS) => Ok(socket),
        Err(source) => Err(Error::io(what(), source)),
    }
}

/// Kills a helper that no longer answers, with whatever libcontainer left half-made below it.
///
/// The helper is stopped first so that it cannot fork while its descendants are collected.
fn kill_tree(helper: Pid) {
    sys::kill_quietly(helper, Signal::STOP);
    let mut doomed = vec![helper];
    let mut next = 0;
    let parents = parents();
    while let Some(parent) = doomed.get(next).copied() {
        next += 1;
        doomed.extend(
            parents
                .iter()
                .filter(|(_, of)| *of == parent)
                .map(|(pid, _)| *pid),
        );
    }
    for pid in doomed {
        sys::kill_quietly(pid, Signal::KILL);
    }
}

/// Every process of the session with its parent, by their pids in the session.
///
/// `/proc` may be that of a namespace around the session. Then processes that are not below the caller, the
/// session's first, are none of its business, and the others have other pids there.
fn parents() -> Vec<(Pid, Pid)> {
    let (Ok(entries), Ok(own)) = (fs::read_dir("/proc"), fs::read_link("/proc/self")) else {
        return Vec::new();
    };
    let found: HashMap<i32, (i32, Vec<i32>)> = entries
        .filter_map(|entry| {
            let pid: i32 = entry.ok()?.file_name().to_str()?.parse().ok()?;
            let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
            let field = |name: &str| -> Option<Vec<i32>> {
                let line = status.lines().find_map(|line| line.strip_prefix(name))?;
                line.split_whitespace()
                    .map(|pid| pid.parse().ok())
                    .collect()
            };
            Some((pid, (*field("PPid:")?.first()?, field("NSpid:")?)))
        })
        .collect();
    let Some(own) = own.to_str().and_then(|pid| pid.parse::<i32>().ok()) else {
        return Vec::new();
    };
    let depth = found.get(&own).map_or(0, |(_, names)| names.len());
    let below = |mut pid: i32| loop {
        match found.get(&pid) {
            _ if pid == own => return true,
            Some((parent, _)) => pid = *parent,
            None => return false,
        }
    };
    let inside: Vec<i32> = found.keys().copied().filter(|pid| below(*pid)).collect();
    let name = |pid: i32| {
        let (_, names) = found.get(&pid)?;
        Pid::from_raw(*names.get(depth.checked_sub(1)?)?)
    };
    inside
        .into_iter()
        .filter_map(|pid| Some((name(pid)?, name(found.get(&pid)?.0)?)))
        .collect()
}
