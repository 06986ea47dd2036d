//! References to modules: `./path`, `github.com/owner/repo/sub@v1.2.0`, `git@host:owner/repo.git/sub`,
//! `https://host/owner/repo#v1.2.0:sub`.
//!
//! Main type: [`ModuleReference`]. Reading one is pure text work; whether the path or the repository exists is
//! for others to find out.

use std::fmt;

/// A reference to a module, as users and configurations write it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ModuleReference {
    /// Directory of this host, relative to where the reference stands.
    Local(String),
    /// Directory of a git repository.
    Git(GitReference),
}

/// A directory of a git repository at some version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GitReference {
    /// What `git` is told to clone, without the directory.
    pub url: String,
    /// Directory of the module in the repository; empty for its root.
    pub subpath: String,
    /// Branch, tag or commit; `None` is the default branch.
    pub version: Option<String>,
    /// The reference without version, as users write it.
    pub address: String,
}

/// Hosts whose repositories are always two levels below them.
const TWO_LEVELS: [&str; 4] = ["github.com", "bitbucket.org", "gitea.com", "codeberg.org"];

/// Text that is no reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no module reference: {why}")]
pub struct InvalidReference {
    text: String,
    why: &'static str,
}

impl ModuleReference {
    /// Reads a reference.
    ///
    /// Whatever begins with a scheme, `git@`, or a name with a dot that is followed by a path is a repository;
    /// anything else is a path. `is_directory` breaks the tie for paths such as `example.com/module`.
    ///
    /// # Errors
    /// If it is empty or names no repository.
    pub fn parse(text: &str, is_directory: bool) -> Result<Self, InvalidReference> {
        let invalid = |why| InvalidReference {
            text: text.to_owned(),
            why,
        };
        if text.trim().is_empty() {
            return Err(invalid("it is empty"));
        }
        let path = text
            .strip_prefix("file://")
            .filter(|_| !text.contains(".git"));
        if let Some(path) = path {
            return Ok(Self::Local(path.to_owned()));
        }
        if is_directory || !looks_remote(text) {
            return Ok(Self::Local(text.to_owned()));
        }
        if let Some((url, fragment)) = text.split_once('#') {
            return GitReference::with_fragment(url, fragment)
                .map(Self::Git)
                .ok_or_else(|| invalid("it has no repository before the `#`"));
        }
        let (address, version) = split_version(text);
        let (base, rest) = match address.split_once("://") {
            Some((scheme, rest)) => (format!("{scheme}://"), rest),
            None if user_part(address).is_some() => (String::new(), address),
            None => ("https://".to_owned(), address),
        };
        let (repository, subpath) =
            split_repository(rest).ok_or_else(|| invalid("it has no repository after the host"))?;
        Ok(Self::Git(GitReference {
            url: format!("{base}{repository}"),
            subpath: subpath.trim_matches('/').to_owned(),
            version: version
                .filter(|version| !version.is_empty())
                .map(str::to_owned),
            address: address.trim_end_matches('/').to_owned(),
        }))
    }
}

impl GitReference {
    /// `URL#VERSION:DIRECTORY`, as directories of repositories are named.
    fn with_fragment(url: &str, fragment: &str) -> Option<Self> {
        let (version, subpath) = fragment.split_once(':').unwrap_or((fragment, ""));
        let subpath = subpath.trim_matches('/');
        let url = url.trim_end_matches('/');
        let is_whole = url.contains("://") || user_part(url).is_some();
        let url = if is_whole {
            url.to_owned()
        } else {
            format!("https://{url}")
        };
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        split_repository(rest)?;
        // The same with `@`, which must lead to the same repository.
        let joined = |rest: &str| format!("{rest}/{subpath}");
        let is_plain = split_repository(&joined(rest)).is_some_and(|(repository, below)| {
            repository == rest && below.trim_matches('/') == subpath
        });
        let address = match (subpath.is_empty(), is_plain) {
            (true, _) => url.clone(),
            (false, true) => joined(&url),
            (false, false) => joined(&format!("{url}.git")),
        };
        Some(Self {
            url,
            subpath: subpath.to_owned(),
            version: Some(version)
                .filter(|version| !version.is_empty())
                .map(str::to_owned),
            address,
        })
    }

    /// The commit, if the version is one in full.
    pub fn commit(&self) -> Option<&str> {
        self.version.as_deref().filter(|version| is_commit(version))
    }

    /// Versions to try, the most telling one first: `subpath/v1.2.0` is how several modules of one repository are tagged.
    pub fn candidates(&self) -> Vec<String> {
        match &self.version {
            None => vec!["HEAD".to_owned()],
            Some(version) if self.subpath.is_empty() || is_commit(version) => vec![version.clone()],
            Some(version) => vec![format!("{}/{version}", self.subpath), version.clone()],
        }
    }
}

impl fmt::Display for GitReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.address)?;
        match &self.version {
            Some(version) => write!(f, "@{version}"),
            None => Ok(()),
        }
    }
}

impl fmt::Display for ModuleReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Local(path) => f.write_str(path),
            Self::Git(git) => git.fmt(f),
        }
    }
}

/// Whether a text is a commit in full.
pub fn is_commit(text: &str) -> bool {
    matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn looks_remote(text: &str) -> bool {
    if text.contains("://") || user_part(text).is_some() {
        return true;
    }
    let Some((host, rest)) = text.split_once('/') else {
        return false;
    };
    let is_host = host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    is_host && !rest.is_empty()
}

/// `git` of `git@host:path`.
fn user_part(text: &str) -> Option<&str> {
    let (user, rest) = text.split_once('@')?;
    let is_user = !user.is_empty() && user.bytes().all(|b| b.is_ascii_alphanumeric());
    (is_user && rest.contains(':') && !rest.starts_with(':')).then_some(user)
}

/// The version behind the last `@` of the path.
fn split_version(text: &str) -> (&str, Option<&str>) {
    let path_start = match text.find("://") {
        Some(at) => text[at + 3..]
            .find('/')
            .map_or(text.len(), |slash| at + 3 + slash),
        None if user_part(text).is_some() => text.find(':').unwrap_or(0),
        None => text.find('/').unwrap_or(0),
    };
    match text[path_start..].rfind('@') {
        Some(at) => (&text[..path_start + at], Some(&text[path_start + at + 1..])),
        None => (text, None),
    }
}

/// Repository and directory in it; `rest` begins with the host, or is an absolute path.
fn split_repository(rest: &str) -> Option<(String, String)> {
    if let Some(at) = rest.find(".git").filter(|at| {
        let end = at + 4;
        rest.len() == end || rest[end..].starts_with('/')
    }) {
        return Some((rest[..at + 4].to_owned(), rest[at + 4..].to_owned()));
    }
    if rest.starts_with('/') {
        return Some((rest.to_owned(), String::new()));
    }
    let scp = rest
        .find(':')
        .filter(|at| !rest[..*at].contains('/') && rest.contains('@'));
    let (host, path) = match scp {
        Some(at) => (&rest[..=at], &rest[at + 1..]),
        None => {
            let at = rest.find('/')?;
            (&rest[..=at], &rest[at + 1..])
        }
    };
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let name = host.trim_end_matches(['/', ':']);
    let name = name.rsplit('@').next().unwrap_or(name);
    let levels = if TWO_LEVELS.contains(&name) || scp.is_some() || parts.len() > 2 {
        2
    } else {
        parts.len()
    };
    if parts.is_empty() || parts.len() < levels {
        return None;
    }
    Some((
        format!("{host}{}", parts[..levels].join("/")),
        parts[levels..].join("/"),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_told_from_paths() {
        for (text, wanted) in [
            ("github.com/x/y", ("https://github.com/x/y", "", None)),
            (
                "github.com/x/y/a/b@v1.2.0",
                ("https://github.com/x/y", "a/b", Some("v1.2.0")),
            ),
            (
                "https://github.com/x/y.git/a@main",
                ("https://github.com/x/y.git", "a", Some("main")),
            ),
            (
                "git@github.com:x/y/a@v1",
                ("git@github.com:x/y", "a", Some("v1")),
            ),
            ("git@host.org:x/y.git", ("git@host.org:x/y.git", "", None)),
            (
                "ssh://git@host.org/x/y.git/a",
                ("ssh://git@host.org/x/y.git", "a", None),
            ),
            (
                "file:///srv/repo.git/sub@0.1",
                ("file:///srv/repo.git", "sub", Some("0.1")),
            ),
            (
                "http://127.0.0.1:80/r.git/m@a/v1",
                ("http://127.0.0.1:80/r.git", "m", Some("a/v1")),
            ),
        ] {
            let ModuleReference::Git(git) = ModuleReference::parse(text, false).expect("is one")
            else {
                panic!("{text} is taken for a path");
            };
            let version = git.version.as_deref();
            assert_eq!(
                (git.url.as_str(), git.subpath.as_str(), version),
                wanted,
                "{text}"
            );
            assert_eq!(git.to_string(), text.trim_end_matches('/'));
        }
        for path in [
            ".",
            "./x",
            "../a@b",
            "ci",
            "/abs/x.y/z",
            "sub/dir",
            "./a.b/c",
        ] {
            let parsed = ModuleReference::parse(path, false).expect("is one");
            assert_eq!(parsed, ModuleReference::Local(path.into()), "{path}");
        }
        let tie = ModuleReference::parse("example.com/ci", true).expect("is one");
        assert_eq!(tie, ModuleReference::Local("example.com/ci".into()));
        assert!(ModuleReference::parse("", false).is_err());
        assert!(ModuleReference::parse("github.com/x", false).is_err());
    }

    #[test]
    fn fragments_name_version_and_directory() {
        for (text, wanted) in [
            (
                "https://host.org/x/y#main:a/b",
                (
                    "https://host.org/x/y",
                    "a/b",
                    Some("main"),
                    "https://host.org/x/y/a/b@main",
                ),
            ),
            (
                "https://github.com/x/y#v1:a",
                (
                    "https://github.com/x/y",
                    "a",
                    Some("v1"),
                    "https://github.com/x/y/a@v1",
                ),
            ),
            (
                "github.com/x/y#v1",
                (
                    "https://github.com/x/y",
                    "",
                    Some("v1"),
                    "https://github.com/x/y@v1",
                ),
            ),
            (
                "git@host.org:x/y.git#:a/",
                ("git@host.org:x/y.git", "a", None, "git@host.org:x/y.git/a"),
            ),
            (
                "git://127.0.0.1:80/repo#main:m",
                (
                    "git://127.0.0.1:80/repo",
                    "m",
                    Some("main"),
                    "git://127.0.0.1:80/repo.git/m@main",
                ),
            ),
        ] {
            let Ok(ModuleReference::Git(git)) = ModuleReference::parse(text, false) else {
                panic!("{text} is no repository");
            };
            let shown = git.to_string();
            let found = (
                git.url.as_str(),
                git.subpath.as_str(),
                git.version.as_deref(),
                shown.as_str(),
            );
            assert_eq!(found, wanted, "{text}");
        }
        assert!(ModuleReference::parse("https://#main", false).is_err());
    }

    #[test]
    fn tags_of_the_directory_come_first() {
        let ModuleReference::Git(git) =
            ModuleReference::parse("github.com/x/y/a@v1", false).expect("is one")
        else {
            panic!("is a path");
        };
        assert_eq!(git.candidates(), ["a/v1", "v1"]);
        let sha = "0123456789012345678901234567890123456789";
        let pinned = format!("github.com/x/y/a@{sha}");
        let Ok(ModuleReference::Git(git)) = ModuleReference::parse(&pinned, false) else {
            panic!("is a path");
        };
        assert_eq!(
            (git.commit(), git.candidates()),
            (Some(sha), vec![sha.to_owned()])
        );
    }
}
