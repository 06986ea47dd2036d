//! Modules as users write them, in both styles, and what is wrong with others.

use super::*;
use crate::module::typedef::{CachePolicy, ModuleTypes, TypeKind, TypeRef};
use serde_json::json;

fn files(of: &[(&str, &str)]) -> BTreeMap<String, String> {
    of.iter()
        .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()))
        .collect()
}

fn read(module: &str, files: &BTreeMap<String, String>) -> Result<ModuleTypes, StaticError> {
    package(module, files).map(|package| package.types)
}

fn read_main(module: &str, source: &str) -> ModuleTypes {
    read(module, &files(&[("main.go", source)])).expect("can be read")
}

fn refused(source: &str) -> String {
    read("ci", &files(&[("main.go", source)]))
        .expect_err("is wrong")
        .to_string()
}

const TOUR: &str = r#"// Pipelines of a shop.
package main

import (
	"context"

	"dagger/shop/internal/dagger"
)

// Level is how bad a finding is.
type Level string

const (
	// Nobody minds.
	LevelLow Level = "LOW"
	LevelHigh Level = "HIGH" // Somebody minds.
)

type Speed string

const Fast Speed = "2 km/h"

// Linter looks for findings.
type Linter interface {
	dagger.DaggerObject
	// Lint returns what was found.
	Lint(ctx context.Context, source *dagger.Directory) (string, error)
	Base() *dagger.Container
}

type Base struct {
	// Image to start from.
	Image string `json:"image,omitempty"`
}

// Shop builds the shop.
type Shop struct {
	Base
	Token   *dagger.Secret // For uploads.
	// +private
	Notes   map[string]string
	Linters []Linter
	hidden  int
}

// Report is what a check found.
type Report struct {
	Level Level
	Lines []string
}

func New(
	// Where the code is.
	// +defaultPath="/"
	// +ignore=["**/node_modules", ".git"]
	source *dagger.Directory,
	// +optional
	image string,
	// +default="HIGH"
	level Level,
) (*Shop, error) {
	return &Shop{}, nil
}

// Check looks at everything.
//
// +check
// +cache="10m"
func (m *Shop) Check(ctx context.Context, linter Linter, limit *int, names ...string) (*Report, error) {
	return nil, nil
}

func (m *Shop) Options(ctx context.Context, opts struct {
	// How often.
	// +default=3
	Times int
	Speed Speed // +optional
}) error {
	return nil
}

func (m *Shop) WithToken(first, second *dagger.Secret) { m.Token = first }

func (m *Shop) Say(text string) { println(text) }

// Deprecated: use Check.
func (m Shop) Platform(sharing dagger.CacheSharingMode) dagger.Platform { return "" }

func (m *Shop) private() {}

// Unused is nobody's business.
type Unused struct{ Value map[string]chan int }

func (u Unused) Strange() map[string]int { return nil }
"#;

#[test]
fn module_is_read_with_everything_it_offers() {
    let types = read_main("shop", TOUR);
    assert_eq!(types.description, "Pipelines of a shop.");
    assert_eq!(types.main_object, "Shop");
    let names: Vec<_> = types
        .objects
        .iter()
        .map(|ty| ty.api_name.as_str())
        .collect();
    assert_eq!(names, ["Shop", "ShopReport"]);
    let shop = types.main().expect("is there");
    let fields: Vec<_> = shop
        .fields
        .iter()
        .map(|field| field.name.as_str())
        .collect();
    assert_eq!(fields, ["image", "Token", "Linters"]);
    assert_eq!(shop.fields[0].description, "Image to start from.");
    assert_eq!(shop.fields[1].description, "For uploads.");
    let functions: Vec<_> = shop.functions.iter().map(|f| f.cli_name.as_str()).collect();
    assert_eq!(
        functions,
        ["check", "options", "with-token", "say", "platform"]
    );
    let new = shop.constructor.as_ref().expect("there is one");
    assert_eq!(new.args[0].default_path.as_deref(), Some("/"));
    assert_eq!(new.args[0].ignore, ["**/node_modules", ".git"]);
    assert!(new.args[1].ty.optional);
    assert_eq!(new.args[2].default, Some(json!("HIGH")));
}

#[test]
fn functions_are_read_with_arguments_results_and_pragmas() {
    let types = read_main("shop", TOUR);
    let function = |name: &str| {
        let shop = types.main().expect("is there");
        let found = shop.functions.iter().find(|function| function.name == name);
        found.expect("is there").clone()
    };
    let check = function("Check");
    assert_eq!(check.description, "Check looks at everything.");
    assert!(check.check);
    assert_eq!(
        check.cache,
        Some(CachePolicy::Default {
            ttl: Some("10m".into())
        })
    );
    assert_eq!(check.returns, TypeRef::object("Report"));
    let interface = TypeKind::Interface {
        name: "Linter".into(),
    };
    assert_eq!(check.args[0].ty, TypeRef::new(interface));
    assert_eq!(check.args[1].ty, TypeRef::new(TypeKind::Integer).optional());
    assert_eq!(
        check.args[2].ty,
        TypeRef::list(TypeRef::new(TypeKind::String)).optional()
    );
    let options = function("Options");
    assert_eq!(options.args[0].name, "times");
    assert_eq!(options.args[0].default, Some(json!(3)));
    assert_eq!(options.args[0].description, "How often.");
    assert!(options.args[1].ty.optional);
    let with_token = function("WithToken");
    assert_eq!(
        with_token.returns,
        TypeRef::object("Shop"),
        "it changes its receiver"
    );
    assert_eq!(with_token.args.len(), 2);
    assert_eq!(function("Say").returns, TypeRef::default());
    let platform = function("Platform");
    assert_eq!(platform.deprecated.as_deref(), Some("use Check."));
    assert_eq!(
        platform.returns,
        TypeRef::new(TypeKind::Scalar {
            name: "Platform".into()
        })
    );
    assert_eq!(
        platform.args[0].ty,
        TypeRef::new(TypeKind::Enum {
            name: "CacheSharingMode".into()
        })
    );
    assert_eq!(platform.source.expect("is known").file, "main.go");
}

#[test]
fn enums_cross_the_border_by_value_or_else_by_name() {
    let package = package("shop", &files(&[("main.go", TOUR)])).expect("can be read");
    let level = package.types.enum_type("Level").expect("is used");
    let members: Vec<_> = level
        .members
        .iter()
        .map(|m| (m.name.as_str(), m.description.as_str()))
        .collect();
    assert_eq!(
        members,
        [("LOW", "Nobody minds."), ("HIGH", "Somebody minds.")]
    );
    let speed = package.types.enum_type("Speed").expect("is used");
    assert_eq!(
        (
            speed.members[0].name.as_str(),
            speed.members[0].value.as_str()
        ),
        ("Fast", "2 km/h")
    );
    let mapped: Vec<_> = package.enums.iter().map(|ty| ty.name.as_str()).collect();
    assert_eq!(mapped, ["Speed"]);
}

#[test]
fn old_style_needs_no_prefix() {
    let types = read_main(
        "my-app",
        r#"package main

import "context"

type MyApp struct{}

// Build compiles
func (m *MyApp) Build(
    source *Directory,
    goVersion Optional[string], // Version of Go
    registry string,            // e.g. "ghcr.io/org/app"
) *Container {
    return dag.Container()
}

func (m *MyApp) CICD(ctx context.Context, password *Secret) error { return nil }
"#,
    );
    let functions = &types.main().expect("is there").functions;
    assert_eq!(functions[0].args[0].ty, TypeRef::object("Directory"));
    assert_eq!(
        functions[0].args[1].ty,
        TypeRef::new(TypeKind::String).optional()
    );
    assert_eq!(functions[0].args[1].description, "Version of Go");
    assert_eq!(functions[0].args[2].description, "e.g. \"ghcr.io/org/app\"");
    assert_eq!(functions[0].returns, TypeRef::object("Container"));
    assert_eq!(functions[1].cli_name, "cicd");
}

#[test]
fn package_may_have_several_files() {
    let package = package(
        "ci",
        &files(&[
            ("main.go", "package main\n\ntype Ci struct{}\n"),
            (
                "more.go",
                "package main\n\nfunc (c *Ci) More() string { return more }\n",
            ),
            ("tool.go", "//go:build ignore\n\npackage tools\n"),
            ("sub/sub.go", "package sub\n\ntype Ci struct{}\n"),
        ]),
    )
    .expect("can be read");
    assert_eq!(package.types.objects.len(), 1);
    assert_eq!(package.types.objects[0].functions[0].name, "More");
    for (path, wanted) in [
        ("main.go", true),
        ("sub/sub.go", true),
        ("go.mod", true),
        ("vendor/modules.txt", true),
        ("vendor/a/a.go", false),
        ("main_test.go", false),
        ("dagger.gen.go", false),
        ("internal/dagger/dagger.gen.go", false),
        (".git/a.go", false),
        ("sdk/client.go", false),
        ("README.md", false),
    ] {
        assert_eq!(is_relevant(path), wanted, "{path}");
    }
}

#[test]
fn mistakes_are_pointed_at() {
    for (source, wanted) in [
        ("package main\n\ntype Ci struct{\n", "main.go:"),
        (
            "package main\n\nfunc (c *Ci) A( {}\n",
            "main.go:3: syntax error",
        ),
        (
            "package ci\n",
            "main.go:1: a module's package is `main`, not `ci`",
        ),
        (
            "package main\n\ntype Ci struct{}\n\nfunc main() {}\n",
            "main.go:5: a module's package cannot declare `main`",
        ),
        (
            "package main\n\ntype Ci struct {\n\tA map[string]int\n}\n",
            "main.go:4: field `A`: `map[string]int` cannot be part of the API; `// +private`",
        ),
        (
            "package main\n\nimport \"time\"\n\ntype Ci struct{}\n\nfunc (c *Ci) A(\n\tb string,\n\td time.Duration,\n) {}\n",
            "main.go:9: `time.Duration` cannot be part of the API",
        ),
        (
            "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A() (int, int) { return 1, 2 }\n",
            "main.go:5: a function returns at most a value and an error",
        ),
        (
            "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A(\n\t// +default=yes\n\tb int,\n) {}\n",
            "main.go:7: the default yes is not of the argument's type",
        ),
        (
            "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A(string) {}\n",
            "main.go:5: a parameter of `A` has no name",
        ),
        ("package main\n", "has no main object"),
    ] {
        let message = refused(source);
        assert!(
            message.starts_with(wanted) || message.contains(wanted),
            "{wanted}: {message}"
        );
    }
    let none = read("ci", &files(&[("go.mod", "module ci\n")])).expect_err("is empty");
    assert_eq!(
        none.to_string(),
        "module `ci` has no source: looked for *.go"
    );
}

#[test]
fn types_of_other_modules_are_remembered_with_their_place() {
    let source =
        "package main\n\ntype Ci struct{}\n\nfunc (c *Ci) A(p *Pulumi) *Container { return nil }\n";
    let package = package("ci", &files(&[("main.go", source)])).expect("can be read");
    assert_eq!(package.foreign["Pulumi"].line, 5);
    assert_eq!(package.foreign.len(), 1);
}
