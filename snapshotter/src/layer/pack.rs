//! Writes a layer's directory as an archive whose bytes depend on what the layer says and on nothing else.
//!
//! Entries come in the order of a walk (a directory before what is in it, siblings by the bytes of their names), owners
//! are numbers, times are whole seconds and no later than an epoch if there is one. What overlayfs notes in the directory
//! becomes what archives have for it: whiteouts and opaque directories. Holes of sparse files are written as zeros, because
//! where a file has holes is up to the file system that it lies on. Sockets and devices are left out.
//!
//! # References
//! - OCI image-spec 1.1, [layers](https://github.com/opencontainers/image-spec/blob/v1.1.0/layer.md)
//! - [pax interchange format](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;
use tar::{EntryType, Header};

use super::draft::Workspace;
use crate::error::{Context as _, Error, Result};
use crate::fsops;
use crate::keeper::{PackLayer, PackedLayer};
use crate::view::{Node, OPAQUE, View};

const BUFFER: usize = 256 << 10;
/// Longest name and link that fit a header.
const NAME: usize = 100;
/// Largest numbers that fit a header in octal.
const MAX_SIZE: u64 = 0o77_777_777_777;
const MAX_ID: u32 = 0o7_777_777;

/// Writes the archive of a layer to `to`.
pub(crate) fn pack(space: &Workspace, ask: &PackLayer, to: OwnedFd) -> Result<PackedLayer> {
    let manifest = space.find(&ask.id)?;
    manifest.ok_or_else(|| Error::UnknownLayer {
        id: ask.id.to_string(),
    })?;
    let view = View::plain(space.layout.tree(&ask.id).join("fs"))?;
    let mut packer = Packer {
        view: &view,
        out: Tar::new(BufWriter::with_capacity(BUFFER, File::from(to))),
        epoch: ask.epoch,
        links: HashMap::new(),
        done: PackedLayer::default(),
    };
    packer.root()?;
    packer.dir(Path::new(""), &view.root()?)?;
    packer.out.finish().context("write", "archive")?;
    Ok(packer.done)
}

struct Packer<'a, W: Write> {
    view: &'a View,
    out: Tar<W>,
    epoch: Option<i64>,
    /// The first name of files that have several.
    links: HashMap<(u64, u64), PathBuf>,
    done: PackedLayer,
}

impl<W: Write> Packer<'_, W> {
    /// The root is mentioned only if it is not what every tool makes of an image's root.
    fn root(&mut self) -> Result<()> {
        let root = self.view.root()?;
        let usual = (root.mode(), root.stat.st_uid, root.stat.st_gid) == (0o755, 0, 0);
        let xattrs = self.xattrs(Path::new(""))?;
        if !usual || !xattrs.is_empty() {
            let mut entry = self.describe(Path::new("."), &root, EntryType::Directory);
            entry.path.push(b'/');
            entry.xattrs = xattrs;
            self.write(&entry)?;
        }
        self.opaque(Path::new(""))
    }

    fn dir(&mut self, rel: &Path, node: &Node) -> Result<()> {
        for (name, child) in self.view.read_dir(rel, node)? {
            let path = rel.join(&name);
            if fsops::is_whiteout(&child.stat) || self.is_marked_whiteout(&path, &child) {
                self.whiteout(rel, &name)?;
                continue;
            }
            self.entry(&path, &child)?;
            if child.is_dir() {
                self.opaque(&path)?;
                self.dir(&path, &child)?;
            }
        }
        Ok(())
    }

    fn is_marked_whiteout(&self, rel: &Path, node: &Node) -> bool {
        node.is_file() && node.stat.st_size == 0 && self.view.is_marked_whiteout(rel)
    }

    fn entry(&mut self, rel: &Path, node: &Node) -> Result<()> {
        let kind = match node.file_type() {
            FileType::Directory => EntryType::Directory,
            FileType::RegularFile => EntryType::Regular,
            FileType::Symlink => EntryType::Symlink,
            FileType::Fifo => EntryType::Fifo,
            _ => return Ok(()),
        };
        let mut entry = self.describe(rel, node, kind);
        if !node.is_dir() && node.stat.st_nlink > 1 {
            let inode = (node.stat.st_dev, node.stat.st_ino);
            if let Some(first) = self.links.get(&inode) {
                entry.kind = EntryType::Link;
                entry.link = first.as_os_str().as_bytes().to_vec();
                return self.write(&entry);
            }
            self.links.insert(inode, rel.to_owned());
        }
        entry.xattrs = self.xattrs(rel)?;
        match kind {
            EntryType::Directory => entry.path.push(b'/'),
            EntryType::Symlink => {
                entry.link = self.view.root_of(node).read_link(rel)?.as_bytes().to_vec();
            }
            EntryType::Regular => entry.size = node.stat.st_size.cast_unsigned(),
            _ => {}
        }
        self.write(&entry)?;
        if kind == EntryType::Regular {
            self.content(rel, node)?;
        }
        Ok(())
    }

    fn content(&mut self, rel: &Path, node: &Node) -> Result<()> {
        let size = node.stat.st_size.cast_unsigned();
        if size == 0 {
            return Ok(());
        }
        let root = self.view.root_of(node);
        let fd = root.open_file(rel).context("open", root.path.join(rel))?;
        self.out
            .data(File::from(fd), size)
            .map_err(|source| Error::Io {
                action: "pack".into(),
                path: root.path.join(rel),
                source,
            })
    }

    /// A directory that hides what is below says so by an entry right after it.
    fn opaque(&mut self, rel: &Path) -> Result<()> {
        let path = self.view.roots[0].path.join(rel);
        // The other value of this mark only says that there are marked whiteouts inside.
        if self.view.is_marked(rel) && fsops::xattr(&path, OsStr::new(OPAQUE))? == b"y" {
            self.mark(&rel.join(".wh..wh..opq"))?;
        }
        Ok(())
    }

    fn whiteout(&mut self, dir: &Path, name: &OsStr) -> Result<()> {
        let mut hidden = std::ffi::OsString::from(".wh.");
        hidden.push(name);
        self.mark(&dir.join(hidden))
    }

    fn mark(&mut self, rel: &Path) -> Result<()> {
        let path = rel.as_os_str().as_bytes();
        self.write(&Described::new(path, EntryType::Regular, 0o600))
    }

    fn describe(&self, rel: &Path, node: &Node, kind: EntryType) -> Described {
        let mtime = node.stat.st_mtime;
        // Links have no permissions of their own.
        let mode = if kind == EntryType::Symlink {
            0o777
        } else {
            node.mode()
        };
        Described {
            uid: node.stat.st_uid,
            gid: node.stat.st_gid,
            mtime: self.epoch.map_or(mtime, |epoch| mtime.min(epoch)),
            ..Described::new(rel.as_os_str().as_bytes(), kind, mode)
        }
    }

    fn xattrs(&self, rel: &Path) -> Result<Vec<(Vec<u8>, Vec<u8>)>> {
        let path = self.view.roots[0].path.join(rel);
        let mut names = fsops::xattr_names(&path)?;
        names.sort();
        names
            .into_iter()
            .map(|name| Ok((name.as_bytes().to_vec(), fsops::xattr(&path, &name)?)))
            .collect()
    }

    fn write(&mut self, entry: &Described) -> Result<()> {
        self.done.entries += 1;
        self.done.newest = self.done.newest.max(entry.mtime);
        self.out.entry(entry).context("write", "archive")
    }
}

/// What a header says.
#[derive(Debug)]
struct Described {
    path: Vec<u8>,
    link: Vec<u8>,
    kind: EntryType,
    mode: u32,
    uid: u32,
    gid: u32,
    mtime: i64,
    size: u64,
    xattrs: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Described {
    fn new(path: impl Into<Vec<u8>>, kind: EntryType, mode: u32) -> Self {
        Self {
            path: path.into(),
            link: Vec::new(),
            kind,
            mode,
            uid: 0,
            gid: 0,
            mtime: 0,
            size: 0,
            xattrs: Vec::new(),
        }
    }

    /// What does not fit a plain header, as key and value.
    fn extensions(&self) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut records: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
        let mut put =
            |key: &str, value: &[u8]| records.push((key.as_bytes().to_vec(), value.to_vec()));
        if self.path.len() > NAME {
            put("path", &self.path);
        }
        if self.link.len() > NAME {
            put("linkpath", &self.link);
        }
        if self.size > MAX_SIZE {
            put("size", self.size.to_string().as_bytes());
        }
        if self.uid > MAX_ID {
            put("uid", self.uid.to_string().as_bytes());
        }
        if self.gid > MAX_ID {
            put("gid", self.gid.to_string().as_bytes());
        }
        if self.mtime < 0 || self.mtime.cast_unsigned() > MAX_SIZE {
            put("mtime", self.mtime.to_string().as_bytes());
        }
        for (name, value) in &self.xattrs {
            let key = [b"SCHILY.xattr.".as_slice(), name].concat();
            records.push((key, value.clone()));
        }
        records
    }

    fn header(&self) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(self.kind);
        header.set_mode(self.mode);
        header.set_uid(u64::from(self.uid.min(MAX_ID)));
        header.set_gid(u64::from(self.gid.min(MAX_ID)));
        header.set_mtime(self.mtime.max(0).cast_unsigned().min(MAX_SIZE));
        header.set_size(self.size.min(MAX_SIZE));
        let old = header.as_old_mut();
        fill(&mut old.name, &self.path);
        fill(&mut old.linkname, &self.link);
        header.set_cksum();
        header
    }
}

/// As much of a name as fits.
fn fill(field: &mut [u8; NAME], text: &[u8]) {
    let length = text.len().min(NAME);
    field[..length].copy_from_slice(&text[..length]);
}

/// Writes headers, extensions and data.
struct Tar<W: Write> {
    out: W,
    buffer: Vec<u8>,
}

impl<W: Write> Tar<W> {
    fn new(out: W) -> Self {
        Self {
            out,
            buffer: vec![0; BUFFER],
        }
    }

    fn entry(&mut self, entry: &Described) -> io::Result<()> {
        let extensions = entry.extensions();
        if !extensions.is_empty() {
            let data: Vec<u8> = extensions.iter().flat_map(record).collect();
            let header = Described {
                size: data.len() as u64,
                ..Described::new("PaxHeaders/entry", EntryType::XHeader, 0o644)
            };
            self.out.write_all(header.header().as_bytes())?;
            self.out.write_all(&data)?;
            self.pad(data.len() as u64)?;
        }
        self.out.write_all(entry.header().as_bytes())
    }

    /// Exactly `size` bytes of a file; layers do not change, so one that is shorter is broken.
    fn data(&mut self, mut from: impl io::Read, size: u64) -> io::Result<()> {
        let mut left = size;
        while left > 0 {
            let want = usize::try_from(left)
                .unwrap_or(usize::MAX)
                .min(self.buffer.len());
            let got = from.read(&mut self.buffer[..want])?;
            if got == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            self.out.write_all(&self.buffer[..got])?;
            left -= got as u64;
        }
        self.pad(size)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = usize::try_from(size % 512).unwrap_or(0);
        if over == 0 {
            return Ok(());
        }
        self.out.write_all(&[0; 512][over..])
    }

    fn finish(&mut self) -> io::Result<()> {
        self.out.write_all(&[0; 1024])?;
        self.out.flush()
    }
}

/// A PAX record: its own length in digits, a space, `key=value`, a newline.
fn record((key, value): &(Vec<u8>, Vec<u8>)) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut out = format!("{length} ").into_bytes();
    out.extend_from_slice(key);
    out.push(b'=');
    out.extend_from_slice(value);
    out.push(b'\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_records_count_themselves() {
        for (value, want) in [
            (1, "9 path=a\n".to_owned()),
            (2, "11 path=aa\n".to_owned()),
            (90, format!("99 path={}\n", "a".repeat(90))),
            (91, format!("101 path={}\n", "a".repeat(91))),
        ] {
            let got = record(&(b"path".to_vec(), vec![b'a'; value]));
            assert_eq!(String::from_utf8(got).unwrap(), want);
        }
    }

    #[test]
    fn what_does_not_fit_a_header_is_in_an_extension() {
        let entry = Described {
            link: vec![b'l'; 300],
            uid: u32::MAX - 1,
            mtime: -5,
            xattrs: vec![(b"user.x".to_vec(), b"\0x".to_vec())],
            ..Described::new([b'p'; 101], EntryType::Symlink, 0o777)
        };
        let mut out = Vec::new();
        let mut tar = Tar::new(&mut out);
        tar.entry(&entry).unwrap();
        tar.finish().unwrap();
        let mut archive = tar::Archive::new(out.as_slice());
        let mut read = archive.entries().unwrap().next().unwrap().unwrap();
        assert_eq!(read.path_bytes().as_ref(), entry.path);
        assert_eq!(read.link_name_bytes().unwrap().as_ref(), entry.link);
        let records: Vec<(String, Vec<u8>)> = read
            .pax_extensions()
            .unwrap()
            .unwrap()
            .map(|r| r.unwrap())
            .map(|r| (r.key().unwrap().to_owned(), r.value_bytes().to_vec()))
            .collect();
        let value = |key: &str| &records.iter().find(|(k, _)| k == key).unwrap().1;
        assert_eq!(value("mtime"), b"-5");
        assert_eq!(value("uid"), b"4294967294");
        assert_eq!(value("SCHILY.xattr.user.x"), b"\0x");
    }
}
