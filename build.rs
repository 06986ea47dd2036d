//! Names what generates code for modules: a hash of its sources, so that what another nsci kept is made anew.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Everything that descriptions of modules and generated code depend on beside a module's source.
const GENERATORS: [&str; 5] = [
    "Cargo.lock",
    "sdk",
    "src/codegen",
    "src/module",
    "src/schema",
];

fn main() {
    let mut hash = Fnv::default();
    for part in GENERATORS {
        println!("cargo::rerun-if-changed={part}");
        hash.add(Path::new(part));
    }
    println!("cargo::rustc-env=NSCI_GENERATOR={:016x}", hash.0);
}

/// FNV-1a, which needs no crate and is the same in every version of Rust.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, path: &Path) {
        if path.is_dir() {
            let entries = fs::read_dir(path).expect("can list the sources");
            let mut entries: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
            entries.sort();
            // What tools leave behind in an SDK's directory is no source.
            let left = |path: &PathBuf| {
                ["__pycache__", "node_modules"]
                    .iter()
                    .any(|name| path.ends_with(name))
            };
            for entry in entries.iter().filter(|path| !left(path)) {
                self.add(entry);
            }
            return;
        }
        self.bytes(path.to_string_lossy().as_bytes());
        self.bytes(&fs::read(path).unwrap_or_default());
    }

    fn bytes(&mut self, bytes: &[u8]) {
        for byte in bytes.iter().chain(&[0]) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
