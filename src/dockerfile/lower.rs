//! From instructions to vertices, stage by stage.

use super::{
    Problem,
    instruction::{self, Command, Healthcheck, Instruction, What},
    lines,
    stage::Stage,
    words,
};
use crate::{
    error::Result,
    graph::{
        Configure, Copy, Edit, Healthcheck as ImageHealthcheck, ImageConfig, Op, Ownership, Port,
        Protocol, SecretRef, SocketRef, Vertex, nanoseconds,
    },
};
use futures_util::future::{BoxFuture, try_join_all};
use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

/// `PATH` of images from scratch.
const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What lowering asks of the world.
pub trait Bases: Sync {
    /// The configuration of an image, from the container that it makes.
    fn config<'a>(&'a self, image: &'a Arc<Vertex>) -> BoxFuture<'a, Result<ImageConfig>>;
}

/// A Dockerfile and what it is built with.
#[derive(Debug)]
pub struct Build<'a> {
    /// Its text.
    pub text: &'a str,
    /// Its name, for errors.
    pub file: &'a str,
    /// The directory that `COPY` sees.
    pub context: Arc<Vertex>,
    /// Platform of the result.
    pub platform: String,
    /// Platform of this machine.
    pub host: String,
    /// Values of `ARG`s.
    pub args: BTreeMap<String, String>,
    /// The stage that is wanted; the last if empty.
    pub target: &'a str,
    /// Secrets by the id that mounts use.
    pub secrets: Vec<(String, SecretRef)>,
    /// Socket of the ssh agent.
    pub ssh: Option<SocketRef>,
    /// Whether commands are process 1 themselves.
    pub no_init: bool,
}

/// The container that a Dockerfile describes.
///
/// # Errors
/// With file, line and what to do, if the Dockerfile is not right; or if a base image is not there.
pub async fn lower(build: &Build<'_>, bases: &dyn Bases) -> Result<Arc<Vertex>> {
    let plan = Plan::read(build).map_err(|problem| problem.into_error(build.file))?;
    let configs = plan.base_configs(bases).await?;
    plan.vertices(&configs)
        .map_err(|problem| problem.into_error(build.file))
}

/// The stages of a file.
struct Plan<'a> {
    build: &'a Build<'a>,
    escape: char,
    stages: Vec<Source>,
    /// Values of the arguments above the first `FROM`.
    globals: BTreeMap<String, String>,
    /// The stages that are needed, the target last.
    needed: Vec<usize>,
}

/// One stage before it is lowered.
struct Source {
    line: usize,
    name: Option<String>,
    base: Base,
    platform: String,
    body: Vec<Instruction>,
}

enum Base {
    Scratch,
    Stage(usize),
    Image(String),
}

impl<'a> Plan<'a> {
    fn read(build: &'a Build<'a>) -> Result<Self, Problem> {
        let file = lines::read(build.text)?;
        let mut plan = Self {
            build,
            escape: file.escape,
            stages: Vec::new(),
            globals: platform_args(build),
            needed: Vec::new(),
        };
        for line in &file.lines {
            let instruction = instruction::parse(line, file.escape)?;
            match (&instruction.what, plan.stages.last_mut()) {
                (
                    What::From {
                        image,
                        platform,
                        name,
                    },
                    _,
                ) => {
                    plan.begin(instruction.line, image, platform.as_deref(), name.clone())?;
                }
                (_, Some(stage)) => stage.body.push(instruction),
                (What::Arg(args), None) => plan.global_args(args, instruction.line)?,
                (_, None) => {
                    return Err(Problem::at(
                        instruction.line,
                        format!("{} comes before the first FROM", line.keyword),
                    )
                    .hint("only ARG may stand above FROM"));
                }
            }
        }
        if plan.stages.is_empty() {
            return Err(Problem::at(1, "there is no FROM").hint("start with FROM image"));
        }
        plan.needed = plan.needed_for(plan.target()?);
        Ok(plan)
    }

    fn global_args(
        &mut self,
        args: &[(String, Option<String>)],
        line: usize,
    ) -> Result<(), Problem> {
        for (name, default) in args {
            let value = match (self.build.args.get(name), default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.expand(default, line)?,
                (None, None) => continue,
            };
            self.globals.insert(name.clone(), value);
        }
        Ok(())
    }

    fn expand(&self, word: &str, line: usize) -> Result<String, Problem> {
        let lookup = |name: &str| self.globals.get(name).map(String::as_str);
        words::expand(word, self.escape, &lookup).map_err(|message| Problem::at(line, message))
    }

    fn begin(
        &mut self,
        line: usize,
        image: &str,
        platform: Option<&str>,
        name: Option<String>,
    ) -> Result<(), Problem> {
        let platform = match platform {
            Some(platform) => self.expand(platform, line)?,
            None => self.build.platform.clone(),
        };
        let reference = self.expand(image, line)?;
        let base = match reference.as_str() {
            "" => {
                return Err(Problem::at(line, format!("`{image}` is empty"))
                    .hint("give the ARG a default above FROM, or pass it as a build argument"));
            }
            "scratch" => Base::Scratch,
            other => match self.named(other) {
                Some(at) => Base::Stage(at),
                None => Base::Image(other.to_owned()),
            },
        };
        self.stages.push(Source {
            line,
            name,
            base,
            platform,
            body: Vec::new(),
        });
        Ok(())
    }

    fn named(&self, name: &str) -> Option<usize> {
        let name = name.to_ascii_lowercase();
        self.stages
            .iter()
            .rposition(|stage| stage.name.as_deref() == Some(name.as_str()))
    }

    /// A stage by name or number.
    fn find(&self, name: &str) -> Option<usize> {
        let number = || name.parse().ok().filter(|at| *at < self.stages.len());
        self.named(name).or_else(number)
    }

    fn target(&self) -> Result<usize, Problem> {
        let wanted = self.build.target;
        if wanted.is_empty() {
            return Ok(self.stages.len() - 1);
        }
        self.find(wanted).ok_or_else(|| {
            let names = self.stages.iter().filter_map(|stage| stage.name.as_deref());
            let names = names.collect::<Vec<_>>().join(", ");
            Problem::at(1, format!("there is no stage `{wanted}`")).hint(match names.as_str() {
                "" => "no stage has a name: write FROM image AS name".to_owned(),
                names => format!("stages are {names}"),
            })
        })
    }

    /// The stages that a target needs, each behind those it uses.
    fn needed_for(&self, target: usize) -> Vec<usize> {
        let mut needed = BTreeSet::from([target]);
        for at in (0..=target).rev() {
            if !needed.contains(&at) {
                continue;
            }
            let stage = &self.stages[at];
            if let Base::Stage(base) = stage.base {
                needed.insert(base);
            }
            let used = stage
                .body
                .iter()
                .flat_map(|instruction| sources_of(&instruction.what));
            // A stage cannot use itself or a later one; lowering says so where it tries.
            needed.extend(
                used.filter_map(|name| self.find(name))
                    .filter(|other| *other < at),
            );
        }
        needed.into_iter().collect()
    }

    /// Configurations of the images that needed stages start from, fetched together.
    async fn base_configs(&self, bases: &dyn Bases) -> Result<HashMap<usize, ImageConfig>> {
        let images = self.needed.iter().filter_map(|at| {
            let stage = &self.stages[*at];
            match &stage.base {
                Base::Image(image) => Some((*at, image_vertex(image, &stage.platform))),
                _ => None,
            }
        });
        let found = images.map(|(at, vertex)| async move {
            Ok::<_, crate::error::Error>((at, bases.config(&vertex).await?))
        });
        Ok(try_join_all(found).await?.into_iter().collect())
    }

    fn vertices(&self, configs: &HashMap<usize, ImageConfig>) -> Result<Arc<Vertex>, Problem> {
        let mut lowering = Lowering {
            build: self.build,
            plan: self,
            done: vec![None; self.stages.len()],
        };
        for at in &self.needed {
            lowering.done[*at] = Some(lowering.stage(*at, configs.get(at))?);
        }
        let target = self.needed.last().and_then(|at| lowering.done[*at].take());
        Ok(target.expect("the target is needed").vertex)
    }
}

/// Lowers the stages of a plan, in order.
pub(super) struct Lowering<'a> {
    pub(super) build: &'a Build<'a>,
    plan: &'a Plan<'a>,
    /// The stages lowered so far.
    pub(super) done: Vec<Option<Stage>>,
}

impl Lowering<'_> {
    /// A stage by name or number.
    pub(super) fn stage_named(&self, name: &str) -> Option<usize> {
        self.plan.find(name)
    }

    /// The container of an image.
    pub(super) fn image(&self, reference: &str, platform: &str) -> Arc<Vertex> {
        image_vertex(reference, platform)
    }

    fn stage(&self, at: usize, config: Option<&ImageConfig>) -> Result<Stage, Problem> {
        let source = &self.plan.stages[at];
        let escape = self.plan.escape;
        let empty = ImageConfig::default();
        let config = config.unwrap_or(&empty);
        let mut stage = match &source.base {
            Base::Scratch => {
                let mut stage = Stage::new(scratch(&source.platform), &empty, escape);
                stage.set_env("PATH".into(), DEFAULT_PATH.into());
                stage
            }
            Base::Image(image) => {
                let vertex = image_vertex(image, &source.platform);
                Stage::new(vertex, config, escape)
            }
            Base::Stage(base) => match &self.done[*base] {
                Some(base) => base.continued(),
                None => return Err(Problem::at(source.line, "this stage builds on a later one")),
            },
        };
        let triggers = match &source.base {
            Base::Stage(base) => self.done[*base].as_ref().map(|base| base.triggers.clone()),
            _ => Some(config.on_build.clone()),
        };
        if let Some(triggers) = triggers.filter(|triggers| !triggers.is_empty()) {
            stage.configure(Configure::OnBuild(Vec::new()));
            for trigger in &triggers {
                self.trigger(&mut stage, trigger, source.line)?;
            }
        }
        for instruction in &source.body {
            self.apply(&mut stage, instruction)?;
        }
        Ok(stage)
    }

    /// Carries out what a base image wants done first.
    fn trigger(&self, stage: &mut Stage, text: &str, line: usize) -> Result<(), Problem> {
        let wrong = |problem: Problem| {
            Problem::at(
                line,
                format!("trigger `{text}` of the base image: {}", problem.message),
            )
        };
        for trigger in lines::read(text).map_err(wrong)?.lines {
            let mut instruction = instruction::parse(&trigger, self.plan.escape).map_err(wrong)?;
            instruction.line = line;
            self.apply(stage, &instruction).map_err(wrong)?;
        }
        Ok(())
    }

    fn apply(&self, stage: &mut Stage, instruction: &Instruction) -> Result<(), Problem> {
        let line = instruction.line;
        match &instruction.what {
            What::From { .. } => return Err(Problem::at(line, "FROM cannot stand here")),
            What::Arg(args) => self.args(stage, args, line)?,
            What::Env(pairs) => {
                // All see the variables as they were before the line.
                let mut values = Vec::new();
                for (name, value) in pairs {
                    values.push((stage.expand(name, line)?, stage.expand(value, line)?));
                }
                for (name, value) in values {
                    stage.set_env(name, value);
                }
            }
            What::Label(pairs) => {
                for (name, value) in pairs {
                    let name = stage.expand(name, line)?;
                    let value = Some(stage.expand(value, line)?);
                    stage.configure(Configure::Label { name, value });
                }
            }
            What::Run {
                command,
                flags,
                documents,
            } => {
                self.run(stage, line, command, flags, documents)?;
            }
            What::Cmd(command) => {
                let args = Some(in_shell(stage, command));
                stage.configure(Configure::DefaultArgs { args });
                stage.own_cmd = true;
            }
            What::Entrypoint(command) => {
                let args = Some(in_shell(stage, command)).filter(|args| !args.is_empty());
                let keep_default_args = stage.own_cmd;
                stage.configure(Configure::Entrypoint {
                    args,
                    keep_default_args,
                });
            }
            What::Copy(copy) => self.copy(stage, line, copy)?,
            What::Expose(ports) => {
                for port in ports {
                    let text = stage.expand(port, line)?;
                    for port in read_ports(&text, line)? {
                        stage.configure(Configure::ExposedPort(port));
                    }
                }
            }
            What::User(name) => {
                let name = Some(stage.expand(name, line)?);
                stage.configure(Configure::User { name });
            }
            What::Workdir(path) => {
                let path = stage.expand(path, line)?;
                stage.set_workdir(&path);
                let made = Copy {
                    path: stage.workdir.clone(),
                    owner: Ownership::Unchanged,
                    permissions: None,
                    expand: false,
                };
                stage.push(Op::Edit(Edit::NewDirectory(made)), []);
            }
            What::Volume(paths) => {
                for path in paths {
                    let path = stage.expand(path, line)?;
                    stage.configure(Configure::Volume(path));
                }
            }
            What::StopSignal(signal) => {
                let signal = stage.expand(signal, line)?;
                stage.configure(Configure::StopSignal(signal));
            }
            What::Shell(args) => {
                stage.shell.clone_from(args);
                stage.configure(Configure::Shell(args.clone()));
            }
            What::Healthcheck(check) => {
                let check = healthcheck(check.as_ref(), line)?;
                stage.configure(Configure::Healthcheck(Some(check)));
            }
            What::OnBuild(text) => {
                stage.triggers.push(text.clone());
                stage.configure(Configure::OnBuild(stage.triggers.clone()));
            }
            What::Maintainer(name) => {
                let value = Some(stage.expand(name, line)?);
                stage.configure(Configure::Label {
                    name: "maintainer".into(),
                    value,
                });
            }
        }
        Ok(())
    }

    fn args(
        &self,
        stage: &mut Stage,
        args: &[(String, Option<String>)],
        line: usize,
    ) -> Result<(), Problem> {
        for (name, default) in args {
            let name = stage.expand(name, line)?;
            let value = match (self.build.args.get(&name), default) {
                (Some(value), _) => Some(value.clone()),
                (None, Some(default)) => Some(stage.expand(default, line)?),
                (None, None) => self.plan.globals.get(&name).cloned(),
            };
            stage.set_arg(&name, value);
        }
        Ok(())
    }
}

fn scratch(platform: &str) -> Arc<Vertex> {
    Vertex::new(
        Op::Scratch {
            platform: platform.to_owned(),
        },
        vec![],
    )
}

fn image_vertex(reference: &str, platform: &str) -> Arc<Vertex> {
    Vertex::new(
        Op::From {
            address: reference.to_owned(),
        },
        vec![scratch(platform)],
    )
}

/// Names of stages or images that an instruction takes files from.
fn sources_of(what: &What) -> Vec<&str> {
    match what {
        What::Copy(copy) => copy.from.as_deref().into_iter().collect(),
        What::Run { flags, .. } => {
            let mounts = flags.iter().filter(|flag| flag.name == "mount");
            mounts
                .flat_map(|flag| flag.value.as_deref().unwrap_or_default().split(','))
                .filter_map(|option| option.strip_prefix("from="))
                .collect()
        }
        _ => Vec::new(),
    }
}

/// Arguments that exist without being passed.
fn platform_args(build: &Build<'_>) -> BTreeMap<String, String> {
    let mut args = BTreeMap::new();
    for (prefix, platform) in [("BUILD", &build.host), ("TARGET", &build.platform)] {
        let mut parts = platform.splitn(3, '/');
        args.insert(format!("{prefix}PLATFORM"), platform.clone());
        for part in ["OS", "ARCH", "VARIANT"] {
            let value = parts.next().unwrap_or_default();
            args.insert(format!("{prefix}{part}"), value.to_owned());
        }
    }
    let target = if build.target.is_empty() {
        "default"
    } else {
        build.target
    };
    args.insert("TARGETSTAGE".into(), target.to_owned());
    args
}

fn in_shell(stage: &Stage, command: &Command) -> Vec<String> {
    match command {
        Command::Exec(args) => args.clone(),
        Command::Shell(text) => {
            let mut args = stage.shell.clone();
            args.push(text.clone());
            args
        }
    }
}

/// Reads `80`, `53/udp` or `8000-8010/tcp`.
fn read_ports(text: &str, line: usize) -> Result<Vec<Port>, Problem> {
    let wrong =
        || Problem::at(line, format!("`{text}` is no port")).hint("write 80, 53/udp or 8000-8010");
    let (range, protocol) = text.split_once('/').unwrap_or((text, "tcp"));
    let protocol = match protocol.to_ascii_lowercase().as_str() {
        "tcp" => Protocol::Tcp,
        "udp" => Protocol::Udp,
        _ => return Err(wrong()),
    };
    let (first, last) = range.split_once('-').unwrap_or((range, range));
    let (first, last): (u16, u16) = match (first.parse(), last.parse()) {
        (Ok(first), Ok(last)) if 0 < first && first <= last => (first, last),
        _ => return Err(wrong()),
    };
    let ports = (first..=last).map(|port| Port {
        port,
        protocol,
        description: None,
        skip_healthcheck: false,
    });
    Ok(ports.collect())
}

fn healthcheck(check: Option<&Healthcheck>, line: usize) -> Result<ImageHealthcheck, Problem> {
    let Some(check) = check else {
        return Ok(ImageHealthcheck {
            test: vec!["NONE".into()],
            ..Default::default()
        });
    };
    let test = match &check.command {
        Command::Exec(args) => std::iter::once("CMD".to_owned())
            .chain(args.iter().cloned())
            .collect(),
        Command::Shell(text) => vec!["CMD-SHELL".into(), text.clone()],
    };
    let mut out = ImageHealthcheck {
        test,
        ..Default::default()
    };
    for (name, value) in &check.options {
        let wrong = |hint: &str| {
            Problem::at(line, format!("--{name} cannot be `{value}`")).hint(hint.to_owned())
        };
        if name == "retries" {
            out.retries = value.parse().map_err(|_| wrong("it is a number"))?;
            continue;
        }
        let time = nanoseconds(value).ok_or_else(|| wrong("write it as 30s, 1m30s or 500ms"))?;
        match name.as_str() {
            "interval" => out.interval = time,
            "timeout" => out.timeout = time,
            "start-period" => out.start_period = time,
            _ => out.start_interval = time,
        }
    }
    Ok(out)
}
