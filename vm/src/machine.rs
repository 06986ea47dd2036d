//! The machine: made, started, stopped and deleted by `limactl`.

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use crate::{Failure, Instance, Limactl, Signals, State, TEMPLATE};

/// A machine of Lima, there or not.
#[derive(Debug)]
pub struct Machine<'a> {
    /// Who works on it.
    pub limactl: &'a Limactl,
    /// Its name.
    pub name: &'a str,
    /// File that is locked while it is made or started.
    pub lock: PathBuf,
    /// Who is told about signals meanwhile.
    pub signals: &'a Signals,
}

/// What is missing until a machine runs.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    Make,
    Start,
    Nothing,
}

/// What is to be done with what Lima lists.
fn next(found: Option<&Instance>) -> Result<Step, Failure> {
    match found.map(|instance| (&instance.state, &instance.name)) {
        None => Ok(Step::Make),
        Some((State::Stopped, _)) => Ok(Step::Start),
        Some((State::Running, _)) => Ok(Step::Nothing),
        Some((State::Other(_), name)) => {
            let word = found.map_or("", |instance| instance.state.word());
            Err(Failure::failed(format!(
                "the virtual machine {name} is neither running nor stopped: {word}"
            ))
            .hint("look at it with `limactl list`; `nsci vm delete` removes it and what it cached"))
        }
    }
}

impl Machine<'_> {
    /// What Lima says about it.
    ///
    /// # Errors
    /// If Lima does not say.
    pub fn look(&self) -> Result<Option<Instance>, Failure> {
        self.limactl.instance(self.name)
    }

    /// Makes sure that it runs. `flags` are those of `limactl start` for a machine that is made.
    ///
    /// # Errors
    /// If it cannot be made to run, or there are flags for one that exists.
    pub fn run(&self, flags: &[&str]) -> Result<Instance, Failure> {
        let found = self.look()?;
        if let (Some(instance), Step::Nothing) = (found.as_ref(), next(found.as_ref())?)
            && flags.is_empty()
        {
            return Ok(instance.clone());
        }
        self.limactl.check_version()?;
        let _lock = self.lock()?;
        // Another nsci may have had the lock and done it.
        let found = self.look()?;
        if found.is_some() && !flags.is_empty() {
            return Err(Failure::usage(format!(
                "the virtual machine {} exists; flags are for one that is made",
                self.name
            ))
            .hint("change it with `nsci vm stop` and `limactl edit`, or make it anew after `nsci vm delete`"));
        }
        match next(found.as_ref())? {
            Step::Nothing => {}
            Step::Start => self.start()?,
            Step::Make => self.make(flags)?,
        }
        self.look()?
            .filter(|instance| instance.state == State::Running)
            .ok_or_else(|| {
                Failure::failed(format!(
                    "the virtual machine {} does not run although Lima started it",
                    self.name
                ))
                .hint("its log is in the directory that `nsci vm status` names")
            })
    }

    /// Stops it, if it runs. Whether there was anything to stop.
    ///
    /// # Errors
    /// If it goes on running.
    pub fn stop(&self) -> Result<bool, Failure> {
        let runs = self
            .look()?
            .is_some_and(|found| found.state != State::Stopped);
        if runs {
            self.work("stop", self.limactl.command(&["stop", self.name]), None)?;
        }
        Ok(runs)
    }

    /// Deletes it and its disk, store included. Whether there was anything to delete.
    ///
    /// # Errors
    /// If it stays.
    pub fn delete(&self) -> Result<bool, Failure> {
        let exists = self.look()?.is_some();
        if exists {
            let command = self
                .limactl
                .command(&["delete", "--tty=false", "--force", self.name]);
            self.work("delete", command, None)?;
        }
        Ok(exists)
    }

    fn make(&self, flags: &[&str]) -> Result<(), Failure> {
        say(&format!(
            "making the virtual machine {}; this downloads a system, once",
            self.name
        ));
        let mut command = self.limactl.command(&["start", "--tty=false"]);
        command.args(["--name", self.name]).args(flags).arg("-");
        self.work("start", command, Some(TEMPLATE))
    }

    fn start(&self) -> Result<(), Failure> {
        say(&format!("starting the virtual machine {}", self.name));
        let command = self.limactl.command(&["start", "--tty=false", self.name]);
        self.work("start", command, None)
    }

    /// Has `limactl` do something that it tells the user about; on standard error, as data has the other.
    fn work(&self, what: &str, mut command: Command, input: Option<&str>) -> Result<(), Failure> {
        command.stdout(io::stderr()).stdin(match input {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        });
        let mut child = self.limactl.spawn(command)?;
        let handing = self.signals.to_child(child.id());
        if let (Some(mut stdin), Some(input)) = (child.stdin.take(), input) {
            // The template is smaller than a pipe; one that does not read it says why itself.
            stdin.write_all(input.as_bytes()).ok();
        }
        let status = child
            .wait()
            .map_err(|error| Failure::failed(format!("cannot wait for limactl: {error}")))?;
        drop(handing);
        if status.success() {
            return Ok(());
        }
        match self.signals.asked() {
            Some(code) => Err(Failure::new(code, "interrupted")),
            None => Err(Failure::failed(format!(
                "limactl {what} failed ({status}); it says above why"
            ))),
        }
    }

    /// Waits until no other nsci makes or starts a machine.
    fn lock(&self) -> Result<File, Failure> {
        let path = &self.lock;
        let cannot =
            |error: io::Error| Failure::failed(format!("cannot lock {}: {error}", path.display()));
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory).map_err(cannot)?;
        }
        let file = File::create(path).map_err(cannot)?;
        file.lock().map_err(cannot)?;
        Ok(file)
    }
}

/// A line for the user.
pub(crate) fn say(line: &str) {
    // Nobody is left to tell that standard error is closed.
    writeln!(io::stderr(), "nsci: {line}").ok();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_follows_from_the_state() {
        let of = |status: &str| -> Instance {
            serde_json::from_str(&format!(r#"{{"name":"m","status":"{status}"}}"#)).unwrap()
        };
        assert_eq!(next(None).unwrap(), Step::Make);
        assert_eq!(next(Some(&of("Stopped"))).unwrap(), Step::Start);
        assert_eq!(next(Some(&of("Running"))).unwrap(), Step::Nothing);
        let error = next(Some(&of("Broken"))).unwrap_err().to_string();
        assert!(
            error.contains("Broken") && error.contains("nsci vm delete"),
            "{error}"
        );
    }
}
