//! Revocation lists (RFC 5280 section 5).

use super::certificate::{serial_number, time};
use super::extension::{DELTA_INDICATOR, LIST_NUMBER};
use super::public_key::Signed;
use super::{Certificate, Extensions, PrivateKey, SignatureScheme, X509Error};
use der::asn1::{Any, Int};
use der::{Encode, Sequence};
use x509_cert::Version;
use x509_cert::spki::AlgorithmIdentifierOwned;
use x509_cert::time::Time;

/// A certificate that is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RevokedEntry {
    /// Its serial number, big-endian.
    pub serial: Vec<u8>,
    /// When, seconds since 1970.
    pub revoked: i64,
}

/// What a new list says.
pub struct ListTemplate<'a> {
    /// The authority.
    pub authority: &'a Certificate,
    /// When it is made, seconds since 1970.
    pub this_update: i64,
    /// When the next one is there at the latest, seconds since 1970.
    pub next_update: i64,
    /// Its number, which only grows.
    pub number: u64,
    /// The number of the complete list that this one is the difference to.
    pub base_number: Option<u64>,
    /// What is revoked.
    pub entries: &'a [RevokedEntry],
}

#[derive(Sequence)]
struct Content {
    version: Version,
    signature: AlgorithmIdentifierOwned,
    issuer: Any,
    this_update: Time,
    next_update: Time,
    #[asn1(optional = "true")]
    revoked: Option<Vec<Entry>>,
    #[asn1(context_specific = "0", tag_mode = "EXPLICIT", optional = "true")]
    extensions: Option<Vec<x509_cert::ext::Extension>>,
}

#[derive(Sequence)]
struct Entry {
    serial: Int,
    date: Time,
}

/// Signs a new list; its DER.
pub fn build_list(
    template: &ListTemplate<'_>,
    key: &PrivateKey,
    scheme: SignatureScheme,
) -> Result<Vec<u8>, X509Error> {
    let mut extensions = Extensions::default();
    // The authority's own key, not the one that signed the authority (section 5.2.1).
    extensions.set_authority_key(&template.authority.key_identifier())?;
    extensions.set_number(LIST_NUMBER, false, template.number)?;
    if let Some(base) = template.base_number {
        extensions.set_number(DELTA_INDICATOR, true, base)?;
    }
    let entry = |entry: &RevokedEntry| Ok(Entry { serial: serial_number(&entry.serial)?, date: time(entry.revoked)? });
    let entries: Result<Vec<Entry>, X509Error> = template.entries.iter().map(entry).collect();
    let entries = entries?;
    let content = Content {
        version: Version::V2,
        signature: scheme.identifier()?,
        issuer: template.authority.subject().to_any()?,
        this_update: time(template.this_update)?,
        next_update: time(template.next_update)?,
        revoked: (!entries.is_empty()).then_some(entries),
        extensions: extensions.encoded()?,
    };
    Ok(Signed::sign(&content.to_der()?, key, scheme)?.to_der()?)
}
