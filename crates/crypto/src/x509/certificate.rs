//! Certificates (RFC 5280 section 4.1), made and read.

use super::public_key::Signed;
use super::{
    DistinguishedName, Extensions, PrivateKey, PublicKey, SignatureScheme, X509_BYTES_MAX, X509Error, pem_blocks,
    pem_encode,
};
use der::asn1::{Any, BitString, GeneralizedTime, Int, UtcTime};
use der::{DateTime, Decode, Encode, Sequence};
use std::time::Duration;
use x509_cert::Version;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::Time;

/// What a new certificate says.
pub struct Template {
    /// Big-endian, at most 20 bytes, positive.
    pub serial: Vec<u8>,
    /// Who it is for.
    pub subject: DistinguishedName,
    /// Who signs it: byte for byte the subject of the authority.
    pub issuer: DistinguishedName,
    /// Begin of validity, seconds since 1970.
    pub not_before: i64,
    /// End of validity, seconds since 1970.
    pub not_after: i64,
    /// The key it is about.
    pub public_key: PublicKey,
    /// Its extensions.
    pub extensions: Extensions,
}

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Content {
    #[asn1(context_specific = "0", default = "Version::default")]
    version: Version,
    serial: Int,
    signature: AlgorithmIdentifierOwned,
    issuer: Any,
    validity: Validity,
    subject: Any,
    public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "1", tag_mode = "IMPLICIT", optional = "true")]
    issuer_id: Option<BitString>,
    #[asn1(context_specific = "2", tag_mode = "IMPLICIT", optional = "true")]
    subject_id: Option<BitString>,
    #[asn1(context_specific = "3", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<x509_cert::ext::Extension>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Sequence)]
struct Validity {
    not_before: Time,
    not_after: Time,
}

/// A certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    der: Vec<u8>,
    signed: Signed,
    serial: Vec<u8>,
    subject: DistinguishedName,
    issuer: DistinguishedName,
    not_before: i64,
    not_after: i64,
    public_key: PublicKey,
    extensions: Extensions,
}

impl Certificate {
    /// Signs a new one.
    pub fn issue(template: &Template, key: &PrivateKey, scheme: SignatureScheme) -> Result<Self, X509Error> {
        let content = Content {
            version: Version::V3,
            serial: serial_number(&template.serial)?,
            signature: scheme.identifier()?,
            issuer: template.issuer.to_any()?,
            validity: Validity { not_before: time(template.not_before)?, not_after: time(template.not_after)? },
            subject: template.subject.to_any()?,
            public_key: template.public_key.info.clone(),
            issuer_id: None,
            subject_id: None,
            extensions: template.extensions.encoded()?,
        };
        let signed = Signed::sign(&content.to_der()?, key, scheme)?;
        Self::from_der(&signed.to_der()?)
    }

    /// Reads one.
    pub fn from_der(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > X509_BYTES_MAX {
            return Err(X509Error::Encoding);
        }
        let signed = Signed::from_der(der)?;
        let content = Content::from_der(&signed.content.to_der()?)?;
        if content.signature != signed.algorithm {
            return Err(X509Error::Encoding);
        }
        Ok(Self {
            der: der.to_vec(),
            serial: content.serial.as_bytes().to_vec(),
            subject: DistinguishedName::of(&content.subject)?,
            issuer: DistinguishedName::of(&content.issuer)?,
            not_before: seconds(content.validity.not_before),
            not_after: seconds(content.validity.not_after),
            public_key: PublicKey::of(content.public_key)?,
            extensions: Extensions::read(content.extensions),
            signed,
        })
    }

    /// Reads the first one of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, X509Error> {
        let block = pem_blocks(text)?.into_iter().find(|block| block.label.ends_with("CERTIFICATE"));
        Self::from_der(&block.ok_or(X509Error::Encoding)?.der)
    }

    /// Its bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// As PEM, with a line end behind it.
    pub fn to_pem(&self) -> String {
        pem_encode("CERTIFICATE", &self.der)
    }

    /// The serial number, big-endian, without the zero that keeps it positive.
    pub fn serial(&self) -> &[u8] {
        match self.serial.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            serial => serial,
        }
    }

    /// Who it is for.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// Who signed it.
    pub fn issuer(&self) -> &DistinguishedName {
        &self.issuer
    }

    /// Begin of validity, seconds since 1970.
    pub fn not_before(&self) -> i64 {
        self.not_before
    }

    /// End of validity, seconds since 1970.
    pub fn not_after(&self) -> i64 {
        self.not_after
    }

    /// The key it is about.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// Its extensions.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The identifier of its key: the one it states, else the one computed.
    pub fn key_identifier(&self) -> Vec<u8> {
        self.extensions.subject_key().unwrap_or_else(|| self.public_key.identifier())
    }

    /// How it is signed, if that is known.
    pub fn scheme(&self) -> Option<SignatureScheme> {
        self.signed.scheme()
    }

    /// Whether it is an authority.
    pub fn is_authority(&self) -> bool {
        self.extensions.constraints().is_some_and(|constraints| constraints.authority)
    }

    /// Whether `authority` signed it: its name and its key.
    pub fn is_issued_by(&self, authority: &Certificate) -> bool {
        self.issuer == authority.subject && self.signed.verify(&authority.public_key).is_ok()
    }

    /// Whether it signed itself.
    pub fn is_self_signed(&self) -> bool {
        self.is_issued_by(self)
    }
}

/// A positive integer of at most 20 bytes (section 4.1.2.2).
pub(super) fn serial_number(bytes: &[u8]) -> Result<Int, X509Error> {
    let begin = bytes.iter().position(|byte| *byte != 0).ok_or(X509Error::Value)?;
    let bare = bytes.get(begin..).unwrap_or_default();
    let positive = if bare.first().is_some_and(|first| *first >= 0x80) { [&[0], bare].concat() } else { bare.to_vec() };
    if positive.len() > 20 {
        return Err(X509Error::Value);
    }
    Ok(Int::new(&positive)?)
}

/// UTC time until 2049, generalized time after it (section 4.1.2.5).
pub(super) fn time(seconds: i64) -> Result<Time, X509Error> {
    let since = Duration::from_secs(u64::try_from(seconds).map_err(|_| X509Error::Value)?);
    let moment = DateTime::from_unix_duration(since).map_err(|_| X509Error::Value)?;
    match UtcTime::from_date_time(moment) {
        Ok(time) => Ok(Time::UtcTime(time)),
        Err(_) => Ok(Time::GeneralTime(GeneralizedTime::from_date_time(moment))),
    }
}

pub(super) fn seconds(time: Time) -> i64 {
    i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX)
}
