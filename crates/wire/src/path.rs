//! The one path type (security decision D1). A path is percent-decoded and checked once, at the edge; from then on its
//! bytes are its identity for the router, the policies, the storage and the audit trail, and nobody folds or cleans it
//! again.

use std::fmt;

/// Longest path accepted, in bytes after decoding.
pub const PATH_BYTES_MAX: usize = 8 * 1024;

/// A request's path below `/v1/`: valid UTF-8, no leading slash, no empty, `.` or `..` segment, no control character.
/// It may end in one slash, which lists use.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestPath(String);

/// Why a path is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PathError {
    /// Longer than [`PATH_BYTES_MAX`].
    #[error("path is too long")]
    TooLong,
    /// A `%` that two hexadecimal digits do not follow, or bytes that are not UTF-8.
    #[error("path is not valid")]
    Encoding,
    /// A control character.
    #[error("path must not contain control characters")]
    Control,
    /// An empty segment.
    #[error("path must not contain empty segments")]
    EmptySegment,
    /// A segment `.` or `..`.
    #[error("path cannot contain parent references")]
    DotSegment,
}

impl RequestPath {
    /// Decodes the raw path of an HTTP request (what stands after `/v1/`, without the query).
    pub fn from_raw(raw: &str) -> Result<Self, PathError> {
        if raw.len() > PATH_BYTES_MAX * 3 {
            return Err(PathError::TooLong);
        }
        Self::new(percent_decode(raw)?)
    }

    /// Takes a path that is already decoded.
    pub fn new(path: impl Into<String>) -> Result<Self, PathError> {
        let path = path.into();
        if path.len() > PATH_BYTES_MAX {
            return Err(PathError::TooLong);
        }
        if path.chars().any(is_invisible) {
            return Err(PathError::Control);
        }
        if !path.is_empty() {
            let body = path.strip_suffix('/').unwrap_or(&path);
            for segment in body.split('/') {
                match segment {
                    "" => return Err(PathError::EmptySegment),
                    "." | ".." => return Err(PathError::DotSegment),
                    _ => {}
                }
            }
        }
        Ok(Self(path))
    }

    /// The path's bytes.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it ends in a slash.
    pub fn is_folder(&self) -> bool {
        self.0.ends_with('/')
    }
}

impl fmt::Debug for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for RequestPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Characters that no name is made of: controls, marks that only change how others are shown, and the last code point,
/// which the store uses as the end of ranges.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff0}'..='\u{ffff}' | char::MAX)
}

fn percent_decode(raw: &str) -> Result<String, PathError> {
    if !raw.contains('%') {
        return Ok(raw.to_owned());
    }
    let mut bytes = Vec::with_capacity(raw.len());
    let mut rest = raw.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let (high, low) = (rest.next().and_then(hex_digit), rest.next().and_then(hex_digit));
        let (Some(high), Some(low)) = (high, low) else { return Err(PathError::Encoding) };
        let decoded = high << 4 | low;
        // A decoded slash would move a segment boundary after the client drew it: it is not a name, it is a trick.
        if decoded == b'/' {
            return Err(PathError::Encoding);
        }
        bytes.push(decoded);
    }
    String::from_utf8(bytes).map_err(|_| PathError::Encoding)
}

fn hex_digit(byte: u8) -> Option<u8> {
    (byte as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s01_encoded_and_dotted_segments_are_refused_before_anyone_sees_them() {
        for raw in [
            "secret/a/%2e%2e/b",
            "secret/a/..%2fb",
            "secret/a/./../b",
            "secret/a//b",
            "secret/a/%00",
            "secret/%zz",
            "secret/%2",
            "secret/%c0%ae",
            "secret/a%2fb",
            "/secret",
            "secret/a//",
            "secret/a%e2%80%8bb",
            "secret/%f4%8f%bf%bf",
        ] {
            assert!(RequestPath::from_raw(raw).is_err(), "{raw}");
        }
        // Decoded once and never again: what is left of a double encoding is a plain name.
        assert_eq!(RequestPath::from_raw("a/%252e%252e/b").unwrap().as_str(), "a/%2e%2e/b");
        assert_eq!(RequestPath::from_raw("a/b%20c/").unwrap().as_str(), "a/b c/");
    }
}
