//! Keys of certificates and what they sign: RSA (RFC 8017), ECDSA (FIPS 186-5) on P-256, P-384 and P-521, Ed25519
//! (RFC 8032), with the algorithm identifiers of RFC 3279, 4055, 5758 and 8410.

use super::{X509Error, pem_blocks, pem_encode, sha1};
use crate::signing::{self, Curve, der, undo_der};
use crate::{Randomness, Secret};
use ::der::asn1::{Any, BitString, ObjectIdentifier};
use ::der::{Decode, Encode, Sequence};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{
    self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey,
    VerificationAlgorithm,
};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const RSA_PSS: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.10");
const MGF1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.8");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

/// Kind and size of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Bits of the modulus.
    Rsa(u32),
    /// Bits of the curve: 256, 384 or 521.
    Ec(u32),
    /// Ed25519.
    Ed25519,
}

impl KeyKind {
    /// `rsa`, `ec` or `ed25519`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rsa(_) => "rsa",
            Self::Ec(_) => "ec",
            Self::Ed25519 => "ed25519",
        }
    }

    /// Its size; 0 for Ed25519, which has one only.
    pub const fn bits(self) -> u32 {
        match self {
            Self::Rsa(bits) | Self::Ec(bits) => bits,
            Self::Ed25519 => 0,
        }
    }

    fn curve(self) -> Option<Curve> {
        let (signing, curve): (&'static EcdsaSigningAlgorithm, Curve) = match self {
            Self::Ec(256) => (&aws::ECDSA_P256_SHA256_ASN1_SIGNING, signing::P256),
            Self::Ec(384) => (&aws::ECDSA_P384_SHA384_ASN1_SIGNING, signing::P384),
            Self::Ec(521) => (&aws::ECDSA_P521_SHA512_ASN1_SIGNING, signing::P521),
            _ => return None,
        };
        Some(Curve { signing, ..curve })
    }
}

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

    fn of_identifier(algorithm: &AlgorithmIdentifierOwned) -> Option<Self> {
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

/// A private key. AWS-LC wipes it when it is dropped.
pub struct PrivateKey {
    kind: KeyKind,
    pair: Pair,
}

enum Pair {
    Rsa(rsa::KeyPair),
    Curve(EcdsaKeyPair),
    Edwards(Ed25519KeyPair),
}

impl PrivateKey {
    /// Makes a key. RSA of 2048, 3072, 4096 and 8192 bits; 4096 bits cost about a second, 8192 many.
    pub fn generate(kind: KeyKind, randomness: &mut dyn Randomness) -> Result<Self, X509Error> {
        let pair = match kind {
            KeyKind::Rsa(bits) => {
                let size = match bits {
                    2048 => KeySize::Rsa2048,
                    3072 => KeySize::Rsa3072,
                    4096 => KeySize::Rsa4096,
                    8192 => KeySize::Rsa8192,
                    _ => return Err(X509Error::Key),
                };
                Pair::Rsa(rsa::KeyPair::generate(size).map_err(|_| X509Error::Generation)?)
            }
            KeyKind::Ec(_) => {
                let curve = kind.curve().ok_or(X509Error::Key)?;
                Pair::Curve(signing::generate_on(&curve, randomness).map_err(|_| X509Error::Generation)?)
            }
            KeyKind::Ed25519 => {
                let mut seed = zeroize::Zeroizing::new([0; 32]);
                randomness.fill(seed.as_mut());
                Pair::Edwards(Ed25519KeyPair::from_seed_unchecked(seed.as_ref()).map_err(|_| X509Error::Generation)?)
            }
        };
        Ok(Self { kind, pair })
    }

    /// Reads PKCS #8, PKCS #1 or SEC 1, whichever it is.
    pub fn from_der(bytes: &[u8]) -> Result<Self, X509Error> {
        if let Ok(pair) = rsa::KeyPair::from_pkcs8(bytes).or_else(|_| rsa::KeyPair::from_der(bytes)) {
            let bits = u32::try_from(pair.public_modulus_len() * 8).map_err(|_| X509Error::Key)?;
            return Ok(Self { kind: KeyKind::Rsa(bits), pair: Pair::Rsa(pair) });
        }
        for kind in [KeyKind::Ec(256), KeyKind::Ec(384), KeyKind::Ec(521)] {
            let Some(curve) = kind.curve() else { continue };
            let read = EcdsaKeyPair::from_pkcs8(curve.signing, bytes)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(curve.signing, bytes));
            if let Ok(pair) = read {
                return Ok(Self { kind, pair: Pair::Curve(pair) });
            }
        }
        let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(bytes).map_err(|_| X509Error::Key)?;
        Ok(Self { kind: KeyKind::Ed25519, pair: Pair::Edwards(pair) })
    }

    /// Reads the first private key of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, X509Error> {
        let block = pem_blocks(text)?.into_iter().find(|block| block.label.ends_with("PRIVATE KEY"));
        Self::from_der(&block.ok_or(X509Error::Encoding)?.der)
    }

    /// Kind and size.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The private key as PKCS #8 (RFC 5208).
    pub fn to_pkcs8(&self) -> Result<Secret<Vec<u8>>, X509Error> {
        let made = match &self.pair {
            Pair::Rsa(pair) => AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map(|der| Secret::bytes(der.as_ref())),
            Pair::Curve(pair) => pair.to_pkcs8v1().map(|document| Secret::bytes(document.as_ref())),
            Pair::Edwards(pair) => pair.to_pkcs8v1().map(|document| Secret::bytes(document.as_ref())),
        };
        made.map_err(|_| X509Error::Key)
    }

    /// The private key in the form its kind had before PKCS #8: PKCS #1 of RSA (RFC 8017 appendix A.1.2), SEC 1 of a
    /// curve (RFC 5915); Ed25519 has PKCS #8 alone. With its PEM label.
    pub fn to_traditional(&self) -> Result<(&'static str, Secret<Vec<u8>>), X509Error> {
        match &self.pair {
            Pair::Rsa(_) => {
                let pkcs8 = self.to_pkcs8()?;
                let inner = pkcs8_inner(pkcs8.as_slice()).ok_or(X509Error::Key)?;
                Ok(("RSA PRIVATE KEY", Secret::bytes(inner)))
            }
            Pair::Curve(pair) => {
                let curve = self.kind.curve().ok_or(X509Error::Key)?;
                let number: EcPrivateKeyBin<'_> = pair.private_key().as_be_bytes().map_err(|_| X509Error::Key)?;
                let number = zeroize::Zeroizing::new(der(0x04, number.as_ref()));
                let public = der(0x03, &[&[0], pair.public_key().as_ref()].concat());
                let fields =
                    [&[0x02, 0x01, 0x01], number.as_slice(), &der(0xa0, curve.identifier), &der(0xa1, &public)]
                        .concat();
                let fields = zeroize::Zeroizing::new(fields);
                Ok(("EC PRIVATE KEY", Secret::new(der(0x30, &fields))))
            }
            Pair::Edwards(_) => Ok(("PRIVATE KEY", self.to_pkcs8()?)),
        }
    }

    /// PEM in the traditional form, or PKCS #8, with a line end behind it.
    pub fn to_pem(&self, pkcs8: bool) -> Result<Secret<String>, X509Error> {
        let (label, der) = if pkcs8 { ("PRIVATE KEY", self.to_pkcs8()?) } else { self.to_traditional()? };
        Ok(Secret::new(pem_encode(label, der.as_slice())))
    }

    /// The public half.
    pub fn public(&self) -> Result<PublicKey, X509Error> {
        let (oid, parameters, key) = match &self.pair {
            Pair::Rsa(pair) => (RSA, Some(Any::null()), pair.public_key().as_ref()),
            Pair::Curve(pair) => {
                let curve = self.kind.curve().ok_or(X509Error::Key)?;
                (EC, Some(Any::from_der(curve.identifier)?), pair.public_key().as_ref())
            }
            Pair::Edwards(pair) => (ED25519, None, pair.public_key().as_ref()),
        };
        let info = SubjectPublicKeyInfoOwned {
            algorithm: AlgorithmIdentifierOwned { oid, parameters },
            subject_public_key: BitString::from_bytes(key)?,
        };
        PublicKey::of(info)
    }

    /// The signature of a message. Its randomness is AWS-LC's own.
    pub fn sign(&self, scheme: SignatureScheme, message: &[u8]) -> Result<Vec<u8>, X509Error> {
        if !scheme.fits(self.kind) {
            return Err(X509Error::Key);
        }
        let failed = |_| X509Error::Generation;
        match &self.pair {
            Pair::Rsa(pair) => {
                let encoding: &'static dyn aws::RsaEncoding = match scheme {
                    SignatureScheme::RsaPkcs1(Hash::Sha384) => &aws::RSA_PKCS1_SHA384,
                    SignatureScheme::RsaPkcs1(Hash::Sha512) => &aws::RSA_PKCS1_SHA512,
                    SignatureScheme::RsaPss(Hash::Sha256) => &aws::RSA_PSS_SHA256,
                    SignatureScheme::RsaPss(Hash::Sha384) => &aws::RSA_PSS_SHA384,
                    SignatureScheme::RsaPss(Hash::Sha512) => &aws::RSA_PSS_SHA512,
                    _ => &aws::RSA_PKCS1_SHA256,
                };
                let mut output = vec![0; pair.public_modulus_len()];
                pair.sign(encoding, &SystemRandom::new(), message, &mut output).map_err(failed)?;
                Ok(output)
            }
            Pair::Curve(pair) => {
                pair.sign(&SystemRandom::new(), message).map(|made| made.as_ref().to_vec()).map_err(failed)
            }
            Pair::Edwards(pair) => pair.try_sign(message).map(|made| made.as_ref().to_vec()).map_err(failed),
        }
    }
}

impl std::fmt::Debug for PrivateKey {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "PrivateKey({:?}, …)", self.kind)
    }
}

/// The content of the private key's octet string in PKCS #8.
fn pkcs8_inner(pkcs8: &[u8]) -> Option<&[u8]> {
    let (fields, _) = undo_der(0x30, pkcs8)?;
    let (_, rest) = undo_der(0x02, fields)?;
    let (_, rest) = undo_der(0x30, rest)?;
    undo_der(0x04, rest).map(|(inner, _)| inner)
}

/// A public key as certificates have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey {
    pub(super) info: SubjectPublicKeyInfoOwned,
    kind: KeyKind,
}

impl PublicKey {
    pub(super) fn of(info: SubjectPublicKeyInfoOwned) -> Result<Self, X509Error> {
        let kind = if info.algorithm.oid == RSA || info.algorithm.oid == RSA_PSS {
            let bytes = info.subject_public_key.as_bytes().ok_or(X509Error::Encoding)?;
            KeyKind::Rsa(modulus_bits(bytes).ok_or(X509Error::Key)?)
        } else if info.algorithm.oid == EC {
            let curve = info.algorithm.parameters.as_ref().ok_or(X509Error::Key)?.to_der()?;
            let kinds = [KeyKind::Ec(256), KeyKind::Ec(384), KeyKind::Ec(521)];
            let known = |kind: &KeyKind| kind.curve().is_some_and(|known| known.identifier == curve);
            kinds.into_iter().find(known).ok_or(X509Error::Key)?
        } else if info.algorithm.oid == ED25519 {
            KeyKind::Ed25519
        } else {
            return Err(X509Error::Key);
        };
        Ok(Self { info, kind })
    }

    /// Kind and size.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The identifier that its certificates have: SHA-1 of the key's bits (RFC 5280 section 4.2.1.2, method 1).
    pub fn identifier(&self) -> Vec<u8> {
        sha1(self.bits())
    }

    /// The content of the bit string.
    pub fn bits(&self) -> &[u8] {
        self.info.subject_public_key.raw_bytes()
    }

    /// Checks a signature made by its private half.
    pub(super) fn verify(
        &self,
        algorithm: &AlgorithmIdentifierOwned,
        message: &[u8],
        signature: &[u8],
    ) -> Result<(), X509Error> {
        let scheme = SignatureScheme::of_identifier(algorithm).ok_or(X509Error::Signature)?;
        let verification: &'static dyn VerificationAlgorithm = match (self.kind, scheme) {
            (KeyKind::Rsa(_), SignatureScheme::RsaPkcs1(Hash::Sha256)) => &aws::RSA_PKCS1_2048_8192_SHA256,
            (KeyKind::Rsa(_), SignatureScheme::RsaPkcs1(Hash::Sha384)) => &aws::RSA_PKCS1_2048_8192_SHA384,
            (KeyKind::Rsa(_), SignatureScheme::RsaPkcs1(Hash::Sha512)) => &aws::RSA_PKCS1_2048_8192_SHA512,
            (KeyKind::Rsa(_), SignatureScheme::RsaPss(Hash::Sha256)) => &aws::RSA_PSS_2048_8192_SHA256,
            (KeyKind::Rsa(_), SignatureScheme::RsaPss(Hash::Sha384)) => &aws::RSA_PSS_2048_8192_SHA384,
            (KeyKind::Rsa(_), SignatureScheme::RsaPss(Hash::Sha512)) => &aws::RSA_PSS_2048_8192_SHA512,
            (KeyKind::Ec(256), SignatureScheme::Ecdsa(Hash::Sha256)) => &aws::ECDSA_P256_SHA256_ASN1,
            (KeyKind::Ec(256), SignatureScheme::Ecdsa(Hash::Sha384)) => &aws::ECDSA_P256_SHA384_ASN1,
            (KeyKind::Ec(384), SignatureScheme::Ecdsa(Hash::Sha256)) => &aws::ECDSA_P384_SHA256_ASN1,
            (KeyKind::Ec(384), SignatureScheme::Ecdsa(Hash::Sha384)) => &aws::ECDSA_P384_SHA384_ASN1,
            (KeyKind::Ec(521), SignatureScheme::Ecdsa(Hash::Sha256)) => &aws::ECDSA_P521_SHA256_ASN1,
            (KeyKind::Ec(521), SignatureScheme::Ecdsa(Hash::Sha384)) => &aws::ECDSA_P521_SHA384_ASN1,
            (KeyKind::Ec(521), SignatureScheme::Ecdsa(Hash::Sha512)) => &aws::ECDSA_P521_SHA512_ASN1,
            (KeyKind::Ed25519, SignatureScheme::Ed25519) => &aws::ED25519,
            _ => return Err(X509Error::Signature),
        };
        let key = UnparsedPublicKey::new(verification, self.bits());
        key.verify(message, signature).map_err(|_| X509Error::Signature)
    }
}

fn modulus_bits(key: &[u8]) -> Option<u32> {
    let (fields, _) = undo_der(0x30, key)?;
    let (modulus, _) = undo_der(0x02, fields)?;
    let significant = modulus.iter().position(|byte| *byte != 0).and_then(|at| modulus.get(at..))?;
    let zeros = significant.first()?.leading_zeros();
    u32::try_from(significant.len()).ok()?.checked_mul(8)?.checked_sub(zeros)
}

/// Anything that is signed: certificate, request, list. What is signed keeps its bytes.
#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
pub(super) struct Signed {
    pub(super) content: Any,
    pub(super) algorithm: AlgorithmIdentifierOwned,
    pub(super) signature: BitString,
}

impl Signed {
    pub(super) fn sign(content: &[u8], key: &PrivateKey, scheme: SignatureScheme) -> Result<Self, X509Error> {
        let signature = key.sign(scheme, content)?;
        Ok(Self {
            content: Any::from_der(content)?,
            algorithm: scheme.identifier()?,
            signature: BitString::from_bytes(&signature)?,
        })
    }

    pub(super) fn verify(&self, key: &PublicKey) -> Result<(), X509Error> {
        key.verify(&self.algorithm, &self.content.to_der()?, self.signature.raw_bytes())
    }

    /// Its scheme, if it is a known one.
    pub(super) fn scheme(&self) -> Option<SignatureScheme> {
        SignatureScheme::of_identifier(&self.algorithm)
    }
}
