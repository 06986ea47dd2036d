//! From a compressed stream to chunks of the archive, decoded and hashed on threads of their own.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::{self, JoinHandle};

use sha2::{Digest as _, Sha256};

use crate::error::{Context as _, Error, Result};
use crate::keeper::Compression;

/// Large enough that handing a chunk over costs nothing next to decoding it.
const CHUNK: usize = 512 << 10;
/// Chunks between the decoder and its slowest reader.
const QUEUE: usize = 12;
/// How much is read from the source at once.
const READ: usize = 256 << 10;

type Chunk = Arc<Vec<u8>>;

/// The uncompressed bytes, in order.
#[derive(Debug)]
pub(crate) struct Chunks {
    decoded: Receiver<io::Result<Chunk>>,
    recycle: Sender<Vec<u8>>,
    current: Chunk,
    at: usize,
    /// Bytes handed out before `current`.
    passed: u64,
    hasher: Option<JoinHandle<String>>,
}

impl Chunks {
    /// Starts decoding `source`; hashes what comes out if `hash` is set.
    pub(crate) fn start(source: OwnedFd, compression: Compression, hash: bool) -> Result<Self> {
        // A larger pipe saves wake-ups; a file or a limit of the system leave it as it is.
        rustix::pipe::fcntl_setpipe_size(&source, 1 << 20).ok();
        let (send, decoded) = sync_channel(QUEUE);
        let (recycle, spare) = channel();
        let (hasher, to_hash) = if hash {
            let (send, receive) = sync_channel::<Chunk>(QUEUE);
            let recycle = recycle.clone();
            let thread = thread::Builder::new()
                .name("hash".into())
                .spawn(move || hash_all(&receive, &recycle))
                .context("start", "hash thread")?;
            (Some(thread), Some(send))
        } else {
            (None, None)
        };
        thread::Builder::new()
            .name("decode".into())
            .spawn(move || {
                if let Err(error) = decode(source, compression, &send, to_hash.as_ref(), &spare) {
                    // A reader that has gone needs no error.
                    send.send(Err(error)).ok();
                }
            })
            .context("start", "decode thread")?;
        Ok(Self {
            decoded,
            recycle,
            current: Chunk::default(),
            at: 0,
            passed: 0,
            hasher,
        })
    }

    /// The bytes at hand, at least one; empty only at the end.
    pub(crate) fn fill(&mut self) -> Result<&[u8]> {
        while self.at == self.current.len() {
            self.passed += self.at as u64;
            self.at = 0;
            let done = std::mem::take(&mut self.current);
            give_back(done, &self.recycle);
            match self.decoded.recv() {
                Ok(Ok(chunk)) => self.current = chunk,
                Ok(Err(error)) => return Err(broken(&error)),
                Err(_) => break,
            }
        }
        Ok(&self.current[self.at..])
    }

    /// Takes bytes that [`fill`](Self::fill) has shown.
    pub(crate) fn consume(&mut self, count: usize) {
        self.at += count;
    }

    /// How many bytes were taken.
    pub(crate) fn position(&self) -> u64 {
        self.passed + self.at as u64
    }

    /// Fills the whole buffer; `false` if the end came before its first byte.
    pub(crate) fn read_exact(&mut self, buffer: &mut [u8]) -> Result<bool> {
        let mut filled = 0;
        while filled < buffer.len() {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return if filled == 0 { Ok(false) } else { Err(cut()) };
            }
            let count = chunk.len().min(buffer.len() - filled);
            buffer[filled..filled + count].copy_from_slice(&chunk[..count]);
            self.consume(count);
            filled += count;
        }
        Ok(true)
    }

    /// Passes over bytes.
    pub(crate) fn skip(&mut self, mut count: u64) -> Result<()> {
        while count > 0 {
            let chunk = self.fill()?;
            if chunk.is_empty() {
                return Err(cut());
            }
            let step = usize::try_from(count)
                .unwrap_or(usize::MAX)
                .min(chunk.len());
            self.consume(step);
            count -= step as u64;
        }
        Ok(())
    }

    /// Reads to the end, so that checksums are checked, and yields the hash if one was asked for.
    pub(crate) fn finish(mut self) -> Result<Option<String>> {
        loop {
            let left = self.fill()?.len();
            if left == 0 {
                break;
            }
            self.consume(left);
        }
        let hash = self
            .hasher
            .map(|thread| thread.join().expect("hashing does not panic"));
        Ok(hash)
    }
}

fn broken(error: &io::Error) -> Error {
    Error::InvalidLayer {
        reason: format!("cannot decompress: {error}"),
    }
}

pub(crate) fn cut() -> Error {
    Error::InvalidLayer {
        reason: "archive ends in the middle of an entry".into(),
    }
}

fn give_back(chunk: Chunk, recycle: &Sender<Vec<u8>>) {
    if let Ok(buffer) = Arc::try_unwrap(chunk)
        && buffer.capacity() > 0
    {
        // Without a decoder nobody needs buffers.
        recycle.send(buffer).ok();
    }
}

fn hash_all(chunks: &Receiver<Chunk>, recycle: &Sender<Vec<u8>>) -> String {
    let mut hasher = Sha256::new();
    for chunk in chunks {
        hasher.update(&chunk[..]);
        give_back(chunk, recycle);
    }
    format!("sha256:{}", hex::encode(hasher.finalize()))
}

fn decode(
    source: OwnedFd,
    compression: Compression,
    send: &SyncSender<io::Result<Chunk>>,
    hash: Option<&SyncSender<Chunk>>,
    spare: &Receiver<Vec<u8>>,
) -> io::Result<()> {
    let mut decoder = decoder(File::from(source), compression)?;
    loop {
        let mut buffer = spare.try_recv().unwrap_or_default();
        buffer.resize(CHUNK, 0);
        let mut filled = 0;
        while filled < CHUNK {
            match decoder.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if filled == 0 {
            return Ok(());
        }
        buffer.truncate(filled);
        let chunk = Arc::new(buffer);
        if let Some(hash) = hash
            && hash.send(Arc::clone(&chunk)).is_err()
        {
            return Ok(());
        }
        if send.send(Ok(chunk)).is_err() {
            return Ok(());
        }
    }
}

fn decoder(mut source: File, compression: Compression) -> io::Result<Box<dyn Read>> {
    let mut magic = [0; 4];
    let mut have = 0;
    while have < magic.len() {
        match source.read(&mut magic[have..]) {
            Ok(0) => break,
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let start = magic[..have].to_vec();
    // The bytes decide, not the media type: registries hold layers labelled wrongly.
    let found = match &start[..] {
        [0x1f, 0x8b, ..] => Compression::Gzip,
        [0x28, 0xb5, 0x2f, 0xfd] => Compression::Zstd,
        [0x50..=0x5f, 0x2a, 0x4d, 0x18] => Compression::Zstd,
        _ if compression == Compression::Auto => Compression::None,
        _ => compression,
    };
    let source = BufReader::with_capacity(READ, Cursor::new(start).chain(source));
    Ok(match found {
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(source)),
        Compression::Zstd => Box::new(zstd::stream::read::Decoder::with_buffer(source)?),
        Compression::None | Compression::Auto => Box::new(source),
    })
}
