//! Steps: what they get, what becomes of what they say, and what is made of their exit codes.

use serde_json::json;

use crate::support::{IMAGE, Nsci, from, quoted, sh};

/// One row for each rule of how a container is configured: chain on the usual image, what it prints.
#[test]
fn configuration_reaches_the_step() {
    let who = format!("{} stdout", sh("echo $(id -u):$(id -g) $HOME"));
    let where_ = format!("{} stdout", sh("pwd; ls -ld . | cut -c1-10"));
    let rows: Vec<(String, &str)> = vec![
        (format!("{} stdout", sh("echo $PATH")), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n"),
        (who.clone(), "0:0 /root\n"),
        (format!("withUser(name: \"65534\") {}", sh("id -u") + " stdout"), "65534\n"),
        (format!("withUser(name: \"nobody\") {}", sh("id -un") + " stdout"), "nobody\n"),
        (format!("withUser(name: \"1234:4321\") {} stdout", sh("echo $(id -u):$(id -g)")), "1234:4321\n"),
        (format!("withUser(name: \"nobody\") withoutUser {who}"), "0:0 /root\n"),
        (format!("withWorkdir(path: \"/made/here\") {where_}"), "/made/here\ndrwxr-xr-x\n"),
        (format!("withWorkdir(path: \"/a\") withWorkdir(path: \"b\") {where_}"), "/a/b\ndrwxr-xr-x\n"),
        (format!("withWorkdir(path: \"/a\") withoutWorkdir {where_}"), "/\ndrwxr-xr-x\n"),
        (format!("withEnvVariable(name: \"A\", value: \"1 2\") {} stdout", sh("echo \"$A\"")), "1 2\n"),
        (format!("withEnvVariable(name: \"A\", value: \"1\") withEnvVariable(name: \"A\", value: \"$A:2\", expand: true) {} stdout", sh("echo $A")), "1:2\n"),
        (format!("withEnvVariable(name: \"A\", value: \"$B\") {} stdout", sh("echo \"$A\"")), "$B\n"),
        (format!("withEnvVariable(name: \"A\", value: \"1\") withoutEnvVariable(name: \"A\") {} stdout", sh("echo \"[$A]\"")), "[]\n"),
        ("withEnvVariable(name: \"A\", value: \"x\") withExec(args: [\"echo\", \"$A\"], expand: true) stdout".into(), "x\n"),
        ("withEnvVariable(name: \"A\", value: \"x\") withExec(args: [\"echo\", \"$A\"]) stdout".into(), "$A\n"),
        ("withEntrypoint(args: [\"echo\", \"e\"]) withExec(args: [\"a\"], useEntrypoint: true) stdout".into(), "e a\n"),
        ("withEntrypoint(args: [\"nosuch\"]) withExec(args: [\"echo\", \"a\"]) stdout".into(), "a\n"),
        ("withEntrypoint(args: [\"echo\"]) withDefaultArgs(args: [\"d\"]) withExec(args: [], useEntrypoint: true) stdout".into(), "d\n"),
        ("withDefaultArgs(args: [\"echo\", \"d\"]) withExec(args: []) stdout".into(), "d\n"),
        ("withExec(args: [\"cat\"], stdin: \"given\") stdout".into(), "given"),
        ("withNewFile(path: \"/in\", contents: \"file\") withExec(args: [\"cat\"], redirectStdin: \"/in\") stdout".into(), "file"),
        (sh("echo o; echo e >&2") + " stderr", "e\n"),
        (sh("echo o; echo e >&2") + " combinedOutput", "o\ne\n"),
        (sh("hostname") + " stdout", "dagger\n"),
        (format!("{} {} stdout", sh("echo kept > /f; echo 1"), sh("cat /f")), "kept\n"),
        (format!("{} withExec(args: [\"true\"]) stdout", sh("echo 1")), ""),
        (format!("{} stdout", sh("test -t 0 || cat; echo end")), "end\n"),
    ];
    let nsci = Nsci::new();
    for (chain, wanted) in rows {
        assert_eq!(nsci.alpine(&chain), wanted, "{chain}");
    }
}

#[test]
fn expected_codes_decide_whether_a_step_failed() {
    let nsci = Nsci::new();
    let code = |expect: &str, code: i32| {
        let args = quoted(&format!("exit {code}"));
        let exec = format!("withExec(args: [\"sh\", \"-c\", {args}], expect: {expect}) exitCode");
        let ran = nsci.chain(&format!("container {} {exec}", from(IMAGE)));
        (ran.code == 0).then(|| crate::support::leaf(&ran.json()).clone())
    };
    for (expect, given, wanted) in [
        ("SUCCESS", 0, Some(json!(0))),
        ("SUCCESS", 3, None),
        ("FAILURE", 3, Some(json!(3))),
        ("FAILURE", 0, None),
        ("ANY", 0, Some(json!(0))),
        ("ANY", 3, Some(json!(3))),
    ] {
        assert_eq!(code(expect, given), wanted, "{expect} {given}");
    }
}

#[test]
fn redirected_output_is_in_the_files() {
    let nsci = Nsci::new();
    let script = quoted("echo out; echo err >&2");
    let exec = format!(
        "withExec(args: [\"sh\", \"-c\", {script}], redirectStdout: \"/o\", redirectStderr: \"/e\")"
    );
    assert_eq!(
        nsci.alpine(&format!("{exec} file(path: \"/o\") contents")),
        "out\n"
    );
    assert_eq!(
        nsci.alpine(&format!("{exec} file(path: \"/e\") contents")),
        "err\n"
    );
}

#[test]
fn output_survives_bytes_that_are_no_text_and_great_length() {
    let nsci = Nsci::new();
    let long = nsci.alpine(&format!("{} stdout", sh("seq 1 100000")));
    assert_eq!(long.lines().count(), 100_000);
    assert!(long.ends_with("\n100000\n"));
    let odd = nsci.alpine(&format!("{} stdout", sh("printf 'a\\377b'")));
    assert!(odd.starts_with('a') && odd.ends_with('b'), "{odd:?}");
}

#[test]
fn api_in_a_step_is_out_of_reach_of_others() {
    let nsci = Nsci::new();
    let session = nsci.session();
    // It has the API for as long as it runs.
    let service = session.id(&format!(
        "container {} withExposedPort(port: 80) \
         asService(args: [\"httpd\", \"-f\", \"-p\", \"80\", \"-h\", \"/etc\"], experimentalPrivilegedNesting: true)",
        from(IMAGE)
    ));
    let script = "wget -q -O - http://api:80/hostname && \
         for place in api 127.0.0.1 $(awk '/^nameserver/ {print $2; exit}' /etc/resolv.conf); do \
         wget -q -O - http://$place:37501/query 2>&1 | grep -o refused; done";
    let said = session.text(&format!(
        "container {} withServiceBinding(alias: \"api\", service: {service}) {} stdout",
        from(IMAGE),
        sh(script)
    ));
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(lines[1..], ["refused"; 3], "{said}");
}

#[test]
fn step_in_a_step_reaches_the_same_session() {
    let nsci = Nsci::new();
    let document = quoted("{\"query\": \"{ container { platform } }\"}");
    let request = "wget -q -O - --header \"Authorization: Basic $(printf '%s:' \"$DAGGER_SESSION_TOKEN\" | base64 | tr -d '\\n')\" \
         --header 'Content-Type: application/json' --post-data \"$DOC\" http://127.0.0.1:$DAGGER_SESSION_PORT/query";
    let exec = format!(
        "withEnvVariable(name: \"DOC\", value: {document}) \
         withExec(args: [\"sh\", \"-c\", {}], experimentalPrivilegedNesting: true) stdout",
        quoted(request)
    );
    assert!(nsci.alpine(&exec).contains("\"platform\":\"linux/"));
    // Without asking for it there is none.
    let none = sh("echo \"[$DAGGER_SESSION_PORT$DAGGER_SESSION_TOKEN]\"");
    assert_eq!(nsci.alpine(&format!("{none} stdout")), "[]\n");
}
