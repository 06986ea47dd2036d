//! Committing: what a command wrote becomes layers.

use super::{super::files, Job, prepare::Prepared};
use crate::{
    error::{Error, Result},
    graph::{Container, ExecMeta, MountKind, Output},
};
use nsci_snapshotter::{
    LayerId,
    keeper::{Commit, Data},
};

impl Job {
    pub(super) fn commit(&self, prepared: Prepared, meta: ExecMeta) -> Result<Container> {
        let mut container = self.plan.container.clone();
        if !self.plan.keep {
            prepared.discard(&self.live);
            container.last = Some(meta);
            return Ok(container);
        }
        self.freeze(&mut container, prepared)?;
        for (path, output) in [
            (&self.plan.exec.redirect_stdout, &meta.stdout),
            (&self.plan.exec.redirect_stderr, &meta.stderr),
        ] {
            if !path.is_empty() {
                self.redirect(&mut container, path, output)?;
            }
        }
        container.last = Some(meta);
        Ok(container)
    }

    /// The container as a failed command left it; nothing if it cannot be kept, which is no second failure.
    pub(super) fn salvage(&self, prepared: Prepared) -> Option<Container> {
        if !self.plan.keep {
            prepared.discard(&self.live);
            return None;
        }
        let mut container = self.plan.container.clone();
        self.freeze(&mut container, prepared).ok()?;
        Some(container)
    }

    /// Turns what was written into layers of the container and of its mounts.
    fn freeze(&self, container: &mut Container, prepared: Prepared) -> Result<()> {
        let keeper = &self.live.keeper;
        // The working directory stays, as it does for Docker; mount points do not.
        let stubs = prepared
            .active
            .ensured
            .iter()
            .skip(1)
            .flat_map(|e| e.created.clone())
            .collect();
        let commit = Commit {
            id: prepared.active.id.clone(),
            stubs,
        };
        let root = keeper.commit(commit).map_err(files::keeper_error)?;
        if let Some(layer) = root {
            container.rootfs = container.rootfs.with(layer.id);
        }
        for tree in prepared.mounted {
            if !tree.keep {
                keeper
                    .unmount(&tree.mounted.id)
                    .map_err(files::keeper_error)?;
                continue;
            }
            let commit = Commit {
                id: tree.mounted.id.clone(),
                stubs: Vec::new(),
            };
            let layer = keeper.commit(commit).map_err(files::keeper_error)?;
            if let Some(layer) = layer {
                keep_mount(container, &tree.target, layer.id);
            }
        }
        Ok(())
    }

    /// Writes what a command said to a file, in the root file system or in a mounted directory.
    fn redirect(&self, container: &mut Container, path: &str, output: &Output) -> Result<()> {
        let path = files::place(container, path, self.plan.exec.expand);
        let (snapshot, path) = files::place_mut(container, &path)?;
        let edit = nsci_snapshotter::keeper::Edit::WriteFile {
            path,
            data: self.data(output)?,
            mode: 0o644,
            uid: self.plan.user.uid,
            gid: self.plan.user.gid,
            mtime: None,
        };
        let layer = self
            .live
            .keeper
            .edit(&snapshot.layers, vec![edit])
            .map_err(files::keeper_error)?;
        if let Some(layer) = layer {
            *snapshot = snapshot.with(layer.id);
        }
        Ok(())
    }

    /// What was said, by descriptor if there is much of it.
    fn data(&self, output: &Output) -> Result<Data> {
        match output {
            Output::Inline(text) => Ok(Data::Bytes(text.clone().into_bytes())),
            Output::Blob(digest) => {
                let lost = || Error::internal(format!("output {digest} is not in the store"));
                let digest = digest.parse().map_err(|_| lost())?;
                let blob = self.store.content().open(&digest);
                let blob = blob.map_err(files::store_error)?.ok_or_else(lost)?;
                Ok(Data::Fd(blob.into()))
            }
        }
    }
}

fn keep_mount(container: &mut Container, target: &str, layer: LayerId) {
    let mount = container
        .mounts
        .iter_mut()
        .find(|mount| mount.target == target);
    match mount.map(|mount| &mut mount.kind) {
        Some(MountKind::Directory { tree, .. }) => tree.snapshot = tree.snapshot.with(layer),
        Some(MountKind::File(file)) => file.snapshot = file.snapshot.with(layer),
        _ => {}
    }
}
