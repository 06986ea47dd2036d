//! What a power cut may have done to the store.
//!
//! Files are not flushed one by one, so a cut can leave names whose bytes never reached the disk. Kernels write back within
//! half a minute, so only what appeared shortly before the cut is in doubt, and nothing that [`Store::sync`] flushed.

use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::content::verify;
use crate::error::{Error, Result};
use crate::gc::{children, grandchildren};
use crate::layout::{Digest, Layout, Store};
use crate::lock::{GcLock, open_directory, unique_name};

/// Four times what Linux takes to write back by default.
const IN_DOUBT: Duration = Duration::from_secs(120);

/// In a tree's directory: all of it is on the disk itself.
const FLUSHED: &str = "synced";

impl Store {
    /// Flushes the store's filesystem, so that a power cut loses nothing made before.
    ///
    /// Takes as long as the disk needs for everything written to it, by anybody; belongs at the end of a run, after the
    /// result is delivered.
    ///
    /// # Errors
    /// [`Error::Io`] if the disk failed to take it.
    pub fn sync(&self) -> Result<()> {
        let layout = self.layout();
        let start = SystemTime::now();
        let root = open_directory(layout.root())
            .map_err(|error| Error::io("open", layout.root(), error))?;
        rustix::fs::syncfs(&root).map_err(|error| Error::io("flush", layout.root(), error))?;
        let stamp = layout.root().join("synced");
        fs::File::create(&stamp)
            .and_then(|file| file.set_modified(start))
            .map_err(|error| Error::io("write", &stamp, error))
    }
}

/// Throws out what may be damaged, once after each boot, and says how much that was.
pub(crate) fn recover(layout: &Layout) -> Result<usize> {
    let path = layout.root().join("boot");
    let this_boot = boot_id();
    let last_boot = match fs::read_to_string(&path) {
        Ok(id) => Some(id),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io("read", &path, error)),
    };
    if last_boot.as_ref() == Some(&this_boot) {
        return Ok(0);
    }
    let _guard = GcLock::exclusive(layout)?;
    let thrown = if last_boot.is_some() {
        throw_out(layout, booted())?
    } else {
        0
    };
    let tmp = layout.tmp().join(format!(".boot-{}", unique_name()));
    fs::write(&tmp, this_boot).map_err(|error| Error::io("write", &tmp, error))?;
    fs::rename(&tmp, &path).map_err(|error| Error::io("rename into place", &path, error))?;
    Ok(thrown)
}

/// Names this run of the machine. Without /proc there is no telling, and no container either.
pub(crate) fn boot_id() -> String {
    let id = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    id.trim().to_owned()
}

/// When this machine was started.
fn booted() -> SystemTime {
    let uptime = fs::read_to_string("/proc/uptime").unwrap_or_default();
    let seconds = uptime
        .split('.')
        .next()
        .and_then(|whole| whole.parse().ok())
        .unwrap_or(0);
    SystemTime::now() - Duration::from_secs(seconds)
}

fn throw_out(layout: &Layout, booted: SystemTime) -> Result<usize> {
    let synced = fs::metadata(layout.root().join("synced"))
        .and_then(|meta| meta.modified())
        .unwrap_or(UNIX_EPOCH);
    let trees = grandchildren(&layout.trees())?;
    let mut blobs = Vec::new();
    for (algorithm, _) in children(&layout.blobs())? {
        blobs.extend(grandchildren(&algorithm)?);
    }
    let before = |meta: &Metadata| Some(appeared(meta)).filter(|when| *when < booted);
    let last = trees
        .iter()
        .chain(&blobs)
        .filter_map(|(_, meta)| before(meta))
        .max();
    let Some(last) = last else { return Ok(0) };
    let doubted = |meta: &Metadata| {
        before(meta).is_some_and(|when| {
            when >= synced && last.duration_since(when).unwrap_or_default() < IN_DOUBT
        })
    };
    let mut thrown = 0;
    for (path, meta) in &trees {
        let mark = path.join(FLUSHED);
        if before(meta).is_none() || mark.exists() {
            continue;
        }
        if !doubted(meta) {
            // The keeper relies on nothing of an earlier boot that is not marked.
            fs::File::create(&mark).map_err(|error| Error::io("create", &mark, error))?;
            continue;
        }
        fs::rename(path, layout.trash().join(unique_name()))
            .map_err(|error| Error::io("move to the trash", path, error))?;
        thrown += 1;
    }
    for (path, _) in blobs.iter().filter(|(_, meta)| doubted(meta)) {
        let whole = digest_of(path).is_some_and(|digest| verify(path, &digest).is_ok());
        if !whole {
            fs::remove_file(path).map_err(|error| Error::io("remove", path, error))?;
            thrown += 1;
        }
    }
    Ok(thrown)
}

/// When a file or directory got its name: the last thing that changes it, apart from notes of its use.
fn appeared(meta: &Metadata) -> SystemTime {
    let seconds = u64::try_from(meta.ctime()).unwrap_or(0);
    UNIX_EPOCH
        + Duration::from_secs(seconds)
        + Duration::from_nanos(meta.ctime_nsec().unsigned_abs())
}

/// The digest that `…/<algorithm>/<aa>/<hex>` stands for.
fn digest_of(path: &Path) -> Option<Digest> {
    let hex = path.file_name()?.to_str()?;
    let algorithm = path.parent()?.parent()?.file_name()?.to_str()?;
    format!("{algorithm}:{hex}").parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::LayerId;

    fn fill() -> (tempfile::TempDir, Store, LayerId, [Digest; 2]) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        let id = LayerId::of("tree");
        fs::create_dir_all(store.layout().tree_fs(&id)).unwrap();
        let blobs = [&b"whole"[..], b"emptied"]
            .map(|bytes| store.content().put_bytes(bytes).unwrap().digest().clone());
        // What a power cut does.
        fs::write(store.content().path(&blobs[1]), "").unwrap();
        (base, store, id, blobs)
    }

    fn later() -> SystemTime {
        SystemTime::now() + Duration::from_secs(3600)
    }

    #[test]
    fn what_appeared_right_before_a_power_cut_is_doubted() {
        let (_base, store, id, [whole, emptied]) = fill();
        assert_eq!(throw_out(store.layout(), later()).unwrap(), 2);
        assert!(!store.layout().tree(&id).exists());
        assert_eq!(
            (store.content().has(&whole), store.content().has(&emptied)),
            (true, false)
        );
    }

    #[test]
    fn what_was_flushed_or_made_since_the_boot_is_not_doubted() {
        let (_base, store, id, _) = fill();
        let earlier = SystemTime::now() - Duration::from_secs(3600);
        assert_eq!(throw_out(store.layout(), earlier).unwrap(), 0);
        store.sync().unwrap();
        assert_eq!(throw_out(store.layout(), later()).unwrap(), 0);
        assert!(
            store.layout().tree(&id).join(FLUSHED).exists(),
            "the keeper is told"
        );
    }

    #[test]
    fn boot_is_noted_once() {
        let (_base, store, ..) = fill();
        assert_eq!(recover(store.layout()).unwrap(), 0);
        let noted = fs::read_to_string(store.layout().root().join("boot")).unwrap();
        assert_eq!(noted, boot_id());
        fs::write(store.layout().root().join("boot"), "another boot").unwrap();
        assert_eq!(
            recover(store.layout()).unwrap(),
            0,
            "all of it was made since this boot"
        );
        assert_eq!(
            fs::read_to_string(store.layout().root().join("boot")).unwrap(),
            noted
        );
    }
}
