//! OpenPGP encryption (RFC 9580) of small secrets to people's public keys: what `pgp_keys` of init and rekey asks for.
//!
//! Only encryption is here, over AWS-LC. Keys are of version 4 with RSA (2048 bits and more), ECDH over Curve25519,
//! P-256, P-384 or P-521; messages are a public-key encrypted session key and AES-256 with integrity protection
//! (SEIPD version 1), which every implementation reads. A subkey counts only if the primary key, whose fingerprint is
//! shown, signed it. Expiry is not looked at: who gives the key wants it used now.

mod certificate;
mod message;
mod packet;

use crate::Randomness;
use certificate::EncryptionKey;
use std::fmt;

#[cfg(test)]
mod tests;

/// The longest public key that is read, in bytes of text.
pub const KEY_TEXT_BYTES_MAX: usize = 256 * 1024;

/// Why a key is refused, or a message cannot be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenPgpError {
    /// Neither base64 nor armor of OpenPGP packets.
    #[error("not an OpenPGP public key")]
    Format,
    /// No key in it that is of a known kind, meant for encryption, signed by the primary key and not revoked.
    #[error("OpenPGP key has no usable encryption key")]
    Unusable,
    /// The key's numbers are not a key.
    #[error("message cannot be encrypted to this OpenPGP key")]
    Encryption,
}

/// A public key that a message can be encrypted to.
#[derive(Clone)]
pub struct Recipient {
    fingerprint: String,
    key: EncryptionKey,
}

impl Recipient {
    /// Reads a public key: base64 of the binary form, or ASCII armor.
    pub fn parse(text: &str) -> Result<Self, OpenPgpError> {
        if text.len() > KEY_TEXT_BYTES_MAX {
            return Err(OpenPgpError::Format);
        }
        let bytes = packet::decode_text(text).ok_or(OpenPgpError::Format)?;
        let packets = packet::split(&bytes).ok_or(OpenPgpError::Format)?;
        let (primary, key) = certificate::encryption_key(&packets)?;
        let fingerprint = primary.iter().map(|byte| format!("{byte:02x}")).collect();
        Ok(Self { fingerprint, key })
    }

    /// The fingerprint of the primary key in lower-case hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Encrypts to a binary OpenPGP message. RSA padding is drawn from AWS-LC's own generator, all else from
    /// `randomness`.
    pub fn encrypt(&self, randomness: &mut dyn Randomness, plaintext: &[u8]) -> Result<Vec<u8>, OpenPgpError> {
        message::encrypt(&self.key, randomness, plaintext).ok_or(OpenPgpError::Encryption)
    }
}

impl fmt::Debug for Recipient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Recipient({})", self.fingerprint)
    }
}
