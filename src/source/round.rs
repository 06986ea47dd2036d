//! Asking the endpoints of a registry in turn: why one did not help, and whom to ask next.

use std::sync::PoisonError;
use std::time::{Duration, Instant};

use reqwest::Response;

use super::endpoint::{Endpoint, Route, endpoints, upstream};
use super::http::{Patience, bare, root_cause};
use super::registry::Shared;
use super::token::Denied;
use super::{Attempt, BoxError, Error, Reference, Tried};

/// How long the first wait before another try is.
const FIRST_WAIT: Duration = Duration::from_millis(250);
/// How long a mirror that did not answer is passed over.
const MIRROR_REST: Duration = Duration::from_secs(60);

/// Why one endpoint did not help; the next may.
#[derive(Debug)]
pub(super) enum Miss {
    NotFound {
        url: String,
    },
    Denied {
        url: String,
        hint: String,
    },
    Status {
        url: String,
        status: u16,
        message: String,
    },
    NoAnswer {
        url: String,
        source: BoxError,
    },
    Wrong(Error),
    /// Nothing another endpoint could mend.
    Local(Error),
}

impl Miss {
    fn attempt(&self) -> Attempt {
        let (url, problem) = match self {
            Self::NotFound { url } => (url.clone(), "not found".to_owned()),
            Self::Denied { url, .. } => (url.clone(), "not authorized".to_owned()),
            Self::Status {
                url,
                status,
                message,
            } => (url.clone(), format!("{status} {message}")),
            Self::NoAnswer { url, source } => (url.clone(), source.to_string()),
            Self::Wrong(error) | Self::Local(error) => (String::new(), error.to_string()),
        };
        Attempt { url, problem }
    }

    pub(super) fn into_error(self, reference: &Reference, earlier: Vec<Attempt>) -> Error {
        let image = reference.to_string();
        match self {
            Self::NotFound { .. } => {
                let mut tried = earlier;
                tried.push(self.attempt());
                Error::NotFound {
                    image,
                    tried: Tried(tried),
                }
            }
            Self::Denied { hint, .. } => Error::Unauthorized {
                registry: reference.registry().to_owned(),
                image,
                hint,
                tried: Tried(earlier),
            },
            Self::Status {
                url,
                status,
                message,
            } => Error::Status {
                url,
                status,
                message,
                tried: Tried(earlier),
            },
            Self::NoAnswer { url, source } => Error::Unreachable {
                url,
                source,
                tried: Tried(earlier),
            },
            Self::Wrong(error) | Self::Local(error) => error,
        }
    }
}

impl From<Denied> for Miss {
    fn from(denied: Denied) -> Self {
        match denied {
            Denied::Hint(hint) => Self::Denied {
                url: String::new(),
                hint,
            },
            Denied::NoAnswer(url, source) => Self::NoAnswer { url, source },
            Denied::Local(error) => Self::Local(error),
        }
    }
}

/// One pass over the endpoints of a registry: mirrors, then itself.
pub(super) struct Round<'a> {
    shared: &'a Shared,
    reference: &'a Reference,
    left: std::vec::IntoIter<Endpoint>,
    current: Option<Endpoint>,
    earlier: Vec<Attempt>,
}

impl<'a> Round<'a> {
    pub(super) fn new(shared: &'a Shared, reference: &'a Reference) -> Self {
        let list = shared.endpoints(reference.registry());
        Self {
            shared,
            reference,
            left: list.into_iter(),
            current: None,
            earlier: Vec::new(),
        }
    }

    /// Whom to ask now, and how patiently: with somewhere else to go, patience is short.
    pub(super) fn next(&mut self) -> (Endpoint, Patience) {
        let retries = self.shared.config.pull.retries;
        loop {
            let endpoint = self
                .left
                .next()
                .expect("`missed` ends the round at the last endpoint");
            let last = self.left.len() == 0;
            if !last && self.shared.is_resting(&endpoint) {
                let problem = "did not answer before".to_owned();
                self.earlier.push(Attempt {
                    url: endpoint.host,
                    problem,
                });
                continue;
            }
            self.current = Some(endpoint.clone());
            let retries = if last { retries } else { retries.min(1) };
            return (
                endpoint,
                Patience {
                    retries,
                    first_wait: FIRST_WAIT,
                },
            );
        }
    }

    /// Notes a failure; the round goes on unless that was the last hope.
    pub(super) fn missed(&mut self, miss: Miss) -> Result<(), Error> {
        if let Miss::Local(error) = miss {
            return Err(error);
        }
        if self.left.len() == 0 {
            return Err(miss.into_error(self.reference, std::mem::take(&mut self.earlier)));
        }
        match (&miss, &self.current) {
            (Miss::NoAnswer { .. }, Some(endpoint)) => self.shared.rest(endpoint),
            (Miss::Wrong(error), _) => {
                self.shared
                    .events
                    .warn(format!("{error}; trying elsewhere"));
            }
            _ => {}
        }
        self.earlier.push(miss.attempt());
        Ok(())
    }
}

impl Shared {
    fn route_to(&self, registry: &str) -> Option<Route> {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        routes.get(registry).cloned()
    }

    /// Whom to ask about a registry, in order. A registry that is somewhere else has no mirrors.
    pub(super) fn endpoints(&self, registry: &str) -> Vec<Endpoint> {
        if self
            .route_to(registry)
            .is_some_and(|route| route.host.is_some())
        {
            return vec![self.upstream(registry)];
        }
        let list = endpoints(registry, |host| self.config.registry(host));
        let routed = |endpoint: Endpoint| match endpoint.mirror {
            true => endpoint,
            false => self.upstream(registry),
        };
        list.into_iter().map(routed).collect()
    }

    /// The registry itself, which alone can be written to.
    pub(super) fn upstream(&self, registry: &str) -> Endpoint {
        let config = self.config.registry(registry);
        match self.route_to(registry) {
            Some(route) => route.endpoint(registry, config),
            None => upstream(registry, config),
        }
    }

    fn is_resting(&self, endpoint: &Endpoint) -> bool {
        let resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        resting
            .get(&endpoint.host)
            .is_some_and(|since| since.elapsed() < MIRROR_REST)
    }

    fn rest(&self, endpoint: &Endpoint) {
        let mut resting = self.resting.lock().unwrap_or_else(PoisonError::into_inner);
        if resting
            .insert(endpoint.host.clone(), Instant::now())
            .is_none()
        {
            self.events.warn(format!(
                "registry mirror {} does not answer; going on without",
                endpoint.host
            ));
        }
    }
}

/// Turns the status of an answer into a verdict.
pub(super) async fn judge(endpoint: &Endpoint, response: Response) -> Result<Response, Miss> {
    let status = response.status();
    if status.is_success() {
        return Ok(response);
    }
    let url = bare(response.url());
    match status.as_u16() {
        404 => Err(Miss::NotFound { url }),
        401 | 403 => {
            let message = complaint(response).await;
            Err(Miss::Denied {
                url,
                hint: format!("{} says: {message}", endpoint.host),
            })
        }
        status => Err(Miss::Status {
            url,
            status,
            message: complaint(response).await,
        }),
    }
}

/// What a registry says about an error, in one line.
async fn complaint(response: Response) -> String {
    #[derive(serde::Deserialize)]
    struct Errors {
        errors: Vec<One>,
    }
    #[derive(serde::Deserialize)]
    #[serde(default)]
    #[derive(Default)]
    struct One {
        code: String,
        message: String,
    }
    let reason = response
        .status()
        .canonical_reason()
        .unwrap_or("unknown status")
        .to_lowercase();
    let Ok(bytes) = body(response, 64 << 10).await else {
        return reason;
    };
    let Ok(parsed) = serde_json::from_slice::<Errors>(&bytes) else {
        // Proxies and Go's own server answer in plain words.
        let words = std::str::from_utf8(&bytes).unwrap_or_default().trim();
        let plain = !words.is_empty() && words.len() <= 200 && !words.contains(['<', '{', '\n']);
        return if plain { words.to_owned() } else { reason };
    };
    let Some(first) = parsed.errors.into_iter().next() else {
        return reason;
    };
    let text = if first.message.is_empty() {
        first.code
    } else {
        first.message
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(300).collect();
    if text.is_empty() { reason } else { text }
}

/// Reads a whole answer that must be small.
pub(super) async fn body(mut response: Response, limit: u64) -> Result<Vec<u8>, Miss> {
    let url = bare(response.url());
    let mut bytes = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => bytes.extend_from_slice(&chunk),
            Ok(None) => return Ok(bytes),
            Err(error) => {
                return Err(Miss::NoAnswer {
                    url,
                    source: root_cause(&error).into(),
                });
            }
        }
        if bytes.len() as u64 > limit {
            return Err(Miss::Wrong(Error::Malformed {
                what: format!("answer of {url}"),
                reason: format!("it is longer than {limit} bytes"),
            }));
        }
    }
}
