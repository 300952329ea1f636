//! Authenticated encryption with a cipher of the client's choice: AES-GCM with keys of 128 and 256 bits (NIST SP 800-38D),
//! ChaCha20-Poly1305 (RFC 8439) and XChaCha20-Poly1305 (draft-irtf-cfrg-xchacha-03).
//!
//! No function takes a nonce (S79). A nonce is random, or, where equal messages shall have equal ciphertexts, the beginning of
//! HMAC-SHA-256 over the message with a key of its own: then a nonce repeats only with its message.

use crate::{MacKey, OpenError, Randomness};
use aws_lc_rs::aead::{AES_128_GCM, AES_256_GCM, Aad, Algorithm, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use chacha20poly1305::aead::{Aead, Payload};
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use std::fmt;
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

const TAG_LENGTH: usize = 16;

/// A cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher {
    /// AES-128-GCM.
    Aes128Gcm,
    /// AES-256-GCM.
    Aes256Gcm,
    /// ChaCha20-Poly1305.
    ChaCha20Poly1305,
    /// XChaCha20-Poly1305.
    XChaCha20Poly1305,
}

impl Cipher {
    /// Bytes of a key.
    pub const fn key_length(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            _ => 32,
        }
    }

    /// Bytes of a nonce.
    pub const fn nonce_length(self) -> usize {
        match self {
            Self::XChaCha20Poly1305 => 24,
            _ => 12,
        }
    }

    const fn algorithm(self) -> Option<&'static Algorithm> {
        match self {
            Self::Aes128Gcm => Some(&AES_128_GCM),
            Self::Aes256Gcm => Some(&AES_256_GCM),
            Self::ChaCha20Poly1305 => Some(&CHACHA20_POLY1305),
            Self::XChaCha20Poly1305 => None,
        }
    }
}

/// A key has not the length that its cipher wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a key of the wrong length")]
pub struct KeyLength;

/// How a nonce is chosen.
pub enum Nonces<'a> {
    /// At random. A key then must not seal more than 2^32 messages (SP 800-38D section 8.3), but for XChaCha.
    Random(&'a mut dyn Randomness),
    /// From the message, with this key: equal messages have equal ciphertexts.
    OfMessage(&'a MacKey),
}

/// A prepared key, wiped when it is dropped.
pub struct CipherKey {
    cipher: Cipher,
    key: Prepared,
}

enum Prepared {
    Fast(LessSafeKey),
    Extended(Box<XChaCha20Poly1305>),
}

impl CipherKey {
    /// Prepares a key.
    pub fn new(cipher: Cipher, key: &[u8]) -> Result<Self, KeyLength> {
        if key.len() != cipher.key_length() {
            return Err(KeyLength);
        }
        let key = match cipher.algorithm() {
            Some(algorithm) => {
                Prepared::Fast(LessSafeKey::new(UnboundKey::new(algorithm, key).map_err(|_| KeyLength)?))
            }
            None => Prepared::Extended(Box::new(XChaCha20Poly1305::new_from_slice(key).map_err(|_| KeyLength)?)),
        };
        Ok(Self { cipher, key })
    }

    /// Encrypts a message and binds it to `associated`. The result is nonce, ciphertext, tag.
    pub fn seal(&self, nonces: Nonces<'_>, associated: &[u8], message: &[u8]) -> Vec<u8> {
        let length = self.cipher.nonce_length();
        // Reserved whole, before the message is copied in: growing later would leave a copy of it behind.
        let mut sealed = Vec::with_capacity(length + message.len() + TAG_LENGTH);
        match nonces {
            Nonces::Random(randomness) => {
                sealed.resize(length, 0);
                randomness.fill(&mut sealed);
            }
            Nonces::OfMessage(key) => sealed.extend(key.mac(&[message]).into_iter().take(length)),
        }
        self.seal_after(&mut sealed, associated, message);
        sealed
    }

    fn seal_after(&self, sealed: &mut Vec<u8>, associated: &[u8], message: &[u8]) {
        match &self.key {
            Prepared::Fast(key) => {
                let nonce = sealed.first_chunk().copied().expect("the nonce was just written");
                let begin = sealed.len();
                sealed.extend_from_slice(message);
                let message = sealed.get_mut(begin..).expect("the buffer was this long before it grew");
                let nonce = Nonce::assume_unique_for_key(nonce);
                let tag = key
                    .seal_in_place_separate_tag(nonce, Aad::from(associated), message)
                    .expect("a message in memory is below the 64 GiB that these ciphers allow");
                sealed.extend_from_slice(tag.as_ref());
            }
            Prepared::Extended(key) => {
                let nonce = XNonce::try_from(sealed.as_slice()).expect("the nonce was just written");
                let made = key
                    .encrypt(&nonce, Payload { msg: message, aad: associated })
                    .expect("a message in memory is below the 256 GiB that the cipher allows");
                sealed.extend_from_slice(&made);
            }
        }
    }

    /// Decrypts what [`CipherKey::seal`] made with the same key and associated data.
    pub fn open(&self, associated: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, OpenError> {
        let (nonce, rest) = sealed.split_at_checked(self.cipher.nonce_length()).ok_or(OpenError)?;
        match &self.key {
            Prepared::Fast(key) => {
                let (ciphertext, tag) = rest.split_last_chunk::<TAG_LENGTH>().ok_or(OpenError)?;
                let mut message = Zeroizing::new(vec![0; ciphertext.len()]);
                let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| OpenError)?;
                key.open_separate_gather(nonce, Aad::from(associated), ciphertext, tag, message.as_mut_slice())
                    .map_err(|_| OpenError)?;
                Ok(message)
            }
            Prepared::Extended(key) => {
                let nonce = XNonce::try_from(nonce).map_err(|_| OpenError)?;
                let opened = key.decrypt(&nonce, Payload { msg: rest, aad: associated });
                opened.map(Zeroizing::new).map_err(|_| OpenError)
            }
        }
    }
}

impl fmt::Debug for CipherKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "CipherKey({:?}, …)", self.cipher)
    }
}
