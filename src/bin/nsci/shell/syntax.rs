//! The shell's grammar: statements of pipelines of calls, in the manner of POSIX shells.
//!
//! ```text
//! statement  NAME=pipeline | pipeline, ended by `;` or a line
//! pipeline   call | call | …
//! call       WORD WORD …
//! word       text, 'text', "text with $variables", $NAME, ${NAME}, $( statements )
//! ```
//!
//! Reading is pure; what the words mean is for [`super::eval`].

/// A piece of a word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// As it stands.
    Text(String),
    /// The value of a variable.
    Variable(String),
    /// The value of the last of these statements.
    Result(Vec<Statement>),
}

/// A word: its pieces, and whether any of them was quoted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Word {
    /// Pieces in order.
    pub(crate) parts: Vec<Part>,
    /// A quoted word is never a flag or a mark.
    pub(crate) quoted: bool,
}

/// Calls, each on what the one before gave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Pipeline {
    /// A name and its arguments each.
    pub(crate) calls: Vec<Vec<Word>>,
}

/// A pipeline, and the variable that gets its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Statement {
    /// The variable.
    pub(crate) variable: Option<String>,
    /// What is done.
    pub(crate) pipeline: Pipeline,
}

/// Why a text cannot be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It ends too early; more lines may complete it.
    Unfinished(&'static str),
    /// It can never be.
    Invalid {
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
}

impl Word {
    /// The text of a word that is nothing but text.
    pub(crate) fn as_text(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Text(text)] => Some(text),
            _ => None,
        }
    }
}

/// Reads a whole text.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn parse(text: &str) -> Result<Vec<Statement>, Wrong> {
    let mut reader = Reader {
        rest: text,
        line: 1,
    };
    reader.statements(false)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
        }
        Some(c)
    }

    fn invalid<T>(&self, message: impl Into<String>) -> Result<T, Wrong> {
        Err(Wrong::Invalid {
            line: self.line,
            message: message.into(),
        })
    }

    /// Blanks, continued lines and comments.
    fn skip(&mut self, lines: bool) {
        loop {
            match self.peek() {
                Some(' ' | '\t' | '\r') => drop(self.next()),
                Some('\n') if lines => drop(self.next()),
                Some('\\') if self.rest.starts_with("\\\n") => {
                    self.next();
                    self.next();
                }
                Some('#') => {
                    while self.peek().is_some_and(|c| c != '\n') {
                        self.next();
                    }
                }
                _ => return,
            }
        }
    }

    fn statements(&mut self, nested: bool) -> Result<Vec<Statement>, Wrong> {
        let mut found = Vec::new();
        loop {
            self.skip(true);
            match self.peek() {
                None if nested => return Err(Wrong::Unfinished("`$(` without `)`")),
                None => return Ok(found),
                Some(')') if nested => {
                    self.next();
                    return Ok(found);
                }
                Some(';') => drop(self.next()),
                Some('|') => return self.invalid("a pipeline begins with `|`"),
                Some(_) => {
                    found.push(self.statement()?);
                    self.skip(false);
                    match self.peek() {
                        None | Some(';' | '\n') => {}
                        Some(')') if nested => {}
                        Some(c) => return self.invalid(format!("unexpected `{c}`")),
                    }
                }
            }
        }
    }

    fn statement(&mut self) -> Result<Statement, Wrong> {
        let name_end = self
            .rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .unwrap_or(self.rest.len());
        let name = &self.rest[..name_end];
        let is_name = !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit());
        let variable = (is_name && self.rest[name_end..].starts_with('=')).then(|| name.to_owned());
        if variable.is_some() {
            self.rest = &self.rest[name_end + 1..];
        }
        let mut pipeline = Pipeline::default();
        loop {
            let call = self.call()?;
            if call.is_empty() {
                let what = "a call after `|` or `=` is missing";
                return match self.peek() {
                    None => Err(Wrong::Unfinished(what)),
                    Some(_) => self.invalid(what),
                };
            }
            pipeline.calls.push(call);
            self.skip(false);
            if self.rest.starts_with("||") || self.rest.starts_with("&") {
                return self.invalid("`&` and `||` are not part of this shell");
            }
            if self.peek() != Some('|') {
                return Ok(Statement { variable, pipeline });
            }
            self.next();
            self.skip(true);
        }
    }

    fn call(&mut self) -> Result<Vec<Word>, Wrong> {
        let mut words = Vec::new();
        loop {
            self.skip(false);
            match self.peek() {
                None | Some('|' | ';' | '\n' | ')' | '&') => return Ok(words),
                Some(_) => words.push(self.word()?),
            }
        }
    }

    fn word(&mut self) -> Result<Word, Wrong> {
        let mut word = Word::default();
        let mut text = String::new();
        while let Some(c) = self.peek() {
            match c {
                ' ' | '\t' | '\r' | '\n' | '|' | ';' | ')' | '&' => break,
                '(' | '<' | '>' | '`' => {
                    return self.invalid(format!("unexpected `{c}`; quote it if it is meant"));
                }
                '\'' => {
                    self.next();
                    word.quoted = true;
                    let Some(end) = self.rest.find('\'') else {
                        return Err(Wrong::Unfinished("`'` without a second one"));
                    };
                    for _ in 0..self.rest[..end].chars().count() {
                        text.extend(self.next());
                    }
                    self.next();
                }
                '"' => {
                    self.next();
                    word.quoted = true;
                    self.double(&mut word, &mut text)?;
                }
                '\\' => {
                    self.next();
                    match self.next() {
                        None => return Err(Wrong::Unfinished("`\\` at the end")),
                        Some('\n') => {}
                        Some(c) => {
                            word.quoted = true;
                            text.push(c);
                        }
                    }
                }
                '$' => self.dollar(&mut word, &mut text)?,
                c => {
                    text.push(c);
                    self.next();
                }
            }
        }
        // An empty quoted word is a word all the same.
        if !text.is_empty() || word.parts.is_empty() {
            word.parts.push(Part::Text(text));
        }
        Ok(word)
    }

    fn double(&mut self, word: &mut Word, text: &mut String) -> Result<(), Wrong> {
        loop {
            match self.peek() {
                None => return Err(Wrong::Unfinished("`\"` without a second one")),
                Some('"') => {
                    self.next();
                    return Ok(());
                }
                Some('$') => self.dollar(word, text)?,
                Some('\\') => {
                    self.next();
                    match self.next() {
                        Some('\n') => {}
                        Some(c @ ('"' | '\\' | '$' | '`')) => text.push(c),
                        Some(c) => {
                            text.push('\\');
                            text.push(c);
                        }
                        None => return Err(Wrong::Unfinished("`\\` at the end")),
                    }
                }
                Some(c) => {
                    text.push(c);
                    self.next();
                }
            }
        }
    }

    fn dollar(&mut self, word: &mut Word, text: &mut String) -> Result<(), Wrong> {
        self.next();
        let part = if self.rest.starts_with('(') {
            self.next();
            Part::Result(self.statements(true)?)
        } else {
            let braced = self.rest.starts_with('{');
            if braced {
                self.next();
            }
            let end = self
                .rest
                .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
                .unwrap_or(self.rest.len());
            if end == 0 {
                if braced {
                    return self.invalid("`${` without a name");
                }
                text.push('$');
                return Ok(());
            }
            let name = self.rest[..end].to_owned();
            self.rest = &self.rest[end..];
            if braced && self.next() != Some('}') {
                return self.invalid(format!("`${{{name}` without `}}`"));
            }
            Part::Variable(name)
        };
        if !text.is_empty() {
            word.parts.push(Part::Text(std::mem::take(text)));
        }
        word.parts.push(part);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A short form of what was read.
    fn shown(statements: &[Statement]) -> String {
        let word = |word: &Word| {
            let part = |part: &Part| match part {
                Part::Text(text) => text.clone(),
                Part::Variable(name) => format!("<{name}>"),
                Part::Result(inner) => format!("<({})>", shown(inner)),
            };
            format!("[{}]", word.parts.iter().map(part).collect::<String>())
        };
        let call = |call: &Vec<Word>| call.iter().map(word).collect::<String>();
        let statement = |statement: &Statement| {
            let calls: Vec<String> = statement.pipeline.calls.iter().map(call).collect();
            let name = statement
                .variable
                .iter()
                .map(|name| format!("{name}="))
                .collect::<String>();
            format!("{name}{}", calls.join("|"))
        };
        statements
            .iter()
            .map(statement)
            .collect::<Vec<_>>()
            .join(";")
    }

    #[test]
    fn pipelines_are_read() {
        for (text, wanted) in [
            ("container | from alpine", "[container]|[from][alpine]"),
            ("a; b\n\n c # d", "[a];[b];[c]"),
            ("x=a b|c", "x=[a][b]|[c]"),
            ("a 'b c' \"d $x\" e\\ f", "[a][b c][d <x>][e f]"),
            ("a $x ${y}z $", "[a][<x>][<y>z][$]"),
            (
                "f --d=$(host | directory .) x",
                "[f][--d=<([host]|[directory][.])>][x]",
            ),
            ("a |\n b", "[a]|[b]"),
            ("a \\\n b", "[a][b]"),
            ("a ''", "[a][]"),
            ("", ""),
            ("with-exec -- ls -l", "[with-exec][--][ls][-l]"),
        ] {
            let read = parse(text).unwrap_or_else(|wrong| panic!("{text}: {wrong:?}"));
            assert_eq!(shown(&read), wanted, "{text}");
        }
    }

    #[test]
    fn unfinished_texts_may_go_on_and_wrong_ones_may_not() {
        for text in ["a 'b", "a \"b", "a $(b", "a |", "a \\"] {
            assert!(matches!(parse(text), Err(Wrong::Unfinished(_))), "{text}");
        }
        for (text, at) in [
            ("| a", 1),
            ("a\nb > c", 2),
            ("a && b", 1),
            ("a )", 1),
            ("${", 1),
            ("a | ; b", 1),
        ] {
            match parse(text) {
                Err(Wrong::Invalid { line, .. }) => assert_eq!(line, at, "{text}"),
                other => panic!("{text}: {other:?}"),
            }
        }
    }
}
