//! Authenticated encryption: AES-256-GCM (FIPS 197, NIST SP 800-38D) with random 96-bit nonces.
//!
//! No function takes a nonce. With random nonces a key must not seal more than 2^32 messages (SP 800-38D section 8.3);
//! the barrier changes its keys before that.

use crate::{RandomBytes, Randomness};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// Length of a key in bytes.
pub const KEY_LENGTH: usize = 32;
const NONCE_LENGTH: usize = 12;
const TAG_LENGTH: usize = 16;
/// How much longer a sealed message is than its plaintext, in bytes: nonce and tag.
pub const OVERHEAD: usize = NONCE_LENGTH + TAG_LENGTH;

/// The bytes do not open: wrong key, wrong associated data, or changed or cut bytes. Which of them is not told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ciphertext does not open")]
pub struct OpenError;

/// A prepared AES-256-GCM key. Its schedule is computed once; AWS-LC wipes it when it is dropped.
pub struct DataKey(LessSafeKey);

impl DataKey {
    /// Prepares a key.
    pub fn new(key: &[u8; KEY_LENGTH]) -> Self {
        let unbound = UnboundKey::new(&AES_256_GCM, key).expect("an AES-256 key has 32 bytes");
        Self(LessSafeKey::new(unbound))
    }

    /// Encrypts `plaintext` and binds it to `associated`, which has to be the same at [`DataKey::open`]. The result is
    /// nonce, ciphertext, tag.
    pub fn seal(&self, randomness: &mut dyn Randomness, associated: &[u8], plaintext: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::new();
        self.seal_onto(randomness, associated, plaintext, &mut sealed);
        sealed
    }

    /// Like [`DataKey::seal`], but appends to `output`, which may hold a header already.
    pub fn seal_onto(
        &self,
        randomness: &mut dyn Randomness,
        associated: &[u8],
        plaintext: &[u8],
        output: &mut Vec<u8>,
    ) {
        let nonce: [u8; NONCE_LENGTH] = randomness.bytes();
        // Once, before the plaintext is copied in: growing later would leave a copy of it behind.
        output.reserve(plaintext.len() + OVERHEAD);
        output.extend_from_slice(&nonce);
        let begin = output.len();
        output.extend_from_slice(plaintext);
        let message = output.get_mut(begin..).expect("the buffer was this long before it grew");
        let tag = self
            .0
            .seal_in_place_separate_tag(Nonce::assume_unique_for_key(nonce), Aad::from(associated), message)
            .expect("a message in memory is below the 64 GiB that GCM allows");
        output.extend_from_slice(tag.as_ref());
    }

    /// Decrypts what [`DataKey::seal`] made with the same key and associated data.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE_LENGTH>().ok_or(OpenError)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG_LENGTH>().ok_or(OpenError)?;
        let mut plaintext = Zeroizing::new(vec![0; ciphertext.len()]);
        self.0
            .open_separate_gather(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(associated),
                ciphertext,
                tag,
                plaintext.as_mut_slice(),
            )
            .map_err(|_| OpenError)?;
        Ok(plaintext)
    }
}

impl fmt::Debug for DataKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("DataKey(…)")
    }
}
