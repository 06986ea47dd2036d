//! Static reading against what the SDK says when the same program is run.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::*;
use crate::module::config::ModuleConfig;
use crate::module::typedef::{TypeKind, TypeRef};

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The types the SDK describes for a program in `root`, as the engine's registration would have them.
fn described(root: &Path, module: &str, import: &str) -> Result<ModuleTypes, String> {
    let output = Command::new("python3")
        .args(["-B", "-m", "dagger._runtime", "--describe"])
        .env("PYTHONPATH", repository().join("sdk/python/src"))
        .env("NSCI_MODULE_ROOT", root)
        .env("DAGGER_DEFAULT_PYTHON_PACKAGE", import)
        .env("DAGGER_MAIN_OBJECT", names::pascal(module))
        .output()
        .expect("python3 is installed");
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let types: ModuleTypes = serde_json::from_slice(&output.stdout).expect("prints types");
    let mut types = types;
    module.clone_into(&mut types.name);
    types.finish(module).map_err(|error| error.to_string())
}

fn pretty(types: &ModuleTypes) -> String {
    serde_json::to_string_pretty(types).expect("plain data")
}

/// Reads one file as module `ci`.
fn read_source(source: &str) -> Result<ModuleTypes, StaticError> {
    read(
        "ci",
        &BTreeMap::from([("main.py".to_owned(), source.to_owned())]),
    )
}

const HEAD: &str = "import dagger\nfrom dagger import dag, field, function, object_type\n\n";

fn assert_agrees(source: &str) {
    let source = format!("{HEAD}{source}");
    let directory = tempfile::tempdir().expect("can create");
    std::fs::write(directory.path().join("main.py"), &source).expect("can write");
    let by_running = described(directory.path(), "ci", "main").expect("runs");
    let by_reading = read_source(&source).expect("reads").without_sources();
    assert_eq!(pretty(&by_reading), pretty(&by_running), "{source}");
}

#[test]
fn examples_read_the_same_as_they_run() {
    let examples = repository().join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(&examples).expect("has examples") {
        let directory = entry.expect("can list").path();
        let Ok(config) = ModuleConfig::load(&directory.join("dagger.json")) else {
            continue;
        };
        if config.sdk.as_ref().is_none_or(|sdk| sdk.source != "python") {
            continue;
        }
        seen += 1;
        let source = directory.join(&config.source);
        let files = collect(&source).expect("can read");
        let layout = Layout::find(&config.name, &files).expect("has source");
        let started = std::time::Instant::now();
        let by_reading = read(&config.name, &files).expect("reads").without_sources();
        println!("{}: {:?}", config.name, started.elapsed());
        let by_running =
            described(&source.join(&layout.root), &config.name, &layout.import).expect("runs");
        assert_eq!(
            pretty(&by_reading),
            pretty(&by_running),
            "{}",
            directory.display()
        );
    }
    assert!(seen >= 3, "only {seen} Python examples found");
}

#[test]
fn unusual_declarations_read_the_same_as_they_run() {
    for source in [
        // Imports under other names, and the package's other name.
        "import nsci as n\nfrom nsci import function as fn\n@n.object_type\nclass Ci:\n    @fn\n    def a(self, d: n.Directory) -> n.File: ...\n",
        // Own constructor.
        "@object_type\nclass Ci:\n    def __init__(self, name: str = 'x', *, n: int):\n        '''Make it.'''\n        self.name = name\n    @function\n    def a(self) -> int: ...\n",
        // Alternative constructor.
        "@object_type\nclass Ci:\n    name: str = field()\n    @classmethod\n    async def create(cls, n: int = 3) -> 'Ci':\n        '''Make it.'''\n        return cls(name='x')\n    @function\n    def a(self) -> int: ...\n",
        // Dataclasses.
        "import dataclasses\n@object_type\nclass Ci:\n    a: int\n    b: list[str] = dataclasses.field(default_factory=list)\n    c: str = dataclasses.field(default='c', init=False)\n    @function\n    def f(self) -> str | None:\n        '''\n        Starts below.\n\n            Indented.\n        '''\n",
        // Output while importing.
        "print('hello')\n@function\ndef f() -> str: ...\n",
        // Defaults made by functions.
        "@object_type\nclass Report:\n    name: str\n@object_type\nclass Ci:\n    a: str = field(default=lambda: str(1))\n    b: Report = field(default=lambda: Report(name='x'))\n    c: float = field(default=float)\n    @function\n    def f(self) -> Report: ...\n",
        // Optional in all spellings.
        "from typing import Annotated, Optional, Union\n@function\ndef f(a: Optional[str], b: Union[int, None], c: 'float | None', d: bool = None, e: Optional[Annotated[str, dagger.Doc('x')]] = None) -> None: ...\n",
        // Functions outside of a class join the main object.
        "@object_type\nclass Ci:\n    @function\n    def a(self) -> str: ...\n@function\ndef b(x: int) -> str: ...\n@function\ndef c(self, x: int) -> str: ...\n",
        // Overridden and inherited functions and fields.
        "@object_type\nclass Base:\n    x: str = 'a'\n    @function\n    def a(self) -> str: ...\n    @function\n    def b(self) -> str: ...\n@object_type\nclass Ci(Base):\n    y: int = 2\n    @function\n    def a(self) -> int: ...\n    def b(self) -> str: ...\n    @function\n    def c(self) -> list[Base]: ...\n",
        // Early argument notes, keywords as names, other modules' types.
        "from typing import Annotated\nfrom dagger.mod import Arg\n@function\ndef import_(from_: Annotated[str, Arg(name='origin', doc='Whence')], class_: dagger.Gradle) -> dagger.GradleResult: ...\n",
        // Marks and policies.
        "@object_type\nclass Ci:\n    @dagger.check\n    @function(cache='never')\n    def a(self): ...\n    @function(cache='session')\n    @dagger.generate()\n    def b(self) -> dagger.Changeset: ...\n    @function\n    @dagger.up\n    def c(self) -> dagger.Service: ...\n",
        // Enum with numbers, an alias and a method.
        "import enum\n@dagger.enum_type\nclass Size(enum.IntEnum):\n    '''How big.'''\n    SMALL = 1\n    TINY = 1\n    BIG = 2\n    def twice(self): return self * 2\n@function\ndef f(size: Size = Size.BIG, sizes: list[Size] = [Size.SMALL]) -> Size: ...\n",
    ] {
        assert_agrees(source);
    }
}

#[test]
fn mistakes_are_pointed_at_in_both_ways() {
    for (source, message) in [
        (
            "@function\ndef f(a: dict[str, str]) -> str: ...\n",
            "main.py:5: `dict[str, str]` is not a type the API has",
        ),
        (
            "@function\ndef f(a) -> str: ...\n",
            "main.py:5: `f`: argument `a` has no type",
        ),
        (
            "@function\ndef f(\n    *args: str,\n) -> str: ...\n",
            "main.py:5: `f`: *args and **kwargs cannot be part of the API",
        ),
        (
            "@function\ndef f(a: int | str) -> str: ...\n",
            "main.py:5: a union of several types is not a type the API has",
        ),
        (
            "@function\ndef f() -> bytes: ...\n",
            "main.py:5: `bytes` is not a type the API has",
        ),
        (
            "class A: ...\n@function\ndef f(\n    b: int,\n    a: A,\n) -> str: ...\n",
            "main.py:8: `A` is not a type the API has: it is neither `@object_type`, `@interface` nor `@enum_type`",
        ),
    ] {
        let source = format!("{HEAD}{source}");
        let error = read_source(&source).expect_err("is wrong");
        assert!(matches!(error, StaticError::Invalid { .. }), "{error:?}");
        assert_eq!(error.to_string(), message);
        let directory = tempfile::tempdir().expect("can create");
        std::fs::write(directory.path().join("main.py"), &source).expect("can write");
        described(directory.path(), "ci", "main").expect_err("is wrong when run, too");
    }
    let error = read_source("class Broken\n").expect_err("is wrong");
    assert_eq!(error.to_string(), "main.py:1: invalid syntax");
}

#[test]
fn what_only_running_can_tell_is_left_to_running() {
    for source in [
        "import os\n@function\ndef f(a: str = os.sep) -> str: ...\n",
        "@function\ndef f(a: str = 'a'.upper()) -> str: ...\n",
        "from other import Base\n@object_type\nclass Ci(Base):\n    @function\n    def f(self) -> str: ...\n",
        "from other import Thing\n@function\ndef f(a: Thing) -> str: ...\n",
        "from other import wrap\n@function\n@wrap\ndef f(a: str) -> str: ...\n",
        "if dagger:\n    @function\n    def f(a: str) -> str: ...\n",
    ] {
        let result = read_source(&format!("{HEAD}{source}"));
        assert!(
            matches!(result, Err(StaticError::NeedsRuntime { .. })),
            "{source}: {result:?}"
        );
    }
}

#[test]
fn code_is_found_in_every_layout() {
    for (paths, root, import) in [
        (
            &["src/my_app/__init__.py", "src/my_app/main.py"][..],
            "src",
            "my_app",
        ),
        (&["src/main.py"], "src", "main"),
        (&["src/main/__init__.py"], "src", "main"),
        (&["main.py", "app.py"], ".", "main"),
        (
            &["src/other/__init__.py", "tests/__init__.py"],
            "src",
            "other",
        ),
        (&["my_app.py"], ".", "my_app"),
    ] {
        let files = paths
            .iter()
            .map(|path| ((*path).to_owned(), String::new()))
            .collect();
        let layout = Layout::find("my-app", &files).expect("is found");
        assert_eq!(
            (layout.root.as_str(), layout.import.as_str()),
            (root, import),
            "{paths:?}"
        );
    }
    let files = [
        ("src/my_app/__init__.py", "x = 1"),
        ("main.py", "import dagger"),
    ];
    let files = files
        .map(|(path, text)| (path.to_owned(), text.to_owned()))
        .into();
    let beside_the_program = Layout::find("my-app", &files).expect("is found");
    assert_eq!(beside_the_program.file, "main.py");
    let error = Layout::find("ci", &BTreeMap::new())
        .expect_err("nothing there")
        .to_string();
    assert!(error.starts_with("module `ci` has no source: looked for src/ci/__init__.py, "));
}

#[test]
fn core_names_are_those_of_the_schema() {
    let schema = std::fs::read_to_string(repository().join("sdk/schema.json")).expect("is there");
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("is JSON");
    let types = schema["__schema"]["types"].as_array().expect("lists types");
    let of_kind = |kind: &str| -> Vec<&str> {
        let of_kind = types.iter().filter(|ty| ty["kind"] == kind);
        of_kind
            .filter_map(|ty| ty["name"].as_str())
            .filter(|name| !name.starts_with("__"))
            .collect()
    };
    for name in of_kind("ENUM") {
        assert!(describe::CORE_ENUMS.contains(&name), "{name} is missing");
    }
    for name in of_kind("SCALAR") {
        let built_in = ["String", "Int", "Float", "Boolean", "Void"].contains(&name);
        let known = built_in || name.ends_with("ID") || describe::CORE_SCALARS.contains(&name);
        assert!(known, "{name} is missing");
    }
}

#[test]
fn constructors_that_only_store_are_known() {
    for (body, trivial) in [
        ("    pass\n", true),
        (
            "    a: str\n    b: int = field(default=1)\n    _c: list[str] = field(default=list, init=False)\n",
            false,
        ),
        (
            "    a: str\n    b: list[str] = field(default=list)\n    _c: int = 0\n",
            true,
        ),
        ("    _a: str\n", false),
        ("    from_: str\n", false),
        ("    from_: str = field()\n", true),
        ("    a: str = field(default=lambda: 'x')\n", false),
        ("    a: str\n    def __post_init__(self): ...\n", false),
        ("    def __init__(self): ...\n", false),
    ] {
        let source =
            format!("@object_type\nclass Ci:\n{body}    @function\n    def f(self): ...\n");
        assert_agrees(&source);
        let types = read_source(&format!("{HEAD}{source}")).expect("reads");
        let constructor = types.objects[0].constructor.as_ref().expect("has one");
        assert_eq!(constructor.trivial, trivial, "{source}");
    }
}

#[test]
fn string_annotations_and_self_are_understood() {
    let types = read_source(&format!(
        "from __future__ import annotations\nfrom typing import Self\n{HEAD}@object_type\nclass Ci:\n    @function\n    def a(self, later: 'list[Later] | None') -> Self: ...\n\n@object_type\nclass Later:\n    x: int = field()\n"
    ))
    .expect("reads");
    let a = &types.objects[0].functions[0];
    assert_eq!(a.returns, TypeRef::object("Ci"));
    assert_eq!(
        a.args[0].ty,
        TypeRef::list(TypeRef::object("Later")).optional()
    );
    assert_eq!(types.objects[1].fields[0].ty.kind, TypeKind::Integer);
    assert_eq!(a.source.as_ref().map(|source| source.line), Some(9));
}
