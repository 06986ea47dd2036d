//! The command on the host: `vm …` is about the machine, all else runs inside.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::inside::Inside;
use crate::machine::say;
use crate::{Binary, Failure, Instance, Limactl, Machine, Signals, State, Ticket, ticket};

/// Name of the machine unless `NSCI_VM` says another.
const NAME: &str = "nsci";

const HELP: &str = "\
nsci runs in a Linux virtual machine here, which Lima makes and which every command starts if it has to.

Usage: nsci vm <COMMAND>

Commands:
  start [FLAG]…     makes the machine, or starts it; flags of `limactl start` for one that is made:
                    --cpus=4 --memory=8 --disk=60 (GiB), --mount=/Volumes/work:w, --rosetta
  stop              stops it
  status            what it is and what it is doing
  shell [COMMAND]…  a shell in it, or a command
  delete            deletes it and everything that it cached

Environment: NSCI_VM (the machine's name, else `nsci`), NSCI_LIMACTL (path of limactl),
NSCI_LINUX_BINARY (path of the nsci for Linux, else nsci-linux-ARCH beside this program).
";

/// What surrounds the process.
#[derive(Debug, Clone, Default)]
pub struct Surroundings {
    /// Environment.
    pub env: Vec<(OsString, OsString)>,
    /// Working directory.
    pub cwd: PathBuf,
    /// Directory of this executable.
    pub beside: PathBuf,
    /// Which of standard input, output and error are terminals.
    pub terminals: [bool; 3],
}

impl Surroundings {
    /// A variable that is set to something.
    fn var(&self, name: &str) -> Option<&OsStr> {
        let mut found = self.env.iter().filter(|(key, _)| key == name);
        found
            .next()
            .map(|(_, value)| value.as_os_str())
            .filter(|value| !value.is_empty())
    }

    fn home(&self) -> Result<&Path, Failure> {
        let home = self.var("HOME").map(Path::new);
        home.filter(|home| home.is_absolute())
            .ok_or_else(|| Failure::usage("HOME is not set"))
    }

    /// The file that is locked while a machine is made or started.
    fn lock(&self, name: &str) -> Result<PathBuf, Failure> {
        let base = match self.var("XDG_CACHE_HOME") {
            Some(path) => PathBuf::from(path),
            None => self.home()?.join(".cache"),
        };
        Ok(base.join("nsci").join(format!("vm-{name}.lock")))
    }
}

/// The command.
#[derive(Debug)]
pub struct Front {
    around: Surroundings,
    name: String,
    signals: Signals,
}

impl Front {
    /// It, in its surroundings.
    #[must_use]
    pub fn new(around: Surroundings, signals: Signals) -> Self {
        let name = around.var("NSCI_VM").and_then(OsStr::to_str);
        Self {
            name: name.unwrap_or(NAME).to_owned(),
            around,
            signals,
        }
    }

    /// Runs what was typed; what is to be printed goes through `print`.
    ///
    /// # Errors
    /// If it could not be run. A command inside that fails is no error but its exit code.
    pub fn run(&self, args: &[OsString], print: impl Fn(&str)) -> Result<u8, Failure> {
        match args.split_first() {
            Some((first, rest)) if first == "vm" => self.vm(rest, print),
            Some((first, _)) if first == "__complete" => self.complete(args),
            _ => self.inside(args),
        }
    }

    fn vm(&self, args: &[OsString], print: impl Fn(&str)) -> Result<u8, Failure> {
        let words: Vec<&str> = args
            .iter()
            .map(|word| {
                word.to_str()
                    .ok_or_else(|| Failure::usage("no such command"))
            })
            .collect::<Result<_, _>>()?;
        match *words {
            [] | ["help" | "-h" | "--help", ..] | [_, "-h" | "--help"] => print(HELP),
            ["start", ref flags @ ..] => {
                let limactl = self.limactl()?;
                self.machine(&limactl)?.run(flags)?;
            }
            ["stop"] => {
                let limactl = self.limactl()?;
                if !self.machine(&limactl)?.stop()? {
                    say(&format!("the virtual machine {} does not run", self.name));
                }
            }
            ["delete"] => {
                let limactl = self.limactl()?;
                if !self.machine(&limactl)?.delete()? {
                    say(&format!("there is no virtual machine {}", self.name));
                }
            }
            ["status"] => {
                let limactl = self.limactl()?;
                print(&status(
                    &self.name,
                    self.machine(&limactl)?.look()?.as_ref(),
                ));
            }
            ["shell", ref command @ ..] => return self.shell(command),
            ["stop" | "delete" | "status", word, ..] => {
                return Err(Failure::usage(format!(
                    "`nsci vm {}` takes no {word}",
                    words[0]
                )));
            }
            [word, ..] => {
                return Err(
                    Failure::usage(format!("there is no command `nsci vm {word}`"))
                        .hint("see `nsci vm --help`"),
                );
            }
        }
        Ok(0)
    }

    /// Completion must be quick and silent: without a machine that runs there is none.
    fn complete(&self, args: &[OsString]) -> Result<u8, Failure> {
        let Ok(limactl) = self.limactl() else {
            return Ok(0);
        };
        match self.machine(&limactl)?.look()? {
            Some(instance) if instance.state == State::Running => self.inside(args),
            _ => Ok(0),
        }
    }

    fn inside(&self, args: &[OsString]) -> Result<u8, Failure> {
        let limactl = self.limactl()?;
        let instance = self.machine(&limactl)?.run(&[])?;
        let around = &self.around;
        let named = around.var("NSCI_LINUX_BINARY");
        let binary = Binary::find(named, &around.beside, &instance.arch)?;
        let ticket = self.ticket(&instance, &binary, args)?;
        self.at(&limactl).run(&ticket, &binary)
    }

    fn shell(&self, command: &[&str]) -> Result<u8, Failure> {
        let limactl = self.limactl()?;
        let instance = self.machine(&limactl)?.run(&[])?;
        // A shell is good for looking around from anywhere.
        let directory = instance.inside(&self.around.cwd);
        let directory = directory.unwrap_or_else(|| "/".into());
        let mut shell = limactl.command(&["shell", "--workdir"]);
        shell.arg(directory).arg(&self.name).args(command);
        self.at(&limactl).shell(shell)
    }

    fn ticket(
        &self,
        instance: &Instance,
        binary: &Binary,
        args: &[OsString],
    ) -> Result<Ticket, Failure> {
        let around = &self.around;
        let directory = instance.inside(&around.cwd).ok_or_else(|| {
            let shared = instance.shared();
            let shared: Vec<String> = shared.iter().map(|p| p.display().to_string()).collect();
            Failure::usage(format!(
                "the virtual machine does not see {}; it sees {}",
                around.cwd.display(),
                if shared.is_empty() { "nothing".to_owned() } else { shared.join(", ") }
            ))
            .hint("work there, or share more: `nsci vm delete`, then `nsci vm start --mount=DIRECTORY:w`")
        })?;
        let is_seen = |path: &OsStr| instance.inside(Path::new(path)).is_some();
        let mut environment = around.env.clone();
        environment.retain(|(name, value)| ticket::goes_inside(name, value, is_seen));
        Ok(Ticket {
            directory,
            home: instance.inside(around.home()?),
            environment,
            key: binary.key(),
            args: args.to_vec(),
        })
    }

    fn limactl(&self) -> Result<Limactl, Failure> {
        Limactl::find(self.around.var("NSCI_LIMACTL"), self.around.var("PATH"))
    }

    fn machine<'a>(&'a self, limactl: &'a Limactl) -> Result<Machine<'a>, Failure> {
        Ok(Machine {
            limactl,
            name: &self.name,
            lock: self.around.lock(&self.name)?,
            signals: &self.signals,
        })
    }

    fn at<'a>(&'a self, limactl: &'a Limactl) -> Inside<'a> {
        Inside {
            limactl,
            name: &self.name,
            signals: &self.signals,
            terminals: self.around.terminals,
        }
    }
}

/// What `nsci vm status` prints.
fn status(name: &str, instance: Option<&Instance>) -> String {
    let Some(instance) = instance else {
        return format!("machine     {name}\nstate       none\n");
    };
    // Whole numbers suffice: nobody asks for parts of a GiB.
    let gib = |bytes: u64| bytes >> 30;
    format!(
        "machine     {name}\n\
         state       {}\n\
         processors  {} ({})\n\
         memory      {} GiB\n\
         disk        {} GiB at most\n\
         directory   {}\n",
        instance.state.word(),
        instance.cpus,
        instance.arch,
        gib(instance.memory),
        gib(instance.disk),
        instance.dir.display()
    )
}
