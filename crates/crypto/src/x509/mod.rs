//! X.509 (RFC 5280): keys, certificates, requests (PKCS #10, RFC 2986), revocation lists and OCSP (RFC 6960), built and
//! read on the DER types of `x509-cert`.
//!
//! Certificates and lists are put together here and not by the library's builders: its builder of lists names an
//! intermediate's own parent as the authority, which verifiers refuse. Names keep the bytes they came in, so that an
//! issuer in a certificate is byte for byte the subject of its authority.

mod certificate;
mod crl;
mod extension;
mod key;
mod name;
mod ocsp;
mod pem;
mod public_key;
mod request;
mod san;
mod scheme;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, Template};
pub use crl::{ListTemplate, RevokedEntry, build_list};
pub use extension::{Constraints, Extension, Extensions, KEY_USAGE_NAMES, Policy, key_usage_bits, oid_is_valid};
pub use key::{KeyKind, PrivateKey};
pub use name::{DistinguishedName, Subject};
pub use ocsp::{CertificateStatus, OcspFailure, OcspRequest, SingleStatus, ocsp_failure, ocsp_response};
pub use pem::{PemBlock, pem_blocks, pem_encode};
pub use public_key::PublicKey;
pub use request::CertificateRequest;
pub use san::{AlternativeNames, OtherName};
pub use scheme::{Hash, SignatureScheme};

/// The longest PEM or DER text that is read, in bytes.
pub const X509_BYTES_MAX: usize = 1024 * 1024;

/// Why something is not read or not made. Never holds key material.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum X509Error {
    /// Not the DER or PEM of what was expected.
    #[error("malformed encoding")]
    Encoding,
    /// A key of a kind or size that is not supported.
    #[error("unsupported key")]
    Key,
    /// A signature that does not verify, or of an unsupported algorithm.
    #[error("signature does not verify")]
    Signature,
    /// The library made no key or signature.
    #[error("key or signature could not be made")]
    Generation,
    /// A value that the field cannot hold.
    #[error("value does not fit its field")]
    Value,
}

impl From<der::Error> for X509Error {
    fn from(_: der::Error) -> Self {
        Self::Encoding
    }
}

/// SHA-1 of bytes: key identifiers (RFC 5280 section 4.2.1.2) and OCSP's names of issuers; signs nothing.
pub fn sha1(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA1_FOR_LEGACY_USE_ONLY, bytes).as_ref().to_vec()
}
