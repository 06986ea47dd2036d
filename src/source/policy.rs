//! The user's signature policy: does it ask for more than nsci checks itself?
//!
//! nsci verifies digests, not signatures; where `policy.json` wants those, skopeo does the reading. This file only
//! finds out whether it does.
//!
//! # References
//! - [containers-policy.json(5)](https://github.com/containers/image/blob/main/docs/containers-policy.json.5.md)

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Error, ImageRef, Reference};

/// A policy file.
#[derive(Debug, Clone, Deserialize)]
pub struct Policy {
    default: Vec<Requirement>,
    #[serde(default)]
    transports: HashMap<String, HashMap<String, Vec<Requirement>>>,
}

#[derive(Debug, Clone, Deserialize)]
struct Requirement {
    #[serde(rename = "type")]
    kind: String,
}

impl Policy {
    /// Parses the text of a `policy.json`; `path` is for messages.
    ///
    /// # Errors
    /// [`Error::Malformed`]: a policy nobody can read must not pass for none.
    pub fn parse(text: &str, path: &Path) -> Result<Self, Error> {
        serde_json::from_str(text).map_err(|e| Error::Malformed {
            what: path.display().to_string(),
            reason: e.to_string(),
        })
    }

    /// Reads the first of `paths` that exists.
    ///
    /// # Errors
    /// [`Error::Io`] and [`Error::Malformed`].
    pub fn load(paths: &[PathBuf]) -> Result<Option<(PathBuf, Self)>, Error> {
        for path in paths {
            match std::fs::read_to_string(path) {
                Ok(text) => return Ok(Some((path.clone(), Self::parse(&text, path)?))),
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                Err(source) => {
                    let action = format!("read {}", path.display());
                    return Err(Error::Io { action, source });
                }
            }
        }
        Ok(None)
    }

    /// Whether this image may be used as it is, without any signature.
    #[must_use]
    pub fn accepts_unsigned(&self, image: &ImageRef) -> bool {
        let found = match image {
            ImageRef::Registry(reference) => self.lookup("docker", &docker_scopes(reference)),
            ImageRef::Transport {
                transport,
                location,
            } => self.lookup(transport.prefix(), &path_scopes(location)),
        };
        found.iter().all(|r| r.kind == "insecureAcceptAnything")
    }

    fn lookup(&self, transport: &str, scopes: &[String]) -> &[Requirement] {
        let Some(known) = self.transports.get(transport) else {
            return &self.default;
        };
        scopes
            .iter()
            .find_map(|scope| known.get(scope))
            .unwrap_or(&self.default)
    }
}

/// Most specific first: the image, the repository, its parents, the host, wildcards, the transport.
fn docker_scopes(reference: &Reference) -> Vec<String> {
    let mut name = reference.name();
    let mut scopes = Vec::new();
    if let Some(tag) = reference.tag() {
        scopes.push(format!("{name}:{tag}"));
    }
    if let Some(digest) = reference.digest() {
        scopes.push(format!("{name}@{digest}"));
    }
    while let Some((parent, _)) = name.rsplit_once('/') {
        let parent = parent.to_owned();
        scopes.push(std::mem::replace(&mut name, parent));
    }
    scopes.push(name.clone());
    let mut host = name.split(':').next().unwrap_or_default();
    while let Some((_, parent)) = host.split_once('.') {
        scopes.push(format!("*.{parent}"));
        host = parent;
    }
    scopes.push(String::new());
    scopes
}

fn path_scopes(location: &str) -> Vec<String> {
    let mut scopes = vec![location.to_owned()];
    let mut path = location.split_once(':').map_or(location, |(path, _)| path);
    scopes.push(path.to_owned());
    while let Some((parent, _)) = path.rsplit_once('/') {
        scopes.push(if parent.is_empty() {
            "/".to_owned()
        } else {
            parent.to_owned()
        });
        path = parent;
    }
    scopes.push(String::new());
    scopes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn most_specific_scope_decides() {
        let policy = Policy::parse(
            r#"{"default":[{"type":"insecureAcceptAnything"}],"transports":{
              "docker":{"quay.io/secure":[{"type":"signedBy","keyType":"GPGKeys","keyPath":"/k"}],
                        "quay.io/secure/open":[{"type":"insecureAcceptAnything"}],
                        "*.example.com":[{"type":"reject"}]},
              "oci":{"/srv":[{"type":"reject"}]}}}"#,
            Path::new("policy.json"),
        )
        .unwrap();
        let cases = [
            ("busybox", true),
            ("quay.io/secure/app", false),
            ("quay.io/secure/open:1", true),
            ("quay.io/secured/app", true),
            ("r.example.com/x", false),
            ("r.example.com:5000/x", false),
            ("oci:/srv/images/a:t", false),
            ("oci:/home/a:t", true),
            ("dir:/srv", true),
        ];
        for (image, wanted) in cases {
            let image = ImageRef::parse(image).unwrap();
            assert_eq!(policy.accepts_unsigned(&image), wanted, "{image}");
        }
    }

    #[test]
    fn unreadable_policy_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("policy.json");
        assert!(Policy::load(std::slice::from_ref(&path)).unwrap().is_none());
        std::fs::write(&path, "{}").unwrap();
        assert!(Policy::load(&[path]).is_err());
    }
}
