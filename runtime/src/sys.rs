//! System calls without a safe wrapper elsewhere: the only file of this crate with `unsafe`.
//!
//! Each function is safe to call from a process with one thread; those that may only be called there say so.
#![expect(unsafe_code, reason = "raw system calls; nowhere else in this crate")]

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::mount::MountAttrFlags;
use rustix::process::{Pid, Signal, WaitOptions};

use crate::error::ignore;
use crate::seccomp::Instruction;
use crate::{Error, Exit};

/// Number of the signal that asks a process to end.
pub(crate) const SIGTERM: i32 = libc::SIGTERM;

/// Number of the signal that ends a process.
pub(crate) const SIGKILL: i32 = libc::SIGKILL;

/// The descriptor under which a child of the spawner finds its socket.
pub(crate) const CHILD_SOCKET: RawFd = 3;

/// Which side of a fork the caller is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fork {
    /// The new process.
    Child,
    /// The old process, with the new one's pid.
    Parent(Pid),
}

/// Copies this process; only for processes with one thread.
pub(crate) fn fork() -> io::Result<Fork> {
    // SAFETY: callers have a single thread, so the child may run arbitrary code.
    let pid = unsafe { libc::fork() };
    forked(pid)
}

/// Copies this process; the copy becomes a child of this process's parent. Only for processes with one thread.
pub(crate) fn fork_sibling() -> io::Result<Fork> {
    let flags = libc::CLONE_PARENT | libc::SIGCHLD;
    // SAFETY: a clone without shared memory and without a new stack behaves as fork; the caller has a single thread.
    // Argument order differs between architectures only for arguments that are zero here.
    let pid = unsafe { libc::syscall(libc::SYS_clone, flags, 0, 0, 0, 0) };
    forked(i32::try_from(pid).unwrap_or(-1))
}

/// Copies this process into new namespaces; only for processes with one thread.
pub(crate) fn clone_into(namespaces: nix::sched::CloneFlags) -> io::Result<Fork> {
    let flags = namespaces.bits() | libc::SIGCHLD;
    // SAFETY: a clone without shared memory and without a new stack behaves as fork; the caller has a single thread.
    // Argument order differs between architectures only for arguments that are zero here.
    let pid = unsafe { libc::syscall(libc::SYS_clone, libc::c_long::from(flags), 0, 0, 0, 0) };
    forked(i32::try_from(pid).unwrap_or(-1))
}

fn forked(pid: i32) -> io::Result<Fork> {
    match pid {
        -1 => Err(io::Error::last_os_error()),
        0 => Ok(Fork::Child),
        pid => Ok(Fork::Parent(
            Pid::from_raw(pid).expect("fork returns a positive pid"),
        )),
    }
}

/// Ends this process at once, without running destructors or flushing buffers that a parent shares.
pub(crate) fn exit_now(code: i32) -> ! {
    // SAFETY: always sound; it never returns.
    unsafe { libc::_exit(code) }
}

/// Replaces this process by the executable open as `fd`. Returns only on failure.
pub(crate) fn exec_fd(fd: BorrowedFd<'_>, args: &[CString], env: &[CString]) -> io::Error {
    let pointers = |strings: &[CString]| {
        let mut list: Vec<*const libc::c_char> = strings.iter().map(|s| s.as_ptr()).collect();
        list.push(std::ptr::null());
        list
    };
    let (argv, envp) = (pointers(args), pointers(env));
    // SAFETY: both lists are null-terminated and outlive the call, as do the strings they point to.
    unsafe {
        libc::syscall(
            libc::SYS_execveat,
            fd.as_raw_fd(),
            c"".as_ptr(),
            argv.as_ptr(),
            envp.as_ptr(),
            libc::AT_EMPTY_PATH,
        );
    }
    io::Error::last_os_error()
}

/// How much a dead process used.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Usage {
    pub(crate) user_us: u64,
    pub(crate) system_us: u64,
    pub(crate) max_rss_kib: u64,
}

/// Waits for a child and tells what it and its waited-for children used.
pub(crate) fn wait_with_usage(pid: Pid) -> io::Result<(i32, Usage)> {
    let mut status = 0;
    // SAFETY: an all-zero rusage is a valid value of that plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    loop {
        // SAFETY: both pointers are to live values of the right type.
        let done = unsafe {
            libc::wait4(
                pid.as_raw_nonzero().get(),
                &raw mut status,
                0,
                &raw mut usage,
            )
        };
        if done >= 0 {
            break;
        }
        let error = io::Error::last_os_error();
        if error.kind() != io::ErrorKind::Interrupted {
            return Err(error);
        }
    }
    let micros = |time: libc::timeval| {
        u64::try_from(time.tv_sec).unwrap_or(0) * 1_000_000
            + u64::try_from(time.tv_usec).unwrap_or(0)
    };
    let used = Usage {
        user_us: micros(usage.ru_utime),
        system_us: micros(usage.ru_stime),
        max_rss_kib: u64::try_from(usage.ru_maxrss).unwrap_or(0),
    };
    Ok((status, used))
}

/// Decodes a wait status of a process that has ended.
pub(crate) fn exit_from_status(status: i32) -> Exit {
    if libc::WIFSIGNALED(status) {
        Exit::Signal(libc::WTERMSIG(status))
    } else {
        Exit::Code(libc::WEXITSTATUS(status))
    }
}

/// Sends a signal to a process that may be gone already.
pub(crate) fn kill_quietly(pid: Pid, signal: Signal) {
    // The only failures are "no such process", which is what is wanted, and "not permitted", which cannot be helped.
    ignore(rustix::process::kill_process(pid, signal));
}

/// Waits until a child is gone.
pub(crate) fn wait_for_end(pid: Pid) {
    while let Err(rustix::io::Errno::INTR) =
        rustix::process::waitpid(Some(pid), WaitOptions::empty())
    {}
}

/// A signal by its number, including the real-time ones.
pub(crate) fn signal_pid(pid: Pid, signal: i32) -> io::Result<()> {
    // SAFETY: kill has no memory effects.
    let result = unsafe { libc::kill(pid.as_raw_nonzero().get(), signal) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Gives every signal its default effect and unblocks all, as a fresh command expects.
pub(crate) fn reset_signals() {
    for signal in 1..=64 {
        // SAFETY: restoring a default disposition installs no handler; invalid numbers are refused by the kernel.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    nix::sys::signal::SigSet::empty()
        .thread_set_mask()
        .expect("an empty mask is always valid");
}

/// Blocks every signal that can be blocked.
pub(crate) fn block_signals() {
    nix::sys::signal::SigSet::all()
        .thread_set_mask()
        .expect("a full mask is always valid");
}

/// Waits for any signal; all must be blocked.
pub(crate) fn next_signal() -> i32 {
    // SAFETY: an all-zero set is a valid value, filled by the next call.
    let mut set: libc::sigset_t = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live set.
    unsafe { libc::sigfillset(&raw mut set) };
    loop {
        // SAFETY: the set is initialised; a null info pointer is allowed.
        let signal = unsafe { libc::sigwaitinfo(&raw const set, std::ptr::null_mut()) };
        if signal > 0 {
            return signal;
        }
    }
}

/// Closes all descriptors in the range; only where nothing owned lies in it any more.
pub(crate) fn close_range(first: RawFd, last: RawFd) {
    // SAFETY: called in processes about to exec or exit, which use none of these descriptors again.
    unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) };
}

/// Marks all descriptors from `first` on close-on-exec.
pub(crate) fn close_on_exec_from(first: RawFd) {
    // SAFETY: only sets a flag on descriptors.
    unsafe {
        libc::syscall(
            libc::SYS_close_range,
            first,
            RawFd::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        );
    }
}

/// Installs a seccomp filter for this process and its future children.
pub(crate) fn install_filter(program: &[Instruction]) -> io::Result<()> {
    let filter: Vec<libc::sock_filter> = program
        .iter()
        .map(|i| libc::sock_filter {
            code: i.code,
            jt: i.jt,
            jf: i.jf,
            k: i.k,
        })
        .collect();
    let program = libc::sock_fprog {
        len: u16::try_from(filter.len()).map_err(|_| io::ErrorKind::InvalidInput)?,
        filter: filter.as_ptr().cast_mut(),
    };
    // SAFETY: the program points to `len` live instructions; the kernel copies and verifies them.
    let result = unsafe {
        libc::syscall(
            libc::SYS_seccomp,
            libc::SECCOMP_SET_MODE_FILTER,
            0,
            &raw const program,
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Makes a whole mount tree read-only.
pub(crate) fn make_mount_readonly(tree: BorrowedFd<'_>) -> io::Result<()> {
    set_mount_attributes(tree, MountAttrFlags::MOUNT_ATTR_RDONLY, true)
}

/// Adds attributes to a mount, or to a whole tree of mounts.
pub(crate) fn set_mount_attributes(
    tree: BorrowedFd<'_>,
    attributes: MountAttrFlags,
    recursive: bool,
) -> io::Result<()> {
    let attributes = libc::mount_attr {
        attr_set: u64::from(attributes.bits()),
        attr_clr: 0,
        propagation: 0,
        userns_fd: 0,
    };
    let scope = if recursive { libc::AT_RECURSIVE } else { 0 };
    // SAFETY: the path is a valid string, the structure is live and its size is given.
    let result = unsafe {
        libc::syscall(
            libc::SYS_mount_setattr,
            tree.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH | scope,
            &raw const attributes,
            size_of::<libc::mount_attr>(),
        )
    };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Brings the loopback device of the current network namespace up.
pub(crate) fn loopback_up() -> io::Result<()> {
    let socket = rustix::net::socket(
        rustix::net::AddressFamily::INET,
        rustix::net::SocketType::DGRAM,
        None,
    )?;
    // SAFETY: an all-zero ifreq is a valid value of that plain structure.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = libc::c_char::from_ne_bytes([*from]);
    }
    request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
    // SAFETY: the request is live and of the type this call reads.
    let result = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS, &raw const request) };
    if result == 0 {
        Ok(())
    } else {
        Err(io::Error::last_os_error())
    }
}

/// Whether the descriptor is open and a socket.
fn is_socket(fd: RawFd) -> bool {
    // SAFETY: an all-zero stat is a valid value of that plain structure.
    let mut stat: libc::stat = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a live structure; a closed descriptor is reported as an error.
    let result = unsafe { libc::fstat(fd, &raw mut stat) };
    result == 0 && stat.st_mode & libc::S_IFMT == libc::S_IFSOCK
}

/// Takes the socket a child of the spawner was started with.
pub(crate) fn inherited_socket() -> Result<OwnedFd, Error> {
    static TAKEN: AtomicBool = AtomicBool::new(false);
    if TAKEN.swap(true, Ordering::AcqRel) || !is_socket(CHILD_SOCKET) {
        return Err(Error::Protocol {
            message: "no inherited socket".to_owned(),
        });
    }
    // SAFETY: the descriptor is open, was put there for this process by its parent, and is taken once.
    let socket = unsafe { OwnedFd::from_raw_fd(CHILD_SOCKET) };
    rustix::io::fcntl_setfd(&socket, rustix::io::FdFlags::CLOEXEC)
        .map_err(|source| Error::io("prepare the inherited socket", source))?;
    Ok(socket)
}

/// Moves standard input away and puts `/dev/null` in its place and that of standard output.
pub(crate) fn take_stdin() -> io::Result<OwnedFd> {
    let taken = rustix::io::fcntl_dupfd_cloexec(io::stdin().as_fd(), 3)?;
    let null = rustix::fs::open(
        "/dev/null",
        rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC,
        rustix::fs::Mode::empty(),
    )?;
    for target in [0, 1] {
        put_at(null.as_fd(), target)?;
    }
    Ok(taken)
}

/// Makes `fd` available under a fixed number, kept across exec.
pub(crate) fn put_at(fd: BorrowedFd<'_>, target: RawFd) -> io::Result<()> {
    if fd.as_raw_fd() == target {
        rustix::io::fcntl_setfd(fd, rustix::io::FdFlags::empty())?;
        return Ok(());
    }
    nix::unistd::dup2(fd.as_raw_fd(), target)?;
    Ok(())
}

/// Replaces this process by a program. Returns only on failure.
pub(crate) fn exec_path(path: &CStr, args: &[CString], env: &[CString]) -> nix::errno::Errno {
    match nix::unistd::execve(path, args, env) {
        Err(errno) => errno,
    }
}

/// A descriptor that stays open for the rest of this process's life.
pub(crate) fn borrow_for_good(fd: RawFd) -> BorrowedFd<'static> {
    // SAFETY: only the step's init uses it, for the pipe it keeps until it exits.
    unsafe { BorrowedFd::borrow_raw(fd) }
}
