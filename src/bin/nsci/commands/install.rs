//! `nsci install`, `uninstall` and `update`: the dependencies in a module's configuration.
//!
//! Configurations are edited, not written anew: what else they say stays. A module from git is pinned to the commit
//! it is at when it is installed; `update` moves the pin.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use nsci::module::names::kebab;
use nsci::module::{Dependency, ModuleConfig, ModuleReference, config, init};
use nsci::session::Session;

use crate::app::App;
use crate::output::Output;
use crate::report::Failure;

/// Adds modules to the one at hand; makes a configuration without functions where there is none.
///
/// # Errors
/// If a reference leads to no module, or names clash.
pub(super) async fn install(
    app: Arc<App>,
    references: Vec<String>,
    name: Option<String>,
) -> Result<Output, Failure> {
    if name.is_some() && references.len() > 1 {
        return Err(Failure::usage("--name is for one module at a time"));
    }
    if references.is_empty() {
        return Err(Failure::usage("there is no module to install")
            .hint("nsci install github.com/OWNER/REPO/PATH@VERSION, or a directory"));
    }
    let engine = app.engine().await?;
    let mut text = String::new();
    for reference in &references {
        let home = Home::open(&app, true)?;
        let found = engine
            .session
            .find_module(&app.settings.workdir, reference)
            .await?;
        if found.origin.is_none() && config::in_directory(&found.directory).is_none() {
            return Err(Failure::usage(format!(
                "no module at {reference}: {} has no dagger.json",
                found.directory.display()
            )));
        }
        let loaded = engine.session.load_module(&found).await?;
        let dependency = match &loaded.origin {
            None => {
                let path = relative(&home.directory, &loaded.dir);
                if path == "." {
                    return Err(Failure::usage("a module cannot use itself"));
                }
                Dependency {
                    name: Some(name.clone().unwrap_or_else(|| loaded.config.name.clone())),
                    source: path,
                    pin: None,
                }
            }
            Some(origin) => Dependency {
                name: Some(name.clone().unwrap_or_else(|| loaded.config.name.clone())),
                source: match &origin.version {
                    Some(version) if *version != origin.commit => {
                        format!("{}@{version}", origin.address)
                    }
                    _ => origin.address.clone(),
                },
                pin: Some(origin.commit.clone()),
            },
        };
        home.check_name(&dependency)?;
        home.write(&home.with(&dependency)?)?;
        text.push_str(&format!(
            "Installed module {} in {}\n",
            dependency.display_name(),
            home.file.display()
        ));
    }
    check(&app, &engine.session).await?;
    Ok(Output::text(text))
}

/// Removes modules from the one at hand, by name or reference.
///
/// # Errors
/// If it does not use them.
pub(super) fn uninstall(app: &App, names: &[String]) -> Result<Output, Failure> {
    if names.is_empty() {
        return Err(Failure::usage("there is no module to uninstall").hint("nsci uninstall NAME"));
    }
    let mut text = String::new();
    for name in names {
        let home = Home::open(app, false)?;
        let without = ModuleConfig::without_dependency(&home.file, &home.text, name)
            .map_err(|error| home.refuse(&error))?
            .ok_or_else(|| home.unknown(name))?;
        home.write(&without)?;
        text.push_str(&format!(
            "Uninstalled module {name} from {}\n",
            home.file.display()
        ));
    }
    Ok(Output::text(text))
}

/// Moves pins to the commits that the versions are at now; without names, all of them.
///
/// # Errors
/// If a name is unknown, or a repository cannot be asked.
pub(super) async fn update(app: Arc<App>, names: Vec<String>) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let home = Home::open(&app, false)?;
    let mut text = String::new();
    for name in &names {
        if !home
            .config
            .dependencies
            .iter()
            .any(|known| known.is_called(name))
        {
            return Err(home.unknown(name));
        }
    }
    for known in &home.config.dependencies {
        if !names.is_empty() && !names.iter().any(|name| known.is_called(name)) {
            continue;
        }
        let parsed =
            ModuleReference::parse(&known.source, home.directory.join(&known.source).is_dir())
                .map_err(|error| Failure::usage(error.to_string()))?;
        let ModuleReference::Git(git) = parsed else {
            continue;
        };
        let found = engine
            .session
            .find_module(&home.directory, &known.source)
            .await?;
        let Some(origin) = found.origin else { continue };
        // A commit as version can only stay what it is; the pin then says the same.
        let pinned = Dependency {
            pin: Some(origin.commit.clone()),
            source: match git.commit() {
                Some(_) => git.address.clone(),
                None => known.source.clone(),
            },
            ..known.clone()
        };
        let now = Home::open(&app, false)?;
        now.write(&now.with(&pinned)?)?;
        let remark = match &known.pin {
            Some(before) if *before == origin.commit => format!("is at {before} already"),
            Some(before) => format!("from {before} to {}", origin.commit),
            None => format!("pinned to {}", origin.commit),
        };
        text.push_str(&format!(
            "Updated module {}: {remark}\n",
            known.display_name()
        ));
    }
    check(&app, &engine.session).await?;
    Ok(Output::text(text))
}

/// Loads the result once, so that what does not fit together is told now.
async fn check(app: &App, session: &Arc<Session>) -> Result<(), Failure> {
    let home = Home::open(app, false)?;
    let path = home.directory.display().to_string();
    let found = session.find_module(&home.directory, &path).await?;
    session.load_module(&found).await?;
    Ok(())
}

/// The configuration that is edited.
pub(super) struct Home {
    /// The file.
    pub(super) file: PathBuf,
    /// Its directory.
    pub(super) directory: PathBuf,
    /// What it says.
    pub(super) config: ModuleConfig,
    /// The same as text.
    pub(super) text: String,
}

impl Home {
    /// The module at hand: the one that `-m` names or the one around the working directory.
    pub(super) fn open(app: &App, create: bool) -> Result<Self, Failure> {
        let settings = &app.settings;
        let start = match settings.module.as_deref() {
            None => settings.workdir.clone(),
            Some(path) => settings.workdir.join(path),
        };
        let file = match (config::find_up(&start), create) {
            (Some(file), _) => file,
            (None, true) => Self::create(&start)?,
            (None, false) => {
                return Err(Failure::usage(format!(
                    "no module found in {} or above",
                    start.display()
                ))
                .hint("`nsci init --sdk=python` makes one; -m names another directory"));
            }
        };
        let text = fs::read_to_string(&file).map_err(|error| {
            Failure::usage(format!("cannot read {}", file.display())).because(&error)
        })?;
        let config = ModuleConfig::parse(&file, &text)
            .map_err(|error| Failure::usage("cannot load the module").because(&error))?;
        Ok(Self {
            directory: file.parent().map_or_else(|| start.clone(), PathBuf::from),
            file,
            config,
            text,
        })
    }

    fn create(directory: &Path) -> Result<PathBuf, Failure> {
        let name = directory.file_name().map(|name| name.to_string_lossy());
        let name = init::module_name(&name.unwrap_or_default());
        let file = directory.join("dagger.json");
        let text = format!("{{\n  \"name\": \"{name}\"\n}}\n");
        fs::write(&file, text).map_err(|error| {
            Failure::failed(format!("cannot write {}", file.display())).because(&error)
        })?;
        Ok(file)
    }

    fn check_name(&self, dependency: &Dependency) -> Result<(), Failure> {
        let name = dependency.display_name();
        let plain = |source: &str| source.split('@').next().unwrap_or(source).to_owned();
        let other = self.config.dependencies.iter().find(|known| {
            kebab(known.display_name()) == kebab(name)
                && plain(&known.source).trim_start_matches("./")
                    != plain(&dependency.source).trim_start_matches("./")
        });
        match other {
            None => Ok(()),
            Some(other) => Err(Failure::usage(format!(
                "`{name}` is the name of {} already",
                other.source
            ))
            .hint("--name=NAME gives the new one another")),
        }
    }

    fn with(&self, dependency: &Dependency) -> Result<String, Failure> {
        let is_toml = self
            .file
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml {
            return Err(
                Failure::usage(format!("cannot edit {}", self.file.display()))
                    .hint("add [[dependencies]] with name, source and pin by hand"),
            );
        }
        // An entry of an older form, a bare reference, is replaced by the new one.
        let old = self.config.dependencies.iter().find(|known| {
            known.name.is_none() && known.is_called(&dependency.source)
                || known.name.is_none() && known.display_name() == dependency.display_name()
        });
        let text = match old {
            None => self.text.clone(),
            Some(old) => ModuleConfig::without_dependency(&self.file, &self.text, &old.source)
                .map_err(|error| self.refuse(&error))?
                .unwrap_or_else(|| self.text.clone()),
        };
        let named = Dependency {
            name: Some(dependency.display_name().to_owned()),
            ..dependency.clone()
        };
        ModuleConfig::with_dependency(&self.file, &text, &named)
            .map_err(|error| self.refuse(&error))
    }

    fn refuse(&self, error: &config::ConfigError) -> Failure {
        Failure::usage(format!("cannot edit {}", self.file.display())).because(error)
    }

    fn unknown(&self, name: &str) -> Failure {
        let failure = Failure::usage(format!("{} uses no module `{name}`", self.file.display()));
        let names: Vec<&str> = self
            .config
            .dependencies
            .iter()
            .map(Dependency::display_name)
            .collect();
        match names.is_empty() {
            true => failure,
            false => failure.hint(format!("it uses {}", names.join(", "))),
        }
    }

    pub(super) fn write(&self, text: &str) -> Result<(), Failure> {
        // By rename, so that a full disk leaves the old one.
        let new = self.file.with_extension("json.new");
        fs::write(&new, text)
            .and_then(|()| fs::rename(&new, &self.file))
            .map_err(|error| {
                Failure::failed(format!("cannot write {}", self.file.display())).because(&error)
            })
    }
}

/// A path as seen from a directory, as configurations have it.
fn relative(from: &Path, to: &Path) -> String {
    let from: Vec<Component<'_>> = from.components().collect();
    let to: Vec<Component<'_>> = to.components().collect();
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let up = std::iter::repeat_n("..".to_owned(), from.len() - shared);
    let down = to[shared..]
        .iter()
        .map(|part| part.as_os_str().to_string_lossy().into_owned());
    let parts: Vec<String> = up.chain(down).collect();
    if parts.is_empty() {
        ".".to_owned()
    } else {
        parts.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_configuration() {
        for (from, to, wanted) in [
            ("/a/b", "/a/b/c", "c"),
            ("/a/b", "/a/c/d", "../c/d"),
            ("/a", "/a", "."),
            ("/a/b", "/a", ".."),
        ] {
            assert_eq!(relative(Path::new(from), Path::new(to)), wanted);
        }
    }
}
