//! Which hosts stand for a registry, in the order they are asked.

use std::net::IpAddr;
use std::path::PathBuf;

use crate::config::{Mirror, RegistryConfig};

use super::Error;
use super::reference::DOCKER_HUB;

const HUB_API: &str = "registry-1.docker.io";

/// How to talk TLS to a host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Tls {
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) insecure: bool,
}

/// One host that may have an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Endpoint {
    /// Host with optional port.
    pub(crate) host: String,
    /// Name credentials are filed under; differs from the host for Docker Hub.
    pub(crate) auth_host: String,
    pub(crate) plain_http: bool,
    /// Path before the repository.
    pub(crate) prefix: String,
    pub(crate) tls: Tls,
    pub(crate) mirror: bool,
}

impl Endpoint {
    /// Name of a repository on this host.
    pub(crate) fn repository(&self, repository: &str) -> String {
        if self.prefix.is_empty() {
            repository.to_owned()
        } else {
            format!("{}/{repository}", self.prefix)
        }
    }

    /// URL below a repository, such as `manifests/latest`.
    pub(crate) fn url(&self, repository: &str, rest: &str) -> Result<reqwest::Url, Error> {
        let scheme = if self.plain_http { "http" } else { "https" };
        let text = format!(
            "{scheme}://{}/v2/{}/{rest}",
            self.host,
            self.repository(repository)
        );
        reqwest::Url::parse(&text).map_err(|e| Error::Malformed {
            what: format!("URL {text}"),
            reason: e.to_string(),
        })
    }
}

/// Another way to a registry than its name and the configuration say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// Host and port to connect to.
    pub host: Option<String>,
    /// Plain HTTP or TLS.
    pub plain_http: Option<bool>,
    /// Whether certificates are not checked, besides what the configuration says.
    pub insecure: bool,
}

impl Route {
    /// The registry itself, reached this way.
    pub(crate) fn endpoint(&self, registry: &str, config: Option<&RegistryConfig>) -> Endpoint {
        let mut endpoint = upstream(registry, config);
        if let Some(host) = &self.host {
            endpoint.host.clone_from(host);
        }
        if let Some(plain_http) = self.plain_http {
            endpoint.plain_http = plain_http;
        }
        endpoint.tls.insecure |= self.insecure;
        endpoint
    }
}

/// Lists whom to ask about a registry: its mirrors, then itself.
pub(crate) fn endpoints<'a>(
    registry: &str,
    config: impl Fn(&str) -> Option<&'a RegistryConfig>,
) -> Vec<Endpoint> {
    let own = config(registry);
    let mut list: Vec<Endpoint> = own
        .map(|c| c.mirrors.as_slice())
        .unwrap_or_default()
        .iter()
        .map(|mirror| mirror_endpoint(mirror, config(&mirror.host)))
        .collect();
    if list.is_empty() || !own.is_some_and(|c| c.mirrors_only) {
        list.push(upstream(registry, own));
    }
    list
}

fn mirror_endpoint(mirror: &Mirror, config: Option<&RegistryConfig>) -> Endpoint {
    Endpoint {
        host: mirror.host.clone(),
        auth_host: mirror.host.clone(),
        plain_http: mirror.plain_http,
        prefix: mirror.prefix.clone(),
        tls: tls(config),
        mirror: true,
    }
}

/// The registry itself, which alone can be written to.
pub(crate) fn upstream(registry: &str, config: Option<&RegistryConfig>) -> Endpoint {
    let host = if registry == DOCKER_HUB {
        HUB_API
    } else {
        registry
    };
    Endpoint {
        host: host.to_owned(),
        auth_host: registry.to_owned(),
        plain_http: match config {
            // Whoever names certificates for a registry on the loopback has TLS there.
            Some(c) if c.ca_file.is_some() || c.insecure => c.plain_http,
            Some(c) => c.plain_http || is_loopback(registry),
            None => is_loopback(registry),
        },
        prefix: String::new(),
        tls: tls(config),
        mirror: false,
    }
}

fn tls(config: Option<&RegistryConfig>) -> Tls {
    config
        .map(|c| Tls {
            ca_file: c.ca_file.clone(),
            insecure: c.insecure,
        })
        .unwrap_or_default()
}

/// Whether a host with optional port is this machine, where Docker speaks plain HTTP too.
pub(crate) fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or(rest),
        None => host.split(':').next().unwrap_or(host),
    };
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Config, parse_mirrors};

    fn list(config: &Config, registry: &str) -> Vec<String> {
        endpoints(registry, |host| config.registry(host))
            .iter()
            .map(|e| e.url("library/alpine", "manifests/3").unwrap().to_string())
            .collect()
    }

    #[test]
    fn a_route_leads_elsewhere_under_the_same_name() {
        let route = Route {
            host: Some("127.0.0.1:4000".into()),
            plain_http: Some(true),
            insecure: false,
        };
        let endpoint = route.endpoint("forge:5000", None);
        let url = endpoint.url("a/b", "manifests/1").unwrap();
        assert_eq!(url.as_str(), "http://127.0.0.1:4000/v2/a/b/manifests/1");
        assert_eq!(endpoint.auth_host, "forge:5000");
    }

    #[test]
    fn mirrors_come_before_the_registry() {
        let mut config = Config::default();
        config.merge_mirrors(
            parse_mirrors("docker.io=http://127.0.0.1:5055/docker.io,docker.io=https://m.io")
                .unwrap(),
        );
        assert_eq!(
            list(&config, "docker.io"),
            [
                "http://127.0.0.1:5055/v2/docker.io/library/alpine/manifests/3",
                "https://m.io/v2/library/alpine/manifests/3",
                "https://registry-1.docker.io/v2/library/alpine/manifests/3",
            ]
        );
        config.registries.get_mut("docker.io").unwrap().mirrors_only = true;
        assert_eq!(list(&config, "docker.io").len(), 2);
    }

    #[test]
    fn loopback_speaks_plain_http() {
        let config = Config::parse("[registries.\"r.io\"]\nplain-http = true", "c").unwrap();
        for (host, plain) in [
            ("localhost:5000", true),
            ("127.0.0.1", true),
            ("127.1.2.3:80", true),
            ("[::1]:5000", true),
            ("r.io", true),
            ("localhost.example", false),
            ("ghcr.io", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(list(&config, host)[0].starts_with("http:"), plain, "{host}");
        }
    }
}
