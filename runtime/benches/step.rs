//! Time of a step that does nothing, on both executors, beside floors and a peer measured in the same rounds.
//!
//! Pin to one CPU for stable figures (`taskset -c 1`). Arguments: the number of rounds, and `podman` to measure that too
//! (it must be able to run as this user).

#![expect(clippy::print_stdout, reason = "the figures are the product")]
#![expect(dead_code, reason = "shared with the tests, which use more of it")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::process::{Command, ExitCode, Stdio};
use std::time::{Duration, Instant};

use nsci_runtime::spec::Network;
use nsci_runtime::{ExecutorKind, Session, StepSpec};
use support::{Lab, run};

/// Runs something once, for the round of this number.
type Case<'a> = Box<dyn Fn(u32) -> Duration + 'a>;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let Some(code) = support::dispatch(&args) {
        return code;
    }
    let rounds: u32 = args.iter().find_map(|arg| arg.parse().ok()).unwrap_or(300);
    let lab = Lab::new();
    let starts = (0..15).map(|_| lab.session().start_time()).collect();
    let mut table = vec![("session start", starts)];
    let native = lab.session_of(ExecutorKind::Native);
    let reference = lab.session_of(ExecutorKind::Libcontainer);
    let mut cases: Vec<(&str, Case<'_>)> = vec![
        (
            "unshare -Urmpf true",
            Box::new(|_| time(Command::new("unshare").args(["-Urmpf", "true"]))),
        ),
        (
            "native, no network",
            Box::new(|_| step(&lab, &native, Network::None, 0)),
        ),
        (
            "native, isolated network",
            Box::new(|n| step(&lab, &native, Network::Isolated, n + 1)),
        ),
        (
            "native, network used again",
            Box::new(|_| {
                let place = native.place();
                step_with(&lab, &native, |step| {
                    step.network = Network::Isolated;
                    step.net_index = Some(place.index());
                    step.leaves_network = true;
                })
            }),
        ),
        (
            "libcontainer, no network",
            Box::new(|_| step(&lab, &reference, Network::None, 0)),
        ),
        (
            "libcontainer, isolated network",
            Box::new(|n| step(&lab, &reference, Network::Isolated, n)),
        ),
    ];
    if args.iter().any(|arg| arg == "podman") {
        cases.push(("podman run", Box::new(|_| podman(&lab))));
    }
    let mut times: Vec<Vec<Duration>> = vec![Vec::new(); cases.len()];
    for round in 0..rounds {
        for ((name, case), times) in cases.iter().zip(&mut times) {
            // podman is slow, and a few runs of it tell enough.
            if *name != "podman run" || round % 20 == 0 {
                times.push(case(round));
            }
        }
    }
    table.extend(cases.iter().map(|(name, _)| *name).zip(times));
    let floor = median(&table[1].1);
    for (name, times) in &mut table {
        print(name, times, floor);
    }
    ExitCode::SUCCESS
}

fn step(lab: &Lab, session: &Session, network: Network, index: u32) -> Duration {
    step_with(lab, session, |step| {
        step.network = network;
        step.net_index = Some(index);
    })
}

fn step_with(lab: &Lab, session: &Session, prepare: impl FnOnce(&mut StepSpec)) -> Duration {
    let mut step = lab.step(&["/bin/true"]);
    prepare(&mut step);
    let begin = Instant::now();
    run(session, &step).ok();
    begin.elapsed()
}

/// The same root file system under podman; crun refuses hybrid control groups, so only the unified one is shown.
fn podman(lab: &Lab) -> Duration {
    let script = "if [ -d /sys/fs/cgroup/unified ]; then mount --bind /sys/fs/cgroup/unified /sys/fs/cgroup; fi
                  begin=$(date +%s%N)
                  podman --log-level error run --rm --network none --rootfs \"$0:O\" /bin/true
                  echo $(( $(date +%s%N) - begin ))";
    let output = Command::new("podman")
        .args(["unshare", "sh", "-ec", script])
        .arg(lab.rootfs())
        .output()
        .expect("podman is installed");
    let text = String::from_utf8_lossy(&output.stdout);
    let nanoseconds = text.trim().parse();
    let failed = |_| panic!("podman: {}", String::from_utf8_lossy(&output.stderr));
    Duration::from_nanos(nanoseconds.unwrap_or_else(failed))
}

fn time(command: &mut Command) -> Duration {
    let begin = Instant::now();
    let status = command.stdout(Stdio::null()).status();
    let took = begin.elapsed();
    assert!(status.is_ok_and(|status| status.success()), "{command:?}");
    took
}

fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort();
    times[times.len() / 2]
}

fn print(what: &str, times: &mut [Duration], floor: Duration) {
    times.sort();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100];
    println!(
        "{what}: min {:?} p50 {:?} p95 {:?}, {:.1} times unshare",
        times[0],
        at(50),
        at(95),
        at(50).as_secs_f64() / floor.as_secs_f64()
    );
}
