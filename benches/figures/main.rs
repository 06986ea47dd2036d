//! The figures of `docs/benchmarks.md`: measures, prints a table, judges nothing. Always exits 0.
//!
//! Every figure stands beside a peer or a floor measured in the same run, because absolute times say more
//! about the machine than about the program. Nothing is deleted: on ext4, creating files soon after deleting
//! many is several times slower, which would spoil the next run.

#![expect(clippy::print_stdout, reason = "a table is what this makes")]

mod modules;
mod network;
mod push;
mod scale;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

const IMAGE: &str = "alpine:3.20";
const LARGE: &str = "ci/rust:bench";

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

fn main() {
    let wanted: Vec<String> = std::env::args()
        .skip(1)
        .filter(|arg| !arg.starts_with('-'))
        .collect();
    let lab = match Lab::new() {
        Ok(lab) => lab,
        Err(error) => return println!("nothing measured: {error}"),
    };
    println!(
        "nsci {}; state in {}\n",
        lab.nsci.display(),
        lab.dir.display()
    );
    println!(
        "| figure | value | floor or peer | ratio | target |\n| --- | --- | --- | --- | --- |"
    );
    type Figure = (&'static str, fn(&Lab) -> Outcome<()>);
    let figures: [Figure; 14] = [
        ("size", size),
        ("step", step),
        ("cached", cached),
        ("module", module),
        ("functions", modules::functions),
        ("calls", modules::calls),
        ("services", modules::services),
        ("network", network::network),
        ("memory", memory),
        ("requests", requests),
        ("commit", commit),
        ("pull", pull),
        ("push", push::push),
        ("scale", scale::scale),
    ];
    for (name, figure) in figures {
        if !wanted.is_empty() && !wanted.iter().any(|want| name == want) {
            continue;
        }
        if let Err(error) = figure(&lab) {
            println!("| {name} | not measured: {error} | | | |");
        }
    }
}

fn row(figure: &str, value: &str, peer: &str, ratio: Option<f64>, target: &str) {
    let ratio = ratio.map_or_else(String::new, |ratio| format!("{ratio:.1}×"));
    println!("| {figure} | {value} | {peer} | {ratio} | {target} |");
}

/// Where things are.
struct Lab {
    nsci: PathBuf,
    dir: PathBuf,
    /// Address and path of the mirror of Docker Hub, for the peer.
    mirror: String,
}

impl Lab {
    fn new() -> Outcome<Self> {
        let mirrors = std::env::var("NSCI_REGISTRY_MIRRORS")
            .map_err(|_| "NSCI_REGISTRY_MIRRORS is not set; see docs/benchmarks.md")?;
        let mirror = mirrors
            .split(',')
            .find_map(|one| one.trim().strip_prefix("docker.io=http://"));
        let dir = std::env::temp_dir().join(format!("nsci-figures-{}", std::process::id()));
        std::fs::create_dir_all(&dir)?;
        let lab = Self {
            nsci: std::env::var_os("NSCI_BIN")
                .map_or_else(|| env!("CARGO_BIN_EXE_nsci").into(), PathBuf::from),
            dir,
            mirror: mirror
                .ok_or("no plain HTTP mirror of docker.io")?
                .to_owned(),
        };
        // What is measured is never the first start of the binary or the first pull of the small image.
        lab.query(IMAGE, &[]).pinned(false).run()?;
        Ok(lab)
    }

    fn call(&self, program: impl AsRef<Path>, args: &[&str]) -> Call {
        Call {
            program: program.as_ref().to_owned(),
            args: args.iter().map(|&arg| arg.to_owned()).collect(),
            cache: self.dir.join("store"),
            pinned: true,
            input: None,
        }
    }

    fn nsci(&self, args: &[&str]) -> Call {
        self.call(&self.nsci, &[&["--silent"], args].concat())
    }

    /// A chain of `true`, each step made unique by its text.
    fn query(&self, image: &str, salts: &[String]) -> Call {
        let steps: String = salts
            .iter()
            .map(|salt| format!("withExec(args:[\"true\",\"{salt}\"]){{"))
            .collect();
        let close = "}".repeat(salts.len() + 3);
        let document = format!("{{container{{from(address:\"{image}\"){{{steps}sync{close}");
        Call {
            input: Some(document),
            ..self.nsci(&["query"])
        }
    }

    /// Times a script in podman's user namespace, where `/sys/fs/cgroup` is the unified hierarchy: crun
    /// refuses hybrid ones. `$P` is podman with fresh directories named by `root`.
    fn podman(&self, root: &str, script: &str) -> Call {
        let dir = self.dir.join(root).display().to_string();
        let prelude = format!(
            "if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi
             P='podman --log-level error --storage-driver overlay --root {dir} --runroot {dir}-run'
             I={}/library/{IMAGE}; L={}/{LARGE}\n",
            self.mirror, self.mirror
        );
        self.call("podman", &["unshare", "sh", "-ec", &(prelude + script)])
    }
}

/// A process to time.
struct Call {
    program: PathBuf,
    args: Vec<String>,
    cache: PathBuf,
    /// To one processor: waking another costs milliseconds at random in a virtual machine.
    pinned: bool,
    input: Option<String>,
}

impl Call {
    fn pinned(self, pinned: bool) -> Self {
        Self { pinned, ..self }
    }

    fn cache(self, cache: PathBuf) -> Self {
        Self { cache, ..self }
    }

    fn traced(self, trace: &Path) -> Self {
        let trace = trace.display().to_string();
        let before = [
            "-f",
            "-o",
            &trace,
            "-e",
            "trace=clone,clone3,fork,vfork,unshare,setns,execve",
        ];
        let mut args: Vec<String> = before.iter().map(|&arg| arg.to_owned()).collect();
        args.push(self.program.display().to_string());
        args.extend(self.args);
        Self {
            program: "strace".into(),
            args,
            pinned: false,
            ..self
        }
    }

    fn spawn(&self) -> Outcome<Child> {
        let mut command = if self.pinned {
            let last = std::thread::available_parallelism()?.get() - 1;
            let mut command = Command::new("taskset");
            command.args(["-c", &last.to_string()]).arg(&self.program);
            command
        } else {
            Command::new(&self.program)
        };
        command.args(&self.args).env("NSCI_CACHE_DIR", &self.cache);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn()?;
        if let Some(input) = &self.input {
            let mut stdin = child.stdin.take().ok_or("no standard input")?;
            stdin.write_all(input.as_bytes())?;
        }
        Ok(child)
    }

    /// Milliseconds from start to exit.
    fn run(&self) -> Outcome<f64> {
        let start = Instant::now();
        let output = self.spawn()?.wait_with_output()?;
        let took = start.elapsed();
        if output.status.success() {
            return Ok(took.as_secs_f64() * 1e3);
        }
        let said = String::from_utf8_lossy(&output.stderr).replace('\n', " ");
        Err(format!("{} failed: {said}", self.program.display()).into())
    }

    fn median(&self, count: usize) -> Outcome<f64> {
        Ok(median(
            (0..count).map(|_| self.run()).collect::<Outcome<_>>()?,
        ))
    }
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Text no earlier run has used.
fn salt(what: &str, index: usize) -> String {
    let now = std::time::UNIX_EPOCH
        .elapsed()
        .unwrap_or_default()
        .as_nanos();
    format!("{what}-{index}-{now}")
}

fn size(lab: &Lab) -> Outcome<()> {
    let bytes = std::fs::metadata(&lab.nsci)?.len();
    row(
        "binary",
        &format!("{:.1} MB", bytes as f64 / 1e6),
        "",
        None,
        "≤ 30 MB",
    );
    Ok(())
}

/// The slope between a short and a long chain is what one more step costs, start-up aside.
fn step(lab: &Lab) -> Outcome<()> {
    const SHORT: usize = 10;
    const LONG: usize = 110;
    let chain = |length: usize, round| -> Outcome<f64> {
        let salts: Vec<_> = (0..length)
            .map(|index| salt(&format!("{length}-{round}"), index))
            .collect();
        lab.query(IMAGE, &salts).run()
    };
    let mut slopes = Vec::new();
    let mut short = Vec::new();
    for round in 0..7 {
        let few = chain(SHORT, round)?;
        slopes.push((chain(LONG, round)? - few) / (LONG - SHORT) as f64);
        short.push(few);
    }
    let each = median(slopes);
    lab.podman("podman", "$P pull -q --tls-verify=false $I")
        .run()?;
    let podman = |count: usize| {
        let one = "$P run --rm --cgroups=disabled --network=none $I true\n";
        lab.podman("podman", &one.repeat(count)).run()
    };
    podman(1)?;
    let peer = median(
        (0..3)
            .map(|_| Ok((podman(6)? - podman(1)?) / 5.0))
            .collect::<Outcome<_>>()?,
    );
    // What the kernel takes for a process in namespaces of its own, libraries and files aside.
    let bare = |count: usize| {
        let one = "unshare -Urmpf true\n".repeat(count);
        lab.call("sh", &["-ec", &one]).run()
    };
    let floor = median(
        (0..5)
            .map(|_| Ok((bare(60)? - bare(10)?) / 50.0))
            .collect::<Outcome<_>>()?,
    );
    let beside = format!("podman run --rm true: {peer:.0} ms; unshare -Urmpf true: {floor:.2} ms");
    row(
        "one more no-op step",
        &format!("{each:.2} ms"),
        &beside,
        Some(peer / each),
        "≤ 3 ms, ≥ 20×",
    );
    row(
        &format!("query of {SHORT} new steps, whole process"),
        &format!("{:.0} ms", median(short)),
        "",
        None,
        "",
    );
    Ok(())
}

fn cached(lab: &Lab) -> Outcome<()> {
    let floor = lab.call("true", &[]).median(20)?;
    let beside = format!("process that does nothing: {floor:.1} ms");
    let query = lab.query(IMAGE, &[salt("leaf", 0)]);
    query.run()?;
    let took = query.median(20)?;
    row(
        "query of a cached leaf",
        &format!("{took:.1} ms"),
        &beside,
        Some(took / floor),
        "≤ 25 ms",
    );
    let again = query.pinned(false);
    row(
        "the same on any processor",
        &format!("{:.1} ms", again.median(20)?),
        "",
        None,
        "",
    );
    processes(lab, "a cached query", again)?;
    let example = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples/python-app")
        .display()
        .to_string();
    let functions = lab.nsci(&["--mod", &example, "functions"]);
    functions.run()?;
    let took = functions.median(20)?;
    row(
        "functions of an unchanged module",
        &format!("{took:.1} ms"),
        &beside,
        Some(took / floor),
        "≤ 60 ms",
    );
    processes(lab, "functions", functions)
}

/// Counts what a run starts besides threads.
fn processes(lab: &Lab, what: &str, call: Call) -> Outcome<()> {
    let trace = lab.dir.join("trace");
    call.traced(&trace).run()?;
    let text = std::fs::read_to_string(&trace)?;
    let count = |test: &dyn Fn(&str) -> bool| text.lines().filter(|line| test(line)).count();
    let started = |line: &str| {
        ["clone(", "clone3(", "fork("]
            .iter()
            .any(|call| line.contains(call))
            && !line.contains("CLONE_THREAD")
    };
    let spaces = |line: &str| {
        line.contains("unshare(") || line.contains("setns(") || line.contains("CLONE_NEW")
    };
    let value = format!(
        "{} processes, {} namespaces",
        count(&started),
        count(&spaces)
    );
    row(&format!("started by {what}"), &value, "", None, "none");
    Ok(())
}

fn module(lab: &Lab) -> Outcome<()> {
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches/fixtures/twenty")
        .display()
        .to_string();
    let call = |salt: &str| lab.nsci(&["--mod", &fixture, "call", "run", "--salt", salt]);
    // The module's own container, so that the first run is of the steps alone.
    call(&salt("warm", 0)).run()?;
    let salts: Vec<_> = (0..3).map(|index| salt("first", index)).collect();
    let first = median(
        salts
            .iter()
            .map(|salt| call(salt).run())
            .collect::<Outcome<_>>()?,
    );
    let again = call(&salts[0]).median(10)?;
    let beside = format!("its first run: {first:.0} ms");
    row(
        "cached call of 20 steps",
        &format!("{again:.0} ms"),
        &beside,
        Some(first / again),
        "≤ 250 ms, ≥ 10×",
    );
    processes(lab, "a cached call", call(&salts[0]))
}

/// A session, and what it says to reach it.
struct Session {
    child: Child,
    port: u16,
    token: String,
}

impl Session {
    fn start(lab: &Lab) -> Outcome<Self> {
        let mut child = lab.nsci(&["session"]).pinned(false).spawn()?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let after = |key: &str| {
            line.split(&format!("\"{key}\":"))
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        let port = after("port")
            .chars()
            .take_while(char::is_ascii_digit)
            .collect::<String>()
            .parse()?;
        let token = after("session_token")
            .split('"')
            .nth(1)
            .ok_or("no token")?
            .to_owned();
        Ok(Self { child, port, token })
    }

    fn request(&self, document: &str) -> String {
        let body = format!("{{\"query\":\"{}\"}}", document.replace('"', "\\\""));
        let token = base64(&format!("{}:", self.token));
        format!(
            "POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    }

    fn stop(mut self) -> Outcome<()> {
        drop(self.child.stdin.take());
        self.child.wait()?;
        Ok(())
    }
}

fn base64(text: &str) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits = text.as_bytes().chunks(3).flat_map(|chunk| {
        let word = (0..3).fold(0, |word, at| {
            word << 8 | u32::from(chunk.get(at).copied().unwrap_or(0))
        });
        let digit = move |at: usize| {
            let index = (word >> (18 - 6 * at)) & 63;
            if at > chunk.len() {
                '='
            } else {
                char::from(DIGITS[index as usize])
            }
        };
        (0..4).map(digit)
    });
    digits.collect()
}

/// Sends a request and reads its answer whole.
fn exchange(stream: &mut BufReader<TcpStream>, request: &str) -> Outcome<Vec<u8>> {
    stream.get_mut().write_all(request.as_bytes())?;
    let (mut line, mut length) = (String::new(), 0);
    while line != "\r\n" {
        line.clear();
        if stream.read_line(&mut line)? == 0 {
            return Err("the connection was closed".into());
        }
        if line.starts_with("HTTP/1.1") && !line.contains(" 200 ") {
            return Err(line.trim().into());
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse()?;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body)?;
    Ok(body)
}

/// The same of an answer that must have no errors.
fn ask(stream: &mut BufReader<TcpStream>, request: &str) -> Outcome<()> {
    let body = String::from_utf8(exchange(stream, request)?)?;
    if body.contains("\"errors\"") {
        return Err(body.into());
    }
    Ok(())
}

/// Requests per second of some connections that each wait for their answers.
fn rate(port: u16, request: &str, connections: usize) -> Outcome<f64> {
    let time = Duration::from_secs(2);
    let one = || -> Result<usize, String> {
        let stream = TcpStream::connect(("127.0.0.1", port)).map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let mut stream = BufReader::new(stream);
        let (start, mut count) = (Instant::now(), 0);
        while start.elapsed() < time {
            exchange(&mut stream, request).map_err(|error| error.to_string())?;
            count += 1;
        }
        Ok(count)
    };
    let counts: Result<Vec<usize>, String> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..connections).map(|_| scope.spawn(one)).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("counting does not panic"))
            .collect()
    });
    Ok(counts?.into_iter().sum::<usize>() as f64 / time.as_secs_f64())
}

/// A server that answers anything at once: what the loopback and this client allow.
fn echo() -> Outcome<u16> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let port = listener.local_addr()?.port();
    let serve = |mut stream: TcpStream| -> std::io::Result<()> {
        stream.set_nodelay(true)?;
        let mut buffer = [0; 4096];
        while stream.read(&mut buffer)? > 0 {
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")?;
        }
        Ok(())
    };
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(move || serve(stream));
        }
    });
    Ok(port)
}

fn requests(lab: &Lab) -> Outcome<()> {
    let session = Session::start(lab)?;
    let request = session.request("{__typename}");
    let echo = echo()?;
    for connections in [1, 8] {
        let value = rate(session.port, &request, connections)?;
        let floor = rate(echo, &request, connections)?;
        row(
            &format!("requests per second, {connections} connections"),
            &format!("{value:.0}"),
            &format!("server that answers a constant: {floor:.0}"),
            Some(value / floor),
            "",
        );
    }
    session.stop()
}

/// Kibibytes in memory of a process and everything below it; pages they share count once each.
fn resident(root: u32) -> u64 {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<u32>().ok())
        else {
            continue;
        };
        let status = std::fs::read_to_string(entry.path().join("status")).unwrap_or_default();
        let field = |name: &str| -> u64 {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.and_then(|line| line.split_whitespace().next()?.parse().ok())
                .unwrap_or(0)
        };
        parents.push((u64::from(pid), field("PPid:"), field("VmRSS:")));
    }
    let (mut below, mut total) = (vec![u64::from(root)], 0);
    while let Some(pid) = below.pop() {
        total += parents
            .iter()
            .find(|one| one.0 == pid)
            .map_or(0, |one| one.2);
        below.extend(parents.iter().filter(|one| one.1 == pid).map(|one| one.0));
    }
    total
}

fn memory(lab: &Lab) -> Outcome<()> {
    let session = Session::start(lab)?;
    let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", session.port))?);
    exchange(&mut stream, &session.request("{__typename}"))?;
    let fresh = resident(session.child.id());
    row(
        "memory of a session at rest",
        &format!("{:.1} MB", fresh as f64 / 1e3),
        "",
        None,
        "≤ 60 MB",
    );
    let step = format!(
        "{{container{{from(address:\"{IMAGE}\"){{withExec(args:[\"true\",\"{}\"]){{sync}}}}}}}}",
        salt("memory", 0)
    );
    exchange(&mut stream, &session.request(&step))?;
    let after = resident(session.child.id());
    row(
        "the same after a step, all its processes",
        &format!("{:.1} MB", after as f64 / 1e3),
        "",
        None,
        "≤ 60 MB",
    );
    session.stop()
}

/// The keeper's own measurements: those of trees need its user namespace.
fn commit(_: &Lab) -> Outcome<()> {
    let mut command = match std::env::var_os("NSCI_KEEPER_TEST") {
        Some(built) => Command::new(built),
        None => {
            let mut command =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            command.args([
                "test",
                "--release",
                "-q",
                "-p",
                "nsci-snapshotter",
                "--test",
                "keeper",
                "--",
            ]);
            command.current_dir(env!("CARGO_MANIFEST_DIR"));
            command
        }
    };
    let output = command.arg("--bench").stderr(Stdio::inherit()).output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut lines = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .peekable();
    lines
        .peek()
        .ok_or("the keeper's benchmark printed nothing")?;
    for (what, times) in lines {
        let target = if what.starts_with("commit") {
            "≤ 5 ms"
        } else {
            ""
        };
        row(what, times, "", None, target);
    }
    Ok(())
}

fn pull(lab: &Lab) -> Outcome<()> {
    let (mut ours, mut theirs, mut peak) = (Vec::new(), Vec::new(), 0);
    for round in 0..3 {
        // A step, because nothing is unpacked before something needs it.
        // Neither side shall wait for the other's pages to reach the disk.
        Command::new("sync").status()?;
        let call = lab
            .query(LARGE, &["step".to_owned()])
            .pinned(false)
            .cache(lab.dir.join(format!("pull-{round}")));
        let start = Instant::now();
        let mut child = call.spawn()?;
        while child.try_wait()?.is_none() {
            if round == 0 {
                peak = peak.max(resident(child.id()));
            }
            std::thread::sleep(Duration::from_millis(if round == 0 { 25 } else { 2 }));
        }
        if !child.wait()?.success() {
            let mut said = String::new();
            child
                .stderr
                .take()
                .ok_or("no errors")?
                .read_to_string(&mut said)?;
            return Err(said.into());
        }
        ours.push(start.elapsed().as_secs_f64());
        Command::new("sync").status()?;
        let podman = lab.podman(
            &format!("podman-{round}"),
            "$P pull -q --tls-verify=false $L",
        );
        theirs.push(podman.pinned(false).run()? / 1e3);
    }
    let list = |values: &[f64]| {
        values
            .iter()
            .map(|value| format!("{value:.2}"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let (value, peer) = (median(ours.clone()), median(theirs.clone()));
    row(
        &format!("pull and unpack of {LARGE}"),
        &format!("{value:.2} s ({})", list(&ours)),
        &format!("podman pull: {peer:.2} s ({})", list(&theirs)),
        Some(peer / value),
        "≥ 3.5×",
    );
    row(
        "memory at its peak, all processes",
        &format!("{:.0} MB", peak as f64 / 1e3),
        "",
        None,
        "",
    );
    Ok(())
}
