//! One-time passwords by time: HOTP (RFC 4226) counted by TOTP (RFC 6238).

use aws_lc_rs::hmac::{self, HMAC_SHA1_FOR_LEGACY_USE_ONLY, HMAC_SHA256, HMAC_SHA512};

#[cfg(test)]
mod tests;

/// The hash under the MAC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TotpHash {
    /// SHA-1, which all authenticators know. Its weakness does not touch a MAC.
    Sha1,
    /// SHA-256.
    Sha256,
    /// SHA-512.
    Sha512,
}

/// The code at a counter, with so many digits, from 1 to 9.
pub fn code(hash: TotpHash, key: &[u8], counter: u64, digits: u32) -> String {
    let algorithm = match hash {
        TotpHash::Sha1 => HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        TotpHash::Sha256 => HMAC_SHA256,
        TotpHash::Sha512 => HMAC_SHA512,
    };
    let tag = hmac::sign(&hmac::Key::new(algorithm, key), &counter.to_be_bytes());
    let tag = tag.as_ref();
    // RFC 4226 section 5.3: the last four bits say where the 31 bits begin; a MAC has 20 bytes or more.
    let at = usize::from(tag.last().copied().unwrap_or_default() & 0xf);
    let bytes = tag.get(at..at + 4).unwrap_or_default();
    let number = bytes.iter().fold(0_u32, |number, byte| number << 8 | u32::from(*byte)) & 0x7fff_ffff;
    let digits = digits.clamp(1, 9);
    format!("{:0width$}", number % 10_u32.pow(digits), width = usize::try_from(digits).unwrap_or_default())
}
