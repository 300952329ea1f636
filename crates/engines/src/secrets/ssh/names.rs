//! Names of roles and issuers. Capitals count, as upstream: each spelling is a name of its own.

use engine::{Fault, NAME_BYTES_MAX};

/// Whether a text is a name: ASCII letters, digits and `_`, with `-` and `.` inside.
pub(super) fn is_name(text: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    bytes.first().is_some_and(word)
        && bytes.last().is_some_and(word)
        && bytes.iter().all(|byte| word(byte) || matches!(byte, b'-' | b'.'))
        && bytes.len() <= NAME_BYTES_MAX
}

/// The name in a path; what is none is an unsupported path, as upstream's pattern has it.
pub(super) fn in_path(text: &str) -> Result<&str, Fault> {
    if is_name(text) { Ok(text) } else { Err(Fault::UnsupportedPath) }
}
