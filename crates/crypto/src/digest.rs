//! Hash functions: SHA-2 (FIPS 180-4) and SHA-3 (FIPS 202), of byte strings given in parts.

use aws_lc_rs::digest::{Algorithm, Context, SHA3_256, SHA3_384, SHA3_512, SHA224, SHA256, SHA384, SHA512};
use sha3::{Digest, Sha3_224};

#[cfg(test)]
mod tests;

/// SHA-256 of the parts one after the other.
pub fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    fixed(&SHA256, parts)
}

/// SHA-224 of the parts one after the other.
pub fn sha224(parts: &[&[u8]]) -> [u8; 28] {
    fixed(&SHA224, parts)
}

/// SHA-384 of the parts one after the other.
pub fn sha384(parts: &[&[u8]]) -> [u8; 48] {
    fixed(&SHA384, parts)
}

/// SHA-512 of the parts one after the other.
pub fn sha512(parts: &[&[u8]]) -> [u8; 64] {
    fixed(&SHA512, parts)
}

/// SHA3-224 of the parts one after the other.
pub fn sha3_224(parts: &[&[u8]]) -> [u8; 28] {
    // The one member of the family that AWS-LC's interface lacks.
    let mut hasher = Sha3_224::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize().into()
}

/// SHA3-256 of the parts one after the other.
pub fn sha3_256(parts: &[&[u8]]) -> [u8; 32] {
    fixed(&SHA3_256, parts)
}

/// SHA3-384 of the parts one after the other.
pub fn sha3_384(parts: &[&[u8]]) -> [u8; 48] {
    fixed(&SHA3_384, parts)
}

/// SHA3-512 of the parts one after the other.
pub fn sha3_512(parts: &[&[u8]]) -> [u8; 64] {
    fixed(&SHA3_512, parts)
}

fn fixed<const LENGTH: usize>(algorithm: &'static Algorithm, parts: &[&[u8]]) -> [u8; LENGTH] {
    let mut context = Context::new(algorithm);
    for part in parts {
        context.update(part);
    }
    let mut output = [0; LENGTH];
    // Each caller names an algorithm and its own output length; a mismatch would panic here in its first test.
    output.copy_from_slice(context.finish().as_ref());
    output
}
