//! `RUN`: its mounts, its arguments and the command itself.

use super::{
    Problem,
    instruction::Command,
    lines::{Document, Flag},
    lower::Lowering,
    stage::Stage,
};
use crate::graph::{
    CacheSharing, Configure, Exec, MountSource, Op, Ownership, Select, Vertex, VolumeRef,
};
use std::sync::Arc;

/// Where the socket of the ssh agent appears by default.
const SSH_SOCKET: &str = "/run/buildkit/ssh_agent.0";

/// Directory of here-documents that are run as programs.
const SCRIPTS: &str = "/run/nsci";

/// Arguments that commands see without being declared.
const PROXIES: [&str; 10] = [
    "HTTP_PROXY",
    "http_proxy",
    "HTTPS_PROXY",
    "https_proxy",
    "FTP_PROXY",
    "ftp_proxy",
    "NO_PROXY",
    "no_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// What must be undone after the command, last first.
enum Undo {
    Mount(String),
    Env(String),
    Secret(String),
}

impl Lowering<'_> {
    pub(super) fn run(
        &self,
        stage: &mut Stage,
        line: usize,
        command: &Command,
        flags: &[Flag],
        documents: &[Document],
    ) -> Result<(), Problem> {
        let mut undo = Vec::new();
        let mut exec = Exec {
            no_init: self.build.no_init,
            ..Exec::default()
        };
        for flag in flags {
            let value = stage.expand(flag.value.as_deref().unwrap_or_default(), line)?;
            match (flag.name.as_str(), value.as_str()) {
                ("mount", options) => {
                    let options = Options::read(options, line)?;
                    self.mount(stage, &options, &mut undo)?;
                }
                ("network", "default") | ("security", "sandbox") => {}
                ("security", "insecure") => exec.insecure = true,
                ("network", "none") => exec.offline = true,
                ("network", "host") => {
                    return Err(
                        Problem::at(line, "--network=host is not supported: steps never have the host's network")
                            .hint("leave it out; `network.allow` in the configuration opens addresses of the host"),
                    );
                }
                (name, other) => {
                    return Err(Problem::at(line, format!("--{name} cannot be `{other}`")));
                }
            }
        }
        let proxies = PROXIES.iter().filter_map(|name| {
            let value = self.build.args.get(*name)?;
            (!stage.has_env(name)).then(|| ((*name).to_owned(), value.clone()))
        });
        let args = proxies.chain(stage.visible_args()).collect::<Vec<_>>();
        for (name, value) in args {
            undo.push(Undo::Env(name.clone()));
            stage.configure(Configure::Env {
                name,
                value,
                expand: false,
            });
        }
        exec.args = command_args(stage, command, documents, &mut undo);
        stage.push(Op::Exec(Box::new(exec)), []);
        for done in undo.into_iter().rev() {
            match done {
                Undo::Mount(target) => stage.push(
                    Op::Unmount {
                        target,
                        expand: false,
                    },
                    [],
                ),
                Undo::Env(name) => stage.configure(Configure::WithoutEnv { name }),
                Undo::Secret(name) => stage.configure(Configure::WithoutSecretEnv { name }),
            }
        }
        Ok(())
    }

    fn mount(
        &self,
        stage: &mut Stage,
        options: &Options<'_>,
        undo: &mut Vec<Undo>,
    ) -> Result<(), Problem> {
        let line = options.line;
        let kind = options.text("type").unwrap_or("bind");
        let mut target = options
            .first(&["target", "dst", "destination"])
            .map(str::to_owned);
        let (source, from): (MountSource, Option<Arc<Vertex>>) = match kind {
            "bind" => {
                options.only(&["from", "source", "src", "rw", "readwrite", "ro", "readonly"])?;
                let from = self.bind_source(options, line)?;
                let readonly = !options.switch(&["rw", "readwrite"])?;
                (MountSource::Bind { readonly }, Some(from))
            }
            "cache" => {
                options.only(&[
                    "id",
                    "sharing",
                    "from",
                    "source",
                    "src",
                    "mode",
                    "uid",
                    "gid",
                    "ro",
                    "readonly",
                    "rw",
                    "readwrite",
                ])?;
                let id = options
                    .text("id")
                    .map(str::to_owned)
                    .or_else(|| target.clone());
                let volume = VolumeRef {
                    namespace: "dockerfile".into(),
                    key: id.unwrap_or_default(),
                };
                let sharing = match options.text("sharing") {
                    None | Some("shared") => CacheSharing::Shared,
                    Some("private") => CacheSharing::Private,
                    Some("locked") => CacheSharing::Locked,
                    Some(other) => {
                        return Err(Problem::at(line, format!("sharing cannot be `{other}`"))
                            .hint("it can be shared, private or locked"));
                    }
                };
                let owner = options.owner()?;
                let from = match options.text("from") {
                    Some(_) => Some(self.bind_source(options, line)?),
                    None => None,
                };
                (
                    MountSource::Cache {
                        volume,
                        sharing,
                        owner,
                    },
                    from,
                )
            }
            "tmpfs" => {
                options.only(&["size"])?;
                let size = options
                    .text("size")
                    .map(|size| bytes(size, line))
                    .transpose()?;
                (MountSource::Temp { size }, None)
            }
            "secret" => return self.secret(stage, options, target, undo),
            "ssh" => {
                options.only(&["id", "required", "mode", "uid", "gid"])?;
                let Some(socket) = self.build.ssh.clone() else {
                    return match options.switch(&["required"])? {
                        true => Err(Problem::at(line, "no ssh agent was given to this build")
                            .hint("pass `ssh`, a socket of the host, to dockerBuild")),
                        false => Ok(()),
                    };
                };
                let path = target.get_or_insert_with(|| SSH_SOCKET.to_owned());
                if !stage.has_env("SSH_AUTH_SOCK") {
                    undo.push(Undo::Env("SSH_AUTH_SOCK".into()));
                    stage.configure(Configure::Env {
                        name: "SSH_AUTH_SOCK".into(),
                        value: path.clone(),
                        expand: false,
                    });
                }
                (
                    MountSource::Socket {
                        socket,
                        owner: options.owner()?,
                    },
                    None,
                )
            }
            other => {
                return Err(
                    Problem::at(line, format!("there is no mount of type `{other}`"))
                        .hint("types are bind, cache, tmpfs, secret and ssh"),
                );
            }
        };
        let target =
            target.ok_or_else(|| Problem::at(line, format!("the {kind} mount needs a target")))?;
        undo.push(Undo::Mount(target.clone()));
        stage.push(
            Op::Mount {
                target,
                source,
                expand: false,
            },
            from,
        );
        Ok(())
    }

    fn bind_source(&self, options: &Options<'_>, line: usize) -> Result<Arc<Vertex>, Problem> {
        let root = match options.text("from") {
            Some(name) => self.rootfs_of(name, line)?,
            None => Arc::clone(&self.build.context),
        };
        let path = options.first(&["source", "src"]).unwrap_or("/");
        let select = Select::Directory {
            path: path.to_owned(),
            expand: false,
        };
        Ok(Vertex::new(Op::Select(select), vec![root]))
    }

    fn secret(
        &self,
        stage: &mut Stage,
        options: &Options<'_>,
        target: Option<String>,
        undo: &mut Vec<Undo>,
    ) -> Result<(), Problem> {
        options.only(&["id", "env", "required", "mode", "uid", "gid"])?;
        let line = options.line;
        let from_target = target
            .as_deref()
            .and_then(|path| path.rsplit('/').next())
            .map(str::to_owned);
        let id = options
            .text("id")
            .map(str::to_owned)
            .or(from_target)
            .ok_or_else(|| Problem::at(line, "the secret mount needs an id or a target"))?;
        let known = self.build.secrets.iter().find(|(name, _)| *name == id);
        let Some((_, secret)) = known else {
            return match options.switch(&["required"])? {
                true => Err(
                    Problem::at(line, format!("no secret `{id}` was given to this build"))
                        .hint("pass it in `secrets` of dockerBuild; its name is the id"),
                ),
                false => Ok(()),
            };
        };
        if let Some(name) = options.text("env") {
            undo.push(Undo::Secret(name.to_owned()));
            stage.configure(Configure::SecretEnv {
                name: name.to_owned(),
                secret: secret.clone(),
            });
            if target.is_none() {
                return Ok(());
            }
        }
        let target = target.unwrap_or_else(|| format!("/run/secrets/{id}"));
        let source = MountSource::Secret {
            secret: secret.clone(),
            owner: options.owner()?,
            mode: options.mode(0o400)?,
        };
        undo.push(Undo::Mount(target.clone()));
        stage.push(
            Op::Mount {
                target,
                source,
                expand: false,
            },
            [],
        );
        Ok(())
    }
}

/// Arguments of the process that a command means.
fn command_args(
    stage: &mut Stage,
    command: &Command,
    documents: &[Document],
    undo: &mut Vec<Undo>,
) -> Vec<String> {
    let text = match command {
        Command::Exec(args) => return args.clone(),
        Command::Shell(text) => text,
    };
    let alone = !text.contains(char::is_whitespace);
    let script = match documents {
        [] => text.clone(),
        // The document is the command, or a program with an interpreter of its own.
        [document] if alone && document.text.starts_with("#!") => {
            let target = format!("{SCRIPTS}/{}", document.name);
            let file = Op::NewFile {
                name: document.name.clone(),
                contents: document.text.clone(),
                permissions: 0o755,
            };
            let source = MountSource::File {
                owner: Ownership::Unchanged,
            };
            undo.push(Undo::Mount(target.clone()));
            let mount = Op::Mount {
                target: target.clone(),
                source,
                expand: false,
            };
            stage.push(mount, [Vertex::new(file, vec![])]);
            return vec![target];
        }
        [document] if alone => document.text.clone(),
        documents => {
            let mut script = format!("{text}\n");
            for document in documents {
                script.push_str(&document.text);
                script.push_str(&document.name);
                script.push('\n');
            }
            script
        }
    };
    let mut args = stage.shell.clone();
    args.push(script);
    args
}

/// The comma-separated options of a mount.
struct Options<'a> {
    line: usize,
    pairs: Vec<(&'a str, Option<&'a str>)>,
}

impl<'a> Options<'a> {
    fn read(text: &'a str, line: usize) -> Result<Self, Problem> {
        let pairs = text.split(',').filter(|part| !part.is_empty()).map(|part| {
            match part.split_once('=') {
                Some((name, value)) => (name, Some(value)),
                None => (part, None),
            }
        });
        let pairs: Vec<_> = pairs.collect();
        match pairs.is_empty() {
            true => Err(Problem::at(line, "--mount needs options")
                .hint("--mount=type=cache,target=/root/.cache")),
            false => Ok(Self { line, pairs }),
        }
    }

    /// Fails if there is an option besides these and those of every mount.
    fn only(&self, known: &[&str]) -> Result<(), Problem> {
        let common = ["type", "target", "dst", "destination"];
        let unknown = self
            .pairs
            .iter()
            .find(|(name, _)| !common.contains(name) && !known.contains(name));
        match unknown {
            None => Ok(()),
            Some((name, _)) => Err(Problem::at(
                self.line,
                format!("this type of mount has no option `{name}`"),
            )
            .hint(format!("it has target, {}", known.join(", ")))),
        }
    }

    fn text(&self, name: &str) -> Option<&'a str> {
        let pair = self.pairs.iter().rev().find(|(known, _)| *known == name)?;
        pair.1
    }

    fn first(&self, names: &[&str]) -> Option<&'a str> {
        names.iter().find_map(|name| self.text(name))
    }

    fn switch(&self, names: &[&str]) -> Result<bool, Problem> {
        match self
            .pairs
            .iter()
            .rev()
            .find(|(known, _)| names.contains(known))
        {
            None => Ok(false),
            Some((_, None | Some("true" | "1"))) => Ok(true),
            Some((_, Some("false" | "0"))) => Ok(false),
            Some((name, Some(other))) => Err(Problem::at(
                self.line,
                format!("{name} is true or false, not `{other}`"),
            )),
        }
    }

    fn number(&self, name: &str, radix: u32) -> Result<Option<u32>, Problem> {
        self.text(name)
            .map(|text| {
                u32::from_str_radix(text, radix).map_err(|_| {
                    Problem::at(self.line, format!("{name} is a number, not `{text}`"))
                })
            })
            .transpose()
    }

    fn mode(&self, default: u32) -> Result<u32, Problem> {
        Ok(self.number("mode", 8)?.unwrap_or(default))
    }

    fn owner(&self) -> Result<Ownership, Problem> {
        let ids = (self.number("uid", 10)?, self.number("gid", 10)?);
        Ok(match ids {
            (None, None) => Ownership::Unchanged,
            (uid, gid) => Ownership::Named(format!("{}:{}", uid.unwrap_or(0), gid.unwrap_or(0))),
        })
    }
}

/// Reads `64m`, `1g` or a plain number of bytes.
fn bytes(text: &str, line: usize) -> Result<u64, Problem> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_suffix('b').unwrap_or(&lower);
    let (digits, shift) = match lower.char_indices().next_back() {
        Some((at, 'k')) => (&lower[..at], 10),
        Some((at, 'm')) => (&lower[..at], 20),
        Some((at, 'g')) => (&lower[..at], 30),
        _ => (lower, 0),
    };
    digits
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| Problem::at(line, format!("`{text}` is no size")).hint("size=64m"))
}
