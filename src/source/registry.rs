//! Client of the OCI distribution protocol: resolves references and opens blobs.
//!
//! [`RegistryClient`] is cheap to clone and lives as long as a session. Mirrors are asked first; manifests and
//! configs are kept in the blob store, so a reference with a digest needs no network twice. Bytes are
//! never believed: manifests are checked here, blobs by [`pull`](super::pull).
//!
//! # References
//! - [OCI distribution-spec 1.1](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md)

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use oci_spec::image::{Descriptor, Digest};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue, RANGE};
use reqwest::{Method, Response, StatusCode, Url};

use crate::config::Config;
use crate::event::Events;

use super::auth::{AuthSources, AuthStore, RegistryAuth};
use super::blob_body::BlobBody;
use super::endpoint::{Endpoint, Route};
use super::http::{Call, Fault, Http, Patience, bare, header};
use super::image::{
    DOCKER_LIST, DOCKER_MANIFEST, Document, Manifest, OCI_INDEX, OCI_MANIFEST, Parts, choose,
    sha256, verify,
};
use super::payload::Payload;
use super::round::{Miss, Round, body, judge};
use super::token::{Asking, Denied, Tokens};
use super::transports::ProxyAccess;
use super::{BlobStore, Error, Platform, Reference, Resolved, TagStore, store};

const MAX_MANIFEST: u64 = 8 << 20;
const MAX_CONFIG: u64 = 32 << 20;
const MAX_INDEX_DEPTH: usize = 3;

/// What a client is made of.
#[derive(Debug)]
pub struct ClientOptions {
    /// Registries, mirrors, proxies, retries and tag TTL.
    pub config: Config,
    /// Where credentials are.
    pub auth: AuthSources,
    /// Keeps manifests and configs.
    pub blobs: Arc<dyn BlobStore>,
    /// Keeps what tags meant; without it every tag is asked for.
    pub tags: Option<Arc<dyn TagStore>>,
    /// Takes warnings.
    pub events: Events,
}

/// Client for every registry.
#[derive(Debug, Clone)]
pub struct RegistryClient {
    pub(super) shared: Arc<Shared>,
    auth: Arc<AuthStore>,
    /// Not shared between clients with different credentials.
    tokens: Arc<Tokens>,
}

#[derive(Debug)]
pub(super) struct Shared {
    http: Http,
    pub(super) config: Config,
    blobs: Arc<dyn BlobStore>,
    tags: Option<Arc<dyn TagStore>>,
    pub(super) events: Events,
    pub(super) resting: Mutex<HashMap<String, Instant>>,
    /// Ways to registries that this process was told.
    pub(super) routes: Mutex<HashMap<String, Route>>,
}

/// One request to a repository.
#[derive(Debug, Clone)]
pub struct ApiCall<'a> {
    /// HTTP method.
    pub method: Method,
    /// What follows `/v2/<repository>/`, such as `blobs/sha256:…`.
    pub path: &'a str,
    /// Headers besides `Authorization`.
    pub headers: HeaderMap,
    /// Body, sent again on retries.
    pub payload: Payload,
    /// Token scopes, such as `repository:a/b:pull,push`, with the repository named as the user does.
    pub scopes: Vec<String>,
}

impl<'a> ApiCall<'a> {
    /// A request that only reads from `repository`.
    #[must_use]
    pub fn read(method: Method, path: &'a str) -> Self {
        Self {
            method,
            path,
            headers: HeaderMap::new(),
            payload: Payload::None,
            scopes: Vec::new(),
        }
    }
}

/// A manifest or index as it came.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// Digest of the bytes.
    pub digest: Digest,
    /// The bytes.
    pub bytes: Arc<[u8]>,
    /// What the server called them, if it was asked.
    pub media_type: Option<String>,
}

impl RegistryClient {
    /// Makes a client; nothing is read or contacted yet.
    #[must_use]
    pub fn new(options: ClientOptions) -> Self {
        let ClientOptions {
            config,
            mut auth,
            blobs,
            tags,
            events,
        } = options;
        for (host, registry) in &config.registries {
            if let Some(helper) = &registry.credential_helper {
                auth.helpers.insert(host.clone(), helper.clone());
            }
        }
        let auth = Arc::new(AuthStore::new(auth, events.clone()));
        let http = Http::new(config.network.clone());
        let resting = Mutex::default();
        let shared = Shared {
            http,
            config,
            blobs,
            tags,
            events,
            resting,
            routes: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
            auth,
            tokens: Arc::default(),
        }
    }

    /// The same client with credentials of one call in front (`withRegistryAuth`).
    #[must_use]
    pub fn with_auth(&self, explicit: &[RegistryAuth]) -> Self {
        if explicit.is_empty() {
            return self.clone();
        }
        Self {
            shared: Arc::clone(&self.shared),
            auth: Arc::new(self.auth.with(explicit)),
            tokens: Arc::default(),
        }
    }

    /// Reaches a registry another way from now on, in all clients that came out of one.
    pub fn route(&self, registry: &str, route: Route) {
        let routes = self.shared.routes.lock();
        let mut routes = routes.unwrap_or_else(PoisonError::into_inner);
        routes.insert(registry.to_owned(), route);
    }

    /// What skopeo needs to read from the same registry itself; it does not know our mirrors.
    ///
    /// # Errors
    /// [`Error::Credentials`].
    pub async fn proxy_access(&self, reference: &Reference) -> Result<ProxyAccess, Error> {
        let credential = self
            .auth
            .lookup(reference.registry(), reference.repository())
            .await?;
        let list = self.shared.endpoints(reference.registry());
        let insecure = list
            .iter()
            .any(|endpoint| !endpoint.mirror && (endpoint.plain_http || endpoint.tls.insecure));
        Ok(ProxyAccess {
            credential,
            insecure,
        })
    }

    /// Finds out everything about an image but the contents of its layers.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::Unauthorized`], [`Error::Unreachable`], [`Error::NoPlatform`],
    /// [`Error::Unsupported`].
    pub async fn resolve(
        &self,
        reference: &Reference,
        platform: &Platform,
    ) -> Result<Resolved, Error> {
        let name: Arc<str> = reference.to_string().into();
        let top = self.manifest(reference).await?;
        let digest = top.digest.clone();
        let (chosen, manifest) = self.descend(reference, &name, top, platform).await?;
        let config_bytes = self.config(reference, &manifest.config).await?;
        let resolved = Resolved::assemble(Parts {
            name,
            digest,
            manifest_digest: chosen.digest,
            manifest_bytes: chosen.bytes,
            manifest,
            config_bytes,
        })?;
        if resolved.platform.os != platform.os || resolved.platform.arch != platform.arch {
            self.shared.events.warn(format!(
                "image {} is for {}, not {platform}",
                resolved.name, resolved.platform
            ));
        }
        Ok(resolved)
    }

    /// Follows indexes down to the manifest for a platform.
    async fn descend(
        &self,
        reference: &Reference,
        name: &str,
        top: Fetched,
        platform: &Platform,
    ) -> Result<(Fetched, Box<Manifest>), Error> {
        let mut current = top;
        for _ in 0..MAX_INDEX_DEPTH {
            match Document::parse(name, &current.bytes, current.media_type.as_deref())? {
                Document::Manifest(manifest) => return Ok((current, manifest)),
                Document::Index(entries) => {
                    let entry = choose(name, &entries, platform)?;
                    current = self
                        .manifest(&reference.with_digest(entry.digest.clone()))
                        .await?;
                }
            }
        }
        Err(Error::Malformed {
            what: format!("index of {name}"),
            reason: format!("indexes are nested deeper than {MAX_INDEX_DEPTH}"),
        })
    }

    /// Asks what a tag means now, without fetching it. A pinned reference is its own answer.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn digest(&self, reference: &Reference) -> Result<Digest, Error> {
        if let Some(digest) = reference.digest() {
            return Ok(digest.clone());
        }
        match self.head(reference).await? {
            Some(digest) => Ok(digest),
            None => Ok(self.fetch_manifest(reference).await?.digest),
        }
    }

    /// Fetches the manifest or index a reference points at, from the blob store where possible.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn manifest(&self, reference: &Reference) -> Result<Fetched, Error> {
        if let Some(digest) = reference.digest() {
            if let Some(found) = self.stored(digest) {
                return Ok(found);
            }
            return self.fetch_manifest(reference).await;
        }
        if let Some((digest, age)) = self.remembered(reference)
            && let Some(found) = self.stored(&digest)
        {
            if age < self.shared.config.tag_ttl {
                return Ok(found);
            }
            match self.head(reference).await {
                Ok(Some(now)) if now == digest => {
                    self.remember(reference, &digest);
                    return Ok(found);
                }
                // Some registries do not know HEAD; GET tells.
                Ok(_) | Err(Error::Status { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        let fetched = self.fetch_manifest(reference).await?;
        self.remember(reference, &fetched.digest);
        Ok(fetched)
    }

    fn remembered(&self, reference: &Reference) -> Option<(Digest, Duration)> {
        self.shared.tags.as_ref()?.get(&reference.to_string())
    }

    pub(super) fn remember(&self, reference: &Reference, digest: &Digest) {
        if let Some(tags) = &self.shared.tags {
            tags.put(&reference.to_string(), digest);
        }
    }

    /// A small blob from the store, if it is there and sound.
    fn stored(&self, digest: &Digest) -> Option<Fetched> {
        let bytes = store::read(&self.shared.blobs, digest).ok().flatten()?;
        verify(String::new, &bytes, digest).ok()?;
        Some(Fetched {
            digest: digest.clone(),
            bytes: bytes.into(),
            media_type: None,
        })
    }

    fn keep(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        store::write(&self.shared.blobs, digest, bytes).map_err(Error::io(format!(
            "write {}",
            self.shared.blobs.path(digest).display()
        )))
    }

    async fn head(&self, reference: &Reference) -> Result<Option<Digest>, Error> {
        let path = format!("manifests/{}", reference.target());
        let mut call = ApiCall::read(Method::HEAD, &path);
        call.headers.insert(ACCEPT, accept());
        let response = self.call(reference, &call).await?;
        Ok(header(&response, "docker-content-digest").and_then(|d| d.parse().ok()))
    }

    async fn fetch_manifest(&self, reference: &Reference) -> Result<Fetched, Error> {
        let path = format!("manifests/{}", reference.target());
        let mut call = ApiCall::read(Method::GET, &path);
        call.headers.insert(ACCEPT, accept());
        let mut round = Round::new(&self.shared, reference);
        let fetched = loop {
            let (endpoint, patience) = round.next();
            match self
                .manifest_from(&endpoint, reference, &call, patience)
                .await
            {
                Ok(fetched) => break fetched,
                Err(miss) => round.missed(miss)?,
            }
        };
        self.keep(&fetched.digest, &fetched.bytes)?;
        Ok(fetched)
    }

    async fn manifest_from(
        &self,
        endpoint: &Endpoint,
        reference: &Reference,
        call: &ApiCall<'_>,
        patience: Patience,
    ) -> Result<Fetched, Miss> {
        let response = self
            .call_endpoint(endpoint, reference, call, patience)
            .await?;
        let media_type = header(&response, "content-type")
            .map(|t| t.split(';').next().unwrap_or(t).trim().to_owned());
        let claimed =
            header(&response, "docker-content-digest").and_then(|d| d.parse::<Digest>().ok());
        let bytes = body(response, MAX_MANIFEST).await?;
        let expected = reference.digest().or(claimed.as_ref());
        if let Some(expected) = expected {
            let what = || format!("manifest of {reference} from {}", endpoint.host);
            verify(what, &bytes, expected).map_err(Miss::Wrong)?;
        }
        let digest = expected.cloned().unwrap_or_else(|| sha256(&bytes));
        Ok(Fetched {
            digest,
            bytes: bytes.into(),
            media_type,
        })
    }

    async fn config(&self, image: &Reference, config: &Descriptor) -> Result<Arc<[u8]>, Error> {
        let digest = config.digest();
        if let Some(found) = self.stored(digest) {
            return Ok(found.bytes);
        }
        if config.size() > MAX_CONFIG {
            return Err(Error::Malformed {
                what: format!("config of {image}"),
                reason: format!("it has {} bytes", config.size()),
            });
        }
        let mut round = Round::new(&self.shared, image);
        let bytes = loop {
            let (endpoint, patience) = round.next();
            match self.config_from(&endpoint, image, digest, patience).await {
                Ok(bytes) => break bytes,
                Err(miss) => round.missed(miss)?,
            }
        };
        self.keep(digest, &bytes)?;
        Ok(bytes.into())
    }

    async fn config_from(
        &self,
        endpoint: &Endpoint,
        image: &Reference,
        digest: &Digest,
        patience: Patience,
    ) -> Result<Vec<u8>, Miss> {
        let path = format!("blobs/{digest}");
        let call = ApiCall::read(Method::GET, &path);
        let response = self.call_endpoint(endpoint, image, &call, patience).await?;
        let bytes = body(response, MAX_CONFIG).await?;
        let what = || format!("config of {image} from {}", endpoint.host);
        verify(what, &bytes, digest).map_err(Miss::Wrong)?;
        Ok(bytes)
    }

    /// Opens a blob for reading from byte `offset` on. Nothing about its bytes is checked here.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn open_blob(
        &self,
        reference: &Reference,
        digest: &Digest,
        offset: u64,
    ) -> Result<BlobBody, Error> {
        let path = format!("blobs/{digest}");
        let mut call = ApiCall::read(Method::GET, &path);
        if offset > 0
            && let Ok(range) = HeaderValue::from_str(&format!("bytes={offset}-"))
        {
            call.headers.insert(RANGE, range);
        }
        let response = self.call(reference, &call).await?;
        let skip = if response.status() == StatusCode::PARTIAL_CONTENT {
            let start = header(&response, "content-range").and_then(range_start);
            match start {
                Some(start) if start <= offset => offset - start,
                _ => {
                    return Err(Error::Malformed {
                        what: format!("answer of {}", bare(response.url())),
                        reason: "it is another range than asked for".into(),
                    });
                }
            }
        } else {
            offset
        };
        Ok(BlobBody::answer(response, skip))
    }

    /// Sends a request to the first endpoint of a registry that answers well.
    ///
    /// # Errors
    /// As [`resolve`](Self::resolve).
    pub async fn call(&self, reference: &Reference, call: &ApiCall<'_>) -> Result<Response, Error> {
        let mut round = Round::new(&self.shared, reference);
        loop {
            let (endpoint, patience) = round.next();
            match self
                .call_endpoint(&endpoint, reference, call, patience)
                .await
            {
                Ok(response) => return Ok(response),
                Err(miss) => round.missed(miss)?,
            }
        }
    }

    /// One endpoint: the token dance, then the answer's status.
    pub(super) async fn call_endpoint(
        &self,
        endpoint: &Endpoint,
        reference: &Reference,
        call: &ApiCall<'_>,
        patience: Patience,
    ) -> Result<Response, Miss> {
        let url = endpoint
            .url(reference.repository(), call.path)
            .map_err(Miss::Local)?;
        self.exchange(endpoint, reference, call, url, patience)
            .await
    }

    /// The same for a URL that an endpoint gave out; who we are stays a secret from other hosts.
    pub(super) async fn exchange(
        &self,
        endpoint: &Endpoint,
        reference: &Reference,
        call: &ApiCall<'_>,
        url: Url,
        patience: Patience,
    ) -> Result<Response, Miss> {
        let is_own = endpoint
            .url(reference.repository(), "")
            .is_ok_and(|own| own.origin() == url.origin());
        let shown = bare(&url);
        let repository = endpoint.repository(reference.repository());
        let scopes = if call.scopes.is_empty() {
            vec![format!("repository:{repository}:pull")]
        } else {
            call.scopes.clone()
        };
        let asking = Asking {
            http: &self.shared.http,
            auth: &self.auth,
            endpoint,
            repository: reference.repository(),
            scopes: &scopes,
            patience,
        };
        let denied = |denied| match Miss::from(denied) {
            Miss::Denied { hint, .. } => Miss::Denied {
                url: shown.clone(),
                hint,
            },
            other => other,
        };
        let mut request = Call {
            method: call.method.clone(),
            url,
            headers: call.headers.clone(),
            payload: call.payload.clone(),
        };
        let mut sent = match is_own {
            // What it wants for one repository it may not want for all; if it does, it says so again.
            true => match self.tokens.known(&asking).await {
                Err(Denied::Hint(_)) => None,
                known => known.map_err(denied)?,
            },
            false => None,
        };
        // Bare or with a remembered header, then with a fresh one.
        for last in [false, true] {
            if let Some(header) = &sent {
                request.headers.insert(AUTHORIZATION, header.clone());
            }
            let response = self
                .shared
                .http
                .send(&request, &endpoint.tls, patience)
                .await
                .map_err(|fault| match fault {
                    Fault::NoAnswer(no, _) => Miss::NoAnswer {
                        url: no.url,
                        source: no.source,
                    },
                    Fault::Local(error) => Miss::Local(error),
                })?;
            if response.status() != StatusCode::UNAUTHORIZED || !is_own {
                return judge(endpoint, response).await;
            }
            if last {
                break;
            }
            let answer = self
                .tokens
                .answer(&asking, response.headers(), sent.as_ref())
                .await;
            sent = Some(answer.map_err(denied)?);
        }
        let host = &endpoint.auth_host;
        let known = self.auth.lookup(host, &repository).await;
        let hint = match known.map_err(Miss::Local)? {
            Some(_) => format!(
                "the credentials for {host} are not accepted; `docker login {host}` with an account that may use it"
            ),
            None => format!(
                "it may be private or not exist; `docker login {host}` with an account that may use it"
            ),
        };
        Err(Miss::Denied { url: shown, hint })
    }
}

pub(super) fn accept() -> HeaderValue {
    let all = [OCI_INDEX, OCI_MANIFEST, DOCKER_LIST, DOCKER_MANIFEST].join(", ");
    HeaderValue::from_str(&all).expect("media types are ASCII")
}

/// First byte of `bytes 5-9/10`.
fn range_start(text: &str) -> Option<u64> {
    text.trim()
        .strip_prefix("bytes ")?
        .split('-')
        .next()?
        .trim()
        .parse()
        .ok()
}
