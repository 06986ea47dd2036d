//! `nsci session`: the API for the client that started this process.
//!
//! One line with port and token goes to standard output, nothing else ever does. The session ends, with exit code 0, when
//! standard input ends or a signal asks for it.

use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::Arc;

use nsci::schema::gql::View;
use serde_json::json;

use crate::app::{App, Engine};
use crate::output::Output;
use crate::report::Failure;
use crate::signals::interrupted;

/// The API on a port of the loopback.
#[derive(Debug)]
pub(super) struct Server {
    /// The port.
    pub(super) port: u16,
    /// What clients show.
    pub(super) token: String,
    /// What serves.
    pub(super) server: nsci::session::server::Server,
}

/// Serves the API on a free port of the loopback.
///
/// # Errors
/// If there is none.
pub(super) fn serve(engine: &Engine) -> Result<Server, Failure> {
    let cannot = |error: io::Error| Failure::failed("cannot serve the API").because(&error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(cannot)?;
    let port = listener.local_addr().map_err(cannot)?.port();
    let token = token()?;
    let server = engine.session.serve(listener, &token)?;
    Ok(Server {
        port,
        token,
        server,
    })
}

fn token() -> Result<String, Failure> {
    let mut bytes = [0; 32];
    let mut filled = 0;
    while filled < bytes.len() {
        filled +=
            rustix::rand::getrandom(&mut bytes[filled..], rustix::rand::GetRandomFlags::empty())
                .map_err(|error| Failure::internal("cannot make a token").because(&error))?;
    }
    Ok(hex::encode(bytes))
}

/// Serves until standard input ends or a signal comes.
///
/// # Errors
/// If the session cannot be opened or the line not be written.
pub(super) async fn session(app: Arc<App>, labels: Vec<String>) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    if let Some(view) = view(&labels) {
        engine.session.learn_view(view);
    }
    let Server {
        port,
        token,
        server,
    } = serve(&engine)?;
    // A client may stop the session as soon as it has read the line.
    let stop = interrupted();
    let line = json!({"port": port, "session_token": token});
    let mut out = io::stdout();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .map_err(|error| Failure::output(&error))?;
    tokio::select! {
        () = end_of_input() => {}
        () = stop => {}
    }
    server.shut_down().await;
    Ok(Output::default())
}

/// Ends when standard input does, or cannot be read. The thread may outlive this; the process does not wait for it.
async fn end_of_input() {
    let (sender, ended) = tokio::sync::oneshot::channel();
    let read = move || {
        let mut input = io::stdin().lock();
        let mut buffer = [0; 4096];
        loop {
            match input.read(&mut buffer) {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        // Nobody listens any more if a signal was first.
        sender.send(()).ok();
    };
    match std::thread::Builder::new().name("stdin".into()).spawn(read) {
        Ok(_) => drop(ended.await),
        Err(_) => std::future::pending().await,
    }
}

/// The version of the client's SDK, among its labels.
fn view(labels: &[String]) -> Option<View> {
    let version = |label: &String| {
        let (name, value) = label.split_once([':', '='])?;
        (name == "dagger.io/sdk.version")
            .then(|| value.parse().ok())
            .flatten()
    };
    labels
        .iter()
        .flat_map(|labels| labels.split(',').map(str::to_owned))
        .find_map(|l| version(&l))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn view_comes_from_the_version_label() {
        for (labels, wanted) in [
            (
                &["dagger.io/sdk.name:go", "dagger.io/sdk.version:0.18.19"][..],
                Some(View::new(0, 18, 19)),
            ),
            (
                &["dagger.io/sdk.name:go,dagger.io/sdk.version:v0.9.3"],
                Some(View::new(0, 9, 3)),
            ),
            (&["dagger.io/sdk.version:n/a"], None),
            (&[], None),
        ] {
            let labels: Vec<String> = labels.iter().map(|label| (*label).to_owned()).collect();
            assert_eq!(view(&labels), wanted, "{labels:?}");
        }
    }

    #[test]
    fn tokens_differ() {
        let (one, other) = (token().unwrap(), token().unwrap());
        assert_eq!(one.len(), 64);
        assert_ne!(one, other);
    }
}
