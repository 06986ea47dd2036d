//! The engine's side: blocking calls that may be made from any number of threads.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

use super::edits::{Data, Edit};
use super::protocol::{
    Active, ApplyLayer, Capture, Commit, DirEntry, Emptied, Export, Exported, Furnish, Listening,
    Mount, Mounted, PackLayer, PackedLayer, Prepare, Reply, Request, Stat, User, WireData,
};
use crate::error::{Error, Result};
use crate::layer::{AppliedLayer, LayerId};
use crate::rpc;

/// Content up to this size travels as text.
const INLINE_DATA: usize = 16 << 10;
/// Idle connections kept for later calls.
const MAX_IDLE: usize = 64;

/// A connection to the keeper.
///
/// Each call has a connection of its own for as long as it runs, so calls never wait for each
/// other, and the reply wakes the calling thread directly.
#[derive(Debug)]
pub struct Client {
    control: OwnedFd,
    idle: Mutex<Vec<OwnedFd>>,
}

macro_rules! expect_reply {
    ($call:expr, $variant:ident) => {
        match $call? {
            (Reply::$variant(value), _) => Ok(value),
            (other, _) => Err(unexpected(&other)),
        }
    };
}

impl Client {
    /// Talks to the keeper that [`serve`](super::serve)s the other end of `control`.
    #[must_use]
    pub fn new(control: OwnedFd) -> Self {
        Self {
            control,
            idle: Mutex::new(Vec::new()),
        }
    }

    /// Waits until the keeper answers.
    ///
    /// # Errors
    /// [`Error::Disconnected`] if it is gone, here and in every other call.
    pub fn ping(&self) -> Result<()> {
        self.call_done(&Request::Ping)
    }

    /// Unpacks a layer from a pipe or file.
    ///
    /// Closing a pipe early makes the call fail and publishes nothing.
    ///
    /// # Errors
    /// [`Error::DigestMismatch`] or [`Error::InvalidLayer`] for a bad archive.
    pub fn apply_layer(&self, layer: ApplyLayer, stream: OwnedFd) -> Result<AppliedLayer> {
        let request = Request::ApplyLayer(layer);
        expect_reply!(self.call(&request, &[stream.as_fd()]), Layer)
    }

    /// Writes a layer as an uncompressed archive to a pipe or file.
    ///
    /// The bytes depend on the layer's content and the epoch alone.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`]; [`Error::Io`] if a file cannot be read or nobody takes the bytes.
    pub fn pack_layer(&self, pack: PackLayer, to: OwnedFd) -> Result<PackedLayer> {
        let request = Request::PackLayer(pack);
        let reply = self.call(&request, &[to.as_fd()]);
        drop(to);
        expect_reply!(reply, Packed)
    }

    /// Whether a layer is complete in the store.
    ///
    /// # Errors
    /// Only if the keeper is gone.
    pub fn has_layer(&self, id: &LayerId) -> Result<bool> {
        expect_reply!(self.call(&Request::HasLayer { id: id.clone() }, &[]), Found)
    }

    /// Makes a writable root file system, not mounted, for one step.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`]; [`Error::TooManyLayers`]; [`Error::NotADirectory`] and
    /// [`Error::IsADirectory`] if something that must exist is of another kind.
    pub fn prepare(&self, prepare: Prepare) -> Result<Active> {
        expect_reply!(self.call(&Request::Prepare(prepare), &[]), Active)
    }

    /// Fills a volume's directory and gives its root to its owner.
    ///
    /// # Errors
    /// [`Error::NotFound`] if there is nothing to fill it with; [`Error::Io`].
    pub fn furnish(&self, furnish: Furnish) -> Result<()> {
        self.call_done(&Request::Furnish(furnish))
    }

    /// Freezes what was written; `None` if nothing was. The handle is gone afterwards.
    ///
    /// # Errors
    /// [`Error::UnknownActive`] for a handle that is not open.
    pub fn commit(&self, commit: Commit) -> Result<Option<AppliedLayer>> {
        expect_reply!(self.call(&Request::Commit(commit), &[]), MaybeLayer)
    }

    /// Throws away what was written.
    ///
    /// # Errors
    /// [`Error::UnknownActive`] for a handle that is not open.
    pub fn discard(&self, id: &str) -> Result<()> {
        self.call_done(&Request::Discard { id: id.to_owned() })
    }

    /// Attaches layers in the session's mount namespace.
    ///
    /// # Errors
    /// As [`prepare`](Self::prepare), and [`Error::NotFound`] for the subpath.
    pub fn mount(&self, mount: Mount) -> Result<Mounted> {
        expect_reply!(self.call(&Request::Mount(mount), &[]), Mounted)
    }

    /// Detaches a mount and throws away what was written to it.
    ///
    /// # Errors
    /// [`Error::UnknownActive`] for a handle that is not open.
    pub fn unmount(&self, id: &str) -> Result<()> {
        self.call_done(&Request::Unmount { id: id.to_owned() })
    }

    /// Applies changes in order and freezes them as one layer; `None` if nothing changed.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotADirectory`], [`Error::IsADirectory`] and
    /// [`Error::InvalidPath`] as the changes demand; nothing is published then.
    pub fn edit(&self, layers: &[LayerId], edits: Vec<Edit>) -> Result<Option<AppliedLayer>> {
        let mut fds = Vec::new();
        let edits = edits
            .into_iter()
            .map(|edit| edit.with_data(|data| to_wire(data, &mut fds)))
            .collect::<Result<_>>()?;
        let fds: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        let request = Request::Edit {
            layers: layers.to_vec(),
            edits,
        };
        expect_reply!(self.call(&request, &fds), MaybeLayer)
    }

    /// Makes a layer of what `upper` has and `lower` has not, whiteouts for what it lacks.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    pub fn diff(&self, lower: &[LayerId], upper: &[LayerId]) -> Result<Option<AppliedLayer>> {
        let request = Request::Diff {
            lower: lower.to_vec(),
            upper: upper.to_vec(),
        };
        expect_reply!(self.call(&request, &[]), MaybeLayer)
    }

    /// Fits an image's layers, each unpacked on its own, to each other; call it once all are there.
    ///
    /// Directories an archive needs but does not list take their attributes, or their place behind
    /// a link, from the layers below. Layers that are right as they are come back unchanged.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    pub fn settle(&self, layers: &[LayerId]) -> Result<Vec<AppliedLayer>> {
        expect_reply!(
            self.call(
                &Request::Settle {
                    layers: layers.to_vec()
                },
                &[]
            ),
            Layers
        )
    }

    /// Makes one layer of many, sharing the files by hard links.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    pub fn squash(&self, layers: &[LayerId]) -> Result<AppliedLayer> {
        expect_reply!(
            self.call(
                &Request::Squash {
                    layers: layers.to_vec()
                },
                &[]
            ),
            Layer
        )
    }

    /// Opens a file for reading; the descriptor stays good whatever happens to the layers.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::IsADirectory`]; [`Error::InvalidPath`] for what is no file.
    pub fn open_file(&self, layers: &[LayerId], path: &str) -> Result<(Stat, OwnedFd)> {
        let request = Request::OpenFile {
            layers: layers.to_vec(),
            path: path.to_owned(),
        };
        match self.call(&request, &[])? {
            (Reply::Stat(Some(stat)), mut fds) if fds.len() == 1 => Ok((stat, fds.remove(0))),
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Lists a directory, sorted by name.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotADirectory`].
    pub fn read_dir(&self, layers: &[LayerId], path: &str) -> Result<Vec<DirEntry>> {
        let request = Request::ReadDir {
            layers: layers.to_vec(),
            path: path.to_owned(),
        };
        expect_reply!(self.call(&request, &[]), Entries)
    }

    /// Lists everything below a directory, parents first.
    ///
    /// # Errors
    /// [`Error::NotFound`]; [`Error::NotADirectory`].
    pub fn walk(&self, layers: &[LayerId], path: &str) -> Result<Vec<DirEntry>> {
        let request = Request::Walk {
            layers: layers.to_vec(),
            path: path.to_owned(),
        };
        expect_reply!(self.call(&request, &[]), Entries)
    }

    /// Describes what is at a path; `None` if nothing is.
    ///
    /// # Errors
    /// [`Error::UnknownLayer`].
    pub fn stat(&self, layers: &[LayerId], path: &str, follow: bool) -> Result<Option<Stat>> {
        let request = Request::Stat {
            layers: layers.to_vec(),
            path: path.to_owned(),
            follow,
        };
        expect_reply!(self.call(&request, &[]), Stat)
    }

    /// Lists what matches a pattern below a directory: `*` within a name, `**` across names.
    ///
    /// # Errors
    /// [`Error::InvalidPath`] for a malformed pattern.
    pub fn glob(&self, layers: &[LayerId], path: &str, pattern: &str) -> Result<Vec<DirEntry>> {
        let request = Request::Glob {
            layers: layers.to_vec(),
            path: path.to_owned(),
            pattern: pattern.to_owned(),
        };
        expect_reply!(self.call(&request, &[]), Entries)
    }

    /// Digests what is at a path, names and modification times of it aside.
    ///
    /// # Errors
    /// [`Error::NotFound`].
    pub fn tree_digest(
        &self,
        layers: &[LayerId],
        path: &str,
        exclude_metadata: bool,
    ) -> Result<String> {
        let layers = layers.to_vec();
        let request = Request::TreeDigest {
            layers,
            path: path.to_owned(),
            exclude_metadata,
        };
        expect_reply!(self.call(&request, &[]), Digest)
    }

    /// Finds a user: `name`, `uid`, `name:group`, `uid:gid`; empty is root.
    ///
    /// # Errors
    /// [`Error::UnknownUser`].
    pub fn lookup_user(&self, layers: &[LayerId], user: &str) -> Result<User> {
        let request = Request::LookupUser {
            layers: layers.to_vec(),
            user: user.to_owned(),
        };
        expect_reply!(self.call(&request, &[]), User)
    }

    /// Writes a file or directory to the host, as the invoking user.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotADirectory`], [`Error::IsADirectory`]; [`Error::Io`] for
    /// what the host refuses.
    pub fn export(&self, export: Export) -> Result<Exported> {
        expect_reply!(self.call(&Request::Export(export), &[]), Exported)
    }

    /// A socket that listens and belongs to a user, with its listening end. Discarding the handle removes it.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be given to the user.
    pub fn listen(&self, uid: u32, gid: u32, mode: u32) -> Result<(Listening, OwnedFd)> {
        match self.call(&Request::Listen { uid, gid, mode }, &[])? {
            (Reply::Listening(listening), mut fds) if fds.len() == 1 => {
                Ok((listening, fds.remove(0)))
            }
            (other, _) => Err(unexpected(&other)),
        }
    }

    /// Takes a snapshot of a part of the file system that `root` is the root of, mounts and all, while others may use it.
    ///
    /// Everything in it belongs to root, as what comes from the host does. Sockets, pipes and devices are left out.
    ///
    /// # Errors
    /// [`Error::NotFound`], [`Error::NotADirectory`]; [`Error::InvalidPattern`]; [`Error::ChangedWhileReading`] if it is
    /// written to all the time.
    pub fn capture(&self, capture: Capture, root: BorrowedFd<'_>) -> Result<AppliedLayer> {
        expect_reply!(self.call(&Request::Capture(capture), &[root]), Layer)
    }

    /// Makes every layer published so far survive a crash of the machine.
    ///
    /// Layers that were never synced are not trusted after a reboot: they count as missing.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk fails.
    pub fn sync(&self) -> Result<()> {
        self.call_done(&Request::Sync)
    }

    /// Deletes what is in the store's trash.
    ///
    /// # Errors
    /// [`Error::Io`] if something cannot be deleted.
    pub fn empty_trash(&self) -> Result<Emptied> {
        expect_reply!(self.call(&Request::EmptyTrash, &[]), Emptied)
    }

    /// Moves layers to the trash, where they are no longer found. Unknown ones are fine.
    ///
    /// # Errors
    /// [`Error::Io`] if one cannot be moved.
    pub fn delete_trees(&self, ids: &[LayerId]) -> Result<()> {
        self.call_done(&Request::DeleteTrees { ids: ids.to_vec() })
    }

    fn call_done(&self, request: &Request) -> Result<()> {
        match self.call(request, &[])? {
            (Reply::Done, _) => Ok(()),
            (other, _) => Err(unexpected(&other)),
        }
    }

    fn call(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(Reply, Vec<OwnedFd>)> {
        let body = serde_json::to_vec(request).map_err(|e| garbled(&e))?;
        let connection = self.connection()?;
        rpc::send(&connection, &body, fds)?;
        let message = rpc::receive(&connection)?.ok_or(Error::Disconnected)?;
        self.put_back(connection);
        match serde_json::from_slice(&message.body).map_err(|e| garbled(&e))? {
            Reply::Failed(error) => Err(error.into()),
            reply => Ok((reply, message.fds)),
        }
    }

    fn connection(&self) -> Result<OwnedFd> {
        let idle = self
            .idle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop();
        if let Some(connection) = idle {
            return Ok(connection);
        }
        let (ours, theirs) = rpc::pair()?;
        rpc::send(&self.control, b"connect", &[theirs.as_fd()])?;
        Ok(ours)
    }

    fn put_back(&self, connection: OwnedFd) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < MAX_IDLE {
            idle.push(connection);
        }
    }
}

fn garbled(error: &serde_json::Error) -> Error {
    Error::Protocol {
        reason: error.to_string(),
    }
}

fn unexpected(reply: &Reply) -> Error {
    Error::Protocol {
        reason: format!("unexpected reply {reply:?}"),
    }
}

fn to_wire(data: Data, fds: &mut Vec<OwnedFd>) -> Result<WireData> {
    match data {
        Data::Bytes(bytes) if bytes.len() <= INLINE_DATA => Ok(WireData::Hex(hex::encode(bytes))),
        Data::Bytes(bytes) => {
            fds.push(rpc::memfd("nsci-data", &bytes)?);
            Ok(WireData::Fd)
        }
        Data::Fd(fd) => {
            fds.push(fd);
            Ok(WireData::Fd)
        }
    }
}
