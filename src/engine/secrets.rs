//! Secrets by name and by address. Values stay in this process's memory.

use crate::{
    error::{Error, Kind, Result},
    graph::SecretRef,
    ops::{Client, SecretValue},
};
use futures_util::future::{BoxFuture, FutureExt};
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
    host: ClientHost,
    named: Mutex<HashMap<(String, String), SecretValue>>,
    fetched: Mutex<HashMap<String, SecretValue>>,
}

impl Secrets {
    /// No secret yet; addresses are looked up on `host`.
    pub fn new(host: ClientHost) -> Self {
        Self {
            host,
            named: Mutex::default(),
            fetched: Mutex::default(),
        }
    }

    /// The client's surroundings.
    pub fn host(&self) -> &ClientHost {
        &self.host
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
        let value = SecretValue::new(self.provide(uri).await?);
        let mut fetched = self.fetched.lock().unwrap_or_else(PoisonError::into_inner);
        fetched.insert(uri.to_owned(), value.clone());
        Ok(value)
    }

    async fn provide(&self, uri: &str) -> Result<Vec<u8>> {
        let (provider, rest) = split(uri);
        match provider {
            "env" => {
                let value = self.host.env.get(rest).ok_or_else(|| {
                    let start: String = rest.chars().take(3).collect();
                    Error::invalid(format!("secret env var not found: \"{start}...\""))
                        .hint("set the variable in the environment that starts nsci")
                })?;
                Ok(value.clone().into_bytes())
            }
            "file" => {
                let path = self.host.path(rest);
                tokio::fs::read(&path).await.map_err(|error| {
                    let what = format!("cannot read secret file {}", path.display());
                    Error::caused(Kind::Invalid, what, error)
                })
            }
            "cmd" => self.command(rest).await,
            other => Err(
                Error::invalid(format!("secret provider `{other}` is not supported yet"))
                    .hint("use env://NAME, file://path or cmd://command"),
            ),
        }
    }

    async fn command(&self, command: &str) -> Result<Vec<u8>> {
        let output = tokio::process::Command::new("sh")
            .args(["-c", command])
            .current_dir(&self.host.workdir)
            .stdin(std::process::Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| Error::caused(Kind::Host, "cannot run a secret's command", error))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::invalid(format!(
                "secret command failed with {}: {}",
                output.status,
                said.trim_end()
            )));
        }
        Ok(output.stdout)
    }
}

/// Splits `env://NAME` and the older `env:NAME`; a bare word names a variable.
fn split(uri: &str) -> (&str, &str) {
    match uri.split_once("://").or_else(|| uri.split_once(':')) {
        Some((provider, rest)) => (provider, rest),
        None => ("env", uri),
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

    #[tokio::test]
    async fn addresses_of_every_form_are_read() {
        let secrets = Secrets::new(ClientHost {
            workdir: "/".into(),
            ..host()
        });
        for (uri, want) in [
            ("env://TOKEN", "t"),
            ("env:TOKEN", "t"),
            ("TOKEN", "t"),
            ("cmd://printf x", "x"),
        ] {
            let secret = SecretRef::Uri {
                uri: uri.into(),
                cache_key: None,
            };
            assert_eq!(
                secrets.secret(&secret).await.unwrap().bytes(),
                want.as_bytes(),
                "{uri}"
            );
        }
    }

    #[tokio::test]
    async fn error_shows_little_of_the_name() {
        let secrets = Secrets::new(host());
        let secret = SecretRef::Uri {
            uri: "env://SUPERSECRET".into(),
            cache_key: None,
        };
        let error = secrets.secret(&secret).await.unwrap_err();
        assert_eq!(error.to_string(), "secret env var not found: \"SUP...\"");
        let secret = SecretRef::Uri {
            uri: "vault://a".into(),
            cache_key: None,
        };
        assert!(
            secrets
                .secret(&secret)
                .await
                .unwrap_err()
                .to_string()
                .contains("`vault`")
        );
    }
}
