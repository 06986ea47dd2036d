//! Answers to a registry's `WWW-Authenticate`: Basic, bearer tokens, OAuth2 refresh.
//!
//! [`Tokens`] remembers per host what was asked and what was granted, so that later requests carry the right
//! header at once.
//!
//! # References
//! - [distribution token authentication](https://distribution.github.io/distribution/spec/auth/token/),
//!   [OAuth2 variant](https://distribution.github.io/distribution/spec/auth/oauth/)

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue, WWW_AUTHENTICATE};
use reqwest::{Method, Url};
use serde::Deserialize;

use super::auth::{AuthStore, Credential};
use super::endpoint::Endpoint;
use super::http::{Call, Fault, Http, Patience, bare, sensitive};
use super::payload::Payload;
use super::{Error, error::BoxError};

const DEFAULT_LIFE: Duration = Duration::from_secs(60);
const MARGIN: Duration = Duration::from_secs(10);

/// What a registry asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Challenge {
    scheme: String,
    parameters: HashMap<String, String>,
}

/// Why there is no header to send.
#[derive(Debug)]
pub(crate) enum Denied {
    /// The user can do something about it.
    Hint(String),
    /// The token service did not answer.
    NoAnswer(String, BoxError),
    /// Credentials could not be read.
    Local(Error),
}

type Slot = Arc<tokio::sync::Mutex<Option<Granted>>>;

#[derive(Clone)]
struct Granted {
    header: HeaderValue,
    until: Instant,
}

/// Challenges and tokens of this process.
#[derive(Default)]
pub(crate) struct Tokens {
    challenges: Mutex<HashMap<String, Challenge>>,
    slots: Mutex<HashMap<(String, String), Slot>>,
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tokens")
    }
}

/// Who asks for what.
pub(crate) struct Asking<'a> {
    pub(crate) http: &'a Http,
    pub(crate) auth: &'a AuthStore,
    pub(crate) endpoint: &'a Endpoint,
    pub(crate) repository: &'a str,
    pub(crate) scopes: &'a [String],
    pub(crate) patience: Patience,
}

impl Tokens {
    /// Header for a host that has asked before; `None` if it never did.
    pub(crate) async fn known(&self, asking: &Asking<'_>) -> Result<Option<HeaderValue>, Denied> {
        let challenge = {
            let challenges = self
                .challenges
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            challenges.get(&asking.endpoint.host).cloned()
        };
        match challenge {
            Some(challenge) => self.grant(asking, &challenge, None).await.map(Some),
            None => Ok(None),
        }
    }

    /// Header that answers a 401; `refused` is the one that was just sent, so that it is not sent again.
    pub(crate) async fn answer(
        &self,
        asking: &Asking<'_>,
        headers: &HeaderMap,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Denied> {
        let offered: Vec<Challenge> = headers
            .get_all(WWW_AUTHENTICATE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(parse_challenges)
            .collect();
        let chosen = ["bearer", "basic"]
            .iter()
            .find_map(|scheme| offered.iter().find(|c| c.scheme == *scheme))
            .ok_or_else(|| Denied::Hint("the registry asks for no scheme nsci knows".into()))?;
        {
            let mut challenges = self
                .challenges
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            // The scope belongs to the request, not to the host.
            let mut kept = chosen.clone();
            kept.parameters.remove("scope");
            challenges.insert(asking.endpoint.host.clone(), kept);
        }
        self.grant(asking, chosen, refused).await
    }

    async fn grant(
        &self,
        asking: &Asking<'_>,
        challenge: &Challenge,
        refused: Option<&HeaderValue>,
    ) -> Result<HeaderValue, Denied> {
        let host = &asking.endpoint.auth_host;
        if challenge.scheme == "basic" {
            let credential = asking
                .auth
                .lookup(host, &asking.endpoint.repository(asking.repository))
                .await
                .map_err(Denied::Local)?;
            let header = match credential {
                Some(Credential::Basic { username, password }) => basic(&username, &password)?,
                Some(_) => {
                    return Err(Denied::Hint(format!(
                        "{host} wants user name and password, but only a token is known"
                    )));
                }
                None => return Err(log_in(host)),
            };
            return if refused == Some(&header) {
                Err(wrong(host))
            } else {
                Ok(header)
            };
        }
        let scopes = merge_scopes(asking.scopes, challenge.parameters.get("scope"));
        let slot = {
            let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
            let key = (asking.endpoint.host.clone(), scopes.join(" "));
            Arc::clone(slots.entry(key).or_default())
        };
        // Held while asking: parallel layers wait for one token instead of fetching one each.
        let mut slot = slot.lock().await;
        if let Some(granted) = slot.as_ref()
            && granted.until > Instant::now()
            && refused != Some(&granted.header)
        {
            return Ok(granted.header.clone());
        }
        let granted = fetch(asking, challenge, &scopes).await?;
        let header = granted.header.clone();
        *slot = Some(granted);
        Ok(header)
    }
}

fn log_in(host: &str) -> Denied {
    Denied::Hint(format!(
        "it may be private or not exist; `docker login {host}` or `podman login {host}` gives nsci credentials"
    ))
}

fn wrong(host: &str) -> Denied {
    Denied::Hint(format!(
        "the credentials for {host} are not accepted; log in again"
    ))
}

fn basic(username: &str, password: &str) -> Result<HeaderValue, Denied> {
    sensitive(&format!(
        "Basic {}",
        STANDARD.encode(format!("{username}:{password}"))
    ))
    .ok_or_else(|| Denied::Hint("the credentials cannot be sent in a header".into()))
}

fn bearer(token: &str) -> Result<HeaderValue, Denied> {
    sensitive(&format!("Bearer {token}"))
        .ok_or_else(|| Denied::Hint("the token cannot be sent in a header".into()))
}

fn merge_scopes(ours: &[String], theirs: Option<&String>) -> Vec<String> {
    let theirs = theirs
        .map(String::as_str)
        .unwrap_or_default()
        .split_ascii_whitespace();
    let all: BTreeSet<&str> = ours.iter().map(String::as_str).chain(theirs).collect();
    all.into_iter().map(str::to_owned).collect()
}

#[derive(Deserialize)]
struct TokenAnswer {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

async fn fetch(
    asking: &Asking<'_>,
    challenge: &Challenge,
    scopes: &[String],
) -> Result<Granted, Denied> {
    let host = &asking.endpoint.auth_host;
    let realm = challenge
        .parameters
        .get("realm")
        .and_then(|r| Url::parse(r).ok());
    let realm = realm.ok_or_else(|| Denied::Hint("its token service has no valid URL".into()))?;
    let credential = asking
        .auth
        .lookup(host, &asking.endpoint.repository(asking.repository))
        .await
        .map_err(Denied::Local)?;
    if credential.is_some() && realm.scheme() != "https" && !asking.endpoint.plain_http {
        return Err(Denied::Hint(format!(
            "its token service {} is not encrypted, so no credentials are sent there",
            bare(&realm)
        )));
    }
    let service = challenge.parameters.get("service").map(String::as_str);
    let call = match &credential {
        Some(Credential::RegistryToken(token)) => {
            let until = Instant::now() + Duration::from_secs(3600);
            return Ok(Granted {
                header: bearer(token)?,
                until,
            });
        }
        Some(Credential::IdentityToken(token)) => refresh_call(realm, service, scopes, token),
        Some(Credential::Basic { username, password }) => {
            let mut call = token_call(realm, service, scopes);
            call.headers
                .insert(AUTHORIZATION, basic(username, password)?);
            call
        }
        None => token_call(realm, service, scopes),
    };
    let asked = Instant::now();
    let response = asking
        .http
        .send(&call, &asking.endpoint.tls, asking.patience)
        .await
        .map_err(|fault| match fault {
            Fault::NoAnswer(no, _) => Denied::NoAnswer(no.url, no.source),
            Fault::Local(error) => Denied::Local(error),
        })?;
    let status = response.status();
    if matches!(status.as_u16(), 400 | 401 | 403) {
        return Err(if credential.is_some() {
            wrong(host)
        } else {
            log_in(host)
        });
    }
    let url = bare(&call.url);
    if !status.is_success() {
        return Err(Denied::NoAnswer(
            url,
            format!("status {}", status.as_u16()).into(),
        ));
    }
    let bytes = response
        .bytes()
        .await
        .map_err(|e| Denied::NoAnswer(url.clone(), Box::new(e.without_url())))?;
    let answer: TokenAnswer = serde_json::from_slice(&bytes)
        .map_err(|_| Denied::NoAnswer(url.clone(), "its answer is not a token".into()))?;
    let token = answer
        .token
        .filter(|t| !t.is_empty())
        .or(answer.access_token)
        .ok_or_else(|| Denied::NoAnswer(url, "its answer holds no token".into()))?;
    let life = answer.expires_in.map_or(DEFAULT_LIFE, Duration::from_secs);
    Ok(Granted {
        header: bearer(&token)?,
        until: asked + life.saturating_sub(MARGIN),
    })
}

fn token_call(mut realm: Url, service: Option<&str>, scopes: &[String]) -> Call {
    {
        let mut query = realm.query_pairs_mut();
        if let Some(service) = service {
            query.append_pair("service", service);
        }
        for scope in scopes {
            query.append_pair("scope", scope);
        }
    }
    Call::new(Method::GET, realm)
}

fn refresh_call(realm: Url, service: Option<&str>, scopes: &[String], token: &str) -> Call {
    let mut form = realm.clone();
    form.set_query(None);
    form.query_pairs_mut()
        .append_pair("grant_type", "refresh_token")
        .append_pair("service", service.unwrap_or_default())
        .append_pair("client_id", "nsci")
        .append_pair("scope", &scopes.join(" "))
        .append_pair("refresh_token", token);
    let mut call = Call::new(Method::POST, realm);
    call.headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static("application/x-www-form-urlencoded"),
    );
    let form = form.query().unwrap_or_default();
    call.payload = Payload::Bytes(form.as_bytes().to_vec());
    call
}

/// Parses `Bearer realm="…",service="…", Basic realm="…"`; schemes and keys come out in lower case.
fn parse_challenges(text: &str) -> Vec<Challenge> {
    let mut challenges: Vec<Challenge> = Vec::new();
    let mut rest = text.trim_start_matches([' ', ',']);
    while !rest.is_empty() {
        let end = rest.find([' ', '=', ',']).unwrap_or(rest.len());
        let (word, after) = rest.split_at(end);
        let after_spaces = after.trim_start();
        if let Some(value) = after_spaces.strip_prefix('=') {
            let (value, after) = parse_value(value.trim_start());
            if let Some(challenge) = challenges.last_mut() {
                challenge
                    .parameters
                    .insert(word.to_ascii_lowercase(), value);
            }
            rest = after;
        } else {
            challenges.push(Challenge {
                scheme: word.to_ascii_lowercase(),
                parameters: HashMap::new(),
            });
            rest = after;
        }
        rest = rest.trim_start_matches([' ', ',']);
    }
    challenges
}

fn parse_value(text: &str) -> (String, &str) {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find([',', ' ']).unwrap_or(text.len());
        return (text[..end].to_owned(), &text[end..]);
    };
    let mut value = String::new();
    let mut escaped = false;
    for (at, c) in quoted.char_indices() {
        match c {
            '\\' if !escaped => escaped = true,
            '"' if !escaped => return (value, &quoted[at + 1..]),
            c => {
                value.push(c);
                escaped = false;
            }
        }
    }
    (value, "")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_taken_apart() {
        type Wanted<'a> = &'a [(&'a str, &'a [(&'a str, &'a str)])];
        let cases: [(&str, Wanted<'_>); 5] = [
            (
                r#"Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:a/b:pull,push""#,
                &[(
                    "bearer",
                    &[
                        ("realm", "https://auth.docker.io/token"),
                        ("service", "registry.docker.io"),
                        ("scope", "repository:a/b:pull,push"),
                    ],
                )],
            ),
            (
                r#"Basic realm="a \"b\"", Bearer Realm=x , service = y"#,
                &[
                    ("basic", &[("realm", "a \"b\"")]),
                    ("bearer", &[("realm", "x"), ("service", "y")]),
                ],
            ),
            (
                "Negotiate, Basic realm=\"r",
                &[("negotiate", &[]), ("basic", &[("realm", "r")])],
            ),
            ("", &[]),
            ("=x", &[]),
        ];
        for (text, wanted) in cases {
            let got = parse_challenges(text);
            assert_eq!(got.len(), wanted.len(), "{text}: {got:?}");
            for (got, (scheme, parameters)) in got.iter().zip(wanted) {
                assert_eq!(got.scheme, *scheme);
                let wanted: HashMap<String, String> = parameters
                    .iter()
                    .map(|(k, v)| ((*k).into(), (*v).into()))
                    .collect();
                assert_eq!(got.parameters, wanted, "{text}");
            }
        }
    }

    #[test]
    fn scopes_are_asked_for_once_each() {
        let ours = [
            "repository:a:pull".to_owned(),
            "repository:b:pull".to_owned(),
        ];
        let theirs = "repository:b:pull repository:c:pull".to_owned();
        assert_eq!(
            merge_scopes(&ours, Some(&theirs)),
            [
                "repository:a:pull",
                "repository:b:pull",
                "repository:c:pull"
            ]
        );
    }
}
