//! Large inputs and outputs: how much memory the engine's processes ever have, and how long it takes.

use std::io::{BufReader, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::time::Instant;

use super::{IMAGE, Lab, Outcome, Session, exchange, row, salt};

/// One case: what it is, and the document that does it.
struct Case {
    what: &'static str,
    document: String,
}

/// Peak of the resident memory of a process, in megabytes.
fn peak(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or_default() / 1e3
}

/// A process and those below it.
fn family(root: u32) -> Vec<u32> {
    let mut found = vec![root];
    let mut at = 0;
    while at < found.len() {
        let tasks = format!("/proc/{}/task", found[at]);
        for task in std::fs::read_dir(tasks).into_iter().flatten().flatten() {
            let children =
                std::fs::read_to_string(task.path().join("children")).unwrap_or_default();
            found.extend(
                children
                    .split_whitespace()
                    .filter_map(|pid| pid.parse::<u32>().ok()),
            );
        }
        at += 1;
    }
    found
}

fn exec(script: &str) -> String {
    format!(
        "withExec(args:[\"sh\",\"-c\",\"{script} # {}\"])",
        salt("scale", 0)
    )
}

fn nested(fields: &[String]) -> String {
    let open: String = fields.iter().map(|field| format!("{{{field}")).collect();
    open + &"}".repeat(fields.len())
}

fn cases(dir: &Path) -> Outcome<Vec<Case>> {
    let from = ["container".to_owned(), format!("from(address:\"{IMAGE}\")")];
    let chain =
        |steps: Vec<String>, leaf: &str| nested(&[&from[..], &steps, &[leaf.to_owned()]].concat());
    let thousand = (0..1000)
        .map(|at| exec(&format!("echo {at} > /f{at}")))
        .collect();
    let branches: Vec<String> = (0..200)
        .map(|at| format!("b{at}:{}{{stdout}}", exec(&format!("echo {at}"))))
        .collect();
    let tree = dir.join("tree");
    for directory in 0..1000 {
        let at = tree.join(format!("d{}/e{directory}", directory / 50));
        std::fs::create_dir_all(&at)?;
        for file in 0..100 {
            std::fs::write(at.join(format!("f{file}")), format!("{directory} {file}"))?;
        }
    }
    let large = dir.join("large");
    let mut file = std::fs::File::create(&large)?;
    let mut block = vec![0_u8; 1 << 20];
    for at in 0..2000_u64 {
        block
            .iter_mut()
            .zip(at..)
            .for_each(|(byte, n)| *byte = (n.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 56) as u8);
        file.write_all(&block)?;
    }
    let place = |path: &Path| path.display().to_string();
    Ok(vec![
        Case {
            what: "1,000 commands in one chain",
            document: chain(thousand, "stdout"),
        },
        Case {
            what: "200 commands side by side",
            document: format!(
                "{{container{{from(address:\"{IMAGE}\"){{{}}}}}}}",
                branches.join(" ")
            ),
        },
        Case {
            what: "first digest of a host directory of 100,000 files",
            document: format!("{{host{{directory(path:\"{}\"){{digest}}}}}}", place(&tree)),
        },
        Case {
            what: "a file of 2 GB from the host and back",
            document: format!(
                "{{host{{file(path:\"{}\"){{export(path:\"{}\")}}}}}}",
                place(&large),
                place(&dir.join("large-out"))
            ),
        },
        Case {
            what: "1 GB of output",
            document: chain(
                vec![exec("yes a line of output | head -c 1000000000")],
                "exitCode",
            ),
        },
    ])
}

/// Each case in a session of its own.
pub(super) fn scale(lab: &Lab) -> Outcome<()> {
    let dir = lab.dir.join("scale");
    std::fs::create_dir_all(&dir)?;
    for case in cases(&dir)? {
        let session = Session::start(lab)?;
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", session.port))?);
        let start = Instant::now();
        exchange(&mut stream, &session.request(&case.document))?;
        let took = start.elapsed().as_secs_f64();
        let peaks: Vec<String> = family(session.child.id())
            .into_iter()
            .map(|pid| format!("{:.0}", peak(pid)))
            .collect();
        row(
            &format!("{}, memory of each process at its peak", case.what),
            &format!("{} MB", peaks.join(" + ")),
            &format!("took {took:.1} s"),
            None,
            "≤ 200 MB",
        );
        session.stop()?;
    }
    Ok(())
}
