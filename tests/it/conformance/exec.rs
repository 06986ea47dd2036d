//! Commands: arguments, output, exit codes, surroundings, mounts.

use serde_json::json;

use super::Table;
use crate::support::sh;

#[test]
fn arguments_and_entrypoints() {
    let app =
        "ALPINE withEntrypoint(args: [\"echo\", \"entry\"]) withDefaultArgs(args: [\"default\"])";
    Table::new()
        .is("arguments are literal, no shell", "ALPINE withExec(args: [\"echo\", \"$HOME\", \"*\"]) stdout", "$HOME *\n")
        .is("the entrypoint is left out", &format!("{app} withExec(args: [\"echo\", \"x\"]) stdout"), "x\n")
        .is(
            "unless it is asked for",
            &format!("{app} withExec(args: [\"x\"], useEntrypoint: true) stdout"),
            "entry x\n",
        )
        .is(
            "no arguments: the default ones, behind the entrypoint if asked",
            &format!("{app} withExec(args: [], useEntrypoint: true) stdout"),
            "entry default\n",
        )
        .is("defaultArgs", &format!("{app} defaultArgs"), json!(["default"]))
        .is("entrypoint", &format!("{app} entrypoint"), json!(["echo", "entry"]))
        .is(
            "a new entrypoint removes the default arguments",
            &format!("{app} withEntrypoint(args: [\"true\"]) defaultArgs"),
            json!([]),
        )
        .is(
            "unless they are kept",
            &format!("{app} withEntrypoint(args: [\"true\"], keepDefaultArgs: true) defaultArgs"),
            json!(["default"]),
        )
        .is("so does removing it", &format!("{app} withoutEntrypoint defaultArgs"), json!([]))
        .is("default arguments can be removed", &format!("{app} withoutDefaultArgs defaultArgs"), json!([]))
        .fails("nothing to run", "container withExec(args: []) stdout", &["no "])
        .fails(
            "a program that is not there is named",
            "ALPINE withExec(args: [\"nosuch-program\"]) stdout",
            &["nosuch-program"],
        )
        .is(
            "variables are replaced on demand",
            "ALPINE withEnvVariable(name: \"A\", value: \"x\") withExec(args: [\"echo\", \"$A ${A}y\"], expand: true) stdout",
            "x xy\n",
        )
        .hold();
}

#[test]
fn standard_streams() {
    Table::new()
        .is("stdin is empty", "ALPINE withExec(args: [\"cat\"]) stdout", "")
        .is("stdin is a text", "ALPINE withExec(args: [\"cat\"], stdin: \"in\") stdout", "in")
        .is(
            "stdin is a file",
            "ALPINE withNewFile(path: \"/in\", contents: \"f\") withExec(args: [\"cat\"], redirectStdin: \"/in\") stdout",
            "f",
        )
        .fails(
            "not both",
            "ALPINE withNewFile(path: \"/in\", contents: \"f\") withExec(args: [\"cat\"], stdin: \"x\", redirectStdin: \"/in\") stdout",
            &["stdin"],
        )
        .is("stdout and stderr are apart", &format!("ALPINE {} stdout", sh("echo o; echo e >&2")), "o\n")
        .is("stderr", &format!("ALPINE {} stderr", sh("echo o; echo e >&2")), "e\n")
        .is("and together, in order", &format!("ALPINE {} combinedOutput", sh("echo o; sleep 0.05; echo e >&2")), "o\ne\n")
        .is("of the last command", "ALPINE withExec(args: [\"echo\", \"1\"]) withExec(args: [\"echo\", \"2\"]) stdout", "2\n")
        .is(
            "stdout goes to a file",
            "ALPINE withExec(args: [\"echo\", \"o\"], redirectStdout: \"/out\") file(path: \"/out\") contents",
            "o\n",
        )
        .is(
            "stderr goes to a file",
            "ALPINE withExec(args: [\"sh\", \"-c\", \"echo e >&2\"], redirectStderr: \"/err\") file(path: \"/err\") contents",
            "e\n",
        )
        .is(
            "a redirect's path is relative to the working directory",
            "ALPINE withWorkdir(path: \"/w\") withExec(args: [\"echo\", \"o\"], redirectStdout: \"out\") file(path: \"/w/out\") contents",
            "o\n",
        )
        .is(
            "its variables are replaced on demand",
            "ALPINE withEnvVariable(name: \"N\", value: \"q\") withExec(args: [\"echo\", \"o\"], redirectStdout: \"/$N\", expand: true) file(path: \"/q\") contents",
            "o\n",
        )
        .fails(
            "no command, no output",
            "ALPINE stdout",
            &["no command has been set"],
        )
        .hold();
}

#[test]
fn exit_codes() {
    let code = |code: i32, expect: &str| {
        format!(
            "ALPINE withExec(args: [\"sh\", \"-c\", \"exit {code}\"], expect: {expect}) exitCode"
        )
    };
    let mut table = Table::new();
    table
        .is("success", &code(0, "SUCCESS"), 0)
        .is("a failure that is expected", &code(1, "FAILURE"), 1)
        .is("any", &code(127, "ANY"), 127)
        .is("any is success as well", &code(0, "ANY"), 0)
        .is(
            "codes above 191 are plain failures",
            &code(200, "FAILURE"),
            200,
        );
    for (wrong, expect) in [
        (1, "SUCCESS"),
        (0, "FAILURE"),
        (128, "ANY"),
        (137, "ANY"),
        (191, "FAILURE"),
    ] {
        table.fails(
            &format!("{wrong} is not {expect}"),
            &code(wrong, expect),
            &[&format!("exit code: {wrong}")],
        );
    }
    table
        .is(
            "what an expected failure wrote stays",
            "ALPINE withExec(args: [\"sh\", \"-c\", \"echo x > /f; exit 3\"], expect: ANY) file(path: \"/f\") contents",
            "x\n",
        )
        .hold();
}

#[test]
fn surroundings_of_a_command() {
    let run = |chain: &str, script: &str| format!("ALPINE {chain} {} stdout", sh(script));
    Table::new()
        .is("root by default, at home", &run("", "id -u; echo $HOME; pwd"), "0\n/root\n/\n")
        .is("PATH is set", &run("withoutEnvVariable(name: \"PATH\")", "echo $PATH | grep -c /usr/bin"), "1\n")
        .is("hostname", &run("", "hostname"), "dagger\n")
        .is("the working directory is made", &run("withWorkdir(path: \"/a/b\")", "pwd"), "/a/b\n")
        .is(
            "a relative one is below the last",
            &run("withWorkdir(path: \"/a\") withWorkdir(path: \"b\")", "pwd"),
            "/a/b\n",
        )
        .is(
            "it can name variables",
            &run("withEnvVariable(name: \"D\", value: \"/x\") withWorkdir(path: \"$D/y\", expand: true)", "pwd"),
            "/x/y\n",
        )
        .is("workdir", "ALPINE withWorkdir(path: \"/a\") workdir", "/a")
        .is("and back", "ALPINE withWorkdir(path: \"/a\") withoutWorkdir workdir", "/")
        .is("a user by name", &run("withUser(name: \"nobody\")", "id -un"), "nobody\n")
        .is("by number and group", &run("withUser(name: \"12:34\")", "id -u; id -g"), "12\n34\n")
        .is("user", "ALPINE withUser(name: \"nobody\") user", "nobody")
        .is("and root again", &run("withUser(name: \"nobody\") withoutUser", "id -u"), "0\n")
        .fails("an unknown user is named", &run("withUser(name: \"whoever\")", "true"), &["whoever"])
        .is("variables", &run("withEnvVariable(name: \"A\", value: \"1\")", "echo $A"), "1\n")
        .is(
            "that know others",
            "ALPINE withEnvVariable(name: \"A\", value: \"1\") withEnvVariable(name: \"B\", value: \"$A${A}\", expand: true) envVariable(name: \"B\")",
            "11",
        )
        .is("literal otherwise", "ALPINE withEnvVariable(name: \"B\", value: \"$A\") envVariable(name: \"B\")", "$A")
        .is("a missing variable is null", "ALPINE envVariable(name: \"NONE\")", json!(null))
        .is("labels", "ALPINE withLabel(name: \"l\", value: \"1\") withLabel(name: \"l\", value: \"2\") label(name: \"l\")", "2")
        .is("gone labels are null", "ALPINE withLabel(name: \"l\", value: \"1\") withoutLabel(name: \"l\") label(name: \"l\")", json!(null))
        .is(
            "ports are listed",
            "ALPINE withExposedPort(port: 80, description: \"web\") withExposedPort(port: 53, protocol: UDP) exposedPorts {port protocol description}",
            json!([
                {"port": 80, "protocol": "TCP", "description": "web"},
                {"port": 53, "protocol": "UDP", "description": null},
            ]),
        )
        .is(
            "and taken back by number and transport",
            "ALPINE withExposedPort(port: 80) withoutExposedPort(port: 80, protocol: UDP) exposedPorts {port}",
            json!([{"port": 80}]),
        )
        .fails("no port", "ALPINE withExposedPort(port: 70000) exposedPorts {port}", &["70000"])
        .is("an init is process 1", &run("", "test $$ != 1 && echo other"), "other\n")
        .is(
            "unless there is none",
            "ALPINE withExec(args: [\"sh\", \"-c\", \"echo $$\"], noInit: true) stdout",
            "1\n",
        )
        .is(
            "capabilities are all there on demand",
            "ALPINE withExec(args: [\"sh\", \"-c\", \"mkdir -p /mnt && mount -t tmpfs x /mnt && echo mounted\"], insecureRootCapabilities: true) stdout",
            "mounted\n",
        )
        .fails(
            "and not otherwise",
            &run("", "mkdir -p /mnt && mount -t tmpfs x /mnt"),
            &["exit code"],
        )
        .hold();
}

#[test]
fn mounts_of_a_command() {
    let mut table = Table::new();
    let tree = table.id("directory withNewFile(path: \"f\", contents: \"F\")");
    let file = table.id("file(name: \"g\", contents: \"G\")");
    let secret = table.id("setSecret(name: \"s\", plaintext: \"hush\")");
    let mounted = format!("ALPINE withMountedDirectory(path: \"/m\", source: {tree})");
    let write = sh("echo W > /m/w");
    table
        .is("mounts are listed", &format!("{mounted} mounts"), json!(["/m"]))
        .is("they are read", &format!("{mounted} {} stdout", sh("cat /m/f")), "F")
        .is(
            "writes stay along the chain",
            &format!("{mounted} {write} {} stdout", sh("cat /m/w")),
            "W\n",
        )
        .is(
            "they are found by path",
            &format!("{mounted} {write} file(path: \"/m/w\") contents"),
            "W\n",
        )
        .is(
            "they are no part of the root file system",
            &format!("{mounted} {write} rootfs exists(path: \"m\")"),
            false,
        )
        .is(
            "nor is the mount point once it is taken away",
            &format!("{mounted} {write} withoutMount(path: \"/m\") exists(path: \"/m\")"),
            false,
        )
        .fails(
            "a read-only mount cannot be written",
            &format!("ALPINE withMountedDirectory(path: \"/m\", source: {tree}, readOnly: true) {write} stdout"),
            &["exit code"],
        )
        .is(
            "owners by name",
            &format!("ALPINE withMountedDirectory(path: \"/m\", source: {tree}, owner: \"nobody\") {} stdout", sh("stat -c %U /m/f")),
            "nobody\n",
        )
        .is(
            "the container's user inherits",
            &format!("ALPINE withUser(name: \"12:34\") withMountedFile(path: \"/g\", source: {file}, inheritOwner: true) {} stdout", sh("stat -c %u:%g /g; cat /g")),
            "12:34\nG",
        )
        .is(
            "a file can be written, and stays",
            &format!("ALPINE withMountedFile(path: \"/g\", source: {file}) {} file(path: \"/g\") contents", sh("echo 2 >> /g")),
            "G2\n",
        )
        .is(
            "a mount replaces one at the same path",
            &format!("{mounted} withMountedTemp(path: \"/m\") mounts"),
            json!(["/m"]),
        )
        .is(
            "memory is dropped after each command",
            &format!("ALPINE withMountedTemp(path: \"/t\") {} {} stdout", sh("echo x > /t/x"), sh("ls /t | wc -l")),
            "0\n",
        )
        .is(
            "and has a limit",
            &format!("ALPINE withMountedTemp(path: \"/t\", size: 1048576) {} stdout", sh("head -c 2000000 /dev/zero > /t/x 2>/dev/null || echo full")),
            "full\n",
        )
        .is(
            "a secret is a file for root alone",
            &format!("ALPINE withMountedSecret(path: \"/s\", source: {secret}) {} stdout", sh("stat -c '%a %u' /s; wc -c < /s")),
            "400 0\n4\n",
        )
        .is(
            "mode and owner as asked",
            &format!("ALPINE withMountedSecret(path: \"/s\", source: {secret}, mode: 292, owner: \"nobody\") {} stdout", sh("stat -c '%a %U' /s")),
            "444 nobody\n",
        )
        .is(
            "it leaves nothing behind",
            &format!("ALPINE withMountedSecret(path: \"/s\", source: {secret}) {} withoutMount(path: \"/s\") exists(path: \"/s\")", sh("true")),
            false,
        )
        .fails(
            "it cannot be read from outside",
            &format!("ALPINE withMountedSecret(path: \"/s\", source: {secret}) file(path: \"/s\") contents"),
            &["cannot retrieve path from secret"],
        )
        .is(
            "mount points name variables",
            &format!("ALPINE withEnvVariable(name: \"D\", value: \"/v\") withMountedDirectory(path: \"$D\", source: {tree}, expand: true) mounts"),
            json!(["/v"]),
        )
        .is(
            "a copy into a mount stays in the mount",
            &format!("{mounted} withNewFile(path: \"/m/n\", contents: \"N\") {} stdout", sh("cat /m/n")),
            "N",
        )
        .hold();
}

#[test]
fn secrets_are_scrubbed() {
    let mut table = Table::new();
    let secret = table.id("setSecret(name: \"s\", plaintext: \"  multi\\nline secret \")");
    let with = format!("ALPINE withSecretVariable(name: \"S\", secret: {secret})");
    table
        .is(
            "from stdout",
            &format!("{with} {} stdout", sh("echo \"[$S]\"")),
            "[***]\n",
        )
        .is(
            "trimmed as well",
            &format!(
                "{with} {} stdout",
                sh("printf '%s' \"$S\" | sed 's/^ *//; $s/ *$//'")
            ),
            "***",
        )
        .is(
            "from stderr",
            &format!("{with} {} stderr", sh("echo \"$S\" >&2")),
            "***\n",
        )
        .is(
            "across writes",
            &format!(
                "{with} {} stdout",
                sh("printf '  mul'; sleep 0.05; printf 'ti\\nline secret '")
            ),
            "***",
        )
        .fails(
            "from errors",
            &format!("{with} {} stdout", sh("echo \"$S\" >&2; exit 4")),
            &["exit code: 4"],
        )
        .is(
            "files are what they are",
            &format!(
                "{with} {} file(path: \"/f\") size",
                sh("printf '%s' \"$S\" > /f")
            ),
            20,
        )
        .is(
            "variables of secrets are not listed",
            &format!("{with} envVariable(name: \"S\")"),
            json!(null),
        )
        .is(
            "plaintext gives it back",
            "setSecret(name: \"t\", plaintext: \"x\") plaintext",
            "x",
        )
        .is(
            "by name",
            "setSecret(name: \"t\", plaintext: \"x\") name",
            "t",
        )
        .hold();
}

#[test]
fn health_checks() {
    let check = "ALPINE withDockerHealthcheck(args: [\"curl\", \"-f\", \"x\"], interval: \"1m30s\", timeout: \"500ms\", retries: 3)";
    Table::new()
        .is("the command", &format!("{check} dockerHealthcheck args"), json!(["curl", "-f", "x"]))
        .is("no shell", &format!("{check} dockerHealthcheck shell"), false)
        .is("times come back as they were", &format!("{check} dockerHealthcheck interval"), "1m30s")
        .is("short ones too", &format!("{check} dockerHealthcheck timeout"), "500ms")
        .is("what was not said is Docker's default", &format!("{check} dockerHealthcheck startPeriod"), "0s")
        .is("retries", &format!("{check} dockerHealthcheck retries"), 3)
        .is(
            "by the shell",
            "ALPINE withDockerHealthcheck(args: [\"curl -f x || exit 1\"], shell: true) dockerHealthcheck {shell args}",
            json!({"shell": true, "args": ["curl -f x || exit 1"]}),
        )
        .is("none", "ALPINE dockerHealthcheck {args}", json!(null))
        .is("it is removed", &format!("{check} withoutDockerHealthcheck dockerHealthcheck {{args}}"), json!(null))
        .fails(
            "a wrong time is named",
            "ALPINE withDockerHealthcheck(args: [\"x\"], interval: \"soon\") dockerHealthcheck args",
            &["interval cannot be `soon`"],
        )
        .fails("it needs a command", "ALPINE withDockerHealthcheck(args: []) dockerHealthcheck args", &["needs a command"])
        .hold();
}
