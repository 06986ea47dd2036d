//! Requests that a [`Chain`] becomes, and the way to its value in the response.

use nsci::schema::gql::{FieldDef, ScalarKind, TypeDef, TypeKind, TypeRef};
use serde_json::Value;

use super::value::{Address, Given, Surroundings, literal, quote};
use super::{Chain, Start, Step, object};
use crate::report::Failure;

/// What is done with the end of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Leaf {
    /// A scalar, an enum or a list of them.
    Scalar,
    /// Nothing comes back.
    Void,
    /// The id of an object, as `sync` gives it.
    Id,
    /// An object that is evaluated: its id is asked of `sync`.
    Sync,
    /// An object that is named by its id, and shown by these fields.
    Object {
        /// Scalar fields without arguments.
        fields: Vec<String>,
        /// Whether it has an id.
        idable: bool,
    },
    /// An object that is written to a path of the host.
    Export {
        /// Type of the object.
        name: String,
        /// The path.
        path: String,
    },
}

impl Leaf {
    /// The leaf of a chain. With `--output`, objects are exported if they can be; `--json` and lists show their fields.
    ///
    /// # Errors
    /// If the result cannot be written to the `--output` asked for.
    pub(crate) fn of(chain: &Chain<'_>, start: Start<'_>) -> Result<Self, Failure> {
        let Some(field) = chain.last() else {
            return Err(Failure::internal("a chain without functions has no result"));
        };
        let Surroundings { types, view, .. } = start.around;
        let name = field.ty.name();
        let Some(ty) = object(types, name) else {
            let void = types.get(name).is_some_and(is_void);
            return Ok(match &field.expected {
                _ if void => Self::Void,
                Some(_) => Self::Id,
                None => Self::Scalar,
            });
        };
        let is_list = matches!(field.ty.nullable(), TypeRef::List(_));
        let has = |field: &str| ty.field(field, view).is_some() && !is_list;
        match &chain.output {
            Some(path) if has("export") => {
                return Ok(Self::Export {
                    name: name.to_owned(),
                    path: path.clone(),
                });
            }
            Some(_) => {
                return Err(
                    Failure::usage(format!("a {name} cannot be saved with --output"))
                        .hint("end with a function that gives a Directory, a File or a text"),
                );
            }
            None => {}
        }
        if has("sync") && !chain.json {
            return Ok(Self::Sync);
        }
        let fields = if chain.json || is_list {
            scalars(ty, start)
        } else {
            Vec::new()
        };
        Ok(Self::Object {
            fields,
            idable: ty.is_idable(),
        })
    }

    fn selection(&self) -> String {
        match self {
            Self::Scalar | Self::Void | Self::Id => String::new(),
            Self::Sync => "{sync}".to_owned(),
            Self::Object { fields, idable, .. } => {
                let id = idable.then_some("id").into_iter();
                let names: Vec<&str> = id.chain(fields.iter().map(String::as_str)).collect();
                match names.as_slice() {
                    [] => "{__typename}".to_owned(),
                    names => format!("{{{}}}", names.join(" ")),
                }
            }
            Self::Export { name, path } => {
                // As `cp` does: into the directory if it is one.
                let parent = if name == "File" {
                    ",allowParentDirPath:true"
                } else {
                    ""
                };
                format!("{{export(path:{}{parent})}}", quote(path))
            }
        }
    }

    /// Key below the last function, if the value is not the function's own.
    fn key(&self) -> Option<&'static str> {
        match self {
            Self::Sync => Some("sync"),
            Self::Export { .. } => Some("export"),
            _ => None,
        }
    }
}

fn is_void(ty: &TypeDef) -> bool {
    matches!(ty.kind, TypeKind::Scalar(ScalarKind::Void))
}

/// Fields that can be shown with the object: leaves that need no arguments and run nothing.
fn scalars(ty: &TypeDef, start: Start<'_>) -> Vec<String> {
    let Surroundings { types, view, .. } = start.around;
    let of_module = start.module.and_then(|module| {
        module
            .objects
            .iter()
            .find(|object| object.api_name == ty.name)
    });
    // A module's functions without arguments look like fields, but run its code.
    let is_state = |field: &FieldDef| match of_module {
        None => ty.field("sync", view).is_none(),
        Some(object) => object
            .fields
            .iter()
            .any(|known| known.api_name == field.name),
    };
    let is_leaf = |field: &FieldDef| {
        types
            .get(field.ty.name())
            .is_some_and(|ty| !ty.is_composite() && !is_void(ty))
    };
    ty.fields()
        .iter()
        .filter(|field| {
            field.name != "id"
                && !field.name.starts_with("__")
                && field.args.is_empty()
                && field.expected.is_none()
                && !field.marks.hidden
                && field.marks.deprecated.is_none()
                && field.marks.views.contains(view)
        })
        .filter(|field| is_leaf(field) && is_state(field))
        .map(|field| field.name.to_string())
        .collect()
}

/// The addresses among a chain's arguments as one request; `None` if there are none.
pub(crate) fn objects(steps: &[Step<'_>]) -> Option<(String, Vec<Vec<String>>)> {
    let addresses = addresses(steps);
    if addresses.is_empty() {
        return None;
    }
    let mut query = String::from("{");
    let mut paths = Vec::new();
    for (number, address) in addresses.iter().enumerate() {
        query.push_str(&format!("a{number}:{} ", address.selection));
        let keys = address.path.iter().skip(1).map(|key| (*key).to_owned());
        paths.push([format!("a{number}")].into_iter().chain(keys).collect());
    }
    query.push('}');
    Some((query, paths))
}

fn addresses<'a>(steps: &'a [Step<'_>]) -> Vec<&'a Address> {
    fn collect<'a>(given: &'a Given, into: &mut Vec<&'a Address>) {
        match given {
            Given::Literal(_) => {}
            Given::Object(address) => into.push(address),
            Given::List(items) => items.iter().for_each(|item| collect(item, into)),
        }
    }
    let mut found = Vec::new();
    for (_, given) in steps.iter().flat_map(|step| &step.args) {
        collect(given, &mut found);
    }
    found
}

/// The chain as a request; `ids` are those of its [`objects`], in order.
pub(crate) fn request(chain: &Chain<'_>, leaf: &Leaf, ids: &[Value]) -> String {
    let mut ids = ids.iter();
    let mut query = String::from("{");
    for (number, step) in chain.steps.iter().enumerate() {
        if number > 0 {
            query.push('{');
        }
        query.push_str(&step.field.name);
        let args: Vec<String> = step
            .args
            .iter()
            .map(|(arg, given)| format!("{}:{}", arg.name, text(given, &mut ids)))
            .collect();
        if !args.is_empty() {
            query.push_str(&format!("({})", args.join(",")));
        }
    }
    query.push_str(&leaf.selection());
    query.push_str(&"}".repeat(chain.steps.len()));
    query
}

fn text<'a>(given: &Given, ids: &mut impl Iterator<Item = &'a Value>) -> String {
    match given {
        Given::Literal(text) => text.clone(),
        Given::Object(_) => ids.next().map_or_else(|| "null".to_owned(), literal),
        Given::List(items) => {
            let items: Vec<String> = items.iter().map(|item| text(item, ids)).collect();
            format!("[{}]", items.join(","))
        }
    }
}

/// The value of a chain in the `data` of its response.
pub(crate) fn value(chain: &Chain<'_>, leaf: &Leaf, data: Value) -> Value {
    let keys = chain
        .steps
        .iter()
        .map(|step| &*step.field.name)
        .chain(leaf.key());
    let keys: Vec<&str> = keys.collect();
    descend(data, &keys)
}

/// The value below `keys`; lists on the way give a list of what is below each element.
pub(crate) fn descend(value: Value, keys: &[&str]) -> Value {
    match (value, keys.split_first()) {
        (value, None) => value,
        (Value::Array(items), Some(_)) => {
            items.into_iter().map(|item| descend(item, keys)).collect()
        }
        (Value::Object(mut fields), Some((key, rest))) => fields
            .remove(*key)
            .map_or(Value::Null, |value| descend(value, rest)),
        _ => Value::Null,
    }
}
