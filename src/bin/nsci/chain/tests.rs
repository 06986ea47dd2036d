use std::collections::HashMap;
use std::sync::Arc;

use nsci::schema::gql::{Schema, View};
use nsci::schema::{self, Api};
use serde_json::json;

use super::help::chain_help;
use super::query::Leaf;
use super::*;
use crate::args::CHAIN_FLAGS;

fn core() -> Arc<Schema<Api>> {
    schema::build(schema::core()).unwrap()
}

fn with_chain<T>(line: &str, then: impl FnOnce(Start<'_>, Result<Chain<'_>, Failure>) -> T) -> T {
    let schema = core();
    let env = HashMap::new();
    let start = Start {
        around: Surroundings {
            types: schema.table(),
            view: View::LATEST,
            env: &env,
        },
        constructor: None,
        owner: "the core API",
        module: None,
        own: CHAIN_FLAGS,
    };
    let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
    then(start, Chain::parse(start, &words))
}

fn request(line: &str) -> String {
    with_chain(line, |start, chain| {
        let chain = chain.unwrap_or_else(|failure| panic!("{line}: {}", failure.text(false)));
        let leaf = Leaf::of(&chain, start).unwrap_or_else(|f| panic!("{}", f.text(false)));
        let ids: Vec<_> = (0..9).map(|number| json!(format!("ID{number}"))).collect();
        query::request(&chain, &leaf, &ids)
    })
}

fn refused(line: &str) -> String {
    with_chain(line, |_, chain| chain.expect_err(line).text(false))
}

#[test]
fn chains_become_one_request() {
    for (line, wanted) in [
        (
            "container from --address=alpine with-exec --args=echo,hi stdout",
            r#"{container{from(address:"alpine"){withExec(args:["echo","hi"]){stdout}}}}"#,
        ),
        (
            "container from --address alpine with-exec --args ls --args=-l stdout -v --debug",
            r#"{container{from(address:"alpine"){withExec(args:["ls","-l"]){stdout}}}}"#,
        ),
        (
            "container from --address=alpine",
            r#"{container{from(address:"alpine"){sync}}}"#,
        ),
        (
            "container with-directory --path=/src --source=.",
            r#"{container{withDirectory(path:"/src",source:"ID0"){sync}}}"#,
        ),
        (
            "directory with-new-file --path=a --contents=b -o out",
            r#"{directory{withNewFile(path:"a",contents:"b"){export(path:"out")}}}"#,
        ),
        (
            "host file --path=x -o out",
            r#"{host{file(path:"x"){export(path:"out",allowParentDirPath:true)}}}"#,
        ),
        (
            "container withEnvVariable --name=A --value= env-variables",
            r#"{container{withEnvVariable(name:"A",value:""){envVariables{id name value}}}}"#,
        ),
        ("version --json", "{version}"),
    ] {
        assert_eq!(request(line), wanted, "{line}");
    }
}

#[test]
fn mistakes_are_explained() {
    for (line, wanted) in [
        (
            "contaner",
            "no function `contaner` in the core API\nhint: did you mean `container`?",
        ),
        (
            "container form --address=x",
            "no function `form` in `Container`\nhint: did you mean `from`?",
        ),
        (
            "container from stdout",
            "required flag(s) \"address\" not set",
        ),
        ("container from", "required flag(s) \"address\" not set"),
        (
            "container with-env-variable",
            "required flag(s) \"name\", \"value\" not set",
        ),
        (
            "container from --adress=x",
            "unknown flag of `from`: --adress\nhint: did you mean `--address`?",
        ),
        ("container from --address", "flag needs a value: --address"),
        ("version upper", "no function `upper`: the result has none"),
    ] {
        let text = refused(line);
        assert!(
            text.starts_with(&format!("Error: {wanted}")),
            "{line}: {text}"
        );
    }
}

#[test]
fn results_that_cannot_be_saved_are_refused() {
    with_chain("host -o x", |start, chain| {
        let failure = Leaf::of(&chain.unwrap(), start).unwrap_err();
        assert!(failure.text(false).contains("a Host cannot be saved"));
    });
}

#[test]
fn help_needs_no_required_flags() {
    for line in [
        "container from --help",
        "container from --help stdout",
        "container from stdout -h",
    ] {
        with_chain(line, |start, chain| {
            let chain = chain.unwrap_or_else(|failure| panic!("{line}: {}", failure.text(false)));
            assert!(chain.help, "{line}");
            let text = chain_help("nsci core", start, &chain);
            assert!(text.contains("Usage: nsci core container from"), "{text}");
        });
    }
    with_chain("container from --help", |start, chain| {
        let text = chain_help("nsci core", start, &chain.unwrap());
        assert!(text.contains("--address TEXT"), "{text}");
        assert!(text.contains("[required]"), "{text}");
        assert!(text.contains("with-exec"), "{text}");
        assert!(!text.contains("load-container-from"), "{text}");
    });
}

#[test]
fn flags_of_functions_come_before_those_of_the_command() {
    with_chain("container with-exec --args=x,y --json", |_, chain| {
        let chain = chain.unwrap();
        assert!(chain.json);
        assert_eq!(chain.steps.len(), 2);
    });
}
