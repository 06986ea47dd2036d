//! Lowering on base images that are made up.

use super::*;
use crate::{
    error::Result,
    graph::{Configure, Edit, EnvVar, ImageConfig, MountSource, Op, SecretRef, Vertex},
};
use futures_util::future::{BoxFuture, FutureExt};
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

/// Images whose environment has their own name; notes which were asked for.
#[derive(Default)]
struct Made {
    asked: Mutex<Vec<String>>,
    on_build: Vec<String>,
}

impl Bases for Made {
    fn config<'a>(&'a self, image: &'a Arc<Vertex>) -> BoxFuture<'a, Result<ImageConfig>> {
        let Op::From { address } = image.op() else {
            panic!("{image:?} is no image");
        };
        self.asked.lock().unwrap().push(address.clone());
        let config = ImageConfig {
            env: vec![EnvVar {
                name: "IMAGE".into(),
                value: address.clone(),
            }],
            workdir: "/home".into(),
            on_build: self.on_build.clone(),
            ..ImageConfig::default()
        };
        async move { Ok(config) }.boxed()
    }
}

fn build(text: &str) -> Build<'_> {
    Build {
        text,
        file: "Dockerfile",
        context: Vertex::new(Op::EmptyDirectory, vec![]),
        platform: "linux/arm64".into(),
        host: "linux/amd64".into(),
        args: BTreeMap::new(),
        target: "",
        secrets: vec![(
            "token".into(),
            SecretRef::Named {
                scope: String::new(),
                name: "token".into(),
            },
        )],
        ssh: None,
        no_init: false,
    }
}

fn lowered(build: &Build<'_>, bases: &Made) -> Result<Arc<Vertex>> {
    lower(build, bases)
        .now_or_never()
        .expect("nothing waits here")
}

/// The operations of the target, first to last.
fn ops(text: &str) -> Vec<Op> {
    chain(&lowered(&build(text), &Made::default()).unwrap())
}

fn chain(leaf: &Arc<Vertex>) -> Vec<Op> {
    let mut ops = Vec::new();
    let mut current = Some(leaf);
    while let Some(vertex) = current {
        ops.push(vertex.op().clone());
        current = vertex.inputs().first();
    }
    ops.reverse();
    ops
}

fn commands(ops: &[Op]) -> Vec<Vec<String>> {
    ops.iter()
        .filter_map(|op| match op {
            Op::Exec(exec) => Some(exec.args.clone()),
            _ => None,
        })
        .collect()
}

fn env_of(ops: &[Op]) -> Vec<(String, String)> {
    ops.iter()
        .filter_map(|op| match op {
            Op::Configure(Configure::Env { name, value, .. }) => {
                Some((name.clone(), value.clone()))
            }
            _ => None,
        })
        .collect()
}

#[test]
fn mistakes_name_their_line_and_a_way_out() {
    for (text, line, message, hint) in [
        ("", 1, "no FROM", "FROM image"),
        ("FROM a\nRUNN x", 2, "unknown instruction RUNN", "RUN"),
        ("RUN x\nFROM a", 1, "RUN comes before", "ARG"),
        ("FROM a as", 1, "cannot read", "AS name"),
        ("FROM a AS 1x", 1, "no name for a stage", "letter"),
        ("FROM $NONE", 1, "empty", "default"),
        (
            "FROM a\n\nCOPY x",
            3,
            "source and a destination",
            "DESTINATION",
        ),
        ("FROM a\nCOPY a b /c", 2, "must be a directory", "/c/"),
        ("FROM a\nCOPY --size=1 x y", 2, "no flag --size", "--chown"),
        ("FROM a\nCOPY --chmod=9 x y", 2, "no mode", "octal"),
        (
            "FROM a AS x\nCOPY --from=b x y\nFROM x AS b\nCOPY --from=x y z",
            2,
            "comes later",
            "above",
        ),
        ("FROM a\nENV A", 2, "needs a value", ""),
        ("FROM a\nENV A=1 B", 2, "no value", "name=value"),
        ("FROM a\nSHELL sh", 2, "JSON array", ""),
        ("FROM a\nEXPOSE x", 2, "no port", "53/udp"),
        ("FROM a\nEXPOSE 90-80", 2, "no port", ""),
        (
            "FROM a\nHEALTHCHECK --interval=x CMD y",
            2,
            "--interval",
            "30s",
        ),
        ("FROM a\nHEALTHCHECK curl", 2, "needs CMD", ""),
        ("FROM a\nONBUILD FROM b", 2, "cannot be a trigger", ""),
        ("FROM a\nWORKDIR ${A:?say A}", 2, "A: say A", ""),
        (
            "FROM a\nRUN --mount=type=disk,target=/x y",
            2,
            "no mount of type",
            "bind",
        ),
        ("FROM a\nRUN --mount=type=cache x", 2, "needs a target", ""),
        (
            "FROM a\nRUN --mount=type=cache,target=/x,sharing=all y",
            2,
            "sharing",
            "locked",
        ),
        (
            "FROM a\nRUN --mount=type=secret,id=no,required y",
            2,
            "no secret `no`",
            "secrets",
        ),
        (
            "FROM a\nRUN --mount=type=tmpfs,target=/x,size=big y",
            2,
            "no size",
            "",
        ),
        (
            "FROM a\nRUN --mount=type=cache,target=/x,colour=red y",
            2,
            "no option `colour`",
            "sharing",
        ),
        ("FROM a\nUSER", 2, "needs an argument", ""),
    ] {
        let result = lowered(&build(text), &Made::default());
        let error = result.expect_err(text);
        let said = error.to_string();
        assert!(
            said.starts_with(&format!("Dockerfile:{line}:")),
            "{text}: {said}"
        );
        assert!(said.contains(message), "{text}: {said}");
        let way_out = error.hint_text().unwrap_or_default();
        assert!(way_out.contains(hint), "{text}: {way_out}");
    }
}

#[test]
fn unknown_target_lists_the_stages() {
    let text = "FROM a AS one\nFROM b AS two";
    let asked = Build {
        target: "three",
        ..build(text)
    };
    let error = lowered(&asked, &Made::default()).unwrap_err();
    assert_eq!(error.hint_text(), Some("stages are one, two"));
}

#[test]
fn only_what_the_target_needs_is_looked_up() {
    let text = "FROM a AS one\nFROM b AS two\nFROM c AS three\nCOPY --from=one /x /y\nFROM d";
    for (target, want) in [("three", "a c"), ("TWO", "b"), ("", "d"), ("0", "a")] {
        let bases = Made::default();
        lowered(
            &Build {
                target,
                ..build(text)
            },
            &bases,
        )
        .unwrap();
        let mut asked = bases.asked.into_inner().unwrap();
        asked.sort();
        assert_eq!(asked.join(" "), want, "{target}");
    }
}

#[test]
fn arguments_follow_their_scopes() {
    let text = "ARG V=1\nARG W\nFROM a:$V\nRUN before\nARG V\nARG W=2\nARG TARGETARCH\nENV W=image\nRUN after\nFROM b:${V}x\nRUN none";
    let asked = Build {
        args: BTreeMap::from([("V".to_owned(), "9".to_owned())]),
        target: "0",
        ..build(text)
    };
    let ops = chain(&lowered(&asked, &Made::default()).unwrap());
    assert!(matches!(&ops[1], Op::From { address } if address == "a:9"));
    let pairs = env_of(&ops);
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    // Variables of the image hide arguments; arguments are gone after their command.
    assert_eq!(pairs, [("W", "image"), ("V", "9"), ("TARGETARCH", "arm64")]);
    let gone = |op: &&Op| matches!(op, Op::Configure(Configure::WithoutEnv { .. }));
    assert_eq!(ops.iter().filter(gone).count(), 2);
}

#[test]
fn variables_see_the_base_and_earlier_lines() {
    let ops = ops("FROM a\nENV X=1 Y=$X\nENV Z=$X-$IMAGE P='$X' Q=\\$X\nWORKDIR $X\nWORKDIR sub");
    let pairs = env_of(&ops);
    let want = [
        ("X", "1"),
        ("Y", ""),
        ("Z", "1-a"),
        ("P", "$X"),
        ("Q", "$X"),
    ];
    let pairs: Vec<_> = pairs
        .iter()
        .map(|(n, v)| (n.as_str(), v.as_str()))
        .collect();
    assert_eq!(pairs, want);
    let made = ops.iter().filter_map(|op| match op {
        Op::Edit(Edit::NewDirectory(to)) => Some(to.path.as_str()),
        _ => None,
    });
    assert_eq!(made.collect::<Vec<_>>(), ["/home/1", "/home/1/sub"]);
}

#[test]
fn commands_run_in_the_shell_of_their_place() {
    let text = "FROM a\nRUN x \\\n  y\nRUN [\"p\", \"q r\"]\nSHELL [\"/bin/bash\", \"-ec\"]\nRUN z\nRUN <<E\na\nb\nE\nRUN cat <<E > /f\na\nE\nRUN <<E\n#!/usr/bin/python3\nprint(1)\nE";
    let got = commands(&ops(text));
    let want: [&[&str]; 6] = [
        &["/bin/sh", "-c", "x   y"],
        &["p", "q r"],
        &["/bin/bash", "-ec", "z"],
        &["/bin/bash", "-ec", "a\nb\n"],
        &["/bin/bash", "-ec", "cat <<E > /f\na\nE\n"],
        &["/run/nsci/E"],
    ];
    assert_eq!(got, want);
}

#[test]
fn an_entrypoint_forgets_the_command_of_the_base_only() {
    for (text, kept) in [
        ("FROM a\nENTRYPOINT [\"x\"]", false),
        ("FROM a\nCMD y\nENTRYPOINT [\"x\"]", true),
        ("FROM a AS one\nCMD y\nFROM one\nENTRYPOINT [\"x\"]", false),
    ] {
        let ops = ops(text);
        let found = ops.iter().rev().find_map(|op| match op {
            Op::Configure(Configure::Entrypoint {
                keep_default_args, ..
            }) => Some(*keep_default_args),
            _ => None,
        });
        assert_eq!(found, Some(kept), "{text}");
    }
}

#[test]
fn mounts_of_a_command_end_with_it() {
    let text = "FROM a AS b\nFROM c\nRUN --mount=type=cache,target=/c,id=i,sharing=locked --mount=type=secret,id=token --mount=type=secret,id=token,env=T --mount=from=b,source=/s,target=/d --mount=type=tmpfs,target=/t,size=1m x\nRUN y";
    let ops = ops(text);
    let mut mounted = Vec::new();
    for op in &ops {
        match op {
            Op::Mount { target, .. } => mounted.push(target.clone()),
            Op::Unmount { target, .. } => {
                assert_eq!(mounted.pop().as_ref(), Some(target));
            }
            Op::Exec(exec) if exec.args[2] == "x" => {
                assert_eq!(mounted, ["/c", "/run/secrets/token", "/d", "/t"]);
            }
            Op::Exec(exec) => assert!(mounted.is_empty(), "{exec:?}"),
            _ => {}
        }
    }
    let temp = ops.iter().find_map(|op| match op {
        Op::Mount {
            source: MountSource::Temp { size },
            ..
        } => *size,
        _ => None,
    });
    assert_eq!(temp, Some(1 << 20));
}

#[test]
fn triggers_of_the_base_run_first() {
    let bases = Made {
        on_build: vec!["RUN one".into(), "ENV A=$IMAGE".into()],
        ..Made::default()
    };
    let vertex = lowered(&build("FROM a\nRUN two"), &bases).unwrap();
    let ops = chain(&vertex);
    assert_eq!(
        commands(&ops),
        [["/bin/sh", "-c", "one"], ["/bin/sh", "-c", "two"]]
    );
    assert_eq!(env_of(&ops), [("A".to_owned(), "a".to_owned())]);
}

#[test]
fn times_of_health_checks() {
    let ops = ops(
        "FROM a\nHEALTHCHECK --interval=1m30s --timeout=500ms --retries=3 CMD curl x\nHEALTHCHECK NONE",
    );
    let checks: Vec<_> = ops
        .iter()
        .filter_map(|op| match op {
            Op::Configure(Configure::Healthcheck(Some(check))) => Some(check.clone()),
            _ => None,
        })
        .collect();
    assert_eq!(checks[0].test, ["CMD-SHELL", "curl x"]);
    assert_eq!(
        (checks[0].interval, checks[0].timeout),
        (90_000_000_000, 500_000_000)
    );
    assert_eq!(checks[0].retries, 3);
    assert_eq!(checks[1].test, ["NONE"]);
}
