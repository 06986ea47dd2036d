//! `nsci functions`: what a module offers, read without running it.

use std::sync::Arc;

use nsci::module::names::kebab;
use serde_json::json;

use crate::app::App;
use crate::chain::help::{first_line, function_row};
use crate::chain::value::Surroundings;
use crate::chain::{menu, object, result_name};
use crate::commands::call::target;
use crate::output::{Output, pretty};
use crate::report::Failure;

/// Lists functions of the main object, or of the one that `path` leads to.
///
/// # Errors
/// Those of the module, and a path that leads nowhere.
pub(super) async fn functions(
    app: Arc<App>,
    path: Vec<String>,
    as_json: bool,
) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let (module, path) = target(&module, &path);
    let schema = engine.session.schema();
    let around = Surroundings {
        types: schema.table(),
        view: app.settings.view(),
        env: &app.settings.around.env,
    };
    if !module.has_functions() {
        let used = module.dependencies.iter().map(|used| {
            let doc = used.types.main().map_or("", |main| &main.description);
            let doc = [&used.types.description, doc]
                .into_iter()
                .find(|doc| !doc.is_empty());
            (kebab(&used.name), doc.unwrap_or_default().to_owned())
        });
        if as_json {
            let list = used.map(|(name, doc)| json!({"name": name, "description": doc}));
            return Ok(Output::text(pretty(&list.collect())));
        }
        return Ok(Output::text(columns(used)));
    }
    let constructor = around
        .types
        .get("Query")
        .and_then(|root| root.field(&module.query_field, around.view))
        .ok_or_else(|| Failure::internal("the module is loaded, but not in the API"))?;
    let mut at = object(around.types, result_name(constructor));
    for name in &path {
        let entries = at.map_or_else(Vec::new, |ty| menu(ty, around));
        let next = entries
            .iter()
            .find(|entry| kebab(&entry.field.name) == kebab(name));
        let next = next.ok_or_else(|| {
            Failure::usage(format!("no function `{name}` in module `{}`", module.name))
        })?;
        at = object(around.types, result_name(next.field));
    }
    let entries = at.map_or_else(Vec::new, |ty| menu(ty, around));
    if as_json {
        let list = entries.iter().map(|entry| {
            let doc = entry.field.marks.doc.trim();
            json!({"name": kebab(&entry.field.name), "description": doc, "returns": entry.field.ty.to_string()})
        });
        return Ok(Output::text(pretty(&list.collect())));
    }
    let rows = entries.iter().filter(|entry| entry.unsupported.is_none());
    let mut text = columns(rows.map(|entry| function_row(entry.field)));
    let skipped = entries
        .iter()
        .filter(|entry| entry.unsupported.is_some())
        .count();
    if skipped > 0 {
        text.push_str(&format!(
            "\nSkipped {skipped} function(s) with unsupported types\n"
        ));
    }
    Ok(Output::text(text))
}

fn columns(rows: impl Iterator<Item = (String, String)>) -> String {
    let head = [("Name".to_owned(), "Description".to_owned())];
    let rows: Vec<_> = head.into_iter().chain(rows).collect();
    let width = rows
        .iter()
        .map(|(name, _)| name.chars().count())
        .max()
        .unwrap_or(0);
    let line = |(name, doc): &(String, String)| format!("{name:width$}   {}\n", first_line(doc));
    rows.iter().map(line).collect()
}
