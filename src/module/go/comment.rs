//! Comments of Go source: what they say to people, and the pragmas among them.
//!
//! A line that begins with `+` is a pragma (`+optional`, `+default="x"`); the rest is documentation.

use serde_json::Value as Json;

/// A comment group, taken apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Comment {
    /// What is said to people.
    pub(super) text: String,
    /// Pragmas in order: name, and what stands behind `=`.
    pub(super) pragmas: Vec<(String, Option<String>)>,
}

impl Comment {
    /// Reads comments as they stand in the source, with their marks.
    pub(super) fn parse<'a>(raw: impl IntoIterator<Item = &'a str>) -> Self {
        let mut comment = Self::default();
        let mut lines: Vec<String> = Vec::new();
        for raw in raw {
            for line in content(raw) {
                match pragma(line.trim()) {
                    Some(pragma) => comment.pragmas.push(pragma),
                    None => lines.push(line),
                }
            }
        }
        comment.text = lines.join("\n").trim().to_owned();
        comment
    }

    /// Adds another comment's documentation and pragmas.
    pub(super) fn merge(&mut self, other: Self) {
        if !self.text.is_empty() && !other.text.is_empty() {
            self.text.push('\n');
        }
        self.text.push_str(&other.text);
        self.pragmas.extend(other.pragmas);
    }

    /// Value of a pragma; empty if it has none.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let found = self.pragmas.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_deref().unwrap_or_default())
    }

    /// Whether a pragma is set, and not to `false`.
    pub(super) fn flag(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value != "false")
    }

    /// Value of a pragma that is a text, with or without quotes.
    pub(super) fn string(&self, name: &str) -> Option<String> {
        self.get(name)
            .map(|value| match serde_json::from_str(value) {
                Ok(Json::String(text)) => text,
                _ => value.trim_matches('`').to_owned(),
            })
    }
}

/// Lines of a comment without its marks; directives to tools are left out.
fn content(raw: &str) -> Vec<String> {
    if let Some(line) = raw.strip_prefix("//") {
        let word = line.split_whitespace().next().unwrap_or_default();
        let to_a_tool = !line.starts_with([' ', '\t', '+'])
            && word.split_once(':').is_some_and(|(tool, _)| {
                !tool.is_empty()
                    && tool
                        .chars()
                        .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
            });
        if to_a_tool {
            return vec![];
        }
        let text = line.strip_prefix(' ').unwrap_or(line);
        return vec![text.trim_end().to_owned()];
    }
    let inner = raw.strip_prefix("/*").unwrap_or(raw);
    let inner = inner.strip_suffix("*/").unwrap_or(inner);
    inner
        .lines()
        .map(|line| {
            let line = line.trim();
            let line = line.strip_prefix('*').unwrap_or(line);
            line.strip_prefix(' ').unwrap_or(line).to_owned()
        })
        .collect()
}

fn pragma(line: &str) -> Option<(String, Option<String>)> {
    let rest = line.strip_prefix('+')?;
    let end = rest
        .find(|c: char| !c.is_ascii_alphanumeric())
        .unwrap_or(rest.len());
    let (name, rest) = rest.split_at(end);
    if !name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        return None;
    }
    let rest = rest.trim();
    match rest.strip_prefix('=') {
        Some(value) => Some((name.to_owned(), Some(value.trim().to_owned()))),
        None if rest.is_empty() => Some((name.to_owned(), None)),
        None => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documentation_and_pragmas_are_told_apart() {
        let comment = Comment::parse([
            "// Build compiles.",
            "//   indented",
            "// +cache=\"10m\"",
            "// + no pragma",
            "//go:generate something",
            "//nolint:all",
            "// +check",
            "// +private=false",
        ]);
        assert_eq!(comment.text, "Build compiles.\n  indented\n+ no pragma");
        assert_eq!(comment.string("cache").as_deref(), Some("10m"));
        assert!(comment.flag("check"));
        assert!(!comment.flag("private"));
        assert_eq!(comment.get("optional"), None);
        let block = Comment::parse(["/* Two\n * lines.\n * +optional=true */"]);
        assert_eq!(block.text, "Two\nlines.");
        assert!(block.flag("optional"));
        let url = Comment::parse(["// see https://example.org:80"]);
        assert_eq!(url.text, "see https://example.org:80");
    }
}
