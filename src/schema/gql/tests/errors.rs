//! What a response says when resolvers fail.

use serde_json::json;

use super::toy::run;

#[tokio::test]
async fn a_failing_field_nulls_up_to_the_nearest_nullable() {
    for (query, data, path) in [
        ("{version broken}", json!(null), json!(["broken"])),
        (
            "{version brokenMaybe{steps}}",
            json!({"version": "v1.2.3", "brokenMaybe": null}),
            json!(["brokenMaybe"]),
        ),
        (
            "{x:container{from(address:\"a\"){withExec(args:[\"false\"]){y:stdout}}}}",
            json!(null),
            json!(["x", "from", "withExec", "y"]),
        ),
        ("{version missing}", json!(null), json!(["missing"])),
        (
            "{panics version}",
            json!({"panics": null, "version": "v1.2.3"}),
            json!(["panics"]),
        ),
        (
            "{panicsLater version}",
            json!({"panicsLater": null, "version": "v1.2.3"}),
            json!(["panicsLater"]),
        ),
        (
            "{node(id:\"container:false\"){... on Container{stdout}}}",
            json!({"node": null}),
            json!(["node", "stdout"]),
        ),
        (
            "{node(id:\"nonsense\"){id}}",
            json!({"node": null}),
            json!(["node"]),
        ),
    ] {
        let response = run(query).await;
        assert!(response.executed, "{query}");
        let json = response.to_json();
        assert_eq!(json["data"], data, "{query}");
        assert_eq!(json["errors"][0]["path"], path, "{query}");
    }
}

#[tokio::test]
async fn extensions_and_place_of_an_error_are_kept() {
    let json = run("{\n  container{from(address:\"a\"){withExec(args:[\"false\"]){stdout}}}}")
        .await
        .to_json();
    let error = &json["errors"][0];
    assert_eq!(
        error["extensions"],
        json!({"_type": "EXEC_ERROR", "cmd": ["false"], "exitCode": 1, "stdout": "", "stderr": "bad"})
    );
    assert_eq!(error["message"], "exit code: 1");
    assert_eq!(error["locations"], json!([{"line": 2, "column": 56}]));
}

#[tokio::test]
async fn every_failing_sibling_is_reported_in_document_order() {
    let json = run("{a:broken b:container{withExec(args:[\"false\"]){stdout}} c:broken}")
        .await
        .to_json();
    let errors = json["errors"].as_array().expect("errors are a list");
    let first: Vec<_> = errors
        .iter()
        .map(|error| error["path"][0].as_str().unwrap_or(""))
        .collect();
    assert_eq!(first, ["a", "c", "b"]);
    assert_eq!(json["data"], json!(null));
}

#[tokio::test]
async fn an_id_of_another_type_is_named() {
    for (query, message) in [
        (
            "{loadDirectoryFromID(id:\"container:a\"){name}}",
            "expected \"Directory\" ID, got Container ID",
        ),
        (
            "{container{withDirectory(source:\"container:a\"){id}}}",
            "expected \"Directory\" ID, got Container ID",
        ),
        (
            "{container{withDirectory(source:\"x\"){id}}}",
            "there is no object with id x",
        ),
    ] {
        assert_eq!(
            run(query).await.to_json()["errors"][0]["message"],
            message,
            "{query}"
        );
    }
}
