//! `terminal`: shells on the main client's terminal.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldBuilder, FieldError, FromObject, Registry},
    object::{ContainerRef, DirectoryRef, Object},
    shared::Made,
};
use crate::{
    graph::{Configure, MountSource, Op, Ownership, Vertex},
    ops::Shell,
};

/// Image of shells in directories.
const IMAGE: &str = "alpine:latest";
/// Where the directory is in them.
const PLACE: &str = "/src";

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container.field("terminal", "Container!", |f| {
        shell_args(f.doc(
            "Opens a shell in the container and waits for its end. Gives the container as it was.",
        ))
        .resolve_async(|ctx, this, args| async move {
            open(&ctx, &this, &args).await?;
            Ok(this.clone())
        })
    });
    let mut directory = registry.object::<DirectoryRef>("Directory");
    directory.field("terminal", "Directory!", |f| {
        shell_args(
            f.doc("Opens a shell beside the directory and waits for its end. Gives the directory as it was.")
                .arg("container: ContainerID", "Container for the shell; a small one with `sh` by default."),
        )
        .resolve_async(|ctx, this, args| async move {
            let around = match ctx.optional_object::<ContainerRef>(&args, "container")? {
                Some(container) => container,
                None => default_container(),
            };
            let mount = Op::Mount {
                target: PLACE.into(),
                source: MountSource::Directory { owner: Ownership::Unchanged, readonly: false },
                expand: false,
            };
            let workdir = Configure::Workdir { path: Some(PLACE.into()), expand: false };
            let container = around.then(mount, Some(this.0.clone()));
            let container = container.then(Op::Configure(workdir), None);
            open(&ctx, &container, &args).await?;
            Ok(this.clone())
        })
    });
}

fn default_container() -> ContainerRef {
    let platform = crate::source::Platform::host().to_string();
    let scratch = ContainerRef(Vertex::new(Op::Scratch { platform }, vec![]));
    let address = IMAGE.into();
    scratch.then(Op::From { address }, None)
}

fn shell_args<T: FromObject<Object> + 'static>(
    field: FieldBuilder<Api, T>,
) -> FieldBuilder<Api, T> {
    field
        .arg(
            "cmd: [String!] = []",
            "The shell; by default withDefaultTerminalCmd's, or `sh`.",
        )
        .arg(
            "experimentalPrivilegedNesting: Boolean = false",
            "Let it call this API.",
        )
        .arg(
            "insecureRootCapabilities: Boolean = false",
            "All capabilities, inside nsci's user namespace.",
        )
}

async fn open(ctx: &Ctx, container: &ContainerRef, args: &Args) -> Result<(), FieldError> {
    let engine = ctx.backend().engine();
    let container = engine.container(&container.0).await?;
    let shell = Shell {
        cmd: args.get_or_default("cmd")?,
        nesting: args.flag("experimentalPrivilegedNesting"),
        insecure: args.flag("insecureRootCapabilities"),
        greeting: None,
    };
    Ok(engine.world().shell(&container, &shell).await?)
}
