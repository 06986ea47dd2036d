//! `EnvFile`: variables as `.env` files have them.

use super::{
    api::Api,
    gql::{FieldBuilder, FieldError, FromObject, ObjectBuilder, Registry},
    object::{ContainerRef, EnvFileRef, FileRef, Object, Root},
    shared::{CommonArgs, Made},
};
use crate::{
    engine::EnvFile,
    graph::{Configure, EnvVar, Op, Vertex},
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry.query::<Root>().field("envFile", "EnvFile!", |f| {
        expands(f.doc("A file of variables, empty at first."))
            .resolve(|_, _, _| Ok(EnvFileRef(EnvFile::default())))
    });
    registry
        .object::<FileRef>("File")
        .field("asEnvFile", "EnvFile!", |f| {
            expands(f.doc("The file's lines as variables.")).resolve_async(
                |ctx, this, _| async move {
                    let engine = ctx.backend().engine();
                    let file = engine.file(&this.0).await?;
                    let text = engine.contents(&file, None, None).await?;
                    EnvFile::parse(&text)
                        .map(EnvFileRef)
                        .map_err(|(line, text)| {
                            FieldError::new(format!(
                                "{}:{line}: `{text}` is not NAME=value",
                                file.name()
                            ))
                        })
                },
            )
        });
    registry
        .object::<ContainerRef>("Container")
        .field("withEnvFileVariables", "Container!", |f| {
            f.doc("Sets all variables of a file.")
                .arg("source: EnvFileID!", "The file.")
                .resolve(|ctx, this, args| {
                    let source: EnvFileRef = ctx.object(args, "source")?;
                    let set = |container: ContainerRef, name: &str| {
                        let change = Configure::Env {
                            name: name.to_owned(),
                            value: source.0.value(name).unwrap_or_default(),
                            expand: false,
                        };
                        container.then(Op::Configure(change), None)
                    };
                    Ok(source.0.names().fold(this.clone(), set))
                })
        });
    let mut file = registry.object::<EnvFileRef>("EnvFile");
    file.doc("Variables as `.env` files have them.");
    read(&mut file);
    write(&mut file);
}

fn expands<T: FromObject<Object> + 'static>(field: FieldBuilder<Api, T>) -> FieldBuilder<Api, T> {
    field.arg_with(
        "expand: Boolean",
        "Variables in values are always replaced.",
        |arg| arg.deprecated("Use `get(raw: …)` and `variables(raw: …)`."),
    )
}

fn read(file: &mut ObjectBuilder<'_, Api, EnvFileRef>) {
    const RAW: &str = "The value as it is written: with quotes, variables not replaced.";
    file.field("exists", "Boolean!", |f| {
        f.doc("Whether a variable is there.")
            .arg("name: String!", "Name.")
            .resolve(|_, this, args| Ok(this.0.raw(&args.get::<String>("name")?).is_some()))
    })
    .field("get", "String!", |f| {
        f.doc("Value of a variable.")
            .arg("name: String!", "Name.")
            .arg("raw: Boolean", RAW)
            .resolve(|_, this, args| {
                let name: String = args.get("name")?;
                value(&this.0, &name, args.flag("raw"))
                    .ok_or_else(|| FieldError::new(format!("no variable {name}")))
            })
    })
    .field("variables", "[EnvVariable!]!", |f| {
        f.doc("All variables.")
            .arg("raw: Boolean", RAW)
            .resolve(|_, this, args| {
                let variable = |name: &str| EnvVar {
                    name: name.to_owned(),
                    value: value(&this.0, name, args.flag("raw")).unwrap_or_default(),
                };
                Ok(this.0.names().map(variable).collect::<Vec<_>>())
            })
    })
    .field("asFile", "File!", |f| {
        f.doc("The variables as a file named `.env`.")
            .resolve(|_, this, _| {
                let op = Op::NewFile {
                    name: ".env".into(),
                    contents: this.0.text(),
                    permissions: 0o600,
                };
                Ok(FileRef(Vertex::new(op, vec![])))
            })
    });
}

fn value(file: &EnvFile, name: &str, raw: bool) -> Option<String> {
    if raw {
        file.raw(name).map(str::to_owned)
    } else {
        file.value(name)
    }
}

fn write(file: &mut ObjectBuilder<'_, Api, EnvFileRef>) {
    file.field("withVariable", "EnvFile!", |f| {
        f.doc("Sets a variable; `$NAME` in the value stands for another.")
            .name_and_value()
            .resolve(|_, this, args| {
                let (name, value): (String, String) = (args.get("name")?, args.get("value")?);
                if name.is_empty() || name.contains(|c: char| c.is_whitespace() || c == '=') {
                    return Err(FieldError::new(format!("`{name}` is no variable's name")));
                }
                Ok(EnvFileRef(this.0.clone().with(&name, &value)))
            })
    })
    .field("withoutVariable", "EnvFile!", |f| {
        f.doc("Removes a variable; none of that name is fine.")
            .arg("name: String!", "Name.")
            .resolve(|_, this, args| {
                let name: String = args.get("name")?;
                Ok(EnvFileRef(this.0.clone().without(&name)))
            })
    })
    .field("namespace", "EnvFile!", |f| {
        f.doc("The variables that begin with a prefix, without it.")
            .arg("prefix: String!", "The prefix.")
            .resolve(|_, this, args| {
                let prefix: String = args.get("prefix")?;
                Ok(EnvFileRef(this.0.namespace(&prefix)))
            })
    });
}
