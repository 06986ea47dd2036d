//! `nsci query`: a GraphQL document, run as it is.

use std::io::{self, Read as _};
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::app::{Answer, App, request};
use crate::output::{Output, pretty};
use crate::report::Failure;

/// Where the document and its variables are.
#[derive(Debug)]
pub(super) struct Document {
    /// The document itself.
    pub(super) text: Option<String>,
    /// File it is in; `-` is standard input.
    pub(super) doc: Option<String>,
    /// `name=value` pairs.
    pub(super) vars: Vec<String>,
    /// One JSON object.
    pub(super) vars_json: Option<String>,
}

/// Runs a document and prints its data.
///
/// # Errors
/// A document that cannot be read, and the errors of the request. Data that came along is printed all the same.
pub(super) async fn query(app: Arc<App>, document: Document) -> Result<Output, Failure> {
    let variables = variables(&document)?;
    let text = text(&app, &document).await?;
    if text.trim().is_empty() {
        return Err(Failure::usage("there is no document to run")
            .hint("nsci query '{ version }', --doc FILE, or pipe one in"));
    }
    let engine = app.engine().await?;
    if let Some(reference) = &app.settings.module {
        app.module(&engine).await.inspect_err(|_| {
            app.events
                .warn(format!("module {reference} is not part of the API"));
        })?;
    }
    let answer = Answer::read(&engine.session.execute(&request(text, variables)).await)?;
    let data = answer.data.filter(|data| !data.is_null());
    let output = Output::text(data.as_ref().map(pretty).unwrap_or_default());
    if answer.errors.is_empty() {
        return Ok(output);
    }
    output.print()?;
    Err(Failure::Request(answer.errors))
}

async fn text(app: &App, document: &Document) -> Result<String, Failure> {
    match (&document.text, document.doc.as_deref()) {
        (Some(_), Some(_)) => Err(Failure::usage(
            "give the document as an argument or with --doc, not both",
        )),
        (Some(text), None) => Ok(text.clone()),
        (None, Some(path)) if path != "-" => {
            tokio::fs::read_to_string(app.settings.workdir.join(path))
                .await
                .map_err(|error| {
                    Failure::usage(format!("cannot read the document {path}")).because(&error)
                })
        }
        (None, _) => {
            let read = || {
                let mut text = String::new();
                io::stdin().read_to_string(&mut text).map(|_| text)
            };
            let text = tokio::task::spawn_blocking(read).await;
            let text = text
                .map_err(|error| Failure::internal("cannot read standard input").because(&error))?;
            text.map_err(|error| {
                Failure::usage("cannot read the document from standard input").because(&error)
            })
        }
    }
}

fn variables(document: &Document) -> Result<Map<String, Value>, Failure> {
    let mut variables = match document.vars_json.as_deref().map(serde_json::from_str) {
        None => Map::new(),
        Some(Ok(Value::Object(map))) => map,
        Some(Ok(_)) => return Err(Failure::usage("--var-json must be a JSON object")),
        Some(Err(error)) => {
            return Err(Failure::usage("--var-json is not JSON").because(&error));
        }
    };
    for pair in &document.vars {
        let (name, value) = pair
            .split_once('=')
            .ok_or_else(|| Failure::usage(format!("`{pair}` is not NAME=VALUE: --var")))?;
        variables.insert(name.to_owned(), value.into());
    }
    Ok(variables)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document(vars: &[&str], vars_json: Option<&str>) -> Document {
        Document {
            text: None,
            doc: None,
            vars: vars.iter().map(|var| (*var).to_owned()).collect(),
            vars_json: vars_json.map(str::to_owned),
        }
    }

    #[test]
    fn variables_are_put_together() {
        let given = variables(&document(&["a=x=y", "b="], Some(r#"{"a": 1, "c": [2]}"#))).unwrap();
        assert_eq!(Value::Object(given), json!({"a": "x=y", "c": [2], "b": ""}));
        for bad in [
            document(&["a"], None),
            document(&[], Some("[]")),
            document(&[], Some("{")),
        ] {
            assert!(variables(&bad).is_err(), "{bad:?}");
        }
    }
}
