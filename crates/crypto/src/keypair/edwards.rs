//! Ed25519 (RFC 8032, RFC 8410).

use super::KeyPairError;
use crate::elements::{self, BIT_STRING, IDENTIFIER, INTEGER, OCTET_STRING, SEQUENCE};
use crate::{Randomness, Secret};
use aws_lc_rs::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

/// id-Ed25519.
pub(super) const OBJECT_IDENTIFIER: &[u8] = &[0x2b, 0x65, 0x70];

pub(super) struct EdwardsPrivate {
    seed: Secret<[u8; 32]>,
    pair: Ed25519KeyPair,
}

/// Draws a seed.
pub(super) fn fill(seed: &mut Secret<[u8; 32]>, randomness: &mut dyn Randomness) {
    let mut drawn = [0; 32];
    randomness.fill(&mut drawn);
    *seed = Secret::new(drawn);
    zeroize::Zeroize::zeroize(&mut drawn);
}

impl EdwardsPrivate {
    pub(super) fn from_seed(seed: &[u8; 32]) -> Result<Self, KeyPairError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed).map_err(|_| KeyPairError::Format)?;
        Ok(Self { seed: Secret::new(*seed), pair })
    }

    pub(super) fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        let seed = Secret::new(elements::element(OCTET_STRING, &[self.seed.expose()]));
        let algorithm = elements::element(SEQUENCE, &[&elements::element(IDENTIFIER, &[OBJECT_IDENTIFIER])]);
        let key = Secret::new(elements::element(OCTET_STRING, &[seed.expose()]));
        Secret::new(elements::element(SEQUENCE, &[&elements::element(INTEGER, &[&[0]]), &algorithm, key.expose()]))
    }

    pub(super) fn seed_and_public(&self) -> Secret<Vec<u8>> {
        let mut both = Vec::with_capacity(64);
        both.extend_from_slice(self.seed.expose());
        both.extend_from_slice(self.pair.public_key().as_ref());
        Secret::new(both)
    }

    pub(super) fn public(&self) -> EdwardsPublic {
        let mut bytes = [0; 32];
        // A public key of Ed25519 has 32 bytes.
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        EdwardsPublic(bytes)
    }

    pub(super) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyPairError> {
        self.pair.try_sign(message).map(|made| made.as_ref().to_vec()).map_err(|_| KeyPairError::Generation)
    }
}

#[derive(Clone)]
pub(super) struct EdwardsPublic([u8; 32]);

impl EdwardsPublic {
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self, KeyPairError> {
        bytes.try_into().map(Self).map_err(|_| KeyPairError::Format)
    }

    pub(super) fn bytes(&self) -> [u8; 32] {
        self.0
    }

    pub(super) fn to_spki(&self) -> Vec<u8> {
        let algorithm = elements::element(SEQUENCE, &[&elements::element(IDENTIFIER, &[OBJECT_IDENTIFIER])]);
        elements::element(SEQUENCE, &[&algorithm, &elements::element(BIT_STRING, &[&[0], &self.0])])
    }

    pub(super) fn verify(&self, message: &[u8], signature: &[u8]) -> bool {
        UnparsedPublicKey::new(&ED25519, self.0).verify(message, signature).is_ok()
    }
}
