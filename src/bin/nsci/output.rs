//! Results as they are printed.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use serde_json::Value;

use crate::chain::query::Leaf;
use crate::report::Failure;

/// What a command has to say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Output {
    /// The result, for standard output.
    pub(crate) text: String,
    /// A remark, for standard error.
    pub(crate) remark: String,
}

impl Output {
    /// A result alone.
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            remark: String::new(),
        }
    }

    /// Prints it.
    ///
    /// # Errors
    /// If standard output cannot be written.
    pub(crate) fn print(&self) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(self.text.as_bytes())
            .and_then(|()| out.flush())
            .map_err(|error| Failure::output(&error))?;
        if !self.remark.is_empty() {
            writeln!(io::stderr(), "{}", self.remark).ok();
        }
        Ok(())
    }
}

/// JSON as people read it: indented by four.
pub(crate) fn pretty(value: &Value) -> String {
    let mut out = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, indent);
    serde::Serialize::serialize(value, &mut serializer).expect("a JSON value can be written");
    let mut text = String::from_utf8(out).expect("JSON is UTF-8");
    text.push('\n');
    text
}

/// The value of a chain as text. `type_name` is the API's name of what the chain ends with.
pub(crate) fn result(leaf: &Leaf, type_name: &str, value: &Value, json: bool) -> String {
    match leaf {
        Leaf::Void | Leaf::Export { .. } => String::new(),
        _ if json => pretty(&shown(leaf, type_name, value)),
        Leaf::Scalar => plain(value),
        Leaf::Sync | Leaf::Id => named(type_name, value),
        Leaf::Object { .. } => match value {
            Value::Array(items) => items.iter().map(|item| object(type_name, item)).collect(),
            item => object(type_name, item),
        },
    }
}

/// A value for `--json`: objects show what they are instead of their id.
fn shown(leaf: &Leaf, type_name: &str, value: &Value) -> Value {
    match (leaf, value) {
        (Leaf::Scalar | Leaf::Id, value) => value.clone(),
        (_, Value::Array(items)) => items
            .iter()
            .map(|item| shown(leaf, type_name, item))
            .collect(),
        (_, Value::Object(fields)) => {
            let mut shown = serde_json::Map::new();
            shown.insert("_type".into(), type_name.into());
            let fields = fields
                .iter()
                .filter(|(name, _)| *name != "id" && *name != "__typename");
            shown.extend(fields.map(|(name, value)| (name.clone(), value.clone())));
            Value::Object(shown)
        }
        (_, value) => value.clone(),
    }
}

/// An object on one line: its fields if they were asked for, else its name.
fn object(type_name: &str, value: &Value) -> String {
    let Value::Object(fields) = value else {
        return String::new();
    };
    let shown: Vec<String> = fields
        .iter()
        .filter(|(name, _)| *name != "id" && *name != "__typename")
        .map(|(name, value)| {
            format!(
                "{name}: {}",
                plain(value).trim_end_matches('\n').replace('\n', ", ")
            )
        })
        .collect();
    match (shown.is_empty(), fields.get("id")) {
        (false, _) => format!("{}\n", shown.join(", ")),
        (true, Some(id)) => named(type_name, id),
        (true, None) => format!("{type_name}\n"),
    }
}

/// An object by type and digest, as its id says them.
fn named(type_name: &str, id: &Value) -> String {
    let id = id.as_str().unwrap_or_default();
    let digest = id.split_once(':').map_or(id, |(_, digest)| digest);
    format!("{type_name}@{digest}\n")
}

/// A scalar as it is, a list with one element per line.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| plain(item) + "\n").collect(),
        other => other.to_string(),
    }
}

/// The text with an end of line for people; programs get it as it is.
pub(crate) fn for_terminal(mut text: String, is_terminal: bool) -> String {
    if is_terminal && !text.is_empty() && !text.ends_with('\n') {
        text.push('\n');
    }
    text
}

/// Writes a result to a file, making directories on the way.
///
/// # Errors
/// If it cannot be written.
pub(crate) fn save(path: &Path, shown: &str, text: &str) -> Result<Output, Failure> {
    let parents = path.parent().map_or(Ok(()), fs::create_dir_all);
    parents
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::failed(format!("cannot save to {shown}")).because(&error))?;
    Ok(Output {
        text: String::new(),
        remark: format!("Saved output to \"{shown}\"."),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn results_look_as_they_should() {
        let object = |fields: &[&str]| Leaf::Object {
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            idable: true,
        };
        for (leaf, name, value, json, wanted) in [
            (Leaf::Scalar, "String", json!("a\nb"), false, "a\nb"),
            (Leaf::Scalar, "Int", json!(3), false, "3"),
            (Leaf::Scalar, "Boolean", json!(true), false, "true"),
            (Leaf::Scalar, "String", json!(["a", "b"]), false, "a\nb\n"),
            (Leaf::Scalar, "String", json!(null), false, ""),
            (Leaf::Scalar, "String", json!("<a>"), true, "\"<a>\"\n"),
            (
                Leaf::Scalar,
                "String",
                json!(["a"]),
                true,
                "[\n    \"a\"\n]\n",
            ),
            (Leaf::Void, "Void", json!(null), true, ""),
            (
                Leaf::Sync,
                "Container",
                json!("Container:12ab"),
                false,
                "Container@12ab\n",
            ),
            (object(&[]), "Ci", json!({"id": "Ci:7"}), false, "Ci@7\n"),
            (
                object(&["name"]),
                "Ci",
                json!({"id": "Ci:7", "name": "x"}),
                true,
                "{\n    \"_type\": \"Ci\",\n    \"name\": \"x\"\n}\n",
            ),
            (
                object(&["name", "value"]),
                "EnvVariable",
                json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]),
                false,
                "name: A, value: 1\nname: B, value: 2\n",
            ),
        ] {
            assert_eq!(result(&leaf, name, &value, json), wanted, "{value} {json}");
        }
    }

    #[test]
    fn only_terminals_get_an_end_of_line() {
        for (text, terminal, wanted) in [
            ("a", true, "a\n"),
            ("a\n", true, "a\n"),
            ("", true, ""),
            ("a", false, "a"),
        ] {
            assert_eq!(for_terminal(text.into(), terminal), wanted);
        }
    }

    #[test]
    fn saving_makes_directories() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/c.txt");
        let output = save(&path, "a/b/c.txt", "text").unwrap();
        assert_eq!(output.remark, "Saved output to \"a/b/c.txt\".");
        assert_eq!(fs::read_to_string(path).unwrap(), "text");
    }
}
