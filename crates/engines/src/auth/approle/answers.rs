//! Faults in upstream's words.

use engine::Fault;

/// A role that is not there, in a sentence.
pub(super) fn no_role(name: &engine::Name) -> String {
    format!("role {:?} does not exist", name.as_str())
}

/// A login whose role or secret-id is unknown, spent, expired or of another role: one answer for all of them (S58).
pub(super) fn login_failed() -> Fault {
    Fault::LoginFailed("invalid role or secret ID".to_owned())
}
