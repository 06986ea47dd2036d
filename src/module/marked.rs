//! Functions that are run because of what they are marked as: checks, generators and services.
//!
//! They are found in the types of a module: on its main object, and on objects that this one leads to without any
//! argument. Their names are what the command line and the API choose them by.

use super::{
    Arg, Function, ModuleTypes, ObjectType, TypeKind, TypeRef,
    names::{kebab, lower_camel},
};
use serde::{Deserialize, Serialize};

/// Objects between the main one and a marked function, at most: types that lead to each other have endless chains.
const MAX_DEPTH: usize = 6;

/// What a function is marked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Says by failing that something is wrong.
    Check,
    /// Makes files.
    Generator,
    /// Gives a service to work with.
    Service,
}

impl Mark {
    /// Whether a function has the mark.
    fn is_on(self, function: &Function) -> bool {
        match self {
            Self::Check => function.check,
            Self::Generator => function.generate,
            Self::Service => function.up,
        }
    }

    /// What functions with the mark are called.
    pub fn plural(self) -> &'static str {
        match self {
            Self::Check => "checks",
            Self::Generator => "generators",
            Self::Service => "services",
        }
    }

    /// What a function with the mark is called.
    pub fn singular(self) -> &'static str {
        self.plural().trim_end_matches('s')
    }
}

/// A marked function that can be called without arguments, and how it is reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkedFunction {
    /// Fields of the API that lead to it: from the module's main object, or from the root if it is a toolchain's.
    pub path: Vec<String>,
    /// The same as people write it: `lint`, `tests:unit`, or `go:lint` of the toolchain `go`.
    pub name: String,
    /// Documentation.
    pub description: String,
    /// What it gives, by names of the API.
    pub returns: TypeRef,
    /// The toolchain that has it, by the name it is used by.
    pub toolchain: Option<String>,
}

impl MarkedFunction {
    /// A request that calls it; `root` is the field that makes the module's main object.
    pub fn request(&self, root: &str, selection: &str) -> String {
        let own = self.toolchain.is_none().then_some(root);
        let fields: Vec<&str> = own
            .into_iter()
            .chain(self.path.iter().map(String::as_str))
            .collect();
        format!(
            "{{{}{selection}{}",
            fields.join("{"),
            "}".repeat(fields.len())
        )
    }
}

/// A module that another one uses.
#[derive(Clone, Copy, Debug)]
pub struct Used<'a> {
    /// The name it is used by.
    pub name: &'a str,
    /// Its types.
    pub types: &'a ModuleTypes,
    /// Whether it is offered as a toolchain.
    pub is_toolchain: bool,
}

/// The marked functions of a module, then those of the toolchains among the modules it uses. To one without
/// functions of its own all that it uses are toolchains.
pub fn marked<'a>(
    types: &ModuleTypes,
    has_functions: bool,
    used: impl Iterator<Item = Used<'a>>,
    mark: Mark,
) -> Vec<MarkedFunction> {
    let mut found = functions(types, mark);
    for used in used.filter(|used| used.is_toolchain || !has_functions) {
        let name = used.name;
        let field = lower_camel(name);
        found.extend(
            functions(used.types, mark)
                .into_iter()
                .map(|inner| MarkedFunction {
                    path: std::iter::once(field.clone()).chain(inner.path).collect(),
                    name: format!("{}:{}", kebab(name), inner.name),
                    toolchain: Some(name.to_owned()),
                    ..inner
                }),
        );
    }
    found
}

fn functions(types: &ModuleTypes, mark: Mark) -> Vec<MarkedFunction> {
    let mut search = Search {
        types,
        mark,
        objects: Vec::new(),
        path: Vec::new(),
        found: Vec::new(),
    };
    if let Some(main) = types.main() {
        search.object(main);
    }
    search.found
}

/// A walk over the objects of a module.
struct Search<'a> {
    types: &'a ModuleTypes,
    mark: Mark,
    /// Objects on the way from the main one.
    objects: Vec<&'a str>,
    /// Names of the fields between them: in the API and on the command line.
    path: Vec<(&'a str, &'a str)>,
    found: Vec<MarkedFunction>,
}

impl<'a> Search<'a> {
    fn object(&mut self, object: &'a ObjectType) {
        if self.objects.contains(&object.name.as_str()) || self.objects.len() > MAX_DEPTH {
            return;
        }
        self.objects.push(&object.name);
        for function in &object.functions {
            if function.args.iter().any(Arg::is_required) {
                continue;
            }
            self.path.push((&function.api_name, &function.cli_name));
            match self.mark.is_on(function) {
                true => self.add(function),
                false => self.below(&function.returns),
            }
            self.path.pop();
        }
        for field in &object.fields {
            self.path.push((&field.api_name, &field.cli_name));
            self.below(&field.ty);
            self.path.pop();
        }
        self.objects.pop();
    }

    /// Looks into what a field gives, if that is surely an object of the module.
    fn below(&mut self, ty: &TypeRef) {
        if let TypeKind::Object { name } = &ty.kind
            && !ty.optional
            && let Some(object) = self.types.object(name)
        {
            self.object(object);
        }
    }

    fn add(&mut self, function: &Function) {
        let names: Vec<&str> = self.path.iter().map(|(_, name)| *name).collect();
        self.found.push(MarkedFunction {
            path: self.path.iter().map(|(api, _)| (*api).to_owned()).collect(),
            name: names.join(":"),
            description: function.description.clone(),
            returns: published(self.types, &function.returns),
            toolchain: None,
        });
    }
}

/// The type by its names in the API.
fn published(types: &ModuleTypes, ty: &TypeRef) -> TypeRef {
    let named = |name: &String| types.api_name(name).unwrap_or(name).to_owned();
    let kind = match &ty.kind {
        TypeKind::Object { name } => TypeKind::Object { name: named(name) },
        TypeKind::Interface { name } => TypeKind::Interface { name: named(name) },
        TypeKind::List { of } => TypeKind::List {
            of: Box::new(published(types, of)),
        },
        other => other.clone(),
    };
    let optional = ty.optional;
    TypeRef { kind, optional }
}

/// Whether one of the patterns, or nothing at all, chooses by this name.
pub fn chosen(patterns: &[String], name: &str) -> bool {
    patterns.is_empty() || patterns.iter().any(|pattern| matches(pattern, name))
}

/// A name chooses itself, what is below it, and what ends in it; `*` stands for anything.
fn matches(pattern: &str, name: &str) -> bool {
    if let Some((start, rest)) = pattern.split_once('*') {
        return name.strip_prefix(start).is_some_and(|left| {
            (0..=left.len()).any(|at| left.is_char_boundary(at) && matches_rest(rest, &left[at..]))
        });
    }
    let wanted: Vec<String> = pattern.split(':').map(kebab).collect();
    let wanted = wanted.join(":");
    let below = name
        .strip_prefix(&wanted)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with(':'));
    below || name.rsplit(':').next() == Some(&wanted)
}

fn matches_rest(pattern: &str, name: &str) -> bool {
    match pattern.contains('*') {
        true => matches(pattern, name),
        false => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::module::Field;

    #[test]
    fn patterns_choose_by_name() {
        for (pattern, name, wanted) in [
            ("lint", "lint", true),
            ("Lint", "lint", true),
            ("lint", "tools:lint", true),
            ("tools", "tools:lint", true),
            ("tool", "tools:lint", false),
            ("myTools:lintAll", "my-tools:lint-all", true),
            ("tools:lint", "tools:lint:deep", true),
            ("lint*", "lint-all", true),
            ("*:lint", "tools:lint", true),
            ("t*:*t", "tools:lint", true),
            ("test", "lint", false),
            ("*x", "lint", false),
        ] {
            assert_eq!(matches(pattern, name), wanted, "{pattern} {name}");
        }
    }

    fn function(name: &str, returns: TypeRef, check: bool) -> Function {
        Function {
            name: name.into(),
            returns,
            check,
            ..Function::default()
        }
    }

    fn object(name: &str, functions: Vec<Function>) -> ObjectType {
        ObjectType {
            name: name.into(),
            functions,
            ..ObjectType::default()
        }
    }

    fn module(objects: Vec<ObjectType>) -> ModuleTypes {
        let types = ModuleTypes {
            objects,
            ..ModuleTypes::default()
        };
        types.finish("ci").unwrap()
    }

    fn text() -> TypeRef {
        TypeRef::new(TypeKind::String)
    }

    fn names(found: &[MarkedFunction]) -> Vec<&str> {
        found.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn they_are_found_on_every_object_that_needs_no_argument() {
        let mut strict = function("needsArgs", TypeRef::object("Tests"), false);
        strict.args.push(Arg {
            name: "x".into(),
            api_name: String::new(),
            cli_name: String::new(),
            description: String::new(),
            ty: text(),
            default: None,
            default_path: None,
            default_address: None,
            ignore: Vec::new(),
            deprecated: None,
        });
        let mut main = object(
            "Ci",
            vec![
                function("lint", text(), true),
                function("build", text(), false),
                strict,
                function("maybe", TypeRef::object("Tests").optional(), false),
                function("allTests", TypeRef::object("Tests"), false),
            ],
        );
        main.fields.push(Field {
            name: "other".into(),
            api_name: String::new(),
            cli_name: String::new(),
            description: String::new(),
            ty: TypeRef::object("Other"),
            deprecated: None,
        });
        let tests = object(
            "Tests",
            vec![
                function("unitTests", TypeRef::object("Tests"), true),
                function("back", TypeRef::object("Ci"), false),
            ],
        );
        let types = module(vec![
            main,
            tests,
            object("Other", vec![function("fast", text(), true)]),
        ]);
        let found = functions(&types, Mark::Check);
        assert_eq!(
            names(&found),
            ["lint", "all-tests:unit-tests", "other:fast"]
        );
        assert_eq!(found[1].path, ["allTests", "unitTests"]);
        assert_eq!(found[1].returns, TypeRef::object("CiTests"));
        assert_eq!(
            found[1].request("ci", "{id}"),
            "{ci{allTests{unitTests{id}}}}"
        );
        assert_eq!(functions(&types, Mark::Generator), []);
    }

    #[test]
    fn toolchains_bring_theirs() {
        let own = module(vec![object("Ci", vec![function("lint", text(), true)])]);
        let tool = module(vec![object("Ci", vec![function("vet", text(), true)])]);
        let find = |types: &ModuleTypes, has_functions, is_toolchain| {
            let used = [("myTool", is_toolchain), ("lib", false)];
            let used = used.map(|(name, is_toolchain)| Used {
                name,
                types: &tool,
                is_toolchain,
            });
            marked(types, has_functions, used.into_iter(), Mark::Check)
        };
        assert_eq!(names(&find(&own, true, false)), ["lint"]);
        let none = ModuleTypes::default();
        let all = find(&none, false, false);
        assert_eq!(names(&all), ["my-tool:vet", "lib:vet"]);
        let found = find(&own, true, true);
        assert_eq!(names(&found), ["lint", "my-tool:vet"]);
        assert_eq!(found[1].request("ci", ""), "{myTool{vet}}");
    }
}
