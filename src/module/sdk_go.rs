//! The Go SDK, embedded in the binary.
//!
//! [`FILES`] is what [`CopySdk`](super::runtime_plan::SetupStep::CopySdk) writes into the image that
//! compiles a Go module. [`names`] says what the SDK's package declares, which is how a reader of Go
//! source knows the core's types.

use std::collections::BTreeMap;
use std::sync::OnceLock;

macro_rules! embedded {
    ($path:literal) => {
        ($path, include_str!(concat!("../../sdk/go/", $path)))
    };
}

/// Files of the SDK: path in its Go module, and contents.
pub const FILES: &[(&str, &str)] = &[
    embedded!("client.go"),
    embedded!("dagger.gen.go"),
    embedded!("errors.go"),
    embedded!("go.mod"),
    embedded!("module/module.go"),
    embedded!("querybuilder/querybuilder.go"),
    embedded!("session.go"),
    embedded!("transport.go"),
];

/// What a name of the SDK's package is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// An object of the API.
    Object,
    /// An enum.
    Enum,
    /// Another text.
    Scalar,
    /// Any other type: arguments, ids, functions.
    Type,
    /// A constant.
    Const,
}

/// Names that the generated part of the SDK's package declares.
pub fn names() -> &'static BTreeMap<&'static str, Declared> {
    static NAMES: OnceLock<BTreeMap<&'static str, Declared>> = OnceLock::new();
    NAMES.get_or_init(|| {
        let (_, client) = FILES
            .iter()
            .find(|(path, _)| *path == "dagger.gen.go")
            .expect("the SDK has a client");
        declared(client)
    })
}

fn declared(client: &'static str) -> BTreeMap<&'static str, Declared> {
    let mut names = BTreeMap::new();
    let mut last = "";
    for line in client.lines() {
        if let Some(rest) = line.strip_prefix("type ") {
            let (name, ty) = rest.split_once(' ').unwrap_or((rest, ""));
            let kind = if ty == "string" {
                Declared::Scalar
            } else {
                Declared::Type
            };
            names.insert(name, kind);
            last = name;
        } else if line.starts_with("\tquery *querybuilder.Selection") {
            names.insert(last, Declared::Object);
        } else if line.ends_with(") IsEnum() {}") {
            names.insert(last, Declared::Enum);
        } else if let Some((name, _)) = line
            .strip_prefix('\t')
            .filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))
            .and_then(|rest| rest.split_once(" = ").or_else(|| rest.split_once(' ')))
            && line.contains(" = ")
        {
            let name = name.split(' ').next().unwrap_or(name);
            names.insert(name, Declared::Const);
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn list(directory: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).expect("can list") {
            let entry = entry.expect("can list");
            let name = entry.file_name().into_string().expect("is UTF-8");
            if entry.file_type().expect("has a type").is_dir() {
                list(&entry.path(), &format!("{prefix}{name}/"), found);
            } else if !name.ends_with("_test.go") && name != "README.md" {
                found.push(format!("{prefix}{name}"));
            }
        }
    }

    #[test]
    fn every_file_of_the_sdk_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/go");
        let mut found = Vec::new();
        list(&root, "", &mut found);
        found.sort();
        let embedded: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, found);
    }

    #[test]
    fn names_of_the_client_are_known() {
        for (name, kind) in [
            ("Container", Declared::Object),
            ("CacheSharingMode", Declared::Enum),
            ("Platform", Declared::Scalar),
            ("ContainerWithExecOpts", Declared::Type),
            ("ContainerID", Declared::Type),
            ("WithContainerFunc", Declared::Type),
            ("CacheSharingModeLocked", Declared::Const),
            ("Locked", Declared::Const),
        ] {
            assert_eq!(names().get(name), Some(&kind), "{name}");
        }
        assert_eq!(names().get("Config"), None);
    }
}
