//! Repositories for pipelines: what they offer, and working trees with their history.
//!
//! Run by the user's own `git`, like [modules](super::git_modules): what works in their shell works here. Credentials
//! that a pipeline gives go to the process in its environment, never on a command line and never to disk.

use super::git_modules::{GitError, GitModules, output};
use base64::Engine as _;
use std::path::{Path, PathBuf};
use tokio::process::Command;

/// Fetches every branch and tag.
pub(super) const EVERYTHING: [&str; 5] = [
    "fetch",
    "--quiet",
    "--tags",
    "origin",
    "+refs/heads/*:refs/remotes/origin/*",
];

/// A repository and how to get in.
#[derive(Clone, Default)]
pub struct Remote {
    /// Its address.
    pub url: String,
    /// User name for HTTP, with the password; without, the user's own credentials serve.
    pub login: Option<(String, String)>,
    /// Value of the `Authorization` header.
    pub header: Option<String>,
    /// Socket of an ssh agent.
    pub ssh_socket: Option<PathBuf>,
    /// A known-hosts file: what it does not list is refused.
    pub known_hosts: Option<PathBuf>,
    /// What addresses begin with, and what git asks instead of it.
    pub instead: Option<(String, String)>,
}

impl std::fmt::Debug for Remote {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Remote")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// A name of a repository and the commit behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedCommit {
    /// `HEAD`, `refs/heads/…`, `refs/tags/…`, or the commit itself.
    pub name: String,
    /// The commit.
    pub commit: String,
}

/// How much of a repository a working tree has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Commits of history; 0 for all.
    pub depth: u32,
    /// Whether all tags come along.
    pub tags: bool,
    /// Whether there is no `.git` in it.
    pub discard_git_dir: bool,
}

impl GitModules {
    /// Everything that a repository names, `HEAD` first. Annotated tags are those of the commits they point at.
    ///
    /// # Errors
    /// If git fails.
    pub async fn refs(&self, remote: &Remote) -> Result<Vec<NamedCommit>, GitError> {
        let command = self.authorized(remote, &["ls-remote", "--", &remote.url]);
        let listed = output(&remote.url, "ls-remote", command).await?;
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        Ok(read_refs(&text))
    }

    /// Writes a working tree of `at` into `target`, which is empty.
    ///
    /// # Errors
    /// If git fails.
    pub async fn work_tree(
        &self,
        remote: &Remote,
        at: &NamedCommit,
        extent: Extent,
        target: &Path,
    ) -> Result<(), GitError> {
        let url = remote.url.as_str();
        let tree = Repository::new(self, remote, target);
        tree.run(
            "init",
            &["-c", "init.defaultBranch=main", "init", "--quiet", "."],
        )
        .await?;
        tree.run("remote", &["remote", "add", "origin", "--", url])
            .await?;
        let depth = format!("--depth={}", extent.depth);
        let mut fetch = vec!["fetch", "--quiet", "--no-tags", "--update-head-ok"];
        if extent.depth > 0 {
            fetch.push(&depth);
        }
        let branch = at.name.strip_prefix("refs/heads/");
        let wanted = match branch {
            Some(branch) => format!("+{}:refs/remotes/origin/{branch}", at.name),
            None if at.name.starts_with("refs/tags/") => format!("+{0}:{0}", at.name),
            None => at.commit.clone(),
        };
        let one = [fetch.as_slice(), &["origin", &wanted]].concat();
        if tree.run("fetch", &one).await.is_err() || !tree.has(&at.commit).await {
            // A server may refuse single commits, and a branch may have moved on meanwhile.
            tree.run("fetch", &EVERYTHING).await?;
        }
        if extent.tags {
            let mut tags = vec!["fetch", "--quiet", "--tags"];
            if extent.depth > 0 {
                tags.push(&depth);
            }
            tree.run("fetch", &[tags.as_slice(), &["origin"]].concat())
                .await?;
        }
        let checkout = match branch {
            Some(branch) => vec!["checkout", "--quiet", "-B", branch, at.commit.as_str()],
            None => vec!["checkout", "--quiet", "--detach", at.commit.as_str()],
        };
        tree.run("checkout", &checkout)
            .await
            .map_err(|error| match error {
                GitError::Failed { said, .. }
                    if said.contains("not a tree") || said.contains("unable to read tree") =>
                {
                    GitError::NoVersion {
                        url: url.to_owned(),
                        version: at.commit.clone(),
                    }
                }
                other => other,
            })?;
        let modules = target.join(".gitmodules");
        if modules.is_file() {
            let mut update = vec!["submodule", "update", "--quiet", "--init", "--recursive"];
            if extent.depth > 0 {
                update.push(&depth);
            }
            tree.run("submodule", &update).await?;
        }
        Ok(())
    }

    /// `git` with a remote's credentials.
    fn authorized(&self, remote: &Remote, args: &[&str]) -> Command {
        let mut command = self.command(args);
        let mut config: Vec<(&str, String)> = Vec::new();
        if let Some((user, password)) = &remote.login {
            let pair =
                base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
            config.push(("http.extraHeader", format!("Authorization: Basic {pair}")));
        }
        if let Some(header) = &remote.header {
            config.push(("http.extraHeader", format!("Authorization: {header}")));
        }
        if !config.is_empty() {
            // The user's own helpers must neither answer instead nor learn these.
            config.push(("credential.helper", String::new()));
        }
        let instead = remote.instead.as_ref();
        let instead_key = instead.map(|(_, outside)| format!("url.{outside}.insteadOf"));
        if let (Some(key), Some((inside, _))) = (&instead_key, instead) {
            config.push((key, inside.clone()));
        }
        command.env("GIT_CONFIG_COUNT", config.len().to_string());
        for (at, (key, value)) in config.iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{at}"), key);
            command.env(format!("GIT_CONFIG_VALUE_{at}"), value);
        }
        if let Some(socket) = &remote.ssh_socket {
            command.env("SSH_AUTH_SOCK", socket);
        }
        if let Some(known) = &remote.known_hosts {
            let file = known.display().to_string().replace('\'', "'\\''");
            command.env(
                "GIT_SSH_COMMAND",
                format!("ssh -o BatchMode=yes -o StrictHostKeyChecking=yes -o 'UserKnownHostsFile={file}'"),
            );
        } else if !self.has_env("GIT_SSH_COMMAND") && !self.has_env("GIT_SSH") {
            // Nobody is there to answer a question.
            command.env("GIT_SSH_COMMAND", "ssh -o BatchMode=yes");
        }
        command
    }
}

/// A repository in a directory, while it is made.
#[derive(Debug)]
pub(super) struct Repository<'a> {
    git: &'a GitModules,
    remote: &'a Remote,
    target: &'a Path,
}

impl<'a> Repository<'a> {
    pub(super) fn new(git: &'a GitModules, remote: &'a Remote, target: &'a Path) -> Self {
        Self {
            git,
            remote,
            target,
        }
    }

    /// Runs git in it.
    pub(super) async fn run(
        &self,
        what: &'static str,
        args: &[&str],
    ) -> Result<std::process::Output, GitError> {
        let mut command = self.git.authorized(self.remote, args);
        command.current_dir(self.target);
        output(&self.remote.url, what, command).await
    }

    /// Whether it has a commit.
    pub(super) async fn has(&self, commit: &str) -> bool {
        let name = format!("{commit}^{{commit}}");
        self.run("cat-file", &["cat-file", "-e", &name])
            .await
            .is_ok()
    }
}

/// Reads what `ls-remote` prints.
fn read_refs(text: &str) -> Vec<NamedCommit> {
    let mut refs: Vec<NamedCommit> = Vec::new();
    for line in text.lines() {
        let Some((commit, name)) = line.split_once('\t') else {
            continue;
        };
        match name.strip_suffix("^{}") {
            // What an annotated tag points at; it follows the tag.
            Some(tag) => {
                for known in refs.iter_mut().filter(|known| known.name == tag) {
                    commit.clone_into(&mut known.commit);
                }
            }
            None => refs.push(NamedCommit {
                name: name.to_owned(),
                commit: commit.to_owned(),
            }),
        }
    }
    refs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn annotated_tags_are_the_commits_behind_them() {
        let text = "a\tHEAD\nb\trefs/heads/main\nc\trefs/tags/v1\nd\trefs/tags/v1^{}\n";
        let refs = read_refs(text);
        let found: Vec<_> = refs
            .iter()
            .map(|r| (r.name.as_str(), r.commit.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("HEAD", "a"),
                ("refs/heads/main", "b"),
                ("refs/tags/v1", "d")
            ]
        );
    }
}
