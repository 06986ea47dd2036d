//! The fuzz targets of `fuzz/` with a stable toolchain: every seed, and a bounded number of changed ones. The same
//! changes each time, so that what fails here fails again; `NSCI_FUZZ_ROUNDS` and `NSCI_FUZZ_SEED` ask for others.
#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]

#[path = "../fuzz/src/lib.rs"]
#[expect(unreachable_pub, reason = "a library of its own for cargo-fuzz")]
mod targets;

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// Changed inputs for each target.
const ROUNDS: u64 = 1500;
/// Largest input.
const MAX: usize = 4096;
/// No input may take longer than this, on a busy machine and without optimisation.
const SLOW: Duration = Duration::from_secs(20);

/// Words that lead deeper into parsers than chance does.
const WORDS: [&str; 40] = [
    "{",
    "}",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "\"\"\"",
    "\\u",
    "\\",
    "$",
    "@",
    "!",
    ":",
    "...",
    "#",
    "**",
    "*",
    "?",
    "../",
    "/",
    "-",
    "\n",
    "\0",
    "0",
    "-1",
    "1e999",
    "9223372036854775808",
    "null",
    "true",
    "on",
    "fragment",
    "query",
    "@skip(if:",
    "__typename",
    "sha256:",
    "\u{feff}",
    "\u{10ffff}",
    "%",
    "=",
];

/// A small generator of numbers that look random.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// A number below `end`, or 0.
    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(end.max(1)).unwrap()).unwrap()
    }
}

/// Changes an input in a few places.
fn change(input: &mut Vec<u8>, seeds: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(input.len() + 1);
        let end = (at + random.below(24)).min(input.len());
        match random.below(7) {
            0 if at < input.len() => input[at] ^= 1 << random.below(8),
            1 => drop(input.drain(at..end)),
            2 => {
                let piece = input[at..end].to_vec();
                input.splice(at..at, piece.repeat(1 + random.below(16)));
            }
            3 => {
                let other = &seeds[random.below(seeds.len())];
                let from = random.below(other.len());
                let to = (from + random.below(64)).min(other.len());
                input.splice(at..end, other[from..to].iter().copied());
            }
            4 => input.truncate(at),
            _ => {
                let word = WORDS[random.below(WORDS.len())];
                input.splice(at..at, word.bytes());
            }
        }
        input.truncate(MAX);
    }
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap())
}

fn fuzz(name: &str) {
    let (_, target) = targets::TARGETS
        .iter()
        .find(|(known, _)| *known == name)
        .unwrap();
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(name);
    let mut files: Vec<PathBuf> = fs::read_dir(&dir)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.sort();
    let seeds: Vec<Vec<u8>> = files.iter().map(|file| fs::read(file).unwrap()).collect();
    assert!(!seeds.is_empty(), "{} has no seeds", dir.display());
    let mut random = Random(number("NSCI_FUZZ_SEED", 0x5eed) | 1);
    let changed = (0..number("NSCI_FUZZ_ROUNDS", ROUNDS)).map(|_| {
        let mut input = seeds[random.below(seeds.len())].clone();
        change(&mut input, &seeds, &mut random);
        input
    });
    for input in seeds.iter().cloned().chain(changed) {
        let began = Instant::now();
        let held = catch_unwind(AssertUnwindSafe(|| target(&input)));
        let shown = || String::from_utf8_lossy(&input).into_owned();
        assert!(held.is_ok(), "{name} fails on {:?}", shown());
        assert!(
            began.elapsed() < SLOW,
            "{name} takes {:?} on {:?}",
            began.elapsed(),
            shown()
        );
    }
}

#[test]
fn every_target_has_seeds_and_a_program() {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fuzz");
    for (name, _) in targets::TARGETS {
        assert!(root.join("seeds").join(name).is_dir(), "{name}");
        assert!(
            root.join("fuzz_targets")
                .join(format!("{name}.rs"))
                .is_file(),
            "{name}"
        );
    }
}

macro_rules! targets {
    ($($test:ident: $name:literal;)*) => {$(
        #[test]
        fn $test() {
            fuzz($name);
        }
    )*};
}

targets! {
    requests_are_answered_or_refused: "graphql";
    patterns_are_read_or_refused: "patterns";
    references_are_read_or_refused: "references";
    configurations_are_read_or_refused: "configuration";
    python_sources_are_read_or_refused: "python";
}
