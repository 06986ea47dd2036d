//! Operations: what one API call asks for, as plain data.

use super::{Healthcheck, ImageFormat, Key, Platform, Port, PortForward, Service, Snapshot};
use serde::{Deserialize, Serialize};

/// One operation. The comment of each names its inputs.
///
/// Adding a variant or a field changes nothing for old records; changing what an existing one
/// means requires a new [`crate::cache::FORMAT`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// An empty container. No input.
    Scratch {
        /// Platform of the images and commands.
        platform: Platform,
    },
    /// The container with an image's file system and configuration. `[container]`
    From {
        /// Image reference as the user wrote it.
        address: String,
    },
    /// The container with the file system and configuration of an image in an archive. `[container, file]`
    Import {
        /// Name or tag of the image, if the archive holds several.
        tag: String,
    },
    /// The image of a container, or of several for as many platforms, as an archive. `[container…]`
    Tarball(ImageFormat),
    /// The manifest of a container's image. `[container]`
    Manifest(ImageFormat),
    /// The blob of a layer of a container's image. `[container]`
    Layer {
        /// Digest of the blob, or of the layer before it was packed.
        id: String,
        /// How the image is packed.
        format: ImageFormat,
    },
    /// Runs a command. `[container]`
    Exec(Box<Exec>),
    /// Changes configuration, no files. `[container]`
    Configure(Configure),
    /// Mounts something. `[container]`, and `[container, directory or file]` for sources that have one.
    Mount {
        /// Mount point; relative to the working directory.
        target: String,
        /// What is mounted.
        source: MountSource,
        /// Whether `$VAR` in the target is replaced.
        expand: bool,
    },
    /// Takes a mount away. `[container]`
    Unmount {
        /// Mount point.
        target: String,
        /// Whether `$VAR` in the target is replaced.
        expand: bool,
    },
    /// Replaces the root file system. `[container, directory]`
    WithRootfs,
    /// The empty directory. No input.
    EmptyDirectory,
    /// A directory of the client's host. No input.
    HostDirectory {
        /// Absolute path on the host.
        path: String,
        /// Patterns that keep.
        include: Vec<String>,
        /// Patterns that drop.
        exclude: Vec<String>,
        /// Whether `.gitignore` files inside count.
        gitignore: bool,
        /// What it held when it was read again; the first state that the session saw if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<Key>,
    },
    /// A file of the client's host. No input.
    HostFile {
        /// Absolute path on the host.
        path: String,
        /// What it held when it was read again; the first state that the session saw if absent.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        state: Option<Key>,
    },
    /// Files of a command, as they were at a moment while it ran. No input.
    Captured {
        /// All that was taken.
        snapshot: Snapshot,
        /// Name of the file, if it was one.
        file: Option<String>,
    },
    /// A file that is fetched. No input.
    Http(HttpFile),
    /// The files of a commit. No input, or `[directory]` that is the repository.
    GitTree(GitTree),
    /// Changes files. `[container or directory]` or `[container or directory, source…]`
    Edit(Edit),
    /// A part of something. `[container or directory]`
    Select(Select),
    /// The second directory minus the first. `[lower, upper]`
    Diff,
    /// The entries of a directory that pass the patterns. `[directory]`
    Filter {
        /// Patterns that keep.
        include: Vec<String>,
        /// Patterns that drop.
        exclude: Vec<String>,
        /// Whether `.gitignore` files inside count.
        gitignore: bool,
    },
    /// A file with these contents. No input.
    NewFile {
        /// File name, no directory.
        name: String,
        /// Contents.
        contents: String,
        /// Permission bits.
        permissions: u32,
    },
    /// The file under another name. `[file]`
    RenameFile {
        /// File name, no directory.
        name: String,
    },
    /// The file with changed metadata. `[file]`
    EditFile {
        /// Modification time in seconds since the epoch, for the file.
        timestamp: Option<i64>,
        /// Owner, numeric.
        owner: Option<String>,
    },
    /// A service: see [`ServiceOp`] for the inputs.
    Service(ServiceOp),
    /// Lets commands of the container reach a service by a name. `[container, service]`
    BindService {
        /// The name.
        alias: String,
    },
    /// The container that a Dockerfile describes. `[directory]`
    DockerBuild(Box<DockerBuild>),
    /// The file with a text in it replaced. `[file]`
    Replace {
        /// What is replaced.
        search: String,
        /// By what.
        replacement: String,
        /// Whether every match is replaced.
        all: bool,
        /// Line from which on the first match is replaced; absent, there may be only one.
        first_from: Option<usize>,
    },
    /// The directory with a patch applied. `[directory, patch file]`
    Patch {
        /// What to do where it does not fit.
        on_conflict: OnConflict,
    },
    /// The difference of two directories as a patch file. `[before, after]`
    AsPatch,
    /// The directory with the difference of two others applied. `[directory, before, after]`
    WithChanges,
    /// A directory that was changed, with another change added. `[before, after, their before, their after]`
    Merge {
        /// What to do where the changes conflict.
        on_conflict: OnConflict,
    },
    /// Always fails with the message. `[anything]`
    Fail {
        /// Message of the error.
        message: String,
    },
}

/// How a service comes about.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum ServiceOp {
    /// Keeps a command of a container running. `[container]`
    Of(Box<Exec>),
    /// The service under a name that all of the session can use. `[service]`
    Hostname {
        /// The name.
        name: String,
    },
    /// Ports of the client's host that lead to a service. `[service]`
    Tunnel {
        /// The ports; empty means all that the service declares.
        ports: Vec<PortForward>,
        /// Whether ports that are not listed keep their number on the host.
        native: bool,
    },
    /// A service of the client's host. No input.
    Host {
        /// Name or address of the machine.
        host: String,
        /// The ports.
        ports: Vec<PortForward>,
    },
}

/// A repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GitRepository {
    /// Its address; empty for one that is a directory.
    pub url: String,
    /// User name for HTTP.
    pub username: String,
    /// Password for HTTP.
    pub token: Option<SecretRef>,
    /// Value of the `Authorization` header.
    pub header: Option<SecretRef>,
    /// Socket of an ssh agent.
    pub ssh_socket: Option<SocketRef>,
    /// Contents of a known-hosts file.
    pub known_hosts: String,
    /// The service that its host is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<Service>>,
}

/// Which files of a repository.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct GitTree {
    /// The repository.
    pub repository: GitRepository,
    /// `HEAD`, a full name of a reference, a branch, a tag or a commit.
    pub name: String,
    /// Whether there is no `.git` in it.
    pub discard_git_dir: bool,
    /// Commits of history; 0 for all.
    pub depth: u32,
    /// Whether all tags come along.
    pub tags: bool,
}

/// A file at an address.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HttpFile {
    /// Address, `http` or `https`.
    pub url: String,
    /// File name; by default the server's, or the last part of the address.
    pub name: Option<String>,
    /// Permission bits.
    pub permissions: Option<u32>,
    /// Digest that the content must have, `sha256:…`.
    pub checksum: Option<String>,
    /// Value of the `Authorization` header.
    pub auth: Option<SecretRef>,
    /// The service that its host is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Box<Service>>,
}

/// How a Dockerfile is built.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DockerBuild {
    /// Path of the Dockerfile in the directory.
    pub dockerfile: String,
    /// Platform of the result.
    pub platform: Platform,
    /// Values of `ARG`s.
    pub args: Vec<(String, String)>,
    /// The stage that is wanted; the last if empty.
    pub target: String,
    /// Secrets by the id that mounts use.
    pub secrets: Vec<(String, SecretRef)>,
    /// Socket of the ssh agent.
    pub ssh: Option<SocketRef>,
    /// Whether commands are process 1 themselves.
    pub no_init: bool,
}

/// A command and how to run it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Exec {
    /// Arguments; empty means the default arguments of the container.
    pub args: Vec<String>,
    /// Whether the entrypoint goes in front.
    pub use_entrypoint: bool,
    /// Text for standard input.
    pub stdin: String,
    /// File of the container for standard input.
    pub redirect_stdin: String,
    /// File of the container that standard output is also written to.
    pub redirect_stdout: String,
    /// File of the container that standard error is also written to.
    pub redirect_stderr: String,
    /// Exit codes that count as success.
    pub expect: Expect,
    /// Whether the command can reach the API of this session.
    pub nesting: bool,
    /// Whether the command has all capabilities inside the user namespace.
    pub insecure: bool,
    /// Whether `$VAR` in the arguments is replaced.
    pub expand: bool,
    /// Whether the command is process 1 itself.
    pub no_init: bool,
    /// Whether the command has a loopback only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub offline: bool,
}

/// Exit codes that count as success. Codes 128 to 191 never do: they mean death by a signal.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Expect {
    /// 0
    #[default]
    Success,
    /// 1 to 127, 192 to 255
    Failure,
    /// 0 to 127, 192 to 255
    Any,
}

impl Expect {
    /// Whether the exit code counts as success.
    pub fn accepts(self, code: i32) -> bool {
        let plain = (0..=127).contains(&code) || (192..=255).contains(&code);
        match self {
            Self::Success => code == 0,
            Self::Failure => plain && code != 0,
            Self::Any => plain,
        }
    }
}

/// A change of configuration.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Configure {
    /// Sets an environment variable.
    Env {
        /// Name.
        name: String,
        /// Value.
        value: String,
        /// Whether `$VAR` in the value is replaced.
        expand: bool,
    },
    /// Removes an environment variable.
    WithoutEnv {
        /// Name.
        name: String,
    },
    /// Sets an environment variable to a secret's value, at run time only.
    SecretEnv {
        /// Name.
        name: String,
        /// The secret.
        secret: SecretRef,
    },
    /// Removes a secret variable.
    WithoutSecretEnv {
        /// Name.
        name: String,
    },
    /// Sets an environment variable of commands that decides nothing: it is in no key of a result and no image.
    Volatile {
        /// Name.
        name: String,
        /// Value.
        value: String,
    },
    /// Removes a variable that decides nothing.
    WithoutVolatile {
        /// Name.
        name: String,
    },
    /// Sets the working directory; `None` restores the root.
    Workdir {
        /// Path; relative to the working directory so far.
        path: Option<String>,
        /// Whether `$VAR` in the path is replaced.
        expand: bool,
    },
    /// Sets the user; `None` means root.
    User {
        /// `name[:group]`, by name or number.
        name: Option<String>,
    },
    /// Sets the entrypoint; `None` removes it.
    Entrypoint {
        /// Arguments.
        args: Option<Vec<String>>,
        /// Whether default arguments stay.
        keep_default_args: bool,
    },
    /// Sets the default arguments; `None` removes them.
    DefaultArgs {
        /// Arguments.
        args: Option<Vec<String>>,
    },
    /// Sets a label; `None` removes it.
    Label {
        /// Name.
        name: String,
        /// Value.
        value: Option<String>,
    },
    /// Sets an annotation; `None` removes it.
    Annotation {
        /// Name.
        name: String,
        /// Value.
        value: Option<String>,
    },
    /// Declares a port.
    ExposedPort(Port),
    /// Removes a declared port.
    WithoutExposedPort(Port),
    /// Sets the health check; `None` removes it.
    Healthcheck(Option<Healthcheck>),
    /// Sets the shell of string commands in Dockerfiles.
    Shell(Vec<String>),
    /// Sets the signal that asks it to stop.
    StopSignal(String),
    /// Declares a volume.
    Volume(String),
    /// Sets the triggers for Dockerfiles built on it.
    OnBuild(Vec<String>),
    /// Command of `terminal`.
    DefaultTerminal {
        /// Arguments.
        args: Vec<String>,
    },
}

/// Who owns what is written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Ownership {
    /// The source's owner for copies, root for new files.
    #[default]
    Unchanged,
    /// `user[:group]`, by name (looked up in the target) or number.
    Named(String),
    /// The container's user.
    ContainerUser,
}

/// What is mounted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum MountSource {
    /// The second input, a directory.
    Directory {
        /// Owner of everything in it.
        owner: Ownership,
        /// Whether commands may not write to it.
        readonly: bool,
    },
    /// The second input, a file.
    File {
        /// Owner.
        owner: Ownership,
    },
    /// The second input, a directory or a file, whichever is found at its place.
    Bind {
        /// Whether commands may not write to it.
        readonly: bool,
    },
    /// A cache volume; the second input, if there is one, seeds it when it is empty.
    Cache {
        /// The volume.
        volume: VolumeRef,
        /// Who may use it at the same time.
        sharing: CacheSharing,
        /// Owner of its root.
        owner: Ownership,
    },
    /// Memory, dropped after each command.
    Temp {
        /// Limit in bytes.
        size: Option<u64>,
    },
    /// A secret as a file.
    Secret {
        /// The secret.
        secret: SecretRef,
        /// Owner.
        owner: Ownership,
        /// Permission bits.
        mode: u32,
    },
    /// A Unix socket of the client's host.
    Socket {
        /// The socket.
        socket: SocketRef,
        /// Owner.
        owner: Ownership,
    },
}

/// Who may use a cache volume at the same time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum CacheSharing {
    /// Any number of commands.
    #[default]
    Shared,
    /// One command, others get a copy of their own.
    Private,
    /// One command, others wait.
    Locked,
}

/// What to do where changes do not fit together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnConflict {
    /// Fail if both changed a file at all.
    FailEarly,
    /// Fail if both changed the same lines.
    #[default]
    Fail,
    /// Leave both sides between markers.
    LeaveMarkers,
    /// Take the side that is added to.
    PreferOurs,
    /// Take the side that is added.
    PreferTheirs,
}

/// Names a cache volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VolumeRef {
    /// Who owns the name: the main client or a module.
    pub namespace: String,
    /// The name.
    pub key: String,
}

/// Names a secret; never holds its value.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum SecretRef {
    /// Set by a program under a name.
    Named {
        /// Scope of the name: the main client or a module.
        scope: String,
        /// Name.
        name: String,
    },
    /// Fetched by the client when needed.
    Uri {
        /// `env://NAME`, `file://path`, `cmd://command`.
        uri: String,
        /// What stands for the value in cache keys; the value's keyed hash if absent.
        cache_key: Option<String>,
    },
}

/// Names a Unix socket of the client's host.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SocketRef {
    /// Absolute path on the host.
    pub path: String,
}

/// A copy: where to and how.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Copy {
    /// Destination; relative to the working directory or the root.
    pub path: String,
    /// Owner of what is written.
    pub owner: Ownership,
    /// Permission bits of what is written, instead of the source's.
    pub permissions: Option<u32>,
    /// Whether `$VAR` in the path is replaced.
    pub expand: bool,
}

/// What `COPY` and `ADD` of a Dockerfile do.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct FileCopy {
    /// Where to. It is a directory if it ends in `/`, or is one already.
    pub to: Copy,
    /// What, as paths or patterns in the source. Of directories the contents are copied.
    pub sources: Vec<String>,
    /// Patterns of what is left out, relative to each source.
    pub exclude: Vec<String>,
    /// Whether the directories above a source are kept.
    pub parents: bool,
    /// Whether archives are unpacked.
    pub unpack: bool,
}

/// A change of files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Edit {
    /// Merges the second input, a directory, into the destination.
    Directory(Copy),
    /// Writes the second input, a file, at the destination.
    File(Copy),
    /// Writes the other inputs, files, into the destination directory under their names.
    Files(Copy),
    /// Copies from the second input, a directory, as Dockerfiles do.
    Copy(Box<FileCopy>),
    /// Writes a new file.
    NewFile {
        /// Destination.
        to: Copy,
        /// Contents.
        contents: String,
    },
    /// Makes a directory with its parents.
    NewDirectory(Copy),
    /// Removes files and directories.
    Remove {
        /// Paths or glob patterns.
        paths: Vec<String>,
        /// Whether `$VAR` in the paths is replaced.
        expand: bool,
    },
    /// Makes a symbolic link.
    Symlink {
        /// What the link says.
        target: String,
        /// Where the link is.
        path: String,
        /// Whether `$VAR` is replaced.
        expand: bool,
    },
    /// Sets all modification times.
    Timestamps {
        /// Seconds since the epoch.
        seconds: i64,
    },
    /// Changes the owner below a path.
    Chown {
        /// Path.
        path: String,
        /// `user[:group]`.
        owner: String,
    },
}

/// A part of a container or directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Select {
    /// The root file system of a container.
    Rootfs,
    /// A directory.
    Directory {
        /// Path; relative to the working directory or the root.
        path: String,
        /// Whether `$VAR` in the path is replaced.
        expand: bool,
    },
    /// A file.
    File {
        /// Path; relative to the working directory or the root.
        path: String,
        /// Whether `$VAR` in the path is replaced.
        expand: bool,
    },
}

impl Op {
    /// Whether it stands for other operations, which are found out when it is solved.
    pub fn is_lowered(&self) -> bool {
        matches!(self, Self::DockerBuild(_))
    }

    /// Whether the result is worth a record: it costs a process, a mount or a walk.
    ///
    /// The others are computed from their inputs in memory.
    pub fn is_heavy(&self) -> bool {
        matches!(
            self,
            Self::Exec(_)
                | Self::Edit(_)
                | Self::Diff
                | Self::Filter { .. }
                | Self::EditFile { .. }
                | Self::Replace { .. }
                | Self::Patch { .. }
                | Self::AsPatch
                | Self::WithChanges
                | Self::Merge { .. }
                | Self::GitTree(_)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expected_codes_follow_the_table() {
        let cases = [
            (0, true, false, true),
            (1, false, true, true),
            (127, false, true, true),
            (128, false, false, false),
            (137, false, false, false),
            (191, false, false, false),
            (192, false, true, true),
            (255, false, true, true),
        ];
        for (code, success, failure, any) in cases {
            assert_eq!(Expect::Success.accepts(code), success, "{code}");
            assert_eq!(Expect::Failure.accepts(code), failure, "{code}");
            assert_eq!(Expect::Any.accepts(code), any, "{code}");
        }
    }
}
