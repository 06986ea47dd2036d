//! Commands and what they said.

use crate::{
    graph::{Exec, ExecMeta, Expect, Op, Output},
    schema::{
        Ctx,
        api::Api,
        gql::{Args, FieldError, Registry},
        object::ContainerRef,
        shared::{CommonArgs, Made},
    },
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut expect = registry.enumeration("ReturnType");
    expect.doc("Exit codes that count as success.");
    expect
        .value("SUCCESS", "0.")
        .value("FAILURE", "1 to 127 and 192 to 255.")
        .value("ANY", "0 to 127 and 192 to 255.");
    command(registry);
    answers(registry);
}

fn command(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container.field("withExec", "Container!", |f| {
        f.doc("The container after a command. Nothing runs until a result is asked for.")
            .arg(
                "args: [String!]!",
                "The command; no shell is involved. Empty runs the default arguments.",
            )
            .arg_with(
                "useEntrypoint: Boolean",
                "Put the entrypoint in front; off by default.",
                |arg| arg.default_now("false"),
            )
            .older_arg(
                "skipEntrypoint: Boolean",
                "The opposite of useEntrypoint (older clients).",
            )
            .arg("stdin: String = \"\"", "Text for standard input.")
            .arg(
                "redirectStdin: String = \"\"",
                "File of the container for standard input.",
            )
            .arg(
                "redirectStdout: String = \"\"",
                "File that gets standard output too.",
            )
            .arg(
                "redirectStderr: String = \"\"",
                "File that gets standard error too.",
            )
            .arg(
                "expect: ReturnType = SUCCESS",
                "Exit codes that count as success.",
            )
            .privileges()
            .expand()
            .arg(
                "noInit: Boolean = false",
                "Run the command as process 1, without an init that reaps.",
            )
            .resolve(|ctx, this, args| Ok(this.then(Op::Exec(Box::new(exec(ctx, args)?)), None)))
    });
}

fn exec(ctx: &Ctx, args: &Args) -> Result<Exec, FieldError> {
    let skip: Option<bool> = args.get("skipEntrypoint")?;
    let wanted: Option<bool> = args.get("useEntrypoint")?;
    // Before 0.12 the entrypoint was part of every command.
    let use_entrypoint = wanted
        .or(skip.map(|skip| !skip))
        .unwrap_or(ctx.before(0, 12, 0));
    Ok(Exec {
        args: args.get("args")?,
        use_entrypoint,
        stdin: args.get("stdin")?,
        redirect_stdin: args.get("redirectStdin")?,
        redirect_stdout: args.get("redirectStdout")?,
        redirect_stderr: args.get("redirectStderr")?,
        expect: match args.str("expect") {
            Some("FAILURE") => Expect::Failure,
            Some("ANY") => Expect::Any,
            _ => Expect::Success,
        },
        nesting: args.flag("experimentalPrivilegedNesting"),
        insecure: args.flag("insecureRootCapabilities"),
        expand: args.flag("expand"),
        no_init: args.flag("noInit"),
        offline: false,
    })
}

fn answers(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("stdout", "String!", |f| {
            f.doc("What the last command wrote to standard output.")
                .resolve_async(
                    |ctx, this, _| async move { said(&ctx, &this, |meta| meta.stdout).await },
                )
        })
        .field("stderr", "String!", |f| {
            f.doc("What the last command wrote to standard error.")
                .resolve_async(
                    |ctx, this, _| async move { said(&ctx, &this, |meta| meta.stderr).await },
                )
        })
        .field("combinedOutput", "String!", |f| {
            f.doc("What the last command wrote to both, in order.")
                .resolve_async(|ctx, this, _| async move {
                    said(&ctx, &this, |meta| meta.combined).await
                })
        })
        .field("exitCode", "Int!", |f| {
            f.doc("The last command's exit code.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().last_exec(&this.0).await?.exit_code)
                })
        });
}

/// The last command's text; older clients run the default command where there was none.
async fn said(
    ctx: &Ctx,
    this: &ContainerRef,
    pick: impl Fn(ExecMeta) -> Output,
) -> Result<String, FieldError> {
    let engine = ctx.backend().engine();
    let container = engine.container(&this.0).await?;
    let meta = match container.last {
        Some(meta) => meta,
        None if ctx.before(0, 12, 0) => {
            let exec = Exec {
                use_entrypoint: true,
                ..Exec::default()
            };
            let ran = this.then(Op::Exec(Box::new(exec)), None);
            engine.last_exec(&ran.0).await?
        }
        None => engine.last_exec(&this.0).await?,
    };
    Ok(engine.world().output(&pick(meta))?)
}
