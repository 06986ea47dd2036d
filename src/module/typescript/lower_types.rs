//! Types, parameters and values: from the syntax tree to plain data.

use oxc_ast::ast;
use oxc_span::GetSpan;
use serde_json::Value as Json;

use super::lower::Lowering;
use super::syntax::{Expr, Param, Signature, Type, TypeKind};

impl<'a> Lowering<'a> {
    pub(super) fn params(&self, params: &ast::FormalParameters<'a>) -> Vec<Param> {
        let items = params.items.iter().map(|param| {
            let start = param
                .decorators
                .first()
                .map_or(param.span.start, |d| d.span.start);
            Param {
                name: binding(&param.pattern),
                line: self.line(param.pattern.span()),
                doc: self.doc(&[start, param.pattern.span().start]),
                decorators: self.decorators(&param.decorators),
                ty: param
                    .type_annotation
                    .as_ref()
                    .map(|ty| self.ty(&ty.type_annotation)),
                optional: param.optional,
                rest: false,
                default: param.initializer.as_ref().map(|value| self.expr(value)),
                is_property: param.accessibility.is_some() || param.readonly || param.r#override,
            }
        });
        let rest = params.rest.iter().map(|rest| Param {
            name: binding(&rest.rest.argument),
            line: self.line(rest.span),
            doc: self.doc(&[rest.span.start]),
            decorators: vec![],
            ty: rest
                .type_annotation
                .as_ref()
                .map(|ty| self.ty(&ty.type_annotation)),
            optional: true,
            rest: true,
            default: None,
            is_property: false,
        });
        items.chain(rest).collect()
    }

    pub(super) fn signatures(&self, signatures: &[ast::TSSignature<'a>]) -> Vec<Signature> {
        use ast::TSSignature as S;
        let lower = |signature: &S<'a>| {
            let (name, optional, ty) = match signature {
                S::TSPropertySignature(property) => {
                    let ty = property.type_annotation.as_ref();
                    let ty = ty.map(|ty| self.ty(&ty.type_annotation));
                    (key(&property.key), property.optional, ty)
                }
                S::TSMethodSignature(method) => {
                    let returns = method.return_type.as_ref();
                    let returns = returns.map(|ty| Box::new(self.ty(&ty.type_annotation)));
                    let function = TypeKind::Function(self.params(&method.params), returns);
                    let ty = Type {
                        kind: function,
                        line: self.line(method.span),
                    };
                    (key(&method.key), method.optional, Some(ty))
                }
                _ => (String::new(), false, None),
            };
            Signature {
                name,
                line: self.line(signature.span()),
                doc: self.doc(&[signature.span().start]),
                optional,
                ty,
            }
        };
        signatures.iter().map(lower).collect()
    }

    pub(super) fn ty(&self, ty: &ast::TSType<'a>) -> Type {
        Type {
            kind: self.type_kind(ty),
            line: self.line(ty.span()),
        }
    }

    fn type_kind(&self, ty: &ast::TSType<'a>) -> TypeKind {
        use ast::TSType as T;
        match ty {
            T::TSStringKeyword(_) | T::TSTemplateLiteralType(_) => TypeKind::String,
            T::TSNumberKeyword(_) => TypeKind::Number,
            T::TSBooleanKeyword(_) => TypeKind::Boolean,
            T::TSVoidKeyword(_) => TypeKind::Void,
            T::TSNullKeyword(_) | T::TSUndefinedKeyword(_) => TypeKind::Nothing,
            T::TSThisType(_) => TypeKind::This,
            T::TSLiteralType(literal) => match &literal.literal {
                ast::TSLiteral::StringLiteral(_) | ast::TSLiteral::TemplateLiteral(_) => {
                    TypeKind::String
                }
                ast::TSLiteral::NumericLiteral(_) | ast::TSLiteral::UnaryExpression(_) => {
                    TypeKind::Number
                }
                ast::TSLiteral::BooleanLiteral(_) => TypeKind::Boolean,
                ast::TSLiteral::BigIntLiteral(_) => TypeKind::Other(self.source(ty.span())),
            },
            T::TSParenthesizedType(inner) => self.type_kind(&inner.type_annotation),
            T::TSArrayType(list) => TypeKind::Array(Box::new(self.ty(&list.element_type))),
            T::TSTypeOperatorType(operator)
                if operator.operator == ast::TSTypeOperatorOperator::Readonly =>
            {
                self.type_kind(&operator.type_annotation)
            }
            T::TSUnionType(union) => {
                TypeKind::Union(union.types.iter().map(|ty| self.ty(ty)).collect())
            }
            T::TSTypeReference(reference) => match type_path(&reference.type_name) {
                Some(path) => {
                    let args = reference.type_arguments.as_ref();
                    let args = args.map(|args| args.params.iter().map(|ty| self.ty(ty)).collect());
                    TypeKind::Name(path, args.unwrap_or_default())
                }
                None => TypeKind::Other(self.source(ty.span())),
            },
            T::TSTypeLiteral(literal) => TypeKind::Object(self.signatures(&literal.members)),
            T::TSFunctionType(function) => TypeKind::Function(
                self.params(&function.params),
                Some(Box::new(self.ty(&function.return_type.type_annotation))),
            ),
            _ => TypeKind::Other(self.source(ty.span())),
        }
    }

    pub(super) fn expr(&self, expr: &ast::Expression<'a>) -> Expr {
        use ast::Expression as E;
        match expr {
            E::StringLiteral(text) => Expr::Literal(text.value.as_str().into()),
            E::TemplateLiteral(template) => match template.single_quasi() {
                Some(text) => Expr::Literal(text.as_str().into()),
                None => Expr::Other,
            },
            E::NumericLiteral(number) => Expr::Literal(json_number(number.value)),
            E::BooleanLiteral(truth) => Expr::Literal(truth.value.into()),
            E::NullLiteral(_) => Expr::Literal(Json::Null),
            E::UnaryExpression(unary) => {
                match (unary.operator.as_str(), self.expr(&unary.argument)) {
                    ("-", Expr::Literal(Json::Number(number))) => number
                        .as_f64()
                        .map_or(Expr::Other, |n| Expr::Literal(json_number(-n))),
                    ("!", Expr::Literal(Json::Bool(truth))) => Expr::Literal((!truth).into()),
                    ("void", _) => Expr::Undefined,
                    _ => Expr::Other,
                }
            }
            E::Identifier(name) if name.name == "undefined" => Expr::Undefined,
            E::ArrayExpression(list) => {
                let element = |element: &ast::ArrayExpressionElement<'a>| {
                    element
                        .as_expression()
                        .map_or(Expr::Other, |value| self.expr(value))
                };
                Expr::Array(list.elements.iter().map(element).collect())
            }
            E::ObjectExpression(object) => {
                let properties = object.properties.iter().map(|property| match property {
                    ast::ObjectPropertyKind::ObjectProperty(property) if !property.computed => {
                        (key(&property.key), self.expr(&property.value))
                    }
                    _ => (String::new(), Expr::Other),
                });
                Expr::Object(properties.collect())
            }
            E::ParenthesizedExpression(inner) => self.expr(&inner.expression),
            E::TSAsExpression(inner) => self.expr(&inner.expression),
            E::TSSatisfiesExpression(inner) => self.expr(&inner.expression),
            E::TSNonNullExpression(inner) => self.expr(&inner.expression),
            E::NewExpression(new) => path(&new.callee).map_or(Expr::Other, Expr::New),
            other => path(other).map_or(Expr::Other, Expr::Path),
        }
    }
}

fn json_number(number: f64) -> Json {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "checked to be whole and in range"
    )]
    if number.fract() == 0.0 && number.abs() < 9e15 {
        (number as i64).into()
    } else {
        number.into()
    }
}

pub(super) fn key(key: &ast::PropertyKey<'_>) -> String {
    key.name().map_or_else(String::new, |name| name.to_string())
}

pub(super) fn binding(pattern: &ast::BindingPattern<'_>) -> String {
    match pattern {
        ast::BindingPattern::BindingIdentifier(id) => id.name.to_string(),
        _ => String::new(),
    }
}

/// The names of `a.b.c`.
pub(super) fn path(expr: &ast::Expression<'_>) -> Option<Vec<String>> {
    match expr {
        ast::Expression::Identifier(name) => Some(vec![name.name.to_string()]),
        ast::Expression::StaticMemberExpression(member) => {
            let mut names = path(&member.object)?;
            names.push(member.property.name.to_string());
            Some(names)
        }
        _ => None,
    }
}

fn type_path(name: &ast::TSTypeName<'_>) -> Option<Vec<String>> {
    match name {
        ast::TSTypeName::IdentifierReference(name) => Some(vec![name.name.to_string()]),
        ast::TSTypeName::QualifiedName(name) => {
            let mut names = type_path(&name.left)?;
            names.push(name.right.name.to_string());
            Some(names)
        }
        ast::TSTypeName::ThisExpression(_) => None,
    }
}
