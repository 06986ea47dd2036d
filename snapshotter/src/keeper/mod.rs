//! The keeper: the process inside the session's namespaces that works on trees.
//!
//! It has the id mapping and all capabilities in its user namespace, so it can give files to
//! subordinate ids, mount overlays and read what belongs to nobody outside. [`serve`] runs it;
//! [`Client`] is the engine's side.

mod client;
mod edits;
mod protocol;
mod server;
mod wire_error;

pub use client::Client;
pub use edits::{Copy, Data, Edit, Source};
pub use protocol::{
    Active, ApplyLayer, Capture, CaptureKind, Commit, Compression, DirEntry, Emptied, Ensure,
    EnsureKind, Ensured, Expect, Export, ExportKind, Exported, FileKind, Furnish, Listening, Mount,
    Mounted, PackLayer, PackedLayer, Prepare, Stat, TempFile, User,
};
pub use server::serve;
