//! Commands of the shell itself: they begin with a dot.

use std::sync::Arc;

use nsci::module::names::kebab;
use nsci::schema::Api;
use nsci::schema::gql::{FieldDef, Schema, TypeDef};

use super::eval::Shell;
use crate::args::table;
use crate::chain::help::first_line;
use crate::chain::{is_required, menu, object, result_name};
use crate::report::Failure;

/// Names, arguments and what they do.
const BUILTINS: [(&str, &str, &str); 9] = [
    (
        ".help",
        "[NAME]",
        "Say what can be called here, or what a function takes; also at the end of a pipeline",
    ),
    (".core", "", "List functions of the core API"),
    (".deps", "", "List modules that the one at hand uses"),
    (".use", "REF", "Load a module and make it the one at hand"),
    (".doc", "[NAME]", "The same as .help"),
    (".types", "", "List types of the API"),
    (".echo", "[WORD]…", "Print words"),
    (".pwd", "", "Print the working directory"),
    (".exit", "", "End the shell"),
];

pub(super) fn is_one(name: &str) -> bool {
    name.starts_with('.') && name.len() > 1 && !name.starts_with("./") && !name.starts_with("..")
}

/// Runs one; `at` is the type that the pipeline before it gives.
pub(super) async fn run(
    shell: &mut Shell,
    name: &str,
    words: &[String],
    at: Option<&str>,
    schema: &Arc<Schema<Api>>,
) -> Result<String, Failure> {
    match name {
        ".help" | ".doc" => help(shell, words.first().map(String::as_str), at, schema),
        ".core" | ".stdlib" => Ok(listed(shell, "Query", schema)),
        ".deps" => Ok(deps(shell)),
        ".types" => {
            let composite = schema.table().types().iter().filter(|ty| ty.is_composite());
            let shown = composite.filter(|ty| !ty.name.starts_with("__") && !ty.marks.hidden);
            Ok(table(shown.map(|ty| {
                (ty.name.to_string(), first_line(&ty.marks.doc).to_owned())
            })))
        }
        ".use" => {
            let reference = words
                .first()
                .ok_or_else(|| Failure::usage("`.use` needs a module, such as ./ci"))?;
            let module = shell.app.module_at(&shell.engine, reference).await?;
            shell.module = Some(module);
            Ok(String::new())
        }
        ".echo" => Ok(words.join(" ") + "\n"),
        ".pwd" => Ok(format!("{}\n", shell.app.settings.workdir.display())),
        ".exit" => {
            shell.done = true;
            Ok(String::new())
        }
        _ => {
            Err(Failure::usage(format!("no command `{name}`"))
                .hint("`.help` lists those of the shell"))
        }
    }
}

fn help(
    shell: &Shell,
    name: Option<&str>,
    at: Option<&str>,
    schema: &Arc<Schema<Api>>,
) -> Result<String, Failure> {
    let around = shell.around(schema);
    let main = shell
        .module
        .as_ref()
        .filter(|module| module.has_functions())
        .and_then(|module| {
            let field = around
                .types
                .get("Query")?
                .field(&module.query_field, around.view)?;
            object(around.types, result_name(field))
        });
    if let Some(name) = name {
        let wanted = kebab(name);
        let of = match at {
            Some(at) => vec![object(around.types, at)],
            None => vec![main, around.types.get("Query")],
        };
        let field = of
            .into_iter()
            .flatten()
            .flat_map(TypeDef::fields)
            .find(|field| kebab(&field.name) == wanted);
        return field
            .map(|field| described(field, shell, schema))
            .ok_or_else(|| Failure::usage(format!("no function `{name}`")));
    }
    if let Some(at) = at {
        return Ok(listed(shell, at, schema));
    }
    let mut out = String::new();
    if let (Some(main), Some(module)) = (main, &shell.module) {
        out.push_str(&format!("Functions of module {}:\n", module.name));
        out.push_str(&listed(shell, &main.name, schema));
        out.push('\n');
    }
    if shell
        .module
        .as_ref()
        .is_some_and(|module| !module.dependencies.is_empty())
    {
        out.push_str("Modules it uses:\n");
        out.push_str(&deps(shell));
        out.push('\n');
    }
    out.push_str("Commands of the shell:\n");
    out.push_str(&table(BUILTINS.iter().map(|(name, args, doc)| {
        let name = format!("{name} {args}");
        (name.trim_end().to_owned(), (*doc).to_owned())
    })));
    out.push_str("\n`.core` lists functions of the core, `FUNCTION | .help` those of what a function gives.\n");
    Ok(out)
}

fn listed(shell: &Shell, name: &str, schema: &Arc<Schema<Api>>) -> String {
    let around = shell.around(schema);
    let Some(ty) = object(around.types, name) else {
        return String::new();
    };
    let entries = menu(ty, around);
    table(entries.iter().map(|entry| {
        (
            usage(entry.field, shell, schema),
            first_line(&entry.field.marks.doc).to_owned(),
        )
    }))
}

/// A function with its required arguments.
fn usage(field: &FieldDef, shell: &Shell, schema: &Arc<Schema<Api>>) -> String {
    let view = shell.around(schema).view;
    let args = field
        .args
        .iter()
        .filter(|arg| arg.marks.views.contains(view) && is_required(arg));
    let mut out = kebab(&field.name);
    for arg in args {
        out.push_str(&format!(" <{}>", kebab(&arg.name)));
    }
    out
}

fn described(field: &FieldDef, shell: &Shell, schema: &Arc<Schema<Api>>) -> String {
    let mut out = format!(
        "{}\n\nUsage: {}",
        field.marks.doc.trim(),
        usage(field, shell, schema)
    );
    let optional = field
        .args
        .iter()
        .filter(|arg| !is_required(arg) && !arg.marks.hidden);
    let rows: Vec<(String, String)> = optional
        .map(|arg| {
            (
                format!("--{}", kebab(&arg.name)),
                arg.marks.doc.trim().to_owned(),
            )
        })
        .collect();
    if !rows.is_empty() {
        out.push_str(" [FLAGS]\n\nFlags:\n");
        out.push_str(&table(rows));
    } else {
        out.push('\n');
    }
    out.push_str(&format!(
        "\nGives: {}\n",
        field.expected.as_deref().unwrap_or_else(|| field.ty.name())
    ));
    out
}

fn deps(shell: &Shell) -> String {
    let used = shell.module.iter().flat_map(|module| &module.dependencies);
    table(used.map(|used| {
        let doc = used.types.main().map_or("", |main| &main.description);
        (kebab(&used.name), first_line(doc).to_owned())
    }))
}
