//! Images: every format and way to name one, and what is said when there is none.

use serde_json::json;

use crate::support::{IMAGE, Nsci, from, quoted, registry, sh};

#[test]
fn every_format_and_reference_is_pulled() {
    let nsci = Nsci::new();
    let digest = nsci.text(&format!("container {} imageRef", from(IMAGE)));
    let digest = digest.split_once('@').unwrap().1.to_owned();
    for image in [
        "busybox".to_owned(),
        "busybox:docker".into(),
        "alpine:zstd".into(),
        "docker.io/library/alpine:3".into(),
        "quay.io/prometheus/busybox:latest".into(),
        format!("alpine@{digest}"),
        format!("{IMAGE}@{digest}"),
        format!("{}/docker.io/library/alpine:3.20", registry()),
    ] {
        let chain = format!(
            "container {} withExec(args: [\"echo\", \"hi\"]) stdout",
            from(&image)
        );
        assert_eq!(nsci.text(&chain), "hi\n", "{image}");
    }
}

#[test]
fn image_configuration_is_the_containers() {
    let nsci = Nsci::new();
    let python =
        |chain: &str| nsci.leaf(&format!("container {} {chain}", from("python:3.11-slim")));
    assert!(
        python("envVariable(name: \"PATH\")")
            .as_str()
            .unwrap()
            .contains("/usr/local/bin")
    );
    assert_eq!(python("defaultArgs"), json!(["python3"]));
    assert_eq!(
        python("withExec(args: [\"python\", \"-c\", \"print(1 + 1)\"]) stdout"),
        json!("2\n")
    );
    let nonroot = nsci.text(&format!(
        "container {} user",
        from("gcr.io/distroless/static:nonroot")
    ));
    assert_eq!(nonroot, "65532");
}

#[test]
fn platform_chooses_the_image() {
    let nsci = Nsci::new();
    let arm = "container(platform: \"linux/arm64\") from(address: \"busybox\")";
    assert_eq!(nsci.text(&format!("{arm} platform")), "linux/arm64");
    let digest = |chain: &str| {
        nsci.text(&format!(
            "{chain} rootfs file(path: \"/bin/busybox\") digest"
        ))
    };
    assert_ne!(digest(arm), digest("container from(address: \"busybox\")"));
    nsci.chain("container(platform: \"linux/riscv64\") from(address: \"busybox\") rootfs entries")
        .failed(1, &["riscv64"]);
}

#[test]
fn images_that_are_not_there_are_named() {
    let nsci = Nsci::new();
    let own = registry();
    let nothing = "sha256:0000000000000000000000000000000000000000000000000000000000000000";
    let rows: [(String, &[&str]); 4] = [
        (format!("{own}/no/such:1"), &["no/such", "not found"]),
        (
            format!("{own}/docker.io/library/alpine@{nothing}"),
            &["alpine", "000", "not found"],
        ),
        ("127.0.0.1:1/x:1".into(), &["cannot reach", "127.0.0.1:1"]),
        (
            "registry.invalid/x:1".into(),
            &["cannot reach", "registry.invalid"],
        ),
    ];
    for (image, texts) in rows {
        let ran = nsci.chain(&format!("container {} {} stdout", from(&image), sh("true")));
        ran.failed(1, texts);
    }
}

#[test]
fn image_that_was_pulled_needs_no_registry() {
    let nsci = Nsci::new();
    let digest = nsci.text(&format!("container {} imageRef", from(IMAGE)));
    let chain = |script: &str| format!("container {} {} stdout", from(&digest), sh(script));
    nsci.text(&chain("true"));
    let ran = nsci
        .command(&["-s", "query", &crate::support::nest(&chain("echo again"))])
        .env(
            "NSCI_REGISTRY_MIRRORS",
            "docker.io=http://127.0.0.1:1/docker.io",
        )
        .output()
        .unwrap();
    let ran = crate::support::Ran::from(ran).ok();
    assert!(ran.out.contains("again"), "{ran:#?} {}", quoted(&digest));
}

#[test]
fn command_for_another_processor_needs_an_emulator() {
    let nsci = Nsci::new();
    let chain = format!(
        "container(platform: \"linux/arm64\") {} {} stdout",
        from("busybox"),
        sh("echo hi")
    );
    let ran = nsci.chain(&chain);
    let handlers = std::fs::read_dir("/proc/sys/fs/binfmt_misc");
    let mut handlers = handlers.into_iter().flatten().flatten();
    if handlers.any(|handler| handler.file_name().to_string_lossy().contains("aarch64")) {
        assert_eq!(crate::support::leaf(&ran.ok().json()), "hi\n");
    } else {
        ran.failed(
            1,
            &[
                "cannot run commands for linux/arm64 on this linux/amd64 machine",
                "/proc/sys/fs/binfmt_misc",
                "apt-get install qemu-user-static",
            ],
        );
    }
}
