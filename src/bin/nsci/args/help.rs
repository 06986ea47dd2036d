//! Tables of names and what they are for, as help shows them.

use super::flag::{Flag, Takes};

/// The advertised flags of a table.
pub(crate) fn flag_table(flags: &[Flag]) -> String {
    table(
        flags
            .iter()
            .filter(|flag| !flag.doc.is_empty())
            .map(|flag| {
                let letter = flag
                    .short
                    .map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
                let value = match flag.takes {
                    Takes::Value(what) => format!(" {what}"),
                    _ => String::new(),
                };
                (
                    format!("{letter}--{}{value}", flag.long),
                    flag.doc.to_owned(),
                )
            }),
    )
}

/// Two columns, the first as wide as its widest entry; further lines of the second are aligned.
pub(crate) fn table(rows: impl IntoIterator<Item = (String, String)>) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let width = rows
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    for (left, right) in rows {
        for (number, line) in right.split('\n').enumerate() {
            let left = if number == 0 { left.as_str() } else { "" };
            let text = format!("  {left:width$}   {line}");
            out.push_str(text.trim_end());
            out.push('\n');
        }
    }
    out
}
