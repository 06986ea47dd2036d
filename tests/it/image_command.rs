//! `nsci image`, and names that are in no registry.

use std::fs;
use std::path::Path;

use crate::support::registry::{Access, Registry};
use crate::support::{IMAGE, Nsci, Ran, from, sh};

/// An archive with a name, as another tool writes it.
fn archive(nsci: &Nsci, file: &str, name: &str) {
    let source = format!(
        "docker://{}/docker.io/library/{IMAGE}",
        crate::support::registry()
    );
    let target = format!("docker-archive:{file}:{name}");
    let output = nsci
        .command_of(
            Path::new("skopeo"),
            &["copy", "-q", "--src-tls-verify=false", &source, &target],
        )
        .env("XDG_RUNTIME_DIR", nsci.home())
        .output();
    Ran::from(output.unwrap()).ok();
}

fn list(nsci: &Nsci) -> Vec<(String, String, bool)> {
    let list = nsci.run(&["image", "ls", "--json"]).ok().json();
    let images = list.as_array().unwrap().iter();
    images
        .map(|image| {
            let text = |key: &str| image[key].as_str().unwrap().to_owned();
            let whole = image["kept"] == image["blobs"];
            (text("name"), text("platform"), whole)
        })
        .collect()
}

#[test]
fn pulled_images_are_listed_and_pushed_as_they_are() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    assert_eq!(list(&nsci), []);
    let arm = ["image", "pull", "--platform", "linux/arm64", "busybox"];
    nsci.run(&arm).ok();
    let pulled = nsci.run(&["image", "pull", IMAGE]).ok().out;
    let digest = pulled.trim().split_once('@').unwrap().1.to_owned();
    let names = [
        (
            "docker.io/library/alpine:3.20".into(),
            "linux/amd64".into(),
            true,
        ),
        (
            "docker.io/library/busybox:latest".into(),
            "linux/arm64".into(),
            true,
        ),
    ];
    assert_eq!(list(&nsci), names);
    let table = nsci.run(&["image", "ls"]).ok().out;
    assert!(table.contains(&digest[..19]), "{table}");

    // To the bit, so the digest stays.
    let target = format!("{}/mirror/alpine:3.20", registry.address);
    let pushed = nsci.run(&["image", "push", IMAGE, &target]).ok().out;
    assert_eq!(pushed.trim(), format!("{target}@{digest}"));

    nsci.run(&["image", "rm", "busybox"]).ok();
    assert_eq!(list(&nsci), names[..1]);
    nsci.run(&["image", "rm", "busybox"])
        .failed(1, &["no image busybox is known"]);
}

#[test]
fn imported_images_are_used_by_name() {
    let nsci = Nsci::new();
    archive(&nsci, "a.tar", "example.com/team/app:7");
    let imported = nsci.run(&["image", "import", "a.tar"]).ok().out;
    assert!(
        imported.starts_with("localhost/team/app:7@sha256:"),
        "{imported}"
    );
    nsci.run(&["image", "import", "a.tar", "other"]).ok();
    let names: Vec<String> = list(&nsci).into_iter().map(|image| image.0).collect();
    assert_eq!(names, ["localhost/other:latest", "localhost/team/app:7"]);
    let chain = |image: &str| format!("container {} {} stdout", from(image), sh("echo ran"));
    assert_eq!(nsci.text(&chain("localhost/team/app:7")), "ran\n");
    assert_eq!(nsci.text(&chain("localhost/other")), "ran\n");
    nsci.chain(&chain("localhost/missing:1"))
        .failed(1, &["cannot reach", "localhost/v2/missing"]);

    nsci.run(&["image", "export", "localhost/other", "out/b.tar"])
        .ok();
    let again = nsci.run(&["image", "import", "out/b.tar"]).ok().out;
    assert!(again.starts_with("localhost/other:latest@"), "{again}");
    fs::remove_file(nsci.home().join("a.tar")).unwrap();
}

#[test]
fn layouts_are_imported_as_they_are() {
    let nsci = Nsci::new();
    let source = format!(
        "docker://{}/docker.io/library/{IMAGE}",
        crate::support::registry()
    );
    let copy = [
        "copy",
        "-q",
        "--src-tls-verify=false",
        &source,
        "oci:layout:tag",
    ];
    let mut skopeo = nsci.command_of(Path::new("skopeo"), &copy);
    let output = skopeo.env("XDG_RUNTIME_DIR", nsci.home()).output();
    Ran::from(output.unwrap()).ok();
    nsci.run(&["image", "import", "layout"])
        .failed(2, &["does not say how its image is called"]);
    let digest = nsci.text(&format!("container {} imageRef", from(IMAGE)));
    let digest = digest.split_once('@').unwrap().1;
    for source in ["layout", "oci:layout", "oci:layout:tag"] {
        let imported = nsci.run(&["image", "import", source, "app"]).ok().out;
        assert_eq!(
            imported.trim(),
            format!("localhost/app:latest@{digest}"),
            "{source}"
        );
    }
}

#[test]
fn image_words_are_checked() {
    let nsci = Nsci::new();
    for (args, texts) in [
        (
            &["image", "steal"][..],
            &["unknown command `image steal`"][..],
        ),
        (
            &["image", "pull"],
            &["wrong number", "nsci image pull IMAGE"],
        ),
        (&["image", "export", "a"], &["nsci image export IMAGE FILE"]),
        (
            &["image", "pull", "--platform", "x/y/z/w", "a"],
            &["platform `x/y/z/w`"],
        ),
    ] {
        nsci.run(args).failed(2, texts);
    }
    nsci.run(&["image", "import", "nothing.tar"])
        .failed(2, &["cannot read", "nothing.tar"]);
    assert!(nsci.run(&["image"]).ok().out.contains("ls|pull|push"));
}
