//! `nsci core --coverage`: which fields of the Dagger API are served.
//!
//! The list it is held against is `surface.txt` beside this file: one `Type.field` per line, taken from the published
//! schema, grouped by how much official clients and modules rely on them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use nsci::schema;
use nsci::schema::gql::TypeTable;

use crate::output::Output;
use crate::report::Failure;

const SURFACE: &str = include_str!("surface.txt");

/// Reports what is served and what is not.
///
/// # Errors
/// If the API itself is faulty.
pub(super) fn coverage() -> Result<Output, Failure> {
    let schema = schema::build(schema::core())
        .map_err(|error| Failure::internal(format!("the API is faulty: {}", error.message)))?;
    Ok(Output::text(report(SURFACE, schema.table())))
}

/// The part of the list under one heading.
struct Group<'a> {
    name: &'a str,
    served: usize,
    missing: BTreeMap<&'a str, Vec<&'a str>>,
}

impl Group<'_> {
    fn missing(&self) -> usize {
        self.missing.values().map(Vec::len).sum()
    }
}

fn groups<'a>(surface: &'a str, types: &TypeTable) -> Vec<Group<'a>> {
    let mut groups: Vec<Group<'a>> = Vec::new();
    for line in surface.lines().map(str::trim) {
        if let Some(name) = line.strip_prefix("# ") {
            groups.push(Group {
                name,
                served: 0,
                missing: BTreeMap::new(),
            });
            continue;
        }
        let (Some(group), Some((ty, field))) = (groups.last_mut(), line.split_once('.')) else {
            continue;
        };
        let fields = types.get(ty).map_or(&[][..], |ty| ty.fields());
        match fields.iter().any(|known| known.name == field) {
            true => group.served += 1,
            false => group.missing.entry(ty).or_default().push(field),
        }
    }
    groups
}

fn report(surface: &str, types: &TypeTable) -> String {
    let groups = groups(surface, types);
    let mut out = String::new();
    for group in &groups {
        let all = group.served + group.missing();
        _ = writeln!(out, "{}: {} of {all} fields", group.name, group.served);
        for (ty, fields) in &group.missing {
            _ = writeln!(out, "  missing {ty}: {}", fields.join(" "));
        }
    }
    let served: usize = groups.iter().map(|group| group.served).sum();
    let missing: usize = groups.iter().map(Group::missing).sum();
    _ = writeln!(out, "all: {served} of {} fields", served + missing);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn served_and_missing_fields_are_told_apart() {
        let schema = schema::build(schema::core()).unwrap();
        let surface = "# basics\nContainer.from\nContainer.frobnicate\n# more\nNothing.at\n";
        insta::assert_snapshot!(report(surface, schema.table()), @r"
        basics: 1 of 2 fields
          missing Container: frobnicate
        more: 0 of 1 fields
          missing Nothing: at
        all: 1 of 3 fields
        ");
    }

    #[test]
    fn list_holds_names_only() {
        for line in SURFACE
            .lines()
            .filter(|line| !line.starts_with("# ") && !line.is_empty())
        {
            let name = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric());
            assert!(
                line.split_once('.')
                    .is_some_and(|(ty, field)| name(ty) && name(field)),
                "{line}"
            );
        }
    }
}
