//! The stories of the two documents that nsci began with, in every language that has them: docs/seeds.md says which
//! test runs which part of them.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::path::Path;

use serde_json::json;

use crate::support::registry::{Access, Registry};
use crate::support::{Nsci, Pty, Ran};

/// An example that builds, tests, checks, packs, publishes and deploys a program in its own language.
struct App {
    nsci: Nsci,
    /// Directory below the home, from which it is called.
    directory: String,
}

/// What differs between the programs.
struct Language {
    example: &'static str,
    /// Said by the tests when they pass.
    passed: &'static str,
    /// Where the container that was built works, and a file in there.
    workdir: &'static str,
    built: &'static str,
    /// Words after `build-image --source=.` that run the image, and what it says.
    run: &'static [&'static str],
    says: &'static str,
}

const GO: Language = Language {
    example: "go-app",
    passed: "--- PASS: TestWords",
    workdir: "/src",
    built: "main_test.go",
    run: &["--args=", "--stdin", "three little words"],
    says: "3",
};

const PYTHON: Language = Language {
    example: "python-app",
    passed: "OK",
    workdir: "/app",
    built: "__pycache__",
    run: &["--args=Ann"],
    says: "hello, Ann",
};

const TYPESCRIPT: Language = Language {
    example: "typescript-app",
    passed: "pass 1",
    workdir: "/app",
    built: "dist",
    run: &["--args=Ann"],
    says: "hello, Ann",
};

impl App {
    fn new(example: &str) -> Self {
        let nsci = Nsci::new();
        nsci.copy(&format!("examples/{example}"), example);
        nsci.copy("examples/modules", "modules");
        let directory = example.to_owned();
        Self { nsci, directory }
    }

    fn command(&self, words: &[&str]) -> std::process::Command {
        let mut command = self.nsci.command(words);
        command.current_dir(self.nsci.home().join(&self.directory));
        command.env("REGISTRY_TOKEN", "secret");
        command
    }

    fn run(&self, words: &[&str]) -> Ran {
        self.command(words).output().unwrap().into()
    }

    fn call(&self, words: &[&str]) -> Ran {
        self.run(&[&["-s", "call"], words].concat())
    }

    fn write(&self, path: &str, text: &str) {
        self.nsci.write(&format!("{}/{path}", self.directory), text);
    }
}

fn stories(language: &Language) {
    let app = App::new(language.example);
    checks(&app, language);
    build_and_terminal(&app, language);
    image(&app, language);
    publish_and_release(&app, language);
    database(&app);
}

/// Build, test, lint and scan, each alone and at the same time; what fails says why.
fn checks(app: &App, language: &Language) {
    let test = app.call(&["test", "--source=."]).ok();
    assert!(test.out.contains(language.passed), "{test:#?}");
    app.call(&["lint", "--source=."]).ok();
    let scan = app.call(&["scan", "--source=."]).ok();
    assert!(scan.out.contains("nothing found"), "{scan:#?}");
    let debug = app.run(&["call", "test", "--source=.", "--debug"]).ok();
    assert_eq!(
        debug.out, test.out,
        "a global flag may stand behind those of a function"
    );
    let all = ["--progress", "json", "call", "ci", "--source=."];
    let first = app.run(&all).ok();
    assert!(
        first
            .steps()
            .iter()
            .any(|(name, cached)| name.contains("call") && !cached),
        "{first:#?}"
    );
    let again = app.run(&all).ok();
    assert!(
        again.steps().iter().all(|(_, cached)| *cached),
        "{:?}",
        again.steps()
    );
    app.write("settings.txt", "password = \"hunter2\"\n");
    let found = app.run(&["--progress", "plain", "call", "ci", "--source=."]);
    assert_ne!(found.code, 0, "{found:#?}");
    assert!(found.err.contains("settings.txt:1:password"), "{found:#?}");
    fs::remove_file(app.nsci.home().join(&app.directory).join("settings.txt")).unwrap();
}

/// A shell in what was built.
fn build_and_terminal(app: &App, language: &Language) {
    app.call(&["build", "--source=."]).ok();
    let mut pty = Pty::start(app.command(&["-s", "call", "build", "--source=.", "terminal"]));
    pty.wait_for("# ");
    pty.type_in("echo in-$(pwd); ls -d *\r");
    pty.wait_for(&format!("in-{}", language.workdir));
    pty.wait_for(language.built);
    pty.type_in("exit\r");
    assert_eq!(pty.end().0, Some(0));
}

/// The image of several stages runs here, and as an archive that was exported.
fn image(app: &App, language: &Language) {
    let build = ["build-image", "--source=."];
    let run = [
        &["with-exec", "--use-entrypoint"],
        language.run,
        &["stdout"],
    ]
    .concat();
    let ran = app.call(&[&build[..], &run].concat()).ok();
    assert_eq!(ran.out.trim_end(), language.says, "{ran:#?}");
    let saved = app
        .call(&[&build[..], &["export", "--path=./image.tar"]].concat())
        .ok();
    assert!(saved.err.is_empty(), "{saved:#?}");
    app.run(&["-s", "image", "import", "image.tar", "made/here:1"])
        .ok();
    let words = [
        "-s",
        "core",
        "container",
        "from",
        "--address=localhost/made/here:1",
    ];
    let ran = app.run(&[&words[..], &run].concat()).ok();
    assert_eq!(ran.out.trim_end(), language.says, "{ran:#?}");
    fs::remove_file(app.nsci.home().join(&app.directory).join("image.tar")).unwrap();
}

/// Publishing with a password from a variable and from a file; the whole way from checks to deployment.
fn publish_and_release(app: &App, language: &Language) {
    let registry = Registry::start(Access::Password);
    let to = format!("--registry={}/org/app", registry.address);
    let publish = |tag: &str, password: &str| {
        let tag = format!("--tag={tag}");
        let words = [
            "publish",
            "--source=.",
            &to,
            &tag,
            "--username=nsci",
            password,
        ];
        app.run(&[&["--progress", "plain", "call"], &words[..]].concat())
    };
    let published = publish("v1.0.0", "--password=env:REGISTRY_TOKEN").ok();
    let address = format!("{}/org/app:v1.0.0@sha256:", registry.address);
    assert!(published.out.starts_with(&address), "{published:#?}");
    assert!(!published.err.contains("secret\n"), "{published:#?}");
    app.nsci.write("token.txt", "secret");
    publish("v1.0.1", "--password=file:../token.txt").ok();
    app.nsci.write("token.txt", "guessed");
    let refused = publish("v1.0.2", "--password=file:../token.txt");
    assert_ne!(refused.code, 0, "{refused:#?}");
    assert!(!refused.err.contains("guessed"), "{refused:#?}");
    let auths = json!({"auths": {&registry.address: {"auth": "bnNjaTpzZWNyZXQ="}}});
    app.nsci.write(".docker/config.json", &auths.to_string());
    for tag in ["v1.0.0", "v1.0.1"] {
        let address = format!("--address={}/org/app:{tag}", registry.address);
        let pull = [
            "-s",
            "core",
            "container",
            "from",
            &address,
            "with-exec",
            "--use-entrypoint",
        ];
        let ran = app
            .run(&[&pull[..], language.run, &["stdout"]].concat())
            .ok();
        assert_eq!(ran.out.trim_end(), language.says, "{tag}: {ran:#?}");
    }
    app.nsci.write(
        "kubeconfig",
        "clusters:\n- cluster:\n    server: https://cluster.example\n",
    );
    let release = app
        .run(&[
            "--progress",
            "plain",
            "call",
            "release",
            "--source=.",
            &to,
            "--tag=v2.0.0",
            "--username=nsci",
            "--password=env:REGISTRY_TOKEN",
            "--kubeconfig=file:../kubeconfig",
        ])
        .ok();
    assert!(
        release.out.contains("/org/app:v2.0.0@sha256:"),
        "{release:#?}"
    );
    assert!(
        release.out.contains("deployment/app configured in default"),
        "{release:#?}"
    );
    let stages = [
        "stage: lint",
        "stage: test",
        "stage: scan",
        "stage: publish",
        "stage: deploy",
    ];
    let places: Vec<_> = stages.iter().map(|stage| release.err.find(stage)).collect();
    assert!(
        places.is_sorted() && places[0].is_some(),
        "{places:?} {release:#?}"
    );
}

/// A test that needs a database finds it by name.
fn database(app: &App) {
    let counted = app.call(&["test-with-database", "--source=."]).ok();
    assert_eq!(counted.out.trim_end(), "3", "{counted:#?}");
    let wrong = [
        "test-with-database",
        "--source=.",
        "--query=SELECT nothing FROM nowhere",
    ];
    let failed = app.call(&wrong);
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("nowhere"), "{failed:#?}");
}

#[test]
fn pipeline_in_go() {
    stories(&GO);
}

#[test]
fn pipeline_in_python() {
    stories(&PYTHON);
}

#[test]
fn pipeline_in_typescript() {
    stories(&TYPESCRIPT);
}

/// Requirements come from a package index, by pip and by uv.
#[test]
fn requirements_are_installed_by_pip_and_by_uv() {
    let app = App::new("python-app");
    let show = [
        "with-exec",
        "--args=python,-c,import packaging; print(packaging.__version__)",
        "stdout",
    ];
    for build in ["build", "build-with-uv"] {
        let ran = app.call(&[&[build, "--source=."], &show[..]].concat()).ok();
        assert_eq!(ran.out.trim_end(), "24.2", "{build}: {ran:#?}");
    }
    app.write("requirements.txt", "packaging==0.0.0.0\n");
    let failed = app.call(&["build", "--source=.", "stdout"]);
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("packaging==0.0.0.0"), "{failed:#?}");
}

const LAB: &str = r#"package main

import (
	"context"
	"fmt"
)

type Lab struct{}

func (m *Lab) Lint(ctx context.Context, source *Directory) (string, error) {
	return dag.Container().From("golangci/golangci-lint:v1.55").
		WithDirectory("/src", source).WithWorkdir("/src").
		WithExec([]string{"golangci-lint", "run", "--timeout", "5m"}).Stdout(ctx)
}

func (m *Lab) Test(ctx context.Context, source *Directory) (string, error) {
	return dag.Container().From("golang:1.21").
		WithDirectory("/src", source).WithWorkdir("/src").
		WithExec([]string{"go", "test", "-v", "./..."}).Stdout(ctx)
}

func (m *Lab) Build(source *Directory) *Container {
	return dag.Container().From("golang:1.21-alpine").
		WithDirectory("/src", source).WithWorkdir("/src").
		WithMountedCache("/go/pkg/mod", dag.CacheVolume("go-mod")).
		WithEnvVariable("CGO_ENABLED", "0").
		WithExec([]string{"go", "build", "-o", "app", "."})
}

func (m *Lab) BuildImage(source *Directory) *Container {
	return dag.Container().From("alpine:latest").
		WithFile("/app", m.Build(source).File("/src/app")).
		WithEntrypoint([]string{"/app"})
}

func (m *Lab) All(ctx context.Context, source *Directory) error {
	for name, stage := range map[string]func(context.Context, *Directory) (string, error){"lint": m.Lint, "test": m.Test} {
		fmt.Println("stage", name)
		if _, err := stage(ctx, source); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	_, err := m.Build(source).Sync(ctx)
	return err
}
"#;

/// The exercise: a program in an empty directory, a module beside it, and every stage, by the original's name.
#[test]
fn exercise_is_followed_from_an_empty_directory() {
    let nsci = Nsci::new();
    let dagger = nsci.home().join("bin/dagger");
    fs::create_dir_all(dagger.parent().unwrap()).unwrap();
    std::os::unix::fs::symlink(crate::support::binary(), &dagger).unwrap();
    let run = |words: &[&str]| -> Ran {
        let mut command = nsci.command_of(&dagger, words);
        command.current_dir(nsci.home().join("lab"));
        command.output().unwrap().into()
    };
    nsci.write("lab/go.mod", "module lab\n\ngo 1.21\n");
    nsci.write(
        "lab/main.go",
        "package main\n\nimport \"fmt\"\n\nfunc main() {\n\tfmt.Println(Greet(\"World\"))\n}\n\n\
         func Greet(name string) string {\n\treturn \"Hello, \" + name + \"!\"\n}\n",
    );
    nsci.write(
        "lab/main_test.go",
        "package main\n\nimport \"testing\"\n\nfunc TestGreet(t *testing.T) {\n\
         \tif Greet(\"you\") != \"Hello, you!\" {\n\t\tt.Error(Greet(\"you\"))\n\t}\n}\n",
    );
    run(&["init", "--sdk=go"]).ok();
    assert!(nsci.read("lab/dagger/main.go").contains("type Lab struct"));
    nsci.write("lab/dagger/main.go", LAB);
    let listed = run(&["-s", "functions"]).ok().out;
    for name in ["lint", "test", "build", "build-image", "all"] {
        assert!(listed.contains(&format!("{name} ")), "{name}: {listed}");
    }
    run(&["-s", "call", "lint", "--source=."]).ok();
    let test = run(&["-s", "call", "test", "--source=."]).ok();
    assert!(test.out.contains("--- PASS: TestGreet"), "{test:#?}");
    run(&["-s", "call", "build", "--source=."]).ok();
    run(&["-s", "call", "all", "--source=."]).ok();
    let image = ["-s", "call", "build-image", "--source=."];
    run(&[&image[..], &["export", "--path=./image.tar"]].concat()).ok();
    assert!(
        fs::metadata(nsci.home().join("lab/image.tar"))
            .unwrap()
            .len()
            > 1 << 20
    );
    let greet = ["with-exec", "--args=", "--use-entrypoint", "stdout"];
    let said = run(&[&image[..], &greet].concat()).ok();
    assert_eq!(said.out, "Hello, World!\n");
    nsci.write(
        "lab/main.go",
        "package main\n\nfunc main() {}\n\nfunc Greet(string) string { return \"\" }\n",
    );
    let failed = run(&["call", "all", "--source=."]);
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("FAIL: TestGreet"), "{failed:#?}");
}

/// Commands of 2023 that make a module of modules: `mod init`, `mod use`, functions of a module by reference.
#[test]
fn commands_of_2023_make_a_module_that_uses_others() {
    let nsci = Nsci::new();
    nsci.copy("examples/modules", "modules");
    let run = |words: &[&str]| -> Ran {
        fs::create_dir_all(nsci.home().join("iac")).unwrap();
        let mut command = nsci.command(words);
        command.current_dir(nsci.home().join("iac"));
        command.output().unwrap().into()
    };
    run(&["-s", "mod", "init", "--name", "iac", "--sdk", "go"]).ok();
    assert!(nsci.read("iac/main.go").contains("type Iac struct"));
    run(&["-s", "mod", "use", "../modules/pulumi"]).ok();
    run(&["-s", "mod", "use", "../modules/gh"]).ok();
    run(&["-s", "mod", "sync"]).ok();
    nsci.write("iac/main.go", &nsci.read("modules/iac/main.go"));
    let listed = run(&["-s", "functions"]).ok().out;
    assert!(
        listed.contains("with-credentials") && listed.contains("preview"),
        "{listed}"
    );
    let modules = run(&["-s", "modules"]).ok().out;
    assert!(
        modules.contains("pulumi") && modules.contains("gh"),
        "{modules}"
    );
    let listed = run(&["-s", "-m", "../modules/pulumi", "functions"])
        .ok()
        .out;
    for name in [
        "up",
        "preview",
        "refresh",
        "destroy",
        "from-version",
        "with-aws-credentials",
    ] {
        assert!(listed.contains(name), "{name}: {listed}");
    }
}

/// A program that uses the client instead of a module: run by `nsci run`, it comments on a pull request.
#[test]
fn program_with_the_client_previews_and_comments() {
    let nsci = Nsci::new();
    nsci.copy("examples/go-client", "examples/go-client");
    nsci.copy("sdk/go", "sdk/go");
    nsci.run(&[
        "-s",
        "core",
        "container",
        "from",
        "--address=golang:1.21",
        "with-directory",
        "--path=/src/sdk/go",
        "--source=sdk/go",
        "with-directory",
        "--path=/src/examples/go-client",
        "--source=examples/go-client",
        "with-workdir",
        "--path=/src/examples/go-client",
        "with-env-variable",
        "--name=CGO_ENABLED",
        "--value=0",
        "with-exec",
        "--args=go,build,-o,/preview,.",
        "file",
        "--path=/preview",
        "export",
        "--path=preview",
    ])
    .ok();
    nsci.write(
        "infra/Pulumi.yaml",
        "name: network\nresources:\n  - resource: bucket\n",
    );
    nsci.write("infra/go.mod", "module infra\n\ngo 1.21\n");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    let comments = std::thread::spawn(move || receive(&listener));
    let run = |operation: &str, env: &[(&str, &str)]| -> Ran {
        let program = nsci.home().join("preview");
        let words = [
            "--progress",
            "plain",
            "run",
            program.to_str().unwrap(),
            operation,
            "-stack=acme/prod",
        ];
        let mut command = nsci.command(&words);
        command.current_dir(nsci.home().join("infra"));
        for (name, value) in [
            ("PULUMI_ACCESS_TOKEN", "pul-secret-token"),
            ("AWS_ACCESS_KEY_ID", "aws-secret-id"),
            ("AWS_SECRET_ACCESS_KEY", "aws-secret-key"),
        ] {
            command.env(name, value);
        }
        command.envs(env.iter().copied()).output().unwrap().into()
    };
    let up = run("up", &[]).ok();
    assert!(
        up.out.contains("up of network (acme/prod), as ***"),
        "{up:#?}"
    );
    let pull_request = [
        ("GITHUB_TOKEN", "gh-secret-token"),
        ("GITHUB_REPOSITORY", "acme/app"),
        ("GITHUB_REF", "refs/pull/7/merge"),
        ("GITHUB_API_URL", api.as_str()),
    ];
    let preview = run("preview", &pull_request).ok();
    assert!(
        preview.out.contains("Resources: 1 to create"),
        "{preview:#?}"
    );
    assert!(!preview.err.contains("pul-secret-token"), "{preview:#?}");
    let (head, body) = comments.join().unwrap();
    assert!(
        head.starts_with("POST /repos/acme/app/issues/7/comments "),
        "{head}"
    );
    assert!(head.contains("Bearer gh-secret-token"), "{head}");
    assert!(body.contains("+ bucket  to create"), "{body}");
    let failed = run("destroy", &[]);
    assert_ne!(failed.code, 0);
    assert!(failed.err.contains("neither preview nor up"), "{failed:#?}");
}

/// Answers one request; its head and its body.
fn receive(listener: &TcpListener) -> (String, String) {
    let (stream, _) = listener.accept().unwrap();
    let mut stream = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    let answer = "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\n{}";
    stream.get_mut().write_all(answer.as_bytes()).unwrap();
    (head, String::from_utf8(body).unwrap())
}

/// A module that ten services share: installed in one of them, its functions called by its name.
#[test]
fn image_of_a_shared_module_is_published() {
    let app = App::new("go-app");
    app.write("dagger.json", "{\n  \"name\": \"users\"\n}\n");
    app.run(&["-s", "install", "../modules/go-service"]).ok();
    let registry = Registry::start(Access::Password);
    let to = format!("--registry={}/org/users", registry.address);
    let words = [
        "go-service",
        "publish",
        "--source=.",
        &to,
        "--tag=v1.0.0",
        "--username=nsci",
        "--password=env:REGISTRY_TOKEN",
    ];
    let published = app.call(&words).ok();
    assert!(
        published.out.contains("/org/users:v1.0.0@sha256:"),
        "{published:#?}"
    );
    let binary = Path::new("service");
    app.call(&[
        "go-service",
        "build",
        "--source=.",
        "export",
        "--path=service",
    ])
    .ok();
    assert!(app.nsci.home().join("go-app").join(binary).is_file());
}
