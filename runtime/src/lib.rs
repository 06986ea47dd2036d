//! Processes: the sandbox session, the steps that run in it and the network they see.
//!
//! [`Session`] is the engine's handle. It starts one *spawner* (this executable again, in its own user, mount,
//! pid, ipc, uts and network namespaces), which forks a single-threaded helper per step; the helper has an
//! [`ExecutorKind`] build the step. Nothing here knows about images, caches or the API, and nothing here is asynchronous.

pub mod cgroup;
pub mod dns;
pub mod error;
pub mod idmap;
pub mod network;
pub mod probe;
pub mod proxy;
pub mod roles;
pub mod seccomp;
pub mod session;
pub mod spec;

mod executor;
mod init;
mod net_sys;
mod netlink;
mod nft;
mod places;
mod spawner;
mod step;
mod sys;
mod wire;

pub use cgroup::{LimitProblem, Limits};
pub use error::Error;
pub use executor::ExecutorKind;
pub use idmap::{IdMap, IdMapKind, IdMapProblem};
pub use places::Place;
pub use session::{
    Cancel, Exit, Finished, Output, Session, SessionConfig, SocketKind, Stdin, Stdio, StepEvent,
};
pub use spec::{RootFs, StepMount, StepSpec};
