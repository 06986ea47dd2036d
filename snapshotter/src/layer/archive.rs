//! Reads tar headers: ustar, GNU and PAX with their extensions for long names, attributes and
//! sparse files. Knows nothing of file systems.
//!
//! Sizes follow one rule everywhere, so that no reader disagrees with another about where the next
//! header is: a PAX `size` overrides the header's, and links, directories, devices and FIFOs have
//! no data whatever their header says.
//!
//! # References
//! - [pax interchange format](https://pubs.opengroup.org/onlinepubs/9799919799/utilities/pax.html)
//! - [GNU sparse formats](https://www.gnu.org/software/tar/manual/html_node/Sparse-Formats.html)

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt as _;

use tar::Header;

use super::stream::{Chunks, cut};
use crate::error::{Error, Result};

const BLOCK: usize = 512;
/// More than any sensible name, attribute set or sparse map.
const MAX_EXTENSION: u64 = 8 << 20;

/// What an entry makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Dir,
    Symlink,
    Hardlink,
    Fifo,
    Char,
    Block,
    /// Vendor extensions, to be passed over.
    Unknown,
}

/// One entry; its data is read from the [`Archive`] that yielded it.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) kind: Kind,
    pub(crate) path: Vec<u8>,
    pub(crate) link: Vec<u8>,
    pub(crate) mode: u32,
    pub(crate) uid: u64,
    pub(crate) gid: u64,
    /// Seconds and nanoseconds.
    pub(crate) mtime: (i64, u32),
    /// Bytes of the file, holes included.
    pub(crate) size: u64,
    /// The parts of the file that have data, as offset and length.
    pub(crate) sparse: Option<Vec<(u64, u64)>>,
    pub(crate) xattrs: Vec<(OsString, Vec<u8>)>,
    pub(crate) device: (u32, u32),
}

/// A stream of entries.
#[derive(Debug)]
pub(crate) struct Archive {
    chunks: Chunks,
    /// Data of the current entry not yet read.
    remaining: u64,
    padding: u64,
    global: Pax,
}

impl Archive {
    pub(crate) fn new(chunks: Chunks) -> Self {
        Self {
            chunks,
            remaining: 0,
            padding: 0,
            global: Pax::default(),
        }
    }

    /// Goes to the next entry, passing over what was not read of the current one.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>> {
        let (mut name, mut link) = (None, None);
        let mut pax: Option<Pax> = None;
        loop {
            self.chunks.skip(self.remaining + self.padding)?;
            (self.remaining, self.padding) = (0, 0);
            let Some(header) = self.header()? else {
                return Ok(None);
            };
            let size = header
                .entry_size()
                .map_err(|error| self.invalid(&error.to_string()))?;
            match header.entry_type().as_byte() {
                b'L' => name = Some(self.text(size)?),
                b'K' => link = Some(self.text(size)?),
                b'x' | b'X' => {
                    let data = self.extension(size)?;
                    pax = Some(Pax::parse(&data).ok_or_else(|| self.invalid("bad PAX header"))?);
                }
                b'g' => {
                    let data = self.extension(size)?;
                    let parsed = Pax::parse(&data).ok_or_else(|| self.invalid("bad PAX header"))?;
                    self.global.0.extend(parsed.0);
                }
                _ => {
                    let pax = pax.unwrap_or_default();
                    return self.entry(&header, size, name, link, &pax).map(Some);
                }
            }
        }
    }

    /// The next bytes of the current entry; empty at its end. Take them with [`consume`](Self::consume).
    pub(crate) fn data(&mut self) -> Result<&[u8]> {
        if self.remaining == 0 {
            return Ok(&[]);
        }
        let remaining = usize::try_from(self.remaining).unwrap_or(usize::MAX);
        let chunk = self.chunks.fill()?;
        if chunk.is_empty() {
            return Err(cut());
        }
        Ok(&chunk[..chunk.len().min(remaining)])
    }

    /// Takes bytes that [`data`](Self::data) has shown.
    pub(crate) fn consume(&mut self, count: usize) {
        self.chunks.consume(count);
        self.remaining -= count as u64;
    }

    /// Reads the rest of the stream and yields its hash.
    pub(crate) fn finish(self) -> Result<Option<String>> {
        self.chunks.finish()
    }

    /// The next header; `None` at the end-of-archive mark or where the stream ends without one.
    fn header(&mut self) -> Result<Option<Header>> {
        let mut header = Header::new_old();
        if !self.chunks.read_exact(header.as_mut_bytes())? {
            return Ok(None);
        }
        if header.as_bytes().iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let bytes = header.as_bytes();
        let sum = |value: &dyn Fn(u8) -> i64| -> i64 {
            let field = 148..156;
            let blank = 8 * i64::from(b' ');
            let bytes = bytes
                .iter()
                .enumerate()
                .filter(|(at, _)| !field.contains(at));
            blank + bytes.map(|(_, &byte)| value(byte)).sum::<i64>()
        };
        let expected = header.cksum().map_or(-1, i64::from);
        // Some historic tars summed signed bytes.
        if expected != sum(&|byte| i64::from(byte))
            && expected != sum(&|byte| i64::from(byte.cast_signed()))
        {
            return Err(self.invalid("header checksum does not match"));
        }
        Ok(Some(header))
    }

    fn entry(
        &mut self,
        header: &Header,
        size: u64,
        name: Option<Vec<u8>>,
        link: Option<Vec<u8>>,
        pax: &Pax,
    ) -> Result<Entry> {
        let old = header.as_old();
        let number = |what: &str, field: &[u8], value: std::io::Result<u64>| match value {
            // Fields left blank mean nothing in particular.
            Err(_) if field.iter().all(|byte| matches!(byte, 0 | b' ')) => Ok(0),
            Err(error) => Err(self.invalid(&format!("bad {what}: {error}"))),
            Ok(value) => Ok(value),
        };
        let get = |key: &str| pax.get(key).or_else(|| self.global.get(key));
        let parse = |key: &str| -> Result<Option<u64>> {
            let Some(value) = get(key) else {
                return Ok(None);
            };
            let value = std::str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok());
            value
                .map(Some)
                .ok_or_else(|| self.invalid(&format!("bad PAX {key}")))
        };
        let path = match get("GNU.sparse.name").or_else(|| get("path")) {
            Some(path) => path.to_vec(),
            None => name.unwrap_or_else(|| header.path_bytes().into_owned()),
        };
        let link = match get("linkpath") {
            Some(link) => link.to_vec(),
            None => link.unwrap_or_else(|| {
                header
                    .link_name_bytes()
                    .map_or_else(Vec::new, std::borrow::Cow::into_owned)
            }),
        };
        let flag = header.entry_type().as_byte();
        let kind = match flag {
            b'0' | 0 if path.ends_with(b"/") => Kind::Dir,
            b'0' | 0 | b'7' | b'S' => Kind::File,
            b'1' => Kind::Hardlink,
            b'2' => Kind::Symlink,
            b'3' => Kind::Char,
            b'4' => Kind::Block,
            b'5' => Kind::Dir,
            b'6' => Kind::Fifo,
            _ => Kind::Unknown,
        };
        let mtime = match get("mtime") {
            Some(text) => parse_time(text).ok_or_else(|| self.invalid("bad PAX mtime"))?,
            None => (i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0), 0),
        };
        let uid = parse("uid")?.map_or_else(|| number("owner", &old.uid, header.uid()), Ok)?;
        let gid = parse("gid")?.map_or_else(|| number("group", &old.gid, header.gid()), Ok)?;
        let mode = number("mode", &old.mode, header.mode().map(u64::from))? & 0o7777;
        let mode = u32::try_from(mode).expect("masked to 12 bits");
        let device = |value: std::io::Result<Option<u32>>| value.ok().flatten().unwrap_or(0);
        let stored = match kind {
            Kind::File | Kind::Unknown => parse("size")?.unwrap_or(size),
            _ => 0,
        };
        let major = parse("GNU.sparse.major")?;
        let real = parse("GNU.sparse.realsize")?.or(parse("GNU.sparse.size")?);
        let map = get("GNU.sparse.map").map(<[u8]>::to_vec);
        let pairs = pax.sparse_pairs();
        if stored > i64::MAX as u64 {
            return Err(self.invalid("size is out of range"));
        }
        self.remaining = stored;
        self.padding = stored.wrapping_neg() % BLOCK as u64;
        let mut entry = Entry {
            kind,
            path,
            link,
            mode,
            uid,
            gid,
            mtime,
            size: stored,
            sparse: None,
            xattrs: pax.xattrs(),
            device: (device(header.device_major()), device(header.device_minor())),
        };
        if kind != Kind::File {
            return Ok(entry);
        }
        entry.sparse = if flag == b'S' {
            Some(self.gnu_sparse(header, &mut entry.size)?)
        } else if let Some(map) = map {
            Some(parse_map(&map, b',').ok_or_else(|| self.invalid("bad sparse map"))?)
        } else if major == Some(1) {
            Some(self.pax_sparse_map()?)
        } else {
            pairs.filter(|pairs| !pairs.is_empty())
        };
        if let Some(sparse) = &entry.sparse {
            entry.size = real.unwrap_or(entry.size);
            self.check_sparse(sparse, entry.size)?;
        }
        Ok(entry)
    }

    /// The map of old GNU sparse files: in the header and in blocks after it.
    fn gnu_sparse(&mut self, header: &Header, size: &mut u64) -> Result<Vec<(u64, u64)>> {
        let gnu = header
            .as_gnu()
            .ok_or_else(|| self.invalid("sparse entry without GNU header"))?;
        *size = gnu
            .real_size()
            .map_err(|error| self.invalid(&error.to_string()))?;
        let mut map = Vec::new();
        let mut add = |parts: &[tar::GnuSparseHeader]| -> std::io::Result<()> {
            for part in parts.iter().filter(|part| !part.is_empty()) {
                map.push((part.offset()?, part.length()?));
            }
            Ok(())
        };
        let mut bad = add(&gnu.sparse).is_err();
        let mut more = gnu.is_extended();
        while more && !bad {
            let mut block = tar::GnuExtSparseHeader::new();
            if !self.chunks.read_exact(block.as_mut_bytes())? {
                return Err(cut());
            }
            bad = add(block.sparse()).is_err();
            more = block.is_extended();
        }
        if bad {
            Err(self.invalid("bad sparse map"))
        } else {
            Ok(map)
        }
    }

    /// The map of PAX sparse 1.0: decimal lines in whole blocks before the data.
    fn pax_sparse_map(&mut self) -> Result<Vec<(u64, u64)>> {
        let mut text = Vec::new();
        let mut wanted: Option<usize> = None;
        loop {
            let lines = text.iter().filter(|&&byte| byte == b'\n').count();
            if lines > 0 && wanted.is_none() {
                let first = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
                let count = std::str::from_utf8(first)
                    .ok()
                    .and_then(|text| text.parse::<usize>().ok());
                wanted = Some(
                    count
                        .filter(|&count| count < 1 << 20)
                        .ok_or_else(|| self.invalid("bad sparse map"))?,
                );
            }
            if wanted.is_some_and(|count| lines > 2 * count) {
                break;
            }
            if self.remaining < BLOCK as u64 || text.len() as u64 > MAX_EXTENSION {
                return Err(self.invalid("bad sparse map"));
            }
            let mut block = [0; BLOCK];
            if !self.chunks.read_exact(&mut block)? {
                return Err(cut());
            }
            self.remaining -= BLOCK as u64;
            text.extend_from_slice(&block);
        }
        let count = wanted.unwrap_or(0);
        let numbers: Vec<&[u8]> = text
            .split(|&byte| byte == b'\n')
            .skip(1)
            .take(2 * count)
            .collect();
        parse_map(&numbers.join(&b'\n'), b'\n').ok_or_else(|| self.invalid("bad sparse map"))
    }

    fn check_sparse(&self, map: &[(u64, u64)], size: u64) -> Result<()> {
        let mut end = 0;
        let mut data = 0_u64;
        for &(offset, length) in map {
            let next = offset
                .checked_add(length)
                .filter(|&next| offset >= end && next <= size);
            end = next.ok_or_else(|| self.invalid("sparse map is out of order"))?;
            data += length;
        }
        if data != self.remaining || size > i64::MAX as u64 {
            return Err(self.invalid("sparse map does not fit the data"));
        }
        Ok(())
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>> {
        if size > MAX_EXTENSION {
            return Err(self.invalid("extended header is too large"));
        }
        let mut data = vec![0; usize::try_from(size).expect("checked to be small")];
        if size > 0 && !self.chunks.read_exact(&mut data)? {
            return Err(cut());
        }
        self.padding = size.wrapping_neg() % BLOCK as u64;
        Ok(data)
    }

    fn text(&mut self, size: u64) -> Result<Vec<u8>> {
        let mut data = self.extension(size)?;
        if let Some(end) = data.iter().position(|&byte| byte == 0) {
            data.truncate(end);
        }
        Ok(data)
    }

    fn invalid(&self, reason: &str) -> Error {
        let at = self.chunks.position();
        Error::InvalidLayer {
            reason: format!("{reason} near byte {at} of the archive"),
        }
    }
}

/// The records of one extended header, in order.
#[derive(Debug, Default)]
struct Pax(Vec<(Vec<u8>, Vec<u8>)>);

impl Pax {
    /// Records are `<length> <key>=<value>\n`; values may hold anything.
    fn parse(mut data: &[u8]) -> Option<Self> {
        let mut records = Vec::new();
        while !data.is_empty() && data[0] != 0 {
            let space = data.iter().position(|&byte| byte == b' ')?;
            let length: usize = std::str::from_utf8(&data[..space]).ok()?.parse().ok()?;
            let record = data.get(space + 1..length)?;
            let record = record.strip_suffix(b"\n")?;
            let equals = record.iter().position(|&byte| byte == b'=')?;
            records.push((record[..equals].to_vec(), record[equals + 1..].to_vec()));
            data = &data[length..];
        }
        Some(Self(records))
    }

    /// The last value given for a key; an empty value takes it back.
    fn get(&self, key: &str) -> Option<&[u8]> {
        let found = self.0.iter().rev().find(|(name, _)| name == key.as_bytes());
        found
            .map(|(_, value)| &value[..])
            .filter(|value| !value.is_empty())
    }

    fn xattrs(&self) -> Vec<(OsString, Vec<u8>)> {
        let attribute = |(name, value): &(Vec<u8>, Vec<u8>)| {
            let name = name.strip_prefix(b"SCHILY.xattr.")?;
            Some((OsString::from_vec(name.to_vec()), value.clone()))
        };
        self.0.iter().filter_map(attribute).collect()
    }

    /// The map of PAX sparse 0.0: repeated offset and length records.
    fn sparse_pairs(&self) -> Option<Vec<(u64, u64)>> {
        let numbers = |key: &[u8]| -> Option<Vec<u64>> {
            let values = self.0.iter().filter(|(name, _)| name == key);
            values
                .map(|(_, value)| std::str::from_utf8(value).ok()?.parse().ok())
                .collect()
        };
        let offsets = numbers(b"GNU.sparse.offset")?;
        let lengths = numbers(b"GNU.sparse.numbytes")?;
        (offsets.len() == lengths.len()).then(|| offsets.into_iter().zip(lengths).collect())
    }
}

fn parse_map(text: &[u8], separator: u8) -> Option<Vec<(u64, u64)>> {
    if text.is_empty() {
        return Some(Vec::new());
    }
    let number = |text: &[u8]| std::str::from_utf8(text).ok()?.parse::<u64>().ok();
    let numbers: Option<Vec<u64>> = text.split(|&byte| byte == separator).map(number).collect();
    let numbers = numbers.filter(|numbers| numbers.len().is_multiple_of(2))?;
    Some(numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect())
}

/// Seconds since 1970 with a fraction; negative ones count backwards.
fn parse_time(text: &[u8]) -> Option<(i64, u32)> {
    let text = std::str::from_utf8(text).ok()?;
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = whole.parse().ok()?;
    let digits: String = fraction
        .chars()
        .chain("000000000".chars())
        .take(9)
        .collect();
    let nanos: u32 = digits.parse().ok()?;
    if text.starts_with('-') && nanos > 0 {
        return Some((seconds.checked_sub(1)?, 1_000_000_000 - nanos));
    }
    Some((seconds, nanos))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pax_times_keep_fractions_and_signs() {
        for (text, expected) in [
            ("0", (0, 0)),
            ("1700000000.5", (1_700_000_000, 500_000_000)),
            ("12.123456789123", (12, 123_456_789)),
            ("-1.25", (-2, 750_000_000)),
            ("-3", (-3, 0)),
        ] {
            assert_eq!(parse_time(text.as_bytes()), Some(expected), "{text}");
        }
        assert_eq!(parse_time(b"x"), None);
    }

    #[test]
    fn pax_values_may_hold_anything() {
        let pax = Pax::parse(b"10 a=b=\n\x00\n8 b=123\n").expect("well formed");
        assert_eq!(pax.get("a"), Some(&b"b=\n\x00"[..]));
        assert_eq!(pax.get("b"), Some(&b"123"[..]));
        for bad in [
            &b"99 a=b\n"[..],
            b"6 a=b\nx",
            b"5 ab\n",
            b"3 \n",
            b"0 a=b\n",
        ] {
            assert!(Pax::parse(bad).is_none(), "{bad:?}");
        }
    }
}
