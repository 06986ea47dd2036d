//! `nsci core --docs`: the reference page of the API, as docs/api.md holds it.

use nsci::schema;
use nsci::schema::gql::{View, reference};

use crate::output::Output;
use crate::report::Failure;

const HEAD: &str = "# API reference\n\n\
    Written by `nsci core --docs` from the declarations beside the resolvers; do not edit.\n\
    [cli.md](cli.md) says how to call the API, `nsci core --coverage` what of Dagger's is missing.\n\n";

/// Prints the reference page.
///
/// # Errors
/// If the API itself is faulty.
pub(super) fn docs() -> Result<Output, Failure> {
    let schema = schema::build(schema::core())
        .map_err(|error| Failure::internal(format!("the API is faulty: {}", error.message)))?;
    let page = reference::markdown(schema.table(), View::LATEST);
    Ok(Output::text(HEAD.to_owned() + &page))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_has_a_text() {
        let page = docs().unwrap().text;
        let lines: Vec<&str> = page.lines().collect();
        let bare = lines.windows(3).filter(|part| {
            part[0].starts_with("## ") && (part[2].is_empty() || part[2].starts_with('#'))
        });
        let untold: Vec<_> = bare.map(|part| part[0]).collect();
        assert_eq!(untold, Vec::<&str>::new());
        let empty: Vec<_> = lines.iter().filter(|line| line.ends_with("`: ")).collect();
        assert_eq!(empty, Vec::<&&str>::new());
    }
}
