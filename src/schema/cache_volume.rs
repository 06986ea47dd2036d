//! `CacheVolume`: a directory that outlives runs.

use super::{
    api::Api,
    gql::{Args, Registry},
    object::{CacheVolumeRef, DirectoryRef, Root},
};
use crate::graph::{CacheSharing, VolumeRef, fingerprint};

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut sharing = registry.enumeration("CacheSharingMode");
    sharing.doc("Who may use a cache volume at the same time.");
    sharing
        .value("SHARED", "Any number of commands.")
        .value("PRIVATE", "One command; others get a copy of their own.")
        .value("LOCKED", "One command; others wait.");
    registry
        .object::<CacheVolumeRef>("CacheVolume")
        .doc("A directory that outlives runs.");
    registry
        .query::<Root>()
        .field("cacheVolume", "CacheVolume!", |f| {
            f.doc(
                "A directory that outlives runs, found by name. Modules have names of their own; \
                   volumes with another source, sharing or owner are others.",
            )
            .arg("key: String!", "The name.")
            .arg("source: DirectoryID", "What seeds it when it is empty.")
            .arg(
                "sharing: CacheSharingMode = SHARED",
                "Who may use it at the same time.",
            )
            .arg(
                "owner: String = \"\"",
                "Owner of its root, as `user[:group]`.",
            )
            .arg(
                "namespace: String = \"\"",
                "Whose name it is, instead of the caller's.",
            )
            .resolve(|ctx, _, args| {
                let namespace: String = args.get("namespace")?;
                let namespace = match namespace.is_empty() {
                    true => ctx.client().scope.clone(),
                    false => namespace,
                };
                let source: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
                let mut cache = CacheVolumeRef {
                    volume: VolumeRef {
                        namespace,
                        key: args.get("key")?,
                    },
                    sharing: self::sharing(args),
                    owner: args.get("owner")?,
                    source,
                };
                if let Some(kind) = variant(&cache) {
                    cache.volume.key = format!("{}#{kind}", cache.volume.key);
                }
                Ok(cache)
            })
        });
}

/// The `sharing` argument.
pub(super) fn sharing(args: &Args) -> CacheSharing {
    match args.str("sharing") {
        Some("PRIVATE") => CacheSharing::Private,
        Some("LOCKED") => CacheSharing::Locked,
        _ => CacheSharing::Shared,
    }
}

/// What tells volumes of one name apart that differ in more; `None` for the plain one.
fn variant(cache: &CacheVolumeRef) -> Option<String> {
    let source = cache.source.as_ref().map(|source| source.0.id());
    if source.is_none() && cache.owner.is_empty() && cache.sharing == CacheSharing::Shared {
        return None;
    }
    let key = fingerprint("volume", &(source, cache.sharing, &cache.owner));
    Some(key.as_str()[..12].to_owned())
}
