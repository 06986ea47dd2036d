//! The Python SDK, embedded in the binary.
//!
//! [`FILES`] is what [`CopySdk`](super::runtime_plan::SetupStep::CopySdk) writes into the image of a
//! Python module. Sources only: bytecode belongs to one version of Python and is made in the image.

macro_rules! embedded {
    ($path:literal) => {
        ($path, include_str!(concat!("../../sdk/python/src/", $path)))
    };
}

/// Files of the SDK: path below the directory that goes on Python's path, and contents.
pub const FILES: &[(&str, &str)] = &[
    embedded!("dagger/__init__.py"),
    embedded!("dagger/_connection.py"),
    embedded!("dagger/_json.py"),
    embedded!("dagger/_runtime.py"),
    embedded!("dagger/_transport.py"),
    embedded!("dagger/client/__init__.py"),
    embedded!("dagger/client/base.py"),
    embedded!("dagger/client/dynamic.py"),
    embedded!("dagger/client/gen.py"),
    embedded!("dagger/errors.py"),
    embedded!("dagger/log.py"),
    embedded!("dagger/mod/__init__.py"),
    embedded!("dagger/mod/_describe.py"),
    embedded!("dagger/mod/_objects.py"),
    embedded!("dagger/mod/_register.py"),
    embedded!("dagger/mod/_types.py"),
    embedded!("dagger/py.typed"),
    embedded!("nsci/__init__.py"),
    embedded!("nsci/py.typed"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    fn list(directory: &Path, prefix: &str, found: &mut Vec<String>) {
        for entry in std::fs::read_dir(directory).expect("can list") {
            let entry = entry.expect("can list");
            let name = entry.file_name().into_string().expect("is UTF-8");
            if entry.file_type().expect("has a type").is_dir() {
                if name != "__pycache__" {
                    list(&entry.path(), &format!("{prefix}{name}/"), found);
                }
            } else {
                found.push(format!("{prefix}{name}"));
            }
        }
    }

    #[test]
    fn every_file_of_the_sdk_is_embedded() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python/src");
        let mut found = Vec::new();
        list(&root, "", &mut found);
        found.sort();
        let mut embedded: Vec<_> = FILES.iter().map(|(path, _)| (*path).to_owned()).collect();
        embedded.sort();
        assert_eq!(embedded, found);
    }

    #[test]
    fn tests_of_the_sdk_pass() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("sdk/python");
        let output = std::process::Command::new("python3")
            .args(["-B", "-m", "unittest", "discover", "-s", "tests"])
            .env("PYTHONPATH", "src:tests")
            .current_dir(sdk)
            .output()
            .expect("python3 is installed");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}
