//! Names of stop signals, as images declare them.

/// Signals by name, without `SIG`, with their numbers on Linux.
const NAMES: [(&str, i32); 31] = [
    ("HUP", 1),
    ("INT", 2),
    ("QUIT", 3),
    ("ILL", 4),
    ("TRAP", 5),
    ("ABRT", 6),
    ("BUS", 7),
    ("FPE", 8),
    ("KILL", 9),
    ("USR1", 10),
    ("SEGV", 11),
    ("USR2", 12),
    ("PIPE", 13),
    ("ALRM", 14),
    ("TERM", 15),
    ("STKFLT", 16),
    ("CHLD", 17),
    ("CONT", 18),
    ("STOP", 19),
    ("TSTP", 20),
    ("TTIN", 21),
    ("TTOU", 22),
    ("URG", 23),
    ("XCPU", 24),
    ("XFSZ", 25),
    ("VTALRM", 26),
    ("PROF", 27),
    ("WINCH", 28),
    ("IO", 29),
    ("PWR", 30),
    ("SYS", 31),
];
/// SIGTERM.
pub const TERM: i32 = 15;
/// SIGKILL.
pub const KILL: i32 = 9;

/// The number of a signal written as `SIGINT`, `int`, `2` or `SIGRTMIN+3`; SIGTERM for what names none.
pub fn number(text: &str) -> i32 {
    let text = text.trim().to_ascii_uppercase();
    let name = text.strip_prefix("SIG").unwrap_or(&text);
    let real_time = || {
        let offset = name.strip_prefix("RTMIN")?;
        let offset: i32 = match offset {
            "" => 0,
            offset => offset.strip_prefix('+')?.parse().ok()?,
        };
        (0..=30).contains(&offset).then_some(34 + offset)
    };
    let numeric = name.parse().ok().filter(|number| (1..=64).contains(number));
    let named = NAMES.iter().find(|(known, _)| *known == name);
    numeric
        .or(named.map(|(_, number)| *number))
        .or_else(real_time)
        .unwrap_or(TERM)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signals_are_read_in_every_spelling() {
        for (text, wanted) in [
            ("SIGINT", 2),
            ("int", 2),
            ("2", 2),
            ("SIGQUIT", 3),
            ("SIGRTMIN+3", 37),
            ("RTMIN", 34),
            ("", TERM),
            ("0", TERM),
            ("99", TERM),
            ("SIGNONSENSE", TERM),
            ("RTMIN+99", TERM),
        ] {
            assert_eq!(number(text), wanted, "{text:?}");
        }
    }
}
