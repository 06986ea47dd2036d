//! What is remembered from run to run: results by key, as records of the store.
//!
//! A record is believed or missed, never wrong: the store drops one that is torn or that names
//! files which are gone. Image layers are no such names, because an image can be pulled again.

use crate::graph::{
    Container, ExecMeta, Key, MountKind, Output, Service, ServiceKind, Snapshot, Tree, Value,
};
use nsci_snapshotter::{
    Digest, LayerId, RecordKey, Store,
    lease::{Lease, Ref},
    record::{Record, Refs},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// Version of what keys and bodies mean. A change makes every earlier record a miss.
pub const FORMAT: &str = "nsci-cache-1";

/// The results of a store, and what this process uses of it.
#[derive(Debug)]
pub struct Cache {
    store: Arc<Store>,
    lease: Lease,
    image_layers: Mutex<HashSet<LayerId>>,
}

impl Cache {
    /// The cache in a store; what it hands out stays in the store while it lives.
    ///
    /// # Errors
    /// If the lease cannot be written.
    pub fn open(store: Arc<Store>) -> Result<Self, nsci_snapshotter::Error> {
        let lease = Lease::open(&store)?;
        Ok(Self {
            store,
            lease,
            image_layers: Mutex::default(),
        })
    }

    /// The store.
    pub fn store(&self) -> &Arc<Store> {
        &self.store
    }

    /// What this process keeps from collection.
    pub fn lease(&self) -> &Lease {
        &self.lease
    }

    /// The remembered body of a key; anything unreadable is a miss.
    pub fn recall<T: DeserializeOwned>(&self, domain: &str, key: &Key) -> Option<T> {
        let record = self
            .store
            .records()
            .get(&self.lease, &record_key(domain, key))
            .ok()??;
        serde_json::from_slice(&record.body).ok()
    }

    /// Remembers a body and what it needs. A cache that cannot be written is no failure of the run.
    pub fn remember<T: Serialize + ?Sized>(
        &self,
        domain: &str,
        key: &Key,
        body: &T,
        refs: Refs,
        description: &str,
        cost: Duration,
    ) {
        let Ok(body) = serde_json::to_vec(body) else {
            return;
        };
        let record = Record {
            refs,
            description: description.to_owned(),
            cost,
            body,
        };
        drop(self.store.records().put(&record_key(domain, key), &record));
    }

    /// Keeps layers from collection while this process runs. Returns those that are gone already.
    pub fn hold_layers(&self, layers: &[LayerId]) -> Vec<LayerId> {
        let refs: Vec<Ref> = layers.iter().cloned().map(Ref::Tree).collect();
        match self.lease.hold(&refs) {
            Ok(gone) => gone
                .into_iter()
                .filter_map(|gone| match gone {
                    Ref::Tree(id) => Some(id),
                    _ => None,
                })
                .collect(),
            Err(_) => layers.to_vec(),
        }
    }

    /// Keeps a blob from collection while this process runs; whether it is there.
    pub fn hold_blob(&self, digest: &Digest) -> bool {
        self.lease
            .hold(&[Ref::Blob(digest.clone())])
            .is_ok_and(|gone| gone.is_empty())
    }

    /// Notes that a layer belongs to an image, so records need not insist on it.
    pub fn note_image_layer(&self, layer: &LayerId) {
        self.image_layers().insert(layer.clone());
    }

    fn image_layers(&self) -> std::sync::MutexGuard<'_, HashSet<LayerId>> {
        self.image_layers
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// What a value needs to be in the store. `is_image` tells layers that can be pulled again.
    pub fn refs(&self, value: &Value, is_image: impl Fn(&LayerId) -> bool) -> Refs {
        let mut trees: Vec<LayerId> = Vec::new();
        let mut blobs = Vec::new();
        match value {
            Value::Container(container) => container_refs(container, &mut trees, &mut blobs),
            Value::Directory(tree) => trees.extend(tree.snapshot.layers.iter().cloned()),
            Value::File(file) => trees.extend(file.snapshot.layers.iter().cloned()),
            Value::Service(service) => service_refs(service, &mut trees, &mut blobs),
        }
        trees.sort();
        trees.dedup();
        trees.retain(|layer| !self.image_layers().contains(layer) && !is_image(layer));
        Refs { trees, blobs }
    }
}

fn container_refs(container: &Container, trees: &mut Vec<LayerId>, blobs: &mut Vec<Digest>) {
    let mut snapshot = |snapshot: &Snapshot| trees.extend(snapshot.layers.iter().cloned());
    snapshot(&container.rootfs);
    for mount in &container.mounts {
        match &mount.kind {
            MountKind::Directory {
                tree: Tree { snapshot: s, .. },
                ..
            } => snapshot(s),
            MountKind::File(file) => snapshot(&file.snapshot),
            MountKind::Cache {
                seed: Some(seed), ..
            } => snapshot(&seed.snapshot),
            _ => {}
        }
    }
    for binding in &container.services {
        service_refs(&binding.service, trees, blobs);
    }
    if let Some(ExecMeta {
        stdout,
        stderr,
        combined,
        ..
    }) = &container.last
    {
        for output in [stdout, stderr, combined] {
            if let Output::Blob(digest) = output {
                blobs.extend(digest.parse::<Digest>());
            }
        }
    }
}

fn service_refs(service: &Service, trees: &mut Vec<LayerId>, blobs: &mut Vec<Digest>) {
    match &service.kind {
        ServiceKind::Container { container, .. } => container_refs(container, trees, blobs),
        ServiceKind::Tunnel { to, .. } => service_refs(to, trees, blobs),
        ServiceKind::Host { .. } => {}
    }
}

fn record_key(domain: &str, key: &Key) -> RecordKey {
    RecordKey::of(format!("{FORMAT}\0{domain}\0{key}"))
}
