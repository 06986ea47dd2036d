//! Instructions with their parts told apart, before any variable is replaced.

use super::{
    Problem,
    lines::{Document, Flag, Line},
    words,
};

/// One instruction and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    /// Line number, from 1.
    pub line: usize,
    /// What it asks for.
    pub what: What,
}

/// What an instruction asks for.
#[derive(Clone, Debug)]
pub(super) enum What {
    From {
        image: String,
        platform: Option<String>,
        name: Option<String>,
    },
    /// Names, each with its default.
    Arg(Vec<(String, Option<String>)>),
    Env(Vec<(String, String)>),
    Label(Vec<(String, String)>),
    Run {
        command: Command,
        flags: Vec<Flag>,
        documents: Vec<Document>,
    },
    Cmd(Command),
    Entrypoint(Command),
    Copy(Box<CopyLine>),
    Expose(Vec<String>),
    User(String),
    Workdir(String),
    Volume(Vec<String>),
    StopSignal(String),
    Shell(Vec<String>),
    /// `None` switches it off.
    Healthcheck(Option<Healthcheck>),
    /// The instruction to keep, as text.
    OnBuild(String),
    Maintainer(String),
}

/// A command, as arguments or as text for the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    Exec(Vec<String>),
    Shell(String),
}

/// `COPY` or `ADD`.
#[derive(Clone, Debug, Default)]
pub(super) struct CopyLine {
    /// Whether it is `ADD`.
    pub add: bool,
    pub from: Option<String>,
    pub chown: Option<String>,
    pub chmod: Option<String>,
    pub parents: bool,
    pub exclude: Vec<String>,
    pub checksum: Option<String>,
    /// Whether an archive is unpacked; by default local ones are and remote ones are not.
    pub unpack: Option<bool>,
    /// Whether the `.git` of a repository comes along.
    pub keep_git_dir: bool,
    pub sources: Vec<String>,
    pub destination: String,
    pub documents: Vec<Document>,
}

/// A health check of an image.
#[derive(Clone, Debug)]
pub(super) struct Healthcheck {
    pub command: Command,
    /// `interval`, `timeout`, `start-period`, `start-interval`, `retries` as written.
    pub options: Vec<(String, String)>,
}

/// Tells the parts of a line apart.
pub(super) fn parse(line: &Line, escape: char) -> Result<Instruction, Problem> {
    let reader = Reader { line, escape };
    Ok(Instruction {
        line: line.number,
        what: reader.read()?,
    })
}

/// Every instruction, for suggestions.
const KEYWORDS: [&str; 18] = [
    "ADD",
    "ARG",
    "CMD",
    "COPY",
    "ENTRYPOINT",
    "ENV",
    "EXPOSE",
    "FROM",
    "HEALTHCHECK",
    "LABEL",
    "MAINTAINER",
    "ONBUILD",
    "RUN",
    "SHELL",
    "STOPSIGNAL",
    "USER",
    "VOLUME",
    "WORKDIR",
];

struct Reader<'a> {
    line: &'a Line,
    escape: char,
}

impl Reader<'_> {
    fn read(&self) -> Result<What, Problem> {
        let line = self.line;
        let rest = line.rest.as_str();
        if !matches!(
            line.keyword.as_str(),
            "FROM" | "RUN" | "COPY" | "ADD" | "HEALTHCHECK"
        ) {
            self.known_flags(&[])?;
        }
        if rest.is_empty() && KEYWORDS.contains(&line.keyword.as_str()) {
            return Err(self.problem(format!("{} needs an argument", line.keyword)));
        }
        Ok(match line.keyword.as_str() {
            "FROM" => self.from()?,
            "ARG" => What::Arg(
                words::split(rest, self.escape)
                    .iter()
                    .map(|word| match word.split_once('=') {
                        Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
                        None => (word.clone(), None),
                    })
                    .collect(),
            ),
            "ENV" => What::Env(self.pairs()?),
            "LABEL" => What::Label(self.pairs()?),
            "RUN" => {
                self.known_flags(&["mount", "network", "security"])?;
                What::Run {
                    command: self.command(),
                    flags: line.flags.clone(),
                    documents: line.documents.clone(),
                }
            }
            "CMD" => What::Cmd(self.command()),
            "ENTRYPOINT" => What::Entrypoint(self.command()),
            "COPY" => What::Copy(Box::new(self.copy(false)?)),
            "ADD" => What::Copy(Box::new(self.copy(true)?)),
            "EXPOSE" => What::Expose(blank_separated(rest)),
            "USER" => What::User(rest.to_owned()),
            "WORKDIR" => What::Workdir(rest.to_owned()),
            "VOLUME" => What::Volume(json_array(rest).unwrap_or_else(|| blank_separated(rest))),
            "STOPSIGNAL" => What::StopSignal(rest.to_owned()),
            "SHELL" => What::Shell(
                json_array(rest)
                    .filter(|args| !args.is_empty())
                    .ok_or_else(|| {
                        self.problem("SHELL needs a JSON array: SHELL [\"/bin/bash\", \"-c\"]")
                    })?,
            ),
            "HEALTHCHECK" => What::Healthcheck(self.healthcheck()?),
            "ONBUILD" => What::OnBuild(self.trigger()?),
            "MAINTAINER" => What::Maintainer(rest.to_owned()),
            other => return Err(self.unknown(other)),
        })
    }

    fn problem(&self, message: impl Into<String>) -> Problem {
        Problem::at(self.line.number, message)
    }

    fn unknown(&self, keyword: &str) -> Problem {
        let near = KEYWORDS
            .iter()
            .map(|known| (strsim::damerau_levenshtein(known, keyword), known))
            .min()
            .filter(|(distance, _)| *distance <= 2);
        let problem = self.problem(format!("unknown instruction {keyword}"));
        match near {
            Some((_, known)) => problem.hint(format!("did you mean {known}?")),
            None => problem,
        }
    }

    fn known_flags(&self, known: &[&str]) -> Result<(), Problem> {
        match self
            .line
            .flags
            .iter()
            .find(|flag| !known.contains(&flag.name.as_str()))
        {
            None => Ok(()),
            Some(flag) => {
                let problem =
                    self.problem(format!("{} has no flag --{}", self.line.keyword, flag.name));
                Err(if known.is_empty() {
                    problem
                } else {
                    problem.hint(format!("it has --{}", known.join(", --")))
                })
            }
        }
    }

    fn flag(&self, name: &str) -> Option<&str> {
        let flag = self
            .line
            .flags
            .iter()
            .rev()
            .find(|flag| flag.name == name)?;
        Some(flag.value.as_deref().unwrap_or_default())
    }

    /// A flag that is set by its name alone, by `=true` or not by `=false`.
    fn switch(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.flag(name) {
            None => Ok(None),
            Some("" | "true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(other) => Err(self.problem(format!("--{name} is true or false, not `{other}`"))),
        }
    }

    fn from(&self) -> Result<What, Problem> {
        self.known_flags(&["platform"])?;
        let words = blank_separated(&self.line.rest);
        let (image, name) = match words.as_slice() {
            [image] => (image, None),
            [image, keyword, name] if keyword.eq_ignore_ascii_case("as") => (image, Some(name)),
            _ => {
                return Err(self
                    .problem(format!("cannot read `FROM {}`", self.line.rest))
                    .hint("write FROM image, or FROM image AS name"));
            }
        };
        if let Some(name) = name {
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
            if !name.starts_with(|c: char| c.is_ascii_alphabetic()) || !name.chars().all(plain) {
                return Err(self
                    .problem(format!("`{name}` is no name for a stage"))
                    .hint("it starts with a letter and has letters, digits, `-`, `_` and `.`"));
            }
        }
        Ok(What::From {
            image: image.clone(),
            platform: self.flag("platform").map(str::to_owned),
            name: name.map(|name| name.to_ascii_lowercase()),
        })
    }

    fn command(&self) -> Command {
        match json_array(&self.line.rest) {
            Some(args) => Command::Exec(args),
            None => Command::Shell(self.line.rest.clone()),
        }
    }

    /// `name=value…`, or the old `name value`.
    fn pairs(&self) -> Result<Vec<(String, String)>, Problem> {
        let words = words::split(&self.line.rest, self.escape);
        if words.first().is_some_and(|word| !word.contains('=')) {
            let (name, value) =
                self.line
                    .rest
                    .split_once(char::is_whitespace)
                    .ok_or_else(|| {
                        self.problem(format!(
                            "{} {} needs a value",
                            self.line.keyword, self.line.rest
                        ))
                    })?;
            return Ok(vec![(name.to_owned(), value.trim_start().to_owned())]);
        }
        words
            .iter()
            .map(|word| match word.split_once('=') {
                Some(("", _)) => Err(self.problem(format!("`{word}` has no name"))),
                Some((name, value)) => Ok((name.to_owned(), value.to_owned())),
                None => Err(self
                    .problem(format!("`{word}` has no value"))
                    .hint("write name=value, in quotes if the value has blanks")),
            })
            .collect()
    }

    fn copy(&self, add: bool) -> Result<CopyLine, Problem> {
        let line = self.line;
        let mut known = vec!["chown", "chmod", "link", "exclude"];
        known.extend(if add {
            ["checksum", "unpack", "keep-git-dir"].as_slice()
        } else {
            ["from", "parents"].as_slice()
        });
        self.known_flags(&known)?;
        // Layers are independent of those below them here, so there is nothing to do for it.
        self.switch("link")?;
        let mut words = json_array(&line.rest).unwrap_or_else(|| blank_separated(&line.rest));
        // Documents are no paths.
        if !line.documents.is_empty() {
            words.retain(|word| {
                !word
                    .trim_start_matches(|c: char| c.is_ascii_digit())
                    .starts_with("<<")
            });
        }
        let destination = words.pop().unwrap_or_default();
        if words.is_empty() && line.documents.is_empty() {
            return Err(self
                .problem(format!("{} needs a source and a destination", line.keyword))
                .hint(format!("{} {destination} DESTINATION", line.keyword)));
        }
        let text = |name| self.flag(name).map(str::to_owned);
        let exclude = line.flags.iter().filter(|flag| flag.name == "exclude");
        Ok(CopyLine {
            add,
            from: text("from"),
            chown: text("chown"),
            chmod: text("chmod"),
            parents: self.switch("parents")?.unwrap_or(false),
            exclude: exclude.filter_map(|flag| flag.value.clone()).collect(),
            checksum: text("checksum"),
            unpack: self.switch("unpack")?,
            keep_git_dir: self.switch("keep-git-dir")?.unwrap_or(false),
            sources: words,
            destination,
            documents: line.documents.clone(),
        })
    }

    fn healthcheck(&self) -> Result<Option<Healthcheck>, Problem> {
        let known = [
            "interval",
            "timeout",
            "start-period",
            "start-interval",
            "retries",
        ];
        self.known_flags(&known)?;
        let (kind, rest) = match self.line.rest.split_once(char::is_whitespace) {
            Some((kind, rest)) => (kind, rest.trim_start()),
            None => (self.line.rest.as_str(), ""),
        };
        if kind.eq_ignore_ascii_case("none") && rest.is_empty() {
            return Ok(None);
        }
        if !kind.eq_ignore_ascii_case("cmd") || rest.is_empty() {
            return Err(self
                .problem("HEALTHCHECK needs CMD and a command, or NONE")
                .hint("HEALTHCHECK CMD curl -f http://localhost/"));
        }
        let command = match json_array(rest) {
            Some(args) => Command::Exec(args),
            None => Command::Shell(rest.to_owned()),
        };
        let options = self
            .line
            .flags
            .iter()
            .map(|flag| (flag.name.clone(), flag.value.clone().unwrap_or_default()))
            .collect();
        Ok(Some(Healthcheck { command, options }))
    }

    /// The text of a trigger, with the documents it announced.
    fn trigger(&self) -> Result<String, Problem> {
        let inner = super::lines::instruction(&self.line.rest, self.line.number, self.escape)?;
        if matches!(inner.keyword.as_str(), "ONBUILD" | "FROM" | "MAINTAINER") {
            return Err(self.problem(format!("{} cannot be a trigger", inner.keyword)));
        }
        let inner = Line {
            documents: self.line.documents.clone(),
            ..inner
        };
        parse(&inner, self.escape)?;
        let mut text = self.line.rest.clone();
        for document in &self.line.documents {
            text.push_str(&format!("\n{}{}", document.text, document.name));
        }
        Ok(text)
    }
}

/// A JSON array of strings, if the text is one.
fn json_array(text: &str) -> Option<Vec<String>> {
    text.starts_with('[')
        .then(|| serde_json::from_str(text).ok())?
}

fn blank_separated(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}
