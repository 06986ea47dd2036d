//! A command on a terminal of its own, as a user sits in front of it.

use std::io::Read as _;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::Winsize;

/// A terminal and the command on it.
#[derive(Debug)]
pub(crate) struct Pty {
    master: OwnedFd,
    child: Child,
    reader: JoinHandle<()>,
    shown: Arc<Mutex<String>>,
}

impl Pty {
    /// Starts a command on a new terminal with 30 rows and 100 columns.
    pub(crate) fn start(mut command: Command) -> Self {
        let master =
            openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = std::fs::File::options()
            .read(true)
            .write(true)
            .open(name.to_str().unwrap())
            .unwrap();
        resize(&master, 30, 100);
        // `setsid -c` gives the command the terminal as a login does.
        let mut words = vec![command.get_program().to_owned()];
        words.extend(command.get_args().map(ToOwned::to_owned));
        let mut login = Command::new("setsid");
        login.args(["--ctty", "--wait"]).args(words);
        login.env_clear();
        for (name, value) in command.get_envs() {
            if let Some(value) = value {
                login.env(name, value);
            }
        }
        login.env("TERM", "vt100");
        if let Some(directory) = command.get_current_dir() {
            login.current_dir(directory);
        }
        command = login;
        let stream = || slave.try_clone().unwrap();
        command.stdin(stream()).stdout(stream()).stderr(stream());
        command.process_group(0);
        let child = command.spawn().unwrap();
        drop((slave, command));
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reader, into) = (
            std::fs::File::from(master.try_clone().unwrap()),
            Arc::clone(&shown),
        );
        let reader = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            // The end is an error here: the last one who had the other side open has gone.
            while let Ok(length @ 1..) = reader.read(&mut buffer) {
                into.lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
            }
        });
        Self {
            master,
            child,
            reader,
            shown,
        }
    }

    /// What the screen has shown so far.
    pub(crate) fn shown(&self) -> String {
        self.shown.lock().unwrap().clone()
    }

    /// Types.
    pub(crate) fn type_in(&self, keys: &str) {
        let mut keys = keys.as_bytes();
        while !keys.is_empty() {
            keys = &keys[rustix::io::write(&self.master, keys).unwrap()..];
        }
    }

    /// Waits until the screen shows a text, and gives all that it showed.
    #[track_caller]
    pub(crate) fn wait_for(&self, text: &str) -> String {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            let shown = self.shown();
            if shown.contains(text) {
                return shown;
            }
            assert!(Instant::now() < end, "no {text:?} in {shown:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Changes the window's size.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        resize(&self.master, rows, columns);
    }

    /// Whether keys are shown and Ctrl-C interrupts, as a shell leaves a terminal.
    pub(crate) fn is_sane(&self) -> bool {
        let modes = rustix::termios::tcgetattr(&self.master)
            .unwrap()
            .local_modes;
        use rustix::termios::LocalModes as L;
        modes.contains(L::ECHO | L::ICANON | L::ISIG)
    }

    /// Waits for the command; its exit code and all that was shown.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (Option<i32>, String) {
        let end = Instant::now() + Duration::from_secs(30);
        loop {
            // What it wrote last may not have been read yet when it has ended.
            let status = self.child.try_wait().unwrap();
            if let Some(status) = status.filter(|_| self.reader.is_finished()) {
                return (status.code(), self.shown());
            }
            assert!(Instant::now() < end, "it does not end: {:?}", self.shown());
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Pty {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn resize(master: impl AsFd, rows: u16, columns: u16) {
    let size = Winsize {
        ws_row: rows,
        ws_col: columns,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    rustix::termios::tcsetwinsize(master, size).unwrap();
}
