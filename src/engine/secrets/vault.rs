//! Secrets kept by HashiCorp Vault, or what speaks its protocol: `vault://path.to/secret.field`.
//!
//! Where it is and who asks is told by the variables that its own command reads: `VAULT_ADDR`, `VAULT_TOKEN` or
//! `~/.vault-token`, or `VAULT_APPROLE_ROLE_ID` with `VAULT_APPROLE_SECRET_ID`, `VAULT_NAMESPACE`, `VAULT_CACERT`,
//! `VAULT_SKIP_VERIFY`; `VAULT_PATH_PREFIX` names the mount, `secret` by default. Both versions of the key-value
//! store are understood.
//!
//! # References
//! - [Key-value store, version 2](https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2)

use super::{ClientHost, address::Address};
use crate::{
    config::NetworkConfig,
    error::{Error, Kind, Result},
    source::{Call, Fault, Http, Patience, Payload, Tls},
};
use reqwest::{
    Method, StatusCode, Url,
    header::{AUTHORIZATION, HeaderName, HeaderValue},
};
use serde_json::{Value, json};
use std::time::Duration;

const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
const PATIENCE: Patience = Patience {
    retries: 2,
    first_wait: Duration::from_millis(300),
};

/// The way to the server.
#[derive(Debug)]
pub(super) struct Vault {
    http: Http,
}

/// One client of the server.
struct Access<'a> {
    http: &'a Http,
    server: Url,
    tls: Tls,
    namespace: Option<HeaderValue>,
}

impl Vault {
    pub(super) fn new(network: NetworkConfig) -> Self {
        Self {
            http: Http::new(network),
        }
    }

    /// Fetches one field of a secret.
    pub(super) async fn fetch(&self, address: &Address<'_>, host: &ClientHost) -> Result<Vec<u8>> {
        let (path, field) = address.name.rsplit_once('.').ok_or_else(|| {
            let what = format!("vault://{} names no field", address.name);
            Error::invalid(what).hint("vault://path/of/secret.field")
        })?;
        let access = Access::new(&self.http, host)?;
        let token = access.token(host).await?;
        let mount = variable(host, "VAULT_PATH_PREFIX").unwrap_or("secret");
        // Version 2 has the values one level deeper, in the path as in the answer.
        let mut found = access
            .get(&[mount, "data", path], &token)
            .await?
            .map(|mut answer| {
                let inner = answer["data"].take();
                inner.get("data").cloned().unwrap_or(inner)
            });
        if found.is_none() {
            found = access
                .get(&[mount, path], &token)
                .await?
                .map(|mut answer| answer["data"].take());
        }
        match found.as_ref().map(|values| &values[field]) {
            Some(Value::String(text)) => Ok(text.clone().into_bytes()),
            Some(Value::Null) => Err(Error::invalid(format!(
                "the secret {path} in Vault has no field `{field}`"
            ))),
            Some(other) => Ok(other.to_string().into_bytes()),
            None => Err(
                Error::invalid(format!("there is no secret {path} in Vault")).hint(format!(
                    "it was looked for in `{mount}`; VAULT_PATH_PREFIX names another"
                )),
            ),
        }
    }
}

fn variable<'a>(host: &'a ClientHost, name: &str) -> Option<&'a str> {
    host.env
        .get(name)
        .map(String::as_str)
        .filter(|value| !value.is_empty())
}

impl<'a> Access<'a> {
    fn new(http: &'a Http, host: &ClientHost) -> Result<Self> {
        let server = variable(host, "VAULT_ADDR")
            .ok_or_else(|| Error::invalid("secrets of Vault need its address in VAULT_ADDR"))?;
        let server = Url::parse(server)
            .ok()
            .filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
            .ok_or_else(|| Error::invalid("VAULT_ADDR is no http or https address"))?;
        let insecure = variable(host, "VAULT_SKIP_VERIFY");
        let tls = Tls {
            ca_file: variable(host, "VAULT_CACERT").map(|path| host.path(path)),
            insecure: insecure.is_some_and(|value| matches!(value, "1" | "true")),
        };
        let namespace = variable(host, "VAULT_NAMESPACE").map(HeaderValue::from_str);
        let namespace = namespace
            .transpose()
            .map_err(|_| Error::invalid("VAULT_NAMESPACE is no name"))?;
        Ok(Self {
            http,
            server,
            tls,
            namespace,
        })
    }

    /// What requests identify themselves with.
    async fn token(&self, host: &ClientHost) -> Result<HeaderValue> {
        if let Some(token) = variable(host, "VAULT_TOKEN") {
            return bearer(token);
        }
        if let (Some(role), Some(secret)) = (
            variable(host, "VAULT_APPROLE_ROLE_ID"),
            variable(host, "VAULT_APPROLE_SECRET_ID"),
        ) {
            let mut call = Call::new(Method::POST, self.url(&["auth", "approle", "login"])?);
            let body = json!({"role_id": role, "secret_id": secret});
            call.payload = Payload::Bytes(body.to_string().into_bytes());
            let answer = self.send(call).await?;
            let token = answer
                .as_ref()
                .and_then(|answer| answer["auth"]["client_token"].as_str());
            return bearer(
                token.ok_or_else(|| Error::invalid("Vault gave no token for the role"))?,
            );
        }
        if let Some(home) = &host.home
            && let Ok(token) = tokio::fs::read_to_string(home.join(".vault-token")).await
        {
            return bearer(token.trim());
        }
        Err(Error::invalid("secrets of Vault need a token")
            .hint("set VAULT_TOKEN, or VAULT_APPROLE_ROLE_ID and VAULT_APPROLE_SECRET_ID"))
    }

    /// `None` if there is nothing there.
    async fn get(&self, path: &[&str], token: &HeaderValue) -> Result<Option<Value>> {
        let mut call = Call::new(Method::GET, self.url(path)?);
        // The standard header, as it is not sent on to another host by a redirect.
        call.headers.insert(AUTHORIZATION, token.clone());
        self.send(call).await
    }

    fn url(&self, path: &[&str]) -> Result<Url> {
        let mut url = self.server.clone();
        url.path_segments_mut()
            .map_err(|()| Error::invalid("VAULT_ADDR is no http or https address"))?
            .pop_if_empty()
            .push("v1")
            .extend(path.iter().flat_map(|part| part.split('/')));
        Ok(url)
    }

    async fn send(&self, mut call: Call) -> Result<Option<Value>> {
        if let Some(namespace) = &self.namespace {
            call.headers.insert(NAMESPACE, namespace.clone());
        }
        let place = call.url.path().to_owned();
        let response = match self.http.send(&call, &self.tls, PATIENCE).await {
            Ok(response) => response,
            Err(Fault::Local(error)) => {
                return Err(Error::caused(Kind::Host, "cannot ask Vault", error));
            }
            Err(Fault::NoAnswer(error, _)) => {
                let what = format!("Vault does not answer at {}", error.url);
                let cause = std::io::Error::other(error.source);
                return Err(Error::caused(Kind::Outside, what, cause));
            }
        };
        let status = response.status();
        if status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let body = response.bytes().await.map_err(|error| {
            Error::caused(
                Kind::Outside,
                "Vault's answer was cut off",
                error.without_url(),
            )
        })?;
        let answer: Option<Value> = serde_json::from_slice(&body).ok();
        match answer {
            Some(answer) if status.is_success() => Ok(Some(answer)),
            answer => {
                let errors = answer
                    .as_ref()
                    .and_then(|answer| answer["errors"].as_array());
                let said: Vec<&str> = errors
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                Err(Error::invalid(format!(
                    "Vault refuses {place} with {status}: {}",
                    said.join("; ")
                )))
            }
        }
    }
}

fn bearer(token: &str) -> Result<HeaderValue> {
    let mut value = HeaderValue::from_str(&format!("Bearer {token}"))
        .map_err(|_| Error::invalid("the token for Vault is no token"))?;
    value.set_sensitive(true);
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        io::{BufRead as _, BufReader, Write as _},
        net::TcpListener,
        path::Path,
        thread,
    };

    /// Answers like a Vault with a store of version 2 at `secret` and one of version 1 at `old`.
    fn serve() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}/", listener.local_addr().unwrap());
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                let (mut request, mut allowed, mut length) = (String::new(), false, 0);
                reader.read_line(&mut request).unwrap();
                loop {
                    let mut line = String::new();
                    reader.read_line(&mut line).unwrap();
                    let line = line.trim_end().to_lowercase();
                    allowed |= line == "authorization: bearer s.good";
                    if let Some(value) = line.strip_prefix("content-length: ") {
                        length = value.parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                std::io::Read::read_exact(&mut reader, &mut body).unwrap();
                let path = request.split(' ').nth(1).unwrap();
                let good_role = body == br#"{"role_id":"ci","secret_id":"key"}"#;
                let (status, body) = match path {
                    "/v1/auth/approle/login" if good_role => {
                        ("200 OK", r#"{"auth":{"client_token":"s.good"}}"#)
                    }
                    _ if !allowed => ("403 Forbidden", r#"{"errors":["permission denied"]}"#),
                    "/v1/secret/data/ci/git%20hub" => {
                        ("200 OK", r#"{"data":{"data":{"token":"t0k","port":22}}}"#)
                    }
                    "/v1/old/ci" => ("200 OK", r#"{"data":{"token":"0ld"}}"#),
                    _ => ("404 Not Found", r#"{"errors":[]}"#),
                };
                let length = body.len();
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                )
                .unwrap();
            }
        });
        address
    }

    async fn fetch(uri: &str, env: &[(&str, &str)], home: &Path) -> Result<String> {
        let host = ClientHost {
            env: env
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
            workdir: "/".into(),
            home: Some(home.to_owned()),
        };
        let vault = Vault::new(NetworkConfig::default());
        let found = vault.fetch(&Address::parse(uri), &host).await?;
        Ok(String::from_utf8(found).unwrap())
    }

    #[tokio::test]
    async fn fields_of_both_versions_are_found() {
        let server = serve();
        let home = tempfile::tempdir().unwrap();
        let token = ("VAULT_TOKEN", "s.good");
        let address = ("VAULT_ADDR", server.as_str());
        for (uri, env, want) in [
            ("vault://ci/git hub.token", &[token][..], "t0k"),
            ("vault://ci/git hub.port", &[token], "22"),
            (
                "vault://ci.token",
                &[token, ("VAULT_PATH_PREFIX", "old")],
                "0ld",
            ),
            (
                "vault://ci/git hub.token",
                &[
                    ("VAULT_APPROLE_ROLE_ID", "ci"),
                    ("VAULT_APPROLE_SECRET_ID", "key"),
                ],
                "t0k",
            ),
        ] {
            let env = [&[address], env].concat();
            assert_eq!(
                fetch(uri, &env, home.path()).await.unwrap(),
                want,
                "{uri} {env:?}"
            );
        }
        std::fs::write(home.path().join(".vault-token"), "s.good\n").unwrap();
        let found = fetch("vault://ci/git hub.token", &[address], home.path()).await;
        assert_eq!(found.unwrap(), "t0k");
    }

    #[tokio::test]
    async fn what_is_missing_is_named_and_the_token_is_not_shown() {
        let server = serve();
        let home = tempfile::tempdir().unwrap();
        let address = ("VAULT_ADDR", server.as_str());
        let token = ("VAULT_TOKEN", "s.good");
        for (uri, env, want) in [
            ("vault://nofield", &[address, token][..], "names no field"),
            ("vault://ci/git hub.x", &[address, token], "no field `x`"),
            ("vault://none.x", &[address, token], "no secret none"),
            (
                "vault://ci.x",
                &[address, ("VAULT_TOKEN", "s.bad")],
                "permission denied",
            ),
            ("vault://ci.x", &[address], "need a token"),
            ("vault://ci.x", &[token], "VAULT_ADDR"),
            (
                "vault://ci.x",
                &[token, ("VAULT_ADDR", "ftp://x")],
                "VAULT_ADDR",
            ),
            (
                "vault://ci.x",
                &[token, ("VAULT_ADDR", "http://127.0.0.1:1")],
                "does not answer",
            ),
        ] {
            let error = fetch(uri, env, home.path()).await.unwrap_err();
            let shown = format!("{error} {error:?}");
            assert!(shown.contains(want), "{uri}: {shown}");
            assert!(
                !shown.contains("s.bad") && !shown.contains("s.good"),
                "{shown}"
            );
        }
    }
}
