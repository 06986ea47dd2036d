//! Dockerfiles: finds the file in its context and has it lowered.

use super::{files, image::host_platform, world::World};
use crate::{
    dockerfile::{Bases, Build, ignore_patterns, lower},
    error::{Error, Result},
    graph::{DockerBuild, File, ImageConfig, Op, Tree, Value, Vertex},
    solver::Solver,
};
use futures_util::future::{BoxFuture, FutureExt};
use std::{collections::BTreeMap, sync::Arc};

/// Base images as the solver knows them.
struct Images<'a>(&'a Solver<World>);

impl Bases for Images<'_> {
    fn config<'a>(&'a self, image: &'a Arc<Vertex>) -> BoxFuture<'a, Result<ImageConfig>> {
        async move {
            let value = self.0.solve(Arc::clone(image)).await?;
            Ok(files::container(&value)?.config.clone())
        }
        .boxed()
    }
}

/// The vertex that a Dockerfile stands for.
pub(super) async fn vertex(
    world: &World,
    build: &DockerBuild,
    context: &Arc<Vertex>,
    solver: &Solver<World>,
) -> Result<Arc<Vertex>> {
    let value = solver.solve(Arc::clone(context)).await?;
    let Value::Directory(tree) = &value else {
        return Err(Error::internal(
            "the context of a Dockerfile is no directory",
        ));
    };
    let file = build.dockerfile.as_str();
    let text = read(world, tree, file).await?.ok_or_else(|| {
        Error::invalid(format!("there is no {file} in the build context"))
            .hint("dockerBuild takes its path, relative to the directory, as `dockerfile`")
    })?;
    // The ignore file of this Dockerfile alone counts before the common one.
    let own = read(world, tree, &format!("{file}.dockerignore")).await?;
    let ignore = match own {
        Some(own) => Some(own),
        None => read(world, tree, ".dockerignore").await?,
    };
    let exclude = ignore.as_deref().map(ignore_patterns).unwrap_or_default();
    let seen = if exclude.is_empty() {
        Arc::clone(context)
    } else {
        let filter = Op::Filter {
            include: Vec::new(),
            exclude,
            gitignore: false,
        };
        Vertex::new(filter, vec![Arc::clone(context)])
    };
    let asked = Build {
        text: &text,
        file,
        context: seen,
        platform: build.platform.clone(),
        host: host_platform(),
        args: build.args.iter().cloned().collect::<BTreeMap<_, _>>(),
        target: &build.target,
        secrets: build.secrets.clone(),
        ssh: build.ssh.clone(),
        no_init: build.no_init,
    };
    lower(&asked, &Images(solver)).await
}

/// The text of a file of the context; `None` if there is no such file.
async fn read(world: &World, tree: &Tree, path: &str) -> Result<Option<String>> {
    if tree.snapshot.layers.is_empty() {
        return Ok(None);
    }
    let Some(stat) = world.stat(tree, path, true).await? else {
        return Ok(None);
    };
    let file = File {
        snapshot: tree.snapshot.clone(),
        path: stat.path,
    };
    let bytes = world.read_file(&file).await?;
    String::from_utf8(bytes)
        .map(Some)
        .map_err(|_| Error::invalid(format!("{path} is no UTF-8 text")))
}
