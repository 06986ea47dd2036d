//! The files of a module, and what each name in them stands for.
//!
//! Main type: [`Program`].

use std::collections::{BTreeMap, HashMap};

use super::lower;
use super::resolve::{Resolved, Resolver, is_declaration, is_typescript};
use super::syntax::{Class, Declaration, DeclarationKind, Decorator, File};
use crate::module::python::StaticError;

/// How many imports one name may lead through; more is a circle.
const LONGEST_WAY: usize = 32;

/// A declaration: which file, which of its declarations.
pub(super) type Place = (usize, usize);

/// What a name stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Named {
    /// Something of the SDK, by its name there.
    Sdk(String),
    /// A declaration of the module.
    Declared(Place),
    /// Something of the language, or of a package.
    Other,
}

/// A module's files that matter, read.
#[derive(Debug)]
pub(super) struct Program<'a> {
    pub(super) files: Vec<File>,
    index: HashMap<String, usize>,
    resolver: Resolver<'a>,
}

impl<'a> Program<'a> {
    /// Reads `roots` and every file they import.
    ///
    /// # Errors
    /// [`StaticError::Invalid`] if a file is no TypeScript.
    pub(super) fn load(
        roots: &[String],
        files: &'a BTreeMap<String, String>,
    ) -> Result<Self, StaticError> {
        let mut program = Self {
            files: Vec::new(),
            index: HashMap::new(),
            resolver: Resolver::new(files),
        };
        let mut waiting: Vec<String> = roots.iter().rev().cloned().collect();
        while let Some(path) = waiting.pop() {
            let is_source = is_typescript(&path) || is_declaration(&path);
            if !is_source || program.index.contains_key(&path) {
                continue;
            }
            let file =
                lower::file(&path, &files[&path]).map_err(|mistake| StaticError::Invalid {
                    file: path.clone(),
                    line: mistake.line,
                    message: mistake.message,
                })?;
            let sources = file.imports.iter().map(|import| &import.source);
            let sources = sources.chain(&file.needs).chain(&file.stars);
            let sources = sources.chain(file.exports.iter().filter_map(|e| e.source.as_ref()));
            let mut found: Vec<String> = sources
                .filter_map(|source| match program.resolver.resolve(&path, source) {
                    Resolved::File(file) => Some(file),
                    _ => None,
                })
                .collect();
            found.reverse();
            waiting.append(&mut found);
            program.index.insert(path, program.files.len());
            program.files.push(file);
        }
        Ok(program)
    }

    /// An error at a line of a file.
    pub(super) fn invalid(&self, file: usize, line: u32, message: String) -> StaticError {
        StaticError::Invalid {
            file: self.files[file].path.clone(),
            line,
            message,
        }
    }

    pub(super) fn resolver(&self) -> &Resolver<'a> {
        &self.resolver
    }

    pub(super) fn declaration(&self, (file, at): Place) -> &Declaration {
        &self.files[file].declarations[at]
    }

    pub(super) fn class(&self, place: Place) -> Option<&Class> {
        match &self.declaration(place).kind {
            DeclarationKind::Class(class) => Some(class),
            _ => None,
        }
    }

    /// Every declaration, file by file.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> + '_ {
        let files = self.files.iter().enumerate();
        files.flat_map(|(at, file)| (0..file.declarations.len()).map(move |d| (at, d)))
    }

    /// What a path of names in a file stands for, and the names that are left.
    pub(super) fn find<'p>(&self, file: usize, path: &'p [String]) -> (Named, &'p [String]) {
        let Some((first, rest)) = path.split_first() else {
            return (Named::Other, path);
        };
        if let Some(at) = self.declared(file, first) {
            return (Named::Declared((file, at)), rest);
        }
        let import = self.files[file].imports.iter().find(|i| i.local == *first);
        let Some(import) = import else {
            return (Named::Other, rest);
        };
        let target = self
            .resolver
            .resolve(&self.files[file].path, &import.source);
        match (&import.imported, rest.split_first()) {
            (Some(name), _) => (self.exported(&target, name, LONGEST_WAY), rest),
            (None, Some((name, rest))) => (self.exported(&target, name, LONGEST_WAY), rest),
            (None, None) => (Named::Other, rest),
        }
    }

    /// Name of the SDK that a decorator calls.
    pub(super) fn sdk_decorator(&self, file: usize, decorator: &Decorator) -> Option<String> {
        match self.find(file, &decorator.path) {
            (Named::Sdk(name), []) => Some(name),
            _ => None,
        }
    }

    /// The decorator of this name of the SDK, if it is there.
    pub(super) fn decorated<'d>(
        &self,
        file: usize,
        decorators: &'d [Decorator],
        name: &str,
    ) -> Option<&'d Decorator> {
        decorators
            .iter()
            .find(|decorator| self.sdk_decorator(file, decorator).as_deref() == Some(name))
    }

    fn declared(&self, file: usize, name: &str) -> Option<usize> {
        let declarations = &self.files[file].declarations;
        declarations
            .iter()
            .position(|declared| declared.name == name)
    }

    fn exported(&self, target: &Resolved, name: &str, left: usize) -> Named {
        let path = match target {
            Resolved::Sdk => return Named::Sdk(name.to_owned()),
            Resolved::File(path) if left > 0 => path,
            _ => return Named::Other,
        };
        let Some(&file) = self.index.get(path) else {
            return Named::Other;
        };
        let known = &self.files[file];
        if let Some(export) = known.exports.iter().find(|export| export.exported == name) {
            if let Some(source) = &export.source {
                let target = self.resolver.resolve(path, source);
                return self.exported(&target, &export.local, left - 1);
            }
            if let Some(at) = self.declared(file, &export.local) {
                return Named::Declared((file, at));
            }
            let import = known.imports.iter().find(|i| i.local == export.local);
            return match import {
                Some(import) => {
                    let target = self.resolver.resolve(path, &import.source);
                    let name = import.imported.as_deref().unwrap_or_default();
                    self.exported(&target, name, left - 1)
                }
                None => Named::Other,
            };
        }
        let handed_on = known.stars.iter().find_map(|source| {
            let target = self.resolver.resolve(path, source);
            let found = self.exported(&target, name, left - 1);
            // The SDK is believed to have any name, so it is asked last.
            (found != Named::Other && target != Resolved::Sdk).then_some(found)
        });
        let from_sdk = || {
            let mut targets = known.stars.iter().map(|s| self.resolver.resolve(path, s));
            targets
                .any(|target| target == Resolved::Sdk)
                .then(|| Named::Sdk(name.to_owned()))
        };
        handed_on.or_else(from_sdk).unwrap_or(Named::Other)
    }
}
