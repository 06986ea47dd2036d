//! Which generation of the API a client speaks.

use std::fmt;
use std::str::FromStr;

/// A schema version, compared numerically.
///
/// Pre-release tags do not count: `1.0.0-beta.3` sees what 1.0.0 sees.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct View {
    /// First number.
    pub major: u32,
    /// Second number.
    pub minor: u32,
    /// Third number.
    pub patch: u32,
}

impl View {
    /// What a client gets that does not say its version.
    pub const LATEST: Self = Self::new(1, 0, 0);

    /// The version `major.minor.patch`.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Self {
        Self {
            major,
            minor,
            patch,
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Text that is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version such as v0.18.2")]
pub struct InvalidView(String);

impl FromStr for View {
    type Err = InvalidView;

    /// Reads `v0.18.19`, `0.18`, `1` and forms with `-pre` or `+build` behind.
    fn from_str(text: &str) -> Result<Self, InvalidView> {
        let invalid = || InvalidView(text.to_owned());
        let numbers = text.trim().trim_start_matches('v');
        let numbers = numbers.split(['-', '+']).next().unwrap_or_default();
        let mut parts = [0; 3];
        for (position, part) in numbers.split('.').enumerate() {
            let slot = parts.get_mut(position).ok_or_else(invalid)?;
            *slot = part.parse().map_err(|_| invalid())?;
        }
        Ok(Self::new(parts[0], parts[1], parts[2]))
    }
}

/// The views in which a declaration exists: from `since` on, before `until`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ViewRange {
    /// First view that has it.
    pub since: Option<View>,
    /// First view that no longer has it.
    pub until: Option<View>,
}

impl ViewRange {
    /// Whether `view` lies in the range.
    pub fn contains(&self, view: View) -> bool {
        self.since.is_none_or(|since| view >= since) && self.until.is_none_or(|until| view < until)
    }

    /// Whether some view lies in both ranges.
    pub fn overlaps(&self, other: &Self) -> bool {
        let before = |until: Option<View>, since: Option<View>| match (until, since) {
            (Some(until), Some(since)) => until <= since,
            _ => false,
        };
        !before(self.until, other.since) && !before(other.until, self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_in_every_spelling() {
        for (text, want) in [
            ("v0.18.19", Some(View::new(0, 18, 19))),
            ("0.18", Some(View::new(0, 18, 0))),
            ("1", Some(View::new(1, 0, 0))),
            ("v1.0.0-beta.10", Some(View::new(1, 0, 0))),
            ("0.21.7+abc", Some(View::new(0, 21, 7))),
            ("", None),
            ("latest", None),
            ("1.2.3.4", None),
        ] {
            assert_eq!(text.parse().ok(), want, "{text}");
        }
    }

    #[test]
    fn range_ends_before_until() {
        let range = ViewRange {
            since: Some(View::new(0, 9, 0)),
            until: Some(View::new(0, 12, 0)),
        };
        for (view, inside) in [
            ((0, 8, 9), false),
            ((0, 9, 0), true),
            ((0, 11, 9), true),
            ((0, 12, 0), false),
        ] {
            assert_eq!(
                range.contains(View::new(view.0, view.1, view.2)),
                inside,
                "{view:?}"
            );
        }
    }
}
