//! Certificates: made of their fields and signed.

use super::{PrivateKey, PublicKey};
use crate::RandomBytes as _;
use crate::Randomness;
use crate::signing::{SigningAlgorithm, SigningKey};
use ssh_key::certificate::{Builder, CertType};
use ssh_key::public::KeyData;
use ssh_key::{Algorithm, EcdsaCurve, HashAlg, Mpint, Signature};
use std::collections::BTreeMap;

/// The hash under an RSA signature (RFC 8332). Other keys have one of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SignatureHash {
    /// `rsa-sha2-256`.
    #[default]
    Sha256,
    /// `rsa-sha2-512`.
    Sha512,
}

/// Why there is no certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum IssueError {
    /// It would hold for any name: a certificate without principals is never made (security row S88).
    #[error("certificate has no principals")]
    Principals,
    /// A field cannot be encoded, such as an end before the beginning.
    #[error("field of the certificate is not valid")]
    Field,
    /// The authority's key signs nothing.
    #[error("certificate could not be signed")]
    Signature,
}

/// What a certificate says.
#[derive(Debug, Clone)]
pub struct Certificate<'a> {
    /// Whose key it is for.
    pub public_key: &'a PublicKey,
    /// Its number; 0 is taken for none by ssh.
    pub serial: u64,
    /// For a host, not for a user.
    pub host: bool,
    /// What servers write to their logs.
    pub key_id: &'a str,
    /// Users or hosts it holds for; at least one.
    pub principals: &'a [String],
    /// Seconds since the epoch.
    pub valid_after: u64,
    /// Seconds since the epoch.
    pub valid_before: u64,
    /// By name.
    pub critical_options: &'a BTreeMap<String, String>,
    /// By name.
    pub extensions: &'a BTreeMap<String, String>,
}

impl Certificate<'_> {
    /// Signs it: the line for `…-cert.pub`, without a line end.
    pub fn issue(
        &self,
        authority: &PrivateKey,
        hash: SignatureHash,
        randomness: &mut dyn Randomness,
    ) -> Result<String, IssueError> {
        if self.principals.is_empty() || self.principals.iter().any(String::is_empty) {
            return Err(IssueError::Principals);
        }
        let nonce: [u8; 32] = randomness.bytes();
        let key = self.public_key.0.key_data().clone();
        let mut builder = Builder::new(nonce, key, self.valid_after, self.valid_before).map_err(field)?;
        builder.serial(self.serial).map_err(field)?;
        builder.key_id(self.key_id).map_err(field)?;
        builder.cert_type(if self.host { CertType::Host } else { CertType::User }).map_err(field)?;
        for principal in self.principals {
            builder.valid_principal(principal).map_err(field)?;
        }
        for (name, data) in self.critical_options {
            builder.critical_option(name, data).map_err(field)?;
        }
        for (name, data) in self.extensions {
            builder.extension(name, data).map_err(field)?;
        }
        let signer = Signer::of(authority, hash).ok_or(IssueError::Signature)?;
        let made = builder.sign(&signer).map_err(|_| IssueError::Signature)?;
        made.to_openssh().map_err(field)
    }
}

fn field(_: ssh_key::Error) -> IssueError {
    IssueError::Field
}

/// The authority's key, as the builder wants it.
struct Signer {
    key: SigningKey,
    public: KeyData,
    algorithm: Algorithm,
}

impl Signer {
    fn of(authority: &PrivateKey, hash: SignatureHash) -> Option<Self> {
        let curve = |curve| Algorithm::Ecdsa { curve };
        let (signing, algorithm) = match (authority.algorithm(), hash) {
            (SigningAlgorithm::Es256, _) => (SigningAlgorithm::Es256, curve(EcdsaCurve::NistP256)),
            (SigningAlgorithm::Es384, _) => (SigningAlgorithm::Es384, curve(EcdsaCurve::NistP384)),
            (SigningAlgorithm::Es512, _) => (SigningAlgorithm::Es512, curve(EcdsaCurve::NistP521)),
            (SigningAlgorithm::EdDsa, _) => (SigningAlgorithm::EdDsa, Algorithm::Ed25519),
            (_, SignatureHash::Sha256) => (SigningAlgorithm::Rs256, Algorithm::Rsa { hash: Some(HashAlg::Sha256) }),
            (_, SignatureHash::Sha512) => (SigningAlgorithm::Rs512, Algorithm::Rsa { hash: Some(HashAlg::Sha512) }),
        };
        let public = authority.public()?.0.key_data().clone();
        Some(Self { key: authority.signing_key(signing)?, public, algorithm })
    }
}

impl From<&Signer> for KeyData {
    fn from(signer: &Signer) -> Self {
        signer.public.clone()
    }
}

impl signature::Signer<Signature> for Signer {
    fn try_sign(&self, message: &[u8]) -> Result<Signature, signature::Error> {
        let failed = signature::Error::new;
        let made = self.key.sign(message).map_err(|_| failed())?;
        let made = if matches!(self.algorithm, Algorithm::Ecdsa { .. }) { two_numbers(&made) } else { Some(made) };
        Signature::new(self.algorithm.clone(), made.ok_or_else(failed)?).map_err(|_| failed())
    }
}

/// Two numbers one after the other, as SSH has them (RFC 5656 section 3.1.2): each with its length before it.
fn two_numbers(fixed: &[u8]) -> Option<Vec<u8>> {
    let (r, s) = fixed.split_at_checked(fixed.len() / 2)?;
    let mut encoded = Vec::with_capacity(fixed.len() + 10);
    for number in [r, s] {
        let number = Mpint::from_positive_bytes(number);
        encoded.extend_from_slice(&u32::try_from(number.as_bytes().len()).ok()?.to_be_bytes());
        encoded.extend_from_slice(number.as_bytes());
    }
    Some(encoded)
}
