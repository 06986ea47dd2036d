//! What is kept of modules between runs: they are read, generated for and compiled when they changed, and only then.

use crate::support::{Nsci, Ran};

const SOURCES: [(&str, &str, &str); 3] = [
    (
        "go",
        "main.go",
        "package main\n\ntype Kept struct{}\n\n// First\nfunc (m *Kept) First(name string) string { return \"go \" + name }\n",
    ),
    (
        "python",
        "main.py",
        "from dagger import function, object_type\n\n\n@object_type\nclass Kept:\n    @function\n    \
         def first(self, name: str) -> str:\n        return \"python \" + name\n",
    ),
    (
        "typescript",
        "index.ts",
        "import { func, object } from \"@dagger.io/dagger\"\n\n@object()\nexport class Kept {\n  \
         @func() first(name: string): string { return \"typescript \" + name }\n}\n",
    ),
];

/// How many descriptions of modules the store has.
fn descriptions(nsci: &Nsci) -> usize {
    let listed = nsci.run(&["cache", "list"]).ok().out;
    listed.matches("types of module kept").count()
}

fn functions(nsci: &Nsci, language: &str) -> Ran {
    nsci.run(&["--progress", "json", "-m", language, "functions"])
        .ok()
}

#[test]
fn module_is_read_again_when_it_changes_only() {
    let nsci = Nsci::new();
    for (number, (language, file, source)) in SOURCES.into_iter().enumerate() {
        let known = 2 * number;
        let config = format!("{{\"name\": \"kept\", \"sdk\": \"{language}\"}}");
        nsci.write(&format!("{language}/dagger.json"), &config);
        nsci.write(&format!("{language}/{file}"), source);
        let first = functions(&nsci, language);
        assert!(first.out.contains("first"), "{first:#?}");
        assert_eq!(first.steps(), [], "{language}: nothing runs for it");
        assert_eq!(descriptions(&nsci), known + 1, "{language}");
        assert_eq!(functions(&nsci, language).out, first.out);
        // What is no source is none of its business.
        nsci.write(&format!("{language}/notes.txt"), "nothing");
        functions(&nsci, language);
        assert_eq!(descriptions(&nsci), known + 1, "{language}");
        let renamed = source.replace("first", "second").replace("First", "Second");
        nsci.write(&format!("{language}/{file}"), &renamed);
        let second = functions(&nsci, language).out;
        assert!(
            second.contains("second") && !second.contains("first"),
            "{second}"
        );
        assert_eq!(descriptions(&nsci), known + 2, "{language}");
        nsci.write(&format!("{language}/{file}"), source);
        assert_eq!(functions(&nsci, language).out, first.out);
        assert_eq!(descriptions(&nsci), known + 2, "{language}");
    }
}

#[test]
fn new_arguments_prepare_nothing_again() {
    let nsci = Nsci::new();
    for (language, file, source) in SOURCES {
        let config = format!("{{\"name\": \"kept\", \"sdk\": \"{language}\"}}");
        nsci.write(&format!("{language}/dagger.json"), &config);
        nsci.write(&format!("{language}/{file}"), source);
        let call = |name: &str| {
            let words = [
                "--progress",
                "json",
                "-m",
                language,
                "call",
                "first",
                "--name",
                name,
            ];
            let ran = nsci.run(&words).ok();
            assert_eq!(ran.out.trim_end(), format!("{language} {name}"));
            let steps = ran.steps().into_iter();
            steps
                .filter(|(_, cached)| !cached)
                .map(|(name, _)| name)
                .collect::<Vec<_>>()
        };
        assert_eq!(
            call("a").last().map(String::as_str),
            Some("call kept.first")
        );
        assert_eq!(call("b"), ["call kept.first"], "{language}");
        assert_eq!(call("b"), Vec::<String>::new(), "{language}");
    }
}

/// A record that cannot be read is made again.
#[test]
fn torn_records_are_misses() {
    let nsci = Nsci::new();
    let (language, file, source) = SOURCES[1];
    nsci.write(
        "python/dagger.json",
        "{\"name\": \"kept\", \"sdk\": \"python\"}",
    );
    nsci.write(&format!("{language}/{file}"), source);
    let first = functions(&nsci, language).out;
    let mut torn = 0;
    let mut waiting = vec![nsci.store()];
    while let Some(directory) = waiting.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            if entry.file_type().unwrap().is_dir() {
                waiting.push(entry.path());
            } else if entry
                .path()
                .components()
                .any(|part| part.as_os_str() == "records")
            {
                let bytes = std::fs::read(entry.path()).unwrap();
                std::fs::write(entry.path(), &bytes[..bytes.len() / 2]).unwrap();
                torn += 1;
            }
        }
    }
    assert!(torn > 0, "there are records");
    assert_eq!(functions(&nsci, language).out, first);
}
