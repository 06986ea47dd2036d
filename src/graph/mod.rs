//! The immutable graph behind the API.
//!
//! Every API call that yields a container, directory or file adds one [`Vertex`]: an [`Op`]
//! (plain data) and the vertices it builds on. A vertex is named by the hash of both, so the
//! same calls give the same name in any process. Nothing here runs anything, reads a disk or
//! knows a network; [`crate::solver`] turns a vertex into a [`Value`].

mod duration;
mod image;
mod op;
mod service;
mod value;
mod vertex;

pub use duration::{duration_text, nanoseconds};
pub use image::{ImageFormat, ImageMediaTypes, LayerCompression};
pub use op::{
    CacheSharing, Configure, Copy, DockerBuild, Edit, Exec, Expect, FileCopy, GitRepository,
    GitTree, HttpFile, MountSource, OnConflict, Op, Ownership, SecretRef, Select, ServiceOp,
    SocketRef, VolumeRef,
};
pub use service::{PortForward, Service, ServiceBinding, ServiceKind};
pub use value::{
    Annotation, Container, EnvVar, ExecMeta, File, Healthcheck, ImageConfig, Mount, MountKind,
    Output, Port, Protocol, SecretVariable, Snapshot, Tree, Value,
};
pub use vertex::{Graph, Key, Vertex, VertexId, fingerprint};

/// Name of an operating system and processor, as OCI images write it: `linux/amd64`.
pub type Platform = String;
