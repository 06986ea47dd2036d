//! Small pieces of text that the renderers share.

use std::time::Duration;

/// A duration for people: `0.1s`, `12.3s`, `2m05s`, `1h02m`.
pub(crate) fn duration(time: Duration) -> String {
    let seconds = time.as_secs();
    match seconds {
        0..60 => format!("{:.1}s", time.as_secs_f64()),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
    }
}

/// An amount of data for people: `999 B`, `3.4 MB`.
pub(crate) fn bytes(amount: u64) -> String {
    let units = ["kB", "MB", "GB", "TB"];
    if amount < 1000 {
        return format!("{amount} B");
    }
    let mut scaled = amount as f64 / 1000.0;
    let mut unit = 0;
    while scaled >= 999.95 && unit + 1 < units.len() {
        scaled /= 1000.0;
        unit += 1;
    }
    format!("{scaled:.1} {}", units[unit])
}

/// `1 layer`, `2 layers`.
pub(super) fn count(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

/// The text without anything that could move the cursor, change colours or otherwise act on a terminal.
pub(crate) fn plain_text(text: &str) -> String {
    // Most lines are plain already, and a build has many.
    if text.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\u{1b}' => match chars.next() {
                // A control sequence ends with a letter or one of a few signs.
                Some('[') => while chars.next().is_some_and(|c| !('@'..='~').contains(&c)) {},
                // An operating system command ends with BEL or ESC \.
                Some(']') => {
                    while let Some(c) = chars.next() {
                        if c == '\u{7}' || (c == '\u{1b}' && chars.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                _ => {}
            },
            '\t' => out.push_str("    "),
            c if c.is_control() => {}
            c => out.push(c),
        }
    }
    out
}

/// The first `width` characters, with a mark if some are missing.
pub(super) fn fit(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    let mut out: String = text.chars().take(width.saturating_sub(1)).collect();
    out.push('…');
    out
}

/// The first line, for names that may hold a script.
pub(super) fn one_line(text: &str) -> String {
    let mut lines = text
        .lines()
        .map(str::trim_end)
        .filter(|line| !line.trim().is_empty());
    let first = plain_text(lines.next().unwrap_or_default());
    if lines.next().is_some() {
        first + " …"
    } else {
        first
    }
}

/// Cuts a stream of bytes into lines.
#[derive(Debug, Default)]
pub(super) struct Lines {
    partial: Vec<u8>,
}

impl Lines {
    /// Longest line that is waited for.
    const LIMIT: usize = 16 * 1024;

    /// Takes bytes and gives the lines that they complete, fit for a terminal.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<String> {
        let mut lines = Vec::new();
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.partial.extend_from_slice(part);
            if part.ends_with(b"\n") || self.partial.len() > Self::LIMIT {
                lines.extend(self.rest());
            }
        }
        lines
    }

    /// What is left without an end of line.
    pub(super) fn rest(&mut self) -> Option<String> {
        let bytes = std::mem::take(&mut self.partial);
        if bytes.is_empty() {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let text = text.trim_end_matches(['\n', '\r']);
        // Progress bars write over their line again and again; the last state is what counts.
        let text = text.rsplit('\r').next().unwrap_or_default();
        Some(plain_text(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_short() {
        for (ms, wanted) in [
            (0, "0.0s"),
            (123, "0.1s"),
            (59_900, "59.9s"),
            (125_000, "2m05s"),
            (3_720_000, "1h02m"),
        ] {
            assert_eq!(duration(Duration::from_millis(ms)), wanted);
        }
    }

    #[test]
    fn amounts_are_short() {
        for (amount, wanted) in [
            (0, "0 B"),
            (999, "999 B"),
            (3_400_000, "3.4 MB"),
            (999_999, "1.0 MB"),
            (12_000_000_000, "12.0 GB"),
        ] {
            assert_eq!(bytes(amount), wanted);
        }
    }

    #[test]
    fn nothing_acts_on_the_terminal() {
        for (text, wanted) in [
            ("\u{1b}[31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}x\u{1b}]8;;u\u{1b}\\y", "xy"),
            ("a\tb\u{8}c\u{7}", "a    bc"),
            ("\u{1b}", ""),
            ("über", "über"),
        ] {
            assert_eq!(plain_text(text), wanted);
        }
    }

    #[test]
    fn lines_are_put_together() {
        let mut lines = Lines::default();
        assert_eq!(lines.push(b"one\ntw"), ["one"]);
        assert_eq!(lines.push(b"o\r\n10%\r20%\nrest"), ["two", "20%"]);
        assert_eq!(lines.rest().as_deref(), Some("rest"));
        assert_eq!(lines.rest(), None);
    }
}
