//! Text of command line flags as values of declared types.
//!
//! Main function: [`parse`]. Objects stay text, an address whose meaning depends on the type (a path, an
//! image, a secret's provider); making objects of addresses is up to the engine. Never looks at files,
//! the environment or the network.

use serde_json::Value as Json;

use super::typedef::{ModuleTypes, TypeKind, TypeRef};

/// What a flag's text stands for.
#[derive(Clone, Debug, PartialEq)]
pub enum FlagValue {
    /// A plain value, as a function call has it.
    Plain(Json),
    /// An object of the core API, by its address.
    Address {
        /// Type asked for, such as `Directory`.
        type_name: String,
        /// What was given, such as `.` or `env://TOKEN`.
        address: String,
    },
    /// A list.
    List(Vec<Self>),
}

/// Why a flag's text is no value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagError {
    /// The text is not of the type.
    #[error("`{text}` is not {expected}")]
    Invalid {
        /// What was given.
        text: String,
        /// What is accepted.
        expected: String,
    },
    /// No text can give a value of the type.
    #[error("values of type `{type_name}` cannot be given on the command line")]
    Unsupported {
        /// The type in the schema's notation.
        type_name: String,
    },
}

/// Whether a value of the type can be given on the command line at all.
pub fn is_supported(types: &ModuleTypes, ty: &TypeRef) -> bool {
    match &ty.kind {
        TypeKind::Void | TypeKind::Interface { .. } => false,
        TypeKind::Object { name } => types.object(name).is_none(),
        TypeKind::List { of } => {
            !matches!(of.kind, TypeKind::List { .. }) && is_supported(types, of)
        }
        _ => true,
    }
}

/// Words a flag of the type accepts; empty if they are not a closed set.
pub fn choices(types: &ModuleTypes, ty: &TypeRef) -> Vec<String> {
    match &ty.kind {
        TypeKind::Enum { name } => types.enum_type(name).map_or_else(Vec::new, |ty| {
            ty.members
                .iter()
                .map(|member| member.api_name.clone())
                .collect()
        }),
        TypeKind::List { of } => choices(types, of),
        _ => vec![],
    }
}

/// Understands what was given for a flag, in order; a flag that is no list takes the last.
///
/// # Errors
/// [`FlagError`] with the text and what is accepted.
pub fn parse(types: &ModuleTypes, ty: &TypeRef, given: &[String]) -> Result<FlagValue, FlagError> {
    if !is_supported(types, ty) {
        return Err(FlagError::Unsupported {
            type_name: ty.graphql(types),
        });
    }
    match &ty.kind {
        TypeKind::List { of } => {
            let elements = given.iter().flat_map(|text| split_list(text));
            elements
                .map(|text| one(types, of, &text))
                .collect::<Result<_, _>>()
                .map(FlagValue::List)
        }
        _ => one(types, ty, given.last().map_or("", String::as_str)),
    }
}

fn one(types: &ModuleTypes, ty: &TypeRef, text: &str) -> Result<FlagValue, FlagError> {
    let invalid = |expected: &str| FlagError::Invalid {
        text: text.to_owned(),
        expected: expected.to_owned(),
    };
    let plain = |value: Json| Ok(FlagValue::Plain(value));
    match &ty.kind {
        TypeKind::String | TypeKind::Scalar { .. } => plain(text.into()),
        TypeKind::Integer => plain(
            text.parse::<i64>()
                .map_err(|_| invalid("a whole number"))?
                .into(),
        ),
        TypeKind::Float => {
            let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
            plain(number.ok_or_else(|| invalid("a number"))?.into())
        }
        // A flag without a value arrives as empty text.
        TypeKind::Boolean => match text.to_ascii_lowercase().as_str() {
            "" | "true" | "t" | "1" => plain(true.into()),
            "false" | "f" | "0" => plain(false.into()),
            _ => Err(invalid("true or false")),
        },
        TypeKind::Enum { name } => match types.enum_type(name) {
            None => plain(text.into()),
            Some(ty) => {
                let same = |other: &str| other.eq_ignore_ascii_case(text);
                let member = ty.members.iter().find(|member| {
                    same(&member.api_name) || same(&member.name) || same(&member.value)
                });
                let names = || {
                    ty.members
                        .iter()
                        .map(|m| m.api_name.as_str())
                        .collect::<Vec<_>>()
                };
                let expected = || format!("one of {}", names().join(", "));
                let member = member.ok_or_else(|| invalid(&expected()))?;
                plain(member.name.as_str().into())
            }
        },
        TypeKind::Object { name } => Ok(FlagValue::Address {
            type_name: name.clone(),
            address: text.to_owned(),
        }),
        TypeKind::Void | TypeKind::Interface { .. } | TypeKind::List { .. } => {
            Err(FlagError::Unsupported {
                type_name: ty.graphql(types),
            })
        }
    }
}

/// Elements of a comma-separated list; a quoted element may contain commas, and doubled quotes.
fn split_list(text: &str) -> Vec<String> {
    if text.is_empty() {
        return vec![];
    }
    let mut elements = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let element = elements.last_mut().expect("there is always one");
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                element.push('"');
            }
            '"' if quoted || element.is_empty() => quoted = !quoted,
            ',' if !quoted => elements.push(String::new()),
            _ => element.push(c),
        }
    }
    elements
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn types() -> ModuleTypes {
        let types: ModuleTypes = serde_json::from_value(json!({
            "objects": [{"name": "Ci"}],
            "enums": [{"name": "Level", "members": [{"name": "low", "value": "1"}, {"name": "HIGH"}]}],
        }))
        .expect("valid");
        types.finish("ci").expect("valid")
    }

    fn parsed(kind: TypeKind, given: &[&str]) -> Result<FlagValue, String> {
        let given: Vec<_> = given.iter().map(|text| (*text).to_owned()).collect();
        parse(&types(), &TypeRef::new(kind), &given).map_err(|error| error.to_string())
    }

    #[test]
    fn plain_values_are_parsed_by_type() {
        let level = || TypeKind::Enum {
            name: "Level".into(),
        };
        for (kind, given, expected) in [
            (TypeKind::String, &["a", "b,c"][..], json!("b,c")),
            (TypeKind::Integer, &["-3"], json!(-3)),
            (TypeKind::Float, &["2.5"], json!(2.5)),
            (TypeKind::Boolean, &[""], json!(true)),
            (TypeKind::Boolean, &["False"], json!(false)),
            (level(), &["LOW"], json!("low")),
            (level(), &["high"], json!("HIGH")),
            (level(), &["1"], json!("low")),
            (
                TypeKind::Scalar {
                    name: "Platform".into(),
                },
                &["linux/arm64"],
                json!("linux/arm64"),
            ),
        ] {
            assert_eq!(
                parsed(kind, given),
                Ok(FlagValue::Plain(expected)),
                "{given:?}"
            );
        }
    }

    #[test]
    fn lists_come_from_commas_and_repetition() {
        let list = |kind| TypeKind::List {
            of: Box::new(TypeRef::new(kind)),
        };
        let plain = |texts: &[&str]| {
            FlagValue::List(
                texts
                    .iter()
                    .map(|text| FlagValue::Plain(json!(text)))
                    .collect(),
            )
        };
        for (given, expected) in [
            (&["a,b", "c"][..], &["a", "b", "c"][..]),
            (&["\"a,b\",c"], &["a,b", "c"]),
            (
                &["\"say \"\"hi\"\"\",it's 5\""],
                &["say \"hi\"", "it's 5\""],
            ),
            (&["a,,b"], &["a", "", "b"]),
            (&[""], &[]),
        ] {
            assert_eq!(
                parsed(list(TypeKind::String), given),
                Ok(plain(expected)),
                "{given:?}"
            );
        }
        let directory = |address: &str| FlagValue::Address {
            type_name: "Directory".into(),
            address: address.into(),
        };
        assert_eq!(
            parsed(
                list(TypeKind::Object {
                    name: "Directory".into()
                }),
                &["./a,https://x/y#main"]
            ),
            Ok(FlagValue::List(vec![
                directory("./a"),
                directory("https://x/y#main")
            ]))
        );
    }

    #[test]
    fn what_is_no_value_is_refused_with_what_would_be() {
        for (kind, text, message) in [
            (TypeKind::Integer, "1.5", "`1.5` is not a whole number"),
            (TypeKind::Float, "inf", "`inf` is not a number"),
            (TypeKind::Boolean, "yes", "`yes` is not true or false"),
            (
                TypeKind::Enum {
                    name: "Level".into(),
                },
                "mid",
                "`mid` is not one of LOW, HIGH",
            ),
            (
                TypeKind::Object { name: "Ci".into() },
                "x",
                "values of type `Ci!` cannot be given on the command line",
            ),
        ] {
            assert_eq!(parsed(kind, &[text]), Err(message.to_owned()));
        }
    }
}
