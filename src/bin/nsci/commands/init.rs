//! `nsci init`: a new module from a template.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nsci::module::{ModuleConfig, Role, SdkKind, config, init};
use serde_json::json;

use super::install::declaration;
use crate::app::App;
use crate::output::Output;
use crate::report::Failure;
use crate::settings::Settings;

/// Version of the API that new modules are written for.
pub(super) const ENGINE_VERSION: &str = "v0.18.19";

/// What is to be made.
#[derive(Debug)]
pub(super) struct New {
    /// Name instead of the directory's.
    pub(super) name: Option<String>,
    /// Directory of the source, relative to the module.
    pub(super) source: Option<String>,
    /// Where.
    pub(super) directory: Option<String>,
    /// Patterns of what is loaded with it.
    pub(super) include: Vec<String>,
}

/// Where a new module goes, and its name.
///
/// # Errors
/// If there is one already.
fn place(
    settings: &Settings,
    new: &New,
    sdk: Option<SdkKind>,
) -> Result<(PathBuf, String), Failure> {
    let shown = new.directory.as_deref().unwrap_or(".");
    let mut directory = settings.workdir.clone();
    for part in Path::new(shown).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(directory.pop()),
            part => directory.push(part),
        }
    }
    if let Some(file) = config::in_directory(&directory) {
        let known = ModuleConfig::load(&file);
        let without_code =
            known.is_ok_and(|config| config.sdk.is_none() && config.blueprint.is_none());
        return Err(taken(&file).hint(match sdk {
            Some(sdk) if without_code => {
                format!("`nsci develop --sdk={}` gives it functions", sdk.name())
            }
            _ => "a module is there; choose another directory".to_owned(),
        }));
    }
    let own = || {
        let name = directory.file_name().map(|name| name.to_string_lossy());
        init::module_name(&name.unwrap_or_default())
    };
    let name = new.name.clone().unwrap_or_else(own);
    Ok((directory, name))
}

fn taken(path: &Path) -> Failure {
    Failure::usage(format!("{} exists already", path.display()))
}

/// Makes a module with a first function.
///
/// # Errors
/// If there is one already, a file is in the way, or the language is not known.
pub(super) fn init(settings: &Settings, sdk: &str, new: &New) -> Result<Output, Failure> {
    let sdk = SdkKind::find(sdk).map_err(|error| {
        Failure::usage(error.to_string()).hint(format!("--sdk={}", SdkKind::choices()))
    })?;
    let (directory, name) = place(settings, new, Some(sdk))?;
    let source = new
        .source
        .as_deref()
        .unwrap_or_else(|| sdk.usual_source(holds_files(&directory)));
    let mut files = sdk.init(&name, source, ENGINE_VERSION);
    for file in files.iter_mut().filter(|file| file.path == "dagger.json") {
        file.contents = with_include(&directory, &file.contents, new)?;
    }
    // All or nothing: a project that has a file of the same name keeps it.
    for file in &files {
        let path = directory.join(&file.path);
        if path.exists() {
            return Err(taken(&path).hint("--source=DIR puts the module's source elsewhere"));
        }
    }
    for file in &files {
        let path = directory.join(&file.path);
        path.parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, &file.contents))
            .map_err(|error| {
                Failure::failed(format!("cannot write {}", path.display())).because(&error)
            })?;
    }
    Ok(made(&name, &directory))
}

/// Makes a module that takes its functions from another.
///
/// # Errors
/// If there is one already, or the other cannot be a blueprint.
pub(super) async fn from_blueprint(
    app: Arc<App>,
    reference: String,
    new: New,
) -> Result<Output, Failure> {
    let (directory, name) = place(&app.settings, &new, None)?;
    let engine = app.engine().await?;
    let session = &engine.session;
    let blueprint = declaration(&app, session, &directory, &reference, None).await?;
    let file = directory.join("dagger.json");
    let text = serde_json::to_string_pretty(&json!({
        "name": name,
        "engineVersion": ENGINE_VERSION,
    }))
    .map_err(|error| Failure::internal("a configuration cannot be written").because(&error))?;
    let text = with_include(&directory, &text, &new)?;
    let text = ModuleConfig::with_dependency(&file, &text, Role::Blueprint, &blueprint)
        .map_err(|error| Failure::internal("the new configuration is wrong").because(&error))?;
    fs::create_dir_all(&directory)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| {
            Failure::failed(format!("cannot write {}", file.display())).because(&error)
        })?;
    let found = session
        .find_module(&directory, &directory.display().to_string())
        .await?;
    if let Err(error) = session.load_module(&found).await {
        // What cannot be loaded is not left behind.
        fs::remove_file(&file).ok();
        return Err(error.into());
    }
    Ok(made(&name, &directory))
}

fn with_include(directory: &Path, text: &str, new: &New) -> Result<String, Failure> {
    if new.include.is_empty() {
        return Ok(text.to_owned());
    }
    let members = [("include", json!(new.include))];
    ModuleConfig::with_members(&directory.join("dagger.json"), text, &members)
        .map_err(|error| Failure::internal("the new configuration is wrong").because(&error))
}

fn made(name: &str, directory: &Path) -> Output {
    Output::text(format!(
        "Initialized module {name} in {}\n",
        directory.display()
    ))
}

/// Whether a directory has files that are not hidden.
fn holds_files(directory: &Path) -> bool {
    let entries = fs::read_dir(directory).into_iter().flatten().flatten();
    entries
        .map(|entry| entry.file_name())
        .any(|name| !name.to_string_lossy().starts_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Globals;
    use crate::settings::Surroundings;

    fn made(dir: &Path, (sdk, new): &(&str, New)) -> Result<Output, String> {
        let around = Surroundings {
            cwd: dir.to_owned(),
            ..Surroundings::default()
        };
        let settings = Settings::new(&Globals::default(), around).unwrap();
        init(&settings, sdk, new).map_err(|failure| failure.text(false))
    }

    fn new<'a>(sdk: &'a str, directory: Option<&str>) -> (&'a str, New) {
        let new = New {
            name: None,
            source: None,
            directory: directory.map(Into::into),
            include: Vec::new(),
        };
        (sdk, new)
    }

    #[test]
    fn patterns_are_written() {
        let dir = tempfile::tempdir().unwrap();
        let (sdk, mut new) = new("python", None);
        new.include = vec!["**/*.toml".into(), "!vendor".into()];
        made(dir.path(), &(sdk, new)).unwrap();
        let config = ModuleConfig::load(&dir.path().join("dagger.json")).unwrap();
        assert_eq!(config.include, ["**/*.toml", "!vendor"]);
        assert!(config.sdk.is_some());
    }

    #[test]
    fn module_is_made_once() {
        let dir = tempfile::tempdir().unwrap();
        let output = made(dir.path(), &new("python", Some("my app/./x/.."))).unwrap();
        let place = dir.path().join("my app");
        assert_eq!(
            output.text,
            format!("Initialized module my-app in {}\n", place.display())
        );
        assert!(place.join("dagger.json").is_file());
        let again = made(dir.path(), &new("python", Some("my app"))).unwrap_err();
        assert!(again.contains("dagger.json exists already"), "{again}");
    }

    #[test]
    fn files_in_the_way_are_kept() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("main.py"), "mine").unwrap();
        let refused = made(dir.path(), &new("python", None)).unwrap_err();
        assert!(refused.contains("main.py exists already"), "{refused}");
        assert_eq!(
            fs::read_to_string(dir.path().join("main.py")).unwrap(),
            "mine"
        );
        assert!(!dir.path().join("dagger.json").exists());
    }

    #[test]
    fn go_code_does_not_join_a_package_that_is_there() {
        let dir = tempfile::tempdir().unwrap();
        made(dir.path(), &new("go", Some("empty"))).unwrap();
        assert!(dir.path().join("empty/main.go").is_file());
        fs::write(dir.path().join("go.mod"), "module app\n").unwrap();
        made(dir.path(), &new("go", None)).unwrap();
        assert!(dir.path().join("dagger/main.go").is_file());
        let config = fs::read_to_string(dir.path().join("dagger.json")).unwrap();
        assert!(config.contains("\"source\": \"dagger\""), "{config}");
    }

    #[test]
    fn languages_are_checked() {
        let dir = tempfile::tempdir().unwrap();
        assert!(
            made(dir.path(), &new("cobol", None))
                .unwrap_err()
                .contains("unknown SDK `cobol`")
        );
    }
}
