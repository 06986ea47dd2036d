//! What the sandbox tests and the benchmark share: a root file system, a session, and running a step in it.

#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use nsci_runtime::spec::Network;
use nsci_runtime::{
    Cancel, Error, ExecutorKind, Exit, Finished, IdMap, Limits, RootFs, Session, SessionConfig,
    Stdio, StepEvent, StepSpec,
};

/// Applets linked in the test root file system.
const APPLETS: [&str; 37] = [
    "sh", "echo", "cat", "ls", "id", "true", "false", "sleep", "touch", "chown", "stat", "mkdir",
    "kill", "grep", "unshare", "mount", "readlink", "dd", "env", "hostname", "ip", "ps", "setsid",
    "tty", "stty", "nc", "wc", "head", "chmod", "mknod", "test", "su", "ln", "seq", "cut", "sed",
    "sort",
];

/// Role of a process that removes a tree whose owners only exist inside a session.
const REMOVE_TREE: &str = "remove-tree";

/// Plays the roles a test executable needs; must come first in `main`.
pub(crate) fn dispatch(args: &[String]) -> Option<ExitCode> {
    match args {
        [role, path] if role == REMOVE_TREE => {
            // An overlay leaves a directory of mode 000 behind, which only root of the session can remove.
            Some(std::fs::remove_dir_all(path).map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS))
        }
        _ => nsci_runtime::roles::dispatch(args),
    }
}

/// The executor under test; `main` runs everything once for each.
pub(crate) fn executor() -> ExecutorKind {
    if REFERENCE.load(Ordering::Relaxed) {
        ExecutorKind::Libcontainer
    } else {
        ExecutorKind::Native
    }
}

/// Chooses the executor of the sessions started from now on.
pub(crate) fn use_executor(kind: ExecutorKind) {
    REFERENCE.store(kind == ExecutorKind::Libcontainer, Ordering::Relaxed);
}

static REFERENCE: AtomicBool = AtomicBool::new(false);

/// Removes what steps wrote, whoever owns it.
pub(crate) fn remove_tree(path: &Path) {
    let state = tempfile::tempdir_in("/tmp").unwrap();
    let config = SessionConfig {
        state_dir: state.path().join("state"),
        id_map: IdMap::detect().unwrap(),
        network: false,
        executor: executor(),
        limits: Limits::default(),
    };
    let session = Session::start(config).unwrap();
    let path = path.to_str().unwrap().to_owned();
    let socket = session.spawn_child(REMOVE_TREE, &[path]).unwrap();
    let (said, _) =
        rustix::net::recv(&socket, &mut [0_u8; 1][..], rustix::net::RecvFlags::empty()).unwrap();
    assert_eq!(said, 0, "its end is the only thing it says");
}

impl Drop for Lab {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            remove_tree(self.directory.path());
        }
    }
}

/// A directory tree with busybox, and room for the uppers of steps.
pub(crate) struct Lab {
    pub(crate) directory: tempfile::TempDir,
    counter: AtomicU32,
}

/// Everything a step said and how it ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) result: Result<Finished, Error>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    pub(crate) fn exit(&self) -> Exit {
        match &self.result {
            Ok(finished) => finished.exit,
            Err(error) => panic!("step did not run: {error} ({error:?})\n{}", self.stderr),
        }
    }

    /// Standard output of a step that must have succeeded.
    pub(crate) fn ok(&self) -> &str {
        assert_eq!(
            self.exit(),
            Exit::Code(0),
            "stdout {:?} stderr {:?}",
            self.stdout,
            self.stderr
        );
        self.stdout.trim_end()
    }
}

impl Lab {
    pub(crate) fn new() -> Self {
        let base = if Path::new("/dev/shm").is_dir() {
            "/dev/shm"
        } else {
            "/tmp"
        };
        let directory = tempfile::tempdir_in(base).unwrap();
        let root = directory.path().join("rootfs");
        for name in ["bin", "etc", "tmp", "home", "root"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::copy("/bin/busybox", root.join("bin/busybox"))
            .expect("these tests need a static busybox: apt-get install busybox-static");
        for applet in APPLETS {
            symlink("busybox", root.join("bin").join(applet)).unwrap();
        }
        std::fs::write(
            root.join("etc/passwd"),
            "root:x:0:0:root:/root:/bin/sh\nwww:x:33:33::/home:/bin/sh\n",
        )
        .unwrap();
        std::fs::write(root.join("etc/group"), "root:x:0:\nwww:x:33:\n").unwrap();
        std::fs::set_permissions(root.join("tmp"), PermissionsExt::from_mode(0o1777)).unwrap();
        Self {
            directory,
            counter: AtomicU32::new(0),
        }
    }

    pub(crate) fn rootfs(&self) -> PathBuf {
        self.directory.path().join("rootfs")
    }

    pub(crate) fn state_dir(&self) -> PathBuf {
        self.directory.path().join("state")
    }

    pub(crate) fn session(&self) -> Session {
        self.session_with(true)
    }

    pub(crate) fn session_of(&self, executor: ExecutorKind) -> Session {
        self.start(true, executor)
    }

    pub(crate) fn session_with(&self, network: bool) -> Session {
        self.start(network, executor())
    }

    fn start(&self, network: bool, executor: ExecutorKind) -> Session {
        let id_map = IdMap::detect().expect("these tests need subordinate ids or root");
        Session::start(SessionConfig {
            state_dir: self.state_dir(),
            id_map,
            network,
            executor,
            limits: Limits::default(),
        })
        .unwrap_or_else(|error| panic!("no session: {error}: {error:?}"))
    }

    /// A fresh upper over the test root file system.
    pub(crate) fn overlay(&self) -> RootFs {
        let number = self.counter.fetch_add(1, Ordering::Relaxed);
        let directory = self
            .directory
            .path()
            .join("uppers")
            .join(number.to_string());
        let (upper, work) = (directory.join("u"), directory.join("w"));
        for path in [&upper, &work] {
            std::fs::create_dir_all(path).unwrap();
        }
        std::fs::set_permissions(&upper, PermissionsExt::from_mode(0o755)).unwrap();
        RootFs::Overlay {
            lowers: vec![self.rootfs()],
            upper,
            work,
        }
    }

    /// A step without network.
    pub(crate) fn step(&self, args: &[&str]) -> StepSpec {
        let mut step = StepSpec::new(self.overlay(), args.iter().map(|&a| a.to_owned()).collect());
        step.env
            .push(("PATH".to_owned(), "/usr/bin:/bin".to_owned()));
        step.network = Network::None;
        step
    }

    /// A shell step without network.
    pub(crate) fn sh(&self, script: &str) -> StepSpec {
        self.step(&["sh", "-c", script])
    }
}

/// Runs a step and collects what it prints.
pub(crate) fn run(session: &Session, step: &StepSpec) -> Ran {
    run_with(
        session,
        step,
        Stdio::default(),
        &Cancel::new().unwrap(),
        &mut |_| {},
    )
}

pub(crate) fn run_with(
    session: &Session,
    step: &StepSpec,
    stdio: Stdio,
    cancel: &Cancel,
    watch: &mut dyn FnMut(&StepEvent<'_>),
) -> Ran {
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let result = session.run(step, stdio, cancel, &mut |event| {
        watch(&event);
        match event {
            StepEvent::Stdout(bytes) => stdout.extend_from_slice(bytes),
            StepEvent::Stderr(bytes) => stderr.extend_from_slice(bytes),
            _ => {}
        }
    });
    Ran {
        result,
        stdout: String::from_utf8_lossy(&stdout).into_owned(),
        stderr: String::from_utf8_lossy(&stderr).into_owned(),
    }
}

/// Waits for a condition, but not for ever.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while !holds() {
        assert!(
            std::time::Instant::now() < deadline,
            "never happened: {what}"
        );
        std::thread::sleep(Duration::from_millis(2));
    }
}
