//! Modules that call themselves, and what they are told about themselves.

use crate::support::{Nsci, Ran};

fn call(nsci: &Nsci, module: &str, words: &str) -> Ran {
    let words: Vec<&str> = ["-s", "-m", module, "call"]
        .into_iter()
        .chain(words.split(' '))
        .collect();
    nsci.run(&words)
}

fn module(nsci: &Nsci, language: &str, file: &str, source: &str) {
    let config = format!(
        r#"{{"name": "own", "sdk": "{language}", "dependencies": [{{"source": "../tool"}}]}}"#
    );
    nsci.write(&format!("{language}/dagger.json"), &config);
    nsci.write(&format!("{language}/{file}"), source);
}

const GO: &str = r#"package main

import (
	"context"
	"strings"
)

type Own struct {
	Word string
}

func New(
	// +default="hello"
	word string,
) *Own {
	return &Own{Word: word}
}

func (m *Own) Say(name string) string { return m.Word + ", " + name }

func (m *Own) Image() *Container { return dag.Container().From("alpine:3.20") }

// Twice goes through the API, so each call is one of its own.
func (m *Own) Twice(ctx context.Context) (string, error) {
	first, err := dag.Own().Say(ctx, "first")
	if err != nil {
		return "", err
	}
	second, err := dag.Own(OwnOpts{Word: "bye"}).Say(ctx, "second")
	if err != nil {
		return "", err
	}
	release, err := dag.Own().Image().File("/etc/os-release").Contents(ctx)
	return first + "; " + second + "; " + strings.Split(release, "\n")[0], err
}

func (m *Own) About(ctx context.Context) (string, error) {
	current := dag.CurrentModule()
	name, err := current.Name(ctx)
	if err != nil {
		return "", err
	}
	used, err := current.Dependencies(ctx)
	if err != nil {
		return "", err
	}
	first, err := used[0].Name(ctx)
	if err != nil {
		return "", err
	}
	entries, err := current.Source().Entries(ctx)
	if err != nil {
		return "", err
	}
	generated, err := current.GeneratedContextDirectory().Glob(ctx, "**/dagger.gen.go")
	return name + " uses " + first + "; " + strings.Join(entries, " ") + "; " + strings.Join(generated, " "), err
}
"#;

const PYTHON: &str = r#"
from dagger import dag, function, object_type


@object_type
class Own:
    word: str = "hello"

    @function
    def say(self, name: str) -> str:
        return f"{self.word}, {name}"

    @function
    async def twice(self) -> str:
        return await dag.own().say("first") + "; " + await dag.own(word="bye").say("second")

    @function
    async def about(self) -> str:
        current = dag.current_module()
        used = await current.dependencies()
        entries = await current.source().entries()
        return f"{await current.name()} uses {await used[0].name()}; {' '.join(entries)}"
"#;

const TYPESCRIPT: &str = r#"
import { dag, func, object } from "@dagger.io/dagger"

@object()
export class Own {
  constructor(private readonly word = "hello") {}

  @func()
  say(name: string): string {
    return `${this.word}, ${name}`
  }

  @func()
  self(): Own {
    return new Own(this.word + "!")
  }

  @func()
  async twice(): Promise<string> {
    return (await dag.own().say("first")) + "; " + (await dag.own({ word: "bye" }).self().say("second"))
  }

  @func()
  async about(): Promise<string> {
    const current = dag.currentModule()
    const used = await current.dependencies()
    const entries = await current.source().entries()
    return `${await current.name()} uses ${await used[0].name()}; ${entries.join(" ")}`
  }
}
"#;

fn modules() -> Nsci {
    let nsci = Nsci::new();
    nsci.write("tool/dagger.json", r#"{"name": "tool", "sdk": "python"}"#);
    let tool = "from dagger import function, object_type\n\n\n@object_type\nclass Tool:\n    @function\n    \
                def name(self) -> str:\n        return \"tool\"\n";
    nsci.write("tool/main.py", tool);
    module(&nsci, "go", "main.go", GO);
    module(&nsci, "python", "main.py", PYTHON);
    module(&nsci, "typescript", "index.ts", TYPESCRIPT);
    nsci
}

#[test]
fn functions_call_those_of_their_own_module() {
    let nsci = modules();
    for (language, wanted) in [
        ("go", "hello, first; bye, second; NAME=\"Alpine Linux\""),
        ("python", "hello, first; bye, second"),
        ("typescript", "hello, first; bye!, second"),
    ] {
        let ran = call(&nsci, language, "twice").ok();
        assert_eq!(ran.out.trim_end(), wanted, "{language}");
        let renamed = call(&nsci, language, "--word=well twice").ok();
        assert_eq!(
            renamed.out.trim_end(),
            wanted,
            "{language}: another object is asked"
        );
    }
}

#[test]
fn functions_are_told_about_their_module() {
    let nsci = modules();
    for (language, wanted) in [
        (
            "go",
            "own uses tool; dagger.json main.go; go/dagger.gen.go go/internal/dagger/dagger.gen.go",
        ),
        ("python", "own uses tool; dagger.json main.py"),
        ("typescript", "own uses tool; dagger.json index.ts"),
    ] {
        let ran = call(&nsci, language, "about").ok();
        let said = ran.out.trim_end().replace(
            "; dagger.gen.go internal/",
            "; go/dagger.gen.go go/internal/",
        );
        assert_eq!(said, wanted, "{language}");
    }
}
