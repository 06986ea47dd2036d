//! nsci on macOS: the Lima template and the driver that puts nsci into a Linux virtual machine.
//!
//! nsci needs Linux. On a Mac a thin front, the executable of this crate, makes sure that the machine is there and runs
//! ([`Machine`]), that the Linux nsci is in it ([`Binary`]), and runs the command inside as if it ran outside
//! ([`Ticket`], [`Front`]): same directory, arguments, environment, terminal, signals and exit code.
//!
//! ```text
//! front       commands, and the words around them
//! machine     what is to be done so that the machine runs
//! inside      one command in the machine
//! ticket binary instance limactl signals failure
//! ```
//!
//! Needs nothing but Unix and `limactl`, so all of it is tested on Linux with a `limactl` that runs things here.
#![forbid(unsafe_code)]

mod binary;
mod failure;
mod front;
mod inside;
mod instance;
mod limactl;
mod machine;
mod signals;
mod ticket;

pub use binary::Binary;
pub use failure::{Code, Failure};
pub use front::{Front, Surroundings};
pub use instance::{Instance, State};
pub use limactl::Limactl;
pub use machine::Machine;
pub use signals::Signals;
pub use ticket::Ticket;

/// The Lima template that the machine is made from.
pub const TEMPLATE: &str = include_str!("../nsci.yaml");
