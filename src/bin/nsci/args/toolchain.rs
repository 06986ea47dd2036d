//! `nsci toolchain`: what its words and flags ask for.

use super::flag::Scanned;
use crate::report::Failure;

/// What to do with the toolchains of the module at hand.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ToolchainVerb {
    /// Show the help of the command.
    Help,
    /// Add toolchains.
    Install {
        /// What to add.
        references: Vec<String>,
        /// Name to offer it by.
        name: Option<String>,
    },
    /// Remove toolchains.
    Uninstall(Vec<String>),
    /// List them.
    List {
        /// As JSON.
        json: bool,
    },
    /// Move their pins.
    Update(Vec<String>),
}

/// Reads what follows `toolchain`.
///
/// # Errors
/// Words that are too many, or no command.
pub(super) fn verb(given: &Scanned) -> Result<ToolchainVerb, Failure> {
    let Some((verb, rest)) = given.rest.split_first() else {
        return Ok(ToolchainVerb::Help);
    };
    let rest = rest.to_vec();
    Ok(match verb.as_str() {
        "install" | "use" => ToolchainVerb::Install {
            references: rest,
            name: given.last("name").map(str::to_owned),
        },
        "uninstall" | "rm" => ToolchainVerb::Uninstall(rest),
        "update" => ToolchainVerb::Update(rest),
        "list" | "ls" => match rest.first() {
            None => ToolchainVerb::List {
                json: given.on("json"),
            },
            Some(extra) => {
                let what = format!("unexpected argument `{extra}` for `toolchain {verb}`");
                return Err(Failure::usage(what));
            }
        },
        other => {
            let what = format!("unknown command `toolchain {other}`");
            return Err(
                Failure::usage(what).hint("nsci toolchain install, uninstall, list or update")
            );
        }
    })
}
