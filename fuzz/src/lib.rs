//! What the fuzz targets do with their input: everything that strangers write and nsci parses.
//!
//! A target panics when a promise is broken; that input is refused is fine.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, LazyLock};

use nsci::config::{self, AllowRule, Amount, Config};
use nsci::engine::EnvFile;
use nsci::module::{ModuleConfig, ModuleReference, python as python_module};
use nsci::objects;
use nsci::schema::gql::{
    Backend, Executor, FieldError, Registry, Request, Resolved, Schema, View, parse_type,
};
use nsci::source::reference::{ImageRef, Reference};
use nsci_snapshotter::pattern::Filter;
use serde_json::Value;

/// A target.
pub type Target = fn(&[u8]);

/// Every target by the name of its directory of seeds.
pub const TARGETS: [(&str, Target); 5] = [
    ("graphql", graphql),
    ("patterns", patterns),
    ("references", references),
    ("configuration", configuration),
    ("python", python),
];

/// The root of the small API.
#[derive(Clone, Debug)]
pub struct Root;

/// A number with fields.
#[derive(Clone, Debug)]
pub struct Item(i64);

objects! {
    /// The objects of the small API.
    #[derive(Clone, Debug)]
    pub enum Object {
        /// The root.
        Query(Root),
        /// A number.
        Item(Item),
    }
}

/// An engine without anything behind it.
#[derive(Debug)]
pub struct Door;

impl Backend for Door {
    type Object = Object;
    type Client = ();

    fn type_name<'a>(&self, object: &'a Object) -> &'a str {
        object.type_name()
    }

    fn id(&self, (): &(), object: &Object) -> Result<String, FieldError> {
        Ok(match object {
            Object::Query(Root) => "Query".to_owned(),
            Object::Item(Item(number)) => format!("Item:{number}"),
        })
    }

    fn load(&self, (): &(), id: &str) -> Result<Object, FieldError> {
        let number = id
            .strip_prefix("Item:")
            .and_then(|number| number.parse().ok());
        let number = number.ok_or_else(|| FieldError::new("unknown id"))?;
        Ok(Object::Item(Item(number)))
    }
}

fn schema() -> Arc<Schema<Door>> {
    let mut registry = Registry::<Door>::new();
    registry
        .enumeration("Color")
        .value("RED", "Red.")
        .value_with("GREEN", "Green.", |value| {
            value.alias_before("Green", (0, 18, 11))
        });
    registry
        .input("Pair")
        .field("a: Int!", "A.")
        .field("b: [String!] = [\"x\"]", "B.");
    registry
        .object::<Item>("Item")
        .field("number", "Int!", |f| f.resolve(|_, this, _| Ok(this.0)))
        .field("next", "Item!", |f| {
            f.arg("by: Int = 1", "How far.").resolve(|_, this, args| {
                Ok(Item(
                    this.0
                        .wrapping_add(args.get::<Option<i64>>("by")?.unwrap_or(1)),
                ))
            })
        })
        .field("twins", "[Item!]!", |f| {
            f.resolve(|_, this, _| {
                // Few enough that no nesting makes many.
                let count = if (0..8).contains(&this.0) { 2 } else { 0 };
                Ok(Resolved::objects(
                    (0..count).map(|n| Item(this.0 * 2 + n + 1)),
                ))
            })
        })
        .field("given", "JSON!", |f| {
            f.arg("text: String", "Text.")
                .arg("color: Color = RED", "Enum.")
                .arg("colors: [Color!]", "Enums.")
                .arg("pair: Pair", "Input.")
                .arg("lists: [[Int!]]", "Lists.")
                .arg("json: JSON", "JSON.")
                .arg("fraction: Float", "Fraction.")
                .arg("yes: Boolean = false", "Boolean.")
                .resolve(|_, _, args| Ok(Value::Object(args.as_map().clone()).to_string()))
        })
        .field("maybe", "Item", |f| {
            f.resolve(|_, this, _| Ok(Resolved::optional((this.0 > 0).then(|| Item(this.0 - 1)))))
        })
        .field("later", "Item!", |f| {
            f.resolve_async(|_, this, _| async move { Ok(Resolved::object(this)) })
        })
        .field("fails", "String!", |f| {
            f.resolve(|_, this, _| Err::<String, _>(FieldError::new(format!("{} fails", this.0))))
        });
    registry.query::<Root>().field("item", "Item!", |f| {
        f.arg("number: Int = 0", "Number.")
            .arg("id: ItemID", "Id.")
            .resolve(|ctx, _, args| {
                let known: Option<Item> = ctx.optional_object(args, "id")?;
                let number = args.get::<Option<i64>>("number")?.unwrap_or_default();
                Ok(known.unwrap_or(Item(number)))
            })
    });
    Schema::build(registry).expect("the small API is sound")
}

/// Requests: a document, and after a zero byte its variables. Every answer is JSON, twice the same, with data exactly
/// when something ran.
pub fn graphql(data: &[u8]) {
    static SCHEMA: LazyLock<Arc<Schema<Door>>> = LazyLock::new(schema);
    let mut parts = data.splitn(2, |byte| *byte == 0);
    let query = String::from_utf8_lossy(parts.next().unwrap_or_default()).into_owned();
    let variables = parts
        .next()
        .and_then(|text| serde_json::from_slice(text).ok());
    // Types are written the same way in declarations.
    if let Ok(ty) = parse_type(&query) {
        assert_eq!(parse_type(&ty.to_string()).as_ref(), Ok(&ty), "{query:?}");
    }
    let request = Request {
        variables,
        ..Request::new(query)
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .expect("a thread is enough");
    for view in [View::new(0, 9, 3), View::LATEST] {
        let root = Object::Query(Root);
        let executor = Executor::new(
            Arc::clone(&SCHEMA),
            Arc::new(Door),
            Arc::new(()),
            view,
            root,
        );
        let first = runtime.block_on(executor.execute(&request));
        let second = runtime.block_on(executor.execute(&request));
        assert!(first == second, "two answers to {request:?}");
        let answer: Value = serde_json::from_slice(&first.body).expect("an answer is JSON");
        let errors = answer.get("errors").and_then(Value::as_array);
        assert!(answer.get("data").is_some(), "{request:?}");
        assert!(
            first.executed || errors.is_some_and(|errors| !errors.is_empty()),
            "{request:?}"
        );
    }
}

/// Include and exclude patterns: a path in the first line, then patterns, excluding ones behind a `-`.
pub fn patterns(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let mut lines = text.lines();
    let path = lines.next().unwrap_or_default().to_owned();
    let (exclude, include): (Vec<&str>, Vec<&str>) = lines.partition(|line| line.starts_with('-'));
    let include: Vec<String> = include.into_iter().map(str::to_owned).collect();
    let exclude: Vec<String> = exclude
        .into_iter()
        .map(|line| line[1..].to_owned())
        .collect();
    let Ok(filter) = Filter::new(&include, &exclude) else {
        return;
    };
    let same = Filter::new(&include, &exclude).expect("it was read once");
    for is_dir in [false, true] {
        let verdict = |filter: &Filter| format!("{:?}", filter.check(Path::new(&path), is_dir));
        assert_eq!(verdict(&filter), verdict(&same), "{path:?}");
    }
    assert_eq!(filter.fingerprint(), same.fingerprint());
    assert_eq!(filter.takes_all(), same.takes_all());
}

/// References to images and modules: what is read can be written and read again.
pub fn references(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Ok(reference) = Reference::parse(&text) {
        let written = reference.to_string();
        assert_eq!(
            Reference::parse(&written).as_ref(),
            Ok(&reference),
            "{text:?} {written:?}"
        );
    }
    if let Ok(image) = ImageRef::parse(&text) {
        let written = image.to_string();
        assert_eq!(
            ImageRef::parse(&written).as_ref(),
            Ok(&image),
            "{text:?} {written:?}"
        );
    }
    if let Ok(platform) = text.parse::<nsci::source::Platform>() {
        let written = platform.to_string();
        assert_eq!(written.parse().ok(), Some(platform), "{text:?}");
    }
    for is_directory in [false, true] {
        ModuleReference::parse(&text, is_directory).ok();
    }
}

/// Everything that is written in files, variables and flags.
pub fn configuration(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    Config::parse(&text, "config.toml").ok();
    for name in ["dagger.json", "dagger-module.toml"] {
        ModuleConfig::parse(Path::new(name), &text).ok();
    }
    EnvFile::parse(&text).ok();
    config::parse_duration(&text).ok();
    config::parse_mirrors(&text).ok();
    text.parse::<AllowRule>().ok();
    text.parse::<Amount>().ok();
    if let Ok(view) = text.parse::<View>() {
        assert_eq!(view.to_string().parse(), Ok(view), "{text:?}");
    }
    drop(nsci_runtime::idmap::parse_subordinate(
        &text,
        Some("user"),
        1000,
    ));
    drop(nsci_runtime::idmap::parse_id_map(&text));
}

/// A module's source.
pub fn python(data: &[u8]) {
    let text = String::from_utf8_lossy(data).into_owned();
    let files = BTreeMap::from([("main.py".to_owned(), text)]);
    python_module::read("module", &files).ok();
}
