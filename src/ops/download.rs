//! Files by address: asked for once in a session, fetched only if they changed.

use super::{
    files::{keeper_error, store_error},
    image::source_error,
    world::World,
};
use crate::{
    error::{Error, Result},
    graph::{File, HttpFile, Key, Snapshot, fingerprint},
    source::{Download, Downloader, Validators},
};
use nsci_snapshotter::{
    Digest,
    keeper::{Data, Edit as KeeperEdit},
    record::Refs,
};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    io::Write as _,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::sync::OnceCell;

/// Permission bits of a file unless told otherwise.
const PERMISSIONS: u32 = 0o600;

/// Files by address, as this session found them.
#[derive(Debug)]
pub(super) struct Downloads {
    downloader: Downloader,
    found: Mutex<HashMap<Key, Arc<OnceCell<Fetched>>>>,
}

impl Downloads {
    pub(super) fn new(downloader: Downloader) -> Self {
        Self {
            downloader,
            found: Mutex::default(),
        }
    }
}

/// A file in the store, and what its server knows it by.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Fetched {
    digest: Digest,
    validators: Validators,
    name: Option<String>,
}

impl World {
    /// Names the content of a file, as it is now.
    pub(super) async fn http_identity(&self, ask: &HttpFile) -> Result<Key> {
        let fetched = self.fetched(ask).await?;
        let digest = fetched.digest.to_string();
        Ok(Key::of("http", [digest, name_of(ask, &fetched)]))
    }

    /// The file.
    pub(super) async fn http_file(&self, ask: &HttpFile) -> Result<File> {
        let fetched = self.fetched(ask).await?;
        let lost = || Error::internal(format!("{} is no longer in the store", ask.url));
        let content = self.store().content().open(&fetched.digest);
        let blob = content.map_err(store_error)?.ok_or_else(lost)?;
        let path = format!("/{}", name_of(ask, &fetched));
        let edit = KeeperEdit::WriteFile {
            path: path.clone(),
            data: Data::Fd(blob.into()),
            mode: ask.permissions.unwrap_or(PERMISSIONS),
            uid: 0,
            gid: 0,
            mtime: None,
        };
        let snapshot = self.edit(&Snapshot::empty(), vec![edit]).await?;
        Ok(File { snapshot, path })
    }

    async fn fetched(&self, ask: &HttpFile) -> Result<Fetched> {
        let identity = match &ask.auth {
            Some(secret) => Some(self.secret_identity(secret).await?),
            None => None,
        };
        let service = ask.service.as_ref().map(|service| &service.digest);
        let key = match service {
            None => fingerprint("http", &(&ask.url, &ask.checksum, identity)),
            Some(service) => fingerprint("http", &(&ask.url, &ask.checksum, identity, service)),
        };
        let cell = {
            let mut found = self
                .downloads
                .found
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            Arc::clone(found.entry(key.clone()).or_default())
        };
        cell.get_or_try_init(|| self.fetch_http(ask, &key))
            .await
            .cloned()
    }

    async fn fetch_http(&self, ask: &HttpFile, key: &Key) -> Result<Fetched> {
        let known = self.cache.recall::<Fetched>("http", key);
        let known = known.filter(|known| self.cache.hold_blob(&known.digest));
        if let (Some(known), Some(_)) = (&known, &ask.checksum) {
            return Ok(known.clone());
        }
        let step = self.step(format!("http {}", ask.url), false);
        let result = self.ask(ask, key, known).await;
        step.result(result)
    }

    async fn ask(&self, ask: &HttpFile, key: &Key, known: Option<Fetched>) -> Result<Fetched> {
        let header = match &ask.auth {
            Some(secret) => {
                let value = self.client.secret(secret).await?;
                Some(String::from_utf8_lossy(value.bytes()).trim().to_owned())
            }
            None => None,
        };
        let validators = known.as_ref().map(|known| known.validators.clone());
        let reached = match &ask.service {
            Some(service) => Some(self.reach(service, &ask.url).await?),
            None => None,
        };
        let url = reached
            .as_ref()
            .map_or_else(|| ask.url.clone(), |reached| reached.address(&ask.url));
        let host = reached.as_ref().map(|reached| reached.host.as_str());
        let known_by = validators.unwrap_or_default();
        let answer = self
            .downloads
            .downloader
            .get(&url, header.as_deref(), host, &known_by)
            .await
            .map_err(source_error)?;
        let mut body = match (answer, known) {
            (Download::Unchanged, Some(known)) => return Ok(known),
            (Download::Unchanged, None) => {
                return Err(Error::internal(format!(
                    "{} says that nothing changed, but nothing is known of it",
                    ask.url
                )));
            }
            (Download::Body(body), _) => body,
        };
        let mut writer = self.store().content().writer(None).map_err(store_error)?;
        while let Some(chunk) = body.chunk().await.map_err(source_error)? {
            writer.write_all(&chunk).map_err(|error| {
                keeper_error(nsci_snapshotter::Error::io("write", &ask.url, error))
            })?;
        }
        let descriptor = writer.commit().map_err(store_error)?;
        let digest = descriptor.digest().clone();
        if let Some(expected) = &ask.checksum
            && *expected != digest.to_string()
        {
            return Err(Error::invalid(format!(
                "{} should be {expected} but is {digest}",
                ask.url
            ))
            .hint("the file changed, or the checksum is of another one"));
        }
        self.cache.hold_blob(&digest);
        let fetched = Fetched {
            digest: digest.clone(),
            validators: body.validators.clone(),
            name: body.name.clone(),
        };
        let refs = Refs {
            trees: Vec::new(),
            blobs: vec![digest],
        };
        let what = format!("http {}", ask.url);
        self.cache
            .remember("http", key, &fetched, refs, &what, Duration::ZERO);
        Ok(fetched)
    }
}

/// The name that was asked for, that the server gives, or that the address ends with.
fn name_of(ask: &HttpFile, fetched: &Fetched) -> String {
    let from_url = || {
        let path = ask.url.split(['?', '#']).next().unwrap_or_default();
        let path = path.split_once("://").map_or(path, |(_, rest)| rest);
        let last = path.split('/').skip(1).last().unwrap_or_default();
        match last {
            "" | "." | ".." => "index".to_owned(),
            name => name.to_owned(),
        }
    };
    let given = ask.name.clone().filter(|name| !name.is_empty());
    given
        .or_else(|| fetched.name.clone())
        .unwrap_or_else(from_url)
}
