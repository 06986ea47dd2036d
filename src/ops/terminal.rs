//! Shells on the client's terminal: in a container, or in what a failed step left.

use super::{
    exec::{self, HOSTNAME, Request, StopOnDrop},
    world::{World, blocking},
};
use crate::{
    error::Result,
    graph::{Container, Exec},
};
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
        let cmd = match (&shell.cmd[..], &container.default_terminal) {
            ([], Some(default)) if !default.is_empty() => default.clone(),
            ([], _) => vec![SHELL.to_owned()],
            (cmd, _) => cmd.to_vec(),
        };
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
}
