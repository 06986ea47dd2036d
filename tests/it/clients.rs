//! The official Python SDK, unchanged, as released: it must not notice that it is not talking to the original.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::json;

use crate::support::{Nsci, Ran, binary, repository};

/// A Python with one release of the SDK, made once and kept in the user's cache directory.
fn python(version: &str) -> PathBuf {
    let home = || PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache");
    let cache = std::env::var_os("XDG_CACHE_HOME").map_or_else(home, PathBuf::from);
    let dir = cache.join("nsci-it");
    let (venv, ready) = (dir.join(version), dir.join(format!("{version}.ready")));
    if !ready.exists() {
        let making = dir.join(format!("{version}.lock"));
        fs::create_dir_all(&dir).unwrap();
        let lock = fs::File::create(making).unwrap();
        lock.lock().unwrap();
        if !ready.exists() {
            done(
                Command::new("python3")
                    .args(["-m", "venv", "--clear"])
                    .arg(&venv),
            );
            let wanted = if version == "newest" {
                "dagger-io".to_owned()
            } else {
                format!("dagger-io=={version}")
            };
            done(Command::new(venv.join("bin/pip")).args(["install", "--quiet", &wanted]));
            fs::write(&ready, "").unwrap();
        }
    }
    venv.join("bin/python")
}

fn done(command: &mut Command) {
    let output = command.output().unwrap();
    assert!(
        output.status.success(),
        "{command:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn works(version: &str) {
    let python = python(version);
    let python = python.to_str().unwrap();
    let programs = repository().join("tests/clients/python");
    let pipeline = programs.join("pipeline.py");
    let pipeline = pipeline.to_str().unwrap();
    // Once inside of `nsci run`, once starting the session itself.
    for started_by_sdk in [false, true] {
        let nsci = Nsci::new();
        let work = nsci.home().join("work");
        fs::create_dir(&work).unwrap();
        let work = work.to_str().unwrap();
        let own = |program: &str, args: &[&str]| -> Ran {
            let args = [&[program], args].concat();
            if started_by_sdk {
                let mut command = nsci.command_of(python.as_ref(), &args);
                command.env("_EXPERIMENTAL_DAGGER_CLI_BIN", binary());
                command.output().unwrap().into()
            } else {
                nsci.run(&[&["run", python], &args[..]].concat())
            }
        };
        let ran = own(pipeline, &[work]).ok();
        let found = ran.json();
        let wanted = json!({
            "stdout": "in.txt\nhello you\n***\n",
            "file": "in\n",
            "entries": ["in.txt"],
            "synced": "new\n",
            "variables": ["PATH", "NAME"],
            "parallel": "one\ntwo\n",
            "failure": [6, "no", ["sh", "-c"]],
            "refused": true,
            "exported": "in\nin\n",
        });
        assert_eq!(found, wanted, "{ran:#?}");
        let global = programs.join("global_client.py");
        let ran = own(global.to_str().unwrap(), &[]).ok();
        assert_eq!(ran.out, "hi\n", "{ran:#?}");
    }
}

#[test]
fn newest_python_sdk_works() {
    works("newest");
}

#[test]
fn python_sdk_of_another_generation_works() {
    works("0.18.19");
}
