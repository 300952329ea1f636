//! What happened: as lines to read, and as one number.

use crypto::digest::sha256;
use std::fmt;
use store::Commit;

/// A hash over all events of a run.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Trace([u8; 32]);

/// The events so far.
#[derive(Default)]
pub(crate) struct History {
    pub(crate) trace: Trace,
    pub(crate) lines: Vec<String>,
}

impl History {
    pub(crate) fn note(&mut self, event: String) {
        self.trace = Trace(sha256(&[&self.trace.0, event.as_bytes()]));
        self.lines.push(event);
    }

    /// A commit with every byte of it, ciphertext included.
    pub(crate) fn commit(&mut self, commit: &Commit) {
        let mut parts: Vec<&[u8]> = vec![&self.trace.0];
        for (key, value) in &commit.batch.changes {
            parts.push(key.as_bytes());
            parts.push(value.as_deref().unwrap_or(b"-"));
        }
        self.trace = Trace(sha256(&parts));
    }
}

impl fmt::Debug for Trace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}
