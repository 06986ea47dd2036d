//! Fields that only older clients use, where no current field could take them in.

use super::{
    api::Api,
    gql::Registry,
    object::{ContainerRef, Root},
};
use crate::graph::{SecretRef, SocketRef};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry
        .query::<Root>()
        .field("socket", "Socket!", |f| {
            f.doc("Loads a socket by its id.")
                .arg("id: SocketID!", "The id.")
                .deprecated("Use `loadSocketFromID`.")
                .resolve(|ctx, _, args| ctx.object::<SocketRef>(args, "id"))
        })
        .field("loadSecretFromName", "Secret!", |f| {
            f.doc("A secret that this client set by name.")
                .arg("name: String!", "The name.")
                .arg(
                    "accessor: String",
                    "Ignored: a client sees its own secrets only.",
                )
                .deprecated("Keep the secret that `setSecret` gives.")
                .resolve(|ctx, _, args| {
                    let scope = ctx.client().scope.clone();
                    Ok(SecretRef::Named {
                        scope,
                        name: args.get("name")?,
                    })
                })
        });
    let mut container = registry.object::<ContainerRef>("Container");
    for name in ["withFocus", "withoutFocus"] {
        container.field(name, "Container!", |f| {
            f.doc("Does nothing (older clients).")
                .deprecated("Progress shows every step.")
                .resolve(|_, this, _| Ok(this.clone()))
        });
    }
}
