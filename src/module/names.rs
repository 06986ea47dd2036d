//! Conversion between the spellings one name has in an SDK, in the API and on the command line.
//!
//! The rules are those of the `strcase` library which module authors' existing names were made
//! with, including its habits: digits are words of their own on the command line (`arg1` is
//! `--arg-1`) and a letter after a digit starts a word in the API (`py3test` is `py3Test`).
//! Only ASCII letters and digits take part; names are identifiers.

/// Name of a type in the API: `my-app`, `my_app` and `myApp` all give `MyApp`.
pub fn pascal(name: &str) -> String {
    camel(name, true)
}

/// Name of a function, field or argument in the API: `build_with_uv` gives `buildWithUv`.
pub fn lower_camel(name: &str) -> String {
    camel(name, false)
}

/// Name of a function or flag on the command line: `buildWithUv` gives `build-with-uv`.
pub fn kebab(name: &str) -> String {
    delimited(name, '-')
}

/// Name of a function or argument in Python: `withExec` gives `with_exec`.
pub fn snake(name: &str) -> String {
    delimited(name, '_')
}

/// Name of an enum member in the API: kept when it already shouts, else made to.
pub fn enum_member(name: &str) -> String {
    let mut bytes = name.bytes();
    let shouts = bytes.next().is_some_and(|b| b.is_ascii_uppercase())
        && bytes.all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_');
    if shouts {
        name.to_owned()
    } else {
        delimited(name, '_').to_ascii_uppercase()
    }
}

/// Name of a module's type in the schema, where all modules' types live together.
///
/// The main object takes the module's own name; any other is prefixed with it, unless its name
/// already starts with that prefix at a word boundary (`BarFoo` stays in module `bar`).
pub fn namespaced(module: &str, main_object: &str, type_name: &str) -> String {
    let module = pascal(module);
    let name = pascal(type_name);
    if type_name == main_object || name == module {
        return module;
    }
    match name.strip_prefix(&module) {
        Some(rest) if !rest.starts_with(|c: char| c.is_ascii_lowercase()) => name,
        _ => module + &name,
    }
}

fn is_separator(c: char) -> bool {
    matches!(c, '_' | ' ' | '-' | '.')
}

fn camel(name: &str, upper_first: bool) -> String {
    let name = name.trim();
    // The one acronym the rules know: `ID` is a word, not `I` followed by `D`.
    if name == "ID" {
        return if upper_first { "Id" } else { "id" }.to_owned();
    }
    let mut out = String::with_capacity(name.len());
    let mut start_word = upper_first;
    let mut after_upper = false;
    for (at, c) in name.chars().enumerate() {
        if c.is_ascii_alphabetic() {
            let lower = !start_word && (at == 0 || (after_upper && c.is_ascii_uppercase()));
            out.push(match (start_word, lower) {
                (true, _) => c.to_ascii_uppercase(),
                (false, true) => c.to_ascii_lowercase(),
                (false, false) => c,
            });
            start_word = false;
        } else if c.is_ascii_digit() {
            out.push(c);
            start_word = true;
        } else {
            start_word = is_separator(c);
        }
        after_upper = c.is_ascii_uppercase();
    }
    out
}

fn delimited(name: &str, delimiter: char) -> String {
    let chars: Vec<char> = name.trim().chars().collect();
    let mut out = String::with_capacity(chars.len() + 4);
    for (at, &c) in chars.iter().enumerate() {
        if is_separator(c) {
            out.push(delimiter);
            continue;
        }
        let previous = at.checked_sub(1).map(|before| chars[before]);
        let next = chars.get(at + 1).copied();
        if previous.is_some_and(|before| starts_word(before, c, next)) {
            out.push(delimiter);
        }
        out.push(c.to_ascii_lowercase());
    }
    out
}

/// Whether `c` begins a word given its neighbours.
fn starts_word(before: char, c: char, next: Option<char>) -> bool {
    let into_number = before.is_ascii_alphabetic() && c.is_ascii_digit();
    let out_of_number = before.is_ascii_digit() && c.is_ascii_alphabetic();
    let hump = before.is_ascii_lowercase() && c.is_ascii_uppercase();
    let acronym_end = before.is_ascii_uppercase()
        && c.is_ascii_uppercase()
        && next.is_some_and(|after| after.is_ascii_lowercase());
    into_number || out_of_number || hump || acronym_end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn api_type_names_are_pascal_case() {
        for (from, to) in [
            ("my-app", "MyApp"),
            ("my_app", "MyApp"),
            ("MyApp", "MyApp"),
            ("myApp", "MyApp"),
            // An acronym running into a word loses the boundary: those are the rules.
            ("HTTPServer", "Httpserver"),
            ("app2go", "App2Go"),
            ("ID", "Id"),
            ("", ""),
        ] {
            assert_eq!(pascal(from), to, "{from}");
        }
    }

    #[test]
    fn api_field_names_are_lower_camel_case() {
        for (from, to) in [
            ("build", "build"),
            ("build_with_uv", "buildWithUv"),
            ("with-exec", "withExec"),
            ("Build", "build"),
            ("py3test", "py3Test"),
            ("arg1", "arg1"),
            ("id", "id"),
            ("ID", "id"),
            ("_private", "Private"),
        ] {
            assert_eq!(lower_camel(from), to, "{from}");
        }
    }

    #[test]
    fn command_line_names_split_at_humps_digits_and_acronyms() {
        for (from, to) in [
            ("build", "build"),
            ("buildWithUv", "build-with-uv"),
            ("build_with_uv", "build-with-uv"),
            ("arg1", "arg-1"),
            ("py3Test", "py-3-test"),
            ("JSONData", "json-data"),
            ("someJSON", "some-json"),
            ("awsAccessKeyId", "aws-access-key-id"),
        ] {
            assert_eq!(kebab(from), to, "{from}");
        }
    }

    #[test]
    fn python_names_are_snake_case() {
        for (from, to) in [
            ("withExec", "with_exec"),
            ("asJSON", "as_json"),
            ("loadContainerFromID", "load_container_from_id"),
            ("commitSHA", "commit_sha"),
        ] {
            assert_eq!(snake(from), to, "{from}");
        }
    }

    #[test]
    fn enum_members_shout() {
        for (from, to) in [
            ("LOW", "LOW"),
            ("V1_2", "V1_2"),
            ("low", "LOW"),
            ("VeryLow", "VERY_LOW"),
        ] {
            assert_eq!(enum_member(from), to, "{from}");
        }
    }

    #[test]
    fn module_prefix_is_added_once() {
        for (module, main, name, to) in [
            ("bar", "Bar", "Bar", "Bar"),
            ("bar", "Bar", "Foo", "BarFoo"),
            ("bar", "Bar", "BarFoo", "BarFoo"),
            ("bar", "Bar", "Barrel", "BarBarrel"),
            ("my-app", "MyApp", "MyApp", "MyApp"),
            ("my-app", "MyApp", "MyAppConfig", "MyAppConfig"),
            ("myproject", "MyApp", "MyApp", "Myproject"),
            ("myproject", "MyApp", "Report", "MyprojectReport"),
        ] {
            assert_eq!(namespaced(module, main, name), to, "{module} {name}");
        }
    }
}
