//! A Dockerfile as logical lines: directives, comments, continuations, flags and here-documents.
//!
//! Knows no instruction beyond which of them may carry a here-document.

use super::{Problem, words};

/// The lines of a file and what its directives say.
#[derive(Debug)]
pub(super) struct Lines {
    /// Character that continues a line and takes away a character's meaning.
    pub escape: char,
    /// The instructions, in order.
    pub lines: Vec<Line>,
}

/// One instruction as text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// Number of its first line, from 1.
    pub number: usize,
    /// Name in capitals.
    pub keyword: String,
    /// What begins with `--`, in order.
    pub flags: Vec<Flag>,
    /// Everything behind the flags, continuations joined.
    pub rest: String,
    /// Documents that the rest announces.
    pub documents: Vec<Document>,
}

/// `--name=value`, or `--name`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flag {
    /// Name without the dashes.
    pub name: String,
    /// What follows `=`, if there is one.
    pub value: Option<String>,
}

/// A here-document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Document {
    /// The word that ends it; the file name for copies.
    pub name: String,
    /// Whether variables are replaced in it.
    pub expand: bool,
    /// The text, each line with its end.
    pub text: String,
}

/// Reads a whole file.
pub(super) fn read(text: &str) -> Result<Lines, Problem> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let escape = directive_escape(text)?;
    let mut physical = text
        .split('\n')
        .map(|line| line.strip_suffix('\r').unwrap_or(line))
        .zip(1..);
    let mut lines = Vec::new();
    while let Some((first, number)) = physical.next() {
        if is_blank_or_comment(first) {
            continue;
        }
        let mut joined = String::new();
        let mut more = first.trim_start();
        loop {
            match without_continuation(more, escape) {
                Some(part) => joined.push_str(part),
                None => {
                    joined.push_str(more);
                    break;
                }
            }
            // Comments and empty lines inside of an instruction are not part of it.
            match physical.find(|(line, _)| !is_blank_or_comment(line)) {
                Some((next, _)) => more = next,
                None => break,
            }
        }
        let mut line = instruction(&joined, number, escape)?;
        for (name, expand, tabs) in announced(&line, escape) {
            line.documents
                .push(document(&mut physical, name, expand, tabs, number)?);
        }
        lines.push(line);
    }
    Ok(Lines { escape, lines })
}

/// Splits one joined line; used for the text of a trigger too.
pub(super) fn instruction(text: &str, number: usize, escape: char) -> Result<Line, Problem> {
    let text = text.trim();
    let (keyword, rest) = match text.find(char::is_whitespace) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let (flags, rest) = flags(rest, escape);
    Ok(Line {
        number,
        keyword: keyword.to_ascii_uppercase(),
        flags,
        rest: rest.trim().to_owned(),
        documents: Vec::new(),
    })
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with('#')
}

/// The line without the escape character that continues it.
fn without_continuation(line: &str, escape: char) -> Option<&str> {
    let part = line.trim_end_matches([' ', '\t']).strip_suffix(escape)?;
    // An escaped escape character is only a character.
    (!part.ends_with(escape)).then_some(part)
}

/// Directives are comments of the form `# name=value` before anything else.
fn directive_escape(text: &str) -> Result<char, Problem> {
    for (line, number) in text.lines().zip(1..) {
        let Some(comment) = line.trim().strip_prefix('#') else {
            break;
        };
        let Some((name, value)) = comment.split_once('=') else {
            break;
        };
        match (name.trim().to_ascii_lowercase().as_str(), value.trim()) {
            ("escape", "\\") => return Ok('\\'),
            ("escape", "`") => return Ok('`'),
            ("escape", other) => {
                return Err(Problem::at(
                    number,
                    format!("escape directive says `{other}`; it can be \\ or `"),
                ));
            }
            // Accepted; the front end is always this one.
            ("syntax" | "check", _) => {}
            _ => break,
        }
    }
    Ok('\\')
}

fn flags(mut rest: &str, escape: char) -> (Vec<Flag>, &str) {
    let mut flags = Vec::new();
    loop {
        rest = rest.trim_start();
        if !rest.starts_with("--") {
            return (flags, rest);
        }
        let end = words::end_of_word(rest, escape);
        let (word, after) = rest.split_at(end);
        rest = after;
        if word == "--" {
            return (flags, rest);
        }
        let word = words::unquote(&word[2..], escape);
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name.to_owned(), Some(value.to_owned())),
            None => (word, None),
        };
        flags.push(Flag { name, value });
    }
}

/// Name, expansion and tab stripping of each here-document that a line announces.
fn announced(line: &Line, escape: char) -> Vec<(String, bool, bool)> {
    let text = match line.keyword.as_str() {
        "RUN" | "COPY" | "ADD" => line.rest.as_str(),
        "ONBUILD" => match line.rest.split_once(char::is_whitespace) {
            Some((keyword, rest))
                if ["RUN", "COPY", "ADD"]
                    .iter()
                    .any(|known| known.eq_ignore_ascii_case(keyword)) =>
            {
                rest
            }
            _ => return Vec::new(),
        },
        _ => return Vec::new(),
    };
    if text.trim_start().starts_with('[') {
        return Vec::new();
    }
    words::split(text, escape)
        .into_iter()
        .filter_map(|word| announcement(&word))
        .collect()
}

/// Reads `3<<-'NAME'`.
fn announcement(word: &str) -> Option<(String, bool, bool)> {
    let word = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = word.strip_prefix("<<")?;
    let (rest, tabs) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    let name: String = rest.chars().filter(|c| !matches!(c, '"' | '\'')).collect();
    let plain = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    (!name.is_empty() && name.chars().all(plain)).then(|| {
        let expand = name.len() == rest.len();
        (name, expand, tabs)
    })
}

fn document<'a>(
    physical: &mut impl Iterator<Item = (&'a str, usize)>,
    name: String,
    expand: bool,
    tabs: bool,
    number: usize,
) -> Result<Document, Problem> {
    let mut text = String::new();
    for (line, _) in physical {
        let line = if tabs {
            line.trim_start_matches('\t')
        } else {
            line
        };
        if line == name {
            return Ok(Document { name, expand, text });
        }
        text.push_str(line);
        text.push('\n');
    }
    Err(
        Problem::at(number, format!("here-document `{name}` has no end"))
            .hint(format!("end it by a line that is only {name}")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(text: &str) -> Line {
        let mut lines = read(text).unwrap().lines;
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines.remove(0)
    }

    #[test]
    fn continued_lines_are_joined_without_comments() {
        for (text, want) in [
            ("RUN a \\\n  b", "a   b"),
            ("RUN a \\  \n# comment\n\n  && b", "a   && b"),
            ("run a\r\n", "a"),
            ("RUN a \\\\", "a \\\\"),
            ("# escape=`\nRUN a `\nb", "a b"),
            ("# syntax=docker/dockerfile:1\n# escape=`\nRUN a\\", "a\\"),
            ("\u{feff}RUN a \\", "a"),
        ] {
            let line = one(text);
            assert_eq!(
                (line.keyword.as_str(), line.rest.as_str()),
                ("RUN", want),
                "{text:?}"
            );
        }
    }

    #[test]
    fn escape_directive_counts_only_at_the_top() {
        assert_eq!(read("FROM a\n# escape=`\n").unwrap().escape, '\\');
        assert_eq!(read("# note\n# escape=`\nFROM a").unwrap().escape, '\\');
        assert!(read("# escape=x\nFROM a").is_err());
    }

    #[test]
    fn flags_come_before_the_rest() {
        let line = one("RUN --mount=type=cache,target=/a --network=none -- --x y");
        let names: Vec<_> = line.flags.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["mount", "network"]);
        assert_eq!(line.flags[0].value.as_deref(), Some("type=cache,target=/a"));
        assert_eq!(line.rest, "--x y");
        let line = one(r#"RUN --mount="type=cache,target=/a b" x"#);
        assert_eq!(
            line.flags[0].value.as_deref(),
            Some("type=cache,target=/a b")
        );
        assert_eq!(one("COPY --link a b").flags[0].value, None);
    }

    #[test]
    fn documents_follow_their_line() {
        let line = one(
            "RUN --mount=type=tmpfs,target=/t python3 <<-'PY' && cat <<X > /y\n\tprint(1)\n\tPY\n$a\nX\n",
        );
        assert_eq!(
            line.documents,
            [
                Document {
                    name: "PY".into(),
                    expand: false,
                    text: "print(1)\n".into()
                },
                Document {
                    name: "X".into(),
                    expand: true,
                    text: "$a\n".into()
                },
            ]
        );
        let line = one("COPY <<foo.txt 3<<\"bar\" /d/\na\nfoo.txt\nFROM b\nbar\n");
        let names: Vec<_> = line.documents.iter().map(|d| d.name.as_str()).collect();
        assert_eq!(names, ["foo.txt", "bar"]);
        assert!(one("RUN cat <<< word").documents.is_empty());
        assert!(one("ENV A=<<EOF").documents.is_empty());
    }

    #[test]
    fn open_document_is_an_error_with_its_line() {
        let problem = read("FROM a\nRUN <<EOF\nx\n").unwrap_err();
        assert_eq!(problem.line, 2);
    }
}
