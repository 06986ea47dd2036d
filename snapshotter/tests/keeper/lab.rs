//! A store, a keeper serving it, and archives to feed it.

use std::io::Write as _;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nsci_snapshotter::keeper::{ApplyLayer, Client, Compression};
use nsci_snapshotter::{AppliedLayer, LayerId, Layout, Result};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};

pub(crate) struct Lab {
    pub(crate) dir: tempfile::TempDir,
    pub(crate) keeper: Client,
    pub(crate) child: Child,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("mounts")).unwrap();
        let mounts = dir.path().join("mounts");
        rustix::mount::mount(
            "tmpfs",
            &mounts,
            "tmpfs",
            rustix::mount::MountFlags::empty(),
            None,
        )
        .unwrap();
        let (keeper, child) = start(dir.path());
        Self { dir, keeper, child }
    }

    /// A second keeper on the same store.
    pub(crate) fn another(&self) -> (Client, Child) {
        start(self.dir.path())
    }

    pub(crate) fn layout(&self) -> Layout {
        Layout::new(self.dir.path().join("store"))
    }

    /// The directory of a layer's files.
    pub(crate) fn fs(&self, layer: &AppliedLayer) -> PathBuf {
        self.layout().tree(&layer.id).join("fs")
    }

    /// Unpacks an archive under a name of its own.
    pub(crate) fn apply(&self, archive: &[u8]) -> Result<AppliedLayer> {
        let ask = ApplyLayer {
            id: LayerId::of(archive),
            compression: Compression::Auto,
            diff_id: None,
        };
        self.keeper.apply_layer(ask, file(archive))
    }

    pub(crate) fn layer(&self, build: impl Fn(&mut Tar)) -> AppliedLayer {
        self.apply(&tar(build)).unwrap()
    }

    /// The text of a file in a stack.
    pub(crate) fn text(&self, layers: &[LayerId], path: &str) -> String {
        let (_, fd) = self.keeper.open_file(layers, path).unwrap();
        std::io::read_to_string(std::fs::File::from(fd)).unwrap()
    }

    /// The names in a directory of a stack.
    pub(crate) fn names(&self, layers: &[LayerId], path: &str) -> Vec<String> {
        let entries = self.keeper.read_dir(layers, path).unwrap();
        entries.into_iter().map(|entry| entry.name).collect()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        let mounts = self.dir.path().join("mounts");
        rustix::mount::unmount(mounts, rustix::mount::UnmountFlags::DETACH).ok();
    }
}

fn start(dir: &Path) -> (Client, Child) {
    let (ours, theirs) = socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .arg("--keeper")
        .args([dir.join("store"), dir.join("mounts")])
        .stdin(Stdio::from(theirs))
        .spawn()
        .unwrap();
    let client = Client::new(ours);
    client.ping().unwrap();
    (client, child)
}

/// An open file with this content.
pub(crate) fn file(content: &[u8]) -> OwnedFd {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    std::io::Seek::rewind(&mut file).unwrap();
    file.into()
}

pub(crate) type Tar = tar::Builder<Vec<u8>>;

pub(crate) fn tar(build: impl Fn(&mut Tar)) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    build(&mut builder);
    builder.into_inner().unwrap()
}

pub(crate) fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

/// Appends an entry whose name and link go in as they are, also hostile ones.
pub(crate) fn raw(
    tar: &mut Tar,
    kind: tar::EntryType,
    name: &str,
    link: &str,
    mode: u32,
    data: &[u8],
) {
    let mut header = tar::Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_600_000_000);
    header.set_size(data.len() as u64);
    let old = header.as_old_mut();
    old.name[..name.len()].copy_from_slice(name.as_bytes());
    old.linkname[..link.len()].copy_from_slice(link.as_bytes());
    header.set_cksum();
    tar.append(&header, data).unwrap();
}

pub(crate) fn add(tar: &mut Tar, name: &str, data: &str) {
    raw(
        tar,
        tar::EntryType::Regular,
        name,
        "",
        0o644,
        data.as_bytes(),
    );
}

pub(crate) fn dir(tar: &mut Tar, name: &str, mode: u32) {
    raw(tar, tar::EntryType::Directory, name, "", mode, b"");
}

pub(crate) fn link(tar: &mut Tar, name: &str, target: &str) {
    raw(tar, tar::EntryType::Symlink, name, target, 0o777, b"");
}

/// Appends a PAX header for the next entry.
pub(crate) fn pax(tar: &mut Tar, records: &[(&str, &[u8])]) {
    let mut data = Vec::new();
    for (key, value) in records {
        let rest = key.len() + value.len() + 3;
        let mut len = rest + rest.to_string().len();
        if len.to_string().len() + rest != len {
            len += 1;
        }
        data.extend_from_slice(format!("{len} {key}=").as_bytes());
        data.extend_from_slice(value);
        data.push(b'\n');
    }
    raw(tar, tar::EntryType::XHeader, "pax", "", 0o644, &data);
}
