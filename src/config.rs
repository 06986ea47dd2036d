//! nsci's config file: registries and mirrors, network, cache limits and progress defaults.
//!
//! [`Config::parse`] turns text into a typed value and refuses what it does not know. It never reads files or
//! the environment; the command does, and hands the text over.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

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

/// One destination: `10.0.0.0/8`, `127.0.0.1:5432`, `[::1]:80`, `db.internal:5432`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowRule {
    /// Whom it is about.
    pub host: AllowHost,
    /// One port, or all.
    pub port: Option<u16>,
}

/// Whom an [`AllowRule`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AllowHost {
    /// An address, or all that share its first `bits`.
    Net {
        /// First address.
        address: IpAddr,
        /// Length of the prefix.
        bits: u8,
    },
    /// A host name, compared without case.
    Name(String),
}

impl AllowRule {
    /// Whether an address and port fall under this rule; names never match an address.
    #[must_use]
    pub fn covers(&self, address: IpAddr, port: u16) -> bool {
        let AllowHost::Net { address: net, bits } = &self.host else {
            return false;
        };
        self.port.is_none_or(|p| p == port) && same_prefix(*net, address, *bits)
    }
}

fn same_prefix(a: IpAddr, b: IpAddr, bits: u8) -> bool {
    let differing = match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        (IpAddr::V6(a), IpAddr::V6(b)) => (a.to_bits() ^ b.to_bits()).leading_zeros(),
        _ => return false,
    };
    differing >= u32::from(bits)
}

impl FromStr for AllowRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a host, address or network with optional port");
        if let Ok(address) = text.parse::<IpAddr>() {
            return Ok(Self {
                host: AllowHost::single(address),
                port: None,
            });
        }
        if let Some((net, bits)) = text.split_once('/') {
            let address: IpAddr = net.parse().map_err(|_| refuse())?;
            let bits: u8 = bits.parse().map_err(|_| refuse())?;
            if bits > if address.is_ipv4() { 32 } else { 128 } {
                return Err(refuse());
            }
            return Ok(Self {
                host: AllowHost::Net { address, bits },
                port: None,
            });
        }
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) => (host, Some(port.parse().map_err(|_| refuse())?)),
            None => (text, None),
        };
        let bare = host
            .strip_prefix('[')
            .and_then(|h| h.strip_suffix(']'))
            .unwrap_or(host);
        let host = if let Ok(address) = bare.parse() {
            AllowHost::single(address)
        } else if !host.is_empty()
            && host
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b"-._".contains(&b))
        {
            AllowHost::Name(host.to_ascii_lowercase())
        } else {
            return Err(refuse());
        };
        Ok(Self { host, port })
    }
}

impl AllowHost {
    fn single(address: IpAddr) -> Self {
        Self::Net {
            address,
            bits: if address.is_ipv4() { 32 } else { 128 },
        }
    }
}

impl<'de> Deserialize<'de> for AllowRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
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

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(Amount::Bytes(bytes)) if bytes > 0 => Ok(Self(bytes)),
            _ => Err(format!("`{text}` is not a size, such as 2GB or 512MiB")),
        }
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
    }
}

/// A number of processors, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cpus(pub u32);

impl<'de> Deserialize<'de> for Cpus {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        let millis = (number * 1000.0).round();
        if (10.0..=1_000_000.0).contains(&millis) {
            Ok(Self(millis as u32))
        } else {
            let text = format!("`{number}` is not a number of processors from 0.01 to 1000");
            Err(serde::de::Error::custom(text))
        }
    }
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

/// A number of bytes, or a share of the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amount {
    /// Bytes.
    Bytes(u64),
    /// Percent of the disk the store is on, 0 to 100.
    Percent(u8),
}

impl Amount {
    /// Bytes on a disk of `disk` bytes.
    #[must_use]
    pub fn of(self, disk: u64) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes,
            Self::Percent(percent) => disk / 100 * u64::from(percent),
        }
    }
}

impl FromStr for Amount {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a size, such as 20GB, 512MiB or 75%");
        if let Some(percent) = text.strip_suffix('%') {
            let percent: u8 = percent.trim().parse().map_err(|_| refuse())?;
            return if percent <= 100 {
                Ok(Self::Percent(percent))
            } else {
                Err(refuse())
            };
        }
        let split = text
            .find(|c: char| !c.is_ascii_digit())
            .unwrap_or(text.len());
        let number: u64 = text[..split].parse().map_err(|_| refuse())?;
        let unit: u64 = match text[split..].trim().to_ascii_lowercase().as_str() {
            "" | "b" => 1,
            "k" | "kb" => 1_000,
            "m" | "mb" => 1_000_000,
            "g" | "gb" => 1_000_000_000,
            "t" | "tb" => 1_000_000_000_000,
            "kib" => 1 << 10,
            "mib" => 1 << 20,
            "gib" => 1 << 30,
            "tib" => 1 << 40,
            _ => return Err(refuse()),
        };
        number.checked_mul(unit).map(Self::Bytes).ok_or_else(refuse)
    }
}

impl<'de> Deserialize<'de> for Amount {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        parsed(deserializer)
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

/// Parses `90s`, `5m`, `1h30m`, `7d` or `0`.
///
/// # Errors
/// A sentence about the text.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let refuse = || format!("`{text}` is not a duration, such as 90s, 5m or 1h30m");
    if text.trim() == "0" {
        return Ok(Duration::ZERO);
    }
    let mut total = Duration::ZERO;
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(refuse());
    }
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit())
            .ok_or_else(refuse)?;
        let number: u64 = rest[..digits].parse().map_err(|_| refuse())?;
        let after = &rest[digits..];
        let end = after
            .find(|c: char| c.is_ascii_digit())
            .unwrap_or(after.len());
        let unit_ms: u64 = match after[..end].trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(refuse()),
        };
        let part = number
            .checked_mul(unit_ms)
            .map(Duration::from_millis)
            .ok_or_else(refuse)?;
        total = total.checked_add(part).ok_or_else(refuse)?;
        rest = &after[end..];
    }
    Ok(total)
}

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

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    parse_duration(&String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
}

fn some_duration<'de, D: Deserializer<'de>>(d: D) -> Result<Option<Duration>, D::Error> {
    duration(d).map(Some)
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

    #[test]
    fn allow_rules_cover_addresses_and_ports() {
        let cases = [
            ("10.0.0.0/8", "10.9.9.9", 1, true),
            ("10.0.0.0/8", "11.0.0.1", 1, false),
            ("127.0.0.1:5432", "127.0.0.1", 5432, true),
            ("127.0.0.1:5432", "127.0.0.1", 5433, false),
            ("[::1]:80", "::1", 80, true),
            ("0.0.0.0/0", "1.2.3.4", 1, true),
            ("0.0.0.0/0", "::1", 1, false),
            ("db.internal", "1.2.3.4", 1, false),
        ];
        for (rule, address, port, covered) in cases {
            let rule: AllowRule = rule.parse().unwrap();
            assert_eq!(
                rule.covers(address.parse().unwrap(), port),
                covered,
                "{rule:?}"
            );
        }
        for bad in ["", "10.0.0.0/33", "x:y", "[::1", "a b"] {
            assert!(bad.parse::<AllowRule>().is_err(), "{bad}");
        }
    }

    #[test]
    fn durations_add_up() {
        assert_eq!(parse_duration("1h30m").unwrap(), Duration::from_secs(5400));
        assert_eq!(parse_duration("250ms").unwrap(), Duration::from_millis(250));
        assert_eq!(parse_duration("0").unwrap(), Duration::ZERO);
        for bad in ["", "5", "m", "5x", "-1s"] {
            assert!(parse_duration(bad).is_err(), "{bad}");
        }
    }
}
