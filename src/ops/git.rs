//! Repositories: what their names mean, asked for once in a session, and the files of a commit.

use super::{service::Reached, world::World};
use crate::{
    error::{Error, Kind, Result},
    graph::{GitRepository, GitTree, Key, SecretRef, Tree, Value, fingerprint},
    source::{
        git::{Extent, NamedCommit, Remote},
        git_log::{CommitInfo, Range},
        git_modules::GitError,
    },
};
use nsci_snapshotter::keeper::ExportKind;
use std::{
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

/// User name that hosting services take with a token.
const TOKEN_USER: &str = "x-access-token";

/// A directory of the host that is removed again.
struct Scratch(PathBuf);

impl Scratch {
    fn new(base: &Path) -> Result<Self> {
        let mut bytes = [0_u8; 12];
        rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty())
            .map_err(|error| Error::caused(Kind::Host, "no random numbers", error))?;
        let path = base.join(format!("work-{}", hex::encode(bytes)));
        std::fs::create_dir_all(&path).map_err(|error| {
            Error::caused(
                Kind::Host,
                format!("cannot create {}", path.display()),
                error,
            )
        })?;
        Ok(Self(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is only in the way.
        std::fs::remove_dir_all(&self.0).ok();
    }
}

/// A remote, with the files that it refers to.
struct Opened {
    remote: Remote,
    _files: Vec<Scratch>,
    _service: Option<Reached>,
}

impl World {
    /// Everything that a repository names. `source` is the directory of one that has no address.
    ///
    /// # Errors
    /// If it cannot be reached.
    pub async fn git_refs(
        &self,
        repository: &GitRepository,
        source: Option<&Tree>,
    ) -> Result<Vec<NamedCommit>> {
        let key = self.repository_key(repository, source).await?;
        let cell = {
            let mut known = self.git_refs.lock().unwrap_or_else(PoisonError::into_inner);
            Arc::clone(known.entry(key).or_default())
        };
        let ask = || async {
            let opened = self.open_repository(repository, source).await?;
            let step = self.step(format!("git ls-remote {}", shown(repository)), true);
            let result = self.git.refs(&opened.remote).await;
            step.result(result.map_err(git_error))
        };
        cell.get_or_try_init(ask).await.cloned()
    }

    /// What a name of a repository means now.
    ///
    /// # Errors
    /// If there is no such name.
    pub async fn git_commit(&self, ask: &GitTree, source: Option<&Tree>) -> Result<NamedCommit> {
        let name = ask.name.as_str();
        if is_commit(name) {
            let name = name.to_ascii_lowercase();
            return Ok(NamedCommit {
                commit: name.clone(),
                name,
            });
        }
        let refs = self.git_refs(&ask.repository, source).await?;
        let full = [
            name.to_owned(),
            format!("refs/{name}"),
            format!("refs/tags/{name}"),
            format!("refs/heads/{name}"),
        ];
        let found = full
            .iter()
            .find_map(|full| refs.iter().find(|known| known.name == *full));
        found.cloned().ok_or_else(|| {
            let short = name
                .trim_start_matches("refs/heads/")
                .trim_start_matches("refs/tags/");
            let near = refs
                .iter()
                .filter_map(|known| {
                    let name = known.name.strip_prefix("refs/")?;
                    name.split_once('/').map(|(_, name)| name)
                })
                .map(|known| (strsim::damerau_levenshtein(known, short), known))
                .min()
                .filter(|(distance, _)| *distance <= 2);
            let error = Error::invalid(format!(
                "{} has no branch, tag or commit `{short}`",
                shown(&ask.repository)
            ));
            match near {
                Some((_, near)) => error.hint(format!("did you mean `{near}`?")),
                None => error.hint("short commits are not looked up; write all of it"),
            }
        })
    }

    /// Commits of a repository, newest first; those that were asked for before are remembered.
    ///
    /// # Errors
    /// If it cannot be reached or has no such commit.
    pub async fn git_history(
        &self,
        repository: &GitRepository,
        source: Option<&Tree>,
        range: &Range,
    ) -> Result<Vec<CommitInfo>> {
        let key = self.repository_key(repository, source).await?;
        let known = |commit: &str| {
            let commits = self
                .git_commits
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            commits.get(&(key.clone(), commit.to_owned())).cloned()
        };
        let is_one = range.limit == Some(1) && range.base.is_none() && range.paths.is_empty();
        if is_one && let Some(commit) = known(&range.from) {
            return Ok(vec![commit]);
        }
        let opened = self.open_repository(repository, source).await?;
        let scratch = Scratch::new(self.git.base())?;
        let step = self.step(format!("git log {}", shown(repository)), true);
        let found = self.git.history(&opened.remote, range, &scratch.0).await;
        let found = step.result(found.map_err(git_error))?;
        let mut commits = self
            .git_commits
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        for commit in &found {
            commits.insert((key.clone(), commit.sha.clone()), commit.clone());
        }
        Ok(found)
    }

    /// The newest commit that two commits of a repository are based on.
    ///
    /// # Errors
    /// If it cannot be reached, or they have nothing in common.
    pub async fn git_merge_base(
        &self,
        repository: &GitRepository,
        source: Option<&Tree>,
        one: &str,
        other: &str,
    ) -> Result<String> {
        let opened = self.open_repository(repository, source).await?;
        let scratch = Scratch::new(self.git.base())?;
        let step = self.step(format!("git merge-base {}", shown(repository)), true);
        let found = self.git.merge_base(&opened.remote, one, other, &scratch.0);
        let found = step.result(found.await.map_err(git_error))?;
        found.ok_or_else(|| {
            let name = shown(repository);
            Error::invalid(format!(
                "{one} and {other} of {name} have no commit in common"
            ))
        })
    }

    /// Names a repository by where it is, or by what it holds.
    async fn repository_key(
        &self,
        repository: &GitRepository,
        source: Option<&Tree>,
    ) -> Result<Key> {
        let content = match source {
            Some(tree) => Some(self.tree_digest(tree).await?),
            None => None,
        };
        Ok(fingerprint("git", &(repository, content)))
    }

    /// Names the files of a commit.
    pub(super) async fn git_identity(&self, ask: &GitTree) -> Result<Key> {
        let commit = self.git_commit(ask, None).await?;
        Ok(Key::of("git", [&commit.commit, &commit.name]))
    }

    /// The files of a commit.
    pub(super) async fn git_tree(&self, ask: &GitTree, source: Option<&Value>) -> Result<Value> {
        let source = match source {
            Some(Value::Directory(tree)) => Some(tree),
            _ => None,
        };
        let at = self.git_commit(ask, source).await?;
        let name = format!("git {} {}", shown(&ask.repository), ask.name);
        let step = self.step(name, false);
        let result = self.git_checkout(ask, source, &at).await;
        step.result(result)
    }

    async fn git_checkout(
        &self,
        ask: &GitTree,
        source: Option<&Tree>,
        at: &NamedCommit,
    ) -> Result<Value> {
        let opened = self.open_repository(&ask.repository, source).await?;
        let work = Scratch::new(self.git.base())?;
        let extent = Extent {
            depth: ask.depth,
            tags: ask.tags,
            discard_git_dir: ask.discard_git_dir,
        };
        let made = self
            .git
            .work_tree(&opened.remote, at, extent, &work.0)
            .await;
        made.map_err(git_error)?;
        if ask.discard_git_dir {
            remove_all_git_dirs(&work.0)?;
        } else {
            settle_git_dir(&work.0.join(".git"));
        }
        let path = work.0.display().to_string();
        let scan = self.scan_directory(&path, &[], &[], false).await?;
        let snapshot = self.import(&scan).await?;
        self.forget_host(&path);
        Ok(Value::Directory(Tree::whole(snapshot)))
    }

    async fn open_repository(
        &self,
        repository: &GitRepository,
        source: Option<&Tree>,
    ) -> Result<Opened> {
        let mut files = Vec::new();
        let mut remote = Remote {
            url: repository.url.clone(),
            ..Remote::default()
        };
        if let Some(tree) = source {
            let scratch = Scratch::new(self.git.base())?;
            let inner = format!("{}/.git", tree.path.trim_end_matches('/'));
            let target = scratch.0.join("repository.git");
            let kind = ExportKind::Dir { wipe: false };
            let exported = self
                .export(&tree.snapshot, &inner, target.clone(), kind)
                .await;
            exported.map_err(|error| {
                Error::caused(Kind::Invalid, "the directory is no git repository", error)
                    .hint("it must have a .git directory; see exclude and include patterns")
            })?;
            remote.url = target.display().to_string();
            files.push(scratch);
        }
        if let Some(token) = &repository.token {
            let user = match repository.username.as_str() {
                "" => TOKEN_USER,
                user => user,
            };
            remote.login = Some((user.to_owned(), self.secret_text(token).await?));
        }
        if let Some(header) = &repository.header {
            remote.header = Some(self.secret_text(header).await?);
        }
        remote.ssh_socket = repository
            .ssh_socket
            .as_ref()
            .map(|socket| socket.path.clone().into());
        if !repository.known_hosts.is_empty() {
            let scratch = Scratch::new(self.git.base())?;
            let path = scratch.0.join("known_hosts");
            std::fs::write(&path, &repository.known_hosts).map_err(|error| {
                Error::caused(
                    Kind::Host,
                    format!("cannot write {}", path.display()),
                    error,
                )
            })?;
            remote.known_hosts = Some(path);
            files.push(scratch);
        }
        let service = match &repository.service {
            Some(service) => Some(self.reach(service, &repository.url).await?),
            None => None,
        };
        remote.instead = service
            .as_ref()
            .map(|reached| (reached.inside.clone(), reached.outside.clone()));
        Ok(Opened {
            remote,
            _files: files,
            _service: service,
        })
    }

    async fn secret_text(&self, secret: &SecretRef) -> Result<String> {
        let value = self.client.secret(secret).await?;
        Ok(String::from_utf8_lossy(value.bytes()).trim().to_owned())
    }
}

fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The address as users may see it: without a password.
fn shown(repository: &GitRepository) -> String {
    let url = repository.url.as_str();
    if url.is_empty() {
        return "the directory".to_owned();
    }
    match url.split_once("://") {
        Some((scheme, rest)) => match rest.split_once('@') {
            Some((login, host)) if !login.contains('/') && login.contains(':') => {
                format!("{scheme}://{host}")
            }
            _ => url.to_owned(),
        },
        None => url.to_owned(),
    }
}

/// Removes what changes from one checkout to the next and no program needs.
fn settle_git_dir(git: &Path) {
    for name in ["FETCH_HEAD", "ORIG_HEAD", "hooks", "logs", "description"] {
        let path = git.join(name);
        let removed = match path.is_dir() {
            true => std::fs::remove_dir_all(&path),
            false => std::fs::remove_file(&path),
        };
        // It may not be there.
        removed.ok();
    }
}

/// Removes the `.git` of a working tree and of the submodules in it.
fn remove_all_git_dirs(tree: &Path) -> Result<()> {
    let failed = |path: &Path, error: std::io::Error| {
        Error::caused(Kind::Host, format!("cannot tidy {}", path.display()), error)
    };
    let entries = std::fs::read_dir(tree).map_err(|error| failed(tree, error))?;
    for entry in entries {
        let entry = entry.map_err(|error| failed(tree, error))?;
        let (path, kind) = (entry.path(), entry.file_type());
        let kind = kind.map_err(|error| failed(&path, error))?;
        if entry.file_name() == ".git" {
            let removed = match kind.is_dir() {
                true => std::fs::remove_dir_all(&path),
                false => std::fs::remove_file(&path),
            };
            removed.map_err(|error| failed(&path, error))?;
        } else if kind.is_dir() {
            remove_all_git_dirs(&path)?;
        }
    }
    Ok(())
}

fn git_error(error: GitError) -> Error {
    let (kind, hint) = match &error {
        GitError::NoVersion { .. } => (Kind::Invalid, "check the branch, tag or commit"),
        GitError::Start(_) => (
            Kind::Host,
            "install git: sources and modules from repositories need it",
        ),
        GitError::Disk { .. } => (Kind::Host, "check the disk and its permissions"),
        _ => (
            Kind::Outside,
            "`git ls-remote URL` in your shell shows the same; private repositories need credentials",
        ),
    };
    let text = error.to_string();
    match std::error::Error::source(&error) {
        Some(_) => Error::caused(kind, text, error).hint(hint),
        None => Error::new(kind, text).hint(hint),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_not_shown() {
        for (url, want) in [
            ("https://u:p@host/r", "https://host/r"),
            ("https://host/r", "https://host/r"),
            ("ssh://git@host/r", "ssh://git@host/r"),
            ("git@host:o/r", "git@host:o/r"),
            ("", "the directory"),
        ] {
            let repository = GitRepository {
                url: url.into(),
                ..GitRepository::default()
            };
            assert_eq!(shown(&repository), want);
        }
    }
}
