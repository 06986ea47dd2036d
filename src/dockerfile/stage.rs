//! One stage while its instructions are lowered: the vertex so far and what later instructions see.

use super::{Problem, words};
use crate::graph::{Configure, ImageConfig, Op, Vertex};
use std::{collections::BTreeMap, sync::Arc};

/// A stage, lowered up to some instruction.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    /// The container so far.
    pub vertex: Arc<Vertex>,
    /// Variables of the image so far.
    env: BTreeMap<String, String>,
    /// `ARG`s with a value, in the order they came.
    args: Vec<(String, String)>,
    /// Working directory, absolute.
    pub workdir: String,
    /// Shell of string commands.
    pub shell: Vec<String>,
    /// Whether this stage has set default arguments.
    pub own_cmd: bool,
    /// Triggers that this stage has declared.
    pub triggers: Vec<String>,
    escape: char,
}

impl Stage {
    /// The stage at its `FROM`.
    pub(super) fn new(vertex: Arc<Vertex>, config: &ImageConfig, escape: char) -> Self {
        let env = config.env.iter();
        let workdir = match config.workdir.as_str() {
            "" => "/",
            path => path,
        };
        Self {
            vertex,
            env: env
                .map(|var| (var.name.clone(), var.value.clone()))
                .collect(),
            args: Vec::new(),
            workdir: workdir.to_owned(),
            shell: config.shell.clone().unwrap_or_else(default_shell),
            own_cmd: false,
            triggers: Vec::new(),
            escape,
        }
    }

    /// A new stage that starts where this one ends.
    pub(super) fn continued(&self) -> Self {
        Self {
            args: Vec::new(),
            own_cmd: false,
            triggers: Vec::new(),
            ..self.clone()
        }
    }

    /// Adds an operation on the container; the other inputs follow it.
    pub(super) fn push(&mut self, op: Op, others: impl IntoIterator<Item = Arc<Vertex>>) {
        let inputs = std::iter::once(Arc::clone(&self.vertex)).chain(others);
        self.vertex = Vertex::new(op, inputs.collect());
    }

    /// Changes the configuration.
    pub(super) fn configure(&mut self, change: Configure) {
        self.push(Op::Configure(change), []);
    }

    /// Sets a variable of the image.
    pub(super) fn set_env(&mut self, name: String, value: String) {
        self.configure(Configure::Env {
            name: name.clone(),
            value: value.clone(),
            expand: false,
        });
        self.env.insert(name, value);
    }

    /// Declares an argument. Without a value it only stops being unknown.
    pub(super) fn set_arg(&mut self, name: &str, value: Option<String>) {
        self.args.retain(|(known, _)| known != name);
        self.args
            .extend(value.map(|value| (name.to_owned(), value)));
    }

    /// The arguments that commands see: variables of the image hide those of their name.
    pub(super) fn visible_args(&self) -> Vec<(String, String)> {
        let args = self.args.iter();
        args.filter(|(name, _)| !self.env.contains_key(name))
            .cloned()
            .collect()
    }

    /// Whether the image sets a variable.
    pub(super) fn has_env(&self, name: &str) -> bool {
        self.env.contains_key(name)
    }

    fn lookup<'a>(&'a self, name: &str) -> Option<&'a str> {
        let arg = || {
            self.args
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value)
        };
        self.env.get(name).or_else(arg).map(String::as_str)
    }

    /// Replaces variables and takes quotes away.
    pub(super) fn expand(&self, word: &str, line: usize) -> Result<String, Problem> {
        words::expand(word, self.escape, &|name| self.lookup(name))
            .map_err(|message| Problem::at(line, message))
    }

    /// Replaces variables and leaves quotes alone.
    pub(super) fn expand_text(&self, text: &str, line: usize) -> Result<String, Problem> {
        words::expand_text(text, self.escape, &|name| self.lookup(name))
            .map_err(|message| Problem::at(line, message))
    }

    /// Moves the working directory.
    pub(super) fn set_workdir(&mut self, path: &str) {
        let joined = match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{}/{path}", self.workdir),
        };
        let mut parts: Vec<&str> = Vec::new();
        for part in joined.split('/') {
            match part {
                "" | "." => {}
                ".." => drop(parts.pop()),
                part => parts.push(part),
            }
        }
        self.workdir = format!("/{}", parts.join("/"));
        let path = Some(self.workdir.clone());
        self.configure(Configure::Workdir {
            path,
            expand: false,
        });
    }
}

/// Docker's shell for Linux.
pub(super) fn default_shell() -> Vec<String> {
    vec!["/bin/sh".into(), "-c".into()]
}
