//! Reads a secret's address: which provider, and what it is asked for. Pure.

use std::borrow::Cow;

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// Who has it: `env`, `vault`, ….
    pub(super) provider: &'a str,
    /// What is asked for: the rest of the address without options.
    pub(super) name: &'a str,
    /// What stands behind `?`, for the providers that have options.
    pub(super) options: Vec<(Cow<'a, str>, Cow<'a, str>)>,
}

/// Providers whose names may hold a `?` themselves.
const WITHOUT_OPTIONS: [&str; 3] = ["env", "file", "cmd"];

impl<'a> Address<'a> {
    /// Reads `env://NAME` and the older `env:NAME`; a bare word names a variable.
    pub(super) fn parse(uri: &'a str) -> Self {
        let (provider, rest) = match uri.split_once("://").or_else(|| uri.split_once(':')) {
            Some((provider, rest)) if is_scheme(provider) => (provider, rest),
            _ => ("env", uri),
        };
        let (name, query) = match rest.split_once('?') {
            Some((name, query)) if !WITHOUT_OPTIONS.contains(&provider) => (name, query),
            _ => (rest, ""),
        };
        let pairs = query.split('&').filter(|pair| !pair.is_empty());
        let options = pairs.map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(key), unescape(value))
        });
        Self {
            provider,
            name,
            options: options.collect(),
        }
    }
}

/// Whether a text may be a scheme: a letter, then letters, digits, `+`, `-` and `.`.
fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Replaces `%41` by `A` and `+` by a space; what is no escape stays as it is.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let digits = bytes.get(at + 1..at + 3);
        let digits = digits.and_then(|digits| std::str::from_utf8(digits).ok());
        let escaped = digits
            .filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (bytes[at], escaped) {
            (b'%', Some(byte)) => {
                out.push(byte);
                at += 2;
            }
            (b'+', _) => out.push(b' '),
            (byte, _) => out.push(byte),
        }
        at += 1;
    }
    Cow::Owned(String::from_utf8_lossy(&out).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_read() {
        for (uri, provider, name, options) in [
            ("env://TOKEN", "env", "TOKEN", &[][..]),
            ("env:TOKEN", "env", "TOKEN", &[]),
            ("TOKEN", "env", "TOKEN", &[]),
            ("not a scheme:x", "env", "not a scheme:x", &[]),
            ("file:///a?b", "file", "/a?b", &[]),
            ("cmd://echo a://b?c=d", "cmd", "echo a://b?c=d", &[]),
            ("op://vault/item/field", "op", "vault/item/field", &[]),
            ("vault://a/b.c?ttl=1h", "vault", "a/b.c", &[("ttl", "1h")]),
            ("aws+sm://a?b=c", "aws+sm", "a", &[("b", "c")]),
            (
                "libsecret://login?a=%20b%2&x+y=&z",
                "libsecret",
                "login",
                &[("a", " b%2"), ("x y", ""), ("z", "")],
            ),
            ("", "env", "", &[]),
            ("://x", "env", "://x", &[]),
        ] {
            let read = Address::parse(uri);
            let found: Vec<(&str, &str)> = read
                .options
                .iter()
                .map(|(key, value)| (&**key, &**value))
                .collect();
            assert_eq!(
                (read.provider, read.name, &*found),
                (provider, name, options),
                "{uri}"
            );
        }
    }
}
