//! Turns request text into a [`Document`], and declaration text into types and arguments.
//!
//! Own code rather than a crate: `cynic-parser` 0.11 refuses characters beyond the basic plane in strings, panics on
//! them in block strings, panics on integers above 64 bits and on deep list types, and reads `\b` wrongly; the others
//! recurse per nesting level. Here selections nest by a heap-held stack, so only [`MAX_DEPTH`] limits them; values
//! and types are refused beyond [`MAX_VALUE_DEPTH`].

use super::lexer::{Lexer, ParseError, Token};
use super::table::{Text, TypeRef};

/// Deepest nesting of selections.
pub const MAX_DEPTH: usize = 10_000;
/// Deepest nesting of lists and input objects in one argument, and of list types.
pub(crate) const MAX_VALUE_DEPTH: usize = 64;

/// A value as written, or as sent in a variable.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// `$name`
    Variable(String),
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// Digits as written.
    Int(String),
    /// Digits as written.
    Float(String),
    /// A string of either form.
    String(String),
    /// A bare name.
    Enum(String),
    /// `[…]`
    List(Vec<Self>),
    /// `{…}`
    Object(Vec<(String, Self)>),
}

/// Positions of a run of selections in [`Document::selections`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Set {
    /// First.
    pub(crate) start: u32,
    /// One past the last.
    pub(crate) end: u32,
}

impl Set {
    /// Whether nothing is selected.
    pub(crate) fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Positions in order.
    pub(crate) fn positions(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// `name(args…)` behind an `@`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Directive<'a> {
    /// Name without `@`.
    pub(crate) name: &'a str,
    /// Arguments as written.
    pub(crate) args: Vec<(&'a str, Literal)>,
    /// Where it stands.
    pub(crate) offset: usize,
}

/// What a selection is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum SelectionKind<'a> {
    /// `alias: name(args…)`
    Field {
        /// Key in the response, if not the name.
        alias: Option<&'a str>,
        /// The field.
        name: &'a str,
        /// Arguments as written.
        args: Vec<(&'a str, Literal)>,
    },
    /// `...name`
    Spread {
        /// The fragment.
        name: &'a str,
    },
    /// `... on Type {…}`
    Inline {
        /// The type, if any.
        on: Option<&'a str>,
    },
}

/// One entry of a selection set.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Selection<'a> {
    /// What it is.
    pub(crate) kind: SelectionKind<'a>,
    /// Directives on it.
    pub(crate) directives: Vec<Directive<'a>>,
    /// What is selected below it.
    pub(crate) set: Set,
    /// Where it stands.
    pub(crate) offset: usize,
}

/// `$name: Type = default`
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Variable<'a> {
    /// Name without `$`.
    pub(crate) name: &'a str,
    /// Declared type.
    pub(crate) ty: TypeRef,
    /// Value when none is sent.
    pub(crate) default: Option<Literal>,
    /// Where it stands.
    pub(crate) offset: usize,
}

/// A query.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation<'a> {
    /// `query`, `mutation` or `subscription`.
    pub(crate) kind: &'a str,
    /// Name, if any.
    pub(crate) name: Option<&'a str>,
    /// Declared variables.
    pub(crate) variables: Vec<Variable<'a>>,
    /// What is selected at the root.
    pub(crate) set: Set,
    /// Where it stands.
    pub(crate) offset: usize,
}

/// A named fragment.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Fragment<'a> {
    /// Name.
    pub(crate) name: &'a str,
    /// The type it is for.
    pub(crate) on: &'a str,
    /// What it selects.
    pub(crate) set: Set,
    /// Where it stands.
    pub(crate) offset: usize,
}

/// A parsed request; selections lie flat in one list, so dropping one never recurses.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Document<'a> {
    /// Queries in order.
    pub(crate) operations: Vec<Operation<'a>>,
    /// Fragments in order.
    pub(crate) fragments: Vec<Fragment<'a>>,
    /// Every selection, siblings next to each other.
    pub(crate) selections: Vec<Selection<'a>>,
}

impl<'a> Document<'a> {
    /// The fragment called `name`.
    pub(crate) fn fragment(&self, name: &str) -> Option<&Fragment<'a>> {
        self.fragments.iter().find(|fragment| fragment.name == name)
    }
}

/// Line and column, from 1, of a byte position.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = &text.as_bytes()[..offset.min(text.len())];
    let line = before.iter().filter(|&&b| b == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|&&b| b != b'\n').count() + 1;
    (line, column)
}

/// Reads a request.
///
/// # Errors
/// If the text is not a GraphQL document of operations and fragments, or nests too deeply.
pub(crate) fn parse_document(text: &str) -> Result<Document<'_>, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(text)?,
        document: Document::default(),
    };
    while *parser.lexer.peek() != Token::End {
        parser.definition()?;
    }
    if parser.document.operations.is_empty() {
        return Err(parser.lexer.error("there is no operation in the request"));
    }
    Ok(parser.document)
}

/// Reads a type such as `[String!]!`.
///
/// # Errors
/// If the text is not exactly one type.
pub fn parse_type(text: &str) -> Result<TypeRef, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(text)?,
        document: Document::default(),
    };
    let ty = parser.type_ref(0)?;
    parser.end()?;
    Ok(ty)
}

/// Name, type, and default as written and as read.
pub(crate) type ParsedArgument = (String, TypeRef, Option<(String, Literal)>);

/// Reads an argument such as `expand: Boolean = false` into name, type and default with its text.
///
/// # Errors
/// If the text is not exactly one argument.
pub(crate) fn parse_argument(text: &str) -> Result<ParsedArgument, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(text)?,
        document: Document::default(),
    };
    let name = parser.lexer.name()?;
    parser.lexer.expect(':')?;
    let ty = parser.type_ref(0)?;
    let mut default = None;
    if parser.lexer.eat('=')? {
        let written = text[parser.lexer.offset()..].trim_end();
        default = Some((written.to_owned(), parser.value(0, true)?));
    }
    parser.end()?;
    Ok((name.to_owned(), ty, default))
}

/// Reads a constant value.
///
/// # Errors
/// If the text is not exactly one value without variables.
pub(crate) fn parse_value(text: &str) -> Result<Literal, ParseError> {
    let mut parser = Parser {
        lexer: Lexer::new(text)?,
        document: Document::default(),
    };
    let value = parser.value(0, true)?;
    parser.end()?;
    Ok(value)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    document: Document<'a>,
}

type NamedArgs<'a> = Vec<(&'a str, Literal)>;

impl<'a> Parser<'a> {
    fn end(&self) -> Result<(), ParseError> {
        if *self.lexer.peek() == Token::End {
            Ok(())
        } else {
            Err(self.lexer.expected("the end"))
        }
    }

    fn definition(&mut self) -> Result<(), ParseError> {
        let offset = self.lexer.offset();
        let word = match self.lexer.peek() {
            Token::Punct('{') => {
                let set = self.selection_set()?;
                let operation = Operation {
                    kind: "query",
                    name: None,
                    variables: Vec::new(),
                    set,
                    offset,
                };
                self.document.operations.push(operation);
                return Ok(());
            }
            Token::Name(word @ ("query" | "mutation" | "subscription" | "fragment")) => *word,
            _ => return Err(self.lexer.expected("a query or fragment")),
        };
        self.lexer.take()?;
        if word == "fragment" {
            self.fragment(offset)
        } else {
            self.operation(word, offset)
        }
    }

    fn fragment(&mut self, offset: usize) -> Result<(), ParseError> {
        if *self.lexer.peek() == Token::Name("on") {
            return Err(self.lexer.expected("the fragment's name"));
        }
        let name = self.lexer.name()?;
        if self.lexer.name()? != "on" {
            return Err(self
                .lexer
                .error("expected `on` and a type after the fragment's name"));
        }
        let on = self.lexer.name()?;
        self.directives()?;
        let set = self.selection_set()?;
        self.document.fragments.push(Fragment {
            name,
            on,
            set,
            offset,
        });
        Ok(())
    }

    fn operation(&mut self, kind: &'a str, offset: usize) -> Result<(), ParseError> {
        let name = match *self.lexer.peek() {
            Token::Name(name) => {
                self.lexer.take()?;
                Some(name)
            }
            _ => None,
        };
        let mut variables = Vec::new();
        if self.lexer.eat('(')? {
            while !self.lexer.eat(')')? {
                variables.push(self.variable()?);
            }
        }
        self.directives()?;
        let set = self.selection_set()?;
        self.document.operations.push(Operation {
            kind,
            name,
            variables,
            set,
            offset,
        });
        Ok(())
    }

    fn variable(&mut self) -> Result<Variable<'a>, ParseError> {
        let offset = self.lexer.offset();
        self.lexer.expect('$')?;
        let name = self.lexer.name()?;
        self.lexer.expect(':')?;
        let ty = self.type_ref(0)?;
        let default = if self.lexer.eat('=')? {
            Some(self.value(0, true)?)
        } else {
            None
        };
        self.directives()?;
        Ok(Variable {
            name,
            ty,
            default,
            offset,
        })
    }

    fn type_ref(&mut self, depth: usize) -> Result<TypeRef, ParseError> {
        if depth > MAX_VALUE_DEPTH {
            return Err(self.lexer.error("the type nests too deeply"));
        }
        let ty = if self.lexer.eat('[')? {
            let inner = self.type_ref(depth + 1)?;
            self.lexer.expect(']')?;
            TypeRef::List(Box::new(inner))
        } else {
            TypeRef::Named(Text::Owned(self.lexer.name()?.to_owned()))
        };
        Ok(if self.lexer.eat('!')? {
            TypeRef::NonNull(Box::new(ty))
        } else {
            ty
        })
    }

    /// Reads a whole tree of selections; open ones wait on `open` with where their children start in `pending`.
    fn selection_set(&mut self) -> Result<Set, ParseError> {
        let mut pending: Vec<Selection<'a>> = Vec::new();
        let mut open: Vec<(Option<Selection<'a>>, usize)> = vec![(None, 0)];
        self.lexer.expect('{')?;
        loop {
            if *self.lexer.peek() == Token::Punct('}') {
                let (owner, start) = open
                    .pop()
                    .expect("an open set is on the stack while looping");
                if pending.len() == start {
                    return Err(self.lexer.expected("a field"));
                }
                self.lexer.take()?;
                let set = self.store(pending.drain(start..))?;
                let Some(mut owner) = owner else {
                    return Ok(set);
                };
                owner.set = set;
                pending.push(owner);
                continue;
            }
            let selection = self.selection()?;
            let opens = *self.lexer.peek() == Token::Punct('{')
                && !matches!(selection.kind, SelectionKind::Spread { .. });
            if opens {
                if open.len() >= MAX_DEPTH {
                    let message = format!("selections nest more than {MAX_DEPTH} levels deep");
                    return Err(self.lexer.error(message));
                }
                self.lexer.take()?;
                open.push((Some(selection), pending.len()));
            } else if matches!(selection.kind, SelectionKind::Inline { .. }) {
                return Err(self.lexer.expected("`{`"));
            } else {
                pending.push(selection);
            }
        }
    }

    fn store(&mut self, children: impl Iterator<Item = Selection<'a>>) -> Result<Set, ParseError> {
        let too_many = |_| ParseError {
            message: "too many selections".to_owned(),
            offset: 0,
        };
        let start = u32::try_from(self.document.selections.len()).map_err(too_many)?;
        self.document.selections.extend(children);
        let end = u32::try_from(self.document.selections.len()).map_err(too_many)?;
        Ok(Set { start, end })
    }

    fn selection(&mut self) -> Result<Selection<'a>, ParseError> {
        let offset = self.lexer.offset();
        let kind = if *self.lexer.peek() == Token::Spread {
            self.lexer.take()?;
            match *self.lexer.peek() {
                Token::Name("on") => {
                    self.lexer.take()?;
                    SelectionKind::Inline {
                        on: Some(self.lexer.name()?),
                    }
                }
                Token::Name(name) => {
                    self.lexer.take()?;
                    SelectionKind::Spread { name }
                }
                _ => SelectionKind::Inline { on: None },
            }
        } else {
            let Token::Name(first) = *self.lexer.peek() else {
                return Err(self.lexer.expected("a field"));
            };
            self.lexer.take()?;
            let (alias, name) = if self.lexer.eat(':')? {
                (Some(first), self.lexer.name()?)
            } else {
                (None, first)
            };
            SelectionKind::Field {
                alias,
                name,
                args: self.arguments()?,
            }
        };
        let directives = self.directives()?;
        Ok(Selection {
            kind,
            directives,
            set: Set::default(),
            offset,
        })
    }

    fn arguments(&mut self) -> Result<NamedArgs<'a>, ParseError> {
        let mut args = Vec::new();
        if self.lexer.eat('(')? {
            while !self.lexer.eat(')')? {
                let name = self.lexer.name()?;
                self.lexer.expect(':')?;
                args.push((name, self.value(0, false)?));
            }
        }
        Ok(args)
    }

    fn directives(&mut self) -> Result<Vec<Directive<'a>>, ParseError> {
        let mut directives = Vec::new();
        loop {
            let offset = self.lexer.offset();
            if !self.lexer.eat('@')? {
                return Ok(directives);
            }
            let name = self.lexer.name()?;
            directives.push(Directive {
                name,
                args: self.arguments()?,
                offset,
            });
        }
    }

    fn value(&mut self, depth: usize, constant: bool) -> Result<Literal, ParseError> {
        if depth > MAX_VALUE_DEPTH {
            return Err(self.lexer.error("the value nests too deeply"));
        }
        if *self.lexer.peek() == Token::Punct('$') && constant {
            return Err(self.lexer.error("a variable cannot be used here"));
        }
        if matches!(self.lexer.peek(), Token::Spread | Token::End) {
            return Err(self.lexer.expected("a value"));
        }
        Ok(match self.lexer.take()? {
            Token::Punct('$') => Literal::Variable(self.lexer.name()?.to_owned()),
            Token::Punct('[') => {
                let mut items = Vec::new();
                while !self.lexer.eat(']')? {
                    items.push(self.value(depth + 1, constant)?);
                }
                Literal::List(items)
            }
            Token::Punct('{') => {
                let mut fields = Vec::new();
                while !self.lexer.eat('}')? {
                    let name = self.lexer.name()?.to_owned();
                    self.lexer.expect(':')?;
                    fields.push((name, self.value(depth + 1, constant)?));
                }
                Literal::Object(fields)
            }
            Token::Name("true") => Literal::Bool(true),
            Token::Name("false") => Literal::Bool(false),
            Token::Name("null") => Literal::Null,
            Token::Name(name) => Literal::Enum(name.to_owned()),
            Token::Int(text) => Literal::Int(text.to_owned()),
            Token::Float(text) => Literal::Float(text.to_owned()),
            Token::String(text) => Literal::String(text.into_owned()),
            other => {
                return Err(self.lexer.error(format!(
                    "expected a value before, found {}",
                    other.describe()
                )));
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator; the same numbers every time.
    struct Random(u64);

    impl Random {
        fn below(&mut self, limit: usize) -> usize {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            usize::try_from((self.0 >> 33) % (limit as u64)).expect("below a usize")
        }
    }

    #[test]
    fn random_input_never_panics() {
        let pieces = [
            "{", "}", "(", ")", "[", "]", ":", "!", "$", "@", "...", "on", "query", "fragment",
            "a", "\"", "\"\"\"", "\\", "\\u", "d83c", "#", "\n", "1", "-", ".", "e", "0", "🎉",
            "\u{feff}", "\0", "é", "true", "null", "=", " ", ",", "\\\"\"\"",
        ];
        let mut random = Random(7);
        for _ in 0..20_000 {
            let length = random.below(24);
            let text: String = (0..length)
                .map(|_| pieces[random.below(pieces.len())])
                .collect();
            if let Err(error) = parse_document(&text) {
                assert!(error.offset <= text.len(), "{text:?}");
                position(&text, error.offset);
            }
            drop((parse_type(&text), parse_value(&text), parse_argument(&text)));
        }
        let seed = "query Q($a: [String!]! = [\"x\"]) @d { a: b(c: {d: [1, 2.5, \"\\u00e9\", E]}) @include(if: true) { ...F ... on T { x } } } fragment F on T { y }";
        assert!(parse_document(seed).is_ok());
        for _ in 0..20_000 {
            let mut bytes = seed.as_bytes().to_vec();
            for _ in 0..=random.below(4) {
                let at = random.below(bytes.len());
                bytes[at] = u8::try_from(random.below(256)).expect("below 256");
            }
            drop(parse_document(&String::from_utf8_lossy(&bytes)));
        }
    }

    #[test]
    fn nesting_is_limited_without_recursion() {
        for (open, close) in [("{a", "}"), ("{...{a", "}}"), ("{... on T{a", "}}")] {
            let text = format!("{}{}", open.repeat(1_000_000), close.repeat(1_000_000));
            assert!(
                parse_document(&text).is_err_and(|error| error.message.contains("deep")),
                "{open}"
            );
        }
        let fine = format!(
            "{}{{a}}{}",
            "{a".repeat(MAX_DEPTH - 1),
            "}".repeat(MAX_DEPTH - 1)
        );
        assert!(parse_document(&fine).is_ok());
        for value in ["[", "{a:"] {
            let text = format!("{{a(x:{}", value.repeat(1_000_000));
            assert!(
                parse_document(&text).is_err_and(|error| error.message.contains("deep")),
                "{value}"
            );
        }
        let text = format!("query($x:{}", "[".repeat(1_000_000));
        assert!(parse_document(&text).is_err());
    }

    #[test]
    fn documents_are_read_in_full() {
        let text = "# hi\nquery Q($a: [Int!]! = [1], $b: T) { x: y(z: $a, w: {k: [A, null]}) @skip(if: $b) { ...F } }\nfragment F on T { on fragment: query }";
        let document = parse_document(text).expect("valid");
        assert_eq!(document.operations[0].name, Some("Q"));
        assert_eq!(
            document.operations[0].variables[0].ty.to_string(),
            "[Int!]!"
        );
        assert_eq!(document.fragments[0].on, "T");
        assert_eq!(document.fragments[0].set.positions().len(), 2);
        let root = &document.selections[document.operations[0].set.positions()][0];
        let SelectionKind::Field { alias, name, args } = &root.kind else {
            panic!("{root:?}")
        };
        assert_eq!((*alias, *name, args.len()), (Some("x"), "y", 2));
        assert_eq!(position(text, root.offset), (2, 37));
    }
}
