//! What a request carries: nothing, bytes, or a part of a file that is read while it is sent.

use std::fmt;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use reqwest::Body;

/// Bytes read and sent at once.
const PIECE: u64 = 1 << 20;

/// Body of a request. It can be sent any number of times.
#[derive(Debug, Clone, Default)]
pub enum Payload {
    /// Nothing.
    #[default]
    None,
    /// These bytes.
    Bytes(Vec<u8>),
    /// A part of a file.
    Part(FilePart),
}

/// Told of bytes as they are read to be sent.
pub type Sent = Arc<dyn Fn(u64) + Send + Sync>;

/// A part of a file.
#[derive(Clone)]
pub struct FilePart {
    /// The file.
    pub file: Arc<File>,
    /// Where the part begins.
    pub offset: u64,
    /// Bytes of the part.
    pub length: u64,
    /// Called with the number of bytes each time some are on their way.
    pub sent: Option<Sent>,
}

impl fmt::Debug for FilePart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FilePart")
            .field("offset", &self.offset)
            .field("length", &self.length)
            .finish_non_exhaustive()
    }
}

impl FilePart {
    /// The part as a stream from its start.
    pub(crate) fn body(&self) -> Body {
        let pieces =
            futures_util::stream::try_unfold((self.clone(), 0), |(part, done)| async move {
                if done == part.length {
                    return Ok::<_, io::Error>(None);
                }
                let want = (part.length - done).min(PIECE);
                let (file, at) = (Arc::clone(&part.file), part.offset + done);
                let read = tokio::task::spawn_blocking(move || {
                    let mut piece = vec![0; usize::try_from(want).unwrap_or(0)];
                    file.read_exact_at(&mut piece, at).map(|()| piece)
                });
                let piece = read.await.map_err(io::Error::other)??;
                if let Some(sent) = &part.sent {
                    sent(want);
                }
                Ok(Some((piece, (part, done + want))))
            });
        Body::wrap_stream(pieces)
    }
}
