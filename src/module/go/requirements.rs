//! What becomes of a module's `go.mod`.
//!
//! The SDK is always the embedded one, whatever version a `go.mod` asks for, and what only generated
//! code of other tools required is dropped, so that nothing is downloaded for it. A module without a
//! `go.mod` gets one.

use std::collections::{BTreeMap, BTreeSet};

use crate::module::names;

/// Import path of the SDK.
pub const SDK: &str = "dagger.io/dagger";

/// Version of Go that a new `go.mod` names.
const GO: &str = "1.23";

/// Versions that are taken for modules that a module without `go.mod` may use, with their checksums.
const KNOWN: &[(&str, &str, &str)] = &[(
    "golang.org/x/sync",
    "v0.10.0",
    "golang.org/x/sync v0.10.0 h1:3NQrjDixjgGwUOCaF8w2+VYHv0Ve/vGYSbdkTa98gmQ=\n\
     golang.org/x/sync v0.10.0/go.mod h1:Czt+wKu1gCyEFDUtn0jG5QVvpJ6rzVqr5aXyt9drQfk=\n",
)];

/// A module's requirements as they are built with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirements {
    /// `go.mod`.
    pub go_mod: String,
    /// `go.sum`.
    pub go_sum: String,
    /// `vendor/modules.txt`, if what is required lies in the module.
    pub modules_txt: Option<String>,
    /// Path of the module, which imports of its packages begin with.
    pub path: String,
    /// Version of Go that it asks for, as `(1, 23)`.
    pub go: (u32, u32),
}

/// Reads the requirements of a module from its files; `sdk` is where the SDK will be.
pub fn requirements(name: &str, files: &BTreeMap<String, String>, sdk: &str) -> Requirements {
    let imports = imports(files);
    let vendored = files.get("vendor/modules.txt");
    let go_sum = files.get("go.sum").cloned().unwrap_or_default();
    let (text, go_sum) = match files.get("go.mod") {
        Some(text) => (edited(text, &imports, vendored.is_none()), go_sum),
        None => written(name, &imports, go_sum),
    };
    let word = |wanted: &str| {
        text.lines().find_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some(wanted)).then(|| {
                words
                    .next()
                    .unwrap_or_default()
                    .trim_matches('"')
                    .to_owned()
            })
        })
    };
    let path = word("module").unwrap_or_else(|| "main".into());
    let go = word("go").and_then(|version| {
        let mut numbers = version.split('.').map_while(|part| part.parse().ok());
        Some((numbers.next()?, numbers.next()?))
    });
    Requirements {
        go_mod: format!("{text}\nrequire {SDK} v0.0.0\n\nreplace {SDK} => {sdk}\n"),
        go_sum,
        modules_txt: vendored.map(|text| with_sdk(text, sdk)),
        path,
        go: go.unwrap_or((1, 21)),
    }
}

/// A `go.mod` for editors: as it is, with the SDK in a directory of the module.
pub fn for_editor(existing: &str, sdk: &str) -> String {
    let text = edited(existing, &BTreeSet::new(), false);
    format!(
        "{}\n\nrequire {SDK} v0.0.0\n\nreplace {SDK} => ./{sdk}\n",
        text.trim_end()
    )
}

/// Every path that the module's files import.
fn imports(files: &BTreeMap<String, String>) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for text in files
        .iter()
        .filter(|(path, _)| path.ends_with(".go"))
        .map(|(_, text)| text)
    {
        let mut grouped = false;
        for line in text.lines().map(str::trim) {
            let spec = match line.strip_prefix("import") {
                Some(rest) => {
                    grouped = rest.trim_start().starts_with('(');
                    rest
                }
                None if grouped && line.starts_with(')') => {
                    grouped = false;
                    continue;
                }
                None if grouped => line,
                None => continue,
            };
            let mut parts = spec.split('"');
            parts.next();
            found.extend(parts.next().map(str::to_owned));
        }
    }
    found
}

fn provides(module: &str, import: &str) -> bool {
    import
        .strip_prefix(module)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn written(name: &str, imports: &BTreeSet<String>, mut go_sum: String) -> (String, String) {
    let inside = imports
        .iter()
        .find_map(|path| path.strip_suffix("/internal/dagger"));
    let path = match inside {
        Some(path) => path.to_owned(),
        None => format!("dagger/{}", names::kebab(name)),
    };
    let mut text = format!("module {path}\n\ngo {GO}\n");
    for (module, version, sums) in KNOWN {
        if imports.iter().any(|import| provides(module, import)) {
            text.push_str(&format!("\nrequire {module} {version}\n"));
            go_sum.push_str(sums);
        }
    }
    (text, go_sum)
}

/// A `go.mod` without the SDK and, if asked, without what nothing but generated code needs.
fn edited(text: &str, imports: &BTreeSet<String>, drop_unused: bool) -> String {
    let mut block: Option<String> = None;
    let mut lines: Vec<(Option<Requirement>, &str)> = Vec::new();
    for line in text.lines() {
        let code = line.split("//").next().unwrap_or_default();
        let mut words = code.split_whitespace();
        let mut first = words.next();
        let mut verb = block.clone();
        if verb.is_none() {
            verb = first.map(str::to_owned);
            first = words.next();
            if first == Some("(") {
                block = verb;
                lines.push((None, line));
                continue;
            }
        } else if first == Some(")") {
            block = None;
            lines.push((None, line));
            continue;
        }
        let module = first.unwrap_or_default().trim_matches('"');
        let requirement = match verb.as_deref() {
            Some("require") if !module.is_empty() => Some(Requirement {
                sdk: module == SDK,
                used: imports.iter().any(|import| provides(module, import)),
                indirect: line.contains("// indirect"),
            }),
            Some("replace" | "exclude") if module == SDK => Some(Requirement {
                sdk: true,
                used: false,
                indirect: false,
            }),
            _ => None,
        };
        lines.push((requirement, line));
    }
    let has_own = lines
        .iter()
        .any(|(requirement, _)| requirement.as_ref().is_some_and(|r| r.used && !r.sdk));
    let kept = lines
        .into_iter()
        .filter(|(requirement, _)| match requirement {
            None => true,
            Some(requirement) if requirement.sdk => false,
            Some(requirement) => {
                !drop_unused || requirement.used || (requirement.indirect && has_own)
            }
        });
    let mut out = String::new();
    for (_, line) in kept {
        out.push_str(line);
        out.push('\n');
    }
    out
}

struct Requirement {
    sdk: bool,
    used: bool,
    indirect: bool,
}

/// `vendor/modules.txt` with the embedded SDK in it.
fn with_sdk(text: &str, sdk: &str) -> String {
    let mut out = String::new();
    let mut own = false;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# ") {
            own = rest.split_whitespace().next() == Some(SDK);
        }
        if !own {
            out.push_str(line);
            out.push('\n');
        }
    }
    out.push_str(&format!(
        "# {SDK} v0.0.0 => {sdk}\n## explicit; go 1.21\n{SDK}\n{SDK}/module\n{SDK}/querybuilder\n# {SDK} => {sdk}\n"
    ));
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(files: &[(&str, &str)]) -> Requirements {
        let files = files
            .iter()
            .map(|(path, text)| ((*path).to_owned(), (*text).to_owned()));
        requirements("my-app", &files.collect(), "/sdk")
    }

    #[test]
    fn module_without_go_mod_gets_one() {
        let plain = of(&[("main.go", "package main\n")]);
        assert_eq!(plain.path, "dagger/my-app");
        assert_eq!(plain.go, (1, 23));
        assert!(
            plain
                .go_mod
                .ends_with("require dagger.io/dagger v0.0.0\n\nreplace dagger.io/dagger => /sdk\n")
        );
        assert!(plain.go_sum.is_empty());
        let named = of(&[(
            "main.go",
            "package main\nimport (\n\t\"example.org/ci/internal/dagger\"\n\n\t\"golang.org/x/sync/errgroup\"\n)\n",
        )]);
        assert_eq!(named.path, "example.org/ci");
        assert!(named.go_mod.contains("require golang.org/x/sync v0.10.0\n"));
        assert!(named.go_sum.contains("golang.org/x/sync v0.10.0 h1:"));
    }

    #[test]
    fn what_only_generated_code_required_is_dropped() {
        let go_mod = "module dagger/ci\n\ngo 1.24.0\n\nrequire (\n\tdagger.io/dagger v0.18.0\n\
            \tgithub.com/Khan/genqlient v0.8.0\n\tgolang.org/x/sync v0.12.0\n)\n\n\
            require (\n\tgo.opentelemetry.io/otel v1.34.0 // indirect\n)\n\n\
            replace dagger.io/dagger => ../sdk\nreplace go.opentelemetry.io/otel/log => go.opentelemetry.io/otel/log v0.8.0\n";
        let used = of(&[
            (
                "main.go",
                "package main\nimport \"golang.org/x/sync/errgroup\"\n",
            ),
            ("go.mod", go_mod),
        ]);
        assert_eq!(used.go, (1, 24));
        assert!(!used.go_mod.contains("v0.18.0"));
        assert!(!used.go_mod.contains("../sdk"));
        assert!(!used.go_mod.contains("genqlient"));
        assert!(used.go_mod.contains("golang.org/x/sync v0.12.0"));
        assert!(used.go_mod.contains("otel v1.34.0"));
        let unused = of(&[("main.go", "package main\n"), ("go.mod", go_mod)]);
        assert!(!unused.go_mod.contains("otel v1.34.0"), "{}", unused.go_mod);
        assert!(!unused.go_mod.contains("golang.org/x/sync"));
    }

    #[test]
    fn editors_get_the_sdk_and_nothing_else_changes() {
        let go_mod = "module m\n\ngo 1.22\n\nrequire example.org/a v1.0.0\n";
        let once = for_editor(go_mod, "sdk");
        assert!(once.starts_with(go_mod), "{once}");
        assert!(once.ends_with("\nreplace dagger.io/dagger => ./sdk\n"));
        assert_eq!(for_editor(&once, "sdk"), once);
    }

    #[test]
    fn vendored_requirements_stay_and_the_sdk_joins_them() {
        let vendored = of(&[
            ("main.go", "package main\n"),
            (
                "go.mod",
                "module m\n\ngo 1.22\n\nrequire example.org/a v1.0.0\n",
            ),
            (
                "vendor/modules.txt",
                "# dagger.io/dagger v0.9.0\n## explicit\ndagger.io/dagger\n# example.org/a v1.0.0\n## explicit\nexample.org/a\n",
            ),
        ]);
        assert!(vendored.go_mod.contains("example.org/a v1.0.0"));
        let text = vendored.modules_txt.expect("there is one");
        assert!(text.starts_with("# example.org/a v1.0.0\n"), "{text}");
        assert!(text.contains("# dagger.io/dagger v0.0.0 => /sdk\n"));
        assert!(!text.contains("v0.9.0"));
    }
}
