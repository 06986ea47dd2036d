//! `nsci init`: a new module from a template.

use std::fs;
use std::path::Path;

use nsci::module::{SdkKind, config, init};

use crate::output::Output;
use crate::report::Failure;
use crate::settings::Settings;

/// Version of the API that new modules are written for.
pub(super) const ENGINE_VERSION: &str = "v0.18.19";

/// What is to be made.
#[derive(Debug)]
pub(super) struct New {
    /// Language.
    pub(super) sdk: String,
    /// Name instead of the directory's.
    pub(super) name: Option<String>,
    /// Directory of the source, relative to the module.
    pub(super) source: Option<String>,
    /// Where.
    pub(super) directory: Option<String>,
}

/// Makes a module.
///
/// # Errors
/// If there is one already, a file is in the way, or the language is not known.
pub(super) fn init(settings: &Settings, new: &New) -> Result<Output, Failure> {
    let sdk = SdkKind::find(&new.sdk).map_err(|error| {
        Failure::usage(error.to_string()).hint(format!("--sdk={}", SdkKind::choices()))
    })?;
    let shown = new.directory.as_deref().unwrap_or(".");
    let mut directory = settings.workdir.clone();
    for part in Path::new(shown).components() {
        match part {
            std::path::Component::CurDir => {}
            std::path::Component::ParentDir => drop(directory.pop()),
            part => directory.push(part),
        }
    }
    let taken = |path: &Path| Failure::usage(format!("{} exists already", path.display()));
    if let Some(file) =
        config::find_up(&directory).filter(|file| file.parent() == Some(&*directory))
    {
        let without_code =
            nsci::module::ModuleConfig::load(&file).is_ok_and(|config| config.sdk.is_none());
        return Err(taken(&file).hint(match without_code {
            true => format!("`nsci develop --sdk={}` gives it functions", sdk.name()),
            false => "a module is there; choose another directory".to_owned(),
        }));
    }
    let name = match &new.name {
        Some(name) => name.clone(),
        None => init::module_name(
            &directory
                .file_name()
                .map(|name| name.to_string_lossy())
                .unwrap_or_default(),
        ),
    };
    let source = new
        .source
        .as_deref()
        .unwrap_or_else(|| sdk.usual_source(holds_files(&directory)));
    let files = sdk.init(&name, source, ENGINE_VERSION);
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
    Ok(Output::text(format!(
        "Initialized module {name} in {}\n",
        directory.display()
    )))
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

    fn made(dir: &Path, new: &New) -> Result<Output, String> {
        let around = Surroundings {
            cwd: dir.to_owned(),
            ..Surroundings::default()
        };
        let settings = Settings::new(&Globals::default(), around).unwrap();
        init(&settings, new).map_err(|failure| failure.text(false))
    }

    fn new(sdk: &str, directory: Option<&str>) -> New {
        New {
            sdk: sdk.into(),
            name: None,
            source: None,
            directory: directory.map(Into::into),
        }
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
