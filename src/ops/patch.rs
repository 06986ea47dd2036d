//! Patches as text: written in git's format, read in git's and the unified one, applied to contents. Pure.

use diffy::{
    DiffOptions, Line, Patch,
    patch_set::{FileMode, FileOperation, FilePatch, ParseOptions, PatchKind, PatchSet},
};
use flate2::{Compression, write::ZlibEncoder};
use std::io::Write as _;

/// A file as patches know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Content {
    /// Its bytes, or what a link says.
    pub(super) bytes: Vec<u8>,
    /// Whether it is a link.
    pub(super) link: bool,
    /// Whether it may be executed.
    pub(super) executable: bool,
}

impl Content {
    fn mode(&self) -> &'static str {
        match (self.link, self.executable) {
            (true, _) => "120000",
            (false, true) => "100755",
            (false, false) => "100644",
        }
    }

    fn is_text(&self) -> bool {
        !self.bytes.contains(&0)
    }
}

/// Lines that a change adds and removes.
pub(super) fn line_counts(before: &[u8], after: &[u8]) -> (usize, usize) {
    if before.contains(&0) || after.contains(&0) {
        return (0, 0);
    }
    let patch = diffy::create_patch_bytes(before, after);
    let lines = patch.hunks().iter().flat_map(diffy::Hunk::lines);
    lines.fold((0, 0), |(added, removed), line| match line {
        Line::Insert(_) => (added + 1, removed),
        Line::Delete(_) => (added, removed + 1),
        Line::Context(_) => (added, removed),
    })
}

/// Writes down the change of one file, in git's format; nothing if nothing changed.
pub(super) fn write(
    path: &str,
    before: Option<&Content>,
    after: Option<&Content>,
    out: &mut Vec<u8>,
) {
    if before == after {
        return;
    }
    // A link becomes a file by going and coming.
    if let (Some(old), Some(new)) = (before, after)
        && old.link != new.link
    {
        write(path, before, None, out);
        return write(path, None, after, out);
    }
    let mut head = format!("diff --git a/{path} b/{path}\n");
    match (before, after) {
        (None, Some(new)) => head += &format!("new file mode {}\n", new.mode()),
        (Some(old), None) => head += &format!("deleted file mode {}\n", old.mode()),
        (Some(old), Some(new)) if old.mode() != new.mode() => {
            head += &format!("old mode {}\nnew mode {}\n", old.mode(), new.mode());
        }
        _ => {}
    }
    out.extend_from_slice(head.as_bytes());
    let bytes = |side: Option<&Content>| side.map_or_else(Vec::new, |c| c.bytes.clone());
    let (old, new) = (bytes(before), bytes(after));
    if old == new {
        return;
    }
    if [before, after].into_iter().flatten().all(Content::is_text) {
        let name = |side: Option<&Content>, letter: &str| match side {
            Some(_) => format!("{letter}/{path}"),
            None => "/dev/null".to_owned(),
        };
        let mut options = DiffOptions::new();
        options
            .set_original_filename(name(before, "a"))
            .set_modified_filename(name(after, "b"));
        let patch = options.create_patch_bytes(&old, &new);
        out.extend_from_slice(&patch.to_bytes());
    } else {
        out.extend_from_slice(b"GIT binary patch\n");
        literal(&new, out);
        literal(&old, out);
    }
}

/// One side of a binary patch: compressed, in base 85, at most 52 bytes a line.
fn literal(bytes: &[u8], out: &mut Vec<u8>) {
    const LINE: usize = 52;
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).expect("a vector takes everything");
    let packed = encoder.finish().expect("a vector takes everything");
    out.extend_from_slice(format!("literal {}\n", bytes.len()).as_bytes());
    for line in packed.chunks(LINE) {
        let count = u8::try_from(line.len()).expect("a line is short");
        out.push(match count {
            1..=26 => b'A' + count - 1,
            _ => b'a' + count - 27,
        });
        for word in line.chunks(4) {
            base85(word, out);
        }
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// Four bytes, the missing ones zero, as five characters of git's alphabet.
fn base85(word: &[u8], out: &mut Vec<u8>) {
    const ALPHABET: &[u8; 85] =
        b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz!#$%&()*+-;<=>?@^_`{|}~";
    let mut bytes = [0; 4];
    bytes[..word.len()].copy_from_slice(word);
    let mut value = u32::from_be_bytes(bytes);
    let mut digits = [0; 5];
    for digit in digits.iter_mut().rev() {
        *digit = ALPHABET[(value % 85) as usize];
        value /= 85;
    }
    out.extend_from_slice(&digits);
}

/// What a patch does to one file.
#[derive(Debug)]
pub(super) struct Change<'p> {
    /// The file it starts from, if there is one.
    pub(super) from: Option<String>,
    /// The file it ends in, if there is one.
    pub(super) to: Option<String>,
    /// Whether what it starts from goes.
    pub(super) moves: bool,
    file: FilePatch<'p, [u8]>,
}

/// Reads a patch of any number of files.
pub(super) fn read(text: &[u8]) -> Result<Vec<Change<'_>>, String> {
    let git = text.starts_with(b"diff --git ")
        || text.windows(12).any(|window| window == b"\ndiff --git ");
    let options = match git {
        true => ParseOptions::gitdiff(),
        false => ParseOptions::unidiff(),
    };
    let mut changes = Vec::new();
    for file in PatchSet::parse_bytes(text, options) {
        let file = file.map_err(|error| error.to_string())?;
        changes.push(change(file)?);
    }
    Ok(changes)
}

fn change(file: FilePatch<'_, [u8]>) -> Result<Change<'_>, String> {
    let name = |path: &[u8]| {
        let text = std::str::from_utf8(path).map_err(|_| "a path is no text".to_owned())?;
        // What a tab separates from the name is a time.
        let text = text.split('\t').next().unwrap_or_default();
        Ok::<_, String>(text.to_owned())
    };
    let prefixed = |path: &[u8]| {
        let path = name(path)?;
        let bare = path.strip_prefix("a/").or(path.strip_prefix("b/"));
        Ok::<_, String>(bare.map_or(path.clone(), str::to_owned))
    };
    let (from, to, moves) = match file.operation() {
        FileOperation::Delete(path) => (Some(prefixed(path)?), None, true),
        FileOperation::Create(path) => (None, Some(prefixed(path)?), false),
        FileOperation::Modify { original, modified } => {
            let (from, to) = (prefixed(original)?, prefixed(modified)?);
            // `x.orig` and `x`: the new name is meant.
            let from = if from == to { from } else { to.clone() };
            (Some(from), Some(to), false)
        }
        FileOperation::Rename { from, to } => (Some(name(from)?), Some(name(to)?), true),
        FileOperation::Copy { from, to } => (Some(name(from)?), Some(name(to)?), false),
    };
    Ok(Change {
        from,
        to,
        moves,
        file,
    })
}

impl Change<'_> {
    /// What becomes of the file's bytes. Where hunks do not fit, it is an error, or with `mark`
    /// both sides are left between conflict markers.
    pub(super) fn apply(&self, before: Option<&Content>, mark: bool) -> Result<Content, String> {
        let old = before.map_or(&[][..], |content| &content.bytes);
        let bytes = match self.file.patch() {
            PatchKind::Text(patch) => match diffy::apply_bytes(old, patch) {
                Ok(bytes) => bytes,
                Err(_) if mark => marked(old, patch),
                Err(error) => return Err(error.to_string()),
            },
            PatchKind::Binary(patch) => patch.apply(old).map_err(|error| error.to_string())?,
        };
        let was = |is: fn(&Content) -> bool| before.is_some_and(is);
        let (link, executable) = match self.file.new_mode() {
            Some(FileMode::Symlink) => (true, false),
            Some(FileMode::Executable) => (false, true),
            Some(FileMode::Regular | FileMode::Gitlink) => (false, false),
            None => (was(|c| c.link), was(|c| c.executable)),
        };
        Ok(Content {
            bytes,
            link,
            executable,
        })
    }
}

/// Applies the hunks that fit; the others are left beside what is there, between markers.
fn marked(old: &[u8], patch: &Patch<'_, [u8]>) -> Vec<u8> {
    let mut text = old.to_vec();
    let mut shift: isize = 0;
    for hunk in patch.hunks() {
        let mut single = format!(
            "--- a\n+++ b\n@@ -{},{} +{},{} @@\n",
            hunk.old_range().start(),
            hunk.old_range().len(),
            hunk.new_range().start(),
            hunk.new_range().len()
        )
        .into_bytes();
        let mut new = Vec::new();
        for line in hunk.lines() {
            let (sign, line) = match line {
                Line::Context(line) => (b' ', *line),
                Line::Delete(line) => (b'-', *line),
                Line::Insert(line) => (b'+', *line),
            };
            single.push(sign);
            single.extend_from_slice(line);
            if !line.ends_with(b"\n") {
                single.extend_from_slice(b"\n\\ No newline at end of file\n");
            }
            if sign != b'-' {
                new.extend_from_slice(line);
            }
        }
        let fits = Patch::from_bytes(&single)
            .ok()
            .and_then(|patch| diffy::apply_bytes(&text, &patch).ok());
        match fits {
            Some(done) => text = done,
            None => {
                let start = hunk.old_range().start().saturating_sub(1);
                let at = start.saturating_add_signed(shift);
                text = conflict(&text, at, hunk.old_range().len(), &new);
            }
        }
        let length = |range: usize| isize::try_from(range).unwrap_or(0);
        shift += length(hunk.new_range().len()) - length(hunk.old_range().len());
    }
    text
}

/// The text with `count` lines from line `at` on beside the new ones.
fn conflict(text: &[u8], at: usize, count: usize, new: &[u8]) -> Vec<u8> {
    let lines: Vec<&[u8]> = text.split_inclusive(|&byte| byte == b'\n').collect();
    let (start, end) = (at.min(lines.len()), (at + count).min(lines.len()));
    let mut out = lines[..start].concat();
    let mut part = |marker: &[u8], lines: &[u8]| {
        out.extend_from_slice(marker);
        out.extend_from_slice(lines);
        if !lines.is_empty() && !lines.ends_with(b"\n") {
            out.push(b'\n');
        }
    };
    part(b"<<<<<<< ours\n", &lines[start..end].concat());
    part(b"=======\n", new);
    part(b">>>>>>> theirs\n", b"");
    out.extend_from_slice(&lines[end..].concat());
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(bytes: &[u8]) -> Content {
        Content {
            bytes: bytes.to_vec(),
            link: false,
            executable: false,
        }
    }

    #[test]
    fn what_is_written_is_read_and_applied() {
        let executable = Content {
            executable: true,
            ..content(b"x\n")
        };
        let link = Content {
            link: true,
            ..content(b"to/there")
        };
        for (before, after) in [
            (None, Some(content(b"a\nb\n"))),
            (Some(content(b"a\nb\n")), None),
            (Some(content(b"a\nb\nc\n")), Some(content(b"a\nB\nc"))),
            (Some(content(b"x\n")), Some(executable)),
            (None, Some(link)),
            (None, Some(content(b""))),
            (Some(content(b"a\n")), Some(content(&[0, 1, 2, 255, 0]))),
            (None, Some(content(&[0; 300]))),
        ] {
            let mut text = Vec::new();
            write("d/f", before.as_ref(), after.as_ref(), &mut text);
            let changes = read(&text).unwrap();
            let [change] = &changes[..] else {
                panic!("{}", String::from_utf8_lossy(&text));
            };
            assert_eq!(change.to.as_deref(), after.as_ref().map(|_| "d/f"));
            if let Some(after) = after {
                let got = change.apply(before.as_ref(), false);
                assert_eq!(got, Ok(after), "{}", String::from_utf8_lossy(&text));
            }
        }
    }

    #[test]
    fn hunks_that_do_not_fit_are_an_error_or_marked() {
        let text = "--- a/f\n+++ b/f\n@@ -1,3 +1,3 @@\n a\n-b\n+B\n c\n";
        let changes = read(text.as_bytes()).unwrap();
        let other = content(b"a\nx\nc\nd\n");
        assert!(changes[0].apply(Some(&other), false).is_err());
        let marked = changes[0].apply(Some(&other), true).unwrap();
        assert_eq!(
            String::from_utf8(marked.bytes).unwrap(),
            "<<<<<<< ours\na\nx\nc\n=======\na\nB\nc\n>>>>>>> theirs\nd\n"
        );
    }

    #[test]
    fn lines_are_counted() {
        assert_eq!(line_counts(b"a\nb\n", b"a\nc\nd\n"), (2, 1));
        assert_eq!(line_counts(b"", b"a\n"), (1, 0));
        assert_eq!(line_counts(b"\0", b"a\n"), (0, 0));
    }
}
