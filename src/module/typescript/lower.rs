//! From source text to [`File`].
//!
//! Main function: [`file`]. The syntax tree of the parser borrows from its text and knows much more than
//! is needed; what is kept of it is plain data.

use oxc_allocator::Allocator;
use oxc_ast::ast;
use oxc_ast_visit::{Visit, walk};
use oxc_diagnostics::OxcDiagnostic;
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};

use super::doc;
use super::lower_types::{binding, key, path};
use super::syntax::{
    Class, ClassMember, Declaration, DeclarationKind, Decorator, Doc, Export, Expr, File, Import,
    Member, MemberKind, Mistake, Type, TypeKind,
};

/// Reads one file.
///
/// # Errors
/// The first thing that is no TypeScript.
pub(super) fn file(path: &str, text: &str) -> Result<File, Mistake> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type(path)).parse();
    if let Some(error) = parsed.errors.first() {
        return Err(mistake(error, text));
    }
    let lowering = Lowering {
        text,
        comments: &parsed.program.comments,
    };
    Ok(lowering.program(path, &parsed.program))
}

/// What kind of source a file is, from its name.
pub(super) fn source_type(path: &str) -> SourceType {
    SourceType::from_path(path)
        .unwrap_or_else(|_| SourceType::ts())
        .with_module(true)
}

/// A diagnostic of the parser, with the line it points at.
pub(super) fn mistake(error: &OxcDiagnostic, text: &str) -> Mistake {
    let label = error.labels.iter().flatten().next();
    let offset = label.map_or(0, oxc_diagnostics::LabeledSpan::offset);
    let help = error.help.as_ref();
    let message = match help {
        Some(help) => format!("{} ({help})", error.message),
        None => error.message.to_string(),
    };
    Mistake {
        line: line_of(text, offset),
        message,
    }
}

fn line_of(text: &str, offset: usize) -> u32 {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let lines = before.iter().filter(|&&byte| byte == b'\n').count();
    u32::try_from(lines + 1).unwrap_or(u32::MAX)
}

pub(super) struct Lowering<'a> {
    text: &'a str,
    comments: &'a [ast::Comment],
}

impl<'a> Lowering<'a> {
    fn program(&self, path: &str, program: &ast::Program<'a>) -> File {
        let mut file = File {
            path: path.to_owned(),
            doc: self.file_doc(program),
            ..File::default()
        };
        for statement in &program.body {
            self.statement(statement, &mut file);
        }
        let mut dynamic = DynamicImports::default();
        dynamic.visit_program(program);
        file.needs.extend(dynamic.found);
        file
    }

    /// The first comment, if it is not the first declaration's: something stands between them.
    fn file_doc(&self, program: &ast::Program<'a>) -> Option<String> {
        let comment = self.comments.iter().find(|comment| comment.is_jsdoc())?;
        let first = program.body.first()?;
        if comment.span.start > first.span().start {
            return None;
        }
        let follows = self.comments.iter().any(|other| {
            other.is_jsdoc()
                && other.span.start > comment.span.start
                && other.span.end <= first.span().start
        });
        let is_import = matches!(
            first,
            ast::Statement::ImportDeclaration(_) | ast::Statement::ExportAllDeclaration(_)
        );
        if !follows && !is_import {
            return None;
        }
        Some(doc::parse(self.comment_text(comment)).text).filter(|text| !text.is_empty())
    }

    fn comment_text(&self, comment: &ast::Comment) -> &'a str {
        let span = comment.content_span();
        &self.text[span.start as usize..span.end as usize]
    }

    /// The documentation comment that ends before one of the places, or lies between the first and last.
    pub(super) fn doc(&self, places: &[u32]) -> Doc {
        let (Some(&first), Some(&last)) = (places.iter().min(), places.iter().max()) else {
            return Doc::default();
        };
        let fits = |comment: &&ast::Comment| {
            comment.is_jsdoc()
                && (places.contains(&comment.attached_to)
                    || (comment.span.start >= first && comment.span.end <= last))
        };
        let found = self.comments.iter().rfind(fits);
        found.map_or_else(Doc::default, |comment| {
            doc::parse(self.comment_text(comment))
        })
    }

    pub(super) fn line(&self, span: Span) -> u32 {
        line_of(self.text, span.start as usize)
    }

    fn column(&self, span: Span) -> u32 {
        let start = span.start as usize;
        let line = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        u32::try_from(self.text[line..start].chars().count() + 1).unwrap_or(u32::MAX)
    }

    pub(super) fn source(&self, span: Span) -> String {
        let text = &self.text[span.start as usize..span.end as usize];
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn statement(&self, statement: &ast::Statement<'a>, file: &mut File) {
        use ast::Statement as S;
        let start = statement.span().start;
        match statement {
            S::ImportDeclaration(import) => self.import(import, file),
            S::ExportNamedDeclaration(export) => self.export(export, file),
            S::ExportAllDeclaration(export) => {
                let source = export.source.value.to_string();
                if export.export_kind.is_value() {
                    file.needs.push(source.clone());
                }
                match &export.exported {
                    Some(name) => {
                        let local = format!("* {source}");
                        file.imports.push(Import {
                            local: local.clone(),
                            imported: None,
                            source,
                        });
                        file.exports.push(Export {
                            exported: name.name().to_string(),
                            local,
                            source: None,
                        });
                    }
                    None => file.stars.push(source),
                }
            }
            S::ExportDefaultDeclaration(export) => self.export_default(export, file),
            other => {
                if let Some(declaration) = other.as_declaration() {
                    self.declaration(declaration, start, file);
                }
            }
        }
    }

    fn import(&self, import: &ast::ImportDeclaration<'a>, file: &mut File) {
        let source = import.source.value.to_string();
        if import.import_kind.is_value() {
            file.needs.push(source.clone());
        }
        for specifier in import.specifiers.iter().flatten() {
            use ast::ImportDeclarationSpecifier as I;
            let (local, imported) = match specifier {
                I::ImportSpecifier(named) => {
                    (&named.local, Some(named.imported.name().to_string()))
                }
                I::ImportDefaultSpecifier(named) => (&named.local, Some("default".to_owned())),
                I::ImportNamespaceSpecifier(named) => (&named.local, None),
            };
            file.imports.push(Import {
                local: local.name.to_string(),
                imported,
                source: source.clone(),
            });
        }
    }

    fn export(&self, export: &ast::ExportNamedDeclaration<'a>, file: &mut File) {
        let source = export
            .source
            .as_ref()
            .map(|source| source.value.to_string());
        if let Some(source) = source.as_ref().filter(|_| export.export_kind.is_value()) {
            file.needs.push(source.clone());
        }
        for specifier in &export.specifiers {
            file.exports.push(Export {
                exported: specifier.exported.name().to_string(),
                local: specifier.local.name().to_string(),
                source: source.clone(),
            });
        }
        if let Some(declaration) = &export.declaration {
            let known = file.declarations.len();
            self.declaration(declaration, export.span.start, file);
            for declared in &file.declarations[known..] {
                file.exports.push(Export {
                    exported: declared.name.clone(),
                    local: declared.name.clone(),
                    source: None,
                });
            }
        }
    }

    fn export_default(&self, export: &ast::ExportDefaultDeclaration<'a>, file: &mut File) {
        use ast::ExportDefaultDeclarationKind as D;
        let start = export.span.start;
        let local = match &export.declaration {
            D::ClassDeclaration(class) => {
                self.class(class, start, file);
                class.id.as_ref().map(|id| id.name.to_string())
            }
            D::TSInterfaceDeclaration(interface) => {
                self.interface(interface, start, file);
                Some(interface.id.name.to_string())
            }
            D::Identifier(name) => Some(name.name.to_string()),
            _ => None,
        };
        if let Some(local) = local {
            file.exports.push(Export {
                exported: "default".into(),
                local,
                source: None,
            });
        }
    }

    fn declaration(&self, declaration: &ast::Declaration<'a>, start: u32, file: &mut File) {
        use ast::Declaration as D;
        match declaration {
            D::ClassDeclaration(class) => self.class(class, start, file),
            D::TSInterfaceDeclaration(interface) => self.interface(interface, start, file),
            D::TSTypeAliasDeclaration(alias) => {
                let kind = if alias.type_parameters.is_some() {
                    DeclarationKind::Generic
                } else {
                    DeclarationKind::Alias(self.ty(&alias.type_annotation))
                };
                self.push(file, &alias.id, start, kind);
            }
            D::TSEnumDeclaration(declared) => {
                let members = declared.body.members.iter().map(|member| Member {
                    name: member.id.static_name().to_string(),
                    doc: self.doc(&[member.span.start]),
                    value: member.initializer.as_ref().map(|value| self.expr(value)),
                    line: self.line(member.span),
                });
                let kind = DeclarationKind::Enum(members.collect());
                self.push(file, &declared.id, start, kind);
            }
            D::VariableDeclaration(variables) if variables.kind.is_const() => {
                for variable in &variables.declarations {
                    if let (ast::BindingPattern::BindingIdentifier(id), Some(value)) =
                        (&variable.id, &variable.init)
                    {
                        let kind = DeclarationKind::Constant(self.expr(value));
                        self.push(file, id, start, kind);
                    }
                }
            }
            _ => {}
        }
    }

    fn push(
        &self,
        file: &mut File,
        id: &ast::BindingIdentifier<'a>,
        start: u32,
        kind: DeclarationKind,
    ) {
        file.declarations.push(Declaration {
            name: id.name.to_string(),
            line: self.line(id.span),
            column: self.column(id.span),
            doc: self.doc(&[start]),
            kind,
        });
    }

    fn interface(&self, interface: &ast::TSInterfaceDeclaration<'a>, start: u32, file: &mut File) {
        let kind = if interface.type_parameters.is_some() {
            DeclarationKind::Generic
        } else {
            let extends = interface.extends.iter().map(|base| Type {
                kind: match path(&base.expression) {
                    Some(path) => TypeKind::Name(path, vec![]),
                    None => TypeKind::Other(self.source(base.span)),
                },
                line: self.line(base.span),
            });
            DeclarationKind::Interface(self.signatures(&interface.body.body), extends.collect())
        };
        self.push(file, &interface.id, start, kind);
    }

    fn class(&self, class: &ast::Class<'a>, start: u32, file: &mut File) {
        let mut lowered = Class {
            decorators: self.decorators(&class.decorators),
            extends: class.super_class.as_ref().map(|base| Type {
                kind: match path(base) {
                    Some(path) => TypeKind::Name(path, vec![]),
                    None => TypeKind::Other(self.source(base.span())),
                },
                line: self.line(base.span()),
            }),
            ..Class::default()
        };
        for element in &class.body.body {
            self.class_element(element, &mut lowered);
        }
        let mut places = vec![start, class.span.start];
        places.extend(
            class
                .decorators
                .iter()
                .map(|decorator| decorator.span.start),
        );
        let place = class.id.as_ref().map_or(class.span, |id| {
            places.push(id.span.start);
            id.span
        });
        file.declarations.push(Declaration {
            name: class
                .id
                .as_ref()
                .map_or_else(String::new, |id| id.name.to_string()),
            line: self.line(place),
            column: self.column(place),
            doc: self.doc(&places),
            kind: DeclarationKind::Class(lowered),
        });
    }

    fn class_element(&self, element: &ast::ClassElement<'a>, class: &mut Class) {
        match element {
            ast::ClassElement::MethodDefinition(method) => {
                let places = [
                    method.span.start,
                    method
                        .decorators
                        .first()
                        .map_or(method.span.start, |d| d.span.start),
                    method.key.span().start,
                ];
                let doc = self.doc(&places);
                if method.kind.is_constructor() {
                    // Overloads have no body; the one that runs has.
                    if method.value.body.is_some() || class.constructor.is_none() {
                        let line = self.line(method.key.span());
                        class.constructor = Some((self.params(&method.value.params), doc, line));
                        class.stores = stores(&method.value);
                    }
                    return;
                }
                let returns = method.value.return_type.as_ref();
                let returns = returns.map(|ty| self.ty(&ty.type_annotation));
                let kind = if method.kind.is_get() {
                    MemberKind::Getter(returns)
                } else if method.kind.is_set() {
                    return;
                } else {
                    MemberKind::Method(self.params(&method.value.params), returns)
                };
                let is_private_name = matches!(method.key, ast::PropertyKey::PrivateIdentifier(_));
                let member = ClassMember {
                    name: key(&method.key),
                    line: self.line(method.key.span()),
                    column: self.column(method.key.span()),
                    doc,
                    decorators: self.decorators(&method.decorators),
                    is_static: method.r#static,
                    is_hidden: is_private_name || is_hidden(method.accessibility),
                    kind,
                };
                class.members.push(member);
            }
            ast::ClassElement::PropertyDefinition(property) => {
                let places = [
                    property.span.start,
                    property
                        .decorators
                        .first()
                        .map_or(property.span.start, |d| d.span.start),
                    property.key.span().start,
                ];
                let is_private_name =
                    matches!(property.key, ast::PropertyKey::PrivateIdentifier(_));
                let ty = property.type_annotation.as_ref();
                let kind = if is_private_name {
                    MemberKind::Secret
                } else {
                    MemberKind::Property(
                        ty.map(|ty| self.ty(&ty.type_annotation)),
                        property.optional,
                        property.value.as_ref().map(|value| self.expr(value)),
                    )
                };
                class.members.push(ClassMember {
                    name: key(&property.key),
                    line: self.line(property.key.span()),
                    column: self.column(property.key.span()),
                    doc: self.doc(&places),
                    decorators: self.decorators(&property.decorators),
                    is_static: property.r#static,
                    is_hidden: is_private_name || is_hidden(property.accessibility),
                    kind,
                });
            }
            _ => {}
        }
    }

    pub(super) fn decorators(&self, decorators: &[ast::Decorator<'a>]) -> Vec<Decorator> {
        decorators
            .iter()
            .map(|decorator| {
                let (callee, args) = match &decorator.expression {
                    ast::Expression::CallExpression(call) => {
                        let args = call.arguments.iter().map(|argument| {
                            argument
                                .as_expression()
                                .map_or(Expr::Other, |value| self.expr(value))
                        });
                        (&call.callee, args.collect())
                    }
                    other => (other, vec![]),
                };
                Decorator {
                    path: path(callee).unwrap_or_default(),
                    args,
                    line: self.line(decorator.span),
                }
            })
            .collect()
    }
}

fn is_hidden(accessibility: Option<ast::TSAccessibility>) -> bool {
    matches!(
        accessibility,
        Some(ast::TSAccessibility::Private | ast::TSAccessibility::Protected)
    )
}

/// Properties that a constructor sets, with the parameters they are set to; `None` if it does more.
fn stores(constructor: &ast::Function<'_>) -> Option<Vec<(String, String)>> {
    let params = constructor.params.items.iter();
    let properties = params.filter(|param| param.accessibility.is_some() || param.readonly);
    let mut stores: Vec<_> = properties
        .map(|param| (binding(&param.pattern), binding(&param.pattern)))
        .collect();
    for statement in &constructor.body.as_ref()?.statements {
        let ast::Statement::ExpressionStatement(statement) = statement else {
            return None;
        };
        let ast::Expression::AssignmentExpression(assignment) = &statement.expression else {
            return None;
        };
        let ast::AssignmentTarget::StaticMemberExpression(target) = &assignment.left else {
            return None;
        };
        let is_own = matches!(target.object, ast::Expression::ThisExpression(_));
        match &assignment.right {
            ast::Expression::Identifier(value)
                if is_own && assignment.operator == ast::AssignmentOperator::Assign =>
            {
                let property = target.property.name.to_string();
                stores.push((property, value.name.to_string()));
            }
            _ => return None,
        }
    }
    Some(stores)
}

/// Finds `import("…")` anywhere.
#[derive(Default)]
struct DynamicImports {
    found: Vec<String>,
}

impl<'a> Visit<'a> for DynamicImports {
    fn visit_import_expression(&mut self, import: &ast::ImportExpression<'a>) {
        if let ast::Expression::StringLiteral(source) = &import.source {
            self.found.push(source.value.to_string());
        }
        walk::walk_import_expression(self, import);
    }
}
