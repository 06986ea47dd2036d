//! What the engine and the keeper say to each other: one request, one reply, both JSON.
//!
//! Paths inside a snapshot are text, absolute or relative to its root, `..` stopping at the root.
//! Layers are listed bottom first, as in [`Snapshot`](crate::Snapshot).

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::edits::Edit;
use super::wire_error::WireError;
use crate::layer::{AppliedLayer, LayerId};

/// How an archive is compressed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compression {
    /// Look at the first bytes.
    #[default]
    Auto,
    /// Not at all.
    None,
    /// gzip, one or several members.
    Gzip,
    /// zstd, one or several frames.
    Zstd,
}

/// Unpacks an image layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyLayer {
    /// The name the layer gets. A layer of this name that exists already is not read again.
    pub id: LayerId,
    /// How the stream is compressed.
    #[serde(default)]
    pub compression: Compression,
    /// `sha256:<hex>` the uncompressed bytes must have. Without it they are not hashed, and the
    /// layer's content digest comes from its id: then the id must name verified content.
    #[serde(default)]
    pub diff_id: Option<String>,
}

/// Writes a layer as an uncompressed archive.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackLayer {
    /// The layer.
    pub id: LayerId,
    /// Modification times later than this become this, in seconds since 1970.
    pub epoch: Option<i64>,
}

/// What an archive of a layer holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackedLayer {
    /// Entries written, whiteouts included.
    pub entries: u64,
    /// The latest modification time written, in seconds since 1970; 0 if there is none.
    pub newest: i64,
}

/// Makes a writable root file system.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepare {
    /// The layers to stack, bottom first.
    pub layers: Vec<LayerId>,
    /// What must exist before the step starts, in order.
    #[serde(default)]
    pub ensure: Vec<Ensure>,
    /// Files in memory for the step to bind; gone with the handle.
    #[serde(default)]
    pub files: Vec<TempFile>,
}

/// A file in memory. It never touches a disk, so it may hold a secret.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TempFile {
    /// What it holds.
    pub data: Vec<u8>,
    /// Permissions.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
}

impl std::fmt::Debug for TempFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TempFile")
            .field("mode", &self.mode)
            .finish_non_exhaustive()
    }
}

/// Makes a cache volume's directory ready for its first use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Furnish {
    /// The directory.
    pub path: PathBuf,
    /// Owner and group of its root, unchanged if absent.
    pub owner: Option<(u32, u32)>,
    /// Layers and path of what it is filled with.
    pub seed: Option<(Vec<LayerId>, String)>,
}

/// A directory or file that must exist; it is created if it does not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ensure {
    /// Where, resolved inside the root; missing parents become 0755 of root.
    pub path: String,
    /// What to create.
    pub kind: EnsureKind,
    /// Owner of what is created.
    #[serde(default)]
    pub uid: u32,
    /// Group of what is created.
    #[serde(default)]
    pub gid: u32,
    /// Permissions of what is created.
    pub mode: u32,
}

/// The kind of a thing that must exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EnsureKind {
    /// A directory; a file in its place is an error.
    Dir,
    /// A file, empty when created; a directory in its place is an error.
    File,
    /// Anything will do; a directory is created when there is nothing.
    Any,
}

/// What became of an [`Ensure`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ensured {
    /// The path with every link resolved inside the root, absolute.
    pub path: String,
    /// What it is now.
    pub kind: FileKind,
    /// What had to be created, parents first, absolute. Pass them as stubs to a commit to have
    /// them removed again.
    pub created: Vec<String>,
}

/// A writable root file system, not mounted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Active {
    /// The handle to commit or discard.
    pub id: String,
    /// The lower directories, top first; never empty.
    pub lowers: Vec<PathBuf>,
    /// The upper directory.
    pub upper: PathBuf,
    /// The work directory.
    pub work: PathBuf,
    /// One for each [`Prepare::ensure`].
    pub ensured: Vec<Ensured>,
    /// One for each [`Prepare::files`].
    #[serde(default)]
    pub files: Vec<PathBuf>,
}

/// Freezes what was written to an [`Active`] or a writable [`Mounted`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Commit {
    /// The handle.
    pub id: String,
    /// Mount points made only for the step, absolute. Each is removed if it is still an empty
    /// file or directory of the upper, and directories touched only for it are restored.
    #[serde(default)]
    pub stubs: Vec<String>,
}

/// Attaches layers in the session's mount namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mount {
    /// The layers to stack, bottom first.
    pub layers: Vec<LayerId>,
    /// What below the root is wanted.
    #[serde(default)]
    pub subpath: String,
    /// Whether writes go to an upper directory that can be committed.
    #[serde(default)]
    pub writable: bool,
}

/// Layers attached in the session's mount namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mounted {
    /// The handle to commit (if writable) or unmount.
    pub id: String,
    /// Where the root is attached.
    pub path: PathBuf,
    /// `path` with the subpath resolved inside it: what to bind.
    pub source: PathBuf,
    /// What `source` is.
    pub kind: FileKind,
}

/// A socket that listens where steps can have it bound.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Listening {
    /// The handle to discard, which removes it.
    pub id: String,
    /// Where it is.
    pub path: PathBuf,
}

/// What something has to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expect {
    /// Anything.
    #[default]
    Any,
    /// A regular file.
    File,
    /// A directory.
    Dir,
}

/// What a directory entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Dir,
    /// A symbolic link.
    Symlink,
    /// A FIFO, socket or device.
    Other,
}

/// What is known of a file without opening it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stat {
    /// What it is.
    pub kind: FileKind,
    /// Permission bits, with setuid, setgid and sticky.
    pub mode: u32,
    /// Owner, as in the snapshot.
    pub uid: u32,
    /// Group, as in the snapshot.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
    /// What a symbolic link says.
    pub target: Option<String>,
    /// The path with links resolved inside the root, absolute.
    pub path: String,
}

/// One entry of a directory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DirEntry {
    /// Its name; for a walk or a pattern its path relative to where that began.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Permission bits.
    pub mode: u32,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Bytes.
    pub size: u64,
    /// Modification time, seconds since 1970.
    pub mtime: i64,
}

/// A user as a step runs it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct User {
    /// User id.
    pub uid: u32,
    /// Group id.
    pub gid: u32,
    /// Home directory, if the passwd file names one.
    pub home: Option<String>,
    /// Name, if the passwd file has one.
    pub name: Option<String>,
    /// Other groups the user is in.
    pub additional_gids: Vec<u32>,
}

/// How an export lands on the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExportKind {
    /// A directory, merged into what is there.
    Dir {
        /// Whether everything that is not exported is deleted from the target.
        wipe: bool,
    },
    /// A file.
    File {
        /// Whether a directory at the target receives the file under its own name.
        allow_parent_dir: bool,
    },
}

/// Writes a part of a snapshot to the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// The layers to stack, bottom first.
    pub layers: Vec<LayerId>,
    /// What to write.
    pub path: String,
    /// Where to, absolute.
    pub dst: PathBuf,
    /// How.
    pub kind: ExportKind,
}

/// What an export wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Exported {
    /// Where the file or directory is now.
    pub path: PathBuf,
    /// Files and links written.
    pub files: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Entries removed by `wipe`.
    pub removed: u64,
    /// Devices and sockets, which are not exported.
    pub skipped: Vec<String>,
}

/// Takes a snapshot of a part of a file system that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// What of it, absolute; links lead nowhere but below its root.
    pub path: String,
    /// As what.
    pub kind: CaptureKind,
}

/// What is captured.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CaptureKind {
    /// A directory.
    Dir {
        /// Patterns that keep.
        include: Vec<String>,
        /// Patterns that drop.
        exclude: Vec<String>,
        /// Whether `.gitignore` files inside count.
        gitignore: bool,
    },
    /// A file, as a directory that holds only it.
    File,
}

/// What was deleted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Emptied {
    /// Files and directories deleted.
    pub entries: u64,
    /// Bytes given back.
    pub bytes: u64,
}

/// How inline content travels: small as text, large as the next descriptor of the message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum WireData {
    /// Hexadecimal bytes.
    Hex(String),
    /// The next descriptor.
    Fd,
}

/// Every request.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    Ping,
    ApplyLayer(ApplyLayer),
    PackLayer(PackLayer),
    HasLayer {
        id: LayerId,
    },
    Prepare(Prepare),
    Furnish(Furnish),
    Commit(Commit),
    Discard {
        id: String,
    },
    Mount(Mount),
    Unmount {
        id: String,
    },
    Edit {
        layers: Vec<LayerId>,
        edits: Vec<Edit<WireData>>,
    },
    Diff {
        lower: Vec<LayerId>,
        upper: Vec<LayerId>,
    },
    Settle {
        layers: Vec<LayerId>,
    },
    Squash {
        layers: Vec<LayerId>,
    },
    OpenFile {
        layers: Vec<LayerId>,
        path: String,
    },
    ReadDir {
        layers: Vec<LayerId>,
        path: String,
    },
    Walk {
        layers: Vec<LayerId>,
        path: String,
    },
    Stat {
        layers: Vec<LayerId>,
        path: String,
        follow: bool,
    },
    Glob {
        layers: Vec<LayerId>,
        path: String,
        pattern: String,
    },
    TreeDigest {
        layers: Vec<LayerId>,
        path: String,
        exclude_metadata: bool,
    },
    LookupUser {
        layers: Vec<LayerId>,
        user: String,
    },
    Export(Export),
    Capture(Capture),
    Listen {
        uid: u32,
        gid: u32,
        mode: u32,
    },
    EmptyTrash,
    Sync,
    DeleteTrees {
        ids: Vec<LayerId>,
    },
}

/// Every reply; which one belongs to which request is in the client's methods.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Reply {
    Done,
    Found(bool),
    Layer(AppliedLayer),
    Packed(PackedLayer),
    MaybeLayer(Option<AppliedLayer>),
    Layers(Vec<AppliedLayer>),
    Active(Active),
    Mounted(Mounted),
    Listening(Listening),
    Stat(Option<Stat>),
    Entries(Vec<DirEntry>),
    Digest(String),
    User(User),
    Exported(Exported),
    Emptied(Emptied),
    Failed(WireError),
}
