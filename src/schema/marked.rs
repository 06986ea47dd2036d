//! `Check`, `Generator`, `Up` and their groups: functions of a module that are run because of what they are marked as.
//!
//! Each is run by a request of its own, as the client that asks, against the API in which the module is: that need
//! not be the API that the client sees. A check is run once in a session, however often its outcome is asked for.

use super::{
    Ctx,
    api::Api,
    changeset::{all_of, compared, merge, policy},
    gql::{Args, Executor, FieldError, Registry, Request, TypeTable, View},
    module_api::{OWN, loaded_value, spec},
    modules::ModuleSpec,
    object::{
        ChangesetRef, CheckGroupValue, CheckValue, DirectoryRef, ErrorValue, FileRef,
        GeneratorGroupValue, GeneratorValue, MarkedRef, ModuleValue, NamedValue, Object, Outcome,
        Root, UpGroupValue, UpValue,
    },
    service::on_host,
    shared::Field,
};
use crate::{
    graph::{OnConflict, Op, Vertex},
    module::{
        TypeKind,
        marked::{Mark, chosen},
    },
};
use futures_util::{
    future::{join_all, try_join_all},
    stream::{FuturesUnordered, StreamExt as _},
};
use serde_json::Value as Json;
use std::{fmt::Write as _, sync::Arc};

/// Ends the name of a check that runs a generator.
const UP_TO_DATE: [&str; 2] = ["upToDate", "up-to-date"];

pub(super) fn declare(registry: &mut Registry<Api>) {
    of_modules(registry);
    check(registry);
    check_group(registry);
    generator(registry);
    generator_group(registry);
    services(registry);
}

/// Declares the argument that chooses among functions with a mark.
pub(super) fn include<T: super::gql::FromObject<Object> + 'static>(
    field: Field<T>,
    mark: Mark,
) -> Field<T> {
    let plural = mark.plural();
    field.arg(
        "include: [String!]",
        format!("Names of {plural}, or of what has them; `*` stands for anything."),
    )
}

fn of_modules(registry: &mut Registry<Api>) {
    let mut module = registry.object::<ModuleValue>("Module");
    module
        .field("checks", "CheckGroup!", |f| {
            include(
                f.doc("Its checks, and its generators as checks that there is nothing to change."),
                Mark::Check,
            )
            .arg("noGenerate: Boolean", "Leave the generators out.")
            .resolve(|ctx, this, args| {
                let module = loaded(ctx, this)?;
                let patterns = patterns(args)?;
                let generators = !args.flag("noGenerate") && !ctx.before(0, 21, 0);
                let mut checks = checks(&module, generators);
                checks.retain(|check| check.is_chosen(&patterns));
                Ok(CheckGroupValue(checks))
            })
        })
        .field("check", "Check!", |f| {
            f.doc("One of its checks.")
                .arg("name: String!", "A name or pattern that chooses no other.")
                .resolve(|ctx, this, args| {
                    let module = loaded(ctx, this)?;
                    let all = checks(&module, !ctx.before(0, 21, 0));
                    let is_chosen =
                        |check: &CheckValue, patterns: &[String]| check.is_chosen(patterns);
                    one(
                        &module,
                        Mark::Check,
                        all,
                        args.get("name")?,
                        CheckValue::name,
                        is_chosen,
                    )
                })
        })
        .field("generators", "GeneratorGroup!", |f| {
            include(f.doc("Its functions that make files."), Mark::Generator)
                .resolve(|ctx, this, args| generators(&loaded(ctx, this)?, args))
        })
        .field("generator", "Generator!", |f| {
            f.doc("One of its generators.")
                .arg("name: String!", "A name or pattern that chooses no other.")
                .resolve(|ctx, this, args| {
                    let module = loaded(ctx, this)?;
                    let all = marked(&module, Mark::Generator);
                    let name = |of: &MarkedRef| of.function.name.clone();
                    let of = one(
                        &module,
                        Mark::Generator,
                        all,
                        args.get("name")?,
                        name,
                        MarkedRef::is_chosen,
                    )?;
                    Ok(GeneratorValue { of, changes: None })
                })
        })
        .field("services", "UpGroup!", |f| {
            include(f.doc("Its services to work with."), Mark::Service).resolve(
                |ctx, this, args| {
                    let mut found = marked(&loaded(ctx, this)?, Mark::Service);
                    let patterns = patterns(args)?;
                    found.retain(|of| of.is_chosen(&patterns));
                    Ok(UpGroupValue(found))
                },
            )
        });
}

fn loaded(ctx: &Ctx, module: &ModuleValue) -> Result<Arc<ModuleSpec>, FieldError> {
    spec(ctx, module)?
        .ok_or_else(|| FieldError::new("a module that is being built has no functions to run yet"))
}

fn patterns(args: &Args) -> Result<Vec<String>, FieldError> {
    Ok(args
        .get::<Option<Vec<String>>>("include")?
        .unwrap_or_default())
}

fn marked(module: &Arc<ModuleSpec>, mark: Mark) -> Vec<MarkedRef> {
    let found = module.marked(mark).into_iter();
    found
        .map(|(function, owner)| MarkedRef {
            module: loaded_value(module),
            owner: loaded_value(&owner),
            function,
        })
        .collect()
}

/// A module's checks, and its generators as checks if they can tell that there is nothing to change.
fn checks(module: &Arc<ModuleSpec>, generators: bool) -> Vec<CheckValue> {
    let check = |generator: bool| {
        move |of: MarkedRef| CheckValue {
            of,
            generator,
            outcome: None,
        }
    };
    let own = marked(module, Mark::Check).into_iter().map(check(false));
    let tells = |of: &MarkedRef| generators && of.gives() == Some("Changeset");
    let made = marked(module, Mark::Generator).into_iter().filter(tells);
    own.chain(made.map(check(true))).collect()
}

/// The generators of a module that the arguments choose.
pub(super) fn generators(
    module: &Arc<ModuleSpec>,
    args: &Args,
) -> Result<GeneratorGroupValue, FieldError> {
    let patterns = patterns(args)?;
    let found = marked(module, Mark::Generator).into_iter();
    let chosen = found.filter(|of| of.is_chosen(&patterns));
    let generator = |of| GeneratorValue { of, changes: None };
    Ok(GeneratorGroupValue(chosen.map(generator).collect()))
}

/// The only one that a name or pattern chooses; the one that has exactly this name comes first.
fn one<T>(
    module: &ModuleSpec,
    mark: Mark,
    all: Vec<T>,
    wanted: String,
    name: impl Fn(&T) -> String,
    is_chosen: impl Fn(&T, &[String]) -> bool,
) -> Result<T, FieldError> {
    let names: Vec<String> = all.iter().map(&name).collect();
    let pattern = [wanted];
    let exact = names.iter().filter(|name| **name == pattern[0]).count() == 1;
    let mut found: Vec<T> = all
        .into_iter()
        .filter(|one| match exact {
            true => name(one) == pattern[0],
            false => is_chosen(one, &pattern),
        })
        .collect();
    let (module, [wanted]) = (&module.config.name, &pattern);
    let (singular, plural) = (mark.singular(), mark.plural());
    match found.len() {
        1 => Ok(found.remove(0)),
        0 if names.is_empty() => Err(FieldError::new(format!(
            "module `{module}` has no {plural}"
        ))),
        0 => Err(FieldError::new(format!(
            "module `{module}` has no {singular} `{wanted}`; it has {}",
            names.join(", ")
        ))),
        _ => {
            let names: Vec<String> = found.iter().map(name).collect();
            Err(FieldError::new(format!(
                "`{wanted}` chooses several {plural} of module `{module}`: {}",
                names.join(", ")
            )))
        }
    }
}

impl MarkedRef {
    fn is_chosen(&self, patterns: &[String]) -> bool {
        chosen(patterns, &self.function.name)
    }

    /// The type of the object that it gives, if it gives one.
    fn gives(&self) -> Option<&str> {
        match &self.function.returns.kind {
            TypeKind::Object { name } => Some(name),
            _ => None,
        }
    }
}

impl CheckValue {
    fn name(&self) -> String {
        let name = &self.of.function.name;
        match self.generator {
            true => format!("{name}:{}", UP_TO_DATE[1]),
            false => name.clone(),
        }
    }

    fn path(&self) -> Vec<String> {
        let mut path = self.of.function.path.clone();
        path.extend(self.generator.then(|| UP_TO_DATE[0].to_owned()));
        path
    }

    /// A generator's own name chooses it too.
    fn is_chosen(&self, patterns: &[String]) -> bool {
        self.of.is_chosen(patterns) || chosen(patterns, &self.name())
    }

    fn passed(&self) -> bool {
        matches!(self.outcome, Some(Outcome { error: None }))
    }

    fn emoji(&self) -> &'static str {
        match (&self.outcome, self.passed()) {
            (None, _) => "",
            (_, true) => "🟢",
            (_, false) => "🔴",
        }
    }

    fn kind(&self) -> &'static str {
        match self.generator {
            true => "generate",
            false => "check",
        }
    }
}

/// What has to be selected of a result to make it happen now; nothing if it has no parts.
pub fn settled(types: &TypeTable, view: View, result: &TypeKind) -> &'static str {
    let has_sync = |name: &str| {
        types
            .get(name)
            .is_some_and(|ty| ty.field("sync", view).is_some())
    };
    match result {
        TypeKind::Object { name } if has_sync(name) => "{sync}",
        TypeKind::Object { .. } | TypeKind::Interface { .. } => "{id}",
        TypeKind::List { of } => settled(types, view, &of.kind),
        _ => "",
    }
}

/// Calls a function and gives the answer; `selection` is what is asked of its result.
async fn call(
    ctx: &Ctx,
    of: &MarkedRef,
    selection: Option<&'static str>,
) -> Result<Json, FieldError> {
    let module = loaded(ctx, &of.module)?;
    let schema = ctx.backend().modules()?.calling(&module)?;
    let selection = selection
        .unwrap_or_else(|| settled(schema.table(), View::LATEST, &of.function.returns.kind));
    let (api, caller) = (Arc::clone(ctx.backend()), Arc::clone(ctx.client()));
    let executor = Executor::new(schema, api, caller, View::LATEST, Object::Query(Root));
    let request = Request::new(of.function.request(OWN, selection));
    let mut answer = executor.execute(&request).await.to_json();
    let Some(error) = answer["errors"].get(0) else {
        return Ok(answer["data"].take());
    };
    let message = error["message"].as_str().unwrap_or("it failed");
    let details = error["extensions"].as_object().into_iter().flatten();
    Err(
        details.fold(FieldError::new(message), |error, (name, value)| {
            error.with(name.clone(), value.clone())
        }),
    )
}

/// Runs a generator.
async fn changes(ctx: &Ctx, of: &MarkedRef) -> Result<ChangesetRef, FieldError> {
    let wrong = |what: String| FieldError::new(format!("generator `{}` {what}", of.function.name));
    if !matches!(of.gives(), Some("Changeset" | "Directory")) {
        return Err(wrong("gives no Changeset or Directory".into()));
    }
    let answer = call(ctx, of, Some("{sync}")).await.map_err(|error| {
        let message = format!("generator `{}`: {}", of.function.name, error.message);
        FieldError { message, ..error }
    })?;
    let mut id = &answer;
    while let Some((_, inner)) = id.as_object().and_then(|fields| fields.iter().next()) {
        id = inner;
    }
    match id.as_str().and_then(|id| ctx.backend().find(id)) {
        Some(Object::Changeset(changes)) => Ok(changes),
        Some(Object::Directory(directory)) => Ok(all_of(directory)),
        _ => Err(wrong("gave nothing".into())),
    }
}

async fn perform(ctx: &Ctx, check: &CheckValue) -> Outcome {
    let result = match check.generator {
        false => call(ctx, &check.of, None).await.map(drop),
        true => up_to_date(ctx, &check.of).await,
    };
    Outcome {
        error: result.err().map(error_value),
    }
}

async fn up_to_date(ctx: &Ctx, of: &MarkedRef) -> Result<(), FieldError> {
    let changes = changes(ctx, of).await?;
    let changes = compared(ctx, &changes).await?;
    if changes.is_empty() {
        return Ok(());
    }
    let paths = [changes.added, changes.modified, changes.removed].concat();
    Err(FieldError::new(format!(
        "generator `{}` would change {}",
        of.function.name,
        paths.join(", ")
    )))
}

fn error_value(error: FieldError) -> ErrorValue {
    let values = error.extensions.into_iter();
    ErrorValue {
        message: error.message,
        values: values
            .map(|(name, value)| NamedValue {
                name,
                value: value.to_string(),
            })
            .collect(),
    }
}

/// Runs a check, unless that was done already in this session.
async fn run(ctx: &Ctx, check: &CheckValue) -> Result<CheckValue, FieldError> {
    let module = loaded(ctx, &check.of.module)?;
    let cell = ctx
        .backend()
        .check_cell((module.identity.clone(), check.path()));
    let outcome = cell.get_or_init(|| perform(ctx, check)).await;
    Ok(CheckValue {
        outcome: Some(outcome.clone()),
        ..check.clone()
    })
}

/// Runs checks at the same time. If they are to fail fast, those that still run when one failed are stopped and
/// stay without an outcome.
async fn run_all(
    ctx: &Ctx,
    mut checks: Vec<CheckValue>,
    fail_fast: bool,
) -> Result<Vec<CheckValue>, FieldError> {
    let started = checks.clone();
    let numbered = |(at, check)| async move { (at, run(ctx, check).await) };
    let mut running: FuturesUnordered<_> = started.iter().enumerate().map(numbered).collect();
    while let Some((at, ended)) = running.next().await {
        checks[at] = ended?;
        if fail_fast && !checks[at].passed() {
            break;
        }
    }
    Ok(checks)
}

fn check(registry: &mut Registry<Api>) {
    let mut check = registry.object::<CheckValue>("Check");
    check
        .doc("A function of a module that says by failing that something is wrong.")
        .field("name", "String!", |f| {
            f.doc("Its name in the module; names of what leads to it come first, with `:` between them.")
                .resolve(|_, this, _| Ok(this.name()))
        })
        .field("path", "[String!]!", |f| {
            f.doc("The fields that lead to it.")
                .resolve(|_, this, _| Ok(this.path()))
        })
        .field("description", "String!", |f| {
            f.doc("What it is for.")
                .resolve(|_, this, _| Ok(this.of.function.description.clone()))
        })
        .field("checkType", "String!", |f| {
            f.doc("`check`, or `generate` if it runs a generator, which must have nothing to change.")
                .resolve(|_, this, _| Ok(this.kind()))
        })
        .field("originalModule", "Module!", |f| {
            f.doc("The module that has it: the one that was asked, or a toolchain.")
                .resolve(|_, this, _| Ok(this.of.owner.clone()))
        })
        .field("run", "Check!", |f| {
            f.doc("Runs it. That it fails is no error here: `passed` and `error` of the result say it.")
                .resolve_async(|ctx, this, _| async move { run(&ctx, &this).await })
        })
        .field("completed", "Boolean!", |f| {
            f.doc("Whether it was run to its end.")
                .resolve(|_, this, _| Ok(this.outcome.is_some()))
        })
        .field("passed", "Boolean!", |f| {
            f.doc("Whether it was run and nothing is wrong.")
                .resolve(|_, this, _| Ok(this.passed()))
        })
        .field("error", "Error", |f| {
            f.doc("Why it failed; none if it passed or was not run.")
                .resolve(|_, this, _| {
                    let outcome = this.outcome.as_ref();
                    Ok(outcome.and_then(|outcome| outcome.error.clone()))
                })
        })
        .field("resultEmoji", "String!", |f| {
            f.doc("🟢 if it passed, 🔴 if it failed; empty if it was not run.")
                .resolve(|_, this, _| Ok(this.emoji()))
        });
}

fn check_group(registry: &mut Registry<Api>) {
    let mut group = registry.object::<CheckGroupValue>("CheckGroup");
    group
        .doc("Checks of a module.")
        .field("list", "[Check!]!", |f| {
            f.doc("Each of them.")
                .resolve(|_, this, _| Ok(this.0.clone()))
        })
        .field("run", "CheckGroup!", |f| {
            f.doc(
                "Runs them at the same time. That some fail is no error here: the results say it.",
            )
            .arg(
                "failFast: Boolean",
                "Stop when the first fails; what still ran then is not completed.",
            )
            .resolve_async(|ctx, this, args| async move {
                let done = run_all(&ctx, this.0, args.flag("failFast")).await?;
                Ok(CheckGroupValue(done))
            })
        })
        .field("report", "File!", |f| {
            f.doc("What became of them, as Markdown.")
                .resolve(|_, this, _| {
                    let op = Op::NewFile {
                        name: "checks.md".into(),
                        contents: report(&this.0),
                        permissions: 0o644,
                    };
                    Ok(FileRef(Vertex::new(op, vec![])))
                })
        });
}

/// A table of checks, and below it why some failed.
fn report(checks: &[CheckValue]) -> String {
    let mut text =
        "| check | type | description | result |\n| --- | --- | --- | --- |\n".to_owned();
    for check in checks {
        let doc = check.of.function.description.lines().next();
        let doc = doc.unwrap_or_default().replace('|', "\\|");
        let (name, kind, emoji) = (check.name(), check.kind(), check.emoji());
        _ = writeln!(text, "| {name} | {kind} | {doc} | {emoji} |");
    }
    for check in checks {
        if let Some(Outcome { error: Some(error) }) = &check.outcome {
            _ = write!(text, "\n## {}\n\n", check.name());
            for line in error.message.lines() {
                _ = writeln!(text, "    {line}");
            }
        }
    }
    text
}

/// What a generator made when it was run.
fn made(ctx: &Ctx, generator: &GeneratorValue) -> Result<ChangesetRef, FieldError> {
    let name = &generator.of.function.name;
    let id = generator.changes.as_deref().ok_or_else(|| {
        FieldError::new(format!(
            "generator `{name}` was not run; ask for its `run` first"
        ))
    })?;
    ctx.load(id, Some("Changeset"))
}

async fn generate(ctx: &Ctx, generator: &GeneratorValue) -> Result<GeneratorValue, FieldError> {
    let changes = changes(ctx, &generator.of).await?;
    Ok(GeneratorValue {
        of: generator.of.clone(),
        changes: Some(ctx.backend().keep(&changes.into())),
    })
}

fn generator(registry: &mut Registry<Api>) {
    let mut generator = registry.object::<GeneratorValue>("Generator");
    generator
        .doc("A function of a module that makes files.")
        .field("name", "String!", |f| {
            f.doc("Its name in the module; names of what leads to it come first, with `:` between them.")
                .resolve(|_, this, _| Ok(this.of.function.name.clone()))
        })
        .field("path", "[String!]!", |f| {
            f.doc("The fields that lead to it.")
                .resolve(|_, this, _| Ok(this.of.function.path.clone()))
        })
        .field("description", "String!", |f| {
            f.doc("What it is for.")
                .resolve(|_, this, _| Ok(this.of.function.description.clone()))
        })
        .field("originalModule", "Module!", |f| {
            f.doc("The module that has it: the one that was asked, or a toolchain.")
                .resolve(|_, this, _| Ok(this.of.owner.clone()))
        })
        .field("run", "Generator!", |f| {
            f.doc("Runs it; nothing is written to the host.")
                .resolve_async(|ctx, this, _| async move { generate(&ctx, &this).await })
        })
        .field("completed", "Boolean!", |f| {
            f.doc("Whether it was run.")
                .resolve(|_, this, _| Ok(this.changes.is_some()))
        })
        .field("changes", "Changeset!", |f| {
            f.doc("What it made when it was run; what makes a directory adds all that is in it.")
                .resolve(|ctx, this, _| made(ctx, this))
        })
        .field("isEmpty", "Boolean!", |f| {
            f.doc("Whether there was nothing to change when it was run.")
                .resolve_async(|ctx, this, _| async move {
                    let changes = made(&ctx, &this)?;
                    Ok(compared(&ctx, &changes).await?.is_empty())
                })
        });
}

fn generator_group(registry: &mut Registry<Api>) {
    let mut group = registry.object::<GeneratorGroupValue>("GeneratorGroup");
    group
        .doc("Generators of a module.")
        .field("list", "[Generator!]!", |f| {
            f.doc("Each of them.")
                .resolve(|_, this, _| Ok(this.0.clone()))
        })
        .field("run", "GeneratorGroup!", |f| {
            f.doc("Runs them at the same time; nothing is written to the host.")
                .resolve_async(|ctx, this, _| async move {
                    let ran = join_all(this.0.iter().map(|one| generate(&ctx, one))).await;
                    Ok(GeneratorGroupValue(all_or_why(ran)?))
                })
        })
        .field("changes", "Changeset!", |f| {
            f.doc("What they made when they were run, in one.")
                .arg(
                    "onConflict: ChangesetsMergeConflict = FAIL_EARLY",
                    "What to do where they conflict.",
                )
                .resolve_async(|ctx, this, args| async move {
                    merged(&ctx, &this.0, policy(&args)).await
                })
        })
        .field("isEmpty", "Boolean!", |f| {
            f.doc("Whether there was nothing to change when they were run.")
                .resolve_async(|ctx, this, _| async move {
                    for one in &this.0 {
                        if !compared(&ctx, &made(&ctx, one)?).await?.is_empty() {
                            return Ok(false);
                        }
                    }
                    Ok(true)
                })
        })
        .field("loadFailures", "[String!]!", |f| {
            f.doc("Why generators are missing: nothing, as a module of which a part cannot be loaded is not loaded.")
                .resolve(|_, _, _| Ok(Vec::<String>::new()))
        });
}

/// What generators made, in one. It is made at once, so that an error can name those that do not go together.
async fn merged(
    ctx: &Ctx,
    generators: &[GeneratorValue],
    on_conflict: OnConflict,
) -> Result<ChangesetRef, FieldError> {
    let engine = ctx.backend().engine();
    let mut before: Vec<(&GeneratorValue, ChangesetRef)> = Vec::new();
    let mut all: Option<ChangesetRef> = None;
    for generator in generators {
        let one = made(ctx, generator)?;
        let sum = match &all {
            None => one.clone(),
            Some(all) => merge(all, &one, on_conflict),
        };
        if let Err(error) = engine.directory(&sum.after.0).await {
            for (other, changes) in &before {
                let pair = merge(changes, &one, on_conflict);
                if let Err(error) = engine.directory(&pair.after.0).await {
                    let names = [other, generator].map(|one| &one.of.function.name);
                    let error = FieldError::from(error);
                    let message = format!(
                        "generators `{}` and `{}`: {}",
                        names[0], names[1], error.message
                    );
                    return Err(FieldError { message, ..error });
                }
            }
            return Err(error.into());
        }
        before.push((generator, one));
        all = Some(sum);
    }
    let empty = || all_of(DirectoryRef(Vertex::new(Op::EmptyDirectory, vec![])));
    Ok(all.unwrap_or_else(empty))
}

/// All results, or all that went wrong in one error.
fn all_or_why<T>(results: Vec<Result<T, FieldError>>) -> Result<Vec<T>, FieldError> {
    let (mut good, mut bad) = (Vec::new(), Vec::new());
    for result in results {
        match result {
            Ok(value) => good.push(value),
            Err(error) => bad.push(error),
        }
    }
    let messages: Vec<String> = bad.iter().map(|error| error.message.clone()).collect();
    match bad.pop() {
        None => Ok(good),
        Some(last) => Err(FieldError {
            message: messages.join("\n"),
            ..last
        }),
    }
}

/// Runs a service and opens its ports on the host until it ends.
async fn up(ctx: &Ctx, of: &MarkedRef) -> Result<(), FieldError> {
    on_host(ctx)?;
    let name = &of.function.name;
    if !matches!(of.gives(), Some("Service" | "Container")) {
        return Err(FieldError::new(format!(
            "service `{name}` gives no Service or Container"
        )));
    }
    let ended = call(ctx, of, Some("{up}")).await;
    ended.map(drop).map_err(|error| FieldError {
        message: format!("service `{name}`: {}", error.message),
        ..error
    })
}

fn services(registry: &mut Registry<Api>) {
    let mut service = registry.object::<UpValue>("Up");
    service
        .doc("A function of a module that gives a service to work with.")
        .field("name", "String!", |f| {
            f.doc("Its name in the module; names of what leads to it come first, with `:` between them.")
                .resolve(|_, this, _| Ok(this.0.function.name.clone()))
        })
        .field("path", "[String!]!", |f| {
            f.doc("The fields that lead to it.")
                .resolve(|_, this, _| Ok(this.0.function.path.clone()))
        })
        .field("description", "String!", |f| {
            f.doc("What it is for.")
                .resolve(|_, this, _| Ok(this.0.function.description.clone()))
        })
        .field("originalModule", "Module!", |f| {
            f.doc("The module that has it: the one that was asked, or a toolchain.")
                .resolve(|_, this, _| Ok(this.0.owner.clone()))
        })
        .field("run", "Up!", |f| {
            f.doc("Runs it and opens its ports on the host until it ends.")
                .resolve_async(|ctx, this, _| async move {
                    up(&ctx, &this.0).await?;
                    Ok(this)
                })
        });
    let mut group = registry.object::<UpGroupValue>("UpGroup");
    group
        .doc("Services of a module.")
        .field("list", "[Up!]!", |f| {
            f.doc("Each of them.").resolve(|_, this, _| {
                let each = this.0.iter().cloned().map(UpValue);
                Ok(each.collect::<Vec<_>>())
            })
        })
        .field("run", "UpGroup!", |f| {
            f.doc("Runs them and opens their ports on the host until all have ended or one fails.")
                .resolve_async(|ctx, this, _| async move {
                    try_join_all(this.0.iter().map(|of| up(&ctx, of))).await?;
                    Ok(this)
                })
        });
}
