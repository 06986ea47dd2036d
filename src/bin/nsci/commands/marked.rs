//! `nsci check`, `nsci generate` and `nsci up`: functions that are run because of what they are marked as.

use std::sync::Arc;

use futures_util::future::{join_all, try_join_all};
use nsci::module::TypeKind;
use nsci::module::marked::{Mark, MarkedFunction, chosen};
use nsci::schema::settled;
use nsci::session::LoadedModule;
use serde_json::Value;

use crate::app::{App, Engine};
use crate::args::table;
use crate::chain::help::first_line;
use crate::chain::value::quote;
use crate::exit_code::Exit;
use crate::output::Output;
use crate::report::Failure;

/// Runs or lists the marked functions of the module, and of the toolchains that it uses.
///
/// # Errors
/// Those of the module; a failed function is told, and gives exit code 1.
pub(super) async fn marked(
    app: Arc<App>,
    kind: Mark,
    patterns: Vec<String>,
    list: bool,
    fail_fast: bool,
) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let mut found = module.marked(kind);
    let known: Vec<String> = found.iter().map(|one| one.name.clone()).collect();
    found.retain(|one| chosen(&patterns, &one.name));
    if found.is_empty() {
        let what = kind.plural();
        let failure = Failure::usage(format!("module `{}` has no such {what}", module.name));
        return Err(match known.is_empty() {
            true => failure.hint(format!("mark functions as {what} that need no arguments")),
            false => failure.hint(format!("it has {}", known.join(", "))),
        });
    }
    if list {
        let rows = found
            .iter()
            .map(|one| (one.name.clone(), first_line(&one.description).to_owned()));
        return Ok(Output::text(table(rows)));
    }
    let run = |one: MarkedFunction| {
        let (app, engine, module) = (&app, &engine, &module);
        async move {
            let result = perform(app, engine, module, kind, &one).await;
            (one, result)
        }
    };
    if kind == Mark::Service {
        return serve(&app, &engine, &module, &found).await;
    }
    let mut done = Vec::new();
    if fail_fast {
        for one in found {
            let ended = run(one).await;
            let failed = ended.1.is_err();
            done.push(ended);
            if failed {
                break;
            }
        }
    } else {
        done = join_all(found.into_iter().map(run)).await;
    }
    report(done)
}

/// Runs services at the same time, until one of them fails or all have ended.
async fn serve(
    app: &App,
    engine: &Engine,
    module: &LoadedModule,
    found: &[MarkedFunction],
) -> Result<Output, Failure> {
    let run = found.iter().map(|one| async move {
        let is_service = matches!(&one.returns.kind, TypeKind::Object { name }
            if matches!(name.as_str(), "Service" | "Container"));
        if !is_service {
            let name = &one.name;
            return Err(Failure::usage(format!(
                "`{name}` is marked as a service, but gives no Service or Container"
            )));
        }
        perform(app, engine, module, Mark::Service, one).await
    });
    try_join_all(run).await?;
    Ok(Output::default())
}

async fn perform(
    app: &App,
    engine: &Engine,
    module: &LoadedModule,
    kind: Mark,
    one: &MarkedFunction,
) -> Result<Value, Failure> {
    let selection = match (&one.returns.kind, kind) {
        (TypeKind::Object { name }, Mark::Generator)
            if matches!(name.as_str(), "Directory" | "Changeset") =>
        {
            let target = app.settings.workdir.display().to_string();
            format!("{{export(path:{})}}", quote(&target))
        }
        (_, Mark::Service) => "{up}".to_owned(),
        (result, _) => {
            let schema = engine.session.schema();
            settled(schema.table(), app.settings.view(), result).to_owned()
        }
    };
    let request = one.request(&module.query_field, &selection);
    engine.request(request).await
}

fn report(done: Vec<(MarkedFunction, Result<Value, Failure>)>) -> Result<Output, Failure> {
    let mut text = String::new();
    let mut failures = Vec::new();
    for (one, result) in done {
        match result {
            Ok(_) => text.push_str(&format!("✔ {}\n", one.name)),
            Err(failure) => {
                text.push_str(&format!("✘ {}\n", one.name));
                failures.push(format!("{}: {}", one.name, failure.text(false)));
            }
        }
    }
    let output = Output {
        text,
        remark: failures.join("").trim_end().to_owned(),
    };
    if failures.is_empty() {
        return Ok(output);
    }
    output.print()?;
    Err(Failure::Code(Exit::Failed))
}
