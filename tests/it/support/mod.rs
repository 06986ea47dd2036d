//! What the tests share: [`Nsci`], a command with its own home and store; [`Session`], a served API; and [`nest`], which
//! makes a document of a chain. Never a test itself.

mod pty;
pub(crate) mod registry;
mod session;

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) use pty::Pty;
pub(crate) use session::{Session, post, post_json};

/// Image that most tests start from.
pub(crate) const IMAGE: &str = "alpine:3.20";

/// The command under test, with a home and a store that nobody else has.
#[derive(Debug)]
pub(crate) struct Nsci {
    home: tempfile::TempDir,
}

/// What a command left.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Exit code; 128 and the signal if one ended it.
    pub(crate) code: i32,
    /// Standard output.
    pub(crate) out: String,
    /// Standard error.
    pub(crate) err: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let status = output.status;
        Self {
            code: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or_default()),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

impl Ran {
    /// Fails the test unless the command did what it should.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, 0, "{self:#?}");
        self
    }

    /// Fails the test unless the command ended with `code` and said each of `texts` on standard error.
    #[track_caller]
    pub(crate) fn failed(self, code: i32, texts: &[&str]) -> Self {
        assert_eq!(self.code, code, "{self:#?}");
        for text in texts {
            assert!(self.err.contains(text), "no {text:?} in {self:#?}");
        }
        assert!(!self.err.contains("panicked"), "{self:#?}");
        self
    }

    /// Standard output as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:#?}"))
    }

    /// Events of `--progress json`.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.err
            .lines()
            .filter_map(|line| serde_json::from_str(line).ok())
            .collect()
    }

    /// Whether each step that ended came from the cache, by the name it began with.
    pub(crate) fn steps(&self) -> Vec<(String, bool)> {
        let events = self.events();
        let name = |id: &Value| {
            let started = |event: &&Value| event["type"] == "step-started" && event["id"] == *id;
            let event = events.iter().find(started);
            event.map_or_else(String::new, |event| {
                event["name"].as_str().unwrap_or_default().to_owned()
            })
        };
        events
            .iter()
            .filter(|event| event["type"] == "step-finished")
            .map(|event| (name(&event["id"]), event["cached"] == true))
            .filter(|(name, _)| !name.is_empty())
            .collect()
    }
}

impl Nsci {
    /// A command with an empty store.
    pub(crate) fn new() -> Self {
        let home = tempfile::Builder::new().prefix("nsci-it-").tempdir();
        Self {
            home: home.unwrap(),
        }
    }

    /// Its home, where it also works.
    pub(crate) fn home(&self) -> &Path {
        self.home.path()
    }

    /// Its store.
    pub(crate) fn store(&self) -> PathBuf {
        self.home().join("store")
    }

    /// Writes a file below the home.
    pub(crate) fn write(&self, path: &str, contents: &str) -> PathBuf {
        let path = self.home().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        path
    }

    /// Copies a directory of the repository below the home, so that nothing is written into the repository.
    pub(crate) fn copy(&self, from: &str, to: &str) {
        copy(&repository().join(from), &self.home().join(to));
    }

    /// Reads a file below the home.
    #[track_caller]
    pub(crate) fn read(&self, path: &str) -> String {
        fs::read_to_string(self.home().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    /// The command, in surroundings that are the same everywhere.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_of(&binary(), args)
    }

    /// Another program in these surroundings.
    pub(crate) fn command_of(&self, program: &Path, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.home())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", self.home())
            .env("NSCI_DATA_DIR", self.store())
            .env("NSCI_REGISTRY_MIRRORS", mirrors())
            .stdin(Stdio::null());
        command
    }

    /// Runs the command.
    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        self.command(args).output().unwrap().into()
    }

    /// Runs the command with something to read.
    pub(crate) fn run_with_input(&self, args: &[&str], input: &str) -> Ran {
        let mut child = self
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(input.as_bytes())
            .unwrap();
        child.wait_with_output().unwrap().into()
    }

    /// Runs a chain with `nsci query` and the progress as JSON.
    pub(crate) fn chain(&self, chain: &str) -> Ran {
        self.run(&["--progress", "json", "query", &nest(chain)])
    }

    /// What a chain that must not fail ends in.
    #[track_caller]
    pub(crate) fn leaf(&self, chain: &str) -> Value {
        leaf(&self.chain(chain).ok().json()).clone()
    }

    /// The same of a chain that ends in a text.
    #[track_caller]
    pub(crate) fn text(&self, chain: &str) -> String {
        text(&self.leaf(chain))
    }

    /// What a chain on the usual image ends in.
    #[track_caller]
    pub(crate) fn alpine(&self, chain: &str) -> String {
        self.text(&format!("container {} {chain}", from(IMAGE)))
    }

    /// Serves the API.
    pub(crate) fn session(&self) -> Session {
        Session::start(self.command(&["--progress", "plain", "session"]))
    }
}

impl Drop for Nsci {
    /// Files of steps belong to subordinate ids, which this process cannot remove; the command can.
    fn drop(&mut self) {
        if self.store().exists() {
            let ran = self.run(&["cache", "prune", "--all"]);
            if ran.code != 0 && !std::thread::panicking() {
                panic!("the store cannot be emptied: {ran:#?}");
            }
        }
        let remove = || fs::remove_dir_all(self.home());
        // Where there is one id only, work directories of overlays are the caller's own, closed to everybody.
        let open_up = |_| {
            let mut chmod = Command::new("chmod");
            chmod.args(["-R", "u+rwX"]).arg(self.home()).output()?;
            remove()
        };
        if let Err(error) = remove().or_else(open_up) {
            let left = Command::new("find").arg(self.home()).output().unwrap();
            let left = String::from_utf8_lossy(&left.stdout).into_owned();
            assert!(
                std::thread::panicking(),
                "something is left: {error}: {left}"
            );
        }
    }
}

/// The program under test.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("NSCI_BIN").map_or_else(|| env!("CARGO_BIN_EXE_nsci").into(), PathBuf::from)
}

/// Where images are.
pub(crate) fn mirrors() -> String {
    std::env::var("NSCI_REGISTRY_MIRRORS").unwrap_or_else(|_| {
        panic!(
            "NSCI_REGISTRY_MIRRORS is not set: run `scripts/registry up && eval \"$(scripts/registry env)\"`"
        )
    })
}

/// Address of the registry that has the images, such as `127.0.0.1:5055`.
pub(crate) fn registry() -> String {
    let mirrors = mirrors();
    let url = mirrors
        .split(',')
        .next()
        .unwrap()
        .split_once('=')
        .unwrap()
        .1;
    let address = url.trim_start_matches("http://").split('/').next();
    address.unwrap().to_owned()
}

/// The repository from which this was built.
pub(crate) fn repository() -> PathBuf {
    // A user who may not look into the checkout is given a copy.
    std::env::var_os("NSCI_TEST_REPO")
        .map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from)
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// `git daemon` for what is below a directory; it ends with the test.
#[derive(Debug)]
pub(crate) struct GitDaemon {
    process: std::process::Child,
    /// `git://127.0.0.1:PORT`.
    pub(crate) url: String,
}

impl GitDaemon {
    /// Starts it and waits until it answers.
    pub(crate) fn start(base: &Path) -> Self {
        // `git daemon` would start it as a process of its own, which stays when that one is ended.
        let at = Command::new("git").arg("--exec-path").output();
        let at = String::from_utf8(at.expect("git is installed").stdout).unwrap();
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        let process = Command::new(Path::new(at.trim()).join("git-daemon"))
            .args(["--reuseaddr", "--export-all", "--listen=127.0.0.1"])
            .arg(format!("--port={port}"))
            .arg(format!("--base-path={}", base.display()))
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let daemon = Self {
            process,
            url: format!("git://127.0.0.1:{port}"),
        };
        wait_until("git daemon", || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        daemon
    }
}

impl Drop for GitDaemon {
    fn drop(&mut self) {
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

/// A text as it is written in a document.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// `from` of an image.
pub(crate) fn from(image: &str) -> String {
    format!("from(address: {})", quoted(image))
}

/// `withExec` of a shell script.
pub(crate) fn sh(script: &str) -> String {
    format!("withExec(args: [\"sh\", \"-c\", {}])", quoted(script))
}

/// `container from(…) withExec(…) stdout` of a shell script on the usual image.
pub(crate) fn script(script: &str) -> String {
    format!("container {} {} stdout", from(IMAGE), sh(script))
}

/// A document of a chain: `a b(c: "d") e` becomes `{a{b(c: "d"){e}}}`.
pub(crate) fn nest(chain: &str) -> String {
    let (mut fields, mut field) = (Vec::new(), String::new());
    let (mut depth, mut in_text, mut escaped) = (0_usize, false, false);
    for c in chain.chars() {
        if in_text {
            in_text = escaped || c != '"';
            escaped = !escaped && c == '\\';
        } else {
            match c {
                '"' => in_text = true,
                '(' | '[' | '{' => depth += 1,
                ')' | ']' | '}' => depth -= 1,
                _ => {}
            }
        }
        if c.is_whitespace() && depth == 0 && !in_text {
            fields.push(std::mem::take(&mut field));
        } else {
            field.push(c);
        }
    }
    fields.push(field);
    fields.retain(|field| !field.is_empty());
    format!("{{{}{}", fields.join("{"), "}".repeat(fields.len()))
}

/// What a chain ends in.
pub(crate) fn leaf(value: &Value) -> &Value {
    match value {
        Value::Object(object) if object.len() == 1 => leaf(object.values().next().unwrap()),
        _ => value,
    }
}

/// A text that a chain ended in.
#[track_caller]
pub(crate) fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        _ => panic!("no text: {value}"),
    }
}

/// Waits until something holds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !holds() {
        assert!(Instant::now() < end, "{what} did not come to be");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Command lines of living processes, threads aside, that have `needle` in their environment or command line.
pub(crate) fn processes(needle: &str) -> Vec<String> {
    let read = |pid: &str, file: &str| {
        let bytes = fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).replace('\0', " ")
    };
    let own = std::process::id().to_string();
    fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.bytes().all(|byte| byte.is_ascii_digit()) && *name != own)
        .filter(|pid| {
            read(pid, "cmdline").contains(needle) || read(pid, "environ").contains(needle)
        })
        .map(|pid| format!("{pid} {}", read(&pid, "cmdline")))
        .collect()
}
