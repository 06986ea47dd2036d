//! `nsci develop`: the SDK and what is generated for a module, written beside its source.
//!
//! Running a module needs nothing of it; editors and type checkers do.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use nsci::module::{ModuleConfig, SdkKind, config};
use serde_json::json;

use super::init::ENGINE_VERSION;
use super::install::Home;
use crate::app::App;
use crate::output::Output;
use crate::report::Failure;

/// Name of the list of files that git leaves alone.
const IGNORE: &str = ".gitignore";

/// Writes the files; with `sdk`, gives code to a module that has none.
///
/// # Errors
/// Those of the module, and files that cannot be written.
pub(super) async fn develop(
    app: Arc<App>,
    sdk: Option<String>,
    source: Option<String>,
) -> Result<Output, Failure> {
    let home = Home::open(&app, false)?;
    if let Some(blueprint) = &home.config.blueprint {
        let place = config::place_in(&home.file, &blueprint.source);
        return Err(Failure::usage(format!(
            "{place}: the module takes its functions from a blueprint and has no code of its own"
        ))
        .hint("run this in the blueprint's directory, or take the blueprint out"));
    }
    if let Some(sdk) = &sdk {
        adopt(&home, sdk, source.as_deref())?;
    }
    let engine = app.engine().await?;
    let module = app.module(&engine).await?;
    let kind = module
        .config
        .sdk
        .as_ref()
        .ok_or_else(|| {
            Failure::usage(format!("module `{}` has no code of its own", module.name))
                .hint(format!("--sdk={} gives it some", SdkKind::choices()))
        })
        .and_then(|sdk| {
            SdkKind::find(&sdk.source).map_err(|error| Failure::usage(error.to_string()))
        })?;
    let source = module.dir.join(&module.config.source);
    let sdk_dir = kind.editor_directory();
    let mut written = 0;
    for (path, contents) in kind.editor_files(&module.generated) {
        written += write(&source.join(sdk_dir).join(path), contents)?;
    }
    let mut ignored: Vec<String> = vec![format!("/{sdk_dir}")];
    for (path, generated) in &module.generated {
        let place = source.join(path);
        let existing = fs::read_to_string(&place).ok();
        if let Some((contents, own)) = kind.for_editor(path, generated, existing.as_deref()) {
            written += write(&place, &contents)?;
            ignored.extend((!own).then(|| format!("/{path}")));
        }
    }
    if module.config.automatic_gitignore != Some(false) {
        ignore(&source.join(IGNORE), &ignored)?;
    }
    Ok(Output::text(format!(
        "Wrote {written} file(s) below {}\n",
        source.display()
    )))
}

/// Gives a module without code a language and a first function.
fn adopt(home: &Home, sdk: &str, source: Option<&str>) -> Result<(), Failure> {
    let kind = SdkKind::find(sdk).map_err(|error| {
        Failure::usage(error.to_string()).hint(format!("--sdk={}", SdkKind::choices()))
    })?;
    if let Some(has) = &home.config.sdk {
        if has.source == kind.name() {
            return Ok(());
        }
        let place = config::place_in(&home.file, &has.source);
        return Err(Failure::usage(format!(
            "{place}: the module is written in {} already",
            has.source
        )));
    }
    let source = source.unwrap_or(".");
    let files = kind.init(&home.config.name, source, ENGINE_VERSION);
    for file in files.iter().filter(|file| file.path != "dagger.json") {
        let path = home.directory.join(&file.path);
        if !path.exists() {
            write(&path, &file.contents)?;
        }
    }
    let members = [
        ("engineVersion", json!(ENGINE_VERSION)),
        ("sdk", json!({ "source": kind.name() })),
        ("source", json!(source)),
    ];
    let text = ModuleConfig::with_members(&home.file, &home.text, &members).map_err(|error| {
        Failure::usage(format!("cannot edit {}", home.file.display())).because(&error)
    })?;
    home.write(&text)
}

/// Writes a file unless it is so already; says how many were written.
fn write(path: &Path, contents: &str) -> Result<usize, Failure> {
    if fs::read_to_string(path).is_ok_and(|known| known == contents) {
        return Ok(0);
    }
    path.parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(path, contents))
        .map_err(|error| {
            Failure::failed(format!("cannot write {}", path.display())).because(&error)
        })?;
    Ok(1)
}

/// Adds lines that are missing.
fn ignore(path: &Path, lines: &[String]) -> Result<(), Failure> {
    let mut text = fs::read_to_string(path).unwrap_or_default();
    for line in lines {
        if text.lines().all(|known| known != line) {
            if !text.is_empty() && !text.ends_with('\n') {
                text.push('\n');
            }
            text.push_str(line);
            text.push('\n');
        }
    }
    write(path, &text).map(drop)
}
