//! What this machine allows, found by trying, for `nsci doctor`.
//!
//! Anything that can only be tried in a new namespace is tried in a process of its own ([`crate::roles::PROBE`]), so
//! that the caller is never changed.

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use nix::sched::CloneFlags;
use rustix::mount::{MountFlags, UnmountFlags};
use serde::{Deserialize, Serialize};

use crate::idmap::{self, IdMap, IdMapProblem};

/// How a finding matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Level {
    /// As it should be.
    Good,
    /// Something works less well, or only costs speed.
    Degraded,
    /// Steps cannot run.
    Fatal,
}

/// The result of one probe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was tried.
    pub name: String,
    /// How it matters.
    pub level: Level,
    /// What was found.
    pub detail: String,
    /// What to do about it, if anything can be done.
    pub fix: Option<String>,
}

impl Finding {
    fn good(name: &str, detail: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            level: Level::Good,
            detail: detail.into(),
            fix: None,
        }
    }

    fn bad(name: &str, level: Level, detail: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            name: name.to_owned(),
            level,
            detail: detail.into(),
            fix: Some(fix.into()).filter(|fix: &String| !fix.is_empty()),
        }
    }
}

/// Runs every probe; `cache_dir` is where layers and snapshots will lie.
#[must_use]
pub fn all(cache_dir: &Path) -> Vec<Finding> {
    vec![
        kernel_version(),
        user_namespaces(),
        id_tools(),
        subordinate_ids(),
        id_mapping(),
        proc_mount(),
        overlay(cache_dir),
        executable_directory(cache_dir),
        cgroup2(),
        limits(),
        device(
            "tun",
            Path::new("/dev/net/tun"),
            "only the use of pasta needs it",
        ),
        device(
            "fuse",
            Path::new("/dev/fuse"),
            "only the fuse-overlayfs fallback needs it",
        ),
    ]
}

/// The kernel's version; the mount calls steps are built with need 5.12.
#[must_use]
pub fn kernel_version() -> Finding {
    let name = "kernel";
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy().into_owned();
    if parse_release(&release) >= Some((5, 12)) {
        Finding::good(name, format!("Linux {release}"))
    } else {
        Finding::bad(
            name,
            Level::Fatal,
            format!("Linux {release} is older than 5.12"),
            "update the kernel; steps need the mount calls of Linux 5.12",
        )
    }
}

/// Whether a user namespace can be made and mapped, and is worth something.
#[must_use]
pub fn user_namespaces() -> Finding {
    let name = "user namespaces";
    match ask("userns", None) {
        Attempt::Works => Finding::good(name, "can be created"),
        Attempt::Fails { step, errno } => {
            let (detail, fix) = explain_userns(&step, errno, &Surroundings::read());
            Finding::bad(name, Level::Fatal, detail, fix)
        }
        Attempt::Unknown(reason) => Finding::bad(name, Level::Fatal, reason, ""),
    }
}

/// Whether the set-uid helpers for id mapping are there and have their power.
#[must_use]
pub fn id_tools() -> Finding {
    let name = "newuidmap and newgidmap";
    if IdMap::detect().is_ok_and(|map| map.kind == idmap::IdMapKind::Root) {
        return Finding::good(name, "not needed as root");
    }
    match idmap::check_tools() {
        Ok(()) => Finding::good(name, "installed"),
        Err(problem) => degraded_ids(name, &problem),
    }
}

/// Whether this user has subordinate ids.
#[must_use]
pub fn subordinate_ids() -> Finding {
    let name = "subordinate ids";
    match IdMap::detect() {
        Ok(map) => {
            let count: u64 = map.uids.iter().map(|extent| u64::from(extent.count)).sum();
            Finding::good(name, format!("{count} user ids ({})", map.fingerprint()))
        }
        Err(problem) => degraded_ids(name, &problem),
    }
}

/// Whether the helpers accept the map; group and user ranges may be fine and the helpers still refuse.
#[must_use]
pub fn id_mapping() -> Finding {
    let name = "id mapping";
    let map = match IdMap::detect() {
        Ok(map) => map,
        Err(problem) => return degraded_ids(name, &problem),
    };
    match map_a_child(&map) {
        Ok(()) => Finding::good(name, "accepted by the kernel"),
        Err(error) => Finding::bad(
            name,
            Level::Degraded,
            crate::wire::chain(&error),
            "steps run with one id until this is solved; check /etc/subuid, /etc/subgid and the mode of newuidmap",
        ),
    }
}

/// Whether a new `/proc` can be mounted, which masked containers forbid; steps then see the container's.
#[must_use]
pub fn proc_mount() -> Finding {
    let name = "mounting /proc";
    match ask("proc", None) {
        Attempt::Works => Finding::good(name, "possible"),
        Attempt::Fails { errno, .. } if errno == rustix::io::Errno::PERM.raw_os_error() => {
            Finding::bad(
                name,
                Level::Degraded,
                "hidden in parts by the container around: steps see that container's processes and each other's",
                "docker: --security-opt systempaths=unconfined; Kubernetes: procMount: Unmasked with hostUsers: false",
            )
        }
        Attempt::Fails { errno, .. } => Finding::bad(name, Level::Fatal, describe(errno), ""),
        Attempt::Unknown(reason) => Finding::bad(name, Level::Fatal, reason, ""),
    }
}

/// Whether overlays can be mounted with their parts in `directory`.
#[must_use]
pub fn overlay(directory: &Path) -> Finding {
    let name = "overlay";
    if let Err(error) = fs::create_dir_all(directory) {
        return Finding::bad(
            name,
            Level::Fatal,
            format!("cannot create {}: {error}", directory.display()),
            "set NSCI_CACHE_DIR to a directory you may write to",
        );
    }
    match ask("overlay", Some(directory)) {
        Attempt::Works => Finding::good(name, format!("works in {}", directory.display())),
        Attempt::Fails { errno, .. } => Finding::bad(
            name,
            Level::Fatal,
            format!(
                "{} on {} ({})",
                describe(errno),
                directory.display(),
                file_system(directory)
            ),
            "set NSCI_CACHE_DIR to a local ext4, xfs or btrfs directory, in Kubernetes an emptyDir",
        ),
        Attempt::Unknown(reason) => Finding::bad(name, Level::Fatal, reason, ""),
    }
}

/// Whether programs below `directory` may be executed.
#[must_use]
pub fn executable_directory(directory: &Path) -> Finding {
    let name = "cache mount options";
    let noexec = rustix::fs::statvfs(directory)
        .is_ok_and(|stat| stat.f_flag.contains(rustix::fs::StatVfsMountFlags::NOEXEC));
    if noexec {
        Finding::bad(
            name,
            Level::Fatal,
            format!(
                "{} is mounted noexec; steps cannot execute anything",
                directory.display()
            ),
            "set NSCI_CACHE_DIR to another directory",
        )
    } else {
        Finding::good(name, "programs can be executed")
    }
}

/// Whether a cgroup2 view can be had.
#[must_use]
pub fn cgroup2() -> Finding {
    let name = "cgroup2";
    match ask("cgroup2", None) {
        Attempt::Works => Finding::good(name, "can be mounted"),
        Attempt::Fails { errno, .. } => Finding::bad(
            name,
            Level::Degraded,
            describe(errno),
            "boot with systemd.unified_cgroup_hierarchy=1; without, steps may fail to start",
        ),
        Attempt::Unknown(reason) => Finding::bad(name, Level::Degraded, reason, ""),
    }
}

/// Whether steps can be limited in memory, processors and processes.
#[must_use]
pub fn limits() -> Finding {
    let name = "limits";
    match crate::cgroup::available() {
        Ok((path, controllers)) if !controllers.is_empty() => Finding::good(
            name,
            format!("{} below {}", controllers.join(", "), path.display()),
        ),
        Ok((path, _)) => {
            let names = "memory, cpu, pids".to_owned();
            let problem = crate::LimitProblem::NoController { path, names };
            Finding::bad(name, Level::Degraded, problem.to_string(), problem.hint())
        }
        Err(problem) => Finding::bad(name, Level::Degraded, problem.to_string(), problem.hint()),
    }
}

/// Whether a device can be opened; never fatal.
fn device(name: &str, path: &Path, need: &str) -> Finding {
    match fs::OpenOptions::new().read(true).write(true).open(path) {
        Ok(_) => Finding::good(name, format!("{} can be opened", path.display())),
        Err(error) => Finding::bad(
            name,
            Level::Degraded,
            format!("{} cannot be opened ({error}); {need}", path.display()),
            "",
        ),
    }
}

fn degraded_ids(name: &str, problem: &IdMapProblem) -> Finding {
    let detail = format!("{problem}: running with one id");
    Finding::bad(name, Level::Degraded, detail, problem.hint())
}

fn describe(errno: i32) -> String {
    io::Error::from_raw_os_error(errno).to_string()
}

fn file_system(directory: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
    mounts
        .lines()
        .filter_map(|line| {
            let mut fields = line.split(' ').skip(1);
            let (point, kind) = (fields.next()?, fields.next()?);
            directory
                .starts_with(point)
                .then(|| (point.len(), kind.to_owned()))
        })
        .max_by_key(|(length, _)| *length)
        .map_or_else(|| "unknown file system".to_owned(), |(_, kind)| kind)
}

/// What the system says about user namespaces, to explain a refusal.
#[derive(Debug, Default)]
struct Surroundings {
    filtered: bool,
    apparmor_restricts: bool,
    clone_disabled: bool,
    maximum: Option<u64>,
}

impl Surroundings {
    fn read() -> Self {
        let number = |path: &str| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok();
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        Self {
            filtered: status.lines().any(|line| line == "Seccomp:\t2"),
            apparmor_restricts: number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns")
                == Some(1),
            clone_disabled: number("/proc/sys/kernel/unprivileged_userns_clone") == Some(0),
            maximum: number("/proc/sys/user/max_user_namespaces"),
        }
    }
}

fn explain_userns(step: &str, errno: i32, around: &Surroundings) -> (String, String) {
    let detail = format!("{step}: {}", describe(errno));
    let fix = if errno == nix::libc::ENOSPC || around.maximum == Some(0) {
        "sysctl user.max_user_namespaces=15000".to_owned()
    } else if around.clone_disabled {
        "sysctl kernel.unprivileged_userns_clone=1".to_owned()
    } else if around.apparmor_restricts {
        let path = fs::read_link("/proc/self/exe").unwrap_or_default();
        format!(
            "write this to /etc/apparmor.d/nsci and run `apparmor_parser -r /etc/apparmor.d/nsci` \
             (or sysctl kernel.apparmor_restrict_unprivileged_userns=0):\n\
             abi <abi/4.0>,\nprofile nsci {} flags=(unconfined) {{\n  userns,\n}}",
            path.display()
        )
    } else if around.filtered {
        "docker: --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt \
         systempaths=unconfined; Kubernetes: seccompProfile and appArmorProfile Unconfined"
            .to_owned()
    } else {
        String::new()
    };
    (detail, fix)
}

fn parse_release(release: &str) -> Option<(u32, u32)> {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

/// What came of trying something in a child.
#[derive(Debug, Serialize, Deserialize)]
enum Attempt {
    Works,
    Fails { step: String, errno: i32 },
    Unknown(String),
}

/// Tries `what` in a new process.
fn ask(what: &str, directory: Option<&Path>) -> Attempt {
    let mut command = Command::new("/proc/self/exe");
    command.arg(crate::roles::PROBE).arg(what).env_clear();
    if let Some(directory) = directory {
        command.arg(directory);
    }
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output();
    let answer = output
        .map_err(|error| error.to_string())
        .and_then(|output| {
            serde_json::from_slice(&output.stdout)
                .map_err(|_| format!("the probe {what} ended with {}", output.status))
        });
    answer.unwrap_or_else(Attempt::Unknown)
}

/// Lets a child wait in a new user namespace and puts the map in force there.
fn map_a_child(map: &IdMap) -> Result<(), crate::Error> {
    use std::io::Read as _;
    let what = "run a probe";
    let mut child = Command::new("/proc/self/exe")
        .args([crate::roles::PROBE, "wait"])
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|source| crate::Error::io(what, source))?;
    let mut ready = [0_u8; 1];
    let entered = child
        .stdout
        .take()
        .is_some_and(|mut out| out.read_exact(&mut ready).is_ok());
    let result = if entered {
        map.apply(child.id())
    } else {
        Err(crate::Error::UserNamespace {
            reason: "see the probe of user namespaces".to_owned(),
        })
    };
    drop(child.stdin.take());
    child
        .wait()
        .map_err(|source| crate::Error::io(what, source))?;
    result
}

/// Plays the role of a probe: tries one thing in namespaces of its own and prints an [`Attempt`].
pub(crate) fn main(args: &[String]) -> ExitCode {
    use std::io::Write as _;
    let attempt = match args {
        [what] if what == "wait" => return wait_for_map(),
        [what, rest @ ..] => match attempt(what, rest.first().map(Path::new)) {
            Ok(()) => Attempt::Works,
            Err((step, error)) => Attempt::Fails {
                step: step.to_owned(),
                errno: error.raw_os_error().unwrap_or(nix::libc::EINVAL),
            },
        },
        [] => return ExitCode::FAILURE,
    };
    match serde_json::to_vec(&attempt).map(|json| io::stdout().write_all(&json)) {
        Ok(Ok(())) => ExitCode::SUCCESS,
        _ => ExitCode::FAILURE,
    }
}

fn wait_for_map() -> ExitCode {
    use std::io::{Read as _, Write as _};
    if nix::sched::unshare(CloneFlags::CLONE_NEWUSER).is_err() {
        return ExitCode::FAILURE;
    }
    let told = io::stdout()
        .write_all(b"r")
        .and_then(|()| io::stdout().flush());
    let mut rest = Vec::new();
    match told.and_then(|()| io::stdin().read_to_end(&mut rest)) {
        Ok(_) => ExitCode::SUCCESS,
        Err(_) => ExitCode::FAILURE,
    }
}

type Failed = (&'static str, io::Error);

fn attempt(what: &str, directory: Option<&Path>) -> Result<(), Failed> {
    enter_namespaces()?;
    match (what, directory) {
        ("userns", _) => mount_somewhere("tmpfs"),
        ("cgroup2", _) => mount_somewhere("cgroup2"),
        ("proc", _) => in_new_pid_namespace(|| mount_somewhere("proc")),
        ("overlay", Some(directory)) => try_overlay(directory),
        _ => Err(("unknown probe", io::ErrorKind::InvalidInput.into())),
    }
}

/// A user namespace with one id, and the namespaces a session has.
fn enter_namespaces() -> Result<(), Failed> {
    let (uid, gid) = (
        rustix::process::geteuid().as_raw(),
        rustix::process::getegid().as_raw(),
    );
    let flags = CloneFlags::CLONE_NEWUSER
        | CloneFlags::CLONE_NEWNS
        | CloneFlags::CLONE_NEWPID
        | CloneFlags::CLONE_NEWNET
        | CloneFlags::CLONE_NEWCGROUP;
    nix::sched::unshare(flags).map_err(|errno| ("unshare", errno.into()))?;
    let write = |file: &str, text: String| fs::write(format!("/proc/self/{file}"), text);
    write("setgroups", "deny".to_owned())
        .and_then(|()| write("uid_map", format!("0 {uid} 1")))
        .and_then(|()| write("gid_map", format!("0 {gid} 1")))
        .map_err(|error| ("writing the id map", error))?;
    rustix::mount::mount_change(
        "/",
        rustix::mount::MountPropagationFlags::PRIVATE | rustix::mount::MountPropagationFlags::REC,
    )
    .map_err(|errno| ("making mounts private", errno.into()))
}

/// Mounts a file system over `/proc`, which exists everywhere; only this process sees it.
fn mount_somewhere(kind: &str) -> Result<(), Failed> {
    rustix::mount::mount(
        kind,
        "/proc",
        kind,
        MountFlags::NOSUID | MountFlags::NODEV,
        None,
    )
    .map_err(|errno| ("mount", errno.into()))
}

fn in_new_pid_namespace(inner: fn() -> Result<(), Failed>) -> Result<(), Failed> {
    match crate::sys::fork().map_err(|error| ("fork", error))? {
        crate::sys::Fork::Child => {
            let errno = inner()
                .err()
                .map_or(0, |(_, error)| error.raw_os_error().unwrap_or(1));
            crate::sys::exit_now(errno)
        }
        crate::sys::Fork::Parent(pid) => {
            let (status, _) = crate::sys::wait_with_usage(pid).map_err(|error| ("wait", error))?;
            match crate::sys::exit_from_status(status) {
                crate::Exit::Code(0) => Ok(()),
                crate::Exit::Code(errno) => Err(("mount", io::Error::from_raw_os_error(errno))),
                crate::Exit::Signal(_) => Err(("mount", io::ErrorKind::Interrupted.into())),
            }
        }
    }
}

fn try_overlay(directory: &Path) -> Result<(), Failed> {
    let base = directory.join(format!(
        ".probe-{}",
        rustix::process::getpid().as_raw_nonzero()
    ));
    let made = ["l", "u", "w", "m"]
        .into_iter()
        .try_for_each(|part| fs::create_dir_all(base.join(part)))
        .map_err(|error| ("creating directories", error));
    let result = made.and_then(|()| {
        let options = format!(
            "lowerdir={0}/l,upperdir={0}/u,workdir={0}/w,userxattr",
            base.display()
        );
        let options = std::ffi::CString::new(options)
            .map_err(|_| ("overlay options", io::ErrorKind::InvalidInput.into()))?;
        rustix::mount::mount(
            "overlay",
            base.join("m"),
            "overlay",
            MountFlags::empty(),
            options.as_c_str(),
        )
        .map_err(|errno| ("mount", io::Error::from(errno)))?;
        let write = fs::write(base.join("m/file"), "x").map_err(|error| ("write", error));
        crate::error::ignore(rustix::mount::unmount(base.join("m"), UnmountFlags::DETACH));
        write
    });
    // Owned by us even outside the namespace, so nothing keeps it; what is left would only be empty directories.
    crate::error::ignore(fs::remove_dir_all(&base));
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_compare_by_number() {
        let cases = [
            ("6.18.44-fc-v669", Some((6, 18))),
            ("5.4.0-150-generic", Some((5, 4))),
            ("5.12", Some((5, 12))),
            ("weird", None),
        ];
        for (release, expected) in cases {
            assert_eq!(parse_release(release), expected, "{release}");
        }
        assert!(parse_release("5.4.0") < Some((5, 12)));
    }

    #[test]
    fn refusals_are_explained_by_their_surroundings() {
        let eperm = nix::libc::EPERM;
        let cases = [
            (
                nix::libc::ENOSPC,
                Surroundings::default(),
                "max_user_namespaces",
            ),
            (
                eperm,
                Surroundings {
                    clone_disabled: true,
                    ..Default::default()
                },
                "userns_clone=1",
            ),
            (
                eperm,
                Surroundings {
                    apparmor_restricts: true,
                    ..Default::default()
                },
                "userns,",
            ),
            (
                eperm,
                Surroundings {
                    filtered: true,
                    ..Default::default()
                },
                "seccomp=unconfined",
            ),
        ];
        for (errno, around, expected) in cases {
            let (detail, fix) = explain_userns("unshare", errno, &around);
            assert!(
                detail.starts_with("unshare: ") && fix.contains(expected),
                "{around:?}: {fix}"
            );
        }
    }
}
