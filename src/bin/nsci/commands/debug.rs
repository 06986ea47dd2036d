//! `nsci debug`: a shell in what a failed step left, in this run or an earlier one.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use nsci::ops::FailedStep;
use serde_json::json;

use crate::app::App;
use crate::args::table;
use crate::output::{Output, pretty};
use crate::report::Failure;
use crate::terminal;
use crate::ui::text::duration;

/// What was asked for.
#[derive(Debug)]
pub(super) struct Wanted {
    /// Beginning of a step's name; the last one if absent.
    pub(super) step: Option<String>,
    /// List them instead.
    pub(super) list: bool,
    /// As JSON.
    pub(super) json: bool,
    /// The shell; empty means the container's.
    pub(super) cmd: String,
}

/// Opens the shell, or lists the steps.
///
/// # Errors
/// If there is no such step, no terminal, or no shell in the container.
pub(super) async fn debug(app: Arc<App>, wanted: Wanted) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let session = &engine.session;
    if wanted.list {
        let steps = session.failed_steps();
        return Ok(Output::text(if wanted.json {
            as_json(&steps)
        } else {
            listed(&steps)
        }));
    }
    let step = session.failed_step(wanted.step.as_deref())?;
    for (scope, name) in session.missing_secrets(&step) {
        let asked = format!("secret `{name}` was set by a program; its value: ");
        let value = tokio::task::spawn_blocking(move || terminal::ask(&asked))
            .await
            .map_err(|error| Failure::internal("cannot ask").because(&error))??;
        session.set_secret(&scope, &name, &value)?;
    }
    let cmd = wanted.cmd.split_whitespace().map(str::to_owned).collect();
    session.debug(&step, cmd).await?;
    Ok(Output::default())
}

fn listed(steps: &[FailedStep]) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let rows = steps.iter().rev().map(|step| {
        let age = now.saturating_sub(Duration::from_secs(step.at));
        let what = format!(
            "{} ago, exit code {}: {}",
            duration(age),
            step.exit_code,
            step.title()
        );
        (step.id.clone(), what)
    });
    table(rows)
}

fn as_json(steps: &[FailedStep]) -> String {
    let steps: Vec<_> = steps
        .iter()
        .rev()
        .map(|step| {
            json!({"id": step.id, "command": step.command, "exitCode": step.exit_code, "at": step.at})
        })
        .collect();
    pretty(&json!(steps))
}
