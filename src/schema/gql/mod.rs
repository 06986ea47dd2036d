//! GraphQL: declare types next to their resolvers, then answer requests as official clients send them.
//!
//! - [`Registry`] takes declarations; [`Schema::build`] checks them and adds `id`, `node` and `loadFooFromID`.
//! - [`Executor`] parses, validates and runs a [`Request`] and gives the bytes of the [`Response`].
//! - [`docs`] lists what is declared and prints it as SDL, [`reference`](mod@reference) as a page for people.
//!
//! Queries only: no mutation, no subscription. It knows nothing of HTTP or of containers, and never blocks a thread.
//!
//! # References
//! - [GraphQL October 2021](https://spec.graphql.org/October2021/)

mod coerce;
mod directives;
pub mod docs;
mod error;
mod exec;
mod introspect;
mod lexer;
mod parser;
pub mod reference;
mod registry;
mod request;
mod schema;
mod table;
mod validate;
mod value;
mod view;

#[cfg(test)]
mod tests;

pub use error::{FieldError, SchemaError};
pub use exec::{Ctx, Executor};
pub use lexer::ParseError;
pub use parser::{MAX_DEPTH, parse_type};
pub use registry::{
    ArgBuilder, Backend, EnumBuilder, EnumValueBuilder, FieldBuilder, FromObject, InputBuilder,
    ObjectBuilder, Registry,
};
pub use request::{ErrorEntry, Location, Request, Response};
pub use schema::Schema;
pub use table::{
    Applied, ArgDef, Current, DirectiveDef, EnumValueDef, FieldDef, Marks, ScalarKind, Text,
    TypeDef, TypeKind, TypeRef, TypeTable,
};
pub use value::{Args, Resolved};
pub use view::{InvalidView, View, ViewRange};

/// Declares the enum of all objects, one variant per type, with the conversions resolvers rely on.
///
/// `objects! { pub enum Object { Container(ContainerRef), … } }` gives the enum, `Object::type_name`, and for each
/// payload `From` into the enum and into [`Resolved`] (so a resolver returns the payload itself, an `Option` or a `Vec` of it)
/// and [`FromObject`] (so it can be the parent of fields). A variant is named as its GraphQL type; payloads must be distinct types.
#[macro_export]
macro_rules! objects {
    ($(#[$meta:meta])* $vis:vis enum $name:ident { $($(#[$vmeta:meta])* $variant:ident($payload:ty)),* $(,)? }) => {
        $(#[$meta])*
        $vis enum $name { $($(#[$vmeta])* $variant($payload)),* }

        impl $name {
            /// The name of the object's GraphQL type.
            $vis fn type_name(&self) -> &'static str {
                match self { $(Self::$variant(_) => stringify!($variant)),* }
            }
        }

        $(
            impl From<$payload> for $name {
                fn from(payload: $payload) -> Self {
                    Self::$variant(payload)
                }
            }

            impl From<$payload> for $crate::schema::gql::Resolved<$name> {
                fn from(payload: $payload) -> Self {
                    Self::Object($name::$variant(payload))
                }
            }

            impl $crate::schema::gql::FromObject<$name> for $payload {
                fn from_object(object: &$name) -> Option<&Self> {
                    match object {
                        $name::$variant(payload) => Some(payload),
                        _ => None,
                    }
                }
            }
        )*
    };
}
