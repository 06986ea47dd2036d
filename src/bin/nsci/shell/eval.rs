//! Runs what the shell's user wrote: words become arguments, calls become steps of a chain, and a pipeline is one
//! request to the engine.

use std::collections::HashMap;
use std::sync::Arc;

use futures_util::future::{BoxFuture, FutureExt as _};
use nsci::module::names::kebab;
use nsci::schema::Api;
use nsci::schema::gql::{ArgDef, FieldDef, Schema, TypeDef};
use nsci::session::LoadedModule;
use serde_json::Value as Json;

use super::builtin;
use super::syntax::{Part, Pipeline, Statement, Word};
use crate::app::{App, Engine};
use crate::args::flag::nearest;
use crate::chain::query::{self, Leaf};
use crate::chain::value::{Given, Kind, Surroundings, quote};
use crate::chain::{Chain, Start, Step, is_required, menu, object, result_name};
use crate::output;
use crate::report::Failure;

/// What a pipeline gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    /// A text, or what is not text as JSON.
    Text(String),
    /// An object of the API.
    Object {
        /// Its type.
        type_name: String,
        /// Its id.
        id: String,
    },
    /// Several.
    List(Vec<Self>),
}

/// A shell while it runs.
pub(crate) struct Shell {
    pub(super) app: Arc<App>,
    pub(super) engine: Engine,
    /// The module whose functions need no prefix.
    pub(super) module: Option<Arc<LoadedModule>>,
    variables: HashMap<String, Value>,
    /// What was not printed yet.
    pub(super) out: String,
    /// Set by `.exit`.
    pub(super) done: bool,
}

/// Where a pipeline stands.
struct Line<'a> {
    steps: Vec<Step<'a>>,
    at: Option<&'a TypeDef>,
    /// A value that no call was made on yet.
    value: Option<Value>,
}

impl Shell {
    pub(crate) fn new(app: Arc<App>, engine: Engine, module: Option<Arc<LoadedModule>>) -> Self {
        Self {
            app,
            engine,
            module,
            variables: HashMap::new(),
            out: String::new(),
            done: false,
        }
    }

    /// Runs statements and gives what they print.
    ///
    /// # Errors
    /// The first that fails ends it; what was printed before stays in the result of [`Self::printed`].
    pub(crate) async fn run(&mut self, statements: &[Statement]) -> Result<(), Failure> {
        for statement in statements {
            if self.done {
                break;
            }
            match &statement.variable {
                Some(name) => {
                    let value = self.value(&statement.pipeline).await?;
                    self.variables.insert(name.clone(), value);
                }
                None => {
                    let text = self.text(&statement.pipeline).await?;
                    self.out.push_str(&text);
                    if !text.is_empty() && !text.ends_with('\n') {
                        self.out.push('\n');
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes what was printed so far.
    pub(crate) fn printed(&mut self) -> String {
        std::mem::take(&mut self.out)
    }

    /// What a pipeline gives, for a variable or an argument.
    fn value<'s>(&'s mut self, pipeline: &'s Pipeline) -> BoxFuture<'s, Result<Value, Failure>> {
        async move {
            let schema = self.engine.session.schema();
            let line = self.line(pipeline, &schema).await?;
            if let Some(value) = line.value {
                return Ok(value);
            }
            let chain = chain(line.steps);
            let start = self.start(&schema);
            let leaf = match chain.last().map(|field| (field, field.ty.name())) {
                Some((_, name)) if schema.table().get(name).is_some_and(TypeDef::is_composite) => {
                    Leaf::Object {
                        fields: Vec::new(),
                        idable: true,
                    }
                }
                _ => Leaf::of(&chain, start)?,
            };
            let value = self.ask(&chain, &leaf).await?;
            let type_name = chain.last().map_or("", |field| {
                field.expected.as_deref().unwrap_or_else(|| field.ty.name())
            });
            Ok(understood(&leaf, type_name, value))
        }
        .boxed()
    }

    /// What a pipeline gives, as it is shown.
    async fn text(&mut self, pipeline: &Pipeline) -> Result<String, Failure> {
        let schema = self.engine.session.schema();
        if let Some(text) = self.builtin(pipeline, &schema).await? {
            return Ok(text);
        }
        let line = self.line(pipeline, &schema).await?;
        if let Some(value) = line.value {
            return Ok(match value {
                Value::Object { type_name, id } => format!("{type_name}@{}", digest(&id)),
                other => plain(&other)?,
            });
        }
        let chain = chain(line.steps);
        let leaf = Leaf::of(&chain, self.start(&schema))?;
        let value = self.ask(&chain, &leaf).await?;
        let type_name = chain.last().map_or("", |field| {
            field.expected.as_deref().unwrap_or_else(|| field.ty.name())
        });
        Ok(output::result(&leaf, type_name, &value, false))
    }

    async fn ask(&self, chain: &Chain<'_>, leaf: &Leaf) -> Result<Json, Failure> {
        let ids = match query::objects(&chain.steps) {
            None => Vec::new(),
            Some((text, paths)) => {
                let data = self.engine.request(text).await?;
                let id = |path: &Vec<String>| {
                    let keys: Vec<&str> = path.iter().map(String::as_str).collect();
                    query::descend(data.clone(), &keys)
                };
                paths.iter().map(id).collect()
            }
        };
        let data = self
            .engine
            .request(query::request(chain, leaf, &ids))
            .await?;
        Ok(query::value(chain, leaf, data))
    }

    pub(super) fn around<'a>(&'a self, schema: &'a Arc<Schema<Api>>) -> Surroundings<'a> {
        Surroundings {
            types: schema.table(),
            view: self.app.settings.view(),
            env: &self.app.settings.around.env,
        }
    }

    fn start<'a>(&'a self, schema: &'a Arc<Schema<Api>>) -> Start<'a> {
        Start {
            around: self.around(schema),
            constructor: None,
            owner: "the shell",
            module: self.module.as_ref().map(|module| &module.types),
            own: &[],
        }
    }

    /// A command of the shell itself, if the pipeline is or ends with one.
    async fn builtin(
        &mut self,
        pipeline: &Pipeline,
        schema: &Arc<Schema<Api>>,
    ) -> Result<Option<String>, Failure> {
        let Some(last) = pipeline.calls.last() else {
            return Ok(None);
        };
        let name = last
            .first()
            .filter(|word| !word.quoted)
            .and_then(Word::as_text);
        let Some(name) = name.filter(|name| builtin::is_one(name)).map(str::to_owned) else {
            return Ok(None);
        };
        let mut words = Vec::new();
        for word in &last[1..] {
            words.push(plain(&self.word(word).await?)?);
        }
        let before = &pipeline.calls[..pipeline.calls.len() - 1];
        let at = if before.is_empty() {
            None
        } else {
            let before = Pipeline {
                calls: before.to_vec(),
            };
            self.line(&before, schema)
                .await?
                .at
                .map(|ty| ty.name.to_string())
        };
        builtin::run(self, &name, &words, at.as_deref(), schema)
            .await
            .map(Some)
    }

    /// The steps of a pipeline.
    async fn line<'a>(
        &mut self,
        pipeline: &Pipeline,
        schema: &'a Arc<Schema<Api>>,
    ) -> Result<Line<'a>, Failure> {
        let mut calls = pipeline.calls.iter();
        let first = calls
            .next()
            .ok_or_else(|| Failure::usage("there is nothing to call"))?;
        let mut line = self.first(first, schema).await?;
        for call in calls {
            let name = self.word(&call[0]).await?;
            let name = plain(&name)?;
            self.follow(&mut line, &name, &call[1..], schema).await?;
        }
        Ok(line)
    }

    /// The first call: a value, a function of the module at hand, a module, or a function of the core.
    async fn first<'a>(
        &mut self,
        call: &[Word],
        schema: &'a Arc<Schema<Api>>,
    ) -> Result<Line<'a>, Failure> {
        let types = schema.table();
        let root = types.get("Query");
        let mut line = Line {
            steps: Vec::new(),
            at: root,
            value: None,
        };
        let value = self.word(&call[0]).await?;
        let name = match value {
            Value::Text(name) if call[0].as_text().is_some() => name,
            value => {
                if call.len() > 1 {
                    return Err(Failure::usage(
                        "a value takes no arguments; `|` calls its functions",
                    ));
                }
                if let Value::Object { type_name, id } = &value {
                    line.steps.push(loaded(schema, type_name, id)?);
                    line.at = object(types, type_name);
                    // A later call goes on from there; without one the value is the result.
                }
                line.value = Some(value);
                return Ok(line);
            }
        };
        let wanted = kebab(&name);
        let view = self.app.settings.view();
        let constructor = self
            .module
            .as_ref()
            .map(|module| module.query_field.clone());
        if let Some(module) = self.module.clone().filter(|module| module.has_functions()) {
            let main = root
                .and_then(|root| root.field(&module.query_field, view))
                .ok_or_else(|| Failure::internal("the module is loaded, but not in the API"))?;
            let functions = object(types, result_name(main))
                .map(TypeDef::fields)
                .unwrap_or_default();
            if functions
                .iter()
                .any(|field| kebab(&field.name) == wanted && field.name != "id")
            {
                line.steps.push(Step {
                    field: main,
                    args: Vec::new(),
                });
                line.at = object(types, result_name(main));
                self.follow(&mut line, &name, &call[1..], schema).await?;
                return Ok(line);
            }
            if kebab(&module.name) == wanted {
                let args = self.arguments(main, &call[1..], schema).await?;
                line.steps.push(Step { field: main, args });
                line.at = object(types, result_name(main));
                return Ok(line);
            }
        }
        let is_reference = name.contains('/') || name == "." || name == "..";
        if is_reference {
            let module = self.app.module_at(&self.engine, &name).await?;
            return Err(
                Failure::usage(format!("module `{}` is loaded now", module.name)).hint(format!(
                    "`.use {name}` makes its functions available; then `{} | …`",
                    kebab(&module.name)
                )),
            );
        }
        let known = root.is_some_and(|root| {
            root.fields()
                .iter()
                .any(|field| kebab(&field.name) == wanted)
        });
        if !known {
            let own = self.module.as_ref().and_then(|module| module.types.main());
            let own = own.into_iter().flat_map(|main| &main.functions);
            let mut names: Vec<String> = own.map(|function| function.cli_name.clone()).collect();
            names.extend(
                root.into_iter()
                    .flat_map(|root| menu(root, self.around(schema)))
                    .map(|entry| kebab(&entry.field.name)),
            );
            names.extend(constructor.iter().map(|name| kebab(name)));
            let failure = Failure::usage(format!("no function or module `{name}`"));
            return Err(match nearest(&wanted, names.iter().map(String::as_str)) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`.help` lists what there is"),
            });
        }
        self.follow(&mut line, &name, &call[1..], schema).await?;
        Ok(line)
    }

    /// One more call.
    async fn follow<'a>(
        &mut self,
        line: &mut Line<'a>,
        name: &str,
        words: &[Word],
        schema: &'a Arc<Schema<Api>>,
    ) -> Result<(), Failure> {
        line.value = None;
        let wanted = kebab(name);
        let owner = line.at.map_or("the result", |ty| &*ty.name);
        let Some(ty) = line.at else {
            return Err(Failure::usage(format!(
                "no function `{name}`: the result has none"
            )));
        };
        let view = self.app.settings.view();
        let field = ty
            .fields()
            .iter()
            .find(|field| kebab(&field.name) == wanted && field.marks.views.contains(view));
        let Some(field) = field else {
            let names: Vec<String> = menu(ty, self.around(schema))
                .iter()
                .map(|entry| kebab(&entry.field.name))
                .collect();
            let failure = Failure::usage(format!("no function `{name}` in {owner}"));
            return Err(match nearest(&wanted, names.iter().map(String::as_str)) {
                Some(near) => failure.hint(format!("did you mean `{near}`?")),
                None => failure.hint("`… | .help` lists what there is"),
            });
        };
        let args = self.arguments(field, words, schema).await?;
        line.steps.push(Step { field, args });
        line.at = object(schema.table(), result_name(field));
        Ok(())
    }

    /// Arguments of a call: flags by name, the rest in the order of the required ones. A list takes all that is left.
    async fn arguments<'a>(
        &mut self,
        field: &'a FieldDef,
        words: &[Word],
        schema: &'a Arc<Schema<Api>>,
    ) -> Result<Vec<(&'a ArgDef, Given)>, Failure> {
        let types = schema.table();
        let view = self.app.settings.view();
        let shown: Vec<&ArgDef> = field
            .args
            .iter()
            .filter(|arg| arg.marks.views.contains(view) && !arg.marks.hidden)
            .collect();
        let mut given: Vec<(&'a ArgDef, Vec<Value>)> = Vec::new();
        let mut add = |arg: &'a ArgDef, value: Value| match given
            .iter_mut()
            .find(|(known, _)| known.name == arg.name)
        {
            Some((_, values)) => values.push(value),
            None => given.push((arg, vec![value])),
        };
        let mut positional = Vec::new();
        let mut words = words.iter();
        let mut flags = true;
        while let Some(word) = words.next() {
            let start = match word.parts.first() {
                Some(Part::Text(text)) if flags && !word.quoted => text.as_str(),
                _ => "",
            };
            if start == "--" && word.parts.len() == 1 {
                flags = false;
                continue;
            }
            let Some(flag) = start.strip_prefix("--") else {
                positional.push(self.word(word).await?);
                continue;
            };
            let (name, value) = match flag.split_once('=') {
                Some((name, rest)) => {
                    let mut value = word.clone();
                    value.parts[0] = Part::Text(rest.to_owned());
                    if rest.is_empty() && value.parts.len() > 1 {
                        value.parts.remove(0);
                    }
                    (name, Some(self.word(&value).await?))
                }
                None => (flag, None),
            };
            let arg = shown.iter().find(|arg| kebab(&arg.name) == kebab(name));
            let arg = arg.ok_or_else(|| {
                let names: Vec<String> = shown.iter().map(|arg| kebab(&arg.name)).collect();
                let failure = Failure::usage(format!(
                    "unknown flag of `{}`: --{name}",
                    kebab(&field.name)
                ));
                match nearest(name, names.iter().map(String::as_str)) {
                    Some(near) => failure.hint(format!("did you mean `--{near}`?")),
                    None => failure.hint("what stands after `--` is no flag"),
                }
            })?;
            let value = match value {
                Some(value) => value,
                None if Kind::of(arg, types, view).is_some_and(|kind| kind.is_switch()) => {
                    Value::Text("true".into())
                }
                None => {
                    let word = words
                        .next()
                        .ok_or_else(|| Failure::usage(format!("flag needs a value: --{name}")))?;
                    self.word(word).await?
                }
            };
            add(arg, value);
        }
        let taken: Vec<String> = given.iter().map(|(arg, _)| arg.name.to_string()).collect();
        let free: Vec<&'a ArgDef> = shown
            .iter()
            .copied()
            .filter(|arg| is_required(arg) && taken.iter().all(|name| *name != arg.name))
            .collect();
        let mut add = |arg: &'a ArgDef, value: Value| match given
            .iter_mut()
            .find(|(known, _)| known.name == arg.name)
        {
            Some((_, values)) => values.push(value),
            None => given.push((arg, vec![value])),
        };
        let mut free = free.into_iter().peekable();
        for value in positional {
            // Some arguments only look optional, because older clients call them otherwise; an object finds its place.
            let fitting = match &value {
                Value::Object { type_name, .. } => shown.iter().copied().find(|arg| {
                    arg.expected.as_deref() == Some(type_name.as_str())
                        && taken.iter().all(|name| *name != arg.name)
                }),
                _ => None,
            };
            let Some(arg) = free.peek().copied().or(fitting) else {
                return Err(Failure::usage(format!(
                    "`{}` takes no further argument: {}",
                    kebab(&field.name),
                    plain(&value).unwrap_or_else(|_| "an object".into())
                ))
                .hint("optional arguments are given as flags: --name value"));
            };
            if !matches!(arg.ty.nullable(), nsci::schema::gql::TypeRef::List(_)) {
                free.next();
            }
            add(arg, value);
        }
        let missing: Vec<String> = shown
            .iter()
            .filter(|arg| is_required(arg) && given.iter().all(|(known, _)| known.name != arg.name))
            .map(|arg| format!("<{}>", kebab(&arg.name)))
            .collect();
        if !missing.is_empty() {
            return Err(Failure::usage(format!(
                "`{}` needs {}",
                kebab(&field.name),
                missing.join(" ")
            )));
        }
        let around = self.around(schema);
        given
            .into_iter()
            .map(|(arg, values)| Ok((arg, read(arg, values, around)?)))
            .collect()
    }

    /// The value of a word.
    fn word<'s>(&'s mut self, word: &'s Word) -> BoxFuture<'s, Result<Value, Failure>> {
        async move {
            if let [part] = word.parts.as_slice() {
                return self.part(part).await;
            }
            let mut text = String::new();
            for part in &word.parts {
                text.push_str(plain(&self.part(part).await?)?.trim_end_matches('\n'));
            }
            Ok(Value::Text(text))
        }
        .boxed()
    }

    async fn part(&mut self, part: &Part) -> Result<Value, Failure> {
        match part {
            Part::Text(text) => Ok(Value::Text(text.clone())),
            Part::Variable(name) => match self.variables.get(name) {
                Some(value) => Ok(value.clone()),
                None => match self.app.settings.around.env.get(name) {
                    Some(text) => Ok(Value::Text(text.clone())),
                    None => Err(Failure::usage(format!("there is no variable `{name}`"))
                        .hint(format!("{name}=… sets it"))),
                },
            },
            Part::Result(statements) => {
                let Some((last, before)) = statements.split_last() else {
                    return Ok(Value::Text(String::new()));
                };
                self.run(before).await?;
                let value = self.value(&last.pipeline).await?;
                Ok(match value {
                    Value::Text(text) => Value::Text(text.trim_end_matches('\n').to_owned()),
                    other => other,
                })
            }
        }
    }
}

fn chain(steps: Vec<Step<'_>>) -> Chain<'_> {
    Chain {
        steps,
        output: None,
        json: false,
        help: false,
    }
}

/// The step that goes on from an object.
fn loaded<'a>(
    schema: &'a Arc<Schema<Api>>,
    type_name: &str,
    id: &str,
) -> Result<Step<'a>, Failure> {
    let name = format!("load{type_name}FromID");
    let root = schema.table().get("Query");
    let field = root.and_then(|root| root.fields().iter().find(|field| field.name == name));
    let field =
        field.ok_or_else(|| Failure::internal(format!("a {type_name} cannot be loaded")))?;
    let arg = field
        .args
        .first()
        .ok_or_else(|| Failure::internal(format!("{name} takes no id")))?;
    Ok(Step {
        field,
        args: vec![(arg, Given::Literal(quote(id)))],
    })
}

/// An argument from values: objects go by their ids, texts are read as flags are.
fn read(arg: &ArgDef, values: Vec<Value>, around: Surroundings<'_>) -> Result<Given, Failure> {
    let is_list = matches!(arg.ty.nullable(), nsci::schema::gql::TypeRef::List(_));
    let values: Vec<Value> = values
        .into_iter()
        .flat_map(|value| match value {
            Value::List(items) if is_list => items,
            value => vec![value],
        })
        .collect();
    if values.iter().all(|value| matches!(value, Value::Text(_))) {
        let kind = Kind::of(arg, around.types, around.view).ok_or_else(|| {
            Failure::usage(format!(
                "`{}` cannot be given as text: it is {}",
                kebab(&arg.name),
                arg.expected.as_deref().unwrap_or_else(|| arg.ty.name())
            ))
            .hint("$( … ) gives an object")
        })?;
        // Words of a list are its elements as they are; commas mean nothing here.
        let quoted = |text: String| match is_list {
            true => format!("\"{}\"", text.replace('"', "\"\"")),
            false => text,
        };
        let texts = values.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
        let texts: Vec<String> = texts.into_iter().map(quoted).collect();
        return kind.read(&kebab(&arg.name), &texts, around);
    }
    let mut items = Vec::new();
    for value in values {
        match value {
            Value::Object { id, .. } => items.push(Given::Literal(quote(&id))),
            other => {
                return Err(Failure::usage(format!(
                    "`{}` cannot be given so: {other:?}",
                    kebab(&arg.name)
                )));
            }
        }
    }
    match (is_list, items.len()) {
        (true, _) => Ok(Given::List(items)),
        (false, _) => items
            .pop()
            .ok_or_else(|| Failure::usage(format!("`{}` has no value", kebab(&arg.name)))),
    }
}

/// A value of the API as a value of the shell.
fn understood(leaf: &Leaf, type_name: &str, value: Json) -> Value {
    match (leaf, value) {
        (_, Json::Array(items)) => Value::List(
            items
                .into_iter()
                .map(|item| understood(leaf, type_name, item))
                .collect(),
        ),
        (Leaf::Object { .. }, Json::Object(mut fields)) => match fields.remove("id") {
            Some(Json::String(id)) => Value::Object {
                type_name: type_name.to_owned(),
                id,
            },
            _ => Value::Text(String::new()),
        },
        (Leaf::Id | Leaf::Sync, Json::String(id)) => Value::Object {
            type_name: type_name.to_owned(),
            id,
        },
        (_, Json::String(text)) => Value::Text(text),
        (_, Json::Null) => Value::Text(String::new()),
        (_, other) => Value::Text(other.to_string()),
    }
}

/// A value as text.
pub(super) fn plain(value: &Value) -> Result<String, Failure> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::List(items) => {
            let items = items.iter().map(plain).collect::<Result<Vec<_>, _>>()?;
            Ok(items.join("\n"))
        }
        Value::Object { type_name, .. } => Err(Failure::usage(format!("a {type_name} is no text"))
            .hint("end with a function that gives one, such as `stdout` or `contents`")),
    }
}

fn digest(id: &str) -> &str {
    id.split_once(':').map_or(id, |(_, digest)| digest)
}
