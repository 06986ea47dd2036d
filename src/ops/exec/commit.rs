//! Committing: what a command wrote becomes layers.

use super::{
    super::{files, paths::absolute},
    Job,
    prepare::Prepared,
};
use crate::{
    error::{Error, Result},
    graph::{Container, ExecMeta, MountKind, Output},
};
use nsci_snapshotter::{LayerId, keeper::Commit};

impl Job {
    pub(super) fn commit(&self, prepared: Prepared, meta: ExecMeta) -> Result<Container> {
        let mut container = self.plan.container.clone();
        let redirects = self.redirects(&meta)?;
        container.last = Some(meta);
        if !self.plan.keep {
            prepared.discard(&self.live);
            return Ok(container);
        }
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
                keep_mount(&mut container, &tree.target, layer.id);
            }
        }
        for (path, data) in redirects {
            let edit = nsci_snapshotter::keeper::Edit::WriteFile {
                path,
                data: nsci_snapshotter::keeper::Data::Bytes(data),
                mode: 0o644,
                uid: self.plan.user.uid,
                gid: self.plan.user.gid,
                mtime: None,
            };
            let layer = keeper
                .edit(&container.rootfs.layers, vec![edit])
                .map_err(files::keeper_error)?;
            if let Some(layer) = layer {
                container.rootfs = container.rootfs.with(layer.id);
            }
        }
        Ok(container)
    }

    fn redirects(&self, meta: &ExecMeta) -> Result<Vec<(String, Vec<u8>)>> {
        let exec = &self.plan.exec;
        let mut list = Vec::new();
        for (path, output) in [
            (&exec.redirect_stdout, &meta.stdout),
            (&exec.redirect_stderr, &meta.stderr),
        ] {
            if !path.is_empty() {
                let path = absolute(self.plan.container.workdir(), path);
                list.push((path, self.output_bytes(output)?));
            }
        }
        Ok(list)
    }

    fn output_bytes(&self, output: &Output) -> Result<Vec<u8>> {
        match output {
            Output::Inline(text) => Ok(text.clone().into_bytes()),
            Output::Blob(digest) => {
                let lost = || Error::internal(format!("output {digest} is not in the store"));
                let digest = digest.parse().map_err(|_| lost())?;
                self.store
                    .content()
                    .read(&digest)
                    .map_err(files::store_error)?
                    .ok_or_else(lost)
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
