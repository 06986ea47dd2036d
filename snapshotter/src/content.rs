//! Blobs: files named by the digest of what they hold.
//!
//! A blob appears under its name only after its bytes were verified. Downloads whose digest is known beforehand can be
//! interrupted, also by death, and resumed by any process. Nothing here decompresses or interprets.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write};
use std::os::unix::fs::FileExt as _;
use std::path::{Path, PathBuf};

use oci_spec::image::{Descriptor, DigestAlgorithm};
use rustix::fs::FlockOperation;
use sha2::Digest as _;

use crate::error::{Error, Result};
use crate::layout::{Digest, Store};
use crate::lock::{open_private, still_names, try_flock};
use crate::record::{rename_into, touch};

/// What is known of a blob before its bytes come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Expected {
    /// Its name.
    pub digest: Digest,
    /// Its length in bytes, if announced.
    pub size: Option<u64>,
}

impl From<&Descriptor> for Expected {
    fn from(descriptor: &Descriptor) -> Self {
        Self {
            digest: descriptor.digest().clone(),
            size: Some(descriptor.size()),
        }
    }
}

impl From<Digest> for Expected {
    fn from(digest: Digest) -> Self {
        Self { digest, size: None }
    }
}

/// The blobs of a store.
#[derive(Debug, Clone, Copy)]
pub struct ContentStore<'a> {
    store: &'a Store,
}

impl Store {
    /// The blobs.
    #[must_use]
    pub fn content(&self) -> ContentStore<'_> {
        ContentStore { store: self }
    }
}

impl ContentStore<'_> {
    /// Whether a blob is there. It may be collected right after unless a lease holds it.
    #[must_use]
    pub fn has(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Where a blob is, if it is.
    #[must_use]
    pub fn path(&self, digest: &Digest) -> PathBuf {
        self.store.layout().blob(digest)
    }

    /// Opens a blob for reading and notes the use; nothing if it is not there.
    ///
    /// # Errors
    /// [`Error::Io`] if it is there and cannot be opened.
    pub fn open(&self, digest: &Digest) -> Result<Option<File>> {
        let path = self.path(digest);
        let failed = |error| Error::io("open", &path, error);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed(error)),
        };
        let last_use = file
            .metadata()
            .and_then(|meta| meta.modified())
            .map_err(failed)?;
        touch(&path, last_use);
        Ok(Some(file))
    }

    /// Reads a whole blob; nothing if it is not there. For manifests and configurations, not layers.
    ///
    /// # Errors
    /// [`Error::Io`] if it cannot be read, [`Error::DigestMismatch`] if the disk has spoilt it; it is then removed.
    pub fn read(&self, digest: &Digest) -> Result<Option<Vec<u8>>> {
        let Some(mut file) = self.open(digest)? else {
            return Ok(None);
        };
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes)
            .map_err(|error| Error::io("read", self.path(digest), error))?;
        let mut hasher = Hasher::new(digest.algorithm())?;
        hasher.update(&bytes);
        let found = hasher.finish();
        if found == *digest {
            return Ok(Some(bytes));
        }
        fs::remove_file(self.path(digest)).ok();
        Err(mismatch(digest, &found))
    }

    /// Starts writing a blob, where an earlier attempt stopped if there was one: see [`BlobWriter::offset`].
    ///
    /// Without `expected` the blob is named by its sha256 and an interrupted attempt is lost. While another writer is at
    /// the same digest, this one starts from nothing; take a [`KeyLock`](crate::lock::KeyLock) first to avoid that.
    ///
    /// # Errors
    /// [`Error::UnsupportedDigest`] for algorithms other than sha256 and sha512, [`Error::Io`] if files cannot be made.
    pub fn writer(&self, expected: Option<&Expected>) -> Result<BlobWriter> {
        let Some(expected) = expected else {
            let hasher = Hasher::new(&DigestAlgorithm::Sha256)?;
            return BlobWriter::fresh(self.store, None, hasher);
        };
        let hasher = Hasher::new(expected.digest.algorithm())?;
        match BlobWriter::resume(self.store, expected, hasher.clone())? {
            Some(writer) => Ok(writer),
            None => BlobWriter::fresh(self.store, Some(expected.clone()), hasher),
        }
    }

    /// Stores `bytes`, named by their sha256.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be written.
    pub fn put_bytes(&self, bytes: &[u8]) -> Result<Descriptor> {
        let mut hasher = Hasher::new(&DigestAlgorithm::Sha256)?;
        hasher.update(bytes);
        let digest = hasher.finish();
        let path = self.path(&digest);
        if fs::metadata(&path).is_ok_and(|meta| meta.len() == bytes.len() as u64) {
            // Seen as new by a collection that has not read our lease yet.
            touch(&path, std::time::UNIX_EPOCH);
        } else {
            crate::record::publish_bytes(self.store, &path, bytes)?;
        }
        Ok(descriptor(digest, bytes.len() as u64))
    }

    /// Forgets a blob.
    ///
    /// # Errors
    /// [`Error::Io`] if it is there and cannot be removed.
    pub fn remove(&self, digest: &Digest) -> Result<()> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(Error::io("remove", &path, error))
            }
            _ => Ok(()),
        }
    }
}

fn mismatch(expected: &Digest, actual: &Digest) -> Error {
    Error::DigestMismatch {
        what: "blob".to_owned(),
        expected: expected.to_string(),
        actual: actual.to_string(),
    }
}

fn descriptor(digest: Digest, size: u64) -> Descriptor {
    Descriptor::new(
        oci_spec::image::MediaType::Other("application/octet-stream".to_owned()),
        size,
        digest,
    )
}

/// Writes one blob. [`commit`](Self::commit) verifies and names it; dropped, it stays to be resumed if its digest is known.
#[must_use = "a blob exists only once it is committed"]
pub struct BlobWriter {
    store: Store,
    path: PathBuf,
    file: File,
    hasher: Hasher,
    offset: u64,
    expected: Option<Expected>,
    keep: bool,
}

impl fmt::Debug for BlobWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobWriter")
            .field("path", &self.path)
            .field("offset", &self.offset)
            .field("expected", &self.expected)
            .finish_non_exhaustive()
    }
}

impl BlobWriter {
    fn fresh(store: &Store, expected: Option<Expected>, hasher: Hasher) -> Result<Self> {
        let path = store.tmp_path()?;
        let file = File::create_new(&path).map_err(|error| Error::io("create", &path, error))?;
        Ok(Self {
            store: store.clone(),
            path,
            file,
            hasher,
            offset: 0,
            expected,
            keep: false,
        })
    }

    /// Continues what an earlier writer left; nothing if another one is at it.
    fn resume(store: &Store, expected: &Expected, mut hasher: Hasher) -> Result<Option<Self>> {
        let name = expected.digest.to_string().replace(':', "-");
        let path = store.layout().partial().join(name);
        let (mut file, length) = loop {
            let file = open_private(&path)?;
            if !try_flock(&file, &path, FlockOperation::NonBlockingLockExclusive)? {
                return Ok(None);
            }
            // The last writer may have committed, that is renamed, the file between open and lock.
            if still_names(&path, &file)? {
                let meta = file
                    .metadata()
                    .map_err(|error| Error::io("stat", &path, error))?;
                break (file, meta.len());
            }
        };
        let mut offset = 0;
        if expected.size.is_none_or(|size| length <= size) {
            offset = hash_file(&mut file, &mut hasher)
                .map_err(|error| Error::io("read", &path, error))?;
        } else {
            file.set_len(0)
                .map_err(|error| Error::io("truncate", &path, error))?;
        }
        let expected = Some(expected.clone());
        Ok(Some(Self {
            store: store.clone(),
            path,
            file,
            hasher,
            offset,
            expected,
            keep: true,
        }))
    }

    /// Bytes that are already there; the next byte written is this one.
    #[must_use]
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// Throws away what is there, to start over when the sender cannot resume.
    ///
    /// # Errors
    /// [`Error::Io`] if the file cannot be cut.
    pub fn restart(&mut self) -> Result<()> {
        self.file
            .set_len(0)
            .and_then(|()| self.file.seek(SeekFrom::Start(0)).map(drop))
            .map_err(|error| Error::io("truncate", &self.path, error))?;
        self.hasher = self.hasher.restarted();
        self.offset = 0;
        Ok(())
    }

    /// Reads back bytes already there, from `at`: for unpacking a resumed download from its start.
    ///
    /// # Errors
    /// [`Error::Io`] if they cannot be read.
    pub fn read_at(&self, buffer: &mut [u8], at: u64) -> Result<usize> {
        self.file
            .read_at(buffer, at)
            .map_err(|error| Error::io("read", &self.path, error))
    }

    /// Verifies length and digest and gives the blob its name.
    ///
    /// # Errors
    /// [`Error::SizeMismatch`] if bytes are missing (what is there stays to be resumed) or too many;
    /// [`Error::DigestMismatch`] if they are the wrong ones, which discards them all.
    pub fn commit(mut self) -> Result<Descriptor> {
        let found = self.hasher.clone().finish();
        if let Some(expected) = &self.expected {
            let size = expected.size.unwrap_or(self.offset);
            if self.offset != size {
                self.keep &= self.offset < size;
                return Err(Error::SizeMismatch {
                    digest: expected.digest.to_string(),
                    expected: size,
                    found: self.offset,
                });
            }
            if found != expected.digest {
                self.keep = false;
                return Err(mismatch(&expected.digest, &found));
            }
        }
        rename_into(&self.path, &self.store.layout().blob(&found))?;
        // The name is gone; keeps the drop from removing what somebody else may have put there since.
        self.keep = true;
        Ok(descriptor(found, self.offset))
    }

    /// Gives up for good: nothing stays to be resumed.
    pub fn discard(mut self) {
        self.keep = false;
    }
}

impl Write for BlobWriter {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        self.hasher.update(&buffer[..written]);
        self.offset += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for BlobWriter {
    fn drop(&mut self) {
        if !self.keep || (self.offset == 0 && still_names(&self.path, &self.file).unwrap_or(false))
        {
            fs::remove_file(&self.path).ok();
        }
    }
}

fn hash_file(file: &mut File, hasher: &mut Hasher) -> io::Result<u64> {
    let mut buffer = vec![0; 256 * 1024];
    let mut total = 0;
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(total),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                total += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Verifies a blob on disk against its name.
///
/// # Errors
/// [`Error::Io`] if it cannot be read, [`Error::DigestMismatch`] if it is spoilt.
pub fn verify(path: &Path, digest: &Digest) -> Result<()> {
    let mut hasher = Hasher::new(digest.algorithm())?;
    File::open(path)
        .and_then(|mut file| hash_file(&mut file, &mut hasher))
        .map_err(|error| Error::io("read", path, error))?;
    let found = hasher.finish();
    if found == *digest {
        return Ok(());
    }
    Err(mismatch(digest, &found))
}

#[derive(Clone)]
enum Hasher {
    Sha256(sha2::Sha256),
    Sha512(sha2::Sha512),
}

impl Hasher {
    fn new(algorithm: &DigestAlgorithm) -> Result<Self> {
        match algorithm {
            DigestAlgorithm::Sha256 => Ok(Self::Sha256(sha2::Sha256::new())),
            DigestAlgorithm::Sha512 => Ok(Self::Sha512(sha2::Sha512::new())),
            other => Err(Error::UnsupportedDigest {
                algorithm: other.to_string(),
            }),
        }
    }

    fn restarted(&self) -> Self {
        match self {
            Self::Sha256(_) => Self::Sha256(sha2::Sha256::new()),
            Self::Sha512(_) => Self::Sha512(sha2::Sha512::new()),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Sha256(hasher) => hasher.update(bytes),
            Self::Sha512(hasher) => hasher.update(bytes),
        }
    }

    fn finish(self) -> Digest {
        let text = match self {
            Self::Sha256(hasher) => format!("sha256:{}", hex::encode(hasher.finalize())),
            Self::Sha512(hasher) => format!("sha512:{}", hex::encode(hasher.finalize())),
        };
        text.parse().expect("an algorithm and a hash make a digest")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open() -> (tempfile::TempDir, Store) {
        let base = tempfile::tempdir().unwrap();
        let store = Store::open(base.path(), "t").unwrap();
        (base, store)
    }

    fn digest_of(bytes: &[u8]) -> Digest {
        let mut hasher = Hasher::new(&DigestAlgorithm::Sha256).unwrap();
        hasher.update(bytes);
        hasher.finish()
    }

    fn expect(bytes: &[u8]) -> Expected {
        Expected {
            digest: digest_of(bytes),
            size: Some(bytes.len() as u64),
        }
    }

    fn files_in(directory: &Path) -> usize {
        fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn bytes_come_back_under_their_digest() {
        let (_base, store) = open();
        let written = store.content().put_bytes(b"hello").unwrap();
        assert_eq!(
            written.digest().to_string(),
            "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
        );
        assert_eq!(
            store.content().read(written.digest()).unwrap().unwrap(),
            b"hello"
        );
        store.content().put_bytes(b"hello").unwrap();
        store.content().remove(written.digest()).unwrap();
        assert!(!store.content().has(written.digest()));
        assert!(store.content().read(written.digest()).unwrap().is_none());
    }

    #[test]
    fn interrupted_blob_is_resumed() {
        let (_base, store) = open();
        let expected = expect(b"hello world");
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b"hello ").unwrap();
        drop(writer);

        let mut writer = store.content().writer(Some(&expected)).unwrap();
        assert_eq!(writer.offset(), 6);
        let mut start = [0; 6];
        assert_eq!(writer.read_at(&mut start, 0).unwrap(), 6);
        assert_eq!(&start, b"hello ");
        writer.write_all(b"world").unwrap();
        writer.commit().unwrap();
        assert!(store.content().has(&expected.digest));
        assert_eq!(files_in(&store.layout().partial()), 0);
    }

    #[test]
    fn resumed_blob_can_be_started_over() {
        let (_base, store) = open();
        let expected = expect(b"hello world");
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b"hello ").unwrap();
        drop(writer);
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.restart().unwrap();
        writer.write_all(b"hello world").unwrap();
        writer.commit().unwrap();
        assert_eq!(
            store.content().read(&expected.digest).unwrap().unwrap(),
            b"hello world"
        );
    }

    #[test]
    fn short_blob_stays_to_be_resumed_and_wrong_blob_does_not() {
        let (_base, store) = open();
        let expected = expect(b"hello world");
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b"hello").unwrap();
        assert!(matches!(
            writer.commit(),
            Err(Error::SizeMismatch {
                expected: 11,
                found: 5,
                ..
            })
        ));
        assert_eq!(files_in(&store.layout().partial()), 1);

        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b" w0rld").unwrap();
        let error = writer.commit().unwrap_err();
        let message = error.to_string();
        assert!(message.contains(&expected.digest.to_string()), "{message}");
        assert!(
            message.contains(&digest_of(b"hello w0rld").to_string()),
            "{message}"
        );
        assert_eq!(files_in(&store.layout().partial()), 0);
        assert!(!store.content().has(&expected.digest));
    }

    #[test]
    fn too_long_blob_is_refused_and_discarded() {
        let (_base, store) = open();
        let expected = expect(b"hello");
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b"hello world").unwrap();
        assert!(matches!(writer.commit(), Err(Error::SizeMismatch { .. })));
        assert_eq!(files_in(&store.layout().partial()), 0);
    }

    #[test]
    fn partial_longer_than_the_blob_is_thrown_away() {
        let (_base, store) = open();
        let expected = expect(b"hello");
        let name = expected.digest.to_string().replace(':', "-");
        fs::write(
            store.layout().partial().join(name),
            "far more than five bytes",
        )
        .unwrap();
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        assert_eq!(writer.offset(), 0);
        writer.write_all(b"hello").unwrap();
        writer.commit().unwrap();
    }

    #[test]
    fn two_writers_of_one_digest_do_not_mix() {
        let (_base, store) = open();
        let expected = expect(b"hello world");
        let mut first = store.content().writer(Some(&expected)).unwrap();
        first.write_all(b"hello ").unwrap();
        let mut second = store.content().writer(Some(&expected)).unwrap();
        assert_eq!(second.offset(), 0);
        second.write_all(b"hello world").unwrap();
        first.write_all(b"world").unwrap();
        first.commit().unwrap();
        second.commit().unwrap();
        assert_eq!(
            store.content().read(&expected.digest).unwrap().unwrap(),
            b"hello world"
        );
    }

    #[test]
    fn writer_without_expectation_names_by_sha256_and_leaves_nothing_when_dropped() {
        let (_base, store) = open();
        let mut writer = store.content().writer(None).unwrap();
        writer.write_all(b"hello").unwrap();
        drop(writer);
        assert_eq!(files_in(store.tmp().unwrap()), 0);
        let mut writer = store.content().writer(None).unwrap();
        writer.write_all(b"hello").unwrap();
        let written = writer.commit().unwrap();
        assert_eq!(*written.digest(), digest_of(b"hello"));
        assert_eq!(written.size(), 5);
    }

    #[test]
    fn spoilt_blob_is_noticed() {
        let (_base, store) = open();
        let written = store.content().put_bytes(b"hello").unwrap();
        let path = store.content().path(written.digest());
        fs::write(&path, "hellO").unwrap();
        assert!(matches!(
            verify(&path, written.digest()),
            Err(Error::DigestMismatch { .. })
        ));
        assert!(matches!(
            store.content().read(written.digest()),
            Err(Error::DigestMismatch { .. })
        ));
        assert!(!path.exists());
    }

    #[test]
    fn sha512_is_verified_and_unknown_algorithms_are_refused() {
        let (_base, store) = open();
        let mut hasher = Hasher::new(&DigestAlgorithm::Sha512).unwrap();
        hasher.update(b"hello");
        let expected = Expected::from(hasher.finish());
        let mut writer = store.content().writer(Some(&expected)).unwrap();
        writer.write_all(b"hello").unwrap();
        writer.commit().unwrap();
        assert!(store.content().has(&expected.digest));

        let odd: Digest = format!("crc32:{}", "a".repeat(8)).parse().unwrap();
        assert!(matches!(
            store.content().writer(Some(&odd.into())),
            Err(Error::UnsupportedDigest { .. })
        ));
    }
}
