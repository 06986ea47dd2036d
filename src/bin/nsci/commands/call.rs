//! `nsci call`: a module's functions, chained.

use std::sync::Arc;

use nsci::module::names::kebab;
use nsci::session::LoadedModule;
use serde_json::Value;

use crate::app::{App, Engine};
use crate::args::flag::{Scan, scan};
use crate::args::{CHAIN_FLAGS, GLOBAL};
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
    let (module, words) = target(&module, &words);
    let schema = engine.session.schema();
    let owner = format!("module `{}`", module.name);
    let start = Start {
        around: Surroundings {
            types: schema.table(),
            view: app.settings.view(),
            env: &app.settings.around.env,
        },
        constructor: Some(&module.query_field),
        owner: &owner,
        module: Some(&module.types),
        own: CHAIN_FLAGS,
    };
    if !module.has_functions() {
        return Err(without_functions(module));
    }
    let chain = Chain::parse(start, &words)?;
    if chain.help || chain.steps.len() == 1 {
        let command = format!("{} call", app.program);
        return Ok(Output::text(chain_help(&command, start, &chain)));
    }
    perform(&app, &engine, start, &chain).await
}

/// The module that the words are meant for, and what is left of them: the one at hand, or one that it uses if its
/// name stands where the first function would.
pub(super) fn target<'m>(
    module: &'m LoadedModule,
    words: &[String],
) -> (&'m LoadedModule, Vec<String>) {
    let unread = || (module, words.to_vec());
    let Ok(scanned) = scan(words, &[GLOBAL, CHAIN_FLAGS], Scan::Leading) else {
        return unread();
    };
    let Some(name) = scanned.rest.first() else {
        return unread();
    };
    let own = module.types.main().is_some_and(|main| {
        let functions = main.functions.iter().map(|function| &function.cli_name);
        let mut names = functions.chain(main.fields.iter().map(|field| &field.cli_name));
        names.any(|known| *known == kebab(name))
    });
    match module.dependency(name) {
        Some(used) if !own => {
            let at = words.len() - scanned.rest.len();
            let mut words = words.to_vec();
            words.remove(at);
            (used, words)
        }
        _ => unread(),
    }
}

fn without_functions(module: &LoadedModule) -> Failure {
    let failure = Failure::usage(format!(
        "module `{}` has no functions of its own",
        module.name
    ));
    let names: Vec<&str> = module
        .dependencies
        .iter()
        .map(|used| used.name.as_str())
        .collect();
    match names.is_empty() {
        true => failure.hint("`nsci install REF` adds modules to it, `nsci init` functions"),
        false => failure.hint(format!(
            "call those of a module it uses: {}",
            names.join(", ")
        )),
    }
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
    if chain.last().is_some_and(|field| field.name == "terminal") {
        // The shell was what was wanted.
        return Ok(Output::default());
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
