//! `nsci shell`: calls typed as pipelines, one at a time or from a text.
//!
//! [`syntax`] reads them, [`eval`] runs them and [`builtin`] has the shell's own commands.

mod builtin;
mod eval;
mod syntax;

use std::io::{self, IsTerminal as _, Read as _, Write as _};
use std::path::PathBuf;
use std::sync::Arc;

use rustyline::error::ReadlineError;
use tokio::sync::{mpsc, oneshot};

use crate::app::App;
use crate::output::Output;
use crate::report::Failure;
use eval::Shell;
use syntax::{Wrong, parse};

/// Where texts come from.
#[derive(Debug)]
pub(crate) enum Source {
    /// Given on the command line.
    Text(String),
    /// Files, one after the other.
    Files(Vec<String>),
    /// The terminal, or standard input.
    Input,
}

/// Runs the shell.
///
/// # Errors
/// The first failure of a text; those of typed lines are shown, and the shell goes on.
pub(crate) async fn shell(app: Arc<App>, source: Source) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = match (
        &app.settings.module,
        nsci::module::config::find_up(&app.settings.workdir),
    ) {
        (None, None) => None,
        _ => Some(app.module(&engine).await?),
    };
    let mut shell = Shell::new(Arc::clone(&app), engine, module);
    let texts = match source {
        Source::Text(text) => vec![("the text".to_owned(), text)],
        Source::Files(files) => files
            .into_iter()
            .map(|file| {
                let path = app.settings.workdir.join(&file);
                let text = std::fs::read_to_string(&path).map_err(|error| {
                    Failure::usage(format!("cannot read {file}")).because(&error)
                })?;
                Ok((file, text))
            })
            .collect::<Result<_, Failure>>()?,
        Source::Input if io::stdin().is_terminal() => return interactive(shell).await,
        Source::Input => {
            let read = || {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).map(|_| text)
            };
            let text = tokio::task::spawn_blocking(read).await;
            let text = text
                .map_err(|error| Failure::internal("cannot read standard input").because(&error))?
                .map_err(|error| Failure::usage("cannot read standard input").because(&error))?;
            vec![("standard input".to_owned(), text)]
        }
    };
    for (name, text) in texts {
        let statements = parse(&text).map_err(|wrong| refused(&name, &wrong))?;
        let ran = shell.run(&statements).await;
        Output::text(shell.printed()).print()?;
        ran?;
    }
    Ok(Output::default())
}

fn refused(name: &str, wrong: &Wrong) -> Failure {
    match wrong {
        Wrong::Unfinished(what) => Failure::usage(format!("{name} ends too early: {what}")),
        Wrong::Invalid { line, message } => Failure::usage(format!("{name}:{line}: {message}")),
    }
}

/// A line, or what ended the input.
type Read = Result<String, ReadlineError>;

/// Reads lines on a thread of its own, since waiting for a key blocks.
fn reader(
    history: Option<PathBuf>,
) -> Result<mpsc::Sender<(String, oneshot::Sender<Read>)>, Failure> {
    let (asked, mut questions) = mpsc::channel::<(String, oneshot::Sender<Read>)>(1);
    let mut editor = rustyline::DefaultEditor::new()
        .map_err(|error| Failure::failed("cannot use the terminal").because(&error))?;
    std::thread::spawn(move || {
        if let Some(path) = &history {
            // There is none the first time.
            editor.load_history(path).ok();
        }
        while let Some((prompt, answer)) = questions.blocking_recv() {
            let line = editor.readline(&prompt);
            if let Ok(line) = &line
                && !line.trim().is_empty()
            {
                editor.add_history_entry(line.as_str()).ok();
            }
            if answer.send(line).is_err() {
                break;
            }
        }
        if let Some(path) = &history {
            if let Some(parent) = path.parent() {
                std::fs::create_dir_all(parent).ok();
            }
            editor.save_history(path).ok();
        }
    });
    Ok(asked)
}

async fn interactive(mut shell: Shell) -> Result<Output, Failure> {
    let reader = reader(shell.history_file())?;
    let name = shell.prompt();
    let mut text = String::new();
    let greeting = "`.help` lists what there is, `.exit` ends.\n";
    io::stderr().write_all(greeting.as_bytes()).ok();
    loop {
        let prompt = if text.is_empty() {
            format!("{name} > ")
        } else {
            "… > ".to_owned()
        };
        let (answer, line) = oneshot::channel();
        if reader.send((prompt, answer)).await.is_err() {
            break;
        }
        let line = match line.await {
            Ok(Ok(line)) => line,
            // Ctrl-C drops what was typed.
            Ok(Err(ReadlineError::Interrupted)) => {
                text.clear();
                continue;
            }
            Ok(Err(ReadlineError::Eof)) | Err(_) => break,
            Ok(Err(error)) => {
                return Err(Failure::failed("cannot read the terminal").because(&error));
            }
        };
        text.push_str(&line);
        text.push('\n');
        let statements = match parse(&text) {
            Err(Wrong::Unfinished(_)) => continue,
            read => read.map_err(|wrong| refused("line", &wrong)),
        };
        text.clear();
        let ran = match statements {
            Ok(statements) => shell.run(&statements).await,
            Err(failure) => Err(failure),
        };
        Output::text(shell.printed()).print()?;
        if let Err(failure) = ran {
            io::stderr().write_all(failure.text(false).as_bytes()).ok();
        }
        if shell.done {
            break;
        }
    }
    Ok(Output::default())
}

impl Shell {
    fn prompt(&self) -> String {
        self.module
            .as_ref()
            .map_or_else(|| "nsci".to_owned(), |module| module.name.clone())
    }

    fn history_file(&self) -> Option<PathBuf> {
        let around = &self.app.settings.around;
        around
            .base("XDG_STATE_HOME", ".local/state")
            .map(|base| base.join("nsci/history"))
    }
}
