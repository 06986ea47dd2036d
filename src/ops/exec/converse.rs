//! Runs a shell on the client's terminal, on the same preparation as any command.

use super::{GRACE, Job};
use crate::{
    error::{Error, Result},
    ops::{lend::Screen, sandbox::sandbox_error},
};
use nsci_runtime::{Stdio, StepEvent, spec::TerminalSize};

impl Job {
    /// Runs the command on a terminal; its exit code. What it writes is dropped.
    pub(in crate::ops) fn converse(mut self, mut screen: Box<dyn Screen>) -> Result<i32> {
        if self.plan.container.env("TERM").is_none() {
            self.secrets.env.push(("TERM".into(), screen.kind()));
        }
        let mut volumes = Vec::new();
        let mut prepared = self.prepare(&mut volumes)?;
        prepared.spec.terminal = Some(sane(screen.size()));
        let mut doors = Vec::new();
        let mut fault: Option<Error> = None;
        let ran = self.live.session.run(
            &prepared.spec,
            Stdio::default(),
            &self.cancel,
            &mut |event| {
                let outcome = match event {
                    StepEvent::Terminal(master) => screen.join(master),
                    StepEvent::Listener { socket, .. } => {
                        self.open_door(socket).map(|door| doors.extend(door))
                    }
                    _ => Ok(()),
                };
                if let Err(error) = outcome {
                    fault.get_or_insert(error);
                    self.cancel.cancel(GRACE);
                }
            },
        );
        // First the terminal is the user's again, then everything else.
        drop(screen);
        drop(doors);
        prepared.discard(&self.live);
        drop(volumes);
        match (fault, ran) {
            (Some(fault), _) => Err(fault),
            (None, Ok(finished)) => Ok(finished.exit.shell_code()),
            (None, Err(error)) => match error.exit_code() {
                Some(_) => Err(Error::invalid(error.to_string()).hint(
                    "the container lacks the shell; name another with `--cmd` or withDefaultTerminalCmd",
                )),
                None => Err(sandbox_error(error)),
            },
        }
    }
}

/// Programs divide by the size, and a terminal that does not know its own says 0.
fn sane(size: TerminalSize) -> TerminalSize {
    match (size.rows, size.columns) {
        (0, _) | (_, 0) => TerminalSize {
            rows: 24,
            columns: 80,
        },
        _ => size,
    }
}
