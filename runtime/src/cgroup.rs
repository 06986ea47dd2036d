//! Limits of steps, by control groups of the unified hierarchy.
//!
//! Works where this process may divide its own control group: as root of a machine or container, or in a scope that
//! the system has delegated. The engine makes one group for each limited step and hands the helper a way into it and
//! one out again, so that the step is limited from its first process on, and the helper is not.
//!
//! # References
//! - [Control Group v2](https://docs.kernel.org/admin-guide/cgroup-v2.html), delegation

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::error::ignore;

/// What a step may use; nothing is limited by default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Bytes of memory, swap included.
    pub memory: Option<u64>,
    /// Thousandths of a processor.
    pub cpu_millis: Option<u32>,
    /// Processes and threads, the step's init included.
    pub pids: Option<u64>,
}

impl Limits {
    /// Whether anything is limited.
    #[must_use]
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    fn controllers(&self) -> Vec<&'static str> {
        let pairs = [
            ("memory", self.memory.is_some()),
            ("cpu", self.cpu_millis.is_some()),
            ("pids", self.pids.is_some()),
        ];
        pairs
            .iter()
            .filter(|(_, wanted)| *wanted)
            .map(|(name, _)| *name)
            .collect()
    }

    /// Files of a group and what to write to them.
    fn settings(&self) -> Vec<(&'static str, String)> {
        let mut list = Vec::new();
        if let Some(bytes) = self.memory {
            list.push(("memory.max", bytes.to_string()));
            // Or a step would go on, slowly, on the disk.
            list.push(("memory.swap.max", "0".to_owned()));
        }
        if let Some(millis) = self.cpu_millis {
            list.push(("cpu.max", format!("{} 100000", u64::from(millis) * 100)));
        }
        if let Some(count) = self.pids {
            list.push(("pids.max", count.to_string()));
        }
        list
    }
}

/// Why nothing can be limited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LimitProblem {
    /// There is no unified hierarchy, or this process is not in it.
    #[error("no cgroup2 hierarchy is mounted")]
    NoHierarchy,
    /// The group belongs to somebody else.
    #[error("the control group {} is not delegated to this user ({reason})", path.display())]
    NotDelegated {
        /// This process's group.
        path: PathBuf,
        /// The system's answer.
        reason: String,
    },
    /// A group with processes of its own cannot be divided.
    #[error("the control group {} holds other processes too", path.display())]
    Shared {
        /// This process's group.
        path: PathBuf,
    },
    /// The hierarchy lacks a controller; another hierarchy may have it.
    #[error("the control group {} has no controller for {names}", path.display())]
    NoController {
        /// This process's group.
        path: PathBuf,
        /// What is missing, separated by commas.
        names: String,
    },
}

impl LimitProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoHierarchy | Self::NoController { .. } => {
                "boot with systemd.unified_cgroup_hierarchy=1, or have the controllers released from cgroup v1"
            }
            Self::NotDelegated { .. } | Self::Shared { .. } => {
                "run nsci in a group of its own: systemd-run --user --scope -p Delegate=yes nsci …; without systemd, \
                 have root make a group, give it to this user and start nsci in it"
            }
        }
    }
}

/// Controllers that limits need.
const CONTROLLERS: [&str; 3] = ["memory", "cpu", "pids"];

/// A group of this session's own, below which each limited step gets one. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Delegation {
    directory: PathBuf,
    controllers: Vec<String>,
    /// Where this process was before it made room.
    home: Option<PathBuf>,
}

/// Finds out which controllers this process may use, and leaves everything as it was.
pub(crate) fn available() -> Result<(PathBuf, Vec<String>), LimitProblem> {
    let own = own_group()?;
    let delegation = Delegation::below(&own, &CONTROLLERS)?;
    Ok((own, delegation.controllers.clone()))
}

/// This process's group as a directory.
fn own_group() -> Result<PathBuf, LimitProblem> {
    let text = |path: &str| fs::read_to_string(path).map_err(|_| LimitProblem::NoHierarchy);
    find_group(&text("/proc/self/cgroup")?, &text("/proc/self/mountinfo")?)
        .ok_or(LimitProblem::NoHierarchy)
}

/// The directory of the group that `/proc/self/cgroup` names, where `/proc/self/mountinfo` shows it.
fn find_group(cgroup: &str, mounts: &str) -> Option<PathBuf> {
    let group = cgroup.lines().find_map(|line| line.strip_prefix("0::"))?;
    mounts.lines().find_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        if kind.split(' ').next() != Some("cgroup2") {
            return None;
        }
        let mut fields = place.split(' ').skip(3);
        let (root, point) = (fields.next()?, fields.next()?);
        let below = if root == "/" {
            group
        } else {
            group.strip_prefix(root)?
        };
        Some(Path::new(point).join(below.trim_start_matches('/')))
    })
}

impl Delegation {
    /// Makes a group for this session below this process's own.
    pub(crate) fn new(limits: &Limits) -> Result<Self, LimitProblem> {
        let own = own_group()?;
        let delegation = Self::below(&own, &CONTROLLERS)?;
        let missing: Vec<&str> = limits
            .controllers()
            .into_iter()
            .filter(|name| !delegation.controllers.iter().any(|known| known == name))
            .collect();
        if missing.is_empty() {
            Ok(delegation)
        } else {
            Err(LimitProblem::NoController {
                path: own,
                names: missing.join(", "),
            })
        }
    }

    fn below(own: &Path, names: &[&str]) -> Result<Self, LimitProblem> {
        let refused = |error: io::Error| LimitProblem::NotDelegated {
            path: own.to_owned(),
            reason: error.to_string(),
        };
        let directory = own.join(format!(
            "nsci-{}",
            rustix::process::getpid().as_raw_nonzero()
        ));
        fs::create_dir(&directory).map_err(refused)?;
        let mut delegation = Self {
            directory,
            controllers: Vec::new(),
            home: None,
        };
        let offered = words(&own.join("cgroup.controllers"));
        let wanted: Vec<&str> = names
            .iter()
            .copied()
            .filter(|name| offered.iter().any(|known| known == name))
            .collect();
        delegation.pass_down(own, &wanted)?;
        Ok(delegation)
    }

    /// Hands controllers down to the session's group and on to its steps.
    fn pass_down(&mut self, own: &Path, wanted: &[&str]) -> Result<(), LimitProblem> {
        let given = words(&own.join("cgroup.subtree_control"));
        for name in wanted {
            let mut enabled = Ok(());
            if !given.iter().any(|known| known == name) {
                enabled = enable(own, name);
                if enabled.as_ref().is_err_and(is_busy) {
                    self.make_room(own)?;
                    enabled = enable(own, name);
                }
            }
            match enabled.and_then(|()| enable(&self.directory, name)) {
                Ok(()) => self.controllers.push((*name).to_owned()),
                Err(error) if is_busy(&error) => {
                    return Err(LimitProblem::Shared {
                        path: own.to_owned(),
                    });
                }
                // Not delegated with the rest.
                Err(_) => {}
            }
        }
        Ok(())
    }

    /// Moves this process out of its group, which may then be divided if nobody else is in it.
    fn make_room(&mut self, own: &Path) -> Result<(), LimitProblem> {
        if self.home.is_some() {
            return Ok(());
        }
        let engine = self.directory.with_extension("engine");
        let moved = fs::create_dir(&engine).and_then(|()| put(0, &engine));
        moved.map_err(|error| LimitProblem::NotDelegated {
            path: own.to_owned(),
            reason: error.to_string(),
        })?;
        self.home = Some(own.to_owned());
        Ok(())
    }

    /// Makes the group of a step.
    pub(crate) fn group(&self, id: u64, limits: &Limits) -> Result<Group, Error> {
        let directory = self.directory.join(format!("s{id}"));
        let what = || format!("make the control group {}", directory.display());
        fs::create_dir(&directory).map_err(|source| Error::io(what(), source))?;
        let group = Group { directory };
        for (file, value) in limits.settings() {
            let path = group.directory.join(file);
            match fs::write(&path, value) {
                // A kernel without swap accounting has nothing to switch off.
                Err(error)
                    if error.kind() == io::ErrorKind::NotFound && file == "memory.swap.max" => {}
                Err(source) => {
                    return Err(Error::io(format!("write {}", path.display()), source));
                }
                Ok(()) => {}
            }
        }
        Ok(group)
    }

    /// The way back for a helper that was in a step's group.
    pub(crate) fn way_out(&self) -> Result<File, Error> {
        let helpers = self.directory.join("helpers");
        match fs::create_dir(&helpers) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                return Err(Error::io("make a control group for helpers", error));
            }
            _ => {}
        }
        open_procs(&helpers)
    }
}

impl Drop for Delegation {
    fn drop(&mut self) {
        ignore(fs::remove_dir(self.directory.join("helpers")));
        ignore(fs::remove_dir(&self.directory));
        if let Some(home) = &self.home {
            // With controllers handed down the group cannot take processes back.
            for name in &self.controllers {
                ignore(write(
                    &home.join("cgroup.subtree_control"),
                    &format!("-{name}"),
                ));
            }
            ignore(put(0, home));
            ignore(fs::remove_dir(self.directory.with_extension("engine")));
        }
    }
}

/// The group of one step; dropping it removes it, when the step is gone.
#[derive(Debug)]
pub(crate) struct Group {
    directory: PathBuf,
}

impl Group {
    /// The way in.
    pub(crate) fn way_in(&self) -> Result<File, Error> {
        open_procs(&self.directory)
    }

    /// Whether a process of the step was killed for memory.
    pub(crate) fn ran_out_of_memory(&self) -> bool {
        let events = fs::read_to_string(self.directory.join("memory.events")).unwrap_or_default();
        killed(&events)
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // Dead processes leave a group a moment after their end is known.
        for _ in 0..50 {
            match fs::remove_dir(&self.directory) {
                Err(error) if is_busy(&error) => {
                    std::thread::sleep(std::time::Duration::from_millis(2));
                }
                // What cannot be removed is empty, and root's to clean.
                _ => return,
            }
        }
    }
}

/// Whether the text of `memory.events` tells of a kill.
fn killed(events: &str) -> bool {
    events.lines().any(|line| {
        line.strip_prefix("oom_kill ")
            .is_some_and(|count| count.trim() != "0")
    })
}

/// Moves the calling process through a descriptor from [`Group::way_in`] or [`Delegation::way_out`].
pub(crate) fn enter(procs: &mut File) -> io::Result<()> {
    procs.write_all(b"0")
}

fn open_procs(group: &Path) -> Result<File, Error> {
    let path = group.join("cgroup.procs");
    OpenOptions::new()
        .write(true)
        .open(&path)
        .map_err(|source| Error::io(format!("open {}", path.display()), source))
}

fn put(pid: u32, group: &Path) -> io::Result<()> {
    write(&group.join("cgroup.procs"), &pid.to_string())
}

fn enable(group: &Path, controller: &str) -> io::Result<()> {
    write(
        &group.join("cgroup.subtree_control"),
        &format!("+{controller}"),
    )
}

fn write(path: &Path, text: &str) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
}

fn is_busy(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::ResourceBusy
}

fn words(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_group_is_found_where_it_is_mounted() {
        let hybrid = "26 25 0:23 / /sys/fs/cgroup ro - tmpfs tmpfs ro\n\
                      27 26 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                      28 26 0:25 / /sys/fs/cgroup/unified rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let inside = "30 25 0:23 /a/b /sys/fs/cgroup rw - cgroup2 cgroup rw,nsdelegate\n";
        let cases = [
            (
                "4:memory:/x\n0::/\n",
                hybrid,
                Some("/sys/fs/cgroup/unified/"),
            ),
            (
                "0::/user.slice/c\n",
                hybrid,
                Some("/sys/fs/cgroup/unified/user.slice/c"),
            ),
            ("0::/a/b/c\n", inside, Some("/sys/fs/cgroup/c")),
            ("0::/z\n", inside, None),
            ("4:memory:/x\n", hybrid, None),
            ("0::/\n", "", None),
        ];
        for (cgroup, mounts, expected) in cases {
            let found = find_group(cgroup, mounts);
            assert_eq!(found.as_deref(), expected.map(Path::new), "{cgroup}");
        }
    }

    /// With any controller that the unified hierarchy of this machine has; `hugetlb` is there even on hybrid ones.
    #[test]
    fn a_delegated_group_is_divided_and_given_back() {
        let own = own_group().expect("a unified hierarchy");
        let mut offered = words(&own.join("cgroup.controllers"));
        offered.truncate(1);
        let names: Vec<&str> = offered.iter().map(String::as_str).collect();
        let delegation = match Delegation::below(&own, &names) {
            Ok(delegation) => delegation,
            Err(problem) => {
                assert!(
                    matches!(problem, LimitProblem::NotDelegated { .. }),
                    "{problem}"
                );
                return;
            }
        };
        assert_eq!(delegation.controllers, names);
        let group = delegation.group(7, &Limits::default()).expect("a group");
        let moved = |way: File| {
            let output = std::process::Command::new("sh")
                .args(["-c", "echo 0 && grep ^0:: /proc/self/cgroup >&2"])
                .stdout(way)
                .output()
                .expect("sh runs");
            String::from_utf8_lossy(&output.stderr).trim().to_owned()
        };
        assert!(moved(group.way_in().expect("a way in")).ends_with("/s7"));
        assert!(moved(delegation.way_out().expect("a way out")).ends_with("/helpers"));
        assert!(!group.ran_out_of_memory());
        let directory = delegation.directory.clone();
        drop(group);
        drop(delegation);
        assert!(!directory.exists() && !directory.with_extension("engine").exists());
        assert_eq!(own_group().expect("the group again"), own);
    }

    #[test]
    fn limits_become_settings() {
        let limits = Limits {
            memory: Some(512 << 20),
            cpu_millis: Some(1500),
            pids: Some(64),
        };
        assert_eq!(limits.controllers(), ["memory", "cpu", "pids"]);
        let expected = [
            ("memory.max", "536870912"),
            ("memory.swap.max", "0"),
            ("cpu.max", "150000 100000"),
            ("pids.max", "64"),
        ];
        let settings = limits.settings();
        let settings: Vec<_> = settings.iter().map(|(k, v)| (*k, v.as_str())).collect();
        assert_eq!(settings, expected);
        assert!(!Limits::default().any() && Limits::default().settings().is_empty());
    }

    #[test]
    fn kills_for_memory_are_read() {
        assert!(killed("low 0\noom 3\noom_kill 2\noom_group_kill 0\n"));
        assert!(!killed("low 0\noom 3\noom_kill 0\noom_group_kill 0\n"));
        assert!(!killed(""));
    }
}
