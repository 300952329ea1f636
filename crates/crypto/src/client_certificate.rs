//! Certificates that clients show (RFC 5280): what they say, and whether one of the certificates that somebody trusts
//! vouches for them. Chains are built and verified by `webpki`; what a certificate says is read by `x509-parser`, which
//! takes more of what is in use.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, CertificateRevocationListDer, TrustAnchor, UnixTime};
use std::collections::BTreeSet;
use std::time::Duration;
use webpki::{ALL_VERIFICATION_ALGS, EndEntityCert, KeyUsage};
use x509_parser::asn1_rs::{Any, FromDer as _};
use x509_parser::certificate::X509Certificate;
use x509_parser::extensions::{GeneralName, ParsedExtension};
use x509_parser::num_bigint::BigUint;
use x509_parser::revocation_list::CertificateRevocationList;
use x509_parser::x509::AttributeTypeAndValue;

#[cfg(test)]
mod tests;

/// Serial numbers in decimal.
pub type Serials = BTreeSet<String>;

/// What a certificate says. Nothing of it is verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certificate {
    /// As it was encoded.
    pub der: Vec<u8>,
    /// Of the subject; `None` if it has none or several, or one that is no text.
    pub common_name: Option<String>,
    /// Of the subject.
    pub organizational_units: Vec<String>,
    /// Subject alternative names of type `dNSName`.
    pub dns_names: Vec<String>,
    /// Subject alternative names of type `rfc822Name`.
    pub email_addresses: Vec<String>,
    /// Subject alternative names of type `uniformResourceIdentifier`.
    pub uris: Vec<String>,
    /// Identifier, in dots, and the text of each extension: empty if its value is no ASN.1 string.
    pub extensions: Vec<(String, String)>,
    /// In decimal.
    pub serial: String,
    /// Bytes in hex with colons between; empty if there is none.
    pub subject_key_id: String,
    /// Bytes in hex with colons between; empty if there is none.
    pub authority_key_id: String,
    /// Whether it may issue certificates.
    pub is_ca: bool,
    /// Whether its extended key usage, if it has one, lets it be a client of TLS.
    pub is_client: bool,
    /// Seconds since the epoch of its first moment.
    pub not_before: i64,
    /// Seconds since the epoch of its last moment.
    pub not_after: i64,
}

impl Certificate {
    /// Reads one; `None` if it is none, or if bytes follow it.
    pub fn from_der(der: &[u8]) -> Option<Self> {
        let (rest, read) = X509Certificate::from_der(der).ok()?;
        if !rest.is_empty() {
            return None;
        }
        let usage = read.extended_key_usage().ok()?;
        let mut certificate = Self {
            der: der.to_vec(),
            common_name: single(read.subject().iter_common_name()),
            organizational_units: read.subject().iter_organizational_unit().filter_map(text).collect(),
            dns_names: Vec::new(),
            email_addresses: Vec::new(),
            uris: Vec::new(),
            extensions: Vec::new(),
            serial: read.tbs_certificate.serial.to_string(),
            subject_key_id: String::new(),
            authority_key_id: String::new(),
            is_ca: read.basic_constraints().ok()?.is_some_and(|constraints| constraints.value.ca),
            is_client: usage.is_none_or(|usage| usage.value.client_auth || usage.value.any),
            not_before: read.validity().not_before.timestamp(),
            not_after: read.validity().not_after.timestamp(),
        };
        certificate.read_extensions(&read);
        Some(certificate)
    }

    /// Reads all certificates of a PEM text (RFC 7468), in order; what is between them is passed over. `None` if one
    /// cannot be read.
    pub fn from_pem(text: &str) -> Option<Vec<Self>> {
        CertificateDer::pem_slice_iter(text.as_bytes()).map(|der| Self::from_der(&der.ok()?)).collect()
    }

    /// Whether a moment, in seconds since the epoch, is one that it is valid at.
    pub const fn is_valid_at(&self, now: i64) -> bool {
        self.not_before <= now && now <= self.not_after
    }

    fn read_extensions(&mut self, read: &X509Certificate<'_>) {
        for extension in read.extensions() {
            self.extensions.push((extension.oid.to_id_string(), asn1_text(extension.value).unwrap_or_default()));
            match extension.parsed_extension() {
                ParsedExtension::SubjectAlternativeName(names) => {
                    for name in &names.general_names {
                        match name {
                            GeneralName::DNSName(name) => self.dns_names.push((*name).to_owned()),
                            GeneralName::RFC822Name(name) => self.email_addresses.push((*name).to_owned()),
                            GeneralName::URI(name) => self.uris.push((*name).to_owned()),
                            _ => {}
                        }
                    }
                }
                ParsedExtension::SubjectKeyIdentifier(id) => self.subject_key_id = colons(id.0),
                ParsedExtension::AuthorityKeyIdentifier(id) => {
                    self.authority_key_id = id.key_identifier.as_ref().map(|id| colons(id.0)).unwrap_or_default();
                }
                _ => {}
            }
        }
    }
}

/// Who is trusted, at which moment, and which certificates are revoked.
pub struct Trust<'a> {
    /// Those that may issue are the ends of chains; all vouch for themselves, byte for byte.
    pub certificates: &'a [Certificate],
    /// Seconds since the epoch.
    pub now: i64,
    /// Serial numbers that a chain must not hold, whoever issued them.
    pub revoked: &'a dyn Fn(&str) -> bool,
}

impl Trust<'_> {
    /// Whether it vouches for the first of these certificates, as a client of TLS; the others may help to build the
    /// chain. That the client holds the private key is not asked here: TLS has shown it.
    pub fn vouches_for(&self, presented: &[Certificate]) -> Verdict {
        let Some((leaf, others)) = presented.split_first() else { return Verdict::Unknown };
        let pinned = self.certificates.iter().any(|certificate| certificate.der == leaf.der);
        if pinned {
            let holds = leaf.is_client && leaf.is_valid_at(self.now) && !(self.revoked)(&leaf.serial);
            return if holds { Verdict::Trusted } else { Verdict::Refused };
        }
        self.chain(leaf, others)
    }

    fn chain(&self, leaf: &Certificate, others: &[Certificate]) -> Verdict {
        let live = |certificate: &&Certificate| {
            certificate.is_ca && certificate.is_valid_at(self.now) && !(self.revoked)(&certificate.serial)
        };
        let ends: Vec<CertificateDer<'_>> =
            self.certificates.iter().filter(live).map(|end| CertificateDer::from(end.der.as_slice())).collect();
        let anchors: Vec<TrustAnchor<'_>> =
            ends.iter().filter_map(|end| webpki::anchor_from_trusted_cert(end).ok()).collect();
        let between: Vec<CertificateDer<'_>> =
            others.iter().map(|other| CertificateDer::from(other.der.as_slice())).collect();
        let der = CertificateDer::from(leaf.der.as_slice());
        let Ok(end_entity) = EndEntityCert::try_from(&der) else { return Verdict::Unknown };
        let Ok(now) = u64::try_from(self.now) else { return Verdict::Unknown };
        let unrevoked = |path: &webpki::VerifiedPath<'_>| {
            let revoked = |serial: &[u8]| (self.revoked)(&BigUint::from_bytes_be(serial).to_string());
            let any = revoked(path.end_entity().serial())
                || path.intermediate_certificates().any(|between| revoked(between.serial()));
            if any { Err(webpki::Error::CertRevoked) } else { Ok(()) }
        };
        let verified = end_entity.verify_for_usage(
            ALL_VERIFICATION_ALGS,
            &anchors,
            &between,
            UnixTime::since_unix_epoch(Duration::from_secs(now)),
            KeyUsage::client_auth(),
            None,
            Some(&unrevoked),
        );
        match verified {
            Ok(_) => Verdict::Trusted,
            Err(webpki::Error::CertRevoked) => Verdict::Refused,
            Err(_) => Verdict::Unknown,
        }
    }
}

/// What [`Trust::vouches_for`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is trusted.
    Trusted,
    /// Somebody vouches for it, but it is revoked, not valid at this moment or not for clients.
    Refused,
    /// Nobody vouches for it.
    Unknown,
}

/// The serial numbers that a revocation list names (RFC 5280 section 5), in PEM or DER. Neither its signature nor its
/// dates are looked at: whoever hands it in vouches for it. `None` if it is no list.
pub fn revoked_serials(list: &[u8]) -> Option<Serials> {
    let of = |der: &[u8]| {
        let (rest, list) = CertificateRevocationList::from_der(der).ok()?;
        let serials = list.iter_revoked_certificates().map(|revoked| revoked.user_certificate.to_string()).collect();
        rest.is_empty().then_some(serials)
    };
    match CertificateRevocationListDer::from_pem_slice(list) {
        Ok(der) => of(&der),
        Err(_) => of(list),
    }
}

fn text(attribute: &AttributeTypeAndValue<'_>) -> Option<String> {
    attribute.as_str().ok().map(str::to_owned)
}

/// The one attribute there is; of several nobody can say which is meant.
fn single<'a>(mut attributes: impl Iterator<Item = &'a AttributeTypeAndValue<'a>>) -> Option<String> {
    let first = attributes.next()?;
    if attributes.next().is_some() { None } else { text(first) }
}

/// The text of a DER value that is wholly one string (UTF8String, NumericString, PrintableString, IA5String).
fn asn1_text(der: &[u8]) -> Option<String> {
    let (rest, any) = Any::from_der(der).ok()?;
    let is_string = rest.is_empty() && matches!(any.header.tag().0, 12 | 18 | 19 | 22);
    std::str::from_utf8(any.data).ok().filter(|_| is_string).map(str::to_owned)
}

fn colons(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| crate::hex(&[*byte])).collect::<Vec<_>>().join(":")
}
