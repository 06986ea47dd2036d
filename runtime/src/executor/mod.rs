//! Turning a prepared step into a running process.
//!
//! There are two ways, behind one trait: [`native`], which does no more than a step needs, and [`reference`], which
//! lets libcontainer do it. Both start from the same OCI specification and end in the same init, and the same tests
//! hold both to the same view and the same limits.

use std::os::fd::OwnedFd;
use std::str::FromStr;

use rustix::process::Pid;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::init::Init;
use crate::spec::StepSpec;
use crate::step::Place;

pub(crate) mod join;
mod mounts;
mod native;
mod reference;

/// Which implementation builds the steps of a session.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ExecutorKind {
    /// Our own: one clone, mounts by descriptor, one pivot.
    #[default]
    Native,
    /// libcontainer, the runtime of youki: slower, kept by others.
    Libcontainer,
}

impl FromStr for ExecutorKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "native" => Ok(Self::Native),
            "libcontainer" => Ok(Self::Libcontainer),
            _ => Err(format!(
                "`{text}` is no executor: write native or libcontainer"
            )),
        }
    }
}

/// A step that is to be built, in the helper's hands.
pub(crate) struct Job<'a> {
    /// Unique in the session.
    pub(crate) id: u64,
    /// What to build.
    pub(crate) step: &'a StepSpec,
    /// What the session lends.
    pub(crate) place: &'a Place<'a>,
    /// Standard streams; unused with a terminal. The builder closes them, or the step's end would never be seen.
    pub(crate) stdio: [OwnedFd; 3],
    /// What runs first inside.
    pub(crate) init: Init,
}

/// Builds steps.
pub(crate) trait Executor {
    /// Makes the step's first process, with everything around it or on the way to having it.
    ///
    /// What fails inside of the step afterwards is told by its [`Init`].
    fn create(&self, job: Job<'_>) -> Result<Box<dyn Created>, Error>;
}

/// A step whose first process exists. Dropping it removes what the executor put down for it outside.
pub(crate) trait Created {
    /// The step's first process, a child of the caller.
    fn pid(&self) -> Pid;

    /// The master side of the step's terminal, if it was asked for.
    fn terminal(&mut self) -> Result<Option<OwnedFd>, Error>;

    /// Lets the command start, where it has to be let.
    fn start(&mut self) -> Result<(), Error>;
}

/// The executor of a kind.
pub(crate) fn of(kind: ExecutorKind) -> &'static dyn Executor {
    match kind {
        ExecutorKind::Native => &native::Native,
        ExecutorKind::Libcontainer => &reference::Libcontainer,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executors_are_named_as_in_the_configuration() {
        assert_eq!("native".parse(), Ok(ExecutorKind::Native));
        assert_eq!("libcontainer".parse(), Ok(ExecutorKind::Libcontainer));
        let refused = "runc".parse::<ExecutorKind>();
        assert!(refused.is_err_and(|text| text.contains("`runc`")));
    }
}
