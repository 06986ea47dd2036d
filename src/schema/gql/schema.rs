//! A checked, immutable API: declarations plus everything that follows from them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use super::coerce::{Coercion, Variables};
use super::error::SchemaError;
use super::introspect;
use super::parser::parse_value;
use super::registry::{Backend, Registry, Resolver};
use super::table::{
    Action, ArgDef, Current, FieldDef, Marks, Text, TypeDef, TypeKind, TypeRef, TypeTable,
};
use super::view::View;

/// How many different introspection answers are kept.
const CACHED_ANSWERS: usize = 64;

type AnswerKey = (View, String);

/// The API that requests run against.
pub struct Schema<B: Backend> {
    pub(crate) table: TypeTable,
    pub(crate) resolvers: Vec<Resolver<B>>,
    answers: Mutex<HashMap<AnswerKey, Arc<[u8]>>>,
}

impl<B: Backend> fmt::Debug for Schema<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Schema")
            .field("types", &self.table.types.len())
            .finish_non_exhaustive()
    }
}

impl<B: Backend> Schema<B> {
    /// Checks the declarations and adds ids, loading by id, `node` and introspection.
    ///
    /// # Errors
    /// Every contradiction found.
    pub fn build(registry: Registry<B>) -> Result<Arc<Self>, Vec<SchemaError>> {
        let Registry {
            table,
            resolvers,
            problems,
        } = registry;
        let mut build = Build { table, problems };
        build.add_ids();
        build.add_roots();
        introspect::declare(&mut build.table, &mut build.problems);
        build.index_types();
        build.name_ids();
        build.check_references();
        build.read_defaults();
        build.index_fields();
        build.relate_interfaces();
        if !build.problems.is_empty() {
            return Err(build.problems);
        }
        Ok(Arc::new(Self {
            table: build.table,
            resolvers,
            answers: Mutex::default(),
        }))
    }

    /// The declarations as data.
    pub fn table(&self) -> &TypeTable {
        &self.table
    }

    /// A kept answer to an introspection query.
    pub(crate) fn answer(&self, view: View, query: &str) -> Option<Arc<[u8]>> {
        let answers = self
            .answers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        // The tuple key forces a copy of the text; requests that are not introspection never get here.
        answers.get(&(view, query.to_owned())).cloned()
    }

    /// Keeps an answer to an introspection query.
    pub(crate) fn keep_answer(&self, view: View, query: &str, body: Arc<[u8]>) {
        let mut answers = self
            .answers
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if answers.len() >= CACHED_ANSWERS {
            answers.clear();
        }
        answers.insert((view, query.to_owned()), body);
    }
}

struct Build {
    table: TypeTable,
    problems: Vec<SchemaError>,
}

impl Build {
    fn invalid(&mut self, place: String, why: impl Into<String>) {
        self.problems.push(SchemaError::Invalid {
            place,
            why: why.into(),
        });
    }

    fn add_ids(&mut self) {
        for ty in &mut self.table.types {
            let TypeKind::Object {
                fields,
                idable: true,
            } = &mut ty.kind
            else {
                continue;
            };
            if fields.iter().any(|field| field.name == "id") {
                continue;
            }
            let marks = Marks {
                doc: "Names this object in later requests.".into(),
                ..Marks::default()
            };
            let id = FieldDef {
                name: "id".into(),
                args: Vec::new(),
                ty: TypeRef::NonNull(Box::new(TypeRef::Named("ID".into()))),
                expected: None,
                marks,
                action: Action::Id,
            };
            fields.push(id);
        }
    }

    fn add_roots(&mut self) {
        let names: Vec<Text> = self
            .table
            .types
            .iter()
            .filter(|ty| (ty.is_idable() && ty.name != "Query") || ty.is_held_interface())
            .map(|ty| ty.name.clone())
            .collect();
        if self.table.get("Node").is_none() {
            self.add_node_interface();
        }
        let mut added = Vec::new();
        for name in names {
            added.push(FieldDef {
                name: format!("load{name}FromID").into(),
                args: vec![id_argument(format!("{name}ID"))],
                ty: TypeRef::NonNull(Box::new(TypeRef::Named(name.clone()))),
                expected: None,
                marks: Marks {
                    doc: format!("Loads a {name} by its id.").into(),
                    ..Marks::default()
                },
                action: Action::Load,
            });
        }
        let node = Marks {
            doc: "Loads any object by its id.".into(),
            ..Marks::default()
        };
        added.push(FieldDef {
            name: "node".into(),
            args: vec![id_argument("ID")],
            ty: TypeRef::Named("Node".into()),
            expected: None,
            marks: node,
            action: Action::Node,
        });
        added.push(FieldDef {
            name: "__schemaVersion".into(),
            args: Vec::new(),
            ty: TypeRef::NonNull(Box::new(TypeRef::Named("String".into()))),
            expected: None,
            marks: Marks {
                hidden: true,
                ..Marks::default()
            },
            action: Action::SchemaVersion,
        });
        let query = &mut self.table.types[self.table.index["Query"]];
        if let TypeKind::Object { fields, .. } = &mut query.kind {
            added.retain(|field| fields.iter().all(|declared| declared.name != field.name));
            fields.append(&mut added);
        }
    }

    fn add_node_interface(&mut self) {
        let id = FieldDef {
            name: "id".into(),
            args: Vec::new(),
            ty: TypeRef::NonNull(Box::new(TypeRef::Named("ID".into()))),
            expected: None,
            marks: Marks {
                doc: "Names the object.".into(),
                ..Marks::default()
            },
            action: Action::Abstract,
        };
        self.table.types.push(TypeDef {
            name: "Node".into(),
            kind: TypeKind::Interface { fields: vec![id] },
            marks: Marks {
                doc: "An object that has an id.".into(),
                ..Marks::default()
            },
            related: Vec::new(),
            by_name: HashMap::new(),
        });
        self.index_types();
    }

    fn index_types(&mut self) {
        let names = self.table.types.iter().enumerate();
        self.table.index = names
            .map(|(position, ty)| (ty.name.clone(), position))
            .collect();
    }

    /// Turns every `FooID` into `ID` that expects a `Foo`.
    fn name_ids(&mut self) {
        let objects: Vec<Text> = self
            .table
            .types
            .iter()
            .filter(|ty| ty.is_composite())
            .map(|ty| ty.name.clone())
            .collect();
        let index = &self.table.index;
        let rename = |ty: &mut TypeRef, expected: &mut Option<Text>| {
            let name = ty.name();
            let Some(object) = name
                .strip_suffix("ID")
                .filter(|_| !index.contains_key(name))
            else {
                return;
            };
            if let Some(object) = objects.iter().find(|known| *known == object) {
                *expected = Some(object.clone());
                *ty = ty.renamed("ID");
            }
        };
        for ty in &mut self.table.types {
            match &mut ty.kind {
                TypeKind::Object { fields, .. } | TypeKind::Interface { fields } => {
                    for field in fields {
                        rename(&mut field.ty, &mut field.expected);
                        for arg in &mut field.args {
                            rename(&mut arg.ty, &mut arg.expected);
                        }
                    }
                }
                TypeKind::Input { fields } => {
                    for field in fields {
                        rename(&mut field.ty, &mut field.expected);
                    }
                }
                TypeKind::Scalar(_) | TypeKind::Enum { .. } => {}
            }
        }
    }

    fn check_references(&mut self) {
        let mut found = Vec::new();
        let table = &self.table;
        let output = |place: String, ty: &TypeRef, found: &mut Vec<SchemaError>| match table
            .get(ty.name())
        {
            None => found.push(SchemaError::UnknownType {
                place,
                name: ty.name().to_owned(),
            }),
            Some(TypeDef {
                kind: TypeKind::Input { .. },
                ..
            }) => {
                found.push(SchemaError::Invalid {
                    place,
                    why: format!("gives the input {ty}"),
                });
            }
            Some(_) => {}
        };
        let input = |place: String, ty: &TypeRef, found: &mut Vec<SchemaError>| match table
            .get(ty.name())
        {
            None => found.push(SchemaError::UnknownType {
                place,
                name: ty.name().to_owned(),
            }),
            Some(known) if known.is_composite() => {
                found.push(SchemaError::Invalid {
                    place,
                    why: format!("takes the object {ty}"),
                });
            }
            Some(_) => {}
        };
        for ty in &table.types {
            let abstract_type = matches!(ty.kind, TypeKind::Interface { .. });
            for field in ty.fields() {
                let place = format!("{}.{}", ty.name, field.name);
                output(place.clone(), &field.ty, &mut found);
                for arg in &field.args {
                    input(format!("{place}({}:)", arg.name), &arg.ty, &mut found);
                }
                if !abstract_type && field.action == Action::Abstract {
                    found.push(SchemaError::Invalid {
                        place,
                        why: "has no resolver".to_owned(),
                    });
                }
            }
            match &ty.kind {
                TypeKind::Input { fields } => {
                    for field in fields {
                        input(format!("{}.{}", ty.name, field.name), &field.ty, &mut found);
                    }
                }
                TypeKind::Enum { values } if values.is_empty() => {
                    found.push(SchemaError::Invalid {
                        place: ty.name.to_string(),
                        why: "has no values".to_owned(),
                    });
                }
                _ => {}
            }
        }
        self.problems.append(&mut found);
    }

    /// Coerces defaults; inputs first, since arguments may default to one.
    fn read_defaults(&mut self) {
        for inputs in [true, false] {
            for position in 0..self.table.types.len() {
                let mut kind = self.table.types[position].kind.clone();
                match &mut kind {
                    TypeKind::Input { fields } if inputs => {
                        for field in fields {
                            self.read_default(position, "", field);
                        }
                    }
                    TypeKind::Object { fields, .. } | TypeKind::Interface { fields } if !inputs => {
                        for field in fields {
                            let name = field.name.clone();
                            for arg in &mut field.args {
                                self.read_default(position, &name, arg);
                            }
                        }
                    }
                    _ => continue,
                }
                self.table.types[position].kind = kind;
            }
        }
    }

    fn read_default(&mut self, position: usize, field: &str, arg: &mut ArgDef) {
        let Some(text) = &arg.default_text else {
            return;
        };
        let variables = Variables::new();
        let coercion = Coercion {
            table: &self.table,
            view: View::LATEST,
            variables: &variables,
        };
        let read = parse_value(text).map_err(|error| error.message);
        match read.and_then(|literal| coercion.default(arg, &literal)) {
            // A default of null says no more than having none.
            Ok(value) if value.is_null() => {}
            Ok(value) => arg.default = Some(value),
            Err(why) => {
                let place = format!("{}.{field}({}:)", self.table.types[position].name, arg.name);
                self.invalid(place, format!("default {text}: {why}"));
            }
        }
    }

    fn index_fields(&mut self) {
        let mut found = Vec::new();
        for ty in &mut self.table.types {
            let mut by_name: HashMap<Text, Vec<usize>> = HashMap::new();
            let fields = ty.fields();
            for (position, field) in fields.iter().enumerate() {
                let others = by_name.entry(field.name.clone()).or_default();
                let clash = others
                    .iter()
                    .any(|&other| fields[other].marks.views.overlaps(&field.marks.views));
                if clash {
                    let place = format!("{}.{}", ty.name, field.name);
                    found.push(SchemaError::Duplicate { place });
                }
                others.push(position);
            }
            ty.by_name = by_name;
        }
        self.problems.append(&mut found);
    }

    /// An object implements every interface whose fields it has. Fields may return further interfaces, or the same
    /// one: every pair is taken for granted until something speaks against it.
    fn relate_interfaces(&mut self) {
        let types = &self.table.types;
        let interfaces = types
            .iter()
            .filter(|ty| matches!(ty.kind, TypeKind::Interface { .. }));
        let mut pairs: HashSet<(Text, Text)> = HashSet::new();
        for interface in interfaces {
            for object in types.iter().filter(|ty| {
                matches!(ty.kind, TypeKind::Object { .. }) && !ty.name.starts_with("__")
            }) {
                pairs.insert((object.name.clone(), interface.name.clone()));
            }
        }
        loop {
            let fits = |(object, interface): &&(Text, Text)| {
                let (object, interface) = (self.table.get(object), self.table.get(interface));
                object
                    .zip(interface)
                    .is_some_and(|(object, interface)| implements(object, interface, &pairs))
            };
            let kept: HashSet<_> = pairs.iter().filter(fits).cloned().collect();
            if kept.len() == pairs.len() {
                break;
            }
            pairs = kept;
        }
        // In order of declaration, so that equal APIs are described in equal words.
        for interface in 0..self.table.types.len() {
            for object in 0..self.table.types.len() {
                let names = (
                    self.table.types[object].name.clone(),
                    self.table.types[interface].name.clone(),
                );
                if pairs.contains(&names) {
                    self.table.types[interface].related.push(names.0);
                    self.table.types[object].related.push(names.1);
                }
            }
        }
    }
}

fn implements(object: &TypeDef, interface: &TypeDef, pairs: &HashSet<(Text, Text)>) -> bool {
    interface.fields().iter().all(|wanted| {
        let Some(field) = object.field(&wanted.name, View::LATEST) else {
            return false;
        };
        let args_fit = wanted
            .args
            .iter()
            .all(|arg| field.arg(&arg.name).is_some_and(|own| own.ty == arg.ty));
        let extra_optional = field.args.iter().all(|arg| {
            wanted.arg(&arg.name).is_some() || !arg.ty.is_non_null() || arg.default.is_some()
        });
        args_fit && extra_optional && covers(&field.ty, &wanted.ty, pairs)
    })
}

/// Whether a value of `own` is always one of `wanted`.
fn covers(own: &TypeRef, wanted: &TypeRef, pairs: &HashSet<(Text, Text)>) -> bool {
    match (own, wanted) {
        (TypeRef::NonNull(own), TypeRef::NonNull(wanted))
        | (TypeRef::List(own), TypeRef::List(wanted)) => covers(own, wanted, pairs),
        (TypeRef::NonNull(own), wanted) => covers(own, wanted, pairs),
        (TypeRef::Named(own), TypeRef::Named(wanted)) => {
            own == wanted || pairs.contains(&(own.clone(), wanted.clone()))
        }
        _ => false,
    }
}

fn id_argument(ty: impl Into<Text>) -> ArgDef {
    ArgDef {
        name: "id".into(),
        ty: TypeRef::NonNull(Box::new(TypeRef::Named(ty.into()))),
        expected: None,
        default_text: None,
        default: None,
        current: Current::default(),
        marks: Marks {
            doc: "The id.".into(),
            ..Marks::default()
        },
    }
}
