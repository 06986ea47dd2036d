//! Spelling of names in Go.

use crate::module::names;

/// Words that Go programs write in capitals.
const INITIALISMS: &[&str] = &[
    "ACL", "API", "ASCII", "CPU", "CSS", "DNS", "EOF", "FS", "GUID", "HTML", "HTTP", "HTTPS", "ID",
    "IP", "JSON", "LHS", "LLM", "QPS", "RAM", "RHS", "RPC", "SDK", "SLA", "SMTP", "SQL", "SSH",
    "TCP", "TLS", "TTL", "UDP", "UI", "UID", "URI", "URL", "UTF8", "UUID", "VM", "XML", "XMPP",
    "XSRF", "XSS",
];

/// Keywords, predeclared functions and what generated methods call their own.
const TAKEN: &[&str] = &[
    "append",
    "any",
    "bool",
    "break",
    "case",
    "chan",
    "const",
    "continue",
    "copy",
    "ctx",
    "default",
    "defer",
    "else",
    "err",
    "error",
    "fallthrough",
    "false",
    "for",
    "func",
    "go",
    "goto",
    "if",
    "import",
    "int",
    "interface",
    "len",
    "make",
    "map",
    "new",
    "nil",
    "opts",
    "package",
    "q",
    "querybuilder",
    "r",
    "range",
    "response",
    "return",
    "select",
    "string",
    "struct",
    "switch",
    "true",
    "type",
    "var",
];

/// Exported name of something of the API: `httpAuthToken` gives `HTTPAuthToken`.
pub(super) fn exported(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut word = String::new();
    let mut chars = name.chars().peekable();
    let mut first = true;
    while let Some(c) = chars.next() {
        if c == '_' {
            continue;
        }
        word.extend(if first || word.is_empty() {
            c.to_uppercase().next()
        } else {
            Some(c)
        });
        first = false;
        let ends = match chars.peek() {
            None => true,
            Some('_') => true,
            Some(next) => c.is_lowercase() && !next.is_lowercase(),
        };
        if ends {
            let upper = word.to_ascii_uppercase();
            out.push_str(if INITIALISMS.contains(&upper.as_str()) {
                &upper
            } else {
                &word
            });
            word.clear();
        }
    }
    out
}

/// Name of a parameter.
pub(super) fn parameter(name: &str) -> String {
    if TAKEN.contains(&name) {
        format!("{name}_")
    } else {
        name.to_owned()
    }
}

/// Name of a type of the API.
pub(super) fn type_name(name: &str) -> String {
    if name == "Query" {
        "Client".to_owned()
    } else {
        exported(name)
    }
}

/// Name of an enum's value without that of the enum.
pub(super) fn member(name: &str) -> String {
    names::pascal(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_as_go_programs_do() {
        for (from, to) in [
            ("withExec", "WithExec"),
            ("id", "ID"),
            ("httpAuthToken", "HTTPAuthToken"),
            ("asJSON", "AsJSON"),
            ("JSONValue", "JSONValue"),
            ("url", "URL"),
            ("uid", "UID"),
            ("loadContainerFromID", "LoadContainerFromID"),
            ("experimentalSkipHealthcheck", "ExperimentalSkipHealthcheck"),
            ("sshAuthSocket", "SSHAuthSocket"),
            ("commitSHA", "CommitSHA"),
            ("withGPUs", "WithGPUs"),
        ] {
            assert_eq!(exported(from), to, "{from}");
        }
        assert_eq!(parameter("type"), "type_");
        assert_eq!(parameter("source"), "source");
    }
}
