//! HTTP underneath the registry protocol: clients made on first use, retries, redirects.
//!
//! Plain HTTP costs no TLS set-up: root certificates are read when the first `https` host is asked.

use std::collections::HashMap;
use std::collections::hash_map::RandomState;
use std::hash::BuildHasher as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use reqwest::header::{
    AUTHORIZATION, CONTENT_LENGTH, HeaderMap, HeaderValue, LOCATION, RETRY_AFTER,
};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url};

use crate::config::NetworkConfig;

use super::endpoint::Tls;
use super::payload::Payload;
use super::{BoxError, Error};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);
const READ_TIMEOUT: Duration = Duration::from_secs(60);
const MAX_REDIRECTS: usize = 10;
const MAX_WAIT: Duration = Duration::from_secs(60);
/// A refused connection rarely gets better; these many tries cover a registry that is just starting.
const CONNECT_RETRIES: u32 = 2;
const USER_AGENT: &str = concat!("nsci/", env!("CARGO_PKG_VERSION"));

/// One request that can be sent again.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: HeaderMap,
    pub(crate) payload: Payload,
}

impl Call {
    pub(crate) fn new(method: Method, url: Url) -> Self {
        Self {
            method,
            url,
            headers: HeaderMap::new(),
            payload: Payload::None,
        }
    }
}

/// How long and how often to try.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    pub(crate) retries: u32,
    pub(crate) first_wait: Duration,
}

impl Patience {
    /// Wait before try number `tried + 1`: doubled each time, between half and all of it.
    pub(crate) fn wait(&self, tried: u32) -> Duration {
        let full = self
            .first_wait
            .saturating_mul(1 << tried.min(8))
            .min(Duration::from_secs(20));
        let random = RandomState::new().hash_one(tried);
        full / 2 + full.mul_f64((random % 1000) as f64 / 2000.0)
    }
}

/// No usable answer came.
#[derive(Debug)]
pub(crate) struct NoAnswer {
    pub(crate) url: String,
    pub(crate) source: BoxError,
}

/// Clients by what they trust.
pub(crate) struct Http {
    network: NetworkConfig,
    clients: Mutex<HashMap<Option<(Tls, bool)>, Client>>,
}

impl std::fmt::Debug for Http {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Http")
    }
}

impl Http {
    pub(crate) fn new(network: NetworkConfig) -> Self {
        Self {
            network,
            clients: Mutex::default(),
        }
    }

    /// Sends, following redirects and trying again what may pass: refused connections, 429 and 5xx.
    ///
    /// `Authorization` goes to the first host only.
    pub(crate) async fn send(
        &self,
        call: &Call,
        tls: &Tls,
        patience: Patience,
    ) -> Result<Response, Fault> {
        let mut tried = 0;
        loop {
            let result = self.follow(call, tls).await;
            let retries = match &result {
                Err(Fault::NoAnswer(_, Retry::Later)) => patience.retries,
                Err(Fault::NoAnswer(_, Retry::Briefly)) => patience.retries.min(CONNECT_RETRIES),
                Ok(response) if is_passing(response.status()) => patience.retries,
                _ => return result,
            };
            if tried >= retries {
                return result;
            }
            let asked = result.as_ref().ok().and_then(|r| retry_after(r.headers()));
            if asked.is_some_and(|wait| wait > MAX_WAIT) {
                return result;
            }
            tokio::time::sleep(asked.unwrap_or_default().max(patience.wait(tried))).await;
            tried += 1;
        }
    }

    async fn follow(&self, call: &Call, tls: &Tls) -> Result<Response, Fault> {
        let mut url = call.url.clone();
        let mut headers = call.headers.clone();
        let mut tls = tls.clone();
        for hop in 0..=MAX_REDIRECTS {
            let client = self.client(&url, &tls, hop > 0).map_err(Fault::Local)?;
            let mut request = client.request(call.method.clone(), url.clone());
            request = request.headers(headers.clone());
            request = match &call.payload {
                Payload::None => request,
                Payload::Bytes(bytes) => request.body(bytes.clone()),
                Payload::Part(part) => request
                    .header(CONTENT_LENGTH, part.length)
                    .body(part.body()),
            };
            let response = request
                .send()
                .await
                .map_err(|error| no_answer(&url, error))?;
            if !is_redirect(response.status()) {
                return Ok(response);
            }
            let target = response
                .headers()
                .get(LOCATION)
                .and_then(|l| l.to_str().ok())
                .and_then(|l| url.join(l).ok())
                .filter(|u| matches!(u.scheme(), "http" | "https"));
            let Some(target) = target else {
                return Ok(response);
            };
            if target.origin() != url.origin() {
                headers.remove(AUTHORIZATION);
                // What was said about trusting the registry says nothing about its storage.
                tls = Tls {
                    ca_file: tls.ca_file,
                    insecure: false,
                };
            }
            url = target;
        }
        Err(Fault::NoAnswer(
            NoAnswer {
                url: bare(&url),
                source: "too many redirects".into(),
            },
            Retry::Never,
        ))
    }

    /// `bulk` asks for HTTP/1.1: one connection per layer, so that several cores decrypt and no window of a
    /// shared connection limits them.
    fn client(&self, url: &Url, tls: &Tls, bulk: bool) -> Result<Client, Error> {
        let key = (url.scheme() == "https").then(|| (tls.clone(), bulk));
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = clients.get(&key) {
            return Ok(client.clone());
        }
        let client = match &key {
            None => self.plain()?,
            Some((tls, bulk)) => self.secure(tls, *bulk)?,
        };
        clients.insert(key, client.clone());
        Ok(client)
    }

    fn plain(&self) -> Result<Client, Error> {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let no_tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("ring supports the default versions")
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        build(self.base()?.tls_backend_preconfigured(no_tls).http1_only())
    }

    fn secure(&self, tls: &Tls, bulk: bool) -> Result<Client, Error> {
        if rustls::crypto::CryptoProvider::get_default().is_none()
            && rustls::crypto::ring::default_provider()
                .install_default()
                .is_err()
        {
            // Another thread was first, with the same provider.
        }
        let mut builder = self.base()?;
        let files = [&self.network.ca_file, &tls.ca_file];
        let extra = files.into_iter().flatten().map(read_certificates);
        let extra: Vec<_> = extra
            .collect::<Result<Vec<_>, _>>()?
            .into_iter()
            .flatten()
            .collect();
        if !extra.is_empty() {
            builder = builder.tls_certs_merge(extra);
        }
        if tls.insecure {
            builder = builder.tls_danger_accept_invalid_certs(true);
        }
        if bulk {
            builder = builder.http1_only();
        }
        build(
            builder
                .http2_initial_stream_window_size(4 << 20)
                .http2_initial_connection_window_size(16 << 20),
        )
    }

    fn base(&self) -> Result<ClientBuilder, Error> {
        let mut builder = Client::builder()
            .user_agent(USER_AGENT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(READ_TIMEOUT)
            .tcp_keepalive(Duration::from_secs(30))
            .no_proxy();
        let direct = format!(
            "localhost,127.0.0.0/8,::1,{}",
            self.network.no_proxy.as_deref().unwrap_or_default()
        );
        let bad = |e: reqwest::Error| Error::Malformed {
            what: "proxy setting".into(),
            reason: e.without_url().to_string(),
        };
        if let Some(proxy) = &self.network.http_proxy {
            let proxy = reqwest::Proxy::http(proxy).map_err(bad)?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(&direct)));
        }
        if let Some(proxy) = &self.network.https_proxy {
            let proxy = reqwest::Proxy::https(proxy).map_err(bad)?;
            builder = builder.proxy(proxy.no_proxy(reqwest::NoProxy::from_string(&direct)));
        }
        Ok(builder)
    }
}

fn build(builder: ClientBuilder) -> Result<Client, Error> {
    builder.build().map_err(|error| Error::Unsupported {
        what: "HTTP client".into(),
        reason: root_cause(&error),
    })
}

fn read_certificates(path: &PathBuf) -> Result<Vec<reqwest::Certificate>, Error> {
    let action = format!("read certificates from {}", path.display());
    let pem = std::fs::read(path).map_err(Error::io(action))?;
    let certificates =
        reqwest::Certificate::from_pem_bundle(&pem).map_err(|e| Error::Malformed {
            what: path.display().to_string(),
            reason: root_cause(&e),
        })?;
    if certificates.is_empty() {
        return Err(Error::Malformed {
            what: path.display().to_string(),
            reason: "it holds no PEM certificate".into(),
        });
    }
    Ok(certificates)
}

/// Whether trying again could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Retry {
    Never,
    Briefly,
    Later,
}

/// Why there is no response.
#[derive(Debug)]
pub(crate) enum Fault {
    NoAnswer(NoAnswer, Retry),
    Local(Error),
}

fn no_answer(url: &Url, error: reqwest::Error) -> Fault {
    let retry = if error.is_builder() || is_certificate_problem(&error) {
        Retry::Never
    } else if error.is_connect() {
        Retry::Briefly
    } else {
        Retry::Later
    };
    Fault::NoAnswer(
        NoAnswer {
            url: bare(url),
            source: Box::new(Plainly(error)),
        },
        retry,
    )
}

/// A URL as people may see it: signed storage URLs carry secrets in their query.
pub(crate) fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.to_string()
}

/// reqwest's error told by its innermost cause; the layers above only say "error sending request".
#[derive(Debug)]
struct Plainly(reqwest::Error);

impl std::fmt::Display for Plainly {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&root_cause(&self.0))
    }
}

impl std::error::Error for Plainly {}

/// Message of the innermost cause.
pub(crate) fn root_cause(error: &(dyn std::error::Error + 'static)) -> String {
    let mut innermost = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    innermost.to_string()
}

fn is_certificate_problem(error: &reqwest::Error) -> bool {
    let mut source = std::error::Error::source(error);
    while let Some(error) = source {
        let inner = error
            .downcast_ref::<std::io::Error>()
            .and_then(std::io::Error::get_ref);
        if error.is::<rustls::Error>()
            || inner.is_some_and(<dyn std::error::Error + Send + Sync>::is::<rustls::Error>)
        {
            return true;
        }
        source = error.source();
    }
    false
}

fn is_redirect(status: StatusCode) -> bool {
    matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308)
}

fn is_passing(status: StatusCode) -> bool {
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    parse_http_date(text)?
        .duration_since(SystemTime::now())
        .ok()
}

/// `Sun, 06 Nov 1994 08:49:37 GMT`, the only form servers still send.
fn parse_http_date(text: &str) -> Option<SystemTime> {
    let mut words = text.split_once(", ")?.1.split(' ');
    let day: u64 = words.next()?.parse().ok()?;
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let name = words.next()?;
    let month = MONTHS.iter().position(|m| *m == name)? as u64 + 1;
    let year: u64 = words
        .next()?
        .parse()
        .ok()
        .filter(|y| (1970..10_000).contains(y))?;
    let mut clock = words.next()?.split(':').map(|n| n.parse::<u64>().ok());
    let (hour, minute, second) = (clock.next()??, clock.next()??, clock.next()??);
    // Days from civil, after Howard Hinnant; March-based years put the leap day last.
    let (y, m) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days = y * 365 + y / 4 - y / 100 + y / 400 + (m * 153 + 2) / 5 + day - 1;
    let since_epoch = days.checked_sub(719_468)?;
    let seconds = since_epoch * 86_400 + hour * 3600 + minute * 60 + second;
    Some(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
}

/// Text of a header.
pub(crate) fn header<'a>(response: &'a Response, name: &str) -> Option<&'a str> {
    response
        .headers()
        .get(name)
        .and_then(|value| value.to_str().ok())
}

/// A header value that must not be logged.
pub(crate) fn sensitive(text: &str) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_dates_are_read() {
        let at = |t| {
            parse_http_date(t)?
                .duration_since(SystemTime::UNIX_EPOCH)
                .ok()
        };
        let cases = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", Some(0)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some(784_111_777)),
            ("Thu, 29 Feb 2024 12:00:00 GMT", Some(1_709_208_000)),
            ("yesterday", None),
            ("Sun, 06 Foo 1994 08:49:37 GMT", None),
        ];
        for (text, seconds) in cases {
            assert_eq!(at(text).map(|d| d.as_secs()), seconds, "{text}");
        }
    }

    #[test]
    fn waits_grow_and_stay_bounded() {
        let patience = Patience {
            retries: 5,
            first_wait: Duration::from_millis(200),
        };
        for (tried, full) in [(0, 200), (1, 400), (3, 1600), (60, 20_000)] {
            let wait = patience.wait(tried).as_millis();
            assert!((full / 2..=full).contains(&wait), "{tried}: {wait}");
        }
    }

    #[test]
    fn plain_client_reads_no_certificates() {
        let http = Http::new(NetworkConfig::default());
        let url = Url::parse("http://127.0.0.1:1/").unwrap();
        http.client(&url, &Tls::default(), false).unwrap();
        assert_eq!(
            http.clients.lock().unwrap().keys().collect::<Vec<_>>(),
            [&None]
        );
    }

    #[test]
    fn queries_of_urls_stay_private() {
        let url = Url::parse("https://s3/x?signature=abc").unwrap();
        assert_eq!(bare(&url), "https://s3/x");
    }
}
