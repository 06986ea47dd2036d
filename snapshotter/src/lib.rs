//! Disk: content store, layers, overlay snapshots, cache volumes and their garbage collection.
//!
//! Everything here is synchronous and touches only local disk, in two halves. The *store* half ([`layout::Store`]) runs in
//! the engine process as the invoking user and deals in plain files: blobs ([`content`]), cache records ([`record`]), leases
//! and locks between processes ([`lease`], [`lock`]), garbage ([`gc`]), cache volumes ([`volume`]) and the reading of host
//! directories ([`hostdir`], [`pattern`]). What needs the id mapping of the session (unpacking, editing, mounting, reading
//! and deleting trees whose files belong to subordinate ids) runs in the [`keeper`], a process inside the namespaces; the
//! engine talks to it through [`keeper::Client`].
#![forbid(unsafe_code)]

mod capture;
pub mod content;
mod digest;
mod edit;
mod error;
mod export;
#[cfg(doc)]
pub mod format;
mod fsops;
pub mod gc;
pub mod hostdir;
pub mod keeper;
pub mod layer;
pub mod layout;
pub mod lease;
pub mod lock;
mod meta;
mod overlay;
mod path;
pub mod pattern;
mod power;
mod read;
pub mod record;
mod rpc;
mod squash;
mod upper;
mod users;
mod view;
pub mod volume;

pub use error::{Error, Result};
pub use layer::{AppliedLayer, LayerId, Snapshot};
pub use layout::{Digest, Layout, RecordKey, Store, VolumeId};
