//! Names of the SDK as types of the API.

use crate::module::typedef::TypeKind;

pub(super) use crate::module::python::{CORE_ENUMS, CORE_SCALARS};

/// Whether the SDK's name is that of an enum.
pub(super) fn is_enum(name: &str) -> bool {
    CORE_ENUMS.contains(&name)
}

/// The type that a name of the SDK means; any that is not known otherwise is an object's.
pub(super) fn kind(name: &str) -> TypeKind {
    if name == "float" {
        return TypeKind::Float;
    }
    if is_enum(name) {
        return TypeKind::Enum { name: name.into() };
    }
    if CORE_SCALARS.contains(&name) {
        return TypeKind::Scalar { name: name.into() };
    }
    if name.len() > 2 && name.ends_with("ID") {
        return TypeKind::Scalar { name: "ID".into() };
    }
    // Names that the language has itself are written with an underscore at the end.
    let name = name.strip_suffix('_').unwrap_or(name);
    TypeKind::Object { name: name.into() }
}
