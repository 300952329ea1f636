//! Key derivation: HKDF (RFC 5869) with SHA-256, and the counter mode of NIST SP 800-108 with HMAC-SHA-256.

use crate::mac::MacKey;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// A 32-byte key from a strong secret (RFC 5869 with L = 32): extract with `salt` (empty means none), expand with
/// `info`. Different salts or infos give independent keys. Not for passwords.
pub fn hkdf_sha256(secret: &[u8], salt: &[u8], info: &[u8]) -> Zeroizing<[u8; 32]> {
    // An absent salt is a block of zeros (section 2.2), which HMAC's padding makes the same as an empty key.
    let extracted = Zeroizing::new(MacKey::new(salt).mac(&[secret]));
    // One block of HMAC-SHA-256 is the whole output, so T(1) = HMAC(PRK, info | 0x01) (section 2.3).
    Zeroizing::new(MacKey::new(extracted.as_slice()).mac(&[info, &[1]]))
}

/// `length` bytes (at most 255 · 32) from a strong secret: HKDF as [`hkdf_sha256`] without salt, expanded over as many blocks
/// as it takes.
pub fn hkdf_sha256_bytes(secret: &[u8], info: &[u8], length: usize) -> Zeroizing<Vec<u8>> {
    let extracted = Zeroizing::new(MacKey::new(&[]).mac(&[secret]));
    let expander = MacKey::new(extracted.as_slice());
    let mut output = Zeroizing::new(Vec::with_capacity(length.next_multiple_of(32)));
    let mut block = Zeroizing::new([0; 32]);
    for counter in 1..=u8::MAX {
        if output.len() >= length {
            break;
        }
        let previous: &[u8] = if counter == 1 { &[] } else { block.as_slice() };
        *block = expander.mac(&[previous, info, &[counter]]);
        output.extend_from_slice(block.as_slice());
    }
    output.truncate(length);
    output
}

/// A key of 256 bits by SP 800-108 section 4.1 with HMAC-SHA-256: one block, counted from 0 as Vault's oldest derived keys
/// have it, over the context and the length in bits.
pub fn counter_sha256(secret: &[u8], context: &[u8]) -> Zeroizing<[u8; 32]> {
    let (counter, bits) = (0_u32.to_be_bytes(), 256_u32.to_be_bytes());
    Zeroizing::new(MacKey::new(secret).mac(&[&counter, context, &bits]))
}
