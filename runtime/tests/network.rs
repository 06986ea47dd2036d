//! The session network against a real kernel: namespaces, bridge, packet rules, proxy and name server.
//!
//! One process plays every machine. It enters a user and a network namespace of its own while it has one thread;
//! that namespace is "the host". A session, a step and a machine outside are threads that go on into network
//! namespaces of their own. Needs unprivileged user namespaces and nothing else; `bench` measures instead.

#![expect(clippy::unwrap_used, reason = "a failed set-up is a failed test")]
#![expect(clippy::print_stdout, reason = "this file is its own test harness")]

#[expect(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the outside machine is made with the crate's own tools"
)]
#[path = "../src/netlink/mod.rs"]
mod netlink;
#[path = "../src/nft.rs"]
mod nft;

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::net::{
    IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, SocketAddrV4, TcpListener, TcpStream,
    UdpSocket,
};
use std::os::fd::OwnedFd;
use std::panic::AssertUnwindSafe;
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use netlink::route::{LOOPBACK, Pair};
use netlink::{Request, Socket};
use nix::sched::CloneFlags;
use nsci_runtime::SocketKind;
use nsci_runtime::dns::{HostFiles, Names, Server};
use nsci_runtime::network::{self, Egress, EngineSockets, GATEWAY, SessionNetwork, StepAddress};
use nsci_runtime::proxy::{Entrances, Event, NameRule, Policy, Proxy, Refusal, Sockets, Stats};

const HOST: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 1);
const OUTSIDE: Ipv4Addr = Ipv4Addr::new(198, 51, 100, 2);
const HOST6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1);
const OUTSIDE6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 2);
/// A wait this long is a failure. Long enough for a busy machine, since no test measures how fast things are.
const PATIENCE: Duration = Duration::from_secs(20);

type Test = (&'static str, fn(&Outside));

const TESTS: &[Test] = &[
    (
        "outside_machine_is_reached_through_the_host",
        outside_machine_is_reached_through_the_host,
    ),
    (
        "own_addresses_of_the_host_are_refused",
        own_addresses_of_the_host_are_refused,
    ),
    (
        "metadata_is_refused_and_closed_ports_are_closed",
        metadata_is_refused_and_closed_ports_are_closed,
    ),
    (
        "granted_address_of_the_host_is_reached",
        granted_address_of_the_host_is_reached,
    ),
    (
        "forwarded_ports_reach_host_loopback",
        forwarded_ports_reach_host_loopback,
    ),
    (
        "closed_port_outside_is_a_reset",
        closed_port_outside_is_a_reset,
    ),
    ("datagrams_go_out_and_back", datagrams_go_out_and_back),
    (
        "datagrams_to_the_host_are_dropped",
        datagrams_to_the_host_are_dropped,
    ),
    (
        "datagrams_without_a_relay_are_refused_at_once",
        datagrams_without_a_relay_are_refused_at_once,
    ),
    ("outside_is_reached_over_ipv6", outside_is_reached_over_ipv6),
    (
        "without_ipv6_on_the_host_steps_know_at_once",
        without_ipv6_on_the_host_steps_know_at_once,
    ),
    (
        "steps_reach_each_other_over_ipv6",
        steps_reach_each_other_over_ipv6,
    ),
    (
        "denied_destinations_are_refused",
        denied_destinations_are_refused,
    ),
    (
        "granted_names_open_their_addresses",
        granted_names_open_their_addresses,
    ),
    (
        "steps_reach_each_other_from_the_first_packet",
        steps_reach_each_other_from_the_first_packet,
    ),
    (
        "steps_attach_at_the_same_time",
        steps_attach_at_the_same_time,
    ),
    (
        "first_packet_of_a_session_is_not_lost",
        first_packet_of_a_session_is_not_lost,
    ),
    ("bulk_data_arrives_intact", bulk_data_arrives_intact),
    (
        "half_closed_connection_still_answers",
        half_closed_connection_still_answers,
    ),
    ("abrupt_end_is_passed_on", abrupt_end_is_passed_on),
    (
        "connections_inside_are_not_paced",
        connections_inside_are_not_paced,
    ),
    (
        "small_messages_are_not_held_back",
        small_messages_are_not_held_back,
    ),
    (
        "slow_reader_holds_the_writer_back",
        slow_reader_holds_the_writer_back,
    ),
    ("fifty_connections_at_once", fifty_connections_at_once),
    (
        "tunnel_leads_from_the_host_into_a_step",
        tunnel_leads_from_the_host_into_a_step,
    ),
    ("session_names_are_answered", session_names_are_answered),
    ("other_names_are_forwarded", other_names_are_forwarded),
    (
        "truncated_answer_is_completed_over_tcp",
        truncated_answer_is_completed_over_tcp,
    ),
    ("silent_server_is_passed_over", silent_server_is_passed_over),
    (
        "no_server_is_a_failure_at_once",
        no_server_is_a_failure_at_once,
    ),
    ("malformed_queries_do_no_harm", malformed_queries_do_no_harm),
    (
        "step_without_network_has_loopback",
        step_without_network_has_loopback,
    ),
    (
        "session_without_rules_has_no_egress",
        session_without_rules_has_no_egress,
    ),
    ("nothing_is_left_after_drop", nothing_is_left_after_drop),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == "--list") {
        for (name, _) in TESTS {
            println!("{name}: test");
        }
        return ExitCode::SUCCESS;
    }
    if let Err(error) = enter_host() {
        println!("network tests need unprivileged user namespaces: {error}");
        return ExitCode::FAILURE;
    }
    let outside = Outside::start();
    if arguments.iter().any(|argument| argument == "bench") {
        bench::run(&outside);
        return ExitCode::SUCCESS;
    }
    let wanted: Vec<&String> = arguments
        .iter()
        .filter(|argument| !argument.starts_with('-'))
        .collect();
    let (mut passed, mut failed) = (0, 0);
    for (name, test) in TESTS {
        if !wanted.is_empty() && !wanted.iter().any(|wanted| name.contains(wanted.as_str())) {
            continue;
        }
        let started = Instant::now();
        let outcome = std::panic::catch_unwind(AssertUnwindSafe(|| test(&outside)));
        let verdict = if outcome.is_ok() { "ok" } else { "FAILED" };
        println!(
            "test {name} ... {verdict} ({} ms)",
            started.elapsed().as_millis()
        );
        passed += u32::from(outcome.is_ok());
        failed += u32::from(outcome.is_err());
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 && passed > 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// Makes this process the host: root of a user namespace with a network of its own.
fn enter_host() -> io::Result<()> {
    let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
    nix::sched::unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
    std::fs::write("/proc/self/setgroups", "deny")?;
    std::fs::write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
    std::fs::write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
    Ok(())
}

fn enter_network_namespace() {
    nix::sched::unshare(CloneFlags::CLONE_NEWNET).unwrap();
}

type Job<T> = Box<dyn FnOnce(&mut T) + Send>;

/// A thread that stays in a network namespace of its own and does there what it is told.
struct Machine<T> {
    jobs: Option<Sender<Job<T>>>,
    thread: Option<JoinHandle<()>>,
}

impl<T: 'static> Machine<T> {
    fn start(boot: impl FnOnce() -> T + Send + 'static) -> Self {
        let (jobs, inbox): (Sender<Job<T>>, Receiver<Job<T>>) = channel();
        let thread = std::thread::spawn(move || {
            enter_network_namespace();
            let mut state = boot();
            for job in inbox {
                job(&mut state);
            }
        });
        Self {
            jobs: Some(jobs),
            thread: Some(thread),
        }
    }

    fn run<R: Send + 'static>(&self, job: impl FnOnce(&mut T) -> R + Send + 'static) -> R {
        let (sender, result) = channel();
        let job: Job<T> = Box::new(move |state| drop(sender.send(job(state))));
        self.jobs.as_ref().unwrap().send(job).unwrap();
        result
            .recv_timeout(PATIENCE)
            .expect("the machine answers in time")
    }
}

impl<T> Drop for Machine<T> {
    fn drop(&mut self) {
        drop(self.jobs.take());
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
            && !std::thread::panicking()
        {
            panic!("a machine crashed");
        }
    }
}

/// A machine that is not the host, on a wire to it.
struct Outside {
    machine: Machine<()>,
}

impl Outside {
    fn start() -> Self {
        const BRIDGE: u32 = 0x200;
        let mut host = Request::new();
        host.up("lo", LOOPBACK);
        host.bridge("out0", BRIDGE, [2, 0, 0, 0, 0, 1]);
        host.address(BRIDGE, HOST, 24);
        host.address(BRIDGE, HOST6, 64);
        let socket = Socket::route().unwrap();
        socket.send(&host).unwrap();
        let machine = Machine::start(move || {
            let mut wire = Request::new();
            wire.pair(&Pair {
                name: "wire0",
                index: 0x201,
                bridge: BRIDGE,
                peer_name: "eth0",
                peer_index: 2,
                peer_mac: [2, 0, 0, 0, 0, 2],
                peer_thread: rustix::thread::gettid().as_raw_nonzero().get(),
            });
            socket.send(&wire).unwrap();
            let mut inside = Request::new();
            inside.up("lo", LOOPBACK);
            inside.address(2, OUTSIDE, 24);
            inside.address(2, OUTSIDE6, 64);
            inside.up("eth0", 2);
            Socket::route().unwrap().send(&inside).unwrap();
        });
        Self { machine }
    }

    /// Answers datagrams with what they held, backwards, until the process ends.
    fn serve_datagrams(&self, ip: impl Into<IpAddr>) -> SocketAddr {
        let ip = ip.into();
        let socket = self
            .machine
            .run(move |()| UdpSocket::bind((ip, 0)).unwrap());
        let address = socket.local_addr().unwrap();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 1 << 16];
            while let Ok((length, client)) = socket.recv_from(&mut buffer) {
                buffer[..length].reverse();
                // "stop", backwards.
                if &buffer[..length] == b"pots" {
                    return;
                }
                socket.send_to(&buffer[..length], client).unwrap();
            }
        });
        address
    }

    /// Serves one connection after another until the listener is dropped with its thread.
    fn serve(
        &self,
        connections: usize,
        serve: impl Fn(TcpStream) + Send + Sync + 'static,
    ) -> SocketAddr {
        let listener = self
            .machine
            .run(|()| TcpListener::bind((OUTSIDE, 0)).unwrap());
        accept_in_background(listener, connections, serve)
    }
}

fn accept_in_background(
    listener: TcpListener,
    connections: usize,
    serve: impl Fn(TcpStream) + Send + Sync + 'static,
) -> SocketAddr {
    let address = listener.local_addr().unwrap();
    let serve = Arc::new(serve);
    std::thread::spawn(move || {
        for _ in 0..connections {
            let (stream, _) = listener.accept().unwrap();
            let serve = Arc::clone(&serve);
            std::thread::spawn(move || serve(stream));
        }
    });
    address
}

fn echo(mut stream: TcpStream) {
    let mut buffer = vec![0; 1 << 16];
    while let Ok(length @ 1..) = stream.read(&mut buffer) {
        stream.write_all(&buffer[..length]).unwrap();
    }
}

#[derive(Default)]
struct KnownNames(HashMap<&'static str, IpAddr>);

impl Names for KnownNames {
    fn lookup(&self, _client: IpAddr, name: &str) -> Option<Vec<IpAddr>> {
        self.0.get(name).map(|ip| vec![*ip])
    }
}

fn sockets(session: &SessionNetwork) -> EngineSockets {
    EngineSockets::from_named(session.engine_fds().unwrap()).unwrap()
}

/// A session with its engine.
struct Session {
    machine: Arc<Machine<SessionNetwork>>,
    proxy: Proxy,
    _dns: Server,
    events: Arc<Mutex<Vec<Event>>>,
    _files: tempfile::TempDir,
}

/// Opens sockets on the thread that is in the session's namespace.
struct InSession(Arc<Machine<SessionNetwork>>);

impl Sockets for InSession {
    fn open(&self, kind: SocketKind) -> io::Result<OwnedFd> {
        Ok(self.0.run(move |_| match kind {
            SocketKind::Tcp => network::tcp_socket().unwrap(),
            SocketKind::Udp => UdpSocket::bind("0.0.0.0:0").map(unbound).unwrap(),
            SocketKind::Udp6 => UdpSocket::bind("[::]:0").map(unbound).unwrap(),
        }))
    }
}

/// A socket like the given one, without its address.
fn unbound(socket: UdpSocket) -> OwnedFd {
    use rustix::net::{AddressFamily, SocketFlags, SocketType};
    let family = if socket.local_addr().unwrap().is_ipv4() {
        AddressFamily::INET
    } else {
        AddressFamily::INET6
    };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    rustix::net::socket_with(family, SocketType::DGRAM, flags, None).unwrap()
}

#[derive(Default)]
struct Setup {
    no_ipv6: bool,
    policy: Policy,
    names: KnownNames,
    resolv_conf: &'static str,
    hosts: &'static str,
}

impl Setup {
    fn start(self) -> Session {
        let host_has_ipv6 = !self.no_ipv6;
        let machine = Arc::new(Machine::start(move || {
            network::session_setup(host_has_ipv6).unwrap()
        }));
        let sockets = machine.run(|session| {
            if let Egress::Unavailable(error) = &session.egress {
                panic!("no egress: {error}: {}", error.source);
            }
            sockets(session)
        });
        let files = tempfile::tempdir().unwrap();
        let paths = HostFiles {
            resolv_conf: files.path().join("resolv.conf"),
            hosts: files.path().join("hosts"),
        };
        std::fs::write(&paths.resolv_conf, self.resolv_conf).unwrap();
        std::fs::write(&paths.hosts, self.hosts).unwrap();
        let events = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&events);
        let observer = Arc::new(move |event: &Event| {
            log.lock().unwrap().push(match event {
                Event::Refused {
                    client,
                    destination,
                    reason,
                } => Event::Refused {
                    client: *client,
                    destination: *destination,
                    reason: *reason,
                },
                Event::Unreachable {
                    client,
                    destination,
                    error,
                } => Event::Unreachable {
                    client: *client,
                    destination: *destination,
                    error: error.kind().into(),
                },
                other => panic!("unknown event {other:?}"),
            });
        });
        let entrances = Entrances {
            listeners: sockets.proxy.into_iter().chain(sockets.proxy6).collect(),
            relays: sockets.relay.into_iter().chain(sockets.relay6).collect(),
            sockets: Arc::new(InSession(Arc::clone(&machine))),
        };
        let proxy = Proxy::start(entrances, self.policy, observer).unwrap();
        let names = Arc::new(self.names);
        let gate = Arc::new(proxy.name_gate());
        let (udp, tcp) = (sockets.dns_udp, sockets.dns_tcp);
        let dns = Server::start_behind(udp, tcp, names, paths, gate).unwrap();
        Session {
            machine,
            proxy,
            _dns: dns,
            events,
            _files: files,
        }
    }
}

impl Session {
    fn default() -> Self {
        Setup::default().start()
    }

    /// Starts a step that does `work`.
    fn spawn<R: Send + 'static>(
        &self,
        index: u32,
        work: impl FnOnce(StepAddress) -> R + Send + 'static,
    ) -> JoinHandle<R> {
        self.machine.run(move |session| {
            let link = network::prepare_step(session).unwrap();
            std::thread::spawn(move || {
                enter_network_namespace();
                work(link.attach(index).unwrap())
            })
        })
    }

    fn step<R: Send + 'static>(
        &self,
        index: u32,
        work: impl FnOnce(StepAddress) -> R + Send + 'static,
    ) -> R {
        match self.spawn(index, work).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    }

    fn events(&self) -> std::sync::MutexGuard<'_, Vec<Event>> {
        self.events.lock().unwrap()
    }

    fn stats_when(&self, done: impl Fn(&Stats) -> bool) -> Stats {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let stats = self.proxy.stats();
            if done(&stats) {
                return stats;
            }
            assert!(Instant::now() < deadline, "still {stats:?}");
            std::thread::yield_now();
        }
    }
}

/// Runs something in a step, in whose first try everything must succeed.
///
/// The kernel asks again for a neighbour's hardware address only when the test has long given up, and what TCP had to
/// send again is counted.
fn at_first_try<R>(work: impl FnOnce() -> R) -> R {
    ask_neighbours_once("eth0");
    let result = work();
    assert_eq!(retransmitted(), 0, "segments sent again");
    result
}

/// Keeps the kernel from asking again, within any patience, for hardware addresses behind an interface.
fn ask_neighbours_once(interface: &str) {
    for version in ["ipv4", "ipv6"] {
        let path = format!("/proc/sys/net/{version}/neigh/{interface}/retrans_time_ms");
        std::fs::write(path, (10 * PATIENCE).as_millis().to_string()).unwrap();
    }
}

/// How many segments TCP has sent again in the network namespace of the calling thread.
fn retransmitted() -> u64 {
    let counters = std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
    let mut tcp = counters.lines().filter(|line| line.starts_with("Tcp:"));
    let (names, values) = (tcp.next().unwrap(), tcp.next().unwrap());
    let place = names.split(' ').position(|name| name == "RetransSegs");
    let value = values.split(' ').nth(place.unwrap()).unwrap();
    value.parse().unwrap()
}

fn connect(to: impl Into<SocketAddr>) -> TcpStream {
    try_connect(to.into()).unwrap()
}

fn try_connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// Says something and returns what comes back.
fn exchange(to: impl Into<SocketAddr>) -> io::Result<Vec<u8>> {
    let mut stream = try_connect(to.into())?;
    stream.write_all(b"hello")?;
    stream.shutdown(Shutdown::Write)?;
    let mut reply = Vec::new();
    stream.read_to_end(&mut reply)?;
    Ok(reply)
}

#[track_caller]
fn assert_reset<T: std::fmt::Debug>(outcome: io::Result<T>) {
    let kind = outcome.expect_err("the connection is refused").kind();
    let refused = [
        io::ErrorKind::ConnectionReset,
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::BrokenPipe,
        io::ErrorKind::NotConnected,
    ];
    assert!(refused.contains(&kind), "{kind:?}");
}

fn outside_machine_is_reached_through_the_host(outside: &Outside) {
    let (sender, peers) = channel();
    let server = outside.serve(1, move |stream| {
        sender.send(stream.peer_addr().unwrap().ip()).unwrap();
        echo(stream);
    });
    let session = Session::default();
    let reply = session.step(0, move |_| exchange(server).unwrap());
    assert_eq!(reply, b"hello");
    assert_eq!(peers.recv_timeout(PATIENCE).unwrap(), HOST);
    let stats = session.stats_when(|stats| stats.open == 0 && stats.sent > 0);
    assert_eq!(
        (stats.accepted, stats.sent, stats.received, stats.refused),
        (1, 5, 5, 0)
    );
}

fn own_addresses_of_the_host_are_refused(_: &Outside) {
    let listener = TcpListener::bind((HOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let session = Session::default();
    assert_reset(session.step(0, move |_| exchange(address)));
    assert_eq!(refusals(&session), [(address, Refusal::Host)]);
    listener.set_nonblocking(true).unwrap();
    assert_eq!(
        listener.accept().unwrap_err().kind(),
        io::ErrorKind::WouldBlock
    );
}

fn refusals(session: &Session) -> Vec<(SocketAddr, Refusal)> {
    let refused = |event: &Event| match event {
        Event::Refused {
            destination,
            reason,
            ..
        } => Some((*destination, *reason)),
        _ => None,
    };
    session.events().iter().filter_map(refused).collect()
}

fn metadata_is_refused_and_closed_ports_are_closed(_: &Outside) {
    let session = Session::default();
    let metadata = "169.254.169.254:80".parse().unwrap();
    assert!(session.step(0, move |_| exchange(metadata)).is_err());
    assert_eq!(refusals(&session), [(metadata, Refusal::LinkLocal)]);
    for (index, address) in (1..).zip([
        "0.1.2.3:80".parse().unwrap(),
        SocketAddr::from((GATEWAY, 8080)),
        (network::host_ip(3), 80).into(),
        (network::GATEWAY6, 8080).into(),
    ]) {
        let kind = session.step(index, move |_| match try_connect(address) {
            Err(error) => error.kind(),
            // The proxy refuses what the step's kernel lets through.
            Ok(mut stream) => stream.read_exact(&mut [0]).unwrap_err().kind(),
        });
        let expected = match address.ip() {
            IpAddr::V4(ip) if ip.octets()[0] == 0 => continue,
            _ => io::ErrorKind::ConnectionRefused,
        };
        assert_eq!(kind, expected, "{address}");
    }
}

fn granted_address_of_the_host_is_reached(_: &Outside) {
    let address = accept_in_background(TcpListener::bind((HOST, 0)).unwrap(), 1, echo);
    let policy = Policy {
        allow: vec![address.to_string().parse().unwrap()],
        ..Policy::default()
    };
    let session = Setup {
        policy,
        ..Setup::default()
    }
    .start();
    assert_eq!(
        session.step(0, move |_| exchange(address).unwrap()),
        b"hello"
    );
}

fn forwarded_ports_reach_host_loopback(_: &Outside) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let target = accept_in_background(listener, 2, echo);
    let inside = SocketAddrV4::new(GATEWAY, 3128);
    let session = Session::default();
    session.proxy.forward(inside, target).unwrap();
    assert_eq!(
        session.step(0, move |_| exchange(inside).unwrap()),
        b"hello"
    );

    let alias = SocketAddrV4::new(network::host_ip(9), 80);
    session.proxy.forward(alias, target).unwrap();
    assert_eq!(session.step(1, move |_| exchange(alias).unwrap()), b"hello");
    session.proxy.unforward(alias);
    assert_reset(session.step(2, move |_| exchange(alias)));

    // Exposed services do not displace each other, nor the name server.
    let expose = |service: &str| session.proxy.expose(service.parse().unwrap()).unwrap();
    assert_eq!(expose("127.0.0.1:3129"), "10.88.0.1:3129".parse().unwrap());
    assert_eq!(expose("127.0.0.1:3129"), "10.88.0.1:3129".parse().unwrap());
    assert_eq!(
        expose("127.0.0.2:3129"),
        "10.88.255.1:3129".parse().unwrap()
    );
    assert_eq!(expose("127.0.0.1:53"), "10.88.255.1:53".parse().unwrap());
    let taken = SocketAddrV4::new(GATEWAY, 53);
    assert!(session.proxy.forward(taken, target).is_err());
}

fn closed_port_outside_is_a_reset(outside: &Outside) {
    let closed = outside
        .machine
        .run(|()| TcpListener::bind((OUTSIDE, 0)).unwrap().local_addr());
    let closed = closed.unwrap();
    let session = Session::default();
    assert_reset(session.step(0, move |_| exchange(closed)));
    let events = session.events();
    let [
        Event::Unreachable {
            destination, error, ..
        },
    ] = events.as_slice()
    else {
        panic!("{events:?}");
    };
    assert_eq!(
        (*destination, error.kind()),
        (closed, io::ErrorKind::ConnectionRefused)
    );
}

/// Sends datagrams and expects each back, reversed.
fn talk(to: SocketAddr, datagrams: &[Vec<u8>]) {
    let any = if to.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    // Connected, so that an answer from anywhere else would be lost.
    socket.connect(to).unwrap();
    let mut buffer = vec![0; 1 << 16];
    for datagram in datagrams {
        socket.send(datagram).unwrap();
        let received = socket.recv(&mut buffer);
        let length = received.unwrap_or_else(|error| panic!("{} bytes: {error}", datagram.len()));
        let expected: Vec<u8> = datagram.iter().rev().copied().collect();
        assert!(buffer[..length] == expected, "{length} bytes");
    }
}

fn datagrams_go_out_and_back(outside: &Outside) {
    let server = outside.serve_datagrams(OUTSIDE);
    let session = Session::default();
    let datagrams = vec![b"one".to_vec(), vec![], pattern(1400), pattern(9000)];
    let steps: Vec<_> = (0..4)
        .map(|index| {
            let datagrams = datagrams.clone();
            session.spawn(index, move |_| talk(server, &datagrams))
        })
        .collect();
    for step in steps {
        step.join().unwrap();
    }
    // One at a time, because the server's socket has no room for more.
    session.step(8, move |_| talk(server, &[pattern(60_000)]));
    assert_eq!(session.proxy.stats().exchanges, 5);
    session.step(9, move |_| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(b"stop", server).unwrap();
    });
}

fn datagrams_to_the_host_are_dropped(_: &Outside) {
    let listener = UdpSocket::bind((HOST, 0)).unwrap();
    listener
        .set_read_timeout(Some(Duration::from_millis(300)))
        .unwrap();
    let address = listener.local_addr().unwrap();
    let session = Session::default();
    session.step(0, move |_| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(b"hello", address).unwrap();
        socket.send_to(b"hello", "169.254.169.254:53").unwrap();
    });
    session.stats_when(|stats| stats.refused == 2);
    let metadata = "169.254.169.254:53".parse().unwrap();
    assert_eq!(
        refusals(&session),
        [(address, Refusal::Host), (metadata, Refusal::LinkLocal)]
    );
    assert!(listener.recv(&mut [0; 8]).is_err());
}

/// As on a kernel that cannot divert datagrams.
fn datagrams_without_a_relay_are_refused_at_once(_: &Outside) {
    let machine = Machine::start(|| {
        let mut request = Request::new();
        request.up("lo", LOOPBACK);
        request.bridge("test0", 0x300, [2, 0, 0, 0, 0, 3]);
        request.address(0x300, Ipv4Addr::new(10, 88, 0, 1), 16);
        request.wire_route(0x300, netlink::route::AddressVersion::V4);
        Socket::route().unwrap().send(&request).unwrap();
        nft::load(&nft::Plan {
            bridge: 0x300,
            inside: (Ipv4Addr::new(10, 88, 0, 0).into(), 16),
            proxy_port: 1,
            relay_port: None,
        })
        .unwrap();
    });
    let answer = machine.run(|()| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.connect((OUTSIDE, 443)).unwrap();
        socket.set_read_timeout(Some(PATIENCE)).unwrap();
        // The answer may be there before the call returns.
        let error = match socket.send(b"quic") {
            Ok(_) => socket.recv(&mut [0; 8]).unwrap_err(),
            Err(error) => error,
        };
        error.kind()
    });
    // Without an answer it would be `WouldBlock`.
    let refused = [
        io::ErrorKind::ConnectionRefused,
        io::ErrorKind::PermissionDenied,
    ];
    assert!(refused.contains(&answer), "{answer:?}");
}

fn outside_is_reached_over_ipv6(outside: &Outside) {
    let (sender, peers) = channel();
    let listener = outside
        .machine
        .run(|()| TcpListener::bind((OUTSIDE6, 0)).unwrap());
    let server = accept_in_background(listener, 1, move |stream| {
        sender.send(stream.peer_addr().unwrap().ip()).unwrap();
        echo(stream);
    });
    let datagrams = outside.serve_datagrams(OUTSIDE6);
    let session = Session::default();
    session.machine.run(|_| ask_neighbours_once("nsci0"));
    let reply = session.step(0, move |_| at_first_try(|| exchange(server).unwrap()));
    assert_eq!(reply, b"hello");
    assert_eq!(peers.recv_timeout(PATIENCE).unwrap(), IpAddr::V6(HOST6));
    session.step(1, move |_| {
        talk(datagrams, &[b"one".to_vec(), pattern(9000)]);
        let socket = UdpSocket::bind("[::]:0").unwrap();
        socket.send_to(b"stop", datagrams).unwrap();
    });
    // The host itself is as closed as over IPv4.
    let own = TcpListener::bind((HOST6, 0)).unwrap();
    let address = own.local_addr().unwrap();
    assert_reset(session.step(2, move |_| exchange(address)));
    assert_eq!(refusals(&session), [(address, Refusal::Host)]);
}

fn without_ipv6_on_the_host_steps_know_at_once(_: &Outside) {
    let setup = Setup {
        no_ipv6: true,
        ..Setup::default()
    };
    let session = setup.start();
    let error = session.step(0, |_| TcpStream::connect((OUTSIDE6, 80)).unwrap_err());
    assert_eq!(error.kind(), io::ErrorKind::NetworkUnreachable);
}

fn steps_reach_each_other_over_ipv6(_: &Outside) {
    let session = Session::default();
    let (sender, address) = channel();
    let (stop, stopped) = channel::<()>();
    let server = session.spawn(0, move |step| {
        assert_eq!(step.ip6, Some(network::step_ip6(0)));
        let listener = TcpListener::bind((step.ip6.unwrap(), 0)).unwrap();
        sender
            .send(accept_in_background(listener, 5, echo))
            .unwrap();
        stopped.recv().unwrap_err();
    });
    let address = address.recv_timeout(PATIENCE).unwrap();
    for index in 1..=5 {
        let peer = session.step(index, move |_| {
            let stream = at_first_try(|| connect(address));
            stream.local_addr().unwrap().ip()
        });
        assert_eq!(peer, IpAddr::V6(network::step_ip6(index)));
    }
    assert_eq!(session.proxy.stats().accepted, 0);
    drop(stop);
    server.join().unwrap();
}

fn denied_destinations_are_refused(outside: &Outside) {
    let (granted, denied) = (outside.serve(1, echo), outside.serve(1, echo));
    let datagrams = outside.serve_datagrams(OUTSIDE);
    let policy = Policy {
        deny: vec!["198.51.100.0/24".parse().unwrap()],
        allow: vec![granted.to_string().parse().unwrap()],
        ..Policy::default()
    };
    let session = Setup {
        policy,
        ..Setup::default()
    }
    .start();
    assert_eq!(
        session.step(0, move |_| exchange(granted).unwrap()),
        b"hello"
    );
    assert_reset(session.step(1, move |_| exchange(denied)));
    session.step(2, move |_| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.send_to(b"x", datagrams).unwrap();
    });
    session.stats_when(|stats| stats.refused == 2);
    assert_eq!(
        refusals(&session),
        [(denied, Refusal::Denied), (datagrams, Refusal::Denied)]
    );
}

/// The host's hosts file answers here as a server of the host would.
fn granted_names_open_their_addresses(_: &Outside) {
    let listener = TcpListener::bind((HOST, 0)).unwrap();
    let server = accept_in_background(listener, 1, echo);
    let policy = Policy {
        allow_names: vec![NameRule {
            name: "self.test".to_owned(),
            port: Some(server.port()),
        }],
        deny_names: vec!["ads.test".to_owned()],
        ..Policy::default()
    };
    let session = Setup {
        policy,
        hosts: "198.51.100.1 self.test other.test ads.test\n",
        ..Setup::default()
    }
    .start();
    // Nobody has asked for the name yet, and the address alone is the host's.
    assert_reset(session.step(0, move |_| exchange(server)));
    session.step(1, |_| assert_eq!(code(&ask("other.test")), 0));
    assert_reset(session.step(2, move |_| exchange(server)));
    let reply = session.step(3, move |_| {
        assert!(ask("self.test").ends_with(&HOST.octets()));
        exchange(server).unwrap()
    });
    assert_eq!(reply, b"hello");
    // There is no such name, whatever the hosts file says.
    session.step(4, |_| assert_eq!(code(&ask("ads.test")), 3));
}

fn steps_reach_each_other_from_the_first_packet(_: &Outside) {
    let session = Session::default();
    let (sender, address) = channel();
    let (stop, stopped) = channel::<()>();
    let server = session.spawn(0, move |step| {
        let listener = TcpListener::bind((step.ip, 0)).unwrap();
        let local = accept_in_background(listener, 30, echo);
        sender.send(local).unwrap();
        stopped.recv().unwrap_err();
    });
    let address = address.recv_timeout(PATIENCE).unwrap();
    for index in 1..=30 {
        session.step(index, move |step| {
            let stream = at_first_try(|| connect(address));
            assert_eq!(stream.local_addr().unwrap().ip(), step.ip);
            assert_eq!(step.ip, IpAddr::V4(network::step_ip(index)));
        });
    }
    assert_eq!(
        session.proxy.stats().accepted,
        0,
        "the proxy saw none of it"
    );
    drop(stop);
    server.join().unwrap();
}

fn steps_attach_at_the_same_time(outside: &Outside) {
    const STEPS: u32 = 32;
    let server = outside.serve(STEPS as usize, echo);
    let session = Session::default();
    let steps: Vec<_> = (0..STEPS)
        .map(|index| session.spawn(index, move |_| exchange(server).unwrap()))
        .collect();
    for step in steps {
        assert_eq!(step.join().unwrap(), b"hello");
    }
}

fn first_packet_of_a_session_is_not_lost(_: &Outside) {
    for _ in 0..30 {
        let names = KnownNames([("db", IpAddr::V4(network::step_ip(7)))].into());
        let session = Setup {
            names,
            ..Setup::default()
        }
        .start();
        session.machine.run(|_| ask_neighbours_once("nsci0"));
        // Nobody sends a lost datagram again.
        session.step(0, |_| at_first_try(|| ask("db")));
    }
}

/// Bytes that repeat only after far more than any buffer holds.
fn pattern(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        bytes.extend_from_slice(&state.to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn bulk_data_arrives_intact(outside: &Outside) {
    const SIZE: usize = 64 << 20;
    let data = Arc::new(pattern(SIZE));
    let server = outside.serve(1, echo);
    let session = Session::default();
    let expected = Arc::clone(&data);
    session.step(0, move |_| {
        let mut stream = connect(server);
        let mut writer = stream.try_clone().unwrap();
        let sending = Arc::clone(&data);
        let write = std::thread::spawn(move || {
            writer.write_all(&sending).unwrap();
            writer.shutdown(Shutdown::Write).unwrap();
        });
        let mut received = Vec::with_capacity(SIZE);
        stream.read_to_end(&mut received).unwrap();
        write.join().unwrap();
        assert_eq!(received.len(), SIZE);
        assert!(received == *expected, "the bytes differ");
    });
    let stats = session.stats_when(|stats| stats.open == 0 && stats.sent > 0);
    assert_eq!((stats.sent, stats.received), (SIZE as u64, SIZE as u64));
}

fn half_closed_connection_still_answers(outside: &Outside) {
    let server = outside.serve(1, |mut stream| {
        let mut request = Vec::new();
        stream.read_to_end(&mut request).unwrap();
        request.reverse();
        stream.write_all(&request).unwrap();
    });
    let session = Session::default();
    assert_eq!(
        session.step(0, move |_| exchange(server).unwrap()),
        b"olleh"
    );
}

fn abrupt_end_is_passed_on(outside: &Outside) {
    let server = outside.serve(1, |mut stream| {
        stream.read_exact(&mut [0; 4]).unwrap();
        let linger = Some(Duration::ZERO);
        rustix::net::sockopt::set_socket_linger(&stream, linger).unwrap();
    });
    let session = Session::default();
    let outcome = session.step(0, move |_| {
        let mut stream = connect(server);
        stream.write_all(b"ping").unwrap();
        stream.read(&mut [0; 4])
    });
    assert_reset(outcome);
    session.stats_when(|stats| stats.open == 0);
}

fn connections_inside_are_not_paced(outside: &Outside) {
    let server = outside.serve(1, echo);
    let session = Session::default();
    let control = session.step(0, move |_| {
        rustix::net::sockopt::tcp_congestion(connect(server)).unwrap()
    });
    assert_eq!(control, "reno");
}

fn small_messages_are_not_held_back(outside: &Outside) {
    let server = outside.serve(1, |stream| {
        stream.set_nodelay(true).unwrap();
        echo(stream);
    });
    let session = Session::default();
    let took = session.step(0, move |_| {
        let mut stream = connect(server);
        let started = Instant::now();
        for _ in 0..500 {
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
        }
        started.elapsed()
    });
    // Corking would hold each message back for 40 to 200 ms, all of them for 20 s at least; they take 0.03 s.
    assert!(took < Duration::from_secs(10), "{took:?}");
}

fn slow_reader_holds_the_writer_back(outside: &Outside) {
    const SIZE: usize = 64 << 20;
    let (go, may_read) = channel::<()>();
    let may_read = Mutex::new(may_read);
    let (sender, totals) = channel();
    let server = outside.serve(1, move |mut stream| {
        may_read.lock().unwrap().recv_timeout(PATIENCE).unwrap();
        sender
            .send(io::copy(&mut stream, &mut io::sink()).unwrap())
            .unwrap();
    });
    let session = Session::default();
    let sent = session.step(0, move |_| {
        let mut stream = connect(server);
        stream.set_nonblocking(true).unwrap();
        let chunk = vec![7; 1 << 16];
        let (mut sent, mut idle_since) = (0, Instant::now());
        // Until nothing has been taken for a while, which is when every buffer on the way is full.
        while sent < SIZE && idle_since.elapsed() < Duration::from_millis(300) {
            if let Ok(length) = stream.write(&chunk) {
                sent += length;
                idle_since = Instant::now();
            }
        }
        assert!(sent < SIZE, "64 MiB went into buffers");
        go.send(()).unwrap();
        sent
    });
    assert_eq!(totals.recv_timeout(PATIENCE).unwrap(), sent as u64);
}

fn fifty_connections_at_once(outside: &Outside) {
    let server = outside.serve(50, echo);
    let session = Session::default();
    session.step(0, move |_| {
        let mut streams: Vec<TcpStream> = (0..50).map(|_| connect(server)).collect();
        for (number, stream) in (0u8..).zip(&mut streams) {
            stream.write_all(&[number; 1000]).unwrap();
        }
        for (number, stream) in (0u8..).zip(&mut streams) {
            let mut reply = [0; 1000];
            stream.read_exact(&mut reply).unwrap();
            assert_eq!(reply, [number; 1000]);
        }
    });
    let stats = session.stats_when(|stats| stats.open == 0 && stats.accepted == 50);
    assert_eq!(stats.received, 50_000);
}

fn tunnel_leads_from_the_host_into_a_step(_: &Outside) {
    let session = Session::default();
    let (sender, address) = channel();
    let (stop, stopped) = channel::<()>();
    let service = session.spawn(4, move |step| {
        let listener = TcpListener::bind((step.ip, 80)).unwrap();
        sender
            .send(accept_in_background(listener, 1, echo))
            .unwrap();
        stopped.recv().unwrap_err();
    });
    let target = address.recv_timeout(PATIENCE).unwrap();
    let published = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = published.local_addr().unwrap();
    let client = std::thread::spawn(move || exchange(port).unwrap());
    let (accepted, _) = published.accept().unwrap();
    let socket = session.machine.run(|_| network::tcp_socket().unwrap());
    session
        .proxy
        .tunnel(OwnedFd::from(accepted), socket, target);
    assert_eq!(client.join().unwrap(), b"hello");
    drop(stop);
    service.join().unwrap();
}

/// A query for the A record of a name.
fn query(name: &str) -> Vec<u8> {
    let mut bytes = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        bytes.push(u8::try_from(label.len()).unwrap());
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.extend_from_slice(&[0, 0, 1, 0, 1]);
    bytes
}

fn ask(name: &str) -> Vec<u8> {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    socket.connect((GATEWAY, 53)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(&query(name)).unwrap();
    let mut reply = vec![0; 1 << 16];
    let length = socket.recv(&mut reply).unwrap();
    reply.truncate(length);
    reply
}

fn ask_over_tcp(name: &str) -> Vec<u8> {
    let mut stream = connect((GATEWAY, 53));
    let query = query(name);
    stream
        .write_all(&u16::try_from(query.len()).unwrap().to_be_bytes())
        .unwrap();
    stream.write_all(&query).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).unwrap();
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).unwrap();
    reply
}

fn code(reply: &[u8]) -> u8 {
    reply[3] & 15
}

/// The name server of the host: it has every name at 192.0.2.9, truncates names that begin with `big`, and serves
/// until it is dropped.
struct Upstream {
    address: Ipv4Addr,
    udp: Option<JoinHandle<()>>,
    tcp: Option<JoinHandle<()>>,
}

const UPSTREAM_ANSWER: [u8; 4] = [192, 0, 2, 9];

fn upstream_reply(query: &[u8], truncated: bool) -> Vec<u8> {
    let mut reply = query.to_vec();
    reply[2] |= 0x80;
    if truncated {
        reply[2] |= 0x02;
        return reply;
    }
    reply[7] = 1;
    reply.extend_from_slice(&[0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4]);
    reply.extend_from_slice(&UPSTREAM_ANSWER);
    reply
}

impl Upstream {
    fn start(address: Ipv4Addr) -> Self {
        let udp = UdpSocket::bind((address, 53)).unwrap();
        let tcp = TcpListener::bind((address, 53)).unwrap();
        let udp = std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let (length, client) = udp.recv_from(&mut buffer).unwrap();
                if length == 0 {
                    return;
                }
                let reply = upstream_reply(&buffer[..length], buffer[13..].starts_with(b"big"));
                udp.send_to(&reply, client).unwrap();
            }
        });
        let tcp = std::thread::spawn(move || {
            loop {
                let (mut stream, _) = tcp.accept().unwrap();
                let mut length = [0; 2];
                if stream.read_exact(&mut length).is_err() {
                    return;
                }
                let mut query = vec![0; usize::from(u16::from_be_bytes(length))];
                stream.read_exact(&mut query).unwrap();
                let reply = upstream_reply(&query, false);
                stream
                    .write_all(&u16::try_from(reply.len()).unwrap().to_be_bytes())
                    .unwrap();
                stream.write_all(&reply).unwrap();
            }
        });
        Self {
            address,
            udp: Some(udp),
            tcp: Some(tcp),
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        UdpSocket::bind("127.0.0.1:0")
            .unwrap()
            .send_to(&[], (self.address, 53))
            .unwrap();
        drop(TcpStream::connect((self.address, 53)).unwrap());
        for thread in [self.udp.take(), self.tcp.take()].into_iter().flatten() {
            thread.join().unwrap();
        }
    }
}

fn session_names_are_answered(_: &Outside) {
    let names = KnownNames([("db", IpAddr::V4(network::step_ip(7)))].into());
    let session = Setup {
        names,
        hosts: "192.0.2.77 mirror.test\n",
        ..Setup::default()
    }
    .start();
    let replies = session.step(0, |_| {
        [
            ask("db"),
            ask("DB"),
            ask_over_tcp("db"),
            ask("mirror.test"),
            ask("9.0.88.10.in-addr.arpa"),
        ]
    });
    for reply in &replies[..3] {
        assert!(
            code(reply) == 0 && reply.ends_with(&network::step_ip(7).octets()),
            "{reply:?}"
        );
    }
    assert!(replies[3].ends_with(&[192, 0, 2, 77]));
    assert_eq!(code(&replies[4]), 3);
}

fn other_names_are_forwarded(_: &Outside) {
    let _upstream = Upstream::start(Ipv4Addr::LOCALHOST);
    let session = Setup {
        resolv_conf: "nameserver 127.0.0.1\n",
        ..Setup::default()
    }
    .start();
    let replies = session.step(0, |_| [ask("registry.test"), ask_over_tcp("registry.test")]);
    for reply in replies {
        assert_eq!(
            reply,
            upstream_reply(&query("registry.test"), false),
            "byte for byte"
        );
    }
}

fn truncated_answer_is_completed_over_tcp(_: &Outside) {
    let _upstream = Upstream::start(Ipv4Addr::LOCALHOST);
    let session = Setup {
        resolv_conf: "nameserver 127.0.0.1\n",
        ..Setup::default()
    }
    .start();
    let (short, whole) = session.step(0, |_| (ask("big.test"), ask_over_tcp("big.test")));
    assert_eq!(short[2] & 2, 2);
    assert!(whole.ends_with(&UPSTREAM_ANSWER));
}

fn silent_server_is_passed_over(_: &Outside) {
    let _silent = UdpSocket::bind("127.0.0.2:53").unwrap();
    let _upstream = Upstream::start(Ipv4Addr::LOCALHOST);
    let resolv_conf = "nameserver 127.0.0.2\nnameserver 127.0.0.3\nnameserver 127.0.0.1\n";
    let session = Setup {
        resolv_conf,
        ..Setup::default()
    }
    .start();
    let (datagram, stream) = session.step(0, |_| (ask("a.test"), ask_over_tcp("a.test")));
    assert!(datagram.ends_with(&UPSTREAM_ANSWER) && stream.ends_with(&UPSTREAM_ANSWER));
}

fn no_server_is_a_failure_at_once(_: &Outside) {
    let session = Setup {
        resolv_conf: "nameserver 127.0.0.4\n",
        ..Setup::default()
    }
    .start();
    let started = Instant::now();
    session.step(0, |_| {
        for _ in 0..10 {
            assert_eq!(code(&ask("a.test")), 2);
            assert_eq!(code(&ask_over_tcp("a.test")), 2);
        }
    });
    // Twenty times the patience with a silent server would be 40 s.
    assert!(started.elapsed() < PATIENCE, "{:?}", started.elapsed());
}

fn malformed_queries_do_no_harm(_: &Outside) {
    let names = KnownNames([("db", IpAddr::V4(network::step_ip(7)))].into());
    let session = Setup {
        names,
        ..Setup::default()
    }
    .start();
    session.step(0, |_| {
        let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
        socket.connect((GATEWAY, 53)).unwrap();
        let noise = pattern(1 << 16);
        for length in 0..600 {
            socket.send(&noise[length..2 * length]).unwrap();
            // Now and then, so that the noise does not merely overflow the server's socket.
            if length % 20 == 0 {
                assert!(ask("db").ends_with(&network::step_ip(7).octets()));
            }
        }
        let mut stream = connect((GATEWAY, 53));
        stream.write_all(&noise[..20]).unwrap();
        drop(stream);
        assert!(ask_over_tcp("db").ends_with(&network::step_ip(7).octets()));
    });
}

fn step_without_network_has_loopback(_: &Outside) {
    let lonely = Machine::start(|| network::loopback_up().unwrap());
    lonely.run(|()| {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = accept_in_background(listener, 1, echo);
        assert_eq!(exchange(address).unwrap(), b"hello");
        let error = try_connect((OUTSIDE, 80).into()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NetworkUnreachable);
    });
}

fn session_without_rules_has_no_egress(_: &Outside) {
    let machine = Machine::start(|| {
        // A table of that name makes the kernel refuse the session's rules, as a kernel without them would.
        let plan = nft::Plan {
            bridge: 1,
            inside: (Ipv4Addr::UNSPECIFIED.into(), 0),
            proxy_port: 1,
            relay_port: None,
        };
        nft::load(&plan).unwrap();
        network::session_setup(true).unwrap()
    });
    let (step, has_listener) = machine.run(|session| {
        let Egress::Unavailable(error) = &session.egress else {
            panic!("the rules were loaded twice");
        };
        assert!(error.action.contains("nft"), "{}", error.action);
        let link = network::prepare_step(session).unwrap();
        let step = std::thread::spawn(move || {
            enter_network_namespace();
            link.attach(0).unwrap();
            let dns = UdpSocket::bind("0.0.0.0:0").unwrap();
            dns.send_to(b"x", (GATEWAY, 53)).unwrap();
            try_connect((OUTSIDE, 80).into()).unwrap_err().kind()
        });
        (step, sockets(session).proxy.is_some())
    });
    assert!(!has_listener);
    assert_eq!(step.join().unwrap(), io::ErrorKind::NetworkUnreachable);
}

fn nothing_is_left_after_drop(outside: &Outside) {
    let count = |directory: &str| std::fs::read_dir(directory).unwrap().count();
    let census = || (count("/proc/self/task"), count("/proc/self/fd"));
    // Servers of earlier tests end with their connections, on threads nobody joins.
    let settled = |expected: Option<(usize, usize)>| {
        let deadline = Instant::now() + PATIENCE;
        let mut last = (census(), Instant::now());
        loop {
            let now = census();
            if now != last.0 {
                last = (now, Instant::now());
            }
            let long_enough = last.1.elapsed() > Duration::from_millis(200);
            if expected.map_or(long_enough, |expected| now == expected) {
                return now;
            }
            assert!(Instant::now() < deadline, "{now:?} instead of {expected:?}");
            std::thread::yield_now();
        }
    };
    let before = settled(None);
    let server = outside.serve(3, echo);
    let session = Setup {
        resolv_conf: "nameserver 127.0.0.2\nnameserver 127.0.0.3\nnameserver 127.0.0.4\n",
        ..Setup::default()
    }
    .start();
    let silent = [2, 3, 4].map(|last| UdpSocket::bind((Ipv4Addr::new(127, 0, 0, last), 53)));
    assert!(silent.iter().all(Result::is_ok), "{silent:?}");
    let (ready, is_ready) = channel();
    let step = session.spawn(0, move |_| {
        let mut streams: Vec<TcpStream> = (0..3).map(|_| connect(server)).collect();
        for stream in &mut streams {
            stream.write_all(b"x").unwrap();
            stream.read_exact(&mut [0]).unwrap();
        }
        let resolver = UdpSocket::bind("0.0.0.0:0").unwrap();
        resolver
            .send_to(&query("never.test"), (GATEWAY, 53))
            .unwrap();
        let _idle_client = connect((GATEWAY, 53));
        ready.send(()).unwrap();
        for stream in &mut streams {
            // The engine is gone, and says so.
            assert!(matches!(stream.read(&mut [0]), Ok(0) | Err(_)));
        }
    });
    is_ready.recv_timeout(PATIENCE).unwrap();
    assert!(
        census().0 >= before.0 + 4,
        "proxy, name server, session and step are running"
    );
    let started = Instant::now();
    let Session {
        machine,
        proxy,
        _dns,
        ..
    } = session;
    drop((proxy, _dns));
    // The silent servers have 6 s for their answers, the idle client 10 s.
    let took = started.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    step.join().unwrap();
    drop(machine);
    drop(silent);
    settled(Some(before));
}

/// Numbers for the design notes; not part of the tests.
mod bench {
    use super::*;

    const BULK: usize = 4 << 30;

    pub(super) fn run(outside: &Outside) {
        throughput(outside);
        attach();
        session_setup();
    }

    fn report(what: &str, mut times: Vec<Duration>) {
        times.sort();
        let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
        println!(
            "{what}: p50 {:.3} ms, p95 {:.3} ms, n = {}",
            at(50),
            at(95),
            times.len()
        );
    }

    fn session_setup() {
        let times = (0..50).map(|_| {
            let machine = Machine::start(|| {
                let started = Instant::now();
                let session = network::session_setup(true).unwrap();
                (session, started.elapsed())
            });
            machine.run(|(_, took)| *took)
        });
        report("session_setup", times.collect());
    }

    fn attach() {
        let session = Session::default();
        let (sender, times) = channel();
        let mut steps = Vec::new();
        let mut holders = Vec::new();
        for index in 0..200 {
            let (hold, held) = channel::<()>();
            let sender = sender.clone();
            holders.push(hold);
            let (ready, is_ready) = channel();
            steps.push(session.machine.run(move |session| {
                let started = Instant::now();
                let link = network::prepare_step(session).unwrap();
                let prepared = started.elapsed();
                std::thread::spawn(move || {
                    let started = Instant::now();
                    enter_network_namespace();
                    let unshared = started.elapsed();
                    link.attach(index).unwrap();
                    sender
                        .send((prepared, unshared, started.elapsed() - unshared))
                        .unwrap();
                    ready.send(()).unwrap();
                    held.recv().unwrap_err();
                })
            }));
            is_ready.recv().unwrap();
        }
        let times: Vec<_> = times.iter().take(200).collect();
        report("prepare_step", times.iter().map(|time| time.0).collect());
        report(
            "unshare(CLONE_NEWNET)",
            times.iter().map(|time| time.1).collect(),
        );
        report("attach", times.iter().map(|time| time.2).collect());
        drop(holders);
        for step in steps {
            step.join().unwrap();
        }
    }

    fn throughput(outside: &Outside) {
        let server = outside.serve(4, |mut stream| {
            let mut direction = [0];
            stream.read_exact(&mut direction).unwrap();
            match &direction {
                b"u" => drain(&mut stream),
                _ => flood(&mut stream),
            }
        });
        let session = Session::default();
        for (index, direction) in (0..).zip([b"u", b"d"]) {
            let through = session.step(index, move |_| transfer(server, direction));
            let direct = transfer(server, direction);
            let name = if direction == b"u" { "up" } else { "down" };
            println!("{name}: {through:.1} Gbit/s through the proxy, {direct:.1} from the host");
        }
    }

    fn transfer(server: SocketAddr, direction: &[u8; 1]) -> f64 {
        let mut stream = connect(server);
        stream.write_all(direction).unwrap();
        let started = Instant::now();
        match direction {
            b"u" => flood(&mut stream),
            _ => drain(&mut stream),
        }
        stream.shutdown(Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap();
        BULK as f64 * 8.0 / started.elapsed().as_secs_f64() / 1e9
    }

    fn flood(stream: &mut TcpStream) {
        let chunk = vec![7; 1 << 20];
        for _ in 0..BULK >> 20 {
            stream.write_all(&chunk).unwrap();
        }
    }

    fn drain(stream: &mut TcpStream) {
        let mut chunk = vec![0; 1 << 20];
        let mut left = BULK;
        while left > 0 {
            left -= stream.read(&mut chunk).unwrap().min(left);
        }
    }
}
