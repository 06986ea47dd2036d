//! Credentials for registries: given with the call, from Docker's and podman's files, from helper programs.
//!
//! [`AuthStore::lookup`] answers for one repository. Nothing here talks to a registry, and no secret shows in
//! `Debug` or in errors.
//!
//! # References
//! - [docker config.json](https://docs.docker.com/reference/cli/docker/login/#credential-stores)
//! - [containers-auth.json(5)](https://github.com/containers/image/blob/main/docs/containers-auth.json.5.md)

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use serde::Deserialize;
use tokio::io::AsyncWriteExt as _;
use tokio::sync::OnceCell;

use super::Error;
use super::reference::DOCKER_HUB;
use crate::event::Events;

const HUB_KEY: &str = "https://index.docker.io/v1/";
const HELPER_TIMEOUT: Duration = Duration::from_secs(60);

/// What proves who we are.
#[derive(Clone, PartialEq, Eq)]
pub enum Credential {
    /// User name and password (or access token used as one).
    Basic {
        /// User.
        username: String,
        /// Password.
        password: String,
    },
    /// OAuth2 refresh token, as `docker login` gets from some registries.
    IdentityToken(String),
    /// Bearer token sent as it is.
    RegistryToken(String),
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Basic { .. } => "Basic(redacted)",
            Self::IdentityToken(_) => "IdentityToken(redacted)",
            Self::RegistryToken(_) => "RegistryToken(redacted)",
        })
    }
}

/// Credentials given for a host, or a path below it, with a call (`withRegistryAuth`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RegistryAuth {
    /// `ghcr.io`, `ghcr.io/org`, with or without `https://`.
    pub address: String,
    /// What to use there.
    pub credential: Credential,
}

/// Places to look for credentials, in order of precedence.
#[derive(Debug, Clone, Default)]
pub struct AuthSources {
    /// Given explicitly; these win.
    pub explicit: Vec<RegistryAuth>,
    /// Helper per registry host, from nsci's own config.
    pub helpers: BTreeMap<String, String>,
    /// Files in the format of containers-auth.json or Docker's config.json, first match wins. Files that do
    /// not exist are passed over.
    pub files: Vec<PathBuf>,
    /// Directories to look for `docker-credential-…` in before `PATH`.
    pub helper_dirs: Vec<PathBuf>,
}

/// Answers who we are to each registry; reads each file once.
#[derive(Debug)]
pub struct AuthStore {
    sources: AuthSources,
    files: OnceCell<Vec<(PathBuf, AuthFile)>>,
    helped: tokio::sync::Mutex<HashMap<(String, String), Option<Credential>>>,
    events: Events,
}

impl AuthStore {
    /// Keeps the sources; nothing is read until the first lookup.
    #[must_use]
    pub fn new(sources: AuthSources, events: Events) -> Self {
        Self {
            sources,
            files: OnceCell::new(),
            helped: tokio::sync::Mutex::default(),
            events,
        }
    }

    /// The same sources with more credentials in front.
    #[must_use]
    pub fn with(&self, explicit: &[RegistryAuth]) -> Self {
        let mut sources = self.sources.clone();
        sources.explicit.splice(0..0, explicit.iter().cloned());
        Self::new(sources, self.events.clone())
    }

    /// Finds the credential for a repository; the longest matching address wins within a source.
    ///
    /// # Errors
    /// [`Error::Credentials`] if a file is unreadable or a helper fails.
    pub async fn lookup(
        &self,
        registry: &str,
        repository: &str,
    ) -> Result<Option<Credential>, Error> {
        let target = format!("{registry}/{repository}");
        if let Some(found) = longest(
            &target,
            self.sources
                .explicit
                .iter()
                .map(|a| (normal_address(&a.address), &a.credential)),
        ) {
            return Ok(Some(found.clone()));
        }
        if let Some(helper) = self.sources.helpers.get(registry) {
            return self.ask_helper(helper, registry, true).await;
        }
        for (path, file) in self.files().await? {
            if let Some(found) = self.lookup_in(path, file, registry, &target).await? {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    async fn lookup_in(
        &self,
        path: &Path,
        file: &AuthFile,
        registry: &str,
        target: &str,
    ) -> Result<Option<Credential>, Error> {
        let helpers = file
            .cred_helpers
            .iter()
            .map(|(k, v)| (normal_address(k), v));
        if let Some(helper) = longest(target, helpers) {
            return self.ask_helper(helper, registry, true).await;
        }
        let entries = file.auths.iter().map(|(k, v)| (normal_address(k), v));
        if let Some(entry) = longest(target, entries)
            && let Some(found) = entry.credential().map_err(|reason| Error::Credentials {
                from: path.display().to_string(),
                reason,
            })?
        {
            return Ok(Some(found));
        }
        match file.creds_store.as_deref().filter(|s| !s.is_empty()) {
            Some(helper) => self.ask_helper(helper, registry, false).await,
            None => Ok(None),
        }
    }

    async fn files(&self) -> Result<&[(PathBuf, AuthFile)], Error> {
        self.files
            .get_or_try_init(|| async {
                let paths = self.sources.files.clone();
                tokio::task::spawn_blocking(move || read_files(&paths))
                    .await
                    .unwrap_or(Err(Error::Cancelled))
            })
            .await
            .map(Vec::as_slice)
    }

    /// `required`: the user named this helper for this host, so its absence is an error. A default store that
    /// is missing (Docker Desktop's config on another machine) only warns.
    async fn ask_helper(
        &self,
        helper: &str,
        registry: &str,
        required: bool,
    ) -> Result<Option<Credential>, Error> {
        let key = (helper.to_owned(), registry.to_owned());
        // Held across the call on purpose: ten layers must not open ten key-ring prompts.
        let mut helped = self.helped.lock().await;
        if let Some(known) = helped.get(&key) {
            return Ok(known.clone());
        }
        let program = format!("docker-credential-{helper}");
        let found = match run_helper(&self.program(&program), registry).await {
            Ok(found) => found,
            Err(HelperError::Missing) if !required => {
                self.events.warn(format!(
                    "{program} is not installed; asking {registry} without credentials"
                ));
                None
            }
            Err(HelperError::Missing) => {
                return Err(Error::Credentials {
                    from: program,
                    reason: "not installed".into(),
                });
            }
            Err(HelperError::Failed(reason)) => {
                return Err(Error::Credentials {
                    from: program,
                    reason,
                });
            }
        };
        helped.insert(key, found.clone());
        Ok(found)
    }

    fn program(&self, name: &str) -> PathBuf {
        self.sources
            .helper_dirs
            .iter()
            .map(|dir| dir.join(name))
            .find(|path| path.is_file())
            .unwrap_or_else(|| PathBuf::from(name))
    }
}

/// `https://index.docker.io/v1/` is `docker.io`; schemes, API versions and trailing slashes fall away.
fn normal_address(address: &str) -> String {
    let rest = address
        .split_once("://")
        .map_or(address, |(_, rest)| rest)
        .trim_end_matches('/');
    let rest = rest
        .strip_suffix("/v1")
        .or_else(|| rest.strip_suffix("/v2"))
        .unwrap_or(rest);
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, Some(path)),
        None => (rest, None),
    };
    let host = host.to_ascii_lowercase();
    let host = match host.as_str() {
        "index.docker.io" | "registry-1.docker.io" | "auth.docker.io" => DOCKER_HUB,
        other => other,
    };
    match path {
        Some(path) => format!("{host}/{path}"),
        None => host.to_owned(),
    }
}

fn longest<'a, T: 'a>(
    target: &str,
    entries: impl Iterator<Item = (String, &'a T)>,
) -> Option<&'a T> {
    entries
        .filter(|(address, _)| {
            target
                .strip_prefix(address.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
        .max_by_key(|(address, _)| address.len())
        .map(|(_, value)| value)
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct AuthFile {
    auths: HashMap<String, AuthEntry>,
    cred_helpers: HashMap<String, String>,
    creds_store: Option<String>,
}

impl fmt::Debug for AuthFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AuthFile")
            .field("hosts", &self.auths.keys())
            .finish_non_exhaustive()
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct AuthEntry {
    auth: String,
    username: String,
    password: String,
    identitytoken: String,
    registrytoken: String,
}

impl AuthEntry {
    fn credential(&self) -> Result<Option<Credential>, String> {
        if !self.identitytoken.is_empty() {
            return Ok(Some(Credential::IdentityToken(self.identitytoken.clone())));
        }
        if !self.registrytoken.is_empty() {
            return Ok(Some(Credential::RegistryToken(self.registrytoken.clone())));
        }
        if !self.auth.is_empty() {
            return decode_basic(&self.auth).map(Some);
        }
        if !self.username.is_empty() {
            return Ok(Some(Credential::Basic {
                username: self.username.clone(),
                password: self.password.clone(),
            }));
        }
        Ok(None)
    }
}

fn decode_basic(auth: &str) -> Result<Credential, String> {
    let bytes = STANDARD
        .decode(auth.trim())
        .or_else(|_| STANDARD_NO_PAD.decode(auth.trim()))
        .map_err(|_| "an `auth` entry is not base64".to_owned())?;
    let text = String::from_utf8(bytes).map_err(|_| "an `auth` entry is not text".to_owned())?;
    let (username, password) = text
        .split_once(':')
        .ok_or_else(|| "an `auth` entry does not hold user:password".to_owned())?;
    Ok(Credential::Basic {
        username: username.to_owned(),
        password: password.trim_end_matches('\0').to_owned(),
    })
}

fn read_files(paths: &[PathBuf]) -> Result<Vec<(PathBuf, AuthFile)>, Error> {
    let mut files = Vec::new();
    for path in paths {
        let refuse = |reason: String| Error::Credentials {
            from: path.display().to_string(),
            reason,
        };
        match std::fs::read(path) {
            Ok(bytes) if bytes.iter().all(u8::is_ascii_whitespace) => {}
            Ok(bytes) => {
                let file = serde_json::from_slice(&bytes)
                    .map_err(|e| refuse(format!("line {}: not valid JSON", e.line())))?;
                files.push((path.clone(), file));
            }
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory
                ) => {}
            Err(e) => return Err(refuse(e.to_string())),
        }
    }
    Ok(files)
}

enum HelperError {
    Missing,
    Failed(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HelperAnswer {
    username: String,
    secret: String,
}

async fn run_helper(program: &Path, registry: &str) -> Result<Option<Credential>, HelperError> {
    let failed = |e: io::Error| HelperError::Failed(e.to_string());
    let mut child = tokio::process::Command::new(program)
        .arg("get")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|e| match e.kind() {
            io::ErrorKind::NotFound => HelperError::Missing,
            _ => HelperError::Failed(e.to_string()),
        })?;
    let server = if registry == DOCKER_HUB {
        HUB_KEY
    } else {
        registry
    };
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(server.as_bytes()).await {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => return Err(failed(e)),
            _ => {}
        }
    }
    let output = tokio::time::timeout(HELPER_TIMEOUT, child.wait_with_output())
        .await
        .map_err(|_| HelperError::Failed("it did not answer within a minute".into()))?
        .map_err(failed)?;
    if !output.status.success() {
        // Helpers say so on stdout; it is prose, never a secret, when they fail.
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if said.contains("credentials not found") || said.contains("no credentials server") {
            return Ok(None);
        }
        let complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        let said = if said.is_empty() { complaint } else { said };
        return Err(HelperError::Failed(if said.is_empty() {
            output.status.to_string()
        } else {
            said
        }));
    }
    let answer: HelperAnswer = serde_json::from_slice(&output.stdout)
        .map_err(|_| HelperError::Failed("its answer is not the expected JSON".into()))?;
    Ok(Some(match answer.username.as_str() {
        "<token>" => Credential::IdentityToken(answer.secret),
        _ => Credential::Basic {
            username: answer.username,
            password: answer.secret,
        },
    }))
}

/// A store shared by clients.
pub type SharedAuth = Arc<AuthStore>;

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;
    use std::sync::Mutex;

    fn password(username: &str, password: &str) -> Credential {
        Credential::Basic {
            username: username.into(),
            password: password.into(),
        }
    }

    fn store(sources: AuthSources) -> AuthStore {
        AuthStore::new(sources, Events::none())
    }

    fn file(dir: &Path, name: &str, text: &str) -> PathBuf {
        let path = dir.join(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn helper(dir: &Path, name: &str, script: &str) {
        let path = dir.join(format!("docker-credential-{name}"));
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn longest_address_wins() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(
            dir.path(),
            "auth.json",
            &format!(
                r#"{{"auths":{{"quay.io":{{"auth":"{}"}},"quay.io/org":{{"auth":"{}"}},
                "https://index.docker.io/v1/":{{"auth":"{}"}},"id.io":{{"auth":"dTpw","identitytoken":"T"}},
                "empty.io":{{}}}}}}"#,
                STANDARD.encode("a:1"),
                STANDARD.encode("b:2:3"),
                STANDARD.encode("hub:x"),
            ),
        );
        let auth = store(AuthSources {
            files: vec![dir.path().join("none"), path],
            ..Default::default()
        });
        let cases = [
            ("quay.io", "x/y", Some(password("a", "1"))),
            ("quay.io", "org/y", Some(password("b", "2:3"))),
            ("quay.io", "organ/y", Some(password("a", "1"))),
            ("docker.io", "library/x", Some(password("hub", "x"))),
            ("id.io", "x", Some(Credential::IdentityToken("T".into()))),
            ("empty.io", "x", None),
            ("quay.io:443", "x", None),
        ];
        for (registry, repository, wanted) in cases {
            assert_eq!(
                auth.lookup(registry, repository).await.unwrap(),
                wanted,
                "{registry}"
            );
        }
    }

    #[tokio::test]
    async fn explicit_credentials_win() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(
            dir.path(),
            "c.json",
            r#"{"auths":{"ghcr.io":{"auth":"dTpw"}}}"#,
        );
        let base = store(AuthSources {
            files: vec![path],
            ..Default::default()
        });
        let auth = base.with(&[RegistryAuth {
            address: "https://ghcr.io/org".into(),
            credential: password("me", "s"),
        }]);
        assert_eq!(
            auth.lookup("ghcr.io", "org/x").await.unwrap(),
            Some(password("me", "s"))
        );
        assert_eq!(
            auth.lookup("ghcr.io", "other/x").await.unwrap(),
            Some(password("u", "p"))
        );
    }

    #[tokio::test]
    async fn helpers_are_asked_once() {
        let dir = tempfile::tempdir().unwrap();
        let count = dir.path().join("count");
        helper(
            dir.path(),
            "counting",
            &format!(
                "read server; echo \"$server\" >> {}; echo '{{\"ServerURL\":\"x\",\"Username\":\"<token>\",\"Secret\":\"S\"}}'",
                count.display()
            ),
        );
        helper(
            dir.path(),
            "empty",
            "echo credentials not found in native keychain; exit 1",
        );
        helper(dir.path(), "broken", "echo key ring is locked >&2; exit 1");
        let path = file(
            dir.path(),
            "config.json",
            r#"{"credHelpers":{"gcr.io":"counting","bad.io":"broken","gone.io":"missing"},"credsStore":"empty"}"#,
        );
        let auth = store(AuthSources {
            files: vec![path],
            helper_dirs: vec![dir.path().to_owned()],
            ..Default::default()
        });
        for _ in 0..2 {
            assert_eq!(
                auth.lookup("gcr.io", "x").await.unwrap(),
                Some(Credential::IdentityToken("S".into()))
            );
        }
        assert_eq!(std::fs::read_to_string(count).unwrap(), "gcr.io\n");
        assert_eq!(auth.lookup("other.io", "x").await.unwrap(), None);
        let error = auth.lookup("bad.io", "x").await.unwrap_err().to_string();
        assert!(
            error.contains("docker-credential-broken: key ring is locked"),
            "{error}"
        );
        let error = auth.lookup("gone.io", "x").await.unwrap_err().to_string();
        assert!(
            error.contains("docker-credential-missing: not installed"),
            "{error}"
        );
    }

    #[tokio::test]
    async fn missing_default_store_warns_and_goes_on() {
        let dir = tempfile::tempdir().unwrap();
        let path = file(dir.path(), "config.json", r#"{"credsStore":"nsci-none"}"#);
        let seen = Arc::new(Mutex::new(0));
        let events = {
            let seen = Arc::clone(&seen);
            Events::new(move |_| *seen.lock().unwrap() += 1)
        };
        let auth = AuthStore::new(
            AuthSources {
                files: vec![path],
                ..Default::default()
            },
            events,
        );
        assert_eq!(auth.lookup("docker.io", "x").await.unwrap(), None);
        assert_eq!(*seen.lock().unwrap(), 1);
    }

    #[tokio::test]
    async fn broken_files_are_reported_without_their_content() {
        let dir = tempfile::tempdir().unwrap();
        let secret = "hunter2";
        for text in [
            format!("{{\"auths\": {secret}"),
            format!("{{\"auths\":{{\"a.io\":{{\"auth\":\"{secret}!\"}}}}}}"),
        ] {
            let path = file(dir.path(), "config.json", &text);
            let auth = store(AuthSources {
                files: vec![path.clone()],
                ..Default::default()
            });
            let error = auth.lookup("a.io", "x").await.unwrap_err().to_string();
            assert!(error.contains(&path.display().to_string()), "{error}");
            assert!(!error.contains(secret), "{error}");
        }
    }

    #[test]
    fn debug_hides_secrets() {
        let auth = RegistryAuth {
            address: "x".into(),
            credential: password("u", "hunter2"),
        };
        assert!(!format!("{auth:?}").contains("hunter2"));
    }
}
