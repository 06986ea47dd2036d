//! What a module's source says: its types, how it is run, and what is generated for it.
//!
//! All three follow from the source, the configuration, the types of the modules it uses and this executable. So
//! they are kept as one record under a hash of these ([`key`]), and a module that did not change is neither parsed
//! nor are scripts or clients generated for it.

use super::modules::Modules;
use crate::{
    codegen::{self, Schema},
    error::{Error, Kind, Result},
    graph::{Configure, Exec, Key, Op, Vertex, fingerprint},
    module::{GENERATOR, ModuleTypes, RuntimePlan, SdkKind, StaticError, sdk::SourceFiles},
    schema::{self, Api, ModuleSpec, gql::View},
};
use nsci_snapshotter::record::Refs;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Instant};

/// Where descriptions are kept.
const DOMAIN: &str = "module";

/// What there is to know of a module before one of its functions runs.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Description {
    /// Its types; `None` if only running it can tell.
    types: Option<ModuleTypes>,
    /// How its functions are run.
    plan: RuntimePlan,
    /// Files generated for it: path in the source directory, contents.
    generated: Vec<(String, String)>,
}

/// Fills in what the source of a module says.
///
/// # Errors
/// Mistakes in the source, with file and line.
pub(super) async fn load(
    modules: &Modules,
    api: &Arc<Api>,
    sdk: SdkKind,
    mut spec: ModuleSpec,
) -> Result<ModuleSpec> {
    let started = Instant::now();
    let files = sdk.collect(&spec.source).map_err(|error| {
        let place = spec.source.display();
        let what = format!("cannot read the module's sources in {place}");
        Error::caused(Kind::Invalid, what, error)
    })?;
    let key = key(sdk, &spec, &files);
    let cache = api.engine().world().cache();
    let known = cache.recall::<Description>(DOMAIN, &key);
    let description = match known {
        Some(known) => known,
        None => {
            let made = describe(modules, sdk, &spec, &files)?;
            let name = format!("types of module {}", spec.name);
            let refs = Refs::default();
            cache.remember(DOMAIN, &key, &made, refs, &name, started.elapsed());
            made
        }
    };
    spec.plan = description.plan;
    spec.generated = description.generated;
    spec.types = match description.types {
        Some(types) => types,
        None => ask(api, &spec).await?,
    };
    Ok(spec)
}

/// Names a description by all that it follows from.
fn key(sdk: SdkKind, spec: &ModuleSpec, files: &SourceFiles) -> Key {
    let used: Vec<_> = spec
        .dependencies
        .iter()
        .map(|used| (&used.name, &used.module.name))
        .collect();
    let mut parts = vec![
        fingerprint("generator", GENERATOR),
        fingerprint("module", &(sdk, &spec.config, files, used)),
    ];
    let below = spec.dependencies.iter();
    for module in below.flat_map(|used| used.module.closure()) {
        parts.push(fingerprint("types", &(&module.name, &module.types)));
    }
    Key::of(DOMAIN, &parts)
}

fn describe(
    modules: &Modules,
    sdk: SdkKind,
    spec: &ModuleSpec,
    files: &SourceFiles,
) -> Result<Description> {
    let wrong = |error: StaticError| {
        let what = format!("cannot load module `{}`", spec.config.name);
        Error::caused(Kind::Invalid, what, error)
    };
    let plan = sdk.plan(&spec.config, files).map_err(wrong)?;
    let analysis = match sdk.analyze(&spec.name, files) {
        Ok(analysis) => analysis,
        Err(StaticError::NeedsRuntime { .. }) => {
            return Ok(Description {
                types: None,
                plan,
                generated: Vec::new(),
            });
        }
        Err(error) => return Err(wrong(error)),
    };
    let own = calls_itself(&spec.config.name, files).then(|| {
        let mut own = ModuleSpec {
            types: analysis.types().clone(),
            ..spec.clone()
        };
        own.classify();
        Arc::new(own)
    });
    let is_alone = spec.dependencies.is_empty() && own.is_none();
    let seen = (!is_alone && sdk != SdkKind::Python).then_some(|| {
        let seen = modules.visible(&spec.dependencies, own.as_ref())?;
        Ok(Schema::from_table(seen.table(), View::LATEST))
    });
    let generated = codegen::files(&analysis, &spec.config, files, seen, wrong)?;
    Ok(Description {
        types: Some(analysis.into_types()),
        plan,
        generated,
    })
}

/// Whether a module's source seems to call the module's own functions through the API: `dag.name(`.
fn calls_itself(name: &str, files: &SourceFiles) -> bool {
    let plain = |text: &str| text.replace(['-', '_'], "").to_lowercase();
    let name = plain(name);
    let calls = |text: &str| {
        text.match_indices("dag").any(|(at, found)| {
            let rest = text[at + found.len()..].trim_start();
            let called = rest.strip_prefix('.').map(str::trim_start);
            let called = called.and_then(|rest| rest.split_once('('));
            called.is_some_and(|(called, _)| plain(called) == name)
        })
    };
    files.values().any(|text| calls(text))
}

/// Asks the module itself, where its types cannot be told from the source.
async fn ask(api: &Arc<Api>, spec: &ModuleSpec) -> Result<ModuleTypes> {
    let runtime = schema::runtime(api, spec);
    let entrypoint = Configure::Entrypoint {
        args: None,
        keep_default_args: false,
    };
    let container = Vertex::new(Op::Configure(entrypoint), vec![runtime]);
    let words = spec.plan.args.iter().cloned();
    let args = words.chain(["--describe".to_owned()]).collect();
    let exec = Op::Exec(Box::new(Exec {
        args,
        ..Exec::default()
    }));
    let described = Vertex::new(exec, vec![container]);
    let engine = api.engine();
    let meta = engine.last_exec(&described).await?;
    let text = engine.world().output(&meta.stdout)?;
    let types: ModuleTypes = serde_json::from_str(&text).map_err(|error| {
        let what = "the module's description cannot be read";
        Error::caused(Kind::Internal, what, error)
    })?;
    types
        .finish(&spec.name)
        .map_err(|error| Error::caused(Kind::Invalid, "the module's types are wrong", error))
}
