//! The reference modules below examples/modules, called as their users call them; their tools are stand-ins.

use crate::support::{Nsci, Ran};

fn modules() -> Nsci {
    let nsci = Nsci::new();
    nsci.copy("examples/modules", "modules");
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

const CREDENTIALS: [(&str, &str); 4] = [
    ("PULUMI_ACCESS_TOKEN", "pul-secret-token"),
    ("AWS_ACCESS_KEY_ID", "aws-secret-id"),
    ("AWS_SECRET_ACCESS_KEY", "aws-secret-key"),
    ("GITHUB_TOKEN", "gh-secret-token"),
];

fn infrastructure(nsci: &Nsci) {
    nsci.write(
        "infra/Pulumi.yaml",
        "name: network\nresources:\n  - resource: bucket\n  - resource: queue\n",
    );
    nsci.write("infra/go.mod", "module infra\n\ngo 1.21\n");
}

#[test]
fn pulumi_previews_with_credentials_as_secrets() {
    let nsci = modules();
    infrastructure(&nsci);
    let credentials = [
        "with-aws-credentials",
        "--aws-access-key=env:AWS_ACCESS_KEY_ID",
        "--aws-secret-key=env:AWS_SECRET_ACCESS_KEY",
        "with-pulumi-token",
        "--pulumi-token=env:PULUMI_ACCESS_TOKEN",
    ];
    let preview = ["preview", "--src=infra", "--stack=acme/prod"];
    let ran = call(
        &nsci,
        "pulumi",
        &[&credentials[..], &preview].concat(),
        &CREDENTIALS,
    )
    .ok();
    assert!(
        ran.out.contains("preview of network (acme/prod), as ***"),
        "{ran:#?}"
    );
    assert!(ran.out.contains("Resources: 2 to create"), "{ran:#?}");
    for (_, secret) in CREDENTIALS {
        assert!(
            !ran.err.contains(secret) && !ran.out.contains(secret),
            "{ran:#?}"
        );
    }
    call(&nsci, "pulumi", &preview, &CREDENTIALS).failed(1, &["with-pulumi-token"]);
}

#[test]
fn pull_request_gets_the_preview_as_a_comment() {
    let nsci = modules();
    infrastructure(&nsci);
    let words = |reference| {
        [
            "with-credentials",
            "--pulumi-token=env:PULUMI_ACCESS_TOKEN",
            "--aws-access-key=env:AWS_ACCESS_KEY_ID",
            "--aws-secret-key=env:AWS_SECRET_ACCESS_KEY",
            "preview",
            "--src=infra",
            "--stack=acme/prod",
            "--github-token=env:GITHUB_TOKEN",
            reference,
        ]
    };
    let ran = call(
        &nsci,
        "iac",
        &words("--github-ref=refs/pull/7/merge"),
        &CREDENTIALS,
    )
    .ok();
    assert!(ran.out.contains("/pull/7#issuecomment-1"), "{ran:#?}");
    call(&nsci, "iac", &words("--github-ref=main"), &CREDENTIALS)
        .failed(1, &["main is no ref of a pull request"]);
}

#[test]
fn gradle_in_go_is_called_from_python() {
    let nsci = modules();
    nsci.write("java/settings.gradle", "rootProject.name = 'shop'\n");
    nsci.write("java/src/Main.java", "class Main {}\n");
    let built = [
        "build",
        "--source=java",
        "file",
        "--path=/app/build/libs/shop.jar",
        "size",
    ];
    let ran = call(&nsci, "java-ci", &built, &[]).ok();
    assert!(ran.out.trim_end().parse::<u64>().unwrap() > 0, "{ran:#?}");
    let said = call(&nsci, "java-ci", &["build", "--source=java", "stdout"], &[]).ok();
    assert!(said.out.contains("BUILD SUCCESSFUL"), "{said:#?}");
    call(&nsci, "java-ci", &["empty", "stdout"], &[]).failed(1, &["has no build.gradle"]);
    // The other module is called by its name too.
    let direct = ["gradle", "with-source", "--source=java", "test", "stdout"];
    assert!(
        call(&nsci, "java-ci", &direct, &[])
            .ok()
            .out
            .contains("Task :test")
    );
}

#[test]
fn go_service_runs_its_pipeline_for_any_service() {
    let nsci = modules();
    nsci.write("users/go.mod", "module users\n\ngo 1.21\n");
    nsci.write(
        "users/main.go",
        "package main\n\nfunc main() { println(\"users\") }\n",
    );
    nsci.write(
        "users/main_test.go",
        "package main\n\nimport \"testing\"\n\nfunc TestNothing(t *testing.T) {}\n",
    );
    let mut install = nsci.command(&["-s", "install", "../modules/go-service"]);
    Ran::from(
        install
            .current_dir(nsci.home().join("users"))
            .output()
            .unwrap(),
    )
    .ok();
    let mut ci = nsci.command(&["-s", "call", "go-service", "ci", "--source=."]);
    Ran::from(ci.current_dir(nsci.home().join("users")).output().unwrap()).ok();
    let mut image = nsci.command(&[
        "-s",
        "call",
        "go-service",
        "image",
        "--source=.",
        "with-exec",
        "--args=",
        "--use-entrypoint",
        "stderr",
    ]);
    let ran = Ran::from(
        image
            .current_dir(nsci.home().join("users"))
            .output()
            .unwrap(),
    )
    .ok();
    assert_eq!(ran.out.trim_end(), "users", "{ran:#?}");
}
