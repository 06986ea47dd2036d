//! What the layers above lend to operations, as small traits.

use crate::{error::Result, graph::SecretRef};
use futures_util::future::BoxFuture;
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

/// A command that may call the API: how it identifies itself and what it is.
#[derive(Clone)]
pub struct Nested {
    /// Token that its requests carry.
    pub token: String,
    /// What the session knows of it; opaque here.
    pub context: Arc<dyn Any + Send + Sync>,
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
