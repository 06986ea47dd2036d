//! Messages over a sequenced-packet socket: one body and up to 250 descriptors each.
//!
//! A body larger than [`INLINE`] travels in a memfd that precedes the other descriptors.

use std::fs::File;
use std::io::{IoSlice, IoSliceMut, Read, Seek, SeekFrom};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{MemfdFlags, memfd_create};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recvmsg,
    sendmsg, socketpair,
};

use crate::error::{Context, Error, Result};

/// The largest body sent in the packet itself.
const INLINE: usize = 64 << 10;
/// The largest body accepted at all.
const MAX_BODY: u64 = 1 << 30;
/// The most descriptors in one message; the kernel takes 253.
pub(crate) const MAX_FDS: usize = 250;
/// First byte of a packet that holds its body.
const TAG_INLINE: u8 = b'i';
/// First byte of a packet whose body is in its first descriptor.
const TAG_MEMFD: u8 = b'm';

/// A received message.
#[derive(Debug)]
pub(crate) struct Message {
    pub(crate) body: Vec<u8>,
    pub(crate) fds: Vec<OwnedFd>,
}

/// Makes the two ends of a connection.
pub(crate) fn pair() -> Result<(OwnedFd, OwnedFd)> {
    socketpair(
        AddressFamily::UNIX,
        SocketType::SEQPACKET,
        SocketFlags::CLOEXEC,
        None,
    )
    .context("create", "socket pair")
}

/// Puts bytes into a memfd positioned at its start.
pub(crate) fn memfd(name: &str, bytes: &[u8]) -> Result<OwnedFd> {
    let fd = memfd_create(name, MemfdFlags::CLOEXEC).context("create", "memfd")?;
    let mut file = File::from(fd);
    std::io::Write::write_all(&mut file, bytes).context("write", "memfd")?;
    file.seek(SeekFrom::Start(0)).context("rewind", "memfd")?;
    Ok(file.into())
}

/// Sends one message.
pub(crate) fn send(socket: impl AsFd, body: &[u8], fds: &[BorrowedFd<'_>]) -> Result<()> {
    if fds.len() > MAX_FDS {
        return Err(Error::Protocol {
            reason: format!("{} descriptors in one call", fds.len()),
        });
    }
    if body.len() <= INLINE {
        return send_packet(socket, &[&[TAG_INLINE], body], fds);
    }
    let memfd = memfd("nsci-message", body)?;
    let mut all = vec![memfd.as_fd()];
    all.extend_from_slice(fds);
    send_packet(socket, &[&[TAG_MEMFD]], &all)
}

fn send_packet(socket: impl AsFd, parts: &[&[u8]], fds: &[BorrowedFd<'_>]) -> Result<()> {
    let slices: Vec<IoSlice<'_>> = parts.iter().map(|part| IoSlice::new(part)).collect();
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS + 1))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(Error::Protocol {
            reason: "too many descriptors".into(),
        });
    }
    loop {
        match sendmsg(&socket, &slices, &mut control, SendFlags::NOSIGNAL) {
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::PIPE | rustix::io::Errno::CONNRESET) => {
                return Err(Error::Disconnected);
            }
            Err(errno) => return Err(Error::io("send to", "keeper socket", errno)),
        }
    }
}

/// Receives one message; `None` when the other side has closed.
pub(crate) fn receive(socket: impl AsFd) -> Result<Option<Message>> {
    let mut packet = vec![0; INLINE + 1];
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS + 1))];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = loop {
        let mut parts = [IoSliceMut::new(&mut packet)];
        match recvmsg(&socket, &mut parts, &mut control, RecvFlags::CMSG_CLOEXEC) {
            Ok(received) => break received,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::CONNRESET) => return Ok(None),
            Err(errno) => return Err(Error::io("receive from", "keeper socket", errno)),
        }
    };
    if received
        .flags
        .intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC)
    {
        return Err(Error::Protocol {
            reason: "message was cut".into(),
        });
    }
    let mut fds: Vec<OwnedFd> = control
        .drain()
        .filter_map(|message| match message {
            RecvAncillaryMessage::ScmRights(fds) => Some(fds),
            _ => None,
        })
        .flatten()
        .collect();
    packet.truncate(received.bytes);
    match packet.first() {
        None => Ok(None),
        Some(&TAG_INLINE) => {
            packet.remove(0);
            Ok(Some(Message { body: packet, fds }))
        }
        Some(&TAG_MEMFD) if !fds.is_empty() => {
            let body = read_all(fds.remove(0))?;
            Ok(Some(Message { body, fds }))
        }
        Some(tag) => Err(Error::Protocol {
            reason: format!("packet of kind {tag}"),
        }),
    }
}

fn read_all(fd: OwnedFd) -> Result<Vec<u8>> {
    let mut file = File::from(fd);
    let mut body = Vec::new();
    file.seek(SeekFrom::Start(0)).context("rewind", "message")?;
    file.take(MAX_BODY)
        .read_to_end(&mut body)
        .context("read", "message")?;
    Ok(body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_descriptors_arrive_whole() {
        let (left, right) = pair().unwrap();
        for size in [0, 1, INLINE, INLINE + 1, 3 << 20] {
            let body = vec![7; size];
            let extra = memfd("x", b"hello").unwrap();
            send(&left, &body, &[extra.as_fd()]).unwrap();
            let message = receive(&right).unwrap().unwrap();
            assert!(message.body == body, "{size}");
            assert_eq!(message.fds.len(), 1, "{size}");
        }
    }

    #[test]
    fn closed_peer_is_the_end() {
        let (left, right) = pair().unwrap();
        drop(left);
        assert!(receive(&right).unwrap().is_none());
        assert!(matches!(send(&right, b"x", &[]), Err(Error::Disconnected)));
    }
}
