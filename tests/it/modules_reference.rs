//! The reference modules below examples/modules, called as their users call them; their tools are stand-ins.

use std::fs;
use std::path::Path;

use crate::support::{Nsci, Ran, repository};

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().flatten() {
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn modules() -> Nsci {
    let nsci = Nsci::new();
    copy(
        &repository().join("examples/modules"),
        &nsci.home().join("modules"),
    );
    nsci
}

fn call(nsci: &Nsci, module: &str, words: &[&str], env: &[(&str, &str)]) -> Ran {
    let module = format!("modules/{module}");
    let words = [&["--progress", "plain", "-m", &module, "call"], words].concat();
    let mut command = nsci.command(&words);
    command.envs(env.iter().copied());
    command.output().unwrap().into()
}

#[test]
fn gh_comments_with_its_token_as_a_secret() {
    let nsci = modules();
    let env = [("GITHUB_TOKEN", "gh-secret-token")];
    let ran = call(
        &nsci,
        "gh",
        &[
            "--repo=acme/app",
            "comment",
            "--token=env:GITHUB_TOKEN",
            "--pull-request=7",
            "--body=fine",
        ],
        &env,
    )
    .ok();
    assert_eq!(
        ran.out.trim_end(),
        "https://github.com/acme/app/pull/7#issuecomment-1"
    );
    let ran = call(
        &nsci,
        "gh",
        &["run", "--token=env:GITHUB_TOKEN", "--cmd=auth status"],
        &env,
    )
    .ok();
    assert!(
        ran.out.contains("logged in to github.com with ***"),
        "{ran:#?}"
    );
    assert!(!ran.err.contains("gh-secret-token"), "{ran:#?}");
    call(
        &nsci,
        "gh",
        &["run", "--token=env:GITHUB_TOKEN", "--cmd=nope"],
        &env,
    )
    .failed(1, &["unknown command nope"]);
}

#[test]
fn kubectl_applies_manifests() {
    let nsci = modules();
    nsci.write(
        "kubeconfig",
        "apiVersion: v1\nclusters:\n- cluster:\n    server: https://cluster.example\n",
    );
    nsci.write(
        "k8s/deployment.yaml",
        "kind: Deployment\nmetadata:\n  name: app\n---\nkind: Service\nmetadata:\n  name: web\n",
    );
    let with = ["with-kubeconfig", "--kubeconfig=file:./kubeconfig"];
    let ran = call(
        &nsci,
        "kubectl",
        &[
            &with[..],
            &[
                "with-namespace",
                "--namespace=prod",
                "apply",
                "--manifest=deployment.yaml",
                "--source=k8s",
            ],
        ]
        .concat(),
        &[],
    )
    .ok();
    assert_eq!(
        ran.out,
        "deployment/app configured in prod\nservice/web configured in prod\n"
    );
    let ran = call(
        &nsci,
        "kubectl",
        &[&with[..], &["rollout-status", "--deployment=app"]].concat(),
        &[],
    )
    .ok();
    assert!(ran.out.contains("https://cluster.example"), "{ran:#?}");
    call(
        &nsci,
        "kubectl",
        &["apply", "--manifest=x", "--source=k8s"],
        &[],
    )
    .failed(1, &["with-kubeconfig"]);
}
