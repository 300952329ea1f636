//! The online certificate status protocol (RFC 6960), as a responder that signs with the authority's own key.

use super::certificate::serial_number;
use super::{Certificate, Hash, PrivateKey, SignatureScheme, X509_BYTES_MAX, X509Error, sha1};
use crate::digest;
use crate::elements::der;
use ::der::asn1::{Any, GeneralizedTime, Int, ObjectIdentifier, OctetString};
use ::der::{DateTime, Decode, Encode, Sequence};
use std::time::Duration;
use x509_cert::spki::AlgorithmIdentifierOwned;

/// The nonce (RFC 8954), at most this long.
const NONCE_BYTES_MAX: usize = 32;
const NONCE: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.48.1.2");
/// `id-pkix-ocsp-basic`, in DER.
const BASIC: &[u8] = &[0x06, 0x09, 0x2b, 0x06, 0x01, 0x05, 0x05, 0x07, 0x30, 0x01, 0x01];
const SHA1: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.14.3.2.26");

/// Answers that hold no status (section 4.2.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OcspFailure {
    /// Not a request.
    Malformed,
    /// The responder failed.
    Internal,
    /// The responder does not know the authority, or does not answer for it.
    Unauthorized,
}

/// The DER of an answer without a status.
pub fn ocsp_failure(failure: OcspFailure) -> Vec<u8> {
    let code = match failure {
        OcspFailure::Malformed => 1,
        OcspFailure::Internal => 2,
        OcspFailure::Unauthorized => 6,
    };
    der(0x30, &[0x0a, 0x01, code])
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct CertificateId {
    hash: AlgorithmIdentifierOwned,
    issuer_name: OctetString,
    issuer_key: OctetString,
    serial: Int,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Single {
    id: CertificateId,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<x509_cert::ext::Extension>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Content {
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    version: Option<u8>,
    #[asn1(context_specific = "1", tag_mode = "EXPLICIT", optional = "true")]
    requestor: Option<Any>,
    requests: Vec<Single>,
    #[asn1(context_specific = "2", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<x509_cert::ext::Extension>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Request {
    content: Content,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    signature: Option<Any>,
}

/// A request about one certificate. Requests about several are refused, as upstream does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OcspRequest {
    id: CertificateId,
    nonce: Option<Vec<u8>>,
}

impl OcspRequest {
    /// Reads it.
    pub fn from_der(bytes: &[u8]) -> Result<Self, X509Error> {
        if bytes.len() > X509_BYTES_MAX {
            return Err(X509Error::Encoding);
        }
        let content = Request::from_der(bytes)?.content;
        let [single] = content.requests.as_slice() else { return Err(X509Error::Encoding) };
        let extensions = content.extensions.unwrap_or_default();
        let nonce = extensions.iter().find(|extension| extension.extn_id == NONCE);
        let nonce = nonce.map(|extension| extension.extn_value.as_bytes().to_vec());
        if nonce.as_ref().is_some_and(|nonce| nonce.len() > NONCE_BYTES_MAX + 2) {
            return Err(X509Error::Encoding);
        }
        Ok(Self { id: single.id.clone(), nonce })
    }

    /// The serial number asked about, big-endian, without the zero that keeps it positive.
    pub fn serial(&self) -> Vec<u8> {
        match self.id.serial.as_bytes() {
            [0, rest @ ..] if !rest.is_empty() => rest.to_vec(),
            serial => serial.to_vec(),
        }
    }

    /// Whether it asks about certificates of this authority.
    pub fn is_about(&self, authority: &Certificate) -> bool {
        let hash = |bytes: &[u8]| match self.id.hash.oid {
            SHA1 => Some(sha1(bytes)),
            oid => match oid.to_string().as_str() {
                "2.16.840.1.101.3.4.2.1" => Some(digest::sha256(&[bytes]).to_vec()),
                "2.16.840.1.101.3.4.2.2" => Some(digest::sha384(&[bytes]).to_vec()),
                "2.16.840.1.101.3.4.2.3" => Some(digest::sha512(&[bytes]).to_vec()),
                _ => None,
            },
        };
        hash(authority.subject().as_der()).is_some_and(|name| name == self.id.issuer_name.as_bytes())
            && hash(authority.public_key().bits()).is_some_and(|key| key == self.id.issuer_key.as_bytes())
    }
}

/// What is known of a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CertificateStatus {
    /// Issued and not revoked.
    Good,
    /// Revoked then, seconds since 1970.
    Revoked(i64),
    /// Not issued here.
    Unknown,
}

/// A status with the time it holds for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SingleStatus {
    /// The status.
    pub status: CertificateStatus,
    /// When it was true, seconds since 1970.
    pub this_update: i64,
    /// When to ask again, seconds since 1970; `None` is any time.
    pub next_update: Option<i64>,
}

/// The DER of a signed answer, in which the responder is named by its key (section 4.2.1).
pub fn ocsp_response(
    request: &OcspRequest,
    single: SingleStatus,
    authority: &Certificate,
    key: &PrivateKey,
) -> Result<Vec<u8>, X509Error> {
    let scheme = SignatureScheme::of(key.kind(), Hash::Sha256, false);
    let status = match single.status {
        CertificateStatus::Good => der(0x80, &[]),
        CertificateStatus::Revoked(at) => der(0xa1, &generalized(at)?),
        CertificateStatus::Unknown => der(0x82, &[]),
    };
    let next = single.next_update.map(generalized).transpose()?;
    let next = next.map(|next| der(0xa0, &next)).unwrap_or_default();
    // The id is repeated as it was asked; its serial number was an integer already.
    let id = CertificateId { serial: serial_number(&request.serial())?, ..request.id.clone() }.to_der()?;
    let answer = der(0x30, &[id, status, generalized(single.this_update)?, next].concat());
    let responder = der(0xa2, &der(0x04, &authority.public_key().identifier()));
    let mut fields = [responder, generalized(single.this_update)?, der(0x30, &answer)].concat();
    if let Some(nonce) = &request.nonce {
        let extension = der(0x30, &[NONCE.to_der()?, der(0x04, nonce)].concat());
        fields.extend_from_slice(&der(0xa1, &der(0x30, &extension)));
    }
    let content = der(0x30, &fields);
    let signature = key.sign(scheme, &content)?;
    let signature = der(0x03, &[&[0], signature.as_slice()].concat());
    let certificates = der(0xa0, &der(0x30, authority.as_der()));
    let basic = der(0x30, &[content, scheme.identifier()?.to_der()?, signature, certificates].concat());
    let bytes = der(0x30, &[BASIC.to_vec(), der(0x04, &basic)].concat());
    Ok(der(0x30, &[&[0x0a, 0x01, 0x00], der(0xa0, &bytes).as_slice()].concat()))
}

fn generalized(seconds: i64) -> Result<Vec<u8>, X509Error> {
    let since = Duration::from_secs(u64::try_from(seconds).map_err(|_| X509Error::Value)?);
    let moment = DateTime::from_unix_duration(since).map_err(|_| X509Error::Value)?;
    Ok(GeneralizedTime::from_date_time(moment).to_der()?)
}
