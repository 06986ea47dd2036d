//! History of repositories: what commits say, and the one that two have in common.
//!
//! A repository without files is fetched for it: commits and, where the server lets choose, nothing else.

use super::git::{EVERYTHING, Remote, Repository};
use super::git_modules::{GitError, GitModules};
use serde::{Deserialize, Serialize};
use std::path::Path;

/// Fields of a commit, each ended by NUL.
const FORMAT: &str = "--format=%H%x00%P%x00%an%x00%ae%x00%aI%x00%cn%x00%ce%x00%cI%x00%B%x00";
const FIELDS: usize = 9;

/// Somebody, at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// Name.
    pub name: String,
    /// Mail address.
    pub email: String,
    /// Time, as ISO 8601 writes it.
    pub date: String,
}

/// What a commit says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommitInfo {
    /// The commit.
    pub sha: String,
    /// The commits it is based on.
    pub parents: Vec<String>,
    /// Who made the change.
    pub author: Signature,
    /// Who made the commit.
    pub committer: Signature,
    /// All of the message.
    pub message: String,
}

/// Which commits are wanted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Range {
    /// The newest.
    pub from: String,
    /// One that is not wanted, nor what it is based on.
    pub base: Option<String>,
    /// Only those that changed one of these paths.
    pub paths: Vec<String>,
    /// How many; all of them if absent.
    pub limit: Option<usize>,
}

impl GitModules {
    /// Commits, newest first. `scratch` is an empty directory.
    ///
    /// # Errors
    /// If git fails, or there is no such commit.
    pub async fn history(
        &self,
        remote: &Remote,
        range: &Range,
        scratch: &Path,
    ) -> Result<Vec<CommitInfo>, GitError> {
        // One more than wanted: the last of a cut history seems to be based on nothing.
        let shallow = match (range.limit, &range.base) {
            (Some(limit), None) if range.paths.is_empty() => Some(limit.saturating_add(1)),
            _ => None,
        };
        let wanted: Vec<&str> = std::iter::once(&range.from)
            .chain(&range.base)
            .map(String::as_str)
            .collect();
        let repository = self.commits(remote, &wanted, shallow, scratch).await?;
        let mut args = vec!["log".to_owned(), FORMAT.into()];
        args.extend(range.limit.map(|limit| format!("--max-count={limit}")));
        args.push(range.from.clone());
        args.extend(range.base.as_ref().map(|base| format!("^{base}")));
        args.push("--".into());
        args.extend(range.paths.iter().cloned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        let listed = repository.run("log", &args).await?;
        Ok(read_log(&String::from_utf8_lossy(&listed.stdout)))
    }

    /// The newest commit that both are based on, if there is one.
    ///
    /// # Errors
    /// If git fails, or there is no such commit.
    pub async fn merge_base(
        &self,
        remote: &Remote,
        one: &str,
        other: &str,
        scratch: &Path,
    ) -> Result<Option<String>, GitError> {
        let repository = self.commits(remote, &[one, other], None, scratch).await?;
        // It fails if the histories have nothing in common.
        let found = repository
            .run("merge-base", &["merge-base", one, other])
            .await;
        let text = found.map(|found| String::from_utf8_lossy(&found.stdout).trim().to_owned());
        Ok(text.ok().filter(|text| !text.is_empty()))
    }

    /// A repository with these commits and what they are based on.
    async fn commits<'a>(
        &'a self,
        remote: &'a Remote,
        wanted: &[&str],
        depth: Option<usize>,
        scratch: &'a Path,
    ) -> Result<Repository<'a>, GitError> {
        let repository = Repository::new(self, remote, scratch);
        repository
            .run("init", &["init", "--quiet", "--bare", "."])
            .await?;
        let add = ["remote", "add", "origin", "--", &remote.url];
        repository.run("remote", &add).await?;
        let depth = depth.map(|depth| format!("--depth={depth}"));
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--filter=blob:none"];
        fetch.extend(depth.as_deref());
        fetch.push("origin");
        let one = [fetch.as_slice(), wanted].concat();
        if repository.run("fetch", &one).await.is_err() {
            // A server may refuse single commits.
            repository.run("fetch", &EVERYTHING).await?;
        }
        for commit in wanted {
            if !repository.has(commit).await {
                return Err(GitError::NoVersion {
                    url: remote.url.clone(),
                    version: (*commit).to_owned(),
                });
            }
        }
        Ok(repository)
    }
}

/// Reads what `git log` prints in [`FORMAT`].
fn read_log(text: &str) -> Vec<CommitInfo> {
    let fields: Vec<&str> = text.split('\0').collect();
    let commits = fields.chunks_exact(FIELDS);
    let signature = |name: &str, email: &str, date: &str| Signature {
        name: name.to_owned(),
        email: email.to_owned(),
        date: date.to_owned(),
    };
    commits
        .map(|field| CommitInfo {
            sha: field[0].trim_start().to_owned(),
            parents: field[1].split_whitespace().map(str::to_owned).collect(),
            author: signature(field[2], field[3], field[4]),
            committer: signature(field[5], field[6], field[7]),
            message: field[8].trim_end().to_owned(),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_may_have_lines() {
        let one = "a\0b c\0Ann\0ann@x\0t1\0Bob\0bob@x\0t2\0head\n\nbody\nmore\n\0\n";
        let two = "d\0\0Ann\0ann@x\0t3\0Ann\0ann@x\0t3\0first\n\0\n";
        let commits = read_log(&format!("{one}{two}"));
        assert_eq!(commits.len(), 2);
        assert_eq!(commits[0].parents, ["b", "c"]);
        assert_eq!(commits[0].committer.name, "Bob");
        assert_eq!(commits[0].message, "head\n\nbody\nmore");
        assert_eq!(
            (commits[1].sha.as_str(), commits[1].parents.len()),
            ("d", 0)
        );
        assert_eq!(read_log(""), []);
    }
}
