//! The `limactl` command: where it is, how old it is, how it is asked.

use std::ffi::OsStr;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use nix::unistd::{AccessFlags, access};

use crate::{Failure, Instance};

/// The oldest Lima that understands the template.
const OLDEST: [u32; 2] = [2, 0];

/// Where Homebrew and MacPorts put it, for programs that were not started from a shell.
const USUAL: [&str; 3] = ["/opt/homebrew/bin", "/usr/local/bin", "/opt/local/bin"];

/// The command.
#[derive(Debug, Clone)]
pub struct Limactl {
    path: PathBuf,
}

impl Limactl {
    /// Finds it: the one that was named, else the first in `search` (a `PATH`), else where package managers put it.
    ///
    /// # Errors
    /// If there is none.
    pub fn find(named: Option<&OsStr>, search: Option<&OsStr>) -> Result<Self, Failure> {
        if let Some(named) = named {
            let path = PathBuf::from(named);
            return match is_program(&path) {
                true => Ok(Self { path }),
                false => Err(Failure::usage(format!(
                    "NSCI_LIMACTL names {}, which is no program",
                    path.display()
                ))),
            };
        }
        let listed = search.map(|search| std::env::split_paths(search).collect::<Vec<_>>());
        let usual = USUAL.iter().map(PathBuf::from);
        let places = listed.unwrap_or_default().into_iter().chain(usual);
        let mut candidates = places.map(|place| place.join("limactl"));
        let path = candidates.find(|path| is_program(path)).ok_or_else(|| {
            Failure::usage("nsci runs in a Linux virtual machine here, which Lima makes, and there is no `limactl`")
                .hint("install it: brew install lima")
        })?;
        Ok(Self { path })
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes sure that it understands the template. A Lima that somebody built does not always know its version.
    ///
    /// # Errors
    /// If it is too old, or does not start.
    pub fn check_version(&self) -> Result<(), Failure> {
        let said = self.output(&["--version"])?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        match version(&said) {
            Some(found) if found < OLDEST => Err(Failure::usage(format!(
                "{} is version {}.{}; nsci needs Lima {}.{} or later",
                self.path.display(),
                found[0],
                found[1],
                OLDEST[0],
                OLDEST[1]
            ))
            .hint("update it: brew upgrade lima")),
            _ => Ok(()),
        }
    }

    /// The machine called `name`, if there is one.
    ///
    /// # Errors
    /// If Lima does not say.
    pub fn instance(&self, name: &str) -> Result<Option<Instance>, Failure> {
        let listed = self.output(&["list", "--json"])?;
        if !listed.status.success() {
            return Err(self.failed("list", &listed));
        }
        Instance::find(&String::from_utf8_lossy(&listed.stdout), name)
    }

    /// It, about to be started with arguments.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(&self.path);
        command.args(args);
        command
    }

    /// It, about to run a shell's script in the machine, with the script's arguments. Not in the host's directory:
    /// scripts say themselves where they run.
    pub fn script(&self, name: &str, script: &str, args: &[&str]) -> Command {
        let mut command = self.command(&["shell", "--workdir", "/", name, "sh", "-c", script]);
        command.arg("nsci-vm").args(args);
        command
    }

    /// Runs a script with an input, and collects what it says.
    ///
    /// # Errors
    /// If it cannot be run; what it returns is the caller's to judge.
    pub fn feed(&self, mut command: Command, input: &[u8]) -> Result<Output, Failure> {
        let command = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| self.cannot(&error))?;
        let stdin = child.stdin.take();
        let output = std::thread::scope(|scope| {
            // Beside reading, or both sides could wait for each other. One that wants no input says why itself.
            scope.spawn(move || stdin.map(|mut stdin| stdin.write_all(input)));
            child.wait_with_output()
        });
        output.map_err(|error| self.cannot(&error))
    }

    /// Starts it; it talks to the user by itself.
    ///
    /// # Errors
    /// If it does not start.
    pub fn spawn(&self, mut command: Command) -> Result<Child, Failure> {
        command.spawn().map_err(|error| self.cannot(&error))
    }

    /// What it said about why it failed.
    pub fn failed(&self, what: &str, output: &Output) -> Failure {
        let said = String::from_utf8_lossy(&output.stderr);
        let said = match said.trim() {
            "" => output.status.to_string(),
            said => said.to_owned(),
        };
        Failure::failed(format!("limactl {what} failed: {said}"))
    }

    fn output(&self, args: &[&str]) -> Result<Output, Failure> {
        let output = self.command(args).stdin(Stdio::null()).output();
        output.map_err(|error| self.cannot(&error))
    }

    fn cannot(&self, error: &io::Error) -> Failure {
        Failure::failed(format!("cannot run {}: {error}", self.path.display()))
    }
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, AccessFlags::X_OK).is_ok()
}

/// Major and minor of what `limactl --version` says.
fn version(said: &str) -> Option<[u32; 2]> {
    said.split_whitespace().find_map(|word| {
        let mut numbers = word.trim_start_matches('v').split('.');
        let number = |text: Option<&str>| text?.parse::<u32>().ok();
        Some([number(numbers.next())?, number(numbers.next())?])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read() {
        for (said, wanted) in [
            ("limactl version 2.0.3\n", Some([2, 0])),
            ("limactl version 1.2.1", Some([1, 2])),
            ("limactl version v2.10.0-beta.1", Some([2, 10])),
            ("limactl version 2.1.0-12-gabcdef.m", Some([2, 1])),
            ("limactl version <unknown>", None),
            ("", None),
        ] {
            assert_eq!(version(said), wanted, "{said}");
        }
    }

    #[test]
    fn a_named_one_must_be_a_program() {
        let error = Limactl::find(Some(OsStr::new("/nowhere/limactl")), None).unwrap_err();
        assert!(error.to_string().contains("/nowhere/limactl"), "{error}");
    }
}
