//! Dockerfiles: well-known shapes come out file by file and setting by setting as buildah makes them, and what buildah
//! does not know comes out as documented.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::support::{GitDaemon, Nsci, Ran, quoted, registry, sh};

/// Lists every file that a build could have made: kind, permissions, owner, size, link target and content.
const LIST: &str = r#"
cd /
skip='-path ./proc -o -path ./sys -o -path ./dev -o -path ./run -o -path ./.cmp -o -path ./bin -o -path ./sbin -o -path ./usr
  -o -path ./lib -o -path ./etc/hosts -o -path ./etc/hostname -o -path ./etc/resolv.conf -o -path ./etc/mtab'
/.cmp/busybox find . -mindepth 1 \( $skip \) -prune -o -type d -exec /.cmp/busybox stat -c '%n %F %a %u:%g' {} +
/.cmp/busybox find . -mindepth 1 \( $skip \) -prune -o ! -type d -exec /.cmp/busybox stat -c '%N %F %a %u:%g %s' {} +
/.cmp/busybox find . -mindepth 1 \( $skip \) -prune -o -type f -exec /.cmp/busybox md5sum {} +
"#;

/// Name, arguments (`target=` names a stage), Dockerfile. All on the context of [`context`].
const SHAPES: [(&str, &str, &str); 34] = [
    (
        "run",
        "",
        "FROM busybox\nRUN echo a > /a && mkdir -p /d/e && chmod 700 /d",
    ),
    (
        "run-exec",
        "",
        "FROM busybox\nRUN [\"/bin/touch\", \"/a b\"]",
    ),
    (
        "continued",
        "",
        "FROM busybox\nRUN echo a && \\\n    # note\n    echo b > /b && \\\n\n    echo c > /c",
    ),
    (
        "env",
        "",
        "FROM busybox\nENV A=1 B=\"two words\" C=three\\ words\nENV D=$A-${B} E='$A'\nRUN env | grep '^[A-E]=' | sort > /env",
    ),
    (
        "env-old",
        "",
        "FROM busybox\nENV A one two\nRUN echo \"$A\" > /env",
    ),
    (
        "env-modifiers",
        "",
        "FROM busybox\nENV A=${NONE:-d} B=${PATH:+set} C=\"${NONE:-two words}\"\nRUN echo \"$A $B $C\" > /env",
    ),
    (
        "workdir",
        "",
        "FROM busybox\nWORKDIR /a\nWORKDIR b/c\nRUN pwd > where\nWORKDIR ..\nRUN pwd > where",
    ),
    (
        "workdir-variable",
        "",
        "FROM busybox\nENV D=/x/y\nWORKDIR $D/z\nRUN touch f",
    ),
    (
        "copy-file",
        "",
        "FROM busybox\nCOPY note.md /n/\nCOPY note.md /m/renamed\nCOPY note.md /",
    ),
    (
        "copy-into-directory",
        "",
        "FROM busybox\nRUN mkdir /there\nCOPY note.md /there\nCOPY sub /there",
    ),
    (
        "copy-directory",
        "",
        "FROM busybox\nCOPY sub /s\nCOPY sub/ /t/\nCOPY . /all",
    ),
    (
        "copy-relative",
        "",
        "FROM busybox\nWORKDIR /w\nCOPY note.md .\nCOPY sub ./here",
    ),
    (
        "copy-pattern",
        "",
        "FROM busybox\nCOPY *.md /n/\nCOPY sub/*/f.tx? /p/",
    ),
    (
        "copy-json",
        "",
        "FROM busybox\nCOPY [\"with blank.txt\", \"/with blank/\"]",
    ),
    (
        "copy-chown",
        "",
        "FROM busybox\nCOPY --chown=12:34 sub /s\nCOPY --chown=7 note.md /n",
    ),
    (
        "copy-chown-names",
        "",
        "FROM alpine\nCOPY --chown=nobody:daemon note.md /n",
    ),
    (
        "copy-chmod",
        "",
        "FROM busybox\nCOPY --chmod=640 note.md /n",
    ),
    (
        "copy-variables",
        "",
        "FROM busybox\nARG FILE=note.md\nENV TO=/to\nCOPY ${FILE} $TO/",
    ),
    (
        "copy-link",
        "",
        "FROM busybox\nCOPY links /l\nCOPY links/to-note /followed",
    ),
    (
        "add",
        "",
        "FROM busybox\nADD note.md /n/\nADD arch.tgz /u\nADD arch.tar /v/",
    ),
    ("ignore", "", "FROM busybox\nCOPY ignored /i"),
    (
        "stages",
        "",
        "FROM alpine AS build\nWORKDIR /w\nCOPY sub ./\nRUN echo built > out && chmod 600 out\nFROM busybox\nCOPY --from=build /w/out /out\nCOPY --from=0 /w /w",
    ),
    (
        "stage-goes-on",
        "",
        "FROM busybox AS one\nENV A=1\nWORKDIR /w\nRUN echo 1 > one\nFROM one\nRUN echo $A > two\nCMD [\"x\"]",
    ),
    (
        "stage-target",
        "target=one",
        "FROM busybox AS one\nRUN echo 1 > /one\nFROM busybox\nRUN false",
    ),
    (
        "from-image",
        "",
        "FROM busybox\nCOPY --from=alpine /etc/alpine-release /release",
    ),
    (
        "arguments",
        "V=2",
        "ARG BASE=busybox\nARG V=1\nFROM $BASE\nARG V\nARG W=$V-w\nARG U\nRUN echo \"$V $W [$U]\" > /args",
    ),
    (
        "user",
        "",
        "FROM busybox\nRUN mkdir /home/u && chown 1000:1000 /home/u\nUSER 1000:1000\nWORKDIR /home/u\nRUN id -u > id && id -g >> id\nUSER root",
    ),
    (
        "entrypoint",
        "",
        "FROM busybox\nCMD [\"a\"]\nENTRYPOINT [\"e\", \"f\"]\nLABEL x=y \"two words\"=\"v w\"\nEXPOSE 80 53/udp",
    ),
    (
        "entrypoint-shell",
        "",
        "FROM busybox\nENTRYPOINT exec top\nCMD -b",
    ),
    (
        "shell",
        "",
        "FROM busybox\nSHELL [\"/bin/busybox\", \"sh\", \"-ec\"]\nRUN echo s > /s",
    ),
    (
        "scratch",
        "",
        "FROM busybox AS b\nFROM scratch\nCOPY --from=b /bin/busybox /only\nENV A=1\nENTRYPOINT [\"/only\"]",
    ),
    (
        "removed",
        "",
        "FROM alpine\nRUN mkdir -p /o/p && touch /o/a /o/p/b\nRUN rm -r /o && mkdir /o && echo new > /o/new\nRUN rm /etc/alpine-release",
    ),
    (
        "mounts",
        "",
        "FROM busybox AS b\nRUN echo from-b > /f\nFROM busybox\nRUN mkdir -p /mnt\nRUN --mount=type=bind,from=b,source=/f,target=/mnt/f cat /mnt/f > /got\nRUN --mount=type=tmpfs,target=/t touch /t/x\nRUN --mount=type=cache,target=/c echo c > /c/x",
    ),
    (
        "hard-links",
        "",
        "FROM busybox\nRUN echo a > /a && ln /a /b && ln -s a /c\nRUN rm /b",
    ),
];

/// The files that every shape is built from.
fn context(at: &Path) {
    for (path, contents) in [
        ("note.md", "note"),
        ("other.md", "other"),
        ("with blank.txt", "blank"),
        ("sub/a/f.txt", "f"),
        ("sub/run.sh", "#!/bin/sh\n"),
        ("links/note", "linked"),
        ("ignored/kept", "k"),
        ("ignored/dropped.log", "d"),
        ("ignored/sub/dropped.log", "d"),
        ("ignored/sub/back.log", "b"),
        (
            ".dockerignore",
            "# no logs\n**/*.log\n!ignored/sub/back.log\n",
        ),
    ] {
        let path = at.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    }
    fs::set_permissions(at.join("sub/run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    symlink("note", at.join("links/to-note")).unwrap();
    let pack = |name: &str, flags: &str| {
        let mut tar = std::process::Command::new("tar");
        tar.args(["--owner=5", "--group=6", "-C"]).arg(at);
        tar.args([flags]).arg(at.join(name)).arg("sub");
        assert!(tar.status().unwrap().success());
    };
    pack("arch.tgz", "-czf");
    pack("arch.tar", "-cf");
}

/// What both builders made of a Dockerfile: its files, and its settings.
#[derive(Debug, PartialEq)]
struct Built {
    files: Vec<String>,
    settings: BTreeMap<&'static str, Value>,
}

fn lines(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    lines
}

fn sorted(mut list: Vec<String>) -> Value {
    list.sort();
    json!(list)
}

fn arguments(text: &str) -> (Vec<(&str, &str)>, &str) {
    let pairs = text
        .split_whitespace()
        .filter_map(|word| word.split_once('='));
    let target = pairs.clone().find(|(name, _)| *name == "target");
    let args = pairs.filter(|(name, _)| *name != "target").collect();
    (args, target.map_or("", |(_, target)| target))
}

/// A GraphQL chain that builds a Dockerfile.
fn build_chain(context: &Path, dockerfile: &str, args: &str) -> String {
    let (args, target) = arguments(args);
    let args: Vec<String> = args
        .iter()
        .map(|(name, value)| format!("{{name: {}, value: {}}}", quoted(name), quoted(value)))
        .collect();
    format!(
        "host directory(path: {}) dockerBuild(dockerfile: {}, target: {}, buildArgs: [{}])",
        quoted(&context.display().to_string()),
        quoted(dockerfile),
        quoted(target),
        args.join(", ")
    )
}

fn by_nsci(nsci: &Nsci, context: &Path, tools: &Path, name: &str, args: &str) -> Built {
    let chain = build_chain(context, &format!("{name}.Dockerfile"), args);
    let session = nsci.session();
    let tools = session.id(&format!(
        "host directory(path: {})",
        quoted(&tools.display().to_string())
    ));
    let image = session.id(&chain);
    let load = format!("loadContainerFromID(id: {image})");
    let files = session.text(&format!(
        "{load} withUser(name: \"0\") withMountedDirectory(path: \"/.cmp\", source: {tools}) \
         withExec(args: [\"/.cmp/busybox\", \"sh\", \"/.cmp/list\"]) stdout"
    ));
    let answer = session.answer(&format!(
        "{{{load}{{entrypoint defaultArgs workdir user envVariables{{name value}} \
         labels{{name value}} exposedPorts{{port protocol}}}}}}"
    ));
    let answer = &answer["data"]["loadContainerFromID"];
    let pairs = |list: &Value| -> Value {
        let pair = |item: &Value| {
            let text = |name: &str| item[name].as_str().unwrap().to_owned();
            format!("{}={}", text("name"), text("value"))
        };
        sorted(list.as_array().unwrap().iter().map(pair).collect())
    };
    let ports = answer["exposedPorts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|port| {
            let protocol = port["protocol"].as_str().unwrap().to_lowercase();
            format!("{}/{protocol}", port["port"])
        });
    let workdir = match answer["workdir"].as_str() {
        None | Some("") => "/",
        Some(path) => path,
    };
    let list = |value: &Value| {
        if value.is_null() {
            json!([])
        } else {
            value.clone()
        }
    };
    Built {
        files: lines(&files),
        settings: BTreeMap::from([
            ("entrypoint", list(&answer["entrypoint"])),
            ("cmd", list(&answer["defaultArgs"])),
            ("workdir", json!(workdir)),
            ("user", json!(answer["user"].as_str().unwrap_or_default())),
            ("env", pairs(&answer["envVariables"])),
            ("labels", pairs(&answer["labels"])),
            ("ports", sorted(ports.collect())),
        ]),
    }
}

/// buildah with a storage of its own.
struct Buildah<'a> {
    nsci: &'a Nsci,
}

impl<'a> Buildah<'a> {
    fn new(nsci: &'a Nsci) -> Self {
        let registries = format!(
            "unqualified-search-registries = [\"docker.io\"]\n[[registry]]\nlocation = \"docker.io\"\n\
             [[registry.mirror]]\nlocation = \"{}/docker.io\"\ninsecure = true\n",
            registry()
        );
        nsci.write("registries.conf", &registries);
        nsci.write(
            "policy.json",
            r#"{"default": [{"type": "insecureAcceptAnything"}]}"#,
        );
        for name in Self::DIRECTORIES {
            fs::create_dir_all(nsci.home().join(name)).unwrap();
        }
        Self { nsci }
    }

    const DIRECTORIES: [&'static str; 2] = ["buildah", "buildah-run"];

    fn run(&self, verb: &[&str], args: &[&str]) -> String {
        let at = |name: &str| self.nsci.home().join(name).display().to_string();
        let (root, run, conf) = (at("buildah"), at("buildah-run"), at("registries.conf"));
        let mut all = vec![
            "--root",
            &root,
            "--runroot",
            &run,
            "--storage-driver",
            "vfs",
        ];
        all.extend(["--registries-conf", &conf]);
        all.extend(verb);
        let policy = at("policy.json");
        if matches!(verb[0], "bud" | "from") {
            all.extend(["--signature-policy", &policy]);
        }
        all.extend(args);
        let mut command = self.nsci.command_of(Path::new("buildah"), &all);
        command.env("XDG_RUNTIME_DIR", self.nsci.home());
        // Its cache mounts lie there, and those of another user may not be written to.
        command.env("TMPDIR", &run);
        Ran::from(command.output().unwrap()).ok().out
    }

    fn build(&self, context: &Path, tools: &Path, name: &str, args: &str) -> Built {
        let file = context
            .join(format!("{name}.Dockerfile"))
            .display()
            .to_string();
        let mut bud = vec!["--isolation", "chroot", "-q", "-t", name, "-f", &file];
        let (pairs, target) = arguments(args);
        let pairs: Vec<String> = pairs.iter().map(|(n, v)| format!("{n}={v}")).collect();
        for pair in &pairs {
            bud.extend(["--build-arg", pair]);
        }
        if !target.is_empty() {
            bud.extend(["--target", target]);
        }
        let at = context.display().to_string();
        bud.push(&at);
        self.run(&["bud"], &bud);
        let local = format!("localhost/{name}");
        let container = self.run(&["from"], &["--pull-never", &local]);
        let container = container.trim();
        let bind = format!("{}:/.cmp", tools.display());
        let files = self.run(
            &["run"],
            &[
                "--isolation",
                "chroot",
                "--user",
                "0",
                "-v",
                &bind,
                container,
                "--",
                "/.cmp/busybox",
                "sh",
                "/.cmp/list",
            ],
        );
        let seen = self.run(&["inspect"], &["--type", "image", &local]);
        self.run(&["rm"], &[container]);
        let seen: Value = serde_json::from_str(&seen).unwrap();
        let config = &seen["OCIv1"]["config"];
        let list = |value: &Value| {
            if value.is_null() {
                json!([])
            } else {
                value.clone()
            }
        };
        let keys = |value: &Value| {
            let map = value.as_object();
            sorted(
                map.into_iter()
                    .flatten()
                    .map(|(key, _)| key.clone())
                    .collect(),
            )
        };
        let labels = config["Labels"].as_object();
        let labels = labels.into_iter().flatten();
        let labels = labels.filter(|(name, _)| *name != "io.buildah.version");
        let env = config["Env"].as_array();
        let env = env
            .into_iter()
            .flatten()
            .map(|var| var.as_str().unwrap().to_owned());
        Built {
            files: lines(&files),
            settings: BTreeMap::from([
                ("entrypoint", list(&config["Entrypoint"])),
                ("cmd", list(&config["Cmd"])),
                (
                    "workdir",
                    json!(config["WorkingDir"].as_str().unwrap_or("/")),
                ),
                ("user", json!(config["User"].as_str().unwrap_or_default())),
                ("env", sorted(env.collect())),
                (
                    "labels",
                    sorted(
                        labels
                            .map(|(n, v)| format!("{n}={}", v.as_str().unwrap()))
                            .collect(),
                    ),
                ),
                ("ports", keys(&config["ExposedPorts"])),
            ]),
        }
    }
}

impl Drop for Buildah<'_> {
    /// What it stored for a plain user belongs to that user's subordinate ids.
    fn drop(&mut self) {
        let at = Self::DIRECTORIES.map(|name| self.nsci.home().join(name));
        if at.iter().all(|at| fs::remove_dir_all(at).is_ok()) {
            return;
        }
        let mut remove = self
            .nsci
            .command_of(Path::new("buildah"), &["unshare", "rm", "-rf"]);
        let removed = remove
            .args(&at)
            .status()
            .is_ok_and(|status| status.success());
        assert!(
            removed || std::thread::panicking(),
            "what buildah stored is removed"
        );
    }
}

#[test]
fn shapes_come_out_as_buildah_makes_them() {
    let nsci = Nsci::new();
    let buildah = Buildah::new(&nsci);
    let at = nsci.home().join("context");
    context(&at);
    let tools = nsci.home().join("tools");
    fs::create_dir_all(&tools).unwrap();
    fs::copy("/bin/busybox", tools.join("busybox")).expect("busybox-static is installed");
    fs::write(tools.join("list"), LIST).unwrap();
    let mut wrong = Vec::new();
    for (name, args, text) in SHAPES {
        // Not in the context that `COPY .` copies.
        fs::write(at.join(format!("{name}.Dockerfile")), text).unwrap();
        let ours = by_nsci(&nsci, &at, &tools, name, args);
        let theirs = buildah.build(&at, &tools, name, args);
        let differs = |a: &[String], b: &[String]| -> Vec<String> {
            a.iter().filter(|line| !b.contains(line)).cloned().collect()
        };
        let (more, less) = (
            differs(&ours.files, &theirs.files),
            differs(&theirs.files, &ours.files),
        );
        if ours != theirs {
            wrong.push(format!(
                "{name}: only ours {more:#?}, only theirs {less:#?}\nours {:?}\ntheirs {:?}",
                ours.settings, theirs.settings
            ));
        }
        fs::remove_file(at.join(format!("{name}.Dockerfile"))).unwrap();
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

#[test]
fn what_only_newer_builders_know() {
    let nsci = Nsci::new();
    let at = nsci.home().join("context");
    context(&at);
    for (text, script, wanted) in [
        (
            "FROM busybox\nRUN <<EOF\nset -e\necho a > /a\necho b >> /a\nEOF",
            "cat /a",
            "a\nb\n",
        ),
        (
            "FROM busybox\nARG V=1\nRUN cat <<EOF > /a\nv $V\nEOF",
            "cat /a",
            "v 1\n",
        ),
        (
            "FROM busybox\nRUN <<EOF\n#!/bin/busybox sh\necho own > /a\nEOF",
            "cat /a",
            "own\n",
        ),
        (
            "FROM busybox\nENV V=2\nCOPY <<one <<'two' /d/\n$V\none\n$V\ntwo",
            "cat /d/one /d/two",
            "2\n$V\n",
        ),
        (
            "FROM busybox\nCOPY --exclude=**/*.txt sub /s",
            "find /s | sort",
            "/s\n/s/a\n/s/run.sh\n",
        ),
        (
            "FROM busybox\nCOPY --parents sub/a/f.txt note.md /p/",
            "cd /p; find . -type f | sort",
            "./note.md\n./sub/a/f.txt\n",
        ),
        (
            "FROM busybox\nCOPY --parents sub/./a/f.txt /p/",
            "cd /p; find . -type f",
            "./a/f.txt\n",
        ),
        ("FROM busybox\nCOPY --link note.md /n", "cat /n", "note"),
        (
            "FROM busybox AS b\nONBUILD RUN echo t > /t\nFROM b\nRUN cat /t > /u",
            "cat /u",
            "t\n",
        ),
        (
            "FROM busybox\nADD --unpack=false arch.tgz /d/",
            "ls /d",
            "arch.tgz\n",
        ),
        (
            "FROM busybox\nENV P=/usr/lib/x.tar.gz\nENV Q=${P##*/} R=${P%%.*} S=${P/lib/bin}\nRUN echo $Q $R $S > /a",
            "cat /a",
            "x.tar.gz /usr/lib/x /usr/bin/x.tar.gz\n",
        ),
    ] {
        fs::write(at.join("Dockerfile"), text).unwrap();
        let chain = format!(
            "host directory(path: {}) dockerBuild {} stdout",
            quoted(&at.display().to_string()),
            sh(script)
        );
        // A session sees one state of a directory.
        assert_eq!(nsci.text(&chain), wanted, "{text}");
    }
}

#[test]
fn secrets_reach_the_command_that_mounts_them_only() {
    let nsci = Nsci::new();
    let text = "FROM busybox\nRUN --mount=type=secret,id=token wc -c < /run/secrets/token > /size\n\
                RUN --mount=type=secret,id=token,env=TOKEN sh -c 'echo ${#TOKEN} >> /size'\nRUN ls /run/secrets >> /size 2>&1 || true";
    nsci.write("context/Dockerfile", text);
    let session = nsci.session();
    let secret = session.id("setSecret(name: \"token\", plaintext: \"s3cr3t-value\")");
    let said = session.text(&format!(
        "host directory(path: {}) dockerBuild(secrets: [{}]) {} stdout",
        quoted(&nsci.home().join("context").display().to_string()),
        secret,
        sh("cat /size; env")
    ));
    assert!(said.starts_with("12\n12\n"), "{said}");
    assert!(
        !said.contains("s3cr3t") && !said.contains("TOKEN"),
        "{said}"
    );
}

#[test]
fn copies_depend_on_what_they_copy() {
    let nsci = Nsci::new();
    nsci.write(
        "context/Dockerfile",
        "FROM busybox\nCOPY a /a\nRUN echo slow > /s\nCOPY b /b\nRUN echo late > /l",
    );
    nsci.write("context/a", "1");
    nsci.write("context/b", "1");
    let at = nsci.home().join("context").display().to_string();
    let build = || {
        let document = format!(
            "{{host{{directory(path:{}){{dockerBuild{{sync}}}}}}}}",
            quoted(&at)
        );
        let ran = nsci
            .run_with_input(&["query", "--progress", "json"], &document)
            .ok();
        let steps = ran.steps();
        let cached = |part: &str| {
            let step = steps.iter().find(|(name, _)| name.contains(part));
            // What lies below a cached step is not asked for.
            step.is_none_or(|(_, cached)| *cached)
        };
        (cached("echo slow"), cached("echo late"))
    };
    assert_eq!(build(), (false, false));
    assert_eq!(build(), (true, true));
    nsci.write("context/b", "2");
    assert_eq!(build(), (true, false));
    nsci.write("context/unrelated", "3");
    assert_eq!(build(), (true, true));
}

#[test]
fn mistakes_are_told_with_file_and_line() {
    let nsci = Nsci::new();
    for (text, texts) in [
        (
            "FROM busybox\nRUNN x",
            ["Dockerfile:2: unknown instruction RUNN", "did you mean RUN"],
        ),
        (
            "FROM busybox\nCOPY nosuch /",
            ["cannot copy nosuch", ".dockerignore"],
        ),
        (
            "FROM busybox\nADD bad.xz /x/",
            ["xz archives are not supported", "RUN"],
        ),
    ] {
        nsci.write("context/Dockerfile", text);
        fs::write(nsci.home().join("context/bad.xz"), b"\xfd7zXZ\0...").unwrap();
        let at = nsci.home().join("context").display().to_string();
        let document = format!(
            "{{host{{directory(path:{}){{dockerBuild{{sync}}}}}}}}",
            quoted(&at)
        );
        nsci.run_with_input(&["query"], &document).failed(1, &texts);
    }
    fs::create_dir_all(nsci.home().join("empty")).unwrap();
    let at = nsci.home().join("empty").display().to_string();
    let document = format!(
        "{{host{{directory(path:{}){{dockerBuild{{sync}}}}}}}}",
        quoted(&at)
    );
    nsci.run_with_input(&["query"], &document)
        .failed(1, &["there is no Dockerfile in the build context"]);
}

/// A server that knows one file by its tag, and counts how often it was sent.
fn file_server() -> (u16, std::sync::Arc<std::sync::Mutex<(String, usize)>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let state = std::sync::Arc::new(std::sync::Mutex::new(("one".to_owned(), 0)));
    let shared = std::sync::Arc::clone(&state);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).unwrap_or(0) == 1 {
                request.push(byte[0]);
            }
            let request = String::from_utf8_lossy(&request).to_lowercase();
            let mut state = shared.lock().unwrap();
            let tag = format!("\"{}\"", state.0);
            let answer = if request.contains(&format!("if-none-match: {tag}")) {
                "HTTP/1.1 304 Not Modified\r\nConnection: close\r\n\r\n".to_owned()
            } else if request.starts_with("get /missing") {
                "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                    .to_owned()
            } else {
                state.1 += 1;
                let body = if request.contains("authorization: bearer t0k3n") {
                    "private"
                } else {
                    &state.0
                };
                format!(
                    "HTTP/1.1 200 OK\r\nETag: {tag}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
                    body.len()
                )
            };
            drop(stream.write_all(answer.as_bytes()));
        }
    });
    (port, state)
}

#[test]
fn files_by_address_are_fetched_when_they_change() {
    let (port, server) = file_server();
    let url = |path: &str| quoted(&format!("http://127.0.0.1:{port}/{path}"));
    let nsci = Nsci::new();
    let contents = || nsci.text(&format!("http(url: {}) contents", url("dir/file.txt")));
    assert_eq!(contents(), "one");
    assert_eq!(contents(), "one");
    assert_eq!(server.lock().unwrap().1, 1);
    server.lock().unwrap().0 = "two".to_owned();
    assert_eq!(contents(), "two");
    assert_eq!(server.lock().unwrap().1, 2);
    assert_eq!(
        nsci.text(&format!("http(url: {}) name", url("dir/file.txt?x=1"))),
        "file.txt"
    );
    assert_eq!(
        nsci.text(&format!(
            "http(url: {}, name: \"n\") name",
            url("dir/file.txt")
        )),
        "n"
    );
    let session = nsci.session();
    let secret = session.id("setSecret(name: \"h\", plaintext: \"Bearer t0k3n\")");
    let private = format!("http(url: {}, authHeader: {}) contents", url("p"), secret);
    assert_eq!(session.text(&private), "private");
    // The sha256 of "two".
    let right = "sha256:3fc4ccfe745870e2c0d99f71f30ff0656c8dedd41cc1d7d3d376b0dbe685e2f3";
    let checked = |sum: &str| {
        format!(
            "http(url: {}, checksum: {}) contents",
            url("c"),
            quoted(sum)
        )
    };
    assert_eq!(nsci.text(&checked(right)), "two");
    let wrong = right.replace("3fc4", "0000");
    nsci.chain(&checked(&wrong))
        .failed(1, &["should be sha256:0000", "but is sha256:3fc4"]);
    nsci.chain(&checked("md5:1"))
        .failed(1, &["md5:1", "64 hexadecimal digits"]);
    nsci.chain(&format!("http(url: {}) contents", url("missing")))
        .failed(1, &["404"]);
    nsci.chain("http(url: \"ftp://x/y\") contents")
        .failed(1, &["http://"]);
}

#[test]
fn addresses_are_added() {
    let (port, _server) = file_server();
    let nsci = Nsci::new();
    nsci.write(
        "context/Dockerfile",
        &format!("FROM busybox\nADD http://127.0.0.1:{port}/x/y.txt /d/\nADD --chmod=644 --chown=3:4 http://127.0.0.1:{port}/z /z"),
    );
    let said = nsci.text(&format!(
        "host directory(path: {}) dockerBuild {} stdout",
        quoted(&nsci.home().join("context").display().to_string()),
        sh("cat /d/y.txt /z; stat -c ' %a %u:%g' /d/y.txt /z")
    ));
    assert_eq!(said, "oneone 600 0:0\n 644 3:4\n");
}

#[test]
fn repositories_are_added() {
    let nsci = Nsci::new();
    let at = nsci.home().join("repo");
    fs::create_dir_all(at.join("sub")).unwrap();
    fs::write(at.join("top"), "top").unwrap();
    fs::write(at.join("sub/file"), "one").unwrap();
    let git = |args: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(["-c", "user.name=t", "-c", "user.email=t@example.org"]);
        assert!(
            command
                .args(args)
                .current_dir(&at)
                .output()
                .unwrap()
                .status
                .success()
        );
    };
    git(&["init", "--quiet", "-b", "main"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "-m", "one"]);
    git(&["tag", "v1"]);
    fs::write(at.join("sub/file"), "two").unwrap();
    git(&["commit", "--quiet", "-am", "two"]);
    let daemon = GitDaemon::start(nsci.home());
    let url = format!("{}/repo", daemon.url);
    nsci.write(
        "context/Dockerfile",
        &format!(
            "FROM busybox\nADD {url} /head\nADD {url}#v1:sub /old/\nADD --keep-git-dir=true --chown=3:4 {url}#main /kept"
        ),
    );
    let said = nsci.text(&format!(
        "host directory(path: {}) dockerBuild {} stdout",
        quoted(&nsci.home().join("context").display().to_string()),
        sh("cat /head/top /head/sub/file /old/file; ls -A /head /kept | xargs; stat -c %u:%g /kept/top")
    ));
    assert_eq!(said, "toptwoone/head: sub top /kept: .git sub top\n3:4\n");
}

#[test]
fn a_command_without_network_has_a_loopback_only() {
    let nsci = Nsci::new();
    nsci.write(
        "context/Dockerfile",
        "FROM busybox\nRUN --network=none ls /sys/class/net > /none; ip -o addr | grep -c inet > /count\n\
         RUN --network=default ls /sys/class/net > /default",
    );
    let build = || {
        let context = nsci.home().join("context").display().to_string();
        format!("host directory(path: {}) dockerBuild", quoted(&context))
    };
    let said = nsci.text(&format!(
        "{} {} stdout",
        build(),
        sh("cat /none; grep -c . /default")
    ));
    let lines: Vec<&str> = said.lines().collect();
    assert!(
        lines.first() == Some(&"lo") && lines.len() == 2 && lines[1] != "1",
        "{said}"
    );
    nsci.write(
        "context/Dockerfile",
        "FROM busybox\nRUN --network=host true",
    );
    nsci.chain(&format!("{} rootfs entries", build()))
        .failed(1, &["Dockerfile:2", "--network=host is not supported"]);
}
