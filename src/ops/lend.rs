//! What the layers above lend to operations, as small traits.

use super::workdir::Running;
use crate::{
    error::{Error, Result},
    graph::SecretRef,
};
use futures_util::future::BoxFuture;
pub use nsci_runtime::spec::TerminalSize;
use std::{any::Any, fmt, os::fd::OwnedFd, sync::Arc};

/// A secret's value. Never shown by `Debug`.
#[derive(Clone)]
pub struct SecretValue(Arc<[u8]>);

impl SecretValue {
    /// Wraps a value.
    pub fn new(bytes: impl Into<Arc<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The value.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue(***)")
    }
}

/// The client whose secrets an operation may use.
pub trait Client: Send + Sync {
    /// Fetches a secret's value.
    ///
    /// # Errors
    /// If the client has no such secret or its provider fails.
    fn secret<'a>(&'a self, secret: &'a SecretRef) -> BoxFuture<'a, Result<SecretValue>>;
}

/// The client's terminal, for shells in containers.
pub trait Terminal: Send + Sync {
    /// Takes the terminal until what it returns is dropped; waits for whoever has it. Blocks.
    ///
    /// # Errors
    /// If the client has none.
    fn take(&self) -> Result<Box<dyn Screen>>;
}

/// A terminal that was taken.
pub trait Screen: Send {
    /// Its size in character cells.
    fn size(&self) -> TerminalSize;

    /// What kind of terminal it is, as `TERM` says it.
    fn kind(&self) -> String;

    /// Writes a line of nsci's own.
    fn say(&mut self, line: &str);

    /// Joins it with a shell's terminal from now on, until that closes. Does not block.
    ///
    /// # Errors
    /// If the system has no thread left.
    fn join(&mut self, shell: OwnedFd) -> Result<()>;
}

/// A client without a terminal.
#[derive(Clone, Copy, Debug)]
pub struct NoTerminal;

impl Terminal for NoTerminal {
    fn take(&self) -> Result<Box<dyn Screen>> {
        Err(
            Error::invalid("a shell needs a terminal, and this client has none")
                .hint("run it from an interactive shell; in scripts use withExec"),
        )
    }
}

/// A command that may call the API: how it identifies itself and what it is.
#[derive(Clone)]
pub struct Nested {
    /// Token that its requests carry.
    pub token: String,
    /// What the session knows of it; opaque here.
    pub context: Arc<dyn Any + Send + Sync>,
    /// Where it runs, once it does.
    pub running: Running,
}

impl fmt::Debug for Nested {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nested")
    }
}

/// Serves the API on a socket for as long as it lives.
pub type GatewayGuard = Box<dyn Any + Send>;

/// Where the session takes over: a listening socket inside a step becomes a door to the API.
pub trait Gateway: Send + Sync {
    /// What a command of the pipeline itself may do.
    ///
    /// # Errors
    /// If the system has no random numbers for a token.
    fn nested(&self) -> Result<Nested>;

    /// Serves requests that arrive at `listener` until the guard is dropped.
    ///
    /// # Errors
    /// If the socket cannot be used.
    fn serve(&self, listener: OwnedFd, nested: Nested) -> Result<GatewayGuard>;
}
