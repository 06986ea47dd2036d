//! Sources of modules, and what is read from them.

use super::*;
use crate::module::typedef::{Arg, CachePolicy, ObjectType, TypeKind, TypeRef};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Types and scripts of a module.
struct Reading {
    types: ModuleTypes,
    scripts: Vec<(String, String)>,
}

fn reading(files: &SourceFiles) -> Reading {
    let source = super::read("app", files).unwrap_or_else(|error| panic!("{error}"));
    let scripts = source.scripts(None);
    let scripts = scripts.unwrap_or_else(|error| panic!("{error}"));
    let types = source.types;
    Reading { types, scripts }
}

const IMPORT: &str = "import { dag, Container, Directory, File, Secret, NetworkProtocol, object, func, argument, enumType, field, check, float } from \"@dagger.io/dagger\"\n";

fn files(sources: &[(&str, &str)]) -> BTreeMap<String, String> {
    let text = |text: &str| text.replace("@import@", IMPORT.trim());
    sources
        .iter()
        .map(|(path, source)| ((*path).to_owned(), text(source)))
        .collect()
}

fn read_one(source: &str) -> Reading {
    let files = files(&[("src/index.ts", &format!("{IMPORT}{source}"))]);
    reading(&files)
}

fn error_of(source: &str) -> String {
    let files = files(&[("src/index.ts", &format!("{IMPORT}{source}"))]);
    read("app", &files).expect_err("invalid").to_string()
}

fn main_object(reading: &Reading) -> &ObjectType {
    reading.types.main().expect("has a main object")
}

fn function<'r>(reading: &'r Reading, name: &str) -> &'r crate::module::Function {
    let mut functions = main_object(reading).functions.iter();
    functions
        .find(|function| function.name == name)
        .expect("is there")
}

fn object(name: &str) -> TypeRef {
    TypeRef::object(name)
}

#[test]
fn class_with_functions_is_read() {
    let reading = read_one(
        r#"
/** Builds things. */
@object()
class App {
  /**
   * Build it.
   * @param source What to build
   */
  @func()
  async build(source: Directory, tag = "latest", verbose?: boolean): Promise<Container> {
    return dag.container().withDirectory("/src", source)
  }

  @func({ alias: "all-tests", cache: "10m" })
  @check()
  test(@argument({ defaultPath: "/", ignore: ["**/x", ".git"] }) source: Directory): Promise<void> {}

  helper() {}
}
"#,
    );
    let app = main_object(&reading);
    assert_eq!(
        (app.name.as_str(), app.description.as_str()),
        ("App", "Builds things.")
    );
    assert_eq!(app.constructor, None);
    let build = function(&reading, "build");
    assert_eq!(build.description, "Build it.");
    assert_eq!(build.returns, object("Container"));
    let types: Vec<_> = build
        .args
        .iter()
        .map(|arg| {
            (
                arg.name.as_str(),
                arg.ty.graphql(&reading.types),
                arg.default.clone(),
            )
        })
        .collect();
    assert_eq!(
        types,
        [
            ("source", "Directory!".to_owned(), None),
            ("tag", "String!".to_owned(), Some(json!("latest"))),
            ("verbose", "Boolean".to_owned(), None),
        ]
    );
    assert_eq!(build.args[0].description, "What to build");
    let source = build.source.as_ref().expect("is known");
    assert_eq!((source.file.as_str(), source.line), ("src/index.ts", 11));
    let test = function(&reading, "all-tests");
    assert!(test.check);
    assert_eq!(test.cache, Some(CachePolicy::parse("10m")));
    assert_eq!(test.returns.kind, TypeKind::Void);
    assert_eq!(test.args[0].default_path.as_deref(), Some("/"));
    assert_eq!(test.args[0].ignore, ["**/x", ".git"]);
    assert_eq!(app.functions.len(), 2);
}

/// One row for each way to write a type: annotation, type of the API.
#[test]
fn annotations_are_types_of_the_api() {
    for (written, wanted) in [
        ("string", "String!"),
        ("number", "Int!"),
        ("float", "Float!"),
        ("boolean", "Boolean!"),
        ("void", "Void"),
        ("undefined", "Void"),
        ("string | undefined", "String"),
        ("null | Container", "Container"),
        ("string[]", "[String!]!"),
        ("(string | null)[]", "[String]!"),
        ("Array<Container> | undefined", "[Container!]"),
        ("readonly string[]", "[String!]!"),
        ("ReadonlyArray<number>", "[Int!]!"),
        ("Promise<string[]>", "[String!]!"),
        ("Promise<Container | undefined>", "Container"),
        ("\"a\" | \"b\"", "String!"),
        ("true | false", "Boolean!"),
        ("1 | 2", "Int!"),
        ("`v${string}`", "String!"),
        ("this", "App!"),
        ("App", "App!"),
        ("NetworkProtocol", "NetworkProtocol!"),
        ("Name", "String!"),
        ("Maybe", "Directory"),
        ("Level", "AppLevel!"),
        ("Level.Low", "AppLevel!"),
        ("Old", "AppOld!"),
        ("Point", "AppPoint!"),
        ("Plain[]", "[AppPlain!]!"),
        ("Runner", "AppRunner!"),
    ] {
        let reading = read_one(&format!(
            r#"
type Name = string
type Maybe = Directory | undefined
enum Level {{ Low = "low", High = "high" }}
@enumType() class Old {{ static readonly A: string = "a" }}
type Point = {{ x: number; y?: number }}
interface Plain {{ name: string }}
interface Runner {{ run(image: string): Promise<string> }}
@object() class App {{ @func() it(): {written} {{ return null as any }} }}
"#
        ));
        let returns = &function(&reading, "it").returns;
        assert_eq!(returns.graphql(&reading.types), wanted, "{written}");
    }
}

/// One row for each way to write a default: parameter, type, default.
#[test]
fn defaults_are_taken_from_the_source() {
    for (written, ty, default) in [
        ("a = 'x'", "String!", Some(json!("x"))),
        ("a = `x`", "String!", Some(json!("x"))),
        ("a = 3", "Int!", Some(json!(3))),
        ("a = -3", "Int!", Some(json!(-3))),
        ("a = 1.5", "Float!", Some(json!(1.5))),
        ("a: number = 0.5", "Float!", Some(json!(0.5))),
        ("a: float = 2", "Float!", Some(json!(2))),
        ("a = true", "Boolean!", Some(json!(true))),
        ("a = ['x', 'y']", "[String!]!", Some(json!(["x", "y"]))),
        ("a: string[] = []", "[String!]!", Some(json!([]))),
        ("a: string | null = null", "String", None),
        ("a: string = undefined", "String", None),
        ("a: string = process.env.X", "String", None),
        ("a = NAME", "String!", Some(json!("me"))),
        ("a = Level.High", "AppLevel!", Some(json!("High"))),
        (
            "a: NetworkProtocol = NetworkProtocol.Tcp",
            "NetworkProtocol!",
            Some(json!("TCP")),
        ),
        ("a: Container = dag.container()", "Container", None),
        ("...a: string[]", "[String!]", None),
        ("a?: string", "String", None),
    ] {
        let reading = read_one(&format!(
            r#"
const NAME = "me"
enum Level {{ Low = "low", High = "high" }}
@object() export class App {{ @func() it({written}): void {{}} }}
"#
        ));
        let Arg {
            ty: found,
            default: value,
            ..
        } = &function(&reading, "it").args[0];
        assert_eq!(
            (found.graphql(&reading.types).as_str(), value),
            (ty, &default),
            "{written}"
        );
    }
}

#[test]
fn state_is_shown_where_it_is_decorated() {
    let reading = read_one(
        r#"
@object()
export class App {
  /** Where it is. */
  @func() source: Directory
  @field("title") name: string = "x"
  private token?: Secret
  count = 0
  constructor(source: Directory, private readonly file: File, count?: number) {
    this.source = source
    this.count = count ?? 1
  }
}
"#,
    );
    let app = main_object(&reading);
    let fields: Vec<_> = app.fields.iter().map(|field| field.name.as_str()).collect();
    assert_eq!(fields, ["source", "title"]);
    assert_eq!(app.fields[0].description, "Where it is.");
    let constructor = app.constructor.as_ref().expect("has one");
    assert!(!constructor.trivial);
    assert_eq!(constructor.args.len(), 3);
    let description: Json = serde_json::from_str(&reading.scripts[0].1).expect("JSON");
    let state = &description["objects"]["App"]["fields"];
    let kinds: Vec<_> = state
        .as_array()
        .expect("list")
        .iter()
        .map(|field| {
            (
                field["key"].as_str().expect("text"),
                field["type"]["name"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        kinds,
        [
            ("source", Some("Directory")),
            ("title", None),
            ("token", Some("Secret")),
            ("count", None),
            ("file", Some("File")),
        ]
    );
}

/// One row for each constructor: its source, whether its arguments are the state.
#[test]
fn constructor_that_only_keeps_its_arguments_is_not_run() {
    for (source, trivial) in [
        ("constructor(name: string) { this.name = name }", true),
        ("constructor(name = \"x\") { this.name = name }", true),
        (
            "constructor(private readonly n: string, name?: string) { this.name = name }",
            true,
        ),
        ("constructor(public n: string = \"a\") {}", true),
        (
            "constructor(name: string) { this.name = name.trim() }",
            false,
        ),
        ("constructor(name: string) { this.other = name }", false),
        (
            "constructor(name: string = process.env.X ?? \"\") { this.name = name }",
            false,
        ),
        (
            "constructor(name: string) { this.name = name; console.log(name) }",
            false,
        ),
        ("constructor(name: string) {}", false),
        (
            "made = Date.now(); constructor(name: string) { this.name = name }",
            false,
        ),
    ] {
        let reading = read_one(&format!(
            "@object() export class App {{ @func() name: string\n{source}\n@func() x(): void {{}} }}"
        ));
        let constructor = main_object(&reading).constructor.as_ref().expect("has one");
        assert_eq!(constructor.trivial, trivial, "{source}");
    }
    let reading = read_one("@object() class App { @func() name = \"x\" }");
    let made = main_object(&reading)
        .constructor
        .as_ref()
        .expect("gives the first value");
    assert!(made.args.is_empty() && !made.trivial);
}

#[test]
fn types_come_from_other_files() {
    let sources = files(&[
        (
            "src/index.ts",
            "/** A module of parts. */\n@import@\nimport { Part as Piece, type Options } from \"./parts/index.js\"\nimport * as kinds from \"./kinds\"\nexport { Extra } from \"./extra.ts\"\n@object()\nexport class App extends Base {\n @func() part(options: Options, kind: kinds.Kind = kinds.Kind.A): Piece { return new Piece() }\n}\nimport { Base } from \"./base\"\n",
        ),
        (
            "src/parts/index.ts",
            "export * from \"./part\"\nexport type { Options } from './options'",
        ),
        (
            "src/parts/part.ts",
            "@import@\n@object() export class Part { @func() name: string = \"p\" }",
        ),
        (
            "src/parts/options.ts",
            "export interface Options { deep: boolean }",
        ),
        ("src/kinds.ts", "export enum Kind { A, B = 5, C }"),
        (
            "src/base.ts",
            "import { func } from \"nsci\"\nexport abstract class Base { @func() hello(): string { return \"hi\" } }",
        ),
        (
            "src/extra.ts",
            "@import@\n@object() class Extra { @func() x(): void {} }\nexport { Extra }",
        ),
        ("src/extra.test.ts", "@import@\n@object() class Extra {}"),
        ("unrelated/program.ts", "@import@\n@object() class Other {}"),
    ]);
    let reading = reading(&sources);
    assert_eq!(reading.types.description, "A module of parts.");
    let names: Vec<_> = reading
        .types
        .objects
        .iter()
        .map(|object| object.name.as_str())
        .collect();
    assert_eq!(names, ["App", "Part", "Extra", "Options"]);
    let functions: Vec<_> = main_object(&reading)
        .functions
        .iter()
        .map(|function| function.api_name.as_str())
        .collect();
    assert_eq!(functions, ["hello", "part"]);
    let part = function(&reading, "part");
    assert_eq!(part.returns, object("Part"));
    assert_eq!(part.args[1].default, Some(json!("A")));
    let values: Vec<_> = reading.types.enums[0]
        .members
        .iter()
        .map(|member| (member.api_name.as_str(), member.value.as_str()))
        .collect();
    assert_eq!(values, [("A", "0"), ("B", "5"), ("C", "6")]);
    let scripts: BTreeMap<_, _> = reading.scripts.iter().cloned().collect();
    let index = &scripts["src/index.ts.mjs"];
    for import in [
        "./parts/index.ts.mjs",
        "./kinds.ts.mjs",
        "./extra.ts.mjs",
        "./base.ts.mjs",
    ] {
        assert!(
            index.contains(&format!("\"{import}\"")),
            "{import} in {index}"
        );
    }
    assert!(!index.contains("Options"), "{index}");
    assert!(scripts["src/parts/index.ts.mjs"].contains("./part.ts.mjs"));
}

#[test]
fn interfaces_have_functions() {
    let reading = read_one(
        r#"
export interface Runner extends Named { run: (image: string, deep?: boolean) => Promise<string>; quiet(): Runner }
interface Named { name: string; stop(): Promise<void> }
@object() class App { @func() use(runner: Runner): Promise<string> { return runner.run("x") } }
"#,
    );
    let runner = &reading.types.interfaces[0];
    let functions: Vec<_> = runner.functions.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(functions, ["name", "stop", "run", "quiet"]);
    assert_eq!(runner.functions[2].args.len(), 2);
    let kind = &function(&reading, "use").args[0].ty.kind;
    assert_eq!(
        *kind,
        TypeKind::Interface {
            name: "Runner".into()
        }
    );
    let description: Json = serde_json::from_str(&reading.scripts[0].1).expect("JSON");
    assert_eq!(description["interfaces"]["Runner"]["apiName"], "AppRunner");
}

/// One row for each mistake: source after the imports, what is said.
#[test]
fn mistakes_are_pointed_at() {
    for (source, said) in [
        (
            "@object() class App { @func() a(x): void {} }",
            "src/index.ts:2: argument `x` needs a type",
        ),
        (
            "@object() class App {\n@func() a() {}\n}",
            "src/index.ts:3: the result needs a type",
        ),
        (
            "@object() class App {\n@func() a(x: any): void {}\n}",
            "src/index.ts:3: `any` is not a type",
        ),
        (
            "@object() class App {\n@func() a(x: Map<string, string>): void {}\n}",
            "src/index.ts:3: `Map` is not a type",
        ),
        (
            "@object() class App {\n@func() a(x: string | number): void {}\n}",
            "src/index.ts:3: one of several types",
        ),
        (
            "@object() class App {\n@func() a({ x }: Directory): void {}\n}",
            "src/index.ts:3: an argument that is taken apart",
        ),
        (
            "@object() class App {\n@func() a(x: { b: string }): void {}\n}",
            "src/index.ts:3: an object type needs a name",
        ),
        (
            "class Other {}\n@object() class App { @func() a(): Other { return new Other() } }",
            "src/index.ts:3: class `Other` is no type",
        ),
        (
            "@object() class App {\n@func() private a(): void {}\n}",
            "src/index.ts:3: `a` is private",
        ),
        (
            "@object() class App {\n@func() static a(): void {}\n}",
            "src/index.ts:3: `a` is static",
        ),
        (
            "@object() class App {\n#count = 1\n@func() a(): void {}\n}",
            "src/index.ts:3: `#count` would be lost",
        ),
        (
            "@object() class App {\n@func() field\n}",
            "src/index.ts:3: `field` needs a type",
        ),
        (
            "@object() class App {\n@func({ colour: 'x' }) a(): void {}\n}",
            "src/index.ts:3: a function has no option `colour`",
        ),
        (
            "@object() class App {\n@func() a(@argument({ ignore: patterns() }) x: Directory): void {}\n}",
            "src/index.ts:3: `ignore` of `x` must be written out",
        ),
        (
            "@object() class App {\n@func() id(): string { return '' }\n}",
            "the API reserves the name `id`",
        ),
        (
            "@object() class App {\n@func( a(): void {}\n}",
            "src/index.ts:3: ",
        ),
        (
            "@object() class A { @func() a(): void {} }\n@object() class B { @func() b(): void {} }",
            "no main object",
        ),
        (
            "type A = B\ntype B = A\n@object() class App { @func() a(): A {} }",
            "the type refers to itself",
        ),
    ] {
        let error = error_of(source);
        assert!(error.contains(said), "{source}: {error}");
    }
}

#[test]
fn source_without_objects_is_told_apart_from_none() {
    let nothing = read("app", &files(&[("README.ts", "")]))
        .expect_err("invalid")
        .to_string();
    assert!(nothing.contains("src/index.ts"), "{nothing}");
    let plain = files(&[("index.ts", "import { dag } from \"@dagger.io/dagger\"\n")]);
    let plain = read("app", &plain).expect_err("invalid").to_string();
    assert!(
        plain.contains("index.ts:1: no class has `@object()`"),
        "{plain}"
    );
}

#[test]
fn scripts_are_what_node_runs() {
    let sources = files(&[
        (
            "index.ts",
            "@import@\nimport data from \"./data.json\"\nimport fs from \"node:fs\"\nimport { Kind } from \"./kind\"\nexport type { Shape } from \"./shape\"\n@object()\nclass App {\n  constructor(private readonly n: number = 1) {}\n  @func()\n  async it(@argument({ defaultPath: \".\" }) source: Directory, kind: Kind = Kind.A): Promise<string> {\n    return data + (await import(\"./late\")).x as string\n  }\n}\n",
        ),
        ("kind.ts", "export enum Kind { A = \"a\" }"),
        ("late.ts", "export const x: string = \"late\""),
        ("shape.ts", "export type Shape = { a: string }"),
    ]);
    let reading = reading(&sources);
    let scripts: BTreeMap<_, _> = reading.scripts.iter().cloned().collect();
    let names: Vec<_> = scripts.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            DESCRIPTION,
            "index.ts.mjs",
            "kind.ts.mjs",
            "late.ts.mjs",
            "shape.ts.mjs"
        ]
    );
    let index = &scripts["index.ts.mjs"];
    for part in [
        "from \"@dagger.io/dagger\"",
        "with { type: \"json\" }",
        "import(\"./late.ts.mjs\")",
        "babelHelpers.decorate",
        "babelHelpers.decorateParam",
        "this.n = n",
        "sourceMappingURL=data:application/json",
    ] {
        assert!(index.contains(part), "no {part} in {index}");
    }
    for part in ["Directory", "node:fs", "shape", ": number", "as string"] {
        assert!(!index.contains(part), "{part} in {index}");
    }
}

#[test]
fn only_files_that_matter_are_collected() {
    for (path, relevant) in [
        ("index.ts", true),
        ("src/a/b.mts", true),
        ("src/old.js", true),
        ("package.json", true),
        ("tsconfig.json", true),
        ("src/package.json", false),
        ("node_modules/x/index.ts", false),
        ("sdk/index.ts", false),
        ("__dagger.entrypoint.ts", false),
        (".git/x.ts", false),
        ("README.md", false),
    ] {
        assert_eq!(is_relevant(path), relevant, "{path}");
    }
}
