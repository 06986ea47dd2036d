//! Functions, their arguments, and the options of their decorators.

use serde_json::Value as Json;

use super::describe::Describer;
use super::runtime;
use super::syntax::{Decorator, Doc, Expr, Param, Type};
use crate::module::python::StaticError;
use crate::module::typedef::{Arg, CachePolicy, Function, TypeKind, TypeRef};

/// What the argument of a decorator for functions and fields says.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) alias: Option<String>,
    pub(super) cache: Option<CachePolicy>,
}

impl Describer<'_, '_> {
    /// Reads `("alias")` or `({alias, cache})`.
    pub(super) fn options(
        &self,
        file: usize,
        decorator: &Decorator,
    ) -> Result<Options, StaticError> {
        let mut options = Options::default();
        match decorator.args.first() {
            None | Some(Expr::Undefined) => {}
            Some(Expr::Literal(Json::String(alias))) => options.alias = Some(alias.clone()),
            Some(Expr::Object(entries)) => {
                for (key, value) in entries {
                    let Some(Json::String(text)) = self.constant(file, value) else {
                        let what = format!("`{key}` of a decorator must be a plain text");
                        return Err(self.invalid(file, decorator.line, what));
                    };
                    match key.as_str() {
                        "alias" | "name" => options.alias = Some(text),
                        "cache" => options.cache = Some(CachePolicy::parse(&text)),
                        _ => {
                            let what = format!("a function has no option `{key}`");
                            return Err(self.invalid(file, decorator.line, what));
                        }
                    }
                }
            }
            Some(_) => {
                let what = "a decorator takes a name or an object of options".to_owned();
                return Err(self.invalid(file, decorator.line, what));
            }
        }
        Ok(options)
    }

    /// A function without its name. `returns` is `None` for constructors, `Some(None)` if nothing is written.
    pub(super) fn function(
        &mut self,
        file: usize,
        owner: &str,
        params: &[Param],
        doc: &Doc,
        returns: Option<Option<&Type>>,
        line: u32,
    ) -> Result<(Function, Vec<runtime::Parameter>), StaticError> {
        let mut function = Function {
            description: doc.text.clone(),
            deprecated: doc.deprecated.clone(),
            ..Function::default()
        };
        let mut parameters = Vec::new();
        for param in params {
            let arg = self.arg(file, owner, param, doc)?;
            parameters.push(runtime::Parameter {
                name: arg.name.clone(),
                ty: arg.ty.clone(),
                rest: param.rest,
            });
            function.args.push(arg);
        }
        function.returns = match returns {
            Some(Some(ty)) => self.type_ref(file, ty, owner)?,
            Some(None) => {
                let what = "the result needs a type, such as `: Promise<string>`".to_owned();
                return Err(self.invalid(file, line, what));
            }
            None => TypeRef::default(),
        };
        Ok((function, parameters))
    }

    fn arg(
        &mut self,
        file: usize,
        owner: &str,
        param: &Param,
        doc: &Doc,
    ) -> Result<Arg, StaticError> {
        let program = self.program;
        let fail = |what: String| Err(program.invalid(file, param.line, what));
        if param.name.is_empty() {
            return fail("an argument that is taken apart has no name: give it one".into());
        }
        let mut ty = match (&param.ty, &param.default) {
            (Some(ty), _) => self.type_ref(file, ty, owner)?,
            (None, Some(value)) => match self.type_of(file, value) {
                Some(ty) => ty,
                None => return fail(format!("argument `{}` needs a type", param.name)),
            },
            (None, None) => return fail(format!("argument `{}` needs a type", param.name)),
        };
        ty.optional |= param.optional;
        let mut default = None;
        if let Some(value) = &param.default {
            match self.constant(file, value) {
                Some(Json::Null) | None => ty.optional = true,
                Some(Json::Number(number)) if number.is_f64() => {
                    if ty.kind == TypeKind::Integer {
                        ty.kind = TypeKind::Float;
                    }
                    default = Some(Json::Number(number));
                }
                Some(value) => default = Some(value),
            }
        }
        let described = doc.param(&param.name);
        let mut arg = Arg {
            name: param.name.clone(),
            api_name: String::new(),
            cli_name: String::new(),
            description: if described.is_empty() {
                param.doc.text.clone()
            } else {
                described.to_owned()
            },
            ty,
            default,
            default_path: None,
            default_address: None,
            ignore: Vec::new(),
            deprecated: param.doc.deprecated.clone(),
        };
        let decorator = self.program.decorated(file, &param.decorators, "argument");
        if let Some(decorator) = decorator {
            self.argument_options(file, decorator, &mut arg)?;
        }
        Ok(arg)
    }

    fn argument_options(
        &self,
        file: usize,
        decorator: &Decorator,
        arg: &mut Arg,
    ) -> Result<(), StaticError> {
        let entries = match decorator.args.first() {
            None => return Ok(()),
            Some(Expr::Object(entries)) => entries,
            Some(_) => {
                let what = "`argument` takes an object of options".to_owned();
                return Err(self.invalid(file, decorator.line, what));
            }
        };
        for (key, value) in entries {
            let value = self.constant(file, value);
            match (key.as_str(), value) {
                ("defaultPath", Some(Json::String(path))) => arg.default_path = Some(path),
                ("defaultAddress", Some(Json::String(address))) => {
                    arg.default_address = Some(address);
                }
                ("deprecated", Some(Json::String(why))) => arg.deprecated = Some(why),
                ("ignore", Some(Json::Array(patterns))) if patterns.iter().all(Json::is_string) => {
                    let patterns = patterns.iter().filter_map(Json::as_str);
                    arg.ignore = patterns.map(str::to_owned).collect();
                }
                ("defaultPath" | "defaultAddress" | "deprecated" | "ignore", _) => {
                    let what = format!("`{key}` of `{}` must be written out", arg.name);
                    return Err(self.invalid(file, decorator.line, what));
                }
                _ => {
                    let what = format!("an argument has no option `{key}`");
                    return Err(self.invalid(file, decorator.line, what));
                }
            }
        }
        Ok(())
    }
}
