//! Help of the command and its sub-commands, from the tables the parser uses.

use std::fmt::Write as _;

use super::flag::{Flag, Takes};
use super::{COMMANDS, Command, GLOBAL};

/// What `--help` alone prints; `program` is the name the command was called by.
pub(crate) fn main_help(program: &str) -> String {
    let mut out = format!(
        "CI/CD pipelines as code in containers, without Docker, root or a daemon\n\n\
         Usage: {program} [FLAGS] COMMAND\n\nCommands:\n"
    );
    let rows = COMMANDS
        .iter()
        .map(|command| (command.name.to_owned(), command.summary.to_owned()));
    out.push_str(&table(rows));
    out.push_str("\nFlags of every command:\n");
    out.push_str(&flag_table(GLOBAL));
    _ = write!(out, "\n`{program} COMMAND --help` says more.\n");
    out
}

/// What `COMMAND --help` prints.
pub(crate) fn command_help(program: &str, command: &Command) -> String {
    let mut out = format!("{}\n\nUsage: {program} {}", command.summary, command.name);
    if !command.usage.is_empty() {
        _ = write!(out, " {}", command.usage);
    }
    out.push('\n');
    if !command.details.is_empty() {
        _ = writeln!(out, "\n{}", command.details);
    }
    if !command.flags.is_empty() {
        out.push_str("\nFlags:\n");
        out.push_str(&flag_table(command.flags));
    }
    out.push_str("\nFlags of every command:\n");
    out.push_str(&flag_table(GLOBAL));
    out
}

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
