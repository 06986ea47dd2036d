//! Modules from git: the user's own `git` fetches one commit, whose files become a directory of the host.
//!
//! Using the user's program means using their credentials, ssh agent, proxies and `insteadOf` rules. A commit is
//! fetched once and kept; branches and tags are asked for each time they are resolved.

use std::{
    collections::HashMap,
    fs, io,
    path::{Path, PathBuf},
    process::{Output, Stdio},
};

use tokio::process::Command;

/// Why a repository cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GitError {
    /// The program cannot be started.
    #[error("cannot run git")]
    Start(#[source] io::Error),
    /// It failed.
    #[error("git {what} failed for {url}: {said}")]
    Failed {
        /// What was asked of it.
        what: &'static str,
        /// The repository.
        url: String,
        /// What it said.
        said: String,
    },
    /// The repository has no such version.
    #[error("{url} has no branch, tag or commit `{version}`")]
    NoVersion {
        /// The repository.
        url: String,
        /// What was looked for.
        version: String,
    },
    /// Its place on disk cannot be used.
    #[error("cannot keep a repository in {path}")]
    Disk {
        /// Where.
        path: PathBuf,
        /// Cause.
        source: io::Error,
    },
}

/// A commit's files on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkout {
    /// The commit.
    pub commit: String,
    /// Its files.
    pub root: PathBuf,
}

/// Fetches and keeps repositories below one directory.
#[derive(Debug, Clone)]
pub struct GitModules {
    base: PathBuf,
    env: HashMap<String, String>,
}

impl GitModules {
    /// Keeps repositories in `base`; `env` is the user's environment, which git is run in.
    pub fn new(base: PathBuf, env: HashMap<String, String>) -> Self {
        Self { base, env }
    }

    /// The commit that the first of these versions names that the repository has.
    ///
    /// # Errors
    /// If git fails or there is none.
    pub async fn resolve(&self, url: &str, candidates: &[String]) -> Result<String, GitError> {
        if let [only] = candidates
            && is_commit(only)
        {
            return Ok(only.clone());
        }
        let listed = self
            .git(url, "ls-remote", &["ls-remote", "--", url])
            .await?;
        let text = String::from_utf8_lossy(&listed.stdout).into_owned();
        let refs: HashMap<&str, &str> = text
            .lines()
            .filter_map(|line| line.split_once('\t'))
            .map(|(commit, name)| (name, commit))
            .collect();
        let known = |version: &String| {
            // What an annotated tag points at comes before the tag itself.
            let names = [
                format!("refs/tags/{version}^{{}}"),
                format!("refs/tags/{version}"),
                format!("refs/heads/{version}"),
                version.clone(),
            ];
            names.iter().find_map(|name| refs.get(name.as_str()))
        };
        if let Some(commit) = candidates.iter().find_map(known) {
            return Ok((*commit).to_owned());
        }
        let version = candidates.last().cloned().unwrap_or_default();
        let is_short = version.len() >= 7 && version.bytes().all(|b| b.is_ascii_hexdigit());
        if is_short {
            let repository = self.repository(url).await?;
            self.fetch_all(url, &repository).await?;
            let name = format!("{version}^{{commit}}");
            let at = repository.display().to_string();
            let args = ["--git-dir", &at, "rev-parse", "--verify", "--quiet", &name];
            if let Ok(found) = self.git(url, "rev-parse", &args).await {
                return Ok(String::from_utf8_lossy(&found.stdout).trim().to_owned());
            }
        }
        Err(GitError::NoVersion {
            url: url.to_owned(),
            version,
        })
    }

    /// The files of a commit.
    ///
    /// # Errors
    /// If git fails or the disk does.
    pub async fn checkout(&self, url: &str, commit: &str) -> Result<Checkout, GitError> {
        let root = self
            .base
            .join("trees")
            .join(format!("{}-{commit}", name(url)));
        let done = Checkout {
            commit: commit.to_owned(),
            root: root.clone(),
        };
        if root.is_dir() {
            return Ok(done);
        }
        let repository = self.repository(url).await?;
        let at = repository.display().to_string();
        let has = format!("{commit}^{{commit}}");
        let present = ["--git-dir", &at, "cat-file", "-e", &has];
        if self.git(url, "cat-file", &present).await.is_err() {
            let one = [
                "--git-dir",
                &at,
                "fetch",
                "--quiet",
                "--depth=1",
                "--no-tags",
                "--",
                url,
                commit,
            ];
            // Servers may refuse to give single commits away.
            if self.git(url, "fetch", &one).await.is_err() {
                self.fetch_all(url, &repository).await?;
            }
            self.git(url, "cat-file", &present)
                .await
                .map_err(|_| GitError::NoVersion {
                    url: url.to_owned(),
                    version: commit.to_owned(),
                })?;
        }
        let disk = |source| GitError::Disk {
            path: root.clone(),
            source,
        };
        let parent = root.parent().unwrap_or(&self.base);
        fs::create_dir_all(parent).map_err(disk)?;
        let making = parent.join(format!(".{}-{}", std::process::id(), &commit[..12]));
        fs::create_dir_all(&making).map_err(disk)?;
        let tree = making.display().to_string();
        let index = making.with_extension("index");
        let args = [
            "--git-dir",
            &at,
            "--work-tree",
            &tree,
            "checkout",
            "--force",
            "--quiet",
            commit,
            "--",
            ".",
        ];
        let mut command = self.command(&args);
        command.env("GIT_INDEX_FILE", &index);
        let made = output(url, "checkout", command).await;
        remove(&index);
        if let Err(error) = made {
            remove(&making);
            return Err(error);
        }
        match fs::rename(&making, &root) {
            Ok(()) => {}
            // Another process was faster; equal commits have equal files.
            Err(_) if root.is_dir() => remove(&making),
            Err(source) => return Err(disk(source)),
        }
        Ok(done)
    }

    async fn fetch_all(&self, url: &str, repository: &Path) -> Result<(), GitError> {
        let at = repository.display().to_string();
        let args = [
            "--git-dir",
            &at,
            "fetch",
            "--quiet",
            "--force",
            "--tags",
            "--",
            url,
            "+refs/heads/*:refs/heads/*",
        ];
        self.git(url, "fetch", &args).await.map(drop)
    }

    /// The bare repository that objects of `url` are kept in.
    async fn repository(&self, url: &str) -> Result<PathBuf, GitError> {
        let path = self.base.join(format!("{}.git", name(url)));
        if !path.join("HEAD").is_file() {
            fs::create_dir_all(&self.base).map_err(|source| GitError::Disk {
                path: self.base.clone(),
                source,
            })?;
            let at = path.display().to_string();
            self.git(url, "init", &["init", "--quiet", "--bare", "--", &at])
                .await?;
        }
        Ok(path)
    }

    /// Whether the user's environment has a variable.
    pub(super) fn has_env(&self, name: &str) -> bool {
        self.env.contains_key(name)
    }

    /// Where repositories are kept.
    pub fn base(&self) -> &Path {
        &self.base
    }

    pub(super) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command
            .args(["-c", "advice.detachedHead=false", "-c", "gc.auto=0"])
            .args(args)
            .env_clear()
            .envs(&self.env)
            .env("GIT_TERMINAL_PROMPT", "0")
            .stdin(Stdio::null())
            .kill_on_drop(true);
        for name in ["GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"] {
            command.env_remove(name);
        }
        command
    }

    async fn git(&self, url: &str, what: &'static str, args: &[&str]) -> Result<Output, GitError> {
        output(url, what, self.command(args)).await
    }
}

pub(super) async fn output(
    url: &str,
    what: &'static str,
    mut command: Command,
) -> Result<Output, GitError> {
    let output = command.output().await.map_err(GitError::Start)?;
    if output.status.success() {
        return Ok(output);
    }
    Err(GitError::Failed {
        what,
        url: url.to_owned(),
        said: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
    })
}

/// Removes what is no longer needed; what cannot be removed is only in the way.
fn remove(path: &Path) {
    let removed = if path.is_dir() {
        fs::remove_dir_all(path)
    } else {
        fs::remove_file(path)
    };
    removed.ok();
}

/// Whether a text is a commit in full.
fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// A repository's name on disk.
fn name(url: &str) -> String {
    blake3::hash(url.as_bytes()).to_hex()[..24].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(directory: &Path, args: &[&str]) -> String {
        let output = std::process::Command::new("git")
            .args([
                "-c",
                "user.name=t",
                "-c",
                "user.email=t@example.org",
                "-c",
                "init.defaultBranch=main",
            ])
            .args(args)
            .current_dir(directory)
            .output()
            .expect("git is installed");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }

    fn runtime() -> tokio::runtime::Runtime {
        tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("can start")
    }

    #[test]
    fn versions_are_resolved_and_their_files_kept() {
        let dir = tempfile::tempdir().expect("can create");
        let work = dir.path().join("work");
        fs::create_dir_all(work.join("sub")).expect("can create");
        git(&work, &["init", "--quiet"]);
        fs::write(work.join("sub/a"), "one").expect("can write");
        git(&work, &["add", "."]);
        git(&work, &["commit", "--quiet", "-m", "one"]);
        git(&work, &["tag", "-a", "sub/v1", "-m", "first"]);
        let first = git(&work, &["rev-parse", "HEAD"]);
        fs::write(work.join("sub/a"), "two").expect("can write");
        git(&work, &["commit", "--quiet", "-am", "two"]);
        let second = git(&work, &["rev-parse", "HEAD"]);
        let url = format!("file://{}", work.display());
        let env = std::env::vars().collect();
        let modules = GitModules::new(dir.path().join("kept"), env);
        runtime().block_on(async {
            for (candidates, wanted) in [
                (vec!["sub/v1".to_owned(), "v1".to_owned()], &first),
                (vec!["HEAD".to_owned()], &second),
                (vec!["main".to_owned()], &second),
                (vec![first[..9].to_owned()], &first),
            ] {
                let found = modules.resolve(&url, &candidates).await.expect("is there");
                assert_eq!(&found, wanted, "{candidates:?}");
            }
            let missing = modules.resolve(&url, &["v9".to_owned()]).await;
            assert!(
                matches!(missing, Err(GitError::NoVersion { .. })),
                "{missing:?}"
            );
            for (commit, text) in [(&first, "one"), (&second, "two"), (&first, "one")] {
                let made = modules
                    .checkout(&url, commit)
                    .await
                    .expect("can be fetched");
                assert_eq!(
                    fs::read_to_string(made.root.join("sub/a")).expect("is there"),
                    text
                );
                assert!(!made.root.join(".git").exists());
            }
            let none = modules.checkout(&url, &"0".repeat(40)).await;
            assert!(matches!(none, Err(GitError::NoVersion { .. })), "{none:?}");
        });
    }
}
