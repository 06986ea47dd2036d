//! The name server of a session.
//!
//! [`Server`] lives in the engine and answers on sockets that were opened in the session's network namespace.
//! Names of the session come first ([`Names`]), then the host's hosts file; everything else is handed, byte for
//! byte, to the name servers the host uses. It keeps no cache and understands no more of a packet than its
//! question.

mod host;
mod packet;

use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rustix::event::{EventfdFlags, PollFd, PollFlags, Timespec, eventfd, poll};
use rustix::io::Errno;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};

use host::Host;
pub use host::HostFiles;
use packet::{Code, Question};

/// How long one server gets to answer before the next is asked.
const SERVER_TIMEOUT: Duration = Duration::from_secs(2);
/// How often the whole list is asked.
const ROUNDS: usize = 2;
/// Queries waiting for a server; further ones wait in the socket.
const PENDING: usize = 256;
/// TCP clients served at a time; further ones wait in the listener.
const TCP_CLIENTS: usize = 32;
/// How long a TCP client may be silent.
const TCP_IDLE: Duration = Duration::from_secs(10);
const PACKET: usize = 65_535;
const QUERIES_PER_TURN: usize = 64;
/// The reverse zone of the session's network; nobody else's servers have an answer worth waiting for.
const REVERSE_ZONE: &str = "88.10.in-addr.arpa";

/// The names a session knows.
pub trait Names: Send + Sync {
    /// The addresses of `name` as `client` may see it, or `None` if the session has no such name.
    ///
    /// `name` is in lower case, without a final dot. Must not block.
    fn lookup(&self, client: IpAddr, name: &str) -> Option<Vec<IpAddr>>;

    /// Whether `name` can only be the session's: nobody else is asked for it, known or not.
    fn owns(&self, _name: &str) -> bool {
        false
    }
}

/// What may be asked for, and who wants to know the answers.
pub trait Gate: Send + Sync {
    /// What to do with a question for `name`, which is in lower case, without a final dot. Must not block.
    fn judge(&self, name: &str) -> Verdict;

    /// Told of the addresses of a name that is to be reported, before the step is.
    fn answered(&self, name: &str, addresses: &[IpAddr]);
}

/// What to do with a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Answer it.
    Answer,
    /// Answer it, and report the answer.
    Report,
    /// Say that there is no such name.
    Refuse,
}

/// Everything may be asked for, and nobody wants to know.
struct Open;

impl Gate for Open {
    fn judge(&self, _: &str) -> Verdict {
        Verdict::Answer
    }

    fn answered(&self, _: &str, _: &[IpAddr]) {}
}

/// What all threads of a server share.
struct Shared {
    names: Arc<dyn Names>,
    gate: Arc<dyn Gate>,
    host: Mutex<Host>,
    stop: AtomicBool,
    /// Readable for ever once the server stops.
    stopped: OwnedFd,
}

impl Shared {
    fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    fn servers(&self) -> Vec<SocketAddr> {
        self.host
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .servers()
    }

    /// Answers what can be answered here.
    fn resolve(&self, query: &[u8], client: IpAddr) -> Resolution {
        let question = match packet::parse(query) {
            Ok(question) => question,
            Err(Some(code)) => return Resolution::Reply(packet::failure(query, None, code)),
            Err(None) => return Resolution::Ignore,
        };
        let verdict = self.gate.judge(&question.name);
        let addresses = self.names.lookup(client, &question.name).or_else(|| {
            // What is refused, the host's files do not know either.
            (verdict != Verdict::Refuse)
                .then(|| self.own(&question))
                .flatten()
        });
        if let Some(addresses) = addresses {
            if verdict == Verdict::Report {
                self.gate.answered(&question.name, &addresses);
            }
            return Resolution::Reply(packet::answer(query, &question, &addresses));
        }
        let foreign = verdict == Verdict::Refuse || is_within(&question.name, REVERSE_ZONE);
        if foreign || self.names.owns(&question.name) {
            let reply = packet::failure(query, Some(&question), Code::NoSuchName);
            return Resolution::Reply(reply);
        }
        Resolution::Forward(question)
    }

    /// Lets the gate know what a server of the host has answered.
    fn report(&self, question: &Question, reply: &[u8]) {
        if self.gate.judge(&question.name) == Verdict::Report {
            let addresses = packet::addresses(question, reply);
            self.gate.answered(&question.name, &addresses);
        }
    }

    fn own(&self, question: &Question) -> Option<Vec<IpAddr>> {
        // RFC 6761: never asked of anyone else.
        if is_within(&question.name, "localhost") {
            return Some(vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()]);
        }
        self.host
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .lookup(&question.name)
    }
}

fn is_within(name: &str, zone: &str) -> bool {
    name.strip_suffix(zone)
        .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

enum Resolution {
    Reply(Vec<u8>),
    Forward(Question),
    Ignore,
}

/// A running name server; dropping it ends its threads.
#[must_use]
pub struct Server {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl fmt::Debug for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Server").finish_non_exhaustive()
    }
}

impl Server {
    /// Serves a bound datagram socket and a listener, asking the host's servers from the network namespace of the
    /// calling thread.
    ///
    /// # Errors
    /// When the process has no descriptors or threads left.
    pub fn start(
        udp: OwnedFd,
        tcp: OwnedFd,
        names: Arc<dyn Names>,
        files: HostFiles,
    ) -> io::Result<Self> {
        Self::start_behind(udp, tcp, names, files, Arc::new(Open))
    }

    /// As [`Server::start`], with a say for `gate` in what is answered.
    ///
    /// # Errors
    /// When the process has no descriptors or threads left.
    pub fn start_behind(
        udp: OwnedFd,
        tcp: OwnedFd,
        names: Arc<dyn Names>,
        files: HostFiles,
        gate: Arc<dyn Gate>,
    ) -> io::Result<Self> {
        rustix::io::ioctl_fionbio(&udp, true)?;
        rustix::io::ioctl_fionbio(&tcp, true)?;
        let shared = Arc::new(Shared {
            names,
            gate,
            host: Mutex::new(Host::new(files)),
            stop: AtomicBool::new(false),
            stopped: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?,
        });
        let datagrams = Datagrams {
            udp,
            tcp,
            shared: Arc::clone(&shared),
            pending: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("nsci-dns".to_owned())
            .spawn(move || datagrams.run())?;
        Ok(Self {
            shared,
            thread: Some(thread),
        })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Release);
        // The counter was zero, so the write cannot fail.
        rustix::io::write(&self.shared.stopped, &1u64.to_ne_bytes()).ok();
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the panic hook already.
            thread.join().ok();
        }
    }
}

/// A query that a server of the host is thinking about.
struct Pending {
    query: Vec<u8>,
    question: Question,
    client: SocketAddr,
    /// Servers still to be asked, the next one last.
    left: Vec<SocketAddr>,
    /// A socket per question and server: its port is one more secret that a forged answer would have to guess.
    socket: OwnedFd,
    deadline: Instant,
}

/// The main thread: datagrams, and handing TCP clients to threads of their own.
struct Datagrams {
    udp: OwnedFd,
    tcp: OwnedFd,
    shared: Arc<Shared>,
    pending: Vec<Pending>,
}

impl Datagrams {
    fn run(mut self) {
        let mut clients: Vec<JoinHandle<()>> = Vec::new();
        while !self.shared.is_stopped() {
            clients.retain(|client| !client.is_finished());
            let Ok(ready) = self.wait(clients.len()) else {
                break;
            };
            self.collect_replies(&ready.pending);
            if ready.udp {
                self.take_queries();
            }
            if ready.tcp {
                clients.extend(self.take_client());
            }
        }
        for client in clients {
            client.join().ok();
        }
    }

    fn wait(&self, clients: usize) -> Result<Ready, Errno> {
        let idle = PollFlags::empty();
        let udp = if self.pending.len() < PENDING {
            PollFlags::IN
        } else {
            idle
        };
        let tcp = if clients < TCP_CLIENTS {
            PollFlags::IN
        } else {
            idle
        };
        let mut fds = vec![
            PollFd::new(&self.shared.stopped, PollFlags::IN),
            PollFd::new(&self.udp, udp),
            PollFd::new(&self.tcp, tcp),
        ];
        fds.extend(
            self.pending
                .iter()
                .map(|pending| PollFd::new(&pending.socket, PollFlags::IN)),
        );
        // A full house of TCP clients is looked at again in a while: threads do not end on the poller.
        let full = (clients >= TCP_CLIENTS).then_some(Duration::from_millis(50));
        let now = Instant::now();
        let soonest = self.pending.iter().map(|pending| pending.deadline).min();
        let timeout = soonest.map(|deadline| deadline.saturating_duration_since(now));
        let timeout = timeout.into_iter().chain(full).min().map(timespec);
        match poll(&mut fds, timeout.as_ref()) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(errno) => return Err(errno),
        }
        let set = |fd: &PollFd<'_>| !fd.revents().is_empty();
        let pending = fds[3..].iter().map(set).collect();
        Ok(Ready {
            udp: set(&fds[1]),
            tcp: set(&fds[2]),
            pending,
        })
    }

    fn take_queries(&mut self) {
        let mut buffer = vec![0; PACKET];
        for _ in 0..QUERIES_PER_TURN {
            if self.pending.len() >= PENDING {
                return;
            }
            let received =
                rustix::net::recvfrom(&self.udp, buffer.as_mut_slice(), RecvFlags::DONTWAIT);
            match received {
                Ok((length, _, Some(client))) => {
                    if let Ok(client) = SocketAddr::try_from(client) {
                        self.take_query(&buffer[..length], client);
                    }
                }
                Ok((_, _, None)) | Err(Errno::INTR) => {}
                Err(_) => return,
            }
        }
    }

    fn take_query(&mut self, query: &[u8], client: SocketAddr) {
        match self.shared.resolve(query, client.ip()) {
            Resolution::Reply(reply) => self.reply(&reply, client),
            Resolution::Ignore => {}
            Resolution::Forward(question) => {
                let servers = self.shared.servers();
                let mut left: Vec<SocketAddr> = servers.repeat(ROUNDS);
                left.reverse();
                self.forward(query.to_vec(), question, client, left);
            }
        }
    }

    /// Asks the next server that can be asked at all.
    fn forward(
        &mut self,
        query: Vec<u8>,
        question: Question,
        client: SocketAddr,
        mut left: Vec<SocketAddr>,
    ) {
        while let Some(server) = left.pop() {
            if let Ok(socket) = ask(server, &query) {
                let deadline = Instant::now() + SERVER_TIMEOUT;
                self.pending.push(Pending {
                    query,
                    question,
                    client,
                    left,
                    socket,
                    deadline,
                });
                return;
            }
        }
        self.reply(
            &packet::failure(&query, Some(&question), Code::ServerFailure),
            client,
        );
    }

    fn reply(&self, reply: &[u8], client: SocketAddr) {
        // A client whose socket is full or gone asks again or not at all.
        rustix::net::sendto(&self.udp, reply, SendFlags::DONTWAIT, &client).ok();
    }

    /// Passes answers on, and questions without one to the next server.
    fn collect_replies(&mut self, ready: &[bool]) {
        let now = Instant::now();
        let mut buffer = Vec::new();
        for (pending, ready) in std::mem::take(&mut self.pending).into_iter().zip(ready) {
            let outcome = if *ready {
                buffer.resize(PACKET, 0);
                receive(&pending, &mut buffer)
            } else {
                Outcome::Waiting
            };
            match outcome {
                Outcome::Reply(length) => {
                    let last_word = pending.left.is_empty();
                    if packet::is_server_failure(&buffer[..length]) && !last_word {
                        self.next_server(pending);
                    } else {
                        self.shared.report(&pending.question, &buffer[..length]);
                        self.reply(&buffer[..length], pending.client);
                    }
                }
                Outcome::Waiting if pending.deadline > now => self.pending.push(pending),
                Outcome::Waiting | Outcome::Failed => self.next_server(pending),
            }
        }
    }

    fn next_server(&mut self, pending: Pending) {
        let Pending {
            query,
            question,
            client,
            left,
            ..
        } = pending;
        self.forward(query, question, client, left);
    }

    fn take_client(&self) -> Option<JoinHandle<()>> {
        let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
        let (socket, peer) = rustix::net::acceptfrom_with(&self.tcp, flags).ok()?;
        let client = SocketAddr::try_from(peer?).ok()?.ip();
        let shared = Arc::clone(&self.shared);
        let serve = move || {
            // Either side may close in the middle; the other then sees its connection closed.
            Stream {
                socket,
                shared: &shared,
            }
            .serve(client)
            .ok();
        };
        std::thread::Builder::new()
            .name("nsci-dns-tcp".to_owned())
            .spawn(serve)
            .ok()
    }
}

struct Ready {
    udp: bool,
    tcp: bool,
    pending: Vec<bool>,
}

enum Outcome {
    Reply(usize),
    Waiting,
    Failed,
}

fn receive(pending: &Pending, buffer: &mut [u8]) -> Outcome {
    match rustix::net::recv(&pending.socket, &mut *buffer, RecvFlags::DONTWAIT) {
        Ok((length, _)) => {
            if packet::answers(&pending.query, &pending.question, &buffer[..length]) {
                Outcome::Reply(length)
            } else {
                Outcome::Waiting
            }
        }
        Err(Errno::AGAIN | Errno::INTR) => Outcome::Waiting,
        Err(_) => Outcome::Failed,
    }
}

fn ask(server: SocketAddr, query: &[u8]) -> Result<OwnedFd, Errno> {
    let socket = open(server, SocketType::DGRAM)?;
    rustix::net::connect(&socket, &server)?;
    rustix::net::send(&socket, query, SendFlags::DONTWAIT)?;
    Ok(socket)
}

fn open(server: SocketAddr, kind: SocketType) -> Result<OwnedFd, Errno> {
    let family = if server.is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    rustix::net::socket_with(
        family,
        kind,
        SocketFlags::CLOEXEC | SocketFlags::NONBLOCK,
        None,
    )
}

fn timespec(wait: Duration) -> Timespec {
    // Rounded up, or the last millisecond of a wait would be spent spinning.
    Timespec::try_from(wait + Duration::from_millis(1)).expect("waits are seconds")
}

/// A TCP connection, to a client or to a server, whose every wait ends when the server stops.
struct Stream<'a> {
    socket: OwnedFd,
    shared: &'a Shared,
}

impl Stream<'_> {
    /// Answers a client's queries until it is done.
    fn serve(&self, client: IpAddr) -> Result<(), Errno> {
        loop {
            let query = self.read_packet(Instant::now() + TCP_IDLE)?;
            let reply = match self.shared.resolve(&query, client) {
                Resolution::Reply(reply) => reply,
                Resolution::Ignore => return Ok(()),
                Resolution::Forward(question) => {
                    let reply = self.shared.servers().into_iter().find_map(|server| {
                        self.forward(server, &query)
                            .ok()
                            .filter(|reply| packet::answers(&query, &question, reply))
                    });
                    if let Some(reply) = &reply {
                        self.shared.report(&question, reply);
                    }
                    let failure = || packet::failure(&query, Some(&question), Code::ServerFailure);
                    reply.unwrap_or_else(failure)
                }
            };
            self.write_packet(&reply, Instant::now() + TCP_IDLE)?;
        }
    }

    fn forward(&self, server: SocketAddr, query: &[u8]) -> Result<Vec<u8>, Errno> {
        let deadline = Instant::now() + SERVER_TIMEOUT;
        let upstream = Self {
            socket: open(server, SocketType::STREAM)?,
            shared: self.shared,
        };
        match rustix::net::connect(&upstream.socket, &server) {
            Ok(()) => {}
            Err(Errno::INPROGRESS) => upstream.wait(PollFlags::OUT, deadline)?,
            Err(errno) => return Err(errno),
        }
        upstream.write_packet(query, deadline)?;
        upstream.read_packet(deadline)
    }

    fn read_packet(&self, deadline: Instant) -> Result<Vec<u8>, Errno> {
        let mut length = [0; 2];
        self.read(&mut length, deadline)?;
        let mut packet = vec![0; usize::from(u16::from_be_bytes(length))];
        self.read(&mut packet, deadline)?;
        Ok(packet)
    }

    fn read(&self, mut buffer: &mut [u8], deadline: Instant) -> Result<(), Errno> {
        while !buffer.is_empty() {
            match rustix::net::recv(&self.socket, &mut *buffer, RecvFlags::DONTWAIT) {
                Ok((0, _)) => return Err(Errno::CONNRESET),
                Ok((length, _)) => buffer = &mut buffer[length..],
                Err(Errno::AGAIN) => self.wait(PollFlags::IN, deadline)?,
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn write_packet(&self, packet: &[u8], deadline: Instant) -> Result<(), Errno> {
        let length = u16::try_from(packet.len()).map_err(|_| Errno::MSGSIZE)?;
        let bytes = [&length.to_be_bytes(), packet].concat();
        let mut left = bytes.as_slice();
        while !left.is_empty() {
            match rustix::net::send(&self.socket, left, SendFlags::NOSIGNAL) {
                Ok(length) => left = &left[length..],
                Err(Errno::AGAIN) => self.wait(PollFlags::OUT, deadline)?,
                Err(errno) => return Err(errno),
            }
        }
        Ok(())
    }

    fn wait(&self, events: PollFlags, deadline: Instant) -> Result<(), Errno> {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut fds = [
            PollFd::from_borrowed_fd(self.socket.as_fd(), events),
            PollFd::new(&self.shared.stopped, PollFlags::IN),
        ];
        match poll(&mut fds, Some(&timespec(left))) {
            Ok(0) => Err(Errno::TIMEDOUT),
            Ok(_) if self.shared.is_stopped() => Err(Errno::CANCELED),
            Ok(_) | Err(Errno::INTR) => Ok(()),
            Err(errno) => Err(errno),
        }
    }
}
