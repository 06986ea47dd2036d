//! What steps reach, as the configuration and the host's surroundings say.

use std::io::{Read as _, Write as _};
use std::net::{IpAddr, SocketAddr, TcpListener, UdpSocket};

use crate::support::{IMAGE, Nsci, Ran, from, nest, sh};

/// An address of this machine that is not its loopback.
fn own_address() -> IpAddr {
    let socket = UdpSocket::bind("0.0.0.0:0").unwrap();
    // Nothing is sent; the kernel only chooses the way.
    socket.connect("192.0.2.1:9").unwrap();
    socket.local_addr().unwrap().ip()
}

/// Answers every HTTP request with `word`.
fn serve(ip: IpAddr, word: &'static str) -> SocketAddr {
    let listener = TcpListener::bind((ip, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            // A client that asks in pieces gets its answer to the first.
            drop(stream.read(&mut [0; 4096]));
            let length = word.len();
            let head = format!("HTTP/1.0 200 OK\r\nContent-Length: {length}\r\n\r\n");
            drop(stream.write_all((head + word).as_bytes()));
        }
    });
    address
}

/// Runs a script in a step under a configuration.
fn run(config: &str, env: &[(&str, &str)], script: &str) -> Ran {
    let nsci = Nsci::new();
    let path = nsci.write("config.toml", config);
    let chain = format!("container {} {} stdout", from(IMAGE), sh(script));
    let mut command = nsci.command(&["query", &nest(&chain)]);
    command.env("NSCI_CONFIG", path).envs(env.iter().copied());
    command.output().unwrap().into()
}

#[track_caller]
fn says(config: &str, env: &[(&str, &str)], script: &str, expected: &str) {
    let ran = run(config, env, script).ok();
    assert!(ran.out.contains(expected), "{ran:#?}");
}

#[test]
fn destinations_are_granted_and_denied_by_configuration() {
    let address = serve(own_address(), "open");
    let fetch = format!("wget -q -O - http://{address}/ 2>&1 || echo closed");
    let deny = "deny = [\"0.0.0.0/0\"]";
    let name = format!("n{}.nsci.test", address.port());
    let rows = [
        // The host itself is refused unless granted.
        (String::new(), "closed"),
        (format!("allow = [\"{address}\"]"), "open"),
        (format!("allow = [\"{}/32\"]", address.ip()), "open"),
        (format!("allow = [\"{address}\"]\n{deny}"), "open"),
        (format!("allow = [\"{}:1\"]", address.ip()), "closed"),
        (format!("allow = [\"{name}:{}\"]", address.port()), "closed"),
    ];
    for (config, expected) in rows {
        says(&format!("[network]\n{config}"), &[], &fetch, expected);
    }
    for (config, line) in [
        ("allow = [\"a b\"]", "not a host"),
        ("deny = [\"1.2.3.4/99\"]", "not a host"),
        ("mode = \"host\"", "`isolated` or `none`"),
    ] {
        let ran = run(&format!("[network]\n{config}"), &[], "true");
        assert!(ran.code != 0 && ran.err.contains(line), "{ran:#?}");
    }
}

#[test]
fn a_step_without_network_has_a_loopback_only() {
    let script = "ls /sys/class/net; grep -c dagger /etc/hosts; wget -q -O - http://192.0.2.1/ 2>&1 || echo alone";
    let ran = run("[network]\nmode = \"none\"", &[], script).ok();
    for expected in ["lo\\n", "unreachable", "alone"] {
        assert!(ran.out.contains(expected), "{ran:#?}");
    }
    assert!(!ran.out.contains("eth0"), "{ran:#?}");
}

#[test]
fn services_need_a_network_and_say_so() {
    let nsci = Nsci::new();
    let path = nsci.write("config.toml", "[network]\nmode = \"none\"");
    let chain = format!(
        "container {} withExposedPort(port: 80) asService(args: [\"sleep\", \"9\"]) start",
        from(IMAGE)
    );
    let mut command = nsci.command(&["query", &nest(&chain)]);
    let ran: Ran = command.env("NSCI_CONFIG", path).output().unwrap().into();
    ran.failed(1, &["cannot be reached without a network", "network.mode"]);
}

#[test]
fn a_closed_port_of_the_gateway_is_refused() {
    says(
        "",
        &[],
        "wget -q -O - http://10.88.0.1:81/ 2>&1 || echo done",
        "refused",
    );
}

#[test]
fn steps_have_addresses_of_both_versions() {
    says(
        "",
        &[],
        "cat /proc/net/if_inet6",
        "fd6e736369000000000000000a58",
    );
}

#[test]
fn a_proxy_on_the_loopback_serves_steps_too() {
    let address = serve([127, 0, 0, 1].into(), "through the proxy");
    let url = format!("http://{address}");
    let env = [("http_proxy", url.as_str())];
    let script = "echo $http_proxy; wget -q -O - http://nowhere.nsci.test/";
    says("", &env, script, "through the proxy");
    let inside = format!("http://10.88.0.1:{}", address.port());
    says("", &env, script, &inside);
    let named = format!("http://user:word@localhost:{}/", address.port());
    let env = [("HTTP_PROXY", named.as_str())];
    let seen = format!("http://user:word@10.88.0.1:{}/", address.port());
    says("", &env, "echo $HTTP_PROXY", &seen);
}
