//! Runs a shell on the client's terminal: on the same preparation as any command, or inside a service that runs.

use super::{GRACE, Inside, Job};
use crate::{
    error::{Error, Result},
    ops::{lend::Screen, sandbox::sandbox_error},
};
use nsci_runtime::{Cancel, Finished, Stdio, StepEvent, StepSpec, spec::TerminalSize};
use std::os::fd::OwnedFd;

/// Variable that tells programs what the terminal can do.
const TERM: &str = "TERM";

impl Job {
    /// Runs the command on a terminal; its exit code. What it writes is dropped.
    pub(in crate::ops) fn converse(mut self, screen: Box<dyn Screen>) -> Result<i32> {
        if self.plan.container.env(TERM).is_none() {
            self.secrets.env.push((TERM.into(), screen.kind()));
        }
        let mut volumes = Vec::new();
        let mut prepared = self.prepare(&mut volumes)?;
        prepared.spec.terminal = Some(sane(screen.size()));
        let mut doors = Vec::new();
        let ended = on_screen(
            screen,
            &self.cancel,
            &mut |socket| self.open_door(socket).map(|door| doors.extend(door)),
            |on_event| {
                let stdio = Stdio::default();
                let session = &self.live.session;
                session.run(&prepared.spec, stdio, &self.cancel, on_event)
            },
        );
        drop(doors);
        prepared.discard(&self.live);
        drop(volumes);
        ended
    }
}

impl Inside {
    /// Runs a command on a terminal, with the environment, the user and the directory of the service; its exit code.
    pub(in crate::ops) fn converse(
        &self,
        cmd: Vec<String>,
        screen: Box<dyn Screen>,
        cancel: &Cancel,
    ) -> Result<i32> {
        let mut spec = StepSpec {
            args: cmd,
            terminal: Some(sane(screen.size())),
            ..self.spec.clone()
        };
        if !spec.env.iter().any(|(name, _)| name == TERM) {
            spec.env.push((TERM.into(), screen.kind()));
        }
        on_screen(screen, cancel, &mut |_| Ok(()), |on_event| {
            let session = &self.live.session;
            session.join(self.pid, &spec, Stdio::default(), cancel, on_event)
        })
    }
}

/// Joins what runs to the user's terminal until it ends; its exit code.
fn on_screen(
    mut screen: Box<dyn Screen>,
    cancel: &Cancel,
    on_listener: &mut dyn FnMut(OwnedFd) -> Result<()>,
    run: impl FnOnce(&mut dyn FnMut(StepEvent<'_>)) -> Result<Finished, nsci_runtime::Error>,
) -> Result<i32> {
    let mut fault: Option<Error> = None;
    let ran = run(&mut |event| {
        let outcome = match event {
            StepEvent::Terminal(master) => screen.join(master),
            StepEvent::Listener { socket, .. } => on_listener(socket),
            _ => Ok(()),
        };
        if let Err(error) = outcome {
            fault.get_or_insert(error);
            cancel.cancel(GRACE);
        }
    });
    // First the terminal is the user's again, then everything else.
    drop(screen);
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
