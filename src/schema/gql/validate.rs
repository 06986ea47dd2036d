//! Checks a document against the types and fits its arguments, before anything runs.
//!
//! Every selection set is looked at once, with a heap-held stack: neither depth nor fragments that use each other
//! make it recurse or grow.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::coerce::{Coercion, Variables, from_json, suggestion};
use super::parser::{
    Directive, Document, Literal, Operation, Selection, SelectionKind, Set, position,
};
use super::request::{ErrorEntry, Location};
use super::table::{FieldDef, TypeDef, TypeTable};
use super::value::Args;
use super::view::View;

/// More errors than this help nobody.
const MAX_ERRORS: usize = 50;

/// A field selection whose declaration and arguments are known.
#[derive(Clone, Debug)]
pub(crate) struct Planned<'s> {
    pub(crate) parent: &'s TypeDef,
    pub(crate) field: &'s FieldDef,
    pub(crate) args: Args,
}

/// What is known about one selection.
#[derive(Clone, Debug)]
pub(crate) enum Step<'s> {
    /// Left out by a directive, or never reached.
    Skipped,
    /// A field.
    Field(Box<Planned<'s>>),
    /// `__typename`
    TypeName,
    /// A fragment of either kind.
    Fragment,
}

/// A document that may run.
#[derive(Debug)]
pub(crate) struct Plan<'s> {
    /// One entry per selection of the document.
    pub(crate) steps: Vec<Step<'s>>,
    pub(crate) variables: Variables,
    /// Where the operation starts.
    pub(crate) set: Set,
}

/// Chooses the operation and checks everything it reaches.
pub(crate) fn plan<'s>(
    table: &'s TypeTable,
    view: View,
    text: &str,
    document: &Document<'_>,
    operation_name: Option<&str>,
    sent: Option<&Map<String, Value>>,
) -> Result<Plan<'s>, Vec<ErrorEntry>> {
    let mut problems = Problems {
        text,
        entries: Vec::new(),
    };
    let Some(operation) = choose(document, operation_name, &mut problems) else {
        return Err(problems.entries);
    };
    let variables = variables(table, operation, sent, &mut problems);
    refuse_cycles(document, &mut problems);
    let mut walk = Walk {
        table,
        document,
        coercion: Coercion {
            table,
            view,
            variables: &variables,
        },
        steps: vec![Step::Skipped; document.selections.len()],
        used: HashSet::new(),
        problems,
    };
    walk.run(operation);
    for variable in &operation.variables {
        if !walk.used.contains(variable.name) {
            let message = format!("variable \"${}\" is never used", variable.name);
            walk.problems.add(variable.offset, message);
        }
    }
    let Walk {
        steps, problems, ..
    } = walk;
    if problems.entries.is_empty() {
        Ok(Plan {
            steps,
            variables,
            set: operation.set,
        })
    } else {
        Err(problems.entries)
    }
}

struct Problems<'t> {
    text: &'t str,
    entries: Vec<ErrorEntry>,
}

impl Problems<'_> {
    fn add(&mut self, offset: usize, message: impl Into<String>) {
        if self.entries.len() < MAX_ERRORS {
            let (line, column) = position(self.text, offset);
            let locations = vec![Location { line, column }];
            self.entries.push(ErrorEntry {
                message: message.into(),
                locations,
                ..ErrorEntry::default()
            });
        }
    }

    fn full(&self) -> bool {
        self.entries.len() >= MAX_ERRORS
    }
}

fn choose<'d, 'a>(
    document: &'d Document<'a>,
    name: Option<&str>,
    problems: &mut Problems<'_>,
) -> Option<&'d Operation<'a>> {
    let operations = &document.operations;
    let chosen = match name.filter(|name| !name.is_empty()) {
        Some(name) => operations
            .iter()
            .find(|operation| operation.name == Some(name)),
        None if operations.len() == 1 => operations.first(),
        None => None,
    };
    let Some(operation) = chosen else {
        problems.add(
            0,
            match name {
                Some(name) if !name.is_empty() => format!("there is no operation \"{name}\""),
                _ => "the request has several operations; say which by operationName".to_owned(),
            },
        );
        return None;
    };
    if operation.kind != "query" {
        problems.add(
            operation.offset,
            format!("there are only queries, no {}", operation.kind),
        );
        return None;
    }
    Some(operation)
}

fn variables(
    table: &TypeTable,
    operation: &Operation<'_>,
    sent: Option<&Map<String, Value>>,
    problems: &mut Problems<'_>,
) -> Variables {
    let mut variables = Variables::new();
    for variable in &operation.variables {
        let name = variable.ty.name();
        // Old clients declare `ContainerID` and newer ones `ID`; both are only text.
        let known = name.ends_with("ID") || table.get(name).is_some_and(|ty| !ty.is_composite());
        if !known {
            let message = format!(
                "variable \"${}\": there is no input type \"{name}\"",
                variable.name
            );
            problems.add(variable.offset, message);
        }
        let sent = sent.and_then(|sent| sent.get(variable.name)).map(from_json);
        let value = sent.or_else(|| variable.default.clone());
        if value.is_none() && variable.ty.is_non_null() {
            let message = format!(
                "variable \"${}\" of type \"{}\" was not sent",
                variable.name, variable.ty
            );
            problems.add(variable.offset, message);
        }
        if variables.insert(variable.name.to_owned(), value).is_some() {
            problems.add(
                variable.offset,
                format!("variable \"${}\" is declared twice", variable.name),
            );
        }
    }
    variables
}

/// Refuses fragments that contain themselves.
fn refuse_cycles(document: &Document<'_>, problems: &mut Problems<'_>) {
    if document.fragments.is_empty() {
        return;
    }
    let index: HashMap<&str, usize> = document
        .fragments
        .iter()
        .enumerate()
        .map(|(at, fragment)| (fragment.name, at))
        .collect();
    if index.len() < document.fragments.len() {
        problems.add(
            document.fragments[0].offset,
            "two fragments have the same name",
        );
    }
    let edges: Vec<Vec<usize>> = document
        .fragments
        .iter()
        .map(|fragment| spreads(document, fragment.set, &index))
        .collect();
    // 0: not seen, 1: on the current path, 2: done.
    let mut state = vec![0_u8; edges.len()];
    for root in 0..edges.len() {
        let mut path = vec![(root, 0)];
        while let Some((at, next)) = path.pop() {
            if next == 0 && state[at] != 0 {
                continue;
            }
            state[at] = 1;
            let Some(&target) = edges[at].get(next) else {
                state[at] = 2;
                continue;
            };
            path.push((at, next + 1));
            if state[target] == 1 {
                let fragment = &document.fragments[target];
                let message = format!("fragment \"{}\" contains itself", fragment.name);
                problems.add(fragment.offset, message);
                return;
            }
            if state[target] == 0 {
                path.push((target, 0));
            }
        }
    }
}

fn spreads(document: &Document<'_>, set: Set, index: &HashMap<&str, usize>) -> Vec<usize> {
    let mut found = Vec::new();
    let mut open = vec![set];
    while let Some(set) = open.pop() {
        for selection in &document.selections[set.positions()] {
            if let SelectionKind::Spread { name } = selection.kind {
                found.extend(index.get(name));
            }
            if !selection.set.is_empty() {
                open.push(selection.set);
            }
        }
    }
    found
}

struct Walk<'s, 'd, 'a, 'v> {
    table: &'s TypeTable,
    document: &'d Document<'a>,
    coercion: Coercion<'v>,
    steps: Vec<Step<'s>>,
    used: HashSet<&'d str>,
    problems: Problems<'v>,
}

impl<'s, 'd, 'a> Walk<'s, 'd, 'a, '_> {
    fn run(&mut self, operation: &Operation<'a>) {
        let query = self.table.get("Query").expect("every schema has Query");
        let mut open = vec![(operation.set, query)];
        for fragment in &self.document.fragments {
            if let Some(ty) = self.condition(fragment.on, fragment.offset) {
                open.push((fragment.set, ty));
            }
        }
        while let Some((set, ty)) = open.pop() {
            if self.problems.full() {
                return;
            }
            self.refuse_conflicts(set);
            for at in set.positions() {
                open.extend(self.selection(at, ty));
            }
        }
    }

    /// Checks one selection; gives what is selected below it.
    fn selection(&mut self, at: usize, ty: &'s TypeDef) -> Option<(Set, &'s TypeDef)> {
        let document = self.document;
        let selection = &document.selections[at];
        self.note_variables(selection);
        let included = self.included(&selection.directives);
        let (step, below) = match &selection.kind {
            SelectionKind::Field {
                name: "__typename", ..
            } => (Step::TypeName, None),
            SelectionKind::Field { name, args, .. } => {
                let planned = self.field(selection, ty, name, args)?;
                let result = self.table.get(planned.field.ty.name());
                let below = result.filter(|_| !selection.set.is_empty());
                (
                    Step::Field(Box::new(planned)),
                    below.map(|below| (selection.set, below)),
                )
            }
            SelectionKind::Spread { name } => {
                if document.fragment(name).is_none() {
                    let known = document.fragments.iter().map(|fragment| fragment.name);
                    let hint = suggestion(name, known);
                    self.problems.add(
                        selection.offset,
                        format!("there is no fragment \"{name}\"{hint}"),
                    );
                }
                (Step::Fragment, None)
            }
            SelectionKind::Inline { on } => {
                let ty = match on {
                    Some(on) => self.condition(on, selection.offset)?,
                    None => ty,
                };
                (Step::Fragment, Some((selection.set, ty)))
            }
        };
        if included {
            self.steps[at] = step;
        }
        below
    }

    fn field(
        &mut self,
        selection: &Selection<'_>,
        parent: &'s TypeDef,
        name: &str,
        args: &[(&str, Literal)],
    ) -> Option<Planned<'s>> {
        let view = self.coercion.view;
        let Some(field) = parent.field(name, view) else {
            let visible = parent
                .fields()
                .iter()
                .filter(|field| field.marks.views.contains(view));
            let hint = suggestion(name, visible.map(|field| &*field.name));
            let message = format!("type \"{}\" has no field \"{name}\"{hint}", parent.name);
            self.problems.add(selection.offset, message);
            return None;
        };
        let result = self.table.get(field.ty.name());
        if !selection.set.is_empty() && !result.is_some_and(TypeDef::is_composite) {
            let message = format!(
                "field \"{}.{name}\" gives \"{}\", which has no fields to select",
                parent.name, field.ty
            );
            self.problems.add(selection.offset, message);
        }
        // Objects asked for without fields answer with their id; the others have nothing to answer with.
        if selection.set.is_empty()
            && result.is_some_and(|ty| ty.is_composite() && ty.field("id", view).is_none())
        {
            let message = format!(
                "field \"{}.{name}\" gives \"{}\": select fields of it",
                parent.name, field.ty
            );
            self.problems.add(selection.offset, message);
        }
        match self.coercion.arguments(&parent.name, field, args) {
            Ok(args) => Some(Planned {
                parent,
                field,
                args,
            }),
            Err(reasons) => {
                for reason in reasons {
                    self.problems.add(selection.offset, reason);
                }
                None
            }
        }
    }

    fn condition(&mut self, name: &str, offset: usize) -> Option<&'s TypeDef> {
        let found = self.table.get(name);
        match found {
            Some(ty) if ty.is_composite() => return found,
            Some(_) => {
                let message = format!("a fragment cannot be on \"{name}\", which has no fields");
                self.problems.add(offset, message);
            }
            None => {
                let known = self.table.types.iter().filter(|ty| ty.is_composite());
                let hint = suggestion(name, known.map(|ty| &*ty.name));
                self.problems
                    .add(offset, format!("there is no type \"{name}\"{hint}"));
            }
        }
        None
    }

    /// Whether `@skip` and `@include` leave the selection in.
    fn included(&mut self, directives: &[Directive<'_>]) -> bool {
        let mut included = true;
        for directive in directives {
            let Some(wanted) = (match directive.name {
                "include" => Some(true),
                "skip" => Some(false),
                _ => None,
            }) else {
                if self
                    .table
                    .directives
                    .iter()
                    .all(|known| known.name != directive.name)
                {
                    let message = format!("there is no directive \"@{}\"", directive.name);
                    self.problems.add(directive.offset, message);
                }
                continue;
            };
            match self.coercion.condition(&directive.args) {
                Ok(value) => included &= value == wanted,
                Err(why) => {
                    let message = format!("directive \"@{}\": {why}", directive.name);
                    self.problems.add(directive.offset, message);
                }
            }
        }
        included
    }

    /// Refuses two different fields under one response key.
    fn refuse_conflicts(&mut self, set: Set) {
        if set.end - set.start < 2 {
            return;
        }
        let mut seen: HashMap<&str, usize> = HashMap::new();
        for at in set.positions() {
            let SelectionKind::Field { alias, name, args } = &self.document.selections[at].kind
            else {
                continue;
            };
            let first = *seen.entry(alias.unwrap_or(name)).or_insert(at);
            let SelectionKind::Field {
                name: other,
                args: others,
                ..
            } = &self.document.selections[first].kind
            else {
                continue;
            };
            if name != other || !same_args(args, others) {
                let key = alias.unwrap_or(name);
                let message =
                    format!("\"{key}\" is selected twice with different meaning; use an alias");
                self.problems
                    .add(self.document.selections[at].offset, message);
            }
        }
    }

    fn note_variables(&mut self, selection: &'d Selection<'a>) {
        let own = match &selection.kind {
            SelectionKind::Field { args, .. } => args.as_slice(),
            _ => &[],
        };
        let directives = selection
            .directives
            .iter()
            .flat_map(|directive| &directive.args);
        for (_, literal) in own.iter().chain(directives) {
            note_variables(literal, &mut self.used);
        }
    }
}

fn note_variables<'d>(literal: &'d Literal, used: &mut HashSet<&'d str>) {
    match literal {
        Literal::Variable(name) => {
            used.insert(name);
        }
        Literal::List(items) => items.iter().for_each(|item| note_variables(item, used)),
        Literal::Object(fields) => fields
            .iter()
            .for_each(|(_, value)| note_variables(value, used)),
        _ => {}
    }
}

fn same_args(a: &[(&str, Literal)], b: &[(&str, Literal)]) -> bool {
    a.len() == b.len()
        && a.iter()
            .all(|(name, value)| b.iter().any(|(other, same)| name == other && value == same))
}
