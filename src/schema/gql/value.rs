//! What resolvers take and give: coerced arguments in, resolved values out.

use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::error::FieldError;
use super::table::Text;

/// What a resolver found.
#[derive(Clone, Debug)]
pub enum Resolved<O> {
    /// Nothing; an error where the field promises a value.
    Null,
    /// A scalar, an enum's name, or a list of them.
    Value(Value),
    /// An object whose selected fields are resolved next.
    Object(O),
    /// Elements, each resolved on its own.
    List(Vec<Self>),
}

impl<O> Resolved<O> {
    /// One object.
    pub fn object(object: impl Into<O>) -> Self {
        Self::Object(object.into())
    }

    /// A list of objects.
    pub fn objects<T: Into<O>>(objects: impl IntoIterator<Item = T>) -> Self {
        Self::List(objects.into_iter().map(Self::object).collect())
    }

    /// An object that may be absent.
    pub fn optional(object: Option<impl Into<O>>) -> Self {
        object.map_or(Self::Null, Self::object)
    }
}

impl<O> From<Value> for Resolved<O> {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

impl<O> From<()> for Resolved<O> {
    fn from((): ()) -> Self {
        Self::Null
    }
}

impl<O, T: Into<Self>> From<Option<T>> for Resolved<O> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Into::into)
    }
}

impl<O, T: Into<Self>> From<Vec<T>> for Resolved<O> {
    fn from(values: Vec<T>) -> Self {
        Self::List(values.into_iter().map(Into::into).collect())
    }
}

macro_rules! leaf {
    ($($ty:ty),*) => {$(
        impl<O> From<$ty> for Resolved<O> {
            fn from(value: $ty) -> Self {
                Self::Value(Value::from(value))
            }
        }
    )*};
}
leaf!(String, &str, bool, i32, i64, u32, u64, usize, f64);

/// The arguments of one field, checked against its declaration, defaults filled in.
///
/// An argument that was not given (or is an empty id) and has no default is absent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Args {
    values: Map<String, Value>,
    expected: Vec<(Text, Text)>,
}

impl Args {
    /// Arguments from already checked values.
    pub fn new(values: Map<String, Value>) -> Self {
        Self {
            values,
            expected: Vec::new(),
        }
    }

    /// The same with the object type each id must name.
    pub(crate) fn typed(values: Map<String, Value>, expected: Vec<(Text, Text)>) -> Self {
        Self { values, expected }
    }

    /// The object type that the ids in this argument must name.
    pub fn expected(&self, name: &str) -> Option<&str> {
        self.expected
            .iter()
            .find(|(arg, _)| arg == name)
            .map(|(_, object)| &**object)
    }

    /// One argument; absent reads as null, so optional ones are `Option`s.
    ///
    /// # Errors
    /// If the value does not fit `T`: the declaration and the resolver disagree.
    pub fn get<T: DeserializeOwned>(&self, name: &str) -> Result<T, FieldError> {
        T::deserialize(self.values.get(name).unwrap_or(&Value::Null))
            .map_err(|error| FieldError::new(format!("argument `{name}`: {error}")))
    }

    /// One argument, or `T`'s default when absent or null.
    ///
    /// # Errors
    /// As for [`Args::get`].
    pub fn get_or_default<T: DeserializeOwned + Default>(
        &self,
        name: &str,
    ) -> Result<T, FieldError> {
        Ok(self.get::<Option<T>>(name)?.unwrap_or_default())
    }

    /// A string argument without copying it.
    pub fn str(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Value::as_str)
    }

    /// Whether a Boolean argument is given and true.
    pub fn flag(&self, name: &str) -> bool {
        self.values
            .get(name)
            .and_then(Value::as_bool)
            .unwrap_or(false)
    }

    /// All arguments as one struct, usually with `#[serde(rename_all = "camelCase")]`.
    ///
    /// # Errors
    /// As for [`Args::get`].
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, FieldError> {
        T::deserialize(&self.values).map_err(|error| FieldError::new(format!("arguments: {error}")))
    }

    /// Whether the argument was given or has a default.
    pub fn has(&self, name: &str) -> bool {
        self.values.get(name).is_some_and(|value| !value.is_null())
    }

    /// The values by name, in declaration order.
    pub fn as_map(&self) -> &Map<String, Value> {
        &self.values
    }
}
