//! From TypeScript to what Node runs.
//!
//! Main function: [`script`]. Types go, decorators become calls (as `experimentalDecorators` says), imports
//! name the scripts that other files become. A source map at the end leads errors back to the user's lines.

use std::path::Path;

use oxc_allocator::Allocator;
use oxc_ast::{AstBuilder, ast};
use oxc_ast_visit::{VisitMut, walk_mut};
use oxc_codegen::{Codegen, CodegenOptions};
use oxc_parser::Parser;
use oxc_semantic::SemanticBuilder;
use oxc_span::SPAN;
use oxc_transformer::{DecoratorOptions, HelperLoaderMode, TransformOptions, Transformer};

use super::lower::{mistake, source_type};
use super::syntax::Mistake;

/// Makes a script of a file. `import` says what a specifier becomes, if it changes.
///
/// # Errors
/// The first thing that is no TypeScript, or cannot be run.
pub(super) fn script(
    path: &str,
    text: &str,
    import: &dyn Fn(&str) -> Option<String>,
) -> Result<String, Mistake> {
    let allocator = Allocator::default();
    let parsed = Parser::new(&allocator, text, source_type(path)).parse();
    if let Some(error) = parsed.errors.first() {
        return Err(mistake(error, text));
    }
    let mut program = parsed.program;
    // Enums and decorators grow what is known about names.
    let known = SemanticBuilder::new()
        .with_check_syntax_error(true)
        .with_excess_capacity(2.0)
        .build(&program);
    if let Some(error) = known.errors.first() {
        return Err(mistake(error, text));
    }
    let scoping = known.semantic.into_scoping();
    let made = Transformer::new(&allocator, Path::new(path), &options())
        .build_with_scoping(scoping, &mut program);
    if let Some(error) = made.errors.first() {
        return Err(mistake(error, text));
    }
    let mut imports = Imports {
        ast: AstBuilder::new(&allocator),
        import,
    };
    imports.visit_program(&mut program);
    let file = path.rsplit('/').next().unwrap_or(path);
    let printed = Codegen::new()
        .with_options(CodegenOptions {
            source_map_path: Some(file.into()),
            ..CodegenOptions::default()
        })
        .build(&program);
    let mut script = printed.code;
    if let Some(mut map) = printed.map {
        // The source stands beside the script.
        map.set_source_contents(vec![None]);
        script.push_str("//# sourceMappingURL=");
        script.push_str(&map.to_data_url());
        script.push('\n');
    }
    Ok(script)
}

fn options() -> TransformOptions {
    let mut options = TransformOptions {
        decorator: DecoratorOptions {
            legacy: true,
            emit_decorator_metadata: false,
        },
        ..TransformOptions::default()
    };
    options.helper_loader.mode = HelperLoaderMode::External;
    options
}

/// Writes what each import becomes.
struct Imports<'a, 'f> {
    ast: AstBuilder<'a>,
    import: &'f dyn Fn(&str) -> Option<String>,
}

impl<'a> Imports<'a, '_> {
    fn rename(&self, source: &mut ast::StringLiteral<'a>) {
        if let Some(renamed) = (self.import)(&source.value) {
            source.value = self.ast.atom(&renamed);
            source.raw = None;
        }
    }

    /// Node wants to be told that a file is JSON.
    fn attributes(&self, source: &str) -> Option<ast::WithClause<'a>> {
        source.ends_with(".json").then(|| {
            let key = self.ast.import_attribute_key_identifier(SPAN, "type");
            let value = self.ast.string_literal(SPAN, "json", NONE_ATOM);
            let attribute = self.ast.import_attribute(SPAN, key, value);
            let keyword = ast::WithClauseKeyword::With;
            self.ast
                .with_clause(SPAN, keyword, self.ast.vec1(attribute))
        })
    }
}

const NONE_ATOM: Option<oxc_span::Atom<'static>> = None;

impl<'a> VisitMut<'a> for Imports<'a, '_> {
    fn visit_import_declaration(&mut self, import: &mut ast::ImportDeclaration<'a>) {
        self.rename(&mut import.source);
        if import.with_clause.is_none() {
            let clause = self.attributes(&import.source.value);
            import.with_clause = clause.map(|clause| self.ast.alloc(clause));
        }
    }

    fn visit_export_named_declaration(&mut self, export: &mut ast::ExportNamedDeclaration<'a>) {
        if let Some(source) = &mut export.source {
            self.rename(source);
        }
        walk_mut::walk_export_named_declaration(self, export);
    }

    fn visit_export_all_declaration(&mut self, export: &mut ast::ExportAllDeclaration<'a>) {
        self.rename(&mut export.source);
    }

    fn visit_import_expression(&mut self, import: &mut ast::ImportExpression<'a>) {
        if let ast::Expression::StringLiteral(source) = &mut import.source {
            self.rename(source);
        }
        walk_mut::walk_import_expression(self, import);
    }
}
