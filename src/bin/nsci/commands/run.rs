//! `nsci run`: a program with a session to use.

use std::io::IsTerminal as _;
use std::process::ExitStatus;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};
use tokio::signal::unix::SignalKind;

use crate::app::App;
use crate::commands::session::{Server, serve};
use crate::exit_code::Exit;
use crate::output::Output;
use crate::report::Failure;
use crate::signals::{interrupted, one};

/// Runs a program; its exit code is this command's.
///
/// # Errors
/// If it cannot be started, and its exit code if that is not 0.
pub(super) async fn run(
    app: Arc<App>,
    command: Vec<String>,
    cleanup: Duration,
) -> Result<Output, Failure> {
    let Some((program, args)) = command.split_first() else {
        return Err(Failure::usage("there is no program to run").hint("nsci run PROGRAM [ARG]…"));
    };
    let engine = app.engine().await?;
    let Server {
        port,
        token,
        server,
    } = serve(&engine)?;
    let mut child = Command::new(program);
    child
        .args(args)
        .current_dir(&app.settings.workdir)
        .kill_on_drop(true);
    for prefix in ["DAGGER", "NSCI"] {
        child.env(format!("{prefix}_SESSION_PORT"), port.to_string());
        child.env(format!("{prefix}_SESSION_TOKEN"), &token);
    }
    // Whoever sees the program may ask this command to stop.
    let asked = Asked::listen();
    let mut child = child
        .spawn()
        .map_err(|error| Failure::usage(format!("cannot run `{program}`")).because(&error))?;
    let status = supervised(&mut child, asked, cleanup).await;
    server.shut_down().await;
    let status = status.map_err(|error| {
        Failure::internal(format!("cannot wait for `{program}`")).because(&error)
    })?;
    match exit(status) {
        Exit::Done => Ok(Output::default()),
        exit => Err(Failure::Code(exit)),
    }
}

/// The first signal that asks this command to stop.
struct Asked(BoxFuture<'static, Signal>);

impl Asked {
    fn listen() -> Self {
        let interrupt = one(SignalKind::interrupt());
        let terminate = one(SignalKind::terminate());
        let hangup = one(SignalKind::hangup());
        Self(Box::pin(async move {
            tokio::select! {
                () = interrupt => Signal::INT,
                () = terminate => Signal::TERM,
                () = hangup => Signal::HUP,
            }
        }))
    }
}

/// Waits for the program and hands signals on to it; one that does not end when asked is killed, or at once when
/// asked again.
async fn supervised(
    child: &mut Child,
    asked: Asked,
    cleanup: Duration,
) -> std::io::Result<ExitStatus> {
    let pid = child
        .id()
        .and_then(|pid| Pid::from_raw(i32::try_from(pid).ok()?));
    let signal = tokio::select! {
        status = child.wait() => return status,
        signal = asked.0 => signal,
    };
    // Ctrl-C reaches everything on the terminal, so the program has it already; twice means "at once" to many.
    let has_it = signal == Signal::INT && std::io::stdin().is_terminal();
    if let Some(pid) = pid.filter(|_| !has_it) {
        // A program that ended meanwhile needs no signal.
        kill_process(pid, signal).ok();
    }
    tokio::select! {
        status = child.wait() => return status,
        () = tokio::time::sleep(cleanup) => {}
        () = interrupted() => {}
    }
    child.start_kill()?;
    child.wait().await
}

fn exit(status: ExitStatus) -> Exit {
    use std::os::unix::process::ExitStatusExt as _;
    match (status.code(), status.signal()) {
        (Some(0), _) => Exit::Done,
        (Some(code), _) => Exit::of_command(code.into()),
        (None, Some(signal)) => Exit::of_command(i64::from(signal) + 128),
        (None, None) => Exit::Failed,
    }
}
