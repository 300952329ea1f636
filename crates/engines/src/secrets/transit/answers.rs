//! Faults in upstream's words.

use engine::Fault;

/// Two derived keys of one name need to know which.
pub(super) const MISSING_CONTEXT: &str = "missing 'context' for key derivation; the key was created using a derived key, \
    which means additional, per-request information must be included in order to perform operations with the key";
/// A key that is in the bin.
pub(super) const SOFT_DELETED: &str = "refusing to use soft-deleted key";
/// A ciphertext or signature of a version below the lowest that is allowed.
pub(super) const TOO_OLD: &str = "ciphertext or signature version is disallowed by policy (too old)";

/// Why one operation with a key fails: by itself it is a reply, in a batch the error of its item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) text: String,
    /// Whether upstream takes it for its own (500) and not for the client's (400).
    pub(super) internal: bool,
}

impl Failure {
    /// The client's.
    pub(super) fn of_client(text: impl Into<String>) -> Self {
        Self { text: text.into(), internal: false }
    }

    /// One that upstream takes for its own.
    pub(super) fn internal(text: impl Into<String>) -> Self {
        Self { text: text.into(), internal: true }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        if failure.internal { Fault::upstream_error(failure.text) } else { Self::invalid(failure.text) }
    }
}
