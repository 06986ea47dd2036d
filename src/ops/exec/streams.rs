//! Output of a command: scrubbed of secrets, kept and shown as it comes.

use super::{
    super::{scrub::Scrubber, spool::Spool},
    Job,
};
use crate::{
    error::Result,
    event::{Event, Events, StepId, Stream},
    graph::ExecMeta,
};
use std::sync::Arc;

/// Both output streams of a command, scrubbed, kept and shown.
pub(super) struct Streams {
    pub(super) stdout: StreamEnd,
    pub(super) stderr: StreamEnd,
    pub(super) combined: Spool,
}

pub(super) struct StreamEnd {
    scrubber: Scrubber,
    pub(super) spool: Spool,
    events: Events,
    id: StepId,
    stream: Stream,
}

impl Streams {
    pub(super) fn new(job: &Job) -> Self {
        let end = |stream| StreamEnd {
            scrubber: Scrubber::new(job.secrets.all.iter().map(Vec::as_slice)),
            spool: Spool::new(Arc::clone(&job.store)),
            events: job.events.clone(),
            id: job.id,
            stream,
        };
        Self {
            stdout: end(Stream::Stdout),
            stderr: end(Stream::Stderr),
            combined: Spool::new(Arc::clone(&job.store)),
        }
    }

    pub(super) fn finish(&mut self) -> Result<()> {
        for end in [&mut self.stdout, &mut self.stderr] {
            let rest = end.scrubber.finish();
            end.show(&mut self.combined, &rest)?;
        }
        Ok(())
    }

    pub(super) fn into_meta(self, exit_code: i32) -> Result<ExecMeta> {
        Ok(ExecMeta {
            exit_code,
            stdout: self.stdout.spool.finish()?,
            stderr: self.stderr.spool.finish()?,
            combined: self.combined.finish()?,
        })
    }
}

impl StreamEnd {
    pub(super) fn write(&mut self, combined: &mut Spool, bytes: &[u8]) -> Result<()> {
        let clean = self.scrubber.push(bytes);
        self.show(combined, &clean)
    }

    fn show(&mut self, combined: &mut Spool, clean: &[u8]) -> Result<()> {
        if clean.is_empty() {
            return Ok(());
        }
        self.spool.write(clean)?;
        combined.write(clean)?;
        self.events.emit(Event::Log {
            id: self.id,
            stream: self.stream,
            bytes: clean.into(),
        });
        Ok(())
    }
}
