//! Users and groups as the snapshot's own files name them.
//!
//! The files come from images, so they may be links, FIFOs or endless: only regular files found
//! inside the root are read, and only their first megabytes.
//!
//! # References
//! - [passwd(5)](https://man7.org/linux/man-pages/man5/passwd.5.html),
//!   [group(5)](https://man7.org/linux/man-pages/man5/group.5.html)

use std::fs::File;
use std::io::Read as _;

use crate::error::{Error, Result};
use crate::keeper::User;
use crate::read;
use crate::view::View;

/// Real files are a few kilobytes.
const MAX_FILE: u64 = 4 << 20;

/// Finds `name`, `uid`, `name:group` or `uid:gid`; nothing means root.
pub(crate) fn lookup(view: &View, user: &str) -> Result<User> {
    let passwd = lines(view, "/etc/passwd")?;
    let groups = lines(view, "/etc/group")?;
    find(&passwd, &groups, user)
}

fn lines(view: &View, path: &str) -> Result<String> {
    let file = match read::open_file(view, path) {
        Ok((_, fd)) => File::from(fd),
        // Images without users, or with something strange in their place, have numbers only.
        Err(
            Error::NotFound { .. }
            | Error::NotADirectory { .. }
            | Error::IsADirectory { .. }
            | Error::InvalidPath { .. },
        ) => return Ok(String::new()),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(MAX_FILE)
        .read_to_end(&mut bytes)
        .map_err(|e| Error::io("read", path, e))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn find(passwd: &str, groups: &str, text: &str) -> Result<User> {
    let (name, group) = match text.split_once(':') {
        Some((name, group)) => (name, Some(group).filter(|group| !group.is_empty())),
        None => (text, None),
    };
    let name = if name.is_empty() { "0" } else { name };
    let number = id(name);
    let mut records = passwd.lines().filter_map(PasswdLine::parse);
    let record = records.find(|line| line.name == name || number == Some(line.uid));
    let mut user = match (&record, number) {
        (Some(line), _) => User {
            uid: line.uid,
            gid: line.gid,
            home: Some(line.home.to_owned()).filter(|home| !home.is_empty()),
            name: Some(line.name.to_owned()),
            additional_gids: Vec::new(),
        },
        (None, Some(uid)) => User {
            uid,
            ..User::default()
        },
        (None, None) => return Err(unknown("user", name)),
    };
    match group {
        Some(group) => user.gid = group_id(groups, group)?,
        None => {
            let name = user.name.as_deref().unwrap_or_default();
            user.additional_gids = memberships(groups, name);
        }
    }
    Ok(user)
}

fn unknown(kind: &str, name: &str) -> Error {
    Error::UnknownUser {
        kind: kind.to_owned(),
        name: name.chars().take(256).collect(),
    }
}

/// A numeric id; the largest means "none" to the kernel.
fn id(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|&id| digits && id != u32::MAX)
}

struct PasswdLine<'a> {
    name: &'a str,
    uid: u32,
    gid: u32,
    home: &'a str,
}

impl<'a> PasswdLine<'a> {
    fn parse(line: &'a str) -> Option<Self> {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let uid = id(fields.nth(1)?)?;
        let gid = id(fields.next()?)?;
        Some(Self {
            name,
            uid,
            gid,
            home: fields.nth(1).unwrap_or_default(),
        })
    }
}

fn group_lines(groups: &str) -> impl Iterator<Item = (&str, u32, &str)> {
    groups.lines().filter_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = id(fields.nth(1)?)?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

fn group_id(groups: &str, group: &str) -> Result<u32> {
    let named = group_lines(groups)
        .find(|(name, ..)| *name == group)
        .map(|(_, gid, _)| gid);
    named
        .or_else(|| id(group))
        .ok_or_else(|| unknown("group", group))
}

fn memberships(groups: &str, user: &str) -> Vec<u32> {
    let member = |members: &str| !user.is_empty() && members.split(',').any(|name| name == user);
    let mut gids: Vec<u32> = group_lines(groups)
        .filter(|(_, _, members)| member(members))
        .map(|(_, gid, _)| gid)
        .collect();
    gids.sort_unstable();
    gids.dedup();
    gids
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbad line\nweb:x:33:34::/var/www:\n\
                          max:x:4294967295:1::/:\n:x:7:7::/:\nweb:x:99:99::/:\n";
    const GROUPS: &str = "root:x:0:\nwww:x:34:web\nadm:x:4:root,web\nbig:x:99999999999:web\n";

    #[test]
    fn users_are_found_by_name_and_number() {
        for (text, uid, gid, home, more) in [
            ("", 0, 0, Some("/root"), vec![4]),
            ("root", 0, 0, Some("/root"), vec![4]),
            ("web", 33, 34, Some("/var/www"), vec![4, 34]),
            ("33", 33, 34, Some("/var/www"), vec![4, 34]),
            ("web:adm", 33, 4, Some("/var/www"), vec![]),
            ("1000", 1000, 0, None, vec![]),
            ("1000:1001", 1000, 1001, None, vec![]),
            (":adm", 0, 4, Some("/root"), vec![]),
        ] {
            let user = find(PASSWD, GROUPS, text).unwrap();
            let got = (
                user.uid,
                user.gid,
                user.home.as_deref(),
                user.additional_gids,
            );
            assert_eq!(got, (uid, gid, home, more), "{text}");
        }
    }

    #[test]
    fn ids_out_of_range_and_unknown_names_are_refused() {
        for text in [
            "nobody",
            "-1",
            "4294967296",
            "4294967295",
            "+1",
            "root:nogroup",
            "0:-1",
            "max",
        ] {
            assert!(find(PASSWD, GROUPS, text).is_err(), "{text}");
        }
    }
}
