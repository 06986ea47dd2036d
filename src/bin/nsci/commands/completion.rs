//! `nsci completion`: scripts that ask nsci itself, so that functions and flags of modules are completed too.
//!
//! The scripts call `nsci __complete WORD…` with the words typed so far, the last one unfinished; [`complete`] answers
//! with one candidate a line, a tab and what it is for. A directory or file is left to the shell: the answer is then
//! the single line `:files`.

use std::sync::Arc;

use nsci::module::marked::Mark;
use nsci::module::names::kebab;
use nsci::schema::gql::{FieldDef, TypeDef};

use super::call::target;
use crate::app::App;
use crate::args::flag::{Flag, Scan, Takes, Token, scan, token};
use crate::args::{CHAIN_FLAGS, COMMANDS, Command, GLOBAL};
use crate::chain::help::first_line;
use crate::chain::value::{Kind, Surroundings};
use crate::chain::{menu, object, result_name};
use crate::output::Output;
use crate::report::Failure;

/// Line that leaves the rest to the shell.
const FILES: &str = ":files\n";

/// The script of a shell.
///
/// # Errors
/// If there is none for it.
pub(super) fn script(program: &str, shell: &str) -> Result<Output, Failure> {
    let text = match shell {
        "bash" => BASH,
        "zsh" => ZSH,
        "fish" => FISH,
        "" => {
            return Err(Failure::usage("which shell? bash, zsh or fish")
                .hint(format!("{program} completion bash")));
        }
        other => {
            return Err(
                Failure::usage(format!("no completion for the shell `{other}`"))
                    .hint("there are bash, zsh and fish"),
            );
        }
    };
    Ok(Output::text(text.replace("@nsci@", program)))
}

const BASH: &str = r#"_@nsci@_complete() {
    local words=("${COMP_WORDS[@]:1:COMP_CWORD}") line
    COMPREPLY=()
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            compopt -o default 2>/dev/null
            return
        fi
        COMPREPLY+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2>/dev/null)
    [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
}
complete -F _@nsci@_complete @nsci@
"#;

const ZSH: &str = r#"#compdef @nsci@
_@nsci@() {
    local -a found
    local line
    while IFS= read -r line; do
        if [[ $line == ":files" ]]; then
            _files
            return
        fi
        found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
    _describe 'command' found
}
compdef _@nsci@ @nsci@
"#;

const FISH: &str = r#"function __@nsci@_complete
    set -l words (commandline -opc) (commandline -ct)
    for line in ($words[1] __complete $words[2..-1] 2>/dev/null)
        if test "$line" = ":files"
            __fish_complete_path (commandline -ct)
        else
            echo $line
        end
    end
end
complete -c @nsci@ -f -a '(__@nsci@_complete)'
"#;

/// Completes what does not need a module; `None` if it does.
pub(super) fn fixed(words: &[String]) -> Option<Output> {
    let (last, before) = words.split_last()?;
    if let Some(previous) = before.last()
        && let Token::Long(name, None) = token(previous)
        && let Some(flag) = GLOBAL.iter().find(|flag| flag.long == name)
        && matches!(flag.takes, Takes::Value(_))
    {
        return Some(match name {
            "progress" => candidates(
                last,
                ["auto", "tty", "plain", "json"].map(|mode| (mode.to_owned(), String::new())),
            ),
            _ => Output::text(FILES),
        });
    }
    let Some(command) = command(before) else {
        let commands = COMMANDS
            .iter()
            .map(|command| (command.name.to_owned(), command.summary.to_owned()));
        return Some(if last.starts_with('-') {
            candidates(last, flags(&[GLOBAL]))
        } else {
            candidates(last, commands)
        });
    };
    if matches!(
        command.name,
        "call" | "functions" | "check" | "generate" | "core" | "uninstall" | "update"
    ) {
        return None;
    }
    Some(match command.name {
        _ if last.starts_with('-') => candidates(last, flags(&[command.flags, GLOBAL])),
        "cache" => candidates(
            last,
            ["ls", "du", "prune"].map(|verb| (verb.to_owned(), String::new())),
        ),
        "toolchain" => candidates(
            last,
            ["install", "uninstall", "list", "update"].map(|verb| (verb.to_owned(), String::new())),
        ),
        "completion" => candidates(
            last,
            ["bash", "zsh", "fish"].map(|shell| (shell.to_owned(), String::new())),
        ),
        _ => Output::text(FILES),
    })
}

/// The command among finished words.
fn command(before: &[String]) -> Option<&'static Command> {
    let scanned = scan(before, &[GLOBAL], Scan::Leading).ok()?;
    let mut rest = scanned.rest.iter();
    let mut first = rest.next()?;
    if matches!(first.as_str(), "mod" | "module" | "api") {
        first = rest.next()?;
    }
    COMMANDS.iter().find(|command| command.name == first)
}

fn flags(tables: &[&[Flag]]) -> Vec<(String, String)> {
    let shown = tables
        .iter()
        .flat_map(|table| table.iter())
        .filter(|flag| !flag.doc.is_empty());
    shown
        .map(|flag| (format!("--{}", flag.long), flag.doc.to_owned()))
        .collect()
}

fn candidates(start: &str, all: impl IntoIterator<Item = (String, String)>) -> Output {
    let fitting = all.into_iter().filter(|(name, _)| name.starts_with(start));
    Output::text(
        fitting
            .map(|(name, doc)| format!("{name}\t{}\n", first_line(&doc)))
            .collect::<String>(),
    )
}

/// Completes functions and flags of the module at hand, or of the core.
///
/// # Errors
/// Those of the module; scripts show nothing then.
pub(super) async fn complete(app: Arc<App>, words: Vec<String>) -> Result<Output, Failure> {
    let Some((last, before)) = words.split_last() else {
        return Ok(Output::default());
    };
    let scanned = scan(before, &[GLOBAL, CHAIN_FLAGS], Scan::Known)?;
    let mut rest = scanned
        .rest
        .into_iter()
        .skip_while(|word| matches!(word.as_str(), "mod" | "module" | "api"));
    let command = rest.next().unwrap_or_default();
    let rest: Vec<String> = rest.collect();
    let engine = app.engine().await?;
    let is_core = command == "core";
    let module = if is_core {
        None
    } else {
        Some(app.module(&engine).await?)
    };
    let schema = engine.session.schema();
    let around = Surroundings {
        types: schema.table(),
        view: app.settings.view(),
        env: &app.settings.around.env,
    };
    let used = module.iter().flat_map(|module| &module.dependencies);
    let used: Vec<(String, String)> = used
        .map(|used| (kebab(&used.name), format!("module {}", used.name)))
        .collect();
    if matches!(command.as_str(), "uninstall" | "update") {
        return Ok(candidates(last, used));
    }
    let (target_module, rest) = match &module {
        Some(module) => {
            let (target, rest) = target(module, &rest);
            (Some(target), rest)
        }
        None => (None, rest),
    };
    if matches!(command.as_str(), "check" | "generate") {
        let mark = match command.as_str() {
            "check" => Mark::Check,
            _ => Mark::Generator,
        };
        let marked = module.iter().flat_map(|module| module.marked(mark));
        return Ok(candidates(
            last,
            marked.map(|one| (one.name, one.description)),
        ));
    }
    let root = around.types.get("Query");
    let constructor =
        target_module.and_then(|module| root?.field(&module.query_field, around.view));
    let mut open: Option<&FieldDef> = constructor;
    let mut at: Option<&TypeDef> = match constructor {
        Some(field) => object(around.types, result_name(field)),
        None => root.filter(|_| is_core),
    };
    let mut pending: Option<Kind> = None;
    for word in &rest {
        if pending.take().is_some() {
            continue;
        }
        match token(word) {
            Token::Word(name) => {
                let next = at.and_then(|ty| {
                    ty.fields()
                        .iter()
                        .find(|field| kebab(&field.name) == kebab(name))
                });
                open = next;
                at = next.and_then(|field| object(around.types, result_name(field)));
            }
            Token::Long(name, None) => {
                let arg = open.and_then(|field| {
                    field
                        .args
                        .iter()
                        .find(|arg| kebab(&arg.name) == kebab(name))
                });
                let kind = arg.and_then(|arg| Kind::of(arg, around.types, around.view));
                pending = kind.filter(|kind| !kind.is_switch());
            }
            _ => {}
        }
    }
    if let Some(kind) = pending {
        return Ok(values(&kind, "", last));
    }
    if let Token::Long(name, Some(value)) = token(last) {
        let arg = open.and_then(|field| {
            field
                .args
                .iter()
                .find(|arg| kebab(&arg.name) == kebab(name))
        });
        let kind = arg.and_then(|arg| Kind::of(arg, around.types, around.view));
        return Ok(kind.map_or_else(Output::default, |kind| {
            values(&kind, &format!("--{name}="), value)
        }));
    }
    if last.starts_with('-') {
        let args = open.into_iter().flat_map(|field| &field.args);
        let own = args
            .filter(|arg| !arg.marks.hidden && arg.marks.views.contains(around.view))
            .filter_map(|arg| {
                let kind = Kind::of(arg, around.types, around.view)?;
                let equals = if kind.is_switch() { "" } else { "=" };
                Some((
                    format!("--{}{equals}", kebab(&arg.name)),
                    arg.marks.doc.to_string(),
                ))
            });
        return Ok(candidates(last, own.chain(flags(&[CHAIN_FLAGS, GLOBAL]))));
    }
    let functions = at.into_iter().flat_map(|ty| menu(ty, around));
    let functions = functions
        .filter(|entry| entry.unsupported.is_none())
        .map(|entry| (kebab(&entry.field.name), entry.field.marks.doc.to_string()));
    let is_first =
        constructor.is_some_and(|field| open.is_some_and(|open| std::ptr::eq(open, field)));
    let used = used.into_iter().filter(|_| is_first || at.is_none());
    Ok(candidates(last, functions.chain(used)))
}

/// What a value may be.
fn values(kind: &Kind, before: &str, start: &str) -> Output {
    let listed = |names: Vec<String>| {
        let all = names
            .into_iter()
            .map(|name| (format!("{before}{name}"), String::new()));
        candidates(&format!("{before}{start}"), all)
    };
    match kind {
        Kind::Enum(names) => listed(names.clone()),
        Kind::Bool => listed(vec!["true".into(), "false".into()]),
        Kind::Object(name)
            if matches!(name.as_str(), "Directory" | "File" | "Socket") && before.is_empty() =>
        {
            Output::text(FILES)
        }
        Kind::Object(name) if name == "Secret" => {
            listed(vec!["env://".into(), "file://".into(), "cmd://".into()])
        }
        Kind::List(inner) => values(inner, before, start),
        _ => Output::default(),
    }
}
