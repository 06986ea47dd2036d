//! Services: when they are waited for, what they are called, who sees them.

use std::time::{Duration, Instant};

use super::Table;
use crate::support::{IMAGE, from, quoted, sh};

/// A container whose command is a script.
fn server(script: &str, more: &str) -> String {
    format!(
        "ALPINE {more} asService(args: [\"sh\", \"-c\", {}])",
        quoted(script)
    )
}

const SERVE: &str = "mkdir -p /www; cat /proc/sys/kernel/random/uuid > /www/index.html; exec httpd -f -p 80 -h /www";

#[test]
fn names() {
    let mut table = Table::new();
    let service = server(SERVE, "withExposedPort(port: 80)");
    let name = table.answer(&format!("{service} hostname")).unwrap();
    let text = name.as_str().unwrap().to_owned();
    let letters = text
        .bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'v').contains(&b));
    let elsewhere = table.nsci.leaf(&format!(
        "container {} withExposedPort(port: 80) asService(args: [\"sh\", \"-c\", {}]) hostname",
        from(IMAGE),
        quoted(SERVE)
    ));
    let id = table.id(&service);
    let bound = |alias: &str| {
        format!(
            "ALPINE withServiceBinding(alias: {}, service: {id})",
            quoted(alias)
        )
    };
    let fetch = |url: &str| format!("{} stdout", sh(&format!("wget -q -O - {url}")));
    table
        .note(
            "a name has 13 letters",
            "hostname",
            text.len() == 13 && letters,
            &text,
        )
        .note(
            "it is the same in another session",
            "hostname",
            elsewhere == name,
            &elsewhere.to_string(),
        )
        .is(
            "a given name is the name",
            &format!("{service} withHostname(hostname: \"db\") hostname"),
            "db",
        )
        .is(
            "the endpoint is name and port",
            &format!("{service} endpoint"),
            format!("{text}:80"),
        )
        .is(
            "or a URL",
            &format!("{service} endpoint(port: 80, scheme: \"http\")"),
            format!("http://{text}:80"),
        )
        .same(
            "aliases and the name lead to one instance",
            true,
            &format!("{} {}", bound("one"), fetch("http://one/")),
            &format!("{} {}", bound("two"), fetch(&format!("http://{text}/"))),
        )
        .is(
            "an alias is not known elsewhere",
            &format!(
                "ALPINE {} stdout",
                sh("wget -q -O - http://one/ 2>/dev/null || echo none")
            ),
            "none\n",
        )
        .fails(
            "what runs nothing is no service",
            "container asService hostname",
            &["no command has been set"],
        )
        .hold();
}

#[test]
fn ports_are_waited_for() {
    let mut table = Table::new();
    let slow = format!("sleep 1; {SERVE}");
    let fetch = format!("{} stdout", sh("wget -q -O - http://www/ | wc -c"));
    let bind = |table: &Table, service: &str| {
        let id = table.id(service);
        format!("ALPINE withServiceBinding(alias: \"www\", service: {id})")
    };
    let declared = bind(&table, &server(&slow, "withExposedPort(port: 80)"));
    table.is(
        "a declared port is open when the command starts",
        &format!("{declared} {fetch}"),
        "37\n",
    );
    // What declares nothing, or says so, is not waited for: such commands end long before the service opens a port.
    let never = "sleep 1000";
    for (rule, more) in [
        ("no declared port", ""),
        (
            "a port that is not to be waited for",
            "withExposedPort(port: 80, experimentalSkipHealthcheck: true)",
        ),
        ("datagrams", "withExposedPort(port: 80, protocol: UDP)"),
    ] {
        let chain = format!(
            "{} {} stdout",
            bind(&table, &server(never, more)),
            sh("grep -c www /etc/hosts")
        );
        let start = Instant::now();
        table.is(rule, &chain, "1\n");
        let quick = start.elapsed() < Duration::from_secs(60);
        table.note(rule, &chain, quick, "it was waited for");
    }
    let dies = bind(
        &table,
        &server("echo last words >&2; exit 3", "withExposedPort(port: 80)"),
    );
    table
        .fails(
            "one that ends early fails who needs it, with what it said",
            &format!("{dies} {fetch}"),
            &["last words", "3"],
        )
        .hold();
}

#[test]
fn a_service_keeps_nothing_of_its_files() {
    let mut table = Table::new();
    let volume = table.id("cacheVolume(key: \"data\")");
    let container = format!("ALPINE withMountedCache(path: \"/data\", cache: {volume})");
    let service = format!(
        "{container} withExposedPort(port: 80) asService(args: [\"sh\", \"-c\", {}])",
        quoted(&format!("echo kept > /data/f; echo lost > /f; {SERVE}"))
    );
    let id = table.id(&service);
    let need = format!(
        "ALPINE withServiceBinding(alias: \"www\", service: {id}) {} stdout",
        sh("wget -q -O - http://www/ | wc -c")
    );
    table
        .is("it runs", &need, "37\n")
        .is(
            "its container is as it was",
            &format!("{container} exists(path: \"/f\")"),
            false,
        )
        .is(
            "cache volumes are shared with it",
            &format!("{container} {} stdout", sh("cat /data/f")),
            "kept\n",
        )
        .hold();
}
