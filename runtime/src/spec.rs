//! What a step is, and its translation into an OCI runtime specification.
//!
//! Pure: nothing here touches the system. The specification never contains a user namespace (steps run inside the
//! session's) and always starts with the step's root file system as its first mount.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use oci_spec::runtime::{
    Capability, LinuxBuilder, LinuxCapabilitiesBuilder, LinuxNamespace, LinuxNamespaceBuilder,
    LinuxNamespaceType, Mount, MountBuilder, ProcessBuilder, RootBuilder, Spec, SpecBuilder,
    UserBuilder,
};
use serde::{Deserialize, Serialize};

use crate::{Error, Limits};

/// One process to run, with everything it sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepSpec {
    /// The command; `args[0]` is looked up in the `PATH` of `env`.
    pub args: Vec<String>,
    /// The environment, in order.
    pub env: Vec<(String, String)>,
    /// The working directory; must exist.
    pub cwd: String,
    /// User id inside the session.
    pub uid: u32,
    /// Primary group id inside the session.
    pub gid: u32,
    /// Supplementary group ids inside the session.
    pub additional_gids: Vec<u32>,
    /// The host name the step sees.
    pub hostname: String,
    /// The root file system.
    pub root: RootFs,
    /// Whether the root file system is read-only.
    pub readonly: bool,
    /// Mounts on top of the root file system, in order.
    pub mounts: Vec<StepMount>,
    /// Capabilities of a process running as root.
    pub capabilities: Capabilities,
    /// Which system calls are refused.
    pub seccomp: Seccomp,
    /// Whether `/proc` and `/sys` are masked and partly read-only.
    pub mask_paths: bool,
    /// Whether setuid programs are powerless.
    pub no_new_privs: bool,
    /// Whether a small init runs as PID 1, forwards signals and reaps orphans.
    pub init: bool,
    /// Set when the step runs on a pseudo-terminal.
    pub terminal: Option<TerminalSize>,
    /// Which network the step sees.
    pub network: Network,
    /// The step's place in the session network, chosen by the engine; needed with [`Network::Isolated`].
    pub net_index: Option<u32>,
    /// Whether the step's network namespace may serve a later step, if this one leaves it unused. It waits in the
    /// step's place ([`crate::Session::place`]).
    pub leaves_network: bool,
    /// What the step may use; needs a session with limits.
    pub limits: Limits,
    /// TCP ports to open on 127.0.0.1 inside the step; the sockets are handed to the engine.
    pub listeners: Vec<u16>,
}

/// Where a step's root file system comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum RootFs {
    /// An overlay, mounted only inside the step.
    Overlay {
        /// Read-only layers, topmost first.
        lowers: Vec<PathBuf>,
        /// Takes what the step writes.
        upper: PathBuf,
        /// Scratch space of the overlay, on the same file system as `upper`.
        work: PathBuf,
    },
    /// A directory, used as it is.
    Directory(PathBuf),
}

/// Something mounted on top of the root file system.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StepMount {
    /// A directory, file or socket of the session's file systems.
    Bind {
        /// Path in the session.
        source: PathBuf,
        /// Path in the step.
        target: PathBuf,
        /// Whether the step may only read it.
        readonly: bool,
    },
    /// A fresh file system in memory.
    Tmpfs {
        /// Path in the step.
        target: PathBuf,
        /// Size limit in bytes.
        size: Option<u64>,
        /// Mode of its root directory.
        mode: u32,
    },
}

/// Capabilities of a step's root user.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Capabilities {
    /// What container runtimes grant by default.
    #[default]
    Default,
    /// Everything the session itself may do.
    All,
}

/// The system call filter of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seccomp {
    /// What container runtimes allow by default.
    #[default]
    Default,
    /// No filter: nested sandboxes work.
    Off,
    /// The default filter, and changes of ownership and identity succeed without effect.
    FakeRoot,
}

/// The network of a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Network {
    /// Only a loopback device.
    None,
    /// The host's own network; only in a session without a network of its own.
    Host,
    /// An own address on the session's network.
    #[default]
    Isolated,
}

/// Size of a terminal in character cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TerminalSize {
    /// Height.
    pub rows: u16,
    /// Width.
    pub columns: u16,
}

impl From<TerminalSize> for rustix::termios::Winsize {
    fn from(size: TerminalSize) -> Self {
        Self {
            ws_row: size.rows,
            ws_col: size.columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        }
    }
}

impl StepSpec {
    /// A step with safe defaults: root user, `/` as directory, default capabilities and filter, own init.
    #[must_use]
    pub fn new(root: RootFs, args: Vec<String>) -> Self {
        Self {
            args,
            env: Vec::new(),
            cwd: "/".to_owned(),
            uid: 0,
            gid: 0,
            additional_gids: Vec::new(),
            hostname: "dagger".to_owned(),
            root,
            readonly: false,
            mounts: Vec::new(),
            capabilities: Capabilities::Default,
            seccomp: Seccomp::Default,
            mask_paths: true,
            no_new_privs: false,
            init: true,
            terminal: None,
            network: Network::Isolated,
            net_index: None,
            leaves_network: false,
            limits: Limits::default(),
            listeners: Vec::new(),
        }
    }
}

/// What the session's kernel allows, found by probing once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Features {
    /// A new sysfs can be mounted.
    pub(crate) sysfs: bool,
    /// A new cgroup2 can be mounted in a cgroup namespace.
    pub(crate) cgroup2: bool,
    /// A new proc can be mounted; else the one of the container around is all there is.
    pub(crate) proc: bool,
}

/// Paths hidden from a step.
const MASKED_PATHS: [&str; 13] = [
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/sys/firmware",
    "/sys/devices/virtual/powercap",
    "/sys/devices/system/cpu/cpu0/thermal_throttle",
];

/// Paths a step may only read.
const READONLY_PATHS: [&str; 5] = [
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// The capability set of container runtimes.
const DEFAULT_CAPABILITIES: [Capability; 14] = [
    Capability::Chown,
    Capability::DacOverride,
    Capability::Fsetid,
    Capability::Fowner,
    Capability::Mknod,
    Capability::NetRaw,
    Capability::Setgid,
    Capability::Setuid,
    Capability::Setfcap,
    Capability::Setpcap,
    Capability::NetBindService,
    Capability::SysChroot,
    Capability::Kill,
    Capability::AuditWrite,
];

/// Every capability that exists.
const ALL_CAPABILITIES: [Capability; 41] = [
    Capability::AuditControl,
    Capability::AuditRead,
    Capability::AuditWrite,
    Capability::BlockSuspend,
    Capability::Bpf,
    Capability::CheckpointRestore,
    Capability::Chown,
    Capability::DacOverride,
    Capability::DacReadSearch,
    Capability::Fowner,
    Capability::Fsetid,
    Capability::IpcLock,
    Capability::IpcOwner,
    Capability::Kill,
    Capability::Lease,
    Capability::LinuxImmutable,
    Capability::MacAdmin,
    Capability::MacOverride,
    Capability::Mknod,
    Capability::NetAdmin,
    Capability::NetBindService,
    Capability::NetBroadcast,
    Capability::NetRaw,
    Capability::Perfmon,
    Capability::Setgid,
    Capability::Setfcap,
    Capability::Setpcap,
    Capability::Setuid,
    Capability::SysAdmin,
    Capability::SysBoot,
    Capability::SysChroot,
    Capability::SysModule,
    Capability::SysNice,
    Capability::SysPacct,
    Capability::SysPtrace,
    Capability::SysRawio,
    Capability::SysResource,
    Capability::SysTime,
    Capability::SysTtyConfig,
    Capability::Syslog,
    Capability::WakeAlarm,
];

/// Translates a step; `root` is the directory that becomes the step's `/` under the mounts.
///
/// The filter of [`Seccomp`] is not part of the result: the step's init installs it as compiled instructions. To be
/// allowed to without `no_new_privs`, it needs `CAP_SYS_ADMIN` and gives it up before the command starts.
///
/// # Errors
/// [`Error::InvalidStep`] for a step without a command or with paths that cannot be expressed.
pub(crate) fn to_oci(step: &StepSpec, root: &Path, features: Features) -> Result<Spec, Error> {
    if step.args.is_empty() {
        return Err(Error::InvalidStep {
            reason: "no command given".to_owned(),
        });
    }
    let mut process = ProcessBuilder::default()
        .terminal(step.terminal.is_some())
        .user(
            UserBuilder::default()
                .uid(step.uid)
                .gid(step.gid)
                .additional_gids(step.additional_gids.clone())
                .build()
                .map_err(invalid)?,
        )
        .args(step.args.clone())
        // Without a home, libcontainer asks the C library for one, which loads the image's name service modules
        // while still privileged. The init sets the real environment.
        .env(vec!["HOME=/".to_owned()])
        .cwd("/")
        .capabilities(capabilities(step)?)
        .build()
        .map_err(invalid)?;
    process.set_rlimits(None);
    // Present means "install the filter after the capabilities are gone"; absent leaves the bit alone.
    process.set_no_new_privileges(step.no_new_privs.then_some(true));

    let masked = |paths: &[&str]| {
        if step.mask_paths {
            paths.iter().map(|&path| path.to_owned()).collect()
        } else {
            vec![]
        }
    };
    let linux = LinuxBuilder::default()
        .namespaces(namespaces(features)?)
        .masked_paths(masked(&MASKED_PATHS))
        .readonly_paths(masked(&READONLY_PATHS))
        .rootfs_propagation("private")
        .build()
        .map_err(invalid)?;
    let mut linux = linux;
    linux.set_resources(None);
    linux.set_devices(None);

    SpecBuilder::default()
        .version("1.0.2")
        .root(
            RootBuilder::default()
                .path(root)
                .readonly(step.readonly)
                .build()
                .map_err(invalid)?,
        )
        .mounts(mounts(step, features)?)
        .process(process)
        .hostname(step.hostname.clone())
        .linux(linux)
        .build()
        .map_err(invalid)
}

fn invalid(error: impl std::fmt::Display) -> Error {
    Error::InvalidStep {
        reason: error.to_string(),
    }
}

fn namespaces(features: Features) -> Result<Vec<LinuxNamespace>, Error> {
    let mut kinds = vec![
        LinuxNamespaceType::Mount,
        LinuxNamespaceType::Pid,
        LinuxNamespaceType::Ipc,
        LinuxNamespaceType::Uts,
    ];
    if features.cgroup2 {
        kinds.push(LinuxNamespaceType::Cgroup);
    }
    kinds
        .into_iter()
        .map(|kind| {
            LinuxNamespaceBuilder::default()
                .typ(kind)
                .build()
                .map_err(invalid)
        })
        .collect()
}

fn capabilities(step: &StepSpec) -> Result<oci_spec::runtime::LinuxCapabilities, Error> {
    let mut granted: HashSet<Capability> = match step.capabilities {
        Capabilities::Default => DEFAULT_CAPABILITIES.into_iter().collect(),
        Capabilities::All => ALL_CAPABILITIES.into_iter().collect(),
    };
    granted.insert(Capability::SysAdmin);
    LinuxCapabilitiesBuilder::default()
        .bounding(granted.clone())
        .permitted(granted.clone())
        .effective(granted)
        .inheritable(HashSet::new())
        .ambient(HashSet::new())
        .build()
        .map_err(invalid)
}

fn mount(target: &str, kind: &str, source: &str, options: &[&str]) -> Result<Mount, Error> {
    MountBuilder::default()
        .destination(target)
        .typ(kind)
        .source(source)
        .options(
            options
                .iter()
                .map(|&option| option.to_owned())
                .collect::<Vec<_>>(),
        )
        .build()
        .map_err(invalid)
}

fn mounts(step: &StepSpec, features: Features) -> Result<Vec<Mount>, Error> {
    let mut mounts = Vec::with_capacity(step.mounts.len() + 9);
    if let RootFs::Overlay {
        lowers,
        upper,
        work,
    } = &step.root
    {
        mounts.push(overlay(lowers, upper, work)?);
    }
    mounts.push(if features.proc {
        let options = ["nosuid", "noexec", "nodev"];
        mount("/proc", "proc", "proc", &options)?
    } else {
        let options = ["rbind", "nosuid", "noexec", "nodev"];
        mount("/proc", "bind", "/proc", &options)?
    });
    mounts.push(mount(
        "/dev",
        "tmpfs",
        "tmpfs",
        &["nosuid", "strictatime", "mode=755", "size=65536k"],
    )?);
    mounts.push(mount(
        "/dev/pts",
        "devpts",
        "devpts",
        &[
            "nosuid",
            "noexec",
            "newinstance",
            "ptmxmode=0666",
            "mode=0620",
        ],
    )?);
    mounts.push(mount(
        "/dev/shm",
        "tmpfs",
        "shm",
        &["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"],
    )?);
    mounts.push(mount(
        "/dev/mqueue",
        "mqueue",
        "mqueue",
        &["nosuid", "noexec", "nodev"],
    )?);
    if features.sysfs && step.network != Network::Host {
        mounts.push(mount(
            "/sys",
            "sysfs",
            "sysfs",
            &["nosuid", "noexec", "nodev", "ro"],
        )?);
    } else {
        mounts.push(mount(
            "/sys",
            "bind",
            "/sys",
            &["rbind", "rro", "nosuid", "noexec", "nodev"],
        )?);
    }
    if features.cgroup2 {
        mounts.push(mount(
            "/sys/fs/cgroup",
            "cgroup2",
            "cgroup2",
            &["nosuid", "noexec", "nodev", "ro"],
        )?);
    }
    for extra in &step.mounts {
        mounts.push(step_mount(extra)?);
    }
    Ok(mounts)
}

fn overlay(lowers: &[PathBuf], upper: &Path, work: &Path) -> Result<Mount, Error> {
    let mut options = Vec::with_capacity(lowers.len() + 4);
    for lower in lowers {
        options.push(format!("lowerdir+={}", utf8(lower)?));
    }
    options.push(format!("upperdir={}", utf8(upper)?));
    options.push(format!("workdir={}", utf8(work)?));
    options.push("userxattr".to_owned());
    options.push("volatile".to_owned());
    MountBuilder::default()
        .destination("/")
        .typ("overlay")
        .source("overlay")
        .options(options)
        .build()
        .map_err(invalid)
}

fn step_mount(extra: &StepMount) -> Result<Mount, Error> {
    match extra {
        StepMount::Bind {
            source,
            target,
            readonly,
        } => {
            let mut options = vec!["rbind", "rprivate"];
            if *readonly {
                options.push("rro");
            }
            mount(utf8(target)?, "bind", utf8(source)?, &options)
        }
        StepMount::Tmpfs { target, size, mode } => {
            let mode = format!("mode={mode:o}");
            let size = size.map(|bytes| format!("size={bytes}"));
            let mut options = vec!["nosuid", "nodev", mode.as_str()];
            options.extend(size.as_deref());
            mount(utf8(target)?, "tmpfs", "tmpfs", &options)
        }
    }
}

fn utf8(path: &Path) -> Result<&str, Error> {
    path.to_str().ok_or_else(|| Error::InvalidStep {
        reason: format!("path {} is not UTF-8", path.display()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const FEATURES: Features = Features {
        sysfs: true,
        cgroup2: true,
        proc: true,
    };

    fn step() -> StepSpec {
        let root = RootFs::Overlay {
            lowers: vec!["/l/2".into(), "/l/1".into()],
            upper: "/u".into(),
            work: "/w".into(),
        };
        StepSpec::new(root, vec!["true".to_owned()])
    }

    fn oci(step: &StepSpec, features: Features) -> Spec {
        to_oci(step, Path::new("/root"), features).expect("a valid step")
    }

    #[test]
    fn the_overlay_is_the_first_mount_with_its_top_layer_first() {
        let spec = oci(&step(), FEATURES);
        let first = &spec.mounts().as_ref().expect("mounts")[0];
        assert_eq!(
            (first.destination(), first.typ().as_deref()),
            (&"/".into(), Some("overlay"))
        );
        let options: Vec<&str> = first
            .options()
            .iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let expected = [
            "lowerdir+=/l/2",
            "lowerdir+=/l/1",
            "upperdir=/u",
            "workdir=/w",
            "userxattr",
            "volatile",
        ];
        assert_eq!(options, expected);
    }

    #[test]
    fn there_is_never_a_user_or_network_namespace() {
        for cgroup2 in [true, false] {
            let spec = oci(
                &step(),
                Features {
                    cgroup2,
                    ..FEATURES
                },
            );
            let linux = spec.linux().as_ref().expect("linux");
            let kinds: Vec<LinuxNamespaceType> = linux
                .namespaces()
                .iter()
                .flatten()
                .map(LinuxNamespace::typ)
                .collect();
            assert!(!kinds.contains(&LinuxNamespaceType::User));
            assert!(!kinds.contains(&LinuxNamespaceType::Network));
            assert_eq!(kinds.contains(&LinuxNamespaceType::Cgroup), cgroup2);
        }
    }

    #[test]
    fn privileges_are_only_named_when_asked() {
        let mut step = step();
        let process = |step: &StepSpec| oci(step, FEATURES).process().clone().expect("process");
        assert_eq!(process(&step).no_new_privileges(), None);
        step.no_new_privs = true;
        assert_eq!(process(&step).no_new_privileges(), Some(true));
        let bounding = |step: &StepSpec| {
            let sets = process(step).capabilities().clone().expect("capabilities");
            sets.bounding().clone().expect("bounding")
        };
        // The default set, and the capability the init gives up.
        assert_eq!(bounding(&step).len(), DEFAULT_CAPABILITIES.len() + 1);
        step.capabilities = Capabilities::All;
        assert_eq!(bounding(&step).len(), ALL_CAPABILITIES.len());
    }

    #[test]
    fn a_step_without_a_command_is_refused() {
        let mut step = step();
        step.args.clear();
        let refused = to_oci(&step, Path::new("/root"), FEATURES);
        assert!(
            matches!(refused, Err(Error::InvalidStep { .. })),
            "{refused:?}"
        );
    }

    #[test]
    fn sysfs_is_bound_where_it_cannot_be_mounted() {
        let mut step = step();
        let kind = |step: &StepSpec, sysfs| {
            let spec = oci(step, Features { sysfs, ..FEATURES });
            let mounts = spec.mounts().clone().expect("mounts");
            let sys = mounts
                .iter()
                .find(|mount| mount.destination() == Path::new("/sys"));
            sys.and_then(|mount| mount.typ().clone())
                .expect("a mount on /sys")
        };
        assert_eq!(kind(&step, true), "sysfs");
        assert_eq!(kind(&step, false), "bind");
        step.network = Network::Host;
        assert_eq!(kind(&step, true), "bind");
    }
}
