//! Include and exclude patterns over paths relative to a source directory, as in a `.dockerignore`.
//!
//! `*` and `?` stop at `/`, `**` does not, `[a-z]` and `[^a-z]` are classes and `\` takes away a character's meaning.
//! A pattern that matches a directory matches all below it. Within a list a later pattern overrules an earlier one and one
//! with `!` in front takes back what earlier ones matched. A path is wanted if the include list matches it (or is empty)
//! and the exclude list does not. Pure text: nothing here looks at a disk.

use std::path::Path;

use crate::error::{Error, Result};

/// Which paths of a directory are wanted.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    include: Vec<Pattern>,
    exclude: Vec<Pattern>,
    gitignore: bool,
}

/// What a [`Filter`] says of one path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is wanted.
    Include,
    /// It is not wanted, and if it is a directory nothing below it is.
    Exclude,
    /// The directory is not wanted for itself, but something below it may be.
    Traverse,
}

impl Filter {
    /// The filter of an include and an exclude list. An empty include list includes everything.
    ///
    /// # Errors
    /// [`Error::InvalidPattern`] for one that is empty, leaves the directory by `..` or has an open `[`.
    pub fn new(include: &[String], exclude: &[String]) -> Result<Self> {
        let parse = |list: &[String]| -> Result<Vec<Pattern>> {
            list.iter().map(|text| Pattern::parse(text)).collect()
        };
        Ok(Self {
            include: parse(include)?,
            exclude: parse(exclude)?,
            gitignore: false,
        })
    }

    /// The same filter that also honours the `.gitignore` files found on the way, if `yes`.
    #[must_use]
    pub fn with_gitignore(mut self, yes: bool) -> Self {
        self.gitignore = yes;
        self
    }

    /// Whether `.gitignore` files are honoured.
    #[must_use]
    pub fn honours_gitignore(&self) -> bool {
        self.gitignore
    }

    /// Whether every path is wanted without looking at it.
    #[must_use]
    pub fn takes_all(&self) -> bool {
        self.include.is_empty() && self.exclude.is_empty()
    }

    /// Decides on `path`, which is relative to the source directory. `.gitignore` files are not this function's concern.
    #[must_use]
    pub fn check(&self, path: &Path, is_dir: bool) -> Verdict {
        if self.takes_all() {
            return Verdict::Include;
        }
        let text = path.to_string_lossy();
        let included = Judgement::of(&self.include, &text, self.include.is_empty());
        let excluded = Judgement::of(&self.exclude, &text, false);
        if included.matched && !excluded.matched {
            return Verdict::Include;
        }
        let below = (included.matched || included.matches_below)
            && (!excluded.matched || excluded.unmatches_below);
        if is_dir && below {
            Verdict::Traverse
        } else {
            Verdict::Exclude
        }
    }

    /// Differs where filters differ; for naming what depends on one.
    #[must_use]
    pub fn fingerprint(&self) -> blake3::Hash {
        let mut hasher = blake3::Hasher::new();
        for (mark, list) in [(b"+", &self.include), (b"-", &self.exclude)] {
            for pattern in list {
                hasher
                    .update(mark)
                    .update(if pattern.negated { b"!" } else { b"=" });
                hasher.update(pattern.text.as_bytes()).update(&[0]);
            }
        }
        hasher.update(&[u8::from(self.gitignore)]);
        hasher.finalize()
    }
}

/// What one list says of one path.
struct Judgement {
    matched: bool,
    /// A pattern without `!` may match something below.
    matches_below: bool,
    /// A pattern with `!` may match something below.
    unmatches_below: bool,
}

impl Judgement {
    fn of(list: &[Pattern], path: &str, otherwise: bool) -> Self {
        let mut found = Self {
            matched: otherwise,
            matches_below: false,
            unmatches_below: false,
        };
        for pattern in list {
            let reach = pattern.reach(path);
            if reach.matched {
                found.matched = !pattern.negated;
            }
            if reach.below {
                *(if pattern.negated {
                    &mut found.unmatches_below
                } else {
                    &mut found.matches_below
                }) = true;
            }
        }
        found
    }
}

/// How a pattern relates to a path.
struct Reach {
    /// It matches the path or a directory the path is in.
    matched: bool,
    /// It may match something below the path.
    below: bool,
}

#[derive(Debug, Clone)]
struct Pattern {
    /// Cleaned, without the `!`.
    text: String,
    negated: bool,
    shape: Shape,
}

#[derive(Debug, Clone)]
enum Shape {
    /// `.` or `**`.
    Everything,
    /// `a/b`: nothing special in it. The usual case, worth a shortcut.
    Literal,
    /// `**/a`: one plain name at any depth; holds where the name starts.
    NameAnywhere(usize),
    General(Vec<Token>),
}

/// A state of the automaton a pattern is; the state after the last one accepts.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Char(char),
    /// `?`
    Any,
    /// `*`
    Star,
    /// `**` at the end or inside a name.
    Deep,
    /// `**/`, first half: may be skipped together with the second.
    DeepStart,
    /// `**/`, second half: takes anything up to some `/`.
    DeepInside,
    Class {
        negated: bool,
        ranges: Vec<(char, char)>,
    },
}

/// More than a path can have characters.
const MOST_TOKENS: usize = 4095;

impl Pattern {
    fn parse(given: &str) -> Result<Self> {
        let invalid = |reason: &str| Error::InvalidPattern {
            pattern: given.to_owned(),
            reason: reason.to_owned(),
        };
        let trimmed = given.trim();
        let (negated, rest) = match trimmed.strip_prefix('!') {
            Some(rest) => (true, rest.trim_start()),
            None => (false, trimmed),
        };
        if rest.is_empty() {
            return Err(invalid("is empty"));
        }
        let text = clean(rest).ok_or_else(|| invalid("leaves the directory by `..`"))?;
        let shape = Shape::parse(&text).map_err(invalid)?;
        Ok(Self {
            text,
            negated,
            shape,
        })
    }

    fn reach(&self, path: &str) -> Reach {
        match &self.shape {
            Shape::Everything => Reach {
                matched: true,
                below: true,
            },
            Shape::Literal => Reach {
                matched: is_at_or_below(path, &self.text),
                below: path.is_empty() || is_at_or_below(&self.text, path),
            },
            Shape::NameAnywhere(start) => {
                let name = &self.text[*start..];
                Reach {
                    matched: path.split('/').any(|part| part == name),
                    below: true,
                }
            }
            Shape::General(tokens) => run(tokens, path),
        }
    }
}

fn is_at_or_below(path: &str, directory: &str) -> bool {
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Removes `.`, empty parts and what `..` takes back; nothing if `..` leads outside.
fn clean(text: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in text.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

impl Shape {
    fn parse(text: &str) -> Result<Self, &'static str> {
        const SPECIAL: [char; 4] = ['*', '?', '[', '\\'];
        if text.is_empty() || text == "**" {
            return Ok(Self::Everything);
        }
        if !text.contains(SPECIAL) {
            return Ok(Self::Literal);
        }
        match text.strip_prefix("**/") {
            Some(name) if !name.contains(SPECIAL) && !name.contains('/') => {
                Ok(Self::NameAnywhere("**/".len()))
            }
            _ => tokens(text).map(Self::General),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, &'static str> {
    let mut tokens = Vec::new();
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '*' if chars.peek() == Some(&'*') => {
                while chars.peek() == Some(&'*') {
                    chars.next();
                }
                let starts_name = matches!(
                    tokens.last(),
                    None | Some(Token::Char('/') | Token::DeepInside)
                );
                if starts_name && chars.next_if_eq(&'/').is_some() {
                    tokens.extend([Token::DeepStart, Token::DeepInside]);
                } else {
                    tokens.push(Token::Deep);
                }
            }
            '*' => tokens.push(Token::Star),
            '?' => tokens.push(Token::Any),
            '[' => tokens.push(class(&mut chars)?),
            '\\' => tokens.push(Token::Char(chars.next().ok_or("ends in `\\`")?)),
            plain => tokens.push(Token::Char(plain)),
        }
    }
    if tokens.len() > MOST_TOKENS {
        Err("is longer than any path")
    } else {
        Ok(tokens)
    }
}

/// Reads a class whose `[` was read.
fn class(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<Token, &'static str> {
    const OPEN: &str = "has a `[` without a `]`";
    let negated = chars.next_if(|&char| char == '^' || char == '!').is_some();
    let mut ranges = Vec::new();
    let member = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| match chars.next() {
        Some('\\') => chars.next().ok_or(OPEN),
        Some(char) => Ok(char),
        None => Err(OPEN),
    };
    loop {
        // As the first member, `]` is itself.
        if !ranges.is_empty() && chars.next_if_eq(&']').is_some() {
            return Ok(Token::Class { negated, ranges });
        }
        let low = member(chars)?;
        let mut high = low;
        if chars.peek() == Some(&'-') {
            let mut ahead = chars.clone();
            ahead.next();
            // A `-` before the end is itself.
            if ahead.peek().is_some_and(|&char| char != ']') {
                chars.next();
                high = member(chars)?;
            }
        }
        if low > high {
            return Err("has a range that runs backwards");
        }
        ranges.push((low, high));
    }
}

/// The active states of an automaton.
struct States {
    bits: [u64; MOST_TOKENS / 64 + 1],
    words: usize,
}

impl States {
    fn none(count: usize) -> Self {
        Self {
            bits: [0; MOST_TOKENS / 64 + 1],
            words: count / 64 + 1,
        }
    }

    fn has(&self, state: usize) -> bool {
        self.bits[state / 64] & (1 << (state % 64)) != 0
    }

    fn is_empty(&self) -> bool {
        self.bits[..self.words].iter().all(|word| *word == 0)
    }

    /// Makes `state` active, and those reached from it without taking a character.
    fn enter(&mut self, tokens: &[Token], mut state: usize) {
        loop {
            self.bits[state / 64] |= 1 << (state % 64);
            match tokens.get(state) {
                Some(Token::Star | Token::Deep) => state += 1,
                Some(Token::DeepStart) => {
                    let inside = state + 1;
                    self.bits[inside / 64] |= 1 << (inside % 64);
                    state += 2;
                }
                _ => return,
            }
        }
    }

    /// The states after taking `char`.
    fn step(&self, tokens: &[Token], char: char) -> Self {
        let mut next = Self {
            bits: [0; MOST_TOKENS / 64 + 1],
            words: self.words,
        };
        for word in 0..self.words {
            let mut bits = self.bits[word];
            while bits != 0 {
                let state = word * 64 + bits.trailing_zeros() as usize;
                bits &= bits - 1;
                let Some(token) = tokens.get(state) else {
                    continue;
                };
                match token {
                    Token::Char(wanted) if *wanted == char => next.enter(tokens, state + 1),
                    Token::Any if char != '/' => next.enter(tokens, state + 1),
                    Token::Star if char != '/' => next.enter(tokens, state),
                    Token::Deep => next.enter(tokens, state),
                    Token::DeepInside => {
                        next.enter(tokens, state);
                        if char == '/' {
                            next.enter(tokens, state + 1);
                        }
                    }
                    Token::Class { negated, ranges } if char != '/' => {
                        let inside = ranges
                            .iter()
                            .any(|(low, high)| (*low..=*high).contains(&char));
                        if inside != *negated {
                            next.enter(tokens, state + 1);
                        }
                    }
                    _ => {}
                }
            }
        }
        next
    }
}

/// Feeds the path to the automaton. Accepting at the end of a name means that this directory, so all below it, matches.
fn run(tokens: &[Token], path: &str) -> Reach {
    let accept = tokens.len();
    let mut states = States::none(accept);
    states.enter(tokens, 0);
    for char in path.chars() {
        if char == '/' && states.has(accept) {
            return Reach {
                matched: true,
                below: true,
            };
        }
        states = states.step(tokens, char);
        if states.is_empty() {
            return Reach {
                matched: false,
                below: false,
            };
        }
    }
    let matched = !path.is_empty() && states.has(accept);
    let below = matched || path.is_empty() || !states.step(tokens, '/').is_empty();
    Reach { matched, below }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(include: &[&str], exclude: &[&str]) -> Filter {
        let own = |list: &[&str]| list.iter().map(|&text| text.to_owned()).collect::<Vec<_>>();
        Filter::new(&own(include), &own(exclude)).unwrap()
    }

    #[test]
    fn exclude_patterns_match_as_documented() {
        // pattern, path, whether it is excluded
        let table = [
            (".git", ".git", true),
            (".git", ".git/config", true),
            (".git", "sub/.git", false),
            (".git", ".gitignore", false),
            ("node_modules", "node_modules/a/b", true),
            ("**/node_modules", "node_modules", true),
            ("**/node_modules", "web/node_modules/x", true),
            ("**/node_modules", "web/my_node_modules", false),
            ("node_modules/", "node_modules", true),
            ("dir/", "dir/file", true),
            ("./dir", "dir", true),
            ("/dir", "dir", true),
            ("/dir", "sub/dir", false),
            ("a/../b", "b", true),
            ("*", "a", true),
            ("*", "a/b", true),
            ("**", "a/b", true),
            (".", "a/b", true),
            ("*.go", "main.go", true),
            ("*.go", "cmd/main.go", false),
            ("**/*.go", "main.go", true),
            ("**/*.go", "a/b/main.go", true),
            ("**/*.go", "a/b/main.got", false),
            ("**.go", "a/b.go", true),
            ("*/*.go", "a/b.go", true),
            ("*/*.go", "a/b/c.go", false),
            ("dir/**", "dir", false),
            ("dir/**", "dir/a/b", true),
            ("dir/**/x", "dir/x", true),
            ("dir/**/x", "dir/a/b/x", true),
            ("dir/**/x", "dirx", false),
            ("a?c", "abc", true),
            ("a?c", "a/c", false),
            ("a?c", "aéc", true),
            ("a[b-d]e", "ace", true),
            ("a[b-d]e", "aee", false),
            ("a[^b-d]e", "aee", true),
            ("a[!b-d]e", "ace", false),
            ("a[^b]c", "a/c", false),
            ("a[]]c", "a]c", true),
            ("a[b-]c", "a-c", true),
            (r"\*", "*", true),
            (r"\*", "a", false),
            ("  trailing  ", "trailing", true),
            ("a b", "a b", true),
            ("a.c", "abc", false),
            ("**/a/**/b", "x/a/y/z/b", true),
            ("**/**/b", "b", true),
            ("foo*bar*", "fooxbarx", true),
            ("*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaac", false),
        ];
        for (pattern, path, excluded) in table {
            let verdict = filter(&[], &[pattern]).check(Path::new(path), false);
            assert_eq!(verdict == Verdict::Exclude, excluded, "{pattern} on {path}");
        }
    }

    #[test]
    fn lists_combine_as_documented() {
        use Verdict::{Exclude, Include, Traverse};
        type Case<'a> = (&'a [&'a str], &'a [&'a str], &'a str, bool, Verdict);
        let table: &[Case<'_>] = &[
            (&[], &[], "a", false, Include),
            // A kept file below an excluded directory makes the walk go on.
            (&[], &["dir", "!dir/keep"], "dir", true, Traverse),
            (&[], &["dir", "!dir/keep"], "dir/keep", false, Include),
            (&[], &["dir", "!dir/keep"], "dir/other", false, Exclude),
            (&[], &["dir", "!dir/keep"], "dir/sub", true, Exclude),
            (&[], &["dir", "!dir/a/keep"], "dir/a", true, Traverse),
            (&[], &["dir", "!other/keep"], "dir", true, Exclude),
            (&[], &["**/x", "!**/keep"], "x", true, Traverse),
            // The last word counts.
            (&[], &["!keep", "*"], "keep", false, Exclude),
            (&[], &["*", "!keep"], "keep", false, Include),
            (&[], &["*", "!keep", "keep"], "keep", false, Exclude),
            (&[], &["*", "!dir"], "dir/a/b", false, Include),
            // Includes.
            (&["src"], &[], "src", true, Include),
            (&["src"], &[], "src/a/b", false, Include),
            (&["src"], &[], "lib", true, Exclude),
            (&["src/a"], &[], "src", true, Traverse),
            (&["src/a"], &[], "src/b", true, Exclude),
            (&["src/a"], &[], "sr", true, Exclude),
            (&["**/*.go"], &[], "a/b", true, Traverse),
            (&["**/*.go"], &[], "a/b", false, Exclude),
            (&["**/*.go"], &[], "a/b.go", false, Include),
            (&["*.go"], &[], "a", true, Exclude),
            (&["*/a/*.go"], &[], "x", true, Traverse),
            (&["*/a/*.go"], &[], "x/b", true, Exclude),
            (&["**"], &[], "a/b", false, Include),
            (&["src", "!src/gen"], &[], "src/gen/x", false, Exclude),
            (
                &["src", "!src/gen", "src/gen/keep"],
                &[],
                "src/gen",
                true,
                Traverse,
            ),
            (&["!src"], &[], "lib", false, Exclude),
            // Include first, then exclude.
            (&["src"], &["**/*_test.go"], "src/a_test.go", false, Exclude),
            (&["src"], &["**/*_test.go"], "src/a.go", false, Include),
            (&["src"], &["src"], "src/a.go", false, Exclude),
            (&["src/a"], &["src"], "src", true, Exclude),
            (&["src/a"], &["src", "!src/a"], "src", true, Traverse),
            (&["src/a"], &["src", "!src/a"], "src/a", false, Include),
            (&["lib"], &["src", "!src/a"], "src", true, Exclude),
        ];
        for (include, exclude, path, is_dir, verdict) in table {
            let found = filter(include, exclude).check(Path::new(path), *is_dir);
            assert_eq!(found, *verdict, "{include:?} {exclude:?} on {path}");
        }
    }

    #[test]
    fn patterns_that_cannot_be_meant_are_refused() {
        let long = "?".repeat(5000);
        for bad in [
            "",
            "  ",
            "!",
            "! ",
            "..",
            "../a",
            "a/../../b",
            "!..",
            "[",
            "a[b",
            "[z-a]",
            "a\\",
            &long,
        ] {
            let error = Filter::new(&[bad.to_owned()], &[]).unwrap_err();
            assert!(matches!(error, Error::InvalidPattern { .. }), "{bad}");
        }
    }

    #[test]
    fn fingerprint_tells_filters_apart() {
        let all = [
            filter(&[], &[]),
            filter(&["a"], &[]),
            filter(&[], &["a"]),
            filter(&["!a"], &[]),
            filter(&["a", "b"], &[]),
            filter(&["b", "a"], &[]),
            filter(&["ab"], &[]),
            filter(&[], &[]).with_gitignore(true),
        ];
        let prints: std::collections::HashSet<_> = all
            .iter()
            .map(|filter| filter.fingerprint().to_hex())
            .collect();
        assert_eq!(prints.len(), all.len());
    }

    /// A directory that is cut off must hold nothing that is wanted.
    #[test]
    fn no_wanted_path_is_below_an_excluded_directory_whatever_the_patterns() {
        let alphabet = [
            "a", "b", "*", "?", "**", "/", "!", "[", "]", "-", "^", "\\", ".", "..", " ", "é",
        ];
        let mut seed = 0x2545_f491_4f6c_dd1d_u64;
        let mut random = |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            usize::try_from(seed % below as u64).expect("it is below a usize")
        };
        let text = |random: &mut dyn FnMut(usize) -> usize| -> String {
            (0..random(9))
                .map(|_| alphabet[random(alphabet.len())])
                .collect()
        };
        let names = ["a", "b", "ab", ".", "é"];
        let (mut usable, mut cut) = (0, 0);
        for _ in 0..40_000 {
            let include: Vec<String> = (0..random(3)).map(|_| text(&mut random)).collect();
            let exclude: Vec<String> = (0..random(3)).map(|_| text(&mut random)).collect();
            let Ok(filter) = Filter::new(&include, &exclude) else {
                continue;
            };
            usable += 1;
            let parts: Vec<&str> = (0..=random(4))
                .map(|_| names[random(names.len())])
                .collect();
            if filter.check(Path::new(&parts.join("/")), false) != Verdict::Include {
                continue;
            }
            for end in 1..parts.len() {
                let verdict = filter.check(Path::new(&parts[..end].join("/")), true);
                cut += 1;
                assert_ne!(
                    verdict,
                    Verdict::Exclude,
                    "{include:?} {exclude:?} {parts:?} at {end}"
                );
            }
        }
        assert!(
            usable > 5000 && cut > 2000,
            "the generator still makes usable patterns: {usable} {cut}"
        );
    }
}
