//! Message authentication: HMAC (RFC 2104, FIPS 198-1) with SHA-256.

use aws_lc_rs::hmac::{Context, HMAC_SHA256, Key};
use std::fmt;

#[cfg(test)]
mod tests;

/// A prepared HMAC-SHA-256 key: the key's two blocks are hashed once, which halves the cost of a short message.
/// AWS-LC wipes its state when it is dropped.
pub struct MacKey(Key);

impl MacKey {
    /// Prepares a key. Any length is allowed; less than 32 bytes weakens it.
    pub fn new(key: &[u8]) -> Self {
        Self(Key::new(HMAC_SHA256, key))
    }

    /// The MAC of the parts one after the other. Parts of varying length need a length or separator among them, if
    /// different splits of the same bytes must differ.
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut context = Context::with_key(&self.0);
        for part in parts {
            context.update(part);
        }
        let mut output = [0; 32];
        // The tag of HMAC-SHA-256 has 32 bytes.
        output.copy_from_slice(context.sign().as_ref());
        output
    }

    /// Whether `tag` is the whole MAC of the parts, in a time that does not depend on where it differs.
    pub fn verify(&self, parts: &[&[u8]], tag: &[u8]) -> bool {
        crate::same(&self.mac(parts), tag)
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("MacKey(…)")
    }
}

/// HMAC-SHA-256 of the parts one after the other, for a key that is used once; else prepare a [`MacKey`].
pub fn hmac_sha256(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    MacKey::new(key).mac(parts)
}
