//! What a step may not do, and what is around it.

use std::path::Path;

use crate::support::{
    IMAGE, Nsci, Ran, binary, from, leaf, nest, processes, quoted, script, sh, text, wait_until,
};

/// One row for each wall: what a step tries, what it is told.
#[test]
fn step_is_confined() {
    let rows = [
        (
            "grep CapEff /proc/self/status",
            "CapEff:\t00000000a80425fb\n",
        ),
        (
            "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status",
            "NoNewPrivs:\t0\nSeccomp:\t2\n",
        ),
        (
            "unshare -m true 2>&1; unshare -U true 2>&1",
            "unshare: unshare(0x20000): Operation not permitted\nunshare: unshare(0x10000000): Operation not permitted\n",
        ),
        (
            "mkdir -p /mnt; mount -t tmpfs t /mnt 2>&1 || echo refused",
            "refused\n",
        ),
        (
            "(echo 1 > /proc/sys/kernel/hostname) 2>&1",
            "sh: can't create /proc/sys/kernel/hostname: Read-only file system\n",
        ),
        (
            "(echo 1 > /proc/sysrq-trigger) 2>&1 || echo refused",
            "refused\n",
        ),
        (
            "(echo 1 > /sys/kernel/mm/ksm/run) 2>&1 || echo refused",
            "refused\n",
        ),
        ("wc -c < /proc/keys", "0\n"),
        (
            "mknod /dev/sda b 8 0 2>&1",
            "mknod: /dev/sda: Operation not permitted\n",
        ),
        (
            "hostname x 2>&1",
            "hostname: sethostname: Operation not permitted\n",
        ),
        ("ls /proc/self/fd | wc -l", "4\n"),
        ("umask", "0022\n"),
    ];
    let nsci = Nsci::new();
    for (step, wanted) in rows {
        let got = nsci.text(&script(&format!("{step}\n:")));
        let got = if wanted == "refused\n" {
            got.lines().last().unwrap_or_default().to_owned() + "\n"
        } else {
            got
        };
        assert_eq!(got, wanted, "{step}");
    }
}

#[test]
fn network_ends_at_the_step() {
    let nsci = Nsci::new();
    let port = crate::support::registry()
        .split_once(':')
        .unwrap()
        .1
        .to_owned();
    let bash = |script: &str| {
        let args = format!(
            "withExec(args: [\"bash\", \"-c\", {}], expect: ANY)",
            quoted(script)
        );
        nsci.text(&format!(
            "container {} {args} combinedOutput",
            from("debian:bookworm-slim")
        ))
    };
    let said = bash(&format!("echo > /dev/tcp/127.0.0.1/{port}"));
    assert!(said.contains("Connection refused"), "{said}");
    // The gateway lends names, not the host's services.
    let said = bash(&format!(
        "exec 3<>/dev/tcp/$(awk '/nameserver/ {{print $2}}' /etc/resolv.conf)/{port} && \
         printf 'GET /v2/ HTTP/1.0\\r\\n\\r\\n' >&3; timeout 5 cat <&3"
    ));
    assert!(!said.contains("HTTP"), "{said}");
    let said = bash("time -p getent hosts nosuch.invalid || echo unknown");
    assert!(
        said.contains("unknown") && said.contains("real 0."),
        "{said}"
    );
    let own = "ip -o addr show lo | grep -c 127.0.0.1; grep -c localhost /etc/hosts";
    assert_eq!(nsci.text(&script(own)), "1\n2\n");
}

#[test]
fn steps_of_one_session_do_not_see_each_other() {
    let nsci = Nsci::new();
    let session = nsci.session();
    std::thread::scope(|scope| {
        let ask = |name: &'static str| {
            let chain = script(&format!(
                "echo {name} > /tmp/x; sleep 0.3; cat /tmp/x; ps | grep -c sleep"
            ));
            scope.spawn({
                let session = &session;
                move || session.text(&chain)
            })
        };
        let (one, two) = (ask("one"), ask("two"));
        assert!(one.join().unwrap().starts_with("one\n"));
        assert!(two.join().unwrap().starts_with("two\n"));
    });
}

#[test]
fn root_capabilities_are_given_when_asked_for() {
    let nsci = Nsci::new();
    let exec = "withExec(args: [\"grep\", \"CapEff\", \"/proc/self/status\"], insecureRootCapabilities: true) stdout";
    let said = nsci.alpine(exec);
    let caps = u64::from_str_radix(said.trim().rsplit('\t').next().unwrap(), 16).unwrap();
    assert!(caps.count_ones() > 30, "{said}");
}

/// As on a machine where the set-uid helpers are not installed, or where the user has no ids to map.
#[test]
fn without_subordinate_ids_one_id_is_enough_and_the_reason_is_told() {
    let nsci = Nsci::new();
    let chain = format!(
        "container {} {} stdout",
        from(IMAGE),
        sh(
            "touch /f && chown 33:33 /f && echo owned by $(stat -c %u /f); su nobody -s /bin/sh -c 'id -u'"
        )
    );
    let is_root = rustix::process::geteuid().is_root();
    // Root needs no helpers, so it becomes somebody that no file of ids knows.
    let who: &[&str] = if is_root {
        &["--map-user=54321", "--map-group=54321"]
    } else {
        &["--map-current-user"]
    };
    let script = "mount --bind /dev/null /usr/bin/newuidmap; \
                  exec setpriv --ambient-caps=-all --inh-caps=-all \"$@\"";
    let mut command = nsci.command_of(Path::new("unshare"), &["-U", "--keep-caps", "-m"]);
    command.args(who).args(["sh", "-c", script, "sh"]);
    let ran: Ran = command
        .arg(binary())
        .args(["query", &nest(&chain)])
        .output()
        .unwrap()
        .into();
    let ran = ran.ok();
    let reason = if is_root {
        "has no ids in /etc/subuid"
    } else {
        "newuidmap is not installed; install the package uidmap"
    };
    assert!(
        ran.err.contains("only one user id is available") && ran.err.contains(reason),
        "{ran:#?}"
    );
    assert!(ran.out.contains("owned by 0\\n0\\n"), "{ran:#?}");
}

/// Containers of other runtimes hide parts of their `/proc`; the kernel then lets nobody inside mount a new one.
#[test]
fn steps_run_where_the_container_around_hides_parts_of_proc() {
    let nsci = Nsci::new();
    let inside = |command: &[&str]| {
        // Its memory file system is its own, too.
        let script =
            r#"mount -t tmpfs none /dev/shm && mount -t tmpfs none /proc/irq && exec "$@""#;
        let unshare = "--user --map-root-user --mount --pid --fork --mount-proc";
        let mut args: Vec<&str> = unshare.split(' ').collect();
        let binary = binary();
        args.extend(["sh", "-c", script, "sh", binary.to_str().unwrap()]);
        args.extend(command);
        let mut command = nsci.command_of(Path::new("unshare"), &args);
        Ran::from(command.env("SECRET", "outside").output().unwrap()).ok()
    };
    let step = |script: &str| {
        let chain = nest(&format!("container {} {} stdout", from(IMAGE), sh(script)));
        let ran = inside(&["--progress", "plain", "query", &chain]);
        (text(leaf(&ran.json())).trim_end().to_owned(), ran.err)
    };
    let (seen, said) = step(
        "id -u; readlink /proc/self/root; cat /proc/self/comm; ls /proc/irq; kill -0 1 && echo $$",
    );
    assert_eq!(seen, "0\n/\ncat\n2");
    assert!(said.contains("hides parts of /proc"), "{said}");
    // It sees the processes around it, but not what they have in their environment, files and memory.
    let peek = "cat /proc/[0-9]*/environ | tr '\\0' '\\n' | grep outside | wc -l; \
                ls -d /proc/[0-9]*/root/proc | wc -l; ls /proc/[0-9]*/root/proc/irq | grep . | wc -l; \
                cat /proc/[0-9]*/cmdline | grep -c nsci-keeper";
    let seen = step(&format!("({peek}) 2>/dev/null")).0;
    let seen: Vec<&str> = seen.lines().collect();
    assert_eq!((seen[0], seen[3]), ("0", "1"), "{seen:?}");
    // Nothing outlives a step, wherever its processes are counted.
    assert_eq!(step("sleep 1007 & sleep 1007 & echo left").0, "left");
    wait_until("the step's children are gone", || {
        processes("sleep 1007").is_empty()
    });
    // The store is that of another user, as far as the ids go.
    inside(&["cache", "prune", "--all"]);
}
