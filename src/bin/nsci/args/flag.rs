//! Flags as data: one table entry serves the parser and the help.

use std::collections::VecDeque;

use crate::report::Failure;

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    /// Nothing, or `=true` and `=false`.
    Nothing,
    /// Nothing; each time counts.
    Count,
    /// One value; the word is for the help.
    Value(&'static str),
}

/// One flag.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flag {
    /// Name after `--`, and the key of what was given.
    pub(crate) long: &'static str,
    /// Other names after `--`.
    pub(crate) aliases: &'static [&'static str],
    /// Letter after `-`.
    pub(crate) short: Option<char>,
    /// What it takes.
    pub(crate) takes: Takes,
    /// Help; empty for flags that are accepted without being advertised.
    pub(crate) doc: &'static str,
}

impl Flag {
    /// A flag without value.
    pub(crate) const fn switch(long: &'static str, doc: &'static str) -> Self {
        Self {
            long,
            aliases: &[],
            short: None,
            takes: Takes::Nothing,
            doc,
        }
    }

    /// A flag with a value.
    pub(crate) const fn value(long: &'static str, what: &'static str, doc: &'static str) -> Self {
        Self {
            long,
            aliases: &[],
            short: None,
            takes: Takes::Value(what),
            doc,
        }
    }

    /// A flag that counts.
    pub(crate) const fn count(long: &'static str, doc: &'static str) -> Self {
        Self {
            long,
            aliases: &[],
            short: None,
            takes: Takes::Count,
            doc,
        }
    }

    /// The same with a letter.
    pub(crate) const fn short(mut self, letter: char) -> Self {
        self.short = Some(letter);
        self
    }

    /// The same with other names.
    pub(crate) const fn aliases(mut self, aliases: &'static [&'static str]) -> Self {
        self.aliases = aliases;
        self
    }

    fn is_called(&self, name: &str) -> bool {
        self.long == name || self.aliases.contains(&name)
    }
}

/// A flag that was given, with its value if it takes one.
pub(crate) type Given = (&'static str, String);

/// How far a scan goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scan {
    /// Through everything; unknown flags are refused.
    Whole,
    /// Up to the first word that is no flag; unknown flags are refused.
    Leading,
    /// Through everything; unknown flags are left where they are.
    Known,
}

/// What a scan found.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Scanned {
    /// Known flags in order.
    pub(crate) flags: Vec<Given>,
    /// Everything else in order.
    pub(crate) rest: Vec<String>,
}

impl Scanned {
    /// The last value given for a flag.
    pub(crate) fn last(&self, long: &str) -> Option<&str> {
        self.flags
            .iter()
            .rev()
            .find(|(name, _)| *name == long)
            .map(|(_, value)| value.as_str())
    }

    /// Every value given for a flag.
    pub(crate) fn all(&self, long: &str) -> Vec<&str> {
        let of_flag = self.flags.iter().filter(|(name, _)| *name == long);
        of_flag.map(|(_, value)| value.as_str()).collect()
    }

    /// Whether a switch is on.
    pub(crate) fn on(&self, long: &str) -> bool {
        self.last(long) == Some("true")
    }

    /// How often a counting flag was given.
    pub(crate) fn count(&self, long: &str) -> u8 {
        u8::try_from(
            self.all(long)
                .iter()
                .filter(|value| **value == "true")
                .count(),
        )
        .unwrap_or(u8::MAX)
    }
}

/// One token of a command line, as far as it can be told without knowing flags.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// `--`.
    End,
    /// `--name` or `--name=value`.
    Long(&'a str, Option<&'a str>),
    /// `-abc`.
    Short(&'a str),
    /// Anything else.
    Word(&'a str),
}

/// Reads a token.
pub(crate) fn token(text: &str) -> Token<'_> {
    match text.strip_prefix("--") {
        Some("") => Token::End,
        Some(rest) => match rest.split_once('=') {
            Some((name, value)) => Token::Long(name, Some(value)),
            None => Token::Long(rest, None),
        },
        None => match text.strip_prefix('-') {
            Some(letters)
                if !letters.is_empty() && !letters.starts_with(|c: char| c.is_ascii_digit()) =>
            {
                Token::Short(letters)
            }
            _ => Token::Word(text),
        },
    }
}

/// Finds the flags of `tables` in `args`.
///
/// # Errors
/// An unknown flag where it is refused, a missing value, or a value where none belongs.
pub(crate) fn scan(args: &[String], tables: &[&[Flag]], how: Scan) -> Result<Scanned, Failure> {
    let mut found = Scanned::default();
    let mut queue: VecDeque<&String> = args.iter().collect();
    while let Some(text) = queue.pop_front() {
        match take(text, &mut queue, tables, &mut found.flags)? {
            Taken::Known => {}
            Taken::End => {
                // What stands behind `--` is the command's own; it needs the mark to see that.
                if how == Scan::Known {
                    found.rest.push(text.clone());
                }
                found.rest.extend(queue.drain(..).cloned());
            }
            Taken::Unknown if how == Scan::Known => found.rest.push(text.clone()),
            Taken::Unknown => return Err(unknown(text, tables)),
            Taken::Word => {
                found.rest.push(text.clone());
                if how == Scan::Leading {
                    found.rest.extend(queue.drain(..).cloned());
                }
            }
        }
    }
    Ok(found)
}

/// What became of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Taken {
    /// It was a flag of the tables.
    Known,
    /// It was `--`.
    End,
    /// It looks like a flag, but none of the tables.
    Unknown,
    /// It is no flag.
    Word,
}

/// Takes one token, and its value from `queue`, if it is a flag of the tables.
///
/// # Errors
/// A missing value, or a value where none belongs.
pub(crate) fn take(
    text: &str,
    queue: &mut VecDeque<&String>,
    tables: &[&[Flag]],
    into: &mut Vec<Given>,
) -> Result<Taken, Failure> {
    match token(text) {
        Token::End => Ok(Taken::End),
        Token::Word(_) => Ok(Taken::Word),
        Token::Long(name, value) => {
            let Some(flag) = find(tables, |flag| flag.is_called(name)) else {
                return Ok(Taken::Unknown);
            };
            let value = match (flag.takes, value) {
                (Takes::Value(_), Some(value)) => value.to_owned(),
                (Takes::Value(_), None) => next(queue, text)?,
                (_, None) => "true".to_owned(),
                (_, Some(value)) => boolean(text, value)?.to_string(),
            };
            into.push((flag.long, value));
            Ok(Taken::Known)
        }
        Token::Short(letters) => cluster(text, letters, queue, tables, into),
    }
}

fn cluster(
    text: &str,
    letters: &str,
    queue: &mut VecDeque<&String>,
    tables: &[&[Flag]],
    into: &mut Vec<Given>,
) -> Result<Taken, Failure> {
    let mut given = Vec::new();
    for (at, letter) in letters.char_indices() {
        let Some(flag) = find(tables, |flag| flag.short == Some(letter)) else {
            return Ok(Taken::Unknown);
        };
        if matches!(flag.takes, Takes::Value(_)) {
            let rest = &letters[at + letter.len_utf8()..];
            let value = match rest {
                "" => next(queue, text)?,
                rest => rest.strip_prefix('=').unwrap_or(rest).to_owned(),
            };
            given.push((flag.long, value));
            break;
        }
        given.push((flag.long, "true".to_owned()));
    }
    into.extend(given);
    Ok(Taken::Known)
}

fn find<'a>(tables: &[&'a [Flag]], wanted: impl Fn(&Flag) -> bool) -> Option<&'a Flag> {
    tables
        .iter()
        .flat_map(|table| table.iter())
        .find(|flag| wanted(flag))
}

fn next(queue: &mut VecDeque<&String>, flag: &str) -> Result<String, Failure> {
    queue
        .pop_front()
        .cloned()
        .ok_or_else(|| Failure::usage(format!("flag needs a value: {flag}")))
}

/// Reads the value of a switch.
///
/// # Errors
/// If it is neither true nor false.
pub(crate) fn boolean(flag: &str, value: &str) -> Result<bool, Failure> {
    match value.to_ascii_lowercase().as_str() {
        "true" | "t" | "1" | "yes" => Ok(true),
        "false" | "f" | "0" | "no" => Ok(false),
        _ => Err(Failure::usage(format!(
            "`{value}` is neither true nor false: {flag}"
        ))),
    }
}

fn unknown(text: &str, tables: &[&[Flag]]) -> Failure {
    let shown = text.split('=').next().unwrap_or(text);
    let names = tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|flag| !flag.doc.is_empty());
    let near = nearest(shown.trim_start_matches('-'), names.map(|flag| flag.long));
    let failure = Failure::usage(format!("unknown flag: {shown}"));
    match near {
        Some(name) => failure.hint(format!("did you mean `--{name}`?")),
        None => failure,
    }
}

/// The known name most like `wanted`, if one is alike enough to be meant.
pub(crate) fn nearest<'a>(
    wanted: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let far = wanted.chars().count().div_ceil(3).max(1);
    known
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(wanted, name), name))
        .filter(|(distance, _)| *distance <= far)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}
