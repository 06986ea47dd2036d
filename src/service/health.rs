//! When a service is ready: pauses between attempts, and Docker's health checks.

use crate::graph::Healthcheck;
use std::time::Duration;

/// First pause between two attempts to connect.
const FIRST: Duration = Duration::from_millis(2);
/// Longest pause: a service that takes long to start is not asked more often than this.
const LONGEST: Duration = Duration::from_millis(500);

/// Pauses between attempts: each longer than the last, up to a limit.
#[derive(Debug, Clone)]
pub struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(FIRST)
    }
}

impl Iterator for Backoff {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let now = self.0;
        self.0 = (now * 3 / 2).min(LONGEST);
        Some(now)
    }
}

/// Docker's values where an image says nothing.
const INTERVAL: Duration = Duration::from_secs(30);
const TIMEOUT: Duration = Duration::from_secs(30);
const RETRIES: u64 = 3;
const SHELL: [&str; 2] = ["/bin/sh", "-c"];

/// A health check as it is carried out while somebody waits for the service.
///
/// Docker asks once in an interval, for ever. Here nobody wants to wait that long for a service that is ready, so it is
/// asked more often, and not any more once it is; but a failure counts only when Docker would have asked too. Who says
/// how often it is asked while it starts is obeyed: such a check costs something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// The command.
    pub args: Vec<String>,
    /// How long it may take.
    pub timeout: Duration,
    interval: Duration,
    start_period: Duration,
    start_interval: Option<Duration>,
    retries: u64,
}

impl Check {
    /// The check that an image's configuration asks for, if any; texts are for its shell.
    pub fn of(check: &Healthcheck, shell: Option<&[String]>) -> Option<Self> {
        let (kind, rest) = check.test.split_first()?;
        let args = match (kind.as_str(), rest) {
            ("CMD", [_, ..]) => rest.to_vec(),
            ("CMD-SHELL", [text, ..]) => {
                let shell = shell.filter(|shell| !shell.is_empty());
                let shell = shell.map_or(SHELL.map(str::to_owned).to_vec(), <[String]>::to_vec);
                shell.into_iter().chain([text.clone()]).collect()
            }
            _ => return None,
        };
        let time = |nanoseconds: u64, default| match nanoseconds {
            0 => default,
            nanoseconds => Duration::from_nanos(nanoseconds),
        };
        Some(Self {
            args,
            timeout: time(check.timeout, TIMEOUT),
            interval: time(check.interval, INTERVAL),
            start_period: Duration::from_nanos(check.start_period),
            start_interval: (check.start_interval > 0)
                .then(|| Duration::from_nanos(check.start_interval)),
            retries: if check.retries == 0 {
                RETRIES
            } else {
                check.retries
            },
        })
    }

    /// Says how long to wait between two checks.
    pub fn pauses(&self) -> Pauses {
        Pauses {
            start_period: self.start_period,
            start_interval: self.start_interval,
            backoff: Backoff::default(),
        }
    }

    /// Counts failures from the start of the service on.
    pub fn failures(&self) -> Failures {
        Failures {
            left: self.retries,
            next: self.start_period + self.interval,
            interval: self.interval,
        }
    }
}

/// The times between the checks of a service.
#[derive(Clone, Debug)]
pub struct Pauses {
    start_period: Duration,
    start_interval: Option<Duration>,
    backoff: Backoff,
}

impl Pauses {
    /// How long to wait after a check that failed at an age of the service and took `cost`.
    pub fn after(&mut self, age: Duration, cost: Duration) -> Duration {
        match self.start_interval {
            Some(interval) if age < self.start_period => interval,
            // A check that costs something is not repeated without rest.
            _ => self.backoff.next().unwrap_or(LONGEST).max(cost),
        }
    }
}

/// How many more failures a service may have before it is unhealthy.
#[derive(Clone, Debug)]
pub struct Failures {
    left: u64,
    /// Age of the service from which the next failure counts.
    next: Duration,
    interval: Duration,
}

impl Failures {
    /// Takes a failure at an age of the service; true if that makes it unhealthy.
    pub fn add(&mut self, age: Duration) -> bool {
        if age >= self.next {
            self.left = self.left.saturating_sub(1);
            self.next = age + self.interval;
        }
        self.left == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn checks_are_read_as_docker_reads_them() {
        let of = |test: &[&str], shell: Option<&[String]>| {
            let test = test.iter().map(|word| (*word).to_owned()).collect();
            let check = Healthcheck {
                test,
                ..Healthcheck::default()
            };
            Check::of(&check, shell).map(|check| check.args.join(" "))
        };
        let bash = ["bash".to_owned(), "-ec".to_owned()];
        for (test, shell, expected) in [
            (&["CMD", "test", "-f", "x"][..], None, Some("test -f x")),
            (&["CMD-SHELL", "a | b"], None, Some("/bin/sh -c a | b")),
            (&["CMD-SHELL", "a"], Some(&bash[..]), Some("bash -ec a")),
            (&["CMD-SHELL", "a"], Some(&[]), Some("/bin/sh -c a")),
            (&["NONE"], None, None),
            (&["CMD"], None, None),
            (&[], None, None),
        ] {
            assert_eq!(of(test, shell).as_deref(), expected, "{test:?}");
        }
    }

    #[test]
    fn failures_count_once_in_an_interval_after_the_start() {
        let check = Healthcheck {
            test: vec!["CMD".into(), "x".into()],
            interval: 10_000_000_000,
            start_period: 60_000_000_000,
            retries: 2,
            ..Healthcheck::default()
        };
        let check = Check::of(&check, None).unwrap();
        assert_eq!(check.timeout, TIMEOUT);
        let mut failures = check.failures();
        assert!((0..70).all(|age| !failures.add(seconds(age))));
        assert!(!failures.add(seconds(71)));
        assert!(!failures.add(seconds(75)));
        assert!(failures.add(seconds(81)));
    }

    #[test]
    fn checks_keep_their_distance_while_the_service_starts() {
        let none = Duration::ZERO;
        let check = |start_interval| {
            let check = Healthcheck {
                test: vec!["CMD".into(), "x".into()],
                start_period: 10_000_000_000,
                start_interval,
                ..Healthcheck::default()
            };
            Check::of(&check, None).unwrap().pauses()
        };
        let mut pauses = check(3_000_000_000);
        assert_eq!(pauses.after(none, seconds(9)), seconds(3));
        assert_eq!(pauses.after(seconds(9), none), seconds(3));
        assert_eq!(pauses.after(seconds(10), none), FIRST);
        assert_eq!(pauses.after(seconds(11), seconds(4)), seconds(4));
        let mut eager = check(0);
        assert_eq!(eager.after(none, none), FIRST);
        assert!(eager.after(none, none) > FIRST);
    }

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses: Vec<Duration> = Backoff::default().take(40).collect();
        assert_eq!(pauses[0], FIRST);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses[39], LONGEST);
    }
}
