//! How a failure reaches the user: text, hint and exit code. The one place that decides.

use std::fmt::Write as _;
use std::io;

use nsci::error::{Error, Kind};
use serde::Deserialize;
use serde_json::Value;

use crate::exit_code::Exit;

/// Lines of a failed command's output that are shown.
const TAIL_LINES: usize = 20;

/// Why the command did not do what it was asked.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The command line, a configuration file or the host is not as it must be.
    Plain(Box<Plain>),
    /// An error of the engine.
    Engine(Error),
    /// Errors of a GraphQL request.
    Request(Vec<RequestError>),
    /// The user interrupted it.
    Interrupted,
    /// All is said; only the code is left to hand on.
    Code(Exit),
}

/// A failure found by the command itself.
#[derive(Debug)]
pub(crate) struct Plain {
    exit: Exit,
    message: String,
    causes: Vec<String>,
    hint: Option<String>,
}

/// One entry of `errors` in a response.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct RequestError {
    /// What went wrong.
    pub(crate) message: String,
    /// Machine-readable detail.
    #[serde(default)]
    pub(crate) extensions: serde_json::Map<String, Value>,
}

impl Failure {
    fn plain(exit: Exit, message: impl Into<String>) -> Self {
        let message = message.into();
        Self::Plain(Box::new(Plain {
            exit,
            message,
            causes: Vec::new(),
            hint: None,
        }))
    }

    /// Something about the command line or a configuration is wrong.
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::plain(Exit::Usage, message)
    }

    /// It was understood, but could not be done.
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        Self::plain(Exit::Failed, message)
    }

    /// A fault of nsci itself.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::plain(Exit::Internal, message)
    }

    /// The same with what lies behind it.
    pub(crate) fn because(mut self, cause: &dyn std::error::Error) -> Self {
        if let Self::Plain(plain) = &mut self {
            let mut next = Some(cause);
            while let Some(cause) = next {
                plain.causes.push(cause.to_string());
                next = cause.source();
            }
        }
        self
    }

    /// The same with what the user can do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        if let Self::Plain(plain) = &mut self {
            plain.hint = Some(hint.into());
        }
        self
    }

    /// What the failure of a write to standard output means: a reader that went away is none.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Code(Exit::Done),
            _ => Self::failed("cannot write to standard output").because(error),
        }
    }

    /// The exit code.
    pub(crate) fn exit(&self) -> Exit {
        match self {
            Self::Plain(plain) => plain.exit,
            Self::Engine(error) => exit_of(error.kind()),
            Self::Request(errors) => errors
                .iter()
                .find_map(RequestError::exec_exit_code)
                .map_or(Exit::Failed, Exit::of_command),
            Self::Interrupted => Exit::Interrupted,
            Self::Code(exit) => *exit,
        }
    }

    /// What is shown on standard error, ending in a newline unless empty.
    ///
    /// `output_shown` says that the user saw the failed command's output already.
    pub(crate) fn text(&self, output_shown: bool) -> String {
        match self {
            Self::Plain(plain) => plain.text(),
            Self::Engine(error) => engine_text(error),
            Self::Request(errors) => errors
                .iter()
                .map(|error| error.text(output_shown))
                .collect::<String>(),
            Self::Interrupted => "interrupted\n".to_owned(),
            Self::Code(_) => String::new(),
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error.kind() {
            Kind::Cancelled => Self::Interrupted,
            _ => Self::Engine(error),
        }
    }
}

fn exit_of(kind: &Kind) -> Exit {
    match kind {
        Kind::Exec(failure) => Exit::of_command(failure.exit_code.into()),
        Kind::Invalid => Exit::Usage,
        Kind::Internal => Exit::Internal,
        Kind::Cancelled => Exit::Interrupted,
        _ => Exit::Failed,
    }
}

impl Plain {
    fn text(&self) -> String {
        block(&self.message, &self.causes, self.hint.as_deref())
    }
}

fn engine_text(error: &Error) -> String {
    let message = error.to_string();
    let mut causes = Vec::new();
    let mut next = std::error::Error::source(error);
    while let Some(cause) = next {
        let text = cause.to_string();
        if !message.contains(&text) {
            causes.push(text);
        }
        next = cause.source();
    }
    block(&message, &causes, error.hint_text())
}

/// `Error:`, its causes and its hint, each on lines of its own.
fn block(message: &str, causes: &[String], hint: Option<&str>) -> String {
    let mut out = format!("Error: {}\n", message.trim_end());
    for cause in causes {
        _ = writeln!(out, "Caused by: {}", cause.trim_end());
    }
    if let Some(hint) = hint {
        _ = writeln!(out, "hint: {hint}");
    }
    out
}

impl RequestError {
    fn extension(&self, name: &str) -> Option<&str> {
        self.extensions.get(name).and_then(Value::as_str)
    }

    fn is_exec(&self) -> bool {
        self.extension("_type") == Some("EXEC_ERROR")
    }

    fn exec_exit_code(&self) -> Option<i64> {
        self.is_exec()
            .then(|| self.extensions.get("exitCode").and_then(Value::as_i64))
            .flatten()
    }

    fn text(&self, output_shown: bool) -> String {
        let mut out = format!("Error: {}\n", self.message.trim_end());
        if self.is_exec() && !output_shown {
            for name in ["stdout", "stderr"] {
                out.push_str(&tail(name, self.extension(name).unwrap_or_default()));
            }
        }
        let known = ["_type", "cmd", "exitCode", "stdout", "stderr"];
        for (name, value) in &self.extensions {
            if !known.contains(&name.as_str()) {
                _ = writeln!(out, "  {name}: {value}");
            }
        }
        out
    }
}

/// The last lines of a stream under its name; nothing if there was no output.
fn tail(name: &str, text: &str) -> String {
    let text = text.trim_end();
    if text.is_empty() {
        return String::new();
    }
    let lines: Vec<&str> = text.lines().collect();
    let skipped = lines.len().saturating_sub(TAIL_LINES);
    let mut out = format!("{name}:\n");
    if skipped > 0 {
        _ = writeln!(out, "  … {skipped} lines before");
    }
    for line in &lines[skipped..] {
        _ = writeln!(out, "  {}", crate::ui::plain_text(line));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn request_error(value: Value) -> RequestError {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn failed_command_shows_its_output_and_hands_on_its_code() {
        let failure = Failure::Request(vec![request_error(json!({
            "message": "process \"go test\" did not complete successfully: exit code: 7",
            "path": ["container", "stdout"],
            "extensions": {"_type": "EXEC_ERROR", "cmd": ["go", "test"], "exitCode": 7, "stdout": "", "stderr": "a\nb\n"},
        }))]);
        assert_eq!(failure.exit(), Exit::Of(7));
        insta::assert_snapshot!(failure.text(false), @r#"
        Error: process "go test" did not complete successfully: exit code: 7
        stderr:
          a
          b
        "#);
        assert!(!failure.text(true).contains("stderr"));
    }

    #[test]
    fn long_output_is_cut_at_the_front() {
        let text: String = (1..=30).map(|n| format!("{n}\n")).collect();
        let shown = tail("stdout", &text);
        assert!(
            shown.starts_with("stdout:\n  … 10 lines before\n  11\n"),
            "{shown}"
        );
        assert!(shown.ends_with("  30\n"));
    }

    #[test]
    fn engine_error_shows_causes_and_hint() {
        let error = Error::caused(
            Kind::Host,
            "cannot set up the sandbox",
            io::Error::other("no ids"),
        )
        .hint("usermod …");
        insta::assert_snapshot!(Failure::from(error).text(false), @r"
        Error: cannot set up the sandbox
        Caused by: no ids
        hint: usermod …
        ");
    }

    #[test]
    fn kinds_have_exit_codes() {
        for (failure, code) in [
            (Failure::usage("x"), 2),
            (Failure::failed("x"), 1),
            (Failure::internal("x"), 3),
            (Failure::from(Error::invalid("x")), 2),
            (Failure::from(Error::internal("x")), 3),
            (Failure::from(Error::new(Kind::Outside, "x")), 1),
            (Failure::from(Error::new(Kind::Cancelled, "x")), 130),
            (Failure::Request(vec![RequestError::default()]), 1),
            (Failure::Code(Exit::of_command(256)), 1),
            (
                Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe)),
                0,
            ),
        ] {
            assert_eq!(failure.exit().code(), code, "{failure:?}");
        }
    }
}
