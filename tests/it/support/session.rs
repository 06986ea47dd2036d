//! `nsci session` and the little HTTP that it takes to talk to it.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdin, Command, Stdio};

use serde_json::{Value, json};

use super::{leaf, nest, quoted, text};

/// A served API; it ends with this.
#[derive(Debug)]
pub(crate) struct Session {
    child: Child,
    input: Option<ChildStdin>,
    /// Its port of the loopback.
    pub(crate) port: u16,
    /// What clients show.
    pub(crate) token: String,
    /// What it printed.
    pub(crate) line: String,
}

impl Session {
    /// Starts the command and reads its line.
    pub(crate) fn start(mut command: Command) -> Self {
        command.stderr(Stdio::inherit());
        Self::start_quiet(command)
    }

    /// The same; standard error goes where the command says.
    pub(crate) fn start_quiet(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let input = child.stdin.take();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        child.stdout = Some(output.into_inner());
        let said: Value = serde_json::from_str(&line).unwrap();
        Self {
            child,
            input,
            port: said["port"].as_u64().unwrap().try_into().unwrap(),
            token: said["session_token"].as_str().unwrap().to_owned(),
            line,
        }
    }

    /// Process id.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// The answer to a document.
    pub(crate) fn answer(&self, document: &str) -> Value {
        let (status, body) = post(self.port, &self.token, document);
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap()
    }

    /// What a chain that must not fail ends in.
    #[track_caller]
    pub(crate) fn leaf(&self, chain: &str) -> Value {
        let answer = self.answer(&nest(chain));
        assert_eq!(answer.get("errors"), None, "{chain}");
        leaf(&answer["data"]).clone()
    }

    /// The same of a chain that ends in a text.
    #[track_caller]
    pub(crate) fn text(&self, chain: &str) -> String {
        text(&self.leaf(chain))
    }

    /// The id of what a chain leads to, as it is written in a document.
    #[track_caller]
    pub(crate) fn id(&self, chain: &str) -> String {
        quoted(&self.text(&format!("{chain} id")))
    }

    /// Ends standard input and waits; exit code and what was printed after the line.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        self.input = None;
        self.wait()
    }

    /// Waits; exit code and what was printed after the line.
    pub(crate) fn wait(&mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        let output = self.child.stdout.as_mut().unwrap();
        output.read_to_string(&mut rest).unwrap();
        (self.child.wait().unwrap().code(), rest)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.input = None;
        self.child.wait().unwrap();
    }
}

/// Sends a document; status and body of the answer.
pub(crate) fn post(port: u16, token: &str, document: &str) -> (u16, String) {
    post_json(port, token, &json!({"query": document}))
}

/// Sends a whole request; status and body of the answer.
pub(crate) fn post_json(port: u16, token: &str, request: &Value) -> (u16, String) {
    let body = request.to_string();
    let auth = base64(&format!("{token}:"));
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    write!(
        stream,
        "POST /query HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Basic {auth}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, body.to_owned())
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}
