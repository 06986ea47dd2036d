//! The command line as it was typed: [`LowArgs`].
//!
//! First of two stages. `clap` reads the fixed part ([`tree`]); what follows `call` and `core` is scanned by the same
//! tables ([`flag`]). Knows which commands and flags there are, not what their values are good for and
//! nothing of the environment; [`crate::settings`] makes usable values of it. The flags of a module's
//! functions are read later, by [`crate::chain`].

mod command;
pub(crate) mod flag;
mod help;
mod image;
mod toolchain;
mod tree;

pub(crate) use command::{CHAIN_FLAGS, COMMANDS, CacheVerb, Command, Verb};
pub(crate) use help::{flag_table, table};
pub(crate) use image::ImageVerb;
pub(crate) use toolchain::ToolchainVerb;
pub(crate) use tree::{command_help, main_help};

use crate::report::Failure;
use flag::{Flag, Scan, Scanned, nearest, scan};

/// Flags that every command takes, anywhere on the command line.
pub(crate) const GLOBAL: &[Flag] = &[
    Flag::value(
        "mod",
        "REF",
        "Module to use: a directory, or github.com/OWNER/REPO/PATH@VERSION",
    )
    .short('m')
    .aliases(&["module", "load-module"]),
    Flag::value(
        "progress",
        "MODE",
        "How progress is shown: auto, tty, plain or json",
    ),
    Flag::count(
        "verbose",
        "Show more: -v internal steps too, -vv logs of finished steps",
    )
    .short('v'),
    Flag::count("quiet", "Show less: -q no step logs, -qq only failures").short('q'),
    Flag::switch("silent", "Show no progress at all").short('s'),
    Flag::switch("debug", "Show everything, as -vvv").short('d'),
    Flag::value(
        "workdir",
        "DIR",
        "Directory to work in instead of the current one",
    ),
    Flag::value(
        "compat",
        "VERSION",
        "Behave as the API did in this version, such as v0.18",
    ),
    Flag::switch(
        "interactive",
        "Open a shell in a step that fails, as it left everything",
    )
    .short('i'),
    Flag::value("interactive-command", "CMD", "Shell for --interactive (sh)"),
    Flag::switch("help", "Show help").short('h'),
    // Accepted so that command lines written for other versions run; they change nothing here.
    Flag::switch("no-mod", "")
        .short('M')
        .aliases(&["no-load-module"]),
    Flag::switch("no-exit", "").short('E'),
    Flag::switch("web", "").short('w'),
    Flag::switch("auto-apply", "").short('y'),
    Flag::switch("focus", ""),
    Flag::switch("eager-runtime", ""),
    Flag::value("workspace", "", "").short('W'),
    Flag::value("cloud", "", ""),
    Flag::value("lock", "", ""),
    Flag::value("allow-llm", "", ""),
    Flag::value("dot-output", "", ""),
    Flag::value("cpuprofile", "", ""),
    Flag::value("pprof", "", ""),
];

/// What the flags that every command takes say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Globals {
    /// `-m`.
    pub(crate) module: Option<String>,
    /// `-M`.
    pub(crate) no_module: bool,
    /// `--progress`.
    pub(crate) progress: Option<String>,
    /// `-v`, counted; `--debug` counts three.
    pub(crate) verbose: u8,
    /// `-q`, counted.
    pub(crate) quiet: u8,
    /// `-s`.
    pub(crate) silent: bool,
    /// `--workdir`.
    pub(crate) workdir: Option<String>,
    /// `--compat`.
    pub(crate) compat: Option<String>,
    /// `-i`.
    pub(crate) interactive: bool,
    /// `--interactive-command`.
    pub(crate) interactive_command: Option<String>,
    /// `--help`.
    pub(crate) help: bool,
}

impl Globals {
    fn add(&mut self, scanned: &Scanned) {
        let text = |name: &str| scanned.last(name).map(str::to_owned);
        self.module = text("mod").or(self.module.take());
        self.no_module |= scanned.on("no-mod");
        self.progress = text("progress").or(self.progress.take());
        self.workdir = text("workdir").or(self.workdir.take());
        self.compat = text("compat").or(self.compat.take());
        let debug = if scanned.on("debug") { 3 } else { 0 };
        self.verbose = self
            .verbose
            .saturating_add(scanned.count("verbose"))
            .max(debug);
        self.quiet = self.quiet.saturating_add(scanned.count("quiet"));
        self.silent |= scanned.on("silent");
        self.interactive |= scanned.on("interactive");
        let shell = text("interactive-command");
        self.interactive_command = shell.or(self.interactive_command.take());
        self.help |= scanned.on("help");
    }
}

/// A command line.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LowArgs {
    /// What every command takes.
    pub(crate) globals: Globals,
    /// What to do.
    pub(crate) verb: Verb,
}

/// Name of the command that completion scripts ask.
pub(crate) const COMPLETE: &str = "__complete";

/// Reads a command line without the program's name.
///
/// # Errors
/// What a user got wrong, with a hint where one is near.
pub(crate) fn parse(args: &[String]) -> Result<LowArgs, Failure> {
    let mut globals = Globals::default();
    // Asked by completion scripts; what follows is unfinished and read leniently.
    if let Some((first, rest)) = args.split_first()
        && first == COMPLETE
    {
        return Ok(LowArgs {
            globals,
            verb: Verb::Complete(rest.to_vec()),
        });
    }
    let version = [Flag::switch("version", "Show the version").short('V')];
    let leading = tree::leading(args, &[GLOBAL, &version])?;
    globals.add(&leading);
    if leading.on("version") {
        return Ok(LowArgs {
            globals,
            verb: Verb::Version,
        });
    }
    let Some((command, rest)) = find(&leading.rest)? else {
        return Ok(LowArgs {
            globals,
            verb: Verb::Help(None),
        });
    };
    let tables = [GLOBAL, command.flags];
    let scanned = match command.scan() {
        Scan::Whole => tree::whole(&rest, &tables)?,
        Scan::Leading => tree::leading(&rest, &tables)?,
        // The flags of functions are not known yet; those that are known may stand anywhere among them.
        Scan::Known => scan(&rest, &tables, Scan::Known)?,
    };
    globals.add(&scanned);
    if globals.help && !command.is_dynamic() {
        return Ok(LowArgs {
            globals,
            verb: Verb::Help(Some(command)),
        });
    }
    let verb = command.verb(&scanned, rest)?;
    Ok(LowArgs { globals, verb })
}

/// The flags that every command takes, among words of a line that is not finished.
pub(crate) fn globals(words: &[String]) -> Option<Globals> {
    let scanned = scan(words, &[GLOBAL], Scan::Known).ok()?;
    let mut globals = Globals::default();
    globals.add(&scanned);
    Some(globals)
}

/// The command the words begin with, and what follows it.
fn find(words: &[String]) -> Result<Option<(&'static Command, Vec<String>)>, Failure> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(None);
    };
    // Groups that older and newer command lines put in front; the commands are the same.
    if matches!(first.as_str(), "mod" | "module" | "api")
        && rest.first().is_some_and(|second| by_name(second).is_some())
    {
        return find(rest);
    }
    if first == "help" {
        let Some(name) = rest.first() else {
            return Ok(None);
        };
        let command = by_name(name).ok_or_else(|| unknown(name))?;
        // `help x` is `x --help`.
        return Ok(Some((command, vec!["--help".to_owned()])));
    }
    // Older command lines group and name some commands otherwise.
    let older = match (first.as_str(), rest.first().map(String::as_str)) {
        ("mod" | "module", Some("use")) => Some("install"),
        ("mod" | "module", Some("sync")) => Some("develop"),
        _ => None,
    };
    if let Some(command) = older.and_then(by_name) {
        return Ok(Some((command, rest[1..].to_vec())));
    }
    if first == "use" {
        return Ok(by_name("install").map(|command| (command, rest.to_vec())));
    }
    by_name(first)
        .map(|command| Some((command, rest.to_vec())))
        .ok_or_else(|| unknown(first))
}

fn by_name(name: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.name == name)
}

fn unknown(name: &str) -> Failure {
    /// Commands of the original that have no counterpart here yet.
    const MISSING: [&str; 8] = [
        "agent", "client", "cloud", "engine", "listen", "login", "logout", "mcp",
    ];
    if MISSING.contains(&name) {
        return Failure::usage(format!("command `{name}` is not supported yet"));
    }
    let failure = Failure::usage(format!("unknown command `{name}`"));
    match nearest(name, COMMANDS.iter().map(|command| command.name)) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure.hint("`nsci --help` lists the commands"),
    }
}

#[cfg(test)]
mod tests;
