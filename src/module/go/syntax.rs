//! Go source as the few shapes declarations are made of.
//!
//! Main type: [`File`]. Everything is owned, so the syntax tree is gone when this is done. Knows nothing
//! of what names mean: see [`super::describe`].

use std::collections::BTreeSet;

use tree_sitter::{Node, Parser};

use super::comment::Comment;
use crate::module::python::StaticError;
use crate::module::typedef::SourceLocation;

/// A type as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum GoType {
    /// A name, perhaps of another package, perhaps with type arguments.
    Named {
        /// Package as the file calls it.
        package: Option<String>,
        /// Name.
        name: String,
        /// Type arguments.
        args: Vec<Self>,
    },
    /// A pointer.
    Pointer(Box<Self>),
    /// A slice or array.
    List(Box<Self>),
    /// A struct.
    Struct(Vec<StructField>),
    /// An interface: its methods, and what it embeds.
    Interface(Vec<Method>, Vec<Self>),
    /// Anything else, by its text.
    Other(String),
}

/// A field of a struct.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StructField {
    /// Name; empty if a type is embedded.
    pub(super) name: String,
    /// Type.
    pub(super) ty: GoType,
    /// Name in JSON, if the field's tag says so.
    pub(super) json: Option<String>,
    pub(super) comment: Comment,
    /// Line, from 1.
    pub(super) line: u32,
}

/// A method of an interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    /// Name.
    pub(super) name: String,
    /// Parameters.
    pub(super) params: Vec<Param>,
    /// Types of the results.
    pub(super) results: Vec<GoType>,
    pub(super) comment: Comment,
    /// Line, from 1.
    pub(super) line: u32,
}

/// A parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Param {
    /// Name; empty if it has none.
    pub(super) name: String,
    /// Type; of one element if there may be several.
    pub(super) ty: GoType,
    /// Whether it is the last and takes any number.
    pub(super) variadic: bool,
    pub(super) comment: Comment,
    /// Line, from 1.
    pub(super) line: u32,
}

/// A type declaration.
#[derive(Clone, Debug)]
pub(super) struct TypeDecl {
    pub(super) name: String,
    pub(super) ty: GoType,
    pub(super) alias: bool,
    pub(super) comment: Comment,
    pub(super) place: SourceLocation,
}

/// A function or method with a body.
#[derive(Clone, Debug)]
pub(super) struct FuncDecl {
    pub(super) name: String,
    /// Type it is a method of.
    pub(super) receiver: Option<String>,
    pub(super) params: Vec<Param>,
    pub(super) results: Vec<GoType>,
    /// Whether it assigns to its receiver's fields through a pointer.
    pub(super) mutates: bool,
    pub(super) generic: bool,
    pub(super) comment: Comment,
    pub(super) place: SourceLocation,
}

/// A constant.
#[derive(Clone, Debug)]
pub(super) struct ConstDecl {
    pub(super) name: String,
    pub(super) ty: Option<String>,
    /// Its value, if it is a text.
    pub(super) text: Option<String>,
    pub(super) comment: Comment,
}

/// A source file's declarations, in order.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) path: String,
    pub(super) package: String,
    pub(super) comment: Comment,
    /// Name in this file, path.
    pub(super) imports: Vec<(String, String)>,
    pub(super) types: Vec<TypeDecl>,
    pub(super) functions: Vec<FuncDecl>,
    pub(super) consts: Vec<ConstDecl>,
    /// Every name declared at the top, methods left out.
    pub(super) declared: BTreeSet<String>,
    /// Every identifier that occurs.
    pub(super) mentioned: BTreeSet<String>,
}

/// Reads a file.
pub(super) fn parse(path: &str, source: &str) -> Result<File, StaticError> {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_go::LANGUAGE.into())
        .expect("the grammar fits the library");
    let tree = parser
        .parse(source, None)
        .expect("parsing without a time limit ends");
    let root = tree.root_node();
    let reader = Reader { path, source };
    if let Some(wrong) = first_error(root) {
        return Err(reader.invalid(wrong, &reader.syntax_error(wrong)));
    }
    let mut file = File {
        path: path.to_owned(),
        ..File::default()
    };
    reader.file(root, &mut file);
    reader.mentions(root, &mut file.mentioned);
    Ok(file)
}

fn first_error(node: Node<'_>) -> Option<Node<'_>> {
    if !node.has_error() {
        return None;
    }
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    let mut cursor = node.walk();
    let children: Vec<_> = node.children(&mut cursor).collect();
    children.into_iter().find_map(first_error)
}

fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

fn children<'t>(node: Node<'t>) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor).collect()
}

fn fields<'t>(node: Node<'t>, name: &str) -> Vec<Node<'t>> {
    let mut cursor = node.walk();
    node.children_by_field_name(name, &mut cursor).collect()
}

/// Value of a string literal.
fn unquoted(literal: &str) -> String {
    match literal.strip_prefix('`') {
        Some(raw) => raw.trim_end_matches('`').to_owned(),
        None => {
            serde_json::from_str(literal).unwrap_or_else(|_| literal.trim_matches('"').to_owned())
        }
    }
}

struct Reader<'a> {
    path: &'a str,
    source: &'a str,
}

impl<'a> Reader<'a> {
    fn text(&self, node: Node<'_>) -> &'a str {
        &self.source[node.byte_range()]
    }

    fn invalid(&self, node: Node<'_>, message: &str) -> StaticError {
        StaticError::Invalid {
            file: self.path.to_owned(),
            line: line(node),
            message: message.to_owned(),
        }
    }

    fn syntax_error(&self, node: Node<'_>) -> String {
        if node.is_missing() {
            return format!("syntax error: `{}` is missing", node.kind());
        }
        let text = self.text(node).trim();
        let shown: String = text
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(40)
            .collect();
        format!("syntax error near `{shown}`")
    }

    fn place(&self, node: Node<'_>) -> SourceLocation {
        let column = u32::try_from(node.start_position().column + 1).unwrap_or(u32::MAX);
        SourceLocation {
            file: self.path.to_owned(),
            line: line(node),
            column,
        }
    }

    fn mentions(&self, root: Node<'_>, found: &mut BTreeSet<String>) {
        let mut stack = vec![root];
        while let Some(node) = stack.pop() {
            if matches!(node.kind(), "identifier" | "type_identifier") {
                found.insert(self.text(node).to_owned());
            }
            stack.extend(children(node));
        }
    }

    /// The comments that belong to each node of a list: those right above it, and those behind it on
    /// its last line.
    fn with_comments<'t>(&self, nodes: &[Node<'t>]) -> Vec<(Node<'t>, Comment)> {
        let mut out: Vec<(Node<'t>, Comment)> = Vec::new();
        let mut pending: Vec<Node<'t>> = Vec::new();
        for &node in nodes {
            if node.kind() != "comment" {
                let mut above: Vec<&str> = Vec::new();
                let mut below = node.start_position().row;
                for comment in pending.drain(..).rev() {
                    if comment.end_position().row + 1 < below {
                        break;
                    }
                    below = comment.start_position().row;
                    above.insert(0, self.text(comment));
                }
                out.push((node, Comment::parse(above)));
                continue;
            }
            match out.last_mut() {
                Some((last, comment)) if last.end_position().row == node.start_position().row => {
                    comment.merge(Comment::parse([self.text(node)]));
                }
                _ => pending.push(node),
            }
        }
        out
    }

    fn file(&self, root: Node<'_>, file: &mut File) {
        for (node, comment) in self.with_comments(&children(root)) {
            match node.kind() {
                "package_clause" => {
                    let name = children(node).first().map(|name| self.text(*name));
                    name.unwrap_or_default().clone_into(&mut file.package);
                    file.comment = comment;
                }
                "import_declaration" => self.imports(node, file),
                "type_declaration" => self.types(node, &comment, file),
                "function_declaration" | "method_declaration" => {
                    let function = self.function(node, comment);
                    if function.receiver.is_none() {
                        file.declared.insert(function.name.clone());
                    }
                    file.functions.push(function);
                }
                "const_declaration" => self.consts(node, &comment, file),
                "var_declaration" => self.vars(node, file),
                _ => {}
            }
        }
    }

    fn imports(&self, node: Node<'_>, file: &mut File) {
        let mut stack = vec![node];
        while let Some(node) = stack.pop() {
            if node.kind() != "import_spec" {
                stack.extend(children(node));
                continue;
            }
            let Some(path) = node.child_by_field_name("path") else {
                continue;
            };
            let path = unquoted(self.text(path));
            let name = match node.child_by_field_name("name") {
                Some(name) => self.text(name).to_owned(),
                None => path.rsplit('/').next().unwrap_or(&path).to_owned(),
            };
            file.imports.push((name, path));
        }
    }

    fn vars(&self, node: Node<'_>, file: &mut File) {
        let mut stack = vec![node];
        while let Some(node) = stack.pop() {
            if node.kind() == "var_spec" {
                let names = fields(node, "name");
                let names = names.into_iter().map(|name| self.text(name).to_owned());
                file.declared.extend(names);
            } else {
                stack.extend(children(node));
            }
        }
    }

    fn types(&self, node: Node<'_>, outer: &Comment, file: &mut File) {
        for (spec, own) in self.with_comments(&children(node)) {
            let (Some(name), Some(ty)) = (
                spec.child_by_field_name("name"),
                spec.child_by_field_name("type"),
            ) else {
                continue;
            };
            let mut comment = outer.clone();
            comment.merge(own);
            file.declared.insert(self.text(name).to_owned());
            file.types.push(TypeDecl {
                name: self.text(name).to_owned(),
                ty: self.ty(ty),
                alias: spec.kind() == "type_alias",
                comment,
                place: self.place(name),
            });
        }
    }

    fn consts(&self, node: Node<'_>, outer: &Comment, file: &mut File) {
        let specs = self.with_comments(&children(node));
        let single = specs.len() == 1;
        let mut ty = None;
        for (spec, own) in specs {
            let values = spec.child_by_field_name("value").map(children);
            // Without a value the last one's type and value are repeated.
            if let Some(written) = spec.child_by_field_name("type") {
                ty = Some(self.text(written).to_owned());
            } else if values.is_some() {
                ty = None;
            }
            let mut comment = if single {
                outer.clone()
            } else {
                Comment::default()
            };
            comment.merge(own);
            let names = fields(spec, "name");
            let names = names.into_iter().filter(|name| name.kind() == "identifier");
            for (at, name) in names.enumerate() {
                let value = values.as_ref().and_then(|values| values.get(at));
                let text = value.filter(|value| value.kind().ends_with("string_literal"));
                // `Status("x")` is a typed constant too.
                let converted = value.filter(|value| {
                    matches!(
                        value.kind(),
                        "call_expression" | "type_conversion_expression"
                    )
                });
                let (ty, text) = match converted.and_then(|call| self.conversion(*call)) {
                    Some((ty, text)) => (Some(ty), Some(text)),
                    None => (ty.clone(), text.map(|text| unquoted(self.text(*text)))),
                };
                file.declared.insert(self.text(name).to_owned());
                file.consts.push(ConstDecl {
                    name: self.text(name).to_owned(),
                    ty,
                    text,
                    comment: comment.clone(),
                });
            }
        }
    }

    fn conversion(&self, call: Node<'_>) -> Option<(String, String)> {
        let function = call.child_by_field_name("function")?;
        let args = children(call.child_by_field_name("arguments")?);
        let [arg] = args.as_slice() else { return None };
        (function.kind() == "identifier" && arg.kind().ends_with("string_literal"))
            .then(|| (self.text(function).to_owned(), unquoted(self.text(*arg))))
    }

    fn function(&self, node: Node<'_>, comment: Comment) -> FuncDecl {
        let receiver = node
            .child_by_field_name("receiver")
            .and_then(|list| self.params(list).into_iter().next());
        let name = node.child_by_field_name("name");
        let (receiver_name, receiver, pointer) = match receiver {
            Some(param) => {
                let (ty, pointer) = match param.ty {
                    GoType::Pointer(inner) => (*inner, true),
                    other => (other, false),
                };
                let ty = match ty {
                    GoType::Named { name, .. } => name,
                    _ => String::new(),
                };
                (param.name, Some(ty), pointer)
            }
            None => (String::new(), None, false),
        };
        let body = node.child_by_field_name("body");
        let assigns = || body.is_some_and(|body| self.assigns_to(body, &receiver_name));
        FuncDecl {
            name: name.map_or("", |name| self.text(name)).to_owned(),
            mutates: pointer && !receiver_name.is_empty() && assigns(),
            receiver,
            params: node
                .child_by_field_name("parameters")
                .map(|list| self.params(list))
                .unwrap_or_default(),
            results: self.results(node),
            generic: node.child_by_field_name("type_parameters").is_some(),
            comment,
            place: self.place(name.unwrap_or(node)),
        }
    }

    /// Whether a body assigns to something that begins with a name.
    fn assigns_to(&self, body: Node<'_>, name: &str) -> bool {
        let mut stack = vec![body];
        while let Some(node) = stack.pop() {
            let target = match node.kind() {
                "assignment_statement" => node.child_by_field_name("left"),
                "inc_statement" | "dec_statement" => Some(node),
                _ => None,
            };
            let begins = |expression: &Node<'_>| {
                let text = self.text(*expression).trim_start_matches(['*', '(']);
                text.strip_prefix(name)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[', ' ', ')']))
            };
            let targets = target.map(|target| match target.kind() {
                "expression_list" | "inc_statement" | "dec_statement" => children(target),
                _ => vec![target],
            });
            if targets.is_some_and(|targets| targets.iter().any(begins)) {
                return true;
            }
            stack.extend(children(node));
        }
        false
    }

    fn results(&self, node: Node<'_>) -> Vec<GoType> {
        match node.child_by_field_name("result") {
            None => vec![],
            Some(list) if list.kind() == "parameter_list" => self
                .params(list)
                .into_iter()
                .map(|param| param.ty)
                .collect(),
            Some(ty) => vec![self.ty(ty)],
        }
    }

    fn params(&self, list: Node<'_>) -> Vec<Param> {
        let mut params: Vec<Param> = Vec::new();
        let mut pending = Comment::default();
        let mut last: Option<(usize, usize)> = None;
        for node in children(list) {
            if node.kind() == "comment" {
                let comment = Comment::parse([self.text(node)]);
                match last {
                    Some((row, first)) if row == node.start_position().row => {
                        for param in &mut params[first..] {
                            param.comment.merge(comment.clone());
                        }
                    }
                    _ => pending.merge(comment),
                }
                continue;
            }
            let Some(ty) = node.child_by_field_name("type") else {
                continue;
            };
            let names = fields(node, "name");
            let first = params.len();
            let comment = std::mem::take(&mut pending);
            let param = |name: &str, line: u32| Param {
                name: name.to_owned(),
                ty: self.ty(ty),
                variadic: node.kind() == "variadic_parameter_declaration",
                comment: comment.clone(),
                line,
            };
            if names.is_empty() {
                params.push(param("", line(node)));
            }
            params.extend(
                names
                    .into_iter()
                    .map(|name| param(self.text(name), line(name))),
            );
            last = Some((node.end_position().row, first));
        }
        params
    }

    fn ty(&self, node: Node<'_>) -> GoType {
        let boxed = |inner: Option<Node<'_>>| {
            Box::new(inner.map_or(GoType::Other(String::new()), |inner| self.ty(inner)))
        };
        match node.kind() {
            "type_identifier" | "identifier" => GoType::Named {
                package: None,
                name: self.text(node).to_owned(),
                args: vec![],
            },
            "qualified_type" => {
                let part = |name| {
                    node.child_by_field_name(name)
                        .map(|part| self.text(part).to_owned())
                };
                GoType::Named {
                    package: part("package"),
                    name: part("name").unwrap_or_default(),
                    args: vec![],
                }
            }
            "generic_type" => {
                let base = boxed(node.child_by_field_name("type"));
                let args = node.child_by_field_name("type_arguments");
                let args = args.map(children).unwrap_or_default();
                match *base {
                    GoType::Named { package, name, .. } => GoType::Named {
                        package,
                        name,
                        args: args.into_iter().map(|arg| self.ty(arg)).collect(),
                    },
                    other => other,
                }
            }
            "type_elem" | "parenthesized_type" if node.named_child_count() == 1 => {
                *boxed(node.named_child(0))
            }
            "pointer_type" => GoType::Pointer(boxed(node.named_child(0))),
            "slice_type" | "array_type" => GoType::List(boxed(node.child_by_field_name("element"))),
            "struct_type" => GoType::Struct(self.struct_fields(node)),
            "interface_type" => self.interface(node),
            _ => GoType::Other(self.text(node).to_owned()),
        }
    }

    fn struct_fields(&self, node: Node<'_>) -> Vec<StructField> {
        let Some(list) = node.named_child(0) else {
            return vec![];
        };
        let mut found = Vec::new();
        for (field, comment) in self.with_comments(&children(list)) {
            let Some(ty) = field.child_by_field_name("type") else {
                continue;
            };
            let tag = field.child_by_field_name("tag");
            let json = tag.and_then(|tag| json_name(&unquoted(self.text(tag))));
            let pointer = self.text(field).starts_with('*');
            let names = fields(field, "name");
            let make = |name: &str, line: u32| {
                let ty = self.ty(ty);
                let ty = if name.is_empty() && pointer {
                    GoType::Pointer(Box::new(ty))
                } else {
                    ty
                };
                StructField {
                    name: name.to_owned(),
                    ty,
                    json: json.clone(),
                    comment: comment.clone(),
                    line,
                }
            };
            if names.is_empty() {
                found.push(make("", line(field)));
            }
            found.extend(
                names
                    .into_iter()
                    .map(|name| make(self.text(name), line(name))),
            );
        }
        found
    }

    fn interface(&self, node: Node<'_>) -> GoType {
        let mut methods = Vec::new();
        let mut embedded = Vec::new();
        for (member, comment) in self.with_comments(&children(node)) {
            let name = member.child_by_field_name("name");
            match (member.kind(), name) {
                ("method_elem" | "method_spec", Some(name)) => methods.push(Method {
                    name: self.text(name).to_owned(),
                    params: member
                        .child_by_field_name("parameters")
                        .map(|list| self.params(list))
                        .unwrap_or_default(),
                    results: self.results(member),
                    comment,
                    line: line(name),
                }),
                _ => embedded.push(self.ty(member)),
            }
        }
        GoType::Interface(methods, embedded)
    }
}

/// The name in a tag such as `json:"name,omitempty"`.
fn json_name(tag: &str) -> Option<String> {
    let rest = &tag[tag.find("json:\"")? + "json:\"".len()..];
    let name = rest[..rest.find('"')?].split(',').next()?;
    (!name.is_empty()).then(|| name.to_owned())
}
