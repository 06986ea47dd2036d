//! What can go wrong between a reference and an unpacked image.

use std::fmt;
use std::io;

use super::reference;

/// Any error of a collaborator whose type this module does not know.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Failure to find, fetch or hand over an image.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The name is not one.
    #[error(transparent)]
    Reference(#[from] reference::ParseError),
    /// No place that could have the image has it.
    #[error("image {image} not found{tried}")]
    NotFound {
        /// Normal form of the reference.
        image: String,
        /// Every place asked.
        tried: Tried,
    },
    /// The registry wants other credentials, or any.
    #[error("registry {registry} does not let us read {image}{tried}\nhint: {hint}")]
    Unauthorized {
        /// Host.
        registry: String,
        /// Normal form of the reference.
        image: String,
        /// What the user can do.
        hint: String,
        /// Every place asked.
        tried: Tried,
    },
    /// The registry does not take an image from us.
    #[error("registry {registry} does not let us write {image}\nhint: {hint}")]
    PushDenied {
        /// Host.
        registry: String,
        /// Normal form of the reference.
        image: String,
        /// What the user can do.
        hint: String,
    },
    /// No answer.
    #[error("cannot reach {url}{tried}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// Why not.
        source: BoxError,
        /// Every place asked before.
        tried: Tried,
    },
    /// An answer that means neither yes nor no.
    #[error("{url} answered {status}: {message}{tried}")]
    Status {
        /// What was asked for.
        url: String,
        /// HTTP status.
        status: u16,
        /// What the registry says about it.
        message: String,
        /// Every place asked before.
        tried: Tried,
    },
    /// Content is not what its name says.
    #[error("{what} should be {expected} but is {got}")]
    DigestMismatch {
        /// What was fetched.
        what: String,
        /// Name or size asked for.
        expected: String,
        /// What arrived.
        got: String,
    },
    /// The image exists, but not for this platform.
    #[error("image {image} has nothing for {wanted}\navailable: {}", available.join(", "))]
    NoPlatform {
        /// Normal form of the reference.
        image: String,
        /// Platform asked for.
        wanted: String,
        /// Platforms the image has.
        available: Vec<String>,
    },
    /// Valid, but nothing nsci can run or read.
    #[error("{what} is not supported: {reason}")]
    Unsupported {
        /// Image, layer or feature.
        what: String,
        /// Why not.
        reason: String,
    },
    /// Content breaks the format.
    #[error("{what} is malformed: {reason}")]
    Malformed {
        /// Manifest, config or answer.
        what: String,
        /// What is wrong.
        reason: String,
    },
    /// Credentials exist but cannot be read.
    #[error("cannot read credentials from {from}: {reason}")]
    Credentials {
        /// File or helper program.
        from: String,
        /// What is wrong; never contains a secret.
        reason: String,
    },
    /// A local file or pipe failed.
    #[error("cannot {action}")]
    Io {
        /// What was being done, with the path.
        action: String,
        /// Cause.
        source: io::Error,
    },
    /// A layer arrived but could not be unpacked.
    #[error("cannot unpack layer {layer} of {image}")]
    Unpack {
        /// Normal form of the reference.
        image: String,
        /// Digest of the compressed layer.
        layer: String,
        /// Cause.
        source: BoxError,
    },
    /// skopeo failed or is not good enough.
    #[error("skopeo cannot {action}")]
    Skopeo {
        /// What was being done.
        action: String,
        /// Cause.
        source: BoxError,
    },
    /// The caller lost interest.
    #[error("pull was cancelled")]
    Cancelled,
}

impl Error {
    pub(crate) fn io(action: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let action = action.into();
        move |source| Self::Io { action, source }
    }
}

/// Places that were asked, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tried(pub Vec<Attempt>);

/// One place that was asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attempt {
    /// URL.
    pub url: String,
    /// What came of it.
    pub problem: String,
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Attempt { url, problem } in &self.0 {
            write!(f, "\ntried {url}: {problem}")?;
        }
        Ok(())
    }
}
