//! Fetches secrets where they are: the client's environment, files, commands, and programs and servers that keep them.

use super::{ClientHost, address::Address, vault::Vault};
use crate::{
    config::NetworkConfig,
    error::{Error, Kind, Result},
};
use std::process::Stdio;
use tokio::process::Command;

const HINT: &str = "use env://NAME, file://path, cmd://command, op://, vault:// or libsecret://";

/// Everybody who may be asked for a secret.
#[derive(Debug)]
pub(super) struct Providers {
    host: ClientHost,
    vault: Vault,
}

impl Providers {
    pub(super) fn new(host: ClientHost, network: NetworkConfig) -> Self {
        Self {
            host,
            vault: Vault::new(network),
        }
    }

    /// The client's surroundings.
    pub(super) fn host(&self) -> &ClientHost {
        &self.host
    }

    /// Fetches the secret at an address.
    pub(super) async fn fetch(&self, uri: &str) -> Result<Vec<u8>> {
        let address = Address::parse(uri);
        match address.provider {
            "env" => self.variable(address.name),
            "file" => {
                let path = self.host.path(address.name);
                tokio::fs::read(&path).await.map_err(|error| {
                    let what = format!("cannot read secret file {}", path.display());
                    Error::caused(Kind::Invalid, what, error)
                })
            }
            "cmd" => {
                let args = ["-c", address.name];
                self.command("secret command", "sh", &args).await
            }
            "op" => {
                let args = ["read", "--no-newline", uri];
                self.command("`op read`", "op", &args).await
            }
            "vault" => self.vault.fetch(&address, &self.host).await,
            "libsecret" => self.libsecret(&address).await,
            other => Err(
                Error::invalid(format!("secret provider `{other}` is not supported yet"))
                    .hint(HINT),
            ),
        }
    }

    fn variable(&self, name: &str) -> Result<Vec<u8>> {
        let value = self.host.env.get(name).ok_or_else(|| {
            // Whoever mistakes a value for a name should not find all of it in a log.
            let start: String = name.chars().take(3).collect();
            Error::invalid(format!("secret env var not found: \"{start}...\""))
                .hint("set the variable in the environment that starts nsci")
        })?;
        Ok(value.clone().into_bytes())
    }

    /// Asks the desktop's keyring by attributes, through libsecret's own program.
    async fn libsecret(&self, address: &Address<'_>) -> Result<Vec<u8>> {
        if address.options.is_empty() {
            let what = "secrets of libsecret are found by attributes only so far";
            return Err(Error::invalid(what).hint("libsecret://login?attribute=value"));
        }
        let mut args = vec!["lookup"];
        for (name, value) in &address.options {
            args.extend([&**name, &**value]);
        }
        let value = self
            .command("`secret-tool lookup`", "secret-tool", &args)
            .await?;
        Ok(value)
    }

    /// What a program prints.
    async fn command(&self, what: &str, program: &str, args: &[&str]) -> Result<Vec<u8>> {
        let output = Command::new(program)
            .args(args)
            .current_dir(&self.host.workdir)
            .env_clear()
            .envs(&self.host.env)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .map_err(|error| {
                let error = Error::caused(Kind::Host, format!("cannot run {what}"), error);
                error.hint(format!("it needs the program `{program}`"))
            })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let status = output.status;
        Err(Error::invalid(format!(
            "{what} failed with {status}: {}",
            said.trim_end()
        )))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{collections::HashMap, fs, os::unix::fs::PermissionsExt as _, path::Path};

    fn providers(env: &[(&str, &str)], workdir: &Path) -> Providers {
        let host = ClientHost {
            env: env
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect::<HashMap<_, _>>(),
            workdir: workdir.to_owned(),
            home: Some(workdir.to_owned()),
        };
        Providers::new(host, NetworkConfig::default())
    }

    /// A program of this name that prints its arguments, one a line.
    fn program(dir: &Path, name: &str) {
        let path = dir.join(name);
        fs::write(&path, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    #[tokio::test]
    async fn addresses_of_every_provider_are_fetched() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("file"), "from a file\n").unwrap();
        program(dir.path(), "op");
        program(dir.path(), "secret-tool");
        let path = format!("{}:/usr/bin:/bin", dir.path().display());
        let providers = providers(&[("TOKEN", "t"), ("PATH", &path)], dir.path());
        for (uri, want) in [
            ("env://TOKEN", "t"),
            ("env:TOKEN", "t"),
            ("TOKEN", "t"),
            ("file://file", "from a file\n"),
            ("file:~/file", "from a file\n"),
            ("cmd://printf x$TOKEN", "xt"),
            ("cmd:printf x", "x"),
            (
                "op://vault/item/field?attribute=otp",
                "read\n--no-newline\nop://vault/item/field?attribute=otp\n",
            ),
            ("libsecret://login?a=b&c=d%20e", "lookup\na\nb\nc\nd e\n"),
        ] {
            let found = providers.fetch(uri).await.unwrap();
            assert_eq!(String::from_utf8(found).unwrap(), want, "{uri}");
        }
    }

    #[tokio::test]
    async fn what_fails_says_who_and_why() {
        let dir = tempfile::tempdir().unwrap();
        let providers = providers(&[("PATH", "/usr/bin:/bin")], dir.path());
        for (uri, want) in [
            ("env://SUPERSECRET", "secret env var not found: \"SUP...\""),
            (
                "cmd://echo no >&2; exit 3",
                "secret command failed with exit status: 3: no",
            ),
            ("op://v/i/f", "cannot run `op read`"),
            ("libsecret://login/label", "by attributes only"),
            (
                "aws+sm://name",
                "secret provider `aws+sm` is not supported yet",
            ),
            ("aws+ps://name", "`aws+ps`"),
            ("gcp://name", "`gcp`"),
            ("vault://a.b", "VAULT_ADDR"),
        ] {
            let error = providers.fetch(uri).await.unwrap_err().to_string();
            assert!(error.contains(want), "{uri}: {error}");
        }
    }
}
