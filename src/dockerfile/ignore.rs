//! `.dockerignore`: which files of the context a build does not see.

/// The patterns of a file, as exclude patterns of a filter.
pub fn ignore_patterns(text: &str) -> Vec<String> {
    text.strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .map(str::trim)
        .filter_map(pattern)
        .collect()
}

/// Patterns are relative to the context however they are written.
fn pattern(line: &str) -> Option<String> {
    let (not, path) = match line.strip_prefix('!') {
        Some(path) => ("!", path.trim_start()),
        None => ("", line),
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    match (path, parts.is_empty()) {
        ("", _) => None,
        // The context itself.
        (_, true) => Some(format!("{not}**")),
        _ => Some(format!("{not}{}", parts.join("/"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_become_patterns() {
        let text = "# note\n\n  /a/ \n!a/b\n./c/../d\n*.md\n.\n! e\n";
        assert_eq!(
            ignore_patterns(text),
            ["a", "!a/b", "d", "*.md", "**", "!e"]
        );
    }
}
