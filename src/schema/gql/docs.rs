//! Lists what a schema declares, for reference pages and coverage, and prints it as SDL.

use std::fmt::Write as _;

use serde_json::Value;

use super::introspect::{applications, shown};
use super::table::{
    Applied, ArgDef, EnumValueDef, FieldDef, Marks, Text, TypeDef, TypeKind, TypeTable,
};
use super::view::View;

/// One field as a reference page shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDoc {
    /// The type that has it.
    pub ty: String,
    /// Its name.
    pub field: String,
    /// `(arg: Type = default, …): Type`
    pub signature: String,
    /// What it gives.
    pub doc: String,
    /// Why not to use it any more.
    pub deprecated: Option<String>,
    /// Why not to rely on it yet.
    pub experimental: Option<String>,
}

/// Every visible field of every object and interface, in order of declaration, as `view` has them.
///
/// Left out: introspection and the generated `loadFooFromID`.
pub fn fields(table: &TypeTable, view: View) -> Vec<FieldDoc> {
    let mut found = Vec::new();
    for ty in table.types().iter().filter(|ty| listed(ty)) {
        for field in visible_fields(ty, view) {
            found.push(FieldDoc {
                ty: ty.name.to_string(),
                field: field.name.to_string(),
                signature: signature(table, view, field),
                doc: field.marks.doc.to_string(),
                deprecated: field.marks.deprecated.as_deref().map(str::to_owned),
                experimental: field.marks.experimental.as_deref().map(str::to_owned),
            });
        }
    }
    found
}

/// `(arg: Type = default, …): Type`
pub fn signature(table: &TypeTable, view: View, field: &FieldDef) -> String {
    let args: Vec<String> = visible_args(&field.args, view)
        .map(|arg| argument(table, view, arg, false))
        .collect();
    let args = if args.is_empty() {
        String::new()
    } else {
        format!("({})", args.join(", "))
    };
    format!(
        "{args}: {}",
        shown(table, view, &field.ty, field.expected.as_ref())
    )
}

/// The whole schema in GraphQL's schema language, as `view` has it.
pub fn sdl(table: &TypeTable, view: View) -> String {
    let mut out = String::new();
    for directive in table
        .directives()
        .iter()
        .filter(|directive| !built_in(&directive.name))
    {
        doc(&mut out, "", &directive.doc);
        let args: Vec<String> = directive
            .args
            .iter()
            .map(|arg| argument(table, view, arg, false))
            .collect();
        let args = if args.is_empty() {
            String::new()
        } else {
            format!("({})", args.join(", "))
        };
        let locations = directive.locations.join(" | ");
        push(
            &mut out,
            format_args!("directive @{}{args} on {locations}\n\n", directive.name),
        );
    }
    for ty in table.types().iter().filter(|ty| listed(ty)) {
        type_definition(&mut out, table, view, ty);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn listed(ty: &TypeDef) -> bool {
    !ty.name.starts_with('_') && !built_in(&ty.name)
}

fn built_in(name: &str) -> bool {
    matches!(
        name,
        "String"
            | "Int"
            | "Float"
            | "Boolean"
            | "ID"
            | "include"
            | "skip"
            | "deprecated"
            | "specifiedBy"
    )
}

pub(super) fn visible_fields(ty: &TypeDef, view: View) -> impl Iterator<Item = &FieldDef> {
    ty.fields().iter().filter(move |field| {
        visible(&field.marks, view) && !field.is_load() && !field.name.starts_with("__")
    })
}

pub(super) fn visible_args(args: &[ArgDef], view: View) -> impl Iterator<Item = &ArgDef> {
    args.iter().filter(move |arg| visible(&arg.marks, view))
}

pub(super) fn visible(marks: &Marks, view: View) -> bool {
    !marks.hidden && marks.views.contains(view)
}

fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes everything");
}

fn type_definition(out: &mut String, table: &TypeTable, view: View, ty: &TypeDef) {
    doc(out, "", &ty.marks.doc);
    let directives = directives(&ty.marks, None);
    match &ty.kind {
        TypeKind::Scalar(_) => push(out, format_args!("scalar {}{directives}\n\n", ty.name)),
        TypeKind::Enum { values } => {
            push(out, format_args!("enum {}{directives} {{\n", ty.name));
            values.iter().for_each(|value| enum_value(out, value));
            out.push_str("}\n\n");
        }
        TypeKind::Input { fields } => {
            push(out, format_args!("input {}{directives} {{\n", ty.name));
            for field in visible_args(fields, view) {
                doc(out, "  ", &field.marks.doc);
                push(
                    out,
                    format_args!("  {}\n", argument(table, view, field, true)),
                );
            }
            out.push_str("}\n\n");
        }
        TypeKind::Object { .. } | TypeKind::Interface { .. } => {
            let word = if matches!(ty.kind, TypeKind::Object { .. }) {
                "type"
            } else {
                "interface"
            };
            let implements = if word == "type" && !ty.related.is_empty() {
                format!(" implements {}", ty.related.join(" & "))
            } else {
                String::new()
            };
            push(
                out,
                format_args!("{word} {}{implements}{directives} {{\n", ty.name),
            );
            for field in visible_fields(ty, view) {
                field_definition(out, table, view, field);
            }
            out.push_str("}\n\n");
        }
    }
}

fn enum_value(out: &mut String, value: &EnumValueDef) {
    doc(out, "  ", &value.marks.doc);
    push(
        out,
        format_args!("  {}{}\n", value.name, directives(&value.marks, None)),
    );
}

fn field_definition(out: &mut String, table: &TypeTable, view: View, field: &FieldDef) {
    doc(out, "  ", &field.marks.doc);
    push(out, format_args!("  {}", field.name));
    let mut args = visible_args(&field.args, view).peekable();
    if args.peek().is_some() {
        out.push_str("(\n");
        for arg in args {
            doc(out, "    ", &arg.marks.doc);
            push(
                out,
                format_args!("    {}\n", argument(table, view, arg, true)),
            );
        }
        out.push_str("  )");
    }
    let ty = shown(table, view, &field.ty, field.expected.as_ref());
    push(
        out,
        format_args!(
            ": {ty}{}\n",
            directives(&field.marks, field.expected.as_ref())
        ),
    );
}

/// `name: Type = default`
pub(super) fn shown_argument(table: &TypeTable, view: View, arg: &ArgDef) -> String {
    argument(table, view, arg, false)
}

fn argument(table: &TypeTable, view: View, arg: &ArgDef, marks: bool) -> String {
    let mut out = format!(
        "{}: {}",
        arg.name,
        shown(table, view, &arg.ty, arg.expected.as_ref())
    );
    if let Some(default) = &arg.default_text {
        push(&mut out, format_args!(" = {default}"));
    }
    if marks {
        out.push_str(&directives(&arg.marks, arg.expected.as_ref()));
    }
    out
}

fn directives(marks: &Marks, expected: Option<&Text>) -> String {
    applications(marks, expected)
        .iter()
        .map(application)
        .collect()
}

fn application(applied: &Applied) -> String {
    let args: Vec<String> = applied
        .args
        .iter()
        .map(|(name, value)| format!("{name}: {value}"))
        .collect();
    let args = if args.is_empty() {
        String::new()
    } else {
        format!("({})", args.join(", "))
    };
    format!(" @{}{args}", applied.name)
}

fn doc(out: &mut String, indent: &str, text: &str) {
    if text.is_empty() {
        return;
    }
    if text.contains('\n') {
        push(out, format_args!("{indent}\"\"\"\n"));
        for line in text.lines() {
            let line = line.replace("\"\"\"", "\\\"\"\"");
            push(
                out,
                format_args!("{}\n", format!("{indent}{line}").trim_end()),
            );
        }
        push(out, format_args!("{indent}\"\"\"\n"));
    } else {
        push(out, format_args!("{indent}{}\n", Value::from(text)));
    }
}
