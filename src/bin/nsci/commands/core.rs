//! `nsci core`: the core API's functions, chained as those of a module.

use std::sync::Arc;

use crate::app::App;
use crate::args::CHAIN_FLAGS;
use crate::chain::help::chain_help;
use crate::chain::value::Surroundings;
use crate::chain::{Chain, Start};
use crate::commands::call::perform;
use crate::output::Output;
use crate::report::Failure;

/// Calls functions of the core API.
///
/// # Errors
/// Those of the command line and the functions.
pub(super) async fn core(app: Arc<App>, words: Vec<String>) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let schema = engine.session.schema();
    let start = Start {
        around: Surroundings {
            types: schema.table(),
            view: app.settings.view(),
            env: &app.settings.around.env,
        },
        constructor: None,
        owner: "the core API",
        module: None,
        own: CHAIN_FLAGS,
    };
    let chain = Chain::parse(start, &words)?;
    if chain.help || chain.steps.is_empty() {
        let command = format!("{} core", app.program);
        return Ok(Output::text(chain_help(&command, start, &chain)));
    }
    perform(&app, &engine, start, &chain).await
}
