//! Help for where a chain stands: the flags of its last function and the functions that can follow.

use std::fmt::Write as _;

use nsci::module::Arg;
use nsci::module::names::kebab;
use nsci::schema::gql::{ArgDef, FieldDef};

use super::value::Kind;
use super::{Chain, Start, is_required, menu, object, result_name};
use crate::args::GLOBAL;
use crate::args::{flag_table, table};

/// The help; `command` is the program and its command as called.
pub(crate) fn chain_help(command: &str, start: Start<'_>, chain: &Chain<'_>) -> String {
    let around = start.around;
    let mut out = String::new();
    let last = chain.last();
    let result = object(around.types, last.map_or("Query", result_name));
    let doc = last.map_or("", |field| field.marks.doc.trim());
    if !doc.is_empty() {
        _ = writeln!(out, "{doc}\n");
    }
    if let Some(why) = last.and_then(|field| field.marks.deprecated.as_deref()) {
        _ = writeln!(out, "Deprecated: {why}\n");
    }
    let names = chain
        .steps
        .iter()
        .map(|step| &*step.field.name)
        .filter(|name| start.constructor != Some(*name))
        .map(kebab);
    let path: Vec<String> = [command.to_owned()].into_iter().chain(names).collect();
    let entries = result.map_or_else(Vec::new, |ty| menu(ty, around));
    let follows = if entries.is_empty() {
        ""
    } else {
        " [FUNCTION]…"
    };
    _ = writeln!(out, "Usage: {} [FLAGS]{follows}", path.join(" "));
    let flags = last.map_or_else(String::new, |field| argument_table(field, start));
    if !flags.is_empty() {
        _ = write!(out, "\nArguments:\n{flags}");
    }
    if !entries.is_empty() {
        out.push_str("\nFunctions:\n");
        let able = entries.iter().filter(|entry| entry.unsupported.is_none());
        out.push_str(&table(able.map(|entry| function_row(entry.field))));
        let skipped = entries
            .iter()
            .filter(|entry| entry.unsupported.is_some())
            .count();
        if skipped > 0 {
            _ = writeln!(
                out,
                "\nSkipped {skipped} function(s) with unsupported types"
            );
        }
    }
    _ = write!(out, "\nFlags:\n{}", flag_table(start.own));
    _ = write!(out, "\nFlags of every command:\n{}", flag_table(GLOBAL));
    out
}

/// Name and first paragraph of a function.
pub(crate) fn function_row(field: &FieldDef) -> (String, String) {
    (kebab(&field.name), first_line(&field.marks.doc).to_owned())
}

/// The first line, which is what lists have room for.
pub(crate) fn first_line(doc: &str) -> &str {
    doc.trim().lines().next().unwrap_or("-").trim()
}

fn argument_table(field: &FieldDef, start: Start<'_>) -> String {
    let around = start.around;
    let shown = field
        .args
        .iter()
        .filter(|arg| !arg.marks.hidden && arg.marks.views.contains(around.view))
        .filter_map(|arg| Kind::of(arg, around.types, around.view).map(|kind| (arg, kind)));
    table(shown.map(|(arg, kind)| {
        let word = kind.word();
        let space = if word.is_empty() { "" } else { " " };
        let name = format!("--{}{space}{word}", kebab(&arg.name));
        (name, argument_doc(arg, module_arg(field, arg, start)))
    }))
}

/// The argument as the module describes it: defaults that it applies itself are not part of the API.
fn module_arg<'a>(field: &FieldDef, arg: &ArgDef, start: Start<'a>) -> Option<&'a Arg> {
    let module = start.module?;
    let is_constructor = start.constructor == Some(&*field.name);
    let mut functions = module.objects.iter().flat_map(|object| {
        let constructor = object.constructor.iter().filter(|_| is_constructor);
        constructor.chain(
            object
                .functions
                .iter()
                .filter(|known| known.api_name == field.name),
        )
    });
    // Functions of two objects may share a name; then only what both say of their arguments is shown.
    let known = functions.next()?;
    match functions.next() {
        None => known.args.iter().find(|known| known.api_name == arg.name),
        Some(_) => None,
    }
}

fn argument_doc(arg: &ArgDef, of_module: Option<&Arg>) -> String {
    let mut doc: Vec<String> = vec![arg.marks.doc.trim().to_owned()];
    if is_required(arg) {
        doc.push("[required]".into());
    }
    let default = arg
        .default
        .as_ref()
        .or(of_module.and_then(|arg| arg.default.as_ref()));
    if let Some(value) = default.filter(|value| !value.is_null()) {
        doc.push(format!("(default {value})"));
    }
    if let Some(path) = of_module.and_then(|arg| arg.default_path.as_ref()) {
        doc.push(format!("(default {path} of the module)"));
    }
    if let Some(address) = of_module.and_then(|arg| arg.default_address.as_ref()) {
        doc.push(format!("(default {address})"));
    }
    if let Some(why) = &arg.marks.deprecated {
        doc.push(format!("(deprecated: {why})"));
    }
    doc.retain(|part| !part.is_empty());
    doc.join(" ")
}
