//! Serves GraphQL over HTTP/1.1 on loopback, or on a listener made elsewhere (a step's network namespace).
//!
//! `POST /query` with Basic authentication (user = token, empty password) is all there is. Each listener has one
//! client: whoever connects to it is that client. What answers is a [`Handler`]; this file knows neither the schema
//! nor what a client may do.
//!
//! Any executed operation is answered with 200, also when resolvers failed; a request that was refused before it ran
//! with 422; everything about the session itself with another status and `{"errors":[{"message":…}]}`.
//!
//! # References
//! - [RFC 7617](https://www.rfc-editor.org/rfc/rfc7617), Basic authentication
//! - [Trace Context](https://www.w3.org/TR/trace-context/)

use std::fmt;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, WWW_AUTHENTICATE};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::response::Response as HttpResponse;
use axum::serve::ListenerExt as _;
use base64::Engine as _;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::general_purpose::GeneralPurpose;
use base64::engine::{DecodePaddingMode, GeneralPurposeConfig};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::schema::gql::{Request, Response};

/// Largest request body; SDKs inline file contents into queries.
pub const MAX_BODY: usize = 16 * 1024 * 1024;

/// What comes with a request besides its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Metadata {
    /// The W3C trace the client is in.
    pub traceparent: Option<String>,
}

/// Answers requests.
pub trait Handler: Send + Sync + 'static {
    /// Who a listener serves: identity, view, permissions.
    type Client: Send + Sync + 'static;

    /// Runs one request. The future is dropped when the client hangs up.
    fn handle(
        &self,
        client: Arc<Self::Client>,
        request: Request,
        metadata: Metadata,
    ) -> impl Future<Output = Response> + Send;
}

/// A running server; dropping it ends it at once, requests included.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves `client` on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If no port can be bound.
    pub async fn bind<H: Handler>(
        handler: Arc<H>,
        client: Arc<H::Client>,
        token: &str,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        Self::start(listener, handler, client, token)
    }

    /// Serves `client` on a listener that is bound already, in whichever network namespace.
    ///
    /// # Errors
    /// If the listener cannot be used by the runtime.
    pub fn on<H: Handler>(
        listener: std::net::TcpListener,
        handler: Arc<H>,
        client: Arc<H::Client>,
        token: &str,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        Self::start(TcpListener::from_std(listener)?, handler, client, token)
    }

    fn start<H: Handler>(
        listener: TcpListener,
        handler: Arc<H>,
        client: Arc<H::Client>,
        token: &str,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, mut stopped) = watch::channel(false);
        let token = token.as_bytes().into();
        let shared = Arc::new(Shared {
            handler,
            client,
            token,
            alive: stopped.clone(),
        });
        let routes = Router::new().fallback(answer::<H>).with_state(shared);
        // Answers are small and complete; waiting to fill a packet only adds delay.
        let listener = listener.tap_io(|stream| {
            // If it fails the peer is gone already, and reading will tell.
            stream.set_nodelay(true).unwrap_or_default();
        });
        let task = tokio::spawn(async move {
            // Asked to stop, or dropped: both end accepting and close idle connections.
            let asked = async move { drop(stopped.wait_for(|stop| *stop).await) };
            let serving = axum::serve(listener, routes).with_graceful_shutdown(asked);
            // Accept errors are retried inside; it ends only by the shutdown above.
            serving.await.unwrap_or_default();
        });
        Ok(Self {
            address,
            stop,
            task,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Accepts nothing more, lets running requests finish, and returns when they have.
    pub async fn shut_down(self) {
        let Self { stop, task, .. } = self;
        stop.send_replace(true);
        // A panic in the accept loop has nothing more to tell here.
        task.await.unwrap_or_default();
        // Requests run only as long as this end of the channel exists.
        drop(stop);
    }
}

struct Shared<H: Handler> {
    handler: Arc<H>,
    client: Arc<H::Client>,
    token: Box<[u8]>,
    /// Closed when the server is dropped.
    alive: watch::Receiver<bool>,
}

impl<H: Handler> fmt::Debug for Shared<H> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The token stays out of logs.
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

async fn answer<H: Handler>(
    State(shared): State<Arc<Shared<H>>>,
    request: HttpRequest,
) -> HttpResponse {
    match serve(&shared, request).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    }
}

async fn serve<H: Handler>(
    shared: &Shared<H>,
    request: HttpRequest,
) -> Result<HttpResponse, Refusal> {
    if !authorized(request.headers(), &shared.token) {
        return Err(Refusal::Unauthorized);
    }
    if request.uri().path() != "/query" {
        return Err(Refusal::NotFound);
    }
    if request.method() != Method::POST {
        return Err(Refusal::NotPost);
    }
    let metadata = Metadata {
        traceparent: header(request.headers(), "traceparent"),
    };
    let body = axum::body::to_bytes(request.into_body(), MAX_BODY).await;
    let body = body.map_err(|_| Refusal::BadBody)?;
    let request: Request =
        serde_json::from_slice(&body).map_err(|error| Refusal::NotJson(error.to_string()))?;
    drop(body);
    let mut alive = shared.alive.clone();
    let response = tokio::select! {
        response = shared.handler.handle(Arc::clone(&shared.client), request, metadata) => response,
        // Never true, so this is ready only when the server is gone.
        _ = alive.wait_for(|_| false) => return Err(Refusal::Ended),
    };
    let status = if response.executed {
        StatusCode::OK
    } else {
        StatusCode::UNPROCESSABLE_ENTITY
    };
    Ok(reply(status, Bytes::from_owner(response.body)))
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers
        .get(name)
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned)
}

fn reply(status: StatusCode, body: impl Into<Body>) -> HttpResponse {
    let mut response = HttpResponse::new(body.into());
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// Why a request never reached the handler.
#[derive(Debug)]
enum Refusal {
    Unauthorized,
    NotFound,
    NotPost,
    BadBody,
    NotJson(String),
    Ended,
}

impl Refusal {
    fn into_response(self) -> HttpResponse {
        let (status, message) = match self {
            Self::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "the session token is missing or wrong".to_owned(),
            ),
            Self::NotFound => (
                StatusCode::NOT_FOUND,
                "there is only POST /query here".to_owned(),
            ),
            Self::NotPost => (
                StatusCode::METHOD_NOT_ALLOWED,
                "queries are sent with POST".to_owned(),
            ),
            Self::BadBody => (
                StatusCode::PAYLOAD_TOO_LARGE,
                format!("the request is cut off or larger than {MAX_BODY} bytes"),
            ),
            Self::Ended => (
                StatusCode::SERVICE_UNAVAILABLE,
                "the session has ended".to_owned(),
            ),
            Self::NotJson(why) => (
                StatusCode::BAD_REQUEST,
                format!("the request is not a GraphQL request: {why}"),
            ),
        };
        let mut response = reply(
            status,
            json!({"errors": [{"message": message}]}).to_string(),
        );
        let headers = response.headers_mut();
        match status {
            StatusCode::UNAUTHORIZED => {
                let basic = HeaderValue::from_static("Basic realm=\"nsci session\"");
                headers.insert(WWW_AUTHENTICATE, basic);
            }
            StatusCode::METHOD_NOT_ALLOWED => {
                headers.insert(ALLOW, HeaderValue::from_static("POST"));
            }
            _ => {}
        }
        response
    }
}

/// Whether the Basic user is the token; the password does not matter.
fn authorized(headers: &HeaderMap, token: &[u8]) -> bool {
    let Some(value) = headers.get(AUTHORIZATION) else {
        return false;
    };
    let Some((scheme, encoded)) = value.to_str().ok().and_then(|value| value.split_once(' '))
    else {
        return false;
    };
    if !scheme.eq_ignore_ascii_case("basic") {
        return false;
    }
    let Some(credentials) = decode(encoded.trim()) else {
        return false;
    };
    let end = credentials
        .iter()
        .position(|&byte| byte == b':')
        .unwrap_or(credentials.len());
    same(&credentials[..end], token)
}

/// Decodes base64 of either alphabet: the Rust SDK uses the URL-safe one.
fn decode(encoded: &str) -> Option<Vec<u8>> {
    let alphabet = if encoded.contains(['-', '_']) {
        &URL_SAFE
    } else {
        &STANDARD
    };
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(alphabet, config).decode(encoded).ok()
}

/// Compares in a time that depends only on the length.
fn same(given: &[u8], token: &[u8]) -> bool {
    let difference = given
        .iter()
        .zip(token)
        .fold(0, |all, (a, b)| std::hint::black_box(all | (a ^ b)));
    given.len() == token.len() && difference == 0
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::time::Duration;

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpStream;
    use tokio::sync::Notify;

    use super::*;

    /// Answers with who asked; `slow` waits until it is dropped or released.
    #[derive(Default)]
    struct Echo {
        started: Notify,
        release: Notify,
        dropped: Arc<Notify>,
        finished: AtomicUsize,
    }

    struct OnDrop(Arc<Notify>);

    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.notify_one();
        }
    }

    impl Handler for Echo {
        type Client = String;

        async fn handle(
            &self,
            client: Arc<String>,
            request: Request,
            metadata: Metadata,
        ) -> Response {
            if request.query == "slow" {
                let _guard = OnDrop(Arc::clone(&self.dropped));
                self.started.notify_one();
                self.release.notified().await;
                self.finished.fetch_add(1, Ordering::SeqCst);
            }
            let body = json!({"data": {"client": *client, "trace": metadata.traceparent}});
            Response {
                executed: request.query != "bad",
                body: body.to_string().into_bytes().into(),
            }
        }
    }

    async fn server() -> (Arc<Echo>, Server) {
        let echo = Arc::new(Echo::default());
        let server = Server::bind(Arc::clone(&echo), Arc::new("main".to_owned()), "s3cret?>").await;
        (echo, server.expect("loopback has a free port"))
    }

    /// `s3cret?>:` in the standard alphabet.
    const AUTH: &str = "Authorization: Basic czNjcmV0Pz46\r\n";

    fn post(headers: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "POST /query HTTP/1.1\r\nHost: dagger\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
        )
    }

    /// Sends a request and reads the head and the body of its answer.
    async fn ask(stream: &mut TcpStream, request: &str) -> (String, String) {
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        let mut text = Vec::new();
        loop {
            let mut chunk = [0; 4096];
            let count = stream.read(&mut chunk).await.expect("the server answers");
            text.extend_from_slice(&chunk[..count]);
            let whole = String::from_utf8_lossy(&text).into_owned();
            if let Some((head, body)) = whole.split_once("\r\n\r\n") {
                let length = head
                    .lines()
                    .find_map(|line| line.strip_prefix("content-length: "));
                if length.is_some_and(|length| length.parse() == Ok(body.len())) {
                    return (head.to_owned(), body.to_owned());
                }
            }
            assert_ne!(count, 0, "cut off: {whole}");
        }
    }

    async fn connect(server: &Server) -> TcpStream {
        TcpStream::connect(server.address())
            .await
            .expect("the server listens")
    }

    #[tokio::test]
    async fn status_tells_what_happened() {
        let (_, server) = server().await;
        let mut stream = connect(&server).await;
        let fine = r#"{"query":"{a}","variables":null}"#;
        let cases = [
            (
                post(AUTH, fine),
                "200 OK",
                r#"{"data":{"client":"main","trace":null}}"#,
            ),
            (
                post(AUTH, r#"{"query":"bad"}"#),
                "422 Unprocessable Entity",
                "data",
            ),
            (post(AUTH, "{"), "400 Bad Request", "not a GraphQL request"),
            (
                post(AUTH, r#"{"q":1}"#),
                "400 Bad Request",
                "missing field `query`",
            ),
            (post("", fine), "401 Unauthorized", "token"),
            (
                post("Authorization: Bearer czNjcmV0Pz46\r\n", fine),
                "401 Unauthorized",
                "token",
            ),
            (
                post("Authorization: Basic d3Jvbmc6\r\n", fine),
                "401 Unauthorized",
                "token",
            ),
            (
                post("Authorization: Basic !!!\r\n", fine),
                "401 Unauthorized",
                "token",
            ),
            (
                post("authorization: basic czNjcmV0Pz4\r\n", fine),
                "200 OK",
                "main",
            ),
            (
                format!("GET /query HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n"),
                "405 Method Not Allowed",
                "POST",
            ),
            (
                format!("GET / HTTP/1.1\r\nHost: a\r\n{AUTH}\r\n"),
                "404 Not Found",
                "POST /query",
            ),
            (
                post(&format!("{AUTH}traceparent: 00-ab-cd-01\r\n"), fine),
                "200 OK",
                "00-ab-cd-01",
            ),
        ];
        // One connection for all: it is kept open whatever the answer.
        for (request, status, part) in cases {
            let (head, body) = ask(&mut stream, &request).await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}")),
                "{request}\n{head}"
            );
            assert!(head.contains("content-type: application/json"), "{head}");
            assert_eq!(
                head.contains("www-authenticate: Basic"),
                status.starts_with("401"),
                "{head}"
            );
            assert!(body.contains(part), "{request}\n{body}");
            serde_json::from_str::<serde_json::Value>(&body).expect("every answer is JSON");
        }
    }

    #[test]
    fn both_alphabets_name_the_token() {
        for (value, fits) in [
            ("Basic c_8-Og==", true),
            ("Basic c/8+Og==", true),
            ("Basic c/8+Og", true),
            ("basic c_8-OnBhc3N3b3Jk", true),
            ("Basic c_8-", true),
            ("Basic c_8-eA==", false),
            ("Basic Og==", false),
            ("Basic", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(AUTHORIZATION, HeaderValue::from_str(value).expect("ASCII"));
            assert_eq!(authorized(&headers, b"s\xff>"), fits, "{value}");
        }
    }

    #[tokio::test]
    async fn large_bodies_are_read_up_to_the_limit() {
        let (_, server) = server().await;
        for (size, status) in [(3 << 20, "200"), (MAX_BODY + 1, "413")] {
            let mut stream = connect(&server).await;
            let padding = "x".repeat(size);
            let request = post(AUTH, &format!("{{\"query\":\"{padding}\"}}"));
            let (head, _) = ask(&mut stream, &request).await;
            assert!(
                head.starts_with(&format!("HTTP/1.1 {status}")),
                "{size}: {head}"
            );
        }
    }

    #[tokio::test]
    async fn hanging_up_cancels_the_request() {
        let (echo, server) = server().await;
        let mut stream = connect(&server).await;
        let request = post(AUTH, r#"{"query":"slow"}"#);
        stream
            .write_all(request.as_bytes())
            .await
            .expect("the server reads");
        echo.started.notified().await;
        drop(stream);
        let dropped = tokio::time::timeout(Duration::from_secs(10), echo.dropped.notified()).await;
        assert!(dropped.is_ok(), "the request went on");
        assert_eq!(echo.finished.load(Ordering::SeqCst), 0);
    }

    #[tokio::test]
    async fn shutting_down_lets_requests_finish() {
        let (echo, server) = server().await;
        let mut stream = connect(&server).await;
        let address = server.address();
        let slow =
            tokio::spawn(async move { ask(&mut stream, &post(AUTH, r#"{"query":"slow"}"#)).await });
        echo.started.notified().await;
        let down = tokio::spawn(server.shut_down());
        // The listener closes although a request still runs.
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
        assert!(!down.is_finished());
        echo.release.notify_one();
        let (head, _) = slow.await.expect("the client got its answer");
        assert!(head.starts_with("HTTP/1.1 200"), "{head}");
        down.await.expect("the server ended");
    }

    #[tokio::test]
    async fn each_listener_serves_its_own_client() {
        let (echo, main) = server().await;
        let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let nested = Server::on(
            listener,
            Arc::clone(&echo),
            Arc::new("step".to_owned()),
            "other",
        );
        let nested = nested.expect("the listener is usable");
        let token = "Authorization: Basic b3RoZXI6\r\n";
        let body = r#"{"query":"{a}"}"#;
        let (_, answer) = ask(&mut connect(&nested).await, &post(token, body)).await;
        assert!(answer.contains("step"), "{answer}");
        let (head, _) = ask(&mut connect(&main).await, &post(token, body)).await;
        assert!(head.contains("401"), "{head}");
    }

    #[tokio::test]
    async fn dropping_the_server_cancels_requests_and_closes_the_port() {
        let (echo, server) = server().await;
        let mut stream = connect(&server).await;
        let address = server.address();
        let slow =
            tokio::spawn(async move { ask(&mut stream, &post(AUTH, r#"{"query":"slow"}"#)).await });
        echo.started.notified().await;
        drop(server);
        let (head, body) = slow.await.expect("the client got an answer");
        assert!(
            head.starts_with("HTTP/1.1 503") && body.contains("ended"),
            "{head}"
        );
        assert_eq!(echo.finished.load(Ordering::SeqCst), 0);
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}
