//! The directives the API knows: GraphQL's own and those that code generators read.

use super::registry::{Backend, Registry};

/// Declares all of them.
///
/// Only locations of the 2021 specification: graphql-core refuses others.
pub(crate) fn declare<B: Backend>(registry: &mut Registry<B>) {
    let selection = &["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"][..];
    let field = &["FIELD_DEFINITION"][..];
    let argument = &["ARGUMENT_DEFINITION"][..];
    let marks = &[
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "INPUT_FIELD_DEFINITION",
        "ENUM_VALUE",
    ][..];
    let sources = &[
        "SCALAR",
        "OBJECT",
        "FIELD_DEFINITION",
        "ARGUMENT_DEFINITION",
        "UNION",
        "ENUM",
        "ENUM_VALUE",
        "INPUT_OBJECT",
    ][..];
    for (name, doc, locations, args) in [
        (
            "include",
            "Selects only if true.",
            selection,
            &["if: Boolean!"][..],
        ),
        ("skip", "Selects unless true.", selection, &["if: Boolean!"]),
        (
            "deprecated",
            "Not to be used any more.",
            marks,
            &["reason: String = \"No longer supported\""],
        ),
        (
            "specifiedBy",
            "Where a scalar is specified.",
            &["SCALAR"],
            &["url: String!"],
        ),
        (
            "experimental",
            "May change or go without notice.",
            marks,
            &["reason: String!"],
        ),
        (
            "expectedType",
            "The object that the id names.",
            &["ARGUMENT_DEFINITION", "FIELD_DEFINITION"],
            &["name: String!"],
        ),
        (
            "enumValue",
            "The value that the name stands for.",
            &["ENUM_VALUE"],
            &["value: String!"],
        ),
        (
            "sourceMap",
            "Where a module declares it.",
            sources,
            &[
                "module: String!",
                "filename: String!",
                "line: Int!",
                "column: Int!",
                "url: String!",
            ],
        ),
        (
            "defaultPath",
            "The path taken when none is given.",
            argument,
            &["path: String!"],
        ),
        (
            "defaultAddress",
            "The address taken when none is given.",
            argument,
            &["address: String!"],
        ),
        (
            "ignorePatterns",
            "What is left out of the path.",
            argument,
            &["patterns: [String!]!"],
        ),
        ("check", "Is run by `check`.", field, &[]),
        ("generate", "Is run by `generate`.", field, &[]),
        ("up", "Is run by `up`.", field, &[]),
        ("agent", "Gives an agent.", field, &[]),
        (
            "cache",
            "How results are kept.",
            field,
            &["policy: String", "ttl: String"],
        ),
    ] {
        registry.directive(name, doc, locations, args);
    }
}
