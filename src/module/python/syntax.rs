//! Python source as the few shapes declarations are made of.
//!
//! Main types: [`File`] and [`Expr`]. Everything is owned, so the syntax tree is gone when this is
//! done. Knows nothing of what names mean: see [`super::describe`].

use tree_sitter::{Node, Parser};

use super::StaticError;

/// An expression, as far as annotations, decorators and defaults go.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Expr {
    Name(String),
    Attr(Box<Self>, String),
    Subscript(Box<Self>, Vec<Self>),
    Or(Box<Self>, Box<Self>),
    Call {
        function: Box<Self>,
        args: Vec<Self>,
        named: Vec<(String, Self)>,
    },
    Str(String),
    Int(i64),
    Float(f64),
    Bool(bool),
    None,
    List(Vec<Self>),
    Tuple(Vec<Self>),
    Lambda(Box<Self>),
    /// Anything else, by its text.
    Other(String),
}

impl Expr {
    pub(super) fn argument(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Call { named, .. } => named
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// The callee of a call, or the expression itself.
    pub(super) fn callee(&self) -> &Self {
        match self {
            Self::Call { function, .. } => function,
            other => other,
        }
    }
}

/// A source file's declarations, in order.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) doc: Option<String>,
    pub(super) statements: Vec<Statement>,
}

/// A statement that can matter to a module's types.
#[derive(Debug)]
pub(super) enum Statement {
    /// `import a.b as c`: path and the name bound, which is `a` without `as`.
    Import {
        path: String,
        alias: Option<String>,
    },
    /// `from ..a import b as c`: leading dots, path, and pairs of name and name bound.
    From {
        dots: usize,
        path: String,
        names: Vec<(String, String)>,
        star: bool,
    },
    /// `NAME = value`.
    Assign {
        name: String,
        value: Expr,
    },
    Class(Class),
    Function(Function),
    /// A declaration that runs only on a condition.
    Conditional {
        line: u32,
    },
}

/// A class.
#[derive(Clone, Debug)]
pub(super) struct Class {
    pub(super) name: String,
    pub(super) decorators: Vec<Expr>,
    pub(super) bases: Vec<Expr>,
    pub(super) doc: Option<String>,
    pub(super) attributes: Vec<Attribute>,
    pub(super) methods: Vec<Function>,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// `name: annotation = value` in a class.
#[derive(Clone, Debug)]
pub(super) struct Attribute {
    pub(super) name: String,
    pub(super) annotation: Option<Expr>,
    pub(super) value: Option<Expr>,
    pub(super) doc: Option<String>,
    pub(super) line: u32,
}

/// A function or method.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) decorators: Vec<Expr>,
    pub(super) params: Vec<Param>,
    /// Takes `*args` or `**kwargs`.
    pub(super) variadic: bool,
    pub(super) returns: Option<Expr>,
    pub(super) doc: Option<String>,
    pub(super) line: u32,
    pub(super) column: u32,
}

/// A parameter.
#[derive(Clone, Debug)]
pub(super) struct Param {
    pub(super) name: String,
    pub(super) annotation: Option<Expr>,
    pub(super) default: Option<Expr>,
    pub(super) line: u32,
}

/// Parses a file.
pub(super) fn parse(path: &str, text: &str) -> Result<File, StaticError> {
    let tree = tree(text);
    let root = tree.root_node();
    if let Some(error) = first_error(root) {
        return Err(StaticError::Invalid {
            file: path.to_owned(),
            line: line(error),
            message: "invalid syntax".to_owned(),
        });
    }
    let reader = Reader { text };
    let mut file = File {
        doc: reader.doc(root),
        statements: Vec::new(),
    };
    for node in children(root) {
        reader.statement(node, false, &mut file.statements);
    }
    Ok(file)
}

/// Parses an annotation written as text.
pub(super) fn parse_expression(text: &str) -> Expr {
    // In parentheses an annotation may span lines, as Python lets it.
    let source = format!("({text})");
    let tree = tree(&source);
    let statement = tree.root_node().named_child(0);
    match statement.and_then(|statement| statement.named_child(0)) {
        Some(node) if !tree.root_node().has_error() => Reader { text: &source }.expr(node),
        _ => Expr::Other(text.to_owned()),
    }
}

fn tree(text: &str) -> tree_sitter::Tree {
    let mut parser = Parser::new();
    parser
        .set_language(&tree_sitter_python::LANGUAGE.into())
        .expect("the grammar is built for this library");
    parser
        .parse(text, None)
        .expect("a parser with a language and no limits always answers")
}

fn children(node: Node<'_>) -> Vec<Node<'_>> {
    let mut cursor = node.walk();
    node.named_children(&mut cursor)
        .filter(|child| child.kind() != "comment")
        .collect()
}

fn first_error(node: Node<'_>) -> Option<Node<'_>> {
    if !node.has_error() {
        return None;
    }
    if node.is_error() || node.is_missing() {
        return Some(node);
    }
    let mut cursor = node.walk();
    let found = node.children(&mut cursor).find_map(first_error);
    found.or(Some(node))
}

fn line(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().row + 1).unwrap_or(u32::MAX)
}

fn column(node: Node<'_>) -> u32 {
    u32::try_from(node.start_position().column + 1).unwrap_or(u32::MAX)
}

struct Reader<'a> {
    text: &'a str,
}

impl<'a> Reader<'a> {
    fn text(&self, node: Node<'_>) -> &'a str {
        &self.text[node.byte_range()]
    }

    fn statement(&self, node: Node<'_>, conditional: bool, out: &mut Vec<Statement>) {
        match node.kind() {
            "import_statement" => {
                out.extend(children(node).into_iter().map(|name| self.import(name)));
            }
            "import_from_statement" => out.push(self.import_from(node)),
            "expression_statement" => {
                if !conditional && let Some(statement) = self.assignment(node) {
                    out.push(statement);
                }
            }
            "class_definition" | "function_definition" if conditional => {}
            "class_definition" => out.push(Statement::Class(self.class(node, vec![]))),
            "function_definition" => out.push(Statement::Function(self.function(node, vec![]))),
            "decorated_definition" if conditional => {
                out.push(Statement::Conditional { line: line(node) });
            }
            "decorated_definition" => out.extend(self.decorated(node)),
            "if_statement" | "try_statement" | "with_statement" | "else_clause" | "elif_clause"
            | "except_clause" | "finally_clause" | "block" => {
                for child in children(node) {
                    self.statement(child, true, out);
                }
            }
            _ => {}
        }
    }

    fn import(&self, node: Node<'_>) -> Statement {
        match node.kind() {
            "aliased_import" => Statement::Import {
                path: self.field_text(node, "name"),
                alias: Some(self.field_text(node, "alias")),
            },
            _ => Statement::Import {
                path: self.text(node).to_owned(),
                alias: None,
            },
        }
    }

    fn import_from(&self, node: Node<'_>) -> Statement {
        let module = self.field_text(node, "module_name");
        let path = module.trim_start_matches('.').trim().to_owned();
        let dots = module.len() - module.trim_start_matches('.').len();
        let mut cursor = node.walk();
        let names = node
            .children_by_field_name("name", &mut cursor)
            .map(|name| match name.kind() {
                "aliased_import" => (
                    self.field_text(name, "name"),
                    self.field_text(name, "alias"),
                ),
                _ => (self.text(name).to_owned(), self.text(name).to_owned()),
            })
            .collect();
        let star = children(node)
            .iter()
            .any(|child| child.kind() == "wildcard_import");
        Statement::From {
            dots,
            path,
            names,
            star,
        }
    }

    fn assignment(&self, statement: Node<'_>) -> Option<Statement> {
        let node = statement
            .named_child(0)
            .filter(|node| node.kind() == "assignment")?;
        let name = node
            .child_by_field_name("left")
            .filter(|left| left.kind() == "identifier")?;
        let value = self.expr(node.child_by_field_name("right")?);
        Some(Statement::Assign {
            name: self.text(name).to_owned(),
            value,
        })
    }

    fn decorated(&self, node: Node<'_>) -> Option<Statement> {
        let decorators = children(node)
            .into_iter()
            .filter(|child| child.kind() == "decorator")
            .filter_map(|decorator| children(decorator).first().map(|node| self.expr(*node)))
            .collect();
        let definition = node.child_by_field_name("definition")?;
        Some(match definition.kind() {
            "class_definition" => Statement::Class(self.class(definition, decorators)),
            _ => Statement::Function(self.function(definition, decorators)),
        })
    }

    fn class(&self, node: Node<'_>, decorators: Vec<Expr>) -> Class {
        let bases = node
            .child_by_field_name("superclasses")
            .map_or_else(Vec::new, |list| {
                let bases = children(list).into_iter();
                bases
                    .filter(|base| base.kind() != "keyword_argument")
                    .map(|base| self.expr(base))
                    .collect()
            });
        let mut class = Class {
            name: self.field_text(node, "name"),
            decorators,
            bases,
            doc: None,
            attributes: vec![],
            methods: vec![],
            line: line(node),
            column: column(node),
        };
        let Some(body) = node.child_by_field_name("body") else {
            return class;
        };
        class.doc = self.doc(body);
        let statements = children(body);
        for (at, statement) in statements.iter().enumerate() {
            match statement.kind() {
                "expression_statement" => {
                    let below = statements
                        .get(at + 1)
                        .and_then(|next| self.string_statement(*next));
                    class.attributes.extend(self.attribute(*statement, below));
                }
                "function_definition" => class.methods.push(self.function(*statement, vec![])),
                "decorated_definition" => {
                    if let Some(Statement::Function(method)) = self.decorated(*statement) {
                        class.methods.push(method);
                    }
                }
                _ => {}
            }
        }
        class
    }

    fn attribute(&self, statement: Node<'_>, doc: Option<String>) -> Option<Attribute> {
        let node = statement
            .named_child(0)
            .filter(|node| node.kind() == "assignment")?;
        let name = node
            .child_by_field_name("left")
            .filter(|left| left.kind() == "identifier")?;
        Some(Attribute {
            name: self.text(name).to_owned(),
            annotation: node.child_by_field_name("type").map(|node| self.expr(node)),
            value: node
                .child_by_field_name("right")
                .map(|node| self.expr(node)),
            doc,
            line: line(node),
        })
    }

    fn function(&self, node: Node<'_>, decorators: Vec<Expr>) -> Function {
        let parameters = node
            .child_by_field_name("parameters")
            .map_or_else(Vec::new, children);
        let mut function = Function {
            name: self.field_text(node, "name"),
            decorators,
            params: vec![],
            variadic: false,
            returns: node
                .child_by_field_name("return_type")
                .map(|node| self.expr(node)),
            doc: node
                .child_by_field_name("body")
                .and_then(|body| self.doc(body)),
            line: line(node),
            column: column(node),
        };
        for parameter in parameters {
            match self.param(parameter) {
                Some(param) => function.params.push(param),
                None => {
                    let kind = parameter.kind();
                    function.variadic |=
                        !matches!(kind, "keyword_separator" | "positional_separator");
                }
            }
        }
        function
    }

    fn param(&self, node: Node<'_>) -> Option<Param> {
        let name = match node.kind() {
            "identifier" => node,
            "typed_parameter" => node.named_child(0)?,
            "default_parameter" | "typed_default_parameter" => node.child_by_field_name("name")?,
            _ => return None,
        };
        (name.kind() == "identifier").then(|| Param {
            name: self.text(name).to_owned(),
            annotation: node.child_by_field_name("type").map(|node| self.expr(node)),
            default: node
                .child_by_field_name("value")
                .map(|node| self.expr(node)),
            line: line(node),
        })
    }

    /// The docstring of a body.
    fn doc(&self, body: Node<'_>) -> Option<String> {
        children(body)
            .first()
            .and_then(|first| self.string_statement(*first))
    }

    fn string_statement(&self, node: Node<'_>) -> Option<String> {
        if node.kind() != "expression_statement" || node.named_child_count() != 1 {
            return None;
        }
        match self.expr(node.named_child(0)?) {
            Expr::Str(text) => Some(text),
            _ => None,
        }
    }

    fn expr(&self, node: Node<'_>) -> Expr {
        let other = || Expr::Other(self.text(node).to_owned());
        let parts = || {
            children(node)
                .into_iter()
                .map(|child| self.expr(child))
                .collect::<Vec<_>>()
        };
        match node.kind() {
            "identifier" => Expr::Name(self.text(node).to_owned()),
            "attribute" => match node.child_by_field_name("object") {
                Some(object) => Expr::Attr(
                    Box::new(self.expr(object)),
                    self.field_text(node, "attribute"),
                ),
                None => other(),
            },
            "member_type" => match &children(node)[..] {
                [object, name] => {
                    Expr::Attr(Box::new(self.expr(*object)), self.text(*name).to_owned())
                }
                _ => other(),
            },
            "type" | "parenthesized_expression" => parts().into_iter().next().unwrap_or_else(other),
            "subscript" => {
                let mut parts = parts().into_iter();
                let base = parts.next().unwrap_or_else(other);
                Expr::Subscript(Box::new(base), flatten(parts.collect()))
            }
            "generic_type" => match &children(node)[..] {
                [base, parameters] => {
                    let arguments = children(*parameters);
                    let arguments = arguments.into_iter().map(|node| self.expr(node)).collect();
                    Expr::Subscript(Box::new(self.expr(*base)), flatten(arguments))
                }
                _ => other(),
            },
            "union_type" => match <[Expr; 2]>::try_from(parts()) {
                Ok([left, right]) => Expr::Or(Box::new(left), Box::new(right)),
                Err(_) => other(),
            },
            "binary_operator" if self.field_text(node, "operator") == "|" => {
                match <[Expr; 2]>::try_from(parts()) {
                    Ok([left, right]) => Expr::Or(Box::new(left), Box::new(right)),
                    Err(_) => other(),
                }
            }
            "call" => self.call(node),
            "string" => self.string(node).map_or_else(other, Expr::Str),
            "concatenated_string" => children(node)
                .into_iter()
                .map(|part| self.string(part))
                .collect::<Option<String>>()
                .map_or_else(other, Expr::Str),
            "integer" => integer(self.text(node)).map_or_else(other, Expr::Int),
            "float" => {
                let text = self.text(node).replace('_', "");
                text.parse().map_or_else(|_| other(), Expr::Float)
            }
            "unary_operator" if self.field_text(node, "operator") == "-" => {
                match node
                    .child_by_field_name("argument")
                    .map(|argument| self.expr(argument))
                {
                    Some(Expr::Int(number)) => Expr::Int(-number),
                    Some(Expr::Float(number)) => Expr::Float(-number),
                    _ => other(),
                }
            }
            "true" => Expr::Bool(true),
            "false" => Expr::Bool(false),
            "none" => Expr::None,
            "list" => Expr::List(parts()),
            "tuple" | "expression_list" => Expr::Tuple(parts()),
            "lambda" => match node.child_by_field_name("body") {
                Some(body) if node.child_by_field_name("parameters").is_none() => {
                    Expr::Lambda(Box::new(self.expr(body)))
                }
                _ => other(),
            },
            _ => other(),
        }
    }

    fn call(&self, node: Node<'_>) -> Expr {
        let (Some(function), Some(list)) = (
            node.child_by_field_name("function"),
            node.child_by_field_name("arguments"),
        ) else {
            return Expr::Other(self.text(node).to_owned());
        };
        let mut args = Vec::new();
        let mut named = Vec::new();
        for argument in children(list) {
            match (argument.kind(), argument.child_by_field_name("value")) {
                ("keyword_argument", Some(value)) => {
                    named.push((self.field_text(argument, "name"), self.expr(value)));
                }
                _ => args.push(self.expr(argument)),
            }
        }
        Expr::Call {
            function: Box::new(self.expr(function)),
            args,
            named,
        }
    }

    /// The value of a string literal; `None` if only running can tell it.
    fn string(&self, node: Node<'_>) -> Option<String> {
        let mut cursor = node.walk();
        let parts: Vec<_> = node.children(&mut cursor).collect();
        let start = parts.first().filter(|part| part.kind() == "string_start")?;
        let end = parts.last().filter(|part| part.kind() == "string_end")?;
        let prefix = self.text(*start).to_ascii_lowercase();
        if prefix.contains('b') || parts.iter().any(|part| part.kind() == "interpolation") {
            return None;
        }
        let content = &self.text[start.end_byte()..end.start_byte()];
        let content = content.replace("\r\n", "\n");
        if prefix.contains('f') {
            return None;
        }
        if prefix.contains('r') {
            Some(content)
        } else {
            unescape(&content)
        }
    }

    fn field_text(&self, node: Node<'_>, field: &str) -> String {
        node.child_by_field_name(field)
            .map_or_else(String::new, |node| self.text(node).to_owned())
    }
}

/// `a[b, c]` has two arguments, whether the grammar sees a tuple or not.
fn flatten(arguments: Vec<Expr>) -> Vec<Expr> {
    match <[Expr; 1]>::try_from(arguments) {
        Ok([Expr::Tuple(elements)]) => elements,
        Ok([only]) => vec![only],
        Err(many) => many,
    }
}

fn integer(text: &str) -> Option<i64> {
    let text = text.replace('_', "").to_ascii_lowercase();
    for (prefix, radix) in [("0x", 16), ("0o", 8), ("0b", 2)] {
        if let Some(digits) = text.strip_prefix(prefix) {
            return i64::from_str_radix(digits, radix).ok();
        }
    }
    text.parse().ok()
}

/// The text a literal's content stands for; `None` for escapes by character name.
fn unescape(content: &str) -> Option<String> {
    let mut out = String::with_capacity(content.len());
    let mut rest = content;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code = rest.chars().next()?;
        rest = &rest[code.len_utf8()..];
        match code {
            '\n' => {}
            '\\' | '\'' | '"' => out.push(code),
            'n' => out.push('\n'),
            't' => out.push('\t'),
            'r' => out.push('\r'),
            'a' => out.push('\u{7}'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'v' => out.push('\u{b}'),
            'x' | 'u' | 'U' => {
                let digits =
                    rest.get(..[2, 4, 8][usize::from(code == 'u') + 2 * usize::from(code == 'U')])?;
                out.push(char::from_u32(u32::from_str_radix(digits, 16).ok()?)?);
                rest = &rest[digits.len()..];
            }
            '0'..='7' => {
                let more = rest
                    .bytes()
                    .take(2)
                    .take_while(|byte| (b'0'..=b'7').contains(byte))
                    .count();
                let digits = format!("{code}{}", &rest[..more]);
                out.push(char::from_u32(u32::from_str_radix(&digits, 8).ok()?)?);
                rest = &rest[more..];
            }
            'N' => return None,
            // Python keeps what it does not know.
            _ => out.extend(['\\', code]),
        }
    }
    out.push_str(rest);
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn string_literals_have_the_value_python_gives_them() {
        for (source, value) in [
            (r"'a'", Some("a")),
            (r#""a\n\t\x41\u00e9\101\q""#, Some("a\n\tA\u{e9}A\\q")),
            (r"r'\n'", Some("\\n")),
            (r"'a' 'b'", Some("ab")),
            (r"f'{x}'", None),
            (r"b'a'", None),
            (r"'\N{BULLET}'", None),
        ] {
            let expected = value.map(|value| Expr::Str(value.into()));
            let got = parse_expression(source);
            match expected {
                Some(expected) => assert_eq!(got, expected, "{source}"),
                None => assert!(matches!(got, Expr::Other(_)), "{source}: {got:?}"),
            }
        }
    }

    #[test]
    fn annotations_have_one_shape_however_written() {
        let name = |name: &str| Expr::Name(name.into());
        let or_none = |expr| Expr::Or(Box::new(expr), Box::new(Expr::None));
        let list = |expr| Expr::Subscript(Box::new(name("list")), vec![expr]);
        let file = parse(
            "a.py",
            "class A:\n    a: list[str] | None\n    b: 'list[str]' = 1\n    c: t.Dict[str, int]\n",
        )
        .expect("valid");
        let Statement::Class(class) = &file.statements[0] else {
            panic!("not a class")
        };
        let annotation = |at: usize| class.attributes[at].annotation.clone().expect("annotated");
        assert_eq!(annotation(0), or_none(list(name("str"))));
        assert_eq!(annotation(1), Expr::Str("list[str]".into()));
        let dict = Expr::Attr(Box::new(name("t")), "Dict".into());
        assert_eq!(
            annotation(2),
            Expr::Subscript(Box::new(dict), vec![name("str"), name("int")])
        );
        assert_eq!(
            parse_expression("list[str] | None"),
            or_none(list(name("str")))
        );
    }

    #[test]
    fn broken_source_is_pointed_at() {
        let error = parse("main.py", "a = 1\ndef f(:\n    pass\n").expect_err("invalid");
        assert_eq!(error.to_string(), "main.py:2: invalid syntax");
    }
}
