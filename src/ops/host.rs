//! The client's files: scanned when a key needs them, copied into the store when a step does.

use super::{
    files::store_error,
    world::{World, blocking},
};
use crate::{
    error::{Error, Kind, Result},
    graph::{Key, Op, Snapshot, Tree, VolumeRef},
};
use nsci_snapshotter::{
    Store,
    hostdir::{self, Scan},
    lock::Wait,
    pattern::Filter,
    volume::{Sharing, VolumeDir, VolumeName},
};
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// How often a directory that changes while it is copied is read anew.
const TRIES: usize = 3;

/// What was scanned in this session. A session sees one state of each directory.
#[derive(Debug, Default)]
pub(super) struct Scans(Mutex<HashMap<ScanKey, Arc<OnceCell<Arc<HostScan>>>>>);

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct ScanKey {
    path: String,
    include: Vec<String>,
    exclude: Vec<String>,
    gitignore: bool,
    file: bool,
    /// What was found; absent for what the session saw first.
    state: Option<Key>,
}

impl ScanKey {
    fn of(op: &Op) -> Result<Self> {
        match op {
            Op::HostDirectory {
                path,
                include,
                exclude,
                gitignore,
                state,
            } => Ok(Self {
                path: path.clone(),
                include: include.clone(),
                exclude: exclude.clone(),
                gitignore: *gitignore,
                file: false,
                state: state.clone(),
            }),
            Op::HostFile { path, state } => Ok(Self {
                path: path.clone(),
                include: Vec::new(),
                exclude: Vec::new(),
                gitignore: false,
                file: true,
                state: state.clone(),
            }),
            other => Err(Error::internal(format!(
                "{other:?} names nothing of the host"
            ))),
        }
    }
}

/// A directory or file of the host as it was read.
#[derive(Debug)]
pub(super) struct HostScan {
    key: ScanKey,
    scan: Scan,
}

impl HostScan {
    /// Names the content.
    pub(super) fn key(&self) -> Key {
        Key::of("host", [self.scan.digest().as_bytes()])
    }

    /// The last part of the path.
    pub(super) fn name(&self) -> &str {
        self.key.path.rsplit('/').next().unwrap_or_default()
    }
}

impl World {
    /// Reads a directory of the host, or remembers what was read.
    pub(super) async fn scan_directory(
        &self,
        path: &str,
        include: &[String],
        exclude: &[String],
        gitignore: bool,
    ) -> Result<Arc<HostScan>> {
        let (include, exclude) = (include.to_vec(), exclude.to_vec());
        self.scan(ScanKey {
            path: path.to_owned(),
            include,
            exclude,
            gitignore,
            file: false,
            state: None,
        })
        .await
    }

    /// Reads what an operation names of the host, or remembers what was read.
    pub(super) async fn scan_of(&self, op: &Op) -> Result<Arc<HostScan>> {
        self.scan(ScanKey::of(op)?).await
    }

    /// The operation for what is on the host now, whatever the session saw there before.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn read_again(&self, mut op: Op) -> Result<Op> {
        let key = ScanKey::of(&op)?;
        let store = Arc::clone(self.store());
        let found = blocking(move || read(&store, key).map(Arc::new)).await?;
        if let Op::HostDirectory { state, .. } | Op::HostFile { state, .. } = &mut op {
            *state = Some(found.key());
        }
        let mut known = self
            .host_dirs
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known
            .entry(ScanKey::of(&op)?)
            .or_insert_with(|| Arc::new(OnceCell::new_with(Some(found))));
        drop(known);
        Ok(op)
    }

    async fn scan(&self, key: ScanKey) -> Result<Arc<HostScan>> {
        let cell = {
            let mut known = self
                .host_dirs
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key.clone()).or_default())
        };
        let read = || async {
            let store = Arc::clone(self.store());
            blocking(move || read(&store, key).map(Arc::new)).await
        };
        cell.get_or_try_init(read).await.cloned()
    }

    /// Forgets what was read at a path, so that it is read again.
    pub(super) fn forget_host(&self, path: &str) {
        let mut known = self
            .host_dirs
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        known.retain(|key, _| key.path != path);
    }

    /// Brings what was read into the store.
    pub(super) async fn import(&self, found: &Arc<HostScan>) -> Result<Snapshot> {
        let layer = found.scan.layer_id();
        if self
            .cache
            .hold_layers(std::slice::from_ref(&layer))
            .is_empty()
        {
            return Ok(Snapshot::of([layer]));
        }
        let step = self.step(format!("copy {}", found.key.path), true);
        let (found, world) = (Arc::clone(found), Arc::clone(&self.cache));
        let result = blocking(move || {
            let mut fresh: Option<HostScan> = None;
            for attempt in 1.. {
                let scan = fresh.as_ref().map_or(&found.scan, |fresh| &fresh.scan);
                match hostdir::import(world.store(), world.lease(), scan) {
                    Ok(layer) => return Ok(Snapshot::of([layer.id])),
                    Err(nsci_snapshotter::Error::ChangedWhileReading { .. }) if attempt < TRIES => {
                        fresh = Some(read(world.store(), found.key.clone())?);
                    }
                    Err(error) => return Err(host_error(&found.key.path, error)),
                }
            }
            unreachable!("the last attempt returns")
        })
        .await;
        step.result(result)
    }

    /// Opens a cache volume for a command.
    pub(super) fn volume_name(volume: &VolumeRef) -> VolumeName {
        VolumeName {
            namespace: volume.namespace.clone(),
            key: volume.key.clone(),
        }
    }

    /// The layers and path that seed an empty volume.
    pub(super) async fn seed(&self, seed: Option<&Tree>) -> Result<Option<Seed>> {
        match seed {
            None => Ok(None),
            Some(tree) => Ok(Some(Seed {
                layers: self.mountable(&tree.snapshot).await?,
                path: tree.path.clone(),
            })),
        }
    }
}

/// What fills an empty volume.
#[derive(Clone, Debug)]
pub(super) struct Seed {
    pub(super) layers: Vec<nsci_snapshotter::LayerId>,
    pub(super) path: String,
}

/// Opens a volume, waiting while others hold it; `cancelled` ends the wait.
pub(super) fn open_volume(
    store: &Store,
    name: &VolumeName,
    sharing: Sharing,
    cancelled: &dyn Fn() -> bool,
) -> Result<VolumeDir> {
    let mut wait = |_: Duration| {
        if cancelled() {
            Wait::GiveUp
        } else {
            Wait::Continue
        }
    };
    store
        .volumes()
        .open(name, sharing, &mut wait)
        .map_err(|error| {
            if cancelled() {
                Error::new(Kind::Cancelled, "cancelled")
            } else {
                store_error(error)
            }
        })
}

fn read(store: &Store, key: ScanKey) -> Result<HostScan> {
    let path = Path::new(&key.path);
    let scan = if key.file {
        hostdir::scan_file(path)
    } else {
        let filter = Filter::new(&key.include, &key.exclude)
            .map_err(|error| Error::invalid(error.to_string()))?
            .with_gitignore(key.gitignore);
        hostdir::scan(path, &filter, Some(&store.stat_cache()))
    };
    match scan {
        Ok(scan) => Ok(HostScan { key, scan }),
        Err(error) => Err(host_error(&key.path, error)),
    }
}

fn host_error(path: &str, error: nsci_snapshotter::Error) -> Error {
    match &error {
        nsci_snapshotter::Error::Io { source, .. }
            if source.kind() == std::io::ErrorKind::NotFound =>
        {
            Error::caused(
                Kind::Invalid,
                format!("host path {path} does not exist"),
                error,
            )
            .hint("paths are relative to the directory that nsci is started in")
        }
        _ => Error::caused(Kind::Host, format!("cannot read host path {path}"), error),
    }
}

/// A random value of the store, made once.
pub(super) fn store_salt(store: &Store) -> Result<[u8; 32]> {
    let path: PathBuf = store.layout().root().join("salt");
    let failed = |error| Error::caused(Kind::Host, "cannot use the store's salt", error);
    for _ in 0..2 {
        match std::fs::read(&path) {
            Ok(bytes) if bytes.len() == 32 => {
                return Ok(bytes.try_into().expect("the length was checked"));
            }
            Ok(_) => std::fs::remove_file(&path).map_err(failed)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(failed(error)),
        }
        let mut salt = [0; 32];
        rustix::rand::getrandom(&mut salt, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| failed(error.into()))?;
        let temporary = store.tmp_path().map_err(store_error)?;
        std::fs::write(&temporary, salt).map_err(failed)?;
        // Whoever links first decides; the others read what is there.
        match std::fs::hard_link(&temporary, &path) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
                return Err(failed(error));
            }
            _ => {}
        }
        std::fs::remove_file(&temporary).map_err(failed)?;
    }
    let bytes = std::fs::read(&path).map_err(failed)?;
    bytes
        .try_into()
        .map_err(|_| Error::new(Kind::Host, "the store's salt is damaged"))
}
