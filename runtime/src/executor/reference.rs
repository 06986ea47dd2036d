//! The reference executor: libcontainer builds the step.
//!
//! It changes process-wide state and may leave children behind when it fails, which is why a step has a helper process
//! of its own.

use std::fs;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use libcontainer::container::Container;
use libcontainer::container::builder::ContainerBuilder;
use libcontainer::syscall::syscall::SyscallType;
use rustix::process::Pid;

use super::{Created, Executor, Job};
use crate::error::ignore;
use crate::spec::{self, Features, RootFs, StepSpec, TerminalSize};
use crate::{Error, wire};

/// Builds steps with libcontainer.
pub(super) struct Libcontainer;

impl Executor for Libcontainer {
    fn create(&self, job: Job<'_>) -> Result<Box<dyn Created>, Error> {
        let place = job.place;
        let bundle = Bundle::create(place.state_dir, job.id, job.step, place.features)?;
        let terminal = job
            .step
            .terminal
            .map(|size| Console::listen(&bundle.directory, size))
            .transpose()?;
        let built = build(&bundle, job, terminal.as_ref());
        // The configuration holds the environment, and so perhaps secrets.
        ignore(fs::remove_file(bundle.directory.join("config.json")));
        let container = built?;
        let pid = container
            .pid()
            .and_then(|pid| Pid::from_raw(pid.as_raw()))
            .ok_or_else(|| Error::Container {
                message: "no pid".to_owned(),
            })?;
        Ok(Box::new(Step {
            container,
            pid,
            terminal,
            _bundle: bundle,
        }))
    }
}

struct Step {
    container: Container,
    pid: Pid,
    terminal: Option<Console>,
    _bundle: Bundle,
}

impl Created for Step {
    fn pid(&self) -> Pid {
        self.pid
    }

    fn terminal(&mut self) -> Result<Option<OwnedFd>, Error> {
        self.terminal
            .take()
            .map(|console| console.master())
            .transpose()
    }

    fn start(&mut self) -> Result<(), Error> {
        self.container.start().map_err(|error| container(&error))
    }
}

fn container(error: &dyn std::error::Error) -> Error {
    Error::Container {
        message: wire::chain(error),
    }
}

fn build(bundle: &Bundle, job: Job<'_>, terminal: Option<&Console>) -> Result<Container, Error> {
    let mut builder = ContainerBuilder::new(bundle.id.clone(), SyscallType::default())
        .with_root_path(&bundle.states)
        .and_then(ContainerBuilder::validate_id)
        .map_err(|error| container(&error))?
        .with_executor(job.init);
    builder = match terminal {
        Some(console) => builder.with_console_socket(Some(&console.path)),
        None => {
            let [stdin, stdout, stderr] = job.stdio;
            builder
                .with_stdin(stdin)
                .with_stdout(stdout)
                .with_stderr(stderr)
        }
    };
    builder
        .as_init(&bundle.directory)
        .with_systemd(false)
        .with_detach(true)
        .build()
        .map_err(|error| container(&error))
}

/// The directory libcontainer reads a step's configuration from.
struct Bundle {
    id: String,
    states: PathBuf,
    directory: PathBuf,
}

impl Bundle {
    fn create(
        state_dir: &Path,
        id: u64,
        step: &StepSpec,
        features: Features,
    ) -> Result<Self, Error> {
        let what = "write a step's configuration";
        let directory = state_dir.join(format!("b{id}"));
        let root = match &step.root {
            RootFs::Overlay { .. } => {
                let root = directory.join("r");
                fs::create_dir_all(&root).map_err(|source| Error::io(what, source))?;
                root
            }
            RootFs::Directory(path) => {
                fs::create_dir(&directory).map_err(|source| Error::io(what, source))?;
                path.clone()
            }
        };
        let config = spec::to_oci(step, &root, features)?;
        let json = serde_json::to_vec(&config).map_err(|error| Error::InvalidStep {
            reason: error.to_string(),
        })?;
        fs::write(directory.join("config.json"), json).map_err(|source| Error::io(what, source))?;
        Ok(Self {
            id: format!("s{id}"),
            states: state_dir.to_owned(),
            directory,
        })
    }
}

impl Drop for Bundle {
    fn drop(&mut self) {
        // All of it lies on the session's own tmpfs and goes with the session at the latest.
        ignore(fs::remove_dir_all(&self.directory));
        ignore(fs::remove_dir_all(self.states.join(&self.id)));
    }
}

/// The socket through which libcontainer hands out the terminal's master side.
struct Console {
    path: PathBuf,
    listener: UnixListener,
    size: TerminalSize,
}

impl Console {
    fn listen(directory: &Path, size: TerminalSize) -> Result<Self, Error> {
        let what = "open a console socket";
        // Bound by its short name: socket addresses hold 108 bytes.
        std::env::set_current_dir(directory).map_err(|source| Error::io(what, source))?;
        let listener = UnixListener::bind("tty").map_err(|source| Error::io(what, source))?;
        std::env::set_current_dir("/").map_err(|source| Error::io(what, source))?;
        Ok(Self {
            path: directory.join("tty"),
            listener,
            size,
        })
    }

    fn master(&self) -> Result<OwnedFd, Error> {
        let what = "receive the terminal";
        let (stream, _): (UnixStream, _) = self
            .listener
            .accept()
            .map_err(|source| Error::io(what, source))?;
        let master = wire::receive_descriptor(&stream)?;
        rustix::termios::tcsetwinsize(&master, self.size.into())
            .map_err(|source| Error::io("set the terminal's size", source))?;
        Ok(master)
    }
}
