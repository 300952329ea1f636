//! HCL version 1 and JSON, read into one tree: the syntax of policies, password policies and configuration files.
//!
//! HCL 1 is not HCL 2: keys may be quoted (`"capabilities" = [...]`), one key may be assigned more than once, two
//! attributes may stand on one line, and there are no expressions. JSON says the same in objects: a block is an object or
//! a list of objects, its labels are the keys above it. A text whose first visible character is `{` is JSON.
//!
//! ```
//! let document = hcl::parse(r#"path "secret/*" { capabilities = ["read", "list"] }"#)?;
//! for block in document.blocks("path", 1)? {
//!     assert_eq!(block.label(), "secret/*");
//!     assert_eq!(block.body.attribute("capabilities").expect("given above").as_list().len(), 2);
//! }
//! # Ok::<(), hcl::Error>(())
//! ```
//!
//! Limits: [`Options::bytes_max`] on the text and [`Options::depth_max`] on nesting, both checked before the work they
//! bound (security row S111). Errors name a line and a column and what was expected, never a value of the text, since a
//! configuration may hold secrets; for the same reason `Debug` of the tree shows its shape and keys only.
#![forbid(unsafe_code)]

mod access;
mod duration;
mod error;
mod json;
mod lexer;
mod native;
mod tree;

#[cfg(test)]
mod tests;

pub use access::Block;
pub use duration::parse_duration_seconds;
pub use error::{Error, ErrorKind};
pub use tree::{Body, Document, Item, Number, Position, Value};

/// What a reader tolerates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Options {
    /// Longest text, in bytes.
    pub bytes_max: usize,
    /// Deepest nesting of objects and lists; a body at the top has depth 1.
    pub depth_max: usize,
    /// Whether one JSON object may hold a key twice. Readers disagree on which one counts, so policies refuse it.
    pub json_duplicate_keys: bool,
}

impl Options {
    /// For configuration files, where upstream collects repeated keys in both syntaxes.
    pub const CONFIGURATION: Options = Options { bytes_max: 4 << 20, depth_max: 64, json_duplicate_keys: true };
    /// For policies.
    pub const POLICY: Options = Options { json_duplicate_keys: false, ..Options::CONFIGURATION };
}

/// Reads HCL 1 or JSON, whichever it is, under [`Options::POLICY`].
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(text: &str) -> Result<Document, Error> {
    parse_with(text, Options::POLICY)
}

/// Reads HCL 1 or JSON, whichever it is.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse_with(text: &str, options: Options) -> Result<Document, Error> {
    if text.len() > options.bytes_max {
        return Err(Error::new(Position::START, ErrorKind::TooLong { bytes_max: options.bytes_max }));
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if is_json(text) { json::parse(text, options) } else { native::parse(text, options) }
}

/// Whether [`parse`] takes this text for JSON: its first visible character is `{`.
pub fn is_json(text: &str) -> bool {
    text.trim_start().starts_with('{')
}
