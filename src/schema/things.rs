//! Small objects: secrets, sockets, cache volumes, variables, labels, ports, errors.

use super::{
    api::Api,
    gql::{FieldError, Registry},
    object::{ErrorValue, Label, NamedValue},
};
use crate::{
    graph::{EnvVar, Port, Protocol, SecretRef, SocketRef},
    ops::Client,
};

pub(super) fn declare(registry: &mut Registry<Api>) {
    secret(registry);
    let mut socket = registry.object::<SocketRef>("Socket");
    socket.doc("A Unix socket of the host.");
    let mut variable = registry.object::<EnvVar>("EnvVariable");
    variable
        .doc("An environment variable.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.name.clone()))
        })
        .field("value", "String!", |f| {
            f.doc("Its value.")
                .resolve(|_, this, _| Ok(this.value.clone()))
        });
    let mut label = registry.object::<Label>("Label");
    label
        .doc("A label.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.0.name.clone()))
        })
        .field("value", "String!", |f| {
            f.doc("Its value.")
                .resolve(|_, this, _| Ok(this.0.value.clone()))
        });
    port(registry);
    error(registry);
}

fn secret(registry: &mut Registry<Api>) {
    let mut secret = registry.object::<SecretRef>("Secret");
    secret
        .doc("A value that is never shown, stored or part of a cache key.")
        .field("name", "String!", |f| {
            f.doc("The name it was set under, or its address.")
                .resolve(|_, this, _| {
                    Ok(match this {
                        SecretRef::Named { name, .. } => name.clone(),
                        SecretRef::Uri { uri, .. } => uri.clone(),
                    })
                })
        })
        .field("uri", "String!", |f| {
            f.doc("Its address; empty for a secret set by name.")
                .resolve(|_, this, _| {
                    Ok(match this {
                        SecretRef::Named { .. } => String::new(),
                        SecretRef::Uri { uri, .. } => uri.clone(),
                    })
                })
        })
        .field("plaintext", "String!", |f| {
            f.doc("Its value.")
                .resolve_async(|ctx, this, _| async move {
                    let value = ctx.backend().engine().secrets().secret(&this).await?;
                    String::from_utf8(value.bytes().to_vec())
                        .map_err(|_| FieldError::new("the secret is no text"))
                })
        });
}

fn port(registry: &mut Registry<Api>) {
    let mut port = registry.object::<Port>("Port");
    port.doc("A port that a container listens on.")
        .field("port", "Int!", |f| {
            f.doc("Its number.")
                .resolve(|_, this, _| Ok(u32::from(this.port)))
        })
        .field("protocol", "NetworkProtocol!", |f| {
            f.doc("Its transport.").resolve(|_, this, _| {
                Ok(match this.protocol {
                    Protocol::Tcp => "TCP",
                    Protocol::Udp => "UDP",
                })
            })
        })
        .field("description", "String", |f| {
            f.doc("What it is for.")
                .resolve(|_, this, _| Ok(this.description.clone()))
        })
        .field("experimentalSkipHealthcheck", "Boolean!", |f| {
            f.doc("Whether starting the service does not wait for it.")
                .resolve(|_, this, _| Ok(this.skip_healthcheck))
        });
}

fn error(registry: &mut Registry<Api>) {
    let mut error = registry.object::<ErrorValue>("Error");
    error
        .doc("An error that a function returns.")
        .field("message", "String!", |f| {
            f.doc("What went wrong.")
                .resolve(|_, this, _| Ok(this.message.clone()))
        })
        .field("values", "[ErrorValue!]!", |f| {
            f.doc("What a program may read of it.")
                .resolve(|_, this, _| Ok(this.values.clone()))
        })
        .field("withValue", "Error!", |f| {
            f.doc("Adds a value.")
                .arg("name: String!", "Name.")
                .arg("value: JSON!", "Value.")
                .resolve(|_, this, args| {
                    let mut error = this.clone();
                    error.values.push(NamedValue {
                        name: args.get("name")?,
                        value: args.get("value")?,
                    });
                    Ok(error)
                })
        });
    let mut value = registry.object::<NamedValue>("ErrorValue");
    value
        .doc("A value of an error.")
        .field("name", "String!", |f| {
            f.doc("Its name.")
                .resolve(|_, this, _| Ok(this.name.clone()))
        })
        .field("value", "JSON!", |f| {
            f.doc("Its value.")
                .resolve(|_, this, _| Ok(this.value.clone()))
        });
}
