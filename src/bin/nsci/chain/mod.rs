//! Chains of functions typed on a command line: `build --source=. file --path=app export --path=./app`.
//!
//! [`Chain::parse`] reads the words against the API's types, one object after the other; [`query`] makes
//! requests of the result and [`help`] describes where it stands. Used for modules and the core API alike.

pub(crate) mod help;
pub(crate) mod query;
pub(crate) mod value;

use std::collections::VecDeque;

use nsci::module::ModuleTypes;
use nsci::module::names::kebab;
use nsci::schema::gql::{ArgDef, FieldDef, TypeDef, TypeTable};

use crate::args::GLOBAL;
use crate::args::flag::{self, Flag, Taken, Token, boolean, nearest, token};
use crate::report::Failure;
use value::{Given, Kind, Surroundings};

/// Most names that are listed beside the one that was probably meant.
const SHORT_LIST: usize = 24;

/// One function of a chain with its arguments.
#[derive(Debug)]
pub(crate) struct Step<'a> {
    /// The function.
    pub(crate) field: &'a FieldDef,
    /// Arguments that were given.
    pub(crate) args: Vec<(&'a ArgDef, Given)>,
}

/// A chain as typed.
#[derive(Debug)]
pub(crate) struct Chain<'a> {
    /// Functions from the root.
    pub(crate) steps: Vec<Step<'a>>,
    /// `--output`.
    pub(crate) output: Option<String>,
    /// `--json`.
    pub(crate) json: bool,
    /// `--help`: describe where the chain ends instead of running it.
    pub(crate) help: bool,
}

/// Where a chain begins.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start<'a> {
    /// What the types are read from, and how.
    pub(crate) around: Surroundings<'a>,
    /// Constructor of the module, a field of the root; none for the core API.
    pub(crate) constructor: Option<&'a str>,
    /// Who has the functions, for messages: ``module `ci` ``.
    pub(crate) owner: &'a str,
    /// Types of the module, for what the API does not say of them.
    pub(crate) module: Option<&'a ModuleTypes>,
    /// Flags that are known besides those of the functions.
    pub(crate) own: &'static [Flag],
}

impl<'a> Chain<'a> {
    /// Reads the words.
    ///
    /// # Errors
    /// Unknown functions and flags, values that cannot be, and required flags that are missing.
    pub(crate) fn parse(start: Start<'a>, words: &[String]) -> Result<Self, Failure> {
        let types = start.around.types;
        let root = types
            .get("Query")
            .ok_or_else(|| Failure::internal("the API has no root"))?;
        let mut parser = Parser {
            start,
            at: root,
            open: None,
            given: Vec::new(),
            steps: Vec::new(),
            own: Vec::new(),
        };
        if let Some(name) = start.constructor {
            let field = root.field(name, start.around.view).ok_or_else(|| {
                Failure::internal(format!(
                    "the API has no `{name}` although its module is loaded"
                ))
            })?;
            parser.enter(field)?;
        }
        let mut queue: VecDeque<&String> = words.iter().collect();
        while let Some(word) = queue.pop_front() {
            parser.word(word, &mut queue)?;
        }
        parser.end()
    }

    /// The function it ends with.
    pub(crate) fn last(&self) -> Option<&'a FieldDef> {
        self.steps.last().map(|step| step.field)
    }
}

struct Parser<'a> {
    start: Start<'a>,
    /// The object whose functions come next.
    at: &'a TypeDef,
    /// The function whose flags are being read.
    open: Option<&'a FieldDef>,
    given: Vec<(&'a ArgDef, Vec<String>)>,
    steps: Vec<Step<'a>>,
    own: Vec<flag::Given>,
}

impl<'a> Parser<'a> {
    fn word(&mut self, word: &str, queue: &mut VecDeque<&String>) -> Result<(), Failure> {
        match token(word) {
            Token::End => Ok(()),
            Token::Word(name) => {
                // Help looks at where the chain leads and does not mind what is missing.
                self.close(self.wants_help() || queue.iter().any(|word| is_help(word)))?;
                self.enter(self.function(name)?)
            }
            Token::Long(name, value) => match self.arg(name) {
                Some(arg) => self.take(arg, name, value, queue),
                None => self.own_flag(word, queue),
            },
            Token::Short(_) => self.own_flag(word, queue),
        }
    }

    fn wants_help(&self) -> bool {
        self.own
            .iter()
            .any(|(name, value)| *name == "help" && value == "true")
    }

    /// The argument of the open function that a flag stands for.
    fn arg(&self, name: &str) -> Option<&'a ArgDef> {
        let wanted = kebab(name);
        let view = self.start.around.view;
        let mut args = self
            .open?
            .args
            .iter()
            .filter(|arg| arg.marks.views.contains(view));
        args.find(|arg| kebab(&arg.name) == wanted)
    }

    fn take(
        &mut self,
        arg: &'a ArgDef,
        name: &str,
        value: Option<&str>,
        queue: &mut VecDeque<&String>,
    ) -> Result<(), Failure> {
        let kind = self.kind(arg).ok_or_else(|| {
            Failure::usage(format!(
                "--{name} cannot be given: no text can stand for {}",
                arg.ty
            ))
        })?;
        let text = match value {
            Some(value) => value.to_owned(),
            None if kind.is_switch() => "true".to_owned(),
            None => queue
                .pop_front()
                .cloned()
                .ok_or_else(|| Failure::usage(format!("flag needs a value: --{name}")))?,
        };
        match self
            .given
            .iter_mut()
            .find(|(known, _)| known.name == arg.name)
        {
            Some((_, texts)) => texts.push(text),
            None => self.given.push((arg, vec![text])),
        }
        Ok(())
    }

    fn kind(&self, arg: &ArgDef) -> Option<Kind> {
        Kind::of(arg, self.start.around.types, self.start.around.view)
    }

    fn own_flag(&mut self, word: &str, queue: &mut VecDeque<&String>) -> Result<(), Failure> {
        match flag::take(word, queue, &[self.start.own, GLOBAL], &mut self.own)? {
            Taken::Known => Ok(()),
            _ => Err(self.unknown_flag(word)),
        }
    }

    fn unknown_flag(&self, word: &str) -> Failure {
        let shown = word.split('=').next().unwrap_or(word);
        let of = self.open.map_or_else(String::new, |field| {
            let is_constructor =
                self.start.constructor == Some(&*field.name) && self.steps.is_empty();
            match is_constructor {
                true => format!(" of {}", self.start.owner),
                false => format!(" of `{}`", kebab(&field.name)),
            }
        });
        let failure = Failure::usage(format!("unknown flag{of}: {shown}"));
        let args = self.open.map_or(&[][..], |field| &field.args[..]);
        let names: Vec<String> = args.iter().map(|arg| kebab(&arg.name)).collect();
        let own = GLOBAL
            .iter()
            .filter(|flag| !flag.doc.is_empty())
            .map(|flag| flag.long);
        let known = names.iter().map(String::as_str).chain(own);
        match nearest(shown.trim_start_matches('-'), known) {
            Some(near) => failure.hint(format!("did you mean `--{near}`?")),
            None if names.is_empty() => failure,
            None => failure.hint(format!("its flags are --{}", names.join(", --"))),
        }
    }

    /// The function called `name` of the object at hand.
    fn function(&self, name: &str) -> Result<&'a FieldDef, Failure> {
        let menu = menu(self.at, self.start.around);
        let wanted = kebab(name);
        if let Some(entry) = menu.iter().find(|entry| kebab(&entry.field.name) == wanted) {
            return match entry.unsupported {
                None => Ok(entry.field),
                Some(arg) => Err(Failure::usage(format!(
                    "`{name}` cannot be called from the command line: no text can stand for its \
                     argument `{arg}`"
                ))),
            };
        }
        let owner = match self.start.constructor {
            Some(_) if self.steps.len() == 1 => self.start.owner.to_owned(),
            None if self.steps.is_empty() => self.start.owner.to_owned(),
            _ => format!("`{}`", self.at.name),
        };
        if menu.is_empty() {
            return Err(Failure::usage(format!(
                "no function `{name}`: the result has none"
            )));
        }
        let names: Vec<String> = menu.iter().map(|entry| kebab(&entry.field.name)).collect();
        let failure = Failure::usage(format!("no function `{name}` in {owner}"));
        let list = format!("it has {}", names.join(", "));
        Err(match nearest(&wanted, names.iter().map(String::as_str)) {
            Some(near) if names.len() > SHORT_LIST => {
                failure.hint(format!("did you mean `{near}`?"))
            }
            Some(near) => failure.hint(format!("did you mean `{near}`? {list}")),
            None => failure.hint(list),
        })
    }

    /// Goes on to a function; its flags follow.
    fn enter(&mut self, field: &'a FieldDef) -> Result<(), Failure> {
        self.open = Some(field);
        self.at = self
            .start
            .around
            .types
            .get(result_name(field))
            .ok_or_else(|| {
                Failure::internal(format!("the API does not declare {}", result_name(field)))
            })?;
        Ok(())
    }

    /// Ends the open function: reads what was given and checks that nothing is missing.
    fn close(&mut self, lenient: bool) -> Result<(), Failure> {
        let Some(field) = self.open.take() else {
            return Ok(());
        };
        let given = std::mem::take(&mut self.given);
        let view = self.start.around.view;
        let missing: Vec<String> = field
            .args
            .iter()
            .filter(|arg| arg.marks.views.contains(view) && is_required(arg))
            .filter(|arg| !given.iter().any(|(known, _)| known.name == arg.name))
            .map(|arg| format!("\"{}\"", kebab(&arg.name)))
            .collect();
        if !missing.is_empty() && !lenient {
            return Err(Failure::usage(format!(
                "required flag(s) {} not set",
                missing.join(", ")
            )));
        }
        let mut args = Vec::new();
        for (arg, texts) in given {
            let kind = self
                .kind(arg)
                .expect("flags are only taken for arguments that have a kind");
            args.push((
                arg,
                kind.read(&kebab(&arg.name), &texts, self.start.around)?,
            ));
        }
        self.steps.push(Step { field, args });
        Ok(())
    }

    fn end(mut self) -> Result<Chain<'a>, Failure> {
        let help = self.wants_help();
        self.close(help)?;
        let last = |name: &str| self.own.iter().rev().find(|(known, _)| *known == name);
        Ok(Chain {
            output: last("output").map(|(_, path)| path.clone()),
            json: match last("json") {
                Some((_, value)) => boolean("--json", value)?,
                None => false,
            },
            help,
            steps: self.steps,
        })
    }
}

fn is_help(word: &str) -> bool {
    word == "--help" || word == "-h"
}

/// The name of what a function returns, inside of lists.
pub(crate) fn result_name(field: &FieldDef) -> &str {
    field.ty.name()
}

/// Whether a caller must give an argument. Those of modules that have any default are nullable.
pub(crate) fn is_required(arg: &ArgDef) -> bool {
    arg.ty.is_non_null() && arg.default.is_none()
}

/// A function that can follow.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// The function.
    pub(crate) field: &'a FieldDef,
    /// A required argument that no flag can stand for.
    pub(crate) unsupported: Option<&'a str>,
}

/// The functions of an object, in order of declaration.
pub(crate) fn menu<'a>(object: &'a TypeDef, around: Surroundings<'a>) -> Vec<Entry<'a>> {
    let shown = |field: &&FieldDef| {
        !field.marks.hidden
            && field.marks.views.contains(around.view)
            && !field.is_load()
            && !field.name.starts_with("__")
            && !matches!(&*field.name, "id" | "node")
    };
    let entry = |field: &'a FieldDef| {
        let is_unsupported =
            |arg: &&ArgDef| is_required(arg) && Kind::of(arg, around.types, around.view).is_none();
        let unsupported = field.args.iter().find(is_unsupported).map(|arg| &*arg.name);
        Entry { field, unsupported }
    };
    object.fields().iter().filter(shown).map(entry).collect()
}

/// The type the API calls `name`, if it has fields.
pub(crate) fn object<'a>(types: &'a TypeTable, name: &str) -> Option<&'a TypeDef> {
    types.get(name).filter(|ty| ty.is_composite())
}

#[cfg(test)]
mod tests;
