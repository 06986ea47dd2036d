//! The small schema: containers that remember what was asked of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::schema::gql::{
    Args, Backend, Executor, FieldError, Registry, Request, Response, Schema, View,
};

pub(crate) type Ctx = crate::schema::gql::Ctx<Toy>;

#[derive(Clone, Debug, Default)]
pub(crate) struct Root;

/// What was asked, one word per step.
#[derive(Clone, Debug, Default)]
pub(crate) struct Container(pub(crate) Arc<Vec<String>>);

impl Container {
    fn then(&self, step: impl Into<String>) -> Self {
        let mut steps = (*self.0).clone();
        steps.push(step.into());
        Self(Arc::new(steps))
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Directory(pub(crate) Arc<str>);

#[derive(Clone, Debug)]
pub(crate) struct Label(pub(crate) Arc<(String, String)>);

crate::objects! {
    #[derive(Clone, Debug)]
    pub(crate) enum Object {
        Query(Root),
        Container(Container),
        Directory(Directory),
        Label(Label),
    }
}

/// Counts what runs.
#[derive(Debug, Default)]
pub(crate) struct Toy {
    pub(crate) running: AtomicUsize,
    pub(crate) most: AtomicUsize,
    pub(crate) finished: AtomicUsize,
}

impl Toy {
    async fn wait(&self) {
        let running = self.running.fetch_add(1, Ordering::SeqCst) + 1;
        self.most.fetch_max(running, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.running.fetch_sub(1, Ordering::SeqCst);
        self.finished.fetch_add(1, Ordering::SeqCst);
    }
}

impl Backend for Toy {
    type Object = Object;
    type Client = ();

    fn type_name<'a>(&self, object: &'a Object) -> &'a str {
        object.type_name()
    }

    fn id(&self, (): &(), object: &Object) -> Result<String, FieldError> {
        Ok(match object {
            Object::Query(_) => "query:".to_owned(),
            Object::Container(container) => format!("container:{}", container.0.join(",")),
            Object::Directory(directory) => format!("directory:{}", directory.0),
            Object::Label(label) => format!("label:{}={}", label.0.0, label.0.1),
        })
    }

    fn load(&self, (): &(), id: &str) -> Result<Object, FieldError> {
        let unknown = || FieldError::new(format!("there is no object with id {id}"));
        let (kind, rest) = id.split_once(':').ok_or_else(unknown)?;
        Ok(match kind {
            "query" => Root.into(),
            "container" => {
                let steps = rest.split(',').filter(|step| !step.is_empty());
                Container(Arc::new(steps.map(str::to_owned).collect())).into()
            }
            "directory" => Directory(rest.into()).into(),
            _ => return Err(unknown()),
        })
    }
}

#[derive(Deserialize)]
struct Pair {
    name: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WithExec {
    args: Vec<String>,
    expand: bool,
    redirect_stdout: Option<String>,
}

#[expect(clippy::too_many_lines, reason = "a flat table")]
pub(crate) fn registry() -> Registry<Toy> {
    let mut reg = Registry::new();
    let mut query = reg.query::<Root>();
    query.doc("The root of all requests.");
    query.field("container", "Container!", |f| {
        f.doc("A container without a base.")
            .arg("id: ContainerID", "An existing one.")
            .arg("platform: Platform", "Its platform.")
            .resolve(|ctx: &Ctx, _, args| {
                let existing = ctx.optional_object::<Container>(args, "id")?;
                let fresh = args.str("platform").map(|p| Container::default().then(p));
                Ok(existing.or(fresh).unwrap_or_default())
            })
    });
    query.field("version", "String!", |f| {
        f.doc("The version.").resolve(|_, _, _| Ok("v1.2.3"))
    });
    query.field("echo", "String!", |f| {
        f.arg("i: Int", "")
            .arg("f: Float", "")
            .arg("b: Boolean", "")
            .arg("s: String", "")
            .arg("j: JSON", "")
            .arg("e: Protocol", "")
            .arg("l: [Int!]", "")
            .arg("p: [Pair!]", "")
            .arg("d: Protocol! = TCP", "")
            .arg("n: [[Int]]", "")
            .arg("pl: Platform", "")
            .arg("ids: [DirectoryID!]", "")
            .resolve(|_, _, args: &Args| Ok(Value::Object(args.as_map().clone()).to_string()))
    });
    query.field("maybe", "Container", |f| {
        f.resolve(|_, _, _| Ok(None::<Container>))
    });
    query.field("broken", "String!", |f| {
        f.resolve(|_, _, _| -> Result<String, FieldError> {
            Err(FieldError::new("it broke")
                .with("_type", "EXEC_ERROR")
                .with("exitCode", 3))
        })
    });
    query.field("brokenMaybe", "Container", |f| {
        f.resolve(|_, _, _| -> Result<Container, FieldError> { Err("no luck".into()) })
    });
    query.field("panics", "String", |f| {
        f.resolve(|_, _, _| -> Result<String, FieldError> { panic!("on purpose") })
    });
    query.field("panicsLater", "String", |f| {
        f.resolve_async(|_, _, _| async {
            if true {
                panic!("on purpose")
            }
            Ok("never")
        })
    });
    query.field("nothing", "Void", |f| f.resolve(|_, _, _| Ok(())));
    query.field("nothingPromised", "Void!", |f| f.resolve(|_, _, _| Ok(())));
    query.field("grid", "[[Int!]!]!", |f| {
        f.resolve(|_, _, _| Ok(vec![vec![1, 2], vec![], vec![3]]))
    });
    query.field("protocol", "Protocol!", |f| f.resolve(|_, _, _| Ok("TCP")));
    query.field("missing", "String!", |f| {
        f.resolve(|_, _, _| Ok(None::<String>))
    });
    query.field("renamed", "Boolean!", |f| {
        f.until(0, 12, 0).resolve(|_, _, _| Ok(true))
    });
    query.field("renamed", "String!", |f| {
        f.since(0, 12, 0).resolve(|_, _, _| Ok("new"))
    });
    query.field("old", "String!", |f| {
        f.deprecated("Use version.")
            .until(0, 13, 0)
            .resolve(|_, _, _| Ok("old"))
    });
    query.field("secretly", "String!", |f| {
        f.hidden().resolve(|_, _, _| Ok("here"))
    });

    let mut container = reg.object::<Container>("Container");
    container.doc("A container.\n\nSecond paragraph with \"quotes\".");
    container.field("from", "Container!", |f| {
        f.doc("Starts from an image.")
            .arg("address: String!", "Image reference.")
            .resolve(|_, this: &Container, args| Ok(this.then(args.get::<String>("address")?)))
    });
    container.field("withExec", "Container!", |f| {
        f.doc("Runs a command.")
            .arg("args: [String!]!", "Command and arguments.")
            .arg_with("expand: Boolean = false", "Replace variables.", |a| {
                a.experimental("New.")
            })
            .arg("redirectStdout: String", "File for stdout.")
            .arg_with("skipEntrypoint: Boolean = true", "", |a| {
                a.deprecated("No longer used.")
            })
            .resolve(|_, this: &Container, args| {
                let given: WithExec = args.decode()?;
                let mut step = given.args.join(" ");
                if given.expand {
                    step.push('$');
                }
                if let Some(file) = given.redirect_stdout {
                    step.push('>');
                    step.push_str(&file);
                }
                Ok(this.then(step))
            })
    });
    container.field("withDirectory", "Container!", |f| {
        f.arg("source: DirectoryID!", "What to add.")
            .arg("others: [DirectoryID!] = []", "")
            .resolve(|ctx: &Ctx, this: &Container, args| {
                let source: Directory = ctx.object(args, "source")?;
                let others: Vec<Directory> = ctx.objects(args, "others")?;
                let all: String = others.iter().map(|other| format!("+{}", other.0)).collect();
                Ok(this.then(format!("dir={}{all}", source.0)))
            })
    });
    container.field("withBuildArg", "Container!", |f| {
        f.arg("pair: Pair!", "")
            .resolve(|_, this: &Container, args| {
                let pair: Pair = args.get("pair")?;
                Ok(this.then(format!("{}={}", pair.name, pair.value)))
            })
    });
    container.field("steps", "[String!]!", |f| {
        f.doc("What was asked.")
            .resolve(|_, this: &Container, _| Ok((*this.0).clone()))
    });
    container.field("stdout", "String!", |f| {
        f.doc("Output.")
            .resolve_async(|ctx: Ctx, this: Container, _| async move {
                ctx.backend().wait().await;
                match this.0.last().map(String::as_str) {
                    Some("false") => Err(FieldError::new("exit code: 1")
                        .with("_type", "EXEC_ERROR")
                        .with("cmd", vec!["false"])
                        .with("exitCode", 1)
                        .with("stdout", "")
                        .with("stderr", "bad")),
                    last => Ok(last.unwrap_or_default().to_owned()),
                }
            })
    });
    container.field("built", "Container!", |f| {
        f.resolve_async(|ctx: Ctx, this: Container, _| async move {
            ctx.backend().wait().await;
            Ok(this.then("built"))
        })
    });
    container.field("sync", "ContainerID!", |f| {
        f.resolve_async(|ctx: Ctx, this: Container, _| async move {
            ctx.backend().id(ctx.client(), &this.into())
        })
    });
    container.field("rootfs", "Directory!", |f| {
        f.resolve(|_, _: &Container, _| Ok(Directory("/".into())))
    });
    container.field("export", "Boolean!", |f| {
        f.until(0, 12, 0)
            .arg("path: String!", "")
            .resolve(|_, _: &Container, _| Ok(true))
    });
    container.field("export", "String!", |f| {
        f.since(0, 12, 0)
            .arg("path: String!", "")
            .resolve(|_, _: &Container, args| args.get::<String>("path"))
    });
    container.field("labels", "[Label!]!", |f| {
        f.resolve(|_, this: &Container, _| {
            let label = |step: &String| Label(Arc::new((step.clone(), step.to_uppercase())));
            Ok(this.0.iter().map(label).collect::<Vec<_>>())
        })
    });
    container.field("label", "String", |f| {
        f.resolve(|_, _: &Container, _| Ok(None::<String>))
    });

    let mut directory = reg.object::<Directory>("Directory");
    directory.field("name", "String!", |f| {
        f.resolve(|_, this: &Directory, _| Ok(this.0.to_string()))
    });
    directory.field("sync", "DirectoryID!", |f| {
        f.resolve(|ctx: &Ctx, this: &Directory, _| {
            ctx.backend().id(ctx.client(), &this.clone().into())
        })
    });
    let mut label = reg.object::<Label>("Label");
    label.without_id();
    label.field("name", "String!", |f| {
        f.resolve(|_, this: &Label, _| Ok(this.0.0.clone()))
    });
    label.field("value", "String!", |f| {
        f.resolve(|_, this: &Label, _| Ok(this.0.1.clone()))
    });

    reg.interface("Syncer")
        .doc("Can be forced.")
        .field("id", "ID!", |f| f)
        .field("sync", "SyncerID!", |f| f);
    reg.interface("Exportable")
        .field("id", "ID!", |f| f)
        .field("export", "String!", |f| f.arg("path: String!", ""));
    reg.enumeration("Protocol")
        .doc("A protocol.")
        .value_with("TCP", "Streams.", |v| {
            v.alias_before("TCP_PROTOCOL", (0, 18, 11))
        })
        .value("UDP", "Datagrams.");
    reg.input("Pair")
        .doc("Name and value.")
        .field("name: String!", "")
        .field("value: String = \"none\"", "");
    reg
}

/// An executor of the toy schema at a view.
pub(crate) fn executor(view: View) -> (Executor<Toy>, Arc<Toy>) {
    let schema = Schema::build(registry()).expect("the toy schema is valid");
    let toy = Arc::new(Toy::default());
    (
        Executor::new(schema, Arc::clone(&toy), Arc::new(()), view, Root.into()),
        toy,
    )
}

pub(crate) async fn run_at(view: View, request: Request) -> Response {
    executor(view).0.execute(&request).await
}

pub(crate) async fn run(query: &str) -> Response {
    run_at(View::LATEST, Request::new(query)).await
}

/// The `data` of a request that must succeed.
pub(crate) async fn data(query: &str) -> Value {
    let response = run(query).await;
    let mut json = response.to_json();
    assert!(json.get("errors").is_none(), "{query}: {json}");
    json["data"].take()
}

/// The messages of a request that must be refused before it runs.
pub(crate) async fn refusal(query: &str) -> Vec<String> {
    let response = run(query).await;
    assert!(!response.executed, "{query}: {response:?}");
    let json = response.to_json();
    let errors = json["errors"].as_array().expect("a refusal says why");
    errors
        .iter()
        .map(|error| error["message"].as_str().unwrap_or_default().to_owned())
        .collect()
}
