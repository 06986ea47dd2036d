//! Engine library of nsci: pipelines as code in rootless containers.
//!
//! Modules in import order, each using only what stands below it; `tests/layers.rs` holds this:
//!
//! ```text
//! session
//! codegen
//! schema
//! module
//! engine
//! ops
//! service
//! source      exporter   dockerfile
//! solver
//! cache
//! graph
//! event   config   error
//! ```
//!
//! The library prints nothing and never reads the environment: the command in `src/bin/nsci`
//! does both and passes down what is needed.
#![forbid(unsafe_code)]

pub mod cache;
pub mod codegen;
pub mod config;
pub mod dockerfile;
pub mod engine;
pub mod error;
pub mod event;
pub mod exporter;
pub mod graph;
pub mod module;
pub mod ops;
pub mod schema;
pub mod service;
pub mod session;
pub mod solver;
pub mod source;
