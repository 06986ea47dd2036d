//! The process inside the namespaces: one thread per connection, one request at a time on each.

use std::collections::HashMap;
use std::fs;
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::thread;

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::edits::Edit;
use super::protocol::{
    Active, Commit, Emptied, Export, ExportKind, Furnish, Listening, Mount, Mounted, Prepare,
    Reply, Request, TempFile, WireData,
};
use crate::digest::{self, Scope};
use crate::edit::{self, Content};
use crate::error::{Context as _, Error, Result};
use crate::layer::draft::{Draft, Origin, Workspace, lock};
use crate::layer::{AppliedLayer, LayerId, apply, pack, settle};
use crate::layout::Layout;
use crate::upper::{self, Upper};
use crate::view::View;
use crate::{capture, export, fsops, overlay, path, read, rpc, squash, users};

/// Threads that delete at once; more gain nothing on the file systems measured.
const DELETERS: usize = 4;

/// Trees are walked recursively and may be as deep as a path is long.
const CALL_STACK: usize = 16 << 20;

/// Serves requests until the other end of `control` closes.
///
/// `root` is the store; `mount_dir` is a directory on a tmpfs of the session's mount namespace
/// where [`Mount`]s are attached.
///
/// # Errors
/// Only what makes serving impossible; failed requests are answered.
pub fn serve(control: OwnedFd, root: PathBuf, mount_dir: PathBuf) -> Result<()> {
    rustix::process::umask(rustix::fs::Mode::empty());
    raise_file_limit();
    let empty = mount_dir.join("empty");
    fs::create_dir_all(&empty).context("create", &empty)?;
    fsops::chmod_at(rustix::fs::CWD, empty.as_os_str(), 0o755)?;
    let base = mount_dir.join("base");
    make_base(&base)?;
    let space = Workspace::open(Layout::new(root), empty.clone())?;
    let keeper = Arc::new(Keeper {
        space,
        mount_dir,
        empty,
        base,
        open: Mutex::default(),
        next: Mutex::new(0),
    });
    let sweeper = Arc::clone(&keeper);
    // What is not swept now is swept the next time.
    thread::spawn(move || sweeper.space.sweep().ok());
    while let Some(message) = rpc::receive(&control)? {
        for connection in message.fds {
            let keeper = Arc::clone(&keeper);
            thread::Builder::new()
                .name("call".into())
                .stack_size(CALL_STACK)
                .spawn(move || keeper.connection(&connection))
                .context("start", "connection thread")?;
        }
    }
    keeper.space.close();
    Ok(())
}

/// Directories that every step mounts something on.
const BASE_DIRS: [&str; 6] = ["dev", "proc", "sys", "etc", "run", "run/nsci"];
/// Files that every step mounts something on.
const BASE_FILES: [&str; 4] = [
    "etc/hosts",
    "etc/hostname",
    "etc/resolv.conf",
    "run/nsci/ca-certificates.crt",
];

fn make_base(base: &Path) -> Result<()> {
    for dir in std::iter::once("").chain(BASE_DIRS) {
        let path = base.join(dir);
        fs::create_dir_all(&path).context("create", &path)?;
        fsops::chmod_at(rustix::fs::CWD, path.as_os_str(), 0o755)?;
    }
    for file in BASE_FILES {
        let path = base.join(file);
        fs::write(&path, b"").context("write", &path)?;
        fsops::chmod_at(rustix::fs::CWD, path.as_os_str(), 0o644)?;
    }
    Ok(())
}

/// Layers hold many directories open; without the right to raise the limit the usual one must do.
fn raise_file_limit() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(
        Resource::Nofile,
        Rlimit {
            current: limit.maximum,
            maximum: limit.maximum,
        },
    )
    .ok();
}

/// A handle that was given out.
#[derive(Debug)]
struct Open {
    draft: Option<Draft>,
    layers: Vec<LayerId>,
    mounted: Option<PathBuf>,
    files: Vec<PathBuf>,
}

impl Drop for Open {
    fn drop(&mut self) {
        for file in &self.files {
            // On a tmpfs of ours; what cannot be removed goes with the session.
            fs::remove_file(file).ok();
        }
    }
}

#[derive(Debug)]
struct Keeper {
    space: Workspace,
    mount_dir: PathBuf,
    empty: PathBuf,
    /// Below every step's layers: what is mounted over in each step exists there, so that no step
    /// has to make it and no commit to remove it again.
    base: PathBuf,
    open: Mutex<HashMap<String, Open>>,
    next: Mutex<u64>,
}

impl Keeper {
    /// Answers requests until the client closes the connection.
    fn connection(&self, socket: &OwnedFd) {
        while let Ok(Some(message)) = rpc::receive(socket) {
            let mut out = Vec::new();
            let reply = match serde_json::from_slice(&message.body) {
                Ok(request) => self.answer(request, message.fds, &mut out),
                Err(error) => Err(Error::Protocol {
                    reason: error.to_string(),
                }),
            };
            let reply = reply.unwrap_or_else(|error| Reply::Failed(error.into()));
            let body = serde_json::to_vec(&reply).unwrap_or_else(|error| {
                let error = Error::Protocol {
                    reason: error.to_string(),
                };
                serde_json::to_vec(&Reply::Failed(error.into())).expect("text is valid JSON")
            });
            let fds: Vec<BorrowedFd<'_>> = out.iter().map(OwnedFd::as_fd).collect();
            if rpc::send(socket, &body, &fds).is_err() {
                return;
            }
        }
    }

    fn answer(&self, request: Request, fds: Vec<OwnedFd>, out: &mut Vec<OwnedFd>) -> Result<Reply> {
        let mut fds = fds.into_iter();
        let mut fd = || {
            fds.next().ok_or_else(|| Error::Protocol {
                reason: "no descriptor".into(),
            })
        };
        Ok(match request {
            Request::Ping => Reply::Done,
            Request::ApplyLayer(ask) => Reply::Layer(apply::apply(&self.space, ask, fd()?)?),
            Request::PackLayer(ask) => Reply::Packed(pack::pack(&self.space, &ask, fd()?)?),
            Request::HasLayer { id } => Reply::Found(self.space.find(&id)?.is_some()),
            Request::Prepare(ask) => Reply::Active(self.prepare(ask)?),
            Request::Furnish(ask) => {
                self.furnish(&ask)?;
                Reply::Done
            }
            Request::Commit(ask) => Reply::MaybeLayer(self.commit(&ask)?),
            Request::Discard { id } | Request::Unmount { id } => {
                self.take(&id)?;
                Reply::Done
            }
            Request::Mount(ask) => Reply::Mounted(self.mount(ask)?),
            Request::Edit { layers, edits } => {
                let edits = edits.into_iter().map(|edit| receive(edit, &mut fd));
                let edits = edits.collect::<Result<Vec<_>>>()?;
                Reply::MaybeLayer(edit::edit(&self.space, &layers, edits)?)
            }
            Request::Diff { lower, upper } => {
                Reply::MaybeLayer(squash::diff(&self.space, &lower, &upper)?)
            }
            Request::Settle { layers } => Reply::Layers(settle::settle(&self.space, &layers)?),
            Request::Squash { layers } => Reply::Layer(squash::squash(&self.space, &layers)?),
            Request::OpenFile { layers, path } => {
                let (stat, fd) = read::open_file(&self.space.view(&layers)?, &path)?;
                out.push(fd);
                Reply::Stat(Some(stat))
            }
            Request::ReadDir { layers, path } => {
                Reply::Entries(read::read_dir(&self.space.view(&layers)?, &path)?)
            }
            Request::Walk { layers, path } => {
                Reply::Entries(read::walk(&self.space.view(&layers)?, &path)?)
            }
            Request::Stat {
                layers,
                path,
                follow,
            } => Reply::Stat(read::stat(&self.space.view(&layers)?, &path, follow)?),
            Request::Glob {
                layers,
                path,
                pattern,
            } => Reply::Entries(read::glob(&self.space.view(&layers)?, &path, &pattern)?),
            Request::TreeDigest {
                layers,
                path,
                exclude_metadata,
            } => Reply::Digest(self.tree_digest(&layers, &path, exclude_metadata)?),
            Request::LookupUser { layers, user } => {
                Reply::User(users::lookup(&self.space.view(&layers)?, &user)?)
            }
            Request::Export(ask) => {
                Reply::Exported(export::export(&self.space.view(&ask.layers)?, &ask)?)
            }
            Request::Capture(ask) => Reply::Layer(capture::capture(&self.space, &ask, &fd()?)?),
            Request::Listen { uid, gid, mode } => {
                let (listening, fd) = self.listen(uid, gid, mode)?;
                out.push(fd);
                Reply::Listening(listening)
            }
            Request::EmptyTrash => Reply::Emptied(self.empty_trash()?),
            Request::Sync => {
                self.space.sync()?;
                Reply::Done
            }
            Request::DeleteTrees { ids } => {
                ids.iter().try_for_each(|id| self.space.delete(id))?;
                Reply::Done
            }
        })
    }

    fn handle(&self, open: Open) -> String {
        let mut next = lock(&self.next);
        *next += 1;
        let id = next.to_string();
        lock(&self.open).insert(id.clone(), open);
        id
    }

    /// Closes a handle; a mount goes away, and unless the draft is kept so does what was written.
    fn take(&self, id: &str) -> Result<Open> {
        let open = lock(&self.open).remove(id);
        let open = open.ok_or_else(|| Error::UnknownActive { id: id.to_owned() })?;
        if let Some(target) = &open.mounted {
            overlay::detach(target)?;
        }
        Ok(open)
    }

    fn writable(&self, lower: &View, lowers: &[PathBuf]) -> Result<(Draft, Upper)> {
        overlay::check_depth(lowers)?;
        let draft = self.space.draft()?;
        upper::copy_root(lower, &draft.fs())?;
        let work = draft.dir.join("work");
        fs::create_dir(&work).context("create", &work)?;
        let upper = Upper::new(lower, draft.fs())?;
        Ok((draft, upper))
    }

    /// The layers of a step's root file system, with the base below them.
    fn step_view(&self, layers: &[LayerId]) -> Result<(View, Vec<PathBuf>)> {
        let mut lowers = if layers.is_empty() {
            Vec::new()
        } else {
            self.space.lowers(layers)?
        };
        lowers.push(self.base.clone());
        Ok((self.space.view_of(&lowers)?, lowers))
    }

    fn prepare(&self, ask: Prepare) -> Result<Active> {
        let (lower, lowers) = self.step_view(&ask.layers)?;
        let (draft, upper) = self.writable(&lower, &lowers)?;
        let ensured = ask
            .ensure
            .iter()
            .map(|ensure| upper.ensure(ensure))
            .collect::<Result<_>>()?;
        let files = self.write_files(&ask.files)?;
        let (dir, work) = (draft.fs(), draft.dir.join("work"));
        let open = Open {
            draft: Some(draft),
            layers: ask.layers,
            mounted: None,
            files: files.clone(),
        };
        Ok(Active {
            id: self.handle(open),
            lowers,
            upper: dir,
            work,
            ensured,
            files,
        })
    }

    fn write_files(&self, files: &[TempFile]) -> Result<Vec<PathBuf>> {
        files
            .iter()
            .map(|file| {
                let path = self.temp_path("f");
                fs::write(&path, &file.data).context("write", &path)?;
                give(&path, file.uid, file.gid, file.mode)?;
                Ok(path)
            })
            .collect()
    }

    /// A path in memory that nothing else has.
    fn temp_path(&self, kind: &str) -> PathBuf {
        let mut next = lock(&self.next);
        *next += 1;
        self.mount_dir.join(format!("{kind}{next}"))
    }

    fn listen(&self, uid: u32, gid: u32, mode: u32) -> Result<(Listening, OwnedFd)> {
        let path = self.temp_path("s");
        // Named by its directory's descriptor: addresses of sockets are short, paths may not be.
        let directory = fs::File::open(&self.mount_dir).context("open", &self.mount_dir)?;
        let name = path.file_name().unwrap_or_default();
        let address = Path::new("/proc/self/fd")
            .join(directory.as_raw_fd().to_string())
            .join(name);
        let listener = UnixListener::bind(address).context("listen at", &path)?;
        let open = Open {
            draft: None,
            layers: Vec::new(),
            mounted: None,
            files: vec![path.clone()],
        };
        give(&path, uid, gid, mode)?;
        let id = self.handle(open);
        Ok((Listening { id, path }, listener.into()))
    }

    fn furnish(&self, ask: &Furnish) -> Result<()> {
        if let Some((layers, path)) = &ask.seed {
            let export = Export {
                layers: layers.clone(),
                path: path.clone(),
                dst: ask.path.clone(),
                kind: ExportKind::Dir { wipe: false },
            };
            export::export(&self.space.view(layers)?, &export)?;
        }
        if let Some((uid, gid)) = ask.owner {
            rustix::fs::chown(
                &ask.path,
                Some(rustix::fs::Uid::from_raw(uid)),
                Some(rustix::fs::Gid::from_raw(gid)),
            )
            .context("change the owner of", &ask.path)?;
        }
        Ok(())
    }

    fn mount(&self, ask: Mount) -> Result<Mounted> {
        let target = self.temp_path("m");
        let view = self.space.view(&ask.layers)?;
        let (rel, node) = path::existing(&view, &ask.subpath, true)?;
        let draft = if ask.writable {
            let lowers = self.space.lowers(&ask.layers)?;
            let (draft, _) = self.writable(&view, &lowers)?;
            let writable = (draft.fs(), draft.dir.join("work"));
            overlay::mount(
                &lowers,
                Some((&writable.0, &writable.1)),
                &self.empty,
                &target,
            )?;
            Some(draft)
        } else {
            overlay::mount(&self.space.lowers(&ask.layers)?, None, &self.empty, &target)?;
            None
        };
        let source = if rel.as_os_str().is_empty() {
            target.clone()
        } else {
            target.join(rel)
        };
        let kind = read::kind_of(&node);
        let open = Open {
            draft,
            layers: ask.layers,
            mounted: Some(target.clone()),
            files: Vec::new(),
        };
        Ok(Mounted {
            id: self.handle(open),
            path: target,
            source,
            kind,
        })
    }

    fn commit(&self, ask: &Commit) -> Result<Option<AppliedLayer>> {
        let open = self.take(&ask.id)?;
        let Some(draft) = &open.draft else {
            return Ok(None);
        };
        let lower = match open.mounted {
            Some(_) => self.space.view(&open.layers)?,
            None => self.step_view(&open.layers)?.0,
        };
        let upper = Upper::new(&lower, draft.fs())?;
        upper.remove_stubs(&ask.stubs)?;
        edit::freeze(&self.space, draft, &upper, Origin::Commit, None)
    }

    fn tree_digest(&self, layers: &[LayerId], path: &str, content_only: bool) -> Result<String> {
        let view = self.space.view(layers)?;
        let (rel, node) = path::existing(&view, path, true)?;
        let scope = if content_only {
            Scope::ContentOnly
        } else {
            Scope::Merged
        };
        Ok(digest::tree(&view, &rel, &node, scope)?
            .digest
            .to_hex()
            .to_string())
    }

    fn empty_trash(&self) -> Result<Emptied> {
        let trash = self.space.layout.trash();
        let entries = fs::read_dir(&trash).context("read", &trash)?;
        let mut doomed: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        // A few large trees are split, so that every thread has something to do.
        if doomed.len() < DELETERS * 4 {
            let below: Vec<PathBuf> = doomed.iter().flat_map(|path| subdirs(path)).collect();
            doomed.splice(0..0, below);
        }
        let queue = Mutex::new(doomed.into_iter());
        let total = Mutex::new(Emptied::default());
        let failure = Mutex::new(None);
        thread::scope(|scope| {
            for _ in 0..DELETERS {
                scope.spawn(|| {
                    loop {
                        let Some(path) = lock(&queue).next() else {
                            return;
                        };
                        match fsops::remove_path(&path) {
                            Ok(entries) => lock(&total).entries += entries,
                            Err(error) => *lock(&failure) = Some(error),
                        }
                    }
                });
            }
        });
        // Two threads may have met in one directory; one more pass tells what is really stuck.
        for entry in fs::read_dir(&trash).context("read", &trash)?.flatten() {
            lock(&total).entries += fsops::remove_path(&entry.path())?;
        }
        Ok(total.into_inner().unwrap_or_default())
    }
}

/// Gives a file to its owner.
fn give(path: &Path, uid: u32, gid: u32, mode: u32) -> Result<()> {
    rustix::fs::chown(
        path,
        Some(rustix::fs::Uid::from_raw(uid)),
        Some(rustix::fs::Gid::from_raw(gid)),
    )
    .context("change the owner of", path)?;
    fsops::chmod_at(rustix::fs::CWD, path.as_os_str(), mode)
}

/// The directories three levels below a tree in the trash (`fs/usr/lib`).
fn subdirs(path: &Path) -> Vec<PathBuf> {
    let mut level = vec![path.to_owned()];
    for _ in 0..3 {
        let next = level
            .iter()
            .filter_map(|path| fs::read_dir(path).ok())
            .flatten()
            .flatten();
        let dirs = next.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        level = dirs.map(|entry| entry.path()).collect();
    }
    level
}

/// Puts content that came as a descriptor where it belongs.
fn receive(edit: Edit<WireData>, fd: &mut dyn FnMut() -> Result<OwnedFd>) -> Result<Edit<Content>> {
    if let Edit::Symlink { target, .. } = &edit {
        edit::check_text(target)?;
    }
    edit.with_data(|data| match data {
        WireData::Hex(text) => edit::from_hex(&text),
        WireData::Fd => Ok(Content::Fd(fd()?)),
    })
}
