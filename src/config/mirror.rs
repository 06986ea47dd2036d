//! Registries that stand in for others.

use super::{Error, parsed};
use serde::{Deserialize, Deserializer};
use std::fmt;
use std::str::FromStr;

/// Base URL that stands in for a registry; its path is put before the repository.
///
/// With `http://127.0.0.1:5055/docker.io`, `docker.io/library/alpine` is repository
/// `docker.io/library/alpine` on `127.0.0.1:5055`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror {
    /// Speak plain HTTP.
    pub plain_http: bool,
    /// Host with optional port.
    pub host: String,
    /// Path put before the repository, without slashes at the ends; may be empty.
    pub prefix: String,
}

impl FromStr for Mirror {
    type Err = Error;

    fn from_str(entry: &str) -> Result<Self, Error> {
        let refuse = |reason: &str| Error::Mirror {
            entry: entry.to_owned(),
            reason: reason.to_owned(),
        };
        let (plain_http, rest) = match entry.trim().split_once("://") {
            Some(("http", rest)) => (true, rest),
            Some(("https", rest)) => (false, rest),
            Some(_) => return Err(refuse("only http:// and https:// are possible")),
            None => return Err(refuse("it must begin with http:// or https://")),
        };
        if rest.contains(['?', '#', '@']) || rest.contains(char::is_whitespace) {
            return Err(refuse("it may hold a host, a port and a path only"));
        }
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        if host.is_empty() {
            return Err(refuse("it has no host"));
        }
        let prefix = path.trim_matches('/');
        let prefix = prefix.strip_prefix("v2/").unwrap_or(prefix);
        let prefix = if prefix == "v2" { "" } else { prefix };
        Ok(Self {
            plain_http,
            host: host.to_ascii_lowercase(),
            prefix: prefix.to_owned(),
        })
    }
}

impl fmt::Display for Mirror {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.plain_http { "http" } else { "https" };
        write!(f, "{scheme}://{}", self.host)?;
        if self.prefix.is_empty() {
            Ok(())
        } else {
            write!(f, "/{}", self.prefix)
        }
    }
}

impl<'de> Deserialize<'de> for Mirror {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// Parses `docker.io=http://127.0.0.1:5055/docker.io,gcr.io=https://mirror/gcr` (what
/// `NSCI_REGISTRY_MIRRORS` holds); one registry may appear several times.
///
/// # Errors
/// [`Error::Mirror`] names the entry.
pub fn parse_mirrors(text: &str) -> Result<Vec<(String, Mirror)>, Error> {
    text.split([',', ';'])
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
        .map(|entry| {
            let (registry, url) = entry.split_once('=').ok_or_else(|| Error::Mirror {
                entry: entry.to_owned(),
                reason: "it must look like docker.io=https://mirror.example/path".into(),
            })?;
            Ok((registry.trim().to_ascii_lowercase(), url.parse()?))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn malformed_mirrors_are_refused() {
        for bad in [
            "docker.io",
            "docker.io=mirror",
            "docker.io=http://",
            "d=http://u@h/x",
        ] {
            assert!(parse_mirrors(bad).is_err(), "{bad}");
        }
        assert_eq!(parse_mirrors(" ").unwrap(), []);
        let v2: Mirror = "https://h/v2/p/q/".parse().unwrap();
        assert_eq!(v2.prefix, "p/q");
    }
}
