//! What is done again and what is not, and what the store says of itself.

use std::fs;
use std::time::{Duration, SystemTime};

use crate::support::{IMAGE, Nsci, from, nest, processes, quoted, script, sh};

#[test]
fn second_run_does_nothing_and_starts_nothing() {
    let nsci = Nsci::new();
    let chain = script("cat /proc/sys/kernel/random/uuid");
    let first = nsci.chain(&chain).ok();
    assert_eq!(
        first.steps().iter().map(|step| step.1).collect::<Vec<_>>(),
        [false],
        "{first:#?}"
    );
    let second = nsci.chain(&chain).ok();
    assert_eq!(second.out, first.out);
    assert!(second.steps().iter().all(|step| step.1), "{second:#?}");
    // Without the programs that make namespaces there are none to be had; as root the session would still start.
    let session = nsci.session();
    session.text(&chain);
    let needle = nsci.home().to_str().unwrap().to_owned();
    let names = processes(&needle).join("\n");
    assert!(
        !names.contains("nsci-spawner") && !names.contains("nsci-keeper"),
        "{names}"
    );
    session.text(&script("true"));
    let names = processes(&needle).join("\n");
    assert!(names.contains("nsci-keeper"), "{names}");
}

/// One row for each thing that must, or must not, make a step run again.
#[test]
fn only_what_a_step_sees_makes_it_run_again() {
    let nsci = Nsci::new();
    nsci.write("src/in.txt", "1");
    nsci.write("src/out.log", "1");
    let run = || {
        let session = nsci.session();
        let source = session.id("host directory(path: \"src\", exclude: [\"*.log\"])");
        session.text(&format!(
            "container {} withDirectory(path: \"/s\", source: {source}) {} stdout",
            from(IMAGE),
            sh("cat /proc/sys/kernel/random/uuid")
        ))
    };
    let path = |name: &str| nsci.home().join("src").join(name);
    let touch = || {
        let file = fs::File::options()
            .append(true)
            .open(path("in.txt"))
            .unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(100))
            .unwrap();
    };
    let changes: [(&str, &dyn Fn(), bool); 6] = [
        ("nothing", &|| {}, true),
        ("a time", &touch, true),
        (
            "an excluded file",
            &|| fs::write(path("out.log"), "2").unwrap(),
            true,
        ),
        (
            "the same bytes again",
            &|| fs::write(path("in.txt"), "1").unwrap(),
            true,
        ),
        (
            "contents",
            &|| fs::write(path("in.txt"), "2").unwrap(),
            false,
        ),
        (
            "a new file",
            &|| fs::write(path("new.txt"), "").unwrap(),
            false,
        ),
    ];
    let mut last = run();
    for (what, change, kept) in changes {
        change();
        let now = run();
        assert_eq!(now == last, kept, "{what}");
        last = now;
    }
}

#[test]
fn step_that_makes_the_same_again_ends_the_rebuilding() {
    let nsci = Nsci::new();
    nsci.write("src/code", "one # comment\n");
    let run = || {
        let session = nsci.session();
        let source = session.id("host file(path: \"src/code\")");
        let built = session.id(&format!(
            "container {} withFile(path: \"/code\", source: {source}) {} file(path: \"/app\")",
            from(IMAGE),
            sh("cut -d' ' -f1 /code > /app")
        ));
        session.text(&format!(
            "container {} withFile(path: \"/app\", source: {built}) {} stdout",
            from(IMAGE),
            sh("cat /app; cat /proc/sys/kernel/random/uuid")
        ))
    };
    let first = run();
    nsci.write("src/code", "one # another comment\n");
    assert_eq!(run(), first);
    nsci.write("src/code", "two\n");
    assert_ne!(run(), first);
}

#[test]
fn different_environment_is_a_different_step() {
    let nsci = Nsci::new();
    let run = |value: &str| {
        nsci.alpine(&format!(
            "withEnvVariable(name: \"A\", value: {}) {} stdout",
            quoted(value),
            sh("cat /proc/sys/kernel/random/uuid")
        ))
    };
    let first = run("1");
    assert_ne!(run("2"), first);
    assert_eq!(run("1"), first);
}

#[test]
fn cache_is_listed_summed_up_and_pruned() {
    let nsci = Nsci::new();
    let chain = script("cat /proc/sys/kernel/random/uuid");
    let first = nsci.text(&chain);
    let list = nsci.run(&["cache", "ls", "--json"]).ok().json();
    let kinds: Vec<&str> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["kind"].as_str().unwrap())
        .collect();
    for kind in ["layer", "blob", "record"] {
        assert!(kinds.contains(&kind), "{kind}: {list}");
    }
    assert!(nsci.run(&["cache", "ls"]).ok().out.contains("withExec"));
    let usage = nsci.run(&["cache", "du", "--json"]).ok().json();
    assert!(usage["total"].as_u64().unwrap() > 1_000_000, "{usage}");
    nsci.run(&["cache", "prune", "--unused-for=1h"]).ok();
    assert_eq!(nsci.text(&chain), first);
    nsci.run(&["cache", "prune"]).ok();
    let usage = nsci.run(&["cache", "du", "--json"]).ok().json();
    assert_eq!(usage["total"], 0, "{usage}");
    assert_ne!(nsci.text(&chain), first);
    nsci.run(&["cache", "prune", "--kind=nosuch"])
        .failed(2, &["nosuch", "layer"]);
}

#[test]
fn what_a_running_session_uses_is_not_pruned() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let made = format!(
        "container {} {}",
        from(IMAGE),
        sh("cat /proc/sys/kernel/random/uuid > /made")
    );
    let read = format!("{made} file(path: \"/made\") contents");
    let first = session.text(&read);
    nsci.run(&["cache", "prune", "--all"]).ok();
    assert_eq!(session.text(&read), first);
    let more = format!("{made} {} stdout", sh("cat /made"));
    assert_eq!(session.text(&more), first);
}

#[test]
fn two_processes_run_one_step_once() {
    let nsci = Nsci::new();
    nsci.text(&format!("container {} rootfs digest", from(IMAGE)));
    let document = nest(&script("sleep 1; cat /proc/sys/kernel/random/uuid"));
    let start = || {
        let mut command = nsci.command(&["-s", "query", &document]);
        command
            .stdout(std::process::Stdio::piped())
            .spawn()
            .unwrap()
    };
    let children = [start(), start(), start()];
    let outputs = children.map(|child| child.wait_with_output().unwrap());
    assert!(
        outputs.iter().all(|output| output.status.success()),
        "{outputs:?}"
    );
    assert_eq!(outputs[0].stdout, outputs[1].stdout);
    assert_eq!(outputs[0].stdout, outputs[2].stdout);
}
