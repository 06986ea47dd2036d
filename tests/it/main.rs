//! The product as its users run it: the command, images from a registry, steps in sandboxes, clients of the API.
//!
//! Needs a registry with the fixture images: `scripts/registry up && eval "$(scripts/registry env)"`. Runs as an
//! unprivileged user with subordinate ids, and as root. `NSCI_BIN` names another build of the command to test.

#![expect(
    clippy::unwrap_used,
    reason = "a failed set-up is a failed test, and the line says which"
)]

mod cache;
mod ci;
mod cli;
mod clients;
mod clients_go;
mod conformance;
mod dockerfile;
mod exec;
mod files;
mod git;
mod graphql;
mod image_command;
mod images;
mod life;
mod modules;
mod modules_api;
mod modules_blueprint;
mod modules_cli;
mod modules_deps;
mod modules_go;
mod modules_kept;
mod modules_marked;
mod modules_own;
mod modules_reference;
mod modules_seeds;
mod modules_ts;
mod modules_workdir;
mod mounts;
mod network;
mod publish;
mod registries;
mod sandbox;
mod scale;
mod secrets;
mod services;
mod services_health;
mod services_host;
mod services_real;
mod support;
mod terminal;
