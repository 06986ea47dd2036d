//! The little of netlink that a session network needs, spoken straight to the kernel.
//!
//! [`Request`] packs any number of messages into one buffer and [`Socket::send`] hands them to the kernel in one
//! system call and collects every answer. Netlink is handled in the context of the sender, so all answers are
//! there when the call returns: nothing here ever waits, and nothing here starts another program.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

pub(crate) mod route;

const NLMSG_ERROR: u16 = 2;
const NLM_F_REQUEST: u16 = 1;
const NLM_F_ACK: u16 = 4;

/// Fail when the object exists and create it when it does not.
pub(crate) const CREATE: u16 = 0x400 | 0x200;

/// Create the object, or put this in its place.
const REPLACE: u16 = 0x400 | 0x100;

const HEADER: usize = 16;
const NESTED: u16 = 1 << 15;
/// Room for an error that repeats a whole request.
const ANSWER: usize = 32 * 1024;

/// What the kernel refused, and why.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action}")]
#[non_exhaustive]
pub struct Error {
    /// The step that failed, as an infinitive: `create bridge nsci0`.
    pub action: String,
    /// What the kernel answered.
    #[source]
    pub source: io::Error,
}

impl Error {
    pub(crate) fn new(action: impl Into<String>, source: impl Into<io::Error>) -> Self {
        Self {
            action: action.into(),
            source: source.into(),
        }
    }
}

/// The attributes of one message, or of one nest in it.
#[derive(Debug)]
pub(crate) struct Attributes<'a> {
    bytes: &'a mut Vec<u8>,
}

impl Attributes<'_> {
    /// Adds one attribute; the kernel wants each at a multiple of four.
    pub(crate) fn put(&mut self, kind: u16, value: &[u8]) {
        let length = u16::try_from(value.len() + 4).expect("attributes written here are short");
        self.bytes.extend_from_slice(&length.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes.extend_from_slice(value);
        pad(self.bytes);
    }

    /// Adds a NUL-terminated string.
    pub(crate) fn text(&mut self, kind: u16, value: &str) {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes);
    }

    /// Adds an attribute made of attributes.
    pub(crate) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Attributes<'_>)) {
        self.nest_after(kind, &[], fill);
    }

    /// Adds an attribute made of a fixed head and then attributes.
    pub(crate) fn nest_after(
        &mut self,
        kind: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.bytes.len();
        self.put(kind | NESTED, head);
        fill(&mut Attributes { bytes: self.bytes });
        let length = u16::try_from(self.bytes.len() - start).expect("nests written here are short");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
    }
}

fn pad(bytes: &mut Vec<u8>) {
    bytes.resize(bytes.len().next_multiple_of(4), 0);
}

/// The first attribute of a kind in what follows a message's head.
fn attribute(mut bytes: &[u8], kind: u16) -> Option<&[u8]> {
    loop {
        let length = usize::from(u16::from_ne_bytes(bytes.get(..2)?.try_into().ok()?));
        let value = bytes.get(4..length)?;
        if u16::from_ne_bytes(bytes.get(2..4)?.try_into().ok()?) == kind {
            return Some(value);
        }
        bytes = bytes.get(length.next_multiple_of(4)..)?;
    }
}

/// Messages that go to the kernel together.
#[derive(Debug, Default)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    /// What each message is for; the position is its sequence number. `None` marks one that is not answered.
    actions: Vec<Option<String>>,
}

impl Request {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a message whose success or failure the kernel reports.
    pub(crate) fn message(
        &mut self,
        action: impl Into<String>,
        kind: u16,
        flags: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        self.append(Some(action.into()), kind, flags | NLM_F_ACK, head, fill);
    }

    /// Adds a message that is answered only when it fails.
    pub(crate) fn unanswered(&mut self, kind: u16, head: &[u8]) {
        self.append(None, kind, 0, head, |_| {});
    }

    fn append(
        &mut self,
        action: Option<String>,
        kind: u16,
        flags: u16,
        head: &[u8],
        fill: impl FnOnce(&mut Attributes<'_>),
    ) {
        let start = self.bytes.len();
        let sequence = u32::try_from(self.actions.len()).expect("requests are short");
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(&kind.to_ne_bytes());
        self.bytes
            .extend_from_slice(&(flags | NLM_F_REQUEST).to_ne_bytes());
        self.bytes.extend_from_slice(&sequence.to_ne_bytes());
        self.bytes.extend_from_slice(&0u32.to_ne_bytes());
        self.bytes.extend_from_slice(head);
        pad(&mut self.bytes);
        fill(&mut Attributes {
            bytes: &mut self.bytes,
        });
        let length = u32::try_from(self.bytes.len() - start).expect("requests are short");
        self.bytes[start..start + 4].copy_from_slice(&length.to_ne_bytes());
        self.actions.push(action);
    }

    fn action(&self, sequence: u32) -> String {
        usize::try_from(sequence)
            .ok()
            .and_then(|index| self.actions.get(index))
            .cloned()
            .flatten()
            .unwrap_or_else(|| "use netlink".to_owned())
    }
}

/// A netlink socket; it belongs to the network namespace it was opened in, for ever.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl Socket {
    /// Opens a socket for links, addresses and routes.
    pub(crate) fn route() -> Result<Self, Error> {
        Self::open(None, "open a route netlink socket")
    }

    /// Opens a socket for packet filters.
    pub(crate) fn netfilter() -> Result<Self, Error> {
        let protocol = rustix::net::netlink::NETFILTER;
        Self::open(Some(protocol), "open a netfilter netlink socket")
    }

    fn open(protocol: Option<rustix::net::Protocol>, action: &str) -> Result<Self, Error> {
        let flags = SocketFlags::CLOEXEC;
        rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, flags, protocol)
            .map(|fd| Self { fd })
            .map_err(|source| Error::new(action, source))
    }

    /// Sends everything and returns when the kernel has done all of it, or refused some of it.
    pub(crate) fn send(&self, request: &Request) -> Result<(), Error> {
        let mut open = request.actions.iter().flatten().count();
        self.write(request)?;
        while open > 0 {
            let answer = self.read(request)?;
            for message in messages(&answer) {
                if message.kind != NLMSG_ERROR {
                    continue;
                }
                message
                    .verdict()
                    .map_err(|source| Error::new(request.action(message.sequence), source))?;
                open = open.saturating_sub(1);
            }
        }
        Ok(())
    }

    /// Sends one question and returns the head and attributes of the first message that answers it.
    pub(crate) fn ask(&self, request: &Request) -> Result<Vec<u8>, Error> {
        self.write(request)?;
        let mut body = None;
        loop {
            let answer = self.read(request)?;
            for message in messages(&answer) {
                if message.kind == NLMSG_ERROR {
                    return match message.verdict() {
                        Ok(()) => body.ok_or_else(|| {
                            Error::new(request.action(0), io::ErrorKind::UnexpectedEof)
                        }),
                        Err(source) => Err(Error::new(request.action(0), source)),
                    };
                }
                body.get_or_insert_with(|| message.body.to_vec());
            }
        }
    }

    /// Opens a socket that hears of what the kernel tells groups of listeners, given as bits.
    fn listening(groups: u32, action: &str) -> Result<Self, Error> {
        let socket = Self::open(None, action)?;
        let groups = rustix::net::netlink::SocketAddrNetlink::new(0, groups);
        rustix::net::bind(&socket.fd, &groups)
            .map(|()| socket)
            .map_err(|source| Error::new(action, source))
    }

    fn write(&self, request: &Request) -> Result<(), Error> {
        let failed = |source: rustix::io::Errno| Error::new(request.action(0), source);
        rustix::io::retry_on_intr(|| {
            rustix::net::send(&self.fd, &request.bytes, SendFlags::empty())
        })
        .map(drop)
        .map_err(failed)
    }

    fn read(&self, request: &Request) -> Result<Vec<u8>, Error> {
        self.receive()
            .map_err(|source| Error::new(request.action(0), source))
    }

    /// Takes what has arrived, without waiting.
    fn receive(&self) -> rustix::io::Result<Vec<u8>> {
        let mut buffer = vec![0; ANSWER];
        let (length, _) = rustix::io::retry_on_intr(|| {
            rustix::net::recv(&self.fd, buffer.as_mut_slice(), RecvFlags::DONTWAIT)
        })?;
        buffer.truncate(length);
        Ok(buffer)
    }
}

struct Message<'a> {
    kind: u16,
    sequence: u32,
    body: &'a [u8],
}

impl Message<'_> {
    /// Reads the error code of an acknowledgement.
    fn verdict(&self) -> io::Result<()> {
        match read_u32(self.body, 0).map(u32::cast_signed) {
            Some(0) => Ok(()),
            Some(code) => Err(io::Error::from_raw_os_error(code.saturating_neg())),
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

fn messages(mut bytes: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = usize::try_from(read_u32(bytes, 0)?).ok()?;
        let body = bytes.get(HEADER..length)?;
        let kind = u16::from_ne_bytes(bytes.get(4..6)?.try_into().ok()?);
        let sequence = read_u32(bytes, 8)?;
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
        Some(Message {
            kind,
            sequence,
            body,
        })
    })
}

fn read_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_padded_and_nests_know_their_length() {
        let mut request = Request::new();
        request.message("x", 7, 0, &[1, 2], |message| {
            message.nest(3, |nest| nest.text(4, "abcd"));
        });
        let bytes = &request.bytes;
        assert_eq!(bytes.len(), 36);
        assert_eq!(read_u32(bytes, 0), Some(36));
        assert_eq!(bytes[16..20], [1, 2, 0, 0]);
        assert_eq!(u16::from_ne_bytes([bytes[20], bytes[21]]), 16);
        assert_eq!(u16::from_ne_bytes([bytes[24], bytes[25]]), 9);
        assert_eq!(&bytes[28..36], b"abcd\0\0\0\0");
    }

    #[test]
    fn attributes_are_found_by_kind() {
        let mut bytes = Vec::new();
        let mut attributes = Attributes { bytes: &mut bytes };
        attributes.put(1, &[7]);
        attributes.put(2, &[8, 9]);
        assert_eq!(attribute(&bytes, 2), Some([8, 9].as_slice()));
        assert_eq!(attribute(&bytes, 3), None);
        for length in 0..bytes.len() {
            let found = attribute(&bytes[..length], 2);
            assert!(found.is_none_or(|found| found == [8, 9]), "{length} bytes");
        }
    }

    #[test]
    fn torn_answers_end_the_iteration() {
        let mut request = Request::new();
        request.message("x", NLMSG_ERROR, 0, &0u32.to_ne_bytes(), |_| {});
        for length in 0..request.bytes.len() {
            assert_eq!(
                messages(&request.bytes[..length]).count(),
                0,
                "{length} bytes"
            );
        }
        assert_eq!(messages(&request.bytes).count(), 1);
    }

    #[test]
    fn loopback_does_not_leave_this_machine() {
        let socket = Socket::route().expect("route netlink needs no privilege");
        let leaves = route::leaves_this_machine(&socket, std::net::Ipv4Addr::LOCALHOST.into());
        assert!(!leaves.expect("loopback has a route"));
    }
}
