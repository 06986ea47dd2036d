//! The official client libraries, unchanged, as released, of several generations: they must not notice that they are
//! not talking to the original. What they run is in `tests/clients`, which also installs them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::support::{Nsci, Ran, binary, repository};

/// A language that there is a library for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Language {
    Python,
    TypeScript,
    Rust,
}

/// How a client finds nsci.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Way {
    /// The program is started by `nsci run`.
    Run,
    /// The same, and nsci is told which version to behave like.
    RunCompat,
    /// The library starts what `_EXPERIMENTAL_DAGGER_CLI_BIN` names.
    Named,
    /// The library finds the command where it keeps those it downloads.
    Planted,
}

impl Language {
    fn name(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::TypeScript => "typescript",
            Self::Rust => "rust",
        }
    }

    /// Where every generation of the library is, installed on the first use.
    fn installed(self) -> &'static Path {
        static DIRECTORIES: [OnceLock<PathBuf>; 3] = [const { OnceLock::new() }; 3];
        DIRECTORIES[self as usize].get_or_init(|| {
            let named = std::env::var_os("NSCI_CLIENTS").map(PathBuf::from);
            let dir = named.unwrap_or_else(|| {
                let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
                let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
                cache.join("nsci-it")
            });
            if !dir.join(self.name()).join("ready").exists() {
                let install = repository().join("tests/clients/install");
                let output = Command::new(install).arg(self.name()).arg(&dir).output();
                let output = output.unwrap();
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{} client: {said}", self.name());
            }
            dir.join(self.name())
        })
    }

    /// The command that runs a program with one generation, and what it needs in its environment.
    fn program(
        self,
        version: &str,
        name: &str,
    ) -> (PathBuf, Vec<String>, Vec<(&'static str, String)>) {
        let installed = self.installed();
        let path = |path: PathBuf| path.display().to_string();
        let source = repository().join("tests/clients").join(self.name());
        match self {
            Self::Python => {
                let packages = path(installed.join(version));
                let program = path(source.join(format!("{name}.py")));
                let python = installed.join("pip/bin/python");
                (python, vec![program], vec![("PYTHONPATH", packages)])
            }
            Self::TypeScript => {
                let package = installed.join(format!("node_modules/dagger-{version}"));
                let text = fs::read_to_string(package.join("package.json")).unwrap();
                let text: Value = serde_json::from_str(&text).unwrap();
                let entry = path(package.join(text["main"].as_str().unwrap()));
                let program = path(source.join(format!("{name}.mjs")));
                ("node".into(), vec![program, entry], Vec::new())
            }
            Self::Rust => (installed.join(name), vec![version.to_owned()], Vec::new()),
        }
    }
}

fn numbers(version: &str) -> Vec<u32> {
    let numbers = version.split('-').next().unwrap().split('.');
    numbers.map(|number| number.parse().unwrap()).collect()
}

/// Runs a program of `tests/clients` in the surroundings of `nsci`.
fn run(nsci: &Nsci, language: Language, version: &str, way: Way, name: &str, args: &[&str]) -> Ran {
    let (program, own, env) = language.program(version, name);
    let own: Vec<&str> = own
        .iter()
        .map(String::as_str)
        .chain(args.iter().copied())
        .collect();
    let mut command = match way {
        Way::Run | Way::RunCompat => {
            let compat: &[&str] = if way == Way::RunCompat {
                &["--compat", version]
            } else {
                &[]
            };
            let words = [compat, &["run", program.to_str().unwrap()], &own].concat();
            nsci.command(&words)
        }
        Way::Named | Way::Planted => nsci.command_of(&program, &own),
    };
    command.envs(env);
    match way {
        Way::Named => {
            command.env("_EXPERIMENTAL_DAGGER_CLI_BIN", binary());
        }
        Way::Planted => {
            let cache = nsci.home().join(".cache/dagger");
            fs::create_dir_all(&cache).unwrap();
            fs::copy(binary(), cache.join(format!("dagger-{version}"))).unwrap();
        }
        Way::Run | Way::RunCompat => {}
    }
    command.output().unwrap().into()
}

/// What the pipeline of every language must find.
fn wanted(language: Language, version: &str, way: Way, tree: &str) -> Value {
    let version = numbers(version);
    // Whoever is in a session already says nothing of its version, except that 0.9 to 0.11 ask whether it suits.
    let asks = language != Language::Rust && version < vec![0, 12];
    let view = if way == Way::Run && !asks {
        vec![1, 0]
    } else {
        version.clone()
    };
    let mut wanted = json!({
        "stdout": "in.txt\nhello you\n***\n",
        "file": "in\n",
        "entries": ["out.txt", if view < vec![0, 17] { "sub" } else { "sub/" }],
        "exported": if view < vec![0, 12] { json!(true) } else { json!(tree) },
        "synced": "new\n",
        "variables": ["PATH", "NAME"],
        "parallel": "one\ntwo\n",
        "ports": ["UDP"],
        "entrypoint": if view < vec![0, 12] { "entry echo x\n" } else { "x\n" },
        "failure": [true, 6, "no", ["sh", "-c"]],
        "refused": true,
        "tree": "in\n",
    });
    if language == Language::Rust {
        // Its errors are texts, and it could not read lists of objects before 0.21.
        let wanted = wanted.as_object_mut().unwrap();
        wanted.remove("ports");
        wanted["failure"] = json!(true);
        if version < vec![0, 21] {
            wanted.remove("variables");
        }
    }
    wanted
}

fn works(language: Language, version: &str, ways: &[Way]) {
    for &way in ways {
        let nsci = Nsci::new();
        let work = nsci.home().join("work");
        fs::create_dir(&work).unwrap();
        let ran = run(
            &nsci,
            language,
            version,
            way,
            "pipeline",
            &[work.to_str().unwrap()],
        )
        .ok();
        let line = ran.out.lines().find(|line| line.starts_with('{'));
        let found: Value =
            serde_json::from_str(line.unwrap_or_else(|| panic!("{ran:#?}"))).unwrap();
        let tree = work.join("tree").display().to_string();
        assert_eq!(
            found,
            wanted(language, version, way, &tree),
            "{way:?}: {ran:#?}"
        );
        if language == Language::Python {
            let ran = run(&nsci, language, version, way, "global_client", &[]).ok();
            assert_eq!(ran.out, "hi\n", "{ran:#?}");
        }
    }
}

macro_rules! generations {
    ($($test:ident: $language:ident $version:literal $ways:expr;)*) => {$(
        #[test]
        fn $test() {
            works(Language::$language, $version, &$ways);
        }
    )*};
}

/// The library for TypeScript downloads the command even if it is there, so it cannot be planted.
const NODE: [Way; 2] = [Way::Run, Way::Named];
const ALL: [Way; 3] = [Way::Run, Way::Named, Way::Planted];

generations! {
    python_0_9_works: Python "0.9.11" ALL;
    python_0_11_works: Python "0.11.9" ALL;
    python_0_13_works: Python "0.13.7" ALL;
    python_0_15_works: Python "0.15.4" ALL;
    python_0_18_works: Python "0.18.19" ALL;
    python_0_21_works: Python "0.21.11" ALL;
    typescript_0_9_works: TypeScript "0.9.3" NODE;
    typescript_0_11_works: TypeScript "0.11.9" NODE;
    typescript_0_13_works: TypeScript "0.13.7" NODE;
    typescript_0_18_works: TypeScript "0.18.19" NODE;
    typescript_0_21_works: TypeScript "0.21.9" NODE;
    typescript_1_0_works: TypeScript "1.0.0-beta.14" NODE;
    rust_0_9_works: Rust "0.9.8" [Way::RunCompat, Way::Named, Way::Planted];
    rust_0_13_works: Rust "0.13.7" ALL;
    rust_0_15_works: Rust "0.15.4" [Way::Run, Way::RunCompat, Way::Named, Way::Planted];
    rust_0_18_works: Rust "0.18.19" ALL;
    rust_0_21_works: Rust "0.21.11" ALL;
    rust_1_0_works: Rust "1.0.0-beta.23" ALL;
}
