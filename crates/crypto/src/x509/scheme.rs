//! How things are signed: the algorithm identifiers of RFC 3279, 4055, 5758 and 8410.

use super::{KeyKind, X509Error};
use crate::elements::der;
use ::der::asn1::{Any, ObjectIdentifier};
use ::der::{Decode, Encode};
use x509_cert::spki::AlgorithmIdentifierOwned;

pub(super) const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");

/// Hash functions of signatures.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    const fn identifier(self) -> &'static str {
        match self {
            Self::Sha256 => "2.16.840.1.101.3.4.2.1",
            Self::Sha384 => "2.16.840.1.101.3.4.2.2",
            Self::Sha512 => "2.16.840.1.101.3.4.2.3",
        }
    }

    /// The hash of so many bits.
    pub const fn of_bits(bits: i64) -> Option<Self> {
        match bits {
            256 => Some(Self::Sha256),
            384 => Some(Self::Sha384),
            512 => Some(Self::Sha512),
            _ => None,
        }
    }

    const fn bytes(self) -> u8 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// How something is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SignatureScheme {
    /// RSASSA-PKCS1-v1_5.
    RsaPkcs1(Hash),
    /// RSASSA-PSS with MGF1 of the same hash and a salt as long as it.
    RsaPss(Hash),
    /// ECDSA.
    Ecdsa(Hash),
    /// Ed25519.
    Ed25519,
}

impl SignatureScheme {
    /// What a key of this kind signs with; `hash` and `pss` count for RSA, curves bring their own hash.
    pub const fn of(kind: KeyKind, hash: Hash, pss: bool) -> Self {
        match kind {
            KeyKind::Rsa(_) if pss => Self::RsaPss(hash),
            KeyKind::Rsa(_) => Self::RsaPkcs1(hash),
            KeyKind::Ec(384) => Self::Ecdsa(Hash::Sha384),
            KeyKind::Ec(521) => Self::Ecdsa(Hash::Sha512),
            KeyKind::Ec(_) => Self::Ecdsa(Hash::Sha256),
            KeyKind::Ed25519 => Self::Ed25519,
        }
    }

    /// Its name as the API shows it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::RsaPkcs1(Hash::Sha256) => "SHA256WithRSA",
            Self::RsaPkcs1(Hash::Sha384) => "SHA384WithRSA",
            Self::RsaPkcs1(Hash::Sha512) => "SHA512WithRSA",
            Self::RsaPss(Hash::Sha256) => "SHA256WithRSAPSS",
            Self::RsaPss(Hash::Sha384) => "SHA384WithRSAPSS",
            Self::RsaPss(Hash::Sha512) => "SHA512WithRSAPSS",
            Self::Ecdsa(Hash::Sha256) => "ECDSAWithSHA256",
            Self::Ecdsa(Hash::Sha384) => "ECDSAWithSHA384",
            Self::Ecdsa(Hash::Sha512) => "ECDSAWithSHA512",
            Self::Ed25519 => "Ed25519",
        }
    }

    /// Reads a name, in any case and with the other spelling that PSS has.
    pub fn parse(name: &str) -> Option<Self> {
        let plain = name.to_ascii_lowercase().replace('-', "");
        let all = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
        let all = all.into_iter().flat_map(|hash| [Self::RsaPkcs1(hash), Self::RsaPss(hash), Self::Ecdsa(hash)]);
        let plain = plain.replace("rsapss", "withrsapss").replace("withwith", "with").replace("pureed", "ed");
        all.chain([Self::Ed25519]).find(|scheme| scheme.name().to_ascii_lowercase() == plain)
    }

    /// Whether keys of a kind can sign so.
    pub fn fits(self, kind: KeyKind) -> bool {
        match (self, kind) {
            (Self::RsaPkcs1(_) | Self::RsaPss(_), KeyKind::Rsa(_)) | (Self::Ed25519, KeyKind::Ed25519) => true,
            (Self::Ecdsa(_), KeyKind::Ec(_)) => Self::of(kind, Hash::Sha256, false) == self,
            _ => false,
        }
    }

    /// The algorithm identifier (RFC 4055, 5758, 8410).
    pub(super) fn identifier(self) -> Result<AlgorithmIdentifierOwned, X509Error> {
        let null = Some(Any::null());
        let (oid, parameters) = match self {
            Self::RsaPkcs1(Hash::Sha256) => ("1.2.840.113549.1.1.11", null),
            Self::RsaPkcs1(Hash::Sha384) => ("1.2.840.113549.1.1.12", null),
            Self::RsaPkcs1(Hash::Sha512) => ("1.2.840.113549.1.1.13", null),
            Self::Ecdsa(Hash::Sha256) => ("1.2.840.10045.4.3.2", None),
            Self::Ecdsa(Hash::Sha384) => ("1.2.840.10045.4.3.3", None),
            Self::Ecdsa(Hash::Sha512) => ("1.2.840.10045.4.3.4", None),
            Self::Ed25519 => ("1.3.101.112", None),
            Self::RsaPss(hash) => return pss_identifier(hash),
        };
        Ok(AlgorithmIdentifierOwned { oid: ObjectIdentifier::new_unwrap(oid), parameters })
    }

    pub(super) fn of_identifier(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
        if algorithm.oid == RSA_PSS {
            let hashes = [Hash::Sha256, Hash::Sha384, Hash::Sha512];
            return hashes
                .into_iter()
                .map(Self::RsaPss)
                .find(|scheme| scheme.identifier().is_ok_and(|known| known.parameters == algorithm.parameters));
        }
        Some(match algorithm.oid.to_string().as_str() {
            "1.2.840.113549.1.1.11" => Self::RsaPkcs1(Hash::Sha256),
            "1.2.840.113549.1.1.12" => Self::RsaPkcs1(Hash::Sha384),
            "1.2.840.113549.1.1.13" => Self::RsaPkcs1(Hash::Sha512),
            "1.2.840.10045.4.3.2" => Self::Ecdsa(Hash::Sha256),
            "1.2.840.10045.4.3.3" => Self::Ecdsa(Hash::Sha384),
            "1.2.840.10045.4.3.4" => Self::Ecdsa(Hash::Sha512),
            "1.3.101.112" => Self::Ed25519,
            _ => return None,
        })
    }
}

/// `RSASSA-PSS-params` (RFC 4055 section 3.1).
fn pss_identifier(hash: Hash) -> Result<AlgorithmIdentifierOwned, X509Error> {
    let hashed = AlgorithmIdentifierOwned {
        oid: ObjectIdentifier::new_unwrap(hash.identifier()),
        parameters: Some(Any::null()),
    };
    let mask = AlgorithmIdentifierOwned { oid: MGF1, parameters: Some(Any::encode_from(&hashed)?) };
    let salt = der(0x02, &[hash.bytes()]);
    let fields = [der(0xa0, &hashed.to_der()?), der(0xa1, &mask.to_der()?), der(0xa2, &salt)].concat();
    Ok(AlgorithmIdentifierOwned { oid: RSA_PSS, parameters: Some(Any::from_der(&der(0x30, &fields))?) })
}
