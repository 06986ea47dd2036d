//! Large inputs and outputs: what nsci holds in memory does not grow with them.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{IMAGE, Nsci, Session, from, nest, quoted, sh};

/// Megabytes that a process ever had in memory.
fn peak(session: &Session) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", session.pid())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib: u64 = line
        .unwrap()
        .split_whitespace()
        .next()
        .unwrap()
        .parse()
        .unwrap();
    kib / 1024
}

/// A session that shows what commands say, and what a first command makes of its memory.
fn warm(nsci: &Nsci) -> (Session, u64) {
    let session = nsci.session();
    session.text(&format!("container {} {} stdout", from(IMAGE), sh("true")));
    let first = peak(&session);
    (session, first)
}

#[test]
fn output_of_any_size_is_kept_on_disk() {
    const SIZE: u64 = 200_000_000;
    let nsci = Nsci::new();
    // Nobody reads what it shows, so nothing of it can go away.
    let mut command = nsci.command(&["session"]);
    let (reader, writer) = std::io::pipe().unwrap();
    command.stderr(writer);
    let session = Session::start_quiet(command);
    drop(session_answer(&session, &sh("true")));
    let before = peak(&session);
    let script = sh(&format!("yes a line of output | head -c {SIZE}"));
    let container = format!("container {} {script}", from(IMAGE));
    assert_eq!(session.leaf(&format!("{container} exitCode")), json!(0));
    let grown = peak(&session) - before;
    assert!(grown < 90, "{grown} MB more for {SIZE} bytes of output");
    // All of it is there, though an answer cannot carry it.
    let answer = session.answer(&nest(&format!("{container} stdout")));
    let message = answer["errors"][0]["message"].as_str().unwrap();
    assert!(
        message.contains(&format!("wrote {SIZE} bytes")),
        "{message}"
    );
    let redirected = format!(
        "container {} withExec(args: [\"sh\", \"-c\", \"yes a line of output | head -c {SIZE}\"], redirectStdout: \"/out\") file(path: \"/out\") size",
        from(IMAGE)
    );
    assert_eq!(session.leaf(&redirected), json!(SIZE));
    drop(reader);
    session.end();
}

fn session_answer(session: &Session, script: &str) -> serde_json::Value {
    session.answer(&nest(&format!("container {} {script} stdout", from(IMAGE))))
}

#[test]
fn a_large_file_goes_through_the_disk() {
    const SIZE: u64 = 400 << 20;
    let nsci = Nsci::new();
    let large = nsci.home().join("large");
    // Holes would be copied as holes.
    let block: Vec<u8> = (0..1 << 20)
        .map(|at: u32| (at.wrapping_mul(2_654_435_761) >> 13) as u8)
        .collect();
    let mut file = fs::File::create(&large).unwrap();
    for _ in 0..SIZE >> 20 {
        std::io::Write::write_all(&mut file, &block).unwrap();
    }
    drop(file);
    let (session, before) = warm(&nsci);
    let path = |path: &Path| quoted(&path.display().to_string());
    let id = session.id(&format!("host file(path: {})", path(&large)));
    let with = format!(
        "container {} withFile(path: \"/large\", source: {id})",
        from(IMAGE)
    );
    let out = nsci.home().join("out");
    session.text(&format!(
        "{with} {} file(path: \"/large\") export(path: {})",
        sh("chmod 600 /large"),
        path(&out)
    ));
    assert_eq!(fs::metadata(&out).unwrap().len(), SIZE);
    let grown = peak(&session) - before;
    assert!(grown < 60, "{grown} MB more for a file of {SIZE} bytes");
    session.end();
}

#[test]
fn long_chains_and_wide_ones() {
    let nsci = Nsci::new();
    let (session, before) = warm(&nsci);
    // More layers than the kernel stacks, in parts that this test can read the answers of.
    let mut chain = format!("container {}", from(IMAGE));
    for part in 0..3 {
        let steps: String = (0..50)
            .map(|at| format!("{} ", sh(&format!("echo {at} > /f{part}-{at}"))))
            .collect();
        let id = session.id(&format!("{chain} {steps}"));
        chain = format!("loadContainerFromID(id: {id})");
    }
    let count = format!("{chain} {} stdout", sh("cat /f* | wc -l"));
    assert_eq!(session.text(&count), "150\n");
    let branches: String = (0..100)
        .map(|at| format!("b{at}: withExec(args: [\"echo\", \"{at}\"]) {{stdout}} "))
        .collect();
    let answer = session.answer(&format!(
        "{{container{{from(address: \"{IMAGE}\"){{{branches}}}}}}}"
    ));
    let from = &answer["data"]["container"]["from"];
    for at in 0..100 {
        assert_eq!(
            from[format!("b{at}")]["stdout"],
            json!(format!("{at}\n")),
            "{answer}"
        );
    }
    let grown = peak(&session) - before;
    assert!(grown < 100, "{grown} MB more for 250 steps");
    session.end();
}

#[test]
fn a_tree_of_many_files_is_read_once() {
    const DIRECTORIES: usize = 100;
    const FILES: usize = 200;
    let nsci = Nsci::new();
    let tree = nsci.home().join("tree");
    for directory in 0..DIRECTORIES {
        let at = tree.join(format!("d{directory}"));
        fs::create_dir_all(&at).unwrap();
        for file in 0..FILES {
            fs::write(at.join(format!("f{file}")), format!("{directory} {file}")).unwrap();
        }
    }
    let (session, before) = warm(&nsci);
    let id = session.id(&format!(
        "host directory(path: {})",
        quoted(&tree.display().to_string())
    ));
    let found = session.text(&format!(
        "container {} withDirectory(path: \"/t\", source: {id}) {} stdout",
        from(IMAGE),
        sh("find /t -type f | wc -l")
    ));
    assert_eq!(found, format!("{}\n", DIRECTORIES * FILES));
    let grown = peak(&session) - before;
    assert!(
        grown < 60,
        "{grown} MB more for {} files",
        DIRECTORIES * FILES
    );
    session.end();
}
