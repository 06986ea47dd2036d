//! Names of images: `alpine`, `ghcr.io/a/b:tag@sha256:…`, `oci:path:tag` and the like.
//!
//! [`ImageRef::parse`] is the entry; [`Reference`] is the part that names something in a registry. The
//! parser is written by hand because the usual regular expression costs 27 ms to compile per process.
//! It never asks a registry whether a name exists.
//!
//! # References
//! - [distribution/reference grammar](https://github.com/distribution/reference/blob/v0.6.0/reference.go)
//! - [containers-transports(5)](https://github.com/containers/image/blob/main/docs/containers-transports.5.md)

use std::fmt;
use std::str::FromStr;

use oci_spec::image::Digest;

/// Host that short names belong to.
pub const DOCKER_HUB: &str = "docker.io";
const MAX_NAME: usize = 255;
const MAX_TAG: usize = 128;

/// Why a reference was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{input}` is not an image reference: {reason}")]
pub struct ParseError {
    /// What was given.
    pub input: String,
    /// What is wrong with it.
    pub reason: String,
}

/// An image in a registry: host, repository, and a tag, a digest or both.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Reference {
    registry: String,
    repository: String,
    tag: Option<String>,
    digest: Option<Digest>,
}

impl Reference {
    /// Parses a name the way Docker does: `busybox` is `docker.io/library/busybox:latest`.
    ///
    /// # Errors
    /// [`ParseError`] says which part is wrong.
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        parse_reference(input).map_err(|reason| ParseError {
            input: input.to_owned(),
            reason,
        })
    }

    /// Host with optional port, such as `docker.io` or `localhost:5000`.
    #[must_use]
    pub fn registry(&self) -> &str {
        &self.registry
    }

    /// Path within the registry, such as `library/busybox`.
    #[must_use]
    pub fn repository(&self) -> &str {
        &self.repository
    }

    /// Tag; `latest` when neither a tag nor a digest was given.
    #[must_use]
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// Digest, if the reference is pinned.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        self.digest.as_ref()
    }

    /// What to ask the registry for: the digest when there is one, else the tag.
    #[must_use]
    pub fn target(&self) -> &str {
        match (&self.digest, &self.tag) {
            (Some(digest), _) => digest.as_ref(),
            (None, Some(tag)) => tag,
            (None, None) => "latest",
        }
    }

    /// `host/repository`, without tag and digest.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}/{}", self.registry, self.repository)
    }

    /// The same image pinned to `digest`; the tag stays for people to read.
    #[must_use]
    pub fn with_digest(&self, digest: Digest) -> Self {
        Self {
            digest: Some(digest),
            ..self.clone()
        }
    }

    /// The same repository at another tag, no longer pinned.
    ///
    /// # Errors
    /// [`ParseError`] if `tag` is not a tag.
    pub fn with_tag(&self, tag: &str) -> Result<Self, ParseError> {
        check_tag(tag).map_err(|reason| ParseError {
            input: tag.to_owned(),
            reason,
        })?;
        Ok(Self {
            tag: Some(tag.to_owned()),
            digest: None,
            ..self.clone()
        })
    }
}

impl fmt::Display for Reference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

impl FromStr for Reference {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

/// Where an image lies that is not in a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Transport {
    /// `oci:DIR[:NAME]`, an OCI layout directory.
    Oci,
    /// `oci-archive:FILE[:NAME]`, the same in a tar.
    OciArchive,
    /// `docker-archive:FILE[:NAME]`, what `docker save` writes.
    DockerArchive,
    /// `docker-daemon:NAME`, the local Docker.
    DockerDaemon,
    /// `containers-storage:NAME`, the local podman or buildah.
    ContainersStorage,
    /// `dir:DIR`, loose files as skopeo writes them.
    Dir,
}

impl Transport {
    const ALL: [Self; 6] = [
        Self::Oci,
        Self::OciArchive,
        Self::DockerArchive,
        Self::DockerDaemon,
        Self::ContainersStorage,
        Self::Dir,
    ];

    /// Name before the colon.
    #[must_use]
    pub fn prefix(self) -> &'static str {
        match self {
            Self::Oci => "oci",
            Self::OciArchive => "oci-archive",
            Self::DockerArchive => "docker-archive",
            Self::DockerDaemon => "docker-daemon",
            Self::ContainersStorage => "containers-storage",
            Self::Dir => "dir",
        }
    }
}

impl fmt::Display for Transport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.prefix())
    }
}

/// Anything `from` accepts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ImageRef {
    /// In a registry.
    Registry(Reference),
    /// Somewhere skopeo can read.
    Transport {
        /// Kind of place.
        transport: Transport,
        /// What follows the colon, as given.
        location: String,
    },
}

impl ImageRef {
    /// Parses a reference with or without a transport; `docker://` means a registry.
    ///
    /// A transport wins over a repository of the same name: `oci:x` is a directory, not the image
    /// `oci` tagged `x`; the latter can be written `docker.io/library/oci:x`.
    ///
    /// # Errors
    /// [`ParseError`] says which part is wrong.
    pub fn parse(input: &str) -> Result<Self, ParseError> {
        let refuse = |reason: String| ParseError {
            input: input.to_owned(),
            reason,
        };
        let trimmed = input.trim();
        if let Some(rest) = trimmed.strip_prefix("docker://") {
            return parse_reference(rest).map(Self::Registry).map_err(refuse);
        }
        if let Some((head, location)) = trimmed.split_once(':')
            && let Some(transport) = Transport::ALL.into_iter().find(|t| t.prefix() == head)
        {
            if location.is_empty() {
                return Err(refuse(format!("nothing follows `{head}:`")));
            }
            return Ok(Self::Transport {
                transport,
                location: location.to_owned(),
            });
        }
        if let Some((scheme, _)) = trimmed.split_once("://") {
            return Err(refuse(format!(
                "`{scheme}://` is not a transport; write the host without it"
            )));
        }
        parse_reference(trimmed).map(Self::Registry).map_err(refuse)
    }
}

impl fmt::Display for ImageRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Registry(reference) => reference.fmt(f),
            Self::Transport {
                transport,
                location,
            } => write!(f, "{transport}:{location}"),
        }
    }
}

impl FromStr for ImageRef {
    type Err = ParseError;

    fn from_str(input: &str) -> Result<Self, ParseError> {
        Self::parse(input)
    }
}

fn parse_reference(input: &str) -> Result<Reference, String> {
    if input.is_empty() {
        return Err("it is empty".into());
    }
    if let Some(bad) = input.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return Err(format!("it contains {bad:?}"));
    }
    let (rest, digest) = match input.split_once('@') {
        Some((rest, digest)) => (rest, Some(parse_digest(digest)?)),
        None => (input, None),
    };
    // A colon after the last slash starts the tag; one before it belongs to the host's port.
    let (name, tag) = match rest.rfind(':') {
        Some(at) if !rest[at..].contains('/') => (&rest[..at], Some(&rest[at + 1..])),
        _ => (rest, None),
    };
    if let Some(tag) = tag {
        check_tag(tag)?;
    }
    let (registry, path) = split_registry(name);
    check_registry(&registry)?;
    let repository = if registry == DOCKER_HUB && !path.contains('/') && !path.is_empty() {
        format!("library/{path}")
    } else {
        path.to_owned()
    };
    check_repository(&repository)?;
    if registry.len() + 1 + repository.len() > MAX_NAME {
        return Err(format!("the name is longer than {MAX_NAME} characters"));
    }
    let tag = match (tag, &digest) {
        (None, None) => Some("latest".to_owned()),
        (tag, _) => tag.map(str::to_owned),
    };
    Ok(Reference {
        registry,
        repository,
        tag,
        digest,
    })
}

/// Docker's rule: the part before the first slash is a host if it has a dot or a colon, is `localhost`, or
/// has upper case (which a repository may not).
fn split_registry(name: &str) -> (String, &str) {
    let Some((head, rest)) = name.split_once('/') else {
        return (DOCKER_HUB.to_owned(), name);
    };
    let is_host = head.contains(['.', ':'])
        || head == "localhost"
        || head.contains(|c: char| c.is_ascii_uppercase());
    if !is_host {
        return (DOCKER_HUB.to_owned(), name);
    }
    // Without a dot or port only the case says that this is a host, so it stays.
    let host = match head.contains(['.', ':']) {
        true => head.to_ascii_lowercase(),
        false => head.to_owned(),
    };
    if matches!(host.as_str(), "index.docker.io" | "registry-1.docker.io") {
        return (DOCKER_HUB.to_owned(), rest);
    }
    (host, rest)
}

fn check_registry(host: &str) -> Result<(), String> {
    let (name, port) = if let Some(rest) = host.strip_prefix('[') {
        let Some((address, after)) = rest.split_once(']') else {
            return Err(format!("registry `{host}` has no closing bracket"));
        };
        if address.parse::<std::net::Ipv6Addr>().is_err() {
            return Err(format!("`{address}` is not an IPv6 address"));
        }
        match after.strip_prefix(':') {
            Some(port) => ("", Some(port)),
            None if after.is_empty() => ("", None),
            None => return Err(format!("registry `{host}` is malformed")),
        }
    } else {
        match host.split_once(':') {
            Some((name, port)) => (name, Some(port)),
            None => (host, None),
        }
    };
    if let Some(port) = port
        && !port.parse::<u16>().is_ok_and(|p| p != 0)
    {
        return Err(format!("`{port}` is not a port"));
    }
    let label_ok = |label: &str| {
        !label.is_empty()
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    if !host.starts_with('[') && !name.split('.').all(label_ok) {
        return Err(format!("`{name}` is not a registry host"));
    }
    Ok(())
}

fn check_repository(path: &str) -> Result<(), String> {
    if path.is_empty() {
        return Err("it names no repository".into());
    }
    for component in path.split('/') {
        if component.is_empty() {
            return Err("the repository has an empty path component".into());
        }
        check_component(component)?;
    }
    Ok(())
}

/// `[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*`
fn check_component(component: &str) -> Result<(), String> {
    if component.contains(|c: char| c.is_ascii_uppercase()) {
        return Err(format!(
            "repository names are lower case, `{component}` is not"
        ));
    }
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_allowed =
        |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '.' | '_' | '-');
    if let Some(bad) = component.chars().find(|c| !is_allowed(*c)) {
        return Err(format!(
            "`{component}` contains {bad:?}, which a repository name cannot"
        ));
    }
    let bytes = component.as_bytes();
    let starts_and_ends =
        bytes.first().copied().is_some_and(is_word) && bytes.last().copied().is_some_and(is_word);
    let separators_ok = component
        .split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        .all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'));
    if !starts_and_ends || !separators_ok {
        return Err(format!("`{component}` has a misplaced separator"));
    }
    Ok(())
}

fn check_tag(tag: &str) -> Result<(), String> {
    if tag.is_empty() {
        return Err("the tag is empty".into());
    }
    if tag.len() > MAX_TAG {
        return Err(format!("the tag is longer than {MAX_TAG} characters"));
    }
    let first_ok = !tag.starts_with(['.', '-']);
    if !first_ok
        || !tag
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
    {
        return Err(format!("`{tag}` is not a tag"));
    }
    Ok(())
}

fn parse_digest(text: &str) -> Result<Digest, String> {
    let Some((algorithm, hex)) = text.split_once(':') else {
        return Err(format!("`{text}` is not a digest, such as sha256:…"));
    };
    let expected = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return Err(format!("digest algorithm `{algorithm}` is not supported")),
    };
    if hex.len() != expected {
        return Err(format!(
            "a {algorithm} digest has {expected} hex digits, this one has {}",
            hex.len()
        ));
    }
    text.parse()
        .map_err(|_| format!("`{hex}` is not lower-case hexadecimal"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const D: &str = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn names_reach_their_normal_form() {
        let pinned = format!("a/b@{D}");
        let both = format!("a/b:1@{D}");
        let cases = [
            ("busybox", "docker.io/library/busybox:latest".to_owned()),
            ("busybox:1.36", "docker.io/library/busybox:1.36".to_owned()),
            ("user/repo", "docker.io/user/repo:latest".to_owned()),
            (
                "docker.io/busybox",
                "docker.io/library/busybox:latest".to_owned(),
            ),
            (
                "index.docker.io/library/x:y",
                "docker.io/library/x:y".to_owned(),
            ),
            (
                "registry-1.docker.io/a/b",
                "docker.io/a/b:latest".to_owned(),
            ),
            ("localhost/x", "localhost/x:latest".to_owned()),
            ("localhost:5000/x", "localhost:5000/x:latest".to_owned()),
            ("localhost:5000/x/y:z", "localhost:5000/x/y:z".to_owned()),
            ("ghcr.io/a/b/c", "ghcr.io/a/b/c:latest".to_owned()),
            ("[::1]:5000/x:t", "[::1]:5000/x:t".to_owned()),
            ("MyHost/x", "MyHost/x:latest".to_owned()),
            ("GHCR.io/x", "ghcr.io/x:latest".to_owned()),
            (
                "a__b/c-d.e_f---g",
                "docker.io/a__b/c-d.e_f---g:latest".to_owned(),
            ),
            (pinned.as_str(), format!("docker.io/{pinned}")),
            (both.as_str(), format!("docker.io/{both}")),
        ];
        for (input, normal) in cases {
            let parsed = Reference::parse(input).unwrap_or_else(|e| panic!("{e}"));
            assert_eq!(parsed.to_string(), normal, "{input}");
            assert_eq!(
                Reference::parse(&normal).unwrap(),
                parsed,
                "normal form is stable"
            );
        }
    }

    #[test]
    fn digest_wins_over_tag_as_target() {
        let both = Reference::parse(&format!("a/b:1@{D}")).unwrap();
        assert_eq!((both.tag(), both.target()), (Some("1"), D));
        assert_eq!(Reference::parse("a/b").unwrap().target(), "latest");
    }

    #[test]
    fn malformed_names_say_what_is_wrong() {
        let long = format!("a/{}", "x".repeat(260));
        let cases = [
            ("", "it is empty"),
            ("a b", "contains ' '"),
            ("a//b", "empty path component"),
            ("ghcr.io/", "names no repository"),
            ("ghcr.io/Foo", "lower case, `Foo` is not"),
            ("Busybox", "lower case, `Busybox` is not"),
            ("a/b:", "the tag is empty"),
            ("a/b:-x", "`-x` is not a tag"),
            ("a/b:x/y", "contains ':'"),
            ("a/b@sha256:12", "64 hex digits, this one has 2"),
            ("a/b@md5:12", "`md5` is not supported"),
            ("a/b@12", "`12` is not a digest"),
            ("a/-b", "misplaced separator"),
            ("a/b___c", "misplaced separator"),
            ("a/b..c", "misplaced separator"),
            ("a/ü", "contains 'ü'"),
            ("localhost:port/x", "`port` is not a port"),
            ("localhost:0/x", "`0` is not a port"),
            ("a..b/x", "`a..b` is not a registry host"),
            (long.as_str(), "longer than 255"),
        ];
        for (input, reason) in cases {
            let error = Reference::parse(input).expect_err(input).to_string();
            assert!(error.contains(reason), "{input}: {error}");
        }
    }

    #[test]
    fn transports_are_recognised() {
        let cases = [
            ("oci:/tmp/x:t", Transport::Oci, "/tmp/x:t"),
            ("oci-archive:x.tar", Transport::OciArchive, "x.tar"),
            (
                "docker-archive:x.tar:a:b",
                Transport::DockerArchive,
                "x.tar:a:b",
            ),
            (
                "docker-daemon:a:latest",
                Transport::DockerDaemon,
                "a:latest",
            ),
            ("containers-storage:a", Transport::ContainersStorage, "a"),
            ("dir:/x", Transport::Dir, "/x"),
        ];
        for (input, transport, location) in cases {
            let parsed = ImageRef::parse(input).unwrap();
            assert_eq!(
                parsed,
                ImageRef::Transport {
                    transport,
                    location: location.to_owned()
                }
            );
            assert_eq!(parsed.to_string(), input);
        }
        assert_eq!(
            ImageRef::parse("docker://busybox").unwrap().to_string(),
            "docker.io/library/busybox:latest"
        );
        assert!(ImageRef::parse("oci:").is_err());
        let error = ImageRef::parse("https://ghcr.io/a/b")
            .unwrap_err()
            .to_string();
        assert!(error.contains("write the host without it"), "{error}");
    }
}
