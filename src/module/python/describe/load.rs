//! Loading: the entry point, every file it imports, and what each statement declares.

use super::super::syntax::{self, Class, Function, Statement};
use super::super::{Layout, StaticError};
use super::{Binding, ClassInfo, FunctionInfo, Place, Program, Role, first_part, package_of};
use std::collections::{BTreeMap, HashMap};

impl<'a> Program<'a> {
    /// Reads the entry point and what it imports.
    pub(in crate::module::python) fn load(
        layout: &Layout,
        files: &'a BTreeMap<String, String>,
    ) -> Result<Self, StaticError> {
        let mut program = Self {
            files,
            root: if layout.root == "." {
                String::new()
            } else {
                format!("{}/", layout.root)
            },
            doc: None,
            scopes: HashMap::new(),
            classes: vec![],
            functions: vec![],
        };
        program.doc = program.import_file(&layout.file)?;
        // A package may leave the import of its code to the runtime.
        let declared = !program.functions.is_empty()
            || program
                .classes
                .iter()
                .any(|class| class.role != Role::Plain);
        if !declared
            && let Some(package) = layout.file.strip_suffix("__init__.py")
            && let Some(main) = program.module_file(&format!("{package}main"))
        {
            program.import_file(&main)?;
        }
        Ok(program)
    }

    /// File of a module given by its path without extension.
    pub(super) fn module_file(&self, path: &str) -> Option<String> {
        [format!("{path}/__init__.py"), format!("{path}.py")]
            .into_iter()
            .find(|file| self.files.contains_key(file))
    }

    fn import_file(&mut self, path: &str) -> Result<Option<String>, StaticError> {
        if self.scopes.contains_key(path) {
            return Ok(None);
        }
        self.scopes.insert(path.to_owned(), HashMap::new());
        let file = syntax::parse(path, &self.files[path])?;
        for statement in file.statements {
            self.execute(path, statement)?;
        }
        Ok(file.doc)
    }

    fn bind(&mut self, file: &str, name: &str, binding: Binding) {
        let scope = self
            .scopes
            .get_mut(file)
            .expect("a file is entered before its names are bound");
        scope.insert(name.to_owned(), binding);
    }

    fn execute(&mut self, file: &str, statement: Statement) -> Result<(), StaticError> {
        match statement {
            Statement::Import { path, alias } => self.import(file, &path, alias)?,
            Statement::From {
                dots,
                path,
                names,
                star,
            } => {
                self.import_from(file, dots, &path, &names, star)?;
            }
            Statement::Assign { name, value } => self.bind(file, &name, Binding::Value(value)),
            Statement::Class(class) => self.declare_class(file, class)?,
            Statement::Function(function) => self.declare_function(file, function)?,
            Statement::Conditional { line } => {
                let place = Place {
                    file,
                    line,
                    owner: None,
                };
                return Err(place.needs_runtime("a declaration depends on a condition"));
            }
        }
        Ok(())
    }

    fn import(&mut self, file: &str, path: &str, alias: Option<String>) -> Result<(), StaticError> {
        let relative = format!("{}{}", self.root, path.replace('.', "/"));
        let Some(target) = self.module_file(&relative) else {
            let bound = alias.clone().unwrap_or_else(|| first_part(path).to_owned());
            let external = if alias.is_some() {
                path
            } else {
                first_part(path)
            };
            self.bind(file, &bound, Binding::External(external.to_owned()));
            return Ok(());
        };
        self.import_packages_of(&relative)?;
        self.import_file(&target)?;
        if let Some(alias) = alias {
            self.bind(file, &alias, Binding::File(target));
        } else if let Some(top) = self.module_file(&format!("{}{}", self.root, first_part(path))) {
            self.bind(file, first_part(path), Binding::File(top));
        }
        Ok(())
    }

    fn import_from(
        &mut self,
        file: &str,
        dots: usize,
        path: &str,
        names: &[(String, String)],
        star: bool,
    ) -> Result<(), StaticError> {
        let mut base = if dots == 0 {
            self.root.clone()
        } else {
            package_of(file, dots)
        };
        base.push_str(&path.replace('.', "/"));
        let base = base.trim_end_matches('/').to_owned();
        let Some(source) = self.module_file(&base) else {
            for (name, bound) in names {
                // A directory without `__init__.py` is a package too.
                match self.module_file(format!("{base}/{name}").trim_start_matches('/')) {
                    Some(target) if dots > 0 || !path.is_empty() => {
                        self.import_file(&target)?;
                        self.bind(file, bound, Binding::File(target));
                    }
                    _ => self.bind(file, bound, Binding::External(format!("{path}.{name}"))),
                }
            }
            return Ok(());
        };
        self.import_packages_of(&base)?;
        self.import_file(&source)?;
        if star {
            let all = self.scopes[&source].clone();
            for (name, binding) in all.into_iter().filter(|(name, _)| !name.starts_with('_')) {
                self.bind(file, &name, binding);
            }
        }
        for (name, bound) in names {
            let known = self.scopes[&source].get(name).cloned();
            let binding = match known {
                Some(binding) => binding,
                None => match self.module_file(&format!("{base}/{name}")) {
                    Some(target) => {
                        self.import_file(&target)?;
                        Binding::File(target)
                    }
                    None => Binding::External(format!("{path}.{name}")),
                },
            };
            self.bind(file, bound, binding);
        }
        Ok(())
    }

    /// Runs the `__init__.py` of the packages a module is in, as importing it does.
    fn import_packages_of(&mut self, module: &str) -> Result<(), StaticError> {
        let slashes: Vec<usize> = module.match_indices('/').map(|(at, _)| at).collect();
        for at in slashes {
            let init = format!("{}/__init__.py", &module[..at]);
            if module[..at].len() + 1 > self.root.len() && self.files.contains_key(&init) {
                self.import_file(&init)?;
            }
        }
        Ok(())
    }

    fn declare_class(&mut self, file: &str, class: Class) -> Result<(), StaticError> {
        let place = Place {
            file,
            line: class.line,
            owner: None,
        };
        let mut info = ClassInfo {
            file: file.to_owned(),
            role: Role::Plain,
            name: class.name.clone(),
            doc: None,
            deprecated: None,
            class,
        };
        for decorator in &info.class.decorators {
            let path = self.path(file, decorator.callee());
            let role = match path.as_deref() {
                Some("dagger.object_type") => Role::Object,
                Some("dagger.interface") => Role::Interface,
                Some("dagger.enum_type") => Role::Enum,
                Some("dataclasses.dataclass" | "typing.runtime_checkable" | "enum.unique") => {
                    continue;
                }
                _ => return Err(place.needs_runtime("the class has a decorator of its own making")),
            };
            info.role = role;
            let text = |name: &str| self.text_argument(place, decorator, name);
            if let Some(name) = text("name")? {
                info.name = name;
            }
            info.doc = text("doc")?;
            info.deprecated = text("deprecated")?;
        }
        let derives_enum = info
            .class
            .bases
            .iter()
            .any(|base| self.path(file, base).as_deref() == Some("dagger.Enum"));
        if info.role == Role::Plain && derives_enum {
            info.role = Role::Enum;
        }
        if info.doc.is_none() {
            info.doc = info.class.doc.clone();
        }
        let name = info.class.name.clone();
        self.classes.push(info);
        self.bind(file, &name, Binding::Class(self.classes.len() - 1));
        Ok(())
    }

    fn declare_function(&mut self, file: &str, function: Function) -> Result<(), StaticError> {
        let place = Place {
            file,
            line: function.line,
            owner: None,
        };
        let name = function.name.clone();
        if self.function_decorator(place, &function)?.is_some() {
            self.functions.push(FunctionInfo {
                file: file.to_owned(),
                function,
            });
        }
        self.bind(file, &name, Binding::Function);
        Ok(())
    }
}
