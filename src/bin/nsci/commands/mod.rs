//! The commands, one file each, and the way from a command line to an exit code.

mod cache;
mod call;
mod completion;
mod core;
mod coverage;
mod debug;
mod develop;
mod docs;
mod doctor;
mod functions;
mod image;
mod init;
mod install;
mod marked;
mod modules;
mod query;
mod run;
mod session;

use std::io::{self, Write as _};
use std::path::Path;

use nsci::module::Role;

use crate::app::{self, Signals};
use crate::args::{self, Command, Globals, ImageVerb, LowArgs, ToolchainVerb, Verb};
use crate::exit_code::Exit;
use crate::output::Output;
use crate::report::Failure;
use crate::settings::{Settings, Surroundings};
use crate::shell;

/// Does what a command line asks; `program` is how the command was called.
pub(crate) fn main(program: &str, words: &[String]) -> Exit {
    let program = program_name(program);
    let (failure, output_shown) = match dispatch(program, words) {
        Ok(output) => match output.print() {
            Ok(()) => return Exit::Done,
            Err(failure) => (failure, false),
        },
        Err(failed) => failed,
    };
    // With standard error gone the exit code has to say it all.
    io::stderr()
        .write_all(failure.text(output_shown).as_bytes())
        .ok();
    failure.exit()
}

/// What the command calls itself in help: `dagger` if it was called so.
fn program_name(path: &str) -> &'static str {
    match Path::new(path).file_name().and_then(|name| name.to_str()) {
        Some("dagger") => "dagger",
        _ => "nsci",
    }
}

/// A command that failed, and whether the output of the step that failed was shown.
type Failed = (Failure, bool);

fn dispatch(program: &str, words: &[String]) -> Result<Output, Failed> {
    let alone = |failure| (failure, false);
    let LowArgs { globals, verb } = args::parse(words).map_err(alone)?;
    let settings = |globals: &Globals| {
        Surroundings::read()
            .and_then(|around| Settings::new(globals, around))
            .map_err(alone)
    };
    match verb {
        Verb::Version => Ok(Output::text(version())),
        Verb::Help(None) => Ok(Output::text(args::main_help(program))),
        Verb::Help(Some(command)) => Ok(help(program, command)),
        Verb::Init {
            sdk,
            blueprint,
            include,
            name,
            source,
            directory,
        } => {
            let settings = settings(&globals)?;
            let new = init::New {
                name,
                source,
                directory,
                include,
            };
            match (sdk, blueprint) {
                (Some(sdk), _) => init::init(&settings, &sdk, &new).map_err(alone),
                (None, blueprint) => {
                    let blueprint = blueprint.unwrap_or_default();
                    app::run(program, &globals, Signals::Cancel, move |app| {
                        init::from_blueprint(app, blueprint, new)
                    })
                }
            }
        }
        Verb::Doctor { json } => {
            let settings = settings(&globals)?;
            doctor::doctor(&settings, json).map_err(alone)
        }
        Verb::Cache(verb) => {
            let settings = settings(&globals)?;
            cache::cache(program, &settings, verb).map_err(alone)
        }
        Verb::Image(ImageVerb::Help) => {
            let command = args::COMMANDS
                .iter()
                .find(|command| command.name == "image");
            Ok(command.map_or_else(Output::default, |command| help(program, command)))
        }
        Verb::Image(verb) => app::run(program, &globals, Signals::Cancel, |app| {
            image::image(app, verb)
        }),
        Verb::Call(words) => app::run(program, &globals, Signals::Cancel, |app| {
            call::call(app, words)
        }),
        Verb::Core { coverage: true, .. } => coverage::coverage().map_err(alone),
        Verb::Core { docs: true, .. } => docs::docs().map_err(alone),
        Verb::Core { words, .. } => app::run(program, &globals, Signals::Cancel, |app| {
            core::core(app, words)
        }),
        Verb::Install { references, name } => {
            app::run(program, &globals, Signals::Cancel, move |app| {
                install::install(app, Role::Dependency, references, name)
            })
        }
        Verb::Uninstall(names) => {
            app::run(program, &globals, Signals::Cancel, move |app| async move {
                install::uninstall(&app, Role::Dependency, &names)
            })
        }
        Verb::Update(names) => app::run(program, &globals, Signals::Cancel, move |app| {
            install::update(app, &Role::ALL, names)
        }),
        Verb::Toolchain(ToolchainVerb::Help) => {
            let command = args::COMMANDS
                .iter()
                .find(|command| command.name == "toolchain");
            Ok(command.map_or_else(Output::default, |command| help(program, command)))
        }
        Verb::Toolchain(verb) => app::run(program, &globals, Signals::Cancel, move |app| {
            install::toolchain(app, verb)
        }),
        Verb::Develop { sdk, source } => app::run(program, &globals, Signals::Cancel, move |app| {
            develop::develop(app, sdk, source)
        }),
        Verb::Modules { json } => app::run(program, &globals, Signals::Cancel, move |app| {
            modules::modules(app, json)
        }),
        Verb::Config { json } => app::run(program, &globals, Signals::Cancel, move |app| {
            modules::config(app, json)
        }),
        Verb::Marked {
            kind,
            patterns,
            list,
            fail_fast,
        } => app::run(program, &globals, Signals::Cancel, move |app| {
            marked::marked(app, kind, patterns, list, fail_fast)
        }),
        Verb::Shell { code, files } => {
            let globals = lines_instead_of_tty(globals);
            let source = match (code, files.is_empty()) {
                (Some(text), _) => shell::Source::Text(text),
                (None, false) => shell::Source::Files(files),
                (None, true) => shell::Source::Input,
            };
            app::run(program, &globals, Signals::Cancel, move |app| {
                shell::shell(app, source)
            })
        }
        Verb::Completion(shell) => completion::script(program, &shell).map_err(alone),
        Verb::Complete(words) => complete(program, globals, words),
        Verb::Functions { path, json } => {
            app::run(program, &globals, Signals::Cancel, move |app| {
                functions::functions(app, path, json)
            })
        }
        Verb::Query {
            text,
            doc,
            vars,
            vars_json,
        } => {
            let document = query::Document {
                text,
                doc,
                vars,
                vars_json,
            };
            app::run(program, &globals, Signals::Cancel, move |app| {
                query::query(app, document)
            })
        }
        Verb::Debug {
            step,
            list,
            json,
            cmd,
        } => {
            let wanted = debug::Wanted {
                step,
                list,
                json,
                cmd,
            };
            app::run(program, &globals, Signals::Cancel, move |app| {
                debug::debug(app, wanted)
            })
        }
        Verb::Run { command, cleanup } => {
            let globals = lines_instead_of_tty(globals);
            app::run(program, &globals, Signals::Own, move |app| {
                run::run(app, command, cleanup)
            })
        }
        Verb::Session { labels } => {
            let globals = lines_instead_of_tty(globals);
            app::run(program, &globals, Signals::Own, move |app| {
                session::session(app, labels)
            })
        }
    }
}

/// Answers a completion script. What is wrong with an unfinished line is nobody's business.
fn complete(program: &str, globals: Globals, words: Vec<String>) -> Result<Output, Failed> {
    if let Some(output) = completion::fixed(&words) {
        return Ok(output);
    }
    let finished = words.split_last().map_or(&[][..], |(_, before)| before);
    let globals = Globals {
        silent: true,
        ..args::globals(finished).unwrap_or(globals)
    };
    app::run(program, &globals, Signals::Cancel, move |app| {
        completion::complete(app, words)
    })
}

fn help(program: &str, command: &'static Command) -> Output {
    Output::text(args::command_help(program, command))
}

/// Somebody else writes to the terminal too, so a live view would be in the way unless it was asked for.
fn lines_instead_of_tty(mut globals: Globals) -> Globals {
    if globals
        .progress
        .as_deref()
        .is_none_or(|mode| mode == "auto")
    {
        globals.progress = Some("plain".into());
    }
    globals
}

fn version() -> String {
    let platform = nsci::source::Platform::host();
    format!("nsci v{} {platform}\n", env!("CARGO_PKG_VERSION"))
}
