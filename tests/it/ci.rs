//! The files for CI systems: parsed as the systems do, and their commands run on this machine.
//!
//! What a runner brings is laid in place first: nsci and the scripts at an address, and an `apt-get` that has nothing to
//! do. Everything else is run as it stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use serde_json::json;
use yaml_rust2::{Yaml, YamlLoader};

use crate::support::registry::{Access, Registry};
use crate::support::{Nsci, Ran, binary, repository};

const MODULE: &str = r#"
import dagger
from dagger import dag, function, object_type


@object_type
class Ci:
    @function
    async def test(self, source: dagger.Directory) -> str:
        return await (
            dag.container().from_("alpine:3.20").with_directory("/src", source)
            .with_exec(["cat", "/src/app.txt"]).stdout()
        )
"#;

/// A runner with a checkout.
fn runner() -> Nsci {
    let nsci = Nsci::new();
    nsci.write(
        "src/dagger.json",
        r#"{"name": "ci", "sdk": "python", "source": "ci"}"#,
    );
    nsci.write("src/ci/main.py", MODULE);
    nsci.write("src/app.txt", "it works");
    let apt = nsci.write("shims/apt-get", "#!/bin/sh\nexit 0\n");
    fs::set_permissions(apt, fs::Permissions::from_mode(0o755)).unwrap();
    nsci
}

/// Runs a script in the checkout.
fn script(nsci: &Nsci, text: &str, env: &[(&str, &str)]) -> Ran {
    let mut command = nsci.command_of(Path::new("sh"), &["-ec", text]);
    let path = std::env::var("PATH").unwrap();
    command
        .current_dir(nsci.home().join("src"))
        .env(
            "PATH",
            format!("{0}/bin:{0}/shims:{path}", nsci.home().display()),
        )
        .env("NSCI_CI", format!("file://{}/ci", repository().display()))
        .env("NSCI_URL", format!("file://{}", binary().display()))
        .env("NSCI_BIN_DIR", nsci.home().join("bin"))
        .env("GITHUB_ACTION_PATH", repository().join("ci/github"))
        .env("NSCI_PROGRESS", "plain")
        .envs(env.iter().copied());
    fs::create_dir_all(nsci.home().join("bin")).unwrap();
    Ran::from(command.output().unwrap())
}

fn yaml(path: &str) -> Yaml {
    let text = fs::read_to_string(repository().join(path)).unwrap();
    YamlLoader::load_from_str(&text)
        .unwrap_or_else(|error| panic!("{path}: {error}"))
        .remove(0)
}

/// The texts of a list, one a line.
fn lines(list: &Yaml) -> String {
    let texts = list.as_vec().unwrap_or_else(|| panic!("no list: {list:?}"));
    texts
        .iter()
        .map(|text| format!("{}\n", text.as_str().unwrap()))
        .collect()
}

#[test]
fn github_action_calls_and_keeps_the_cache() {
    let workflow = yaml("ci/github/workflow.yml");
    let step = &workflow["jobs"]["ci"]["steps"][1];
    assert_eq!(step["uses"].as_str(), Some("nsci/nsci/ci/github@main"));
    let call = step["with"]["call"].as_str().unwrap();
    let action = yaml("ci/github/action.yml");
    assert_eq!(action["runs"]["using"].as_str(), Some("composite"));
    for input in step["with"].as_hash().unwrap().keys() {
        assert!(
            !action["inputs"][input.as_str().unwrap()].is_badvalue(),
            "{input:?} is no input"
        );
    }
    let steps = action["runs"]["steps"].as_vec().unwrap();
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert_eq!(commands.len(), 4);
    let env = [
        ("NSCI_MODULE", "."),
        ("NSCI_CALL", call),
        ("NSCI_VERSION", "latest"),
    ];
    let nsci = runner();
    for command in &commands {
        let ran = script(&nsci, command, &env).ok();
        if command.contains(" call ") {
            assert_eq!(ran.out.trim_end(), "it works", "{ran:#?}");
            assert!(ran.err.contains("pull"), "the first run pulls: {ran:#?}");
        }
    }
    // Another runner, to which the system gives the file again.
    let other = runner();
    fs::copy(
        nsci.home().join("nsci-cache.tar"),
        other.home().join("nsci-cache.tar"),
    )
    .unwrap();
    for command in &commands {
        let ran = script(&other, command, &env).ok();
        if command.contains(" call ") {
            assert_eq!(ran.out.trim_end(), "it works", "{ran:#?}");
            assert!(!ran.err.contains("pull"), "the second does not: {ran:#?}");
        }
    }
}

#[test]
fn gitlab_job_runs_without_dind() {
    let file = yaml("ci/gitlab-ci.yml");
    let job = &file["test"];
    assert!(job["services"].is_badvalue());
    let nsci = runner();
    let text = lines(&job["before_script"]) + &lines(&job["script"]) + &lines(&job["after_script"]);
    let ran = script(&nsci, &text, &[]).ok();
    assert!(ran.out.contains("it works"), "{ran:#?}");
    let kept = job["cache"]["paths"][0].as_str().unwrap();
    assert!(nsci.home().join("src").join(kept).is_file());
}

#[test]
fn jenkins_steps_run() {
    let text = fs::read_to_string(repository().join("ci/Jenkinsfile")).unwrap();
    let steps: Vec<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("sh '")?.strip_suffix('\''))
        .collect();
    assert_eq!(steps.len(), 2, "{text}");
    let ran = script(&runner(), &steps.join("\n"), &[]).ok();
    assert!(ran.out.contains("it works"), "{ran:#?}");
}

#[test]
fn circleci_job_runs() {
    let file = yaml("ci/circleci.yml");
    let steps = file["jobs"]["test"]["steps"].as_vec().unwrap();
    let commands: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    let ran = script(&runner(), &commands.join("\n"), &[]).ok();
    assert!(ran.out.contains("it works"), "{ran:#?}");
    assert_eq!(file["workflows"]["ci"]["jobs"][0].as_str(), Some("test"));
}

#[test]
fn bitbucket_step_runs() {
    let file = yaml("ci/bitbucket-pipelines.yml");
    let step = &file["pipelines"]["default"][0]["step"];
    let kept = file["definitions"]["caches"]["nsci"].as_str().unwrap();
    let nsci = runner();
    let ran = script(&nsci, &lines(&step["script"]), &[]).ok();
    assert!(ran.out.contains("it works"), "{ran:#?}");
    assert!(
        nsci.home()
            .join("src")
            .join(kept)
            .join("store.tar")
            .is_file()
    );
}

#[test]
fn kubernetes_job_runs_without_privileges() {
    let file = yaml("ci/kubernetes-job.yaml");
    let pod = &file["spec"]["template"]["spec"];
    let container = &pod["containers"][0];
    assert!(container["securityContext"].is_badvalue());
    let nsci = runner();
    let repository = nsci.home().join("remote");
    let git = format!(
        "cp -r . {0}; cd {0}; git init -q; git add .; git -c user.name=t -c user.email=t@example.org commit -q -m one",
        repository.display()
    );
    script(&nsci, &git, &[]).ok();
    let command = container["args"][0].as_str().unwrap();
    // The job starts in an empty directory.
    let text = format!("mkdir ../empty; cd ../empty\n{command}");
    let url = format!("file://{}", repository.display());
    let ran = script(&nsci, &text, &[("REPOSITORY", &url)]).ok();
    assert!(ran.out.contains("it works"), "{ran:#?}");
    for mount in container["volumeMounts"].as_vec().unwrap() {
        let volumes = pod["volumes"].as_vec().unwrap();
        assert!(
            volumes.iter().any(|volume| volume["name"] == mount["name"]),
            "{mount:?}"
        );
    }
}

/// A runner with a checkout of an example.
fn runner_with(example: &str) -> Nsci {
    let nsci = runner();
    fs::remove_dir_all(nsci.home().join("src")).unwrap();
    nsci.copy(&format!("examples/{example}"), "src");
    nsci.copy("examples/modules", "modules");
    nsci
}

/// Puts values where a workflow has `${{ … }}`, as the system does before a step runs.
fn expanded(text: &str, values: &[(&str, &str)]) -> String {
    let put = |text: String, (name, value): &(&str, &str)| {
        text.replace(&format!("${{{{ {name} }}}}"), value)
    };
    let text = values.iter().fold(text.to_owned(), put);
    assert!(!text.contains("${{"), "a value is missing: {text}");
    text
}

/// What was published can be run by who may read it.
fn runs(nsci: &Nsci, registry: &Registry, image: &str) {
    let auths = json!({"auths": {&registry.address: {"auth": "bnNjaTpzZWNyZXQ="}}});
    nsci.write(".docker/config.json", &auths.to_string());
    let address = format!("--address={}/{image}", registry.address);
    let words = [
        "-s",
        "core",
        "container",
        "from",
        &address,
        "with-exec",
        "--args=",
    ];
    let run = ["--use-entrypoint", "--stdin", "two words", "stdout"];
    let ran = nsci.run(&[&words[..], &run].concat()).ok();
    assert_eq!(ran.out, "2\n", "{ran:#?}");
}

/// The steps of a workflow run one after another; the one for the main branch publishes on it and nowhere else.
#[test]
fn github_workflow_checks_every_push_and_publishes_main() {
    let workflow = yaml("examples/go-app/.github/workflows/ci.yml");
    let steps = workflow["jobs"]["ci"]["steps"].as_vec().unwrap();
    let registry = Registry::start(Access::Password);
    let nsci = runner_with("go-app");
    let values = [
        ("github.repository", "org/app"),
        ("github.sha", "4f1c0a7"),
        ("github.actor", "nsci"),
        ("secrets.GITHUB_TOKEN", "secret"),
    ];
    let mut published = Vec::new();
    for branch in ["refs/heads/topic", "refs/heads/main"] {
        for step in steps {
            let used = step["uses"].as_str().unwrap_or_default();
            assert!(used.is_empty() || step["run"].is_badvalue());
            let text = match used {
                "" => step["run"].as_str().unwrap(),
                used if used.starts_with("actions/checkout@") => continue,
                used => {
                    assert_eq!(used, "nsci/nsci/ci/github@main");
                    "\"$GITHUB_ACTION_PATH/../install.sh\""
                }
            };
            if let Some(condition) = step["if"].as_str() {
                let (of, wanted) = condition.split_once(" == ").unwrap();
                assert_eq!(of, "github.ref");
                if wanted.trim_matches('\'') != branch {
                    continue;
                }
            }
            // The only thing that is changed: where the registry is.
            let text = expanded(text, &values).replace("ghcr.io", &registry.address);
            let env = step["env"].as_hash().into_iter().flatten();
            let env: Vec<(String, String)> = env
                .map(|(name, value)| {
                    let value = expanded(value.as_str().unwrap(), &values);
                    (name.as_str().unwrap().to_owned(), value)
                })
                .collect();
            let env: Vec<_> = env
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str()))
                .collect();
            let ran = script(&nsci, &text, &env).ok();
            if ran.out.contains("@sha256:") {
                published.push(branch);
            }
        }
    }
    assert_eq!(published, ["refs/heads/main"]);
    runs(&nsci, &registry, "org/app:4f1c0a7");
}

/// The jobs of a pipeline in the order of their stages, each with what it extends.
#[test]
fn gitlab_pipeline_builds_tests_and_deploys() {
    let file = yaml("examples/go-app/.gitlab-ci.yml");
    let registry = Registry::start(Access::Password);
    let nsci = runner_with("go-app");
    let image = format!("{}/org/app", registry.address);
    let env = [
        ("CI_REGISTRY_IMAGE", image.as_str()),
        ("CI_COMMIT_SHA", "4f1c0a7"),
        ("CI_REGISTRY_USER", "nsci"),
        ("CI_REGISTRY_PASSWORD", "secret"),
    ];
    let mut ran = Vec::new();
    for stage in file["stages"].as_vec().unwrap() {
        for (name, job) in file.as_hash().unwrap() {
            if job["stage"] != *stage {
                continue;
            }
            let base = &file[job["extends"].as_str().unwrap()];
            assert!(
                base["services"].is_badvalue(),
                "no daemon is started beside"
            );
            let text = lines(&base["before_script"]) + &lines(&job["script"]);
            let said = script(&nsci, &text, &env).ok();
            ran.push((name.as_str().unwrap(), said.out));
        }
    }
    let names: Vec<&str> = ran.iter().map(|(name, _)| *name).collect();
    assert_eq!(names, ["build", "test", "deploy"]);
    assert!(ran[1].1.contains("--- PASS: TestWords"), "{ran:?}");
    assert!(ran[2].1.contains("/org/app:4f1c0a7@sha256:"), "{ran:?}");
    assert_eq!(file["deploy"]["only"][0].as_str(), Some("main"));
    runs(&nsci, &registry, "org/app:4f1c0a7");
}

/// Infrastructure is previewed on a pull request, with all credentials as secrets; also as it was written in 2023,
/// when values of flags were the secrets themselves.
#[test]
fn github_workflow_previews_infrastructure() {
    let workflow = yaml("examples/modules/iac/workflow.yml");
    let branches = &workflow["on"]["pull_request"]["branches"];
    assert_eq!(branches[0].as_str(), Some("main"));
    let steps = workflow["jobs"]["preview"]["steps"].as_vec().unwrap();
    let step = steps
        .iter()
        .find(|step| !step["run"].is_badvalue())
        .unwrap();
    let nsci = runner();
    fs::remove_dir_all(nsci.home().join("src")).unwrap();
    nsci.copy("examples/modules/iac", "src/ci");
    for used in ["pulumi", "gh"] {
        nsci.copy(&format!("examples/modules/{used}"), &format!("src/{used}"));
    }
    nsci.write(
        "src/Pulumi.yaml",
        "name: network\nresources:\n  - resource: bucket\n",
    );
    nsci.write("src/go.mod", "module infra\n\ngo 1.21\n");
    script(&nsci, "\"$GITHUB_ACTION_PATH/../install.sh\"", &[]).ok();
    let names: Vec<&str> = step["env"]
        .as_hash()
        .unwrap()
        .keys()
        .flat_map(Yaml::as_str)
        .collect();
    let secrets: Vec<String> = names
        .iter()
        .map(|name| format!("value-of-{name}"))
        .collect();
    let mut env: Vec<(&str, &str)> = names
        .iter()
        .copied()
        .zip(secrets.iter().map(String::as_str))
        .collect();
    env.push(("GITHUB_REF", "refs/pull/7/merge"));
    let text = step["run"].as_str().unwrap();
    let named = script(&nsci, text, &env).ok();
    // In 2023 the shell put the values there, and a word was the secret.
    let old = names.iter().fold(text.to_owned(), |text, name| {
        text.replace(&format!("env:{name}"), &format!("${name}"))
    });
    let old = old.replace("nsci ", "nsci --compat=v0.9.3 ");
    let given = script(&nsci, &old, &env).ok();
    for ran in [named, given] {
        assert!(ran.out.contains("/pull/7#issuecomment-1"), "{ran:#?}");
        assert!(ran.err.contains("+ bucket  to create"), "{ran:#?}");
        for secret in &secrets {
            assert!(
                !ran.out.contains(secret) && !ran.err.contains(secret),
                "{ran:#?}"
            );
        }
    }
}
