//! The checked-in client is what the generator writes. `NSCI_BLESS=1` rewrites it.

use super::*;
use std::path::{Path, PathBuf};

fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn blessing() -> bool {
    std::env::var_os("NSCI_BLESS").is_some()
}

#[test]
fn checked_in_client_is_what_the_generator_writes() {
    let path = repository("sdk/go/dagger.gen.go");
    let written = core(crate::codegen::core());
    if blessing() {
        std::fs::write(&path, &written).expect("can be written");
    }
    let checked_in = std::fs::read_to_string(&path).expect("is checked in");
    let differs = written
        .lines()
        .zip(checked_in.lines())
        .find(|(a, b)| a != b);
    assert_eq!(differs, None, "NSCI_BLESS=1 writes it anew");
    assert_eq!(written.len(), checked_in.len());
}

fn generated(source: &str) -> Result<Vec<(String, String)>, String> {
    let core = crate::codegen::core();
    let config = ModuleConfig {
        name: "shop".into(),
        ..ModuleConfig::default()
    };
    let sources = SourceFiles::from([("main.go".to_owned(), source.to_owned())]);
    let package = crate::module::go::package(&config.name, &sources);
    package
        .and_then(|package| files(&config, &package, &sources, core, core))
        .map_err(|error| error.to_string())
}

fn main_of(source: &str) -> String {
    let files = generated(source).expect("is a module");
    files
        .into_iter()
        .find(|(path, _)| path == "dagger.gen.go")
        .expect("is written")
        .1
}

#[test]
fn calls_are_dispatched_by_name() {
    let main = main_of(
        "package main\n\nimport \"context\"\n\ntype Shop struct{}\n\n\
         func New(size int) *Shop { return nil }\n\
         func (s *Shop) Build(ctx context.Context, tags ...string) (*Container, error) { return nil, nil }\n\
         func (s *Shop) Reset() { s.size = 0 }\n",
    );
    for wanted in [
        "case \"Shop.\":\n\t\tvar arg0 int\n",
        "return New(arg0), nil\n",
        "case \"Shop.Build\":\n\t\tvar parent Shop\n",
        "var arg0 []string\n",
        "return parent.Build(ctx, arg0...)\n",
        "parent.Reset()\n\t\treturn &parent, nil\n",
        "type Container = dagger.Container\n",
        "\t\"dagger/shop/internal/dagger\"\n",
    ] {
        assert!(main.contains(wanted), "{wanted}\n{main}");
    }
    assert!(!main.contains("type Optional"));
}

#[test]
fn names_that_the_package_uses_itself_are_left_to_it() {
    let prefixed = main_of(
        "package main\n\nimport \"dagger/shop/internal/dagger\"\n\ntype Shop struct{}\ntype File struct{}\n\n\
         func (s *Shop) A(d *dagger.Directory) *Container { return nil }\nfunc (s *Shop) B(f File) {}\n",
    );
    assert!(prefixed.contains("type Container = "));
    assert!(!prefixed.contains("type File = "), "it is declared");
    assert!(!prefixed.contains("type Secret = "), "nobody asked for it");
}

#[test]
fn types_that_nobody_has_are_pointed_at() {
    let error = generated(
        "package main\n\ntype Shop struct{}\n\nfunc (s *Shop) A() *Pulumi { return nil }\n",
    );
    assert_eq!(
        error.expect_err("there is no such type"),
        "main.go:5: there is no type `Pulumi`: neither this package nor the API nor a dependency has it"
    );
}
