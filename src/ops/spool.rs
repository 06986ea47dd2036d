//! Collects a command's output: short texts in memory, long ones and what is no text in a blob.

use crate::{
    error::{Error, Kind, Result},
    graph::Output,
};
use nsci_snapshotter::{Store, content::BlobWriter};
use std::{io::Write, sync::Arc};

/// Output up to this size travels inside records and answers.
const INLINE: usize = 64 * 1024;
/// How much of an output an error shows: its end.
const TAIL: usize = 100 * 1024;

/// One output stream of a command.
pub(super) struct Spool {
    store: Arc<Store>,
    head: Vec<u8>,
    blob: Option<BlobWriter>,
    tail: Vec<u8>,
}

impl Spool {
    pub(super) fn new(store: Arc<Store>) -> Self {
        Self {
            store,
            head: Vec::new(),
            blob: None,
            tail: Vec::new(),
        }
    }

    /// Appends.
    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        if self.blob.is_none() && self.head.len() + bytes.len() <= INLINE {
            self.head.extend_from_slice(bytes);
            return Ok(());
        }
        if self.blob.is_none() {
            let mut blob = self.store.content().writer(None).map_err(output_error)?;
            blob.write_all(&self.head).map_err(io_error)?;
            let head = std::mem::take(&mut self.head);
            self.keep_tail(&head);
            self.blob = Some(blob);
        }
        let blob = self.blob.as_mut().expect("it was made above");
        blob.write_all(bytes).map_err(io_error)?;
        self.keep_tail(bytes);
        Ok(())
    }

    fn keep_tail(&mut self, bytes: &[u8]) {
        self.tail.extend_from_slice(bytes);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
    }

    /// The end of what was written, as text.
    pub(super) fn tail(&self) -> String {
        let all = if self.blob.is_some() {
            &self.tail
        } else {
            &self.head
        };
        let from = all.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&all[from..])
            .trim_end_matches('\n')
            .to_owned()
    }

    /// Freezes what was written.
    pub(super) fn finish(self) -> Result<Output> {
        match self.blob {
            None => match String::from_utf8(self.head) {
                Ok(text) => Ok(Output::Inline(text)),
                // Only a blob keeps bytes that are no text as they are.
                Err(bytes) => {
                    let blob = self.store.content().put_bytes(bytes.as_bytes());
                    let blob = blob.map_err(output_error)?;
                    Ok(Output::Blob(blob.digest().to_string()))
                }
            },
            Some(blob) => {
                let blob = blob.commit().map_err(output_error)?;
                Ok(Output::Blob(blob.digest().to_string()))
            }
        }
    }
}

fn output_error(error: nsci_snapshotter::Error) -> Error {
    Error::caused(Kind::Host, "cannot keep the command's output", error)
}

fn io_error(error: std::io::Error) -> Error {
    Error::caused(Kind::Host, "cannot keep the command's output", error)
}
