//! Comments that document things: `/** … */` with its tags.

use super::syntax::Doc;

/// Understands the text between `/*` and `*/` of a documentation comment.
pub(super) fn parse(comment: &str) -> Doc {
    let mut doc = Doc::default();
    let mut text: Vec<String> = Vec::new();
    let mut tag: Option<(String, Vec<String>)> = None;
    let mut in_code = false;
    for line in comment.lines() {
        let line = line.trim();
        let line = line.strip_prefix('*').unwrap_or(line);
        let line = line.strip_prefix('*').unwrap_or(line);
        let line = line.strip_prefix(' ').unwrap_or(line).trim_end();
        if line.trim_start().starts_with("```") {
            in_code = !in_code;
        }
        let started = line.trim_start();
        if let (Some(rest), false) = (started.strip_prefix('@'), in_code) {
            finish(&mut doc, tag.take());
            let (name, value) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
            tag = Some((name.to_owned(), vec![value.trim().to_owned()]));
        } else if let Some((_, lines)) = &mut tag {
            lines.push(line.trim().to_owned());
        } else {
            text.push(line.to_owned());
        }
    }
    finish(&mut doc, tag);
    doc.text = text.join("\n").trim().to_owned();
    doc
}

fn finish(doc: &mut Doc, tag: Option<(String, Vec<String>)>) {
    let Some((name, lines)) = tag else { return };
    let text = lines.join("\n").trim().to_owned();
    match name.as_str() {
        "param" | "arg" | "argument" => {
            if let Some((name, text)) = param(&text) {
                doc.params.push((name, text));
            }
        }
        "deprecated" => doc.deprecated = Some(text),
        "description" if doc.text.is_empty() => doc.text = text,
        _ => {}
    }
}

/// `{type} [name=default] - text`, of which only name and text matter.
fn param(text: &str) -> Option<(String, String)> {
    let mut rest = text;
    if rest.starts_with('{') {
        rest = rest.split_once('}')?.1.trim_start();
    }
    let (name, text) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    let name = name.trim_matches(['[', ']']);
    let name = name.split('=').next().unwrap_or(name);
    let text = text.trim_start();
    let text = text.strip_prefix("- ").unwrap_or(text).trim();
    (!name.is_empty()).then(|| (name.to_owned(), text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_taken_out_of_the_text() {
        let doc = parse(
            "*\n   * Builds it.\n   *\n   *   - as is\n   * @param source - What to\n   *   build\n   * @param {string} [tag=a] Name\n   * @deprecated use `make`\n   * @returns nothing\n   ",
        );
        assert_eq!(doc.text, "Builds it.\n\n  - as is");
        assert_eq!(doc.param("source"), "What to\nbuild");
        assert_eq!(doc.param("tag"), "Name");
        assert_eq!(doc.param("other"), "");
        assert_eq!(doc.deprecated.as_deref(), Some("use `make`"));
    }

    #[test]
    fn one_line_and_code_are_text() {
        assert_eq!(parse("* Builds it. ").text, "Builds it.");
        let doc = parse("*\n * See\n * ```\n * @object()\n * ```\n * @deprecated\n");
        assert_eq!(doc.text, "See\n```\n@object()\n```");
        assert_eq!(doc.deprecated.as_deref(), Some(""));
    }
}
