//! Prints what a schema declares as a reference page in Markdown.

use super::docs::{shown_argument, signature, visible, visible_args, visible_fields};
use super::table::{FieldDef, Marks, TypeDef, TypeKind, TypeTable};
use super::view::View;

/// The reference page of a schema as `view` has it: objects, then enums and inputs, by name.
pub fn markdown(table: &TypeTable, view: View) -> String {
    let mut out = String::new();
    let mut types: Vec<&TypeDef> = table.types().iter().filter(|ty| listed(ty)).collect();
    types.sort_by(|a, b| a.name.cmp(&b.name));
    let rank = |ty: &TypeDef| match ty.kind {
        TypeKind::Object { .. } => usize::from(ty.name != "Query"),
        TypeKind::Interface { .. } => 2,
        TypeKind::Enum { .. } => 3,
        TypeKind::Input { .. } => 4,
        TypeKind::Scalar(_) => 5,
    };
    types.sort_by_key(|ty| rank(ty));
    for ty in types {
        definition(&mut out, table, view, ty);
    }
    out.truncate(out.trim_end().len());
    out.push('\n');
    out
}

fn listed(ty: &TypeDef) -> bool {
    let own = !matches!(&*ty.name, "String" | "Int" | "Float" | "Boolean");
    own && !ty.name.starts_with('_') && visible(&ty.marks, View::LATEST)
}

fn definition(out: &mut String, table: &TypeTable, view: View, ty: &TypeDef) {
    *out += &format!("## {}\n\n{}\n\n", ty.name, ty.marks.doc);
    match &ty.kind {
        TypeKind::Object { .. } | TypeKind::Interface { .. } => {
            let mut fields: Vec<&FieldDef> = visible_fields(ty, view).collect();
            fields.sort_by(|a, b| a.name.cmp(&b.name));
            for field in fields {
                describe(out, table, view, field);
            }
        }
        TypeKind::Enum { values } => {
            for value in values.iter().filter(|value| visible(&value.marks, view)) {
                *out += &format!("- `{}`: {}\n", value.name, value.marks.doc);
            }
            out.push('\n');
        }
        TypeKind::Input { fields } => {
            for field in visible_args(fields, view) {
                let shown = shown_argument(table, view, field);
                *out += &format!("- `{shown}`: {}\n", field.marks.doc);
            }
            out.push('\n');
        }
        TypeKind::Scalar(_) => {}
    }
}

fn describe(out: &mut String, table: &TypeTable, view: View, field: &FieldDef) {
    let signature = signature(table, view, field);
    *out += &format!("### {}\n\n", field.name);
    *out += &format!("```graphql\n{}{signature}\n```\n\n", field.name);
    *out += &format!("{}{}\n\n", field.marks.doc, warnings(&field.marks));
    let mut any = false;
    for arg in visible_args(&field.args, view) {
        let line = format!(
            "- `{}`: {}{}\n",
            arg.name,
            arg.marks.doc,
            warnings(&arg.marks)
        );
        *out += &line;
        any = true;
    }
    if any {
        out.push('\n');
    }
}

fn warnings(marks: &Marks) -> String {
    let mut text = String::new();
    if let Some(why) = &marks.deprecated {
        text += &format!(" *Deprecated: {why}*");
    }
    if let Some(why) = &marks.experimental {
        text += &format!(" *Experimental: {why}*");
    }
    text
}
