//! The Linux nsci that is put into the machine.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::Failure;

/// How an executable for 64-bit Linux begins.
const ELF_64: &[u8] = b"\x7fELF\x02";

/// Where its header names the processor, and the numbers of those that Lima has machines for.
const MACHINE: std::ops::Range<usize> = 18..20;
const MACHINES: [(&str, u16); 2] = [("x86_64", 62), ("aarch64", 183)];

/// An executable for the machine.
#[derive(Debug)]
pub struct Binary {
    /// Where it came from.
    pub path: PathBuf,
    /// What is in it.
    pub bytes: Vec<u8>,
}

impl Binary {
    /// Reads the one that was named, else `nsci-linux-ARCH` in the directory of the front.
    ///
    /// # Errors
    /// If there is none, or it is for another processor than the machine's.
    pub fn find(named: Option<&OsStr>, beside: &Path, arch: &str) -> Result<Self, Failure> {
        let path = match named {
            Some(named) => PathBuf::from(named),
            None => beside.join(format!("nsci-linux-{arch}")),
        };
        let bytes = fs::read(&path).map_err(|error| {
            Failure::usage(format!(
                "cannot read the nsci for Linux, {}: {error}",
                path.display()
            ))
            .hint("put it there, or name it in NSCI_LINUX_BINARY; it is what scripts/build-release makes on Linux")
        })?;
        if !is_for(&bytes, arch) {
            return Err(Failure::usage(format!(
                "{} is no executable for Linux on {arch}, the machine's processor",
                path.display()
            )));
        }
        Ok(Self { path, bytes })
    }

    /// Names it by its content.
    #[must_use]
    pub fn key(&self) -> String {
        blake3::hash(&self.bytes).to_hex()[..32].to_owned()
    }
}

fn is_for(bytes: &[u8], arch: &str) -> bool {
    let wanted = MACHINES.iter().find(|(name, _)| *name == arch);
    let found = bytes.get(MACHINE).map(|found| [found[0], found[1]]);
    bytes.starts_with(ELF_64)
        && wanted.is_some_and(|(_, number)| Some(number.to_le_bytes()) == found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn elf(machine: u8) -> Vec<u8> {
        let mut bytes = vec![0; 64];
        bytes[..5].copy_from_slice(ELF_64);
        bytes[18] = machine;
        bytes
    }

    #[test]
    fn the_processor_is_the_machines() {
        for (bytes, arch, wanted) in [
            (elf(62), "x86_64", true),
            (elf(183), "aarch64", true),
            (elf(62), "aarch64", false),
            (elf(62), "riscv64", false),
            (b"\xcf\xfa\xed\xfe a Mac's".to_vec(), "aarch64", false),
            (ELF_64.to_vec(), "x86_64", false),
        ] {
            assert_eq!(is_for(&bytes, arch), wanted, "{arch} {bytes:?}");
        }
    }

    #[test]
    fn it_lies_beside_the_front_or_is_named() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("nsci-linux-aarch64"), elf(183)).unwrap();
        let found = Binary::find(None, dir.path(), "aarch64").unwrap();
        assert_eq!(found.key().len(), 32);
        let named = dir.path().join("other");
        fs::write(&named, elf(62)).unwrap();
        let other = Binary::find(Some(named.as_os_str()), dir.path(), "x86_64").unwrap();
        assert_ne!(found.key(), other.key());
    }

    #[test]
    fn a_missing_one_is_named_with_what_to_do() {
        let error = Binary::find(None, Path::new("/nowhere"), "aarch64").unwrap_err();
        let error = error.to_string();
        assert!(error.contains("/nowhere/nsci-linux-aarch64"), "{error}");
        assert!(error.contains("NSCI_LINUX_BINARY"), "{error}");
    }
}
