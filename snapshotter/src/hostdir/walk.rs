//! The walk: lists directories, on several threads once there are many, and puts the lists in order.
//!
//! What a filter leaves out is not even looked at: an excluded directory is never opened.

use std::ffi::CStr;
use std::fs::File;
use std::mem::MaybeUninit;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::thread;

use rustix::fs::{AtFlags, FileType, OFlags, RawDir};
use rustix::io::Errno;

use super::ignored::Ignored;
use super::{FileStat, Node, NodeKind, Span, as_path, open_below, threads};
use crate::error::{Error, Result};
use crate::pattern::{Filter, Verdict};

/// All that is in a directory, in order; files are not hashed yet.
pub(super) struct Walked {
    pub(super) names: Vec<u8>,
    pub(super) nodes: Vec<Node>,
    pub(super) skipped: u64,
}

/// A directory to list.
struct Job {
    path: Vec<u8>,
    id: usize,
    ignored: Ignored,
}

/// One directory's entries, sorted; spans are into its own names.
#[derive(Default)]
struct Listing {
    names: Vec<u8>,
    children: Vec<Child>,
    skipped: u64,
}

struct Child {
    node: Node,
    /// For a directory: the id of its listing.
    listing: usize,
    /// For a directory: whether it counts only if something in it does.
    only_if_used: bool,
}

/// Directories found and not listed yet, and what was listed.
struct Queue {
    pending: Vec<Job>,
    listings: Vec<Listing>,
    /// Jobs pending or being worked on.
    open: usize,
    failure: Option<Error>,
}

struct Walker<'a> {
    root: &'a Path,
    base: &'a File,
    filter: &'a Filter,
    /// Devices whose directories are left out.
    without: &'a [u64],
    queue: Mutex<Queue>,
    changed: Condvar,
    /// Set while threads wait, so that nobody pays for waking none.
    waiting: AtomicBool,
}

/// With fewer directories pending, starting a thread costs more than it saves.
const WORTH_A_THREAD: usize = 24;

pub(super) fn walk(root: &Path, base: &File, filter: &Filter, without: &[u64]) -> Result<Walked> {
    let ignored = Ignored::none();
    let queue = Queue {
        pending: vec![Job {
            path: Vec::new(),
            id: 0,
            ignored,
        }],
        listings: vec![Listing::default()],
        open: 1,
        failure: None,
    };
    let walker = Walker {
        root,
        base,
        filter,
        without,
        queue: Mutex::new(queue),
        changed: Condvar::new(),
        waiting: AtomicBool::new(false),
    };
    thread::scope(|scope| {
        let mut started = 1;
        walker.work(&mut |pending| {
            if pending >= WORTH_A_THREAD && started < threads() {
                started += 1;
                let walker = &walker;
                scope.spawn(move || walker.work(&mut |_| {}));
            }
        });
    });
    let queue = walker
        .queue
        .into_inner()
        .unwrap_or_else(PoisonError::into_inner);
    match queue.failure {
        Some(error) => Err(error),
        None => Ok(assemble(&queue.listings)),
    }
}

impl Walker<'_> {
    /// Lists directories until none is left; tells `observe` how many are pending.
    fn work(&self, observe: &mut dyn FnMut(usize)) {
        let mut buffer = vec![MaybeUninit::uninit(); 64 * 1024];
        let mut queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if queue.open == 0 || queue.failure.is_some() {
                self.changed.notify_all();
                return;
            }
            let Some(job) = queue.pending.pop() else {
                self.waiting.store(true, Ordering::Relaxed);
                queue = self
                    .changed
                    .wait(queue)
                    .unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            drop(queue);
            let listed = self.list(&job, &mut buffer);
            queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
            match listed {
                Ok((listing, found)) => self.file(&mut queue, &job, listing, found),
                Err(error) => queue.failure = Some(error),
            }
            queue.open -= 1;
            let pending = queue.pending.len();
            if pending > 1 && self.waiting.swap(false, Ordering::Relaxed) {
                self.changed.notify_all();
            }
            observe(pending);
        }
    }

    /// Puts a listing in its place and its directories in the queue.
    fn file(&self, queue: &mut Queue, job: &Job, mut listing: Listing, ignored: Ignored) {
        for index in 0..listing.children.len() {
            if listing.children[index].node.kind != NodeKind::Directory {
                continue;
            }
            let id = queue.listings.len();
            queue.listings.push(Listing::default());
            listing.children[index].listing = id;
            let path = join(
                &job.path,
                listing.children[index].node.path.of(&listing.names),
            );
            queue.pending.push(Job {
                path,
                id,
                ignored: ignored.clone(),
            });
            queue.open += 1;
        }
        queue.listings[job.id] = listing;
    }

    fn list(&self, job: &Job, buffer: &mut [MaybeUninit<u8>]) -> Result<(Listing, Ignored)> {
        let path = as_path(&job.path);
        let failed = |error: Errno| match error {
            // The walk saw a directory here a moment ago.
            Errno::LOOP | Errno::NOTDIR => Error::ChangedWhileReading {
                path: self.root.join(path),
            },
            error => Error::io("list", self.root.join(path), error),
        };
        let directory = match open_below(self.base, path, OFlags::DIRECTORY | OFlags::RDONLY) {
            Ok(directory) => directory,
            Err(Errno::NOENT) if !job.path.is_empty() => {
                return Ok((Listing::default(), job.ignored.clone()));
            }
            Err(error) => return Err(failed(error)),
        };
        let ignored = if self.filter.honours_gitignore() {
            job.ignored.enter(&directory, path).map_err(|error| {
                Error::io("read", self.root.join(path).join(".gitignore"), error)
            })?
        } else {
            job.ignored.clone()
        };
        let mut listing = Listing::default();
        let mut full = job.path.clone();
        let mut entries = RawDir::new(&directory, buffer);
        while let Some(entry) = entries.next() {
            let entry = match entry {
                Ok(entry) => entry,
                // The directory was removed while it was listed.
                Err(Errno::NOENT) => break,
                Err(error) => return Err(failed(error)),
            };
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            full.truncate(job.path.len());
            if !full.is_empty() {
                full.push(b'/');
            }
            full.extend_from_slice(name.to_bytes());
            self.consider(
                &directory,
                name,
                entry.file_type(),
                &full,
                &ignored,
                &mut listing,
            )?;
        }
        let names = &listing.names;
        listing.children.sort_unstable_by(|left, right| {
            left.node.path.of(names).cmp(right.node.path.of(names))
        });
        Ok((listing, ignored))
    }

    /// Adds one entry of a directory to its listing, if it is wanted.
    fn consider(
        &self,
        directory: &File,
        name: &CStr,
        said: FileType,
        full: &[u8],
        ignored: &Ignored,
        listing: &mut Listing,
    ) -> Result<()> {
        let failed = |error: Errno| Error::io("stat", self.root.join(as_path(full)), error);
        let mut stat = None;
        let mut kind = said;
        if kind == FileType::Unknown {
            let Some(found) = look(directory, name).map_err(failed)? else {
                return Ok(());
            };
            kind = FileType::from_raw_mode(found.st_mode);
            stat = Some(found);
        }
        let is_dir = kind == FileType::Directory;
        let verdict = if self.filter.takes_all() {
            Verdict::Include
        } else {
            self.filter.check(as_path(full), is_dir)
        };
        if verdict == Verdict::Exclude || ignored.covers(as_path(full), is_dir) {
            return Ok(());
        }
        let stat = match stat {
            Some(stat) => stat,
            None => match look(directory, name).map_err(failed)? {
                Some(stat) => stat,
                None => return Ok(()),
            },
        };
        if is_dir && self.without.contains(&stat.st_dev) {
            listing.skipped += 1;
            return Ok(());
        }
        // What the directory said may have been replaced since; what was looked at is what counts.
        let kind = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory if is_dir => NodeKind::Directory,
            FileType::RegularFile if !is_dir => NodeKind::File,
            FileType::Symlink if !is_dir => NodeKind::Symlink,
            other if (other == FileType::Directory) != is_dir => {
                return Err(Error::ChangedWhileReading {
                    path: self.root.join(as_path(full)),
                });
            }
            _ => {
                listing.skipped += 1;
                return Ok(());
            }
        };
        let target = if kind == NodeKind::Symlink {
            match rustix::fs::readlinkat(directory, name, Vec::new()) {
                Ok(target) => Span::push(&mut listing.names, target.to_bytes()),
                Err(Errno::NOENT) => return Ok(()),
                Err(error) => {
                    return Err(Error::io("read link", self.root.join(as_path(full)), error));
                }
            }
        } else {
            Span::default()
        };
        let node = Node {
            path: Span::push(&mut listing.names, name.to_bytes()),
            target,
            kind,
            mode: if kind == NodeKind::Symlink {
                0o777
            } else {
                stat.st_mode & 0o7777
            },
            stat: FileStat::of(&stat),
            hash: [0; 32],
        };
        listing.children.push(Child {
            node,
            listing: 0,
            only_if_used: verdict == Verdict::Traverse,
        });
        Ok(())
    }
}

/// What is under a name; nothing if it is gone.
fn look(directory: &File, name: &CStr) -> rustix::io::Result<Option<rustix::fs::Stat>> {
    match rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(stat)),
        Err(Errno::NOENT) => Ok(None),
        Err(error) => Err(error),
    }
}

fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    if directory.is_empty() {
        name.to_vec()
    } else {
        [directory, b"/", name].concat()
    }
}

/// Puts all listings into one list, in order, leaving out directories that only led nowhere.
fn assemble(listings: &[Listing]) -> Walked {
    let count = listings.iter().map(|listing| listing.children.len()).sum();
    let mut walked = Walked {
        names: Vec::with_capacity(count * 48),
        nodes: Vec::with_capacity(count),
        skipped: listings.iter().map(|listing| listing.skipped).sum(),
    };
    // A stack of its own: a tree can be deeper than a thread's.
    struct Level {
        listing: usize,
        next: usize,
        /// The length of the prefix before this level.
        prefix: usize,
        /// The node of this directory, if it must have something in it, and how many names there were before it.
        provisional: Option<(usize, usize)>,
    }
    let mut prefix: Vec<u8> = Vec::new();
    let mut stack = vec![Level {
        listing: 0,
        next: 0,
        prefix: 0,
        provisional: None,
    }];
    while let Some(level) = stack.last_mut() {
        let listing = &listings[level.listing];
        let Some(child) = listing.children.get(level.next) else {
            if let Some((node, names)) = level.provisional
                && walked.nodes.len() == node + 1
            {
                walked.nodes.truncate(node);
                walked.names.truncate(names);
            }
            prefix.truncate(level.prefix);
            stack.pop();
            continue;
        };
        level.next += 1;
        let names_before = walked.names.len();
        let name = child.node.path.of(&listing.names);
        let start = walked.names.len();
        walked.names.extend_from_slice(&prefix);
        walked.names.extend_from_slice(name);
        let path = Span {
            start,
            len: walked.names.len() - start,
        };
        let target = match child.node.kind {
            NodeKind::Symlink => {
                Span::push(&mut walked.names, child.node.target.of(&listing.names))
            }
            _ => Span::default(),
        };
        walked.nodes.push(Node {
            path,
            target,
            ..child.node.clone()
        });
        if child.node.kind == NodeKind::Directory {
            let provisional = child
                .only_if_used
                .then_some((walked.nodes.len() - 1, names_before));
            let before = prefix.len();
            prefix.extend_from_slice(name);
            prefix.push(b'/');
            stack.push(Level {
                listing: child.listing,
                next: 0,
                prefix: before,
                provisional,
            });
        }
    }
    walked
}

/// The bytes of a path.
pub(super) fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}
