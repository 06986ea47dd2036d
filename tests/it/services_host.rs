//! Services and the host: tunnels to services, services of the host, and `up`.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use crate::support::{IMAGE, Nsci, Session, from, nest, quoted, sh, text, wait_until};

fn web(word: &str) -> String {
    format!(
        "container {} withNewFile(path: \"/www/index.html\", contents: {}) withExposedPort(port: 80) \
         withDefaultArgs(args: [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/www\"])",
        from(IMAGE),
        quoted(word)
    )
}

/// A page of a server on the loopback, or nothing.
fn get(port: u16) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    stream.write_all(b"GET / HTTP/1.0\r\n\r\n").ok()?;
    let mut page = String::new();
    stream.read_to_string(&mut page).ok()?;
    page.split_once("\r\n\r\n").map(|(_, body)| body.to_owned())
}

/// A port that nobody listens on at the moment.
fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn port_of(endpoint: &str) -> u16 {
    let (host, port) = endpoint.split_once(':').unwrap();
    assert_eq!(host, "localhost");
    port.parse().unwrap()
}

fn message(session: &Session, chain: &str) -> String {
    let answer = session.answer(&nest(chain));
    text(&answer["errors"][0]["message"])
}

#[test]
fn a_tunnel_leads_from_the_host_to_a_service() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let service = session.id(&format!("{} asService", web("through")));
    let random = session.text(&format!("host tunnel(service: {service}) endpoint"));
    assert_eq!(get(port_of(&random)).as_deref(), Some("through"));
    let front = free_port();
    let ports = format!("ports: [{{frontend: {front}, backend: 80}}]");
    let tunnel = format!("host tunnel(service: {service}, {ports})");
    let fixed = session.text(&format!("{tunnel} endpoint(scheme: \"http\")"));
    assert_eq!(fixed, format!("http://localhost:{front}"));
    assert_eq!(get(front).as_deref(), Some("through"));
    let taken = message(
        &session,
        &format!(
            "host tunnel(service: {service}, {ports}, native: false) withHostname(hostname: \"b\") start"
        ),
    );
    assert!(
        taken.contains(&format!("cannot listen on port {front}")),
        "{taken}"
    );
    // Many at once, each with its own connection.
    let readers: Vec<_> = (0..20)
        .map(|_| std::thread::spawn(move || get(front)))
        .collect();
    for reader in readers {
        assert_eq!(reader.join().unwrap().as_deref(), Some("through"));
    }
    session.text(&format!("{tunnel} stop"));
    wait_until("the closed port", || get(front).is_none());
    session.end();
}

#[test]
fn native_tunnels_keep_port_numbers() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let port = free_port();
    let service = session.id(&format!(
        "container {} withNewFile(path: \"/www/index.html\", contents: \"n\") withExposedPort(port: {port}) \
         asService(args: [\"httpd\", \"-f\", \"-p\", \"{port}\", \"-h\", \"/www\"])",
        from(IMAGE)
    ));
    let endpoint = session.text(&format!(
        "host tunnel(service: {service}, native: true) endpoint"
    ));
    assert_eq!(port_of(&endpoint), port);
    assert_eq!(get(port).as_deref(), Some("n"));
    session.end();
}

#[test]
fn datagrams_go_through_tunnels() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let echo = "import socket\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.bind(('0.0.0.0', 9053))\n\
                while True:\n    d, a = s.recvfrom(65535)\n    s.sendto(d.upper(), a)\n";
    let service = session.id(&format!(
        "container {} withExposedPort(port: 9053, protocol: UDP) asService(args: [\"python3\", \"-c\", {}])",
        from("python:3.13-slim"),
        quoted(echo)
    ));
    let endpoint = session.text(&format!("host tunnel(service: {service}) endpoint"));
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket
        .set_read_timeout(Some(Duration::from_millis(200)))
        .unwrap();
    socket.connect(("127.0.0.1", port_of(&endpoint))).unwrap();
    // Nobody waits for a UDP port to be served, so the first datagrams may be lost.
    let mut answer = [0; 64];
    wait_until("an answer", || {
        socket.send(b"hello").unwrap();
        socket
            .recv(&mut answer)
            .is_ok_and(|length| &answer[..length] == b"HELLO")
    });
    session.end();
}

#[test]
fn datagrams_reach_ports_of_the_host_that_were_lent() {
    let nsci = Nsci::new();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut datagram = [0; 64];
        loop {
            let (length, from) = socket.recv_from(&mut datagram).unwrap();
            let answer = datagram[..length].to_ascii_uppercase();
            socket.send_to(&answer, from).unwrap();
        }
    });
    let session = nsci.session();
    let lent = session.id(&format!(
        "host service(ports: [{{frontend: 9053, backend: {port}, protocol: UDP}}])"
    ));
    let ask = "import socket, sys\ns = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\ns.settimeout(1)\n\
               s.connect((sys.argv[1], 9053))\nfor _ in range(20):\n    s.send(b'hello')\n    try:\n\
               \x20       print(s.recv(64).decode())\n        break\n    except TimeoutError:\n        pass\n";
    let said = session.text(&format!(
        "container {} withServiceBinding(alias: \"echo\", service: {lent}) \
         withExec(args: [\"python3\", \"-c\", {}, \"echo\"]) stdout",
        from("python:3.13-slim"),
        quoted(ask)
    ));
    assert_eq!(said, "HELLO\n");
    session.end();
}

#[test]
fn steps_reach_services_of_the_host_that_were_lent() {
    let nsci = Nsci::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 512];
            assert!(stream.read(&mut request).unwrap() > 0);
            stream
                .write_all(b"HTTP/1.0 200 OK\r\n\r\nfrom the host")
                .unwrap();
        }
    });
    let session = nsci.session();
    let fetch = |extra: &str, url: &str| {
        format!(
            "container {} {extra} {} stdout",
            from(IMAGE),
            sh(&format!("wget -q -O - {url}"))
        )
    };
    let lent = session.id(&format!(
        "host service(ports: [{{frontend: 80, backend: {port}}}])"
    ));
    let bound = format!("withServiceBinding(alias: \"www\", service: {lent})");
    assert_eq!(session.text(&fetch(&bound, "http://www/")), "from the host");
    // What was not lent stays out of reach.
    let own = format!("http://127.0.0.1:{port}/");
    assert!(message(&session, &fetch("", &own)).contains("exit code: 1"));
    assert!(
        message(&session, &fetch(&bound, &format!("http://www:{port}/"))).contains("exit code: 1")
    );
    session.end();
}

/// `up` in a process of its own.
fn up(nsci: &Nsci, args: &[&str]) -> Child {
    let mut all = vec![
        "--progress",
        "plain",
        "core",
        "container",
        "from",
        "--address",
        IMAGE,
    ];
    all.extend([
        "with-new-file",
        "--path=/www/index.html",
        "--contents=up",
        "with-exposed-port",
        "--port=80",
    ]);
    all.extend(args);
    nsci.command(&all)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn up_serves_until_it_is_interrupted() {
    let nsci = Nsci::new();
    let port = free_port();
    let ports = format!("--ports={port}:80");
    let child = up(
        &nsci,
        &["as-service", "--args=httpd,-f,-p,80,-h,/www", "up", &ports],
    );
    wait_until("the page", || get(port).as_deref() == Some("up"));
    let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
    let ended = child.wait_with_output().unwrap();
    assert_eq!(ended.status.code(), Some(130));
    let said = String::from_utf8_lossy(&ended.stderr);
    assert!(said.contains(&format!("127.0.0.1:{port} → ")), "{said}");
    assert_eq!(get(port), None);
}

#[test]
fn up_fails_when_the_service_does() {
    let nsci = Nsci::new();
    let ports = format!("--ports={}:80", free_port());
    let script = "--args=sh,-c,httpd -p 80; sleep 1; echo out of luck >&2; exit 4";
    let child = up(&nsci, &["up", &ports, script]);
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{said}");
    assert!(said.contains("out of luck"), "{said}");
}

const MARKED: &str = r#"
import dagger
from dagger import dag, function, object_type, up


@object_type
class Site:
    @function
    @up
    def web(self) -> dagger.Service:
        server = dag.container().from_("@image@").with_new_file("/www/index.html", "marked")
        server = server.with_exposed_port(@port@)
        return server.as_service(args=["httpd", "-f", "-p", "@port@", "-h", "/www"])
"#;

#[test]
fn marked_services_run_until_they_are_interrupted() {
    let nsci = Nsci::new();
    let port = free_port();
    nsci.write("site/dagger.json", r#"{"name": "site", "sdk": "python"}"#);
    let source = MARKED.replace("@port@", &port.to_string());
    nsci.write("site/main.py", &source.replace("@image@", IMAGE));
    let site = "{moduleSource(refString:\"site\"){asModule{";
    let (one, all) = ("services{list{run{name}}}", "services{run{list{name}}}");
    let asked = [one, all].map(|services| format!("{site}{services}}}}}}}"));
    let asked = asked.each_ref().map(|query| vec!["query", query]);
    let commands = [vec!["up", "-m", "site"], vec!["-m", "site", "up", "w*"]];
    for words in asked.iter().chain(&commands) {
        let words = [&["--progress", "plain"], words.as_slice()].concat();
        let child = nsci
            .command(&words)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        wait_until("the page", || get(port).as_deref() == Some("marked"));
        let pid = rustix::process::Pid::from_raw(child.id().try_into().unwrap()).unwrap();
        rustix::process::kill_process(pid, rustix::process::Signal::INT).unwrap();
        let ended = child.wait_with_output().unwrap();
        assert_eq!(ended.status.code(), Some(130), "{words:?}");
        assert_eq!(get(port), None);
    }
    let listed = nsci.run(&["-m", "site", "up", "--list"]).ok();
    assert_eq!(listed.out.split_whitespace().next(), Some("web"));
    let failed = nsci.run(&["-m", "site", "up", "no:such"]);
    assert!(failed.err.contains("has no such services"), "{failed:?}");
}
