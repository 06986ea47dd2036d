//! Hides secrets in output. Pure.

/// What stands in a secret's place.
const MASK: &[u8] = b"***";

/// Replaces secrets in a stream of bytes, also where a secret is split between two writes.
///
/// Holds back the end of what was written only while it could be the beginning of a secret.
pub(super) struct Scrubber {
    secrets: Vec<Vec<u8>>,
    held: Vec<u8>,
}

impl Scrubber {
    /// A scrubber for these values. Each also counts without white space around it; blank ones
    /// hide nothing.
    pub(super) fn new<'a>(secrets: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut all: Vec<Vec<u8>> = secrets
            .into_iter()
            .flat_map(|secret| [secret.to_vec(), secret.trim_ascii().to_vec()])
            .filter(|secret| !secret.trim_ascii().is_empty())
            .collect();
        // Of two secrets that begin alike the longer one is hidden whole.
        all.sort_by_key(|secret| std::cmp::Reverse(secret.len()));
        all.dedup();
        Self {
            secrets: all,
            held: Vec::new(),
        }
    }

    /// Takes bytes and returns what may be shown now.
    pub(super) fn push(&mut self, bytes: &[u8]) -> Vec<u8> {
        if self.secrets.is_empty() {
            return bytes.to_vec();
        }
        self.held.extend_from_slice(bytes);
        self.release(false)
    }

    /// Returns what was held back.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.release(true)
    }

    fn release(&mut self, end: bool) -> Vec<u8> {
        let held = std::mem::take(&mut self.held);
        let mut out = Vec::with_capacity(held.len());
        let mut at = 0;
        while at < held.len() {
            let rest = &held[at..];
            if !end
                && self
                    .secrets
                    .iter()
                    .any(|s| s.len() > rest.len() && s.starts_with(rest))
            {
                self.held = rest.to_vec();
                break;
            }
            match self.secrets.iter().find(|secret| rest.starts_with(secret)) {
                Some(secret) => {
                    out.extend_from_slice(MASK);
                    at += secret.len();
                }
                None => {
                    out.push(held[at]);
                    at += 1;
                }
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scrub(secrets: &[&str], writes: &[&str]) -> String {
        let mut scrubber = Scrubber::new(secrets.iter().map(|s| s.as_bytes()));
        let mut out: Vec<u8> = writes
            .iter()
            .flat_map(|w| scrubber.push(w.as_bytes()))
            .collect();
        out.extend(scrubber.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn secrets_are_masked_across_writes() {
        for (secrets, writes, want) in [
            (&["abc"][..], &["xabcx"][..], "x***x"),
            (&["abc"], &["xa", "b", "cx"], "x***x"),
            (&["abc"], &["xab"], "xab"),
            (&["aab"], &["aaab"], "a***"),
            (&["abc\n"], &["abc-"], "***-"),
            (&["abc", "abcdef"], &["abcd", "ef abcd"], "*** ***d"),
            (&["", " "], &["a b"], "a b"),
            (&[], &["abc"], "abc"),
        ] {
            assert_eq!(scrub(secrets, writes), want, "{secrets:?} {writes:?}");
        }
    }

    #[test]
    fn ordinary_output_is_not_delayed() {
        let mut scrubber = Scrubber::new([b"secret".as_slice()]);
        assert_eq!(scrubber.push(b"line\n"), b"line\n");
        assert_eq!(scrubber.push(b"se"), b"");
        assert_eq!(scrubber.push(b"lect"), b"select");
    }
}
