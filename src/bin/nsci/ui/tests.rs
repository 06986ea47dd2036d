use std::sync::Arc;

use nsci::event::{Outcome, StepId, Stream};

use super::*;

fn ms(at: u64) -> Duration {
    Duration::from_millis(at)
}

fn start(id: u64, name: &str) -> Event {
    Event::StepStarted {
        id: StepId(id),
        parent: None,
        name: name.into(),
        internal: false,
    }
}

fn end(id: u64, cached: bool, time: u64, outcome: Outcome) -> Event {
    Event::StepFinished {
        id: StepId(id),
        cached,
        duration: ms(time),
        outcome,
    }
}

fn log(id: u64, text: &str) -> Event {
    Event::Log {
        id: StepId(id),
        stream: Stream::Stdout,
        bytes: text.as_bytes().into(),
    }
}

fn failed() -> Outcome {
    Outcome::Failed {
        message: "exit code: 1".into(),
    }
}

/// A pull, a cached step, a long one with output, one that fails, and an internal one.
fn story() -> Vec<(u64, Event)> {
    let image: Arc<str> = "docker.io/library/alpine:3.20".into();
    vec![
        (
            0,
            Event::PullStarted {
                image: Arc::clone(&image),
                layers: 1,
                bytes: 3_400_000,
            },
        ),
        (
            50,
            Event::PullProgress {
                image: Arc::clone(&image),
                layer: "sha256:1".into(),
                bytes: 1_700_000,
                total: 3_400_000,
            },
        ),
        (
            100,
            Event::PullDone {
                image,
                fetched: 3_400_000,
                duration: ms(100),
                outcome: Outcome::Done,
            },
        ),
        (
            100,
            Event::StepStarted {
                id: StepId(9),
                parent: None,
                name: "resolve".into(),
                internal: true,
            },
        ),
        (100, end(9, false, 0, Outcome::Done)),
        (110, start(1, "copy .")),
        (111, end(1, true, 0, Outcome::Done)),
        (120, start(2, "withExec sh -c\n  set -e\n  go build")),
        (250, log(2, "\u{1b}[31mcompil")),
        (260, log(2, "ing\u{1b}[0m\nlinking\n")),
        (300, start(3, "withExec false")),
        (310, log(3, "boom")),
        (400, end(3, false, 100, failed())),
        (1400, end(2, false, 1280, Outcome::Done)),
        (
            1400,
            Event::Warning {
                message: "disk is nearly full".into(),
            },
        ),
    ]
}

fn played(renderer: &mut dyn Renderer) -> String {
    let mut out = String::new();
    for (at, event) in story() {
        renderer.tick(ms(at), &mut out);
        renderer.event(ms(at), &event, &mut out);
    }
    renderer.finish(ms(1500), false, &mut out);
    out.replace('\u{1b}', "ESC")
}

#[test]
fn plain_is_one_line_after_the_other() {
    insta::assert_snapshot!(played(&mut plain::Plain::new(Detail::new(0, 0))), @r"
    #1 pull docker.io/library/alpine:3.20: 1 layer, 3.4 MB
    #1 done 0.1s, 3.4 MB fetched
    #2 copy . cached
    #3 withExec sh -c …
    #3 | compiling
    #3 | linking
    #4 withExec false
    #4 | boom
    #4 FAILED 0.1s
    #4 ! exit code: 1
    #3 done 1.3s
    warning: disk is nearly full
    failed in 1.5s: 3 steps, 1 cached, 1 failed, 3.4 MB fetched
    ");
}

#[test]
fn plain_says_that_all_was_cached() {
    let mut renderer = plain::Plain::new(Detail::new(0, 0));
    let mut out = String::new();
    for id in 1..=2 {
        renderer.event(ms(1), &start(id, "withExec make"), &mut out);
        renderer.event(ms(2), &end(id, true, 0, Outcome::Done), &mut out);
    }
    renderer.finish(ms(90), true, &mut out);
    insta::assert_snapshot!(out, @r"
    #1 withExec make cached
    #2 withExec make cached
    done in 0.1s: 2 steps, 2 cached
    ");
}

#[test]
fn quiet_shows_failures_only() {
    insta::assert_snapshot!(played(&mut plain::Plain::new(Detail::new(0, 2))), @r"
    #1 withExec false FAILED 0.1s
    #1 ! exit code: 1
    warning: disk is nearly full
    ");
}

#[test]
fn json_is_one_object_per_line() {
    let out = played(&mut json::Json::new(Detail::new(0, 0)));
    for line in out.lines() {
        serde_json::from_str::<serde_json::Value>(&line.replace("ESC", "")).expect(line);
    }
    insta::assert_snapshot!(out, @r#"
    {"type":"pull-started","at":0.0,"image":"docker.io/library/alpine:3.20","layers":1,"bytes":3400000}
    {"type":"pull-progress","at":0.05,"image":"docker.io/library/alpine:3.20","layer":"sha256:1","bytes":1700000,"total":3400000}
    {"type":"pull-finished","at":0.1,"image":"docker.io/library/alpine:3.20","fetched":3400000,"seconds":0.1,"result":"done"}
    {"type":"step-started","at":0.11,"id":1,"parent":null,"name":"copy .","internal":false}
    {"type":"step-finished","at":0.111,"id":1,"cached":true,"seconds":0.0,"result":"done"}
    {"type":"step-started","at":0.12,"id":2,"parent":null,"name":"withExec sh -c\n  set -e\n  go build","internal":false}
    {"type":"log","at":0.25,"id":2,"stream":"stdout","text":"\u001b[31mcompil"}
    {"type":"log","at":0.26,"id":2,"stream":"stdout","text":"ing\u001b[0m\nlinking\n"}
    {"type":"step-started","at":0.3,"id":3,"parent":null,"name":"withExec false","internal":false}
    {"type":"log","at":0.31,"id":3,"stream":"stdout","text":"boom"}
    {"type":"step-finished","at":0.4,"id":3,"cached":false,"seconds":0.1,"result":"failed","message":"exit code: 1"}
    {"type":"step-finished","at":1.4,"id":2,"cached":false,"seconds":1.28,"result":"done"}
    {"type":"warning","at":1.4,"message":"disk is nearly full"}
    {"type":"summary","at":1.5,"result":"failed","steps":3,"cached":1,"failed":1,"fetched":3400000}
    "#);
}

#[test]
fn tty_redraws_what_runs() {
    insta::assert_snapshot!(played(&mut tty::Tty::new(Detail::new(0, 0), false, || (60, 10))), @r"
    ↓ pull docker.io/l… ░░░░░░░░░░░░░░░░░░░░ 0 B of 3.4 MB 0.1s
    ESC[1FESC[J↓ pull docker.i… ██████████░░░░░░░░░░ 1.7 MB of 3.4 MB 0.1s
    ESC[1FESC[J✔ pull docker.io/library/alpine:3.20 done 0.1s, 3.4 MB fetched
    ⠙ copy . 0.0s
    ESC[1FESC[J✔ copy . cached
    ⠴ withExec sh -c … 0.1s
    ESC[1FESC[J⠦ withExec sh -c … 0.1s
    ESC[1FESC[J⠇ withExec sh -c … 0.2s
      │ compiling
      │ linking
    ESC[3FESC[J⠋ withExec sh -c … 0.2s
      │ compiling
      │ linking
    ⠋ withExec false 0.0s
    ESC[4FESC[J⠙ withExec sh -c … 0.3s
      │ compiling
      │ linking
    ⠙ withExec false 0.1s
    ESC[4FESC[J✘ withExec false FAILED 0.1s
      │ boom
    ⠸ withExec sh -c … 1.3s
      │ compiling
      │ linking
    ESC[3FESC[J✔ withExec sh -c … done 1.3s
    warning: disk is nearly full
    failed in 1.5s: 3 steps, 1 cached, 1 failed, 3.4 MB fetched
    ");
}

#[test]
fn tty_lines_never_exceed_the_terminal() {
    let mut renderer = tty::Tty::new(Detail::new(0, 0), false, || (40, 6));
    let mut out = String::new();
    for id in 0..20 {
        renderer.event(ms(0), &start(id, &"long ".repeat(40)), &mut out);
    }
    renderer.tick(ms(10), &mut out);
    assert!(out.lines().count() <= 5, "{out}");
    assert!(out.lines().all(|line| line.chars().count() <= 40), "{out}");
}

#[test]
fn colour_only_repeats_what_is_said() {
    let mut renderer = tty::Tty::new(Detail::new(0, 0), true, || (60, 10));
    let colored = played(&mut renderer);
    let plain = played(&mut tty::Tty::new(Detail::new(0, 0), false, || (60, 10)));
    let mut stripped = colored;
    for code in ["[32m", "[31m", "[36m", "[2m", "[0m"] {
        stripped = stripped.replace(&format!("ESC{code}"), "");
    }
    assert_eq!(stripped, plain);
}

#[test]
fn silent_display_takes_events_and_ends() {
    let mut ui = Ui::start(Mode::Silent, Detail::new(0, 0));
    ui.events().warn("nobody hears this");
    ui.finish(true);
}
