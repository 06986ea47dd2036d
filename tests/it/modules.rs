//! Modules in Python, called as users call them.

use serde_json::json;

use crate::support::Nsci;

#[test]
fn example_is_listed_and_called() {
    let nsci = Nsci::new();
    nsci.copy("examples/python-app", "module");
    nsci.copy("examples/modules", "modules");
    let listed = nsci.run(&["-s", "-m", "module", "functions"]).ok().out;
    for name in ["build", "test", "lint", "Run the unit tests"] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
    let has_base = listed.lines().any(|line| line.starts_with("base "));
    assert!(!has_base, "{listed}");
    let test = nsci
        .run(&["-s", "-m", "module", "call", "test", "--source=module"])
        .ok();
    assert!(test.out.contains("OK"), "{test:#?}");
    let chained = [
        "-s",
        "-m",
        "module",
        "call",
        "build",
        "--source=module",
        "file",
        "--path=/app/app.py",
        "contents",
    ];
    assert!(nsci.run(&chained).ok().out.contains("def greet"));
    let saved = [
        "-s",
        "-m",
        "module",
        "call",
        "-o",
        "saved",
        "build",
        "--source=module",
        "directory",
        "--path=/app",
    ];
    nsci.run(&saved).ok();
    assert!(nsci.read("saved/app.py").contains("def greet"));
    nsci.run(&["-s", "-m", "module", "call", "tset"])
        .failed(2, &["`tset`", "did you mean `test`?"]);
    nsci.run(&["-s", "-m", "module", "call", "test"])
        .failed(2, &["source"]);
}

#[test]
fn new_module_works_as_it_is() {
    let nsci = Nsci::new();
    nsci.run(&["-s", "init", "--sdk=python", "--name=fresh", "fresh"])
        .ok();
    assert!(nsci.read("fresh/dagger.json").contains("python"));
    let listed = nsci
        .run(&["-s", "-m", "fresh", "functions", "--json"])
        .ok()
        .json();
    assert!(!listed.as_array().unwrap().is_empty(), "{listed}");
    nsci.run(&["-s", "init", "--sdk=python", "fresh"])
        .failed(2, &["dagger.json"]);
}

/// A module with a function for each kind of value.
const MODULE: &str = r#"
import dagger
from dagger import dag, function, object_type


@object_type
class Kinds:
    greeting: str = "hello"

    @function
    def text(self, name: str = "you") -> str:
        """Greet."""
        return f"{self.greeting}, {name}"

    @function
    def number(self, a: int, b: int = 2) -> int:
        return a + b

    @function
    def many(self, names: list[str]) -> list[str]:
        return [name.upper() for name in names]

    @function
    def maybe(self, flag: bool = False) -> bool:
        return not flag

    @function
    async def length(self, token: dagger.Secret) -> int:
        return len(await token.plaintext())

    @function
    async def read(self, file: dagger.File) -> str:
        return await file.contents()

    @function
    def tree(self) -> dagger.Directory:
        return dag.directory().with_new_file("made.txt", "made")

    @function
    def again(self) -> "Kinds":
        return Kinds(greeting=self.greeting + "!")

    @function
    def fails(self) -> str:
        raise ValueError("this went wrong")

    @function
    async def step(self) -> str:
        return await dag.container().from_("alpine:3.20").with_exec(["sh", "-c", "exit 9"]).stdout()
"#;

/// One row for each kind of value and flag: words after `call`, what is printed.
#[test]
fn values_of_every_kind_go_in_and_out() {
    let nsci = Nsci::new();
    nsci.write(
        "module/dagger.json",
        r#"{"name": "kinds", "sdk": "python", "source": "."}"#,
    );
    nsci.write("module/main.py", MODULE);
    nsci.write("in.txt", "file");
    let call = |words: &str| {
        let words: Vec<&str> = ["-s", "-m", "module", "call"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        let mut command = nsci.command(&words);
        crate::support::Ran::from(command.env("TOKEN", "123456").output().unwrap())
    };
    for (words, wanted) in [
        ("text", "hello, you\n"),
        ("text --name=me", "hello, me\n"),
        ("--greeting=hi text --name me", "hi, me\n"),
        ("number --a=40", "42\n"),
        ("number --a 1 --b=-3", "-2\n"),
        ("many --names=a,b", "A\nB\n"),
        ("many --names=a --names=b", "A\nB\n"),
        ("maybe", "true\n"),
        ("maybe --flag", "false\n"),
        ("length --token=env:TOKEN", "6\n"),
        ("length --token=env://TOKEN", "6\n"),
        ("length --token=file://in.txt", "4\n"),
        ("read --file=in.txt", "file\n"),
        ("tree entries", "made.txt\n"),
        ("again text", "hello!, you\n"),
        ("--json number --a=1", "3\n"),
    ] {
        assert_eq!(
            call(words).ok().out.trim_end(),
            wanted.trim_end(),
            "{words}"
        );
    }
    assert_eq!(
        call("--json many --names=a,b").ok().json(),
        json!(["A", "B"])
    );
    call("tree export --path=out").ok();
    assert_eq!(nsci.read("out/made.txt"), "made");
    call("number --a=x").failed(2, &["--a", "x"]);
    call("number --c=1").failed(2, &["--c"]);
    call("fails").failed(1, &["this went wrong"]);
    call("step").failed(9, &["exit code: 9"]);
}
