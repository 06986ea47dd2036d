//! `nsci image`: what its words and flags ask for.

use super::flag::Scanned;
use crate::report::Failure;

/// What to do with images.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum ImageVerb {
    /// Show the help of the command.
    Help,
    /// List those that have names.
    List {
        /// As JSON.
        json: bool,
    },
    /// Fetch images.
    Pull {
        /// Their names.
        images: Vec<String>,
        /// Platform instead of the host's.
        platform: Option<String>,
    },
    /// Put one into a registry.
    Push {
        /// Its name.
        image: String,
        /// Another name to put it under.
        target: Option<String>,
        /// Platform instead of the host's.
        platform: Option<String>,
    },
    /// Take one out of an archive.
    Import {
        /// Path, or place with its transport.
        source: String,
        /// Name instead of the one it says.
        name: Option<String>,
        /// Which one, if there are several.
        tag: String,
        /// Platform instead of the host's.
        platform: Option<String>,
    },
    /// Write one to an archive.
    Export {
        /// Its name.
        image: String,
        /// The archive.
        file: String,
        /// Platform instead of the host's.
        platform: Option<String>,
    },
    /// Forget names.
    Remove {
        /// The names.
        images: Vec<String>,
    },
}

/// Reads what follows `image`.
///
/// # Errors
/// Words that are missing, too many, or no command.
pub(super) fn verb(given: &Scanned) -> Result<ImageVerb, Failure> {
    let platform = given.last("platform").map(str::to_owned);
    let words: Vec<&str> = given.rest.iter().map(String::as_str).collect();
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    Ok(match words.as_slice() {
        [] => ImageVerb::Help,
        ["ls" | "list"] => ImageVerb::List {
            json: given.on("json"),
        },
        ["pull", images @ ..] if !images.is_empty() => ImageVerb::Pull {
            images: owned(images),
            platform,
        },
        ["push", image, target @ ..] if target.len() < 2 => ImageVerb::Push {
            image: (*image).to_owned(),
            target: target.first().map(|target| (*target).to_owned()),
            platform,
        },
        ["import", source, name @ ..] if name.len() < 2 => ImageVerb::Import {
            source: (*source).to_owned(),
            name: name.first().map(|name| (*name).to_owned()),
            tag: given.last("tag").unwrap_or_default().to_owned(),
            platform,
        },
        ["export", image, file] => ImageVerb::Export {
            image: (*image).to_owned(),
            file: (*file).to_owned(),
            platform,
        },
        ["rm" | "remove", images @ ..] if !images.is_empty() => ImageVerb::Remove {
            images: owned(images),
        },
        [
            known @ ("ls" | "list" | "pull" | "push" | "import" | "export" | "rm" | "remove"),
            ..,
        ] => {
            let usage = match *known {
                "ls" | "list" => "ls",
                "pull" => "pull IMAGE…",
                "push" => "push IMAGE [NAME]",
                "import" => "import SOURCE [NAME]",
                "export" => "export IMAGE FILE",
                _ => "rm IMAGE…",
            };
            return Err(
                Failure::usage(format!("wrong number of arguments for `image {known}`"))
                    .hint(format!("nsci image {usage}")),
            );
        }
        [other, ..] => {
            return Err(Failure::usage(format!("unknown command `image {other}`"))
                .hint("nsci image ls, pull, push, import, export or rm"));
        }
    })
}
