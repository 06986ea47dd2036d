//! Results of vertices: containers, directories and files by reference, never their bytes.

use super::{
    CacheSharing, Key, Ownership, Platform, SecretRef, Service, ServiceBinding, SocketRef,
    VolumeRef,
};
use nsci_snapshotter::LayerId;
use serde::{Deserialize, Serialize};

/// What a vertex came out as.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// A container.
    Container(Box<Container>),
    /// A directory.
    Directory(Tree),
    /// A file.
    File(File),
    /// A service.
    Service(Box<Service>),
}

/// A file system state: layers, lowest first, and the hash that names their content.
///
/// The digest is folded from the layers' content hashes, so it stays the same when layers are
/// merged on disk to keep the stack short.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Layers, lowest first.
    pub layers: Vec<LayerId>,
    /// Name of the content.
    pub digest: Key,
}

impl Snapshot {
    /// The state without any file.
    pub fn empty() -> Self {
        Self {
            layers: Vec::new(),
            digest: Key::of("snapshot", [[0_u8; 0]; 0]),
        }
    }

    /// This state with one more layer on top.
    #[must_use]
    pub fn with(&self, layer: LayerId) -> Self {
        let digest = Key::of("snapshot", [self.digest.as_str(), &layer.to_string()]);
        let mut layers = self.layers.clone();
        layers.push(layer);
        Self { layers, digest }
    }

    /// The state made of these layers, lowest first.
    pub fn of(layers: impl IntoIterator<Item = LayerId>) -> Self {
        layers
            .into_iter()
            .fold(Self::empty(), |below, layer| below.with(layer))
    }
}

/// A directory: a place in a file system state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tree {
    /// The state.
    pub snapshot: Snapshot,
    /// Absolute path in it; `/` for the whole.
    pub path: String,
}

impl Tree {
    /// The whole of a state.
    pub fn whole(snapshot: Snapshot) -> Self {
        Self {
            snapshot,
            path: "/".into(),
        }
    }
}

/// A file: a place in a file system state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// The state.
    pub snapshot: Snapshot,
    /// Absolute path in it.
    pub path: String,
}

impl File {
    /// The last part of the path.
    pub fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or_default()
    }
}

/// A container: a root file system, how commands run in it, and what the last one said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Container {
    /// Platform of its images and commands.
    pub platform: Platform,
    /// Root file system.
    pub rootfs: Snapshot,
    /// What an image can carry.
    pub config: ImageConfig,
    /// Mounts, in the order they were made; never two on one target.
    pub mounts: Vec<Mount>,
    /// Variables that hold secrets at run time.
    pub secret_env: Vec<SecretVariable>,
    /// Variables of commands that are in no key and no image.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub volatile_env: Vec<EnvVar>,
    /// Services that commands reach by name; never two of one name.
    #[serde(default)]
    pub services: Vec<ServiceBinding>,
    /// Image that the root file system came from, with its digest.
    pub image_ref: Option<String>,
    /// Manifest annotations.
    pub annotations: Vec<Annotation>,
    /// Command of `terminal`.
    pub default_terminal: Option<Vec<String>>,
    /// What the last command said.
    pub last: Option<ExecMeta>,
}

impl Container {
    /// The empty container.
    pub fn scratch(platform: Platform) -> Self {
        Self {
            platform,
            rootfs: Snapshot::empty(),
            config: ImageConfig::default(),
            mounts: Vec::new(),
            secret_env: Vec::new(),
            volatile_env: Vec::new(),
            services: Vec::new(),
            image_ref: None,
            annotations: Vec::new(),
            default_terminal: None,
            last: None,
        }
    }

    /// Value of an environment variable.
    pub fn env(&self, name: &str) -> Option<&str> {
        self.config
            .env
            .iter()
            .find(|var| var.name == name)
            .map(|var| var.value.as_str())
    }

    /// Working directory, absolute.
    pub fn workdir(&self) -> &str {
        if self.config.workdir.is_empty() {
            "/"
        } else {
            &self.config.workdir
        }
    }
}

/// The part of a container that an image carries.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Variables, in the order they were set.
    pub env: Vec<EnvVar>,
    /// Working directory; empty means `/`.
    pub workdir: String,
    /// `user[:group]`; empty means root.
    pub user: String,
    /// Entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Default arguments.
    pub cmd: Option<Vec<String>>,
    /// Labels, in the order they were set.
    pub labels: Vec<Annotation>,
    /// Declared ports.
    pub ports: Vec<Port>,
    /// Declared volumes.
    pub volumes: Vec<String>,
    /// Signal that asks it to stop.
    pub stop_signal: Option<String>,
    /// Shell of string commands in Dockerfiles.
    pub shell: Option<Vec<String>>,
    /// Triggers for Dockerfiles built on it.
    pub on_build: Vec<String>,
    /// How to find out whether it is healthy.
    #[serde(default)]
    pub healthcheck: Option<Healthcheck>,
}

/// Docker's health check, as the image configuration carries it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Healthcheck {
    /// `["NONE"]`, `["CMD", arguments…]` or `["CMD-SHELL", text]`; empty inherits.
    #[serde(deserialize_with = "null_is_default")]
    pub test: Vec<String>,
    /// Nanoseconds between two checks; 0 means Docker's default.
    #[serde(skip_serializing_if = "is_zero")]
    pub interval: u64,
    /// Nanoseconds that one check may take; 0 means Docker's default.
    #[serde(skip_serializing_if = "is_zero")]
    pub timeout: u64,
    /// Nanoseconds at the start in which failures do not count.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_period: u64,
    /// Nanoseconds between two checks at the start; 0 means Docker's default.
    #[serde(skip_serializing_if = "is_zero")]
    pub start_interval: u64,
    /// Failures in a row that make it unhealthy; 0 means Docker's default.
    #[serde(skip_serializing_if = "is_zero")]
    pub retries: u64,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// Go writes an empty list as `null`.
fn null_is_default<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Option::deserialize(from).map(Option::unwrap_or_default)
}

/// An environment variable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvVar {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// An environment variable that holds a secret at run time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretVariable {
    /// Name.
    pub name: String,
    /// The secret.
    pub secret: SecretRef,
    /// What stands for its value in cache keys.
    pub identity: Key,
}

/// A label or annotation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Annotation {
    /// Name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A declared port.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Port {
    /// Number.
    pub port: u16,
    /// Transport.
    pub protocol: Protocol,
    /// What it is for.
    pub description: Option<String>,
    /// Whether starting the service does not wait for it.
    pub skip_healthcheck: bool,
}

/// Transport of a port.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Protocol {
    /// TCP
    #[default]
    Tcp,
    /// UDP
    Udp,
}

/// Something mounted in a container.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// Absolute path of the mount point.
    pub target: String,
    /// What it is.
    pub kind: MountKind,
}

/// What is mounted, resolved.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MountKind {
    /// A directory; writes stay with the chain of commands.
    Directory {
        /// The directory.
        tree: Tree,
        /// Whether commands may not write.
        readonly: bool,
    },
    /// A file; writes stay with the chain of commands.
    File(File),
    /// A cache volume.
    Cache {
        /// The volume.
        volume: VolumeRef,
        /// Who may use it at the same time.
        sharing: CacheSharing,
        /// Owner of its root.
        owner: Ownership,
        /// What seeds it when it is empty.
        seed: Option<Tree>,
    },
    /// Memory.
    Temp {
        /// Limit in bytes.
        size: Option<u64>,
    },
    /// A secret.
    Secret {
        /// The secret.
        secret: SecretRef,
        /// What stands for its value in cache keys.
        identity: Key,
        /// Owner.
        owner: Ownership,
        /// Permission bits.
        mode: u32,
    },
    /// A Unix socket of the client.
    Socket {
        /// The socket.
        socket: SocketRef,
        /// Owner.
        owner: Ownership,
    },
}

/// What a command said and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecMeta {
    /// Exit code.
    pub exit_code: i32,
    /// Standard output.
    pub stdout: Output,
    /// Standard error.
    pub stderr: Output,
    /// Both, in the order they came.
    pub combined: Output,
}

/// Text of a command: short ones as they are, long ones by the digest of a blob.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Output {
    /// The text itself, bytes that are no UTF-8 replaced.
    Inline(String),
    /// `sha256:…` of a blob in the store.
    Blob(String),
}
