//! The command line as `clap` knows it, made from the tables of [`super::command`] and [`super::flag`].
//!
//! `clap` reads the fixed part of the line and writes its help: global flags, the command's name, its own flags and words.
//! What follows `call`, `functions` of a module and the like depends on types that are loaded later; there the tables
//! are used directly, by [`super::flag::scan`] and [`crate::chain`].

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, ArgAction, ArgMatches};

use super::flag::{Flag, Scanned, Takes, boolean};
use super::{COMMANDS, Command, GLOBAL};
use crate::report::Failure;

/// Name of the argument that takes words that are no flags.
const WORDS: &str = "words";

const MAIN_HELP: &str = "{about}\n\nUsage: {name} [FLAGS] COMMAND\n\nCommands:\n{subcommands}\n\nFlags of every command:\n{options}{after-help}\n";
const COMMAND_HELP: &str = "{about}\n\nUsage: {usage}\n{after-help}\n\nFlags:\n{options}\n";

/// The whole command line, for help.
fn tree(program: &str) -> clap::Command {
    let command = |command: &Command| {
        let usage = format!("{program} {} {}", command.name, command.usage);
        clap::Command::new(command.name)
            .about(command.summary)
            .override_usage(usage.trim_end().to_owned())
            .after_help(command.details)
            .help_template(COMMAND_HELP)
            .disable_help_flag(true)
            .args(command.flags.iter().map(shown))
            .args(GLOBAL.iter().map(shown))
    };
    // It has two names at most, and clap wants one that lives.
    let name = if program == "dagger" {
        "dagger"
    } else {
        "nsci"
    };
    clap::Command::new(name)
        .about("CI/CD pipelines as code in containers, without Docker, root or a daemon")
        .help_template(MAIN_HELP)
        .after_help(format!("\n\n`{program} COMMAND --help` says more."))
        .disable_help_flag(true)
        .disable_help_subcommand(true)
        .args(GLOBAL.iter().map(shown))
        .subcommands(COMMANDS.iter().map(command))
}

/// What `--help` alone prints; `program` is the name the command was called by.
pub(crate) fn main_help(program: &str) -> String {
    tree(program).render_help().to_string()
}

/// What `COMMAND --help` prints.
pub(crate) fn command_help(program: &str, command: &Command) -> String {
    let mut tree = tree(program);
    match tree.find_subcommand_mut(command.name) {
        Some(command) => command.render_help().to_string(),
        None => tree.render_help().to_string(),
    }
}

/// Reads words up to the first that is no flag; the rest is left as it is.
///
/// # Errors
/// An unknown flag, a missing value, or a value where none belongs.
pub(super) fn leading(words: &[String], tables: &[&[Flag]]) -> Result<Scanned, Failure> {
    let found = read(words, tables, |rest| {
        rest.trailing_var_arg(true).allow_hyphen_values(true)
    })?;
    let flag_like = |word: &&String| word.starts_with('-') && word.len() > 1;
    let Some(first) = found.rest.first().filter(flag_like) else {
        return Ok(found);
    };
    // What begins like a flag is one, unless `--` says otherwise.
    let at = words.len() - found.rest.len();
    match at.checked_sub(1).map(|before| words[before].as_str()) {
        Some("--") => Ok(found),
        _ => {
            let flags: Vec<&Flag> = tables.iter().flat_map(|table| table.iter()).collect();
            Err(unknown(first.split('=').next().unwrap_or(first), &flags))
        }
    }
}

/// Reads all words.
///
/// # Errors
/// As [`leading`].
pub(super) fn whole(words: &[String], tables: &[&[Flag]]) -> Result<Scanned, Failure> {
    read(words, tables, |rest| rest)
}

fn read(
    words: &[String],
    tables: &[&[Flag]],
    rest: impl FnOnce(Arg) -> Arg,
) -> Result<Scanned, Failure> {
    let flags: Vec<&Flag> = tables.iter().flat_map(|table| table.iter()).collect();
    let rest = rest(Arg::new(WORDS).num_args(0..).action(ArgAction::Append));
    let command = clap::Command::new("nsci")
        .no_binary_name(true)
        .disable_help_flag(true)
        .disable_version_flag(true)
        .args_override_self(true)
        .args(flags.iter().map(|flag| arg(flag)))
        .arg(rest);
    let matches = command
        .try_get_matches_from(words)
        .map_err(|error| refused(&error, &flags))?;
    scanned(&matches, &flags)
}

fn arg(flag: &Flag) -> Arg {
    let arg = Arg::new(flag.long)
        .long(flag.long)
        .help(flag.doc)
        .hide(flag.doc.is_empty())
        .aliases(flag.aliases.iter().copied());
    let arg = match flag.short {
        Some(letter) => arg.short(letter),
        None => arg,
    };
    match flag.takes {
        Takes::Value(what) => arg
            .action(ArgAction::Append)
            .value_name(if what.is_empty() { "VALUE" } else { what })
            .allow_hyphen_values(true),
        Takes::Count => arg.action(ArgAction::Count),
        Takes::Nothing => arg
            .action(ArgAction::Append)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true),
    }
}

/// A flag as help has it: that switches may also be given a value goes without saying.
fn shown(flag: &Flag) -> Arg {
    match flag.takes {
        Takes::Nothing => arg(flag)
            .num_args(0)
            .require_equals(false)
            .default_missing_value(None)
            .hide_possible_values(false)
            .action(ArgAction::SetTrue),
        _ => arg(flag),
    }
}

fn scanned(matches: &ArgMatches, flags: &[&Flag]) -> Result<Scanned, Failure> {
    let mut found = Scanned::default();
    for flag in flags {
        if let Takes::Count = flag.takes {
            let count = usize::from(matches.get_count(flag.long));
            found
                .flags
                .extend(std::iter::repeat_n((flag.long, "true".to_owned()), count));
            continue;
        }
        for value in matches.get_many::<String>(flag.long).into_iter().flatten() {
            let value = match flag.takes {
                Takes::Nothing => boolean(&format!("--{}={value}", flag.long), value)?.to_string(),
                _ => value.clone(),
            };
            found.flags.push((flag.long, value));
        }
    }
    let rest = matches.get_many::<String>(WORDS).into_iter().flatten();
    found.rest = rest.cloned().collect();
    Ok(found)
}

/// What `clap` found wrong, in the words of this command.
fn refused(error: &clap::Error, flags: &[&Flag]) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => text.clone(),
        Some(ContextValue::Strings(texts)) => texts.first().cloned().unwrap_or_default(),
        _ => String::new(),
    };
    let given = text(ContextKind::InvalidArg);
    let flag = given
        .split([' ', '='])
        .next()
        .unwrap_or_default()
        .to_owned();
    match error.kind() {
        ErrorKind::UnknownArgument => unknown(&flag, flags),
        ErrorKind::InvalidValue | ErrorKind::NoEquals | ErrorKind::WrongNumberOfValues
            if text(ContextKind::InvalidValue).is_empty() =>
        {
            Failure::usage(format!("flag needs a value: {flag}"))
        }
        ErrorKind::TooManyValues => Failure::usage(format!(
            "{flag} takes no value: {}",
            text(ContextKind::InvalidValue)
        )),
        _ => Failure::usage(
            error
                .to_string()
                .trim()
                .trim_start_matches("error: ")
                .to_owned(),
        ),
    }
}

fn unknown(flag: &str, flags: &[&Flag]) -> Failure {
    let failure = Failure::usage(format!("unknown flag: {flag}"));
    let known = flags
        .iter()
        .filter(|flag| !flag.doc.is_empty())
        .map(|flag| flag.long);
    match super::nearest(flag.trim_start_matches('-'), known) {
        Some(near) => failure.hint(format!("did you mean `--{near}`?")),
        None => failure,
    }
}
