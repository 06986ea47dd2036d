//! Runs a command that is meant to keep running: nothing of it is kept but the end of what it says.

use super::{Job, prepare::Prepared};
use crate::{
    error::Result,
    event::{Event, Events, StepId, Stream},
    ops::{
        sandbox::{Live, sandbox_error},
        scrub::Scrubber,
        service::Bound,
    },
    service::Ended,
};
use nsci_runtime::{Cancel, Finished, Stdio, StepEvent, StepSpec};
use std::{net::IpAddr, sync::Arc};

/// How much of each output an error shows: its end.
const TAIL: usize = 16 * 1024;

impl Job {
    /// The services it is bound to.
    pub(in crate::ops) fn services(&self) -> &Bound {
        &self.services
    }

    /// Runs the command to its end. `on_start` is told its address when it runs, and given a way in.
    pub(in crate::ops) fn serve(self, on_start: impl FnOnce(IpAddr, Inside)) -> Ended {
        let mut volumes = Vec::new();
        let ended = match self.prepare(&mut volumes) {
            Ok(prepared) => {
                let ended = self.attend(&prepared, on_start);
                prepared.discard(&self.live);
                ended
            }
            Err(error) => fault(error.full_message()),
        };
        drop(volumes);
        Ended {
            cmd: self.plan.args.clone(),
            ..ended
        }
    }

    fn attend(&self, prepared: &Prepared, on_start: impl FnOnce(IpAddr, Inside)) -> Ended {
        let mut on_start = Some(on_start);
        let mut stdout = Voice::new(self, Stream::Stdout);
        let mut stderr = Voice::new(self, Stream::Stderr);
        let mut doors = Vec::new();
        let mut refused = None;
        let ran = self
            .live
            .session
            .run(
                &prepared.spec,
                self.stdio(),
                &self.cancel,
                &mut |event| match event {
                    StepEvent::Stdout(bytes) => stdout.hear(bytes),
                    StepEvent::Stderr(bytes) => stderr.hear(bytes),
                    StepEvent::Started {
                        address: Some(address),
                        pid,
                    } => {
                        if let Some(tell) = on_start.take() {
                            tell(address, self.inside(prepared, pid));
                        }
                    }
                    StepEvent::Listener { socket, .. } => match self.open_door(socket) {
                        Ok(door) => doors.extend(door),
                        Err(error) => refused = Some(error),
                    },
                    _ => {}
                },
            );
        drop(doors);
        if let Some(error) = refused {
            return fault(error.full_message());
        }
        ending(ran, stdout.end(), stderr.end())
    }
}

/// A way to run further commands in a service.
#[derive(Clone)]
pub(in crate::ops) struct Inside {
    pub(super) live: Arc<Live>,
    pub(super) pid: i32,
    pub(super) spec: StepSpec,
    secrets: Arc<[Vec<u8>]>,
}

/// What a further command said, and how it ended.
pub(in crate::ops) struct Said {
    pub(in crate::ops) exit_code: i32,
    /// The end of both its outputs, as they came.
    pub(in crate::ops) text: String,
}

impl Job {
    fn inside(&self, prepared: &Prepared, pid: i32) -> Inside {
        Inside {
            live: Arc::clone(&self.live),
            pid,
            spec: prepared.spec.clone(),
            secrets: self.secrets.all.clone().into(),
        }
    }
}

impl Inside {
    /// Runs a command with the environment, the user and the directory of the service. Blocks.
    pub(in crate::ops) fn run(&self, args: &[String], cancel: &Cancel) -> Result<Said> {
        let spec = StepSpec {
            args: args.to_vec(),
            ..self.spec.clone()
        };
        let mut scrubber = Scrubber::new(self.secrets.iter().map(Vec::as_slice));
        let mut said = Vec::new();
        let ran = self
            .live
            .session
            .join(self.pid, &spec, Stdio::default(), cancel, &mut |event| {
                if let StepEvent::Stdout(bytes) | StepEvent::Stderr(bytes) = event {
                    said.extend(scrubber.push(bytes));
                    said.drain(..said.len().saturating_sub(TAIL));
                }
            });
        said.extend(scrubber.finish());
        let exit_code = match ran {
            Ok(finished) => finished.exit.shell_code(),
            Err(error) => match error.exit_code() {
                Some(code) => {
                    said.extend(error.to_string().into_bytes());
                    code
                }
                None => return Err(sandbox_error(error)),
            },
        };
        Ok(Said {
            exit_code,
            text: String::from_utf8_lossy(&said).trim_end().to_owned(),
        })
    }
}

fn fault(message: String) -> Ended {
    Ended {
        fault: Some(message),
        ..Ended::default()
    }
}

fn ending(ran: Result<Finished, nsci_runtime::Error>, stdout: String, mut stderr: String) -> Ended {
    let (exit_code, fault) = match ran {
        Ok(finished) => (Some(finished.exit.shell_code()), None),
        Err(nsci_runtime::Error::Cancelled) => (None, None),
        Err(error) => match error.exit_code() {
            Some(code) => {
                stderr.push_str(&error.to_string());
                (Some(code), None)
            }
            None => (None, Some(sandbox_error(error).full_message())),
        },
    };
    Ended {
        exit_code,
        fault,
        stdout,
        stderr,
        cmd: Vec::new(),
    }
}

/// One output of a command that keeps talking: scrubbed, shown, its end remembered.
struct Voice {
    scrubber: Scrubber,
    tail: Vec<u8>,
    events: Events,
    id: StepId,
    stream: Stream,
}

impl Voice {
    fn new(job: &Job, stream: Stream) -> Self {
        Self {
            scrubber: Scrubber::new(job.secrets.all.iter().map(Vec::as_slice)),
            tail: Vec::new(),
            events: job.events.clone(),
            id: job.id,
            stream,
        }
    }

    fn hear(&mut self, bytes: &[u8]) {
        let clean = self.scrubber.push(bytes);
        self.show(&clean);
    }

    fn show(&mut self, clean: &[u8]) {
        if clean.is_empty() {
            return;
        }
        self.tail.extend_from_slice(clean);
        if self.tail.len() > 2 * TAIL {
            self.tail.drain(..self.tail.len() - TAIL);
        }
        self.events.emit(Event::Log {
            id: self.id,
            stream: self.stream,
            bytes: clean.into(),
        });
    }

    fn end(mut self) -> String {
        let rest = self.scrubber.finish();
        self.show(&rest);
        let from = self.tail.len().saturating_sub(TAIL);
        String::from_utf8_lossy(&self.tail[from..])
            .trim_end_matches('\n')
            .to_owned()
    }
}
