//! Extensions (RFC 5280 section 4.2), each written from plain values and read back.

use super::{AlternativeNames, X509Error};
use der::asn1::{Any, BitString, Ia5String, ObjectIdentifier, OctetString, Uint, Utf8StringRef};
use der::{Decode, Encode};
use x509_cert::ext::Extension as Encoded;
use x509_cert::ext::pkix::crl::dp::DistributionPoint;
use x509_cert::ext::pkix::name::{DistributionPointName, GeneralName};
use x509_cert::ext::pkix::{
    AccessDescription, AuthorityKeyIdentifier, BasicConstraints, NameConstraints,
    certpolicy::{PolicyInformation, PolicyQualifierInfo},
    constraints::name::GeneralSubtree,
};

/// Names of key usages by their bit (section 4.2.1.3).
pub const KEY_USAGE_NAMES: [&str; 9] = [
    "DigitalSignature",
    "ContentCommitment",
    "KeyEncipherment",
    "DataEncipherment",
    "KeyAgreement",
    "CertSign",
    "CRLSign",
    "EncipherOnly",
    "DecipherOnly",
];

const SUBJECT_KEY: &str = "2.5.29.14";
const KEY_USAGE: &str = "2.5.29.15";
const ALTERNATIVE_NAMES: &str = "2.5.29.17";
const BASIC_CONSTRAINTS: &str = "2.5.29.19";
const NAME_CONSTRAINTS: &str = "2.5.29.30";
const DISTRIBUTION_POINTS: &str = "2.5.29.31";
const POLICIES: &str = "2.5.29.32";
const AUTHORITY_KEY: &str = "2.5.29.35";
const EXTENDED_USAGE: &str = "2.5.29.37";
const FRESHEST_LIST: &str = "2.5.29.46";
const AUTHORITY_ACCESS: &str = "1.3.6.1.5.5.7.1.1";
pub(super) const LIST_NUMBER: &str = "2.5.29.20";
pub(super) const DELTA_INDICATOR: &str = "2.5.29.27";

/// One extension.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Extension {
    /// Object identifier in dots.
    pub oid: String,
    /// Whether who does not know it has to refuse.
    pub critical: bool,
    /// DER of its value.
    pub value: Vec<u8>,
}

/// Basic constraints.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Constraints {
    /// Whether it is an authority.
    pub authority: bool,
    /// How many authorities may follow it; `None` is no limit.
    pub path_length: Option<u8>,
}

/// A policy that a certificate was issued under.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Object identifier in dots.
    pub oid: String,
    /// Where the practice statement is; empty if nowhere.
    pub practice_statement: String,
    /// A notice to users; empty if there is none.
    pub notice: String,
}

impl Policy {
    fn encoded(&self) -> Result<PolicyInformation, X509Error> {
        let policy_identifier = ObjectIdentifier::new(&self.oid).map_err(|_| X509Error::Value)?;
        let mut qualifiers = Vec::new();
        if !self.practice_statement.is_empty() {
            let uri = Ia5String::new(&self.practice_statement).map_err(|_| X509Error::Value)?;
            qualifiers.push(("1.3.6.1.5.5.7.2.1", Any::encode_from(&uri)?));
        }
        if !self.notice.is_empty() {
            let text = Any::encode_from(&Utf8StringRef::new(&self.notice)?)?;
            qualifiers.push(("1.3.6.1.5.5.7.2.2", Any::encode_from(&vec![text])?));
        }
        let qualifiers = qualifiers.into_iter().map(|(oid, value)| PolicyQualifierInfo {
            policy_qualifier_id: ObjectIdentifier::new_unwrap(oid),
            qualifier: Some(value),
        });
        let qualifiers: Vec<PolicyQualifierInfo> = qualifiers.collect();
        let policy_qualifiers = (!qualifiers.is_empty()).then_some(qualifiers);
        Ok(PolicyInformation { policy_identifier, policy_qualifiers })
    }
}

/// A list of extensions, each at most once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extensions(pub Vec<Extension>);

/// Whether a text is an object identifier in dots.
pub fn oid_is_valid(text: &str) -> bool {
    ObjectIdentifier::new(text).is_ok()
}

/// The bits of named key usages, in any case and with or without `KeyUsage` before them; unknown names are left out.
pub fn key_usage_bits(names: &[String]) -> u16 {
    names.iter().fold(0, |bits, name| {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_prefix("keyusage").unwrap_or(&name);
        let at = KEY_USAGE_NAMES.iter().position(|known| known.eq_ignore_ascii_case(name));
        bits | at.map_or(0, |at| 1 << at)
    })
}

impl Extensions {
    /// Adds one, in the place of another with the same identifier.
    pub fn set(&mut self, oid: &str, critical: bool, value: Vec<u8>) {
        self.0.retain(|known| known.oid != oid);
        self.0.push(Extension { oid: oid.to_owned(), critical, value });
    }

    /// The value of one.
    pub fn value(&self, oid: &str) -> Option<&[u8]> {
        self.0.iter().find(|known| known.oid == oid).map(|known| known.value.as_slice())
    }

    /// Sets the key usage; no bits is none.
    pub fn set_key_usage(&mut self, bits: u16) -> Result<(), X509Error> {
        if bits == 0 {
            return Ok(());
        }
        // Bit 0 is the most significant one of the first byte.
        let [low, high] = bits.to_le_bytes().map(u8::reverse_bits);
        let bytes = if high == 0 { vec![low] } else { vec![low, high] };
        let unused = bytes.last().map_or(0, |last| last.trailing_zeros());
        let unused = u8::try_from(unused).unwrap_or_default();
        self.set(KEY_USAGE, true, BitString::new(unused, bytes)?.to_der()?);
        Ok(())
    }

    /// The key usage.
    pub fn key_usage(&self) -> Option<u16> {
        let value = BitString::from_der(self.value(KEY_USAGE)?).ok()?;
        let byte = |at: usize| value.raw_bytes().get(at).copied().unwrap_or_default().reverse_bits();
        Some(u16::from_le_bytes([byte(0), byte(1)]))
    }

    /// Sets extended key usages, by object identifier; none is none.
    pub fn set_extended_usage(&mut self, oids: &[String]) -> Result<(), X509Error> {
        if oids.is_empty() {
            return Ok(());
        }
        let oids: Result<Vec<ObjectIdentifier>, _> = oids.iter().map(|oid| ObjectIdentifier::new(oid)).collect();
        self.set(EXTENDED_USAGE, false, oids.map_err(|_| X509Error::Value)?.to_der()?);
        Ok(())
    }

    /// The extended key usages.
    pub fn extended_usage(&self) -> Vec<String> {
        let value = self.value(EXTENDED_USAGE).unwrap_or_default();
        let oids = Vec::<ObjectIdentifier>::from_der(value).unwrap_or_default();
        oids.iter().map(ToString::to_string).collect()
    }

    /// Sets basic constraints.
    pub fn set_constraints(&mut self, constraints: Constraints) -> Result<(), X509Error> {
        let value = BasicConstraints { ca: constraints.authority, path_len_constraint: constraints.path_length };
        self.set(BASIC_CONSTRAINTS, true, value.to_der()?);
        Ok(())
    }

    /// The basic constraints.
    pub fn constraints(&self) -> Option<Constraints> {
        let value = BasicConstraints::from_der(self.value(BASIC_CONSTRAINTS)?).ok()?;
        Some(Constraints { authority: value.ca, path_length: value.path_len_constraint })
    }

    /// Sets the identifier of the subject's key.
    pub fn set_subject_key(&mut self, identifier: &[u8]) -> Result<(), X509Error> {
        self.set(SUBJECT_KEY, false, OctetString::new(identifier)?.to_der()?);
        Ok(())
    }

    /// The identifier of the subject's key.
    pub fn subject_key(&self) -> Option<Vec<u8>> {
        OctetString::from_der(self.value(SUBJECT_KEY)?).ok().map(|value| value.as_bytes().to_vec())
    }

    /// Sets the identifier of the key that signs: the subject key identifier of the authority's own certificate.
    pub fn set_authority_key(&mut self, identifier: &[u8]) -> Result<(), X509Error> {
        let key_identifier = Some(OctetString::new(identifier)?);
        let value =
            AuthorityKeyIdentifier { key_identifier, authority_cert_issuer: None, authority_cert_serial_number: None };
        self.set(AUTHORITY_KEY, false, value.to_der()?);
        Ok(())
    }

    /// The identifier of the key that signed.
    pub fn authority_key(&self) -> Option<Vec<u8>> {
        let value = AuthorityKeyIdentifier::from_der(self.value(AUTHORITY_KEY)?).ok()?;
        value.key_identifier.map(|identifier| identifier.as_bytes().to_vec())
    }

    /// Sets alternative names; none is none. Critical where the subject's name is empty (section 4.2.1.6).
    pub fn set_names(&mut self, names: &AlternativeNames, critical: bool) -> Result<(), X509Error> {
        if !names.is_empty() {
            self.set(ALTERNATIVE_NAMES, critical, names.to_der()?);
        }
        Ok(())
    }

    /// The alternative names; an extension that does not read is an error.
    pub fn names(&self) -> Result<AlternativeNames, X509Error> {
        self.value(ALTERNATIVE_NAMES).map_or_else(|| Ok(AlternativeNames::default()), AlternativeNames::from_der)
    }

    /// Sets policies (section 4.2.1.4); none is none.
    pub fn set_policies(&mut self, policies: &[Policy]) -> Result<(), X509Error> {
        if policies.is_empty() {
            return Ok(());
        }
        let policies: Result<Vec<PolicyInformation>, X509Error> = policies.iter().map(Policy::encoded).collect();
        self.set(POLICIES, false, policies?.to_der()?);
        Ok(())
    }

    /// Permits host names below these domains only (section 4.2.1.10); none is none.
    pub fn set_permitted_domains(&mut self, domains: &[String]) -> Result<(), X509Error> {
        if domains.is_empty() {
            return Ok(());
        }
        let subtree = |domain: &String| {
            let base = GeneralName::DnsName(Ia5String::new(domain).map_err(|_| X509Error::Value)?);
            Ok(GeneralSubtree { base, minimum: 0, maximum: None })
        };
        let subtrees: Result<Vec<GeneralSubtree>, X509Error> = domains.iter().map(subtree).collect();
        let value = NameConstraints { permitted_subtrees: Some(subtrees?), excluded_subtrees: None };
        self.set(NAME_CONSTRAINTS, true, value.to_der()?);
        Ok(())
    }

    /// Says where the authority's certificate is and where its OCSP responder listens.
    pub fn set_access(&mut self, certificates: &[String], responders: &[String]) -> Result<(), X509Error> {
        let mut all = Vec::new();
        for (method, urls) in [("1.3.6.1.5.5.7.48.1", responders), ("1.3.6.1.5.5.7.48.2", certificates)] {
            for url in urls {
                let access_location = location(url)?;
                all.push(AccessDescription { access_method: ObjectIdentifier::new_unwrap(method), access_location });
            }
        }
        if !all.is_empty() {
            self.set(AUTHORITY_ACCESS, false, all.to_der()?);
        }
        Ok(())
    }

    /// Says where revocation lists are.
    pub fn set_lists(&mut self, urls: &[String]) -> Result<(), X509Error> {
        self.set_points(DISTRIBUTION_POINTS, urls)
    }

    /// Says where delta lists are (section 4.2.1.15).
    pub fn set_delta_lists(&mut self, urls: &[String]) -> Result<(), X509Error> {
        self.set_points(FRESHEST_LIST, urls)
    }

    fn set_points(&mut self, oid: &str, urls: &[String]) -> Result<(), X509Error> {
        let point = |url: &String| {
            let distribution_point = Some(DistributionPointName::FullName(vec![location(url)?]));
            Ok(DistributionPoint { distribution_point, reasons: None, crl_issuer: None })
        };
        let points: Result<Vec<DistributionPoint>, X509Error> = urls.iter().map(point).collect();
        let points = points?;
        if !points.is_empty() {
            self.set(oid, false, points.to_der()?);
        }
        Ok(())
    }

    /// Numbers a list.
    pub(super) fn set_number(&mut self, oid: &str, critical: bool, number: u64) -> Result<(), X509Error> {
        let bytes = number.to_be_bytes();
        let begin = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len() - 1);
        self.set(oid, critical, Uint::new(bytes.get(begin..).unwrap_or_default())?.to_der()?);
        Ok(())
    }

    pub(super) fn encoded(&self) -> Result<Option<Vec<Encoded>>, X509Error> {
        let one = |extension: &Extension| {
            Ok(Encoded {
                extn_id: ObjectIdentifier::new(&extension.oid).map_err(|_| X509Error::Value)?,
                critical: extension.critical,
                extn_value: OctetString::new(extension.value.as_slice())?,
            })
        };
        let all: Result<Vec<Encoded>, X509Error> = self.0.iter().map(one).collect();
        all.map(|all| (!all.is_empty()).then_some(all))
    }

    pub(super) fn read(encoded: Option<Vec<Encoded>>) -> Self {
        let one = |extension: Encoded| Extension {
            oid: extension.extn_id.to_string(),
            critical: extension.critical,
            value: extension.extn_value.as_bytes().to_vec(),
        };
        Self(encoded.unwrap_or_default().into_iter().map(one).collect())
    }
}

fn location(url: &str) -> Result<GeneralName, X509Error> {
    Ok(GeneralName::UniformResourceIdentifier(Ia5String::new(url).map_err(|_| X509Error::Value)?))
}
