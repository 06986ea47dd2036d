//! What pulling needs of a content store, as traits, so that this module knows no store.

use std::fmt;
use std::fs;
use std::io::{self, Read, Write as _};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use oci_spec::image::Digest;

use super::image::sha256;

/// Blobs by digest.
///
/// Methods block for as long as a local file takes.
pub trait BlobStore: Send + Sync + fmt::Debug {
    /// Whether a complete blob is there.
    fn has(&self, digest: &Digest) -> bool;

    /// Opens a complete blob.
    ///
    /// # Errors
    /// Any but "not found", which is `None`.
    fn open(&self, digest: &Digest) -> io::Result<Option<Box<dyn Read + Send>>>;

    /// Begins or resumes a blob of `size` bytes.
    ///
    /// Returns `None` when someone else is writing this blob, or the store does not want it; the pull then goes
    /// on without keeping it.
    ///
    /// # Errors
    /// The partial file cannot be opened.
    fn writer(&self, digest: &Digest, size: u64) -> io::Result<Option<Box<dyn BlobWrite>>>;

    /// Where a blob lies or would lie.
    fn path(&self, digest: &Digest) -> PathBuf;
}

/// A blob being written. Dropping it keeps what was written, to be resumed.
pub trait BlobWrite: Send {
    /// Bytes present; where the next write goes.
    fn offset(&self) -> u64;

    /// Reads what is present from the start, to hash and unpack it again after a resume.
    ///
    /// # Errors
    /// The partial file cannot be read.
    fn replay(&mut self) -> io::Result<Box<dyn Read + Send + '_>>;

    /// Appends.
    ///
    /// # Errors
    /// The disk is full, or the like.
    fn append(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Throws away everything written: it was wrong.
    ///
    /// # Errors
    /// The partial file cannot be truncated.
    fn reset(&mut self) -> io::Result<()>;

    /// Whether the writer hashes what it writes, so that nobody else has to.
    fn verifies(&self) -> bool {
        false
    }

    /// Publishes the blob. Its size is right; its digest too, unless the writer [`verifies`](Self::verifies).
    ///
    /// # Errors
    /// [`io::ErrorKind::InvalidData`] from a writer that verifies: the bytes are wrong, and thrown away. Others:
    /// the file cannot be moved into place.
    fn commit(self: Box<Self>) -> io::Result<()>;
}

/// What tags meant when last asked, across processes.
pub trait TagStore: Send + Sync + fmt::Debug {
    /// Digest a reference (in normal form) had, and how long ago that was learnt.
    fn get(&self, reference: &str) -> Option<(Digest, Duration)>;

    /// Remembers a digest. Failing to is not worth stopping for.
    fn put(&self, reference: &str, digest: &Digest);
}

/// Tags in a directory, one small file each; its age is the age of the knowledge.
#[derive(Debug, Clone)]
pub struct FileTags {
    dir: PathBuf,
}

impl FileTags {
    /// Uses a directory, which is made when the first tag is kept.
    #[must_use]
    pub fn new(dir: PathBuf) -> Self {
        Self { dir }
    }

    fn path(&self, reference: &str) -> PathBuf {
        self.dir.join(sha256(reference.as_bytes()).digest())
    }

    fn write(&self, reference: &str, digest: &Digest) -> io::Result<()> {
        fs::create_dir_all(&self.dir)?;
        let path = self.path(reference);
        let draft = path.with_extension(format!("{}.tmp", std::process::id()));
        let mut file = fs::File::create(&draft)?;
        writeln!(file, "{digest} {reference}")?;
        fs::rename(&draft, &path)
    }
}

impl TagStore for FileTags {
    fn get(&self, reference: &str) -> Option<(Digest, Duration)> {
        let path = self.path(reference);
        let text = fs::read_to_string(&path).ok()?;
        let (digest, name) = text.trim_end().split_once(' ')?;
        let modified = fs::metadata(&path).ok()?.modified().ok()?;
        // A clock that was set back makes knowledge old, not eternal.
        let age = modified.elapsed().unwrap_or(Duration::MAX);
        (name == reference)
            .then(|| digest.parse().ok())?
            .map(|digest| (digest, age))
    }

    fn put(&self, reference: &str, digest: &Digest) {
        if self.write(reference, digest).is_err() {
            // The tag is asked for again next time, no more.
        }
    }
}

/// Reads a small blob whole.
pub(crate) fn read(store: &Arc<dyn BlobStore>, digest: &Digest) -> io::Result<Option<Vec<u8>>> {
    let Some(mut file) = store.open(digest)? else {
        return Ok(None);
    };
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Writes a small, verified blob whole.
pub(crate) fn write(store: &Arc<dyn BlobStore>, digest: &Digest, bytes: &[u8]) -> io::Result<()> {
    if store.has(digest) {
        return Ok(());
    }
    let Some(mut writer) = store.writer(digest, bytes.len() as u64)? else {
        return Ok(());
    };
    if writer.offset() != 0 {
        writer.reset()?;
    }
    writer.append(bytes)?;
    writer.commit()
}
