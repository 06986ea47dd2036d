//! `nsci modules`, `config` and `develop`: what a module is made of, shown and brought up to date.

use std::path::PathBuf;
use std::sync::Arc;

use nsci::module::Dependency;
use nsci::session::LoadedModule;
use serde_json::{Value, json};

use crate::app::App;
use crate::args::table;
use crate::chain::help::first_line;
use crate::output::{Output, pretty};
use crate::report::Failure;

/// Lists the module at hand and those it uses.
///
/// # Errors
/// Those of the module.
pub(super) async fn modules(app: Arc<App>, as_json: bool) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    if as_json {
        let list: Vec<Value> = module.dependencies.iter().map(described).collect();
        return Ok(Output::text(pretty(&Value::Array(list))));
    }
    if module.dependencies.is_empty() {
        return Ok(Output {
            text: String::new(),
            remark: format!(
                "module `{}` uses no others; `nsci install REF` adds one",
                module.name
            ),
        });
    }
    let rows = module.dependencies.iter().map(|used| {
        let doc = first_line(doc(used));
        (used.name.clone(), format!("{doc}\n{}", place(used)))
    });
    Ok(Output::text(table(rows)))
}

fn doc(module: &LoadedModule) -> &str {
    let main = module.types.main().map_or("", |main| &main.description);
    if module.types.description.is_empty() {
        main
    } else {
        &module.types.description
    }
}

fn place(module: &LoadedModule) -> String {
    match &module.origin {
        None => module.dir.display().to_string(),
        Some(origin) => format!("{}@{}", origin.address, origin.commit),
    }
}

fn described(module: &LoadedModule) -> Value {
    json!({
        "name": module.name,
        "description": doc(module).trim(),
        "sdk": module.config.sdk.as_ref().map(|sdk| &sdk.source),
        "source": module.origin.as_ref().map_or_else(
            || module.dir.display().to_string(),
            |origin| origin.address.clone(),
        ),
        "pin": module.origin.as_ref().map(|origin| &origin.commit),
    })
}

/// Shows the configuration of the module at hand.
///
/// # Errors
/// Those of the module.
pub(super) async fn config(app: Arc<App>, as_json: bool) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let config = &module.config;
    let sdk = config.sdk.as_ref().map(|sdk| sdk.source.clone());
    let source: PathBuf = module.dir.join(&config.source).components().collect();
    if as_json {
        return Ok(Output::text(pretty(&json!({
            "name": config.name,
            "sdk": sdk,
            "root": module.dir,
            "source": source,
            "engineVersion": config.engine_version,
            "include": config.include,
            "blueprint": config.blueprint.as_ref().map(|used| &used.source),
            "toolchains": config.toolchains.iter().map(Dependency::display_name).collect::<Vec<_>>(),
            "dependencies": module.dependencies.iter().map(described).collect::<Vec<_>>(),
        }))));
    }
    let mut rows = vec![
        ("Name:".to_owned(), config.name.clone()),
        ("SDK:".to_owned(), sdk.unwrap_or_else(|| "none".into())),
        ("Root directory:".to_owned(), place(&module)),
        ("Source directory:".to_owned(), source.display().to_string()),
    ];
    if let Some(blueprint) = &config.blueprint {
        rows.push(("Blueprint:".to_owned(), blueprint.source.clone()));
    }
    if let Some(version) = &config.engine_version {
        rows.push(("Engine version:".to_owned(), version.clone()));
    }
    let uses: Vec<&str> = module
        .dependencies
        .iter()
        .map(|used| used.name.as_str())
        .collect();
    if !uses.is_empty() {
        rows.push(("Uses:".to_owned(), uses.join("\n")));
    }
    Ok(Output::text(table(rows)))
}
