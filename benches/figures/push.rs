//! Putting images into a registry and taking them out, against skopeo on the same registry.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{Lab, Outcome, median, row, salt};

/// Megabytes of a layer that packs badly.
const SIZE: usize = 256;

/// A registry of its own on the loopback.
struct Registry {
    child: Child,
    address: String,
}

impl Registry {
    fn start(lab: &Lab) -> Outcome<Self> {
        let port = std::net::TcpListener::bind("127.0.0.1:0")?
            .local_addr()?
            .port();
        let dir = lab.dir.join("registry");
        std::fs::create_dir_all(&dir)?;
        let config = dir.join("config.yml");
        let text = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"127.0.0.1:{port}\"}}\n",
            dir.display()
        );
        std::fs::write(&config, text)?;
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let address = format!("127.0.0.1:{port}");
        let started = Instant::now();
        while std::net::TcpStream::connect(&address).is_err() {
            if started.elapsed() > Duration::from_secs(20) {
                return Err("the registry does not answer".into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(Self { child, address })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// An image with one large layer is published, again, and copied by skopeo between archive and registry.
pub(super) fn push(lab: &Lab) -> Outcome<()> {
    let registry = Registry::start(lab)?;
    let archive = lab.dir.join("large.tar").display().to_string();
    let script = format!("head -c {} /dev/urandom > /large", SIZE << 20);
    let base = format!(
        "container{{from(address:\"{}\"){{withExec(args:[\"sh\",\"-c\",\"{script} # {}\"])",
        super::IMAGE,
        salt("push", 0)
    );
    let ask = |field: &str| super::Call {
        input: Some(format!("{{{base}{{{field}}}}}}}}}")),
        ..lab.nsci(&["query"]).pinned(false)
    };
    // Packing is part of neither side.
    ask(&format!("export(path:\"{archive}\")")).run()?;
    let name = |who: &str, round: usize| format!("{}/{who}:{round}", registry.address);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..3 {
        // Repositories of their own, so that no layer is there already.
        let place = name(&format!("ours{round}"), round);
        ours.push(ask(&format!("publish(address:\"{place}\")")).run()? / 1e3);
        let (from, to) = (
            format!("oci-archive:{archive}"),
            format!("docker://{}", name(&format!("theirs{round}"), round)),
        );
        // It remembers in which repositories of a registry a layer is, and would not send it again.
        let memory = lab.dir.join(format!("skopeo-memory-{round}"));
        let memory = format!("XDG_DATA_HOME={}", memory.display());
        let copy = [
            &memory,
            "skopeo",
            "copy",
            "-q",
            "--dest-tls-verify=false",
            &from,
            &to,
        ];
        theirs.push(lab.call("env", &copy).pinned(false).run()? / 1e3);
    }
    let rate = |seconds: f64| format!("{:.0} MB/s", SIZE as f64 * 1.048_576 / seconds);
    let (value, peer) = (median(ours), median(theirs));
    row(
        &format!("publish of a layer of {SIZE} MiB"),
        &rate(value),
        &format!("skopeo copy: {}", rate(peer)),
        Some(peer / value),
        "≥ 1×",
    );
    let again = ask(&format!("publish(address:\"{}\")", name("ours0", 0))).median(3)?;
    row("the same again", &format!("{again:.0} ms"), "", None, "");
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..3 {
        let address = name("ours0", 0);
        let pull = lab
            .nsci(&["image", "pull", &address])
            .pinned(false)
            .cache(lab.dir.join(format!("pulled-{round}")));
        ours.push(pull.run()? / 1e3);
        let to = format!("dir:{}", lab.dir.join(format!("skopeo-{round}")).display());
        let from = format!("docker://{address}");
        let copy = lab.call(
            "skopeo",
            &["copy", "-q", "--src-tls-verify=false", &from, &to],
        );
        theirs.push(copy.pinned(false).run()? / 1e3);
    }
    let (value, peer) = (median(ours), median(theirs));
    row(
        "pull of it, unpacked",
        &rate(value),
        &format!("skopeo copy to files, packed: {}", rate(peer)),
        Some(peer / value),
        "",
    );
    Ok(())
}
