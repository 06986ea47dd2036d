//! The first process of a step: installs the filter, gives up what the command must not have, starts it and reaps.
//!
//! Runs inside the step's namespaces, as the step's user, in a copy of the helper that libcontainer made. Everything it
//! has to say goes through a pipe to the helper.

use std::collections::HashMap;
use std::ffi::{CString, OsString};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::rc::Rc;

use libcontainer::workload::{
    Executor, ExecutorError, ExecutorSetEnvsError, ExecutorValidationError,
};
use nix::errno::Errno;
use oci_spec::runtime::Spec;
use rustix::process::{Pid, WaitOptions};
use rustix::thread::{CapabilitySet, CapabilitySets};
use serde::{Deserialize, Serialize};

use crate::error::ignore;
use crate::spec::StepSpec;
use crate::step::{self, SharedFilter};
use crate::wire::Failure;
use crate::{seccomp, sys};

/// Where the init keeps its pipe while it runs.
const REPORT: i32 = 3;

/// What an init tells its helper; only the first of several lines counts.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum InitReport {
    /// The command could not be started.
    Failed(Failure),
    /// The command ended with this wait status.
    Ended {
        /// As from `wait`.
        status: i32,
    },
}

/// Starts a step's command in place of libcontainer's own executor.
#[derive(Clone)]
pub(crate) struct Init {
    inner: Rc<Inner>,
}

struct Inner {
    args: Vec<String>,
    env: Vec<(String, String)>,
    cwd: String,
    uid: u32,
    filter: SharedFilter,
    keep_capabilities: bool,
    reap: bool,
    terminal: bool,
    report: OwnedFd,
}

impl Init {
    pub(crate) fn new(step: &StepSpec, filter: Vec<seccomp::Instruction>, report: OwnedFd) -> Self {
        Self {
            inner: Rc::new(Inner {
                args: step.args.clone(),
                env: step.env.clone(),
                cwd: step.cwd.clone(),
                uid: step.uid,
                filter: filter.into(),
                keep_capabilities: step::keeps_all_capabilities(step),
                reap: step.init,
                terminal: step.terminal.is_some(),
                report,
            }),
        }
    }
}

impl Init {
    /// Becomes the step's first process; the step's namespaces, file system and user are there.
    pub(crate) fn run(&self) -> ! {
        self.inner.run()
    }

    /// Tells why the step cannot be built, and ends.
    pub(crate) fn refuse(&self, failure: Failure) -> ! {
        if sys::put_at(self.inner.report.as_fd(), REPORT).is_err() {
            sys::exit_now(126);
        }
        fail(failure)
    }
}

impl Executor for Init {
    fn validate(&self, _: &Spec) -> Result<(), ExecutorValidationError> {
        Ok(())
    }

    fn setup_envs(&self, _: HashMap<String, String>) -> Result<(), ExecutorSetEnvsError> {
        // The environment comes from the step, in its order.
        Ok(())
    }

    fn exec(&self, _: &Spec) -> Result<(), ExecutorError> {
        // Never returns into libcontainer, whose descriptors are closed now.
        Self::run(self)
    }
}

impl Inner {
    fn run(&self) -> ! {
        if sys::put_at(self.report.as_fd(), REPORT).is_err() {
            sys::exit_now(126);
        }
        sys::close_range(REPORT + 1, i32::MAX);
        let command = match self.prepare() {
            Ok(command) => command,
            Err(failure) => fail(failure),
        };
        if self.reap {
            self.supervise(&command)
        } else {
            self.become_command(&command)
        }
    }

    fn prepare(&self) -> Result<Command, Failure> {
        follow_helper().map_err(|error| Failure::Other {
            message: format!("cannot tie the step to its helper: {error}"),
        })?;
        let mut env = self.env.clone();
        if !env.iter().any(|(key, _)| key == "HOME") {
            env.push(("HOME".to_owned(), home_of(self.uid)));
        }
        let command = Command::new(&self.args, &env)?;
        self.enter_directory()?;
        self.drop_privileges().map_err(|error| Failure::Other {
            message: format!("cannot install the system call filter: {error}"),
        })?;
        Ok(command)
    }

    /// Enters the working directory while still privileged: it may be closed to the step's user.
    fn enter_directory(&self) -> Result<(), Failure> {
        let refuse = |reason: &str| Failure::Workdir {
            path: self.cwd.clone(),
            reason: reason.to_owned(),
        };
        rustix::process::chdir(self.cwd.as_str())
            .map_err(|errno| refuse(&std::io::Error::from(errno).to_string()))?;
        let reached = rustix::process::getcwd(Vec::new())
            .map_err(|errno| refuse(&std::io::Error::from(errno).to_string()))?;
        // The kernel marks a directory outside the root this way.
        if reached.as_bytes().first() == Some(&b'/') {
            Ok(())
        } else {
            Err(refuse("it is outside the container"))
        }
    }

    /// Installing a filter without `no_new_privs` takes `CAP_SYS_ADMIN`, which the command must not get.
    ///
    /// The init itself is filtered too, since a command of the same user could otherwise work through it.
    fn drop_privileges(&self) -> std::io::Result<()> {
        if !self.filter.is_empty() {
            sys::install_filter(&self.filter)?;
        }
        if !self.keep_capabilities {
            rustix::thread::remove_capability_from_bounding_set(CapabilitySet::SYS_ADMIN)?;
        }
        let held = rustix::thread::capabilities(None)?;
        let kept = if self.uid != 0 {
            CapabilitySet::empty()
        } else if self.keep_capabilities {
            held.permitted
        } else {
            held.permitted - CapabilitySet::SYS_ADMIN
        };
        let sets = CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        };
        rustix::thread::set_capabilities(None, sets)?;
        Ok(())
    }

    fn become_command(&self, command: &Command) -> ! {
        set_close_on_exec();
        sys::reset_signals();
        fail(command.exec(&self.args))
    }

    /// Runs the command as a child, passes signals on to it, and reaps whatever else ends up here.
    fn supervise(&self, command: &Command) -> ! {
        sys::block_signals();
        let child = match sys::fork() {
            Ok(sys::Fork::Parent(pid)) => pid,
            Ok(sys::Fork::Child) => {
                if self.terminal {
                    take_foreground();
                }
                self.become_command(command)
            }
            Err(error) => fail(Failure::Other {
                message: format!("cannot fork: {error}"),
            }),
        };
        release_streams();
        // Only for process listings.
        ignore(rustix::thread::set_name(c"nsci-init"));
        loop {
            let signal = sys::next_signal();
            if signal != nix::libc::SIGCHLD {
                // It may have ended in this moment.
                ignore(sys::signal_pid(child, signal));
                continue;
            }
            if let Some(status) = reap(child) {
                report(&InitReport::Ended { status });
                sys::exit_now(sys::exit_from_status(status).shell_code());
            }
        }
    }
}

/// The user's home in the image; `/` when the image does not tell.
fn home_of(uid: u32) -> String {
    use rustix::fs::{FileType, Mode, OFlags};
    use std::io::Read as _;
    // The image may hold anything under this name: not a pipe that never ends, nor a gigabyte.
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let mut text = Vec::new();
    if let Ok(file) = rustix::fs::open("/etc/passwd", flags, Mode::empty()) {
        let regular = rustix::fs::fstat(&file)
            .is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_file());
        if regular {
            ignore(
                std::fs::File::from(file)
                    .take(1 << 20)
                    .read_to_end(&mut text),
            );
        }
    }
    home_in(&String::from_utf8_lossy(&text), uid)
        .unwrap_or("/")
        .to_owned()
}

/// A user's home in the text of a `passwd` file.
fn home_in(passwd: &str, uid: u32) -> Option<&str> {
    passwd.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let found = fields.get(2)?.parse() == Ok(uid);
        fields
            .get(5)
            .copied()
            .filter(|home| found && home.starts_with('/'))
    })
}

/// Makes the step die with its helper, which alone could report its end.
///
/// Set here, since a change of ids clears it. A helper that died before is noticed by its end of the pipe.
fn follow_helper() -> std::io::Result<()> {
    use rustix::event::{PollFd, PollFlags, Timespec};
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let pipe = report_pipe();
    let mut fds = [PollFd::new(&pipe, PollFlags::empty())];
    match rustix::event::poll(&mut fds, Some(&Timespec::default()))? {
        0 => Ok(()),
        _ => Err(std::io::ErrorKind::BrokenPipe.into()),
    }
}

/// Reaps all dead children; the wait status of `child` if it was among them.
fn reap(child: Pid) -> Option<i32> {
    let mut ended = None;
    while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
        if pid == child {
            ended = Some(status.as_raw());
        }
    }
    ended
}

/// Makes the command's own process group the terminal's foreground group, so that job control works.
fn take_foreground() {
    // Without a controlling terminal there is nothing to take; SIGTTOU is blocked here.
    ignore(rustix::process::setpgid(None, None));
    ignore(rustix::termios::tcsetpgrp(
        std::io::stdin().as_fd(),
        rustix::process::getpid(),
    ));
}

/// The init must not keep the command's streams open, or their readers would miss that the command closed them.
fn release_streams() {
    use rustix::fs::{Mode, OFlags};
    match rustix::fs::open("/dev/null", OFlags::RDWR | OFlags::CLOEXEC, Mode::empty()) {
        Ok(null) => {
            for target in 0..3 {
                ignore(nix::unistd::dup2(null.as_raw_fd(), target));
            }
        }
        Err(_) => sys::close_range(0, 2),
    }
}

fn set_close_on_exec() {
    sys::close_on_exec_from(REPORT);
}

fn report(message: &InitReport) {
    let Ok(mut json) = serde_json::to_vec(message) else {
        return;
    };
    json.push(b'\n');
    // A short packet in an empty pipe: written at once and completely, or the helper is gone.
    ignore(nix::unistd::write(report_pipe(), &json));
}

fn report_pipe() -> std::os::fd::BorrowedFd<'static> {
    sys::borrow_for_good(REPORT)
}

fn fail(failure: Failure) -> ! {
    let code = match failure {
        Failure::NotFound { .. } => 127,
        _ => 126,
    };
    report(&InitReport::Failed(failure));
    sys::exit_now(code)
}

/// A command in the form the kernel takes it.
struct Command {
    args: Vec<CString>,
    env: Vec<CString>,
    candidates: Vec<CString>,
}

impl Command {
    fn new(args: &[String], env: &[(String, String)]) -> Result<Self, Failure> {
        let invalid = |what: &str| Failure::InvalidStep {
            reason: format!("{what} holds a NUL"),
        };
        let first = args.first().ok_or_else(|| invalid("an empty command"))?;
        let search = env
            .iter()
            .rev()
            .find(|(key, _)| key == "PATH")
            .map_or("", |(_, v)| v);
        let strings = |texts: Vec<String>, what: &str| {
            texts
                .into_iter()
                .map(|text| CString::new(text).map_err(|_| invalid(what)))
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            args: strings(args.to_vec(), "the command")?,
            env: strings(
                env.iter().map(|(k, v)| format!("{k}={v}")).collect(),
                "the environment",
            )?,
            candidates: strings(candidates(first, search), "the command")?,
        })
    }

    /// Tries every place the command may be; tells why none worked.
    fn exec(&self, args: &[String]) -> Failure {
        let command = args.first().cloned().unwrap_or_default();
        let mut refused = None;
        for path in &self.candidates {
            match sys::exec_path(path, &self.args, &self.env) {
                Errno::ENOENT | Errno::ENOTDIR if !exists(path) => {}
                Errno::ENOENT => {
                    refused = Some("its interpreter or loader does not exist".to_owned());
                    break;
                }
                Errno::EACCES => refused = Some("permission denied".to_owned()),
                Errno::ENOEXEC => {
                    refused = Some("exec format error".to_owned());
                    break;
                }
                other => {
                    refused = Some(other.desc().to_lowercase());
                    break;
                }
            }
        }
        match refused {
            Some(reason) => Failure::NotExecutable { command, reason },
            None => Failure::NotFound { command },
        }
    }
}

fn exists(path: &CString) -> bool {
    let path = OsString::from_vec(path.as_bytes().to_vec());
    std::path::Path::new(&path).exists()
}

/// The paths a command's name stands for.
fn candidates(command: &str, search: &str) -> Vec<String> {
    if command.is_empty() {
        return Vec::new();
    }
    if command.contains('/') {
        return vec![command.to_owned()];
    }
    search
        .split(':')
        .filter(|directory| !directory.is_empty())
        .map(|directory| format!("{directory}/{command}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_are_read_from_passwd() {
        let text = "junk\nroot:x:0:0::/root:/bin/sh\na:x:7:7::relative:\nb:x:8:8::/b:/bin/sh\n";
        let cases = [(0, Some("/root")), (7, None), (8, Some("/b")), (9, None)];
        for (uid, expected) in cases {
            assert_eq!(home_in(text, uid), expected, "{uid}");
        }
    }

    #[test]
    fn commands_are_sought_along_the_path() {
        let cases: [(&str, &str, &[&str]); 5] = [
            ("ls", "/bin:/usr/bin", &["/bin/ls", "/usr/bin/ls"]),
            ("./ls", "/bin", &["./ls"]),
            ("/x/ls", "", &["/x/ls"]),
            ("ls", "", &[]),
            ("", "/bin", &[]),
        ];
        for (command, search, expected) in cases {
            assert_eq!(
                candidates(command, search),
                expected,
                "{command:?} in {search:?}"
            );
        }
    }
}
