//! Tags that name releases: versions as `v1.2.3` or `1.2.3-rc.1`, and which is the newest. Pure.

use std::cmp::Ordering;

/// The version that a tag is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Release {
    numbers: [u64; 3],
    /// What stands behind `-`; empty for a final release.
    before: Vec<Part>,
}

/// A part of what stands behind `-`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Number(u64),
    Text(String),
}

impl Release {
    /// The version of a tag's name; nothing if it is none.
    pub(super) fn of_tag(name: &str) -> Option<Self> {
        let text = name.strip_prefix('v').unwrap_or(name);
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, before) = match text.split_once('-') {
            Some((core, before)) => (core, before.split('.').map(Part::of).collect()),
            None => (text, Vec::new()),
        };
        let mut numbers = core.split('.').map(|part| part.parse().ok());
        let numbers = [numbers.next()??, numbers.next()??, numbers.next()??];
        let three = core.split('.').count() == 3;
        three.then_some(Self { numbers, before })
    }

    /// Whether it comes before a release.
    pub(super) fn is_pre(&self) -> bool {
        !self.before.is_empty()
    }
}

impl Part {
    fn of(text: &str) -> Self {
        text.parse()
            .map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }
}

impl PartialOrd for Release {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Release {
    fn cmp(&self, other: &Self) -> Ordering {
        let numbers = self.numbers.cmp(&other.numbers);
        // What comes before a release is older than it.
        let last = other.is_pre().cmp(&self.is_pre());
        numbers
            .then(last)
            .then_with(|| self.before.cmp(&other.before))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered() {
        let names = [
            "v0.9.0",
            "1.0.0-alpha",
            "v1.0.0-rc.2",
            "v1.0.0-rc.10",
            "v1.0.0",
            "1.2.0",
            "v1.10.0+b",
        ];
        let releases: Vec<Release> = names
            .iter()
            .map(|name| Release::of_tag(name).expect(name))
            .collect();
        assert!(releases.is_sorted_by(|a, b| a < b), "{releases:?}");
    }

    #[test]
    fn other_names_are_no_releases() {
        for name in ["", "v1", "1.2", "1.2.3.4", "latest", "vx.y.z", "sdk/v1.2.3"] {
            assert_eq!(Release::of_tag(name), None, "{name}");
        }
    }
}
