//! Docker's health check of a container, and the object that describes it.

use crate::{
    graph::{Configure, Healthcheck, Op, duration_text, nanoseconds},
    schema::{
        api::Api,
        gql::{Args, FieldError, Registry},
        object::ContainerRef,
        shared::Made,
    },
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    let mut container = registry.object::<ContainerRef>("Container");
    container
        .field("withDockerHealthcheck", "Container!", |f| {
            f.doc("Sets the command that tells whether the container is healthy when it runs as a service.")
                .arg("args: [String!]!", "The command.")
                .arg("shell: Boolean", "Run it by the container's shell, as one text.")
                .arg("interval: String", "Time between two checks, such as `30s`.")
                .arg("timeout: String", "Time that one check may take.")
                .arg("startPeriod: String", "Time at the start in which failures do not count.")
                .arg("startInterval: String", "Time between two checks in that time; by default they follow each other quickly.")
                .arg("retries: Int", "Failures in a row that make it unhealthy.")
                .resolve(|_, this, args| {
                    let change = Configure::Healthcheck(Some(check(args)?));
                    Ok(this.then(Op::Configure(change), None))
                })
        })
        .field("withoutDockerHealthcheck", "Container!", |f| {
            f.doc("Removes the health check.")
                .resolve(|_, this, _| Ok(this.then(Op::Configure(Configure::Healthcheck(None)), None)))
        })
        .field("dockerHealthcheck", "HealthcheckConfig", |f| {
            f.doc("The health check; null if there is none.")
                .resolve_async(|ctx, this, _| async move {
                    let container = ctx.backend().engine().container(&this.0).await?;
                    let check = container.config.healthcheck;
                    Ok(check.filter(|check| !matches!(check.test.first().map(String::as_str), None | Some("NONE"))))
                })
        });
    object(registry);
}

/// The check that arguments describe.
fn check(args: &Args) -> Result<Healthcheck, FieldError> {
    let command: Vec<String> = args.get("args")?;
    if command.is_empty() {
        return Err(FieldError::new("a health check needs a command"));
    }
    let time = |name: &str| -> Result<u64, FieldError> {
        match args.str(name) {
            None | Some("") => Ok(0),
            Some(text) => nanoseconds(text).ok_or_else(|| {
                FieldError::new(format!(
                    "{name} cannot be `{text}`: write it as 30s, 1m30s or 500ms"
                ))
            }),
        }
    };
    let retries: Option<i64> = args.get("retries")?;
    let test = match args.flag("shell") {
        true => vec!["CMD-SHELL".to_owned(), command.join(" ")],
        false => std::iter::once("CMD".to_owned()).chain(command).collect(),
    };
    Ok(Healthcheck {
        test,
        interval: time("interval")?,
        timeout: time("timeout")?,
        start_period: time("startPeriod")?,
        start_interval: time("startInterval")?,
        retries: u64::try_from(retries.unwrap_or(0))
            .map_err(|_| FieldError::new("retries is 0 or more"))?,
    })
}

fn object(registry: &mut Registry<Api>) {
    let mut config = registry.object::<Healthcheck>("HealthcheckConfig");
    config
        .doc("How to find out whether a container is healthy.")
        .field("args", "[String!]!", |f| {
            f.doc("The command.").resolve(|_, this, _| {
                let skipped = usize::from(!this.test.is_empty());
                Ok(this.test[skipped..].to_vec())
            })
        })
        .field("shell", "Boolean!", |f| {
            f.doc("Whether the container's shell runs it.")
                .resolve(|_, this, _| Ok(this.test.first().is_some_and(|kind| kind == "CMD-SHELL")))
        })
        .field("retries", "Int!", |f| {
            f.doc("Failures in a row that make it unhealthy; 0 means Docker's default.")
                .resolve(|_, this, _| Ok(this.retries))
        });
    type Time = fn(&Healthcheck) -> u64;
    let times: [(&str, &'static str, Time); 4] = [
        (
            "interval",
            "Time between two checks; `0s` means Docker's default.",
            |c| c.interval,
        ),
        (
            "timeout",
            "Time that one check may take; `0s` means Docker's default.",
            |c| c.timeout,
        ),
        (
            "startPeriod",
            "Time at the start in which failures do not count.",
            |c| c.start_period,
        ),
        (
            "startInterval",
            "Time between two checks at the start; `0s` means Docker's default.",
            |c| c.start_interval,
        ),
    ];
    for (name, doc, time) in times {
        config.field(name, "String!", |f| {
            f.doc(doc)
                .resolve(move |_, this, _| Ok(duration_text(time(this))))
        });
    }
}
