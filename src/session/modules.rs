//! Loads a module with everything it builds on: finds them, each once, and tells what is wrong by file and line.
//!
//! A module is known by where it is, not by its name: the same directory used twice is one module, and two modules
//! of one name get different names in the session. [`load`](super::load) makes each ready to be called.

use super::load::{self, Located, User};
use crate::{
    error::{Error, Kind, Result},
    graph::fingerprint,
    module::{
        Dependency, GitReference, ModuleConfig, ModuleReference, ModuleTypes, ObjectType, Role,
        SdkKind,
        config::{self, clean},
        names,
        reference::is_commit,
    },
    schema::{
        self, Api, Caller, DefaultPaths, DependencySpec, FoundModule, Made, ModuleOrigin,
        ModuleSpec, Object, Root, declare_constructor, declare_types,
        gql::{Executor, Registry, Request, Schema, View},
    },
    source::git_modules::{GitError, GitModules},
};
use futures_util::future::BoxFuture;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

/// Finds and loads modules of one session.
#[derive(Debug)]
pub(super) struct Modules {
    api: Arc<Api>,
    git: GitModules,
    /// The API without modules.
    core: Registry<Api>,
    loaded: Mutex<Vec<Arc<ModuleSpec>>>,
}

/// What generators of clients ask.
const INTROSPECTION: &str = "query { __schemaVersion __schema { queryType { name } mutationType { name } \
    subscriptionType { name } types { ...T } directives { name description locations args { ...I } } } } \
    fragment T on __Type { kind name description fields(includeDeprecated: true) { name description \
    args { ...I } type { ...R } isDeprecated deprecationReason } inputFields { ...I } \
    interfaces { ...R } enumValues(includeDeprecated: true) { name description isDeprecated \
    deprecationReason } possibleTypes { ...R } } \
    fragment I on __InputValue { name description type { ...R } defaultValue } \
    fragment R on __Type { kind name ofType { kind name ofType { kind name ofType { kind name \
    ofType { kind name } } } } }";

/// Modules that are being loaded, outermost first: identity and name.
type Chain = Vec<(String, String)>;

impl Modules {
    pub(super) fn new(api: Arc<Api>, core: Registry<Api>, git: GitModules) -> Self {
        Self {
            api,
            git,
            core,
            loaded: Mutex::default(),
        }
    }

    /// Every module loaded so far, dependencies before those that use them.
    pub(super) fn all(&self) -> Vec<Arc<ModuleSpec>> {
        self.lock().clone()
    }

    /// The core, the types of all modules, so that their objects can be told apart, and these constructors.
    pub(super) fn schema(
        &self,
        constructors: &[(String, Arc<ModuleSpec>)],
    ) -> Result<Arc<Schema<Api>>> {
        self.build(&self.all(), constructors)
    }

    /// What code that uses these modules sees of the API; the same in every session.
    ///
    /// `own` is the module whose code it is, if it calls itself.
    pub(super) fn visible(
        &self,
        dependencies: &[DependencySpec],
        own: Option<&Arc<ModuleSpec>>,
    ) -> Result<Arc<Schema<Api>>> {
        let mut types: Vec<Arc<ModuleSpec>> = Vec::new();
        for spec in dependencies.iter().flat_map(|used| used.module.closure()) {
            if types.iter().all(|known| known.identity != spec.identity) {
                types.push(spec);
            }
        }
        let mut constructors: Vec<_> = dependencies
            .iter()
            .map(|used| (used.query_field(), Arc::clone(&used.module)))
            .collect();
        if let Some(own) = own {
            types.push(Arc::clone(own));
            own.offer_to_itself(&mut constructors);
        }
        self.build(&types, &constructors)
    }

    fn build(
        &self,
        types: &[Arc<ModuleSpec>],
        constructors: &[(String, Arc<ModuleSpec>)],
    ) -> Result<Arc<Schema<Api>>> {
        let mut registry = self.core.clone();
        for spec in types {
            declare_types(&mut registry, spec);
        }
        for (field, spec) in constructors {
            declare_constructor(&mut registry, spec, field);
        }
        schema::build(registry).map_err(|error| {
            Error::invalid(error.message)
                .hint("a module's types clash with each other or with the core's")
        })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Arc<ModuleSpec>>> {
        self.loaded.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Finds what a reference names, relative to `base`.
    ///
    /// # Errors
    /// If it is no reference, or its repository has no such version.
    pub(super) async fn find(
        &self,
        base: &Path,
        text: &str,
        pin: Option<&str>,
    ) -> Result<FoundModule> {
        match parse(base, text)? {
            ModuleReference::Local(path) => Ok(FoundModule {
                directory: clean(&base.join(path)),
                origin: None,
                context: None,
                config: None,
            }),
            ModuleReference::Git(git) => self.fetch(&git, pin).await,
        }
    }

    async fn fetch(&self, git: &GitReference, pin: Option<&str>) -> Result<FoundModule> {
        let outside = |error: GitError| {
            let what = format!("cannot fetch the module {git}");
            let kind = match error {
                GitError::NoVersion { .. } => Kind::Invalid,
                _ => Kind::Outside,
            };
            Error::caused(kind, what, error)
        };
        let commit = match pin.or(git.commit()) {
            Some(commit) => commit.to_owned(),
            None => self
                .git
                .resolve(&git.url, &git.candidates())
                .await
                .map_err(outside)?,
        };
        let checkout = self
            .git
            .checkout(&git.url, &commit)
            .await
            .map_err(outside)?;
        Ok(FoundModule {
            directory: checkout.root.join(&git.subpath),
            origin: Some(ModuleOrigin {
                url: git.url.clone(),
                address: git.address.clone(),
                subpath: git.subpath.clone(),
                version: git.version.clone(),
                commit,
            }),
            context: Some(checkout.root),
            config: None,
        })
    }

    /// Loads the module that a directory is in, and what it builds on.
    ///
    /// # Errors
    /// If there is none, or it or a dependency is wrong.
    pub(super) async fn load(&self, found: &FoundModule) -> Result<Arc<ModuleSpec>> {
        let file = match &found.origin {
            None => config::find_up(&found.directory),
            Some(_) => config::in_directory(&found.directory),
        };
        let file = file.ok_or_else(|| {
            let shown = match &found.origin {
                None => format!("{} or above", found.directory.display()),
                Some(origin) => format!("{} at {}", origin.address, origin.commit),
            };
            Error::invalid(format!("no module found in {shown}"))
                .hint("`nsci init --sdk=python` makes one; -m names another directory")
        })?;
        let mut located = locate(found, &file);
        if let Some(config) = &found.config {
            let key = fingerprint("config", config);
            located.identity = format!("{} with {key}", located.identity);
            located.config = Some(config.clone());
        }
        self.load_tree(located, None, Vec::new()).await
    }

    fn load_tree<'a>(
        &'a self,
        mut located: Located,
        alias: Option<&'a str>,
        mut chain: Chain,
    ) -> BoxFuture<'a, Result<Arc<ModuleSpec>>> {
        Box::pin(async move {
            let instance = located.instance();
            let known = |spec: &&Arc<ModuleSpec>| spec.identity == instance;
            if let Some(spec) = self.lock().iter().find(known) {
                return Ok(Arc::clone(spec));
            }
            let config = match located.config.take() {
                Some(config) => served(*config)?,
                None => read(&located.file)?,
            };
            located.context = context(&located, &config)?;
            chain.push((located.identity.clone(), config.name.clone()));
            let users = chain.clone();
            let blueprint = match &config.blueprint {
                None => None,
                Some(declared) => Some(self.blueprint(&located, declared, &mut chain).await?),
            };
            let (home, code) = blueprint
                .as_ref()
                .map_or((&located, &config), |(home, code)| (home, code));
            let own = located.place();
            let lent = match (&located.user, &blueprint) {
                (Some(user), Some(_)) => &user.place,
                _ => &own,
            };
            let mut spec = self.load_code(home, code, lent, &chain).await?;
            if let Some(user) = &located.user {
                spec.defaults = user.place.clone();
            }
            if blueprint.is_some() {
                let used = &mut spec.dependencies;
                self.add_used(used, &located, &config, Role::Toolchain, lent, &users)
                    .await?;
                spec.defaults = lent.clone();
                take_over(&mut spec, &located, config);
            }
            self.settle(&mut spec, alias, &located)?;
            let spec = Arc::new(spec);
            let mut loaded = self.lock();
            // Loaded by somebody else in the meantime.
            if let Some(known) = loaded.iter().find(|known| known.identity == spec.identity) {
                return Ok(Arc::clone(known));
            }
            loaded.push(Arc::clone(&spec));
            Ok(spec)
        })
    }

    /// Loads what a configuration says of code: the modules it uses, and the code itself.
    async fn load_code(
        &self,
        home: &Located,
        config: &ModuleConfig,
        lent: &DefaultPaths,
        chain: &Chain,
    ) -> Result<ModuleSpec> {
        let mut dependencies = Vec::new();
        for role in [Role::Dependency, Role::Toolchain] {
            self.add_used(&mut dependencies, home, config, role, lent, chain)
                .await?;
        }
        let sdk = self.sdk(home, config, chain).await?;
        let uses = load::Uses { dependencies, sdk };
        load::load_one(self, &self.api, config.clone(), home, uses).await
    }

    /// Gives a loaded module what it has in this session only: its identity, its names, and others' defaults.
    fn settle(&self, spec: &mut ModuleSpec, alias: Option<&str>, located: &Located) -> Result<()> {
        let own = spec.config.name.clone();
        let name = self.free_name(alias.unwrap_or(&own), &own);
        spec.identity = located.instance();
        offer_toolchains(spec)?;
        self.settle_names(spec, &name, located)?;
        check_toolchain_names(spec, located)?;
        match &located.user {
            Some(user) => user.customize(&mut spec.types),
            None => Ok(()),
        }
    }

    /// Finds the module that another takes its functions from, and reads its configuration.
    async fn blueprint(
        &self,
        user: &Located,
        declared: &Dependency,
        chain: &mut Chain,
    ) -> Result<(Located, ModuleConfig)> {
        let mut located = self
            .locate_used(user, declared, Role::Blueprint, chain)
            .await?;
        let config = read(&located.file)?;
        located.context = context(&located, &config)?;
        let refuse = |why: &str| {
            let place = config::place_in(&user.file, &declared.source);
            let name = declared.display_name();
            Error::invalid(format!("{place}: blueprint `{name}` {why}"))
        };
        if let Some(further) = &config.blueprint {
            let further = &further.source;
            return Err(refuse("takes its functions from a blueprint itself")
                .hint(format!("name that one here: {further}")));
        }
        if config.sdk.is_none() && config.toolchains.is_empty() {
            return Err(refuse("has no functions")
                .hint("a blueprint is a module with an SDK or toolchains"));
        }
        chain.push((located.identity.clone(), config.name.clone()));
        Ok((located, config))
    }

    /// Loads the modules that a configuration names in a role, and adds them to those that are used already.
    async fn add_used(
        &self,
        used: &mut Vec<DependencySpec>,
        home: &Located,
        config: &ModuleConfig,
        role: Role,
        place: &DefaultPaths,
        chain: &Chain,
    ) -> Result<()> {
        for declared in config.used(role) {
            let mut located = self.locate_used(home, declared, role, chain).await?;
            if role == Role::Toolchain {
                located.user = Some(User {
                    identity: home.instance(),
                    file: home.file.clone(),
                    place: place.clone(),
                    declared: declared.clone(),
                });
            }
            let spec = self
                .load_tree(located, declared.name.as_deref(), chain.clone())
                .await?;
            let name = declared
                .name
                .clone()
                .unwrap_or_else(|| spec.config.name.clone());
            let field = names::lower_camel(&name);
            if used.iter().any(|other| other.query_field() == field) {
                let place = config::place_in(&home.file, &declared.source);
                return Err(Error::invalid(format!(
                    "{place}: two dependencies are called `{name}`"
                ))
                .hint("give one of them another \"name\""));
            }
            used.push(DependencySpec {
                name,
                module: spec,
                is_toolchain: role == Role::Toolchain,
            });
        }
        Ok(())
    }

    /// Finds a module that a configuration names.
    async fn locate_used(
        &self,
        dependent: &Located,
        declared: &Dependency,
        role: Role,
        chain: &Chain,
    ) -> Result<Located> {
        let noun = role.noun();
        let name = declared.display_name();
        let base = dependent.root();
        let place = || config::place_in(&dependent.file, &declared.source);
        let parsed = parse(base, &declared.source)
            .map_err(|error| Error::invalid(format!("{}: {error}", place())))?;
        let found = match parsed {
            ModuleReference::Local(path) => FoundModule {
                directory: clean(&base.join(path)),
                origin: None,
                context: Some(dependent.context.clone()).filter(|_| dependent.origin.is_some()),
                config: None,
            },
            ModuleReference::Git(git) => {
                let pin = declared.pin.as_deref().or(git.commit());
                let Some(pin) = pin else {
                    let message = format!("{}: {noun} `{name}` has no pin", place());
                    return Err(Error::invalid(message).hint(format!(
                        "`nsci update {name}` writes the commit that {git} is at now"
                    )));
                };
                if !is_commit(pin) {
                    let message = format!(
                        "{}: the pin of {noun} `{name}` is no commit: {pin}",
                        config::place_in(&dependent.file, pin)
                    );
                    return Err(
                        Error::invalid(message).hint(format!("`nsci update {name}` writes one"))
                    );
                }
                self.fetch(&git, Some(pin)).await.map_err(|error| {
                    let what = format!("{}: cannot fetch {noun} `{name}`", place());
                    Error::caused(error.kind().clone(), what, error)
                })?
            }
        };
        let inside = |spec: &ModuleOrigin| ModuleOrigin {
            subpath: relative(&dependent.context, &found.directory),
            ..spec.clone()
        };
        let origin = found
            .origin
            .clone()
            .or_else(|| dependent.origin.as_ref().map(inside));
        if let Some(root) = found
            .context
            .as_ref()
            .filter(|root| !found.directory.starts_with(root))
        {
            return Err(Error::invalid(format!(
                "{}: {noun} `{name}` is outside of its repository",
                place()
            ))
            .hint(format!("it may only name what is below {}", root.display())));
        }
        let file = config::in_directory(&found.directory).ok_or_else(|| {
            let what = match found.directory.is_dir() {
                false => format!("there is no directory {}", found.directory.display()),
                true => format!("{} has no dagger.json", found.directory.display()),
            };
            Error::invalid(format!("{}: cannot load {noun} `{name}`: {what}", place())).hint(
                format!(
                    "correct its \"source\", or remove it{}",
                    match role {
                        Role::Dependency => format!(" with `nsci uninstall {name}`"),
                        Role::Toolchain => format!(" with `nsci toolchain uninstall {name}`"),
                        Role::Blueprint => String::new(),
                    }
                ),
            )
        })?;
        let located = Located {
            origin,
            ..locate(&found, &file)
        };
        if let Some(at) = chain
            .iter()
            .position(|(identity, _)| *identity == located.identity)
        {
            let names: Vec<&str> = chain[at..]
                .iter()
                .chain(&chain[at..=at])
                .map(|(_, name)| name.as_str())
                .collect();
            return Err(Error::invalid(format!(
                "{}: modules depend on each other: {}",
                place(),
                names.join(" → ")
            ))
            .hint("remove one of these dependencies, for instance this one"));
        }
        Ok(located)
    }

    /// The module that is a module's SDK, if it names one.
    async fn sdk(
        &self,
        located: &Located,
        config: &ModuleConfig,
        chain: &Chain,
    ) -> Result<Option<Arc<ModuleSpec>>> {
        let Some(named) = &config.sdk else {
            return Ok(None);
        };
        let Err(unknown) = SdkKind::find(&named.source) else {
            return Ok(None);
        };
        let is_reference = named.source.contains('/') || named.source.starts_with('.');
        if !is_reference {
            let place = config::place_in(&located.file, &named.source);
            return Err(Error::invalid(format!("{place}: {unknown}")).hint(format!(
                "there are {}, and references of modules that are SDKs",
                SdkKind::choices()
            )));
        }
        let declared = Dependency {
            source: named.source.clone(),
            pin: named.pin.clone(),
            ..Dependency::default()
        };
        let sdk = self
            .locate_used(located, &declared, Role::Dependency, chain)
            .await?;
        self.load_tree(sdk, None, chain.clone()).await.map(Some)
    }

    /// Asks a module that is an SDK for the container that another runs in; gives the container's id.
    pub(super) async fn module_runtime(
        &self,
        sdk: &Arc<ModuleSpec>,
        source: &str,
        introspection: &str,
    ) -> Result<String> {
        let can = sdk.types.main().and_then(|main| {
            main.functions
                .iter()
                .find(|function| function.api_name == "moduleRuntime")
        });
        let Some(function) = can else {
            return Err(Error::invalid(format!(
                "module `{}` is no SDK: it has no function `moduleRuntime`",
                sdk.name
            )));
        };
        let mut args = format!("modSource:{}", serde_json::Value::from(source));
        if function
            .args
            .iter()
            .any(|arg| arg.api_name == "introspectionJson")
        {
            args.push_str(&format!(
                ",introspectionJson:{}",
                serde_json::Value::from(introspection)
            ));
        }
        let field = sdk.query_field();
        let schema = self.schema(&[(field.clone(), Arc::clone(sdk))])?;
        let query = format!("{{{field}{{moduleRuntime({args}){{id}}}}}}");
        let answer = self.ask(schema, query).await?;
        let id = answer["data"][&field]["moduleRuntime"]["id"].as_str();
        id.map(str::to_owned).ok_or_else(|| {
            let said = answer["errors"][0]["message"]
                .as_str()
                .unwrap_or("it gave nothing");
            Error::invalid(format!("SDK `{}` failed: {said}", sdk.name))
        })
    }

    /// The API as code that uses these modules sees it, as an introspection answer.
    pub(super) async fn introspection(&self, used: &[DependencySpec]) -> Result<String> {
        let schema = self.visible(used, None)?;
        let answer = self.ask(schema, INTROSPECTION.to_owned()).await?;
        Ok(answer["data"].to_string())
    }

    /// Asks as the main client would.
    async fn ask(&self, schema: Arc<Schema<Api>>, query: String) -> Result<serde_json::Value> {
        let (api, caller) = (Arc::clone(&self.api), Caller::main());
        let executor = Executor::new(schema, api, caller, View::LATEST, Object::Query(Root));
        Ok(executor.execute(&Request::new(query)).await.to_json())
    }

    /// A name that no loaded module has: the wanted one, the module's own, or one with a number.
    fn free_name(&self, wanted: &str, own: &str) -> String {
        let loaded = self.lock();
        let taken = |name: &str| {
            let name = names::pascal(name);
            loaded.iter().any(|spec| names::pascal(&spec.name) == name)
        };
        let numbered = (2..).map(|number| format!("{own}{number}"));
        [wanted.to_owned(), own.to_owned()]
            .into_iter()
            .chain(numbered)
            .find(|name| !taken(name))
            .expect("numbers do not end")
    }

    /// Puts the names of this session into a module's types.
    fn settle_names(&self, spec: &mut ModuleSpec, name: &str, located: &Located) -> Result<()> {
        let wrong = |error| {
            let what = format!("cannot load module `{}`", spec.config.name);
            Error::caused(Kind::Invalid, what, error)
        };
        if name != spec.name && !spec.types.main_object.is_empty() {
            spec.types = std::mem::take(&mut spec.types)
                .renamed(name)
                .map_err(wrong)?;
        }
        name.clone_into(&mut spec.name);
        if self.api.is_core_type(&names::pascal(name)) && !spec.types.main_object.is_empty() {
            let place = config::place_in(&located.file, &spec.config.name);
            return Err(Error::invalid(format!(
                "{place}: a module cannot be called `{name}`: the API has a type of that name"
            ))
            .hint("give it another \"name\""));
        }
        spec.classify();
        Ok(())
    }
}

/// Reads a configuration that this engine can serve.
fn read(file: &Path) -> Result<ModuleConfig> {
    let wrong = |error| Error::caused(Kind::Invalid, "cannot load the module", error);
    ModuleConfig::load(file).map_err(wrong).and_then(served)
}

/// A configuration, if this engine can serve it.
fn served(config: ModuleConfig) -> Result<ModuleConfig> {
    match config.check_engine(&View::LATEST.to_string()) {
        Ok(()) => Ok(config),
        Err(error) => Err(Error::caused(
            Kind::Invalid,
            "cannot load the module",
            error,
        )),
    }
}

/// Makes what was loaded from a blueprint the module that names it.
fn take_over(spec: &mut ModuleSpec, located: &Located, config: ModuleConfig) {
    spec.blueprint = Some(std::mem::replace(&mut spec.config, config));
    spec.origin.clone_from(&located.origin);
    located.root().clone_into(&mut spec.directory);
    spec.context.clone_from(&located.context);
    spec.made = Made::default();
}

/// Gives a module without functions, but with toolchains, an object that these are functions of.
fn offer_toolchains(spec: &mut ModuleSpec) -> Result<()> {
    let has_toolchains = spec.dependencies.iter().any(|used| used.is_toolchain);
    if !has_toolchains || !spec.types.main_object.is_empty() || spec.name.is_empty() {
        return Ok(());
    }
    let types = ModuleTypes {
        objects: vec![ObjectType {
            name: names::pascal(&spec.name),
            ..ObjectType::default()
        }],
        ..ModuleTypes::default()
    };
    spec.types = types
        .finish(&spec.name)
        .map_err(|error| Error::caused(Kind::Internal, "cannot offer toolchains", error))?;
    Ok(())
}

/// A toolchain is a function of the main object, so it cannot be called like another one.
fn check_toolchain_names(spec: &ModuleSpec, located: &Located) -> Result<()> {
    let Some(main) = spec.types.main() else {
        return Ok(());
    };
    let functions = main.functions.iter().map(|function| &function.api_name);
    let taken: Vec<&String> = functions
        .chain(main.fields.iter().map(|field| &field.api_name))
        .collect();
    let toolchains = spec.dependencies.iter().filter(|used| used.is_toolchain);
    for used in toolchains {
        if taken.contains(&&used.query_field()) {
            return Err(Error::invalid(format!(
                "{}: module `{}` has a function and a toolchain called `{}`",
                config::place_in(&located.file, &used.name),
                spec.name,
                used.name
            ))
            .hint("give the toolchain another \"name\""));
        }
    }
    Ok(())
}

fn parse(base: &Path, text: &str) -> Result<ModuleReference> {
    let is_directory = base.join(text).is_dir();
    ModuleReference::parse(text, is_directory).map_err(|error| Error::invalid(error.to_string()))
}

fn locate(found: &FoundModule, file: &Path) -> Located {
    let root = file.parent().unwrap_or(Path::new("/"));
    let identity = match &found.origin {
        None => root.display().to_string(),
        Some(origin) => format!("{}#{}@{}", origin.url, origin.subpath, origin.commit),
    };
    Located {
        identity,
        file: file.to_owned(),
        origin: found.origin.clone(),
        context: found.context.clone().unwrap_or_else(|| root.to_owned()),
        user: None,
        config: None,
    }
}

/// The directory that absolute default paths are relative to: the repository, what an old configuration names, or
/// the module itself.
fn context(located: &Located, config: &ModuleConfig) -> Result<PathBuf> {
    let root = located.root();
    if located.origin.is_some() {
        return Ok(located.context.clone());
    }
    if let Some(named) = &config.root {
        let context = clean(&root.join(named));
        if root.starts_with(&context) {
            return Ok(context);
        }
        let place = config::place_in(&located.file, named);
        return Err(Error::invalid(format!(
            "{place}: `root` must be the module's directory or one above it"
        )));
    }
    let repository = root
        .ancestors()
        .find(|directory| directory.join(".git").exists());
    Ok(repository.unwrap_or(root).to_owned())
}

fn relative(base: &Path, path: &Path) -> String {
    path.strip_prefix(base).map_or_else(
        |_| String::new(),
        |inside| inside.to_string_lossy().into_owned(),
    )
}
