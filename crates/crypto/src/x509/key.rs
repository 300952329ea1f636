//! Keys of certificates and what they sign: RSA (RFC 8017), ECDSA (FIPS 186-5) on P-256, P-384 and P-521, Ed25519
//! (RFC 8032).

use super::{Hash, PublicKey, SignatureScheme, X509Error, pem_blocks, pem_encode};
use crate::elements::{der, inner_of_pkcs8};
use crate::signing::{self, Curve};
use crate::{Randomness, Secret};
use ::der::Decode;
use ::der::asn1::{Any, BitString, ObjectIdentifier};
use aws_lc_rs::encoding::{AsBigEndian, AsDer, EcPrivateKeyBin, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{self, KeySize};
use aws_lc_rs::signature::{self as aws, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair as _};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

pub(super) const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
pub(super) const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
pub(super) const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");

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

    pub(super) fn curve(self) -> Option<Curve> {
        let (signing, curve): (&'static EcdsaSigningAlgorithm, Curve) = match self {
            Self::Ec(256) => (&aws::ECDSA_P256_SHA256_ASN1_SIGNING, signing::P256),
            Self::Ec(384) => (&aws::ECDSA_P384_SHA384_ASN1_SIGNING, signing::P384),
            Self::Ec(521) => (&aws::ECDSA_P521_SHA512_ASN1_SIGNING, signing::P521),
            _ => return None,
        };
        Some(Curve { signing, ..curve })
    }
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
                let inner = inner_of_pkcs8(pkcs8.as_slice()).ok_or(X509Error::Key)?;
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
