//! Changes that the keeper is asked to make to a file system.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::protocol::Expect;
use crate::layer::LayerId;

/// Content of a file to write.
#[derive(Debug)]
pub enum Data {
    /// These bytes.
    Bytes(Vec<u8>),
    /// All that can be read from a file, pipe or memfd.
    Fd(std::os::fd::OwnedFd),
}

impl From<&str> for Data {
    fn from(text: &str) -> Self {
        Self::Bytes(text.as_bytes().to_vec())
    }
}

/// One change to a file system. Generic over how content travels: [`Data`] for callers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Edit<D = Data> {
    /// Creates or replaces a file; missing parents become 0755 of root.
    WriteFile {
        /// Where.
        path: String,
        /// What it holds.
        data: D,
        /// Permissions.
        mode: u32,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
        /// Modification time in seconds, now if absent.
        mtime: Option<i64>,
    },
    /// Copies a file or the content of a directory.
    Copy(Box<Copy>),
    /// Creates a directory and its missing parents (0755 of root); an existing one is kept.
    Mkdir {
        /// Where.
        path: String,
        /// Permissions when created.
        mode: u32,
        /// Owner when created.
        uid: u32,
        /// Group when created.
        gid: u32,
    },
    /// Removes a file or a whole directory; nothing there is fine.
    Remove {
        /// What. With `glob`, a pattern where `*` does not cross `/` and `**` does.
        path: String,
        /// Whether `path` is a pattern.
        glob: bool,
    },
    /// Creates a symbolic link; it replaces a file or link, not a directory.
    Symlink {
        /// What the link says.
        target: String,
        /// Where it is.
        path: String,
        /// Owner.
        uid: u32,
        /// Group.
        gid: u32,
    },
    /// Changes owner and group; links are changed themselves, not followed.
    Chown {
        /// What.
        path: String,
        /// New owner.
        uid: u32,
        /// New group.
        gid: u32,
        /// Whether everything below changes too.
        recursive: bool,
    },
    /// Changes permissions.
    Chmod {
        /// What.
        path: String,
        /// New permissions.
        mode: u32,
    },
    /// Sets access and modification times of a path and everything below.
    Timestamps {
        /// What.
        path: String,
        /// Seconds since 1970.
        seconds: i64,
    },
    /// Moves a file or directory.
    Rename {
        /// From where.
        from: String,
        /// To where, the new name itself.
        to: String,
    },
}

impl<D> Edit<D> {
    /// The same change with its content travelling another way.
    pub(crate) fn with_data<E>(
        self,
        change: impl FnOnce(D) -> crate::Result<E>,
    ) -> crate::Result<Edit<E>> {
        Ok(match self {
            Self::WriteFile {
                path,
                data,
                mode,
                uid,
                gid,
                mtime,
            } => {
                let data = change(data)?;
                Edit::WriteFile {
                    path,
                    data,
                    mode,
                    uid,
                    gid,
                    mtime,
                }
            }
            Self::Copy(copy) => Edit::Copy(copy),
            Self::Mkdir {
                path,
                mode,
                uid,
                gid,
            } => Edit::Mkdir {
                path,
                mode,
                uid,
                gid,
            },
            Self::Remove { path, glob } => Edit::Remove { path, glob },
            Self::Symlink {
                target,
                path,
                uid,
                gid,
            } => Edit::Symlink {
                target,
                path,
                uid,
                gid,
            },
            Self::Chown {
                path,
                uid,
                gid,
                recursive,
            } => Edit::Chown {
                path,
                uid,
                gid,
                recursive,
            },
            Self::Chmod { path, mode } => Edit::Chmod { path, mode },
            Self::Timestamps { path, seconds } => Edit::Timestamps { path, seconds },
            Self::Rename { from, to } => Edit::Rename { from, to },
        })
    }
}

/// The arguments of [`Edit::Copy`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Copy {
    /// Where from.
    pub source: Source,
    /// What: a file, or a directory whose content is merged into `dst`.
    pub src_path: String,
    /// Where to. A file goes into it if it ends in `/` or is a directory.
    pub dst_path: String,
    /// Only what matches, relative to `src_path`, in dockerignore syntax; empty takes all.
    #[serde(default)]
    pub include: Vec<String>,
    /// Not what matches, in dockerignore syntax with `!` exceptions.
    #[serde(default)]
    pub exclude: Vec<String>,
    /// Not what `.gitignore` files in the source name.
    #[serde(default)]
    pub gitignore: bool,
    /// Owner and group of everything copied, as in the source if absent.
    #[serde(default)]
    pub owner: Option<(u32, u32)>,
    /// Permissions of the files copied, as in the source if absent.
    #[serde(default)]
    pub mode: Option<u32>,
    /// What the source has to be.
    #[serde(default)]
    pub expect: Expect,
    /// Whether nothing at `src_path` is fine.
    #[serde(default)]
    pub allow_missing: bool,
}

impl Copy {
    /// Copies everything at `src_path` of `layers` to `dst_path`, as it is.
    #[must_use]
    pub fn all(layers: Vec<LayerId>, src_path: &str, dst_path: &str) -> Self {
        Self {
            source: Source::Layers(layers),
            src_path: src_path.to_owned(),
            dst_path: dst_path.to_owned(),
            include: Vec::new(),
            exclude: Vec::new(),
            gitignore: false,
            owner: None,
            mode: None,
            expect: Expect::Any,
            allow_missing: false,
        }
    }
}

/// Where a copy comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// Layers of the store, bottom first.
    Layers(Vec<LayerId>),
    /// A directory of the host; links are resolved inside it.
    Host(PathBuf),
}
