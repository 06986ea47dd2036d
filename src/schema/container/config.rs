//! What a container's commands find around them: variables, user, directory, arguments, labels, ports.

use crate::{
    graph::{Configure, Container, Op, Port, Protocol},
    schema::{
        Ctx,
        api::Api,
        gql::{Args, FieldError, Registry},
        object::{ContainerRef, Label},
        shared::{CommonArgs, Made},
    },
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    variables(registry);
    place(registry);
    arguments(registry);
    labels(registry);
    annotations(registry);
    ports(registry);
}

fn configured(this: &ContainerRef, change: Configure) -> Result<ContainerRef, FieldError> {
    Ok(this.then(Op::Configure(change), None))
}

async fn solved(ctx: &Ctx, this: &ContainerRef) -> Result<Container, FieldError> {
    Ok(ctx.backend().engine().container(&this.0).await?)
}

fn variables(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withEnvVariable", "Container!", |f| {
            f.doc("Sets an environment variable.")
                .name_and_value()
                .expand()
                .resolve(|_, this, args| {
                    let change = Configure::Env {
                        name: args.get("name")?,
                        value: args.get("value")?,
                        expand: args.flag("expand"),
                    };
                    configured(this, change)
                })
        })
        .field("withoutEnvVariable", "Container!", |f| {
            f.doc("Removes an environment variable.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let name = args.get("name")?;
                    configured(this, Configure::WithoutEnv { name })
                })
        })
        .field("withSecretVariable", "Container!", |f| {
            f.doc("Sets an environment variable to a secret's value while commands run.")
                .arg("name: String!", "Name.")
                .arg("secret: SecretID!", "The secret.")
                .resolve(|ctx, this, args| {
                    let secret = ctx.object(args, "secret")?;
                    let name = args.get("name")?;
                    configured(this, Configure::SecretEnv { name, secret })
                })
        })
        .field("withoutSecretVariable", "Container!", |f| {
            f.doc("Removes a secret variable.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let name = args.get("name")?;
                    configured(this, Configure::WithoutSecretEnv { name })
                })
        })
        .field("withVolatileVariable", "Container!", |f| {
            f.doc("Sets an environment variable that decides nothing: commands see it, but a change of it runs none \
                   of them again, and no image has it.")
                .name_and_value()
                .resolve(|_, this, args| {
                    let (name, value) = (args.get("name")?, args.get("value")?);
                    configured(this, Configure::Volatile { name, value })
                })
        })
        .field("withoutVolatileVariable", "Container!", |f| {
            f.doc("Removes a variable that `withVolatileVariable` set.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let name = args.get("name")?;
                    configured(this, Configure::WithoutVolatile { name })
                })
        })
        .field("envVariable", "String", |f| {
            f.doc("Value of an environment variable.")
                .arg("name: String!", "Name.")
                .resolve_async(|ctx, this, args| async move {
                    let name: String = args.get("name")?;
                    let container = solved(&ctx, &this).await?;
                    Ok(container.env(&name).map(str::to_owned))
                })
        })
        .field("envVariables", "[EnvVariable!]!", |f| {
            f.doc("All environment variables.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(solved(&ctx, &this).await?.config.env) },
                )
        });
}

fn place(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withWorkdir", "Container!", |f| {
            f.doc("Sets the working directory. It is made when a command needs it.")
                .path("Path; relative to the working directory so far.")
                .expand()
                .resolve(|_, this, args| {
                    let (path, expand) = (Some(args.get("path")?), args.flag("expand"));
                    configured(this, Configure::Workdir { path, expand })
                })
        })
        .field("withoutWorkdir", "Container!", |f| {
            f.doc("Sets the working directory back to `/`.")
                .resolve(|_, this, _| {
                    let (path, expand) = (None, false);
                    configured(this, Configure::Workdir { path, expand })
                })
        })
        .field("workdir", "String!", |f| {
            f.doc("The working directory.")
                .resolve_async(|ctx, this, _| async move {
                    Ok(solved(&ctx, &this).await?.workdir().to_owned())
                })
        })
        .field("withUser", "Container!", |f| {
            f.doc("Sets the user that commands run as.")
                .arg("name: String!", "`user[:group]`, by name or number.")
                .resolve(|_, this, args| {
                    let name = Some(args.get("name")?);
                    configured(this, Configure::User { name })
                })
        })
        .field("withoutUser", "Container!", |f| {
            f.doc("Runs commands as root again.")
                .resolve(|_, this, _| configured(this, Configure::User { name: None }))
        })
        .field("user", "String!", |f| {
            f.doc("The user that commands run as; empty means root.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(solved(&ctx, &this).await?.config.user) },
                )
        });
}

fn arguments(registry: &mut Registry<Api>) {
    const KEEP: (&str, &str) = (
        "keepDefaultArgs: Boolean = false",
        "Leave the default arguments as they are.",
    );
    fn entrypoint(
        this: &ContainerRef,
        args: &Args,
        entrypoint: Option<Vec<String>>,
    ) -> Result<ContainerRef, FieldError> {
        let change = Configure::Entrypoint {
            args: entrypoint,
            keep_default_args: args.flag("keepDefaultArgs"),
        };
        configured(this, change)
    }

    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withEntrypoint", "Container!", |f| {
            f.doc("Sets the entrypoint and, unless kept, removes the default arguments.")
                .arg("args: [String!]!", "Arguments.")
                .arg(KEEP.0, KEEP.1)
                .resolve(|_, this, args| entrypoint(this, args, Some(args.get("args")?)))
        })
        .field("withoutEntrypoint", "Container!", |f| {
            f.doc("Removes the entrypoint and, unless kept, the default arguments.")
                .arg(KEEP.0, KEEP.1)
                .resolve(|_, this, args| entrypoint(this, args, None))
        })
        .field("entrypoint", "[String!]!", |f| {
            f.doc("The entrypoint.")
                .resolve_async(|ctx, this, _| async move {
                    let config = solved(&ctx, &this).await?.config;
                    Ok(config.entrypoint.unwrap_or_default())
                })
        })
        .field("withDefaultArgs", "Container!", |f| {
            f.doc("Sets the arguments of a command that is given none.")
                .newer_arg("args: [String!]", "Arguments.")
                .resolve(|_, this, args| {
                    let args = Some(args.get_or_default("args")?);
                    configured(this, Configure::DefaultArgs { args })
                })
        })
        .field("withoutDefaultArgs", "Container!", |f| {
            f.doc("Removes the default arguments.")
                .resolve(|_, this, _| configured(this, Configure::DefaultArgs { args: None }))
        })
        .field("defaultArgs", "[String!]!", |f| {
            f.doc("The default arguments.")
                .resolve_async(|ctx, this, _| async move {
                    let config = solved(&ctx, &this).await?.config;
                    Ok(config.cmd.unwrap_or_default())
                })
        })
        .field("withDefaultTerminalCmd", "Container!", |f| {
            f.doc("Sets the command that `terminal` starts.")
                .arg("args: [String!]!", "The command.")
                .privileges()
                .resolve(|_, this, args| {
                    let args = args.get("args")?;
                    configured(this, Configure::DefaultTerminal { args })
                })
        });
}

fn labels(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withLabel", "Container!", |f| {
            f.doc("Sets a label.")
                .name_and_value()
                .resolve(|_, this, args| {
                    let (name, value) = (args.get("name")?, Some(args.get("value")?));
                    configured(this, Configure::Label { name, value })
                })
        })
        .field("withoutLabel", "Container!", |f| {
            f.doc("Removes a label.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let (name, value) = (args.get("name")?, None);
                    configured(this, Configure::Label { name, value })
                })
        })
        .field("label", "String", |f| {
            f.doc("Value of a label.")
                .arg("name: String!", "Name.")
                .resolve_async(|ctx, this, args| async move {
                    let name: String = args.get("name")?;
                    let labels = solved(&ctx, &this).await?.config.labels;
                    let label = labels.into_iter().find(|label| label.name == name);
                    Ok(label.map(|label| label.value))
                })
        })
        .field("labels", "[Label!]!", |f| {
            f.doc("All labels.")
                .resolve_async(|ctx, this, _| async move {
                    let labels = solved(&ctx, &this).await?.config.labels;
                    Ok(labels.into_iter().map(Label).collect::<Vec<_>>())
                })
        });
}

fn annotations(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withAnnotation", "Container!", |f| {
            f.doc("Sets an annotation of the published manifest.")
                .name_and_value()
                .resolve(|_, this, args| {
                    let (name, value) = (args.get("name")?, Some(args.get("value")?));
                    configured(this, Configure::Annotation { name, value })
                })
        })
        .field("withoutAnnotation", "Container!", |f| {
            f.doc("Removes an annotation.")
                .arg("name: String!", "Name.")
                .resolve(|_, this, args| {
                    let (name, value) = (args.get("name")?, None);
                    configured(this, Configure::Annotation { name, value })
                })
        });
}

fn ports(registry: &mut Registry<Api>) {
    let mut protocol = registry.enumeration("NetworkProtocol");
    protocol.doc("Transport of a port.");
    protocol.value("TCP", "TCP.").value("UDP", "UDP.");
    let mut container = registry.object::<ContainerRef>("Container");
    container
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
                    configured(this, Configure::ExposedPort(port))
                })
        })
        .field("withoutExposedPort", "Container!", |f| {
            f.doc("Takes a declared port back.")
                .arg("port: Int!", "Number.")
                .arg("protocol: NetworkProtocol = TCP", "Transport.")
                .resolve(|_, this, args| {
                    configured(this, Configure::WithoutExposedPort(port(args)?))
                })
        })
        .field("exposedPorts", "[Port!]!", |f| {
            f.doc("All declared ports.")
                .resolve_async(
                    |ctx, this, _| async move { Ok(solved(&ctx, &this).await?.config.ports) },
                )
        });
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
