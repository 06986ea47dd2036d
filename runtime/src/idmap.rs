//! Which ids of the host stand for which ids of a session.
//!
//! Detection reads `/etc/subuid`, `/etc/subgid` and `/proc/self/uid_map`; applying a map to a process is done once per
//! session, by `newuidmap` and `newgidmap` or by the kernel's files directly.

use std::fs;
use std::io::Write;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::Error;

/// First host id given to the session's id 1 when nsci runs as real root and root has no subordinate range.
const ROOT_RANGE_START: u32 = 0x7000_0000;

/// Ids a session wants: 0 and 1–65535.
const WANTED: u32 = 65536;

/// The mapping between a session's ids and the host's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdMap {
    /// How the map is put in force.
    pub kind: IdMapKind,
    /// User ids, ordered by the session's id.
    pub uids: Vec<Extent>,
    /// Group ids, ordered by the session's id.
    pub gids: Vec<Extent>,
}

/// How a map is put in force, and therefore how complete it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum IdMapKind {
    /// The user's subordinate ids, by `newuidmap` and `newgidmap`.
    Subordinate,
    /// Written directly by a privileged process.
    Root,
    /// Only id 0; changes of ownership fail.
    Single,
}

/// A run of consecutive ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extent {
    /// First id inside the session.
    pub inside: u32,
    /// First id outside.
    pub outside: u32,
    /// Length of the run.
    pub count: u32,
}

/// Why steps cannot have more than one id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdMapProblem {
    /// No range for the user.
    #[error("user {user} has no ids in {file}")]
    NoRange {
        /// Name or number of the user.
        user: String,
        /// The file without a line for the user.
        file: &'static str,
    },
    /// The set-uid helper is not installed.
    #[error("{tool} is not installed")]
    NoTool {
        /// The missing program.
        tool: &'static str,
    },
    /// The set-uid helper has neither the set-uid bit nor a file capability.
    #[error("{} is neither set-uid nor has file capabilities", path.display())]
    PowerlessTool {
        /// Where the program is.
        path: PathBuf,
    },
    /// A file of the system could not be read.
    #[error("cannot read {file}: {reason}")]
    Unreadable {
        /// The file.
        file: &'static str,
        /// The system's answer.
        reason: String,
    },
}

impl IdMapProblem {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::NoRange { user, .. } => {
                format!("usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {user}")
            }
            Self::NoTool { .. } => "install the package uidmap (shadow-utils on Fedora)".to_owned(),
            Self::PowerlessTool { path } => format!("chmod u+s {}", path.display()),
            Self::Unreadable { file, .. } => format!("make {file} readable"),
        }
    }
}

impl IdMap {
    /// Finds the best map this process can put in force.
    ///
    /// # Errors
    /// [`IdMapProblem`] when only [`IdMap::single`] is left.
    pub fn detect() -> Result<Self, IdMapProblem> {
        let uid = rustix::process::geteuid().as_raw();
        let gid = rustix::process::getegid().as_raw();
        if uid == 0 && has_id_capabilities() {
            return Self::detect_root();
        }
        let name = user_name(uid);
        let uids = subordinate("/etc/subuid", name.as_deref(), uid)?;
        let gids = subordinate("/etc/subgid", name.as_deref(), uid)?;
        check_tools()?;
        Ok(Self {
            kind: IdMapKind::Subordinate,
            uids: with_own_id(uid, &uids),
            gids: with_own_id(gid, &gids),
        })
    }

    /// The map that always works: only id 0, standing for the invoking user.
    #[must_use]
    pub fn single() -> Self {
        let own = |id: u32| {
            vec![Extent {
                inside: 0,
                outside: id,
                count: 1,
            }]
        };
        Self {
            kind: IdMapKind::Single,
            uids: own(rustix::process::geteuid().as_raw()),
            gids: own(rustix::process::getegid().as_raw()),
        }
    }

    /// Names the map in the layout of a store: files owned through one map are useless through another.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let part = |prefix: char, extents: &[Extent]| {
            let mut text = String::from(prefix);
            for (index, extent) in extents.iter().enumerate() {
                if index > 0 {
                    text.push('-');
                }
                text.push_str(&extent.outside.to_string());
                if extent.count > 1 {
                    text.push_str(&format!("x{}", extent.count));
                }
            }
            text
        };
        let users = part('u', &self.uids);
        let groups = part('g', &self.gids);
        if users.get(1..) == groups.get(1..) {
            users
        } else {
            format!("{users}-{groups}")
        }
    }

    fn detect_root() -> Result<Self, IdMapProblem> {
        let extents = |map: &'static str, sub: &'static str| {
            let available = parse_id_map(&read(map)?);
            let ranges = fs::read_to_string(sub)
                .map(|text| parse_subordinate(&text, Some("root"), 0))
                .unwrap_or_default();
            Ok(root_extents(&available, &ranges))
        };
        Ok(Self {
            kind: IdMapKind::Root,
            uids: extents("/proc/self/uid_map", "/etc/subuid")?,
            gids: extents("/proc/self/gid_map", "/etc/subgid")?,
        })
    }

    /// Puts the map in force for a process that waits in a new user namespace.
    pub(crate) fn apply(&self, pid: u32) -> Result<(), Error> {
        match self.kind {
            IdMapKind::Subordinate => self.apply_with_tools(pid),
            IdMapKind::Root => {
                write_map(pid, "uid_map", &self.uids)?;
                write_map(pid, "gid_map", &self.gids)
            }
            IdMapKind::Single => {
                write_proc(pid, "setgroups", "deny")?;
                write_map(pid, "uid_map", &self.uids)?;
                write_map(pid, "gid_map", &self.gids)
            }
        }
    }

    fn apply_with_tools(&self, pid: u32) -> Result<(), Error> {
        let start = |tool: &'static str, extents: &[Extent]| {
            let path = find_tool(tool).ok_or(IdMapProblem::NoTool { tool })?;
            let mut command = Command::new(path);
            command.arg(pid.to_string());
            for extent in extents {
                command.args([extent.inside, extent.outside, extent.count].map(|n| n.to_string()));
            }
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::piped())
                .spawn()
                .map_err(|source| Error::io(format!("start {tool}"), source))
        };
        let running = [
            ("newuidmap", start("newuidmap", &self.uids)?),
            ("newgidmap", start("newgidmap", &self.gids)?),
        ];
        for (tool, child) in running {
            let output = child
                .wait_with_output()
                .map_err(|e| Error::io(format!("wait for {tool}"), e))?;
            if !output.status.success() {
                let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
                let output = if said.is_empty() {
                    output.status.to_string()
                } else {
                    said
                };
                return Err(Error::MapTool {
                    tool: tool.to_owned(),
                    output,
                });
            }
        }
        Ok(())
    }
}

/// The ranges of a user in the text of `/etc/subuid` or `/etc/subgid`, as (start, count).
///
/// Lines that do not parse are skipped, as the system's tools do.
#[must_use]
pub fn parse_subordinate(text: &str, name: Option<&str>, uid: u32) -> Vec<(u32, u32)> {
    let number = uid.to_string();
    text.lines()
        .filter_map(|line| {
            let mut fields = line.trim().split(':');
            let owner = fields.next()?;
            let start: u32 = fields.next()?.parse().ok()?;
            let count: u32 = fields.next()?.parse().ok()?;
            let usable = fields.next().is_none() && count > 0 && start.checked_add(count).is_some();
            let ours = owner == number || name.is_some_and(|name| name == owner);
            (usable && ours).then_some((start, count))
        })
        .collect()
}

/// The extents in the text of a kernel `uid_map` file.
#[must_use]
pub fn parse_id_map(text: &str) -> Vec<Extent> {
    text.lines()
        .filter_map(|line| {
            let mut numbers = line.split_whitespace().map(str::parse::<u32>);
            let inside = numbers.next()?.ok()?;
            let outside = numbers.next()?.ok()?;
            let count = numbers.next()?.ok()?;
            Some(Extent {
                inside,
                outside,
                count,
            })
        })
        .collect()
}

/// Own id as 0, then the ranges one after the other, 65536 ids at most.
fn with_own_id(id: u32, ranges: &[(u32, u32)]) -> Vec<Extent> {
    let mut extents = vec![Extent {
        inside: 0,
        outside: id,
        count: 1,
    }];
    let mut next = 1;
    for &(start, count) in ranges {
        let count = count.min(WANTED.saturating_sub(next) + 1);
        if count == 0 || next > WANTED {
            break;
        }
        extents.push(Extent {
            inside: next,
            outside: start,
            count,
        });
        next += count;
    }
    extents
}

/// Root's extents within the ids its own namespace has: an own range if listed, else a high one, else what there is.
///
/// An extent must lie within one extent of the parent, so the last resort maps every available run onto itself.
fn root_extents(available: &[Extent], ranges: &[(u32, u32)]) -> Vec<Extent> {
    let fits = |start: u32, count: u32| {
        available.iter().any(|run| {
            start >= run.inside
                && u64::from(start) + u64::from(count)
                    <= u64::from(run.inside) + u64::from(run.count)
        })
    };
    let usable: Vec<(u32, u32)> = ranges
        .iter()
        .copied()
        .filter(|&(start, count)| fits(start, count))
        .collect();
    if !usable.is_empty() {
        return with_own_id(0, &usable);
    }
    if fits(ROOT_RANGE_START, WANTED) {
        return with_own_id(0, &[(ROOT_RANGE_START, WANTED)]);
    }
    available
        .iter()
        .map(|run| Extent {
            inside: run.inside,
            outside: run.inside,
            count: run.count,
        })
        .collect()
}

fn subordinate(
    file: &'static str,
    name: Option<&str>,
    uid: u32,
) -> Result<Vec<(u32, u32)>, IdMapProblem> {
    let text = match fs::read_to_string(file) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
        Err(error) => {
            return Err(IdMapProblem::Unreadable {
                file,
                reason: error.to_string(),
            });
        }
    };
    let ranges = parse_subordinate(&text, name, uid);
    if ranges.is_empty() {
        let user = name.map_or_else(|| uid.to_string(), str::to_owned);
        return Err(IdMapProblem::NoRange { user, file });
    }
    Ok(ranges)
}

fn read(file: &'static str) -> Result<String, IdMapProblem> {
    fs::read_to_string(file).map_err(|error| IdMapProblem::Unreadable {
        file,
        reason: error.to_string(),
    })
}

/// Whether this process may write maps with ids other than its own.
fn has_id_capabilities() -> bool {
    let needed = rustix::thread::CapabilitySet::SETUID | rustix::thread::CapabilitySet::SETGID;
    rustix::thread::capabilities(None).is_ok_and(|sets| sets.effective.contains(needed))
}

fn user_name(uid: u32) -> Option<String> {
    nix::unistd::User::from_uid(uid.into())
        .ok()
        .flatten()
        .map(|user| user.name)
}

/// Looks a set-uid helper up where distributions put it, then in the caller's `PATH`.
pub(crate) fn find_tool(tool: &str) -> Option<PathBuf> {
    let fixed = ["/usr/bin", "/bin", "/usr/sbin", "/sbin", "/usr/local/bin"].map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    fixed
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|directory| directory.join(tool))
        .find(|candidate| candidate.is_file())
}

/// Whether the set-uid helpers are there and have their power.
pub(crate) fn check_tools() -> Result<(), IdMapProblem> {
    ["newuidmap", "newgidmap"]
        .into_iter()
        .try_for_each(check_tool)
}

fn check_tool(tool: &'static str) -> Result<(), IdMapProblem> {
    let path = find_tool(tool).ok_or(IdMapProblem::NoTool { tool })?;
    let set_uid = fs::metadata(&path).is_ok_and(|meta| meta.mode() & 0o4000 != 0);
    let mut buffer = [0_u8; 64];
    let capable = rustix::fs::getxattr(&path, "security.capability", &mut buffer[..]).is_ok();
    if set_uid || capable {
        Ok(())
    } else {
        Err(IdMapProblem::PowerlessTool { path })
    }
}

fn write_map(pid: u32, file: &str, extents: &[Extent]) -> Result<(), Error> {
    let mut text = String::new();
    for extent in extents {
        text.push_str(&format!(
            "{} {} {}\n",
            extent.inside, extent.outside, extent.count
        ));
    }
    write_proc(pid, file, &text)
}

fn write_proc(pid: u32, file: &str, text: &str) -> Result<(), Error> {
    let path = format!("/proc/{pid}/{file}");
    // The kernel takes a map in a single write only.
    fs::OpenOptions::new()
        .write(true)
        .open(&path)
        .and_then(|mut handle| handle.write_all(text.as_bytes()))
        .map_err(|source| Error::io(format!("write {path}"), source))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subordinate_ranges_are_found_by_name_and_number() {
        let text =
            "root:1:5\nana:100000:65536\n1000:300000:10\nbad:x:y\nana:1:0\nana:4294967295:9\n";
        let cases = [
            (Some("ana"), 7, vec![(100_000, 65536)]),
            (Some("ana"), 1000, vec![(100_000, 65536), (300_000, 10)]),
            (None, 1000, vec![(300_000, 10)]),
            (Some("nobody"), 9, vec![]),
        ];
        for (name, uid, expected) in cases {
            assert_eq!(
                parse_subordinate(text, name, uid),
                expected,
                "{name:?} {uid}"
            );
        }
    }

    #[test]
    fn own_id_comes_first_and_ranges_follow() {
        let extents = with_own_id(1001, &[(100_000, 10), (500_000, 100_000)]);
        assert_eq!(
            extents,
            [
                Extent {
                    inside: 0,
                    outside: 1001,
                    count: 1
                },
                Extent {
                    inside: 1,
                    outside: 100_000,
                    count: 10
                },
                Extent {
                    inside: 11,
                    outside: 500_000,
                    count: 65526
                },
            ]
        );
    }

    #[test]
    fn fingerprint_names_ranges_once_when_groups_agree() {
        let uids = with_own_id(1000, &[(100_000, 65536)]);
        let same = IdMap {
            kind: IdMapKind::Subordinate,
            uids: uids.clone(),
            gids: uids.clone(),
        };
        assert_eq!(same.fingerprint(), "u1000-100000x65536");
        let gids = with_own_id(50, &[(100_000, 65536)]);
        let other = IdMap {
            kind: IdMapKind::Subordinate,
            uids,
            gids,
        };
        assert_eq!(other.fingerprint(), "u1000-100000x65536-g50-100000x65536");
    }

    #[test]
    fn root_takes_a_listed_range_then_a_high_one_then_what_there_is() {
        let full = parse_id_map("         0          0 4294967295\n");
        assert_eq!(root_extents(&full, &[(900_000, 65536)])[1].outside, 900_000);
        assert_eq!(root_extents(&full, &[])[1].outside, ROOT_RANGE_START);
        let nested = parse_id_map("0 1001 1\n1 100000 65536\n");
        let kept = root_extents(&nested, &[(900_000, 65536)]);
        assert_eq!(
            kept,
            [
                Extent {
                    inside: 0,
                    outside: 0,
                    count: 1
                },
                Extent {
                    inside: 1,
                    outside: 1,
                    count: 65536
                }
            ]
        );
    }
}
