//! What is on disk, drawn. This module holds no code.
//!
//! # Directories
//!
//! ```text
//! <base>/v1/<fingerprint>/            one store for each id mapping; mode 0700
//!   format                            "nsci store v1\n"; written last when a store is made
//!   blobs/<algorithm>/<aa>/<hex>      verified content by digest; mtime = last use
//!   trees/<aa>/<id>/fs/               one read-only layer, files owned by ids of the mapping
//!   trees/<aa>/<id>/layer.json        size, entries, digest, kind, created; mtime = last use
//!   trees/<aa>/<id>/synced            there once all of the tree is on the disk itself
//!   records/<aa>/<key>                one cache record; mtime = last use
//!   volumes/<id>/volume.json          {"namespace", "key"}; mtime = last use
//!   volumes/<id>/data/                the volume; may be given to another owner
//!   volumes/<id>/data.lock            locked while it is in use: shared, or exclusively
//!   volumes/<id>/private-<n>/         what the n-th concurrent private user got, with its own lock
//!   hostdirs/<hash>                   one stat cache, by scanned directory and filter
//!   tmp/<pid>-<random>-<n>/           work of one living process, which holds a lock on the directory
//!   partial/<algorithm>-<hex>         an interrupted download, locked while being written
//!   locks/<hash>                      one held key lock; removed when released
//!   leases/<pid>-<random>-<n>         what one living process uses, a line each: "tree <id>", "blob <digest>", …
//!   trash/<pid>-<random>-<n>          to be deleted, inside the user namespace
//!   boot                              id of the boot the store was last used in
//!   synced                            mtime: everything older is on the disk itself
//!   gc.lock                           shared to add to a lease, exclusive to collect
//!   meta.db                           the index: may be deleted at any time
//! ```
//!
//! Nothing is shared between fingerprints. Trees and volumes cannot be, as their owners mean something else under another
//! mapping, and records point to trees. Blobs could be; but then a collection would have to know the records and leases of
//! every mapping to tell which are used, and a user's mapping hardly ever changes.
//!
//! # How things appear and go
//!
//! Everything appears by `rename` of something complete from `tmp/` or `partial/` and goes by `unlink` or by `rename` into
//! `trash/`. Death at any instant leaves a directory in `tmp/`, a file in `locks/` or `leases/` or a part in `partial/`, all
//! recognised by the lock that nobody holds any more.
//!
//! Nothing is flushed to the disk one by one. After a power cut a record proves itself by its hash; blobs and trees that
//! appeared in the last two minutes before the machine went down, and after the last flush of the filesystem, are doubted
//! by the first sweep of the next boot: such blobs are hashed, such trees thrown away.
//!
//! # A record
//!
//! ```text
//! 0    "nscirec1"
//! 8    blake3 of all that follows              32 bytes
//! 40   length of the head                      u32, little endian
//! 44   head, JSON: {"refs": {"trees": […], "blobs": […]}, "description", "cost_ms"}
//!      body: as the caller wrote it
//! ```
//!
//! # A stat cache
//!
//! ```text
//! 0    "nscistc1"
//! 8    blake3 of all that follows              32 bytes
//! 40   entries, in the order of a walk:
//!        length of the path                    u32
//!        inode, size                           u64, u64
//!        mtime, ctime                          i64 seconds and u32 nanoseconds each
//!        blake3 of the file                    32 bytes
//!        path
//! ```
//!
//! A file whose ctime is not at least two seconds before the start of the scan is left out: it could change again without
//! any of this changing.
//!
//! # The digest of a host directory
//!
//! blake3 of `"nsci host tree 1\0"` and then, in the order of a walk (a directory before what is in it, siblings by the
//! bytes of their names), for each entry:
//!
//! ```text
//! 'd' | 'f' | 'l'
//! permission bits with setuid, setgid, sticky  u32; 0777 for links
//! length of the path, path                     u64, bytes
//! files: blake3 of the content                 32 bytes
//! links: length of the target, target          u64, bytes
//! ```
