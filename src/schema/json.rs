//! `JSONValue`: JSON taken apart and put together.

use super::{
    api::Api,
    gql::{FieldError, ObjectBuilder, Registry},
    object::{FileRef, JsonValue, Root},
};
use serde::Serialize as _;
use serde_json::{Map, Value};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry.query::<Root>().field("json", "JSONValue!", |f| {
        f.doc("The JSON value `null`, to be filled.")
            .resolve(|_, _, _| Ok(JsonValue(Value::Null)))
    });
    registry
        .object::<FileRef>("File")
        .field("asJSON", "JSONValue!", |f| {
            f.doc("The file's contents as JSON.")
                .resolve_async(|ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let text = engine.contents(&file, None, None).await?;
                    parse(&text).map_err(|error| {
                        FieldError::new(format!("{} is not JSON: {error}", file.name()))
                    })
                })
        });
    let mut json = registry.object::<JsonValue>("JSONValue");
    json.doc("A JSON value.");
    read(&mut json);
    write(&mut json);
}

fn parse(text: &str) -> Result<JsonValue, serde_json::Error> {
    serde_json::from_str(text).map(JsonValue)
}

fn read(json: &mut ObjectBuilder<'_, Api, JsonValue>) {
    json.field("contents", "JSON!", |f| {
        f.doc("The value as JSON text.")
            .arg("pretty: Boolean = false", "Break and indent lines.")
            .arg("indent: String = \"  \"", "What one level is indented by.")
            .resolve(|_, this, args| {
                let indent: String = args.get("indent")?;
                Ok(text(&this.0, args.flag("pretty").then_some(&*indent)))
            })
    })
    .field("asString", "String!", |f| {
        f.doc("The value, which must be a string.")
            .resolve(|_, this, _| {
                let text = this.0.as_str().map(str::to_owned);
                text.ok_or_else(|| no(&this.0, "a string"))
            })
    })
    .field("asInteger", "Int!", |f| {
        f.doc("The value, which must be a whole number.")
            .resolve(|_, this, _| this.0.as_i64().ok_or_else(|| no(&this.0, "an integer")))
    })
    .field("asBoolean", "Boolean!", |f| {
        f.doc("The value, which must be true or false.")
            .resolve(|_, this, _| this.0.as_bool().ok_or_else(|| no(&this.0, "a boolean")))
    })
    .field("asArray", "[JSONValue!]!", |f| {
        f.doc("The elements of the value, which must be an array.")
            .resolve(|_, this, _| {
                let elements = this.0.as_array().ok_or_else(|| no(&this.0, "an array"))?;
                Ok(elements.iter().cloned().map(JsonValue).collect::<Vec<_>>())
            })
    })
    .field("fields", "[String!]!", |f| {
        f.doc("The names in the value, which must be an object.")
            .resolve(|_, this, _| {
                let object = this.0.as_object().ok_or_else(|| no(&this.0, "an object"))?;
                Ok(object.keys().cloned().collect::<Vec<_>>())
            })
    })
    .field("field", "JSONValue!", |f| {
        f.doc("What is at a path of names.")
            .arg("path: [String!]!", "Names, outermost first.")
            .resolve(|_, this, args| {
                let path: Vec<String> = args.get("path")?;
                let found = path.iter().try_fold(&this.0, |value, name| value.get(name));
                let found = found.cloned().map(JsonValue);
                found.ok_or_else(|| FieldError::new(format!("no field {}", path.join("."))))
            })
    });
}

fn write(json: &mut ObjectBuilder<'_, Api, JsonValue>) {
    json.field("newString", "JSONValue!", |f| {
        f.doc("A string.")
            .arg("value: String!", "The string.")
            .resolve(|_, _, args| Ok(JsonValue(args.get::<String>("value")?.into())))
    })
    .field("newInteger", "JSONValue!", |f| {
        f.doc("A whole number.")
            .arg("value: Int!", "The number.")
            .resolve(|_, _, args| Ok(JsonValue(args.get::<i64>("value")?.into())))
    })
    .field("newBoolean", "JSONValue!", |f| {
        f.doc("True or false.")
            .arg("value: Boolean!", "Which.")
            .resolve(|_, _, args| Ok(JsonValue(args.get::<bool>("value")?.into())))
    })
    .field("withContents", "JSONValue!", |f| {
        f.doc("The value of a JSON text.")
            .arg("contents: JSON!", "The text.")
            .resolve(|_, _, args| {
                let contents: String = args.get("contents")?;
                parse(&contents)
                    .map_err(|error| FieldError::new(format!("contents is not JSON: {error}")))
            })
    })
    .field("withField", "JSONValue!", |f| {
        f.doc("Sets what is at a path; objects on the way are made.")
            .arg("path: [String!]!", "Names, outermost first.")
            .arg("value: JSONValueID!", "The value.")
            .resolve(|ctx, this, args| {
                let path: Vec<String> = args.get("path")?;
                let value: JsonValue = ctx.object(args, "value")?;
                let mut whole = this.0.clone();
                *place(&mut whole, &path)? = value.0;
                Ok(JsonValue(whole))
            })
    });
}

/// What is at a path, made if it is not there.
fn place<'v>(mut value: &'v mut Value, path: &[String]) -> Result<&'v mut Value, FieldError> {
    for name in path {
        if value.is_null() {
            *value = Value::Object(Map::new());
        }
        if !value.is_object() {
            return Err(FieldError::new(format!(
                "cannot set {}: there is {} on the way, not an object",
                path.join("."),
                text(value, None)
            )));
        }
        value = &mut value[name.as_str()];
    }
    Ok(value)
}

fn text(value: &Value, indent: Option<&str>) -> String {
    let Some(indent) = indent else {
        return value.to_string();
    };
    let mut out = Vec::new();
    let format = serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes());
    let mut writer = serde_json::Serializer::with_formatter(&mut out, format);
    value
        .serialize(&mut writer)
        .expect("JSON values can be written");
    String::from_utf8(out).expect("JSON is text")
}

fn no(value: &Value, wanted: &str) -> FieldError {
    let shown: String = text(value, None).chars().take(60).collect();
    FieldError::new(format!("{shown} is not {wanted}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_set_where_objects_are() {
        for (before, path, want) in [
            (json!(null), &["a", "b"][..], Some(json!({"a": {"b": 1}}))),
            (json!({"a": 2}), &["a"], Some(json!({"a": 1}))),
            (json!({"a": 2}), &["b"], Some(json!({"a": 2, "b": 1}))),
            (json!("x"), &[], Some(json!(1))),
            (json!({"a": 2}), &["a", "b"], None),
        ] {
            let path: Vec<String> = path.iter().map(ToString::to_string).collect();
            let mut value = before.clone();
            let done = place(&mut value, &path).map(|place| *place = json!(1));
            assert_eq!(done.is_ok().then_some(value), want, "{before} {path:?}");
        }
    }
}
