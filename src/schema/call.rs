//! Calls of module functions: from the cache, or in a container.

use super::{
    Ctx,
    api::{Api, Caller, CallerKind, FunctionCall},
    gql::FieldError,
    module_api::registered,
    modules::{ModuleSpec, host_directory},
    object::{Object, SavedObject},
    runtime::runtime,
};
use crate::{
    error::{Error, Kind},
    graph::{Container, Key, Op, SecretRef, Vertex, fingerprint},
    module::{
        Arg, CachePolicy, CallRequest, Function, ModuleTypes, ObjectType, TypeKind, TypeRef, Value,
        call::decode_result,
    },
    ops::{FunctionRun, Nested},
};
use nsci_snapshotter::record::Refs;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::{
    collections::HashMap,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

/// How long an answer is believed when the function does not say.
const LIFETIME: Duration = Duration::from_secs(7 * 24 * 3600);

/// A remembered answer: the result, and the objects it names.
#[derive(Debug, Serialize, Deserialize)]
struct Remembered {
    result: String,
    objects: Vec<(String, SavedObject)>,
    /// Seconds since 1970.
    made: u64,
}

/// Calls a function and returns its typed result.
pub(super) async fn run(
    ctx: &Ctx,
    spec: &Arc<ModuleSpec>,
    object: &ObjectType,
    function: &Function,
    parent: Option<&Map<String, Json>>,
    mut given: Map<String, Json>,
) -> Result<Value, FieldError> {
    let api = ctx.backend();
    for arg in &function.args {
        match given.remove(&arg.name) {
            Some(value) => {
                let value = taken(ctx, spec, &arg.ty, value)?;
                given.insert(arg.name.clone(), value);
            }
            None => {
                if let Some(id) = contextual(api, spec, arg)? {
                    given.insert(arg.name.clone(), Json::String(id));
                }
            }
        }
    }
    let request = CallRequest::new(&spec.types, object, function, parent, given)
        .map_err(|error| FieldError::new(error.to_string()))?;
    if let Some(state) = request.trivial_result(function) {
        let result = Json::Object(state).to_string();
        return decode_result(&spec.types, function, &result)
            .map_err(|error| FieldError::new(error.to_string()));
    }
    let key = call_key(api, spec, &request).await?;
    let result = if matches!(function.cache, Some(CachePolicy::Never)) {
        execute(api, spec, function, request, &key).await?
    } else {
        // Equal calls of one session are one, also while it runs.
        let cell = api.call_cell(&key);
        let answer = cell.get_or_try_init(|| answer(api, spec, function, request, &key));
        answer.await?.clone()
    };
    decode_result(&spec.types, function, &result)
        .map_err(|error| FieldError::new(error.to_string()))
}

async fn answer(
    api: &Arc<Api>,
    spec: &Arc<ModuleSpec>,
    function: &Function,
    request: CallRequest,
    key: &Key,
) -> Result<String, FieldError> {
    match recall(api, spec, function, key) {
        Some(result) => {
            api.engine().world().note_cached(&call_name(spec, function));
            Ok(result)
        }
        None => execute(api, spec, function, request, key).await,
    }
}

/// A value as the module gets it: its own objects by their state, all others by id, each of the type asked for.
fn taken(ctx: &Ctx, spec: &ModuleSpec, ty: &TypeRef, value: Json) -> Result<Json, FieldError> {
    match (&ty.kind, value) {
        (TypeKind::List { of }, Json::Array(elements)) => elements
            .into_iter()
            .map(|element| taken(ctx, spec, of, element))
            .collect(),
        (TypeKind::Object { name } | TypeKind::Interface { name }, Json::String(id)) => {
            let expected = spec.types.api_name(name).unwrap_or(name);
            let object: Object = ctx.load(&id, Some(expected))?;
            match object {
                Object::ModuleObject(instance) if spec.types.object(name).is_some() => {
                    Ok(instance.state)
                }
                _ => Ok(Json::String(id)),
            }
        }
        (_, value) => Ok(value),
    }
}

fn call_name(spec: &ModuleSpec, function: &Function) -> String {
    if function.name.is_empty() {
        format!("call {}", spec.name)
    } else {
        format!("call {}.{}", spec.name, function.cli_name)
    }
}

/// The object that an argument left out stands for, if its declaration names a path or address.
fn contextual(api: &Arc<Api>, spec: &ModuleSpec, arg: &Arg) -> Result<Option<String>, FieldError> {
    let TypeKind::Object { name } = &arg.ty.kind else {
        return Ok(None);
    };
    if let (Some(address), "Container") = (&arg.default_address, name.as_str()) {
        let platform = crate::source::Platform::host().to_string();
        let scratch = Vertex::new(Op::Scratch { platform }, vec![]);
        let from = Vertex::new(
            Op::From {
                address: address.clone(),
            },
            vec![scratch],
        );
        let from = Object::Container(super::object::ContainerRef(from));
        return Ok(Some(api.keep(&from)));
    }
    let Some(path) = arg.default_path.as_deref() else {
        return Ok(None);
    };
    let path = contextual_path(spec, path).ok_or_else(|| {
        FieldError::new(format!(
            "the default path {path} of argument `{}` leads out of {}",
            arg.name,
            spec.defaults.root.display()
        ))
    })?;
    Ok(match name.as_str() {
        "Directory" => {
            let vertex = host_directory(&path, arg.ignore.clone());
            Some(api.keep(&Object::Directory(super::object::DirectoryRef(vertex))))
        }
        "File" => {
            let path = path.to_string_lossy().into_owned();
            let state = None;
            let vertex = Vertex::new(Op::HostFile { path, state }, vec![]);
            Some(api.keep(&Object::File(super::object::FileRef(vertex))))
        }
        _ => None,
    })
}

/// A path of the module's own files, or of those that it is to work on: absolute ones start at the repository, others
/// at the module. `None` if it leads out of the repository.
fn contextual_path(spec: &ModuleSpec, path: &str) -> Option<PathBuf> {
    let base = if path.starts_with('/') {
        &spec.defaults.root
    } else {
        &spec.defaults.base
    };
    let mut full = base.clone();
    for part in Path::new(path.trim_start_matches('/')).components() {
        match part {
            Component::ParentDir => drop(full.pop()),
            Component::Normal(part) => full.push(part),
            _ => {}
        }
        if !full.starts_with(&spec.defaults.root) {
            return None;
        }
    }
    Some(full)
}

/// Names a call: the module's sources and runtime, the function, and what it is given by content.
async fn call_key(
    api: &Arc<Api>,
    spec: &Arc<ModuleSpec>,
    request: &CallRequest,
) -> Result<Key, FieldError> {
    let engine = api.engine();
    let mut parts = vec![fingerprint(
        "function",
        &(&spec.name, &request.parent_name, &request.name),
    )];
    // What a module does depends on those that it calls.
    for module in spec.closure() {
        if module.code().sdk.is_some() {
            parts.push(engine.definition_key(&module.source_vertex()).await?);
        }
        if let Some(made) = &module.runtime {
            parts.push(engine.definition_key(made).await?);
        }
        parts.push(module.own_key().clone());
    }
    let values =
        std::iter::once(&request.parent).chain(request.input_args.iter().map(|arg| &arg.value));
    for text in values {
        let json: Json = serde_json::from_str(text)
            .map_err(|error| FieldError::new(format!("a value is not JSON: {error}")))?;
        value_key(api, &json, &mut parts).await?;
    }
    let names: Vec<&str> = request
        .input_args
        .iter()
        .map(|arg| arg.name.as_str())
        .collect();
    parts.push(fingerprint("names", &names));
    Ok(Key::of("call", &parts))
}

/// Adds what stands for a value: objects by what they are made of, the rest as it is.
async fn value_key(api: &Arc<Api>, json: &Json, parts: &mut Vec<Key>) -> Result<(), FieldError> {
    let mut stack = vec![json.clone()];
    while let Some(value) = stack.pop() {
        match value {
            Json::Array(elements) => {
                parts.push(fingerprint("list", &elements.len()));
                stack.extend(elements);
            }
            Json::Object(fields) => {
                let names: Vec<&String> = fields.keys().collect();
                parts.push(fingerprint("object", &names));
                stack.extend(fields.into_iter().map(|(_, value)| value));
            }
            Json::String(text) => match api.find(&text) {
                Some(Object::ModuleObject(instance)) => {
                    parts.push(fingerprint(
                        "instance",
                        &(&instance.module, &instance.type_name),
                    ));
                    stack.push(instance.state);
                }
                Some(object) => parts.push(object_key(api, &object).await?),
                None => parts.push(fingerprint("text", &text)),
            },
            other => parts.push(fingerprint("value", &other)),
        }
    }
    Ok(())
}

async fn object_key(api: &Arc<Api>, object: &Object) -> Result<Key, FieldError> {
    if let Some(vertex) = object.vertex() {
        return Ok(api.engine().definition_key(vertex).await?);
    }
    if let Object::Secret(secret @ SecretRef::Uri { .. }) = object {
        return Ok(api.engine().world().secret_identity(secret).await?);
    }
    Ok(fingerprint("plain-object", &object.save()))
}

fn recall(api: &Arc<Api>, spec: &ModuleSpec, function: &Function, key: &Key) -> Option<String> {
    if !outlives_session(spec, function) {
        return None;
    }
    let lifetime = match &function.cache {
        Some(CachePolicy::Default { ttl: Some(text) }) => {
            crate::config::parse_duration(text).unwrap_or(LIFETIME)
        }
        _ => LIFETIME,
    };
    let known: Remembered = api.engine().world().cache().recall("call", key)?;
    let age = now().saturating_sub(known.made);
    if age > lifetime.as_secs() {
        return None;
    }
    // Ids are of their session. What an object names comes after it, so the last ones are made anew first.
    let mut ids = HashMap::new();
    for (id, saved) in known.objects.into_iter().rev() {
        let saved = match saved {
            SavedObject::Instance(mut instance) => {
                rename(&mut instance.state, &ids);
                SavedObject::Instance(instance)
            }
            saved => saved,
        };
        ids.insert(id, api.keep(&saved.load()?));
    }
    let mut result: Json = serde_json::from_str(&known.result).ok()?;
    rename(&mut result, &ids);
    Some(result.to_string())
}

/// Replaces ids by those of this session.
fn rename(json: &mut Json, ids: &HashMap<String, String>) {
    match json {
        Json::String(text) => {
            if let Some(id) = ids.get(text) {
                text.clone_from(id);
            }
        }
        Json::Array(elements) => elements.iter_mut().for_each(|value| rename(value, ids)),
        Json::Object(fields) => fields.values_mut().for_each(|value| rename(value, ids)),
        Json::Null | Json::Bool(_) | Json::Number(_) => {}
    }
}

async fn execute(
    api: &Arc<Api>,
    spec: &Arc<ModuleSpec>,
    function: &Function,
    request: CallRequest,
    key: &Key,
) -> Result<String, FieldError> {
    let started = Instant::now();
    let name = call_name(spec, function);
    let Ended { result, lasting } = perform(api, spec, request, name.clone()).await?;
    if lasting && outlives_session(spec, function) {
        remember(api, key, &result, started.elapsed(), &name);
    }
    Ok(result)
}

/// What a call came to.
struct Ended {
    /// The result as JSON text.
    result: String,
    /// Whether it means anything in another session.
    lasting: bool,
}

/// Runs a call in its container.
async fn perform(
    api: &Arc<Api>,
    spec: &Arc<ModuleSpec>,
    request: CallRequest,
    name: String,
) -> Result<Ended, FieldError> {
    let runtime = runtime(api, spec);
    let container: Container = api.engine().container(&runtime).await?;
    let call = FunctionCall::new(Arc::clone(spec), request);
    let running = call.running.clone();
    let caller = Caller::function(call);
    let nested = Nested {
        token: new_token()?,
        context: Arc::clone(&caller) as _,
        running,
    };
    let run = FunctionRun {
        container,
        nested,
        name: name.clone(),
    };
    let ended = api.engine().world().run_function(run).await;
    let CallerKind::Function(call) = &caller.kind else {
        unreachable!("it was made as a function")
    };
    match (call.take_answer(), ended) {
        (Some(Err(error)), _) => Err(error),
        (_, Err(error)) => Err(error.into()),
        (Some(Ok(result)), Ok(_)) => Ok(Ended {
            result,
            lasting: !call.touched_secrets(),
        }),
        (None, Ok(_)) => Err(FieldError::new(format!(
            "{name} completed without returning a value"
        ))),
    }
}

/// Asks a module's code for its types: the call without a name, which answers with the id of a module that it built.
pub(crate) async fn register(
    api: &Arc<Api>,
    spec: &Arc<ModuleSpec>,
) -> Result<ModuleTypes, FieldError> {
    let request = CallRequest::registration();
    let key = call_key(api, spec, &request).await?;
    let cache = api.engine().world().cache();
    if let Some(types) = cache.recall::<ModuleTypes>("types", &key) {
        return Ok(types);
    }
    let started = Instant::now();
    let name = format!("load {}", spec.name);
    let Ended { result, .. } = perform(api, spec, request, name.clone()).await?;
    let id: String = serde_json::from_str(&result)
        .map_err(|_| FieldError::new("the module's code did not answer with a module"))?;
    let types = registered(api, &id, &spec.name)?;
    cache.remember(
        "types",
        &key,
        &types,
        Refs::default(),
        &name,
        started.elapsed(),
    );
    Ok(types)
}

/// Whether a function's answer may be used by later sessions.
fn outlives_session(spec: &ModuleSpec, function: &Function) -> bool {
    match function.cache {
        Some(CachePolicy::Never | CachePolicy::PerSession) => false,
        Some(CachePolicy::Default { .. }) => true,
        None => !spec.code().disable_default_function_caching,
    }
}

fn remember(api: &Arc<Api>, key: &Key, result: &str, cost: Duration, name: &str) {
    let Ok(json) = serde_json::from_str::<Json>(result) else {
        return;
    };
    let mut objects = Vec::new();
    // What was taken of a working directory is made by nobody again.
    let mut refs = Refs::default();
    let mut stack = vec![json];
    while let Some(value) = stack.pop() {
        match value {
            Json::Array(elements) => stack.extend(elements),
            Json::Object(fields) => stack.extend(fields.into_iter().map(|(_, value)| value)),
            Json::String(text) => {
                if let Some(object) = api.find(&text) {
                    // A secret by name has no value in another session.
                    if let Object::Secret(SecretRef::Named { .. }) = object {
                        return;
                    }
                    if let Some(saved) = object.save() {
                        refs.trees.extend(saved.captured());
                        if let SavedObject::Instance(instance) = &saved {
                            stack.push(instance.state.clone());
                        }
                        objects.push((text, saved));
                    }
                }
            }
            _ => {}
        }
    }
    let body = Remembered {
        result: result.to_owned(),
        objects,
        made: now(),
    };
    let cache = api.engine().world().cache();
    cache.remember("call", key, &body, refs, name, cost);
}

fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |since| since.as_secs())
}

/// A token that nobody can guess.
pub(crate) fn new_token() -> crate::error::Result<String> {
    let mut bytes = [0_u8; 16];
    randomise(&mut bytes)?;
    Ok(hex::encode(bytes))
}

/// Fills `bytes` with what nobody can guess; at most 256 of them, which the system gives at once.
pub(super) fn randomise(bytes: &mut [u8]) -> crate::error::Result<()> {
    let flags = rustix::rand::GetRandomFlags::empty();
    rustix::rand::getrandom(bytes, flags)
        .map(drop)
        .map_err(|error| {
            let cause = std::io::Error::from(error);
            Error::caused(Kind::Host, "the system has no random numbers", cause)
        })
}
