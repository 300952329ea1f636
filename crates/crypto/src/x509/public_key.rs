//! Public keys and what they verify.

use super::key::{EC, ED25519, RSA};
use super::scheme::RSA_PSS;
use super::{Hash, KeyKind, PrivateKey, SignatureScheme, X509Error, sha1};
use crate::elements::undo_der;
use aws_lc_rs::signature::{self as aws, UnparsedPublicKey, VerificationAlgorithm};
use der::asn1::{Any, BitString};
use der::{Decode, Encode, Sequence};
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};

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
