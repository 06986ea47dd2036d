//! The parts of `source` together, against scripted servers, Debian's docker-registry and skopeo.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use super::auth::{AuthSources, Credential, RegistryAuth};
use super::blob_body::RegistryBlobs;
use super::image::sha256;
use super::pull::{PullStats, Puller};
use super::registry::{ClientOptions, RegistryClient};
use super::testing::{DirBlobs, Image, Reply, Seen, Server, Unpacked, noise};
use super::transports::{ProxyClient, ProxyOptions};
use super::*;
use crate::config::{Config, parse_mirrors};
use crate::event::{Event, Events};

/// A client with its own store, and what it warned about.
struct World {
    _dir: tempfile::TempDir,
    blobs: Arc<DirBlobs>,
    unpacked: Unpacked,
    client: RegistryClient,
    config: Config,
    events: Events,
    seen: Arc<Mutex<Vec<Event>>>,
}

impl World {
    fn new(mirrors: &str, auth: AuthSources) -> Self {
        let mut config = Config::default();
        config.merge_mirrors(parse_mirrors(mirrors).unwrap());
        Self::with(config, auth, Unpacked::default())
    }

    fn with(config: Config, auth: AuthSources, unpacked: Unpacked) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let blobs = Arc::new(DirBlobs(dir.path().to_owned()));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let events = {
            let seen = Arc::clone(&seen);
            Events::new(move |event| seen.lock().unwrap().push(event))
        };
        let client = RegistryClient::new(ClientOptions {
            config: config.clone(),
            auth,
            blobs: Arc::clone(&blobs) as Arc<dyn BlobStore>,
            tags: Some(Arc::new(FileTags::new(dir.path().join("tags")))),
            events: events.clone(),
        });
        Self {
            _dir: dir,
            blobs,
            unpacked,
            client,
            config,
            events,
            seen,
        }
    }

    async fn resolve(&self, image: &str) -> Result<Resolved, Error> {
        let platform = "linux/amd64".parse().unwrap();
        self.client
            .resolve(&Reference::parse(image).unwrap(), &platform)
            .await
    }

    fn puller(&self) -> Puller {
        Puller::new(
            Arc::clone(&self.blobs) as Arc<dyn BlobStore>,
            Arc::new(self.unpacked.clone()),
            self.config.pull.clone(),
            self.events.clone(),
        )
    }

    async fn pull(&self, image: &str) -> Result<PullStats, Error> {
        let resolved = self.resolve(image).await?;
        let reference = Reference::parse(image).unwrap();
        let source = RegistryBlobs {
            client: self.client.clone(),
            reference,
        };
        self.puller().pull(&resolved, Arc::new(source)).await
    }

    fn warnings(&self) -> Vec<String> {
        let seen = self.seen.lock().unwrap();
        seen.iter()
            .filter_map(|event| match event {
                Event::Warning { message } => Some(message.clone()),
                _ => None,
            })
            .collect()
    }
}

fn two_layers() -> Image {
    Image::build("1", "amd64", &[noise(1, 700_000), noise(2, 10)])
}

async fn registry(image: Image) -> Server {
    Server::start(move |request| image.answer("a/b", request)).await
}

fn password(username: &str, password: &str) -> Credential {
    Credential::Basic {
        username: username.into(),
        password: password.into(),
    }
}

fn explicit(address: &str, credential: Credential) -> AuthSources {
    let explicit = vec![RegistryAuth {
        address: address.into(),
        credential,
    }];
    AuthSources {
        explicit,
        ..Default::default()
    }
}

#[tokio::test]
async fn pull_delivers_every_byte_and_keeps_the_blobs() {
    let image = two_layers();
    let server = registry(image.clone()).await;
    let world = World::new("", AuthSources::default());
    let stats = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(
        stats,
        PullStats {
            fetched: 700_010,
            unpacked: 2
        }
    );
    let trees = world.unpacked.trees.lock().unwrap().clone();
    for digest in &image.layers {
        assert_eq!(sha256(&trees[digest]), *digest);
        assert!(world.blobs.has(digest));
    }
    // Again: the tag is asked about, nothing is fetched.
    let before = server.lines().len();
    let again = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(again, PullStats::default());
    assert_eq!(server.lines()[before..], ["HEAD /v2/a/b/manifests/1"]);
    // Trees gone, blobs there: unpacked from disk.
    world.unpacked.trees.lock().unwrap().clear();
    let before = server.lines().len();
    let again = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(
        again,
        PullStats {
            fetched: 0,
            unpacked: 2
        }
    );
    assert_eq!(server.lines().len(), before + 1);
}

#[tokio::test]
async fn pinned_reference_needs_no_network_twice() {
    let image = two_layers();
    let server = registry(image.clone()).await;
    let world = World::new("", AuthSources::default());
    let pinned = format!("{}/a/b@{}", server.address, image.manifest.unwrap());
    let first = world.resolve(&pinned).await.unwrap();
    drop(server);
    let second = world.resolve(&pinned).await.unwrap();
    assert_eq!(first.config_digest, second.config_digest);
    assert_eq!(first.layers, second.layers);
}

#[tokio::test]
async fn tag_ttl_spares_the_question() {
    let server = registry(two_layers()).await;
    let config = Config::parse("tag-ttl = \"1h\"", "c").unwrap();
    let world = World::with(config, AuthSources::default(), Unpacked::default());
    let name = format!("{}/a/b:1", server.address);
    world.resolve(&name).await.unwrap();
    let before = server.lines().len();
    world.resolve(&name).await.unwrap();
    assert_eq!(server.lines().len(), before);
}

#[tokio::test]
async fn moved_tag_is_noticed() {
    let moved = Arc::new(AtomicUsize::new(0));
    let images = [two_layers(), Image::build("1", "amd64", &[noise(9, 5)])];
    let server = {
        let moved = Arc::clone(&moved);
        Server::start(move |r| images[moved.load(Ordering::SeqCst)].answer("a/b", r)).await
    };
    let world = World::new("", AuthSources::default());
    let name = format!("{}/a/b:1", server.address);
    let first = world.resolve(&name).await.unwrap();
    moved.store(1, Ordering::SeqCst);
    let second = world.resolve(&name).await.unwrap();
    assert_ne!(first.digest, second.digest);
    assert_eq!(second.layers.len(), 1);
}

#[tokio::test]
async fn index_leads_to_the_platform() {
    let amd = two_layers();
    let arm = Image::build("arm", "arm64", &[noise(3, 5)]);
    let entry = |image: &Image, arch: &str| {
        serde_json::json!({"mediaType": image::OCI_MANIFEST, "digest": image.manifest, "size": 1,
            "platform": {"os": "linux", "architecture": arch}})
    };
    let index = serde_json::json!({"schemaVersion": 2, "mediaType": image::OCI_INDEX,
        "manifests": [entry(&arm, "arm64"), entry(&amd, "amd64")]});
    let mut all = amd.clone();
    all.files.extend(arm.files.clone());
    all.manifest("multi", image::OCI_INDEX, index.to_string().into_bytes());
    let index_digest = all.manifest.clone().unwrap();
    let server = registry(all).await;
    let world = World::new("", AuthSources::default());
    let name = format!("{}/a/b:multi", server.address);
    let resolved = world.resolve(&name).await.unwrap();
    assert_eq!(resolved.digest, index_digest);
    assert_eq!(Some(resolved.manifest_digest), amd.manifest);
    assert_eq!(resolved.platform.to_string(), "linux/amd64");
    let wanted: Platform = "linux/s390x".parse().unwrap();
    let error = world
        .client
        .resolve(&Reference::parse(&name).unwrap(), &wanted)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("available: linux/arm64, linux/amd64"),
        "{error}"
    );
}

#[tokio::test]
async fn unknown_image_tells_what_was_tried() {
    let mirror = registry(Image::default()).await;
    let upstream = registry(Image::default()).await;
    let mirrors = format!("{}=http://{}/a", upstream.address, mirror.address);
    let world = World::new(&mirrors, AuthSources::default());
    let error = world
        .resolve(&format!("{}/b:nope", upstream.address))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "image {0}/b:nope not found\n\
             tried http://{1}/v2/a/b/manifests/nope: not found\n\
             tried http://{0}/v2/b/manifests/nope: not found",
            upstream.address, mirror.address
        )
    );
}

#[tokio::test]
async fn dead_mirror_is_passed_over() {
    let upstream = registry(two_layers()).await;
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let mirrors = format!("{}=http://{dead}/x", upstream.address);
    let world = World::new(&mirrors, AuthSources::default());
    world
        .pull(&format!("{}/a/b:1", upstream.address))
        .await
        .unwrap();
    assert_eq!(
        world.warnings(),
        [format!(
            "registry mirror {dead} does not answer; going on without"
        )]
    );
}

#[tokio::test]
async fn mirror_prefix_serves_short_names() {
    let image = two_layers();
    let mirror = Server::start(move |r| image.answer("docker.io/library/x", r)).await;
    let mut config = Config::default();
    let mirrors = format!("docker.io=http://{}/docker.io", mirror.address);
    config.merge_mirrors(parse_mirrors(&mirrors).unwrap());
    config.registries.get_mut("docker.io").unwrap().mirrors_only = true;
    let world = World::with(config, AuthSources::default(), Unpacked::default());
    let resolved = world.resolve("x:1").await.unwrap();
    assert_eq!(&*resolved.name, "docker.io/library/x:1");
    let error = world.resolve("x:2").await.unwrap_err();
    assert_eq!(error.to_string().matches("tried").count(), 1, "{error}");
}

#[tokio::test]
async fn unreachable_registry_is_named() {
    let dead = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let world = World::new("", AuthSources::default());
    let error = world.resolve(&format!("{dead}/x:1")).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!("cannot reach http://{dead}/v2/x/manifests/1")
    );
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(cause.contains("Connection refused"), "{cause}");
}

/// A registry that wants a bearer token from its own `/token`.
async fn guarded(image: Image, grant: fn(&Seen) -> bool) -> Server {
    let address = Arc::new(Mutex::new(String::new()));
    let own = Arc::clone(&address);
    let server = Server::start(move |request| {
        if request.path.starts_with("/token") {
            return if grant(request) {
                Reply::new(200, r#"{"access_token":"T","expires_in":300}"#)
            } else {
                Reply::new(401, "{}")
            };
        }
        if request.header("authorization") == "Bearer T" {
            return image.answer("a/b", request);
        }
        let realm = own.lock().unwrap().clone();
        Reply::new(401, "{}").with(
            "www-authenticate",
            format!(
                "Bearer realm=\"http://{realm}/token\",service=\"s\",scope=\"repository:a/b:pull\""
            ),
        )
    })
    .await;
    *address.lock().unwrap() = server.address.clone();
    server
}

#[tokio::test]
async fn anonymous_token_is_fetched_once() {
    let server = guarded(two_layers(), |request| {
        request.header("authorization").is_empty()
    })
    .await;
    let world = World::new("", AuthSources::default());
    world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    let lines = server.lines();
    let tokens: Vec<&String> = lines.iter().filter(|l| l.contains("/token")).collect();
    assert_eq!(
        tokens,
        ["GET /token?service=s&scope=repository%3Aa%2Fb%3Apull"]
    );
    let refused = server
        .seen()
        .iter()
        .filter(|s| s.header("authorization").is_empty())
        .count();
    assert_eq!(refused, 2, "one bare request, one token request: {lines:?}");
}

#[tokio::test]
async fn password_buys_a_token() {
    // dTpw is u:p.
    let grant = |request: &Seen| request.header("authorization") == "Basic dTpw";
    let server = guarded(two_layers(), grant).await;
    let name = format!("{}/a/b:1", server.address);
    let world = World::new("", explicit(&server.address, password("u", "p")));
    world.resolve(&name).await.unwrap();
    for (auth, hint) in [
        (
            explicit(&server.address, password("u", "wrong")),
            "are not accepted",
        ),
        (AuthSources::default(), "docker login"),
    ] {
        let world = World::new("", auth);
        let error = world.resolve(&name).await.unwrap_err();
        assert!(
            matches!(&error, Error::Unauthorized { hint: h, .. } if h.contains(hint)),
            "{error}"
        );
        assert!(!error.to_string().contains("wrong"), "{error}");
    }
}

#[tokio::test]
async fn identity_token_is_posted() {
    let grant = |request: &Seen| {
        request.method == "POST"
            && request.body.contains("grant_type=refresh_token")
            && request.body.contains("refresh_token=R%2F1")
            && request.body.contains("scope=repository%3Aa%2Fb%3Apull")
    };
    let server = guarded(two_layers(), grant).await;
    let auth = explicit(&server.address, Credential::IdentityToken("R/1".into()));
    World::new("", auth)
        .resolve(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
}

#[tokio::test]
async fn call_credentials_do_not_leak_into_other_calls() {
    let grant = |request: &Seen| request.header("authorization") == "Basic dTpw";
    let server = guarded(two_layers(), grant).await;
    let world = World::new("", AuthSources::default());
    let reference = Reference::parse(&format!("{}/a/b:1", server.address)).unwrap();
    let platform = "linux/amd64".parse().unwrap();
    let auth = RegistryAuth {
        address: server.address.clone(),
        credential: password("u", "p"),
    };
    world
        .client
        .with_auth(&[auth])
        .resolve(&reference, &platform)
        .await
        .unwrap();
    assert!(world.client.resolve(&reference, &platform).await.is_err());
}

#[tokio::test]
async fn busy_registry_is_asked_again() {
    let image = two_layers();
    let count = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&count);
    let server = Server::start(move |request| match calls.fetch_add(1, Ordering::SeqCst) {
        0 => Reply::new(429, "").with("retry-after", "1"),
        1 => Reply::new(503, ""),
        _ => image.answer("a/b", request),
    })
    .await;
    let world = World::new("", AuthSources::default());
    let started = Instant::now();
    world
        .resolve(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert!(
        started.elapsed() >= Duration::from_secs(1),
        "Retry-After was honoured"
    );
}

#[tokio::test]
async fn exhausted_patience_reports_the_registrys_words() {
    let body = r#"{"errors":[{"code":"TOOMANYREQUESTS","message":"pull rate limit reached"}]}"#;
    let server = Server::start(move |_| Reply::new(429, body)).await;
    let config = Config::parse("[pull]\nretries = 1", "c").unwrap();
    let world = World::with(config, AuthSources::default(), Unpacked::default());
    let error = world
        .resolve(&format!("{}/a/b:1", server.address))
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .ends_with("answered 429: pull rate limit reached"),
        "{error}"
    );
    assert_eq!(server.lines().len(), 2);
}

#[tokio::test]
async fn broken_stream_goes_on_where_it_stopped() {
    let image = two_layers();
    let big = image.layers[0].clone();
    let cuts = Arc::new(AtomicUsize::new(0));
    let left = Arc::clone(&cuts);
    let server = Server::start(move |request| {
        let reply = image.answer("a/b", request);
        if reply.body.len() > 100_000 && left.fetch_add(1, Ordering::SeqCst) < 3 {
            return Reply {
                cut: Some(100_000),
                ..reply
            };
        }
        reply
    })
    .await;
    let world = World::new("", AuthSources::default());
    let stats = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(stats.fetched, 700_010, "no byte twice");
    assert_eq!(sha256(&world.unpacked.trees.lock().unwrap()[&big]), big);
    assert_eq!(
        world.unpacked.begun.lock().unwrap().len(),
        2,
        "the unpacker never restarts"
    );
    let ranges: Vec<String> = server
        .seen()
        .iter()
        .map(|s| s.header("range").to_owned())
        .filter(|r| !r.is_empty())
        .collect();
    assert_eq!(ranges, ["bytes=100000-", "bytes=200000-", "bytes=300000-"]);
}

#[tokio::test]
async fn server_without_ranges_is_skipped_forward() {
    let image = two_layers();
    let big = image.layers[0].clone();
    let cuts = Arc::new(AtomicUsize::new(0));
    let server = Server::start(move |request| {
        let mut bare = request.clone();
        bare.headers.remove("range");
        let reply = image.answer("a/b", &bare);
        if reply.body.len() > 100_000 && cuts.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reply {
                cut: Some(100_000),
                ..reply
            };
        }
        reply
    })
    .await;
    let world = World::new("", AuthSources::default());
    world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(sha256(&world.unpacked.trees.lock().unwrap()[&big]), big);
}

#[tokio::test]
async fn partial_blob_of_an_earlier_run_is_resumed() {
    let image = two_layers();
    let big = image.layers[0].clone();
    let bytes = image.files[&format!("blobs/{big}")].1.clone();
    let server = registry(image).await;
    let world = World::new("", AuthSources::default());
    std::fs::write(world.blobs.partial(&big), &bytes[..400_000]).unwrap();
    let stats = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(stats.fetched, 300_010);
    assert_eq!(world.unpacked.trees.lock().unwrap()[&big], bytes);
    assert_eq!(std::fs::read(world.blobs.path(&big)).unwrap(), bytes);
}

#[tokio::test]
async fn damaged_partial_blob_is_fetched_anew() {
    let image = two_layers();
    let big = image.layers[0].clone();
    let server = registry(image).await;
    let world = World::new("", AuthSources::default());
    std::fs::write(world.blobs.partial(&big), vec![0; 400_000]).unwrap();
    world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(sha256(&world.unpacked.trees.lock().unwrap()[&big]), big);
    assert_eq!(*world.unpacked.abandoned.lock().unwrap(), [big]);
}

#[tokio::test]
async fn wrong_bytes_reach_neither_store_nor_tree() {
    for wrong in [noise(7, 700_000), noise(1, 699_999), noise(1, 700_001)] {
        let mut image = two_layers();
        let big = image.layers[0].clone();
        image.put(&format!("blobs/{big}"), "x", wrong);
        let server = registry(image).await;
        let config = Config::parse("[pull]\nretries = 0", "c").unwrap();
        let world = World::with(config, AuthSources::default(), Unpacked::default());
        let error = world
            .pull(&format!("{}/a/b:1", server.address))
            .await
            .unwrap_err();
        assert!(
            matches!(
                error,
                Error::DigestMismatch { .. } | Error::Unreachable { .. }
            ),
            "{error:?}"
        );
        assert!(!world.blobs.has(&big));
        assert!(!world.unpacked.trees.lock().unwrap().contains_key(&big));
        assert_eq!(*world.unpacked.abandoned.lock().unwrap(), [big]);
    }
}

#[tokio::test]
async fn wrong_manifest_is_refused() {
    let mut image = two_layers();
    let digest = image.manifest.clone().unwrap();
    image.put(
        &format!("manifests/{digest}"),
        image::OCI_MANIFEST,
        b"{}".to_vec(),
    );
    let server = Server::start(move |request| {
        let mut reply = image.answer("a/b", request);
        reply
            .headers
            .retain(|(name, _)| name != "docker-content-digest");
        reply
    })
    .await;
    let world = World::new("", AuthSources::default());
    let error = world
        .resolve(&format!("{}/a/b@{digest}", server.address))
        .await
        .unwrap_err();
    assert!(
        matches!(&error, Error::DigestMismatch { expected, .. } if *expected == digest.to_string())
    );
}

#[tokio::test]
async fn redirect_does_not_carry_credentials_to_another_host() {
    let image = two_layers();
    let storage = {
        let image = image.clone();
        Server::start(move |request| {
            let inside = Seen {
                path: request.path.replace("/s3/", "/v2/a/b/blobs/"),
                ..request.clone()
            };
            image.answer("a/b", &inside)
        })
        .await
    };
    let target = storage.address.clone();
    let server = Server::start(move |request| {
        if request.header("authorization") != "Basic dTpw" {
            return Reply::new(401, "").with("www-authenticate", "Basic realm=\"r\"");
        }
        match request.path.strip_prefix("/v2/a/b/blobs/") {
            Some(digest) => {
                Reply::new(307, "").with("location", format!("http://{target}/s3/{digest}"))
            }
            None => image.answer("a/b", request),
        }
    })
    .await;
    let world = World::new("", explicit(&server.address, password("u", "p")));
    let stats = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap();
    assert_eq!(stats.unpacked, 2);
    let stored = storage.seen();
    assert_eq!(stored.len(), 3, "config and two layers");
    assert!(stored.iter().all(|s| s.header("authorization").is_empty()));
}

#[tokio::test]
async fn failing_unpacker_gives_the_reason() {
    let server = registry(two_layers()).await;
    let unpacked = Unpacked {
        fail_after: Some(1000),
        ..Default::default()
    };
    let world = World::with(Config::default(), AuthSources::default(), unpacked);
    let error = world
        .pull(&format!("{}/a/b:1", server.address))
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert!(matches!(error, Error::Unpack { .. }), "{error:?}");
    assert_eq!(cause, "no space left in the test");
}

/// An unpacker that never reads.
#[derive(Debug, Default)]
struct Stuck(Mutex<Vec<std::os::fd::OwnedFd>>);

struct StuckJob;

impl pull::UnpackJob for StuckJob {
    fn finish(
        self: Box<Self>,
        _delivery: pull::Delivery,
    ) -> pull::BoxFuture<'static, Result<(), BoxError>> {
        Box::pin(async { Ok(()) })
    }
}

impl pull::LayerUnpacker for Stuck {
    fn begin(&self, _layer: &pull::LayerJob) -> Result<Option<pull::UnpackStream>, BoxError> {
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        self.0.lock().unwrap().push(read);
        Ok(Some(pull::UnpackStream {
            pipe: write,
            job: Box::new(StuckJob),
        }))
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn dropped_pull_stops_and_stays_resumable() {
    let image = Image::build("1", "amd64", &[noise(1, 4_000_000)]);
    let big = image.layers[0].clone();
    let server = registry(image).await;
    let world = World::new("", AuthSources::default());
    let name = format!("{}/a/b:1", server.address);
    let resolved = world.resolve(&name).await.unwrap();
    let stuck = Arc::new(Stuck::default());
    let puller = Puller::new(
        Arc::clone(&world.blobs) as Arc<dyn BlobStore>,
        Arc::clone(&stuck) as Arc<dyn pull::LayerUnpacker>,
        world.config.pull.clone(),
        world.events.clone(),
    );
    let reference = Reference::parse(&name).unwrap();
    let source = Arc::new(RegistryBlobs {
        client: world.client.clone(),
        reference,
    });
    let pulling = puller.pull(&resolved, source);
    tokio::time::timeout(Duration::from_millis(500), pulling)
        .await
        .unwrap_err();
    // The write end closes once the thread has stopped: reading reaches the end.
    let pipe = stuck.0.lock().unwrap().pop().unwrap();
    let read = tokio::task::spawn_blocking(move || {
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut std::fs::File::from(pipe), &mut bytes).unwrap();
        bytes.len()
    });
    let read = tokio::time::timeout(Duration::from_secs(10), read)
        .await
        .unwrap()
        .unwrap();
    assert!(read < 4_000_000);
    let kept = std::fs::metadata(world.blobs.partial(&big)).unwrap().len();
    assert!(kept > 0 && kept < 4_000_000, "{kept}");
    let cancelled = |event: &Event| {
        let outcome = crate::event::Outcome::Cancelled;
        matches!(event, Event::PullDone { outcome: done, .. } if *done == outcome)
    };
    assert!(world.seen.lock().unwrap().iter().any(cancelled));
    let stats = world.pull(&name).await.unwrap();
    assert_eq!(stats.fetched, 4_000_000 - kept);
}

#[tokio::test(flavor = "multi_thread")]
async fn images_that_share_a_layer_fetch_it_once() {
    let server = registry(two_layers()).await;
    let world = World::new("", AuthSources::default());
    let name = format!("{}/a/b:1", server.address);
    let resolved = world.resolve(&name).await.unwrap();
    let reference = Reference::parse(&name).unwrap();
    let source = Arc::new(RegistryBlobs {
        client: world.client.clone(),
        reference,
    });
    let puller = world.puller();
    let (a, b) = tokio::join!(
        puller.pull(&resolved, source.clone()),
        puller.pull(&resolved, source)
    );
    assert_eq!(a.unwrap().unpacked + b.unwrap().unpacked, 2);
    assert_eq!(world.unpacked.begun.lock().unwrap().len(), 2);
}

/// Debian's docker-registry in a directory of its own.
struct DockerRegistry {
    child: Child,
    address: String,
    _dir: tempfile::TempDir,
}

impl Drop for DockerRegistry {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl DockerRegistry {
    /// `users` is the text of an htpasswd file; `tls` a directory with `leaf.pem` and `leaf.key`.
    fn start(users: Option<&str>, tls: Option<&Path>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let address = {
            let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            free.local_addr().unwrap().to_string()
        };
        let root = dir.path().display();
        let mut yaml = format!(
            "version: 0.1\nlog: {{level: error}}\nstorage: {{filesystem: {{rootdirectory: {root}/data}}}}\nhttp:\n  addr: {address}\n"
        );
        if let Some(tls) = tls.map(Path::display) {
            yaml.push_str(&format!(
                "  tls: {{certificate: {tls}/leaf.pem, key: {tls}/leaf.key}}\n"
            ));
        }
        if let Some(users) = users {
            std::fs::write(dir.path().join("users"), users).unwrap();
            yaml.push_str(&format!(
                "auth: {{htpasswd: {{realm: test, path: {root}/users}}}}\n"
            ));
        }
        let config = dir.path().join("config.yml");
        std::fs::write(&config, yaml).unwrap();
        let child = Command::new("docker-registry")
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry is installed (Debian package docker-registry)");
        let registry = Self {
            child,
            address,
            _dir: dir,
        };
        let deadline = Instant::now() + Duration::from_secs(20);
        while std::net::TcpStream::connect(&registry.address).is_err() {
            assert!(Instant::now() < deadline, "docker-registry does not listen");
            std::thread::sleep(Duration::from_millis(20));
        }
        registry
    }

    /// Fills a repository from an OCI layout with skopeo, as a user would.
    fn push(&self, layout: &Path, name: &str, creds: Option<&str>) {
        let mut command = Command::new("skopeo");
        command.args([
            "--insecure-policy",
            "copy",
            "--all",
            "--dest-tls-verify=false",
        ]);
        command.args(creds.map(|c| format!("--dest-creds={c}")));
        command.arg(format!("oci:{}", layout.display()));
        command.arg(format!("docker://{}/{name}", self.address));
        run(&mut command);
    }
}

fn run(command: &mut Command) {
    let output = command
        .output()
        .expect("skopeo is installed (Debian package skopeo)");
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn tar_of(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, bytes) in files {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        header[100..108].copy_from_slice(b"0000644\0");
        header[108..116].copy_from_slice(b"0000000\0");
        header[116..124].copy_from_slice(b"0000000\0");
        header[124..136].copy_from_slice(format!("{:011o}\0", bytes.len()).as_bytes());
        header[136..148].copy_from_slice(b"00000000000\0");
        header[148..156].copy_from_slice(b"        ");
        header[156] = b'0';
        header[257..265].copy_from_slice(b"ustar\x0000");
        let sum: u32 = header.iter().map(|b| u32::from(*b)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(bytes);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// Writes an image as an OCI layout directory.
fn layout(dir: &Path, image: &Image) -> PathBuf {
    let root = dir.join("layout");
    let blobs = root.join("blobs/sha256");
    std::fs::create_dir_all(&blobs).unwrap();
    for (path, (_, bytes)) in &image.files {
        if path.contains("sha256:") {
            std::fs::write(blobs.join(sha256(bytes).digest()), bytes).unwrap();
        }
    }
    let manifest = image.manifest.as_ref().unwrap();
    let size = image.files[&format!("manifests/{manifest}")].1.len();
    let index = serde_json::json!({"schemaVersion": 2, "manifests": [
        {"mediaType": image::OCI_MANIFEST, "digest": manifest, "size": size}]});
    std::fs::write(root.join("index.json"), index.to_string()).unwrap();
    std::fs::write(root.join("oci-layout"), r#"{"imageLayoutVersion":"1.0.0"}"#).unwrap();
    root
}

fn real_image() -> Image {
    let big = noise(5, 3_000_000);
    Image::build(
        "1",
        "amd64",
        &[tar_of(&[("big", &big)]), tar_of(&[("etc", b"x=1\n")])],
    )
}

#[tokio::test]
async fn docker_registry_serves_a_pull() {
    let dir = tempfile::tempdir().unwrap();
    let image = real_image();
    let registry = DockerRegistry::start(None, None);
    registry.push(&layout(dir.path(), &image), "team/app:1", None);
    let world = World::new("", AuthSources::default());
    let name = format!("{}/team/app:1", registry.address);
    let resolved = world.resolve(&name).await.unwrap();
    let stats = world.pull(&name).await.unwrap();
    assert_eq!(
        stats,
        PullStats {
            fetched: resolved.size(),
            unpacked: 2
        }
    );
    // A half-fetched layer goes on with a range the registry understands.
    let big = resolved.layers[0].digest();
    let bytes = std::fs::read(world.blobs.path(big)).unwrap();
    std::fs::remove_file(world.blobs.path(big)).unwrap();
    std::fs::write(world.blobs.partial(big), &bytes[..bytes.len() / 2]).unwrap();
    world.unpacked.trees.lock().unwrap().clear();
    let stats = world.pull(&name).await.unwrap();
    assert_eq!(stats.fetched, (bytes.len() - bytes.len() / 2) as u64);
    assert_eq!(world.unpacked.trees.lock().unwrap()[big], bytes);
    let error = world
        .resolve(&format!("{}/team/none:1", registry.address))
        .await
        .unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error}");
}

#[tokio::test]
async fn docker_registry_with_passwords_serves_who_has_one() {
    // Bcrypt of "secret", cost 4.
    let users = format!("ci:{BCRYPT_OF_SECRET}\n");
    let dir = tempfile::tempdir().unwrap();
    let image = real_image();
    let registry = DockerRegistry::start(Some(&users), None);
    registry.push(&layout(dir.path(), &image), "team/app:1", Some("ci:secret"));
    let name = format!("{}/team/app:1", registry.address);
    let config = dir.path().join("config.json");
    let auths = serde_json::json!({"auths": {registry.address.as_str(): {"auth": "Y2k6c2VjcmV0"}}});
    std::fs::write(&config, auths.to_string()).unwrap();
    let world = World::new(
        "",
        AuthSources {
            files: vec![config],
            ..Default::default()
        },
    );
    assert_eq!(world.pull(&name).await.unwrap().unpacked, 2);
    let error = World::new("", AuthSources::default())
        .resolve(&name)
        .await
        .unwrap_err();
    assert!(matches!(error, Error::Unauthorized { .. }), "{error}");
}

const BCRYPT_OF_SECRET: &str = "$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW";

/// An authority that signed nothing; its key is gone.
const OTHER_CA: &str = "-----BEGIN CERTIFICATE-----\n\
    MIIBfjCCASOgAwIBAgIUK5UDFLoarUqlSw/DY0s+Ncs0XDAwCgYIKoZIzj0EAwIw\n\
    EzERMA8GA1UEAwwIb3RoZXItY2EwIBcNMjYxMTIyMjIzODEyWhgPMjEyNjEwMjky\n\
    MjM4MTJaMBMxETAPBgNVBAMMCG90aGVyLWNhMFkwEwYHKoZIzj0CAQYIKoZIzj0D\n\
    AQcDQgAEaLRo+U0veqGDTOdB9I7IXFRyCUpdQMKIP1SwvBMNe8WZVV6mCOSKXRbZ\n\
    OWs9Eq4XTupdDDgIr+/63QkVBinMPaNTMFEwHQYDVR0OBBYEFPqQZqylmHRja5Lu\n\
    n5tg7/432cFJMB8GA1UdIwQYMBaAFPqQZqylmHRja5Lun5tg7/432cFJMA8GA1Ud\n\
    EwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSQAwRgIhAIwW7FgP4iygc2wYVwyd9Hxp\n\
    9xRBCyjsOgjDn/1++VICAiEAh/hgjc7K4OmxAH518MfdIXQYV/DA3d0Grc508/HE\n\
    NW4=\n\
    -----END CERTIFICATE-----\n";

/// A certificate authority and a certificate for 127.0.0.1 signed by it.
fn certificates(dir: &Path) {
    let make = |script: &str| {
        let output = Command::new("sh")
            .arg("-ec")
            .arg(script)
            .current_dir(dir)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "openssl: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    };
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes";
    make(&format!(
        "openssl req -x509 {key} -keyout ca.key -out ca.pem -days 2 -subj /CN=test-ca"
    ));
    make(&format!(
        "openssl req -new {key} -keyout leaf.key -out leaf.csr -subj /CN=registry"
    ));
    make(
        "printf 'subjectAltName=IP:127.0.0.1\\nbasicConstraints=CA:FALSE\\n' > ext
         openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out leaf.pem",
    );
}

#[tokio::test]
async fn tls_registry_is_trusted_by_its_authority_only() {
    let dir = tempfile::tempdir().unwrap();
    certificates(dir.path());
    let registry = DockerRegistry::start(None, Some(dir.path()));
    registry.push(&layout(dir.path(), &real_image()), "team/app:1", None);
    let name = format!("{}/team/app:1", registry.address);
    let world = |setting: &str| {
        let toml = format!("[registries.\"{}\"]\n{setting}", registry.address);
        let config = Config::parse(&toml, "c").unwrap();
        World::with(config, AuthSources::default(), Unpacked::default())
    };
    std::fs::write(dir.path().join("other.pem"), OTHER_CA).unwrap();
    let ca = |file: &str| format!("ca-file = \"{}\"", dir.path().join(file).display());
    assert_eq!(world(&ca("ca.pem")).pull(&name).await.unwrap().unpacked, 2);
    assert_eq!(
        world("insecure = true").pull(&name).await.unwrap().unpacked,
        2
    );
    let started = Instant::now();
    let error = world(&ca("other.pem")).pull(&name).await.unwrap_err();
    let cause = std::error::Error::source(&error)
        .map(ToString::to_string)
        .unwrap_or_default();
    assert!(cause.contains("certificate"), "{error}: {cause}");
    assert!(
        started.elapsed() < Duration::from_secs(2),
        "a bad certificate is not tried again"
    );
    // Plain HTTP, as for any loopback registry, tells what is wrong.
    let error = world("").pull(&name).await.unwrap_err().to_string();
    assert!(error.contains("HTTP request to an HTTPS server"), "{error}");
}

async fn through_skopeo(image: &str, options: ProxyOptions) -> Result<(Resolved, World), Error> {
    let world = World::new("", AuthSources::default());
    let sources = Sources {
        registry: world.client.clone(),
        proxy: ProxyClient::new(options),
    };
    let platform = "linux/amd64".parse().unwrap();
    let image = ImageRef::parse(image).unwrap();
    let (resolved, blobs) = sources.resolve(&image, &platform, &[]).await?;
    world.puller().pull(&resolved, blobs).await?;
    Ok((resolved, world))
}

#[tokio::test]
async fn oci_layout_is_read_through_skopeo() {
    let dir = tempfile::tempdir().unwrap();
    let image = real_image();
    let root = layout(dir.path(), &image);
    let name = format!("oci:{}", root.display());
    let (resolved, world) = through_skopeo(&name, ProxyOptions::default())
        .await
        .unwrap();
    assert_eq!(Some(&resolved.digest), image.manifest.as_ref());
    assert_eq!(resolved.digest, resolved.manifest_digest);
    let trees = world.unpacked.trees.lock().unwrap().clone();
    for digest in &image.layers {
        assert_eq!(sha256(&trees[digest]), *digest);
    }
    let error = through_skopeo(&format!("{name}-none"), ProxyOptions::default())
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
}

#[tokio::test]
async fn docker_archive_is_read_through_skopeo() {
    let dir = tempfile::tempdir().unwrap();
    let image = real_image();
    let root = layout(dir.path(), &image);
    let archive = dir.path().join("image.tar");
    let mut command = Command::new("skopeo");
    command
        .args(["--insecure-policy", "copy"])
        .arg(format!("oci:{}", root.display()));
    run(command.arg(format!("docker-archive:{}:team/app:1", archive.display())));
    let name = format!("docker-archive:{}", archive.display());
    let (resolved, world) = through_skopeo(&name, ProxyOptions::default())
        .await
        .unwrap();
    let trees = world.unpacked.trees.lock().unwrap().clone();
    for (layer, digest) in resolved.layers.iter().zip(&image.layers) {
        assert_eq!(layer.diff_id, *digest);
        assert_eq!(layer.compression, Compression::None, "{layer:?}");
        assert_eq!(sha256(&trees[layer.digest()]), *digest);
    }
}

#[tokio::test]
async fn missing_skopeo_names_the_package() {
    let options = ProxyOptions {
        skopeo: "/nonexistent/skopeo".into(),
        ..Default::default()
    };
    let error = through_skopeo("oci:/x", options)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(error.contains("install the package `skopeo`"), "{error}");
}

#[tokio::test]
async fn signature_policy_is_never_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let policy = dir.path().join("policy.json");
    let mut file = std::fs::File::create(&policy).unwrap();
    file.write_all(br#"{"default":[{"type":"reject"}]}"#)
        .unwrap();
    let root = layout(dir.path(), &real_image());
    let options = ProxyOptions {
        policy_files: vec![policy],
        ..Default::default()
    };
    let name = format!("oci:{}", root.display());
    let error = through_skopeo(&name, options.clone())
        .await
        .err()
        .unwrap()
        .to_string();
    // skopeo before 1.13 would not look at the policy; later ones reject.
    assert!(
        error.contains("protocol 0.2.6") || error.contains("reject"),
        "{error}"
    );
    let error = through_skopeo("127.0.0.1:1/x", options)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.contains("protocol 0.2.6") || error.contains("reject"),
        "{error}"
    );
}
