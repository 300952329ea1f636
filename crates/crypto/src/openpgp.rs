//! OpenPGP encryption (RFC 9580) of small secrets to people's public keys. Under construction: no key is accepted yet.

use crate::Randomness;

/// Why a key is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenPgpError {
    /// Not a key that can be encrypted to.
    #[error("not an OpenPGP public key that can be encrypted to")]
    Key,
}

/// A public key that a message can be encrypted to.
#[derive(Clone, Debug)]
pub struct Recipient {
    fingerprint: String,
}

impl Recipient {
    /// Reads a public key: base64 of the binary form, or ASCII armor.
    pub fn parse(_text: &str) -> Result<Self, OpenPgpError> {
        Err(OpenPgpError::Key)
    }

    /// The fingerprint of the primary key in lower-case hex.
    pub fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    /// Encrypts to a binary OpenPGP message.
    pub fn encrypt(&self, _randomness: &mut dyn Randomness, _plaintext: &[u8]) -> Result<Vec<u8>, OpenPgpError> {
        Err(OpenPgpError::Key)
    }
}
