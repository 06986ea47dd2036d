//! What can be read of trees and files.

use super::{
    super::{
        paths::absolute,
        world::{World, blocking},
    },
    places::{inside, locate, place},
};
use crate::{
    error::{Error, Kind, Result},
    graph::{Container, File, Key, Snapshot, Tree, fingerprint},
};
use nsci_snapshotter::{
    LayerId,
    keeper::{DirEntry, Export, ExportKind, Exported, Stat},
};
use std::{path::PathBuf, time::Duration};

impl World {
    /// Hash of a directory's content.
    ///
    /// # Errors
    /// If there is no such directory.
    pub async fn tree_digest(&self, tree: &Tree) -> Result<Key> {
        if tree.path == "/" {
            return Ok(tree.snapshot.digest.clone());
        }
        self.place_digest(&tree.snapshot, &tree.path).await
    }

    /// Hash of a file's content.
    ///
    /// # Errors
    /// If there is no such file.
    pub async fn file_digest(&self, file: &File) -> Result<Key> {
        self.place_digest(&file.snapshot, &file.path).await
    }

    async fn place_digest(&self, snapshot: &Snapshot, path: &str) -> Result<Key> {
        let key = fingerprint("place", &(&snapshot.digest, path));
        if let Some(known) = self.cache.recall::<Key>("digest", &key) {
            return Ok(known);
        }
        let layers = self.mountable(snapshot).await?;
        let at = path.to_owned();
        let digest = self
            .keeper(move |keeper| keeper.tree_digest(&layers, &at, false))
            .await?;
        let digest = Key::of("content", [digest]);
        let refs = nsci_snapshotter::record::Refs::default();
        self.cache
            .remember("digest", &key, &digest, refs, "digest", Duration::ZERO);
        Ok(digest)
    }

    /// Hash of what is at a place, for users: without modification times, or without any metadata.
    ///
    /// # Errors
    /// If nothing is there.
    pub async fn public_digest(
        &self,
        snapshot: &Snapshot,
        path: &str,
        exclude_metadata: bool,
    ) -> Result<String> {
        let layers = self.mountable(snapshot).await?;
        let path = path.to_owned();
        self.keeper(move |keeper| keeper.tree_digest(&layers, &path, exclude_metadata))
            .await
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// If there is no such file, or it is larger than the API can carry.
    pub async fn read_file(&self, file: &File) -> Result<Vec<u8>> {
        /// What an answer can carry.
        const LIMIT: u64 = 128 << 20;
        let layers = self.mountable(&file.snapshot).await?;
        let path = file.path.clone();
        let (stat, fd) = self
            .keeper(move |keeper| keeper.open_file(&layers, &path))
            .await?;
        if stat.size > LIMIT {
            return Err(Error::invalid(format!(
                "{} has {} bytes, more than the {LIMIT} that contents can return",
                file.path, stat.size
            ))
            .hint("export it, or read it in a command"));
        }
        blocking(move || {
            let mut bytes = Vec::with_capacity(usize::try_from(stat.size).unwrap_or(0));
            std::io::Read::read_to_end(&mut std::fs::File::from(fd), &mut bytes)
                .map_err(|error| Error::caused(Kind::Host, "cannot read a file", error))?;
            Ok(bytes)
        })
        .await
    }

    /// The entries of a directory, sorted.
    ///
    /// # Errors
    /// If there is no such directory.
    pub async fn entries(&self, tree: &Tree, path: &str) -> Result<Vec<DirEntry>> {
        if tree.snapshot.layers.is_empty() && absolute("/", path) == "/" {
            return Ok(Vec::new());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let at = inside(tree, path);
        self.keeper(move |keeper| keeper.read_dir(&layers, &at))
            .await
    }

    /// What matches a pattern below a directory, sorted.
    ///
    /// # Errors
    /// If the pattern is malformed.
    pub async fn glob(&self, tree: &Tree, pattern: &str) -> Result<Vec<DirEntry>> {
        if tree.snapshot.layers.is_empty() {
            return Ok(Vec::new());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let (at, pattern) = (tree.path.clone(), pattern.to_owned());
        self.keeper(move |keeper| keeper.glob(&layers, &at, &pattern))
            .await
    }

    /// What is at a path of a directory; `None` if nothing is.
    ///
    /// # Errors
    /// If the place cannot be looked at.
    pub async fn stat(&self, tree: &Tree, path: &str, follow: bool) -> Result<Option<Stat>> {
        let layers = self.mountable(&tree.snapshot).await?;
        let at = inside(tree, path);
        self.keeper(move |keeper| keeper.stat(&layers, &at, follow))
            .await
    }

    /// The place that a container's path means.
    ///
    /// # Errors
    /// If the path is in a mount that has no files.
    pub fn locate(&self, container: &Container, path: &str, expand: bool) -> Result<Tree> {
        locate(container, &place(container, path, expand))
            .map(|(snapshot, path)| Tree { snapshot, path })
    }

    /// The place that a directory's path means.
    pub fn inside(&self, tree: &Tree, path: &str) -> Tree {
        Tree {
            snapshot: tree.snapshot.clone(),
            path: inside(tree, path),
        }
    }

    /// Writes a place to the host.
    ///
    /// # Errors
    /// If the place does not exist or the host refuses.
    pub async fn export(
        &self,
        snapshot: &Snapshot,
        path: &str,
        host: PathBuf,
        kind: ExportKind,
    ) -> Result<Exported> {
        let layers: Vec<LayerId> = self.mountable(snapshot).await?;
        let export = Export {
            layers,
            path: path.to_owned(),
            dst: host,
            kind,
        };
        let step = self.step(format!("export {}", export.dst.display()), true);
        let result = self.keeper(move |keeper| keeper.export(export)).await;
        step.result(result)
    }
}
