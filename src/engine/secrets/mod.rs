//! Secrets by name and by address. Values stay in this process's memory.
//!
//! [`address`] reads where a secret is, [`provide`] fetches it there.

mod address;
mod provide;
mod vault;

use crate::{
    config::NetworkConfig,
    error::{Error, Result},
    graph::SecretRef,
    ops::{Client, SecretValue},
};
use futures_util::future::{BoxFuture, FutureExt};
use provide::Providers;
use std::{
    collections::HashMap,
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// Largest value that `setSecret` takes, in bytes.
const MAX_PLAINTEXT: usize = 128_000;

/// The client's own surroundings, read once by the command and passed in.
#[derive(Clone, Default)]
pub struct ClientHost {
    /// Environment variables.
    pub env: HashMap<String, String>,
    /// Working directory, absolute.
    pub workdir: PathBuf,
    /// Home directory.
    pub home: Option<PathBuf>,
}

impl fmt::Debug for ClientHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientHost")
            .field("workdir", &self.workdir)
            .finish_non_exhaustive()
    }
}

impl ClientHost {
    /// The path on the host, absolute: `~` is the home, anything else is relative to the working directory.
    pub fn path(&self, path: &str) -> PathBuf {
        match (path.strip_prefix('~'), &self.home) {
            (Some(""), Some(home)) => home.clone(),
            (Some(rest), Some(home)) if rest.starts_with('/') => {
                home.join(rest.trim_start_matches('/'))
            }
            _ => clean(&self.workdir.join(path)),
        }
    }
}

/// Removes `.` and `..` from an absolute path by text, as shells print paths.
fn clean(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(out.pop()),
            part => out.push(part),
        }
    }
    out
}

/// The secrets of a session.
#[derive(Debug)]
pub struct Secrets {
    providers: Providers,
    named: Mutex<HashMap<(String, String), SecretValue>>,
    fetched: Mutex<HashMap<String, SecretValue>>,
}

impl Secrets {
    /// No secret yet; addresses are looked up on `host`, or from there over the network.
    pub fn new(host: ClientHost, network: NetworkConfig) -> Self {
        Self {
            providers: Providers::new(host, network),
            named: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    /// The client's surroundings.
    pub fn host(&self) -> &ClientHost {
        self.providers.host()
    }

    /// Sets a secret by name.
    ///
    /// # Errors
    /// If the value is too long.
    pub fn set(&self, scope: &str, name: &str, plaintext: &str) -> Result<SecretRef> {
        if plaintext.len() > MAX_PLAINTEXT {
            return Err(Error::invalid(format!(
                "secret `{name}` has {} bytes, more than the {MAX_PLAINTEXT} allowed",
                plaintext.len()
            )));
        }
        let value = SecretValue::new(plaintext.as_bytes());
        let mut named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
        named.insert((scope.to_owned(), name.to_owned()), value);
        Ok(SecretRef::Named {
            scope: scope.to_owned(),
            name: name.to_owned(),
        })
    }

    async fn fetch(&self, uri: &str) -> Result<SecretValue> {
        let known = |this: &Self| {
            this.fetched
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .get(uri)
                .cloned()
        };
        if let Some(value) = known(self) {
            return Ok(value);
        }
        let value = SecretValue::new(self.providers.fetch(uri).await?);
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.insert(uri.to_owned(), value.clone());
        Ok(value)
    }
}

impl Client for Secrets {
    fn secret<'a>(&'a self, secret: &'a SecretRef) -> BoxFuture<'a, Result<SecretValue>> {
        async move {
            match secret {
                SecretRef::Uri { uri, .. } => self.fetch(uri).await,
                SecretRef::Named { scope, name } => {
                    let named = self.named.lock().unwrap_or_else(PoisonError::into_inner);
                    named
                        .get(&(scope.clone(), name.clone()))
                        .cloned()
                        .ok_or_else(|| {
                            Error::invalid(format!("secret `{name}` is not set in this session"))
                                .hint("setSecret must be called again in each session")
                        })
                }
            }
        }
        .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host() -> ClientHost {
        ClientHost {
            env: HashMap::from([("TOKEN".to_owned(), "t".to_owned())]),
            workdir: "/w/d".into(),
            home: Some("/h".into()),
        }
    }

    #[test]
    fn host_paths_are_absolute() {
        for (path, want) in [
            (".", "/w/d"),
            ("../x", "/w/x"),
            ("/a", "/a"),
            ("~", "/h"),
            ("~/k", "/h/k"),
            ("~k", "/w/d/~k"),
        ] {
            assert_eq!(host().path(path), Path::new(want), "{path}");
        }
    }
}
