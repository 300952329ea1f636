//! How a handler fails.

use crate::outside::Call;
use store::StoreError;

/// Why there is no reply. The server alone turns it into a status and upstream's words. Texts never hold a secret.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// The request is wrong: 400 with these messages.
    #[error("{}", .0.join("; "))]
    Invalid(Vec<String>),
    /// Not known: 403 `permission denied`, whatever the reason.
    #[error("permission denied")]
    Denied,
    /// Known, and not allowed: 403. Nobody without a good token ever gets this one.
    #[error("permission denied")]
    Forbidden,
    /// A login that did not hold: 400 with this text; counts against the lockout of its alias.
    #[error("{0}")]
    LoginFailed(String),
    /// There is nothing there: 404 with no message.
    #[error("not found")]
    Missing,
    /// 404 with a message.
    #[error("{0}")]
    MissingBecause(String),
    /// No route matches: 404.
    #[error("unsupported path")]
    UnsupportedPath,
    /// The route does not serve the operation: 405.
    #[error("unsupported operation")]
    UnsupportedOperation,
    /// Another status that upstream uses, with its messages.
    #[error("{}", .1.join("; "))]
    Status(u16, Vec<String>),
    /// The store failed: 500, and the text goes to the log only.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Not a failure: the handler needs the answer to this call first (see [`crate::outside`]). The kernel and the shell
    /// take it out of the way; a client never sees it.
    #[error("needs an answer from outside")]
    Outside(Box<Call>),
    /// Our own mistake or a broken invariant: 500, and the text goes to the log only.
    #[error("{0}")]
    Internal(String),
}

impl Fault {
    /// A 400 with one message.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::Invalid(vec![message.into()])
    }

    /// A 404 with a message.
    pub fn missing(message: impl Into<String>) -> Self {
        Self::MissingBecause(message.into())
    }

    /// What upstream returns as an error of its own although the request is at fault: a 500 that tells this text.
    pub fn upstream_error(text: impl std::fmt::Display) -> Self {
        Self::Status(500, vec![format!("1 error occurred:\n\t* {text}\n\n")])
    }

    /// A 500 whose text only the log shows.
    pub fn internal(message: impl Into<String>) -> Self {
        Self::Internal(message.into())
    }
}
