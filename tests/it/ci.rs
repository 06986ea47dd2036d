//! The files for CI systems: parsed as the systems do, and their commands run on this machine.
//!
//! What a runner brings is laid in place first: nsci and the scripts at an address, and an `apt-get` that has nothing to
//! do. Everything else is run as it stands.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use yaml_rust2::{Yaml, YamlLoader};

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
