//! Time of a step that does nothing, and of starting a session. Pin to one CPU for stable figures: `taskset -c 1`.

#![expect(clippy::print_stdout, reason = "the figures are the product")]
#![expect(dead_code, reason = "shared with the tests, which use more of it")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::ExitCode;
use std::time::{Duration, Instant};

use nsci_runtime::spec::Network;
use support::{Lab, run};

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = support::dispatch(&args) {
        return code;
    }
    let rounds: u32 = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(300);
    let lab = Lab::new();
    let starts = sample(15, |_| lab.session().start_time());
    print("session start", starts);
    let session = lab.session();
    let plain = lab.session_with(false);
    print(
        "no-op, new network namespace (none)",
        sample(rounds, |_| step(&lab, &session, Network::None, 0)),
    );
    print(
        "no-op, isolated",
        sample(rounds, |n| step(&lab, &session, Network::Isolated, n)),
    );
    print(
        "no-op, host network",
        sample(rounds, |_| step(&lab, &plain, Network::Host, 0)),
    );
    ExitCode::SUCCESS
}

fn step(lab: &Lab, session: &nsci_runtime::Session, network: Network, index: u32) -> Duration {
    let mut step = lab.step(&["/bin/true"]);
    step.network = network;
    step.net_index = Some(index % 200);
    let begin = Instant::now();
    run(session, &step).ok();
    begin.elapsed()
}

fn sample(rounds: u32, mut one: impl FnMut(u32) -> Duration) -> Vec<Duration> {
    let mut times: Vec<Duration> = (0..rounds).map(&mut one).collect();
    times.sort();
    times
}

fn print(what: &str, times: Vec<Duration>) {
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "{what}: min {:?} p50 {:?} p95 {:?}",
        times[0],
        at(50),
        at(95)
    );
}
