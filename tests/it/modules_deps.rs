//! Modules that use other modules: what they see of each other, and what is said when something is wrong.

use std::process::Command;

use crate::support::{GitDaemon, Nsci};

/// A module in Python.
fn python(nsci: &Nsci, directory: &str, name: &str, dependencies: &str, code: &str) {
    let config = format!(
        r#"{{
  "name": "{name}",
  "sdk": "python",
  "dependencies": [{dependencies}]
}}"#
    );
    nsci.write(&format!("{directory}/dagger.json"), &config);
    let code = format!(
        "import dagger\nfrom dagger import dag, field, function, interface, object_type, enum_type\nimport enum\n\n{code}"
    );
    nsci.write(&format!("{directory}/main.py"), &code);
}

const GREETER: &str = r#"
@enum_type
class Tone(enum.Enum):
    SOFT = "soft"
    LOUD = "loud"


@object_type
class Card:
    text: str = field(default="")

    @function
    def signed(self, by: str) -> "Card":
        return Card(text=f"{self.text} ({by})")


@object_type
class Greeter:
    word: str = "hello"

    @function
    def greet(self, name: str, tone: Tone = Tone.SOFT) -> str:
        text = f"{self.word}, {name}"
        return text.upper() if tone is Tone.LOUD else text

    @function
    def card(self, name: str) -> Card:
        return Card(text=f"{self.word}, {name}")

    @function
    def cards(self, names: list[str]) -> list[Card]:
        return [Card(text=name) for name in names]

    @function
    def read(self, card: Card) -> str:
        return card.text

    @function
    def tree(self) -> dagger.Directory:
        return dag.directory().with_new_file("greeting", self.word)
"#;

const USER: &str = r#"
@object_type
class User:
    @function
    async def one(self, name: str) -> str:
        return await dag.greeter(word="hi").greet(name, tone=dagger.GreeterTone.LOUD)

    @function
    def card(self, name: str) -> dagger.GreeterCard:
        return dag.greeter().card(name)

    @function
    async def texts(self) -> list[str]:
        return [await card.text() for card in await dag.greeter().cards(["a", "b"])]

    @function
    async def there_and_back(self) -> str:
        return await dag.greeter().read(dag.greeter().card("you").signed("me"))

    @function
    def tree(self) -> dagger.Directory:
        return dag.greeter(word="x").tree().with_new_file("more", "y")

    @function
    async def deep(self) -> str:
        return await dag.low().name()

    @function
    async def own(self) -> str:
        return await dag.user().one("self")
"#;

fn pair(nsci: &Nsci) {
    python(nsci, "app/greeter", "greeter", r#""../low""#, GREETER);
    python(
        nsci,
        "app/low",
        "low",
        "",
        "@object_type\nclass Low:\n    @function\n    def name(self) -> str:\n        return 'low'\n",
    );
    python(
        nsci,
        "app",
        "user",
        r#"{"name": "greeter", "source": "greeter"}"#,
        USER,
    );
}

#[test]
fn functions_call_those_of_dependencies() {
    let nsci = Nsci::new();
    pair(&nsci);
    let call = |words: &str| {
        let words: Vec<&str> = ["-s", "-m", "app", "call"]
            .into_iter()
            .chain(words.split(' '))
            .collect();
        nsci.run(&words)
    };
    for (words, wanted) in [
        ("one --name=you", "HI, YOU"),
        ("card --name=you text", "hello, you"),
        ("card --name=you signed --by=me text", "hello, you (me)"),
        ("texts", "a\nb"),
        ("there-and-back", "hello, you (me)"),
        ("tree entries", "greeting\nmore"),
        ("own", "HI, SELF"),
        // An installed module is called by its name.
        ("greeter greet --name=you --tone=loud", "HELLO, YOU"),
        ("greeter --word=hey greet --name you", "hey, you"),
        ("greeter card --name=you text", "hello, you"),
        ("greeter tree file --path=greeting contents", "hello"),
    ] {
        assert_eq!(call(words).ok().out.trim_end(), wanted, "{words}");
    }
    // What a dependency uses is not the module's to use.
    call("deep").failed(1, &["`dag` has no function `low`"]);
    let listed = nsci
        .run(&["-s", "-m", "app", "functions", "greeter"])
        .ok()
        .out;
    assert!(
        listed.contains("greet") && listed.contains("cards"),
        "{listed}"
    );
}

#[test]
fn change_of_a_dependency_is_seen() {
    let nsci = Nsci::new();
    pair(&nsci);
    let one = || {
        nsci.run(&["-s", "-m", "app", "call", "one", "--name=a"])
            .ok()
            .out
    };
    assert_eq!(one().trim_end(), "HI, A");
    let changed = GREETER.replace("{self.word}, {name}", "{self.word}! {name}");
    python(&nsci, "app/greeter", "greeter", "", &changed);
    assert_eq!(one().trim_end(), "HI! A");
}

#[test]
fn one_module_under_two_names_and_two_of_one_name() {
    let nsci = Nsci::new();
    python(
        &nsci,
        "top/a/tool",
        "tool",
        "",
        "@object_type\nclass Tool:\n    @function\n    def where(self) -> str:\n        return 'a'\n",
    );
    python(
        &nsci,
        "top/b/tool",
        "tool",
        "",
        "@object_type\nclass Tool:\n    @function\n    def where(self) -> str:\n        return 'b'\n",
    );
    let dependencies = r#""a/tool", {"name": "other", "source": "b/tool"}, {"name": "again", "source": "./a/tool"}"#;
    python(
        &nsci,
        "top",
        "both",
        dependencies,
        "@object_type\nclass Both:\n    @function\n    async def all(self) -> list[str]:\n        return [await dag.tool().where(), await dag.other().where(), await dag.again().where()]\n",
    );
    let ran = nsci.run(&["-s", "-m", "top", "call", "all"]).ok();
    assert_eq!(ran.out.trim_end(), "a\nb\na");
}

const INTERFACES: &str = r#"
@interface
class Speaker:
    @function
    async def speak(self, loud: bool) -> str: ...

    @function
    def louder(self) -> "Speaker": ...


@object_type
class Stage:
    @function
    async def play(self, speaker: Speaker) -> str:
        return await speaker.louder().speak(True)

    @function
    async def all(self, speakers: list[Speaker]) -> list[str]:
        return [await speaker.speak(False) for speaker in speakers]
"#;

#[test]
fn interface_is_implemented_by_another_module() {
    let nsci = Nsci::new();
    python(&nsci, "top/stage", "stage", "", INTERFACES);
    python(
        &nsci,
        "top/dog",
        "dog",
        "",
        r#"
@object_type
class Dog:
    times: int = field(default=1)

    @function
    def speak(self, loud: bool) -> str:
        return ("WOOF" if loud else "woof") * self.times

    @function
    def louder(self) -> "Dog":
        return Dog(times=self.times + 1)
"#,
    );
    python(
        &nsci,
        "top",
        "show",
        r#""stage", "dog""#,
        r#"
@object_type
class Show:
    @function
    async def run(self) -> str:
        return await dag.stage().play(dag.dog())

    @function
    async def all(self) -> list[str]:
        return await dag.stage().all([dag.dog(), dag.dog(times=2)])

    @function
    async def wrong(self) -> str:
        return await dag.stage().play(dag.container())
"#,
    );
    assert_eq!(
        nsci.run(&["-s", "-m", "top", "call", "run"])
            .ok()
            .out
            .trim_end(),
        "WOOFWOOF"
    );
    assert_eq!(
        nsci.run(&["-s", "-m", "top", "call", "all"])
            .ok()
            .out
            .trim_end(),
        "woof\nwoofwoof"
    );
    nsci.run(&["-s", "-m", "top", "call", "wrong"])
        .failed(1, &["expected \"StageSpeaker\" ID, got Container ID"]);
}

/// One row for each mistake: dependencies of the module, and what is said.
#[test]
fn mistakes_name_file_line_and_fix() {
    let sha = "0123456789012345678901234567890123456789";
    for (exit, dependencies, wanted) in [
        (
            2,
            r#""./nowhere""#.to_owned(),
            vec![
                "dagger.json:4:20: cannot load dependency `nowhere`: there is no directory",
                "nsci uninstall nowhere",
            ],
        ),
        (
            2,
            r#"{"name": "e", "source": "empty"}"#.to_owned(),
            vec!["cannot load dependency `e`", "has no dagger.json"],
        ),
        (
            2,
            r#""github.com/x/y""#.to_owned(),
            vec![
                "dagger.json:4:20: dependency `y` has no pin",
                "`nsci update y`",
            ],
        ),
        (
            2,
            r#"{"name": "y", "source": "github.com/x/y", "pin": "main"}"#.to_owned(),
            vec!["the pin of dependency `y` is no commit: main"],
        ),
        (
            2,
            r#""cycle""#.to_owned(),
            vec!["cycle/dagger.json:4:20: modules depend on each other: top → cycle → top"],
        ),
        (
            2,
            r#""broken""#.to_owned(),
            vec!["broken/dagger.json:1:14: "],
        ),
        (
            2,
            r#""good", {"name": "good", "source": "other"}"#.to_owned(),
            vec!["two dependencies are called `good`"],
        ),
        (
            1,
            format!(r#"{{"name": "n", "source": "file:///nowhere.git", "pin": "{sha}"}}"#),
            vec![
                "dagger.json:4:44: cannot fetch dependency `n`",
                "/nowhere.git",
            ],
        ),
        (
            2,
            r#""named""#.to_owned(),
            vec!["named/dagger.json:2:11: a module cannot be called `container`"],
        ),
    ] {
        let nsci = Nsci::new();
        let code = "@object_type\nclass Good:\n    @function\n    def a(self) -> str:\n        return 'a'\n";
        nsci.write("top/empty/x", "");
        nsci.write("top/broken/dagger.json", "{\"name\": \"a\",,}");
        python(&nsci, "top/good", "good", "", code);
        python(&nsci, "top/other", "other", "", code);
        python(
            &nsci,
            "top/named",
            "container",
            "",
            &code.replace("Good", "Container"),
        );
        python(&nsci, "top/cycle", "cycle", r#""../""#, code);
        python(&nsci, "top", "top", &dependencies, code);
        nsci.run(&["-s", "-m", "top", "functions"])
            .failed(exit, &wanted);
    }
}

/// Runs git in a directory.
fn git(nsci: &Nsci, directory: &str, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command
        .args([
            "-c",
            "user.name=t",
            "-c",
            "user.email=t@example.org",
            "-c",
            "init.defaultBranch=main",
        ])
        .args(args)
        .current_dir(nsci.home().join(directory))
        .env("HOME", nsci.home());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

#[test]
fn modules_come_from_git_by_the_users_own_rules() {
    let nsci = Nsci::new();
    nsci.write("hosting/acme/tools/README.md", "");
    python(
        &nsci,
        "hosting/acme/tools/greeter",
        "greeter",
        r#""../base""#,
        GREETER,
    );
    python(&nsci, "hosting/acme/tools/base", "base", "", "@object_type\nclass Base:\n    @function\n    def a(self, f: Annotated[dagger.File, dagger.DefaultPath('/README.md')]) -> str:\n        return 'base'\n".replace("Annotated[dagger.File, dagger.DefaultPath('/README.md')]", "str").as_str());
    git(&nsci, "hosting/acme/tools", &["init", "--quiet"]);
    git(&nsci, "hosting/acme/tools", &["add", "."]);
    git(
        &nsci,
        "hosting/acme/tools",
        &["commit", "--quiet", "-m", "one"],
    );
    git(&nsci, "hosting/acme/tools", &["tag", "greeter/v1"]);
    let sha = git(&nsci, "hosting/acme/tools", &["rev-parse", "HEAD"]);
    let rule = format!("url.file://{}/hosting/.insteadOf", nsci.home().display());
    git(
        &nsci,
        ".",
        &["config", "--global", &rule, "https://github.com/"],
    );
    for reference in [
        "github.com/acme/tools/greeter",
        "github.com/acme/tools/greeter@v1",
        "github.com/acme/tools/greeter@main",
        &format!("https://github.com/acme/tools/greeter@{sha}"),
    ] {
        let ran = nsci
            .run(&["-s", "-m", reference, "call", "greet", "--name=git"])
            .ok();
        assert_eq!(ran.out.trim_end(), "hello, git", "{reference}");
    }
    let missing = ["-s", "-m", "github.com/acme/tools/greeter@v9", "functions"];
    nsci.run(&missing)
        .failed(2, &["no branch, tag or commit `v9`"]);
    nsci.run(&["-s", "-m", "github.com/acme/tools", "functions"])
        .failed(2, &["no module found in github.com/acme/tools"]);
    let dependency = format!(r#"{{"source": "github.com/acme/tools/greeter", "pin": "{sha}"}}"#);
    python(&nsci, "ci", "user", &dependency, USER);
    let ran = nsci
        .run(&["-s", "-m", "ci", "call", "one", "--name=you"])
        .ok();
    assert_eq!(ran.out.trim_end(), "HI, YOU");
}

/// Modules, and directories and files among the arguments, are named by repository, version and path.
#[test]
fn modules_and_arguments_are_named_by_address_in_a_repository() {
    let nsci = Nsci::new();
    let reader = "@object_type\nclass Reader:\n    @function\n    async def read(self, source: dagger.Directory, path: str) -> str:\n        \
                  return await source.file(path).contents()\n\n    @function\n    async def show(self, file: dagger.File) -> str:\n        \
                  return await file.contents()\n";
    python(&nsci, "hosting/repo/ci/reader", "reader", "", reader);
    nsci.write("hosting/repo/docs/a.txt", "one");
    git(&nsci, "hosting/repo", &["init", "--quiet"]);
    git(&nsci, "hosting/repo", &["add", "."]);
    git(&nsci, "hosting/repo", &["commit", "--quiet", "-m", "one"]);
    git(&nsci, "hosting/repo", &["tag", "v1"]);
    nsci.write("hosting/repo/docs/a.txt", "two");
    git(&nsci, "hosting/repo", &["commit", "--quiet", "-am", "two"]);
    let daemon = GitDaemon::start(&nsci.home().join("hosting"));
    let url = format!("{}/repo", daemon.url);
    let module = format!("{url}#v1:ci/reader");
    let run = |words: &[&str]| nsci.run(&[&["-s", "-m", &module, "call"], words].concat());
    for (fragment, path, wanted) in [
        ("", "docs/a.txt", "two"),
        ("#v1", "docs/a.txt", "one"),
        ("#main:docs", "a.txt", "two"),
        ("#v1:docs/", "a.txt", "one"),
        ("#:docs", "a.txt", "two"),
    ] {
        let ran = run(&["read", &format!("--source={url}{fragment}"), "--path", path]).ok();
        assert_eq!(ran.out, wanted, "{fragment}");
    }
    let ran = run(&["show", &format!("--file={url}#v1:docs/a.txt")]).ok();
    assert_eq!(ran.out, "one");
    run(&["show", &format!("--file={url}#v1")]).failed(2, &["--file", "URL#REF:PATH"]);
    run(&["read", &format!("--source={url}#v9"), "--path=x"]).failed(1, &["v9"]);
    run(&["read", &format!("--source={url}#v1:nothing"), "--path=x"]).failed(1, &["nothing"]);
    let missing = format!("{url}#v9:ci/reader");
    nsci.run(&["-s", "-m", &missing, "functions"])
        .failed(2, &["no branch, tag or commit `v9`"]);
}
