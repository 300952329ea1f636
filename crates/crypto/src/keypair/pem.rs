//! Textual encoding of keys and certificates (RFC 7468).

use crate::Secret;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

const LINE: usize = 64;

/// A block, without a line end after its last line.
pub fn encode(label: &str, bytes: &[u8]) -> String {
    let text = Zeroizing::new(STANDARD.encode(bytes));
    // Reserved whole, so that no copy of a secret is left behind.
    let mut block = String::with_capacity(text.len() + text.len() / LINE + 2 * label.len() + 40);
    block.push_str("-----BEGIN ");
    block.push_str(label);
    block.push_str("-----\n");
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let (line, behind) = rest.split_at_checked(LINE).unwrap_or((rest, ""));
        block.push_str(line);
        block.push('\n');
        rest = behind;
    }
    block.push_str("-----END ");
    block.push_str(label);
    block.push_str("-----");
    block
}

/// A block with secret content.
pub fn encode_secret(label: &str, bytes: &[u8]) -> Secret<String> {
    Secret::new(encode(label, bytes))
}

/// A block that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// For example `PUBLIC KEY`.
    pub label: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// The first block of a text, and what is behind it.
pub fn decode(text: &str) -> Option<(Block, &str)> {
    let (_, rest) = text.split_once("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let (body, rest) = rest.split_once("-----END ")?;
    let rest = rest.strip_prefix(label)?.strip_prefix("-----")?;
    let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
    let bytes = STANDARD.decode(body).ok()?;
    Some((Block { label: label.to_owned(), bytes }, rest))
}
