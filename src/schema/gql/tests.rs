//! Whole requests against a small schema in the shape of the real one.

mod coercion;
mod errors;
mod execution;
mod introspection;
mod toy;
mod validation;
