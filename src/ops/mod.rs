//! Carries out operations: the one place where the graph meets disks, processes and networks.
//!
//! [`World`] is the solver's [`Worker`](crate::solver::Worker). Each kind of operation has a file of its own; pure parts
//! (configuration, paths, scrubbing) know nothing of the rest. What starts processes or needs the
//! id mapping goes through [`Sandbox`], which does not exist until the first operation needs it.

mod changes;
mod configure;
mod copy;
mod docker;
mod download;
mod exec;
mod export;
mod failed;
mod files;
mod git;
mod host;
mod image;
mod lend;
mod patch;
mod paths;
mod sandbox;
mod scrub;
mod search;
mod service;
mod spool;
mod terminal;
mod workdir;
mod world;

pub use changes::{ChangeKind, Changes, FileChange};
pub use exec::FunctionRun;
pub use export::{ExportedImage, NamedImage, Reach};
pub use failed::FailedStep;
pub use image::Images;
pub use lend::{
    Client, Gateway, GatewayGuard, Nested, NoTerminal, Screen, SecretValue, Terminal, TerminalSize,
};
pub use sandbox::{Sandbox, SandboxConfig};
pub use search::{Hit, Query};
pub use terminal::Shell;
pub use workdir::Running;
pub use world::{HostFacts, World, WorldParts};
