//! A pipeline as users write it with the official Rust SDK: `pipeline VERSION DIR`.
//!
//! Prints one JSON object that says what came back. What differs between generations is in the arguments of
//! [`pipeline!`]; everything else is the same program.

use std::error::Error;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

const IMAGE: &str = "alpine:3.20";

/// One generation: the name of its module, its crate, how a container gets a new file, how it is found
/// again by what `sync` gives, and how lists of objects are read.
macro_rules! pipeline {
    ($name:ident, $sdk:ident, $new_file:expr, $synced:expr, $lists:expr) => {
        mod $name {
            use super::*;
            use $sdk::{Container, HostDirectoryOptsBuilder, Query};

            pub(super) async fn run(client: Query, work: PathBuf) -> eyre::Result<()> {
                let path = |name: &str| work.join(name).display().to_string();
                let opts = HostDirectoryOptsBuilder::default().exclude(vec!["*.log"]).build()?;
                let source = client.host().directory_opts(path("src"), opts);
                let script = "ls; echo hello $NAME; echo $TOKEN; mkdir /d; cp in.txt /d/out.txt";
                let container = client
                    .container()
                    .from(IMAGE)
                    .with_directory("/src", source)
                    .with_workdir("/src")
                    .with_env_variable("NAME", "you")
                    .with_mounted_cache("/cache", client.cache_volume("pipeline"))
                    .with_secret_variable("TOKEN", client.set_secret("token", "s3cr3t-value"))
                    .with_exec(vec!["sh", "-c", script]);
                let mut found = json!({
                    "stdout": container.stdout().await?,
                    "file": container.file("/d/out.txt").contents().await?,
                    "entries": container.directory("/d").with_new_directory("sub").entries().await?,
                    "exported": container.directory("/src").export(path("tree")).await?,
                });
                let new_file: fn(&Container) -> Container = $new_file;
                found["synced"] = json!($synced(client.clone(), new_file(&container)).await?);
                let (one, two) = tokio::join!(
                    async { container.with_exec(vec!["echo", "one"]).stdout().await },
                    async { container.with_exec(vec!["echo", "two"]).stdout().await },
                );
                found["parallel"] = json!(one? + &two?);
                let entered = container.with_entrypoint(vec!["echo", "entry"]);
                found["entrypoint"] = json!(entered.with_exec(vec!["echo", "x"]).stdout().await?);
                let failed = container.with_exec(vec!["sh", "-c", "echo no >&2; exit 6"]).sync().await;
                found["failure"] = json!(said(&failed.err()).contains("exit code: 6"));
                let refused = client.container().from("127.0.0.1:1/none").sync().await;
                found["refused"] = json!(said(&refused.err()).contains("127.0.0.1:1"));
                $lists(&mut found, container).await?;
                print(found, &work)
            }
        }
    };
}

/// Up to 0.20 lists of objects come back as one object that stands for nothing.
macro_rules! no_lists {
    () => {
        async |_: &mut Value, _: Container| -> eyre::Result<()> { Ok(()) }
    };
}

macro_rules! lists {
    () => {
        async |found: &mut Value, container: Container| -> eyre::Result<()> {
            let mut names = Vec::new();
            for variable in container.env_variables().await? {
                names.push(variable.name().await?);
            }
            found["variables"] = json!(names);
            Ok(())
        }
    };
}

macro_rules! by_id {
    () => {
        async |client: Query, container: Container| {
            let id = container.sync().await?;
            client
                .load_container_from_id(id)
                .file("/new")
                .contents()
                .await
        }
    };
}

macro_rules! by_object {
    () => {
        async |_: Query, container: Container| container.sync().await?.file("/new").contents().await
    };
}

macro_rules! contents_option {
    ($sdk:ident) => {
        |container| {
            let opts = $sdk::ContainerWithNewFileOptsBuilder::default()
                .contents("new\n")
                .build();
            container.with_new_file_opts("/new", opts.expect("it needs nothing else"))
        }
    };
}

macro_rules! contents {
    () => {
        |container| container.with_new_file("/new", "new\n")
    };
}

pipeline!(
    v0_9,
    dagger_0_9,
    contents_option!(dagger_0_9),
    async |client: Query, container: Container| {
        let id = container.sync().await?;
        let opts = dagger_0_9::QueryContainerOpts {
            id: Some(id),
            platform: None,
        };
        client.container_opts(opts).file("/new").contents().await
    },
    no_lists!()
);
pipeline!(v0_13, dagger_0_13, contents!(), by_id!(), no_lists!());
pipeline!(v0_15, dagger_0_15, contents!(), by_id!(), no_lists!());
pipeline!(v0_18, dagger_0_18, contents!(), by_id!(), no_lists!());
pipeline!(v0_21, dagger_0_21, contents!(), by_object!(), lists!());
pipeline!(v1_0, dagger_1_0, contents!(), by_object!(), lists!());

/// An error with everything that caused it.
fn said(error: &Option<impl Error>) -> String {
    let mut text = String::new();
    let mut next = error.as_ref().map(|error| error as &dyn Error);
    while let Some(error) = next {
        text.push_str(&error.to_string());
        next = error.source();
    }
    text
}

fn print(mut found: Value, work: &Path) -> eyre::Result<()> {
    found["tree"] = json!(std::fs::read_to_string(work.join("tree/in.txt"))?);
    println!("{found}");
    Ok(())
}

#[tokio::main]
async fn main() -> eyre::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, version, work] = args.as_slice() else {
        eyre::bail!("usage: pipeline VERSION DIR");
    };
    let work = PathBuf::from(work);
    std::fs::create_dir_all(work.join("src"))?;
    std::fs::write(work.join("src/in.txt"), "in\n")?;
    std::fs::write(work.join("src/skip.log"), "skip\n")?;
    match version.as_str() {
        "0.9.8" => v0_9::run(dagger_0_9::connect().await?.clone(), work).await?,
        "0.13.7" => dagger_0_13::connect(|client| v0_13::run(client, work)).await?,
        "0.15.4" => dagger_0_15::connect(|client| v0_15::run(client, work)).await?,
        "0.18.19" => dagger_0_18::connect(|client| v0_18::run(client, work)).await?,
        "0.21.11" => dagger_0_21::connect(|client| v0_21::run(client, work)).await?,
        "1.0.0-beta.23" => dagger_1_0::connect(|client| v1_0::run(client, work)).await?,
        other => eyre::bail!("no release {other} is linked in"),
    }
    Ok(())
}
