//! Key pairs for signing, verifying, encrypting and agreeing on keys, with the hash and padding of the client's choice: RSA
//! (RFC 8017), ECDSA and ECDH on P-256, P-384 and P-521 (FIPS 186-5, SP 800-56A), Ed25519 (RFC 8032).
//!
//! What AWS-LC has, it does; combinations that its interface lacks (ECDSA over another hash than the curve's own, RSA with
//! SHA-1, SHA-3 or a salt of any length) are done by RustCrypto's crates, whose private operations are constant-time and,
//! for RSA, blinded. Private keys are PKCS #8 (RFC 5958) at rest, public ones SubjectPublicKeyInfo (RFC 5280).

mod curve;
mod edwards;
pub mod pem;
mod public;
mod rsa;
#[cfg(test)]
mod tests;

use crate::hash::Hash;
use crate::{Randomness, Secret};
use ::rsa::pkcs8::PrivateKeyInfoRef;
use curve::CurvePrivate;
use edwards::EdwardsPrivate;
use public::Public;
use rsa::RsaPrivate;
use std::fmt;

pub use curve::Curve;
pub use public::PublicKey;
pub use rsa::{Padding, RSA_BITS_MAX, RSA_BITS_MIN, RsaNumbers, Salt};

/// What went wrong with a key pair. None of it tells about the private key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyPairError {
    /// The bytes are no key that is known here.
    #[error("not a key of a known kind")]
    Format,
    /// A key could not be made.
    #[error("no key was made")]
    Generation,
    /// The input has not the length of the hash it is said to be of.
    #[error("input must be hashed with given hash")]
    HashLength,
    /// The message, or the salt, is too long for the key.
    #[error("too long for the key")]
    TooLong,
    /// The ciphertext does not open, whatever the reason.
    #[error("decryption error")]
    Decryption,
    /// The signature is not even shaped like one.
    #[error("supplied signature is invalid")]
    SignatureShape,
    /// The two keys are of different kinds, or cannot do this.
    #[error("keys do not fit")]
    Mismatch,
}

/// The kind of a key pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PairKind {
    /// RSA with a modulus of so many bits.
    Rsa(u32),
    /// On a curve of FIPS 186-5.
    Curve(Curve),
    /// Ed25519.
    Ed25519,
}

/// How a signature of ECDSA is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Two DER integers (RFC 3279 section 2.2.3).
    Asn1,
    /// Both numbers, each as wide as the field (RFC 7518 section 3.4).
    Fixed,
}

/// What is signed, or was.
#[derive(Clone, Copy)]
pub enum Input<'a> {
    /// A message.
    Message(&'a [u8]),
    /// A digest of a message.
    Digest(&'a [u8]),
}

impl Input<'_> {
    fn digest(&self, hash: Hash) -> Vec<u8> {
        match self {
            Self::Message(message) => hash.digest(message),
            Self::Digest(digest) => digest.to_vec(),
        }
    }
}

/// A private key.
pub struct PrivateKey(Private);

enum Private {
    Rsa(Box<RsaPrivate>),
    Curve(Box<CurvePrivate>),
    Edwards(EdwardsPrivate),
}

impl PrivateKey {
    /// Makes a key. RSA costs from some hundred milliseconds to seconds, and draws from AWS-LC's own generator.
    pub fn generate(kind: PairKind, randomness: &mut dyn Randomness) -> Result<Self, KeyPairError> {
        Ok(Self(match kind {
            PairKind::Rsa(bits) => Private::Rsa(Box::new(RsaPrivate::generate(bits)?)),
            PairKind::Curve(curve) => Private::Curve(Box::new(CurvePrivate::generate(curve, randomness)?)),
            PairKind::Ed25519 => {
                let mut seed = Secret::new([0; 32]);
                crate::keypair::edwards::fill(&mut seed, randomness);
                Private::Edwards(EdwardsPrivate::from_seed(seed.expose())?)
            }
        }))
    }

    /// The Ed25519 key of a seed.
    pub fn ed25519_from_seed(seed: &[u8]) -> Result<Self, KeyPairError> {
        let seed = seed.try_into().map_err(|_| KeyPairError::Format)?;
        EdwardsPrivate::from_seed(&seed).map(|key| Self(Private::Edwards(key)))
    }

    /// The RSA key of modulus, public and private exponent and two primes, big-endian.
    pub fn from_rsa_numbers(
        modulus: &[u8],
        exponent: &[u8],
        private: &[u8],
        primes: [&[u8]; 2],
    ) -> Result<Self, KeyPairError> {
        RsaPrivate::from_numbers(modulus, exponent, private, primes).map(|key| Self(Private::Rsa(Box::new(key))))
    }

    /// The numbers of an RSA key.
    pub fn rsa_numbers(&self) -> Result<RsaNumbers, KeyPairError> {
        match &self.0 {
            Private::Rsa(key) => key.numbers(),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// The key of a number on a curve, big-endian and as wide as the field.
    pub fn from_curve_number(curve: Curve, number: &[u8]) -> Result<Self, KeyPairError> {
        CurvePrivate::from_number(curve, number).map(|key| Self(Private::Curve(Box::new(key))))
    }

    /// The number of a key on a curve.
    pub fn curve_number(&self) -> Result<Secret<Vec<u8>>, KeyPairError> {
        match &self.0 {
            Private::Curve(key) => Ok(Secret::bytes(&key.number())),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Reads PKCS #8 in DER.
    pub fn from_pkcs8(encoded: &[u8]) -> Result<Self, KeyPairError> {
        let info = PrivateKeyInfoRef::try_from(encoded).map_err(|_| KeyPairError::Format)?;
        Ok(Self(match info.algorithm.oid.as_bytes() {
            rsa::OBJECT_IDENTIFIER => Private::Rsa(Box::new(RsaPrivate::from_pkcs8(encoded)?)),
            curve::OBJECT_IDENTIFIER => {
                let curve = info.algorithm.parameters_oid().map_err(|_| KeyPairError::Format)?;
                let curve = Curve::by_identifier(curve.as_bytes()).ok_or(KeyPairError::Format)?;
                Private::Curve(Box::new(CurvePrivate::from_pkcs8(curve, encoded)?))
            }
            edwards::OBJECT_IDENTIFIER => {
                let seed = info.private_key.as_bytes().strip_prefix(&[0x04, 0x20]).ok_or(KeyPairError::Format)?;
                let seed = seed.try_into().map_err(|_| KeyPairError::Format)?;
                Private::Edwards(EdwardsPrivate::from_seed(&seed)?)
            }
            _ => return Err(KeyPairError::Format),
        }))
    }

    /// PKCS #8 in DER.
    pub fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        match &self.0 {
            Private::Rsa(key) => key.to_pkcs8(),
            Private::Curve(key) => key.to_pkcs8(),
            Private::Edwards(key) => key.to_pkcs8(),
        }
    }

    /// The older form of a kind of its own, in PEM without a last line end: `RSA PRIVATE KEY` (RFC 8017) and
    /// `EC PRIVATE KEY` (RFC 5915). Ed25519 has none: its seed and public key, in this order, are its old form.
    pub fn to_old_form(&self) -> Result<OldForm, KeyPairError> {
        Ok(match &self.0 {
            Private::Rsa(key) => OldForm::Pem(pem::encode_secret("RSA PRIVATE KEY", key.to_pkcs1()?.expose())),
            Private::Curve(key) => OldForm::Pem(pem::encode_secret("EC PRIVATE KEY", key.to_sec1().expose())),
            Private::Edwards(key) => OldForm::Bytes(key.seed_and_public()),
        })
    }

    /// Its kind.
    pub fn kind(&self) -> PairKind {
        match &self.0 {
            Private::Rsa(key) => PairKind::Rsa(key.bits()),
            Private::Curve(key) => PairKind::Curve(key.curve()),
            Private::Edwards(_) => PairKind::Ed25519,
        }
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, KeyPairError> {
        Ok(PublicKey(match &self.0 {
            Private::Rsa(key) => Public::Rsa(key.public()?),
            Private::Curve(key) => Public::Curve(key.public()),
            Private::Edwards(key) => Public::Edwards(key.public()),
        }))
    }

    /// RSA signature (RFC 8017 section 8). Without a hash the padding is PKCS #1 v1.5 around the input as it is.
    pub fn sign_rsa(
        &self,
        padding: Padding,
        hash: Option<Hash>,
        input: Input<'_>,
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        match &self.0 {
            Private::Rsa(key) => key.sign(padding, hash, input, randomness),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// ECDSA signature (FIPS 186-5 section 6.4) over any hash; its nonce is drawn anew from key, digest and randomness.
    pub fn sign_ecdsa(
        &self,
        hash: Hash,
        input: Input<'_>,
        encoding: Encoding,
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        match &self.0 {
            Private::Curve(key) => key.sign(hash, input, encoding, randomness),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Ed25519 signature of a message.
    pub fn sign_ed25519(&self, message: &[u8]) -> Result<Vec<u8>, KeyPairError> {
        match &self.0 {
            Private::Edwards(key) => key.sign(message),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// Decrypts RSAES-OAEP (RFC 8017 section 7.1), with the same hash for MGF1 and no label.
    pub fn decrypt_oaep(
        &self,
        hash: Hash,
        ciphertext: &[u8],
        randomness: &mut dyn Randomness,
    ) -> Result<Secret<Vec<u8>>, KeyPairError> {
        match &self.0 {
            Private::Rsa(key) => key.decrypt(hash, ciphertext, randomness),
            _ => Err(KeyPairError::Mismatch),
        }
    }

    /// The shared secret of ECDH (SP 800-56A section 5.7.1.2): the first coordinate of the point.
    pub fn agree(&self, other: &PublicKey) -> Result<Secret<Vec<u8>>, KeyPairError> {
        match (&self.0, &other.0) {
            (Private::Curve(key), Public::Curve(other)) => key.agree(other),
            _ => Err(KeyPairError::Mismatch),
        }
    }
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "PrivateKey({:?}, …)", self.kind())
    }
}

/// The form of a private key that is older than PKCS #8.
pub enum OldForm {
    /// In PEM.
    Pem(Secret<String>),
    /// As bytes.
    Bytes(Secret<Vec<u8>>),
}
