//! nsci's config file: registries and mirrors, network, cache limits and progress defaults.
//!
//! [`Config::parse`] turns text into a typed value and refuses what it does not know. It never reads files or
//! the environment; the command does, and hands the text over.

mod allow;
mod amount;
mod duration;
mod mirror;

pub use allow::{AllowHost, AllowRule};
pub use amount::{Amount, Cpus, Size};
pub use duration::parse_duration;
pub use mirror::{Mirror, parse_mirrors};

use duration::{duration, some_duration};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

/// Why a config was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A key nsci does not know, most likely misspelt.
    #[error("{file}:{line}: unknown key `{key}`{}", hint(.expected))]
    UnknownKey {
        /// File the text came from.
        file: String,
        /// Line of the key, from 1.
        line: usize,
        /// The key.
        key: String,
        /// Nearest known key.
        expected: Option<String>,
    },
    /// Not TOML, or a value of the wrong kind.
    #[error("{file}:{line}: {message}")]
    Value {
        /// File the text came from.
        file: String,
        /// Line of the value, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// An entry of a mirror list such as `NSCI_REGISTRY_MIRRORS`.
    #[error("`{entry}` is not a registry mirror: {reason}")]
    Mirror {
        /// The entry.
        entry: String,
        /// What is wrong.
        reason: String,
    },
}

fn hint(expected: &Option<String>) -> String {
    expected
        .as_ref()
        .map(|key| format!(", did you mean `{key}`?"))
        .unwrap_or_default()
}

/// Everything the config file can say, with defaults for what it does not.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Config {
    /// Per registry host, such as `docker.io` or `localhost:5000`.
    pub registries: BTreeMap<String, RegistryConfig>,
    /// How long a tag looked up once is taken to mean the same digest. Zero asks every session.
    #[serde(deserialize_with = "duration")]
    pub tag_ttl: Duration,
    /// How layers are fetched.
    pub pull: PullConfig,
    /// What steps may reach, and how nsci itself gets out.
    pub network: NetworkConfig,
    /// How steps are run.
    pub sandbox: SandboxConfig,
    /// How much disk the store may take.
    pub cache: CacheConfig,
    /// How progress is shown.
    pub progress: ProgressConfig,
}

/// One registry.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct RegistryConfig {
    /// Tried in order before the registry itself.
    pub mirrors: Vec<Mirror>,
    /// Ask the mirrors only, never the registry itself.
    pub mirrors_only: bool,
    /// Speak plain HTTP to the registry. Hosts on the loopback always get it.
    pub plain_http: bool,
    /// Do not verify the registry's certificate.
    pub insecure: bool,
    /// PEM file with certificates to trust besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Name of a `docker-credential-…` program to ask for this host.
    pub credential_helper: Option<String>,
}

/// How layers are fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct PullConfig {
    /// Layers of one image fetched at the same time.
    pub parallel: usize,
    /// Times a failed request is tried again.
    pub retries: u32,
}

impl Default for PullConfig {
    fn default() -> Self {
        Self {
            parallel: 4,
            retries: 5,
        }
    }
}

/// What steps may reach, and how nsci itself gets out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct NetworkConfig {
    /// Whether steps have any network.
    pub mode: NetworkMode,
    /// Destinations that steps may reach although they are refused by default or by `deny`.
    pub allow: Vec<AllowRule>,
    /// Destinations that steps may not reach although they could by default; names have no port.
    pub deny: Vec<AllowRule>,
    /// Proxy for `http://` URLs.
    pub http_proxy: Option<String>,
    /// Proxy for `https://` URLs.
    pub https_proxy: Option<String>,
    /// Hosts reached without a proxy, comma separated.
    pub no_proxy: Option<String>,
    /// PEM file trusted for every host besides the system's certificates.
    pub ca_file: Option<PathBuf>,
}

/// Whether steps have any network.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    /// A network of the session, with a way out.
    #[default]
    Isolated,
    /// Only a loopback device each. Services cannot be reached then, and module functions still reach the API.
    None,
}

/// How steps are run.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct SandboxConfig {
    /// What builds a step.
    pub executor: ExecutorName,
    /// Memory of a step, swap included.
    pub memory: Option<Size>,
    /// Processors of a step.
    pub cpus: Option<Cpus>,
    /// Processes and threads of a step.
    pub pids: Option<std::num::NonZeroU32>,
}

/// What builds a step.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ExecutorName {
    /// nsci itself.
    #[default]
    Native,
    /// libcontainer, the reference.
    Libcontainer,
}

/// How much disk the store may take.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct CacheConfig {
    /// Where the store lies instead of the user's data directory.
    pub dir: Option<PathBuf>,
    /// The store is shrunk to this.
    pub max_size: Amount,
    /// The store is shrunk until the disk has this much left.
    pub min_free: Amount,
    /// Never shrunk below this, whatever the other two say.
    pub reserved: Amount,
    /// Entries unused for longer are dropped.
    #[serde(deserialize_with = "some_duration")]
    pub max_age: Option<Duration>,
}

impl Default for CacheConfig {
    fn default() -> Self {
        Self {
            dir: None,
            max_size: Amount::Percent(75),
            min_free: Amount::Percent(20),
            reserved: Amount::Bytes(10_000_000_000),
            max_age: None,
        }
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct ProgressConfig {
    /// Renderer used when the command line names none.
    pub mode: ProgressMode,
    /// As many `-v` are implied.
    pub verbosity: u8,
}

/// A way to show progress.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ProgressMode {
    /// `tty` on a terminal, else `plain`.
    #[default]
    Auto,
    /// A tree that redraws itself.
    Tty,
    /// One line after the other.
    Plain,
    /// One JSON object per line.
    Json,
}

impl Config {
    /// Parses the text of a config file; `file` is its name for messages.
    ///
    /// # Errors
    /// [`Error`] names the file, the line and the key.
    pub fn parse(text: &str, file: &str) -> Result<Self, Error> {
        toml::from_str(text).map_err(|error| explain(text, file, &error))
    }

    /// Puts mirrors given elsewhere before those of the file, as [`parse_mirrors`] returns them.
    pub fn merge_mirrors(&mut self, mirrors: Vec<(String, Mirror)>) {
        let mut at = BTreeMap::new();
        for (registry, mirror) in mirrors {
            let index = at.entry(registry.clone()).or_insert(0_usize);
            let known = &mut self.registries.entry(registry).or_default().mirrors;
            known.retain(|m| *m != mirror);
            known.insert((*index).min(known.len()), mirror);
            *index += 1;
        }
    }

    /// What is configured for a registry, if anything.
    #[must_use]
    pub fn registry(&self, host: &str) -> Option<&RegistryConfig> {
        self.registries.get(host)
    }
}

/// Reads a value that is written as text.
fn parsed<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr,
    T::Err: fmt::Display,
{
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

fn explain(text: &str, file: &str, error: &toml::de::Error) -> Error {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at]
        .iter()
        .filter(|&&b| b == b'\n')
        .count()
        + 1;
    let file = file.to_owned();
    let message = error.message();
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match (message.starts_with("unknown field"), quoted.split_first()) {
        (true, Some((key, known))) => Error::UnknownKey {
            file,
            line,
            key: (*key).to_owned(),
            expected: nearest(key, known),
        },
        _ => Error::Value {
            file,
            line,
            message: message.trim_end_matches('\n').to_owned(),
        },
    }
}

fn nearest(key: &str, known: &[&str]) -> Option<String> {
    known
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(key, candidate), candidate))
        .filter(|(distance, _)| *distance <= 3)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| (*candidate).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"
tag-ttl = "1h30m"

[registries."docker.io"]
mirrors = ["http://127.0.0.1:5055/docker.io", "https://mirror.example"]
credential-helper = "pass"

[registries."reg.internal:5000"]
plain-http = true
insecure = true
ca-file = "/etc/ca.pem"
mirrors-only = false

[pull]
parallel = 8

[network]
mode = "none"
allow = ["10.0.0.0/8", "127.0.0.1:5432", "[::1]:80", "db.internal:5432", "fe80::1"]
deny = ["0.0.0.0/0", "ads.example"]
https-proxy = "http://proxy:3128"

[sandbox]
executor = "libcontainer"
memory = "512MiB"
cpus = 1.5
pids = 64

[cache]
max-size = "40GB"
min-free = "10%"
reserved = "1GiB"
max-age = "30d"

[progress]
mode = "plain"
verbosity = 1
"#;

    #[test]
    fn every_key_is_read() {
        let config = Config::parse(FULL, "config.toml").unwrap();
        assert_eq!(config.sandbox.executor, ExecutorName::Libcontainer);
        assert_eq!(config.sandbox.memory, Some(Size(512 << 20)));
        assert_eq!(config.sandbox.cpus, Some(Cpus(1500)));
        for bad in ["memory = \"50%\"", "cpus = 0", "pids = 0", "memory = \"0\""] {
            assert!(Config::parse(&format!("[sandbox]\n{bad}"), "config.toml").is_err());
        }
        assert_eq!(config.network.mode, NetworkMode::None);
        assert_eq!(config.network.deny.len(), 2);
        let hub = config.registry("docker.io").unwrap();
        assert_eq!(
            hub.mirrors[0].to_string(),
            "http://127.0.0.1:5055/docker.io"
        );
        assert_eq!(
            hub.mirrors[1],
            Mirror {
                plain_http: false,
                host: "mirror.example".into(),
                prefix: String::new()
            }
        );
        assert_eq!(hub.credential_helper.as_deref(), Some("pass"));
        assert!(config.registry("reg.internal:5000").unwrap().plain_http);
        assert_eq!(config.tag_ttl, Duration::from_secs(5400));
        assert_eq!(
            config.pull,
            PullConfig {
                parallel: 8,
                retries: 5
            }
        );
        assert_eq!(config.network.allow.len(), 5);
        assert_eq!(config.cache.max_size, Amount::Bytes(40_000_000_000));
        assert_eq!(config.cache.min_free, Amount::Percent(10));
        assert_eq!(config.cache.reserved, Amount::Bytes(1 << 30));
        assert_eq!(config.cache.max_age, Some(Duration::from_secs(30 * 86400)));
        assert_eq!(
            config.progress,
            ProgressConfig {
                mode: ProgressMode::Plain,
                verbosity: 1
            }
        );
    }

    #[test]
    fn empty_config_is_the_default() {
        assert_eq!(Config::parse("", "x").unwrap(), Config::default());
    }

    #[test]
    fn mistakes_name_key_and_line() {
        let cases = [
            (
                "\ntag-tll = \"1h\"\n",
                "c:2: unknown key `tag-tll`, did you mean `tag-ttl`?",
            ),
            (
                "[registries.\"docker.io\"]\nmirrrors = []\n",
                "c:2: unknown key `mirrrors`, did you mean `mirrors`?",
            ),
            ("[cache]\nzzzzzzzz = 1\n", "c:2: unknown key `zzzzzzzz`"),
            (
                "tag-ttl = 3\n",
                "c:1: invalid type: integer `3`, expected a string",
            ),
            (
                "tag-ttl = \"3 weeks\"\n",
                "c:1: `3 weeks` is not a duration",
            ),
            (
                "[cache]\n\nmax-size = \"lots\"\n",
                "c:3: `lots` is not a size",
            ),
            ("[network]\nallow = [\"a b\"]\n", "c:2: `a b` is not a host"),
            (
                "[registries.x]\nmirrors = [\"ftp://x\"]\n",
                "c:2: `ftp://x` is not a registry mirror: only http:// and https:// are possible",
            ),
            ("a = \n", "c:1: "),
        ];
        for (text, wanted) in cases {
            let error = Config::parse(text, "c").expect_err(text).to_string();
            assert!(error.starts_with(wanted), "{error:?} for {text:?}");
        }
    }

    #[test]
    fn mirrors_given_elsewhere_come_first() {
        let mut config = Config::parse(FULL, "c").unwrap();
        let given = parse_mirrors(
            "docker.io=http://a/x, docker.io=https://mirror.example ,gcr.io=http://b",
        )
        .unwrap();
        config.merge_mirrors(given);
        let names = |host: &str| -> Vec<String> {
            config
                .registry(host)
                .unwrap()
                .mirrors
                .iter()
                .map(ToString::to_string)
                .collect()
        };
        assert_eq!(
            names("docker.io"),
            [
                "http://a/x",
                "https://mirror.example",
                "http://127.0.0.1:5055/docker.io"
            ]
        );
        assert_eq!(names("gcr.io"), ["http://b"]);
    }
}
