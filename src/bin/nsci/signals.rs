//! Interrupts: the first cancels, the second ends the process at once.

use std::future::Future;

use tokio::signal::unix::{SignalKind, signal};

use crate::exit_code::Exit;
use crate::report::Failure;

/// Runs `work` until it is done or the user interrupts it. Dropping it cancels what it waits for.
///
/// # Errors
/// Those of `work`, and [`Failure::Interrupted`].
pub(crate) async fn interruptible<T>(
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::select! {
        result = work => result,
        () = interrupted() => {
            tokio::spawn(second());
            Err(Failure::Interrupted)
        }
    }
}

/// Ends when the process is asked to stop. Listens from the moment it is called, not only from when it
/// is awaited. Must be called in the runtime.
pub(crate) fn interrupted() -> impl Future<Output = ()> {
    let interrupt = one(SignalKind::interrupt());
    let terminate = one(SignalKind::terminate());
    let hangup = one(SignalKind::hangup());
    async move {
        tokio::select! {
            () = interrupt => {}
            () = terminate => {}
            () = hangup => {}
        }
    }
}

/// Ends with the next signal of a kind; never if there can be none. Listens from the moment it is called.
pub(crate) fn one(kind: SignalKind) -> impl Future<Output = ()> {
    let signals = signal(kind);
    async move {
        match signals {
            Ok(mut signals) => drop(signals.recv().await),
            Err(_) => std::future::pending().await,
        }
    }
}

async fn second() {
    interrupted().await;
    #[expect(
        clippy::exit,
        reason = "the user insists; the sandbox dies with this process"
    )]
    std::process::exit(Exit::Interrupted.code().into());
}
