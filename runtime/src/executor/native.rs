//! The native executor: one clone makes the step's namespaces, and its first process builds the rest from inside.
//!
//! It does what libcontainer does for the specifications of this crate, in the same order as far as the order shows,
//! with about a third of the system calls.

use std::os::fd::{AsFd as _, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

use nix::sched::CloneFlags;
use oci_spec::runtime::{Capability, LinuxNamespaceType, Spec};
use rustix::fs::{Mode, OFlags};
use rustix::mount::UnmountFlags;
use rustix::process::{DumpableBehavior, Gid, Pid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::mounts::Root;
use super::{Created, Executor, Job};
use crate::error::ignore;
use crate::spec::{self, StepSpec, TerminalSize};
use crate::wire::{self, Failure};
use crate::{Error, sys};

/// What fails when a terminal does.
pub(super) const OPEN_TERMINAL: &str = "open the step's terminal";

/// Builds steps with system calls of our own.
pub(super) struct Native;

impl Executor for Native {
    fn create(&self, job: Job<'_>) -> Result<Box<dyn Created>, Error> {
        // The root's path means nothing here: it is taken from the step.
        let spec = spec::to_oci(job.step, "/".as_ref(), job.place.features)?;
        let console = job.step.terminal.map(|_| wire::pair()).transpose()?;
        let cloned = sys::clone_into(namespaces(&spec)?)
            .map_err(|source| Error::io("create the step's namespaces", source))?;
        match cloned {
            sys::Fork::Parent(pid) => Ok(Box::new(Step {
                pid,
                console: console.map(|(ours, _)| ours),
            })),
            sys::Fork::Child => {
                // A panic must not unwind into the copy of the helper below.
                let built = catch_unwind(AssertUnwindSafe(|| {
                    build(&job, &spec, console.as_ref().map(|(_, theirs)| theirs))
                }));
                match built {
                    Ok(Ok(())) => job.init.run(),
                    Ok(Err(error)) => job.init.refuse(Failure::from_error(&error)),
                    Err(_) => job.init.refuse(Failure::Other {
                        message: "the step's init panicked".to_owned(),
                    }),
                }
            }
        }
    }
}

/// A process of a step, a child of the helper.
pub(super) struct Step {
    pub(super) pid: Pid,
    /// Where the master side of its terminal comes from.
    pub(super) console: Option<OwnedFd>,
}

impl Created for Step {
    fn pid(&self) -> Pid {
        self.pid
    }

    fn terminal(&mut self) -> Result<Option<OwnedFd>, Error> {
        let Some(console) = self.console.take() else {
            return Ok(None);
        };
        // Without an answer the init has failed, and says why when it is waited for.
        let answer = wire::receive::<()>(&console)?;
        Ok(answer.and_then(|((), mut fds)| fds.pop()))
    }

    fn start(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

pub(super) fn namespaces(spec: &Spec) -> Result<CloneFlags, Error> {
    let mut flags = CloneFlags::empty();
    let wanted = spec
        .linux()
        .as_ref()
        .and_then(|linux| linux.namespaces().as_ref());
    for namespace in wanted.into_iter().flatten() {
        flags |= match namespace.typ() {
            LinuxNamespaceType::Mount => CloneFlags::CLONE_NEWNS,
            LinuxNamespaceType::Pid => CloneFlags::CLONE_NEWPID,
            LinuxNamespaceType::Ipc => CloneFlags::CLONE_NEWIPC,
            LinuxNamespaceType::Uts => CloneFlags::CLONE_NEWUTS,
            LinuxNamespaceType::Cgroup => CloneFlags::CLONE_NEWCGROUP,
            other => {
                return Err(Error::InvalidStep {
                    reason: format!("namespaces of kind {other} belong to the session"),
                });
            }
        };
    }
    Ok(flags)
}

/// Everything between the clone and the init, in the step's first process.
fn build(job: &Job<'_>, spec: &Spec, console: Option<&OwnedFd>) -> Result<(), Error> {
    let io = |what: &'static str| move |source: rustix::io::Errno| Error::io(what, source);
    rustix::process::setsid().map_err(io("start a process session"))?;
    let root = Root::build(&job.step.root, spec, job.place.state_dir)?;
    match (console, job.step.terminal) {
        (Some(console), Some(size)) => open_terminal(&root, job.step, size, console)?,
        _ => place_streams(&job.stdio)?,
    }
    if job.step.readonly {
        root.make_readonly()?;
    }
    enter(&root)?;
    reopen_null()?;
    rustix::system::sethostname(job.step.hostname.as_bytes()).map_err(io("set the host name"))?;
    if job.step.no_new_privs {
        rustix::thread::set_no_new_privs(true).map_err(io("give up new privileges"))?;
    }
    become_user(job.step, &granted(spec)).map_err(io("become the step's user"))?;
    // The init's memory holds the step's environment, and it may have to outlive the command's good behaviour.
    rustix::process::set_dumpable_behavior(DumpableBehavior::NotDumpable)
        .map_err(io("protect the step's init"))
}

/// Makes the built tree this process's root and lets go of the session's.
fn enter(root: &Root) -> Result<(), Error> {
    let what = "enter the step's root";
    let enter = || {
        rustix::process::fchdir(root.as_fd())?;
        rustix::process::pivot_root(".", ".")?;
        // The old root now lies on top of the new one.
        rustix::mount::unmount(".", UnmountFlags::DETACH)?;
        rustix::process::chdir("/")
    };
    enter().map_err(|source| Error::io(what, source))
}

pub(super) fn place_streams(stdio: &[OwnedFd; 3]) -> Result<(), Error> {
    for (stream, target) in stdio.iter().zip(0..) {
        sys::put_at(stream.as_fd(), target)
            .map_err(|source| Error::io("place the standard streams", source))?;
    }
    Ok(())
}

/// The null device of the session is not the step's to keep; its own is the same device on its own mount.
pub(super) fn reopen_null() -> Result<(), Error> {
    let what = "reopen /dev/null";
    let null = rustix::fs::makedev(1, 3);
    for target in 0..3 {
        let stat = rustix::fs::fstat(sys::borrow_for_good(target))
            .map_err(|source| Error::io(what, source))?;
        let is_device = rustix::fs::FileType::from_raw_mode(stat.st_mode).is_char_device();
        if is_device && stat.st_rdev == null {
            let own = rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty())
                .map_err(|source| Error::io(what, source))?;
            sys::put_at(own.as_fd(), target).map_err(|source| Error::io(what, source))?;
        }
    }
    Ok(())
}

/// Makes a pair of the step's own terminal file system the terminal of a process that is being built.
fn open_terminal(
    root: &Root,
    step: &StepSpec,
    size: TerminalSize,
    console: &OwnedFd,
) -> Result<(), Error> {
    let master = root.open("dev/pts/ptmx", OFlags::RDWR | OFlags::NOCTTY)?;
    let slave = other_side(&master, step, size)?;
    root.bind_descriptor(&slave, "dev/console")?;
    take_terminal(&master, &slave, console)
}

/// The process's side of a pair, of that size and its user's.
pub(super) fn other_side(
    master: &OwnedFd,
    step: &StepSpec,
    size: TerminalSize,
) -> Result<OwnedFd, Error> {
    use rustix::pty::OpenptFlags;
    let failed = |source: rustix::io::Errno| Error::io(OPEN_TERMINAL, source);
    rustix::pty::unlockpt(master).map_err(failed)?;
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let slave = rustix::pty::ioctl_tiocgptpeer(master, flags).map_err(failed)?;
    rustix::termios::tcsetwinsize(master, size.into()).map_err(failed)?;
    if step.uid != 0 {
        // Impossible with a single id, where there is no other user either.
        ignore(rustix::fs::fchown(
            &slave,
            Some(rustix::fs::Uid::from_raw(step.uid)),
            None,
        ));
    }
    Ok(slave)
}

/// Makes a pair the terminal and the streams of this process, and sends its master side to the helper.
pub(super) fn take_terminal(
    master: &OwnedFd,
    slave: &OwnedFd,
    console: &OwnedFd,
) -> Result<(), Error> {
    let failed = |source: rustix::io::Errno| Error::io(OPEN_TERMINAL, source);
    rustix::process::ioctl_tiocsctty(slave).map_err(failed)?;
    for target in 0..3 {
        sys::put_at(slave.as_fd(), target).map_err(|source| Error::io(OPEN_TERMINAL, source))?;
    }
    wire::send(console, &(), &[master.as_fd()])
}

/// The capabilities a specification grants; all its sets are the same or empty.
pub(super) fn granted(spec: &Spec) -> CapabilitySet {
    let sets = spec
        .process()
        .as_ref()
        .and_then(|process| process.capabilities().as_ref());
    let bounding = sets.and_then(|sets| sets.bounding().as_ref());
    bounding
        .into_iter()
        .flatten()
        .fold(CapabilitySet::empty(), |set, capability| {
            set | bit(*capability)
        })
}

/// Takes the identity and keeps the capabilities of a step, and those its init still needs.
pub(super) fn become_user(step: &StepSpec, granted: &CapabilitySet) -> rustix::io::Result<()> {
    use rustix::thread as id;
    let gid = Gid::from_raw(step.gid);
    let uid = Uid::from_raw(step.uid);
    if !step.additional_gids.is_empty() {
        let groups: Vec<Gid> = step
            .additional_gids
            .iter()
            .map(|&gid| Gid::from_raw(gid))
            .collect();
        id::set_thread_groups(&groups)?;
    }
    id::set_thread_res_gid(gid, gid, gid)?;
    for capability in CapabilitySet::all() - *granted {
        match id::remove_capability_from_bounding_set(capability) {
            // One that this kernel does not know yet.
            Ok(()) | Err(rustix::io::Errno::INVAL) => {}
            Err(errno) => return Err(errno),
        }
    }
    id::clear_ambient_capability_set()?;
    // The init still needs what it will give up.
    id::set_keep_capabilities(true)?;
    id::set_thread_res_uid(uid, uid, uid)?;
    id::set_keep_capabilities(false)?;
    let held = *granted & id::capabilities(None)?.permitted;
    id::set_capabilities(
        None,
        CapabilitySets {
            effective: held,
            permitted: held,
            inheritable: CapabilitySet::empty(),
        },
    )
}

/// A capability of the specification as the kernel numbers it.
const fn bit(capability: Capability) -> CapabilitySet {
    match capability {
        Capability::AuditControl => CapabilitySet::AUDIT_CONTROL,
        Capability::AuditRead => CapabilitySet::AUDIT_READ,
        Capability::AuditWrite => CapabilitySet::AUDIT_WRITE,
        Capability::BlockSuspend => CapabilitySet::BLOCK_SUSPEND,
        Capability::Bpf => CapabilitySet::BPF,
        Capability::CheckpointRestore => CapabilitySet::CHECKPOINT_RESTORE,
        Capability::Chown => CapabilitySet::CHOWN,
        Capability::DacOverride => CapabilitySet::DAC_OVERRIDE,
        Capability::DacReadSearch => CapabilitySet::DAC_READ_SEARCH,
        Capability::Fowner => CapabilitySet::FOWNER,
        Capability::Fsetid => CapabilitySet::FSETID,
        Capability::IpcLock => CapabilitySet::IPC_LOCK,
        Capability::IpcOwner => CapabilitySet::IPC_OWNER,
        Capability::Kill => CapabilitySet::KILL,
        Capability::Lease => CapabilitySet::LEASE,
        Capability::LinuxImmutable => CapabilitySet::LINUX_IMMUTABLE,
        Capability::MacAdmin => CapabilitySet::MAC_ADMIN,
        Capability::MacOverride => CapabilitySet::MAC_OVERRIDE,
        Capability::Mknod => CapabilitySet::MKNOD,
        Capability::NetAdmin => CapabilitySet::NET_ADMIN,
        Capability::NetBindService => CapabilitySet::NET_BIND_SERVICE,
        Capability::NetBroadcast => CapabilitySet::NET_BROADCAST,
        Capability::NetRaw => CapabilitySet::NET_RAW,
        Capability::Perfmon => CapabilitySet::PERFMON,
        Capability::Setgid => CapabilitySet::SETGID,
        Capability::Setfcap => CapabilitySet::SETFCAP,
        Capability::Setpcap => CapabilitySet::SETPCAP,
        Capability::Setuid => CapabilitySet::SETUID,
        Capability::SysAdmin => CapabilitySet::SYS_ADMIN,
        Capability::SysBoot => CapabilitySet::SYS_BOOT,
        Capability::SysChroot => CapabilitySet::SYS_CHROOT,
        Capability::SysModule => CapabilitySet::SYS_MODULE,
        Capability::SysNice => CapabilitySet::SYS_NICE,
        Capability::SysPacct => CapabilitySet::SYS_PACCT,
        Capability::SysPtrace => CapabilitySet::SYS_PTRACE,
        Capability::SysRawio => CapabilitySet::SYS_RAWIO,
        Capability::SysResource => CapabilitySet::SYS_RESOURCE,
        Capability::SysTime => CapabilitySet::SYS_TIME,
        Capability::SysTtyConfig => CapabilitySet::SYS_TTY_CONFIG,
        Capability::Syslog => CapabilitySet::SYSLOG,
        Capability::WakeAlarm => CapabilitySet::WAKE_ALARM,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_those_of_the_specification() {
        let root = crate::spec::RootFs::Directory("/".into());
        let step = StepSpec::new(root, vec!["true".to_owned()]);
        for cgroup2 in [true, false] {
            let features = crate::spec::Features {
                sysfs: true,
                cgroup2,
                proc: true,
            };
            let spec = spec::to_oci(&step, "/".as_ref(), features).expect("a valid step");
            let flags = namespaces(&spec).expect("namespaces of a step");
            assert!(flags.contains(CloneFlags::CLONE_NEWPID | CloneFlags::CLONE_NEWNS));
            assert_eq!(flags.contains(CloneFlags::CLONE_NEWCGROUP), cgroup2);
            assert!(!flags.contains(CloneFlags::CLONE_NEWUSER));
            assert_eq!(granted(&spec).bits().count_ones(), 15);
        }
    }
}
