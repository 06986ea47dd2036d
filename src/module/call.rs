//! Values that cross the border of a function call, and the call itself.
//!
//! Main types: [`Value`], a value whose type is known, and [`CallRequest`], what the SDK inside the
//! container is told. Both directions are checked against the declared types, so code further up
//! never meets a value of the wrong shape. Never resolves ids and never runs anything.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value as Json};

use super::typedef::{Function, ModuleTypes, ObjectType, TypeKind, TypeRef};

/// A value of a known type.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// Null, or nothing.
    Null,
    /// Text.
    String(String),
    /// Whole number.
    Integer(i64),
    /// Number.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// Original name of an enum's member.
    Enum(String),
    /// Text of a scalar other than the built-in ones.
    Scalar(String),
    /// Object of the core API or another module, or whatever implements an interface.
    Id {
        /// Name of the type asked for.
        type_name: String,
        /// Its id.
        id: String,
    },
    /// Object of this module.
    Object {
        /// Original name of the type.
        type_name: String,
        /// State by original key, private keys included; values of declared fields fit their types.
        state: Map<String, Json>,
    },
    /// List.
    List(Vec<Self>),
}

/// What the SDK asks for first: which function to run, on what, with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CallRequest {
    /// Original name of the object; empty to ask for the module's types.
    pub parent_name: String,
    /// Original name of the function; empty for the constructor.
    pub name: String,
    /// State of the object as JSON text.
    pub parent: String,
    /// Arguments given or defaulted.
    pub input_args: Vec<InputArg>,
}

/// An argument of a [`CallRequest`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputArg {
    /// Original name.
    pub name: String,
    /// Value as JSON text.
    pub value: String,
}

/// Why a value does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CallError {
    /// The value is not of the type.
    #[error("{place}: expected {expected}, got {got}")]
    Mismatch {
        /// Argument, result or path below it.
        place: String,
        /// Type wanted.
        expected: String,
        /// What was found.
        got: String,
    },
    /// An argument has neither a value nor a default.
    #[error("argument `{arg}` of `{function}` is missing")]
    Missing {
        /// Function called.
        function: String,
        /// Original name of the argument.
        arg: String,
    },
    /// The function has no such argument.
    #[error("`{function}` has no argument `{arg}`")]
    Unknown {
        /// Function called.
        function: String,
        /// Name given.
        arg: String,
    },
    /// The result is not JSON.
    #[error("`{function}` returned something that is not JSON: {message}")]
    NotJson {
        /// Function called.
        function: String,
        /// What the parser says.
        message: String,
    },
}

impl CallRequest {
    /// The call that asks for a module's types.
    pub fn registration() -> Self {
        Self {
            parent: "null".into(),
            ..Self::default()
        }
    }

    /// The call of `function` on `object` in state `parent` (`None` for a constructor).
    ///
    /// `given` holds values by original argument name; values of the wrong shape are refused, absent
    /// ones take their declared default, and optional ones without any are left out.
    ///
    /// # Errors
    /// [`CallError`] naming the argument.
    pub fn new(
        types: &ModuleTypes,
        object: &ObjectType,
        function: &Function,
        parent: Option<&Map<String, Json>>,
        mut given: Map<String, Json>,
    ) -> Result<Self, CallError> {
        let mut input_args = Vec::with_capacity(function.args.len());
        for arg in &function.args {
            let value = match (given.remove(&arg.name), &arg.default) {
                (Some(value), _) => value,
                (None, Some(default)) => default.clone(),
                (None, None) if arg.ty.optional => continue,
                (None, None) => {
                    return Err(CallError::Missing {
                        function: display_name(object, function),
                        arg: arg.name.clone(),
                    });
                }
            };
            let checked = decode(types, &arg.ty, &value, &arg.name)?;
            input_args.push(InputArg {
                name: arg.name.clone(),
                value: encode(&checked).to_string(),
            });
        }
        if let Some((arg, _)) = given.into_iter().next() {
            return Err(CallError::Unknown {
                function: display_name(object, function),
                arg,
            });
        }
        Ok(Self {
            parent_name: object.name.clone(),
            name: function.name.clone(),
            parent: parent.map_or_else(
                || "null".to_owned(),
                |state| serde_json::to_string(state).expect("a JSON value can be written"),
            ),
            input_args,
        })
    }
}

impl CallRequest {
    /// Result of calling a trivial constructor with these arguments, which needs no container.
    ///
    /// `None` if the constructor runs code.
    pub fn trivial_result(&self, constructor: &Function) -> Option<Map<String, Json>> {
        constructor.trivial.then(|| {
            let value = |arg: &InputArg| {
                serde_json::from_str(&arg.value).expect("arguments of a request are JSON")
            };
            self.input_args
                .iter()
                .map(|arg| (arg.name.clone(), value(arg)))
                .collect()
        })
    }
}

/// Understands what `function` returned.
///
/// # Errors
/// [`CallError`] if the text is not JSON or not of the declared type.
pub fn decode_result(
    types: &ModuleTypes,
    function: &Function,
    json: &str,
) -> Result<Value, CallError> {
    let value: Json = serde_json::from_str(json).map_err(|error| CallError::NotJson {
        function: function.name.clone(),
        message: error.to_string(),
    })?;
    let place = if function.name.is_empty() {
        "constructor"
    } else {
        &function.name
    };
    decode(
        types,
        &function.returns,
        &value,
        &format!("result of {place}"),
    )
}

/// Reads a field from an object's stored state; a missing one is the type's zero value.
///
/// # Errors
/// [`CallError::Mismatch`] if the stored value is not of the field's type.
pub fn field_value(
    types: &ModuleTypes,
    ty: &TypeRef,
    state: &Map<String, Json>,
    name: &str,
) -> Result<Value, CallError> {
    match state.get(name) {
        Some(value) if !value.is_null() => decode(types, ty, value, name),
        _ => Ok(zero(ty)),
    }
}

/// Understands a JSON value of a declared type; `place` names it in errors.
///
/// # Errors
/// [`CallError::Mismatch`] with the place inside the value.
pub fn decode(
    types: &ModuleTypes,
    ty: &TypeRef,
    value: &Json,
    place: &str,
) -> Result<Value, CallError> {
    let mismatch = || CallError::Mismatch {
        place: place.to_owned(),
        expected: ty.graphql(types),
        got: describe(value),
    };
    if value.is_null() {
        return match ty.kind {
            _ if ty.optional => Ok(Value::Null),
            TypeKind::Void => Ok(Value::Null),
            // SDKs of languages whose empty list is a null pointer return it so.
            TypeKind::List { .. } => Ok(Value::List(vec![])),
            _ => Err(mismatch()),
        };
    }
    let text = || value.as_str().map(str::to_owned).ok_or_else(mismatch);
    match &ty.kind {
        // Whatever a function without a result returns is nobody's business.
        TypeKind::Void => Ok(Value::Null),
        TypeKind::String => text().map(Value::String),
        TypeKind::Integer => integer(value).map(Value::Integer).ok_or_else(mismatch),
        TypeKind::Float => value.as_f64().map(Value::Float).ok_or_else(mismatch),
        TypeKind::Boolean => value.as_bool().map(Value::Boolean).ok_or_else(mismatch),
        TypeKind::Scalar { .. } => text().map(Value::Scalar),
        TypeKind::Interface { name } => Ok(Value::Id {
            type_name: name.clone(),
            id: text()?,
        }),
        TypeKind::Enum { name } => {
            let text = text()?;
            match types.enum_type(name) {
                None => Ok(Value::Enum(text)),
                Some(ty) => ty
                    .members
                    .iter()
                    .find(|member| member.name == text || member.api_name == text)
                    .map(|member| Value::Enum(member.name.clone()))
                    .ok_or_else(mismatch),
            }
        }
        TypeKind::Object { name } => match (types.object(name), value) {
            (_, Json::String(id)) => Ok(Value::Id {
                type_name: name.clone(),
                id: id.clone(),
            }),
            (Some(object), Json::Object(state)) => {
                check_state(types, object, state, place)?;
                Ok(Value::Object {
                    type_name: name.clone(),
                    state: state.clone(),
                })
            }
            _ => Err(mismatch()),
        },
        TypeKind::List { of } => value
            .as_array()
            .ok_or_else(mismatch)?
            .iter()
            .enumerate()
            .map(|(at, element)| decode(types, of, element, &format!("{place}[{at}]")))
            .collect::<Result<_, _>>()
            .map(Value::List),
    }
}

/// The JSON a value crosses the border as.
pub fn encode(value: &Value) -> Json {
    match value {
        Value::Null => Json::Null,
        Value::String(text) | Value::Enum(text) | Value::Scalar(text) => text.as_str().into(),
        Value::Id { id, .. } => id.as_str().into(),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => (*number).into(),
        Value::Boolean(truth) => (*truth).into(),
        Value::Object { state, .. } => Json::Object(state.clone()),
        Value::List(elements) => elements.iter().map(encode).collect(),
    }
}

fn check_state(
    types: &ModuleTypes,
    object: &ObjectType,
    state: &Map<String, Json>,
    place: &str,
) -> Result<(), CallError> {
    for field in &object.fields {
        if let Some(value) = state.get(&field.name).filter(|value| !value.is_null()) {
            decode(types, &field.ty, value, &format!("{place}.{}", field.name))?;
        }
    }
    Ok(())
}

fn zero(ty: &TypeRef) -> Value {
    match &ty.kind {
        _ if ty.optional => Value::Null,
        TypeKind::String => Value::String(String::new()),
        TypeKind::Integer => Value::Integer(0),
        TypeKind::Float => Value::Float(0.0),
        TypeKind::Boolean => Value::Boolean(false),
        TypeKind::List { .. } => Value::List(vec![]),
        _ => Value::Null,
    }
}

/// A whole number, also when a language without integers wrote it as `3.0`.
fn integer(value: &Json) -> Option<i64> {
    value.as_i64().or_else(|| {
        let float = value
            .as_f64()
            .filter(|float| float.fract() == 0.0 && float.abs() < 9e15)?;
        #[expect(
            clippy::cast_possible_truncation,
            reason = "checked to be whole and in range"
        )]
        Some(float as i64)
    })
}

fn describe(value: &Json) -> String {
    match value {
        Json::Null => "null".into(),
        Json::Bool(_) => "a boolean".into(),
        Json::Number(number) => format!("the number {number}"),
        Json::String(text) if text.len() <= 40 => format!("the text {text:?}"),
        Json::String(_) => "a text".into(),
        Json::Array(_) => "a list".into(),
        Json::Object(_) => "an object".into(),
    }
}

fn display_name(object: &ObjectType, function: &Function) -> String {
    if function.name.is_empty() {
        object.name.clone()
    } else {
        format!("{}.{}", object.name, function.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn types() -> ModuleTypes {
        let types: ModuleTypes = serde_json::from_value(json!({
            "objects": [{
                "name": "Ci",
                "fields": [{"name": "count", "type": {"kind": "Integer"}}],
                "functions": [{
                    "name": "build",
                    "returns": {"kind": "List", "of": {"kind": "Object", "name": "Container"}},
                    "args": [
                        {"name": "source", "type": {"kind": "Object", "name": "Directory"}},
                        {"name": "level", "type": {"kind": "Enum", "name": "Level"}, "default": "LOW"},
                        {"name": "tag", "type": {"kind": "String", "optional": true}},
                    ],
                }],
            }],
            "enums": [{"name": "Level", "members": [{"name": "LOW"}, {"name": "high"}]}],
        }))
        .expect("valid");
        types.finish("ci").expect("valid")
    }

    fn request(given: Json) -> Result<CallRequest, CallError> {
        let types = types();
        let object = &types.objects[0];
        let Json::Object(given) = given else {
            panic!("not an object")
        };
        let state = Map::from_iter([("count".to_owned(), json!(3))]);
        CallRequest::new(&types, object, &object.functions[0], Some(&state), given)
    }

    #[test]
    fn defaults_are_added_and_unset_options_left_out() {
        let request = request(json!({"source": "id1"})).expect("valid");
        assert_eq!(request.parent, r#"{"count":3}"#);
        let args: Vec<_> = request
            .input_args
            .iter()
            .map(|arg| (arg.name.as_str(), arg.value.as_str()))
            .collect();
        assert_eq!(args, [("source", "\"id1\""), ("level", "\"LOW\"")]);
    }

    #[test]
    fn state_of_a_trivial_constructor_is_its_arguments() {
        let request = request(json!({"source": "i"})).expect("valid");
        let mut constructor = Function::default();
        assert_eq!(request.trivial_result(&constructor), None);
        constructor.trivial = true;
        let state = request.trivial_result(&constructor).expect("is trivial");
        assert_eq!(Json::Object(state), json!({"source": "i", "level": "LOW"}));
    }

    #[test]
    fn wrong_arguments_are_named() {
        for (given, message) in [
            (json!({}), "argument `source` of `Ci.build` is missing"),
            (
                json!({"source": "i", "x": 1}),
                "`Ci.build` has no argument `x`",
            ),
            (
                json!({"source": 1}),
                "source: expected Directory!, got the number 1",
            ),
            (
                json!({"source": "i", "level": "mid"}),
                "level: expected CiLevel!, got the text \"mid\"",
            ),
        ] {
            assert_eq!(request(given).expect_err("invalid").to_string(), message);
        }
    }

    #[test]
    fn enum_is_passed_by_original_name() {
        let request = request(json!({"source": "i", "level": "HIGH"})).expect("valid");
        assert_eq!(request.input_args[1].value, "\"high\"");
    }

    #[test]
    fn results_are_checked_against_the_declared_type() {
        let types = types();
        let build = &types.objects[0].functions[0];
        let id = |id: &str| Value::Id {
            type_name: "Container".into(),
            id: id.into(),
        };
        assert_eq!(
            decode_result(&types, build, r#"["a"]"#),
            Ok(Value::List(vec![id("a")]))
        );
        assert_eq!(
            decode_result(&types, build, "null"),
            Ok(Value::List(vec![]))
        );
        let error = decode_result(&types, build, r#"["a",{}]"#).expect_err("invalid");
        assert_eq!(
            error.to_string(),
            "result of build[1]: expected Container!, got an object"
        );
        let error = decode_result(&types, build, "nope").expect_err("invalid");
        assert!(matches!(error, CallError::NotJson { .. }));
    }

    #[test]
    fn own_objects_travel_as_state_and_missing_fields_are_zero() {
        let types = types();
        let own = TypeRef::object("Ci");
        let value =
            decode(&types, &own, &json!({"count": 2, "_private": [1]}), "x").expect("valid");
        assert_eq!(encode(&value), json!({"count": 2, "_private": [1]}));
        let error = decode(&types, &own, &json!({"count": "2"}), "x").expect_err("invalid");
        assert_eq!(
            error.to_string(),
            "x.count: expected Int!, got the text \"2\""
        );
        let count = &types.objects[0].fields[0].ty;
        assert_eq!(
            field_value(&types, count, &Map::new(), "count"),
            Ok(Value::Integer(0))
        );
    }
}
