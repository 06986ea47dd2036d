//! Steps that failed: what they left is kept for a look at it, until the cache needs the room.
//!
//! The record of a failed step holds its container, with the layers it wrote and without any secret's value, and is
//! dropped like any record when garbage is collected. A small list says which there are.

use super::{Shell, world::World};
use crate::{
    error::{Error, Kind, Result},
    graph::{Container, Exec, Key, MountKind, SecretRef, Value},
};
use serde::{Deserialize, Serialize};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// How many failed steps are listed; older ones are forgotten.
const LISTED: usize = 32;
const STEP: &str = "failed-step";
const LIST: &str = "failed-steps";

/// A step that failed, as a list shows it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailedStep {
    /// Eight hexadecimal digits that name it.
    pub id: String,
    /// The command.
    pub command: Vec<String>,
    /// How it ended.
    pub exit_code: i32,
    /// When, in seconds since 1970.
    pub at: u64,
}

/// What is needed to look at it again.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Left {
    step: FailedStep,
    container: Container,
    exec: Exec,
}

impl FailedStep {
    /// `withExec make test`, on one line.
    pub fn title(&self) -> String {
        super::world::shorten(&self.command.join(" "))
    }
}

impl World {
    /// Keeps what a failed step left, and opens a shell in it if the user wants that.
    pub(super) async fn look_at(&self, container: Container, exec: &Exec, error: &Error) {
        let Kind::Exec(failure) = error.kind() else {
            return;
        };
        let now = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default();
        let moment = now.as_nanos().to_string();
        let name = Key::of("failed", [container.rootfs.digest.as_str(), &moment]);
        let step = FailedStep {
            id: name.as_str()[..8].to_owned(),
            command: failure.cmd.clone(),
            exit_code: failure.exit_code,
            at: now.as_secs(),
        };
        let left = Left {
            step,
            container,
            exec: exec.clone(),
        };
        self.note(&left);
        let Some(cmd) = &self.on_failure else {
            return;
        };
        let shell = shell(&left, cmd.clone());
        if let Err(error) = self.shell(&left.container, &shell).await {
            self.events.warn(error.full_message());
        }
    }

    fn note(&self, left: &Left) {
        let value = Value::Container(Box::new(left.container.clone()));
        let refs = self
            .cache
            .refs(&value, |layer| self.images.knows_layer(&self.cache, layer));
        let title = format!("failed: {}", left.step.title());
        self.cache.remember(
            STEP,
            &step_key(&left.step.id),
            left,
            refs,
            &title,
            Duration::ZERO,
        );
        let mut list = self.failed_steps();
        list.push(left.step.clone());
        let from = list.len().saturating_sub(LISTED);
        let refs = nsci_snapshotter::record::Refs::default();
        self.cache
            .remember(LIST, &list_key(), &list[from..], refs, LIST, Duration::ZERO);
    }

    /// The steps that failed lately and can still be looked at, the last one last.
    pub fn failed_steps(&self) -> Vec<FailedStep> {
        let list: Vec<FailedStep> = self.cache.recall(LIST, &list_key()).unwrap_or_default();
        list.into_iter()
            .filter(|step| self.left(&step.id).is_some())
            .collect()
    }

    fn left(&self, id: &str) -> Option<Left> {
        self.cache.recall(STEP, &step_key(id))
    }

    /// The failed step whose name begins so; the last one of all if nothing is said.
    ///
    /// # Errors
    /// If there is none, or more than one.
    pub fn failed_step(&self, begin: Option<&str>) -> Result<FailedStep> {
        let mut steps = self.failed_steps();
        let Some(begin) = begin else {
            return steps.pop().ok_or_else(|| {
                Error::invalid("no failed step is kept")
                    .hint("run something that fails, or open a shell with `terminal`")
            });
        };
        steps.retain(|step| step.id.starts_with(begin));
        match (steps.pop(), steps.len()) {
            (Some(step), 0) => Ok(step),
            (None, _) => Err(Error::invalid(format!("no failed step `{begin}` is kept"))
                .hint("`nsci debug --list` shows those that are")),
            (Some(_), _) => Err(Error::invalid(format!(
                "`{begin}` names more than one failed step"
            ))
            .hint("`nsci debug --list` shows their names")),
        }
    }

    /// Secrets that a failed step needs and that only its program knew: scope and name.
    pub fn missing_secrets(&self, step: &FailedStep) -> Vec<(String, String)> {
        let Some(left) = self.left(&step.id) else {
            return Vec::new();
        };
        let variables = left.container.secret_env.iter().map(|var| &var.secret);
        let mounted = left
            .container
            .mounts
            .iter()
            .filter_map(|mount| match &mount.kind {
                MountKind::Secret { secret, .. } => Some(secret),
                _ => None,
            });
        let mut named: Vec<(String, String)> = variables
            .chain(mounted)
            .filter_map(|secret| match secret {
                SecretRef::Named { scope, name } => Some((scope.clone(), name.clone())),
                SecretRef::Uri { .. } => None,
            })
            .collect();
        named.dedup();
        named
    }

    /// Opens a shell in what a failed step left.
    ///
    /// # Errors
    /// If it is gone, the client has no terminal, or the container no shell.
    pub async fn debug(&self, step: &FailedStep, cmd: Vec<String>) -> Result<()> {
        let left = self.left(&step.id).ok_or_else(|| {
            Error::invalid(format!("what step {} left is no longer kept", step.id))
        })?;
        let shell = shell(&left, cmd);
        self.shell(&left.container, &shell).await
    }
}

fn shell(left: &Left, cmd: Vec<String>) -> Shell {
    Shell {
        cmd,
        nesting: left.exec.nesting,
        insecure: left.exec.insecure,
        greeting: Some(format!(
            "step {} failed with exit code {}: {}\nthis is what it left; `exit` leaves it",
            left.step.id,
            left.step.exit_code,
            left.step.title()
        )),
    }
}

fn step_key(id: &str) -> Key {
    Key::of(STEP, [id])
}

fn list_key() -> Key {
    Key::of(LIST, [[0_u8; 0]; 0])
}
