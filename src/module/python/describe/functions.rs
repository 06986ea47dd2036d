//! Methods, their arguments, and constructors.

use super::super::StaticError;
use super::super::syntax::{Expr, Function, Param};
use super::{
    ClassInfo, Metadata, Place, Program, clean, location, state::StateAttribute,
    without_underscores,
};
use crate::module::typedef::{Arg, CachePolicy, Function as FunctionType, TypeKind, TypeRef};
use serde_json::Value as Json;

impl Program<'_> {
    pub(super) fn methods(&self, at: usize) -> Result<Vec<FunctionType>, StaticError> {
        let mut functions: Vec<(String, FunctionType)> = Vec::new();
        for ancestor in self.lineage(at)? {
            let class = &self.classes[ancestor];
            for method in &class.class.methods {
                let place = Place {
                    file: &class.file,
                    line: method.line,
                    owner: Some(at),
                };
                let known = functions.iter().position(|(name, _)| *name == method.name);
                match (self.function(place, method, true)?, known) {
                    (Some(function), Some(known)) => functions[known].1 = function,
                    (Some(function), None) => functions.push((method.name.clone(), function)),
                    (None, Some(known)) => {
                        functions.remove(known);
                    }
                    (None, None) => {}
                }
            }
        }
        Ok(functions
            .into_iter()
            .map(|(_, function)| function)
            .collect())
    }

    /// The decorator that offers a function; `None` if it is not offered.
    pub(super) fn function_decorator<'f>(
        &self,
        place: Place<'_>,
        function: &'f Function,
    ) -> Result<Option<&'f Expr>, StaticError> {
        let mut found = None;
        let mut foreign = false;
        for decorator in &function.decorators {
            match self.path(place.file, decorator.callee()).as_deref() {
                Some("dagger.function") => found = Some(decorator),
                Some(
                    "dagger.check"
                    | "dagger.generate"
                    | "dagger.up"
                    | "dagger.agent"
                    | "builtins.classmethod"
                    | "abc.abstractmethod"
                    | "typing.override"
                    | "typing.overload",
                ) => {}
                _ => foreign = true,
            }
        }
        let looks_offered = function.decorators.iter().any(|decorator| {
            matches!(decorator.callee(), Expr::Attr(_, name) | Expr::Name(name) if name == "function")
        });
        if foreign && (found.is_some() || looks_offered) {
            return Err(place.needs_runtime("the function has a decorator of its own making"));
        }
        Ok(found)
    }

    pub(super) fn function(
        &self,
        place: Place<'_>,
        function: &Function,
        bound: bool,
    ) -> Result<Option<FunctionType>, StaticError> {
        let Some(decorator) = self.function_decorator(place, function)? else {
            return Ok(None);
        };
        let text = |name: &str| self.text_argument(place, decorator, name);
        let marked = |mark: &str| {
            function.decorators.iter().any(|decorator| {
                let path = self.path(place.file, decorator.callee());
                path.is_some_and(|path| path.strip_prefix("dagger.") == Some(mark))
            })
        };
        let returns = match &function.returns {
            None => TypeRef::new(TypeKind::Void),
            Some(annotation) => self.type_of(place, annotation, &mut Metadata::default())?,
        };
        let name = text("name")?.unwrap_or_else(|| without_underscores(&function.name).to_owned());
        Ok(Some(FunctionType {
            name,
            api_name: String::new(),
            cli_name: String::new(),
            description: text("doc")?
                .or_else(|| function.doc.clone())
                .map(|doc| clean(&doc))
                .unwrap_or_default(),
            args: self.args(place, function, bound)?,
            returns,
            cache: text("cache")?.map(|cache| CachePolicy::parse(&cache)),
            check: marked("check"),
            generate: marked("generate"),
            up: marked("up"),
            agent: marked("agent"),
            trivial: false,
            deprecated: text("deprecated")?,
            source: Some(location(place.file, function.line, function.column)),
        }))
    }

    fn args(
        &self,
        place: Place<'_>,
        function: &Function,
        bound: bool,
    ) -> Result<Vec<Arg>, StaticError> {
        if function.variadic {
            let message = format!(
                "`{}`: *args and **kwargs cannot be part of the API",
                function.name
            );
            return Err(place.invalid(message));
        }
        let has_self = function
            .params
            .first()
            .is_some_and(|param| param.name == "self");
        let skip = usize::from(bound || has_self);
        function
            .params
            .iter()
            .skip(skip)
            .map(|param| self.arg(place, function, param))
            .collect()
    }

    fn arg(
        &self,
        place: Place<'_>,
        function: &Function,
        param: &Param,
    ) -> Result<Arg, StaticError> {
        let place = Place {
            line: param.line,
            ..place
        };
        let Some(annotation) = &param.annotation else {
            let message = format!("`{}`: argument `{}` has no type", function.name, param.name);
            return Err(place.invalid(message));
        };
        let default = param
            .default
            .as_ref()
            .map(|value| self.constant(place, value))
            .transpose()?;
        self.make_arg(place, &param.name, annotation, default)
    }

    fn make_arg(
        &self,
        place: Place<'_>,
        name: &str,
        annotation: &Expr,
        default: Option<Json>,
    ) -> Result<Arg, StaticError> {
        let mut metadata = Metadata::default();
        let mut ty = self.type_of(place, annotation, &mut metadata)?;
        ty.optional |= default == Some(Json::Null);
        Ok(Arg {
            name: metadata
                .name
                .unwrap_or_else(|| without_underscores(name).to_owned()),
            api_name: String::new(),
            cli_name: String::new(),
            description: metadata.doc.unwrap_or_default(),
            ty,
            default: default.filter(|default| !default.is_null()),
            default_path: metadata.default_path,
            default_address: metadata.default_address,
            ignore: metadata.ignore,
            deprecated: metadata.deprecated,
        })
    }

    pub(super) fn constructor(
        &self,
        at: usize,
        class: &ClassInfo,
        attributes: &[StateAttribute<'_>],
    ) -> Result<FunctionType, StaticError> {
        let returns = TypeRef::object(class.name.clone());
        if let Some((place, own)) = self.own_constructor(at)? {
            return Ok(FunctionType {
                description: own.doc.as_deref().map(clean).unwrap_or_default(),
                args: self.args(place, own, true)?,
                returns,
                ..FunctionType::default()
            });
        }
        let mut args = Vec::new();
        let mut trivial = !self.has_method(at, "__post_init__")?;
        for attribute in attributes {
            if !attribute.init || attribute.raw.name.starts_with('_') {
                // What is not in the state takes its default, but callers see the state only.
                trivial &= !attribute.public && attribute.default.is_some();
                continue;
            }
            let (default, made) = self.attribute_default(attribute)?;
            let mut arg = self.make_arg(
                attribute.place,
                &attribute.raw.name,
                attribute.annotation(),
                default,
            )?;
            arg.ty.optional |= made;
            if attribute.public {
                arg.name.clone_from(&attribute.key);
            }
            if arg.description.is_empty() {
                arg.description = attribute.doc().unwrap_or_default();
            }
            arg.deprecated = arg.deprecated.or_else(|| attribute.deprecated.clone());
            trivial &= arg.name == attribute.key && !(attribute.public && made);
            args.push(arg);
        }
        Ok(FunctionType {
            args,
            returns,
            trivial,
            ..FunctionType::default()
        })
    }

    fn has_method(&self, at: usize, name: &str) -> Result<bool, StaticError> {
        let lineage = self.lineage(at)?;
        let mut methods = lineage
            .iter()
            .flat_map(|class| &self.classes[*class].class.methods);
        Ok(methods.any(|method| method.name == name))
    }

    /// The `create` class method, or else the `__init__`, of a class or what it derives from.
    fn own_constructor(&self, at: usize) -> Result<Option<(Place<'_>, &Function)>, StaticError> {
        let lineage = self.lineage(at)?;
        let find = |wanted: &dyn Fn(&str, &Function) -> bool| {
            lineage.iter().rev().find_map(|ancestor| {
                let class = &self.classes[*ancestor];
                let method = class
                    .class
                    .methods
                    .iter()
                    .find(|method| wanted(&class.file, method))?;
                Some((
                    Place {
                        file: &class.file,
                        line: method.line,
                        owner: Some(at),
                    },
                    method,
                ))
            })
        };
        let is_class_method = |file: &str, method: &Function| {
            method.decorators.iter().any(|decorator| {
                self.path(file, decorator).as_deref() == Some("builtins.classmethod")
            })
        };
        let create = find(&|file, method| method.name == "create" && is_class_method(file, method));
        Ok(create.or_else(|| find(&|_, method| method.name == "__init__")))
    }
}
