//! Files that functions write themselves and hand on by `currentModule.workdir`.

use crate::support::{Nsci, Ran};

const GO: &str = r#"package main

import (
	"context"
	"dagger/taker/internal/dagger"
	"os"
	"strings"
)

type Taker struct{}

func write(path string, text string) {
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		panic(err)
	}
}

func (m *Taker) Out() *Directory {
	if err := os.MkdirAll("out/deep", 0o700); err != nil {
		panic(err)
	}
	write("out/deep/a.txt", "from Go")
	write("out/b.log", "")
	write("out/c.tmp", "")
	write("out/.gitignore", "*.log\n")
	return dag.CurrentModule().Workdir("out", dagger.CurrentModuleWorkdirOpts{
		Exclude: []string{"*.tmp", ".gitignore"}, Gitignore: true,
	})
}

func (m *Taker) File() *File {
	write("word-1.txt", "a word")
	if err := os.Symlink("word-1.txt", "word.txt"); err != nil {
		panic(err)
	}
	return dag.CurrentModule().WorkdirFile("./word.txt")
}

func (m *Taker) Twice(ctx context.Context) (string, error) {
	said := []string{}
	for _, word := range []string{"one", "two"} {
		write("word", word)
		text, err := dag.CurrentModule().Workdir(".").File("word").Contents(ctx)
		if err != nil {
			return "", err
		}
		said = append(said, text)
	}
	if err := os.Remove("word"); err != nil {
		return "", err
	}
	left, err := dag.CurrentModule().Workdir(".").Entries(ctx)
	return strings.Join(append(said, left...), " "), err
}

func (m *Taker) Used(ctx context.Context) (string, error) {
	write("word", "into a container")
	return dag.Container().From("alpine:3.20").
		WithMountedDirectory("/in", dag.CurrentModule().Workdir(".")).
		WithExec([]string{"cat", "/in/word"}).Stdout(ctx)
}

func (m *Taker) Escape(ctx context.Context, path string) (string, error) {
	return dag.CurrentModule().WorkdirFile(path).Contents(ctx)
}
"#;

const PYTHON: &str = r#"
import os
import pathlib

import dagger
from dagger import dag, function, object_type


def write(path: str, text: str) -> None:
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, 0o600)


@object_type
class Taker:
    @function
    def out(self) -> dagger.Directory:
        os.makedirs("out/deep", 0o700)
        write("out/deep/a.txt", "from Python")
        write("out/b.log", "")
        write("out/c.tmp", "")
        write("out/.gitignore", "*.log\n")
        return dag.current_module().workdir("out", exclude=["*.tmp", ".gitignore"], gitignore=True)

    @function
    def file(self) -> dagger.File:
        write("word-1.txt", "a word")
        os.symlink("word-1.txt", "word.txt")
        return dag.current_module().workdir_file("./word.txt")

    @function
    async def twice(self) -> str:
        said = []
        for word in ["one", "two"]:
            write("word", word)
            said.append(await dag.current_module().workdir(".").file("word").contents())
        pathlib.Path("word").unlink()
        return " ".join(said + await dag.current_module().workdir(".").entries())

    @function
    async def used(self) -> str:
        write("word", "into a container")
        return await (
            dag.container()
            .from_("alpine:3.20")
            .with_mounted_directory("/in", dag.current_module().workdir("."))
            .with_exec(["cat", "/in/word"])
            .stdout()
        )

    @function
    async def escape(self, path: str) -> str:
        return await dag.current_module().workdir_file(path).contents()
"#;

const TYPESCRIPT: &str = r#"
import { dag, Directory, File, func, object } from "@dagger.io/dagger"
import { mkdirSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs"

const write = (path: string, text: string) => writeFileSync(path, text, { mode: 0o600 })

@object()
export class Taker {
  @func()
  out(): Directory {
    mkdirSync("out/deep", { recursive: true, mode: 0o700 })
    write("out/deep/a.txt", "from TypeScript")
    write("out/b.log", "")
    write("out/c.tmp", "")
    write("out/.gitignore", "*.log\n")
    return dag.currentModule().workdir("out", { exclude: ["*.tmp", ".gitignore"], gitignore: true })
  }

  @func()
  file(): File {
    write("word-1.txt", "a word")
    symlinkSync("word-1.txt", "word.txt")
    return dag.currentModule().workdirFile("./word.txt")
  }

  @func()
  async twice(): Promise<string> {
    const said: string[] = []
    for (const word of ["one", "two"]) {
      write("word", word)
      said.push(await dag.currentModule().workdir(".").file("word").contents())
    }
    unlinkSync("word")
    return [...said, ...(await dag.currentModule().workdir(".").entries())].join(" ")
  }

  @func()
  async used(): Promise<string> {
    write("word", "into a container")
    return dag.container().from("alpine:3.20")
      .withMountedDirectory("/in", dag.currentModule().workdir("."))
      .withExec(["cat", "/in/word"]).stdout()
  }

  @func()
  async escape(path: string): Promise<string> {
    return dag.currentModule().workdirFile(path).contents()
  }
}
"#;

fn module(language: &str, file: &str, source: &str) -> Nsci {
    let nsci = Nsci::new();
    let config = format!(r#"{{"name": "taker", "sdk": "{language}"}}"#);
    nsci.write("module/dagger.json", &config);
    nsci.write(&format!("module/{file}"), source);
    nsci
}

fn call(nsci: &Nsci, words: &str) -> Ran {
    let words: Vec<&str> = ["-s", "-m", "module", "call"]
        .into_iter()
        .chain(words.split(' '))
        .collect();
    nsci.run(&words)
}

/// The rules that hold in every language: words after `call`, what is printed.
fn rules(nsci: &Nsci, said: &str) {
    for (words, wanted) in [
        ("out glob --pattern=**", "deep\ndeep/a.txt"),
        ("out file --path=deep/a.txt contents", said),
        ("file contents", "a word"),
        ("file name", "word.txt"),
        ("twice", "one two"),
        ("used", "into a container"),
    ] {
        let ran = call(nsci, words).ok();
        let printed = ran.out.trim_end().replace("deep/\n", "deep\n");
        assert_eq!(printed, wanted, "{words}");
    }
    for (path, why) in [
        ("../etc/passwd", "it leads out of it"),
        ("/etc/passwd", "it is absolute"),
        ("missing", "no such file or directory: /scratch/missing"),
        (".", "is a directory: /scratch"),
    ] {
        call(nsci, &format!("escape --path={path}")).failed(1, &[why]);
    }
}

#[test]
fn go_functions_hand_on_what_they_wrote() {
    rules(&module("go", "main.go", GO), "from Go");
}

#[test]
fn typescript_functions_hand_on_what_they_wrote() {
    rules(
        &module("typescript", "index.ts", TYPESCRIPT),
        "from TypeScript",
    );
}

/// An answer made of such files is remembered as any other, for as long as the files are kept.
#[test]
fn python_functions_hand_on_what_they_wrote() {
    let nsci = module("python", "main.py", PYTHON);
    rules(&nsci, "from Python");
    let again = || {
        let words = "--progress json -m module call out file --path=deep/a.txt contents";
        let ran = nsci.run(&words.split(' ').collect::<Vec<_>>()).ok();
        assert_eq!(ran.out.trim_end(), "from Python");
        let steps = ran.steps();
        let called = steps.iter().find(|(name, _)| name.contains("taker.out"));
        called.unwrap().1
    };
    assert!(again(), "the answer is remembered");
    nsci.run(&["cache", "prune"]).ok();
    assert!(!again(), "its files are gone");
    assert!(again());
}
