//! ECDSA and ECDH on the curves P-256, P-384 and P-521 (FIPS 186-5, SP 800-186), over any hash.

use super::{Encoding, Input, KeyPairError};
use crate::elements::{self, BIT_STRING, IDENTIFIER, INTEGER, OCTET_STRING, SEQUENCE};
use crate::hash::Hash;
use crate::{Randomness, Secret};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use ecdsa::{DigestAlgorithm, Signature, hazmat};
use p256::elliptic_curve::{FieldBytes, PublicKey, SecretKey};
use std::sync::OnceLock;
use zeroize::Zeroizing;

/// id-ecPublicKey.
pub(super) const OBJECT_IDENTIFIER: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
/// How often a private key is drawn. For each curve all but fewer than one in 2^32 draws hold.
const DRAWS_MAX: usize = 8;

/// A curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Curve {
    /// P-256.
    P256,
    /// P-384.
    P384,
    /// P-521.
    P521,
}

impl Curve {
    /// Its name in FIPS 186-5.
    pub const fn name(self) -> &'static str {
        match self {
            Self::P256 => "P-256",
            Self::P384 => "P-384",
            Self::P521 => "P-521",
        }
    }

    const fn identifier(self) -> &'static [u8] {
        match self {
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    pub(super) fn by_identifier(identifier: &[u8]) -> Option<Self> {
        [Self::P256, Self::P384, Self::P521].into_iter().find(|curve| curve.identifier() == identifier)
    }

    /// Bytes of a coordinate and of a private key.
    const fn width(self) -> usize {
        match self {
            Self::P256 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }

    /// What of a private key's first byte may be set.
    const fn first_byte(self) -> u8 {
        match self {
            Self::P256 | Self::P384 => 0xff,
            Self::P521 => 0x01,
        }
    }

    /// The number that a digest stands for (FIPS 186-5 section 6.4.1 step 2), as wide as the field: the leftmost bits of a
    /// long digest, and a short one as it is.
    fn number(self, digest: &[u8]) -> Vec<u8> {
        let width = self.width();
        let Some(leftmost) = digest.get(..width) else {
            let mut number = vec![0; width - digest.len()];
            number.extend_from_slice(digest);
            return number;
        };
        if self != Self::P521 {
            return leftmost.to_vec();
        }
        // 66 bytes are seven bits more than 521.
        let mut carried = 0_u8;
        let shifted = leftmost.iter().map(|byte| {
            let shifted = carried | (byte >> 7);
            carried = byte << 1;
            shifted
        });
        shifted.collect()
    }

    fn algorithm(self) -> Vec<u8> {
        let identifiers = [OBJECT_IDENTIFIER, self.identifier()].map(|bytes| elements::element(IDENTIFIER, &[bytes]));
        elements::element(SEQUENCE, &[&identifiers.concat()])
    }
}

enum Key {
    P256(SecretKey<p256::NistP256>),
    P384(SecretKey<p384::NistP384>),
    P521(SecretKey<p521::NistP521>),
}

/// Runs an expression with the key of whatever curve, and `$curve` standing for its type.
macro_rules! on_curve {
    ($enum:ident, $value:expr, $curve:ident, $key:ident => $work:expr) => {
        match $value {
            $enum::P256($key) => {
                type $curve = p256::NistP256;
                $work
            }
            $enum::P384($key) => {
                type $curve = p384::NistP384;
                $work
            }
            $enum::P521($key) => {
                type $curve = p521::NistP521;
                $work
            }
        }
    };
}

pub(super) struct CurvePrivate {
    curve: Curve,
    key: Key,
    /// The same key for AWS-LC, which signs P-256 over SHA-256 several times as fast.
    fast: [OnceLock<Option<EcdsaKeyPair>>; 2],
}

impl CurvePrivate {
    fn new(curve: Curve, key: Key) -> Self {
        Self { curve, key, fast: [OnceLock::new(), OnceLock::new()] }
    }

    /// Draws a key; numbers that are no private key of the curve are drawn again (FIPS 186-5 appendix A.2.2).
    pub(super) fn generate(curve: Curve, randomness: &mut dyn Randomness) -> Result<Self, KeyPairError> {
        let mut number = Zeroizing::new(vec![0; curve.width()]);
        for _ in 0..DRAWS_MAX {
            randomness.fill(&mut number);
            if let Some(first) = number.first_mut() {
                *first &= curve.first_byte();
            }
            if let Ok(made) = Self::from_number(curve, &number) {
                return Ok(made);
            }
        }
        Err(KeyPairError::Generation)
    }

    pub(super) fn from_number(curve: Curve, number: &[u8]) -> Result<Self, KeyPairError> {
        let format = |_| KeyPairError::Format;
        let key = match curve {
            Curve::P256 => Key::P256(SecretKey::from_slice(number).map_err(format)?),
            Curve::P384 => Key::P384(SecretKey::from_slice(number).map_err(format)?),
            Curve::P521 => Key::P521(SecretKey::from_slice(number).map_err(format)?),
        };
        Ok(Self::new(curve, key))
    }

    pub(super) fn from_pkcs8(curve: Curve, encoded: &[u8]) -> Result<Self, KeyPairError> {
        use p256::pkcs8::DecodePrivateKey;
        let format = |_| KeyPairError::Format;
        let key = match curve {
            Curve::P256 => Key::P256(SecretKey::from_pkcs8_der(encoded).map_err(format)?),
            Curve::P384 => Key::P384(SecretKey::from_pkcs8_der(encoded).map_err(format)?),
            Curve::P521 => Key::P521(SecretKey::from_pkcs8_der(encoded).map_err(format)?),
        };
        Ok(Self::new(curve, key))
    }

    pub(super) fn curve(&self) -> Curve {
        self.curve
    }

    pub(super) fn number(&self) -> Zeroizing<Vec<u8>> {
        on_curve!(Key, &self.key, C, key => {
            let mut bytes: FieldBytes<C> = key.to_bytes();
            let number = Zeroizing::new(bytes.to_vec());
            zeroize::Zeroize::zeroize(bytes.as_mut_slice());
            number
        })
    }

    /// `ECPrivateKey` (RFC 5915), with the curve's name where nothing around it tells.
    fn ec_private_key(&self, named: bool) -> Secret<Vec<u8>> {
        let number = Zeroizing::new(elements::element(OCTET_STRING, &[&self.number()]));
        let name = elements::element(0xa0, &[&elements::element(IDENTIFIER, &[self.curve.identifier()])]);
        let name: &[u8] = if named { &name } else { &[] };
        let point = elements::element(0xa1, &[&elements::element(BIT_STRING, &[&[0], &self.public().point])]);
        Secret::new(elements::element(SEQUENCE, &[&elements::element(INTEGER, &[&[1]]), &number, name, &point]))
    }

    pub(super) fn to_sec1(&self) -> Secret<Vec<u8>> {
        self.ec_private_key(true)
    }

    pub(super) fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        let key = Secret::new(elements::element(OCTET_STRING, &[self.ec_private_key(false).expose()]));
        Secret::new(elements::element(
            SEQUENCE,
            &[&elements::element(INTEGER, &[&[0]]), &self.curve.algorithm(), key.expose()],
        ))
    }

    pub(super) fn public(&self) -> CurvePublic {
        match &self.key {
            Key::P256(key) => CurvePublic::new(Curve::P256, Point::P256(key.public_key())),
            Key::P384(key) => CurvePublic::new(Curve::P384, Point::P384(key.public_key())),
            Key::P521(key) => CurvePublic::new(Curve::P521, Point::P521(key.public_key())),
        }
    }

    pub(super) fn sign(
        &self,
        hash: Hash,
        input: Input<'_>,
        encoding: Encoding,
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        if let (Curve::P256, Hash::Sha2_256, Input::Message(message)) = (self.curve, hash, input)
            && let Some(pair) = self.fast(encoding)
        {
            let made = pair.sign(&SystemRandom::new(), message).map_err(|_| KeyPairError::Generation)?;
            return Ok(made.as_ref().to_vec());
        }
        let number = self.curve.number(&input.digest(hash));
        let mut drawn = Zeroizing::new([0; 32]);
        randomness.fill(drawn.as_mut());
        // The nonce is derived from key and digest (RFC 6979) with fresh randomness added (its section 3.6).
        Ok(on_curve!(Key, &self.key, C, key => {
            let key = key.to_nonzero_scalar();
            let (made, _) = hazmat::sign_prehashed_rfc6979::<C, <C as DigestAlgorithm>::Digest>(
                &key, &number, drawn.as_ref(),
            );
            match encoding {
                Encoding::Asn1 => made.to_der().as_bytes().to_vec(),
                Encoding::Fixed => made.to_bytes().to_vec(),
            }
        }))
    }

    fn fast(&self, encoding: Encoding) -> Option<&EcdsaKeyPair> {
        let [asn1, fixed] = &self.fast;
        let (prepared, algorithm): (_, &'static EcdsaSigningAlgorithm) = match encoding {
            Encoding::Asn1 => (asn1, &ECDSA_P256_SHA256_ASN1_SIGNING),
            Encoding::Fixed => (fixed, &ECDSA_P256_SHA256_FIXED_SIGNING),
        };
        prepared.get_or_init(|| EcdsaKeyPair::from_pkcs8(algorithm, self.to_pkcs8().expose()).ok()).as_ref()
    }

    pub(super) fn agree(&self, other: &CurvePublic) -> Result<Secret<Vec<u8>>, KeyPairError> {
        let shared = match (&self.key, &other.key) {
            (Key::P256(key), Point::P256(other)) => key.diffie_hellman(other).raw_secret_bytes().to_vec(),
            (Key::P384(key), Point::P384(other)) => key.diffie_hellman(other).raw_secret_bytes().to_vec(),
            (Key::P521(key), Point::P521(other)) => key.diffie_hellman(other).raw_secret_bytes().to_vec(),
            _ => return Err(KeyPairError::Mismatch),
        };
        Ok(Secret::new(shared))
    }
}

#[derive(Clone)]
enum Point {
    P256(PublicKey<p256::NistP256>),
    P384(PublicKey<p384::NistP384>),
    P521(PublicKey<p521::NistP521>),
}

#[derive(Clone)]
pub(super) struct CurvePublic {
    curve: Curve,
    key: Point,
    /// SEC 1 section 2.3.3, uncompressed.
    point: Vec<u8>,
}

impl CurvePublic {
    fn new(curve: Curve, key: Point) -> Self {
        use p256::elliptic_curve::sec1::ToSec1Point;
        let point = on_curve!(Point, &key, C, key => {
            let _: &PublicKey<C> = key;
            key.to_sec1_point(false).as_bytes().to_vec()
        });
        Self { curve, key, point }
    }

    pub(super) fn from_point(curve: Curve, bytes: &[u8]) -> Result<Self, KeyPairError> {
        let format = |_| KeyPairError::Format;
        let key = match curve {
            Curve::P256 => Point::P256(PublicKey::from_sec1_bytes(bytes).map_err(format)?),
            Curve::P384 => Point::P384(PublicKey::from_sec1_bytes(bytes).map_err(format)?),
            Curve::P521 => Point::P521(PublicKey::from_sec1_bytes(bytes).map_err(format)?),
        };
        Ok(Self::new(curve, key))
    }

    pub(super) fn curve(&self) -> Curve {
        self.curve
    }

    /// Both coordinates, each as wide as the field.
    pub(super) fn coordinates(&self) -> (&[u8], &[u8]) {
        self.point.get(1..).unwrap_or_default().split_at(self.curve.width().min(self.point.len().saturating_sub(1)))
    }

    pub(super) fn to_spki(&self) -> Vec<u8> {
        elements::element(SEQUENCE, &[&self.curve.algorithm(), &elements::element(BIT_STRING, &[&[0], &self.point])])
    }

    pub(super) fn verify(
        &self,
        hash: Hash,
        input: Input<'_>,
        encoding: Encoding,
        signature: &[u8],
    ) -> Result<bool, KeyPairError> {
        let number = self.curve.number(&input.digest(hash));
        on_curve!(Point, &self.key, C, key => {
            let shape = |_| KeyPairError::SignatureShape;
            let signature = match encoding {
                Encoding::Asn1 => Signature::<C>::from_der(signature).map_err(shape)?,
                Encoding::Fixed => Signature::<C>::from_slice(signature).map_err(shape)?,
            };
            Ok(hazmat::verify_prehashed::<C>(&key.to_projective(), &number, &signature).is_ok())
        })
    }
}
