//! Words of an instruction: splitting, quotes, and the variables of Dockerfiles.

/// Where the word at the start of `text` ends: quotes and escapes keep blanks inside.
pub(super) fn end_of_word(text: &str, escape: char) -> usize {
    let mut quote = None;
    let mut escaped = false;
    for (at, c) in text.char_indices() {
        match quote {
            _ if escaped => escaped = false,
            Some('\'') if c == '\'' => quote = None,
            Some('\'') => {}
            _ if c == escape => escaped = true,
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            None if c.is_whitespace() => return at,
            _ => {}
        }
    }
    text.len()
}

/// The words of a text, quotes and escapes kept.
pub(super) fn split(text: &str, escape: char) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        let (word, after) = rest.split_at(end_of_word(rest, escape));
        words.push(word.to_owned());
        rest = after.trim_start();
    }
    words
}

/// The word without quotes and escapes; variables stay as they are.
pub(super) fn unquote(word: &str, escape: char) -> String {
    let mut out = String::with_capacity(word.len());
    let mut quote = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match quote {
            Some('\'') if c == '\'' => quote = None,
            Some('\'') => out.push(c),
            Some(open) if c == open => quote = None,
            None if c == '\'' || c == '"' => quote = Some(c),
            _ if c == escape => out.extend(chars.next()),
            _ => out.push(c),
        }
    }
    out
}

/// Replaces variables and takes quotes away, as instructions other than commands do.
///
/// # Errors
/// A message, for an open quote or brace, an unknown modifier, or `${name:?message}`.
pub(super) fn expand<'v>(
    word: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<String, String> {
    let mut expander = Expander {
        escape,
        lookup,
        quotes: true,
        depth: 0,
    };
    let mut chars = Chars::new(word);
    expander.until(&mut chars, None)
}

/// Replaces variables and leaves quotes alone, as here-documents do.
///
/// # Errors
/// As [`expand`], but for quotes.
pub(super) fn expand_text<'v>(
    text: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<&'v str>,
) -> Result<String, String> {
    let mut expander = Expander {
        escape,
        lookup,
        quotes: false,
        depth: 0,
    };
    let mut chars = Chars::new(text);
    expander.until(&mut chars, None)
}

type Chars<'a> = std::iter::Peekable<std::str::Chars<'a>>;

trait New<'a> {
    fn new(text: &'a str) -> Self;
}

impl<'a> New<'a> for Chars<'a> {
    fn new(text: &'a str) -> Self {
        text.chars().peekable()
    }
}

struct Expander<'f, 'v> {
    escape: char,
    lookup: &'f dyn Fn(&str) -> Option<&'v str>,
    quotes: bool,
    depth: usize,
}

/// How deep `${a:-${b:-…}}` may go.
const DEEPEST: usize = 64;

impl Expander<'_, '_> {
    /// Reads up to `end`, which is consumed; to the end of the text if there is none.
    fn until(&mut self, chars: &mut Chars<'_>, end: Option<char>) -> Result<String, String> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(format!("variables are nested more than {DEEPEST} deep"));
        }
        let out = self.read_until(chars, end);
        self.depth -= 1;
        out
    }

    fn read_until(&mut self, chars: &mut Chars<'_>, end: Option<char>) -> Result<String, String> {
        let mut out = String::new();
        while let Some(c) = chars.next() {
            match c {
                c if Some(c) == end => return Ok(out),
                '\'' if self.quotes => loop {
                    match chars.next() {
                        Some('\'') => break,
                        Some(c) => out.push(c),
                        None => return Err("a single quote is not closed".into()),
                    }
                },
                '"' if self.quotes => self.double_quoted(chars, &mut out)?,
                c if c == self.escape => match chars.next() {
                    Some(next) if self.quotes || next == '$' || next == self.escape => {
                        out.push(next);
                    }
                    Some(next) => out.extend([c, next]),
                    None => out.push(c),
                },
                '$' => out.push_str(&self.variable(chars)?),
                c => out.push(c),
            }
        }
        match end {
            Some('}') => Err("`${` is not closed".into()),
            _ => Ok(out),
        }
    }

    fn double_quoted(&mut self, chars: &mut Chars<'_>, out: &mut String) -> Result<(), String> {
        while let Some(c) = chars.next() {
            match c {
                '"' => return Ok(()),
                c if c == self.escape => match chars.next() {
                    Some(next @ ('"' | '$')) => out.push(next),
                    Some(next) if next == self.escape => out.push(next),
                    Some(next) => out.extend([c, next]),
                    None => out.push(c),
                },
                '$' => out.push_str(&self.variable(chars)?),
                c => out.push(c),
            }
        }
        Err("a double quote is not closed".into())
    }

    /// What stands behind a `$`.
    fn variable(&mut self, chars: &mut Chars<'_>) -> Result<String, String> {
        if chars.peek() != Some(&'{') {
            let name = name(chars);
            return Ok(if name.is_empty() {
                "$".into()
            } else {
                self.value(&name).unwrap_or_default()
            });
        }
        chars.next();
        let name = name(chars);
        if name.is_empty() {
            return Err("`${` needs the name of a variable".into());
        }
        let value = self.value(&name);
        let Some(modifier) = chars.next() else {
            return Err("`${` is not closed".into());
        };
        match modifier {
            '}' => Ok(value.unwrap_or_default()),
            ':' => {
                let kind = chars.next().unwrap_or('}');
                let word = self.until(chars, Some('}'))?;
                let filled = value.filter(|value| !value.is_empty());
                choose(&name, kind, filled, word)
            }
            '-' | '+' | '?' => {
                let word = self.until(chars, Some('}'))?;
                choose(&name, modifier, value, word)
            }
            '#' | '%' => {
                let greedy = chars.next_if_eq(&modifier).is_some();
                let pattern = self.until(chars, Some('}'))?;
                let value = value.unwrap_or_default();
                Ok(trim(&value, &pattern, modifier == '#', greedy))
            }
            '/' => {
                let all = chars.next_if_eq(&'/').is_some();
                let pattern = self.pattern(chars);
                let replacement = self.until(chars, Some('}'))?;
                Ok(replace(
                    &value.unwrap_or_default(),
                    &pattern,
                    &replacement,
                    all,
                ))
            }
            other => Err(format!(
                "`${{{name}{other}…}}` is no modifier of Dockerfiles"
            )),
        }
    }

    fn value(&self, name: &str) -> Option<String> {
        (self.lookup)(name).map(str::to_owned)
    }

    /// The pattern of a replacement, up to its `/`; `\/` is a plain slash.
    fn pattern(&self, chars: &mut Chars<'_>) -> String {
        let mut out = String::new();
        while let Some(&c) = chars.peek() {
            if c == '}' {
                return out;
            }
            chars.next();
            match c {
                '/' => return out,
                c if c == self.escape && chars.peek() == Some(&'/') => out.extend(chars.next()),
                c => out.push(c),
            }
        }
        out
    }
}

fn name(chars: &mut Chars<'_>) -> String {
    let mut name = String::new();
    // Positional and special parameters are one character.
    if let Some(c) = chars.next_if(|c| c.is_ascii_digit() || matches!(c, '@' | '*' | '#')) {
        name.push(c);
        return name;
    }
    while let Some(c) = chars.next_if(|c| c.is_ascii_alphanumeric() || *c == '_') {
        name.push(c);
    }
    name
}

fn choose(name: &str, kind: char, value: Option<String>, word: String) -> Result<String, String> {
    match kind {
        '-' => Ok(value.unwrap_or(word)),
        '+' => Ok(if value.is_some() { word } else { String::new() }),
        '?' => value.ok_or_else(|| {
            let reason = if word.is_empty() {
                "not allowed to be unset"
            } else {
                &word
            };
            format!("{name}: {reason}")
        }),
        other => Err(format!(
            "`${{{name}:{other}…}}` is no modifier of Dockerfiles"
        )),
    }
}

/// Cuts the shortest or longest match of a pattern from the start or the end.
fn trim(value: &str, pattern: &str, front: bool, greedy: bool) -> String {
    let mut cuts: Vec<usize> = value.char_indices().map(|(at, _)| at).collect();
    cuts.push(value.len());
    // Shortest first: from the front that is the smallest cut, from the end the largest.
    if front == greedy {
        cuts.reverse();
    }
    for cut in cuts {
        let (head, tail) = value.split_at(cut);
        let (matched, kept) = if front { (head, tail) } else { (tail, head) };
        if matches(pattern, matched) {
            return kept.to_owned();
        }
    }
    value.to_owned()
}

fn replace(value: &str, pattern: &str, replacement: &str, all: bool) -> String {
    let mut out = String::new();
    let mut rest = value;
    'text: while !rest.is_empty() {
        let ends = rest.char_indices().map(|(at, c)| at + c.len_utf8());
        for end in ends.collect::<Vec<_>>().into_iter().rev() {
            if matches(pattern, &rest[..end]) {
                out.push_str(replacement);
                rest = &rest[end..];
                if all {
                    continue 'text;
                }
                return out + rest;
            }
        }
        let mut chars = rest.chars();
        out.extend(chars.next());
        rest = chars.as_str();
    }
    out
}

/// Whether `text` as a whole matches; `*` and `?` match any character, `\` takes a meaning away.
fn matches(pattern: &str, text: &str) -> bool {
    let mut chars = pattern.chars();
    match chars.next() {
        None => text.is_empty(),
        Some('*') => {
            let rest = chars.as_str();
            text.char_indices()
                .map(|(at, _)| at)
                .chain([text.len()])
                .any(|at| matches(rest, &text[at..]))
        }
        Some(first) => {
            let literal = match first {
                '?' => None,
                '\\' => Some(chars.next().unwrap_or('\\')),
                c => Some(c),
            };
            let mut text = text.chars();
            text.next()
                .is_some_and(|c| literal.is_none_or(|want| want == c))
                && matches(chars.as_str(), text.as_str())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lookup(name: &str) -> Option<&'static str> {
        match name {
            "A" => Some("one"),
            "EMPTY" => Some(""),
            "P" => Some("/usr/lib/x.tar.gz"),
            _ => None,
        }
    }

    #[test]
    fn words_keep_what_quotes_and_escapes_hold() {
        for (text, want) in [
            ("a b", vec!["a", "b"]),
            (r#"a="x y" b"#, vec![r#"a="x y""#, "b"]),
            (r"a=x\ y b", vec![r"a=x\ y", "b"]),
            ("'a b'c  d", vec!["'a b'c", "d"]),
            (r"'a\' b", vec![r"'a\'", "b"]),
            ("", vec![]),
        ] {
            assert_eq!(split(text, '\\'), want, "{text}");
        }
    }

    #[test]
    fn variables_and_quotes() {
        for (word, want) in [
            ("$A", "one"),
            ("${A}x", "onex"),
            ("$Ax", ""),
            (r"\$A", "$A"),
            ("'$A'", "$A"),
            ("\"$A b\"", "one b"),
            (r#""a\"b\n""#, r#"a"b\n"#),
            (r"a\ b", "a b"),
            ("a$", "a$"),
            ("${NONE:-x$A}", "xone"),
            ("${EMPTY:-x}", "x"),
            ("${EMPTY-x}", ""),
            ("${A:+y}", "y"),
            ("${EMPTY:+y}", ""),
            ("${EMPTY+y}", "y"),
            ("${NONE+y}", ""),
            ("${A:-${NONE:-z}}", "one"),
            ("${NONE:-${NONE:-z}}", "z"),
            ("${P#*/}", "usr/lib/x.tar.gz"),
            ("${P##*/}", "x.tar.gz"),
            ("${P%.*}", "/usr/lib/x.tar"),
            ("${P%%.*}", "/usr/lib/x"),
            ("${P/lib/bin}", "/usr/bin/x.tar.gz"),
            ("${P//\\//_}", "_usr_lib_x.tar.gz"),
            ("${A?msg}", "one"),
        ] {
            assert_eq!(expand(word, '\\', &lookup).as_deref(), Ok(want), "{word}");
        }
    }

    #[test]
    fn malformed_words_are_refused() {
        for (word, part) in [
            ("${A", "not closed"),
            ("'a", "single quote"),
            ("\"a", "double quote"),
            ("${}", "name"),
            ("${A!x}", "modifier"),
            ("${A:=x}", "modifier"),
            ("${NONE:?set it}", "NONE: set it"),
            ("${EMPTY:?}", "EMPTY: not allowed"),
        ] {
            let message = expand(word, '\\', &lookup).unwrap_err();
            assert!(message.contains(part), "{word}: {message}");
        }
    }

    #[test]
    fn documents_keep_their_quotes() {
        let text = "echo \"$A\" '$A' \\$A \\n";
        assert_eq!(
            expand_text(text, '\\', &lookup).as_deref(),
            Ok("echo \"one\" 'one' $A \\n")
        );
    }

    #[test]
    fn unquoting_leaves_variables() {
        assert_eq!(unquote(r#"a="x $A"\ y'z'"#, '\\'), "a=x $A yz");
    }
}
