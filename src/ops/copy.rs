//! What `COPY` and `ADD` of a Dockerfile mean, found out when the files are there.
//!
//! A source may be a pattern; of directories the contents are copied; a file goes into a destination
//! that is a directory already; local archives are unpacked by `ADD`.

use super::{files::keeper_error, paths::absolute, world::World};
use crate::{
    error::{Error, Result},
    graph::{File, FileCopy, Key, Snapshot, Tree, fingerprint},
};
use nsci_snapshotter::{
    LayerId,
    keeper::{self, ApplyLayer, Compression, Edit as KeeperEdit, FileKind},
};

/// One thing that a source pattern stands for.
struct Found {
    /// Path in the source directory, without a leading slash; empty for the directory itself.
    path: String,
    /// Where it really is in the state, links resolved.
    place: String,
    kind: FileKind,
}

/// Where a copy goes to, in the state that is edited.
pub(super) struct Destination<'a> {
    /// Path in the state; ends in `/` if it is to be a directory.
    pub(super) path: String,
    /// The state.
    pub(super) snapshot: &'a Snapshot,
    /// Owner of what is written.
    pub(super) owner: Option<(u32, u32)>,
}

/// Hash of what a copy sees of its source.
pub(super) async fn seen(world: &World, copy: &FileCopy, source: &Tree) -> Result<Key> {
    let mut parts = Vec::new();
    for found in find(world, copy, source).await? {
        let place = Tree {
            snapshot: source.snapshot.clone(),
            path: found.place.clone(),
        };
        let digest = match found.kind {
            FileKind::Dir if !copy.exclude.is_empty() => {
                world
                    .copy_part(&place, &[], &copy.exclude, false)
                    .await?
                    .digest
            }
            _ => world.tree_digest(&place).await?,
        };
        parts.push((found.path, digest));
    }
    Ok(fingerprint("seen-copy", &parts))
}

/// The changes that a copy makes.
pub(super) async fn edits(
    world: &World,
    copy: &FileCopy,
    source: &Tree,
    to: &Destination<'_>,
) -> Result<Vec<KeeperEdit>> {
    let found = find(world, copy, source).await?;
    let into = to.path.ends_with('/') || found.len() > 1 || is_directory(world, to).await?;
    let base = to.path.trim_end_matches('/');
    let layers = world.mountable(&source.snapshot).await?;
    // What comes from elsewhere belongs to root; what is unpacked keeps its owners.
    let owner = Some(to.owner.unwrap_or_default());
    let mut edits = Vec::new();
    for found in found {
        let above = match (copy.parents, kept_part(&found.path).rsplit_once('/')) {
            (true, Some((above, _))) => format!("{base}/{above}"),
            _ => base.to_owned(),
        };
        let name = found.path.rsplit('/').next().unwrap_or_default();
        if found.kind == FileKind::Dir {
            let target = match copy.parents {
                true => format!("{above}/{name}"),
                false => above,
            };
            edits.push(mkdir(&target, to.owner));
            edits.push(copied(
                copy,
                owner,
                layers.clone(),
                &found.place,
                &target,
                true,
            ));
            continue;
        }
        if copy.unpack
            && let Some(layer) = unpacked(world, source, &found).await?
        {
            edits.push(mkdir(&above, to.owner));
            edits.push(copied(copy, to.owner, vec![layer], "/", &above, true));
            continue;
        }
        let target = match into || copy.parents {
            true => {
                edits.push(mkdir(&above, to.owner));
                format!("{above}/{name}")
            }
            false => {
                if let Some((parent, _)) = above.rsplit_once('/').filter(|(p, _)| !p.is_empty()) {
                    edits.push(mkdir(parent, to.owner));
                }
                above
            }
        };
        edits.push(copied(
            copy,
            owner,
            layers.clone(),
            &found.place,
            &target,
            false,
        ));
    }
    Ok(edits)
}

fn mkdir(path: &str, owner: Option<(u32, u32)>) -> KeeperEdit {
    let (uid, gid) = owner.unwrap_or_default();
    KeeperEdit::Mkdir {
        path: format!("{path}/"),
        mode: 0o755,
        uid,
        gid,
    }
}

fn copied(
    ask: &FileCopy,
    owner: Option<(u32, u32)>,
    layers: Vec<LayerId>,
    from: &str,
    target: &str,
    directory: bool,
) -> KeeperEdit {
    let mut copy = keeper::Copy::all(layers, from, target);
    copy.owner = owner;
    copy.mode = ask.to.permissions;
    if directory {
        copy.expect = keeper::Expect::Dir;
        copy.exclude.clone_from(&ask.exclude);
    }
    KeeperEdit::Copy(Box::new(copy))
}

/// Of `a/./b/c` the part behind the dot: what `--parents` keeps.
fn kept_part(path: &str) -> &str {
    path.rsplit_once("/./").map_or(path, |(_, kept)| kept)
}

async fn is_directory(world: &World, to: &Destination<'_>) -> Result<bool> {
    if to.snapshot.layers.is_empty() {
        return Ok(to.path == "/");
    }
    let whole = Tree::whole(to.snapshot.clone());
    let stat = world.stat(&whole, &to.path, true).await?;
    Ok(stat.is_some_and(|stat| stat.kind == FileKind::Dir))
}

/// What the sources of a copy stand for.
async fn find(world: &World, copy: &FileCopy, source: &Tree) -> Result<Vec<Found>> {
    let mut all = Vec::new();
    for wanted in &copy.sources {
        let clean = absolute("/", wanted);
        let relative = clean.trim_start_matches('/');
        let names = match relative.contains(['*', '?', '[']) {
            true => world.glob(source, relative).await?,
            false => Vec::new(),
        };
        // Nothing matching a pattern is no mistake, a missing name is.
        let paths = match relative.contains(['*', '?', '[']) {
            true => names.into_iter().map(|entry| entry.name).collect(),
            false => vec![relative.to_owned()],
        };
        for path in paths {
            let stat = match source.snapshot.layers.is_empty() {
                true => None,
                false => world.stat(source, &path, true).await?,
            };
            let Some(stat) = stat else {
                return Err(
                    Error::invalid(format!("cannot copy {wanted}: it is not there"))
                        .hint("paths are relative to the build context; see also .dockerignore"),
                );
            };
            let path = match wanted.contains("/./") {
                true => wanted.trim_start_matches('/').to_owned(),
                false => path,
            };
            all.push(Found {
                path,
                place: stat.path,
                kind: stat.kind,
            });
        }
    }
    Ok(all)
}

/// The contents of an archive as a layer; `None` if the file is no archive.
async fn unpacked(world: &World, source: &Tree, found: &Found) -> Result<Option<LayerId>> {
    let file = File {
        snapshot: source.snapshot.clone(),
        path: found.place.clone(),
    };
    let layers = world.mountable(&file.snapshot).await?;
    let path = file.path.clone();
    let (_, fd) = world
        .keeper(move |keeper| keeper.open_file(&layers, &path))
        .await?;
    let mut head = [0_u8; 512];
    let length = rustix::io::pread(&fd, &mut head, 0).unwrap_or(0);
    match kind_of(&head[..length]) {
        Kind::Plain => return Ok(None),
        Kind::Unsupported(name) => {
            return Err(Error::invalid(format!(
                "cannot unpack {}: {name} archives are not supported",
                found.path
            ))
            .hint("copy it and unpack it with RUN, or pack it with gzip or zstd"));
        }
        Kind::Archive => {}
    }
    let digest = world.file_digest(&file).await?;
    let id = LayerId::of(format!("archive {digest}"));
    let ask = ApplyLayer {
        id,
        compression: Compression::Auto,
        diff_id: None,
    };
    let applied = world
        .keeper(move |keeper| Ok(keeper.apply_layer(ask, fd)))
        .await?;
    match applied {
        Ok(layer) => Ok(Some(layer.id)),
        // Something compressed that is no archive is a file like any other.
        Err(nsci_snapshotter::Error::InvalidLayer { .. }) => Ok(None),
        Err(error) => Err(keeper_error(error)),
    }
}

enum Kind {
    Plain,
    Archive,
    Unsupported(&'static str),
}

/// What the first bytes of a file say.
fn kind_of(head: &[u8]) -> Kind {
    let magics: [(&[u8], Kind); 4] = [
        (&[0x1f, 0x8b], Kind::Archive),
        (&[0x28, 0xb5, 0x2f, 0xfd], Kind::Archive),
        (b"BZh", Kind::Unsupported("bzip2")),
        (&[0xfd, b'7', b'z', b'X', b'Z', 0], Kind::Unsupported("xz")),
    ];
    let known = magics
        .into_iter()
        .find(|(magic, _)| head.starts_with(magic));
    match known {
        Some((_, kind)) => kind,
        None if head.get(257..262) == Some(b"ustar".as_slice()) => Kind::Archive,
        None => Kind::Plain,
    }
}
