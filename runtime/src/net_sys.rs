//! The one call of the session network that no safe wrapper offers.
#![expect(unsafe_code, reason = "no crate in use wraps the ethtool ioctl")]

use std::io;
use std::os::fd::{AsFd, AsRawFd};

const SIOCETHTOOL: libc::c_ulong = 0x8946;
const ETHTOOL_GLINK: u32 = 0x0a;

#[repr(C)]
struct Value {
    command: u32,
    data: u32,
}

/// `struct ifreq`, whose union is 24 bytes long on 64-bit machines.
#[repr(C)]
struct Request {
    name: [u8; libc::IFNAMSIZ],
    value: *mut Value,
    rest: [u64; 2],
}

/// Asks for the carrier of an interface of the namespace that `socket` belongs to.
///
/// What counts is the side effect: the kernel first finishes what it had left to a worker when the carrier came,
/// which is to give the interface its queue and the bridge its port. Until then packets are dropped.
///
/// # Errors
/// When there is no such interface.
pub(crate) fn settle_carrier(socket: impl AsFd, name: &str) -> io::Result<()> {
    let mut value = Value {
        command: ETHTOOL_GLINK,
        data: 0,
    };
    let mut request = Request {
        name: [0; libc::IFNAMSIZ],
        value: &raw mut value,
        rest: [0; 2],
    };
    // The last byte stays NUL.
    let room = &mut request.name[..libc::IFNAMSIZ - 1];
    for (to, from) in room.iter_mut().zip(name.bytes()) {
        *to = from;
    }
    // SAFETY: `request` is laid out as the kernel's `struct ifreq` and no shorter; it and the `struct
    // ethtool_value` it points to live until the call returns, which keeps neither.
    let result = unsafe {
        libc::ioctl(
            socket.as_fd().as_raw_fd(),
            SIOCETHTOOL as _,
            &raw mut request,
        )
    };
    if result < 0 {
        Err(io::Error::last_os_error())
    } else {
        Ok(())
    }
}
