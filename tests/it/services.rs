//! Services: when they start, who reaches them by which name, and what is said when they fail.

use serde_json::Value;

use crate::support::{IMAGE, Nsci, Session, from, leaf, nest, quoted, sh, text, wait_until};

/// A web server that says `word`, as a container on the usual image. Its port is declared.
fn web(word: &str) -> String {
    let serve = quoted("exec httpd -f -v -p 80 -h /www");
    format!(
        "container {} withNewFile(path: \"/www/index.html\", contents: {}) withExposedPort(port: 80) \
         withDefaultArgs(args: [\"sh\", \"-c\", {serve}])",
        from(IMAGE),
        quoted(word)
    )
}

fn bind(alias: &str, id: &str) -> String {
    format!(
        "withServiceBinding(alias: {}, service: {id})",
        quoted(alias)
    )
}

fn fetch(url: &str) -> String {
    sh(&format!("wget -q -O - {url}"))
}

fn errors(session: &Session, chain: &str) -> Value {
    let mut answer = session.answer(&nest(chain));
    let errors = answer["errors"].take();
    assert!(errors.is_array(), "{chain} did not fail: {answer}");
    errors
}

#[test]
fn a_bound_service_is_reached_by_every_name_it_has() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let plain = session.id(&format!("{} asService", web("hello")));
    let named = session.id(&format!(
        "{} asService withHostname(hostname: \"shop\")",
        web("shop")
    ));
    let host = session.text(&format!("loadServiceFromID(id: {plain}) hostname"));
    assert_eq!(host.len(), 13, "{host}");
    let other = bind("other", &named);
    let rows = [
        ("db", "hello"),
        ("DB", "hello"),
        (host.as_str(), "hello"),
        ("other", "shop"),
        ("shop", "shop"),
    ];
    for (name, wanted) in rows {
        let chain = format!(
            "container {} {} {other} {} stdout",
            from(IMAGE),
            bind("db", &plain),
            fetch(&format!("http://{name}/"))
        );
        assert_eq!(session.text(&chain), wanted, "{name}");
    }
    // By DNS too, for programs that read no hosts file, and below the search domain.
    let script = "set -e; domain=$(sed -n 's/^search //p' /etc/resolv.conf); echo $domain | grep -q dagger.local
        nslookup db.$domain | grep -q 'Address.*10\\.88\\.' && nslookup shop.$domain | grep -q 'Address.*10\\.88\\.'
        ! nslookup nobody.$domain > /tmp/out && grep -q NXDOMAIN /tmp/out && echo yes";
    let chain = format!(
        "container {} {} {other} {} stdout",
        from(IMAGE),
        bind("db", &plain),
        sh(script)
    );
    assert_eq!(session.text(&chain), "yes\n");
    session.end();
}

#[test]
fn aliases_are_those_of_one_step_alone() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let service = session.id(&format!("{} asService", web("hello")));
    // The service runs all the while, for the first step's sake.
    session.text(&format!("loadServiceFromID(id: {service}) start"));
    let alone = format!(
        "container {} {} stdout",
        from(IMAGE),
        sh("nslookup db; wget -q -O - http://db/")
    );
    errors(&session, &alone);
    session.end();
}

#[test]
fn one_instance_serves_all_who_are_bound_and_two_share_a_port_number() {
    let nsci = Nsci::new();
    let session = nsci.session();
    // What an instance says is its own: one that was started again would say something else.
    let serve = "cat /proc/sys/kernel/random/uuid > /www/index.html; exec httpd -f -p 80 -h /www";
    let service = |extra: &str| {
        let container = format!(
            "container {} {extra} withNewFile(path: \"/www/x\", contents: \"\") withExposedPort(port: 80)",
            from(IMAGE)
        );
        let args = format!("args: [\"sh\", \"-c\", {}]", quoted(serve));
        session.id(&format!("{container} asService({args})"))
    };
    let (one, same, two) = (
        service(""),
        service(""),
        service("withEnvVariable(name: \"A\", value: \"2\")"),
    );
    assert_eq!(one, same);
    let script = "a=$(wget -q -O - http://one/); b=$(wget -q -O - http://same/); c=$(wget -q -O - http://two/); echo $a $b $c";
    let consumer = |extra: &str| {
        format!(
            "container {} {extra} {} {} {} {} stdout",
            from(IMAGE),
            bind("one", &one),
            bind("same", &same),
            bind("two", &two),
            sh(script)
        )
    };
    let said = session.text(&consumer(""));
    let said: Vec<&str> = said.split_whitespace().collect();
    assert_eq!(said[0], said[1], "{said:?}");
    assert_ne!(said[0], said[2], "{said:?}");
    // Soon after, the same ones still run: nothing was started a third time.
    let again = session.text(&consumer("withEnvVariable(name: \"B\", value: \"1\")"));
    assert_eq!(again.split_whitespace().collect::<Vec<_>>(), said);
    session.end();
}

#[test]
fn nothing_starts_for_a_cached_step_and_a_changed_service_is_a_changed_step() {
    let nsci = Nsci::new();
    let run = |word: &str| {
        let session = nsci.session();
        let service = session.id(&format!("{} asService", web(word)));
        let chain = format!(
            "container {} {} {} stdout",
            from(IMAGE),
            bind("web", &service),
            sh("wget -q -O - http://web/; cat /proc/sys/kernel/random/uuid")
        );
        let said = session.text(&chain);
        session.end();
        said
    };
    let first = run("one");
    assert!(first.starts_with("one"), "{first}");
    assert_eq!(run("one"), first);
    assert!(run("two").starts_with("two"));
}

#[test]
fn services_have_services() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let back = session.id(&format!("{} asService", web("from the back")));
    let serve = "wget -q -O /www/index.html http://back/ && exec httpd -f -p 8080 -h /www";
    let front = format!(
        "container {} {} withNewFile(path: \"/www/x\", contents: \"\") withExposedPort(port: 8080) asService(args: [\"sh\", \"-c\", {}])",
        from(IMAGE),
        bind("back", &back),
        quoted(serve)
    );
    let front = session.id(&front);
    let chain = format!(
        "container {} {} {} stdout",
        from(IMAGE),
        bind("front", &front),
        fetch("http://front:8080/")
    );
    assert_eq!(session.text(&chain), "from the back");
    session.end();
}

#[test]
fn a_service_that_dies_early_fails_the_step_with_its_last_words() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let dying = quoted("echo starting; echo no such disk >&2; exit 3");
    let service = |ports: &str| {
        session.id(&format!(
            "container {} {ports} asService(args: [\"sh\", \"-c\", {dying}])",
            from(IMAGE)
        ))
    };
    let chain = |id: &str, script: &str| {
        format!(
            "container {} {} {} stdout",
            from(IMAGE),
            bind("db", id),
            sh(script)
        )
    };
    let waited = errors(
        &session,
        &chain(&service("withExposedPort(port: 5432)"), "echo never"),
    );
    let message = text(&waited[0]["message"]);
    for part in ["ended with exit code 3", "port 5432"] {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
    assert_eq!(waited[0]["extensions"]["exitCode"], 3);
    assert_eq!(waited[0]["extensions"]["stderr"], "no such disk");
    // Without a port nobody waits for it, and the step finds nobody there.
    let script =
        "while nslookup gone > /dev/null; do :; done; sleep 1; wget -q -O - http://db:5432/";
    let later = errors(&session, &chain(&service(""), script));
    let message = text(&later[0]["message"]);
    for part in [
        "exit code: 1",
        "service `db` had ended with exit code 3",
        "no such disk",
    ] {
        assert!(message.contains(part), "no {part:?} in {message}");
    }
    let missing = session.id(&format!(
        "container {} asService(args: [\"nosuch\"])",
        from(IMAGE)
    ));
    let unknown = errors(&session, &chain(&missing, "sleep 1; false"));
    assert!(text(&unknown[0]["message"]).contains("nosuch"), "{unknown}");
    session.end();
}

#[test]
fn the_api_tells_where_a_service_is_and_starts_and_stops_it() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let service = session.id(&format!(
        "{} withExposedPort(port: 53, protocol: UDP) asService",
        web("hello")
    ));
    let of = |chain: &str| session.leaf(&format!("loadServiceFromID(id: {service}) {chain}"));
    let host = text(&of("hostname"));
    assert_eq!(of("endpoint"), format!("{host}:80"));
    assert_eq!(
        of("endpoint(port: 8080, scheme: \"http\")"),
        format!("http://{host}:8080")
    );
    let ports = session.answer(&format!(
        "{{loadServiceFromID(id: {service}){{ports{{port protocol}}}}}}"
    ));
    let wanted =
        serde_json::json!([{"port": 80, "protocol": "TCP"}, {"port": 53, "protocol": "UDP"}]);
    assert_eq!(*leaf(&ports["data"]), wanted);
    // Started, it can be reached by its host name without a binding.
    of("start");
    let chain = |extra: &str| {
        format!(
            "container {} {extra} {} stdout",
            from(IMAGE),
            fetch(&format!("http://{host}/"))
        )
    };
    assert_eq!(session.text(&chain("")), "hello");
    of("stop(kill: true)");
    errors(
        &session,
        &chain("withEnvVariable(name: \"A\", value: \"1\")"),
    );
    let none = session.id(&format!(
        "container {} asService(args: [\"sleep\", \"9\"])",
        from(IMAGE)
    ));
    let error = errors(&session, &format!("loadServiceFromID(id: {none}) endpoint"));
    assert!(
        text(&error[0]["message"]).contains("declares no port"),
        "{error}"
    );
    session.end();
}

#[test]
fn bad_names_and_ports_are_refused() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let service = session.id(&format!("{} asService", web("x")));
    for (chain, wanted) in [
        (
            format!("container {} {} sync", from(IMAGE), bind("a b", &service)),
            "no alias for a service",
        ),
        (
            format!("container {} {} sync", from(IMAGE), bind("", &service)),
            "no alias for a service",
        ),
        (
            format!("loadServiceFromID(id: {service}) withHostname(hostname: \"-\\n\") hostname"),
            "no host name",
        ),
        (
            format!("loadServiceFromID(id: {service}) endpoint(port: 70000)"),
            "is no port",
        ),
        (
            format!("host tunnel(service: {service}, ports: [{{backend: 0}}]) endpoint"),
            "is no port",
        ),
        (
            "host service(ports: []) hostname".to_owned(),
            "no ports are given",
        ),
    ] {
        let error = errors(&session, &chain);
        let message = text(&error[0]["message"]);
        assert!(message.contains(wanted), "{chain}: {message}");
    }
    session.end();
}

#[test]
fn a_stop_signal_is_what_the_image_says_and_the_end_of_the_session_sends_it() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let serve = quoted(
        "trap 'echo stopped > /data/how; exit' TERM; echo up > /data/how; httpd -p 80; while :; do sleep 0.1; done",
    );
    let volume = session.id("cacheVolume(key: \"how\")");
    let mounted = format!("withMountedCache(path: \"/data\", cache: {volume})");
    let service = session.id(&format!(
        "container {} {mounted} withExposedPort(port: 80) asService(args: [\"sh\", \"-c\", {serve}])",
        from(IMAGE)
    ));
    session.text(&format!("loadServiceFromID(id: {service}) start"));
    session.end();
    let session = nsci.session();
    let volume = session.id("cacheVolume(key: \"how\")");
    let chain = format!(
        "container {} withMountedCache(path: \"/data\", cache: {volume}) {} stdout",
        from(IMAGE),
        sh("cat /data/how")
    );
    assert_eq!(session.text(&chain), "stopped\n");
    session.end();
}

#[test]
fn fifty_services_run_in_one_session() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let bindings: Vec<String> = (0..50)
        .map(|number| {
            let id = session.id(&format!("{} asService", web(&format!("{number} "))));
            bind(&format!("s{number}"), &id)
        })
        .collect();
    let script = "for n in $(seq 0 49); do wget -q -O - http://s$n/; done";
    let chain = format!(
        "container {} {} {} stdout",
        from(IMAGE),
        bindings.join(" "),
        sh(script)
    );
    let wanted: String = (0..50).map(|number| format!("{number} ")).collect();
    assert_eq!(session.text(&chain), wanted);
    session.end();
}

#[test]
fn killing_the_engine_leaves_no_service() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let marker = format!("nsci-marker-{}", std::process::id());
    let script = quoted(&format!(
        "trap '' TERM; httpd -p 80; exec sleep 9{}",
        "0".repeat(6)
    ));
    let service = session.id(&format!(
        "container {} withEnvVariable(name: \"MARK\", value: {}) withExposedPort(port: 80) asService(args: [\"sh\", \"-c\", {script}])",
        from(IMAGE),
        quoted(&marker)
    ));
    session.text(&format!("loadServiceFromID(id: {service}) start"));
    wait_until("the service", || {
        !crate::support::processes(&marker).is_empty()
    });
    let pid = rustix::process::Pid::from_raw(session.pid().try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    wait_until("the end of everything", || {
        crate::support::processes(&marker).is_empty()
    });
}
