//! The TypeScript SDK, embedded in the binary.
//!
//! [`files`] is what [`CopySdk`](super::runtime_plan::SetupStep::CopySdk) writes into the image of a
//! TypeScript module: scripts, made of the sources by the same transpiler that modules go through.
//! [`SOURCES`] is what `develop` writes beside a module, for editors.

use super::typescript::transpile;

macro_rules! embedded {
    ($path:literal) => {
        (
            $path,
            include_str!(concat!("../../sdk/typescript/src/", $path)),
        )
    };
}

/// Sources of the SDK: path and contents.
pub const SOURCES: &[(&str, &str)] = &[
    embedded!("base.ts"),
    embedded!("client.gen.ts"),
    embedded!("connection.ts"),
    embedded!("dependencies.gen.ts"),
    embedded!("errors.ts"),
    embedded!("index.ts"),
    embedded!("module.ts"),
    embedded!("runtime.ts"),
    embedded!("transport.ts"),
    embedded!("trust.ts"),
    embedded!("values.ts"),
];

/// Directory of the SDK below the one that packages are in.
pub const PACKAGE: &str = "@dagger.io/dagger";

const MANIFEST: &str = r#"{"name": "@dagger.io/dagger", "version": "0.0.0", "type": "module", "exports": {".": "./index.js", "./base.js": "./base.js", "./client.gen.js": "./client.gen.js", "./*": "./index.js"}}
"#;

/// The same under our own name.
const ALIAS_MANIFEST: &str = r#"{"name": "nsci", "version": "0.0.0", "type": "module", "exports": {".": "./index.js", "./*": "./index.js"}}
"#;
const ALIAS: &str = "export * from \"@dagger.io/dagger\"\n";

/// Files of the SDK: path below the directory that packages are in, and contents.
pub fn files() -> Vec<(String, String)> {
    let written = [
        ("@dagger.io/dagger/package.json", MANIFEST),
        ("nsci/package.json", ALIAS_MANIFEST),
        ("nsci/index.js", ALIAS),
    ];
    let written = written.map(|(path, text)| (path.to_owned(), text.to_owned()));
    let made = SOURCES.iter().map(|(path, source)| script(path, source));
    written.into_iter().chain(made).collect()
}

/// The script that a source of the SDK becomes, and its path below the directory that packages are in.
///
/// # Panics
/// If the source is no TypeScript; tests keep it from being so.
pub fn script(path: &str, source: &str) -> (String, String) {
    let script = transpile(path, source)
        .unwrap_or_else(|error| panic!("the SDK cannot be transpiled: {error}"));
    let name = path.strip_suffix(".ts").unwrap_or(path);
    (format!("{PACKAGE}/{name}.js"), script)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn every_file_of_the_sdk_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/typescript/src");
        let mut found: Vec<_> = std::fs::read_dir(&root)
            .expect("can list")
            .map(|entry| {
                entry
                    .expect("can list")
                    .file_name()
                    .into_string()
                    .expect("is UTF-8")
            })
            .collect();
        found.sort();
        let embedded: Vec<_> = SOURCES.iter().map(|(path, _)| (*path).to_owned()).collect();
        assert_eq!(embedded, found);
    }

    #[test]
    fn sdk_can_be_transpiled() {
        let files = files();
        let of = |name: &str| files.iter().find(|(path, _)| path.ends_with(name));
        assert!(of("@dagger.io/dagger/runtime.js").is_some());
        let (_, base) = of("/base.js").expect("is there");
        assert!(base.contains("from \"./transport.js\""), "{base}");
    }
}
