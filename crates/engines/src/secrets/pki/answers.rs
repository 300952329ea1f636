//! Faults in upstream's words, and values as upstream prints them.

use engine::crypto::x509::X509Error;
use engine::{Fault, Reply};

/// Our own mistake, told to the log alone.
pub(super) fn internal(error: X509Error) -> Fault {
    Fault::internal(error.to_string())
}

/// What a certificate cannot hold was sent.
pub(super) fn unfit(error: X509Error) -> Fault {
    match error {
        X509Error::Value | X509Error::Encoding => Fault::invalid("a value cannot be encoded in a certificate"),
        other => internal(other),
    }
}

/// A reply with warnings.
pub(super) fn warned(reply: Reply, warnings: Vec<String>) -> Reply {
    warnings.into_iter().fold(reply, Reply::warn)
}

/// A serial number as the API writes it.
pub(super) fn serial_text(serial: &[u8]) -> String {
    let pairs: Vec<String> = serial.iter().map(|byte| format!("{byte:02x}")).collect();
    pairs.join(":")
}

/// Seconds as Go prints a duration: `3h0m0s`.
pub(super) fn duration_text(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}
