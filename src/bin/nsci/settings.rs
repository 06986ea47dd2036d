//! Usable values of what was typed and of the surroundings: [`Settings`].
//!
//! Second of two stages. [`Surroundings`] is read once, here; after that nobody looks at the environment, the working
//! directory or a terminal again.

use std::collections::HashMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use nsci::config::{Config, ProgressMode, parse_mirrors};
use nsci::engine::ClientHost;
use nsci::event::Events;
use nsci::ops::{HostFacts, Terminal};
use nsci::schema::gql::View;
use nsci::session::SessionSettings;
use nsci::source::auth::AuthSources;
use nsci::source::transports::ProxyOptions;
use nsci_runtime::IdMap;

use crate::args::Globals;
use crate::report::Failure;
use crate::ui::{Detail, Mode};

/// What surrounds the process.
#[derive(Debug, Clone, Default)]
pub(crate) struct Surroundings {
    /// Environment variables; those that are not UTF-8 are of no use to anybody here.
    pub(crate) env: HashMap<String, String>,
    /// Working directory.
    pub(crate) cwd: PathBuf,
    /// Invoking user.
    pub(crate) uid: u32,
    /// This process.
    pub(crate) pid: u32,
    /// Standard output is a terminal.
    pub(crate) stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub(crate) stderr_is_terminal: bool,
}

impl Surroundings {
    /// Reads them.
    ///
    /// # Errors
    /// If there is no working directory.
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the working directory"
    )]
    pub(crate) fn read() -> Result<Self, Failure> {
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Ok(Self {
            env: std::env::vars_os().filter_map(utf8).collect(),
            cwd: std::env::current_dir().map_err(|error| {
                Failure::usage("cannot tell the working directory").because(&error)
            })?,
            uid: rustix::process::getuid().as_raw(),
            pid: std::process::id(),
            stdout_is_terminal: io::stdout().is_terminal(),
            stderr_is_terminal: io::stderr().is_terminal(),
        })
    }

    /// A variable that is set to something.
    pub(crate) fn var(&self, name: &str) -> Option<&str> {
        self.env
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.is_empty())
    }

    /// `NSCI_name`, else `DAGGER_name`.
    pub(crate) fn own_var(&self, name: &str) -> Option<&str> {
        self.var(&format!("NSCI_{name}"))
            .or_else(|| self.var(&format!("DAGGER_{name}")))
    }

    fn is_on(&self, name: &str) -> bool {
        self.own_var(name)
            .is_some_and(|value| !matches!(value, "0" | "false" | "no"))
    }

    fn home(&self) -> Option<PathBuf> {
        self.var("HOME")
            .map(PathBuf::from)
            .filter(|home| home.is_absolute())
    }

    /// A base directory of the XDG kind.
    pub(crate) fn base(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        let named = self
            .var(variable)
            .map(PathBuf::from)
            .filter(|path| path.is_absolute());
        named.or_else(|| Some(self.home()?.join(below_home)))
    }
}

/// What commands work with.
#[derive(Debug)]
pub(crate) struct Settings {
    /// What surrounds the process.
    pub(crate) around: Surroundings,
    /// Directory to work in, absolute.
    pub(crate) workdir: PathBuf,
    /// Module that was asked for.
    pub(crate) module: Option<String>,
    /// Version of the API to behave like, whatever clients say.
    pub(crate) compat: Option<View>,
    /// How progress is shown.
    pub(crate) mode: Mode,
    /// How much of it.
    pub(crate) detail: Detail,
    /// The configuration.
    pub(crate) config: Config,
    /// The command that looks at a step that failed, if the user wants to.
    pub(crate) on_failure: Option<Vec<String>>,
}

impl Settings {
    /// Version of the API that this command speaks itself.
    pub(crate) fn view(&self) -> View {
        self.compat.unwrap_or(View::LATEST)
    }

    /// Makes sense of flags and surroundings.
    ///
    /// # Errors
    /// Values that cannot be, and a configuration file that is wrong.
    pub(crate) fn new(globals: &Globals, around: Surroundings) -> Result<Self, Failure> {
        let config = config(&around)?;
        let own = |name: &str| around.own_var(name).map(str::to_owned);
        let workdir = match globals.workdir.clone().or_else(|| own("WORKDIR")) {
            None => around.cwd.clone(),
            Some(path) => directory(&around.cwd, &path)?,
        };
        let compat = match globals.compat.clone().or_else(|| own("COMPAT")) {
            None => None,
            Some(text) => {
                let view = text.parse();
                Some(view.map_err(|error| Failure::usage(format!("--compat: {error}")))?)
            }
        };
        let module = globals.module.clone().or_else(|| own("MODULE"));
        Ok(Self {
            workdir,
            module: module.filter(|_| !globals.no_module),
            compat,
            mode: mode(globals, &around, &config)?,
            detail: detail(globals, &around, &config)?,
            on_failure: globals.interactive.then(|| {
                let shell = globals.interactive_command.as_deref().unwrap_or_default();
                shell.split_whitespace().map(str::to_owned).collect()
            }),
            config,
            around,
        })
    }

    /// Where the store is.
    ///
    /// # Errors
    /// If nothing says so.
    pub(crate) fn store_dir(&self) -> Result<PathBuf, Failure> {
        let around = &self.around;
        let named = around
            .var("NSCI_DATA_DIR")
            .or_else(|| around.var("NSCI_CACHE_DIR"));
        if let Some(path) = named {
            return Ok(around.cwd.join(path));
        }
        if let Some(path) = &self.config.cache.dir {
            return Ok(path.clone());
        }
        let base = around.base("XDG_DATA_HOME", ".local/share");
        base.map(|base| base.join("nsci")).ok_or_else(|| {
            Failure::usage("there is no place for the cache: HOME is not set")
                .hint("set HOME or NSCI_DATA_DIR")
        })
    }

    /// Directory of all sessions' run-time states of this user.
    pub(crate) fn state_base(&self) -> PathBuf {
        let around = &self.around;
        match around.var("XDG_RUNTIME_DIR").map(Path::new) {
            Some(path) if is_own_tmpfs(path, around.uid) => path.join("nsci"),
            _ => PathBuf::from(format!("/dev/shm/nsci-{}", around.uid)),
        }
    }

    /// Everything a session needs.
    ///
    /// # Errors
    /// If there is no place for the store.
    pub(crate) fn session(
        &self,
        id_map: IdMap,
        events: Events,
        terminal: Arc<dyn Terminal>,
    ) -> Result<SessionSettings, Failure> {
        Ok(SessionSettings {
            store_dir: self.store_dir()?,
            state_dir: self.state_base().join(self.around.pid.to_string()),
            config: self.config.clone(),
            auth: self.auth(),
            policy: self.policy(),
            host: ClientHost {
                env: self.around.env.clone(),
                workdir: self.workdir.clone(),
                home: self.around.home(),
            },
            facts: self.facts()?,
            id_map,
            events,
            terminal,
            on_failure: self.on_failure.clone(),
            view: self.compat,
        })
    }

    fn auth(&self) -> AuthSources {
        let around = &self.around;
        let file = |base: Option<PathBuf>, path: &str| base.map(|base| base.join(path));
        let docker = match around.var("DOCKER_CONFIG") {
            Some(path) => Some(around.cwd.join(path)),
            None => around.home().map(|home| home.join(".docker")),
        };
        let files = [
            around
                .var("REGISTRY_AUTH_FILE")
                .map(|path| around.cwd.join(path)),
            file(
                around.var("XDG_RUNTIME_DIR").map(PathBuf::from),
                "containers/auth.json",
            ),
            file(
                around.base("XDG_CONFIG_HOME", ".config"),
                "containers/auth.json",
            ),
            file(docker, "config.json"),
        ];
        let helper = |(host, registry): (&String, &nsci::config::RegistryConfig)| {
            Some((host.clone(), registry.credential_helper.clone()?))
        };
        AuthSources {
            explicit: Vec::new(),
            helpers: self.config.registries.iter().filter_map(helper).collect(),
            files: files.into_iter().flatten().collect(),
            helper_dirs: Vec::new(),
        }
    }

    fn policy(&self) -> ProxyOptions {
        let mut options = ProxyOptions::default();
        if let Some(base) = self.around.base("XDG_CONFIG_HOME", ".config") {
            options
                .policy_files
                .insert(0, base.join("containers/policy.json"));
        }
        options
    }

    fn facts(&self) -> Result<HostFacts, Failure> {
        Ok(HostFacts {
            env: step_env(&self.around),
            ca_bundle: self.ca_bundle(),
            source_date_epoch: source_date_epoch(&self.around)?,
        })
    }

    /// Certificates that the host trusts besides the usual ones; none if it trusts only those.
    fn ca_bundle(&self) -> Option<PathBuf> {
        if let Some(path) = &self.config.network.ca_file {
            return Some(path.clone());
        }
        let named = ["SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE"];
        let named = named.iter().filter_map(|name| self.around.var(name));
        if let Some(path) = named
            .map(|path| self.around.cwd.join(path))
            .find(|path| path.is_file())
        {
            return Some(path);
        }
        let own = fs::read_dir("/usr/local/share/ca-certificates").is_ok_and(|entries| {
            entries
                .flatten()
                .any(|entry| entry.path().extension().is_some_and(|e| e == "crt"))
        });
        let bundle = Path::new("/etc/ssl/certs/ca-certificates.crt");
        (own && bundle.is_file()).then(|| bundle.to_owned())
    }
}

/// The time that builds are said to be of, in seconds since 1970.
fn source_date_epoch(around: &Surroundings) -> Result<Option<i64>, Failure> {
    let parse = |text: &str| text.parse().ok().filter(|seconds| *seconds >= 0);
    match around.var("SOURCE_DATE_EPOCH") {
        None => Ok(None),
        Some(text) => parse(text).map(Some).ok_or_else(|| {
            Failure::usage(format!(
                "SOURCE_DATE_EPOCH is `{text}`, which is no number of seconds since 1970"
            ))
        }),
    }
}

/// Variables that steps get from the host: proxies, and what is passed on by a name of its own.
fn step_env(around: &Surroundings) -> Vec<(String, String)> {
    let proxies = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"];
    let both = proxies
        .iter()
        .flat_map(|name| [(*name).to_owned(), name.to_ascii_lowercase()]);
    let mut env: Vec<(String, String)> = both
        .filter_map(|name| Some((name.clone(), around.var(&name)?.to_owned())))
        .collect();
    // The later wins.
    for prefix in ["_DAGGER_ENGINE_SYSTEMENV_", "_NSCI_SYSTEMENV_"] {
        let passed = around.env.iter().filter_map(|(name, value)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        });
        let mut passed: Vec<_> = passed.filter(|(name, _)| !name.is_empty()).collect();
        passed.sort();
        for (name, value) in passed {
            env.retain(|(known, _)| *known != name);
            env.push((name, value));
        }
    }
    env
}

fn config(around: &Surroundings) -> Result<Config, Failure> {
    let named = around.var("NSCI_CONFIG").map(|path| around.cwd.join(path));
    let usual = || {
        Some(
            around
                .base("XDG_CONFIG_HOME", ".config")?
                .join("nsci/config.toml"),
        )
    };
    let path = named.clone().or_else(usual);
    let mut config = match path.as_deref().map(|path| (path, fs::read_to_string(path))) {
        None => Config::default(),
        Some((path, Ok(text))) => Config::parse(&text, &path.display().to_string())
            .map_err(|error| Failure::usage(error.to_string()))?,
        Some((_, Err(error))) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
            Config::default()
        }
        Some((path, Err(error))) => {
            return Err(Failure::usage(format!("cannot read {}", path.display())).because(&error));
        }
    };
    if let Some(text) = around.var("NSCI_REGISTRY_MIRRORS") {
        let mirrors = parse_mirrors(text)
            .map_err(|error| Failure::usage(format!("NSCI_REGISTRY_MIRRORS: {error}")))?;
        config.merge_mirrors(mirrors);
    }
    Ok(config)
}

/// A directory that must exist, absolute.
fn directory(cwd: &Path, path: &str) -> Result<PathBuf, Failure> {
    let full = cwd.join(path);
    match fs::metadata(&full) {
        Ok(meta) if meta.is_dir() => Ok(full),
        Ok(_) => Err(Failure::usage(format!(
            "cannot work in {path}: it is no directory"
        ))),
        Err(error) => Err(Failure::usage(format!("cannot work in {path}")).because(&error)),
    }
}

fn mode(globals: &Globals, around: &Surroundings, config: &Config) -> Result<Mode, Failure> {
    if globals.silent || around.is_on("SILENT") {
        return Ok(Mode::Silent);
    }
    let is_dumb = around.var("TERM") == Some("dumb");
    let tty = Mode::Tty {
        color: around.var("NO_COLOR").is_none() && !is_dumb,
    };
    let auto = if around.stderr_is_terminal && !is_dumb {
        tty
    } else {
        Mode::Plain
    };
    match globals
        .progress
        .as_deref()
        .or_else(|| around.own_var("PROGRESS"))
    {
        None => Ok(match config.progress.mode {
            ProgressMode::Auto => auto,
            ProgressMode::Tty => tty,
            ProgressMode::Plain => Mode::Plain,
            ProgressMode::Json => Mode::Json,
        }),
        Some("auto") => Ok(auto),
        Some("tty") => Ok(tty),
        // Names of other renderers that come nearest to lines.
        Some("plain" | "dots" | "logs" | "report") => Ok(Mode::Plain),
        Some("json") => Ok(Mode::Json),
        Some(other) => Err(Failure::usage(format!(
            "`{other}` is no way to show progress: expected auto, tty, plain or json"
        ))),
    }
}

fn detail(globals: &Globals, around: &Surroundings, config: &Config) -> Result<Detail, Failure> {
    let quiet = match around.own_var("QUIET") {
        None => 0,
        Some("true") => 1,
        Some("false") => 0,
        Some(text) => text.parse().map_err(|_| {
            Failure::usage(format!(
                "`{text}` is no number of times to be quiet (…_QUIET)"
            ))
        })?,
    };
    let verbose = globals.verbose.max(config.progress.verbosity);
    Ok(Detail::new(verbose, globals.quiet.max(quiet)))
}

/// What `statfs` calls a tmpfs.
const TMPFS_MAGIC: rustix::fs::FsWord = 0x0102_1994;

fn is_own_tmpfs(path: &Path, uid: u32) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let own = fs::metadata(path).is_ok_and(|meta| meta.is_dir() && meta.uid() == uid);
    own && path.is_absolute()
        && rustix::fs::statfs(path).is_ok_and(|stat| stat.f_type == TMPFS_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(env: &[(&str, &str)]) -> Surroundings {
        Surroundings {
            env: env
                .iter()
                .map(|(name, value)| ((*name).into(), (*value).into()))
                .collect(),
            cwd: "/".into(),
            ..Surroundings::default()
        }
    }

    fn settings(globals: &Globals, env: &[(&str, &str)]) -> Settings {
        Settings::new(globals, around(env)).unwrap_or_else(|e| panic!("{}", e.text(false)))
    }

    #[test]
    fn flags_beat_nsci_beats_dagger() {
        let env = [
            ("DAGGER_MODULE", "a"),
            ("NSCI_MODULE", "b"),
            ("DAGGER_PROGRESS", "json"),
        ];
        let made = settings(&Globals::default(), &env);
        assert_eq!(made.module.as_deref(), Some("b"));
        assert_eq!(made.mode, Mode::Json);
        let globals = Globals {
            module: Some("c".into()),
            progress: Some("plain".into()),
            ..Globals::default()
        };
        let made = settings(&globals, &env);
        assert_eq!(made.module.as_deref(), Some("c"));
        assert_eq!(made.mode, Mode::Plain);
    }

    #[test]
    fn auto_follows_the_terminal() {
        for (terminal, env, wanted) in [
            (false, &[][..], Mode::Plain),
            (true, &[], Mode::Tty { color: true }),
            (true, &[("NO_COLOR", "1")], Mode::Tty { color: false }),
            (true, &[("TERM", "dumb")], Mode::Plain),
            (true, &[("NSCI_SILENT", "1")], Mode::Silent),
        ] {
            let around = Surroundings {
                stderr_is_terminal: terminal,
                ..around(env)
            };
            let made = Settings::new(&Globals::default(), around).unwrap();
            assert_eq!(made.mode, wanted, "{env:?}");
        }
    }

    #[test]
    fn store_is_where_the_user_says() {
        for (env, wanted) in [
            (&[("HOME", "/h")][..], Some("/h/.local/share/nsci")),
            (&[("HOME", "/h"), ("XDG_DATA_HOME", "/x")], Some("/x/nsci")),
            (
                &[("XDG_DATA_HOME", "relative"), ("HOME", "/h")],
                Some("/h/.local/share/nsci"),
            ),
            (&[("NSCI_CACHE_DIR", "/c")], Some("/c")),
            (
                &[("NSCI_CACHE_DIR", "/c"), ("NSCI_DATA_DIR", "d")],
                Some("/d"),
            ),
            (&[], None),
        ] {
            let made = settings(&Globals::default(), env).store_dir().ok();
            assert_eq!(made, wanted.map(PathBuf::from), "{env:?}");
        }
    }

    #[test]
    fn steps_get_proxies_and_what_is_passed_on() {
        let env = step_env(&around(&[
            ("https_proxy", "http://p"),
            ("_DAGGER_ENGINE_SYSTEMENV_A", "1"),
            ("_DAGGER_ENGINE_SYSTEMENV_B", "1"),
            ("_NSCI_SYSTEMENV_A", "2"),
            ("PATH", "/bin"),
        ]));
        let pairs: Vec<(&str, &str)> = env.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(pairs, [("https_proxy", "http://p"), ("B", "1"), ("A", "2")]);
    }

    #[test]
    fn mistakes_are_named() {
        let bad = |globals: Globals, env: &[(&str, &str)]| {
            Settings::new(&globals, around(env))
                .expect_err("accepted")
                .text(false)
        };
        let progress = Globals {
            progress: Some("fancy".into()),
            ..Globals::default()
        };
        assert!(bad(progress, &[]).contains("`fancy` is no way to show progress"));
        let compat = Globals {
            compat: Some("new".into()),
            ..Globals::default()
        };
        assert!(bad(compat, &[]).contains("`new` is not a version"));
        let workdir = Globals {
            workdir: Some("/does/not/exist".into()),
            ..Globals::default()
        };
        assert!(bad(workdir, &[]).contains("cannot work in /does/not/exist"));
        assert!(
            bad(Globals::default(), &[("NSCI_REGISTRY_MIRRORS", "x")])
                .contains("`x` is not a registry mirror")
        );
        assert!(
            bad(Globals::default(), &[("NSCI_CONFIG", "/nowhere.toml")])
                .contains("cannot read /nowhere.toml")
        );
    }
}
