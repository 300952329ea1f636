//! PEM (RFC 7468), read leniently: several blocks, text between them, any line length.

use super::{X509_BYTES_MAX, X509Error};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// One block.
pub struct PemBlock {
    /// For example `CERTIFICATE`.
    pub label: String,
    /// What it holds.
    pub der: zeroize::Zeroizing<Vec<u8>>,
}

/// All blocks of a text. Text outside blocks is skipped; a block that does not end, or is not base64, is an error.
pub fn pem_blocks(text: &str) -> Result<Vec<PemBlock>, X509Error> {
    if text.len() > X509_BYTES_MAX {
        return Err(X509Error::Encoding);
    }
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----").ok_or(X509Error::Encoding)?;
        let end = format!("-----END {label}-----");
        let (body, after) = after.split_once(end.as_str()).ok_or(X509Error::Encoding)?;
        let packed: zeroize::Zeroizing<String> =
            zeroize::Zeroizing::new(body.chars().filter(|character| !character.is_whitespace()).collect());
        let der = STANDARD.decode(packed.as_bytes()).map_err(|_| X509Error::Encoding)?;
        blocks.push(PemBlock { label: label.to_owned(), der: zeroize::Zeroizing::new(der) });
        rest = after;
    }
    Ok(blocks)
}

/// One block with lines of 64 characters and a line end behind the last.
pub fn pem_encode(label: &str, der: &[u8]) -> String {
    let packed = zeroize::Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    text.reserve(packed.len() + packed.len() / 64 + label.len() + 24);
    let mut rest = packed.as_str();
    while let Some((line, after)) = rest.split_at_checked(64) {
        text.push_str(line);
        text.push('\n');
        rest = after;
    }
    if !rest.is_empty() {
        text.push_str(rest);
        text.push('\n');
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
