//! Services and transfers: what a bound service costs, and how fast bytes go between steps and out of them.

use std::io::BufReader;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{IMAGE, Lab, Outcome, Session, exchange, median, row, salt};

/// Image of the two ends of a transfer inside.
const PYTHON: &str = "python:3.13-slim";
/// Port of the server inside.
const PORT: u16 = 9000;

/// A session that is asked one thing after another.
struct Asker {
    session: Session,
    stream: BufReader<TcpStream>,
}

impl Asker {
    fn new(lab: &Lab) -> Outcome<Self> {
        let session = Session::start(lab)?;
        let stream = BufReader::new(TcpStream::connect(("127.0.0.1", session.port))?);
        Ok(Self { session, stream })
    }

    /// The text at the end of a chain.
    fn ask(&mut self, chain: &[&str]) -> Outcome<String> {
        let document = format!("{{{}{}", chain.join("{"), "}".repeat(chain.len()));
        let answer = exchange(&mut self.stream, &self.session.request(&document))?;
        let answer = String::from_utf8(answer)?;
        if answer.contains("\"errors\"") {
            return Err(answer.into());
        }
        let text = answer.trim_end().trim_end_matches('}');
        let text = text.rsplit_once(":\"").ok_or("no text in the answer")?.1;
        Ok(text.trim_end_matches('"').replace("\\n", "\n"))
    }
}

pub(super) fn network(lab: &Lab) -> Outcome<()> {
    let mut asker = Asker::new(lab)?;
    set_up(&mut asker)?;
    transfers(&mut asker)?;
    asker.session.stop()
}

/// A step that is bound to a service nobody has started yet, against the same step alone.
fn set_up(asker: &mut Asker) -> Outcome<()> {
    let from = format!("from(address:\"{IMAGE}\")");
    let (mut bound, mut alone) = (Vec::new(), Vec::new());
    for round in 0..9 {
        let env = format!(
            "withEnvVariable(name:\"A\",value:\"{}\")",
            salt("service", round)
        );
        let id = asker.ask(&[
            "container",
            &from,
            &env,
            "withExposedPort(port:80)",
            "asService(args:[\"httpd\",\"-f\",\"-p\",\"80\",\"-h\",\"/etc\"])",
            "id",
        ])?;
        let binding = format!("withServiceBinding(alias:\"www\",service:\"{id}\")");
        let step = |what: &str| format!("withExec(args:[\"true\",\"{}\"])", salt(what, round));
        let begun = Instant::now();
        asker.ask(&["container", &from, &step("alone"), "stdout"])?;
        alone.push(begun.elapsed().as_secs_f64() * 1e3);
        let begun = Instant::now();
        asker.ask(&["container", &from, &binding, &step("bound"), "stdout"])?;
        bound.push(begun.elapsed().as_secs_f64() * 1e3);
    }
    let (bound, alone) = (median(bound), median(alone));
    row(
        "step with a service of its own, until its port answers",
        &format!("{bound:.1} ms"),
        &format!("the step alone: {alone:.1} ms"),
        Some(bound / alone),
        "",
    );
    Ok(())
}

/// A server of this host.
struct Server(Child);

impl Server {
    fn start(script: &str, port: u16) -> Outcome<Self> {
        let child = Command::new("python3")
            .args([script, "serve", &port.to_string()])
            .stdin(Stdio::null())
            .spawn()?;
        let server = Self(child);
        let begun = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            if begun.elapsed() > Duration::from_secs(20) {
                return Err("the server does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn transfers(asker: &mut Asker) -> Outcome<()> {
    let script = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/benches/fixtures/throughput.py"
    );
    let port = std::net::TcpListener::bind("127.0.0.1:0")?
        .local_addr()?
        .port();
    let _server = Server::start(script, port)?;
    let file = asker.ask(&["host", &format!("file(path:\"{script}\")"), "id"])?;
    let from = format!("from(address:\"{PYTHON}\")");
    let mount = format!("withMountedFile(path:\"/throughput.py\",source:\"{file}\")");
    let inside = asker.ask(&[
        "container",
        &from,
        &mount,
        &format!("withExposedPort(port:{PORT})"),
        &format!("asService(args:[\"python3\",\"/throughput.py\",\"serve\",\"{PORT}\"])"),
        "id",
    ])?;
    let host = format!("service(ports:[{{frontend:{PORT},backend:{port}}}])");
    let outside = asker.ask(&["host", &host, "id"])?;
    for (how, arrow) in [("get", "←"), ("put", "→")] {
        let (mut floor, mut step, mut out) = (Vec::new(), Vec::new(), Vec::new());
        for round in 0..3 {
            let output = Command::new("python3")
                .args([script, how, "127.0.0.1", &port.to_string()])
                .output()?;
            floor.push(String::from_utf8(output.stdout)?.trim().parse::<f64>()?);
            for (service, speeds) in [(&inside, &mut step), (&outside, &mut out)] {
                let binding = format!("withServiceBinding(alias:\"peer\",service:\"{service}\")");
                let exec = format!(
                    "withExec(args:[\"python3\",\"/throughput.py\",\"{how}\",\"peer\",\"{PORT}\",\"{}\"])",
                    salt(how, round)
                );
                let said = asker.ask(&["container", &from, &mount, &binding, &exec, "stdout"])?;
                speeds.push(said.trim().parse::<f64>()?);
            }
        }
        let floor = median(floor);
        for (what, speed) in [
            ("service", median(step)),
            ("server of the host", median(out)),
        ] {
            row(
                &format!("1 GiB, step {arrow} {what}"),
                &format!("{speed:.0} MB/s"),
                &format!("over the host's loopback: {floor:.0} MB/s"),
                Some(speed / floor),
                "≥ 0.5×",
            );
        }
    }
    Ok(())
}
