//! Messages between the engine, the spawner and step helpers: JSON packets with file descriptors beside them.

use std::io::{IoSlice, IoSliceMut, Read as _, Seek as _};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::session::SocketKind;
use crate::spec::StepSpec;

/// Packets above this size travel in a memory file, since a socket buffer may not hold them.
const INLINE_LIMIT: usize = 48 * 1024;

/// Most descriptors in one packet; session start is the largest.
pub(crate) const MAX_FDS: usize = 16;

/// What the engine asks of the spawner. The first descriptor is always the socket for the answer.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Request {
    /// Fork a helper; the socket carries a [`StepRequest`]; then stdin, stdout and stderr follow.
    Run {
        /// Names the helper in [`Request::Kill`].
        id: u64,
    },
    /// Kill a helper and everything below it.
    Kill {
        /// As given in [`Request::Run`].
        id: u64,
    },
    /// Start this executable in another role.
    Child {
        /// First argument.
        role: String,
        /// Further arguments.
        args: Vec<String>,
    },
    /// Connect a TCP socket inside the session's network.
    Connect {
        /// The destination.
        address: SocketAddr,
    },
    /// Open a socket inside the session's network.
    Socket {
        /// What it carries.
        kind: SocketKind,
    },
    /// Open the root directory of a running step.
    Root {
        /// The step's first process, as the session numbers it.
        pid: i32,
    },
}

/// First packet of a spawner that is coming up.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum StartReply {
    /// Namespaces exist; ids are to be mapped.
    MapIds,
    /// The spawner has been cloned, under this pid in the engine's namespace.
    Cloned {
        /// The pid.
        pid: i32,
    },
    /// Everything is set up; the named descriptors follow in order.
    Ready {
        /// Names of the network's sockets.
        network: Vec<String>,
        /// Whether `/proc` shows the session's processes and no others.
        own_proc: bool,
    },
    /// It did not work.
    Failed(Failure),
}

/// A step and what surrounds it.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct StepRequest {
    /// Unique in the session.
    pub(crate) id: u64,
    /// The step.
    pub(crate) spec: StepSpec,
    /// Whether the first descriptor is a network namespace, connected already, for the step to run in.
    pub(crate) has_network: bool,
    /// The first process of a running step to join, as the session numbers it.
    pub(crate) join: Option<i32>,
}

/// What the engine may say to a running step.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum StepControl {
    /// Deliver a signal to the step's init.
    Signal(i32),
}

/// What a helper reports.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum StepReply {
    /// The step's init exists.
    Started {
        /// Pid in the session.
        pid: i32,
        /// Address on the session's network.
        address: Option<std::net::IpAddr>,
    },
    /// A listening socket inside the step follows.
    Listener {
        /// Its port.
        port: u16,
    },
    /// The master side of the step's terminal follows.
    Terminal,
    /// The step is gone. A descriptor beside it is its network namespace, fit for another step in its place.
    Exited {
        /// Raw wait status.
        status: i32,
        /// Microseconds of user time.
        user_us: u64,
        /// Microseconds of system time.
        system_us: u64,
        /// Largest resident set in KiB.
        max_rss_kib: u64,
    },
    /// The request is done (children and connections).
    Done,
    /// It did not work.
    Failed(Failure),
}

/// An [`Error`] on its way to another process.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Failure {
    NotFound { command: String },
    NotExecutable { command: String, reason: String },
    Workdir { path: String, reason: String },
    InvalidStep { reason: String },
    Network { message: String },
    UserNamespace { reason: String },
    Other { message: String },
}

impl Failure {
    /// Keeps the variants a caller branches on, flattens the rest.
    pub(crate) fn from_error(error: &Error) -> Self {
        match error {
            Error::CommandNotFound { command } => Self::NotFound {
                command: command.clone(),
            },
            Error::CommandNotExecutable { command, reason } => Self::NotExecutable {
                command: command.clone(),
                reason: reason.clone(),
            },
            Error::Workdir { path, reason } => Self::Workdir {
                path: path.clone(),
                reason: reason.clone(),
            },
            Error::InvalidStep { reason } => Self::InvalidStep {
                reason: reason.clone(),
            },
            Error::Network { message } => Self::Network {
                message: message.clone(),
            },
            Error::UserNamespace { reason } => Self::UserNamespace {
                reason: reason.clone(),
            },
            Error::Container { message } => Self::Other {
                message: message.clone(),
            },
            other => Self::Other {
                message: chain(other),
            },
        }
    }

    /// The error again; `other` wraps what has no variant of its own.
    pub(crate) fn into_error(self, other: impl FnOnce(String) -> Error) -> Error {
        match self {
            Self::NotFound { command } => Error::CommandNotFound { command },
            Self::NotExecutable { command, reason } => {
                Error::CommandNotExecutable { command, reason }
            }
            Self::Workdir { path, reason } => Error::Workdir { path, reason },
            Self::InvalidStep { reason } => Error::InvalidStep { reason },
            Self::Network { message } => Error::Network { message },
            Self::UserNamespace { reason } => Error::UserNamespace { reason },
            Self::Other { message } => other(message),
        }
    }
}

/// An error with its causes, each said once.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let said = cause.to_string();
        if !text.contains(&said) {
            text.push_str(": ");
            text.push_str(&said);
        }
        source = cause.source();
    }
    text
}

/// A connected pair of packet sockets.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd), Error> {
    rustix::net::socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .map_err(|source| Error::io("create a socket pair", source))
}

/// Sends one packet.
pub(crate) fn send(
    socket: impl AsFd,
    message: &impl Serialize,
    fds: &[BorrowedFd<'_>],
) -> Result<(), Error> {
    let json = serde_json::to_vec(message).map_err(|error| Error::Protocol {
        message: error.to_string(),
    })?;
    if json.len() <= INLINE_LIMIT {
        return send_bytes(socket, &json, fds);
    }
    let file = memory_file(c"nsci-message", &json)?;
    let mut all = vec![file.as_fd()];
    all.extend_from_slice(fds);
    send_bytes(socket, b"@", &all)
}

fn send_bytes(socket: impl AsFd, bytes: &[u8], fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !ancillary.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::Protocol {
            message: format!("{} descriptors in one packet", fds.len()),
        });
    }
    loop {
        match rustix::net::sendmsg(
            &socket,
            &[IoSlice::new(bytes)],
            &mut ancillary,
            SendFlags::NOSIGNAL,
        ) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(source) => return Err(Error::io("send to the sandbox", source)),
        }
    }
}

/// Receives one packet; `None` when the other side is gone.
pub(crate) fn receive<M: DeserializeOwned>(
    socket: impl AsFd,
) -> Result<Option<(M, Vec<OwnedFd>)>, Error> {
    let mut buffer = vec![0_u8; INLINE_LIMIT];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        match rustix::net::recvmsg(
            &socket,
            &mut [IoSliceMut::new(&mut buffer)],
            &mut ancillary,
            RecvFlags::CMSG_CLOEXEC,
        ) {
            Ok(received) => break received,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(source) => return Err(Error::io("receive from the sandbox", source)),
        }
    };
    if received.bytes == 0 {
        return Ok(None);
    }
    if received
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(Error::Protocol {
            message: "truncated packet".to_owned(),
        });
    }
    let mut fds: Vec<OwnedFd> = ancillary
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    let mut bytes = buffer.get(..received.bytes).unwrap_or_default();
    let mut large = Vec::new();
    if bytes == b"@" && !fds.is_empty() {
        let mut file = std::fs::File::from(fds.remove(0));
        file.rewind()
            .and_then(|()| file.read_to_end(&mut large))
            .map_err(|source| Error::io("read a large message", source))?;
        bytes = &large;
    }
    let message = serde_json::from_slice(bytes).map_err(|error| Error::Protocol {
        message: error.to_string(),
    })?;
    Ok(Some((message, fds)))
}

/// A sealed file in memory, positioned at its start.
pub(crate) fn memory_file(name: &std::ffi::CStr, bytes: &[u8]) -> Result<OwnedFd, Error> {
    use rustix::fs::{MemfdFlags, SealFlags};
    use std::io::Write as _;
    let what = "create a memory file";
    let fd = rustix::fs::memfd_create(name, MemfdFlags::CLOEXEC | MemfdFlags::ALLOW_SEALING)
        .map_err(|source| Error::io(what, source))?;
    let mut file = std::fs::File::from(fd);
    file.write_all(bytes)
        .and_then(|()| file.rewind())
        .map_err(|source| Error::io(what, source))?;
    let fd = OwnedFd::from(file);
    rustix::fs::fcntl_add_seals(
        &fd,
        SealFlags::WRITE | SealFlags::GROW | SealFlags::SHRINK | SealFlags::SEAL,
    )
    .map_err(|source| Error::io(what, source))?;
    Ok(fd)
}

/// Receives the single descriptor a foreign protocol sends.
pub(crate) fn receive_descriptor(socket: impl AsFd) -> Result<OwnedFd, Error> {
    let mut buffer = [0_u8; 256];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
    let mut ancillary = RecvAncillaryBuffer::new(&mut space);
    rustix::net::recvmsg(
        &socket,
        &mut [IoSliceMut::new(&mut buffer)],
        &mut ancillary,
        RecvFlags::CMSG_CLOEXEC,
    )
    .map_err(|source| Error::io("receive a descriptor", source))?;
    ancillary
        .drain()
        .find_map(|message| match message {
            RecvAncillaryMessage::ScmRights(mut fds) => fds.next(),
            _ => None,
        })
        .ok_or_else(|| Error::Protocol {
            message: "no descriptor received".to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_of_any_size_arrive_with_their_descriptors() {
        for size in [0, 100, INLINE_LIMIT, 3 << 20] {
            let (left, right) = pair().expect("socket pair");
            let text = "x".repeat(size);
            send(&left, &text, &[left.as_fd()]).expect("send");
            let (back, fds): (String, _) = receive(&right).expect("receive").expect("packet");
            assert_eq!(back.len(), text.len());
            assert_eq!(fds.len(), 1);
            drop((left, fds));
            assert!(receive::<String>(&right).expect("end").is_none());
        }
    }
}
