//! Durations as Go and Docker write them. Pure.

/// Reads a duration as Go writes it, such as `1m30s`: nanoseconds.
pub fn nanoseconds(text: &str) -> Option<u64> {
    let mut total = 0.0_f64;
    let mut rest = text;
    if rest == "0" {
        return Some(0);
    }
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at(end);
        let unit_end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        let scale = match unit {
            "ns" => 1.0,
            "us" | "µs" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 60e9,
            "h" => 3600e9,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * scale;
        rest = after;
    }
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and checked against the largest duration of Go"
    )]
    (!text.is_empty() && total < 9.2e18).then_some(total as u64)
}

/// Writes nanoseconds as Go does.
pub fn duration_text(nanoseconds: u64) -> String {
    let (seconds, rest) = (nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
    if seconds == 0 && rest > 0 {
        let (unit, name) = match rest {
            0..1_000 => (1, "ns"),
            1_000..1_000_000 => (1_000, "µs"),
            _ => (1_000_000, "ms"),
        };
        return format!("{}{name}", decimal(rest / unit, rest % unit, unit));
    }
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let mut text = String::new();
    if hours > 0 {
        text += &format!("{hours}h");
    }
    if seconds >= 60 {
        text += &format!("{minutes}m");
    }
    text + &decimal(seconds % 60, rest, 1_000_000_000) + "s"
}

/// A number with the part behind its point, which is in parts of `one`.
fn decimal(whole: u64, part: u64, one: u64) -> String {
    if part == 0 {
        return whole.to_string();
    }
    let digits = one.ilog10() as usize;
    let part = format!("{part:0digits$}");
    format!("{whole}.{}", part.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, wanted) in [
            ("0s", 0),
            ("30s", 30_000_000_000),
            ("1m30s", 90_000_000_000),
            ("1h0m0s", 3_600_000_000_000),
            ("500ms", 500_000_000),
            ("1.5s", 1_500_000_000),
            ("1.5ms", 1_500_000),
            ("7ns", 7),
        ] {
            assert_eq!(nanoseconds(text), Some(wanted), "{text}");
            assert_eq!(duration_text(wanted), text);
        }
        for wrong in ["", "5", "s", "1x", "-1s"] {
            assert_eq!(nanoseconds(wrong), None, "{wrong}");
        }
    }
}
