//! When a service is ready: pauses between attempts, and Docker's health checks.

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_limit() {
        let pauses: Vec<Duration> = Backoff::default().take(40).collect();
        assert_eq!(pauses[0], FIRST);
        assert!(pauses.windows(2).all(|pair| pair[0] <= pair[1]));
        assert_eq!(pauses[39], LONGEST);
    }
}
