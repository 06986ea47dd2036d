//! Docker's health check of a service that has just started: asked inside of it until it succeeds.

use super::super::{
    exec::{Inside, StopOnDrop},
    sandbox::sandbox_error,
    world::{World, blocking},
};
use crate::{
    error::{Error, ExecFailure, Kind, Result},
    graph::Service,
    service::health::Check,
};
use nsci_runtime::Cancel;
use std::time::{Duration, Instant};

/// When somebody who waits is told what for.
const PATIENCE: Duration = Duration::from_secs(15);

/// A service whose health is waited for.
pub(super) struct Health<'a> {
    pub(super) world: &'a World,
    pub(super) service: &'a Service,
    pub(super) inside: Inside,
    pub(super) check: Check,
    /// When it started.
    pub(super) begun: Instant,
}

/// Why a check did not succeed.
struct Failed {
    /// None if it took too long.
    exit_code: Option<i32>,
    text: String,
}

impl Health<'_> {
    /// Returns when a check succeeds. Dropping the future ends the check that runs.
    pub(super) async fn wait(self) -> Result<()> {
        let (mut failures, mut pauses) = (self.check.failures(), self.check.pauses());
        let mut told = false;
        loop {
            let asked = Instant::now();
            let Err(failed) = self.ask().await? else {
                return Ok(());
            };
            if failures.add(self.begun.elapsed()) {
                return Err(self.unhealthy(failed));
            }
            if !told && self.begun.elapsed() >= PATIENCE {
                told = true;
                self.world.events.warn(format!(
                    "still waiting for service `{}` to be healthy: {}",
                    self.service.title(),
                    self.how(&failed)
                ));
            }
            let pause = pauses.after(self.begun.elapsed(), asked.elapsed());
            tokio::time::sleep(pause).await;
        }
    }

    async fn ask(&self) -> Result<std::result::Result<(), Failed>> {
        let cancel = Cancel::new().map_err(sandbox_error)?;
        let stop_when_dropped = StopOnDrop::new(&cancel);
        let (inside, args) = (self.inside.clone(), self.check.args.clone());
        let ran = blocking(move || Ok(inside.run(&args, &cancel)));
        let Ok(ran) = tokio::time::timeout(self.check.timeout, ran).await else {
            return Ok(Err(Failed {
                exit_code: None,
                text: String::new(),
            }));
        };
        stop_when_dropped.disarm();
        Ok(match ran? {
            Ok(said) if said.exit_code == 0 => Ok(()),
            Ok(said) => Err(Failed {
                exit_code: Some(said.exit_code),
                text: said.text,
            }),
            // It may just be ending, or not be there yet.
            Err(error) => Err(Failed {
                exit_code: Some(126),
                text: error.full_message(),
            }),
        })
    }

    fn how(&self, failed: &Failed) -> String {
        match failed.exit_code {
            Some(code) => format!("its check ended with exit code {code}"),
            None => format!("its check took longer than {:?}", self.check.timeout),
        }
    }

    fn unhealthy(&self, failed: Failed) -> Error {
        let how = self.how(&failed);
        let mut message = format!("service `{}` is unhealthy: {how}", self.service.title());
        if !failed.text.is_empty() {
            message = format!("{message}: {}", failed.text);
        }
        match failed.exit_code {
            Some(exit_code) => Error::new(
                Kind::Exec(ExecFailure {
                    cmd: self.check.args.clone(),
                    exit_code,
                    stdout: failed.text,
                    stderr: String::new(),
                }),
                message,
            ),
            None => Error::invalid(message),
        }
    }
}
