//! Modules in the API: their types beside the core's, and the call that a function serves.

use super::{
    Ctx,
    api::Api,
    call,
    gql::{Args, FieldError, FromObject, ObjectBuilder, Registry, Resolved, View},
    module_api::loaded_value,
    object::{
        CallArg, CurrentCall, CurrentModule, DirectoryRef, ErrorValue, FileRef, Instance,
        NamedValue, Object, Root,
    },
    shared::CommonArgs as _,
};
use crate::{
    graph::{Key, Op, Vertex, fingerprint},
    module::{
        Arg, Field, Function, ModuleConfig, ModuleTypes, ObjectType, RuntimePlan, SdkKind,
        TypeKind, TypeRef, Value, call as values,
        marked::{Mark, MarkedFunction, Used, marked},
    },
};
use nsci_snapshotter::keeper::CaptureKind;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};
use std::{
    collections::HashMap,
    path::PathBuf,
    sync::{Arc, OnceLock},
};

/// A module ready to be called.
#[derive(Clone, Debug)]
pub struct ModuleSpec {
    /// Name in this session, which its types are named after; no two modules share one.
    pub name: String,
    /// What tells it from every other module: where it is.
    pub identity: String,
    /// Where it came from, if not from this host.
    pub origin: Option<ModuleOrigin>,
    /// Modules that its code may call.
    pub dependencies: Vec<DependencySpec>,
    /// Its configuration.
    pub config: ModuleConfig,
    /// Its types.
    pub types: ModuleTypes,
    /// What it is written with, if an SDK of this executable.
    pub sdk: Option<SdkKind>,
    /// How its functions are run.
    pub plan: RuntimePlan,
    /// The container that they run in instead, made by a module that is its SDK.
    pub runtime: Option<Arc<Vertex>>,
    /// Files generated for it from the schema it sees: path in the source directory, contents.
    pub generated: Vec<(String, String)>,
    /// What is made of all this when it is first needed.
    pub made: Made,
    /// Directory with its configuration, on the host.
    pub directory: PathBuf,
    /// Directory with its sources, on the host.
    pub source: PathBuf,
    /// Directory that the module may read from: its repository, or its own.
    pub context: PathBuf,
    /// Where default paths of its arguments lead.
    pub defaults: DefaultPaths,
    /// Configuration of the module that its code is of, if it takes its functions from a blueprint.
    pub blueprint: Option<ModuleConfig>,
}

/// Where default paths of arguments lead: into a module's own files, or into those of the module that it is a
/// toolchain or the blueprint of.
#[derive(Clone, Debug)]
pub struct DefaultPaths {
    /// Absolute ones start here, and none leads out of it.
    pub root: PathBuf,
    /// Relative ones start here.
    pub base: PathBuf,
}

/// What follows from a module that is loaded; the same for every call.
#[derive(Clone, Debug, Default)]
pub struct Made {
    /// The container that its functions run in.
    pub(super) runtime: OnceLock<Arc<Vertex>>,
    key: OnceLock<Key>,
}

/// A module that another one uses.
#[derive(Clone, Debug)]
pub struct DependencySpec {
    /// Name it is used by.
    pub name: String,
    /// The module.
    pub module: Arc<ModuleSpec>,
    /// Whether it is a function of the main object too.
    pub is_toolchain: bool,
}

impl DependencySpec {
    /// Name of the field of `Query` that makes its main object.
    pub fn query_field(&self) -> String {
        crate::module::names::lower_camel(&self.name)
    }
}

/// Where a module from git was fetched from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModuleOrigin {
    /// What was cloned.
    pub url: String,
    /// Reference without version, as users write it.
    pub address: String,
    /// Directory of the module in the repository; empty for its root.
    pub subpath: String,
    /// Branch, tag or commit that was asked for.
    pub version: Option<String>,
    /// The commit.
    pub commit: String,
}

impl ModuleSpec {
    /// The generation of the API that the module's code is written for.
    pub fn view(&self) -> View {
        let number = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let version = self.code().engine_version_numbers();
        version.map_or(View::LATEST, |(major, minor, patch)| {
            View::new(number(major), number(minor), number(patch))
        })
    }

    /// The configuration that its code belongs to: its own, or that of its blueprint.
    pub fn code(&self) -> &ModuleConfig {
        self.blueprint.as_ref().unwrap_or(&self.config)
    }

    /// Whether it has functions of its own, beside those of modules that it uses.
    pub fn has_functions(&self) -> bool {
        self.code().sdk.is_some() && !self.types.main_object.is_empty()
    }

    /// Name of the field of `Query` that makes the main object.
    pub fn query_field(&self) -> String {
        crate::module::names::lower_camel(&self.name)
    }

    /// Whose names of cache volumes and secrets its functions use: other modules of the same name have others.
    pub fn scope(&self) -> String {
        match &self.origin {
            None => format!("mod({})", self.config.name),
            Some(origin) => format!("mod({}@{})", self.config.name, origin.address),
        }
    }

    /// Names how its functions run, its source and those of the modules it uses aside.
    pub(super) fn own_key(&self) -> &Key {
        self.made.key.get_or_init(|| {
            let used: Vec<_> = self
                .dependencies
                .iter()
                .map(|used| (&used.name, &used.module.name))
                .collect();
            let version = &self.code().engine_version;
            let own = (&self.name, &self.plan, &self.generated, version, used);
            fingerprint("module", &own)
        })
    }

    /// Finds out what the types are that its source takes from the modules it uses.
    pub fn classify(&mut self) {
        let foreign = foreign_types(&self.dependencies);
        let types = &mut self.types;
        types.classify_foreign(|name| foreign.get(name).cloned());
    }

    /// Adds its constructor to what its own code may call, by the name it gives itself, unless that is taken.
    pub fn offer_to_itself(self: &Arc<Self>, constructors: &mut Vec<(String, Arc<Self>)>) {
        let field = crate::module::names::lower_camel(&self.code().name);
        if constructors.iter().all(|(taken, _)| *taken != field) {
            constructors.push((field, Arc::clone(self)));
        }
    }

    /// This module and everything it builds on, each once, dependencies first.
    pub fn closure(self: &Arc<Self>) -> Vec<Arc<Self>> {
        fn add(spec: &Arc<ModuleSpec>, into: &mut Vec<Arc<ModuleSpec>>) {
            if into.iter().any(|known| known.identity == spec.identity) {
                return;
            }
            for dependency in &spec.dependencies {
                add(&dependency.module, into);
            }
            into.push(Arc::clone(spec));
        }
        let mut found = Vec::new();
        add(self, &mut found);
        found
    }

    /// Its marked functions and those of its toolchains, each with the module that has it.
    pub(super) fn marked(self: &Arc<Self>, mark: Mark) -> Vec<(MarkedFunction, Arc<Self>)> {
        let used = self.dependencies.iter().map(|used| Used {
            name: &used.name,
            types: &used.module.types,
            is_toolchain: used.is_toolchain,
        });
        let owner = |function: &MarkedFunction| {
            let toolchain = function.toolchain.as_ref();
            let used = self.dependencies.iter();
            let mut of = used.filter(|used| Some(&used.name) == toolchain);
            Arc::clone(of.next().map_or(self, |used| &used.module))
        };
        marked(&self.types, self.has_functions(), used, mark)
            .into_iter()
            .map(|function| {
                let owner = owner(&function);
                (function, owner)
            })
            .collect()
    }

    /// The module's sources as a directory of the graph.
    pub(super) fn source_vertex(&self) -> Arc<Vertex> {
        let excluded = self
            .sdk
            .map_or(&[][..], SdkKind::excluded)
            .iter()
            .map(|&pattern| pattern.to_owned());
        host_directory(&self.source, excluded.collect())
    }
}

/// What a module's source may call types of its dependencies, and what they are.
fn foreign_types(dependencies: &[DependencySpec]) -> HashMap<String, TypeKind> {
    let mut found = HashMap::new();
    for DependencySpec { name, module, .. } in dependencies {
        let types = &module.types;
        let mut add = |original: &str, kind: TypeKind| {
            for module_name in [&module.name, &module.config.name, name] {
                let seen =
                    crate::module::names::namespaced(module_name, &types.main_object, original);
                found.insert(seen, kind.clone());
            }
        };
        for ty in &types.objects {
            let name = ty.api_name.clone();
            add(&ty.name, TypeKind::Object { name });
        }
        for ty in &types.enums {
            let name = ty.api_name.clone();
            add(&ty.name, TypeKind::Enum { name });
        }
        for ty in &types.interfaces {
            let name = ty.api_name.clone();
            add(&ty.name, TypeKind::Interface { name });
        }
    }
    found
}

/// A directory of the host without what the patterns name.
pub(super) fn host_directory(path: &std::path::Path, exclude: Vec<String>) -> Arc<Vertex> {
    let path = path.to_string_lossy().into_owned();
    let op = Op::HostDirectory {
        path,
        include: Vec::new(),
        exclude,
        gitignore: false,
        state: None,
    };
    Vertex::new(op, vec![])
}

/// Adds a module's types to a registry.
pub fn declare_types(registry: &mut Registry<Api>, spec: &Arc<ModuleSpec>) {
    for object in &spec.types.objects {
        let mut ty = registry.object::<Instance>(object.api_name.clone());
        ty.doc(object.description.clone());
        for field in &object.fields {
            declare_field(&mut ty, spec, field);
        }
        for function in &object.functions {
            declare_function(&mut ty, spec, object, function);
        }
        if object.name == spec.types.main_object {
            let toolchains = spec.dependencies.iter().filter(|used| used.is_toolchain);
            for used in toolchains {
                declare_making(&mut ty, &used.module, &used.query_field());
            }
        }
    }
    for declared in &spec.types.enums {
        let mut ty = registry.enumeration(declared.api_name.clone());
        ty.doc(declared.description.clone());
        for member in &declared.members {
            ty.value(member.api_name.clone(), member.description.clone());
        }
    }
    for declared in &spec.types.interfaces {
        declare_interface(registry, spec, declared);
    }
}

/// Adds the field of `Query` that makes a module's main object; a module without functions has none.
pub fn declare_constructor(registry: &mut Registry<Api>, spec: &Arc<ModuleSpec>, field: &str) {
    declare_making(&mut registry.query::<Root>(), spec, field);
}

/// Adds a field that makes a module's main object to a type; a module without functions has none.
fn declare_making<T>(ty: &mut ObjectBuilder<'_, Api, T>, spec: &Arc<ModuleSpec>, field: &str)
where
    T: FromObject<Object> + Clone + Send + 'static,
{
    let Some(main) = spec.types.object(&spec.types.main_object) else {
        return;
    };
    let constructor = main.constructor.clone().unwrap_or_else(|| Function {
        returns: TypeRef::object(main.name.clone()),
        ..Function::default()
    });
    let (spec, main) = (Arc::clone(spec), main.clone());
    ty.field(field.to_owned(), &format!("{}!", main.api_name), |mut f| {
        let doc = if spec.types.description.is_empty() {
            &main.description
        } else {
            &spec.types.description
        };
        f = f.doc(doc.clone());
        for arg in &constructor.args {
            f = f.arg(&argument(&spec.types, arg), arg.description.clone());
        }
        f.resolve_async(move |ctx, _, args| {
            let (spec, main, constructor) = (Arc::clone(&spec), main.clone(), constructor.clone());
            async move {
                if main.constructor.is_none() {
                    return instance(&spec, &main, Map::new()).map(Resolved::object);
                }
                let given = given(&constructor, &args);
                let answer = call::run(&ctx, &spec, &main, &constructor, None, given).await?;
                resolved(ctx.backend(), &spec, answer)
            }
        })
    });
}

fn declare_interface(
    registry: &mut Registry<Api>,
    spec: &Arc<ModuleSpec>,
    declared: &crate::module::InterfaceType,
) {
    let mut ty = registry.interface(declared.api_name.clone());
    ty.doc(declared.description.clone());
    ty.field("id", "ID!", |f| {
        f.doc("Names this object in later requests.")
    });
    for function in &declared.functions {
        let graphql = function.returns.graphql(&spec.types);
        ty.field(function.api_name.clone(), &graphql, |mut f| {
            f = f.doc(function.description.clone());
            for arg in &function.args {
                f = f.arg(&argument(&spec.types, arg), arg.description.clone());
            }
            f
        });
    }
}

type InstanceBuilder<'r> = ObjectBuilder<'r, Api, Instance>;

fn declare_field(ty: &mut InstanceBuilder<'_>, spec: &Arc<ModuleSpec>, field: &Field) {
    let (spec, field) = (Arc::clone(spec), field.clone());
    let graphql = field.ty.graphql(&spec.types);
    ty.field(field.api_name.clone(), &graphql, |f| {
        f.doc(field.description.clone())
            .resolve(move |ctx, this, _| {
                let state = this.state.as_object().cloned().unwrap_or_default();
                let value = values::field_value(&spec.types, &field.ty, &state, &field.name)
                    .map_err(|error| FieldError::new(error.to_string()))?;
                resolved(ctx.backend(), &spec, value)
            })
    });
}

fn declare_function(
    ty: &mut InstanceBuilder<'_>,
    spec: &Arc<ModuleSpec>,
    object: &ObjectType,
    function: &Function,
) {
    let (spec, object, function) = (Arc::clone(spec), object.clone(), function.clone());
    let graphql = function.returns.graphql(&spec.types);
    ty.field(function.api_name.clone(), &graphql, |mut f| {
        f = f.doc(function.description.clone());
        if let Some(why) = &function.deprecated {
            f = f.deprecated(why.clone());
        }
        for arg in &function.args {
            f = f.arg(&argument(&spec.types, arg), arg.description.clone());
        }
        f.resolve_async(move |ctx, this: Instance, args| {
            let (spec, object, function) = (Arc::clone(&spec), object.clone(), function.clone());
            async move {
                let given = given(&function, &args);
                let state = this.state.as_object().cloned().unwrap_or_default();
                let answer =
                    call::run(&ctx, &spec, &object, &function, Some(&state), given).await?;
                resolved(ctx.backend(), &spec, answer)
            }
        })
    });
}

/// An argument as GraphQL declares it. One that has any default may be left out.
fn argument(types: &ModuleTypes, arg: &Arg) -> String {
    let ty = id_types(types, &arg.ty);
    let ty = if arg.is_required() {
        ty
    } else {
        ty.trim_end_matches('!').to_owned()
    };
    format!("{}: {ty}", arg.api_name)
}

/// The type of an argument: objects are passed by id.
fn id_types(types: &ModuleTypes, ty: &TypeRef) -> String {
    let inner = match &ty.kind {
        TypeKind::Object { name } | TypeKind::Interface { name } => {
            format!("{}ID", types.api_name(name).unwrap_or(name))
        }
        TypeKind::List { of } => format!("[{}]", id_types(types, of)),
        _ => return ty.graphql(types),
    };
    if ty.optional { inner } else { inner + "!" }
}

/// What the client gave, by the names of the source.
fn given(function: &Function, args: &Args) -> Map<String, Json> {
    let value = |arg: &Arg| {
        args.as_map()
            .get(&arg.api_name)
            .filter(|value| !value.is_null())
    };
    function
        .args
        .iter()
        .filter_map(|arg| Some((arg.name.clone(), value(arg)?.clone())))
        .collect()
}

fn instance(
    spec: &ModuleSpec,
    object: &ObjectType,
    state: Map<String, Json>,
) -> Result<Object, FieldError> {
    Ok(Object::ModuleObject(Instance {
        module: spec.name.clone(),
        type_name: object.api_name.clone(),
        original: object.name.clone(),
        state: Json::Object(state),
    }))
}

/// A module's value as the API answers it.
fn resolved(
    api: &Arc<Api>,
    spec: &ModuleSpec,
    value: Value,
) -> Result<Resolved<Object>, FieldError> {
    Ok(match value {
        Value::Null => Resolved::Null,
        Value::String(text) | Value::Scalar(text) => text.into(),
        Value::Enum(member) => {
            let known = spec.types.enums.iter().flat_map(|ty| &ty.members);
            let named = known.into_iter().find(|known| known.name == member);
            named
                .map_or(member.clone(), |known| known.api_name.clone())
                .into()
        }
        Value::Integer(number) => number.into(),
        Value::Float(number) => number.into(),
        Value::Boolean(truth) => truth.into(),
        Value::Id { id, .. } => {
            let shown: String = id.chars().take(60).collect();
            Resolved::Object(api.find(&id).ok_or_else(|| {
                FieldError::new(format!(
                    "the function returned an unknown object id `{shown}`"
                ))
            })?)
        }
        Value::Object { type_name, state } => {
            let object = spec.types.object(&type_name).ok_or_else(|| {
                FieldError::new(format!(
                    "the function returned an unknown object `{type_name}`"
                ))
            })?;
            Resolved::Object(instance(spec, object, state)?)
        }
        Value::List(elements) => Resolved::List(
            elements
                .into_iter()
                .map(|element| resolved(api, spec, element))
                .collect::<Result<_, _>>()?,
        ),
    })
}

/// Declares what a function's runtime asks for.
pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut query = registry.query::<Root>();
    query
        .field("currentFunctionCall", "FunctionCall!", |f| {
            f.doc("The call that this client serves.")
                .resolve(|ctx, _, _| {
                    ctx.client().call()?;
                    Ok(CurrentCall)
                })
        })
        .field("currentModule", "CurrentModule!", |f| {
            f.doc("The module that this client belongs to.")
                .resolve(|ctx, _, _| {
                    ctx.client().call()?;
                    Ok(CurrentModule)
                })
        });
    current_call(registry);
    let mut module = registry.object::<CurrentModule>("CurrentModule");
    module
        .doc("The module that asks.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|ctx, _, _| Ok(ctx.client().call()?.module.name.clone()))
        })
        .field("source", "Directory!", |f| {
            f.doc("Its sources.")
                .resolve(|ctx, _, _| Ok(DirectoryRef(ctx.client().call()?.module.source_vertex())))
        })
        .field("generatedContextDirectory", "Directory!", |f| {
            f.doc("Its context with what is generated for it.")
                .resolve(|ctx, _, _| {
                    let module = &ctx.client().call()?.module;
                    Ok(DirectoryRef(generated_context(module)))
                })
        })
        .field("workdir", "Directory!", |f| {
            f.doc("A directory of the running function's working directory, as it is now.")
                .path("Path, relative to the working directory.")
                .patterns()
                .resolve_async(|ctx, _, args| async move {
                    let kind = CaptureKind::Dir {
                        include: args.get_or_default("include")?,
                        exclude: args.get_or_default("exclude")?,
                        gitignore: args.flag("gitignore"),
                    };
                    capture(&ctx, &args, kind).await.map(DirectoryRef)
                })
        })
        .field("workdirFile", "File!", |f| {
            f.doc("A file of the running function's working directory, as it is now.")
                .path("Path, relative to the working directory.")
                .resolve_async(|ctx, _, args| async move {
                    capture(&ctx, &args, CaptureKind::File).await.map(FileRef)
                })
        })
        .field("dependencies", "[Module!]!", |f| {
            f.doc("The modules that it uses.").resolve(|ctx, _, _| {
                let used = &ctx.client().call()?.module.dependencies;
                Ok(used
                    .iter()
                    .map(|used| loaded_value(&used.module))
                    .collect::<Vec<_>>())
            })
        })
        .field("generators", "GeneratorGroup!", |f| {
            super::marked::include(f.doc("Its functions that make files."), Mark::Generator)
                .resolve(|ctx, _, args| {
                    let module = &ctx.client().call()?.module;
                    super::marked::generators(module, args)
                })
        });
}

/// What is at the argument `path` of the working directory of the function that asks.
async fn capture(ctx: &Ctx, args: &Args, kind: CaptureKind) -> Result<Arc<Vertex>, FieldError> {
    let path: String = args.get("path")?;
    let running = &ctx.client().call()?.running;
    let world = ctx.backend().engine().world();
    let op = world.capture(running, &path, kind).await?;
    Ok(Vertex::new(op, vec![]))
}

/// The context of a module with its generated files where they belong.
fn generated_context(module: &ModuleSpec) -> Arc<Vertex> {
    // The code of a blueprint may be elsewhere.
    let (root, below) = match module.source.strip_prefix(&module.context) {
        Ok(below) => (&module.context, below),
        Err(_) => (&module.source, std::path::Path::new("")),
    };
    let context = host_directory(root, vec![".git".into()]);
    let files = module.generated.iter().map(|(path, contents)| {
        let path = below.join(path).to_string_lossy().into_owned();
        (path, contents.as_str())
    });
    files.fold(context, |directory, (path, contents)| {
        super::runtime::with_file(directory, &path, contents)
    })
}

fn current_call(registry: &mut Registry<Api>) {
    let mut function = registry.object::<CurrentCall>("FunctionCall");
    function
        .doc("A call of a module's function.")
        .field("name", "String!", |f| {
            f.doc("The function; empty for the constructor.")
                .resolve(|ctx, _, _| Ok(ctx.client().call()?.request.name.clone()))
        })
        .field("parentName", "String!", |f| {
            f.doc("The object's type.")
                .resolve(|ctx, _, _| Ok(ctx.client().call()?.request.parent_name.clone()))
        })
        .field("parent", "JSON!", |f| {
            f.doc("The object's state.")
                .resolve(|ctx, _, _| Ok(ctx.client().call()?.request.parent.clone()))
        })
        .field("inputArgs", "[FunctionCallArgValue!]!", |f| {
            f.doc("The arguments.").resolve(|ctx, _, _| {
                let args = &ctx.client().call()?.request.input_args;
                let arg = |arg: &crate::module::InputArg| {
                    CallArg(NamedValue {
                        name: arg.name.clone(),
                        value: arg.value.clone(),
                    })
                };
                Ok(args.iter().map(arg).collect::<Vec<_>>())
            })
        })
        .field("returnValue", "Void", |f| {
            f.doc("Answers the call.")
                .arg("value: JSON!", "The result.")
                .resolve(|ctx, _, args| {
                    let text: String = args.get("value")?;
                    ctx.client().call()?.answer(Ok(text));
                    Ok(())
                })
        })
        .field("returnError", "Void", |f| {
            f.doc("Answers the call with an error.")
                .arg("error: ErrorID!", "The error.")
                .resolve(|ctx, _, args| {
                    let error: ErrorValue = ctx.object(args, "error")?;
                    let answer = error.values.into_iter().fold(
                        FieldError::new(error.message),
                        |answer, NamedValue { name, value }| {
                            let value = serde_json::from_str(&value).unwrap_or(Json::String(value));
                            answer.with(name, value)
                        },
                    );
                    ctx.client().call()?.answer(Err(answer));
                    Ok(())
                })
        });
    let mut arg = registry.object::<CallArg>("FunctionCallArgValue");
    arg.doc("An argument of a call.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.0.name.clone()))
        })
        .field("value", "JSON!", |f| {
            f.doc("Its value.")
                .resolve(|_, this, _| Ok(this.0.value.clone()))
        });
}
