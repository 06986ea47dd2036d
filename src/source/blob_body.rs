//! Blobs as streams of bytes, wherever they come from.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::pin::Pin;
use std::sync::Arc;

use oci_spec::image::Descriptor;
use reqwest::Response;
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::http::root_cause;
use super::pull::BoxFuture;
use super::{Error, Reference, RegistryClient};

/// Where layers of a resolved image come from.
pub trait BlobSource: Send + Sync {
    /// Opens a blob from byte `offset` on; may be called again after a failure.
    fn open<'a>(
        &'a self,
        blob: &'a Descriptor,
        offset: u64,
    ) -> BoxFuture<'a, Result<BlobBody, Error>>;
}

/// Blobs of one repository.
#[derive(Debug, Clone)]
pub struct RegistryBlobs {
    /// Client with the right credentials.
    pub client: RegistryClient,
    /// Any reference into the repository.
    pub reference: Reference,
}

impl BlobSource for RegistryBlobs {
    fn open<'a>(
        &'a self,
        blob: &'a Descriptor,
        offset: u64,
    ) -> BoxFuture<'a, Result<BlobBody, Error>> {
        Box::pin(
            self.client
                .open_blob(&self.reference, blob.digest(), offset),
        )
    }
}

/// Bytes of a blob as they arrive.
pub struct BlobBody {
    inner: Body,
    /// Bytes the server sends although they were not asked for.
    skip: u64,
    held: Box<dyn AsRef<[u8]> + Send>,
}

enum Body {
    Http(Response),
    Reader(Pin<Box<dyn AsyncRead + Send>>, Vec<u8>),
    Part {
        file: Arc<File>,
        at: u64,
        left: u64,
        buffer: Vec<u8>,
    },
}

impl std::fmt::Debug for BlobBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BlobBody")
            .field("skip", &self.skip)
            .finish_non_exhaustive()
    }
}

impl BlobBody {
    const BUFFER: usize = 256 << 10;

    /// The body of an answer; the first `skip` bytes are dropped.
    pub(super) fn answer(response: Response, skip: u64) -> Self {
        Self {
            inner: Body::Http(response),
            skip,
            held: Box::new([]),
        }
    }

    /// A body read from a pipe or the like; the first `skip` bytes are dropped.
    pub(crate) fn reader(reader: impl AsyncRead + Send + 'static, skip: u64) -> Self {
        let inner = Body::Reader(Box::pin(reader), vec![0; Self::BUFFER]);
        Self {
            inner,
            skip,
            held: Box::new([]),
        }
    }

    /// A body that is a part of a file.
    pub(crate) fn part(file: Arc<File>, at: u64, left: u64) -> Self {
        let buffer = Vec::new();
        let inner = Body::Part {
            file,
            at,
            left,
            buffer,
        };
        Self {
            inner,
            skip: 0,
            held: Box::new([]),
        }
    }

    /// Next bytes; `None` at the end.
    ///
    /// # Errors
    /// The connection broke; what came before is good.
    pub async fn next(&mut self) -> io::Result<Option<&[u8]>> {
        loop {
            let length = self.fill().await?;
            if length == 0 {
                return Ok(None);
            }
            let dropped = usize::try_from(self.skip).unwrap_or(usize::MAX).min(length);
            self.skip -= dropped as u64;
            if dropped < length {
                return Ok(Some(&self.current()[dropped..length]));
            }
        }
    }

    async fn fill(&mut self) -> io::Result<usize> {
        match &mut self.inner {
            Body::Http(response) => loop {
                let chunk = response
                    .chunk()
                    .await
                    .map_err(|e| io::Error::other(root_cause(&e)))?;
                match chunk {
                    Some(chunk) if chunk.is_empty() => {}
                    Some(chunk) => {
                        let length = chunk.len();
                        self.held = Box::new(chunk);
                        return Ok(length);
                    }
                    None => return Ok(0),
                }
            },
            Body::Reader(reader, buffer) => reader.read(buffer).await,
            Body::Part {
                file,
                at,
                left,
                buffer,
            } => {
                let want = usize::try_from(*left)
                    .unwrap_or(usize::MAX)
                    .min(Self::BUFFER);
                let (from, start, mut piece) = (Arc::clone(file), *at, std::mem::take(buffer));
                let read = tokio::task::spawn_blocking(move || {
                    piece.resize(want, 0);
                    from.read_exact_at(&mut piece, start).map(|()| piece)
                });
                *buffer = read.await.map_err(io::Error::other)??;
                (*at, *left) = (*at + want as u64, *left - want as u64);
                Ok(want)
            }
        }
    }

    fn current(&self) -> &[u8] {
        match &self.inner {
            Body::Http(_) => (*self.held).as_ref(),
            Body::Reader(_, buffer) | Body::Part { buffer, .. } => buffer,
        }
    }
}
