//! Files by address: one request, which says whether what is known still holds.

use super::{
    Error,
    endpoint::Tls,
    error::Tried,
    http::{Call, Fault, Http, Patience},
};
use crate::config::NetworkConfig;
use reqwest::{
    Method, Response, StatusCode, Url,
    header::{
        AUTHORIZATION, CONTENT_DISPOSITION, ETAG, HOST, HeaderMap, HeaderName, HeaderValue,
        IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
    },
};
use serde::{Deserialize, Serialize};
use std::time::Duration;

const PATIENCE: Patience = Patience {
    retries: 3,
    first_wait: Duration::from_millis(300),
};

/// Fetches files over HTTP.
#[derive(Debug)]
pub struct Downloader {
    http: Http,
}

/// What a server said a file is known by.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Validators {
    /// `ETag`.
    pub etag: Option<String>,
    /// `Last-Modified`.
    pub last_modified: Option<String>,
}

/// What became of a request.
#[derive(Debug)]
pub enum Download {
    /// The validators still hold.
    Unchanged,
    /// The file follows.
    Body(Box<Body>),
}

/// A file on its way.
#[derive(Debug)]
pub struct Body {
    response: Response,
    /// What the server knows it by.
    pub validators: Validators,
    /// The name that the server gives it.
    pub name: Option<String>,
}

impl Body {
    /// The next bytes; `None` at the end.
    ///
    /// # Errors
    /// If the connection breaks.
    pub async fn chunk(&mut self) -> Result<Option<Vec<u8>>, Error> {
        let url = self.response.url().to_string();
        let chunk = self.response.chunk().await;
        let chunk = chunk.map_err(|error| Error::Unreachable {
            url,
            source: Box::new(error.without_url()),
            tried: Tried::default(),
        })?;
        Ok(chunk.map(|bytes| bytes.to_vec()))
    }
}

impl Downloader {
    /// Fetches through the proxies and with the certificates of the configuration.
    pub fn new(network: NetworkConfig) -> Self {
        Self {
            http: Http::new(network),
        }
    }

    /// Asks for a file. `authorization` is a header's value and goes to the first host only; `host` is what that one
    /// calls itself, if the address says something else.
    ///
    /// # Errors
    /// If the address is none, nobody answers, or the answer is no file.
    pub async fn get(
        &self,
        url: &str,
        authorization: Option<&str>,
        host: Option<&str>,
        known: &Validators,
    ) -> Result<Download, Error> {
        let malformed = |reason: String| Error::Malformed {
            what: format!("address {url}"),
            reason,
        };
        let parsed = Url::parse(url).map_err(|error| malformed(error.to_string()))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(malformed("it must start with http:// or https://".into()));
        }
        let mut headers = HeaderMap::new();
        let mut set = |name: HeaderName, value: Option<&str>| -> Result<(), Error> {
            if let Some(value) = value {
                let mut value = HeaderValue::from_str(value)
                    .map_err(|_| malformed(format!("header {name} has characters it cannot")))?;
                value.set_sensitive(name == AUTHORIZATION);
                headers.insert(name, value);
            }
            Ok(())
        };
        set(AUTHORIZATION, authorization)?;
        set(HOST, host)?;
        set(IF_NONE_MATCH, known.etag.as_deref())?;
        set(IF_MODIFIED_SINCE, known.last_modified.as_deref())?;
        let call = Call {
            headers,
            ..Call::new(Method::GET, parsed)
        };
        let response = match self.http.send(&call, &Tls::default(), PATIENCE).await {
            Ok(response) => response,
            Err(Fault::Local(error)) => return Err(error),
            Err(Fault::NoAnswer(no, _)) => {
                return Err(Error::Unreachable {
                    url: no.url,
                    source: no.source,
                    tried: Tried::default(),
                });
            }
        };
        match response.status() {
            StatusCode::NOT_MODIFIED => Ok(Download::Unchanged),
            status if status.is_success() => {
                let header = |name: HeaderName| {
                    let value = response.headers().get(name)?.to_str().ok()?;
                    Some(value.to_owned())
                };
                let validators = Validators {
                    etag: header(ETAG),
                    last_modified: header(LAST_MODIFIED),
                };
                let name = header(CONTENT_DISPOSITION).and_then(|value| disposed_name(&value));
                Ok(Download::Body(Box::new(Body {
                    response,
                    validators,
                    name,
                })))
            }
            status => Err(Error::Status {
                url: url.to_owned(),
                status: status.as_u16(),
                message: status.canonical_reason().unwrap_or_default().to_owned(),
                tried: Tried::default(),
            }),
        }
    }
}

/// The file name of a `Content-Disposition` (RFC 6266), if it is only a name.
fn disposed_name(header: &str) -> Option<String> {
    let name = header.split(';').skip(1).find_map(|part| {
        let (key, value) = part.trim().split_once('=')?;
        key.eq_ignore_ascii_case("filename")
            .then(|| value.trim().trim_matches('"'))
    })?;
    let plain = !name.is_empty() && !name.contains(['/', '\\', '\0']) && !name.starts_with('.');
    plain.then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_dispositions_are_only_names() {
        for (header, want) in [
            ("attachment; filename=\"a b.tgz\"", Some("a b.tgz")),
            ("attachment; FileName=a", Some("a")),
            ("attachment; filename=\"../../etc/passwd\"", None),
            ("attachment; filename=\"\"", None),
            ("attachment; filename=..", None),
            ("inline", None),
        ] {
            assert_eq!(disposed_name(header).as_deref(), want, "{header}");
        }
    }
}
