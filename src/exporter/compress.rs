//! Packing of layers: the archive in, its digest and a compressed blob with its digest out.
//!
//! The archive is cut into pieces of a fixed size, each compressed on its own; the results, which are complete gzip members
//! or zstd frames, follow each other. So several cores work on one layer, and the bytes are the same however many.

use std::collections::VecDeque;
use std::io::{self, Read, Write};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};
use std::thread;

use oci_spec::image::Digest;
use sha2::{Digest as _, Sha256};

use super::Compression;

/// Pieces are large enough that their boundaries cost under two per cent, small enough to keep cores busy.
const GZIP_PIECE: usize = 1 << 20;
const ZSTD_PIECE: usize = 4 << 20;
const GZIP_LEVEL: u32 = 6;
const ZSTD_LEVEL: i32 = 3;
/// What a gzip header says of the system it was written on: unknown.
const GZIP_OS: u8 = 255;
const MAX_THREADS: usize = 8;

/// What was packed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Packed {
    /// Digest of the archive.
    pub diff_id: Digest,
    /// Bytes of the archive.
    pub archive: u64,
    /// Bytes of the blob.
    pub size: u64,
}

/// Compresses an archive. The writer is given the blob in order.
///
/// # Errors
/// Those of the reader and the writer.
pub fn compress(
    archive: impl Read,
    out: &mut impl Write,
    compression: Compression,
) -> io::Result<Packed> {
    let mut archive = Hashing::new(archive);
    let size = match compression {
        Compression::None => io::copy(&mut archive, out)?,
        Compression::Gzip => pieces(&mut archive, out, GZIP_PIECE, gzip)?,
        Compression::Zstd => pieces(&mut archive, out, ZSTD_PIECE, |piece| {
            zstd::bulk::compress(piece, ZSTD_LEVEL)
        })?,
    };
    let (hash, length) = archive.finish();
    Ok(Packed {
        diff_id: hash,
        archive: length,
        size,
    })
}

/// Undoes a compression of whatever origin: several members or frames are read as one.
///
/// # Errors
/// If the decoder cannot be made.
pub fn decompress<'a>(
    blob: impl Read + 'a,
    compression: Compression,
) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match compression {
        Compression::None => Box::new(blob),
        Compression::Gzip => Box::new(flate2::read::MultiGzDecoder::new(blob)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::new(blob)?),
    })
}

fn gzip(piece: &[u8]) -> io::Result<Vec<u8>> {
    let builder = flate2::GzBuilder::new().mtime(0).operating_system(GZIP_OS);
    let level = flate2::Compression::new(GZIP_LEVEL);
    let mut encoder = builder.write(Vec::with_capacity(piece.len() / 2), level);
    encoder.write_all(piece)?;
    encoder.finish()
}

struct Job {
    piece: Vec<u8>,
    answer: SyncSender<io::Result<Vec<u8>>>,
}

/// Compresses piece by piece on several threads and writes the results in order.
fn pieces(
    archive: &mut impl Read,
    out: &mut impl Write,
    size: usize,
    compress: impl Fn(&[u8]) -> io::Result<Vec<u8>> + Sync,
) -> io::Result<u64> {
    let threads = thread::available_parallelism().map_or(1, |count| count.get().min(MAX_THREADS));
    let (jobs, queue) = mpsc::sync_channel::<Job>(threads);
    let queue = Mutex::new(queue);
    thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&queue, &compress));
        }
        // Dropped at the end of this closure, which ends the threads.
        let jobs = jobs;
        let mut pending: VecDeque<Receiver<io::Result<Vec<u8>>>> = VecDeque::new();
        let mut written = 0;
        let mut more = true;
        let mut any = false;
        while more || !pending.is_empty() {
            if more {
                let mut piece = Vec::with_capacity(size);
                archive.take(size as u64).read_to_end(&mut piece)?;
                more = piece.len() == size;
                if !piece.is_empty() || !any {
                    any = true;
                    let (answer, result) = mpsc::sync_channel(1);
                    if jobs.send(Job { piece, answer }).is_err() {
                        return Err(gone());
                    }
                    pending.push_back(result);
                }
            }
            if pending.len() > 2 * threads || !more {
                let Some(result) = pending.pop_front() else {
                    continue;
                };
                let bytes = result.recv().map_err(|_| gone())??;
                written += bytes.len() as u64;
                out.write_all(&bytes)?;
            }
        }
        Ok(written)
    })
}

fn work(queue: &Mutex<Receiver<Job>>, compress: &impl Fn(&[u8]) -> io::Result<Vec<u8>>) {
    loop {
        let job = queue.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok(job) = job else {
            return;
        };
        // Nobody listens once something else has failed.
        drop(job.answer.send(compress(&job.piece)));
    }
}

fn gone() -> io::Error {
    io::Error::other("a thread that compresses has ended")
}

/// Hashes what passes through.
struct Hashing<R> {
    inner: R,
    hasher: Sha256,
    length: u64,
}

impl<R: Read> Hashing<R> {
    fn new(inner: R) -> Self {
        Self {
            inner,
            hasher: Sha256::new(),
            length: 0,
        }
    }

    fn finish(self) -> (Digest, u64) {
        let text = format!("sha256:{}", hex::encode(self.hasher.finalize()));
        let digest = text.parse().expect("a hash in hexadecimal is a digest");
        (digest, self.length)
    }
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.hasher.update(&buffer[..count]);
        self.length += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes that compress, but not to nothing.
    fn sample(length: usize) -> Vec<u8> {
        let mut state = 1_u32;
        let mut next = || {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            b'a' + (state >> 28) as u8
        };
        (0..length).map(|_| next()).collect()
    }

    fn sha(bytes: &[u8]) -> String {
        hex::encode(Sha256::digest(bytes))
    }

    #[test]
    fn what_was_packed_is_unpacked() {
        for compression in [Compression::None, Compression::Gzip, Compression::Zstd] {
            for length in [0, 1, GZIP_PIECE, GZIP_PIECE + 1, 5 * ZSTD_PIECE / 2] {
                let archive = sample(length);
                let mut blob = Vec::new();
                let packed = compress(archive.as_slice(), &mut blob, compression).unwrap();
                assert_eq!(packed.size, blob.len() as u64);
                assert_eq!(packed.archive, length as u64);
                assert_eq!(packed.diff_id.digest(), sha(&archive));
                let mut again = Vec::new();
                decompress(blob.as_slice(), compression)
                    .unwrap()
                    .read_to_end(&mut again)
                    .unwrap();
                assert!(again == archive, "{compression:?} {length}");
            }
        }
    }

    /// Published digests depend on this; an encoder that is updated must not change them unnoticed.
    #[test]
    fn encoders_are_the_ones_that_digests_were_made_with() {
        let archive = sample(3 << 20);
        for (compression, want) in [
            (
                Compression::Gzip,
                "ad0f90fbd6bc72d5b9043c8584a176a83295a2eb1b2109c16a80f9a4fc4153a6",
            ),
            (
                Compression::Zstd,
                "3422f4fde0b89200f4fe7e9160eae5303fd7dad29b1612520501dd14f13ab736",
            ),
        ] {
            let mut blob = Vec::new();
            compress(archive.as_slice(), &mut blob, compression).unwrap();
            assert_eq!(sha(&blob), want, "{compression:?}");
        }
    }

    #[test]
    fn failures_of_both_sides_are_told() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("no more"))
            }
        }
        impl Write for Broken {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::Error::other("full"))
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        let read = compress(Broken, &mut Vec::new(), Compression::Gzip).unwrap_err();
        assert_eq!(read.to_string(), "no more");
        let long = sample(40 * GZIP_PIECE);
        let write = compress(long.as_slice(), &mut Broken, Compression::Gzip).unwrap_err();
        assert_eq!(write.to_string(), "full");
    }
}
