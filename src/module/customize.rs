//! Other defaults for arguments of a toolchain, as the module that offers it says in its configuration.
//!
//! Main function: [`customize`]. Works on types alone; never reads files.

use serde_json::Value as Json;

use super::config::Customization;
use super::names::kebab;
use super::typedef::{Arg, Function, ModuleTypes, TypeKind, TypeRef};

/// Why a customization cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CustomizeError {
    /// Its functions lead nowhere.
    #[error("module `{module}` has no function `{function}`")]
    NoFunction {
        /// The module.
        module: String,
        /// The functions, chained.
        function: String,
    },
    /// Its function takes no such argument.
    #[error("{function} of module `{module}` has no argument `{argument}`")]
    NoArgument {
        /// The module.
        module: String,
        /// The function.
        function: String,
        /// The argument.
        argument: String,
    },
    /// Its value is not of the argument's type.
    #[error("{value} is no value for the argument `{argument}`, which takes {expected}")]
    WrongValue {
        /// What it says.
        value: String,
        /// The argument.
        argument: String,
        /// What it could say.
        expected: String,
    },
}

/// Where an argument's function is: the object and the function in it; no function is the constructor.
type Place = (usize, Option<usize>);

/// Gives an argument other defaults.
///
/// # Errors
/// [`CustomizeError`] if there is no such argument, or the value is not of its type.
pub fn customize(types: &mut ModuleTypes, wanted: &Customization) -> Result<(), CustomizeError> {
    let places = places(types, &wanted.function);
    let what = || match wanted.function.is_empty() {
        true => "the constructor".to_owned(),
        false => format!("function `{}`", wanted.function.join(" ")),
    };
    if places.is_empty() && !wanted.function.is_empty() {
        return Err(CustomizeError::NoFunction {
            module: types.name.clone(),
            function: wanted.function.join(" "),
        });
    }
    let mut found = false;
    for place in places {
        let Some(at) = arg_at(types, place, &wanted.argument) else {
            continue;
        };
        found = true;
        let mut arg = function_at(types, place).args[at].clone();
        apply(types, &mut arg, wanted)?;
        function_at(types, place).args[at] = arg;
    }
    match found {
        true => Ok(()),
        false => Err(CustomizeError::NoArgument {
            module: types.name.clone(),
            function: what(),
            argument: wanted.argument.clone(),
        }),
    }
}

/// Where the functions of this chain are. The chain starts at the main object; a function that this one does not have
/// is looked for in the others.
fn places(types: &ModuleTypes, chain: &[String]) -> Vec<Place> {
    let main = types
        .objects
        .iter()
        .position(|o| o.name == types.main_object);
    let Some((first, rest)) = chain.split_first() else {
        let with_constructor = main.filter(|&at| types.objects[at].constructor.is_some());
        return with_constructor.map(|at| (at, None)).into_iter().collect();
    };
    let follow = |start: usize| {
        let mut at = (start, named(types, start, first)?);
        for name in rest {
            let next = types.objects[at.0].functions[at.1].returns.named()?;
            let object = types.objects.iter().position(|o| o.name == next)?;
            at = (object, named(types, object, name)?);
        }
        Some((at.0, Some(at.1)))
    };
    match main.and_then(follow) {
        Some(place) => vec![place],
        None => (0..types.objects.len()).filter_map(follow).collect(),
    }
}

fn named(types: &ModuleTypes, object: usize, name: &str) -> Option<usize> {
    let functions = &types.objects[object].functions;
    functions.iter().position(|f| same(&f.name, name))
}

/// Whether two spellings mean one name.
fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other) || kebab(one) == kebab(other)
}

fn function_at(types: &mut ModuleTypes, (object, function): Place) -> &mut Function {
    let object = &mut types.objects[object];
    match function {
        Some(at) => &mut object.functions[at],
        None => object.constructor.as_mut().expect("it was found there"),
    }
}

fn arg_at(types: &mut ModuleTypes, place: Place, name: &str) -> Option<usize> {
    let args = &function_at(types, place).args;
    args.iter().position(|arg| same(&arg.name, name))
}

fn apply(types: &ModuleTypes, arg: &mut Arg, wanted: &Customization) -> Result<(), CustomizeError> {
    if let Some(value) = &wanted.default {
        let value = value_of(types, &arg.ty, value).ok_or_else(|| CustomizeError::WrongValue {
            value: value.to_string(),
            argument: arg.name.clone(),
            expected: arg.ty.graphql(types),
        })?;
        arg.default = Some(value);
    }
    if let Some(path) = &wanted.default_path {
        arg.default_path = Some(path.clone());
    }
    if let Some(address) = &wanted.default_address {
        arg.default_address = Some(address.clone());
    }
    if !wanted.ignore.is_empty() {
        arg.ignore.clone_from(&wanted.ignore);
    }
    Ok(())
}

/// A value of a type; configurations may write each as text.
fn value_of(types: &ModuleTypes, ty: &TypeRef, value: &Json) -> Option<Json> {
    let read = || match value {
        Json::String(text) => serde_json::from_str(text).ok(),
        other => Some(other.clone()),
    };
    match &ty.kind {
        TypeKind::String | TypeKind::Scalar { .. } => value.as_str().map(Json::from),
        TypeKind::Integer => read().filter(Json::is_i64),
        TypeKind::Float => read().filter(Json::is_number),
        TypeKind::Boolean => read().filter(Json::is_boolean),
        TypeKind::Enum { name } => {
            let text = value.as_str()?;
            let Some(own) = types.enum_type(name) else {
                return Some(text.into());
            };
            let means = |spelling: &str| same(spelling, text);
            let mut members = own.members.iter();
            let member = members.find(|member| means(&member.name) || means(&member.value))?;
            Some(member.name.as_str().into())
        }
        TypeKind::List { of } => {
            let Json::Array(elements) = read()? else {
                return None;
            };
            let elements = elements.iter();
            let values: Option<Vec<Json>> = elements
                .map(|element| value_of(types, of, element))
                .collect();
            values.map(Json::Array)
        }
        TypeKind::Object { .. } | TypeKind::Interface { .. } | TypeKind::Void => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::{EnumMember, EnumType, ObjectType};
    use serde_json::json;

    fn function(name: &str, args: &[(&str, TypeRef)], returns: TypeRef) -> Function {
        let args = args.iter().map(|(name, ty)| {
            let arg = json!({"name": name, "type": ty});
            serde_json::from_value(arg).expect("valid")
        });
        Function {
            name: name.into(),
            args: args.collect(),
            returns,
            ..Function::default()
        }
    }

    fn types() -> ModuleTypes {
        let text = || TypeRef::new(TypeKind::String);
        let level = TypeRef::new(TypeKind::Enum {
            name: "Level".into(),
        });
        let lint = ObjectType {
            name: "Lint".into(),
            constructor: Some(function(
                "",
                &[("source", TypeRef::object("Directory"))],
                TypeRef::object("Lint"),
            )),
            functions: vec![
                function(
                    "run_all",
                    &[
                        ("max_count", TypeRef::new(TypeKind::Integer)),
                        ("level", level),
                        ("paths", TypeRef::list(text())),
                    ],
                    text(),
                ),
                function("rules", &[], TypeRef::object("Rules").optional()),
            ],
            ..ObjectType::default()
        };
        let rules = ObjectType {
            name: "Rules".into(),
            functions: vec![function("with_rule", &[("name", text())], text())],
            ..ObjectType::default()
        };
        let level = EnumType {
            name: "Level".into(),
            members: vec![EnumMember {
                name: "LOW".into(),
                value: "low-level".into(),
                ..EnumMember::default()
            }],
            ..EnumType::default()
        };
        let types = ModuleTypes {
            objects: vec![lint, rules],
            enums: vec![level],
            ..ModuleTypes::default()
        };
        types.finish("lint").expect("valid")
    }

    fn wanted(function: &[&str], argument: &str) -> Customization {
        Customization {
            function: function.iter().map(|&name| name.into()).collect(),
            argument: argument.into(),
            ..Customization::default()
        }
    }

    #[test]
    fn defaults_are_of_the_type_whatever_the_spelling() {
        for (function, argument, value, expected) in [
            (&["runAll"][..], "maxCount", json!("3"), json!(3)),
            (&["run_all"], "max_count", json!(4), json!(4)),
            (&["run-all"], "level", json!("low"), json!("LOW")),
            (&["run-all"], "level", json!("low-level"), json!("LOW")),
            (&["run-all"], "paths", json!("[\"a\"]"), json!(["a"])),
            (&["rules", "withRule"], "name", json!("1"), json!("1")),
            (&["withRule"], "name", json!("x"), json!("x")),
        ] {
            let mut types = types();
            let wanted = Customization {
                default: Some(value),
                ..wanted(function, argument)
            };
            customize(&mut types, &wanted).expect("applies");
            let functions = types.objects.iter().flat_map(|object| &object.functions);
            let args: Vec<&Arg> = functions.flat_map(|function| &function.args).collect();
            let changed: Vec<&Json> = args.iter().filter_map(|arg| arg.default.as_ref()).collect();
            assert_eq!(changed, [&expected], "{function:?} {argument}");
        }
    }

    #[test]
    fn constructor_takes_paths() {
        let mut types = types();
        let wanted = Customization {
            default_path: Some("/src".into()),
            ignore: vec!["*.md".into()],
            ..wanted(&[], "source")
        };
        customize(&mut types, &wanted).expect("applies");
        let constructor = types.objects[0].constructor.as_ref().expect("has one");
        assert_eq!(constructor.args[0].default_path.as_deref(), Some("/src"));
        assert_eq!(constructor.args[0].ignore, ["*.md"]);
    }

    #[test]
    fn mistakes_are_told() {
        for (function, argument, value, expected) in [
            (
                &["fix"][..],
                "x",
                json!(1),
                "module `lint` has no function `fix`",
            ),
            (
                &["rules", "fix"],
                "x",
                json!(1),
                "module `lint` has no function `rules fix`",
            ),
            (
                &["rules"],
                "x",
                json!(1),
                "function `rules` of module `lint` has no argument `x`",
            ),
            (
                &[],
                "x",
                json!(1),
                "the constructor of module `lint` has no argument `x`",
            ),
            (
                &["run_all"],
                "max_count",
                json!("many"),
                "\"many\" is no value for the argument `max_count`, which takes Int!",
            ),
            (
                &[],
                "source",
                json!("."),
                "\".\" is no value for the argument `source`, which takes Directory!",
            ),
        ] {
            let wanted = Customization {
                default: Some(value),
                ..wanted(function, argument)
            };
            let error = customize(&mut types(), &wanted).expect_err("a mistake");
            assert_eq!(error.to_string(), expected);
        }
    }
}
