//! Key derivation: HKDF (RFC 5869) with SHA-256.

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
