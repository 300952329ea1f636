//! Signatures as JSON Web Signatures have them: RSASSA-PKCS1-v1_5 (RFC 8017 section 8.2) and ECDSA (FIPS 186-5) with
//! SHA-2 as RFC 7518 sections 3.3 and 3.4 say, Ed25519 (RFC 8032) as RFC 8037 says.
//!
//! Keys of elliptic curves are made from the caller's randomness. AWS-LC takes none from outside for RSA keys and for
//! the nonces of ECDSA; these it draws from its own generator.

use crate::elements::{der, undo_der};
use crate::{Randomness, Secret};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey, VerificationAlgorithm,
};
use std::fmt;
use zeroize::Zeroizing;

mod pem;
#[cfg(test)]
mod tests;

/// Draws of a number below a curve's order; one in 2^32 fails at worst.
const SCALAR_DRAWS_MAX: usize = 64;

/// Why there is no key. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SigningError {
    /// Not a private key of the algorithm.
    #[error("private key is not one of its algorithm")]
    Format,
    /// The library made no key.
    #[error("key could not be made")]
    Generation,
}

/// A signature algorithm by its JWS name (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SigningAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

impl SigningAlgorithm {
    /// All of them, in the order in which they are told to clients.
    pub const ALL: [Self; 7] =
        [Self::Rs256, Self::Rs384, Self::Rs512, Self::Es256, Self::Es384, Self::Es512, Self::EdDsa];

    /// The JWS name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Rs384 => "RS384",
            Self::Rs512 => "RS512",
            Self::Es256 => "ES256",
            Self::Es384 => "ES384",
            Self::Es512 => "ES512",
            Self::EdDsa => "EdDSA",
        }
    }

    /// Reads the JWS name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.name() == name)
    }

    fn verification(self) -> &'static dyn VerificationAlgorithm {
        match self {
            Self::Rs256 => &signature::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &signature::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &signature::RSA_PKCS1_2048_8192_SHA512,
            Self::Es256 => &signature::ECDSA_P256_SHA256_FIXED,
            Self::Es384 => &signature::ECDSA_P384_SHA384_FIXED,
            Self::Es512 => &signature::ECDSA_P521_SHA512_FIXED,
            Self::EdDsa => &signature::ED25519,
        }
    }

    fn curve(self) -> Option<Curve> {
        match self {
            Self::Es256 => Some(P256),
            Self::Es384 => Some(P384),
            Self::Es512 => Some(P521),
            _ => None,
        }
    }
}

/// What is needed to make a key on a curve of SEC 2.
pub(crate) struct Curve {
    pub(crate) signing: &'static EcdsaSigningAlgorithm,
    /// Object identifier, in DER.
    pub(crate) identifier: &'static [u8],
    /// Bytes of a coordinate and of a private key.
    pub(crate) width: usize,
    /// What of a private key's first byte may be set.
    pub(crate) first_byte: u8,
}

pub(crate) const P256: Curve = Curve {
    signing: &ECDSA_P256_SHA256_FIXED_SIGNING,
    identifier: &[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
    width: 32,
    first_byte: 0xff,
};
pub(crate) const P384: Curve = Curve {
    signing: &ECDSA_P384_SHA384_FIXED_SIGNING,
    identifier: &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22],
    width: 48,
    first_byte: 0xff,
};
pub(crate) const P521: Curve = Curve {
    signing: &ECDSA_P521_SHA512_FIXED_SIGNING,
    identifier: &[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23],
    width: 66,
    first_byte: 0x01,
};

/// A private key with its algorithm. AWS-LC wipes it when it is dropped.
pub struct SigningKey {
    algorithm: SigningAlgorithm,
    pair: Pair,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a key; one of RSA has 2048 bits and costs some hundred milliseconds.
    pub fn generate(algorithm: SigningAlgorithm, randomness: &mut dyn Randomness) -> Result<Self, SigningError> {
        let pair = match algorithm.curve() {
            Some(curve) => Pair::Curve(generate_on(&curve, randomness)?),
            None if algorithm == SigningAlgorithm::EdDsa => {
                let mut seed = Zeroizing::new([0; 32]);
                randomness.fill(seed.as_mut());
                Pair::Edwards(Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| SigningError::Generation)?)
            }
            None => Pair::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).map_err(|_| SigningError::Generation)?),
        };
        Ok(Self { algorithm, pair })
    }

    /// Reads what [`SigningKey::to_pkcs8`] wrote.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, SigningError> {
        let pair = match algorithm.curve() {
            Some(curve) => {
                Pair::Curve(EcdsaKeyPair::from_pkcs8(curve.signing, pkcs8).map_err(|_| SigningError::Format)?)
            }
            None if algorithm == SigningAlgorithm::EdDsa => {
                Pair::Edwards(Ed25519KeyPair::from_pkcs8_maybe_unchecked(pkcs8).map_err(|_| SigningError::Format)?)
            }
            None => Pair::Rsa(rsa::KeyPair::from_pkcs8(pkcs8).map_err(|_| SigningError::Format)?),
        };
        Ok(Self { algorithm, pair })
    }

    /// The private key as PKCS #8 (RFC 5208).
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, SigningError> {
        let made = match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| Secret::bytes(der.as_ref())),
            Pair::Curve(pair) => pair.to_pkcs8v1().map(|document| Secret::bytes(document.as_ref())),
            Pair::Edwards(pair) => pair.to_pkcs8v1().map(|document| Secret::bytes(document.as_ref())),
        };
        made.map_err(|_| SigningError::Format)
    }

    /// Its algorithm.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The signature of a message, in the form that JWS has: of ECDSA the two numbers one after the other.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let unspecified = |_| SigningError::Generation;
        match &self.pair {
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match self.algorithm {
                    SigningAlgorithm::Rs384 => &signature::RSA_PKCS1_SHA384,
                    SigningAlgorithm::Rs512 => &signature::RSA_PKCS1_SHA512,
                    _ => &signature::RSA_PKCS1_SHA256,
                };
                let mut output = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &SystemRandom::new(), message, &mut output).map_err(unspecified)?;
                Ok(output)
            }
            Pair::Curve(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|made| made.as_ref().to_vec()).map_err(unspecified)
            }
            Pair::Edwards(pair) => pair.try_sign(message).map(|made| made.as_ref().to_vec()).map_err(unspecified),
        }
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, SigningError> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let (modulus, exponent) = rsa_numbers(pair.public_key().as_ref()).ok_or(SigningError::Format)?;
                Ok(PublicKey::Rsa { modulus, exponent })
            }
            Pair::Curve(pair) => {
                // SEC 1 section 2.3.3: 4, then both coordinates.
                let (x, y) = match pair.public_key().as_ref() {
                    [0x04, numbers @ ..] => numbers.split_at(numbers.len() / 2),
                    _ => return Err(SigningError::Format),
                };
                Ok(PublicKey::Curve { x: x.to_vec(), y: y.to_vec() })
            }
            Pair::Edwards(pair) => Ok(PublicKey::Edwards { x: pair.public_key().as_ref().to_vec() }),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({}, …)", self.algorithm.name())
    }
}

/// The numbers of a public key, big-endian, as a JSON Web Key shows them (RFC 7518 section 6, RFC 8037 section 2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PublicKey {
    /// `n` and `e`.
    Rsa {
        /// Modulus.
        modulus: Vec<u8>,
        /// Exponent.
        exponent: Vec<u8>,
    },
    /// `x` and `y`, each as wide as the curve's field.
    Curve {
        /// First coordinate.
        x: Vec<u8>,
        /// Second coordinate.
        y: Vec<u8>,
    },
    /// `x`.
    Edwards {
        /// The encoded point.
        x: Vec<u8>,
    },
}

impl PublicKey {
    /// Whether a signature is one of the message under this key; a key of another kind than the algorithm's verifies
    /// nothing.
    pub fn verify(&self, algorithm: SigningAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        let rsa = matches!(algorithm, SigningAlgorithm::Rs256 | SigningAlgorithm::Rs384 | SigningAlgorithm::Rs512);
        let encoded = match self {
            Self::Rsa { modulus, exponent } if rsa => rsa_public_key(modulus, exponent),
            Self::Curve { x, y } if algorithm.curve().is_some_and(|curve| curve.width == x.len()) => {
                [&[0x04], x.as_slice(), y.as_slice()].concat()
            }
            Self::Edwards { x } if algorithm == SigningAlgorithm::EdDsa => x.clone(),
            _ => return false,
        };
        UnparsedPublicKey::new(algorithm.verification(), encoded).verify(message, signature).is_ok()
    }
}

/// A key from the caller's randomness, by way of its RFC 5915 encoding: numbers that are no private key of the curve
/// are drawn again (FIPS 186-5 appendix A.2.2).
pub(crate) fn generate_on(curve: &Curve, randomness: &mut dyn Randomness) -> Result<EcdsaKeyPair, SigningError> {
    let mut number = Zeroizing::new(vec![0; curve.width]);
    for _ in 0..SCALAR_DRAWS_MAX {
        randomness.fill(&mut number);
        if let Some(first) = number.first_mut() {
            *first &= curve.first_byte;
        }
        let number = Zeroizing::new(der(0x04, &number));
        let fields = Zeroizing::new([&[0x02, 0x01, 0x01], number.as_slice(), &der(0xa0, curve.identifier)].concat());
        let encoded = Zeroizing::new(der(0x30, &fields));
        if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve.signing, &encoded) {
            return Ok(pair);
        }
    }
    Err(SigningError::Generation)
}

/// Modulus and exponent of an `RSAPublicKey` (RFC 8017 appendix A.1.1), without leading zeros.
fn rsa_numbers(encoded: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (fields, _) = undo_der(0x30, encoded)?;
    let (modulus, rest) = undo_der(0x02, fields)?;
    let (exponent, _) = undo_der(0x02, rest)?;
    let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect();
    Some((bare(modulus), bare(exponent)))
}

/// The `RSAPublicKey` of two numbers.
fn rsa_public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    let number = |bytes: &[u8]| der(0x02, &[&[0], bytes].concat());
    // A leading zero byte only where the first bit would make the number negative.
    let number =
        |bytes: &[u8]| if bytes.first().is_some_and(|byte| *byte >= 0x80) { number(bytes) } else { der(0x02, bytes) };
    der(0x30, &[number(modulus), number(exponent)].concat())
}
