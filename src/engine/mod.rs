//! One session's engine: the graph goes in, values and what can be read from them come out.
//!
//! [`Engine`] ties the solver to the world of operations and keeps what the client lends: secrets
//! set by name, and the providers behind secret addresses. It knows no GraphQL.

mod env_file;
mod git;
mod image;
mod release;
mod secrets;

pub use env_file::EnvFile;
pub use secrets::{ClientHost, Secrets};

use crate::{
    error::{Error, Kind, Result},
    graph::{Container, ExecMeta, File, Key, Service, Tree, Value, Vertex},
    ops::World,
    solver::Solver,
};
use nsci_snapshotter::keeper::{DirEntry, ExportKind};
use std::{path::Path, sync::Arc};

/// The engine of one session.
#[derive(Debug)]
pub struct Engine {
    world: Arc<World>,
    solver: Solver<World>,
    secrets: Arc<Secrets>,
}

impl Engine {
    /// An engine on this world. `secrets` must be the client that the world was made with.
    pub fn new(world: Arc<World>, secrets: Arc<Secrets>) -> Arc<Self> {
        let solver = Solver::new(Arc::clone(&world));
        Arc::new(Self {
            world,
            solver,
            secrets,
        })
    }

    /// What operations work with.
    pub fn world(&self) -> &Arc<World> {
        &self.world
    }

    /// Secrets and the client's host.
    pub fn secrets(&self) -> &Arc<Secrets> {
        &self.secrets
    }

    /// The value of a vertex.
    ///
    /// # Errors
    /// If it, or something it builds on, fails.
    pub async fn solve(&self, vertex: &Arc<Vertex>) -> Result<Value> {
        self.solver.solve(Arc::clone(vertex)).await
    }

    /// What a vertex is made of, without making it.
    ///
    /// # Errors
    /// If something outside that it names cannot be looked up.
    pub async fn definition_key(&self, vertex: &Arc<Vertex>) -> Result<Key> {
        self.solver.definition_key(vertex).await
    }

    /// The container that a vertex is.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub async fn container(&self, vertex: &Arc<Vertex>) -> Result<Container> {
        match self.solve(vertex).await? {
            Value::Container(container) => Ok(*container),
            other => Err(unexpected("container", &other)),
        }
    }

    /// The directory that a vertex is.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub async fn directory(&self, vertex: &Arc<Vertex>) -> Result<Tree> {
        match self.solve(vertex).await? {
            Value::Directory(tree) => Ok(tree),
            other => Err(unexpected("directory", &other)),
        }
    }

    /// The file that a vertex is.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub async fn file(&self, vertex: &Arc<Vertex>) -> Result<File> {
        match self.solve(vertex).await? {
            Value::File(file) => Ok(file),
            other => Err(unexpected("file", &other)),
        }
    }

    /// The service that a vertex is.
    ///
    /// # Errors
    /// As [`Self::solve`].
    pub async fn service(&self, vertex: &Arc<Vertex>) -> Result<Service> {
        match self.solve(vertex).await? {
            Value::Service(service) => Ok(*service),
            other => Err(unexpected("service", &other)),
        }
    }

    /// What the last command of a container said.
    ///
    /// # Errors
    /// If there was none, or as [`Self::solve`].
    pub async fn last_exec(&self, vertex: &Arc<Vertex>) -> Result<ExecMeta> {
        self.container(vertex).await?.last.ok_or_else(|| {
            Error::invalid("no command has been set")
                .hint("call withExec before stdout, stderr or exitCode")
        })
    }

    /// The names in a directory; directories end in `/` if `mark` is set.
    ///
    /// # Errors
    /// If there is no such directory.
    pub async fn entries(&self, tree: &Tree, path: &str, mark: bool) -> Result<Vec<String>> {
        let entries = self.world.entries(tree, path).await?;
        Ok(entries
            .into_iter()
            .map(|entry| marked(entry, mark))
            .collect())
    }

    /// What matches a pattern below a directory.
    ///
    /// # Errors
    /// If the pattern is malformed.
    pub async fn glob(&self, tree: &Tree, pattern: &str, mark: bool) -> Result<Vec<String>> {
        let entries = self.world.glob(tree, pattern).await?;
        Ok(entries
            .into_iter()
            .map(|entry| marked(entry, mark))
            .collect())
    }

    /// The text of a file, or some of its lines.
    ///
    /// # Errors
    /// If there is no such file or it is no text.
    pub async fn contents(
        &self,
        file: &File,
        offset: Option<usize>,
        limit: Option<usize>,
    ) -> Result<String> {
        let bytes = self.world.read_file(file).await?;
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        };
        if offset.is_none() && limit.is_none() {
            return Ok(text);
        }
        let lines = text.split_inclusive('\n').skip(offset.unwrap_or(0));
        Ok(lines.take(limit.unwrap_or(usize::MAX)).collect())
    }

    /// The nearest thing of a name at `start` or above it in a directory, as a path in it.
    ///
    /// # Errors
    /// If the directory cannot be looked at.
    pub async fn find_up(&self, tree: &Tree, name: &str, start: &str) -> Result<Option<String>> {
        let mut parts: Vec<&str> = start
            .split('/')
            .filter(|part| !matches!(*part, "" | "."))
            .collect();
        loop {
            let path = parts.iter().copied().chain([name]).collect::<Vec<_>>();
            let path = path.join("/");
            if self.world.stat(tree, &path, true).await?.is_some() {
                return Ok(Some(path));
            }
            if parts.pop().is_none() {
                return Ok(None);
            }
        }
    }

    /// The nearest thing of a name at `start` or above it on the host, relative to `start`.
    pub fn find_up_on_host(&self, start: &Path, name: &str) -> Option<String> {
        let ups = start.ancestors().zip(0..);
        let (_, ups) = ups
            .filter(|(directory, _)| directory.join(name).exists())
            .min_by_key(|&(_, ups)| ups)?;
        Some("../".repeat(ups) + name)
    }

    /// Writes a directory into a directory of the host; returns where.
    ///
    /// # Errors
    /// If the host refuses.
    pub async fn export_directory(&self, tree: &Tree, host: &Path, wipe: bool) -> Result<String> {
        if tree.snapshot.layers.is_empty() && !wipe {
            std::fs::create_dir_all(host).map_err(|error| export_error(host, error))?;
        } else {
            let kind = ExportKind::Dir { wipe };
            self.world
                .export(&tree.snapshot, &tree.path, host.to_owned(), kind)
                .await?;
        }
        Ok(host.display().to_string())
    }

    /// Repeats a change in a directory of the host: takes paths away, then writes what `layer` has.
    ///
    /// # Errors
    /// If the host refuses.
    pub async fn export_changes(
        &self,
        layer: &Tree,
        removed: &[String],
        host: &Path,
    ) -> Result<String> {
        for path in removed {
            let place = host.join(path.trim_end_matches('/'));
            let linked = place.ancestors().skip(1).take_while(|up| *up != host);
            if linked.into_iter().any(Path::is_symlink) {
                // What a link on the host leads to is not what was removed.
                continue;
            }
            let done = match path.ends_with('/') {
                true => std::fs::remove_dir_all(&place),
                false => std::fs::remove_file(&place),
            };
            match done {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                    return Err(export_error(&place, error));
                }
                _ => {}
            }
        }
        self.export_directory(layer, host, false).await
    }

    /// Writes a file to the host; returns where.
    ///
    /// # Errors
    /// If the host refuses.
    pub async fn export_file(
        &self,
        file: &File,
        host: &Path,
        allow_parent_dir: bool,
    ) -> Result<String> {
        let kind = ExportKind::File { allow_parent_dir };
        let done = self
            .world
            .export(&file.snapshot, &file.path, host.to_owned(), kind)
            .await?;
        Ok(done.path.display().to_string())
    }
}

fn marked(entry: DirEntry, mark: bool) -> String {
    match entry.kind {
        nsci_snapshotter::keeper::FileKind::Dir if mark => entry.name + "/",
        _ => entry.name,
    }
}

fn unexpected(wanted: &str, got: &Value) -> Error {
    Error::internal(format!("expected a {wanted}, got {got:?}"))
}

fn export_error(path: &Path, error: std::io::Error) -> Error {
    Error::caused(
        Kind::Host,
        format!("cannot export to {}", path.display()),
        error,
    )
}
