//! `nsci check` and `nsci generate`: functions that are run because of what they are marked as.

use std::sync::Arc;

use futures_util::future::join_all;
use nsci::module::names::kebab;
use nsci::module::{Function, TypeKind};
use nsci::session::LoadedModule;
use serde_json::Value;

use crate::app::{App, Engine};
use crate::args::{Marked, table};
use crate::chain::help::first_line;
use crate::chain::value::quote;
use crate::exit_code::Exit;
use crate::output::Output;
use crate::report::Failure;

/// A marked function, and how it is reached.
#[derive(Debug, Clone)]
struct Found {
    /// `lint`, or `tools:lint` of a module that this one uses.
    name: String,
    doc: String,
    /// Fields from the root.
    path: [String; 2],
    returns: TypeKind,
}

/// Runs or lists the marked functions of the module, and of the toolchains that it uses.
///
/// # Errors
/// Those of the module; a failed function is told, and gives exit code 1.
pub(super) async fn marked(
    app: Arc<App>,
    kind: Marked,
    patterns: Vec<String>,
    list: bool,
    fail_fast: bool,
) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let mut found = functions(&module, kind, "");
    for used in &module.dependencies {
        let named =
            |tool: &nsci::module::Dependency| kebab(tool.display_name()) == kebab(&used.name);
        if module.config.toolchains.iter().any(named) || !module.has_functions() {
            found.extend(functions(used, kind, &format!("{}:", kebab(&used.name))));
        }
    }
    let known: Vec<String> = found.iter().map(|one| one.name.clone()).collect();
    if !patterns.is_empty() {
        found.retain(|one| patterns.iter().any(|pattern| matches(pattern, &one.name)));
    }
    if found.is_empty() {
        let what = match kind {
            Marked::Checks => "checks",
            Marked::Generators => "generators",
        };
        let failure = Failure::usage(format!("module `{}` has no such {what}", module.name));
        return Err(match known.is_empty() {
            true => failure.hint(format!("mark functions as {what} that need no arguments")),
            false => failure.hint(format!("it has {}", known.join(", "))),
        });
    }
    if list {
        let rows = found
            .iter()
            .map(|one| (one.name.clone(), first_line(&one.doc).to_owned()));
        return Ok(Output::text(table(rows)));
    }
    let run = |one: Found| {
        let engine = &engine;
        let app = &app;
        async move {
            let result = perform(app, engine, kind, &one).await;
            (one, result)
        }
    };
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

fn functions(module: &LoadedModule, kind: Marked, prefix: &str) -> Vec<Found> {
    let Some(main) = module.types.main() else {
        return Vec::new();
    };
    let is_marked = |function: &&Function| match kind {
        Marked::Checks => function.check,
        Marked::Generators => function.generate,
    };
    let is_callable =
        |function: &&Function| !function.args.iter().any(nsci::module::Arg::is_required);
    let found = |function: &Function| Found {
        name: format!("{prefix}{}", function.cli_name),
        doc: function.description.clone(),
        path: [module.query_field.clone(), function.api_name.clone()],
        returns: function.returns.kind.clone(),
    };
    main.functions
        .iter()
        .filter(is_marked)
        .filter(is_callable)
        .map(found)
        .collect()
}

/// `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => kebab(pattern) == name || name.rsplit(':').next() == Some(pattern),
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).any(|at| left.is_char_boundary(at) && matches_rest(rest, &left[at..]))
        }),
    }
}

fn matches_rest(pattern: &str, name: &str) -> bool {
    match pattern.contains('*') {
        true => matches(pattern, name),
        false => pattern == name,
    }
}

async fn perform(app: &App, engine: &Engine, kind: Marked, one: &Found) -> Result<Value, Failure> {
    let leaf = match (&one.returns, kind) {
        (TypeKind::Object { name }, Marked::Generators)
            if matches!(name.as_str(), "Directory" | "Changeset") =>
        {
            let target = app.settings.workdir.display().to_string();
            format!("{{export(path:{})}}", quote(&target))
        }
        (TypeKind::Object { name }, _) => {
            let schema = engine.session.schema();
            let has_sync = schema
                .table()
                .get(name)
                .is_some_and(|ty| ty.field("sync", app.settings.view()).is_some());
            if has_sync {
                "{sync}".to_owned()
            } else {
                "{id}".to_owned()
            }
        }
        _ => String::new(),
    };
    let [module, function] = &one.path;
    engine
        .request(format!("{{{module}{{{function}{leaf}}}}}"))
        .await
}

fn report(done: Vec<(Found, Result<Value, Failure>)>) -> Result<Output, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_choose_by_name() {
        for (pattern, name, wanted) in [
            ("lint", "lint", true),
            ("Lint", "lint", true),
            ("lint", "tools:lint", true),
            ("lint*", "lint-all", true),
            ("*:lint", "tools:lint", true),
            ("t*:*t", "tools:lint", true),
            ("test", "lint", false),
            ("*x", "lint", false),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }
}
