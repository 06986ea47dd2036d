//! Shells: on a real terminal, in containers, in what failed steps left.

use crate::support::{IMAGE, Nsci, Pty};

fn terminal(nsci: &Nsci, args: &[&str]) -> Pty {
    Pty::start(nsci.command(args))
}

/// Ends a command that runs in the shell by Ctrl-C. A key that comes while the shell still makes the command's
/// process is the shell's, so it is pressed until it has its effect.
fn interrupt(pty: &Pty, command: &str) {
    let runs = || !crate::support::processes(command).is_empty();
    crate::support::wait_until("the command", runs);
    crate::support::wait_until("the interrupt", || {
        pty.type_in("\u{3}");
        std::thread::sleep(std::time::Duration::from_millis(20));
        !runs()
    });
}

/// A chain of the core API that ends in a shell of a container.
fn shell<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let mut args = vec!["core", "container", "from", "--address", IMAGE];
    args.extend(more);
    args.push("terminal");
    args
}

#[test]
fn a_shell_has_the_containers_surroundings_and_a_terminal() {
    let nsci = Nsci::new();
    let mut pty = terminal(
        &nsci,
        &shell(&[
            "with-env-variable",
            "--name=GREETING",
            "--value=good day",
            "with-workdir",
            "--path=/made/here",
            "with-new-file",
            "--path=/made/here/file",
            "--contents=text",
        ]),
    );
    pty.wait_for("here # ");
    pty.type_in(
        "echo \"<$GREETING>\" \"<$(pwd)>\" \"<$(cat file)>\" \"<$TERM>\"; tty; stty size\r",
    );
    let shown = pty.wait_for("30 100");
    for part in ["<good day> </made/here> <text> <vt100>", "/dev/pts/"] {
        assert!(shown.contains(part), "no {part:?} in {shown:?}");
    }
    pty.type_in("exit 3\r");
    let (code, shown) = pty.end();
    // How the shell ended is between it and the user.
    assert_eq!(code, Some(0), "{shown}");
    assert!(pty.is_sane());
}

#[test]
fn keys_sizes_and_jobs_belong_to_the_shell() {
    let nsci = Nsci::new();
    let mut pty = terminal(&nsci, &shell(&[]));
    pty.wait_for("# ");
    assert!(!pty.is_sane(), "keys go through unchanged");
    // Ctrl-C interrupts what runs in the shell, not nsci. What is typed shows up before it runs, so each says so itself.
    pty.type_in("echo run-$((1 + 1)); sleep 1004; echo after-$((3 + 3))\r");
    pty.wait_for("run-2");
    interrupt(&pty, "sleep 1004");
    pty.type_in("echo still-$((40 + 2))\r");
    let shown = pty.wait_for("still-42");
    assert!(!shown.contains("after-6"), "{shown}");
    // Job control: stop, list, continue in the foreground, interrupt.
    pty.type_in("sh -c 'echo job-$((2 + 2)); exec sleep 2000'\r");
    pty.wait_for("job-4");
    pty.type_in("\u{1a}");
    pty.wait_for("Stopped");
    pty.type_in("jobs; fg\r");
    // Said by the end of it, by `jobs` and by `fg`.
    crate::support::wait_until("the job in front", || {
        pty.shown().matches("exec sleep 2000\"").count() == 3
    });
    interrupt(&pty, "sleep 2000");
    pty.type_in("echo done-$((4 + 4))\r");
    pty.wait_for("done-8");
    pty.resize(11, 44);
    let mut shown = String::new();
    crate::support::wait_until("the new size", || {
        pty.type_in("stty size\r");
        std::thread::sleep(std::time::Duration::from_millis(50));
        shown = pty.shown();
        shown.contains("11 44")
    });
    pty.type_in("\u{4}");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(pty.is_sane());
}

#[test]
fn the_shell_can_be_chosen_and_may_be_missing() {
    let nsci = Nsci::new();
    let mut args = shell(&[]);
    args.extend(["--cmd", "sh,-c,echo chosen $0; read line,me"]);
    let mut pty = terminal(&nsci, &args);
    pty.wait_for("chosen me");
    pty.type_in("\r");
    assert_eq!(pty.end().0, Some(0));
    let mut pty = terminal(
        &nsci,
        &shell(&["with-default-terminal-cmd", "--args=sh,-c,echo by default"]),
    );
    pty.wait_for("by default");
    assert_eq!(pty.end().0, Some(0));
    let mut args = shell(&[]);
    args.extend(["--cmd", "nosuchshell"]);
    let mut pty = terminal(&nsci, &args);
    let (code, shown) = pty.end();
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nosuchshell"), "{shown}");
    assert!(pty.is_sane());
}

#[test]
fn a_directory_is_looked_at_from_a_small_container() {
    let nsci = Nsci::new();
    let args = [
        "core",
        "directory",
        "with-new-file",
        "--path=a/b",
        "--contents=inside",
        "terminal",
        "--cmd",
        "sh,-c,pwd; cat a/b; echo end",
    ];
    let mut pty = terminal(&nsci, &args);
    let shown = pty.wait_for("end");
    assert!(shown.contains("/src\r\ninside"), "{shown}");
    assert_eq!(pty.end().0, Some(0));
}

#[test]
fn services_are_there_while_the_shell_is() {
    let nsci = Nsci::new();
    let service = "{container{from(address:\"alpine:3.20\"){withNewFile(path:\"/www/index.html\",contents:\"hello\"){withExposedPort(port:80){asService(args:[\"httpd\",\"-f\",\"-p\",\"80\",\"-h\",\"/www\"]){id}}}}}}";
    let client = nsci.write(
        "client.py",
        "import base64, json, os, sys, urllib.request\n\
         port, token = os.environ['NSCI_SESSION_PORT'], os.environ['NSCI_SESSION_TOKEN']\n\
         auth = base64.b64encode((token + ':').encode()).decode()\n\
         def ask(q):\n    r = urllib.request.Request(f'http://127.0.0.1:{port}/query', json.dumps({'query': q}).encode(), {'Authorization': 'Basic ' + auth, 'Content-Type': 'application/json'})\n    return json.load(urllib.request.urlopen(r))\n\
         def leaf(v):\n    return leaf(list(v.values())[0]) if isinstance(v, dict) else v\n\
         id = leaf(ask(sys.argv[1])['data'])\n\
         print(ask('{container{from(address:\"alpine:3.20\"){withServiceBinding(alias:\"web\",service:\"%s\"){terminal{sync}}}}}' % id))\n",
    );
    let client = client.to_string_lossy().into_owned();
    let mut pty = terminal(&nsci, &["run", "python3", &client, service]);
    pty.wait_for("/ # ");
    pty.type_in("wget -q -O - http://web/; echo; echo fetched-$?\r");
    let shown = pty.wait_for("fetched-0");
    assert!(shown.contains("hello"), "{shown}");
    pty.type_in("exit\r");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("Container:"), "{shown}");
}

#[test]
fn a_shell_in_a_service_sees_what_the_service_sees() {
    let nsci = Nsci::new();
    let service = [
        "with-new-file",
        "--path=/www/index.html",
        "--contents=hello",
        "with-exposed-port",
        "--port=80",
        "as-service",
        "--args=httpd,-f,-p,80,-h,/www",
    ];
    let mut pty = terminal(&nsci, &shell(&service));
    pty.wait_for("/ # ");
    // Its processes, its network and its files, on a terminal of its own.
    pty.type_in("echo httpds-$(cat /proc/[0-9]*/comm | grep -c httpd); wget -q -O - http://127.0.0.1/; tty\r");
    let shown = pty.wait_for("/dev/pts/");
    for part in ["httpds-1", "hello"] {
        assert!(shown.contains(part), "no {part:?} in {shown:?}");
    }
    pty.type_in("echo changed > /www/new; wget -q -O - http://127.0.0.1/new; echo seen-$?\r");
    let shown = pty.wait_for("seen-0");
    assert!(shown.contains("changed\r\nseen-0"), "{shown}");
    pty.resize(12, 45);
    crate::support::wait_until("the new size", || {
        pty.type_in("stty size\r");
        std::thread::sleep(std::time::Duration::from_millis(50));
        pty.shown().contains("12 45")
    });
    pty.type_in("sleep 3000\r");
    interrupt(&pty, "sleep 3000");
    pty.type_in("exit\r");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(0), "{shown}");
    assert!(pty.is_sane());
    // A shell that is missing, and a service without an inside.
    let mut missing = shell(&service);
    missing.extend(["--cmd", "nosuchshell"]);
    let mut pty = terminal(&nsci, &missing);
    let (code, shown) = pty.end();
    assert_eq!(code, Some(1), "{shown}");
    assert!(shown.contains("nosuchshell"), "{shown}");
    nsci.run(&[
        "query",
        "{host{service(ports:[{backend:9}]){terminal{id}}}}",
    ])
    .failed(1, &["no inside to open a shell in"]);
    nsci.run(&shell(&service))
        .failed(1, &["a shell needs a terminal"]);
}

#[test]
fn without_a_terminal_the_error_says_so() {
    let nsci = Nsci::new();
    nsci.run(&shell(&[]))
        .failed(1, &["a shell needs a terminal", "interactive shell"]);
}

#[test]
fn interactive_opens_a_shell_in_the_state_of_the_failed_step() {
    let nsci = Nsci::new();
    let failing = [
        "-i",
        "core",
        "container",
        "from",
        "--address",
        IMAGE,
        "with-env-variable",
        "--name=WHO",
        "--value=me",
        "with-exec",
        "--args=sh,-c,echo half > /made; exit 7",
        "stdout",
    ];
    let mut pty = terminal(&nsci, &failing);
    pty.wait_for("failed with exit code 7");
    pty.wait_for("# ");
    pty.type_in("echo $(cat /made) $WHO\r");
    pty.wait_for("half me");
    pty.type_in("exit\r");
    let (code, shown) = pty.end();
    assert_eq!(code, Some(7), "{shown}");
    assert!(pty.is_sane());
}

#[test]
fn debug_reopens_a_step_that_failed_in_an_earlier_run() {
    let nsci = Nsci::new();
    nsci.write("secret", "xq7-hush");
    let failing = |word: &str, code: i32| {
        let script = format!("sh,-c,echo {word} > /made; exit {code}");
        let args = format!("--args={script}");
        nsci.run(&[
            "core",
            "container",
            "from",
            "--address",
            IMAGE,
            "with-secret-variable",
            "--name=TOKEN",
            "--secret=file://secret",
            "with-exec",
            &args,
            "stdout",
        ])
        .failed(code, &[]);
    };
    nsci.run(&["debug"]).failed(2, &["no failed step is kept"]);
    failing("first", 5);
    failing("second", 6);
    let listed = nsci.run(&["debug", "--list", "--json"]).ok().json();
    let codes: Vec<_> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|step| step["exitCode"].clone())
        .collect();
    assert_eq!(codes, [6, 5]);
    // The last one by default, any by the beginning of its name; the secret is read again.
    let mut pty = terminal(&nsci, &["debug"]);
    pty.wait_for("failed with exit code 6");
    pty.wait_for("# ");
    pty.type_in("echo $(cat /made)-$TOKEN\r");
    pty.wait_for("second-xq7-hush");
    pty.type_in("exit\r");
    assert_eq!(pty.end().0, Some(0));
    let first = listed[1]["id"].as_str().unwrap();
    let mut pty = terminal(&nsci, &["debug", &first[..6], "--cmd", "cat /made"]);
    pty.wait_for("first");
    assert_eq!(pty.end().0, Some(0));
    // Nothing on disk has the secret.
    let found = std::process::Command::new("grep")
        .args(["-rl", "xq7-hush"])
        .arg(nsci.store())
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    nsci.run(&["debug", "zz"])
        .failed(2, &["no failed step `zz`"]);
    nsci.run(&["debug"])
        .failed(2, &["a shell needs a terminal"]);
    // It is cache like everything else.
    nsci.run(&["cache", "prune"]).ok();
    nsci.run(&["debug"]).failed(2, &["no failed step is kept"]);
}
