//! Fits values as clients send them to declared types.
//!
//! More lenient than the specification, because clients are: numbers and enum names may come as strings, a single
//! value may stand for a list, null means "not given", and so does an empty id.

use std::collections::HashMap;

use serde_json::{Map, Number, Value};

use super::parser::Literal;
use super::table::{ArgDef, FieldDef, ScalarKind, TypeKind, TypeRef, TypeTable};
use super::value::Args;
use super::view::View;

/// Values of declared variables; `None` is a variable that was not sent.
pub(crate) type Variables = HashMap<String, Option<Literal>>;

/// Where values are coerced.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Coercion<'a> {
    pub(crate) table: &'a TypeTable,
    pub(crate) view: View,
    pub(crate) variables: &'a Variables,
}

impl Coercion<'_> {
    /// All arguments of `owner.field`, or every reason why not.
    pub(crate) fn arguments(
        self,
        owner: &str,
        field: &FieldDef,
        given: &[(&str, Literal)],
    ) -> Result<Args, Vec<String>> {
        let mut problems = Vec::new();
        let place = || format!("field \"{owner}.{}\"", field.name);
        for (position, (name, _)) in given.iter().enumerate() {
            if !self.visible(&field.args).any(|arg| arg.name == *name) {
                let known = self.visible(&field.args).map(|arg| &*arg.name);
                let hint = suggestion(name, known);
                problems.push(format!("unknown argument \"{name}\" on {}{hint}", place()));
            } else if given[..position].iter().any(|(other, _)| other == name) {
                problems.push(format!("argument \"{name}\" is given twice on {}", place()));
            }
        }
        let mut values = Map::new();
        let mut expected = Vec::new();
        for def in self.visible(&field.args) {
            let literal = given
                .iter()
                .find(|(name, _)| def.name == *name)
                .map(|(_, value)| value);
            match self.argument(def, literal) {
                Ok(Some(value)) => {
                    if let Some(object) = &def.expected {
                        expected.push((def.name.clone(), object.clone()));
                    }
                    values.insert(def.name.to_string(), value);
                }
                Ok(None) => {}
                Err(Problem::Missing) => problems.push(format!(
                    "argument \"{}\" of type \"{}\" is required on {}",
                    def.name,
                    def.ty,
                    place()
                )),
                Err(Problem::Wrong(why)) => {
                    problems.push(format!("argument \"{}\" on {}: {why}", def.name, place()));
                }
            }
        }
        if problems.is_empty() {
            Ok(Args::typed(values, expected))
        } else {
            Err(problems)
        }
    }

    /// The `if` of `@skip` and `@include`.
    pub(crate) fn condition(self, args: &[(&str, Literal)]) -> Result<bool, String> {
        let boolean = TypeRef::NonNull(Box::new(TypeRef::Named("Boolean".into())));
        match args {
            [("if", literal)] => {
                let value = self.value(&boolean, literal)?;
                value
                    .as_bool()
                    .ok_or_else(|| "\"if\" is not a Boolean".to_owned())
            }
            _ => Err("needs exactly the argument \"if\"".to_owned()),
        }
    }

    /// A default as declared.
    pub(crate) fn default(self, def: &ArgDef, literal: &Literal) -> Result<Value, String> {
        self.value(&def.ty, literal)
    }

    fn visible(self, args: &[ArgDef]) -> impl Iterator<Item = &ArgDef> {
        args.iter()
            .filter(move |arg| arg.marks.views.contains(self.view))
    }

    fn argument(self, def: &ArgDef, literal: Option<&Literal>) -> Result<Option<Value>, Problem> {
        let resolved = literal.map(|literal| self.resolve(literal)).transpose();
        let literal = resolved.map_err(Problem::Wrong)?.flatten();
        let is_id = || matches!(def.ty.nullable(), TypeRef::Named(name) if self.is_id(name));
        let given = match literal {
            None | Some(Literal::Null) => None,
            Some(Literal::String(text)) if text.is_empty() && is_id() => None,
            other => other,
        };
        match given {
            Some(literal) => self
                .value(&def.ty, literal)
                .map(Some)
                .map_err(Problem::Wrong),
            None if def.default.is_some() => Ok(def.default.clone()),
            None if def.ty.is_non_null() => Err(Problem::Missing),
            None => Ok(None),
        }
    }

    fn is_id(self, name: &str) -> bool {
        let ty = self.table.get(name);
        ty.is_some_and(|ty| matches!(ty.kind, TypeKind::Scalar(ScalarKind::Id)))
    }

    /// Replaces a variable by its value; `None` if it has none.
    fn resolve<'l>(&'l self, literal: &'l Literal) -> Result<Option<&'l Literal>, String> {
        match literal {
            Literal::Variable(name) => match self.variables.get(name) {
                Some(value) => Ok(value.as_ref()),
                None => Err(format!("variable \"${name}\" is not defined")),
            },
            other => Ok(Some(other)),
        }
    }

    fn value(self, ty: &TypeRef, literal: &Literal) -> Result<Value, String> {
        let literal = self.resolve(literal)?.unwrap_or(&Literal::Null);
        if *literal == Literal::Null {
            return if ty.is_non_null() {
                Err(format!("expected {}, got null", ty.nullable()))
            } else {
                Ok(Value::Null)
            };
        }
        match ty.nullable() {
            TypeRef::List(inner) => {
                let items = match literal {
                    Literal::List(items) => items.as_slice(),
                    single => std::slice::from_ref(single),
                };
                let values = items.iter().map(|item| self.value(inner, item));
                values.collect::<Result<Vec<_>, _>>().map(Value::Array)
            }
            TypeRef::Named(name) => self.named(name, literal),
            TypeRef::NonNull(inner) => self.value(inner, literal),
        }
    }

    fn named(self, name: &str, literal: &Literal) -> Result<Value, String> {
        let wrong = || format!("expected {name}, got {}", describe(literal));
        let ty = self.table.get(name).ok_or_else(wrong)?;
        match &ty.kind {
            TypeKind::Scalar(ScalarKind::Json) => json_text(literal).map_err(|()| wrong()),
            TypeKind::Scalar(kind) => scalar(*kind, literal).ok_or_else(wrong),
            TypeKind::Enum { values } => {
                let (Literal::Enum(text) | Literal::String(text)) = literal else {
                    return Err(wrong());
                };
                let spelled = |fits: &dyn Fn(&str) -> bool| {
                    values.iter().find(|value| {
                        fits(&value.name) || value.legacy.iter().any(|(name, _)| fits(name))
                    })
                };
                let found = spelled(&|name| name == text)
                    .or_else(|| spelled(&|name| name.eq_ignore_ascii_case(text)));
                found.map(|value| Value::from(&*value.name)).ok_or_else(|| {
                    let hint = suggestion(text, values.iter().map(|value| &*value.name));
                    format!("\"{text}\" is not a value of enum {name}{hint}")
                })
            }
            TypeKind::Input { fields } => self.input(name, fields, literal),
            TypeKind::Object { .. } | TypeKind::Interface { .. } => Err(wrong()),
        }
    }

    fn input(self, name: &str, fields: &[ArgDef], literal: &Literal) -> Result<Value, String> {
        let Literal::Object(given) = literal else {
            return Err(format!("expected {name}, got {}", describe(literal)));
        };
        if let Some((key, _)) = given
            .iter()
            .find(|(key, _)| fields.iter().all(|f| f.name != *key))
        {
            let hint = suggestion(key, fields.iter().map(|field| &*field.name));
            return Err(format!("{name} has no field \"{key}\"{hint}"));
        }
        let mut values = Map::new();
        for def in fields {
            let literal = given
                .iter()
                .find(|(key, _)| def.name == *key)
                .map(|(_, value)| value);
            match self.argument(def, literal) {
                Ok(Some(value)) => {
                    values.insert(def.name.to_string(), value);
                }
                Ok(None) => {}
                Err(Problem::Missing) => {
                    return Err(format!("field \"{}\" of {name} is required", def.name));
                }
                Err(Problem::Wrong(why)) => {
                    return Err(format!("field \"{}\" of {name}: {why}", def.name));
                }
            }
        }
        Ok(Value::Object(values))
    }
}

enum Problem {
    Missing,
    Wrong(String),
}

fn scalar(kind: ScalarKind, literal: &Literal) -> Option<Value> {
    match (kind, literal) {
        (ScalarKind::String | ScalarKind::Text | ScalarKind::Id, Literal::String(text)) => {
            Some(Value::from(text.as_str()))
        }
        (ScalarKind::String | ScalarKind::Id, Literal::Int(text))
        | (ScalarKind::String, Literal::Float(text)) => Some(Value::from(text.as_str())),
        (ScalarKind::String, Literal::Bool(value)) => Some(Value::from(value.to_string())),
        (ScalarKind::Int, Literal::Int(text) | Literal::Float(text) | Literal::String(text)) => {
            integer(text).map(Value::from)
        }
        (ScalarKind::Float, Literal::Int(text) | Literal::Float(text) | Literal::String(text)) => {
            text.trim()
                .parse()
                .ok()
                .and_then(Number::from_f64)
                .map(Value::Number)
        }
        (ScalarKind::Boolean, Literal::Bool(value)) => Some(Value::from(*value)),
        (ScalarKind::Boolean, Literal::String(text)) => text.parse::<bool>().ok().map(Value::from),
        _ => None,
    }
}

/// A whole number, also written as `3.0` or `1e3`.
fn integer(text: &str) -> Option<i64> {
    let text = text.trim();
    text.parse().ok().or_else(|| {
        let value: f64 = text.parse().ok()?;
        // Beyond 2^53 a float no longer tells whole numbers apart.
        let exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "whole and in range, checked above"
        )]
        exact.then_some(value as i64)
    })
}

/// Strings are JSON text already; anything else becomes JSON text.
fn json_text(literal: &Literal) -> Result<Value, ()> {
    match literal {
        Literal::String(text) => Ok(Value::from(text.as_str())),
        other => Ok(Value::from(to_json(other)?.to_string())),
    }
}

fn to_json(literal: &Literal) -> Result<Value, ()> {
    Ok(match literal {
        Literal::Variable(_) => return Err(()),
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::from(*value),
        Literal::Int(text) | Literal::Float(text) => {
            Value::Number(serde_json::from_str(text).map_err(|_| ())?)
        }
        Literal::String(text) | Literal::Enum(text) => Value::from(text.as_str()),
        Literal::List(items) => Value::Array(items.iter().map(to_json).collect::<Result<_, _>>()?),
        Literal::Object(fields) => {
            let entries = fields
                .iter()
                .map(|(key, value)| Ok((key.clone(), to_json(value)?)));
            Value::Object(entries.collect::<Result<_, ()>>()?)
        }
    })
}

/// A variable's JSON value in the form arguments have in a document.
pub(crate) fn from_json(value: &Value) -> Literal {
    match value {
        Value::Null => Literal::Null,
        Value::Bool(value) => Literal::Bool(*value),
        Value::Number(number) if number.is_f64() => Literal::Float(number.to_string()),
        Value::Number(number) => Literal::Int(number.to_string()),
        Value::String(text) => Literal::String(text.clone()),
        Value::Array(items) => Literal::List(items.iter().map(from_json).collect()),
        Value::Object(fields) => Literal::Object(
            fields
                .iter()
                .map(|(key, value)| (key.clone(), from_json(value)))
                .collect(),
        ),
    }
}

fn describe(literal: &Literal) -> String {
    match literal {
        Literal::Variable(name) => format!("${name}"),
        Literal::Null => "null".to_owned(),
        Literal::Bool(value) => value.to_string(),
        Literal::Int(text) | Literal::Float(text) | Literal::Enum(text) => text.clone(),
        Literal::String(text) => {
            let short: String = text.chars().take(40).collect();
            let cut = if short.len() < text.len() { "…" } else { "" };
            format!("\"{short}{cut}\"")
        }
        Literal::List(_) => "a list".to_owned(),
        Literal::Object(_) => "an object".to_owned(),
    }
}

/// `; did you mean "x"?` for the closest of `known`, or nothing.
pub(crate) fn suggestion<'k>(name: &str, known: impl Iterator<Item = &'k str>) -> String {
    // Names are short; a document may hold long garbage that is not worth comparing.
    if name.len() > 64 {
        return String::new();
    }
    let name = name.to_lowercase();
    let allowed = (name.len() / 3).max(1);
    let closest = known
        .filter(|candidate| !candidate.starts_with("__"))
        .map(|candidate| {
            (
                strsim::osa_distance(&name, &candidate.to_lowercase()),
                candidate,
            )
        })
        .filter(|(distance, _)| *distance <= allowed)
        .min_by_key(|(distance, _)| *distance);
    closest.map_or_else(String::new, |(_, name)| {
        format!("; did you mean \"{name}\"?")
    })
}
