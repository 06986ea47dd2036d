//! `nsci install`, `uninstall` and `update`, and the same of `nsci toolchain`: the modules in a module's configuration.
//!
//! Configurations are edited, not written anew: what else they say stays. A module from git is pinned to the commit
//! it is at when it is installed; `update` moves the pin.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nsci::module::names::kebab;
use nsci::module::{Dependency, ModuleConfig, ModuleReference, Role, config, init};
use nsci::session::Session;
use serde_json::json;

use crate::app::App;
use crate::args::{ToolchainVerb, table};
use crate::output::{Output, pretty};
use crate::report::Failure;

/// Adds modules to the one at hand; makes a configuration without functions where there is none.
///
/// # Errors
/// If a reference leads to no module, or names clash.
pub(super) async fn install(
    app: Arc<App>,
    role: Role,
    references: Vec<String>,
    name: Option<String>,
) -> Result<Output, Failure> {
    if name.is_some() && references.len() > 1 {
        return Err(Failure::usage("--name is for one module at a time"));
    }
    if references.is_empty() {
        let what = noun(role);
        return Err(Failure::usage(format!("there is no {what} to install"))
            .hint("nsci install github.com/OWNER/REPO/PATH@VERSION, or a directory"));
    }
    let engine = app.engine().await?;
    let mut text = String::new();
    for reference in &references {
        let home = Home::open(&app, true)?;
        let dependency = declaration(
            &app,
            &engine.session,
            &home.directory,
            reference,
            name.clone(),
        )
        .await?;
        home.check_name(role, &dependency)?;
        home.write(&home.with(role, &dependency)?)?;
        text.push_str(&format!(
            "Installed {} {} in {}\n",
            noun(role),
            dependency.display_name(),
            home.file.display()
        ));
    }
    check(&app, &engine.session).await?;
    Ok(Output::text(text))
}

/// What a configuration in `directory` says of the module that a reference leads to.
///
/// # Errors
/// If it leads to no module.
pub(super) async fn declaration(
    app: &App,
    session: &Arc<Session>,
    directory: &Path,
    reference: &str,
    name: Option<String>,
) -> Result<Dependency, Failure> {
    let found = session
        .find_module(&app.settings.workdir, reference)
        .await?;
    if found.origin.is_none() && config::in_directory(&found.directory).is_none() {
        return Err(Failure::usage(format!(
            "no module at {reference}: {} has no dagger.json",
            found.directory.display()
        )));
    }
    let loaded = session.load_module(&found).await?;
    let name = Some(name.unwrap_or_else(|| loaded.config.name.clone()));
    let (source, pin) = match &loaded.origin {
        None => (config::relative(directory, &loaded.dir), None),
        Some(origin) => {
            let source = match &origin.version {
                Some(version) if *version != origin.commit => {
                    format!("{}@{version}", origin.address)
                }
                _ => origin.address.clone(),
            };
            (source, Some(origin.commit.clone()))
        }
    };
    if source == "." {
        return Err(Failure::usage("a module cannot use itself"));
    }
    Ok(Dependency {
        name,
        source,
        pin,
        ..Dependency::default()
    })
}

/// What messages call a module of that role.
fn noun(role: Role) -> &'static str {
    match role {
        Role::Dependency => "module",
        role => role.noun(),
    }
}

/// Removes modules from the one at hand, by name or reference.
///
/// # Errors
/// If it does not use them.
pub(super) fn uninstall(app: &App, role: Role, names: &[String]) -> Result<Output, Failure> {
    let what = noun(role);
    if names.is_empty() {
        return Err(
            Failure::usage(format!("there is no {what} to uninstall")).hint("nsci uninstall NAME")
        );
    }
    let mut text = String::new();
    for name in names {
        let home = Home::open(app, false)?;
        let without = ModuleConfig::without_dependency(&home.file, &home.text, role, name)
            .map_err(|error| home.refuse(&error))?
            .ok_or_else(|| home.unknown(&[role], name))?;
        home.write(&without)?;
        text.push_str(&format!(
            "Uninstalled {what} {name} from {}\n",
            home.file.display()
        ));
    }
    Ok(Output::text(text))
}

/// Moves pins to the commits that the versions are at now; without names, all of them.
///
/// # Errors
/// If a name is unknown, or a repository cannot be asked.
pub(super) async fn update(
    app: Arc<App>,
    roles: &'static [Role],
    names: Vec<String>,
) -> Result<Output, Failure> {
    let engine = app.engine().await?;
    let home = Home::open(&app, false)?;
    let mut text = String::new();
    for name in &names {
        if !home.used(roles).any(|(_, known)| known.is_called(name)) {
            return Err(home.unknown(roles, name));
        }
    }
    for (role, known) in home.used(roles) {
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
        now.write(&now.with(role, &pinned)?)?;
        let remark = match &known.pin {
            Some(before) if *before == origin.commit => format!("is at {before} already"),
            Some(before) => format!("from {before} to {}", origin.commit),
            None => format!("pinned to {}", origin.commit),
        };
        text.push_str(&format!(
            "Updated {} {}: {remark}\n",
            noun(role),
            known.display_name()
        ));
    }
    check(&app, &engine.session).await?;
    Ok(Output::text(text))
}

/// Does what `nsci toolchain` asks.
///
/// # Errors
/// Those of the commands of the same names.
pub(super) async fn toolchain(app: Arc<App>, verb: ToolchainVerb) -> Result<Output, Failure> {
    let role = Role::Toolchain;
    match verb {
        ToolchainVerb::Install { references, name } => install(app, role, references, name).await,
        ToolchainVerb::Uninstall(names) => uninstall(&app, role, &names),
        ToolchainVerb::Update(names) => update(app, &[Role::Toolchain], names).await,
        ToolchainVerb::List { json } => toolchains(&app, json),
        ToolchainVerb::Help => Ok(Output::default()),
    }
}

fn toolchains(app: &App, as_json: bool) -> Result<Output, Failure> {
    let home = Home::open(app, false)?;
    let toolchains = &home.config.toolchains;
    if as_json {
        let list = toolchains.iter().map(
            |known| json!({"name": known.display_name(), "source": known.source, "pin": known.pin}),
        );
        return Ok(Output::text(pretty(&list.collect())));
    }
    if toolchains.is_empty() {
        return Ok(Output {
            text: String::new(),
            remark: format!(
                "{} has no toolchains; `nsci toolchain install REF` adds one",
                home.file.display()
            ),
        });
    }
    let rows = toolchains.iter().map(|known| {
        let place = match &known.pin {
            Some(pin) => format!("{}\n{pin}", known.source),
            None => known.source.clone(),
        };
        (known.display_name().to_owned(), place)
    });
    Ok(Output::text(table(rows)))
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

    /// The modules it uses in these roles.
    fn used<'a>(&'a self, roles: &'a [Role]) -> impl Iterator<Item = (Role, &'a Dependency)> {
        let of = |role: Role| {
            let used = self.config.used(role).iter();
            used.map(move |used| (role, used))
        };
        roles.iter().copied().flat_map(of)
    }

    fn check_name(&self, role: Role, dependency: &Dependency) -> Result<(), Failure> {
        let name = dependency.display_name();
        let plain = |source: &str| source.split('@').next().unwrap_or(source).to_owned();
        let mut used = self.used(&[Role::Dependency, Role::Toolchain]);
        let other = used.find(|(other, known)| {
            kebab(known.display_name()) == kebab(name)
                && (*other != role
                    || plain(&known.source).trim_start_matches("./")
                        != plain(&dependency.source).trim_start_matches("./"))
        });
        match other {
            None => Ok(()),
            Some((_, other)) => Err(Failure::usage(format!(
                "`{name}` is the name of {} already",
                other.source
            ))
            .hint("--name=NAME gives the new one another")),
        }
    }

    fn with(&self, role: Role, dependency: &Dependency) -> Result<String, Failure> {
        let is_toml = self
            .file
            .extension()
            .is_some_and(|extension| extension == "toml");
        if is_toml {
            return Err(
                Failure::usage(format!("cannot edit {}", self.file.display())).hint(format!(
                    "add [[{}]] with name, source and pin by hand",
                    role.key()
                )),
            );
        }
        // An entry of an older form, a bare reference, is replaced by the new one.
        let old = self.config.used(role).iter().find(|known| {
            known.name.is_none() && known.is_called(&dependency.source)
                || known.name.is_none() && known.display_name() == dependency.display_name()
        });
        let text = match old {
            None => self.text.clone(),
            Some(old) if old.customizations.is_empty() => {
                ModuleConfig::without_dependency(&self.file, &self.text, role, &old.source)
                    .map_err(|error| self.refuse(&error))?
                    .unwrap_or_else(|| self.text.clone())
            }
            // It is replaced where it stands, so that what it says of arguments stays.
            Some(_) => self.text.clone(),
        };
        let named = Dependency {
            name: Some(dependency.display_name().to_owned()),
            ..dependency.clone()
        };
        ModuleConfig::with_dependency(&self.file, &text, role, &named)
            .map_err(|error| self.refuse(&error))
    }

    fn refuse(&self, error: &config::ConfigError) -> Failure {
        Failure::usage(format!("cannot edit {}", self.file.display())).because(error)
    }

    fn unknown(&self, roles: &[Role], name: &str) -> Failure {
        let what = match roles {
            [role] => noun(*role),
            _ => "module",
        };
        let file = self.file.display();
        let failure = Failure::usage(format!("{file} uses no {what} `{name}`"));
        let names: Vec<&str> = self
            .used(roles)
            .map(|(_, known)| known.display_name())
            .collect();
        let is_toolchain = |known: &Dependency| known.is_called(name);
        if !roles.contains(&Role::Toolchain) && self.config.toolchains.iter().any(is_toolchain) {
            return failure.hint(format!(
                "`nsci toolchain uninstall {name}` removes the toolchain"
            ));
        }
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
