//! Shells on the client's terminal: in a container, in what a failed step left, or in a service that runs.

use super::{
    exec::{self, HOSTNAME, Inside, Request, StopOnDrop},
    sandbox::sandbox_error,
    world::{World, blocking},
};
use crate::{
    error::{Error, Result},
    graph::{Container, Exec, Service, ServiceKind},
};
use nsci_runtime::Cancel;
use std::sync::Arc;

/// The shell of containers that name none.
const SHELL: &str = "sh";

/// How a shell is opened.
#[derive(Clone, Debug, Default)]
pub struct Shell {
    /// The command; the container's, or `sh`, if empty.
    pub cmd: Vec<String>,
    /// Whether it can call the API.
    pub nesting: bool,
    /// Whether it has all capabilities inside the user namespace.
    pub insecure: bool,
    /// What the user is told before it opens.
    pub greeting: Option<String>,
}

impl World {
    /// Opens a shell in a container and waits for its end. Nothing of what it does is kept.
    ///
    /// # Errors
    /// If the client has no terminal, or the container no shell.
    pub async fn shell(&self, container: &Container, shell: &Shell) -> Result<()> {
        let cmd = shell.command(container);
        let terminal = Arc::clone(&self.terminal);
        // Whoever has no terminal is told so before images are pulled for it.
        let mut screen = blocking(move || terminal.take()).await?;
        if let Some(greeting) = &shell.greeting {
            screen.say(greeting);
        }
        let exec = Exec {
            args: cmd.clone(),
            nesting: shell.nesting,
            insecure: shell.insecure,
            ..Exec::default()
        };
        let step = self.step(format!("terminal {}", cmd.join(" ")), false);
        let request = Request {
            exec: &exec,
            container,
            nested: self.nested(&exec)?,
            keep: false,
            hostname: HOSTNAME.into(),
        };
        let opened = async {
            let job = exec::plan(self, &request, step.id).await?;
            let stop_when_dropped = StopOnDrop::new(&job.cancel);
            let ended = blocking(move || job.converse(screen)).await;
            stop_when_dropped.disarm();
            ended
        };
        let result = opened.await;
        // How a shell ended is between it and the user.
        step.result(result).map(drop)
    }

    /// Opens a shell in a service, beside its command, and waits for its end. The service is started if it has to be,
    /// and keeps what the shell writes as long as it runs.
    ///
    /// # Errors
    /// If the client has no terminal, the service is no container's, or it has no shell.
    pub async fn shell_in_service(&self, service: &Service, shell: &Shell) -> Result<()> {
        let ServiceKind::Container { container, .. } = &service.kind else {
            let what = format!(
                "service `{}` has no inside to open a shell in",
                service.title()
            );
            return Err(Error::invalid(what).hint("only services of containers have one"));
        };
        let cmd = shell.command(container);
        let terminal = Arc::clone(&self.terminal);
        let screen = blocking(move || terminal.take()).await?;
        let used = self.services.acquire(service).await?;
        let inside = used.instance().inside::<Inside>().cloned();
        let inside =
            inside.ok_or_else(|| Error::internal("a container's service has no way in"))?;
        let step = self.step(
            format!("terminal {} in {}", cmd.join(" "), service.title()),
            false,
        );
        let cancel = Cancel::new().map_err(sandbox_error)?;
        let stop_when_dropped = StopOnDrop::new(&cancel);
        let result = blocking(move || inside.converse(cmd, screen, &cancel)).await;
        stop_when_dropped.disarm();
        step.result(result).map(drop)
    }
}

impl Shell {
    /// The command that is opened in a container.
    fn command(&self, container: &Container) -> Vec<String> {
        match (&self.cmd[..], &container.default_terminal) {
            ([], Some(default)) if !default.is_empty() => default.clone(),
            ([], _) => vec![SHELL.to_owned()],
            (cmd, _) => cmd.to_vec(),
        }
    }
}
