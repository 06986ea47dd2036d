//! The containers that functions of modules run in, made of [`RuntimePlan`]s as graphs.

use super::{api::Api, modules::ModuleSpec};
use crate::{
    graph::{
        Configure, Copy, Edit, Exec, MountSource, Op, Ownership, Vertex, VolumeRef, fingerprint,
    },
    module::{
        GENERATOR, RuntimePlan,
        runtime_plan::{PlanMount, PlanSource, SetupStep},
        sdk::{SdkFiles, SdkKind},
    },
};
use nsci_snapshotter::record::Refs;
use std::{sync::Arc, time::Instant};

/// The container that a module's functions run in, as a graph.
pub(crate) fn runtime(api: &Api, spec: &ModuleSpec) -> Arc<Vertex> {
    let made = spec.runtime.as_ref();
    Arc::clone(made.unwrap_or_else(|| spec.made.runtime.get_or_init(|| planned(api, spec))))
}

fn planned(api: &Api, spec: &ModuleSpec) -> Arc<Vertex> {
    let plan: &RuntimePlan = &spec.plan;
    let platform = crate::source::Platform::host().to_string();
    let scratch = Vertex::new(Op::Scratch { platform }, vec![]);
    let mut container = Vertex::new(
        Op::From {
            address: plan.base_image.clone(),
        },
        vec![scratch],
    );
    for step in &plan.setup {
        container = prepare(api, spec, container, step);
    }
    for mount in &plan.mounts {
        container = mounted(spec, container, mount);
    }
    for (name, image) in &plan.renamed {
        let value = format!("${{{image}}}");
        container = configured(container, variable(name, &value, true));
    }
    for (name, value) in &plan.env {
        container = configured(container, variable(name, value, false));
    }
    let changes = [
        Configure::Workdir {
            path: Some(plan.workdir.clone()),
            expand: false,
        },
        Configure::User { name: None },
        Configure::Entrypoint {
            args: Some(plan.args.clone()),
            keep_default_args: false,
        },
    ];
    changes.into_iter().fold(container, configured)
}

fn prepare(api: &Api, spec: &ModuleSpec, container: Arc<Vertex>, step: &SetupStep) -> Arc<Vertex> {
    match step {
        SetupStep::CopySdk { sdk, path } => {
            let to = Copy {
                path: path.clone(),
                ..Copy::default()
            };
            let files = sdk_files(api, *sdk);
            Vertex::new(Op::Edit(Edit::Directory(to)), vec![container, files])
        }
        SetupStep::WriteFile { path, contents } => with_file(container, path, contents),
        SetupStep::Exec {
            args,
            caches,
            mounts,
            env,
            workdir,
            ..
        } => {
            let mut run = container;
            for (name, value) in env {
                run = configured(run, variable(name, value, false));
            }
            if let Some(path) = workdir {
                let path = Some(path.clone());
                run = configured(
                    run,
                    Configure::Workdir {
                        path,
                        expand: false,
                    },
                );
            }
            for (path, key) in caches {
                let source = MountSource::Cache {
                    volume: VolumeRef {
                        namespace: "nsci".into(),
                        key: key.clone(),
                    },
                    sharing: crate::graph::CacheSharing::Shared,
                    owner: Ownership::Unchanged,
                };
                let mount = Op::Mount {
                    target: path.clone(),
                    source,
                    expand: false,
                };
                run = Vertex::new(mount, vec![run]);
            }
            for mount in mounts {
                run = mounted(spec, run, mount);
            }
            let exec = Exec {
                args: args.clone(),
                ..Exec::default()
            };
            run = Vertex::new(Op::Exec(Box::new(exec)), vec![run]);
            let targets = caches
                .iter()
                .map(|(path, _)| path)
                .chain(mounts.iter().map(|m| &m.path));
            targets.fold(run, |run, target| {
                Vertex::new(
                    Op::Unmount {
                        target: target.clone(),
                        expand: false,
                    },
                    vec![run],
                )
            })
        }
    }
}

fn mounted(spec: &ModuleSpec, container: Arc<Vertex>, mount: &PlanMount) -> Arc<Vertex> {
    let source = match mount.source {
        PlanSource::ModuleSource => spec.source_vertex(),
        PlanSource::GeneratedSource => with_files(spec.source_vertex(), pairs(&spec.generated)),
    };
    let kind = MountSource::Directory {
        owner: Ownership::Unchanged,
        readonly: !mount.writable,
    };
    let op = Op::Mount {
        target: mount.path.clone(),
        source: kind,
        expand: false,
    };
    Vertex::new(op, vec![container, source])
}

fn configured(container: Arc<Vertex>, change: Configure) -> Arc<Vertex> {
    Vertex::new(Op::Configure(change), vec![container])
}

fn variable(name: &str, value: &str, expand: bool) -> Configure {
    Configure::Env {
        name: name.to_owned(),
        value: value.to_owned(),
        expand,
    }
}

/// An embedded SDK as a directory. What has to be made of its sources is kept in the store.
fn sdk_files(api: &Api, sdk: SdkKind) -> Arc<Vertex> {
    let empty = Vertex::new(Op::EmptyDirectory, vec![]);
    let make = match sdk.files() {
        SdkFiles::Embedded(files) => return with_files(empty, files.iter().copied()),
        SdkFiles::Made(make) => make,
    };
    let started = Instant::now();
    let key = fingerprint("sdk", &(GENERATOR, sdk));
    let cache = api.engine().world().cache();
    let files = cache.recall("sdk", &key).unwrap_or_else(|| {
        let made: Vec<(String, String)> = make();
        let name = format!("{} SDK", sdk.name());
        cache.remember(
            "sdk",
            &key,
            &made,
            Refs::default(),
            &name,
            started.elapsed(),
        );
        made
    });
    with_files(empty, pairs(&files))
}

fn pairs(files: &[(String, String)]) -> impl Iterator<Item = (&str, &str)> {
    files
        .iter()
        .map(|(path, text)| (path.as_str(), text.as_str()))
}

/// A directory with files written into it.
fn with_files<'a>(
    directory: Arc<Vertex>,
    files: impl Iterator<Item = (&'a str, &'a str)>,
) -> Arc<Vertex> {
    files.fold(directory, |directory, (path, contents)| {
        with_file(directory, path, contents)
    })
}

/// A directory, or container, with a file written into it.
pub(super) fn with_file(into: Arc<Vertex>, path: &str, contents: &str) -> Arc<Vertex> {
    let to = Copy {
        path: path.to_owned(),
        ..Copy::default()
    };
    let contents = contents.to_owned();
    Vertex::new(Op::Edit(Edit::NewFile { to, contents }), vec![into])
}
