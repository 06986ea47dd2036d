//! Docker's health checks of services: they decide when a service is ready, and say why it is not.

use crate::support::{IMAGE, Nsci, Session, from, nest, quoted, sh};

/// A service from a Dockerfile that declares a health check; its command shares a volume.
fn service(session: &Session, check: &str, command: &str) -> String {
    let dockerfile = format!("FROM {IMAGE}\nHEALTHCHECK {check}\nENV WORD=word\nWORKDIR /tmp\n");
    let built = format!(
        "directory withNewFile(path: \"Dockerfile\", contents: {}) dockerBuild",
        quoted(&dockerfile)
    );
    let volume = session.id("cacheVolume(key: \"shared\")");
    session.id(&format!(
        "{built} withMountedCache(path: \"/shared\", cache: {volume}) \
         asService(args: [\"sh\", \"-c\", {}])",
        quoted(command)
    ))
}

/// A step that is bound to a service and looks at the volume they share.
fn bound(session: &Session, service: &str, script: &str) -> String {
    let volume = session.id("cacheVolume(key: \"shared\")");
    format!(
        "container {} withMountedCache(path: \"/shared\", cache: {volume}) \
         withServiceBinding(alias: \"db\", service: {service}) {} stdout",
        from(IMAGE),
        sh(script)
    )
}

fn failure(session: &Session, chain: &str) -> String {
    let answer = session.answer(&nest(chain));
    let message = answer["errors"][0]["message"].as_str();
    message
        .unwrap_or_else(|| panic!("{chain} did not fail: {answer}"))
        .to_owned()
}

#[test]
fn service_is_ready_when_its_check_succeeds() {
    let nsci = Nsci::new();
    let session = nsci.session();
    // No port tells anything; the volume tells whether the step came too early.
    let command = "sleep 1; touch /shared/warm; echo $$ > ready; exec sleep 1000";
    let check = "--interval=1m CMD test $WORD = word && test \"$(cat /proc/1/comm)\" = nsci-init && test -s ready";
    let id = service(&session, check, command);
    let chain = bound(&session, &id, "ls /shared");
    assert_eq!(session.text(&chain), "warm\n");
    session.end();
}

#[test]
fn unhealthy_service_fails_who_needs_it() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let rows = [
        (
            "--interval=100ms --retries=2 CMD echo no table yet >&2; exit 3",
            "is unhealthy: its check ended with exit code 3: no table yet",
        ),
        (
            "--interval=100ms --retries=1 CMD [\"nothing-of-the-kind\"]",
            "its check ended with exit code 127",
        ),
        (
            "--interval=100ms --timeout=200ms --retries=1 CMD sleep 1000",
            "its check took longer than 200ms",
        ),
    ];
    for (check, wanted) in rows {
        let id = service(&session, check, "exec sleep 1000");
        let message = failure(&session, &bound(&session, &id, "true"));
        assert!(message.contains(wanted), "{check}: {message}");
    }
    // One that ends meanwhile says so, whatever its check would have said.
    let id = service(&session, "--interval=1m CMD false", "sleep 1; exit 5");
    let message = failure(&session, &bound(&session, &id, "true"));
    assert!(message.contains("ended with exit code 5"), "{message}");
    session.end();
}

#[test]
fn failures_at_the_start_do_not_count() {
    let nsci = Nsci::new();
    let session = nsci.session();
    let command = "sleep 1; touch ready; exec sleep 1000";
    let check = "--start-period=1m --interval=100ms --retries=1 CMD test -e ready";
    let id = service(&session, check, command);
    assert_eq!(session.text(&bound(&session, &id, "echo yes")), "yes\n");
    // How often it is asked is counted in the volume; without a word on that it would be many times.
    let command = "touch /shared/asked; sleep 2; touch ready; exec sleep 1000";
    let check = "--start-period=1m --start-interval=1s --interval=1h \
                 CMD echo once >> /shared/asked; test -e ready";
    let id = service(&session, check, command);
    let asked = session.text(&bound(&session, &id, "grep -c once /shared/asked"));
    let asked: u32 = asked.trim().parse().unwrap();
    assert!((2..=7).contains(&asked), "{asked}");
    // A check that was taken back is not asked.
    let id = service(&session, "NONE", "exec sleep 1000");
    assert_eq!(session.text(&bound(&session, &id, "echo two")), "two\n");
    session.end();
}
