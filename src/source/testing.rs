//! Doubles for the tests of this module: a blob store, an unpacker, a scripted HTTP server.

use std::collections::HashMap;
use std::fs;
use std::io::{self, Read, Write as _};
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use oci_spec::image::Digest;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::image::sha256;
use super::pull::{BoxFuture, Delivery, LayerJob, LayerUnpacker, UnpackJob, UnpackStream};
use super::store::{BlobStore, BlobWrite};
use super::{BoxError, Compression};

/// Blobs in a directory, partial ones with a suffix.
#[derive(Debug)]
pub(super) struct DirBlobs(pub(super) PathBuf);

impl DirBlobs {
    pub(super) fn partial(&self, digest: &Digest) -> PathBuf {
        self.path(digest).with_extension("part")
    }
}

impl BlobStore for DirBlobs {
    fn has(&self, digest: &Digest) -> bool {
        self.path(digest).exists()
    }

    fn open(&self, digest: &Digest) -> io::Result<Option<Box<dyn Read + Send>>> {
        match fs::File::open(self.path(digest)) {
            Ok(file) => Ok(Some(Box::new(file))),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e),
        }
    }

    fn writer(&self, digest: &Digest, _size: u64) -> io::Result<Option<Box<dyn BlobWrite>>> {
        let path = self.partial(digest);
        let file = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(&path)?;
        let offset = file.metadata()?.len();
        Ok(Some(Box::new(DirWrite {
            file,
            path,
            done: self.path(digest),
            offset,
        })))
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        self.0.join(digest.digest())
    }
}

struct DirWrite {
    file: fs::File,
    path: PathBuf,
    done: PathBuf,
    offset: u64,
}

impl BlobWrite for DirWrite {
    fn offset(&self) -> u64 {
        self.offset
    }

    fn replay(&mut self) -> io::Result<Box<dyn Read + Send + '_>> {
        Ok(Box::new(fs::File::open(&self.path)?.take(self.offset)))
    }

    fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.offset += bytes.len() as u64;
        Ok(())
    }

    fn reset(&mut self) -> io::Result<()> {
        self.offset = 0;
        self.file.set_len(0)
    }

    fn commit(self: Box<Self>) -> io::Result<()> {
        fs::rename(&self.path, &self.done)
    }
}

/// What an unpacker was given, by layer digest.
#[derive(Debug, Default, Clone)]
pub(super) struct Unpacked {
    pub(super) trees: Arc<Mutex<HashMap<Digest, Vec<u8>>>>,
    pub(super) begun: Arc<Mutex<Vec<Digest>>>,
    pub(super) abandoned: Arc<Mutex<Vec<Digest>>>,
    /// Stops reading after so many bytes, as an unpacker does whose disk is full.
    pub(super) fail_after: Option<usize>,
    /// Throws bytes away after counting, for measurements.
    pub(super) discard: bool,
}

impl LayerUnpacker for Unpacked {
    fn begin(&self, layer: &LayerJob) -> Result<Option<UnpackStream>, BoxError> {
        if self.trees.lock().unwrap().contains_key(&layer.digest) {
            return Ok(None);
        }
        assert_ne!(
            layer.compression,
            Compression::Zstd,
            "no test layer is zstd"
        );
        self.begun.lock().unwrap().push(layer.digest.clone());
        let (read, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        let (limit, discard) = (self.fail_after, self.discard);
        let reader = std::thread::spawn(move || drain(read, limit, discard));
        Ok(Some(UnpackStream {
            pipe: write,
            job: Box::new(Job {
                owner: self.clone(),
                digest: layer.digest.clone(),
                reader,
            }),
        }))
    }
}

fn drain(pipe: OwnedFd, limit: Option<usize>, discard: bool) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut pipe = fs::File::from(pipe);
    if discard {
        let mut buffer = vec![0; 1 << 20];
        while pipe.read(&mut buffer)? > 0 {}
        return Ok(bytes);
    }
    match limit {
        None => pipe.read_to_end(&mut bytes)?,
        Some(limit) => {
            pipe.take(limit as u64).read_to_end(&mut bytes)?;
            return Err(io::Error::other("no space left in the test"));
        }
    };
    Ok(bytes)
}

struct Job {
    owner: Unpacked,
    digest: Digest,
    reader: std::thread::JoinHandle<io::Result<Vec<u8>>>,
}

impl UnpackJob for Job {
    fn finish(self: Box<Self>, delivery: Delivery) -> BoxFuture<'static, Result<(), BoxError>> {
        Box::pin(async move {
            let bytes = self.reader.join().expect("the reader does not panic")?;
            match delivery {
                Delivery::Verified => {
                    self.owner.trees.lock().unwrap().insert(self.digest, bytes);
                }
                Delivery::Abandoned => self.owner.abandoned.lock().unwrap().push(self.digest),
            }
            Ok(())
        })
    }
}

/// One request as the server saw it; header names in lower case.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) method: String,
    pub(super) path: String,
    pub(super) headers: HashMap<String, String>,
    pub(super) body: String,
}

impl Seen {
    pub(super) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map(String::as_str)
            .unwrap_or_default()
    }
}

/// One answer; status 0 is none at all. `cut` closes the connection after so many bytes of the body.
#[derive(Debug, Clone, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    pub(super) cut: Option<usize>,
}

impl Reply {
    pub(super) fn new(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self {
            status,
            body: body.into(),
            ..Self::default()
        }
    }

    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }
}

type Handler = dyn Fn(&Seen) -> Reply + Send + Sync;

/// An HTTP/1.1 server that answers from a closure and remembers every request.
pub(super) struct Server {
    pub(super) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Server {
    pub(super) async fn start(handler: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let handler: Arc<Handler> = Arc::new(handler);
        let log = Arc::clone(&seen);
        let task = tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&handler), Arc::clone(&log)));
            }
        });
        Self {
            address,
            seen,
            task,
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// `METHOD path` of every request.
    pub(super) fn lines(&self) -> Vec<String> {
        self.seen()
            .iter()
            .map(|s| format!("{} {}", s.method, s.path))
            .collect()
    }
}

async fn serve(
    mut socket: tokio::net::TcpStream,
    handler: Arc<Handler>,
    log: Arc<Mutex<Vec<Seen>>>,
) -> Option<()> {
    let mut input = Vec::new();
    loop {
        let end = loop {
            if let Some(at) = input.windows(4).position(|w| w == b"\r\n\r\n") {
                break at;
            }
            let mut chunk = [0; 4096];
            match socket.read(&mut chunk).await.ok()? {
                0 => return None,
                n => input.extend_from_slice(&chunk[..n]),
            }
        };
        let head = String::from_utf8(input[..end].to_vec()).ok()?;
        input.drain(..end + 4);
        let mut lines = head.split("\r\n");
        let mut first = lines.next()?.split(' ');
        let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
        let headers: HashMap<String, String> = lines
            .filter_map(|l| l.split_once(": "))
            .map(|(k, v)| (k.to_ascii_lowercase(), v.to_owned()))
            .collect();
        let length = headers
            .get("content-length")
            .and_then(|l| l.parse().ok())
            .unwrap_or(0);
        while input.len() < length {
            let mut chunk = [0; 4096];
            match socket.read(&mut chunk).await.ok()? {
                0 => return None,
                n => input.extend_from_slice(&chunk[..n]),
            }
        }
        let body = String::from_utf8(input.drain(..length).collect()).ok()?;
        let request = Seen {
            method,
            path,
            headers,
            body,
        };
        log.lock().unwrap().push(request.clone());
        let reply = handler(&request);
        if reply.status == 0 {
            return None;
        }
        let mut out = format!(
            "HTTP/1.1 {} x\r\ncontent-length: {}\r\n",
            reply.status,
            reply.body.len()
        );
        for (name, value) in &reply.headers {
            out.push_str(&format!("{name}: {value}\r\n"));
        }
        out.push_str("\r\n");
        socket.write_all(out.as_bytes()).await.ok()?;
        if request.method != "HEAD" {
            let length = reply.cut.unwrap_or(reply.body.len());
            socket.write_all(&reply.body[..length]).await.ok()?;
        }
        if reply.cut.is_some() {
            return None;
        }
    }
}

/// An image in memory: what a registry would serve, by path below the repository.
#[derive(Debug, Clone, Default)]
pub(super) struct Image {
    pub(super) files: HashMap<String, (String, Vec<u8>)>,
    pub(super) manifest: Option<Digest>,
    pub(super) layers: Vec<Digest>,
}

impl Image {
    /// An image of these layers for `arch`, reachable as `manifests/<tag>` and by digest.
    pub(super) fn build(tag: &str, arch: &str, layers: &[Vec<u8>]) -> Self {
        let mut image = Self::default();
        let mut descriptors = Vec::new();
        let mut diff_ids = Vec::new();
        for bytes in layers {
            let digest = sha256(bytes);
            let media_type = "application/vnd.oci.image.layer.v1.tar";
            descriptors.push(
                serde_json::json!({"mediaType": media_type, "digest": digest, "size": bytes.len()}),
            );
            diff_ids.push(digest.to_string());
            image.put(
                &format!("blobs/{digest}"),
                "application/octet-stream",
                bytes.clone(),
            );
            image.layers.push(digest);
        }
        let config = serde_json::json!({
            "architecture": arch, "os": "linux", "config": {"Cmd": ["sh"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        })
        .to_string()
        .into_bytes();
        let config_digest = sha256(&config);
        let manifest = serde_json::json!({
            "schemaVersion": 2, "mediaType": super::image::OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.image.config.v1+json",
                       "digest": config_digest, "size": config.len()},
            "layers": descriptors,
        })
        .to_string()
        .into_bytes();
        image.put(
            &format!("blobs/{config_digest}"),
            "application/octet-stream",
            config,
        );
        image.manifest(tag, super::image::OCI_MANIFEST, manifest);
        image
    }

    pub(super) fn manifest(&mut self, tag: &str, media_type: &str, bytes: Vec<u8>) {
        let digest = sha256(&bytes);
        self.put(&format!("manifests/{digest}"), media_type, bytes.clone());
        self.put(&format!("manifests/{tag}"), media_type, bytes);
        self.manifest = Some(digest);
    }

    pub(super) fn put(&mut self, path: &str, media_type: &str, bytes: Vec<u8>) {
        self.files
            .insert(path.to_owned(), (media_type.to_owned(), bytes));
    }

    /// Answers a request below `/v2/<repository>/`, ranges included.
    pub(super) fn answer(&self, repository: &str, request: &Seen) -> Reply {
        let rest = request.path.strip_prefix(&format!("/v2/{repository}/"));
        let Some((media_type, bytes)) = rest.and_then(|rest| self.files.get(rest)) else {
            let body = r#"{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}"#;
            return Reply::new(404, body);
        };
        let whole = Reply::new(200, bytes.clone()).with("content-type", media_type);
        let start: Option<usize> = request
            .header("range")
            .strip_prefix("bytes=")
            .and_then(|r| r.strip_suffix('-'))
            .and_then(|r| r.parse().ok());
        match start {
            Some(start) => Reply {
                status: 206,
                body: bytes[start..].to_vec(),
                ..whole
            }
            .with(
                "content-range",
                format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len()),
            ),
            None if request.path.contains("/manifests/") => {
                let digest = sha256(bytes).to_string();
                whole.with("docker-content-digest", digest)
            }
            None => whole,
        }
    }
}

/// Bytes that do not repeat, so that a shifted stream shows.
pub(super) fn noise(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2).wrapping_add(1);
    (0..length)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        })
        .collect()
}
