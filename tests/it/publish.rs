//! Publishing and exporting: what others make of the images that nsci writes.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::support::registry::{Access, Registry};
use crate::support::{IMAGE, Nsci, Ran, from, nest, quoted, sh};

/// Runs another tool, which has to succeed.
#[track_caller]
fn tool(nsci: &Nsci, program: &str, args: &[&str]) -> String {
    let output = nsci
        .command_of(Path::new(program), args)
        .env("XDG_RUNTIME_DIR", nsci.home())
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    Ran::from(output).ok().out
}

fn inspect(nsci: &Nsci, reference: &str, args: &[&str]) -> Value {
    let mut all = vec!["inspect", "--tls-verify=false"];
    all.extend_from_slice(args);
    all.push(reference);
    serde_json::from_str(&tool(nsci, "skopeo", &all)).unwrap()
}

/// An image that does most of what a layer can say.
fn built() -> String {
    let script = "echo hi > /hello; ln hello /hard; ln -s hello /soft; rm /etc/os-release; \
                  rm -r /etc/ssl; mkdir /etc/ssl; echo new > /etc/ssl/new; mkdir -p -m 1777 /deep/er; \
                  echo ann:x:1000:1000::/:/bin/sh >> /etc/passwd; touch /deep/anns; chown ann /deep/anns; chmod 4711 /deep/anns; mkfifo /pipe; \
                  dd if=/dev/zero of=/sparse bs=1M seek=3 count=0 2>/dev/null";
    format!(
        "{} {} withWorkdir(path: \"/deep\") withUser(name: \"ann\") \
         withEnvVariable(name: \"X\", value: \"1\") withLabel(name: \"l\", value: \"v\") \
         withAnnotation(name: \"org.example.a\", value: \"v\") withEntrypoint(args: [\"cat\"]) \
         withDefaultArgs(args: [\"/hello\"]) withExposedPort(port: 8080)",
        from(IMAGE),
        sh(script)
    )
}

fn publish(nsci: &Nsci, chain: &str, address: &str) -> String {
    nsci.text(&format!(
        "container {chain} publish(address: {})",
        quoted(address)
    ))
}

#[test]
fn published_image_is_what_others_expect() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let address = format!("{}/team/app:1.0", registry.address);
    let published = publish(&nsci, &built(), &address);
    let reference = format!("docker://{address}");
    let seen = inspect(&nsci, &reference, &[]);
    let digest = seen["Digest"].as_str().unwrap();
    assert_eq!(published, format!("{address}@{digest}"));
    assert_eq!(seen["Labels"]["l"], "v");
    let config = inspect(&nsci, &reference, &["--config"]);
    let settings = &config["config"];
    assert_eq!(settings["User"], "ann");
    assert_eq!(settings["WorkingDir"], "/deep");
    assert_eq!(settings["Entrypoint"], json!(["cat"]));
    assert_eq!(settings["Cmd"], json!(["/hello"]));
    assert_eq!(settings["ExposedPorts"], json!({"8080/tcp": {}}));
    let env = settings["Env"].as_array().unwrap();
    assert!(env.contains(&json!("X=1")), "{env:?}");
    let layers = config["rootfs"]["diff_ids"].as_array().unwrap().len();
    let history = config["history"].as_array().unwrap().iter();
    let history = history.filter(|entry| entry["empty_layer"] != true);
    assert_eq!(history.count(), layers);
    let manifest = inspect(&nsci, &reference, &["--raw"]);
    assert_eq!(manifest["annotations"], json!({"org.example.a": "v"}));
    // The layer below is the very blob that the image came with.
    let base = inspect(
        &nsci,
        &format!(
            "docker://{}/docker.io/library/{IMAGE}",
            crate::support::registry()
        ),
        &["--raw"],
    );
    assert_eq!(manifest["layers"][0]["digest"], base["layers"][0]["digest"]);
}

#[test]
fn umoci_unpacks_and_podman_runs_what_was_published() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let address = format!("{}/app:1", registry.address);
    publish(&nsci, &built(), &address);
    let source = format!("docker://{address}");
    let copy = [
        "copy",
        "-q",
        "--src-tls-verify=false",
        &source,
        "oci:layout:1",
    ];
    tool(&nsci, "skopeo", &copy);
    let unpack = ["raw", "unpack", "--rootless", "--image", "layout:1", "root"];
    tool(&nsci, "umoci", &unpack);
    assert_eq!(nsci.read("root/hello"), "hi\n");
    assert_eq!(nsci.read("root/hard"), "hi\n");
    let root = nsci.home().join("root");
    let inode = |name: &str| {
        use std::os::unix::fs::MetadataExt as _;
        fs::symlink_metadata(root.join(name)).unwrap().ino()
    };
    assert_eq!(inode("hello"), inode("hard"));
    assert_eq!(
        fs::read_link(root.join("soft")).unwrap(),
        Path::new("hello")
    );
    assert!(!root.join("etc/os-release").exists());
    assert!(root.join("etc/passwd").exists());
    assert_eq!(fs::read_dir(root.join("etc/ssl")).unwrap().count(), 1);
    assert_eq!(fs::metadata(root.join("sparse")).unwrap().len(), 3 << 20);

    let ran = podman(&nsci, &["run", "--rm", "--tls-verify=false", &address]);
    assert_eq!(ran, "hi\n");
    let script =
        "stat -c '%U %a %F' /deep/anns /deep/er /pipe; id -un; pwd; cat /etc/os-release 2>&1";
    let run = [
        "run",
        "--rm",
        "--tls-verify=false",
        "--entrypoint",
        "sh",
        &address,
        "-c",
        script,
    ];
    let ran = podman_fails(&nsci, &run);
    assert_eq!(
        ran.out,
        "ann 4711 regular empty file\nroot 1777 directory\nroot 644 fifo\nann\n/deep\n\
         cat: can't open '/etc/os-release': No such file or directory\n"
    );
}

/// podman with a storage of its own; the machine's cgroups and limits are not what is tested.
fn podman_command(nsci: &Nsci, args: &[&str]) -> Ran {
    let at = |name: &str| nsci.home().join(name).display().to_string();
    let (root, run) = (at("podman"), at("podman-run"));
    let mut all = vec![
        "--root",
        &root,
        "--runroot",
        &run,
        "--storage-driver",
        "vfs",
        "--runtime",
        "runc",
        "--cgroup-manager=cgroupfs",
    ];
    for (at, arg) in args.iter().enumerate() {
        all.push(arg);
        if at == 0 && *arg == "run" {
            all.extend([
                "-q",
                "--network",
                "none",
                "--ulimit",
                "nofile=512:512",
                "--ulimit",
                "nproc=512:512",
            ]);
        }
    }
    let output = nsci
        .command_of(Path::new("podman"), &all)
        .env("XDG_RUNTIME_DIR", nsci.home())
        .output()
        .unwrap();
    // Its files belong to subordinate ids, like a step's.
    let clean = ["unshare", "rm", "-rf", &root, &run];
    let (program, clean) = match is_root() {
        true => ("rm", &clean[2..]),
        false => ("podman", &clean[..]),
    };
    nsci.command_of(Path::new(program), clean)
        .env("XDG_RUNTIME_DIR", nsci.home())
        .output()
        .unwrap();
    // The process that holds its namespaces would stay.
    let pause = fs::read_to_string(nsci.home().join("libpod/tmp/pause.pid")).ok();
    let pause = pause.and_then(|pid| rustix::process::Pid::from_raw(pid.trim().parse().ok()?));
    if let Some(pause) = pause {
        rustix::process::kill_process(pause, rustix::process::Signal::KILL).ok();
    }
    output.into()
}

fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    fs::metadata("/proc/self").unwrap().uid() == 0
}

#[track_caller]
fn podman(nsci: &Nsci, args: &[&str]) -> String {
    podman_command(nsci, args).ok().out
}

/// The same of a command that ends with 1.
#[track_caller]
fn podman_fails(nsci: &Nsci, args: &[&str]) -> Ran {
    let ran = podman_command(nsci, args);
    assert_eq!(ran.code, 1, "{ran:#?}");
    ran
}

#[test]
fn publishing_again_uploads_nothing() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let address = format!("{}/app:1", registry.address);
    let chain = format!("{} {}", from(IMAGE), sh("echo one > /one"));
    let first = publish(&nsci, &chain, &address);
    // Two layers, a configuration, a manifest.
    let writes = registry.writes();
    assert_eq!(count(&writes, "PUT", "/blobs/"), 3, "{writes:#?}");
    assert_eq!(count(&writes, "PUT", "/manifests/"), 1, "{writes:#?}");

    assert_eq!(publish(&nsci, &chain, &address), first);
    assert_eq!(registry.writes(), writes);
    // Under another tag only the tag is new.
    publish(&nsci, &chain, &format!("{}/app:2", registry.address));
    let more = registry.writes();
    assert_eq!(more[writes.len()..], ["PUT /v2/app/manifests/2".to_owned()]);

    // Another layer on top: it and the configuration are new.
    let chain = format!("{chain} {}", sh("echo two > /two"));
    publish(&nsci, &chain, &address);
    let again = registry.writes();
    assert_eq!(
        count(&again[more.len()..], "PUT", "/blobs/"),
        2,
        "{again:#?}"
    );
}

fn count(requests: &[String], method: &str, part: &str) -> usize {
    let is_one = |request: &&String| request.starts_with(method) && request.contains(part);
    requests.iter().filter(is_one).count()
}

#[test]
fn layers_of_the_same_registry_are_taken_over() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let address = |name: &str| format!("{}/{name}", registry.address);
    publish(&nsci, &from(IMAGE), &address("base:1"));
    let before = registry.writes().len();
    let other = Nsci::new();
    let chain = format!("{} {}", from(&address("base:1")), sh("echo x > /x"));
    publish(&other, &chain, &address("other/app:1"));
    let writes = registry.writes()[before..].to_vec();
    assert_eq!(count(&writes, "POST", "mount=sha256"), 1, "{writes:#?}");
    // The new layer and the configuration.
    assert_eq!(count(&writes, "PUT", "/blobs/"), 2, "{writes:#?}");
    let ran = Nsci::new().text(&format!(
        "container {} withExec(args: [\"cat\", \"/x\"]) stdout",
        from(&address("other/app:1"))
    ));
    assert_eq!(ran, "x\n");
}

#[test]
fn registry_that_wants_a_password_gets_it() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Password));
    let address = format!("{}/app:1", registry.address);
    let publish = |auth: &str| {
        nsci.chain(&format!(
            "container {} {auth} publish(address: {})",
            from(IMAGE),
            quoted(&address)
        ))
    };
    publish("").failed(1, &["does not let us write", &address, "docker login"]);

    // By withRegistryAuth, wrong and right.
    let session = nsci.session();
    let with = |password: &str| {
        let secret = session.id(&format!(
            "setSecret(name: {0}, plaintext: {0})",
            quoted(password)
        ));
        let auth = format!(
            "withRegistryAuth(address: {}, username: \"nsci\", secret: {})",
            quoted(&registry.address),
            secret
        );
        session.answer(&nest(&format!(
            "container {} {auth} publish(address: {})",
            from(IMAGE),
            quoted(&address)
        )))
    };
    let wrong = with("guessed-badly").to_string();
    assert!(wrong.contains("not accepted"), "{wrong}");
    assert!(!wrong.contains("guessed-badly"), "{wrong}");
    let right = with("secret").to_string();
    assert!(right.contains("@sha256:"), "{right}");
    drop(session);

    // By docker's configuration, and a credential helper named in it.
    let auths = json!({"auths": {&registry.address: {"auth": "bnNjaTpzZWNyZXQ="}}});
    nsci.write(".docker/config.json", &auths.to_string());
    publish("").ok();
    let helper = nsci.write(
        "bin/docker-credential-test",
        "#!/bin/sh\ncat >/dev/null\necho '{\"ServerURL\":\"x\",\"Username\":\"nsci\",\"Secret\":\"secret\"}'\n",
    );
    executable(&helper);
    let helpers = json!({"credHelpers": {&registry.address: "test"}});
    nsci.write(".docker/config.json", &helpers.to_string());
    let path = format!(
        "{}:{}",
        nsci.home().join("bin").display(),
        std::env::var("PATH").unwrap()
    );
    let chain = format!(
        "container {} {} publish(address: {})",
        from(IMAGE),
        sh("echo helped > /x"),
        quoted(&address)
    );
    let output = nsci
        .command(&["query", &nest(&chain)])
        .env("PATH", path)
        .output();
    Ran::from(output.unwrap()).ok();
}

fn executable(path: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn private_authority_is_trusted_where_it_is_named() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Tls));
    let address = format!("{}/app:1", registry.address);
    let publish = |args: &str| {
        nsci.chain(&format!(
            "container {} publish(address: {}{args})",
            from(IMAGE),
            quoted(&address)
        ))
    };
    publish(", protocol: HTTPS").failed(1, &["cannot reach", &registry.address]);
    publish(", protocol: HTTPS, insecureSkipTLSVerify: true").ok();
    let config = format!(
        "[registries.\"{}\"]\nca-file = {:?}\n",
        registry.address,
        registry.authority()
    );
    nsci.write(".config/nsci/config.toml", &config);
    publish("").ok();
    let chain = format!("container {} {} stdout", from(&address), sh("echo pulled"));
    assert_eq!(nsci.text(&chain), "pulled\n");
}

#[test]
fn same_inputs_make_the_same_digest_anywhere() {
    let registry = Registry::start(Access::Open);
    let made = |name: &str| {
        let nsci = Nsci::new();
        nsci.write("src/b/file.txt", "text");
        nsci.write("src/a.txt", "text");
        let address = format!("{}/{name}", registry.address);
        let script = "date +%N%s > /dev/null; echo built > /out; mkdir /dir; cp -r /src /dir";
        let chain = format!(
            "container {} withNewFile(path: \"/new\", contents: \"x\") {} publish(address: {})",
            from(IMAGE),
            sh(&format!("mkdir /src; {script}")),
            quoted(&address)
        );
        let output = nsci
            .command(&["query", &nest(&chain)])
            .env("SOURCE_DATE_EPOCH", "1700000000")
            .output();
        let ran = Ran::from(output.unwrap()).ok();
        let digest = ran.out.split('@').nth(1).unwrap();
        let digest: String = digest.chars().take_while(|c| *c != '"').collect();
        let config = inspect(&nsci, &format!("docker://{address}"), &["--config"]);
        assert_eq!(config["created"], "2023-11-14T22:13:20Z");
        digest
    };
    assert_eq!(made("one:1"), made("other:1"));
}

#[test]
fn source_date_epoch_must_be_a_number() {
    let nsci = Nsci::new();
    let output = nsci
        .command(&["query", "{defaultPlatform}"])
        .env("SOURCE_DATE_EPOCH", "yesterday")
        .output();
    Ran::from(output.unwrap()).failed(2, &["SOURCE_DATE_EPOCH", "`yesterday`"]);
}

#[test]
fn layers_are_packed_as_asked() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let chain = format!("{} {}", from(IMAGE), sh("echo x > /x"));
    let mut diff_ids = Vec::new();
    for (argument, types) in [
        ("", "vnd.oci.image.layer.v1.tar+gzip"),
        ("forcedCompression: Gzip", "vnd.oci.image.layer.v1.tar+gzip"),
        ("forcedCompression: Zstd", "vnd.oci.image.layer.v1.tar+zstd"),
        (
            "forcedCompression: UNCOMPRESSED",
            "vnd.oci.image.layer.v1.tar",
        ),
        (
            "mediaTypes: DockerMediaTypes",
            "vnd.docker.image.rootfs.diff.tar.gzip",
        ),
    ] {
        let tag = argument.replace([':', ' '], "").to_lowercase();
        let address = format!("{}/app:t{tag}", registry.address);
        let publish = format!(
            "container {chain} publish(address: {} {argument})",
            quoted(&address)
        );
        nsci.text(&publish);
        let reference = format!("docker://{address}");
        let manifest = inspect(&nsci, &reference, &["--raw"]);
        for layer in manifest["layers"].as_array().unwrap() {
            assert_eq!(
                layer["mediaType"],
                format!("application/{types}"),
                "{argument}"
            );
        }
        let config = inspect(&nsci, &reference, &["--config"]);
        diff_ids.push(config["rootfs"]["diff_ids"].clone());
        let run = format!(
            "container {} withExec(args: [\"cat\", \"/x\"]) stdout",
            from(&address)
        );
        assert_eq!(Nsci::new().text(&run), "x\n", "{argument}");
    }
    diff_ids.dedup();
    assert_eq!(diff_ids.len(), 1, "packing changed what a layer holds");
    nsci.chain(&format!(
        "container {chain} publish(address: \"127.0.0.1:1/x\", forcedCompression: EStarGZ)"
    ))
    .failed(1, &["EStarGZ is not supported", "use Gzip or Zstd"]);
}

#[test]
fn variants_make_one_image_for_several_platforms() {
    let (nsci, registry) = (Nsci::new(), Registry::start(Access::Open));
    let session = nsci.session();
    let variant = |platform: &str| {
        session.id(&format!(
            "container(platform: {}) from(address: \"busybox\") withNewFile(path: \"/x\", contents: \"x\")",
            quoted(platform)
        ))
    };
    let (amd, arm) = (variant("linux/amd64"), variant("linux/arm64"));
    let address = format!("{}/multi:1", registry.address);
    let publish = |variants: &[&str]| {
        session.answer(&nest(&format!(
            "container publish(address: {}, platformVariants: [{}])",
            quoted(&address),
            variants.join(",")
        )))
    };
    publish(&[&amd, &arm]);
    let index = inspect(&nsci, &format!("docker://{address}"), &["--raw"]);
    let platforms: Vec<&Value> = index["manifests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| &entry["platform"]["architecture"])
        .collect();
    assert_eq!(platforms, ["amd64", "arm64"]);
    for arch in ["amd64", "arm64"] {
        let config = inspect(
            &nsci,
            &format!("docker://{address}"),
            &["--override-arch", arch, "--config"],
        );
        assert_eq!(config["architecture"], arch);
    }
    let twice = publish(&[&amd, &amd]).to_string();
    assert!(
        twice.contains("two of the containers are for linux/amd64"),
        "{twice}"
    );
    let none = publish(&[]).to_string();
    assert!(none.contains("the container is empty"), "{none}");
}

#[test]
fn archives_are_read_by_others_and_by_us() {
    let nsci = Nsci::new();
    // Annotations belong to the manifest, which an import leaves behind.
    let chain = format!("{} withoutAnnotation(name: \"org.example.a\")", built());
    nsci.run(&[
        "-s",
        "query",
        &nest(&format!("container {chain} export(path: \"out/app.tar\")")),
    ])
    .ok();
    for transport in ["oci-archive", "docker-archive"] {
        let config = inspect(&nsci, &format!("{transport}:out/app.tar"), &["--config"]);
        assert_eq!(config["config"]["User"], "ann", "{transport}");
    }
    let run = |args: &[&str]| {
        let mut all = vec!["-s", "core", "container", "import", "--source=out/app.tar"];
        all.extend_from_slice(args);
        nsci.run(&all).ok().out
    };
    let ran = run(&["with-exec", "--args=stat,-c,%U %a,/deep/anns", "stdout"]);
    assert_eq!(ran.trim(), "ann 4711");
    assert_eq!(run(&["label", "--name=l"]).trim(), "v");
    // Exported again it is the same to the bit.
    run(&["export", "--path=again.tar"]);
    assert!(
        fs::read(nsci.home().join("out/app.tar")).unwrap()
            == fs::read(nsci.home().join("again.tar")).unwrap()
    );
    // Compressed as a whole, and without nsci's own table of contents.
    let status = Command::new("gzip")
        .args(["-k", "out/app.tar"])
        .current_dir(nsci.home())
        .status();
    assert!(status.unwrap().success());
    let zipped = [
        "-s",
        "core",
        "container",
        "import",
        "--source=out/app.tar.gz",
        "user",
    ];
    assert_eq!(nsci.run(&zipped).ok().out.trim(), "ann");
    let copy = [
        "copy",
        "-q",
        "oci-archive:out/app.tar",
        "docker-archive:saved.tar:app:9",
    ];
    tool(&nsci, "skopeo", &copy);
    let saved = [
        "-s",
        "core",
        "container",
        "import",
        "--source=saved.tar",
        "--tag=9",
        "user",
    ];
    assert_eq!(nsci.run(&saved).ok().out.trim(), "ann");
    let wrong = [
        "core",
        "container",
        "import",
        "--source=saved.tar",
        "--tag=8",
        "user",
    ];
    nsci.run(&wrong).failed(1, &["app:9"]);
    nsci.write("no.tar", "nothing");
    let broken = ["core", "container", "import", "--source=no.tar", "user"];
    nsci.run(&broken).failed(1, &["no.tar"]);
}

#[test]
fn output_flag_exports_a_container() {
    let nsci = Nsci::new();
    let core = ["core", "container", "from", "--address=alpine:3.20"];
    let ran = nsci
        .run(&[&core[..], &["-o", "deep/image.tar"]].concat())
        .ok();
    assert!(ran.err.contains("Saved to \"deep/image.tar\"."), "{ran:#?}");
    inspect(&nsci, "oci-archive:deep/image.tar", &[]);
    nsci.run(&[&core[..], &["-o", "."]].concat())
        .failed(1, &["it is a directory", "name a file"]);
}

#[test]
fn tarball_is_a_file_like_any_other() {
    let nsci = Nsci::new();
    let chain = format!(
        "container {} asTarball(forcedCompression: Zstd)",
        from(IMAGE)
    );
    assert_eq!(nsci.text(&format!("{chain} name")), "container.tar");
    nsci.text(&format!("{chain} export(path: \"t.tar\")"));
    let seen = inspect(&nsci, "oci-archive:t.tar", &["--raw"]);
    assert_eq!(
        seen["layers"][0]["mediaType"],
        "application/vnd.oci.image.layer.v1.tar+zstd"
    );
}

#[test]
fn manifest_and_layers_are_files() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let container = format!("container {}", built());
    let manifest = session.text(&format!("{container} manifest contents"));
    let manifest: Value = serde_json::from_str(&manifest).unwrap();
    let layers = manifest["layers"].as_array().unwrap();
    assert!(layers.len() >= 2, "{manifest}");
    for layer in layers {
        let id = layer["digest"].as_str().unwrap();
        let size = session.leaf(&format!("{container} layer(id: {}) size", quoted(id)));
        assert_eq!(size, layer["size"], "{id}");
    }
    let zstd = session.text(&format!(
        "{container} manifest(forcedCompression: Zstd) contents"
    ));
    assert!(zstd.contains("tar+zstd"), "{zstd}");
    let wrong = session.answer(&nest(&format!("{container} layer(id: \"sha256:0\") size")));
    let message = wrong["errors"][0]["message"].as_str().unwrap();
    assert!(message.contains("no layer `sha256:0`"), "{message}");
    session.end();
}

#[test]
fn images_of_the_host_are_found_by_name() {
    let nsci = Nsci::new();
    let archive = nsci.home().join("image.tar").display().to_string();
    nsci.chain(&format!(
        "container {} export(path: {})",
        built(),
        quoted(&archive)
    ))
    .ok();
    nsci.run(&["image", "import", &archive, "localhost/mine:1"])
        .ok();
    let read = "host containerImage(name: \"localhost/mine:1\") file(path: \"/hello\") contents";
    assert_eq!(nsci.text(read), "hi\n");
    nsci.chain(
        "host containerImage(name: \"localhost/nobodys:1\") file(path: \"/hello\") contents",
    )
    .failed(1, &["no image `localhost/nobodys:1` on this host"]);
}

#[test]
fn addresses_that_cannot_be_are_refused() {
    let nsci = Nsci::new();
    let digest = format!("sha256:{}", "0".repeat(64));
    for (address, texts) in [
        ("UPPER/case", &["UPPER/case"][..]),
        (&format!("127.0.0.1:1/x@{digest}"), &["a digest comes out"]),
        ("oci:dir", &["in no registry"]),
        ("127.0.0.1:1/x:1", &["cannot reach", "127.0.0.1:1"]),
    ] {
        let chain = format!(
            "container {} publish(address: {})",
            from(IMAGE),
            quoted(address)
        );
        nsci.chain(&chain).failed(1, texts);
    }
}
