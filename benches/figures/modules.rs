//! Figures of modules: what reading one costs, and what a call costs in each language.

use super::{Lab, Outcome, Session, ask, median, row, salt};
use std::io::BufReader;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// An SDK, what a process of its language that does nothing is, and the targets of a call.
const LANGUAGES: [(&str, &str, &str, &str); 3] = [
    ("go", "alpine:3.20", "[\"true\"", "≤ 30 ms"),
    (
        "python",
        "python:3.13-slim",
        "[\"python\",\"-c\",\"pass\"",
        "≤ 90 ms",
    ),
    (
        "typescript",
        "node:20-slim",
        "[\"node\",\"-e\",\"0\"",
        "≤ 120 ms",
    ),
];

pub(super) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("benches/fixtures")
        .join(name)
}

/// `functions` of a module whose source is new to nsci, and again.
pub(super) fn functions(lab: &Lab) -> Outcome<()> {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for (language, ..) in LANGUAGES {
        let name = format!("{language}-tour");
        let copy = lab.dir.join(&name);
        copy_tree(&examples.join(&name), &copy)?;
        let source = sources(&copy)?;
        let text = std::fs::read_to_string(&source)?;
        let comment = if language == "python" { "#" } else { "//" };
        let at = copy.display().to_string();
        let call = lab.nsci(&["--mod", &at, "functions"]);
        let mut cold = Vec::new();
        for round in 0..10 {
            let line = format!("\n{comment} {}\n", salt(language, round));
            std::fs::write(&source, format!("{text}{line}"))?;
            cold.push(call.run()?);
        }
        let (cold, warm) = (median(cold), call.median(20)?);
        row(
            &format!("functions of {name}, source never seen"),
            &format!("{cold:.1} ms"),
            &format!("unchanged: {warm:.1} ms (≤ 60 ms)"),
            Some(cold / warm),
            "≤ 150 ms",
        );
    }
    Ok(())
}

fn copy_tree(from: &Path, to: &Path) -> Outcome<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to)?;
        } else {
            std::fs::copy(entry.path(), to)?;
        }
    }
    Ok(())
}

/// The file with the main object.
fn sources(module: &Path) -> Outcome<PathBuf> {
    let places = ["main.go", "src/tour/main.py", "src/index.ts"];
    let mut found = places.iter().map(|place| module.join(place));
    Ok(found
        .find(|place| place.is_file())
        .ok_or("the tour has no code")?)
}

/// A function that does nothing, called again and again in one session; nothing of it is remembered.
pub(super) fn calls(lab: &Lab) -> Outcome<()> {
    for (language, image, command, target) in LANGUAGES {
        let session = Session::start(lab)?;
        let mut stream = BufReader::new(TcpStream::connect(("127.0.0.1", session.port))?);
        let at = fixture(&format!("nothing-{language}"))
            .display()
            .to_string();
        let serve = format!("{{moduleSource(refString:\"{at}\"){{asModule{{serve}}}}}}");
        ask(&mut stream, &session.request(&serve))?;
        let mut times = |document: &dyn Fn(&str) -> String| -> Outcome<f64> {
            let mut times = Vec::new();
            for round in 0..21 {
                let request = session.request(&document(&salt(language, round)));
                let start = Instant::now();
                ask(&mut stream, &request)?;
                times.push(start.elapsed().as_secs_f64() * 1e3);
            }
            // The first one prepares what all share.
            Ok(median(times.split_off(1)))
        };
        let floor = times(&|salt| {
            format!(
                "{{container{{from(address:\"{image}\"){{withExec(args:{command},\"{salt}\"]){{sync}}}}}}}}"
            )
        })?;
        let call = times(&|salt| format!("{{nothing{{give(salt:\"{salt}\")}}}}"))?;
        row(
            &format!("call of a {language} function that does nothing, in a session"),
            &format!("{call:.1} ms"),
            &format!("step with a process that does nothing: {floor:.1} ms"),
            Some(call / floor),
            target,
        );
        session.stop()?;
        let whole = |round| {
            let (at, salt) = (at.as_str(), salt("whole", round));
            lab.nsci(&["--mod", at, "call", "give", "--salt", &salt])
                .run()
        };
        let took = median((0..7).map(whole).collect::<Outcome<_>>()?);
        let query = |round| lab.query(image, &[salt("step", round)]).run();
        let step = median((0..7).map(query).collect::<Outcome<_>>()?);
        row(
            "the same, whole process",
            &format!("{took:.1} ms"),
            &format!("query of one new step: {step:.1} ms"),
            Some(took / step),
            "",
        );
    }
    Ok(())
}

/// What scheduling and the cache make of work that waits.
pub(super) fn services(lab: &Lab) -> Outcome<()> {
    let at = fixture("services").display().to_string();
    let run = |seconds: &str, salt: &str, more: &[&str]| {
        let words = [
            "--mod",
            &at,
            "call",
            "wait",
            "--seconds",
            seconds,
            "--salt",
            salt,
        ];
        lab.nsci(&[&words, more].concat()).pinned(false).run()
    };
    let parallel = ["--in-parallel"];
    run("0", &salt("warm", 0), &parallel)?;
    let checks = salt("checks", 0);
    let slowest = run("3", &salt("slowest", 0), &parallel)?;
    let together = run("3,2,2", &checks, &parallel)?;
    row(
        "lint, test and scan of 3, 2 and 2 s at the same time",
        &format!("{together:.0} ms"),
        &format!("the slowest alone: {slowest:.0} ms"),
        Some(together / slowest),
        "close to 1×",
    );
    let again = run("3,2,2", &checks, &parallel)?;
    row(
        "the same again",
        &format!("{again:.0} ms"),
        &format!("first run: {together:.0} ms"),
        Some(together / again),
        "≥ 10×",
    );
    let five = "2,2,2,2,2";
    let services = salt("services", 0);
    let sequence = run(five, &salt("sequence", 0), &[])?;
    let first = run(five, &services, &parallel)?;
    let second = run(five, &services, &parallel)?;
    let beside = format!("one after another: {sequence:.0} ms");
    row(
        "five services of 2 s at the same time",
        &format!("{first:.0} ms"),
        &beside,
        Some(sequence / first),
        "≥ 4.5×",
    );
    row(
        "the same from the cache",
        &format!("{second:.0} ms"),
        &beside,
        Some(sequence / second),
        "≥ 10×",
    );
    Ok(())
}
