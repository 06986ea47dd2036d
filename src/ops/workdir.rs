//! Snapshots of a command's working directory, taken while the command runs.

use super::{
    files::keeper_error,
    sandbox::{Live, sandbox_error},
    world::{World, blocking},
};
use crate::{
    error::{Error, Result},
    graph::{Op, Snapshot},
};
use nsci_snapshotter::keeper::{Capture, CaptureKind};
use std::{
    borrow::Cow,
    fmt,
    os::fd::AsFd as _,
    path::{Component, Path, PathBuf},
    sync::Arc,
};
use tokio::sync::watch;

/// A command as those see it who serve it while it runs.
#[derive(Clone)]
pub struct Running(Arc<watch::Sender<State>>);

#[derive(Clone)]
enum State {
    /// It has not started yet, or nobody has heard of it.
    Pending,
    Runs(Spot),
    Over,
}

/// Where a command runs.
#[derive(Clone)]
struct Spot {
    live: Arc<Live>,
    /// Its first process, as the sandbox numbers it.
    pid: i32,
    workdir: String,
}

impl Default for Running {
    fn default() -> Self {
        Self(Arc::new(watch::Sender::new(State::Pending)))
    }
}

impl fmt::Debug for Running {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Running")
    }
}

impl Running {
    /// Notes where it runs.
    pub(super) fn started(&self, live: &Arc<Live>, pid: i32, workdir: &str) {
        self.0.send_replace(State::Runs(Spot {
            live: Arc::clone(live),
            pid,
            workdir: workdir.to_owned(),
        }));
    }

    /// Notes that its files are nobody's any more.
    pub(super) fn over(&self) {
        self.0.send_replace(State::Over);
    }

    /// Where it runs. A request of a command may be here before the word of its start.
    async fn spot(&self) -> Result<Spot> {
        let mut state = self.0.subscribe();
        let known = state
            .wait_for(|state| !matches!(state, State::Pending))
            .await;
        match known.map(|state| state.clone()) {
            Ok(State::Runs(spot)) => Ok(spot),
            _ => Err(Error::invalid(
                "the function has ended, its working directory is gone",
            )),
        }
    }
}

impl World {
    /// The operation for what is in the working directory of a command now: the directory `path` in it, or the file.
    ///
    /// # Errors
    /// If there is none, or the path leads out of the working directory.
    pub async fn capture(&self, of: &Running, path: &str, kind: CaptureKind) -> Result<Op> {
        let below = local(path)?;
        let spot = of.spot().await?;
        let place = Path::new(&spot.workdir).join(&below);
        let is_file = kind == CaptureKind::File;
        let name = place.file_name().map(|name| name.to_string_lossy());
        let file = name.filter(|_| is_file).map(Cow::into_owned);
        let ask = Capture {
            path: place.to_string_lossy().into_owned(),
            kind,
        };
        let step = self.step(format!("workdir {path}"), true);
        let taken = blocking(move || {
            let root = spot.live.session.root_of(spot.pid).map_err(sandbox_error)?;
            let taken = spot.live.keeper.capture(ask, root.as_fd());
            taken.map_err(keeper_error)
        })
        .await;
        let layer = step.result(taken)?.id;
        if !self
            .cache
            .hold_layers(std::slice::from_ref(&layer))
            .is_empty()
        {
            return Err(Error::internal(format!(
                "the snapshot of {path} was collected at once"
            )));
        }
        Ok(Op::Captured {
            snapshot: Snapshot::of([layer]),
            file,
        })
    }
}

/// A path of a working directory, without detours.
fn local(path: &str) -> Result<PathBuf> {
    let refused = |why: &str| {
        Error::invalid(format!(
            "cannot use `{path}` of the working directory: {why}"
        ))
        .hint("name a path relative to the function's working directory")
    };
    let mut below = PathBuf::new();
    for part in Path::new(path).components() {
        match part {
            Component::Normal(name) => below.push(name),
            Component::CurDir => {}
            Component::ParentDir if below.pop() => {}
            Component::ParentDir => return Err(refused("it leads out of it")),
            Component::RootDir | Component::Prefix(_) => return Err(refused("it is absolute")),
        }
    }
    Ok(below)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_stay_in_the_working_directory() {
        let cases = [
            ("", ""),
            (".", ""),
            ("out", "out"),
            ("./out/", "out"),
            ("a/../b//c", "b/c"),
            ("a/..", ""),
            ("..a", "..a"),
        ];
        for (path, expected) in cases {
            let found = local(path).expect("the path is local");
            assert_eq!(found, Path::new(expected), "{path}");
        }
        for (path, why) in [
            ("..", "leads out"),
            ("a/../../b", "leads out"),
            ("/etc", "absolute"),
        ] {
            let message = local(path).expect_err("the path is refused").to_string();
            assert!(message.contains(why) && message.contains(path), "{message}");
        }
    }

    #[tokio::test]
    async fn nothing_is_taken_of_what_is_over() {
        let running = Running::default();
        let asked = running.clone();
        let asked = tokio::spawn(async move { asked.spot().await.map(|spot| spot.pid) });
        tokio::task::yield_now().await;
        assert!(!asked.is_finished());
        running.over();
        let answer = asked.await.expect("the task ends");
        let message = answer.expect_err("it never ran").to_string();
        assert!(message.contains("has ended"), "{message}");
    }
}
