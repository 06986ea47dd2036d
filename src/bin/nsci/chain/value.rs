//! What a flag's text means, by the type of the argument it stands for.
//!
//! Scalars become GraphQL literals at once. Objects become an [`Address`], which a request turns into
//! an id before the chain runs. Nothing here does I/O.

use std::collections::HashMap;

use nsci::schema::gql::{ArgDef, ScalarKind, TypeKind, TypeRef, TypeTable, View};
use serde_json::Value;

use crate::args::flag::{boolean, nearest};
use crate::report::Failure;

/// How the texts of one argument's flag are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A platform; `current` is this machine's.
    Platform,
    /// A whole number.
    Int,
    /// A number.
    Float,
    /// True or false.
    Bool,
    /// JSON.
    Json,
    /// One of some names.
    Enum(Vec<String>),
    /// An object, given by an address.
    Object(String),
    /// A structured argument: `front:back`, `name=value` or JSON.
    Input(String),
    /// Several, separated by commas or in several flags.
    List(Box<Self>),
}

/// The value of an argument.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Given {
    /// As it stands in the query.
    Literal(String),
    /// An object still to be resolved.
    Object(Address),
    /// A list of them.
    List(Vec<Self>),
}

/// An object by address: the query that gives its id, and the keys that lead to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    /// Selection on the root, such as `host{directory(path:"."){id}}`.
    pub(crate) selection: String,
    /// Keys from the selection's own to the id.
    pub(crate) path: Vec<&'static str>,
}

/// What the texts of flags are read against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Surroundings<'a> {
    /// Types of the API.
    pub(crate) types: &'a TypeTable,
    /// Version of the API.
    pub(crate) view: View,
    /// The user's environment; only asked whether a name exists.
    pub(crate) env: &'a HashMap<String, String>,
}

/// Objects that a flag can name.
const ADDRESSABLE: [&str; 11] = [
    "CacheVolume",
    "Container",
    "Directory",
    "File",
    "GitRef",
    "GitRepository",
    "Module",
    "ModuleSource",
    "Secret",
    "Service",
    "Socket",
];

impl Kind {
    /// How the flag of an argument is read; `None` if no text can stand for it.
    pub(crate) fn of(arg: &ArgDef, types: &TypeTable, view: View) -> Option<Self> {
        Self::of_type(&arg.ty, arg.expected.as_deref(), types, view)
    }

    fn of_type(
        ty: &TypeRef,
        expected: Option<&str>,
        types: &TypeTable,
        view: View,
    ) -> Option<Self> {
        let name = match ty.nullable() {
            TypeRef::List(inner) => {
                let inner = Self::of_type(inner, expected, types, view)?;
                let nested = matches!(inner, Self::List(_));
                return (!nested).then(|| Self::List(Box::new(inner)));
            }
            TypeRef::Named(name) => name,
            TypeRef::NonNull(_) => return None,
        };
        let object = |name: &str| {
            ADDRESSABLE
                .contains(&name)
                .then(|| Self::Object(name.to_owned()))
        };
        match &types.get(name)?.kind {
            TypeKind::Scalar(scalar) => match scalar {
                ScalarKind::String => Some(Self::Text),
                ScalarKind::Text if name == "Platform" => Some(Self::Platform),
                ScalarKind::Text => Some(Self::Text),
                ScalarKind::Int => Some(Self::Int),
                ScalarKind::Float => Some(Self::Float),
                ScalarKind::Boolean => Some(Self::Bool),
                ScalarKind::Json => Some(Self::Json),
                ScalarKind::Id => object(expected.unwrap_or(name)),
                ScalarKind::Void => None,
            },
            TypeKind::Enum { values } => {
                let shown = values
                    .iter()
                    .filter(|value| !value.marks.hidden && value.marks.views.contains(view));
                Some(Self::Enum(
                    shown.map(|value| value.name.to_string()).collect(),
                ))
            }
            TypeKind::Input { .. } => Some(Self::Input(name.to_string())),
            TypeKind::Object { .. } => object(name),
            TypeKind::Interface { .. } => None,
        }
    }

    /// Whether the flag stands alone.
    pub(crate) fn is_switch(&self) -> bool {
        *self == Self::Bool
    }

    /// The word for the value in the help.
    pub(crate) fn word(&self) -> String {
        match self {
            Self::Text => "TEXT".to_owned(),
            Self::Platform => "PLATFORM".to_owned(),
            Self::Int => "INT".to_owned(),
            Self::Float => "NUMBER".to_owned(),
            Self::Bool => String::new(),
            Self::Json => "JSON".to_owned(),
            Self::Enum(names) => names.join("|"),
            Self::Object(name) => match name.as_str() {
                "Container" => "IMAGE".to_owned(),
                "Directory" => "DIR".to_owned(),
                "CacheVolume" => "NAME".to_owned(),
                other => other.to_ascii_uppercase(),
            },
            Self::Input(name) => match name.as_str() {
                "PortForward" => "FRONTEND:BACKEND".to_owned(),
                "BuildArg" | "PipelineLabel" => "NAME=VALUE".to_owned(),
                _ => "JSON".to_owned(),
            },
            Self::List(of) => format!("{},…", of.word()),
        }
    }

    /// Reads the texts given for one argument, in order; all but a list take the last.
    ///
    /// # Errors
    /// If a text is no such value; the message names the flag.
    pub(crate) fn read(
        &self,
        flag: &str,
        texts: &[String],
        around: Surroundings<'_>,
    ) -> Result<Given, Failure> {
        if let Self::List(of) = self {
            let mut items = Vec::new();
            for text in texts {
                let parts = match **of {
                    Self::Json => vec![text.clone()],
                    Self::Input(_) if text.starts_with('{') => vec![text.clone()],
                    _ => split(text),
                };
                for part in parts {
                    items.push(of.read_one(flag, &part, around)?);
                }
            }
            return Ok(Given::List(items));
        }
        let text = texts.last().map_or("", String::as_str);
        self.read_one(flag, text, around)
    }

    fn read_one(&self, flag: &str, text: &str, around: Surroundings<'_>) -> Result<Given, Failure> {
        let refuse = |what: &str| {
            Failure::usage(format!(
                "invalid value `{text}` for --{flag}: expected {what}"
            ))
        };
        let literal = match self {
            Self::Text => quote(text),
            Self::Platform if text == "current" => {
                quote(&nsci::source::Platform::host().to_string())
            }
            Self::Platform => quote(text),
            Self::Int => text
                .trim()
                .parse::<i64>()
                .map_err(|_| refuse("a whole number"))?
                .to_string(),
            Self::Float => match text.trim().parse::<f64>() {
                Ok(number) if number.is_finite() => Value::from(number).to_string(),
                _ => return Err(refuse("a number")),
            },
            Self::Bool => boolean(&format!("--{flag}"), text)?.to_string(),
            Self::Json => match serde_json::from_str::<Value>(text) {
                Ok(_) => quote(text),
                Err(error) => return Err(refuse(&format!("JSON ({error})"))),
            },
            Self::Enum(names) => return enum_value(flag, text, names).map(Given::Literal),
            Self::Input(name) => return input(name, text, &refuse).map(Given::Literal),
            Self::Object(name) => return address(name, flag, text, around).map(Given::Object),
            Self::List(_) => return Err(refuse("a list inside of a list")),
        };
        Ok(Given::Literal(literal))
    }
}

fn enum_value(flag: &str, text: &str, names: &[String]) -> Result<String, Failure> {
    let wanted = nsci::module::names::enum_member(text);
    let same = |name: &&String| {
        name.eq_ignore_ascii_case(text) || nsci::module::names::enum_member(name) == wanted
    };
    if let Some(name) = names.iter().find(same) {
        return Ok(name.clone());
    }
    let failure = Failure::usage(format!(
        "invalid value `{text}` for --{flag}: expected one of {}",
        names.join(", ")
    ));
    Err(match nearest(&wanted, names.iter().map(String::as_str)) {
        Some(near) => failure.hint(format!("did you mean `{near}`?")),
        None => failure,
    })
}

fn input(name: &str, text: &str, refuse: &dyn Fn(&str) -> Failure) -> Result<String, Failure> {
    match name {
        "PortForward" if !text.starts_with('{') => {
            let port = |text: &str| text.parse::<u16>().ok();
            let pair = match text.split_once(':') {
                Some((front, back)) => port(front).zip(port(back)),
                None => port(text).map(|port| (port, port)),
            };
            let (front, back) = pair.ok_or_else(|| refuse("FRONTEND:BACKEND, such as 8080:80"))?;
            Ok(format!("{{frontend:{front},backend:{back}}}"))
        }
        "BuildArg" | "PipelineLabel" if !text.starts_with('{') => {
            let (name, value) = text.split_once('=').ok_or_else(|| refuse("NAME=VALUE"))?;
            Ok(format!("{{name:{},value:{}}}", quote(name), quote(value)))
        }
        _ => match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => Ok(literal(&value)),
            _ => Err(refuse("a JSON object")),
        },
    }
}

fn address(
    object: &str,
    flag: &str,
    text: &str,
    around: Surroundings<'_>,
) -> Result<Address, Failure> {
    let refuse = |why: &str| Failure::usage(format!("cannot use `{text}` for --{flag}: {why}"));
    let root = |field: &'static str, args: String| Address {
        selection: format!("{field}({args}){{id}}"),
        path: vec![field, "id"],
    };
    let host = |field: &'static str, args: String| Address {
        selection: format!("host{{{field}({args}){{id}}}}"),
        path: vec!["host", field, "id"],
    };
    if text.is_empty() {
        return Err(refuse("it is empty"));
    }
    match object {
        "Directory" | "File" if is_git(text) => {
            in_repository(object, text).ok_or_else(|| refuse("name the file: URL#REF:PATH"))
        }
        "GitRepository" | "GitRef" => Ok(by_address(object, text)),
        "ModuleSource" => Ok(root("moduleSource", format!("refString:{}", quote(text)))),
        "Module" => Ok(Address {
            selection: format!("moduleSource(refString:{}){{asModule{{id}}}}", quote(text)),
            path: vec!["moduleSource", "asModule", "id"],
        }),
        "Directory" => Ok(host("directory", format!("path:{}", quote(local(text))))),
        "File" => Ok(host("file", format!("path:{}", quote(local(text))))),
        "Container" => Ok(Address {
            selection: format!("container{{from(address:{}){{id}}}}", quote(text)),
            path: vec!["container", "from", "id"],
        }),
        "CacheVolume" => Ok(root("cacheVolume", format!("key:{}", quote(text)))),
        "Secret" => Ok(secret(text, around)),
        "Socket" => {
            let path = text.strip_prefix("unix://").unwrap_or(text);
            Ok(host("unixSocket", format!("path:{}", quote(path))))
        }
        "Service" => service(text)
            .ok_or_else(|| refuse("expected tcp://HOST:PORT or udp://HOST:PORT"))
            .map(|(name, port, protocol)| {
                let ports = format!("[{{frontend:{port},backend:{port},protocol:{protocol}}}]");
                host("service", format!("host:{},ports:{ports}", quote(name)))
            }),
        _ => Err(refuse("no text can name such an object")),
    }
}

/// A directory or file of a repository: `URL[#REF[:PATH]]`. `None` if it has no path and a file is wanted.
fn in_repository(object: &str, text: &str) -> Option<Address> {
    let (url, fragment) = text.split_once('#').unwrap_or((text, ""));
    let (name, path) = fragment.split_once(':').unwrap_or((fragment, ""));
    let name = if name.is_empty() { "HEAD" } else { name };
    let part = match (object, path.trim_matches('/')) {
        ("Directory", "") => None,
        ("Directory", path) => Some(("directory", path)),
        (_, "") => return None,
        (_, path) => Some(("file", path)),
    };
    let mut keys = vec!["git", "ref", "tree"];
    let mut leaf = "id".to_owned();
    if let Some((field, path)) = part {
        keys.push(field);
        leaf = format!("{field}(path:{}){{id}}", quote(path));
    }
    keys.push("id");
    let (url, name) = (quote(url), quote(name));
    Some(Address {
        selection: format!("git(url:{url}){{ref(name:{name}){{tree{{{leaf}}}}}}}"),
        path: keys,
    })
}

/// What the API makes of an address by itself.
fn by_address(object: &str, text: &str) -> Address {
    let field = match object {
        "GitRef" => "gitRef",
        _ => "gitRepository",
    };
    Address {
        selection: format!("address(value:{}){{{field}{{id}}}}", quote(text)),
        path: vec!["address", field, "id"],
    }
}

fn service(text: &str) -> Option<(&str, u16, &'static str)> {
    let (protocol, rest) = match text.split_once("://")? {
        ("tcp", rest) => ("TCP", rest),
        ("udp", rest) => ("UDP", rest),
        _ => return None,
    };
    let (name, port) = rest.rsplit_once(':')?;
    Some((name, port.parse().ok()?, protocol))
}

/// Secrets by address; `env:NAME` and a bare name are older spellings.
fn secret(text: &str, around: Surroundings<'_>) -> Address {
    // Before 0.10 the flag's text was the secret itself.
    let plain_text = around.view < View::new(0, 10, 0) && !around.env.contains_key(text);
    let uri = match text.split_once(':') {
        Some((_, rest)) if rest.starts_with("//") => text.to_owned(),
        Some((scheme @ ("env" | "file" | "cmd"), rest)) => format!("{scheme}://{rest}"),
        _ if plain_text => {
            let name = format!("flag-{}", &blake3::hash(text.as_bytes()).to_hex()[..16]);
            return Address {
                selection: format!(
                    "setSecret(name:{},plaintext:{}){{id}}",
                    quote(&name),
                    quote(text)
                ),
                path: vec!["setSecret", "id"],
            };
        }
        _ => format!("env://{text}"),
    };
    Address {
        selection: format!("secret(uri:{}){{id}}", quote(&uri)),
        path: vec!["secret", "id"],
    }
}

fn local(text: &str) -> &str {
    text.strip_prefix("file://").unwrap_or(text)
}

fn is_git(text: &str) -> bool {
    ["https://", "http://", "ssh://", "git://", "git@"]
        .iter()
        .any(|start| text.starts_with(start))
}

/// A text as GraphQL literal; JSON's escapes are all GraphQL's too.
pub(crate) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// A JSON value as GraphQL literal: the keys of objects lose their quotes.
pub(crate) fn literal(value: &Value) -> String {
    match value {
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(literal).collect();
            format!("[{}]", items.join(","))
        }
        Value::Object(fields) => {
            let fields: Vec<String> = fields
                .iter()
                .map(|(name, value)| format!("{name}:{}", literal(value)))
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        other => other.to_string(),
    }
}

/// Splits at commas outside of double quotes; a doubled quote inside of quotes is a quote.
fn split(text: &str) -> Vec<String> {
    if text.is_empty() {
        return Vec::new();
    }
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let part = parts.last_mut().expect("there is always one");
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => part.push('"'),
            '"' if quoted => quoted = false,
            // Quotes count at the start of a part only, so that `say "hi"` keeps them.
            '"' if part.is_empty() => quoted = true,
            ',' if !quoted => parts.push(String::new()),
            c => part.push(c),
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &Kind, texts: &[&str]) -> Result<Given, String> {
        read_as(kind, texts, View::LATEST)
    }

    fn read_as(kind: &Kind, texts: &[&str], view: View) -> Result<Given, String> {
        let texts: Vec<String> = texts.iter().map(|&text| text.to_owned()).collect();
        let env = HashMap::from([("TOKEN".to_owned(), "x".to_owned())]);
        let types = TypeTable::default();
        let around = Surroundings {
            types: &types,
            view,
            env: &env,
        };
        kind.read("x", &texts, around)
            .map_err(|failure| failure.text(false))
    }

    fn list(of: Kind) -> Kind {
        Kind::List(Box::new(of))
    }

    #[test]
    fn scalars_become_literals() {
        let level = Kind::Enum(vec!["LOW".into(), "VERY_HIGH".into()]);
        for (kind, text, wanted) in [
            (Kind::Text, "a \"b\"\n", r#""a \"b\"\n""#),
            (Kind::Text, "", r#""""#),
            (Kind::Int, "-7", "-7"),
            (Kind::Float, "1.5", "1.5"),
            (Kind::Bool, "true", "true"),
            (Kind::Bool, "0", "false"),
            (Kind::Json, "{\"a\":1}", r#""{\"a\":1}""#),
            (level.clone(), "low", "LOW"),
            (level, "very-high", "VERY_HIGH"),
            (
                Kind::Input("PortForward".into()),
                "8080:80",
                "{frontend:8080,backend:80}",
            ),
            (
                Kind::Input("BuildArg".into()),
                "A=b=c",
                r#"{name:"A",value:"b=c"}"#,
            ),
            (
                Kind::Input("Other".into()),
                r#"{"a":[1,{"b":"c"}]}"#,
                r#"{a:[1,{b:"c"}]}"#,
            ),
        ] {
            assert_eq!(
                read(&kind, &[text]),
                Ok(Given::Literal(wanted.into())),
                "{text}"
            );
        }
    }

    #[test]
    fn mistakes_name_flag_and_value() {
        let level = Kind::Enum(vec!["LOW".into(), "HIGH".into()]);
        for (kind, text, wanted) in [
            (
                Kind::Int,
                "1.5",
                "invalid value `1.5` for --x: expected a whole number",
            ),
            (
                Kind::Float,
                "much",
                "invalid value `much` for --x: expected a number",
            ),
            (
                Kind::Float,
                "inf",
                "invalid value `inf` for --x: expected a number",
            ),
            (
                Kind::Bool,
                "maybe",
                "`maybe` is neither true nor false: --x",
            ),
            (
                level.clone(),
                "hig",
                "invalid value `hig` for --x: expected one of LOW, HIGH\nhint: did you mean `HIGH`?",
            ),
            (
                Kind::Object("Directory".into()),
                "",
                "cannot use `` for --x: it is empty",
            ),
            (
                Kind::Object("Service".into()),
                "db:5432",
                "cannot use `db:5432` for --x: expected tcp://HOST:PORT or udp://HOST:PORT",
            ),
        ] {
            assert_eq!(
                read(&kind, &[text]).unwrap_err(),
                format!("Error: {wanted}\n")
            );
        }
    }

    #[test]
    fn lists_are_split_and_repeated() {
        let texts = |items: &[&str]| {
            Given::List(
                items
                    .iter()
                    .map(|item| Given::Literal(quote(item)))
                    .collect(),
            )
        };
        for (given, wanted) in [
            (&["a,b", "c"][..], &["a", "b", "c"][..]),
            (&["\"a,b\",c"], &["a,b", "c"]),
            (&["\"say \"\"hi\"\"\""], &["say \"hi\""]),
            (&["say \"hi\""], &["say \"hi\""]),
            (&["a,,b"], &["a", "", "b"]),
            (&[""], &[]),
        ] {
            assert_eq!(
                read(&list(Kind::Text), given),
                Ok(texts(wanted)),
                "{given:?}"
            );
        }
        assert!(read(&list(Kind::Int), &["1,x"]).is_err());
    }

    #[test]
    fn objects_become_addresses() {
        for (object, text, wanted) in [
            ("Directory", ".", r#"host{directory(path:"."){id}}"#),
            (
                "Directory",
                "file:///a",
                r#"host{directory(path:"/a"){id}}"#,
            ),
            ("File", "~/x", r#"host{file(path:"~/x"){id}}"#),
            (
                "Directory",
                "https://github.com/x/y#main:sub",
                r#"git(url:"https://github.com/x/y"){ref(name:"main"){tree{directory(path:"sub"){id}}}}"#,
            ),
            (
                "ModuleSource",
                "./ci",
                r#"moduleSource(refString:"./ci"){id}"#,
            ),
            (
                "Container",
                "alpine:3",
                r#"container{from(address:"alpine:3"){id}}"#,
            ),
            ("CacheVolume", "go", r#"cacheVolume(key:"go"){id}"#),
            ("Secret", "env://T", r#"secret(uri:"env://T"){id}"#),
            ("Secret", "env:T", r#"secret(uri:"env://T"){id}"#),
            ("Secret", "TOKEN", r#"secret(uri:"env://TOKEN"){id}"#),
            (
                "Secret",
                "cmd:echo a:b",
                r#"secret(uri:"cmd://echo a:b"){id}"#,
            ),
            ("Secret", "op://v/i/f", r#"secret(uri:"op://v/i/f"){id}"#),
            (
                "Socket",
                "/run/x.sock",
                r#"host{unixSocket(path:"/run/x.sock"){id}}"#,
            ),
            (
                "Service",
                "tcp://db:5432",
                r#"host{service(host:"db",ports:[{frontend:5432,backend:5432,protocol:TCP}]){id}}"#,
            ),
        ] {
            let Ok(Given::Object(address)) = read(&Kind::Object(object.into()), &[text]) else {
                panic!("{object} {text} is no address");
            };
            assert_eq!(address.selection, wanted);
            assert_eq!(address.path.last(), Some(&"id"));
        }
    }

    #[test]
    fn bare_secret_was_plaintext_before_0_10() {
        let kind = Kind::Object("Secret".into());
        let old = |text| match read_as(&kind, &[text], View::new(0, 9, 3)) {
            Ok(Given::Object(address)) => address.selection,
            other => panic!("{other:?}"),
        };
        assert!(old("hunter2").starts_with("setSecret(name:\"flag-"));
        assert!(old("hunter2").ends_with("plaintext:\"hunter2\"){id}"));
        assert_eq!(old("TOKEN"), r#"secret(uri:"env://TOKEN"){id}"#);
    }
}
