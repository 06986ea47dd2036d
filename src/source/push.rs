//! Pushing: blobs that a registry lacks, then the manifests that name them.
//!
//! A [`Pusher`] writes to one repository. For each blob [`Pusher::slot`] finds out whether anything has to be sent: a blob
//! that is there, or that the registry can take over from another of its repositories, is not. Large blobs travel in
//! chunks; when a connection breaks, the registry is asked how much it has. Mirrors are never written to.
//!
//! # References
//! - [OCI distribution-spec 1.1, push](https://github.com/opencontainers/distribution-spec/blob/v1.1.0/spec.md#push)

use std::fs::File;
use std::sync::Arc;
use std::time::Duration;

use oci_spec::image::Digest;
use reqwest::header::{ACCEPT, CONTENT_RANGE, CONTENT_TYPE, HeaderValue, LOCATION, RANGE};
use reqwest::{Method, Response, Url};

use super::endpoint::Endpoint;
use super::http::{Patience, header};
use super::payload::{FilePart, Payload, Sent};
use super::registry::{ApiCall, RegistryClient, accept};
use super::round::Miss;
use super::{Error, Reference};

/// Blobs up to this size are sent in one request.
const CHUNK: u64 = 64 << 20;
const FIRST_WAIT: Duration = Duration::from_millis(250);

/// Where to push and how to get there.
#[derive(Debug, Clone)]
pub struct PushTarget {
    /// The image's name.
    pub reference: Reference,
    /// Plain HTTP or TLS, whatever the configuration says.
    pub plain_http: Option<bool>,
    /// Whether certificates are not checked, besides what the configuration says.
    pub insecure: bool,
}

impl From<Reference> for PushTarget {
    fn from(reference: Reference) -> Self {
        Self {
            reference,
            plain_http: None,
            insecure: false,
        }
    }
}

/// Writes to one repository.
#[derive(Debug, Clone)]
pub struct Pusher {
    client: RegistryClient,
    reference: Reference,
    endpoint: Endpoint,
    chunk: u64,
    retries: u32,
}

/// What has to be done about a blob.
#[derive(Debug)]
pub enum Slot {
    /// It is there.
    Present,
    /// The registry took it over from another repository.
    Mounted,
    /// It has to be sent.
    Wanted(Upload),
}

/// An upload that was begun.
#[derive(Debug)]
pub struct Upload {
    location: Url,
}

/// A registry as seen from an upload.
enum Step {
    Done,
    /// Where to go on, and how much the registry has.
    Next(Url, u64),
}

impl Pusher {
    /// Prepares to write; nothing is contacted yet.
    #[must_use]
    pub fn new(client: RegistryClient, target: PushTarget) -> Self {
        let registry = target.reference.registry();
        let mut endpoint = client.shared.upstream(registry);
        if let Some(plain_http) = target.plain_http {
            endpoint.plain_http = plain_http;
        }
        endpoint.tls.insecure |= target.insecure;
        Self {
            retries: client.shared.config.pull.retries,
            client,
            reference: target.reference,
            endpoint,
            chunk: CHUNK,
        }
    }

    /// The same with chunks of another size.
    #[must_use]
    pub fn with_chunk(self, chunk: u64) -> Self {
        Self { chunk, ..self }
    }

    /// What the tag points at now; nothing if there is no such image.
    ///
    /// # Errors
    /// [`Error::PushDenied`] and [`Error::Unreachable`].
    pub async fn tagged(&self) -> Result<Option<Digest>, Error> {
        let path = format!("manifests/{}", self.reference.target());
        let mut call = self.call(Method::HEAD, &path, None);
        call.headers.insert(ACCEPT, accept());
        match self.send(&call).await {
            Ok(response) => {
                Ok(header(&response, "docker-content-digest").and_then(|d| d.parse().ok()))
            }
            Err(Miss::NotFound { .. }) => Ok(None),
            // Some registries know no HEAD.
            Err(Miss::Status { .. }) => Ok(None),
            Err(miss) => Err(self.error(miss)),
        }
    }

    /// Whether the repository has a manifest.
    ///
    /// # Errors
    /// As [`tagged`](Self::tagged).
    pub async fn has_manifest(&self, digest: &Digest) -> Result<bool, Error> {
        let path = format!("manifests/{digest}");
        let mut call = self.call(Method::HEAD, &path, None);
        call.headers.insert(ACCEPT, accept());
        self.exists(&call).await
    }

    async fn has_blob(&self, digest: &Digest) -> Result<bool, Error> {
        let path = format!("blobs/{digest}");
        self.exists(&self.call(Method::HEAD, &path, None)).await
    }

    async fn exists(&self, call: &ApiCall<'_>) -> Result<bool, Error> {
        match self.send(call).await {
            Ok(_) => Ok(true),
            Err(Miss::NotFound { .. } | Miss::Status { .. }) => Ok(false),
            Err(miss) => Err(self.error(miss)),
        }
    }

    /// Finds out whether a blob has to be sent. `from` is an image that has it, perhaps in the same registry.
    ///
    /// # Errors
    /// As [`tagged`](Self::tagged).
    pub async fn slot(&self, digest: &Digest, from: Option<&Reference>) -> Result<Slot, Error> {
        if self.has_blob(digest).await? {
            return Ok(Slot::Present);
        }
        let other = from.and_then(|from| self.repository_of(from));
        if let Some(other) = other {
            let path = format!("blobs/uploads/?mount={digest}&from={other}");
            match self
                .send(&self.call(Method::POST, &path, Some(&other)))
                .await
            {
                Ok(response) if response.status().as_u16() == 201 => return Ok(Slot::Mounted),
                Ok(response) => return self.upload_at(&response).map(Slot::Wanted),
                // A registry that does not let us read the other repository lets us send the blob.
                Err(Miss::Denied { .. } | Miss::NotFound { .. } | Miss::Status { .. }) => {}
                Err(miss) => return Err(self.error(miss)),
            }
        }
        self.begin().await.map(Slot::Wanted)
    }

    async fn begin(&self) -> Result<Upload, Error> {
        let call = self.call(Method::POST, "blobs/uploads/", None);
        let response = self.send(&call).await.map_err(|miss| self.error(miss))?;
        self.upload_at(&response)
    }

    /// The repository of another image, as this registry calls it; nothing if that one is elsewhere.
    fn repository_of(&self, other: &Reference) -> Option<String> {
        let places = self.client.shared.endpoints(other.registry());
        let same = places
            .iter()
            .find(|place| place.host == self.endpoint.host)?;
        let repository = same.repository(other.repository());
        (repository != self.endpoint.repository(self.reference.repository())).then_some(repository)
    }

    /// Sends a blob; `sent` is told of the bytes.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the connection keeps breaking, [`Error::Status`] with what the registry says.
    pub async fn upload(
        &self,
        upload: Upload,
        digest: &Digest,
        file: Arc<File>,
        size: u64,
        sent: Sent,
    ) -> Result<(), Error> {
        let retries = self.retries;
        let patience = self.patience(retries);
        let (mut location, mut offset, mut failures) = (upload.location, 0, 0);
        loop {
            let part = |length| FilePart {
                file: Arc::clone(&file),
                offset,
                length,
                sent: Some(Arc::clone(&sent)),
            };
            let step = if offset == size || (offset == 0 && size <= self.chunk) {
                self.finish(&location, digest, part(size - offset)).await
            } else {
                let length = (size - offset).min(self.chunk);
                self.chunk(&location, part(length)).await
            };
            match step {
                Ok(Step::Done) => return Ok(()),
                Ok(Step::Next(next, reached)) => {
                    failures = if reached > offset { 0 } else { failures + 1 };
                    (location, offset) = (next, reached.min(size));
                    if failures <= retries {
                        continue;
                    }
                    return Err(Error::Status {
                        url: super::http::bare(&location),
                        status: 202,
                        message: "the registry takes chunks and keeps nothing of them".into(),
                        tried: super::Tried::default(),
                    });
                }
                Err(miss) if failures < retries && may_pass(&miss) => {
                    failures += 1;
                    tokio::time::sleep(patience.wait(failures)).await;
                }
                Err(miss) => return Err(self.error(miss)),
            }
            match self.status(&location).await {
                Ok(Some((next, reached))) => (location, offset) = (next, reached.min(size)),
                // The upload is gone: it was finished and only the answer got lost, or it has to begin anew.
                Ok(None) if self.has_blob(digest).await? => return Ok(()),
                Ok(None) => (location, offset) = (self.begin().await?.location, 0),
                // Told again when the next chunk fails.
                Err(_) => {}
            }
        }
    }

    async fn chunk(&self, location: &Url, part: FilePart) -> Result<Step, Miss> {
        let (start, length) = (part.offset, part.length);
        let mut call = self.call(Method::PATCH, "", None);
        let octets = HeaderValue::from_static("application/octet-stream");
        call.headers.insert(CONTENT_TYPE, octets);
        if let Ok(range) = HeaderValue::from_str(&format!("{start}-{}", start + length - 1)) {
            call.headers.insert(CONTENT_RANGE, range);
        }
        call.payload = Payload::Part(part);
        let response = self.send_to(&call, location.clone(), 0).await?;
        let reached = reached(&response).unwrap_or(start + length);
        let next = self.upload_at(&response).map_err(Miss::Local)?;
        Ok(Step::Next(next.location, reached))
    }

    async fn finish(&self, location: &Url, digest: &Digest, part: FilePart) -> Result<Step, Miss> {
        let mut url = location.clone();
        url.query_pairs_mut().append_pair("digest", digest.as_ref());
        let mut call = self.call(Method::PUT, "", None);
        let octets = HeaderValue::from_static("application/octet-stream");
        call.headers.insert(CONTENT_TYPE, octets);
        call.payload = Payload::Part(part);
        self.send_to(&call, url, 0).await.map(|_| Step::Done)
    }

    /// How far an upload is; nothing if the registry knows of none.
    async fn status(&self, location: &Url) -> Result<Option<(Url, u64)>, Miss> {
        let call = self.call(Method::GET, "", None);
        match self.send_to(&call, location.clone(), 1).await {
            Ok(response) => {
                let next = self
                    .upload_at(&response)
                    .map_or_else(|_| location.clone(), |upload| upload.location);
                Ok(Some((next, reached(&response).unwrap_or(0))))
            }
            Err(Miss::NotFound { .. }) => Ok(None),
            Err(miss) => Err(miss),
        }
    }

    /// Writes a manifest under a tag, or under its digest if `tag` is none.
    ///
    /// # Errors
    /// As [`upload`](Self::upload).
    pub async fn manifest(
        &self,
        digest: &Digest,
        bytes: &[u8],
        media_type: &str,
        tag: Option<&str>,
    ) -> Result<(), Error> {
        let path = format!("manifests/{}", tag.unwrap_or(digest.as_ref()));
        let mut call = self.call(Method::PUT, &path, None);
        if let Ok(value) = HeaderValue::from_str(media_type) {
            call.headers.insert(CONTENT_TYPE, value);
        }
        call.payload = Payload::Bytes(bytes.to_vec());
        self.send(&call).await.map_err(|miss| self.error(miss))?;
        if tag.is_some() {
            self.client.remember(&self.reference, digest);
        }
        Ok(())
    }

    fn call<'a>(&self, method: Method, path: &'a str, other: Option<&str>) -> ApiCall<'a> {
        let own = self.endpoint.repository(self.reference.repository());
        let mut call = ApiCall::read(method, path);
        call.scopes = vec![format!("repository:{own}:pull,push")];
        if let Some(other) = other {
            call.scopes.push(format!("repository:{other}:pull"));
        }
        call
    }

    async fn send(&self, call: &ApiCall<'_>) -> Result<Response, Miss> {
        let patience = self.patience(self.retries);
        self.client
            .call_endpoint(&self.endpoint, &self.reference, call, patience)
            .await
    }

    async fn send_to(&self, call: &ApiCall<'_>, url: Url, retries: u32) -> Result<Response, Miss> {
        let patience = self.patience(retries);
        self.client
            .exchange(&self.endpoint, &self.reference, call, url, patience)
            .await
    }

    fn patience(&self, retries: u32) -> Patience {
        Patience {
            retries,
            first_wait: FIRST_WAIT,
        }
    }

    /// Where an upload goes on; relative to the request that was answered.
    fn upload_at(&self, response: &Response) -> Result<Upload, Error> {
        let location = header(response, LOCATION.as_str())
            .and_then(|location| response.url().join(location).ok())
            .filter(|url| matches!(url.scheme(), "http" | "https"));
        match location {
            Some(location) => Ok(Upload { location }),
            None => Err(Error::Malformed {
                what: format!("answer of {}", super::http::bare(response.url())),
                reason: "it does not say where to send the blob".into(),
            }),
        }
    }

    fn error(&self, miss: Miss) -> Error {
        match miss {
            Miss::Denied { hint, .. } => Error::PushDenied {
                registry: self.reference.registry().to_owned(),
                image: self.reference.to_string(),
                hint,
            },
            miss => miss.into_error(&self.reference, Vec::new()),
        }
    }
}

/// Whether the same may succeed after a while.
fn may_pass(miss: &Miss) -> bool {
    match miss {
        Miss::NoAnswer { .. } | Miss::NotFound { .. } => true,
        Miss::Status { status, .. } => matches!(status, 408 | 416 | 429 | 500..=599),
        Miss::Denied { .. } | Miss::Wrong(_) | Miss::Local(_) => false,
    }
}

/// Bytes that a registry has, from `0-99`. What has none says `0-0` too, so that means nothing.
fn reached(response: &Response) -> Option<u64> {
    let text = header(response, RANGE.as_str())?;
    let last: u64 = text
        .trim_start_matches("bytes=")
        .split_once('-')?
        .1
        .parse()
        .ok()?;
    Some(if last == 0 { 0 } else { last + 1 })
}

#[cfg(test)]
mod tests;
