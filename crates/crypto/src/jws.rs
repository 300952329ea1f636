//! Verification of JSON Web Signatures (RFC 7515) by public keys of others: the algorithms of RFC 7518 sections 3.3 to
//! 3.5 and of RFC 8037 section 3.1. A key of one kind verifies no algorithm of another, and there is neither `none` nor
//! a MAC, so that a public key is never taken for the key of a MAC.

use crate::elements::undo_der;
use aws_lc_rs::rsa::PublicKeyComponents;
use aws_lc_rs::signature::{self as aws, ParsedPublicKey, RsaParameters};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

#[cfg(test)]
mod tests;

/// Smallest RSA modulus, in bytes: 2048 bits.
const RSA_BYTES_MIN: usize = 256;
/// Largest RSA modulus, in bytes: 8192 bits.
const RSA_BYTES_MAX: usize = 1024;

/// An algorithm by its JWS name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VerificationAlgorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    Rs256,
    /// RSASSA-PKCS1-v1_5 with SHA-384.
    Rs384,
    /// RSASSA-PKCS1-v1_5 with SHA-512.
    Rs512,
    /// RSASSA-PSS with SHA-256.
    Ps256,
    /// RSASSA-PSS with SHA-384.
    Ps384,
    /// RSASSA-PSS with SHA-512.
    Ps512,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
    /// ECDSA on P-521 with SHA-512.
    Es512,
    /// Ed25519.
    EdDsa,
}

/// What kind a key is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Rsa,
    P256,
    P384,
    P521,
    Ed25519,
}

impl VerificationAlgorithm {
    const ALL: [(Self, &'static str, Kind); 10] = [
        (Self::Rs256, "RS256", Kind::Rsa),
        (Self::Rs384, "RS384", Kind::Rsa),
        (Self::Rs512, "RS512", Kind::Rsa),
        (Self::Ps256, "PS256", Kind::Rsa),
        (Self::Ps384, "PS384", Kind::Rsa),
        (Self::Ps512, "PS512", Kind::Rsa),
        (Self::Es256, "ES256", Kind::P256),
        (Self::Es384, "ES384", Kind::P384),
        (Self::Es512, "ES512", Kind::P521),
        (Self::EdDsa, "EdDSA", Kind::Ed25519),
    ];

    /// Reads the JWS name, capitals as they are registered.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|row| row.1 == name).map(|row| row.0)
    }

    fn kind(self) -> Option<Kind> {
        Self::ALL.into_iter().find(|row| row.0 == self).map(|row| row.2)
    }

    fn of_rsa(self) -> Option<&'static RsaParameters> {
        Some(match self {
            Self::Rs256 => &aws::RSA_PKCS1_2048_8192_SHA256,
            Self::Rs384 => &aws::RSA_PKCS1_2048_8192_SHA384,
            Self::Rs512 => &aws::RSA_PKCS1_2048_8192_SHA512,
            Self::Ps256 => &aws::RSA_PSS_2048_8192_SHA256,
            Self::Ps384 => &aws::RSA_PSS_2048_8192_SHA384,
            Self::Ps512 => &aws::RSA_PSS_2048_8192_SHA512,
            _ => return None,
        })
    }
}

impl Kind {
    const CURVES: [Self; 3] = [Self::P256, Self::P384, Self::P521];

    /// Content of the object identifiers that a `SubjectPublicKeyInfo` names it by: algorithm, curve.
    const fn identifiers(self) -> (&'static [u8], &'static [u8]) {
        /// id-ecPublicKey (RFC 5480 section 2.1.1).
        const CURVE: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
        match self {
            // rsaEncryption (RFC 8017 appendix A.1), id-Ed25519 (RFC 8410 section 3).
            Self::Rsa => (&[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01], &[]),
            Self::Ed25519 => (&[0x2b, 0x65, 0x70], &[]),
            Self::P256 => (CURVE, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
            Self::P384 => (CURVE, &[0x2b, 0x81, 0x04, 0x00, 0x22]),
            Self::P521 => (CURVE, &[0x2b, 0x81, 0x04, 0x00, 0x23]),
        }
    }

    /// Its name in a JSON Web Key (RFC 7518 section 6.2.1.1), and bytes of a coordinate.
    const fn curve(self) -> (&'static str, usize) {
        match self {
            Self::P256 => ("P-256", 32),
            Self::P384 => ("P-384", 48),
            Self::P521 => ("P-521", 66),
            Self::Ed25519 => ("Ed25519", 32),
            Self::Rsa => ("", 0),
        }
    }

    fn verification(self) -> &'static dyn aws::VerificationAlgorithm {
        match self {
            Self::Rsa => &aws::RSA_PKCS1_2048_8192_SHA256,
            Self::P256 => &aws::ECDSA_P256_SHA256_FIXED,
            Self::P384 => &aws::ECDSA_P384_SHA384_FIXED,
            Self::P521 => &aws::ECDSA_P521_SHA512_FIXED,
            Self::Ed25519 => &aws::ED25519,
        }
    }
}

/// A public key that verifies signatures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifyingKey {
    kind: Kind,
    material: Material,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    /// The content of the bit string of its `SubjectPublicKeyInfo`: an `RSAPublicKey`, or a point.
    Encoded(Vec<u8>),
    /// Modulus and exponent.
    Numbers(Vec<u8>, Vec<u8>),
}

impl VerifyingKey {
    /// Reads the one block of a PEM text (RFC 7468): `PUBLIC KEY`, or `CERTIFICATE`, of which the key alone is taken.
    /// RSA keys below 2048 bits are no keys.
    pub fn from_pem(text: &str) -> Option<Self> {
        let inside = text.trim().strip_prefix("-----BEGIN ")?.strip_suffix("-----")?;
        let (label, rest) = inside.split_once("-----")?;
        let (body, end) = rest.split_once("-----END ")?;
        if end != label {
            return None;
        }
        let body: String = body.split_ascii_whitespace().collect();
        let bytes = STANDARD.decode(body).ok()?;
        match label {
            "PUBLIC KEY" => Self::from_spki(&bytes),
            "CERTIFICATE" => Self::from_spki(spki_of_certificate(&bytes)?),
            _ => None,
        }
    }

    /// An RSA key of a JSON Web Key: `n` and `e`, big-endian.
    pub fn rsa(modulus: &[u8], exponent: &[u8]) -> Option<Self> {
        let bare = |number: &[u8]| number.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<u8>>();
        let (modulus, exponent) = (bare(modulus), bare(exponent));
        let fits = (RSA_BYTES_MIN..=RSA_BYTES_MAX).contains(&modulus.len()) && (1..=8).contains(&exponent.len());
        fits.then_some(Self { kind: Kind::Rsa, material: Material::Numbers(modulus, exponent) })
    }

    /// A key on a curve of a JSON Web Key: `crv`, `x` and `y`.
    pub fn curve(name: &str, x: &[u8], y: &[u8]) -> Option<Self> {
        let kind = Kind::CURVES.into_iter().find(|kind| kind.curve().0 == name)?;
        let width = kind.curve().1;
        // SEC 1 section 2.3.3: 4, then both coordinates.
        let fits = x.len() == width && y.len() == width;
        fits.then(|| [&[0x04], x, y].concat()).and_then(|point| Self::encoded(kind, &point))
    }

    /// An `OKP` key of a JSON Web Key (RFC 8037 section 2): `crv` and `x`. Ed25519 alone.
    pub fn edwards(name: &str, x: &[u8]) -> Option<Self> {
        (name == Kind::Ed25519.curve().0).then_some(()).and_then(|()| Self::encoded(Kind::Ed25519, x))
    }

    /// Whether a signature is one of the message under this key. A key of another kind than the algorithm's verifies
    /// nothing.
    pub fn verify(&self, algorithm: VerificationAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        if algorithm.kind() != Some(self.kind) {
            return false;
        }
        match (&self.material, algorithm.of_rsa()) {
            (Material::Numbers(n, e), Some(parameters)) => {
                PublicKeyComponents { n, e }.verify(parameters, message, signature).is_ok()
            }
            (Material::Encoded(key), Some(parameters)) => {
                aws::UnparsedPublicKey::new(parameters, key).verify(message, signature).is_ok()
            }
            (Material::Encoded(key), None) => {
                aws::UnparsedPublicKey::new(self.kind.verification(), key).verify(message, signature).is_ok()
            }
            (Material::Numbers(..), None) => false,
        }
    }

    /// Reads a `SubjectPublicKeyInfo` (RFC 5280 section 4.1.2.7).
    fn from_spki(bytes: &[u8]) -> Option<Self> {
        let (fields, rest) = undo_der(0x30, bytes)?;
        let (algorithm, fields) = undo_der(0x30, fields)?;
        let (identifier, parameters) = undo_der(0x06, algorithm)?;
        let (bits, after) = undo_der(0x03, fields)?;
        // The first byte counts unused bits.
        let [0, key @ ..] = bits else { return None };
        let kinds = [Kind::Rsa, Kind::P256, Kind::P384, Kind::P521, Kind::Ed25519];
        let kind = kinds.into_iter().find(|kind| {
            let (wanted, curve) = kind.identifiers();
            wanted == identifier
                && (curve.is_empty() || undo_der(0x06, parameters).is_some_and(|(found, _)| found == curve))
        })?;
        if !rest.is_empty() || !after.is_empty() {
            return None;
        }
        Self::encoded(kind, key)
    }

    fn encoded(kind: Kind, key: &[u8]) -> Option<Self> {
        if kind == Kind::Rsa {
            let (fields, _) = undo_der(0x30, key)?;
            let (modulus, rest) = undo_der(0x02, fields)?;
            let (exponent, _) = undo_der(0x02, rest)?;
            return Self::rsa(modulus, exponent);
        }
        // Compressed points have no place in JWS.
        let (_, width) = kind.curve();
        let whole = if kind == Kind::Ed25519 { width } else { 1 + 2 * width };
        ParsedPublicKey::new(kind.verification(), key).ok().filter(|_| key.len() == whole)?;
        Some(Self { kind, material: Material::Encoded(key.to_vec()) })
    }
}

/// The key of a certificate (RFC 5280 section 4.1), of which nothing else is read.
fn spki_of_certificate(bytes: &[u8]) -> Option<&[u8]> {
    let (certificate, _) = undo_der(0x30, bytes)?;
    let (mut fields, _) = undo_der(0x30, certificate)?;
    if let Some((_, rest)) = undo_der(0xa0, fields) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer, validity, subject.
    for tag in [0x02, 0x30, 0x30, 0x30, 0x30] {
        fields = undo_der(tag, fields)?.1;
    }
    let (_, behind) = undo_der(0x30, fields)?;
    fields.get(..fields.len() - behind.len())
}
