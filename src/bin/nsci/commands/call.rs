//! `nsci call`: a module's functions, chained.

use std::sync::Arc;

use serde_json::Value;

use crate::app::{App, Engine};
use crate::args::CHAIN_FLAGS;
use crate::chain::help::chain_help;
use crate::chain::query::{self, Leaf};
use crate::chain::value::Surroundings;
use crate::chain::{Chain, Start};
use crate::output::{self, Output};
use crate::report::Failure;

/// Calls functions of the module.
///
/// # Errors
/// Those of the module, the command line and the functions.
pub(super) async fn call(app: Arc<App>, words: Vec<String>) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let schema = engine.session.schema();
    let owner = format!("module `{}`", module.name);
    let start = Start {
        around: Surroundings {
            types: schema.table(),
            view: app.settings.view,
            env: &app.settings.around.env,
        },
        constructor: Some(&module.query_field),
        owner: &owner,
        module: Some(&module.types),
        own: CHAIN_FLAGS,
    };
    let chain = Chain::parse(start, &words)?;
    if chain.help || chain.steps.len() == 1 {
        let command = format!("{} call", app.program);
        return Ok(Output::text(chain_help(&command, start, &chain)));
    }
    perform(&app, &engine, start, &chain).await
}

/// Runs a chain and shows its result.
///
/// # Errors
/// Those of the API.
pub(super) async fn perform(
    app: &App,
    engine: &Engine,
    start: Start<'_>,
    chain: &Chain<'_>,
) -> Result<Output, Failure> {
    let leaf = Leaf::of(chain, start)?;
    let ids = resolve(engine, chain).await?;
    let data = engine.request(query::request(chain, &leaf, &ids)).await?;
    let value = query::value(chain, &leaf, data);
    if let Leaf::Export { path, .. } = &leaf {
        let remark = format!("Saved to \"{path}\".");
        return Ok(Output {
            text: String::new(),
            remark,
        });
    }
    let type_name = chain.last().map_or("", |field| {
        field.expected.as_deref().unwrap_or_else(|| field.ty.name())
    });
    let text = output::result(&leaf, type_name, &value, chain.json);
    match &chain.output {
        Some(path) => output::save(&app.settings.workdir.join(path), path, &text),
        None => {
            let is_terminal = app.settings.around.stdout_is_terminal;
            Ok(Output::text(output::for_terminal(text, is_terminal)))
        }
    }
}

/// The ids of the objects among the arguments, in order.
async fn resolve(engine: &Engine, chain: &Chain<'_>) -> Result<Vec<Value>, Failure> {
    let Some((query, paths)) = query::objects(&chain.steps) else {
        return Ok(Vec::new());
    };
    let data = engine.request(query).await?;
    let id = |path: &Vec<String>| {
        let keys: Vec<&str> = path.iter().map(String::as_str).collect();
        query::descend(data.clone(), &keys)
    };
    Ok(paths.iter().map(id).collect())
}
