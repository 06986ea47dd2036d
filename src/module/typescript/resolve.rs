//! What a specifier in an import stands for.
//!
//! Main type: [`Resolver`]. Accepts what compilers and bundlers of TypeScript accept: names with and
//! without extension, `.js` for `.ts`, directories with an `index`, and `paths` of `tsconfig.json`.

use std::collections::BTreeMap;

use serde_json::Value as Json;

/// Names the SDK is imported by.
pub(super) const SDK_NAMES: [&str; 2] = ["@dagger.io/dagger", "nsci"];

/// Endings of TypeScript files, which are transpiled.
const TYPESCRIPT: [&str; 4] = [".ts", ".mts", ".cts", ".tsx"];

/// What a specifier stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Resolved {
    /// The SDK.
    Sdk,
    /// A file of the module.
    File(String),
    /// A package, or something that is not there.
    External,
}

/// Knows the files of a module.
#[derive(Debug)]
pub(super) struct Resolver<'a> {
    files: &'a BTreeMap<String, String>,
    /// Patterns of `tsconfig.json`, and what they stand for.
    paths: Vec<(String, Vec<String>)>,
}

impl<'a> Resolver<'a> {
    /// Knows these files, and what `tsconfig.json` among them says.
    pub(super) fn new(files: &'a BTreeMap<String, String>) -> Self {
        let paths = files
            .get("tsconfig.json")
            .map_or_else(Vec::new, |text| configured_paths(text));
        Self { files, paths }
    }

    /// What a specifier in a file stands for.
    pub(super) fn resolve(&self, from: &str, specifier: &str) -> Resolved {
        if is_sdk(specifier) {
            return Resolved::Sdk;
        }
        if specifier.starts_with("./") || specifier.starts_with("../") || specifier == "." {
            let directory = from.rsplit_once('/').map_or("", |(directory, _)| directory);
            let Some(path) = join(directory, specifier) else {
                return Resolved::External;
            };
            return self.find(&path);
        }
        let targets = self.paths.iter().find_map(|(pattern, targets)| {
            let (prefix, suffix) = pattern.split_once('*').unwrap_or((pattern, ""));
            let middle = specifier.strip_prefix(prefix)?.strip_suffix(suffix)?;
            (pattern.contains('*') || middle.is_empty()).then_some((middle, targets))
        });
        let Some((middle, targets)) = targets else {
            return Resolved::External;
        };
        let found = targets.iter().find_map(|target| {
            let path = join("", &target.replace('*', middle))?;
            Some(self.find(&path)).filter(|found| *found != Resolved::External)
        });
        found.unwrap_or(Resolved::External)
    }

    fn find(&self, path: &str) -> Resolved {
        if let Some(file) = self.file(path) {
            return Resolved::File(file);
        }
        // Where older tools left their copy of the SDK.
        if path == "sdk" || path.starts_with("sdk/") {
            return Resolved::Sdk;
        }
        Resolved::External
    }

    fn file(&self, path: &str) -> Option<String> {
        let has = |path: String| self.files.contains_key(&path).then_some(path);
        let script = [
            (".js", ".ts"),
            (".mjs", ".mts"),
            (".cjs", ".cts"),
            (".jsx", ".tsx"),
        ];
        let instead = script
            .into_iter()
            .find_map(|(script, source)| has(format!("{}{source}", path.strip_suffix(script)?)));
        let within = if path.is_empty() { "" } else { "/" };
        instead
            .or_else(|| has(path.to_owned()))
            .or_else(|| {
                TYPESCRIPT
                    .iter()
                    .find_map(|end| has(format!("{path}{end}")))
            })
            .or_else(|| {
                [".js", ".mjs", ".cjs"]
                    .iter()
                    .find_map(|end| has(format!("{path}{end}")))
            })
            .or_else(|| {
                let mut ends = TYPESCRIPT.iter().chain(&[".js", ".mjs"]);
                ends.find_map(|end| has(format!("{path}{within}index{end}")))
            })
    }
}

/// Whether a file is TypeScript, so that it has to be transpiled.
pub(super) fn is_typescript(path: &str) -> bool {
    TYPESCRIPT.iter().any(|end| path.ends_with(end)) && !is_declaration(path)
}

/// Whether a file only declares what others have.
pub(super) fn is_declaration(path: &str) -> bool {
    [".d.ts", ".d.mts", ".d.cts"]
        .iter()
        .any(|end| path.ends_with(end))
}

/// Path of the script made of a TypeScript file.
pub(super) fn script_path(path: &str) -> String {
    format!("{path}.mjs")
}

/// How a file is referred to from another in the same tree.
pub(super) fn relative(from: &str, to: &str) -> String {
    let from: Vec<&str> = from.split('/').collect();
    let to: Vec<&str> = to.split('/').collect();
    let directory = &from[..from.len() - 1];
    let shared = directory
        .iter()
        .zip(&to)
        .take_while(|(a, b)| a == b)
        .count();
    let shared = shared.min(to.len() - 1);
    let up = "../".repeat(directory.len() - shared);
    let up = if up.is_empty() { "./" } else { &up };
    format!("{up}{}", to[shared..].join("/"))
}

fn is_sdk(specifier: &str) -> bool {
    SDK_NAMES.iter().any(|name| {
        let rest = specifier.strip_prefix(name);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// A path without `.` and `..`; `None` if it leads out of the tree.
fn join(directory: &str, path: &str) -> Option<String> {
    let mut parts: Vec<&str> = directory
        .split('/')
        .filter(|part| !part.is_empty())
        .collect();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

fn configured_paths(text: &str) -> Vec<(String, Vec<String>)> {
    let Ok(config) = serde_json::from_str::<Json>(&plain_json(text)) else {
        return Vec::new();
    };
    let options = &config["compilerOptions"];
    let base = options["baseUrl"].as_str().unwrap_or(".");
    let paths = options["paths"].as_object().into_iter().flatten();
    paths
        .map(|(pattern, targets)| {
            let targets = targets.as_array().into_iter().flatten();
            let targets = targets.filter_map(|target| join(base, target.as_str()?));
            (pattern.clone(), targets.collect())
        })
        .collect()
}

/// JSON without the comments and last commas that `tsconfig.json` may have.
fn plain_json(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.trim_start_matches('\u{feff}').chars().peekable();
    let mut in_text = false;
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            match c {
                '\\' => out.extend(chars.next()),
                '"' => in_text = false,
                _ => {}
            }
            continue;
        }
        match (c, chars.peek()) {
            ('/', Some('/')) => while chars.next_if(|c| *c != '\n').is_some() {},
            ('/', Some('*')) => {
                let mut last = ' ';
                for c in chars.by_ref().skip(1) {
                    if last == '*' && c == '/' {
                        break;
                    }
                    last = c;
                }
            }
            (']' | '}', _) => {
                let kept = out.trim_end().trim_end_matches(',').len();
                out.truncate(kept);
                out.push(c);
            }
            _ => {
                in_text = c == '"';
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(paths: &[&str]) -> BTreeMap<String, String> {
        paths
            .iter()
            .map(|path| ((*path).to_owned(), String::new()))
            .collect()
    }

    #[test]
    fn specifiers_are_found_as_bundlers_find_them() {
        let mut files = files(&[
            "src/index.ts",
            "src/util.ts",
            "src/kinds/index.ts",
            "src/old.js",
            "lib/a.mts",
        ]);
        files.insert(
            "tsconfig.json".into(),
            r#"{ // where things are
                "compilerOptions": {"paths": {"@lib/*": ["./lib/*"], "util": ["src/util.ts",], /* x */
                "@dagger.io/dagger": ["./sdk"]},},}"#
                .into(),
        );
        let resolver = Resolver::new(&files);
        let file = |path: &str| Resolved::File(path.to_owned());
        for (specifier, wanted) in [
            ("./util", file("src/util.ts")),
            ("./util.ts", file("src/util.ts")),
            ("./util.js", file("src/util.ts")),
            ("./kinds", file("src/kinds/index.ts")),
            ("./old", file("src/old.js")),
            ("../lib/a.mjs", file("lib/a.mts")),
            ("@lib/a", file("lib/a.mts")),
            ("util", file("src/util.ts")),
            (".", file("src/index.ts")),
            ("./nothing", Resolved::External),
            ("../../outside", Resolved::External),
            ("node:fs", Resolved::External),
            ("nsci", Resolved::Sdk),
            ("@dagger.io/dagger", Resolved::Sdk),
            ("@dagger.io/dagger/core", Resolved::Sdk),
            ("@dagger.io/other", Resolved::External),
            ("../sdk/client.gen.js", Resolved::Sdk),
        ] {
            assert_eq!(
                resolver.resolve("src/index.ts", specifier),
                wanted,
                "{specifier}"
            );
        }
    }

    #[test]
    fn files_refer_to_each_other_by_relative_paths() {
        for (from, to, wanted) in [
            ("index.ts", "util.ts.mjs", "./util.ts.mjs"),
            ("src/index.ts", "src/a/b.ts.mjs", "./a/b.ts.mjs"),
            ("src/a/b.ts", "src/index.ts.mjs", "../index.ts.mjs"),
            ("src/a/b.ts", "lib/c.ts.mjs", "../../lib/c.ts.mjs"),
        ] {
            assert_eq!(relative(from, to), wanted, "{from} {to}");
        }
    }
}
