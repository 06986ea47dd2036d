//! The commands: names, flags and help, and what each makes of its flags.

use std::time::Duration;

use nsci::module::marked::Mark;

use super::flag::{Flag, Scan, Scanned};
use super::image::{self, ImageVerb};
use super::toolchain::{self, ToolchainVerb};
use crate::report::Failure;

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// Call a module's functions; the words are read once its types are known.
    Call(Vec<String>),
    /// Call the core API in the same way.
    Core {
        /// Functions and their flags.
        words: Vec<String>,
        /// Report which fields of the API are served instead.
        coverage: bool,
        /// Print the reference page of the API instead.
        docs: bool,
    },
    /// List a module's functions.
    Functions {
        /// Lead to another object: functions to go through.
        path: Vec<String>,
        /// As JSON.
        json: bool,
    },
    /// Add modules to the one at hand.
    Install {
        /// What to add.
        references: Vec<String>,
        /// Name to use it by.
        name: Option<String>,
    },
    /// Remove modules from the one at hand.
    Uninstall(Vec<String>),
    /// Move pins of modules from git.
    Update(Vec<String>),
    /// Write what editors and old tools want to find beside a module's source.
    Develop {
        /// Language to give a module that has none.
        sdk: Option<String>,
        /// Where its source goes.
        source: Option<String>,
    },
    /// List the modules that the one at hand uses.
    Modules {
        /// As JSON.
        json: bool,
    },
    /// Show the configuration of the module at hand.
    Config {
        /// As JSON.
        json: bool,
    },
    /// Run a module's checks or generators.
    Marked {
        /// Which of the two.
        kind: Mark,
        /// Only those whose names match one of these.
        patterns: Vec<String>,
        /// List them instead.
        list: bool,
        /// Stop at the first that fails.
        fail_fast: bool,
    },
    /// Read commands of the shell.
    Shell {
        /// The text to run.
        code: Option<String>,
        /// Files to run.
        files: Vec<String>,
    },
    /// Print the completion script of a shell.
    Completion(String),
    /// Complete a command line: the words typed so far, the last one unfinished.
    Complete(Vec<String>),
    /// Change which toolchains the module at hand offers.
    Toolchain(ToolchainVerb),
    /// Make a module.
    Init {
        /// Language; none for one that takes its functions from a blueprint.
        sdk: Option<String>,
        /// The module that it takes its functions from.
        blueprint: Option<String>,
        /// Patterns of what is loaded with it.
        include: Vec<String>,
        /// Its name instead of the directory's.
        name: Option<String>,
        /// Where the source goes.
        source: Option<String>,
        /// Where.
        directory: Option<String>,
    },
    /// Run a GraphQL document.
    Query {
        /// The document itself.
        text: Option<String>,
        /// File it is in.
        doc: Option<String>,
        /// `name=value` pairs.
        vars: Vec<String>,
        /// Variables as one JSON object.
        vars_json: Option<String>,
    },
    /// Run a program that is a client.
    Run {
        /// The program.
        command: Vec<String>,
        /// How long it may take to end when asked.
        cleanup: Duration,
    },
    /// Serve a client that started this process.
    Session {
        /// `name:value` pairs.
        labels: Vec<String>,
    },
    /// Look at a step that failed in an earlier run.
    Debug {
        /// Beginning of its name; the last one if absent.
        step: Option<String>,
        /// List them instead.
        list: bool,
        /// As JSON.
        json: bool,
        /// The shell; empty means the container's.
        cmd: String,
    },
    /// Show or shrink the cache.
    Cache(CacheVerb),
    /// Work with images by name.
    Image(ImageVerb),
    /// Say what the host lacks.
    Doctor {
        /// As JSON.
        json: bool,
    },
    /// Say the version.
    Version,
    /// Show help.
    Help(Option<&'static Command>),
}

/// What to do with the cache.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum CacheVerb {
    /// Show the help of the command.
    Help,
    /// List what is in it.
    List {
        /// As JSON.
        json: bool,
    },
    /// Say how much is in it.
    Usage {
        /// As JSON.
        json: bool,
    },
    /// Remove from it.
    Prune {
        /// Volumes too.
        all: bool,
        /// Only these kinds.
        kinds: Vec<String>,
        /// Only what was unused for as long.
        unused_for: Option<String>,
        /// Stop when it is as small.
        keep: Option<String>,
        /// Only what begins so.
        id: Option<String>,
    },
}

/// A command.
#[derive(Debug)]
pub(crate) struct Command {
    /// Name.
    pub(crate) name: &'static str,
    /// One line for the list of commands.
    pub(crate) summary: &'static str,
    /// What follows the name.
    pub(crate) usage: &'static str,
    /// More help.
    pub(crate) details: &'static str,
    /// Its own flags.
    pub(crate) flags: &'static [Flag],
}

/// Commands are told apart by what they are, wherever they lie.
impl PartialEq for Command {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Eq for Command {}

/// Flags of `call` and `core` besides those of the functions.
pub(crate) const CHAIN_FLAGS: &[Flag] = &[
    Flag::value("output", "PATH", "Save the result to a file or directory").short('o'),
    Flag::switch("json", "Print the result as JSON").short('j'),
];

/// Flags of `up`, wherever they stand among those of the functions.
const UP_FLAGS: &[Flag] = &[
    Flag::value(
        "ports",
        "FRONTEND:BACKEND",
        "Ports to open, such as 8080:80",
    ),
    Flag::switch("random", "Open free ports of the host's choice"),
    Flag::switch("list", "List the services that are marked").short('l'),
];

/// What `up` asks for: functions lead to one service, without any those that are marked are meant.
fn up(given: &Scanned, words: Vec<String>) -> Result<Verb, Failure> {
    let is_pattern = |word: &String| word.contains([':', '*']) && !word.starts_with('-');
    let list = given.on("list");
    let help = words.iter().any(|word| word == "--help" || word == "-h");
    if help || !list && !given.rest.iter().all(is_pattern) {
        return Ok(Verb::Call(opened(words)));
    }
    if given.last("ports").is_some() || given.on("random") {
        return Err(Failure::usage("--ports and --random are for one service")
            .hint("name its function: nsci up FUNCTION --ports=8080:80"));
    }
    Ok(Verb::Marked {
        kind: Mark::Service,
        patterns: given.rest.clone(),
        list,
        fail_fast: false,
    })
}

/// The words of `up` as those of `call`: what opens ports comes behind the functions.
fn opened(words: Vec<String>) -> Vec<String> {
    if words
        .iter()
        .any(|word| word == "up" || word == "--help" || word == "-h")
    {
        return words;
    }
    let (mut chain, mut last) = (Vec::new(), vec!["up".to_owned()]);
    let mut words = words.into_iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--ports" => {
                last.push(word);
                last.extend(words.next());
            }
            flag if flag.starts_with("--ports=") || flag.starts_with("--random") => last.push(word),
            _ => chain.push(word),
        }
    }
    chain.append(&mut last);
    chain
}

const JSON: Flag = Flag::switch("json", "Print JSON").short('j');

/// Every command, in the order of the help.
pub(crate) const COMMANDS: &[Command] = &[
    Command {
        name: "call",
        summary: "Call functions of a module",
        usage: "[FLAGS] FUNCTION [FLAGS] [FUNCTION [FLAGS]]…",
        details: "Flags before the first function are those of the module's constructor.\n\
                  A result that is an object takes further functions: `build --source=. file --path=app export --path=./app`.",
        flags: CHAIN_FLAGS,
    },
    Command {
        name: "up",
        summary: "Run services of a module and open their ports on this host",
        usage: "[PATTERN]… | [FLAGS] FUNCTION [FLAGS] [--ports FRONTEND:BACKEND,…] [--random]",
        details: "Without a function, all functions that are marked as services are run, or those whose names a PATTERN\n\
                  with `*` or `:` chooses.\n\
                  With one, the same as `call FUNCTION … up --ports …`, for a function that gives a Service or a Container.\n\
                  Without --ports every declared port is opened by its own number. Ends with Ctrl-C.",
        flags: UP_FLAGS,
    },
    Command {
        name: "functions",
        summary: "List functions of a module",
        usage: "[FUNCTION]…",
        details: "With functions, lists those of the object they lead to.",
        flags: &[JSON],
    },
    Command {
        name: "init",
        summary: "Make a new module",
        usage: "--sdk=go|python|typescript|--blueprint=REF [--name=NAME] [DIR]",
        details: "Writes dagger.json and a first function. Refuses to touch a module that exists.\n\
                  With --blueprint the module has no code: it has the functions of REF, which work on its files.",
        flags: &[
            Flag::value(
                "sdk",
                "SDK",
                "Language of the module: go, python or typescript",
            ),
            Flag::value(
                "name",
                "NAME",
                "Name of the module instead of the directory's",
            ),
            Flag::value(
                "source",
                "DIR",
                "Directory of its source, relative to the module",
            ),
            Flag::value("license", "", ""),
            Flag::value(
                "blueprint",
                "REF",
                "Module whose functions it has, instead of --sdk",
            ),
            Flag::value(
                "include",
                "PATTERN",
                "Files that are loaded with the module; may be repeated",
            ),
            Flag::value("root", "", ""),
        ],
    },
    Command {
        name: "install",
        summary: "Add a module to the one at hand",
        usage: "[--name=NAME] REF…",
        details: "REF is a directory or github.com/OWNER/REPO/PATH@VERSION. A module from git is pinned to its commit.\n\
                  Where there is no dagger.json, one without functions is made.",
        flags: &[
            Flag::value("name", "NAME", "Name to use it by instead of its own").short('n'),
            Flag::value("sdk", "", ""),
        ],
    },
    Command {
        name: "uninstall",
        summary: "Remove a module from the one at hand",
        usage: "NAME…",
        details: "NAME is the name it is used by, or its reference.",
        flags: &[],
    },
    Command {
        name: "update",
        summary: "Pin modules from git to where they are now",
        usage: "[NAME]…",
        details: "Without names, all of them.",
        flags: &[],
    },
    Command {
        name: "toolchain",
        summary: "Change which modules are offered beside the functions of the one at hand",
        usage: "install|uninstall|list|update",
        details: "install [--name=NAME] REF…  adds toolchains; they work on the files of the module at hand\n  \
                  uninstall NAME…             removes them\n  \
                  list                        lists them\n  \
                  update [NAME]…              pins those from git to where they are now",
        flags: &[
            Flag::value("name", "NAME", "install: name instead of its own").short('n'),
            JSON,
        ],
    },
    Command {
        name: "develop",
        summary: "Write the SDK beside a module's source, for editors",
        usage: "[--sdk=SDK] [--source=DIR]",
        details: "Nothing of it is needed to run the module. With --sdk, gives functions to a module that has none.",
        flags: &[
            Flag::value("sdk", "SDK", "Language to give a module that has none"),
            Flag::value("source", "DIR", "Directory of its source"),
            Flag::switch("recursive", ""),
            Flag::switch("force", ""),
            Flag::value("license", "", ""),
        ],
    },
    Command {
        name: "modules",
        summary: "List the modules that the one at hand uses",
        usage: "",
        details: "",
        flags: &[JSON],
    },
    Command {
        name: "config",
        summary: "Show the configuration of the module at hand",
        usage: "",
        details: "",
        flags: &[JSON],
    },
    Command {
        name: "check",
        summary: "Run the checks of a module",
        usage: "[-l] [PATTERN]…",
        details: "Checks are functions marked as such that need no arguments. Exits with 1 if one fails.",
        flags: &[
            Flag::switch("list", "List them instead").short('l'),
            Flag::switch("failfast", "Stop at the first that fails").aliases(&["fail-fast"]),
        ],
    },
    Command {
        name: "generate",
        summary: "Run the generators of a module and keep what they make",
        usage: "[-l] [PATTERN]…",
        details: "Generators are functions marked as such; what they return is written to the directory at hand.",
        flags: &[Flag::switch("list", "List them instead").short('l')],
    },
    Command {
        name: "shell",
        summary: "Call functions in pipelines, typed or from a file",
        usage: "[-c TEXT] [FILE]…",
        details: "Such as `container | from alpine | with-exec echo hi | stdout`. `.help` inside says more.",
        flags: &[Flag::value("code", "TEXT", "Run this text and end").short('c')],
    },
    Command {
        name: "completion",
        summary: "Print the completion script of a shell",
        usage: "bash|zsh|fish",
        details: "bash: source <(nsci completion bash)\n\
                  zsh:  source <(nsci completion zsh)\n\
                  fish: nsci completion fish | source\n\
                  Functions and flags of the module at hand are completed too.",
        flags: &[],
    },
    Command {
        name: "query",
        summary: "Run a GraphQL document",
        usage: "[DOCUMENT] [--doc=FILE] [--var NAME=VALUE]…",
        details: "The document is the argument, the file, or standard input, in this order.",
        flags: &[
            Flag::value("doc", "FILE", "Read the document from a file"),
            Flag::value(
                "var",
                "NAME=VALUE",
                "Set a variable to a text; may be repeated",
            ),
            Flag::value("var-json", "JSON", "Set variables from a JSON object")
                .aliases(&["var-json-raw"]),
        ],
    },
    Command {
        name: "run",
        summary: "Run a program with a session to use",
        usage: "[--cleanup-timeout=10s] PROGRAM [ARG]…",
        details: "The program finds the session through NSCI_SESSION_PORT and NSCI_SESSION_TOKEN (and \
                  DAGGER_SESSION_…), as every SDK expects. Its exit code is handed on.",
        flags: &[Flag::value(
            "cleanup-timeout",
            "TIME",
            "How long the program may take to end when interrupted (10s)",
        )],
    },
    Command {
        name: "session",
        summary: "Serve the client that started this process",
        usage: "[--label NAME:VALUE]…",
        details: "Prints one line with port and token, then serves until standard input ends. SDKs start it.",
        flags: &[
            Flag::value("label", "NAME:VALUE", "What the client is; may be repeated"),
            Flag::value("version", "", ""),
            Flag::value("project", "", ""),
            Flag::switch("skip-workspace-modules", ""),
            Flag::switch("load-workspace-modules", ""),
        ],
    },
    Command {
        name: "core",
        summary: "Call functions of the core API",
        usage: "FUNCTION [FLAGS] [FUNCTION [FLAGS]]…",
        details: "Such as `container from --address=alpine with-exec --args=echo,hi stdout`.",
        flags: &[
            CHAIN_FLAGS[0],
            CHAIN_FLAGS[1],
            Flag::switch(
                "coverage",
                "Report which fields of the Dagger API are served",
            ),
            Flag::switch("docs", ""),
        ],
    },
    Command {
        name: "debug",
        summary: "Open a shell in what a failed step left",
        usage: "[--list] [--cmd=SHELL] [STEP]",
        details: "Without a step the one that failed last, in this run or an earlier one. Files, mounts, variables and\n\
                  services are those of the step; what the shell changes is dropped. Secrets are read again.",
        flags: &[
            Flag::switch("list", "List the steps that are kept").short('l'),
            Flag::value("cmd", "SHELL", "The shell (sh)"),
            JSON,
        ],
    },
    Command {
        name: "cache",
        summary: "Show or shrink the cache",
        usage: "ls|du|prune",
        details: "ls lists what is in it, du sums it up, prune removes what no running nsci needs:\n  \
                  --all removes cache volumes too, --kind, --id, --unused-for and --keep limit what goes.",
        flags: &[
            JSON,
            Flag::switch("all", "prune: cache volumes too").short('a'),
            Flag::value(
                "kind",
                "KIND",
                "prune: only layer, blob, record, volume, hostcache or partial",
            ),
            Flag::value("id", "PREFIX", "prune: only what begins so"),
            Flag::value(
                "unused-for",
                "TIME",
                "prune: only what was not used for so long, such as 7d",
            ),
            Flag::value(
                "keep",
                "SIZE",
                "prune: stop when the cache is this small, such as 20GB",
            ),
        ],
    },
    Command {
        name: "image",
        summary: "List, fetch, push, import, export or forget images",
        usage: "ls|pull|push|import|export|rm",
        details: "ls                      lists images that were pulled or imported\n  \
                  pull IMAGE…             fetches images with all their layers\n  \
                  push IMAGE [NAME]       puts an image into a registry as it is\n  \
                  import SOURCE [NAME]    takes one out of an archive, a layout, containers-storage:… or docker-daemon:…\n  \
                  export IMAGE FILE       writes one to an archive\n  \
                  rm IMAGE…               forgets names",
        flags: &[
            JSON,
            Flag::value(
                "platform",
                "PLATFORM",
                "Platform of the image, such as linux/arm64",
            ),
            Flag::value(
                "tag",
                "TAG",
                "import: name or tag of the image, if there are several",
            ),
        ],
    },
    Command {
        name: "doctor",
        summary: "Say what this host has and lacks",
        usage: "",
        details: "Exits with 1 if something is missing without which no container can run.",
        flags: &[JSON],
    },
    Command {
        name: "version",
        summary: "Show the version",
        usage: "",
        details: "",
        flags: &[],
    },
];

impl Command {
    /// How its words are scanned.
    pub(super) fn scan(&self) -> Scan {
        match self.name {
            "call" | "core" | "up" => Scan::Known,
            "run" => Scan::Leading,
            _ => Scan::Whole,
        }
    }

    /// Whether its flags, and so its help, depend on a module.
    pub(crate) fn is_dynamic(&self) -> bool {
        self.scan() == Scan::Known
    }

    /// What the flags ask for; `words` is what followed the name, unread.
    pub(super) fn verb(&self, given: &Scanned, words: Vec<String>) -> Result<Verb, Failure> {
        let text = |name: &str| given.last(name).map(str::to_owned);
        let list = |name: &str| given.all(name).into_iter().map(str::to_owned).collect();
        Ok(match self.name {
            "call" => Verb::Call(words),
            "up" => up(given, words)?,
            "debug" => Verb::Debug {
                step: self.one(&given.rest)?,
                list: given.on("list"),
                json: given.on("json"),
                cmd: text("cmd").unwrap_or_default(),
            },
            "core" => Verb::Core {
                words,
                coverage: given.on("coverage"),
                docs: given.on("docs"),
            },
            "functions" => Verb::Functions {
                path: given.rest.clone(),
                json: given.on("json"),
            },
            "install" => Verb::Install {
                references: given.rest.clone(),
                name: text("name"),
            },
            "uninstall" => Verb::Uninstall(given.rest.clone()),
            "update" => Verb::Update(given.rest.clone()),
            "toolchain" => Verb::Toolchain(toolchain::verb(given)?),
            "develop" => self.nothing(&given.rest).map(|()| Verb::Develop {
                sdk: text("sdk"),
                source: text("source"),
            })?,
            "modules" => self.nothing(&given.rest).map(|()| Verb::Modules {
                json: given.on("json"),
            })?,
            "config" => self.nothing(&given.rest).map(|()| Verb::Config {
                json: given.on("json"),
            })?,
            "check" | "generate" => Verb::Marked {
                kind: match self.name {
                    "check" => Mark::Check,
                    _ => Mark::Generator,
                },
                patterns: given.rest.clone(),
                list: given.on("list"),
                fail_fast: given.on("failfast"),
            },
            "shell" => Verb::Shell {
                code: text("code"),
                files: given.rest.clone(),
            },
            "completion" => Verb::Completion(self.one(&given.rest)?.unwrap_or_default()),
            "init" => Verb::Init {
                sdk: match (text("sdk"), given.last("blueprint")) {
                    (None, None) => {
                        return Err(Failure::usage("required flag(s) \"sdk\" not set")
                            .hint("nsci init --sdk=python, or --blueprint=REF"));
                    }
                    (Some(_), Some(_)) => {
                        return Err(Failure::usage("--sdk and --blueprint exclude each other")
                            .hint("a module with a blueprint has no code of its own"));
                    }
                    (sdk, _) => sdk,
                },
                blueprint: text("blueprint"),
                include: list("include"),
                name: text("name"),
                source: text("source"),
                directory: self.one(&given.rest)?,
            },
            "query" => Verb::Query {
                text: self.one(&given.rest)?,
                doc: text("doc"),
                vars: list("var"),
                vars_json: text("var-json"),
            },
            "run" => Verb::Run {
                command: given.rest.clone(),
                cleanup: match given.last("cleanup-timeout") {
                    None => Duration::from_secs(10),
                    Some(time) => nsci::config::parse_duration(time).map_err(Failure::usage)?,
                },
            },
            "session" => Verb::Session {
                labels: list("label"),
            },
            "cache" => Verb::Cache(self.cache(given)?),
            "image" => Verb::Image(image::verb(given)?),
            "doctor" => self.nothing(&given.rest).map(|()| Verb::Doctor {
                json: given.on("json"),
            })?,
            _ => self.nothing(&given.rest).map(|()| Verb::Version)?,
        })
    }

    fn cache(&self, given: &Scanned) -> Result<CacheVerb, Failure> {
        let text = |name: &str| given.last(name).map(str::to_owned);
        match self.one(&given.rest)?.as_deref() {
            None => Ok(CacheVerb::Help),
            Some("ls" | "list") => Ok(CacheVerb::List {
                json: given.on("json"),
            }),
            Some("du" | "usage") => Ok(CacheVerb::Usage {
                json: given.on("json"),
            }),
            Some("prune") => Ok(CacheVerb::Prune {
                all: given.on("all"),
                kinds: given.all("kind").into_iter().map(str::to_owned).collect(),
                unused_for: text("unused-for"),
                keep: text("keep"),
                id: text("id"),
            }),
            Some(other) => Err(Failure::usage(format!("unknown command `cache {other}`"))
                .hint("nsci cache ls, du or prune")),
        }
    }

    fn one(&self, words: &[String]) -> Result<Option<String>, Failure> {
        match words {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            [_, extra, ..] => Err(self.extra(extra)),
        }
    }

    fn nothing(&self, words: &[String]) -> Result<(), Failure> {
        words.first().map_or(Ok(()), |extra| Err(self.extra(extra)))
    }

    fn extra(&self, word: &str) -> Failure {
        Failure::usage(format!("unexpected argument `{word}` for `{}`", self.name))
    }
}
