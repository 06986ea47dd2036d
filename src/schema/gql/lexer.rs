//! Tokens of the GraphQL language, out of a string; never fails in another way than by an [`ParseError`].
//!
//! # References
//! - GraphQL October 2021, [lexical grammar](https://spec.graphql.org/October2021/#sec-Appendix-Grammar-Summary.Lexical-Tokens)

use std::borrow::Cow;

/// Text that is not GraphQL, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("syntax error: {message}")]
pub struct ParseError {
    /// What was expected or is not allowed.
    pub message: String,
    /// Byte position in the text.
    pub offset: usize,
}

/// One token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Token<'a> {
    /// One of `! $ & ( ) : = @ [ ] { | }`.
    Punct(char),
    /// `...`
    Spread,
    /// Also keywords: the grammar has no reserved words.
    Name(&'a str),
    /// As written.
    Int(&'a str),
    /// As written.
    Float(&'a str),
    /// Without quotes, escapes resolved.
    String(Cow<'a, str>),
    /// End of text.
    End,
}

impl Token<'_> {
    /// The token as an error message names it.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Punct(c) => format!("`{c}`"),
            Self::Spread => "`...`".to_owned(),
            Self::Name(text) | Self::Int(text) | Self::Float(text) => format!("`{text}`"),
            Self::String(_) => "a string".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Reads tokens one at a time, always one ahead.
#[derive(Debug)]
pub(crate) struct Lexer<'a> {
    text: &'a str,
    next_offset: usize,
    token: Token<'a>,
    offset: usize,
}

impl<'a> Lexer<'a> {
    /// Starts at the first token.
    pub(crate) fn new(text: &'a str) -> Result<Self, ParseError> {
        let mut lexer = Self {
            text,
            next_offset: 0,
            token: Token::End,
            offset: 0,
        };
        lexer.advance()?;
        Ok(lexer)
    }

    /// The current token.
    pub(crate) fn peek(&self) -> &Token<'a> {
        &self.token
    }

    /// Byte position of the current token.
    pub(crate) fn offset(&self) -> usize {
        self.offset
    }

    /// An error about the current token.
    pub(crate) fn error(&self, message: impl Into<String>) -> ParseError {
        ParseError {
            message: message.into(),
            offset: self.offset,
        }
    }

    /// The error that something else should stand here.
    pub(crate) fn expected(&self, what: &str) -> ParseError {
        self.error(format!("expected {what}, found {}", self.token.describe()))
    }

    /// Gives the current token and moves on.
    pub(crate) fn take(&mut self) -> Result<Token<'a>, ParseError> {
        let token = std::mem::replace(&mut self.token, Token::End);
        self.advance()?;
        Ok(token)
    }

    /// Moves on if the current token is `punct`.
    pub(crate) fn eat(&mut self, punct: char) -> Result<bool, ParseError> {
        let found = self.token == Token::Punct(punct);
        if found {
            self.advance()?;
        }
        Ok(found)
    }

    /// Moves past `punct`, which must be there.
    pub(crate) fn expect(&mut self, punct: char) -> Result<(), ParseError> {
        if self.eat(punct)? {
            Ok(())
        } else {
            Err(self.expected(&format!("`{punct}`")))
        }
    }

    /// Moves past a name, which must be there.
    pub(crate) fn name(&mut self) -> Result<&'a str, ParseError> {
        let Token::Name(name) = self.token else {
            return Err(self.expected("a name"));
        };
        self.advance()?;
        Ok(name)
    }

    fn fail(&self, offset: usize, message: impl Into<String>) -> ParseError {
        ParseError {
            message: message.into(),
            offset: offset.min(self.text.len()),
        }
    }

    fn advance(&mut self) -> Result<(), ParseError> {
        let bytes = self.text.as_bytes();
        let mut at = self.next_offset;
        loop {
            match bytes.get(at) {
                Some(b' ' | b'\t' | b'\n' | b'\r' | b',') => at += 1,
                Some(b'#') => {
                    while bytes.get(at).is_some_and(|&b| b != b'\n' && b != b'\r') {
                        at += 1;
                    }
                }
                Some(0xEF) if bytes[at..].starts_with(b"\xEF\xBB\xBF") => at += 3,
                _ => break,
            }
        }
        self.offset = at;
        let Some(&first) = bytes.get(at) else {
            self.token = Token::End;
            self.next_offset = at;
            return Ok(());
        };
        let (token, end) = match first {
            b'!' | b'$' | b'&' | b'(' | b')' | b':' | b'=' | b'@' | b'[' | b']' | b'{' | b'|'
            | b'}' => (Token::Punct(char::from(first)), at + 1),
            b'.' if bytes[at..].starts_with(b"...") => (Token::Spread, at + 3),
            b'_' | b'a'..=b'z' | b'A'..=b'Z' => {
                let end = self.end_of(at, |b| b == b'_' || b.is_ascii_alphanumeric());
                (Token::Name(&self.text[at..end]), end)
            }
            b'-' | b'0'..=b'9' => self.number(at)?,
            b'"' if bytes[at..].starts_with(b"\"\"\"") => self.block_string(at + 3)?,
            b'"' => self.string(at + 1)?,
            _ => {
                let c = self.text[at..].chars().next().unwrap_or('\u{FFFD}');
                return Err(self.fail(at, format!("unexpected character {c:?}")));
            }
        };
        self.token = token;
        self.next_offset = end;
        Ok(())
    }

    fn end_of(&self, start: usize, belongs: impl Fn(u8) -> bool) -> usize {
        let rest = &self.text.as_bytes()[start..];
        start + rest.iter().position(|&b| !belongs(b)).unwrap_or(rest.len())
    }

    fn number(&self, start: usize) -> Result<(Token<'a>, usize), ParseError> {
        let bytes = self.text.as_bytes();
        let digits = |at: usize| {
            let end = self.end_of(at, |b| b.is_ascii_digit());
            if end == at {
                Err(self.fail(at, "expected a digit"))
            } else {
                Ok(end)
            }
        };
        let first = start + usize::from(bytes[start] == b'-');
        let mut end = digits(first)?;
        if bytes[first] == b'0' && end > first + 1 {
            return Err(self.fail(start, "a number cannot start with 0"));
        }
        let mut float = false;
        if bytes.get(end) == Some(&b'.') {
            float = true;
            end = digits(end + 1)?;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            float = true;
            let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(end + 1 + sign)?;
        }
        if bytes
            .get(end)
            .is_some_and(|&b| b == b'.' || b == b'_' || b.is_ascii_alphabetic())
        {
            return Err(self.fail(start, "a number must end before a letter or dot"));
        }
        let text = &self.text[start..end];
        Ok((
            if float {
                Token::Float(text)
            } else {
                Token::Int(text)
            },
            end,
        ))
    }

    fn string(&self, start: usize) -> Result<(Token<'a>, usize), ParseError> {
        let bytes = self.text.as_bytes();
        let mut owned: Option<String> = None;
        let mut at = start;
        let mut copied = start;
        loop {
            match bytes.get(at) {
                None | Some(b'\n' | b'\r') => {
                    return Err(self.fail(start - 1, "unterminated string"));
                }
                Some(b'"') => break,
                Some(b'\\') => {
                    let out = owned.get_or_insert_default();
                    out.push_str(&self.text[copied..at]);
                    let (c, end) = self.escape(at + 1)?;
                    out.push(c);
                    at = end;
                    copied = end;
                }
                Some(_) => at += 1,
            }
        }
        let rest = &self.text[copied..at];
        let value = match owned {
            Some(mut out) => {
                out.push_str(rest);
                Cow::Owned(out)
            }
            None => Cow::Borrowed(rest),
        };
        Ok((Token::String(value), at + 1))
    }

    /// Reads what follows a backslash at `at - 1`.
    fn escape(&self, at: usize) -> Result<(char, usize), ParseError> {
        let bytes = self.text.as_bytes();
        let simple = match bytes.get(at) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(at + 1),
            _ => return Err(self.fail(at, "unknown escape in string")),
        };
        Ok((simple, at + 1))
    }

    fn unicode_escape(&self, at: usize) -> Result<(char, usize), ParseError> {
        let invalid = || self.fail(at, "invalid unicode escape");
        let bytes = self.text.as_bytes();
        if bytes.get(at) == Some(&b'{') {
            let end = self.end_of(at + 1, |b| b.is_ascii_hexdigit());
            let code = u32::from_str_radix(&self.text[at + 1..end], 16).map_err(|_| invalid())?;
            let c = char::from_u32(code).ok_or_else(invalid)?;
            return if bytes.get(end) == Some(&b'}') {
                Ok((c, end + 1))
            } else {
                Err(invalid())
            };
        }
        let unit = |at: usize| {
            let digits = self
                .text
                .get(at..at + 4)
                .filter(|d| d.bytes().all(|b| b.is_ascii_hexdigit()));
            digits
                .and_then(|digits| u32::from_str_radix(digits, 16).ok())
                .ok_or_else(invalid)
        };
        let high = unit(at)?;
        if !(0xD800..0xDC00).contains(&high) {
            return char::from_u32(high)
                .map(|c| (c, at + 4))
                .ok_or_else(invalid);
        }
        // JSON encoders write characters beyond the basic plane as two escapes.
        if bytes.get(at + 4..at + 6) != Some(b"\\u") {
            return Err(invalid());
        }
        let low = unit(at + 6)?;
        if !(0xDC00..0xE000).contains(&low) {
            return Err(invalid());
        }
        let code = 0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00);
        char::from_u32(code)
            .map(|c| (c, at + 10))
            .ok_or_else(invalid)
    }

    fn block_string(&self, start: usize) -> Result<(Token<'a>, usize), ParseError> {
        let mut at = start;
        loop {
            let Some(found) = self.text[at..].find("\"\"\"") else {
                return Err(self.fail(start - 3, "unterminated block string"));
            };
            let quote = at + found;
            if quote > start && self.text.as_bytes()[quote - 1] == b'\\' {
                at = quote + 3;
                continue;
            }
            let value = block_string_value(&self.text[start..quote]);
            return Ok((Token::String(Cow::Owned(value)), quote + 3));
        }
    }
}

/// Removes common indentation and blank first and last lines, as the specification asks.
fn block_string_value(raw: &str) -> String {
    let unix = raw.replace("\r\n", "\n").replace('\r', "\n");
    let blank = |line: &str| line.bytes().all(|b| b == b' ' || b == b'\t');
    let indent_of = |line: &str| {
        line.bytes()
            .take_while(|&b| b == b' ' || b == b'\t')
            .count()
    };
    let lines: Vec<&str> = unix.split('\n').collect();
    let indent = lines
        .iter()
        .skip(1)
        .filter(|line| !blank(line))
        .map(|line| indent_of(line))
        .min();
    let indent = indent.unwrap_or(0);
    let first = lines
        .iter()
        .position(|line| !blank(line))
        .unwrap_or(lines.len());
    let last = lines
        .iter()
        .rposition(|line| !blank(line))
        .map_or(first, |last| last + 1);
    let cut = |index: usize| {
        let line = lines[index];
        if index == 0 {
            line
        } else {
            line.get(indent..).unwrap_or("")
        }
    };
    let kept: Vec<&str> = (first..last).map(cut).collect();
    kept.join("\n").replace("\\\"\"\"", "\"\"\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn string(text: &str) -> Result<String, String> {
        let mut lexer = Lexer::new(text).map_err(|error| error.message)?;
        match lexer.take().map_err(|error| error.message)? {
            Token::String(value) => Ok(value.into_owned()),
            other => Err(other.describe()),
        }
    }

    #[test]
    fn strings_are_unescaped() {
        for (text, want) in [
            (r#""""#, ""),
            (r#""plain""#, "plain"),
            (r#""a\n\t\"\\\/\b\f\r""#, "a\n\t\"\\/\u{8}\u{c}\r"),
            ("\"🎉 ü\"", "🎉 ü"),
            (r#""\ud83c\udf89""#, "🎉"),
            (r#""\u{1F389}\u00fc""#, "🎉ü"),
            ("\"\"\"🎉\"\"\"", "🎉"),
            ("\"\"\"\n    a\n      b\n\n    c\n  \"\"\"", "a\n  b\n\nc"),
            ("\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b"),
            ("\"\"\"x\r\n  y\"\"\"", "x\ny"),
            ("\"\"\"  \n \"\"\"", ""),
        ] {
            assert_eq!(string(text).as_deref(), Ok(want), "{text}");
        }
    }

    #[test]
    fn broken_strings_are_refused() {
        for text in [
            "\"a",
            "\"a\nb\"",
            r#""\x""#,
            r#""\u12""#,
            r#""\ud83c""#,
            r#""\ud83c\u0041""#,
            r#""\u{110000}""#,
            r#""\u+123""#,
            "\"\"\"a",
            "\"\\",
            r#""\udc00""#,
        ] {
            assert!(string(text).is_err(), "{text}");
        }
    }

    #[test]
    fn numbers_end_where_they_should() {
        for (text, want) in [
            ("0", Some(Token::Int("0"))),
            ("-12", Some(Token::Int("-12"))),
            (
                "99999999999999999999",
                Some(Token::Int("99999999999999999999")),
            ),
            ("1.5e-3", Some(Token::Float("1.5e-3"))),
            ("2E5", Some(Token::Float("2E5"))),
            ("01", None),
            ("1.", None),
            ("-", None),
            ("1a", None),
            ("1e", None),
        ] {
            let got = Lexer::new(text).and_then(|mut lexer| lexer.take()).ok();
            assert_eq!(got, want, "{text}");
        }
    }
}
