//! `Container`: an image's file system and configuration, and commands run on them.

use super::{
    Ctx,
    api::Api,
    gql::{Args, FieldBuilder, FieldError, Registry},
    object::{ContainerRef, DirectoryRef, FileRef, Label},
    query::required,
};
use crate::graph::{
    CacheSharing, Configure, Copy, Edit, Exec, Expect, MountSource, Op, Output, Ownership, Port,
    Protocol, SecretRef, Select, SocketRef, Vertex, VolumeRef,
};
use std::sync::Arc;

type Field = FieldBuilder<Api, ContainerRef>;

const EXPAND: &str = "Replace `$VAR` and `${VAR}` by the container's variables.";
const OWNER: &str = "Owner as `user[:group]`, by name or number.";
const INHERIT: &str = "Give it to the container's user.";

pub(super) fn declare(registry: &mut Registry<Api>) {
    enums(registry);
    image_and_commands(registry);
    settings(registry);
    files(registry);
    mounts(registry);
    answers(registry);
}

fn enums(registry: &mut Registry<Api>) {
    let mut sharing = registry.enumeration("CacheSharingMode");
    sharing.doc("Who may use a cache volume at the same time.");
    sharing
        .value("SHARED", "Any number of commands.")
        .value("PRIVATE", "One command; others get a copy of their own.")
        .value("LOCKED", "One command; others wait.");
    let mut expect = registry.enumeration("ReturnType");
    expect.doc("Exit codes that count as success.");
    expect
        .value("SUCCESS", "0.")
        .value("FAILURE", "1 to 127 and 192 to 255.")
        .value("ANY", "0 to 127 and 192 to 255.");
    let mut protocol = registry.enumeration("NetworkProtocol");
    protocol.doc("Transport of a port.");
    protocol.value("TCP", "TCP.").value("UDP", "UDP.");
}

/// The next container of a chain.
fn then(this: &ContainerRef, op: Op, more: impl IntoIterator<Item = Arc<Vertex>>) -> ContainerRef {
    let inputs = std::iter::once(Arc::clone(&this.0)).chain(more).collect();
    ContainerRef(Vertex::new(op, inputs))
}

fn configured(this: &ContainerRef, change: Configure) -> ContainerRef {
    then(this, Op::Configure(change), None)
}

fn image_and_commands(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .doc("A file system with the configuration that commands run with.")
        .field("from", "Container!", |f| {
            f.doc("The container with an image's files and configuration.")
                .arg("address: String!", "Image reference, such as `alpine` or `ghcr.io/org/app:1.2`.")
                .resolve(|_, this, args| Ok(then(this, Op::From { address: args.get("address")? }, None)))
        })
        .field("withExec", "Container!", |f| {
            f.doc("The container after a command. Nothing runs until a result is asked for.")
                .arg("args: [String!]!", "The command; no shell is involved. Empty runs the default arguments.")
                .arg("useEntrypoint: Boolean", "Put the entrypoint in front; off by default.")
                .arg("skipEntrypoint: Boolean", "The opposite of useEntrypoint (older clients).")
                .arg("stdin: String = \"\"", "Text for standard input.")
                .arg("redirectStdin: String = \"\"", "File for standard input.")
                .arg("redirectStdout: String = \"\"", "File that gets standard output too.")
                .arg("redirectStderr: String = \"\"", "File that gets standard error too.")
                .arg("expect: ReturnType = SUCCESS", "Exit codes that count as success.")
                .arg("experimentalPrivilegedNesting: Boolean = false", "Let the command call this API.")
                .arg("insecureRootCapabilities: Boolean = false", "All capabilities, inside nsci's user namespace.")
                .arg("expand: Boolean = false", EXPAND)
                .arg("noInit: Boolean = false", "Run the command as process 1, without an init that reaps.")
                .resolve(|ctx, this, args| {
                    Ok(then(this, Op::Exec(Box::new(exec(ctx, args)?)), None))
                })
        })
        .field("pipeline", "Container!", |f| {
            f.doc("Does nothing (older clients).")
                .arg("name: String!", "Ignored.")
                .arg("description: String", "Ignored.")
                .arg("labels: [PipelineLabel!]", "Ignored.")
                .deprecated("Spans show what belongs together.")
                .resolve(|_, this, _| Ok(this.clone()))
        })
        .field("withRegistryAuth", "Container!", |f| {
            f.doc("Credentials for a registry, or for repositories of it. They count for no cache key.")
                .arg("address: String!", "Registry host, with or without a path.")
                .arg("username: String!", "User.")
                .arg("secret: SecretID!", "Password or token.")
                .resolve(|ctx, this, args| {
                    let secret: SecretRef = ctx.object(args, "secret")?;
                    let (address, user): (String, String) = (args.get("address")?, args.get("username")?);
                    ctx.backend().engine().world().images().add_auth(&address, &user, secret);
                    Ok(this.clone())
                })
        })
        .field("withoutRegistryAuth", "Container!", |f| {
            f.doc("Forgets credentials for an address.")
                .arg("address: String!", "As it was given.")
                .resolve(|ctx, this, args| {
                    let address: String = args.get("address")?;
                    ctx.backend().engine().world().images().remove_auth(&address);
                    Ok(this.clone())
                })
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
    })
}

fn settings(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withEnvVariable", "Container!", |f| {
            f.doc("Sets an environment variable.")
                .arg("name: String!", "Name.")
                .arg("value: String!", "Value.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    let expand = args.flag("expand");
                    let (name, value) = (args.get("name")?, args.get("value")?);
                    Ok(configured(
                        this,
                        Configure::Env {
                            name,
                            value,
                            expand,
                        },
                    ))
                })
        })
        .field("withoutEnvVariable", "Container!", |f| {
            f.doc("Removes an environment variable.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::WithoutEnv {
                            name: args.get("name")?,
                        },
                    ))
                })
        })
        .field("withSecretVariable", "Container!", |f| {
            f.doc("Sets an environment variable to a secret's value while commands run.")
                .arg("name: String!", "Name.")
                .arg("secret: SecretID!", "The secret.")
                .resolve(|ctx, this, args| {
                    let secret = ctx.object(args, "secret")?;
                    Ok(configured(
                        this,
                        Configure::SecretEnv {
                            name: args.get("name")?,
                            secret,
                        },
                    ))
                })
        })
        .field("withoutSecretVariable", "Container!", |f| {
            f.doc("Removes a secret variable.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::WithoutSecretEnv {
                            name: args.get("name")?,
                        },
                    ))
                })
        })
        .field("withWorkdir", "Container!", |f| {
            f.doc("Sets the working directory. It is made when a command needs it.")
                .arg(
                    "path: String!",
                    "Path; relative to the working directory so far.",
                )
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    let (path, expand) = (Some(args.get("path")?), args.flag("expand"));
                    Ok(configured(this, Configure::Workdir { path, expand }))
                })
        })
        .field("withoutWorkdir", "Container!", |f| {
            f.doc("Sets the working directory back to `/`.")
                .resolve(|_, this, _| {
                    Ok(configured(
                        this,
                        Configure::Workdir {
                            path: None,
                            expand: false,
                        },
                    ))
                })
        })
        .field("withUser", "Container!", |f| {
            f.doc("Sets the user that commands run as.")
                .arg("name: String!", OWNER)
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::User {
                            name: Some(args.get("name")?),
                        },
                    ))
                })
        })
        .field("withoutUser", "Container!", |f| {
            f.doc("Runs commands as root again.")
                .resolve(|_, this, _| Ok(configured(this, Configure::User { name: None })))
        })
        .field("withEntrypoint", "Container!", |f| {
            f.doc("Sets the entrypoint and, unless kept, removes the default arguments.")
                .arg("args: [String!]!", "Arguments.")
                .arg(
                    "keepDefaultArgs: Boolean = false",
                    "Leave the default arguments as they are.",
                )
                .resolve(|_, this, args| {
                    let keep_default_args = args.flag("keepDefaultArgs");
                    let args = Some(args.get("args")?);
                    Ok(configured(
                        this,
                        Configure::Entrypoint {
                            args,
                            keep_default_args,
                        },
                    ))
                })
        })
        .field("withoutEntrypoint", "Container!", |f| {
            f.doc("Removes the entrypoint and, unless kept, the default arguments.")
                .arg(
                    "keepDefaultArgs: Boolean = false",
                    "Leave the default arguments as they are.",
                )
                .resolve(|_, this, args| {
                    let keep_default_args = args.flag("keepDefaultArgs");
                    Ok(configured(
                        this,
                        Configure::Entrypoint {
                            args: None,
                            keep_default_args,
                        },
                    ))
                })
        })
        .field("withDefaultArgs", "Container!", |f| {
            f.doc("Sets the arguments of a command that is given none.")
                .arg("args: [String!]", "Arguments.")
                .resolve(|_, this, args| {
                    let args: Option<Vec<String>> = args.get("args")?;
                    Ok(configured(
                        this,
                        Configure::DefaultArgs {
                            args: Some(args.unwrap_or_default()),
                        },
                    ))
                })
        })
        .field("withoutDefaultArgs", "Container!", |f| {
            f.doc("Removes the default arguments.")
                .resolve(|_, this, _| Ok(configured(this, Configure::DefaultArgs { args: None })))
        })
        .field("withLabel", "Container!", |f| {
            named_value(f, "Sets a label.").resolve(|_, this, args| {
                let (name, value) = (args.get("name")?, Some(args.get("value")?));
                Ok(configured(this, Configure::Label { name, value }))
            })
        })
        .field("withoutLabel", "Container!", |f| {
            f.doc("Removes a label.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::Label {
                            name: args.get("name")?,
                            value: None,
                        },
                    ))
                })
        })
        .field("withAnnotation", "Container!", |f| {
            named_value(f, "Sets an annotation of the published manifest.").resolve(
                |_, this, args| {
                    let (name, value) = (args.get("name")?, Some(args.get("value")?));
                    Ok(configured(this, Configure::Annotation { name, value }))
                },
            )
        })
        .field("withoutAnnotation", "Container!", |f| {
            f.doc("Removes an annotation.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::Annotation {
                            name: args.get("name")?,
                            value: None,
                        },
                    ))
                })
        })
        .field("withExposedPort", "Container!", |f| {
            f.doc("Declares a port that the container listens on.")
                .arg("port: Int!", "Number.")
                .arg("protocol: NetworkProtocol = TCP", "Transport.")
                .arg("description: String", "What it is for.")
                .arg(
                    "experimentalSkipHealthcheck: Boolean = false",
                    "Do not wait for it when the service starts.",
                )
                .resolve(|_, this, args| {
                    let port = Port {
                        description: args.get("description")?,
                        skip_healthcheck: args.flag("experimentalSkipHealthcheck"),
                        ..port(args)?
                    };
                    Ok(configured(this, Configure::ExposedPort(port)))
                })
        })
        .field("withoutExposedPort", "Container!", |f| {
            f.doc("Takes a declared port back.")
                .arg("port: Int!", "Number.")
                .arg("protocol: NetworkProtocol = TCP", "Transport.")
                .resolve(|_, this, args| {
                    Ok(configured(this, Configure::WithoutExposedPort(port(args)?)))
                })
        })
        .field("withDefaultTerminalCmd", "Container!", |f| {
            f.doc("Sets the command that `terminal` starts.")
                .arg("args: [String!]!", "The command.")
                .arg(
                    "experimentalPrivilegedNesting: Boolean = false",
                    "Let the command call this API.",
                )
                .arg(
                    "insecureRootCapabilities: Boolean = false",
                    "All capabilities, inside nsci's user namespace.",
                )
                .resolve(|_, this, args| {
                    Ok(configured(
                        this,
                        Configure::DefaultTerminal {
                            args: args.get("args")?,
                        },
                    ))
                })
        });
}

fn named_value(field: Field, doc: &'static str) -> Field {
    field
        .doc(doc)
        .arg("name: String!", "Name.")
        .arg("value: String!", "Value.")
}

fn port(args: &Args) -> Result<Port, FieldError> {
    let number: i64 = args.get("port")?;
    let port = u16::try_from(number)
        .ok()
        .filter(|&port| port > 0)
        .ok_or_else(|| FieldError::new(format!("{number} is no port: ports are 1 to 65535")))?;
    let protocol = match args.str("protocol") {
        Some("UDP") => Protocol::Udp,
        _ => Protocol::Tcp,
    };
    Ok(Port {
        port,
        protocol,
        description: None,
        skip_healthcheck: false,
    })
}

/// Declares what copies have in common.
fn copy_args(field: Field) -> Field {
    field
        .arg("owner: String = \"\"", OWNER)
        .arg("inheritOwner: Boolean = false", INHERIT)
        .arg("expand: Boolean = false", EXPAND)
}

fn ownership(args: &Args) -> Ownership {
    match args.str("owner") {
        Some(owner) if !owner.is_empty() => Ownership::Named(owner.to_owned()),
        _ if args.flag("inheritOwner") => Ownership::ContainerUser,
        _ => Ownership::Unchanged,
    }
}

fn copy(args: &Args) -> Result<Copy, FieldError> {
    Ok(Copy {
        path: args.get("path")?,
        owner: ownership(args),
        permissions: args.get("permissions")?,
        expand: args.flag("expand"),
    })
}

fn files(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withDirectory", "Container!", |f| {
            copy_args(
                f.doc("Merges a directory into the container. Files are replaced, directories merged.")
                    .arg("path: String!", "Destination.")
                    .arg("source: DirectoryID", "The directory.")
                    .arg("directory: DirectoryID", "The same under its older name.")
                    .arg("exclude: [String!] = []", "Patterns of what to leave out.")
                    .arg("include: [String!] = []", "Patterns of what to take; everything by default.")
                    .arg("gitignore: Boolean = false", "Leave out what `.gitignore` files name."),
            )
            .arg("permissions: Int", "Permission bits of the files.")
            .resolve(|ctx, this, args| {
                let source = filtered(source_directory(ctx, args)?, args)?;
                Ok(then(this, Op::Edit(Edit::Directory(copy(args)?)), [source.0]))
            })
        })
        .field("withFile", "Container!", |f| {
            copy_args(
                f.doc("Copies a file into the container.")
                    .arg("path: String!", "Destination; a directory if it ends in `/`.")
                    .arg("source: FileID!", "The file.")
                    .arg("permissions: Int", "Permission bits."),
            )
            .resolve(|ctx, this, args| {
                let source: FileRef = ctx.object(args, "source")?;
                Ok(then(this, Op::Edit(Edit::File(copy(args)?)), [source.0]))
            })
        })
        .field("withFiles", "Container!", |f| {
            copy_args(
                f.doc("Copies files into a directory of the container, under their names.")
                    .arg("path: String!", "Destination directory.")
                    .arg("sources: [FileID!]!", "The files.")
                    .arg("permissions: Int", "Permission bits."),
            )
            .resolve(|ctx, this, args| {
                let sources: Vec<FileRef> = ctx.objects(args, "sources")?;
                let sources = sources.into_iter().map(|file| file.0);
                Ok(then(this, Op::Edit(Edit::Files(copy(args)?)), sources))
            })
        })
        .field("withNewFile", "Container!", |f| {
            copy_args(
                f.doc("Writes a file.")
                    .arg("path: String!", "Destination.")
                    .arg("contents: String = \"\"", "Contents.")
                    .arg("permissions: Int = 420", "Permission bits, such as 420 for 0644."),
            )
            .resolve(|_, this, args| {
                let edit = Edit::NewFile { to: copy(args)?, contents: args.get("contents")? };
                Ok(then(this, Op::Edit(edit), None))
            })
        })
        .field("withoutFile", "Container!", |f| {
            f.doc("Removes a file; nothing there is fine.")
                .arg("path: String!", "Path or pattern.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| remove(this, vec![args.get("path")?], args))
        })
        .field("withoutFiles", "Container!", |f| {
            f.doc("Removes files; nothing there is fine.")
                .arg("paths: [String!]!", "Paths or patterns.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| remove(this, args.get("paths")?, args))
        })
        .field("withoutDirectory", "Container!", |f| {
            f.doc("Removes a directory with all that is in it; nothing there is fine.")
                .arg("path: String!", "Path or pattern.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| remove(this, vec![args.get("path")?], args))
        })
        .field("withSymlink", "Container!", |f| {
            f.doc("Makes a symbolic link.")
                .arg("target: String!", "What the link says.")
                .arg("linkName: String!", "Where the link is.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    let edit = Edit::Symlink {
                        target: args.get("target")?,
                        path: args.get("linkName")?,
                        expand: args.flag("expand"),
                    };
                    Ok(then(this, Op::Edit(edit), None))
                })
        })
        .field("withRootfs", "Container!", |f| {
            f.doc("Replaces the root file system and keeps the configuration.")
                .arg("directory: DirectoryID!", "The new root.")
                .resolve(|ctx, this, args| {
                    let root: DirectoryRef = ctx.object(args, "directory")?;
                    Ok(then(this, Op::WithRootfs, [root.0]))
                })
        })
        .field("rootfs", "Directory!", |f| {
            f.doc("The root file system, without mounts.").resolve(|_, this, _| {
                Ok(DirectoryRef(Vertex::new(Op::Select(Select::Rootfs), vec![Arc::clone(&this.0)])))
            })
        })
        .field("directory", "Directory!", |f| {
            f.doc("A directory of the container, mounted ones included.")
                .arg("path: String!", "Path.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    let select = Select::Directory { path: args.get("path")?, expand: args.flag("expand") };
                    Ok(DirectoryRef(Vertex::new(Op::Select(select), vec![Arc::clone(&this.0)])))
                })
        })
        .field("file", "File!", |f| {
            f.doc("A file of the container, mounted ones included.")
                .arg("path: String!", "Path.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    let select = Select::File { path: args.get("path")?, expand: args.flag("expand") };
                    Ok(FileRef(Vertex::new(Op::Select(select), vec![Arc::clone(&this.0)])))
                })
        })
        .field("exists", "Boolean!", |f| {
            f.doc("Whether something is at a path.")
                .arg("path: String!", "Path.")
                .arg("expectedType: ExistsType", "What it has to be.")
                .arg("doNotFollowSymlinks: Boolean = false", "Look at a link itself.")
                .resolve_async(|ctx, this, args| async move {
                    let engine = ctx.backend().engine();
                    let container = engine.container(&this.0).await?;
                    let path: String = args.get("path")?;
                    let place = engine.world().locate(&container, &path)?;
                    super::directory::exists(engine, &place, "", &args).await
                })
        });
}

fn source_directory(ctx: &Ctx, args: &Args) -> Result<DirectoryRef, FieldError> {
    let source: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
    let older: Option<DirectoryRef> = ctx.optional_object(args, "directory")?;
    required(source.or(older), "source")
}

/// The part of a directory that the arguments' patterns let through.
pub(super) fn filtered(source: DirectoryRef, args: &Args) -> Result<DirectoryRef, FieldError> {
    let include: Vec<String> = args.get_or_default("include")?;
    let exclude: Vec<String> = args.get_or_default("exclude")?;
    let gitignore = args.flag("gitignore");
    if include.is_empty() && exclude.is_empty() && !gitignore {
        return Ok(source);
    }
    Ok(DirectoryRef(Vertex::new(
        Op::Filter {
            include,
            exclude,
            gitignore,
        },
        vec![source.0],
    )))
}

fn remove(
    this: &ContainerRef,
    paths: Vec<String>,
    args: &Args,
) -> Result<ContainerRef, FieldError> {
    Ok(then(
        this,
        Op::Edit(Edit::Remove {
            paths,
            expand: args.flag("expand"),
        }),
        None,
    ))
}

fn mounts(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withMountedDirectory", "Container!", |f| {
            copy_args(
                f.doc("Mounts a directory. What commands write to it stays for later commands of the chain.")
                    .arg("path: String!", "Mount point.")
                    .arg("source: DirectoryID!", "The directory."),
            )
            .arg("readOnly: Boolean = false", "Let commands only read it.")
            .resolve(|ctx, this, args| {
                let source: DirectoryRef = ctx.object(args, "source")?;
                let kind = MountSource::Directory { owner: ownership(args), readonly: args.flag("readOnly") };
                mount(this, args, kind, Some(source.0))
            })
        })
        .field("withMountedFile", "Container!", |f| {
            copy_args(
                f.doc("Mounts a file.")
                    .arg("path: String!", "Mount point.")
                    .arg("source: FileID!", "The file."),
            )
            .resolve(|ctx, this, args| {
                let source: FileRef = ctx.object(args, "source")?;
                mount(this, args, MountSource::File { owner: ownership(args) }, Some(source.0))
            })
        })
        .field("withMountedCache", "Container!", |f| {
            copy_args(
                f.doc("Mounts a cache volume. Its contents are no part of the container.")
                    .arg("path: String!", "Mount point.")
                    .arg("cache: CacheVolumeID!", "The volume.")
                    .arg("source: DirectoryID", "What seeds the volume when it is empty.")
                    .arg("sharing: CacheSharingMode = SHARED", "Who may use it at the same time."),
            )
            .resolve(|ctx, this, args| {
                let volume: VolumeRef = ctx.object(args, "cache")?;
                let seed: Option<DirectoryRef> = ctx.optional_object(args, "source")?;
                let sharing = match args.str("sharing") {
                    Some("PRIVATE") => CacheSharing::Private,
                    Some("LOCKED") => CacheSharing::Locked,
                    _ => CacheSharing::Shared,
                };
                let kind = MountSource::Cache { volume, sharing, owner: ownership(args) };
                mount(this, args, kind, seed.map(|seed| seed.0))
            })
        })
        .field("withMountedTemp", "Container!", |f| {
            f.doc("Mounts memory that is dropped after each command.")
                .arg("path: String!", "Mount point.")
                .arg("size: Int", "Limit in bytes.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| {
                    mount(this, args, MountSource::Temp { size: args.get("size")? }, None)
                })
        })
        .field("withMountedSecret", "Container!", |f| {
            copy_args(
                f.doc("Mounts a secret as a file in memory.")
                    .arg("path: String!", "Mount point.")
                    .arg("source: SecretID!", "The secret."),
            )
            .arg("mode: Int = 256", "Permission bits, such as 256 for 0400.")
            .resolve(|ctx, this, args| {
                let secret = ctx.object(args, "source")?;
                let mode = args.get("mode")?;
                mount(this, args, MountSource::Secret { secret, owner: ownership(args), mode }, None)
            })
        })
        .field("withUnixSocket", "Container!", |f| {
            copy_args(
                f.doc("Mounts a Unix socket of the host.")
                    .arg("path: String!", "Mount point.")
                    .arg("source: SocketID!", "The socket."),
            )
            .resolve(|ctx, this, args| {
                let socket: SocketRef = ctx.object(args, "source")?;
                mount(this, args, MountSource::Socket { socket, owner: ownership(args) }, None)
            })
        })
        .field("withoutMount", "Container!", |f| {
            f.doc("Takes away what is mounted at a path.")
                .arg("path: String!", "Mount point.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| unmount(this, args))
        })
        .field("withoutUnixSocket", "Container!", |f| {
            f.doc("Takes away a socket mounted at a path.")
                .arg("path: String!", "Mount point.")
                .arg("expand: Boolean = false", EXPAND)
                .resolve(|_, this, args| unmount(this, args))
        })
        .field("mounts", "[String!]!", |f| {
            f.doc("The paths that something is mounted at.").resolve_async(|ctx, this, _| async move {
                let container = ctx.backend().engine().container(&this.0).await?;
                Ok(container.mounts.into_iter().map(|mount| mount.target).collect::<Vec<_>>())
            })
        });
}

fn mount(
    this: &ContainerRef,
    args: &Args,
    source: MountSource,
    input: Option<Arc<Vertex>>,
) -> Result<ContainerRef, FieldError> {
    let op = Op::Mount {
        target: args.get("path")?,
        source,
        expand: args.flag("expand"),
    };
    Ok(then(this, op, input))
}

fn unmount(this: &ContainerRef, args: &Args) -> Result<ContainerRef, FieldError> {
    let op = Op::Unmount {
        target: args.get("path")?,
        expand: args.flag("expand"),
    };
    Ok(then(this, op, None))
}

/// The last command's text; older clients run the default command where there was none.
async fn said(
    ctx: &Ctx,
    this: &ContainerRef,
    pick: impl Fn(crate::graph::ExecMeta) -> Output,
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
            engine
                .last_exec(&then(this, Op::Exec(Box::new(exec)), None).0)
                .await?
        }
        None => engine.last_exec(&this.0).await?,
    };
    Ok(engine.world().output(&pick(meta))?)
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
        })
        .field("sync", "ContainerID!", |f| {
            f.doc("Makes everything so far happen now.")
                .resolve_async(|ctx, this, _| async move {
                    ctx.backend().engine().container(&this.0).await?;
                    Ok(ctx.backend().keep(&this.into()))
                })
        })
        .field("envVariable", "String", |f| {
            f.doc("Value of an environment variable.")
                .arg("name: String!", "Name.")
                .resolve_async(|ctx, this, args| async move {
                    let name: String = args.get("name")?;
                    let container = ctx.backend().engine().container(&this.0).await?;
                    Ok(container.env(&name).map(str::to_owned))
                })
        })
        .field("envVariables", "[EnvVariable!]!", |f| {
            f.doc("All environment variables.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().container(&this.0).await?.config.env)
                })
        })
        .field("label", "String", |f| {
            f.doc("Value of a label.")
                .arg("name: String!", "Name.")
                .resolve_async(|ctx, this, args| async move {
                    let name: String = args.get("name")?;
                    let labels = ctx
                        .backend()
                        .engine()
                        .container(&this.0)
                        .await?
                        .config
                        .labels;
                    Ok(labels
                        .into_iter()
                        .find(|label| label.name == name)
                        .map(|label| label.value))
                })
        })
        .field("labels", "[Label!]!", |f| {
            f.doc("All labels.")
                .resolve_async(|ctx, this, _| async move {
                    let labels = ctx
                        .backend()
                        .engine()
                        .container(&this.0)
                        .await?
                        .config
                        .labels;
                    Ok(labels.into_iter().map(Label).collect::<Vec<_>>())
                })
        })
        .field("exposedPorts", "[Port!]!", |f| {
            f.doc("All declared ports.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx
                        .backend()
                        .engine()
                        .container(&this.0)
                        .await?
                        .config
                        .ports)
                })
        })
        .field("entrypoint", "[String!]!", |f| {
            f.doc("The entrypoint.")
                .resolve_async(|ctx, this, _| async move {
                    let config = ctx.backend().engine().container(&this.0).await?.config;
                    Ok(config.entrypoint.unwrap_or_default())
                })
        })
        .field("defaultArgs", "[String!]!", |f| {
            f.doc("The default arguments.")
                .resolve_async(|ctx, this, _| async move {
                    let config = ctx.backend().engine().container(&this.0).await?.config;
                    Ok(config.cmd.unwrap_or_default())
                })
        })
        .field("workdir", "String!", |f| {
            f.doc("The working directory.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx
                        .backend()
                        .engine()
                        .container(&this.0)
                        .await?
                        .workdir()
                        .to_owned())
                })
        })
        .field("user", "String!", |f| {
            f.doc("The user that commands run as; empty means root.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().container(&this.0).await?.config.user)
                })
        })
        .field("platform", "Platform!", |f| {
            f.doc("The platform.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(ctx.backend().engine().container(&this.0).await?.platform)
                })
        })
        .field("imageRef", "String!", |f| {
            f.doc("The image that the root file system came from, with its digest.")
                .resolve_async(|ctx, this, _| async move {
                    let image = ctx.backend().engine().container(&this.0).await?.image_ref;
                    image.ok_or_else(|| FieldError::new("the container was not made from an image"))
                })
        });
}
