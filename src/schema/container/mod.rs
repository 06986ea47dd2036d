//! `Container`: an image's file system and configuration, and commands run on them.
//!
//! The fields are declared by subject: [`config`] what commands find around them, [`exec`] commands
//! and what they said, [`health`] how to see that they are well, [`mounts`] what is mounted for them, [`publish`] images of
//! them, [`rootfs`] where the files come from.
//! What containers have in common with directories is in [`super::files`].

mod config;
mod exec;
mod health;
mod mounts;
mod publish;
mod rootfs;

use super::{api::Api, gql::Registry, object::ContainerRef, shared::pipeline};

pub(super) fn declare(registry: &mut Registry<Api>) {
    registry
        .object::<ContainerRef>("Container")
        .doc("A file system with the configuration that commands run with.");
    rootfs::declare(registry);
    exec::declare(registry);
    config::declare(registry);
    health::declare(registry);
    mounts::declare(registry);
    publish::declare(registry);
    pipeline::<ContainerRef>(registry, "Container");
}
