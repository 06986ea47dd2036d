//! [`EnvFile`]: `NAME=value` lines, as `.env` files have them. Pure.
//!
//! A line may begin with `export`. Values in single quotes are literal; those in double quotes know
//! `\n`, `\t`, `\"`, `\\` and `\$`; outside of quotes ` #` begins a comment. `$NAME` and `${NAME}`
//! stand for other variables of the file, except in single quotes.

use serde::{Deserialize, Serialize};

/// How deep variables may refer to each other.
const DEPTH: usize = 32;

/// Variables with their values as they are written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnvFile {
    lines: Vec<(String, String)>,
}

impl EnvFile {
    /// Reads the text of a file; the last line of a name counts.
    ///
    /// # Errors
    /// The number of the first line that is none, with what it holds.
    pub fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut file = Self::default();
        for (at, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let bare = line.strip_prefix("export ").unwrap_or(line);
            let Some((name, value)) = bare.split_once('=') else {
                return Err((at + 1, line.to_owned()));
            };
            let name = name.trim();
            if name.is_empty() || name.contains(char::is_whitespace) {
                return Err((at + 1, line.to_owned()));
            }
            file.put(name, value.trim().to_owned());
        }
        Ok(file)
    }

    /// The text of a file.
    pub fn text(&self) -> String {
        self.lines
            .iter()
            .map(|(name, value)| format!("{name}={value}\n"))
            .collect()
    }

    /// The names, in the order of the file.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(|(name, _)| name.as_str())
    }

    /// A value as it is written.
    pub fn raw(&self, name: &str) -> Option<&str> {
        let line = self.lines.iter().find(|(known, _)| known == name);
        line.map(|(_, value)| value.as_str())
    }

    /// A value without quotes, variables replaced.
    pub fn value(&self, name: &str) -> Option<String> {
        self.raw(name).map(|raw| self.read(raw, &mut vec![name]))
    }

    /// The same with a variable more. `$NAME` in the value stands for other variables.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        let plain =
            !value.contains(['\n', '\r', '\t', '"', '\'', '\\', '#']) && value.trim() == value;
        let written = if plain {
            value.to_owned()
        } else {
            quoted(value)
        };
        self.put(name, written);
        self
    }

    /// The same without a variable.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.lines.retain(|(known, _)| known != name);
        self
    }

    /// The variables that begin with a prefix, without it. Their values are what they were.
    #[must_use]
    pub fn namespace(&self, prefix: &str) -> Self {
        let mut part = Self::default();
        for name in self.names() {
            let (Some(short), Some(value)) = (name.strip_prefix(prefix), self.value(name)) else {
                continue;
            };
            if !short.is_empty() {
                part.put(short, literal(&value));
            }
        }
        part
    }

    fn put(&mut self, name: &str, value: String) {
        match self.lines.iter_mut().find(|(known, _)| known == name) {
            Some(line) => line.1 = value,
            None => self.lines.push((name.to_owned(), value)),
        }
    }

    /// Reads a written value; `within` are the variables that are being read.
    fn read<'a>(&'a self, raw: &'a str, within: &mut Vec<&'a str>) -> String {
        let mut out = String::new();
        let mut rest = raw;
        let mut quote = None;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match (quote, c) {
                (None, '\'' | '"') => quote = Some(c),
                (Some(open), c) if c == open => quote = None,
                (Some('\''), c) => out.push(c),
                (None, '#') if out.is_empty() || out.ends_with([' ', '\t']) => break,
                (_, '\\') => {
                    let next = after.chars().next();
                    out.push(match next {
                        Some('n') if quote.is_some() => '\n',
                        Some('t') if quote.is_some() => '\t',
                        Some('r') if quote.is_some() => '\r',
                        Some(c) => c,
                        None => '\\',
                    });
                    rest = next.map_or("", |c| &after[c.len_utf8()..]);
                    continue;
                }
                (_, '$') => {
                    rest = self.variable(after, within, &mut out);
                    continue;
                }
                (_, c) => out.push(c),
            }
            rest = after;
        }
        if quote.is_none() && !raw.ends_with(['\'', '"']) {
            out.truncate(out.trim_end().len());
        }
        out
    }

    /// Replaces the variable at the beginning of `rest`; what is left after it.
    fn variable<'a>(
        &'a self,
        rest: &'a str,
        within: &mut Vec<&'a str>,
        out: &mut String,
    ) -> &'a str {
        let (name, after) = match rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            Some(braced) => braced,
            None => rest.split_at(
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
        };
        if name.is_empty() {
            out.push('$');
        } else if let Some(raw) = self.raw(name)
            && !within.contains(&name)
            && within.len() < DEPTH
        {
            within.push(name);
            let value = self.read(raw, within);
            within.pop();
            out.push_str(&value);
        }
        after
    }
}

/// A value in double quotes, in which variables still count.
fn quoted(value: &str) -> String {
    let mut out = String::from("\"");
    for c in value.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '"' | '\\' => out.extend(['\\', c]),
            c => out.push(c),
        }
    }
    out + "\""
}

/// A value so written that nothing in it counts.
fn literal(value: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "_-./:@%+,".contains(c);
    if value.chars().all(safe) {
        return value.to_owned();
    }
    quoted(value).replace('$', "\\$")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_as_shells_do() {
        let text = "# comment\nA=1\nexport B = two words  # why\nC='$A #'\nD=\"$A\\n${B}!\"\nE=$D$NONE\n\
                    F=a#b\nG=$G\nH=\"\\$A\"\nI=\nA=3\n";
        let file = EnvFile::parse(text).unwrap();
        for (name, raw, value) in [
            ("A", "3", "3"),
            ("B", "two words  # why", "two words"),
            ("C", "'$A #'", "$A #"),
            ("D", "\"$A\\n${B}!\"", "3\ntwo words!"),
            ("E", "$D$NONE", "3\ntwo words!"),
            ("F", "a#b", "a#b"),
            ("G", "$G", ""),
            ("H", "\"\\$A\"", "$A"),
            ("I", "", ""),
        ] {
            assert_eq!(file.raw(name), Some(raw), "{name}");
            assert_eq!(file.value(name).as_deref(), Some(value), "{name}");
        }
        assert_eq!(file.value("Z"), None);
        assert_eq!(EnvFile::parse("A=1\nnonsense"), Err((2, "nonsense".into())));
        assert_eq!(EnvFile::parse("=1"), Err((1, "=1".into())));
    }

    #[test]
    fn what_is_written_is_read_again() {
        for value in ["plain", "a b", " x ", "l\n\"q\" 'r' \\ #", "", "tab\t"] {
            let file = EnvFile::default().with("V", value);
            let again = EnvFile::parse(&file.text()).unwrap();
            assert_eq!(again.value("V").as_deref(), Some(value), "{}", file.text());
        }
        let file = EnvFile::default().with("A", "dog").with("S", "the $A");
        assert_eq!(file.value("S").as_deref(), Some("the dog"));
    }

    #[test]
    fn namespace_keeps_values() {
        let file = EnvFile::parse("APP_A='x $y'\nB=2\nAPP_C=$B\nAPP_=no").unwrap();
        let part = file.namespace("APP_");
        assert_eq!(part.names().collect::<Vec<_>>(), ["A", "C"]);
        assert_eq!(part.value("A").as_deref(), Some("x $y"));
        assert_eq!(part.value("C").as_deref(), Some("2"));
    }
}
