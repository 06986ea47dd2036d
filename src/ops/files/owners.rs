//! Who owns what is written: names are looked up where they mean something.

use super::super::world::World;
use crate::{
    error::{Error, Result},
    graph::{Container, Ownership, Snapshot, Value},
};

impl World {
    /// Ids of an owner given by number.
    pub(super) fn numeric_owner(&self, owner: &str) -> Result<(u32, u32)> {
        parse_owner(owner).ok_or_else(|| {
            Error::invalid(format!("owner `{owner}` of a file must be given by number"))
                .hint("use uid or uid:gid")
        })
    }

    /// Ids of an owner that was made numeric before.
    pub(in crate::ops) async fn owner(&self, owner: &Ownership) -> Result<(u32, u32)> {
        match owner {
            Ownership::Named(name) => self.numeric_owner(name),
            Ownership::Unchanged | Ownership::ContainerUser => Ok((0, 0)),
        }
    }

    /// The owner by number, so that it means the same in any later root file system.
    pub(super) async fn numeric(
        &self,
        container: &Container,
        owner: &Ownership,
    ) -> Result<Ownership> {
        Ok(match self.owner_in(container, owner).await? {
            Some((uid, gid)) => Ownership::Named(format!("{uid}:{gid}")),
            None => Ownership::Unchanged,
        })
    }

    pub(super) async fn owner_in(
        &self,
        container: &Container,
        owner: &Ownership,
    ) -> Result<Option<(u32, u32)>> {
        let name = match owner {
            Ownership::Unchanged => return Ok(None),
            Ownership::Named(name) => name,
            Ownership::ContainerUser => &container.config.user,
        };
        self.look_up(&container.rootfs, name).await.map(Some)
    }

    pub(super) async fn owner_for(
        &self,
        receiver: &Value,
        owner: &Ownership,
    ) -> Result<Option<(u32, u32)>> {
        match (receiver, owner) {
            (Value::Container(container), owner) => self.owner_in(container, owner).await,
            (Value::Directory(tree), Ownership::Named(name)) => {
                self.look_up(&tree.snapshot, name).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    async fn look_up(&self, rootfs: &Snapshot, name: &str) -> Result<(u32, u32)> {
        if let Some(ids) = parse_owner(name) {
            return Ok(ids);
        }
        let user = self.user(rootfs, name).await?;
        // The group defaults to the user's number, not to the user's primary group.
        Ok((
            user.uid,
            if name.contains(':') {
                user.gid
            } else {
                user.uid
            },
        ))
    }
}

/// Reads `uid` or `uid:gid`; the group defaults to the user.
fn parse_owner(owner: &str) -> Option<(u32, u32)> {
    let (uid, gid) = match owner.split_once(':') {
        Some((uid, gid)) => (uid.parse().ok()?, gid.parse().ok()?),
        None => (owner.parse().ok()?, owner.parse().ok()?),
    };
    Some((uid, gid))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_by_number() {
        for (owner, want) in [
            ("1000", Some((1000, 1000))),
            ("1000:50", Some((1000, 50))),
            ("nobody", None),
            ("1000:staff", None),
            ("4294967296", None),
            ("-1", None),
        ] {
            assert_eq!(parse_owner(owner), want, "{owner}");
        }
    }
}
