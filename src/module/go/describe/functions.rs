//! Functions and their arguments: as the API has them, and as generated code calls them.

use serde_json::Value as Json;

use super::super::comment::Comment;
use super::super::package::{GoFunction, GoParam, GoResult};
use super::super::syntax::{File, FuncDecl, GoType, Param};
use super::{At, Reader, deprecated, is_context};
use crate::module::names;
use crate::module::python::StaticError;
use crate::module::typedef::{Arg, CachePolicy, Function, TypeKind, TypeRef};

impl<'a> Reader<'a> {
    pub(super) fn function(
        &mut self,
        file: &'a File,
        declared: &'a FuncDecl,
        owner: &str,
    ) -> Result<(Function, GoFunction), StaticError> {
        let at = At {
            file,
            line: declared.place.line,
        };
        let (returns, result) =
            self.results(at, &declared.results, declared.mutates.then_some(owner))?;
        let mut function = Function {
            name: declared.name.clone(),
            description: declared.comment.text.clone(),
            returns,
            cache: declared
                .comment
                .string("cache")
                .map(|text| CachePolicy::parse(&text)),
            check: declared.comment.flag("check"),
            generate: declared.comment.flag("generate"),
            up: declared.comment.flag("up"),
            agent: declared.comment.flag("agent"),
            deprecated: deprecated(&declared.comment),
            source: Some(declared.place.clone()),
            ..Function::default()
        };
        let mut go = GoFunction {
            name: declared.name.clone(),
            result,
            ..GoFunction::default()
        };
        let mut params = declared.params.as_slice();
        if let [first, rest @ ..] = params
            && is_context(&first.ty)
        {
            go.context = true;
            params = rest;
        }
        if let [
            Param {
                ty: GoType::Struct(fields),
                ..
            },
        ] = params
        {
            let mut named = Vec::new();
            let mut written = Vec::new();
            for field in fields {
                let at = At {
                    file,
                    line: field.line,
                };
                let name = names::lower_camel(&field.name);
                function
                    .args
                    .push(self.arg(at, &name, &field.ty, false, &field.comment)?);
                named.push((name, field.name.clone()));
                let ty = self.spell(&field.ty);
                written.push(match &field.json {
                    Some(json) => format!("{} {ty} `json:\"{json}\"`", field.name),
                    None => format!("{} {ty}", field.name),
                });
            }
            go.params.push(GoParam::Inline {
                ty: format!("struct {{ {} }}", written.join("; ")),
                fields: named,
            });
            return Ok((function, go));
        }
        for param in params {
            let at = At {
                file,
                line: param.line,
            };
            if param.name.is_empty() || param.name == "_" {
                return Err(at.invalid(format!("a parameter of `{}` has no name", declared.name)));
            }
            function.args.push(self.arg(
                at,
                &param.name,
                &param.ty,
                param.variadic,
                &param.comment,
            )?);
            let spelled = self.spell(&param.ty);
            let list = matches!(param.ty, GoType::List(_));
            let interface = self.own_interface(&param.ty);
            if list && param.variadic && interface.is_some() {
                return Err(at.invalid("a variadic parameter cannot be of lists of interfaces"));
            }
            go.params.push(GoParam::One {
                name: param.name.clone(),
                ty: if param.variadic {
                    format!("[]{spelled}")
                } else {
                    spelled
                },
                variadic: param.variadic,
                interface: interface.map(|(name, list)| (name, list || param.variadic)),
            });
        }
        Ok((function, go))
    }

    pub(super) fn results(
        &mut self,
        at: At<'a>,
        results: &'a [GoType],
        changed: Option<&str>,
    ) -> Result<(TypeRef, GoResult), StaticError> {
        let is_error = |ty: &GoType| matches!(ty, GoType::Named { package: None, name, .. } if name == "error");
        Ok(match results {
            [] => match changed {
                Some(owner) => (TypeRef::object(owner), GoResult::Receiver),
                None => (TypeRef::default(), GoResult::Nothing),
            },
            [error] if is_error(error) => (TypeRef::default(), GoResult::Error),
            [value] => (self.resolve(at, value)?, GoResult::Value),
            [value, error] if is_error(error) => {
                (self.resolve(at, value)?, GoResult::ValueAndError)
            }
            _ => return Err(at.invalid("a function returns at most a value and an error")),
        })
    }

    pub(super) fn arg(
        &mut self,
        at: At<'a>,
        name: &str,
        ty: &'a GoType,
        variadic: bool,
        comment: &Comment,
    ) -> Result<Arg, StaticError> {
        let mut resolved = self.resolve(at, ty)?;
        if variadic {
            resolved = TypeRef::list(resolved).optional();
        }
        resolved.optional |= comment.flag("optional");
        let default = match comment.get("default") {
            None => None,
            Some(text) => Some(self.default(at, &resolved, text)?),
        };
        let ignore = match comment.get("ignore") {
            None => vec![],
            Some(text) => serde_json::from_str(text).map_err(|_| {
                at.invalid(format!(
                    "`+ignore` wants a list such as [\"**/node_modules\"], not {text}"
                ))
            })?,
        };
        Ok(Arg {
            name: name.to_owned(),
            api_name: String::new(),
            cli_name: String::new(),
            description: comment.text.clone(),
            ty: resolved,
            default,
            default_path: comment.string("defaultPath"),
            default_address: comment.string("defaultAddress"),
            ignore,
            deprecated: deprecated(comment),
        })
    }

    pub(super) fn default(
        &self,
        at: At<'a>,
        ty: &TypeRef,
        text: &str,
    ) -> Result<Json, StaticError> {
        let parsed: Option<Json> = serde_json::from_str(text).ok();
        let wrong = || at.invalid(format!("the default {text} is not of the argument's type"));
        let unquoted = || text.trim_matches('`').to_owned();
        Ok(match (&ty.kind, parsed) {
            (_, Some(Json::Null)) => Json::Null,
            (TypeKind::String | TypeKind::Scalar { .. }, Some(Json::String(text))) => text.into(),
            (TypeKind::String | TypeKind::Scalar { .. }, _) => unquoted().into(),
            (TypeKind::Enum { name }, parsed) => {
                let value = match parsed {
                    Some(Json::String(text)) => text,
                    _ => unquoted(),
                };
                self.member(name, &value).unwrap_or(value).into()
            }
            (TypeKind::Integer, Some(value)) if value.is_i64() => value,
            (TypeKind::Float, Some(value)) if value.is_number() => value,
            (TypeKind::Boolean, Some(value)) if value.is_boolean() => value,
            (TypeKind::List { .. }, Some(value)) if value.is_array() => value,
            (TypeKind::Object { .. } | TypeKind::Interface { .. }, _) => {
                return Err(
                    at.invalid("an object has no `+default`; use `+defaultPath` or `+optional`")
                );
            }
            _ => return Err(wrong()),
        })
    }
}
