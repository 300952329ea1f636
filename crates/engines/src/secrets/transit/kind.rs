//! The types of keys, and what each can do.

use engine::crypto::cipher::Cipher;
use engine::crypto::keypair::{Curve, PairKind};

/// The type of a key, by the name that clients know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) enum KeyType {
    #[serde(rename = "aes128-gcm96")]
    Aes128,
    #[serde(rename = "aes256-gcm96")]
    Aes256,
    #[serde(rename = "chacha20-poly1305")]
    ChaCha20,
    #[serde(rename = "xchacha20-poly1305")]
    XChaCha20,
    #[serde(rename = "ed25519")]
    Ed25519,
    #[serde(rename = "ecdsa-p256")]
    EcdsaP256,
    #[serde(rename = "ecdsa-p384")]
    EcdsaP384,
    #[serde(rename = "ecdsa-p521")]
    EcdsaP521,
    #[serde(rename = "rsa-2048")]
    Rsa2048,
    #[serde(rename = "rsa-3072")]
    Rsa3072,
    #[serde(rename = "rsa-4096")]
    Rsa4096,
    #[serde(rename = "hmac")]
    Hmac,
}

/// Each with its name and its number in backups.
const ALL: [(KeyType, &str, i64); 12] = [
    (KeyType::Aes256, "aes256-gcm96", 0),
    (KeyType::EcdsaP256, "ecdsa-p256", 1),
    (KeyType::Ed25519, "ed25519", 2),
    (KeyType::Rsa2048, "rsa-2048", 3),
    (KeyType::Rsa4096, "rsa-4096", 4),
    (KeyType::ChaCha20, "chacha20-poly1305", 5),
    (KeyType::EcdsaP384, "ecdsa-p384", 6),
    (KeyType::EcdsaP521, "ecdsa-p521", 7),
    (KeyType::Aes128, "aes128-gcm96", 8),
    (KeyType::Rsa3072, "rsa-3072", 9),
    (KeyType::Hmac, "hmac", 10),
    (KeyType::XChaCha20, "xchacha20-poly1305", 11),
];

impl KeyType {
    /// The type of a name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        ALL.into_iter().find(|(_, known, _)| *known == name).map(|(kind, ..)| kind)
    }

    /// The type of a number in a backup.
    pub(super) fn by_number(number: i64) -> Option<Self> {
        ALL.into_iter().find(|(.., known)| *known == number).map(|(kind, ..)| kind)
    }

    /// Its name.
    pub(super) fn name(self) -> &'static str {
        ALL.into_iter().find(|(kind, ..)| *kind == self).map_or("", |(_, name, _)| name)
    }

    /// Its number in backups.
    pub(super) fn number(self) -> i64 {
        ALL.into_iter().find(|(kind, ..)| *kind == self).map_or(0, |(.., number)| number)
    }

    /// The cipher of a symmetric key.
    pub(super) fn cipher(self) -> Option<Cipher> {
        match self {
            Self::Aes128 => Some(Cipher::Aes128Gcm),
            Self::Aes256 => Some(Cipher::Aes256Gcm),
            Self::ChaCha20 => Some(Cipher::ChaCha20Poly1305),
            Self::XChaCha20 => Some(Cipher::XChaCha20Poly1305),
            _ => None,
        }
    }

    /// The kind of a key pair.
    pub(super) fn pair(self) -> Option<PairKind> {
        match self {
            Self::Ed25519 => Some(PairKind::Ed25519),
            Self::EcdsaP256 => Some(PairKind::Curve(Curve::P256)),
            Self::EcdsaP384 => Some(PairKind::Curve(Curve::P384)),
            Self::EcdsaP521 => Some(PairKind::Curve(Curve::P521)),
            Self::Rsa2048 => Some(PairKind::Rsa(2048)),
            Self::Rsa3072 => Some(PairKind::Rsa(3072)),
            Self::Rsa4096 => Some(PairKind::Rsa(4096)),
            _ => None,
        }
    }

    /// Whether it is RSA.
    pub(super) fn is_rsa(self) -> bool {
        matches!(self.pair(), Some(PairKind::Rsa(_)))
    }

    /// Whether it encrypts and decrypts.
    pub(super) fn encrypts(self) -> bool {
        self.cipher().is_some() || self.is_rsa()
    }

    /// Whether it signs and verifies.
    pub(super) fn signs(self) -> bool {
        self.pair().is_some()
    }

    /// Whether a key of its own can be derived for each context.
    pub(super) fn derives(self) -> bool {
        self.cipher().is_some() || self == Self::Ed25519
    }
}
