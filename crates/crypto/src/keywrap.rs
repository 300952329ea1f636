//! Wrapping of keys for transport: AES key wrap with padding (RFC 5649, NIST SP 800-38F KWP).

use crate::OpenError;
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrapPadded};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Longest key that is wrapped or unwrapped, in bytes: an RSA key of 4096 bits in PKCS #8 has less than 2400.
pub const WRAPPED_BYTES_MAX: usize = 16 << 10;
/// Shortest wrapping, in bytes: that of a key of at most eight.
pub const WRAPPED_BYTES_MIN: usize = 16;

fn wrapping_key(key: &[u8]) -> Result<AesKek, OpenError> {
    let cipher = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return Err(OpenError),
    };
    AesKek::new(cipher, key).map_err(|_| OpenError)
}

/// Wraps a key with an AES key of 16 or 32 bytes.
pub fn wrap(wrapping: &[u8], key: &[u8]) -> Result<Vec<u8>, OpenError> {
    if key.is_empty() || key.len() > WRAPPED_BYTES_MAX {
        return Err(OpenError);
    }
    let mut output = vec![0; key.len().next_multiple_of(8) + 8];
    let length = wrapping_key(wrapping)?.wrap_with_padding(key, &mut output).map_err(|_| OpenError)?.len();
    output.truncate(length);
    Ok(output)
}

/// Unwraps a key. Changed bytes, a wrong wrapping key and bytes that are no wrapping are not told apart.
pub fn unwrap(wrapping: &[u8], wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
    if wrapped.len() < WRAPPED_BYTES_MIN || wrapped.len() > WRAPPED_BYTES_MAX {
        return Err(OpenError);
    }
    let mut output = Zeroizing::new(vec![0; wrapped.len()]);
    let length = wrapping_key(wrapping)?.unwrap_with_padding(wrapped, &mut output).map_err(|_| OpenError)?.len();
    output.truncate(length);
    Ok(output)
}
