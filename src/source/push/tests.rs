use std::io::Write as _;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use super::*;
use crate::config::Config;
use crate::event::Events;
use crate::source::image::sha256;
use crate::source::registry::ClientOptions;
use crate::source::testing::{DirBlobs, Reply, Seen, Server};
use crate::source::{AuthSources, Credential, RegistryAuth};

/// A registry with one upload, whose connections break as told.
#[derive(Default)]
struct Fake {
    data: Mutex<Vec<u8>>,
    finished: Mutex<Vec<String>>,
    /// Bytes kept of each chunk whose answer gets lost, one after the other.
    losses: Mutex<Vec<usize>>,
}

/// The connection ends without an answer.
fn lost() -> Reply {
    Reply::default()
}

impl Fake {
    fn answer(&self, request: &Seen) -> Reply {
        let mut data = self.data.lock().unwrap();
        let range = |data: &Vec<u8>| format!("0-{}", data.len().saturating_sub(1));
        let path = request.path.split('?').next().unwrap();
        match (request.method.as_str(), path) {
            ("HEAD", _) => Reply::new(404, ""),
            ("POST", _) => Reply::new(202, "").with("location", "/v2/a/blobs/uploads/1?state=0"),
            ("GET", _) => Reply::new(204, "")
                .with("location", "/v2/a/blobs/uploads/1?state=1")
                .with("range", range(&data)),
            ("PATCH", _) => {
                let body = request.body.as_bytes();
                let mut losses = self.losses.lock().unwrap();
                if let Some(kept) = (!losses.is_empty()).then(|| losses.remove(0)) {
                    data.extend_from_slice(&body[..kept]);
                    return lost();
                }
                data.extend_from_slice(body);
                let range = range(&data);
                Reply::new(202, "")
                    .with("location", "/v2/a/blobs/uploads/1?state=2")
                    .with("range", range)
            }
            ("PUT", _) => {
                data.extend_from_slice(request.body.as_bytes());
                self.finished.lock().unwrap().push(request.path.clone());
                Reply::new(201, "")
            }
            _ => Reply::new(400, ""),
        }
    }
}

fn client(dir: &tempfile::TempDir, auth: AuthSources) -> RegistryClient {
    RegistryClient::new(ClientOptions {
        config: Config::default(),
        auth,
        blobs: Arc::new(DirBlobs(dir.path().to_owned())),
        tags: None,
        events: Events::none(),
    })
}

fn pusher(client: RegistryClient, server: &Server) -> Pusher {
    let name = format!("{}/a:1", server.address);
    Pusher::new(client, Reference::parse(&name).unwrap().into())
}

fn text(length: usize) -> String {
    (0..length)
        .map(|at| char::from(b'a' + (at % 23) as u8))
        .collect()
}

async fn send(pusher: &Pusher, content: &str) -> (Result<(), Error>, u64) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content.as_bytes()).unwrap();
    let digest = sha256(content.as_bytes());
    let Slot::Wanted(upload) = pusher.slot(&digest, None).await.unwrap() else {
        panic!("the registry has nothing");
    };
    let sent = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&sent);
    let told: Sent = Arc::new(move |bytes| {
        count.fetch_add(bytes, Ordering::Relaxed);
    });
    let size = content.len() as u64;
    let result = pusher
        .upload(upload, &digest, Arc::new(file), size, told)
        .await;
    (result, sent.load(Ordering::Relaxed))
}

async fn fake(losses: &[usize]) -> (Arc<Fake>, Server) {
    let fake = Arc::new(Fake {
        losses: Mutex::new(losses.to_vec()),
        ..Fake::default()
    });
    let registry = Arc::clone(&fake);
    let server = Server::start(move |request| registry.answer(request)).await;
    (fake, server)
}

#[tokio::test]
async fn small_blob_takes_one_request() {
    let dir = tempfile::tempdir().unwrap();
    let (fake, server) = fake(&[]).await;
    let pusher = pusher(client(&dir, AuthSources::default()), &server);
    let content = text(1000);
    send(&pusher, &content).await.0.unwrap();
    assert_eq!(*fake.data.lock().unwrap(), content.as_bytes());
    let digest = sha256(content.as_bytes()).to_string().replace(':', "%3A");
    assert_eq!(
        *fake.finished.lock().unwrap(),
        [format!("/v2/a/blobs/uploads/1?state=0&digest={digest}")]
    );
    let methods: Vec<String> = server.seen().into_iter().map(|seen| seen.method).collect();
    assert_eq!(methods, ["HEAD", "POST", "PUT"]);
}

#[tokio::test]
async fn large_blob_goes_on_where_a_connection_broke() {
    let dir = tempfile::tempdir().unwrap();
    // One chunk arrives whole but its answer is lost, one in part, one not at all.
    let (fake, server) = fake(&[100, 40, 0]).await;
    let pusher = pusher(client(&dir, AuthSources::default()), &server).with_chunk(100);
    let content = text(450);
    let (result, sent) = send(&pusher, &content).await;
    result.unwrap();
    assert_eq!(*fake.data.lock().unwrap(), content.as_bytes());
    assert!((450..=750).contains(&sent), "{sent}");
    let ranges: Vec<String> = server
        .seen()
        .iter()
        .filter(|seen| seen.method == "PATCH")
        .map(|seen| seen.header("content-range").to_owned())
        .collect();
    assert_eq!(
        ranges,
        [
            "0-99", "100-199", "140-239", "140-239", "240-339", "340-439", "440-449"
        ]
    );
}

#[tokio::test]
async fn registry_that_keeps_breaking_is_given_up() {
    let dir = tempfile::tempdir().unwrap();
    let (_fake, server) = fake(&[0; 50]).await;
    let mut pusher = pusher(client(&dir, AuthSources::default()), &server).with_chunk(100);
    pusher.retries = 2;
    let error = send(&pusher, &text(450)).await.0.unwrap_err();
    assert!(matches!(error, Error::Unreachable { .. }), "{error}");
}

#[tokio::test]
async fn who_we_are_is_not_told_to_other_hosts() {
    let dir = tempfile::tempdir().unwrap();
    let storage = Server::start(|_| Reply::new(201, "")).await;
    let elsewhere = format!("http://{}/upload/1", storage.address);
    let asked = AtomicUsize::new(0);
    let server = Server::start(move |request| {
        if request.header("authorization").is_empty() {
            asked.fetch_add(1, Ordering::Relaxed);
            return Reply::new(401, "").with("www-authenticate", "Basic realm=\"r\"");
        }
        match request.method.as_str() {
            "POST" => Reply::new(202, "").with("location", elsewhere.clone()),
            _ => Reply::new(404, ""),
        }
    })
    .await;
    let auth = AuthSources {
        explicit: vec![RegistryAuth {
            address: server.address.clone(),
            credential: Credential::Basic {
                username: "u".into(),
                password: "p".into(),
            },
        }],
        ..AuthSources::default()
    };
    let pusher = pusher(client(&dir, auth), &server);
    send(&pusher, "text").await.0.unwrap();
    let seen = storage.seen();
    assert_eq!(seen.len(), 1);
    assert_eq!(seen[0].header("authorization"), "");
    assert_eq!(seen[0].body, "text");
}

#[tokio::test]
async fn mount_that_is_refused_becomes_an_upload() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(|request| match request.method.as_str() {
        "HEAD" => Reply::new(404, ""),
        "POST" if request.path.contains("mount=") => {
            Reply::new(401, "").with("www-authenticate", "Basic realm=\"r\"")
        }
        "POST" => Reply::new(202, "").with("location", "/v2/a/blobs/uploads/1"),
        _ => Reply::new(201, ""),
    })
    .await;
    let pusher = pusher(client(&dir, AuthSources::default()), &server);
    let other = Reference::parse(&format!("{}/other:1", server.address)).unwrap();
    let slot = pusher.slot(&sha256(b"x"), Some(&other)).await.unwrap();
    assert!(matches!(slot, Slot::Wanted(_)));
    // The same repository, or another registry, is not even asked.
    for name in [format!("{}/a:2", server.address), "docker.io/a".into()] {
        let same = Reference::parse(&name).unwrap();
        let before = server.seen().len();
        pusher.slot(&sha256(b"x"), Some(&same)).await.unwrap();
        let more = &server.lines()[before..];
        assert!(!more.iter().any(|line| line.contains("mount=")), "{more:?}");
    }
}
