use std::time::Duration;

use super::*;

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn parsed(line: &str) -> LowArgs {
    parse(&words(line)).unwrap_or_else(|failure| panic!("{line}: {}", failure.text(false)))
}

fn refused(line: &str) -> String {
    parse(&words(line)).expect_err(line).text(false)
}

#[test]
fn global_flags_stand_anywhere() {
    for line in [
        "-m ./ci --progress=plain call test --source=. --debug",
        "call -m ./ci test --source=. --debug --progress plain",
        "--debug call test --source=. --progress plain -m=./ci",
        "-d --module ./ci --progress plain call test --source=.",
    ] {
        let args = parsed(line);
        assert_eq!(args.globals.module.as_deref(), Some("./ci"), "{line}");
        assert_eq!(args.globals.progress.as_deref(), Some("plain"), "{line}");
        assert_eq!(args.globals.verbose, 3, "{line}");
        assert!(matches!(args.verb, Verb::Call(_)), "{line}");
    }
}

#[test]
fn flags_of_functions_are_left_alone() {
    let args = parsed("call --workdir /x build --arch=arm --fast stdout -vv");
    assert_eq!(
        args.verb,
        Verb::Call(words("--workdir /x build --arch=arm --fast stdout -vv"))
    );
    assert_eq!(args.globals.verbose, 2);
    assert_eq!(args.globals.workdir.as_deref(), Some("/x"));
}

#[test]
fn run_stops_at_the_program() {
    let args = parsed("run --cleanup-timeout=3s go run . -m x --help");
    assert_eq!(
        args.verb,
        Verb::Run {
            command: words("go run . -m x --help"),
            cleanup: Duration::from_secs(3)
        }
    );
    assert_eq!(args.globals, Globals::default());
    assert_eq!(
        parsed("run -- -x").verb,
        Verb::Run {
            command: words("-x"),
            cleanup: Duration::from_secs(10)
        }
    );
}

#[test]
fn session_takes_what_every_sdk_sends() {
    let line = "session --workdir /tmp --workspace X --label dagger.io/sdk.name:go --label dagger.io/sdk.version:0.18.19 \
                --version v0.18.19 --load-workspace-modules --skip-workspace-modules --project p -vvv";
    let args = parsed(line);
    let labels = ["dagger.io/sdk.name:go", "dagger.io/sdk.version:0.18.19"];
    assert_eq!(
        args.verb,
        Verb::Session {
            labels: labels.map(str::to_owned).to_vec()
        }
    );
    assert_eq!(args.globals.verbose, 3);
}

#[test]
fn older_spellings_are_the_same_commands() {
    for (line, verb) in [
        ("mod init --name x --sdk python", "init"),
        ("module functions", "functions"),
        ("api call build", "call"),
    ] {
        let name = match parsed(line).verb {
            Verb::Init { .. } => "init",
            Verb::Functions { .. } => "functions",
            Verb::Call(_) => "call",
            _ => "other",
        };
        assert_eq!(name, verb, "{line}");
    }
}

#[test]
fn toolchains_have_commands_of_their_own() {
    let names = || vec!["a".to_owned(), "b".to_owned()];
    for (line, wanted) in [
        ("toolchain", ToolchainVerb::Help),
        (
            "toolchain install --name=lint a b",
            ToolchainVerb::Install {
                references: names(),
                name: Some("lint".into()),
            },
        ),
        ("toolchain uninstall a b", ToolchainVerb::Uninstall(names())),
        ("toolchain update a b", ToolchainVerb::Update(names())),
        ("toolchain ls --json", ToolchainVerb::List { json: true }),
    ] {
        assert_eq!(parsed(line).verb, Verb::Toolchain(wanted), "{line}");
    }
}

#[test]
fn query_is_text_or_file() {
    let args = parse(&[
        "query".into(),
        "{ a b }".into(),
        "--var".into(),
        "x=1".into(),
    ])
    .unwrap();
    assert_eq!(
        args.verb,
        Verb::Query {
            text: Some("{ a b }".into()),
            doc: None,
            vars: vec!["x=1".into()],
            vars_json: None
        }
    );
}

#[test]
fn help_is_everywhere() {
    for line in ["", "--help", "help", "-h"] {
        let args = parsed(line);
        assert!(args.globals.help || args.verb == Verb::Help(None), "{line}");
    }
    for command in COMMANDS {
        for line in [
            format!("{} --help", command.name),
            format!("help {}", command.name),
        ] {
            let args = parsed(&line);
            let static_help = args.verb == Verb::Help(Some(command));
            assert!(
                static_help || (command.is_dynamic() && args.globals.help),
                "{line}"
            );
        }
        let text = command_help("nsci", command);
        assert!(
            text.contains(&format!("Usage: nsci {}", command.name)),
            "{text}"
        );
    }
}

#[test]
fn mistakes_are_explained() {
    for (line, wanted) in [
        (
            "cal",
            "Error: unknown command `cal`\nhint: did you mean `call`?\n",
        ),
        (
            "frobnicate",
            "Error: unknown command `frobnicate`\nhint: `nsci --help` lists the commands\n",
        ),
        ("login", "Error: command `login` is not supported yet\n"),
        (
            "functions --jsno",
            "Error: unknown flag: --jsno\nhint: did you mean `--json`?\n",
        ),
        ("query --doc", "Error: flag needs a value: --doc\n"),
        (
            "version x",
            "Error: unexpected argument `x` for `version`\n",
        ),
        (
            "init",
            "Error: required flag(s) \"sdk\" not set\nhint: nsci init --sdk=python, or --blueprint=REF\n",
        ),
        (
            "init --sdk=go --blueprint=x",
            "Error: --sdk and --blueprint exclude each other\nhint: a module with a blueprint has no code of its own\n",
        ),
        (
            "toolchain get",
            "Error: unknown command `toolchain get`\nhint: nsci toolchain install, uninstall, list or update\n",
        ),
        (
            "toolchain list x",
            "Error: unexpected argument `x` for `toolchain list`\n",
        ),
        (
            "cache rm",
            "Error: unknown command `cache rm`\nhint: nsci cache ls, du or prune\n",
        ),
        ("-s=maybe version", "Error: unknown flag: -s\n"),
        (
            "--silent=maybe version",
            "Error: `maybe` is neither true nor false: --silent=maybe\n",
        ),
        (
            "run --cleanup-timeout=x y",
            "Error: `x` is not a duration, such as 90s, 5m or 1h30m\n",
        ),
    ] {
        assert_eq!(refused(line), wanted, "{line}");
    }
}

#[test]
fn counts_and_switches_add_up() {
    let globals = parsed("-vq -v --quiet --silent=false version").globals;
    assert_eq!(
        (globals.verbose, globals.quiet, globals.silent),
        (2, 2, false)
    );
}
