//! Images that skopeo reads for us: archives, local stores, and registries under a signature policy.
//!
//! [`ProxyClient::resolve`] starts one skopeo per image; it ends when the last user of the image is dropped.
//! nsci works without skopeo as long as nobody asks for such an image.
//!
//! # References
//! - [skopeo-experimental-image-proxy(1)](https://github.com/containers/skopeo/blob/main/docs/skopeo-experimental-image-proxy.1.md)

use std::fs::File;
use std::io::{self, Seek as _, Write as _};
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use containers_image_proxy::{
    Error as ProxyError, ImageProxy, ImageProxyConfig, OpenedImage, oci_spec as proxy_spec,
};
use oci_spec::image::Descriptor;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::oneshot;

use super::auth::Credential;
use super::blob_body::{BlobBody, BlobSource};
use super::image::{Document, Manifest, Parts, sha256, verify};
use super::policy::Policy;
use super::pull::BoxFuture;
use super::{BoxError, Error, ImageRef, Platform, Resolved, Transport};

const MAX_CONFIG: u64 = 32 << 20;
/// First protocol that checks the policy when it opens an image; older ones ignore it silently.
const POLICY_PROTOCOL: (u64, u64, u64) = (0, 2, 6);

/// How to run skopeo.
#[derive(Debug, Clone)]
pub struct ProxyOptions {
    /// Program, found in `PATH` if it is a bare name.
    pub skopeo: PathBuf,
    /// Places of `policy.json`, the user's (`~/.config/containers/policy.json`) before the system's, which is
    /// the default. The first that exists counts.
    pub policy_files: Vec<PathBuf>,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            skopeo: "skopeo".into(),
            policy_files: vec!["/etc/containers/policy.json".into()],
        }
    }
}

/// Access to a registry, for references that have to go through skopeo.
#[derive(Debug, Clone, Default)]
pub struct ProxyAccess {
    /// Who we are; for registries only.
    pub credential: Option<Credential>,
    /// Plain HTTP, or certificates nobody checks.
    pub insecure: bool,
}

/// Opens images through skopeo.
#[derive(Debug, Clone, Default)]
pub struct ProxyClient {
    options: ProxyOptions,
}

impl ProxyClient {
    /// Makes a client; skopeo is started when an image is asked for.
    #[must_use]
    pub fn new(options: ProxyOptions) -> Self {
        Self { options }
    }

    /// Whether the user's policy demands signatures for an image, so that it must come through here.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Malformed`] about the policy file.
    pub fn must_verify(&self, image: &ImageRef) -> Result<bool, Error> {
        let policy = Policy::load(&self.options.policy_files)?;
        Ok(policy.is_some_and(|(_, policy)| !policy.accepts_unsigned(image)))
    }

    /// Opens an image, and hands out the way to its layers with it.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if skopeo is missing or too old for what is asked; [`Error::Skopeo`] with what it
    /// says.
    pub async fn resolve(
        &self,
        image: &ImageRef,
        platform: &Platform,
        access: &ProxyAccess,
    ) -> Result<(Resolved, ProxyBlobs), Error> {
        let policy = Policy::load(&self.options.policy_files)?;
        let must_verify = policy
            .as_ref()
            .is_some_and(|(_, policy)| !policy.accepts_unsigned(image));
        let config = self.config(platform, policy.map(|(path, _)| path), image, access)?;
        let proxy = ImageProxy::new_with_config(config)
            .await
            .map_err(|error| self.start_error(image, error))?;
        let version = proxy.protocol_version();
        let version = (version.major, version.minor, version.patch);
        if must_verify && version < POLICY_PROTOCOL {
            return Err(Error::Unsupported {
                what: format!("signature policy for {image}"),
                reason: format!(
                    "policy.json demands signatures, which skopeo's proxy checks from protocol 0.2.6 on \
                     (skopeo 1.13); the installed one speaks {}.{}.{}",
                    version.0, version.1, version.2
                ),
            });
        }
        let opened = open(&proxy, image).await?;
        let blobs = ProxyBlobs {
            inner: Arc::new(Inner {
                proxy,
                opened,
                image: image.to_string(),
            }),
        };
        let resolved = blobs.inner.describe(image, blobs.clone()).await?;
        Ok((resolved, blobs))
    }

    fn config(
        &self,
        platform: &Platform,
        policy: Option<PathBuf>,
        image: &ImageRef,
        access: &ProxyAccess,
    ) -> Result<ImageProxyConfig, Error> {
        let mut command = Command::new(&self.options.skopeo);
        command.args([
            "--override-os",
            &platform.os,
            "--override-arch",
            &platform.arch,
        ]);
        if let Some(variant) = &platform.variant {
            command.args(["--override-variant", variant]);
        }
        let mut config = ImageProxyConfig::default();
        match policy {
            Some(path) => {
                command.arg("--policy").arg(path);
            }
            // Without any policy file skopeo refuses everything.
            None => config.insecure_policy = Some(true),
        }
        config.skopeo_cmd = Some(command);
        if let ImageRef::Registry(reference) = image {
            config.insecure_skip_tls_verification = access.insecure.then_some(true);
            match &access.credential {
                Some(credential) => {
                    config.auth_data = Some(auth_data(reference.registry(), credential)?);
                }
                None => config.auth_anonymous = true,
            }
        }
        Ok(config)
    }

    fn start_error(&self, image: &ImageRef, error: ProxyError) -> Error {
        match error {
            ProxyError::SkopeoSpawnError(e) if e.kind() == io::ErrorKind::NotFound => {
                Error::Unsupported {
                    what: format!("image {image}"),
                    reason: format!(
                        "it needs skopeo, and {} is not installed\nhint: install the package `skopeo`",
                        self.options.skopeo.display()
                    ),
                }
            }
            ProxyError::ProxyTooOld { found_version, .. } => Error::Unsupported {
                what: format!("image {image}"),
                reason: format!(
                    "it needs skopeo 1.6 or later; the installed one speaks proxy protocol {found_version}"
                ),
            },
            error => Error::Skopeo {
                action: "start".into(),
                source: Box::new(error),
            },
        }
    }
}

/// A resolved image and the way to its layers.
#[derive(Clone)]
pub struct Opened {
    /// What it is.
    pub resolved: Resolved,
    /// Where its layers come from.
    pub blobs: Arc<dyn BlobSource>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened")
            .field("resolved", &self.resolved.name)
            .finish_non_exhaustive()
    }
}

/// Opens an image that is in no registry, with the skopeo in `PATH` and the system's policy.
///
/// # Errors
/// Those of [`ProxyClient::resolve`].
pub async fn open_transport(image: &ImageRef, platform: &Platform) -> Result<Opened, Error> {
    let client = ProxyClient::default();
    let (resolved, blobs) = client
        .resolve(image, platform, &ProxyAccess::default())
        .await?;
    Ok(Opened {
        resolved,
        blobs: Arc::new(blobs),
    })
}

/// An auth file that only skopeo sees.
fn auth_data(host: &str, credential: &Credential) -> Result<File, Error> {
    use base64::Engine as _;
    let basic = |user: &str, password: &str| {
        base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"))
    };
    let entry = match credential {
        Credential::Basic { username, password } => json!({"auth": basic(username, password)}),
        Credential::IdentityToken(token) => json!({"auth": basic("", ""), "identitytoken": token}),
        Credential::RegistryToken(_) => {
            return Err(Error::Unsupported {
                what: format!("a registry token for {host}"),
                reason: "skopeo takes user name and password or an identity token".into(),
            });
        }
    };
    let write = || -> io::Result<File> {
        let flags = rustix::fs::MemfdFlags::CLOEXEC;
        let mut file = File::from(rustix::fs::memfd_create("nsci-auth", flags)?);
        file.write_all(json!({"auths": {host: entry}}).to_string().as_bytes())?;
        file.rewind()?;
        Ok(file)
    };
    write().map_err(Error::io("hand credentials to skopeo"))
}

async fn open(proxy: &ImageProxy, image: &ImageRef) -> Result<OpenedImage, Error> {
    let name = match image {
        ImageRef::Registry(reference) => {
            // skopeo takes a tag or a digest; the digest says more.
            let name = reference.name();
            match reference.digest() {
                Some(digest) => format!("docker://{name}@{digest}"),
                None => format!("docker://{name}:{}", reference.target()),
            }
        }
        ImageRef::Transport { .. } => image.to_string(),
    };
    proxy.open_image(&name).await.map_err(|error| {
        let text = error.to_string();
        let missing = [
            "no such file or directory",
            "manifest unknown",
            "not found",
            "unable to find",
        ];
        if missing.iter().any(|m| text.contains(m)) {
            let attempt = super::Attempt {
                url: name,
                problem: plain(&text),
            };
            return Error::NotFound {
                image: image.to_string(),
                tried: super::Tried(vec![attempt]),
            };
        }
        Error::Skopeo {
            action: format!("open {image}"),
            source: plain(&text).into(),
        }
    })
}

/// Drops what the proxy's client puts before skopeo's words.
fn plain(text: &str) -> String {
    let text = text
        .strip_prefix("failed to invoke method ")
        .unwrap_or(text);
    text.split_once(": ")
        .map_or(text, |(_, rest)| rest)
        .to_owned()
}

struct Inner {
    proxy: ImageProxy,
    opened: OpenedImage,
    image: String,
}

/// Layers of one image opened by skopeo.
#[derive(Clone)]
pub struct ProxyBlobs {
    inner: Arc<Inner>,
}

impl std::fmt::Debug for ProxyBlobs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProxyBlobs")
            .field("image", &self.inner.image)
            .finish_non_exhaustive()
    }
}

impl Inner {
    fn failed(&self, what: &str) -> impl FnOnce(ProxyError) -> Error + use<> {
        let action = format!("read {what} of {}", self.image);
        move |error| Error::Skopeo {
            action,
            source: Box::new(error),
        }
    }

    async fn describe(&self, image: &ImageRef, blobs: ProxyBlobs) -> Result<Resolved, Error> {
        let (digest, bytes) = self
            .proxy
            .fetch_manifest_raw_oci(&self.opened)
            .await
            .map_err(self.failed("the manifest"))?;
        let digest = digest.parse().map_err(|_| Error::Malformed {
            what: format!("manifest of {image}"),
            reason: format!("`{digest}` is not a digest"),
        })?;
        let Document::Manifest(mut manifest) = Document::parse(&self.image, &bytes, None)? else {
            return Err(Error::Malformed {
                what: format!("manifest of {image}"),
                reason: "skopeo handed out an index".into(),
            });
        };
        let config_bytes = self.image_config(&manifest, &blobs).await?;
        if matches!(
            image,
            ImageRef::Transport {
                transport: Transport::ContainersStorage,
                ..
            }
        ) {
            manifest.layers = self.stored_layers().await?;
        }
        Resolved::assemble(Parts {
            name: self.image.as_str().into(),
            digest,
            manifest_digest: sha256(&bytes),
            manifest_bytes: bytes.into(),
            manifest,
            config_bytes,
        })
    }

    /// The config as it was stored; skopeo's own rendering of it would lose Docker's extensions.
    async fn image_config(
        &self,
        manifest: &Manifest,
        blobs: &ProxyBlobs,
    ) -> Result<Arc<[u8]>, Error> {
        let descriptor = &manifest.config;
        if descriptor.size() > MAX_CONFIG {
            return Err(Error::Malformed {
                what: format!("config of {}", self.image),
                reason: format!("it has {} bytes", descriptor.size()),
            });
        }
        let mut body = blobs.open(descriptor, 0).await?;
        let mut bytes = Vec::new();
        while let Some(chunk) = body
            .next()
            .await
            .map_err(Error::io(format!("read config of {}", self.image)))?
        {
            bytes.extend_from_slice(chunk);
            if bytes.len() as u64 > MAX_CONFIG {
                break;
            }
        }
        verify(
            || format!("config of {}", self.image),
            &bytes,
            descriptor.digest(),
        )?;
        Ok(bytes.into())
    }

    /// A local store keeps layers unpacked, so their blobs are other ones than the manifest names.
    async fn stored_layers(&self) -> Result<Vec<Descriptor>, Error> {
        let layers = self
            .proxy
            .get_layer_info(&self.opened)
            .await
            .map_err(self.failed("the layers"))?
            .ok_or_else(|| Error::Unsupported {
                what: format!("image {}", self.image),
                reason: "containers-storage needs skopeo 1.11 or later".into(),
            })?;
        Ok(layers
            .into_iter()
            .map(|layer| Descriptor::new(layer.media_type, layer.size, layer.digest))
            .collect())
    }
}

type Opening = Result<Box<dyn AsyncRead + Send + Unpin>, Error>;

impl ProxyBlobs {
    /// Keeps the proxy's side of a blob going while another task reads it.
    ///
    /// Before protocol 0.2.8 the closing request holds skopeo's lock until the blob is drained, which would
    /// keep every other blob waiting; so it is sent only when the reader is done.
    async fn serve(
        self,
        blob: Descriptor,
        opened: oneshot::Sender<Opening>,
        done: oneshot::Receiver<()>,
    ) -> Result<(), BoxError> {
        let inner = &self.inner;
        let digest: &proxy_spec::image::Digest = blob.digest();
        let stream = inner
            .proxy
            .get_blob_stream(&inner.opened, digest, blob.size())
            .await;
        let (reader, driver) = match stream {
            Ok(stream) => stream.into_parts(),
            Err(error) => {
                let error = inner.failed(&format!("blob {digest}"))(error);
                drop(opened.send(Err(error)));
                return Ok(());
            }
        };
        if opened.send(Ok(reader)).is_err() {
            return Ok(());
        }
        // An error means the reader is gone, which is the same.
        drop(done.await);
        driver.await.map_err(Into::into)
    }
}

impl BlobSource for ProxyBlobs {
    fn open<'a>(
        &'a self,
        blob: &'a Descriptor,
        offset: u64,
    ) -> BoxFuture<'a, Result<BlobBody, Error>> {
        Box::pin(async move {
            let (opened, receive) = oneshot::channel();
            let (alive, done) = oneshot::channel();
            tokio::spawn(self.clone().serve(blob.clone(), opened, done));
            let reader = receive.await.map_err(|_| Error::Cancelled)??;
            let reader = Reading {
                reader: reader.take(blob.size()),
                _alive: alive,
            };
            Ok(BlobBody::reader(reader, offset))
        })
    }
}

/// A reader whose end the serving task notices.
struct Reading {
    reader: tokio::io::Take<Box<dyn AsyncRead + Send + Unpin>>,
    _alive: oneshot::Sender<()>,
}

impl AsyncRead for Reading {
    fn poll_read(
        mut self: std::pin::Pin<&mut Self>,
        cx: &mut std::task::Context<'_>,
        buf: &mut tokio::io::ReadBuf<'_>,
    ) -> std::task::Poll<io::Result<()>> {
        std::pin::Pin::new(&mut self.reader).poll_read(cx, buf)
    }
}
