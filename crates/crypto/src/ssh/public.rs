//! Public keys.

use crate::{digest, hex};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve};

/// Longest text of a key that is read, in bytes: a key of RSA with 16384 bits has a sixth of that.
pub const KEY_TEXT_BYTES_MAX: usize = 16 * 1024;

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(pub(super) ssh_key::PublicKey);

impl PublicKey {
    /// Reads a line of `authorized_keys` without options. `None` if it is none, or a certificate, or of an algorithm that
    /// is not in use any more (DSA) or not known.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > KEY_TEXT_BYTES_MAX {
            return None;
        }
        let key = ssh_key::PublicKey::from_openssh(text.trim()).ok()?;
        let known = matches!(
            key.key_data(),
            KeyData::Rsa(_)
                | KeyData::Ecdsa(_)
                | KeyData::Ed25519(_)
                | KeyData::SkEcdsaSha2NistP256(_)
                | KeyData::SkEd25519(_)
        );
        known.then_some(Self(key))
    }

    pub(super) fn of(key: KeyData) -> Self {
        Self(ssh_key::PublicKey::new(key, ""))
    }

    /// Its line, with its comment.
    pub fn to_line(&self) -> String {
        self.0.to_openssh().unwrap_or_default()
    }

    /// Its algorithm as OpenSSH names it, such as `ssh-ed25519`.
    pub fn algorithm(&self) -> String {
        self.0.algorithm().as_str().to_owned()
    }

    /// Its family: `rsa`, `ec` or `ed25519`, those in hardware included.
    pub fn family(&self) -> &'static str {
        match self.0.key_data() {
            KeyData::Rsa(_) => "rsa",
            KeyData::Ecdsa(_) | KeyData::SkEcdsaSha2NistP256(_) => "ec",
            _ => "ed25519",
        }
    }

    /// Bits of its modulus or of its curve's field.
    pub fn bits(&self) -> u32 {
        match self.0.key_data() {
            KeyData::Rsa(key) => key.key_size(),
            _ => match self.0.algorithm() {
                Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 } => 384,
                Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 } => 521,
                _ => 256,
            },
        }
    }

    /// SHA-256 of the key, in hex.
    pub fn fingerprint(&self) -> String {
        hex(&digest::sha256(&[&self.0.to_bytes().unwrap_or_default()]))
    }

    /// Whether it is the same key, whatever the comments.
    pub fn same_key(&self, other: &Self) -> bool {
        self.0.key_data() == other.0.key_data()
    }
}
