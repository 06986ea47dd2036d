//! Searching the lines of files, with ripgrep's engine and its meaning of flags.

use super::world::{World, blocking};
use crate::{
    error::{Error, Result},
    graph::{File, Tree},
};
use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use grep_regex::{RegexMatcher, RegexMatcherBuilder};
use grep_searcher::{BinaryDetection, Searcher, SearcherBuilder, Sink, SinkMatch};
use nsci_snapshotter::keeper::FileKind;
use std::io;

/// Most results that a search returns when it is not told.
const MOST: usize = 10_000;

/// What is searched for, and where.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// Regular expression, or a text if `literal`.
    pub pattern: String,
    /// Whether the pattern is a text.
    pub literal: bool,
    /// Whether a match may span lines.
    pub multiline: bool,
    /// Whether `.` matches the end of a line too.
    pub dotall: bool,
    /// Whether case does not count.
    pub insensitive: bool,
    /// Whether names that begin with a dot are left out.
    pub skip_hidden: bool,
    /// Whether only the files are of interest.
    pub files_only: bool,
    /// Most results.
    pub limit: Option<usize>,
    /// Files and directories to search; all if there is none.
    pub paths: Vec<String>,
    /// Patterns of the files to search; `!` in front leaves out.
    pub globs: Vec<String>,
}

/// Lines that match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Path of the file in the directory.
    pub path: String,
    /// Number of the first line, from 1; 0 if only files are of interest.
    pub line: u64,
    /// Bytes before the first line.
    pub offset: u64,
    /// The lines.
    pub text: String,
    /// The matches in them: begin, end, in bytes.
    pub matches: Vec<(usize, usize)>,
}

impl World {
    /// Searches the files below a directory, in the order of their paths.
    ///
    /// # Errors
    /// If the pattern is malformed or the directory cannot be read.
    pub async fn search(&self, tree: &Tree, query: Query) -> Result<Vec<Hit>> {
        let search = Search::new(query)?;
        if tree.snapshot.layers.is_empty() {
            return Ok(Vec::new());
        }
        let layers = self.mountable(&tree.snapshot).await?;
        let live = self.live().await?;
        let base = tree.path.clone();
        blocking(move || {
            let keeper = &live.keeper;
            let entries = keeper
                .walk(&layers, &base)
                .map_err(super::files::keeper_error)?;
            let files = entries
                .into_iter()
                .filter(|entry| entry.kind == FileKind::File);
            let mut names: Vec<String> = files
                .map(|entry| entry.name)
                .filter(|name| search.wants(name))
                .collect();
            names.sort_unstable();
            let mut hits = Vec::new();
            for name in names {
                let path = format!("{}/{name}", base.trim_end_matches('/'));
                let (_, fd) = keeper
                    .open_file(&layers, &path)
                    .map_err(super::files::keeper_error)?;
                search.file(&name, std::fs::File::from(fd), &mut hits)?;
                if hits.len() >= search.most() {
                    break;
                }
            }
            Ok(hits)
        })
        .await
    }

    /// Searches one file, whose name is all of its path.
    ///
    /// # Errors
    /// If the pattern is malformed or the file cannot be read.
    pub async fn search_file(&self, file: &File, query: Query) -> Result<Vec<Hit>> {
        let search = Search::new(query)?;
        let layers = self.mountable(&file.snapshot).await?;
        let live = self.live().await?;
        let (path, name) = (file.path.clone(), file.name().to_owned());
        blocking(move || {
            let opened = live.keeper.open_file(&layers, &path);
            let (_, fd) = opened.map_err(super::files::keeper_error)?;
            let mut hits = Vec::new();
            search.file(&name, std::fs::File::from(fd), &mut hits)?;
            Ok(hits)
        })
        .await
    }
}

/// A query that was understood.
struct Search {
    query: Query,
    matcher: RegexMatcher,
    include: Option<GlobSet>,
    exclude: GlobSet,
}

impl Search {
    fn new(query: Query) -> Result<Self> {
        let mut builder = RegexMatcherBuilder::new();
        builder
            .case_insensitive(query.insensitive)
            .multi_line(true)
            .dot_matches_new_line(query.dotall && query.multiline)
            .fixed_strings(query.literal);
        if !query.multiline {
            builder.line_terminator(Some(b'\n'));
        }
        let matcher = builder.build(&query.pattern).map_err(|error| {
            Error::invalid(format!("cannot search for `{}`: {error}", query.pattern))
        })?;
        let (excluded, included): (Vec<&String>, Vec<&String>) =
            query.globs.iter().partition(|glob| glob.starts_with('!'));
        let exclude = globs(excluded.iter().map(|glob| &glob[1..]))?;
        let include = match included.is_empty() {
            true => None,
            false => Some(globs(included.iter().map(|glob| glob.as_str()))?),
        };
        Ok(Self {
            matcher,
            include,
            exclude,
            query,
        })
    }

    fn most(&self) -> usize {
        self.query.limit.unwrap_or(MOST)
    }

    /// Whether a file is searched, by its path.
    fn wants(&self, path: &str) -> bool {
        let query = &self.query;
        let below = |wanted: &String| {
            let wanted = wanted.trim_start_matches("./").trim_matches('/');
            matches!(wanted, "" | ".")
                || path
                    .strip_prefix(wanted)
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        let hidden = || path.split('/').any(|name| name.starts_with('.'));
        (query.paths.is_empty() || query.paths.iter().any(below))
            && !(query.skip_hidden && hidden())
            && self.include.as_ref().is_none_or(|set| set.is_match(path))
            && !self.exclude.is_match(path)
    }

    fn file(&self, path: &str, file: std::fs::File, hits: &mut Vec<Hit>) -> Result<()> {
        let mut searcher = SearcherBuilder::new()
            .binary_detection(BinaryDetection::quit(0))
            .line_number(true)
            .multi_line(self.query.multiline)
            .build();
        let sink = Collect {
            path,
            search: self,
            hits,
        };
        searcher
            .search_file(&self.matcher, &file, sink)
            .map_err(|error| {
                Error::caused(
                    crate::error::Kind::Host,
                    format!("cannot search {path}"),
                    error,
                )
            })
    }
}

/// Globs as ripgrep reads them: without a `/` they match the name alone.
fn globs<'g>(patterns: impl Iterator<Item = &'g str>) -> Result<GlobSet> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let anchored = pattern.trim_start_matches('/');
        let whole = match pattern.contains('/') {
            true => anchored.to_owned(),
            false => format!("**/{anchored}"),
        };
        let glob = GlobBuilder::new(&whole)
            .literal_separator(true)
            .backslash_escape(true)
            .build();
        set.add(glob.map_err(|error| Error::invalid(error.to_string()))?);
    }
    set.build()
        .map_err(|error| Error::invalid(error.to_string()))
}

/// Collects the hits of one file.
struct Collect<'s> {
    path: &'s str,
    search: &'s Search,
    hits: &'s mut Vec<Hit>,
}

impl Sink for Collect<'_> {
    type Error = io::Error;

    fn matched(&mut self, _: &Searcher, found: &SinkMatch<'_>) -> io::Result<bool> {
        let files_only = self.search.query.files_only;
        let mut hit = Hit {
            path: self.path.to_owned(),
            line: 0,
            offset: 0,
            text: String::new(),
            matches: Vec::new(),
        };
        if !files_only {
            let lines = found.bytes();
            hit.line = found.line_number().unwrap_or(0);
            hit.offset = found.absolute_byte_offset();
            hit.text = String::from_utf8_lossy(lines).into_owned();
            hit.matches = matches(&self.search.matcher, lines)?;
        }
        self.hits.push(hit);
        Ok(!files_only && self.hits.len() < self.search.most())
    }
}

/// Where a pattern matches.
fn matches(matcher: &RegexMatcher, lines: &[u8]) -> io::Result<Vec<(usize, usize)>> {
    let mut found = Vec::new();
    grep_matcher::Matcher::find_iter(matcher, lines, |m| {
        found.push((m.start(), m.end()));
        true
    })
    .map_err(|error| io::Error::other(error.to_string()))?;
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Line, offset, text and matches of each hit.
    type Found = (u64, u64, String, Vec<(usize, usize)>);

    fn search(query: Query, text: &str) -> Vec<Found> {
        use std::io::{Seek as _, Write as _};
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        file.rewind().unwrap();
        let mut hits = Vec::new();
        Search::new(query)
            .unwrap()
            .file("f", file, &mut hits)
            .unwrap();
        hits.into_iter()
            .map(|hit| (hit.line, hit.offset, hit.text, hit.matches))
            .collect()
    }

    #[test]
    fn lines_are_found_with_every_match() {
        let query = Query {
            pattern: "a.".into(),
            ..Query::default()
        };
        assert_eq!(
            search(query.clone(), "xx\nab ac\nno\n"),
            [(2, 3, "ab ac\n".into(), vec![(0, 2), (3, 5)])]
        );
        let query = Query {
            multiline: true,
            dotall: true,
            pattern: "b.c".into(),
            ..query
        };
        assert_eq!(
            search(query, "ab\ncd\n"),
            [(1, 0, "ab\ncd\n".into(), vec![(1, 4)])]
        );
    }

    #[test]
    fn files_are_chosen_by_path() {
        for (paths, globs, hidden, path, want) in [
            (&[][..], &[][..], false, "a/b.rs", true),
            (&["a"], &[], false, "a/b.rs", true),
            (&["./a/"], &[], false, "ab/c.rs", false),
            (&[], &["*.rs"], false, "a/b.rs", true),
            (&[], &["/*.rs"], false, "a/b.rs", false),
            (&[], &["!*.rs"], false, "a/b.rs", false),
            (&[], &[], true, ".git/b", false),
        ] {
            let strings = |list: &[&str]| list.iter().map(ToString::to_string).collect();
            let query = Query {
                pattern: "x".into(),
                paths: strings(paths),
                globs: strings(globs),
                skip_hidden: hidden,
                ..Query::default()
            };
            let search = Search::new(query).unwrap();
            assert_eq!(search.wants(path), want, "{paths:?} {globs:?} {path}");
        }
    }
}
