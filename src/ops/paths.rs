//! Paths and variables as text. Pure; links are resolved by the keeper, inside the root.

use crate::graph::Container;

/// The path made absolute and clean; `..` stops at the root.
pub(super) fn absolute(workdir: &str, path: &str) -> String {
    let joined = if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("{workdir}/{path}")
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in joined.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// The path of `path` below `base`, both absolute and clean; `None` if it is not below.
pub(super) fn below<'a>(base: &str, path: &'a str) -> Option<&'a str> {
    if base == "/" {
        return Some(path.trim_start_matches('/'));
    }
    match path.strip_prefix(base)? {
        "" => Some(""),
        rest => rest.strip_prefix('/'),
    }
}

/// Replaces `$VAR` and `${VAR}` by the container's variables; unset ones by nothing.
pub(super) fn expand_vars(text: &str, container: &Container) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let (name, after) = match rest.strip_prefix('{').and_then(|r| r.split_once('}')) {
            Some(braced) => braced,
            None => rest.split_at(
                rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_')
                    .unwrap_or(rest.len()),
            ),
        };
        if name.is_empty() {
            out.push('$');
        } else {
            out.push_str(container.env(name).unwrap_or_default());
        }
        rest = after;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::graph::EnvVar;

    #[test]
    fn paths_stay_in_the_root() {
        for (workdir, path, want) in [
            ("/", "a", "/a"),
            ("/src", "a/b", "/src/a/b"),
            ("/src", "/a", "/a"),
            ("/src", ".", "/src"),
            ("/src", "../../../etc", "/etc"),
            ("/src", "", "/src"),
            ("/", "a//b/./c/", "/a/b/c"),
        ] {
            assert_eq!(absolute(workdir, path), want, "{workdir} + {path}");
        }
    }

    #[test]
    fn below_respects_names() {
        assert_eq!(below("/a", "/a/b"), Some("b"));
        assert_eq!(below("/a", "/a"), Some(""));
        assert_eq!(below("/a", "/ab"), None);
        assert_eq!(below("/", "/ab"), Some("ab"));
    }

    #[test]
    fn variables_are_replaced() {
        let mut container = Container::scratch("linux/amd64".into());
        container.config.env = vec![EnvVar {
            name: "A_1".into(),
            value: "x".into(),
        }];
        for (text, want) in [
            ("$A_1", "x"),
            ("${A_1}y", "xy"),
            ("$A_1-$NONE-", "x--"),
            ("100$", "100$"),
            ("${unclosed", "${unclosed"),
            ("no", "no"),
        ] {
            assert_eq!(expand_vars(text, &container), want, "{text}");
        }
    }
}
