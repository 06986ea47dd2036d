//! What dead processes left behind: found at the start of every run, and moved away.

use std::fs::{self, File, Metadata};
use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::fs::FlockOperation;

use super::{GRACE, children, trash_waiting};
use crate::error::{Error, Result};
use crate::layout::{Layout, Store};
use crate::lock::{Discarded, discard_directory, open_directory, still_names, try_flock};
use crate::power;

/// Interrupted downloads are kept this long.
const PARTIAL_KEPT: Duration = Duration::from_secs(24 * 3600);

/// What a sweep found left behind by dead processes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many things were removed or moved into the trash.
    pub count: usize,
    /// Whether the keeper should empty the trash.
    pub trash_waiting: bool,
}

impl Store {
    /// Moves away what dead processes left unfinished, and after a boot what a power cut may have spoilt. Quick when there
    /// is nothing; belongs at the start of every run, before anything is looked up.
    ///
    /// # Errors
    /// [`Error::Io`] if a directory cannot be listed.
    pub fn sweep(&self) -> Result<Swept> {
        let layout = self.layout();
        let mut swept = Swept {
            count: power::recover(layout)?,
            ..Swept::default()
        };
        for (path, meta) in children(&layout.tmp())? {
            swept.count += usize::from(sweep_tmp(layout, &path, &meta)?);
        }
        for (path, meta) in children(&layout.partial())? {
            if meta.len() == 0 || age(&meta) > PARTIAL_KEPT {
                swept.count += usize::from(remove_unlocked(&path)?);
            }
        }
        for (path, _) in children(&layout.locks())? {
            swept.count += usize::from(remove_unlocked(&path)?);
        }
        swept.trash_waiting = trash_waiting(layout)?;
        Ok(swept)
    }
}

fn age(meta: &Metadata) -> Duration {
    meta.modified()
        .ok()
        .and_then(|then| then.elapsed().ok())
        .unwrap_or_default()
}

/// Takes away the temporary directory of a dead process.
fn sweep_tmp(layout: &Layout, path: &Path, meta: &Metadata) -> Result<bool> {
    if !meta.is_dir() {
        // A `format` file whose writer died; a living writer needs it for microseconds.
        return Ok(age(meta) > GRACE && fs::remove_file(path).is_ok());
    }
    let Ok(lock) = open_directory(path) else {
        return Ok(false);
    };
    if !try_flock(&lock, path, FlockOperation::NonBlockingLockExclusive)?
        || !still_names(path, &lock)?
    {
        return Ok(false);
    }
    match discard_directory(path, &layout.trash()) {
        Ok(Discarded::Removed | Discarded::Trashed) => Ok(true),
        Err(error) => Err(Error::io("move to the trash", path, error)),
    }
}

/// Removes a file that is locked while in use, if it is not.
pub(super) fn remove_unlocked(path: &Path) -> Result<bool> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
        Err(error) => return Err(Error::io("open", path, error)),
    };
    if !try_flock(&file, path, FlockOperation::NonBlockingLockExclusive)?
        || !still_names(path, &file)?
    {
        return Ok(false);
    }
    Ok(fs::remove_file(path).is_ok())
}
