//! What the command's exit codes mean. The one place that names them.

use std::process::ExitCode;

/// How the command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// 0: done.
    Done,
    /// 1: the user's pipeline failed, or something outside (a registry, the network) did.
    Failed,
    /// 2: the command line, a configuration file or a module's types are wrong; nothing ran.
    Usage,
    /// 3: nsci itself is at fault.
    Internal,
    /// 130: interrupted by the user.
    Interrupted,
    /// The code of the command that failed in a container, or of the program that `run` started.
    Of(u8),
}

impl Exit {
    /// The number the shell sees.
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Internal => 3,
            Self::Interrupted => 130,
            Self::Of(code) => code,
        }
    }

    /// For a command that ended with `code`; a failure never becomes a success by losing bits.
    pub(crate) fn of_command(code: i64) -> Self {
        match u8::try_from(code) {
            Ok(0) => Self::Failed,
            Ok(code) => Self::Of(code),
            Err(_) => Self::Failed,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
