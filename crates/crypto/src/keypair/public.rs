//! The public half of a key pair.

use super::curve::{self, Curve, CurvePublic};
use super::edwards::{self, EdwardsPublic};
use super::rsa::{self, Padding, RsaPublic};
use super::{Encoding, Input, KeyPairError, PairKind};
use crate::Randomness;
use crate::hash::Hash;
use ::rsa::pkcs8::spki::SubjectPublicKeyInfoRef;

/// A public key.
#[derive(Clone)]
pub struct PublicKey(pub(super) Public);

#[derive(Clone)]
pub(super) enum Public {
    Rsa(RsaPublic),
    Curve(CurvePublic),
    Edwards(EdwardsPublic),
}

impl PublicKey {
    /// Reads SubjectPublicKeyInfo in DER.
    pub fn from_spki(encoded: &[u8]) -> Result<Self, KeyPairError> {
        let info = SubjectPublicKeyInfoRef::try_from(encoded).map_err(|_| KeyPairError::Format)?;
        let bytes = info.subject_public_key.as_bytes().ok_or(KeyPairError::Format)?;
        Ok(Self(match info.algorithm.oid.as_bytes() {
            rsa::OBJECT_IDENTIFIER => Public::Rsa(RsaPublic::from_spki(encoded)?),
            curve::OBJECT_IDENTIFIER => {
                let curve = info.algorithm.parameters_oid().map_err(|_| KeyPairError::Format)?;
                let curve = Curve::by_identifier(curve.as_bytes()).ok_or(KeyPairError::Format)?;
                Public::Curve(CurvePublic::from_point(curve, bytes)?)
            }
            edwards::OBJECT_IDENTIFIER => Public::Edwards(EdwardsPublic::from_bytes(bytes)?),
            _ => return Err(KeyPairError::Format),
        }))
    }

    /// The RSA key of modulus and exponent, big-endian.
    pub fn from_rsa_numbers(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyPairError> {
        RsaPublic::from_numbers(modulus, exponent).map(|key| Self(Public::Rsa(key)))
    }

    /// The Ed25519 key of its 32 bytes.
    pub fn from_ed25519_bytes(bytes: &[u8]) -> Result<Self, KeyPairError> {
        EdwardsPublic::from_bytes(bytes).map(|key| Self(Public::Edwards(key)))
    }

    /// Modulus and exponent of an RSA key.
    pub fn rsa_numbers(&self) -> Option<(Vec<u8>, Vec<u8>)> {
        match &self.0 {
            Public::Rsa(key) => Some(key.numbers()),
            _ => None,
        }
    }

    /// Both coordinates of a key on a curve, each as wide as the field.
    pub fn coordinates(&self) -> Option<(&[u8], &[u8])> {
        match &self.0 {
            Public::Curve(key) => Some(key.coordinates()),
            _ => None,
        }
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn to_spki(&self) -> Result<Vec<u8>, KeyPairError> {
        match &self.0 {
            Public::Rsa(key) => key.to_spki(),
            Public::Curve(key) => Ok(key.to_spki()),
            Public::Edwards(key) => Ok(key.to_spki()),
        }
    }

    /// The bytes of an Ed25519 key.
    pub fn ed25519_bytes(&self) -> Option<[u8; 32]> {
        match &self.0 {
            Public::Edwards(key) => Some(key.bytes()),
            _ => None,
        }
    }

    /// Its kind.
    pub fn kind(&self) -> PairKind {
        match &self.0 {
            Public::Rsa(key) => PairKind::Rsa(key.bits()),
            Public::Curve(key) => PairKind::Curve(key.curve()),
            Public::Edwards(_) => PairKind::Ed25519,
        }
    }

    /// Checks what [`PrivateKey::sign_rsa`] made. A salt of automatic length is found out.
    pub fn verify_rsa(
        &self,
        padding: Padding,
        hash: Option<Hash>,
        input: Input<'_>,
        signature: &[u8],
    ) -> Result<bool, KeyPairError> {
        match &self.0 {
            Public::Rsa(key) => key.verify(padding, hash, input, signature),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Checks what [`PrivateKey::sign_ecdsa`] made.
    pub fn verify_ecdsa(
        &self,
        hash: Hash,
        input: Input<'_>,
        encoding: Encoding,
        signature: &[u8],
    ) -> Result<bool, KeyPairError> {
        match &self.0 {
            Public::Curve(key) => key.verify(hash, input, encoding, signature),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Checks what [`PrivateKey::sign_ed25519`] made.
    pub fn verify_ed25519(&self, message: &[u8], signature: &[u8]) -> Result<bool, KeyPairError> {
        match &self.0 {
            Public::Edwards(key) => Ok(key.verify(message, signature)),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Encrypts by RSAES-OAEP, with the same hash for MGF1 and no label.
    pub fn encrypt_oaep(
        &self,
        hash: Hash,
        message: &[u8],
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        match &self.0 {
            Public::Rsa(key) => key.encrypt(hash, message, randomness),
            _ => Err(KeyPairError::Mismatch),
        }
    }
}
